//! An issue's body takes 65,536 characters, state included.

use noentry::domain::verdict::Verdict;
use noentry::incident::paper::Paper;
use noentry::incident::state::{self, Kind, State};
use noentry::incident::{Round, Subject};
use tempfile::TempDir;

use super::support::{blocked, exposed, hour, open, part, play, round, subject, unsure};
use super::tracker::{LIMIT, Tracker, short_of};

/// A name that no other target has, of 20 to 40 characters as people choose them.
fn realistic(n: usize) -> String {
    let of = |words: [&str; 8], by: usize| words[n / by % 8].to_owned();
    let team = of(
        [
            "Payments",
            "Logistics",
            "Identity",
            "Warehouse",
            "Billing",
            "Reporting",
            "Search",
            "Platform",
        ],
        1,
    );
    let what = of(
        [
            "admin console",
            "orders database",
            "metrics",
            "queue manager",
            "staging site",
            "build server",
            "cache",
            "internal API",
        ],
        8,
    );
    let place = of(
        [
            "eu-west-1",
            "us-east-1",
            "fra",
            "ams",
            "sin",
            "syd",
            "lab",
            "dr-site",
        ],
        64,
    );
    format!("{team} {what} {place} {}", n * 7919 % 10_007)
}

/// 200 characters that cannot be packed.
fn random(n: usize) -> String {
    let mut seed = u64::try_from(n)
        .unwrap()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        | 1;
    let alphabet = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ._";
    (0..200)
        .map(|_| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            char::from(alphabet[usize::try_from(seed >> 58).unwrap()])
        })
        .collect()
}

fn many(hours: i64, number: usize, name: fn(usize) -> String, verdict: Verdict) -> Round {
    let subjects = (0..number).map(|n| {
        let mut subject = subject(&name(n), verdict);
        subject.headline = format!("HTTP 200 at `192.0.{}.{}:443`", n / 256, n % 256);
        subject
    });
    round(hours, subjects.collect())
}

fn hidden(state: &State) -> String {
    state::write(state).unwrap()
}

#[test]
fn a_mass_incident_lists_what_has_room_and_counts_the_rest() {
    for (name, number, listed) in [
        (realistic as fn(usize) -> String, 1_000, 1_000),
        (realistic, 1_300, 1_000),
        (random, 1_000, 200),
        (|n| random(n).split_off(160), 1_000, 1_000),
    ] {
        let mut tracker = Tracker::default();
        assert_eq!(
            tracker.play(&many(0, number, name, Verdict::Exposed)),
            ["opened"]
        );
        let state = tracker.state(1);
        assert_eq!(state.members.len(), listed);
        assert_eq!(usize::try_from(state.beyond).unwrap(), number - listed);
        assert_eq!(
            tracker.issues[0].title,
            format!("Reachable from outside: {number} targets")
        );
        let line = hidden(&state);
        assert!(line.len() <= 45_000, "{}", line.len());
        // What can be made again is not kept, and comes back.
        assert_eq!(state::read(&line).unwrap(), state);
        assert_eq!(
            tracker.play(&many(1, number, name, Verdict::Exposed)),
            ["updated"]
        );
        assert_eq!(tracker.state(1).beyond, state.beyond);
    }
}

#[test]
fn it_stays_open_while_any_of_those_is_exposed() {
    let mut tracker = Tracker::default();
    tracker.play(&many(0, 1_100, realistic, Verdict::Exposed));
    let round = |hours| {
        let mut round = many(hours, 1_100, realistic, Verdict::Exposed);
        for subject in round.subjects.iter_mut().take(1_000) {
            subject.verdict = Verdict::Blocked;
        }
        round
    };
    tracker.play(&round(1));
    assert_eq!(tracker.play(&round(2)), ["commented"]);
    let state = tracker.state(1);
    assert!(state.open && state.members.iter().all(|m| !m.open));
    assert_eq!(state.beyond, 100);
    let body = &tracker.issues[0].body;
    assert!(
        body.starts_with("<!-- noentry:begin") && body.contains("**100 of 1100 targets are not"),
        "{body}"
    );
    let mut few = round(3);
    few.subjects.truncate(1_005);
    // A few are told one by one.
    let deeds = tracker.play(&few);
    assert_eq!(deeds.iter().filter(|d| **d == "opened").count(), 5);
    assert!(deeds.contains(&"closed"));
}

#[test]
fn what_grows_beyond_the_list_is_told_when_it_has_doubled() {
    let mut tracker = Tracker::default();
    tracker.play(&many(0, 1_000, realistic, Verdict::Exposed));
    let comments = |tracker: &Tracker| tracker.issues[0].comments.len();
    for (at, number, told) in [(1, 1_020, 2), (2, 1_030, 2), (3, 1_060, 3), (4, 1_020, 3)] {
        tracker.play(&many(at, number, realistic, Verdict::Exposed));
        assert_eq!(comments(&tracker), told, "{number}");
        assert_eq!(
            usize::try_from(tracker.state(1).beyond).unwrap(),
            number - 1_000
        );
    }
    // Who was not looked at is still there.
    let mut some = many(5, 3, realistic, Verdict::Exposed);
    some.complete = false;
    tracker.play(&some);
    assert_eq!(tracker.state(1).beyond, 20);
}

#[test]
fn a_blind_incident_is_bounded_as_well() {
    let mut tracker = Tracker::default();
    for at in 0..4 {
        tracker.play(&many(at, 1_200, realistic, Verdict::Inconclusive));
    }
    let state = tracker.state(1);
    assert_eq!(state.kind, Kind::Blind);
    assert_eq!((state.members.len(), state.beyond), (1_000, 200));
    let body = &tracker.issues[0].body;
    assert!(body.len() <= LIMIT);
    assert!(
        body.contains("**1200 targets could not be judged"),
        "{body}"
    );
    // Three comments: nobody comes and goes with the alphabet.
    assert_eq!(tracker.issues[0].comments.len(), 1);
    assert_eq!(
        tracker.play(&many(4, 1_200, realistic, Verdict::Blocked)),
        ["closed"]
    );
}

#[test]
fn a_long_state_is_packed_and_a_bomb_is_not_unpacked() {
    use base64::Engine as _;
    use std::io::Write as _;
    let folder = TempDir::new().unwrap();
    play(folder.path(), &round(0, vec![exposed("a")]));
    let mut state = open(folder.path());
    assert!(hidden(&state).starts_with("<!-- noentry:v1 {"));
    for place in 0..64 {
        let marks = (0..16).map(|mark| format!("{:012x}", place * 1_000_003_u64 + mark));
        state.marks.insert(format!("{place:012x}"), marks.collect());
    }
    let line = hidden(&state);
    assert!(line.starts_with("<!-- noentry:v1z "), "{line}");
    assert!(line.len() < 20_000, "{}", line.len());
    assert!(!line[4..line.len() - 3].contains("--"));
    assert_eq!(state::read(&format!("{line}\r\n")).unwrap(), state);
    let packed = |bytes: &[u8]| {
        let mut packed =
            flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
        packed.write_all(bytes).unwrap();
        let packed = base64::engine::general_purpose::STANDARD.encode(packed.finish().unwrap());
        format!("<!-- noentry:v1z {packed} -->")
    };
    let bomb = packed(&vec![b' '; 20 << 20]);
    assert!(bomb.len() < 30_000);
    assert!(state::read(&bomb).unwrap_err().contains("longer than"));
    for broken in [
        packed(b"{}"),
        "<!-- noentry:v1z AAAA -->".to_owned(),
        "<!-- noentry:v1z not base64 -->".to_owned(),
        line.replacen("v1z ", "v1z A", 1),
    ] {
        assert!(
            state::read(&broken)
                .unwrap_err()
                .starts_with("its state is broken")
        );
    }
    assert!(
        state::read("<!-- noentry:v2z AAAA -->")
            .unwrap_err()
            .contains("another version")
    );
}

/// An issue with a story: long evidence, and many lines.
fn story() -> (Tracker, Vec<Subject>) {
    let mut tracker = Tracker::default();
    let mut subjects = Vec::new();
    for n in 0..40_i64 {
        let mut subject = exposed("a");
        subject.parts = (0..=n)
            .map(|m| part(&format!("TCP 192.0.2.{m}:443"), "served"))
            .collect();
        subject.evidence = format!("| evidence |\n| :--- |\n| {} |\n", "x".repeat(30_000));
        let mut round = round(n, vec![subject.clone()]);
        round.run = Some(format!("https://ci.example/runs/{n}"));
        tracker.play(&round);
        subjects.push(subject);
    }
    (tracker, subjects)
}

#[test]
fn an_issue_has_the_newest_lines_and_says_where_the_others_are() {
    let (tracker, _) = story();
    let body = &tracker.issues[0].body;
    let lines: Vec<&str> = body.lines().filter(|l| l.starts_with("- **")).collect();
    assert_eq!(lines.len(), 30);
    assert!(lines[29].contains("2026-01-06 23:00 UTC"), "{}", lines[29]);
    assert!(lines[29].ends_with(" ([run](https://ci.example/runs/39))"));
    assert_eq!(body.matches("Older lines are in the comments.").count(), 1);
    assert_eq!(tracker.issues[0].comments.len(), 40);
}

#[test]
fn what_does_not_fit_goes_in_order_and_a_person_is_asked_when_nothing_is_left_to_go() {
    let (tracker, _) = story();
    let body = &tracker.issues[0].body;
    let short = short_of(body);
    let with = |before: usize| {
        let text = format!("{}\n{body}", "p".repeat(before));
        Paper::read(&text, short).unwrap()
    };
    let line = hidden(&tracker.state(1));
    let lines = |text: &str| text.lines().filter(|l| l.starts_with("- **")).count();
    let whole = with(1_000).fit(LIMIT).unwrap();
    assert!(whole.contains("xxxx") && whole.contains(&line));
    let without = with(40_000).fit(LIMIT).unwrap();
    assert!(!without.contains("xxxx") && without.contains("left out here, because it is too long"));
    assert_eq!(lines(&without), 30);
    let room = LIMIT - without.len();
    let fewer = with(40_000 + room + 1_500).fit(LIMIT).unwrap();
    assert_eq!(lines(&fewer), 10);
    assert!(fewer.contains(&line) && fewer.contains("- **2026-01-06 23:00 UTC**"));
    for text in [&whole, &without, &fewer] {
        assert!(text.len() <= LIMIT);
        assert_eq!(Paper::read(text, short).unwrap().state, tracker.state(1));
    }
    assert_eq!(
        with(LIMIT).fit(LIMIT).unwrap_err(),
        "the text around noentry's section leaves no room for it: shorten it"
    );
    assert!(with(0).fit(100).unwrap_err().contains("its state alone"));
}

#[test]
fn a_table_loses_rows_before_the_timeline_loses_lines() {
    let mut tracker = Tracker::default();
    tracker.play(&many(0, 900, realistic, Verdict::Exposed));
    let body = &tracker.issues[0].body;
    let short = short_of(body);
    let rows = |text: &str| text.lines().filter(|l| l.contains("| **open** |")).count();
    assert_eq!(rows(body), 200);
    let text = format!("{}\n{body}", "p".repeat(LIMIT - body.len() + 100));
    let paper = Paper::read(&text, short).unwrap();
    let less = paper.fit(LIMIT).unwrap();
    assert_eq!(rows(&less), 100);
    assert!(less.contains("800 more targets are left out here."));
    assert!(less.contains("opened: 900 targets"));
}

#[test]
fn the_line_ends_of_githubs_editor_do_no_harm() {
    let mut tracker = Tracker::default();
    tracker.play(&round(0, vec![exposed("a"), unsure("b")]));
    let body = tracker.issues[0].body.clone();
    tracker.issues[0].body = format!("Seen by Kim.\n\n{body}\nTicket 7.").replace('\n', "\r\n");
    assert_eq!(tracker.state(1).name, "a");
    tracker.play(&round(1, vec![blocked("a"), unsure("b")]));
    let body = &tracker.issues[0].body;
    assert!(
        body.starts_with("Seen by Kim.\r\n\r\n<!-- noentry:begin"),
        "{body}"
    );
    assert!(body.ends_with("\r\nTicket 7."), "{body}");
    // What is ours has one kind of line ends.
    let ours = body.split("noentry:begin").nth(1).unwrap();
    let ours = ours.split("noentry:end").next().unwrap();
    assert!(!ours.contains('\r'), "{ours:?}");
    assert_eq!(tracker.state(1).last_round, hour(1));
}
