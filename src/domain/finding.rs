//! A target with its verdict, evidence and attempts.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, Family, Transport};
use super::merged::Seen;
use super::observation::{Attempt, Blind};
use super::position::Position;
use super::reach::Reach;
use super::target::{Barrier, Denial};
use super::trail::{Confirmation, Notify};
use super::verdict::{Reason, RestsOn, Verdict};
use super::waiver::WaiverReport;
use super::way::Way;

/// The target as the report names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TargetInfo {
    /// Unique in a report.
    pub name: String,
    /// `url`, `tcp`, `udp`, `quic`, `icmp` or `dns`.
    pub kind: String,
    /// The URL, `host:port`, host or name.
    pub address: String,
    /// The port that is spoken to; none for a name and for ICMP.
    pub port: Option<u16>,
    /// What carries it; none for a name.
    pub transport: Option<Transport>,
    /// What is sent, for `udp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<String>,
    /// The promise.
    pub barrier: Barrier,
    /// Which stops count at the barrier.
    pub denial: Denial,
    /// The families watched.
    pub families: Vec<Family>,
    /// Where it is declared.
    pub position: Position,
    /// Whom its incident is for.
    #[serde(default, skip_serializing_if = "Notify::is_empty")]
    pub notify: Notify,
}

/// What one name server said about one type of record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NameAnswer {
    /// Addresses.
    Addresses(Vec<IpAddr>),
    /// Records of another type, as text, escaped for display; at most 16 of at most 256 characters.
    Records(Vec<String>),
    /// The name exists and has no such record.
    NoData,
    /// NXDOMAIN.
    NxDomain,
    /// No answer that counts.
    Blind(Blind),
}

impl NameAnswer {
    /// The addresses that it gives, if it gives any.
    #[must_use]
    pub fn addresses(&self) -> &[IpAddr] {
        match self {
            Self::Addresses(addresses) => addresses,
            Self::Records(_) | Self::NoData | Self::NxDomain | Self::Blind(_) => &[],
        }
    }
}

/// One question to one resolver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameQuery {
    /// The resolver's address and port, or a word where there was none to ask.
    pub resolver: String,
    /// The zone's own server that this is, by its name; none for a resolver. Such a server's word
    /// counts as a resolver's does, but for one thing: where it could not be asked because of this
    /// machine, as over IPv6 that the machine does not have, and answered at another of its addresses,
    /// nothing is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authority: Option<String>,
    /// The type of record asked for, such as `AAAA`.
    pub record: String,
    /// The family that it belongs to: IPv4 for A, IPv6 for AAAA, none for others.
    pub family: Option<Family>,
    /// What it said.
    pub answer: NameAnswer,
    /// The aliases on the way, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cnames: Vec<String>,
    /// How long the answer took, in milliseconds.
    pub took_ms: u64,
}

/// Everything that was asked about a target's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameReport {
    /// The name asked for, in ASCII.
    pub name: String,
    /// One entry a resolver and family.
    pub queries: Vec<NameQuery>,
}

impl NameReport {
    /// Whether one of the zone's own servers gives this address. A resolver may have made it up for this
    /// very name, and what is not connected to cannot show it.
    #[must_use]
    pub fn is_own_word(&self, address: IpAddr) -> bool {
        is_own_word(&self.queries, address)
    }
}

/// The same of what was said so far.
#[must_use]
pub fn is_own_word(queries: &[NameQuery], address: IpAddr) -> bool {
    let own = queries.iter().filter(|query| query.authority.is_some());
    let mut given = own.flat_map(|query| query.answer.addresses());
    given.any(|given| given.to_canonical() == address.to_canonical())
}

/// One endpoint with its verdict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EndpointReport {
    /// Which one.
    pub endpoint: Endpoint,
    /// The word on it.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// Whether it was tried beside what the target declares, as QUIC beside an `https` URL: of such
    /// an endpoint only an exposure counts, unless it is `controlled`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub companion: bool,
    /// Of a companion: whether the configuration declares a control for its transport and port, held
    /// or lost. It then counts as what the target declares does.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub controlled: bool,
    /// The furthest rung of its attempts; none if every attempt was blind.
    pub reach: Option<Reach>,
    /// The control that it rests on, where one is needed and held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<RestsOn>,
    /// The way that packets to it took out of this machine; none where the system does not tell, or
    /// where it changed meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// The attempts in order. Empty where the address was not to be connected to.
    pub attempts: Vec<Attempt>,
}

impl EndpointReport {
    /// Whether the finding, its counts and its advice take note of it: what the target declares does
    /// always, a companion where it is an exposure or where a control is declared for it.
    #[must_use]
    pub fn counts(&self) -> bool {
        !self.companion || self.controlled || self.verdict == Verdict::Exposed
    }
}

/// The word on one family's name resolution, where the name itself decides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NameVerdict {
    /// The word.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
    /// The rung; none where the resolvers could not be asked.
    pub reach: Option<Reach>,
    /// The control that it rests on, where one is needed and held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rests_on: Option<RestsOn>,
    /// The families that this is about.
    pub families: Vec<Family>,
}

/// Something worth knowing beside the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A reset came back: the packet got through to a host, and only the absence of a listener
    /// protects it.
    OnlyNoListener,
    /// IPv6 is declared unwatched.
    Ipv6Unwatched,
    /// IPv4 is declared unwatched.
    Ipv4Unwatched,
    /// That this network lets the endpoint's port out is assumed; nothing proved it.
    PortAssumed,
    /// A resolver answers for names that cannot exist.
    ResolverInvents,
    /// Public DNS gives addresses that are not globally routable.
    PrivateAddressPublished,
    /// A random name beside the target's is answered too: the zone has a wildcard.
    Wildcard,
    /// An alias on the way leads to a name that does not exist, or that has an address of neither
    /// family: whoever gets hold of that name gets the target's visitors.
    DanglingAlias,
    /// Silence over UDP was accepted by configuration, although an open service may be silent too.
    SilenceAccepted,
    /// A device before the target may have completed the handshake.
    PossiblyMiddlebox,
}

/// A target with its verdict, evidence and attempts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// What was watched.
    pub target: TargetInfo,
    /// The word on it: the worst of its parts.
    pub verdict: Verdict,
    /// Why: the reason of the first part that has this verdict.
    pub reason: Reason,
    /// The furthest rung of all attempts; none if nothing could be seen.
    pub reach: Option<Reach>,
    /// What the resolvers said; none for an address literal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<NameReport>,
    /// Verdicts that the name resolution alone decides, such as NXDOMAIN or a dead resolver.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub name_verdicts: Vec<NameVerdict>,
    /// The endpoints, sorted by address.
    pub endpoints: Vec<EndpointReport>,
    /// What is worth knowing besides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
    /// Who answers for an exposure of this target; none where the configuration has no waiver for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiver: Option<WaiverReport>,
    /// Whether an exposure was seen again; none where that was not asked for, or the round was ended
    /// before it was known. The verdict stands either way: one positive is never voted down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirmation: Option<Confirmation>,
    /// Whether the target's address and everything that was seen of it are left out here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// Of a finding that is withheld and `exposed`: whether a waiver holds for it and some other part of
    /// it could not be observed, so that it counts as `inconclusive`. False of all others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partly: bool,
    /// Where the report was made of several rounds: what each that looked at the target saw, the one
    /// whose evidence this is first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vantages: Vec<Seen>,
}

impl Finding {
    /// The endpoints that count.
    pub fn counted(&self) -> impl Iterator<Item = &EndpointReport> {
        self.endpoints.iter().filter(|e| e.counts())
    }

    /// How many attempts were made against the endpoints that count.
    #[must_use]
    pub fn attempts(&self) -> usize {
        self.counted().map(|e| e.attempts.len()).sum()
    }
}
