//! One target's way: its name, its addresses, and every endpoint behind them.

use std::net::IpAddr;

use futures_util::future::join_all;

use super::limits::Slots;
use super::names::{Names, union};
use super::schedule::{Course, Task, attempts};
use super::world::World;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Endpoint, Family};
use crate::domain::finding::NameReport;
use crate::domain::observation::{Attempt, Observation};
use crate::domain::target::{Barrier, Target};
use crate::domain::verdict::{Standing, Verdict, judge};
use crate::probe::CompiledDenial;

/// What was seen of one target, not yet judged.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// What the resolvers said; none for an address literal.
    pub(crate) name: Option<NameReport>,
    /// All addresses in the watched families, sorted.
    pub(crate) addresses: Vec<IpAddr>,
    /// The endpoints that were connected to.
    pub(crate) endpoints: Vec<Tried>,
}

/// One endpoint with its attempts.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) endpoint: Endpoint,
    pub(crate) attempts: Vec<Attempt>,
    /// Whether all attempts were made, or one was enough.
    pub(crate) complete: bool,
}

/// Looks at one target.
pub(crate) async fn watch<W: World>(
    course: &Course<'_, W>,
    slots: &Slots,
    names: &Names,
    target: &Target,
    denial: &CompiledDenial,
) -> Sight {
    let mut sight = Sight::default();
    sight.addresses.extend(target.kind.address());
    if let Some(name) = target.kind.name() {
        let ask = target
            .families
            .iter()
            .map(|family| names.shared(course, name, *family, target.pace.timeout));
        let queries: Vec<_> = join_all(ask)
            .await
            .iter()
            .flat_map(|answers| answers.iter().cloned())
            .collect();
        sight.addresses = union(&queries);
        sight.name = Some(NameReport {
            name: name.to_owned(),
            queries,
        });
    }
    sight
        .addresses
        .retain(|address| target.families.contains(&Family::of(*address)));
    let Some(port) = target.kind.port() else {
        return sight;
    };
    // A published address decides at the barrier `dns`; there is no need to knock.
    if target.barrier == Barrier::Dns {
        return sight;
    }
    let tries = sight
        .addresses
        .iter()
        .filter(|address| target.probe_non_global || is_global(**address))
        .map(|address| Endpoint::tcp(*address, port))
        .map(|endpoint| async move {
            let task = Task {
                endpoint,
                kind: &target.kind,
                denial,
                pace: &target.pace,
                enough: |seen: &Observation| is_exposure(target, seen),
            };
            let (attempts, complete) = attempts(course, Some(slots), task).await;
            Tried {
                endpoint,
                attempts,
                complete,
            }
        });
    sight.endpoints = join_all(tries).await;
    sight
}

/// Whether this observation alone makes the target exposed, whatever the controls say.
fn is_exposure(target: &Target, seen: &Observation) -> bool {
    let judgement = judge(
        target.barrier,
        &target.denial,
        seen.outcome,
        seen.caveat(),
        &Standing::Absent,
        None,
    );
    judgement.verdict == Verdict::Exposed
}
