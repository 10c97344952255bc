//! How fast a round goes: when each endpoint is first tried, and how many attempts begin a second.
//!
//! Nothing starts in step. Whoever starts hundreds of connections in one millisecond meets the limits of
//! its own network (new connections a second, NAT ports), and all that is lost looks like a firewall. So
//! every endpoint has an offset of its own within a span that grows with the number of targets, and a
//! cap holds for all of them together. Linux repeats a SYN every second; a span of one second therefore
//! spreads the repeats evenly as well.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use fastrand::Rng;
use tokio::time::{Instant, sleep_until};

use crate::domain::endpoint::Endpoint;

/// How much each target adds to the span of the offsets.
const SHARE: Duration = Duration::from_millis(20);

/// How wide that span is at most.
const WIDEST: Duration = Duration::from_secs(1);

/// The pace of one round, made from its seed.
#[derive(Debug)]
pub(crate) struct Pacing {
    seed: u64,
    span: Duration,
    gap: Duration,
    next: Cell<Instant>,
}

impl Pacing {
    pub(crate) fn new(seed: u64, targets: usize, rate: u32) -> Self {
        let targets = u32::try_from(targets).unwrap_or(u32::MAX);
        Self {
            seed,
            span: SHARE.saturating_mul(targets).min(WIDEST),
            gap: Duration::from_secs(1) / rate.max(1),
            next: Cell::new(Instant::now()),
        }
    }

    /// How long after its turn an endpoint is first tried: the same for the same seed.
    pub(crate) fn offset(&self, endpoint: Endpoint) -> Duration {
        self.span.mul_f64(self.random(endpoint).f64())
    }

    /// How long to wait for the next checkpoint: at least half of `most`, and never longer.
    pub(crate) fn between(&self, most: Duration, number: usize) -> Duration {
        most.mul_f64(0.5 + self.random(number).f64() / 2.0)
    }

    /// These in the order of chance.
    pub(crate) fn shuffled<T>(&self, mut all: Vec<T>) -> Vec<T> {
        Rng::with_seed(self.seed).shuffle(&mut all);
        all
    }

    /// Waits until one more attempt may begin.
    pub(crate) async fn turn(&self) {
        let now = Instant::now();
        let turn = self.next.get().max(now);
        self.next.set(turn + self.gap);
        if turn > now {
            sleep_until(turn).await;
        }
    }

    fn random(&self, about: impl Hash) -> Rng {
        // Its keys are fixed: the seed alone decides.
        let mut hasher = DefaultHasher::new();
        (self.seed, about).hash(&mut hasher);
        Rng::with_seed(hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn no_more_attempts_begin_in_a_second_than_the_rate() {
        let pacing = Pacing::new(1, 0, 10);
        let begun = Instant::now();
        for _ in 0..31 {
            pacing.turn().await;
        }
        assert_eq!(begun.elapsed().as_secs(), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn offsets_follow_from_the_seed_and_fill_the_span() {
        let pacing = |seed| Pacing {
            span: WIDEST,
            ..Pacing::new(seed, 0, 10)
        };
        let at = |seed, port| pacing(seed).offset(Endpoint::tcp([192, 0, 2, 1].into(), port));
        assert_eq!(at(7, 22), at(7, 22));
        assert_ne!(at(7, 22), at(8, 22));
        let tenths: std::collections::BTreeSet<u128> = (0..1_000)
            .map(|port| at(7, port).as_millis() / 100)
            .collect();
        assert_eq!(tenths.len(), 10, "{tenths:?}");
    }
}
