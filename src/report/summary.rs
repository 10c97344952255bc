//! The job summary in Markdown, worst first, for `$GITHUB_STEP_SUMMARY`.
//!
//! The runner drops a summary that is larger than 1 MiB and leaves the step green, so the limit is
//! kept here, and what was left out is said. Values and quotes are code spans: nothing that a server
//! sent becomes markup, a mention, a reference, a link or an image.

use super::console;
use super::facts;
use super::headline;
use super::hint;
use super::phrase::{Phrase, count};
use crate::domain::escape::markdown_name;
use crate::domain::finding::Finding;
use crate::domain::report::RoundReport;
use crate::domain::verdict::Verdict;

/// The runner's limit for a step's summary, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// The round as Markdown of at most `limit` bytes.
#[must_use]
pub fn render(report: &RoundReport, limit: usize) -> String {
    let head = head(report);
    let tail = tail(report);
    // Hints and controls are worth a quarter; if they need more, they go.
    let tail = if tail.len() <= limit / 4 {
        tail
    } else {
        String::new()
    };
    let mut page = Page {
        out: head,
        room: limit.saturating_sub(tail.len()),
        left_out: 0,
    };
    page.detailed(report);
    page.out.push_str(&tail);
    page.room = limit;
    page.blocked(report);
    page.finish()
}

struct Page {
    out: String,
    /// How long `out` may become.
    room: usize,
    /// How many targets are not shown.
    left_out: usize,
}

/// Kept free for what says that something was left out.
const RESERVE: usize = 256;

impl Page {
    fn fits(&self, text: &str, closing: &str) -> bool {
        let needed = self
            .out
            .len()
            .saturating_add(text.len())
            .saturating_add(closing.len())
            .saturating_add(RESERVE);
        needed <= self.room
    }

    /// Exposed and inconclusive findings: a heading and the evidence for each.
    fn detailed(&mut self, report: &RoundReport) {
        for verdict in [Verdict::Exposed, Verdict::Inconclusive] {
            for finding in report.findings.iter().filter(|f| f.verdict == verdict) {
                let text = detail(finding);
                let brief = brief(finding);
                if self.fits(&text, "") {
                    self.out.push_str(&text);
                } else if self.fits(&brief, "") {
                    self.out.push_str(&brief);
                } else {
                    self.left_out += 1;
                }
            }
        }
    }

    /// Blocked findings: a folded table.
    fn blocked(&mut self, report: &RoundReport) {
        let blocked = || {
            let findings = report.findings.iter();
            findings.filter(|f| f.verdict == Verdict::Blocked)
        };
        let number = blocked().count();
        if number == 0 {
            return;
        }
        let open = format!(
            "\n<details><summary>{} blocked</summary>\n\n| target | what stopped the outsider |\n\
             | --- | --- |\n",
            count(number, "target")
        );
        let close = "\n</details>\n";
        if !self.fits(&open, close) {
            self.left_out += number;
            return;
        }
        self.out.push_str(&open);
        for finding in blocked() {
            let row = row(finding);
            if self.left_out == 0 && self.fits(&row, close) {
                self.out.push_str(&row);
            } else {
                self.left_out += 1;
            }
        }
        self.out.push_str(close);
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let left_out = count(self.left_out, "target");
            self.out.push_str("\n**");
            self.out.push_str(&left_out);
            self.out
                .push_str(" left out for want of room.** The JSON report has them all.\n");
        }
        if self.out.len() > self.room {
            // Less room than the head alone needs.
            let mut end = self.room;
            while !self.out.is_char_boundary(end) {
                end = end.saturating_sub(1);
            }
            self.out.truncate(end);
        }
        self.out
    }
}

const fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Exposed => "🔴",
        Verdict::Inconclusive => "🟡",
        Verdict::Blocked => "🟢",
    }
}

fn head(report: &RoundReport) -> String {
    let totals = &report.totals;
    let title = match report.verdict {
        Verdict::Exposed => format!("{} exposed", count(totals.exposed, "target")),
        Verdict::Inconclusive => format!("{} inconclusive", count(totals.inconclusive, "target")),
        Verdict::Blocked => format!("{} blocked", count(totals.targets, "target")),
    };
    format!(
        "## {} noentry: {title}\n\n| exposed | inconclusive | blocked | targets |\n\
         | ---: | ---: | ---: | ---: |\n| {} | {} | {} | {} |\n\n{}, {}.\n",
        mark(report.verdict),
        totals.exposed,
        totals.inconclusive,
        totals.blocked,
        totals.targets,
        console::effort(report).markdown(),
        console::vantage(report).markdown(),
    )
}

/// `### 🔴 Orders database` and what happened, in one sentence.
fn brief(finding: &Finding) -> String {
    format!(
        "\n### {} {}\n\n**{}**: {}\n",
        mark(finding.verdict),
        markdown_name(&finding.target.name),
        match finding.verdict {
            Verdict::Exposed => "EXPOSED",
            Verdict::Inconclusive | Verdict::Blocked => finding.verdict.as_str(),
        },
        headline::finding(finding).markdown()
    )
}

fn detail(finding: &Finding) -> String {
    let mut out = brief(finding);
    out.push_str("\n| | |\n| --- | --- |\n");
    for fact in facts::of(finding) {
        let lines: Vec<String> = fact.lines.iter().map(Phrase::markdown).collect();
        out.push_str(&table_row(fact.label, &lines.join("<br>")));
    }
    out
}

fn row(finding: &Finding) -> String {
    let mut text = headline::finding(finding).markdown();
    for note in &finding.notes {
        text.push_str("<br>");
        text.push_str(&Phrase::new(headline::note(*note)).markdown());
    }
    table_row(&markdown_name(&finding.target.name), &text)
}

fn table_row(left: &str, right: &str) -> String {
    format!("| {left} | {right} |\n")
}

fn bullet(text: &str) -> String {
    format!("- {text}\n")
}

/// Hints and controls.
fn tail(report: &RoundReport) -> String {
    let mut out = String::new();
    let hints = hint::hints(report);
    if !hints.is_empty() {
        out.push_str("\n### Hints\n\n");
        for hint in hints {
            out.push_str(&bullet(&hint.phrase().markdown()));
        }
    }
    if !report.controls.is_empty() {
        out.push_str("\n<details><summary>");
        out.push_str(&count(report.controls.len(), "control"));
        out.push_str("</summary>\n\n");
        for control in &report.controls {
            out.push_str(&bullet(&console::control_line(control).markdown()));
        }
        out.push_str("\n</details>\n");
    }
    out
}
