//! Whether the round looks from outside at all.
//!
//! A runner within the target's own network or allow-list sees doors that others don't, so the
//! configuration may name something that only insiders reach. It is tried at every checkpoint: once
//! reached, the round is inside. It must also be seen to be shut, with a control, or nobody knows.

use super::control::{Controls, Entry};
use crate::domain::finding::NameAnswer;
use crate::domain::observation::Outcome;
use crate::domain::payload::Silence;
use crate::domain::reach::{Layer, Reach};
use crate::domain::report::{ControlCheck, Outside, Side};
use crate::domain::target::TargetKind;
use crate::domain::verdict::Standing;

/// No target of its own: only the controls for all count.
const NOBODY: usize = usize::MAX;

impl Controls<'_> {
    /// What only insiders reach, as it is declared.
    pub(crate) fn guard_name(&self) -> Option<String> {
        self.guard
            .as_ref()
            .map(|guard| guard.control.kind.to_string())
    }

    /// Where the round looked from, if the configuration names what only insiders reach.
    /// `invented` says that a resolver makes addresses up.
    pub(crate) fn side(&self, invented: bool) -> Option<Side> {
        self.guard
            .as_ref()
            .map(|guard| self.side_of(guard, invented))
    }

    fn side_of(&self, guard: &Entry<'_>, invented: bool) -> Side {
        let seen = || guard.checks.iter().flat_map(|check| &check.endpoints);
        if seen().any(|endpoint| endpoint.reached) {
            return Side::Inside;
        }
        // An address that a resolver made up may well be silent.
        if invented && guard.has_name() {
            return Side::Unproven;
        }
        // Shut at every checkpoint, and not because this side is broken.
        let shut = |check: &ControlCheck| {
            check.endpoints.iter().any(|seen| match seen.last.outcome {
                Outcome::Reached(Reach::NoAnswer) if !silence_tells(guard) => false,
                Outcome::Reached(reach) if reach.is_stop() => {
                    reach.layer() > Layer::Network
                        || matches!(
                            self.standing(NOBODY, seen.endpoint, false),
                            Standing::Held(_)
                        )
                }
                Outcome::Reached(_) | Outcome::Blind(_) => false,
            })
        };
        // Many internal names are not known outside at all.
        let unknown = |check: &ControlCheck| {
            let queries = check.name.iter().flat_map(|name| &name.queries);
            check.endpoints.is_empty()
                && check.name.is_some()
                && queries
                    .into_iter()
                    .all(|query| matches!(query.answer, NameAnswer::NxDomain | NameAnswer::NoData))
                && matches!(self.name_standing(NOBODY, false), Standing::Held(_))
        };
        let proven = !guard.checks.is_empty()
            && guard
                .checks
                .iter()
                .all(|check| shut(check) || unknown(check));
        if proven {
            Side::Outside
        } else {
            Side::Unproven
        }
    }

    /// The same as the report shows it.
    pub(crate) fn outside(&self, invented: bool) -> Option<Outside> {
        self.guard.as_ref().map(|guard| Outside {
            must_not_reach: guard.control.kind.to_string(),
            side: self.side_of(guard, invented),
            checks: guard.checks.clone(),
        })
    }
}

/// Whether an open door of this kind would not have been silent.
const fn silence_tells(guard: &Entry<'_>) -> bool {
    match &guard.control.kind {
        TargetKind::Udp { payload, .. } => matches!(payload.silence(), Silence::Tells),
        TargetKind::Url(_)
        | TargetKind::Tcp { .. }
        | TargetKind::Quic { .. }
        | TargetKind::Icmp { .. }
        | TargetKind::Dns { .. } => true,
    }
}
