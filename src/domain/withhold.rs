//! What everybody may read of a round: names and verdicts, and nothing that helps an attacker first.
//!
//! A target's address may come from a variable that a secret fills, so the configuration beside a
//! public report does not give it away. What stays is what stands in the configuration in plain words
//! (names, kinds, barriers, families, positions, waivers, whom an incident is for) and the verdicts.
//! Every address, port and URL goes, and with them all that was seen, who was asked, what was proven
//! by whom, and each reason: a reason tells how somebody was stopped, or names what was reached.
//!
//! A name that is itself a secret is not known as one here: names stay.

use std::collections::BTreeSet;

use super::finding::{Finding, Note, TargetInfo};
use super::merged::{MergedRound, Missing, Seen};
use super::rank::Rank;
use super::report::{Coverage, RoundReport, Totals, Vantage};
use super::target::{Denial, HttpDenial};
use super::verdict::{Reason, Verdict};

impl RoundReport {
    /// The same round without addresses, URLs and evidence. Its verdict is the same, what each finding
    /// counts as too, and so are the totals, but for those of endpoints and attempts: they are 0.
    #[must_use]
    pub fn withheld(&self) -> Self {
        let findings: Vec<Finding> = self.findings.iter().map(finding).collect();
        Self {
            version: self.version,
            noentry: self.noentry.clone(),
            config: self.config.clone(),
            started: self.started,
            took_ms: self.took_ms,
            seed: self.seed,
            interrupted: self.interrupted,
            partial: self.partial,
            shard: self.shard,
            declared: self.declared,
            withheld: true,
            links: self.links.clone(),
            incidents: self.incidents.clone(),
            trail: self.trail.clone(),
            verdict: self.verdict,
            totals: Totals {
                endpoints: 0,
                attempts: 0,
                ..self.totals
            },
            vantage: vantage(&self.vantage),
            resolvers: Vec::new(),
            controls: Vec::new(),
            coverage: coverage(self),
            findings,
            rounds: self.rounds.iter().map(MergedRound::withheld).collect(),
            missing: self.missing.iter().map(missing).collect(),
        }
    }
}

fn finding(finding: &Finding) -> Finding {
    Finding {
        target: target(&finding.target),
        verdict: finding.verdict,
        reason: Reason::Withheld,
        reach: None,
        name: None,
        name_verdicts: Vec::new(),
        endpoints: Vec::new(),
        notes: finding
            .notes
            .iter()
            .copied()
            .filter(|note| *note == Note::PortAssumed)
            .collect(),
        waiver: finding.waiver.clone(),
        confirmation: finding.confirmation,
        withheld: true,
        // The parts are gone, and with them what the rank would be read from.
        partly: finding.verdict == Verdict::Exposed && finding.rank() == Rank::Inconclusive,
        vantages: finding.vantages.iter().map(Seen::withheld).collect(),
    }
}

impl MergedRound {
    /// The same without names of machines, addresses and who proved what.
    #[must_use]
    pub fn withheld(&self) -> Self {
        Self {
            noentry: self.noentry.clone(),
            started: self.started,
            took_ms: self.took_ms,
            seed: self.seed,
            interrupted: self.interrupted,
            partial: self.partial,
            shard: self.shard,
            declared: self.declared,
            links: self.links.clone(),
            vantage: vantage(&self.vantage),
            resolvers: Vec::new(),
            controls: Vec::new(),
        }
    }
}

impl Seen {
    /// The same without how far an outsider got.
    #[must_use]
    pub fn withheld(&self) -> Self {
        Self {
            round: self.round,
            vantage: self.vantage.clone(),
            verdict: self.verdict,
            reach: None,
        }
    }
}

/// What is wrong with a report may quote what stands in it.
fn missing(missing: &Missing) -> Missing {
    match missing {
        Missing::Report { file, .. } => Missing::Report {
            file: file.clone(),
            why: String::new(),
        },
        Missing::Rounds { .. } | Missing::Shard { .. } | Missing::Targets { .. } => missing.clone(),
    }
}

fn target(target: &TargetInfo) -> TargetInfo {
    TargetInfo {
        name: target.name.clone(),
        kind: target.kind.clone(),
        address: String::new(),
        port: None,
        transport: None,
        payload: None,
        barrier: target.barrier,
        // How a denier is told from others is a way to look like one.
        denial: Denial {
            stops: BTreeSet::new(),
            http: HttpDenial {
                status: BTreeSet::new(),
                header: Vec::new(),
                body: None,
            },
        },
        families: target.families.clone(),
        position: target.position.clone(),
        notify: target.notify.clone(),
    }
}

fn vantage(vantage: &Vantage) -> Vantage {
    Vantage {
        environment: vantage.environment.clone(),
        // Such as a host inside the network that it stands in.
        name: None,
        // The workflow says it in plain words, and rounds are told apart by it.
        label: vantage.label.clone(),
        system: vantage.system.clone(),
        proven: vantage.proven.clone(),
        sees: Vec::new(),
        ports: Vec::new(),
        // What rests on an assumption must not pass for proven, least of all where the rest is left out.
        unfiltered: vantage.unfiltered,
        reverse_path_drops: None,
        egress: Vec::new(),
        outside: None,
    }
}

/// Without reasons, lines that differed in them alone are one.
fn coverage(report: &RoundReport) -> Vec<Coverage> {
    let mut lines: Vec<Coverage> = Vec::new();
    for line in &report.coverage {
        let same = |known: &&mut Coverage| {
            (known.surface, known.family, known.watch) == (line.surface, line.family, line.watch)
        };
        match lines.iter_mut().find(same) {
            Some(known) => {
                for target in &line.targets {
                    if !known.targets.contains(target) {
                        known.targets.push(target.clone());
                    }
                }
            }
            None => lines.push(Coverage {
                reason: None,
                ..line.clone()
            }),
        }
    }
    lines
}
