//! Writing into an issue that is there: what a person wrote or did since stays.

use serde_json::{Map, Value};

use super::super::paper::Paper;
use super::super::state::State;
use super::super::{Change, Deed, Problem};
use super::GitHub;
use super::create::title;
use super::labels::{self, ORPHANED};
use super::tracker::Tracker;
use super::wire::Issue;
use super::words::Fault;

/// The longest body, in bytes: GitHub counts characters.
pub(super) const LIMIT: usize = 65_536;
/// Reasons for closing.
const DONE: &str = "completed";
pub(super) const DUPLICATE: &str = "duplicate";
/// How often a change is sent.
const TRIES: u32 = 2;
/// What cannot be done.
const DOING: &str = "update the issue";

/// What closes an issue.
pub(super) fn closing(reason: &str) -> Map<String, Value> {
    [("state", "closed"), ("state_reason", reason)]
        .map(|(key, value)| (key.to_owned(), Value::from(value)))
        .into_iter()
        .collect()
}

/// Changes an issue, once. The same change twice is the same as once, but between the two a person
/// may have had a hand in it.
pub(super) async fn patch(
    tracker: &Tracker,
    number: u64,
    mut fields: Map<String, Value>,
) -> Result<Issue, Fault> {
    let done = tracker.change(number, &Value::Object(fields.clone())).await;
    let duplicate = fields.get("state_reason").is_some_and(|r| r == DUPLICATE);
    match done {
        Err(fault) if fault.is(422) && duplicate => {
            // Enterprise Servers learned that word late.
            fields.insert("state_reason".to_owned(), Value::from(DONE));
            tracker.change(number, &Value::Object(fields)).await
        }
        other => other,
    }
}

impl GitHub {
    /// Writes a change into its issue: what there is to say first, then everything else at once, so
    /// that a state is never ahead of what was said.
    pub(super) async fn update(&mut self, number: u64, change: &Change) -> Result<u64, Problem> {
        let problem = |fault: &Fault| self.tracker.problem_at(number, fault, DOING);
        let issue = self.tracker.issue(number).await.map_err(|f| problem(&f))?;
        let short = change.state.fingerprint.short();
        let paper = Paper::read(issue.text(), short);
        let mut paper = paper.map_err(|what| {
            self.tracker.at(
                number,
                format!("left alone: {what}; it was edited a moment ago"),
            )
        })?;
        // Another run was faster, or our own write was done although it seemed to fail.
        if paper.state.last_round >= change.state.last_round {
            return Ok(number);
        }
        let Some(before) = self.issues.get(&number) else {
            return Err(self.tracker.at(number, "is not known".to_owned()));
        };
        let (old, was_open, old_title) = (before.state.clone(), before.open, before.title.clone());
        // What was decided rests on a state that is no more: the list lagged behind, or another run
        // wrote meanwhile. Two blocked rounds with an exposure between them are not two in a row.
        if paper.state.last_round > old.last_round {
            self.outdated.push(self.tracker.place(number));
            self.newer.insert(number, issue);
            return Err(self.tracker.at(
                number,
                "another run wrote into it at the same moment: the next round goes on".to_owned(),
            ));
        }
        let told = self.tell(&issue, change, &old).await;
        told.map_err(|fault| self.tracker.problem_at(number, &fault, DOING))?;
        let mut change = change.clone();
        if change.state.open && !change.state.assigned && !change.state.notify.assignees.is_empty()
        {
            change.state.assigned = self.assign(number, &change.state).await;
        }
        paper.change(&change);
        let text = paper
            .fit(LIMIT)
            .map_err(|what| self.tracker.at(number, what))?;
        let mut fields = standing(&change, &issue, was_open);
        fields.insert("body".to_owned(), Value::from(text));
        let new_title = title(&change.state);
        let is_ours = |shown: &str| shown.trim() == title(&old).trim();
        if new_title != title(&old) && is_ours(&old_title) && is_ours(&issue.title) {
            fields.insert("title".to_owned(), Value::from(new_title));
        }
        if let Some(names) = self.labels_now(&issue, &change.state).await? {
            fields.insert("labels".to_owned(), Value::from(names));
        }
        let wanted = fields
            .get("state")
            .and_then(Value::as_str)
            .map(str::to_owned);
        let now = self.write(&issue, &change, fields).await?;
        if wanted.is_some_and(|wanted| wanted != now.state) {
            return Err(self.tracker.at(
                number,
                "GitHub took the change and did not open or close the issue: give the token the \
                 right to write issues"
                    .to_owned(),
            ));
        }
        self.keep(&now, change.state);
        Ok(number)
    }

    /// Changes an issue; after trouble again only if it was not done, and if nobody wrote into it
    /// meanwhile: the next round has their words.
    async fn write(
        &self,
        before: &Issue,
        change: &Change,
        fields: Map<String, Value>,
    ) -> Result<Issue, Problem> {
        let number = before.number;
        let mut tries = 0;
        loop {
            let fault = match patch(&self.tracker, number, fields.clone()).await {
                Ok(issue) => return Ok(issue),
                Err(fault) => fault,
            };
            tries += 1;
            let problem = self.tracker.problem_at(number, &fault, DOING);
            if !fault.is_unclear() || !self.tracker.api.pause(tries).await {
                return Err(problem);
            }
            let Ok(issue) = self.tracker.issue(number).await else {
                return Err(problem);
            };
            let now = Paper::read(issue.text(), change.state.fingerprint.short());
            if now.is_ok_and(|now| now.state.last_round >= change.state.last_round) {
                return Ok(issue);
            }
            if tries >= TRIES || issue.text() != before.text() {
                return Err(problem);
            }
        }
    }

    /// All labels from now on, where ours have to change: what the round that opened the issue could
    /// not set is set now. Those of people stay.
    async fn labels_now(
        &mut self,
        issue: &Issue,
        state: &State,
    ) -> Result<Option<Vec<String>>, Problem> {
        let orphaned = state.orphaned.is_some();
        let mut missing = Vec::new();
        if state.open && !issue.has_label(labels::kind(state)) {
            missing.push(labels::kind(state).to_owned());
        }
        if orphaned && !issue.has_label(ORPHANED) {
            missing.push(ORPHANED.to_owned());
        }
        let is_gone = |name: &str| !orphaned && name.eq_ignore_ascii_case(ORPHANED);
        if missing.is_empty() && !issue.labels().any(is_gone) {
            return Ok(None);
        }
        let there = labels::ensure(&self.tracker, &mut self.labels, &missing, &mut self.asides);
        let there = there.await?;
        let kept = issue.labels().filter(|name| !is_gone(name));
        let names = kept.map(str::to_owned).chain(there);
        Ok(Some(names.collect()))
    }
}

/// Whether an issue is opened or closed with a change. Where a person did so after the decision was
/// made, that stands, and the next round sees it.
fn standing(change: &Change, issue: &Issue, was_open: bool) -> Map<String, Value> {
    let open = match change.deed {
        Deed::Reopened => true,
        Deed::Closed => false,
        Deed::Opened | Deed::Commented | Deed::Updated => return Map::new(),
    };
    if issue.is_open() != was_open || issue.is_open() == open {
        return Map::new();
    }
    if open {
        return [("state", "open"), ("state_reason", "reopened")]
            .map(|(key, value)| (key.to_owned(), Value::from(value)))
            .into_iter()
            .collect();
    }
    closing(match change.duplicate_of {
        Some(_) => DUPLICATE,
        None => DONE,
    })
}
