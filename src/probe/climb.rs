//! One attempt from the first packet to the highest rung.

use tokio::net::TcpStream;
use tokio::time::Instant;

use crate::domain::address::is_global;
use crate::domain::endpoint::{Endpoint, Transport};
use crate::domain::observation::{Evidence, Observation, Outcome};
use crate::domain::reach::Reach;
use crate::domain::target::{TargetKind, Url};

use super::alert::{self, Stage};
use super::context::Context;
use super::denial::CompiledDenial;
use super::dial::{Dialled, dial};
use super::http::{self, Exchange, Heard};
use super::record::Recorder;
use super::tls::{self, Secured};
use super::{banner, icmp, quic, tcp, udp};

/// Climbs one endpoint of a target as far as it carries, until the deadline.
///
/// `denial` is the target's, and is asked only where HTTP answers. For a `dns` target the address
/// is where the climb ends, and nothing is sent.
pub async fn climb(
    context: &Context,
    endpoint: Endpoint,
    kind: &TargetKind,
    denial: &CompiledDenial,
    deadline: Instant,
) -> Observation {
    match kind {
        TargetKind::Dns { .. } if is_global(endpoint.address) => {
            Observation::reached(Reach::PublicAddress, None)
        }
        TargetKind::Dns { .. } => Observation::reached(Reach::PrivateAddress, None),
        // All but this one are boxed: an attempt is as large as its largest kind, and most are these.
        TargetKind::Tcp { banner: false, .. } => tcp::probe(endpoint, deadline).await,
        TargetKind::Tcp { banner: true, .. } => Box::pin(banner::probe(endpoint, deadline)).await,
        TargetKind::Udp { payload, .. } => Box::pin(udp::probe(endpoint, payload, deadline)).await,
        TargetKind::Icmp { .. } => Box::pin(icmp::probe(endpoint, deadline)).await,
        TargetKind::Quic { host, .. } => {
            Box::pin(quic::probe(context, endpoint, host, deadline)).await
        }
        TargetKind::Url(url) if endpoint.transport == Transport::Udp => {
            Box::pin(quic::climb(context, endpoint, url, denial, deadline)).await
        }
        TargetKind::Url(url) => match dial(endpoint, deadline).await {
            // Boxed, so that the many attempts that get no further than the dial stay small.
            Ok(Dialled { stream, syns }) => {
                let seen = Box::pin(ascend(context, stream, url, denial, deadline)).await;
                Dialled::note(syns, seen)
            }
            Err(observation) => observation,
        },
    }
}

/// The rungs above TCP.
async fn ascend(
    context: &Context,
    stream: TcpStream,
    url: &Url,
    denial: &CompiledDenial,
    deadline: Instant,
) -> Observation {
    let (stream, record) = Recorder::new(stream);
    let exchange = Exchange {
        url,
        denial,
        deadline,
    };
    if !url.https {
        let heard = http::ask(&exchange, stream, record, http::Version::Http1).await;
        return heard.conclude(Reach::Connected, Evidence::default());
    }
    match tls::secure(context, stream, record, url, deadline).await {
        Secured::Ended { reach, evidence } => Observation {
            outcome: Outcome::Reached(reach),
            evidence: Some(evidence),
        },
        Secured::Established {
            stream,
            record,
            version,
            evidence,
            named,
        } => {
            let requested = evidence.certificate_requested;
            let heard = http::ask(&exchange, *stream, record, version).await;
            // In TLS 1.3 the refusal arrives after our side thinks that all is well.
            let reach = match &heard {
                Heard::Alert(said)
                    if alert::turns_away(*said, Stage::UnderKeys, requested, named) =>
                {
                    Reach::TlsRefused
                }
                _ => Reach::TlsEstablished,
            };
            let evidence = Evidence {
                tls: Some(*evidence),
                ..Evidence::default()
            };
            let heard = match heard {
                Heard::Alert(said) => {
                    Heard::Ended(alert::evidence(said, Stage::UnderKeys, requested))
                }
                other => other,
            };
            heard.conclude(reach, evidence)
        }
    }
}
