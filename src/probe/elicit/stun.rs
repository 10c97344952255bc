//! A STUN binding request (RFC 8489 sections 5 and 6), which needs no account, with the name of this
//! program and the fingerprint that tells STUN from what else may share a port (section 7).

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::bytes::{Reader, length16};
use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 8489 sections 5 and 6.3",
    expects: "a binding response with our transaction ID",
    bound: 256,
    build,
    read,
};

const REQUEST: [u8; 2] = [0x00, 0x01];
const SUCCESS: u16 = 0x0101;
const FAILURE: u16 = 0x0111;
const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const ERROR_CODE: u16 = 0x0009;
const SOFTWARE: u16 = 0x8022;
const FINGERPRINT: u16 = 0x8028;
/// Attributes looked at; no server sends as many.
const MOST: usize = 64;

fn transaction(asking: &Asking) -> [u8; 12] {
    asking.random(0)
}

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    // Seven bytes, filled up to eight (section 14).
    let mut attributes = SOFTWARE.to_be_bytes().to_vec();
    attributes.extend([0, 7]);
    attributes.extend(b"noentry\0");
    // The length covers the fingerprint, of eight bytes, which covers the length (section 14.7).
    let length = length16(&[&attributes[..], &[0; 8]].concat());
    let mut out = [
        &REQUEST[..],
        &length,
        &COOKIE,
        &transaction(asking),
        &attributes,
    ]
    .concat();
    let fingerprint = crc32(&out) ^ 0x5354_554e;
    out.extend(FINGERPRINT.to_be_bytes());
    out.extend([0, 4]);
    out.extend(fingerprint.to_be_bytes());
    out
}

/// The CRC-32 of ISO 8802-3, bit by bit: forty bytes need no table.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            crc >> 1 ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let mut answer = Reader(answer);
    let kind = answer.u16()?;
    let length = usize::from(answer.u16()?);
    answer.expect(&COOKIE)?;
    answer.expect(&transaction(asking))?;
    if !matches!(kind, SUCCESS | FAILURE) || answer.0.len() != length {
        return None;
    }
    let mut says = Vec::new();
    if kind == FAILURE {
        says.push("error".to_owned());
    }
    for _ in 0..MOST {
        let Some((attribute, value)) = attribute(&mut answer) else {
            break;
        };
        match attribute {
            SOFTWARE => says.push(String::from_utf8_lossy(value).into_owned()),
            XOR_MAPPED_ADDRESS => says.extend(mapped(asking, value)),
            ERROR_CODE => says.extend(error(value)),
            _ => {}
        }
    }
    Some(says.join(", "))
}

fn attribute<'a>(reader: &mut Reader<'a>) -> Option<(u16, &'a [u8])> {
    let kind = reader.u16()?;
    let length = usize::from(reader.u16()?);
    let value = reader.take(length)?;
    let _padding = reader.take(length.wrapping_neg() % 4);
    Some((kind, value))
}

/// The address that the server saw us at (section 14.2).
fn mapped(asking: &Asking, value: &[u8]) -> Option<String> {
    let mut value = Reader(value);
    let [_, family] = value.array()?;
    let [cookie0, cookie1, ..] = COOKIE;
    let port = value.u16()? ^ u16::from_be_bytes([cookie0, cookie1]);
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(value.u32()? ^ u32::from_be_bytes(COOKIE)).into(),
        2 => {
            let mut address: [u8; 16] = value.array()?;
            let key = COOKIE.into_iter().chain(transaction(asking));
            for (byte, key) in address.iter_mut().zip(key) {
                *byte ^= key;
            }
            address.into()
        }
        _ => return None,
    };
    Some(format!("sees us at {}", SocketAddr::new(ip, port)))
}

/// Hundreds and the rest (section 14.8).
fn error(value: &[u8]) -> Option<String> {
    let mut value = Reader(value);
    let [_, _, hundreds, rest] = value.array()?;
    Some(format!("code {}{rest:02}", hundreds & 7))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_checksum_is_the_one_of_the_standard() {
        assert_eq!(super::crc32(b"123456789"), 0xcbf4_3926);
    }
}
