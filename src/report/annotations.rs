//! Annotations for a GitHub runner: one roll-up and the worst nine findings.
//!
//! A step shows ten annotations of a type and cuts a message at 4,096 characters (actions/runner,
//! `ExecutionContext.cs`), so both limits are kept here and what is left out is said in the roll-up.

use super::facts;
use super::headline;
use super::merged;
use super::phrase::count;
use super::withheld;
use crate::domain::escape::{command_data, command_property, visible};
use crate::domain::finding::Finding;
use crate::domain::rank::Rank;
use crate::domain::report::RoundReport;

/// How many findings are shown beside the roll-up.
const FINDINGS: usize = 9;
/// The runner's limit for a message, in UTF-16 units, as .NET counts.
const MESSAGE: usize = 4096;

/// Workflow commands, one a line.
#[must_use]
pub fn render(report: &RoundReport) -> String {
    let of = |rank| report.findings.iter().filter(move |f| f.rank() == rank);
    // What is waived comes last, and must not push away what counts.
    let worst: Vec<&Finding> = [Rank::Exposed, Rank::Inconclusive, Rank::Waived]
        .into_iter()
        .flat_map(of)
        .collect();
    let left_out = worst.len().saturating_sub(FINDINGS);
    let mut out = roll_up(report, left_out);
    for finding in worst.into_iter().take(FINDINGS) {
        out.push_str(&one(finding));
    }
    out
}

const fn command(rank: Rank) -> &'static str {
    match rank {
        Rank::Exposed => "error",
        Rank::Inconclusive => "warning",
        Rank::Waived | Rank::Blocked => "notice",
    }
}

fn roll_up(report: &RoundReport, left_out: usize) -> String {
    let mut message = merged::totals(report);
    for line in merged::missing(report) {
        message.push_str(". Missing: ");
        message.push_str(&line.text());
    }
    if left_out > 0 {
        message.push_str(". More without an annotation: ");
        message.push_str(&count(left_out, "finding"));
        message.push_str(", see the job summary or the report");
    }
    if report.withheld {
        message.push('\n');
        message.push_str(&withheld::notice().text());
    }
    let rank = Rank::from(report.verdict);
    let (command, title) = if report.is_empty_shard() {
        (command(rank), "noentry: no target".to_owned())
    } else {
        (command(rank), format!("noentry: {}", report.verdict))
    };
    format!(
        "::{command} file={},title={}::{}\n",
        command_property(&visible(&report.config)),
        command_property(&title),
        command_data(&cut(&message))
    )
}

fn one(finding: &Finding) -> String {
    let position = &finding.target.position;
    let rank = finding.rank();
    let title = format!("{}: {}", rank.as_str(), visible(&finding.target.name));
    let mut lines = vec![headline::finding(finding).text()];
    for fact in facts::of(finding) {
        for line in &fact.lines {
            lines.push(format!("{}: {}", fact.label, line.text()));
        }
    }
    format!(
        "::{} file={},line={},col={},title={}::{}\n",
        command(rank),
        command_property(&visible(&position.file)),
        position.line,
        position.column,
        command_property(&title),
        command_data(&cut(&lines.join("\n")))
    )
}

/// Cuts a message where the runner would, but says so.
pub(super) fn cut(message: &str) -> String {
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
