//! What a server's certificate says about itself. Recorded, never judged.
//!
//! Limits: a certificate that cannot be read keeps its fingerprint and loses the rest; names beyond
//! the first hundred are left out.

use std::net::{Ipv4Addr, Ipv6Addr};

use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_cert::Certificate as X509;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{AnyRef, Decode, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::time::Time;

use crate::domain::observation::Certificate;

use super::text::printable;

/// Characters kept of a subject, an issuer or a name.
const LONGEST: usize = 200;
/// Names kept.
const MOST_NAMES: usize = 100;
/// `id-ce-subjectAltName` (RFC 5280 section 4.2.1.6).
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");

/// Reads a certificate in DER form.
pub fn describe(der: &[u8]) -> Certificate {
    let sha256 = hex(&Sha256::digest(der));
    let Ok(certificate) = X509::from_der(der) else {
        return Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            not_after: None,
            sha256,
        };
    };
    let body = certificate.tbs_certificate();
    let show = |name: &x509_cert::name::Name| printable(name.to_string().as_bytes(), LONGEST);
    Certificate {
        subject: show(body.subject()),
        issuer: show(body.issuer()),
        names: names(&certificate),
        not_after: end(&body.validity().not_after),
        sha256,
    }
}

/// Bytes as lowercase hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('?');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

fn end(time: &Time) -> Option<String> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
    let time = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    time.format(&Rfc3339).ok()
}

fn names(certificate: &X509) -> Vec<String> {
    certificate
        .tbs_certificate()
        .extensions()
        .into_iter()
        .flatten()
        .filter(|extension| extension.extn_id == SUBJECT_ALT_NAME)
        .flat_map(|extension| general_names(extension.extn_value.as_bytes()))
        .take(MOST_NAMES)
        .collect()
}

/// The DNS names and addresses of a `GeneralNames`. Read by hand, because the library gives up on
/// all of them when one is of a kind that it does not know.
fn general_names(der: &[u8]) -> Vec<String> {
    let Ok(sequence) = AnyRef::from_der(der) else {
        return Vec::new();
    };
    if sequence.tag() != Tag::Sequence {
        return Vec::new();
    }
    let Ok(mut reader) = SliceReader::new(sequence.value()) else {
        return Vec::new();
    };
    let mut names = Vec::new();
    while names.len() < MOST_NAMES {
        let Ok(name) = AnyRef::decode(&mut reader) else {
            break;
        };
        names.extend(general_name(&name));
    }
    names
}

fn general_name(name: &AnyRef<'_>) -> Option<String> {
    let Tag::ContextSpecific { number, .. } = name.tag() else {
        return None;
    };
    match number {
        TagNumber(2) => Some(printable(name.value(), LONGEST)),
        TagNumber(7) => address(name.value()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<String> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Some(Ipv4Addr::from(v4).to_string());
    }
    let v6 = <[u8; 16]>::try_from(bytes).ok()?;
    Some(Ipv6Addr::from(v6).to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample() -> Vec<u8> {
        let mut parameters = rcgen::CertificateParams::new(vec![
            "admin.example.com".to_owned(),
            "*.example.com".to_owned(),
            "192.0.2.7".to_owned(),
            "2001:db8::7".to_owned(),
        ])
        .unwrap();
        parameters.not_after = rcgen::date_time_ymd(2031, 2, 3);
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, "Back\u{202e}office\n");
        let key = rcgen::KeyPair::generate().unwrap();
        parameters.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn a_certificate_is_read_and_escaped() {
        let described = describe(&sample());
        assert_eq!(
            described.names,
            [
                "admin.example.com",
                "*.example.com",
                "192.0.2.7",
                "2001:db8::7"
            ]
        );
        assert_eq!(described.not_after.as_deref(), Some("2031-02-03T00:00:00Z"));
        assert!(
            described.subject.contains("Back\\u{202e}office"),
            "{described:?}"
        );
        assert!(!described.subject.contains('\n'));
        assert_eq!(described.sha256.len(), 64);
    }

    #[test]
    fn what_is_no_certificate_keeps_its_fingerprint() {
        let described = describe(b"");
        assert_eq!(
            described.sha256,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(described.subject, "");
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            describe(&bytes);
            general_names(&bytes);
        }

        #[test]
        fn a_damaged_certificate_never_panics(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let mut der = sample();
            let index = at.index(der.len());
            der[index] = byte;
            describe(&der);
            der.truncate(cut.index(der.len()));
            describe(&der);
        }
    }
}
