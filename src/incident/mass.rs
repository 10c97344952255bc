//! A mass exposure: more than a few new incidents in one round have one cause, and one page with a table
//! says so better than a hundred.
//!
//! A target in an open mass incident has no incident of its own; the mass incident is over when each of
//! its targets was shut for as long as any incident asks for. An issue takes only so much text: what has
//! no room in the list is counted, and while there is some the incident stays open.

use super::desk::{self, Desk};
use super::single::{self, count_shut};
use super::standing::{self, Stand, adopt, settled};
use super::state::{Dismissal, Fingerprint, Kind, Member, State};
use super::words::{names, targets};
use super::{Change, Deed, Incident, Outcome, Standing, Subject};
use crate::domain::verdict::Verdict;

/// How many targets are listed.
pub(super) const LISTED: usize = 1_000;
/// How many bytes their names have together.
pub(super) const NAMES: usize = 40_000;

/// The mass incidents of a configuration.
pub(super) struct Mass<'a> {
    stand: Stand<'a>,
    /// Whether the trail has this round already.
    stale: bool,
}

impl<'a> Mass<'a> {
    pub(super) fn of(desk: Desk<'a>) -> Self {
        let own = Fingerprint::of(Kind::Mass, "", &desk.round.config);
        let incidents = desk.of(&own);
        Self {
            stand: Stand::of(&incidents),
            stale: desk.has(&incidents),
        }
    }

    /// The one that goes on.
    fn current(&self) -> Option<&'a Incident> {
        self.stand.open.or(self.stand.closed_by_person)
    }

    /// A target in the one that goes on.
    pub(super) fn member(&self, fingerprint: &Fingerprint) -> Option<&'a Member> {
        find(&self.current()?.state, fingerprint)
    }

    /// Whether a whole round comes too late for what is said of this target in the one that goes on. A
    /// round of some targets may well end after one of others that began later.
    pub(super) fn is_late_for(&self, desk: Desk<'_>, fingerprint: &Fingerprint) -> bool {
        self.stale && desk.round.complete && self.member(fingerprint).is_some()
    }

    /// Where the one is that a person did not want, and with which this target is held.
    pub(super) fn holds(&self, fingerprint: &Fingerprint) -> Option<&'a str> {
        let mut holding = self.stand.holding.iter();
        let held = holding.find(|i| find(&i.state, fingerprint).is_some_and(|m| m.open));
        held.map(|i| i.place.as_str())
    }

    /// Opens incidents for what is newly exposed, one by one or all in one, and goes on with those that
    /// there are.
    pub(super) fn tell(&self, desk: Desk<'_>, fresh: Vec<&Subject>, outcome: &mut Outcome) {
        let many = fresh.len() > desk.policy.mass_exposure_after;
        let (joining, single) = if many {
            (fresh, Vec::new())
        } else {
            (Vec::new(), fresh)
        };
        let single = single.into_iter();
        outcome
            .changes
            .extend(single.map(|subject| single::open(desk, subject)));
        // What has this round or a later one already stays as it is.
        if self.stale {
            if many && self.current().is_none() {
                outcome.changes.push(begin(desk, &joining));
            } else {
                // These are in no incident, and that must be said.
                outcome.stale = outcome.stale.saturating_add(joining.len());
            }
            return;
        }
        let holding = self.stand.holding.iter();
        outcome
            .changes
            .extend(holding.filter_map(|i| dismissed(desk, i)));
        if let Some(open) = self.stand.open {
            outcome.changes.push(go_on(desk, open, &joining, None));
            return;
        }
        let closed = self.stand.closed_by_person;
        if let Some((incident, exposed)) = closed.map(|i| (i, still_exposed(desk, &i.state))) {
            if exposed > 0 {
                let comment = format!(
                    "a person closed it while {} of it could still be reached",
                    targets(exposed)
                );
                outcome
                    .changes
                    .push(go_on(desk, incident, &joining, Some(comment)));
                return;
            }
            outcome.changes.extend(closed_by_person(desk, incident));
        }
        if many {
            outcome.changes.push(begin(desk, &joining));
        }
    }
}

fn find<'a>(state: &'a State, fingerprint: &Fingerprint) -> Option<&'a Member> {
    state.members.iter().find(|m| m.fingerprint == *fingerprint)
}

fn begin(desk: Desk<'_>, fresh: &[&Subject]) -> Change {
    let mut state = desk.fresh(Kind::Mass, "");
    state.beyond = join(desk, &mut state, fresh);
    let disclosed = fresh.iter().filter(|s| !s.withheld);
    state.reach = disclosed.filter_map(|s| s.reach).max();
    state.notify = desk::notify(fresh.iter().copied());
    let comment = format!(
        "opened: {} became reachable in one round",
        targets(fresh.len())
    );
    desk.change(Deed::Opened, None, state, None, Some(comment))
}

/// Adds targets to the list, and says how many had no room.
fn join(desk: Desk<'_>, state: &mut State, joining: &[&Subject]) -> u32 {
    let mut bytes: usize = state.members.iter().map(|m| m.name.len()).sum();
    let mut beyond: u32 = 0;
    for subject in joining {
        let with = bytes.saturating_add(subject.name.len());
        if state.members.len() >= LISTED || with > NAMES {
            beyond = beyond.saturating_add(1);
            continue;
        }
        bytes = with;
        state.members.push(Member {
            fingerprint: subject.fingerprint.clone(),
            name: subject.name.clone(),
            open: true,
            since: desk.round.at,
            headline: subject.headline.clone(),
            shut: None,
            unsure: false,
            orphaned: false,
        });
    }
    beyond
}

/// What a round changes about the listed targets.
#[derive(Default)]
struct News {
    again: Vec<String>,
    shut: Vec<String>,
    gone: Vec<String>,
    exposed: bool,
}

fn go_on(
    desk: Desk<'_>,
    incident: &Incident,
    joining: &[&Subject],
    reopened: Option<String>,
) -> Change {
    let (mut state, _) = desk.take_up(incident);
    let reopens = reopened.is_some();
    let mut said: Vec<String> = reopened.into_iter().collect();
    if adopt(desk, &mut state) {
        said.push(standing::ADOPTED.to_owned());
    }
    let news = look(desk, &mut state);
    let listed = state.members.len();
    let beyond = join(desk, &mut state, joining);
    let before = state.beyond;
    // Who was not looked at in this round, or could not be judged, is still beyond.
    let unseen = if before > 0 && desk.round.complete {
        before.min(unjudged(desk, &state))
    } else {
        before
    };
    state.beyond = beyond.max(unseen);
    if news.exposed || !joining.is_empty() {
        state.last_seen = desk.round.at;
        state.rounds = state.rounds.saturating_add(1);
    }
    let joined = state.members.iter().skip(listed);
    let joined: Vec<String> = joined.map(|m| m.name.clone()).collect();
    let news = [
        ("reachable too", joined),
        ("reachable again", news.again),
        ("shut", news.shut),
        ("gone from the configuration", news.gone),
    ];
    let news = news.into_iter().filter(|(_, who)| !who.is_empty());
    said.extend(
        news.map(|(what, who)| format!("{what}: {}", names(who.iter().map(String::as_str)))),
    );
    // Told when there are some, and again each time they are twice as many.
    if state.beyond > 0 && state.beyond >= before.saturating_mul(2) {
        said.push(format!(
            "{} more are reachable than have room in the list",
            state.beyond
        ));
    }
    notify(desk, &mut state);
    let closes = state.beyond == 0 && state.members.iter().all(|m| !m.open);
    if closes {
        state.open = false;
        state.closed = Some(desk.round.at);
        said.push("all of them are shut".to_owned());
    } else if said.is_empty() && state.last_seen == desk.round.at && desk.reminder_is_due(&state) {
        let open = state.members.iter().filter(|m| m.open).count();
        said.push(format!(
            "{} of {} still open",
            open,
            targets(state.members.len())
        ));
    }
    let mut change = desk.finish(incident, state, None, &said, closes);
    if reopens && !closes {
        change.deed = Deed::Reopened;
    }
    change
}

/// How many could not be judged, of those that have no word in the list nor an open incident.
fn unjudged(desk: Desk<'_>, state: &State) -> u32 {
    let is_elsewhere = |subject: &&Subject| {
        let mut incidents = desk.of(&subject.fingerprint).into_iter();
        find(state, &subject.fingerprint).is_some()
            || incidents.any(|i| i.standing == Standing::Open)
    };
    let subjects = desk.round.subjects.iter();
    let unjudged = subjects.filter(|s| s.verdict == Verdict::Inconclusive && !is_elsewhere(s));
    u32::try_from(unjudged.count()).unwrap_or(u32::MAX)
}

/// Looks at each listed target.
fn look(desk: Desk<'_>, state: &mut State) -> News {
    let at = desk.round.at;
    let mut news = News::default();
    for member in &mut state.members {
        let Some(subject) = desk.subject(&member.fingerprint) else {
            if desk.round.complete && member.open && !member.orphaned {
                member.orphaned = true;
                member.shut = None;
                news.gone.push(member.name.clone());
            }
            continue;
        };
        member.orphaned = false;
        member.unsure = subject.verdict == Verdict::Inconclusive && member.open;
        match subject.verdict {
            // Somebody answers for it, or it was not seen again: what was told of it stays.
            Verdict::Exposed if !member.open && (subject.waived || !subject.confirmed) => {}
            Verdict::Exposed => {
                news.exposed = true;
                member.shut = None;
                subject.headline.clone_into(&mut member.headline);
                if !member.open {
                    member.open = true;
                    member.since = at;
                    news.again.push(member.name.clone());
                }
            }
            Verdict::Blocked => {
                let counted = count_shut(member.shut.take(), at, &subject.headline);
                if member.open && counted.rounds >= desk.policy.close_after {
                    member.open = false;
                    news.shut.push(member.name.clone());
                }
                member.shut = Some(counted);
            }
            // What is shut already stays so until it is seen open.
            Verdict::Inconclusive if member.open => member.shut = None,
            Verdict::Inconclusive => {}
        }
    }
    news
}

fn notify(desk: Desk<'_>, state: &mut State) {
    if desk.round.complete {
        let members = state.members.iter().filter(|m| m.open);
        state.notify = desk::notify(members.filter_map(|m| desk.subject(&m.fingerprint)));
    }
}

/// How many of the listed targets a round saw exposed, so that it counts.
fn still_exposed(desk: Desk<'_>, state: &State) -> usize {
    let members = state.members.iter();
    let subjects = members.filter_map(|m| desk.subject(&m.fingerprint));
    subjects
        .filter(|s| s.verdict == Verdict::Exposed && !s.waived && s.confirmed)
        .count()
}

/// The next round of one that a person closed as done, if none of it was seen open. Nothing where none
/// of it was looked at.
fn closed_by_person(desk: Desk<'_>, incident: &Incident) -> Option<Change> {
    let looked = |m: &Member| desk.subject(&m.fingerprint).is_some();
    if !desk.round.complete && !incident.state.members.iter().any(looked) {
        return None;
    }
    let (mut state, _) = settled(desk, incident);
    look(desk, &mut state);
    for member in &mut state.members {
        // The person said so, and one blocked round bears it out.
        member.open &= member.shut.is_none();
    }
    state.beyond = 0;
    let shut = state.members.iter().all(|m| !m.open);
    let said: Vec<String> = shut
        .then(|| "closed by a person; all of them are shut".to_owned())
        .into_iter()
        .collect();
    Some(desk.finish(incident, state, None, &said, false))
}

/// One that a person does not want: its targets are held until each was seen blocked once.
fn dismissed(desk: Desk<'_>, incident: &Incident) -> Option<Change> {
    let (mut state, _) = settled(desk, incident);
    for member in &mut state.members {
        let subject = desk.subject(&member.fingerprint);
        match subject.map(|s| s.verdict) {
            Some(Verdict::Blocked) => member.open = false,
            Some(Verdict::Exposed | Verdict::Inconclusive) => member.orphaned = false,
            None if desk.round.complete => member.orphaned = true,
            None => {}
        }
    }
    let at = incident.state.dismissal.map_or(desk.round.at, |d| d.at);
    let over = state.members.iter().all(|m| !m.open || m.orphaned);
    let new = Dismissal { at, over };
    let differs = incident.state.open
        || state.dismissal != Some(new)
        || state
            .members
            .iter()
            .zip(&incident.state.members)
            .any(|(a, b)| (a.open, a.orphaned) != (b.open, b.orphaned));
    state.dismissal = Some(new);
    differs.then(|| desk.change(Deed::Updated, Some(incident), state, None, None))
}
