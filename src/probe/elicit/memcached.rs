//! memcached's `version` over UDP (its `doc/protocol.txt`, "UDP protocol"), behind the frame header of
//! eight bytes. It reads no item and has the smallest answer of all commands.
//!
//! A server that was told to speak the binary protocol alone (`-B binary`) ignores the text, so every
//! second datagram is the binary `version` (`doc/protocol-binary.txt`).

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
const REQUEST: u8 = 0x80;
const RESPONSE: u8 = 0x81;
const VERSION: u8 = 0x0b;

fn build(asking: &Asking, sent: u32) -> Vec<u8> {
    let id: [u8; 2] = asking.random(0);
    let mut out = [&id[..], &FRAME].concat();
    if sent % 2 == 0 {
        out.extend(b"version\r\n");
    } else {
        out.extend([REQUEST, VERSION]);
        // Lengths, data type and bucket: all zero.
        out.extend([0; 10]);
        out.extend(opaque(asking));
        // No item's version to compare with.
        out.extend([0; 8]);
    }
    out
}

fn opaque(asking: &Asking) -> [u8; 4] {
    asking.random(2)
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    answer.expect(&asking.random::<2>(0))?;
    answer.expect(&FRAME)?;
    let version = match answer.0 {
        [RESPONSE, ..] => binary(asking, answer)?,
        text => text.strip_prefix(b"VERSION ")?.strip_suffix(b"\r\n")?,
    };
    Some(format!("version {}", String::from_utf8_lossy(version)))
}

fn binary<'a>(asking: &Asking, mut answer: Reader<'a>) -> Option<&'a [u8]> {
    answer.expect(&[RESPONSE, VERSION])?;
    // Key, extras, data type and status: none, and no error.
    answer.expect(&[0; 6])?;
    let length = usize::try_from(answer.u32()?).ok()?;
    answer.expect(&opaque(asking))?;
    let _item = answer.take(8)?;
    (answer.0.len() == length).then_some(answer.0)
}
