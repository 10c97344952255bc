//! Denials from servers whose certificate is for another name.

use std::net::SocketAddr;

use hyper::body::Bytes;
use noentry::domain::observation::{Caveat, CertificateFlaw, Observation};
use noentry::domain::reach::Reach;
use noentry::domain::target::Host;
use rustls::crypto::ring;
use rustls::version::TLS13;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use crate::support::{LONG, http, look, look_at, named, reach, tls, url};
use crate::tls::{Ask, config_of, secured};

/// An answer that a server of these tests gives to everything.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    pub status: u16,
    pub fields: &'static [(&'static str, &'static str)],
    pub body: &'static str,
}

/// A server with a certificate for this name.
pub async fn serving(name: &str, http2: bool, page: Page) -> SocketAddr {
    let alpn: &[&str] = if http2 { &["h2"] } else { &["http/1.1"] };
    let config = config_of(ring::default_provider(), name, &TLS13, Ask::Nothing, alpn);
    secured(config, move |session| async move {
        if http2 {
            two(session, page).await;
        } else {
            one(session, page).await;
        }
    })
    .await
}

async fn one(mut session: TlsStream<TcpStream>, page: Page) {
    let _ = session.read(&mut [0; 4096]).await;
    let fields = page.fields.iter();
    let fields: Vec<String> = fields.map(|(n, v)| format!("{n}: {v}\r\n")).collect();
    let answer = format!(
        "HTTP/1.1 {} X\r\n{}content-length: {}\r\n\r\n{}",
        page.status,
        fields.concat(),
        page.body.len(),
        page.body
    );
    let _ = session.write_all(answer.as_bytes()).await;
    let _ = session.shutdown().await;
}

async fn two(session: TlsStream<TcpStream>, page: Page) {
    let mut connection = h2::server::handshake(session).await.unwrap();
    while let Some(Ok((_, mut respond))) = connection.accept().await {
        let mut answer = hyper::Response::builder().status(page.status);
        for (name, value) in page.fields {
            answer = answer.header(name.to_lowercase(), *value);
        }
        let answer = answer.body(()).unwrap();
        let mut stream = respond.send_response(answer, false).unwrap();
        let _ = stream.send_data(Bytes::from_static(page.body.as_bytes()), true);
    }
}

const DENIED: Page = Page {
    status: 403,
    fields: &[("content-type", "text/html")],
    body: "<title>No</title>",
};

async fn seen(name: &str, http2: bool, page: Page) -> Observation {
    look_at("https", serving(name, http2, page).await, "/", LONG).await
}

#[tokio::test]
async fn a_denial_needs_a_certificate_that_covers_the_name() {
    for http2 in [false, true] {
        for (name, caveat) in [
            ("door.example.com", None),
            ("*.example.com", None),
            ("DOOR.example.com", None),
            ("example.com", Some(Caveat::ForeignCertificate)),
            ("*.door.example.com", Some(Caveat::ForeignCertificate)),
            ("blocked.filter.example", Some(Caveat::ForeignCertificate)),
            ("127.0.0.1", Some(Caveat::ForeignCertificate)),
        ] {
            let seen = seen(name, http2, DENIED).await;
            assert_eq!(reach(&seen), Reach::Denied);
            assert_eq!(seen.caveat(), caveat, "{name}");
            let certificate = tls(&seen).certificate.as_ref().unwrap();
            assert_eq!(
                certificate.flaws.contains(&CertificateFlaw::OtherName),
                caveat.is_some()
            );
        }
    }
}

#[tokio::test]
async fn what_is_no_denial_is_not_doubted_for_its_certificate() {
    let page = Page {
        status: 200,
        ..DENIED
    };
    let seen = seen("blocked.filter.example", true, page).await;
    assert_eq!((reach(&seen), seen.caveat()), (Reach::Served, None));
}

#[tokio::test]
async fn other_caveats_say_more() {
    for (status, field, caveat) in [
        (403, ("cf-mitigated", "challenge"), Caveat::Challenged),
        (
            403,
            ("x-squid-error", "ERR_ACCESS_DENIED 0"),
            Caveat::Filtered,
        ),
        (429, ("server", "nginx"), Caveat::Throttled),
    ] {
        let fields: &'static [_] = Box::leak(Box::new([field]));
        let page = Page {
            status,
            fields,
            body: "",
        };
        let seen = seen("blocked.filter.example", false, page).await;
        assert_eq!(seen.caveat(), Some(caveat));
    }
}

/// An admin page by address has a certificate for whatever it likes, as ever.
#[tokio::test]
async fn a_host_that_is_an_address_is_not_held_to_a_certificate() {
    for name in ["TRAEFIK-DEFAULT-CERT.example", "127.0.0.1"] {
        let server = serving(name, false, DENIED).await;
        let kind = url("https", Host::Address(server.ip()), server.port(), "/");
        let seen = look(&kind, server, LONG).await;
        assert_eq!((reach(&seen), seen.caveat()), (Reach::Denied, None));
    }
}

#[tokio::test]
async fn plain_http_has_no_certificate_to_doubt() {
    let server = crate::support::listen(|mut stream| async move {
        let _ = stream.read(&mut [0; 4096]).await;
        let _ = stream
            .write_all(b"HTTP/1.1 403 No\r\ncontent-length: 0\r\n\r\n")
            .await;
    })
    .await;
    let kind = url("http", named(), server.port(), "/");
    let seen = look(&kind, server, LONG).await;
    assert_eq!((reach(&seen), seen.caveat()), (Reach::Denied, None));
    assert_eq!(http(&seen).filter, None);
}
