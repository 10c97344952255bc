//! The incident of one target: how it opens, what each round adds to it, and when it is over.

use std::collections::BTreeSet;

use time::OffsetDateTime;

use super::body;
use super::desk::{self, Desk, Opening};
use super::link;
use super::standing::{self, Stand, adopt, settled};
use super::state::{Kind, Shut, State, digest};
use super::words::{self, when};
use super::{Change, Deed, Incident, Subject};
use crate::domain::verdict::Verdict;

/// How many places and how many sights of each an incident tells apart.
const PLACES: usize = 64;
const MARKS: usize = 16;

/// A new incident of one target.
pub(super) fn open(desk: Desk<'_>, subject: &Subject) -> Change {
    let mut state = desk.fresh(Kind::Target, &subject.name);
    about(&mut state, subject);
    see(&mut state, subject);
    let mut comment = format!("opened: {}", subject.headline);
    if let Some(previous) = &state.previous {
        let previous = link::incident(previous);
        comment = format!("{comment}. It was open before: {previous}");
    }
    let details = Some(body::details(subject));
    desk.change(Deed::Opened, None, state, details, Some(comment))
}

/// The incident of a target that is reachable again.
pub(super) fn reopen(desk: Desk<'_>, subject: &Subject, incident: &Incident) -> Change {
    let (mut state, _) = desk.take_up(incident);
    state.marks.clear();
    let was_shut = state.shut.is_some();
    let opening = desk.reopen(&mut state);
    state.rounds = state.rounds.saturating_add(1);
    state.last_seen = desk.round.at;
    about(&mut state, subject);
    see(&mut state, subject);
    let seen = &subject.headline;
    let comment = match opening {
        Opening::Told if was_shut => Some(format!("open again: {seen}")),
        Opening::Told => Some(format!(
            "reachable, and not seen shut since a person closed it: {seen}"
        )),
        Opening::Flaps => Some(format!(
            "open again, for the {} time within a day: {seen}. It opens and shuts again and again; \
             each time is no longer told here until a day is quieter",
            words::ordinal(state.openings.len()),
        )),
        Opening::StillFlaps => None,
    };
    let details = Some(body::details(subject));
    desk.change(Deed::Reopened, Some(incident), state, details, comment)
}

/// The next round of an incident that is open.
pub(super) fn go_on(desk: Desk<'_>, subject: &Subject, incident: &Incident) -> Change {
    let (mut state, mut details) = desk.take_up(incident);
    let mut said = Vec::new();
    if adopt(desk, &mut state) {
        said.push(standing::ADOPTED.to_owned());
    }
    if state.orphaned.take().is_some() {
        said.push("the target is back in the configuration".to_owned());
    }
    about(&mut state, subject);
    let mut closes = false;
    match subject.verdict {
        Verdict::Exposed => {
            details = Some(body::details(subject));
            still_exposed(desk, subject, &mut state, &mut said);
        }
        Verdict::Blocked => {
            let shut = shut_again(desk, subject, &mut state);
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
    desk.finish(incident, state, details, &said, closes)
}

/// The next round of an incident that a person closed as done; nothing where an exposure that was not
/// confirmed leaves it to the next round.
pub(super) fn closed_by_person(
    desk: Desk<'_>,
    subject: &Subject,
    incident: &Incident,
) -> Option<Change> {
    let reopens = subject.verdict == Verdict::Exposed && !subject.waived;
    if reopens && !subject.confirmed {
        return None;
    }
    if reopens {
        // It was open all the time: that is no new opening.
        let (mut state, _) = desk.take_up(incident);
        state.orphaned = None;
        about(&mut state, subject);
        still_exposed(desk, subject, &mut state, &mut Vec::new());
        let comment = format!(
            "open again, because a person closed it while it was still reachable: {}",
            subject.headline
        );
        let details = Some(body::details(subject));
        return Some(desk.change(
            Deed::Reopened,
            Some(incident),
            state,
            details,
            Some(comment),
        ));
    }
    let (mut state, details) = settled(desk, incident);
    state.orphaned = None;
    about(&mut state, subject);
    let mut said = Vec::new();
    match subject.verdict {
        Verdict::Exposed => {
            still_exposed(desk, subject, &mut state, &mut Vec::new());
        }
        Verdict::Blocked => {
            let shut = shut_again(desk, subject, &mut state);
            said.push(format!(
                "closed by a person; shut since {}: {}",
                when(shut.since),
                shut.by
            ));
            state.shut = Some(shut);
        }
        Verdict::Inconclusive => {
            state.shut = None;
            state.unsure.get_or_insert(desk.round.at);
        }
    }
    Some(desk.finish(incident, state, details, &said, false))
}

fn shut_again(desk: Desk<'_>, subject: &Subject, state: &mut State) -> Shut {
    state.unsure = None;
    state.waived = None;
    count_shut(state.shut.take(), desk.round.at, &subject.headline)
}

fn still_exposed(desk: Desk<'_>, subject: &Subject, state: &mut State, said: &mut Vec<String>) {
    state.shut = None;
    state.unsure = None;
    // A person opened it while it was shut.
    if state.last_seen < state.opened {
        state.opened = desk.round.at;
    }
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
            words::rounds(state.rounds),
            subject.headline
        ));
    }
}

/// What the configuration says of the target now.
fn about(state: &mut State, subject: &Subject) {
    subject.declared.clone_into(&mut state.declared);
    state.source.clone_from(&subject.source);
    state.notify = desk::notify_one(subject);
}

/// Takes over what was seen, and says what of it is new to this incident since it was opened. What
/// was there before and comes back is not new: an address that rotates would be so in every round.
fn see(state: &mut State, subject: &Subject) -> Vec<String> {
    subject.headline.clone_into(&mut state.headline);
    if subject.withheld {
        // An address and a port are few enough to be found by trying all.
        state.marks.clear();
        state.reach = None;
        return Vec::new();
    }
    state.reach = subject.reach;
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

/// The open incidents of targets that the configuration does not know any more.
pub(super) fn orphans(desk: Desk<'_>) -> Vec<Change> {
    if !desk.round.complete {
        return Vec::new();
    }
    let groups = desk.groups().into_iter().filter(|group| {
        let first = group.first().map(|i| &i.state);
        first.is_some_and(|s| s.kind == Kind::Target && desk.subject(&s.fingerprint).is_none())
            && !desk.has(group)
    });
    groups
        .filter_map(|group| {
            let stand = Stand::of(&group);
            match (stand.open, stand.closed_by_person) {
                (Some(open), _) => orphan(desk, open),
                // Whether it was over was a person's to say.
                (None, Some(closed)) => {
                    let (mut state, details) = settled(desk, closed);
                    state.orphaned.get_or_insert(desk.round.at);
                    state.shut = None;
                    Some(desk.finish(closed, state, details, &[], false))
                }
                (None, None) => None,
            }
        })
        .collect()
}

fn orphan(desk: Desk<'_>, incident: &Incident) -> Option<Change> {
    let (mut state, details) = desk.take_up(incident);
    let adopted = adopt(desk, &mut state);
    if state.orphaned.is_some() && !adopted {
        return None;
    }
    state.orphaned.get_or_insert(desk.round.at);
    state.shut = None;
    let mut said = Vec::new();
    if adopted {
        said.push(standing::ADOPTED.to_owned());
    }
    said.push(
        "the target is gone from the configuration, so nobody looks any more; whether this is over \
         is a person's to say"
            .to_owned(),
    );
    Some(desk.finish(incident, state, details, &said, false))
}
