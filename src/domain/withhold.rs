//! What everybody may read of a round: names and verdicts, and nothing that helps an attacker first.

use super::finding::Finding;
use super::merged::{MergedRound, Seen};
use super::report::{RoundReport, Vantage};

impl RoundReport {
    /// The same round without addresses, URLs and evidence.
    #[must_use]
    pub fn withheld(&self) -> Self {
        Self {
            withheld: true,
            controls: Vec::new(),
            resolvers: Vec::new(),
            findings: self.findings.iter().map(finding).collect(),
            rounds: self.rounds.iter().map(MergedRound::withheld).collect(),
            ..self.clone()
        }
    }
}

fn finding(finding: &Finding) -> Finding {
    Finding {
        withheld: true,
        reach: None,
        name: None,
        name_verdicts: Vec::new(),
        endpoints: Vec::new(),
        notes: Vec::new(),
        vantages: finding.vantages.iter().map(Seen::withheld).collect(),
        ..finding.clone()
    }
}

impl MergedRound {
    /// The same without names of machines, addresses and who proved what.
    #[must_use]
    pub fn withheld(&self) -> Self {
        Self {
            vantage: Vantage {
                name: None,
                sees: Vec::new(),
                egress: Vec::new(),
                outside: None,
                ..self.vantage.clone()
            },
            resolvers: Vec::new(),
            controls: Vec::new(),
            ..self.clone()
        }
    }
}

impl Seen {
    /// The same without how far an outsider got.
    #[must_use]
    pub fn withheld(&self) -> Self {
        Self {
            reach: None,
            ..self.clone()
        }
    }
}
