//! The only connect in the crate.
//!
//! The sockets are not bound: a bound local port is taken for every destination, an unbound one only
//! for its own. The error queue is asked for before connect and read afterwards, because the error
//! number alone does not tell a reset from a firewall's ICMP error.
//!
//! An attempt is up to three flows, each from a source port of its own: where links are bundled, all
//! packets of one flow go over the same member, and are lost together where it is dead (IEEE 802.1AX
//! section 6.2.4, RFC 2992). The first flow stays until the deadline, so that a slow answer has all of
//! the time. Beside it goes a second one, and after two SYNs a third in its place. With 4.4 s SYNs
//! leave at
//!
//! | flow | Linux 6.5 and newer | before |
//! | --- | --- | --- |
//! | first | 0, 1, 2, 3, 4 s | 0, 1, 3 s |
//! | second | 1.6, 2.6 s | 1.6, 2.6 s |
//! | third | 3.5 s | 3.5 s |
//!
//! `TCP_SYNCNT` would not make fewer of them. Linux since 6.5 adds `tcp_syn_linear_timeouts` to it
//! (`tcp_write_timeout` in `net/ipv4/tcp_timer.c`), and no option lets a socket wait without sending:
//! a flow that sent no more would have to be closed, and the answer to its SYN with it.
//!
//! A rule of this machine's own firewall may answer with a reset. That one is there before connect
//! returns and came over the loopback device, so a reset that is there at once is looked at again. So is
//! a connection to itself: a connect to a port of this machine at which nobody listens succeeds where the
//! system happened to choose that very port for our end (RFC 9293 section 3.5, simultaneous open).
//!
//! Limits: the wait is cheap rather than clever. One registration with the reactor serves the
//! connect and everything that is spoken later; a dead endpoint costs a few dozen system calls. Less
//! than 2 s are one flow, less than 3.9 s are two. That our own stack keeps the packets back is found
//! out only in attempts of more than a second, and in those of less than two a queue of our own that was
//! full for a moment passes for it.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::task::Poll;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Observation, Outcome};

use super::{classify, sys};

/// How often a reset that is there at once must come over the loopback device to be our own, and how often
/// a connection to itself is tried again. Other programs use that device too, and between two of its
/// counts there are microseconds.
const AGAIN: usize = 4;

/// From how long on an attempt is asked twice whether our own stack kept its packets back.
const TWICE: Duration = Duration::from_secs(2);

/// How long to wait after being woken for nothing.
const PAUSE: Duration = Duration::from_millis(5);

/// When the flows beside the first one begin. Between the seconds, so that a loss that lasts a moment
/// does not take two SYNs; and a tenth before the one that is replaced would send its third.
const BESIDE: [Duration; 2] = [Duration::from_millis(1_600), Duration::from_millis(3_500)];

/// What must be left for an answer, or a flow is not worth its port.
const ANSWER: Duration = Duration::from_millis(400);

/// A completed handshake.
#[derive(Debug)]
pub struct Dialled {
    /// The connection.
    pub stream: TcpStream,
    /// How many SYNs had left for it, those of all flows together. Where the system does not tell,
    /// each flow counts as one.
    pub syns: u8,
}

impl Dialled {
    /// Adds to an observation over this connection how many SYNs it took, where one was not enough.
    pub(super) fn note(syns: u8, mut seen: Observation) -> Observation {
        if syns > 1 {
            let evidence = seen.evidence.get_or_insert_default();
            evidence.tcp.get_or_insert_default().syns = syns;
        }
        seen
    }
}

/// Connects to an endpoint until the deadline.
///
/// # Errors
///
/// What was seen instead of a usable connection, ready to be reported. That can be
/// [`Reach::Connected`](crate::domain::reach::Reach::Connected) too, where the handshake was
/// completed and a reset came right behind it.
pub async fn dial(endpoint: Endpoint, deadline: Instant) -> Result<Dialled, Observation> {
    let first = match at_once(endpoint, start(endpoint)) {
        Start::Ended(Ok(stream)) => {
            let syns = sys::syns(&stream).unwrap_or(1);
            return Ok(Dialled { stream, syns });
        }
        Start::Ended(Err(seen)) => return Err(seen),
        Start::UnderWay(stream) => stream,
    };
    let begin = Instant::now();
    let mut flows = Flows::new(first, endpoint.address, begin);
    let halfway = begin + deadline.saturating_duration_since(begin) / 2;
    // The kernel sends again a second after the start, so a short attempt knows nothing before its end.
    let mut held_back = (deadline < begin + TWICE).then_some(true);
    let mut beside = BESIDE.iter();
    loop {
        let due = beside.as_slice().first().map(|after| begin + *after);
        let due = due.filter(|due| *due + ANSWER <= deadline);
        let asked = held_back.map_or(halfway, |_| deadline);
        let until = due.map_or(asked, |due| due.min(asked));
        if let Some(end) = flows.wait(until).await {
            return end.told();
        }
        if until == deadline {
            break;
        }
        if until == halfway {
            held_back.get_or_insert_with(|| flows.is_held_back());
        }
        if due == Some(until) {
            beside.next();
            // After a pause of this machine it may come too late to be worth its port.
            if Instant::now() + ANSWER <= deadline
                && let Some(end) = flows.another(endpoint)
            {
                return end.told();
            }
        }
    }
    Err(flows.silence(held_back.unwrap_or_default()))
}

/// The flows of an attempt: the first, and the one beside it.
struct Flows {
    target: IpAddr,
    begin: Instant,
    first: Option<TcpStream>,
    beside: Option<TcpStream>,
    /// How many SYNs those sent that are no more.
    gone: u8,
    /// Whether our own stack kept the first one's SYNs back when the kernel gave it up.
    kept: bool,
    /// Why a flow could not begin. A silence of the others is then none: it rests on too little.
    trouble: Option<Observation>,
}

/// How an attempt ended.
enum End {
    Connected(Dialled),
    Stopped(Observation),
}

impl End {
    fn told(self) -> Result<Dialled, Observation> {
        match self {
            Self::Connected(dialled) => Ok(dialled),
            Self::Stopped(seen) => Err(seen),
        }
    }
}

impl Flows {
    const fn new(first: TcpStream, target: IpAddr, begin: Instant) -> Self {
        Self {
            target,
            begin,
            first: Some(first),
            beside: None,
            gone: 0,
            kept: false,
            trouble: None,
        }
    }

    /// Begins a flow beside the first, in the place of the one that was there.
    fn another(&mut self, endpoint: Endpoint) -> Option<End> {
        if let Some(replaced) = self.beside.take() {
            self.forget(&replaced);
        }
        match at_once(endpoint, start(endpoint)) {
            Start::UnderWay(stream) => {
                self.beside = Some(stream);
                None
            }
            Start::Ended(Ok(stream)) => Some(self.connected(stream)),
            Start::Ended(Err(seen)) => match seen.outcome {
                // The first one is still on its way, and may yet get through.
                Outcome::Blind(_) => {
                    self.trouble.get_or_insert(seen);
                    None
                }
                Outcome::Reached(_) => Some(End::Stopped(seen)),
            },
        }
    }

    /// Waits for a flow to end in one way or another; `None` if none has by then.
    async fn wait(&mut self, until: Instant) -> Option<End> {
        loop {
            match timeout_at(until, self.ready()).await {
                Ok(Ok(())) => {}
                Ok(Err(reactor_gone)) => {
                    return Some(End::Stopped(classify::errno(&reactor_gone)));
                }
                // Asked once more: readiness may lag behind the socket, and a handshake that completed
                // in the last instant counts.
                Err(_elapsed) => return self.look(),
            }
            if let Some(end) = self.look() {
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

    /// Waits until there is something to be known of a flow. Polled rather than awaited twice: an
    /// attempt in flight is small that way. An error makes a socket ready to be written, too.
    async fn ready(&self) -> io::Result<()> {
        poll_fn(|context| {
            let flows = [&self.first, &self.beside];
            let mut polls = flows
                .into_iter()
                .flatten()
                .map(|flow| flow.poll_write_ready(context));
            polls.find(Poll::is_ready).unwrap_or(Poll::Pending)
        })
        .await
    }

    /// Asks every flow how it stands. A handshake wins over whatever else is there.
    fn look(&mut self) -> Option<End> {
        let look = |flow| look(flow, self.target);
        let first = self.first.as_ref().and_then(look);
        let beside = self.beside.as_ref().and_then(look);
        if matches!(first, Some(Stands::Connected)) {
            return self.first.take().map(|stream| self.connected(stream));
        }
        if matches!(beside, Some(Stands::Connected)) {
            return self.beside.take().map(|stream| self.connected(stream));
        }
        let mut end = None;
        for (stands, is_first) in [(first, true), (beside, false)] {
            match stands {
                Some(Stands::Stopped(seen)) if classify::is_given_up(&seen) => {
                    self.give_up(is_first);
                }
                Some(Stands::Stopped(seen)) => end = end.or(Some(End::Stopped(seen))),
                Some(Stands::Connected) | None => {}
            }
        }
        end
    }

    /// The kernel gave a flow up. That is a silence like any other, and it ends with the attempt.
    fn give_up(&mut self, is_first: bool) {
        let flow = if is_first {
            self.kept = self.is_held_back();
            self.first.take()
        } else {
            self.beside.take()
        };
        if let Some(flow) = flow {
            self.forget(&flow);
        }
    }

    fn forget(&mut self, flow: &TcpStream) {
        self.gone = self.gone.saturating_add(sys::syns(flow).unwrap_or(1));
    }

    fn connected(&self, stream: TcpStream) -> End {
        let flows = [Some(&stream), self.first.as_ref(), self.beside.as_ref()];
        let syns = flows
            .into_iter()
            .flatten()
            .map(|flow| sys::syns(flow).unwrap_or(1));
        let syns = syns.fold(self.gone, u8::saturating_add);
        End::Connected(Dialled { stream, syns })
    }

    /// Whether it looks as if a rule of our own machine kept the SYN back.
    ///
    /// A queue that is full for a moment keeps one back as well: bad luck in a crowd, not a rule. That
    /// is why this is asked twice, and why the pace counts: the kernel tries again half a second after
    /// a full queue, but no sooner than every second after a rule (RFC 6298 section 2). A short attempt
    /// is asked once: one of its two SYNs was not sent then, whatever the reason. The first flow
    /// is the one that is old enough to be asked.
    fn is_held_back(&self) -> bool {
        let Some(first) = &self.first else {
            return self.kept;
        };
        sys::unsent(first).is_some_and(|times| u64::from(times) <= self.begin.elapsed().as_secs())
    }

    /// Nothing came until the deadline.
    fn silence(self, held_back: bool) -> Observation {
        let unsent = held_back && self.is_held_back();
        match self.trouble {
            Some(trouble) if !unsent => trouble,
            Some(_) | None => classify::silence(unsent),
        }
    }
}

/// How a flow stands that is not on its way any more.
enum Stands {
    Connected,
    Stopped(Observation),
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
            Some(Stands::Connected) => Start::Ended(Ok(stream)),
            Some(Stands::Stopped(seen)) => Start::Ended(Err(seen)),
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
fn look(stream: &TcpStream, target: IpAddr) -> Option<Stands> {
    // First of all: a socket that has a peer is connected, whatever else came. But nobody is his own.
    if let Ok(peer) = stream.peer_addr() {
        let met_itself = stream.local_addr().is_ok_and(|own| own == peer);
        return Some(if met_itself {
            Stands::Stopped(classify::met_itself())
        } else {
            Stands::Connected
        });
    }
    let queued = sys::errors(stream);
    let error = stream.take_error().unwrap_or_else(Some);
    // An ICMP error ends the attempt even where the kernel, because it held the socket's lock at
    // that moment, took it for a passing one: the next SYN would only bring it again.
    match error {
        Some(error) => Some(Stands::Stopped(classify::connect(&error, &queued, target))),
        None => classify::icmp(&queued, target).map(Stands::Stopped),
    }
}
#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_attempt_in_flight_is_small() {
        let endpoint = Endpoint::tcp([192, 0, 2, 7].into(), 443);
        let size = size_of_val(&dial(endpoint, Instant::now()));
        assert!(size <= 512, "{size} bytes, ten thousand times");
    }
}
