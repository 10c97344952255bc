//! A part of a round, and several rounds as one, in words: which shard, which rounds, what is missing,
//! and who saw what of a target.

use super::phrase::{Phrase, count};
use super::vantage;
use super::waiver;
use crate::domain::finding::Finding;
use crate::domain::merged::{MergedRound, Missing, Seen};
use crate::domain::report::RoundReport;
use crate::domain::verdict::Verdict;

/// How many rounds are told one by one.
const ROUNDS: usize = 8;
/// How many targets, shards or vantages are named.
const NAMED: usize = 6;

/// `4 targets: 1 exposed, 0 inconclusive, 3 blocked`, and of which part of the whole list.
#[must_use]
pub fn totals(report: &RoundReport) -> String {
    let totals = waiver::totals(&report.totals);
    let all = report.declared.map_or_else(
        || "the targets".to_owned(),
        |declared| count(declared, "target"),
    );
    match report.shard {
        Some(shard) if report.is_empty_shard() => format!(
            "shard {shard} has none of {all}: nothing was looked at, and nothing is said of \
             any; fewer shards leave none empty"
        ),
        Some(shard) => format!("shard {shard} of {all}, with {totals}"),
        None if report.missing.is_empty() => totals,
        None => format!("{totals}; something is missing"),
    }
}

/// Each round of a merged report, the first few at least.
#[must_use]
pub fn rounds(report: &RoundReport) -> Vec<Phrase> {
    let mut lines: Vec<Phrase> = report
        .rounds
        .iter()
        .enumerate()
        .take(ROUNDS)
        .map(|(index, round)| round_line(report, index, round))
        .collect();
    if let Some(more @ 1..) = report.rounds.len().checked_sub(ROUNDS) {
        lines.push(Phrase::new(format!("and {} more", count(more, "round"))));
    }
    lines
}

/// `round 2, shard 2/4: seen from eu-west, …`.
fn round_line(report: &RoundReport, index: usize, round: &MergedRound) -> Phrase {
    let mut phrase = Phrase::new(format!("round {}", index.saturating_add(1)));
    if let Some(shard) = round.shard {
        phrase = phrase.say(format!(", shard {shard}"));
    }
    if round.interrupted {
        phrase = phrase.say(", interrupted before its end");
    }
    if round.noentry != report.noentry {
        phrase = phrase.say(", noentry ").value(&round.noentry);
    }
    let seen = vantage::seen_from(&round.vantage, &round.controls, report.withheld);
    let phrase = phrase.say(": ").join(seen);
    match vantage::more(&round.vantage) {
        more if more.is_empty() => phrase,
        more => phrase.say("; ").join(more),
    }
}

/// What is missing, in as many lines as there are kinds of it.
#[must_use]
pub fn missing(report: &RoundReport) -> Vec<Phrase> {
    let mut shards: Vec<(Option<&str>, Vec<String>)> = Vec::new();
    let mut lines = Vec::new();
    for missing in &report.missing {
        match missing {
            Missing::Rounds { expected, found } => lines.push(Phrase::new(format!(
                "{} expected, and {found} there: a vantage did not look at all",
                count(*expected, "round")
            ))),
            Missing::Report { file, why } => {
                let phrase = Phrase::new("the report ").value(file).say(" cannot count");
                lines.push(match why.as_str() {
                    "" => phrase,
                    why => phrase.say(": ").value(why),
                });
            }
            Missing::Shard { shard, vantage } => {
                let known = shards
                    .iter_mut()
                    .find(|(known, _)| *known == vantage.as_deref());
                match known {
                    Some((_, all)) => all.push(shard.to_string()),
                    None => shards.push((vantage.as_deref(), vec![shard.to_string()])),
                }
            }
            Missing::Targets { vantage, targets } => lines.push(not_looked_at(vantage, targets)),
        }
    }
    for (vantage, all) in shards {
        let mut phrase = Phrase::new("shard ").values(&all, NAMED);
        if let Some(vantage) = vantage {
            phrase = phrase.say(" from ").value(vantage);
        }
        lines.push(phrase.say(": its round is not there"));
    }
    lines
}

fn not_looked_at(vantage: &str, targets: &[String]) -> Phrase {
    let phrase = Phrase::default().value(vantage);
    if targets.is_empty() {
        phrase.say(
            ": its shards do not have as many targets as they declare; the configuration changed \
             between them",
        )
    } else {
        phrase.say(" did not look at ").values(targets, NAMED)
    }
}

/// `exposed from eu-west (connected); blocked from us-east (no_answer)`. None where one round alone
/// looked, and that is all there is to say.
#[must_use]
pub fn who_saw(finding: &Finding) -> Option<Phrase> {
    if finding.vantages.len() < 2 && !finding.is_unconfirmed_block() {
        return None;
    }
    let mut phrase = Phrase::default();
    for verdict in [Verdict::Exposed, Verdict::Inconclusive, Verdict::Blocked] {
        let seen = finding.vantages.iter();
        let seen: Vec<&Seen> = seen.filter(|seen| seen.verdict == verdict).collect();
        if seen.is_empty() {
            continue;
        }
        if !phrase.is_empty() {
            phrase = phrase.say("; ");
        }
        phrase = phrase.say(format!("{verdict} from "));
        for (index, one) in seen.iter().take(NAMED).enumerate() {
            if index > 0 {
                phrase = phrase.say(", ");
            }
            phrase = phrase.value(&one.vantage);
            if let Some(reach) = one.reach {
                phrase = phrase.say(format!(" ({reach})"));
            }
        }
        if let Some(more @ 1..) = seen.len().checked_sub(NAMED) {
            phrase = phrase.say(format!(" and {more} more"));
        }
    }
    Some(phrase)
}
