//! UDP: does anything come back?
//!
//! Whatever comes back from the address that was asked says that the door is open:
//! [`Reach::Connected`], with the answer as evidence. What silence is worth depends on the payload,
//! and is not decided here.
//!
//! Where the system tells such a socket of ICMP errors, answers are heard from every sender: a server
//! with several addresses may answer from another one, and somebody who looks for a way in hears it.
//! From elsewhere only what answers our very question counts. Other systems hear the endpoint alone,
//! but for TFTP, which always answers from another port; that probe hears no rejection there.
//!
//! The datagrams leave from three ports in turn, so that one dead member of a bundle of links does not
//! take all of them. Each port asks a question of its own, with random bytes of its own: to the service
//! they are three strangers, none of whom repeats what another said.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};

use tokio::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Evidence, Observation, UdpAnswer, UdpEvidence};
use crate::domain::payload::{Payload, Protocol};
use crate::domain::reach::Reach;

use super::datagram::{Datagram, Heard, Turn, elsewhere};
use super::elicit::Question;
use super::{classify, sys, text};

/// How many characters of what an answer says are kept.
const SAYS: usize = 200;
/// How many ports the datagrams of an attempt leave from.
const PORTS: usize = 3;

/// Sends the payload and waits for any datagram until the deadline.
pub async fn probe(endpoint: Endpoint, payload: &Payload, deadline: Instant) -> Observation {
    let wide = sys::WIDE_ERRORS || *payload == Payload::Protocol(Protocol::Tftp);
    let opened = if wide {
        Datagram::wide(endpoint)
    } else {
        Datagram::connected(endpoint)
    };
    let datagram = match opened {
        Ok(datagram) => datagram,
        Err(observation) => return observation,
    };
    let questions = Questions {
        payload,
        target: endpoint.address.to_canonical(),
        asked: RefCell::default(),
    };
    let heard = datagram
        .exchange(
            PORTS,
            |turn| questions.bytes(turn),
            |bytes| questions.read(bytes).is_some(),
            deadline,
        )
        .await;
    let (observation, sent, answer) = match heard {
        Heard::Answer { bytes, from, sent } => {
            let answer = answer(&questions, endpoint, &bytes, from);
            let observation = Observation::reached(Reach::Connected, None);
            (observation, sent, Some(answer))
        }
        Heard::Stopped { observation, sent } => (observation, sent, None),
        Heard::Silence { sent } => (classify::silence(false), sent, None),
    };
    with(
        observation,
        UdpEvidence {
            payload: payload.to_string(),
            sent,
            answer,
        },
    )
}

/// What is asked in one attempt: a question for each port.
struct Questions<'a> {
    payload: &'a Payload,
    target: IpAddr,
    asked: RefCell<Vec<Question>>,
}

impl Questions<'_> {
    fn bytes(&self, turn: Turn) -> Vec<u8> {
        let mut asked = self.asked.borrow_mut();
        if let Some(question) = asked.get(turn.flow) {
            return question.bytes(turn.sent);
        }
        let question = Question::new(self.payload, self.target, turn.port);
        let bytes = question.bytes(turn.sent);
        asked.push(question);
        bytes
    }

    /// What an answer to any of them says.
    fn read(&self, answer: &[u8]) -> Option<String> {
        self.asked
            .borrow()
            .iter()
            .find_map(|asked| asked.read(answer))
    }
}

/// What came back, made fit to be shown.
fn answer(
    questions: &Questions<'_>,
    endpoint: Endpoint,
    bytes: &[u8],
    from: SocketAddr,
) -> UdpAnswer {
    let read = questions.read(bytes);
    let expected = read.is_some();
    let said = read.filter(|said| !said.is_empty());
    let says = match (said, elsewhere(endpoint.socket(), from)) {
        (Some(said), Some(elsewhere)) => Some(format!("{said}, {elsewhere}")),
        (said, elsewhere) => said.or(elsewhere),
    };
    UdpAnswer {
        bytes: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
        first_bytes: text::first_bytes(bytes),
        expected,
        says: says.map(|says| text::printable(says.as_bytes(), SAYS)),
    }
}

/// Adds what UDP told to what was observed.
fn with(mut observation: Observation, udp: UdpEvidence) -> Observation {
    let mut evidence: Box<Evidence> = observation.evidence.take().unwrap_or_default();
    evidence.udp = Some(udp);
    observation.evidence = Some(evidence);
    observation
}
