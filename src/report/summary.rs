//! The job summary in Markdown, worst first, for `$GITHUB_STEP_SUMMARY`.
//!
//! The runner drops a summary that is larger than 1 MiB and leaves the step green, so the limit is
//! kept here, and what was left out is said. Values and quotes are code spans: nothing that a server
//! sent becomes markup, a mention, a reference, a link or an image.

use super::coverage;
use super::facts;
use super::headline;
use super::hint;
use super::incidents;
use super::merged;
use super::notes;
use super::phrase::{Phrase, count};
use super::vantage;
use super::waiver;
use super::withheld;
use crate::domain::escape::markdown_name;
use crate::domain::finding::Finding;
use crate::domain::link::is_link;
use crate::domain::rank::Rank;
use crate::domain::report::RoundReport;
use crate::domain::trail::Links;
use crate::domain::verdict::Verdict;

/// The runner's limit for a step's summary, in bytes.
pub const LIMIT: usize = 1024 * 1024;

/// Kept free for what says that something was left out.
const RESERVE: usize = 256;

/// The round as Markdown of at most `limit` bytes.
#[must_use]
pub fn render(report: &RoundReport, limit: usize) -> String {
    let tail = tail(report);
    // Hints and controls are worth a quarter; if they need more, they go.
    let tail = if tail.len() <= limit / 4 {
        tail
    } else {
        String::new()
    };
    let of = |rank| -> Vec<&Finding> {
        let findings = report.findings.iter();
        findings.filter(|f| f.rank() == rank).collect()
    };
    let (exposed, inconclusive) = (of(Rank::Exposed), of(Rank::Inconclusive));
    let (waived, blocked) = (of(Rank::Waived), of(Rank::Blocked));
    let open: Vec<&Finding> = exposed.iter().chain(&inconclusive).copied().collect();

    let mut page = Page {
        links: &report.links,
        out: head(report),
        // The overview may take half, so that there is room for some evidence.
        room: (limit / 2).saturating_sub(tail.len()),
        rows_left_out: 0,
        details_left_out: 0,
    };
    page.rows("what was seen", &open);
    page.room = limit.saturating_sub(tail.len());
    page.details(&exposed);
    if !waived.is_empty() {
        let title = format!("\n### {} waived\n", count(waived.len(), "target"));
        page.push(&title);
        page.rows("what is open, and who answers for it", &waived);
    }
    page.out.push_str(&tail);
    page.room = limit;
    if !inconclusive.is_empty() {
        let title = format!(
            "Evidence: {} inconclusive",
            count(inconclusive.len(), "target")
        );
        page.folded(&title, |page| page.details(&inconclusive));
    }
    if !blocked.is_empty() {
        let title = format!("{} blocked", count(blocked.len(), "target"));
        page.folded(&title, |page| {
            page.rows("what stopped the outsider", &blocked);
        });
    }
    page.finish()
}

struct Page<'a> {
    links: &'a Links,
    out: String,
    /// How long `out` may become.
    room: usize,
    /// How many targets have no row.
    rows_left_out: usize,
    /// How many targets have a row, but no evidence.
    details_left_out: usize,
}

impl Page<'_> {
    /// Adds text if there is room for it and for what must still come.
    fn push(&mut self, text: &str) -> bool {
        let length = self.out.len().saturating_add(text.len());
        let fits = length.saturating_add(RESERVE) <= self.room;
        if fits {
            self.out.push_str(text);
        }
        fits
    }

    /// A table with a row a finding.
    fn rows(&mut self, title: &str, findings: &[&Finding]) {
        if findings.is_empty() {
            return;
        }
        let head = format!("\n| verdict | target | {title} |\n| :--- | :--- | :--- |\n");
        let mut shown = 0;
        if self.push(&head) {
            // The first row that does not fit ends the table: what follows matters less.
            shown = findings.iter().take_while(|f| self.push(&row(f))).count();
        }
        self.rows_left_out += findings.len().saturating_sub(shown);
    }

    /// The evidence for each finding under a heading.
    fn details(&mut self, findings: &[&Finding]) {
        let shown = findings
            .iter()
            .take_while(|f| self.push(&detail(f, self.links)))
            .count();
        self.details_left_out += findings.len().saturating_sub(shown);
    }

    /// Something that is seen only when its title is clicked.
    fn folded(&mut self, title: &str, content: impl FnOnce(&mut Self)) {
        const CLOSE: &str = "\n</details>\n";
        let open = format!("\n<details><summary>{title}</summary>\n");
        let room = self.room;
        // The content leaves room for the closing tag.
        self.room = room.saturating_sub(CLOSE.len());
        let opened = self.push(&open);
        content(self);
        self.room = room;
        if opened {
            self.out.push_str(CLOSE);
        }
    }

    fn finish(mut self) -> String {
        if self.rows_left_out > 0 || self.details_left_out > 0 {
            let rows = count(self.rows_left_out, "target");
            let details = count(self.details_left_out, "target");
            let notice = format!(
                "\n**Left out for want of room: {rows}, and the evidence of {details}.** The JSON \
                 report has everything.\n"
            );
            self.out.push_str(&notice);
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

const fn mark(rank: Rank) -> &'static str {
    match rank {
        Rank::Exposed => "🔴",
        Rank::Waived => "🟣",
        Rank::Inconclusive => "🟡",
        Rank::Blocked => "🟢",
    }
}

fn head(report: &RoundReport) -> String {
    let totals = &report.totals;
    let title = match report.verdict {
        Verdict::Exposed => format!("{} exposed", count(totals.exposed, "target")),
        Verdict::Inconclusive if report.is_empty_shard() => merged::totals(report),
        Verdict::Inconclusive if totals.inconclusive == 0 && !report.missing.is_empty() => {
            "not everything was looked at".to_owned()
        }
        Verdict::Inconclusive => format!("{} inconclusive", count(totals.inconclusive, "target")),
        Verdict::Blocked if totals.waived > 0 => format!(
            "{} waived, {} blocked",
            count(totals.waived, "target"),
            totals.blocked
        ),
        Verdict::Blocked => format!("{} blocked", count(totals.targets, "target")),
    };
    // A column for what is waived stands only where something is.
    let waived = (totals.waived > 0).then_some(("waived", totals.waived));
    let columns: Vec<(&str, usize)> = std::iter::once(("exposed", totals.exposed))
        .chain(waived)
        .chain([
            ("inconclusive", totals.inconclusive),
            ("blocked", totals.blocked),
            ("targets", totals.targets),
        ])
        .collect();
    let line = |cell: &dyn Fn(&(&str, usize)) -> String| {
        let cells: Vec<String> = columns.iter().map(cell).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let from = if report.rounds.is_empty() {
        vantage::seen_from(&report.vantage, &report.controls, report.withheld)
    } else {
        Phrase::new(format!("out of {}", count(report.rounds.len(), "round")))
    };
    let mark = if report.is_empty_shard() {
        "\u{26aa}"
    } else {
        mark(report.verdict.into())
    };
    let missing = merged::missing(report);
    let missing: String = missing
        .iter()
        .map(|line| bullet(&line.markdown()))
        .collect();
    let missing = match missing.as_str() {
        "" => missing,
        _ => format!("\n**Missing, so this is no pass:**\n\n{missing}"),
    };
    let notice = if report.withheld {
        format!("\n**Note:** {}.\n", withheld::notice().markdown())
    } else {
        String::new()
    };
    let run = match &report.links.run {
        Some(run) if is_link(run) => format!(" [The run]({run})."),
        Some(_) | None => String::new(),
    };
    format!(
        "## {mark} noentry: {title}\n\n{}{}{}\n{}, begun {}, {}.{run}\n{notice}{missing}",
        line(&|(name, _)| (*name).to_owned()),
        line(&|_| "---:".to_owned()),
        line(&|(_, number)| number.to_string()),
        vantage::effort(report).markdown(),
        vantage::begun(report),
        from.markdown(),
    )
}

/// `### 🔴 Orders database` and a table of evidence; where the target is declared is a link, if it is
/// known whither.
fn detail(finding: &Finding, links: &Links) -> String {
    let name = markdown_name(&finding.target.name);
    let mut out = format!("\n### {} {name}\n\n", mark(finding.rank()));
    // Markdown wants a head for every table: the first fact is it.
    let mut head = true;
    for fact in facts::of(finding) {
        let told: Vec<String> = fact.lines.iter().map(Phrase::markdown).collect();
        let told = told.join("<br>");
        let link = links.line(finding.target.position.line);
        let text = match link.filter(|_| fact.label == facts::DECLARED) {
            Some(link) => format!("[{told}]({link})"),
            None => told,
        };
        out.push_str(&table_row(fact.label, &text));
        if std::mem::take(&mut head) {
            out.push_str("| :--- | :--- |\n");
        }
    }
    out
}

/// `| 🟢 | Orders database | firewall is silent … |`
fn row(finding: &Finding) -> String {
    let mut text = headline::finding(finding).markdown();
    let rank = finding.rank();
    match rank {
        // The notes of the others stand with their evidence.
        Rank::Exposed | Rank::Inconclusive => {}
        Rank::Waived | Rank::Blocked => {
            if let (Rank::Waived, Some(waiver)) = (rank, &finding.waiver) {
                text.push_str("<br>");
                text.push_str(&waiver::waived(waiver).markdown());
            }
            if let Some(who) = merged::who_saw(finding) {
                text.push_str("<br>");
                text.push_str(&who.markdown());
            }
            for note in notes::of(finding) {
                text.push_str("<br>");
                text.push_str(&notes::say(finding, note).markdown());
            }
        }
    }
    let word = match rank {
        Rank::Exposed => "🔴&nbsp;**EXPOSED**",
        Rank::Waived => "🟣&nbsp;waived",
        Rank::Inconclusive => "🟡&nbsp;inconclusive",
        Rank::Blocked => "🟢&nbsp;blocked",
    };
    let name = markdown_name(&finding.target.name);
    table_row(word, &format!("{name} | {text}"))
}

fn table_row(left: &str, right: &str) -> String {
    format!("| {left} | {right} |\n")
}

fn bullet(text: &str) -> String {
    format!("- {text}\n")
}

/// Hints, coverage, vantage and controls.
fn tail(report: &RoundReport) -> String {
    let trail = report.trail.as_ref();
    let mut out = trail.map(incidents::markdown).unwrap_or_default();
    let hints = hint::hints(report);
    if !hints.is_empty() {
        out.push_str("\n### Hints\n\n");
        for hint in hints {
            out.push_str(&bullet(&hint.phrase().markdown()));
        }
    }
    out.push_str(&coverage_table(report));
    out.push_str(&folded("Vantage", &vantage_table(report)));
    let of_rounds = report.rounds.iter().map(|round| round.controls.len());
    let controls = of_rounds.fold(report.controls.len(), usize::saturating_add);
    if controls > 0 {
        let lines = vantage::control_lines(report);
        let lines: String = lines.iter().map(|line| bullet(&line.markdown())).collect();
        out.push_str(&folded(&count(controls, "control"), &lines));
    }
    out
}

fn folded(title: &str, content: &str) -> String {
    format!("\n<details><summary>{title}</summary>\n\n{content}\n</details>\n")
}

/// What is watched and what is not: seen at once where there is a gap, folded where there is none.
fn coverage_table(report: &RoundReport) -> String {
    if report.coverage.is_empty() {
        return String::new();
    }
    let mut table = "| what | is it watched? | targets |\n| :--- | :--- | :--- |\n".to_owned();
    for line in &report.coverage {
        let right = format!(
            "{} | {}",
            coverage::watch(line).markdown(),
            coverage::targets(line).markdown()
        );
        let left = Phrase::new(coverage::what(line)).markdown();
        table.push_str(&table_row(&left, &right));
    }
    if coverage::is_whole(report) {
        folded("Coverage: all is watched", &table)
    } else {
        format!("\n### Coverage\n\n{table}")
    }
}

/// Where the round looked from, when, and with what.
fn vantage_table(report: &RoundReport) -> String {
    let mut table = String::new();
    for (index, (label, text)) in vantage::table(report).into_iter().enumerate() {
        table.push_str(&table_row(label, &text.markdown()));
        // Markdown wants a head for every table: the first row is it.
        if index == 0 {
            table.push_str("| :--- | :--- |\n");
        }
    }
    table
}
