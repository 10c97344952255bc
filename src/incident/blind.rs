//! noentry's own blindness: who could not be judged for a while.
//!
//! It is counted by target and by shard, between incidents in the store's memory. It is over as soon as
//! all of them were judged again. Of very many only so many are listed; the rest is counted.

use std::collections::BTreeMap;

use super::body;
use super::desk::{self, Desk, Opening};
use super::mass::{LISTED, NAMES};
use super::share::{self, Share};
use super::standing::{self, Stand, adopt, settled};
use super::state::{Fingerprint, Kind, Member, State};
use super::words::{self, names};
use super::{Change, Deed, Incident, Memory, Outcome, Unseen};
use crate::domain::verdict::Verdict;

/// Who is listed, and how many more there are.
struct Lost {
    members: Vec<Member>,
    beyond: u32,
}

impl Lost {
    fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    fn names(&self) -> String {
        names(self.members.iter().map(|m| m.name.as_str()))
    }

    fn write(self, desk: Desk<'_>, state: &mut State) {
        let subjects = self.members.iter();
        state.notify = desk::notify(subjects.filter_map(|m| desk.subject(&m.fingerprint)));
        state.members = self.members;
        state.beyond = self.beyond;
    }
}

/// Whether a whole round comes too late to be counted, so that nobody would hear of what it could not
/// judge. A round of some targets may well end after one of others that began later.
pub(super) fn is_late(desk: Desk<'_>) -> bool {
    desk.round.complete && !desk.round.interrupted && is_counted(desk)
}

/// Whether this round or a later one was counted.
fn is_counted(desk: Desk<'_>) -> bool {
    let round = desk.round;
    let own = Fingerprint::of(Kind::Blind, "", &round.config);
    let remembered = desk.known.memory.get(&round.config);
    remembered.is_some_and(|m| m.last_round >= round.at) || desk.has(&desk.of(&own))
}

/// Counts who cannot be judged, and tells when that lasts.
pub(super) fn tell(desk: Desk<'_>, outcome: &mut Outcome) {
    if is_counted(desk) {
        return;
    }
    let round = desk.round;
    let own = Fingerprint::of(Kind::Blind, "", &round.config);
    let incidents = desk.of(&own);
    let stand = Stand::of(&incidents);
    let current = stand.open.or(stand.closed_by_person);
    let remembered = desk.known.memory.get(&round.config);
    let before = remembered.cloned().unwrap_or_else(|| Memory {
        last_round: round.at,
        unseen: BTreeMap::new(),
    });
    // Where the memory is lost, even what a person does not want says who could not be judged.
    let unwanted = stand.holding.first().filter(|_| remembered.is_none());
    let told = current.or(unwanted.copied()).map(|i| &i.state);
    let unseen = count_unseen(desk, &before, told);
    let lost = lost(desk, &unseen, told);
    let holding = stand.holding.iter();
    outcome.changes.extend(
        holding.filter_map(|incident| standing::dismissed(desk, incident, lost.is_empty())),
    );
    let goes_on = stand.goes_on(desk);
    outcome
        .changes
        .extend(match (stand.open, stand.closed_by_person) {
            (Some(open), _) => Some(still_blind(desk, open, lost)),
            (None, Some(closed)) => Some(closed_by_person(desk, closed, lost)),
            (None, None) if lost.is_empty() || !stand.holding.is_empty() => None,
            (None, None) => Some(match goes_on {
                Some(before) => blind_again(desk, before, lost),
                None => begin(desk, lost),
            }),
        });
    // A round without anything to remember leaves no file behind where there is none.
    if remembered.is_some() || !unseen.is_empty() {
        outcome.memory = Some(Memory {
            last_round: round.at,
            unseen,
        });
    }
}

fn count_unseen(
    desk: Desk<'_>,
    before: &Memory,
    current: Option<&State>,
) -> BTreeMap<Fingerprint, Unseen> {
    let round = desk.round;
    let mut unseen = before.unseen.clone();
    // The memory may have been lost; the incident says the same.
    for member in current.map(|state| &state.members).into_iter().flatten() {
        unseen
            .entry(member.fingerprint.clone())
            .or_insert_with(|| Unseen {
                name: member.name.clone(),
                since: member.since,
                rounds: desk.policy.blind_after,
            });
    }
    if round.complete {
        unseen.retain(|known, _| round.subjects.iter().any(|s| s.fingerprint == *known));
    }
    for subject in &round.subjects {
        match subject.verdict {
            Verdict::Blocked | Verdict::Exposed => {
                unseen.remove(&subject.fingerprint);
            }
            Verdict::Inconclusive if round.interrupted => {}
            Verdict::Inconclusive => {
                let entry = unseen.entry(subject.fingerprint.clone());
                let entry = entry.or_insert_with(|| Unseen {
                    name: subject.name.clone(),
                    since: round.at,
                    rounds: 0,
                });
                entry.rounds = entry.rounds.saturating_add(1);
            }
        }
    }
    share::count(round, before, &mut unseen);
    unseen
}

/// Those who could not be judged for long enough. Who is in the list stays there, so that no one comes
/// and goes with the alphabet.
fn lost(desk: Desk<'_>, unseen: &BTreeMap<Fingerprint, Unseen>, current: Option<&State>) -> Lost {
    let mut all: Vec<(&Fingerprint, &Unseen)> = unseen
        .iter()
        .filter(|(_, u)| u.rounds >= desk.policy.blind_after)
        .collect();
    let is_listed = |fingerprint: &Fingerprint| {
        current.is_some_and(|state| state.members.iter().any(|m| m.fingerprint == *fingerprint))
    };
    all.sort_by_cached_key(|(fingerprint, u)| (!is_listed(fingerprint), u.name.as_str()));
    let (mut members, mut bytes, mut beyond) = (Vec::new(), 0_usize, 0_u32);
    for (fingerprint, u) in all {
        let with = bytes.saturating_add(u.name.len());
        if members.len() >= LISTED || with > NAMES {
            beyond = beyond.saturating_add(1);
            continue;
        }
        bytes = with;
        members.push(Member {
            fingerprint: fingerprint.clone(),
            name: u.name.clone(),
            open: true,
            since: u.since,
            headline: headline(desk, fingerprint, current),
            shut: None,
            unsure: false,
            orphaned: false,
        });
    }
    members.sort_by(|a, b| a.name.cmp(&b.name));
    Lost { members, beyond }
}

/// What this round says of a target, or what the incident said before.
fn headline(desk: Desk<'_>, fingerprint: &Fingerprint, current: Option<&State>) -> String {
    let mut subjects = desk.round.subjects.iter();
    if let Some(subject) = subjects.find(|s| s.fingerprint == *fingerprint) {
        return subject.headline.clone();
    }
    if share::find(desk.round, fingerprint).is_some() {
        return Share::SEEN.to_owned();
    }
    let mut members = current.into_iter().flat_map(|state| &state.members);
    let known = members.find(|m| m.fingerprint == *fingerprint);
    match known {
        Some(_) if desk.withheld() => body::WITHHELD.to_owned(),
        Some(member) => member.headline.clone(),
        None => String::new(),
    }
}

fn begin(desk: Desk<'_>, lost: Lost) -> Change {
    let mut state = desk.fresh(Kind::Blind, "");
    if let Some(since) = lost.members.iter().map(|m| m.since).min() {
        state.first_seen = since;
    }
    state.rounds = u64::from(desk.policy.blind_after);
    let comment = format!("opened: {} cannot be judged", lost.names());
    lost.write(desk, &mut state);
    desk.change(Deed::Opened, None, state, None, Some(comment))
}

fn blind_again(desk: Desk<'_>, incident: &Incident, lost: Lost) -> Change {
    let (mut state, _) = desk.take_up(incident);
    let comment = match desk.reopen(&mut state) {
        Opening::Told => Some(format!("{} cannot be judged again", lost.names())),
        Opening::Flaps => Some(format!(
            "{} cannot be judged, for the {} time within a day; each time is no longer told here \
             until a day is quieter",
            lost.names(),
            words::ordinal(state.openings.len())
        )),
        Opening::StillFlaps => None,
    };
    go_blind(desk, &mut state, lost);
    desk.change(Deed::Reopened, Some(incident), state, None, comment)
}

/// One more round in which these could not be judged.
fn go_blind(desk: Desk<'_>, state: &mut State, lost: Lost) {
    lost.write(desk, state);
    state.last_seen = desk.round.at;
    state.rounds = state.rounds.saturating_add(1);
}

/// The next round of one that a person closed as done.
fn closed_by_person(desk: Desk<'_>, incident: &Incident, lost: Lost) -> Change {
    if lost.is_empty() {
        let (state, _) = settled(desk, incident);
        let said = ["closed by a person; all could be judged again".to_owned()];
        return desk.finish(incident, state, None, &said, false);
    }
    let (mut state, _) = desk.take_up(incident);
    let comment = format!(
        "a person closed it while there was still nothing known about {}",
        lost.names()
    );
    go_blind(desk, &mut state, lost);
    desk.change(Deed::Reopened, Some(incident), state, None, Some(comment))
}

fn still_blind(desk: Desk<'_>, incident: &Incident, lost: Lost) -> Change {
    let (mut state, _) = desk.take_up(incident);
    let mut said = Vec::new();
    if adopt(desk, &mut state) {
        said.push(standing::ADOPTED.to_owned());
    }
    let differ = |these: &[Member], those: &[Member]| -> Vec<Member> {
        let lost = these.iter();
        lost.filter(|m| !those.iter().any(|o| o.fingerprint == m.fingerprint))
            .cloned()
            .collect()
    };
    let joined = differ(&lost.members, &state.members);
    let left = differ(&state.members, &lost.members);
    let closes = lost.is_empty();
    if closes {
        state.open = false;
        state.closed = Some(desk.round.at);
        state.beyond = 0;
        said.extend(no_longer(desk, "noentry sees again", &left));
        if said.is_empty() {
            said.push("nothing is left that cannot be judged".to_owned());
        }
    } else {
        said.extend(list("cannot be judged either", joined.iter()));
        said.extend(no_longer(desk, "judged again", &left));
        if said.is_empty() && desk.reminder_is_due(&state) {
            said.push(format!("still not judged: {}", lost.names()));
        }
        go_blind(desk, &mut state, lost);
    }
    if closes && state.flapping {
        said.clear();
    }
    desk.finish(incident, state, None, &said, closes)
}

/// Who is no longer among those that cannot be judged: seen again, or no longer asked about.
fn no_longer(desk: Desk<'_>, seen: &str, who: &[Member]) -> Vec<String> {
    let (here, gone): (Vec<&Member>, Vec<&Member>) =
        who.iter().partition(|m| is_here(desk, &m.fingerprint));
    let said = [(seen, here), ("gone from the configuration", gone)];
    said.into_iter()
        .filter_map(|(what, who)| list(what, who.into_iter()))
        .collect()
}

/// Whether the round knows of a target, or of a shard.
fn is_here(desk: Desk<'_>, fingerprint: &Fingerprint) -> bool {
    desk.subject(fingerprint).is_some() || share::find(desk.round, fingerprint).is_some()
}

/// What is to be said of some, if there are any.
fn list<'a>(what: &str, who: impl Iterator<Item = &'a Member>) -> Option<String> {
    let who: Vec<&str> = who.map(|member| member.name.as_str()).collect();
    (!who.is_empty()).then(|| format!("{what}: {}", names(who.into_iter())))
}
