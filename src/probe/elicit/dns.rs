//! DNS: the address of a random name below `.invalid` (RFC 1035 section 4, RFC 6761 section 6.4).
//!
//! Whoever answers says that there is no such name, or that it does not answer us. An old server may
//! refer us to the root instead, and fills up to the 512 bytes that go without EDNS (RFC 1035 section
//! 4.2.1). The name is therefore as long as a quarter of that.

use super::bytes::Reader;
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 1035 section 4.1",
    expects: "NXDOMAIN or REFUSED",
    bound: 512,
    build,
    read,
};

/// Recursion desired (RFC 1035 section 4.1.1), so that an open resolver shows.
const FLAGS: [u8; 2] = [1, 0];
const RESPONSE: u8 = 0x80;
const OPCODE: u8 = 0x78;
const RECURSION_AVAILABLE: u8 = 0x80;

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let id: [u8; 2] = asking.random(0);
    [
        &id[..],
        &FLAGS,
        // One question, nothing else.
        &[0, 1, 0, 0, 0, 0, 0, 0],
        &question(asking),
    ]
    .concat()
}

/// Name, type A, class IN.
fn question(asking: &Asking) -> Vec<u8> {
    let hex = asking.hex(93);
    let (first, second) = hex.split_at(55);
    let mut out = Vec::new();
    for label in [&format!("noentry-{first}"), second, "invalid", ""] {
        out.push(u8::try_from(label.len()).unwrap_or(0));
        out.extend(label.as_bytes());
    }
    out.extend([0, 1, 0, 1]);
    out
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    answer.expect(&asking.random::<2>(0))?;
    let [first, second] = answer.array()?;
    if first & (RESPONSE | OPCODE) != RESPONSE {
        return None;
    }
    let questions = answer.u16()?;
    let _other_counts = answer.take(6)?;
    // Some servers leave the question away when they refuse or do not understand it.
    let question = question(asking);
    match questions {
        0 => {}
        1 if answer.take(question.len())?.eq_ignore_ascii_case(&question) => {}
        _ => return None,
    }
    let code = match second & 0x0f {
        0 => "NOERROR",
        1 => "FORMERR",
        2 => "SERVFAIL",
        3 => "NXDOMAIN",
        4 => "NOTIMP",
        5 => "REFUSED",
        _ => "another error",
    };
    let recursion = if second & RECURSION_AVAILABLE != 0 {
        ", recursion available"
    } else {
        ""
    };
    Some(format!("{code}{recursion}"))
}
