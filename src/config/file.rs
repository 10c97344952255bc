//! The format of `noentry.yml` as serde types, from which the JSON Schema is made as well.
//!
//! What is written here says which keys there are and of which type; what makes sense together is
//! decided in [`resolve()`](super::resolve()). The comments become the descriptions of the schema.

mod incidents;
mod rules;
mod text;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::field::Field;
use crate::domain::endpoint::Family;
use crate::domain::reach::Reach;
use crate::domain::target::Barrier;
use rules::{barriers, kinds};
use text::Version;

pub use incidents::Incidents;
pub use rules::Kind;
pub use text::{
    DayText, HostPort, HostPorts, HostText, LabelText, LoginText, MentionText, Name, PayloadText,
    PeriodText, RecordText, Resolver, Span, Status, UrlText,
};

/// The version of the format that this program reads.
pub const VERSION: u64 = 1;

/// What must not be reachable from outside, and what must be, so that silence proves something.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    title = "noentry configuration",
    deny_unknown_fields,
    extend("required" = ["version", "targets"]),
    extend("patternProperties" = { "^x-": { "description": "A place for anchors; otherwise ignored." } })
)]
pub struct File {
    /// The version of this format.
    #[schemars(with = "Version")]
    pub version: Field<u64>,
    /// What holds for every target and control that does not say otherwise.
    pub defaults: Field<Defaults>,
    /// The resolvers that are asked for every name, each of them; the system's by default.
    #[schemars(length(min = 1), extend("examples" = [["1.1.1.1", "8.8.8.8"]]))]
    pub resolvers: Field<Vec<Field<Resolver>>>,
    /// What is to be found out about the vantage itself.
    pub vantage: Field<Vantage>,
    /// What must be reachable from this vantage, or silence proves nothing.
    pub controls: Field<Vec<Field<Control>>>,
    /// What must not be reachable.
    #[schemars(length(min = 1))]
    pub targets: Field<Vec<Field<Target>>>,
    /// Exposures that somebody answers for until a day: they are shown, and do not count.
    pub waivers: Field<Vec<Field<Waiver>>>,
    /// What becomes of the incident trail.
    pub incidents: Field<Incidents>,
}

/// What holds for every target and control that does not say otherwise.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Defaults {
    /// The deadline of one attempt, all layers included: 500ms to 60s.
    #[schemars(extend("default" = "4.4s"))]
    pub timeout: Field<Span>,
    /// How many attempts an endpoint gets.
    #[schemars(range(min = 1, max = 20), extend("default" = 3))]
    pub attempts: Field<u64>,
    /// The shortest time between the starts of two attempts: 0s to 60s.
    #[schemars(extend("default" = "1s"))]
    pub interval: Field<Span>,
    /// The watched address families; leaving one out declares it unwatched.
    #[schemars(length(min = 1), extend("default" = ["ipv4", "ipv6"]))]
    pub families: Field<Vec<Field<Family>>>,
    /// Whether addresses that are not globally routable are connected to. Only from inside their
    /// network does that prove anything.
    #[schemars(extend("default" = false))]
    pub probe_non_global: Field<bool>,
    /// Whether QUIC is tried on the same port beside TCP, for every `https` target.
    #[schemars(extend("default" = true))]
    pub http3: Field<bool>,
    /// How many sets of attempts must find a target exposed before an incident opens for it.
    #[schemars(range(min = 1, max = 5), extend("default" = 1))]
    pub confirm: Field<u64>,
    /// How many attempts are in flight at most.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 16_000))]
    pub concurrency: Field<u64>,
    /// How many attempts are in flight at most against one address.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 32))]
    pub per_host: Field<u64>,
    /// How many attempts are started a second at most.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 250))]
    pub rate: Field<u64>,
}

/// What is to be found out about the vantage itself.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, extend("minProperties" = 1))]
pub struct Vantage {
    /// How to learn the address that the outside sees this vantage come from; not asked by default.
    pub egress: Field<Egress>,
    /// Something that only insiders reach. If it is reached, this vantage is no outsider, and the
    /// round is inconclusive.
    #[schemars(extend("not" = { "required": ["dns"] }))]
    pub must_not_reach: Field<Box<Control>>,
    /// Whether this network lets every port out. Then a silence counts although nothing was reached on
    /// its port, and every report says that this is assumed. By default it is so on GitHub's own standard
    /// runners, and nowhere else. What providers are known to close is never assumed to be open.
    pub unfiltered: Field<bool>,
}

/// How to learn the egress address: exactly one of `dns` and `url`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields,
    extend("oneOf" = [
        { "required": ["url"] },
        { "required": ["dns", "server"], "not": { "required": ["servers"] } },
        { "required": ["dns", "servers"], "not": { "required": ["server"] } },
    ]),
    extend("dependentRequired" = { "server": ["dns"], "servers": ["dns"], "record": ["dns"] })
)]
pub struct Egress {
    /// A name that `server` answers with the address of who asks.
    pub dns: Field<Name>,
    /// The server to ask.
    pub server: Field<Resolver>,
    /// The servers to ask, each over its own family.
    #[schemars(length(min = 1))]
    pub servers: Field<Vec<Field<Resolver>>>,
    /// The type of record that holds the address; by the server's family where it is not said.
    #[schemars(extend("enum" = ["A", "a", "AAAA", "aaaa", "TXT", "txt"]))]
    pub record: Field<String>,
    /// A web page whose text is the address of who asks.
    pub url: Field<UrlText>,
}

/// Something that must be reachable.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields,
    transform = kinds
)]
pub struct Control {
    /// A web address that must answer.
    pub url: Field<UrlText>,
    /// A TCP port that must accept connections; `host:*` for a host that does so on every port.
    pub tcp: Field<HostPorts>,
    /// A UDP port that must answer; `host:*`, with `payload`, for a host that does so on every port.
    pub udp: Field<HostPorts>,
    /// A UDP port that must speak QUIC.
    pub quic: Field<HostPort>,
    /// A host that must reply to an ICMP echo request.
    pub icmp: Field<HostText>,
    /// A name that must resolve.
    pub dns: Field<Name>,
    /// What is sent to a `udp` control; by its port where it is not said.
    pub payload: Field<PayloadText>,
    /// The deadline of one attempt, all layers included: 500ms to 60s.
    pub timeout: Field<Span>,
    /// How many attempts an endpoint gets.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: Field<u64>,
    /// Whether addresses that are not globally routable are connected to.
    pub probe_non_global: Field<bool>,
}

/// Something that must not be reachable from outside: exactly one of `url`, `tcp`, `udp`, `quic`,
/// `icmp` and `dns`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields,
    extend("required" = ["name"]),
    transform = kinds,
    transform = barriers
)]
pub struct Target {
    /// Unique; identifies the target in every report.
    #[schemars(length(min = 1, max = 200), extend("examples" = ["Admin console"]))]
    pub name: Field<String>,
    /// A web address, climbed up to HTTP.
    pub url: Field<UrlText>,
    /// A TCP port.
    pub tcp: Field<HostPort>,
    /// A UDP port.
    pub udp: Field<HostPort>,
    /// A UDP port where QUIC is tried.
    pub quic: Field<HostPort>,
    /// A host that must not reply to an ICMP echo request: a name or an address.
    pub icmp: Field<HostText>,
    /// A name that must not lead to a globally routable address or, with `record`, must not have
    /// such a record.
    pub dns: Field<Name>,
    /// For `url` with https: whether QUIC is tried on the same port beside TCP. True by default.
    pub http3: Field<bool>,
    /// For `tcp`: whether to listen for what the server says first, and to look closer at who it was
    /// that completed the handshake.
    #[schemars(extend("default" = false))]
    pub expect_banner: Field<bool>,
    /// For `udp`: what is sent; by the port where it is not said.
    pub payload: Field<PayloadText>,
    /// For `udp`: whether silence counts as blocked, although an open service may be silent too.
    #[schemars(extend("default" = false))]
    pub accept_silence: Field<bool>,
    /// For `dns`: the type of record that must not be published, instead of addresses.
    pub record: Field<RecordText>,
    /// Whether the zone's own servers are asked for the name in any case. They are asked without it
    /// where a resolver gives an address that is not globally routable.
    #[schemars(extend("default" = false))]
    pub authoritative: Field<bool>,
    /// The layer at which an outsider must be stopped at the latest. `network` by default, and `dns`
    /// for a `dns` target.
    pub barrier: Field<Barrier>,
    /// Which ways of being stopped count at the barrier: a list at the barriers `dns` and `network`,
    /// a mapping at `http`, nothing at `tls`.
    pub denial: Field<Box<Denial>>,
    /// Something on the target's own path (same address, network or provider) that must be reachable.
    pub control: Field<Box<Control>>,
    /// The watched address families; leaving one out declares it unwatched.
    #[schemars(length(min = 1))]
    pub families: Field<Vec<Field<Family>>>,
    /// The deadline of one attempt, all layers included: 500ms to 60s.
    pub timeout: Field<Span>,
    /// How many attempts an endpoint gets.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: Field<u64>,
    /// The shortest time between the starts of two attempts: 0s to 60s.
    pub interval: Field<Span>,
    /// Whether addresses that are not globally routable are connected to. Only from inside their
    /// network does that prove anything.
    pub probe_non_global: Field<bool>,
    /// How many sets of attempts must find it exposed before an incident opens for it. The verdict is
    /// the first set's.
    #[schemars(range(min = 1, max = 5))]
    pub confirm: Field<u64>,
    /// Labels of its issue, besides noentry's own and those under `incidents`.
    #[schemars(length(max = 20))]
    pub labels: Field<Vec<Field<LabelText>>>,
    /// Who is assigned to its issue, besides those under `incidents`.
    #[schemars(length(max = 10))]
    pub assignees: Field<Vec<Field<LoginText>>>,
    /// Who is mentioned when its issue opens, besides those under `incidents`.
    #[schemars(length(max = 10))]
    pub mention: Field<Vec<Field<MentionText>>>,
}

/// An exposure that somebody answers for until a day.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields,
    extend("required" = ["target", "owner", "reason", "until"])
)]
pub struct Waiver {
    /// The name of a target of this file.
    #[schemars(length(min = 1), extend("examples" = ["Admin console"]))]
    pub target: Field<String>,
    /// Who answers for the exposure.
    #[schemars(length(min = 1, max = 200), extend("examples" = ["platform team"]))]
    pub owner: Field<String>,
    /// Why it may be for now.
    #[schemars(length(min = 1, max = 500))]
    pub reason: Field<String>,
    /// The last day on which the waiver holds, in UTC.
    pub until: Field<DayText>,
}

/// Which ways of being stopped count.
#[derive(Debug, JsonSchema)]
#[schemars(untagged)]
pub enum Denial {
    /// For the barriers `dns` and `network`.
    Stops(#[schemars(length(min = 1))] Vec<Field<Stop>>),
    /// For the barrier `http`.
    Http(HttpDenial),
}

impl<'de> Deserialize<'de> for Denial {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_yaml::Value::deserialize(deserializer)?;
        if value.is_sequence() {
            Vec::deserialize(value).map(Self::Stops)
        } else {
            HttpDenial::deserialize(value).map(Self::Http)
        }
        .map_err(serde::de::Error::custom)
    }
}

/// What an HTTP answer must look like to count as a denial. All conditions must hold at once.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields,
    extend(
        "minProperties" = 1,
        "anyOf" = [
            { "required": ["header"] },
            { "required": ["body"] },
            { "properties": { "status": { "items": { "minimum": 400, "not": { "const": 401 } } } } },
        ]
    )
)]
pub struct HttpDenial {
    /// Accepted status codes. 407, 429 and 511 are not among them: they tell about the vantage. Those below 400,
    /// and 401, need `header` or `body` as well: alone they mean that an outsider is served.
    #[schemars(length(min = 1), extend("default" = [403, 404]))]
    pub status: Field<Vec<Field<Status>>>,
    /// Headers that must be there, with their exact values: the denier's mark.
    #[schemars(extend("minProperties" = 1, "examples" = [{ "server": "awselb/2.0" }]))]
    pub header: Field<BTreeMap<String, Field<String>>>,
    /// A regular expression that must match somewhere in the first 64 KiB of the body.
    #[schemars(length(min = 1, max = 1000))]
    pub body: Field<String>,
}

/// A way of being stopped.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Stop {
    /// Barrier `network`: silence until the deadline.
    NoAnswer,
    /// Barrier `network`: an ICMP unreachable from a device on the way.
    Prohibited,
    /// Barrier `network`: a TCP reset or, for UDP, a port unreachable from the target itself; the
    /// packet got through to a host.
    Refused,
    /// Barrier `dns`: the name does not exist, or has no address.
    NoName,
    /// Barrier `dns`: only addresses that are not globally routable.
    PrivateAddress,
}

impl Stop {
    /// The rung of the ladder.
    #[must_use]
    pub const fn reach(self) -> Reach {
        match self {
            Self::NoAnswer => Reach::NoAnswer,
            Self::Prohibited => Reach::Prohibited,
            Self::Refused => Reach::Refused,
            Self::NoName => Reach::NoName,
            Self::PrivateAddress => Reach::PrivateAddress,
        }
    }
}
