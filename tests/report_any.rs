//! Any round, however odd: no report panics, what was saved comes back, nothing leaves its place.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use noentry::domain::endpoint::{Class, Family, Transport};
use noentry::domain::finding::{Finding, NameAnswer, Note};
use noentry::domain::observation::{
    Attempt, Blind, Evidence, IcmpError, Middlebox, Outcome, QuicEvidence, StoppedBy, TcpEvidence,
    UdpAnswer, UdpEvidence,
};
use noentry::domain::rank::Rank;
use noentry::domain::reach::Reach;
use noentry::domain::report::{RoundReport, Side, Totals};
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
        Reason::ControlLost {
            control: text.clone(),
        },
        Reason::PortUnproven {
            transport: Transport::Tcp,
            port: 25,
        },
        Reason::ControlOnOtherWay {
            control: text.clone(),
        },
        Reason::ControlTooNear {
            control: text.clone(),
        },
        Reason::ControlDoubtful {
            control: text.clone(),
        },
        Reason::ControlNotBetween {
            control: text.clone(),
        },
        Reason::TooFast,
        Reason::Filtered,
        Reason::ForeignCertificate,
        Reason::ResolverInvents,
        Reason::NoControl {
            class: Some(Class {
                transport: Transport::Icmp,
                family: Family::Ipv4,
            }),
        },
        Reason::SilenceTellsNothing {
            because: text.clone(),
        },
        Reason::Inside {
            reached: text.clone(),
        },
        Reason::NotProvenOutside {
            unproven: text.clone(),
        },
        Reason::NotLookedAt { from: text },
        Reason::Blind {
            cause: Blind::NoEchoSocket,
        },
        Reason::Blind {
            cause: Blind::Interrupted,
        },
    ])
}

/// What the doors beside HTTP tell, with this text wherever the other side chooses it.
fn told(evidence: &mut Evidence, text: &str, kind: u8) {
    evidence.tcp = Some(TcpEvidence {
        syns: kind,
        banner: Some(text.to_owned()),
        middlebox: match kind % 3 {
            0 => vec![],
            1 => vec![Middlebox::ResetAtOnce],
            _ => vec![Middlebox::NeverAcknowledged, Middlebox::EveryPortAlike],
        },
    });
    evidence.udp = Some(UdpEvidence {
        payload: if kind < 4 { "ntp" } else { text }.to_owned(),
        sent: kind.into(),
        answer: kind.is_multiple_of(2).then(|| UdpAnswer {
            bytes: kind.into(),
            first_bytes: text.to_owned(),
            expected: kind < 4,
            says: kind.is_multiple_of(4).then(|| text.to_owned()),
        }),
    });
    evidence.quic = (kind % 2 == 1).then(|| QuicEvidence {
        versions: vec![text.to_owned(); usize::from(kind)],
        handshake: kind < 4,
        closed: (kind < 2).then(|| text.to_owned()),
    });
}

prop_compose! {
    fn any_attempt()(
        text in any_text(),
        reach in prop::sample::select(Reach::ALL.to_vec()),
        blind in any::<bool>(),
        at_ms in any::<u64>(),
        took_ms in any::<u64>(),
        kind in 0..9_u8,
        from in prop::option::of(any::<std::net::IpAddr>()),
        status in any::<u16>(),
    ) -> Attempt {
        let stopped_by = match kind {
            0 => StoppedBy::Silence,
            1 => StoppedBy::Reset,
            2 => StoppedBy::Closed,
            3 => StoppedBy::Alert { code: 40, name: text.clone(), certificate_requested: true, before_hello: blind },
            4 => StoppedBy::NotTls { first_bytes: text.clone() },
            5 => StoppedBy::TlsIncompatible { detail: text.clone() },
            6 => StoppedBy::NotHttp { first_bytes: text.clone() },
            7 => StoppedBy::Icmp(IcmpError { kind: 3, code: kind, from, v6: blind }),
            _ => StoppedBy::Errno { errno: i32::MIN, text: text.clone() },
        };
        let mut attempt = sample::attempt(reach, at_ms, took_ms, sample::stopped(stopped_by));
        if let Some(evidence) = attempt.evidence.as_mut() {
            evidence.http = Some(sample::http(status, &[("server", &text)], Some(&text)));
            evidence.tls = Some(sample::certificate(&text));
            if status % 2 == 0 {
                evidence.http = None;
            }
            told(evidence, &text, kind);
        }
        if blind {
            attempt.outcome = Outcome::Blind(Blind::LocalError);
        }
        attempt
    }
}

fn every_finding() -> Vec<Finding> {
    let mut findings = sample::round().findings;
    findings.extend(sample::doors::round().findings);
    findings
}

const NOTES: [Note; 6] = [
    Note::OnlyNoListener,
    Note::Wildcard,
    Note::DanglingAlias,
    Note::SilenceAccepted,
    Note::PossiblyMiddlebox,
    Note::PrivateAddressPublished,
];

prop_compose! {
    fn any_finding()(
        text in any_text(),
        control in any_text(),
    )(
        base in prop::sample::select(every_finding()),
        companion in any::<bool>(),
        notes in prop::sample::subsequence(NOTES.to_vec(), 0..NOTES.len()),
        reason in any_reason(control),
        verdict in prop::sample::select(vec![Verdict::Blocked, Verdict::Inconclusive, Verdict::Exposed]),
        attempts in prop::collection::vec(any_attempt(), 0..4),
        reach in prop::option::of(prop::sample::select(Reach::ALL.to_vec())),
        line in any::<u32>(),
        until in prop::option::of(prop::sample::select(vec!["2020-02-29", "2026-11-25", "9999-12-31"])),
        text in Just(text),
    ) -> Finding {
        let mut finding = base;
        finding.target.name.clone_from(&text);
        finding.target.address.clone_from(&text);
        finding.target.position.line = line;
        finding.target.position.file = text;
        finding.notes = notes;
        if finding.target.payload.is_some() {
            finding.target.payload = Some(finding.target.name.clone());
        }
        for query in finding.name.iter_mut().flat_map(|name| &mut name.queries) {
            query.cnames.push(finding.target.name.clone());
            query.authority = companion.then(|| finding.target.name.clone());
            if query.family.is_none() {
                query.answer = NameAnswer::Records(vec![finding.target.name.clone()]);
            }
        }
        if let [_, .., endpoint] = finding.endpoints.as_mut_slice() {
            endpoint.companion |= companion;
        }
        if let Some(endpoint) = finding.endpoints.first_mut() {
            endpoint.attempts = attempts;
            endpoint.reach = reach;
            endpoint.verdict = verdict;
            endpoint.reason = reason;
            finding = sample::settle(finding);
        }
        if let Some(until) = until {
            finding = sample::with_waiver(finding, until);
            if let Some(waiver) = &mut finding.waiver {
                waiver.owner.clone_from(&finding.target.name);
                waiver.reason.clone_from(&finding.target.name);
            }
        }
        finding
    }
}

fn any_round() -> impl Strategy<Value = RoundReport> {
    (
        prop::collection::vec(any_finding(), 0..5),
        any_text(),
        any::<u64>(),
        prop::sample::select(vec![Side::Outside, Side::Inside, Side::Unproven]),
    )
        .prop_map(|(findings, text, took_ms, side)| {
            let mut report = sample::doors::round();
            report.verdict = RoundReport::worst(&findings);
            report.totals = Totals::of(&findings);
            report.findings = findings;
            for line in &mut report.coverage {
                line.targets.push(text.clone());
            }
            for egress in &mut report.vantage.egress {
                egress.asked.clone_from(&text);
                egress.error = Some(text.clone());
            }
            for sees in &mut report.vantage.sees {
                sees.control.clone_from(&text);
            }
            if let Some(outside) = &mut report.vantage.outside {
                outside.side = side;
                outside.must_not_reach.clone_from(&text);
            }
            report.vantage.name = Some(text.clone());
            report.config = text;
            report.took_ms = took_ms;
            report
        })
}

/// Every case of the JUnit file as it begins: its name, and what became of it.
fn cases(report: &RoundReport) -> Vec<String> {
    let xml = junit::render(report, Dialect::Located).unwrap();
    let mut reader = quick_xml::Reader::from_str(&xml);
    let mut cases = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            quick_xml::events::Event::Eof => return cases,
            quick_xml::events::Event::Start(e) => {
                let wanted = [&b"testcase"[..], b"failure", b"error"];
                if wanted.contains(&e.name().as_ref()) {
                    let attributes = e.attributes().map(Result::unwrap);
                    // The time that it took is not among what must stay.
                    let stays = attributes.filter(|a| a.key.as_ref() != b"time");
                    let text = stays.map(|a| String::from_utf8_lossy(&a.value).into_owned());
                    cases.push(text.collect::<Vec<_>>().join(" | "));
                }
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(128) })]

    #[test]
    fn a_saved_round_comes_back(report in any_round()) {
        let text = sample::written(&report);
        match json::parse(&text) {
            Ok(back) => prop_assert_eq!(back, report),
            // Only what claims to be blocked, and was not seen to be, is refused, and what claims to
            // be a companion and is none.
            Err(error) => {
                let mut parts = report.findings.iter().flat_map(|f| {
                    let names = f.name_verdicts.iter().map(|n| (n.verdict, false));
                    names.chain(f.endpoints.iter().map(|e| (e.verdict, e.companion)))
                });
                let claims = parts.any(|(verdict, companion)| verdict == Verdict::Blocked || companion);
                prop_assert!(claims, "{}", error);
            }
        }
    }

    #[test]
    fn companions_that_exposed_nothing_change_no_count_no_case_and_no_advice(
        report in any_round(),
        attempts in prop::collection::vec(any_attempt(), 0..4),
        verdict in prop::sample::select(vec![Verdict::Blocked, Verdict::Inconclusive]),
    ) {
        let mut more = report.clone();
        for finding in &mut more.findings {
            let mut companion = sample::doors::preview().endpoints.remove(1);
            companion.companion = true;
            companion.verdict = verdict;
            companion.attempts.clone_from(&attempts);
            // At the address that has been tried already, so that no family appears.
            if let Some(first) = finding.endpoints.first() {
                companion.endpoint.address = first.endpoint.address;
                finding.endpoints.push(companion);
            }
        }
        prop_assert_eq!(&report.totals, &Totals::of(&more.findings));
        prop_assert_eq!(hint::hints(&report), hint::hints(&more));
        prop_assert_eq!(cases(&report), cases(&more));
        let paths = outputs::Paths::default();
        prop_assert_eq!(outputs::render(&report, paths), outputs::render(&more, paths));
        // The first line of a finding is its headline.
        let style = Style { color: false, width: 0, verbose: false };
        let heads = |report: &RoundReport| -> Vec<String> {
            let text = console::render(report, style);
            let heads = text.lines().filter(|l| !l.starts_with(' '));
            heads.map(str::to_owned).collect()
        };
        prop_assert_eq!(heads(&report), heads(&more));
    }

    #[test]
    fn what_is_withheld_changes_no_verdict_and_comes_back(report in any_round()) {
        let withheld = report.withheld();
        prop_assert_eq!(&withheld.withheld(), &withheld);
        prop_assert_eq!(withheld.verdict, RoundReport::worst(&withheld.findings));
        prop_assert_eq!(withheld.totals, Totals::of(&withheld.findings));
        prop_assert_eq!(Totals { endpoints: 0, attempts: 0, ..report.totals }, withheld.totals);
        for (kept, whole) in withheld.findings.iter().zip(&report.findings) {
            prop_assert_eq!((kept.rank(), kept.verdict), (whole.rank(), whole.verdict));
        }
        let text = sample::written(&withheld);
        prop_assert_eq!(&json::parse(&text).unwrap(), &withheld);
        // A round that only says so is none.
        let said = RoundReport { withheld: true, ..report.clone() };
        prop_assert!(json::parse(&sample::written(&said)).is_err());
        let cases = junit::render(&withheld, Dialect::Strict).unwrap().matches("<testcase ").count();
        prop_assert_eq!(cases, report.findings.len());
        for verbose in [false, true] {
            let style = Style { color: false, width: 0, verbose };
            let text = console::render(&withheld, style);
            prop_assert!(text.starts_with("note          details are withheld"));
        }
        // The words of the format stay; what was seen at an address does not.
        for word in ["\"attempts\": [", "\"evidence\"", "\"resolver\"", "\"rests_on\"", "\"egress\""] {
            prop_assert!(!text.contains(word), "{word}");
        }
    }

    #[test]
    fn a_waiver_lets_nothing_pass_but_the_exposure(report in any_round()) {
        for finding in report.findings.iter().filter(|f| f.verdict == Verdict::Exposed) {
            let alone = sample::of(vec![finding.clone()]);
            let xml = junit::render(&alone, Dialect::Strict).unwrap();
            let [failures, errors, skipped] = ["<failure ", "<error ", "<skipped "]
                .map(|element| xml.matches(element).count());
            let (verdict, holds) = (alone.verdict, finding.has_waiver());
            // Every reader of the cases comes to the verdict of the round.
            prop_assert_eq!(holds, failures == 0);
            prop_assert_eq!(holds && errors == 0, verdict == Verdict::Blocked);
            prop_assert_eq!(holds && errors > 0, verdict == Verdict::Inconclusive);
            let shown = if verdict == Verdict::Blocked { skipped > 0 } else { holds || skipped == 0 };
            prop_assert!(shown);
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
        let open = report.findings.iter().filter(|f| f.rank() != Rank::Blocked).count();
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

        prop_assert_eq!(outputs::render(&report, outputs::Paths::default()).len(), 7);
        for hint in hint::hints(&report) {
            prop_assert!(!hint.to_string().is_empty());
        }
        prop_assert_eq!(report.totals, Totals::of(&report.findings));
    }
}
