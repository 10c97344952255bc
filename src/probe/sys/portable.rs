//! Systems without a socket error queue and `TCP_INFO`: the error number is all there is.

use std::io;
use std::time::Duration;

use super::{Drained, Queued};

/// Nothing to prepare.
#[expect(clippy::unnecessary_wraps, reason = "the shape that Linux needs")]
pub fn prepare<S>(_socket: &S, _v6: bool) -> io::Result<()> {
    Ok(())
}

/// Nothing is queued.
pub fn errors<S>(_socket: &S) -> Vec<Queued> {
    Vec::new()
}

/// Nothing is queued.
pub fn drain<S>(_socket: &S) -> Drained {
    Drained::default()
}

/// That is not to be had.
pub fn watch_departures<S>(_socket: &S) -> bool {
    false
}

/// Not known.
pub const fn looped() -> Option<u64> {
    None
}

/// Not known.
pub const fn reverse_path_drops() -> Option<u64> {
    None
}

/// Not known.
pub fn unsent<S>(_socket: &S) -> Option<u8> {
    None
}

/// Not known.
pub fn syns<S>(_socket: &S) -> Option<u8> {
    None
}

/// Not known.
pub fn unacknowledged<S>(_socket: &S) -> Option<bool> {
    None
}

/// Not known.
pub fn round_trip<S>(_socket: &S) -> Option<Duration> {
    None
}
