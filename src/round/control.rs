//! The controls: tried before, after and in between, or silence proves nothing.
//!
//! A control holds over a family only if it was reached at *every* checkpoint. Being lost once is
//! enough: a network that comes and goes makes silences too. It speaks for its own transport alone:
//! where ICMP replies are dropped, as on GitHub-hosted runners, TCP may be fine, and the other way
//! round. What else it takes for a silence to count is decided in [`basis`](super::basis).

use std::net::IpAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;

use super::doubt::lost_in_the_crowd;
use super::names::Names;
use super::schedule::Course;
use super::trial::{ADDRESSES, ADDRESSES_INSIDE, Reached, is_entered, is_reached, top, try_once};
use super::world::World;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Class, Endpoint, Family, Transport};
use crate::domain::finding::{NameAnswer, NameReport};
use crate::domain::report::{ControlCheck, ControlEndpoint, ControlReport, Egress, Sees};
use crate::domain::stand::wavers;
use crate::domain::target::{Barrier, Control, Plan, TargetKind};
use crate::domain::verdict::{RestsOn, Standing};
use crate::domain::way::{Distance, PortProof};
use crate::probe::CompiledDenial;

/// How many ports a control that answers on every one is tried on at most; targets on more are not borne
/// out by it.
const MOST_PORTS: usize = 64;

/// All controls of a round with what they showed so far.
#[derive(Clone)]
pub(crate) struct Controls<'p> {
    entries: Vec<Entry<'p>>,
    /// What only insiders reach: tried at the same checkpoints, and it must *not* answer.
    pub(super) guard: Option<Entry<'p>>,
}

#[derive(Clone)]
pub(super) struct Entry<'p> {
    pub(super) control: &'p Control,
    /// The targets whose own it is, by index; empty where it speaks for all.
    targets: Vec<usize>,
    /// The ports that it is tried on, where it answers on every one.
    ports: Vec<u16>,
    pub(super) checks: Vec<ControlCheck>,
}

impl<'p> Controls<'p> {
    /// Gathers the controls of a plan. Targets that name the same control share it.
    pub(crate) fn of(plan: &'p Plan) -> Self {
        let mut entries: Vec<Entry<'p>> = plan
            .controls
            .iter()
            .map(|control| Entry::new(control, Vec::new()))
            .collect();
        let general = entries.len();
        for (index, target) in plan.targets.iter().enumerate() {
            let Some(control) = &target.control else {
                continue;
            };
            let own = entries.iter_mut().skip(general).find(|entry| {
                entry.control.kind == control.kind
                    && entry.control.every_port == control.every_port
                    && entry.control.pace == control.pace
                    && entry.control.probe_non_global == control.probe_non_global
            });
            match own {
                Some(entry) => entry.targets.push(index),
                None => entries.push(Entry::new(control, vec![index])),
            }
        }
        for entry in entries.iter_mut().filter(|entry| entry.control.every_port) {
            entry.ports = ports(plan, entry);
        }
        let guard = plan.vantage.must_not_reach.as_ref();
        let guard = guard.map(|control| Entry::new(control, Vec::new()));
        Self { entries, guard }
    }

    /// Tries every control now, each with one attempt of at most `patience`, and what only insiders reach
    /// with one of at most `guard_patience`: that one is silent where all is well. More than one would wait
    /// out the very outage that a checkpoint is there to find.
    ///
    /// Each is kept as soon as it is over, so that one that takes long takes nothing from the others where
    /// the checkpoint is given up.
    pub(crate) async fn check<W: World>(
        &mut self,
        course: &Course<'_, W>,
        names: &Names,
        patience: Duration,
        guard_patience: Duration,
    ) {
        // Any answer will do; which one is no matter.
        let denial = CompiledDenial::default();
        let controls = self.entries.iter().enumerate().map(|(place, entry)| {
            let how = (is_reached as Reached, ADDRESSES);
            (
                Some(place),
                entry.control,
                entry.ports.clone(),
                how,
                patience,
            )
        });
        let guard = self.guard.iter().map(|entry| {
            let how = (is_entered as Reached, ADDRESSES_INSIDE);
            (
                None,
                entry.control,
                entry.ports.clone(),
                how,
                guard_patience,
            )
        });
        let mut tries: FuturesUnordered<_> = controls
            .chain(guard)
            .map(|(place, control, ports, how, patience)| {
                let denial = &denial;
                async move {
                    let check = try_once(course, names, control, &ports, how, denial, patience);
                    (place, check.await)
                }
            })
            .collect();
        while let Some((place, check)) = tries.next().await {
            let entry = match place {
                Some(place) => self.entries.get_mut(place),
                None => self.guard.as_mut(),
            };
            if let Some(entry) = entry {
                entry.checks.push(check);
            }
        }
    }

    /// The same with these checkpoints of every control.
    #[cfg(test)]
    pub(super) fn with_checks(mut self, checks: &[ControlCheck]) -> Self {
        for entry in &mut self.entries {
            entry.checks = checks.to_vec();
        }
        self
    }

    /// Whether any control has a name to be resolved.
    pub(crate) fn use_names(&self) -> bool {
        self.entries.iter().chain(&self.guard).any(Entry::has_name)
    }

    /// The controls that must hold for the target with this index: its own first, then those for all.
    pub(super) fn relevant(&self, target: usize) -> impl Iterator<Item = &Entry<'p>> {
        let own = self
            .entries
            .iter()
            .filter(move |e| e.targets.contains(&target));
        own.chain(self.entries.iter().filter(|e| e.targets.is_empty()))
    }

    /// Whether a control is declared that would speak for an endpoint of the target with this index.
    pub(crate) fn declared_for(&self, target: usize, endpoint: Endpoint) -> bool {
        self.relevant(target).any(|entry| {
            entry.control.kind.transport() == Some(endpoint.transport)
                && entry.control.is_on(endpoint.port)
        })
    }

    /// Takes the controls that stand at an address that this vantage itself comes from for near ones: the
    /// way out may end there.
    pub(crate) fn move_near(&mut self, egress: &[Egress]) {
        let own = |address: IpAddr| egress.iter().any(|e| e.address == Some(address));
        let checks = self.entries.iter_mut().flat_map(|entry| &mut entry.checks);
        for seen in checks.flat_map(|check| &mut check.endpoints) {
            if own(seen.endpoint.address)
                && let Some(way) = &mut seen.way
            {
                way.distance = way.distance.min(Distance::OwnNetwork);
            }
        }
    }

    /// All checkpoints of every control.
    pub(crate) fn checks(&self) -> impl Iterator<Item = &[ControlCheck]> {
        self.entries.iter().map(|entry| entry.checks.as_slice())
    }

    /// What the controls prove for name resolution, asked by the target with this index.
    /// `non_global` says that the target may live on addresses that are not globally routable.
    pub(crate) fn name_standing(&self, target: usize, non_global: bool) -> Standing {
        let named = || self.relevant(target).filter(|entry| entry.has_name());
        if let Some(lost) = named().find(|entry| !entry.is_found(true)) {
            return Standing::Lost(lost.name());
        }
        // A resolver that knows the inside may know nothing of the outside.
        let found = named().find(|entry| entry.is_found(non_global));
        found.map_or(Standing::Absent, |entry| {
            Standing::Held(RestsOn {
                control: entry.name(),
                port: PortProof::NoPort,
                own_path: !entry.targets.is_empty(),
            })
        })
    }

    /// The families over which a control for all targets, or of any target, proved a way out.
    pub(crate) fn proven(&self) -> Vec<Family> {
        Family::ALL
            .into_iter()
            .filter(|family| self.entries.iter().any(|entry| entry.proves(*family)))
            .collect()
    }

    /// What can be seen from here: each transport and family over which a control proved a way out, with
    /// the one that was climbed highest.
    pub(crate) fn sees(&self) -> Vec<Sees> {
        let classes = Transport::ALL
            .into_iter()
            .flat_map(|transport| Family::ALL.map(|family| Class { transport, family }));
        classes
            .filter_map(|class| {
                let held = self.entries.iter().filter(|entry| {
                    entry.control.kind.transport() == Some(class.transport)
                        && entry.proves(class.family)
                });
                // The first of the highest, where `max_by_key` would give the last.
                let best = held.reduce(|best, next| {
                    if top(&next.control.kind) > top(&best.control.kind) {
                        next
                    } else {
                        best
                    }
                })?;
                Some(Sees {
                    transport: class.transport,
                    family: class.family,
                    layer: top(&best.control.kind),
                    control: best.name(),
                })
            })
            .collect()
    }

    /// The controls as the report shows them.
    pub(crate) fn reports(self, plan: &Plan) -> Vec<ControlReport> {
        self.entries
            .into_iter()
            .map(|entry| {
                let families = |wanted: &dyn Fn(Family) -> bool| -> Vec<Family> {
                    Family::ALL.into_iter().filter(|f| wanted(*f)).collect()
                };
                ControlReport {
                    name: entry.name(),
                    every_port: entry.control.every_port,
                    kind: entry.control.kind.as_str().to_owned(),
                    transport: entry.control.kind.transport(),
                    origin: entry.control.origin,
                    targets: entry
                        .targets
                        .iter()
                        .filter_map(|index| plan.targets.get(*index))
                        .map(|target| target.name.clone())
                        .collect(),
                    position: entry.control.position.clone(),
                    held: families(&|family| entry.holds(family)),
                    lost: families(&|family| entry.is_lost(family)),
                    name_held: entry
                        .has_name()
                        .then(|| entry.is_found(entry.control.probe_non_global)),
                    checks: entry.checks,
                }
            })
            .collect()
    }
}

impl<'p> Entry<'p> {
    const fn new(control: &'p Control, targets: Vec<usize>) -> Self {
        Self {
            control,
            targets,
            ports: Vec::new(),
            checks: Vec::new(),
        }
    }

    pub(super) fn has_name(&self) -> bool {
        self.control.kind.name().is_some()
    }

    /// The control as it is declared.
    pub(super) fn name(&self) -> String {
        self.control.name()
    }

    /// The same, with the port that it was tried on where it answers on every one.
    pub(super) fn name_on(&self, port: Option<u16>) -> String {
        match (self.control.kind.host(), port) {
            (Some(host), Some(port)) if self.was_on(Some(port)) && self.control.every_port => {
                format!("{host}:{port}")
            }
            _ => self.name(),
        }
    }

    /// Whether it is some target's own.
    pub(super) const fn is_own(&self) -> bool {
        !self.targets.is_empty()
    }

    /// Whether it was tried on this port.
    pub(super) fn was_on(&self, port: Option<u16>) -> bool {
        if self.control.every_port {
            port.is_some_and(|port| self.ports.contains(&port))
        } else {
            self.control.kind.port() == port
        }
    }

    /// Reached over this family at every checkpoint, whatever the port. One of several addresses is enough,
    /// but not where another one was lost on the way.
    fn holds(&self, family: Family) -> bool {
        let reached = |check: &ControlCheck| {
            let mut endpoints = check.endpoints.iter();
            endpoints.any(|e| e.reached && e.endpoint.family() == family)
        };
        !self.checks.is_empty()
            && self.checks.iter().all(reached)
            && (self.control.every_port || !wavers(&self.checks, family))
    }

    /// Held over this family, and not from too near: an address of the internet that was found on this
    /// machine or in its own network is reached with the uplink cut as well.
    fn proves(&self, family: Family) -> bool {
        let near = |seen: &ControlEndpoint| {
            let way = seen.way.as_ref();
            is_global(seen.endpoint.address) && way.is_some_and(|w| w.distance < Distance::Beyond)
        };
        let out = |seen: &ControlEndpoint| {
            seen.reached && seen.endpoint.family() == family && !near(seen)
        };
        self.holds(family)
            && self
                .checks
                .iter()
                .all(|check| check.endpoints.iter().any(out))
    }

    /// Meant to speak for this family, and not reached at every checkpoint. A control whose name
    /// could not be asked in this family, or gave no address at all, is lost too.
    fn is_lost(&self, family: Family) -> bool {
        // Without targets on ports of its transport, one on every port has nothing to be tried on.
        let portless = self.control.every_port && self.ports.is_empty();
        let connects = !portless && !matches!(self.control.kind, TargetKind::Dns { .. });
        let tried = |check: &ControlCheck| {
            let here = check
                .endpoints
                .iter()
                .any(|e| e.endpoint.family() == family);
            let asked = check.name.iter().flat_map(|name| &name.queries);
            here || asked
                .filter(|query| query.family == Some(family))
                .any(|query| matches!(query.answer, NameAnswer::Blind(_)))
        };
        let nowhere = self.checks.iter().all(|check| check.endpoints.is_empty());
        connects && !self.holds(family) && (nowhere || self.checks.iter().any(tried))
    }

    /// Whether it is lost for an endpoint: over its family or, where it answers on every port and was
    /// tried on the endpoint's, on that port.
    pub(super) fn is_lost_for(&self, endpoint: Endpoint) -> bool {
        let on_port = || {
            let here = |seen: &ControlEndpoint| {
                seen.endpoint.port == endpoint.port && seen.endpoint.family() == endpoint.family()
            };
            self.control.every_port
                && self.was_on(endpoint.port)
                && self.checks.iter().any(|check| {
                    check.endpoints.iter().any(here)
                        && !check
                            .endpoints
                            .iter()
                            .any(|seen| here(seen) && seen.reached)
                })
        };
        self.is_lost(endpoint.family()) || on_port()
    }

    /// Whether its packets went missing while targets were tried, and only then.
    pub(super) fn is_doubtful(&self) -> bool {
        lost_in_the_crowd(&self.checks)
    }

    /// Whether every resolver found an address for the control's name at every checkpoint. Without
    /// `non_global` it must be a globally routable one.
    fn is_found(&self, non_global: bool) -> bool {
        let found = |check: &ControlCheck| {
            let name = check.name.as_ref();
            name.is_some_and(|name| found_by_all(name, non_global))
        };
        !self.checks.is_empty() && self.checks.iter().all(found)
    }
}

/// The ports that a control on every port is tried on: those of the targets that it speaks for.
fn ports(plan: &Plan, entry: &Entry<'_>) -> Vec<u16> {
    let transport = entry.control.kind.transport();
    let targets = plan.targets.iter().enumerate().filter(|(index, target)| {
        target.barrier != Barrier::Dns && (!entry.is_own() || entry.targets.contains(index))
    });
    let mut ports: Vec<u16> = targets
        .flat_map(|(_, target)| target.ports())
        .filter(|(own, _)| Some(*own) == transport)
        .map(|(_, port)| port)
        .collect();
    let guard = plan.vantage.must_not_reach.as_ref();
    let guard = guard.filter(|guard| guard.kind.transport() == transport);
    ports.extend(guard.and_then(|guard| guard.kind.port()));
    ports.sort_unstable();
    ports.dedup();
    ports.truncate(MOST_PORTS);
    ports
}

/// Whether each resolver gave at least one address, in whatever family, that would be connected to.
fn found_by_all(name: &NameReport, non_global: bool) -> bool {
    let gave = |resolver: &str| {
        name.queries
            .iter()
            .filter(|query| query.resolver == resolver)
            .any(|query| match &query.answer {
                NameAnswer::Addresses(addresses) => {
                    non_global || addresses.iter().any(|a| is_global(*a))
                }
                NameAnswer::Records(_)
                | NameAnswer::NoData
                | NameAnswer::NxDomain
                | NameAnswer::Blind(_) => false,
            })
    };
    !name.queries.is_empty() && name.queries.iter().all(|query| gave(&query.resolver))
}
