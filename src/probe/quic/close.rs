//! How a QUIC connection ended, in the words of its specification.

use quinn::ConnectionError;
use rustls::AlertDescription;

use crate::domain::observation::StoppedBy;
use crate::probe::alert::{self as alerts, Stage};
use crate::probe::text;

/// Characters kept of what the other side gave as its reason.
const REASON: usize = 200;
/// `CRYPTO_ERROR` (RFC 9000 section 20.1): 0x0100 and a TLS alert.
const CRYPTO: std::ops::RangeInclusive<u64> = 0x0100..=0x01ff;
/// The names of the other errors, by number (RFC 9000 section 20.1).
const NAMES: [&str; 17] = [
    "NO_ERROR",
    "INTERNAL_ERROR",
    "CONNECTION_REFUSED",
    "FLOW_CONTROL_ERROR",
    "STREAM_LIMIT_ERROR",
    "STREAM_STATE_ERROR",
    "FINAL_SIZE_ERROR",
    "FRAME_ENCODING_ERROR",
    "TRANSPORT_PARAMETER_ERROR",
    "CONNECTION_ID_LIMIT_ERROR",
    "PROTOCOL_VIOLATION",
    "INVALID_TOKEN",
    "APPLICATION_ERROR",
    "CRYPTO_BUFFER_EXCEEDED",
    "KEY_UPDATE_ERROR",
    "AEAD_LIMIT_REACHED",
    "NO_VIABLE_PATH",
];

/// How a connection ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// A TLS alert from the other side, and the text with it.
    Alert(AlertDescription, String),
    /// The transport of the other side closed it for another reason, in words.
    Closed(String),
    /// The application of the other side closed it, in words.
    Application(String),
    /// Our side could not go on with what the other said.
    Incompatible(String),
    /// Nothing came any more.
    Silence,
}

/// Reads the library's error.
pub(super) fn end(error: &ConnectionError) -> End {
    match error {
        ConnectionError::ConnectionClosed(close) => {
            let code = u64::from(close.error_code);
            let said = said(&transport_name(code), code, &close.reason);
            match self::alert(error) {
                Some(alert) => End::Alert(alert, said),
                None => End::Closed(said),
            }
        }
        ConnectionError::ApplicationClosed(close) => {
            let code = close.error_code.into_inner();
            // Named where it is HTTP/3's (RFC 9114 section 8.1), a number otherwise.
            let name = h3::error::Code::from(code).to_string();
            let name = if name.starts_with("0x") {
                "application error".to_owned()
            } else {
                name
            };
            End::Application(said(&name, code, &close.reason))
        }
        // RFC 9000 section 10.3.
        ConnectionError::Reset => End::Closed("stateless reset".to_owned()),
        ConnectionError::VersionMismatch => {
            End::Incompatible("no QUIC version in common".to_owned())
        }
        ConnectionError::TransportError(error) => {
            End::Incompatible(text::printable(error.to_string().as_bytes(), REASON))
        }
        ConnectionError::TimedOut => End::Silence,
        ConnectionError::LocallyClosed | ConnectionError::CidsExhausted => {
            End::Incompatible(error.to_string())
        }
    }
}

/// The alert with which the other side closed, if it was one (RFC 9001 section 4.8).
pub(super) fn alert(error: &ConnectionError) -> Option<AlertDescription> {
    let ConnectionError::ConnectionClosed(close) = error else {
        return None;
    };
    let code = u64::from(close.error_code);
    let alert = u8::try_from(code.checked_sub(*CRYPTO.start())?).ok()?;
    Some(AlertDescription::from(alert))
}

impl End {
    /// What the other side said, where it said anything.
    pub(super) fn said(&self) -> Option<String> {
        match self {
            Self::Alert(_, said) | Self::Closed(said) | Self::Application(said) => {
                Some(said.clone())
            }
            Self::Incompatible(_) | Self::Silence => None,
        }
    }

    /// As evidence, where it is no alert, or one behind the handshake.
    pub(super) fn stop(self) -> StoppedBy {
        match self {
            Self::Alert(alert, _) => alerts::evidence(alert, Stage::UnderKeys, false),
            Self::Closed(_) | Self::Application(_) => StoppedBy::Closed,
            Self::Incompatible(detail) => StoppedBy::TlsIncompatible { detail },
            Self::Silence => StoppedBy::Silence,
        }
    }
}

fn transport_name(code: u64) -> String {
    if CRYPTO.contains(&code) {
        return "CRYPTO_ERROR".to_owned();
    }
    usize::try_from(code)
        .ok()
        .and_then(|at| NAMES.get(at))
        .map_or_else(|| "unknown error".to_owned(), |name| (*name).to_owned())
}

/// Such as `CRYPTO_ERROR 0x174: certificate required`.
fn said(name: &str, code: u64, reason: &[u8]) -> String {
    let reason = text::printable(reason, REASON);
    if reason.is_empty() {
        format!("{name} 0x{code:x}")
    } else {
        format!("{name} 0x{code:x}: {reason}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quinn::{ApplicationClose, ConnectionClose, TransportErrorCode, VarInt};

    fn closed(code: TransportErrorCode, reason: &'static [u8]) -> ConnectionError {
        ConnectionError::ConnectionClosed(ConnectionClose {
            error_code: code,
            frame_type: None,
            reason: reason.into(),
        })
    }

    fn application(code: u32) -> ConnectionError {
        ConnectionError::ApplicationClosed(ApplicationClose {
            error_code: VarInt::from_u32(code),
            reason: b"a\x1b[2J".as_slice().into(),
        })
    }

    #[test]
    fn every_ending_has_its_words() {
        for (error, expected) in [
            (
                closed(TransportErrorCode::crypto(116), b"show it"),
                End::Alert(
                    AlertDescription::CertificateRequired,
                    "CRYPTO_ERROR 0x174: show it".to_owned(),
                ),
            ),
            (
                closed(TransportErrorCode::CONNECTION_REFUSED, b""),
                End::Closed("CONNECTION_REFUSED 0x2".to_owned()),
            ),
            (
                closed(TransportErrorCode::NO_VIABLE_PATH, b""),
                End::Closed("NO_VIABLE_PATH 0x10".to_owned()),
            ),
            (
                application(0x10c),
                End::Application("H3_REQUEST_CANCELLED 0x10c: a\\u{1b}[2J".to_owned()),
            ),
            (
                application(0x4242),
                End::Application("application error 0x4242: a\\u{1b}[2J".to_owned()),
            ),
            (
                ConnectionError::Reset,
                End::Closed("stateless reset".to_owned()),
            ),
            (ConnectionError::TimedOut, End::Silence),
        ] {
            assert_eq!(end(&error), expected);
        }
    }

    #[test]
    fn only_the_other_sides_crypto_errors_are_alerts() {
        for code in 0..=255 {
            let error = closed(TransportErrorCode::crypto(code), b"");
            assert_eq!(alert(&error).map(u8::from), Some(code));
        }
        assert_eq!(
            alert(&closed(TransportErrorCode::NO_VIABLE_PATH, b"")),
            None
        );
        assert_eq!(alert(&application(0x174)), None);
    }
}
