//! `confirm` with real doors: one that opens for a single visitor, and one that stays open.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod program;

use std::fs;
use std::net::TcpListener;
use std::thread;

use noentry::domain::report::RoundReport;
use noentry::domain::trail::Confirmation;
use noentry::domain::verdict::Verdict;
use tempfile::TempDir;

use program::{door, noentry};

/// A door that shuts for good once somebody came in.
fn door_for_one() -> (thread::JoinHandle<()>, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let shut = thread::spawn(move || {
        listener.accept().unwrap();
    });
    (shut, port)
}

#[test]
fn a_door_that_shuts_is_exposed_all_the_same_and_not_confirmed() {
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    let (_control, control) = door();
    let (_steady, steady) = door();
    let (shut, flapping) = door_for_one();
    let text = format!(
        "version: 1\nvantage: {{ unfiltered: true }}\ndefaults: {{ timeout: 900ms, attempts: 2, interval: 50ms, probe_non_global: \
         true, confirm: 2 }}\ncontrols: [{{ tcp: '127.0.0.1:{control}' }}]\ntargets:\n\
         - {{ name: flapping, tcp: '127.0.0.1:{flapping}' }}\n\
         - {{ name: steady, tcp: '127.0.0.1:{steady}' }}\n"
    );
    fs::write(folder.join("noentry.yml"), text).unwrap();
    let run = noentry(folder)
        .args(["check", "--json", "report.json"])
        .assert()
        .code(1);
    shut.join().unwrap();

    let report = fs::read_to_string(folder.join("report.json")).unwrap();
    let report: RoundReport = serde_json::from_str(&report).unwrap();
    let verdicts: Vec<Verdict> = report.findings.iter().map(|f| f.verdict).collect();
    assert_eq!(verdicts, [Verdict::Exposed; 2]);
    let confirmed: Vec<_> = report.findings.iter().map(|f| f.confirmation).collect();
    let seen = |seen| Some(Confirmation { asked: 2, seen });
    assert_eq!(confirmed, [seen(1), seen(2)]);
    assert!(report.took_ms >= 5_000, "{}", report.took_ms);

    let out = String::from_utf8(run.get_output().stdout.clone()).unwrap();
    assert!(out.contains("not confirmed: set 2 of 2"), "{out}");
    assert!(out.contains("confirmed: none of 2"), "{out}");
    // What was saved is sound, and says the same.
    let again = noentry(folder)
        .args(["report", "--from", "report.json"])
        .assert()
        .code(1);
    let again = String::from_utf8(again.get_output().stdout.clone()).unwrap();
    assert!(again.contains("not confirmed: set 2 of 2"), "{again}");
}
