//! What the configuration says about the incident trail, and what became of it: as plain data, so
//! that a saved round leaves the same trail as the round itself.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `incidents:` in the configuration. The defaults are the documented ones.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrailPlan {
    /// The repository whose issues hold the trail, as `owner/name`; the workflow's own where none is
    /// named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// Whose issues are ours, as a login such as `github-actions[bot]`; found out where none is named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Whether addresses and evidence are published where everybody can read them.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub disclose: bool,
    /// The title of a target's issue, with `{target}` where its name belongs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// How many conclusive blocked rounds in a row close an incident; at least 1.
    pub close_after: u32,
    /// How long after its end an incident is opened again instead of a new one, in seconds.
    pub reopen_within_s: u64,
    /// How long an open incident may be without a comment, in seconds.
    pub remind_every_s: u64,
    /// How many openings within a day are told one by one.
    pub flaps: u32,
    /// How many inconclusive rounds of one target in a row, or merges without one shard, are
    /// blindness; at least 1.
    pub blind_after: u32,
    /// How many new incidents of one round are kept one by one.
    pub mass_exposure_after: u32,
}

impl Default for TrailPlan {
    fn default() -> Self {
        Self {
            repository: None,
            author: None,
            disclose: false,
            title: None,
            close_after: 2,
            reopen_within_s: 7 * 24 * 60 * 60,
            remind_every_s: 24 * 60 * 60,
            flaps: 3,
            blind_after: 3,
            mass_exposure_after: 10,
        }
    }
}

impl TrailPlan {
    /// Whether nothing differs from the defaults.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Whom a target's incident is for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Notify {
    /// Labels of its issue, besides noentry's own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Logins of those it is assigned to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub assignees: Vec<String>,
    /// Logins and teams (`org/team`) that are mentioned when it opens, without the `@`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub mention: Vec<String>,
}

impl Notify {
    /// Whether it is for nobody in particular.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Where to read more about a round: absolute `http` or `https` URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Links {
    /// The run in which the round was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// The configuration file as it was in that run; a line is added to it as `#L12`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<String>,
}

impl Links {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether an exposure was seen again within its own round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Confirmation {
    /// How many sets of attempts were asked for; at least 2.
    pub asked: u32,
    /// How many saw it, or could not see at all.
    pub seen: u32,
}

impl Confirmation {
    /// Whether each set that could see anything saw the exposure.
    #[must_use]
    pub const fn holds(self) -> bool {
        self.seen >= self.asked
    }
}

/// What was done about one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrailDeed {
    /// `opened`, `reopened`, `commented`, `updated` or `closed`.
    pub deed: String,
    /// The incident's title.
    pub title: String,
    /// The file or the address.
    pub place: String,
}

/// What could not be done or read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrailProblem {
    /// The file, issue or repository.
    pub place: String,
    /// What went wrong and what to do about it: a lowercase fragment.
    pub what: String,
    /// The target that it is about; none where it is about several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
}

/// An exposure that opens nothing, because of what a person did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrailHeld {
    /// The target's name.
    pub target: String,
    /// The incident that a person closed as not planned.
    pub place: String,
}

/// What became of a round's trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct TrailReport {
    /// Where it is kept, such as `github:owner/name` or `folder:trail`.
    pub store: String,
    /// What was done.
    pub done: Vec<TrailDeed>,
    /// What could not be done.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<TrailProblem>,
    /// Exposures that open nothing, because a person closed their incident as not planned.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<TrailHeld>,
    /// Exposed targets whose exposure was not seen again within the round, and which open nothing.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unconfirmed: Vec<String>,
}
