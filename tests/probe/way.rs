//! Which way packets take, and whose rejections are our own side's, in network namespaces of our own (see
//! [`estate`](crate::estate)).

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use noentry::domain::endpoint::Endpoint;
use noentry::domain::observation::{Blind, Observation};
use noentry::domain::payload::{Payload, Protocol};
use noentry::domain::reach::Reach;
use noentry::domain::way::{Distance, Way};
use noentry::probe::{icmp, way};

use crate::estate::{
    FURTHER_OUT, assert_blind, assert_prohibited, dead_ends, estate, further_out, inside, rules, sh,
};
use crate::quic::{knock, quic};
use crate::support::{LONG, SHORT, look, reach, tcp};
use crate::udp::ask;

fn to(address: &str) -> Way {
    let found = way::to(Endpoint::tcp(address.parse().unwrap(), 22));
    found.unwrap_or_else(|| panic!("no way to {address}"))
}

fn ip(address: &str) -> Option<IpAddr> {
    address.parse().ok()
}

/// Distance, interface and gateway.
fn assert_way(address: &str, distance: Distance, interface: &str, gateway: Option<&str>) {
    let found = to(address);
    let expected = (distance, interface, gateway.and_then(ip));
    let told = (found.distance, &*found.interface, found.gateway);
    assert_eq!(told, expected, "{address}: {found:?}");
}

#[tokio::test]
async fn the_kernels_choice_is_told() {
    if !inside("way::the_kernels_choice_is_told") {
        return;
    }
    estate();
    for (address, gateway, source) in [
        ("192.0.2.7", "10.77.0.2", "10.77.0.1"),
        ("2001:db8::7", "fd77::2", "fd77::1"),
        ("::ffff:192.0.2.7", "10.77.0.2", "10.77.0.1"),
    ] {
        assert_way(address, Distance::Beyond, "v0", Some(gateway));
        assert_eq!(to(address).source, ip(source));
    }
    // Neighbours, of whom the gateway is one, and the address of all of them.
    for address in [
        "10.77.0.2",
        "10.77.0.99",
        "10.77.0.255",
        "fd77::2",
        "fd77::99",
        "fe80::1",
    ] {
        assert_way(address, Distance::OwnNetwork, "v0", None);
    }
    for address in ["127.0.0.1", "127.4.5.6", "::1", "10.77.0.1", "fd77::1"] {
        assert_eq!(to(address).distance, Distance::ThisMachine, "{address}");
    }
    assert_eq!(to("10.77.0.1").source, ip("10.77.0.1"));
    // A router that is known by its link-local address alone.
    sh("ip -6 route add 2001:db8:5::/64 via fe80::5 dev v0");
    assert_way("2001:db8:5::1", Distance::Beyond, "v0", Some("fe80::5"));
    // IPv4 through a router of IPv6.
    sh("ip route add 198.51.100.128/25 via inet6 fd77::2 dev v0");
    assert_way("198.51.100.200", Distance::Beyond, "v0", Some("fd77::2"));
    // A gateway outside every network of ours, as some providers have it: by a route of its own, or none.
    sh(
        "ip route add 172.31.1.1 dev v0; ip route add 203.0.113.0/25 via 172.31.1.1
        ip route add 203.0.113.128/25 via 172.31.1.2 dev v0 onlink
        ip route add 172.31.1.2 via 172.31.1.2 dev v0 onlink",
    );
    for gateway in ["172.31.1.1", "172.31.1.2"] {
        assert_way(gateway, Distance::OwnNetwork, "v0", None);
    }
    assert_way("203.0.113.9", Distance::Beyond, "v0", Some("172.31.1.1"));
    assert_way("203.0.113.200", Distance::Beyond, "v0", Some("172.31.1.2"));
}

#[tokio::test]
async fn rules_by_protocol_and_port_are_told() {
    if !inside("way::rules_by_protocol_and_port_are_told") {
        return;
    }
    estate();
    sh(
        "ip route add default via 10.77.0.88 table 77; ip rule add ipproto tcp dport 22 table 77
        ip -6 route add default via fd77::88 dev v0 table 77
        ip -6 rule add ipproto tcp dport 22 table 77",
    );
    for (address, by_rule, else_by) in [
        ("192.0.2.7", "10.77.0.88", "10.77.0.2"),
        ("2001:db8::7", "fd77::88", "fd77::2"),
    ] {
        let address: IpAddr = address.parse().unwrap();
        let gateway = |endpoint| way::to(endpoint).unwrap().gateway;
        assert_eq!(gateway(Endpoint::tcp(address, 22)), ip(by_rule));
        assert_eq!(gateway(Endpoint::tcp(address, 443)), ip(else_by));
        assert_eq!(gateway(Endpoint::udp(address, 22)), ip(else_by));
        assert_eq!(gateway(Endpoint::icmp(address)), ip(else_by));
    }
}

#[tokio::test]
async fn a_route_that_says_no_is_no_way() {
    if !inside("way::a_route_that_says_no_is_no_way") {
        return;
    }
    estate();
    dead_ends();
    for last in 1..=4 {
        for address in [format!("198.51.100.{last}"), format!("2001:db8:1::{last}")] {
            let address: IpAddr = address.parse().unwrap();
            assert_eq!(way::to(Endpoint::tcp(address, 22)), None, "{address}");
        }
    }
    for address in ["224.0.0.1", "ff02::1"] {
        let endpoint = Endpoint::tcp(address.parse().unwrap(), 22);
        assert_eq!(way::to(endpoint), None, "{address}");
    }
    sh("ip route del default; ip -6 route del default");
    for address in ["192.0.2.7", "2001:db8::7"] {
        let endpoint = Endpoint::tcp(address.parse().unwrap(), 22);
        assert_eq!(way::to(endpoint), None, "{address}");
    }
    sh("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6; ip link set lo down");
    assert_eq!(
        way::to(Endpoint::tcp("2001:db8::7".parse().unwrap(), 22)),
        None
    );
}

/// A tunnel whose other end nobody holds. Where there are none, a device that looks for no neighbour either.
fn add_tunnel(name: &str) {
    sh(&format!(
        "ip tuntap add dev {name} mode tun || {{
            ip link add dev {name} type veth peer name {name}p
            ip link set dev {name} arp off
            ip link set dev {name}p up
        }}"
    ));
}

#[tokio::test]
async fn a_split_tunnel_and_its_other_end_are_told_from_a_neighbour() {
    if !inside("way::a_split_tunnel_and_its_other_end_are_told_from_a_neighbour") {
        return;
    }
    estate();
    // A tunnel with a network of its own, and routes without a gateway.
    for tunnel in ["t0", "t1"] {
        add_tunnel(tunnel);
    }
    sh("ip addr add 10.8.0.2/24 dev t0; ip link set t0 up
        ip route add 203.0.113.0/24 dev t0
        ip addr add fd08::2/64 dev t1 nodad; ip link set t1 up
        ip -6 route add 2001:db8:3::/64 dev t1");
    for (address, tunnel) in [("203.0.113.9", "t0"), ("2001:db8:3::9", "t1")] {
        assert_way(address, Distance::Beyond, tunnel, None);
    }
    for (address, tunnel) in [("10.8.0.1", "t0"), ("fd08::1", "t1")] {
        assert_way(address, Distance::OwnNetwork, tunnel, None);
    }
    // The control takes another way than what the tunnel takes.
    assert!(!to("192.0.2.7").is_shared_with(&to("203.0.113.9")));
    assert!(to("192.0.2.7").is_shared_with(&to("192.0.2.8")));
    // All of the world through the tunnel, in the two ways in which that is done.
    sh(
        "ip route add 0.0.0.0/1 dev t0; ip route add 128.0.0.0/1 dev t0
        ip -6 route del default; ip -6 route add default dev t1",
    );
    for (address, tunnel) in [
        ("192.0.2.7", "t0"),
        ("20.1.2.3", "t0"),
        ("2001:db8::7", "t1"),
    ] {
        assert_way(address, Distance::Beyond, tunnel, None);
    }
    // A device that is no tunnel: whoever is asked for there has to be a neighbour, unless one answers for
    // the whole world.
    sh(
        "ip route add 100.64.0.0/24 dev v0; ip route add default dev v0 table 7
        ip rule add to 20.0.0.0/8 table 7",
    );
    assert_way("100.64.0.9", Distance::OwnNetwork, "v0", None);
    assert_way("20.1.2.3", Distance::Beyond, "v0", None);
}

#[tokio::test]
async fn a_rule_that_goes_by_transport_and_port_is_told() {
    if !inside("way::a_rule_that_goes_by_transport_and_port_is_told") {
        return;
    }
    estate();
    sh(
        "ip route add default via 10.77.0.9 table 7; ip -6 route add default via fd77::9 table 7
        ip rule add to 192.0.2.7 ipproto tcp dport 22 table 7
        ip -6 rule add ipproto tcp dport 22 table 7
        ip rule add ipproto udp dport 3478 table 7
        ip rule add to 192.0.2.9 ipproto icmp table 7
        ip -6 rule add to 2001:db8::9 ipproto ipv6-icmp table 7",
    );
    let via = |endpoint: Endpoint| way::to(endpoint).unwrap().gateway;
    let of = |address: &str| -> IpAddr { address.parse().unwrap() };
    for (endpoint, gateway) in [
        (Endpoint::tcp(of("192.0.2.7"), 22), "10.77.0.9"),
        (Endpoint::tcp(of("192.0.2.7"), 443), "10.77.0.2"),
        (Endpoint::tcp(of("192.0.2.8"), 22), "10.77.0.2"),
        (Endpoint::udp(of("192.0.2.7"), 22), "10.77.0.2"),
        (Endpoint::udp(of("192.0.2.8"), 3478), "10.77.0.9"),
        (Endpoint::tcp(of("2001:db8::7"), 22), "fd77::9"),
        (Endpoint::udp(of("2001:db8::7"), 22), "fd77::2"),
        (Endpoint::icmp(of("192.0.2.9")), "10.77.0.9"),
        (Endpoint::icmp(of("192.0.2.8")), "10.77.0.2"),
        (Endpoint::icmp(of("2001:db8::9")), "fd77::9"),
    ] {
        assert_eq!(via(endpoint), ip(gateway), "{endpoint:?}");
    }
}

#[tokio::test]
async fn an_own_network_that_overlaps_a_target_is_told() {
    if !inside("way::an_own_network_that_overlaps_a_target_is_told") {
        return;
    }
    estate();
    sh(
        "ip link add b0 type veth peer name b1; ip link set b0 up; ip link set b1 up
        ip addr add 20.1.2.1/24 dev b0; ip addr add 2a00:5a:1::1/64 dev b0 nodad",
    );
    for address in ["20.1.2.77", "2a00:5a:1::77"] {
        assert_way(address, Distance::OwnNetwork, "b0", None);
    }
    // A host of that network that has a way of its own is behind a router again.
    sh("ip route add 20.1.2.78 via 10.77.0.2");
    assert_way("20.1.2.78", Distance::Beyond, "v0", Some("10.77.0.2"));
    sh("ip link set b0 down");
    assert_way("20.1.2.77", Distance::Beyond, "v0", Some("10.77.0.2"));
}

#[tokio::test]
async fn a_second_gateway_and_rules_by_source_are_told() {
    if !inside("way::a_second_gateway_and_rules_by_source_are_told") {
        return;
    }
    estate();
    sh("ip route add 203.0.113.0/24 via 10.77.0.3; ip -6 route add 2001:db8:3::/64 via fd77::3");
    assert_way("203.0.113.9", Distance::Beyond, "v0", Some("10.77.0.3"));
    assert_way("2001:db8:3::9", Distance::Beyond, "v0", Some("fd77::3"));
    assert!(!to("203.0.113.9").is_shared_with(&to("192.0.2.7")));
    // A rule that goes by the source is applied once the source is known, as for a connection.
    sh("ip rule add from 10.77.0.1 to 198.51.100.0/24 table 9
        ip route add default via 10.77.0.4 table 9");
    assert_way("198.51.100.9", Distance::Beyond, "v0", Some("10.77.0.4"));
    assert_eq!(to("198.51.100.9").source, ip("10.77.0.1"));
    // IPv6 whose routes are for a source alone.
    sh(
        "ip -6 route add default from fd77::/64 via fd77::5 dev v0 metric 5; ip -6 route del default via fd77::2",
    );
    if UdpSocket::bind("[::]:0")
        .unwrap()
        .connect(("2001:db8::7".parse::<IpAddr>().unwrap(), 9))
        .is_ok()
    {
        assert_way("2001:db8::7", Distance::Beyond, "v0", Some("fd77::5"));
    }
}

#[tokio::test]
async fn of_several_next_hops_the_one_that_is_taken_is_told() {
    if !inside("way::of_several_next_hops_the_one_that_is_taken_is_told") {
        return;
    }
    estate();
    sh(
        "ip link add w0 type veth peer name w1 netns router; ip link set w0 up
        ip addr add 10.78.0.1/24 dev w0; ip -n router link set w1 up
        ip -n router addr add 10.78.0.2/24 dev w1
        ip route add 203.0.113.0/24 nexthop via 10.77.0.2 nexthop via 10.78.0.2
        echo 0 > /proc/sys/net/ipv4/fib_multipath_hash_policy",
    );
    rules(
        "ip netns exec router",
        "prerouting",
        "ip daddr 203.0.113.0/24 counter comment total
            iifname v1 ip daddr 203.0.113.0/24 udp dport 9 counter accept
            iifname w1 ip daddr 203.0.113.0/24 udp dport 9 counter accept",
    );
    let counts = || {
        let said = Command::new("ip")
            .args(["netns", "exec", "router", "nft", "list", "ruleset"])
            .output()
            .unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        let counts = said.split("packets ").skip(2);
        counts
            .map(|rest| rest.split(' ').next().unwrap().parse().unwrap())
            .collect::<Vec<u32>>()
    };
    let mut taken = [0, 0];
    for last in 1..=40 {
        let address = IpAddr::from([203, 0, 113, last]);
        let told = to(&address.to_string());
        let before = counts();
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.connect((address, 9)).unwrap();
        socket.send(b"x").unwrap();
        assert_eq!(Some(socket.local_addr().unwrap().ip()), told.source);
        let mut after = counts();
        let end = Instant::now() + Duration::from_secs(10);
        while after == before && Instant::now() < end {
            after = counts();
        }
        let took = usize::from(after[1] > before[1]);
        assert_ne!(after, before);
        let gateway = ["10.77.0.2", "10.78.0.2"][took];
        assert_eq!(told.gateway, ip(gateway), "{told:?}");
        taken[took] += 1;
    }
    assert!(taken.iter().all(|taken| *taken > 0), "{taken:?}");
}

#[tokio::test]
async fn the_way_is_told_ten_thousand_times_a_second() {
    if !inside("way::the_way_is_told_ten_thousand_times_a_second") {
        return;
    }
    estate();
    crate::fair::fairly(|| async {
        for address in ["192.0.2.7", "2001:db8::7", "10.77.0.2"] {
            let endpoint = Endpoint::tcp(address.parse().unwrap(), 22);
            let begin = Instant::now();
            for _ in 0..10_000 {
                assert!(way::to(endpoint).is_some());
            }
            let took = begin.elapsed();
            eprintln!("10000 ways to {address}: {took:?}");
            assert!(took < Duration::from_secs(1), "{address}: {took:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn drops_by_the_reverse_path_filter_are_counted() {
    if !inside("way::drops_by_the_reverse_path_filter_are_counted") {
        return;
    }
    estate();
    let before = way::reverse_path_drops().unwrap();
    // What is asked through one interface is answered through another, and dropped there.
    sh(
        "ip link add w0 type veth peer name w1 netns router; ip link set w0 up
        ip addr add 10.78.0.1/24 dev w0; ip -n router link set w1 up
        ip -n router addr add 10.78.0.2/24 dev w1
        ip -n router route add 10.77.0.1/32 via 10.78.0.1 dev w1
        ip netns exec router sh -c 'echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce'
        for dev in all v0 w0; do echo 1 > /proc/sys/net/ipv4/conf/$dev/rp_filter; done",
    );
    let address: SocketAddr = "192.0.2.7:9".parse().unwrap();
    let seen = look(&tcp(address), address, SHORT).await;
    assert_eq!(reach(&seen), Reach::NoAnswer, "{seen:?}");
    assert!(way::reverse_path_drops().unwrap() > before);
    // Without the filter the very same is an answer.
    sh("for dev in all v0 w0; do echo 0 > /proc/sys/net/ipv4/conf/$dev/rp_filter; done");
    let before = way::reverse_path_drops();
    let seen = look(&tcp(address), address, SHORT).await;
    assert_eq!(reach(&seen), Reach::Refused, "{seen:?}");
    assert_eq!(way::reverse_path_drops(), before);
}

/// One try with everything that sends, all at once.
async fn tries(address: &str) -> [(&'static str, Observation); 4] {
    let at = |port| SocketAddr::new(address.parse().unwrap(), port);
    let deadline = tokio::time::Instant::now() + LONG;
    let question = Payload::Protocol(Protocol::Dns);
    let (over_tcp, over_quic) = (tcp(at(22)), quic(443));
    let (tcp, udp, quic, icmp) = tokio::join!(
        look(&over_tcp, at(22), LONG),
        ask(at(53), &question, LONG),
        knock(&over_quic, at(443), LONG),
        icmp::probe(Endpoint::icmp(at(0).ip()), deadline),
    );
    [("tcp", tcp), ("udp", udp), ("quic", quic), ("icmp", icmp)]
}

#[tokio::test]
async fn our_own_gateways_rejection_is_our_own() {
    if !inside("way::our_own_gateways_rejection_is_our_own") {
        return;
    }
    estate();
    let behind = "ip -n router link add d0 type veth peer name d1
        ip -n router link set d0 up; ip -n router link set d1 up
        ip -n router route add 203.0.113.0/24 dev d0; ip -n router route add 20.1.2.0/24 dev d0
        ip -n router -6 route add 2001:db8:3::/64 dev d0";
    sh(behind);
    rules(
        "ip netns exec router",
        "forward",
        "ip daddr 203.0.113.1 reject with icmp type port-unreachable
            ip daddr 203.0.113.2 reject with icmp type admin-prohibited
            ip daddr 203.0.113.3 reject with icmp type net-unreachable
            ip daddr 203.0.113.4 reject with icmp type host-unreachable
            ip daddr 20.1.2.3 reject with icmp type host-prohibited
            ip6 daddr 2001:db8:3::1 reject with icmpv6 type port-unreachable
            ip6 daddr 2001:db8:3::2 reject with icmpv6 type admin-prohibited
            ip6 daddr 2001:db8:3::3 reject with icmpv6 type no-route
            ip6 daddr 2001:db8:3::4 reject with icmpv6 type addr-unreachable",
    );
    let targets = [
        ("203.0.113.1", (3, 3)),
        ("203.0.113.2", (3, 13)),
        ("203.0.113.3", (3, 0)),
        ("203.0.113.4", (3, 1)),
        ("20.1.2.3", (3, 10)),
        ("2001:db8:3::1", (1, 4)),
        ("2001:db8:3::2", (1, 1)),
        ("2001:db8:3::3", (1, 0)),
        ("2001:db8:3::4", (1, 3)),
    ];
    let all = || join_all(targets.map(|(address, _)| Box::pin(tries(address))));
    for ((address, (kind, code)), seen) in targets.into_iter().zip(all().await) {
        let from = if kind == 3 { "10.77.0.2" } else { "fd77::2" };
        for (what, seen) in seen {
            assert_blind(&seen, Blind::OwnGateway);
            let error = crate::estate::icmp(&seen);
            assert_eq!((error.kind, error.code), (kind, code), "{what} {address}");
            assert!(error.is_from(from.parse().unwrap()), "{what} {address}");
        }
    }
    // The very same from one further out.
    further_out();
    for ((address, (kind, code)), seen) in targets.into_iter().zip(all().await) {
        let from = FURTHER_OUT[usize::from(kind == 1)];
        for (what, seen) in seen {
            if code == 0 {
                assert_blind(&seen, Blind::NoRoute);
            } else {
                assert_prohibited(&seen, kind, code, from);
            }
            assert_eq!(crate::estate::icmp(&seen).code, code, "{what} {address}");
        }
    }
}

#[tokio::test]
async fn another_machine_of_our_network_is_our_own_side_unless_it_is_the_target() {
    if !inside("way::another_machine_of_our_network_is_our_own_side_unless_it_is_the_target") {
        return;
    }
    estate();
    // The router says errors from an address of our network that is not the gateway's.
    sh("ip -n router addr add 10.77.0.50/24 dev v1; ip -n router addr add fd77::50/64 dev v1 nodad
        ip -n router route change 10.77.0.0/24 dev v1 src 10.77.0.50
        ip -n router -6 route del fd77::/64 dev v1
        ip -n router -6 route add fd77::/64 dev v1 src fd77::50
        ip -n router link add d0 type veth peer name d1
        ip -n router link set d0 up; ip -n router link set d1 up
        ip -n router route add 203.0.113.0/24 dev d0; ip -n router -6 route add 2001:db8:3::/64 dev d0");
    for hook in ["forward", "input"] {
        sh(&format!(
            "ip netns exec router nft -f - <<'END'\ntable inet {hook} {{\nchain c {{\n\
             type filter hook {hook} priority 0;\n\
             meta l4proto {{ tcp, udp }} reject with icmpx type admin-prohibited\n\
             icmp type echo-request reject with icmp type admin-prohibited\n\
             icmpv6 type echo-request reject with icmpv6 type admin-prohibited\n}}\n}}\nEND"
        ));
    }
    for address in ["203.0.113.1", "2001:db8:3::1"] {
        for (what, seen) in tries(address).await {
            assert_blind(&seen, Blind::OwnGateway);
            let from = crate::estate::icmp(&seen).from.unwrap().to_string();
            assert!(from.ends_with("50"), "{what} {address}: {from}");
        }
    }
    // The gateway, and a neighbour, as targets: their own word.
    for (address, kind, code) in [
        ("10.77.0.2", 3, 13),
        ("10.77.0.50", 3, 13),
        ("fd77::2", 1, 1),
        ("fd77::50", 1, 1),
    ] {
        for (_, seen) in tries(address).await {
            assert_prohibited(&seen, kind, code, address);
        }
    }
}

#[tokio::test]
async fn a_gateway_in_no_network_of_ours_is_our_own() {
    if !inside("way::a_gateway_in_no_network_of_ours_is_our_own") {
        return;
    }
    estate();
    sh("ip -n router addr add 172.31.1.1/32 dev lo
        ip -n router route change 10.77.0.0/24 dev v1 src 172.31.1.1
        ip -n router route add prohibit 203.0.113.0/24
        ip route add 203.0.113.0/24 via 172.31.1.1 dev v0 onlink");
    // Nothing but the default route leads to the gateway itself.
    assert_way("172.31.1.1", Distance::Beyond, "v0", Some("10.77.0.2"));
    for (_, seen) in tries("203.0.113.1").await {
        assert_blind(&seen, Blind::OwnGateway);
    }
    // To somebody to whom it is no gateway, it is a stranger.
    sh("ip -n router route add prohibit 198.51.100.0/24");
    for (_, seen) in tries("198.51.100.1").await {
        assert_prohibited(&seen, 3, 13, "172.31.1.1");
    }
}

#[tokio::test]
async fn a_gateway_that_is_known_by_its_link_local_address_is_our_own() {
    if !inside("way::a_gateway_that_is_known_by_its_link_local_address_is_our_own") {
        return;
    }
    estate();
    // The router has no other address there, and none elsewhere.
    sh("ip -n router -6 addr del fd77::2/64 dev v1; ip -n router -6 addr del 2001:db8::7/128 dev lo
        ip -n router -6 route add fd77::/64 dev v1
        ip -n router -6 route add prohibit 2001:db8:2::/64
        gateway=$(ip -n router -6 -o addr show dev v1 scope link | awk '{ sub(\"/.*\", \"\", $4); print $4 }')
        ip -6 route replace default via \"$gateway\" dev v0");
    for (what, seen) in tries("2001:db8:2::1").await {
        assert_blind(&seen, Blind::OwnGateway);
        let from = crate::estate::icmp(&seen).from;
        assert_eq!(from, to("2001:db8:2::1").gateway, "{what}");
    }
}

#[tokio::test]
async fn a_connection_to_itself_is_none() {
    if !inside("way::a_connection_to_itself_is_none") {
        return;
    }
    estate();
    // There is no other port to be had than the one that is tried.
    sh("echo '40000 40000' > /proc/sys/net/ipv4/ip_local_port_range");
    for address in ["127.0.0.1:40000", "[::1]:40000", "10.77.0.1:40000"] {
        let address: SocketAddr = address.parse().unwrap();
        // So it is without us.
        let met = std::net::TcpStream::connect(address).unwrap();
        assert_eq!(met.local_addr().unwrap(), met.peer_addr().unwrap());
        socket2::SockRef::from(&met)
            .set_linger(Some(Duration::ZERO))
            .unwrap();
        drop(met);
        let seen = look(&tcp(address), address, SHORT).await;
        assert_blind(&seen, Blind::NoLocalPort);
    }
    // With a few more, it is known that nobody listens.
    sh("echo '40000 40003' > /proc/sys/net/ipv4/ip_local_port_range");
    for port in 40_001..=40_003 {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let seen = look(&tcp(address), address, SHORT).await;
        assert_eq!(reach(&seen), Reach::Refused, "{seen:?}");
    }
}
