//! From error numbers and ICMP messages to what they mean: the only place that decides.
//!
//! | seen while connecting | outcome |
//! | --- | --- |
//! | RST in answer to the SYN (`ECONNREFUSED`, error queue empty) | `refused` |
//! | an ICMP destination unreachable that denies, from beyond our own network or from the target itself | `prohibited` |
//! | the same from our own gateway, or from a machine of our own network that is not the target | blind: `own_gateway` |
//! | an ICMP error that this very machine sent | blind: `local_unreachable` |
//! | a RST that this very machine sent in another's name | blind: `local_unreachable` |
//! | an ICMP unreachable that tells of the way (see below), time exceeded, parameter problem, packet too big | blind: `no_route` |
//! | an ICMP error whose sender the system does not tell | blind: `local_error` |
//! | a connection whose two ends are one socket | blind: `no_local_port` |
//! | `ECONNRESET`, `EPIPE` | `connected`: TCP says that only after a completed handshake |
//! | `ETIMEDOUT` (the kernel gave up), or nothing until the deadline | `no_answer` |
//! | nothing, and our own stack did not let the last SYN go | blind: `local_unreachable` |
//! | `EHOSTUNREACH` without an ICMP message | blind: `local_unreachable` |
//! | everything else | blind, by number |
//!
//! Why the third to seventh rows are blind: an error of our own stack or network, or trouble on the way,
//! tells nothing of the door. Nobody there turned us away, and an outsider on another way may get in.
//! Port unreachable is `prohibited` for TCP, although it ends in `ECONNREFUSED`: hosts answer a SYN
//! to a closed port with a reset (RFC 9293 section 3.10.7.1), so it comes from a packet filter.
//!
//! What each unreachable tells of. The door: somebody who knows the target, or has a rule about it,
//! turns the packet away. The way: a router knows no route, which may be any router and any provider's
//! fault; but the target itself has a way to itself, so that from its own address it is a filter's word.
//! The packet: another one, with other options, another type of service or another source, may pass, so
//! it is no denial whoever says it.
//!
//! | ICMP type 3 (RFC 792, RFC 1122 section 3.2.2.1, RFC 1812 section 5.2.7.1) | tells of |
//! | --- | --- |
//! | 0 network unreachable: no route at all | the way |
//! | 1 host unreachable: the last router finds no such neighbour; what packet filters reject with | the door |
//! | 2 protocol unreachable, 3 port unreachable: the host's own word, or a packet filter's | the door |
//! | 4 fragmentation needed | the packet |
//! | 5 source route failed: of an option that is never sent here | the packet |
//! | 6 network unknown: no longer to be sent, code 0 is | the way |
//! | 7 host unknown: the link layer says that there is no such host | the door |
//! | 8 source host isolated: no longer to be sent, and about who sends | the packet |
//! | 9, 10, 13 network, host, communication administratively prohibited | the door |
//! | 11, 12 network, host unreachable for this type of service (RFC 1812 section 5.3.2) | the packet |
//! | 14 host precedence violation (from the sender's first router), 15 precedence cutoff | the packet |
//!
//! | ICMPv6 type 1 (RFC 4443 section 3.1, RFC 6550, RFC 8883) | tells of |
//! | --- | --- |
//! | 0 no route to destination: no default route either | the way |
//! | 1 administratively prohibited, 3 address unreachable, 4 port unreachable | the door |
//! | 2 beyond the scope of the source address: ours | the packet |
//! | 5 source address failed ingress or egress policy: one from which a control was reached is good enough for our own side, so the policy is the far side's | the door |
//! | 6 reject route: a whole prefix is not routed | the way |
//! | 7 error in the source routing header, 8 headers too long | the packet |
//!
//! A code that nobody has defined denies nothing.
//!
//! Over UDP there is no reset, and port unreachable is what a host says itself of a port where nobody
//! listens (RFC 1122 section 4.1.3.1, RFC 4443 section 3.1):
//!
//! | seen after a datagram was sent | outcome |
//! | --- | --- |
//! | ICMP port unreachable from the target's own address | `refused` |
//! | any other ICMP message | as above |
//! | `ECONNREFUSED` without an ICMP message (systems without an error queue) | `refused`: from whom is not known |
//! | everything else | blind, as above; no error number says that UDP was heard |
//!
//! An ICMP echo request knows no reset and no handshake. ICMP messages mean for it what they mean for
//! TCP. An error number without one says that this machine could not look, whatever it is, but for
//! `ECONNREFUSED` on systems without an error queue, where it stands for an unreachable.
//!
//! Limits: a reset or a port unreachable that a firewall forges in the target's name looks like the
//! target's own; the controls of the round are there for that. So are they for a filter on our own side
//! that stands behind our gateway: its rejections come from beyond. A private gateway may be the very
//! firewall that is to be proven where one probes from inside; its rejections stay our own side's, and
//! the proof is a control behind it and silence, or another vantage.

use std::io;
use std::net::IpAddr;

use crate::domain::observation::{
    Blind, Evidence, IcmpError, Middlebox, Observation, Outcome, StoppedBy, TcpEvidence,
};
use crate::domain::reach::Reach;

use super::sys::{self, Cause, Origin, Queued};
use super::way;

/// What a failed connect to `target` means, given what lay in the error queue.
#[must_use]
pub(super) fn connect(error: &io::Error, queued: &[Queued], target: IpAddr) -> Observation {
    icmp(queued, target).unwrap_or_else(|| errno(error))
}

/// What the error queue means for an attempt against `target`; `None` where nothing of meaning lies in
/// it. Of several messages a denial from beyond our own side counts most: that one was turned away.
#[must_use]
pub(super) fn icmp(queued: &[Queued], target: IpAddr) -> Option<Observation> {
    heaviest(queued.iter().map(|one| message(one, sender(one, target))))
}

/// What came back, instead of an answer, for a datagram to `target`; `None` where nothing did.
#[must_use]
pub(super) fn datagram(
    error: Option<&io::Error>,
    queued: &[Queued],
    target: IpAddr,
) -> Option<Observation> {
    let seen = queued.iter().map(|one| {
        let sender = sender(one, target);
        from_target(one, sender).unwrap_or_else(|| message(one, sender))
    });
    heaviest(seen).or_else(|| error.map(datagram_errno))
}

fn heaviest(seen: impl Iterator<Item = (u8, Observation)>) -> Option<Observation> {
    seen.max_by_key(|(weight, _)| *weight)
        .map(|(_, observation)| observation)
}

/// Who made a queued error, as seen from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sender {
    /// Our own stack, without a message.
    Stack,
    /// One of this machine's addresses. `target` says whether it is the one that was tried.
    ThisMachine {
        /// Whether it is the one that was tried.
        target: bool,
    },
    /// The target, another machine.
    Target,
    /// Our own gateway, or another machine of our own network.
    OurSide,
    /// Somebody beyond.
    Beyond,
    /// The system does not say.
    Unknown,
}

fn sender(queued: &Queued, target: IpAddr) -> Sender {
    match queued.origin {
        Origin::Local => return Sender::Stack,
        Origin::Icmp | Origin::Icmp6 => {}
    }
    let Some(offender) = queued.offender else {
        return Sender::Unknown;
    };
    let is_target = offender.ip().to_canonical() == target.to_canonical();
    if sys::is_own(offender) {
        Sender::ThisMachine { target: is_target }
    } else if is_target {
        Sender::Target
    } else if way::is_our_side(offender.ip(), target) {
        Sender::OurSide
    } else {
        Sender::Beyond
    }
}

/// Port unreachable in the target's own name. It counts most, because the datagram got furthest; and
/// it counts although the target may be this very machine, which then is where the door is.
fn from_target(queued: &Queued, sender: Sender) -> Option<(u8, Observation)> {
    match sender {
        Sender::Target | Sender::ThisMachine { target: true } => {}
        Sender::ThisMachine { target: false }
        | Sender::Stack
        | Sender::OurSide
        | Sender::Beyond
        | Sender::Unknown => return None,
    }
    let v6 = queued.origin == Origin::Icmp6;
    let port_unreachable = (queued.kind, queued.code) == if v6 { (1, 4) } else { (3, 3) };
    port_unreachable.then(|| {
        let seen = Observation::reached(Reach::Refused, Some(evidence(queued)));
        (4, seen)
    })
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
fn message(queued: &Queued, sender: Sender) -> (u8, Observation) {
    let tells = tells(queued);
    let (weight, blind) = match (sender, tells) {
        (Sender::Stack, _) => {
            let seen = Observation::blind(Blind::LocalUnreachable, Some(stop(queued.errno)));
            return (1, seen);
        }
        (Sender::Target | Sender::Beyond, Tells::Door) | (Sender::Target, Tells::Way) => {
            let seen = Observation::reached(Reach::Prohibited, Some(evidence(queued)));
            return (3, seen);
        }
        (Sender::ThisMachine { .. }, _) => (2, Blind::LocalUnreachable),
        (Sender::OurSide, Tells::Door | Tells::Way) => (2, Blind::OwnGateway),
        (Sender::Unknown, Tells::Door) => (1, Blind::LocalError),
        (Sender::Beyond | Sender::Unknown, Tells::Way)
        | (Sender::Target | Sender::OurSide | Sender::Beyond | Sender::Unknown, Tells::Packet) => {
            (0, Blind::NoRoute)
        }
    };
    (weight, Observation::blind(blind, Some(evidence(queued))))
}

fn evidence(queued: &Queued) -> StoppedBy {
    StoppedBy::Icmp(IcmpError {
        kind: queued.kind,
        code: queued.code,
        from: queued.offender.map(|from| from.ip().to_canonical()),
        v6: queued.origin == Origin::Icmp6,
    })
}

/// What an ICMP error tells of, see the tables at the top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    Door,
    Way,
    Packet,
}

const fn tells(queued: &Queued) -> Tells {
    let v6 = matches!(queued.origin, Origin::Icmp6);
    match (v6, queued.kind, queued.code) {
        (false, 3, 1 | 2 | 3 | 7 | 9 | 10 | 13) | (true, 1, 1 | 3 | 4 | 5) => Tells::Door,
        (false, 3, 0 | 6) | (true, 1, 0 | 6) => Tells::Way,
        _ => Tells::Packet,
    }
}

/// What an error number alone means.
#[must_use]
pub(super) fn errno(error: &io::Error) -> Observation {
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

/// A connect to this machine that met itself: nobody else was there, and whether anybody listens when our
/// own end has another port is not known.
#[must_use]
pub(super) fn met_itself() -> Observation {
    let stop = StoppedBy::Errno {
        errno: 0,
        text: "the connection met itself: this machine chose the target's port for our end"
            .to_owned(),
    };
    Observation::blind(Blind::NoLocalPort, Some(stop))
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

    fn by_number(number: Errno) -> Outcome {
        errno(&error(number)).outcome
    }

    fn by_message(queued: Queued, sender: Sender) -> Outcome {
        message(&queued, sender).1.outcome
    }

    /// Every sender of an ICMP message.
    const SENDERS: [Sender; 6] = [
        Sender::ThisMachine { target: false },
        Sender::ThisMachine { target: true },
        Sender::Target,
        Sender::OurSide,
        Sender::Beyond,
        Sender::Unknown,
    ];

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
            let outcome = errno(&io::Error::from_raw_os_error(raw)).outcome;
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
        let observation = errno(&error(Errno::EMFILE));
        let stopped_by = observation.evidence.unwrap().stopped_by.unwrap();
        assert_eq!(
            stopped_by,
            StoppedBy::Errno {
                errno: Errno::EMFILE as i32,
                text: "EMFILE: Too many open files".to_owned()
            }
        );
    }

    /// What each code of "destination unreachable" makes of an attempt, by who sent it: ourselves, the
    /// target, our own side, somebody beyond, nobody known.
    #[test]
    fn every_unreachable_means_what_the_table_says() {
        let prohibited = Outcome::Reached(Reach::Prohibited);
        let no_route = Outcome::Blind(Blind::NoRoute);
        let ours = Outcome::Blind(Blind::OwnGateway);
        let here = Outcome::Blind(Blind::LocalUnreachable);
        let unknown = Outcome::Blind(Blind::LocalError);
        for code in 0..=u8::MAX {
            let v4 = match code {
                1 | 2 | 3 | 7 | 9 | 10 | 13 => [prohibited, ours, prohibited, unknown],
                0 | 6 => [prohibited, ours, no_route, no_route],
                _ => [no_route; 4],
            };
            let v6 = match code {
                1 | 3 | 4 | 5 => [prohibited, ours, prohibited, unknown],
                0 | 6 => [prohibited, ours, no_route, no_route],
                _ => [no_route; 4],
            };
            for (message, expected) in [
                (from(3, code, "192.0.2.1"), v4),
                (from(1, code, "2001:db8::1"), v6),
            ] {
                let found = SENDERS.map(|sender| by_message(message, sender));
                let [target, side, beyond, nobody] = expected;
                let expected = [here, here, target, side, beyond, nobody];
                assert_eq!(found, expected, "{message:?}");
            }
        }
    }

    #[test]
    fn a_blind_unreachable_keeps_the_message_as_evidence() {
        for sender in [Sender::OurSide, Sender::Beyond, Sender::Unknown] {
            let (_, seen) = message(&from(3, 0, "192.0.2.1"), sender);
            let stopped_by = seen.evidence.unwrap().stopped_by.unwrap();
            let StoppedBy::Icmp(error) = stopped_by else {
                panic!("{stopped_by:?}");
            };
            assert_eq!((error.kind, error.code, error.v6), (3, 0, false));
            assert_eq!(error.from, Some([192, 0, 2, 1].into()));
        }
    }

    #[test]
    fn who_sent_an_error_is_told_apart() {
        let who = |queued: &Queued, target: &str| sender(queued, target.parse().unwrap());
        let here = from(3, 1, "127.0.0.1");
        let elsewhere = Sender::ThisMachine { target: false };
        assert_eq!(who(&here, "192.0.2.7"), elsewhere);
        assert_eq!(
            who(&here, "127.0.0.1"),
            Sender::ThisMachine { target: true }
        );
        let link = Queued {
            offender: "[fe80::1%1]:0".parse().ok(),
            ..from(1, 1, "fe80::1")
        };
        assert_eq!(who(&link, "2001:db8::7"), Sender::OurSide);
        let target = from(3, 1, "198.51.100.7");
        assert_eq!(who(&target, "198.51.100.7"), Sender::Target);
        assert_eq!(who(&target, "::ffff:198.51.100.7"), Sender::Target);
        let unknown = Queued {
            offender: None,
            ..target
        };
        assert_eq!(who(&unknown, "198.51.100.7"), Sender::Unknown);
        let stack = Queued {
            origin: Origin::Local,
            ..target
        };
        assert_eq!(who(&stack, "198.51.100.7"), Sender::Stack);
    }

    #[test]
    fn an_error_of_this_very_machine_is_blind() {
        for queued in [from(3, 1, "127.0.0.1"), from(1, 3, "::1")] {
            let seen = icmp(&[queued], [192, 0, 2, 7].into()).unwrap();
            assert_eq!(seen.outcome, Outcome::Blind(Blind::LocalUnreachable));
        }
        let local = Queued {
            origin: Origin::Local,
            ..from(3, 1, "192.0.2.1")
        };
        let seen = connect(&error(Errno::ECONNREFUSED), &[local], [192, 0, 2, 7].into());
        assert_eq!(seen.outcome, Outcome::Blind(Blind::LocalUnreachable));
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
            for sender in [Sender::Target, Sender::OurSide, Sender::Beyond] {
                let seen = by_message(queued, sender);
                assert_eq!(seen, Outcome::Blind(Blind::NoRoute), "{queued:?}");
            }
        }
    }

    #[test]
    fn of_several_messages_the_denial_counts() {
        let denied = message(&from(3, 13, "192.0.2.1"), Sender::Beyond);
        let ours = message(&from(3, 13, "192.0.2.1"), Sender::OurSide);
        let own = message(
            &from(3, 1, "127.0.0.1"),
            Sender::ThisMachine { target: false },
        );
        let way = message(&from(3, 0, "192.0.2.9"), Sender::Beyond);
        let loops = message(&from(11, 0, "192.0.2.9"), Sender::Beyond);
        let all = [loops.clone(), denied, own, ours.clone(), way.clone()];
        let seen = heaviest(all.into_iter()).unwrap();
        assert_eq!(seen.outcome, Outcome::Reached(Reach::Prohibited));
        let seen = heaviest([loops, ours, way].into_iter()).unwrap();
        assert_eq!(seen.outcome, Outcome::Blind(Blind::OwnGateway));
        assert!(icmp(&[], [192, 0, 2, 7].into()).is_none());
    }

    fn for_datagram(queued: Queued, sender: Sender) -> Outcome {
        let refused = from_target(&queued, sender);
        refused
            .unwrap_or_else(|| message(&queued, sender))
            .1
            .outcome
    }

    #[test]
    fn only_the_targets_own_port_unreachable_refuses_a_datagram() {
        for (queued, sender, reach) in [
            (from(3, 3, "192.0.2.7"), Sender::Target, Reach::Refused),
            (from(1, 4, "2001:db8::7"), Sender::Target, Reach::Refused),
            (from(3, 3, "192.0.2.1"), Sender::Beyond, Reach::Prohibited),
            (from(1, 4, "2001:db8::1"), Sender::Beyond, Reach::Prohibited),
            (from(3, 13, "192.0.2.7"), Sender::Target, Reach::Prohibited),
            (from(3, 2, "192.0.2.7"), Sender::Target, Reach::Prohibited),
            (from(1, 1, "2001:db8::7"), Sender::Target, Reach::Prohibited),
        ] {
            assert_eq!(for_datagram(queued, sender), Outcome::Reached(reach));
        }
        let ours = for_datagram(from(3, 3, "192.0.2.1"), Sender::OurSide);
        assert_eq!(ours, Outcome::Blind(Blind::OwnGateway));
        let target = [192, 0, 2, 7].into();
        let both = [from(3, 13, "127.0.0.1"), from(3, 3, "192.0.2.7")];
        let seen = datagram(None, &both, target).unwrap();
        assert_eq!(seen.outcome, Outcome::Reached(Reach::Refused));
        let here = datagram(None, &[from(3, 3, "127.0.0.1")], [127, 0, 0, 1].into());
        assert_eq!(here.unwrap().outcome, Outcome::Reached(Reach::Refused));
        assert!(datagram(None, &[], [127, 0, 0, 1].into()).is_none());
    }

    #[test]
    fn a_datagrams_trouble_on_the_way_or_here_is_blind() {
        let here = Sender::ThisMachine { target: false };
        for (queued, sender, blind) in [
            (from(3, 3, "127.0.0.1"), here, Blind::LocalUnreachable),
            (from(3, 1, "127.0.0.1"), here, Blind::LocalUnreachable),
            (from(1, 3, "::1"), here, Blind::LocalUnreachable),
            (from(3, 4, "192.0.2.7"), Sender::Target, Blind::NoRoute),
            (from(11, 0, "192.0.2.7"), Sender::Target, Blind::NoRoute),
            (from(2, 0, "2001:db8::7"), Sender::Target, Blind::NoRoute),
        ] {
            assert_eq!(for_datagram(queued, sender), Outcome::Blind(blind));
        }
        let local = Queued {
            origin: Origin::Local,
            ..from(3, 3, "192.0.2.7")
        };
        let seen = datagram(None, &[local], [192, 0, 2, 7].into()).unwrap();
        assert_eq!(seen.outcome, Outcome::Blind(Blind::LocalUnreachable));
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
        let evidence = errno(&error(Errno::ECONNRESET)).evidence.unwrap();
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
