//! What an attempt saw over UDP, put together into its observation.
//!
//! One rule is kept here: once anything came back, the port was reached, whatever error or silence
//! followed.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{
    Blind, Evidence, Observation, Outcome, QuicEvidence, StoppedBy, TlsEvidence, UdpAnswer,
    UdpEvidence,
};
use crate::domain::reach::Reach;
use crate::probe::datagram::{Heard as Back, elsewhere};
use crate::probe::{alert, classify, text, tls};

use super::close::End;
use super::negotiate::{self, Question};
use super::wire::Wire;

/// The word for what is sent.
const PAYLOAD: &str = "quic";

/// What is known whichever way the attempt ends.
pub(super) struct Seen<'a> {
    question: &'a Question,
    asked: SocketAddr,
    /// The handshake's socket, once there is one.
    pub(super) wire: Option<Arc<Wire>>,
    /// What QUIC told so far.
    pub(super) quic: QuicEvidence,
    answer: Option<UdpAnswer>,
}

impl<'a> Seen<'a> {
    /// Nothing yet.
    pub(super) fn new(question: &'a Question, endpoint: Endpoint) -> Self {
        Self {
            question,
            asked: endpoint.socket(),
            wire: None,
            quic: QuicEvidence::default(),
            answer: None,
        }
    }

    /// Takes in what came back for the question.
    pub(super) fn back(&mut self, back: &Back) {
        let Back::Answer { bytes, from, .. } = back else {
            return;
        };
        let versions = self.question.versions(bytes);
        self.answer = Some(UdpAnswer {
            bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            first_bytes: text::first_bytes(bytes),
            expected: versions.is_some(),
            says: elsewhere(self.asked, *from),
        });
        self.quic.versions = negotiate::names(&versions.unwrap_or_default());
    }

    /// An error came: a rejection, or this machine could not look.
    pub(super) fn stopped(self, observation: Observation) -> Observation {
        let evidence = observation.evidence.map(|evidence| *evidence);
        self.at_least(observation.outcome, evidence.unwrap_or_default())
    }

    /// The handshake did not complete until the deadline. `unsent` says that our own machine never
    /// let it begin.
    pub(super) fn silent(self, tls: TlsEvidence, unsent: bool) -> Observation {
        let silence = classify::silence(unsent);
        let evidence = Evidence {
            stopped_by: self.is_reached().then_some(StoppedBy::Silence),
            tls: tls::seen_anything(&tls).then_some(tls),
            ..silence
                .evidence
                .map_or_else(Evidence::default, |evidence| *evidence)
        };
        self.at_least(silence.outcome, evidence)
    }

    /// The other side ended the handshake, or made no sense.
    pub(super) fn ended(mut self, end: End, tls: TlsEvidence, named: bool) -> Observation {
        self.quic.closed = end.said();
        let requested = tls.certificate_requested;
        let stage = alert::stage_of_quic(&tls);
        let (reach, stopped_by) = match end {
            End::Alert(said, _) => (
                if alert::turns_away(said, stage, requested, named) {
                    Reach::TlsRefused
                } else {
                    Reach::Connected
                },
                alert::evidence(said, stage, requested),
            ),
            End::Closed(_) | End::Application(_) | End::Incompatible(_) | End::Silence => {
                (Reach::Connected, end.stop())
            }
        };
        let evidence = Evidence {
            stopped_by: Some(stopped_by),
            tls: tls::seen_anything(&tls).then_some(tls),
            ..Evidence::default()
        };
        // Our own side can end it before anything came back; nobody has answered then.
        let outcome = if self.is_reached() {
            Outcome::Reached(reach)
        } else {
            Outcome::Blind(Blind::LocalError)
        };
        self.finish(outcome, evidence)
    }

    /// The observation, with everything that was seen besides.
    pub(super) fn finish(&self, outcome: Outcome, evidence: Evidence) -> Observation {
        let wire = self.wire.as_ref();
        let sent = wire.map_or(0, |wire| wire.sent());
        let first = wire.and_then(|wire| wire.first());
        let udp = UdpEvidence {
            payload: PAYLOAD.to_owned(),
            sent: self.question.sent().saturating_add(sent),
            answer: self.answer.clone().or(first),
        };
        Observation {
            outcome,
            evidence: Some(Box::new(Evidence {
                udp: Some(udp),
                quic: Some(self.quic.clone()),
                ..evidence
            })),
        }
    }

    /// The same for an outcome that does not count where something came back.
    fn at_least(&self, outcome: Outcome, evidence: Evidence) -> Observation {
        let outcome = if self.is_reached() {
            Outcome::Reached(Reach::Connected)
        } else {
            outcome
        };
        self.finish(outcome, evidence)
    }

    fn is_reached(&self) -> bool {
        self.answer.is_some()
            || self
                .wire
                .as_ref()
                .is_some_and(|wire| wire.first().is_some())
    }
}
