//! What is wrong with a configuration, and how it is shown.
//!
//! A problem holds plain data, so that the terminal and the annotations of a CI system can both
//! show it. Values that were filled in from variables never get into a message: they may be secret.

use std::fmt::{self, Write as _};

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::source::Place;

/// How many problems are shown; more of them do not help anybody.
const MAX_SHOWN: usize = 100;

/// The longest stretch of a line that is shown, in characters, and how much of it lies before the
/// problem.
const MAX_LINE: usize = 160;
const BEFORE: usize = 60;

/// One thing that is wrong, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file as the user named it; none for what was typed on the command line.
    pub file: Option<String>,
    /// Where in the file, if it has a place there.
    pub place: Option<Place>,
    /// What is wrong, without a full stop.
    pub message: String,
    /// What is allowed or to be done, most useful first.
    pub help: Vec<String>,
    /// The stretch of the line that is shown, and how many of its characters are before the problem.
    shown: Option<(String, usize)>,
}

impl Problem {
    /// A problem with a place.
    #[must_use]
    pub fn at(file: &str, place: Place, line: &str, message: String) -> Self {
        Self {
            file: Some(file.to_owned()),
            place: Some(place),
            message,
            help: Vec::new(),
            shown: Some(window(line, place)),
        }
    }

    /// A problem with a file as a whole.
    #[must_use]
    pub fn of_file(file: &str, message: String) -> Self {
        Self {
            file: Some(file.to_owned()),
            ..Self::typed(message)
        }
    }

    /// A problem with what was typed on the command line.
    #[must_use]
    pub const fn typed(message: String) -> Self {
        Self {
            file: None,
            place: None,
            message,
            help: Vec::new(),
            shown: None,
        }
    }

    /// Adds a line of help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds lines of help.
    #[must_use]
    pub fn helps(mut self, help: impl IntoIterator<Item = String>) -> Self {
        self.help.extend(help);
        self
    }

    /// `file:line:column`, as far as it is known.
    fn heading(&self) -> Option<String> {
        let file = self.file.as_ref()?;
        Some(match self.place {
            Some(Place { line, column, .. }) => format!("{file}:{line}:{column}"),
            None => file.clone(),
        })
    }

    fn render(&self, renderer: &Renderer, colour: bool) -> String {
        let bold = if colour {
            anstyle::Style::new().bold()
        } else {
            anstyle::Style::new()
        };
        let message = &self.message;
        let mut text = match self.heading() {
            Some(heading) => format!("{bold}{heading}: {message}{bold:#}\n"),
            None => format!("{bold}{message}{bold:#}\n"),
        };
        let mut group = Group::with_level(Level::ERROR);
        if let (Some(place), Some((line, before))) = (self.place, &self.shown) {
            let byte = |characters: usize| {
                line.char_indices()
                    .nth(characters)
                    .map_or(line.len(), |(at, _)| at)
            };
            let length = usize::try_from(place.length).unwrap_or(usize::MAX).max(1);
            let span = byte(*before)..byte(before.saturating_add(length));
            group = group.element(
                Snippet::source(line.as_str())
                    .line_start(usize::try_from(place.line).unwrap_or(usize::MAX))
                    .annotation(AnnotationKind::Primary.span(span)),
            );
        }
        if self.shown.is_some() || !self.help.is_empty() {
            let help = self.help.iter().map(|help| Level::HELP.message(help));
            text.push_str(&renderer.render(&[group.elements(help)]));
            text.push('\n');
        }
        text
    }
}

/// The part of a line around a place, and how many characters of it are before that place. A file
/// may be one line of 1 MiB with a hundred problems on it.
fn window(line: &str, place: Place) -> (String, usize) {
    let column = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
    let length = line.chars().count();
    let column = column.min(length);
    if length <= MAX_LINE {
        return (line.to_owned(), column);
    }
    let skipped = column.saturating_sub(BEFORE);
    let mut shown: String = line.chars().skip(skipped).take(MAX_LINE).collect();
    let mut before = column.saturating_sub(skipped);
    if skipped > 0 {
        shown.insert(0, '…');
        before = before.saturating_add(1);
    }
    if skipped.saturating_add(MAX_LINE) < length {
        shown.push('…');
    }
    (shown, before)
}

/// Everything that is wrong with a configuration, never empty, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl std::error::Error for Problems {}

impl Problems {
    /// Puts problems in order and takes out what is said twice; none for an empty list.
    #[must_use]
    pub fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by(|a, b| (&a.place, &a.message).cmp(&(&b.place, &b.message)));
        // A value behind an alias is read, and found wrong, once for each use.
        problems.dedup_by(|a, b| a.place == b.place && a.message == b.message);
        (!problems.is_empty()).then_some(Self(problems))
    }

    /// The problems in the order of the file.
    #[must_use]
    pub fn list(&self) -> &[Problem] {
        &self.0
    }

    /// The text for a terminal: each problem with its line, then the count.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let renderer = if colour {
            Renderer::styled()
        } else {
            Renderer::plain()
        };
        let mut text = String::new();
        for problem in self.0.iter().take(MAX_SHOWN) {
            text.push_str(&problem.render(&renderer, colour));
            text.push('\n');
        }
        let count = self.0.len();
        let hidden = count.saturating_sub(MAX_SHOWN);
        if hidden > 0 {
            let _ = write!(text, "… and {hidden} more\n\n");
        }
        let noun = if count == 1 { "problem" } else { "problems" };
        let _ = writeln!(text, "{count} {noun}; nothing was probed");
        text
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self(vec![problem])
    }
}

/// The word that was probably meant, if one is near.
#[must_use]
pub fn near<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    // The edit distance is quadratic, and no key or name is longer.
    if word.len() > 1_000 {
        return None;
    }
    let length = word.chars().count();
    // Jaro-Winkler knows what begins alike, but is blind to swapped letters in short words. In one or
    // two letters a single change is another word.
    let likeness = |candidate: &str| {
        let swapped = length > 2 && strsim::osa_distance(&word, candidate) <= (length / 4).max(1);
        let alike = strsim::jaro_winkler(&word, candidate);
        if swapped { alike + 1.0 } else { alike }
    };
    known
        .into_iter()
        .map(|candidate| (likeness(&candidate.to_lowercase()), candidate))
        .filter(|(likeness, _)| *likeness >= 0.85)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, candidate)| candidate)
}

/// `a`, `b` or `c`, each in backticks.
#[must_use]
pub fn any_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "or")
}

/// `a`, `b` and `c`, each in backticks.
#[must_use]
pub fn all_of<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    listed(words, "and")
}

fn listed<'a>(words: impl IntoIterator<Item = &'a str>, last_by: &str) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.split_last() {
        Some((last, rest)) if !rest.is_empty() => format!("{} {last_by} {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(column: u32, length: u32) -> Place {
        Place {
            line: 3,
            column,
            length,
        }
    }

    #[test]
    fn a_problem_shows_its_line_and_what_to_do() {
        let problem = Problem::at("f.yml", place(5, 6), "    barier: x", "wrong".to_owned())
            .help("did you mean `barrier`?");
        assert_eq!(
            Problems::from(problem).render(false),
            "f.yml:3:5: wrong\n  |\n3 |     barier: x\n  |     ^^^^^^\n  |\n  \
             = help: did you mean `barrier`?\n\n1 problem; nothing was probed\n"
        );
    }

    #[test]
    fn colour_is_the_callers_choice() {
        let problems = Problems::from(Problem::at("f", place(1, 1), "x", "wrong".to_owned()));
        assert!(problems.render(true).contains('\u{1B}'));
        assert!(!problems.render(false).contains('\u{1B}'));
    }

    #[test]
    fn a_long_line_is_shown_around_the_problem() {
        let line = format!("{}HERE{}", "ä".repeat(5_000), "ö".repeat(5_000));
        let shown = Problem::at("f", place(5_001, 4), &line, "wrong".to_owned())
            .render(&Renderer::plain(), false);
        assert!(shown.contains("HERE") && shown.contains("^^^^"), "{shown}");
        assert!(shown.chars().count() < 700, "{shown}");
    }

    #[test]
    fn a_place_past_the_line_does_not_panic() {
        for (column, length) in [(0, 0), (u32::MAX, u32::MAX), (2, u32::MAX)] {
            let problem = Problem::at("f", place(column, length), "é", "wrong".to_owned());
            assert!(Problems::from(problem).render(true).contains("wrong"));
        }
    }

    #[test]
    fn problems_are_sorted_and_said_once() {
        let at = |line, message: &str| {
            let place = Place {
                line,
                column: 1,
                length: 1,
            };
            Problem::at("f", place, "x", message.to_owned())
        };
        let problems = Problems::of(vec![at(2, "b"), at(1, "c"), at(2, "b"), at(2, "a")]).unwrap();
        let order: Vec<_> = problems.list().iter().map(|p| p.message.as_str()).collect();
        assert_eq!(order, ["c", "a", "b"]);
        assert_eq!(Problems::of(Vec::new()), None);
    }

    #[test]
    fn a_near_miss_is_found_and_a_far_one_is_not() {
        let known = ["barrier", "denial", "timeout"];
        assert_eq!(near("barier", known), Some("barrier"));
        assert_eq!(near("TimeOut", known), Some("timeout"));
        assert_eq!(near("zzz", known), None);
        assert_eq!(near("ulr", ["url", "tcp"]), Some("url"));
        assert_eq!(near("tpc", ["url", "tcp"]), Some("tcp"));
        assert_eq!(near("udp", ["url", "tcp"]), None);
        assert_eq!(near("B", ["a", "ab"]), None);
        assert_eq!(near("a", ["A"]), Some("A"));
        assert_eq!(any_of(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(all_of(["a", "b"]), "`a` and `b`");
        assert_eq!(any_of(["a"]), "`a`");
    }
}
