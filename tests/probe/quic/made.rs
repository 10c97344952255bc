//! What Caddy cannot do: servers made with quinn.

use std::sync::atomic::Ordering;
use std::time::Duration;

use noentry::domain::observation::{Caveat, StoppedBy};
use noentry::domain::reach::Reach;
use noentry::domain::target::Host;
use quinn::VarInt;
use tokio::sync::mpsc;

use super::server::{Ask, asks_for_versions, config, http3, incoming, relay, serving};
use super::{knock, page, page_of, quic, told, udp};
use crate::fair::fairly;
use crate::support::{LONG, http, reach, stopped_by, tls, url};

/// Time enough for the handshake after the question was given up.
const SOME: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_server_that_answers_no_version_negotiation_is_found_by_the_handshake() {
    let server = serving(config(Ask::Nothing, &["h3"]), |connection| {
        http3(connection, 200, b"in")
    });
    let (relay, lost) = relay(server, |datagram| !asks_for_versions(datagram)).await;
    let seen = knock(&page(relay.port(), "/"), relay, SOME).await;
    assert_eq!(reach(&seen), Reach::Served, "{seen:?}");
    assert!(told(&seen).versions.is_empty());
    assert!(told(&seen).handshake);
    assert_eq!(http(&seen).status, 200);
    assert_eq!(lost.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn version_negotiation_alone_is_connected() {
    let server = serving(config(Ask::Nothing, &["h3"]), |_| async {});
    let (relay, lost) = relay(server, asks_for_versions).await;
    for kind in [quic(relay.port()), page(relay.port(), "/")] {
        let seen = knock(&kind, relay, SOME).await;
        assert_eq!(reach(&seen), Reach::Connected);
        assert_eq!(*stopped_by(&seen), StoppedBy::Silence);
        assert!(told(&seen).versions.contains(&"1".to_owned()));
        assert!(!told(&seen).handshake);
        assert!(udp(&seen).answer.as_ref().unwrap().expected);
    }
    assert!(lost.load(Ordering::Relaxed) >= 6, "{lost:?}");
}

#[tokio::test]
async fn losing_the_first_flight_is_made_up_for() {
    let server = serving(config(Ask::Nothing, &["h3"]), |connection| {
        http3(connection, 403, b"")
    });
    let count = std::sync::atomic::AtomicUsize::new(0);
    let (relay, lost) = relay(server, move |_| count.fetch_add(1, Ordering::Relaxed) >= 3).await;
    let seen = knock(&page(relay.port(), "/"), relay, Duration::from_secs(4)).await;
    assert_eq!(reach(&seen), Reach::Denied, "{seen:?}");
    assert_eq!(lost.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn a_certificate_that_is_missing_is_a_refusal_every_time() {
    let server = serving(config(Ask::Demand, &["h3"]), |connection| {
        http3(connection, 200, b"in")
    });
    for _ in 0..20 {
        for kind in [page(server.port(), "/"), quic(server.port())] {
            let seen = knock(&kind, server, LONG).await;
            assert_eq!(reach(&seen), Reach::TlsRefused, "{seen:?}");
            assert_eq!(
                *stopped_by(&seen),
                StoppedBy::Alert {
                    code: 116,
                    name: "certificate_required".to_owned(),
                    certificate_requested: true,
                    before_hello: false,
                }
            );
            let closed = told(&seen).closed.as_deref().unwrap();
            assert!(closed.starts_with("CRYPTO_ERROR 0x174"), "{closed}");
        }
    }
}

#[tokio::test]
async fn a_denial_over_http3_needs_a_certificate_that_covers_the_name() {
    for (status, host, caveat) in [
        (403, "door.example.com", None),
        (403, "desk.example.com", Some(Caveat::ForeignCertificate)),
        (200, "desk.example.com", None),
        (407, "door.example.com", Some(Caveat::Filtered)),
    ] {
        let server = serving(config(Ask::Nothing, &["h3"]), move |connection| {
            http3(connection, status, b"")
        });
        let kind = url("https", Host::Name(host.to_owned()), server.port(), "/");
        let seen = knock(&kind, server, LONG).await;
        assert_eq!(http(&seen).status, status, "{seen:?}");
        assert_eq!(seen.caveat(), caveat, "{host} {status}");
    }
}

#[tokio::test]
async fn a_certificate_that_is_only_wished_for_stops_nobody() {
    fairly(|| async {
        let server = serving(config(Ask::Request, &["h3"]), |connection| {
            http3(connection, 200, b"<title>In</title>")
        });
        let begin = std::time::Instant::now();
        let seen = knock(&page(server.port(), "/"), server, LONG).await;
        assert_eq!(reach(&seen), Reach::Served, "{seen:?}");
        assert!(tls(&seen).certificate_requested);
        assert_eq!(http(&seen).title.as_deref(), Some("In"));
        // The server said that it was content, so nobody waited for its refusal.
        assert!(begin.elapsed() < Duration::from_millis(900));
    })
    .await;
}

#[derive(Debug)]
struct Nameless;

impl rustls::server::ResolvesServerCert for Nameless {
    fn resolve(
        &self,
        _hello: rustls::server::ClientHello<'_>,
    ) -> Option<std::sync::Arc<rustls::sign::CertifiedKey>> {
        None
    }
}

#[tokio::test]
async fn an_alert_under_the_keys_of_everybody_is_no_refusal() {
    let mut nameless = config(Ask::Nothing, &["h3"]);
    nameless.cert_resolver = std::sync::Arc::new(Nameless);
    let foreign = config(Ask::Nothing, &["doq"]);
    // Both come before the handshake has keys of its own.
    for (config, code, name) in [
        (nameless, 49, "access_denied"),
        (foreign, 120, "no_application_protocol"),
    ] {
        let server = serving(config, |_| async {});
        let seen = knock(&page(server.port(), "/"), server, LONG).await;
        assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
        assert_eq!(
            *stopped_by(&seen),
            StoppedBy::Alert {
                code,
                name: name.to_owned(),
                certificate_requested: false,
                before_hello: true,
            }
        );
        assert!(!told(&seen).handshake);
    }
}

#[tokio::test]
async fn a_server_that_refuses_connections_is_connected() {
    let server = incoming(config(Ask::Nothing, &["h3"]), |incoming| async {
        incoming.refuse();
    });
    let seen = knock(&quic(server.port()), server, LONG).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert_eq!(*stopped_by(&seen), StoppedBy::Closed);
    let closed = told(&seen).closed.as_deref().unwrap();
    assert!(closed.starts_with("CONNECTION_REFUSED 0x2"), "{closed}");
}

#[tokio::test]
async fn a_retry_is_followed() {
    let server = incoming(config(Ask::Nothing, &["h3"]), |incoming| async {
        if incoming.remote_address_validated() {
            if let Ok(connection) = incoming.await {
                http3(connection, 404, b"").await;
            }
        } else {
            incoming.retry().unwrap();
        }
    });
    let seen = knock(&page(server.port(), "/"), server, LONG).await;
    assert_eq!(reach(&seen), Reach::Denied, "{seen:?}");
}

#[tokio::test]
async fn an_end_after_the_handshake_is_established() {
    type Serve = fn(quinn::Connection) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;
    let cases: [(Serve, &str); 3] = [
        (
            |connection| {
                Box::pin(async move {
                    connection.close(VarInt::from_u32(0x107), b"go\x1b[2Jaway");
                    tokio::time::sleep(LONG).await;
                })
            },
            "HTTP/3 CONNECTION_CLOSE: H3_EXCESSIVE_LOAD 0x107: go\\u{1b}[2Jaway",
        ),
        (
            |connection| {
                Box::pin(async move {
                    if let Ok((mut send, _)) = connection.accept_bi().await {
                        let _ = send.reset(VarInt::from_u32(0x10b));
                    }
                    connection.closed().await;
                })
            },
            "HTTP/3 RESET_STREAM: H3_REQUEST_REJECTED",
        ),
        (
            |connection| {
                Box::pin(async move {
                    if let Ok((mut send, _)) = connection.accept_bi().await {
                        let _ = send.write_all(b"HTTP/1.1 403 Forbidden\r\n\r\n").await;
                        let _ = send.finish();
                    }
                    connection.closed().await;
                })
            },
            "HTTP/3 protocol error: ",
        ),
    ];
    for (serve, expected) in cases {
        let server = serving(config(Ask::Nothing, &["h3"]), serve);
        let seen = knock(&page(server.port(), "/"), server, LONG).await;
        assert_eq!(reach(&seen), Reach::TlsEstablished, "{seen:?}");
        let StoppedBy::HttpError { detail } = stopped_by(&seen) else {
            panic!("{seen:?}");
        };
        assert!(detail.starts_with(expected), "{detail}");
        assert!(told(&seen).handshake);
    }
}

#[tokio::test]
async fn silence_after_the_handshake_is_established() {
    let server = serving(config(Ask::Nothing, &["h3"]), |connection| async move {
        connection.closed().await;
    });
    let seen = knock(&page(server.port(), "/"), server, SOME / 2).await;
    assert_eq!(reach(&seen), Reach::TlsEstablished);
    assert_eq!(*stopped_by(&seen), StoppedBy::Silence);
    assert!(tls(&seen).certificate.is_some());
}

#[tokio::test]
async fn the_name_is_sent_and_an_address_is_not() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = serving(config(Ask::Nothing, &["h3"]), move |connection| {
        let data = connection.handshake_data().unwrap();
        let data = data.downcast::<quinn::crypto::rustls::HandshakeData>();
        tell.send(data.unwrap().server_name).unwrap();
        async move {
            connection.closed().await;
        }
    });
    for (kind, expected) in [
        (quic(server.port()), Some("door.example.com")),
        (page_of(server, "/"), None),
    ] {
        knock(&kind, server, SOME / 2).await;
        assert_eq!(told.recv().await.unwrap().as_deref(), expected);
    }
}

#[tokio::test]
async fn an_attempt_says_goodbye_and_leaves_nothing_behind() {
    let (tell, mut told) = mpsc::unbounded_channel();
    let server = serving(config(Ask::Nothing, &["h3"]), move |connection| {
        let tell = tell.clone();
        async move {
            let closed = async {
                tell.send(connection.closed().await).unwrap();
            };
            // In this order: the library's server closes on its side what is closed already.
            tokio::join!(biased; closed, http3(connection.clone(), 200, b"in"));
        }
    });
    let metrics = tokio::runtime::Handle::current().metrics();
    for kind in [page(server.port(), "/"), quic(server.port())] {
        knock(&kind, server, LONG).await;
        let closed = tokio::time::timeout(SOME, told.recv())
            .await
            .unwrap()
            .unwrap();
        let quinn::ConnectionError::ApplicationClosed(close) = closed else {
            panic!("{closed:?}");
        };
        assert_eq!(close.error_code, VarInt::from_u32(0x100));
    }
    // What is left belongs to the server: its endpoint, and connections that drain for a while.
    let silent = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    tokio::time::sleep(SOME).await;
    let before = metrics.num_alive_tasks();
    for _ in 0..5 {
        knock(&quic(address.port()), address, SOME / 4).await;
        knock(&quic(server.port()), server, SOME).await;
    }
    tokio::time::sleep(SOME).await;
    assert_eq!(metrics.num_alive_tasks(), before);
}
