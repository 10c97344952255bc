//! The trail in a repository's issues: one issue an incident, and a closed one for what is remembered.
//!
//! The issues are the only database. An issue is ours if it has the label `noentry`, was written by
//! whom we are, and has our section with a state in it; what anybody else puts into issues or comments
//! means nothing. What people write around the section stays, and so do their labels and titles.
//!
//! Limits: an issue from which somebody took the label is not found any more, and the next exposure
//! opens a new one. Requests are made one after the other; [`settings::PATIENCE`] is for all of them.

mod api;
mod create;
mod keep;
mod labels;
mod memory;
pub mod settings;
mod speak;
mod tracker;
mod update;
mod who;
mod wire;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::paper::Paper;
use super::state::State;
use super::{Change, Deed, Incident, Known, Memory, Problem, Standing, Store};
use api::Api;
use settings::Settings;
use tracker::Tracker;
use who::Who;
use wire::{Issue, Repository};

use crate::domain::link::is_link;

/// The mark that every section of ours begins with.
const SECTION: &str = "<!-- noentry:begin ";

/// A repository's issues as a place for incidents.
pub struct GitHub {
    tracker: Tracker,
    who: Who,
    public: bool,
    /// The issues that were read or written, by number.
    issues: BTreeMap<u64, Kept>,
    /// The issues with what is remembered, by configuration.
    memory: BTreeMap<String, keep::Kept>,
    /// The labels that are known to be there.
    labels: BTreeSet<String>,
    /// Our open issues without a label; looked for before the first is opened.
    strays: Option<Vec<Issue>>,
    asides: Vec<Problem>,
}

/// An issue as it was when the decision about it was made.
struct Kept {
    state: State,
    open: bool,
    title: String,
    url: String,
}

impl fmt::Debug for GitHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GitHub")
            .field("repository", &self.tracker.repository)
            .finish_non_exhaustive()
    }
}

impl GitHub {
    /// Finds the repository and out who we are.
    ///
    /// # Errors
    /// If the repository cannot be read or keeps no issues, or it cannot be found out who we are.
    pub async fn open(settings: &Settings) -> Result<Self, Problem> {
        let (tracker, repository) = reach(settings).await?;
        if repository.archived == Some(true) {
            return Err(tracker.at_repository(
                "the repository is archived and takes no changes: name another one as incidents: \
                 repository, or take it out of the archive"
                    .to_owned(),
            ));
        }
        if repository.has_issues == Some(false) {
            return Err(tracker.at_repository(
                "issues are switched off in the repository: switch them on in its settings, or name \
                 another one as incidents: repository"
                    .to_owned(),
            ));
        }
        let who = who::find(&tracker, settings).await?;
        Ok(Self {
            tracker,
            who,
            public: repository.is_public(),
            issues: BTreeMap::new(),
            memory: BTreeMap::new(),
            labels: BTreeSet::new(),
            strays: None,
            asides: Vec::new(),
        })
    }

    /// The repository, as `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        self.tracker.repository.as_str()
    }

    /// Whether everybody may read the issues. What is not known counts as public.
    #[must_use]
    pub const fn is_public(&self) -> bool {
        self.public
    }

    /// Sorts what was listed.
    fn sort(&mut self, issues: Vec<Issue>) -> Result<Known, Problem> {
        self.who.look_around(&self.tracker, &issues)?;
        let mut known = Known::default();
        self.issues.clear();
        self.memory.clear();
        self.strays = None;
        for issue in issues {
            if !issue.is_by(&self.who.login) {
                continue;
            }
            if issue.has_label(labels::MEMORY) {
                self.sort_memory(&issue, &mut known);
                continue;
            }
            match paper(issue.text()) {
                None => {}
                Some(Ok(paper)) => {
                    known.incidents.push(Incident {
                        state: paper.state.clone(),
                        place: self.tracker.place(issue.number),
                        standing: standing(&issue),
                    });
                    self.keep(&issue, paper.state);
                }
                Some(Err(what)) => {
                    // Which of its target's incidents it was cannot be told any more.
                    let what = format!(
                        "left alone: {what}; repair noentry's section from the issue's edit history, \
                         or take off the label {}",
                        labels::OURS
                    );
                    known.problems.push(self.tracker.at(issue.number, what));
                }
            }
        }
        Ok(known)
    }

    fn keep(&mut self, issue: &Issue, state: State) {
        let url = web(issue).unwrap_or_else(|| self.tracker.place(issue.number));
        self.issues.insert(
            issue.number,
            Kept {
                state,
                open: issue.is_open(),
                title: issue.title.clone(),
                url,
            },
        );
    }

    /// The issue that a change is about.
    fn meant(&self, change: &Change) -> Option<u64> {
        let number = self.tracker.number(change.place.as_deref()?)?;
        self.issues.contains_key(&number).then_some(number)
    }

    /// What was done, as a person finds it.
    fn shown(&self, number: u64) -> String {
        let kept = self.issues.get(&number);
        kept.map_or_else(|| self.tracker.place(number), |kept| kept.url.clone())
    }
}

impl Store for GitHub {
    async fn known(&mut self) -> Result<Known, Problem> {
        let issues = self.tracker.labelled(labels::OURS).await?;
        self.sort(issues)
    }

    async fn apply(&mut self, change: &Change) -> Result<String, Problem> {
        let number = match (change.deed, self.meant(change)) {
            (Deed::Opened, _) => self.create(change).await?,
            (_, Some(number)) => self.update(number, change).await?,
            (_, None) => {
                return Err(self
                    .tracker
                    .at_repository("an incident is gone that was there a moment ago".to_owned()));
            }
        };
        Ok(self.shown(number))
    }

    async fn remember(&mut self, config: &str, memory: &Memory) -> Result<(), Problem> {
        self.keep_memory(config, memory).await
    }

    fn asides(&mut self) -> Vec<Problem> {
        std::mem::take(&mut self.asides)
    }
}

/// Whether everybody may read a repository.
///
/// # Errors
/// If it cannot be asked.
pub async fn is_public(settings: &Settings) -> Result<bool, Problem> {
    Ok(reach(settings).await?.1.is_public())
}

/// The way to a repository, and the repository.
async fn reach(settings: &Settings) -> Result<(Tracker, Repository), Problem> {
    let api = Api::new(settings).map_err(|fault| Problem {
        place: settings.repository.to_string(),
        what: words::say(&fault, "reach the API"),
        about: None,
    })?;
    let tracker = Tracker {
        api,
        repository: settings.repository.clone(),
    };
    let repository = tracker.repository().await;
    let repository = repository.map_err(|f| tracker.problem(&f, "read the repository"))?;
    Ok((tracker, repository))
}

/// How an issue stands.
fn standing(issue: &Issue) -> Standing {
    match (issue.is_open(), issue.state_reason.as_deref()) {
        (true, _) => Standing::Open,
        (false, Some("not_planned")) => Standing::Dismissed,
        (false, _) => Standing::Closed,
    }
}

/// The section in a text; none if there is no trace of one. A section that a person pasted from
/// another issue makes it nobody's guess which of the two it is.
fn paper(text: &str) -> Option<Result<Paper, String>> {
    let mut shorts: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim_end().strip_prefix(SECTION)?.strip_suffix(" -->"))
        .filter(|short| super::state::is_short(short))
        .collect();
    shorts.sort_unstable();
    shorts.dedup();
    match shorts.as_slice() {
        [] => None,
        [short] => Some(Paper::read(text, short)),
        [..] => Some(Err("it has the sections of several incidents".to_owned())),
    }
}

/// An issue's address for people, if it is one.
fn web(issue: &Issue) -> Option<String> {
    issue.html_url.clone().filter(|url| is_link(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_counts_where_it_is_the_only_one() {
        let section = |short: &str| format!("{SECTION}{short} -->\n");
        assert!(paper("a person's words").is_none());
        assert!(paper(&section("not a fingerprint")).is_none());
        // A trace of one is ours, and broken.
        let one = section("0123456789ab");
        let why = paper(&one).unwrap().unwrap_err();
        assert!(why.contains("is missing"), "{why}");
        let two = format!("{one}{}", section("ba9876543210"));
        let why = paper(&two).unwrap().unwrap_err();
        assert!(why.contains("several incidents"), "{why}");
        // Quoted, it is nobody's.
        assert!(paper(&format!("> {one}")).is_none());
    }

    #[test]
    fn an_issue_stands_as_github_says() {
        let issue = |state: &str, reason: Option<&str>| -> Issue {
            let json = serde_json::json!({
                "number": 1, "state": state, "state_reason": reason,
                "html_url": "javascript:alert(1)",
            });
            serde_json::from_value(json).unwrap()
        };
        assert_eq!(standing(&issue("open", Some("reopened"))), Standing::Open);
        assert_eq!(standing(&issue("closed", None)), Standing::Closed);
        assert_eq!(
            standing(&issue("closed", Some("completed"))),
            Standing::Closed
        );
        assert_eq!(
            standing(&issue("closed", Some("duplicate"))),
            Standing::Closed
        );
        assert_eq!(
            standing(&issue("closed", Some("not_planned"))),
            Standing::Dismissed
        );
        assert_eq!(web(&issue("open", None)), None);
    }
}
