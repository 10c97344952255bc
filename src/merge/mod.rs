//! Several rounds of one configuration as one: shards of a long list, or looks from several vantages.
//!
//! Pure, and the order in which reports are given makes no difference. The worst of what the vantages
//! saw stands for a target, with the evidence of its own vantage, and each finding says who saw what:
//! no silence outvotes a handshake. What nobody looked at is kept as `missing`, and a report of which
//! something is missing is never a pass. A merged report may be merged again.

mod common;
mod target;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use thiserror::Error;
use time::OffsetDateTime;

use crate::domain::finding::Finding;
use crate::domain::looks::looks;
use crate::domain::merged::{self, Absent, MergedRound, Missing, Seen};
use crate::domain::report::{REPORT_VERSION, RoundReport, Totals};
use crate::domain::shard::Shard;

/// How far apart rounds of one run may begin: as long as GitHub lets a job run.
pub const WITHIN: Duration = Duration::from_hours(6);

/// A report to merge.
#[derive(Clone, Debug)]
pub struct Given {
    /// The file that it was read from.
    pub file: String,
    /// What was in it: sound by itself.
    pub report: RoundReport,
}

/// A report that should have been merged and could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

/// What is asked of the reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How many rounds there should be, if somebody knows.
    pub expected: Option<usize>,
    /// How far apart they may begin.
    pub within: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            expected: None,
            within: WITHIN,
        }
    }
}

/// Why reports make no sense together. All of it is for whoever gave them to mend.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// There is no report that could be read.
    #[error("there is no report to merge")]
    Nothing,
    /// Rounds of different files.
    #[error(
        "{file} is a round of {config:?}, and {first} one of {other:?}: only rounds of one \
         configuration can be merged"
    )]
    Config {
        /// The first report's file.
        first: String,
        /// Its configuration.
        other: String,
        /// The file that differs.
        file: String,
        /// Its configuration.
        config: String,
    },
    /// The configuration changed in between.
    #[error(
        "{first} and {file} are rounds of different versions of one configuration: what it says \
         under `incidents` differs"
    )]
    Plan {
        /// The first report's file.
        first: String,
        /// The file that differs.
        file: String,
    },
    /// One name stands for two targets.
    #[error(
        "{first} and {file} are rounds of different versions of one configuration: the target \
         {target:?} is not declared alike in both"
    )]
    Target {
        /// One file.
        first: String,
        /// The other.
        file: String,
        /// The target's name.
        target: String,
    },
    /// The same round, twice and not alike.
    #[error("{first} and {file} are the same round by their time and vantage, and differ")]
    Twofold {
        /// One file.
        first: String,
        /// The other.
        file: String,
    },
    /// Rounds of different runs.
    #[error(
        "{last} began {hours} hours after {first}: rounds that are merged belong to one run \
         (--within allows more)"
    )]
    Apart {
        /// The file of the earliest round.
        first: String,
        /// That of the latest.
        last: String,
        /// How far apart, rounded up.
        hours: u64,
    },
    /// More rounds than there should be.
    #[error("{found} rounds were given and {expected} expected: is one of another run among them?")]
    TooMany {
        /// How many were expected.
        expected: usize,
        /// How many there are.
        found: usize,
    },
}

/// Several rounds as one.
#[derive(Clone, Debug)]
pub struct Merged {
    /// The report.
    pub report: RoundReport,
    /// Files that hold nothing but rounds that others hold too: each round counts once.
    pub repeated: Vec<String>,
}

/// What tells one round from another. No two begin in the same nanosecond and take as long.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    started: OffsetDateTime,
    label: Option<String>,
    shard: Option<Shard>,
    environment: String,
    took_ms: u64,
}

impl Identity {
    fn of(round: &MergedRound) -> Self {
        Self {
            started: round.started,
            label: round.vantage.label.clone(),
            shard: round.shard,
            environment: round.vantage.environment.clone(),
            took_ms: round.took_ms,
        }
    }
}

/// One report with its rounds, whether it was merged before or not.
struct Lifted {
    file: String,
    withheld: bool,
    rounds: Vec<MergedRound>,
    findings: Vec<Finding>,
}

impl Lifted {
    fn of(file: String, report: RoundReport) -> Self {
        let merged = !report.rounds.is_empty();
        let rounds = if merged {
            report.rounds
        } else {
            vec![MergedRound::of(&report)]
        };
        let mut findings = report.findings;
        for finding in &mut findings {
            finding.undoubt_block();
            if !merged {
                finding.vantages = vec![Seen {
                    round: 0,
                    vantage: String::new(),
                    verdict: finding.verdict,
                    reach: finding.reach,
                }];
            }
        }
        Self {
            file,
            withheld: report.withheld,
            rounds,
            findings,
        }
    }
}

/// A round, and where it was found.
struct Found {
    round: MergedRound,
    file: String,
    withheld: bool,
}

/// Every round once, in the order in which they began.
type Rounds = BTreeMap<Identity, Found>;

/// Makes one report of several.
///
/// # Errors
/// Where they make no sense together.
pub fn merge(mut given: Vec<Given>, unread: &[Unread], rules: &Rules) -> Result<Merged, Error> {
    given.sort_by(|one, other| {
        let key = |given: &Given| (given.report.started, given.report.shard, given.file.clone());
        key(one).cmp(&key(other))
    });
    let Some(first) = given.first() else {
        return Err(Error::Nothing);
    };
    let (file, config, plan) = (&first.file, &first.report.config, &first.report.incidents);
    let (config, incidents) = (config.clone(), plan.clone());
    same_configuration(file, &config, &given)?;
    let coverage = common::coverage(given.iter().map(|one| &one.report));
    let withheld = given.iter().any(|one| one.report.withheld);
    let (expected_before, mut lost) = known_missing(&given);
    lost.extend(unread.iter().map(|one| Missing::Report {
        file: one.file.clone(),
        why: one.why.clone(),
    }));

    let lifted = given
        .into_iter()
        .map(|one| Lifted::of(one.file, one.report));
    let lifted: Vec<Lifted> = lifted.collect();
    let (rounds, repeated) = rounds(&lifted)?;
    near_enough(&rounds, rules.within)?;
    if let Some(expected) = rules.expected.filter(|expected| rounds.len() > *expected) {
        let found = rounds.len();
        return Err(Error::TooMany { expected, found });
    }
    let mut findings = findings(lifted, &rounds)?;
    let rounds: Vec<MergedRound> = rounds.into_values().map(|found| found.round).collect();

    lost.sort();
    lost.dedup();
    // Whoever gives a file expects a round in it, also where it was given to an earlier merge.
    let expected = looks(&rounds, &findings).saturating_add(lost.len());
    let expected = [Some(expected), rules.expected, expected_before]
        .into_iter()
        .max()
        .flatten();
    let mut missing = merged::missing(&rounds, &findings, expected);
    missing.extend(lost);
    missing.sort();
    missing.dedup();
    let absent = Absent::of(&missing);
    for finding in &mut findings {
        finding.doubt_block(&absent);
    }
    let (started, took_ms) = common::span(&rounds);
    let report = RoundReport {
        version: REPORT_VERSION,
        noentry: env!("CARGO_PKG_VERSION").to_owned(),
        config,
        started,
        took_ms,
        // Each round has its own.
        seed: 0,
        interrupted: rounds.iter().any(|round| round.interrupted),
        partial: merged::is_partial(&rounds, &missing),
        shard: None,
        declared: None,
        withheld: false,
        links: common::links(&rounds),
        incidents,
        trail: None,
        verdict: RoundReport::overall(&findings, &missing),
        totals: Totals::of(&findings),
        vantage: common::vantage(&rounds),
        resolvers: Vec::new(),
        controls: Vec::new(),
        coverage,
        findings,
        rounds,
        missing,
    };
    Ok(Merged {
        // What one of them must not show, the whole must not show either.
        report: if withheld { report.withheld() } else { report },
        repeated,
    })
}

fn same_configuration(first: &str, config: &str, given: &[Given]) -> Result<(), Error> {
    let plan = given.first().map(|one| &one.report.incidents);
    for one in given {
        if one.report.config != config {
            return Err(Error::Config {
                first: first.to_owned(),
                other: config.to_owned(),
                file: one.file.clone(),
                config: one.report.config.clone(),
            });
        }
        if Some(&one.report.incidents) != plan {
            return Err(Error::Plan {
                first: first.to_owned(),
                file: one.file.clone(),
            });
        }
    }
    Ok(())
}

/// What reports that were merged before say of what is missing and does not follow from their rounds.
///
/// Two of them that share no round and lack some each lack their own: what one has is nothing that the
/// other waits for, so their numbers add up.
fn known_missing(given: &[Given]) -> (Option<usize>, Vec<Missing>) {
    let mut waiting: Vec<(BTreeSet<Identity>, usize)> = Vec::new();
    let mut lost = Vec::new();
    for report in given.iter().map(|one| &one.report) {
        for missing in &report.missing {
            match missing {
                Missing::Rounds { expected, .. } => {
                    let mut own: BTreeSet<_> = report.rounds.iter().map(Identity::of).collect();
                    let mut most = *expected;
                    waiting.retain(|(others, number)| {
                        let apart = own.is_disjoint(others);
                        if !apart {
                            own.extend(others.iter().cloned());
                            most = most.max(*number);
                        }
                        apart
                    });
                    waiting.push((own, most));
                }
                Missing::Report { .. } => lost.push(missing.clone()),
                Missing::Shard { .. } | Missing::Targets { .. } => {}
            }
        }
    }
    let expected = waiting.into_iter().map(|(_, expected)| expected);
    (expected.reduce(usize::saturating_add), lost)
}

fn rounds(lifted: &[Lifted]) -> Result<(Rounds, Vec<String>), Error> {
    let mut rounds = Rounds::new();
    let mut repeated = Vec::new();
    for one in lifted {
        let before = rounds.len();
        for round in &one.rounds {
            let found = || Found {
                round: round.clone(),
                file: one.file.clone(),
                withheld: one.withheld,
            };
            let known = rounds.entry(Identity::of(round)).or_insert_with(found);
            if known.round == *round {
                continue;
            }
            // They may differ in what one of them leaves out.
            let shorter = known.withheld || one.withheld;
            if !shorter || known.round.withheld() != round.withheld() {
                return Err(Error::Twofold {
                    first: known.file.clone(),
                    file: one.file.clone(),
                });
            }
            if known.withheld {
                *known = found();
            }
        }
        if rounds.len() == before {
            repeated.push(one.file.clone());
        }
    }
    Ok((rounds, repeated))
}

fn near_enough(rounds: &Rounds, within: Duration) -> Result<(), Error> {
    let mut found = rounds.values();
    if let (Some(first), Some(last)) = (found.next(), found.next_back()) {
        let apart = last.round.started - first.round.started;
        if apart > within {
            return Err(Error::Apart {
                first: first.file.clone(),
                last: last.file.clone(),
                hours: apart.whole_seconds().unsigned_abs().div_ceil(3600),
            });
        }
    }
    Ok(())
}

/// Every target once, in the order of the configuration.
fn findings(lifted: Vec<Lifted>, rounds: &Rounds) -> Result<Vec<Finding>, Error> {
    let mut targets: BTreeMap<String, target::Looks> = BTreeMap::new();
    let places: BTreeMap<&Identity, usize> = rounds.keys().zip(0..).collect();
    for one in lifted {
        let own: Vec<usize> = one
            .rounds
            .iter()
            .filter_map(|round| places.get(&Identity::of(round)).copied())
            .collect();
        for mut finding in one.findings {
            for seen in &mut finding.vantages {
                if let Some(place) = own.get(seen.round) {
                    seen.round = *place;
                }
            }
            let name = finding.target.name.clone();
            let looks = targets.entry(name).or_default();
            looks.add(&one.file, finding)?;
        }
    }
    let called: Vec<String> = rounds
        .values()
        .enumerate()
        .map(|(index, found)| found.round.called(index))
        .collect();
    let mut findings: Vec<Finding> = targets
        .into_values()
        .filter_map(|looks| looks.worst(&called))
        .collect();
    findings.sort_by(|one, other| {
        let key = |f: &Finding| (f.target.position.clone(), f.target.name.clone());
        key(one).cmp(&key(other))
    });
    Ok(findings)
}
