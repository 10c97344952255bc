//! A middlebox that writes TLS alerts in a server's name: it lets a part of the handshake through, and ends
//! the rest.

use std::net::SocketAddr;

use noentry::domain::observation::StoppedBy;
use noentry::domain::reach::Reach;
use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::{LONG, listen, look_at, reach, stopped_by};
use crate::tls::{Ask, config, config_of, forbidden, secured};

/// Handshake messages (RFC 8446 section 4, RFC 5246 section 7.4).
const SERVER_HELLO: u8 = 2;
const CERTIFICATE_REQUEST: u8 = 13;

/// Reads one record; its body.
async fn record(stream: &mut TcpStream) -> Vec<u8> {
    let mut head = [0; 5];
    stream.read_exact(&mut head).await.unwrap();
    let mut body = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    stream.read_exact(&mut body).await.unwrap();
    body
}

/// The messages at the beginning of a flight, up to the first of a type.
fn until(flight: &[u8], kind: u8) -> &[u8] {
    let mut at = 0;
    loop {
        let length = u32::from_be_bytes([0, flight[at + 1], flight[at + 2], flight[at + 3]]);
        let next = at + 4 + usize::try_from(length).unwrap();
        if flight[at] == kind {
            return &flight[..next];
        }
        at = next;
    }
}

/// A middlebox before a server: everything up to a message passes, and a fatal alert follows it.
async fn cutting(server: SocketAddr, kind: u8, alert: u8) -> SocketAddr {
    listen(move |mut client| async move {
        let hello = record(&mut client).await;
        let mut real = TcpStream::connect(server).await.unwrap();
        let head = |kind: u8, body: &[u8]| {
            let length = u16::try_from(body.len()).unwrap().to_be_bytes();
            [&[kind, 3, 3], length.as_slice(), body].concat()
        };
        real.write_all(&head(22, &hello)).await.unwrap();
        let flight = record(&mut real).await;
        let passed = head(22, until(&flight, kind));
        let forged = head(21, &[2, alert]);
        let _ = client.write_all(&[passed, forged].concat()).await;
        let _ = client.shutdown().await;
        let _ = client.read_to_end(&mut Vec::new()).await;
    })
    .await
}

#[tokio::test]
async fn an_alert_in_the_clear_behind_a_server_hello_is_no_refusal_either() {
    for (version, ask) in [
        (&TLS12, Ask::Nothing),
        (&TLS13, Ask::Nothing),
        // The server's request is under its keys, and never got here.
        (&TLS13, Ask::Demand),
    ] {
        let server = secured(config(version, ask, &[]), forbidden).await;
        for alert in [49, 112, 116, 40] {
            let middlebox = cutting(server, SERVER_HELLO, alert).await;
            let seen = look_at("https", middlebox, "/", LONG).await;
            assert_eq!(reach(&seen), Reach::Connected, "{ask:?}: {seen:?}");
            assert!(
                matches!(
                    stopped_by(&seen),
                    StoppedBy::Alert { code, before_hello: false, certificate_requested: false, .. }
                        if *code == alert
                ),
                "{seen:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_hello_retry_request_is_no_server_hello() {
    let mut provider = ring::default_provider();
    // Not what a client sends a key for at first.
    provider.kx_groups = vec![ring::kx_group::SECP384R1];
    let config = config_of(provider, "door.example.com", &TLS13, Ask::Nothing, &[]);
    let server = secured(config, forbidden).await;
    assert_eq!(
        reach(&look_at("https", server, "/", LONG).await),
        Reach::Denied
    );

    let middlebox = cutting(server, SERVER_HELLO, 49).await;
    let seen = look_at("https", middlebox, "/", LONG).await;
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

/// What TLS 1.2 cannot tell: its refusals come in the clear, and a device can wait for the request.
#[tokio::test]
async fn an_alert_behind_a_certificate_request_of_tls_1_2_counts() {
    let server = secured(config(&TLS12, Ask::Demand, &[]), forbidden).await;
    let middlebox = cutting(server, CERTIFICATE_REQUEST, 40).await;
    let seen = look_at("https", middlebox, "/", LONG).await;
    assert_eq!(reach(&seen), Reach::TlsRefused, "{seen:?}");
}
