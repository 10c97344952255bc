//! A DTLS 1.2 `ClientHello` without a cookie (RFC 6347 section 4.2.1).
//!
//! Only suites with a shared secret are offered: a server that does not ask for the cookie first would
//! otherwise send its certificates to whoever asks, and repeat them. What comes back is a request for
//! the cookie, an alert, or the few bytes of a server that has such a secret. The hello is filled up
//! (RFC 7685) so that even those, repeated, are no more than four times as much.

use super::bytes::{Reader, length16};
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 6347 section 4.2.1",
    expects: "HelloVerifyRequest, or an alert",
    bound: 1024,
    build,
    read,
};

const ALERT: u8 = 21;
const HANDSHAKE: u8 = 22;
const CLIENT_HELLO: u8 = 1;
const SERVER_HELLO: u8 = 2;
const HELLO_VERIFY_REQUEST: u8 = 3;
const DTLS_1_0: [u8; 2] = [0xfe, 0xff];
const DTLS_1_2: [u8; 2] = [0xfe, 0xfd];
/// `ECDHE_PSK` and PSK with AES, in GCM, CCM and CBC (RFC 8442, RFC 5487, RFC 6655, RFC 5489, RFC
/// 4279), and the signal of RFC 5746 section 3.3.
const SUITES: [u8; 16] = [
    0xd0, 0x01, 0x00, 0xa8, 0x00, 0xa9, 0xc0, 0xa4, 0xc0, 0xa8, 0xc0, 0x35, 0x00, 0x8c, 0x00, 0xff,
];
/// How long the datagram becomes.
const FULL: usize = 256;

fn build(asking: &Asking, sent: u32) -> Vec<u8> {
    let extensions = [
        // Groups: X25519 and P-256 (RFC 8422 section 5.1.1), points as they are (5.1.2).
        extension(10, &[0, 4, 0, 29, 0, 23]),
        extension(11, &[1, 0]),
        // The extended master secret (RFC 7627 section 5.1).
        extension(23, &[]),
    ]
    .concat();
    let mut body = DTLS_1_2.to_vec();
    body.extend(asking.random::<32>(0));
    // No session, no cookie.
    body.extend([0, 0]);
    body.extend(length16(&SUITES));
    body.extend(SUITES);
    // No compression.
    body.extend([1, 0]);
    // 13 bytes of record and 12 of handshake before, 2 of length, 4 of the padding's own header.
    let padding = FULL.saturating_sub(13 + 12 + 2 + 4 + body.len() + extensions.len());
    let extensions = [extensions, extension(21, &vec![0; padding])].concat();
    body.extend(length16(&extensions));
    body.extend(extensions);

    let [high, low] = length16(&body);
    let length = [0, high, low];
    // The first message, in one fragment (section 4.2.2).
    let message = [
        &[CLIENT_HELLO],
        &length[..],
        &[0, 0, 0, 0, 0],
        &length,
        &body,
    ]
    .concat();
    [
        // A first hello may bear the old version, which nobody turns away for it (section 4.2.1).
        &[HANDSHAKE],
        &DTLS_1_0[..],
        // Epoch 0; every record has a number of its own (section 4.1).
        &[0, 0, 0, 0],
        &sent.to_be_bytes(),
        &length16(&message),
        &message,
    ]
    .concat()
}

fn extension(kind: u16, content: &[u8]) -> Vec<u8> {
    [&kind.to_be_bytes()[..], &length16(content), content].concat()
}

/// Nothing in these answers comes from the hello, so only their form tells them.
fn read(_asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    let kind = answer.u8()?;
    let version: [u8; 2] = answer.array()?;
    if version != DTLS_1_0 && version != DTLS_1_2 {
        return None;
    }
    // In the clear.
    answer.expect(&[0, 0])?;
    let _number = answer.take(6)?;
    let length = usize::from(answer.u16()?);
    let mut content = Reader(answer.take(length)?);
    match kind {
        HANDSHAKE => match content.u8()? {
            HELLO_VERIFY_REQUEST => Some("asks for a cookie".to_owned()),
            SERVER_HELLO => Some("goes on without a cookie".to_owned()),
            _ => None,
        },
        ALERT => match content.0 {
            [1 | 2, 40] => Some("alert handshake_failure".to_owned()),
            [1 | 2, 70] => Some("alert protocol_version".to_owned()),
            [1 | 2, 71] => Some("alert insufficient_security".to_owned()),
            [1 | 2, number] => Some(format!("alert {number}")),
            _ => None,
        },
        _ => None,
    }
}
