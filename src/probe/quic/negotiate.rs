//! Version negotiation: a server that is asked in a version that cannot exist says which it speaks
//! (RFC 9000 section 6). Nothing is computed and nothing remembered for it on either side.
//!
//! Limits: a server should answer, but need not (section 5.2.2); its silence says nothing about a
//! handshake. The first sixteen versions of a list are kept.

use std::cell::Cell;

use rustls::crypto::SecureRandom;
use tokio::time::Instant;

use crate::domain::endpoint::Endpoint;

use crate::probe::datagram::{Datagram, Heard};

/// The least size of a datagram that starts a connection (RFC 9000 section 14.1). Servers ignore
/// shorter ones.
const SIZE: usize = 1200;
/// A connection ID that a client picks for the server has at least 8 bytes (section 7.2), and none
/// has more than 20 in version 1 (section 17.2).
const SHORTEST: u8 = 8;
const LONGEST: u8 = 20;
/// Header form 1 and the fixed bit; the other six bits belong to a version, and are random here.
const LONG_HEADER: u8 = 0b1100_0000;
/// Versions kept of a list.
const MOST: usize = 16;

/// A packet that no version can read.
#[derive(Clone, Debug)]
pub(super) struct Question {
    packet: Vec<u8>,
    theirs: Vec<u8>,
    ours: Vec<u8>,
    /// How often it was sent.
    sent: Cell<u32>,
}

impl Question {
    /// Makes one that nobody can have seen before; none if the system has no randomness.
    pub(super) fn new(random: &dyn SecureRandom) -> Option<Self> {
        let mut noise = [0_u8; 7 + 2 * LONGEST as usize];
        random.fill(&mut noise).ok()?;
        let [form, v0, v1, v2, v3, theirs, ours, rest @ ..] = noise;
        let (first, second) = rest.split_at(usize::from(LONGEST));
        let theirs = first.get(..usize::from(length(theirs)))?;
        let ours = second.get(..usize::from(length(ours)))?;
        let mut packet = vec![LONG_HEADER | (form & !LONG_HEADER)];
        // 0x?a?a?a?a is kept free for this (section 15).
        packet.extend([v0, v1, v2, v3].map(|byte| (byte & 0xf0) | 0x0a));
        for id in [theirs, ours] {
            packet.push(u8::try_from(id.len()).ok()?);
            packet.extend(id);
        }
        packet.resize(SIZE, 0);
        Some(Self {
            packet,
            theirs: theirs.to_vec(),
            ours: ours.to_vec(),
            sent: Cell::new(0),
        })
    }

    /// How often it was sent.
    pub(super) fn sent(&self) -> u32 {
        self.sent.get()
    }

    /// Asks until the deadline, at 0, 1, 2, … seconds.
    pub(super) async fn ask(&self, endpoint: Endpoint, deadline: Instant) -> Heard {
        let socket = match Datagram::connected(endpoint) {
            Ok(socket) => socket,
            Err(observation) => {
                return Heard::Stopped {
                    observation,
                    sent: 0,
                };
            }
        };
        let next = |before: u32| {
            self.sent.set(before.saturating_add(1));
            self.packet.clone()
        };
        let heard = socket.exchange(next, |_| false, deadline).await;
        self.sent.set(match &heard {
            Heard::Answer { sent, .. } | Heard::Stopped { sent, .. } | Heard::Silence { sent } => {
                *sent
            }
        });
        heard
    }

    /// The versions in an answer to this question (section 17.2.1); `None` if it is not one.
    pub(super) fn versions(&self, answer: &[u8]) -> Option<Vec<u32>> {
        let (form, rest) = answer.split_first()?;
        // The form, and a version of zero.
        let rest = rest.strip_prefix(&[0; 4])?;
        // Both IDs come back, and change places.
        let rest = id(rest, &self.ours)?;
        let rest = id(rest, &self.theirs)?;
        let (versions, odd) = rest.as_chunks::<4>();
        let whole = form & 0x80 != 0 && odd.is_empty() && !versions.is_empty();
        whole.then(|| {
            versions
                .iter()
                .map(|bytes| u32::from_be_bytes(*bytes))
                .take(MOST)
                .collect()
        })
    }
}

/// A length of a connection ID, from a random byte.
const fn length(random: u8) -> u8 {
    SHORTEST + random % (LONGEST - SHORTEST + 1)
}

/// What follows an ID with its length in front, if it is the expected one.
fn id<'a>(bytes: &'a [u8], expected: &[u8]) -> Option<&'a [u8]> {
    let (length, rest) = bytes.split_first()?;
    (usize::from(*length) == expected.len())
        .then(|| rest.strip_prefix(expected))
        .flatten()
}

/// A list of versions for display. Reserved ones, which a server may mix in at random (section 6.3),
/// are left out: they would make each report another.
pub(super) fn names(versions: &[u32]) -> Vec<String> {
    versions
        .iter()
        .filter(|version| *version & 0x0f0f_0f0f != 0x0a0a_0a0a)
        .map(|version| match version {
            0..=0xff => version.to_string(),
            _ => format!("0x{version:08x}"),
        })
        .collect()
}

#[cfg(test)]
mod tests;
