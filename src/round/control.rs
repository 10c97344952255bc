//! The controls: reached before, after and in between, or silence proves nothing.
//!
//! A control holds over a family only if it was reached at *every* checkpoint. Being lost once is
//! enough: a network that comes and goes makes silences too.

use std::time::Duration;

use futures_util::future::join_all;

use super::names::{Names, union};
use super::schedule::{Course, Task, attempts};
use super::world::World;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Endpoint, Family};
use crate::domain::finding::{NameAnswer, NameReport};
use crate::domain::observation::{Observation, Outcome};
use crate::domain::reach::Reach;
use crate::domain::record::Record;
use crate::domain::report::{ControlCheck, ControlEndpoint, ControlReport};
use crate::domain::target::{Control, Pace, Plan, TargetKind};
use crate::domain::verdict::{RestsOn, Standing};
use crate::probe::CompiledDenial;

/// How many addresses of a control are tried in each family. One that answers is enough.
const ADDRESSES: usize = 2;

/// Ports that providers are known to filter on the way out (Azure, and with it GitHub-hosted
/// runners, closes 25). Silence there counts only against a control on the same port.
const FILTERED_PORTS: [u16; 1] = [25];

/// All controls of a round with what they showed so far.
pub(crate) struct Controls<'p> {
    entries: Vec<Entry<'p>>,
}

struct Entry<'p> {
    control: &'p Control,
    /// The targets whose own it is, by index; empty where it speaks for all.
    targets: Vec<usize>,
    checks: Vec<ControlCheck>,
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
        Self { entries }
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
        let checks = self
            .entries
            .iter()
            .map(|entry| check(course, names, entry.control, &denial, patience));
        let checks = join_all(checks).await;
        for (entry, check) in self.entries.iter_mut().zip(checks) {
            entry.checks.push(check);
        }
    }

    /// Whether any control has a name to be resolved.
    pub(crate) fn use_names(&self) -> bool {
        self.entries.iter().any(Entry::has_name)
    }

    /// The controls that must hold for the target with this index: its own first, then those for all.
    fn relevant(&self, target: usize) -> impl Iterator<Item = &Entry<'p>> {
        let own = self
            .entries
            .iter()
            .filter(move |e| e.targets.contains(&target));
        own.chain(self.entries.iter().filter(|e| e.targets.is_empty()))
    }

    /// What the controls prove for an endpoint of the target with this index. `invented` says that a
    /// resolver makes addresses up: a control found by name may then be anything.
    pub(crate) fn standing(&self, target: usize, endpoint: Endpoint, invented: bool) -> Standing {
        let family = endpoint.family();
        let believed = || {
            self.relevant(target)
                .filter(|e| !(invented && e.has_name()))
        };
        // Every one of them *must* be reachable. One that answers does not make up for another that
        // does not: it may stand on this side of what is broken.
        if let Some(lost) = believed().find(|entry| entry.is_lost(family)) {
            return Standing::Lost(lost.control.kind.to_string());
        }
        // A control in a private network says nothing about the way to the internet.
        let scope = is_global(endpoint.address);
        let held: Vec<RestsOn> = believed()
            .filter(|entry| entry.holds(family, scope))
            .map(|entry| RestsOn {
                control: entry.control.kind.to_string(),
                same_port: entry.control.kind.port() == endpoint.port,
                own_path: !entry.targets.is_empty(),
            })
            .collect();
        let same_port = held.iter().find(|c| c.same_port);
        if let Some(port) = endpoint.port.filter(|port| FILTERED_PORTS.contains(port))
            && same_port.is_none()
            && !held.is_empty()
        {
            return Standing::OtherPort(port);
        }
        // The target's own control says most; then one on the same port.
        let best = held.iter().find(|c| c.own_path).or(same_port);
        match best.or_else(|| held.first()) {
            Some(best) => Standing::Held(best.clone()),
            None if invented && self.relevant(target).any(Entry::has_name) => Standing::Invented,
            None => Standing::Absent,
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
                same_port: false,
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
    fn has_name(&self) -> bool {
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

async fn check<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    control: &Control,
    denial: &CompiledDenial,
    patience: Duration,
) -> ControlCheck {
    let at_ms = course.elapsed_ms();
    let pace = Pace {
        timeout: control.pace.timeout.min(patience),
        attempts: 1,
        interval: Duration::ZERO,
    };
    let mut name_report = None;
    let mut addresses = Vec::from_iter(control.kind.address());
    if let Some(name) = control.kind.name() {
        let ask =
            Family::ALL.map(|family| names.ask(course, name, Record::of(family), pace.timeout));
        let queries: Vec<_> = join_all(ask).await.into_iter().flatten().collect();
        addresses = union(&queries);
        name_report = Some(NameReport {
            name: name.to_owned(),
            queries,
        });
    }
    addresses.retain(|address| control.probe_non_global || is_global(*address));
    let mut endpoints = Vec::new();
    for family in Family::ALL {
        let some = addresses.iter().filter(|a| Family::of(**a) == family);
        let some = some.take(ADDRESSES);
        endpoints.extend(some.filter_map(|address| control.kind.endpoint(*address)));
    }
    let tries = endpoints.into_iter().map(|endpoint| {
        let pace = &pace;
        async move {
            let task = Task {
                endpoint,
                kind: &control.kind,
                denial,
                pace,
                enough: |seen: &Observation| is_reached(&control.kind, seen.outcome),
            };
            let last = attempts(course, None, task).await.0.pop()?;
            Some(ControlEndpoint {
                endpoint,
                reached: is_reached(&control.kind, last.outcome),
                last,
            })
        }
    });
    ControlCheck {
        at_ms,
        endpoints: join_all(tries).await.into_iter().flatten().collect(),
        name: name_report,
    }
}

/// A URL must be answered over HTTP, a port must be connected to.
fn is_reached(kind: &TargetKind, outcome: Outcome) -> bool {
    let Outcome::Reached(reach) = outcome else {
        return false;
    };
    match kind {
        TargetKind::Url(_) => reach >= Reach::Denied,
        TargetKind::Tcp { .. }
        | TargetKind::Udp { .. }
        | TargetKind::Quic { .. }
        | TargetKind::Icmp { .. } => reach >= Reach::Connected,
        TargetKind::Dns { .. } => false,
    }
}
