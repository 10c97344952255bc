//! One set of attempts: targets looked at side by side, with the controls tried in between.
//!
//! The checkpoints before and after it are the round's.

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
    between: Duration,
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
            between: between(plan),
        }
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
        let looking = self.look(names, which, progress);
        tokio::pin!(looking);
        for number in 0_usize.. {
            let pause = self.pacing().between(self.between, number);
            tokio::select! {
                biased;
                sights = &mut looking => return sights,
                () = tokio::time::sleep(pause) => {}
            }
            // Both go on at once: the control must get through while the probes are under way. A check
            // that the end of the probes overtakes is given up; the one that follows says as much.
            tokio::select! {
                biased;
                sights = &mut looking => return sights,
                () = controls.check(self.course, names, self.between) => {}
            }
        }
        looking.await
    }

    /// Looks at some targets, at most so many at once.
    async fn look(&self, names: &Names, which: &[usize], progress: &dyn Fn(usize)) -> Vec<Sight> {
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

/// How long to wait between two checkpoints at most, and how long a control may take at one of them.
///
/// A third of the shortest time between the first attempt at an endpoint and the last: a whole checkpoint
/// lies in between then, whenever it begins, and one that is tried twice. Rejections take no time, so that time is one time-out less
/// than what silences take, but that of one attempt, which is made again if it is rejected.
fn between(plan: &Plan) -> Duration {
    let silences = plan
        .targets
        .iter()
        .filter(|target| target.kind.transport().is_some() && target.barrier != Barrier::Dns)
        .map(|target| {
            let times = target.pace.attempts.saturating_sub(1).max(1);
            target.pace.timeout.saturating_mul(times) / 3
        });
    silences
        .min()
        .unwrap_or(BETWEEN)
        .clamp(BETWEEN_LEAST, BETWEEN)
}
