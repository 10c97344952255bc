//! Annotations for a GitHub runner: one roll-up and the worst nine findings.
//!
//! A step shows ten annotations of a type and cuts a message at 4,096 characters (actions/runner,
//! `ExecutionContext.cs`), so both limits are kept here and what is left out is said in the roll-up.

use super::facts;
use super::headline;
use super::phrase::count;
use crate::domain::escape::{command_data, command_property, visible};
use crate::domain::finding::Finding;
use crate::domain::report::RoundReport;
use crate::domain::verdict::Verdict;

/// How many findings are shown beside the roll-up.
const FINDINGS: usize = 9;
/// The runner's limit for a message, in UTF-16 units, as .NET counts.
const MESSAGE: usize = 4096;

/// Workflow commands, one a line.
#[must_use]
pub fn render(report: &RoundReport) -> String {
    let mut worst: Vec<&Finding> = report
        .findings
        .iter()
        .filter(|f| f.verdict != Verdict::Blocked)
        .collect();
    worst.sort_by_key(|f| std::cmp::Reverse(f.verdict));
    let left_out = worst.len().saturating_sub(FINDINGS);
    let mut out = roll_up(report, left_out);
    for finding in worst.into_iter().take(FINDINGS) {
        out.push_str(&one(finding));
    }
    out
}

const fn command(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Exposed => "error",
        Verdict::Inconclusive => "warning",
        Verdict::Blocked => "notice",
    }
}

fn roll_up(report: &RoundReport, left_out: usize) -> String {
    let totals = &report.totals;
    let mut message = format!(
        "{}: {} exposed, {} inconclusive, {} blocked",
        count(totals.targets, "target"),
        totals.exposed,
        totals.inconclusive,
        totals.blocked
    );
    if left_out > 0 {
        message.push_str(". More without an annotation: ");
        message.push_str(&count(left_out, "finding"));
        message.push_str(", see the job summary or the report");
    }
    let title = format!("noentry: {}", report.verdict);
    format!(
        "::{} file={},title={}::{}\n",
        command(report.verdict),
        command_property(&visible(&report.config)),
        command_property(&title),
        command_data(&message)
    )
}

fn one(finding: &Finding) -> String {
    let position = &finding.target.position;
    let title = format!("{}: {}", finding.verdict, visible(&finding.target.name));
    let mut lines = vec![headline::finding(finding).text()];
    for fact in facts::of(finding) {
        for line in &fact.lines {
            lines.push(format!("{}: {}", fact.label, line.text()));
        }
    }
    format!(
        "::{} file={},line={},col={},title={}::{}\n",
        command(finding.verdict),
        command_property(&visible(&position.file)),
        position.line,
        position.column,
        command_property(&title),
        command_data(&cut(&lines.join("\n")))
    )
}

/// Cuts a message where the runner would, but says so.
fn cut(message: &str) -> String {
    if message.encode_utf16().count() <= MESSAGE {
        return message.to_owned();
    }
    let mut used = 1;
    let mut out = String::new();
    for c in message.chars() {
        used += c.len_utf16();
        if used > MESSAGE {
            break;
        }
        out.push(c);
    }
    out.push('…');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_where_the_runner_counts() {
        assert_eq!(cut("short"), "short");
        assert_eq!(cut(&"x".repeat(4096)), "x".repeat(4096));
        let long = cut(&"𝕏".repeat(3000));
        assert!(long.encode_utf16().count() <= 4096);
        assert!(long.ends_with('…'));
    }
}
