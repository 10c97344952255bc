//! The TLS rung: is a session to be had, and if not, who ended it and how?
//!
//! Any certificate is accepted and recorded: an outsider clicks a warning away. No client
//! certificate is ever shown, and sessions are never resumed.
//!
//! Which alert turns a client away, and is a refusal ([`Reach::TlsRefused`]), is told by `alert`.
//!
//! Limits: TLS 1.2 and 1.3 with the cipher suites of rustls. Whatever the client cannot speak is
//! evidence, not a denial.

use std::sync::{Arc, Mutex, PoisonError};
use std::task::Poll;
use std::time::Duration;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ResolvesClientCert, Resumption};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, IpAddr, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::domain::observation::{Evidence, HttpEvidence, StoppedBy, TlsEvidence};
use crate::domain::reach::Reach;
use crate::domain::target::{Host, Url};

use super::alert::Stage;
use super::context::Context;
use super::http::Version;
use super::record::{End, Recorder, Shared};
use super::{alert, certificate, page, text};

/// How long a server that asked for a client certificate in TLS 1.3 is given to turn us away
/// before anything is sent. A request that crosses the alert on the wire makes the server answer
/// with a reset, which can overtake the alert.
pub(super) const GRACE: Duration = Duration::from_secs(1);

const TLS12: &str = "TLSv1.2";
pub(super) const TLS13: &str = "TLSv1.3";

/// A TLS session to speak HTTP on.
pub type Session = Recorder<TlsStream<Recorder<TcpStream>>>;

/// How the handshake went.
#[derive(Debug)]
pub enum Secured {
    /// There is a session.
    Established {
        /// To be spoken on.
        stream: Box<Session>,
        /// Its plaintext side.
        record: Shared,
        /// The HTTP version that ALPN settled.
        version: Version,
        /// What TLS told.
        evidence: Box<TlsEvidence>,
        /// Whether the server's name was sent.
        named: bool,
    },
    /// There is none.
    Ended {
        /// The rung.
        reach: Reach,
        /// Everything seen.
        evidence: Box<Evidence>,
    },
}

/// The configuration that every connection's own is cloned from.
///
/// # Errors
///
/// If the provider has no cipher suite for a protocol version, which would be a broken build.
pub(super) fn config() -> Result<ClientConfig, rustls::Error> {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Witness::default()))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.resumption = Resumption::disabled();
    Ok(config)
}

/// Shakes hands on a fresh connection.
pub async fn secure(
    context: &Context,
    stream: Recorder<TcpStream>,
    raw: Shared,
    url: &Url,
    deadline: Instant,
) -> Secured {
    let (name, named) = server_name(&url.host);
    let witness = Arc::new(Witness::of(&url.host));
    let handshake =
        TlsConnector::from(Arc::new(witnessed(context, &witness))).connect(name, stream);
    let session = match timeout_at(deadline, handshake).await {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => {
            return failed(Some(&error), &raw, &witness, named);
        }
        Err(_elapsed) => return failed(None, &raw, &witness, named),
    };
    let evidence = TlsEvidence {
        alpn: session
            .get_ref()
            .1
            .alpn_protocol()
            .map(|protocol| text::printable(protocol, 32)),
        ..witness.evidence()
    };
    let version = match session.get_ref().1.alpn_protocol() {
        Some(b"h2") => Version::Http2,
        _ => Version::Http1,
    };
    let (mut stream, record) = Recorder::new(session);
    if evidence.certificate_requested && evidence.version.as_deref() == Some(TLS13) {
        await_refusal(&mut stream, &raw, deadline).await;
    }
    Secured::Established {
        stream: Box::new(stream),
        record,
        version,
        evidence: Box::new(evidence),
        named,
    }
}

/// A configuration for one connection. The clone copies a dozen reference counts and the two short
/// ALPN names: microseconds, beside a handshake's milliseconds.
pub(super) fn witnessed(context: &Context, witness: &Arc<Witness>) -> ClientConfig {
    let mut config = ClientConfig::clone(&context.tls);
    config
        .dangerous()
        .set_certificate_verifier(Arc::clone(witness) as Arc<dyn ServerCertVerifier>);
    config.client_auth_cert_resolver = Arc::clone(witness) as Arc<dyn ResolvesClientCert>;
    config
}

/// The name for SNI, and whether it will be sent: addresses never are (RFC 6066 section 3).
pub(super) fn server_name(host: &Host) -> (ServerName<'static>, bool) {
    let nobody = std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED);
    match host {
        Host::Address(address) => (ServerName::IpAddress(IpAddr::from(*address)), false),
        Host::Name(name) => match ServerName::try_from(name.clone()) {
            Ok(server @ ServerName::DnsName(_)) => (server, true),
            // Not a name that can be sent; the handshake is tried without.
            Ok(_) | Err(_) => (ServerName::IpAddress(IpAddr::from(nobody)), false),
        },
    }
}

/// Waits for the alert that a TLS 1.3 server sends when it finds our certificate missing. Session
/// tickets say the opposite and end the wait: servers send them when the client has been accepted.
async fn await_refusal(stream: &mut Session, raw: &Shared, deadline: Instant) {
    let now = Instant::now();
    let half = deadline.saturating_duration_since(now) / 2;
    let before = raw.look().read;
    let wait = std::future::poll_fn(|context| {
        if stream.poll_unasked(context).is_ready() || raw.look().read > before {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    });
    // Running out of time here means that nothing was said, which is what usually happens.
    let _ = timeout_at(now + half.min(GRACE), wait).await;
}

/// What a handshake that failed means; no error at the deadline.
fn failed(error: Option<&std::io::Error>, raw: &Shared, witness: &Witness, named: bool) -> Secured {
    let end = error.map(End::of);
    let first = raw.look().first.clone();
    if let Some(End::Alert(description)) = end {
        let tls = witness.evidence();
        let stage = alert::stage(&tls, &first);
        let requested = tls.certificate_requested;
        let reach = if alert::turns_away(description, stage, requested, named) {
            Reach::TlsRefused
        } else {
            Reach::Connected
        };
        return ended(
            reach,
            alert::evidence(description, stage, requested),
            witness,
        );
    }
    if let Some((version, status)) = page::status_line(&first) {
        return plain_http(version, status);
    }
    let stopped_by = if !first.is_empty() && !is_tls(&first) {
        StoppedBy::NotTls {
            first_bytes: text::first_bytes(&first),
        }
    } else if let Some(incompatible) = error.and_then(library_error) {
        StoppedBy::TlsIncompatible {
            detail: text::printable(incompatible.to_string().as_bytes(), 200),
        }
    } else {
        end.as_ref().map_or(StoppedBy::Silence, stop)
    };
    ended(Reach::Connected, stopped_by, witness)
}

/// The TLS library's own error inside an I/O error.
pub(super) fn library_error(error: &std::io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// How a stream that ended without an alert is reported.
pub(super) fn stop(end: &End) -> StoppedBy {
    match end {
        End::Closed => StoppedBy::Closed,
        End::Reset => StoppedBy::Reset,
        End::Alert(description) => alert::evidence(*description, Stage::UnderKeys, false),
        End::Broken(errno, text) => StoppedBy::Errno {
            errno: *errno,
            text: text::printable(text.as_bytes(), 200),
        },
    }
}

/// An answer in plain HTTP is an answer, whatever its status: "400, speak TLS" denies nothing.
fn plain_http(version: String, status: u16) -> Secured {
    Secured::Ended {
        reach: Reach::Served,
        evidence: Box::new(Evidence {
            http: Some(HttpEvidence {
                plain_on_tls: true,
                ..super::answer::bare(version, status)
            }),
            ..Evidence::default()
        }),
    }
}

fn ended(reach: Reach, stopped_by: StoppedBy, witness: &Witness) -> Secured {
    let tls = witness.evidence();
    Secured::Ended {
        reach,
        evidence: Box::new(Evidence {
            stopped_by: Some(stopped_by),
            tls: seen_anything(&tls).then_some(tls),
            ..Evidence::default()
        }),
    }
}

pub(super) fn seen_anything(tls: &TlsEvidence) -> bool {
    tls.version.is_some() || tls.certificate_requested || tls.certificate.is_some()
}

/// Whether the bytes begin like a TLS record: a content type of RFC 8446 section 5.1 and the major
/// version 3.
fn is_tls(first: &[u8]) -> bool {
    matches!(first, [20..=24] | [20..=24, 3, ..])
}

/// Accepts everything and remembers it; one for each connection.
#[derive(Debug, Default)]
pub(super) struct Witness {
    /// Whom the certificate should speak for.
    asked: Option<Host>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    certificate: Option<Vec<u8>>,
    certificate_requested: bool,
    version: Option<&'static str>,
}

impl Witness {
    /// One for a connection to this host.
    pub(super) fn of(host: &Host) -> Self {
        Self {
            asked: Some(host.clone()),
            seen: Mutex::default(),
        }
    }

    fn note(&self, note: impl FnOnce(&mut Seen)) {
        note(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// What it saw.
    pub(super) fn evidence(&self) -> TlsEvidence {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let describe = |der: &Vec<u8>| {
            certificate::describe(der, self.asked.as_ref(), UnixTime::now().as_secs())
        };
        TlsEvidence {
            version: seen.version.map(str::to_owned),
            alpn: None,
            certificate_requested: seen.certificate_requested,
            certificate: seen.certificate.as_ref().map(describe),
        }
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        self.note(|seen| seen.certificate = Some(end_entity.to_vec()));
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.note(|seen| seen.version = Some(TLS12));
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.note(|seen| seen.version = Some(TLS13));
        Ok(HandshakeSignatureValid::assertion())
    }

    /// Everything there is: no signature is ever checked, and a server with an odd key must not
    /// turn us away for its sake.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![
            SignatureScheme::ECDSA_NISTP256_SHA256,
            SignatureScheme::ECDSA_NISTP384_SHA384,
            SignatureScheme::ECDSA_NISTP521_SHA512,
            SignatureScheme::ED25519,
            SignatureScheme::ED448,
            SignatureScheme::RSA_PSS_SHA256,
            SignatureScheme::RSA_PSS_SHA384,
            SignatureScheme::RSA_PSS_SHA512,
            SignatureScheme::RSA_PKCS1_SHA256,
            SignatureScheme::RSA_PKCS1_SHA384,
            SignatureScheme::RSA_PKCS1_SHA512,
            SignatureScheme::ECDSA_SHA1_Legacy,
            SignatureScheme::RSA_PKCS1_SHA1,
        ]
    }
}

impl ResolvesClientCert for Witness {
    fn resolve(
        &self,
        _root_hint_subjects: &[&[u8]],
        _sigschemes: &[SignatureScheme],
    ) -> Option<Arc<CertifiedKey>> {
        self.note(|seen| seen.certificate_requested = true);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}
