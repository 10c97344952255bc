//! A stream that remembers what came first and how it ended.
//!
//! The libraries that speak TLS and HTTP keep the reason of a failure in errors of their own, some
//! of them opaque. Here it is noted where it happens, so that nobody has to guess it from a text.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use rustls::AlertDescription;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, ReadBuf};

use super::text::FIRST_BYTES;
use super::{sys, tls};

/// Bytes that are read in all. What is kept of an answer, with its head and TLS around it, needs far
/// less. A flood that is always ready would otherwise keep the libraries busy past every deadline: a
/// timer is looked at only when there is nothing to read.
const MOST: u64 = 1 << 20;

/// How the reading side ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The other side closed.
    Closed,
    /// The other side reset the connection.
    Reset,
    /// A fatal TLS alert.
    Alert(AlertDescription),
    /// Any other error: number, if there is one, and text.
    Broken(i32, String),
}

impl End {
    /// What an I/O error says. A TLS library's errors travel inside one.
    pub fn of(error: &io::Error) -> Self {
        if let Some(rustls::Error::AlertReceived(alert)) = tls::library_error(error) {
            return Self::Alert(*alert);
        }
        match error.raw_os_error() {
            Some(errno) if sys::cause(errno) == sys::Cause::Reset => Self::Reset,
            // TLS without a close_notify.
            None if error.kind() == io::ErrorKind::UnexpectedEof => Self::Closed,
            errno => Self::Broken(errno.unwrap_or(0), error.to_string()),
        }
    }
}

/// What a [`Recorder`] saw.
#[derive(Debug, Default)]
pub struct Record {
    /// The first bytes that were read, at most 64.
    pub first: Vec<u8>,
    /// How many bytes were read in all.
    pub read: u64,
    /// How reading ended; `None` while it goes on.
    pub end: Option<End>,
    wrote: bool,
    write_broke: bool,
    waiting: Option<Waker>,
}

/// The part of a record that outlives its stream.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<Record>>);

impl Shared {
    /// Looks at the record. A poisoned lock is as good as any: only plain values are kept.
    pub fn look(&self) -> MutexGuard<'_, Record> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream with a record.
///
/// - A broken write is swallowed and what was sent before the break is still read: a server that
///   answers and resets at once has answered.
/// - Nothing is read before something was written: a server that speaks first (a banner, a denial
///   at the door) must not confuse a client library that has not asked yet.
#[derive(Debug)]
pub struct Recorder<S> {
    inner: S,
    shared: Shared,
}

impl<S> Recorder<S> {
    /// Wraps a stream; the second part is for looking at the record later.
    pub fn new(inner: S) -> (Self, Shared) {
        let shared = Shared::default();
        let recorder = Self {
            inner,
            shared: shared.clone(),
        };
        (recorder, shared)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Recorder<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        {
            let mut record = self.shared.look();
            if !record.wrote {
                record.waiting = Some(context.waker().clone());
                return Poll::Pending;
            }
            if record.read >= MOST {
                let error = io::Error::other("more bytes than any answer needs");
                record.ended(End::of(&error));
                return Poll::Ready(Err(error));
            }
        }
        let before = buffer.filled().len();
        let asked = buffer.remaining() > 0;
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let mut record = self.shared.look();
        match &polled {
            Poll::Pending => {}
            Poll::Ready(Ok(())) => match buffer.filled().get(before..) {
                Some(new) if !new.is_empty() => record.take(new),
                _ if asked => record.ended(End::Closed),
                _ => {}
            },
            Poll::Ready(Err(error)) => record.ended(End::of(error)),
        }
        polled
    }
}

impl Record {
    fn take(&mut self, new: &[u8]) {
        let room = FIRST_BYTES.saturating_sub(self.first.len());
        self.first.extend(new.iter().take(room));
        self.read = self
            .read
            .saturating_add(u64::try_from(new.len()).unwrap_or(u64::MAX));
    }

    fn ended(&mut self, end: End) {
        // The write has eaten the socket's error, so the read saw only an end.
        let end = match end {
            End::Closed if self.write_broke => End::Reset,
            end => end,
        };
        self.end.get_or_insert(end);
    }

    fn wrote(&mut self) {
        self.wrote = true;
        if let Some(waker) = self.waiting.take() {
            waker.wake();
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Recorder<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.shared.look().write_broke {
            return Poll::Ready(Ok(bytes.len()));
        }
        let polled = Pin::new(&mut self.inner).poll_write(context, bytes);
        let mut record = self.shared.look();
        match polled {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(written)) => {
                record.wrote();
                Poll::Ready(Ok(written))
            }
            Poll::Ready(Err(_)) => {
                record.write_broke = true;
                record.wrote();
                Poll::Ready(Ok(bytes.len()))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_flush(context);
        self.swallow(polled)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let polled = Pin::new(&mut self.inner).poll_shutdown(context);
        self.swallow(polled)
    }
}

impl<S> Recorder<S> {
    fn swallow(&self, polled: Poll<io::Result<()>>) -> Poll<io::Result<()>> {
        if let Poll::Ready(Err(_)) = polled {
            self.shared.look().write_broke = true;
            return Poll::Ready(Ok(()));
        }
        polled
    }
}

impl<S: AsyncBufRead + Unpin> Recorder<S> {
    /// Waits for what the other side says without being asked, and leaves it in the stream. A late
    /// TLS alert is noted in the record.
    pub fn poll_unasked(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match Pin::new(&mut self.inner).poll_fill_buf(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok([])) => {
                self.shared.look().ended(End::Closed);
                Poll::Ready(())
            }
            Poll::Ready(Ok(_)) => Poll::Ready(()),
            Poll::Ready(Err(error)) => {
                self.shared.look().ended(End::of(&error));
                Poll::Ready(())
            }
        }
    }
}
