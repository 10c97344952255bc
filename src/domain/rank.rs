//! As what a finding counts, once its waiver is taken into account.
//!
//! The verdict says what was seen, and no waiver changes it. What could not be observed beside a waived
//! exposure still counts.

use super::endpoint::Family;
use super::finding::{Finding, NameAnswer, Note};
use super::merged::Seen;
use super::verdict::{Reason, Verdict};

/// As what a finding counts. Without a waiver that is its verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rank {
    /// Exposed, and nobody answers for it any more.
    Exposed,
    /// Exposed, with a waiver that holds, and nothing else about it is in doubt.
    Waived,
    /// It could not be observed, or a part beside a waived exposure could not.
    Inconclusive,
    /// Blocked.
    Blocked,
}

impl Rank {
    /// All of them, in the order in which reports show them.
    pub const ALL: [Self; 4] = [
        Self::Exposed,
        Self::Waived,
        Self::Inconclusive,
        Self::Blocked,
    ];

    /// The word used in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exposed => "exposed",
            Self::Waived => "waived",
            Self::Inconclusive => "inconclusive",
            Self::Blocked => "blocked",
        }
    }

    /// What it makes of a round in which nothing is worse.
    #[must_use]
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Exposed => Verdict::Exposed,
            Self::Inconclusive => Verdict::Inconclusive,
            Self::Waived | Self::Blocked => Verdict::Blocked,
        }
    }
}

impl From<Verdict> for Rank {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Exposed => Self::Exposed,
            Verdict::Inconclusive => Self::Inconclusive,
            Verdict::Blocked => Self::Blocked,
        }
    }
}

impl Finding {
    /// As what the finding counts: a waiver takes an exposure out, and what could not be observed
    /// beside it stays.
    #[must_use]
    pub fn rank(&self) -> Rank {
        if self.verdict != Verdict::Exposed || !self.has_waiver() {
            self.verdict.into()
        } else if self.is_wholly_seen() {
            Rank::Waived
        } else {
            Rank::Inconclusive
        }
    }

    /// Whether a waiver holds for the target, exposed or not.
    #[must_use]
    pub fn has_waiver(&self) -> bool {
        self.waiver.as_ref().is_some_and(|w| w.state.holds())
    }

    /// Why the first part that is inconclusive is so.
    #[must_use]
    pub fn doubt(&self) -> Option<&Reason> {
        let names = self.name_verdicts.iter().map(|n| (n.verdict, &n.reason));
        let mut parts = names.chain(self.counted().map(|e| (e.verdict, &e.reason)));
        let doubted = parts.find(|(verdict, _)| *verdict == Verdict::Inconclusive);
        doubted.map(|(_, reason)| reason)
    }

    /// Whether resolvers that can be believed say that there is no address of a family.
    #[must_use]
    pub fn is_unpublished(&self, family: Family) -> bool {
        let queries = self.name.iter().flat_map(|name| &name.queries);
        let mut answers = queries
            .filter(|query| query.family == Some(family))
            .map(|query| &query.answer)
            .peekable();
        let none = answers.peek().is_some()
            && answers.all(|a| matches!(a, NameAnswer::NoData | NameAnswer::NxDomain));
        none && !self.notes.contains(&Note::ResolverInvents)
    }

    /// Whether every part was seen, and a watched family without a part is known to have none.
    fn is_wholly_seen(&self) -> bool {
        // Another vantage that could not look is a part as well.
        let elsewhere = |seen: &Seen| seen.verdict != Verdict::Inconclusive;
        if !self.vantages.iter().all(elsewhere) {
            return false;
        }
        if self.withheld {
            return !self.partly;
        }
        let seen = |family: Family| {
            self.counted().any(|e| e.endpoint.family() == family)
                || self
                    .name_verdicts
                    .iter()
                    .any(|n| n.families.contains(&family))
                || self.is_unpublished(family)
        };
        // An address literal is of one family, and a record of none.
        let by_family = self.target.kind != "dns" && self.name.is_some();
        let some = self.counted().next().is_some() || !self.name_verdicts.is_empty();
        some && self.doubt().is_none()
            && (!by_family || self.target.families.iter().copied().all(seen))
    }
}
