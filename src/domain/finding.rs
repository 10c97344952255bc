//! A target with its verdict, evidence and attempts.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, Family, Transport};
use super::observation::{Attempt, Blind};
use super::position::Position;
use super::reach::Reach;
use super::target::{Barrier, Denial};
use super::verdict::{Reason, RestsOn, Verdict};
use super::waiver::WaiverReport;

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
    /// The control stood on another port than the endpoint.
    ControlOnOtherPort,
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
}

/// As what a finding counts. Without a waiver that is its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Exposed, and nobody answers for it any more.
    Exposed,
    /// Exposed, with a waiver that holds, and nothing else about it is in doubt.
    Waived,
    /// It could not be observed, or a part beside a waived exposure could not.
    Inconclusive,
    /// Blocked.
    Blocked,
}

impl Rank {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 4] = [
        Self::Exposed,
        Self::Waived,
        Self::Inconclusive,
        Self::Blocked,
    ];

    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::Waived => "waived",
            Self::Inconclusive => "inconclusive",
            Self::Blocked => "blocked",
        }
    }

    /// What it makes of a round in which nothing is worse.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Exposed => Verdict::Exposed,
            Self::Inconclusive => Verdict::Inconclusive,
            Self::Waived | Self::Blocked => Verdict::Blocked,
        }
    }
}

impl From<Verdict> for Rank {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Exposed => Self::Exposed,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Blocked => Self::Blocked,
        }
    }
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

    /// As what the finding counts: a waiver takes an exposure out, and what could not be observed
    /// beside it stays.
    #[must_use]
    pub fn rank(&self) -> Rank {
        if self.verdict != Verdict::Exposed || !self.has_waiver() {
            self.verdict.into()
        } else if self.is_wholly_seen() {
            Rank::Waived
        } else {
            Rank::Inconclusive
        }
    }

    /// Whether a waiver holds for the target, exposed or not.
    #[must_use]
    pub fn has_waiver(&self) -> bool {
        self.waiver.as_ref().is_some_and(|w| w.state.holds())
    }

    /// Why the first part that is inconclusive is so.
    #[must_use]
    pub fn doubt(&self) -> Option<&Reason> {
        let names = self.name_verdicts.iter().map(|n| (n.verdict, &n.reason));
        let mut parts = names.chain(self.counted().map(|e| (e.verdict, &e.reason)));
        let doubted = parts.find(|(verdict, _)| *verdict == Verdict::Inconclusive);
        doubted.map(|(_, reason)| reason)
    }

    /// Whether resolvers that can be believed say that there is no address of a family.
    #[must_use]
    pub fn is_unpublished(&self, family: Family) -> bool {
        let queries = self.name.iter().flat_map(|name| &name.queries);
        let mut answers = queries
            .filter(|query| query.family == Some(family))
            .map(|query| &query.answer)
            .peekable();
        let none = answers.peek().is_some()
            && answers.all(|a| matches!(a, NameAnswer::NoData | NameAnswer::NxDomain));
        none && !self.notes.contains(&Note::ResolverInvents)
    }

    /// Whether every part was seen, and a watched family without a part is known to have none.
    fn is_wholly_seen(&self) -> bool {
        let seen = |family: Family| {
            self.counted().any(|e| e.endpoint.family() == family)
                || self
                    .name_verdicts
                    .iter()
                    .any(|n| n.families.contains(&family))
                || self.is_unpublished(family)
        };
        // An address literal is of one family, and a record of none.
        let by_family = self.target.kind != "dns" && self.name.is_some();
        let some = self.counted().next().is_some() || !self.name_verdicts.is_empty();
        some && self.doubt().is_none()
            && (!by_family || self.target.families.iter().copied().all(seen))
    }
}
