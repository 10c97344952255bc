//! The ladder: how far from the outside one attempt got.
//!
//! [`Reach`] is ordered, outermost rung first. It only says what was observed; whether that is good
//! or bad is for [`verdict`](crate::domain::verdict) to decide.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The layers in the order in which an outsider meets them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Finding an address for a name.
    Dns,
    /// Getting a packet to the endpoint and an answer back.
    Network,
    /// Agreeing on an encrypted channel.
    Tls,
    /// Asking the application.
    Http,
}

/// How far one attempt got. Ordered from the outside in.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Reach {
    /// NXDOMAIN, or no A/AAAA data, agreed by every resolver asked.
    NoName,
    /// Only an address that is not globally routable; it was not connected to.
    PrivateAddress,
    /// A globally routable address is published. Reported only where the barrier is `dns`: what
    /// lies behind the address was not tried.
    PublicAddress,
    /// A record of the type that the target names is published. Reported only for such a target.
    PublicRecord,
    /// Silence until the deadline.
    NoAnswer,
    /// An ICMP unreachable came back, from a device on the way or from the packet filter of the
    /// target itself.
    Prohibited,
    /// A TCP reset or, for UDP, a port unreachable from the target itself: the packet got through to
    /// a host, and nothing listens there.
    Refused,
    /// The TCP handshake completed, an ICMP echo was replied to, or any UDP datagram came back.
    Connected,
    /// Connected over TCP or QUIC, and the server ended TLS with an alert that turns the client away.
    TlsRefused,
    /// The TLS handshake completed, and nothing above it answered.
    TlsEstablished,
    /// An HTTP answer that the target's denial accepts.
    Denied,
    /// Any other HTTP answer.
    Served,
}

impl Reach {
    /// Every rung, outermost first.
    pub const ALL: [Self; 12] = [
        Self::NoName,
        Self::PrivateAddress,
        Self::PublicAddress,
        Self::PublicRecord,
        Self::NoAnswer,
        Self::Prohibited,
        Self::Refused,
        Self::Connected,
        Self::TlsRefused,
        Self::TlsEstablished,
        Self::Denied,
        Self::Served,
    ];

    /// The layer at which the attempt ended.
    #[must_use]
    pub const fn layer(self) -> Layer {
        match self {
            Self::NoName | Self::PrivateAddress | Self::PublicAddress | Self::PublicRecord => {
                Layer::Dns
            }
            Self::NoAnswer | Self::Prohibited | Self::Refused | Self::Connected => Layer::Network,
            Self::TlsRefused | Self::TlsEstablished => Layer::Tls,
            Self::Denied | Self::Served => Layer::Http,
        }
    }

    /// Whether something turned the outsider away here. The other rungs let him stand inside that
    /// layer.
    #[must_use]
    pub const fn is_stop(self) -> bool {
        match self {
            Self::NoName
            | Self::PrivateAddress
            | Self::NoAnswer
            | Self::Prohibited
            | Self::Refused
            | Self::TlsRefused
            | Self::Denied => true,
            Self::PublicAddress
            | Self::PublicRecord
            | Self::Connected
            | Self::TlsEstablished
            | Self::Served => false,
        }
    }

    /// The word used in configuration, JSON and reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoName => "no_name",
            Self::PrivateAddress => "private_address",
            Self::PublicAddress => "public_address",
            Self::PublicRecord => "public_record",
            Self::NoAnswer => "no_answer",
            Self::Prohibited => "prohibited",
            Self::Refused => "refused",
            Self::Connected => "connected",
            Self::TlsRefused => "tls_refused",
            Self::TlsEstablished => "tls_established",
            Self::Denied => "denied",
            Self::Served => "served",
        }
    }

    /// What nmap would call it, where nmap has a word.
    #[must_use]
    pub const fn nmap_state(self) -> Option<&'static str> {
        match self {
            Self::NoName | Self::PrivateAddress | Self::PublicAddress | Self::PublicRecord => None,
            Self::NoAnswer | Self::Prohibited => Some("filtered"),
            Self::Refused => Some("closed"),
            Self::Connected
            | Self::TlsRefused
            | Self::TlsEstablished
            | Self::Denied
            | Self::Served => Some("open"),
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Dns => "dns",
            Self::Network => "network",
            Self::Tls => "tls",
            Self::Http => "http",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ladder_is_sorted_and_its_layers_never_step_back() {
        assert!(Reach::ALL.is_sorted());
        assert!(Reach::ALL.iter().map(|r| r.layer()).is_sorted());
    }

    #[test]
    fn the_word_in_json_is_the_word_in_text() {
        for reach in Reach::ALL {
            let json = serde_json::to_string(&reach).unwrap();
            assert_eq!(json, format!("\"{reach}\""));
        }
    }
}
