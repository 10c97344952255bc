//! What follows from a round: pure, and triggered by levels, not by edges.
//!
//! | finding | no incident | open | closed within `reopen_within` | closed before |
//! | --- | --- | --- | --- | --- |
//! | exposed | open | update; comment on something new or when a reminder is due | reopen | open a new one |
//! | blocked | – | count; close after `close_after` in a row | – | – |
//! | inconclusive | – | say so; never close, and begin to count anew | – | – |
//! | gone from the configuration | – | say so once, leave open | – | – |
//!
//! A round that the trail has already, or one that is older, changes nothing: a report that is played
//! twice must not count as two rounds.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::body::{self, when};
use super::state::{Fingerprint, Kind, Shut, State, digest};
use super::{Change, Deed, Incident, Known, Outcome, Policy, Round, Subject, link, wide};
use crate::domain::trail::Notify;
use crate::domain::verdict::Verdict;

/// How many places and how many sights of each an incident tells apart.
const PLACES: usize = 64;
const MARKS: usize = 16;

/// Everything that a decision may look at.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    /// This round.
    pub round: &'a Round,
    /// What the store has.
    pub known: &'a Known,
    /// When something happens.
    pub policy: &'a Policy,
}

impl<'a> Desk<'a> {
    /// The incidents of a fingerprint, the latest last.
    pub(super) fn of(&self, fingerprint: &Fingerprint) -> Vec<&'a Incident> {
        let mut found: Vec<&Incident> = self
            .known
            .incidents
            .iter()
            .filter(|i| i.state.fingerprint == *fingerprint)
            .collect();
        found.sort_by_key(|i| i.state.number);
        found
    }

    /// A new incident of this fingerprint. The caller fills in what it is about.
    pub(super) fn fresh(&self, kind: Kind, name: &str) -> State {
        let at = self.round.at;
        let fingerprint = Fingerprint::of(kind, name, &self.round.config);
        let before = self.of(&fingerprint);
        let taken = self.known.taken.iter();
        let number = taken
            .filter(|(short, _)| short == fingerprint.short())
            .map(|(_, number)| *number)
            .chain(before.iter().map(|i| i.state.number))
            .max()
            .unwrap_or(0)
            .saturating_add(1);
        let last = before.last();
        State {
            kind,
            name: name.to_owned(),
            config: self.round.config.clone(),
            fingerprint,
            number,
            open: true,
            opened: at,
            first_seen: at,
            last_seen: at,
            last_round: at,
            rounds: 1,
            told: at,
            closed: None,
            unsure: None,
            orphaned: None,
            waived: None,
            shut: None,
            stopped_before: last.and_then(|i| i.state.shut.as_ref().map(|shut| shut.by.clone())),
            openings: vec![at.unix_timestamp()],
            flapping: false,
            reach: None,
            headline: String::new(),
            declared: String::new(),
            source: None,
            run: self.round.run.clone(),
            title: String::new(),
            notify: Notify::default(),
            assigned: false,
            dismissal: None,
            beyond: 0,
            marks: std::collections::BTreeMap::new(),
            duplicate_of: None,
            previous: last.map(|i| i.place.clone()),
            members: Vec::new(),
        }
    }

    /// Whether an incident ended so lately that it goes on.
    pub(super) fn goes_on(&self, state: &State) -> bool {
        state
            .closed
            .is_some_and(|closed| self.round.at - closed <= self.policy.reopen_within)
    }

    /// Whether an open incident has been without a word for too long.
    pub(super) fn reminder_is_due(&self, state: &State) -> bool {
        self.round.at - state.told >= self.policy.remind_every
    }

    /// Opens an incident again. True if it does so too often to be told.
    pub(super) fn reopen(&self, state: &mut State) -> Opening {
        let at = self.round.at;
        state.stopped_before = state.shut.take().map(|shut| shut.by);
        state.open = true;
        state.opened = at;
        state.last_round = at;
        state.closed = None;
        state.openings.push(at.unix_timestamp());
        let was = state.flapping;
        self.settle(state);
        match (state.flapping, was) {
            (false, _) => Opening::Told,
            (true, false) => Opening::Flaps,
            (true, true) => Opening::StillFlaps,
        }
    }

    /// Forgets the openings of more than a day ago.
    fn settle(&self, state: &mut State) {
        let now = self.round.at.unix_timestamp();
        let day = time::Duration::DAY.whole_seconds();
        state.openings.retain(|at| now.saturating_sub(*at) < day);
        state.flapping = state.openings.len() > self.policy.flaps;
    }
}

/// How an opening is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// As what it is.
    Told,
    /// As the one with which the flapping begins.
    Flaps,
    /// Not at all.
    StillFlaps,
}

/// What follows from a round, given what is known.
#[must_use]
pub fn reconcile(round: &Round, known: &Known, policy: &Policy) -> Outcome {
    let desk = Desk {
        round,
        known,
        policy,
    };
    let mut outcome = Outcome::default();
    let mass = wide::open_mass(desk);
    let mut fresh = Vec::new();
    for subject in &round.subjects {
        let incidents = desk.of(&subject.fingerprint);
        if incidents.iter().any(|i| i.state.last_round >= round.at) {
            outcome.stale = outcome.stale.saturating_add(1);
            continue;
        }
        let mut open = incidents.iter().filter(|i| i.state.open);
        if let Some(current) = open.next_back() {
            outcome.changes.push(go_on(desk, subject, &current.state));
            // Two of one target come about when somebody copies files; the later one stays.
            let duplicates = open.map(|i| duplicate(desk, &i.state, &current.place));
            outcome.changes.extend(duplicates);
            continue;
        }
        let in_mass = mass.is_some_and(|mass| wide::is_member(&mass.state, &subject.fingerprint));
        if in_mass || subject.verdict != Verdict::Exposed || subject.waived {
            continue;
        }
        match incidents.last() {
            Some(last) if desk.goes_on(&last.state) => {
                outcome.changes.push(reopen(desk, subject, &last.state));
            }
            Some(_) | None => fresh.push(subject),
        }
    }
    outcome.changes.extend(orphans(desk));
    wide::mass(desk, mass, fresh, &mut outcome);
    wide::blind(desk, &mut outcome);
    outcome
}

/// A new incident of one target.
pub(super) fn open(desk: Desk<'_>, subject: &Subject) -> Change {
    let mut state = desk.fresh(Kind::Target, &subject.name);
    see(&mut state, subject);
    let mut comment = format!("opened: {}", subject.headline);
    if let Some(previous) = &state.previous {
        comment = format!(
            "{comment}. It was open before: {}",
            link::incident(previous)
        );
    }
    Change {
        deed: Deed::Opened,
        state,
        details: Some(body::details(subject)),
        comment: Some(comment),
        place: None,
        duplicate_of: None,
    }
}

fn reopen(desk: Desk<'_>, subject: &Subject, state: &State) -> Change {
    let mut state = state.clone();
    state.marks.clear();
    let opening = desk.reopen(&mut state);
    state.orphaned = None;
    state.rounds = state.rounds.saturating_add(1);
    state.last_seen = desk.round.at;
    see(&mut state, subject);
    let comment = match opening {
        Opening::Told => Some(format!("open again: {}", subject.headline)),
        Opening::Flaps => Some(format!(
            "open again, for the {} time within a day: {}. It opens and shuts again and again; \
             each time is no longer told here until a day is quieter",
            body::ordinal(state.openings.len()),
            subject.headline
        )),
        Opening::StillFlaps => None,
    };
    if comment.is_some() {
        state.told = desk.round.at;
    }
    Change {
        deed: Deed::Reopened,
        state,
        details: Some(body::details(subject)),
        comment,
        place: None,
        duplicate_of: None,
    }
}

/// The next round of an open incident.
fn go_on(desk: Desk<'_>, subject: &Subject, state: &State) -> Change {
    let mut state = state.clone();
    state.last_round = desk.round.at;
    desk.settle(&mut state);
    let mut said = Vec::new();
    if state.orphaned.take().is_some() {
        said.push("the target is back in the configuration".to_owned());
    }
    subject.declared.clone_into(&mut state.declared);
    let mut details = None;
    let mut closes = false;
    match subject.verdict {
        Verdict::Exposed => {
            details = Some(body::details(subject));
            still_exposed(desk, subject, &mut state, &mut said);
        }
        Verdict::Blocked => {
            state.unsure = None;
            state.waived = None;
            let shut = count_shut(state.shut.take(), desk.round.at, &subject.headline);
            if shut.rounds >= desk.policy.close_after {
                closes = true;
                state.open = false;
                state.closed = Some(desk.round.at);
                said.push(format!("shut since {}: {}", when(shut.since), shut.by));
            }
            state.shut = Some(shut);
        }
        Verdict::Inconclusive => {
            // What was not seen is not shut.
            state.shut = None;
            state.unsure.get_or_insert(desk.round.at);
        }
    }
    // Of what flaps, each closing is one of too many.
    if closes && state.flapping {
        said.clear();
    }
    finish(desk, state, details, &said, closes)
}

/// What becomes of an open incident, with what there is to be said of it as one comment.
pub(super) fn finish(
    desk: Desk<'_>,
    mut state: State,
    details: Option<String>,
    said: &[String],
    closes: bool,
) -> Change {
    let comment = (!said.is_empty()).then(|| said.join("; "));
    if comment.is_some() {
        state.told = desk.round.at;
    }
    let deed = match (closes, &comment) {
        (true, _) => Deed::Closed,
        (false, Some(_)) => Deed::Commented,
        (false, None) => Deed::Updated,
    };
    Change {
        deed,
        state,
        details,
        comment,
        place: None,
        duplicate_of: None,
    }
}

fn still_exposed(desk: Desk<'_>, subject: &Subject, state: &mut State, said: &mut Vec<String>) {
    state.shut = None;
    state.unsure = None;
    state.last_seen = desk.round.at;
    state.rounds = state.rounds.saturating_add(1);
    let new = see(state, subject);
    if subject.waived {
        if state.waived.is_none() {
            said.push("the exposure is waived from now on".to_owned());
        }
        state.waived.get_or_insert(desk.round.at);
        return;
    }
    if state.waived.take().is_some() {
        said.push(format!(
            "the exposure is no longer waived: {}",
            subject.headline
        ));
    } else if !new.is_empty() && !state.flapping {
        said.push(format!("{}: {}", new.join(", "), subject.headline));
    } else if desk.reminder_is_due(state) {
        said.push(format!(
            "still reachable: since {}, seen in {} so far: {}",
            when(state.opened),
            body::rounds(state.rounds),
            subject.headline
        ));
    }
}

/// Takes over what was seen, and says what of it is new to this incident since it was opened. What
/// was there before and comes back is not new: an address that rotates would be so in every round.
fn see(state: &mut State, subject: &Subject) -> Vec<String> {
    state.reach = subject.reach;
    subject.headline.clone_into(&mut state.headline);
    subject.declared.clone_into(&mut state.declared);
    let mut new = Vec::new();
    for part in &subject.parts {
        let place = digest(&part.place);
        let mark = digest(&part.mark);
        if let Some(known) = state.marks.get_mut(&place) {
            if known.len() < MARKS && known.insert(mark) {
                new.push(format!(
                    "something new at {}",
                    crate::domain::escape::markdown_code(&part.place)
                ));
            }
        } else if state.marks.len() < PLACES {
            state.marks.insert(place, BTreeSet::from([mark]));
            new.push(format!(
                "{} is open too",
                crate::domain::escape::markdown_code(&part.place)
            ));
        }
    }
    let more = new.len().saturating_sub(3);
    if more > 0 {
        new.truncate(3);
        new.push(format!("and {more} more"));
    }
    new
}

/// One more blocked round.
pub(super) fn count_shut(shut: Option<Shut>, at: OffsetDateTime, by: &str) -> Shut {
    let mut shut = shut.unwrap_or(Shut {
        since: at,
        rounds: 0,
        by: String::new(),
    });
    shut.rounds = shut.rounds.saturating_add(1);
    by.clone_into(&mut shut.by);
    shut
}

fn duplicate(desk: Desk<'_>, state: &State, other: &str) -> Change {
    let mut state = state.clone();
    state.open = false;
    state.closed = Some(desk.round.at);
    state.last_round = desk.round.at;
    state.told = desk.round.at;
    Change {
        deed: Deed::Closed,
        state,
        details: None,
        comment: Some(format!(
            "closed: the same incident is kept at {}",
            link::incident(other)
        )),
        place: None,
        duplicate_of: None,
    }
}

/// The open incidents of targets that the configuration does not know any more.
fn orphans(desk: Desk<'_>) -> Vec<Change> {
    if !desk.round.complete {
        return Vec::new();
    }
    let here: BTreeSet<&Fingerprint> = desk.round.subjects.iter().map(|s| &s.fingerprint).collect();
    let open = desk.known.incidents.iter().map(|i| &i.state).filter(|s| {
        s.open
            && s.kind == Kind::Target
            && s.orphaned.is_none()
            && s.config == desk.round.config
            && s.last_round < desk.round.at
            && !here.contains(&s.fingerprint)
    });
    open.map(|state| {
        let mut state = state.clone();
        state.orphaned = Some(desk.round.at);
        state.shut = None;
        state.last_round = desk.round.at;
        state.told = desk.round.at;
        Change {
            deed: Deed::Commented,
            state,
            details: None,
            comment: Some(
                "the target is gone from the configuration, so nobody looks any more; whether \
                 this is over is a person's to say"
                    .to_owned(),
            ),
            place: None,
            duplicate_of: None,
        }
    })
    .collect()
}
