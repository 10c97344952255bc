//! A TFTP read request (RFC 1350 section 5) for a file of a random name, which nobody has. The answer
//! is an error, and comes from a port of its own (section 4).
//!
//! Limits: nothing of the request comes back in the answer, so its form alone tells it.

use super::bytes::Reader;
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 1350 sections 4 and 5",
    expects: "an error: no such file, or no access",
    bound: 128,
    build,
    read,
};

const READ_REQUEST: [u8; 2] = [0, 1];
const DATA: u16 = 3;
const ERROR: u16 = 5;

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let name = format!("noentry-{}", asking.hex(32));
    [&READ_REQUEST, name.as_bytes(), b"\0octet\0"].concat()
}

fn read(_asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    match answer.u16()? {
        ERROR => {
            let code = answer.u16()?;
            let text = answer.0.strip_suffix(b"\0")?;
            Some(format!("error {code}: {}", String::from_utf8_lossy(text)))
        }
        DATA => {
            answer.expect(&[0, 1])?;
            (answer.0.len() <= 512).then(|| "gives a file to any name".to_owned())
        }
        _ => None,
    }
}
