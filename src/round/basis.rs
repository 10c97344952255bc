//! What a stop at an endpoint rests on: `ARCHITECTURE.md`, "What a stop must rest on", as code.
//!
//! A stop that our own side could have made counts only if all of this holds: a control was reached at
//! every checkpoint, by the same way out and no nearer than the endpoint; checkpoints lie before, between
//! and after the attempts; something was reached on the endpoint's port, or that this network lets it out
//! is said; and nothing on this machine swallowed an answer.

use super::control::{Controls, Entry};
use super::ports::Ports;
use super::watch::Tried;
use crate::domain::address::is_global;
use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Blind, Outcome};
use crate::domain::reach::Reach;
use crate::domain::stand::{Stood, Window, may_be_dropped, stood};
use crate::domain::verdict::{RestsOn, Standing};
use crate::domain::way::{Assumption, Bearing, Distance, PortProof, Way};

/// Everything that the stops of a round can rest on.
pub(crate) struct Basis<'a, 'p> {
    pub(crate) controls: &'a Controls<'p>,
    pub(crate) ports: &'a Ports,
    /// Why ports on which nothing was reached count as let out, if they do.
    pub(crate) unfiltered: Option<Assumption>,
    /// Whether a resolver makes addresses up: a control found by name may then be anything.
    pub(crate) invented: bool,
    /// How many packets this machine's reverse path filter dropped during the round.
    pub(crate) dropped: u64,
    /// Whether something that was silent in the crowd answered when it was tried alone.
    pub(crate) too_fast: bool,
}

/// What packets are sent to, by which way.
#[derive(Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) endpoint: Endpoint,
    pub(crate) way: Option<&'a Way>,
}

impl Basis<'_, '_> {
    /// What an attempt with this outcome rests on, of an endpoint of the target with this index.
    pub(crate) fn of_attempt(&self, target: usize, tried: &Tried, outcome: Outcome) -> Standing {
        let place = Place {
            endpoint: tried.endpoint,
            way: tried.way.as_ref(),
        };
        let standing = self.of_place(target, place, Window::of(&tried.attempts));
        let silent = outcome == Outcome::Reached(Reach::NoAnswer);
        match standing {
            Standing::Held(_) if silent && self.may_be_dropped(tried) => {
                Standing::Deaf(Blind::ReversePath)
            }
            Standing::Held(_) if silent && self.too_fast => Standing::TooFast,
            other => other,
        }
    }

    fn may_be_dropped(&self, tried: &Tried) -> bool {
        may_be_dropped(self.dropped, tried.endpoint, &tried.attempts)
    }

    /// What a stop at a place rests on, where it was tried within this window.
    pub(crate) fn of_place(
        &self,
        target: usize,
        place: Place<'_>,
        window: Option<Window>,
    ) -> Standing {
        let Place { endpoint, way } = place;
        let relevant = || {
            let transport = Some(endpoint.transport);
            self.controls
                .relevant(target)
                .filter(move |e| e.control.kind.transport() == transport)
        };
        let believed = || relevant().filter(|e| !(self.invented && e.has_name()));
        // Every one of them *must* be reachable. One that answers does not make up for another that
        // does not: it may stand on this side of what is broken.
        if let Some(lost) = believed().find(|entry| entry.is_lost_for(endpoint)) {
            return Standing::Lost(lost.name_on(endpoint.port));
        }
        if is_global(endpoint.address) && way.is_some_and(|way| way.distance < Distance::Beyond) {
            return Standing::Deaf(Blind::OwnNetwork);
        }
        let mut held = Vec::new();
        let mut elsewhere = None;
        for entry in believed() {
            match stood(&entry.checks, entry.control.every_port, endpoint, way) {
                Stood::Throughout => held.push(entry),
                Stood::Elsewhere(bearing) => {
                    elsewhere.get_or_insert((bearing, entry));
                }
                Stood::Not => {}
            }
        }
        let speaks = |entry: &&&Entry<'_>| {
            let port = entry.control.kind.port();
            entry.control.every_port || endpoint.transport.speaks_for(port, endpoint.port)
        };
        let speaking: Vec<&Entry<'_>> = held.iter().filter(speaks).copied().collect();
        let on_port = |entry: &&&Entry<'_>| entry.was_on(endpoint.port);
        // The target's own control says most; then one on the same port.
        let best = speaking
            .iter()
            .find(|entry| entry.is_own())
            .or_else(|| speaking.iter().find(on_port))
            .or_else(|| speaking.first());
        let Some(best) = best else {
            let named = self.invented && relevant().any(Entry::has_name);
            return match (held.first(), endpoint.port, elsewhere) {
                (Some(_), Some(port), _) => Standing::PortUnproven(endpoint.transport, port),
                (_, _, Some((Bearing::OtherWay, entry))) => Standing::OtherWay(entry.name()),
                (_, _, Some((Bearing::TooNear, entry))) => Standing::TooNear(entry.name()),
                _ if named => Standing::Invented,
                _ => Standing::Absent,
            };
        };
        if let Some(doubtful) = held.iter().find(|entry| entry.is_doubtful()) {
            return Standing::Doubtful(doubtful.name());
        }
        let attended =
            |entry: &&Entry<'_>| window.is_none_or(|window| window.is_attended(&entry.checks));
        if !speaking.iter().any(attended) {
            return Standing::NotBetween(best.name());
        }
        match self.port(best, place) {
            Ok(port) => Standing::Held(RestsOn {
                control: best.name(),
                port,
                own_path: best.is_own(),
            }),
            Err(port) => Standing::PortUnproven(endpoint.transport, port),
        }
    }

    /// How it is known that an endpoint's port is let out; the port, where it is not.
    fn port(&self, best: &Entry<'_>, place: Place<'_>) -> Result<PortProof, u16> {
        let Place { endpoint, way } = place;
        let Some(port) = endpoint.port else {
            return Ok(PortProof::NoPort);
        };
        if best.was_on(endpoint.port) {
            return Ok(PortProof::Control);
        }
        if let Some(reached) = self.ports.proof(endpoint, way) {
            let at = reached.endpoint.place();
            return Ok(PortProof::Reached { at });
        }
        match self.unfiltered {
            Some(assumption) if assumption.covers(endpoint.transport, port) => {
                Ok(PortProof::Assumed)
            }
            Some(_) | None => Err(port),
        }
    }
}
