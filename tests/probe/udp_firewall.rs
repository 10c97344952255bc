//! UDP against a real firewall, in network namespaces of our own (see [`estate`](crate::estate)).

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use noentry::domain::observation::{Blind, Observation, Outcome};
use noentry::domain::payload::{Payload, Protocol};
use noentry::domain::reach::Reach;

use crate::estate::{
    DEAD_ENDS, FURTHER_OUT, assert_blind, dead_ends, estate, further_out, icmp, inside, no_way_out,
    routes_in_a_loop, rules, sh,
};
use crate::support::reach;
use crate::udp::{ask, udp_evidence};

const PATIENCE: Duration = Duration::from_millis(1800);

/// Asks several ports of an address at once.
async fn ports<const N: usize>(address: &str, ports: [u16; N]) -> [Observation; N] {
    let payload = Payload::Protocol(Protocol::Dns);
    let asks = ports.map(|port| {
        ask(
            SocketAddr::new(address.parse().unwrap(), port),
            &payload,
            PATIENCE,
        )
    });
    join_all(asks).await.try_into().unwrap()
}

async fn one(address: &str, port: u16) -> Observation {
    let [seen] = ports(address, [port]).await;
    seen
}

fn assert_stopped(seen: &Observation, expected: Reach, (kind, code): (u8, u8), from: &str) {
    assert_eq!(reach(seen), expected, "{seen:?}");
    let error = icmp(seen);
    let from = Some(from.parse().unwrap());
    assert_eq!((error.kind, error.code, error.from), (kind, code, from));
    assert_eq!(udp_evidence(seen).sent, 1);
    assert_eq!(udp_evidence(seen).payload, "dns");
}

#[tokio::test]
async fn the_host_and_a_device_before_it_are_told_apart() {
    if !inside("udp_firewall::the_host_and_a_device_before_it_are_told_apart") {
        return;
    }
    estate();
    further_out();
    // Behind the router nobody has an address, but its firewall turns away before that matters.
    sh("
        ip -n router link add d0 type veth peer name d1
        ip -n router link set d0 up; ip -n router link set d1 up
        ip -n router addr add 203.0.113.1/24 dev d0
        ip -n router addr add 2001:db8:7::1/64 dev d0 nodad
    ");
    let table = "udp dport 1001 drop
        udp dport 1002 reject
        udp dport 1003 reject with icmpx type admin-prohibited
        udp dport 1004 reject with icmpx type host-unreachable
        udp dport 1005 reject with icmpx type no-route";
    rules("ip netns exec router", "input", table);
    // A second chain, for what is not the router's own.
    sh(&format!(
        "ip netns exec router nft -f - <<'END'\ntable inet g {{\nchain c {{\n\
         type filter hook forward priority 0;\n{table}\n}}\n}}\nEND"
    ));
    for (host, behind, router, [port, admin, unreachable, no_route]) in [
        (
            "192.0.2.7",
            "203.0.113.9",
            FURTHER_OUT[0],
            [(3, 3), (3, 13), (3, 1), (3, 0)],
        ),
        (
            "2001:db8::7",
            "2001:db8:7::9",
            FURTHER_OUT[1],
            [(1, 4), (1, 1), (1, 3), (1, 0)],
        ),
    ] {
        for (address, from) in [(host, host), (behind, router)] {
            let [dropped, rejected, prohibited, no_host, no_net] =
                ports(address, [1001, 1002, 1003, 1004, 1005]).await;
            assert_eq!(reach(&dropped), Reach::NoAnswer, "{dropped:?}");
            assert_eq!(udp_evidence(&dropped).sent, 2);
            // A port unreachable in the host's own name is what a closed port says.
            let own = if from == host {
                Reach::Refused
            } else {
                Reach::Prohibited
            };
            assert_stopped(&rejected, own, port, from);
            assert_stopped(&prohibited, Reach::Prohibited, admin, from);
            assert_stopped(&no_host, Reach::Prohibited, unreachable, from);
            // That there is no way to it is no word of a router's about the door; of the host itself
            // it is one.
            if from == host {
                assert_stopped(&no_net, Reach::Prohibited, no_route, from);
            } else {
                assert_blind(&no_net, Blind::NoRoute);
                let error = icmp(&no_net);
                assert_eq!((error.kind, error.code), no_route);
            }
        }
        assert_stopped(&one(host, 1006).await, Reach::Refused, port, host);
    }
}

#[tokio::test]
async fn our_own_firewall_and_routes_are_blind_to_udp() {
    if !inside("udp_firewall::our_own_firewall_and_routes_are_blind_to_udp") {
        return;
    }
    estate();
    rules(
        "",
        "output",
        "udp dport 2001 drop
            udp dport 2002 reject
            udp dport 2003 reject with icmpx type admin-prohibited",
    );
    for address in ["192.0.2.7", "2001:db8::7"] {
        let [dropped, rejected, prohibited, closed] =
            ports(address, [2001, 2002, 2003, 2004]).await;
        assert_blind(&dropped, Blind::NotPermitted);
        assert_eq!(udp_evidence(&dropped).sent, 0);
        for seen in [&rejected, &prohibited] {
            assert!(matches!(seen.outcome, Outcome::Blind(_)), "{seen:?}");
        }
        assert_eq!(reach(&closed), Reach::Refused);
    }
    dead_ends();
    for (address, why) in DEAD_ENDS {
        assert_blind(&one(address, 53).await, why);
    }
    no_way_out();
    for address in ["192.0.2.7", "2001:db8::7"] {
        assert_blind(&one(address, 53).await, Blind::NoRoute);
    }
}

#[tokio::test]
async fn a_rule_that_comes_later_does_not_make_silence() {
    if !inside("udp_firewall::a_rule_that_comes_later_does_not_make_silence") {
        return;
    }
    estate();
    rules("ip netns exec router", "input", "udp dport 1001 drop");
    let address = SocketAddr::new("192.0.2.7".parse().unwrap(), 1001);
    let payload = Payload::Protocol(Protocol::Dns);
    // It comes with the first question, which it lets pass. (`meta l4proto` is something that a set can
    // hold.)
    sh("nft -f - <<'END'
table inet f {
set asked { type inet_proto; size 1; flags dynamic; }
chain c {
type filter hook output priority -300
udp dport 1001 meta l4proto @asked drop
udp dport 1001 add @asked { meta l4proto }
}
}
END");
    let seen = ask(address, &payload, Duration::from_millis(4400)).await;
    assert_blind(&seen, Blind::NotPermitted);
    assert_eq!(udp_evidence(&seen).sent, 1);
}

#[tokio::test]
async fn a_loop_and_an_absent_neighbour_are_no_denial_of_udp() {
    if !inside("udp_firewall::a_loop_and_an_absent_neighbour_are_no_denial_of_udp") {
        return;
    }
    estate();
    routes_in_a_loop("");
    for address in ["203.0.113.1", "2001:db8:3::1"] {
        let seen = one(address, 53).await;
        assert_blind(&seen, Blind::NoRoute);
        assert_eq!(icmp(&seen).meaning(), "time exceeded on the way");
    }
    for address in ["10.77.0.99", "fd77::99"] {
        let address = SocketAddr::new(address.parse().unwrap(), 53);
        let payload = Payload::Protocol(Protocol::Dns);
        let seen = ask(address, &payload, Duration::from_millis(4400)).await;
        assert_blind(&seen, Blind::LocalUnreachable);
    }
}

#[tokio::test]
async fn running_out_of_udp_ports_is_blind() {
    if !inside("udp_firewall::running_out_of_udp_ports_is_blind") {
        return;
    }
    estate();
    rules("ip netns exec router", "input", "udp dport 1001 drop");
    sh("echo '40000 40003' > /proc/sys/net/ipv4/ip_local_port_range");
    for address in ["192.0.2.7", "2001:db8::7"] {
        let seen = ports(address, [1001; 12]).await;
        let blind = |seen: &&Observation| seen.outcome == Outcome::Blind(Blind::NoLocalPort);
        let silent = |seen: &&Observation| seen.outcome == Outcome::Reached(Reach::NoAnswer);
        assert!(seen.iter().filter(blind).count() >= 8, "{seen:?}");
        assert!(
            seen.iter().all(|seen| blind(&seen) || silent(&seen)),
            "{seen:?}"
        );
    }
}
