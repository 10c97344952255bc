//! The doors of the demo: small real servers on loopback, each on a port that the system chose.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
#[cfg(target_os = "linux")]
use tokio::net::TcpStream;
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

/// Loopback with a port of the system's choice.
const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The most that a door reads of a request before it answers.
const REQUEST: usize = 4096;

/// What opens the doors; they shut when it is dropped.
#[derive(Debug, Default)]
pub(super) struct Doors {
    servers: JoinSet<()>,
    /// Sockets that are only held.
    held: Vec<TcpSocket>,
    #[cfg(target_os = "linux")]
    silent: Vec<(TcpListener, Vec<TcpStream>)>,
}

impl Doors {
    /// A server that gives the same HTTP answer to everybody.
    pub(super) async fn http(&mut self, answer: String) -> io::Result<u16> {
        let listener = TcpListener::bind(ANY_PORT).await?;
        let port = listener.local_addr()?.port();
        let answer: Arc<str> = answer.into();
        self.servers.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    // A visitor that leaves early is no trouble of the door's.
                    let _ = reply(stream, &answer).await;
                });
            }
        });
        Ok(port)
    }

    /// A server that wants a client certificate which nobody has.
    pub(super) async fn mutual_tls(&mut self, name: &str) -> io::Result<u16> {
        let acceptor = TlsAcceptor::from(Arc::new(mutual_tls(name).map_err(io::Error::other)?));
        let listener = TcpListener::bind(ANY_PORT).await?;
        let port = listener.local_addr()?.port();
        self.servers.spawn(async move {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    continue;
                };
                let acceptor = acceptor.clone();
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        let _ = reply(stream, &html(200, "OK", "The vault", "")).await;
                    }
                });
            }
        });
        Ok(port)
    }

    /// A port that is taken but not listened on: it answers with a reset.
    pub(super) fn closed(&mut self) -> io::Result<u16> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(ANY_PORT)?;
        let port = socket.local_addr()?.port();
        self.held.push(socket);
        Ok(port)
    }

    /// A port that never answers, without a firewall and without privileges: Linux drops a SYN when
    /// the listener's queue of accepted connections is full.
    #[cfg(target_os = "linux")]
    pub(super) async fn silent(&mut self) -> io::Result<u16> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(ANY_PORT)?;
        // The kernel lets one more in than the backlog says.
        let listener = socket.listen(1)?;
        let address = listener.local_addr()?;
        let mut guests = Vec::new();
        for _ in 0..2 {
            guests.push(TcpStream::connect(address).await?);
        }
        self.silent.push((listener, guests));
        Ok(address.port())
    }
}

/// A complete HTTP/1.1 answer with a page of the given title. `headers` are whole lines.
pub(super) fn html(status: u16, phrase: &str, title: &str, headers: &str) -> String {
    let body = format!("<!doctype html><title>{title}</title><h1>{title}</h1>\n");
    format!(
        "HTTP/1.1 {status} {phrase}\r\ncontent-type: text/html\r\n{headers}content-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

async fn reply(mut stream: impl AsyncRead + AsyncWrite + Unpin, answer: &str) -> io::Result<()> {
    let mut request = vec![0; REQUEST];
    if stream.read(&mut request).await? == 0 {
        return Ok(());
    }
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// A server configuration with a certificate made now, which trusts clients of an authority whose
/// key is forgotten at once.
fn mutual_tls(name: &str) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate()?;
    let root = authority.self_signed(&authority_key)?.der().clone();
    let issuer = Issuer::new(authority, authority_key);
    let key = KeyPair::generate()?;
    let certificate = CertificateParams::new(vec![name.to_owned()])?.signed_by(&key, &issuer)?;

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(root)?;
    let verifier =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
            .build()?;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    Ok(ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_client_cert_verifier(verifier)
        .with_single_cert(vec![certificate.der().clone()], key)?)
}
