//! What is watched, what cannot be watched from here, and what the configuration leaves out.

use super::headline;
use super::phrase::Phrase;
use crate::domain::report::{Coverage, RoundReport, Surface, Watch};
use crate::domain::verdict::Reason;

/// How many targets of a line are named.
const TARGETS: usize = 3;
/// How many gaps are told one by one.
const GAPS: usize = 6;

/// Every line of the table: `TCP over IPv4 watched (Staging, Wiki and 9 more)`.
#[must_use]
pub fn every_line(report: &RoundReport) -> Vec<Phrase> {
    report.coverage.iter().map(line).collect()
}

/// Only what is not watched, in few lines: those that say the same in few words are one.
#[must_use]
pub fn gaps(report: &RoundReport) -> Vec<Phrase> {
    let mut gaps: Vec<(Phrase, Vec<&str>)> = Vec::new();
    for gap in report.coverage.iter().filter(|c| !is_watched(c)) {
        let said = Phrase::new(format!("{} ", what(gap))).join(briefly(gap));
        let names = gap.targets.iter().map(String::as_str);
        match gaps.iter_mut().find(|(known, _)| *known == said) {
            Some((_, targets)) => targets.extend(names),
            None => gaps.push((said, names.collect())),
        }
    }
    let left_out = gaps.split_off(gaps.len().min(GAPS));
    let mut lines: Vec<Phrase> = gaps
        .into_iter()
        .map(|(said, targets)| said.say(" (").values(&targets, TARGETS).say(")"))
        .collect();
    if !left_out.is_empty() {
        let more = Phrase::new(format!(
            "and {} more that cannot be watched or are not: ",
            left_out.len()
        ));
        lines.push(more.code("--verbose").say(" shows all"));
    }
    lines
}

/// Whether nothing is left out and everything could be observed.
#[must_use]
pub fn is_whole(report: &RoundReport) -> bool {
    report.coverage.iter().all(is_watched)
}

fn is_watched(line: &Coverage) -> bool {
    line.watch == Watch::Watched
}

fn line(coverage: &Coverage) -> Phrase {
    Phrase::new(format!("{} ", what(coverage)))
        .join(watch(coverage))
        .say(" (")
        .join(targets(coverage))
        .say(")")
}

/// The same where the findings tell the long story.
fn briefly(coverage: &Coverage) -> Phrase {
    match &coverage.reason {
        Some(Reason::SilenceTellsNothing { .. }) => {
            Phrase::new(word(coverage.watch)).say(": silence tells nothing there")
        }
        Some(Reason::Inside { .. }) => {
            Phrase::new(word(coverage.watch)).say(": this vantage is inside")
        }
        Some(_) | None => watch(coverage),
    }
}

/// `HTTP/3 over IPv4`, `names`.
#[must_use]
pub fn what(coverage: &Coverage) -> String {
    let surface = match coverage.surface {
        Surface::Dns => "names",
        Surface::Tcp => "TCP",
        Surface::Http3 => "HTTP/3",
        Surface::Udp => "UDP",
        Surface::Icmp => "ping",
    };
    match coverage.family {
        Some(family) => format!("{surface} over {family}"),
        None => surface.to_owned(),
    }
}

/// `watched`, `not watchable from here: no control stands for UDP over IPv4`.
#[must_use]
pub fn watch(coverage: &Coverage) -> Phrase {
    let phrase = Phrase::new(word(coverage.watch));
    match &coverage.reason {
        Some(reason) => phrase.say(": ").join(headline::why(reason)),
        None => phrase,
    }
}

const fn word(watch: Watch) -> &'static str {
    match watch {
        Watch::Watched => "watched",
        Watch::NotWatchable => "not watchable from here",
        Watch::Unwatched => "unwatched by configuration",
    }
}

/// Some of the targets' names.
#[must_use]
pub fn targets(coverage: &Coverage) -> Phrase {
    Phrase::default().values(&coverage.targets, TARGETS)
}

/// The words of a line that stay the same from round to round: `http3.ipv4.not_watchable`.
#[must_use]
pub fn key(coverage: &Coverage) -> String {
    let surface = match coverage.surface {
        Surface::Dns => "dns",
        Surface::Tcp => "tcp",
        Surface::Http3 => "http3",
        Surface::Udp => "udp",
        Surface::Icmp => "icmp",
    };
    let watch = match coverage.watch {
        Watch::Watched => "watched",
        Watch::NotWatchable => "not_watchable",
        Watch::Unwatched => "unwatched",
    };
    match coverage.family {
        Some(family) => format!("{surface}.{}.{watch}", family.as_str()),
        None => format!("{surface}.{watch}"),
    }
}
