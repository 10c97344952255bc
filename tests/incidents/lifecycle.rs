//! Row by row.

use noentry::incident::state::Kind;
use noentry::incident::{Incident, Round};
use tempfile::TempDir;

use super::support::{blocked, deeds, exposed, known, open, part, play, round, subject, unsure};
use noentry::domain::verdict::Verdict;

/// A folder after these rounds.
fn after(rounds: &[Round]) -> TempDir {
    let folder = TempDir::new().unwrap();
    for round in rounds {
        deeds(&play(folder.path(), round));
    }
    folder
}

fn timeline(folder: &TempDir, place: &str) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path().join(place)).unwrap();
    let lines = text.lines().filter_map(|l| l.strip_prefix("- **"));
    lines.map(str::to_owned).collect()
}

fn only(folder: &TempDir) -> Incident {
    let mut incidents = known(folder.path()).incidents;
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    incidents.remove(0)
}

#[test]
fn without_an_incident_only_an_exposure_opens_one() {
    let folder = after(&[round(0, vec![blocked("a"), unsure("b")])]);
    assert_eq!(known(folder.path()).incidents, []);
    let told = play(folder.path(), &round(1, vec![exposed("a"), blocked("b")]));
    assert_eq!(deeds(&told), ["opened"]);
    assert_eq!(told.done[0].2, "Reachable from outside: a");
    assert_eq!(open(folder.path()).name, "a");
}

#[test]
fn a_waived_exposure_opens_none() {
    let mut waived = exposed("a");
    waived.waived = true;
    let folder = after(&[round(0, vec![waived.clone()])]);
    assert_eq!(known(folder.path()).incidents, []);
    // One that is open stays so, and nobody is reminded.
    play(folder.path(), &round(1, vec![exposed("a")]));
    let told = |hours| deeds(&play(folder.path(), &round(hours, vec![waived.clone()])));
    assert_eq!(told(2), ["commented"]);
    assert_eq!(told(30), ["updated"]);
    let told = play(folder.path(), &round(31, vec![exposed("a")]));
    assert_eq!(deeds(&told), ["commented"]);
}

#[test]
fn while_it_is_exposed_a_comment_says_what_is_new_or_reminds() {
    let folder = after(&[round(0, vec![exposed("a")])]);
    let told = |hours, parts| {
        let mut subject = exposed("a");
        subject.parts = parts;
        deeds(&play(folder.path(), &round(hours, vec![subject])))[0]
    };
    let first = || part("TCP 192.0.2.1:443", "served status 200");
    let second = || part("TCP 192.0.2.2:443", "served status 200");
    assert_eq!(told(1, vec![first()]), "updated");
    assert_eq!(told(2, vec![first(), second()]), "commented");
    assert_eq!(told(3, vec![second()]), "updated");
    assert_eq!(told(4, vec![first()]), "updated");
    let denied = part("TCP 192.0.2.1:443", "connected");
    assert_eq!(told(5, vec![denied]), "commented");
    assert_eq!(told(6, vec![first()]), "updated");
    // A day after the last comment.
    assert_eq!(told(28, vec![first()]), "updated");
    assert_eq!(told(29, vec![first()]), "commented");
    assert_eq!(told(30, vec![first()]), "updated");
    let incident = only(&folder);
    assert_eq!(incident.state.rounds, 10);
    let lines = timeline(&folder, &incident.place);
    assert_eq!(lines.len(), 4, "{lines:#?}");
    assert!(lines[1].contains("`TCP 192.0.2.2:443` is open too"));
    assert!(lines[2].contains("something new at `TCP 192.0.2.1:443`"));
    assert!(
        lines[3].contains("still reachable: since 2026-01-05 08:00 UTC, seen in 9 rounds so far")
    );
}

#[test]
fn two_conclusive_blocked_rounds_in_a_row_close() {
    let folder = after(&[round(0, vec![exposed("a")])]);
    let told = |hours, verdict| {
        let subject = subject("a", verdict);
        deeds(&play(folder.path(), &round(hours, vec![subject]))).join(" ")
    };
    assert_eq!(told(1, Verdict::Blocked), "updated");
    // Something between them begins the row anew.
    assert_eq!(told(2, Verdict::Exposed), "updated");
    assert_eq!(told(3, Verdict::Blocked), "updated");
    assert_eq!(told(4, Verdict::Inconclusive), "updated");
    assert_eq!(told(5, Verdict::Blocked), "updated");
    assert_eq!(told(6, Verdict::Blocked), "closed");
    assert_eq!(told(7, Verdict::Blocked), "");
    let incident = only(&folder);
    let lines = timeline(&folder, &incident.place);
    assert_eq!(
        lines.last().unwrap(),
        "2026-01-05 14:00 UTC** shut since 2026-01-05 13:00 UTC: firewall is silent"
    );
}

#[test]
fn a_report_that_is_played_twice_counts_once() {
    let folder = after(&[round(0, vec![exposed("a")]), round(1, vec![blocked("a")])]);
    for hours in [1, 0, 1] {
        let told = play(folder.path(), &round(hours, vec![blocked("a")]));
        assert_eq!((told.done, told.stale), (vec![], 1));
    }
    assert!(only(&folder).state.open);
}

#[test]
fn a_clock_that_was_ahead_hides_no_exposure_behind_an_incident_about_many() {
    let many = |first: u32, verdict| -> Vec<_> {
        let names = (first..first + 11).map(|at| format!("t{at:02}"));
        names.map(|name| subject(&name, verdict)).collect()
    };
    let all = |hours, first, second| {
        let mut subjects = many(0, first);
        subjects.extend(many(11, second));
        round(hours, subjects)
    };
    let folder = after(&[all(1_000, Verdict::Exposed, Verdict::Blocked)]);
    let late = |subjects: &Round| {
        let told = play(folder.path(), subjects);
        (told.done, told.stale)
    };
    // Eleven are in the incident, and eleven more have none.
    let open = all(1, Verdict::Exposed, Verdict::Exposed);
    assert_eq!(late(&open), (vec![], 22));
    let shut = all(2, Verdict::Blocked, Verdict::Blocked);
    assert_eq!(late(&shut), (vec![], 11));
    // A round of some that ended late, while one of others went on, is nobody's mistake.
    let some = Round {
        complete: false,
        ..all(3, Verdict::Blocked, Verdict::Blocked)
    };
    assert_eq!(late(&some), (vec![], 0));
    let told = play(
        folder.path(),
        &all(1_001, Verdict::Exposed, Verdict::Exposed),
    );
    assert_eq!((deeds(&told), told.stale), (vec!["commented"], 0));
    assert_eq!(only(&folder).state.members.len(), 22);
}

#[test]
fn a_clock_that_was_ahead_leaves_no_blindness_untold() {
    let folder = after(&[round(1_000, vec![unsure("a"), blocked("b")])]);
    for hours in 1..4 {
        let told = play(
            folder.path(),
            &round(hours, vec![unsure("a"), blocked("b")]),
        );
        assert_eq!((told.done, told.stale), (vec![], 1));
    }
    let told = play(folder.path(), &round(4, vec![blocked("a"), blocked("b")]));
    assert_eq!((told.done, told.stale), (vec![], 0));
}

#[test]
fn what_cannot_be_judged_never_closes() {
    let folder = after(&[round(0, vec![exposed("a")])]);
    for hours in 1..3 {
        assert_eq!(
            deeds(&play(folder.path(), &round(hours, vec![unsure("a")]))),
            ["updated"]
        );
    }
    let incident = only(&folder);
    assert!(incident.state.open);
    let text = std::fs::read_to_string(folder.path().join(&incident.place)).unwrap();
    assert!(
        text.contains("Since 2026-01-05 09:00 UTC nobody can tell whether"),
        "{text}"
    );
    // What was seen when it was seen last is still there.
    assert!(text.contains("nc -vz"), "{text}");
}

#[test]
fn within_a_week_it_is_opened_again_and_later_a_new_one_links_the_old() {
    let gone = [
        round(0, vec![exposed("a")]),
        round(1, vec![blocked("a")]),
        round(2, vec![blocked("a")]),
    ];
    let folder = after(&gone);
    assert_eq!(
        deeds(&play(folder.path(), &round(2 + 7 * 24, vec![exposed("a")]))),
        ["reopened"]
    );
    assert_eq!(
        open(folder.path()).stopped_before.as_deref(),
        Some("firewall is silent")
    );
    let folder = after(&gone);
    let told = play(folder.path(), &round(3 + 7 * 24, vec![exposed("a")]));
    assert_eq!(deeds(&told), ["opened"]);
    let state = open(folder.path());
    assert_eq!(state.number, 2);
    let first = format!("a-{}.md", state.fingerprint.short());
    assert_eq!(state.previous.as_deref(), Some(first.as_str()));
    let text = std::fs::read_to_string(&told.done[0].1).unwrap();
    assert!(told.done[0].1.ends_with("-2.md"));
    assert!(text.contains(&format!("]({first})")), "{text}");
}

#[test]
fn a_target_that_is_gone_is_told_once_and_stays_open() {
    let folder = after(&[round(0, vec![exposed("a"), blocked("b")])]);
    let without = |hours| round(hours, vec![blocked("b")]);
    // Only some targets were looked at.
    let mut some = without(1);
    some.complete = false;
    assert_eq!(deeds(&play(folder.path(), &some)), [""; 0]);
    // Somebody else's configuration.
    let mut other = without(1);
    other.config = "other.yml".to_owned();
    assert_eq!(deeds(&play(folder.path(), &other)), [""; 0]);
    assert_eq!(deeds(&play(folder.path(), &without(2))), ["commented"]);
    assert_eq!(deeds(&play(folder.path(), &without(3))), [""; 0]);
    assert!(open(folder.path()).orphaned.is_some());
    let back = round(4, vec![blocked("a"), blocked("b")]);
    assert_eq!(deeds(&play(folder.path(), &back)), ["commented"]);
    let back = round(5, vec![blocked("a"), blocked("b")]);
    assert_eq!(deeds(&play(folder.path(), &back)), ["closed"]);
}

#[test]
fn flapping_is_one_incident_with_a_note() {
    let folder = TempDir::new().unwrap();
    let mut comments = Vec::new();
    for turn in 0..6 {
        for (offset, verdict) in [Verdict::Exposed, Verdict::Blocked, Verdict::Blocked]
            .into_iter()
            .enumerate()
        {
            let at = turn * 3 + i64::try_from(offset).unwrap();
            play(folder.path(), &round(at, vec![subject("a", verdict)]));
        }
        comments.push(timeline(&folder, &only(&folder).place).len());
    }
    // Three openings and closings, the fourth opening with the note, and silence.
    assert_eq!(comments, [2, 4, 6, 7, 7, 7]);
    let incident = only(&folder);
    assert!(incident.state.flapping && !incident.state.open);
    // Nor is what is new while it flaps.
    let mut more = exposed("a");
    play(folder.path(), &round(18, vec![more.clone()]));
    more.parts.push(part("TCP 192.0.2.9:443", "served"));
    assert_eq!(
        deeds(&play(folder.path(), &round(19, vec![more]))),
        ["updated"]
    );
    for at in [20, 21] {
        play(folder.path(), &round(at, vec![blocked("a")]));
    }
    assert_eq!(timeline(&folder, &only(&folder).place).len(), 7);
    // A quieter day, and each is told again.
    play(folder.path(), &round(60, vec![exposed("a")]));
    let incident = only(&folder);
    assert!(incident.state.open && !incident.state.flapping);
    assert_eq!(timeline(&folder, &incident.place).len(), 8);
}

#[test]
fn three_rounds_without_a_judgement_are_blindness() {
    let folder = TempDir::new().unwrap();
    let see = |hours, first: Verdict| {
        let subjects = vec![subject("a", first), unsure("b"), blocked("c")];
        deeds(&play(folder.path(), &round(hours, subjects))).join(" ")
    };
    assert_eq!(see(0, Verdict::Blocked), "");
    assert_eq!(see(1, Verdict::Inconclusive), "");
    assert_eq!(see(2, Verdict::Inconclusive), "opened");
    let names = |state: &noentry::incident::state::State| -> Vec<String> {
        state.members.iter().map(|m| m.name.clone()).collect()
    };
    let state = open(folder.path());
    assert_eq!(state.kind, Kind::Blind);
    assert_eq!(names(&state), ["b"]);
    assert_eq!(see(3, Verdict::Inconclusive), "commented");
    assert_eq!(open(folder.path()).members.len(), 2);
    assert_eq!(see(4, Verdict::Inconclusive), "updated");
    assert_eq!(see(5, Verdict::Blocked), "commented");
    assert_eq!(names(&open(folder.path())), ["b"]);
    // An interrupt is no blindness, and no sight either.
    let mut interrupted = round(6, vec![unsure("a"), unsure("b"), unsure("c")]);
    interrupted.interrupted = true;
    assert_eq!(deeds(&play(folder.path(), &interrupted)), ["updated"]);
    let all = round(7, vec![blocked("a"), blocked("b"), blocked("c")]);
    assert_eq!(deeds(&play(folder.path(), &all)), ["closed"]);
}

#[test]
fn an_interrupt_is_no_blindness() {
    let folder = after(&[round(0, vec![unsure("a")]), round(1, vec![unsure("a")])]);
    for at in 2..5 {
        let mut interrupted = round(at, vec![unsure("a")]);
        interrupted.interrupted = true;
        assert_eq!(deeds(&play(folder.path(), &interrupted)), [""; 0]);
    }
    assert_eq!(
        deeds(&play(folder.path(), &round(5, vec![unsure("a")]))),
        ["opened"]
    );
}

#[test]
fn an_incident_about_several_has_a_table_and_says_how_many_first() {
    let names: Vec<String> = (0..11).map(|n| format!("Door {n}")).collect();
    let all = names.iter().map(|name| exposed(name)).collect();
    let mut subjects: Vec<_> = names.iter().skip(1).map(|name| exposed(name)).collect();
    subjects.push(blocked("Door 0"));
    let mut blind = subjects.clone();
    blind.push(unsure("Database"));
    let folder = after(&[
        round(0, all),
        round(1, blind.clone()),
        round(2, blind.clone()),
        round(3, blind.clone()),
        round(4, {
            blind[1] = unsure("Door 2");
            blind
        }),
    ]);
    let mut known = known(folder.path()).incidents;
    known.sort_by(|a, b| a.place.cmp(&b.place));
    let texts: Vec<String> = known
        .iter()
        .map(|i| std::fs::read_to_string(folder.path().join(&i.place)).unwrap())
        .map(|text| {
            text.lines()
                .filter(|l| !l.starts_with("<!--"))
                .collect::<Vec<_>>()
                .join("\n")
        })
        .collect();
    insta::assert_snapshot!("several", texts.join("\n====\n"));
}

#[test]
fn more_than_ten_new_ones_in_a_round_are_one() {
    let names: Vec<String> = (0..12).map(|n| format!("t{n}")).collect();
    let all = |hours, verdict: &dyn Fn(usize) -> Verdict| {
        let subjects = names.iter().enumerate();
        round(
            hours,
            subjects
                .map(|(n, name)| subject(name, verdict(n)))
                .collect(),
        )
    };
    let exposed = |_| Verdict::Exposed;
    let blocked = |_| Verdict::Blocked;
    let folder = after(&[all(0, &exposed)]);
    let state = open(folder.path());
    assert_eq!((state.kind, state.members.len()), (Kind::Mass, 12));
    assert_eq!(deeds(&play(folder.path(), &all(1, &exposed))), ["updated"]);
    // One stays open, one cannot be judged: ten are shut.
    let rest = |n| match n {
        0 => Verdict::Exposed,
        1 => Verdict::Inconclusive,
        _ => Verdict::Blocked,
    };
    assert_eq!(deeds(&play(folder.path(), &all(2, &rest))), ["updated"]);
    assert_eq!(deeds(&play(folder.path(), &all(3, &rest))), ["commented"]);
    let still: Vec<bool> = open(folder.path()).members.iter().map(|m| m.open).collect();
    assert_eq!(still.iter().filter(|open| **open).count(), 2);
    assert_eq!(deeds(&play(folder.path(), &all(4, &blocked))), ["updated"]);
    assert_eq!(deeds(&play(folder.path(), &all(5, &blocked))), ["closed"]);
    // One by one where they are fewer.
    let ten = |n| {
        if n < 10 {
            Verdict::Exposed
        } else {
            Verdict::Blocked
        }
    };
    assert_eq!(deeds(&play(folder.path(), &all(6, &ten))), ["opened"; 10]);
}

/// There may be no time for everything, and a store works them off one by one.
#[test]
fn what_is_new_is_told_before_what_goes_on() {
    let mut tracker = super::tracker::Tracker::default();
    let all = |names: &[&str]| names.iter().map(|name| exposed(name)).collect::<Vec<_>>();
    tracker.play(&round(0, all(&["Admin console", "Staging"])));
    let deeds = tracker.play(&round(
        1,
        all(&["Admin console", "Staging", "Orders database"]),
    ));
    assert_eq!(deeds, ["opened", "updated", "updated"]);
}
