//! The QUIC library's socket and tasks, held by us.
//!
//! The library keeps to itself what this is about: that anything at all came back, that an ICMP error
//! came, that our own machine would not send. So its datagrams go through a [`Wire`], which notes
//! that; and its tasks are ours, so that they end with the attempt.
//!
//! Limits: what lies beyond the first MiB of an answer is not read, as over TCP. No segmentation
//! offload and no congestion marks: a handshake and a page need neither.

use std::io::{self, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::rt::Executor as _;
use quinn::udp::{RecvMeta, Transmit};
use quinn::{AsyncTimer, AsyncUdpSocket, Runtime, TokioRuntime, UdpPoller};
use tokio::io::{Interest, ReadBuf};
use tokio::net::UdpSocket;
use tokio::sync::Notify;
use tokio::time::sleep;

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Observation, UdpAnswer};
use crate::probe::datagram::{ANSWER, Datagram, caught_up};
use crate::probe::tasks::Starter;
use crate::probe::{classify, sys, text};

/// Bytes that are read in all; the same as over TCP.
const MOST: usize = 1 << 20;
/// Errors that are taken in at a time.
const ERRORS: usize = 16;
/// How long to wait after being woken for nothing.
const PAUSE: Duration = Duration::from_millis(5);

/// A socket that speaks to one endpoint, and a record of what happened on it.
#[derive(Debug)]
pub(super) struct Wire {
    socket: UdpSocket,
    peer: SocketAddr,
    record: Mutex<Record>,
    /// Something was noted that ends the attempt.
    stopped: Notify,
}

#[derive(Debug, Default)]
struct Record {
    sent: u32,
    read: usize,
    first: Option<UdpAnswer>,
    stop: Option<Observation>,
}

impl Wire {
    /// Opens the socket; nothing is sent.
    ///
    /// # Errors
    ///
    /// What was seen instead, ready to be reported.
    pub(super) fn open(endpoint: Endpoint) -> Result<Arc<Self>, Observation> {
        let (socket, peer) = Datagram::connected(endpoint)?.into_parts();
        Ok(Arc::new(Self {
            socket,
            peer,
            record: Mutex::default(),
            stopped: Notify::new(),
        }))
    }

    /// Whom it speaks to.
    pub(super) const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// How many datagrams left.
    pub(super) fn sent(&self) -> u32 {
        self.record().sent
    }

    /// The first datagram that came back.
    pub(super) fn first(&self) -> Option<UdpAnswer> {
        self.record().first.clone()
    }

    /// Waits for an error that says that there is nothing to wait for. Once anything came back there
    /// is none: what answered has answered, even where that was a moment after a rejection.
    pub(super) async fn denied(&self) -> Observation {
        loop {
            if self.stop().is_some() {
                sleep(ANSWER).await;
                if let Some(stop) = self.stop() {
                    return stop;
                }
            }
            tokio::select! {
                // Noted by the library's own sending and reading.
                () = self.stopped.notified() => {}
                // The readiness of an error cannot be cleared, so a pause keeps this from spinning.
                _ = self.socket.ready(Interest::ERROR) => {
                    self.note(None);
                    if self.stop().is_none() {
                        sleep(PAUSE).await;
                    }
                }
            }
        }
    }

    /// Lets the library read what lies in the socket, as far as to know whether anything came back.
    pub(super) async fn caught_up(&self) {
        caught_up(&self.socket, || self.first().is_some()).await;
    }

    /// What was noted, if nothing came back. The queue is asked once more: at the end of the attempt
    /// readiness may lag behind it.
    pub(super) fn stop(&self) -> Option<Observation> {
        self.note(None);
        let record = self.record();
        record.stop.clone().filter(|_| record.first.is_none())
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in an error, with what lies in the queue.
    fn note(&self, error: Option<&io::Error>) {
        let queued = sys::errors(&self.socket);
        if let Some(observation) = classify::datagram(error, &queued, self.peer.ip()) {
            self.record().stop.get_or_insert(observation);
            self.stopped.notify_one();
        }
    }

    /// Takes in a datagram; false once there were too many bytes.
    fn heard(&self, bytes: &[u8]) -> bool {
        let mut record = self.record();
        record.read = record.read.saturating_add(bytes.len());
        record.first.get_or_insert_with(|| UdpAnswer {
            bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            first_bytes: text::first_bytes(bytes),
            expected: false,
            says: None,
        });
        record.read <= MOST
    }
}

impl AsyncUdpSocket for Wire {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Poller(self))
    }

    /// The library shrugs at errors, so none is worth telling it.
    fn try_send(&self, transmit: &Transmit) -> io::Result<()> {
        match self.socket.try_send(transmit.contents) {
            Ok(_) => {
                let mut record = self.record();
                record.sent = record.sent.saturating_add(1);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(error),
            Err(error) => {
                self.note(Some(&error));
                Ok(())
            }
        }
    }

    fn poll_recv(
        &self,
        context: &mut Context,
        buffers: &mut [IoSliceMut<'_>],
        metas: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        let (Some(buffer), Some(meta)) = (buffers.first_mut(), metas.first_mut()) else {
            return Poll::Ready(Ok(0));
        };
        for _ in 0..ERRORS {
            // Nobody is woken by this socket any more: the flood stays in the kernel.
            if self.record().read > MOST {
                return Poll::Pending;
            }
            let mut read = ReadBuf::new(buffer);
            match ready!(self.socket.poll_recv(context, &mut read)) {
                Ok(()) if self.heard(read.filled()) => {
                    let length = read.filled().len();
                    *meta = RecvMeta {
                        addr: self.peer,
                        len: length,
                        stride: length,
                        ..RecvMeta::default()
                    };
                    return Poll::Ready(Ok(1));
                }
                Ok(()) => {}
                Err(error) => self.note(Some(&error)),
            }
        }
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }
}

/// Waits for room to send.
#[derive(Debug)]
struct Poller(Arc<Wire>);

impl UdpPoller for Poller {
    fn poll_writable(self: Pin<&mut Self>, context: &mut Context) -> Poll<io::Result<()>> {
        self.0.socket.poll_send_ready(context)
    }
}

/// The library's timers as tokio has them, and its tasks among an attempt's own.
#[derive(Debug)]
pub(super) struct Hosted(pub(super) Starter);

impl Runtime for Hosted {
    fn new_timer(&self, at: std::time::Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, task: Pin<Box<dyn Future<Output = ()> + Send>>) {
        self.0.execute(task);
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }

    fn now(&self) -> std::time::Instant {
        TokioRuntime.now()
    }
}
