//! Transports beside TCP, what speaks for them, and from which side the round looks.

use super::*;
use crate::domain::endpoint::Transport;
use crate::domain::payload::Mute;
use crate::domain::reach::Layer;
use crate::domain::report::{Coverage, Side, Surface, Watch};
use crate::domain::target::Url;
use crate::domain::verdict::Reason;

const INSIDE: &str = "8.8.4.4";

fn address(text: &str) -> Host {
    Host::Address(text.parse().unwrap())
}

fn udp(host: &str, port: u16, protocol: Protocol) -> TargetKind {
    TargetKind::Udp {
        host: address(host),
        port,
        payload: Payload::Protocol(protocol),
    }
}

fn icmp(host: &str) -> TargetKind {
    TargetKind::Icmp {
        host: address(host),
    }
}

fn url(host: &str) -> TargetKind {
    TargetKind::Url(Url {
        text: format!("https://{host}/"),
        https: true,
        host: address(host),
        port: 443,
        path: "/".to_owned(),
        authority: host.to_owned(),
    })
}

fn https(host: &str) -> Target {
    Target {
        http3: true,
        ..target("admin", url(host), Barrier::Network)
    }
}

fn with_controls(targets: Vec<Target>, controls: Vec<TargetKind>) -> Plan {
    let mut plan = plan(targets);
    plan.controls = controls.into_iter().map(control).collect();
    plan
}

fn lines(report: &RoundReport) -> Vec<(Surface, Option<Family>, Watch)> {
    let line = |line: &Coverage| (line.surface, line.family, line.watch);
    report.coverage.iter().map(line).collect()
}

#[tokio::test(start_paused = true)]
async fn a_control_speaks_for_its_own_transport_alone() {
    use Verdict::{Blocked, Inconclusive};

    let world = Fake::new(only_control_answers);
    let targets = || {
        vec![
            target("ntp", udp("5.5.5.5", 123, Protocol::Ntp), Barrier::Network),
            target("ping", icmp("5.5.5.5"), Barrier::Network),
            target("db", tcp("5.5.5.5", 5432), Barrier::Network),
        ]
    };
    let verdicts =
        |report: &RoundReport| -> Vec<_> { report.findings.iter().map(|f| f.verdict).collect() };
    let tcp_alone = with_controls(targets(), vec![tcp(CONTROL, 443)]);
    let report = undisturbed(&world, &tcp_alone).await;
    assert_eq!(verdicts(&report), [Inconclusive, Inconclusive, Blocked]);
    assert_eq!(report.findings[0].reason.as_str(), "no_control");

    let all = vec![
        tcp(CONTROL, 443),
        udp(CONTROL, 123, Protocol::Ntp),
        icmp(CONTROL),
    ];
    let report = undisturbed(&world, &with_controls(targets(), all)).await;
    assert_eq!(verdicts(&report), [Blocked, Blocked, Blocked]);
    let sees: Vec<_> = report
        .vantage
        .sees
        .iter()
        .map(|s| (s.transport, s.family, s.layer))
        .collect();
    assert_eq!(
        sees,
        Transport::ALL.map(|transport| (transport, Family::Ipv4, Layer::Network))
    );
}

#[tokio::test(start_paused = true)]
async fn ping_that_is_never_replied_to_here_leaves_tcp_alone() {
    // As on GitHub-hosted runners.
    let world = Fake::new(|endpoint, at| {
        only_control_answers(endpoint, at).filter(|_| endpoint.transport != Transport::Icmp)
    });
    let targets = vec![
        target("ping", icmp("5.5.5.5"), Barrier::Network),
        target("db", tcp("5.5.5.5", 5432), Barrier::Network),
    ];
    let plan = with_controls(targets, vec![tcp(CONTROL, 443), icmp(CONTROL)]);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");
    assert_eq!(report.findings[1].verdict, Verdict::Blocked);
    assert_eq!(
        lines(&report),
        [
            (Surface::Tcp, Some(Family::Ipv4), Watch::Watched),
            (Surface::Icmp, Some(Family::Ipv4), Watch::NotWatchable),
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn silence_that_an_open_service_may_keep_is_never_blocked_unless_accepted() {
    let world = Fake::new(only_control_answers);
    let openvpn = || {
        target(
            "vpn",
            udp("5.5.5.5", 1194, Protocol::Openvpn),
            Barrier::Network,
        )
    };
    let mute = Target {
        accept_silence: true,
        ..target(
            "wireguard",
            TargetKind::Udp {
                host: address("5.5.5.6"),
                port: 51820,
                payload: Payload::Mute(Mute::Wireguard),
            },
            Barrier::Network,
        )
    };
    let controls = vec![udp(CONTROL, 3478, Protocol::Stun)];
    let report = undisturbed(&world, &with_controls(vec![openvpn(), mute], controls)).await;
    let reason = &report.findings[0].reason;
    assert_eq!(reason.as_str(), "silence_tells_nothing");
    assert_eq!(report.findings[1].verdict, Verdict::Blocked);
    assert!(report.findings[1].notes.contains(&Note::SilenceAccepted));

    // And never without a control.
    let accepted = Target {
        accept_silence: true,
        ..openvpn()
    };
    let report = undisturbed(&world, &with_controls(vec![accepted], vec![])).await;
    assert_eq!(report.findings[0].reason.as_str(), "no_control");
}

#[tokio::test(start_paused = true)]
async fn what_answers_on_udp_53_and_123_speaks_for_no_other_port() {
    let world = Fake::new(only_control_answers);
    let dns = || udp(CONTROL, 53, Protocol::Dns);
    let ntp = || udp(CONTROL, 123, Protocol::Ntp);
    let stun = || udp(CONTROL, 3478, Protocol::Stun);
    for (wanted, control, blocked) in [
        (udp("5.5.5.5", 53, Protocol::Dns), dns(), true),
        (udp("5.5.5.5", 123, Protocol::Ntp), dns(), false),
        (udp("5.5.5.5", 3478, Protocol::Stun), ntp(), false),
        (udp("5.5.5.5", 3478, Protocol::Stun), stun(), true),
        // Assumed to be let out, but for what providers close.
        (udp("5.5.5.5", 5060, Protocol::Sip), stun(), true),
        (udp("5.5.5.5", 11211, Protocol::Memcached), stun(), false),
        (
            TargetKind::Quic {
                host: address("5.5.5.5"),
                port: 443,
            },
            ntp(),
            false,
        ),
    ] {
        let plan = with_controls(
            vec![target("door", wanted.clone(), Barrier::Network)],
            vec![control.clone()],
        );
        let report = undisturbed(&world, &plan).await;
        let finding = &report.findings[0];
        if blocked {
            assert_eq!(finding.verdict, Verdict::Blocked, "{wanted} by {control}");
        } else {
            let reason = finding.reason.as_str();
            assert_eq!(reason, "port_unproven", "{wanted} by {control}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_over_udp_must_get_the_answer_that_belongs_to_its_question() {
    let world = Fake::new(only_control_answers);
    let ntp = target("ntp", udp("5.5.5.5", 123, Protocol::Ntp), Barrier::Network);
    // Something comes back, as from a portal, but it is no STUN.
    let plan = with_controls(vec![ntp], vec![udp(CONTROL, 123, Protocol::Stun)]);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");
    // Nor is it QUIC.
    for (port, verdict) in [(443, Verdict::Blocked), (8443, Verdict::Inconclusive)] {
        let sip = target("sip", udp("5.5.5.5", 5060, Protocol::Sip), Barrier::Network);
        let quic = TargetKind::Quic {
            host: address(CONTROL),
            port,
        };
        let report = undisturbed(&world, &with_controls(vec![sip], vec![quic])).await;
        assert_eq!(report.findings[0].verdict, verdict, "{port}");
    }
}

#[tokio::test(start_paused = true)]
async fn quic_beside_tcp_can_only_add() {
    // TCP 443 shut, nothing heard from UDP 443, no control for UDP.
    let world = Fake::new(only_control_answers);
    let report = undisturbed(&world, &plan(vec![https("5.5.5.5")])).await;
    let finding = &report.findings[0];
    assert_eq!(finding.verdict, Verdict::Blocked, "{:?}", finding.reason);
    assert_eq!(finding.reach, Some(Reach::NoAnswer));
    let beside: Vec<_> = finding.endpoints.iter().filter(|e| e.companion).collect();
    assert_eq!(beside.len(), 1);
    assert_eq!(beside[0].verdict, Verdict::Inconclusive);
    assert_eq!(
        lines(&report),
        [
            (Surface::Tcp, Some(Family::Ipv4), Watch::Watched),
            (Surface::Http3, Some(Family::Ipv4), Watch::NotWatchable),
        ]
    );

    // The forgotten door.
    let world = Fake::new(|endpoint, at| {
        let quic = (endpoint.transport == Transport::Udp).then_some(Reach::Served);
        only_control_answers(endpoint, at).or(quic)
    });
    let report = undisturbed(&world, &plan(vec![https("5.5.5.5")])).await;
    let finding = &report.findings[0];
    assert_eq!(finding.verdict, Verdict::Exposed);
    assert_eq!(finding.reach, Some(Reach::Served));

    // A control for it says that somebody means it to be seen; this one is lost.
    let world = Fake::new(|endpoint, at| {
        only_control_answers(endpoint, at).filter(|_| endpoint.transport == Transport::Tcp)
    });
    let quic = TargetKind::Quic {
        host: address(CONTROL),
        port: 443,
    };
    let controls = vec![tcp(CONTROL, 443), quic];
    let report = undisturbed(&world, &with_controls(vec![https("5.5.5.5")], controls)).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");

    // Left out on purpose.
    let world = Fake::new(only_control_answers);
    let without = Target {
        http3: false,
        ..https("5.5.5.5")
    };
    let report = undisturbed(&world, &plan(vec![without])).await;
    assert_eq!(report.findings[0].verdict, Verdict::Blocked);
    assert!(lines(&report).contains(&(Surface::Http3, Some(Family::Ipv4), Watch::Unwatched)));
}

#[tokio::test(start_paused = true)]
async fn quic_that_stops_short_of_the_barrier_does_not_count_against_it() {
    // The WAF denies over TCP, and QUIC shakes hands without an HTTP answer.
    let world = Fake::new(|endpoint, at| {
        let reach = match endpoint.transport {
            Transport::Tcp => Reach::Denied,
            Transport::Udp | Transport::Icmp => Reach::TlsEstablished,
        };
        only_control_answers(endpoint, at).or(Some(reach))
    });
    let at_http = Target {
        http3: true,
        ..target("waf", url("5.5.5.5"), Barrier::Http)
    };
    let report = undisturbed(&world, &plan(vec![at_http])).await;
    assert_eq!(report.findings[0].verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn a_rejection_of_quic_beside_tcp_is_no_exposure_without_a_control() {
    // The promise is a reset over TCP. UDP 443 is rejected, perhaps by our own side.
    let world = Fake::new(|endpoint, at| {
        let reach = match endpoint.transport {
            Transport::Tcp => Reach::Refused,
            Transport::Udp | Transport::Icmp => Reach::Prohibited,
        };
        only_control_answers(endpoint, at).or(Some(reach))
    });
    let strict = || Target {
        denial: Denial {
            stops: [Reach::Refused].into(),
            ..https("5.5.5.5").denial
        },
        ..https("5.5.5.5")
    };
    let report = undisturbed(&world, &plan(vec![strict()])).await;
    let finding = &report.findings[0];
    assert_eq!(finding.verdict, Verdict::Blocked, "{:?}", finding.reason);
    let beside: Vec<_> = finding.endpoints.iter().filter(|e| e.companion).collect();
    assert_eq!(beside.len(), 1);
    assert_eq!(beside[0].reason.as_str(), "no_control");
    assert_eq!(beside[0].attempts.len(), finding.attempts(), "given up on");

    // Where a control says that UDP 443 is open from here, the promise is held to.
    let quic = TargetKind::Quic {
        host: address(CONTROL),
        port: 443,
    };
    let controls = vec![tcp(CONTROL, 443), quic];
    let report = undisturbed(&world, &with_controls(vec![strict()], controls)).await;
    assert_eq!(report.findings[0].verdict, Verdict::Exposed);
    assert_eq!(report.findings[0].reason, Reason::WeakerThanPromised);
}

/// A plan whose vantage must not reach `INSIDE`.
fn guarded(targets: Vec<Target>) -> Plan {
    let mut plan = plan(targets);
    plan.vantage.must_not_reach = Some(control(tcp(INSIDE, 22)));
    plan
}

#[tokio::test(start_paused = true)]
async fn from_inside_nothing_is_worth_anything() {
    let world = Fake::new(|endpoint, at| {
        // The allow-list lets us in, at least for a while.
        let inside = endpoint.address.to_string() == INSIDE && at > Duration::from_secs(2);
        let open = endpoint.address.to_string() == "5.5.5.6";
        (only_control_answers(endpoint, at).is_some() || inside || open).then_some(Reach::Connected)
    });
    let targets = vec![
        target("shut", tcp("5.5.5.5", 22), Barrier::Network),
        target("open", tcp("5.5.5.6", 22), Barrier::Network),
    ];
    let report = undisturbed(&world, &guarded(targets)).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    for finding in &report.findings {
        assert_eq!(finding.verdict, Verdict::Inconclusive);
        let reached = "8.8.4.4:22".to_owned();
        assert_eq!(finding.reason, Reason::Inside { reached });
    }
    assert_eq!(report.vantage.outside.unwrap().side, Side::Inside);
}

#[tokio::test(start_paused = true)]
async fn every_address_that_only_insiders_reach_is_tried() {
    let all = ["8.8.4.1", "8.8.4.2", "8.8.4.3", INSIDE].map(|address| address.parse().unwrap());
    let addresses = || NameAnswer::Addresses(all.to_vec());
    let world = Fake::new(|endpoint, at| {
        let inside = endpoint.address.to_string() == INSIDE;
        only_control_answers(endpoint, at).or(inside.then_some(Reach::Connected))
    })
    .name("1.1.1.1", "wiki.corp.example", addresses())
    .name("8.8.8.8", "wiki.corp.example", addresses());
    let mut plan = guarded(vec![target("shut", tcp("5.5.5.5", 22), Barrier::Network)]);
    plan.vantage.must_not_reach = Some(control(tcp("wiki.corp.example", 443)));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.vantage.outside.unwrap().side, Side::Inside);
    assert_eq!(report.verdict, Verdict::Inconclusive);
}

#[tokio::test(start_paused = true)]
async fn outside_is_proven_by_a_shut_door_and_a_control() {
    let world = Fake::new(only_control_answers);
    let shut = || vec![target("shut", tcp("5.5.5.5", 22), Barrier::Network)];
    let report = undisturbed(&world, &guarded(shut())).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    assert_eq!(report.vantage.outside.unwrap().side, Side::Outside);

    // A door that could not be looked at proves nothing, and open doors stay open.
    let mut plan = guarded(vec![
        target("shut", tcp("5.5.5.5", 22), Barrier::Network),
        target("open", tcp(CONTROL, 80), Barrier::Network),
    ]);
    plan.vantage.must_not_reach = Some(control(udp(INSIDE, 123, Protocol::Ntp)));
    let report = undisturbed(&world, &plan).await;
    let reasons: Vec<_> = report.findings.iter().map(|f| f.reason.as_str()).collect();
    assert_eq!(reasons, ["not_proven_outside", "past_barrier"]);
    assert_eq!(report.vantage.outside.unwrap().side, Side::Unproven);
}

#[tokio::test(start_paused = true)]
async fn a_door_that_may_be_silent_when_open_proves_nothing_by_its_silence() {
    let world = Fake::new(only_control_answers);
    let shut = vec![target("shut", tcp("5.5.5.5", 22), Barrier::Network)];
    let controls = vec![
        tcp(CONTROL, 443),
        udp(CONTROL, 161, Protocol::Snmp),
        udp(CONTROL, 3478, Protocol::Stun),
    ];
    let mut plan = with_controls(shut, controls);
    for (protocol, port, side) in [
        (Protocol::Snmp, 161, Side::Unproven),
        (Protocol::Stun, 3478, Side::Outside),
    ] {
        plan.vantage.must_not_reach = Some(control(udp(INSIDE, port, protocol)));
        let report = undisturbed(&world, &plan).await;
        assert_eq!(report.vantage.outside.unwrap().side, side, "{protocol}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_door_that_only_insiders_can_name_proves_outside_by_its_unknown_name() {
    let control_address = NameAnswer::Addresses(vec![CONTROL.parse().unwrap()]);
    let world = Fake::new(only_control_answers)
        .name("1.1.1.1", "control.example", control_address.clone())
        .name("8.8.8.8", "control.example", control_address);
    let mut plan = guarded(vec![target("shut", tcp("5.5.5.5", 22), Barrier::Network)]);
    plan.vantage.must_not_reach = Some(control(tcp("wiki.corp.example", 443)));
    // Without a control that has a name, nobody knows whether the resolvers work.
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.vantage.outside.unwrap().side, Side::Unproven);

    plan.controls = vec![control(tcp("control.example", 443))];
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.vantage.outside.unwrap().side, Side::Outside);
    assert_eq!(report.verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn what_the_configuration_leaves_out_stands_in_the_table() {
    let five = || NameAnswer::Addresses(vec!["5.5.5.5".parse().unwrap()]);
    let world = Fake::new(only_control_answers)
        .name("1.1.1.1", "db.example", five())
        .name("8.8.8.8", "db.example", five());
    let four = Target {
        families: vec![Family::Ipv4],
        ..target("db", tcp("db.example", 22), Barrier::Network)
    };
    let report = undisturbed(&world, &plan(vec![four])).await;
    assert_eq!(
        lines(&report),
        [
            (Surface::Dns, None, Watch::Watched),
            (Surface::Tcp, Some(Family::Ipv4), Watch::Watched),
            (Surface::Tcp, Some(Family::Ipv6), Watch::Unwatched),
        ]
    );
    assert_eq!(report.coverage[0].targets, ["db"]);
}
