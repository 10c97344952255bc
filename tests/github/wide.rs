//! Incidents about several targets: many at once, and noentry's own blindness.

use noentry::domain::finding::Finding;
use noentry::domain::report::RoundReport;

use super::rounds::{self, blind, open, round, shut};
use super::world::{Seen, World, world};

fn many(hours: i64, number: usize, state: fn(&str) -> Finding) -> RoundReport {
    let names = (1..=number).map(|n| format!("Service {n:03} of the shop"));
    round(hours, names.map(|name| state(&name)).collect())
}

/// Opens one incident for so many, shuts all but one, then that.
fn mass(world: &World, number: usize) {
    let run = world.told(&many(0, number, open));
    assert_eq!(run.code, 1);
    let issue = world.incident();
    assert_eq!(
        issue.title,
        format!("Reachable from outside: {number} targets")
    );
    assert!(issue.body.len() <= 65_536, "{}", issue.body.len());
    assert!(
        issue
            .body
            .contains("| target | state | since | what was seen |")
    );
    assert!(issue.body.contains("Service 001 of the shop"));
    let mut last = many(1, number, shut);
    last.findings[0] = open("Service 001 of the shop");
    for hours in [1, 2] {
        last.started = rounds::hour(hours);
        let last = RoundReport {
            started: rounds::hour(hours),
            ..rounds::round(hours, last.findings.clone())
        };
        world.told(&last);
    }
    let issue = world.incident();
    assert!(issue.open, "{issue:#?}");
    assert!(
        issue.body.contains(&format!("**1 of {number} targets")),
        "{}",
        issue.body
    );
    for hours in [3, 4] {
        world.told(&many(hours, number, shut));
    }
    let issue = world.incident();
    assert_eq!(
        (issue.open, issue.reason.as_deref()),
        (false, Some("completed"))
    );
    assert!(issue.comments.len() <= 4, "{:#?}", issue.comments);
}

#[test]
fn twelve_at_once_are_one_issue() {
    let world = world!("twelve");
    mass(&world, 12);
}

#[test]
fn three_hundred_at_once_are_one_issue() {
    let world = world!("three-hundred");
    mass(&world, 300);
}

#[test]
fn ten_at_once_are_ten_issues() {
    let world = world!("ten");
    world.told(&many(0, 10, open));
    let incidents = world.incidents();
    assert_eq!(incidents.len(), 10);
    assert!(incidents.iter().all(|issue| issue.open));
    // Each of them is told of its own end.
    for hours in [1, 2] {
        world.told(&many(hours, 10, shut));
    }
    assert!(
        world
            .incidents()
            .iter()
            .all(|i| !i.open && i.trail().len() == 1)
    );
}

#[test]
fn noentrys_own_blindness_is_an_issue_until_it_sees_again() {
    let world = world!("blind");
    let round =
        |hours, state: fn(&str) -> Finding| round(hours, vec![state("Staging"), shut("Other")]);
    for hours in [0, 1] {
        let run = world.told(&round(hours, blind));
        assert_eq!((run.code, world.incidents().len()), (3, 0));
    }
    // What is counted between incidents is kept in an issue that bothers nobody.
    let memory = |world: &World| {
        let mut issues = world.issues();
        issues.retain(|issue| issue.labels.iter().any(|l| l == "noentry:memory"));
        assert_eq!(issues.len(), 1);
        issues.remove(0)
    };
    let kept = memory(&world);
    assert!(
        !kept.open && kept.title == "noentry: memory of noentry.yml",
        "{kept:#?}"
    );
    assert!(kept.labels.contains(&"noentry".to_owned()));
    world.told(&round(2, blind));
    let issue = world.incident();
    assert!(
        issue.open && issue.title == "noentry cannot see",
        "{issue:#?}"
    );
    assert!(issue.body.contains("Staging"), "{}", issue.body);
    world.told(&round(3, shut));
    let issue = world.incident();
    assert_eq!(
        (issue.open, issue.reason.as_deref()),
        (false, Some("completed"))
    );
    // Nothing is written where nothing has to be remembered.
    world.told(&round(4, shut));
    world.proxy.calls();
    world.told(&round(5, shut));
    let calls = world.proxy.calls();
    assert!(!calls.iter().any(super::proxy::Call::writes), "{calls:#?}");
    assert!(!memory(&world).open);
}

#[test]
fn a_memory_that_a_person_opens_or_empties_does_no_harm() {
    let world = world!("memory", Seen::ByFew);
    let blinded = |hours| round(hours, vec![blind("Staging"), shut("Other")]);
    world.told(&blinded(0));
    let number = world.issues()[0].number;
    world.edit(
        number,
        &serde_json::json!({ "state": "open", "body": "what is this?" }),
    );
    world.play(&blinded(1));
    for hours in 2..6 {
        world.play(&blinded(hours));
    }
    let seen = world.incidents();
    let open: Vec<_> = seen.iter().filter(|issue| issue.open).collect();
    assert_eq!(open.len(), 1, "{open:#?}");
    assert_eq!(open[0].title, "noentry cannot see");
}
