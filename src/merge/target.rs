//! One target in several rounds: which finding stands for it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::Error;
use crate::domain::finding::{Finding, TargetInfo};
use crate::domain::merged::Seen;
use crate::domain::rank::Rank;
use crate::domain::reach::Reach;
use crate::domain::trail::Confirmation;
use crate::domain::verdict::Verdict;

/// What several rounds saw of one target.
#[derive(Default)]
pub(super) struct Looks {
    standing: Option<(String, Finding)>,
    seen: BTreeMap<usize, Seen>,
}

impl Looks {
    /// Takes one more look.
    pub(super) fn add(&mut self, file: &str, finding: Finding) -> Result<(), Error> {
        for seen in &finding.vantages {
            let known = self.seen.entry(seen.round).or_insert_with(|| seen.clone());
            // The same round twice: what it saw once is not taken back.
            let fuller = known.verdict == seen.verdict && known.reach < seen.reach;
            if known.verdict < seen.verdict || fuller {
                known.clone_from(seen);
            }
        }
        let stands = match &self.standing {
            None => true,
            Some((_, known)) if alike(known, &finding) => weight(&finding) > weight(known),
            Some((first, _)) => {
                return Err(Error::Target {
                    first: first.clone(),
                    file: file.to_owned(),
                    target: finding.target.name,
                });
            }
        };
        if stands {
            self.standing = Some((file.to_owned(), finding));
        }
        Ok(())
    }

    /// The worst of them, with what each saw.
    pub(super) fn worst(self, called: &[String]) -> Option<Finding> {
        let (_, mut finding) = self.standing?;
        let own = finding.vantages.first().map(|seen| seen.round);
        let mut seen: Vec<Seen> = self.seen.into_values().collect();
        for one in &mut seen {
            if let Some(name) = called.get(one.round) {
                one.vantage.clone_from(name);
            }
        }
        seen.sort_by_key(|one| (Some(one.round) != own, Reverse(one.verdict), one.round));
        finding.vantages = seen;
        Some(finding)
    }
}

/// Whether two findings are about the same promise. Lines move when a file is edited, and whom an
/// incident is for makes no other target of it. What is withheld cannot differ.
fn alike(one: &Finding, other: &Finding) -> bool {
    let (a, b) = (&one.target, &other.target);
    if one.withheld || other.withheld {
        return (&a.kind, a.barrier, &a.families) == (&b.kind, b.barrier, &b.families);
    }
    let bare = |target: &TargetInfo| TargetInfo {
        position: a.position.clone(),
        notify: a.notify.clone(),
        ..target.clone()
    };
    bare(a) == bare(b)
}

/// What stands before what: the worst verdict first, among exposures the one that nobody answers for and
/// the one that was confirmed, then what got furthest, then what shows more. The round decides where
/// nothing else does, so that the order of the files does not.
type Weight = (Verdict, u8, bool, Option<Reach>, bool, Reverse<usize>);

fn weight(finding: &Finding) -> Weight {
    let severity = match finding.rank() {
        Rank::Exposed => 3,
        Rank::Inconclusive => 2,
        Rank::Waived => 1,
        Rank::Blocked => 0,
    };
    let confirmed = finding.confirmation.is_none_or(Confirmation::holds);
    let round = finding.vantages.first().map_or(usize::MAX, |s| s.round);
    (
        finding.verdict,
        severity,
        confirmed,
        finding.reach,
        !finding.withheld,
        Reverse(round),
    )
}
