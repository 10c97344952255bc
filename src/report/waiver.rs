//! A waiver in words: who answers for an exposure, why, and until when.

use super::phrase::{Phrase, count};
use crate::domain::finding::Finding;
use crate::domain::rank::Rank;
use crate::domain::report::Totals;
use crate::domain::waiver::{WaiverReport, WaiverState};

/// `waived until 2026-12-31 by platform team: moves behind the VPN, TICKET-42`.
#[must_use]
pub fn waived(waiver: &WaiverReport) -> Phrase {
    Phrase::new("waived ").join(terms(waiver))
}

/// How the waiver stands and what it does for the finding.
#[must_use]
pub fn say(finding: &Finding, waiver: &WaiverReport) -> Phrase {
    match waiver.state {
        WaiverState::Expired => Phrase::new(format!("ended on {}: it was given by ", waiver.until))
            .words(&waiver.owner)
            .say(": ")
            .words(&waiver.reason),
        WaiverState::Active | WaiverState::ExpiresSoon => match finding.rank() {
            Rank::Exposed | Rank::Waived | Rank::Blocked => terms(waiver),
            Rank::Inconclusive => {
                terms(waiver).say("; it covers an exposure, and never what could not be observed")
            }
        },
    }
}

fn terms(waiver: &WaiverReport) -> Phrase {
    Phrase::new(format!("until {} by ", waiver.until))
        .words(&waiver.owner)
        .say(": ")
        .words(&waiver.reason)
}

/// `4 targets: 1 exposed, 1 waived, 0 inconclusive, 2 blocked`; waived ones only where there are any.
#[must_use]
pub fn totals(totals: &Totals) -> String {
    let waived = match totals.waived {
        0 => String::new(),
        waived => format!("{waived} waived, "),
    };
    format!(
        "{}: {} exposed, {waived}{} inconclusive, {} blocked",
        count(totals.targets, "target"),
        totals.exposed,
        totals.inconclusive,
        totals.blocked
    )
}
