//! The doors beside TCP as the readers of a report see them: ping, UDP, QUIC beside a URL, who denied,
//! what is not watched, and from which side the round looked.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use noentry::domain::endpoint::{Class, Family, Transport};
use noentry::domain::finding::{Finding, NameAnswer};
use noentry::domain::observation::{Attempt, Blind, Evidence, IcmpError, Outcome, StoppedBy};
use noentry::domain::reach::Reach;
use noentry::domain::report::{Coverage, Side, Watch};
use noentry::domain::verdict::{Reason, Verdict};
use noentry::report::console::{self, Style};
use noentry::report::hint::{Hint, hints};
use noentry::report::summary;

const PLAIN: Style = Style {
    color: false,
    width: 100,
    verbose: false,
};

fn first_line(finding: Finding) -> String {
    let style = Style { width: 0, ..PLAIN };
    let text = console::render(&sample::of(vec![finding]), style);
    text.lines().next().unwrap().to_owned()
}

#[test]
fn a_round_of_every_door() {
    insta::assert_snapshot!(
        "console-doors",
        console::render(&sample::doors::round(), PLAIN)
    );
}

#[test]
fn every_door_in_plain_lines_with_everything() {
    let style = Style {
        width: 0,
        verbose: true,
        ..PLAIN
    };
    insta::assert_snapshot!(
        "console-doors-verbose",
        console::render(&sample::doors::round(), style)
    );
}

#[test]
fn a_round_from_inside() {
    insta::assert_snapshot!(
        "console-inside",
        console::render(&sample::doors::inside_round(), PLAIN)
    );
}

/// A finding of one endpoint with these denials, one an attempt: what came, and from whom.
fn denied(finding: Finding) -> String {
    let style = Style {
        width: 0,
        verbose: true,
        ..PLAIN
    };
    console::render(&sample::of(vec![finding]), style)
}

#[test]
fn who_denied_is_the_device_the_target_itself_or_nobody_known() {
    for (from, words) in [
        (
            Some("198.51.100.1"),
            "denied by 198.51.100.1: administratively prohibited",
        ),
        (
            Some("20.1.4.1"),
            "denied by the target itself: administratively prohibited",
        ),
        (
            None,
            "denied by a device on the way: administratively prohibited",
        ),
    ] {
        let mut finding = sample::prohibited();
        for attempt in &mut finding.endpoints[0].attempts {
            let evidence = attempt.evidence.as_mut().unwrap();
            let Some(StoppedBy::Icmp(error)) = &mut evidence.stopped_by else {
                unreachable!("the sample was stopped by ICMP");
            };
            error.from = from.map(sample::ip);
        }
        assert!(first_line(finding.clone()).contains(words), "{words}");
        let fact = words.replace("denied by ", "denied by    ") + " (ICMP type 3 code 13)\n";
        assert!(denied(finding).contains(&fact), "{fact}");
    }
}

#[test]
fn every_device_is_named_even_where_another_attempt_got_further() {
    let mut finding = sample::doors::time_server();
    let attempts = &mut finding.endpoints[4].attempts;
    let early = sample::stopped(sample::doors::icmp(3, 9, "198.51.100.77"));
    attempts[0] = sample::attempt(Reach::Prohibited, 1, 1, early);
    let text = denied(finding.clone());
    assert!(
        text.contains(
            "198.51.100.77: network administratively prohibited (ICMP type 3 code 9), at 1 endpoint"
        ),
        "{text}"
    );
    // The headline stays a line: four stops, and how many are left.
    let mut deny = |codes: [u8; 5]| {
        for ((index, endpoint), code) in finding.endpoints.iter_mut().enumerate().zip(codes) {
            let from = format!("198.51.100.{index}");
            let by = sample::stopped(sample::doors::icmp(3, code, &from));
            endpoint.attempts = sample::times(1, Reach::Prohibited, by);
            endpoint.reach = Some(Reach::Prohibited);
        }
        first_line(finding.clone())
    };
    let line = deny([0, 1, 9, 10, 13]);
    assert!(
        line.contains("at 1; 1 more endpoint stopped otherwise (5 endpoints"),
        "{line}"
    );
    // And so it does where many devices say the same.
    let line = deny([13; 5]);
    assert!(
        line.contains(
            "denied by 198.51.100.0, 198.51.100.1, 198.51.100.2, 198.51.100.3 and 1 more: \
             administratively prohibited (5 endpoints"
        ),
        "{line}"
    );
}

#[test]
fn a_companion_is_told_by_what_it_is_open_beside() {
    let line = first_line(sample::doors::storefront());
    assert!(
        line.ends_with("at 20.5.0.1:443: UDP 443 is open, where TCP 443 is not"),
        "{line}"
    );
    let mut both = sample::doors::storefront();
    let tcp = &mut both.endpoints[0];
    (tcp.verdict, tcp.reason) = sample::past();
    tcp.attempts = sample::times(1, Reach::Connected, None);
    tcp.reach = Some(Reach::Connected);
    let line = first_line(sample::settle(both));
    assert!(
        line.ends_with("20.5.0.1:443 and 1 more endpoint: UDP 443 is open beside TCP 443"),
        "{line}"
    );
    let mut weaker = sample::doors::storefront();
    weaker.target.denial.stops = [Reach::NoAnswer].into();
    let quic = &mut weaker.endpoints[1];
    quic.reason = Reason::WeakerThanPromised;
    let by = sample::stopped(sample::doors::icmp(3, 3, "20.5.0.1"));
    quic.attempts = sample::times(1, Reach::Refused, by);
    quic.reach = Some(Reach::Refused);
    let line = first_line(sample::settle(weaker));
    assert!(
        line.ends_with(
            "refused by the target itself: port unreachable at 20.5.0.1:443: weaker than \
             promised, only no_answer counts (UDP 443 beside TCP 443)"
        ),
        "{line}"
    );
}

#[test]
fn only_gaps_in_the_coverage_are_shown_and_not_too_many() {
    let mut report = sample::doors::round();
    let gap = report.coverage[4].clone();
    report.coverage.retain(|line| line.watch == Watch::Watched);
    assert!(!console::render(&report, PLAIN).contains("coverage"));
    assert!(summary::render(&report, summary::LIMIT).contains("<summary>Coverage: all is watched"));
    // What says the same stands together.
    report.coverage = vec![gap.clone(); 9];
    let text = console::render(&report, PLAIN);
    assert_eq!(text.matches("coverage  ").count(), 1, "{text}");
    report.coverage = (0..9)
        .map(|port| Coverage {
            reason: Some(Reason::PortUnproven {
                transport: Transport::Udp,
                port,
            }),
            ..gap.clone()
        })
        .collect();
    let text = console::render(&report, PLAIN);
    assert_eq!(text.matches("coverage  ").count(), 7, "{text}");
    assert!(text.contains("and 3 more"), "{text}");
}

/// The hint about one endpoint's blindness or missing control at a vantage.
fn ping_hint(environment: &str, reason: Reason) -> Vec<Hint> {
    let mut finding = sample::doors::storage();
    finding.endpoints[0].verdict = Verdict::Inconclusive;
    finding.endpoints[0].reason = reason;
    let mut report = sample::doors::round();
    report.findings = vec![sample::settle(finding)];
    environment.clone_into(&mut report.vantage.environment);
    hints(&report)
}

#[test]
fn no_control_helps_a_ping_from_a_hosted_runner() {
    let storage = || vec!["Storage".to_owned()];
    let class = Class {
        transport: Transport::Icmp,
        family: Family::Ipv4,
    };
    let reasons = [
        Reason::NoControl { class: Some(class) },
        Reason::ControlLost {
            control: sample::doors::PING.to_owned(),
        },
    ];
    for reason in reasons {
        let hosted = ping_hint("github-hosted", reason.clone());
        assert_eq!(hosted, [Hint::HostedPing(storage())]);
        let own = ping_hint("self-hosted", reason);
        assert!(!own.is_empty() && !own.contains(&Hint::HostedPing(storage())));
    }
    // A lost control over TCP is another matter.
    let control = sample::doors::WEB.to_owned();
    let lost = ping_hint("github-hosted", Reason::ControlLost { control });
    assert!(matches!(lost.as_slice(), [Hint::ControlLost(..)]));
}

#[test]
fn remedies_for_ping_udp_and_the_wrong_side() {
    let cause = Blind::NoEchoSocket;
    let socket = ping_hint("local", Reason::Blind { cause });
    insta::assert_snapshot!(socket[0], @r#"noentry may open no ICMP socket: let its group in with `sysctl -w net.ipv4.ping_group_range="0 2147483647"`, or give it the capability `CAP_NET_RAW` (Storage)"#);
    let class = |transport| Reason::NoControl {
        class: Some(Class {
            transport,
            family: Family::Ipv4,
        }),
    };
    let text = |transport| ping_hint("local", class(transport))[0].to_string();
    assert!(text(Transport::Icmp).contains("`- icmp: www.example.com`"));
    assert!(text(Transport::Udp).contains("`- udp: HOST:PORT` with the target's port"));
    let inside = hints(&sample::doors::inside_round());
    assert_eq!(inside, [Hint::Inside(sample::doors::GUARD.to_owned())]);
    let mut unproven = sample::doors::inside_round();
    unproven.vantage.outside.as_mut().unwrap().side = Side::Unproven;
    insta::assert_snapshot!(hints(&unproven)[0], @"whether bastion.internal.example.com:22 is shut from here could not be seen: it takes a control of the same transport, family and port that holds (or, for the port, `vantage: { unfiltered: true }`), or mend `must_not_reach`");
}

#[test]
fn where_a_control_is_reached_the_family_is_not_what_is_missing() {
    let cause = Blind::NoRoute;
    let far = ping_hint("local", Reason::Blind { cause });
    assert_eq!(far, [Hint::NoWay(vec!["Storage".to_owned()])]);
}

#[test]
fn a_companion_that_exposed_nothing_asks_for_no_advice() {
    let report = sample::of(vec![sample::doors::preview()]);
    assert_eq!(hints(&report), []);
}

#[test]
fn a_summary_of_every_door() {
    insta::assert_snapshot!(
        "summary-doors",
        summary::render(&sample::doors::round(), summary::LIMIT)
    );
}

#[test]
fn a_server_of_the_zone_speaks_by_the_address_at_which_it_answers() {
    let mut finding = sample::doors::verification();
    let queries = &mut finding.name.as_mut().unwrap().queries;
    let mut six = queries[2].clone();
    six.resolver = "[2a05:d014:7::53]:53".to_owned();
    six.answer = NameAnswer::Blind(Blind::NoRoute);
    queries.push(six);
    let line = first_line(finding.clone());
    assert!(
        line.contains("2 resolvers and 1 server of the zone agree"),
        "{line}"
    );
    let queries = &mut finding.name.as_mut().unwrap().queries;
    queries[2].answer = NameAnswer::NxDomain;
    let line = first_line(finding);
    assert!(
        line.contains("name has no TXT record (2 resolvers and 1 server of the zone asked"),
        "{line}"
    );
}

/// A blocked or exposed finding over both families, an attempt for each.
fn both(mut finding: Finding, outcomes: [(&str, Reach, Option<StoppedBy>); 2]) -> Finding {
    let attempt = finding.endpoints[0].attempts[0].clone();
    let first = finding.endpoints[0].clone();
    finding.endpoints = outcomes
        .into_iter()
        .map(|(address, reach, stopped_by)| {
            let mut endpoint = first.clone();
            endpoint.endpoint.address = address.parse().unwrap();
            endpoint.reach = Some(reach);
            let evidence = Evidence {
                stopped_by,
                ..Evidence::default()
            };
            endpoint.attempts = vec![Attempt {
                outcome: Outcome::Reached(reach),
                evidence: Some(Box::new(evidence)),
                ..attempt.clone()
            }];
            endpoint
        })
        .collect();
    finding
}

#[test]
fn two_hosts_reply_to_ping_and_one_replies() {
    let gateway = sample::doors::gateway();
    let mut one = gateway.clone();
    one.endpoints.truncate(1);
    assert!(first_line(one).ends_with("Gateway  20.3.0.1 replies to ping"));
    let two = both(
        gateway,
        [
            ("20.3.0.1", Reach::Connected, None),
            ("2a05:d014:3::1", Reach::Connected, None),
        ],
    );
    assert!(
        first_line(two.clone()).ends_with("Gateway  20.3.0.1 and 1 more endpoint reply to ping")
    );
    // What is merely weaker than promised does not reply.
    let mut mixed = two;
    mixed.endpoints[1].reach = Some(Reach::Prohibited);
    mixed.endpoints[1].reason = Reason::WeakerThanPromised;
    assert!(
        first_line(mixed)
            .ends_with("Gateway  20.3.0.1 replies to ping; 1 more endpoint exposed otherwise")
    );
}

#[test]
fn devices_of_both_families_that_say_the_same_are_one_stop() {
    let error = |kind, code, from: &str, v6| {
        Some(StoppedBy::Icmp(IcmpError {
            kind,
            code,
            from: Some(from.parse().unwrap()),
            v6,
        }))
    };
    let line = |six| {
        first_line(both(
            sample::doors::storage(),
            [
                (
                    "20.3.0.9",
                    Reach::Prohibited,
                    error(3, 13, "198.51.100.1", false),
                ),
                ("2a05:d014:3::9", Reach::Prohibited, six),
            ],
        ))
    };
    let alike = line(error(1, 1, "2001:db8::1", true));
    assert!(
        alike.contains(
            "denied by 198.51.100.1, 2001:db8::1: administratively prohibited (2 endpoints"
        ),
        "{alike}"
    );
    let apart = line(error(1, 6, "2001:db8::1", true));
    assert!(
        apart.contains(
            "denied by 198.51.100.1: administratively prohibited at 1; denied by 2001:db8::1: route rejected at 1 (2"
        ),
        "{apart}"
    );
    // The target is no device before itself.
    let own = line(error(1, 1, "2a05:d014:3::9", true));
    assert!(
        own.contains(
            "denied by 198.51.100.1: administratively prohibited at 1; denied by the target itself: administratively prohibited at 1 (2"
        ),
        "{own}"
    );
}

#[test]
fn a_promise_of_no_name_is_one_of_no_address() {
    let mut finding = sample::intranet();
    finding.target.denial.stops.remove(&Reach::PrivateAddress);
    let told = denied(finding);
    assert!(
        told.contains("promise      no address (barrier dns: only no_name counts)"),
        "{told}"
    );
}
