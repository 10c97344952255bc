//! Waivers as a user meets them: exit codes, outputs and what `validate` says, with real doors.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod program;

use std::fs;
use std::path::Path;

use noentry::domain::report::RoundReport;
use noentry::domain::verdict::Verdict;
use noentry::domain::waiver::{Day, WaiverState};
use tempfile::TempDir;
use time::{Duration, OffsetDateTime};

use program::{door, noentry};

const LONG: &str = "9999-12-31";
const OVER: &str = "2020-02-29";

/// Three days from today: a waiver that ends soon.
fn soon() -> String {
    Day::of(OffsetDateTime::now_utc() + Duration::days(3)).to_string()
}

/// Some doors, and which of them have a waiver until when.
fn config(folder: &Path, control: u16, doors: &[(&str, u16)], waivers: &[(&str, &str)]) {
    use std::fmt::Write as _;
    let mut text = format!(
        "version: 1\nvantage: {{ unfiltered: true }}\ndefaults: {{ timeout: 900ms, attempts: 2, interval: 50ms, probe_non_global: \
         true }}\ncontrols: [{{ tcp: '127.0.0.1:{control}' }}]\ntargets:\n"
    );
    for (name, port) in doors {
        writeln!(text, "  - {{ name: {name}, tcp: '127.0.0.1:{port}' }}").unwrap();
    }
    text.push_str("waivers:\n");
    for (target, until) in waivers {
        writeln!(
            text,
            "  - {{ target: {target}, owner: platform team, reason: moves, until: {until} }}"
        )
        .unwrap();
    }
    fs::write(folder.join("noentry.yml"), text).unwrap();
}

fn checked(folder: &Path, args: &[&str], code: i32) -> (RoundReport, String) {
    let run = noentry(folder)
        .args(["check", "--json", "report.json"])
        .args(args)
        .assert()
        .code(code);
    let report = fs::read_to_string(folder.join("report.json")).unwrap();
    let out = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    (serde_json::from_str(&report).unwrap(), out)
}

#[test]
fn a_waived_door_stays_exposed_and_ends_with_the_code_of_the_others() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let (_control, control) = door();
    let (_open, open) = door();
    let (_other, other) = door();
    let soon = soon();

    for (until, state) in [
        (LONG, WaiverState::Active),
        (&soon, WaiverState::ExpiresSoon),
    ] {
        config(folder, control, &[("open", open)], &[("open", until)]);
        let (report, out) = checked(folder, &[], 0);
        assert_eq!(report.verdict, Verdict::Blocked);
        assert_eq!(report.findings[0].verdict, Verdict::Exposed);
        assert_eq!(report.findings[0].waiver.as_ref().unwrap().state, state);
        assert_eq!((report.totals.waived, report.totals.exposed), (1, 0));
        assert!(out.starts_with("waived        open "), "{out}");
        let said = format!("waived until {until} by platform team: moves");
        assert!(out.contains(&said), "{out}");
        let again = ["report", "--from", "report.json"];
        noentry(folder).args(again).assert().code(0);
    }

    config(folder, control, &[("open", open)], &[("open", OVER)]);
    let (report, out) = checked(folder, &[], 1);
    assert_eq!((report.totals.waived, report.totals.exposed), (0, 1));
    assert!(out.contains("ended on 2020-02-29"), "{out}");

    let doors = [("open", open), ("other", other)];
    config(folder, control, &doors, &[("open", LONG)]);
    let (report, _) = checked(folder, &[], 1);
    assert_eq!((report.totals.waived, report.totals.exposed), (1, 1));
    checked(folder, &["--target", "open"], 0);
    // A waiver of a target that was not asked for is in nobody's way.
    checked(folder, &["--target", "other"], 1);
}

#[test]
fn what_could_not_be_observed_is_not_waived() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let (_open, open) = door();
    // Taken, and nobody listens: it answers with a reset, as a lost control does.
    let taken = tokio::net::TcpSocket::new_v4().unwrap();
    taken.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = taken.local_addr().unwrap().port();
    let lost = tokio::net::TcpSocket::new_v4().unwrap();
    lost.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let control = lost.local_addr().unwrap().port();

    let doors = [("open", open), ("closed", closed)];
    config(folder, control, &doors, &[("open", LONG), ("closed", LONG)]);
    let (report, _) = checked(folder, &[], 3);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert_eq!((report.totals.waived, report.totals.inconclusive), (1, 1));
}

#[test]
fn the_steps_outputs_and_annotations_do_not_call_it_exposed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let (_control, control) = door();
    let (_open, open) = door();
    config(folder, control, &[("open", open)], &[("open", LONG)]);
    let outputs = folder.join("outputs");
    let run = noentry(folder)
        .arg("check")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_OUTPUT", &outputs)
        .assert()
        .code(0);
    let out = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let notices = out.lines().filter(|l| l.starts_with("::notice "));
    assert_eq!(notices.count(), 2, "{out}");
    assert!(!out.contains("::error "), "{out}");
    assert!(out.contains("title=waived%3A open::"), "{out}");
    let written = fs::read_to_string(outputs).unwrap();
    let value = |name: &str| {
        let mut lines = written.lines();
        let heading = lines.find(|l| *l == name || l.starts_with(&format!("{name}<<")));
        assert!(heading.is_some(), "{written}");
        lines.next().unwrap().to_owned()
    };
    assert_eq!(value("verdict"), "blocked");
    assert_eq!(value("exposed"), "0");
    assert_eq!(value("waived"), "1");
    assert_eq!(value("exposed-targets"), "[]");
}

#[test]
fn validate_says_which_waivers_are_over_and_breaks_no_file() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let soon = soon();
    let doors = [("a", 1), ("b", 2), ("c", 3)];
    config(folder, 4, &doors, &[("a", LONG), ("b", &soon), ("c", OVER)]);
    let run = noentry(folder).arg("validate").assert().code(0);
    let out = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    let hints: Vec<&str> = out.lines().skip(1).collect();
    let ends = format!("hint: the waiver for b ends on {soon}: ask platform team what follows");
    let ended = "hint: the waiver for c ended on 2020-02-29, so an exposure counts again: ask platform \
                 team, or remove it";
    assert_eq!(hints, [ends.as_str(), ended]);
}
