//! A `CoAP` ping (RFC 7252 section 4.3): an empty message that asks for a confirmation, and must be
//! answered with a reset of the same number.

use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 7252 section 4.3",
    expects: "a reset with our message ID",
    bound: 16,
    build,
    read,
};

/// Version 1, confirmable, no token, code 0.00.
const EMPTY: [u8; 2] = [0x40, 0];
/// Version 1, reset, no token, code 0.00.
const RESET: [u8; 2] = [0x70, 0];

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    [EMPTY, asking.random(0)].concat()
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    (answer == [RESET, asking.random(0)].concat()).then(String::new)
}
