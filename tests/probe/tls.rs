//! TLS against rustls servers of every kind that matters.

use std::net::SocketAddr;
use std::sync::Arc;

use noentry::domain::observation::StoppedBy;
use noentry::domain::reach::Reach;
use noentry::domain::target::HttpDenial;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::support::{
    LONG, SHORT, http, listen, look_at, look_for, named, reach, stopped_by, tls, url,
};

pub type Version = &'static SupportedProtocolVersion;

fn identity(name: &str) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    (made.cert.der().clone(), key.into())
}

/// What a server wants of a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Nothing,
    Request,
    Demand,
}

pub fn config(version: Version, ask: Ask, alpn: &[&str]) -> ServerConfig {
    config_of(
        ring::default_provider(),
        "door.example.com",
        version,
        ask,
        alpn,
    )
}

/// The same with a certificate for this name, and with what TLS can do given.
pub fn config_of(
    provider: CryptoProvider,
    name: &str,
    version: Version,
    ask: Ask,
    alpn: &[&str],
) -> ServerConfig {
    let (certificate, key) = identity(name);
    let provider = Arc::new(provider);
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap();
    let builder = if ask == Ask::Nothing {
        builder.with_no_client_auth()
    } else {
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        let verifier = if ask == Ask::Request {
            verifier.allow_unauthenticated()
        } else {
            verifier
        };
        builder.with_client_cert_verifier(verifier.build().unwrap())
    };
    let mut config = builder.with_single_cert(vec![certificate], key).unwrap();
    config.alpn_protocols = alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    config
}

/// A TLS server that hands its sessions to `serve`.
pub async fn secured<F, R>(config: ServerConfig, serve: F) -> SocketAddr
where
    F: Fn(TlsStream<TcpStream>) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let acceptor = TlsAcceptor::from(Arc::new(config));
    listen(move |stream| {
        let (acceptor, serve) = (acceptor.clone(), serve.clone());
        async move {
            if let Ok(session) = acceptor.accept(stream).await {
                serve(session).await;
            }
        }
    })
    .await
}

pub async fn forbidden(mut session: TlsStream<TcpStream>) {
    let _ = session.read(&mut [0; 4096]).await;
    let _ = session
        .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        .await;
    let _ = session.shutdown().await;
}

#[tokio::test]
async fn both_versions_carry_http_and_the_certificate_is_recorded() {
    for (version, name) in [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")] {
        let server = secured(config(version, Ask::Nothing, &["http/1.1"]), forbidden).await;
        let seen = look_at("https", server, "/", LONG).await;
        assert_eq!(reach(&seen), Reach::Denied);
        let tls = tls(&seen);
        assert_eq!(tls.version.as_deref(), Some(name));
        assert_eq!(tls.alpn.as_deref(), Some("http/1.1"));
        assert!(!tls.certificate_requested);
        let certificate = tls.certificate.as_ref().unwrap();
        assert_eq!(certificate.names, ["door.example.com"]);
        assert_eq!(http(&seen).status, 403);
    }
}

#[tokio::test]
async fn mutual_tls_refuses_in_both_versions_every_time() {
    for (version, name) in [(&TLS12, "TLSv1.2"), (&TLS13, "TLSv1.3")] {
        let server = secured(config(version, Ask::Demand, &[]), forbidden).await;
        for _ in 0..30 {
            let seen = look_at("https", server, "/", LONG).await;
            assert_eq!(reach(&seen), Reach::TlsRefused, "{name}: {seen:?}");
            let StoppedBy::Alert {
                code,
                name: alert,
                certificate_requested,
                before_hello,
            } = stopped_by(&seen)
            else {
                panic!("{seen:?}");
            };
            assert_eq!((*code, alert.as_str()), (116, "certificate_required"));
            assert!(certificate_requested);
            assert!(!before_hello);
            assert!(tls(&seen).certificate_requested);
            assert_eq!(tls(&seen).version.as_deref(), Some(name));
            assert!(tls(&seen).certificate.is_some());
        }
    }
}

/// A server that ends the handshake with a fatal alert before it began.
async fn alerting(code: u8) -> SocketAddr {
    listen(move |mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream.write_all(&[21, 3, 3, 0, 2, 2, code]).await;
        let _ = stream.shutdown().await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await
}

#[tokio::test]
async fn no_alert_before_a_server_hello_is_a_refusal() {
    for (code, name) in [
        // These two would be, if it were known who sent them.
        (49, "access_denied"),
        (112, "unrecognized_name"),
        (42, "bad_certificate"),
        (43, "unsupported_certificate"),
        (44, "certificate_revoked"),
        (45, "certificate_expired"),
        (46, "certificate_unknown"),
        (48, "unknown_ca"),
        (115, "unknown_psk_identity"),
        (116, "certificate_required"),
        (10, "unexpected_message"),
        (20, "bad_record_mac"),
        (40, "handshake_failure"),
        (47, "illegal_parameter"),
        (50, "decode_error"),
        (51, "decrypt_error"),
        (70, "protocol_version"),
        (71, "insufficient_security"),
        (80, "internal_error"),
        (86, "inappropriate_fallback"),
        (109, "missing_extension"),
        (120, "no_application_protocol"),
        (99, "alert_99"),
    ] {
        let seen = look_at("https", alerting(code).await, "/", LONG).await;
        assert_eq!(reach(&seen), Reach::Connected, "{name}");
        assert_eq!(
            *stopped_by(&seen),
            StoppedBy::Alert {
                code,
                name: name.to_owned(),
                certificate_requested: false,
                before_hello: true,
            }
        );
    }
}

#[tokio::test]
async fn a_close_after_a_certificate_request_is_no_refusal() {
    // Asks, and closes without a word when nothing is shown.
    let server = secured(config(&TLS13, Ask::Request, &[]), |session| async move {
        drop(session);
    })
    .await;
    let seen = look_at("https", server, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::TlsEstablished);
    assert!(tls(&seen).certificate_requested);
    assert!(
        matches!(stopped_by(&seen), StoppedBy::Closed | StoppedBy::Reset),
        "{seen:?}"
    );
}

#[tokio::test]
async fn no_common_application_protocol_is_no_refusal() {
    let server = secured(config(&TLS13, Ask::Nothing, &["imap"]), forbidden).await;
    let seen = look_at("https", server, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Connected);
    let StoppedBy::Alert { name, .. } = stopped_by(&seen) else {
        panic!("{seen:?}");
    };
    assert_eq!(name, "no_application_protocol");
}

#[derive(Debug)]
struct Nameless;

impl ResolvesServerCert for Nameless {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        None
    }
}

#[tokio::test]
async fn a_server_without_a_certificate_for_us_is_connected() {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(Nameless));
    let server = secured(config, forbidden).await;
    // rustls says access_denied here, before its hello: anything on the way could have said so.
    let seen = look_at("https", server, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert!(
        matches!(
            stopped_by(&seen),
            StoppedBy::Alert {
                code: 49,
                before_hello: true,
                ..
            }
        ),
        "{seen:?}"
    );
}

#[tokio::test]
async fn what_is_not_http_inside_tls_is_established() {
    let server = secured(
        config(&TLS13, Ask::Nothing, &[]),
        |mut session| async move {
            let _ = session.write_all(b"SSH-2.0-OpenSSH_9.2p1\r\n").await;
            let _ = session.flush().await;
            let _ = session.read(&mut [0; 4096]).await;
        },
    )
    .await;
    let seen = look_at("https", server, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::TlsEstablished);
    assert!(
        matches!(stopped_by(&seen), StoppedBy::NotHttp { .. }),
        "{seen:?}"
    );
}

#[tokio::test]
async fn silence_and_close_inside_tls_are_established() {
    let silent = secured(config(&TLS13, Ask::Nothing, &[]), |session| async move {
        tokio::time::sleep(LONG).await;
        drop(session);
    })
    .await;
    let closing = secured(
        config(&TLS12, Ask::Nothing, &[]),
        |mut session| async move {
            let _ = session.read(&mut [0; 4096]).await;
            let _ = session.shutdown().await;
        },
    )
    .await;
    for (server, timeout, expected) in [
        (silent, SHORT, StoppedBy::Silence),
        (closing, LONG, StoppedBy::Closed),
    ] {
        let seen = look_at("https", server, "/", timeout).await;
        assert_eq!(reach(&seen), Reach::TlsEstablished);
        assert_eq!(*stopped_by(&seen), expected);
        assert!(tls(&seen).certificate.is_some());
    }
}

#[tokio::test]
async fn broken_tls_is_incompatible() {
    let server = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        // A handshake record with a message that has no place here.
        let _ = stream.write_all(&[22, 3, 3, 0, 4, 14, 0, 0, 0]).await;
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let seen = look_at("https", server, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert!(
        matches!(stopped_by(&seen), StoppedBy::TlsIncompatible { .. }),
        "{seen:?}"
    );
}

/// An HTTP/2 server that answers the preface with these frames.
async fn frames(frames: &'static [u8]) -> SocketAddr {
    secured(
        config(&TLS13, Ask::Nothing, &["h2"]),
        move |mut session| async move {
            let _ = session.write_all(frames).await;
            let _ = session.flush().await;
            let mut sink = [0; 4096];
            while session.read(&mut sink).await.is_ok_and(|read| read > 0) {}
        },
    )
    .await
}

const SETTINGS: [u8; 9] = [0, 0, 0, 4, 0, 0, 0, 0, 0];

#[tokio::test]
async fn an_http2_server_that_ends_it_is_established() {
    // GOAWAY with HTTP_1_1_REQUIRED, then RST_STREAM 1 with REFUSED_STREAM.
    let goaway = frames(&[
        0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 13,
    ])
    .await;
    let seen = look_at("https", goaway, "/", SHORT).await;
    assert_eq!(reach(&seen), Reach::TlsEstablished);
    let StoppedBy::HttpError { detail } = stopped_by(&seen) else {
        panic!("{seen:?}");
    };
    assert!(detail.starts_with("HTTP/2 GOAWAY: "), "{detail}");

    let silent = frames(&SETTINGS).await;
    let seen = look_at("https", silent, "/", SHORT).await;
    assert_eq!(reach(&seen), Reach::TlsEstablished);
    assert_eq!(*stopped_by(&seen), StoppedBy::Silence);

    let banner = frames(b"220 this is not HTTP/2 at all\r\n").await;
    let seen = look_at("https", banner, "/", SHORT).await;
    assert_eq!(reach(&seen), Reach::TlsEstablished);
    assert!(
        matches!(stopped_by(&seen), StoppedBy::NotHttp { .. }),
        "{seen:?}"
    );

    let other = frames(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    let seen = look_at("https", other, "/", SHORT).await;
    assert_eq!(reach(&seen), Reach::Served);
}

#[tokio::test]
async fn a_stream_reset_is_kept() {
    let server = secured(
        config(&TLS13, Ask::Nothing, &["h2"]),
        |mut session| async move {
            let _ = session.write_all(&SETTINGS).await;
            let _ = session.read(&mut [0; 4096]).await;
            tokio::time::sleep(SHORT / 4).await;
            // RST_STREAM on stream 1, HTTP_1_1_REQUIRED.
            let _ = session
                .write_all(&[0, 0, 4, 3, 0, 0, 0, 0, 1, 0, 0, 0, 13])
                .await;
            let _ = session.flush().await;
            tokio::time::sleep(LONG).await;
        },
    )
    .await;
    let seen = look_for(
        &HttpDenial::default(),
        &url("https", named(), server.port(), "/"),
        server,
        LONG,
    )
    .await;
    assert_eq!(reach(&seen), Reach::TlsEstablished);
    let StoppedBy::HttpError { detail } = stopped_by(&seen) else {
        panic!("{seen:?}");
    };
    assert!(detail.starts_with("HTTP/2 RST_STREAM: "), "{detail}");
}
