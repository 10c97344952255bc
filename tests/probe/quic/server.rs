//! QUIC servers made with quinn and h3, and a relay that loses what it is told to lose.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use quinn::crypto::rustls::QuicServerConfig;
use quinn::{Connection, Endpoint, Incoming, ServerConfig};
use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::TLS13;
use tokio::net::UdpSocket;

/// What a server wants of a client certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Ask {
    Nothing,
    Request,
    Demand,
}

pub fn config(ask: Ask, alpn: &[&str]) -> rustls::ServerConfig {
    let made = rcgen::generate_simple_self_signed(vec!["door.example.com".to_owned()]).unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let certificate = made.cert.der().clone();
    let provider = Arc::new(ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[&TLS13])
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

/// A server whose every connection attempt goes to `accept`.
pub fn incoming<F, R>(config: rustls::ServerConfig, accept: F) -> SocketAddr
where
    F: Fn(Incoming) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let crypto = QuicServerConfig::try_from(config).unwrap();
    let config = ServerConfig::with_crypto(Arc::new(crypto));
    let endpoint = Endpoint::server(config, "127.0.0.1:0".parse().unwrap()).unwrap();
    let address = endpoint.local_addr().unwrap();
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            tokio::spawn(accept(incoming));
        }
    });
    address
}

/// A server whose every connection goes to `serve`.
pub fn serving<F, R>(config: rustls::ServerConfig, serve: F) -> SocketAddr
where
    F: Fn(Connection) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    incoming(config, move |incoming| {
        let serve = serve.clone();
        async move {
            if let Ok(connection) = incoming.await {
                serve(connection).await;
            }
        }
    })
}

/// An HTTP/3 server that sends this body with every answer, and a 103 before it.
pub async fn http3(connection: Connection, status: u16, body: &'static [u8]) {
    let transport = h3_quinn::Connection::new(connection);
    let Ok(mut server) = h3::server::Connection::<_, hyper::body::Bytes>::new(transport).await
    else {
        return;
    };
    while let Ok(Some(request)) = server.accept().await {
        let Ok((_, mut stream)) = request.resolve_request().await else {
            return;
        };
        for status in [103, status] {
            let head = hyper::Response::builder().status(status).body(()).unwrap();
            let _ = stream.send_response(head).await;
        }
        let _ = stream.send_data(body.into()).await;
        let _ = stream.finish().await;
    }
}

/// Whether a datagram asks for a version that is kept for negotiation.
pub fn asks_for_versions(datagram: &[u8]) -> bool {
    matches!(datagram, [form, v @ ..] if form & 0x80 != 0
        && v.len() > 4 && v[..4].iter().all(|byte| byte & 0x0f == 0x0a))
}

/// A relay in front of a server that lets through what `passes` lets through of one client; and how
/// many datagrams it lost.
pub async fn relay(
    server: SocketAddr,
    passes: impl Fn(&[u8]) -> bool + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let outside = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = outside.local_addr().unwrap();
    let lost = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&lost);
    tokio::spawn(async move {
        let outside = Arc::new(outside);
        let mut flows = HashMap::new();
        let mut buffer = vec![0; 65_535];
        while let Ok((length, client)) = outside.recv_from(&mut buffer).await {
            if !passes(&buffer[..length]) {
                count.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let flow = match flows.entry(client) {
                Entry::Occupied(flow) => flow.into_mut(),
                Entry::Vacant(flow) => {
                    let inside = Arc::new(UdpSocket::bind("127.0.0.1:0").await.unwrap());
                    inside.connect(server).await.unwrap();
                    tokio::spawn(back(Arc::clone(&inside), Arc::clone(&outside), client));
                    flow.insert(inside)
                }
            };
            let _ = flow.send(&buffer[..length]).await;
        }
    });
    (address, lost)
}

/// The way back of one client.
async fn back(from: Arc<UdpSocket>, to: Arc<UdpSocket>, client: SocketAddr) {
    let mut buffer = vec![0; 65_535];
    while let Ok(length) = from.recv(&mut buffer).await {
        let _ = to.send_to(&buffer[..length], client).await;
    }
}
