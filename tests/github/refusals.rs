//! What GitHub does not allow: each has its own words with the remedy, the report is there all the same,
//! and the exit code is 4 unless something is exposed.

use serde_json::json;

use super::proxy::{Call, Fault};
use super::rounds::{open, round, shut};
use super::world::{Run, World, world};

const NAME: &str = "Admin console";

/// Plays an exposure and a pass into a world in which nothing can be written.
fn refused(world: &World, what: &str, remedy: &str) {
    let report = round(0, vec![open(NAME)]);
    let run = world.play(&report);
    assert_eq!(run.code, 1, "{run:#?}");
    says(&run, what, remedy);
    let pass = round(1, vec![shut(NAME), shut("Staging")]);
    let run = world.play(&pass);
    if !run.err.is_empty() {
        assert_eq!(run.code, 4, "{run:#?}");
        says(&run, what, remedy);
    }
}

fn says(run: &Run, what: &str, remedy: &str) {
    for words in [what, remedy] {
        assert!(run.err.contains(words), "{words}: {}", run.err);
    }
}

fn writes(world: &World) -> Vec<Call> {
    let calls = world.proxy.calls().into_iter();
    calls.filter(Call::writes).collect()
}

#[test]
fn an_archived_repository() {
    let world = world!("archived");
    world
        .owner
        .done("PATCH", &world.path(""), &json!({ "archived": true }));
    let said = "Repository was archived so is read-only.";
    for method in ["POST", "PATCH"] {
        world.proxy.always(method, "", Fault::status(403, said));
    }
    refused(&world, "archived", "repository");
    assert_eq!(world.issues(), []);
}

#[test]
fn issues_that_are_switched_off() {
    let world = world!("no-issues");
    world
        .owner
        .done("PATCH", &world.path(""), &json!({ "has_issues": false }));
    world.proxy.always(
        "",
        "/issues",
        Fault::status(410, "Issues are disabled for this repo"),
    );
    refused(&world, "issues are switched off", "settings");
}

#[test]
fn issues_that_are_gone_without_a_warning() {
    let world = world!("gone");
    world.proxy.always(
        "",
        "/issues",
        Fault::status(410, "Issues are disabled for this repo"),
    );
    refused(&world, "410", "settings");
}

#[test]
fn a_token_that_may_not_write() {
    let world = world!("reader");
    let said = "Resource not accessible by integration";
    for method in ["POST", "PATCH"] {
        world.proxy.always(method, "", Fault::status(403, said));
    }
    refused(&world, "403", "issues: write");
    assert_eq!(world.issues(), []);
}

#[test]
fn a_wrong_token() {
    let mut world = world!("wrong");
    world.env = vec![("GITHUB_TOKEN".to_owned(), "ghs_wrong".to_owned())];
    refused(&world, "401", "NOENTRY_GITHUB_TOKEN");
    assert!(writes(&world).is_empty());
}

#[test]
fn no_token_at_all() {
    let mut world = world!("none");
    world.env = vec![("GITHUB_TOKEN".to_owned(), String::new())];
    refused(&world, "token", "GITHUB_TOKEN");
    assert!(world.proxy.calls().is_empty());
}

#[test]
fn a_repository_that_is_not_there() {
    let mut world = world!("here");
    world.env = vec![("GITHUB_REPOSITORY".to_owned(), "acme/not-there".to_owned())];
    refused(&world, "acme/not-there", "access");
    assert!(writes(&world).is_empty());
}

#[test]
fn no_repository_at_all() {
    let mut world = world!("nowhere");
    world.env = vec![("GITHUB_REPOSITORY".to_owned(), String::new())];
    refused(&world, "repository", "GITHUB_REPOSITORY");
    assert!(world.proxy.calls().is_empty());
}

#[test]
fn a_token_does_not_leave_in_clear() {
    let mut world = world!("clear");
    world.env = vec![("GITHUB_API_URL".to_owned(), "http://192.0.2.1/".to_owned())];
    refused(&world, "http://192.0.2.1", "https");
}

#[test]
fn a_redirect_is_not_followed_with_the_token() {
    let world = world!("moved");
    let mut moved = super::wire::Response::json(301, &json!({ "message": "Moved Permanently" }));
    let elsewhere = format!("{}{}", world.proxy.url(), world.path("/elsewhere"));
    moved.headers.push(("location".to_owned(), elsewhere));
    world
        .proxy
        .always("", r"/repos/acme/moved($|/issues)", Fault::Answer(moved));
    refused(&world, "301", "name");
    let calls = world.proxy.calls();
    assert!(
        !calls.iter().any(|call| call.path.contains("elsewhere")),
        "{calls:#?}"
    );
}

#[test]
fn values_that_github_does_not_take() {
    let world = world!("invalid");
    let errors = json!([{ "resource": "Issue", "field": "assignees", "code": "invalid" }]);
    let body = json!({ "message": "Validation Failed", "errors": errors });
    let answer = super::wire::Response::json(422, &body);
    world
        .proxy
        .always("POST", "/issues$", Fault::Answer(answer));
    refused(&world, "422", "assignees");
}

#[test]
fn a_limit_that_ends_soon_is_waited_for_and_another_is_said() {
    let world = world!("limits");
    world
        .proxy
        .once("GET", "/issues", Fault::later(429, "slow down", 1));
    world.proxy.once(
        "POST",
        "/issues$",
        Fault::later(403, "secondary rate limit", 1),
    );
    world.told(&round(0, vec![open(NAME)]));
    assert!(world.incident().open);
    world.proxy.once(
        "GET",
        "/issues",
        Fault::later(403, "secondary rate limit", 3_600),
    );
    let before = std::time::Instant::now();
    let run = world.play(&round(1, vec![shut(NAME)]));
    assert_eq!(run.code, 4);
    says(&run, "rate limit", "60 minutes");
    assert!(before.elapsed() < std::time::Duration::from_secs(20));
}

#[test]
fn an_exposure_without_an_issue_is_an_annotation() {
    let mut world = world!("annotated");
    world.proxy.always("POST", "/issues$", Fault::bad_gateway());
    world.env = vec![("GITHUB_ACTIONS".to_owned(), "true".to_owned())];
    let run = world.play(&round(
        0,
        vec![open(NAME), open("Staging"), shut("Orders database")],
    ));
    assert_eq!(run.code, 1);
    let annotations: Vec<_> = run
        .out
        .lines()
        .filter(|line| line.starts_with("::"))
        .collect();
    assert_eq!(annotations.len(), 2, "{}", run.out);
    assert!(
        annotations.iter().any(|line| line.contains(NAME)),
        "{annotations:#?}"
    );
}

#[test]
fn answers_that_are_none_are_said() {
    let world = world!("garbage");
    world.told(&round(0, vec![open(NAME)]));
    let issue = world.incident();
    for answer in [
        "",
        "<html>",
        "[[[",
        "null",
        "{\"number\": \"one\"}",
        "[{\"number\": -1}]",
    ] {
        let answer = super::wire::Response {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: answer.as_bytes().to_vec(),
        };
        world
            .proxy
            .always("GET", r"/issues\?", Fault::Answer(answer));
        let run = world.play(&round(1, vec![shut(NAME)]));
        assert_eq!(run.code, 4, "{run:#?}");
        says(&run, "incident trail", "GITHUB_API_URL");
        world.proxy.heal();
    }
    assert_eq!(world.incident(), issue);
}
