//! What a workflow step hands on: names and values for `$GITHUB_OUTPUT`.

use crate::domain::rank::Rank;
use crate::domain::report::RoundReport;

/// Where reports were written, as the user named the places.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Paths<'a> {
    /// `report.json`.
    pub json: Option<&'a str>,
    /// The JUnit file.
    pub junit: Option<&'a str>,
    /// The Markdown summary.
    pub summary: Option<&'a str>,
}

impl<'a> Paths<'a> {
    /// The reports that were written, by the names of their outputs.
    pub(super) fn pairs(self) -> impl Iterator<Item = (&'static str, &'a str)> {
        let paths = [
            ("json-path", self.json),
            ("junit-path", self.junit),
            ("summary-path", self.summary),
        ];
        paths
            .into_iter()
            .filter_map(|(name, path)| Some((name, path?)))
    }
}

/// The outputs in a fixed order: `verdict`, the counts, `exposed-targets` (a JSON array of names, without
/// those that are waived), and
/// a `…-path` for every report that was written.
#[must_use]
pub fn render(report: &RoundReport, paths: Paths<'_>) -> Vec<(String, String)> {
    let totals = &report.totals;
    let exposed: Vec<&str> = report
        .findings
        .iter()
        .filter(|f| f.rank() == Rank::Exposed)
        .map(|f| f.target.name.as_str())
        .collect();
    let mut pairs = vec![
        ("verdict", report.verdict.to_string()),
        ("targets", totals.targets.to_string()),
        ("exposed", totals.exposed.to_string()),
        ("waived", totals.waived.to_string()),
        ("inconclusive", totals.inconclusive.to_string()),
        ("blocked", totals.blocked.to_string()),
        (
            "exposed-targets",
            serde_json::Value::from(exposed).to_string(),
        ),
    ];
    pairs.extend(paths.pairs().map(|(name, path)| (name, path.to_owned())));
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
