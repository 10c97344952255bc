//! Ways in which a runner's own side is broken for ICMP, UDP and IPv6, each real somewhere.
//!
//! None of them touches the name servers of the laboratory: whoever filters UDP lets its own
//! resolver pass, and a round that cannot resolve names has nothing left to be wrong about.

use crate::lab::{Lab, Place};

/// One way of being broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broken {
    /// The way out drops UDP.
    UdpDropped,
    /// The way out rejects UDP, administratively prohibited.
    UdpProhibited,
    /// The way out rejects UDP with a port unreachable, as a closed port does.
    UdpRefused,
    /// The runner's own firewall drops UDP: sending fails with `EPERM`.
    UdpForbidden,
    /// The way out drops UDP 443 alone, as networks do that want no QUIC.
    QuicDropped,
    /// The way out drops echo requests.
    EchoDropped,
    /// The way out rejects echo requests, administratively prohibited.
    EchoProhibited,
    /// The runner's own firewall drops echo requests: sending fails with `EPERM`.
    EchoForbidden,
    /// No ICMP comes in, neither an answer nor an error, as on GitHub's runners. Neighbour discovery
    /// does, without which there is no IPv6.
    IcmpInDropped,
    /// No IPv6 in the kernel.
    Ipv6SwitchedOff,
    /// No way out for IPv6.
    Ipv6WithoutRoute,
    /// The way out drops IPv6.
    Ipv6Dropped,
}

impl Broken {
    /// Every one of them.
    pub const ALL: [Self; 12] = [
        Self::UdpDropped,
        Self::UdpProhibited,
        Self::UdpRefused,
        Self::UdpForbidden,
        Self::QuicDropped,
        Self::EchoDropped,
        Self::EchoProhibited,
        Self::EchoForbidden,
        Self::IcmpInDropped,
        Self::Ipv6SwitchedOff,
        Self::Ipv6WithoutRoute,
        Self::Ipv6Dropped,
    ];
}

/// To anywhere but the name servers.
const UDP: [&str; 2] = [
    "ip daddr != 198.51.100.0/24 meta l4proto udp",
    "meta nfproto ipv6 meta l4proto udp",
];

const ECHO: [&str; 2] = ["icmp type echo-request", "icmpv6 type echo-request"];

/// How a process is started that may not open raw sockets, like that of an ordinary user. The
/// laboratory has no other user than 0.
pub const WITHOUT_RAW_SOCKETS: &[&str] = &[
    "setpriv",
    "--bounding-set=-net_raw",
    "--inh-caps=-net_raw",
    "--ambient-caps=-net_raw",
    "--",
];

impl Lab {
    /// Breaks the runner's side in this way, beside whatever else is broken.
    pub fn break_vantage(&self, broken: Broken) {
        // The way out is the router; neighbour discovery never passes it.
        let on_the_way = |matching: &[&str], verdict: &str| {
            for matching in matching {
                let rule = format!("iifname torunner {matching} {verdict}");
                self.rule(Place::Router, "passing", &rule);
            }
        };
        let at_home = |matching: &[&str]| {
            for matching in matching {
                let rule = format!("oifname wan {matching} drop");
                self.rule(Place::Runner, "outgoing", &rule);
            }
        };
        let run = |script| {
            self.sh(Place::Runner, script);
        };
        let prohibit = "reject with icmpx type admin-prohibited";
        match broken {
            Broken::UdpDropped => on_the_way(&UDP, "drop"),
            Broken::UdpProhibited => on_the_way(&UDP, prohibit),
            Broken::UdpRefused => on_the_way(&UDP, "reject with icmpx type port-unreachable"),
            Broken::UdpForbidden => at_home(&UDP),
            Broken::QuicDropped => on_the_way(&["udp dport 443"], "drop"),
            Broken::EchoDropped => on_the_way(&ECHO, "drop"),
            Broken::EchoProhibited => on_the_way(&ECHO, prohibit),
            Broken::EchoForbidden => at_home(&ECHO),
            Broken::IcmpInDropped => {
                for rule in [
                    "meta l4proto icmp drop",
                    "icmpv6 type { destination-unreachable, packet-too-big, time-exceeded, \
                     parameter-problem, echo-reply } drop",
                ] {
                    self.rule(Place::Runner, "incoming", rule);
                }
            }
            Broken::Ipv6SwitchedOff => {
                run("echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6");
            }
            Broken::Ipv6WithoutRoute => run("ip -6 route del default"),
            Broken::Ipv6Dropped => on_the_way(&["meta nfproto ipv6"], "drop"),
        }
    }

    /// Lets everybody on the runner open datagram sockets for echo, as most distributions do. A new
    /// network namespace lets nobody (`ping_group_range` is `1 0`).
    pub fn allow_ping_sockets(&self) {
        self.sh(
            Place::Runner,
            "echo '0 0' > /proc/sys/net/ipv4/ping_group_range",
        );
    }
}
