//! Sample rounds for tests of everything that reads a report.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "every test binary that includes this uses its own part; what goes wrong is a failed test"
)]

pub mod doors;
pub mod hostile;
pub mod waivers;

use std::collections::BTreeSet;
use std::net::IpAddr;

use noentry::domain::endpoint::{Class, Endpoint, Family, Transport};
use noentry::domain::finding::{
    EndpointReport, Finding, NameAnswer, NameQuery, NameReport, NameVerdict, Note, TargetInfo,
};
use noentry::domain::observation::{
    Attempt, Blind, Caveat, Certificate, Evidence, HttpEvidence, IcmpError, Outcome, StoppedBy,
    TlsEvidence,
};
use noentry::domain::position::Position;
use noentry::domain::reach::Reach;
use noentry::domain::report::{
    ControlCheck, ControlEndpoint, ControlReport, ResolverReport, RoundReport, Totals, Vantage,
};
use noentry::domain::target::{Barrier, ControlOrigin, Denial};
use noentry::domain::trail::{Links, Notify, TrailPlan};
use noentry::domain::verdict::{Reason, RestsOn, Verdict};
use noentry::domain::waiver::Waiver;
use noentry::domain::way::{Assumption, PortProof, ReachedPort};
use noentry::report::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

pub const CONTROL: &str = "www.example.com:443";

/// A round with one finding of every kind.
pub fn round() -> RoundReport {
    of(vec![
        admin_console(),
        silent(),
        orders_database(),
        login_page(),
        weaker(),
        refused(),
        prohibited(),
        mutual_tls(),
        waf(),
        intranet(),
        no_ipv6(),
        control_lost(),
        throttled(),
        name_gone(),
        resolver_dead(),
        smtp(),
    ])
}

/// When every sample round began.
pub fn started() -> OffsetDateTime {
    OffsetDateTime::parse("2026-11-22T04:00:00Z", &Rfc3339).unwrap()
}

/// The finding with a waiver until a day, as it stands in a sample round.
pub fn with_waiver(finding: Finding, until: &str) -> Finding {
    let waiver = Waiver {
        owner: "platform team".to_owned(),
        reason: "moves behind the VPN, TICKET-42".to_owned(),
        until: until.parse().unwrap(),
    };
    Finding {
        waiver: Some(waiver.at(started())),
        ..finding
    }
}

/// The report as `report.json` holds it.
pub fn written(report: &RoundReport) -> String {
    let mut text = Vec::new();
    json::write(report, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// A round with these findings.
pub fn of(findings: Vec<Finding>) -> RoundReport {
    RoundReport {
        version: 1,
        noentry: "0.1.0".to_owned(),
        config: "noentry.yml".to_owned(),
        started: started(),
        took_ms: 12_437,
        seed: 7,
        interrupted: false,
        partial: false,
        shard: None,
        declared: None,
        withheld: false,
        links: Links::default(),
        incidents: TrailPlan::default(),
        trail: None,
        verdict: RoundReport::worst(&findings),
        totals: Totals::of(&findings),
        vantage: Vantage {
            environment: "github-hosted".to_owned(),
            name: Some("GitHub Actions 7".to_owned()),
            label: None,
            system: "linux x86_64".to_owned(),
            proven: vec![Family::Ipv4],
            sees: Vec::new(),
            egress: Vec::new(),
            ports: vec![ReachedPort {
                endpoint: Endpoint::tcp(ip("20.1.2.3"), 5432),
                way: None,
            }],
            // As on a standard runner of GitHub's own.
            unfiltered: Some(Assumption::GithubHosted),
            reverse_path_drops: None,
            outside: None,
        },
        resolvers: vec![resolver("1.1.1.1:53"), resolver("9.9.9.9:53")],
        controls: vec![control()],
        coverage: Vec::new(),
        findings,
        rounds: Vec::new(),
        missing: Vec::new(),
    }
}

fn resolver(resolver: &str) -> ResolverReport {
    ResolverReport {
        resolver: resolver.to_owned(),
        invents: false,
    }
}

fn control() -> ControlReport {
    let check = |at_ms| ControlCheck {
        at_ms,
        took_ms: 30,
        endpoints: vec![ControlEndpoint {
            endpoint: Endpoint::tcp(ip("93.184.216.34"), 443),
            reached: true,
            way: None,
            last: attempt(Reach::Connected, at_ms, 21, None),
        }],
        name: None,
    };
    ControlReport {
        every_port: false,
        name: CONTROL.to_owned(),
        kind: "tcp".to_owned(),
        transport: Some(Transport::Tcp),
        origin: ControlOrigin::Config,
        targets: Vec::new(),
        position: Some(at(3)),
        held: vec![Family::Ipv4],
        lost: vec![],
        name_held: Some(true),
        checks: vec![check(0), check(2_900), check(12_400)],
    }
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn at(line: u32) -> Position {
    Position {
        file: "noentry.yml".to_owned(),
        line,
        column: 5,
    }
}

pub fn attempt(
    reach: Reach,
    at_ms: u64,
    took_ms: u64,
    evidence: impl Into<Option<Evidence>>,
) -> Attempt {
    Attempt {
        at_ms,
        took_ms,
        outcome: Outcome::Reached(reach),
        evidence: evidence.into().map(Box::new),
    }
}

pub fn stopped(by: StoppedBy) -> Evidence {
    Evidence {
        stopped_by: Some(by),
        ..Evidence::default()
    }
}

/// Borne out by the control for all, on the endpoint's port or with the port assumed to be let out.
pub fn rests_on(proven: bool) -> RestsOn {
    RestsOn {
        control: CONTROL.to_owned(),
        port: if proven {
            PortProof::Control
        } else {
            PortProof::Assumed
        },
        own_path: false,
    }
}

/// A URL or TCP target by name, blocked so far.
pub fn target(name: &str, kind: &str, address: &str, port: u16, line: u32) -> Finding {
    let host = address
        .trim_start_matches("https://")
        .split(['/', ':'])
        .next()
        .unwrap();
    Finding {
        target: TargetInfo {
            name: name.to_owned(),
            kind: kind.to_owned(),
            address: address.to_owned(),
            port: Some(port),
            transport: Some(Transport::Tcp),
            payload: None,
            barrier: Barrier::Network,
            denial: Denial::all_of(Barrier::Network),
            families: vec![Family::Ipv4, Family::Ipv6],
            position: at(line),
            notify: Notify::default(),
        },
        verdict: Verdict::Blocked,
        reason: Reason::Stopped,
        reach: None,
        name: Some(answers(host, &[])),
        name_verdicts: vec![],
        endpoints: vec![],
        notes: vec![],
        waiver: None,
        confirmation: None,
        withheld: false,
        partly: false,
        vantages: Vec::new(),
    }
}

/// What two resolvers say about a name with these addresses.
pub fn answers(host: &str, addresses: &[&str]) -> NameReport {
    let mut queries = Vec::new();
    for resolver in ["1.1.1.1:53", "9.9.9.9:53"] {
        for family in Family::ALL {
            let own: Vec<IpAddr> = addresses
                .iter()
                .map(|a| ip(a))
                .filter(|a| Family::of(*a) == family)
                .collect();
            queries.push(NameQuery {
                resolver: resolver.to_owned(),
                authority: None,
                record: family.record().to_owned(),
                family: Some(family),
                answer: if own.is_empty() {
                    NameAnswer::NoData
                } else {
                    NameAnswer::Addresses(own)
                },
                cnames: vec![],
                took_ms: 9,
            });
        }
    }
    NameReport {
        name: host.to_owned(),
        queries,
    }
}

/// Puts endpoints into a finding and takes the finding's verdict from them.
pub fn with(mut finding: Finding, endpoints: Vec<EndpointReport>) -> Finding {
    let addresses: Vec<String> = endpoints
        .iter()
        .map(|e| e.endpoint.address.to_string())
        .collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    if let Some(name) = &mut finding.name {
        *name = answers(&name.name, &addresses);
    }
    finding.endpoints = endpoints;
    settle(finding)
}

/// Takes the finding's verdict from its parts.
pub fn settle(mut finding: Finding) -> Finding {
    let mut parts: Vec<(Verdict, Reason)> = finding
        .name_verdicts
        .iter()
        .map(|n| (n.verdict, n.reason.clone()))
        .collect();
    parts.extend(finding.counted().map(|e| (e.verdict, e.reason.clone())));
    let worst = parts.iter().map(|(v, _)| *v).max().unwrap();
    let (verdict, reason) = parts.into_iter().find(|(v, _)| *v == worst).unwrap();
    finding.verdict = verdict;
    finding.reason = reason;
    finding.reach = finding.counted().filter_map(|e| e.reach).max();
    let assumed = |e: &EndpointReport| {
        let rests_on = e.rests_on.as_ref();
        !e.companion && rests_on.is_some_and(|r| r.port == PortProof::Assumed)
    };
    if finding.endpoints.iter().any(assumed) {
        finding.notes.push(Note::PortAssumed);
    }
    finding
}

pub fn endpoint(
    address: &str,
    port: u16,
    judged: (Verdict, Reason),
    attempts: Vec<Attempt>,
) -> EndpointReport {
    let reach = attempts
        .iter()
        .filter_map(|a| match a.outcome {
            Outcome::Reached(reach) => Some(reach),
            Outcome::Blind(_) => None,
        })
        .max();
    EndpointReport {
        way: None,
        companion: false,
        controlled: false,
        endpoint: Endpoint::tcp(ip(address), port),
        rests_on: (judged.0 == Verdict::Blocked).then(|| rests_on(port == 443)),
        verdict: judged.0,
        reason: judged.1,
        reach,
        attempts,
    }
}

pub const fn blocked() -> (Verdict, Reason) {
    (Verdict::Blocked, Reason::Stopped)
}

pub const fn past() -> (Verdict, Reason) {
    (Verdict::Exposed, Reason::PastBarrier)
}

pub const fn unsure(reason: Reason) -> (Verdict, Reason) {
    (Verdict::Inconclusive, reason)
}

pub fn silence() -> Vec<Attempt> {
    [40, 4_100, 8_300]
        .map(|at_ms| attempt(Reach::NoAnswer, at_ms, 3_600, stopped(StoppedBy::Silence)))
        .to_vec()
}

pub fn times(number: u64, reach: Reach, evidence: impl Into<Option<Evidence>>) -> Vec<Attempt> {
    let evidence = evidence.into();
    (0..number)
        .map(|n| attempt(reach, 40 + 4_000 * n, 31, evidence.clone()))
        .collect()
}

pub fn http(status: u16, headers: &[(&str, &str)], title: Option<&str>) -> HttpEvidence {
    HttpEvidence {
        version: "HTTP/2".to_owned(),
        status,
        headers: headers
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        title: title.map(str::to_owned),
        body_sha256: None,
        body_bytes: 1_234,
        body_cut: false,
        caveat: None,
        filter: None,
        plain_on_tls: false,
        unmet: None,
    }
}

pub fn certificate(name: &str) -> TlsEvidence {
    TlsEvidence {
        version: Some("TLSv1.3".to_owned()),
        alpn: Some("h2".to_owned()),
        certificate_requested: false,
        certificate: Some(Certificate {
            subject: format!("CN={name}"),
            issuer: "CN=R11,O=Let's Encrypt,C=US".to_owned(),
            names: vec![name.to_owned()],
            not_after: Some("2027-01-30T11:20:00Z".to_owned()),
            flaws: Vec::new(),
            sha256: "ab".repeat(32),
        }),
    }
}

/// Blocked: five silent endpoints.
pub fn silent() -> Finding {
    let addresses = [
        "52.28.1.1",
        "52.28.1.2",
        "52.28.1.3",
        "52.28.1.4",
        "52.28.1.5",
    ];
    with(
        target("Staging", "url", "https://staging.example.com/", 443, 21),
        addresses
            .map(|a| endpoint(a, 443, blocked(), silence()))
            .to_vec(),
    )
}

/// Exposed: TCP connects at one of three addresses, where only silence was promised.
pub fn orders_database() -> Finding {
    let mut finding = target("Orders database", "tcp", "db.example.com:5432", 5432, 28);
    finding.target.denial.stops = BTreeSet::from([Reach::NoAnswer]);
    finding.target.families = vec![Family::Ipv4];
    finding.notes = vec![Note::Ipv6Unwatched];
    let mut endpoints = vec![
        endpoint("20.1.2.2", 5432, blocked(), silence()),
        endpoint("20.1.2.3", 5432, past(), times(1, Reach::Connected, None)),
        endpoint("20.1.2.4", 5432, blocked(), silence()),
    ];
    // The open one proves the port for the others.
    for rests_on in endpoints.iter_mut().filter_map(|e| e.rests_on.as_mut()) {
        let at = "20.1.2.3:5432".to_owned();
        rests_on.port = PortProof::Reached { at };
    }
    with(finding, endpoints)
}

/// Exposed: an open admin page at two addresses, one of them IPv6.
pub fn admin_console() -> Finding {
    let evidence = Some(Evidence {
        stopped_by: None,
        tls: Some(certificate("admin.example.com")),
        http: Some(http(
            200,
            &[("server", "nginx/1.24.0"), ("content-type", "text/html")],
            Some("Admin: users and roles"),
        )),
        ..Evidence::default()
    });
    with(
        target(
            "Admin console",
            "url",
            "https://admin.example.com/login",
            443,
            12,
        ),
        vec![
            endpoint(
                "3.120.0.10",
                443,
                past(),
                times(1, Reach::Served, evidence.clone()),
            ),
            endpoint(
                "2a05:d014:10::10",
                443,
                past(),
                times(1, Reach::Served, evidence.clone()),
            ),
        ],
    )
}

/// Exposed: a redirect to a login page where a WAF's denial was promised.
pub fn login_page() -> Finding {
    let mut finding = target(
        "Back office behind the WAF",
        "url",
        "https://backoffice.example.com/",
        443,
        16,
    );
    finding.target.barrier = Barrier::Http;
    finding.target.denial = Denial::all_of(Barrier::Http);
    finding.target.denial.http.status = BTreeSet::from([403]);
    finding.target.denial.http.header = vec![("server".to_owned(), "awselb/2.0".to_owned())];
    let evidence = Some(Evidence {
        stopped_by: None,
        tls: Some(certificate("backoffice.example.com")),
        http: Some(http(
            302,
            &[("location", "https://sso.example.com/login?next=%2F")],
            None,
        )),
        ..Evidence::default()
    });
    with(
        finding,
        vec![endpoint(
            "18.156.4.7",
            443,
            past(),
            times(1, Reach::Served, evidence.clone()),
        )],
    )
}

/// Exposed: a reset where only silence counts.
pub fn weaker() -> Finding {
    let mut finding = target("Replica", "tcp", "replica.example.com:5432", 5432, 34);
    finding.target.denial.stops = BTreeSet::from([Reach::NoAnswer]);
    with(
        finding,
        vec![endpoint(
            "20.1.2.9",
            5432,
            (Verdict::Exposed, Reason::WeakerThanPromised),
            times(3, Reach::Refused, stopped(StoppedBy::Reset)),
        )],
    )
}

/// Blocked: a reset, with the note.
pub fn refused() -> Finding {
    let mut finding = target("Old SSH", "tcp", "bastion.example.com:22", 22, 40);
    finding.notes.insert(0, Note::OnlyNoListener);
    with(
        finding,
        vec![endpoint(
            "20.1.3.1",
            22,
            blocked(),
            times(3, Reach::Refused, stopped(StoppedBy::Reset)),
        )],
    )
}

/// Blocked: an ICMP prohibition from a router.
pub fn prohibited() -> Finding {
    let icmp = StoppedBy::Icmp(IcmpError {
        kind: 3,
        code: 13,
        from: Some(ip("198.51.100.1")),
        v6: false,
    });
    with(
        target("Metrics", "tcp", "metrics.example.com:9090", 9090, 45),
        vec![endpoint(
            "20.1.4.1",
            9090,
            blocked(),
            times(3, Reach::Prohibited, stopped(icmp)),
        )],
    )
}

/// Blocked at the barrier tls: a client certificate is required.
pub fn mutual_tls() -> Finding {
    let mut finding = target(
        "Partner API",
        "url",
        "https://partner.example.com/v1/",
        443,
        50,
    );
    finding.target.barrier = Barrier::Tls;
    finding.target.denial = Denial::all_of(Barrier::Tls);
    let mut tls = certificate("partner.example.com");
    tls.certificate_requested = true;
    let evidence = Some(Evidence {
        stopped_by: Some(StoppedBy::Alert {
            code: 116,
            name: "certificate_required".to_owned(),
            certificate_requested: true,
            before_hello: false,
        }),
        tls: Some(tls),
        http: None,
        ..Evidence::default()
    });
    let mut door = endpoint(
        "18.156.4.9",
        443,
        blocked(),
        times(3, Reach::TlsRefused, evidence.clone()),
    );
    door.rests_on = None;
    with(finding, vec![door])
}

/// Blocked at the barrier http by the WAF's own 403.
pub fn waf() -> Finding {
    let mut finding = target(
        "Shop backend",
        "url",
        "https://shop.example.com/admin",
        443,
        55,
    );
    finding.target.barrier = Barrier::Http;
    finding.target.denial = Denial::all_of(Barrier::Http);
    finding.target.denial.http.status = BTreeSet::from([403]);
    finding.target.denial.http.header = vec![("server".to_owned(), "awselb/2.0".to_owned())];
    let evidence = Some(Evidence {
        stopped_by: None,
        tls: Some(certificate("shop.example.com")),
        http: Some(http(
            403,
            &[("content-type", "text/html"), ("server", "awselb/2.0")],
            Some("403 Forbidden"),
        )),
        ..Evidence::default()
    });
    let mut door = endpoint(
        "18.156.4.11",
        443,
        blocked(),
        times(3, Reach::Denied, evidence.clone()),
    );
    door.rests_on = None;
    with(finding, vec![door])
}

/// A DNS target.
pub fn dns(name: &str, host: &str, line: u32) -> Finding {
    let mut finding = target(name, "dns", host, 1, line);
    finding.target.port = None;
    finding.target.transport = None;
    finding.target.barrier = Barrier::Dns;
    finding.target.denial = Denial::all_of(Barrier::Dns);
    finding
}

/// Blocked at the barrier dns: NXDOMAIN from both resolvers.
pub fn intranet() -> Finding {
    let mut finding = dns("Intranet", "intranet.example.com", 62);
    for query in &mut finding.name.as_mut().unwrap().queries {
        query.answer = NameAnswer::NxDomain;
    }
    finding.name_verdicts = vec![NameVerdict {
        verdict: Verdict::Blocked,
        reason: Reason::Stopped,
        reach: Some(Reach::NoName),
        rests_on: Some(rests_on(false)),
        families: Family::ALL.to_vec(),
    }];
    settle(finding)
}

fn blind(cause: Blind, errno: i32, text: &str) -> Vec<Attempt> {
    vec![Attempt {
        at_ms: 44,
        took_ms: 0,
        outcome: Outcome::Blind(cause),
        evidence: Some(Box::new(stopped(StoppedBy::Errno {
            errno,
            text: text.to_owned(),
        }))),
    }]
}

/// Inconclusive: IPv4 is silent, IPv6 has no route from here.
pub fn no_ipv6() -> Finding {
    let cause = Blind::NoRoute;
    with(
        target("Build server", "url", "https://ci.example.com/", 443, 66),
        vec![
            endpoint("52.28.9.9", 443, blocked(), silence()),
            endpoint(
                "2a05:d014:9::9",
                443,
                unsure(Reason::Blind { cause }),
                blind(cause, 101, "Network is unreachable"),
            ),
        ],
    )
}

/// Inconclusive: silence, but the target's own control was lost.
pub fn control_lost() -> Finding {
    with(
        target("Message queue", "tcp", "mq.example.com:5671", 5671, 71),
        vec![endpoint(
            "52.28.8.8",
            5671,
            unsure(Reason::ControlLost {
                control: "shop.example.com:443".to_owned(),
            }),
            silence(),
        )],
    )
}

/// Inconclusive: the WAF slows this vantage down.
pub fn throttled() -> Finding {
    let mut finding = target("Wiki", "url", "https://wiki.example.com/", 443, 77);
    finding.target.barrier = Barrier::Http;
    finding.target.denial = Denial::all_of(Barrier::Http);
    let mut answer = http(429, &[("server", "cloudflare")], None);
    answer.caveat = Some(Caveat::Throttled);
    let evidence = Some(Evidence {
        stopped_by: None,
        tls: Some(certificate("wiki.example.com")),
        http: Some(answer),
        ..Evidence::default()
    });
    with(
        finding,
        vec![endpoint(
            "104.16.1.1",
            443,
            unsure(Reason::Throttled),
            times(3, Reach::Served, evidence.clone()),
        )],
    )
}

/// Inconclusive: the name is gone, and the barrier is not dns.
pub fn name_gone() -> Finding {
    let mut finding = target("Legacy API", "url", "https://legacy.example.com/", 443, 82);
    for query in &mut finding.name.as_mut().unwrap().queries {
        query.answer = NameAnswer::NxDomain;
    }
    finding.name_verdicts = vec![NameVerdict {
        verdict: Verdict::Inconclusive,
        reason: Reason::NameGone,
        reach: Some(Reach::NoName),
        rests_on: None,
        families: Family::ALL.to_vec(),
    }];
    settle(finding)
}

/// Inconclusive: the resolvers did not answer.
pub fn resolver_dead() -> Finding {
    let mut finding = dns("Private zone", "db.internal.example.com", 86);
    let cause = Blind::ResolverTimeout;
    for query in &mut finding.name.as_mut().unwrap().queries {
        query.answer = NameAnswer::Blind(cause);
    }
    finding.name_verdicts = vec![NameVerdict {
        verdict: Verdict::Inconclusive,
        reason: Reason::Blind { cause },
        reach: None,
        rests_on: None,
        families: Family::ALL.to_vec(),
    }];
    settle(finding)
}

/// Inconclusive: port 25 without a control of its own, and IPv6 without any.
pub fn smtp() -> Finding {
    let class = Some(Class {
        transport: Transport::Tcp,
        family: Family::Ipv6,
    });
    with(
        target("Mail relay", "tcp", "mail.example.com:25", 25, 90),
        vec![
            endpoint(
                "20.1.7.7",
                25,
                unsure(Reason::PortUnproven {
                    transport: Transport::Tcp,
                    port: 25,
                }),
                silence(),
            ),
            endpoint(
                "2a05:d014:7::7",
                25,
                unsure(Reason::NoControl { class }),
                silence(),
            ),
        ],
    )
}

/// A round whose every text is hostile.
pub fn hostile_round() -> RoundReport {
    hostile::round()
}
