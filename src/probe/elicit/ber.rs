//! As much of the Basic Encoding Rules (X.690) as SNMP and LDAP need: definite lengths, tags of one
//! byte.

use super::bytes::Reader;

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const ENUMERATED: u8 = 0x0a;
pub(super) const SEQUENCE: u8 = 0x30;

/// An element around its contents, one after the other.
pub(super) fn element(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let mut out = vec![tag];
    match u8::try_from(contents.len()) {
        Ok(short) if short < 0x80 => out.push(short),
        _ => {
            out.push(0x82);
            out.extend(super::bytes::length16(&contents));
        }
    }
    out.extend(contents);
    out
}

/// A number that is not negative, in the fewest bytes.
pub(super) fn integer(value: u32) -> Vec<u8> {
    let bytes = u64::from(value).to_be_bytes();
    // The first bit is the sign.
    let zeros = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .take_while(|(byte, next)| **byte == 0 && **next < 0x80)
        .count();
    element(INTEGER, &[bytes.get(zeros..).unwrap_or_default()])
}

/// Takes an element: its tag and its contents.
pub(super) fn next<'a>(reader: &mut Reader<'a>) -> Option<(u8, &'a [u8])> {
    let tag = reader.u8()?;
    let length = match reader.u8()? {
        short @ 0..=0x7f => usize::from(short),
        0x81 => usize::from(reader.u8()?),
        0x82 => usize::from(reader.u16()?),
        // Active Directory writes every length with four bytes.
        0x84 => usize::try_from(reader.u32()?).ok()?,
        _ => return None,
    };
    Some((tag, reader.take(length)?))
}

/// Takes an element of this tag.
pub(super) fn tagged<'a>(reader: &mut Reader<'a>, tag: u8) -> Option<Reader<'a>> {
    match next(reader)? {
        (found, contents) if found == tag => Some(Reader(contents)),
        _ => None,
    }
}

/// Takes a number that is not negative.
pub(super) fn number(reader: &mut Reader<'_>, tag: u8) -> Option<u32> {
    let contents = tagged(reader, tag)?.0;
    if contents.is_empty() || contents.len() > 5 {
        return None;
    }
    let value = contents
        .iter()
        .fold(0_u64, |value, byte| value << 8 | u64::from(*byte));
    u32::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_as_they_were() {
        for (value, written) in [
            (0, &[2, 1, 0][..]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (65_507, &[2, 3, 0, 0xff, 0xe3]),
            (u32::MAX, &[2, 5, 0, 255, 255, 255, 255]),
        ] {
            assert_eq!(integer(value), written);
            assert_eq!(number(&mut Reader(written), INTEGER), Some(value));
        }
        assert_eq!(number(&mut Reader(&[2, 0]), INTEGER), None);
        assert_eq!(number(&mut Reader(&[2, 1]), INTEGER), None);
        assert_eq!(number(&mut Reader(&[4, 1, 1]), INTEGER), None);
    }

    #[test]
    fn long_elements_have_long_lengths() {
        let long = element(OCTETS, &[&[7; 300]]);
        assert_eq!(long[..4], [4, 0x82, 1, 44]);
        assert_eq!(next(&mut Reader(&long)), Some((OCTETS, &[7; 300][..])));
        assert_eq!(element(OCTETS, &[&[7; 200]])[..4], [4, 0x82, 0, 200]);
    }
}
