//! `OpenVPN`'s `P_CONTROL_HARD_RESET_CLIENT_V2` (the wire protocol's draft, section "TLS mode"): who
//! wants to talk sends it first, with a session ID. A server without `tls-auth` or `tls-crypt` answers
//! with its own, and repeats that for a minute.

use super::bytes::Reader;
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "OpenVPN wire protocol (openvpn-rfc), packet header and reset",
    expects: "a reset of the server that acknowledges our session",
    bound: 208,
    build,
    read,
};

/// Operation 7, key 0.
const CLIENT_RESET: u8 = 7 << 3;
/// Operation 8, key 0.
const SERVER_RESET: u8 = 8 << 3;

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let session: [u8; 8] = asking.random(0);
    // Nothing to acknowledge; packet 0.
    [&[CLIENT_RESET], &session[..], &[0], &[0; 4]].concat()
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    answer.expect(&[SERVER_RESET])?;
    let _session = answer.take(8)?;
    let acknowledged = usize::from(answer.u8()?);
    let _packets = answer.take(acknowledged.checked_mul(4)?)?;
    if acknowledged == 0 {
        return None;
    }
    answer.expect(&asking.random::<8>(0))?;
    Some("without tls-auth or tls-crypt".to_owned())
}
