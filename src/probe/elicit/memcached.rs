//! memcached's `version` over UDP (its `doc/protocol.txt`, "UDP protocol"), behind the frame header of
//! eight bytes. It reads no item and has the smallest answer of all commands. A server that was told
//! to speak the binary protocol alone (`-B binary`) answers it over UDP all the same.

use super::bytes::Reader;
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "memcached doc/protocol.txt, UDP protocol",
    expects: "VERSION and a number",
    bound: 64,
    build,
    read,
};

/// Datagram 0 of 1, and two reserved bytes.
const FRAME: [u8; 6] = [0, 0, 0, 1, 0, 0];

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let id: [u8; 2] = asking.random(0);
    [&id[..], &FRAME, b"version\r\n"].concat()
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    answer.expect(&asking.random::<2>(0))?;
    answer.expect(&FRAME)?;
    let version = answer.0.strip_prefix(b"VERSION ")?.strip_suffix(b"\r\n")?;
    Some(format!("version {}", String::from_utf8_lossy(version)))
}
