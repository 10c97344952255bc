//! From the environment to the store of issues.
//!
//! The token comes from the environment alone: arguments are everybody's to read on a machine.

use std::time::Duration;

use crate::domain::report::RoundReport;
use crate::incident::Problem;
use crate::incident::github::GitHub;
use crate::incident::github::settings::{API, Base, PATIENCE, Settings, Slug, Token, unset};

/// The login under which GitHub files what the token of a job writes.
const JOB: &str = "github-actions[bot]";

/// Finds the repository that the round's configuration or the environment names.
pub(super) async fn open(report: &RoundReport) -> Result<GitHub, Problem> {
    let lookup = |name: &str| std::env::var(name).ok();
    GitHub::open(&settings(report, lookup, PATIENCE)?).await
}

fn settings(
    report: &RoundReport,
    lookup: impl Fn(&str) -> Option<String>,
    patience: Duration,
) -> Result<Settings, Problem> {
    let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
    let own = get("GITHUB_REPOSITORY");
    let repository = report.incidents.repository.clone().or_else(|| own.clone());
    let repository = repository.ok_or_else(|| {
        unset(
            "no repository is named: write incidents: repository: owner/name into the \
             configuration, or set GITHUB_REPOSITORY",
        )
    })?;
    let repository = Slug::new(&repository).map_err(unset)?;
    let token = get("NOENTRY_GITHUB_TOKEN").or_else(|| get("GITHUB_TOKEN"));
    let token = token.ok_or_else(|| {
        unset(
            "there is no token: set GITHUB_TOKEN to ${{ github.token }} in the job's env and give it \
             `permissions: issues: write`, or set NOENTRY_GITHUB_TOKEN",
        )
    })?;
    let api = get("GITHUB_API_URL").unwrap_or_else(|| API.to_owned());
    let at_home = own.is_some_and(|own| own.eq_ignore_ascii_case(repository.as_str()));
    let on_actions = get("GITHUB_ACTIONS").as_deref() == Some("true");
    Ok(Settings {
        api: Base::new(&api).map_err(unset)?,
        repository,
        token: Token::new(&token).map_err(unset)?,
        author: report.incidents.author.clone(),
        guess: (on_actions && at_home).then(|| JOB.to_owned()),
        patience,
    })
}
