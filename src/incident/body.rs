//! An incident in Markdown, for the person who is woken up: what, since when and how bad comes first.
//!
//! Names go through the escaping that all reports use; headlines and evidence arrive inert. Everything
//! is broken once more where it could look like a hidden line of ours.

use std::fmt::Write as _;

use time::OffsetDateTime;

use super::lead::first_line;
use super::state::{Kind, Member, State, inert};
use super::wire::{ROWS, shown};
use super::words::{all, rounds, targets, when};
use super::{Subject, link};
use crate::domain::escape::{clip, markdown_code, markdown_name, markdown_prose, visible};

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
    let (first, last) = match state.kind {
        Kind::Target | Kind::Mass => ("first seen", "last seen"),
        // Nothing was seen: that is what it is about.
        Kind::Blind => ("first blind", "last blind"),
    };
    let mut rows = vec![
        (first, when(state.first_seen)),
        (
            last,
            format!("{}, in {}", when(state.last_seen), rounds(state.rounds)),
        ),
    ];
    match state.closed {
        Some(closed) if !state.open => {
            // The state has the run of one round alone.
            let run = (closed == state.last_round).then(|| link::run(state));
            let run = run.unwrap_or_default();
            rows.push(("closed", format!("{}{run}", when(closed))));
        }
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
