//! From error numbers and ICMP messages to what they mean: the only place that decides.
//!
//! | seen while connecting | outcome |
//! | --- | --- |
//! | RST in answer to the SYN (`ECONNREFUSED`, error queue empty) | `refused` |
//! | any ICMP destination unreachable from another machine | `prohibited` |
//! | an ICMP error that this very machine sent | blind: `local_unreachable` |
//! | a RST that this very machine sent in another's name | blind: `local_unreachable` |
//! | ICMP time exceeded, parameter problem, packet too big | blind: `no_route` |
//! | `ECONNRESET`, `EPIPE` | `connected`: TCP says that only after a completed handshake |
//! | `ETIMEDOUT` (the kernel gave up), or nothing until the deadline | `no_answer` |
//! | nothing, and our own stack did not let the last SYN go | blind: `local_unreachable` |
//! | `EHOSTUNREACH` without an ICMP message | blind: `local_unreachable` |
//! | everything else | blind, by number |
//!
//! Why the third to fifth rows are blind: an error of our own stack or a routing loop tells about
//! the way, not about the door. Nobody turned us away, and an outsider on another way may get in.
//! Port unreachable is `prohibited` for TCP, although it ends in `ECONNREFUSED`: hosts answer a SYN
//! to a closed port with a reset (RFC 9293 section 3.10.7.1), so it comes from a packet filter.
//!
//! Over UDP there is no reset, and port unreachable is what a host says itself of a port where nobody
//! listens (RFC 1122 section 4.1.3.1, RFC 4443 section 3.1):
//!
//! | seen after a datagram was sent | outcome |
//! | --- | --- |
//! | ICMP port unreachable from the target's own address | `refused` |
//! | any other ICMP destination unreachable, or one from another machine | `prohibited` |
//! | `ECONNREFUSED` without an ICMP message (systems without an error queue) | `refused`: from whom is not known |
//! | everything else | blind, as above; no error number says that UDP was heard |
//!
//! An ICMP echo request knows no reset and no handshake. ICMP messages mean for it what they mean for
//! TCP. An error number without one says that this machine could not look, whatever it is, but for
//! `ECONNREFUSED` on systems without an error queue, where it stands for an unreachable.
//!
//! Limits: a reset or a port unreachable that a firewall forges in the target's name looks like the
//! target's own; the controls of the round are there for that.

use std::io;
use std::net::IpAddr;

use crate::domain::observation::{
    Blind, Evidence, IcmpError, Middlebox, Observation, Outcome, StoppedBy, TcpEvidence,
};
use crate::domain::reach::Reach;

use super::sys::{self, Cause, Origin, Queued};

/// What a failed connect means, given what lay in the error queue.
#[must_use]
pub(super) fn connect(error: &io::Error, queued: &[Queued]) -> Observation {
    icmp(queued).unwrap_or_else(|| errno(error))
}

/// What the error queue means; `None` where nothing of meaning lies in it. Of several messages an
/// unreachable from another machine counts most: that one was turned away.
#[must_use]
pub(super) fn icmp(queued: &[Queued]) -> Option<Observation> {
    queued
        .iter()
        .map(message)
        .max_by_key(|(weight, _)| *weight)
        .map(|(_, observation)| observation)
}

/// What came back, instead of an answer, for a datagram to `target`; `None` where nothing did.
#[must_use]
pub(super) fn datagram(
    error: Option<&io::Error>,
    queued: &[Queued],
    target: IpAddr,
) -> Option<Observation> {
    queued
        .iter()
        .map(|queued| from_target(queued, target).unwrap_or_else(|| message(queued)))
        .max_by_key(|(weight, _)| *weight)
        .map(|(_, observation)| observation)
        .or_else(|| error.map(datagram_errno))
}

/// Port unreachable in the target's own name. It counts most, because the datagram got furthest; and
/// it counts although the target may be this very machine, which then is where the door is.
fn from_target(queued: &Queued, target: IpAddr) -> Option<(u8, Observation)> {
    let v6 = match queued.origin {
        Origin::Local => return None,
        Origin::Icmp => false,
        Origin::Icmp6 => true,
    };
    let port_unreachable = (queued.kind, queued.code) == if v6 { (1, 4) } else { (3, 3) };
    let from = queued.offender?.ip().to_canonical();
    if !port_unreachable || from != target.to_canonical() {
        return None;
    }
    let error = IcmpError {
        kind: queued.kind,
        code: queued.code,
        from: Some(from),
        v6,
    };
    let observation = Observation::reached(Reach::Refused, Some(StoppedBy::Icmp(error)));
    Some((4, observation))
}

/// What an error number alone means for a datagram. It never means silence, nor that anybody heard.
fn datagram_errno(error: &io::Error) -> Observation {
    let Some(number) = error.raw_os_error() else {
        return errno(error);
    };
    let blind = match sys::cause(number) {
        Cause::Refused => return Observation::reached(Reach::Refused, Some(stop(number))),
        // So Windows says it (`recvfrom`, Winsock reference). Elsewhere it cannot be about a datagram.
        Cause::Reset if cfg!(windows) => {
            return Observation::reached(Reach::Refused, Some(stop(number)));
        }
        // The sockets here wait for nobody: EAGAIN is a full queue of our own.
        Cause::NoLocalPort if error.kind() == io::ErrorKind::WouldBlock => Blind::NoBuffers,
        Cause::TimedOut | Cause::Reset => Blind::LocalError,
        Cause::HostUnreachable
        | Cause::NoRoute
        | Cause::NoLocalPort
        | Cause::NotPermitted
        | Cause::TooManyFiles
        | Cause::NoBuffers
        | Cause::NoFamily
        | Cause::Aborted
        | Cause::Other => return errno(error),
    };
    Observation::blind(blind, Some(stop(number)))
}

/// Why this machine could not send at all; `None` where the error is not its own. For sockets that
/// are not an attempt against a target.
#[must_use]
pub(super) fn local(error: &io::Error) -> Option<Blind> {
    match errno(error).outcome {
        Outcome::Blind(Blind::LocalError) | Outcome::Reached(_) => None,
        Outcome::Blind(blind) => Some(blind),
    }
}

/// Nothing came until the deadline. `unsent` says that our own stack held the last SYN back.
#[must_use]
pub(super) fn silence(unsent: bool) -> Observation {
    if unsent {
        Observation::blind(Blind::LocalUnreachable, Some(StoppedBy::Silence))
    } else {
        Observation::reached(Reach::NoAnswer, None)
    }
}

/// One queued error with its weight among several.
fn message(queued: &Queued) -> (u8, Observation) {
    let v6 = match queued.origin {
        Origin::Local => {
            return (
                1,
                Observation::blind(Blind::LocalUnreachable, Some(stop(queued.errno))),
            );
        }
        Origin::Icmp => false,
        Origin::Icmp6 => true,
    };
    let error = StoppedBy::Icmp(IcmpError {
        kind: queued.kind,
        code: queued.code,
        from: queued.offender.map(|from| from.ip()),
        v6,
    });
    if queued.offender.is_some_and(sys::is_own) {
        (2, Observation::blind(Blind::LocalUnreachable, Some(error)))
    } else if is_unreachable(v6, queued.kind, queued.code) {
        (3, Observation::reached(Reach::Prohibited, Some(error)))
    } else {
        (0, Observation::blind(Blind::NoRoute, Some(error)))
    }
}

/// Destination unreachable: type 3 of RFC 792 but for "fragmentation needed", type 1 of RFC 4443.
const fn is_unreachable(v6: bool, kind: u8, code: u8) -> bool {
    if v6 {
        kind == 1
    } else {
        kind == 3 && code != 4
    }
}

/// What an error number alone means.
fn errno(error: &io::Error) -> Observation {
    let Some(number) = error.raw_os_error() else {
        return Observation::blind(
            Blind::LocalError,
            Some(StoppedBy::Errno {
                errno: 0,
                text: error.to_string(),
            }),
        );
    };
    let blind = match sys::cause(number) {
        // Without an error queue a reset and a firewall's port unreachable are one: say no more
        // than the number says.
        Cause::Refused if cfg!(target_os = "linux") => {
            return Observation::reached(Reach::Refused, Some(StoppedBy::Reset));
        }
        Cause::Refused => return Observation::reached(Reach::Refused, Some(stop(number))),
        // A reset in answer to a SYN is ECONNREFUSED. These two say that the connection had been
        // there, and one positive is never voted down.
        Cause::Reset => return reset_at_once(),
        Cause::TimedOut => return Observation::reached(Reach::NoAnswer, Some(stop(number))),
        Cause::HostUnreachable => Blind::LocalUnreachable,
        Cause::NoRoute => Blind::NoRoute,
        Cause::NoLocalPort => Blind::NoLocalPort,
        Cause::NotPermitted => Blind::NotPermitted,
        Cause::TooManyFiles => Blind::TooManyFiles,
        Cause::NoBuffers => Blind::NoBuffers,
        Cause::NoFamily => Blind::NoFamily,
        Cause::Aborted | Cause::Other => Blind::LocalError,
    };
    Observation::blind(blind, Some(stop(number)))
}

/// Whether the kernel gave a connect up because nothing came.
#[must_use]
pub(super) fn is_given_up(seen: &Observation) -> bool {
    seen.outcome == Outcome::Reached(Reach::NoAnswer)
}

/// Whether a connect was answered with a reset, and nothing else is known of it.
#[must_use]
pub(super) fn is_reset(seen: &Observation) -> bool {
    *seen == Observation::reached(Reach::Refused, Some(StoppedBy::Reset))
}

/// A reset from a rule of this very machine.
#[must_use]
pub(super) fn own_reset() -> Observation {
    Observation::blind(Blind::LocalUnreachable, Some(StoppedBy::Reset))
}

/// A handshake with a reset right behind it.
#[must_use]
pub(super) fn reset_at_once() -> Observation {
    Observation {
        outcome: Outcome::Reached(Reach::Connected),
        evidence: Some(Box::new(Evidence {
            stopped_by: Some(StoppedBy::Reset),
            tcp: Some(TcpEvidence {
                middlebox: vec![Middlebox::ResetAtOnce],
                ..TcpEvidence::default()
            }),
            ..Evidence::default()
        })),
    }
}

/// What an error number alone means for an ICMP echo request.
#[must_use]
pub(super) fn echo(error: &io::Error) -> Observation {
    let Some(number) = error.raw_os_error() else {
        return errno(error);
    };
    match sys::cause(number) {
        // Where there is a queue, the unreachable lies in it. Not finding it there means not knowing
        // who sent it, and that may have been this very machine.
        Cause::Refused if cfg!(not(target_os = "linux")) => {
            Observation::reached(Reach::Prohibited, Some(stop(number)))
        }
        Cause::Refused | Cause::Reset | Cause::TimedOut => {
            Observation::blind(Blind::LocalError, Some(stop(number)))
        }
        Cause::HostUnreachable
        | Cause::NoRoute
        | Cause::NoLocalPort
        | Cause::NotPermitted
        | Cause::TooManyFiles
        | Cause::NoBuffers
        | Cause::NoFamily
        | Cause::Aborted
        | Cause::Other => errno(error),
    }
}

/// What it means that no socket for ICMP echo could be had.
#[must_use]
pub(super) fn no_echo_socket(error: &io::Error) -> Observation {
    match error.raw_os_error() {
        Some(number) if sys::cause(number) == Cause::NotPermitted => {
            Observation::blind(Blind::NoEchoSocket, Some(stop(number)))
        }
        Some(_) | None => echo(error),
    }
}

fn stop(errno: i32) -> StoppedBy {
    StoppedBy::Errno {
        errno,
        text: sys::name(errno),
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use nix::errno::Errno;

    use super::*;

    fn from(kind: u8, code: u8, offender: &str) -> Queued {
        let offender: std::net::IpAddr = offender.parse().unwrap();
        Queued {
            origin: if offender.is_ipv6() {
                Origin::Icmp6
            } else {
                Origin::Icmp
            },
            kind,
            code,
            offender: Some((offender, 0).into()),
            errno: Errno::ECONNREFUSED as i32,
        }
    }

    fn error(errno: Errno) -> io::Error {
        io::Error::from_raw_os_error(errno as i32)
    }

    fn by_number(errno: Errno) -> Outcome {
        connect(&error(errno), &[]).outcome
    }

    fn by_message(queued: Queued) -> Outcome {
        connect(&error(Errno::ECONNREFUSED), &[queued]).outcome
    }

    #[test]
    fn every_number_that_says_this_machine_could_not_look_is_blind() {
        for (errno, blind) in [
            (Errno::EHOSTUNREACH, Blind::LocalUnreachable),
            (Errno::EHOSTDOWN, Blind::LocalUnreachable),
            (Errno::ENETUNREACH, Blind::NoRoute),
            (Errno::ENETDOWN, Blind::NoRoute),
            (Errno::EADDRNOTAVAIL, Blind::NoLocalPort),
            (Errno::EADDRINUSE, Blind::NoLocalPort),
            (Errno::EAGAIN, Blind::NoLocalPort),
            (Errno::EPERM, Blind::NotPermitted),
            (Errno::EACCES, Blind::NotPermitted),
            (Errno::EMFILE, Blind::TooManyFiles),
            (Errno::ENFILE, Blind::TooManyFiles),
            (Errno::ENOBUFS, Blind::NoBuffers),
            (Errno::ENOMEM, Blind::NoBuffers),
            (Errno::EAFNOSUPPORT, Blind::NoFamily),
            (Errno::EINVAL, Blind::LocalError),
            (Errno::ECONNABORTED, Blind::LocalError),
            (Errno::EPROTO, Blind::LocalError),
        ] {
            assert_eq!(by_number(errno), Outcome::Blind(blind), "{errno}");
        }
    }

    #[test]
    fn no_number_of_any_kind_passes_for_a_stop_but_refused_and_timed_out() {
        for raw in -1..4096 {
            let outcome = connect(&io::Error::from_raw_os_error(raw), &[]).outcome;
            let expected = match Errno::from_raw(raw) {
                Errno::ECONNREFUSED => Some(Reach::Refused),
                Errno::ETIMEDOUT => Some(Reach::NoAnswer),
                Errno::ECONNRESET | Errno::EPIPE => Some(Reach::Connected),
                _ => None,
            };
            match (outcome, expected) {
                (Outcome::Reached(reach), Some(expected)) => assert_eq!(reach, expected),
                (Outcome::Blind(_), None) => {}
                other => panic!("{raw}: {other:?}"),
            }
        }
    }

    #[test]
    fn the_error_number_is_kept() {
        let observation = connect(&error(Errno::EMFILE), &[]);
        let stopped_by = observation.evidence.unwrap().stopped_by.unwrap();
        assert_eq!(
            stopped_by,
            StoppedBy::Errno {
                errno: Errno::EMFILE as i32,
                text: "EMFILE: Too many open files".to_owned()
            }
        );
    }

    #[test]
    fn an_unreachable_from_elsewhere_is_prohibited_whatever_the_number_says() {
        for code in [0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] {
            assert_eq!(
                by_message(from(3, code, "192.0.2.1")),
                Outcome::Reached(Reach::Prohibited)
            );
        }
        for code in 0..=7 {
            assert_eq!(
                by_message(from(1, code, "2001:db8::1")),
                Outcome::Reached(Reach::Prohibited)
            );
        }
    }

    #[test]
    fn an_error_of_this_very_machine_is_blind() {
        for queued in [from(3, 1, "127.0.0.1"), from(1, 3, "::1")] {
            assert_eq!(by_message(queued), Outcome::Blind(Blind::LocalUnreachable));
        }
        let local = Queued {
            origin: Origin::Local,
            ..from(3, 1, "192.0.2.1")
        };
        assert_eq!(by_message(local), Outcome::Blind(Blind::LocalUnreachable));
    }

    #[test]
    fn a_trouble_on_the_way_is_no_denial() {
        for queued in [
            from(3, 4, "192.0.2.1"),
            from(11, 0, "192.0.2.1"),
            from(12, 0, "192.0.2.1"),
            from(2, 0, "2001:db8::1"),
            from(3, 0, "2001:db8::1"),
            from(4, 1, "2001:db8::1"),
        ] {
            assert_eq!(by_message(queued), Outcome::Blind(Blind::NoRoute));
        }
    }

    #[test]
    fn of_several_messages_the_denial_counts() {
        let queue = [
            from(11, 0, "192.0.2.9"),
            from(3, 13, "192.0.2.1"),
            from(3, 1, "127.0.0.1"),
        ];
        let observation = icmp(&queue).unwrap();
        assert_eq!(observation.outcome, Outcome::Reached(Reach::Prohibited));
        assert!(icmp(&[]).is_none());
    }

    fn for_datagram(queued: &[Queued]) -> Outcome {
        let target = if queued.iter().any(|one| one.origin == Origin::Icmp6) {
            "2001:db8::7"
        } else {
            "192.0.2.7"
        };
        datagram(None, queued, target.parse().unwrap())
            .unwrap()
            .outcome
    }

    #[test]
    fn only_the_targets_own_port_unreachable_refuses_a_datagram() {
        for (queued, reach) in [
            (from(3, 3, "192.0.2.7"), Reach::Refused),
            (from(1, 4, "2001:db8::7"), Reach::Refused),
            (from(3, 3, "192.0.2.1"), Reach::Prohibited),
            (from(1, 4, "2001:db8::1"), Reach::Prohibited),
            (from(3, 13, "192.0.2.7"), Reach::Prohibited),
            (from(3, 2, "192.0.2.7"), Reach::Prohibited),
            (from(1, 1, "2001:db8::7"), Reach::Prohibited),
        ] {
            assert_eq!(for_datagram(&[queued]), Outcome::Reached(reach));
        }
        let both = [from(3, 13, "192.0.2.1"), from(3, 3, "192.0.2.7")];
        assert_eq!(for_datagram(&both), Outcome::Reached(Reach::Refused));
        let here = datagram(None, &[from(3, 3, "127.0.0.1")], [127, 0, 0, 1].into());
        assert_eq!(here.unwrap().outcome, Outcome::Reached(Reach::Refused));
        assert!(datagram(None, &[], [127, 0, 0, 1].into()).is_none());
    }

    #[test]
    fn a_datagrams_trouble_on_the_way_or_here_is_blind() {
        for (queued, blind) in [
            (from(3, 3, "127.0.0.1"), Blind::LocalUnreachable),
            (from(3, 1, "127.0.0.1"), Blind::LocalUnreachable),
            (from(1, 3, "::1"), Blind::LocalUnreachable),
            (from(3, 4, "192.0.2.7"), Blind::NoRoute),
            (from(11, 0, "192.0.2.7"), Blind::NoRoute),
            (from(2, 0, "2001:db8::7"), Blind::NoRoute),
        ] {
            assert_eq!(for_datagram(&[queued]), Outcome::Blind(blind));
        }
        let local = Queued {
            origin: Origin::Local,
            ..from(3, 3, "192.0.2.7")
        };
        assert_eq!(
            for_datagram(&[local]),
            Outcome::Blind(Blind::LocalUnreachable)
        );
    }

    #[test]
    fn of_a_datagrams_error_numbers_refused_alone_is_a_stop() {
        for raw in -1..4096 {
            let number = io::Error::from_raw_os_error(raw);
            let seen = datagram(Some(&number), &[], [192, 0, 2, 7].into()).unwrap();
            let refused = seen.outcome == Outcome::Reached(Reach::Refused);
            assert_eq!(
                refused,
                Errno::from_raw(raw) == Errno::ECONNREFUSED,
                "{raw}"
            );
            assert!(
                refused || matches!(seen.outcome, Outcome::Blind(_)),
                "{raw}"
            );
        }
        let full = datagram(Some(&error(Errno::EAGAIN)), &[], [192, 0, 2, 7].into());
        assert_eq!(full.unwrap().outcome, Outcome::Blind(Blind::NoBuffers));
    }

    #[test]
    fn for_an_echo_no_error_number_is_a_stop_or_a_reply() {
        for raw in -1..4096 {
            let error = io::Error::from_raw_os_error(raw);
            for observation in [echo(&error), no_echo_socket(&error)] {
                assert!(matches!(observation.outcome, Outcome::Blind(_)), "{raw}");
            }
        }
        for errno in [Errno::EPERM, Errno::EACCES] {
            assert_eq!(
                no_echo_socket(&error(errno)).outcome,
                Outcome::Blind(Blind::NoEchoSocket)
            );
        }
        assert_eq!(
            no_echo_socket(&error(Errno::EAFNOSUPPORT)).outcome,
            Outcome::Blind(Blind::NoFamily)
        );
    }

    #[test]
    fn a_reset_while_connecting_is_marked() {
        let evidence = connect(&error(Errno::ECONNRESET), &[]).evidence.unwrap();
        assert_eq!(evidence.stopped_by, Some(StoppedBy::Reset));
        assert_eq!(
            evidence.tcp.unwrap().middlebox,
            vec![Middlebox::ResetAtOnce]
        );
    }

    #[test]
    fn plain_silence_carries_no_evidence() {
        assert_eq!(silence(false), Observation::reached(Reach::NoAnswer, None));
        assert_eq!(
            silence(true).outcome,
            Outcome::Blind(Blind::LocalUnreachable)
        );
    }
}
