//! One round's result: plain, serialisable, and the only thing that reports read.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::endpoint::{Endpoint, Family};
use super::finding::{Finding, NameReport};
use super::observation::Attempt;
use super::position::Position;
use super::target::ControlOrigin;
use super::verdict::Verdict;

/// The version of the report's format. It grows when a reader of the old one would be misled.
pub const REPORT_VERSION: u32 = 1;

/// Where the round looked from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Vantage {
    /// `github-hosted`, `self-hosted` or `local`.
    pub environment: String,
    /// The runner's name, if it has one.
    pub name: Option<String>,
    /// Operating system and architecture, such as `linux x86_64`.
    pub system: String,
    /// The families over which a control was reached throughout.
    pub proven: Vec<Family>,
}

/// One control at one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlCheck {
    /// Milliseconds from the start of the round.
    pub at_ms: u64,
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
    /// The last attempt.
    pub last: Attempt,
}

/// A control with everything it proved or failed to prove.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ControlReport {
    /// As it is declared, such as `www.example.com:443`.
    pub name: String,
    /// `url`, `tcp` or `dns`.
    pub kind: String,
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

/// How many findings have which verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// All findings.
    pub targets: usize,
    /// Blocked ones.
    pub blocked: usize,
    /// Exposed ones.
    pub exposed: usize,
    /// Inconclusive ones.
    pub inconclusive: usize,
    /// Endpoints of all findings.
    pub endpoints: usize,
    /// Attempts of all findings.
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
    /// Whether it was ended from outside before its time.
    pub interrupted: bool,
    /// The worst verdict of all findings; `inconclusive` where there are none.
    pub verdict: Verdict,
    /// The counts.
    pub totals: Totals,
    /// Where the round looked from.
    pub vantage: Vantage,
    /// The resolvers asked.
    pub resolvers: Vec<ResolverReport>,
    /// The controls.
    pub controls: Vec<ControlReport>,
    /// The findings in the order of the configuration.
    pub findings: Vec<Finding>,
}

impl Totals {
    /// Counts the findings.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Self {
        let count = |verdict| findings.iter().filter(|f| f.verdict == verdict).count();
        Self {
            targets: findings.len(),
            blocked: count(Verdict::Blocked),
            exposed: count(Verdict::Exposed),
            inconclusive: count(Verdict::Inconclusive),
            endpoints: findings.iter().map(|f| f.endpoints.len()).sum(),
            attempts: findings.iter().map(Finding::attempts).sum(),
        }
    }
}

impl RoundReport {
    /// The worst verdict of some findings; nothing watched is nothing seen.
    #[must_use]
    pub fn worst(findings: &[Finding]) -> Verdict {
        findings
            .iter()
            .map(|f| f.verdict)
            .max()
            .unwrap_or(Verdict::Inconclusive)
    }
}
