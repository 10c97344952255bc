//! Faults of the way out (V6 to V8): packets to the open door go elsewhere, come back by another way,
//! or meet somebody of our own side. See `own_side.rs`.

use super::own_side::{
    ALL, Elsewhere, EveryPort, Known, PACE, Port, SSH, SSH_4, Said, on_the_way, open, open_with,
    own_path_tells,
};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{head_at, target};
use crate::services::Server;

/// The same answer, whatever is known of the ports.
const fn always(why: &str) -> [(Known, &str); 4] {
    [(Elsewhere, why), (Port, why), (EveryPort, why), (Said, why)]
}

/// V6. A tunnel takes the target's network, and leads nowhere.
pub fn split_tunnel(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.sh(
        Place::Runner,
        "ip link add tun0 type veth peer name nowhere netns idle
         ip link set tun0 up arp off
         ip -n idle link set nowhere up
         ip address add 172.30.0.2/24 dev tun0
         ip address add fd99::2/64 dev tun0 nodad
         ip route add 20.1.2.16/28 dev tun0
         ip -6 route add 2a00:5a:1::20/123 via fd99::1
         ip -6 neighbour add fd99::1 lladdr 02:00:00:00:00:01 dev tun0",
    );
    // A route without a gateway looks like a network of our own.
    for (known, round) in SSH.rounds(&lab, &ALL) {
        round.expect_nothing_blocked();
        let reasons: Vec<_> = SSH
            .names()
            .map(|name| round.finding(name).reason.as_str().to_owned())
            .collect();
        assert!(
            reasons
                .iter()
                .all(|why| ["own_network", "control_on_other_way"].contains(&why.as_str())),
            "{known:?}: {reasons:?}"
        );
        assert_eq!(round.code, 3);
    }
}

/// V6. A second gateway, dead, has the target's network.
pub fn dead_second_gateway(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.sh(
        Place::Runner,
        "ip route add 20.1.2.16/28 via 198.18.1.77
         ip neighbour add 198.18.1.77 lladdr 02:00:00:00:00:77 dev wan
         ip -6 route add 2a00:5a:1::20/123 via 2001:db8:1::77
         ip -6 neighbour add 2001:db8:1::77 lladdr 02:00:00:00:00:77 dev wan",
    );
    SSH.are_not_seen(&lab, &always("control_on_other_way"));
    // One that nobody on the link knows.
    lab.sh(
        Place::Runner,
        "ip neighbour delete 198.18.1.77 dev wan
         ip -6 neighbour delete 2001:db8:1::77 dev wan",
    );
    // Whether the kernel gives up on it before the attempt is over, is its own pace.
    SSH.are_not_seen(&lab, &always("control_on_other_way|local_unreachable"));
}

/// V6. Two gateways for everything, of which one is dead: the kernel chooses one for each pair of addresses,
/// and the control has luck.
pub fn one_of_two_gateways_is_dead(ground: Ground) {
    let lab = open_with(ground, &[Server::Stun]);
    let at = |host: [&str; 2]| {
        host.map(|host| {
            let plain = host.trim_matches(['[', ']']);
            [
                format!("tcp: '{host}:22'"),
                format!("udp: '{host}:3478'"),
                format!("icmp: '{plain}'"),
            ]
        })
        .concat()
    };
    let controls = at(["20.1.2.9", "[2a00:5a:1::9]"]);
    let controls: Vec<&str> = controls.iter().map(String::as_str).collect();
    let mut config = head_at(PACE, &[], &controls).replace("probe_non_global: true, ", "");
    for n in 30..42 {
        let hosts = [format!("20.1.2.{n}"), format!("[2a00:5a:1::{n}]")];
        for door in at([&hosts[0], &hosts[1]]) {
            config += &target(&door.replace('\'', ""), &door);
        }
    }
    let round = lab.round(&config);
    assert_eq!(round.report.totals.exposed, 72);
    lab.sh(
        Place::Runner,
        "ip neighbour add 198.18.1.77 lladdr 02:00:00:00:00:77 dev wan
         ip -6 neighbour add 2001:db8:1::77 lladdr 02:00:00:00:00:77 dev wan
         ip route replace default nexthop via 198.18.1.1 nexthop via 198.18.1.77
         ip -6 route replace default nexthop via 2001:db8:1::1 nexthop via 2001:db8:1::77
         ip route add 20.1.2.9 via 198.18.1.1
         ip -6 route add 2a00:5a:1::9 via 2001:db8:1::1",
    );
    let round = lab.round(&config);
    round.expect_nothing_blocked();
    let (mut open, mut elsewhere) = (0, 0);
    for finding in &round.report.findings {
        match finding.reason.as_str() {
            "past_barrier" => open += 1,
            "control_on_other_way" => elsewhere += 1,
            other => panic!("{other}: {finding:#?}"),
        }
    }
    assert_eq!(open + elsewhere, 72);
    assert!(
        open > 0 && elsewhere > 0,
        "{open} open, {elsewhere} elsewhere"
    );
}

/// V6. Packets to the target leave from another address of ours, which nobody answers.
pub fn another_source_address(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.sh(
        Place::Runner,
        "ip address add 10.99.0.2/32 dev wan
         ip -6 address add fd98::2/128 dev wan nodad
         ip route add 20.1.2.16/28 via 198.18.1.1 src 10.99.0.2
         ip -6 route add 2a00:5a:1::20/123 via 2001:db8:1::1 src fd98::2",
    );
    SSH.are_not_seen(&lab, &always("control_on_other_way"));
}

/// V6. A network of our own has the target's addresses, with a machine in it that says no, with nobody in
/// it, or with ourselves.
pub fn own_network_overlaps(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.sh(
        Place::Runner,
        "ip link add lan type veth peer name tolan netns idle
         ip link set lan up
         ip address add 20.1.2.17/28 dev lan
         ip address add 2a00:5a:1::21/123 dev lan nodad
         ip -n idle link set tolan up
         ip -n idle address add 20.1.2.22/28 dev tolan
         ip -n idle address add 2a00:5a:1::22/123 dev tolan nodad",
    );
    SSH.are_not_seen(&lab, &always("own_network"));
    lab.sh(Place::Runner, "ip link set lan arp off");
    SSH.are_not_seen(&lab, &always("own_network"));
    lab.sh(
        Place::Runner,
        "ip address add 20.1.2.22/32 dev lo
         ip address add 2a00:5a:1::22/128 dev lo nodad",
    );
    for (known, round) in SSH.rounds(&lab, &ALL) {
        round.expect_nothing_blocked();
        assert_eq!(round.code, 3, "{known:?}");
    }
}

/// Answers from the door come in by another interface than the one that leads back to it.
fn answers_by_another_way(ground: Ground) -> Lab {
    let lab = open(ground);
    lab.sh(
        Place::Runner,
        "ip link add lan type veth peer name torunner2 netns router
         ip link set lan up
         ip address add 10.99.0.2/24 dev lan
         ip -n router link set torunner2 up
         ip -n router address add 10.99.0.1/24 dev torunner2
         ip -n router route add 198.18.1.2 via 10.99.0.2 dev torunner2 table 100
         ip -n router rule add from 20.1.2.22 lookup 100",
    );
    SSH_4.are_open(&lab);
    lab
}

/// V7. The kernel drops them for it, and counts what it drops.
pub fn answers_come_back_by_another_way(ground: Ground) {
    let lab = answers_by_another_way(ground);
    let strict = "echo 1 > /proc/sys/net/ipv4/conf/lan/rp_filter";
    lab.sh(Place::Runner, strict);
    SSH_4.are_not_seen(
        &lab,
        &[
            (Elsewhere, "port_unproven"),
            (Port, "reverse_path"),
            (EveryPort, "reverse_path"),
            (Said, "reverse_path"),
        ],
    );
}

/// V7. This machine's firewall drops them for it, as firewalld does over IPv6: nobody counts that.
pub fn limit_a_firewall_that_checks_the_reverse_path(ground: Ground) {
    let lab = answers_by_another_way(ground);
    let strict = "iifname lan fib saddr . iif oif missing drop";
    lab.rule(Place::Runner, "early", strict);
    SSH_4.are_taken_for_shut(&lab, &[Port, EveryPort, Said]);
    SSH_4.are_not_seen(&lab, &[(Elsewhere, "port_unproven")]);
}

/// V7. This machine's firewall drops what comes in from port 22.
pub fn a_port_is_dropped_on_its_way_in(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.rule(Place::Runner, "incoming", "tcp sport 22 drop");
    SSH.are_not_seen(
        &lab,
        &[
            (Elsewhere, "port_unproven"),
            (Port, "control_lost"),
            (EveryPort, "control_lost"),
        ],
    );
}

/// V7. It drops what comes in from the target alone.
pub fn limit_a_block_list_on_this_machine(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.rule(Place::Runner, "incoming", "ip saddr 20.1.2.22 drop");
    lab.rule(Place::Runner, "incoming", "ip6 saddr 2a00:5a:1::22 drop");
    SSH.are_taken_for_shut(&lab, &[Port, EveryPort, Said]);
    SSH.are_not_seen(&lab, &[(Elsewhere, "port_unproven")]);
    own_path_tells(&lab);
}

/// V8. The provider has no route to the target, and says so.
pub fn provider_has_no_route(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    for (v4, v6) in [
        ("net-unreachable", "no-route"),
        ("net-unreachable", "reject-route"),
    ] {
        on_the_way(
            &lab,
            &format!("ip daddr 20.1.2.22 reject with icmp type {v4}"),
        );
        on_the_way(
            &lab,
            &format!("ip6 daddr 2a00:5a:1::22 reject with icmpv6 type {v6}"),
        );
        SSH.are_not_seen(&lab, &always("no_route"));
    }
}

/// V8. Our own gateway turns the target away.
pub fn own_gateway_rejects(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    lab.router_says_errors_from("198.18.1.1", "2001:db8:1::1");
    for verdict in ["admin-prohibited", "host-unreachable", "port-unreachable"] {
        for place in ["ip daddr 20.1.2.22", "ip6 daddr 2a00:5a:1::22"] {
            on_the_way(&lab, &format!("{place} reject with icmpx type {verdict}"));
        }
        SSH.are_not_seen(&lab, &always("own_gateway"));
    }
}

/// V8. A device of our own side further out than the gateway rejects this target alone, by ICMP or with a
/// reset in its name: that looks like the target's own firewall.
pub fn limit_a_rejection_from_further_out(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    for verdict in [
        "reject with icmpx type admin-prohibited",
        "reject with tcp reset",
    ] {
        for place in ["ip daddr 20.1.2.22", "ip6 daddr 2a00:5a:1::22"] {
            on_the_way(&lab, &format!("{place} meta l4proto tcp {verdict}"));
        }
        SSH.are_taken_for_shut(&lab, &[Port, EveryPort, Said]);
        own_path_tells(&lab);
    }
}
