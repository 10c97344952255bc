//! What is not ours stays what it is: markers of strangers, markers from evidence, and all the other
//! issues of a repository.

use noentry::domain::finding::Finding;
use serde_json::{Value, json};

use super::proxy::{Call, Fault};
use super::rounds::{open, round, shut, wide_open};
use super::sample;
use super::world::{Issue, Seen, World, world};

const NAME: &str = "Admin console";

fn play(world: &World, hours: i64, finding: Finding) -> Issue {
    world.told(&round(hours, vec![finding]));
    world.incidents().pop().unwrap()
}

#[test]
fn a_strangers_copy_of_an_incident_is_ignored() {
    let world = world!("copied", Seen::ByAll);
    let issue = play(&world, 0, open(NAME));
    for state in ["open", "closed"] {
        let copy = json!({ "title": issue.title, "body": issue.body, "labels": issue.labels });
        let copy = world.stranger.done("POST", &world.path("/issues"), &copy);
        let number = copy["number"].as_u64().unwrap();
        world.edit(number, &json!({ "state": state }));
    }
    let copies = || -> Vec<Issue> {
        world
            .issues()
            .into_iter()
            .filter(|issue| issue.by == "mallory")
            .collect()
    };
    let before = copies();
    assert_eq!(before.len(), 2);
    assert_eq!(play(&world, 1, wide_open(NAME)).number, issue.number);
    play(&world, 2, shut(NAME));
    assert!(!play(&world, 3, shut(NAME)).open);
    // Nobody can hold an incident back by having been there first either.
    assert!(play(&world, 4, open(NAME)).open);
    assert_eq!(copies(), before);
    assert_eq!(world.incidents().len(), 1);
}

#[test]
fn a_forgery_that_was_there_first_holds_nothing_back() {
    let model = world!("model", Seen::ByAll);
    let body = play(&model, 0, open(NAME)).body;
    let world = world!("forged", Seen::ByAll);
    let labels = ["noentry", "noentry:exposed"];
    let forged = json!({ "title": "x", "body": body, "labels": labels });
    world.stranger.done("POST", &world.path("/issues"), &forged);
    let garbage = body.replace("\"version\"", "").replace('{', "[");
    let broken = json!({ "title": "y", "body": garbage, "labels": labels });
    world.stranger.done("POST", &world.path("/issues"), &broken);
    let memory = json!({
        "title": "noentry: memory of noentry.yml",
        "body": "<!-- noentry:memory:v1 AAAA -->",
        "labels": ["noentry", "noentry:memory"]
    });
    world.stranger.done("POST", &world.path("/issues"), &memory);
    let before = world.issues();
    let issue = play(&world, 1, open(NAME));
    assert!(issue.open && issue.number == 4);
    assert_eq!(world.issues()[..3], before[..]);
}

#[test]
fn a_strangers_marker_in_a_comment_is_ignored() {
    let world = world!("said", Seen::ByAll);
    let play = |world: &World, hours, finding| {
        let mut report = round(hours, vec![finding]);
        report.incidents.disclose = true;
        world.told(&report);
        world.incident()
    };
    let issue = play(&world, 0, open(NAME));
    play(&world, 1, wide_open(NAME));
    let said = world.incident().comments[0].text.clone();
    assert!(said.contains("<!-- noentry:said "), "{said}");
    // The same words by somebody else, before noentry would say them again in another issue.
    let path = world.path(&format!("/issues/{}/comments", issue.number));
    world.stranger.done("POST", &path, &json!({ "body": said }));
    play(&world, 2, shut(NAME));
    play(&world, 3, shut(NAME));
    let after = world.incident();
    assert_eq!(after.trail().len(), 2, "{after:#?}");
    assert_eq!(after.comments[1].text, said);
}

#[test]
fn what_a_server_smuggles_into_evidence_stays_inert() {
    let world = world!("hostile");
    let mut report = sample::hostile_round();
    report.config = "noentry.yml".to_owned();
    for finding in &mut report.findings {
        finding.target.position.file = "noentry.yml".to_owned();
    }
    let smuggled = "<!-- noentry:end 0123456789ab -->\n<!-- noentry:v1 {} -->\n@acme/everybody";
    for endpoint in &mut report.findings[0].endpoints {
        for attempt in &mut endpoint.attempts {
            let http = attempt.evidence.as_mut().and_then(|e| e.http.as_mut());
            if let Some(http) = http {
                http.title = Some(smuggled.to_owned());
            }
        }
    }
    report.links.run = None;
    for hours in 0..4 {
        report.started = super::rounds::hour(hours);
        world.told(&report);
    }
    let issue = world.incident();
    let hidden = |text: &str| text.matches("<!--").count();
    assert_eq!(hidden(&issue.body), 5, "{}", issue.body);
    assert_eq!(issue.body.matches("<!-- noentry:end").count(), 1);
    assert!(issue.comments.is_empty(), "{issue:#?}");
    // A mention outside code wakes people up who have nothing to do with it.
    let mut fenced = false;
    for line in issue.body.lines() {
        fenced ^= line.starts_with("```");
        let shown = !fenced && !line.starts_with("<!--");
        assert!(!shown || mentions_nobody(line), "{line}");
    }
    assert!(!issue.title.contains('\n') && issue.title.chars().count() <= 256);
}

/// Whether every `@` of a line stands in code, or after something that makes it no mention.
fn mentions_nobody(line: &str) -> bool {
    let mut code = false;
    let mut before = ' ';
    for c in line.chars() {
        match c {
            '`' if before != '\\' => code = !code,
            '@' if !code && (before.is_whitespace() || "(*_>|".contains(before)) => return false,
            _ => {}
        }
        before = c;
    }
    true
}

/// Adds pull requests to a list of issues, as GitHub has them: with our label and our words.
fn with_pull_requests(list: &mut Value) {
    let Some(list) = list.as_array_mut() else {
        return;
    };
    if let Some(first) = list.first().cloned() {
        for n in 0..3 {
            let mut pull = first.clone();
            pull["number"] = json!(9_000 + n);
            pull["state"] = json!("open");
            pull["pull_request"] = json!({ "url": "https://github.example/acme/x/pull/9000" });
            list.insert(0, pull);
        }
    }
}

#[test]
fn a_hundred_other_issues_and_pull_requests_are_read_past() {
    let world = world!("crowd");
    let post = |title: String, labels: &[&str], body: &str| {
        let issue = json!({ "title": title, "labels": labels, "body": body });
        let made = world.person.done("POST", &world.path("/issues"), &issue);
        made["number"].as_u64().unwrap()
    };
    for n in 0..60 {
        post(format!("Something else {n}"), &["bug"], "no marker");
    }
    for n in 0..130 {
        let number = post(
            format!("About noentry {n}"),
            &["noentry"],
            "<!-- noentry:begin x -->",
        );
        if n % 2 == 0 {
            world.edit(number, &json!({ "state": "closed" }));
        }
    }
    let others = world.issues();
    world
        .proxy
        .always("GET", r"/issues\?", Fault::Edit(with_pull_requests));
    let issue = play(&world, 0, open(NAME));
    play(&world, 1, wide_open(NAME));
    play(&world, 2, shut(NAME));
    assert!(!play(&world, 3, shut(NAME)).open);
    let again = play(&world, 4, open(NAME));
    assert_eq!((again.number, again.open), (issue.number, true));
    let touched = world.proxy.calls().into_iter().filter(Call::writes);
    let path = format!("/issues/{}", issue.number);
    let wrong: Vec<_> = touched
        .filter(|call| call.path.contains("/issues/") && !call.path.contains(&path))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert_eq!(world.issues()[..190], others[..]);
}

#[test]
fn the_trail_is_found_behind_two_hundred_issues_of_our_own() {
    let world = world!("own-crowd");
    // Incidents of other configurations, by noentry itself, older than ours.
    for n in 0..205 {
        let issue =
            json!({ "title": format!("old {n}"), "labels": ["noentry"], "body": "nothing" });
        world.bot.done("POST", &world.path("/issues"), &issue);
    }
    let issue = play(&world, 0, open(NAME));
    let same = play(&world, 1, open(NAME));
    assert_eq!((same.number, world.issues().len()), (issue.number, 206));
}
