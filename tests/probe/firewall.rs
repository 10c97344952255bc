//! A real firewall, in network namespaces of our own.
//!
//! Each test starts this very binary again inside an unprivileged user and network namespace
//! (`unshare -rnm`) and there builds a second one behind a veth pair: the machine that noentry runs
//! on and a router, which is also the target. Where the system does not allow that, the tests say
//! so and pass, unless `NOENTRY_REQUIRE_TOOLS=1`.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use futures_util::future::join_all;
use noentry::domain::observation::{Blind, IcmpError, Observation, Outcome, StoppedBy};
use noentry::domain::reach::Reach;

use crate::support::{have, look, reach, stopped_by, tcp};

/// Set in the process that runs inside.
const INSIDE: &str = "NOENTRY_TEST_NAMESPACE";
/// Long enough for a SYN to be sent again, which is when a local drop shows.
const PATIENCE: Duration = Duration::from_millis(2500);

/// Runs the named test inside; whether we are there already.
pub fn inside(test: &str) -> bool {
    if is_inside() {
        return true;
    }
    if !have("nft", &["--version"]) || !have("unshare", &["-rnm", "true"]) {
        return false;
    }
    let output = Command::new("unshare")
        .args(["-rnm", "--propagation", "private"])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture", "--test-threads", "1"])
        .env(INSIDE, "1")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"));
    false
}

/// Whether this process runs inside.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}

pub fn sh(script: &str) {
    let output = Command::new("sh").args(["-euc", script]).output().unwrap();
    assert!(
        output.status.success(),
        "{script}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The machine (10.77.0.1, `fd77::1`) and the router (10.77.0.2, `fd77::2`) that is also the target
/// (192.0.2.7, `2001:db8::7`).
pub fn estate() {
    sh("
        mount -t tmpfs none /run; mkdir -p /run/netns
        ip netns add router
        ip link set lo up
        ip link add v0 type veth peer name v1 netns router
        ip addr add 10.77.0.1/24 dev v0; ip addr add fd77::1/64 dev v0 nodad; ip link set v0 up
        ip -n router link set lo up
        ip -n router addr add 10.77.0.2/24 dev v1
        ip -n router addr add fd77::2/64 dev v1 nodad
        ip -n router link set v1 up
        ip -n router addr add 192.0.2.7/32 dev lo; ip -n router addr add 2001:db8::7/128 dev lo nodad
        ip route add default via 10.77.0.2; ip -6 route add default via fd77::2
        echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
        ip netns exec router sh -c '
            echo 0 > /proc/sys/net/ipv4/icmp_ratelimit
            echo 0 > /proc/sys/net/ipv6/icmp/ratelimit
            echo 1 > /proc/sys/net/ipv4/ip_forward
            echo 1 > /proc/sys/net/ipv6/conf/all/forwarding'
    ");
}

/// Rules, one a line, for a hook in the namespace that `prefix` enters.
pub fn rules(prefix: &str, hook: &str, rules: &str) {
    let chain = format!("type filter hook {hook} priority -300;\n{rules}\n");
    sh(&format!(
        "{prefix} nft -f - <<'END'\ntable inet f {{\nchain c {{\n{chain}}}\n}}\nEND"
    ));
}

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

pub fn icmp(seen: &Observation) -> &IcmpError {
    let StoppedBy::Icmp(error) = stopped_by(seen) else {
        panic!("{seen:?}");
    };
    error
}

pub fn assert_prohibited(seen: &Observation, kind: u8, code: u8, from: &str) {
    assert_eq!(reach(seen), Reach::Prohibited, "{seen:?}");
    let from = Some(from.parse().unwrap());
    let v6 = icmp(seen).v6;
    assert_eq!(
        *icmp(seen),
        IcmpError {
            kind,
            code,
            from,
            v6
        }
    );
}

pub fn assert_blind(seen: &Observation, why: Blind) {
    assert_eq!(seen.outcome, Outcome::Blind(why), "{seen:?}");
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
    sh("
        ip -n router route add unreachable 198.51.100.0/25
        ip -n router route add prohibit 198.51.100.128/25
        ip -n router -6 route add unreachable 2001:db8:1::/64
        ip -n router -6 route add prohibit 2001:db8:2::/64
        ip -n router route add 203.0.113.0/24 via 10.77.0.1
        ip -n router -6 route add 2001:db8:3::/64 via fd77::1
    ");
    rules(
        "ip netns exec router",
        "prerouting",
        "ip daddr 203.0.113.0/24 ip ttl set 1
            ip6 daddr 2001:db8:3::/64 ip6 hoplimit set 1",
    );
    for (address, kind, code, from) in [
        ("198.51.100.1", 3, 1, "10.77.0.2"),
        ("198.51.100.200", 3, 13, "10.77.0.2"),
        ("2001:db8:1::1", 1, 0, "fd77::2"),
        ("2001:db8:2::1", 1, 1, "fd77::2"),
    ] {
        assert_prohibited(&one(address, 443).await, kind, code, from);
    }
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
    sh("
        ip route add unreachable 198.51.100.1; ip route add prohibit 198.51.100.2
        ip route add blackhole 198.51.100.3; ip route add throw 198.51.100.4
        ip -6 route add unreachable 2001:db8:1::1; ip -6 route add prohibit 2001:db8:1::2
        ip -6 route add blackhole 2001:db8:1::3; ip -6 route add throw 2001:db8:1::4
    ");
    for (address, why) in [
        ("198.51.100.1", Blind::LocalUnreachable),
        ("198.51.100.2", Blind::NotPermitted),
        ("198.51.100.3", Blind::LocalError),
        ("198.51.100.4", Blind::NoRoute),
        ("2001:db8:1::1", Blind::LocalUnreachable),
        ("2001:db8:1::2", Blind::NotPermitted),
        ("2001:db8:1::3", Blind::LocalError),
        ("2001:db8:1::4", Blind::NoRoute),
    ] {
        assert_blind(&one(address, 443).await, why);
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
    sh("ip route del default; ip -6 route del default");
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
