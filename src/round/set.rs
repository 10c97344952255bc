//! One set of attempts: targets looked at side by side, with the controls tried in between.
//!
//! The checkpoints before and after it are the round's.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::Duration;

use futures_util::StreamExt;

use super::control::Controls;
use super::limits::{Slots, files_for_attempts};
use super::names::Names;
use super::pace::Pacing;
use super::schedule::Course;
use super::watch::{Sight, watch};
use super::world::World;
use crate::domain::target::{Barrier, Plan, Target};
use crate::probe::CompiledDenial;

/// How often the controls are tried at least while probes are under way. A NAT that has run out of
/// ports, for one, looks like silence just as long as the probes last.
const BETWEEN: Duration = Duration::from_secs(5);

/// How often they are tried at most.
const BETWEEN_LEAST: Duration = Duration::from_millis(100);

/// What every set of a round shares.
pub(crate) struct Means<'a, W> {
    pub(crate) course: &'a Course<'a, W>,
    pub(crate) plan: &'a Plan,
    /// One a target, in the plan's order.
    denials: &'a [CompiledDenial],
    slots: Slots,
    concurrency: usize,
}

impl<'a, W: World> Means<'a, W> {
    pub(crate) fn new(
        course: &'a Course<'a, W>,
        plan: &'a Plan,
        denials: &'a [CompiledDenial],
        seed: u64,
    ) -> Self {
        // One file an attempt at least: more of them would only wait.
        let files = files_for_attempts();
        let concurrency = plan.concurrency.clamp(1, files);
        Self {
            course,
            plan,
            denials,
            slots: Slots::new(
                concurrency,
                files,
                plan.per_host,
                Pacing::new(seed, plan.targets.len(), plan.rate),
            ),
            concurrency,
        }
    }

    /// How many targets are looked at at once.
    pub(crate) const fn concurrency(&self) -> usize {
        self.concurrency
    }

    /// The pace of the round.
    pub(crate) const fn pacing(&self) -> &Pacing {
        &self.slots.pacing
    }

    /// The target with this place in the plan, and its denial.
    pub(crate) fn target(&self, index: usize) -> Option<(&'a Target, &'a CompiledDenial)> {
        Some((self.plan.targets.get(index)?, self.denials.get(index)?))
    }

    /// Makes one set of attempts at the targets with these places in the plan, and gives what was seen
    /// of each in the same order. `progress` is called with the number of targets looked at so far.
    pub(crate) async fn set(
        &self,
        controls: &mut Controls<'_>,
        names: &Names,
        which: &[usize],
        progress: &dyn Fn(usize),
    ) -> Vec<Sight> {
        let left = Left::new(
            which
                .iter()
                .filter_map(|index| self.plan.targets.get(*index)),
        );
        let looking = self.look(names, which, &left, progress);
        tokio::pin!(looking);
        for number in 0_usize.. {
            let most = left.between();
            let pause = self.pacing().between(most, number);
            tokio::select! {
                biased;
                sights = &mut looking => return sights,
                () = tokio::time::sleep(pause) => {}
            }
            // Both go on at once: the control must get through while the probes are under way. It may take
            // its own time: a check that an outage outlasts is lost, and one that outlasts the outage does
            // not lie between any attempts that the outage took. A check that the end of the probes
            // overtakes is given up; the one that follows says as much.
            tokio::select! {
                biased;
                sights = &mut looking => return sights,
                () = controls.check(self.course, names, Duration::MAX, most) => {}
            }
        }
        looking.await
    }

    /// Looks at some targets, at most so many at once.
    async fn look(
        &self,
        names: &Names,
        which: &[usize],
        left: &Left,
        progress: &dyn Fn(usize),
    ) -> Vec<Sight> {
        let mut sights: Vec<Sight> = std::iter::repeat_with(Sight::default)
            .take(which.len())
            .collect();
        let targets = which.iter().enumerate().filter_map(|(place, index)| {
            let (target, denial) = self.target(*index)?;
            Some((place, target, denial))
        });
        let mut seen = futures_util::stream::iter(targets)
            .map(|(place, target, denial)| async move {
                let sight = watch(self.course, &self.slots, names, target, denial).await;
                left.is_done(target);
                (place, sight)
            })
            .buffer_unordered(self.concurrency);
        let mut done = 0;
        while let Some((place, sight)) = seen.next().await {
            if let Some(own) = sights.get_mut(place) {
                *own = sight;
            }
            done += 1;
            progress(done);
        }
        sights
    }
}

/// The targets that are still looked at, by the time between two checkpoints that they want.
struct Left(RefCell<BTreeMap<Duration, usize>>);

impl Left {
    fn new<'t>(targets: impl Iterator<Item = &'t Target>) -> Self {
        let mut all = BTreeMap::new();
        for wanted in targets.filter_map(between) {
            *all.entry(wanted).or_default() += 1;
        }
        Self(RefCell::new(all))
    }

    fn is_done(&self, target: &Target) {
        let mut all = self.0.borrow_mut();
        let Some(Entry::Occupied(mut left)) = between(target).map(|wanted| all.entry(wanted))
        else {
            return;
        };
        *left.get_mut() -= 1;
        if *left.get() == 0 {
            left.remove();
        }
    }

    /// How long to wait for the next checkpoint at most: what the quickest of them wants. One that is quick and over does not have the controls tried ten times a
    /// second for as long as a slow one takes.
    fn between(&self) -> Duration {
        let all = self.0.borrow();
        let shortest = all.keys().next().copied().unwrap_or(BETWEEN);
        shortest.clamp(BETWEEN_LEAST, BETWEEN)
    }
}

/// The time between two checkpoints that a target's silences want at most; none where it has none.
///
/// A third of the shortest time between the first attempt at an endpoint and the last: a whole checkpoint
/// lies in between then, whenever it begins, and one that is tried twice. Rejections take no time, so that time is one time-out less
/// than what silences take, but that of one attempt, which is made again if it is rejected.
fn between(target: &Target) -> Option<Duration> {
    if target.kind.transport().is_none() || target.barrier == Barrier::Dns {
        return None;
    }
    let times = target.pace.attempts.saturating_sub(1).max(1);
    Some(target.pace.timeout.saturating_mul(times) / 3)
}
