//! The first line of an incident: what, since when and how bad.

use std::cmp::Ordering;

use time::OffsetDateTime;

use super::link;
use super::share::is_shard;
use super::state::{Kind, State};
use super::words::{all, beyond, rounds, targets, when};
use crate::domain::escape::{markdown_code, markdown_name};

pub(super) fn first_line(state: &State) -> String {
    match state.kind {
        Kind::Target => target_line(state),
        Kind::Mass => mass_line(state),
        Kind::Blind => blind_line(state),
    }
}

fn target_line(state: &State) -> String {
    let name = markdown_name(&state.name);
    let seen = &state.headline;
    let reach = state
        .reach
        .map(|reach| format!(" (reached {})", markdown_code(reach.as_str())))
        .unwrap_or_default();
    let since = when(state.opened);
    if let (false, Some(closed)) = (state.open, state.closed) {
        return closed_line(state, &name, &since, closed);
    }
    let last = when(state.last_seen);
    let was = if state.last_seen < state.opened {
        format!("It was opened again at {since}, last seen reachable at {last}: {seen}{reach}.")
    } else {
        format!("It was reachable from {since} on, last seen so at {last}: {seen}{reach}.")
    };
    if let Some(orphaned) = state.orphaned {
        return format!(
            "**Nobody has looked at {name} since {}: it is gone from the configuration.** {was}",
            when(orphaned)
        );
    }
    if let Some(unsure) = state.unsure {
        return format!(
            "**Since {} nobody can tell whether {name} is still reachable.** {was}",
            when(unsure)
        );
    }
    if let Some(shut) = &state.shut {
        return format!(
            "**{name} has looked shut since {}, in {} so far:** {}. {was}",
            when(shut.since),
            rounds(u64::from(shut.rounds)),
            shut.by
        );
    }
    format!("**{name} has been reachable from outside since {since}:** {seen}{reach}.")
}

/// The first line of what is over, or of what a person says is over.
fn closed_line(state: &State, name: &str, since: &str, closed: OffsetDateTime) -> String {
    let seen = &state.headline;
    let last = when(state.last_seen);
    if let Some(kept) = &state.duplicate_of {
        return format!(
            "**Closed at {}: the same incident is kept at {}.**",
            when(closed),
            link::incident(kept)
        );
    }
    let closed = when(closed);
    if let Some(dismissal) = state.dismissal {
        let then = if dismissal.over {
            "It was seen blocked since, so that another exposure opens another incident."
        } else {
            "Until it was seen blocked once, its exposure opens no other incident."
        };
        return format!(
            "**A person closed this as not planned (noticed at {}).** {name} was reachable from \
             {since} on, last seen so at {last}: {seen}. {then}",
            when(dismissal.at)
        );
    }
    if let Some(shut) = &state.shut {
        let was = match state.last_seen.cmp(&state.opened) {
            // A person opened it again, and it was not seen reachable since.
            Ordering::Less => format!("It was last seen reachable at {last}."),
            Ordering::Equal => format!("It was seen reachable once, at {last}."),
            Ordering::Greater => format!("It was reachable from {since} to {last}."),
        };
        return format!(
            "**{name} has been shut since {}:** {}. {was}",
            when(shut.since),
            shut.by
        );
    }
    let then = match (state.unsure, state.orphaned, state.waived) {
        (Some(unsure), _, _) => {
            format!("nobody can tell since {} whether it still is", when(unsure))
        }
        (None, Some(orphaned), _) => format!(
            "it has been gone from the configuration since {}",
            when(orphaned)
        ),
        (None, None, Some(_)) => "its exposure is waived".to_owned(),
        (None, None, None) => "it was not seen shut".to_owned(),
    };
    format!(
        "**A person closed this (noticed at {closed}).** {name} was reachable from {since} on, last \
         seen so at {last}: {seen}; {then}."
    )
}

/// What is most likely behind many at once.
const CAUSE: &str = "So many in one round have one cause more often than many: a rule that was opened, \
    or a vantage that is no longer outside.";

/// Whether all that is open was seen so when it was last looked at.
fn still_seen(state: &State) -> bool {
    let mut open = state.members.iter().filter(|m| m.open);
    beyond(state) == 0 && open.all(|m| m.shut.is_none() && !m.unsure && !m.orphaned)
}

fn mass_line(state: &State) -> String {
    let open = state.members.iter().filter(|m| m.open).count();
    let all = all(state);
    let since = when(state.opened);
    match state.closed {
        Some(closed) if !state.open => {
            let closed = when(closed);
            if let Some(line) = closed_for_another_reason(state, &closed) {
                return line;
            }
            if open > 0 {
                return format!(
                    "**A person closed this (noticed at {closed}).** {open} of {all} targets were \
                     not known to be shut then; they became reachable from {since} on."
                );
            }
            // The one that was shut last; what a person closed may have none.
            let shut = state
                .members
                .iter()
                .filter_map(|m| Some(m.shut.as_ref()?.since));
            let last = shut.max().map_or(closed, when);
            format!(
                "**All {all} targets have been shut since {last}.** They became reachable from {since} on."
            )
        }
        Some(_) | None if still_seen(state) => format!(
            "**{open} of {all} targets are reachable from outside; they became so from {since} on.** {CAUSE}"
        ),
        Some(_) | None => format!(
            "**{} of {all} targets are not known to be shut; they became reachable from outside \
             from {since} on.** {CAUSE}",
            open.saturating_add(beyond(state))
        ),
    }
}

fn blind_line(state: &State) -> String {
    match state.closed {
        Some(closed) if !state.open => {
            let closed = when(closed);
            closed_for_another_reason(state, &closed).unwrap_or_else(|| {
                format!(
                    "**noentry has been able to judge all again since {closed}.** It could not from {} on.",
                    when(state.first_seen)
                )
            })
        }
        Some(_) | None => {
            let since = state.members.iter().map(|m| m.since).min();
            let since = when(since.unwrap_or(state.opened));
            let who = who(state);
            let who = match all(state) {
                1 => format!("{who} could not be judged since {since}"),
                _ => format!("{who} could not be judged, the longest since {since}"),
            };
            format!("**{who}.** That is not a pass: nobody knows what an outsider reaches there.")
        }
    }
}

/// How many could not be judged: `2 targets and 1 shard`. Those beyond the list are taken for targets.
fn who(state: &State) -> String {
    let shards = state.members.iter().filter(|m| is_shard(&m.name)).count();
    let named = match shards {
        1 => "1 shard".to_owned(),
        many => format!("{many} shards"),
    };
    match (all(state).saturating_sub(shards), shards) {
        (number, 0) => targets(number),
        (0, _) => named,
        (number, _) => format!("{} and {named}", targets(number)),
    }
}

/// The first line of an incident about several that somebody closed, or that is told elsewhere.
fn closed_for_another_reason(state: &State, closed: &str) -> Option<String> {
    if let Some(kept) = &state.duplicate_of {
        let kept = link::incident(kept);
        return Some(format!(
            "**Closed at {closed}: the same incident is kept at {kept}.**"
        ));
    }
    let dismissal = state.dismissal?;
    let noticed = when(dismissal.at);
    let then = match (dismissal.over, state.kind) {
        (true, _) => "That is over: what happens next opens another incident.",
        (false, Kind::Blind) => "Until all could be judged once, no other incident is opened.",
        (false, Kind::Mass | Kind::Target) => {
            "Until each of its targets was seen blocked once, its exposure opens no other incident."
        }
    };
    Some(format!(
        "**A person closed this as not planned (noticed at {noticed}).** {then}"
    ))
}
