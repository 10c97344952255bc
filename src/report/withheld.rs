//! What a report says in place of what everybody could read.

use super::phrase::Phrase;
use crate::domain::finding::{Finding, Note};
use crate::domain::rank::Rank;

/// Why so little stands here and how to get more: once, above everything else.
#[must_use]
pub fn notice() -> Phrase {
    Phrase::new("details are withheld: everybody may read this. To have them, look from a private ")
        .say("repository, keep the incidents in one with ")
        .code("incidents: { repository: owner/name }")
        .say(", or let everybody read them with ")
        .code("incidents: { disclose: true }")
}

/// The line for a finding of which nothing but the verdict is told.
#[must_use]
pub fn headline(finding: &Finding) -> Phrase {
    Phrase::new(match finding.rank() {
        Rank::Exposed | Rank::Waived => "an outsider is not stopped as promised",
        Rank::Inconclusive if finding.partly => {
            "a part could not be judged; what is open beside it is waived"
        }
        Rank::Inconclusive => "it could not be judged",
        Rank::Blocked if finding.notes.contains(&Note::PortAssumed) => {
            "an outsider is stopped as promised, assuming that this network lets the port out"
        }
        Rank::Blocked => "an outsider is stopped as promised",
    })
}
