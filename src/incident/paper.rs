//! One incident as the text of a file or an issue: our section between two marks, and whatever a person wrote
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
//! The marks carry the fingerprint that a file's name has too, so a section that was pasted from
//! another incident is somebody's words. Two sections of one fingerprint are nobody's guess: such a
//! file is refused.

use std::fmt::Write as _;

use super::body::{self, Flavour};
use super::state::{self, State, inert};
use super::words::when;
use super::{Change, link};

const SEEN: &str = "<!-- noentry:seen -->";
const TIMELINE: &str = "<!-- noentry:timeline -->";

const HEADING: &str = "\n## Timeline\n\n";
/// How many lines of the timeline an issue's body has.
const LINES: usize = 30;
const OLDER: &str = "Older lines are in the comments.";
const LEFT_OUT: &str = "\n## What was seen\n\nThis is left out here, because it is too long; the run's report has it.\n\n";

/// A text taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paper {
    before: String,
    details: String,
    timeline: String,
    after: String,
    /// What noentry knows.
    pub state: State,
}

impl Paper {
    /// The paper of an incident that has none yet.
    #[must_use]
    pub fn new(state: State) -> Self {
        Self {
            before: String::new(),
            details: String::new(),
            timeline: HEADING.to_owned(),
            after: String::new(),
            state,
        }
    }

    /// Takes a text apart. `short` is the fingerprint that it must have, such as the one in a file's
    /// name. Lines may end as on Windows: GitHub's own editor has them so.
    ///
    /// # Errors
    /// What is wrong with it, as a lowercase fragment.
    pub fn read(text: &str, short: &str) -> Result<Self, String> {
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
            details: part(seen.saturating_add(1), timeline).replace("\r\n", "\n"),
            timeline: part(timeline.saturating_add(1), hidden).replace("\r\n", "\n"),
            after: part(last.saturating_add(1), lines.len()),
            state,
        })
    }

    /// Writes what has changed into it.
    pub fn change(&mut self, change: &Change) {
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
            let run = link::run(&change.state);
            let _ = writeln!(self.timeline, "- **{at}** {line}{run}");
        }
    }

    /// The whole text of a file.
    ///
    /// # Errors
    /// If the state cannot be written.
    pub fn text(&self) -> Result<String, serde_json::Error> {
        let hidden = state::write(&self.state)?;
        let head = body::head(&self.state, Flavour::File);
        Ok(self.whole(&head, &self.details, &self.timeline, &hidden))
    }

    /// The whole text of an issue, in at most so many bytes. What is too long is left out: first what
    /// was seen, then rows of a table, then lines of the timeline, the oldest first. The state never
    /// is, nor what a person wrote. GitHub counts characters, of which there are never more than bytes.
    ///
    /// # Errors
    /// If it cannot be, as a lowercase fragment that says what to do.
    pub fn fit(&self, limit: usize) -> Result<String, String> {
        let hidden = state::write(&self.state)
            .map_err(|error| format!("its state cannot be written: {error}"))?;
        // Of an incident about several there are no details that could be left out.
        let short = if self.details.trim().is_empty() {
            self.details.as_str()
        } else {
            LEFT_OUT
        };
        for (details, rows, lines) in [
            (self.details.as_str(), usize::MAX, LINES),
            (short, usize::MAX, LINES),
            (short, 100, LINES),
            (short, 50, LINES),
            (short, 20, LINES),
            (short, 0, LINES),
            (short, 0, 10),
            (short, 0, 3),
            (short, 0, 0),
        ] {
            let head = body::head_with(&self.state, Flavour::Issue, rows);
            let text = self.whole(&head, details, &self.newest(lines), &hidden);
            if text.len() <= limit {
                return Ok(text);
            }
        }
        if self.before.len().saturating_add(self.after.len()) < limit / 8 {
            return Err(format!(
                "its state alone takes {} of {limit} characters",
                hidden.len()
            ));
        }
        Err("the text around noentry's section leaves no room for it: shorten it".to_owned())
    }

    /// The timeline with so many lines at most; the comments have all of them.
    fn newest(&self, lines: usize) -> String {
        let all: Vec<&str> = self
            .timeline
            .lines()
            .filter(|l| l.starts_with("- "))
            .collect();
        let older = all.len().saturating_sub(lines);
        let mut out = HEADING.to_owned();
        // They were left out before, so they are not here any more.
        if older > 0 || self.timeline.lines().any(|line| line == OLDER) {
            let _ = writeln!(out, "{OLDER}\n");
        }
        for line in all.iter().skip(older) {
            let _ = writeln!(out, "{line}");
        }
        out
    }

    fn whole(&self, head: &str, details: &str, timeline: &str, hidden: &str) -> String {
        let short = self.state.fingerprint.short();
        let mut before = self.before.clone();
        if !before.is_empty() && !before.ends_with('\n') {
            before.push('\n');
        }
        format!(
            "{before}{}\n{head}\n{SEEN}\n{details}{TIMELINE}\n{timeline}{hidden}\n{}\n{}",
            begin(short),
            end(short),
            self.after
        )
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
