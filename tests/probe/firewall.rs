//! A real firewall before a TCP port: who denied, and when it was ourselves.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use noentry::domain::observation::{Blind, Observation, Outcome, StoppedBy};
use noentry::domain::reach::Reach;

use crate::estate::{
    DEAD_ENDS, FURTHER_OUT, assert_blind, assert_prohibited, dead_ends, estate, further_out, icmp,
    inside, no_way_out, refusing_routes, routes_in_a_loop, rules, sh,
};
use crate::support::{look, reach, stopped_by, tcp};

/// Long enough for a SYN to be sent again, which is when a local drop shows.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Looks at several ports of an address at once.
async fn ports<const N: usize>(address: &str, ports: [u16; N]) -> [Observation; N] {
    let looks = ports.map(|port| {
        let address = SocketAddr::new(address.parse().unwrap(), port);
        async move { look(&tcp(address), address, PATIENCE).await }
    });
    join_all(looks).await.try_into().unwrap()
}

async fn one(address: &str, port: u16) -> Observation {
    let [seen] = ports(address, [port]).await;
    seen
}

#[tokio::test]
async fn every_way_of_a_router_to_stop_us_is_told_apart() {
    if !inside("firewall::every_way_of_a_router_to_stop_us_is_told_apart") {
        return;
    }
    estate();
    rules(
        "ip netns exec router",
        "input",
        "tcp dport 1001 drop
            tcp dport 1002 reject
            tcp dport 1003 reject with icmpx type admin-prohibited
            tcp dport 1004 reject with icmpx type host-unreachable
            tcp dport 1005 reject with tcp reset",
    );
    for (address, [port, admin, host]) in [
        ("192.0.2.7", [(3, 3), (3, 13), (3, 1)]),
        ("2001:db8::7", [(1, 4), (1, 1), (1, 3)]),
    ] {
        let [dropped, rejected, prohibited, unreachable, reset, closed] =
            ports(address, [1001, 1002, 1003, 1004, 1005, 1006]).await;
        assert_eq!(reach(&dropped), Reach::NoAnswer, "{dropped:?}");
        assert_eq!(dropped.evidence, None);
        assert_prohibited(&rejected, port.0, port.1, address);
        assert_prohibited(&prohibited, admin.0, admin.1, address);
        assert_prohibited(&unreachable, host.0, host.1, address);
        for refused in [&reset, &closed] {
            assert_eq!(reach(refused), Reach::Refused);
            assert_eq!(*stopped_by(refused), StoppedBy::Reset);
        }
    }
}

#[tokio::test]
async fn a_router_on_the_way_is_named_and_a_loop_is_no_denial() {
    if !inside("firewall::a_router_on_the_way_is_named_and_a_loop_is_no_denial") {
        return;
    }
    estate();
    further_out();
    refusing_routes();
    routes_in_a_loop("");
    let [v4, v6] = FURTHER_OUT;
    for (address, kind, code, from) in [
        ("198.51.100.1", 3, 1, v4),
        ("198.51.100.200", 3, 13, v4),
        ("2001:db8:2::1", 1, 1, v6),
    ] {
        assert_prohibited(&one(address, 443).await, kind, code, from);
    }
    let seen = one("2001:db8:1::1", 443).await;
    assert_blind(&seen, Blind::NoRoute);
    assert_eq!(icmp(&seen).meaning(), "no route to destination");
    assert!(icmp(&seen).is_from(v6.parse().unwrap()));
    for address in ["203.0.113.1", "2001:db8:3::1"] {
        let seen = one(address, 443).await;
        assert_blind(&seen, Blind::NoRoute);
        assert_eq!(icmp(&seen).meaning(), "time exceeded on the way");
    }
}

#[tokio::test]
async fn our_own_firewall_and_routes_are_blind() {
    if !inside("firewall::our_own_firewall_and_routes_are_blind") {
        return;
    }
    estate();
    rules(
        "",
        "output",
        "tcp dport 2001 drop
            tcp dport 2002 reject
            tcp dport 2003 reject with icmpx type admin-prohibited
            tcp dport 2005 reject with tcp reset",
    );
    for address in ["192.0.2.7", "2001:db8::7"] {
        let [dropped, rejected, prohibited, closed, reset] =
            ports(address, [2001, 2002, 2003, 2004, 2005]).await;
        for seen in [&dropped, &rejected, &prohibited, &reset] {
            assert_blind(seen, Blind::LocalUnreachable);
        }
        assert_eq!(reach(&closed), Reach::Refused);
    }
    dead_ends();
    for (address, why) in DEAD_ENDS {
        assert_blind(&one(address, 443).await, why);
    }
}

#[tokio::test]
async fn a_rule_of_our_own_shows_in_a_short_attempt_too() {
    if !inside("firewall::a_rule_of_our_own_shows_in_a_short_attempt_too") {
        return;
    }
    estate();
    rules("", "output", "tcp dport 2001 drop");
    rules("ip netns exec router", "input", "tcp dport 2002 drop");
    for address in ["192.0.2.7", "2001:db8::7"] {
        let at = |port| SocketAddr::new(address.parse().unwrap(), port);
        // Time for two SYNs.
        let patience = Duration::from_millis(1_200);
        let own = look(&tcp(at(2001)), at(2001), patience).await;
        assert_blind(&own, Blind::LocalUnreachable);
        let theirs = look(&tcp(at(2002)), at(2002), patience).await;
        assert_eq!(reach(&theirs), Reach::NoAnswer);
    }
}

#[tokio::test]
async fn a_neighbour_that_is_not_there_is_blind() {
    if !inside("firewall::a_neighbour_that_is_not_there_is_blind") {
        return;
    }
    estate();
    for address in ["10.77.0.99", "fd77::99"] {
        let address = SocketAddr::new(address.parse().unwrap(), 443);
        let seen = look(&tcp(address), address, Duration::from_secs(6)).await;
        assert_blind(&seen, Blind::LocalUnreachable);
    }
}

#[tokio::test]
async fn a_vantage_without_route_or_family_is_blind() {
    if !inside("firewall::a_vantage_without_route_or_family_is_blind") {
        return;
    }
    estate();
    no_way_out();
    for address in ["192.0.2.7", "2001:db8::7"] {
        assert_blind(&one(address, 443).await, Blind::NoRoute);
    }
    sh("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
    let seen = one("2001:db8::7", 443).await;
    assert!(
        matches!(
            seen.outcome,
            Outcome::Blind(Blind::NoRoute | Blind::NoLocalPort | Blind::NoFamily)
        ),
        "{seen:?}"
    );
    // The link goes.
    sh("ip route add default via 10.77.0.2; ip link set v0 down");
    assert_blind(&one("192.0.2.7", 443).await, Blind::NoRoute);
}

#[tokio::test]
async fn running_out_of_ports_or_files_is_blind() {
    if !inside("firewall::running_out_of_ports_or_files_is_blind") {
        return;
    }
    estate();
    rules("ip netns exec router", "input", "tcp dport 1001 drop");
    sh("echo '40000 40003' > /proc/sys/net/ipv4/ip_local_port_range");
    let seen = ports("192.0.2.7", [1001; 12]).await;
    let blind = |seen: &&Observation| seen.outcome == Outcome::Blind(Blind::NoLocalPort);
    let silent = |seen: &&Observation| seen.outcome == Outcome::Reached(Reach::NoAnswer);
    assert!(seen.iter().filter(blind).count() >= 8, "{seen:?}");
    assert!(
        seen.iter().all(|seen| blind(&seen) || silent(&seen)),
        "{seen:?}"
    );

    // Every file that this process may open is open. It runs nothing else.
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, 64, 64).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    assert_blind(&one("192.0.2.7", 1006).await, Blind::TooManyFiles);
    drop(files);
    sh("echo '32768 60999' > /proc/sys/net/ipv4/ip_local_port_range");
    assert_eq!(reach(&one("192.0.2.7", 1006).await), Reach::Refused);
}
