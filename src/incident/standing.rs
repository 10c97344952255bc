//! How the incidents of one target stand where they are kept, and what follows from what people did to
//! them since noentry wrote.
//!
//! | a person | exposed | blocked | inconclusive |
//! | --- | --- | --- | --- |
//! | closed it as done | opened again, with a comment | closed at once | stays closed |
//! | closed it as not planned | held: nothing opens | the word is over | – |
//! | opened it again | counts anew | counts anew | stays open |
//!
//! Two rounds at the same time may both open one. The older stays, and the other is closed as its
//! duplicate.

use time::OffsetDateTime;

use super::desk::Desk;
use super::state::{Dismissal, Kind, State};
use super::{Change, Deed, Incident, Standing, body, link};
use crate::domain::verdict::Verdict;

/// The incidents of one fingerprint.
pub(super) struct Stand<'a> {
    /// The one that is open where it is kept: the oldest, if there are several.
    pub open: Option<&'a Incident>,
    /// One that a person closed as done while noentry had it open; none where another is open, or holds.
    pub closed_by_person: Option<&'a Incident>,
    /// Those that a person closed as not planned, and that were not seen blocked since.
    pub holding: Vec<&'a Incident>,
    /// The latest that is no duplicate.
    pub last: Option<&'a Incident>,
}

impl<'a> Stand<'a> {
    /// Of the incidents of one fingerprint, the oldest first.
    pub(super) fn of(incidents: &[&'a Incident]) -> Self {
        let own = || incidents.iter().copied();
        let open = own().find(|i| i.standing == Standing::Open);
        let last = own().rfind(|i| i.state.duplicate_of.is_none());
        let holds = |i: &&Incident| {
            i.standing == Standing::Dismissed
                && i.state.duplicate_of.is_none()
                && match i.state.dismissal {
                    Some(dismissal) => !dismissal.over,
                    // Whoever tidies up among old ones says nothing about now.
                    None => i.state.open || last.is_some_and(|last| last.place == i.place),
                }
        };
        let holding: Vec<&Incident> = own().filter(holds).collect();
        let closed = own().find(|i| i.standing == Standing::Closed && i.state.open);
        Self {
            open,
            closed_by_person: closed.filter(|_| open.is_none() && holding.is_empty()),
            holding,
            last,
        }
    }

    /// The latest, if it ended so lately that it goes on. What a person did not want never does.
    pub(super) fn goes_on(&self, desk: Desk<'_>) -> Option<&'a Incident> {
        self.last
            .filter(|i| i.standing != Standing::Dismissed && desk.goes_on(&i.state))
    }
}

/// What is to be put right whatever the round saw: all but one that are open of the same target, those
/// that a person closed beside another, and what is closed as not planned.
pub(super) fn tidy(desk: Desk<'_>) -> Vec<Change> {
    let mut changes = Vec::new();
    for group in desk.groups() {
        if desk.has(&group) {
            continue;
        }
        let stand = Stand::of(&group);
        for incident in &group {
            let is_chosen = |chosen: Option<&Incident>| {
                chosen.is_some_and(|chosen| chosen.place == incident.place)
            };
            match (incident.standing, stand.open) {
                (Standing::Open, Some(kept)) if !is_chosen(stand.open) => {
                    let (state, details) = desk.take_up(incident);
                    let incident = Incident {
                        state,
                        ..(*incident).clone()
                    };
                    changes.push(Change {
                        details,
                        ..duplicate(desk.round.at, &incident, &kept.place)
                    });
                }
                (Standing::Closed, _)
                    if incident.state.open && !is_chosen(stand.closed_by_person) =>
                {
                    let (state, details) = settled(desk, incident);
                    changes.push(desk.finish(incident, state, details, &[], false));
                }
                (Standing::Open | Standing::Closed | Standing::Dismissed, _) => {}
            }
        }
        let first = group.first().filter(|i| i.state.kind == Kind::Target);
        if let Some(first) = first {
            let subject = desk.subject(&first.state.fingerprint);
            let blocked = subject.is_some_and(|s| s.verdict == Verdict::Blocked);
            if subject.is_some() || desk.round.complete {
                let holding = stand.holding.iter();
                changes.extend(holding.filter_map(|i| dismissed(desk, i, blocked)));
            }
        }
    }
    changes
}

/// What is new about an incident that a person closed as not planned: that it is so, or that its
/// target was seen blocked since.
pub(super) fn dismissed(desk: Desk<'_>, incident: &Incident, over: bool) -> Option<Change> {
    let recorded = incident.state.dismissal.is_some() && !incident.state.open;
    if recorded && !over {
        return None;
    }
    let (mut state, details) = settled(desk, incident);
    let at = incident.state.dismissal.map_or(desk.round.at, |d| d.at);
    state.dismissal = Some(Dismissal { at, over });
    Some(desk.change(Deed::Updated, Some(incident), state, details, None))
}

/// An incident that a person closed, closed for noentry too.
pub(super) fn settled(desk: Desk<'_>, incident: &Incident) -> (State, Option<String>) {
    let (mut state, details) = desk.take_up(incident);
    state.open = false;
    state.closed.get_or_insert(desk.round.at);
    (state, details)
}

/// Takes an incident for open that a person opened again. True if that is news.
pub(super) fn adopt(desk: Desk<'_>, state: &mut State) -> bool {
    if state.open {
        return false;
    }
    state.open = true;
    state.closed = None;
    state.dismissal = None;
    state.duplicate_of = None;
    // What was never seen shut has been open all the time.
    if let Some(shut) = state.shut.take() {
        state.stopped_before = desk.stopped_by(shut);
        state.opened = desk.round.at;
        state.marks.clear();
    }
    for member in &mut state.members {
        member.open = true;
        member.shut = None;
    }
    true
}

/// The word for it.
pub(super) const ADOPTED: &str = "a person opened it again";

/// Closes an incident that another one tells as well.
pub(super) fn duplicate(at: OffsetDateTime, incident: &Incident, kept: &str) -> Change {
    let mut state = incident.state.clone();
    state.open = false;
    state.closed = Some(at);
    state.last_round = at;
    state.told = at;
    state.duplicate_of = Some(kept.to_owned());
    state.title = body::title(&state);
    Change {
        deed: Deed::Closed,
        state,
        details: None,
        comment: Some(format!(
            "closed: the same incident is kept at {}",
            link::incident(kept)
        )),
        place: Some(incident.place.clone()),
        duplicate_of: Some(kept.to_owned()),
    }
}
