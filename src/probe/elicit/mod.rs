//! Questions that any stranger may ask a UDP service, and how their answers are known: one entry a
//! protocol.
//!
//! Every question is whole and honest by its specification, asks for nothing that is not public, and
//! brings back little: an entry's `bound` says how much at most, and a test holds it against what was
//! sent and against real servers. Every question carries random bytes where the protocol has a place
//! for them, and an answer is only taken for one if it brings them back.
//!
//! Limits: an answer is read as far as it takes to know it and to say who gave it. The table with
//! sizes, sources and what each was tested against is `docs/udp.md`.

mod ber;
mod bytes;
mod cldap;
mod coap;
mod dns;
mod dtls;
mod ike;
mod memcached;
mod ntp;
mod openvpn;
mod portmap;
mod sip;
mod snmp;
mod stun;
mod tftp;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::IpAddr;

use crate::domain::payload::{Payload, Protocol};

/// One protocol's question.
#[derive(Clone, Copy, Debug)]
pub struct Elicitor {
    /// Where the question and its answer are specified.
    pub source: &'static str,
    /// What an open service answers.
    pub expects: &'static str,
    /// The most bytes that an honest service sends back for one datagram, in one or several, with
    /// its own repetitions. At most 256, or four times what was sent.
    pub bound: usize,
    build: fn(&Asking, u32) -> Vec<u8>,
    read: fn(&Asking, &[u8]) -> Option<String>,
}

/// What the questions of one attempt have in common.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Random.
    token: [u8; 64],
    /// The address that is asked.
    target: IpAddr,
    /// Our own port, as far as we know it: a translator may change it.
    port: u16,
}

/// What is sent in one attempt, and how its answer is known.
#[derive(Clone, Debug)]
pub struct Question {
    kind: Kind,
    asking: Asking,
}

#[derive(Clone, Debug)]
enum Kind {
    Known(Elicitor),
    Bytes(Vec<u8>),
}

/// The entry of a protocol.
#[must_use]
pub const fn of(protocol: Protocol) -> Elicitor {
    match protocol {
        Protocol::Dns => dns::ELICITOR,
        Protocol::Ntp => ntp::ELICITOR,
        Protocol::Snmp => snmp::ELICITOR,
        Protocol::Memcached => memcached::ELICITOR,
        Protocol::Stun => stun::ELICITOR,
        Protocol::Sip => sip::ELICITOR,
        Protocol::Ike => ike::ELICITOR,
        Protocol::Dtls => dtls::ELICITOR,
        Protocol::Cldap => cldap::ELICITOR,
        Protocol::Tftp => tftp::ELICITOR,
        Protocol::Portmap => portmap::ELICITOR,
        Protocol::Coap => coap::ELICITOR,
        Protocol::Openvpn => openvpn::ELICITOR,
    }
}

impl Question {
    /// A question with new random bytes. `target` is who is asked, `port` where we listen.
    #[must_use]
    pub fn new(payload: &Payload, target: IpAddr, port: u16) -> Self {
        Self {
            kind: match payload {
                Payload::Protocol(protocol) => Kind::Known(of(*protocol)),
                Payload::Bytes(bytes) => Kind::Bytes(bytes.clone()),
                Payload::Mute(_) => Kind::Bytes(Vec::new()),
            },
            asking: Asking {
                token: random(),
                target,
                port,
            },
        }
    }

    /// The datagram to send after `sent` others.
    #[must_use]
    pub fn bytes(&self, sent: u32) -> Vec<u8> {
        match &self.kind {
            Kind::Known(elicitor) => (elicitor.build)(&self.asking, sent),
            Kind::Bytes(bytes) => bytes.clone(),
        }
    }

    /// What a datagram says, if it answers this very question; empty where it says no more than
    /// that. Not escaped. The answer to bytes of the user's own is not known.
    #[must_use]
    pub fn read(&self, answer: &[u8]) -> Option<String> {
        match &self.kind {
            Kind::Known(elicitor) => (elicitor.read)(&self.asking, answer),
            Kind::Bytes(_) => None,
        }
    }
}

impl Asking {
    /// Random bytes from a place in the token; the same place gives the same bytes.
    fn random<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|i| self.token.get(at + i).copied().unwrap_or(0))
    }

    /// The same in hexadecimal, `length` digits.
    fn hex(&self, length: usize) -> String {
        let mut hex = bytes::hex(&self.token);
        hex.truncate(length);
        hex
    }
}

/// Bytes that nobody else can guess. The standard library's hash keys are random for every process
/// and other ones for every call.
fn random() -> [u8; 64] {
    let mut token = [0; 64];
    for chunk in token.chunks_mut(8) {
        let word = RandomState::new().build_hasher().finish();
        chunk.copy_from_slice(&word.to_be_bytes());
    }
    token
}
