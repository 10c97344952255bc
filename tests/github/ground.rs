//! What these tests rest on does what it should: Prism refuses, the proxy fails, the emulator forgets
//! nothing.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::emulator::Actor;
use super::proxy::Fault;
use super::wire::{self, Request};
use super::world::{World, world};

/// noentry's token, through the proxies.
fn through(world: &World) -> Actor {
    let to = world
        .proxy
        .url()
        .trim_start_matches("http://")
        .parse()
        .unwrap();
    Actor {
        to,
        token: world.bot.token.clone(),
    }
}

/// As [`Actor::ask`], for connections that are cut.
fn cut(world: &World, method: &str, path: &str, body: &Value) -> bool {
    let actor = through(world);
    let headers = [
        ("authorization", format!("Bearer {}", actor.token)),
        ("user-agent", "a test".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    let request = Request {
        method: method.to_owned(),
        path: path.to_owned(),
        headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
        body: body.to_string().into_bytes(),
    };
    wire::call(actor.to, &request).is_err()
}

#[test]
fn prism_refuses_what_github_does_not_know() {
    let world = world!("prism");
    let bot = through(&world);
    let issues = world.path("/issues");
    let one = bot.ask("POST", &issues, &json!({ "title": "one", "labels": ["a"] }));
    assert_eq!(one.status, 201, "{}", one.value());
    assert_eq!(world.proxy.refused(), Vec::<String>::new());
    for (method, path, body, why) in [
        (
            "POST",
            "/issues",
            json!({ "body": "no title" }),
            "must have required property 'title'",
        ),
        (
            "POST",
            "/issues",
            json!({ "title": "x", "lables": [] }),
            "found 'lables'",
        ),
        (
            "POST",
            "/issues",
            json!({ "title": "x", "labels": "a" }),
            "labels must be array",
        ),
        (
            "PATCH",
            "/issues/1",
            json!({ "state": "shut" }),
            "open, closed",
        ),
        (
            "PATCH",
            "/issues/1",
            json!({ "state_reason": "done" }),
            "not_planned",
        ),
        (
            "POST",
            "/issues/1/comments",
            json!({}),
            "must have required property 'body'",
        ),
        ("GET", "/issues?state=any", Value::Null, "open, closed, all"),
        ("GET", "/nothing", Value::Null, "NO_PATH_MATCHED"),
    ] {
        let answer = bot.ask(method, &world.path(path), &body);
        let refused = world.proxy.refused();
        let said = refused.last().unwrap();
        assert!(
            matches!(answer.status, 404 | 422) && said.contains(why),
            "{path}: {said}"
        );
    }
    // What was refused did not get through.
    let issues = world.issues();
    assert_eq!(issues.len(), 1);
    assert!(issues[0].open && issues[0].comments.is_empty());
}

#[test]
fn the_proxy_fails_before_and_after() {
    let world = world!("faults");
    let bot = through(&world);
    let path = world.path("/issues");
    let new = json!({ "title": "one" });
    let count = || world.issues().len();
    world.proxy.once("POST", "/issues$", Fault::bad_gateway());
    assert_eq!((bot.ask("POST", &path, &new).status, count()), (502, 0));
    world
        .proxy
        .once("POST", "/issues$", Fault::bad_gateway_after());
    assert_eq!((bot.ask("POST", &path, &new).status, count()), (502, 1));
    world.proxy.once("POST", "/issues$", Fault::DropBefore);
    assert!(cut(&world, "POST", &path, &new) && count() == 1);
    world.proxy.once("POST", "/issues$", Fault::DropAfter);
    assert!(cut(&world, "POST", &path, &new) && count() == 2);
    world.proxy.plan(
        "GET",
        "/issues",
        1,
        2,
        Fault::later(403, "secondary rate limit", 7),
    );
    let get = || bot.ask("GET", &path, &Value::Null);
    let statuses = [(); 4].map(|()| get().status);
    assert_eq!(statuses, [200, 403, 403, 200]);
    world
        .proxy
        .once("GET", "", Fault::later(429, "slow down", 7));
    assert_eq!(wire::header(&get().headers, "retry-after"), Some("7"));
    let before = Instant::now();
    world
        .proxy
        .once("", "", Fault::Slow(Duration::from_millis(200)));
    assert_eq!(get().status, 200);
    assert!(before.elapsed() >= Duration::from_millis(200));
    world.proxy.once(
        "GET",
        "/issues",
        Fault::Edit(|list| {
            list.as_array_mut()
                .unwrap()
                .push(json!({ "number": 99, "pull_request": {} }));
        }),
    );
    assert_eq!(get().value()[2]["number"], 99);
    assert_eq!(world.proxy.calls().len(), 11);
}

#[test]
fn the_proxy_has_the_manners_of_github() {
    let world = world!("manners");
    let bot = through(&world);
    let wrong = Actor {
        token: "wrong".to_owned(),
        ..bot.clone()
    };
    assert_eq!(wrong.ask("GET", &world.path(""), &Value::Null).status, 401);
    let path = world.path("/issues");
    let long = "x".repeat(65_537);
    let answer = bot.ask("POST", &path, &json!({ "title": "long", "body": long }));
    assert_eq!(answer.status, 422);
    assert_eq!(answer.value()["errors"][0]["field"], "body");
    let fits = bot.ask(
        "POST",
        &path,
        &json!({ "title": "fits", "body": &long[1..] }),
    );
    assert_eq!(fits.status, 201);
    let who = json!({ "assignees": ["ada", "nobody-of-this-name"] });
    bot.ask("POST", &world.path("/issues/1/assignees"), &who);
    assert_eq!(world.issues()[0].assignees, ["ada"]);
    bot.ask("POST", &path, &json!({ "title": "two" }));
    let list = bot.ask("GET", &format!("{path}?per_page=1"), &Value::Null);
    let link = wire::header(&list.headers, "link").unwrap();
    let next = format!(
        "<{}{path}?per_page=1&page=2>; rel=\"next\"",
        world.proxy.url()
    );
    assert!(link.contains(&next), "{link}");
}
