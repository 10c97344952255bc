//! `noentry merge`: several saved rounds as one.

use std::io;
use std::path::{Path, PathBuf};

use super::output::{self, warn};
use super::refused::Refused;
use super::trail::Occasion;
use super::{publish, report};
use crate::actions::Env;
use crate::cli::MergeArgs;
use crate::domain::escape::visible;
use crate::domain::report::RoundReport;
use crate::exit::Exit;
use crate::merge::{self, Given, Rules, Unread};

/// How deep below a folder reports are looked for.
const DEPTH: usize = 8;
/// How many files a folder may stand for.
const FILES: usize = 4096;

/// Runs the command. The exit code is the one of the whole.
pub(super) async fn run(args: &MergeArgs) -> Exit {
    match rounds(args).await {
        Ok((_, exit)) => exit,
        Err(refused) => refused.shown(),
    }
}

/// Reads, merges and reports.
pub(super) async fn rounds(args: &MergeArgs) -> Result<(RoundReport, Exit), Refused> {
    let env = Env::from(|key| std::env::var(key).ok());
    let paths = files(&args.from)?;
    if paths.iter().filter(|path| is_stdin(path)).count() > 1 {
        let why = "standard input holds one report: name - once";
        return Err(Refused::Said(why.to_owned()));
    }
    let read: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let read: Vec<&Path> = read.into_iter().filter(|path| !is_stdin(path)).collect();
    if let Some(clash) = output::clashes(&args.outputs, &read) {
        return Err(Refused::Said(clash));
    }
    // Whatever goes wrong from here on, no old report may pass for the merged one.
    output::forget(&args.outputs);
    let mut given = Vec::new();
    let mut unread = Vec::new();
    for path in &paths {
        let file = path.display().to_string();
        match report::sound(path) {
            Ok(report) => given.push(Given { file, report }),
            Err(why) => {
                warn(&visible(&format!("{file}: {why}")));
                unread.push(Unread { file, why });
            }
        }
    }
    let rules = Rules {
        expected: args.expect,
        within: args.within,
    };
    let merged = merge::merge(given, &unread, &rules)
        .map_err(|error| Refused::Said(visible(&error.to_string())))?;
    for file in &merged.repeated {
        warn(&visible(&format!(
            "{file}: its rounds are in another file too, and count once"
        )));
    }
    let report = merged.report;
    // Merging the same reports again is nobody's mistake.
    let occasion = Occasion::Saved;
    let env = Some(&env);
    let reported = publish::report(&report, &args.outputs, &args.incidents, occasion, env).await;
    let exit = Exit::of(report.verdict);
    let exit = if reported { exit } else { exit.unreported() };
    Ok((report, exit))
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// The files, with those below a folder in its place.
///
/// # Errors
/// If a folder cannot be read, or has no report.
pub(super) fn files(given: &[PathBuf]) -> Result<Vec<PathBuf>, Refused> {
    let mut files = Vec::new();
    for path in given {
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let before = files.len();
        let shown = path.display();
        let wrong = |why: &dyn std::fmt::Display| Refused::Said(format!("{shown}: {why}"));
        below(path, DEPTH, &mut files).map_err(|error| wrong(&error))?;
        if files.len() == before {
            return Err(wrong(&"there is no .json file in it, or in its folders"));
        }
    }
    Ok(files)
}

/// Every `.json` file in a folder and in its folders, by name. Links to folders are not followed, and
/// one that leads nowhere is a report that cannot be read: somebody meant it to be there.
fn below(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = std::fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            let depth = depth
                .checked_sub(1)
                .ok_or_else(|| io::Error::other("its folders are nested too deeply"))?;
            below(&path, depth, files)?;
        } else if path.extension().is_some_and(|e| e == "json")
            && path.metadata().map_or(true, |found| found.is_file())
        {
            if files.len() >= FILES {
                return Err(io::Error::other("more than 4096 reports"));
            }
            files.push(path);
        }
    }
    Ok(())
}
