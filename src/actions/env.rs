//! What a GitHub runner says about itself in environment variables.
//!
//! The variables come through a function, so that tests need no process environment, and empty ones
//! count as missing. None of this proves where a runner stands: a hosted runner can sit inside a
//! customer's network.

use std::path::PathBuf;

/// The variables that noentry knows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Env {
    /// Whether this is a GitHub Actions job (`GITHUB_ACTIONS` is `true`).
    pub on_actions: bool,
    /// The file of the step's summary (`GITHUB_STEP_SUMMARY`).
    pub step_summary: Option<PathBuf>,
    /// The file of the step's outputs (`GITHUB_OUTPUT`).
    pub output: Option<PathBuf>,
    /// The API's address (`GITHUB_API_URL`): also a built-in control.
    pub api_url: Option<String>,
    /// `github-hosted` or `self-hosted` (`RUNNER_ENVIRONMENT`).
    pub runner_environment: Option<String>,
    /// The runner's name (`RUNNER_NAME`).
    pub runner_name: Option<String>,
    /// The repository that the workflow runs in, as `owner/name` (`GITHUB_REPOSITORY`).
    pub repository: Option<String>,
    /// The file with what set the workflow off (`GITHUB_EVENT_PATH`).
    pub event: Option<PathBuf>,
    /// Where the repository was checked out (`GITHUB_WORKSPACE`).
    pub workspace: Option<PathBuf>,
    /// Where the repositories' pages are, such as `https://github.com` (`GITHUB_SERVER_URL`).
    pub server_url: Option<String>,
    /// The commit (`GITHUB_SHA`).
    pub sha: Option<String>,
    /// The number of the run (`GITHUB_RUN_ID`).
    pub run_id: Option<String>,
    /// How often the run was started, from 1 (`GITHUB_RUN_ATTEMPT`).
    pub run_attempt: Option<String>,
}

impl Env {
    /// Reads the variables with `lookup`.
    #[must_use]
    pub fn from(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        Self {
            on_actions: get("GITHUB_ACTIONS").as_deref() == Some("true"),
            step_summary: get("GITHUB_STEP_SUMMARY").map(PathBuf::from),
            output: get("GITHUB_OUTPUT").map(PathBuf::from),
            api_url: get("GITHUB_API_URL"),
            runner_environment: get("RUNNER_ENVIRONMENT"),
            runner_name: get("RUNNER_NAME"),
            repository: get("GITHUB_REPOSITORY"),
            event: get("GITHUB_EVENT_PATH").map(PathBuf::from),
            workspace: get("GITHUB_WORKSPACE").map(PathBuf::from),
            server_url: get("GITHUB_SERVER_URL"),
            sha: get("GITHUB_SHA"),
            run_id: get("GITHUB_RUN_ID"),
            run_attempt: get("GITHUB_RUN_ATTEMPT"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_recognised_and_empty_variables_are_missing() {
        let env = Env::from(|name| match name {
            "GITHUB_ACTIONS" => Some("true".to_owned()),
            "GITHUB_OUTPUT" => Some("out.txt".to_owned()),
            "RUNNER_NAME" => Some(" ".to_owned()),
            "RUNNER_ENVIRONMENT" => Some("github-hosted".to_owned()),
            _ => None,
        });
        assert_eq!(
            env,
            Env {
                on_actions: true,
                output: Some(PathBuf::from("out.txt")),
                runner_environment: Some("github-hosted".to_owned()),
                ..Env::default()
            }
        );
        assert_eq!(Env::from(|_| None), Env::default());
    }
}
