//! `noentry merge`: several saved rounds as one.

use std::path::{Path, PathBuf};

use super::output::{self, warn};
use super::trail::Occasion;
use super::{publish, report};
use crate::actions::Env;
use crate::cli::MergeArgs;
use crate::domain::escape::visible;
use crate::exit::Exit;
use crate::merge::{self, Given, Rules, Unread};

/// Runs the command. The exit code is the one of the whole.
pub(super) async fn run(args: &MergeArgs) -> Exit {
    let env = Env::from(|key| std::env::var(key).ok());
    if args.from.iter().filter(|path| is_stdin(path)).count() > 1 {
        warn("standard input holds one report: name - once");
        return Exit::Usage;
    }
    let files = args.from.iter().filter(|path| !is_stdin(path));
    let files: Vec<&Path> = files.map(PathBuf::as_path).collect();
    if let Some(clash) = output::clashes(&args.outputs, &files) {
        warn(&clash);
        return Exit::Usage;
    }
    // Whatever goes wrong from here on, no old report may pass for the merged one.
    output::forget(&args.outputs);
    let mut given = Vec::new();
    let mut unread = Vec::new();
    for path in &args.from {
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
    let merged = match merge::merge(given, &unread, &rules) {
        Ok(merged) => merged,
        Err(error) => {
            warn(&visible(&error.to_string()));
            return Exit::Usage;
        }
    };
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
    let exit = Exit::of_round(&report);
    if reported { exit } else { exit.unreported() }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}
