//! The terminal: one line a target, worst first; evidence under what is exposed or inconclusive.
//!
//! Lines that come out of here are safe to print on a GitHub runner: none can be taken for a workflow
//! command. Without colour there is no escape byte in the output at all.

use anstyle::{AnsiColor, Style as Ansi};
use unicode_width::UnicodeWidthStr as _;

use super::coverage;
use super::facts::{self, Fact};
use super::headline;
use super::hint;
use super::merged;
use super::notes;
use super::phrase::Phrase;
use super::vantage;
use super::waiver;
use super::withheld;
use crate::domain::escape;
use crate::domain::finding::Finding;
use crate::domain::rank::Rank;
use crate::domain::report::RoundReport;

/// How the terminal wants it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// Whether to use colours.
    pub color: bool,
    /// Columns to wrap at; 0 never wraps. Less than 60 is taken as 60.
    pub width: usize,
    /// Whether to show every attempt at every endpoint, and every control.
    pub verbose: bool,
}

/// The column where the text of a verdict begins: `inconclusive` and two blanks.
const GUTTER: usize = 14;
/// The column of a fact's text, from the gutter: `certificate` and two blanks.
const LABEL: usize = 13;
/// Names beyond this width do not widen the column of names.
const NAME: usize = 28;
/// Names are cut beyond this many characters.
const LONGEST_NAME: usize = 64;
/// A text column narrower than this begins on a line of its own.
const NARROW: usize = 40;

const DIM: Ansi = Ansi::new().dimmed();
const BOLD: Ansi = Ansi::new().bold();
const HINT: Ansi = AnsiColor::Cyan.on_default();

/// The whole round for a terminal or a log, with a line break at its end.
#[must_use]
pub fn render(report: &RoundReport, style: Style) -> String {
    let mut page = Page {
        style: Style {
            width: if style.width == 0 {
                0
            } else {
                style.width.max(60)
            },
            ..style
        },
        out: String::new(),
        names: name_column(report),
    };
    page.notice(report);
    page.findings(report);
    page.hints(report);
    if style.verbose {
        page.controls(report);
    }
    page.coverage(report);
    page.labelled("missing", &merged::missing(report));
    page.totals(report);
    escape::runner_lines(&page.out)
}

struct Page {
    style: Style,
    out: String,
    names: usize,
}

impl Page {
    /// That details are withheld, where they are.
    fn notice(&mut self, report: &RoundReport) {
        if report.withheld {
            self.labelled("note", &[withheld::notice()]);
        }
    }

    fn findings(&mut self, report: &RoundReport) {
        for rank in Rank::ALL {
            let mut group = report.findings.iter().filter(|f| f.rank() == rank);
            let Some(first) = group.next() else { continue };
            self.finding(first);
            for finding in group {
                if !is_short(rank) {
                    self.blank();
                }
                self.finding(finding);
            }
            self.blank();
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let rank = finding.rank();
        let word = word(rank);
        let name = shown_name(finding);
        let mut head = self.paint(colour(rank), word);
        head.push_str(&" ".repeat(GUTTER.saturating_sub(word.len())));
        head.push_str(&self.paint(BOLD, &name));
        let text = headline::finding(finding).text();
        // Blocked and waived targets are a table, one line each; the others are blocks, where a column of names
        // would only push the text away.
        let (gap, emphasis, narrowest) = match rank {
            Rank::Blocked | Rank::Waived => {
                let gap = self.names.saturating_sub(name.width()) + 2;
                (gap, Ansi::new(), NARROW)
            }
            Rank::Exposed => (2, colour(rank), usize::MAX),
            Rank::Inconclusive => (2, Ansi::new(), usize::MAX),
        };
        let column = GUTTER + name.width() + gap;
        let room = self.style.width.saturating_sub(column);
        if self.style.width == 0 || room >= narrowest.min(text.width()) {
            head.push_str(&" ".repeat(gap));
            self.wrapped(&head, column, &text, emphasis);
        } else {
            self.line(&head);
            self.wrapped(&" ".repeat(GUTTER), GUTTER, &text, emphasis);
        }
        match rank {
            _ if self.style.verbose => self.facts(&facts::every_attempt(finding)),
            Rank::Exposed | Rank::Inconclusive => self.facts(&facts::of(finding)),
            Rank::Waived | Rank::Blocked => {
                if let (Rank::Waived, Some(waiver)) = (rank, &finding.waiver) {
                    let waived = waiver::waived(waiver).text();
                    self.wrapped(&" ".repeat(GUTTER), GUTTER, &waived, Ansi::new());
                }
                if let Some(who) = merged::who_saw(finding) {
                    self.wrapped(&" ".repeat(GUTTER), GUTTER, &who.text(), Ansi::new());
                }
                for note in notes::of(finding) {
                    self.note(&notes::say(finding, note));
                }
            }
        }
    }

    fn note(&mut self, note: &Phrase) {
        let mut prefix = " ".repeat(GUTTER);
        prefix.push_str(&self.paint(DIM, "note"));
        prefix.push_str("  ");
        self.wrapped(&prefix, GUTTER + 6, &note.text(), DIM);
    }

    fn facts(&mut self, facts: &[Fact]) {
        for fact in facts {
            let mut label = fact.label;
            for line in &fact.lines {
                let mut prefix = " ".repeat(GUTTER);
                prefix.push_str(&self.paint(DIM, label));
                prefix.push_str(&" ".repeat(LABEL.saturating_sub(label.len())));
                self.wrapped(&prefix, GUTTER + LABEL, &line.text(), Ansi::new());
                label = "";
            }
        }
    }

    fn hints(&mut self, report: &RoundReport) {
        let hints = hint::hints(report);
        for hint in &hints {
            let mut prefix = self.paint(HINT, "hint");
            prefix.push_str(&" ".repeat(GUTTER - 4));
            self.wrapped(&prefix, GUTTER, &hint.phrase().text(), Ansi::new());
        }
        if !hints.is_empty() {
            self.blank();
        }
    }

    fn controls(&mut self, report: &RoundReport) {
        self.labelled("control", &vantage::control_lines(report));
    }

    /// What is not watched; with `--verbose`, what is watched too.
    fn coverage(&mut self, report: &RoundReport) {
        let lines = if self.style.verbose {
            coverage::every_line(report)
        } else {
            coverage::gaps(report)
        };
        self.labelled("coverage", &lines);
    }

    /// Lines with the same word before each, and a blank line behind them.
    fn labelled(&mut self, label: &str, lines: &[Phrase]) {
        for line in lines {
            let mut prefix = self.paint(DIM, label);
            prefix.push_str(&" ".repeat(GUTTER.saturating_sub(label.len())));
            self.wrapped(&prefix, GUTTER, &line.text(), Ansi::new());
        }
        if !lines.is_empty() {
            self.blank();
        }
    }

    fn totals(&mut self, report: &RoundReport) {
        let rank = Rank::from(report.verdict);
        let (word, colour) = if report.is_empty_shard() {
            ("no target", DIM)
        } else {
            (word(rank), colour(rank))
        };
        let mut head = self.paint(colour, word);
        head.push_str(&" ".repeat(GUTTER.saturating_sub(word.len())));
        self.wrapped(&head, GUTTER, &merged::totals(report), BOLD);
        let gutter = " ".repeat(GUTTER);
        let effort = vantage::effort(report)
            .say(", begun ")
            .value(vantage::begun(report))
            .say(", noentry ")
            .value(&report.noentry);
        self.wrapped(&gutter, GUTTER, &effort.text(), DIM);
        for line in vantage::lines(report) {
            self.wrapped(&gutter, GUTTER, &line.text(), DIM);
        }
    }

    /// Text after a prefix of known width, wrapped with a hanging indent.
    fn wrapped(&mut self, prefix: &str, column: usize, text: &str, style: Ansi) {
        let room = match self.style.width {
            0 => usize::MAX,
            width => width.saturating_sub(column).max(NARROW / 2),
        };
        let mut lines = wrap(text, room).into_iter();
        let first = lines.next().unwrap_or_default();
        let first = format!("{prefix}{}", self.paint(style, &first));
        self.line(&first);
        let indent = " ".repeat(column);
        for line in lines {
            let line = format!("{indent}{}", self.paint(style, &line));
            self.line(&line);
        }
    }

    fn paint(&self, style: Ansi, text: &str) -> String {
        if self.style.color && !text.is_empty() && style != Ansi::new() {
            format!("{style}{text}{style:#}")
        } else {
            text.to_owned()
        }
    }

    fn line(&mut self, line: &str) {
        self.out.push_str(line.trim_end());
        self.out.push('\n');
    }

    fn blank(&mut self) {
        self.out.push('\n');
    }
}

const fn colour(rank: Rank) -> Ansi {
    match rank {
        Rank::Exposed => AnsiColor::Red.on_default().bold(),
        Rank::Waived => AnsiColor::Magenta.on_default(),
        Rank::Inconclusive => AnsiColor::Yellow.on_default().bold(),
        Rank::Blocked => AnsiColor::Green.on_default(),
    }
}

const fn word(rank: Rank) -> &'static str {
    match rank {
        Rank::Exposed => "EXPOSED",
        Rank::Waived | Rank::Inconclusive | Rank::Blocked => rank.as_str(),
    }
}

/// Whether such a finding takes a line of a table, without its evidence.
const fn is_short(rank: Rank) -> bool {
    match rank {
        Rank::Exposed | Rank::Inconclusive => false,
        Rank::Waived | Rank::Blocked => true,
    }
}

fn shown_name(finding: &Finding) -> String {
    escape::clip(&escape::visible(&finding.target.name), LONGEST_NAME)
}

fn name_column(report: &RoundReport) -> usize {
    let widths = report
        .findings
        .iter()
        .filter(|f| is_short(f.rank()))
        .map(|f| shown_name(f).width());
    widths.filter(|width| *width <= NAME).max().unwrap_or(0)
}

/// Breaks text at blanks into lines of at most `room` columns; a longer word is broken where it must.
fn wrap(text: &str, room: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0_usize;
    for word in text.split(' ') {
        let width = word.width();
        if used > 0 && used.saturating_add(1).saturating_add(width) > room {
            lines.push(std::mem::take(&mut line));
            used = 0;
        }
        if used > 0 {
            line.push(' ');
            used += 1;
        }
        for c in word.chars() {
            let mut buffer = [0; 4];
            let width = c.encode_utf8(&mut buffer).width();
            if used > 0 && used.saturating_add(width) > room {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            line.push(c);
            used += width;
        }
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_breaks_at_blanks_and_only_then_in_words() {
        assert_eq!(wrap("aa bb cc", 5), ["aa bb", "cc"]);
        assert_eq!(wrap("aaaaaaa b", 5), ["aaaaa", "aa b"]);
        assert_eq!(wrap("漢字漢字", 4), ["漢字", "漢字"]);
        assert_eq!(wrap("", 5), [""]);
        assert_eq!(wrap("a b", usize::MAX), ["a b"]);
        assert_eq!(wrap("ab", 0), ["a", "b"]);
    }
}
