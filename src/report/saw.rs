//! What an attempt and an endpoint saw, in words. Facts only; whether they are good or bad is said
//! elsewhere.

use super::door::{Door, Over};
use super::phrase::{Phrase, count};
use crate::domain::endpoint::Endpoint;
use crate::domain::finding::EndpointReport;
use crate::domain::observation::{
    Attempt, Evidence, HttpEvidence, IcmpError, Middlebox, Outcome, QuicEvidence, StoppedBy,
};
use crate::domain::payload::Mute;
use crate::domain::reach::Reach;
use crate::domain::target::Denial;

/// How many versions of QUIC are shown.
const VERSIONS: usize = 4;

/// The attempt that says most about an endpoint: the first that got furthest, or else the last.
#[must_use]
pub fn telling(endpoint: &EndpointReport) -> Option<&Attempt> {
    let mut best: Option<(&Attempt, Reach)> = None;
    for attempt in &endpoint.attempts {
        if let Outcome::Reached(reach) = attempt.outcome
            && best.is_none_or(|(_, furthest)| reach > furthest)
        {
            best = Some((attempt, reach));
        }
    }
    best.map_or_else(|| endpoint.attempts.last(), |(attempt, _)| Some(attempt))
}

/// The evidence of that attempt.
#[must_use]
pub fn evidence(endpoint: &EndpointReport) -> Option<&Evidence> {
    telling(endpoint)?.evidence.as_deref()
}

/// The HTTP answer that says most about an endpoint, if there was one.
#[must_use]
pub fn http(endpoint: &EndpointReport) -> Option<&HttpEvidence> {
    evidence(endpoint)?.http.as_ref()
}

/// The same in few words, where the HTTP answer is told elsewhere.
#[must_use]
pub fn brief(door: Door<'_>, endpoint: &EndpointReport) -> Phrase {
    match http(endpoint) {
        Some(http) => Phrase::new(status(door.over, http)),
        None => self::endpoint(door.briefly(), endpoint),
    }
}

/// What was seen at an endpoint, without its address: `silence`, `TCP reset`, `HTTP 403 …`.
#[must_use]
pub fn endpoint(door: Door<'_>, endpoint: &EndpointReport) -> Phrase {
    match telling(endpoint) {
        Some(attempt) => outcome(door, attempt),
        None => match endpoint.reach {
            Some(reach) => rung(door, reach, None),
            None => Phrase::new("not tried"),
        },
    }
}

/// What an attempt saw. With a denial, the headers that it asks for are shown.
#[must_use]
pub fn outcome(door: Door<'_>, attempt: &Attempt) -> Phrase {
    let evidence = attempt.evidence.as_deref();
    match attempt.outcome {
        Outcome::Reached(reach) => rung(door, reach, evidence),
        Outcome::Blind(blind) => {
            let phrase = Phrase::new(blind.to_string());
            match evidence.and_then(|e| e.stopped_by.as_ref()) {
                Some(StoppedBy::Errno { errno, text }) => phrase
                    .say(format!(" (error {errno}: "))
                    .quote(text)
                    .say(")"),
                Some(StoppedBy::Icmp(error)) => phrase.say(" (").value(error).say(")"),
                Some(_) | None => phrase,
            }
        }
    }
}

fn rung(door: Door<'_>, reach: Reach, evidence: Option<&Evidence>) -> Phrase {
    let stopped_by = evidence.and_then(|e| e.stopped_by.as_ref());
    match reach {
        Reach::NoName => Phrase::new("name does not exist"),
        Reach::PrivateAddress => Phrase::new("not globally routable, so not connected to"),
        Reach::PublicAddress => Phrase::new("published and globally routable"),
        Reach::PublicRecord => Phrase::new("published"),
        Reach::NoAnswer => Phrase::new(match door.over {
            Over::Tcp | Over::Udp | Over::Quic => "silence",
            Over::Icmp => "no reply to ping",
        }),
        Reach::Prohibited => prohibited(door, stopped_by),
        Reach::Refused => refused(door.over, stopped_by),
        Reach::Connected => connected(door, evidence).join(then(stopped_by)),
        Reach::TlsRefused => tls_refused(door.over, stopped_by),
        Reach::TlsEstablished => Phrase::new(match door.over {
            Over::Tcp | Over::Udp | Over::Icmp => "TLS handshake completes",
            Over::Quic => "QUIC handshake completes",
        })
        .join(then(stopped_by)),
        Reach::Denied | Reach::Served => match evidence.and_then(|e| e.http.as_ref()) {
            Some(http) => http_answer(door.over, http, door.denial),
            None => Phrase::new("HTTP answer"),
        },
    }
}

/// `denied by 198.51.100.1: administratively prohibited`.
fn prohibited(door: Door<'_>, stopped_by: Option<&StoppedBy>) -> Phrase {
    match stopped_by {
        Some(StoppedBy::Icmp(error)) => Phrase::new("denied by ")
            .join(sender(door, error))
            .say(format!(": {}", error.meaning())),
        Some(_) | None => Phrase::new("denied by a device on the way"),
    }
}

/// Who sent an ICMP error: the target itself, a device by its address, or one that nobody named.
#[must_use]
pub fn sender(door: Door<'_>, error: &IcmpError) -> Phrase {
    match error.from {
        Some(_) if error.is_from(door.address) => Phrase::new("the target itself"),
        Some(from) => Phrase::default().value(from),
        None => Phrase::new("a device on the way"),
    }
}

/// A reset for TCP. For UDP it is an ICMP error of the target itself; a system that does not hand
/// over who sent it leaves that open.
fn refused(over: Over, stopped_by: Option<&StoppedBy>) -> Phrase {
    Phrase::new(match (over, stopped_by) {
        (Over::Tcp, _) => "TCP reset",
        (Over::Udp | Over::Quic, Some(StoppedBy::Icmp(_))) => {
            "refused by the target itself: port unreachable"
        }
        (Over::Udp | Over::Quic, _) => "refused: port unreachable",
        (Over::Icmp, _) => "refused by the target itself",
    })
}

/// `TCP connects`, `UDP answers: "…"`, `QUIC answers with versions 1, 0x6b3343cf`, `replies to ping`.
fn connected(door: Door<'_>, evidence: Option<&Evidence>) -> Phrase {
    match door.over {
        Over::Tcp => Phrase::new("TCP connects"),
        Over::Udp if door.brief => Phrase::new("UDP answers"),
        Over::Udp => Phrase::new("UDP answers").join(says(evidence, ": ")),
        Over::Quic => match evidence.and_then(|e| e.quic.as_ref()) {
            Some(quic) if !quic.versions.is_empty() && !door.brief => {
                Phrase::new("QUIC answers with ").join(versions(quic))
            }
            Some(quic) if spoken(quic) => Phrase::new("QUIC answers"),
            Some(_) | None => Phrase::new("UDP answers"),
        },
        Over::Icmp => Phrase::new("replies to ping"),
    }
}

/// Whether what answered is QUIC.
#[must_use]
pub const fn spoken(quic: &QuicEvidence) -> bool {
    !quic.versions.is_empty() || quic.handshake || quic.closed.is_some()
}

/// `versions 1, 0x6b3343cf`.
#[must_use]
pub fn versions(quic: &QuicEvidence) -> Phrase {
    let noun = match quic.versions.len() {
        1 => "version ",
        _ => "versions ",
    };
    Phrase::new(noun).values(&quic.versions, VERSIONS)
}

/// What a UDP service says of itself, behind some words of ours.
#[must_use]
pub fn says(evidence: Option<&Evidence>, before: &str) -> Phrase {
    let answer = evidence
        .and_then(|e| e.udp.as_ref())
        .and_then(|u| u.answer.as_ref());
    match answer.and_then(|answer| answer.says.as_ref()) {
        Some(says) => Phrase::new(before).quote(says),
        None => Phrase::default(),
    }
}

/// What is sent to a UDP port, by the word in the report: a question of a protocol, the user's bytes,
/// or nothing but a datagram where no question would be answered.
#[must_use]
pub fn payload(word: &str) -> Phrase {
    if word == "hex" {
        Phrase::new("the configured bytes")
    } else if Mute::ALL.iter().any(|mute| mute.as_str() == word) {
        Phrase::new("an empty datagram")
    } else {
        Phrase::default().value(word)
    }
}

/// What speaks for a device before the target.
#[must_use]
pub const fn middlebox(sign: Middlebox) -> &'static str {
    match sign {
        Middlebox::NeverAcknowledged => "data was never acknowledged",
        Middlebox::ResetAtOnce => "a reset came right behind the handshake",
        Middlebox::EveryPortAlike => "a port where nobody would listen behaves in the same way",
    }
}

/// `server ended TLS: certificate required`.
fn tls_refused(over: Over, stopped_by: Option<&StoppedBy>) -> Phrase {
    let what = match over {
        Over::Tcp | Over::Udp | Over::Icmp => "server ended TLS",
        Over::Quic => "server ended the QUIC handshake",
    };
    match stopped_by {
        Some(StoppedBy::Alert { code, name, .. }) => {
            let words = name.replace('_', " ");
            if words.chars().all(|c| c.is_ascii_lowercase() || c == ' ') && !words.is_empty() {
                Phrase::new(format!("{what}: {words}"))
            } else {
                Phrase::new(format!("{what}: alert {code}"))
            }
        }
        Some(_) | None => Phrase::new(what),
    }
}

/// What came after the connection stood.
fn then(stopped_by: Option<&StoppedBy>) -> Phrase {
    match stopped_by {
        None => Phrase::default(),
        Some(StoppedBy::Silence) => Phrase::new(", then silence"),
        Some(StoppedBy::Reset) => Phrase::new(", then a reset"),
        Some(StoppedBy::Closed) => Phrase::new(", then closed without a word"),
        Some(StoppedBy::Icmp(error)) => Phrase::new(", then ").value(error),
        Some(StoppedBy::Alert {
            code,
            name,
            before_hello,
            ..
        }) => {
            let phrase = Phrase::new(", then TLS alert ")
                .value(name)
                .say(format!(" ({code})"));
            if *before_hello {
                phrase.say(" in the clear, before the server's hello")
            } else {
                phrase
            }
        }
        Some(StoppedBy::NotTls { first_bytes }) => {
            Phrase::new(", then no TLS: ").quote(first_bytes)
        }
        Some(StoppedBy::TlsIncompatible { detail }) => {
            Phrase::new(", then TLS that could not be spoken to its end: ").quote(detail)
        }
        Some(StoppedBy::NotHttp { first_bytes }) => {
            Phrase::new(", then no HTTP: ").quote(first_bytes)
        }
        Some(StoppedBy::HttpError { detail }) => {
            Phrase::new(", then an error of HTTP: ").quote(detail)
        }
        Some(StoppedBy::Errno { errno, text }) => {
            Phrase::new(format!(", then error {errno}: ")).quote(text)
        }
    }
}

/// `HTTP 200`, and over QUIC `HTTP 200 over HTTP/3`.
fn status(over: Over, http: &HttpEvidence) -> String {
    match over {
        Over::Tcp | Over::Udp | Over::Icmp => format!("HTTP {}", http.status),
        Over::Quic => format!("HTTP {} over HTTP/3", http.status),
    }
}

/// `HTTP 403 with server: awselb/2.0`, `HTTP 302 to https://…`, `HTTP 200, title "…"`.
fn http_answer(over: Over, http: &HttpEvidence, denial: Option<&Denial>) -> Phrase {
    let mut phrase = Phrase::new(status(over, http));
    if http.plain_on_tls {
        phrase = phrase.say(" in plain text on the TLS port");
    }
    let asked = denial.map_or(&[][..], |d| d.http.header.as_slice());
    if let Some((name, value)) = header_of(http, asked.iter().map(|(name, _)| name.as_str())) {
        return phrase.say(" with ").value(name).say(": ").quote(value);
    }
    if let Some((_, location)) = header_of(http, ["location"].into_iter()) {
        return phrase.say(" to ").quote(location);
    }
    if let Some(title) = &http.title {
        return phrase.say(", title ").quote(title);
    }
    match header_of(http, ["server"].into_iter()) {
        Some((name, value)) => phrase.say(" with ").value(name).say(": ").quote(value),
        None => phrase,
    }
}

fn header_of<'a>(
    http: &'a HttpEvidence,
    mut names: impl Iterator<Item = &'a str>,
) -> Option<(&'a str, &'a str)> {
    names.find_map(|wanted| {
        let (name, value) = http.headers.iter().find(|(name, _)| name == wanted)?;
        Some((name.as_str(), value.as_str()))
    })
}

/// The value of a header, if it was kept.
#[must_use]
pub fn header<'a>(http: &'a HttpEvidence, name: &'a str) -> Option<&'a str> {
    header_of(http, [name].into_iter()).map(|(_, value)| value)
}

/// An endpoint's address and port, without the transport's name.
#[must_use]
pub fn place(endpoint: &Endpoint) -> String {
    endpoint.place()
}

/// `, 3 attempts`, or nothing where there was none.
#[must_use]
pub fn tries(endpoint: &EndpointReport) -> String {
    match endpoint.attempts.len() {
        0 => String::new(),
        many => format!(", {}", count(many, "attempt")),
    }
}
