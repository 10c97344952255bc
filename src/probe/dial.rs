//! The only connect in the crate.
//!
//! The socket is not bound: a bound local port is taken for every destination, an unbound one only
//! for its own. The error queue is asked for before connect and read afterwards, because the error
//! number alone does not tell a reset from a firewall's ICMP error.
//!
//! A rule of this machine's own firewall may answer with a reset. That one is there before connect
//! returns and came over the loopback device, so a reset that is there at once is looked at again. So is
//! a connection to itself: a connect to a port of this machine at which nobody listens succeeds where the
//! system happened to choose that very port for our end (RFC 9293 section 3.5, simultaneous open).
//!
//! Limits: the wait is cheap rather than clever. One registration with the reactor serves the
//! connect and everything that is spoken later; a dead endpoint costs a dozen system calls. That
//! our own stack keeps the packets back is found out only in attempts of more than two seconds.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::Observation;

use super::{classify, sys};

/// How often a reset that is there at once must come over the loopback device to be our own, and how often
/// a connection to itself is tried again. Other programs use that device too, and between two of its
/// counts there are microseconds.
const AGAIN: usize = 4;

/// How long to wait after being woken for nothing.
const PAUSE: Duration = Duration::from_millis(5);

/// Connects to an endpoint until the deadline.
///
/// # Errors
///
/// What was seen instead of a usable connection, ready to be reported. That can be
/// [`Reach::Connected`](crate::domain::reach::Reach::Connected) too, where the handshake was
/// completed and a reset came right behind it.
pub async fn dial(endpoint: Endpoint, deadline: Instant) -> Result<TcpStream, Observation> {
    let stream = match at_once(endpoint, start(endpoint)) {
        Start::Ended(ended) => return ended,
        Start::UnderWay(stream) => stream,
    };
    let target = endpoint.address;
    let begin = Instant::now();
    let halfway = begin + deadline.saturating_duration_since(begin) / 2;
    if let Some(end) = wait(&stream, target, halfway).await {
        return finish(stream, end);
    }
    let held_back = is_held_back(&stream, begin);
    // Asked at the deadline too: readiness may lag behind the socket, and a handshake that completed
    // in the last instant counts.
    let end = wait(&stream, target, deadline).await;
    match end.or_else(|| look(&stream, target)) {
        Some(end) => finish(stream, end),
        None => Err(classify::silence(held_back && is_held_back(&stream, begin))),
    }
}

/// Whether it looks as if a rule of our own machine kept the SYN back.
///
/// A queue that is full for a moment keeps one back as well: bad luck in a crowd, not a rule. That
/// is why this is asked twice, and why the pace counts: the kernel tries again half a second after a
/// full queue, but no sooner than every second after a rule (RFC 6298 section 2).
fn is_held_back(stream: &TcpStream, begin: Instant) -> bool {
    sys::unsent(stream).is_some_and(|times| u64::from(times) <= begin.elapsed().as_secs())
}

/// Waits for the handshake to end in one way or another; `None` if it has not by then.
async fn wait(stream: &TcpStream, target: IpAddr, until: Instant) -> Option<End> {
    loop {
        match timeout_at(until, stream.ready(Interest::WRITABLE | Interest::ERROR)).await {
            Ok(Ok(_)) => {}
            Ok(Err(reactor_gone)) => {
                return Some(End::Stopped(classify::errno(&reactor_gone)));
            }
            Err(_elapsed) => return None,
        }
        if let Some(end) = look(stream, target) {
            return Some(end);
        }
        if Instant::now() >= until {
            return None;
        }
        // Woken for nothing that means anything, which no kernel was seen to do. Readiness is left
        // as it is (an error's cannot be cleared), so a pause keeps this from spinning.
        sleep_until(until.min(Instant::now() + PAUSE)).await;
    }
}

/// How a connect ended.
enum End {
    Connected,
    Stopped(Observation),
}

fn finish(stream: TcpStream, end: End) -> Result<TcpStream, Observation> {
    match end {
        End::Connected if is_its_own_peer(&stream) => Err(classify::met_itself()),
        End::Connected => Ok(stream),
        End::Stopped(observation) => Err(observation),
    }
}

/// How a connect stands right after its start.
enum Start {
    Ended(Result<TcpStream, Observation>),
    UnderWay(TcpStream),
}

/// Looks at a connect that has just begun.
///
/// From another machine nothing is back so soon, unless that machine is a guest or a namespace of this
/// very one. Then its reset comes over some other device than the loopback's. The target may be this
/// machine, too, and then the reset is its own word.
fn at_once(endpoint: Endpoint, begun: Result<TcpStream, Observation>) -> Start {
    let stands = |begun| stands(begun, endpoint.address);
    let mut start = stands(begun);
    for _ in 0..AGAIN {
        match &start {
            Start::Ended(Err(seen)) if *seen == classify::met_itself() => {
                start = stands(self::start(endpoint));
                continue;
            }
            Start::Ended(Err(seen)) if classify::is_reset(seen) => {}
            Start::Ended(_) | Start::UnderWay(_) => return start,
        }
        if sys::is_own(endpoint.socket()) {
            return start;
        }
        let before = sys::looped();
        start = stands(self::start(endpoint));
        if before.is_none() || before == sys::looped() {
            return start;
        }
    }
    match start {
        Start::Ended(Err(seen)) if classify::is_reset(&seen) && !sys::is_own(endpoint.socket()) => {
            Start::Ended(Err(classify::own_reset()))
        }
        Start::Ended(_) | Start::UnderWay(_) => start,
    }
}

fn stands(begun: Result<TcpStream, Observation>, target: IpAddr) -> Start {
    match begun {
        Ok(stream) => match look(&stream, target) {
            Some(end) => Start::Ended(finish(stream, end)),
            None => Start::UnderWay(stream),
        },
        Err(early) => Start::Ended(Err(early)),
    }
}

/// A socket that is on its way to the endpoint.
fn start(endpoint: Endpoint) -> Result<TcpStream, Observation> {
    // An IPv4-mapped address leads to IPv4, where the errors come from as well.
    let mut address = endpoint.socket();
    address.set_ip(endpoint.address.to_canonical());
    let early = |error: io::Error| classify::errno(&error);
    let socket = sys::socket(address).map_err(early)?;
    sys::prepare(&socket, address.is_ipv6()).map_err(early)?;
    match socket.connect(&address.into()) {
        Ok(()) => {}
        Err(error) if sys::in_progress(&error) => {}
        Err(error) => {
            let queued = sys::errors(&socket);
            return Err(classify::connect(&error, &queued, endpoint.address));
        }
    }
    TcpStream::from_std(socket.into()).map_err(early)
}

/// Asks the socket how it stands; `None` while the handshake is on its way.
fn look(stream: &TcpStream, target: IpAddr) -> Option<End> {
    // First of all: a socket that has a peer is connected, whatever else came.
    if stream.peer_addr().is_ok() {
        return Some(End::Connected);
    }
    let queued = sys::errors(stream);
    let error = stream.take_error().unwrap_or_else(Some);
    // An ICMP error ends the attempt even where the kernel, because it held the socket's lock at
    // that moment, took it for a passing one: the next SYN would only bring it again.
    match error {
        Some(error) => Some(End::Stopped(classify::connect(&error, &queued, target))),
        None => classify::icmp(&queued, target).map(End::Stopped),
    }
}

/// Whether both ends of a connection are the same socket. No server can have that port meanwhile.
fn is_its_own_peer(stream: &TcpStream) -> bool {
    match (stream.local_addr(), stream.peer_addr()) {
        (Ok(own), Ok(peer)) => own == peer,
        (Err(_), _) | (_, Err(_)) => false,
    }
}
