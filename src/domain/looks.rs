//! How many of the rounds that are expected some rounds are.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::merged::MergedRound;

/// How many of the rounds that should be there these are. A vantage with a label that looked at the same
/// part again, as in a job that ran again, does not stand for one that stayed away.
#[must_use]
pub fn looks(rounds: &[MergedRound], findings: &[Finding]) -> usize {
    let seen = |finding: &&Finding, index: usize| {
        let mut seen = finding.vantages.iter();
        seen.any(|seen| seen.round == index)
    };
    let mut labelled = BTreeSet::new();
    let mut looks = 0_usize;
    for (index, round) in rounds.iter().enumerate() {
        // Rounds of some targets alone are the same only where these are.
        let some = round.partial && round.shard.is_none();
        let targets = findings.iter().filter(|f| some && seen(f, index));
        let targets: Vec<&str> = targets.map(|f| f.target.name.as_str()).collect();
        let label = round.vantage.label.as_deref();
        if label.is_none() || labelled.insert((label, round.shard, some, targets)) {
            looks = looks.saturating_add(1);
        }
    }
    looks
}
