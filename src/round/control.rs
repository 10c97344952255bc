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
use crate::domain::endpoint::{Class, Endpoint, Family, Transport};
use crate::domain::finding::{NameAnswer, NameReport};
use crate::domain::observation::{Observation, Outcome};
use crate::domain::reach::Reach;
use crate::domain::report::{ControlCheck, ControlEndpoint, ControlReport};
use crate::domain::target::{Control, Pace, Plan, TargetKind};
use crate::domain::verdict::{RestsOn, Standing};
use crate::probe::CompiledDenial;

/// How many addresses of a control are tried in each family. One that answers is enough.
const ADDRESSES: usize = 2;

/// The most that a control may take once the round was told to stop.
const HURRY: Duration = Duration::from_secs(2);

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

    /// Tries every control now. `hurry` makes one short attempt of it.
    pub(crate) async fn check<W: World>(
        &mut self,
        course: &Course<'_, W>,
        names: &Names,
        hurry: bool,
    ) {
        // Any answer will do; which one is no matter.
        let denial = CompiledDenial::default();
        let checks = self
            .entries
            .iter()
            .map(|entry| check(course, names, entry.control, &denial, hurry));
        let checks = join_all(checks).await;
        for (entry, check) in self.entries.iter_mut().zip(checks) {
            entry.checks.push(check);
        }
    }

    /// What the controls prove for an endpoint of the target with this index.
    pub(crate) fn standing(&self, target: usize, endpoint: Endpoint) -> Standing {
        let family = endpoint.family();
        let held = |entry: &Entry<'_>| RestsOn {
            control: entry.control.kind.to_string(),
            same_port: entry.control.kind.port() == Some(endpoint.port),
            own_path: !entry.targets.is_empty(),
        };
        let own = self.entries.iter().find(|e| e.targets.contains(&target));
        if let Some(own) = own.filter(|own| own.is_lost(family)) {
            return Standing::Lost(own.control.kind.to_string());
        }
        let general = self.entries.iter().filter(|e| e.targets.is_empty());
        let candidates: Vec<RestsOn> = own
            .into_iter()
            .chain(general.clone())
            .filter(|entry| entry.holds(family))
            .map(held)
            .collect();
        let same_port = candidates.iter().find(|c| c.same_port);
        if FILTERED_PORTS.contains(&endpoint.port) && same_port.is_none() && !candidates.is_empty()
        {
            return Standing::OtherPort(endpoint.port);
        }
        // The target's own control says most; then one on the same port.
        let best = candidates
            .iter()
            .find(|c| c.own_path)
            .or(same_port)
            .or_else(|| candidates.first());
        match best {
            Some(best) => Standing::Held(best.clone()),
            None => general
                .into_iter()
                .find(|entry| entry.is_lost(family))
                .map_or(Standing::Absent, |entry| {
                    Standing::Lost(entry.control.kind.to_string())
                }),
        }
    }

    /// What the controls prove for name resolution, asked by the target with this index.
    pub(crate) fn name_standing(&self, target: usize) -> Standing {
        let lost = |entry: &Entry<'_>| Standing::Lost(entry.control.kind.to_string());
        let own = self.entries.iter().find(|e| e.targets.contains(&target));
        if let Some(own) = own.filter(|own| own.name_held() == Some(false)) {
            return lost(own);
        }
        let mut named = own
            .into_iter()
            .chain(self.entries.iter().filter(|e| e.targets.is_empty()))
            .filter(|entry| entry.name_held().is_some())
            .peekable();
        let first = named.peek().map(|entry| lost(entry));
        match named.find(|entry| entry.name_held() == Some(true)) {
            Some(entry) => Standing::Held(RestsOn {
                control: entry.control.kind.to_string(),
                same_port: true,
                own_path: !entry.targets.is_empty(),
            }),
            None => first.unwrap_or(Standing::Absent),
        }
    }

    /// The families over which a control for all targets, or of any target, held.
    pub(crate) fn proven(&self) -> Vec<Family> {
        Family::ALL
            .into_iter()
            .filter(|family| self.entries.iter().any(|entry| entry.holds(*family)))
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
                    name_held: entry.name_held(),
                    checks: entry.checks,
                }
            })
            .collect()
    }
}

impl Entry<'_> {
    /// Reached over this family at every checkpoint.
    fn holds(&self, family: Family) -> bool {
        !self.checks.is_empty() && self.checks.iter().all(|check| reached(check, family))
    }

    /// Meant to speak for this family, and not reached at every checkpoint. A control whose name
    /// gave no address at all is lost over every family.
    fn is_lost(&self, family: Family) -> bool {
        let connects = !matches!(self.control.kind, TargetKind::Dns { .. });
        let tried = |check: &ControlCheck| {
            check
                .endpoints
                .iter()
                .any(|e| e.endpoint.family() == family)
        };
        let nowhere = self.checks.iter().all(|check| check.endpoints.is_empty());
        connects && !self.holds(family) && (nowhere || self.checks.iter().any(tried))
    }

    /// Whether every resolver found an address for the control's name at every checkpoint; none
    /// where it has no name.
    fn name_held(&self) -> Option<bool> {
        self.control.kind.name()?;
        let found = |check: &ControlCheck| {
            check
                .name
                .as_ref()
                .is_some_and(|name| found_by_all(name, self.control.probe_non_global))
        };
        Some(!self.checks.is_empty() && self.checks.iter().all(found))
    }
}

fn reached(check: &ControlCheck, family: Family) -> bool {
    check
        .endpoints
        .iter()
        .any(|e| e.reached && e.endpoint.family() == family)
}

/// Whether each resolver gave at least one address, in whatever family, that would be connected to.
fn found_by_all(name: &NameReport, probe_non_global: bool) -> bool {
    let gave = |resolver: &str| {
        name.queries
            .iter()
            .filter(|query| query.resolver == resolver)
            .any(|query| match &query.answer {
                NameAnswer::Addresses(addresses) => {
                    probe_non_global || addresses.iter().any(|a| is_global(*a))
                }
                NameAnswer::NoData | NameAnswer::NxDomain | NameAnswer::Blind(_) => false,
            })
    };
    !name.queries.is_empty() && name.queries.iter().all(|query| gave(&query.resolver))
}

async fn check<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    control: &Control,
    denial: &CompiledDenial,
    hurry: bool,
) -> ControlCheck {
    let at_ms = course.elapsed_ms();
    let mut pace = control.pace.clone();
    if hurry {
        pace = Pace {
            timeout: pace.timeout.min(HURRY),
            attempts: 1,
            interval: Duration::ZERO,
        };
    }
    let mut name_report = None;
    let mut addresses = Vec::from_iter(control.kind.address());
    if let Some(name) = control.kind.name() {
        let ask = Family::ALL.map(|family| names.ask(course, name, family, pace.timeout));
        let queries: Vec<_> = join_all(ask).await.into_iter().flatten().collect();
        addresses = union(&queries);
        name_report = Some(NameReport {
            name: name.to_owned(),
            queries,
        });
    }
    addresses.retain(|address| control.probe_non_global || is_global(*address));
    let mut endpoints = Vec::new();
    if let Some(port) = control.kind.port() {
        for family in Family::ALL {
            let some = addresses.iter().filter(|a| Family::of(**a) == family);
            endpoints.extend(some.take(ADDRESSES).map(|a| Endpoint::tcp(*a, port)));
        }
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
            let last = attempts(course, None, task).await.pop()?;
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
        TargetKind::Tcp { .. } => reach >= Reach::Connected,
        TargetKind::Dns { .. } => false,
    }
}

/// The class that an endpoint belongs to.
pub(crate) const fn class_of(endpoint: Endpoint) -> Class {
    Class {
        transport: Transport::Tcp,
        family: endpoint.family(),
    }
}
