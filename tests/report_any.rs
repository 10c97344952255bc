//! Any round, however odd: no report panics, what was saved comes back, nothing leaves its place.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use noentry::domain::endpoint::{Class, Family, Transport};
use noentry::domain::finding::Finding;
use noentry::domain::observation::{Attempt, Blind, Outcome, StoppedBy};
use noentry::domain::reach::Reach;
use noentry::domain::report::{RoundReport, Totals};
use noentry::domain::verdict::{Reason, Verdict};
use noentry::report::console::{self, Style};
use noentry::report::junit::Dialect;
use noentry::report::{annotations, hint, json, junit, outputs, summary};
use proptest::prelude::*;

fn any_text() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "",
        " ",
        "`",
        "|",
        "]]>",
        "::error::",
        "##[",
        "\u{1b}[0m",
        "\0",
        "\r\n",
        "\u{202e}",
        "&",
        "<",
        "\"",
        "%0A",
        "漢",
        "e\u{301}",
    ]);
    let parts = prop::collection::vec(
        prop_oneof![nasty.prop_map(str::to_owned), any::<String>()],
        0..6,
    );
    parts.prop_map(|parts| parts.concat())
}

fn any_reason(text: String) -> impl Strategy<Value = Reason> {
    prop::sample::select(vec![
        Reason::Stopped,
        Reason::PastBarrier,
        Reason::WeakerThanPromised,
        Reason::NameGone,
        Reason::NoDenialSeen,
        Reason::Throttled,
        Reason::Challenged,
        Reason::NoControl { class: None },
        Reason::NoControl {
            class: Some(Class {
                transport: Transport::Tcp,
                family: Family::Ipv6,
            }),
        },
        Reason::ControlLost { control: text },
        Reason::ControlOnOtherPort { port: 25 },
        Reason::ResolverInvents,
        Reason::Blind {
            cause: Blind::Interrupted,
        },
    ])
}

prop_compose! {
    fn any_attempt()(
        text in any_text(),
        reach in prop::sample::select(Reach::ALL.to_vec()),
        blind in any::<bool>(),
        at_ms in any::<u64>(),
        took_ms in any::<u64>(),
        kind in 0..8_u8,
        status in any::<u16>(),
    ) -> Attempt {
        let stopped_by = match kind {
            0 => StoppedBy::Silence,
            1 => StoppedBy::Reset,
            2 => StoppedBy::Closed,
            3 => StoppedBy::Alert { code: 40, name: text.clone(), certificate_requested: true },
            4 => StoppedBy::NotTls { first_bytes: text.clone() },
            5 => StoppedBy::TlsIncompatible { detail: text.clone() },
            6 => StoppedBy::NotHttp { first_bytes: text.clone() },
            _ => StoppedBy::Errno { errno: i32::MIN, text: text.clone() },
        };
        let mut attempt = sample::attempt(reach, at_ms, took_ms, sample::stopped(stopped_by));
        if let Some(evidence) = attempt.evidence.as_mut() {
            evidence.http = Some(sample::http(status, &[("server", &text)], Some(&text)));
            evidence.tls = Some(sample::certificate(&text));
        }
        if blind {
            attempt.outcome = Outcome::Blind(Blind::LocalError);
        }
        attempt
    }
}

prop_compose! {
    fn any_finding()(
        text in any_text(),
        control in any_text(),
    )(
        base in prop::sample::select(sample::round().findings),
        reason in any_reason(control),
        verdict in prop::sample::select(vec![Verdict::Blocked, Verdict::Inconclusive, Verdict::Exposed]),
        attempts in prop::collection::vec(any_attempt(), 0..4),
        reach in prop::option::of(prop::sample::select(Reach::ALL.to_vec())),
        line in any::<u32>(),
        text in Just(text),
    ) -> Finding {
        let mut finding = base;
        finding.target.name.clone_from(&text);
        finding.target.address.clone_from(&text);
        finding.target.position.line = line;
        finding.target.position.file = text;
        if let Some(endpoint) = finding.endpoints.first_mut() {
            endpoint.attempts = attempts;
            endpoint.reach = reach;
            endpoint.verdict = verdict;
            endpoint.reason = reason;
            finding = sample::settle(finding);
        }
        finding
    }
}

fn any_round() -> impl Strategy<Value = RoundReport> {
    (
        prop::collection::vec(any_finding(), 0..5),
        any_text(),
        any::<u64>(),
    )
        .prop_map(|(findings, text, took_ms)| {
            let mut report = sample::of(findings);
            report.vantage.name = Some(text.clone());
            report.config = text;
            report.took_ms = took_ms;
            report
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn a_saved_round_comes_back(report in any_round()) {
        let text = sample::written(&report);
        match json::parse(&text) {
            Ok(back) => prop_assert_eq!(back, report),
            // Only what claims to be blocked, and was not seen to be, is refused.
            Err(error) => {
                let endpoints = report.findings.iter().flat_map(|f| &f.endpoints);
                let claims = endpoints.filter(|e| e.verdict == Verdict::Blocked).count();
                prop_assert!(claims > 0, "{}", error);
            }
        }
    }

    #[test]
    fn no_report_panics_or_lets_anything_out(
        report in any_round(),
        limit in 0..40_000_usize,
        width in 0..200_usize,
    ) {
        let style = Style { color: false, width, verbose: true };
        let text = console::render(&report, style);
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
        prop_assert!(!text.contains("##["));
        prop_assert!(!text.lines().any(|l| l.trim_start().starts_with("::")));

        prop_assert!(summary::render(&report, limit).len() <= limit);

        let commands = annotations::render(&report);
        let open = report.findings.iter().filter(|f| f.verdict != Verdict::Blocked).count();
        prop_assert_eq!(commands.lines().count(), 1 + open.min(9));
        prop_assert!(commands.lines().all(|l| l.starts_with("::")));

        let xml = junit::render(&report, Dialect::Located).unwrap();
        let failures = xml.matches("<failure type=").count();
        let mut reader = quick_xml::Reader::from_str(&xml);
        let (mut cases, mut worst) = (0, 0);
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break,
                quick_xml::events::Event::Start(e) if e.name().as_ref() == b"testcase" => cases += 1,
                quick_xml::events::Event::Start(e) if e.name().as_ref() == b"failure" => worst += 1,
                _ => {}
            }
        }
        prop_assert!(cases >= report.findings.len());
        prop_assert!(worst >= report.totals.exposed && failures >= worst);

        prop_assert_eq!(outputs::render(&report, outputs::Paths::default()).len(), 6);
        for hint in hint::hints(&report) {
            prop_assert!(!hint.to_string().is_empty());
        }
        prop_assert_eq!(report.totals, Totals::of(&report.findings));
    }
}
