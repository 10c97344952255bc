//! A sentence that knows which of its words are ours.
//!
//! Our own prose, values (addresses, configured names) and quotes (what a server sent) are kept apart
//! until the format is known: a terminal shows a quote in quotation marks, Markdown shows values and
//! quotes as code, where no mention, reference, link or emoji can come out of them.

use std::fmt::Display;

use crate::domain::escape;

/// How much of a quote is shown, in characters.
const QUOTE: usize = 160;
/// How much of a value is shown, in characters: room for the longest DNS name and a port.
const VALUE: usize = 320;
/// How much of somebody's own words is shown, in characters: the longest reason of a waiver.
const WORDS: usize = 500;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Say(String),
    Value(String),
    Code(String),
    Quote(String),
    Words(String),
}

/// A sentence out of prose, values and quotes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Phrase(Vec<Part>);

impl Phrase {
    /// A sentence that begins with prose of our own.
    #[must_use]
    pub fn new(prose: impl Into<String>) -> Self {
        Self::default().say(prose)
    }

    /// Adds prose of our own.
    #[must_use]
    pub fn say(mut self, prose: impl Into<String>) -> Self {
        let prose = prose.into();
        if !prose.is_empty() {
            self.0.push(Part::Say(prose));
        }
        self
    }

    /// Adds an address, a number, a word of ours such as a rung, or a configured name.
    #[must_use]
    pub fn value(mut self, value: impl Display) -> Self {
        self.0.push(Part::Value(value.to_string()));
        self
    }

    /// Adds something to type: a word or a line of the configuration, or an option.
    #[must_use]
    pub fn code(mut self, text: &str) -> Self {
        self.0.push(Part::Code(text.to_owned()));
        self
    }

    /// Adds what the other side sent.
    #[must_use]
    pub fn quote(mut self, text: &str) -> Self {
        self.0.push(Part::Quote(text.to_owned()));
        self
    }

    /// Adds words of whoever wrote the configuration: prose, but not ours.
    #[must_use]
    pub fn words(mut self, text: &str) -> Self {
        self.0.push(Part::Words(text.to_owned()));
        self
    }

    /// Adds another sentence.
    #[must_use]
    pub fn join(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Adds values with commas and a final "and n more" beyond `most`.
    #[must_use]
    pub fn values<T: Display>(self, values: &[T], most: usize) -> Self {
        let mut out = self;
        for (index, value) in values.iter().take(most).enumerate() {
            if index > 0 {
                out = out.say(", ");
            }
            out = out.value(value);
        }
        match values.len().checked_sub(most) {
            Some(0) | None => out,
            Some(more) => out.say(format!(" and {more} more")),
        }
    }

    /// Whether it says nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One line of plain text, free of control characters.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Say(text) => out.push_str(&escape::visible(text)),
                Part::Value(text) => out.push_str(&escape::visible(&escape::clip(text, VALUE))),
                Part::Code(text) => {
                    out.push('`');
                    out.push_str(&escape::visible(text));
                    out.push('`');
                }
                Part::Quote(text) => {
                    out.push('"');
                    out.push_str(&escape::visible(&escape::clip(text, QUOTE)).replace('"', "\\\""));
                    out.push('"');
                }
                Part::Words(text) => out.push_str(&escape::visible(&escape::clip(text, WORDS))),
            }
        }
        // Two harmless parts side by side may make `##[` together.
        escape::visible(&out)
    }

    /// One line of Markdown, fit for a table cell.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Say(text) => out.push_str(&escape::markdown_prose(text)),
                Part::Value(text) => {
                    out.push_str(&escape::markdown_code(&escape::clip(text, VALUE)));
                }
                Part::Code(text) => out.push_str(&escape::markdown_code(text)),
                Part::Quote(text) => {
                    out.push_str(&escape::markdown_code(&escape::clip(text, QUOTE)));
                }
                Part::Words(text) => {
                    out.push_str(&escape::markdown_name(&escape::clip(text, WORDS)));
                }
            }
        }
        out
    }
}

/// A number with its noun: `1 endpoint`, `5 endpoints`. Only for nouns that take an s.
#[must_use]
pub fn count(number: usize, noun: &str) -> String {
    if number == 1 {
        format!("1 {noun}")
    } else {
        format!("{number} {noun}s")
    }
}

/// A duration for people: `85 ms`, `12.4 s`, `3 min 20 s`.
#[must_use]
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1000;
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else if seconds < 60 {
        format!("{seconds}.{} s", milliseconds % 1000 / 100)
    } else {
        format!("{} min {} s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_format_gets_its_own_inert_form() {
        let phrase = Phrase::new("HTTP 200 with title ")
            .quote("Hi \"you\" `x` | @all\u{1b}")
            .say(" at ")
            .value("[2001:db8:100:1::1]:443");
        assert_eq!(
            phrase.text(),
            "HTTP 200 with title \"Hi \\\"you\\\" `x` | @all\\u{1b}\" at [2001:db8:100:1::1]:443"
        );
        assert_eq!(
            phrase.markdown(),
            "HTTP 200 with title `Hi \"you\" \\u{60}x\\u{60} \\u{7c} @all\\u{1b}` at \
             `[2001:db8:100:1::1]:443`"
        );
    }

    #[test]
    fn parts_cannot_make_a_command_together() {
        let phrase = Phrase::new("").value("##").value("[error]x");
        assert!(!phrase.text().contains("##["));
    }

    #[test]
    fn numbers_and_durations_read_well() {
        assert_eq!(count(1, "endpoint"), "1 endpoint");
        assert_eq!(count(0, "target"), "0 targets");
        assert_eq!(duration(85), "85 ms");
        assert_eq!(duration(12_449), "12.4 s");
        assert_eq!(duration(200_000), "3 min 20 s");
        assert_eq!(duration(u64::MAX), "307445734561825 min 51 s");
    }
}
