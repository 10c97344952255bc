//! What was reached in a round, by port: the proof that our own side lets a port out.
//!
//! Whatever was reached proves it, wherever it was and whoever meant it to be reached: a control, a door
//! that is open or one that denied over HTTP. A rejection proves nothing: an egress filter makes those.

use std::collections::BTreeMap;

use super::watch::Sight;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Class, Endpoint};
use crate::domain::observation::Outcome;
use crate::domain::reach::Reach;
use crate::domain::report::ControlCheck;
use crate::domain::way::{ReachedPort, Way};

/// Everything that was reached, once for each port and way.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ports(BTreeMap<(Class, u16), Vec<ReachedPort>>);

impl Ports {
    /// Adds what a control reached at its checkpoints.
    pub(crate) fn add_checks(&mut self, checks: &[ControlCheck]) {
        for seen in checks.iter().flat_map(|check| &check.endpoints) {
            if seen.reached {
                self.add(seen.endpoint, seen.way.as_ref());
            }
        }
    }

    /// Adds what was reached of a target.
    pub(crate) fn add_sight(&mut self, sight: &Sight) {
        for tried in &sight.endpoints {
            let got_through =
                |outcome| matches!(outcome, Outcome::Reached(reach) if reach >= Reach::Connected);
            if tried.attempts.iter().any(|a| got_through(a.outcome)) {
                self.add(tried.endpoint, tried.way.as_ref());
            }
        }
    }

    fn add(&mut self, endpoint: Endpoint, way: Option<&Way>) {
        let Some(port) = endpoint.port else {
            return;
        };
        let known = self.0.entry((endpoint.class(), port)).or_default();
        let alike = |other: &ReachedPort| {
            other.way.as_ref() == way
                && is_global(other.endpoint.address) == is_global(endpoint.address)
        };
        if !known.iter().any(alike) {
            known.push(ReachedPort {
                endpoint,
                way: way.cloned(),
            });
        }
    }

    /// What proves that packets to an endpoint are let out, if anything does.
    pub(crate) fn proof(&self, endpoint: Endpoint, way: Option<&Way>) -> Option<&ReachedPort> {
        let known = self.0.get(&(endpoint.class(), endpoint.port?))?;
        known.iter().find(|reached| reached.proves(endpoint, way))
    }

    /// All of it as the report shows it.
    pub(crate) fn report(&self) -> Vec<ReachedPort> {
        self.0.values().flatten().cloned().collect()
    }
}
