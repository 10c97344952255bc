//! Waived exposures in every report: what was seen stays, and what counts is what nobody answers for.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use noentry::domain::endpoint::Family;
use noentry::domain::finding::{Finding, NameAnswer, Note};
use noentry::domain::observation::Blind;
use noentry::domain::rank::Rank;
use noentry::domain::report::{RoundReport, Totals};
use noentry::domain::verdict::{Reason, Verdict};
use noentry::domain::waiver::WaiverState;
use noentry::report::console::{self, Style};
use noentry::report::hint::{Hint, hints};
use noentry::report::junit::{self, Dialect};
use noentry::report::outputs::{self, Paths};
use noentry::report::{annotations, json, summary};
use sample::waivers::{LONG, OVER, SOON, partly, round};
use sample::with_waiver;

const PLAIN: Style = Style {
    color: false,
    width: 100,
    verbose: false,
};

fn only_waived() -> RoundReport {
    sample::of(vec![
        with_waiver(sample::admin_console(), LONG),
        sample::silent(),
    ])
}

#[test]
fn the_terminal() {
    insta::assert_snapshot!("console", console::render(&round(), PLAIN));
}

#[test]
fn the_job_summary() {
    insta::assert_snapshot!("summary", summary::render(&round(), summary::LIMIT));
}

#[test]
fn junit_cases() {
    insta::assert_snapshot!("junit", junit::render(&round(), Dialect::Located).unwrap());
}

#[test]
fn annotations_of_the_runner() {
    insta::assert_snapshot!("annotations", annotations::render(&round()));
}

#[test]
fn a_round_of_nothing_but_waived_and_blocked_ones_is_blocked() {
    let report = only_waived();
    assert_eq!(report.verdict, Verdict::Blocked);
    assert_eq!(report.findings[0].verdict, Verdict::Exposed);
    let style = Style { width: 0, ..PLAIN };
    insta::assert_snapshot!(console::render(&report, style));
    let text = summary::render(&report, summary::LIMIT);
    let head: Vec<&str> = text.lines().take(5).collect();
    insta::assert_snapshot!(head.join("\n"));
}

#[test]
fn a_waiver_changes_what_counts_and_not_what_was_seen() {
    let rank = |finding: Finding, until: &str| with_waiver(finding, until).rank();
    for until in [LONG, SOON] {
        assert_eq!(rank(sample::admin_console(), until), Rank::Waived);
        assert_eq!(rank(partly(), until), Rank::Inconclusive);
        assert_eq!(rank(sample::control_lost(), until), Rank::Inconclusive);
        assert_eq!(rank(sample::silent(), until), Rank::Blocked);
    }
    assert_eq!(rank(sample::admin_console(), OVER), Rank::Exposed);
    assert_eq!(sample::admin_console().rank(), Rank::Exposed);

    let report = round();
    let counted = Totals {
        targets: 7,
        blocked: 2,
        exposed: 1,
        waived: 2,
        inconclusive: 2,
        ..report.totals
    };
    assert_eq!(report.totals, counted);
    assert_eq!(report.verdict, Verdict::Exposed);
}

#[test]
fn a_family_that_nobody_could_ask_about_is_not_waived() {
    let four = || {
        let mut finding = sample::admin_console();
        finding.endpoints.truncate(1);
        for query in &mut finding.name.as_mut().unwrap().queries {
            if query.family == Some(Family::Ipv6) {
                query.answer = NameAnswer::NoData;
            }
        }
        with_waiver(finding, LONG)
    };
    assert_eq!(four().rank(), Rank::Waived);
    let mut finding = four();
    finding.name.as_mut().unwrap().queries[1].answer = NameAnswer::Blind(Blind::ResolverTimeout);
    assert_eq!(finding.rank(), Rank::Inconclusive);
    let mut finding = four();
    finding.notes.push(Note::ResolverInvents);
    assert_eq!(finding.rank(), Rank::Inconclusive);
    let report = sample::of(vec![finding]);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    let text = console::render(&report, PLAIN);
    assert!(text.contains("not every family that is watched"), "{text}");
}

#[test]
fn a_finding_without_any_part_is_not_waived() {
    let mut finding = with_waiver(sample::admin_console(), LONG);
    finding.endpoints.clear();
    finding.name = None;
    assert_eq!(finding.rank(), Rank::Inconclusive);
}

#[test]
fn the_outputs_tell_waived_from_exposed() {
    let pairs = outputs::render(&round(), Paths::default());
    let value = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.unwrap().1.as_str()
    };
    assert_eq!(value("verdict"), "exposed");
    assert_eq!(value("exposed"), "1");
    assert_eq!(value("waived"), "2");
    assert_eq!(value("inconclusive"), "2");
    assert_eq!(value("exposed-targets"), r#"["Replica"]"#);
}

#[test]
fn hints_about_waivers_come_when_they_help() {
    let about = |finding: Finding| {
        let found = hints(&sample::of(vec![finding]));
        let own = found.into_iter().filter(|hint| {
            matches!(
                hint,
                Hint::WaiverEnds(_) | Hint::WaiverNeedless(_) | Hint::WaiverPartly(_)
            )
        });
        own.collect::<Vec<Hint>>()
    };
    let names = |finding: &Finding| vec![finding.target.name.clone()];
    let open = sample::admin_console();
    assert_eq!(about(with_waiver(open.clone(), LONG)), []);
    assert_eq!(about(with_waiver(open.clone(), OVER)), []);
    let ends = Hint::WaiverEnds(names(&open));
    assert_eq!(about(with_waiver(open, SOON)), [ends]);
    let shut = sample::silent();
    for until in [LONG, SOON, OVER] {
        let needless = Hint::WaiverNeedless(names(&shut));
        assert_eq!(about(with_waiver(shut.clone(), until)), [needless]);
    }
    // What could not be looked at may still be open.
    assert_eq!(about(with_waiver(sample::control_lost(), LONG)), []);
    let partly = partly();
    let covers = Hint::WaiverPartly(names(&partly));
    assert_eq!(about(with_waiver(partly, LONG)), [covers]);
}

/// What becomes of the round when it is saved, with something changed in it.
fn reread(change: impl Fn(&mut RoundReport)) -> Result<RoundReport, String> {
    let mut report = only_waived();
    change(&mut report);
    json::parse(&sample::written(&report)).map_err(|error| error.to_string())
}

#[test]
fn a_saved_round_that_was_waived_comes_back() {
    assert_eq!(reread(|_| {}), Ok(only_waived()));
    let text = sample::written(&only_waived());
    assert!(text.contains(r#""until": "2026-12-31""#), "{text}");
    assert!(text.contains(r#""state": "active""#), "{text}");
    // A report from before there were waivers counts none.
    let old = sample::written(&sample::round()).replace("    \"waived\": 0,\n", "");
    assert_eq!(json::parse(&old).unwrap(), sample::round());
}

#[test]
fn a_saved_round_that_waives_what_nobody_answers_for_is_refused() {
    let sum = |report: &mut RoundReport| {
        report.verdict = RoundReport::worst(&report.findings);
        report.totals = Totals::of(&report.findings);
    };
    let refused = |change: &dyn Fn(&mut RoundReport), why: &str| {
        let error = reread(change).unwrap_err();
        assert!(error.contains(why), "{error}");
    };
    refused(&|report| report.findings[0].waiver = None, "verdict");
    refused(
        &|report| {
            report.findings[0].waiver = None;
            report.verdict = Verdict::Exposed;
        },
        "totals",
    );
    refused(
        &|report| {
            report.totals.waived = 0;
            report.totals.blocked = 2;
        },
        "totals",
    );
    // A waiver that ended does not hold because the report says so.
    refused(
        &|report| {
            let waiver = report.findings[0].waiver.as_mut().unwrap();
            waiver.until = OVER.parse().unwrap();
            sum(report);
        },
        "last day",
    );
    refused(
        &|report| {
            let waiver = report.findings[0].waiver.as_mut().unwrap();
            waiver.state = WaiverState::Expired;
            sum(report);
        },
        "last day",
    );
    // Nor may what was not seen hide behind it.
    refused(
        &|report| {
            let endpoint = &mut report.findings[0].endpoints[1];
            endpoint.verdict = Verdict::Blocked;
            endpoint.reason = Reason::Stopped;
            sum(report);
        },
        "bear that out",
    );
    for until in ["2026-02-30", "soon"] {
        let text = sample::written(&only_waived()).replace(LONG, until);
        assert!(json::parse(&text).is_err(), "{until}");
    }
}

#[test]
fn what_stands_in_a_waiver_is_never_markup() {
    let mut finding = with_waiver(sample::admin_console(), LONG);
    let waiver = finding.waiver.as_mut().unwrap();
    waiver.owner = "@everybody".to_owned();
    waiver.reason = "see #1\n::error::<b>](https://evil.example) `x` |".to_owned();
    let report = sample::of(vec![finding]);
    let text = summary::render(&report, summary::LIMIT);
    assert!(text.contains("`@everybody`"), "{text}");
    assert!(!text.contains("\n::error"), "{text}");
    let rows = text.lines().filter(|line| line.contains("evil.example"));
    for row in rows {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
    }
    for text in [
        console::render(&report, PLAIN),
        annotations::render(&report),
    ] {
        let mut lines = text.lines();
        assert!(
            !lines.any(|l| l.trim_start().starts_with("::error")),
            "{text}"
        );
    }
}
