//! Faults of the machine that looks, and settings of it that are none: an open door was never taken for
//! shut because of them, and never is to be. See `own_side.rs`.
//!
//! Some of the list stands elsewhere: `vantage.rs` has a NAT that lets nothing new pass, few file
//! descriptors and IPv6 without a way, `resolvers.rs` the null address, `tests/merge_rounds.rs` a merge
//! with a vantage that is blind.

use std::thread;
use std::time::Duration;

use noentry::domain::reach::Reach::{Connected, NoAnswer};
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};

use super::HEALTHY;
use super::own_side::{EveryPort, PACE, SSH, Said, on_the_way, open};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Round, Truth, target};

/// So many doors that are open, each at an address of its own.
fn many(number: u8) -> String {
    let door = |n| target(&format!("open {n}"), &format!("tcp: '20.1.2.{n}:2222'"));
    (30..30 + number).map(door).collect()
}

/// Nothing is blocked, and something is not right: the door is open, or it could not be seen.
fn nothing_is_shut(round: &Round) {
    round.expect_nothing_blocked();
    assert_ne!(round.code, 0);
}

/// Settings and surroundings with which everything is found as it is.
pub fn what_changes_nothing(ground: Ground) {
    let lab = open(ground);
    let config = SSH.config(EveryPort)
        + &target("page", "url: 'http://20.1.2.130/ok', barrier: http")
        + &many(10);
    let all_open = |round: &Round, why: &str| {
        for finding in &round.report.findings {
            assert_eq!(finding.verdict, Exposed, "{why}: {finding:#?}");
        }
    };
    all_open(&lab.round(&config), "as it is");

    let proxies = [
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ]
    .map(|name| format!("{name}=http://192.0.2.1:3128"));
    let mut under = vec!["env", "no_proxy="];
    under.extend(proxies.iter().map(String::as_str));
    all_open(&lab.finish(lab.start_under(&under, &config)), "proxies");

    let few = ["prlimit", "--nofile=32:32"];
    nothing_is_shut(&lab.finish(lab.start_under(&few, &config)));

    for (setting, value) in [
        // One repeat at most.
        ("tcp_syn_retries", "1"),
        ("tcp_syn_linear_timeouts", "0"),
        ("tcp_timestamps", "0"),
        ("tcp_fastopen", "3"),
        ("tcp_tw_reuse", "0"),
    ] {
        let file = format!("/proc/sys/net/ipv4/{setting}");
        // An older kernel does not have all of them.
        let change = format!("if [ -w {file} ]; then echo {value} > {file}; fi");
        lab.sh(Place::Runner, &change);
        all_open(&lab.round(&config), setting);
    }

    // A middlebox that drops what asks for ECN; the second SYN does not.
    lab.sh(Place::Runner, "echo 1 > /proc/sys/net/ipv4/tcp_ecn");
    on_the_way(&lab, "tcp flags & (syn | ecn) == syn | ecn drop");
    all_open(&lab.round(&config), "ECN");

    // Two ports for everything that leaves: they may be in use by what is over.
    let narrow = "echo 40000 40001 > /proc/sys/net/ipv4/ip_local_port_range";
    lab.sh(Place::Runner, narrow);
    nothing_is_shut(&lab.round(&config));
}

/// A network that drops the first SYN of each connection: one repeat is what gets through.
pub fn one_syn_only(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.nft(
        Place::Router,
        "add set inet lab first { type ipv4_addr . inet_service . inet_service; size 4096; flags dynamic; }",
    );
    let flow = "ip daddr . tcp sport . tcp dport";
    let syn = "tcp flags & (syn | ack) == syn";
    on_the_way(&lab, &format!("{syn} add @first {{ {flow} }} drop"));
    on_the_way(&lab, &format!("{syn} {flow} @first accept"));
    SSH.are_open(&lab);
}

/// Limits of this machine's own firewall, by rate and by number.
pub fn own_firewall_has_limits(ground: Ground) {
    let lab = open(ground);
    // Shut doors take part, so that an open one is one of many.
    let mut config = SSH.head(EveryPort, PACE);
    for n in 0..8 {
        config += &target(
            &format!("shut {n}"),
            &format!("tcp: '20.1.2.201:{}'", 3000 + n),
        );
    }
    config += &many(20);
    let config = config + &SSH.targets();
    let round = lab.round(&config);
    assert_eq!(
        (round.report.totals.exposed, round.report.totals.blocked),
        (22, 8)
    );
    for limit in [
        "ct state new limit rate over 10/second burst 10 packets drop",
        "ct state new ct count over 20 drop",
    ] {
        let rule = format!("oifname wan meta l4proto tcp {limit}");
        lab.rule(Place::Runner, "outgoing", &rule);
        let round = lab.round(&config);
        for finding in &round.report.findings {
            if finding.target.name.starts_with("shut") {
                continue;
            }
            assert_ne!(finding.verdict, Blocked, "{limit}: {finding:#?}");
        }
        assert_ne!(round.code, 0);
        lab.sh(Place::Runner, "nft flush chain inet lab outgoing");
    }
}

/// A connection table that is full, on the way.
pub fn full_table_on_the_way(ground: Ground) {
    let lab = open(ground);
    let config = SSH.config(EveryPort) + &many(40);
    assert_eq!(lab.round(&config).report.totals.exposed, 42);
    on_the_way(&lab, "ct state new ct count over 12 drop");
    let round = lab.round(&config);
    nothing_is_shut(&round);
}

/// The process is stopped in the middle of an attempt, the door answers meanwhile, and the deadline is long
/// over when it goes on.
pub fn stopped_and_continued(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.count(
        Place::Router,
        "passing",
        "knocked",
        "ip daddr 20.1.2.22 tcp dport 22",
    );
    // What comes back is not let in, until the chain is emptied.
    lab.nft(
        Place::Runner,
        "add chain inet lab late\nadd rule inet lab late tcp sport 22 drop\n\
         insert rule inet lab incoming jump late",
    );
    let running = lab.start(&SSH.config(Said));
    lab.until_counted(Place::Router, "knocked", 1);
    running.signal("STOP");
    lab.nft(Place::Runner, "flush chain inet lab late");
    thread::sleep(Duration::from_millis(2_500));
    running.signal("CONT");
    let round = lab.finish(running);
    round.expect(&[
        Truth("door 4", Exposed, "past_barrier", &[Connected]),
        Truth("door 6", Exposed, "past_barrier", &[Connected]),
    ]);

    // The link goes down while the process is stopped, and it tells no silence from that.
    let shut = SSH.head(EveryPort, PACE) + &target("shut", "tcp: '20.1.2.22:9001'");
    lab.count(
        Place::Router,
        "passing",
        "shut",
        "ip daddr 20.1.2.22 tcp dport 9001",
    );
    let running = lab.start(&shut);
    lab.until_counted(Place::Router, "shut", 1);
    running.signal("STOP");
    lab.sh(Place::Runner, "ip link set wan down");
    thread::sleep(Duration::from_millis(1_500));
    running.signal("CONT");
    let round = lab.finish(running);
    round.expect_nothing_blocked();
    assert_eq!(round.code, 3);
}

/// The link goes down in the middle of the round and comes back.
pub fn link_down_and_up(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.count(
        Place::Router,
        "passing",
        "knocked",
        "ip daddr 20.1.2.30 tcp dport 9001",
    );
    // Down from the first packet to the silent target on, which the doors come after or with.
    for pause in [300, 1_500] {
        let config = SSH.head(EveryPort, PACE) + &target("silent", "tcp: '20.1.2.30:9001'");
        let config = config + &SSH.targets() + &many(30);
        let before = lab.counted(Place::Router, "knocked");
        let running = lab.start(&config);
        lab.until_counted(Place::Router, "knocked", before + 1);
        lab.sh(Place::Runner, "ip link set wan down");
        thread::sleep(Duration::from_millis(pause));
        lab.sh(
            Place::Runner,
            "ip link set wan up
             ip address replace 2001:db8:1::2/64 dev wan nodad
             ip route replace default via 198.18.1.1
             ip -6 route replace default via 2001:db8:1::1",
        );
        let round = lab.finish(running);
        for finding in &round.report.findings {
            let shut = finding.target.name == "silent";
            assert!(shut || finding.verdict != Blocked, "{pause}: {finding:#?}");
        }
        assert_ne!(round.code, 0);
    }
}

/// Everything after the `ClientHello` is reset: somebody on the way does not like what it asks for.
pub fn reset_after_client_hello(ground: Ground) {
    let lab = open(ground);
    let config = |known| {
        SSH.head(known, PACE)
            + &target("tls", "url: 'https://20.1.2.130/ok', barrier: tls")
            + &target("http", "url: 'https://20.1.2.130/denied', barrier: http")
            + &target("network", "url: 'https://20.1.2.130/ok'")
    };
    assert_eq!(
        lab.round(&config(EveryPort)).finding("tls").verdict,
        Exposed
    );
    on_the_way(
        &lab,
        "tcp dport 443 tcp flags & psh == psh reject with tcp reset",
    );
    for known in [EveryPort, Said] {
        let round = lab.round(&config(known));
        round.expect(&[
            Truth("tls", Inconclusive, "no_denial_seen", &[Connected]),
            Truth("http", Inconclusive, "no_denial_seen", &[Connected]),
            Truth("network", Exposed, "past_barrier", &[Connected]),
        ]);
    }
}

/// Ninety addresses behind one name, of which one is open; `addresses::many_addresses` has them all shut.
pub fn one_address_of_ninety(ground: Ground) {
    let lab = Lab::standing(ground);
    let config = HEALTHY.clone()
        + &target("many", "tcp: many.lab.example:9001, families: [ipv4]")
        + &target("shut", "tcp: '203.0.113.150:9001'");
    on_the_way(&lab, "ip daddr 203.0.113.171 tcp dport 9001 accept");
    lab.round(&config).expect(&[
        Truth("many", Exposed, "past_barrier", &[Connected]),
        Truth("shut", Blocked, "stopped", &[NoAnswer]),
    ]);
}
