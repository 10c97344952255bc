//! Pages that say where a visitor comes from, and pages that say anything else.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use noentry::domain::endpoint::Family;
use noentry::domain::target::{Host, TargetKind, Url};
use noentry::probe::egress::{EchoError, PATIENCE, ask};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{closed_port, listen, url};

/// A page of `echo.example.com` at this port of loopback.
fn page(scheme: &str, port: u16, path: &str) -> Url {
    let host = Host::Name("echo.example.com".to_owned());
    match url(scheme, host, port, path) {
        TargetKind::Url(url) => url,
        other => panic!("{other}"),
    }
}

/// Asks a page over IPv4 at loopback.
async fn said(scheme: &str, address: SocketAddr) -> Result<IpAddr, EchoError> {
    let page = page(scheme, address.port(), "/");
    ask(&page, Family::Ipv4, &[address.ip()]).await
}

/// A server that answers every request with these bytes and keeps the connection open.
async fn answers(bytes: impl Into<Vec<u8>>) -> SocketAddr {
    let bytes = bytes.into();
    listen(move |mut stream| {
        let bytes = bytes.clone();
        async move {
            let mut request = [0; 1_024];
            while let Ok(1..) = stream.read(&mut request).await {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
        }
    })
    .await
}

async fn answers_with(status: &str, headers: &str, body: &str) -> SocketAddr {
    let length = body.len();
    answers(format!(
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
    ))
    .await
}

/// What went wrong, as the report says it.
async fn wrong(server: SocketAddr) -> String {
    let error = said("http", server).await.unwrap_err().to_string();
    assert!(error.chars().count() <= 200, "{error}");
    error
}

#[tokio::test]
async fn a_server_that_says_whom_it_sees_is_believed() {
    let server = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1_024]).await;
        let from = stream.peer_addr().unwrap().ip().to_string();
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{from}",
            from.len()
        );
        let _ = stream.write_all(answer.as_bytes()).await;
    })
    .await;
    let address = said("http", server).await.unwrap();
    assert_eq!(address, IpAddr::from([127, 0, 0, 1]));
}

#[tokio::test]
async fn what_is_no_address_never_leaves() {
    let hostile = "\u{1b}[31m::error::pwned \u{202e} 2001:db8::1";
    let server = answers_with("200 OK", "", hostile).await;
    assert_eq!(wrong(server).await, "no IPv4 address in the answer");
    let server = answers_with("503 \u{202e}Busy", "", "192.0.2.7").await;
    assert_eq!(wrong(server).await, "answered 503");
    let server = answers(b"\x1b[31m garbage \xff\r\n\r\n".as_slice()).await;
    let error = wrong(server).await;
    assert!(!error.contains(char::is_control), "{error:?}");
    assert!(!error.contains("echo.example.com"), "{error}");
    let (_taken, closed) = closed_port();
    let error = wrong(closed).await;
    assert!(error.contains("refused"), "{error}");
}

#[tokio::test]
async fn no_more_than_the_beginning_is_read_and_not_for_longer_than_five_seconds() {
    let begun = Instant::now();
    // An endless page: the address would come after the limit.
    let endless = listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 1_024]).await;
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let _ = stream.write_all(head).await;
        let mut chunk = b"1000\r\n".to_vec();
        chunk.extend([b' '; 4_096]);
        chunk.extend(b"\r\nb\r\n 192.0.2.7 \r\n");
        while stream.write_all(&chunk).await.is_ok() {}
    })
    .await;
    assert_eq!(wrong(endless).await, "no IPv4 address in the answer");
    assert!(begun.elapsed() < PATIENCE);

    let silent = listen(|mut stream| async move {
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    assert_eq!(wrong(silent).await, "no answer within 5 s");
    assert!(begun.elapsed() < 2 * PATIENCE);
}

#[tokio::test]
async fn a_redirect_is_followed_on_the_same_host_alone() {
    let there = answers_with("200 OK", "", "192.0.2.7").await;
    let to = |host: &str| {
        let port = there.port();
        let header = format!("Location: http://{host}:{port}/ip\r\n");
        async move { answers_with("302 Found", &header, "").await }
    };
    let address = said("http", to("echo.example.com").await).await.unwrap();
    assert_eq!(address, IpAddr::from([192, 0, 2, 7]));
    let error = wrong(to("127.0.0.1").await).await;
    assert!(error.ends_with("redirected to another host"), "{error}");
    let circle = answers_with("302 Found", "Location: /again\r\n", "").await;
    let error = wrong(circle).await;
    assert!(error.ends_with("redirected too often"), "{error}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_says_nothing() {
    let key = rcgen::KeyPair::generate().unwrap();
    let params = rcgen::CertificateParams::new(vec!["echo.example.com".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            rustls::pki_types::PrivateKeyDer::Pkcs8(key.serialize_der().into()),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let server = listen(move |stream| {
        let acceptor = acceptor.clone();
        async move {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n192.0.2.7";
                let _ = stream.write_all(answer).await;
            }
        }
    })
    .await;
    let error = said("https", server).await.unwrap_err().to_string();
    assert!(error.contains("certificate"), "{error}");
}
