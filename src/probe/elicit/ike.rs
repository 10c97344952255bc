//! The first message of `IKEv2` (RFC 7296 section 1.2): a whole proposal, a key exchange value of
//! X25519 (RFC 8031) and a nonce. It names nobody and proves nothing.
//!
//! The key exchange value is random: every 32 bytes are a point that X25519 takes (RFC 7748 section
//! 5), and nobody needs the secret. A responder that wants another group says so.

use super::bytes::{Reader, length16};
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 7296 sections 1.2 and 3",
    expects: "a response with our SPI: a choice, a cookie or an error",
    bound: 864,
    build,
    read,
};

const SA: u8 = 33;
const KEY_EXCHANGE: u8 = 34;
const NONCE: u8 = 40;
const NOTIFY: u8 = 41;
const IKE_SA_INIT: u8 = 34;
const INITIATOR: u8 = 0x08;
const RESPONSE: u8 = 0x20;
const VERSION_2: u8 = 0x20;
const X25519: u8 = 31;

/// Kinds of transforms with their numbers (section 3.3.2), and key lengths where they have one:
/// AES-CBC and 3DES, HMAC with SHA-2 and SHA-1, and the groups X25519, P-256 and MODP of 2048 bits.
const WITH_INTEGRITY: &[(u8, u8, Option<u16>)] = &[
    (1, 12, Some(256)),
    (1, 12, Some(128)),
    (1, 3, None),
    (2, 5, None),
    (2, 2, None),
    (3, 12, None),
    (3, 2, None),
    (4, X25519, None),
    (4, 19, None),
    (4, 14, None),
];
/// AES-GCM, which must not be proposed together with the others (RFC 5282 section 8).
const COMBINED: &[(u8, u8, Option<u16>)] = &[
    (1, 20, Some(256)),
    (1, 20, Some(128)),
    (2, 5, None),
    (2, 2, None),
    (4, X25519, None),
    (4, 19, None),
    (4, 14, None),
];

fn spi(asking: &Asking) -> [u8; 8] {
    let mut spi = asking.random(0);
    // Zero is not allowed (section 3.1).
    if let Some(first) = spi.first_mut() {
        *first |= 1;
    }
    spi
}

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let proposals = [
        proposal(1, true, COMBINED),
        proposal(2, false, WITH_INTEGRITY),
    ]
    .concat();
    let exchange = [&[0, X25519, 0, 0][..], &asking.random::<32>(8)].concat();
    let payloads = [
        payload(KEY_EXCHANGE, &proposals),
        payload(NONCE, &exchange),
        payload(0, &asking.random::<24>(40)),
    ]
    .concat();
    let length = u32::try_from(28 + payloads.len()).unwrap_or(u32::MAX);
    [
        &spi(asking)[..],
        &[0; 8],
        &[SA, VERSION_2, IKE_SA_INIT, INITIATOR, 0, 0, 0, 0],
        &length.to_be_bytes(),
        &payloads,
    ]
    .concat()
}

/// A payload behind its header (section 3.2).
fn payload(next: u8, content: &[u8]) -> Vec<u8> {
    let length = length16(&[&[0; 4], content].concat());
    [&[next, 0], &length[..], content].concat()
}

/// A proposal (section 3.3.1) with its transforms.
fn proposal(number: u8, more: bool, offered: &[(u8, u8, Option<u16>)]) -> Vec<u8> {
    let mut transforms = Vec::new();
    for (index, (kind, id, key)) in offered.iter().enumerate() {
        // The key length is an attribute of fixed size, type 14 (section 3.3.5).
        let attribute = key.map_or(Vec::new(), |bits| {
            [&[0x80, 14], &bits.to_be_bytes()[..]].concat()
        });
        let content = [&[*kind, 0, 0, *id], &attribute[..]].concat();
        let last = index + 1 == offered.len();
        transforms.extend(payload(if last { 0 } else { 3 }, &content));
    }
    let count = u8::try_from(offered.len()).unwrap_or(u8::MAX);
    // For IKE itself, with no SPI.
    let content = [&[number, 1, 0, count], &transforms[..]].concat();
    payload(if more { 2 } else { 0 }, &content)
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    answer.expect(&spi(asking))?;
    let _responder = answer.take(8)?;
    let [first, version, exchange, flags] = answer.array()?;
    // Section 2.5: a server of version 1 says so in its own words.
    if version >> 4 == 1 {
        return Some("speaks version 1".to_owned());
    }
    if version >> 4 != 2 || exchange != IKE_SA_INIT || flags & (RESPONSE | INITIATOR) != RESPONSE {
        return None;
    }
    answer.expect(&[0; 4])?;
    let _length = answer.u32()?;
    Some(match first {
        SA => "takes part in a key exchange".to_owned(),
        NOTIFY => {
            let _header = answer.take(6)?;
            notification(answer.u16()?)
        }
        _ => String::new(),
    })
}

/// Section 3.10.1.
fn notification(kind: u16) -> String {
    match kind {
        7 => "INVALID_SYNTAX".to_owned(),
        14 => "NO_PROPOSAL_CHOSEN".to_owned(),
        17 => "INVALID_KE_PAYLOAD".to_owned(),
        16_390 => "COOKIE".to_owned(),
        other => format!("notification {other}"),
    }
}
