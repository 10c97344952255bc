//! Appending to the files that a GitHub runner reads after a step.

use std::collections::hash_map::RandomState;
use std::fs::OpenOptions;
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{self, Write as _};
use std::path::Path;

/// The runner's limit for a step's summary, in bytes.
const SUMMARY_LIMIT: u64 = 1024 * 1024;

/// Why nothing was handed over to the runner.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be written: the runner's or the environment's fault.
    #[error("could not append: {0}")]
    Append(#[from] io::Error),
    /// A name that the runner could not read back: our fault.
    #[error("{0:?} cannot be the name of an output")]
    Name(String),
}

/// Appends outputs. Every value is written between random delimiters, so that none can end early and
/// forge another one.
///
/// # Errors
/// If a name is not made of letters, digits, `-` and `_`, or the file could not be written.
pub fn append_output(path: &Path, pairs: &[(String, String)]) -> Result<(), Error> {
    let mut text = String::new();
    for (name, value) in pairs {
        let fit = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(fit) {
            return Err(Error::Name(name.clone()));
        }
        let delimiter = delimiter(value);
        for piece in [name, "<<", &delimiter, "\n", value, "\n", &delimiter, "\n"] {
            text.push_str(piece);
        }
    }
    append(path, &text)
}

/// Appends Markdown to the step's summary. See [`summary_room`] for how much fits.
///
/// # Errors
/// If the file could not be written.
pub fn append_summary(path: &Path, markdown: &str) -> Result<(), Error> {
    append(path, markdown)
}

/// How many bytes the step's summary can still take: the runner drops it whole past its limit.
#[must_use]
pub fn summary_room(path: &Path) -> usize {
    let used = path.metadata().map_or(0, |metadata| metadata.len());
    usize::try_from(SUMMARY_LIMIT.saturating_sub(used)).unwrap_or(0)
}

fn append(path: &Path, text: &str) -> Result<(), Error> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).append(true).open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}

/// A line that the value does not hold and that nobody can guess.
fn delimiter(value: &str) -> String {
    loop {
        // The standard library's hasher is keyed with the system's random numbers.
        let random = || RandomState::new().build_hasher().finish();
        let delimiter = format!("noentry-{:016x}{:016x}", random(), random());
        if !value.contains(&delimiter) {
            return delimiter;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads outputs as the runner does.
    fn read_back(text: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        let mut lines = text.split('\n');
        while let Some((name, delimiter)) = lines.next().and_then(|l| l.split_once("<<")) {
            let value: Vec<&str> = lines
                .by_ref()
                .take_while(|line| *line != delimiter)
                .collect();
            pairs.push((name.to_owned(), value.join("\n")));
        }
        pairs
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn outputs_come_back_as_they_were_and_are_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        let first = [
            pair("verdict", "exposed"),
            pair("note", "a\nEOF\nx=y\nb<<c"),
        ];
        let second = [pair("empty", "")];
        append_output(&path, &first).unwrap();
        append_output(&path, &second).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(read_back(&text), [&first[..], &second[..]].concat());
    }

    #[test]
    fn delimiters_differ() {
        assert_ne!(delimiter(""), delimiter(""));
    }

    #[test]
    fn a_name_cannot_carry_another_output() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("output");
        for name in ["", "a=b", "a\nb", "a<<b"] {
            let error = append_output(&path, &[pair(name, "x")]).unwrap_err();
            assert!(matches!(error, Error::Name(_)), "{name:?}");
        }
        assert!(!path.exists());
    }

    #[test]
    fn the_summary_is_appended_and_its_room_shrinks() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary");
        assert_eq!(summary_room(&path), 1024 * 1024);
        append_summary(&path, "one\n").unwrap();
        append_summary(&path, "two\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one\ntwo\n");
        assert_eq!(summary_room(&path), 1024 * 1024 - 8);
    }

    #[test]
    fn an_error_leaves_the_path_to_the_caller() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("output");
        let error = append_summary(&path, "x").unwrap_err().to_string();
        assert!(error.starts_with("could not append: "), "{error}");
        assert!(!error.contains("missing"), "{error}");
    }
}
