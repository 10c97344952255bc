//! What noentry knows about one incident, and the hidden line that carries it.
//!
//! The line is a comment of HTML with JSON in it, `<!-- noentry:v1 {…} -->`, at a fixed place of the
//! section that noentry writes. Nothing else in the section can begin or end a comment, because
//! [`inert`] breaks both; a line of the same form anywhere else means nothing. A state whose
//! fingerprint is not the one of its own name and configuration is refused.
//!
//! An issue's body takes 65,536 characters, so a long state is deflated: `<!-- noentry:v1z … -->`, in
//! Base64. What can be made again is left out of it: see `wire`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use time::OffsetDateTime;

use crate::domain::reach::Reach;
use crate::domain::trail::Notify;

pub use super::wire::{read, write};

/// How many characters of a fingerprint are shown.
const SHORT: usize = 12;

/// What an incident is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One target is exposed.
    Target,
    /// Many became exposed in the same round.
    Mass,
    /// Some could not be judged for a while.
    Blind,
}

/// Who an incident is about: SHA-256 over kind, name and configuration path, in lowercase hex.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// The fingerprint of a target.
    #[must_use]
    pub fn target(name: &str, config: &str) -> Self {
        Self::of(Kind::Target, name, config)
    }

    /// The fingerprint of an incident of any kind; the name is empty where it is not one target's.
    #[must_use]
    pub fn of(kind: Kind, name: &str, config: &str) -> Self {
        let kind: &[u8] = match kind {
            Kind::Target => b"target",
            Kind::Mass => b"mass",
            Kind::Blind => b"blind",
        };
        let mut digest = Sha256::new();
        for part in [kind, name.as_bytes(), config.as_bytes()] {
            // The length before each keeps `ab`+`c` and `a`+`bc` apart.
            digest.update(part.len().to_be_bytes());
            digest.update(part);
        }
        Self(hex(&digest.finalize()))
    }

    /// Nobody's, until the state that a member belongs to says whose it is.
    const fn nobody() -> Self {
        Self(String::new())
    }

    /// The first characters, for names and for people.
    #[must_use]
    pub fn short(&self) -> &str {
        self.0.get(..SHORT).unwrap_or(&self.0)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether this may be a short fingerprint.
pub(super) fn is_short(text: &str) -> bool {
    text.len() == SHORT
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A few characters that stand for a text which need not be kept itself.
pub(super) fn digest(text: &str) -> String {
    let mut whole = hex(&Sha256::digest(text));
    whole.truncate(SHORT);
    whole
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing to a String cannot go wrong.
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// A person's word that an incident is not wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dismissal {
    /// The round that noticed it.
    #[serde(with = "time::serde::rfc3339")]
    pub at: OffsetDateTime,
    /// Whether the target was seen blocked since. Until then no other incident is opened for it.
    pub over: bool,
}

/// Blocked rounds in a row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shut {
    /// The first of them.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// How many.
    pub rounds: u32,
    /// What stopped the outsider, in Markdown; empty where it was not kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
}

/// One target within an incident about several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who. It follows from the name and the configuration and is not kept.
    #[serde(skip, default = "Fingerprint::nobody")]
    pub fingerprint: Fingerprint,
    /// The target's name.
    pub name: String,
    /// Whether it still counts: not yet shut, or not yet seen.
    pub open: bool,
    /// Since when.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// One line of Markdown: what was seen last; empty where it was not kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub headline: String,
    /// Blocked rounds in a row, if there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shut: Option<Shut>,
    /// Whether the last round could not judge it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsure: bool,
    /// Whether the configuration does not know it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub orphaned: bool,
}

/// What noentry knows about one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// What it is about.
    pub kind: Kind,
    /// The target's name; empty where it is about several.
    pub name: String,
    /// The configuration file.
    pub config: String,
    /// Who it is about.
    pub fingerprint: Fingerprint,
    /// 1 for the first incident of this fingerprint.
    pub number: u32,
    /// Whether it is open.
    pub open: bool,
    /// The round that opened it, first or again.
    #[serde(with = "time::serde::rfc3339")]
    pub opened: OffsetDateTime,
    /// The first round that saw it.
    #[serde(with = "time::serde::rfc3339")]
    pub first_seen: OffsetDateTime,
    /// The last round that saw it.
    #[serde(with = "time::serde::rfc3339")]
    pub last_seen: OffsetDateTime,
    /// The last round that was counted.
    #[serde(with = "time::serde::rfc3339")]
    pub last_round: OffsetDateTime,
    /// How many rounds saw it.
    pub rounds: u64,
    /// When the last comment was written.
    #[serde(with = "time::serde::rfc3339")]
    pub told: OffsetDateTime,
    /// When it was closed.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub closed: Option<OffsetDateTime>,
    /// Since when nobody can tell.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub unsure: Option<OffsetDateTime>,
    /// Since when the configuration does not know the target.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub orphaned: Option<OffsetDateTime>,
    /// Since when the exposure is waived.
    #[serde(
        default,
        with = "time::serde::rfc3339::option",
        skip_serializing_if = "Option::is_none"
    )]
    pub waived: Option<OffsetDateTime>,
    /// Blocked rounds in a row, if there are some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shut: Option<Shut>,
    /// What stopped the outsider before this incident, in Markdown, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stopped_before: Option<String>,
    /// When it was opened during the last day, in seconds since 1970.
    pub openings: Vec<i64>,
    /// Whether it opens and shuts too often to tell each time.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub flapping: bool,
    /// The furthest rung of the last round that saw it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<Reach>,
    /// One line of Markdown: what the last round that saw it saw.
    pub headline: String,
    /// Where the target is declared.
    pub declared: String,
    /// The same as a link to the file as it was, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The run of the last round that was counted, if there is a link to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The title that noentry gave it, plain text in one line; a person may have changed it since.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Whom it is for.
    #[serde(default, skip_serializing_if = "Notify::is_empty")]
    pub notify: Notify,
    /// Whether it was assigned to whom it is for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub assigned: bool,
    /// Whether a person closed it as not planned. It is never opened again then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dismissal: Option<Dismissal>,
    /// How many more targets an incident about several stands for than it lists.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub beyond: u32,
    /// What was seen since it was opened: digests of places, and of what was seen there.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, BTreeSet<String>>,
    /// Where the incident is that stayed, of one that was closed because another told the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duplicate_of: Option<String>,
    /// Where the incident before this one is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// The targets of an incident about several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Member>,
}

/// Breaks what could begin or end a comment in Markdown.
#[must_use]
pub fn inert(markdown: &str) -> String {
    markdown
        .replace("<!", "<\\u{21}")
        .replace("-->", "--\\u{3e}")
        .replace("--!>", "--!\\u{3e}")
}
