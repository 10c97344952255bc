//! Several rounds as one: the worst stands, nothing is lost, and what is missing is never a pass.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use std::time::Duration;

use noentry::domain::finding::Finding;
use noentry::domain::merged::Missing;
use noentry::domain::observation::{Blind, Outcome};
use noentry::domain::rank::Rank;
use noentry::domain::reach::Reach;
use noentry::domain::report::{RoundReport, Totals};
use noentry::domain::shard::Shard;
use noentry::domain::verdict::{Reason, Verdict};
use noentry::merge::{Error, Given, Rules, Unread, merge};
use noentry::report::console::{self, Style};
use noentry::report::junit::Dialect;
use noentry::report::{annotations, hint, json, junit, summary};
use proptest::prelude::*;

/// What one vantage sees of a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sight {
    Silent,
    Refused,
    Blind,
    Open,
    /// Open, and somebody answers for it.
    Waived,
    /// The same, with a second endpoint that could not be looked at.
    Partly,
}

const SIGHTS: [Sight; 6] = [
    Sight::Silent,
    Sight::Refused,
    Sight::Blind,
    Sight::Open,
    Sight::Waived,
    Sight::Partly,
];

/// How many targets the configuration has.
const ALL: u8 = 12;

fn name(number: u8) -> String {
    format!("target {number:02}")
}

fn seen(number: u8, sight: Sight) -> Finding {
    use sample::{blocked, endpoint, past, silence, times, unsure};
    let blind = || {
        let mut attempts = times(1, Reach::NoAnswer, None);
        attempts[0].outcome = Outcome::Blind(Blind::NoRoute);
        let reason = Reason::Blind {
            cause: Blind::NoRoute,
        };
        endpoint("20.9.0.2", 443, unsure(reason), attempts)
    };
    let open = || endpoint("20.9.0.1", 443, past(), times(1, Reach::Connected, None));
    let endpoints = match sight {
        Sight::Silent => vec![endpoint("20.9.0.1", 443, blocked(), silence())],
        Sight::Refused => {
            vec![endpoint(
                "20.9.0.1",
                443,
                blocked(),
                times(3, Reach::Refused, None),
            )]
        }
        Sight::Blind => vec![blind()],
        Sight::Open | Sight::Waived => vec![open()],
        Sight::Partly => vec![open(), blind()],
    };
    let line = 10 + u32::from(number);
    let bare = sample::target(&name(number), "tcp", "a.example.com:443", 443, line);
    let finding = sample::with(bare, endpoints);
    match sight {
        Sight::Waived | Sight::Partly => sample::with_waiver(finding, sample::waivers::LONG),
        Sight::Silent | Sight::Refused | Sight::Blind | Sight::Open => finding,
    }
}

/// A round of the targets of a shard, or of all, that began some minutes after the first.
fn round(label: Option<&str>, shard: Option<&str>, minute: i64, sights: &[Sight]) -> RoundReport {
    let shard: Option<Shard> = shard.map(|shard| shard.parse().unwrap());
    let all = (0..ALL).zip(sights.iter().cycle());
    let held = all.filter(|(number, _)| shard.is_none_or(|s| s.holds(&name(*number))));
    let mut report = sample::of(held.map(|(number, sight)| seen(number, *sight)).collect());
    report.started += time::Duration::minutes(minute);
    report.vantage.label = label.map(str::to_owned);
    report.partial = shard.is_some();
    report.declared = shard.map(|_| usize::from(ALL));
    report.shard = shard;
    report
}

fn given(reports: &[RoundReport]) -> Vec<Given> {
    let named = reports.iter().enumerate();
    named
        .map(|(index, report)| Given {
            file: format!("{index}.json"),
            report: report.clone(),
        })
        .collect()
}

fn merged(reports: &[RoundReport]) -> RoundReport {
    merge(given(reports), &[], &Rules::default())
        .unwrap()
        .report
}

fn expecting(reports: &[RoundReport], expected: usize) -> RoundReport {
    let rules = Rules {
        expected: Some(expected),
        ..Rules::default()
    };
    merge(given(reports), &[], &rules).unwrap().report
}

fn refused(reports: &[RoundReport]) -> Error {
    merge(given(reports), &[], &Rules::default()).unwrap_err()
}

fn of(report: &RoundReport, number: u8) -> &Finding {
    let mut findings = report.findings.iter();
    findings.find(|f| f.target.name == name(number)).unwrap()
}

/// Every shard of a vantage.
fn shards(label: Option<&str>, of: u32, minute: i64, sights: &[Sight]) -> Vec<RoundReport> {
    (1..=of)
        .map(|index| {
            let shard = format!("{index}/{of}");
            round(label, Some(&shard), minute + i64::from(index), sights)
        })
        .collect()
}

fn loads(report: &RoundReport) -> bool {
    json::parse(&sample::written(report)).is_ok_and(|read| read == *report)
}

#[test]
fn shards_make_the_round_of_the_whole_list() {
    let sights = [Sight::Silent, Sight::Open, Sight::Blind, Sight::Refused];
    let whole = round(None, None, 0, &sights);
    let merged = merged(&shards(None, 3, 0, &sights));
    assert_eq!(merged.missing, []);
    assert!(!merged.partial);
    assert_eq!(
        (merged.verdict, merged.totals),
        (whole.verdict, whole.totals)
    );
    let names = |report: &RoundReport| -> Vec<String> {
        report
            .findings
            .iter()
            .map(|f| f.target.name.clone())
            .collect()
    };
    assert_eq!(names(&merged), names(&whole));
    assert!(loads(&merged));
}

#[test]
fn no_silence_outvotes_a_handshake_and_each_says_what_it_saw() {
    let merged = merged(&[
        round(Some("eu"), None, 0, &[Sight::Silent]),
        round(Some("us"), None, 1, &[Sight::Open]),
        round(Some("ap"), None, 2, &[Sight::Blind]),
    ]);
    assert_eq!(merged.verdict, Verdict::Exposed);
    let finding = of(&merged, 3);
    assert_eq!(finding.verdict, Verdict::Exposed);
    assert_eq!(finding.endpoints[0].reach, Some(Reach::Connected));
    let saw: Vec<_> = finding
        .vantages
        .iter()
        .map(|s| (s.vantage.as_str(), s.verdict))
        .collect();
    assert_eq!(
        saw,
        [
            ("us", Verdict::Exposed),
            ("ap", Verdict::Inconclusive),
            ("eu", Verdict::Blocked)
        ]
    );
    let style = Style {
        color: false,
        width: 0,
        verbose: false,
    };
    let line = "exposed from us (connected); inconclusive from ap; blocked from eu (no_answer)";
    assert!(console::render(&merged, style).contains(line));
    assert!(
        junit::render(&merged, Dialect::Located)
            .unwrap()
            .contains(line)
    );
    let markdown = summary::render(&merged, summary::LIMIT);
    assert!(
        markdown.contains("exposed from `us` (connected); inconclusive from `ap`"),
        "{markdown}"
    );
    assert!(loads(&merged));
}

#[test]
fn blocked_from_here_and_not_seen_from_there_is_not_blocked() {
    let merged = merged(&[
        round(Some("eu"), None, 0, &[Sight::Silent]),
        round(Some("us"), None, 1, &[Sight::Blind]),
    ]);
    assert_eq!(merged.verdict, Verdict::Inconclusive);
    assert!(loads(&merged));
}

#[test]
fn a_waiver_covers_what_one_vantage_saw_and_not_what_another_could_not() {
    let rank = |sights: [Sight; 2]| {
        let merged = merged(&[
            round(Some("eu"), None, 0, &sights[..1]),
            round(Some("us"), None, 1, &sights[1..]),
        ]);
        assert!(loads(&merged));
        of(&merged, 0).rank()
    };
    assert_eq!(rank([Sight::Waived, Sight::Waived]), Rank::Waived);
    assert_eq!(rank([Sight::Waived, Sight::Silent]), Rank::Waived);
    assert_eq!(rank([Sight::Waived, Sight::Blind]), Rank::Inconclusive);
    assert_eq!(rank([Sight::Waived, Sight::Partly]), Rank::Inconclusive);
    assert_eq!(rank([Sight::Waived, Sight::Open]), Rank::Exposed);
}

#[test]
fn a_missing_shard_is_named_and_everywhere_shown() {
    let mut reports = shards(Some("eu"), 4, 0, &[Sight::Silent]);
    let lost = reports.remove(2).findings.len();
    assert!(lost > 0);
    let merged = merged(&reports);
    let shard = Shard { index: 3, of: 4 };
    let vantage = Some("eu".to_owned());
    assert_eq!(merged.missing, [Missing::Shard { shard, vantage }]);
    assert_eq!(merged.verdict, Verdict::Inconclusive);
    assert!(merged.partial);
    assert_eq!(merged.totals.blocked, usize::from(ALL) - lost);
    let style = Style {
        color: false,
        width: 0,
        verbose: false,
    };
    let says = "shard 3/4 from eu: its round is not there";
    let console = console::render(&merged, style);
    assert!(
        console.contains(&format!("missing       {says}")),
        "{console}"
    );
    assert!(annotations::render(&merged).starts_with("::warning "));
    assert!(annotations::render(&merged).contains(says));
    assert!(summary::render(&merged, summary::LIMIT).contains("shard `3/4` from `eu`"));
    // Whoever reads the cases alone must not take it for a pass.
    let xml = junit::render(&merged, Dialect::Strict).unwrap();
    assert!(xml.contains("<error type=\"missing\""), "{xml}");
    assert!(xml.contains("errors=\"1\""), "{xml}");
    assert!(loads(&merged));
}

#[test]
fn a_vantage_that_is_gone_does_not_turn_its_handshake_into_a_block() {
    let eu = shards(Some("eu"), 2, 0, &[Sight::Silent]);
    let us = shards(Some("us"), 2, 10, &[Sight::Open]);
    let some = [eu.clone(), vec![us[0].clone()]].concat();
    let report = merged(&some);
    for finding in &report.findings {
        let from_us = us[0].shard.unwrap().holds(&finding.target.name);
        let expected = if from_us {
            Verdict::Exposed
        } else {
            Verdict::Inconclusive
        };
        assert_eq!(finding.verdict, expected);
    }
    assert!(loads(&report));
    // Without one of its shards nobody knows of it, unless somebody counts.
    assert_eq!(merged(&eu).verdict, Verdict::Blocked);
    let report = expecting(&eu, 4);
    assert_eq!(
        report.missing,
        [Missing::Rounds {
            expected: 4,
            found: 2
        }]
    );
    assert_eq!(report.totals.inconclusive, usize::from(ALL));
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(loads(&report));
    // Merged again with the rest, it is what it would have been at once.
    let all = [eu, us].concat();
    let again = expecting(&[report, all[2].clone(), all[3].clone()], 4);
    assert_eq!(again.findings, merged(&all).findings);
    assert_eq!(again.missing, []);
}

#[test]
fn vantages_without_a_label_are_told_apart_by_number() {
    let eu = shards(None, 3, 0, &[Sight::Silent]);
    let us = shards(None, 3, 10, &[Sight::Refused]);
    assert_eq!(
        merged(&[eu.clone(), us.clone()].concat()).verdict,
        Verdict::Blocked
    );
    let merged = merged(&[&eu[..], &us[..2]].concat());
    let shard = Shard { index: 3, of: 3 };
    assert_eq!(
        merged.missing,
        [Missing::Shard {
            shard,
            vantage: None
        }]
    );
    assert_eq!(merged.verdict, Verdict::Inconclusive);
}

#[test]
fn what_only_one_whole_round_has_was_not_looked_at_from_the_other() {
    let eu = round(Some("eu"), None, 0, &[Sight::Silent]);
    let mut us = round(Some("us"), None, 1, &[Sight::Silent]);
    let gone = us.findings.remove(4).target.name;
    us.totals = Totals::of(&us.findings);
    let report = merged(&[eu.clone(), us.clone()]);
    let targets = vec![gone];
    assert_eq!(
        report.missing,
        [Missing::Targets {
            vantage: "us".to_owned(),
            targets
        }]
    );
    assert_eq!(
        of(&report, 4).reason,
        Reason::NotLookedAt {
            from: "us".to_owned()
        }
    );
    assert_eq!(report.totals.inconclusive, 1);
    assert!(loads(&report));
    // A round that was asked for some targets alone did what it was asked for.
    us.partial = true;
    assert_eq!(merged(&[eu, us.clone()]).verdict, Verdict::Blocked);
    let report = merged(&[us]);
    assert!(report.partial && report.verdict == Verdict::Blocked);
}

#[test]
fn shards_of_two_versions_of_a_configuration_do_not_add_up() {
    let mut reports = shards(None, 2, 0, &[Sight::Silent]);
    reports[0].findings.pop();
    reports[0].totals = Totals::of(&reports[0].findings);
    reports[0].declared = Some(usize::from(ALL) - 1);
    let merged = merged(&reports);
    assert!(
        matches!(&merged.missing[..], [Missing::Targets { targets, .. }] if targets.is_empty())
    );
    assert_eq!(merged.verdict, Verdict::Inconclusive);
    assert!(loads(&merged));
}

#[test]
fn an_empty_shard_is_there_and_claims_nothing() {
    // Of twelve targets in as many shards, some shard has none.
    let reports = shards(None, 12, 0, &[Sight::Silent]);
    let empty = reports.iter().position(|r| r.findings.is_empty()).unwrap();
    assert_eq!(reports[empty].verdict, Verdict::Inconclusive);
    assert!(loads(&reports[empty]));
    let whole = merged(&reports);
    assert_eq!((whole.verdict, whole.missing.len()), (Verdict::Blocked, 0));
    let mut without = reports.clone();
    without.remove(empty);
    assert_eq!(merged(&without).verdict, Verdict::Inconclusive);
    assert_eq!(
        merged(&reports[empty..=empty]).verdict,
        Verdict::Inconclusive
    );
    let style = Style {
        color: false,
        width: 0,
        verbose: false,
    };
    let text = console::render(&reports[empty], style);
    assert!(
        text.contains("has none of 12 targets: nothing was looked at"),
        "{text}"
    );
    assert!(!text.contains("blocked"), "{text}");
    assert!(annotations::render(&reports[empty]).starts_with("::warning "));
}

#[test]
fn what_cannot_be_read_is_missing() {
    let unread = [Unread {
        file: "2.json".to_owned(),
        why: "not JSON".to_owned(),
    }];
    let one = |reports: &[RoundReport]| {
        merge(given(reports), &unread, &Rules::default())
            .unwrap()
            .report
    };
    // It may have been another vantage's.
    let report = one(&[round(Some("eu"), None, 0, &[Sight::Silent])]);
    assert_eq!(report.totals.inconclusive, usize::from(ALL));
    assert!(loads(&report));
    // Or the shard that is not there: then the others are what they are.
    let mut reports = shards(Some("eu"), 2, 0, &[Sight::Silent]);
    reports.pop();
    let report = one(&reports);
    assert_eq!(report.totals.inconclusive, 0);
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert_eq!(report.missing.len(), 2);
    assert!(loads(&report));
    let error = merge(Vec::new(), &unread, &Rules::default()).unwrap_err();
    assert_eq!(error, Error::Nothing);
}

#[test]
fn a_job_that_ran_again_does_not_stand_for_a_vantage_that_is_gone() {
    let again = |shards: Vec<RoundReport>| {
        let later = shards.clone().into_iter().map(|mut round| {
            round.started += time::Duration::minutes(30);
            round
        });
        shards.into_iter().chain(later).collect::<Vec<_>>()
    };
    let whole = vec![round(Some("eu"), None, 0, &[Sight::Silent])];
    let mut some = whole.clone();
    some[0].partial = true;
    let parts = shards(Some("eu"), 2, 0, &[Sight::Silent]);
    for (reports, found) in [(again(whole), 1), (again(some), 1), (again(parts), 2)] {
        let expected = reports.len();
        let report = expecting(&reports, expected);
        assert_eq!(report.missing, [Missing::Rounds { expected, found }]);
        assert_eq!(report.totals.blocked, 0);
        assert!(loads(&report));
        // By itself it is one look more, and nothing is missing.
        assert_eq!(merged(&reports).verdict, Verdict::Blocked);
    }
}

#[test]
fn merged_again_nothing_that_was_missing_is_found_by_its_number_alone() {
    let alone = |label, minute| round(Some(label), None, minute, &[Sight::Silent]);
    let [eu, us] = [alone("eu", 0), alone("us", 1)];
    // A file that could not be read is no round of another vantage.
    let unread = [Unread {
        file: "ap.json".to_owned(),
        why: "not JSON".to_owned(),
    }];
    let without = merge(given(std::slice::from_ref(&eu)), &unread, &Rules::default());
    let report = merged(&[without.unwrap().report, us.clone()]);
    assert_eq!(report.totals.blocked, 0, "{:?}", report.missing);
    assert!(loads(&report));
    // Two merges that lack one each lack two, and what both have in common is lacking once.
    let [one, other] = [eu, us].map(|round| expecting(&[round], 2));
    let report = merged(&[one.clone(), other.clone()]);
    let missing = [Missing::Rounds {
        expected: 4,
        found: 2,
    }];
    assert_eq!(report.missing, missing);
    assert_eq!(report.totals.blocked, 0);
    assert!(loads(&report));
    assert_eq!(merged(&[report.clone(), one, other]).missing, missing);
    assert_eq!(merged(&[report]).missing, missing);
}

#[test]
fn rounds_that_make_no_sense_together_are_refused() {
    let one = round(Some("eu"), None, 0, &[Sight::Silent]);
    let other = |change: &dyn Fn(&mut RoundReport)| {
        let mut other = round(Some("us"), None, 1, &[Sight::Open]);
        change(&mut other);
        refused(&[one.clone(), other])
    };
    assert!(matches!(
        other(&|r| "b.yml".clone_into(&mut r.config)),
        Error::Config { .. }
    ));
    assert!(matches!(
        other(&|r| r.incidents.close_after = 9),
        Error::Plan { .. }
    ));
    let declared = |change: &dyn Fn(&mut Finding)| other(&|r| change(&mut r.findings[2]));
    let address = declared(&|f| "b.example.com:443".clone_into(&mut f.target.address));
    assert!(matches!(address, Error::Target { target, .. } if target == name(2)));
    let denial = declared(&|f| f.target.denial.stops.clear());
    assert!(matches!(denial, Error::Target { .. }));
    let apart = other(&|r| r.started += time::Duration::hours(25));
    assert_eq!(
        apart.to_string().split(": ").next().unwrap(),
        "1.json began 26 hours after 0.json"
    );
    // The same round, and not the same evidence.
    let mut twofold = one.clone();
    twofold.controls.clear();
    assert!(matches!(
        refused(&[one.clone(), twofold]),
        Error::Twofold { .. }
    ));
    let rules = Rules {
        expected: Some(1),
        ..Rules::default()
    };
    let two = [one.clone(), round(None, None, 2, &[Sight::Silent])];
    let error = merge(given(&two), &[], &rules).unwrap_err();
    assert_eq!(
        error,
        Error::TooMany {
            expected: 1,
            found: 2
        }
    );
    // What is not about the promise may differ.
    let mut moved = round(Some("us"), None, 400, &[Sight::Silent]);
    moved.findings[0].target.position.line += 1;
    moved.findings[0]
        .target
        .notify
        .labels
        .push("ops".to_owned());
    moved.noentry = "0.2.0".to_owned();
    let rules = Rules {
        within: Duration::from_hours(7),
        ..Rules::default()
    };
    let report = merge(given(&[one, moved]), &[], &rules).unwrap().report;
    assert_eq!(report.verdict, Verdict::Blocked);
    let style = Style {
        color: false,
        width: 0,
        verbose: false,
    };
    assert!(console::render(&report, style).contains("round 2, noentry 0.2.0: seen from us"));
}

#[test]
fn a_round_that_is_given_twice_counts_once() {
    let eu = round(Some("eu"), None, 0, &[Sight::Silent]);
    let twice = merge(given(&[eu.clone(), eu.clone()]), &[], &Rules::default()).unwrap();
    assert_eq!(twice.repeated, ["1.json"]);
    assert_eq!(twice.report, merged(std::slice::from_ref(&eu)));
    assert_eq!(
        expecting(&[eu.clone(), eu], 2).verdict,
        Verdict::Inconclusive
    );
}

#[test]
fn what_one_round_withholds_the_whole_withholds() {
    let eu = round(Some("eu"), None, 0, &[Sight::Silent]);
    let us = round(Some("us"), None, 1, &[Sight::Open]);
    let report = merged(&[eu.withheld(), us.clone()]);
    assert!(report.withheld && report.verdict == Verdict::Exposed);
    assert!(
        report
            .findings
            .iter()
            .all(|f| f.withheld && f.endpoints.is_empty())
    );
    assert!(loads(&report));
    let text = sample::written(&report);
    for secret in [
        "example.com",
        "20.9.0.1",
        "93.184",
        "GitHub Actions 7",
        "1.1.1.1",
        "connected",
    ] {
        assert!(!text.contains(secret), "{secret}");
    }
    let who = "exposed from us; blocked from eu";
    let style = Style {
        color: false,
        width: 0,
        verbose: true,
    };
    assert!(console::render(&report, style).contains(who));
    // The same round, once with and once without.
    let report = merged(&[us.withheld(), us]);
    assert!(report.withheld && report.rounds.len() == 1);
    // What is wrong with a report may quote it.
    let unread = [Unread {
        file: "2.json".to_owned(),
        why: "\"10.1.2.3\" is no URL".to_owned(),
    }];
    let report = merge(given(&[eu.withheld()]), &unread, &Rules::default())
        .unwrap()
        .report;
    assert!(loads(&report) && !sample::written(&report).contains("10.1.2.3"));
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[test]
fn an_interrupted_round_is_one_and_the_advice_is_each_vantages_own() {
    let mut eu = round(Some("eu"), None, 0, &[Sight::Blind]);
    eu.interrupted = true;
    let us = round(Some("us"), None, 1, &[Sight::Silent]);
    let report = merged(&[eu.clone(), us]);
    assert!(report.interrupted);
    assert_eq!(hint::hints(&report), hint::hints(&eu));
}

/// A sound merged report that is changed: whether it is refused.
fn forged(reports: &[RoundReport], change: impl Fn(&mut RoundReport)) -> bool {
    let mut report = merged(reports);
    assert!(loads(&report));
    change(&mut report);
    report.verdict = RoundReport::overall(&report.findings, &report.missing);
    report.totals = Totals::of(&report.findings);
    json::parse(&sample::written(&report)).is_err()
}

#[test]
fn a_merged_report_that_claims_too_much_is_refused() {
    let (eu, us) = (
        round(Some("eu"), None, 0, &[Sight::Silent]),
        round(Some("us"), None, 1, &[Sight::Refused]),
    );
    let both = [eu.clone(), us.clone()];
    assert!(!forged(&both, |_| {}));
    // Each vantage's silence needs its own control; that another held makes no difference.
    for round in [0, 1] {
        let rests = |r: &RoundReport| r.findings[0].vantages[0].round == round;
        let lost = |r: &mut RoundReport| r.rounds[round].controls[0].checks[1].endpoints.clear();
        let standing = rests(&merged(&both));
        assert_eq!(forged(&both, lost), standing);
    }
    assert!(forged(&both, |r| r.controls = r.rounds[0].controls.clone()));
    assert!(forged(&both, |r| r.rounds.clear()));
    assert!(forged(&both, |r| r.findings[0].vantages.clear()));
    assert!(forged(&both, |r| r.findings[0].vantages[1].round = 7));
    assert!(forged(&both, |r| r.findings[0].vantages[1].round =
        r.findings[0].vantages[0].round));
    assert!(forged(&both, |r| r.findings[0].vantages[1].verdict =
        Verdict::Exposed));
    // A look that is gone makes its round one that did not look.
    assert!(forged(&both, |r| drop(r.findings[0].vantages.pop())));
    assert!(forged(&both, |r| r.partial = true));
    let open = [eu.clone(), round(Some("us"), None, 1, &[Sight::Open])];
    assert!(forged(&open, |r| r.findings[0] = Finding {
        vantages: r.findings[0].vantages.clone(),
        ..seen(0, Sight::Silent)
    }));
    let mut three = shards(Some("eu"), 3, 0, &[Sight::Silent]);
    three.pop();
    assert!(forged(&three, |r| {
        r.missing.clear();
        r.partial = false;
    }));
    assert!(forged(&three, |r| r.rounds[0].shard = Some(Shard {
        index: 1,
        of: 4_000_000_000
    })));
    let gone = [three, vec![us]].concat();
    assert!(forged(&gone, |r| {
        let doubted = r
            .findings
            .iter_mut()
            .find(|f| f.is_unconfirmed_block())
            .unwrap();
        doubted.undoubt_block();
    }));
    // A shard is not the whole.
    let mut shard = round(None, Some("1/2"), 0, &[Sight::Silent]);
    shard.partial = false;
    assert!(!loads(&shard));
    // A round of its own must not look like a merged one.
    let mut alone = eu;
    alone.missing.push(Missing::Rounds {
        expected: 2,
        found: 1,
    });
    alone.verdict = Verdict::Inconclusive;
    assert!(json::parse(&sample::written(&alone)).is_err());
}

/// Up to three vantages, each with as many shards as it has, or none, and what it sees.
#[derive(Clone, Debug)]
struct Estate {
    vantages: Vec<(Option<u32>, Vec<Sight>)>,
    labelled: bool,
}

impl Estate {
    fn rounds(&self) -> Vec<RoundReport> {
        let labels = ["eu", "us", "ap"].into_iter();
        let mut reports = Vec::new();
        for ((of, sights), (label, minute)) in self.vantages.iter().zip(labels.zip([0, 10, 20])) {
            let label = self.labelled.then_some(label);
            match of {
                Some(of) => reports.extend(shards(label, *of, minute, sights)),
                None => reports.push(round(label, None, minute, sights)),
            }
        }
        reports
    }
}

fn any_estate() -> impl Strategy<Value = Estate> {
    let sights = prop::collection::vec(prop::sample::select(SIGHTS.to_vec()), usize::from(ALL));
    let vantage = (prop::option::of(1..=4_u32), sights);
    let vantages = prop::collection::vec(vantage, 1..=3);
    (vantages, any::<bool>()).prop_map(|(vantages, labelled)| Estate { vantages, labelled })
}

fn worst(reports: &[RoundReport], number: u8) -> Verdict {
    let findings = reports.iter().flat_map(|r| &r.findings);
    let own = findings.filter(|f| f.target.name == name(number));
    own.map(|f| f.verdict).max().unwrap()
}

/// What two merged reports must agree in, however they came about.
fn essence(report: &RoundReport) -> impl PartialEq + std::fmt::Debug {
    let findings = report.findings.iter();
    let findings: Vec<_> = findings
        .map(|f| {
            (
                f.target.name.clone(),
                f.verdict,
                f.rank(),
                f.vantages.clone(),
            )
        })
        .collect();
    (
        report.verdict,
        report.totals,
        report.missing.clone(),
        report.partial,
        findings,
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn the_worst_stands_and_nothing_is_lost(estate in any_estate()) {
        let reports = estate.rounds();
        let merged = merged(&reports);
        prop_assert_eq!(&merged.missing, &[]);
        prop_assert_eq!(merged.findings.len(), usize::from(ALL));
        for number in 0..ALL {
            prop_assert_eq!(of(&merged, number).verdict, worst(&reports, number));
        }
        let open = reports.iter().flat_map(|r| &r.findings).filter(|f| f.rank() == Rank::Exposed);
        for finding in open {
            let mut own = merged.findings.iter().filter(|f| f.target.name == finding.target.name);
            prop_assert_eq!(own.next().unwrap().rank(), Rank::Exposed);
        }
        let passes = reports.iter().filter(|r| !r.is_empty_shard()).all(|r| r.verdict == Verdict::Blocked);
        prop_assert!(passes || merged.verdict != Verdict::Blocked);
        prop_assert!(loads(&merged));
    }

    #[test]
    fn neither_order_nor_steps_nor_repetition_matter(
        estate in any_estate(),
        order in any::<prop::sample::Index>(),
        cut in any::<prop::sample::Index>(),
    ) {
        let reports = estate.rounds();
        let whole = merged(&reports);
        let mut turned = reports.clone();
        turned.rotate_left(order.index(reports.len()));
        turned.reverse();
        prop_assert_eq!(&merged(&turned), &whole);
        let (some, rest) = turned.split_at(cut.index(turned.len()));
        if !some.is_empty() {
            let stepwise = merged(&[merged(some), merged(rest)]);
            prop_assert_eq!(essence(&stepwise), essence(&whole));
        }
        prop_assert_eq!(&merged(std::slice::from_ref(&whole)), &whole);
        let doubled = [&reports[..], &reports[..]].concat();
        prop_assert_eq!(&merged(&doubled), &whole);
    }

    #[test]
    fn without_one_round_nothing_passes(estate in any_estate(), lost in any::<prop::sample::Index>()) {
        let reports = estate.rounds();
        let mut some = reports.clone();
        let gone = some.remove(lost.index(reports.len()));
        if some.is_empty() {
            return Ok(());
        }
        // Whoever counts knows it, whichever round it was.
        let counted = expecting(&some, reports.len());
        prop_assert!(counted.verdict != Verdict::Blocked);
        prop_assert!(counted.partial);
        prop_assert!(loads(&counted));
        // A block that the missing round could have contradicted is none.
        for finding in counted.findings.iter().filter(|f| f.verdict == Verdict::Blocked) {
            prop_assert!(gone.shard.is_some_and(|shard| !shard.holds(&finding.target.name)));
        }
        // The shards of its own vantage know it too.
        let kin = |r: &RoundReport| {
            r.vantage.label == gone.vantage.label && r.shard.map(|s| s.of) == gone.shard.map(|s| s.of)
        };
        if gone.shard.is_some() && gone.vantage.label.is_some() && some.iter().any(kin) {
            prop_assert!(merged(&some).verdict != Verdict::Blocked);
        }
    }

    #[test]
    fn what_is_withheld_counts_as_what_is_not(
        estate in any_estate(),
        which in prop::collection::vec(any::<bool>(), 12),
        lost in any::<prop::sample::Index>(),
    ) {
        let mut reports = estate.rounds();
        let all = reports.len();
        if all > 1 {
            reports.remove(lost.index(all));
        }
        let full = expecting(&reports, all);
        let some: Vec<RoundReport> = reports
            .iter()
            .zip(which.iter().cycle())
            .map(|(report, withheld)| if *withheld { report.withheld() } else { report.clone() })
            .collect();
        let report = expecting(&some, all);
        let ranks = |report: &RoundReport| -> Vec<Rank> {
            report.findings.iter().map(Finding::rank).collect()
        };
        prop_assert_eq!(ranks(&report), ranks(&full));
        prop_assert_eq!((report.verdict, report.partial), (full.verdict, full.partial));
        prop_assert!(loads(&report));
        prop_assert_eq!(report.withheld, some.iter().any(|r| r.withheld));
        // And once more with what was withheld only now.
        prop_assert_eq!(ranks(&merged(&[full.withheld()])), ranks(&full));
    }

    #[test]
    fn every_form_shows_what_is_missing(estate in any_estate(), lost in any::<prop::sample::Index>()) {
        let reports = estate.rounds();
        let mut some = reports.clone();
        some.remove(lost.index(reports.len()));
        if some.is_empty() {
            return Ok(());
        }
        let report = expecting(&some, reports.len());
        let style = Style { color: false, width: 80, verbose: true };
        let text = console::render(&report, style);
        prop_assert!(text.contains("\nmissing  "), "{}", text);
        prop_assert!(!annotations::render(&report).starts_with("::notice"));
        let xml = junit::render(&report, Dialect::Strict).unwrap();
        prop_assert!(xml.contains("<error type=\"missing\""));
        prop_assert!(summary::render(&report, summary::LIMIT).contains("Missing, so this is no pass"));
        let words = hint::hints(&report);
        prop_assert!(words.iter().all(|hint| !hint.to_string().is_empty()));
    }
}
