//! A second look at some of what was silent: alone, and late.
//!
//! A network that lets only so many new connections a second out makes silences of the rest, and the
//! controls may have had luck. So a few of the silent endpoints are tried again when everything else is
//! over, one shortly after another. Where one of them answers, no silence of the round counts, and the pace is
//! said to be the cause.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::set::Means;
use super::watch::{Sight, Tried};
use super::world::World;
use crate::domain::observation::{Attempt, Outcome};
use crate::domain::reach::Reach;

/// How many endpoints make a crowd: below, there is nothing that a look alone could tell.
const CROWD: usize = 5;

/// How many are looked at again, and how many at one address.
const SOME: usize = 8;
const SOME_AT_ONE: usize = 2;

/// How long after one another they are.
const APART: Duration = Duration::from_millis(50);

/// How long such a look takes: two SYNs.
const PATIENCE: Duration = Duration::from_millis(1_200);

/// Looks again, and adds what was seen where something answered. Says whether anything did.
pub(crate) async fn look<W: World>(means: &Means<'_, W>, sights: &mut [Sight]) -> bool {
    let course = means.course;
    let tried: usize = sights.iter().map(|sight| sight.endpoints.len()).sum();
    if tried < CROWD || course.stop.is_stopped() {
        return false;
    }
    let silent = sights.iter().enumerate().flat_map(|(target, sight)| {
        let endpoints = sight.endpoints.iter().enumerate();
        let silent = endpoints.filter(|(_, tried)| is_silent(tried));
        silent.map(move |(place, tried)| (target, place, tried.endpoint))
    });
    let mut at_one = HashMap::new();
    let mut some = means.pacing().shuffled(silent.collect());
    some.retain(|(_, _, endpoint)| {
        let number = at_one.entry(endpoint.address).or_insert(0_usize);
        *number += 1;
        *number <= SOME_AT_ONE.min(means.plan.per_host)
    });
    some.truncate(SOME.min(means.concurrency()));
    let looks =
        some.into_iter()
            .zip(0_u32..)
            .map(|((index, place, endpoint), number)| async move {
                let (target, denial) = means.target(index)?;
                tokio::time::sleep(APART * number).await;
                means.pacing().turn().await;
                let begun = Instant::now();
                let patience = PATIENCE.min(target.pace.timeout);
                let climb = course
                    .world
                    .climb(endpoint, &target.kind, denial, begun + patience);
                let seen = course.stop.or(climb).await?;
                let answered =
                    matches!(seen.outcome, Outcome::Reached(reach) if reach >= Reach::Connected);
                answered.then(|| (index, place, course.attempt(begun, seen)))
            });
    let answered: Vec<(usize, usize, Attempt)> =
        join_all(looks).await.into_iter().flatten().collect();
    let any = !answered.is_empty();
    for (index, place, attempt) in answered {
        if let Some(tried) = sights
            .get_mut(index)
            .and_then(|s| s.endpoints.get_mut(place))
        {
            tried.attempts.push(attempt);
        }
    }
    any
}

/// Whether nothing at all was heard, in all the attempts that were to be made.
fn is_silent(tried: &Tried) -> bool {
    let silent = |attempt: &Attempt| attempt.outcome == Outcome::Reached(Reach::NoAnswer);
    !tried.companion
        && tried.complete
        && !tried.attempts.is_empty()
        && tried.attempts.iter().all(silent)
}
