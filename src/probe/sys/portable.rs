//! Systems without a socket error queue: the error number is all there is.

use std::io;

use super::Queued;

/// Nothing to prepare.
#[expect(clippy::unnecessary_wraps, reason = "the shape that Linux needs")]
pub fn prepare<S>(_socket: &S, _v6: bool) -> io::Result<()> {
    Ok(())
}

/// Nothing is queued.
pub fn errors<S>(_socket: &S) -> Vec<Queued> {
    Vec::new()
}

/// Not known.
pub fn unsent<S>(_socket: &S) -> Option<u8> {
    None
}
