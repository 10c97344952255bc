//! Several rounds as one: where each part comes from, and what is not there.
//!
//! Rounds of shards together make one round of a whole list; rounds from several vantages are several
//! looks at the same targets. What nobody looked at is never a pass, so what is missing is computed
//! from the rounds themselves, wherever they name each other: this is the one place that does it.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::finding::Finding;
use super::looks::looks;
use super::reach::Reach;
use super::report::{ControlReport, ResolverReport, RoundReport, Vantage};
use super::shard::Shard;
use super::trail::Links;
use super::verdict::{Reason, Verdict};

/// One of the rounds that a report was made of: everything but its findings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MergedRound {
    /// The version of noentry that looked.
    pub noentry: String,
    /// When the round began, UTC.
    #[serde(with = "time::serde::rfc3339")]
    #[schemars(with = "String")]
    pub started: OffsetDateTime,
    /// How long it took, in milliseconds.
    pub took_ms: u64,
    /// What its random order and offsets were made from.
    #[serde(default)]
    pub seed: u64,
    /// Whether it was ended from outside before its time.
    pub interrupted: bool,
    /// Whether only some of the configuration's targets were asked for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub partial: bool,
    /// Which part of the configuration's targets it looked at, where that is a shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shard: Option<Shard>,
    /// How many targets its configuration has; known of shards.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub declared: Option<usize>,
    /// Where to read more about it.
    #[serde(default, skip_serializing_if = "Links::is_empty")]
    pub links: Links,
    /// Where it looked from.
    pub vantage: Vantage,
    /// The resolvers asked.
    pub resolvers: Vec<ResolverReport>,
    /// The controls. What was seen from here rests on these and on no others.
    pub controls: Vec<ControlReport>,
}

/// What one round of several saw of a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// Which of the report's rounds, from 0.
    pub round: usize,
    /// What the vantage is called.
    pub vantage: String,
    /// The word on the target from there.
    pub verdict: Verdict,
    /// The furthest rung; none if nothing could be seen from there.
    pub reach: Option<Reach>,
}

/// Something that should be among the rounds of a report and is not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Missing {
    /// There are fewer rounds than were expected, beyond the shards that are known to be missing.
    Rounds {
        /// How many should be there.
        expected: usize,
        /// How many are.
        found: usize,
    },
    /// A report that was given could not be read.
    Report {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// A shard, where others of the same vantage are there.
    Shard {
        /// Which one.
        shard: Shard,
        /// The vantage's label; none where it has none.
        vantage: Option<String>,
    },
    /// Targets that a vantage did not look at, although it looked at all that its configuration had.
    Targets {
        /// What the vantage is called.
        vantage: String,
        /// Those that other rounds looked at. Empty where the vantage's own shards do not add up to
        /// the number of targets that they declare.
        targets: Vec<String>,
    },
}

impl MergedRound {
    /// A round of a report that was not merged.
    #[must_use]
    pub fn of(report: &RoundReport) -> Self {
        Self {
            noentry: report.noentry.clone(),
            started: report.started,
            took_ms: report.took_ms,
            seed: report.seed,
            interrupted: report.interrupted,
            partial: report.partial,
            shard: report.shard,
            declared: report.declared,
            links: report.links.clone(),
            vantage: report.vantage.clone(),
            resolvers: report.resolvers.clone(),
            controls: report.controls.clone(),
        }
    }

    /// Whether it looked at all that its configuration has.
    const fn is_whole(&self) -> bool {
        self.shard.is_none() && !self.partial
    }

    /// What its vantage is called: by its label or, where it has none, by its place among the rounds.
    /// Never by the runner's name, which may tell of the network that it stands in.
    #[must_use]
    pub fn called(&self, index: usize) -> String {
        match &self.vantage.label {
            Some(label) => label.clone(),
            None => format!(
                "{} (round {})",
                self.vantage.environment,
                index.saturating_add(1)
            ),
        }
    }
}

/// Rounds of shards that belong together: of one label, and of as many shards.
struct Group<'a> {
    label: Option<&'a str>,
    of: u32,
    members: Vec<usize>,
    /// How many rounds there should be of each shard. Vantages without a label are told apart by
    /// number alone: as many as the fullest shard has.
    looks: usize,
}

fn groups(rounds: &[MergedRound]) -> Vec<Group<'_>> {
    let mut groups: BTreeMap<(Option<&str>, u32), Vec<usize>> = BTreeMap::new();
    for (index, round) in rounds.iter().enumerate() {
        if let Some(shard) = round.shard {
            let key = (round.vantage.label.as_deref(), shard.of);
            groups.entry(key).or_default().push(index);
        }
    }
    let groups = groups.into_iter().map(|((label, of), members)| {
        let mut group = Group {
            label,
            of,
            members,
            looks: 1,
        };
        if label.is_none() {
            let all = group.shards().map(|shard| group.rounds_of(rounds, shard));
            group.looks = all.max().unwrap_or(1);
        }
        group
    });
    groups.collect()
}

impl Group<'_> {
    fn shards(&self) -> impl Iterator<Item = Shard> {
        let of = self.of;
        (1..=of).map(move |index| Shard { index, of })
    }

    fn rounds_of(&self, rounds: &[MergedRound], shard: Shard) -> usize {
        let members = self.members.iter().filter_map(|index| rounds.get(*index));
        members.filter(|round| round.shard == Some(shard)).count()
    }

    fn missing_shards(&self, rounds: &[MergedRound]) -> Vec<Missing> {
        let missing = self.shards().flat_map(|shard| {
            let lacking = self.looks.saturating_sub(self.rounds_of(rounds, shard));
            std::iter::repeat_n(shard, lacking)
        });
        let vantage = self.label.map(str::to_owned);
        let missing = missing.map(|shard| Missing::Shard {
            shard,
            vantage: vantage.clone(),
        });
        missing.collect()
    }

    /// What the shards, all of them there, did not look at.
    fn missing_targets(&self, rounds: &[MergedRound], findings: &[Finding]) -> Option<Missing> {
        let members: BTreeSet<usize> = self.members.iter().copied().collect();
        let looks = |finding: &Finding| {
            let seen = finding.vantages.iter();
            seen.filter(|seen| members.contains(&seen.round)).count()
        };
        let own = findings.iter().filter(|f| looks(f) > 0).count();
        let declared = |index: &usize| rounds.get(*index).and_then(|round| round.declared);
        // Two configurations: a target may have gone from one shard to another in between.
        let differ = self
            .members
            .iter()
            .any(|index| declared(index) != Some(own));
        let targets: Vec<String> = findings
            .iter()
            .filter(|finding| looks(finding) < self.looks)
            .map(|finding| finding.target.name.clone())
            .collect();
        let first = self.members.first().copied().unwrap_or_default();
        (differ || !targets.is_empty()).then(|| Missing::Targets {
            vantage: rounds
                .get(first)
                .map(|r| r.called(first))
                .unwrap_or_default(),
            targets,
        })
    }
}

/// What is missing among rounds, as far as they tell of each other and `expected` tells of them.
#[must_use]
pub fn missing(
    rounds: &[MergedRound],
    findings: &[Finding],
    expected: Option<usize>,
) -> Vec<Missing> {
    let mut missing = Vec::new();
    for group in groups(rounds) {
        let shards = group.missing_shards(rounds);
        if shards.is_empty() {
            missing.extend(group.missing_targets(rounds, findings));
        }
        missing.extend(shards);
    }
    let shards = missing
        .iter()
        .filter(|m| matches!(m, Missing::Shard { .. }));
    let found = looks(rounds, findings);
    let known = found.saturating_add(shards.count());
    if let Some(expected) = expected.filter(|expected| *expected > known) {
        missing.push(Missing::Rounds { expected, found });
    }
    let whole = rounds.iter().enumerate().filter(|(_, r)| r.is_whole());
    for (index, round) in whole {
        let not_here = |f: &&Finding| f.vantages.iter().all(|seen| seen.round != index);
        let targets: Vec<String> = findings
            .iter()
            .filter(not_here)
            .map(|f| f.target.name.clone())
            .collect();
        if !targets.is_empty() {
            missing.push(Missing::Targets {
                vantage: round.called(index),
                targets,
            });
        }
    }
    missing.sort();
    missing
}

/// Whether rounds and what is missing among them make up less than one configuration.
#[must_use]
pub fn is_partial(rounds: &[MergedRound], missing: &[Missing]) -> bool {
    let whole = rounds.iter().any(MergedRound::is_whole);
    let sharded = || rounds.iter().any(|round| round.shard.is_some());
    !missing.is_empty() || !(whole || sharded())
}

/// From where a target should have been looked at as well, by its name; none where nothing is missing.
pub struct Absent<'a> {
    everywhere: bool,
    shards: Vec<(Shard, Option<&'a str>)>,
    targets: Vec<(BTreeSet<&'a str>, &'a str)>,
}

impl<'a> Absent<'a> {
    /// Reads what is missing.
    #[must_use]
    pub fn of(missing: &'a [Missing]) -> Self {
        let mut absent = Self {
            everywhere: false,
            shards: Vec::new(),
            targets: Vec::new(),
        };
        for one in missing {
            match one {
                Missing::Rounds { .. } => absent.everywhere = true,
                Missing::Shard { shard, vantage } => {
                    absent.shards.push((*shard, vantage.as_deref()));
                }
                Missing::Targets { vantage, targets } => {
                    let targets = targets.iter().map(String::as_str).collect();
                    absent.targets.push((targets, vantage));
                }
                // Which targets were in it is not known: it counts among the rounds.
                Missing::Report { .. } => {}
            }
        }
        absent
    }

    /// The vantage from which a target should have been looked at and was not.
    #[must_use]
    pub fn from(&self, name: &str) -> Option<String> {
        const OTHER: &str = "another vantage";
        let mut shards = self.shards.iter();
        let shard = shards.find(|(shard, _)| shard.holds(name));
        let shard = shard.map(|(_, vantage)| vantage.unwrap_or(OTHER));
        let target = || {
            let mut targets = self.targets.iter();
            targets.find(|(names, _)| names.contains(name))
        };
        shard
            .or_else(|| target().map(|(_, vantage)| *vantage))
            .or(self.everywhere.then_some(OTHER))
            .map(str::to_owned)
    }
}

impl Finding {
    /// Whether it was blocked wherever it was looked at, and does not count as that because it was not
    /// looked at everywhere.
    #[must_use]
    pub fn is_unconfirmed_block(&self) -> bool {
        let first = self.vantages.first().map(|seen| seen.verdict);
        self.verdict == Verdict::Inconclusive && first == Some(Verdict::Blocked)
    }

    /// Takes a `blocked` back where the target was not looked at from everywhere: over time, the
    /// silence of a vantage that is gone would otherwise outvote what it saw.
    pub fn doubt_block(&mut self, absent: &Absent<'_>) {
        if self.verdict == Verdict::Blocked
            && let Some(from) = absent.from(&self.target.name)
        {
            self.verdict = Verdict::Inconclusive;
            self.reason = Reason::NotLookedAt { from };
        }
    }

    /// What it was before [`Finding::doubt_block`].
    pub fn undoubt_block(&mut self) {
        if self.is_unconfirmed_block() {
            self.verdict = Verdict::Blocked;
            if matches!(self.reason, Reason::NotLookedAt { .. }) {
                self.reason = Reason::Stopped;
            }
        }
    }
}

/// What a finding rests on: the round whose evidence it is.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// When that round began.
    pub started: OffsetDateTime,
    /// Where it looked from.
    pub vantage: &'a Vantage,
    /// Its controls.
    pub controls: &'a [ControlReport],
}

impl RoundReport {
    /// What a finding of this report rests on; none where it names no round of a merged one.
    #[must_use]
    pub fn ground(&self, finding: &Finding) -> Option<Ground<'_>> {
        if self.rounds.is_empty() {
            return Some(Ground {
                started: self.started,
                vantage: &self.vantage,
                controls: &self.controls,
            });
        }
        let round = self.rounds.get(finding.vantages.first()?.round)?;
        Some(Ground {
            started: round.started,
            vantage: &round.vantage,
            controls: &round.controls,
        })
    }

    /// Whether this is the round of a shard in which there is no target: it says nothing about any.
    #[must_use]
    pub const fn is_empty_shard(&self) -> bool {
        self.shard.is_some() && self.findings.is_empty()
    }

    /// The word on these findings, where some things are missing.
    #[must_use]
    pub fn overall(findings: &[Finding], missing: &[Missing]) -> Verdict {
        let worst = Self::worst(findings);
        if missing.is_empty() {
            worst
        } else {
            worst.max(Verdict::Inconclusive)
        }
    }

    /// A merged report taken apart: each round with the findings whose evidence is its own. Empty for
    /// one that was not merged.
    #[must_use]
    pub fn apart(&self) -> Vec<Self> {
        let rounds = self.rounds.iter().enumerate();
        rounds
            .map(|(index, round)| Self {
                noentry: round.noentry.clone(),
                started: round.started,
                took_ms: round.took_ms,
                seed: round.seed,
                interrupted: round.interrupted,
                vantage: round.vantage.clone(),
                resolvers: round.resolvers.clone(),
                controls: round.controls.clone(),
                findings: self
                    .findings
                    .iter()
                    .filter(|f| f.vantages.first().is_some_and(|seen| seen.round == index))
                    .cloned()
                    .collect(),
                rounds: Vec::new(),
                missing: Vec::new(),
                coverage: Vec::new(),
                incidents: self.incidents.clone(),
                config: self.config.clone(),
                links: round.links.clone(),
                trail: None,
                ..*self
            })
            .collect()
    }
}
