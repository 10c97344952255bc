//! What people do to incidents between rounds, and what follows.

use noentry::incident::state::Kind;
use noentry::incident::{Held, Round, Standing, Subject};

use super::support::{blocked, exposed, round, subject, unsure};
use super::tracker::Tracker;
use noentry::domain::verdict::Verdict;

fn one(hours: i64, subject: Subject) -> Round {
    round(hours, vec![subject])
}

/// A tracker with one open issue, and what a person then did to it.
fn opened_and(standing: Standing) -> Tracker {
    let mut tracker = Tracker::default();
    assert_eq!(tracker.play(&one(0, exposed("a"))), ["opened"]);
    tracker.person(1, standing);
    tracker
}

fn last_comment(tracker: &Tracker, number: usize) -> &str {
    let comments = &tracker.issues[number - 1].comments;
    comments.last().unwrap().lines().next().unwrap()
}

#[test]
fn closed_as_done_while_it_is_reachable_is_opened_again() {
    let mut tracker = opened_and(Standing::Closed);
    assert_eq!(tracker.play(&one(1, exposed("a"))), ["reopened"]);
    assert_eq!(tracker.standings(), [Standing::Open]);
    assert_eq!(
        last_comment(&tracker, 1),
        "open again, because a person closed it while it was still reachable: HTTP 200 at `192.0.2.1:443`"
    );
    // It was open all the time.
    let state = tracker.state(1);
    assert_eq!((state.opened, state.rounds), (state.first_seen, 2));
    assert_eq!(state.openings.len(), 1);
    assert_eq!(tracker.play(&one(2, exposed("a"))), ["updated"]);
}

#[test]
fn closed_as_done_and_seen_shut_is_over_at_once() {
    let mut tracker = opened_and(Standing::Closed);
    assert_eq!(tracker.play(&one(1, blocked("a"))), ["commented"]);
    assert_eq!(tracker.standings(), [Standing::Closed]);
    assert_eq!(
        last_comment(&tracker, 1),
        "closed by a person; shut since 2026-01-05 09:00 UTC: firewall is silent"
    );
    assert!(!tracker.state(1).open);
    assert_eq!(tracker.play(&one(2, blocked("a"))), [""; 0]);
    assert_eq!(tracker.play(&one(3, exposed("a"))), ["reopened"]);
    assert!(last_comment(&tracker, 1).starts_with("open again: "));
}

#[test]
fn closed_as_done_when_nobody_can_tell_stays_closed_and_says_so() {
    let mut tracker = opened_and(Standing::Closed);
    assert_eq!(tracker.play(&one(1, unsure("a"))), ["updated"]);
    assert_eq!(tracker.standings(), [Standing::Closed]);
    assert!(!tracker.state(1).open);
    let body = &tracker.issues[0].body;
    assert!(body.contains("**A person closed this"), "{body}");
    assert!(
        body.contains("nobody can tell since 2026-01-05 09:00 UTC whether it still is"),
        "{body}"
    );
    assert_eq!(tracker.play(&one(2, unsure("a"))), [""; 0]);
    assert_eq!(tracker.play(&one(3, exposed("a"))), ["reopened"]);
    assert!(
        last_comment(&tracker, 1).contains("not seen shut since a person closed it"),
        "{}",
        last_comment(&tracker, 1)
    );
}

#[test]
fn closed_as_done_while_it_is_waived_stays_closed() {
    let mut tracker = opened_and(Standing::Closed);
    let mut waived = exposed("a");
    waived.waived = true;
    assert_eq!(tracker.play(&one(1, waived.clone())), ["updated"]);
    assert_eq!(tracker.standings(), [Standing::Closed]);
    assert_eq!(tracker.play(&one(2, waived)), [""; 0]);
    assert_eq!(tracker.play(&one(3, exposed("a"))), ["reopened"]);
}

#[test]
fn closed_as_done_after_it_left_the_configuration_is_over() {
    let mut tracker = Tracker::default();
    tracker.play(&round(0, vec![exposed("a"), blocked("b")]));
    assert_eq!(tracker.play(&one(1, blocked("b"))), ["commented"]);
    tracker.person(1, Standing::Closed);
    assert_eq!(tracker.play(&one(2, blocked("b"))), ["updated"]);
    assert!(!tracker.state(1).open);
    assert_eq!(tracker.play(&one(3, blocked("b"))), [""; 0]);
    // And opened again by a person, it is an orphan again, told once.
    tracker.person(1, Standing::Open);
    assert_eq!(tracker.play(&one(4, blocked("b"))), ["commented"]);
    assert_eq!(tracker.play(&one(5, blocked("b"))), [""; 0]);
    let both = round(6, vec![exposed("a"), blocked("b")]);
    assert_eq!(tracker.play(&both), ["commented"]);
    assert_eq!(tracker.standings(), [Standing::Open]);
}

#[test]
fn opened_again_by_a_person_it_counts_anew() {
    let mut tracker = opened_and(Standing::Open);
    tracker.play(&one(1, blocked("a")));
    assert_eq!(tracker.play(&one(2, blocked("a"))), ["closed"]);
    tracker.person(1, Standing::Open);
    assert_eq!(tracker.play(&one(3, blocked("a"))), ["commented"]);
    assert_eq!(last_comment(&tracker, 1), "a person opened it again");
    assert!(tracker.state(1).open);
    let body = &tracker.issues[0].body;
    assert!(
        body.contains(
            "It was opened again at 2026-01-05 11:00 UTC, last seen reachable at 2026-01-05 08:00"
        ),
        "{body}"
    );
    assert_eq!(tracker.play(&one(4, blocked("a"))), ["closed"]);
    tracker.person(1, Standing::Open);
    tracker.play(&one(5, unsure("a")));
    assert_eq!(tracker.play(&one(6, exposed("a"))), ["commented"]);
    // Since it was seen, not since the person's click.
    assert_eq!(tracker.state(1).opened, super::support::hour(6));
}

#[test]
fn what_a_person_does_not_want_is_held_until_it_was_seen_shut() {
    let mut tracker = opened_and(Standing::Dismissed);
    let held = [Held {
        name: "a".to_owned(),
        place: "acme/trail#1".to_owned(),
    }];
    for (at, deeds) in [(1, vec!["updated"]), (2, vec![]), (300, vec![])] {
        let told = tracker.tell(&one(at, exposed("a")));
        assert_eq!(told.problems, []);
        assert_eq!(told.held, held);
        let done: Vec<_> = told.done.iter().map(|(deed, _, _)| deed.as_str()).collect();
        assert_eq!(done, deeds);
    }
    assert_eq!(tracker.standings(), [Standing::Dismissed]);
    assert!(!tracker.state(1).dismissal.unwrap().over);
    assert!(
        tracker.issues[0].comments.len() == 1,
        "{:?}",
        tracker.issues[0].comments
    );
    assert_eq!(tracker.play(&one(301, unsure("a"))), [""; 0]);
    assert_eq!(tracker.play(&one(302, blocked("a"))), ["updated"]);
    assert!(tracker.state(1).dismissal.unwrap().over);
    assert_eq!(tracker.play(&one(303, blocked("a"))), [""; 0]);
    // The next exposure is a new incident, however lately the old one was closed.
    let told = tracker.tell(&one(304, exposed("a")));
    assert_eq!(told.held, []);
    assert_eq!(tracker.standings(), [Standing::Dismissed, Standing::Open]);
    assert_eq!(tracker.state(2).previous.as_deref(), Some("acme/trail#1"));
    assert!(tracker.issues[1].body.contains("| acme/trail#1 |"));
}

#[test]
fn seen_shut_in_the_round_that_notices_it_is_enough() {
    let mut tracker = opened_and(Standing::Dismissed);
    assert_eq!(tracker.play(&one(1, blocked("a"))), ["updated"]);
    assert!(tracker.state(1).dismissal.unwrap().over);
    assert_eq!(tracker.play(&one(2, exposed("a"))), ["opened"]);
}

#[test]
fn a_dismissed_one_that_a_person_opens_again_is_open() {
    let mut tracker = opened_and(Standing::Dismissed);
    tracker.play(&one(1, exposed("a")));
    tracker.person(1, Standing::Open);
    let told = tracker.tell(&one(2, exposed("a")));
    assert_eq!((told.held.len(), told.done[0].0.as_str()), (0, "commented"));
    let state = tracker.state(1);
    assert!(state.open && state.dismissal.is_none());
    // Nobody saw it shut in between.
    assert_eq!(state.opened, state.first_seen);
}

#[test]
fn an_old_one_that_is_tidied_up_holds_nothing() {
    let mut tracker = opened_and(Standing::Open);
    for at in [1, 2] {
        tracker.play(&one(at, blocked("a")));
    }
    tracker.play(&one(300, exposed("a")));
    for at in [301, 302] {
        tracker.play(&one(at, blocked("a")));
    }
    tracker.person(1, Standing::Dismissed);
    assert_eq!(tracker.play(&one(303, exposed("a"))), ["reopened"]);
    assert_eq!(tracker.standings(), [Standing::Dismissed, Standing::Open]);
}

#[test]
fn of_two_that_tell_the_same_the_older_stays() {
    let mut tracker = opened_and(Standing::Open);
    tracker.race(1);
    tracker.race(1);
    let mut deeds = tracker.play(&one(1, exposed("a")));
    deeds.sort_unstable();
    assert_eq!(deeds, ["closed", "closed", "updated"]);
    assert_eq!(
        tracker.standings(),
        [Standing::Open, Standing::Closed, Standing::Closed]
    );
    assert_eq!(
        last_comment(&tracker, 3),
        "closed: the same incident is kept at acme/trail#1"
    );
    assert_eq!(
        tracker.state(3).duplicate_of.as_deref(),
        Some("acme/trail#1")
    );
    for at in [2, 3] {
        tracker.play(&one(at, blocked("a")));
    }
    // What goes on is the one that has the story.
    assert_eq!(tracker.play(&one(4, exposed("a"))), ["reopened"]);
    assert_eq!(tracker.standings()[0], Standing::Open);
    // A target that is gone leaves no two either.
    tracker.race(1);
    let mut deeds = tracker.play(&one(5, blocked("b")));
    deeds.sort_unstable();
    assert_eq!(deeds, ["closed", "commented"]);
}

#[test]
fn what_was_not_seen_again_opens_nothing() {
    let mut tracker = Tracker::default();
    let mut fleeting = exposed("a");
    fleeting.confirmed = false;
    let told = tracker.tell(&one(0, fleeting.clone()));
    assert_eq!(
        (told.done, told.unconfirmed),
        (vec![], vec!["a".to_owned()])
    );
    tracker.play(&one(1, exposed("a")));
    // What is open goes on as exposed.
    tracker.play(&one(2, blocked("a")));
    assert_eq!(tracker.play(&one(3, fleeting.clone())), ["updated"]);
    assert_eq!(tracker.state(1).shut, None);
    // What a person closed waits for a round that is sure.
    tracker.person(1, Standing::Closed);
    let told = tracker.tell(&one(4, fleeting.clone()));
    assert_eq!((told.done, told.unconfirmed.len()), (vec![], 1));
    assert_eq!(tracker.play(&one(5, exposed("a"))), ["reopened"]);
    for at in [6, 7] {
        tracker.play(&one(at, blocked("a")));
    }
    let told = tracker.tell(&one(8, fleeting));
    assert_eq!((told.done, told.unconfirmed.len()), (vec![], 1));
}

fn doors(hours: i64, verdict: impl Fn(usize) -> Verdict) -> Round {
    let subjects = (0..12).map(|n| subject(&format!("t{n}"), verdict(n)));
    round(hours, subjects.collect())
}

#[test]
fn a_mass_incident_that_a_person_closed_or_did_not_want() {
    let mut tracker = Tracker::default();
    let all = |_| Verdict::Exposed;
    let none = |_| Verdict::Blocked;
    let but_one = |n| {
        if n == 0 {
            Verdict::Exposed
        } else {
            Verdict::Blocked
        }
    };
    assert_eq!(tracker.play(&doors(0, all)), ["opened"]);
    assert_eq!(tracker.state(1).kind, Kind::Mass);
    tracker.person(1, Standing::Closed);
    assert_eq!(tracker.play(&doors(1, but_one)), ["reopened"]);
    assert!(last_comment(&tracker, 1).starts_with("a person closed it while 1 target of it"));
    tracker.person(1, Standing::Closed);
    assert_eq!(tracker.play(&doors(2, none)), ["commented"]);
    assert_eq!(
        last_comment(&tracker, 1),
        "closed by a person; all of them are shut"
    );
    assert!(!tracker.state(1).open);
    // Not wanted: each target is held until it was seen blocked once.
    assert_eq!(tracker.play(&doors(3, all)), ["opened"]);
    tracker.person(2, Standing::Dismissed);
    let told = tracker.tell(&doors(4, all));
    assert_eq!((told.done.len(), told.held.len()), (1, 12));
    assert_eq!(told.held[0].place, "acme/trail#2");
    assert_eq!(tracker.play(&doors(5, all)), [""; 0]);
    assert_eq!(tracker.play(&doors(6, but_one)), ["updated"]);
    let told = tracker.tell(&doors(7, |n| {
        if n < 2 {
            Verdict::Exposed
        } else {
            Verdict::Blocked
        }
    }));
    assert_eq!(told.held.len(), 1);
    assert_eq!(told.done[0].2, "Reachable from outside: t1");
    tracker.play(&doors(8, none));
    assert!(tracker.state(2).dismissal.unwrap().over);
    assert_eq!(tracker.standings()[1], Standing::Dismissed);
}

#[test]
fn a_blind_incident_that_a_person_closed_or_did_not_want() {
    let mut tracker = Tracker::default();
    for at in 0..3 {
        tracker.play(&one(at, unsure("a")));
    }
    assert_eq!(tracker.standings(), [Standing::Open]);
    tracker.person(1, Standing::Closed);
    assert_eq!(tracker.play(&one(3, unsure("a"))), ["reopened"]);
    tracker.person(1, Standing::Closed);
    assert_eq!(tracker.play(&one(4, blocked("a"))), ["commented"]);
    for at in 5..8 {
        tracker.play(&one(at, unsure("a")));
    }
    assert_eq!(tracker.standings(), [Standing::Open]);
    tracker.person(1, Standing::Dismissed);
    assert_eq!(tracker.play(&one(8, unsure("a"))), ["updated"]);
    assert_eq!(tracker.play(&one(9, unsure("a"))), [""; 0]);
    assert_eq!(tracker.play(&one(10, blocked("a"))), ["updated"]);
    for at in 11..14 {
        tracker.play(&one(at, unsure("a")));
    }
    // A new one: what was not wanted is never opened again.
    assert_eq!(tracker.standings(), [Standing::Dismissed, Standing::Open]);
}

#[test]
fn a_blind_incident_that_is_not_wanted_outlasts_the_memory() {
    let mut tracker = Tracker::default();
    for at in 0..3 {
        tracker.play(&one(at, unsure("a")));
    }
    tracker.person(1, Standing::Dismissed);
    tracker.play(&one(3, unsure("a")));
    tracker.memory.clear();
    for at in 4..8 {
        assert_eq!(tracker.play(&one(at, unsure("a"))), [""; 0]);
    }
    assert!(!tracker.state(1).dismissal.unwrap().over);
    assert_eq!(tracker.play(&one(8, exposed("a"))), ["opened", "updated"]);
}
