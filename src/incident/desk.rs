//! Everything that a decision may look at, and what each of them does alike.

use std::collections::BTreeMap;

use super::body;
use super::state::{Fingerprint, Kind, Shut, State};
use super::{Change, Deed, Incident, Known, Policy, Round, Subject, link};
use crate::domain::trail::Notify;

/// How many labels, and how many people, an incident is for.
const NOTIFIED: usize = 10;

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
    /// The incidents of a fingerprint, the oldest first.
    pub(super) fn of(&self, fingerprint: &Fingerprint) -> Vec<&'a Incident> {
        let known = self.known.incidents.iter();
        in_order(
            known
                .filter(|i| i.state.fingerprint == *fingerprint)
                .collect(),
        )
    }

    /// All incidents of the round's configuration by fingerprint, each group with the oldest first.
    pub(super) fn groups(&self) -> Vec<Vec<&'a Incident>> {
        let mut groups: BTreeMap<&Fingerprint, Vec<&Incident>> = BTreeMap::new();
        for incident in &self.known.incidents {
            if incident.state.config == self.round.config {
                let group = groups.entry(&incident.state.fingerprint).or_default();
                group.push(incident);
            }
        }
        groups.into_values().map(in_order).collect()
    }

    /// Whether the trail has this round or a later one of these.
    pub(super) fn has(&self, incidents: &[&Incident]) -> bool {
        incidents
            .iter()
            .any(|i| i.state.last_round >= self.round.at)
    }

    /// The round's finding of a fingerprint.
    pub(super) fn subject(&self, fingerprint: &Fingerprint) -> Option<&'a Subject> {
        let mut subjects = self.round.subjects.iter();
        subjects.find(|s| s.fingerprint == *fingerprint)
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
        let last = before.iter().rfind(|i| i.state.duplicate_of.is_none());
        let stopped = last.and_then(|i| i.state.shut.clone());
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
            stopped_before: stopped.and_then(|shut| self.stopped_by(shut)),
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
            marks: BTreeMap::new(),
            duplicate_of: None,
            previous: last.map(|i| i.place.clone()),
            members: Vec::new(),
        }
    }

    /// The state of a known incident, as one that has this round: with the evidence to write where what
    /// was written once must not stay.
    pub(super) fn take_up(&self, incident: &Incident) -> (State, Option<String>) {
        let mut state = incident.state.clone();
        state.last_round = self.round.at;
        state.run.clone_from(&self.round.run);
        self.settle(&mut state);
        let details = self.withheld().then(|| hide(&mut state)).flatten();
        (state, details)
    }

    /// Whether the round leaves out where and what was seen. What an earlier one wrote goes as well.
    pub(super) fn withheld(&self) -> bool {
        self.round.subjects.iter().any(|s| s.withheld)
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

    /// What stopped the outsider before, where it was kept and may be told.
    pub(super) fn stopped_by(&self, shut: Shut) -> Option<String> {
        Some(shut.by).filter(|by| !by.is_empty() && !self.withheld())
    }

    /// Opens an incident again. True if it does so too often to be told.
    pub(super) fn reopen(&self, state: &mut State) -> Opening {
        let at = self.round.at;
        if let Some(shut) = state.shut.take() {
            state.stopped_before = self.stopped_by(shut);
        }
        state.open = true;
        state.opened = at;
        state.closed = None;
        state.unsure = None;
        state.waived = None;
        state.orphaned = None;
        state.dismissal = None;
        state.duplicate_of = None;
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

    /// What is done to a known incident, or to none yet.
    pub(super) fn change(
        &self,
        deed: Deed,
        incident: Option<&Incident>,
        mut state: State,
        details: Option<String>,
        comment: Option<String>,
    ) -> Change {
        if comment.is_some() {
            state.told = self.round.at;
        }
        state.title = body::titled(&state, self.policy.title.as_deref());
        Change {
            deed,
            state,
            details,
            comment,
            place: incident.map(|i| i.place.clone()),
            duplicate_of: None,
        }
    }

    /// What becomes of an open incident, with what there is to be said of it as one comment.
    pub(super) fn finish(
        &self,
        incident: &Incident,
        state: State,
        details: Option<String>,
        said: &[String],
        closes: bool,
    ) -> Change {
        let comment = (!said.is_empty()).then(|| said.join("; "));
        let deed = match (closes, &comment) {
            (true, _) => Deed::Closed,
            (false, Some(_)) => Deed::Commented,
            (false, None) => Deed::Updated,
        };
        self.change(deed, Some(incident), state, details, comment)
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

/// Puts the oldest first. An issue's number tells; files have the number of the incident in their name.
fn in_order(mut incidents: Vec<&Incident>) -> Vec<&Incident> {
    incidents.sort_by_key(|i| {
        (
            link::issue_number(&i.place),
            i.state.number,
            i.place.as_str(),
        )
    });
    incidents
}

/// Takes out of a state what helps an attacker, and what a person could guess it back from.
fn hide(state: &mut State) -> Option<String> {
    state.marks.clear();
    state.reach = None;
    state.stopped_before = None;
    let hide = |shut: &mut Option<Shut>| {
        if let Some(shut) = shut {
            body::WITHHELD.clone_into(&mut shut.by);
        }
    };
    hide(&mut state.shut);
    for member in &mut state.members {
        body::WITHHELD.clone_into(&mut member.headline);
        hide(&mut member.shut);
    }
    if state.kind != Kind::Target {
        return None;
    }
    body::WITHHELD.clone_into(&mut state.headline);
    Some(body::withheld())
}

/// Whom an incident is for: all whom its targets are for, up to a limit.
pub(super) fn notify<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Notify {
    let mut all = Notify::default();
    let add = |to: &mut Vec<String>, from: &[String]| {
        for one in from {
            if to.len() < NOTIFIED && !to.contains(one) {
                to.push(one.clone());
            }
        }
    };
    for subject in subjects {
        add(&mut all.labels, &subject.notify.labels);
        add(&mut all.assignees, &subject.notify.assignees);
        add(&mut all.mention, &subject.notify.mention);
    }
    all
}
