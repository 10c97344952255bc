//! What reports say where there was no round: a wrong input, a broken configuration, no way to look.
//!
//! A reader that finds no file, or the file of an earlier round, might take that for safety. So each
//! format has its own way to say "nothing is known", in which no reader finds a pass.

use std::fmt::Write as _;

use junit_report::{Duration, ReportBuilder, TestCaseBuilder, TestSuiteBuilder};
use serde_json::json;
use time::OffsetDateTime;

use super::outputs::Paths;
use crate::domain::escape::{command_data, visible, xml_cdata};
use crate::domain::report::REPORT_VERSION;

/// The word that stands where a round has its verdict.
pub const VERDICT: &str = "error";
/// The longest text that is kept, in characters. A broken configuration can be wrong in many places.
const LONGEST: usize = 20_000;

/// Why there was no round.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failed {
    /// One line.
    headline: String,
    /// Everything that is known about it, several lines.
    text: String,
}

impl Failed {
    /// From what was said about it. What it holds may come from anywhere: it is escaped here.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let lines: Vec<String> = text.trim().lines().map(visible).collect();
        let headline = lines.iter().find(|line| !line.trim().is_empty());
        let mut text: String = lines.join("\n").chars().take(LONGEST).collect();
        text.push('\n');
        Self {
            headline: headline.map_or_else(|| "no reason was given".to_owned(), Clone::clone),
            text,
        }
    }

    /// `report.json`. It has the format's version and no findings, so that every reader of a round
    /// refuses it; ours says why.
    #[must_use]
    pub fn json(&self) -> String {
        let value = json!({
            "version": REPORT_VERSION,
            "noentry": env!("CARGO_PKG_VERSION"),
            "verdict": VERDICT,
            "error": self.text.trim_end(),
        });
        format!("{value:#}\n")
    }

    /// JUnit: one case, and it is an error.
    ///
    /// # Errors
    /// If the XML could not be put together, which no text should bring about.
    pub fn junit(&self, at: OffsetDateTime) -> Result<String, super::junit::Error> {
        let mut case = TestCaseBuilder::error(
            "The round",
            Duration::ZERO,
            "no_round",
            &format!("nothing was checked: {}", self.headline),
        );
        case.set_classname("noentry-round")
            .set_trace(&xml_cdata(&self.text));
        let mut suite = TestSuiteBuilder::new(super::junit::SUITE);
        suite.set_timestamp(super::junit::timestamp(at));
        suite.add_testcase(case.build());
        super::junit::SUITE.clone_into(&mut suite.testsuite.package);
        // Where it looked from is as unknown as what it would have seen.
        suite.testsuite.hostname.clear();
        let mut out = Vec::new();
        ReportBuilder::new()
            .add_testsuite(suite.build())
            .build()
            .write_xml(&mut out)?;
        Ok(String::from_utf8(out)?)
    }

    /// The summary, in at most `limit` bytes; empty where not even the heading fits.
    #[must_use]
    pub fn summary(&self, limit: usize) -> String {
        let head = "## noentry: nothing was checked\n\nThere is no verdict: what is open and what is \
                    shut is not known.\n\n";
        let longest = self.text.split(|c| c != '`').map(str::len).max();
        let fence = "`".repeat(longest.unwrap_or(0).saturating_add(1).max(3));
        let frame = head.len().saturating_add(fence.len().saturating_mul(2) + 8);
        let Some(room) = limit.checked_sub(frame) else {
            return String::new();
        };
        let mut out = format!("{head}{fence}text\n");
        let mut used = 0_usize;
        for c in self.text.trim_end().chars() {
            used = used.saturating_add(c.len_utf8());
            if used > room {
                break;
            }
            out.push(c);
        }
        // Writing to a String cannot go wrong.
        let _ = write!(out, "\n{fence}\n");
        out
    }

    /// The outputs of a workflow step, named as those of a round. The counts count what was seen.
    #[must_use]
    pub fn outputs(paths: Paths<'_>) -> Vec<(String, String)> {
        let mut pairs = vec![("verdict", VERDICT)];
        pairs.extend(["targets", "exposed", "waived", "inconclusive", "blocked"].map(|n| (n, "0")));
        pairs.push(("exposed-targets", "[]"));
        pairs.extend(paths.pairs());
        pairs
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    /// A workflow command for the log and the run's page.
    #[must_use]
    pub fn annotation(&self) -> String {
        annotation("", &self.text)
    }
}

/// A workflow command that says why there is no verdict. `place` is empty, or the properties of a place
/// in a file, escaped and with a comma at the end.
#[must_use]
pub fn annotation(place: &str, text: &str) -> String {
    let text = super::annotations::cut(text.trim_end());
    format!(
        "::error {place}title=noentry: nothing was checked::{}\n",
        command_data(&text)
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::json;

    const HOSTILE: &str =
        "first ]]> <x> & \"q\"\n::set-output name=verdict::blocked\n```\n##[error]x\u{1b}[2J\0";

    #[test]
    fn our_own_reader_refuses_it_and_says_why() {
        let error = json::parse(&Failed::new("config: no such file").json()).unwrap_err();
        assert!(matches!(error, json::Error::NoRound(_)), "{error}");
        assert_eq!(
            error.to_string(),
            "there was no round to report: config: no such file"
        );
    }

    #[test]
    fn nothing_in_it_can_pass_for_a_round_or_a_command() {
        let failed = Failed::new(HOSTILE);
        let junit = failed.junit(OffsetDateTime::UNIX_EPOCH).unwrap();
        assert_eq!(junit.matches("<testcase").count(), 1, "{junit}");
        assert_eq!(junit.matches("<error").count(), 1, "{junit}");
        let mut reader = quick_xml::Reader::from_str(&junit);
        while !matches!(reader.read_event().unwrap(), quick_xml::events::Event::Eof) {}
        let summary = failed.summary(10_000);
        assert!(summary.contains("````text\n"), "{summary}");
        let annotation = failed.annotation();
        assert_eq!(annotation.lines().count(), 1, "{annotation}");
        assert!(!annotation.contains("##["), "{annotation}");
        let value: serde_json::Value = serde_json::from_str(&failed.json()).unwrap();
        assert_eq!(value["verdict"], "error");
    }

    #[test]
    fn the_summary_keeps_to_its_room() {
        let failed = Failed::new(&"ä".repeat(50_000));
        for limit in [0, 50, 300, 1_000, 1_000_000] {
            assert!(failed.summary(limit).len() <= limit, "{limit}");
        }
        assert!(failed.summary(300).ends_with("\n```\n"));
    }

    #[test]
    fn the_outputs_are_those_of_a_round() {
        let paths = Paths {
            json: Some("r.json"),
            junit: Some("j.xml"),
            summary: Some("s.md"),
        };
        let names: Vec<String> = Failed::outputs(paths).into_iter().map(|(n, _)| n).collect();
        assert_eq!(
            names.join(" "),
            "verdict targets exposed waived inconclusive blocked exposed-targets json-path \
             junit-path summary-path"
        );
    }
}
