//! Which door was tried, as people call it: the words for what was seen depend on it.

use std::fmt;
use std::net::IpAddr;

use crate::domain::endpoint::{Endpoint, Transport};
use crate::domain::finding::Finding;
use crate::domain::target::Denial;

/// How an endpoint is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// TCP, and TLS and HTTP on top of it.
    Tcp,
    /// A datagram over UDP.
    Udp,
    /// QUIC, and HTTP/3 on top of it.
    Quic,
    /// An echo request.
    Icmp,
}

impl Over {
    /// The way of an endpoint of a target or control of this kind. Over UDP, everything but a `udp`
    /// target is QUIC: a `quic` target, or the companion of a URL.
    #[must_use]
    pub fn of(endpoint: &Endpoint, kind: &str) -> Self {
        match endpoint.transport {
            Transport::Tcp => Self::Tcp,
            Transport::Udp if kind == "udp" => Self::Udp,
            Transport::Udp => Self::Quic,
            Transport::Icmp => Self::Icmp,
        }
    }
}

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Quic => "QUIC",
            Self::Icmp => "ICMP",
        })
    }
}

/// An endpoint with what the words for it depend on.
#[derive(Clone, Copy, Debug)]
pub struct Door<'a> {
    /// How it is spoken to.
    pub over: Over,
    /// Its address.
    pub address: IpAddr,
    /// What the target's denial asks for, where the headers of it are to be shown.
    pub denial: Option<&'a Denial>,
    /// Whether what the other side said is left out, because it is told elsewhere.
    pub brief: bool,
}

impl<'a> Door<'a> {
    /// An endpoint of a finding.
    #[must_use]
    pub fn of(finding: &'a Finding, endpoint: &Endpoint) -> Self {
        Self {
            denial: Some(&finding.target.denial),
            ..Self::control(&finding.target.kind, endpoint)
        }
    }

    /// An endpoint of a control of this kind.
    #[must_use]
    pub fn control(kind: &str, endpoint: &Endpoint) -> Self {
        Self {
            over: Over::of(endpoint, kind),
            address: endpoint.address,
            denial: None,
            brief: false,
        }
    }

    /// The same for few words, where what the other side said is told elsewhere.
    #[must_use]
    pub const fn briefly(self) -> Self {
        Self {
            denial: None,
            brief: true,
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_asked_over_udp_by_itself_is_quic() {
        let endpoint = Endpoint::udp("20.1.2.3".parse().unwrap(), 443);
        assert_eq!(Over::of(&endpoint, "url"), Over::Quic);
        assert_eq!(Over::of(&endpoint, "quic"), Over::Quic);
        assert_eq!(Over::of(&endpoint, "udp"), Over::Udp);
    }
}
