//! TLS alerts: which are a refusal, and whose word they are.
//!
//! An alert is a refusal (`Reach::TlsRefused`) only if it is the server's word, and turns the *client*
//! away. Before a `ServerHello` it is nobody's word: it comes in the clear, and anything on the way can
//! write it. So it is after one: a server that has asked for no certificate turns nobody away there in the
//! clear, and in TLS 1.3 the library still takes a plain alert for the server's. What is left:
//!
//! | alert (RFC 8446 section 6.2, RFC 5246 section 7.2.2) | under the session's keys | in the clear, after the server asked for a client certificate (TLS 1.2) | in the clear otherwise |
//! | --- | --- | --- | --- |
//! | `access_denied` | yes | yes | no |
//! | `unrecognized_name` | if a name was sent | if a name was sent | no |
//! | `certificate_required`, `bad_certificate`, `unsupported_certificate`, `certificate_revoked`, `certificate_expired`, `certificate_unknown`, `unknown_ca`, `handshake_failure` (how TLS 1.2 servers say that a certificate is missing) | if the server had asked for a client certificate | yes | no |
//! | every other: this client and the server have no parameters in common, or something was wrong with our hello, and another client gets in | no | no | no |
//!
//! A `HelloRetryRequest` (RFC 8446 section 4.1.4) is no `ServerHello`: nothing of the server's follows from
//! it.
//!
//! Limits: TLS 1.2 sends its alerts in the clear until the very end, so that a device that waits for the
//! request can still write one: RFC 5246 has nothing against that.

use rustls::AlertDescription;

use crate::domain::observation::{StoppedBy, TlsEvidence};

use super::tls::{TLS13, seen_anything};

/// The random of a `ServerHello` that is a `HelloRetryRequest` (RFC 8446 section 4.1.3); as much of it as
/// tells, which is among the first bytes that are kept.
const RETRY: [u8; 16] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
];

/// How far a handshake had come when an alert came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// The server had said nothing of its own.
    BeforeHello,
    /// It had, and no keys protect the alert.
    InTheClear,
    /// Keys that the server took part in protect it.
    UnderKeys,
}

/// Whether a `ServerHello` is among the first bytes that came: a handshake record (RFC 8446 section 5.1)
/// that begins with one. Alerts that only warn, and a change of cipher spec, may come before it.
fn says_hello(first: &[u8]) -> bool {
    let mut rest = first;
    while let [kind, _, _, high, low, record @ ..] = rest {
        match kind {
            // Type 2 (section 4), and behind its length and version the random.
            22 => {
                return match record {
                    [2, _, _, _, _, _, random @ ..] => !random.starts_with(&RETRY),
                    _ => false,
                };
            }
            20 | 21 => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                rest = record.get(length..).unwrap_or_default();
            }
            _ => return false,
        }
    }
    false
}

/// How far a handshake had come when an alert ended it. In TLS 1.3 the certificate and all that follows
/// are under the keys of the handshake, and once anything was, the library takes nothing else.
pub(super) fn stage(tls: &TlsEvidence, first: &[u8]) -> Stage {
    if tls.version.as_deref() == Some(TLS13) {
        Stage::UnderKeys
    } else if seen_anything(tls) || says_hello(first) {
        Stage::InTheClear
    } else {
        Stage::BeforeHello
    }
}

/// The same over QUIC, where everybody on the way knows the keys of the first packets (RFC 9001 section
/// 5.2), and an alert closes the connection under the keys that there are. What TLS told came under the
/// keys of the handshake, and once our side has answered that, it throws the first keys away (section
/// 4.9.1).
pub(super) fn stage_of_quic(tls: &TlsEvidence) -> Stage {
    if seen_anything(tls) {
        Stage::UnderKeys
    } else {
        Stage::BeforeHello
    }
}

/// Whether an alert turns the client away; the table is in the module's documentation.
pub(super) const fn turns_away(
    alert: AlertDescription,
    stage: Stage,
    certificate_requested: bool,
    named: bool,
) -> bool {
    match stage {
        Stage::UnderKeys => {}
        Stage::InTheClear if certificate_requested => {}
        Stage::BeforeHello | Stage::InTheClear => return false,
    }
    match alert {
        AlertDescription::AccessDenied => true,
        AlertDescription::UnrecognisedName => named,
        AlertDescription::CertificateRequired
        | AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::HandshakeFailure => certificate_requested,
        _ => false,
    }
}

/// An alert as evidence.
pub(super) fn evidence(
    description: AlertDescription,
    stage: Stage,
    certificate_requested: bool,
) -> StoppedBy {
    StoppedBy::Alert {
        code: u8::from(description),
        name: alert_name(description),
        certificate_requested,
        before_hello: stage == Stage::BeforeHello,
    }
}

/// The name in the RFCs. rustls has it in its own spelling.
fn alert_name(description: AlertDescription) -> String {
    match description {
        AlertDescription::UnrecognisedName => "unrecognized_name".to_owned(),
        AlertDescription::UnknownPSKIdentity => "unknown_psk_identity".to_owned(),
        AlertDescription::UnknownCA => "unknown_ca".to_owned(),
        AlertDescription::Unknown(code) => format!("alert_{code}"),
        known => snake_case(&format!("{known:?}")),
    }
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for character in name.chars() {
        if character.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every alert that turns a client away in some stage, and a few that never do.
    const ALERTS: [AlertDescription; 12] = [
        AlertDescription::AccessDenied,
        AlertDescription::UnrecognisedName,
        AlertDescription::CertificateRequired,
        AlertDescription::BadCertificate,
        AlertDescription::UnsupportedCertificate,
        AlertDescription::CertificateRevoked,
        AlertDescription::CertificateExpired,
        AlertDescription::CertificateUnknown,
        AlertDescription::UnknownCA,
        AlertDescription::HandshakeFailure,
        AlertDescription::ProtocolVersion,
        AlertDescription::NoApplicationProtocol,
    ];

    fn refusals(stage: Stage, requested: bool, named: bool) -> usize {
        let turns = |alert: &&AlertDescription| turns_away(**alert, stage, requested, named);
        ALERTS.iter().filter(turns).count()
    }

    #[test]
    fn an_alert_turns_away_only_as_the_servers_word() {
        for named in [false, true] {
            for requested in [false, true] {
                assert_eq!(refusals(Stage::BeforeHello, requested, named), 0);
            }
            assert_eq!(refusals(Stage::InTheClear, false, named), 0);
            let name = usize::from(named);
            assert_eq!(refusals(Stage::InTheClear, true, named), 9 + name);
            assert_eq!(refusals(Stage::UnderKeys, true, named), 9 + name);
            assert_eq!(refusals(Stage::UnderKeys, false, named), 1 + name);
        }
    }

    fn record(kind: u8, body: &[u8]) -> Vec<u8> {
        let length = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[kind, 3, 3], length.as_slice(), body].concat()
    }

    #[test]
    fn a_server_hello_is_told_from_what_comes_before_one() {
        let hello = |random: [u8; 32]| {
            record(
                22,
                &[&[2, 0, 0, 118, 3, 3], random.as_slice(), &[0; 84]].concat(),
            )
        };
        let mut retry = [7; 32];
        retry[..16].copy_from_slice(&RETRY);
        let warning = record(21, &[1, 112]);
        for (bytes, expected) in [
            (hello([7; 32]), true),
            (hello(retry), false),
            ([warning.clone(), hello([7; 32])].concat(), true),
            ([record(20, &[1]), hello([7; 32])].concat(), true),
            (warning.clone(), false),
            (record(21, &[2, 49]), false),
            (record(22, &[1, 0, 0, 1, 0]), false),
            (record(23, &[2; 40]), false),
            (vec![22, 3, 3], false),
            (Vec::new(), false),
        ] {
            let first = bytes.get(..64).unwrap_or(&bytes);
            assert_eq!(says_hello(first), expected, "{first:?}");
        }
    }
}
