//! What one attempt saw: plain facts, no opinion.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use super::evidence::{
    Caveat, Certificate, CertificateFlaw, Evidence, HttpEvidence, IcmpError, Middlebox,
    QuicEvidence, StoppedBy, TcpEvidence, TlsEvidence, UdpAnswer, UdpEvidence,
};
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
    /// The address lies within a network of this machine's own: packets to it never take the way that
    /// an outsider's take.
    OwnNetwork,
    /// Our own gateway, or another machine of our own network, rejected the packet.
    OwnGateway,
    /// This machine dropped packets because they came in by another interface than the one that leads
    /// back to their sender (reverse path filter): an answer may have been among them.
    ReversePath,
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
    /// The resolver withholds addresses: it gave the null address or a loopback address, as blocklists
    /// do, or one that is not globally routable and that the zone's own servers do not give, or has no
    /// IPv6 address even for a name that is known to have one.
    ResolverWithholds,
    /// The resolver itself says that its answer is filtered, censored, forged or stale (Extended DNS
    /// Errors, RFC 8914).
    ResolverFilters,
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
            Self::OwnNetwork => "own_network",
            Self::OwnGateway => "own_gateway",
            Self::ReversePath => "reverse_path",
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
            Self::ResolverFilters => "resolver_filters",
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
            Self::OwnNetwork => {
                "not an outsider's way, as the address lies in this machine's own network"
            }
            Self::OwnGateway => "this machine's own gateway or network rejected the packet",
            Self::ReversePath => "this machine dropped incoming packets by its reverse path filter",
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
                "the resolver withholds addresses (it gave a null, loopback or private one, or no \
                 IPv6 at all)"
            }
            Self::ResolverFilters => {
                "the resolver says that its answer is filtered, forged or stale"
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
