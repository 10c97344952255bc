//! ICMP echo: does the host reply?
//!
//! Requests leave at 0, 1, 2, … seconds until too little is left for a reply. A reply counts only
//! with the attempt's own token and from the address that was asked. A token that comes back from
//! elsewhere is neither a reply of the target nor a silence: somebody got the request, so the attempt
//! says that it cannot tell. What an error means is decided in [`classify`].
//!
//! An IP protocol without ports has no sockets that errors belong to: a raw socket is shown those
//! about everybody's packets. Only those that quote one of our own requests count here.
//!
//! Limits: a raw socket is connected, so that it sees the packets of one address and not of all,
//! and never hears a token from elsewhere. Where the system does not tell which packets left (Linux
//! before 5.18, other systems), a rule of our own that drops may look like a silent host, over IPv6 at
//! least. Where it has no error queue an unreachable is an
//! error number without a sender, or not told at all.

use std::cell::Cell;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::SockRef;
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Blind, Observation, StoppedBy};
use crate::domain::reach::Reach;

use super::datagram::caught_up;
use super::echo::{Echo, Quote};
use super::{classify, sys};

/// From one request to the next.
const INTERVAL: Duration = Duration::from_secs(1);
/// What must be left for a reply, or a request is not worth sending. A little less than the 0.4 s
/// that are meant: an attempt of 4.4 s is to send its fifth although it began a moment late.
const ANSWER: Duration = Duration::from_millis(350);
/// How long to wait after being woken for nothing.
const PAUSE: Duration = Duration::from_millis(5);
/// Packets read at most each time the socket is ready: a flood must not hold us up.
const MOST: usize = 64;
/// Room for the longest IPv4 header and all of a reply. What is longer is nobody's reply to us, and is
/// cut; but Windows calls that an error (`WSAEMSGSIZE`), so there everything must fit.
const ROOM: usize = if cfg!(windows) { 65_535 } else { 128 };
/// How often a request is tried that an error about somebody else's packet kept back.
const TRIES: usize = 4;

/// Sends echo requests and waits for a reply until the deadline.
pub async fn probe(endpoint: Endpoint, deadline: Instant) -> Observation {
    match Attempt::open(endpoint) {
        Ok(attempt) => attempt.ask(deadline).await,
        Err(observation) => observation,
    }
}

/// One attempt under way.
struct Attempt {
    /// A datagram socket of the ICMP kind or a raw one; the reactor does not care.
    socket: UdpSocket,
    raw: bool,
    peer: IpAddr,
    echo: Echo,
    sent: Cell<u16>,
    /// Whether the system tells of packets that leave, and whether it told of one.
    watched: bool,
    departed: Cell<bool>,
    /// Whether errors about somebody else's packets came.
    foreign: Cell<bool>,
    /// Who sent our token back without having been asked.
    elsewhere: Cell<Option<IpAddr>>,
}

impl Attempt {
    fn open(endpoint: Endpoint) -> Result<Self, Observation> {
        // An IPv4-mapped address leads to IPv4, where the errors come from as well.
        let peer = endpoint.address.to_canonical();
        let sys::EchoSocket { socket, raw } =
            sys::echo_socket(peer).map_err(|error| classify::no_echo_socket(&error))?;
        let watched = sys::watch_departures(&socket);
        let start = || -> io::Result<UdpSocket> {
            sys::prepare(&socket, peer.is_ipv6())?;
            socket.connect(&SocketAddr::new(peer, 0).into())?;
            UdpSocket::from_std(socket.into())
        };
        Ok(Self {
            socket: start().map_err(|error| classify::echo(&error))?,
            raw,
            peer,
            echo: Echo::new(peer.is_ipv6()),
            sent: Cell::new(0),
            watched,
            departed: Cell::new(false),
            foreign: Cell::new(false),
            elsewhere: Cell::new(None),
        })
    }

    /// Requests and waits, until it is known how it ends.
    async fn ask(&self, deadline: Instant) -> Observation {
        let begin = Instant::now();
        loop {
            if let Err(observation) = self.send() {
                return self.last_chance(observation, deadline).await;
            }
            let sent = self.sent.get();
            let again = begin + INTERVAL * u32::from(sent);
            let last = again + ANSWER > deadline || sent == u16::MAX;
            let until = if last { deadline } else { again };
            match self.wait(until).await {
                Some(observation) => return self.last_chance(observation, deadline).await,
                None if last => return self.silence(),
                None => {}
            }
        }
    }

    /// Sends one request. Past the reactor, which knows of readiness alone: the error number is
    /// wanted. The kernel hands out an error that came for an earlier packet here as well.
    fn send(&self) -> Result<(), Observation> {
        let sequence = self.sent.get().saturating_add(1);
        let request = self.echo.request(sequence);
        let mut trouble = None;
        for _ in 0..TRIES {
            match SockRef::from(&self.socket).send(&request) {
                Ok(_) => {
                    self.sent.set(sequence);
                    return Ok(());
                }
                Err(error) => {
                    let theirs = self.foreign.replace(false);
                    if let Some(observation) = self.errors() {
                        return Err(observation);
                    }
                    let again = self.foreign.get();
                    self.foreign.set(again || theirs);
                    trouble = Some(classify::echo(&error));
                    if !again {
                        break;
                    }
                }
            }
        }
        Err(trouble.unwrap_or_else(|| classify::silence(true)))
    }

    /// This machine could not send, or an error came: the reply to an earlier request may still be
    /// on its way, or there already, and it counts for more. A device that listens beside the line may
    /// reject what the host answers a moment later.
    async fn last_chance(&self, observation: Observation, deadline: Instant) -> Observation {
        if self.sent.get() == 0 || is_reply(&observation) {
            return observation;
        }
        let until = deadline.min(Instant::now() + ANSWER);
        while Instant::now() < until {
            match self.wait(until).await {
                Some(better) if is_reply(&better) => return better,
                // What brought the first error may bring more.
                Some(_) => sleep_until(until.min(Instant::now() + PAUSE)).await,
                None => break,
            }
        }
        observation
    }

    /// Waits for a reply or an error; `None` if neither has come by then.
    async fn wait(&self, until: Instant) -> Option<Observation> {
        loop {
            let ready = self.socket.ready(Interest::READABLE | Interest::ERROR);
            let ended = match timeout_at(until, ready).await {
                Ok(Ok(_)) => false,
                Ok(Err(reactor_gone)) => return Some(classify::echo(&reactor_gone)),
                // Asked once more: readiness may lag behind the socket.
                Err(_elapsed) => true,
            };
            let mut seen = self.look();
            if ended && seen.is_none() {
                caught_up(&self.socket, || {
                    seen = seen.take().or_else(|| self.look());
                    seen.is_some()
                })
                .await;
            }
            if seen.is_some() {
                return seen;
            }
            if ended || Instant::now() >= until {
                return None;
            }
            // Woken for a notice, or for somebody else's error: that readiness is not cleared by
            // reading. What comes after it wakes again; the pause is for what cannot be cleared.
            let _ = self.socket.try_io(Interest::ERROR, || {
                Err::<(), _>(io::ErrorKind::WouldBlock.into())
            });
            sleep_until(until.min(Instant::now() + PAUSE)).await;
        }
    }

    /// Reads what is there. A reply wins over an error, which the kernel hands out first.
    fn look(&self) -> Option<Observation> {
        let mut trouble = None;
        let mut buffer = [0; ROOM];
        for _ in 0..MOST {
            match self.socket.try_recv_from(&mut buffer) {
                Ok((length, from)) => {
                    let packet = buffer.get(..length).unwrap_or_default();
                    if !self.echo.is_reply(packet) {
                        continue;
                    }
                    let from = from.ip().to_canonical();
                    if from == self.peer {
                        return Some(Observation::reached(Reach::Connected, None));
                    }
                    self.elsewhere.set(Some(from));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => trouble = trouble.or(Some(error)),
            }
        }
        // Without this the number would stay and fail the next request.
        let trouble = trouble.or_else(|| self.socket.take_error().ok().flatten());
        self.errors().or_else(|| {
            // The number may be that of an error about somebody else's packet, and no number means
            // more than that this machine could not look.
            trouble
                .filter(|_| !self.foreign.get())
                .map(|error| classify::echo(&error))
        })
    }

    /// What the error queue says about our own requests.
    fn errors(&self) -> Option<Observation> {
        let mut ours = Vec::new();
        let drained = sys::drain(&self.socket);
        if drained.departed > 0 {
            self.departed.set(true);
        }
        for entry in drained.errors {
            if self.is_ours(&entry) {
                ours.push(entry.queued);
            } else {
                self.foreign.set(true);
            }
        }
        classify::icmp(&ours, self.peer)
    }

    fn is_ours(&self, entry: &sys::Quoted) -> bool {
        // Our own stack speaks of this socket's packets only.
        if entry.queued.origin == sys::Origin::Local {
            return true;
        }
        // A rule of our own may have turned away the one that is just being sent.
        let sent = self.sent.get().saturating_add(1);
        match self.echo.is_request(&entry.packet, sent, self.raw) {
            Quote::Ours => true,
            Quote::Perhaps => entry
                .to
                .is_some_and(|to| to.ip().to_canonical() == self.peer),
            Quote::Foreign => false,
        }
    }

    /// Nothing that decides came until the deadline.
    fn silence(&self) -> Observation {
        match self.elsewhere.get() {
            // Not one request left: this machine kept them back.
            None => classify::silence(self.watched && !self.departed.get()),
            Some(from) => Observation::blind(
                Blind::LocalError,
                Some(StoppedBy::Errno {
                    errno: 0,
                    text: format!("an echo reply came from {from}, which was not asked"),
                }),
            ),
        }
    }
}

fn is_reply(observation: &Observation) -> bool {
    *observation == Observation::reached(Reach::Connected, None)
}
