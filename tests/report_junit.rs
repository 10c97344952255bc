//! JUnit as its readers need it: stable names, counts that add up, nothing that leaves its place.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use std::collections::{HashMap, HashSet};

use noentry::domain::endpoint::Family;
use noentry::domain::finding::NameAnswer;
use noentry::domain::observation::Blind;
use noentry::domain::report::RoundReport;
use noentry::domain::verdict::Verdict;
use noentry::report::junit::{self, Dialect};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

#[derive(Debug, Default, PartialEq)]
struct Case {
    attributes: HashMap<String, String>,
    result: Option<String>,
    kind: String,
    message: String,
    text: String,
}

#[derive(Debug, Default)]
struct Read {
    root: HashMap<String, String>,
    suites: Vec<HashMap<String, String>>,
    properties: HashMap<String, String>,
    cases: Vec<Case>,
}

fn attributes(element: &BytesStart<'_>) -> HashMap<String, String> {
    let attributes = element.attributes().map(|attribute| {
        let attribute = attribute.unwrap();
        let key = String::from_utf8(attribute.key.as_ref().to_vec()).unwrap();
        let value = String::from_utf8(attribute.value.to_vec()).unwrap();
        (
            key,
            quick_xml::escape::unescape(&value).unwrap().into_owned(),
        )
    });
    attributes.collect()
}

/// Reads the file with a reader that is not ours.
fn read(xml: &str) -> Read {
    let mut reader = Reader::from_str(xml);
    let mut read = Read::default();
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Event::Eof => return read,
            Event::Start(element) | Event::Empty(element) => {
                let own = attributes(element);
                match element.name().as_ref() {
                    b"testsuites" => read.root = own,
                    b"testsuite" => read.suites.push(own),
                    b"property" => {
                        read.properties
                            .insert(own["name"].clone(), own["value"].clone());
                    }
                    b"testcase" => read.cases.push(Case {
                        attributes: own,
                        ..Case::default()
                    }),
                    b"failure" | b"error" | b"skipped" => {
                        let case = read.cases.last_mut().unwrap();
                        assert_eq!(case.result, None);
                        let name = element.name().as_ref().to_vec();
                        case.result = Some(String::from_utf8(name).unwrap());
                        case.kind.clone_from(&own["type"]);
                        case.message.clone_from(&own["message"]);
                    }
                    b"properties" | b"system-out" => {}
                    other => panic!("{:?}", String::from_utf8_lossy(other)),
                }
            }
            Event::CData(text) => {
                let text = String::from_utf8(text.to_vec()).unwrap();
                read.cases.last_mut().unwrap().text.push_str(&text);
            }
            _ => {}
        }
    }
}

fn render(report: &RoundReport) -> Read {
    read(&junit::render(report, Dialect::Located).unwrap())
}

fn names(read: &Read) -> Vec<&str> {
    let names = read.cases.iter().map(|c| c.attributes["name"].as_str());
    names.collect()
}

#[test]
fn a_round_of_every_kind() {
    insta::assert_snapshot!(
        "junit",
        junit::render(&sample::round(), Dialect::Located).unwrap()
    );
}

#[test]
fn a_round_of_every_door() {
    insta::assert_snapshot!(
        "junit-doors",
        junit::render(&sample::doors::round(), Dialect::Located).unwrap()
    );
}

#[test]
fn counts_add_up_on_suite_and_root() {
    let read = render(&sample::round());
    let with = |result: &str| {
        let cases = read.cases.iter();
        let number = cases
            .filter(|c| c.result.as_deref() == Some(result))
            .count();
        number.to_string()
    };
    assert_eq!(read.suites.len(), 1);
    for counts in [&read.root, &read.suites[0]] {
        assert_eq!(counts["tests"], read.cases.len().to_string());
        assert_eq!(counts["failures"], with("failure"));
        assert_eq!(counts["errors"], with("error"));
    }
    assert_eq!(read.suites[0]["skipped"], "0");
    assert_eq!(with("skipped"), "0");
    assert_eq!(read.root["time"], read.suites[0]["time"]);
    assert_eq!(read.properties["vantage.environment"], "github-hosted");
    assert_eq!(read.properties["noentry.started"], "2026-11-22T04:00:00Z");
}

#[test]
fn verdicts_are_failure_error_or_nothing() {
    let read = render(&sample::round());
    let case = |name: &str| {
        let mut cases = read.cases.iter();
        cases.find(|c| c.attributes["name"] == name).unwrap()
    };
    let exposed = case("Orders database (tcp 5432, ipv4)");
    assert_eq!(exposed.result.as_deref(), Some("failure"));
    assert_eq!(exposed.kind, "exposed");
    assert!(exposed.text.contains("20.1.2.3:5432"));
    assert!(exposed.text.contains("2026-11-22T04:00:00Z"));
    assert!(exposed.text.contains("seen from github-hosted"));
    assert_eq!(exposed.attributes["file"], "noentry.yml");
    assert_eq!(exposed.attributes["line"], "28");
    let unsure = case("Build server (tcp 443, ipv6)");
    assert_eq!(unsure.result.as_deref(), Some("error"));
    assert_eq!(unsure.kind, "no_route");
    assert_eq!(case("Build server (tcp 443, ipv4)").result, None);
    assert_eq!(case("Intranet (dns)").result, None);
    let none = case("Metrics (tcp 9090, ipv6)");
    assert_eq!(none.result, None);
    assert_eq!(none.text, "no IPv6 address is published");
}

#[test]
fn each_transport_has_names_of_its_own_and_companions_have_none() {
    let read = render(&sample::doors::round());
    let found = names(&read);
    for name in [
        "Resolver (udp 53, ipv4)",
        "Gateway (icmp, ipv4)",
        "Gateway (icmp, ipv6)",
        "Storage (icmp, ipv4)",
        "Push service (quic 443, ipv4)",
        "Storefront (tcp 443, ipv4)",
        "SPF record (dns)",
    ] {
        assert!(found.contains(&name), "{name} in {found:?}");
    }
    let of = |target: &str| {
        let cases = read.cases.iter();
        let own = cases.filter(|c| c.attributes["name"].starts_with(target));
        own.map(|c| c.result.clone()).collect::<Vec<_>>()
    };
    // One companion got in, one was shut, one could not be seen.
    assert_eq!(of("Storefront "), [Some("failure".to_owned()), None]);
    assert_eq!(of("Preview "), [None, None]);
    assert_eq!(read.properties["vantage.side"], "outside");
    assert_eq!(read.properties["vantage.egress"], "20.99.0.7");
    assert_eq!(
        read.properties["coverage.http3.ipv6.not_watchable"],
        "no control stands for UDP over IPv6: Preview"
    );
}

#[test]
fn a_note_stands_only_with_the_case_that_it_is_about() {
    let read = render(&sample::of(vec![sample::refused()]));
    assert_eq!(
        names(&read),
        ["Old SSH (tcp 22, ipv4)", "Old SSH (tcp 22, ipv6)"]
    );
    assert!(read.cases[0].text.contains("absence of a listener"));
    assert_eq!(
        read.cases[0].text.matches("port 22 assumed open").count(),
        1
    );
    assert_eq!(read.cases[1].text, "no IPv6 address is published");
}

#[test]
fn names_and_classes_outlive_addresses_times_and_verdicts() {
    let before = render(&sample::round());
    let mut report = sample::round();
    report.took_ms += 1;
    for finding in &mut report.findings {
        finding.endpoints.pop();
        for (index, endpoint) in finding.endpoints.iter_mut().enumerate() {
            endpoint.endpoint.address = sample::ip(&format!("9.9.9.{index}"));
        }
    }
    let after = render(&report);
    assert_eq!(names(&before), names(&after));
    for case in &before.cases {
        let class = &case.attributes["classname"];
        assert!(!class.contains('.'), "{class}");
        let name = &case.attributes["name"];
        assert!(!name.contains("9.9") && !name.contains("::"), "{name}");
    }
}

#[test]
fn names_stay_unique_when_cleaning_makes_them_alike() {
    let mut twins = [sample::silent(), sample::silent(), sample::silent()];
    twins[0].target.name = "a\u{200b}b".to_owned();
    twins[1].target.name = "a\\u{200b}b".to_owned();
    twins[2].target.name = "a\\u{200b}b (tcp 443, ipv4) #2".to_owned();
    let read = render(&sample::of(twins.to_vec()));
    let unique: HashSet<&str> = names(&read).into_iter().collect();
    assert_eq!(unique.len(), 6);
}

#[test]
fn a_family_is_only_unpublished_when_the_resolvers_could_say_so() {
    let mut finding = sample::prohibited();
    for query in &mut finding.name.as_mut().unwrap().queries {
        if query.family == Some(Family::Ipv6) && query.resolver == "9.9.9.9:53" {
            query.answer = NameAnswer::Blind(Blind::ResolverTimeout);
        }
    }
    let unsaid = render(&sample::of(vec![finding.clone()]));
    assert_eq!(unsaid.cases[1].result.as_deref(), Some("error"));
    finding.name_verdicts = sample::resolver_dead().name_verdicts;
    finding.name_verdicts[0].families = vec![Family::Ipv6];
    let said = render(&sample::of(vec![sample::settle(finding)]));
    assert_eq!(said.cases[0].result, None);
    assert_eq!(said.cases[1].result.as_deref(), Some("error"));
    assert_eq!(said.cases[1].kind, "resolver_timeout");
}

#[test]
fn a_verdict_never_gets_lost_between_the_cases() {
    let mut finding = sample::silent();
    finding.verdict = Verdict::Exposed;
    let read = render(&sample::of(vec![finding]));
    assert_eq!(read.cases[0].result.as_deref(), Some("failure"));
}

#[test]
fn an_address_literal_has_one_family() {
    let mut finding = sample::refused();
    finding.name = None;
    finding.target.address = "20.1.3.1:22".to_owned();
    let whole = render(&sample::of(vec![finding.clone()]));
    finding.endpoints.clear();
    finding.verdict = Verdict::Inconclusive;
    let cut = render(&sample::of(vec![finding.clone()]));
    assert_eq!(names(&whole), ["Old SSH (tcp 22, ipv4)"]);
    assert_eq!(names(&whole), names(&cut));
    assert_eq!(cut.cases[0].result.as_deref(), Some("error"));
    finding.target.address = "https://[2a05:d014::7]/x".to_owned();
    let six = render(&sample::of(vec![finding]));
    assert_eq!(names(&six), ["Old SSH (tcp 22, ipv6)"]);
}

#[test]
fn a_banner_cannot_leave_its_case() {
    let report = sample::hostile_round();
    for dialect in [Dialect::Located, Dialect::Strict] {
        let xml = junit::render(&report, dialect).unwrap();
        let legal = |c: char| c == '\n' || (' '..'\u{fffe}').contains(&c) || c > '\u{ffff}';
        assert!(xml.chars().all(legal));
        let read = read(&xml);
        assert_eq!(read.cases.len(), 4);
        assert!(names(&read).iter().all(|name| *name != "forged"));
        assert_eq!(read.cases[0].result.as_deref(), Some("failure"));
        // The banner is told whole, the end of a CDATA section included.
        assert!(
            read.cases[0]
                .text
                .contains("\\u{ffff}]]></failure></testcase>")
        );
    }
}

#[test]
fn an_empty_round_still_says_where_it_looked_from() {
    let read = render(&sample::of(vec![]));
    assert_eq!(read.root["tests"], "0");
    assert_eq!(read.properties["noentry.verdict"], "inconclusive");
}

#[test]
fn impossible_times_do_not_panic() {
    let mut report = sample::round();
    report.started = time::PrimitiveDateTime::MIN.assume_utc();
    report.took_ms = u64::MAX;
    for finding in &mut report.findings {
        for endpoint in &mut finding.endpoints {
            for attempt in &mut endpoint.attempts {
                attempt.took_ms = u64::MAX;
            }
        }
    }
    let read = render(&report);
    assert_eq!(read.suites[0]["timestamp"], "1970-01-01T00:00:00Z");
}
