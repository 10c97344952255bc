//! Numbers, names and times, as all that is said of an incident has them.

use time::OffsetDateTime;

use super::state::State;
use crate::domain::escape::markdown_name;

/// How many names are listed in one line.
const NAMES: usize = 10;

/// `2026-03-04 05:06 UTC`.
pub(super) fn when(at: OffsetDateTime) -> String {
    // A time at the very end of the calendar has no place in another zone.
    let at = at.checked_to_offset(time::UtcOffset::UTC).unwrap_or(at);
    format!(
        "{:04}-{:02}-{:02} {:02}:{:02} UTC",
        at.year(),
        u8::from(at.month()),
        at.day(),
        at.hour(),
        at.minute()
    )
}

/// `1 round`, `7 rounds`.
pub(super) fn rounds(number: u64) -> String {
    match number {
        1 => "1 round".to_owned(),
        many => format!("{many} rounds"),
    }
}

/// `4th`. Small numbers that are at least 4 in practice, and the rest all the same.
pub(super) fn ordinal(number: usize) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// Names with commas, and how many more there are.
pub(super) fn names<'a>(all: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = all.collect();
    let shown: Vec<String> = all.iter().take(NAMES).map(|n| markdown_name(n)).collect();
    let more = all.len().saturating_sub(shown.len());
    let shown = shown.join(", ");
    if more > 0 {
        format!("{shown} and {more} more")
    } else {
        shown
    }
}

/// `1 target`, `12 targets`.
pub(super) fn targets(number: usize) -> String {
    match number {
        1 => "1 target".to_owned(),
        many => format!("{many} targets"),
    }
}

/// How many targets an incident about several stands for, listed or not.
pub(super) fn all(state: &State) -> usize {
    state.members.len().saturating_add(beyond(state))
}

pub(super) fn beyond(state: &State) -> usize {
    usize::try_from(state.beyond).unwrap_or(usize::MAX)
}
