//! One round's result: plain, serialisable, and the only thing that reports read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use std::net::IpAddr;

use super::endpoint::{Endpoint, Family, Transport};
use super::finding::{Finding, NameReport};
use super::merged::{MergedRound, Missing};
use super::observation::Attempt;
use super::position::Position;
use super::rank::Rank;
use super::reach::Layer;
use super::shard::Shard;
use super::target::ControlOrigin;
use super::trail::{Links, TrailPlan, TrailReport};
use super::verdict::{Reason, Verdict};
use super::way::{Assumption, ReachedPort, Way};

/// The version of the report's format. It grows when a reader of the old one would be misled.
pub const REPORT_VERSION: u32 = 1;

/// Where the round looked from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vantage {
    /// `github-hosted`, `self-hosted` or `local`.
    pub environment: String,
    /// The runner's name, if it has one.
    pub name: Option<String>,
    /// What the user calls it, as with `--vantage`: the same in every round from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Operating system and architecture, such as `linux x86_64`.
    pub system: String,
    /// The families over which a control was reached throughout, beyond this machine's own network where
    /// its address is one of the internet.
    pub proven: Vec<Family>,
    /// What this vantage can see, each proven by a control as in `proven`.
    pub sees: Vec<Sees>,
    /// What was reached on each port, over whatever target or control: the proof that our own side lets
    /// the port out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ReachedPort>,
    /// Why ports on which nothing was reached are assumed to be let out; none where nothing says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unfiltered: Option<Assumption>,
    /// How many packets the reverse path filter of this machine dropped while the round was under way;
    /// none where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse_path_drops: Option<u64>,
    /// The addresses that the outside sees us come from; empty where the configuration names no echo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub egress: Vec<Egress>,
    /// Whether the round looked from outside; none where the configuration names nothing that only
    /// insiders reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outside: Option<Outside>,
}

/// One transport over one family, and how high a control was climbed there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Sees {
    /// The transport.
    pub transport: Transport,
    /// The family.
    pub family: Family,
    /// The highest layer at which a control answered throughout.
    pub layer: Layer,
    /// The control, as it is declared.
    pub control: String,
}

/// What one echo said about where we come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Egress {
    /// The family over which it was asked.
    pub family: Family,
    /// Who was asked: a server's address or a URL.
    pub asked: String,
    /// The address; none where there was no usable answer.
    pub address: Option<IpAddr>,
    /// What went wrong, where there is no address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Whether the round looked from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What only insiders reach was shut throughout, while controls were reached.
    Outside,
    /// It was reached.
    Inside,
    /// Neither: it could not be looked at.
    Unproven,
}

/// What was found out with the help of what only insiders reach.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outside {
    /// The endpoint as it is declared.
    pub must_not_reach: String,
    /// What follows.
    pub side: Side,
    /// Every checkpoint in order.
    pub checks: Vec<ControlCheck>,
}

/// What can be watched.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Surface {
    /// Name resolution.
    Dns,
    /// TCP, and TLS and HTTP on top of it.
    Tcp,
    /// QUIC beside TCP at an `https` URL.
    Http3,
    /// UDP.
    Udp,
    /// ICMP echo.
    Icmp,
}

/// Whether something is watched.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Watch {
    /// The verdicts on it are conclusive.
    Watched,
    /// It could not be observed from here.
    NotWatchable,
    /// The configuration leaves it out.
    Unwatched,
}

/// One line of the coverage table: what some targets are watched for, or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// What.
    pub surface: Surface,
    /// Over which family; none for name resolution.
    pub family: Option<Family>,
    /// Whether it is watched.
    pub watch: Watch,
    /// Why it could not be observed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// The names of the targets, in the order of the configuration.
    pub targets: Vec<String>,
}

/// One control at one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlCheck {
    /// Milliseconds from the start of the round.
    pub at_ms: u64,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// The endpoints tried, and what each saw last.
    pub endpoints: Vec<ControlEndpoint>,
    /// What the resolvers said; none for an address literal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<NameReport>,
}

/// One endpoint of a control at one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlEndpoint {
    /// Which one.
    pub endpoint: Endpoint,
    /// Whether it was reached.
    pub reached: bool,
    /// The way that packets to it took out of this machine; none where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<Way>,
    /// The last attempt.
    pub last: Attempt,
}

/// A control with everything it proved or failed to prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlReport {
    /// As it is declared, such as `www.example.com:443`, or `any.example.com:*` of one that answers on
    /// every port.
    pub name: String,
    /// Whether it answers on every port: it was tried on those that the targets use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub every_port: bool,
    /// `url`, `tcp`, `udp`, `quic`, `icmp` or `dns`.
    pub kind: String,
    /// What carries it; none for a name.
    pub transport: Option<Transport>,
    /// Who asked for it.
    pub origin: ControlOrigin,
    /// The targets whose own control it is; empty where it speaks for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub targets: Vec<String>,
    /// Where it is declared; none for the built-in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<Position>,
    /// The families over which it was reached at every checkpoint.
    pub held: Vec<Family>,
    /// The families over which it was tried and not reached at every checkpoint.
    pub lost: Vec<Family>,
    /// Whether every resolver found its name at every checkpoint; none for an address literal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_held: Option<bool>,
    /// Every checkpoint in order.
    pub checks: Vec<ControlCheck>,
}

/// A resolver and whether it can be believed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ResolverReport {
    /// Address and port.
    pub resolver: String,
    /// Whether it gave an address to a random name under `.invalid` or `.example`, which cannot
    /// exist (RFC 6761 sections 6.4 and 6.5).
    pub invents: bool,
}

/// How many findings count as what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// All findings.
    pub targets: usize,
    /// Blocked ones.
    pub blocked: usize,
    /// Exposed ones, without those that are waived.
    pub exposed: usize,
    /// Exposed ones with a waiver that holds, and of which nothing else is in doubt.
    #[serde(default)]
    pub waived: usize,
    /// Inconclusive ones, and waived exposures of which a part could not be observed.
    pub inconclusive: usize,
    /// Endpoints of all findings, without the companions that exposed nothing.
    pub endpoints: usize,
    /// Attempts against those endpoints.
    pub attempts: usize,
}

/// One run over all targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RoundReport {
    /// The format's version, today 1.
    pub version: u32,
    /// The version of noentry that looked.
    pub noentry: String,
    /// The configuration file.
    pub config: String,
    /// When the round began, UTC.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub started: OffsetDateTime,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What the random order and offsets of the attempts were made from: the same seed makes the same.
    #[serde(default)]
    pub seed: u64,
    /// Whether it was ended from outside before its time.
    pub interrupted: bool,
    /// Whether only some of the configuration's targets were looked at, as with `--target` or
    /// `--shard`, or because something is `missing`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Which part of the configuration's targets was looked at, where that is a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// How many targets the configuration has; said of a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<usize>,
    /// Whether addresses and evidence are left out, because everybody can read this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withheld: bool,
    /// Where to read more about the round.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// What the configuration says about the incident trail.
    #[serde(default, skip_serializing_if = "TrailPlan::is_default")]
    pub incidents: TrailPlan,
    /// What became of the incident trail; none before it was brought in line, or where none is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trail: Option<TrailReport>,
    /// The worst verdict of all findings that count, `blocked` where all are waived; `inconclusive`
    /// where there are none, and at best where something is `missing`.
    pub verdict: Verdict,
    /// The counts.
    pub totals: Totals,
    /// Where the round looked from.
    pub vantage: Vantage,
    /// The resolvers asked.
    pub resolvers: Vec<ResolverReport>,
    /// The controls.
    pub controls: Vec<ControlReport>,
    /// What is watched, what cannot be watched from here, and what the configuration leaves out.
    pub coverage: Vec<Coverage>,
    /// The findings in the order of the configuration.
    pub findings: Vec<Finding>,
    /// Where this was made of several rounds: each of them. What `vantage` says is then only what is
    /// true of all, and `resolvers` and `controls` stand here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<MergedRound>,
    /// What should be among those rounds and is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Missing>,
}

impl Totals {
    /// Counts the findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let count = |rank| findings.iter().filter(|f| f.rank() == rank).count();
        Self {
            targets: findings.len(),
            blocked: count(Rank::Blocked),
            exposed: count(Rank::Exposed),
            waived: count(Rank::Waived),
            inconclusive: count(Rank::Inconclusive),
            endpoints: findings.iter().map(|f| f.counted().count()).sum(),
            attempts: findings.iter().map(Finding::attempts).sum(),
        }
    }
}

impl RoundReport {
    /// The worst verdict of some findings, waived exposures aside; nothing watched is nothing seen.
    #[must_use]
    pub fn worst(findings: &[Finding]) -> Verdict {
        findings
            .iter()
            .map(|f| f.rank().verdict())
            .max()
            .unwrap_or(Verdict::Inconclusive)
    }
}
