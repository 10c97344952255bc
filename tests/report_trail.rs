//! What the trail says about every sample finding: the place and the mark of what is exposed, and the
//! commands with which a person sees the same.

mod sample;

use std::fmt::Write as _;

use noentry::domain::finding::Finding;
use noentry::domain::rank::Rank;
use noentry::domain::report::RoundReport;
use noentry::domain::trail::{Notify, TrailProblem, TrailReport};
use noentry::domain::verdict::Verdict;
use noentry::incident::body;
use noentry::incident::state::Fingerprint;
use noentry::incident::{Part, Subject};
use noentry::report::{incidents, trail};

#[test]
fn every_exposure_says_where_and_how_to_see_it() {
    let mut out = String::new();
    for report in [sample::round(), sample::doors::round()] {
        let findings = report.findings.iter();
        for finding in findings.filter(|f| f.verdict == Verdict::Exposed) {
            writeln!(
                out,
                "== {}: {}",
                finding.target.name,
                trail::headline(finding)
            )
            .unwrap();
            let exposed = trail::exposed(finding);
            assert!(!exposed.is_empty());
            for (place, mark) in exposed {
                writeln!(out, "{place}: {mark}").unwrap();
            }
            let commands = trail::reproduce(finding);
            assert!(!commands.is_empty(), "{}", finding.target.name);
            for command in commands {
                writeln!(out, "$ {command}").unwrap();
            }
        }
    }
    insta::assert_snapshot!("trail", out);
}

#[test]
fn what_is_not_exposed_has_nothing_to_see() {
    for report in [sample::round(), sample::doors::round()] {
        let findings = report.findings.iter();
        for finding in findings.filter(|f| f.verdict != Verdict::Exposed) {
            assert_eq!(trail::exposed(finding), [], "{}", finding.target.name);
            if finding.target.kind != "dns" {
                assert_eq!(
                    trail::reproduce(finding),
                    [""; 0],
                    "{}",
                    finding.target.name
                );
            }
        }
    }
}

#[test]
fn hostile_findings_leave_no_comment_and_no_fence_in_the_details() {
    let report = sample::hostile::round();
    assert!(!report.findings.is_empty());
    for finding in &report.findings {
        let parts = trail::exposed(finding).into_iter();
        let details = body::details(&Subject {
            name: finding.target.name.clone(),
            fingerprint: Fingerprint::target(&finding.target.name, &report.config),
            verdict: finding.verdict,
            waived: false,
            reach: finding.reach,
            parts: parts.map(|(place, mark)| Part { place, mark }).collect(),
            headline: trail::headline(finding),
            evidence: trail::evidence(finding),
            reproduce: trail::reproduce(finding),
            declared: finding.target.position.to_string(),
            source: None,
            notify: Notify::default(),
            confirmed: true,
            withheld: false,
        });
        assert!(
            !details.contains("<!--") && !details.contains("-->"),
            "{details}"
        );
        let fences = details
            .lines()
            .filter(|l| l.trim_start().starts_with("```"));
        let fences = fences.count();
        assert!(fences == 0 || fences == 2, "{details}");
        assert!(details.contains("\n| target | "), "{details}");
    }
}

#[test]
fn an_exposure_that_is_in_no_incident_is_annotated_where_it_is_declared() {
    let problem = |target: Option<&str>| TrailProblem {
        place: "org/trail".to_owned(),
        what: "cannot open an issue:\n::error::forged".to_owned(),
        target: target.map(str::to_owned),
    };
    let round = sample::round();
    let exposed = |f: &&Finding| f.rank() == Rank::Exposed;
    let finding = round.findings.iter().find(exposed).unwrap();
    let name = finding.target.name.clone();
    let line = finding.target.position.line;
    let told = |problems: Vec<TrailProblem>| {
        let trail = Some(TrailReport {
            problems,
            ..TrailReport::default()
        });
        incidents::annotations(&RoundReport {
            trail,
            ..sample::round()
        })
    };
    assert_eq!(told(Vec::new()), "");
    // What has an exposure behind it comes first, and what is left out is counted.
    let mut problems = vec![problem(None); 12];
    problems.push(problem(Some(&name)));
    let text = told(problems);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 10, "{text}");
    let first = format!("::warning file=noentry.yml,line={line},col=");
    assert!(lines[0].starts_with(&first), "{text}");
    assert!(
        lines[0].contains("title=exposed%2C not in the trail%3A "),
        "{text}"
    );
    assert!(lines[1].starts_with("::warning file=noentry.yml,title=incident trail::"));
    assert!(lines[9].contains("4 problems more"), "{text}");
    assert!(!text.contains("\n::error"), "{text}");
}
