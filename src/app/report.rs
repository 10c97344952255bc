//! `noentry report`: a saved round, rendered again.

use std::io::{self, Read};
use std::path::Path;

use super::disclosure;
use super::output::{self, warn};
use crate::actions::Env;
use crate::cli::ReportArgs;
use crate::domain::report::RoundReport;
use crate::exit::Exit;
use crate::report::json;

/// The largest report that is read, in bytes. A round of ten thousand targets takes about 10 MB.
const LIMIT: u64 = 512 * 1024 * 1024;

/// Runs the command. The exit code is the one that the round ended with.
pub(super) fn run(args: &ReportArgs) -> Exit {
    let read_file: &[&Path] = match args.from.to_str() {
        Some("-") => &[],
        _ => &[&args.from],
    };
    if let Some(clash) = output::clashes(&args.outputs, read_file) {
        warn(&clash);
        return Exit::Usage;
    }
    let Some(report) = saved(&args.from) else {
        return Exit::Usage;
    };
    let exit = Exit::of(report.verdict);
    // Who looked may have been elsewhere; who reads this is here.
    let env = Env::from(|key| std::env::var(key).ok());
    let shown = disclosure::publishable(&report, Some(&env));
    if output::publish(&shown, &args.outputs, None) {
        exit
    } else {
        exit.unreported()
    }
}

/// Reads a saved round; says what is wrong with it and gives `None`.
pub(super) fn saved(path: &Path) -> Option<RoundReport> {
    sound(path)
        .inspect_err(|why| warn(&format!("{}: {why}", path.display())))
        .ok()
}

/// Reads a saved round, or says what is wrong with it.
pub(super) fn sound(path: &Path) -> Result<RoundReport, String> {
    let text = read(path).map_err(|error| format!("cannot be read: {error}"))?;
    json::parse(&text).map_err(|error| error.to_string())
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = if path == Path::new("-") {
        io::stdin().lock().take(LIMIT).read_to_string(&mut text)?
    } else {
        std::fs::File::open(path)?
            .take(LIMIT)
            .read_to_string(&mut text)?
    };
    if u64::try_from(read).is_ok_and(|read| read == LIMIT) {
        return Err(io::Error::other("it is larger than 512 MiB"));
    }
    Ok(text)
}
