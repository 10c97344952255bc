//! Incidents about several targets: a mass exposure, and noentry's own blindness.
//!
//! More than a few new incidents in one round have one cause, and one page with a table says so better
//! than a hundred. A target in an open mass incident has no incident of its own; the mass incident is
//! over when each of its targets was shut for as long as any incident asks for.
//!
//! Blindness is counted by target, between incidents in the store's memory. It is over as soon as all
//! of the targets were judged again.

use super::body::{self, names};
use super::lifecycle::{self, Desk, Opening, count_shut, finish};
use super::state::{Fingerprint, Kind, Member, State};
use super::{Change, Deed, Incident, Memory, Outcome, Subject, Unseen};
use crate::domain::verdict::Verdict;

/// The open mass incident of this configuration.
pub(super) fn open_mass(desk: Desk<'_>) -> Option<&Incident> {
    let own = Fingerprint::of(Kind::Mass, "", &desk.round.config);
    desk.of(&own).into_iter().rfind(|i| i.state.open)
}

/// Whether an incident about several targets has this one.
pub(super) fn is_member(state: &State, fingerprint: &Fingerprint) -> bool {
    state.members.iter().any(|m| m.fingerprint == *fingerprint)
}

/// Opens incidents for what is newly exposed: one by one, or all in one.
pub(super) fn mass(
    desk: Desk<'_>,
    open: Option<&Incident>,
    fresh: Vec<&Subject>,
    outcome: &mut Outcome,
) {
    let many = fresh.len() > desk.policy.mass_exposure_after;
    let (joining, single) = if many {
        (fresh, Vec::new())
    } else {
        (Vec::new(), fresh)
    };
    let single = single.into_iter();
    outcome
        .changes
        .extend(single.map(|subject| lifecycle::open(desk, subject)));
    match open {
        Some(mass) if mass.state.last_round < desk.round.at => {
            outcome.changes.push(go_on(desk, &mass.state, &joining));
        }
        None if many => outcome.changes.push(begin(desk, &joining)),
        // What has this round or a later one already stays as it is.
        Some(_) | None => {}
    }
}

fn begin(desk: Desk<'_>, fresh: &[&Subject]) -> Change {
    let mut state = desk.fresh(Kind::Mass, "");
    state.members = fresh.iter().map(|s| member(desk, s)).collect();
    state.reach = fresh.iter().filter_map(|s| s.reach).max();
    let comment = format!(
        "opened: {} became reachable in one round",
        targets(fresh.len())
    );
    Change {
        deed: Deed::Opened,
        state,
        details: None,
        comment: Some(comment),
        place: None,
        duplicate_of: None,
    }
}

fn member(desk: Desk<'_>, subject: &Subject) -> Member {
    Member {
        fingerprint: subject.fingerprint.clone(),
        name: subject.name.clone(),
        open: true,
        since: desk.round.at,
        headline: subject.headline.clone(),
        shut: None,
        unsure: false,
        orphaned: false,
    }
}

fn targets(number: usize) -> String {
    match number {
        1 => "1 target".to_owned(),
        many => format!("{many} targets"),
    }
}

fn go_on(desk: Desk<'_>, state: &State, joining: &[&Subject]) -> Change {
    let at = desk.round.at;
    let mut state = state.clone();
    state.last_round = at;
    let (mut again, mut shut, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    let mut exposed = false;
    for member in &mut state.members {
        let mut subjects = desk.round.subjects.iter();
        let Some(subject) = subjects.find(|s| s.fingerprint == member.fingerprint) else {
            if desk.round.complete && member.open && !member.orphaned {
                member.orphaned = true;
                member.shut = None;
                gone.push(member.name.clone());
            }
            continue;
        };
        member.orphaned = false;
        member.unsure = subject.verdict == Verdict::Inconclusive && member.open;
        match subject.verdict {
            // Somebody answers for it: what was told of it stays.
            Verdict::Exposed if subject.waived && !member.open => {}
            Verdict::Exposed => {
                exposed = true;
                member.shut = None;
                subject.headline.clone_into(&mut member.headline);
                if !member.open {
                    member.open = true;
                    member.since = at;
                    again.push(member.name.clone());
                }
            }
            Verdict::Blocked => {
                let counted = count_shut(member.shut.take(), at, &subject.headline);
                if member.open && counted.rounds >= desk.policy.close_after {
                    member.open = false;
                    shut.push(member.name.clone());
                }
                member.shut = Some(counted);
            }
            // What is shut already stays so until it is seen open.
            Verdict::Inconclusive if member.open => member.shut = None,
            Verdict::Inconclusive => {}
        }
    }
    state
        .members
        .extend(joining.iter().map(|s| member(desk, s)));
    if exposed || !joining.is_empty() {
        state.last_seen = at;
        state.rounds = state.rounds.saturating_add(1);
    }
    let joined: Vec<String> = joining.iter().map(|s| s.name.clone()).collect();
    let mut said: Vec<String> = [
        ("reachable too", joined),
        ("reachable again", again),
        ("shut", shut),
        ("gone from the configuration", gone),
    ]
    .into_iter()
    .filter(|(_, who)| !who.is_empty())
    .map(|(what, who)| format!("{what}: {}", names(who.iter().map(String::as_str))))
    .collect();
    let closes = state.members.iter().all(|m| !m.open);
    if closes {
        state.open = false;
        state.closed = Some(at);
        said.push("all of them are shut".to_owned());
    } else if said.is_empty() && exposed && desk.reminder_is_due(&state) {
        let open = state.members.iter().filter(|m| m.open).count();
        said.push(format!(
            "{} of {} still open",
            open,
            targets(state.members.len())
        ));
    }
    finish(desk, state, None, &said, closes)
}

/// Counts who cannot be judged, and tells when that lasts.
pub(super) fn blind(desk: Desk<'_>, outcome: &mut Outcome) {
    let round = desk.round;
    let own = Fingerprint::of(Kind::Blind, "", &round.config);
    let incidents = desk.of(&own);
    let current = incidents.iter().rfind(|i| i.state.open);
    let remembered = desk.known.memory.get(&round.config);
    let seen_before = remembered.is_some_and(|m| m.last_round >= round.at)
        || incidents.iter().any(|i| i.state.last_round >= round.at);
    if seen_before {
        return;
    }
    let before = remembered.cloned().unwrap_or_else(|| Memory {
        last_round: round.at,
        unseen: std::collections::BTreeMap::new(),
    });
    let unseen = count_unseen(desk, &before, current.map(|i| &i.state));
    let mut members: Vec<Member> = unseen
        .iter()
        .filter(|(_, u)| u.rounds >= desk.policy.blind_after)
        .map(|(fingerprint, u)| Member {
            fingerprint: fingerprint.clone(),
            name: u.name.clone(),
            open: true,
            since: u.since,
            headline: headline(desk, fingerprint, current.map(|i| &i.state)),
            shut: None,
            unsure: false,
            orphaned: false,
        })
        .collect();
    members.sort_by(|a, b| a.name.cmp(&b.name));
    outcome.changes.extend(match (current, incidents.last()) {
        (Some(current), _) => Some(still_blind(desk, &current.state, members)),
        (None, _) if members.is_empty() => None,
        (None, Some(last)) if desk.goes_on(&last.state) => {
            Some(blind_again(desk, &last.state, members))
        }
        (None, _) => {
            let mut state = desk.fresh(Kind::Blind, "");
            if let Some(since) = members.iter().map(|m| m.since).min() {
                state.first_seen = since;
            }
            state.rounds = u64::from(desk.policy.blind_after);
            let comment = format!("opened: {} cannot be judged", listed(&members));
            state.members = members;
            Some(Change {
                deed: Deed::Opened,
                state,
                details: None,
                comment: Some(comment),
                place: None,
                duplicate_of: None,
            })
        }
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
) -> std::collections::BTreeMap<Fingerprint, Unseen> {
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
    unseen
}

/// What this round says of a target, or what the incident said before.
fn headline(desk: Desk<'_>, fingerprint: &Fingerprint, current: Option<&State>) -> String {
    let mut subjects = desk.round.subjects.iter();
    if let Some(subject) = subjects.find(|s| s.fingerprint == *fingerprint) {
        return subject.headline.clone();
    }
    let mut members = current.into_iter().flat_map(|state| &state.members);
    let known = members.find(|m| m.fingerprint == *fingerprint);
    known.map(|m| m.headline.clone()).unwrap_or_default()
}

fn listed(members: &[Member]) -> String {
    names(members.iter().map(|m| m.name.as_str()))
}

fn blind_again(desk: Desk<'_>, state: &State, members: Vec<Member>) -> Change {
    let mut state = state.clone();
    let opening = desk.reopen(&mut state);
    let comment = match opening {
        Opening::Told => Some(format!("{} cannot be judged again", listed(&members))),
        Opening::Flaps => Some(format!(
            "{} cannot be judged, for the {} time within a day; each time is no longer told here \
             until a day is quieter",
            listed(&members),
            body::ordinal(state.openings.len())
        )),
        Opening::StillFlaps => None,
    };
    state.members = members;
    state.last_seen = desk.round.at;
    state.rounds = state.rounds.saturating_add(1);
    if comment.is_some() {
        state.told = desk.round.at;
    }
    Change {
        deed: Deed::Reopened,
        state,
        details: None,
        comment,
        place: None,
        duplicate_of: None,
    }
}

fn still_blind(desk: Desk<'_>, state: &State, members: Vec<Member>) -> Change {
    let mut state = state.clone();
    state.last_round = desk.round.at;
    let differ = |these: &[Member], those: &[Member]| -> Vec<String> {
        let lost = these
            .iter()
            .filter(|m| !those.iter().any(|o| o.fingerprint == m.fingerprint));
        lost.map(|m| m.name.clone()).collect()
    };
    let joined = differ(&members, &state.members);
    let left = differ(&state.members, &members);
    let closes = members.is_empty();
    let mut said = Vec::new();
    if closes {
        state.open = false;
        state.closed = Some(desk.round.at);
        said.push("noentry sees again, or nothing is left to be looked at".to_owned());
    } else {
        for (what, who) in [("cannot be judged either", joined), ("judged again", left)] {
            if !who.is_empty() {
                said.push(format!("{what}: {}", names(who.iter().map(String::as_str))));
            }
        }
        state.members = members;
        state.last_seen = desk.round.at;
        state.rounds = state.rounds.saturating_add(1);
        if said.is_empty() && desk.reminder_is_due(&state) {
            said.push(format!("still not judged: {}", listed(&state.members)));
        }
    }
    if closes && state.flapping {
        said.clear();
    }
    finish(desk, state, None, &said, closes)
}
