//! The text of a configuration file: read, decoded, and cut into lines.
//!
//! Limits: 1 MiB, UTF-8 only, no character that YAML forbids or that YAML 1.1 readers take for a
//! line break where YAML 1.2 readers do not.

use std::fs::File;
use std::io::{Read, stdin};
use std::ops::Range;
use std::path::Path;

use super::problem::{Problem, Problems};
use crate::domain::position::Position;

/// What a configuration is called that came by standard input.
pub const STDIN: &str = "stdin";

/// The largest file that is read, in bytes.
const MAX_BYTES: u64 = 1024 * 1024;

/// A stretch of one line. Lines and columns count from 1, columns and length in characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
    /// How many characters are meant; cut at the end of the line when shown.
    pub length: u32,
}

/// A decoded file.
#[derive(Debug)]
pub struct Source {
    /// The file as the user named it, or as the search found it.
    pub name: String,
    /// The text without a byte order mark.
    text: String,
    /// The lines without their breaks, as byte ranges of the text.
    lines: Vec<Range<usize>>,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is too large or is not clean UTF-8 text: the user's to mend.
    pub fn read(path: &Path) -> Result<Self, Problems> {
        let mut bytes = Vec::new();
        // One byte more than is taken, so that what is too large is known.
        let limit = MAX_BYTES.saturating_add(1);
        let (name, read) = if path == Path::new("-") {
            let read = stdin().lock().take(limit).read_to_end(&mut bytes);
            (STDIN.to_owned(), read)
        } else {
            let read = File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes));
            (path.display().to_string(), read)
        };
        match read {
            Ok(_) => Self::decode(name, &bytes),
            Err(error) => Err(Problem::of_file(
                &name,
                format!("the configuration cannot be read: {error}"),
            )
            .into()),
        }
    }

    /// Decodes the bytes of a file.
    ///
    /// # Errors
    ///
    /// As for [`Source::read`].
    pub fn decode(name: String, bytes: &[u8]) -> Result<Self, Problems> {
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > MAX_BYTES {
            let message = "the configuration is larger than 1 MiB".to_owned();
            let help = "split the targets over several files, one round each";
            return Err(Problem::of_file(&name, message).help(help).into());
        }
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let good = match std::str::from_utf8(bytes) {
            Ok(text) => return Self::index(name, text.to_owned()).printable(),
            Err(error) => bytes.split_at(error.valid_up_to()).0,
        };
        // The part up to the first bad byte is enough to say where that is.
        let source = Self::index(name, String::from_utf8_lossy(good).into_owned());
        let place = source.end();
        let problem = source
            .problem(place, "this is not UTF-8 text".to_owned())
            .help("save the file as UTF-8");
        Err(problem.into())
    }

    fn index(name: String, text: String) -> Self {
        let mut lines = Vec::new();
        let mut start = 0;
        let mut rest = text.char_indices().peekable();
        while let Some((at, character)) = rest.next() {
            let mut next = at.saturating_add(1);
            match character {
                '\n' => {}
                '\r' => {
                    if rest.next_if(|(_, c)| *c == '\n').is_some() {
                        next = next.saturating_add(1);
                    }
                }
                _ => continue,
            }
            lines.push(start..at);
            start = next;
        }
        lines.push(start..text.len());
        Self { name, text, lines }
    }

    /// Refuses what YAML does not allow in a file, and the three line breaks on which YAML 1.1 and
    /// 1.2 differ (YAML 1.2.2, 5.1 and 5.4).
    fn printable(self) -> Result<Self, Problems> {
        let bad = |c: char| {
            (c.is_control() && !matches!(c, '\t' | '\n' | '\r'))
                || matches!(
                    c,
                    '\u{2028}' | '\u{2029}' | '\u{FEFF}' | '\u{FFFE}' | '\u{FFFF}'
                )
        };
        for (line, number) in (0..self.lines.len()).map(|i| self.line(i)).zip(1..) {
            if let Some((character, column)) = line.chars().zip(1..).find(|(c, _)| bad(*c)) {
                let place = Place {
                    line: number,
                    column,
                    length: 1,
                };
                let message = format!(
                    "the character U+{:04X} does not belong in a configuration",
                    u32::from(character)
                );
                let problem = self
                    .problem(place, message)
                    .help("remove it, or write it as an escape inside double quotes");
                return Err(problem.into());
            }
        }
        Ok(self)
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line of this index, from 0, without its break; empty past the end.
    #[must_use]
    pub fn line(&self, index: usize) -> &str {
        self.lines
            .get(index)
            .and_then(|range| self.text.get(range.clone()))
            .unwrap_or_default()
    }

    /// The text from a place to the end of its line, or as far as the place reaches.
    #[must_use]
    pub fn excerpt(&self, place: Place) -> String {
        let skipped = usize::try_from(place.column.saturating_sub(1)).unwrap_or(usize::MAX);
        let length = usize::try_from(place.length).unwrap_or(usize::MAX);
        let line = self.line_of(place);
        line.chars().skip(skipped).take(length).collect()
    }

    /// The line that a place is on.
    #[must_use]
    pub fn line_of(&self, place: Place) -> &str {
        self.line(usize::try_from(place.line.saturating_sub(1)).unwrap_or(usize::MAX))
    }

    /// The place just behind the last character.
    #[must_use]
    pub fn end(&self) -> Place {
        let last = self.lines.len().saturating_sub(1);
        Place {
            line: count(self.lines.len()),
            column: count(self.line(last).chars().count()).saturating_add(1),
            length: 1,
        }
    }

    /// A place as it goes into a plan.
    #[must_use]
    pub fn position(&self, place: Place) -> Position {
        Position {
            file: self.name.clone(),
            line: place.line,
            column: place.column,
        }
    }

    /// A problem at a place.
    #[must_use]
    pub fn problem(&self, place: Place, message: String) -> Problem {
        // A reader that ran into the end of the file may name a line that is not there.
        let place = place.min(self.end());
        Problem::at(&self.name, place, self.line_of(place), message)
    }
}

/// A count that fits: a file of 1 MiB never has more characters or lines.
pub fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decode(bytes: &[u8]) -> Result<Source, String> {
        Source::decode("f.yml".to_owned(), bytes).map_err(|problems| problems.to_string())
    }

    #[test]
    fn every_kind_of_line_break_ends_a_line() {
        let source = decode(b"one\ntwo\r\nthree\rfour").unwrap();
        let lines: Vec<_> = (0..5).map(|i| source.line(i)).collect();
        assert_eq!(lines, ["one", "two", "three", "four", ""]);
        assert_eq!((source.end().line, source.end().column), (4, 5));
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_the_text() {
        assert_eq!(decode(b"\xEF\xBB\xBFa: 1").unwrap().text(), "a: 1");
    }

    #[test]
    fn a_byte_that_is_not_utf_8_is_pointed_at_in_characters() {
        let shown = decode("a: é\nbé: \u{0}".replace('\0', "\u{FF}").as_bytes());
        assert!(shown.is_ok(), "a Latin character is fine: {shown:?}");
        let shown = decode(b"a: 1\nb\xC3\xA9: \xFF").unwrap_err();
        assert!(
            shown.starts_with("f.yml:2:5: this is not UTF-8 text"),
            "{shown}"
        );
    }

    #[test]
    fn nul_and_the_line_breaks_of_yaml_1_1_are_refused_where_they_stand() {
        for (bytes, at) in [
            (&b"a: \x00"[..], "f.yml:1:4: the character U+0000"),
            ("é: b\u{2028}".as_bytes(), "f.yml:1:5: the character U+2028"),
            (
                "a: 1\r\nb: \u{85}".as_bytes(),
                "f.yml:2:4: the character U+0085",
            ),
            (b"a: \x1B[31m", "f.yml:1:4: the character U+001B"),
        ] {
            let shown = decode(bytes).unwrap_err();
            assert!(shown.starts_with(at), "{shown}");
        }
    }

    #[test]
    fn the_size_is_capped() {
        assert!(decode(&vec![b' '; 1024 * 1024]).is_ok());
        let shown = decode(&vec![b' '; 1024 * 1024 + 1]).unwrap_err();
        assert!(
            shown.starts_with("f.yml: the configuration is larger than 1 MiB"),
            "{shown}"
        );
    }
}
