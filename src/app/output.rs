//! What noentry prints itself, and writing the reports.
//!
//! Reports are pure functions elsewhere; here they meet files and the terminal.

use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Component, Path, PathBuf};

use crate::actions::{self, Env};
use crate::cli::{JunitDialect, OutputArgs};
use crate::domain::report::RoundReport;
use crate::exit::Exit;
use crate::report::{annotations, console, json, junit, outputs, summary};

/// Prints to standard output. A reader that went away has seen what it wanted; any other error is
/// the caller's to report.
pub(super) fn say(text: &str) -> io::Result<()> {
    let mut out = anstream::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        Err(_) | Ok(()) => Ok(()),
    }
}

/// Prints what a command was asked for, and says so where that cannot be done.
pub(super) fn print(text: &str) -> Exit {
    match say(text) {
        Ok(()) => Exit::Blocked,
        Err(error) => {
            warn(&format!("cannot print: {error}"));
            Exit::Unreported
        }
    }
}

/// Prints one line to standard error.
pub(super) fn warn(text: &str) {
    let _ = writeln!(anstream::stderr(), "noentry: {text}");
}

/// Prints a text as it is to standard error.
pub(super) fn show_problem(text: &str) {
    let _ = anstream::stderr().write_all(text.as_bytes());
}

/// Whether standard output shows colours.
pub(super) fn colour_on_stdout() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// Whether standard error shows colours.
pub(super) fn colour_on_stderr() -> bool {
    anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
}

/// Whether a progress bar would be seen by a person.
pub(super) fn progress_is_seen() -> bool {
    io::stderr().is_terminal() && !in_ci()
}

/// Nearly every CI system sets this, and some people set it to false.
fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false")
}

/// The columns to wrap at: those of the terminal, or 0 where a file or a log takes the lines whole.
fn width() -> usize {
    terminal_size::terminal_size_of(io::stdout()).map_or(0, |(width, _)| usize::from(width.0))
}

/// What is wrong with the places for reports, if one of them would overwrite another, or one of the
/// files in `others` that are read. Devices and pipes may be named as often as one likes.
pub(super) fn clashes(wanted: &OutputArgs, others: &[&Path]) -> Option<String> {
    let outputs = [
        ("--json", wanted.json.as_deref()),
        ("--junit", wanted.junit.as_deref()),
        ("--summary", wanted.summary.as_deref()),
    ];
    let mut taken: Vec<(&str, PathBuf)> = Vec::new();
    for (option, path) in outputs {
        let Some(path) = path else { continue };
        if path.metadata().is_ok_and(|found| !found.is_file()) {
            continue;
        }
        let shown = path.display();
        let place = place(path);
        if let Some((first, _)) = taken.iter().find(|(_, known)| *known == place) {
            return Some(format!("{first} and {option} name the same file: {shown}"));
        }
        if others.iter().any(|other| self::place(other) == place) {
            return Some(format!("{option} would overwrite what is read: {shown}"));
        }
        taken.push((option, place));
    }
    None
}

/// Where a path leads: through links as far as it exists, by its words from there on.
fn place(path: &Path) -> PathBuf {
    let path = plain(&std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
    let existing = path.ancestors().find_map(|part| {
        let found = part.canonicalize().ok()?;
        Some((found, path.strip_prefix(part).ok()?))
    });
    match existing {
        // Joining nothing would add a separator.
        Some((found, rest)) if rest.as_os_str().is_empty() => found,
        Some((found, rest)) => found.join(rest),
        None => path,
    }
}

/// Writes every report that was asked for, prints the round, and tells GitHub Actions where there is
/// one. Gives false if anything could not be written; each such thing is named on standard error.
pub(super) fn publish(report: &RoundReport, wanted: &OutputArgs, env: Option<&Env>) -> bool {
    let dialect = match wanted.junit_dialect {
        JunitDialect::Located => junit::Dialect::Located,
        JunitDialect::Strict => junit::Dialect::Strict,
    };
    // The files come first: whatever happens to the terminal, the evidence is kept.
    let json = save("the report", wanted.json.as_deref(), |file| {
        json::write(report, file).map_err(io::Error::other)
    });
    let junit = save("JUnit", wanted.junit.as_deref(), |file| {
        let text = junit::render(report, dialect).map_err(io::Error::other)?;
        file.write_all(text.as_bytes())
    });
    let summary = save("the summary", wanted.summary.as_deref(), |file| {
        file.write_all(summary::render(report, summary::LIMIT).as_bytes())
    });
    let mut complete = !matches!(
        (&json, &junit, &summary),
        (Saved::Lost, _, _) | (_, Saved::Lost, _) | (_, _, Saved::Lost)
    );
    if let Some(path) = env.and_then(|env| env.step_summary.as_deref()) {
        // What earlier commands of the same step wrote counts against the limit too.
        let markdown = summary::render(report, actions::summary_room(path));
        complete &= noted(
            "the job summary",
            path,
            actions::append_summary(path, &markdown),
        );
    }
    if let Some(path) = env.and_then(|env| env.output.as_deref()) {
        let paths = outputs::Paths {
            json: json.path(),
            junit: junit.path(),
            summary: summary.path(),
        };
        let pairs = outputs::render(report, paths);
        complete &= noted(
            "the step's outputs",
            path,
            actions::append_output(path, &pairs),
        );
    }
    let style = console::Style {
        color: colour_on_stdout(),
        width: width(),
        verbose: wanted.verbose,
    };
    let mut text = console::render(report, style);
    if env.is_some_and(|env| env.on_actions) {
        text.push_str(&annotations::render(report));
    }
    complete & (print(&text) == Exit::Blocked)
}

/// The path without `..`, where that can be read off it.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        // A folder that is there may be a link, and then `..` leads elsewhere.
        if part == Component::ParentDir && !plain.exists() {
            plain.pop();
        } else {
            plain.push(part);
        }
    }
    plain
}

/// Removes the reports of an earlier round that stand where this one's are to be written. One that
/// cannot be removed is said when it cannot be written either.
pub(super) fn forget(wanted: &OutputArgs) {
    let paths = [&wanted.json, &wanted.junit, &wanted.summary];
    for path in paths.into_iter().flatten().filter(|path| path.is_file()) {
        let _ = std::fs::remove_file(path);
    }
}

/// What became of a report file.
pub(super) enum Saved {
    /// Nobody asked for it.
    Unwanted,
    /// It is there.
    At(String),
    /// It could not be written, and that was said.
    Lost,
}

impl Saved {
    pub(super) fn path(&self) -> Option<&str> {
        match self {
            Self::At(path) => Some(path),
            Self::Unwanted | Self::Lost => None,
        }
    }
}

pub(super) fn save(
    what: &str,
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Saved {
    let Some(path) = path else {
        return Saved::Unwanted;
    };
    let written = create(path).and_then(|mut file| {
        write(&mut file)?;
        file.flush()
    });
    if noted(what, path, written) {
        Saved::At(path.display().to_string())
    } else {
        Saved::Lost
    }
}

/// Says what could not be written; true if it was.
pub(super) fn noted<E: Display>(what: &str, path: &Path, written: Result<(), E>) -> bool {
    written
        .inspect_err(|error| {
            warn(&format!(
                "cannot write {what} to {}: {error}",
                path.display()
            ));
        })
        .is_ok()
}

/// Begins a file anew, and makes the folder that it is to stand in.
fn create(path: &Path) -> io::Result<BufWriter<File>> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        std::fs::create_dir_all(folder)?;
    }
    File::create(path).map(BufWriter::new)
}
