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
    let paths = [
        ("json-path", paths.json),
        ("junit-path", paths.junit),
        ("summary-path", paths.summary),
    ];
    for (name, path) in paths {
        pairs.extend(path.map(|path| (name, path.to_owned())));
    }
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}
