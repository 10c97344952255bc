//! Whether the round looks from outside at all.
//!
//! A runner within the target's own network or allow-list sees doors that others don't, so the
//! configuration may name something that only insiders reach. It is tried at every checkpoint: once
//! reached, the round is inside. It must also be seen to be shut, with a control, or nobody knows.

use super::basis::{Basis, Place};
use super::control::{Controls, Entry};
use crate::domain::finding::NameAnswer;
use crate::domain::observation::Outcome;
use crate::domain::payload::Silence;
use crate::domain::reach::{Layer, Reach};
use crate::domain::report::{ControlCheck, ControlEndpoint, Outside, Side};
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
}

impl Basis<'_, '_> {
    /// Where the round looked from, if the configuration names what only insiders reach.
    pub(crate) fn side(&self) -> Option<Side> {
        let guard = self.controls.guard.as_ref();
        guard.map(|guard| self.side_of(guard))
    }

    fn side_of(&self, guard: &Entry<'_>) -> Side {
        let seen = || guard.checks.iter().flat_map(|check| &check.endpoints);
        if seen().any(|endpoint| endpoint.reached) {
            return Side::Inside;
        }
        // An address that a resolver made up may well be silent.
        if self.invented && guard.has_name() {
            return Side::Unproven;
        }
        // Shut at every checkpoint, and not because this side is broken.
        let shut = |check: &ControlCheck| {
            check.endpoints.iter().any(|seen| match seen.last.outcome {
                Outcome::Reached(Reach::NoAnswer) if !silence_tells(guard) => false,
                Outcome::Reached(reach) if reach.is_stop() => {
                    reach.layer() > Layer::Network
                        || matches!(self.of_place(NOBODY, place(seen), None), Standing::Held(_))
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
                && matches!(
                    self.controls.name_standing(NOBODY, false),
                    Standing::Held(_)
                )
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
    pub(crate) fn outside(&self) -> Option<Outside> {
        self.controls.guard.as_ref().map(|guard| Outside {
            must_not_reach: guard.control.kind.to_string(),
            side: self.side_of(guard),
            checks: guard.checks.clone(),
        })
    }
}

fn place(seen: &ControlEndpoint) -> Place<'_> {
    Place {
        endpoint: seen.endpoint,
        way: seen.way.as_ref(),
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
