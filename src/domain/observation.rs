//! What one attempt saw: plain facts, no opinion.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::icmp::IcmpError;
use super::reach::Reach;

/// Why this machine could not look. Never a rung of the ladder, never a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blind {
    /// No route leads there: this machine has none (`ENETUNREACH`, `ENETDOWN`), or trouble on the way
    /// that denies nothing came back, such as an ICMP time exceeded.
    NoRoute,
    /// This system has no such address family (`EAFNOSUPPORT`).
    NoFamily,
    /// Our own stack gave up on the way to the first hop (`EHOSTUNREACH` or an ICMP error that this
    /// very machine sent).
    LocalUnreachable,
    /// A local rule or missing privilege forbade the packet (`EPERM`, `EACCES`).
    NotPermitted,
    /// This process may open neither a datagram nor a raw socket for ICMP.
    NoEchoSocket,
    /// Out of file descriptors (`EMFILE`, `ENFILE`).
    TooManyFiles,
    /// Out of local ports or no usable source address (`EADDRNOTAVAIL`, `EADDRINUSE`).
    NoLocalPort,
    /// The kernel had no memory for the socket (`ENOBUFS`, `ENOMEM`).
    NoBuffers,
    /// An error of the local system that noentry does not know.
    LocalError,
    /// The resolver gave no usable answer until the deadline.
    ResolverTimeout,
    /// The resolver answered SERVFAIL.
    ResolverServfail,
    /// The resolver answered REFUSED.
    ResolverRefused,
    /// The answer was truncated over UDP and could not be had over TCP.
    ResolverTruncated,
    /// The resolver answered with another error, or could not be spoken to.
    ResolverError,
    /// The resolver withholds addresses: it gave the null address, as blocklists do, or has no IPv6
    /// address even for a name that is known to have one.
    ResolverWithholds,
    /// One of the zone's own servers does not speak for the zone (a lame delegation), or has no
    /// address at which it could be asked.
    ServerLame,
    /// The round was ended before the attempts were over.
    Interrupted,
}

impl Blind {
    /// The word used in JSON and as the JUnit error type.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoRoute => "no_route",
            Self::NoFamily => "no_family",
            Self::LocalUnreachable => "local_unreachable",
            Self::NotPermitted => "not_permitted",
            Self::NoEchoSocket => "no_echo_socket",
            Self::TooManyFiles => "too_many_files",
            Self::NoLocalPort => "no_local_port",
            Self::NoBuffers => "no_buffers",
            Self::LocalError => "local_error",
            Self::ResolverTimeout => "resolver_timeout",
            Self::ResolverServfail => "resolver_servfail",
            Self::ResolverRefused => "resolver_refused",
            Self::ResolverTruncated => "resolver_truncated",
            Self::ResolverError => "resolver_error",
            Self::ResolverWithholds => "resolver_withholds",
            Self::ServerLame => "server_lame",
            Self::Interrupted => "interrupted",
        }
    }
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoRoute => "no route",
            Self::NoFamily => "this machine does not have the address family",
            Self::LocalUnreachable => "this machine's own network gave up before the first hop",
            Self::NotPermitted => "this machine's own rules forbade the packet",
            Self::NoEchoSocket => "this process is allowed no ICMP socket",
            Self::TooManyFiles => "this machine ran out of file descriptors",
            Self::NoLocalPort => "this machine had no free local port or source address",
            Self::NoBuffers => "this machine had no memory for another socket",
            Self::LocalError => "an unknown error of this machine",
            Self::ResolverTimeout => "the resolver did not answer in time",
            Self::ResolverServfail => "the resolver answered SERVFAIL",
            Self::ResolverRefused => "the resolver answered REFUSED",
            Self::ResolverTruncated => {
                "the resolver's answer was truncated and TCP did not bring the rest"
            }
            Self::ResolverError => "the resolver could not be asked or answered with an error",
            Self::ResolverWithholds => {
                "the resolver withholds addresses (a null address, or no IPv6 at all)"
            }
            Self::ServerLame => {
                "one of the zone's own servers does not speak for the zone, or cannot be asked"
            }
            Self::Interrupted => "the round was ended before the attempts were over",
        })
    }
}

/// The result of one attempt: a rung of the ladder, or blindness.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The attempt got this far.
    Reached(Reach),
    /// The attempt could not look.
    Blind(Blind),
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

/// The server's certificate as it was shown. It is recorded, never judged: an outsider can click
/// away a warning.
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
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TcpEvidence {
    /// What the server said first, or to an empty line where it said nothing before: at most 256
    /// bytes, with `escape_ascii`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub banner: Option<String>,
    /// What speaks for a device before the target having completed the handshake.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub middlebox: Vec<Middlebox>,
}

/// Everything seen besides the outcome. Boxed in [`Attempt`], because most attempts see nothing.
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

/// What a probe hands back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The fact.
    pub outcome: Outcome,
    /// What else was seen; `None` for plain silence.
    pub evidence: Option<Box<Evidence>>,
}

impl Observation {
    /// A rung, with what ended the climb there.
    #[must_use]
    pub fn reached(reach: Reach, stopped_by: Option<StoppedBy>) -> Self {
        Self::new(Outcome::Reached(reach), stopped_by)
    }

    /// Blindness, with what the system said.
    #[must_use]
    pub fn blind(blind: Blind, stopped_by: Option<StoppedBy>) -> Self {
        Self::new(Outcome::Blind(blind), stopped_by)
    }

    fn new(outcome: Outcome, stopped_by: Option<StoppedBy>) -> Self {
        let evidence = stopped_by.map(|stopped_by| {
            Box::new(Evidence {
                stopped_by: Some(stopped_by),
                ..Evidence::default()
            })
        });
        Self { outcome, evidence }
    }

    /// The caveat that the HTTP answer carries, if any.
    #[must_use]
    pub fn caveat(&self) -> Option<Caveat> {
        self.evidence.as_ref()?.http.as_ref()?.caveat
    }
}

/// One try against one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// Milliseconds from the start of the round to the start of this attempt.
    pub at_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What it saw.
    pub outcome: Outcome,
    /// What else it saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Box<Evidence>>,
}
