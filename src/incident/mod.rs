//! The trail: an incident opens when a target becomes reachable, and tells the story until it is shut.
//!
//! [`lifecycle`] is pure: this round and the known incidents in, changes out. A [`Store`] knows where
//! incidents are kept and applies the changes; [`folder`] keeps them as Markdown files. What a store
//! could not do is not remembered as done, so the next round does it.
//!
//! Nothing here knows how a finding is put into words: a [`Subject`] comes with its words, as Markdown
//! in which whatever a server sent is inert already.

mod blind;
pub mod body;
mod desk;
pub mod folder;
pub mod github;
mod lead;
pub mod lifecycle;
mod link;
mod mass;
mod packed;
pub mod paper;
pub mod said;
mod share;
mod single;
mod standing;
pub mod state;
mod wire;
mod words;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use time::{Duration, OffsetDateTime};

use crate::domain::reach::Reach;
use crate::domain::trail::{Notify, TrailPlan};
use crate::domain::verdict::Verdict;

pub use share::Share;
use state::{Fingerprint, State};

/// When something happens, and what a new incident is called. The defaults are the documented ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How many conclusive blocked rounds in a row close an incident; at least 1.
    pub close_after: u32,
    /// How long after its end an incident is opened again instead of a new one.
    pub reopen_within: Duration,
    /// How long an open incident may be without a comment.
    pub remind_every: Duration,
    /// How many openings within a day are told one by one.
    pub flaps: usize,
    /// How many inconclusive rounds of one target in a row, or rounds without one shard, are
    /// blindness; at least 1.
    pub blind_after: u32,
    /// How many new incidents of one round are kept one by one.
    pub mass_exposure_after: usize,
    /// The title of a target's incident, with `{target}` where its name belongs; the usual one where
    /// there is none.
    pub title: Option<String>,
}

impl Default for Policy {
    fn default() -> Self {
        Self::from(&TrailPlan::default())
    }
}

impl From<&TrailPlan> for Policy {
    fn from(plan: &TrailPlan) -> Self {
        let seconds = |s: u64| Duration::seconds(i64::try_from(s).unwrap_or(i64::MAX));
        let number = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
        Self {
            close_after: plan.close_after.max(1),
            reopen_within: seconds(plan.reopen_within_s),
            remind_every: seconds(plan.remind_every_s),
            flaps: number(plan.flaps),
            blind_after: plan.blind_after.max(1),
            mass_exposure_after: number(plan.mass_exposure_after),
            title: plan.title.clone(),
        }
    }
}

/// One exposed part of a finding: an endpoint, or the name itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Which one, such as `TCP 192.0.2.1:443`.
    pub place: String,
    /// What was seen there, in words that stay the same as long as nothing changed: the rung, the
    /// status, the certificate.
    pub mark: String,
}

/// One finding, as far as its trail is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The target's name.
    pub name: String,
    /// Who it is.
    pub fingerprint: Fingerprint,
    /// The word on it.
    pub verdict: Verdict,
    /// Whether somebody accepted the exposure for a time.
    pub waived: bool,
    /// The furthest rung; none if nothing could be seen.
    pub reach: Option<Reach>,
    /// What is exposed.
    pub parts: Vec<Part>,
    /// One line of Markdown: what was seen.
    pub headline: String,
    /// A table of evidence in Markdown.
    pub evidence: String,
    /// Shell commands, one a line, with which a person sees the same.
    pub reproduce: Vec<String>,
    /// Where it is declared: file, line and column.
    pub declared: String,
    /// The same as a link to the file as it was, if there is one.
    pub source: Option<String>,
    /// Whom its incident is for.
    pub notify: Notify,
    /// Whether an exposure was seen as often as it was asked for. One that was not opens nothing.
    pub confirmed: bool,
    /// Whether the words here leave out where and what was seen: nothing that could be guessed back
    /// from what is kept may be kept either.
    pub withheld: bool,
}

/// One round, as far as the trail is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// When it began. The trail has no other clock, so that a saved round leaves the same trail.
    pub at: OffsetDateTime,
    /// The configuration file.
    pub config: String,
    /// Whether every target of the configuration was looked at. Only then is one that is missing gone.
    pub complete: bool,
    /// Whether it was ended before its time: what it could not see then is no blindness.
    pub interrupted: bool,
    /// A link to the run in which it was, if there is one.
    pub run: Option<String>,
    /// The findings.
    pub subjects: Vec<Subject>,
    /// Where several jobs share the targets among them: the shards that are there, and those that
    /// are not.
    pub shares: Vec<Share>,
}

/// How an incident stands where it is kept. A person may have had a hand in it since noentry wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// It is open.
    Open,
    /// It is closed as done, or in a way that says nothing about why.
    Closed,
    /// It is closed as not planned, which noentry itself never does: a person does not want it.
    Dismissed,
}

/// An incident as a store has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// What noentry knows about it.
    pub state: State,
    /// How to find it: a file name, an issue's number.
    pub place: String,
    /// How it stands there.
    pub standing: Standing,
}

/// A target that could not be judged lately, or a shard that nobody looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unseen {
    /// The target's name, or the shard's.
    pub name: String,
    /// Since which round.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    /// In how many rounds in a row.
    pub rounds: u32,
}

/// What is remembered about one configuration between rounds, besides its incidents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The last round that was counted.
    #[serde(with = "time::serde::rfc3339")]
    pub last_round: OffsetDateTime,
    /// Who could not be judged, by fingerprint.
    pub unseen: BTreeMap<Fingerprint, Unseen>,
}

/// Everything that a store has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The incidents, in any order.
    pub incidents: Vec<Incident>,
    /// The names that are taken by something that could not be read: short fingerprint and number.
    pub taken: Vec<(String, u32)>,
    /// What is remembered, by configuration file.
    pub memory: BTreeMap<String, Memory>,
    /// What could not be read and was left alone, for a person to look at.
    pub problems: Vec<Problem>,
}

/// What was done to an incident. Only `Opened`, `Reopened` and `Closed` change how it stands where it
/// is kept: with the others it stays as it stands there, whatever its state says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Deed {
    /// A new one.
    Opened,
    /// One that was closed is open again.
    Reopened,
    /// The body is new, and there is something to say.
    Commented,
    /// The body is new.
    Updated,
    /// It is over.
    Closed,
}

impl Deed {
    /// What is done first, where there may be no time for everything: what tells that somebody can get
    /// in must not wait for a hundred updates.
    const fn turn(self) -> u8 {
        match self {
            Self::Opened => 0,
            Self::Reopened => 1,
            Self::Commented => 2,
            Self::Closed => 3,
            Self::Updated => 4,
        }
    }

    /// The word for the terminal.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Reopened => "reopened",
            Self::Commented => "commented",
            Self::Updated => "updated",
            Self::Closed => "closed",
        }
    }
}

/// One thing for a store to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What.
    pub deed: Deed,
    /// The incident as it is from now on.
    pub state: State,
    /// Evidence and how to see it oneself, in Markdown; none where what stands there stays.
    pub details: Option<String>,
    /// A line of Markdown for the timeline.
    pub comment: Option<String>,
    /// The incident that is meant, by the place that the store gave it; none of a new one.
    pub place: Option<String>,
    /// Of one that is closed because another tells the same: the place of the one that stays.
    pub duplicate_of: Option<String>,
}

/// What follows from a round.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// What to do, each thing on an incident of its own.
    pub changes: Vec<Change>,
    /// What to remember about the round's configuration, where that is something new.
    pub memory: Option<Memory>,
    /// Findings that the trail has from this round or a later one already.
    pub stale: usize,
    /// Exposures that open nothing because a person closed their incident as not planned.
    pub held: Vec<Held>,
    /// The names of exposed targets that open nothing because the exposure was not confirmed.
    pub unconfirmed: Vec<String>,
}

/// An exposure that opens nothing, because of what a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The target's name.
    pub name: String,
    /// The incident that a person closed as not planned.
    pub place: String,
}

/// What a store could not do or read. What was asked for is not done then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Problem {
    /// The file or issue.
    pub place: String,
    /// A lowercase fragment.
    pub what: String,
    /// The target whose incident it is; none where it is about several or about all.
    pub about: Option<String>,
}

impl Problem {
    /// The same for each of these targets; as it is where there are none.
    fn about_each<'a>(self, names: impl Iterator<Item = &'a str>) -> Vec<Self> {
        let each: Vec<Self> = names
            .map(|name| Self {
                about: Some(name.to_owned()),
                ..self.clone()
            })
            .collect();
        if each.is_empty() { vec![self] } else { each }
    }
}

/// Where incidents are kept.
pub trait Store {
    /// Reads everything. What cannot be read alone is a problem within what is known.
    ///
    /// # Errors
    /// If nothing can be known.
    fn known(&mut self) -> impl Future<Output = Result<Known, Problem>>;

    /// Does one thing and says where. Where it could not be done, the next round finds either the old
    /// state or the new one, and doing the same again adds nothing.
    ///
    /// # Errors
    /// If it could not be done.
    fn apply(&mut self, change: &Change) -> impl Future<Output = Result<String, Problem>>;

    /// Keeps what is to be remembered about a configuration.
    ///
    /// # Errors
    /// If it could not be kept.
    fn remember(
        &mut self,
        config: &str,
        memory: &Memory,
    ) -> impl Future<Output = Result<(), Problem>>;

    /// What went wrong beside what was done, since this was asked last.
    fn asides(&mut self) -> Vec<Problem> {
        Vec::new()
    }

    /// The places that were left alone because there was something newer than what was known, since
    /// this was asked last. What is known next has it.
    fn outdated(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// What became of a round's trail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// What was done, where, and to the incident of which title.
    pub done: Vec<(Deed, String, String)>,
    /// What was not, and what could not be read.
    pub problems: Vec<Problem>,
    /// Findings that the trail has from this round or a later one already.
    pub stale: usize,
    /// Exposures that open nothing because a person closed their incident as not planned.
    pub held: Vec<Held>,
    /// The names of exposed targets that open nothing because the exposure was not confirmed.
    pub unconfirmed: Vec<String>,
}

impl Told {
    /// Of a trail that could not be reached or read: no exposure of this round is in it, and each is
    /// named with what went wrong.
    #[must_use]
    pub fn nothing(problem: Problem, round: &Round) -> Self {
        let subjects = round.subjects.iter();
        let untold = subjects.filter(|s| s.verdict == Verdict::Exposed && !s.waived);
        Self {
            problems: problem.about_each(untold.map(|s| s.name.as_str())),
            ..Self::default()
        }
    }
}

/// Brings the trail in line with a round. One failure leaves the rest undisturbed.
pub async fn tell<S: Store>(store: &mut S, round: &Round, policy: &Policy) -> Told {
    let mut known = match store.known().await {
        Ok(known) => known,
        Err(problem) => return Told::nothing(problem, round),
    };
    let mut told = Told {
        problems: std::mem::take(&mut known.problems),
        ..Told::default()
    };
    let mut outcome = lifecycle::reconcile(round, &known, policy);
    outcome.changes.sort_by_key(|change| change.deed.turn());
    told.stale = outcome.stale;
    told.held = outcome.held;
    told.unconfirmed = outcome.unconfirmed;
    for change in &outcome.changes {
        apply(store, change, &mut told).await;
    }
    let outdated = store.outdated();
    if !outdated.is_empty()
        && let Ok(known) = store.known().await
    {
        told.problems.retain(|p| !outdated.contains(&p.place));
        let outcome = lifecycle::reconcile(round, &known, policy);
        let is_outdated = |place: &String| outdated.contains(place);
        let again = outcome.changes.iter();
        for change in again.filter(|change| change.place.as_ref().is_some_and(is_outdated)) {
            apply(store, change, &mut told).await;
        }
    }
    if let Some(memory) = &outcome.memory
        && let Err(problem) = store.remember(&round.config, memory).await
    {
        told.problems.push(problem);
    }
    told.problems.extend(store.asides());
    told
}

/// Does one thing, and notes what became of it.
async fn apply<S: Store>(store: &mut S, change: &Change, told: &mut Told) {
    let mut problems = Vec::new();
    match store.apply(change).await {
        Ok(place) => told
            .done
            .push((change.deed, place, body::title(&change.state))),
        // Of many that became reachable at once, each that is open is missing in the trail.
        Err(problem) if change.state.kind == state::Kind::Mass => {
            let open = change.state.members.iter().filter(|m| m.open);
            problems.extend(problem.about_each(open.map(|m| m.name.as_str())));
        }
        Err(problem) => problems.push(problem),
    }
    problems.extend(store.asides());
    let about = Some(&change.state.name).filter(|name| !name.is_empty());
    told.problems
        .extend(problems.into_iter().map(|problem| Problem {
            about: problem.about.or_else(|| about.cloned()),
            ..problem
        }));
}
