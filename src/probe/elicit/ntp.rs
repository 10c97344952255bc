//! NTP in client mode (RFC 5905 section 7.3), with nothing in it but a random transmit timestamp,
//! which the answer must bring back as its origin (section 8).
//!
//! A server that knows version 3 alone (RFC 1305) may ignore version 4, so every second datagram is
//! of version 3.

use super::bytes::Reader;
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 5905 sections 7.3 and 8",
    expects: "a packet of mode 4 with our timestamp",
    bound: 48,
    build,
    read,
};

const CLIENT: u8 = 3;
const SERVER: u8 = 4;

fn build(asking: &Asking, sent: u32) -> Vec<u8> {
    let version = if sent.is_multiple_of(2) { 4 } else { 3 };
    let mut out = vec![0; 40];
    if let Some(first) = out.first_mut() {
        *first = version << 3 | CLIENT;
    }
    out.extend(timestamp(asking));
    out
}

fn timestamp(asking: &Asking) -> [u8; 8] {
    let mut timestamp = asking.random(0);
    // Zero would mean that the time is not known.
    if let Some(first) = timestamp.first_mut() {
        *first |= 0x80;
    }
    timestamp
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    let [first, stratum] = answer.array()?;
    if first & 7 != SERVER {
        return None;
    }
    let _poll_to_root_dispersion = answer.take(10)?;
    let reference: [u8; 4] = answer.array()?;
    let _reference_timestamp = answer.take(8)?;
    answer.expect(&timestamp(asking))?;
    let _receive_and_transmit = answer.take(16)?;
    let version = first >> 3 & 7;
    // Section 7.4: with stratum 0 the reference says why the server turns us away.
    Some(match (stratum, std::str::from_utf8(&reference)) {
        (0, Ok(kiss)) if reference.iter().all(u8::is_ascii_uppercase) => {
            format!("version {version}, kiss code {kiss}")
        }
        _ => format!("version {version}, stratum {stratum}"),
    })
}
