//! Bytes as a part of a hidden line: deflated, and in Base64's standard alphabet, which has neither
//! angle brackets nor dashes, so that nothing in them ends the line.
//!
//! Limits: 16 MiB unpacked. What noentry writes is a hundredth of it, and a few bytes may stand for
//! very many.

use std::io::{Error, Read as _, Result, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

/// The most that is unpacked, in bytes.
const UNPACKED: u64 = 16 * 1024 * 1024;

/// Packs bytes.
pub(super) fn pack(bytes: &[u8]) -> Result<String> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes)?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// The bytes that were packed.
pub(super) fn unpack(text: &str) -> Result<Vec<u8>> {
    let packed = STANDARD.decode(text).map_err(Error::other)?;
    let mut bytes = Vec::new();
    DeflateDecoder::new(packed.as_slice())
        .take(UNPACKED.saturating_add(1))
        .read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= UNPACKED) {
        Ok(bytes)
    } else {
        Err(Error::other("it is longer than noentry writes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back_and_a_bomb_does_not() {
        let bytes = b"<!-- --> \x00\xff".repeat(1_000);
        let packed = pack(&bytes).unwrap();
        assert!(packed.len() < 200, "{packed}");
        assert!(!packed.contains(['<', '>', '-']), "{packed}");
        assert_eq!(unpack(&packed).unwrap(), bytes);
        let most = usize::try_from(UNPACKED).unwrap();
        assert_eq!(unpack(&pack(&vec![0; most]).unwrap()).unwrap().len(), most);
        let bomb = pack(&vec![0; most + 1]).unwrap();
        assert!(unpack(&bomb).unwrap_err().to_string().contains("longer"));
        for broken in ["%%%", "AAAA"] {
            assert!(unpack(broken).is_err(), "{broken}");
        }
    }
}
