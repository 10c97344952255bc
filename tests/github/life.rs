//! The life of one incident, from its opening to its end and what comes after.

use noentry::domain::trail::Confirmation;

use super::rounds::{blind, hour, open, round, shut, waived, wide_open};
use super::world::{Issue, World, world};

const NAME: &str = "Admin console";

/// Opens an incident at hour 0.
fn opened(world: &World) -> Issue {
    let run = world.told(&round(0, vec![open(NAME), shut("Staging")]));
    assert_eq!(run.code, 1);
    assert!(run.did("opened"), "{}", run.out);
    world.incident()
}

fn play(world: &World, hours: i64, finding: noentry::domain::finding::Finding) -> Issue {
    world.told(&round(hours, vec![finding, shut("Staging")]));
    let mut incidents = world.incidents();
    incidents.pop().unwrap()
}

#[test]
fn an_exposure_opens_an_issue_for_whoever_is_woken_up() {
    let world = world!("opens");
    let issue = opened(&world);
    assert_eq!(issue.title, "Reachable from outside: Admin console");
    assert_eq!(issue.labels, ["noentry", "noentry:exposed"]);
    assert!(issue.open && issue.comments.is_empty(), "{issue:#?}");
    let first = issue
        .body
        .lines()
        .find(|line| !line.starts_with("<!--"))
        .unwrap();
    assert!(
        first.starts_with(
            "**Admin console has been reachable from outside since 2026-01-05 08:00 UTC:**"
        ),
        "{first}"
    );
    for said in [
        "nc -vz -w 5 20.1.2.1 5432",
        "(https://github.example/acme/estate/blob/0a1b2c3/noentry.yml#L11)",
        "(https://github.example/acme/estate/actions/runs/1000)",
        "20.1.2.1:5432",
    ] {
        assert!(issue.body.contains(said), "{said}: {}", issue.body);
    }
}

#[test]
fn an_incident_is_told_until_it_is_shut() {
    let world = world!("life");
    let first = opened(&world);
    // The same again: the body is new, and nobody is told.
    let same = play(&world, 1, open(NAME));
    assert!(same.comments.is_empty() && same.body != first.body);
    assert!(same.body.contains("in 2 rounds"), "{}", same.body);
    // Another address is news, once.
    let wider = play(&world, 2, wide_open(NAME));
    assert_eq!(wider.trail().len(), 1, "{wider:#?}");
    assert!(wider.trail()[0].contains("20.1.9.9"), "{wider:#?}");
    assert!(
        wider.trail()[0].contains("/actions/runs/1002"),
        "{wider:#?}"
    );
    let again = play(&world, 3, wide_open(NAME));
    assert_eq!(again.trail().len(), 1);
    // A day without a word.
    let late = play(&world, 25, open(NAME));
    assert_eq!(late.trail().len(), 1);
    let reminded = play(&world, 26, open(NAME));
    assert_eq!(reminded.trail().len(), 2);
    assert!(
        reminded.trail()[1].starts_with("still reachable"),
        "{reminded:#?}"
    );
    // Shut, unsure, and shut twice in a row.
    for (hours, finding) in [(27, shut(NAME)), (28, blind(NAME)), (29, shut(NAME))] {
        let issue = play(&world, hours, finding);
        assert!(issue.open && issue.trail().len() == 2, "{issue:#?}");
    }
    let closed = play(&world, 30, shut(NAME));
    assert_eq!(
        (closed.open, closed.reason.as_deref(), closed.trail().len()),
        (false, Some("completed"), 3)
    );
    assert!(
        closed.trail()[2].starts_with("shut since 2026-01-06 13:00 UTC"),
        "{closed:#?}"
    );
    // What is over is left alone.
    world.proxy.calls();
    assert_eq!(play(&world, 31, shut(NAME)), closed);
    let wrote = world
        .proxy
        .calls()
        .into_iter()
        .filter(super::proxy::Call::writes);
    assert_eq!(wrote.count(), 0);
}

#[test]
fn a_round_that_is_told_twice_counts_once() {
    let world = world!("twice");
    opened(&world);
    let shut = round(1, vec![shut(NAME), shut("Staging")]);
    world.told(&shut);
    let before = world.incident();
    for _ in 0..3 {
        world.told(&shut);
    }
    assert_eq!(world.incident(), before);
    assert!(before.open);
}

#[test]
fn nobody_can_tell_closes_nothing() {
    let world = world!("unsure");
    opened(&world);
    for hours in 1..=2 {
        play(&world, hours, blind(NAME));
    }
    let issue = world.incidents().remove(0);
    assert!(issue.open && issue.comments.is_empty());
    assert!(
        issue
            .body
            .contains("**Since 2026-01-05 09:00 UTC nobody can tell"),
        "{}",
        issue.body
    );
}

#[test]
fn an_incident_goes_on_within_a_week_and_another_follows_after() {
    let world = world!("again");
    opened(&world);
    for hours in [1, 2] {
        play(&world, hours, shut(NAME));
    }
    assert!(!world.incident().open);
    let again = play(&world, 2 + 7 * 24, open(NAME));
    assert_eq!((again.number, again.open), (world.incident().number, true));
    assert!(again.trail()[1].starts_with("open again"), "{again:#?}");
    for hours in [3, 4] {
        play(&world, hours + 7 * 24, shut(NAME));
    }
    let old = world.incident();
    let new = play(&world, 5 + 14 * 24, open(NAME));
    assert_eq!(world.incidents().len(), 2);
    assert!(new.open && new.number > old.number);
    assert!(
        new.body.contains(&format!(
            "| the incident before | {}#{} |",
            world.repo, old.number
        )) || new
            .body
            .contains(&format!("| the incident before | #{} |", old.number)),
        "{}",
        new.body
    );
    assert_eq!(world.incidents()[0], old);
}

#[test]
fn flapping_is_one_incident_with_a_note() {
    let world = world!("flaps");
    let mut hours = 0;
    for _ in 0..6 {
        play(&world, hours, open(NAME));
        play(&world, hours + 1, shut(NAME));
        play(&world, hours + 2, shut(NAME));
        hours += 3;
    }
    let issue = world.incident();
    assert!(!issue.open);
    assert!(
        issue.body.contains("It opens and shuts again and again"),
        "{}",
        issue.body
    );
    // Three openings are told, the fourth says that it flaps, the rest is silence.
    assert_eq!(issue.trail().len(), 6, "{issue:#?}");
    assert!(
        issue.trail()[5].contains("for the 4th time within a day"),
        "{issue:#?}"
    );
}

#[test]
fn what_is_gone_from_the_configuration_is_a_persons_to_close() {
    let world = world!("orphan");
    opened(&world);
    for hours in [1, 2] {
        world.told(&round(hours, vec![shut("Staging")]));
    }
    let issue = world.incident();
    assert!(
        issue.open && issue.labels.contains(&"noentry:orphaned".to_owned()),
        "{issue:#?}"
    );
    assert_eq!(issue.trail().len(), 1);
    assert!(
        issue.trail()[0].contains("gone from the configuration"),
        "{issue:#?}"
    );
    // Some targets alone say nothing of the others.
    let back = play(&world, 3, open(NAME));
    assert!(
        !back.labels.contains(&"noentry:orphaned".to_owned()),
        "{back:#?}"
    );
    assert!(
        back.trail()[1].contains("back in the configuration"),
        "{back:#?}"
    );
    let mut some = round(4, vec![shut("Staging")]);
    some.partial = true;
    world.told(&some);
    assert_eq!(world.incident(), back);
}

#[test]
fn a_waived_exposure_has_no_incident_until_its_waiver_ends() {
    let world = world!("waived");
    let run = world.told(&round(0, vec![waived(open(NAME), 0, "2026-01-07")]));
    assert_eq!((run.code, world.incidents().len()), (0, 0));
    play(&world, 3 * 24, waived(open(NAME), 3 * 24, "2026-01-07"));
    assert!(world.incident().open);
    // One that is accepted later stays open, and reminds nobody.
    for hours in [73, 100, 130] {
        play(&world, hours, waived(open(NAME), hours, "2026-12-31"));
    }
    let issue = world.incident();
    assert!(issue.open);
    assert_eq!(issue.trail().len(), 1, "{issue:#?}");
    assert!(
        issue.trail()[0].contains("waived from now on"),
        "{issue:#?}"
    );
    assert_eq!(hour(72).date().to_string(), "2026-01-08");
}

#[test]
fn an_exposure_that_was_not_seen_again_opens_nothing() {
    let world = world!("unconfirmed");
    let unconfirmed = || {
        let mut finding = open(NAME);
        finding.confirmation = Some(Confirmation { asked: 2, seen: 1 });
        finding
    };
    let run = world.told(&round(0, vec![unconfirmed()]));
    assert_eq!((run.code, world.incidents().len()), (1, 0));
    assert!(run.out.contains(NAME), "{}", run.out);
    // What is open already goes on.
    play(&world, 1, open(NAME));
    let issue = play(&world, 2, unconfirmed());
    assert!(
        issue.open && issue.body.contains("in 2 rounds"),
        "{}",
        issue.body
    );
}

#[test]
fn two_configurations_keep_apart_what_they_call_the_same() {
    let world = world!("two");
    let other = |hours, finding| {
        let mut report = round(hours, vec![finding]);
        report.config = "other/noentry.yml".to_owned();
        report.findings[0].target.position.file = report.config.clone();
        world.told(&report)
    };
    play(&world, 0, open(NAME));
    other(1, open(NAME));
    assert_eq!(world.incidents().len(), 2);
    for hours in [2, 3] {
        other(hours, shut(NAME));
    }
    let open: Vec<bool> = world.incidents().iter().map(|issue| issue.open).collect();
    assert_eq!(open, [true, false]);
}
