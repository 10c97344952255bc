//! LDAP over UDP ([MS-ADTS] section 3.1.1.3.1.11; messages of RFC 4511): which versions of LDAP the
//! root of the directory says that it supports. One attribute of two bytes: the whole entry would be
//! a hundred times the question.

use super::ber::{self, ENUMERATED, INTEGER, OCTETS, SEQUENCE, element, integer};
use super::bytes::Reader;
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 4511 sections 4.5 and 5.1, [MS-ADTS]",
    expects: "an entry, or a result",
    bound: 256,
    build,
    read,
};

const BOOLEAN: u8 = 0x01;
const SEARCH: u8 = 0x63;
const ENTRY: u8 = 0x64;
const DONE: u8 = 0x65;
const PRESENT: u8 = 0x87;
const SET: u8 = 0x31;

fn id(asking: &Asking) -> u32 {
    u32::from_be_bytes(asking.random(0)) >> 1 | 1 << 30
}

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let zero = element(ENUMERATED, &[&[0]]);
    let search = element(
        SEARCH,
        &[
            // Of the root, and of it alone; no alias is followed.
            &element(OCTETS, &[]),
            &zero,
            &zero,
            // One entry, one second.
            &integer(1),
            &integer(1),
            &element(BOOLEAN, &[&[0]]),
            &element(PRESENT, &[b"objectClass"]),
            &element(SEQUENCE, &[&element(OCTETS, &[b"supportedLDAPVersion"])]),
        ],
    );
    element(SEQUENCE, &[&integer(id(asking)), &search])
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut message = ber::tagged(&mut Reader(answer), SEQUENCE)?;
    if ber::number(&mut message, INTEGER)? != id(asking) {
        return None;
    }
    match ber::next(&mut message)? {
        (ENTRY, entry) => Some(versions(entry).unwrap_or_default()),
        (DONE, result) => {
            let code = ber::number(&mut Reader(result), ENUMERATED)?;
            Some(format!("result {code}"))
        }
        _ => None,
    }
}

fn versions(entry: &[u8]) -> Option<String> {
    let mut entry = Reader(entry);
    let _name = ber::tagged(&mut entry, OCTETS)?;
    let mut attributes = ber::tagged(&mut entry, SEQUENCE)?;
    let mut attribute = ber::tagged(&mut attributes, SEQUENCE)?;
    let _type = ber::tagged(&mut attribute, OCTETS)?;
    let mut values = ber::tagged(&mut attribute, SET)?;
    let mut found = Vec::new();
    while let Some(value) = ber::tagged(&mut values, OCTETS) {
        found.push(String::from_utf8_lossy(value.0).into_owned());
    }
    Some(format!("LDAP versions {}", found.join(", ")))
}
