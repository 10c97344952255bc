//! The single values of the file, each with the pattern by which an editor checks it.
//!
//! Where variables may stand the pattern lets anything through: what they hold is not known to it.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::domain::payload::{Mute, Protocol};

/// The schema of the version; the file's own type is any number, so that another one gets a message
/// of its own.
#[derive(JsonSchema)]
#[schemars(transparent, inline, extend("enum" = [1]))]
#[expect(dead_code, reason = "only its schema is used")]
pub struct Version(u64);

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

/// A duration that may take days: a number and `s`, `m`, `h` or `d`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([0-9]{1,9}(\.[0-9]{1,9})?[smhd]|\$\{[A-Za-z_][A-Za-z0-9_]*\})$",
    "examples" = ["24h", "7d"]
    )
)]
pub struct PeriodText(pub String);

/// A repository on GitHub: its owner and its name.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}|.*\$\{.*)$",
    "examples" = ["org/private-trail"]
    )
)]
pub struct RepositoryText(pub String);

/// The login of whoever writes the issues; an app's ends in `[bot]`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([A-Za-z0-9][A-Za-z0-9_-]{0,38}(\[bot\])?|.*\$\{.*)$",
    "examples" = ["github-actions[bot]"]
    )
)]
pub struct AuthorText(pub String);

/// The title of an issue: one line with `{target}` where the target's name belongs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([^{}]*(\{target\}[^{}]*)+|.*\$\{.*)$",
    "examples" = ["Reachable from outside: {target}"]
    )
)]
pub struct TitleText(pub String);

/// A label: up to 50 characters without a comma. Those that begin with `noentry` are noentry's own.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^((?!\s*[Nn][Oo][Ee][Nn][Tt][Rr][Yy])\s*[^,]{1,50}\s*|.*\$\{.*)$",
    "examples" = ["security", "team: platform"]
    )
)]
pub struct LabelText(pub String);

/// Somebody's login.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([A-Za-z0-9][A-Za-z0-9_-]{0,38}|.*\$\{.*)$",
    "examples" = ["octocat"]
    )
)]
pub struct LoginText(pub String);

/// Somebody's login, or a team as `org/team`. An `@` before it is dropped.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^(@?(?![^/]*(--|__))[A-Za-z0-9][A-Za-z0-9_-]{0,38}(/[A-Za-z0-9._-]{1,100})?|.*\$\{.*)$",
    "examples" = ["org/on-call", "octocat"]
    )
)]
pub struct MentionText(pub String);

/// A day: year, month and day with hyphens between them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])|.*\$\{.*)$",
    "examples" = ["2026-12-31"]
    )
)]
pub struct DayText(pub String);

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

/// The same, or `host:*` for every port.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^(([^\s:/@\[\]]+|\[[0-9A-Fa-f:.]+\]):([1-9][0-9]{0,4}|\*)|.*\$\{.*)$",
    "examples" = ["www.example.com:443", "any.example.com:*"]
    )
)]
pub struct HostPorts(pub String);

/// A host alone: a name, an IPv4 address, or an IPv6 address with or without brackets.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    extend(
    "pattern" = r"^([^\s:/@\[\]]+|\[?[0-9A-Fa-f:.]+\]?|.*\$\{.*)$",
    "examples" = ["db.example.com", "2001:db8::1"]
    )
)]
pub struct HostText(pub String);

/// The word of a protocol, or bytes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, transform = payloads, extend("examples" = ["snmp", "hex:0102ff"]))]
pub struct PayloadText(pub String);

/// A type of DNS record by its mnemonic or, RFC 3597 section 5, its number.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(
    inline,
    transform = records,
    extend(
    "pattern" = r"^([A-Z][A-Z0-9]*|[a-z][a-z0-9]*|.*\$\{.*)$",
    "examples" = ["TXT", "MX", "TYPE65"]
    )
)]
pub struct RecordText(pub String);

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

as_text!(
    DayText Span UrlText HostPort HostPorts HostText PayloadText RecordText Name Resolver
    PeriodText RepositoryText AuthorText TitleText LabelText LoginText MentionText
);

/// An HTTP status code.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, extend("minimum" = 100, "maximum" = 599, "not" = { "enum": [407, 429, 511] }))]
pub struct Status(pub u64);

/// Types of record whose absence says nothing, by their mnemonics. The program refuses them by their
/// numbers, and more of them.
fn records(schema: &mut schemars::Schema) {
    let refused = [
        "A", "AAAA", "ANY", "AXFR", "IXFR", "OPT", "TSIG", "TKEY", "RRSIG", "SIG", "NSEC", "NSEC3",
        "ZERO",
    ];
    let words = refused.map(|word| [word.to_owned(), word.to_ascii_lowercase()]);
    schema.insert("not".to_owned(), json!({ "enum": words.concat() }));
}

/// The words that a payload may be, so that the schema knows no others than the program.
fn payloads(schema: &mut schemars::Schema) {
    let words = Protocol::ALL.map(Protocol::as_str);
    let mute = Mute::ALL.map(Mute::as_str);
    let words = [words.as_slice(), mute.as_slice()].concat().join("|");
    let pattern = format!(r"^({words}|hex:(\s*[0-9A-Fa-f]{{2}}){{1,1200}}\s*|.*\$\{{.*)$");
    schema.insert("pattern".to_owned(), json!(pattern));
}
