//! `SNMPv3` engine discovery (RFC 3414 section 4): a request of nobody for nothing, which the agent
//! must answer with a report that names its engine. No community and no user is tried.

use super::ber::{self, INTEGER, OCTETS, SEQUENCE, element, integer};
use super::bytes::{Reader, hex};
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 3414 section 4",
    expects: "a report that names the engine",
    bound: 256,
    build,
    read,
};

/// Request without authentication or encryption, to be answered with a report (RFC 3412 section 6.4).
const REPORTABLE: u8 = 4;
/// The user-based security model (RFC 3411 section 5).
const USM: u32 = 3;
const GET: u8 = 0xa0;
const REPORT: u8 = 0xa8;

/// A number of 31 bits that is not small (RFC 3412 section 6.2).
fn id(asking: &Asking) -> u32 {
    u32::from_be_bytes(asking.random(0)) >> 1 | 1 << 30
}

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let (id, zero, empty) = (integer(id(asking)), integer(0), element(OCTETS, &[]));
    let global = element(
        SEQUENCE,
        &[
            &id,
            &integer(65_507),
            &element(OCTETS, &[&[REPORTABLE]]),
            &integer(USM),
        ],
    );
    // Engine, its boots and its time; user, authentication, privacy: all empty.
    let security = element(SEQUENCE, &[&empty, &zero, &zero, &empty, &empty, &empty]);
    let request = element(GET, &[&id, &zero, &zero, &element(SEQUENCE, &[])]);
    let scoped = element(SEQUENCE, &[&empty, &empty, &request]);
    let security = element(OCTETS, &[&security]);
    element(SEQUENCE, &[&integer(3), &global, &security, &scoped])
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut message = ber::tagged(&mut Reader(answer), SEQUENCE)?;
    if ber::number(&mut message, INTEGER)? != 3 {
        return None;
    }
    let mut global = ber::tagged(&mut message, SEQUENCE)?;
    if ber::number(&mut global, INTEGER)? != id(asking) {
        return None;
    }
    let mut security = ber::tagged(&mut message, OCTETS)?;
    let mut security = ber::tagged(&mut security, SEQUENCE)?;
    let engine = ber::tagged(&mut security, OCTETS)?.0;
    let boots = ber::number(&mut security, INTEGER)?;
    let seconds = ber::number(&mut security, INTEGER)?;
    let mut scoped = ber::tagged(&mut message, SEQUENCE)?;
    let _context_engine = ber::tagged(&mut scoped, OCTETS)?;
    let _context_name = ber::tagged(&mut scoped, OCTETS)?;
    let _report = ber::tagged(&mut scoped, REPORT)?;
    let hex = hex(engine);
    // RFC 3411 section 5, SnmpEngineID: four bytes of enterprise number without the first bit.
    let maker = engine
        .first_chunk()
        .map_or(0, |first| u32::from_be_bytes(*first) & 0x7fff_ffff);
    Some(format!(
        "engine {hex} (enterprise {maker}), boots {boots}, up {seconds} s"
    ))
}
