//! An incident in Markdown, for the person who is woken up: what, since when and how bad comes first.
//!
//! Names go through the escaping that all reports use; headlines and evidence arrive inert. Everything
//! is broken once more where it could look like a hidden line of ours.

use std::fmt::Write as _;

use time::OffsetDateTime;

use super::state::{Kind, Member, State, inert};
use super::wire::{ROWS, shown};
use super::{Subject, link};
use crate::domain::escape::{clip, markdown_code, markdown_name, markdown_prose, visible};

/// How many names are listed in one line.
const NAMES: usize = 10;
/// How long a title may be, in characters; GitHub takes 256.
const TITLE: usize = 250;
/// What stands for a row's words that were not kept.
const NOT_KEPT: &str = "see the run's report";
/// What stands for what was seen, where everybody can read it.
pub(super) const WITHHELD: &str = "details are withheld here";

/// For what kind of place the words are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// A file, which has nothing but its text.
    File,
    /// An issue: it has a title, people can be mentioned in it, and its comments tell the whole story.
    Issue,
}

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

/// The title, as plain text in one line.
#[must_use]
pub fn title(state: &State) -> String {
    if state.title.is_empty() {
        usual_title(state)
    } else {
        visible(&state.title)
    }
}

/// The title that a policy gives: `{target}` in it is the target's name.
pub(super) fn titled(state: &State, template: Option<&str>) -> String {
    let title = match (template, state.kind) {
        (Some(template), Kind::Target) => visible(&template.replace("{target}", &state.name)),
        (Some(_) | None, _) => usual_title(state),
    };
    clip(&title, TITLE)
}

fn usual_title(state: &State) -> String {
    match state.kind {
        Kind::Target => format!("Reachable from outside: {}", visible(&state.name)),
        Kind::Mass => format!("Reachable from outside: {}", targets(all(state))),
        Kind::Blind => "noentry cannot see".to_owned(),
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
fn all(state: &State) -> usize {
    state.members.len().saturating_add(beyond(state))
}

fn beyond(state: &State) -> usize {
    usize::try_from(state.beyond).unwrap_or(usize::MAX)
}

/// The part that is written anew in each round.
#[must_use]
pub fn head(state: &State, flavour: Flavour) -> String {
    head_with(state, flavour, ROWS)
}

/// The same with at most so many targets in its table.
pub(super) fn head_with(state: &State, flavour: Flavour, rows: usize) -> String {
    let mut out = match flavour {
        Flavour::File => format!("# {}\n\n", heading(state)),
        Flavour::Issue => String::new(),
    };
    let _ = writeln!(out, "{}", first_line(state));
    for note in notes(state, flavour) {
        let _ = writeln!(out, "\n{note}");
    }
    out.push('\n');
    for (number, (label, value)) in table(state).into_iter().enumerate() {
        let _ = writeln!(out, "| {label} | {value} |");
        // Markdown wants a head for every table: the first row is it.
        if number == 0 {
            out.push_str("| :--- | :--- |\n");
        }
    }
    out.push_str(&members(state, rows));
    inert(&out)
}

fn heading(state: &State) -> String {
    let usual = state.title.is_empty() || state.title == usual_title(state);
    match state.kind {
        Kind::Target if usual => {
            format!("Reachable from outside: {}", markdown_name(&state.name))
        }
        Kind::Target | Kind::Mass | Kind::Blind => markdown_prose(&title(state)),
    }
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
        return closed_line(state, &name, &since, closed);
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
        return format!(
            "**{name} has been shut since {}:** {}. It was reachable from {since} to {last}.",
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
            format!(
                "**All {all} targets have been shut since {closed}.** They became reachable from {since} on."
            )
        }
        Some(_) | None => format!(
            "**{} of {all} targets are not known to be shut; they became reachable from outside \
             from {since} on.** So many in one round have one cause more often than many: a rule that was opened, or a vantage that is \
             no longer outside.",
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
            let who = match all(state) {
                1 => format!("1 target could not be judged since {since}"),
                many => format!("{many} targets could not be judged, the longest since {since}"),
            };
            format!("**{who}.** That is not a pass: nobody knows what an outsider reaches there.")
        }
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

fn notes(state: &State, flavour: Flavour) -> Vec<String> {
    let mut notes = Vec::new();
    if flavour == Flavour::Issue && state.open {
        notes.extend(link::mention(&state.notify));
    }
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
        Some(_) | None => {
            let run = link::run(state);
            rows.push(("last looked at", format!("{}{run}", when(state.last_round))));
        }
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
        rows.push(("declared", link::declared(state)));
    }
    if let Some(previous) = &state.previous {
        rows.push(("the incident before", link::incident(previous)));
    }
    rows
}

fn members(state: &State, rows: usize) -> String {
    if state.members.is_empty() || (state.kind == Kind::Blind && !state.open) {
        return String::new();
    }
    let mut out = String::new();
    let rows = rows.min(ROWS);
    if rows > 0 {
        out.push_str(
            "\n| target | state | since | what was seen |\n| :--- | :--- | :--- | :--- |\n",
        );
    }
    let order = shown(state).into_iter().take(rows);
    for member in order.filter_map(|at| state.members.get(at)) {
        let (word, since, seen) = standing(state.kind, member);
        let seen = if seen.is_empty() { NOT_KEPT } else { seen };
        let _ = writeln!(
            out,
            "| {} | {word} | {} | {seen} |",
            markdown_name(&member.name),
            when(since)
        );
    }
    let more = all(state).saturating_sub(rows.min(state.members.len()));
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
        (None, _) if !member.open => ("seen blocked once", member.since, &member.headline),
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
    if subject.withheld {
        return withheld();
    }
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

/// What stands in place of what was seen, where everybody can read it.
pub(super) fn withheld() -> String {
    "## What was seen\n\nDetails are withheld here: everybody can read this.\n".to_owned()
}
