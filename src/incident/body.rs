//! An incident in Markdown, for the person who is woken up: what, since when and how bad comes first.
//!
//! Names go through the escaping that all reports use; headlines and evidence arrive inert. Everything
//! is broken once more where it could look like a hidden line of ours.

use std::fmt::Write as _;

use time::OffsetDateTime;

use super::Subject;
use super::state::{Kind, Member, State, inert};
use crate::domain::escape::{markdown_code, markdown_name, markdown_prose, visible};

/// How many names are listed in one line.
const NAMES: usize = 10;
/// How many targets a table shows.
const ROWS: usize = 200;

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

/// A link to another incident: a file beside this one, or the place as it is.
pub(super) fn link(place: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match place.strip_suffix(".md") {
        Some(stem) if !stem.is_empty() && place.chars().all(plain) => {
            format!("[{stem}]({place})")
        }
        Some(_) | None => markdown_code(place),
    }
}

/// The title, as plain text in one line.
#[must_use]
pub fn title(state: &State) -> String {
    match state.kind {
        Kind::Target => format!("Reachable from outside: {}", visible(&state.name)),
        Kind::Mass => format!("Reachable from outside: {} targets", state.members.len()),
        Kind::Blind => "noentry cannot see".to_owned(),
    }
}

/// The part that is written anew in each round.
#[must_use]
pub fn head(state: &State) -> String {
    let heading = match state.kind {
        Kind::Target => format!("Reachable from outside: {}", markdown_name(&state.name)),
        Kind::Mass | Kind::Blind => markdown_prose(&title(state)),
    };
    let mut out = format!("# {heading}\n\n{}\n", first_line(state));
    for note in notes(state) {
        let _ = writeln!(out, "\n{note}");
    }
    out.push('\n');
    for (label, value) in table(state) {
        let _ = writeln!(out, "| {label} | {value} |");
        // Markdown wants a head for every table: the first row is it.
        if out.ends_with(" |\n") && !out.contains("| :--- |") {
            out.push_str("| :--- | :--- |\n");
        }
    }
    out.push_str(&members(state));
    inert(&out)
}

fn first_line(state: &State) -> String {
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
        return match &state.shut {
            Some(shut) => format!(
                "**{name} has been shut since {}:** {}. It was reachable from {since} to {}.",
                when(shut.since),
                shut.by,
                when(state.last_seen)
            ),
            None => format!("**Closed at {}.** {name}: {seen}.", when(closed)),
        };
    }
    if let Some(orphaned) = state.orphaned {
        return format!(
            "**Nobody has looked at {name} since {}: it is gone from the configuration.** It was \
             reachable from {since} on, last seen so at {}: {seen}{reach}.",
            when(orphaned),
            when(state.last_seen)
        );
    }
    if let Some(unsure) = state.unsure {
        return format!(
            "**Since {} nobody can tell whether {name} is still reachable.** It was from {since} on, \
             last seen so at {}: {seen}{reach}.",
            when(unsure),
            when(state.last_seen)
        );
    }
    if let Some(shut) = &state.shut {
        return format!(
            "**{name} has looked shut since {}, in {} so far:** {}. It was reachable from {since} on, \
             last seen so at {}: {seen}{reach}.",
            when(shut.since),
            rounds(u64::from(shut.rounds)),
            shut.by,
            when(state.last_seen)
        );
    }
    format!("**{name} has been reachable from outside since {since}:** {seen}{reach}.")
}

fn mass_line(state: &State) -> String {
    let open = state.members.iter().filter(|m| m.open).count();
    let all = state.members.len();
    let since = when(state.opened);
    match state.closed {
        Some(closed) if !state.open => {
            format!(
                "**All {all} targets have been shut since {}.** They became reachable from {since} on.",
                when(closed)
            )
        }
        Some(_) | None => format!(
            "**{open} of {all} targets are not known to be shut; they became reachable from outside \
             from {since} on.** So many in one round have one cause more often than many: a rule that was opened, or a vantage that is \
             no longer outside."
        ),
    }
}

fn blind_line(state: &State) -> String {
    match state.closed {
        Some(closed) if !state.open => format!(
            "**noentry has been able to judge all again since {}.** It could not from {} on.",
            when(closed),
            when(state.first_seen)
        ),
        Some(_) | None => {
            let since = state.members.iter().map(|m| m.since).min();
            let since = when(since.unwrap_or(state.opened));
            let who = match state.members.len() {
                1 => format!("1 target could not be judged since {since}"),
                many => format!("{many} targets could not be judged, the longest since {since}"),
            };
            format!("**{who}.** That is not a pass: nobody knows what an outsider reaches there.")
        }
    }
}

fn notes(state: &State) -> Vec<String> {
    let mut notes = Vec::new();
    if state.flapping {
        notes.push(format!(
            "It opens and shuts again and again: {} openings within a day. Not each of them is told.",
            state.openings.len()
        ));
    }
    if let Some(waived) = state.waived.filter(|_| state.open) {
        notes.push(format!(
            "The exposure has been waived since {}: nobody is reminded.",
            when(waived)
        ));
    }
    notes
}

fn table(state: &State) -> Vec<(&'static str, String)> {
    let mut rows = vec![
        ("first seen", when(state.first_seen)),
        (
            "last seen",
            format!("{}, in {}", when(state.last_seen), rounds(state.rounds)),
        ),
    ];
    match state.closed {
        Some(closed) if !state.open => rows.push(("closed", when(closed))),
        // Whoever is gone was not looked at in the round that said so.
        Some(_) | None if state.orphaned.is_some() => {}
        Some(_) | None => rows.push(("last looked at", when(state.last_round))),
    }
    if state.opened != state.first_seen && state.kind == Kind::Target {
        rows.insert(1, ("opened again", when(state.opened)));
    }
    if let Some(by) = &state.stopped_before {
        rows.push(("stopped before", by.clone()));
    }
    if state.declared.is_empty() {
        rows.push(("configuration", markdown_code(&state.config)));
    } else {
        rows.push(("declared", markdown_code(&state.declared)));
    }
    if let Some(previous) = &state.previous {
        rows.push(("the incident before", link(previous)));
    }
    rows
}

fn members(state: &State) -> String {
    if state.members.is_empty() || (state.kind == Kind::Blind && !state.open) {
        return String::new();
    }
    let mut out =
        "\n| target | state | since | what was seen |\n| :--- | :--- | :--- | :--- |\n".to_owned();
    for member in state.members.iter().take(ROWS) {
        let (word, since, seen) = standing(state.kind, member);
        let _ = writeln!(
            out,
            "| {} | {word} | {} | {seen} |",
            markdown_name(&member.name),
            when(since)
        );
    }
    let more = state.members.len().saturating_sub(ROWS);
    if more > 0 {
        let _ = writeln!(out, "\n{more} more targets are left out here.");
    }
    out
}

fn standing(kind: Kind, member: &Member) -> (&'static str, OffsetDateTime, &str) {
    match (&member.shut, kind) {
        (_, Kind::Blind) => ("cannot be judged", member.since, &member.headline),
        (_, Kind::Mass | Kind::Target) if member.orphaned => (
            "gone from the configuration",
            member.since,
            &member.headline,
        ),
        (Some(shut), _) if !member.open => ("shut", shut.since, &shut.by),
        (Some(shut), _) => ("looks shut", shut.since, &shut.by),
        (None, _) if member.unsure => (
            "open when last seen, cannot be judged now",
            member.since,
            &member.headline,
        ),
        (None, _) => ("**open**", member.since, &member.headline),
    }
}

/// What was seen and how to see it oneself.
#[must_use]
pub fn details(subject: &Subject) -> String {
    let mut out = format!("## What was seen\n\n{}", subject.evidence);
    if !subject.reproduce.is_empty() {
        out.push_str("\n## See for yourself, from outside\n\n```sh\n");
        for line in &subject.reproduce {
            out.push_str(&visible(line));
            out.push('\n');
        }
        out.push_str("```\n");
    }
    inert(&out)
}
