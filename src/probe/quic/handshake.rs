//! The handshake: QUIC version 1, TLS 1.3 inside it, ALPN `h3`.
//!
//! Certificates and alerts are treated as over TCP, by the same code: see [`tls`]. A server that
//! turns a client away does so in a `CONNECTION_CLOSE` that carries the alert (RFC 9001 section 4.8),
//! and one that misses a certificate only after our side thinks that all is well; the
//! `HANDSHAKE_DONE` that says the opposite (section 4.1.2) ends the wait. A refusal before the handshake
//! has keys of its own is nobody's word, as over TCP: the keys of the first packets follow from what
//! everybody on the way can read (section 5.2).
//!
//! Limits: version 1 alone, the cipher suites of rustls, no 0-RTT, no migration.

use std::sync::Arc;
use std::time::Duration;

use quinn::crypto::rustls::{HandshakeData, QuicClientConfig};
use quinn::{ClientConfig, Connection, EndpointConfig, TransportConfig, VarInt};
use rustls::pki_types::ServerName;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep, timeout_at};

use crate::domain::observation::{Observation, TlsEvidence};
use crate::domain::target::Host;
use crate::probe::context::Context;
use crate::probe::tasks::Tasks;
use crate::probe::tls::{self, GRACE, Witness};
use crate::probe::{classify, text};

use super::close::{self, End};
use super::wire::{Hosted, Wire};

/// QUIC version 1 (RFC 9000 section 15).
const VERSION: u32 = 1;
const ALPN: &[u8] = b"h3";
/// A guess at the round trip. The first probe time-out is three times that and doubles from then on
/// (RFC 9002 section 6.2), so that datagrams leave at 0, 0.3, 0.9, 2.1, 4.5 … seconds. The
/// recommended third of a second would wait for one second, which is a good part of an attempt.
const ROUND_TRIP: Duration = Duration::from_millis(100);
/// Bytes of handshake messages that may come out of order: long certificate chains.
const CRYPTO: usize = 64 * 1024;
/// Bytes of one stream that may be on their way. More than a field section and a body, with frames.
const STREAM: u32 = 256 * 1024;
/// Bytes of all streams.
const ALL_STREAMS: u32 = 1 << 20;
/// Streams that the server may open: control, two for QPACK (RFC 9114 section 6.2), and some that
/// mean nothing.
const STREAMS: u32 = 16;
/// `H3_NO_ERROR` (RFC 9114 section 8.1).
const NO_ERROR: VarInt = VarInt::from_u32(0x100);
/// How long to wait between two looks at whether the server is content.
const PAUSE: Duration = Duration::from_millis(10);
/// How often the library's tasks are given the processor to say goodbye.
const TURNS: usize = 8;

/// How a handshake went.
pub(super) enum Shaken {
    /// It completed.
    Established(Box<Session>),
    /// The other side ended it, or what it said could not be understood.
    Ended {
        /// How.
        end: End,
        /// What TLS had told by then.
        tls: TlsEvidence,
        /// Whether the server's name was sent.
        named: bool,
    },
    /// An error came instead of an answer.
    Stopped(Observation),
    /// Not completed until the deadline. What TLS had told by then.
    Silent(TlsEvidence),
}

/// A connection to ask something on.
pub(super) struct Session {
    /// The connection.
    pub(super) connection: Connection,
    /// What TLS told.
    pub(super) tls: TlsEvidence,
    /// Whether the server's name was sent.
    pub(super) named: bool,
    /// Where the tasks of whatever speaks on it belong.
    pub(super) tasks: Tasks,
    wire: Arc<Wire>,
    // Keeps the library's endpoint at work.
    _endpoint: quinn::Endpoint,
}

impl Session {
    /// What the other side said when it closed the connection, if it did.
    pub(super) fn closed_by_peer(&self) -> Option<String> {
        close::end(&self.connection.close_reason()?).said()
    }

    /// Says goodbye, so that the server need not keep the connection until it is idle. Waits for
    /// nothing but our own side.
    pub(super) async fn close(self) {
        farewell(&self.connection, &self.wire).await;
    }
}

/// Shakes hands over a fresh wire.
pub(super) async fn shake(
    context: &Context,
    wire: &Arc<Wire>,
    host: &Host,
    deadline: Instant,
) -> Shaken {
    let (name, named) = tls::server_name(host);
    let witness = Arc::new(Witness::of(host));
    let tasks = Tasks::default();
    let started = start(context, wire, &witness, &name, &tasks);
    let (endpoint, connecting) = match started {
        Ok(started) => started,
        Err(error) => return Shaken::Stopped(classify::errno(&error)),
    };
    let shaken = tokio::select! {
        biased;
        shaken = timeout_at(deadline, connecting) => shaken,
        denied = wire.denied() => return Shaken::Stopped(denied),
    };
    let connection = match shaken {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => {
            return Shaken::Ended {
                end: close::end(&error),
                tls: witness.evidence(),
                named,
            };
        }
        // Dropping the connection closes it; the tasks go before they could say so.
        Err(_elapsed) => {
            wire.caught_up().await;
            return wire
                .stop()
                .map_or_else(|| Shaken::Silent(witness.evidence()), Shaken::Stopped);
        }
    };
    let tls = TlsEvidence {
        alpn: alpn(&connection),
        ..witness.evidence()
    };
    if tls.certificate_requested {
        await_refusal(&connection, deadline).await;
    }
    match connection.close_reason() {
        Some(error) if close::alert(&error).is_some() => Shaken::Ended {
            end: close::end(&error),
            tls,
            named,
        },
        Some(_) | None => Shaken::Established(Box::new(Session {
            connection,
            tls,
            named,
            tasks,
            wire: Arc::clone(wire),
            _endpoint: endpoint,
        })),
    }
}

/// Starts the library on a wire.
fn start(
    context: &Context,
    wire: &Arc<Wire>,
    witness: &Arc<Witness>,
    name: &ServerName<'_>,
    tasks: &Tasks,
) -> Result<(quinn::Endpoint, quinn::Connecting), std::io::Error> {
    let mut crypto = tls::witnessed(context, witness);
    crypto.alpn_protocols = vec![ALPN.to_vec()];
    let crypto = QuicClientConfig::try_from(crypto).map_err(std::io::Error::other)?;
    let mut client = ClientConfig::new(Arc::new(crypto));
    client.version(VERSION);
    client.transport_config(Arc::new(transport()));
    let mut config = EndpointConfig::default();
    config.supported_versions(vec![VERSION]);
    let endpoint = quinn::Endpoint::new_with_abstract_socket(
        config,
        None,
        Arc::clone(wire) as Arc<dyn quinn::AsyncUdpSocket>,
        Arc::new(Hosted(tasks.starter())),
    )?;
    let connecting = endpoint
        .connect_with(client, wire.peer(), &name.to_str())
        .map_err(std::io::Error::other)?;
    Ok((endpoint, connecting))
}

fn transport() -> TransportConfig {
    let mut transport = TransportConfig::default();
    transport
        .initial_rtt(ROUND_TRIP)
        .mtu_discovery_config(None)
        // The deadline of the attempt is the only clock.
        .max_idle_timeout(None)
        .crypto_buffer_size(CRYPTO)
        .stream_receive_window(VarInt::from_u32(STREAM))
        .receive_window(VarInt::from_u32(ALL_STREAMS))
        .max_concurrent_uni_streams(VarInt::from_u32(STREAMS))
        // A server opens none of these (RFC 9114 section 6.1).
        .max_concurrent_bidi_streams(VarInt::from_u32(0))
        .datagram_receive_buffer_size(None)
        .enable_segmentation_offload(false);
    transport
}

fn alpn(connection: &Connection) -> Option<String> {
    let data = connection.handshake_data()?.downcast::<HandshakeData>();
    let protocol = data.ok()?.protocol?;
    Some(text::printable(&protocol, 32))
}

/// Waits for the refusal of a server that asked for a certificate and got none, or for its word that
/// it is content.
async fn await_refusal(connection: &Connection, deadline: Instant) {
    let now = Instant::now();
    let until = now + (deadline.saturating_duration_since(now) / 2).min(GRACE);
    let content = async {
        while connection.stats().frame_rx.handshake_done == 0 {
            sleep(PAUSE).await;
        }
    };
    let wait = async {
        tokio::select! {
            _ = connection.closed() => {}
            () = content => {}
        }
    };
    // Running out of time here means that nothing was said.
    let _ = timeout_at(until, wait).await;
}

/// Closes and lets the library send that. One datagram without an answer.
async fn farewell(connection: &Connection, wire: &Wire) {
    let before = wire.sent();
    connection.close(NO_ERROR, b"");
    for _ in 0..TURNS {
        if wire.sent() > before {
            break;
        }
        yield_now().await;
    }
}
