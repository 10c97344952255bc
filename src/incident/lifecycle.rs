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

use super::desk::Desk;
use super::standing::{self, Stand};
use super::{Held, Known, Outcome, Policy, Round};
use super::{blind, mass, single};
use crate::domain::verdict::Verdict;

/// What follows from a round, given what is known.
#[must_use]
pub fn reconcile(round: &Round, known: &Known, policy: &Policy) -> Outcome {
    let desk = Desk {
        round,
        known,
        policy,
    };
    let mut outcome = Outcome {
        changes: standing::tidy(desk),
        ..Outcome::default()
    };
    let mass = mass::Mass::of(desk);
    let unheard = blind::is_late(desk);
    let mut fresh = Vec::new();
    for subject in &round.subjects {
        let incidents = desk.of(&subject.fingerprint);
        if desk.has(&incidents) {
            outcome.stale = outcome.stale.saturating_add(1);
            continue;
        }
        if unheard && subject.verdict == Verdict::Inconclusive {
            outcome.stale = outcome.stale.saturating_add(1);
        }
        let stand = Stand::of(&incidents);
        if let Some(current) = stand.open {
            outcome.changes.push(single::go_on(desk, subject, current));
            continue;
        }
        let counts = subject.verdict == Verdict::Exposed && !subject.waived;
        if let Some(closed) = stand.closed_by_person {
            match single::closed_by_person(desk, subject, closed) {
                Some(change) => outcome.changes.push(change),
                None => outcome.unconfirmed.push(subject.name.clone()),
            }
            continue;
        }
        if mass.is_late_for(desk, &subject.fingerprint) {
            outcome.stale = outcome.stale.saturating_add(1);
            continue;
        }
        if !counts {
            continue;
        }
        if let Some(member) = mass.member(&subject.fingerprint) {
            // The mass incident tells of it.
            if !member.open && !subject.confirmed {
                outcome.unconfirmed.push(subject.name.clone());
            }
            continue;
        }
        let holding = stand.holding.first().map(|i| i.place.as_str());
        if let Some(place) = holding.or_else(|| mass.holds(&subject.fingerprint)) {
            outcome.held.push(Held {
                name: subject.name.clone(),
                place: place.to_owned(),
            });
        } else if !subject.confirmed {
            outcome.unconfirmed.push(subject.name.clone());
        } else if let Some(last) = stand.goes_on(desk) {
            outcome.changes.push(single::reopen(desk, subject, last));
        } else {
            fresh.push(subject);
        }
    }
    outcome.changes.extend(single::orphans(desk));
    mass.tell(desk, fresh, &mut outcome);
    blind::tell(desk, &mut outcome);
    outcome
}
