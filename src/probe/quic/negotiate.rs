//! Version negotiation: a server that is asked in a version that cannot exist says which it speaks
//! (RFC 9000 section 6). It remembers nothing for that.
//!
//! But for its version the question is a whole first packet as version 1 has it, so that whoever looks
//! into first packets on the way finds nothing broken. There is no hello in it, only a PING and
//! padding. It is protected as RFC 9001 section 5 says, with the salt of the last drafts: a version
//! that cannot exist has none, and Wireshark takes that one for it.
//!
//! Limits: a server should answer, but need not (section 5.2.2); its silence says nothing about a
//! handshake. The first sixteen versions of a list are kept.

use std::sync::atomic::{AtomicU32, Ordering};

use rustls::Side;
use rustls::crypto::SecureRandom;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::quic::Version;
use tokio::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::probe::datagram::{Datagram, Heard, Turn};
use crate::probe::sys;

/// The least size of a datagram that starts a connection (RFC 9000 section 14.1). Servers ignore
/// shorter ones.
const SIZE: usize = 1200;
/// A connection ID that a client picks for the server has at least 8 bytes (section 7.2), and none
/// has more than 20 in version 1 (section 17.2).
const SHORTEST: u8 = 8;
const LONGEST: u8 = 20;
/// A long header, the fixed bit, an Initial packet, and a packet number of one byte (RFC 9000 section
/// 17.2.2).
const INITIAL: u8 = 0b1100_0000;
/// The packet number.
const NUMBER: u8 = 0;
/// A PING frame (section 19.2). The zeros after it are PADDING frames.
const PING: u8 = 0x01;
/// Bytes of the authentication tag behind the packet (RFC 9001 section 5.3).
const TAG: usize = 16;
/// The sample for the header's protection begins four bytes behind the packet number's first, and is
/// as long as a block of AES (section 5.4.2).
const SAMPLE: std::ops::Range<usize> = 4..20;
/// Versions kept of a list.
const MOST: usize = 16;

/// A packet of a version that cannot exist.
#[derive(Debug)]
pub(super) struct Question {
    packet: Vec<u8>,
    theirs: Vec<u8>,
    ours: Vec<u8>,
    sent: AtomicU32,
}

impl Question {
    /// Makes one that nobody can have seen before; none if the system has no randomness.
    pub(super) fn new(random: &dyn SecureRandom) -> Option<Self> {
        let mut noise = [0_u8; 6 + 2 * LONGEST as usize];
        random.fill(&mut noise).ok()?;
        let [v0, v1, v2, v3, theirs, ours, rest @ ..] = noise;
        let (first, second) = rest.split_at(usize::from(LONGEST));
        let theirs = first.get(..usize::from(length(theirs)))?;
        let ours = second.get(..usize::from(length(ours)))?;
        // 0x?a?a?a?a is kept free for this (section 15).
        let version = [v0, v1, v2, v3].map(|byte| (byte & 0xf0) | 0x0a);
        Some(Self {
            packet: initial(version, theirs, ours)?,
            theirs: theirs.to_vec(),
            ours: ours.to_vec(),
            sent: AtomicU32::new(0),
        })
    }

    /// How often it was sent.
    pub(super) fn sent(&self) -> u32 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Asks until the deadline, at 0, 1, 2, … seconds.
    pub(super) async fn ask(&self, endpoint: Endpoint, deadline: Instant) -> Heard {
        // A server that answers from another port or address is there, whatever becomes of a handshake.
        let opened = if sys::WIDE_ERRORS {
            Datagram::wide(endpoint)
        } else {
            Datagram::connected(endpoint)
        };
        let socket = match opened {
            Ok(socket) => socket,
            Err(observation) => {
                return Heard::Stopped {
                    observation,
                    sent: 0,
                };
            }
        };
        let next = |turn: Turn| {
            self.sent
                .store(turn.sent.saturating_add(1), Ordering::Relaxed);
            self.packet.clone()
        };
        let ours = |bytes: &[u8]| self.versions(bytes).is_some();
        let heard = socket.exchange(1, next, ours, deadline).await;
        let sent = match &heard {
            Heard::Answer { sent, .. } | Heard::Stopped { sent, .. } | Heard::Silence { sent } => {
                *sent
            }
        };
        self.sent.store(sent, Ordering::Relaxed);
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

/// A first packet from a client, with nothing to say.
fn initial(version: [u8; 4], theirs: &[u8], ours: &[u8]) -> Option<Vec<u8>> {
    let suite = TLS13_AES_128_GCM_SHA256.tls13()?.quic_suite()?;
    let keys = suite.keys(theirs, Side::Client, Version::V1Draft).local;
    let mut header = vec![INITIAL];
    header.extend(version);
    for id in [theirs, ours] {
        header.push(u8::try_from(id.len()).ok()?);
        header.extend(id);
    }
    // No token.
    header.push(0);
    // What follows the length, which is two bytes long here (section 16).
    let rest = SIZE - header.len() - 2;
    header.extend((0x4000 | u16::try_from(rest).ok()?).to_be_bytes());
    let at = header.len();
    header.push(NUMBER);
    let mut payload = vec![0; SIZE - header.len() - TAG];
    *payload.first_mut()? = PING;
    let tag = keys
        .packet
        .encrypt_in_place(NUMBER.into(), &header, &mut payload)
        .ok()?;
    let mut packet = header;
    packet.extend(payload);
    packet.extend(tag.as_ref());
    let (header, protected) = packet.split_at_mut(at);
    let (number, body) = protected.split_at_mut(1);
    let sample = body.get(SAMPLE.start - 1..SAMPLE.end - 1)?;
    keys.header
        .encrypt_in_place(sample, header.first_mut()?, number)
        .ok()?;
    Some(packet)
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
