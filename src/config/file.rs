//! The format of `noentry.yml` as serde types, from which the JSON Schema is made as well.
//!
//! What is written here says which keys there are and of which type; what makes sense together is
//! decided in [`resolve()`](super::resolve()). The comments become the descriptions of the schema.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::field::Field;
use crate::domain::endpoint::Family;
use crate::domain::reach::Reach;
use crate::domain::target::Barrier;

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
    #[schemars(length(min = 1), extend("examples" = [["1.1.1.1", "9.9.9.9"]]))]
    pub resolvers: Field<Vec<Field<Resolver>>>,
    /// What must be reachable from this vantage, or silence proves nothing.
    pub controls: Field<Vec<Field<Control>>>,
    /// What must not be reachable.
    #[schemars(length(min = 1))]
    pub targets: Field<Vec<Field<Target>>>,
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
    /// How many attempts are in flight at most.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 16_000))]
    pub concurrency: Field<u64>,
    /// How many attempts are in flight at most against one address.
    #[schemars(range(min = 1, max = 100_000), extend("default" = 32))]
    pub per_host: Field<u64>,
}

/// Something that must be reachable.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields, transform = one_kind)]
pub struct Control {
    /// A web address that must answer.
    pub url: Field<UrlText>,
    /// A TCP port that must accept connections.
    pub tcp: Field<HostPort>,
    /// A name that must resolve.
    pub dns: Field<Name>,
    /// The deadline of one attempt, all layers included: 500ms to 60s.
    pub timeout: Field<Span>,
    /// How many attempts an endpoint gets.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: Field<u64>,
    /// Whether addresses that are not globally routable are connected to.
    pub probe_non_global: Field<bool>,
}

/// Something that must not be reachable from outside: exactly one of `url`, `tcp` and `dns`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(
    deny_unknown_fields,
    extend("required" = ["name"]),
    transform = one_kind,
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
    /// A name that must not lead to a globally routable address.
    pub dns: Field<Name>,
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
    /// Accepted status codes. 429 is not one of them: it tells about the vantage. Those below 400,
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
    /// Barrier `network`: a TCP reset; the packet got through to a host.
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

/// The schema of the version; the file's own type is any number, so that another one gets a message
/// of its own.
#[derive(JsonSchema)]
#[schemars(transparent, inline, extend("enum" = [1]))]
#[expect(dead_code, reason = "only its schema is used")]
struct Version(u64);

/// A duration: a number and `ms`, `s` or `m`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([0-9]{1,9}(\.[0-9]{1,9})?(ms|s|m)|\$\{[A-Za-z_][A-Za-z0-9_]*\})$",
    "examples" = ["4.8s", "500ms"]
    )
)]
pub struct Span(pub String);

/// An `http` or `https` address, without credentials and fragment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([Hh][Tt][Tt][Pp][Ss]?://[^\s/?#@\\][^\s#@\\]*|.*\$\{.*)$",
    "examples" = ["https://admin.example.com/login"]
    )
)]
pub struct UrlText(pub String);

/// A host and a port, an IPv6 address in brackets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^(([^\s:/@\[\]]+|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}|.*\$\{.*)$",
    "examples" = ["db.example.com:5432", "[2001:db8::1]:443"]
    )
)]
pub struct HostPort(pub String);

/// A DNS name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([^\s:/@\[\]]+|.*\$\{.*)$",
    "examples" = ["intranet.example.com"]
    )
)]
pub struct Name(pub String);

/// The address of a resolver, with a port where it is not 53.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([0-9.]+(:[0-9]+)?|[0-9A-Fa-f:.]+|\[[0-9A-Fa-f:.]+\](:[0-9]+)?|.*\$\{.*)$",
    "examples" = ["1.1.1.1", "[2606:4700:4700::1111]:53"]
    )
)]
pub struct Resolver(pub String);

macro_rules! as_text {
    ($($name:ident)*) => {$(
        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

as_text!(Span UrlText HostPort Name Resolver);

/// An HTTP status code.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("minimum" = 100, "maximum" = 599, "not" = { "const": 429 }))]
pub struct Status(pub u64);

/// Exactly one of `url`, `tcp` and `dns`.
fn one_kind(schema: &mut schemars::Schema) {
    let kinds = ["url", "tcp", "dns"].map(|key| json!({ "required": [key] }));
    schema.insert("oneOf".to_owned(), json!(kinds));
}

/// Which barrier belongs to which kind, and which denial to which barrier.
fn barriers(schema: &mut schemars::Schema) {
    let when =
        |condition: Value, then: Value| json!({ "if": condition, "then": { "properties": then } });
    let is = |barrier: &str| json!({ "properties": { "barrier": { "const": barrier } }, "required": ["barrier"] });
    let list =
        |stops: &[&str]| json!({ "denial": { "type": "array", "items": { "enum": stops } } });
    let at_dns = list(&["no_name", "private_address"]);
    let at_network = list(&["no_answer", "prohibited", "refused"]);
    let rules = [
        when(
            json!({ "required": ["dns"] }),
            json!({ "barrier": { "const": "dns" } }),
        ),
        when(
            json!({ "required": ["tcp"] }),
            json!({ "barrier": { "enum": ["dns", "network"] } }),
        ),
        when(is("http"), json!({ "denial": { "type": "object" } })),
        when(is("tls"), json!({ "denial": false })),
        when(is("dns"), at_dns.clone()),
        when(is("network"), at_network.clone()),
        when(
            json!({ "required": ["dns"], "not": { "required": ["barrier"] } }),
            at_dns,
        ),
        when(
            json!({ "not": { "anyOf": [{ "required": ["barrier"] }, { "required": ["dns"] }] } }),
            at_network,
        ),
    ];
    schema.insert("allOf".to_owned(), json!(rules));
}
