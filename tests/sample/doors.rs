//! Sample findings for the doors beside TCP: ping, UDP, QUIC, what a port says of itself, records.

use noentry::domain::endpoint::{Class, Endpoint, Family, Transport};
use noentry::domain::finding::{EndpointReport, Finding, NameAnswer, NameQuery, NameVerdict, Note};
use noentry::domain::observation::{
    Attempt, Evidence, IcmpError, Middlebox, Outcome, QuicEvidence, StoppedBy, TcpEvidence,
    UdpAnswer, UdpEvidence,
};
use noentry::domain::reach::{Layer, Reach};
use noentry::domain::report::{
    ControlCheck, ControlEndpoint, ControlReport, Coverage, Egress, Outside, RoundReport, Sees,
    Side, Surface, Watch,
};
use noentry::domain::target::{Barrier, ControlOrigin, Denial};
use noentry::domain::verdict::{Reason, RestsOn, Verdict};
use noentry::domain::way::{Assumption, PortProof, ReachedPort};

use super::{
    at, attempt, blocked, certificate, dns, http, ip, of, past, settle, stopped, target, times,
    unsure, with,
};

pub const WEB: &str = "https://www.example.com/";
pub const TIME: &str = "time.example.com:123";
pub const QUIC: &str = "www.example.com:443";
pub const PING: &str = "www.example.com";
pub const GUARD: &str = "bastion.internal.example.com:22";

/// A round with one finding of every kind that is not TCP up to HTTP, seen by a vantage that knows
/// where it stands.
pub fn round() -> RoundReport {
    let mut report = of(vec![
        resolver(),
        time_server(),
        vpn_gateway(),
        tunnel(),
        gateway(),
        storage(),
        video(),
        push(),
        storefront(),
        preview(),
        bastion(),
        proxy(),
        spf(),
        verification(),
        campaign(),
    ]);
    settled(&mut report, Side::Outside);
    report.coverage = coverage();
    report
}

/// The vantage and the controls of these rounds.
fn settled(report: &mut RoundReport, side: Side) {
    let vantage = &mut report.vantage;
    "self-hosted".clone_into(&mut vantage.environment);
    vantage.unfiltered = Some(Assumption::Said);
    vantage.ports = [53, 123, 161, 443]
        .map(|port| ReachedPort {
            endpoint: reached_on(Transport::Udp, port),
            way: None,
        })
        .to_vec();
    vantage.name = Some("runner-eu-1".to_owned());
    vantage.proven = Family::ALL.to_vec();
    vantage.sees = vec![
        sees(Transport::Tcp, Family::Ipv4, Layer::Http, WEB),
        sees(Transport::Tcp, Family::Ipv6, Layer::Http, WEB),
        sees(Transport::Udp, Family::Ipv4, Layer::Network, TIME),
        sees(Transport::Icmp, Family::Ipv4, Layer::Network, PING),
    ];
    vantage.egress = vec![
        Egress {
            family: Family::Ipv4,
            asked: "https://echo.example.net/".to_owned(),
            address: Some(ip("20.99.0.7")),
            error: None,
        },
        Egress {
            family: Family::Ipv6,
            asked: "https://echo.example.net/".to_owned(),
            address: None,
            error: Some("no address in the answer".to_owned()),
        },
    ];
    let guard = Endpoint::tcp(ip("20.8.0.1"), 22);
    let outcome = match side {
        Side::Inside => Reach::Connected,
        Side::Outside | Side::Unproven => Reach::NoAnswer,
    };
    vantage.outside = Some(Outside {
        must_not_reach: GUARD.to_owned(),
        side,
        checks: vec![check(0, &[guard], outcome, side == Side::Inside)],
    });
    let both = Family::ALL.to_vec();
    let four = vec![Family::Ipv4];
    let (web, other) = (ip("93.184.216.34"), ip("93.184.216.40"));
    report.controls = vec![
        control(WEB, "url", Endpoint::tcp(web, 443), &both),
        control(TIME, "udp", Endpoint::udp(other, 123), &four),
        control(QUIC, "quic", Endpoint::udp(web, 443), &four),
        control(PING, "icmp", Endpoint::icmp(web), &four),
    ];
}

/// A round whose vantage turned out to be inside: nothing that it saw counts.
pub fn inside_round() -> RoundReport {
    let inside = |finding: Finding| {
        let reached = GUARD.to_owned();
        let mut finding = finding;
        for endpoint in &mut finding.endpoints {
            endpoint.verdict = Verdict::Inconclusive;
            endpoint.reason = Reason::Inside {
                reached: reached.clone(),
            };
            endpoint.rests_on = None;
        }
        settle(finding)
    };
    let mut report = of(vec![inside(bastion()), inside(push())]);
    settled(&mut report, Side::Inside);
    report
}

fn sees(transport: Transport, family: Family, layer: Layer, control: &str) -> Sees {
    Sees {
        transport,
        family,
        layer,
        control: control.to_owned(),
    }
}

fn check(at_ms: u64, endpoints: &[Endpoint], reach: Reach, reached: bool) -> ControlCheck {
    let seen = |endpoint: &Endpoint| ControlEndpoint {
        endpoint: *endpoint,
        reached,
        way: None,
        last: attempt(reach, at_ms, 21, None),
    };
    ControlCheck {
        at_ms,
        took_ms: 30,
        endpoints: endpoints.iter().map(seen).collect(),
        name: None,
    }
}

fn control(name: &str, kind: &str, endpoint: Endpoint, held: &[Family]) -> ControlReport {
    let six = Endpoint {
        address: ip("2606:2800:220:1::34"),
        ..endpoint
    };
    let both = [endpoint, six];
    let endpoints: Vec<Endpoint> = both
        .into_iter()
        .filter(|endpoint| held.contains(&endpoint.family()))
        .collect();
    ControlReport {
        every_port: false,
        name: name.to_owned(),
        kind: kind.to_owned(),
        transport: Some(endpoint.transport),
        origin: ControlOrigin::Config,
        targets: Vec::new(),
        position: Some(at(3)),
        held: held.to_vec(),
        lost: vec![],
        name_held: Some(true),
        // Before the attempts, between them and after.
        checks: [0, 2_900, 12_400]
            .map(|at_ms| check(at_ms, &endpoints, Reach::Connected, true))
            .to_vec(),
    }
}

fn coverage() -> Vec<Coverage> {
    let line = |surface, family, watch, reason, targets: &[&str]| Coverage {
        surface,
        family,
        watch,
        reason,
        targets: targets.iter().map(|t| (*t).to_owned()).collect(),
    };
    let (four, six) = (Some(Family::Ipv4), Some(Family::Ipv6));
    vec![
        line(
            Surface::Dns,
            None,
            Watch::Watched,
            None,
            &[
                "SPF record",
                "Old verification",
                "Campaign",
                "Storefront",
                "Preview",
            ],
        ),
        line(
            Surface::Tcp,
            four,
            Watch::Watched,
            None,
            &["Storefront", "Preview", "Bastion", "Proxy"],
        ),
        line(Surface::Tcp, six, Watch::Watched, None, &["Preview"]),
        line(
            Surface::Http3,
            four,
            Watch::Watched,
            None,
            &["Storefront", "Preview"],
        ),
        line(
            Surface::Http3,
            six,
            Watch::NotWatchable,
            Some(no_control(Transport::Udp)),
            &["Preview"],
        ),
        line(
            Surface::Udp,
            four,
            Watch::Watched,
            None,
            &["Resolver", "Time server", "Tunnel"],
        ),
        line(
            Surface::Udp,
            four,
            Watch::NotWatchable,
            Some(ike()),
            &["VPN gateway"],
        ),
        line(
            Surface::Udp,
            six,
            Watch::Unwatched,
            None,
            &["Resolver", "Time server"],
        ),
        line(
            Surface::Icmp,
            four,
            Watch::Watched,
            None,
            &["Gateway", "Storage"],
        ),
        line(
            Surface::Icmp,
            six,
            Watch::NotWatchable,
            Some(no_control(Transport::Icmp)),
            &["Gateway"],
        ),
    ]
}

/// No control for this transport over IPv6.
fn no_control(transport: Transport) -> Reason {
    Reason::NoControl {
        class: Some(Class {
            transport,
            family: Family::Ipv6,
        }),
    }
}

fn ike() -> Reason {
    Reason::SilenceTellsNothing {
        because:
            "an IKE responder may ignore peers that it does not expect (RFC 7296 section 2.21.1)"
                .to_owned(),
    }
}

/// A target that is not TCP, blocked so far.
fn door(name: &str, kind: &str, host: &str, port: Option<u16>, line: u32) -> Finding {
    let address = port.map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let mut finding = target(name, kind, &address, port.unwrap_or(1), line);
    finding.target.port = port;
    finding.target.transport = Some(match kind {
        "icmp" => Transport::Icmp,
        _ => Transport::Udp,
    });
    finding
}

fn udp(name: &str, host: &str, port: u16, payload: &str, line: u32) -> Finding {
    let mut finding = door(name, "udp", host, Some(port), line);
    finding.target.payload = Some(payload.to_owned());
    finding.target.families = vec![Family::Ipv4];
    finding.notes = vec![Note::Ipv6Unwatched];
    finding
}

/// One endpoint, resting on a control where it is blocked.
fn tried(
    endpoint: Endpoint,
    judged: (Verdict, Reason),
    control: &str,
    attempts: Vec<Attempt>,
) -> EndpointReport {
    let reached = attempts.iter().filter_map(|a| match a.outcome {
        Outcome::Reached(reach) => Some(reach),
        Outcome::Blind(_) => None,
    });
    EndpointReport {
        endpoint,
        companion: false,
        controlled: false,
        reach: reached.max(),
        way: None,
        rests_on: (judged.0 == Verdict::Blocked).then(|| RestsOn {
            control: control.to_owned(),
            port: match endpoint.port {
                None => PortProof::NoPort,
                Some(port)
                    if control.ends_with(&format!(":{port}")) || control == WEB && port == 443 =>
                {
                    PortProof::Control
                }
                Some(port) if Assumption::Said.covers(endpoint.transport, port) => {
                    PortProof::Assumed
                }
                Some(port) => PortProof::Reached {
                    at: reached_on(endpoint.transport, port).place(),
                },
            },
            own_path: false,
        }),
        verdict: judged.0,
        reason: judged.1,
        attempts,
    }
}

/// Somebody else's door that was open: it proves that the port is let out.
fn reached_on(transport: Transport, port: u16) -> Endpoint {
    Endpoint {
        transport,
        address: ip("20.9.9.9"),
        port: Some(port),
    }
}

/// What was sent over UDP, and that nothing came.
fn sent(payload: &str, stopped_by: StoppedBy) -> Evidence {
    Evidence {
        udp: Some(UdpEvidence {
            payload: payload.to_owned(),
            sent: 4,
            answer: None,
        }),
        ..stopped(stopped_by)
    }
}

fn answered(payload: &str, expected: bool, says: Option<&str>) -> Evidence {
    Evidence {
        udp: Some(UdpEvidence {
            payload: payload.to_owned(),
            sent: 1,
            answer: Some(UdpAnswer {
                bytes: 58,
                first_bytes: "\\x8a\\x01\\x81\\x83".to_owned(),
                expected,
                says: says.map(str::to_owned),
            }),
        }),
        ..Evidence::default()
    }
}

pub fn icmp(kind: u8, code: u8, from: &str) -> StoppedBy {
    StoppedBy::Icmp(IcmpError {
        kind,
        code,
        from: Some(ip(from)),
        v6: false,
    })
}

fn silent(payload: &str) -> Vec<Attempt> {
    times(3, Reach::NoAnswer, sent(payload, StoppedBy::Silence))
}

/// Exposed: a resolver answers strangers.
pub fn resolver() -> Finding {
    let evidence = answered("dns", true, Some("NXDOMAIN, recursion available"));
    let open = Endpoint::udp(ip("20.2.0.53"), 53);
    with(
        udp("Resolver", "ns.example.com", 53, "dns", 10),
        vec![tried(
            open,
            past(),
            TIME,
            times(1, Reach::Connected, evidence),
        )],
    )
}

/// Blocked: by two devices on the way, by the target itself, and by nothing but a missing listener.
pub fn time_server() -> Finding {
    let mut finding = udp("Time server", "ntp.example.com", 123, "ntp", 14);
    finding.notes.push(Note::OnlyNoListener);
    let at = |address, by, reach| {
        let attempts = times(3, reach, sent("ntp", by));
        tried(Endpoint::udp(ip(address), 123), blocked(), TIME, attempts)
    };
    with(
        finding,
        vec![
            at("20.2.1.1", icmp(3, 13, "198.51.100.1"), Reach::Prohibited),
            at("20.2.1.2", icmp(3, 13, "198.51.100.1"), Reach::Prohibited),
            at("20.2.1.3", icmp(3, 1, "198.51.100.9"), Reach::Prohibited),
            at("20.2.1.4", icmp(3, 10, "20.2.1.4"), Reach::Prohibited),
            at("20.2.1.5", icmp(3, 3, "20.2.1.5"), Reach::Refused),
        ],
    )
}

/// Inconclusive: an IKE responder may be silent.
pub fn vpn_gateway() -> Finding {
    let silence = tried(
        Endpoint::udp(ip("20.2.2.1"), 500),
        unsure(ike()),
        TIME,
        silent("ike"),
    );
    with(
        udp("VPN gateway", "vpn.example.com", 500, "ike", 18),
        vec![silence],
    )
}

/// Blocked: silence that the user accepts.
pub fn tunnel() -> Finding {
    let mut finding = udp("Tunnel", "wg.example.com", 51_820, "wireguard", 22);
    finding.notes.push(Note::SilenceAccepted);
    let silence = tried(
        Endpoint::udp(ip("20.2.3.1"), 51_820),
        blocked(),
        TIME,
        silent("wireguard"),
    );
    with(finding, vec![silence])
}

/// Exposed: replies to ping over IPv4; over IPv6 nobody can tell.
pub fn gateway() -> Finding {
    let six = Endpoint::icmp(ip("2a05:d014:3::1"));
    with(
        door("Gateway", "icmp", "gw.example.com", None, 26),
        vec![
            tried(
                Endpoint::icmp(ip("20.3.0.1")),
                past(),
                PING,
                times(1, Reach::Connected, None),
            ),
            tried(
                six,
                unsure(no_control(Transport::Icmp)),
                PING,
                times(3, Reach::NoAnswer, stopped(StoppedBy::Silence)),
            ),
        ],
    )
}

/// Blocked: no reply to ping at an address literal.
pub fn storage() -> Finding {
    let mut finding = door("Storage", "icmp", "20.3.0.9", None, 29);
    finding.name = None;
    let silence = times(3, Reach::NoAnswer, stopped(StoppedBy::Silence));
    with(
        finding,
        vec![tried(
            Endpoint::icmp(ip("20.3.0.9")),
            blocked(),
            PING,
            silence,
        )],
    )
}

fn quic(versions: &[&str], handshake: bool, closed: Option<&str>) -> QuicEvidence {
    QuicEvidence {
        versions: versions.iter().map(|v| (*v).to_owned()).collect(),
        handshake,
        closed: closed.map(str::to_owned),
    }
}

/// Exposed: a QUIC server offers its versions and ends the handshake.
pub fn video() -> Finding {
    let closed = "CRYPTO_ERROR 0x178: no application protocol";
    let evidence = Evidence {
        quic: Some(quic(&["0x1", "0x6b3343cf"], false, Some(closed))),
        ..Evidence::default()
    };
    with(
        door("Video", "quic", "video.example.com", Some(8443), 32),
        vec![tried(
            Endpoint::udp(ip("20.4.0.1"), 8443),
            past(),
            QUIC,
            times(1, Reach::Connected, evidence),
        )],
    )
}

/// Blocked: silence, with a control on the same port.
pub fn push() -> Finding {
    with(
        door("Push service", "quic", "push.example.com", Some(443), 35),
        vec![tried(
            Endpoint::udp(ip("20.4.0.2"), 443),
            blocked(),
            QUIC,
            silent("quic"),
        )],
    )
}

/// TCP 443 at one address, silent, and QUIC beside it.
fn beside(address: &str, judged: (Verdict, Reason), attempts: Vec<Attempt>) -> [EndpointReport; 2] {
    let address = ip(address);
    let silence = times(3, Reach::NoAnswer, stopped(StoppedBy::Silence));
    let declared = tried(Endpoint::tcp(address, 443), blocked(), WEB, silence);
    let mut companion = tried(Endpoint::udp(address, 443), judged, QUIC, attempts);
    companion.companion = true;
    [declared, companion]
}

/// Exposed: the firewall covers TCP 443 and forgot UDP 443.
pub fn storefront() -> Finding {
    let evidence = Evidence {
        quic: Some(quic(&["0x1"], true, None)),
        tls: Some(certificate("shop.example.com")),
        http: Some({
            let mut answer = http(200, &[("server", "Caddy")], Some("Storefront"));
            "HTTP/3".clone_into(&mut answer.version);
            answer
        }),
        ..Evidence::default()
    };
    let answer = times(1, Reach::Served, evidence);
    let url = "https://shop.example.com/";
    with(
        target("Storefront", "url", url, 443, 38),
        beside("20.5.0.1", past(), answer).to_vec(),
    )
}

/// Blocked, with two companions: one that was seen to be shut, and one of which nobody can tell.
pub fn preview() -> Finding {
    let mut endpoints = beside("20.5.0.2", blocked(), silent("quic")).to_vec();
    let unseen = unsure(no_control(Transport::Udp));
    endpoints.extend(beside("2a05:d014:5::2", unseen, silent("quic")));
    with(
        target("Preview", "url", "https://preview.example.com/", 443, 41),
        endpoints,
    )
}

/// A TCP port that accepts connections, with what it told.
fn open_port(name: &str, host: &str, port: u16, line: u32, tcp: TcpEvidence) -> Finding {
    let evidence = Evidence {
        tcp: Some(tcp),
        ..Evidence::default()
    };
    with(
        target(name, "tcp", &format!("{host}:{port}"), port, line),
        vec![tried(
            Endpoint::tcp(ip("20.6.0.1"), port),
            past(),
            WEB,
            times(1, Reach::Connected, evidence),
        )],
    )
}

/// Exposed: SSH, and it says so.
pub fn bastion() -> Finding {
    let tcp = TcpEvidence {
        banner: Some("SSH-2.0-OpenSSH_9.2p1 Debian-2\\r\\n".to_owned()),
        ..TcpEvidence::default()
    };
    open_port("Bastion", "ssh.example.com", 22, 44, tcp)
}

/// Exposed, but perhaps by a device before the target.
pub fn proxy() -> Finding {
    let tcp = TcpEvidence {
        middlebox: vec![Middlebox::NeverAcknowledged, Middlebox::EveryPortAlike],
        ..TcpEvidence::default()
    };
    let mut finding = open_port("Proxy", "proxy.example.com", 8080, 47, tcp);
    finding.notes.push(Note::PossiblyMiddlebox);
    finding
}

/// A target for one type of record, answered alike by two resolvers and a server of the zone.
fn record(name: &str, host: &str, line: u32, answer: &NameAnswer) -> Finding {
    let mut finding = dns(name, host, line);
    finding.target.transport = None;
    finding.target.address = format!("{host} (TXT)");
    let query = |resolver: &str, authority: Option<&str>| NameQuery {
        resolver: resolver.to_owned(),
        authority: authority.map(str::to_owned),
        record: "TXT".to_owned(),
        family: None,
        answer: answer.clone(),
        cnames: vec![],
        took_ms: 9,
    };
    finding.name.as_mut().unwrap().queries = vec![
        query("1.1.1.1:53", None),
        query("9.9.9.9:53", None),
        query("20.7.0.53:53", Some("ns1.example.com")),
    ];
    finding
}

fn by_name(reach: Reach, judged: (Verdict, Reason)) -> NameVerdict {
    NameVerdict {
        rests_on: (judged.0 == Verdict::Blocked).then(|| RestsOn {
            control: WEB.to_owned(),
            port: PortProof::NoPort,
            own_path: false,
        }),
        verdict: judged.0,
        reason: judged.1,
        reach: Some(reach),
        families: Family::ALL.to_vec(),
    }
}

/// Exposed: a record that must not be published.
pub fn spf() -> Finding {
    let answer = NameAnswer::Records(vec!["v=spf1 include:_spf.example.net ~all".to_owned()]);
    let mut finding = record("SPF record", "internal.example.com", 50, &answer);
    finding.name_verdicts = vec![by_name(Reach::PublicRecord, past())];
    finding.notes = vec![Note::Wildcard];
    settle(finding)
}

/// Blocked: no such record, says the zone itself too.
pub fn verification() -> Finding {
    let mut finding = record(
        "Old verification",
        "_acme.example.com",
        53,
        &NameAnswer::NoData,
    );
    finding.name_verdicts = vec![by_name(Reach::NoName, blocked())];
    settle(finding)
}

/// Blocked: the name leads to an alias that is gone.
pub fn campaign() -> Finding {
    let mut finding = dns("Campaign", "promo.example.com", 56);
    finding.target.transport = None;
    finding.target.barrier = Barrier::Dns;
    finding.target.denial = Denial::all_of(Barrier::Dns);
    for query in &mut finding.name.as_mut().unwrap().queries {
        query.answer = NameAnswer::NxDomain;
        query.cnames = vec!["promo-2024.hosting.example.net".to_owned()];
    }
    finding.notes = vec![Note::DanglingAlias];
    finding.name_verdicts = vec![by_name(Reach::NoName, blocked())];
    settle(finding)
}
