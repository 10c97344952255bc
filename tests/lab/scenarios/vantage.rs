//! The broken watchman. Whatever is wrong on our own side, nothing may come out as blocked.
//!
//! Each scenario breaks the vantage in one way and then runs a round over doors that are locked (and
//! some that are not). That the same round is right with a good vantage is proven first, so that
//! none of these can pass by looking at nothing.

use std::fmt::Write as _;

use noentry::domain::finding::Note;
use noentry::domain::reach::Reach::{
    Connected, Denied, NoAnswer, NoName, PrivateAddress, Prohibited, Refused, Served, TlsRefused,
};
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};

use super::{CONTROL, HEALTHY, LITERAL_CONTROL, LITERAL_CONTROL_6};
use crate::broken::Broken;
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Round, Truth, head, saw, target};
use crate::zones::TRUTH;

/// Targets that must be connected to, each on IPv4 and IPv6.
pub fn doors() -> String {
    target("silent", "tcp: dual.lab.example:9001")
        + &target("reset", "tcp: dual.lab.example:9002")
        + &target("prohibited", "tcp: dual.lab.example:9004")
        + &target("closed", "tcp: dual.lab.example:9011")
        + &target(
            "denied",
            "url: 'http://web.lab.example/denied', barrier: http",
        )
        + &target(
            "mutual TLS",
            "url: 'https://web.lab.example:4443/ok', barrier: tls",
        )
        + &target("open", "tcp: dual.lab.example:9000")
        + &target(
            "login",
            "url: 'http://web.lab.example/login', barrier: http",
        )
}

/// Targets whose name must not lead anywhere.
pub fn names() -> String {
    target("gone", "dns: nope.lab.example, barrier: dns")
        + &target("private", "dns: private.lab.example, barrier: dns")
        + &target(
            "no record",
            "dns: dual.lab.example, record: TXT, barrier: dns",
        )
        + &target(
            "own word",
            "dns: nope.child.lab.example, authoritative: true, barrier: dns",
        )
}

/// Targets that need no resolver.
fn literals() -> String {
    target("silent 4", "tcp: '203.0.113.22:9001'")
        + &target("silent 6", "tcp: '[2001:db8:3::22]:9001'")
        + &target("reset 4", "tcp: '203.0.113.22:9002'")
        + &target("reset 6", "tcp: '[2001:db8:3::22]:9002'")
}

/// The same doors from a vantage that is all right.
pub fn all_right(ground: Ground) {
    let config = head(&[TRUTH], &[CONTROL, LITERAL_CONTROL, LITERAL_CONTROL_6])
        + &doors()
        + &names()
        + &literals();
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("silent", Blocked, "stopped", &[NoAnswer]),
        Truth("reset", Blocked, "stopped", &[Refused]),
        Truth("prohibited", Blocked, "stopped", &[Prohibited]),
        Truth("closed", Blocked, "stopped", &[Refused]),
        Truth("denied", Blocked, "stopped", &[Denied]),
        Truth("mutual TLS", Blocked, "stopped", &[TlsRefused]),
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("login", Exposed, "past_barrier", &[Served]),
        Truth("gone", Blocked, "stopped", &[NoName]),
        Truth("private", Blocked, "stopped", &[PrivateAddress]),
        Truth("no record", Blocked, "stopped", &[NoName]),
        Truth("own word", Blocked, "stopped", &[NoName]),
        Truth("silent 4", Blocked, "stopped", &[NoAnswer]),
        Truth("silent 6", Blocked, "stopped", &[NoAnswer]),
        Truth("reset 4", Blocked, "stopped", &[Refused]),
        Truth("reset 6", Blocked, "stopped", &[Refused]),
    ]);
}

/// A vantage on which nothing at all works: nothing can be seen.
fn nothing_works(ground: Ground, break_it: impl Fn(&Lab)) {
    let lab = Lab::standing(ground);
    break_it(&lab);
    let config = head(&[TRUTH], &[CONTROL, LITERAL_CONTROL, LITERAL_CONTROL_6])
        + &doors()
        + &names()
        + &literals();
    let round = lab.round(&config);
    round.expect_nothing_blocked();
    assert_eq!(round.code, 3);
    assert!(round.report.vantage.proven.is_empty());
}

pub fn no_default_route(ground: Ground) {
    nothing_works(ground, |lab| {
        let script = "ip route del default; ip -6 route del default";
        lab.sh(Place::Runner, script);
    });
}

pub fn interface_gone(ground: Ground) {
    nothing_works(ground, |lab| {
        lab.sh(Place::Runner, "ip link set wan down");
    });
}

pub fn egress_dropped(ground: Ground) {
    nothing_works(ground, |lab| {
        lab.rule(Place::Router, "passing", "iifname torunner drop");
    });
}

pub fn egress_rejected(ground: Ground) {
    nothing_works(ground, |lab| {
        let rule = "iifname torunner reject with icmpx type admin-prohibited";
        lab.rule(Place::Router, "passing", rule);
    });
}

pub fn own_firewall_drops(ground: Ground) {
    nothing_works(ground, |lab| {
        // Neighbour discovery is left alone: a watchman without it has no IPv6 at all.
        let rule = "meta l4proto { tcp, udp } drop";
        lab.rule(Place::Runner, "outgoing", rule);
    });
}

pub fn own_firewall_rejects(ground: Ground) {
    nothing_works(ground, |lab| {
        let rule = "meta l4proto { tcp, udp } reject with icmpx type admin-prohibited";
        lab.rule(Place::Runner, "outgoing", rule);
    });
}

/// Names resolve, and no connection works.
fn no_connection_works(ground: Ground, break_it: impl Fn(&Lab)) -> Round {
    let lab = Lab::standing(ground);
    break_it(&lab);
    let config = HEALTHY.clone() + &doors() + &literals();
    let round = lab.round(&config);
    round.expect_nothing_blocked();
    assert_eq!(round.code, 3);
    round
}

pub fn egress_reset(ground: Ground) {
    no_connection_works(ground, |lab| {
        let rule = "iifname torunner meta l4proto tcp reject with tcp reset";
        lab.rule(Place::Router, "passing", rule);
    });
}

pub fn own_firewall_resets(ground: Ground) {
    no_connection_works(ground, |lab| {
        // Without the interface, the rule would reject its own resets too, on their way back.
        let rule = "oifname wan meta l4proto tcp reject with tcp reset";
        lab.rule(Place::Runner, "outgoing", rule);
    });
}

pub fn own_firewall_drops_tcp(ground: Ground) {
    no_connection_works(ground, |lab| {
        lab.rule(Place::Runner, "outgoing", "meta l4proto tcp drop");
    });
}

/// The control alone cannot be reached, and everything else can: silence and denials prove nothing,
/// and an open door is open.
fn control_lost(ground: Ground, break_it: impl Fn(&Lab)) {
    let lab = Lab::standing(ground);
    break_it(&lab);
    let round = lab.round(&(HEALTHY.clone() + &doors()));
    round.expect_nothing_blocked();
    round.expect(&[
        Truth("silent", Inconclusive, "control_lost", &[NoAnswer]),
        Truth("reset", Inconclusive, "control_lost", &[Refused]),
        Truth("prohibited", Inconclusive, "control_lost", &[Prohibited]),
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("login", Exposed, "past_barrier", &[Served]),
    ]);
}

pub fn control_silent(ground: Ground) {
    control_lost(ground, |lab| {
        lab.rule(Place::Router, "passing", "ip daddr 203.0.113.5 drop");
        lab.rule(Place::Router, "passing", "ip6 daddr 2001:db8:3::5 drop");
    });
}

pub fn control_refused(ground: Ground) {
    control_lost(ground, |lab| {
        for address in ["ip daddr 203.0.113.5", "ip6 daddr 2001:db8:3::5"] {
            let rule = format!("{address} meta l4proto tcp reject with tcp reset");
            lab.rule(Place::Router, "passing", &rule);
        }
    });
}

/// From the first packet to port 9001 on, whatever matches is dropped, for so long. The packet itself
/// begins it: however busy the machine is, nothing comes between. (`meta l4proto` is something that a set
/// can hold, and the same for both.)
fn gone_from_the_first_door_on(lab: &Lab, matching: &[&str], how_long: &str) {
    let mut rules = format!(
        "add set inet lab begun {{ type inet_proto; size 1; flags dynamic; }}
        add set inet lab gone {{ type inet_proto; size 1; flags dynamic, timeout; }}
        insert rule inet lab passing tcp dport 9001 add @begun {{ meta l4proto }}
        insert rule inet lab passing tcp dport 9001 meta l4proto != @begun \
          add @gone {{ meta l4proto timeout {how_long} }}\n"
    );
    for matching in matching {
        let _ = writeln!(
            rules,
            "insert rule inet lab passing {matching} meta l4proto @gone drop"
        );
    }
    lab.nft(Place::Router, &rules);
}

/// Reached before, gone while the doors are looked at.
pub fn control_goes_away(ground: Ground) {
    let lab = Lab::standing(ground);
    let control = [
        "tcp dport 9000 ip daddr 203.0.113.5",
        "tcp dport 9000 ip6 daddr 2001:db8:3::5",
    ];
    // The doors are looked at after the first look at the control.
    gone_from_the_first_door_on(&lab, &control, "1h");
    let round = lab.round(&(HEALTHY.clone() + &doors()));
    round.expect_nothing_blocked();
    round.expect(&[Truth("silent", Inconclusive, "control_lost", &[NoAnswer])]);
    let control = round.report.controls.first().unwrap();
    assert!(control.checks.len() >= 2, "{control:#?}");
    let reached = |index: usize| control.checks[index].endpoints.iter().all(|e| e.reached);
    assert!(reached(0), "{control:#?}");
    assert!(!reached(control.checks.len() - 1), "{control:#?}");
}

/// Reached before and after, and not while the doors are looked at: a link that was down for a
/// while.
pub fn control_gone_for_a_while(ground: Ground) {
    let lab = Lab::standing(ground);
    // The look in between begins after a third of the time that the door takes, 6.4 s, and is given up
    // 3.5 s later; the last one begins after 19.5 s.
    gone_from_the_first_door_on(&lab, &["tcp dport 9000"], "15s");
    let target = target(
        "silent",
        "tcp: dual.lab.example:9001, timeout: 9.6s, attempts: 2",
    );
    let round = lab.round(&(HEALTHY.clone() + &target));
    round.expect_nothing_blocked();
    round.expect(&[Truth("silent", Inconclusive, "control_lost", &[NoAnswer])]);
    let control = round.report.controls.first().unwrap();
    let reached = |index: usize| control.checks[index].endpoints.iter().all(|e| e.reached);
    assert!(reached(0), "{control:#?}");
    assert!(reached(control.checks.len() - 1), "{control:#?}");
}

/// A NAT without free ports lets what it knows pass, and nothing new.
pub fn egress_runs_out(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.rule(Place::Router, "passing", "tcp dport 9200-9229 drop");
    let rule = "iifname torunner tcp flags & (syn | ack) == syn \
                limit rate over 1/hour burst 30 packets drop";
    lab.rule(Place::Router, "passing", rule);
    let mut config = HEALTHY.clone() + &doors();
    for port in 9200..9230 {
        config += &target(&port.to_string(), &format!("tcp: dual.lab.example:{port}"));
    }
    let round = lab.round(&config);
    round.expect_nothing_blocked();
    let control = round.report.controls.first().unwrap();
    assert!(!control.lost.is_empty(), "{control:#?}");
}

/// Dual-stack doors from a runner with IPv4 alone, as GitHub's are.
fn no_ipv6(ground: Ground, broken: Broken) {
    let lab = Lab::standing(ground);
    lab.break_vantage(broken);
    let config = HEALTHY.clone()
        + &doors()
        + &target("only 6", "tcp: only6.lab.example:9001")
        + &target("literal 6", "tcp: '[2001:db8:3::22]:9001'");
    let round = lab.round(&config);
    for finding in &round.report.findings {
        assert_ne!(finding.verdict, Blocked, "{finding:#?}");
        for endpoint in &finding.endpoints {
            let v6 = endpoint.endpoint.address.is_ipv6();
            assert!(!v6 || endpoint.verdict == Inconclusive, "{finding:#?}");
        }
    }
    // What is declared unwatched does not stand in the way, and is said.
    let config = HEALTHY.clone()
        + &target("declared", "tcp: dual.lab.example:9001, families: [ipv4]")
        + &target("literal 4", "tcp: '203.0.113.22:9001'");
    let round = lab.round(&config);
    round.expect(&[
        Truth("declared", Blocked, "stopped", &[NoAnswer]),
        Truth("literal 4", Blocked, "stopped", &[NoAnswer]),
    ]);
    let notes = &round.finding("declared").notes;
    assert!(notes.contains(&Note::Ipv6Unwatched), "{notes:?}");
}

pub fn ipv6_switched_off(ground: Ground) {
    no_ipv6(ground, Broken::Ipv6SwitchedOff);
}

pub fn ipv6_without_route(ground: Ground) {
    no_ipv6(ground, Broken::Ipv6WithoutRoute);
}

pub fn ipv6_dropped_on_the_way(ground: Ground) {
    no_ipv6(ground, Broken::Ipv6Dropped);
}

/// Without a control, what could also be our own trouble is inconclusive, and what was seen stands.
pub fn without_a_control(ground: Ground) {
    let round = Lab::standing(ground).round(&(head(&[TRUTH], &[]) + &doors() + &names()));
    round.expect(&[
        Truth("silent", Inconclusive, "no_control", &[NoAnswer]),
        Truth("reset", Inconclusive, "no_control", &[Refused]),
        Truth("prohibited", Inconclusive, "no_control", &[Prohibited]),
        Truth("closed", Inconclusive, "no_control", &[Refused]),
        Truth("denied", Blocked, "stopped", &[Denied]),
        Truth("mutual TLS", Blocked, "stopped", &[TlsRefused]),
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("login", Exposed, "past_barrier", &[Served]),
        Truth("gone", Inconclusive, "no_control", &[NoName]),
        Truth("private", Inconclusive, "no_control", &[PrivateAddress]),
    ]);
}

/// A process that may have few file descriptors sees less, or takes longer, but makes nothing up.
pub fn out_of_files(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.rule(Place::Router, "passing", "tcp dport 9300-9459 drop");
    let mut config = HEALTHY.clone();
    for port in 9300..9460 {
        config += &target(
            &port.to_string(),
            &format!("tcp: '203.0.113.{}:{port}'", port % 200),
        );
    }
    let round = lab.finish(lab.start_under(&["prlimit", "--nofile=40:40"], &config));
    for endpoint in round.report.findings.iter().flat_map(|f| &f.endpoints) {
        assert_ne!(endpoint.verdict, Exposed, "{endpoint:#?}");
        let seen = !endpoint.attempts.is_empty() && endpoint.attempts.iter().all(saw);
        assert!(seen || endpoint.verdict == Inconclusive, "{endpoint:#?}");
    }
}
