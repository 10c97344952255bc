//! What the checkpoints of one control say about the way to one endpoint.
//!
//! The round judges by this, and so does whoever reads a saved report: both must come to the same.

use super::endpoint::{Endpoint, Family};
use super::observation::{Attempt, Outcome};
use super::reach::Reach;
use super::report::{ControlCheck, ControlEndpoint};
use super::way::{Bearing, Way, bearing};

/// A part of a round, in milliseconds from its start, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// When the first attempt began.
    pub from: u64,
    /// When the last was over.
    pub until: u64,
}

impl Window {
    /// The window in which some attempts were made; none without attempts.
    #[must_use]
    pub fn of(attempts: &[Attempt]) -> Option<Self> {
        let from = attempts.iter().map(|a| a.at_ms).min()?;
        let until = attempts
            .iter()
            .map(|a| a.at_ms.saturating_add(a.took_ms))
            .max()?;
        Some(Self { from, until })
    }

    /// Whether a checkpoint began after the first attempt had, and was over before the last was.
    #[must_use]
    pub fn holds(self, check: &ControlCheck) -> bool {
        self.from <= check.at_ms && end(check) <= self.until
    }

    /// Whether checkpoints lie before, within and after it. What a network did in between is known only
    /// then: an outage that rejects is over before a checkpoint that does not begin within it.
    #[must_use]
    pub fn is_attended(self, checks: &[ControlCheck]) -> bool {
        checks.iter().any(|check| end(check) <= self.from)
            && checks.iter().any(|check| self.holds(check))
            && checks.iter().any(|check| self.until <= check.at_ms)
    }
}

const fn end(check: &ControlCheck) -> u64 {
    check.at_ms.saturating_add(check.took_ms)
}

/// How a control stood for the way to an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stood {
    /// It was reached at every checkpoint, at a place that bears on the endpoint.
    Throughout,
    /// It was reached at every checkpoint, but this was wrong with the place at one at least.
    Elsewhere(Bearing),
    /// At some checkpoint it was not reached over the endpoint's family, or there was none; or one of its
    /// addresses was lost on the way, see [`wavers`].
    Not,
}

/// How a control stood for the way to an endpoint. Of one that answers on every port only what it
/// answered on the endpoint's own port counts, where it was tried there.
#[must_use]
pub fn stood(
    checks: &[ControlCheck],
    every_port: bool,
    endpoint: Endpoint,
    way: Option<&Way>,
) -> Stood {
    let port = every_port
        .then_some(endpoint.port)
        .filter(|port| tried_on(checks, *port));
    let at = |check: &ControlCheck| -> Option<Bearing> {
        let reached = check.endpoints.iter().filter(|seen| {
            seen.reached
                && seen.endpoint.family() == endpoint.family()
                && port.is_none_or(|port| seen.endpoint.port == port)
        });
        let worth =
            |seen: &ControlEndpoint| bearing(seen.endpoint, seen.way.as_ref(), endpoint, way);
        reached.map(worth).min()
    };
    if checks.is_empty() || !every_port && wavers(checks, endpoint.family()) {
        return Stood::Not;
    }
    let Some(worst) = checks
        .iter()
        .map(at)
        // None is less than some, so that one checkpoint without an answer is the least.
        .min_by_key(|seen| seen.map(std::cmp::Reverse))
        .flatten()
    else {
        return Stood::Not;
    };
    match worst {
        Bearing::Bears => Stood::Throughout,
        other => Stood::Elsewhere(other),
    }
}

/// Whether the reverse path filter, which dropped so many packets during the round, may have dropped the
/// answers to all that was sent in the silent attempts at an endpoint.
///
/// The system counts the packets of everybody, and has such a filter for IPv4 alone. Where there are
/// machines that send us what is dropped, a few drops tell nothing; but a door that is open answers each of
/// our packets. At least one a second leaves, and a quarter may be lost on the way.
#[must_use]
pub fn may_be_dropped(drops: u64, endpoint: Endpoint, attempts: &[Attempt]) -> bool {
    let silent = attempts
        .iter()
        .filter(|attempt| attempt.outcome == Outcome::Reached(Reach::NoAnswer));
    let sent: u64 = silent.map(|attempt| attempt.took_ms / 1_000 + 1).sum();
    endpoint.family() == Family::Ipv4
        && sent > 0
        && drops.saturating_mul(4) >= sent.saturating_mul(3)
}

/// Whether some address of a control was reached at one checkpoint and not at another. The way to a part of
/// the world was gone for a while, and that another address of the control lies elsewhere tells nothing of
/// where the target lies.
#[must_use]
pub fn wavers(checks: &[ControlCheck], family: Family) -> bool {
    let all = || checks.iter().flat_map(|check| &check.endpoints);
    let mut lost = all().filter(|seen| !seen.reached && seen.endpoint.family() == family);
    lost.any(|lost| all().any(|seen| seen.reached && seen.endpoint == lost.endpoint))
}

/// Whether a control that answers on every port was tried on this one.
#[must_use]
pub fn tried_on(checks: &[ControlCheck], port: Option<u16>) -> bool {
    let mut endpoints = checks.iter().flat_map(|check| &check.endpoints);
    endpoints.any(|seen| seen.endpoint.port == port)
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::domain::way::Distance;

    fn endpoint(address: &str, port: u16) -> Endpoint {
        Endpoint::tcp(address.parse::<IpAddr>().unwrap(), port)
    }

    fn attempt(at_ms: u64, took_ms: u64) -> Attempt {
        Attempt {
            at_ms,
            took_ms,
            outcome: Outcome::Reached(Reach::Connected),
            evidence: None,
        }
    }

    fn check(at_ms: u64, took_ms: u64, seen: &[(&str, u16, bool)]) -> ControlCheck {
        ControlCheck {
            at_ms,
            took_ms,
            endpoints: seen
                .iter()
                .map(|(address, port, reached)| ControlEndpoint {
                    endpoint: endpoint(address, *port),
                    reached: *reached,
                    way: None,
                    last: attempt(at_ms, took_ms),
                })
                .collect(),
            name: None,
        }
    }

    #[test]
    fn a_window_wants_a_checkpoint_before_within_and_after() {
        let window = Window::of(&[attempt(100, 0), attempt(4_500, 0)]).unwrap();
        assert_eq!(
            window,
            Window {
                from: 100,
                until: 4_500
            }
        );
        let at = |times: &[(u64, u64)]| -> Vec<ControlCheck> {
            times
                .iter()
                .map(|(at, took)| check(*at, *took, &[]))
                .collect()
        };
        assert!(window.is_attended(&at(&[(0, 90), (2_000, 30), (4_500, 30)])));
        for broken in [
            at(&[]),
            at(&[(0, 90), (4_500, 30)]),
            at(&[(0, 90), (2_000, 2_501), (4_600, 30)]),
            at(&[(0, 90), (99, 30), (4_600, 30)]),
            at(&[(0, 101), (2_000, 30), (4_600, 30)]),
            at(&[(0, 90), (2_000, 30), (4_499, 30)]),
        ] {
            assert!(!window.is_attended(&broken), "{broken:?}");
        }
        assert_eq!(Window::of(&[]), None);
    }

    #[test]
    fn one_checkpoint_without_an_answer_is_enough_to_have_not_stood() {
        let target = endpoint("5.5.5.5", 22);
        let control = |reached| check(0, 10, &[("9.9.9.9", 443, reached)]);
        let whole = [control(true), control(true)];
        assert_eq!(stood(&whole, false, target, None), Stood::Throughout);
        let gap = [control(true), control(false), control(true)];
        assert_eq!(stood(&gap, false, target, None), Stood::Not);
        assert_eq!(stood(&[], false, target, None), Stood::Not);
        let six = endpoint("2a00::1", 22);
        assert_eq!(stood(&whole, false, six, None), Stood::Not);
    }

    #[test]
    fn drops_count_where_they_may_be_all_of_the_answers() {
        let silent = |took_ms| Attempt {
            outcome: Outcome::Reached(Reach::NoAnswer),
            ..attempt(0, took_ms)
        };
        let target = endpoint("5.5.5.5", 22);
        let default = [silent(4_400), silent(4_401), silent(4_400)];
        assert!(may_be_dropped(12, target, &default));
        assert!(!may_be_dropped(11, target, &default));
        assert!(may_be_dropped(1, target, &[silent(600)]));
        assert!(!may_be_dropped(0, target, &[silent(600)]));
        // A rejection was heard, and IPv6 has no such filter.
        assert!(!may_be_dropped(99, target, &[attempt(0, 0)]));
        assert!(!may_be_dropped(99, endpoint("2a00::1", 22), &default));
    }

    #[test]
    fn an_address_that_is_lost_on_the_way_is_not_made_up_for_by_another() {
        let target = endpoint("5.5.5.5", 22);
        let seen = |second| check(0, 10, &[("9.9.9.9", 443, true), ("8.8.8.8", 443, second)]);
        let stood = |checks: &[ControlCheck]| stood(checks, false, target, None);
        assert_eq!(stood(&[seen(true), seen(false), seen(true)]), Stood::Not);
        // It never answered, which tells of itself.
        assert_eq!(stood(&[seen(false), seen(false)]), Stood::Throughout);
        assert_eq!(stood(&[seen(true), seen(true)]), Stood::Throughout);
    }

    #[test]
    fn a_control_on_every_port_speaks_by_the_port_that_it_was_tried_on() {
        let checks = [check(
            0,
            10,
            &[("9.9.9.9", 22, true), ("9.9.9.9", 25, false)],
        )];
        let on = |port| stood(&checks, true, endpoint("5.5.5.5", port), None);
        assert_eq!(on(22), Stood::Throughout);
        assert_eq!(on(25), Stood::Not);
        // Not tried there: it says that the way is there, and nothing about the port.
        assert_eq!(on(80), Stood::Throughout);
    }

    #[test]
    fn what_is_near_or_elsewhere_does_not_speak_for_what_is_far() {
        let way = |distance, interface: &str| Way {
            distance,
            interface: interface.to_owned(),
            gateway: None,
            source: None,
        };
        let target = endpoint("5.5.5.5", 22);
        let here = way(Distance::Beyond, "eth0");
        for (address, there, expected) in [
            ("9.9.9.9", way(Distance::Beyond, "eth0"), Stood::Throughout),
            (
                "9.9.9.9",
                way(Distance::Beyond, "tun0"),
                Stood::Elsewhere(Bearing::OtherWay),
            ),
            (
                "9.9.9.9",
                way(Distance::OwnNetwork, "eth0"),
                Stood::Elsewhere(Bearing::TooNear),
            ),
            (
                "9.9.9.9",
                way(Distance::ThisMachine, "lo"),
                Stood::Elsewhere(Bearing::TooNear),
            ),
            (
                "10.0.0.9",
                way(Distance::Beyond, "eth0"),
                Stood::Elsewhere(Bearing::Private),
            ),
        ] {
            let mut seen = check(0, 10, &[(address, 22, true)]);
            seen.endpoints[0].way = Some(there.clone());
            let found = stood(std::slice::from_ref(&seen), false, target, Some(&here));
            assert_eq!(found, expected, "{address} {there:?}");
            // Once is enough.
            let mut well = check(20, 10, &[("9.9.9.9", 22, true)]);
            well.endpoints[0].way = Some(here.clone());
            for checks in [[well.clone(), seen.clone()], [seen.clone(), well]] {
                let found = stood(&checks, false, target, Some(&here));
                assert_eq!(found, expected, "{address} {there:?}");
            }
        }
    }
}
