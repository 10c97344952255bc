//! What the kinds of target and `vantage:` become in the plan.

use super::*;
use crate::domain::payload::{Mute, Payload, Protocol};
use crate::domain::record::Record;
use crate::domain::target::{Authoritative, Control, Denial, Echo, Target};

fn targets(list: &str) -> Vec<Target> {
    plan(&format!("version: 1\ntargets:\n{list}")).targets
}

fn kind(entry: &str) -> TargetKind {
    let mut targets = targets(&format!("  - {{ name: a, {entry} }}"));
    targets.remove(0).kind
}

fn name(text: &str) -> Host {
    Host::Name(text.to_owned())
}

#[test]
fn every_kind_is_read_with_the_keys_that_belong_to_it() {
    let tcp = |banner| TargetKind::Tcp {
        host: name("a.example"),
        port: 22,
        banner,
    };
    assert_eq!(kind("tcp: a.example:22"), tcp(false));
    assert_eq!(kind("tcp: a.example:22, expect_banner: true"), tcp(true));
    let port = 443;
    let host = name("a.example");
    assert_eq!(kind("quic: a.example:443"), TargetKind::Quic { host, port });
    let dns = |record: Option<&str>| TargetKind::Dns {
        name: "a.example".to_owned(),
        record: record.map(|record| Record::parse(record).unwrap()),
    };
    assert_eq!(kind("dns: a.example"), dns(None));
    assert_eq!(kind("dns: a.example, record: mx"), dns(Some("MX")));
    let number = kind("dns: a.example, record: TYPE1234, authoritative: true");
    assert_eq!(number, dns(Some("TYPE1234")));
}

#[test]
fn every_target_with_a_name_may_have_the_zones_own_servers_asked() {
    for entry in [
        "url: 'https://a.example/'",
        "tcp: a.example:22",
        "udp: a.example:53",
        "quic: a.example:443",
        "icmp: a.example",
        "dns: a.example",
        "dns: a.example, record: TXT",
    ] {
        for (more, expected) in [
            ("", Authoritative::WhereNeeded),
            (", authoritative: false", Authoritative::WhereNeeded),
            (", authoritative: true", Authoritative::Always),
        ] {
            let [target] = &targets(&format!("  - {{ name: a, {entry}{more} }}"))[..] else {
                panic!("{entry}");
            };
            assert_eq!(target.authoritative, expected, "{entry}{more}");
        }
    }
}

#[test]
fn an_icmp_target_is_a_host_with_or_without_brackets() {
    let address = |text: &str| Host::Address(text.parse().unwrap());
    for (entry, host) in [
        ("a.example", name("a.example")),
        ("9.9.9.9", address("9.9.9.9")),
        ("2620:fe::fe", address("2620:fe::fe")),
        ("'[2620:fe::fe]'", address("2620:fe::fe")),
    ] {
        let expected = TargetKind::Icmp { host };
        assert_eq!(kind(&format!("icmp: {entry}")), expected, "{entry}");
    }
}

#[test]
fn a_payload_is_chosen_by_the_port_unless_it_is_said() {
    let payload = |entry: &str| match kind(entry) {
        TargetKind::Udp { payload, .. } => payload,
        other => panic!("{other:?}"),
    };
    for (entry, expected) in [
        ("udp: a.example:53", Payload::Protocol(Protocol::Dns)),
        (
            "udp: '[2620:fe::fe]:161'",
            Payload::Protocol(Protocol::Snmp),
        ),
        (
            "udp: a.example:5353, payload: dns",
            Payload::Protocol(Protocol::Dns),
        ),
        // What was said beats what is at home there.
        (
            "udp: a.example:514, payload: tftp",
            Payload::Protocol(Protocol::Tftp),
        ),
        (
            "udp: a.example:51820, payload: hex:00",
            Payload::Bytes(vec![0]),
        ),
        (
            "udp: a.example:9, payload: 'hex:01 02ff'",
            Payload::Bytes(vec![1, 2, 255]),
        ),
        (
            "udp: a.example:514, accept_silence: true",
            Payload::Mute(Mute::Syslog),
        ),
        (
            "udp: a.example:9, payload: wireguard, accept_silence: true",
            Payload::Mute(Mute::Wireguard),
        ),
    ] {
        assert_eq!(payload(entry), expected, "{entry}");
    }
}

#[test]
fn silence_is_accepted_only_where_it_is_said() {
    let accepted: Vec<bool> = targets(
        "  - { name: a, udp: a.example:500 }
  - { name: b, udp: a.example:500, accept_silence: true }
  - { name: c, udp: a.example:500, accept_silence: false }
  - { name: d, udp: a.example:9, payload: hex:00, accept_silence: true }
  - { name: e, udp: a.example:53, accept_silence: false }",
    )
    .iter()
    .map(|target| target.accept_silence)
    .collect();
    assert_eq!(accepted, [false, true, false, true, false]);
}

#[test]
fn quic_is_tried_beside_tcp_for_https_alone() {
    let list = "  - { name: a, url: 'https://a.example' }
  - { name: b, url: 'https://a.example', http3: false }
  - { name: c, url: 'http://a.example' }
  - { name: d, tcp: a.example:443 }
  - { name: e, url: 'https://a.example', http3: true, barrier: http }
  - { name: f, url: 'https://a.example', barrier: dns }
  - { name: g, quic: a.example:443 }";
    let http3 = |targets: &[Target]| targets.iter().map(|t| t.http3).collect::<Vec<_>>();
    assert_eq!(
        http3(&targets(list)),
        [true, false, false, false, true, false, false]
    );
    let off = plan(&format!(
        "version: 1\ndefaults: {{ http3: false }}\ntargets:\n{list}"
    ));
    assert_eq!(
        http3(&off.targets),
        [false, false, false, false, true, false, false]
    );
}

#[test]
fn denials_are_those_that_can_be_seen_at_the_target() {
    let stops = |entry: &str| {
        let mut targets = targets(&format!("  - {{ name: a, {entry} }}"));
        let Denial { stops, .. } = targets.remove(0).denial;
        stops.into_iter().collect::<Vec<_>>()
    };
    let icmp = [Reach::NoAnswer, Reach::Prohibited];
    assert_eq!(stops("icmp: a.example"), icmp);
    assert_eq!(
        stops("icmp: a.example, denial: [prohibited, no_answer]"),
        icmp
    );
    assert_eq!(stops("dns: a.example, record: TXT"), [Reach::NoName]);
    assert_eq!(
        stops("dns: a.example, record: TXT, denial: [no_name]"),
        [Reach::NoName]
    );
    assert_eq!(
        stops("udp: a.example:53, denial: [no_answer, refused]"),
        [Reach::NoAnswer, Reach::Refused]
    );
    assert_eq!(
        stops("quic: a.example:443, barrier: tls"),
        [Reach::TlsRefused]
    );
}

#[test]
fn doors_differ_by_transport() {
    let good = |control: &str, target: &str| {
        let text =
            format!("version: 1\ncontrols: [{{ {control} }}]\ntargets: [{{ name: a, {target} }}]");
        plan_with(&text, &Overrides::default()).is_ok()
    };
    let https = "url: 'https://a.example/'";
    for (control, target, expected) in [
        ("udp: a.example:53", "tcp: a.example:53", true),
        ("tcp: a.example:53", "udp: a.example:53", true),
        ("udp: a.example:53", "udp: a.example:53", false),
        ("udp: a.example:53", "udp: a.example:123", true),
        ("icmp: a.example", "tcp: a.example:53", true),
        ("tcp: a.example:53", "icmp: a.example", true),
        ("icmp: a.example", "icmp: a.example", false),
        ("icmp: a.example", "icmp: a.example, barrier: dns", false),
        ("quic: a.example:443", https, false),
        ("udp: a.example:443, payload: hex:00", https, false),
        ("quic: a.example:8443", https, true),
        (
            "quic: a.example:443",
            "url: 'https://a.example/', http3: false",
            true,
        ),
        (
            "quic: a.example:443",
            "url: 'https://a.example/', barrier: tls",
            true,
        ),
        (
            "quic: a.example:443",
            "quic: a.example:443, barrier: tls",
            true,
        ),
        ("quic: a.example:443", "tcp: a.example:443", true),
        ("url: 'https://a.example/'", "quic: a.example:443", true),
        ("dns: a.example", "dns: a.example, record: TXT", true),
        ("dns: a.example", "dns: a.example", false),
    ] {
        assert_eq!(good(control, target), expected, "{control} {target}");
    }
}

#[test]
fn a_targets_own_control_has_its_transport() {
    let good = |target: &str, control: &str| {
        let text =
            format!("version: 1\ntargets: [{{ name: a, {target}, control: {{ {control} }} }}]");
        plan_with(&text, &Overrides::default()).is_ok()
    };
    let url = "url: 'https://b.example/'";
    for (target, control, expected) in [
        ("udp: a.example:53", "udp: b.example:53", true),
        ("udp: a.example:53", "quic: b.example:443", true),
        ("udp: a.example:53", url, false),
        ("udp: a.example:53, barrier: dns", url, true),
        ("icmp: a.example", "icmp: b.example", true),
        ("icmp: a.example", "tcp: b.example:1", false),
        ("quic: a.example:443", "udp: b.example:53", true),
        ("tcp: a.example:1", "quic: b.example:443", false),
        ("tcp: a.example:1", url, true),
    ] {
        assert_eq!(good(target, control), expected, "{target} {control}");
    }
}

fn vantage(block: &str) -> crate::domain::target::VantagePlan {
    let target = "targets: [{ name: a, tcp: a.example:1 }]";
    plan(&format!(
        "version: 1\ndefaults: {{ attempts: 2 }}\nvantage:\n{block}\n{target}"
    ))
    .vantage
}

#[test]
fn nothing_is_asked_about_the_vantage_by_default() {
    let plan = plan("version: 1\ntargets: [{ name: a, tcp: a.example:1 }]");
    assert_eq!(plan.vantage, crate::domain::target::VantagePlan::default());
}

#[test]
fn an_egress_echo_is_a_name_with_its_servers_or_a_page() {
    let dns = |record: Option<&str>, servers: &[&str]| {
        let servers = servers.iter().map(|text| text.parse().unwrap());
        Some(Echo::Dns {
            name: "whoami.example.net".to_owned(),
            record: record.map(|record| Record::parse(record).unwrap()),
            servers: servers.collect(),
        })
    };
    let one = vantage("  egress: { dns: WhoAmI.example.net., server: 9.9.9.9 }");
    assert_eq!(one.egress, dns(None, &["9.9.9.9:53"]));
    let two = vantage(
        "  egress: { dns: whoami.example.net, servers: [9.9.9.9, '[2620:fe::fe]:5353'], record: txt }",
    );
    assert_eq!(
        two.egress,
        dns(Some("TXT"), &["9.9.9.9:53", "[2620:fe::fe]:5353"])
    );
    let page = vantage("  egress: { url: 'https://echo.example.net/ip' }").egress;
    let Some(Echo::Http(url)) = page else {
        panic!("{page:?}")
    };
    assert_eq!(url.text, "https://echo.example.net/ip");
}

#[test]
fn what_must_not_be_reached_is_read_as_a_control_is() {
    let made = vantage("  must_not_reach: { tcp: office.example.com:22, timeout: 3s }");
    let Some(Control { kind, pace, .. }) = made.must_not_reach else {
        panic!("{made:?}")
    };
    assert_eq!(kind.to_string(), "office.example.com:22");
    assert_eq!((pace.timeout, pace.attempts), (Duration::from_secs(3), 2));
    let made = vantage("  must_not_reach: { icmp: 10.0.0.1, probe_non_global: true }");
    assert!(made.must_not_reach.is_some_and(|c| c.probe_non_global));
    assert_eq!(made.egress, None);
}
