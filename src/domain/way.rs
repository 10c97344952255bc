//! By which way packets to an address leave this machine, and what that makes of a control.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::address::is_global;
use super::endpoint::{Endpoint, Transport};

/// How far an address is from this machine.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Distance {
    /// One of its own addresses.
    ThisMachine,
    /// An address within a network of its own interfaces, or that of its gateway.
    OwnNetwork,
    /// Behind at least one router.
    Beyond,
}

/// The way that the kernel chose for packets to one address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Way {
    /// How far the address is.
    pub distance: Distance,
    /// The interface by its name, such as `eth0`.
    pub interface: String,
    /// The first router; none for an address of an own network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The address of this machine that packets leave from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<IpAddr>,
}

impl Way {
    /// Whether packets leave by the same interface, through the same router and from the same address.
    #[must_use]
    pub fn is_shared_with(&self, other: &Self) -> bool {
        (&self.interface, self.gateway, self.source)
            == (&other.interface, other.gateway, other.source)
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.interface)?;
        match self.gateway {
            Some(gateway) => write!(f, " via {gateway}"),
            None => Ok(()),
        }
    }
}

/// How it is known that our own side lets packets to an endpoint's port out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "how", rename_all = "snake_case")]
pub enum PortProof {
    /// The control stands on that very port, or answers on every port.
    Control,
    /// Something else was reached on that port in the same round.
    Reached {
        /// The address and port that answered.
        at: String,
    },
    /// Nothing was: that the network lets the port out is assumed, see [`Assumption`].
    Assumed,
    /// There is no port: a name, or an ICMP echo.
    NoPort,
}

/// Why it may be assumed that this vantage lets every port out, where nothing proved it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Assumption {
    /// The configuration says so: `vantage: { unfiltered: true }`.
    Said,
    /// It is a standard runner of GitHub's own.
    GithubHosted,
}

impl Assumption {
    /// Whether the assumption covers a port over a transport. Never those that providers are known to
    /// close on the way out, or that the networks of many companies answer or drop by themselves.
    #[must_use]
    pub fn covers(self, transport: Transport, port: u16) -> bool {
        let closed = match transport {
            Transport::Tcp => CLOSED_TCP,
            Transport::Udp => CLOSED_UDP,
            Transport::Icmp => &[],
        };
        !closed.contains(&port)
    }
}

/// TCP ports that providers close on the way out: SMTP (Azure and most clouds), Microsoft's RPC,
/// `NetBIOS` and SMB (many internet providers, since the worms of 2003 and 2017).
const CLOSED_TCP: &[u16] = &[25, 135, 137, 138, 139, 445];

/// UDP ports that are closed or answered on the way out: DNS and NTP (answered by the network itself),
/// QUIC (closed, so that the web stays on TCP), `NetBIOS`, and those of the services that are abused to
/// amplify (CISA, alert TA14-017A).
const CLOSED_UDP: &[u16] = &[
    17, 19, 53, 69, 111, 123, 135, 137, 138, 139, 161, 389, 443, 445, 520, 1434, 1900, 3702, 5093,
    5353, 11211, 27960,
];

/// Something that was reached in a round: the proof that our own side lets its port out.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct ReachedPort {
    /// What answered.
    pub endpoint: Endpoint,
    /// The way that packets to it took; none where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
}

impl ReachedPort {
    /// Whether it proves that packets to an endpoint are let out: the same transport, family and port,
    /// at a place that bears on it.
    #[must_use]
    pub fn proves(&self, endpoint: Endpoint, way: Option<&Way>) -> bool {
        self.endpoint.class() == endpoint.class()
            && self.endpoint.port == endpoint.port
            && bearing(self.endpoint, self.way.as_ref(), endpoint, way) == Bearing::Bears
    }
}

/// What an answer from one place is worth for the way to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bearing {
    /// It says that the way is there.
    Bears,
    /// Packets to the two leave by another interface, router or source address.
    OtherWay,
    /// It is nearer than what it is to speak for: on this machine, or in its own network.
    TooNear,
    /// It is not globally routable, and what it is to speak for is.
    Private,
}

/// What an answer from `reached` is worth for the way to `endpoint`. Where the system tells of no way, all
/// are taken to be the same. Where it told of one and not of the other, that one may lead anywhere.
#[must_use]
pub fn bearing(
    reached: Endpoint,
    reached_way: Option<&Way>,
    endpoint: Endpoint,
    way: Option<&Way>,
) -> Bearing {
    if is_global(endpoint.address) && !is_global(reached.address) {
        return Bearing::Private;
    }
    let (there, here) = match (reached_way, way) {
        (Some(there), Some(here)) => (there, here),
        (None, None) => return Bearing::Bears,
        (Some(_), None) | (None, Some(_)) => return Bearing::OtherWay,
    };
    if there.distance < here.distance {
        return Bearing::TooNear;
    }
    let shared = match here.distance {
        Distance::ThisMachine => true,
        // Its neighbours are reached without the router that leads out.
        Distance::OwnNetwork => there.interface == here.interface,
        Distance::Beyond => there.is_shared_with(here),
    };
    if shared {
        Bearing::Bears
    } else {
        Bearing::OtherWay
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assumption_leaves_out_what_providers_close() {
        for assumption in [Assumption::Said, Assumption::GithubHosted] {
            assert!(assumption.covers(Transport::Tcp, 22));
            assert!(assumption.covers(Transport::Tcp, 443));
            assert!(assumption.covers(Transport::Udp, 51820));
            for port in [25, 135, 137, 138, 139, 445] {
                assert!(!assumption.covers(Transport::Tcp, port), "{port}");
            }
            for port in [53, 123, 443, 1900, 11211] {
                assert!(!assumption.covers(Transport::Udp, port), "{port}");
            }
        }
    }

    #[test]
    fn a_way_that_is_known_and_one_that_is_not_are_two() {
        let at = |address: &str| Endpoint::tcp(address.parse().unwrap(), 22);
        let (control, door) = (at("9.9.9.9"), at("5.5.5.5"));
        let known = Way {
            distance: Distance::Beyond,
            interface: "eth0".to_owned(),
            gateway: None,
            source: None,
        };
        for (there, here, expected) in [
            (None, None, Bearing::Bears),
            (Some(&known), Some(&known), Bearing::Bears),
            (Some(&known), None, Bearing::OtherWay),
            (None, Some(&known), Bearing::OtherWay),
        ] {
            assert_eq!(bearing(control, there, door, here), expected);
        }
    }

    #[test]
    fn ways_are_shared_by_interface_router_and_source() {
        let way = |interface: &str, gateway: &str| Way {
            distance: Distance::Beyond,
            interface: interface.to_owned(),
            gateway: gateway.parse().ok(),
            source: "192.0.2.2".parse().ok(),
        };
        let eth = way("eth0", "192.0.2.1");
        assert!(eth.is_shared_with(&eth));
        assert!(!eth.is_shared_with(&way("eth0", "192.0.2.9")));
        assert!(!eth.is_shared_with(&way("tun0", "192.0.2.1")));
        assert_eq!(eth.to_string(), "eth0 via 192.0.2.1");
        assert_eq!(way("tun0", "").to_string(), "tun0");
    }
}
