//! What each layer told besides how far an attempt got.
//!
//! All of it is data for reports: plain, serialisable, and already escaped where it is what the other
//! side sent.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An ICMP or ICMPv6 error as the kernel handed it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IcmpError {
    /// ICMP type (3 for IPv4 unreachable, 1 for IPv6 unreachable).
    #[serde(rename = "type")]
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent it, if the kernel knows: a device on the way, or the target itself.
    pub from: Option<IpAddr>,
    /// Whether this is ICMPv6.
    pub v6: bool,
}

impl IcmpError {
    /// The name of type and code: RFC 792, RFC 1122 section 3.2.2.1 and RFC 1812 section 5.2.7.1 for
    /// IPv4; RFC 4443 section 3, RFC 6550 section 11.2.2.3 and RFC 8883 for IPv6.
    #[must_use]
    pub const fn meaning(&self) -> &'static str {
        match (self.v6, self.kind, self.code) {
            (false, 3, 0) => "network unreachable",
            (false, 3, 1) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 4) => "fragmentation needed",
            (false, 3, 5) => "source route failed",
            (false, 3, 6) => "network unknown",
            (false, 3, 7) => "host unknown",
            (false, 3, 8) => "source host isolated",
            (false, 3, 9) => "network administratively prohibited",
            (false, 3, 10) => "host administratively prohibited",
            (false, 3, 11) => "network unreachable for this type of service",
            (false, 3, 12) => "host unreachable for this type of service",
            (false, 3, 13) | (true, 1, 1) => "administratively prohibited",
            (false, 3, 14) => "host precedence violation",
            (false, 3, 15) => "precedence cutoff in effect",
            (false, 11, _) | (true, 3, _) => "time exceeded on the way",
            (false, 12, _) | (true, 4, _) => "parameter problem",
            (true, 1, 0) => "no route to destination",
            (true, 1, 2) => "beyond the scope of the source address",
            (true, 1, 3) => "address unreachable",
            (true, 1, 5) => "source address failed ingress or egress policy",
            (true, 1, 6) => "route rejected",
            (true, 1, 7) => "error in the source routing header",
            (true, 1, 8) => "headers too long",
            (true, 2, _) => "packet too big",
            _ => "unreachable",
        }
    }

    /// Whether this address sent it: asked with the target's own, it tells a host that turns away
    /// itself from a device before it. An error whose sender is not known is from nobody.
    ///
    /// A device that writes the target's address into its errors, as a router does that hides behind
    /// it, cannot be told from the target.
    #[must_use]
    pub fn is_from(&self, address: IpAddr) -> bool {
        self.from
            .is_some_and(|from| from.to_canonical() == address.to_canonical())
    }
}

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.v6 { "ICMPv6" } else { "ICMP" };
        write!(
            f,
            "{} ({protocol} type {} code {})",
            self.meaning(),
            self.kind,
            self.code
        )?;
        match self.from {
            Some(from) => write!(f, " from {from}"),
            None => Ok(()),
        }
    }
}

/// What ended the climb where it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StoppedBy {
    /// Nothing came until the deadline.
    Silence,
    /// An ICMP error, from a device on the way or from the target itself (see
    /// [`IcmpError::is_from`]).
    Icmp(IcmpError),
    /// A TCP reset.
    Reset,
    /// The other side closed the connection without a word.
    Closed,
    /// A TLS alert.
    Alert {
        /// The alert's number (RFC 8446 section 6).
        code: u8,
        /// The alert's name in the RFC, such as `certificate_required`.
        name: String,
        /// Whether the server had asked for a client certificate before.
        certificate_requested: bool,
        /// Whether it came in the clear before a `ServerHello`, where anything on the way can write it
        /// in the server's name. Over QUIC: before anything under the keys of the handshake.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        before_hello: bool,
    },
    /// What came back is not TLS. The first bytes, escaped for display.
    NotTls {
        /// At most 64 bytes, with `escape_ascii`.
        first_bytes: String,
    },
    /// TLS, but of a kind that noentry's client cannot speak to its end.
    TlsIncompatible {
        /// What the TLS library said.
        detail: String,
    },
    /// What came back is not HTTP. The first bytes, escaped for display.
    NotHttp {
        /// At most 64 bytes, with `escape_ascii`.
        first_bytes: String,
    },
    /// HTTP was spoken, and ended with an error of the protocol instead of an answer.
    HttpError {
        /// Such as `HTTP/2 GOAWAY: …`, escaped for display.
        detail: String,
    },
    /// An error number of this machine.
    Errno {
        /// The number.
        errno: i32,
        /// The system's name or text for it.
        text: String,
    },
}

/// What keeps a certificate from speaking for the host that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CertificateFlaw {
    /// It does not cover the name that was asked for. Never said where an address was asked for.
    OtherName,
    /// It is not valid yet.
    NotYetValid,
    /// It is not valid any more.
    Expired,
    /// It could not be read.
    Unreadable,
}

impl fmt::Display for CertificateFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OtherName => "the certificate does not cover the name",
            Self::NotYetValid => "the certificate is not valid yet",
            Self::Expired => "the certificate has expired",
            Self::Unreadable => "the certificate could not be read",
        })
    }
}

/// The server's certificate as it was shown. It is recorded and keeps nobody out: an outsider can click
/// away a warning. A flaw matters only where somebody's word is taken for the target's own: in a
/// denial, and in the answer of a control.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Certificate {
    /// Subject, as RFC 4514 text.
    pub subject: String,
    /// Issuer, as RFC 4514 text.
    pub issuer: String,
    /// DNS names and addresses in subjectAltName.
    pub names: Vec<String>,
    /// End of validity, RFC 3339, UTC.
    pub not_after: Option<String>,
    /// What keeps it from speaking for the host that was asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flaws: Vec<CertificateFlaw>,
    /// SHA-256 of the DER form, lowercase hex.
    pub sha256: String,
}

/// What TLS told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TlsEvidence {
    /// Such as `TLSv1.3`; empty where the handshake did not get so far.
    pub version: Option<String>,
    /// The application protocol agreed on by ALPN, such as `h2`.
    pub alpn: Option<String>,
    /// Whether the server asked for a client certificate.
    pub certificate_requested: bool,
    /// The server's own certificate.
    pub certificate: Option<Certificate>,
}

/// An HTTP answer that tells about this vantage and not about the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Caveat {
    /// 429: we, not everybody, are being slowed down.
    Throttled,
    /// A bot challenge: a browser would be let through.
    Challenged,
    /// The page of a known web filter or proxy, which may stand on our own side.
    Filtered,
    /// A denial over https whose certificate does not cover the name that was asked for: whose word it
    /// is, is not known.
    ForeignCertificate,
}

/// What HTTP told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpEvidence {
    /// Such as `HTTP/1.1` or `HTTP/2`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// A few telling headers (`server`, `location`, `www-authenticate`, `content-type`, `via`, and
    /// those that the target's denial names), lowercase names, values escaped for display.
    pub headers: Vec<(String, String)>,
    /// The page's title, escaped and cut for display.
    pub title: Option<String>,
    /// SHA-256 of the body as read, lowercase hex. Empty when nothing of a body came.
    pub body_sha256: Option<String>,
    /// How many bytes of the body were read, at most 65,536.
    pub body_bytes: u32,
    /// Whether the body was cut there, or by the deadline.
    pub body_cut: bool,
    /// Set where the answer tells about this vantage.
    pub caveat: Option<Caveat>,
    /// The web filter or proxy whose page this is, where it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// Whether plain HTTP came back on a connection that was to be TLS.
    pub plain_on_tls: bool,
    /// Which part of the target's denial was missing, where the status was accepted and another
    /// mark was not there.
    pub unmet: Option<String>,
}

/// What a UDP port sent back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UdpAnswer {
    /// How many bytes the datagram had.
    pub bytes: u32,
    /// At most 64 of them, with `escape_ascii`.
    pub first_bytes: String,
    /// Whether it is an answer to what was asked, by the protocol's own rules.
    pub expected: bool,
    /// What it says, escaped for display, such as a server's version.
    pub says: Option<String>,
}

/// What UDP told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct UdpEvidence {
    /// What was sent: a protocol's word, `hex`, or the word of a protocol that never answers.
    pub payload: String,
    /// How many datagrams were sent.
    pub sent: u32,
    /// The first that came back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<UdpAnswer>,
}

/// What QUIC told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QuicEvidence {
    /// The versions that the server offered when it was asked for one that cannot exist (RFC 9000
    /// section 6), such as `1` or `0x6b3343cf`; empty where it did not answer that.
    pub versions: Vec<String>,
    /// Whether a handshake completed; what it agreed on stands under `tls`.
    pub handshake: bool,
    /// How the connection was closed by the other side, such as `CRYPTO_ERROR 0x128: …`, escaped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
}

/// Why a completed TCP handshake may be somebody else's than the target's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Middlebox {
    /// Data was sent and never acknowledged.
    NeverAcknowledged,
    /// A reset came right behind the handshake.
    ResetAtOnce,
    /// Two other ports of the same address, chosen at random where nobody would listen, behave in the
    /// same way.
    EveryPortAlike,
}

/// What a TCP connection told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpEvidence {
    /// How many SYNs had left when the handshake was completed, those of all the attempt's flows
    /// together. More than one means that packets were lost, or that an answer took longer than a
    /// second. On systems that count no retransmissions each flow counts as one.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub syns: u8,
    /// What the server said first, or to an empty line where it said nothing before: at most 256
    /// bytes, with `escape_ascii`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    /// What speaks for a device before the target having completed the handshake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub middlebox: Vec<Middlebox>,
}

impl Default for TcpEvidence {
    fn default() -> Self {
        Self {
            syns: one(),
            banner: None,
            middlebox: Vec::new(),
        }
    }
}

const fn one() -> u8 {
    1
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the shape that serde asks for"
)]
const fn is_one(syns: &u8) -> bool {
    *syns == one()
}

/// Everything seen besides the outcome. Boxed in [`Attempt`](super::observation::Attempt), because most attempts see nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// What ended the climb.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_by: Option<StoppedBy>,
    /// TCP facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tcp: Option<TcpEvidence>,
    /// UDP facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub udp: Option<UdpEvidence>,
    /// QUIC facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quic: Option<QuicEvidence>,
    /// TLS facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<TlsEvidence>,
    /// HTTP facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpEvidence>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: u8, code: u8, from: Option<&str>, v6: bool) -> IcmpError {
        let from = from.map(|address| address.parse().unwrap());
        IcmpError {
            kind,
            code,
            from,
            v6,
        }
    }

    #[test]
    fn an_icmp_error_knows_whether_the_target_itself_sent_it() {
        let target: IpAddr = "192.0.2.7".parse().unwrap();
        assert!(error(3, 3, Some("192.0.2.7"), false).is_from(target));
        assert!(error(3, 3, Some("::ffff:192.0.2.7"), false).is_from(target));
        assert!(!error(3, 3, Some("192.0.2.1"), false).is_from(target));
        assert!(!error(3, 3, None, false).is_from(target));
        let target: IpAddr = "2001:db8::7".parse().unwrap();
        assert!(error(1, 4, Some("2001:db8::7"), true).is_from(target));
        assert!(!error(1, 1, Some("2001:db8::1"), true).is_from(target));
    }

    #[test]
    fn the_codes_that_say_who_denies_are_told_apart() {
        let mut seen = std::collections::BTreeMap::new();
        for (v6, kind, codes) in [(false, 3, 0..=15), (true, 1, 0..=8)] {
            for code in codes {
                let meaning = error(kind, code, None, v6).meaning();
                assert_ne!(meaning, "unreachable", "{kind}/{code}");
                assert_eq!(seen.insert((v6, meaning), code), None, "{meaning}");
            }
        }
        // The same door in both families has the same name.
        for ((kind, code), (kind6, code6)) in [((3, 3), (1, 4)), ((3, 13), (1, 1))] {
            assert_eq!(
                error(kind, code, None, false).meaning(),
                error(kind6, code6, None, true).meaning()
            );
        }
    }
}
