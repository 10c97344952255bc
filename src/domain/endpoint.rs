//! One address, port and transport that a target stands for.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An address family.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// Both families.
    pub const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    /// The family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// The type of record that holds its addresses.
    #[must_use]
    pub const fn record(self) -> &'static str {
        match self {
            Self::Ipv4 => "A",
            Self::Ipv6 => "AAAA",
        }
    }

    /// The word used in configuration and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// The transport that carries an attempt.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP, and QUIC on top of it.
    Udp,
    /// ICMP and ICMPv6 echo.
    Icmp,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Tcp, Self::Udp, Self::Icmp];

    /// The word used in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Icmp => "icmp",
        }
    }

    /// Whether a control on one port says anything about the way of this transport on another.
    ///
    /// What answers on UDP 53 and 123 is often the network's own resolver or clock in the name of every
    /// other, even where no other datagram gets out. Whether the other port is let out at all is a
    /// question of its own, see [`PortProof`](super::way::PortProof).
    #[must_use]
    pub fn speaks_for(self, control: Option<u16>, target: Option<u16>) -> bool {
        control == target
            || match self {
                Self::Udp => !matches!(control, Some(53 | 123)),
                Self::Tcp | Self::Icmp => true,
            }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Icmp => "ICMP",
        })
    }
}

/// One address + port + transport.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Endpoint {
    /// How it is spoken to.
    pub transport: Transport,
    /// The IP address.
    pub address: IpAddr,
    /// The port, 1 to 65535; none for ICMP, which has no ports.
    pub port: Option<u16>,
}

impl Endpoint {
    /// A TCP endpoint.
    #[must_use]
    pub const fn tcp(address: IpAddr, port: u16) -> Self {
        Self::new(Transport::Tcp, address, Some(port))
    }

    /// A UDP endpoint.
    #[must_use]
    pub const fn udp(address: IpAddr, port: u16) -> Self {
        Self::new(Transport::Udp, address, Some(port))
    }

    /// An address that is sent an ICMP echo request.
    #[must_use]
    pub const fn icmp(address: IpAddr) -> Self {
        Self::new(Transport::Icmp, address, None)
    }

    const fn new(transport: Transport, address: IpAddr, port: Option<u16>) -> Self {
        Self {
            transport,
            address,
            port,
        }
    }

    /// The address family.
    #[must_use]
    pub const fn family(&self) -> Family {
        Family::of(self.address)
    }

    /// Transport and family.
    #[must_use]
    pub const fn class(&self) -> Class {
        Class {
            transport: self.transport,
            family: self.family(),
        }
    }

    /// The socket address to send to, with port 0 for ICMP.
    #[must_use]
    pub const fn socket(&self) -> SocketAddr {
        let port = match self.port {
            Some(port) => port,
            None => 0,
        };
        SocketAddr::new(self.address, port)
    }

    /// The address, and the port where there is one: `192.0.2.1:22`, `192.0.2.1`.
    #[must_use]
    pub fn place(&self) -> String {
        match self.port {
            Some(port) => SocketAddr::new(self.address, port).to_string(),
            None => self.address.to_string(),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport, self.place())
    }
}

/// What a control speaks for: one transport over one address family.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Class {
    /// The transport.
    pub transport: Transport,
    /// The address family.
    pub family: Family,
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} over {}", self.transport, self.family)
    }
}
