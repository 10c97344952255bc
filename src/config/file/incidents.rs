//! `incidents:` in the file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::text::{
    AuthorText, LabelText, LoginText, MentionText, PeriodText, RepositoryText, TitleText,
};
use crate::config::field::Field;

/// What becomes of the incident trail.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(deny_unknown_fields)]
pub struct Incidents {
    /// The repository whose issues hold the trail. By default the workflow's own.
    pub repository: Field<RepositoryText>,
    /// Whose issues are noentry's. By default it is found out.
    pub author: Field<AuthorText>,
    /// Whether addresses and evidence are published even where everybody can read them.
    #[schemars(extend("default" = false))]
    pub disclose: Field<bool>,
    /// The title of a target's issue; `{target}` stands for the target's name.
    pub title: Field<TitleText>,
    /// How many blocked rounds in a row close an incident.
    #[schemars(range(min = 1, max = 1000), extend("default" = 2))]
    pub close_after: Field<u64>,
    /// How long after its end an incident is opened again instead of a new one: 0s to 365d.
    #[schemars(extend("default" = "7d"))]
    pub reopen_within: Field<PeriodText>,
    /// How long an open incident may be without a comment: 1h to 365d.
    #[schemars(extend("default" = "24h"))]
    pub remind_every: Field<PeriodText>,
    /// How many openings within a day are told one by one.
    #[schemars(range(min = 1, max = 1000), extend("default" = 3))]
    pub flaps: Field<u64>,
    /// How many inconclusive rounds in a row of one target, or merges without one shard, are blindness.
    #[schemars(range(min = 1, max = 1000), extend("default" = 3))]
    pub blind_after: Field<u64>,
    /// How many new incidents of one round are kept one by one; more of them become one.
    #[schemars(range(min = 1, max = 1000), extend("default" = 10))]
    pub mass_exposure_after: Field<u64>,
    /// Labels of every target's issue, besides noentry's own.
    #[schemars(length(max = 20))]
    pub labels: Field<Vec<Field<LabelText>>>,
    /// Who is assigned to every target's issue.
    #[schemars(length(max = 10))]
    pub assignees: Field<Vec<Field<LoginText>>>,
    /// Who is mentioned when a target's issue opens.
    #[schemars(length(max = 10))]
    pub mention: Field<Vec<Field<MentionText>>>,
}
