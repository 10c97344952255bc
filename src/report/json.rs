//! `report.json`: the round as it is, versioned, and the way back from it.
//!
//! Everything that reports and incidents read can be produced again from this file, so reading it is
//! strict where a mistake could turn into a false "blocked": a report that contradicts itself is
//! refused. Fields that this version does not know are passed over.

use std::io::Write;

use serde::Deserialize;

use super::claims;
use crate::domain::escape::visible;
use crate::domain::report::{REPORT_VERSION, RoundReport, Totals};
use crate::domain::trail::Links;

/// Why a report could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The round holds something that JSON cannot (a start outside the years 0 to 9999: our fault), or
    /// the file did not take it (the disk's).
    #[error("the report cannot be written as JSON: {0}")]
    Write(#[source] serde_json::Error),
    /// The file is not JSON: damaged or something else altogether.
    #[error("not JSON: {0}")]
    NotJson(#[source] serde_json::Error),
    /// JSON, but without `version`: some other file.
    #[error("not a report of noentry: {0}")]
    NotAReport(#[source] serde_json::Error),
    /// The file says itself that there was no round, and why.
    #[error("there was no round to report: {0}")]
    NoRound(String),
    /// Written by a newer or older noentry than this one understands.
    #[error(
        "the report has format version {found}, and this noentry reads version {REPORT_VERSION}: \
         read it with the noentry that wrote it, or run the round again with this one"
    )]
    Version {
        /// The version in the file.
        found: u64,
    },
    /// The right version, but not the right shape: damaged or edited by hand.
    #[error("a damaged report: {0}")]
    Damaged(#[source] serde_json::Error),
    /// A link that is none, and would become markup: damaged or edited by hand.
    #[error("a damaged report: {0:?} is no absolute http or https URL")]
    Link(String),
    /// The counts or verdicts do not fit the findings: damaged or edited by hand.
    #[error("the report contradicts itself: {0}")]
    Contradiction(String),
}

/// Only what every version of the format has.
#[derive(Deserialize)]
struct Head {
    version: u64,
    /// Why there was no round, see [`failed`](super::failed).
    #[serde(default)]
    error: Option<String>,
}

/// Writes the round as pretty JSON with a line break at its end. It is never held in memory as text:
/// that of ten thousand targets would be larger than everything else together.
///
/// # Errors
/// If the round's start lies outside of what RFC 3339 can write, or the writer does not take it.
pub fn write(report: &RoundReport, mut writer: impl Write) -> Result<(), Error> {
    serde_json::to_writer_pretty(&mut writer, report).map_err(Error::Write)?;
    writer
        .write_all(b"\n")
        .map_err(|error| Error::Write(serde_json::Error::io(error)))
}

/// Reads a report back.
///
/// # Errors
/// If the text is not JSON, not a report, of another version, or contradicts itself.
pub fn parse(text: &str) -> Result<RoundReport, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let head: Head = serde_json::from_str(text).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => Error::NotAReport(error),
        serde_json::error::Category::Io
        | serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof => Error::NotJson(error),
    })?;
    if head.version != u64::from(REPORT_VERSION) {
        return Err(Error::Version {
            found: head.version,
        });
    }
    if let Some(why) = head.error {
        return Err(Error::NoRound(visible(&why)));
    }
    let report: RoundReport = serde_json::from_str(text).map_err(Error::Damaged)?;
    consistent(&report)?;
    Ok(report)
}

/// The JSON Schema of the format, pretty, with a line break at its end.
#[must_use]
pub fn schema() -> String {
    let mut schema = schemars::schema_for!(RoundReport);
    schema.insert("title".to_owned(), "noentry report".into());
    if let Some(version) = schema
        .get_mut("properties")
        .and_then(|properties| properties.get_mut("version"))
        .and_then(serde_json::Value::as_object_mut)
    {
        version.insert("const".to_owned(), REPORT_VERSION.into());
    }
    // Alternate form of a JSON value: pretty, and it cannot go wrong.
    format!("{:#}\n", schema.to_value())
}

fn consistent(report: &RoundReport) -> Result<(), Error> {
    let worst = RoundReport::overall(&report.findings, &report.missing);
    if report.verdict != worst {
        return Err(Error::Contradiction(format!(
            "its verdict is {}, but the findings say {worst}",
            report.verdict
        )));
    }
    if report.totals != Totals::of(&report.findings) {
        return Err(Error::Contradiction(
            "its totals do not count its findings".to_owned(),
        ));
    }
    let links = report.rounds.iter().map(|round| &round.links);
    if let Some(link) = links.chain([&report.links]).find_map(Links::broken) {
        return Err(Error::Link(link.to_owned()));
    }
    if claims::half_withheld(report) {
        return Err(Error::Contradiction(
            "some of its details are withheld, and others are not".to_owned(),
        ));
    }
    if let Some(what) = claims::unmerged(report) {
        return Err(Error::Contradiction(what.to_owned()));
    }
    if let Some(finding) = report
        .findings
        .iter()
        .find(|finding| claims::misdates_waiver(finding, report))
    {
        return Err(Error::Contradiction(format!(
            "the waiver of {:?} does not stand as its last day says",
            finding.target.name
        )));
    }
    if let Some(finding) = report
        .findings
        .iter()
        .find(|finding| claims::misstates_confirmation(finding))
    {
        return Err(Error::Contradiction(format!(
            "the finding {:?} cannot have been confirmed as it says",
            finding.target.name
        )));
    }
    if claims::hides_its_side(report) {
        return Err(Error::Contradiction(
            "it does not say that it looked from inside, and it reached what only insiders reach"
                .to_owned(),
        ));
    }
    match report
        .findings
        .iter()
        .find(|finding| claims::too_mild(finding, report))
    {
        Some(finding) => Err(Error::Contradiction(format!(
            "the finding {:?} is {}, and what was seen of it does not bear that out",
            finding.target.name, finding.verdict
        ))),
        None => Ok(()),
    }
}
