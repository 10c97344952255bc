//! One incident as the text of a file: our section between two marks, and whatever a person wrote
//! before and after it.
//!
//! ```text
//! … a person's words …
//! <!-- noentry:begin 0123456789ab -->
//! head, written anew each time
//! <!-- noentry:seen -->
//! evidence of the last round that saw it
//! <!-- noentry:timeline -->
//! one line a comment, only ever added to
//! <!-- noentry:v1 {…} -->
//! <!-- noentry:end 0123456789ab -->
//! … a person's words …
//! ```
//!
//! The marks carry the fingerprint that the file's name has too, so a section that was pasted from
//! another incident is somebody's words. Two sections of one fingerprint are nobody's guess: such a
//! file is refused.

use std::fmt::Write as _;

use super::Change;
use super::body::{self, when};
use super::state::{self, State, inert};

const SEEN: &str = "<!-- noentry:seen -->";
const TIMELINE: &str = "<!-- noentry:timeline -->";

/// A file taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paper {
    before: String,
    details: String,
    timeline: String,
    after: String,
    pub(super) state: State,
}

impl Paper {
    /// The paper of an incident that has none yet.
    pub(super) fn new(state: State) -> Self {
        Self {
            before: String::new(),
            details: String::new(),
            timeline: "\n## Timeline\n\n".to_owned(),
            after: String::new(),
            state,
        }
    }

    /// Takes a text apart. `short` is the fingerprint in the file's name.
    pub(super) fn read(text: &str, short: &str) -> Result<Self, String> {
        let (begin, end) = (begin(short), end(short));
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let only = |mark: &str, from: usize, to: usize| -> Result<usize, String> {
            let mut found = (from..to).filter(|i| lines.get(*i).is_some_and(|l| is(l, mark)));
            match (found.next(), found.next()) {
                (Some(at), None) => Ok(at),
                (None, _) => Err(format!("the line `{mark}` is missing")),
                (Some(_), Some(_)) => Err(format!("the line `{mark}` is there twice")),
            }
        };
        let first = only(&begin, 0, lines.len())?;
        let last = only(&end, 0, lines.len())?;
        let seen = only(SEEN, first, last)?;
        let timeline = only(TIMELINE, seen, last)?;
        let hidden = last.saturating_sub(1);
        if hidden <= timeline {
            return Err("its state is missing".to_owned());
        }
        let part = |from: usize, to: usize| lines.get(from..to).unwrap_or_default().concat();
        let state = state::read(lines.get(hidden).copied().unwrap_or_default())?;
        if state.fingerprint.short() != short {
            return Err("its state belongs to another file name".to_owned());
        }
        Ok(Self {
            before: part(0, first),
            details: part(seen.saturating_add(1), timeline),
            timeline: part(timeline.saturating_add(1), hidden),
            after: part(last.saturating_add(1), lines.len()),
            state,
        })
    }

    /// Writes what has changed into it.
    pub(super) fn change(&mut self, change: &Change) {
        self.state = change.state.clone();
        if let Some(details) = &change.details {
            self.details = format!("\n{}\n\n", inert(details).trim_end());
        }
        if let Some(comment) = &change.comment {
            let at = when(change.state.last_round);
            // One line each, whatever is in it.
            let line = inert(&comment.replace(['\n', '\r'], " "));
            if !self.timeline.is_empty() && !self.timeline.ends_with('\n') {
                self.timeline.push('\n');
            }
            let _ = writeln!(self.timeline, "- **{at}** {line}");
        }
    }

    /// The whole text.
    pub(super) fn text(&self) -> Result<String, serde_json::Error> {
        let short = self.state.fingerprint.short();
        let mut before = self.before.clone();
        if !before.is_empty() && !before.ends_with('\n') {
            before.push('\n');
        }
        Ok(format!(
            "{before}{}\n{}\n{SEEN}\n{}{TIMELINE}\n{}{}\n{}\n{}",
            begin(short),
            body::head(&self.state),
            self.details,
            self.timeline,
            state::write(&self.state)?,
            end(short),
            self.after
        ))
    }
}

fn begin(short: &str) -> String {
    format!("<!-- noentry:begin {short} -->")
}

fn end(short: &str) -> String {
    format!("<!-- noentry:end {short} -->")
}

/// Editors may change the line's ending, nothing else.
fn is(line: &str, mark: &str) -> bool {
    line.trim_end() == mark
}
