//! The attempts against one endpoint: spread in time, ended early only by an exposure.
//!
//! They are spread by the time-out whatever they heard. A rejection is there at once, so that a network
//! that rejects for a moment would give one answer to all of them, between two checkpoints.

use tokio::time::Instant;

use super::limits::Slots;
use super::stop::Stop;
use super::world::World;
use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Attempt, Observation, Outcome};
use crate::domain::reach::Reach;
use crate::domain::target::{Pace, TargetKind};
use crate::probe::CompiledDenial;

/// What every attempt of a round shares.
pub(crate) struct Course<'a, W> {
    pub(crate) world: &'a W,
    /// The start of the round.
    pub(crate) started: Instant,
    pub(crate) stop: &'a Stop,
}

impl<W> Course<'_, W> {
    /// Milliseconds since the start of the round.
    pub(crate) fn elapsed_ms(&self) -> u64 {
        millis(self.started, Instant::now())
    }

    /// An attempt that began then and is over now.
    pub(crate) fn attempt(&self, begun: Instant, seen: Observation) -> Attempt {
        Attempt {
            at_ms: millis(self.started, begun),
            took_ms: millis(begun, Instant::now()),
            outcome: seen.outcome,
            evidence: seen.evidence,
        }
    }
}

fn millis(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_millis()).unwrap_or(u64::MAX)
}

impl<W: World> Course<'_, W> {
    /// How many packets the reverse path filter dropped since it counted so many; none where the system
    /// does not tell.
    pub(crate) fn dropped_since(&self, before: Option<u64>) -> Option<u64> {
        let now = self.world.reverse_path_drops()?;
        Some(now.saturating_sub(before?))
    }
}

/// What is tried, how often, and when it is enough.
pub(crate) struct Task<'a, E> {
    pub(crate) endpoint: Endpoint,
    pub(crate) kind: &'a TargetKind,
    pub(crate) denial: &'a CompiledDenial,
    pub(crate) pace: &'a Pace,
    /// Whether a rejection is asked for a second time where the pace wants one attempt only: alone it
    /// takes no time, and no checkpoint fits into it.
    pub(crate) again: bool,
    /// Whether this observation makes further attempts needless.
    pub(crate) enough: E,
}

/// How many files an attempt holds at once. Over TCP one flow goes beside the first; over UDP three
/// ports ask in turn; QUIC asks for versions and shakes hands on two sockets.
const fn files(kind: &TargetKind) -> u32 {
    match kind {
        TargetKind::Url(_) | TargetKind::Tcp { .. } | TargetKind::Quic { .. } => 2,
        TargetKind::Udp { .. } => 3,
        TargetKind::Icmp { .. } | TargetKind::Dns { .. } => 1,
    }
}

/// Whether somebody said no at the network: it takes no time.
const fn is_rejection(outcome: Outcome) -> bool {
    matches!(
        outcome,
        Outcome::Reached(Reach::Refused | Reach::Prohibited)
    )
}

/// Makes the attempts. Controls pass no `slots`: they must get through where the targets wait.
///
/// Gives the attempts in order, and whether they are complete: false where the round was stopped
/// before the last of them was over, unless an earlier one was enough.
pub(crate) async fn attempts<W: World>(
    course: &Course<'_, W>,
    slots: Option<&Slots>,
    task: Task<'_, impl Fn(&Observation) -> bool>,
) -> (Vec<Attempt>, bool) {
    let mut attempts = Vec::new();
    let mut complete = true;
    let spread = task.pace.interval.max(task.pace.timeout);
    let offset = slots.map(|slots| slots.pacing.offset(task.endpoint));
    let mut due = Instant::now() + offset.unwrap_or_default();
    let mut left = task.pace.attempts.max(1);
    while left > 0 {
        left -= 1;
        let slot = course
            .stop
            .or(async {
                tokio::time::sleep_until(due).await;
                match slots {
                    Some(slots) => {
                        let files = files(task.kind);
                        slots.take(task.endpoint.address, files).await.map(Some)
                    }
                    None => Ok(None),
                }
            })
            .await;
        // The semaphores are never closed, so only a stop leads to the second arm.
        let Some(Ok(_slot)) = slot else {
            complete = false;
            break;
        };
        let begun = Instant::now();
        due = begun + spread;
        let climb = course.world.climb(
            task.endpoint,
            task.kind,
            task.denial,
            begun + task.pace.timeout,
        );
        let Some(observation) = course.stop.or(climb).await else {
            complete = false;
            break;
        };
        let enough = (task.enough)(&observation);
        let alone = task.again && attempts.is_empty() && left == 0;
        if alone && is_rejection(observation.outcome) {
            left = 1;
        }
        attempts.push(course.attempt(begun, observation));
        if enough {
            break;
        }
    }
    attempts.shrink_to_fit();
    (attempts, complete)
}
