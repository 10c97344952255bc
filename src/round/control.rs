//! The controls: reached before, after and in between, or silence proves nothing.
//!
//! A control holds over a family only if it was reached at *every* checkpoint. Being lost once is
//! enough: a network that comes and goes makes silences too. It speaks for its own transport alone:
//! where ICMP replies are dropped, as on GitHub-hosted runners, TCP may be fine, and the other way
//! round.

use std::time::Duration;

use futures_util::future::join_all;

use super::names::Names;
use super::schedule::Course;
use super::trial::{ADDRESSES, ADDRESSES_INSIDE, Reached, is_entered, is_reached, top, try_once};
use super::world::World;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Class, Endpoint, Family, Transport};
use crate::domain::finding::{NameAnswer, NameReport};
use crate::domain::report::{ControlCheck, ControlReport, Sees};
use crate::domain::target::{Control, Plan, TargetKind};
use crate::domain::verdict::{RestsOn, Standing};
use crate::domain::way::PortProof;
use crate::probe::CompiledDenial;

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
    pub(super) checks: Vec<ControlCheck>,
}

impl<'p> Controls<'p> {
    /// Gathers the controls of a plan. Targets that name the same control share it.
    pub(crate) fn of(plan: &'p Plan) -> Self {
        let mut entries: Vec<Entry<'p>> = plan
            .controls
            .iter()
            .map(|control| Entry {
                control,
                targets: Vec::new(),
                checks: Vec::new(),
            })
            .collect();
        let general = entries.len();
        for (index, target) in plan.targets.iter().enumerate() {
            let Some(control) = &target.control else {
                continue;
            };
            let own = entries.iter_mut().skip(general).find(|entry| {
                entry.control.kind == control.kind
                    && entry.control.pace == control.pace
                    && entry.control.probe_non_global == control.probe_non_global
            });
            match own {
                Some(entry) => entry.targets.push(index),
                None => entries.push(Entry {
                    control,
                    targets: vec![index],
                    checks: Vec::new(),
                }),
            }
        }
        let guard = plan.vantage.must_not_reach.as_ref().map(|control| Entry {
            control,
            targets: Vec::new(),
            checks: Vec::new(),
        });
        Self { entries, guard }
    }

    /// Tries every control now, each with one attempt of at most `patience`. More than one would
    /// wait out the very outage that a checkpoint is there to find.
    pub(crate) async fn check<W: World>(
        &mut self,
        course: &Course<'_, W>,
        names: &Names,
        patience: Duration,
    ) {
        // Any answer will do; which one is no matter.
        let denial = CompiledDenial::default();
        let all = || {
            self.entries
                .iter()
                .map(|e| (e, (is_reached as Reached, ADDRESSES)))
        };
        let guard = self
            .guard
            .iter()
            .map(|e| (e, (is_entered as Reached, ADDRESSES_INSIDE)));
        let checks = all().chain(guard).map(|(entry, how)| {
            let control = entry.control;
            try_once(course, names, control, how, &denial, patience)
        });
        let checks = join_all(checks).await;
        for (entry, check) in self.entries.iter_mut().chain(&mut self.guard).zip(checks) {
            entry.checks.push(check);
        }
    }

    /// Whether any control has a name to be resolved.
    pub(crate) fn use_names(&self) -> bool {
        self.entries.iter().chain(&self.guard).any(Entry::has_name)
    }

    /// The controls that must hold for the target with this index: its own first, then those for all.
    fn relevant(&self, target: usize) -> impl Iterator<Item = &Entry<'p>> {
        let own = self
            .entries
            .iter()
            .filter(move |e| e.targets.contains(&target));
        own.chain(self.entries.iter().filter(|e| e.targets.is_empty()))
    }

    /// Whether a control is declared that would speak for an endpoint of the target with this index.
    pub(crate) fn declared_for(&self, target: usize, endpoint: Endpoint) -> bool {
        self.relevant(target).any(|entry| {
            let kind = &entry.control.kind;
            kind.transport() == Some(endpoint.transport)
                && endpoint.transport.speaks_for(kind.port(), endpoint.port)
        })
    }

    /// What the controls prove for an endpoint of the target with this index. `invented` says that a
    /// resolver makes addresses up: a control found by name may then be anything.
    pub(crate) fn standing(&self, target: usize, endpoint: Endpoint, invented: bool) -> Standing {
        let family = endpoint.family();
        let relevant = || {
            let transport = Some(endpoint.transport);
            self.relevant(target)
                .filter(move |e| e.control.kind.transport() == transport)
        };
        let believed = || relevant().filter(|e| !(invented && e.has_name()));
        // Every one of them *must* be reachable. One that answers does not make up for another that
        // does not: it may stand on this side of what is broken.
        if let Some(lost) = believed().find(|entry| entry.is_lost(family)) {
            return Standing::Lost(lost.control.kind.to_string());
        }
        // A control in a private network says nothing about the way to the internet.
        let scope = is_global(endpoint.address);
        let held = || believed().filter(|entry| entry.holds(family, scope));
        let speaking: Vec<RestsOn> = held()
            .filter(|entry| {
                let port = entry.control.kind.port();
                endpoint.transport.speaks_for(port, endpoint.port)
            })
            .map(|entry| RestsOn {
                control: entry.control.kind.to_string(),
                port: PortProof::Control,
                own_path: !entry.targets.is_empty(),
            })
            .collect();
        // The target's own control says most; then one on the same port.
        let own_path = speaking.iter().find(|c| c.own_path);
        let best = own_path;
        match (best.or_else(|| speaking.first()), endpoint.port) {
            (Some(best), _) => Standing::Held(best.clone()),
            (None, Some(port)) if held().next().is_some() => {
                Standing::PortUnproven(endpoint.transport, port)
            }
            (None, _) if invented && relevant().any(Entry::has_name) => Standing::Invented,
            (None, _) => Standing::Absent,
        }
    }

    /// What the controls prove for name resolution, asked by the target with this index.
    /// `non_global` says that the target may live on addresses that are not globally routable.
    pub(crate) fn name_standing(&self, target: usize, non_global: bool) -> Standing {
        let named = || self.relevant(target).filter(|entry| entry.has_name());
        if let Some(lost) = named().find(|entry| !entry.is_found(true)) {
            return Standing::Lost(lost.control.kind.to_string());
        }
        // A resolver that knows the inside may know nothing of the outside.
        let found = named().find(|entry| entry.is_found(non_global));
        found.map_or(Standing::Absent, |entry| {
            Standing::Held(RestsOn {
                control: entry.control.kind.to_string(),
                port: PortProof::NoPort,
                own_path: !entry.targets.is_empty(),
            })
        })
    }

    /// The families over which a control for all targets, or of any target, held.
    pub(crate) fn proven(&self) -> Vec<Family> {
        Family::ALL
            .into_iter()
            .filter(|family| self.entries.iter().any(|entry| entry.holds(*family, false)))
            .collect()
    }

    /// What can be seen from here: each transport and family over which a control held, with the one
    /// that was climbed highest.
    pub(crate) fn sees(&self) -> Vec<Sees> {
        let classes = Transport::ALL
            .into_iter()
            .flat_map(|transport| Family::ALL.map(|family| Class { transport, family }));
        classes
            .filter_map(|class| {
                let held = self.entries.iter().filter(|entry| {
                    entry.control.kind.transport() == Some(class.transport)
                        && entry.holds(class.family, false)
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
                    control: best.control.kind.to_string(),
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
                    name: entry.control.kind.to_string(),
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
                    held: families(&|family| entry.holds(family, false)),
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

impl Entry<'_> {
    pub(super) fn has_name(&self) -> bool {
        self.control.kind.name().is_some()
    }

    /// Reached over this family at every checkpoint; with `global`, at a globally routable address.
    fn holds(&self, family: Family, global: bool) -> bool {
        let reached = |check: &ControlCheck| {
            check.endpoints.iter().any(|e| {
                e.reached
                    && e.endpoint.family() == family
                    && (!global || is_global(e.endpoint.address))
            })
        };
        !self.checks.is_empty() && self.checks.iter().all(reached)
    }

    /// Meant to speak for this family, and not reached at every checkpoint. A control whose name
    /// could not be asked in this family, or gave no address at all, is lost too.
    fn is_lost(&self, family: Family) -> bool {
        let connects = !matches!(self.control.kind, TargetKind::Dns { .. });
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
        connects && !self.holds(family, false) && (nowhere || self.checks.iter().any(tried))
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
