//! A closer look at a TCP port where somebody answers: what is said first, and by whom?
//!
//! A handshake is an open door, and stays [`Reach::Connected`] whatever else is seen. But proxies and
//! protections complete handshakes in the name of hosts that are not there (Izhikevich et al., LZR,
//! USENIX Security 2021). What gives them away is evidence beside the verdict:
//!
//! - Data is never acknowledged. An empty line is sent where the server says nothing first.
//! - A reset comes right behind the handshake.
//! - Two other ports of the same address, chosen at random from 20000 to 29999, where next to nobody
//!   listens, behave in the same way. They are tried only where the target's own port answers.
//!
//! Limits: of what is said at most 256 bytes are kept. Systems without `TCP_INFO` do not know what
//! was acknowledged. A device that acknowledges data and stays silent looks like a server that waits
//! for a request, unless it does so on every port. Everything ends with the attempt's deadline; where
//! that leaves too little time to tell, nothing is claimed.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{
    Evidence, Middlebox, Observation, Outcome, StoppedBy, TcpEvidence,
};
use crate::domain::reach::Reach;

use super::dial::{Dialled, dial};
use super::sys;

/// Bytes of a banner that are kept.
const BANNER: usize = 256;
/// How long a server may take to say something.
const FIRST_WORD: Duration = Duration::from_secs(2);
/// How long it may pause in the middle.
const PAUSE: Duration = Duration::from_millis(100);
/// How long data may go unacknowledged: time for three retransmissions (RFC 6298 section 2, with
/// Linux' smallest time-out).
const ACKNOWLEDGE: Duration = Duration::from_millis(1_500);
/// Waited less than this, or than three round trips, "never acknowledged" would be said too soon: a
/// receiver may put an acknowledgement off for half a second (RFC 9293 section 3.8.6.3).
const SOON: Duration = Duration::from_millis(600);
/// A reset that comes later than this, and a round trip, after the handshake is not right behind it.
const AT_ONCE: Duration = Duration::from_millis(200);
/// How often it is asked whether the data was acknowledged.
const ASK: Duration = Duration::from_millis(20);
/// How long another port may take for its handshake. A drop there must not hold up the target.
const OTHER: Duration = Duration::from_secs(2);
/// The ports of which others are chosen: above the well-known ones, and below those from which any
/// system takes local ports by itself (Linux from 32768, others from 49152).
const OTHERS: std::ops::RangeInclusive<u16> = 20_000..=29_999;
/// What is sent to a server that says nothing first: an empty line, which protocols of lines skip or
/// complain about, and which asks for nothing.
const LINE: &[u8] = b"\r\n";

/// Connects and looks closer.
pub async fn probe(endpoint: Endpoint, deadline: Instant) -> Observation {
    let (manner, [one, other], syns) = match dial(endpoint, deadline).await {
        Ok(Dialled { stream, syns }) => {
            let [one, other] = other_ports(endpoint);
            let (manner, one, other) = tokio::join!(
                listen(stream, deadline),
                behaviour(one, deadline),
                behaviour(other, deadline)
            );
            (manner, [one, other], syns)
        }
        Err(observation) if observation.outcome == Outcome::Reached(Reach::Connected) => {
            let [one, other] = other_ports(endpoint);
            let others = tokio::join!(behaviour(one, deadline), behaviour(other, deadline));
            (Manner::ended(End::ResetAtOnce), others.into(), 1)
        }
        Err(observation) => return observation,
    };
    let alike = |other: &Option<Manner>| other.as_ref() == Some(&manner);
    Dialled::note(syns, manner.observation(alike(&one) && alike(&other)))
}

/// How somebody behaves who completed a handshake.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Manner {
    said: Vec<u8>,
    end: End,
}

/// How the look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// It spoke; nobody asked further.
    Spoke,
    /// It took what we sent and stayed silent.
    Silent,
    /// What we sent was never acknowledged.
    Unacknowledged,
    /// It stayed silent, and whether it took what we sent is not known.
    Unknown,
    /// It closed without a word.
    Closed,
    /// It reset right behind the handshake.
    ResetAtOnce,
    /// It reset later.
    Reset,
}

impl Manner {
    const fn ended(end: End) -> Self {
        Self {
            said: Vec::new(),
            end,
        }
    }

    fn observation(&self, every_port_alike: bool) -> Observation {
        let (stopped_by, mark) = match self.end {
            End::Spoke | End::Silent | End::Unknown => (None, None),
            End::Unacknowledged => (None, Some(Middlebox::NeverAcknowledged)),
            End::Closed => (Some(StoppedBy::Closed), None),
            End::ResetAtOnce => (Some(StoppedBy::Reset), Some(Middlebox::ResetAtOnce)),
            End::Reset => (Some(StoppedBy::Reset), None),
        };
        let alike = every_port_alike.then_some(Middlebox::EveryPortAlike);
        let tcp = TcpEvidence {
            banner: (!self.said.is_empty()).then(|| self.said.escape_ascii().to_string()),
            middlebox: mark.into_iter().chain(alike).collect(),
            ..TcpEvidence::default()
        };
        let evidence = Evidence {
            stopped_by,
            tcp: (tcp != TcpEvidence::default()).then_some(tcp),
            ..Evidence::default()
        };
        Observation {
            outcome: Outcome::Reached(Reach::Connected),
            evidence: (evidence != Evidence::default()).then(|| Box::new(evidence)),
        }
    }
}

/// How another port behaves; `None` where no handshake completes.
async fn behaviour(endpoint: Endpoint, deadline: Instant) -> Option<Manner> {
    match dial(endpoint, deadline.min(Instant::now() + OTHER)).await {
        Ok(dialled) => Some(listen(dialled.stream, deadline).await),
        Err(observation) => (observation.outcome == Outcome::Reached(Reach::Connected))
            .then_some(Manner::ended(End::ResetAtOnce)),
    }
}

/// Two other ports of the same address.
fn other_ports(endpoint: Endpoint) -> [Endpoint; 2] {
    let count = OTHERS.end() - OTHERS.start() + 1;
    // The standard library's hash keys are random for every process and every call.
    let random = RandomState::new().build_hasher().finish() % u64::from(count);
    // A number below the count fits.
    let start = u16::try_from(random).unwrap_or_default();
    let mut ports = (0..3)
        // Far apart, so that a range of a few open ports does not hold two of them.
        .map(|step| OTHERS.start() + (start + step * (count / 3)) % count)
        .filter(|port| Some(*port) != endpoint.port);
    [(); 2].map(|()| Endpoint {
        port: ports.next(),
        ..endpoint
    })
}

/// Listens, and if nothing is said, sends an empty line to see whether anybody takes it.
async fn listen(mut stream: TcpStream, deadline: Instant) -> Manner {
    let begin = Instant::now();
    let left = deadline.saturating_duration_since(begin);
    // A part of a short attempt is kept for the second question.
    let first_word = begin + FIRST_WORD.min(left * 4 / 7);
    let mut said = Vec::new();
    match hear(&mut stream, &mut said, first_word, deadline).await {
        Heard::Words => {
            return Manner {
                said,
                end: End::Spoke,
            };
        }
        Heard::Closed => return Manner::ended(End::Closed),
        Heard::Reset => {
            let window = AT_ONCE + sys::round_trip(&stream).unwrap_or_default();
            let at_once = begin.elapsed() <= window;
            return Manner::ended(if at_once {
                End::ResetAtOnce
            } else {
                End::Reset
            });
        }
        Heard::Broken => return Manner::ended(End::Unknown),
        Heard::Nothing => {}
    }
    // Two bytes always fit in the buffer of a connection over which nothing was sent.
    match timeout_at(deadline, stream.write_all(LINE)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) if is_reset(&error) => return Manner::ended(End::Reset),
        Ok(Err(_)) | Err(_) => return Manner::ended(End::Unknown),
    }
    let asked = Instant::now();
    loop {
        let end = acknowledged(&stream, asked.elapsed());
        // Who took the line may have something to say to it, but not for long.
        let patience = if end == End::Silent {
            SOON
        } else {
            ACKNOWLEDGE
        };
        let until = deadline.min(asked + patience);
        if Instant::now() >= until {
            return Manner::ended(end);
        }
        let next = until.min(Instant::now() + ASK);
        match hear(&mut stream, &mut said, next, deadline).await {
            Heard::Words => {
                return Manner {
                    said,
                    end: End::Spoke,
                };
            }
            Heard::Closed => return Manner::ended(End::Closed),
            Heard::Reset => return Manner::ended(End::Reset),
            Heard::Broken => return Manner::ended(End::Unknown),
            Heard::Nothing => {}
        }
    }
}

/// What is known of the line that was sent so long ago.
fn acknowledged(stream: &TcpStream, waited: Duration) -> End {
    let trip = sys::round_trip(stream).unwrap_or_default();
    match sys::unacknowledged(stream) {
        Some(false) => End::Silent,
        Some(true) if waited >= SOON && waited >= trip * 3 => End::Unacknowledged,
        Some(true) | None => End::Unknown,
    }
}

/// What a read brought.
enum Heard {
    /// Something, up to a pause, the end, or as much as is kept.
    Words,
    /// The end, and nothing before it.
    Closed,
    /// A reset, and nothing before it.
    Reset,
    /// Another error, and nothing before it.
    Broken,
    /// Nothing yet.
    Nothing,
}

/// Waits for words until `until`, and for the rest of them no longer than until the deadline.
async fn hear(
    stream: &mut TcpStream,
    said: &mut Vec<u8>,
    until: Instant,
    deadline: Instant,
) -> Heard {
    let mut wait = until;
    let mut buffer = [0; BANNER];
    // Every turn but the last brings a byte, so there are no more than bytes are kept.
    while let Some(room) = buffer.get_mut(said.len()..)
        && !room.is_empty()
    {
        let end = match timeout_at(wait, stream.read(room)).await {
            Ok(Ok(0)) => Heard::Closed,
            Ok(Ok(length)) => {
                said.extend(room.iter().take(length));
                wait = deadline.min(Instant::now() + PAUSE);
                continue;
            }
            Ok(Err(error)) if is_reset(&error) => Heard::Reset,
            Ok(Err(_)) => Heard::Broken,
            Err(_elapsed) => Heard::Nothing,
        };
        return if said.is_empty() { end } else { Heard::Words };
    }
    Heard::Words
}

fn is_reset(error: &io::Error) -> bool {
    error
        .raw_os_error()
        .is_some_and(|number| sys::cause(number) == sys::Cause::Reset)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_ports_are_two_others_far_apart() {
        for port in [22, 20_000, 25_000, 29_999] {
            let endpoint = Endpoint::tcp([192, 0, 2, 7].into(), port);
            for _ in 0..2_000 {
                let [one, other] = other_ports(endpoint).map(|other| {
                    assert_eq!(other.address, endpoint.address);
                    assert_eq!(other.transport, endpoint.transport);
                    other.port.unwrap()
                });
                assert!(OTHERS.contains(&one) && OTHERS.contains(&other));
                assert!(one != port && other != port);
                assert!(one.abs_diff(other) > 3_000, "{one} {other}");
            }
        }
    }

    #[test]
    fn what_was_seen_is_connected_whatever_it_is() {
        for end in [
            End::Spoke,
            End::Silent,
            End::Unacknowledged,
            End::Unknown,
            End::Closed,
            End::ResetAtOnce,
            End::Reset,
        ] {
            for alike in [false, true] {
                let seen = Manner::ended(end).observation(alike);
                assert_eq!(seen.outcome, Outcome::Reached(Reach::Connected));
                let tcp = seen.evidence.and_then(|evidence| evidence.tcp);
                let marks = tcp.map(|tcp| tcp.middlebox).unwrap_or_default();
                assert_eq!(marks.contains(&Middlebox::EveryPortAlike), alike);
                let mark = matches!(end, End::Unacknowledged | End::ResetAtOnce);
                assert_eq!(marks.len(), usize::from(mark) + usize::from(alike));
            }
        }
    }
}
