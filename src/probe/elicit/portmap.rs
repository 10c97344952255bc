//! The port mapper's procedure that does nothing (RFC 1833 section 3.2), called by ONC RPC (RFC 5531
//! section 9). Nothing else is ever called: the list of services is what makes it an amplifier.

use super::bytes::Reader;
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 1833 section 3.2, RFC 5531 section 9",
    expects: "a reply with our transaction ID",
    bound: 64,
    build,
    read,
};

const CALL: u32 = 0;
const REPLY: u32 = 1;
const RPC: u32 = 2;
const PORTMAP: u32 = 100_000;
const VERSION: u32 = 2;
const NULL: u32 = 0;

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let mut out = asking.random::<4>(0).to_vec();
    // No credentials and no verifier, each of a kind and a length.
    for word in [CALL, RPC, PORTMAP, VERSION, NULL, 0, 0, 0, 0] {
        out.extend(word.to_be_bytes());
    }
    out
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    answer.expect(&asking.random::<4>(0))?;
    if answer.u32()? != REPLY {
        return None;
    }
    match answer.u32()? {
        0 => {
            let _verifier = answer.u32()?;
            let length = usize::try_from(answer.u32()?).ok()?;
            let _verifier = answer.take(length)?;
            match answer.u32()? {
                0 => Some(String::new()),
                1 => Some("program unavailable".to_owned()),
                2 => Some("speaks another version".to_owned()),
                error => Some(format!("error {error}")),
            }
        }
        1 => Some("call denied".to_owned()),
        _ => None,
    }
}
