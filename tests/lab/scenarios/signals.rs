//! A round that is ended from outside before its time.

use noentry::domain::observation::Blind;
use noentry::domain::reach::Reach::Connected;
use noentry::domain::verdict::Reason;
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};

use super::CONTROL;
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Round, Truth, head_at, target};
use crate::zones::TRUTH;

/// A round that would take minutes, ended by a signal once it has seen what it can see at once.
fn interrupted(ground: Ground, signal: &str, open_door: bool) -> Round {
    let lab = Lab::standing(ground);
    let pace = "timeout: 60s, attempts: 3, interval: 300ms";
    let mut config =
        head_at(pace, &[TRUTH], &[CONTROL]) + &target("silent", "tcp: dual.lab.example:9001");
    lab.count(Place::Router, "passing", "silent", "tcp dport 9001");
    lab.count(
        Place::Router,
        "passing",
        "done",
        "ip daddr 203.0.113.60 tcp dport 9000 tcp flags & (fin | rst) != 0",
    );
    if open_door {
        config += &target("open", "tcp: '203.0.113.60:9000'");
    }
    let running = lab.start(&config);
    lab.until_counted(Place::Router, "silent", 2);
    if open_door {
        lab.until_counted(Place::Router, "done", 1);
    }
    running.signal(signal);
    let round = lab.finish(running);
    assert!(round.report.interrupted);
    // A minute is the time-out of one attempt: whoever waits for that has not been interrupted.
    assert!(round.report.took_ms < 30_000, "{}", round.report.took_ms);
    for finding in &round.report.findings {
        assert_ne!(finding.verdict, Blocked, "{finding:#?}");
    }
    let silent = round.finding("silent");
    assert_eq!(silent.verdict, Inconclusive);
    let cause = Blind::Interrupted;
    assert_eq!(silent.reason, Reason::Blind { cause }, "{silent:#?}");
    round
}

/// SIGTERM: what a runner sends when a job is cancelled.
pub fn sigterm(ground: Ground) {
    assert_eq!(interrupted(ground, "TERM", false).code, 3);
}

/// Ctrl-C, after an open door was found: it is reported.
pub fn ctrl_c_with_an_exposure(ground: Ground) {
    let round = interrupted(ground, "INT", true);
    assert_eq!(round.code, 1);
    round.expect(&[Truth("open", Exposed, "past_barrier", &[Connected])]);
}
