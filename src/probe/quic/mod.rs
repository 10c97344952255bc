//! QUIC and HTTP/3: the same climb over UDP.
//!
//! First a server is asked which versions it speaks, which every QUIC server should answer and which
//! costs nobody anything; then the handshake is tried, as soon as anything came back, or after a
//! quarter of the time, while the question is still asked; at last a page is asked for. Whatever comes
//! back, and be it no QUIC, is [`Reach::Connected`] at least.
//!
//! The handshake has a socket of its own, so that its first packet is the first of its flow: a device
//! on the way that tells traffic by that sees what a browser would send.
//!
//! Limits: QUIC version 1; ALPN `h3`. A server of another protocol over QUIC ends the handshake with
//! an alert, which is an answer. An attempt that stays silent holds two sockets, and is two flows: the
//! library keeps all packets of a handshake to one port.

mod ask;
mod close;
mod handshake;
mod negotiate;
mod seen;
mod wire;

use std::pin::{Pin, pin};

use tokio::time::{Instant, timeout_at};

use super::alert::{self, Stage};
use super::context::Context;
use super::datagram::Heard as Back;
use super::denial::CompiledDenial;
use super::http::{Exchange, Heard};
use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Blind, Evidence, Observation, Outcome};
use crate::domain::reach::Reach;
use crate::domain::target::{Host, Url};

use handshake::{Session, Shaken};
use negotiate::Question;
use seen::Seen;
use wire::Wire;

/// The part of an attempt after which the handshake is tried although the question stayed without an
/// answer.
const PATIENCE: u32 = 4;

/// Tries version negotiation and a handshake.
pub async fn probe(
    context: &Context,
    endpoint: Endpoint,
    host: &Host,
    deadline: Instant,
) -> Observation {
    let door = Door {
        context,
        endpoint,
        host,
        deadline,
    };
    door.open(None).await
}

/// The same, and an HTTP/3 request on top.
pub async fn climb(
    context: &Context,
    endpoint: Endpoint,
    url: &Url,
    denial: &CompiledDenial,
    deadline: Instant,
) -> Observation {
    let door = Door {
        context,
        endpoint,
        host: &url.host,
        deadline,
    };
    let exchange = Exchange {
        url,
        denial,
        deadline,
    };
    door.open(Some(&exchange)).await
}

/// What is knocked at, and until when.
struct Door<'a> {
    context: &'a Context,
    endpoint: Endpoint,
    host: &'a Host,
    deadline: Instant,
}

impl Door<'_> {
    async fn open(&self, exchange: Option<&Exchange<'_>>) -> Observation {
        let random = self.context.tls.crypto_provider().secure_random;
        let Some(question) = Question::new(random) else {
            return Observation::blind(Blind::LocalError, None);
        };
        let mut seen = Seen::new(&question, self.endpoint);
        let now = Instant::now();
        let patience = self.deadline.saturating_duration_since(now) / PATIENCE;
        let mut asking = pin!(question.ask(self.endpoint, self.deadline));
        let early = timeout_at(now + patience, &mut asking).await;
        if let Ok(Back::Stopped { observation, .. }) = &early
            && !is_rejection(observation)
        {
            return seen.stopped(observation.clone());
        }
        let wire = match Wire::open(self.endpoint) {
            Ok(wire) => seen.wire.insert(wire).clone(),
            Err(observation) => return seen.stopped(observation),
        };
        let shaking = handshake::shake(self.context, &wire, self.host, self.deadline);
        let shaken = match early {
            Ok(Back::Stopped { observation, .. }) => rejected(observation, &wire, shaking.await),
            Ok(back @ (Back::Answer { .. } | Back::Silence { .. })) => {
                seen.back(&back);
                shaking.await
            }
            Err(_elapsed) => both(&mut seen, &wire, asking, shaking).await,
        };
        match shaken {
            Shaken::Established(session) => established(seen, *session, exchange).await,
            Shaken::Ended { end, tls, named } => seen.ended(end, tls, named),
            Shaken::Stopped(observation) => seen.stopped(observation),
            Shaken::Silent(tls) => seen.silent(tls, wire.sent() == 0),
        }
    }
}

/// Whether somebody turned the question away. Some firewalls know versions, and reject one that cannot
/// exist where they let version 1 pass: that is for the handshake to find out.
const fn is_rejection(observation: &Observation) -> bool {
    matches!(observation.outcome, Outcome::Reached(_))
}

/// What a handshake comes to whose question was rejected. That this machine could not look counts for
/// more than who turned the question away.
fn rejected(rejection: Observation, wire: &Wire, shaken: Shaken) -> Shaken {
    match shaken {
        Shaken::Silent(_) if wire.first().is_none() && wire.sent() > 0 => {
            Shaken::Stopped(rejection)
        }
        Shaken::Stopped(observation) if is_rejection(&observation) => Shaken::Stopped(rejection),
        Shaken::Established(_) | Shaken::Ended { .. } | Shaken::Stopped(_) | Shaken::Silent(_) => {
            shaken
        }
    }
}

/// The handshake, while the question is still asked.
async fn both(
    seen: &mut Seen<'_>,
    wire: &Wire,
    mut asking: Pin<&mut impl Future<Output = Back>>,
    shaking: impl Future<Output = Shaken>,
) -> Shaken {
    let mut shaking = pin!(shaking);
    tokio::select! {
        biased;
        shaken = &mut shaking => match shaken {
            // Both end with the attempt, and what came in its last instant counts.
            Shaken::Silent(tls) => match asking.await {
                Back::Stopped { observation, .. } => Shaken::Stopped(observation),
                back @ (Back::Answer { .. } | Back::Silence { .. }) => {
                    seen.back(&back);
                    Shaken::Silent(tls)
                }
            },
            Shaken::Established(_) | Shaken::Ended { .. } | Shaken::Stopped(_) => shaken,
        },
        back = &mut asking => match back {
            Back::Stopped { observation, .. } if wire.first().is_none() => {
                if is_rejection(&observation) {
                    rejected(observation, wire, shaking.await)
                } else {
                    Shaken::Stopped(observation)
                }
            }
            Back::Stopped { .. } | Back::Answer { .. } | Back::Silence { .. } => {
                seen.back(&back);
                shaking.await
            }
        },
    }
}

/// The rungs above the handshake.
async fn established(
    mut seen: Seen<'_>,
    session: Session,
    exchange: Option<&Exchange<'_>>,
) -> Observation {
    seen.quic.handshake = true;
    let evidence = Evidence {
        tls: Some(session.tls.clone()),
        ..Evidence::default()
    };
    let Some(exchange) = exchange else {
        let observation = seen.finish(Outcome::Reached(Reach::TlsEstablished), evidence);
        session.close().await;
        return observation;
    };
    let heard = ask::ask(&session, exchange).await;
    seen.quic.closed = session.closed_by_peer();
    let requested = session.tls.certificate_requested;
    let (below, heard) = match heard {
        // A refusal that came later than we waited for it.
        Heard::Alert(said) => {
            let below = if alert::turns_away(said, Stage::UnderKeys, requested, session.named) {
                Reach::TlsRefused
            } else {
                Reach::TlsEstablished
            };
            (
                below,
                Heard::Ended(alert::evidence(said, Stage::UnderKeys, requested)),
            )
        }
        heard @ (Heard::Answer { .. } | Heard::Foreign(_) | Heard::Ended(_)) => {
            (Reach::TlsEstablished, heard)
        }
    };
    let concluded = heard.conclude(below, evidence);
    let evidence = concluded.evidence.map(|evidence| *evidence);
    let observation = seen.finish(concluded.outcome, evidence.unwrap_or_default());
    session.close().await;
    observation
}
