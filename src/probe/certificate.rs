//! What a server's certificate says about itself, and whether it speaks for the host that was asked for.
//!
//! A name is covered as RFC 9525 section 6.3 says, by the library that TLS clients use: a DNS name of
//! subjectAltName, whole or with `*` for its left-most label, without regard to case; names are compared
//! as they go over the wire, in A-labels. Where there is no subjectAltName at all, the common name counts
//! if it is exactly the name (RFC 6125 section 6.4.4, which RFC 9525 has dropped): certificates that
//! people make for the inside often have nothing else, and a middlebox has no reason to.
//!
//! A host that is an address is covered by any certificate. There is hardly an address in certificates,
//! and who asks for one knows so; nobody is told from the target by that.
//!
//! Limits: the issuer is not asked. A device that forges a certificate for the name covers it. A
//! certificate that cannot be read keeps its fingerprint and loses the rest; names beyond the first
//! hundred are left out of the report, not out of the comparison. The library reads less than is shown
//! here (no version 1, no critical extension that it does not know): what it cannot read covers a name by
//! its common name alone.

use std::net::{Ipv4Addr, Ipv6Addr};

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::ParsedCertificate;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_cert::Certificate as X509;
use x509_cert::der::asn1::ObjectIdentifier;
use x509_cert::der::{AnyRef, Decode, SliceReader, Tag, TagNumber, Tagged};
use x509_cert::time::Time;

use crate::domain::observation::{Certificate, CertificateFlaw};
use crate::domain::target::Host;

use super::text::printable;

/// Characters kept of a subject, an issuer or a name.
const LONGEST: usize = 200;
/// Names kept.
const MOST_NAMES: usize = 100;
/// `id-ce-subjectAltName` (RFC 5280 section 4.2.1.6).
const SUBJECT_ALT_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.17");
/// `id-at-commonName` (RFC 5280 appendix A.1).
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Reads a certificate in DER form. `asked` is the host that it should speak for, if any; `now` is in
/// seconds since 1970.
pub fn describe(der: &[u8], asked: Option<&Host>, now: u64) -> Certificate {
    let sha256 = hex(&Sha256::digest(der));
    let name = match asked {
        Some(Host::Name(name)) => Some(name.as_str()),
        Some(Host::Address(_)) | None => None,
    };
    let mut flaws = Vec::new();
    let Ok(certificate) = X509::from_der(der) else {
        flaws.push(CertificateFlaw::Unreadable);
        flaws.extend(name.map(|_| CertificateFlaw::OtherName));
        return Certificate {
            subject: String::new(),
            issuer: String::new(),
            names: Vec::new(),
            not_after: None,
            flaws,
            sha256,
        };
    };
    let covered = name.is_none_or(|name| is_covered(name, der, &certificate));
    flaws.extend((!covered).then_some(CertificateFlaw::OtherName));
    flaws.extend(out_of_date(&certificate, now));
    let body = certificate.tbs_certificate();
    let show = |name: &x509_cert::name::Name| printable(name.to_string().as_bytes(), LONGEST);
    Certificate {
        subject: show(body.subject()),
        issuer: show(body.issuer()),
        names: names(&certificate),
        not_after: end(&body.validity().not_after),
        flaws,
        sha256,
    }
}

/// Whether a certificate is for this name.
fn is_covered(name: &str, der: &[u8], certificate: &X509) -> bool {
    let der = CertificateDer::from(der);
    if let (Ok(server), Ok(parsed)) = (
        ServerName::try_from(name),
        ParsedCertificate::try_from(&der),
    ) && verify_server_name(&parsed, &server).is_ok()
    {
        return true;
    }
    let body = certificate.tbs_certificate();
    let mut extensions = body.extensions().into_iter().flatten();
    if extensions.any(|extension| extension.extn_id == SUBJECT_ALT_NAME) {
        return false;
    }
    let mut subject = body.subject().iter();
    subject.any(|attribute| {
        let common = attribute.value.value();
        let common = common.strip_suffix(b".").unwrap_or(common);
        attribute.oid == COMMON_NAME
            && common.eq_ignore_ascii_case(name.trim_end_matches('.').as_bytes())
    })
}

/// Whether a certificate is not valid now.
fn out_of_date(certificate: &X509, now: u64) -> Option<CertificateFlaw> {
    let validity = certificate.tbs_certificate().validity();
    if now < validity.not_before.to_unix_duration().as_secs() {
        Some(CertificateFlaw::NotYetValid)
    } else if now > validity.not_after.to_unix_duration().as_secs() {
        Some(CertificateFlaw::Expired)
    } else {
        None
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

    /// 1 December 2026.
    const NOW: u64 = 1_796_083_200;

    fn asked() -> Host {
        Host::Name("admin.example.com".to_owned())
    }

    fn flaws(names: &[&str], common: &str, host: &Host) -> Vec<CertificateFlaw> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut parameters = rcgen::CertificateParams::new(names).unwrap();
        parameters.distinguished_name = rcgen::DistinguishedName::new();
        parameters
            .distinguished_name
            .push(rcgen::DnType::CommonName, common);
        let key = rcgen::KeyPair::generate().unwrap();
        let der = parameters.self_signed(&key).unwrap().der().to_vec();
        describe(&der, Some(host), NOW).flaws
    }

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
        let described = describe(&sample(), None, NOW);
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
    fn a_name_is_covered_as_tls_clients_see_it() {
        for (names, common, host, covered) in [
            (&["admin.example.com"][..], "x", "admin.example.com", true),
            (&["ADMIN.example.COM"], "x", "admin.example.com", true),
            (&["admin.example.com"], "x", "admin.example.com.", true),
            (&["*.example.com"], "x", "admin.example.com", true),
            (&["*.example.com"], "x", "a.admin.example.com", false),
            (&["*.example.com"], "x", "example.com", false),
            (&["a*.example.com"], "x", "admin.example.com", false),
            (&["admin.*.com"], "x", "admin.example.com", false),
            (
                &["*.xn--bcher-kva.example"],
                "x",
                "www.xn--bcher-kva.example",
                true,
            ),
            (&["example.com"], "x", "admin.example.com", false),
            (
                &["other.example.com", "admin.example.com"],
                "x",
                "admin.example.com",
                true,
            ),
            (&["192.0.2.7"], "x", "admin.example.com", false),
            (
                &["blocked.filter.example"],
                "admin.example.com",
                "admin.example.com",
                false,
            ),
            // Nothing but a common name: exactly that, and no pattern.
            (&[], "admin.example.com", "admin.example.com", true),
            (&[], "Admin.Example.com", "admin.example.com", true),
            (&[], "*.example.com", "admin.example.com", false),
            (&[], "FortiGate", "admin.example.com", false),
        ] {
            let host = Host::Name(host.to_owned());
            let expected: &[CertificateFlaw] = if covered {
                &[]
            } else {
                &[CertificateFlaw::OtherName]
            };
            assert_eq!(
                flaws(names, common, &host),
                expected,
                "{names:?} {common} {host}"
            );
        }
    }

    #[test]
    fn no_certificate_is_held_to_an_address() {
        let address = Host::Address("192.0.2.7".parse().unwrap());
        assert_eq!(flaws(&["admin.example.com"], "x", &address), []);
        assert_eq!(flaws(&[], "TRAEFIK DEFAULT CERT", &address), []);
    }

    #[test]
    fn a_certificate_has_its_time() {
        let host = asked();
        let at = |now| describe(&sample(), Some(&host), now).flaws;
        assert_eq!(at(NOW), []);
        // Not after 3 February 2031.
        assert_eq!(at(1_927_843_200), []);
        assert_eq!(at(1_927_843_201), [CertificateFlaw::Expired]);
        assert_eq!(at(0), [CertificateFlaw::NotYetValid]);
    }

    #[test]
    fn what_is_no_certificate_keeps_its_fingerprint() {
        let described = describe(b"", None, NOW);
        assert_eq!(
            described.sha256,
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(described.subject, "");
        assert_eq!(described.flaws, [CertificateFlaw::Unreadable]);
        assert_eq!(
            describe(b"", Some(&asked()), NOW).flaws,
            [CertificateFlaw::Unreadable, CertificateFlaw::OtherName]
        );
    }

    proptest! {
        #[test]
        fn random_bytes_never_panic(bytes: Vec<u8>) {
            describe(&bytes, Some(&asked()), NOW);
            general_names(&bytes);
        }

        #[test]
        fn a_damaged_certificate_never_panics(at: prop::sample::Index, byte: u8, cut: prop::sample::Index) {
            let mut der = sample();
            let index = at.index(der.len());
            der[index] = byte;
            describe(&der, Some(&asked()), NOW);
            der.truncate(cut.index(der.len()));
            describe(&der, Some(&asked()), NOW);
        }
    }
}
