//! One configuration with a target of every kind, over both families: the true verdict, denier and
//! evidence for each. And the same configuration from every broken vantage: nothing is blocked there
//! that cannot be seen.

use std::fmt::Write as _;
use std::sync::{Condvar, LazyLock, Mutex, PoisonError};
use std::thread;

use noentry::domain::endpoint::{Family, Transport};
use noentry::domain::finding::{EndpointReport, Finding, Note};
use noentry::domain::observation::{Attempt, Blind, Middlebox, Outcome, StoppedBy};
use noentry::domain::reach::Reach::{
    self, Connected, Denied, NoAnswer, NoName, Prohibited, Refused, Served, TlsEstablished,
};
use noentry::domain::report::{Coverage, Side, Surface, Watch};
use noentry::domain::verdict::Verdict::{self, Blocked, Exposed, Inconclusive};

use crate::broken::{Broken, WITHOUT_RAW_SOCKETS};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Round, evidence, head_at, icmp, target, with_vantage};
use crate::services::Server;
use crate::zones::TRUTH;

const ROUTER: [&str; 2] = ["198.18.9.1", "2001:db8:9::1"];

/// One control for each transport, and one for each port that wants its own.
const CONTROLS: [&str; 5] = [
    "tcp: control.lab.example:9000",
    "udp: control.lab.example:123",
    "udp: control.lab.example:53",
    "quic: control.lab.example:443",
    "icmp: control.lab.example",
];

/// What becomes of an attempt at one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The rung that an open door of the kind gives.
    Open,
    Silence,
    /// A TCP reset.
    Reset,
    /// An unreachable with this code, from the router.
    Router(u8),
    /// The same from the target itself.
    Target(u8),
    /// An unreachable with this code, from the router, that tells of the way and denies nothing.
    Way(u8),
    /// An error on the way that denies nothing.
    Trouble,
}

use Fate::{Open, Reset, Router, Silence, Target, Trouble, Way};

/// The kinds of doors, with what is written and how far one gets through an open one.
const KINDS: [(&str, &str, Reach); 4] = [
    ("tcp", ":9000", Connected),
    ("udp", ":123", Connected),
    ("quic", ":443", TlsEstablished),
    ("icmp", "", Connected),
];

/// The doors by name, with the fate of TCP and of everything else, over IPv4 and over IPv6.
const DOORS: [(&str, [Fate; 2], [Fate; 2]); 15] = [
    ("open", [Open; 2], [Open; 2]),
    ("drop", [Silence; 2], [Silence; 2]),
    ("reset", [Reset; 2], [Router(3), Router(4)]),
    ("port", [Router(3), Router(4)], [Router(3), Router(4)]),
    ("admin", [Router(13), Router(1)], [Router(13), Router(1)]),
    ("host", [Router(1), Router(3)], [Router(1), Router(3)]),
    ("net", [Way(0); 2], [Way(0); 2]),
    (
        "host-prohibited",
        [Router(10), Router(5)],
        [Router(10), Router(5)],
    ),
    ("net-prohibited", [Router(9), Way(6)], [Router(9), Way(6)]),
    ("protocol", [Router(2), Open], [Router(2), Open]),
    ("own-port", [Target(3), Target(4)], [Target(3), Target(4)]),
    (
        "own-admin",
        [Target(13), Target(1)],
        [Target(13), Target(1)],
    ),
    ("only6", [Silence, Open], [Silence, Open]),
    ("only4", [Open, Silence], [Open, Silence]),
    ("loop", [Trouble; 2], [Trouble; 2]),
];

/// Questions over UDP: what is written, and whether silence after it counts.
const QUESTIONS: [(&str, bool); 13] = [
    (":53", true),
    (":123", true),
    (":161", false),
    (":11211", true),
    (":3478", true),
    (":5060", true),
    (":500", false),
    (":4444, payload: dtls", false),
    (":389", false),
    (":69", false),
    (":111", true),
    (":5683", true),
    (":1194", false),
];

/// The targets behind doors of every kind.
fn doors() -> String {
    let mut config = String::new();
    for (door, ..) in DOORS {
        for (kind, port, _) in KINDS {
            let rest = format!("{kind}: 'door-{door}.lab.example{port}'");
            config += &target(&format!("{kind} {door}"), &rest);
        }
    }
    config
}

/// The same questions to an open address, and to one where everything is dropped.
fn questions() -> String {
    let mut config = String::new();
    for (rest, _) in QUESTIONS {
        for door in ["open", "drop"] {
            let rest = question(door, rest);
            config += &target(&format!("ask {door} {rest}"), &rest);
        }
    }
    config
}

fn question(door: &str, rest: &str) -> String {
    let (port, more) = rest.split_once(',').unwrap_or((rest, ""));
    let comma = if more.is_empty() { "" } else { "," };
    format!("udp: 'door-{door}.lab.example{port}'{comma}{more}")
}

/// What has a shape of its own.
fn specials() -> String {
    target("ssh", "tcp: door-open.lab.example:22, expect_banner: true")
        + &target(
            "mute",
            "tcp: door-mute.lab.example:7000, expect_banner: true",
        )
        + &target(
            "abort",
            "tcp: door-abort.lab.example:7000, expect_banner: true",
        )
        + &target("forgotten", "url: 'https://door-h3.lab.example/ok'")
        + &target(
            "forgotten waf",
            "url: 'https://door-h3.lab.example/ok', barrier: http",
        )
        + &target(
            "denied twice",
            "url: 'https://door-open.lab.example/denied', barrier: http",
        )
        + &target("shut twice", "url: 'https://door-drop.lab.example/ok'")
        + &target(
            "without",
            "url: 'https://door-h3.lab.example/ok', http3: false",
        )
        + &target(
            "own bytes",
            "udp: door-drop.lab.example:7000, payload: 'hex:0102'",
        )
        + &target("no ping", "icmp: door-no-echo.lab.example")
        + &target("ping alone", "udp: door-echo.lab.example:123")
        + &target(
            "vpn",
            "udp: door-drop.lab.example:51820, accept_silence: true",
        )
        + &target(
            "vpn closed",
            "udp: door-idle.lab.example:51820, accept_silence: true",
        )
        + &target("idle ping", "icmp: door-idle.lab.example")
        + &target("gone", "dns: nope.lab.example")
        + &target("literal", "icmp: '203.0.113.201'")
        + &target("literal 6", "icmp: '[2001:db8:3::201]'")
}

/// Everything but the targets. Handshakes of QUIC are work, and several laboratories share a machine:
/// a control has a third of all attempts.
fn head(controls: &[&str]) -> String {
    head_at(
        "timeout: 3.4s, attempts: 2, interval: 300ms",
        &[TRUTH],
        controls,
    )
}

/// The whole configuration.
fn config() -> String {
    let vantage = "must_not_reach: { tcp: '192.0.2.9:22' }";
    with_vantage(&head(&CONTROLS), vantage) + &doors() + &questions() + &specials()
}

/// What is false of one endpoint, or nothing.
fn wrong(kind: &str, open: Reach, fate: Fate, endpoint: &EndpointReport) -> Option<String> {
    let own = endpoint.endpoint.address;
    let router = ROUTER[usize::from(own.is_ipv6())].parse().ok();
    let datagram = kind == "udp" || kind == "quic";
    let (reach, error) = match fate {
        Open => (Some(open), None),
        Silence => (Some(NoAnswer), None),
        Reset => (Some(Refused), None),
        Router(code) => (Some(Prohibited), Some((code, router))),
        // Over UDP that is what a host says of a port on which nobody listens.
        Target(code @ (3 | 4)) if datagram => (Some(Refused), Some((code, Some(own)))),
        Target(code) => (Some(Prohibited), Some((code, Some(own)))),
        Way(code) => (None, Some((code, router))),
        Trouble => (None, None),
    };
    let verdict = match fate {
        Open => Exposed,
        Way(_) | Trouble => Inconclusive,
        Silence | Reset | Router(_) | Target(_) => Blocked,
    };
    let mut wrong = String::new();
    if (endpoint.verdict, endpoint.reach) != (verdict, reach) {
        let _ = write!(wrong, "true is {verdict} {reach:?}; ");
    }
    if let Some((code, from)) = error {
        let errors = icmp(endpoint);
        let all = errors.iter().all(|e| e.code == code && e.from == from);
        if errors.len() != endpoint.attempts.len() || !all {
            let _ = write!(wrong, "true are {code} from {from:?}; ");
        }
    }
    let no_route = |attempt: &Attempt| attempt.outcome == Outcome::Blind(Blind::NoRoute);
    if matches!(fate, Way(_)) && !endpoint.attempts.iter().all(no_route) {
        wrong += "true is no route; ";
    }
    if fate == Reset && !evidence(endpoint).all(|e| e.stopped_by == Some(StoppedBy::Reset)) {
        wrong += "true is a reset; ";
    }
    if verdict == Blocked && endpoint.rests_on.is_none() {
        wrong += "blocked without a control; ";
    }
    (!wrong.is_empty()).then(|| format!("{wrong}found {endpoint:#?}"))
}

/// The declared endpoints of a finding: one a family.
fn by_family(finding: &Finding) -> Vec<&EndpointReport> {
    let own = finding.endpoints.iter().filter(|e| !e.companion);
    let mut own: Vec<_> = own.collect();
    own.sort_by_key(|e| e.endpoint.family());
    own
}

fn hold_doors(round: &Round) {
    let mut all = String::new();
    for (door, tcp, others) in DOORS {
        for (kind, _, open) in KINDS {
            let name = format!("{kind} {door}");
            let fates = if kind == "tcp" { tcp } else { others };
            let endpoints = by_family(round.finding(&name));
            assert_eq!(endpoints.len(), 2, "{name}: {endpoints:#?}");
            for (fate, endpoint) in fates.into_iter().zip(endpoints) {
                if let Some(wrong) = wrong(kind, open, fate, endpoint) {
                    let _ = writeln!(all, "{name}: {wrong}");
                }
            }
        }
    }
    assert!(all.is_empty(), "{all}");
}

fn hold_questions(round: &Round) {
    for (rest, tells) in QUESTIONS {
        let finding = round.finding(&format!("ask open {}", question("open", rest)));
        let endpoints = by_family(finding);
        assert_eq!(endpoints.len(), 2, "{finding:#?}");
        for endpoint in endpoints {
            assert_eq!(endpoint.verdict, Exposed, "{endpoint:#?}");
            let answered = evidence(endpoint)
                .filter_map(|e| e.udp.as_ref()?.answer.as_ref())
                .any(|answer| answer.expected);
            assert!(answered, "no answer of the protocol: {endpoint:#?}");
        }
        let finding = round.finding(&format!("ask drop {}", question("drop", rest)));
        let (verdict, reason) = if tells {
            (Blocked, "stopped")
        } else {
            (Inconclusive, "silence_tells_nothing")
        };
        let found = (finding.verdict, finding.reason.as_str(), finding.reach);
        assert_eq!(found, (verdict, reason, Some(NoAnswer)), "{finding:#?}");
    }
}

/// Verdict, reason and reach of every special.
const SPECIALS: [(&str, Verdict, &str, Reach); 17] = [
    ("ssh", Exposed, "past_barrier", Connected),
    ("mute", Exposed, "past_barrier", Connected),
    ("abort", Exposed, "past_barrier", Connected),
    ("forgotten", Exposed, "past_barrier", Served),
    ("forgotten waf", Exposed, "past_barrier", Served),
    ("denied twice", Blocked, "stopped", Denied),
    ("shut twice", Blocked, "stopped", NoAnswer),
    ("without", Blocked, "stopped", NoAnswer),
    ("own bytes", Inconclusive, "silence_tells_nothing", NoAnswer),
    ("no ping", Blocked, "stopped", NoAnswer),
    ("ping alone", Blocked, "stopped", NoAnswer),
    ("vpn", Blocked, "stopped", NoAnswer),
    ("vpn closed", Blocked, "stopped", Refused),
    ("idle ping", Exposed, "past_barrier", Connected),
    ("gone", Blocked, "stopped", NoName),
    ("literal", Blocked, "stopped", NoAnswer),
    ("literal 6", Blocked, "stopped", NoAnswer),
];

fn hold_specials(round: &Round) {
    for (name, verdict, reason, reach) in SPECIALS {
        let finding = round.finding(name);
        let found = (finding.verdict, finding.reason.as_str(), finding.reach);
        assert_eq!(found, (verdict, reason, Some(reach)), "{finding:#?}");
    }
    let tcp = |name: &str| {
        let endpoints = round.finding(name).endpoints.iter();
        let all = endpoints.flat_map(evidence).filter_map(|e| e.tcp.clone());
        all.collect::<Vec<_>>()
    };
    let banner = tcp("ssh").into_iter().find_map(|tcp| tcp.banner).unwrap();
    assert!(banner.starts_with("SSH-2.0-OpenSSH"), "{banner}");
    assert!(tcp("ssh").iter().all(|tcp| tcp.middlebox.is_empty()));
    for (name, middlebox) in [
        ("mute", Middlebox::NeverAcknowledged),
        ("abort", Middlebox::ResetAtOnce),
    ] {
        for seen in tcp(name) {
            assert!(seen.middlebox.contains(&middlebox), "{name}: {seen:#?}");
        }
        assert!(round.finding(name).notes.contains(&Note::PossiblyMiddlebox));
    }
    assert!(round.finding("vpn").notes.contains(&Note::SilenceAccepted));
    let refused = &round.finding("vpn closed").notes;
    assert!(!refused.contains(&Note::SilenceAccepted), "{refused:?}");

    // Over TCP nobody gets in; over QUIC everybody does.
    for endpoint in &round.finding("forgotten").endpoints {
        let wanted = if endpoint.companion { Exposed } else { Blocked };
        assert_eq!(endpoint.verdict, wanted, "{endpoint:#?}");
    }
    let over_quic = round.finding("forgotten").endpoints.iter();
    let http = over_quic.flat_map(evidence).find_map(|e| e.http.clone());
    assert_eq!(http.unwrap().version, "HTTP/3");
}

/// A turn at looking. A round over every door makes hundreds of handshakes of QUIC within seconds, so
/// that only so many of them are under way: noentry takes answers that it has no time to read for late
/// ones, and rightly. It computes during a fifth of a round at most.
struct Turn;

/// How many there are for each core.
const TURNS: usize = 2;

static LEFT: LazyLock<Mutex<usize>> =
    LazyLock::new(|| Mutex::new(TURNS * thread::available_parallelism().map_or(1, usize::from)));
static FREE: Condvar = Condvar::new();

impl Turn {
    fn take() -> Self {
        let left = LEFT.lock().unwrap_or_else(PoisonError::into_inner);
        let left = FREE.wait_while(left, |left| *left == 0);
        *left.unwrap_or_else(PoisonError::into_inner) -= 1;
        Self
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *LEFT.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        FREE.notify_one();
    }
}

/// A round over everything, when it is its turn.
fn look(lab: &Lab, under: &[&str], config: &str) -> Round {
    let _turn = Turn::take();
    lab.finish(lab.start_under(under, config))
}

/// Every door, question and special, from a vantage that is all right.
pub fn every_kind(ground: Ground) {
    let round = look(&Lab::with(ground, &Server::ALL), &[], &config());
    hold_doors(&round);
    hold_questions(&round);
    hold_specials(&round);
    let vantage = &round.report.vantage;
    assert_eq!(vantage.outside.as_ref().unwrap().side, Side::Outside);
    assert_eq!(vantage.sees.len(), 6, "{:#?}", vantage.sees);
    let lines = &round.report.coverage;
    for family in Family::ALL {
        for surface in [Surface::Tcp, Surface::Udp, Surface::Icmp, Surface::Http3] {
            let watched = lines.iter().any(|line| {
                (line.surface, line.family, line.watch) == (surface, Some(family), Watch::Watched)
            });
            assert!(watched, "{surface:?} over {family}: {lines:#?}");
        }
        let unwatched = lines.iter().find(|line| line.watch == Watch::Unwatched);
        assert_eq!(unwatched.unwrap().targets, ["without"]);
    }
}

/// A laboratory with every server but the directory, which takes seconds to make.
fn quick(ground: Ground) -> Lab {
    let mut servers = Server::ALL.to_vec();
    servers.retain(|server| *server != Server::Directory);
    Lab::with(ground, &servers)
}

/// Nothing of what this says to be unseen may be blocked, and what is open from outside is never
/// blocked, whatever is broken.
fn broken(ground: Ground, broken: Broken, unseen: impl Fn(&EndpointReport) -> bool) {
    let lab = quick(ground);
    lab.break_vantage(broken);
    let round = look(&lab, &[], &config());
    let truly_open = |finding: &Finding| {
        let name = finding.target.name.as_str();
        name.ends_with(" open")
            || (name.starts_with("ask open") && !name.contains(":389"))
            || ["ssh", "forgotten", "forgotten waf", "idle ping"].contains(&name)
    };
    let mut looked_away = 0;
    for finding in &round.report.findings {
        assert!(
            finding.verdict != Blocked || !truly_open(finding),
            "{broken:?}: a false blocked: {finding:#?}"
        );
        for endpoint in &finding.endpoints {
            if unseen(endpoint) {
                looked_away += 1;
                assert_ne!(endpoint.verdict, Blocked, "{broken:?}: {endpoint:#?}");
            }
        }
    }
    assert!(
        looked_away > 20,
        "{broken:?} touched {looked_away} endpoints"
    );
}

macro_rules! broken_vantages {
    ($($name:ident: $broken:ident, $unseen:expr;)+) => {$(
        pub fn $name(ground: Ground) {
            broken(ground, Broken::$broken, $unseen);
        }
    )+};
}

const fn is_udp(endpoint: &EndpointReport) -> bool {
    matches!(endpoint.endpoint.transport, Transport::Udp)
}

const fn is_echo(endpoint: &EndpointReport) -> bool {
    matches!(endpoint.endpoint.transport, Transport::Icmp)
}

const fn is_ipv6(endpoint: &EndpointReport) -> bool {
    endpoint.endpoint.address.is_ipv6()
}

broken_vantages! {
    udp_dropped: UdpDropped, is_udp;
    udp_prohibited: UdpProhibited, is_udp;
    udp_refused: UdpRefused, is_udp;
    udp_forbidden: UdpForbidden, is_udp;
    quic_dropped: QuicDropped, |e| is_udp(e) && e.endpoint.port == Some(443);
    echo_dropped: EchoDropped, is_echo;
    echo_prohibited: EchoProhibited, is_echo;
    echo_forbidden: EchoForbidden, is_echo;
    icmp_in_dropped: IcmpInDropped, is_echo;
    without_ipv6: Ipv6SwitchedOff, is_ipv6;
    without_ipv6_route: Ipv6WithoutRoute, is_ipv6;
    ipv6_dropped: Ipv6Dropped, is_ipv6;
}

/// Nothing gets out at all.
pub fn nothing_gets_out(ground: Ground) {
    let lab = quick(ground);
    lab.rule(Place::Router, "passing", "iifname torunner drop");
    let round = look(&lab, &[], &config());
    round.expect_nothing_blocked();
    assert_eq!(round.code, 3);
    assert!(round.report.vantage.sees.is_empty());
    let watched = |line: &&Coverage| line.watch == Watch::Watched;
    assert_eq!(round.report.coverage.iter().find(watched), None);
}

/// The same doors without any control: what was answered stands, and silence proves nothing.
pub fn without_controls(ground: Ground) {
    let config = head(&[]) + &doors() + &questions() + &specials();
    let round = look(&quick(ground), &[], &config);
    for finding in &round.report.findings {
        // A denial over HTTP is an answer of its own.
        let answered = finding.target.name == "denied twice";
        assert_eq!(finding.verdict == Blocked, answered, "{finding:#?}");
    }
}

/// A runner that the target's own allow-list lets in.
pub fn from_inside(ground: Ground) {
    let vantage = "must_not_reach: { tcp: 'web.lab.example:22' }";
    let config = with_vantage(&head(&CONTROLS), vantage) + &doors() + &specials();
    let round = look(&quick(ground), &[], &config);
    assert_eq!(round.code, 3);
    for finding in &round.report.findings {
        assert_eq!(finding.verdict, Inconclusive, "{finding:#?}");
        assert_eq!(finding.reason.as_str(), "inside", "{finding:#?}");
    }
    assert_eq!(
        round.report.vantage.outside.as_ref().unwrap().side,
        Side::Inside
    );
}

/// A SYN proxy says yes on every port in the name of a host that drops everything. That is a door to
/// whoever knocks, and nothing that was denied.
pub fn syn_proxy(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.syn_proxy();
    let door = "door-synproxy.lab.example";
    let config = head(&[CONTROLS[0]])
        + &target(
            "proxied",
            &format!("tcp: '{door}:7000', expect_banner: true"),
        )
        + &target("console", &format!("url: 'https://{door}/', http3: false"))
        + &target(
            "waf",
            &format!("url: 'https://{door}/', http3: false, barrier: http"),
        );
    let round = lab.round(&config);
    for (name, verdict, reason) in [
        ("proxied", Exposed, "past_barrier"),
        ("console", Exposed, "past_barrier"),
        ("waf", Inconclusive, "no_denial_seen"),
    ] {
        let finding = round.finding(name);
        let found = (finding.verdict, finding.reason.as_str(), finding.reach);
        assert_eq!(found, (verdict, reason, Some(Connected)), "{finding:#?}");
        assert_eq!(finding.endpoints.len(), 2, "{finding:#?}");
    }
    let proxied = round.finding("proxied");
    for seen in proxied.endpoints.iter().flat_map(evidence) {
        let tcp = seen.tcp.as_ref().unwrap();
        let signs = [Middlebox::NeverAcknowledged, Middlebox::EveryPortAlike];
        assert_eq!(tcp.middlebox, signs, "{seen:#?}");
    }
    assert!(proxied.notes.contains(&Note::PossiblyMiddlebox));
    assert!(
        round.stdout.contains("possibly a middlebox"),
        "{}",
        round.stdout
    );
}

/// A process that may send no echo requests says so, and judges the rest.
pub fn no_echo_socket(ground: Ground) {
    let lab = quick(ground);
    let round = look(&lab, WITHOUT_RAW_SOCKETS, &config());
    for finding in &round.report.findings {
        for endpoint in finding.endpoints.iter().filter(|e| is_echo(e)) {
            assert_eq!(endpoint.verdict, Inconclusive, "{endpoint:#?}");
            let blind = |a: &Attempt| a.outcome == Outcome::Blind(Blind::NoEchoSocket);
            assert!(endpoint.attempts.iter().all(blind), "{endpoint:#?}");
        }
    }
    assert!(
        round.stdout.contains("ping_group_range"),
        "{}",
        round.stdout
    );

    // With the kernel's leave the same process sees everything.
    lab.allow_ping_sockets();
    let round = look(&lab, WITHOUT_RAW_SOCKETS, &config());
    hold_doors(&round);
}
