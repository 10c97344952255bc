//! A saved round is data from outside: a `blocked` that its own evidence does not bear out is refused.
mod sample;

use noentry::domain::observation::{Blind, Outcome};
use noentry::domain::reach::Reach;
use noentry::domain::report::{RoundReport, Totals};
use noentry::domain::verdict::{Reason, Verdict};
use noentry::report::json;

/// The sample's blocked findings alone.
fn blocked() -> RoundReport {
    let mut report = sample::round();
    report.findings.retain(|f| f.verdict == Verdict::Blocked);
    assert!(report.findings.len() > 3);
    sum(&mut report);
    report
}

fn sum(report: &mut RoundReport) {
    report.verdict = RoundReport::worst(&report.findings);
    report.totals = Totals::of(&report.findings);
}

fn refused(change: impl Fn(&mut RoundReport)) -> bool {
    let mut report = blocked();
    change(&mut report);
    sum(&mut report);
    json::parse(&sample::written(&report)).is_err()
}

#[test]
fn a_blocked_round_that_was_seen_comes_back() {
    assert!(!refused(|_| {}));
}

#[test]
fn blocked_without_having_been_seen_is_refused() {
    let endpoint = |report: &RoundReport| {
        let with_attempts = |f: &noentry::domain::finding::Finding| {
            f.endpoints.iter().any(|e| !e.attempts.is_empty())
        };
        report.findings.iter().position(with_attempts).unwrap()
    };
    assert!(refused(|report| {
        report.findings[0].endpoints.clear();
        report.findings[0].name_verdicts.clear();
    }));
    for outcome in [
        Outcome::Reached(Reach::Connected),
        Outcome::Blind(Blind::NoRoute),
    ] {
        assert!(refused(|report| {
            let at = endpoint(report);
            let attempts = &mut report.findings[at].endpoints[0].attempts;
            attempts[0].outcome = outcome;
        }));
    }
    assert!(refused(|report| {
        let at = endpoint(report);
        report.findings[at].endpoints[0].attempts.clear();
    }));
    assert!(refused(|report| {
        let at = endpoint(report);
        report.findings[at].endpoints[0].reason = Reason::NoControl { class: None };
    }));
    assert!(refused(|report| report.controls.clear()));
}
