//! What the configuration says: labels, assignees, mentions, titles, where issues go and what they tell.

use noentry::domain::finding::Finding;
use noentry::domain::report::RoundReport;
use noentry::domain::trail::Notify;
use serde_json::json;

use super::emulator::ACTIONS;
use super::proxy::Fault;
use super::rounds::{blind, notifying, open, round, shut, wide_open};
use super::world::{Seen, World, world};

const NAME: &str = "Admin console";

fn text(list: &[&str]) -> Vec<String> {
    list.iter().map(|&one| one.to_owned()).collect()
}

fn known(finding: Finding) -> Finding {
    let notify = Notify {
        labels: text(&["network", "P1"]),
        assignees: text(&["ada"]),
        mention: text(&["acme/on-call", "ada"]),
    };
    notifying(finding, notify)
}

#[test]
fn labels_are_created_with_colour_and_words_if_missing() {
    let world = world!("new-labels");
    world.owner.done(
        "POST",
        &world.path("/labels"),
        &json!({ "name": "noentry", "color": "123456", "description": "mine" }),
    );
    world.told(&round(0, vec![known(open(NAME))]));
    let labels = world.owner.get(&world.path("/labels?per_page=100"));
    let find = |name: &str| {
        let mut labels = labels.as_array().unwrap().iter();
        labels.find(|label| label["name"] == name).unwrap().clone()
    };
    // One that is there stays as it is.
    assert_eq!(find("noentry")["color"], "123456");
    let ours = find("noentry:exposed");
    assert!(!ours["description"].as_str().unwrap().is_empty(), "{ours}");
    find("network");
    assert_eq!(
        world.incident().labels,
        ["noentry", "noentry:exposed", "network", "P1"]
    );
}

#[test]
fn those_whom_it_is_for_are_assigned_and_mentioned_once() {
    let world = world!("people");
    world.told(&round(0, vec![known(open(NAME))]));
    let issue = world.incident();
    assert_eq!(issue.assignees, ["ada"]);
    assert!(
        issue.body.contains("@acme/on-call") && issue.body.contains("@ada"),
        "{}",
        issue.body
    );
    // Nobody is called again by an update, and whoever gave it back is not assigned anew.
    world.edit(issue.number, &json!({ "assignees": [] }));
    world.told(&round(1, vec![known(wide_open(NAME))]));
    let issue = world.incident();
    assert!(!issue.trail()[0].contains('@'), "{issue:#?}");
    assert_eq!(issue.assignees, Vec::<String>::new());
    for hours in [2, 3] {
        world.told(&round(hours, vec![known(shut(NAME))]));
    }
    assert!(!world.incident().trail()[1].contains('@'));
}

#[test]
fn an_assignee_who_cannot_be_one_is_said_and_costs_nothing_else() {
    let world = world!("nobody");
    let notify = Notify {
        assignees: text(&["ada", "no-such-person"]),
        ..Notify::default()
    };
    let run = world.play(&round(0, vec![notifying(open(NAME), notify)]));
    assert_eq!(run.code, 1);
    assert!(run.err.contains("no-such-person"), "{}", run.err);
    let issue = world.incident();
    assert!(issue.open && issue.assignees == ["ada"], "{issue:#?}");
}

#[test]
fn the_title_follows_its_template() {
    let world = world!("template");
    let mut report = round(0, vec![open(NAME)]);
    report.incidents.title = Some("[prod] {target} is open".to_owned());
    world.told(&report);
    assert_eq!(world.incident().title, "[prod] Admin console is open");
    let mut long = round(1, vec![open(NAME), open(&"ä very long name ".repeat(40))]);
    long.incidents = report.incidents;
    world.told(&long);
    let title = world.incidents().pop().unwrap().title;
    assert!(title.starts_with("[prod] ä very long name") && title.chars().count() <= 256);
}

/// Everything that an issue shows: nothing of it may help an attacker.
fn tells_nothing(world: &World, repo: &str) {
    let issues = world.issues_of(repo);
    assert!(!issues.is_empty());
    let all = format!("{issues:#?}");
    for secret in [
        "20.1.2",
        "20.1.9.9",
        "host1.example.com",
        "5432",
        "connected",
        "nc -vz",
    ] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
    // Nor in the state, where it is packed, nor as a digest that can be guessed back.
    for issue in issues {
        let line = issue
            .body
            .lines()
            .find(|line| line.starts_with("<!-- noentry:v1"));
        if let Some(line) = line {
            let state = noentry::incident::state::read(line).unwrap();
            let state = format!("{state:#?}");
            assert!(state.contains("marks: {}"), "{state}");
            assert!(
                !state.contains("20.1.") && !state.contains("5432"),
                "{state}"
            );
        }
    }
}

/// A whole life, with what would give something away in each round.
fn life(world: &World, change: impl Fn(&mut RoundReport)) {
    let rounds: [(i64, Vec<Finding>); 8] = [
        (0, vec![open(NAME), shut("Staging")]),
        (1, vec![wide_open(NAME), blind("Staging")]),
        (2, vec![wide_open(NAME), blind("Staging")]),
        (30, vec![open(NAME), blind("Staging")]),
        (31, vec![shut(NAME), shut("Staging")]),
        (32, vec![shut(NAME), shut("Staging")]),
        (33, vec![open(NAME), shut("Staging")]),
        (34, (0..12).map(|n| open(&format!("Door {n}"))).collect()),
    ];
    for (hours, findings) in rounds {
        let mut report = round(hours, findings);
        report.partial = hours == 34;
        change(&mut report);
        world.told(&report);
    }
}

#[test]
fn a_public_repository_is_told_that_and_since_when_but_not_where() {
    let world = world!("public", Seen::ByAll);
    life(&world, |_| ());
    tells_nothing(&world, &world.repo);
    let incident = &world.incidents()[0];
    assert!(incident.body.contains("Admin console") && incident.body.contains("withheld"));
}

#[test]
fn disclose_lifts_what_is_withheld() {
    let world = world!("disclosed", Seen::ByAll);
    life(&world, |report| report.incidents.disclose = true);
    let incident = &world.incidents()[0];
    assert!(incident.body.contains("20.1.2.1:5432"), "{}", incident.body);
    // And taken back, it is gone from all but what was said before.
    world.told(&round(35, vec![open(NAME)]));
    let incident = &world.incidents()[0];
    let (now, _) = incident
        .body
        .split_once("<!-- noentry:timeline -->")
        .unwrap();
    assert!(!now.contains("20.1.2.1"), "{now}");
}

#[test]
fn a_repository_whose_visibility_is_not_known_is_public() {
    let world = world!("unknown");
    world.proxy.always(
        "GET",
        r"/repos/acme/unknown$",
        Fault::Edit(|repo| {
            let repo = repo.as_object_mut().unwrap();
            repo.remove("private");
            repo.remove("visibility");
        }),
    );
    life(&world, |_| ());
    tells_nothing(&world, &world.repo);
}

#[test]
fn another_repository_that_is_private_is_told_all() {
    let world = world!("front", Seen::ByAll);
    world.found("private-trail", Seen::ByFew);
    life(&world, |report| {
        report.incidents.repository = Some("acme/private-trail".to_owned());
    });
    assert_eq!(world.issues(), []);
    let issues = world.issues_of("acme/private-trail");
    assert!(
        issues[0].body.contains("20.1.2.1:5432"),
        "{}",
        issues[0].body
    );
}

#[test]
fn an_enterprise_server_has_its_own_address() {
    let Some(world) = World::enterprise("server", "/api/v3") else {
        return;
    };
    assert!(world.proxy.url().ends_with("/api/v3"));
    world.told(&round(0, vec![open(NAME)]));
    world.told(&round(1, vec![wide_open(NAME)]));
    for hours in [2, 3] {
        world.told(&round(hours, vec![shut(NAME)]));
    }
    let issue = world.incident();
    assert_eq!((issue.open, issue.trail().len()), (false, 2));
}

#[test]
fn the_workflows_own_token_does_not_say_who_it_is() {
    let mut world = world!("workflow");
    world.bot = world.actor(ACTIONS);
    world.proxy.trust(ACTIONS, &world.bot.token);
    world.proxy.always(
        "GET",
        "/user$",
        Fault::status(403, "Resource not accessible by integration"),
    );
    let run = world.play(&round(0, vec![open(NAME)]));
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{run:#?}");
    // Where GraphQL does not say either, the workflow's surroundings do.
    world.proxy.always(
        "POST",
        "/graphql$",
        Fault::status(403, "Resource not accessible"),
    );
    world.env = vec![("GITHUB_ACTIONS".to_owned(), "true".to_owned())];
    let run = world.play(&round(1, vec![wide_open(NAME)]));
    assert_eq!((run.code, run.err.as_str()), (1, ""), "{run:#?}");
    let issues = world.issues();
    assert_eq!((issues.len(), issues[0].by.as_str()), (1, ACTIONS));
    assert_eq!(issues[0].comments.len(), 1);
    // Elsewhere nobody knows, and that is said instead of opening the same again and again.
    world.env = Vec::new();
    let run = world.play(&round(2, vec![wide_open(NAME)]));
    assert_eq!((run.code, world.issues().len()), (1, 1));
    assert!(run.err.contains("author"), "{}", run.err);
    let mut named = round(3, vec![shut(NAME)]);
    named.incidents.author = Some(ACTIONS.to_owned());
    named.incidents.close_after = 1;
    world.play(&named);
    assert!(!world.issues()[0].open);
}
