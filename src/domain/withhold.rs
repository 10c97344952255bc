//! What everybody may read of a round: names and verdicts, and nothing that helps an attacker first.

use super::finding::Finding;
use super::report::RoundReport;

impl RoundReport {
    /// The same round without addresses, URLs and evidence.
    #[must_use]
    pub fn withheld(&self) -> Self {
        Self {
            withheld: true,
            controls: Vec::new(),
            resolvers: Vec::new(),
            findings: self.findings.iter().map(finding).collect(),
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
        ..finding.clone()
    }
}
