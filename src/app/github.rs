//! From the environment to the store of issues.
//!
//! The token comes from the environment alone: arguments are everybody's to read on a machine.

use std::time::Duration;

use crate::actions::Visibility;
use crate::domain::report::RoundReport;
use crate::domain::trail::TrailPlan;
use crate::incident::Problem;
use crate::incident::github::settings::{API, Base, PATIENCE, Settings, Slug, Token, unset};
use crate::incident::github::{GitHub, is_public};

/// The login under which GitHub files what the token of a job writes.
const JOB: &str = "github-actions[bot]";

/// How long the question who may read the run's own repository may take.
const QUESTION: Duration = Duration::from_secs(20);

/// Finds the repository that the round's configuration or the environment names.
pub(super) async fn open(report: &RoundReport) -> Result<GitHub, Problem> {
    let plan = &report.incidents;
    GitHub::open(&settings(plan, lookup, PATIENCE)?).await
}

/// Who may read the repository that a workflow runs in, where there is a token to ask with.
pub(super) async fn visibility() -> Visibility {
    // Where the issues are is another question.
    let settings = settings(&TrailPlan::default(), lookup, QUESTION);
    let Ok(settings) = settings else {
        return Visibility::Unknown;
    };
    match is_public(&settings).await {
        Ok(true) => Visibility::Public,
        Ok(false) => Visibility::Private,
        Err(_) => Visibility::Unknown,
    }
}

fn lookup(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn settings(
    plan: &TrailPlan,
    lookup: impl Fn(&str) -> Option<String>,
    patience: Duration,
) -> Result<Settings, Problem> {
    let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
    let own = get("GITHUB_REPOSITORY");
    let repository = plan.repository.clone().or_else(|| own.clone());
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
        author: plan.author.clone(),
        guess: (on_actions && at_home).then(|| JOB.to_owned()),
        patience,
    })
}
