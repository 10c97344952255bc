//! What the incident trail adds to reports that are written already.
//!
//! The report is written before the trail is touched, so that no trouble with it costs a report, and
//! again with what became of it: beside the first one, which it then replaces.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use super::output::{noted, print};
use crate::actions::{self, Env};
use crate::domain::report::RoundReport;
use crate::exit::Exit;
use crate::report::{incidents, json};

/// Adds the trail to the saved report, and tells GitHub Actions where there is one. Gives false if
/// anything could not be written; each such thing is named on standard error.
pub(super) fn tell(report: &RoundReport, json: Option<&Path>, env: Option<&Env>) -> bool {
    let Some(trail) = &report.trail else {
        return true;
    };
    let mut complete = true;
    // A pipe or a device has the report already, and would get a second one.
    if let Some(path) = json.filter(|path| path.is_file()) {
        complete &= noted("the trail into the report", path, replace(path, report));
    }
    if let Some(path) = env.and_then(|env| env.step_summary.as_deref()) {
        let markdown = incidents::markdown(trail);
        // The runner drops a summary that is too long, and with it what was seen.
        if markdown.len() <= actions::summary_room(path) {
            let added = actions::append_summary(path, &markdown);
            complete &= noted("the job summary", path, added);
        }
    }
    if let Some(path) = env.and_then(|env| env.output.as_deref()) {
        let added = actions::append_output(path, &[incidents::output(trail)]);
        complete &= noted("the step's outputs", path, added);
    }
    if env.is_some_and(|env| env.on_actions) {
        complete &= print(&incidents::annotations(report)) == Exit::Blocked;
    }
    complete
}

/// Puts the report in place of the file, whole or not at all.
fn replace(path: &Path, report: &RoundReport) -> io::Result<()> {
    // A link stays one.
    let path = path.canonicalize()?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let beside: PathBuf = path.with_file_name(name);
    let written = (|| {
        let mut file = BufWriter::new(File::create(&beside)?);
        json::write(report, &mut file).map_err(io::Error::other)?;
        file.flush()?;
        std::fs::set_permissions(&beside, path.metadata()?.permissions())?;
        std::fs::rename(&beside, &path)
    })();
    if written.is_err() {
        // What was not put in place is of no use to anybody.
        let _ = std::fs::remove_file(&beside);
    }
    written
}
