//! Whether a control had to be sent to again while targets were tried, and only then: then it was the round
//! that made packets go missing.
//!
//! One lost packet is chance, and the more often a control is tried, the more of them are. A long round
//! tries it hundreds of times, and one on every port at dozens of places each time.

use crate::domain::report::{ControlCheck, ControlEndpoint};

/// In how many tries more one packet may be lost by chance. At a loss of one in a hundred each way, more
/// than that come about in one round of fifty at most, whatever the number of tries.
const BY_CHANCE: usize = 12;

/// How much rarer a loss must be before and after than in between.
const RARER: usize = 4;

/// Tries that were heard, and how many of them took more than one packet.
#[derive(Clone, Copy, Default)]
struct Tries {
    heard: usize,
    again: usize,
}

impl Tries {
    fn of(checks: &[ControlCheck]) -> Self {
        let all = checks.iter().flat_map(|check| &check.endpoints);
        all.filter(|seen| seen.reached)
            .fold(Self::default(), |so_far, seen| Self {
                heard: so_far.heard + 1,
                again: so_far.again + usize::from(was_sent_again(seen)),
            })
    }

    fn with(self, other: Self) -> Self {
        Self {
            heard: self.heard + other.heard,
            again: self.again + other.again,
        }
    }

    /// Whether packets were lost this many times as often as in the other's.
    fn is_lossier(self, times: usize, than: Self) -> bool {
        let (own, other) = (self.again * than.heard, than.again * self.heard);
        own > 0 && own >= other.saturating_mul(times)
    }
}

/// Whether its packets went missing in the crowd, at checkpoints between the first and the last.
pub(super) fn lost_in_the_crowd(checks: &[ControlCheck]) -> bool {
    let [first, between @ .., last] = checks else {
        return false;
    };
    let crowd = Tries::of(between);
    let edges = Tries::of(std::slice::from_ref(first)).with(Tries::of(std::slice::from_ref(last)));
    crowd.again > 1 + crowd.heard / BY_CHANCE && crowd.is_lossier(RARER, edges)
}

/// Whether more than one packet was needed to be heard.
fn was_sent_again(seen: &ControlEndpoint) -> bool {
    let evidence = seen.last.evidence.as_ref();
    let datagrams = evidence.and_then(|e| e.udp.as_ref()).map(|udp| udp.sent);
    let syns = evidence
        .and_then(|e| e.tcp.as_ref())
        .map(|tcp| u32::from(tcp.syns));
    datagrams.max(syns).is_some_and(|sent| sent > 1)
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;
    use crate::domain::endpoint::Endpoint;
    use crate::domain::observation::{Attempt, Evidence, Outcome, TcpEvidence};
    use crate::domain::reach::Reach;

    /// A checkpoint at which the control was reached at so many places, some of them at the second try.
    fn check(again: &[bool]) -> ControlCheck {
        let place = |again: &bool| ControlEndpoint {
            endpoint: Endpoint::tcp([9, 9, 9, 9].into(), 443),
            reached: true,
            way: None,
            last: Attempt {
                at_ms: 0,
                took_ms: 20,
                outcome: Outcome::Reached(Reach::Connected),
                evidence: again.then(|| {
                    Box::new(Evidence {
                        tcp: Some(TcpEvidence {
                            syns: 2,
                            ..TcpEvidence::default()
                        }),
                        ..Evidence::default()
                    })
                }),
            },
        };
        ControlCheck {
            at_ms: 0,
            took_ms: 20,
            endpoints: again.iter().map(place).collect(),
            name: None,
        }
    }

    /// In how many of a thousand rounds a control is doubted, at these odds of a packet to be lost before
    /// and after, and in between.
    fn doubted(places: usize, checks: usize, edges: f64, crowd: f64) -> usize {
        let mut rng = Rng::with_seed(7);
        let mut one = |odds: f64| {
            let again: Vec<bool> = (0..places).map(|_| rng.f64() < odds).collect();
            check(&again)
        };
        (0..1_000)
            .filter(|_| {
                let mut all = vec![one(edges)];
                all.extend((0..checks).map(|_| one(crowd)));
                all.push(one(edges));
                lost_in_the_crowd(&all)
            })
            .count()
    }

    /// One in a hundred is lost each way: an ordinary wire, in rounds short and long, with controls of one
    /// address, of several, and on every port.
    #[test]
    fn an_ordinary_wire_is_not_doubted() {
        for (places, checks) in [
            (1, 8),
            (1, 40),
            (1, 300),
            (4, 8),
            (4, 300),
            (20, 8),
            (128, 8),
        ] {
            let wrong = doubted(places, checks, 0.02, 0.02);
            assert!(wrong <= 25, "{places} places, {checks} checks: {wrong}");
        }
    }

    #[test]
    fn a_limit_that_the_round_runs_into_is_found() {
        for (places, checks) in [(1, 8), (1, 40), (4, 8), (20, 8), (128, 8)] {
            let found = doubted(places, checks, 0.0, 0.5);
            assert!(found >= 950, "{places} places, {checks} checks: {found}");
        }
    }

    #[test]
    fn what_is_lossy_all_the_time_is_no_fault_of_the_rounds() {
        for (places, checks) in [(4, 8), (20, 8), (128, 8)] {
            let wrong = doubted(places, checks, 0.4, 0.4);
            assert!(wrong <= 50, "{places} places, {checks} checks: {wrong}");
        }
        assert!(!lost_in_the_crowd(&[check(&[true]), check(&[true])]));
        assert!(!lost_in_the_crowd(&[]));
    }
}
