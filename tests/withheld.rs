//! Rounds whose details are withheld: nothing of what must not be known is in any format, and what is
//! left cannot be turned into more.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use std::collections::BTreeSet;

use noentry::domain::endpoint::{Endpoint, Transport};
use noentry::domain::finding::Finding;
use noentry::domain::observation::{Blind, Evidence};
use noentry::domain::rank::Rank;
use noentry::domain::reach::Reach;
use noentry::domain::report::{Coverage, RoundReport, Surface, Totals, Watch};
use noentry::domain::trail::Links;
use noentry::domain::verdict::{Reason, RestsOn, Verdict};
use noentry::domain::way::{Distance, PortProof, ReachedPort, Way};
use noentry::merge::{Given, Rules, merge};
use noentry::report::console::{self, Style};
use noentry::report::hint::hints;
use noentry::report::junit::{self, Dialect};
use noentry::report::outputs::{self, Paths};
use noentry::report::{annotations, json, summary, trail};
use serde_json::Value;

/// All sample rounds. Lines and dates have numbers that no port has.
fn rounds() -> Vec<(&'static str, RoundReport)> {
    let mut hostile = sample::hostile::round();
    // What stays is made harmless, so that what goes can be told from it.
    "noentry.yml".clone_into(&mut hostile.config);
    "0.1.0".clone_into(&mut hostile.noentry);
    "local".clone_into(&mut hostile.vantage.environment);
    "linux".clone_into(&mut hostile.vantage.system);
    "Hostile".clone_into(&mut hostile.findings[0].target.name);
    hostile.coverage[0].targets = vec!["Hostile".to_owned()];
    let mut rounds = vec![
        ("round", sample::round()),
        ("doors", sample::doors::round()),
        ("inside", sample::doors::inside_round()),
        ("waivers", sample::waivers::round()),
        ("hostile", hostile),
        ("own side", own_side()),
    ];
    for (_, round) in &mut rounds {
        for (finding, line) in round.findings.iter_mut().zip(9001..) {
            finding.target.position.line = line;
            "noentry.yml".clone_into(&mut finding.target.position.file);
        }
        for (index, control) in round.controls.iter_mut().enumerate() {
            control.targets = vec![format!("Only of control {index}")];
        }
        round.vantage.name = Some("Runner in the cellar".to_owned());
    }
    let given = ["attic", "roof"].into_iter().zip(1..).map(|(label, hour)| {
        let mut report = own_side();
        report.vantage.label = Some(label.to_owned());
        report.started += time::Duration::hours(hour);
        Given {
            file: format!("{label}.json"),
            report,
        }
    });
    let merged = merge(given.collect(), &[], &Rules::default()).unwrap();
    rounds.push(("merged", merged.report));
    rounds
}

/// A round that says all there is to say of its own side: ways, ports, and whatever a control or this
/// machine can have been lacking.
fn own_side() -> RoundReport {
    let way = || {
        Some(Way {
            distance: Distance::Beyond,
            interface: "cellar".to_owned(),
            gateway: "198.18.7.1".parse().ok(),
            source: "198.18.7.2".parse().ok(),
        })
    };
    let control = || "any.cellar.example:*".to_owned();
    let class = Endpoint::tcp(sample::ip("20.7.0.1"), 7022).class();
    let reasons = [
        Reason::NoControl { class: Some(class) },
        Reason::ControlLost { control: control() },
        Reason::PortUnproven {
            transport: Transport::Tcp,
            port: 7023,
        },
        Reason::ControlOnOtherWay { control: control() },
        Reason::ControlTooNear { control: control() },
        Reason::ControlDoubtful { control: control() },
        Reason::ControlNotBetween { control: control() },
        Reason::TooFast,
        Reason::Filtered,
        Reason::ForeignCertificate,
        Reason::Blind {
            cause: Blind::OwnNetwork,
        },
        Reason::Blind {
            cause: Blind::OwnGateway,
        },
        Reason::Blind {
            cause: Blind::ReversePath,
        },
    ];
    let finding = |number: u8, judged| {
        let name = format!("Own side {number}");
        let host = format!("own{number}.example.com:7022");
        let mut tried =
            sample::endpoint(&format!("20.7.0.{number}"), 7022, judged, sample::silence());
        let mut http = sample::http(403, &[], None);
        http.filter = Some("Filter of the cellar".to_owned());
        tried.attempts[0].evidence = Some(Box::new(Evidence {
            http: Some(http),
            ..Evidence::default()
        }));
        tried.way = way();
        tried.rests_on = tried.rests_on.map(|_| RestsOn {
            control: control(),
            port: PortProof::Reached {
                at: "20.7.7.7:7022".to_owned(),
            },
            own_path: true,
        });
        sample::with(sample::target(&name, "tcp", &host, 7022, 1), vec![tried])
    };
    let mut findings = vec![finding(0, sample::blocked())];
    findings.extend(
        (1..)
            .zip(&reasons)
            .map(|(number, reason)| finding(number, sample::unsure(reason.clone()))),
    );
    let mut report = sample::of(findings);
    report.coverage = reasons
        .into_iter()
        .map(|reason| Coverage {
            surface: Surface::Tcp,
            family: None,
            watch: Watch::NotWatchable,
            reason: Some(reason),
            targets: vec!["Own side 1".to_owned()],
        })
        .collect();
    report.vantage.ports = vec![ReachedPort {
        endpoint: Endpoint::tcp(sample::ip("20.7.7.7"), 7022),
        way: way(),
    }];
    report.vantage.reverse_path_drops = Some(73_129);
    report.controls[0].name = control();
    report.controls[0].every_port = true;
    for check in &mut report.controls[0].checks {
        check.endpoints[0].way = way();
    }
    report
}

/// Every format that a round is shown in.
fn formats(report: &RoundReport) -> Vec<(&'static str, String)> {
    let console = |verbose, color| {
        let width = if verbose { 0 } else { 100 };
        let style = Style {
            color,
            width,
            verbose,
        };
        console::render(report, style)
    };
    let outputs: Vec<String> = outputs::render(report, Paths::default())
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let of_trail = |of: &dyn Fn(&Finding) -> String| -> String {
        let texts: Vec<String> = report.findings.iter().map(of).collect();
        texts.join("\n")
    };
    let hints: Vec<String> = hints(report).iter().map(ToString::to_string).collect();
    vec![
        ("console", console(false, false)),
        ("console in colour", console(false, true)),
        ("console --verbose", console(true, false)),
        ("json", sample::written(report)),
        ("junit", junit::render(report, Dialect::Located).unwrap()),
        (
            "strict junit",
            junit::render(report, Dialect::Strict).unwrap(),
        ),
        ("summary", summary::render(report, summary::LIMIT)),
        ("annotations", annotations::render(report)),
        ("outputs", outputs.join("\n")),
        ("hints", hints.join("\n")),
        ("trail's headlines", of_trail(&trail::headline)),
        ("trail's evidence", of_trail(&trail::evidence)),
        (
            "trail's commands",
            of_trail(&|f| trail::reproduce(f).join("\n")),
        ),
        (
            "trail's places",
            of_trail(&|f| format!("{:?}", trail::exposed(f))),
        ),
    ]
}

/// What must not be known: every text and every port of the round, but for what is ours or stays.
fn secrets(report: &RoundReport) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut report = report.clone();
    // All of this stays, and is no secret.
    let names: Vec<String> = report
        .findings
        .iter()
        .map(|f| f.target.name.clone())
        .collect();
    report.coverage.clear();
    report.config.clear();
    report.noentry.clear();
    let vantages = report.rounds.iter_mut().map(|round| &mut round.vantage);
    for vantage in vantages.chain([&mut report.vantage]) {
        vantage.environment.clear();
        vantage.system.clear();
        vantage.label = None;
    }
    for round in &mut report.rounds {
        round.noentry.clear();
        round.controls.iter_mut().for_each(|c| c.position = None);
    }
    for control in &mut report.controls {
        control.position = None;
    }
    for finding in &mut report.findings {
        finding.waiver = None;
        finding.target.name.clear();
        finding.target.kind.clear();
        finding.target.position.file.clear();
    }
    gather("", &serde_json::to_value(&report).unwrap(), &mut found);
    found
        .into_iter()
        .filter(|text| !names.contains(text))
        .collect()
}

fn gather(key: &str, value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                gather(key, value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| gather(key, item, found)),
        Value::String(text) if text.contains("octocat") => {
            found.insert("octocat".to_owned());
        }
        // When it was is told.
        Value::String(_) if key == "started" => {}
        // Whatever it is called.
        Value::String(text) if key == "interface" => {
            found.insert(text.clone());
        }
        Value::Number(number) if key == "reverse_path_drops" => {
            found.insert(number.to_string());
        }
        // Words of the format itself have no capitals, dots, colons or blanks; nor have these.
        Value::String(text) => {
            let told = |c: char| !c.is_ascii_lowercase() && c != '_' && c != '-';
            let known = ["HTTP/3", "TXT", "ipv4", "ipv6"];
            let word = !text.contains(told) && (key != "payload" || text.len() < 5);
            if text.len() > 1 && !word && !known.contains(&text.as_str()) {
                found.insert(text.clone());
            }
        }
        Value::Number(number) if key == "port" => {
            for before in [
                "TCP ",
                "UDP ",
                "tcp ",
                "udp ",
                "quic ",
                "QUIC ",
                ":",
                "\"port\": ",
            ] {
                found.insert(format!("{before}{number}"));
            }
        }
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Whether a text has a secret in it: not as a part of a longer number.
fn has(text: &str, secret: &str) -> bool {
    let mut ends = text.match_indices(secret).map(|(at, _)| at + secret.len());
    let digit = |c: char| c.is_ascii_digit();
    ends.any(|end| !(secret.ends_with(digit) && text[end..].starts_with(digit)))
}

#[test]
fn no_format_tells_what_is_withheld() {
    for (round, full) in rounds() {
        let secrets = secrets(&full);
        assert!(secrets.len() > 3, "{round}: {secrets:?}");
        for (format, text) in formats(&full.withheld()) {
            for secret in &secrets {
                assert!(
                    !has(&text, secret),
                    "{round}, {format}: {secret:?} is in\n{text}"
                );
            }
        }
    }
}

/// The same search finds every secret in the full report's own file, and some in every format that has
/// any: it would see a leak.
#[test]
fn the_search_finds_what_is_not_withheld() {
    let mut seen = BTreeSet::new();
    for (round, full) in rounds() {
        let secrets = secrets(&full);
        let texts = formats(&full);
        for (format, text) in &texts {
            if secrets.iter().any(|secret| has(text, secret)) {
                seen.insert(*format);
            }
        }
        let all: String = texts.into_iter().map(|(_, text)| text).collect();
        let in_words = ["TCP ", "UDP ", "tcp ", "udp ", "quic ", "QUIC ", ":", "\""];
        for secret in &secrets {
            let port = in_words.iter().any(|before| secret.starts_with(before));
            let escaped = serde_json::to_string(secret).unwrap();
            let raw = escaped.trim_matches('"');
            assert!(port || has(&all, raw), "{round}: {secret:?} is nowhere");
        }
    }
    for what in [
        "52.28.1.1",
        "2a05:d014:10::10",
        "https://admin.example.com/login",
        "db.example.com:5432",
        "tcp 5432",
        "TCP 5432",
        ":5432",
        "\"port\": 5432",
        "www.example.com:443",
        "1.1.1.1:53",
        "awselb/2.0",
        "Admin: users and roles",
        "198.51.100.1",
    ] {
        let known = secrets(&sample::round());
        assert!(known.contains(what), "{what} is not searched for");
    }
    for what in [
        "SSH-2.0-OpenSSH_9.2p1 Debian-2\\r\\n",
        "20.99.0.7",
        "bastion.internal.example.com:22",
        "https://echo.example.net/",
        "promo-2024.hosting.example.net",
        "v=spf1 include:_spf.example.net ~all",
        "ns1.example.com",
        "UDP 53",
        "quic 8443",
    ] {
        let known = secrets(&sample::doors::round());
        assert!(known.contains(what), "{what} is not searched for");
    }
    for what in [
        "cellar",
        "198.18.7.1",
        "198.18.7.2",
        "20.7.7.7:7022",
        "20.7.7.7",
        "TCP 7023",
        "any.cellar.example:*",
        "Filter of the cellar",
        "73129",
    ] {
        let known = secrets(&own_side());
        assert!(known.contains(what), "{what} is not searched for");
    }
    let all: BTreeSet<&str> = formats(&sample::round()).iter().map(|(f, _)| *f).collect();
    // Outputs hold names and numbers alone, with or without.
    assert_eq!(
        all.difference(&seen).copied().collect::<Vec<_>>(),
        ["outputs"]
    );
}

#[test]
fn verdicts_ranks_and_totals_stay_and_twice_is_as_once() {
    for (round, full) in rounds() {
        let withheld = full.withheld();
        assert_eq!(withheld.withheld(), withheld, "{round}");
        assert_eq!(withheld.verdict, full.verdict, "{round}");
        let ranks = |report: &RoundReport| -> Vec<Rank> {
            report.findings.iter().map(Finding::rank).collect()
        };
        assert_eq!(ranks(&withheld), ranks(&full), "{round}");
        assert_eq!(
            withheld.totals,
            Totals {
                endpoints: 0,
                attempts: 0,
                ..full.totals
            }
        );
        assert_eq!(withheld.totals, Totals::of(&withheld.findings), "{round}");
        assert_eq!(withheld.verdict, RoundReport::worst(&withheld.findings));
        for (kept, whole) in withheld.findings.iter().zip(&full.findings) {
            assert_eq!(kept.target.name, whole.target.name);
            assert_eq!(kept.target.kind, whole.target.kind);
            assert_eq!(kept.target.position, whole.target.position);
            assert_eq!(kept.target.notify, whole.target.notify);
            assert_eq!(kept.verdict, whole.verdict);
            assert_eq!(kept.waiver, whole.waiver);
            assert_eq!(kept.confirmation, whole.confirmation);
        }
    }
    let ranks: Vec<Rank> = rounds()[3]
        .1
        .withheld()
        .findings
        .iter()
        .map(Finding::rank)
        .collect();
    assert!(ranks.contains(&Rank::Waived) && ranks.contains(&Rank::Inconclusive));
}

#[test]
fn it_is_said_once_and_every_finding_is_listed() {
    for (_, full) in rounds() {
        let withheld = full.withheld();
        for (format, text) in formats(&withheld) {
            let said = text.matches("details are withheld").count();
            let wanted = match format {
                "console --verbose" | "junit" | "strict junit" | "summary" | "annotations" => 1,
                // A terminal breaks the lines; `json` has a field for it.
                "console" | "console in colour" => text.matches("details").count(),
                _ => 0,
            };
            assert_eq!(said, wanted, "{format}: {text}");
            if matches!(format, "console --verbose" | "junit" | "summary" | "json") {
                for finding in &full.findings {
                    assert!(text.contains(&finding.target.name), "{format}: {text}");
                }
            }
        }
        for (_, text) in formats(&full) {
            assert!(!text.contains("details are withheld"), "{text}");
        }
    }
}

#[test]
fn withheld_rounds_as_they_are_read() {
    let mut report = sample::waivers::round();
    report.findings.push(sample::intranet());
    report.findings.push(sample::doors::gateway());
    let mut report = sample::of(report.findings);
    report.coverage = sample::doors::round().coverage;
    report.links = Links {
        run: Some("https://github.com/org/repo/actions/runs/7".to_owned()),
        config: Some(format!(
            "https://github.com/org/repo/blob/{}/noentry.yml",
            "0a".repeat(20)
        )),
    };
    let report = report.withheld();
    let style = Style {
        color: false,
        width: 100,
        verbose: false,
    };
    insta::assert_snapshot!("withheld-console", console::render(&report, style));
    insta::assert_snapshot!("withheld-summary", summary::render(&report, summary::LIMIT));
    insta::assert_snapshot!(
        "withheld-junit",
        junit::render(&report, Dialect::Located).unwrap()
    );
    insta::assert_snapshot!("withheld-annotations", annotations::render(&report));
    insta::assert_snapshot!("withheld-json", sample::written(&report));
}

/// Coverage lines that only their reasons told apart are one.
#[test]
fn coverage_keeps_its_words_and_its_targets() {
    let line = |reason: Option<Reason>, targets: &[&str]| Coverage {
        surface: Surface::Udp,
        family: None,
        watch: Watch::NotWatchable,
        reason,
        targets: targets.iter().map(|t| (*t).to_owned()).collect(),
    };
    let mut report = sample::round();
    let control = "shop.example.com:443".to_owned();
    let cause = Blind::NoRoute;
    report.coverage = vec![
        line(Some(Reason::ControlLost { control }), &["Wiki", "Staging"]),
        line(Some(Reason::Blind { cause }), &["Staging", "Replica"]),
    ];
    assert_eq!(
        report.withheld().coverage,
        [line(None, &["Wiki", "Staging", "Replica"])]
    );
}

#[test]
fn junit_keeps_the_classes_and_has_one_case_a_target() {
    let classes = |report: &RoundReport| -> BTreeSet<String> {
        let xml = junit::render(report, Dialect::Located).unwrap();
        let parts = xml.split("classname=\"").skip(1);
        parts
            .map(|rest| rest.split('"').next().unwrap().to_owned())
            .collect()
    };
    for (round, full) in rounds() {
        let withheld = full.withheld();
        assert_eq!(classes(&withheld), classes(&full), "{round}");
        let xml = junit::render(&withheld, Dialect::Located).unwrap();
        let cases = xml.matches("<testcase ").count();
        assert_eq!(cases, full.findings.len(), "{round}");
        // A name has one case anyway, and it is the same.
        for finding in full.findings.iter().filter(|f| f.target.kind == "dns") {
            let name = format!("name=\"{} (dns)\"", finding.target.name);
            assert!(xml.contains(&name), "{name}");
            assert!(
                junit::render(&full, Dialect::Located)
                    .unwrap()
                    .contains(&name)
            );
        }
    }
}

mod saved {
    use super::*;

    fn read(report: &RoundReport) -> Result<RoundReport, String> {
        json::parse(&sample::written(report)).map_err(|error| error.to_string())
    }

    fn refused(report: &RoundReport) -> String {
        read(report).unwrap_err()
    }

    #[test]
    fn a_withheld_round_comes_back_as_it_was() {
        for (round, full) in rounds() {
            let withheld = full.withheld();
            assert_eq!(read(&withheld).unwrap(), withheld, "{round}");
        }
    }

    /// Withholding is all or nothing: with a part of it, what contradicts a verdict could be hidden.
    #[test]
    fn a_round_that_says_it_withholds_and_tells_is_refused() {
        let full = sample::round();
        let withheld = full.withheld();
        let mut cases = vec![RoundReport {
            withheld: true,
            ..full.clone()
        }];
        let mut changed = |change: &dyn Fn(&mut RoundReport)| {
            let mut report = withheld.clone();
            change(&mut report);
            report.totals = Totals::of(&report.findings);
            cases.push(report);
        };
        changed(&|r| r.withheld = false);
        changed(&|r| r.findings[0].withheld = false);
        changed(&|r| r.findings[1] = sample::silent());
        changed(&|r| r.findings[1].reason = Reason::Stopped);
        changed(&|r| r.findings[1].reach = Some(Reach::NoAnswer));
        changed(&|r| r.findings[1].endpoints = sample::silent().endpoints);
        changed(&|r| r.findings[1].endpoints = sample::orders_database().endpoints);
        changed(&|r| r.findings[1].target.address = "https://x.example/".to_owned());
        changed(&|r| r.findings[1].target.port = Some(443));
        changed(&|r| r.findings[1].target.denial.http.body = Some("x".to_owned()));
        changed(&|r| r.controls = sample::round().controls);
        changed(&|r| r.resolvers = sample::round().resolvers);
        changed(&|r| r.vantage = sample::doors::round().vantage);
        changed(&|r| {
            // Blocked, and not doubted.
            r.findings[1].partly = true;
        });
        for report in cases {
            let error = refused(&report);
            assert!(error.contains("withheld"), "{error}");
        }
    }

    #[test]
    fn one_withheld_finding_does_not_hide_among_others() {
        let mut full = sample::waivers::round();
        let index = full
            .findings
            .iter()
            .position(|f| f.verdict == Verdict::Exposed && f.rank() == Rank::Inconclusive)
            .unwrap();
        // As if nothing were in doubt, which would waive it.
        full.findings[index].withheld = true;
        assert_eq!(full.findings[index].rank(), Rank::Waived);
        let full = sample::of(full.findings);
        assert!(refused(&full).contains("withheld"));
        let mut blocked = sample::waivers::round();
        blocked.findings[5] = blocked.withheld().findings[5].clone();
        assert_eq!(blocked.findings[5].verdict, Verdict::Blocked);
        let blocked = sample::of(blocked.findings);
        assert!(refused(&blocked).contains("withheld"));
    }

    #[test]
    fn its_counts_and_its_verdict_must_still_fit() {
        let mut report = sample::round().withheld();
        report.totals.exposed = 0;
        assert!(refused(&report).contains("totals"));
        let mut report = sample::round().withheld();
        report.verdict = Verdict::Blocked;
        assert!(refused(&report).contains("verdict"));
        let mut report = sample::waivers::round().withheld();
        let first = report.findings[2].waiver.clone();
        report.findings[2].waiver.as_mut().unwrap().state = sample::waivers::round().findings[0]
            .waiver
            .as_ref()
            .unwrap()
            .state;
        assert_ne!(report.findings[2].waiver, first);
        report = sample::of(report.findings).withheld();
        assert!(refused(&report).contains("waiver"));
    }

    #[test]
    fn a_link_that_would_become_markup_is_refused_and_never_shown() {
        for bad in [
            "javascript:alert(1)",
            "https://x.example/)[y](https://evil.example/",
            "https://x.example/ y",
            "//x.example/",
        ] {
            for links in [
                Links {
                    run: Some(bad.to_owned()),
                    config: None,
                },
                Links {
                    run: None,
                    config: Some(bad.to_owned()),
                },
            ] {
                let mut report = sample::round();
                report.links = links;
                let error = refused(&report);
                assert!(error.contains("no absolute http or https URL"), "{error}");
                let markdown = summary::render(&report, summary::LIMIT);
                assert!(!markdown.contains(bad), "{bad}");
            }
        }
    }

    #[test]
    fn links_stand_in_the_summary_and_in_junit() {
        let mut report = sample::round();
        let run = "https://github.com/org/repo/actions/runs/7/attempts/2";
        let config = "https://github.com/org/repo/blob/0a/.github/noentry.yml";
        report.links = Links {
            run: Some(run.to_owned()),
            config: Some(config.to_owned()),
        };
        assert_eq!(read(&report).unwrap(), report);
        let markdown = summary::render(&report, summary::LIMIT);
        assert!(
            markdown.contains(&format!("[The run]({run})")),
            "{markdown}"
        );
        let line = format!("[`noentry.yml:12:5`]({config}#L12)");
        assert!(markdown.contains(&line), "{markdown}");
        let xml = junit::render(&report, Dialect::Located).unwrap();
        let property = format!("<property name=\"noentry.run\" value=\"{run}\"/>");
        assert!(xml.contains(&property), "{xml}");
    }
}
