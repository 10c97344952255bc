//! Opening an issue: once, whatever happens on the way.
//!
//! After trouble it is looked for among the newest issues before it is sent again. Where another run
//! was faster, the later issue is closed as a duplicate: the later run always sees the earlier issue,
//! because it looks after its own is there.

use serde_json::{Value, json};

use super::super::body;
use super::super::paper::Paper;
use super::super::{Change, Problem};
use super::labels;
use super::update::{DUPLICATE, LIMIT, closing};
use super::wire::Issue;
use super::words::Fault;
use super::{GitHub, update};
use crate::domain::escape::clip;

/// The most characters of a title.
const TITLE: usize = 250;
/// How often an issue is sent.
const TRIES: u32 = 3;
/// What cannot be done.
const DOING: &str = "open an issue";

/// The title of a change's incident.
pub(super) fn title(state: &super::State) -> String {
    clip(&body::title(state), TITLE)
}

impl GitHub {
    /// Opens an issue and gives the number of the one that tells of the incident from now on.
    pub(super) async fn create(&mut self, change: &Change) -> Result<u64, Problem> {
        if let Some(stray) = self.stray(change).await? {
            self.find_label(&stray, &labels::of(&change.state)).await?;
            // It was not known when this was decided: the next round goes on with it.
            self.keep(&stray, change.state.clone());
            return Ok(stray.number);
        }
        let wanted = labels::of(&change.state);
        let wanted = labels::ensure(&self.tracker, &mut self.labels, &wanted, &mut self.asides);
        let wanted = wanted.await?;
        let mut paper = Paper::new(change.state.clone());
        paper.change(change);
        let text = paper
            .fit(LIMIT)
            .map_err(|what| self.tracker.at_repository(what))?;
        let new = json!({ "title": title(&change.state), "body": text, "labels": wanted });
        let issue = self.send_once(change, &new).await?;
        self.asides.extend(self.who.learn(&self.tracker, &issue));
        self.keep(&issue, change.state.clone());
        self.find_label(&issue, &wanted).await?;
        let number = self.settle(issue.number, change).await?;
        if number == issue.number {
            self.assign_new(number, change).await;
        }
        Ok(number)
    }

    /// An issue that was opened in an earlier round and did not get its label, so that it is not found
    /// like the others. Without this look, a token that may not set labels would open one each round.
    async fn stray(&mut self, change: &Change) -> Result<Option<Issue>, Problem> {
        if self.strays.is_none() {
            let newest = self.tracker.newest().await;
            let newest = newest.map_err(|f| self.tracker.problem(&f, DOING))?;
            let is_stray = |issue: &Issue| {
                issue.is_open() && !issue.has_label(labels::OURS) && issue.is_by(&self.who.login)
            };
            self.strays = Some(newest.into_iter().filter(is_stray).collect());
        }
        let mut strays = self.strays.iter().flatten();
        let stray = strays.find(|issue| {
            Paper::read(issue.text(), change.state.fingerprint.short())
                // What was written into since had its label then, and a person took it off.
                .is_ok_and(|paper| paper.state.open && paper.state.last_round == paper.state.opened)
        });
        Ok(stray.cloned())
    }

    async fn send_once(&self, change: &Change, new: &Value) -> Result<Issue, Problem> {
        let mut tries = 0;
        loop {
            let fault = match self.tracker.open(new).await {
                Ok(issue) => return Ok(issue),
                Err(fault) => fault,
            };
            tries += 1;
            let problem = self.tracker.problem(&fault, DOING);
            if !fault.is_unclear() || !self.tracker.api.pause(tries).await {
                return Err(problem);
            }
            // Labels are not asked for: without the right to set them they are dropped.
            let newest = self.tracker.newest().await;
            let newest = newest.map_err(|f| self.tracker.problem(&f, DOING))?;
            let ours = newest.into_iter().find(|issue| self.tells(issue, change));
            match ours {
                Some(issue) => return Ok(issue),
                None if tries < TRIES => {}
                None => return Err(problem),
            }
        }
    }

    /// Whether an issue is the one of this change, and not one that was known before.
    fn tells(&self, issue: &Issue, change: &Change) -> bool {
        let by_us = issue.is_by(&self.who.login) || !self.who.is_sure();
        by_us
            && !self.issues.contains_key(&issue.number)
            && Paper::read(issue.text(), change.state.fingerprint.short()).is_ok_and(|paper| {
                paper.state.number == change.state.number
                    && paper.state.last_round == change.state.last_round
            })
    }

    /// Makes sure that the issue is found again.
    async fn find_label(&self, issue: &Issue, wanted: &[String]) -> Result<(), Problem> {
        let missing: Vec<&str> = wanted
            .iter()
            .map(String::as_str)
            .filter(|name| !issue.has_label(name))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let lost = |why: String| {
            self.tracker.at(
                issue.number,
                format!(
                    "cannot be found again: the label {} is missing ({why}); add it by hand, and \
                     give the token the right to set labels",
                    labels::OURS
                ),
            )
        };
        let added = self.tracker.add_labels(issue.number, &missing).await;
        let now = self.tracker.issue(issue.number).await;
        match (now, added) {
            (Ok(now), _) if now.has_label(labels::OURS) => Ok(()),
            (_, Err(fault)) | (Err(fault), Ok(())) => {
                Err(lost(super::words::say(&fault, "set labels")))
            }
            (Ok(_), Ok(())) => Err(lost("GitHub dropped it".to_owned())),
        }
    }

    /// Looks whether another run opened an issue about the same, and closes the later one.
    async fn settle(&mut self, number: u64, change: &Change) -> Result<u64, Problem> {
        // The trail is whole without it: the next round finds the two as well.
        let Ok(newest) = self.tracker.newest().await else {
            return Ok(number);
        };
        let short = change.state.fingerprint.short();
        let mut earlier: Vec<(Issue, Paper)> = newest
            .into_iter()
            .filter(|issue| issue.number < number && issue.is_open())
            .filter(|issue| issue.has_label(labels::OURS) && issue.is_by(&self.who.login))
            .filter_map(|issue| Some((super::paper(issue.text())?.ok()?, issue)))
            .map(|(paper, issue)| (issue, paper))
            .filter(|(_, paper)| paper.state.open && paper.state.fingerprint.short() == short)
            .collect();
        earlier.sort_by_key(|(issue, _)| issue.number);
        let Some((first, paper)) = earlier.into_iter().next() else {
            return Ok(number);
        };
        let mut state = change.state.clone();
        state.open = false;
        state.closed = Some(state.last_round);
        let place = self.tracker.place(first.number);
        state.duplicate_of = Some(place.clone());
        let closed = Change {
            state: state.clone(),
            comment: Some(format!("closed: the same incident is kept at {place}")),
            ..change.clone()
        };
        let mut late = Paper::new(state);
        late.change(&closed);
        let text = late
            .fit(LIMIT)
            .map_err(|what| self.tracker.at(number, what))?;
        let mut patch = closing(DUPLICATE);
        patch.insert("body".to_owned(), Value::from(text));
        update::patch(&self.tracker, number, patch)
            .await
            .map_err(|f| self.tracker.problem_at(number, &f, "close a duplicate"))?;
        self.issues.remove(&number);
        self.keep(&first, paper.state);
        Ok(first.number)
    }

    /// Assigns a new issue, and keeps in it that this was done.
    async fn assign_new(&mut self, number: u64, change: &Change) {
        if change.state.notify.assignees.is_empty() {
            return;
        }
        if !self.assign(number, &change.state).await {
            return;
        }
        let mut state = change.state.clone();
        state.assigned = true;
        let written = Change {
            state: state.clone(),
            ..change.clone()
        };
        let mut paper = Paper::new(state.clone());
        paper.change(&written);
        let Ok(text) = paper.fit(LIMIT) else {
            return;
        };
        let mut patch = serde_json::Map::new();
        patch.insert("body".to_owned(), Value::from(text));
        match update::patch(&self.tracker, number, patch).await {
            Ok(issue) => self.keep(&issue, state),
            // Assigned once more in the next round, which changes nothing.
            Err(fault) => {
                let doing = "note that it is assigned";
                self.asides
                    .push(self.tracker.problem_at(number, &fault, doing));
            }
        }
    }

    /// Assigns an issue and tells of those who were not. False if that is to be tried again.
    pub(super) async fn assign(&mut self, number: u64, state: &super::State) -> bool {
        let wanted = &state.notify.assignees;
        let doing = format!("assign it to {}", wanted.join(", "));
        match self.tracker.assign(number, wanted).await {
            Ok(issue) => {
                let now = issue.assignees.unwrap_or_default();
                let is_there = |who: &str| now.iter().any(|u| u.login.eq_ignore_ascii_case(who));
                let missing: Vec<&str> = wanted
                    .iter()
                    .map(String::as_str)
                    .filter(|who| !is_there(who))
                    .collect();
                if !missing.is_empty() {
                    let what = format!(
                        "could not be assigned to {}: only those with access to the repository can \
                         be, ten at most; correct assignees in the configuration",
                        missing.join(", ")
                    );
                    self.asides.push(self.tracker.at(number, what));
                }
                true
            }
            Err(fault) => {
                self.asides
                    .push(self.tracker.problem_at(number, &fault, &doing));
                // What GitHub will not do today it will not do tomorrow either.
                matches!(
                    fault,
                    Fault::Refused {
                        status: 404 | 422,
                        ..
                    }
                )
            }
        }
    }
}
