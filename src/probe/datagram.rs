//! The only place that sends datagrams to a target's UDP port.
//!
//! The error queue is asked for before the socket is connected or bound, so that an ICMP error that
//! comes within microseconds is not lost. What an error means is decided in [`classify`] alone.
//!
//! There are two ways to open. [`Datagram::connected`] hears the endpoint and nobody else.
//! [`Datagram::wide`] hears every sender: some servers answer from another port (RFC 1350 section 4)
//! or, on a host of several addresses, from another address, and whoever looks for an open door
//! hears that too. Where a system hands no ICMP error to a socket that is not connected, a wide one
//! knows no rejection. Such a socket is also told of errors about what others sent from its port
//! before, which come late from a router that looks for a host in vain; only those that name the
//! endpoint count.
//!
//! The datagrams of an exchange leave from several ports in turn where the caller wants that: where
//! links are bundled, all packets of one flow go over the same member, and are lost together where it
//! is dead. All of its sockets are heard until the end.
//!
//! A rejection does not end an exchange at once. A device that listens on a line beside it, or a
//! second host behind one address, may reject what somebody else answers a moment later.
//!
//! Limits: one datagram a second, so an answer is missed only if all of them, or all of the answers,
//! are lost. A neighbour that does not answer for its address shows only after about three seconds,
//! as it does for TCP; before that it is a silence.

use std::cell::Cell;
use std::io;
use std::iter::once;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use futures_util::future::select_all;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};
use tokio::io::{Interest, Ready};
use tokio::net::UdpSocket;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::Observation;

use super::{classify, sys};

/// From one datagram to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// What must be left for an answer, or a datagram is not worth sending. A little less than the 0.4 s
/// that are meant: an attempt of 4.4 s is to send its fifth although it began a moment late. And how
/// long an answer may be behind a rejection.
pub(super) const ANSWER: Duration = Duration::from_millis(350);
/// How long to wait after being woken for nothing.
const PAUSE: Duration = Duration::from_millis(5);
/// How often a datagram is tried that an error about somebody else's kept back.
const TRIES: usize = 4;
/// Datagrams read at most each time the socket is ready: a flood must not hold us up.
const MOST: usize = 64;
/// How often the reactor is given the word at a deadline. Each time it learns of a thousand sockets.
const TURNS: usize = 64;
/// No datagram is longer (RFC 768: the length has 16 bits).
const LONGEST: usize = 65_535;

/// A socket for datagrams of one attempt.
pub(super) struct Datagram {
    socket: UdpSocket,
    peer: SocketAddr,
    wide: bool,
    /// Whether errors about somebody else's datagrams came.
    foreign: Cell<bool>,
}

/// What is to be sent next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// How many datagrams went before.
    pub(super) sent: u32,
    /// Which socket it leaves from: 0, 1, … in the order in which they were opened.
    pub(super) flow: usize,
    /// That socket's port, 0 if the system does not say.
    pub(super) port: u16,
}

/// What an exchange brought.
#[derive(Debug)]
pub(super) enum Heard {
    /// A datagram came back.
    Answer {
        /// All of it.
        bytes: Vec<u8>,
        /// Who sent it, with the address in its canonical form.
        from: SocketAddr,
        /// How many had been sent.
        sent: u32,
    },
    /// An error came: a rejection, or this machine could not send.
    Stopped {
        /// What it means.
        observation: Observation,
        /// How many had been sent.
        sent: u32,
    },
    /// Nothing came until the deadline.
    Silence {
        /// How many had been sent, at least one.
        sent: u32,
    },
}

impl Datagram {
    /// A socket that hears the endpoint alone, from the port that is asked.
    ///
    /// # Errors
    ///
    /// What was seen instead, ready to be reported.
    pub(super) fn connected(endpoint: Endpoint) -> Result<Self, Observation> {
        Self::open(endpoint, false)
    }

    /// A socket that hears every sender.
    ///
    /// # Errors
    ///
    /// What was seen instead, ready to be reported.
    pub(super) fn wide(endpoint: Endpoint) -> Result<Self, Observation> {
        Self::open(endpoint, true)
    }

    fn open(endpoint: Endpoint, wide: bool) -> Result<Self, Observation> {
        // An IPv4-mapped address leads to IPv4, where the errors come from as well.
        let mut peer = endpoint.socket();
        peer.set_ip(endpoint.address.to_canonical());
        Self::to(peer, wide)
    }

    fn to(peer: SocketAddr, wide: bool) -> Result<Self, Observation> {
        match start(peer, wide) {
            Ok(socket) => Ok(Self {
                socket,
                peer,
                wide,
                foreign: Cell::new(false),
            }),
            Err(error) => Err(classify::errno(&error)),
        }
    }

    /// The local port, 0 if the system does not say.
    fn port(&self) -> u16 {
        self.socket.local_addr().map_or(0, |local| local.port())
    }

    /// The socket and whom it speaks to, for a library that has a protocol of its own for it.
    pub(super) fn into_parts(self) -> (UdpSocket, SocketAddr) {
        (self.socket, self.peer)
    }

    /// Sends what `next` makes at 0, 1, 2, … seconds, from so many ports in turn, and waits for the
    /// first answer, error or the deadline.
    ///
    /// What comes from the endpoint's address is an answer, whatever it holds. Of what another
    /// address sends, which only a wide socket hears, `stranger` decides: anybody can send anything
    /// to an open port, so only what answers our very question should do.
    pub(super) async fn exchange(
        &self,
        ports: usize,
        mut next: impl FnMut(Turn) -> Vec<u8>,
        stranger: impl Fn(&[u8]) -> bool,
        deadline: Instant,
    ) -> Heard {
        let begin = Instant::now();
        let mut flows = Flows {
            first: self,
            more: Vec::new(),
        };
        let mut sent = 0;
        let mut turns = (0..ports.max(1)).cycle();
        loop {
            let flow = turns.next().unwrap_or_default();
            if let Err(observation) = flows.send(flow, sent, &mut next) {
                return flows.after(observation, sent, &stranger, deadline).await;
            }
            sent += 1;
            let again = begin + INTERVAL * sent;
            let last = again + ANSWER > deadline;
            let until = if last { deadline } else { again };
            match flows.wait(until, &stranger).await {
                Some(End::Answer(bytes, from)) => return Heard::Answer { bytes, from, sent },
                Some(End::Stopped(observation)) => {
                    return flows.after(observation, sent, &stranger, deadline).await;
                }
                None if last => return Heard::Silence { sent },
                None => {}
            }
        }
    }

    /// Past the reactor, which knows of readiness alone: the error number is wanted. The kernel hands
    /// out an error that came for an earlier datagram here as well.
    fn send(&self, bytes: &[u8]) -> Result<(), Observation> {
        let socket = SockRef::from(&self.socket);
        let mut trouble = None;
        for _ in 0..TRIES {
            let done = if self.wide {
                socket.send_to(bytes, &SockAddr::from(self.peer))
            } else {
                socket.send(bytes)
            };
            let Err(error) = done else {
                return Ok(());
            };
            let (ours, foreign) = self.errors();
            trouble = classify::datagram(Some(&error), &ours, self.peer.ip());
            if !ours.is_empty() || !foreign {
                break;
            }
        }
        Err(trouble.unwrap_or_else(|| classify::silence(true)))
    }

    /// Reads what is there. An answer wins over an error, which the kernel hands out first.
    fn look(&self, stranger: &impl Fn(&[u8]) -> bool) -> Option<End> {
        let mut trouble = None;
        let mut buffer = vec![0; LONGEST];
        for _ in 0..MOST {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((length, from)) => {
                    let bytes = buffer.get(..length).unwrap_or_default();
                    let from = SocketAddr::new(from.ip().to_canonical(), from.port());
                    if from.ip() == self.peer.ip() || stranger(bytes) {
                        return Some(End::Answer(bytes.to_vec(), from));
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        self.stop(trouble.as_ref())
    }

    /// What the error queue and an error number say, if anything.
    fn stop(&self, error: Option<&io::Error>) -> Option<End> {
        let (ours, _) = self.errors();
        // The number may be that of an error about somebody else's datagram, and no number means more
        // than that this machine could not look.
        let error = error.filter(|_| !self.foreign.get());
        classify::datagram(error, &ours, self.peer.ip()).map(End::Stopped)
    }

    /// The errors about this exchange's own datagrams, and whether there were others.
    fn errors(&self) -> (Vec<sys::Queued>, bool) {
        let all = sys::drain(&self.socket).errors;
        let (ours, foreign): (Vec<_>, Vec<_>) = all.into_iter().partition(|entry| {
            // Our own stack speaks of this socket's datagrams only.
            entry.queued.origin == sys::Origin::Local
                || entry.to.is_none_or(|to| {
                    (to.ip().to_canonical(), to.port()) == (self.peer.ip(), self.peer.port())
                })
        });
        if !foreign.is_empty() {
            self.foreign.set(true);
        }
        let ours = ours.into_iter().map(|entry| entry.queued).collect();
        (ours, !foreign.is_empty())
    }
}

/// The sockets of one exchange.
struct Flows<'a> {
    first: &'a Datagram,
    more: Vec<Datagram>,
}

impl Flows<'_> {
    fn all(&self) -> impl Iterator<Item = &Datagram> {
        once(self.first).chain(&self.more)
    }

    /// Sends from the socket with this number, which may be a new one.
    fn send(
        &mut self,
        flow: usize,
        sent: u32,
        next: &mut impl FnMut(Turn) -> Vec<u8>,
    ) -> Result<(), Observation> {
        if flow > self.more.len() {
            let Datagram { peer, wide, .. } = *self.first;
            self.more.push(Datagram::to(peer, wide)?);
        }
        let datagram = self.all().nth(flow).unwrap_or(self.first);
        let port = datagram.port();
        datagram.send(&next(Turn { sent, flow, port }))
    }

    /// A rejection came, or this machine could not send. The answer to an earlier datagram may still
    /// be on its way, and it counts for more.
    async fn after(
        &self,
        observation: Observation,
        sent: u32,
        stranger: &impl Fn(&[u8]) -> bool,
        deadline: Instant,
    ) -> Heard {
        let until = deadline.min(Instant::now() + ANSWER);
        while sent > 0 && Instant::now() < until {
            match self.wait(until, stranger).await {
                Some(End::Answer(bytes, from)) => return Heard::Answer { bytes, from, sent },
                // What brought the first error may bring more.
                Some(End::Stopped(_)) => sleep_until(until.min(Instant::now() + PAUSE)).await,
                None => break,
            }
        }
        Heard::Stopped { observation, sent }
    }

    /// Waits for an answer or an error; `None` if neither has come by then.
    async fn wait(&self, until: Instant, stranger: &impl Fn(&[u8]) -> bool) -> Option<End> {
        loop {
            match timeout_at(until, self.ready()).await {
                Ok(Ok(_)) => {}
                Ok(Err(reactor_gone)) => return self.first.stop(Some(&reactor_gone)),
                // Asked once more: readiness may lag behind the socket.
                Err(_elapsed) => return self.late(stranger).await,
            }
            if let Some(end) = self.look(stranger) {
                return Some(end);
            }
            if Instant::now() >= until {
                return None;
            }
            // Woken for nothing that means anything. An error's readiness cannot be cleared, so a
            // pause keeps this from spinning.
            sleep_until(until.min(Instant::now() + PAUSE)).await;
        }
    }

    async fn ready(&self) -> io::Result<Ready> {
        let interest = Interest::READABLE | Interest::ERROR;
        let flows = self.all();
        let (ready, ..) = select_all(flows.map(|flow| Box::pin(flow.socket.ready(interest)))).await;
        ready
    }

    /// What each socket brought. An answer on any of them wins over an error on another.
    fn look(&self, stranger: &impl Fn(&[u8]) -> bool) -> Option<End> {
        let mut end = None;
        for flow in self.all() {
            match flow.look(stranger) {
                answer @ Some(End::Answer(..)) => return answer,
                other => end = end.or(other),
            }
        }
        end
    }

    /// The same, when the time is up.
    async fn late(&self, stranger: &impl Fn(&[u8]) -> bool) -> Option<End> {
        let mut end = None;
        for flow in self.all() {
            let mut own = None;
            caught_up(&flow.socket, || {
                own = flow.look(stranger);
                own.is_some()
            })
            .await;
            match own {
                answer @ Some(End::Answer(..)) => return answer,
                other => end = end.or(other),
            }
        }
        end
    }
}

/// Waits until the reactor knows of everything that lies in a socket, or until it is `enough`.
///
/// It learns of a thousand sockets at a time. After a pause of this whole machine or process more may
/// have answers in them when all deadlines have passed at once, and none of those is a silence.
pub(super) async fn caught_up(socket: &UdpSocket, mut enough: impl FnMut() -> bool) {
    for _ in 0..TURNS {
        if enough() || SockRef::from(socket).peek_sender().is_err() {
            return;
        }
        yield_now().await;
    }
}

/// Where an answer came from, if not from where it was asked for.
pub(super) fn elsewhere(asked: SocketAddr, from: SocketAddr) -> Option<String> {
    if from.ip() != asked.ip().to_canonical() {
        Some(format!("from {from}"))
    } else if from.port() != asked.port() {
        Some(format!("from port {}", from.port()))
    } else {
        None
    }
}

/// How a wait ended.
enum End {
    Answer(Vec<u8>, SocketAddr),
    Stopped(Observation),
}

/// An open socket, known to the reactor.
fn start(peer: SocketAddr, wide: bool) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(peer), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_nonblocking(true)?;
    sys::prepare(&socket, peer.is_ipv6())?;
    if wide {
        let any: IpAddr = if peer.is_ipv6() {
            socket.set_only_v6(true)?;
            Ipv6Addr::UNSPECIFIED.into()
        } else {
            // A connection is routed by its source (rules that go by it, the choice among several next
            // hops), and what the way is said to be as well. A socket without one would go by another.
            sys::source(peer.ip()).unwrap_or(Ipv4Addr::UNSPECIFIED.into())
        };
        socket.bind(&SocketAddr::new(any, 0).into())?;
    } else {
        socket.connect(&peer.into())?;
    }
    UdpSocket::from_std(socket.into())
}
