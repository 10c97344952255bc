//! A machine and a router, in network namespaces of our own, for what stands before a real firewall.
//!
//! A test starts this very binary again inside an unprivileged user and network namespace
//! (`unshare -rnm`) and there builds a second one behind a veth pair: the machine that noentry runs
//! on and a router, which is also the target. Where the system does not allow that, the tests say
//! so and pass, unless `NOENTRY_REQUIRE_TOOLS=1`.

use std::process::Command;

use noentry::domain::observation::{Blind, IcmpError, Observation, Outcome, StoppedBy};
use noentry::domain::reach::Reach;

use crate::support::{have, reach, stopped_by};

/// Set in the process that runs inside.
const INSIDE: &str = "NOENTRY_TEST_NAMESPACE";
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

/// What the router says in errors once it stands [`further_out`].
pub const FURTHER_OUT: [&str; 2] = ["198.18.9.1", "2001:db8:9::1"];

/// Has the router say errors from an address that is neither the machine's gateway nor in its network, as
/// a firewall does that stands behind the gateway.
pub fn further_out() {
    let [v4, v6] = FURTHER_OUT;
    sh(&format!(
        "
        ip -n router addr add {v4}/32 dev lo; ip -n router addr add {v6}/128 dev lo nodad
        ip -n router route change 10.77.0.0/24 dev v1 src {v4}
        ip -n router -6 route del fd77::/64 dev v1
        ip -n router -6 route add fd77::/64 dev v1 src {v6}
    "
    ));
}

/// Rules, one a line, for a hook in the namespace that `prefix` enters.
pub fn rules(prefix: &str, hook: &str, rules: &str) {
    let chain = format!("type filter hook {hook} priority -300;\n{rules}\n");
    sh(&format!(
        "{prefix} nft -f - <<'END'\ntable inet f {{\nchain c {{\n{chain}}}\n}}\nEND"
    ));
}

/// Routes of this machine that lead nowhere, and what they make of an attempt.
pub const DEAD_ENDS: [(&str, Blind); 8] = [
    ("198.51.100.1", Blind::LocalUnreachable),
    ("198.51.100.2", Blind::NotPermitted),
    ("198.51.100.3", Blind::LocalError),
    ("198.51.100.4", Blind::NoRoute),
    ("2001:db8:1::1", Blind::LocalUnreachable),
    ("2001:db8:1::2", Blind::NotPermitted),
    ("2001:db8:1::3", Blind::LocalError),
    ("2001:db8:1::4", Blind::NoRoute),
];

/// Lays the routes of [`DEAD_ENDS`].
pub fn dead_ends() {
    sh("
        ip route add unreachable 198.51.100.1; ip route add prohibit 198.51.100.2
        ip route add blackhole 198.51.100.3; ip route add throw 198.51.100.4
        ip -6 route add unreachable 2001:db8:1::1; ip -6 route add prohibit 2001:db8:1::2
        ip -6 route add blackhole 2001:db8:1::3; ip -6 route add throw 2001:db8:1::4
    ");
}

/// Takes this machine's way out.
pub fn no_way_out() {
    sh("ip route del default; ip -6 route del default");
}

/// Has the router say that it knows no way to 198.51.100.0/25 and `2001:db8:1::/64`, and that
/// 198.51.100.128/25 and `2001:db8:2::/64` are prohibited.
pub fn refusing_routes() {
    sh("
        ip -n router route add unreachable 198.51.100.0/25
        ip -n router route add prohibit 198.51.100.128/25
        ip -n router -6 route add unreachable 2001:db8:1::/64
        ip -n router -6 route add prohibit 2001:db8:2::/64
    ");
}

/// Sends what is for 203.0.113.0/24 and `2001:db8:3::/64` back and forth until it is too old. `more`
/// are further rules for what comes to the router.
pub fn routes_in_a_loop(more: &str) {
    sh("
        ip -n router route add 203.0.113.0/24 via 10.77.0.1
        ip -n router -6 route add 2001:db8:3::/64 via fd77::1
    ");
    let ages = "ip daddr 203.0.113.0/24 ip ttl set 1\nip6 daddr 2001:db8:3::/64 ip6 hoplimit set 1";
    rules(
        "ip netns exec router",
        "prerouting",
        &format!("{ages}\n{more}"),
    );
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
