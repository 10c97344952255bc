//! Every way in which a firewall stops somebody, and the ways in which it does not.

use noentry::domain::finding::Note;
use noentry::domain::observation::{Blind, Outcome, StoppedBy};
use noentry::domain::reach::Reach::{self, Connected, NoAnswer, Prohibited, Refused};
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};
use noentry::domain::way::PortProof;

use super::{CONTROL, HEALTHY};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Truth, endpoint, evidence, head, head_at, icmp, target};
use crate::zones::TRUTH;

const V4: &str = "203.0.113.22";
const V6: &str = "2001:db8:3::22";
const ROUTER_V4: &str = "198.18.9.1";
const ROUTER_V6: &str = "2001:db8:9::1";

/// Port, reach, and the ICMP error with its sender for IPv4 and IPv6.
type Stop<'a> = (u16, Reach, Option<(u8, &'a str)>, Option<(u8, &'a str)>);

/// Whether an unreachable tells of the way, and not of the door: no route, network unreachable.
const fn tells_of_the_way(v6: bool, code: u8) -> bool {
    code == 0 || v6 && code == 6
}

/// DROP, REJECT with a reset and with every kind of ICMP, by the router and by the host itself.
pub fn every_way_of_being_stopped(ground: Ground) {
    let stops: [Stop; 11] = [
        (9001, NoAnswer, None, None),
        (9002, Refused, None, None),
        (9003, Prohibited, Some((3, ROUTER_V4)), Some((4, ROUTER_V6))),
        (
            9004,
            Prohibited,
            Some((13, ROUTER_V4)),
            Some((1, ROUTER_V6)),
        ),
        (9005, Prohibited, Some((1, ROUTER_V4)), Some((3, ROUTER_V6))),
        (9006, Prohibited, Some((0, ROUTER_V4)), Some((0, ROUTER_V6))),
        (
            9007,
            Prohibited,
            Some((10, ROUTER_V4)),
            Some((5, ROUTER_V6)),
        ),
        (9008, Prohibited, Some((9, ROUTER_V4)), Some((6, ROUTER_V6))),
        (9009, Prohibited, Some((2, ROUTER_V4)), None),
        (9010, Prohibited, Some((3, V4)), Some((4, V6))),
        (9011, Refused, None, None),
    ];
    let mut config = HEALTHY.clone();
    for (port, _, _, v6) in &stops {
        config += &target(&format!("v4 {port}"), &format!("tcp: '{V4}:{port}'"));
        if *port != 9009 || v6.is_some() {
            config += &target(&format!("v6 {port}"), &format!("tcp: '[{V6}]:{port}'"));
        }
    }
    let round = Lab::standing(ground).round(&config);
    for (port, reach, v4, v6) in &stops {
        for (family, address, error) in [("v4", V4, v4), ("v6", V6, v6)] {
            if (*port, family) == (9009, "v6") {
                continue; // ICMPv6 has no such error.
            }
            let name = format!("{family} {port}");
            let way = error.is_some_and(|(code, _)| tells_of_the_way(family == "v6", code));
            let reaches = [*reach];
            let truth = if way {
                Truth(&name, Inconclusive, "no_route", &[])
            } else {
                Truth(&name, Blocked, "stopped", &reaches)
            };
            round.expect(&[truth]);
            let endpoint = endpoint(round.finding(&name), address);
            assert_eq!(endpoint.attempts.len(), 2, "{endpoint:#?}");
            let found: Vec<_> = icmp(endpoint)
                .iter()
                .map(|e| (e.v6, e.kind, e.code, e.from.map(|from| from.to_string())))
                .collect();
            let v6 = family == "v6";
            let kind = if v6 { 1 } else { 3 };
            let expected: Vec<_> = error
                .iter()
                .flat_map(|(code, from)| {
                    vec![(v6, kind, *code, Some((*from).to_owned())); endpoint.attempts.len()]
                })
                .collect();
            assert_eq!(found, expected, "{endpoint:#?}");
            if way {
                let blind = Outcome::Blind(Blind::NoRoute);
                let all = endpoint.attempts.iter().all(|a| a.outcome == blind);
                assert!(all, "{endpoint:#?}");
                continue;
            }
            assert_eq!(
                endpoint.rests_on.as_ref().map(|r| r.control.as_str()),
                Some("control.lab.example:9000"),
                "{endpoint:#?}"
            );
            let reset = evidence(endpoint).any(|e| e.stopped_by == Some(StoppedBy::Reset));
            assert_eq!(reset, *reach == Refused, "{endpoint:#?}");
            let notes = &round.finding(&name).notes;
            assert_eq!(notes.contains(&Note::OnlyNoListener), *reach == Refused);
        }
    }
    assert_eq!(round.code, 3);
}

/// The same rejections in the name of the runner's own gateway, or of a machine beside the runner: our own
/// side's, whatever they say. What stops further out, and what the target says itself, is what it was.
pub fn rejected_by_our_own_side(ground: Ground) {
    for (v4, v6) in [
        ("198.18.1.1", "2001:db8:1::1"),
        ("198.18.1.9", "2001:db8:1::9"),
    ] {
        let lab = Lab::standing(ground);
        lab.router_says_errors_from(v4, v6);
        let ours = [9003, 9004, 9005, 9006, 9007, 9008];
        let theirs = [(9001, NoAnswer), (9002, Refused), (9010, Prohibited)];
        let mut config = HEALTHY.clone();
        for port in ours.iter().chain(theirs.iter().map(|(port, _)| port)) {
            config += &target(&format!("v4 {port}"), &format!("tcp: '{V4}:{port}'"));
            config += &target(&format!("v6 {port}"), &format!("tcp: '[{V6}]:{port}'"));
        }
        config += &target("udp", "udp: door-admin.lab.example:53");
        config += &target("ping", "icmp: door-admin.lab.example");
        config += &target("quic", "quic: door-port.lab.example:443");
        let round = lab.round(&config);
        let mut names = vec!["udp".to_owned(), "ping".to_owned(), "quic".to_owned()];
        for port in ours {
            names.extend([format!("v4 {port}"), format!("v6 {port}")]);
        }
        for name in names {
            let finding = round.finding(&name);
            assert_eq!(finding.verdict, Inconclusive, "{finding:#?}");
            for endpoint in &finding.endpoints {
                let blind = Outcome::Blind(Blind::OwnGateway);
                let all = endpoint.attempts.iter().all(|a| a.outcome == blind);
                assert!(all && !endpoint.attempts.is_empty(), "{endpoint:#?}");
                let from = if endpoint.endpoint.address.is_ipv6() {
                    v6
                } else {
                    v4
                };
                let errors = icmp(endpoint);
                assert_eq!(errors.len(), endpoint.attempts.len(), "{endpoint:#?}");
                let all = errors.iter().all(|e| e.is_from(from.parse().unwrap()));
                assert!(all, "{endpoint:#?}");
            }
        }
        for (port, reach) in theirs {
            for (family, address) in [("v4", V4), ("v6", V6)] {
                let endpoint = endpoint(round.finding(&format!("{family} {port}")), address);
                let seen = Outcome::Reached(reach);
                let all = endpoint.attempts.iter().all(|a| a.outcome == seen);
                assert!(all && !endpoint.attempts.is_empty(), "{endpoint:#?}");
            }
        }
    }
}

/// What `denial` leaves out is an exposure, even though nobody gets in.
pub fn weaker_than_promised(ground: Ground) {
    let config = HEALTHY.clone()
        + &target("reset", "tcp: dual.lab.example:9002, denial: [no_answer]")
        + &target(
            "reset 2",
            "tcp: dual.lab.example:9002, denial: [no_answer, prohibited]",
        )
        + &target(
            "rejected",
            "tcp: dual.lab.example:9003, denial: [no_answer]",
        )
        + &target(
            "allowed",
            "tcp: dual.lab.example:9003, denial: [no_answer, prohibited]",
        )
        + &target("silent", "tcp: dual.lab.example:9001, denial: [no_answer]")
        + &target(
            "too silent",
            "tcp: dual.lab.example:9001, denial: [refused]",
        );
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("reset", Exposed, "weaker_than_promised", &[Refused]),
        Truth("reset 2", Exposed, "weaker_than_promised", &[Refused]),
        Truth("rejected", Exposed, "weaker_than_promised", &[Prohibited]),
        Truth("allowed", Blocked, "stopped", &[Prohibited]),
        Truth("silent", Blocked, "stopped", &[NoAnswer]),
        Truth("too silent", Exposed, "weaker_than_promised", &[NoAnswer]),
    ]);
}

/// One family locked, the other not; one address of five open; one family declared unwatched.
pub fn every_address_counts(ground: Ground) {
    let config = HEALTHY.clone()
        + &target("back door", "tcp: dual.lab.example:9012")
        + &target("front door", "tcp: dual.lab.example:9013")
        + &target(
            "unwatched",
            "'tcp': dual.lab.example:9012, families: [ipv4]",
        )
        + &target("one of five", "tcp: five.lab.example:9014")
        + &target("alias", "tcp: alias.lab.example:9012");
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("back door", Exposed, "past_barrier", &[Connected]),
        Truth("front door", Exposed, "past_barrier", &[Connected]),
        Truth("unwatched", Blocked, "stopped", &[NoAnswer]),
        Truth("one of five", Exposed, "past_barrier", &[Connected]),
        Truth("alias", Exposed, "past_barrier", &[Connected]),
    ]);
    let (v4, v6) = ("203.0.113.30", "2001:db8:3::30");
    for (name, closed, open) in [("back door", v4, v6), ("front door", v6, v4)] {
        let finding = round.finding(name);
        assert_eq!(endpoint(finding, closed).verdict, Blocked, "{finding:#?}");
        assert_eq!(endpoint(finding, closed).attempts.len(), 2, "{finding:#?}");
        assert_eq!(endpoint(finding, open).verdict, Exposed, "{finding:#?}");
        assert_eq!(endpoint(finding, open).attempts.len(), 1, "{finding:#?}");
    }
    let unwatched = round.finding("unwatched");
    assert!(
        unwatched.notes.contains(&Note::Ipv6Unwatched),
        "{unwatched:#?}"
    );
    assert_eq!(unwatched.endpoints.len(), 1);
    let five = round.finding("one of five");
    let open: Vec<_> = five
        .endpoints
        .iter()
        .filter(|e| e.verdict == Exposed)
        .map(|e| e.endpoint.address.to_string())
        .collect();
    assert_eq!(open, ["203.0.113.22"], "{five:#?}");
    assert_eq!(five.endpoints.len(), 5);
    for endpoint in five.endpoints.iter().filter(|e| e.verdict != Exposed) {
        assert_eq!(endpoint.verdict, Blocked, "{endpoint:#?}");
        assert_eq!(endpoint.attempts.len(), 2, "{endpoint:#?}");
    }
    let name = round.finding("alias").name.as_ref().unwrap();
    for query in &name.queries {
        let aliases: Vec<_> = query
            .cnames
            .iter()
            .map(|c| c.trim_end_matches('.'))
            .collect();
        let chain = [
            "alias2.lab.example",
            "alias3.lab.example",
            "dual.lab.example",
        ];
        assert_eq!(aliases, chain, "{name:#?}");
    }
}

/// An open port behind 20 % loss each way is found. Sixteen SYNs (twelve before Linux 6.5) would
/// have to be lost: less than once in 200,000.
pub fn loss_hides_nothing(ground: Ground) {
    let mut config = head_at(
        "timeout: 3.6s, attempts: 4, interval: 300ms",
        &[TRUTH],
        &[CONTROL],
    );
    let names = ["a", "b", "c"];
    for (name, last) in names.iter().zip(11..) {
        config += &target(name, &format!("tcp: '203.0.113.{last}:9015'"));
    }
    let round = Lab::standing(ground).round(&config);
    for name in names {
        round.expect(&[Truth(name, Exposed, "past_barrier", &[Connected])]);
    }
}

/// A router that limits its ICMP errors looks now like one firewall, now like another. Both are
/// true.
pub fn icmp_rate_limit(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.sh(
        Place::Router,
        "echo 1000 > /proc/sys/net/ipv4/icmp_ratelimit",
    );
    lab.rule(Place::Router, "passing", "tcp dport 9100-9123 reject");
    let mut config = HEALTHY.clone();
    for port in 9100..=9123 {
        config += &target(&port.to_string(), &format!("tcp: '{V4}:{port}'"));
    }
    let round = lab.round(&config);
    let mut seen = Vec::new();
    for finding in &round.report.findings {
        assert_eq!(finding.verdict, Blocked, "{finding:#?}");
        seen.extend(finding.endpoints.iter().flat_map(|e| &e.attempts));
    }
    for reach in [NoAnswer, Prohibited] {
        assert!(
            seen.iter().any(|a| a.outcome == Outcome::Reached(reach)),
            "no {reach}"
        );
    }
}

/// Silence on a port that providers filter on the way out counts only against a control on it.
pub fn filtered_mail_port(ground: Ground) {
    let lab = Lab::standing(ground);
    let mail = target("mail", &format!("tcp: '{V4}:25'"));
    let round = lab.round(&(HEALTHY.clone() + &mail));
    round.expect(&[Truth("mail", Inconclusive, "port_unproven", &[NoAnswer])]);

    lab.rule(
        Place::Router,
        "passing",
        "ip daddr 203.0.113.5 tcp dport 25 accept",
    );
    let controls = [CONTROL, "tcp: '203.0.113.5:25'"];
    let round = lab.round(&(head(&[TRUTH], &controls) + &mail));
    round.expect(&[Truth("mail", Blocked, "stopped", &[NoAnswer])]);
    let rests_on = endpoint(round.finding("mail"), V4)
        .rests_on
        .clone()
        .unwrap();
    assert_eq!(rests_on.control, "203.0.113.5:25");
    assert_eq!(rests_on.port, PortProof::Control);
}

/// A control on the target's own path sees what a control somewhere else does not.
pub fn own_path(ground: Ground) {
    let lab = Lab::standing(ground);
    // One provider's network cannot be reached from here, and everything else can.
    lab.rule(Place::Router, "passing", "ip daddr 203.0.113.32/28 drop");
    let config = HEALTHY.clone()
        + &target("generic", "tcp: '203.0.113.33:9000'")
        + &target(
            "lost",
            "tcp: '203.0.113.33:9000', control: { tcp: '203.0.113.34:9000' }",
        )
        + &target(
            "held",
            "tcp: '203.0.113.50:9001', control: { tcp: '203.0.113.51:9001' }",
        )
        + &target(
            "same port",
            "tcp: '203.0.113.50:9001', control: { tcp: '203.0.113.52:9000' }",
        );
    lab.rule(
        Place::Router,
        "passing",
        "ip daddr 203.0.113.51 tcp dport 9001 accept",
    );
    let round = lab.round(&config);
    round.expect(&[
        // The best that can be said without knowing better.
        Truth("generic", Blocked, "stopped", &[NoAnswer]),
        Truth("lost", Inconclusive, "control_lost", &[NoAnswer]),
        Truth("held", Blocked, "stopped", &[NoAnswer]),
        Truth("same port", Blocked, "stopped", &[NoAnswer]),
    ]);
    for (name, control, port) in [
        ("held", "203.0.113.51:9001", PortProof::Control),
        (
            "same port",
            "203.0.113.52:9000",
            // The control of the target before proves the port.
            PortProof::Reached {
                at: "203.0.113.51:9001".to_owned(),
            },
        ),
    ] {
        let endpoint = endpoint(round.finding(name), "203.0.113.50");
        let rests_on = endpoint.rests_on.as_ref().unwrap();
        assert_eq!(rests_on.control, control);
        assert!(rests_on.own_path);
        assert_eq!(rests_on.port, port);
    }
}
