//! The attempts against one endpoint: spread in time, ended early only by an exposure.

use tokio::time::Instant;

use super::limits::Slots;
use super::stop::Stop;
use super::world::World;
use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Attempt, Blind, Observation};
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
}

fn millis(from: Instant, to: Instant) -> u64 {
    u64::try_from(to.saturating_duration_since(from).as_millis()).unwrap_or(u64::MAX)
}

/// What is tried, how often, and when it is enough.
pub(crate) struct Task<'a, E> {
    pub(crate) endpoint: Endpoint,
    pub(crate) kind: &'a TargetKind,
    pub(crate) denial: &'a CompiledDenial,
    pub(crate) pace: &'a Pace,
    /// Whether this observation makes further attempts needless.
    pub(crate) enough: E,
}

/// Makes the attempts. Controls pass no `slots`: they must get through where the targets wait.
///
/// If the round is stopped, the last attempt is blind (`interrupted`), unless it was enough.
pub(crate) async fn attempts<W: World>(
    course: &Course<'_, W>,
    slots: Option<&Slots>,
    task: Task<'_, impl Fn(&Observation) -> bool>,
) -> Vec<Attempt> {
    let mut attempts = Vec::new();
    let first = Instant::now();
    for number in 0..task.pace.attempts.max(1) {
        let due = first + task.pace.interval.saturating_mul(number);
        let slot = course
            .stop
            .or(async {
                tokio::time::sleep_until(due).await;
                match slots {
                    Some(slots) => slots.take(task.endpoint.address).await.map(Some),
                    None => Ok(None),
                }
            })
            .await;
        // The semaphores are never closed, so only a stop leads to the second arm.
        let Some(Ok(_slot)) = slot else {
            attempts.push(interrupted(course.elapsed_ms()));
            break;
        };
        let begun = Instant::now();
        let climb = course.world.climb(
            task.endpoint,
            task.kind,
            task.denial,
            begun + task.pace.timeout,
        );
        let observation = course
            .stop
            .or(climb)
            .await
            .unwrap_or_else(|| Observation::blind(Blind::Interrupted, None));
        let enough = (task.enough)(&observation);
        attempts.push(Attempt {
            at_ms: millis(course.started, begun),
            took_ms: millis(begun, Instant::now()),
            outcome: observation.outcome,
            evidence: observation.evidence,
        });
        if enough || course.stop.is_stopped() {
            if !enough && attempts.len() < task.pace.attempts as usize {
                attempts.push(interrupted(course.elapsed_ms()));
            }
            break;
        }
    }
    attempts.shrink_to_fit();
    attempts
}

fn interrupted(at_ms: u64) -> Attempt {
    Attempt {
        at_ms,
        took_ms: 0,
        outcome: crate::domain::observation::Outcome::Blind(Blind::Interrupted),
        evidence: None,
    }
}
