//! What is said to a UDP port to make it answer.
//!
//! UDP has no handshake: whether silence means anything depends on whether an open service would have
//! answered. Which protocols there are, and what their silence is worth, is known here; the bytes are
//! the probe's.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A protocol for which noentry has a question that any stranger may ask.
///
/// Remote desktop over UDP is not among them, see `docs/udp.md`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Domain names, RFC 1035.
    Dns,
    /// Network time in client mode, RFC 5905.
    Ntp,
    /// `SNMPv3` engine discovery, RFC 3414 section 4.
    Snmp,
    /// memcached's `version`.
    Memcached,
    /// A STUN binding request, RFC 8489.
    Stun,
    /// SIP OPTIONS, RFC 3261 section 11.
    Sip,
    /// `IKEv2` `IKE_SA_INIT`, RFC 7296.
    Ike,
    /// A DTLS `ClientHello`, RFC 6347.
    Dtls,
    /// A search for one attribute of the root of an LDAP directory over UDP, [MS-ADTS].
    Cldap,
    /// A read request for a file of a random name, RFC 1350.
    Tftp,
    /// The port mapper's procedure NULL, RFC 1833 section 3.2.
    Portmap,
    /// A `CoAP` ping, RFC 7252 section 4.3.
    Coap,
    /// `OpenVPN`'s hard reset.
    Openvpn,
}

/// What it says that a protocol's question stays without an answer, although a rejection does not
/// come back either.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The specification has every service that is open to strangers answer: silence counts, with a
    /// control.
    Tells,
    /// An open service may be silent too, for this reason.
    TellsNothing(&'static str),
}

impl Protocol {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 13] = [
        Self::Dns,
        Self::Ntp,
        Self::Snmp,
        Self::Memcached,
        Self::Stun,
        Self::Sip,
        Self::Ike,
        Self::Dtls,
        Self::Cldap,
        Self::Tftp,
        Self::Portmap,
        Self::Coap,
        Self::Openvpn,
    ];

    /// The word used in configuration and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Ntp => "ntp",
            Self::Snmp => "snmp",
            Self::Memcached => "memcached",
            Self::Stun => "stun",
            Self::Sip => "sip",
            Self::Ike => "ike",
            Self::Dtls => "dtls",
            Self::Cldap => "cldap",
            Self::Tftp => "tftp",
            Self::Portmap => "portmap",
            Self::Coap => "coap",
            Self::Openvpn => "openvpn",
        }
    }

    /// The ports at home at which it is chosen by itself (IANA Service Name and Transport Protocol
    /// Port Number Registry).
    #[must_use]
    pub const fn ports(self) -> &'static [u16] {
        match self {
            Self::Dns => &[53],
            Self::Ntp => &[123],
            Self::Snmp => &[161],
            Self::Memcached => &[11_211],
            Self::Stun => &[3478],
            Self::Sip => &[5060],
            // 4500 wants four zero bytes in front (RFC 3948 section 2.2), which the question lacks.
            Self::Ike => &[500],
            // CoAP, the DNS, RADIUS and STUN, each over DTLS. (853 may be the DNS over QUIC as well, which
            // ignores a hello; silence tells nothing here.)
            Self::Dtls => &[5684, 853, 2083, 5349],
            Self::Cldap => &[389],
            Self::Tftp => &[69],
            Self::Portmap => &[111],
            Self::Coap => &[5683],
            Self::Openvpn => &[1194],
        }
    }

    /// The protocol at home at a port.
    #[must_use]
    pub fn at(port: u16) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.ports().contains(&port))
    }

    /// What its silence is worth.
    #[must_use]
    pub const fn silence(self) -> Silence {
        match self {
            // RFC 8906 section 3.1; RFC 5905 section 9.2; memcached's protocol.txt; RFC 8489
            // section 6.3.1; RFC 3261 sections 8.2 and 11.2; RFC 1833 section 3.2; RFC 7252 section
            // 4.2.
            Self::Dns
            | Self::Ntp
            | Self::Memcached
            | Self::Stun
            | Self::Sip
            | Self::Portmap
            | Self::Coap => Silence::Tells,
            Self::Snmp => Silence::TellsNothing(
                "an agent that speaks SNMPv1 or v2c alone discards version 3 (RFC 1157 section 4.1)",
            ),
            Self::Ike => Silence::TellsNothing(
                "an IKE responder may ignore peers that it does not expect (RFC 7296 section 2.21.1)",
            ),
            Self::Dtls => Silence::TellsNothing(
                "a DTLS server may discard what it does not like without a word (RFC 6347 section 4.1.2.7)",
            ),
            Self::Cldap => Silence::TellsNothing(
                "a directory may ignore requests over UDP that it has no answer for",
            ),
            Self::Tftp => Silence::TellsNothing(
                "the answer comes from another port (RFC 1350 section 4), which address translation drops",
            ),
            Self::Openvpn => Silence::TellsNothing(
                "an OpenVPN server with tls-auth or tls-crypt ignores strangers",
            ),
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A protocol that is silent to strangers by design.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mute {
    /// `WireGuard`: answers only to those who know its public key.
    Wireguard,
    /// syslog over UDP (RFC 5426): never answers.
    Syslog,
    /// RADIUS (RFC 2865 section 3): discards requests of clients that it does not know.
    Radius,
}

impl Mute {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wireguard, Self::Syslog, Self::Radius];

    /// The word used in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Wireguard => "wireguard",
            Self::Syslog => "syslog",
            Self::Radius => "radius",
        }
    }

    /// The ports at home.
    #[must_use]
    pub const fn ports(self) -> &'static [u16] {
        match self {
            Self::Wireguard => &[51_820],
            Self::Syslog => &[514],
            Self::Radius => &[1812, 1813, 1645, 1646],
        }
    }

    /// The protocol at home at a port.
    #[must_use]
    pub fn at(port: u16) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|protocol| protocol.ports().contains(&port))
    }

    /// Why it says nothing to a stranger.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Wireguard => "WireGuard answers only to those who know its public key",
            Self::Syslog => "syslog over UDP never answers",
            Self::Radius => "RADIUS ignores clients that it does not know",
        }
    }
}

/// What is sent to a UDP port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// A question of a known protocol.
    Protocol(Protocol),
    /// The user's own bytes, at most 1,200.
    Bytes(Vec<u8>),
    /// An empty datagram to what never answers strangers: only a rejection can come back.
    Mute(Mute),
}

impl Payload {
    /// What silence after it is worth.
    #[must_use]
    pub const fn silence(&self) -> Silence {
        match self {
            Self::Protocol(protocol) => protocol.silence(),
            Self::Bytes(_) => {
                Silence::TellsNothing("whether a service must answer these bytes is not known")
            }
            Self::Mute(mute) => Silence::TellsNothing(mute.why()),
        }
    }
}

impl fmt::Display for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Protocol(protocol) => f.write_str(protocol.as_str()),
            Self::Bytes(_) => f.write_str("hex"),
            Self::Mute(mute) => f.write_str(mute.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_at_home_in_two_protocols() {
        let mut ports: Vec<u16> = Protocol::ALL
            .iter()
            .flat_map(|p| p.ports())
            .copied()
            .collect();
        ports.extend(Mute::ALL.iter().flat_map(|m| m.ports()));
        let all = ports.len();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), all);
    }

    #[test]
    fn the_word_in_json_is_the_word_in_text() {
        for protocol in Protocol::ALL {
            let json = serde_json::to_string(&protocol).unwrap();
            assert_eq!(json, format!("\"{protocol}\""));
        }
    }
}
