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
    standing: Option<Standing>,
    seen: BTreeMap<usize, Seen>,
}

/// The finding that stands so far, without what others saw: it is weighed by its own parts alone.
struct Standing {
    file: String,
    round: usize,
    finding: Finding,
}

impl Looks {
    /// Takes one more look.
    pub(super) fn add(&mut self, file: &str, mut finding: Finding) -> Result<(), Error> {
        let vantages = std::mem::take(&mut finding.vantages);
        let round = vantages.first().map_or(usize::MAX, |seen| seen.round);
        for seen in vantages {
            let known = self.seen.entry(seen.round).or_insert_with(|| seen.clone());
            // The same round twice: what it saw once is not taken back.
            let fuller = known.verdict == seen.verdict && known.reach < seen.reach;
            if known.verdict < seen.verdict || fuller {
                *known = seen;
            }
        }
        let stands = match &self.standing {
            None => true,
            Some(known) if alike(&known.finding, &finding) => {
                weight(&finding, round) > weight(&known.finding, known.round)
            }
            Some(known) => {
                return Err(Error::Target {
                    first: known.file.clone(),
                    file: file.to_owned(),
                    target: finding.target.name,
                });
            }
        };
        if stands {
            self.standing = Some(Standing {
                file: file.to_owned(),
                round,
                finding,
            });
        }
        Ok(())
    }

    /// The worst of them, with what each saw.
    pub(super) fn worst(self, called: &[String]) -> Option<Finding> {
        let Standing {
            round, mut finding, ..
        } = self.standing?;
        let mut seen: Vec<Seen> = self.seen.into_values().collect();
        for one in &mut seen {
            if let Some(name) = called.get(one.round) {
                one.vantage.clone_from(name);
            }
        }
        seen.sort_by_key(|one| (one.round != round, Reverse(one.verdict), one.round));
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

fn weight(finding: &Finding, round: usize) -> Weight {
    let severity = match finding.rank() {
        Rank::Exposed => 3,
        Rank::Inconclusive => 2,
        Rank::Waived => 1,
        Rank::Blocked => 0,
    };
    let confirmed = finding.confirmation.is_none_or(Confirmation::holds);
    (
        finding.verdict,
        severity,
        confirmed,
        finding.reach,
        !finding.withheld,
        Reverse(round),
    )
}
