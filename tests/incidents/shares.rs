//! Shards that do not report.

use noentry::domain::verdict::Verdict;
use noentry::incident::state::Kind;
use noentry::incident::{Round, Share, Subject};
use tempfile::TempDir;

use super::support::{blocked, deeds, known, open, play, round, subject};

/// A round of shards that one or several jobs looked at.
fn of_shards(hours: i64, subjects: Vec<Subject>, shares: &[(&str, bool)]) -> Round {
    let shares = shares.iter().map(|(name, looked)| Share {
        name: (*name).to_owned(),
        looked: *looked,
    });
    Round {
        shares: shares.collect(),
        complete: false,
        ..round(hours, subjects)
    }
}

#[test]
fn a_shard_that_does_not_report_is_blindness() {
    let folder = TempDir::new().unwrap();
    let see = |hours, third: Verdict, shares: &[(&str, bool)]| {
        let subjects = vec![blocked("a"), subject("b", third)];
        let told = play(folder.path(), &of_shards(hours, subjects, shares));
        deeds(&told).join(" ")
    };
    let (one, two) = ("shard 1/2", "shard 2/2 from eu");
    let lost = [(one, true), (two, false)];
    assert_eq!(see(0, Verdict::Blocked, &lost), "");
    // It came once: that is no row of three.
    assert_eq!(see(1, Verdict::Blocked, &[(one, true), (two, true)]), "");
    for (hours, deed) in [(2, ""), (3, ""), (4, "opened"), (5, "updated")] {
        assert_eq!(see(hours, Verdict::Inconclusive, &lost), deed, "{hours}");
        if hours == 4 {
            let state = open(folder.path());
            let names: Vec<&str> = state.members.iter().map(|m| m.name.as_str()).collect();
            assert_eq!(names, ["b", two]);
        }
    }
    let place = &known(folder.path()).incidents[0].place;
    let says = std::fs::read_to_string(folder.path().join(place)).unwrap();
    assert!(
        says.contains(
            "**1 target and 1 shard could not be judged, the longest since 2026-01-05 10:00"
        ),
        "{says}"
    );
    assert_eq!(see(6, Verdict::Blocked, &lost), "commented");
    // A round that knows nothing of shards, of some of the targets: nothing is known to be back.
    assert_eq!(see(7, Verdict::Blocked, &[]), "updated");
    assert_eq!(
        see(8, Verdict::Blocked, &[(one, true), (two, true)]),
        "closed"
    );
}

#[test]
fn shards_that_are_cut_anew_leave_no_blindness_behind() {
    let folder = TempDir::new().unwrap();
    for hours in 0..3 {
        let lost = [("shard 1/2", true), ("shard 2/2", false)];
        play(folder.path(), &of_shards(hours, vec![blocked("a")], &lost));
    }
    assert_eq!(open(folder.path()).kind, Kind::Blind);
    let whole = Round {
        complete: true,
        ..of_shards(3, vec![blocked("a")], &[("shard 1/1", true)])
    };
    assert_eq!(deeds(&play(folder.path(), &whole)), ["closed"]);
}

#[test]
fn a_target_that_is_called_like_a_shard_hides_neither() {
    let name = "shard 2/2";
    let play_all = |first: Verdict, looked: bool| {
        let folder = TempDir::new().unwrap();
        let mut last = Vec::new();
        for hours in 0..3 {
            let round = of_shards(hours, vec![subject(name, first)], &[(name, looked)]);
            last = deeds(&play(folder.path(), &round));
        }
        last.join(" ")
    };
    assert_eq!(play_all(Verdict::Blocked, false), "opened");
    assert_eq!(play_all(Verdict::Inconclusive, true), "opened");
    assert_eq!(play_all(Verdict::Inconclusive, false), "opened");
    assert_eq!(play_all(Verdict::Blocked, true), "");
}
