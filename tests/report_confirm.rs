//! What reports say of an exposure that was looked at again, and which saved ones are refused.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use noentry::domain::finding::Finding;
use noentry::domain::report::RoundReport;
use noentry::domain::trail::Confirmation;
use noentry::domain::verdict::Verdict;
use noentry::report::console::{self, Style};
use noentry::report::junit::{self, Dialect};
use noentry::report::{annotations, json, summary, trail};

fn again(mut finding: Finding, seen: u32, asked: u32) -> Finding {
    finding.confirmation = Some(Confirmation { asked, seen });
    finding
}

fn round(seen: u32, asked: u32) -> RoundReport {
    sample::of(vec![
        again(sample::admin_console(), seen, asked),
        sample::silent(),
    ])
}

/// Everything that shows an exposure with its evidence.
fn shown(report: &RoundReport) -> [String; 5] {
    let style = Style {
        color: false,
        width: 0,
        verbose: false,
    };
    [
        console::render(report, style),
        summary::render(report, summary::LIMIT),
        annotations::render(report),
        junit::render(report, Dialect::Located).unwrap(),
        trail::evidence(&report.findings[0]),
    ]
}

#[test]
fn every_report_of_an_exposure_says_whether_it_was_seen_again() {
    for (seen, asked, said) in [
        (
            1,
            2,
            "not confirmed: set 2 of 2 sets of attempts found it shut",
        ),
        (
            2,
            5,
            "not confirmed: set 3 of 5 sets of attempts found it shut",
        ),
        (2, 2, "confirmed: none of 2 sets of attempts found it shut"),
    ] {
        let report = round(seen, asked);
        assert_eq!(report.verdict, Verdict::Exposed);
        for text in shown(&report) {
            let lines: Vec<&str> = text.lines().filter(|l| l.contains(said)).collect();
            assert!(!lines.is_empty(), "{said} is missing:\n{text}");
            let denied = text.contains("not confirmed");
            assert_eq!(denied, seen < asked, "{text}");
        }
    }
    let report = sample::of(vec![sample::admin_console(), sample::silent()]);
    for text in shown(&report) {
        assert!(!text.contains("confirmed:"), "{text}");
    }
}

#[test]
fn a_part_that_is_not_exposed_says_nothing_of_it() {
    let report = sample::of(vec![again(sample::waivers::partly(), 1, 2)]);
    let text = junit::render(&report, Dialect::Located).unwrap();
    let cases: Vec<&str> = text.split("<testcase").skip(1).collect();
    let said = |case: &&str| case.contains("not confirmed");
    let exposed = |case: &&str| case.contains("<failure");
    assert!(cases.iter().any(said), "{text}");
    for case in &cases {
        assert!(!said(case) || exposed(case), "{case}");
    }
}

#[test]
fn a_saved_report_comes_back_with_it() {
    for (seen, asked) in [(1, 2), (2, 2), (4, 5)] {
        let report = round(seen, asked);
        assert_eq!(json::parse(&sample::written(&report)).unwrap(), report);
    }
}

#[test]
fn a_confirmation_that_cannot_be_is_refused() {
    for (seen, asked) in [(3, 2), (0, 2), (1, 1), (0, 0)] {
        let text = sample::written(&round(seen, asked));
        let refused = json::parse(&text).unwrap_err().to_string();
        assert_eq!(
            refused,
            "the report contradicts itself: the finding \"Admin console\" cannot have been \
             confirmed as it says"
        );
    }
    let blocked = sample::of(vec![again(sample::silent(), 1, 2)]);
    assert!(json::parse(&sample::written(&blocked)).is_err());
}
