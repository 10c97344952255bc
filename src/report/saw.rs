//! What an attempt and an endpoint saw, in words. Facts only; whether they are good or bad is said
//! elsewhere.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::phrase::{Phrase, count};
use crate::domain::endpoint::Endpoint;
use crate::domain::finding::{EndpointReport, Finding, NameAnswer};
use crate::domain::observation::{Attempt, Evidence, HttpEvidence, Outcome, StoppedBy};
use crate::domain::reach::Reach;
use crate::domain::target::Denial;

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

/// The HTTP answer that says most about an endpoint, if there was one.
#[must_use]
pub fn http(endpoint: &EndpointReport) -> Option<&HttpEvidence> {
    telling(endpoint)?.evidence.as_deref()?.http.as_ref()
}

/// The same in few words, where the HTTP answer is told elsewhere.
#[must_use]
pub fn brief(endpoint: &EndpointReport) -> Phrase {
    match http(endpoint) {
        Some(http) => Phrase::new(format!("HTTP {}", http.status)),
        None => self::endpoint(endpoint, None),
    }
}

/// What was seen at an endpoint, without its address: `silence`, `TCP reset`, `HTTP 403 …`.
#[must_use]
pub fn endpoint(endpoint: &EndpointReport, denial: Option<&Denial>) -> Phrase {
    match telling(endpoint) {
        Some(attempt) => outcome(attempt, denial),
        None => match endpoint.reach {
            Some(reach) => rung(reach, None, None),
            None => Phrase::new("not tried"),
        },
    }
}

/// What an attempt saw. With a denial, the headers that it asks for are shown.
#[must_use]
pub fn outcome(attempt: &Attempt, denial: Option<&Denial>) -> Phrase {
    let evidence = attempt.evidence.as_deref();
    match attempt.outcome {
        Outcome::Reached(reach) => rung(reach, evidence, denial),
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

fn rung(reach: Reach, evidence: Option<&Evidence>, denial: Option<&Denial>) -> Phrase {
    let stopped_by = evidence.and_then(|e| e.stopped_by.as_ref());
    match reach {
        Reach::NoName => Phrase::new("name does not exist"),
        Reach::PrivateAddress => Phrase::new("not globally routable, so not connected to"),
        Reach::PublicAddress => Phrase::new("published and globally routable"),
        Reach::PublicRecord => Phrase::new("published"),
        Reach::NoAnswer => Phrase::new("silence"),
        Reach::Prohibited => prohibited(stopped_by),
        Reach::Refused => Phrase::new("TCP reset"),
        Reach::Connected => Phrase::new("TCP connects").join(then(stopped_by)),
        Reach::TlsRefused => tls_refused(stopped_by),
        Reach::TlsEstablished => Phrase::new("TLS handshake completes").join(then(stopped_by)),
        Reach::Denied | Reach::Served => match evidence.and_then(|e| e.http.as_ref()) {
            Some(http) => http_answer(http, denial),
            None => Phrase::new("HTTP answer"),
        },
    }
}

/// `denied by 198.51.100.1: administratively prohibited`.
fn prohibited(stopped_by: Option<&StoppedBy>) -> Phrase {
    match stopped_by {
        Some(StoppedBy::Icmp(error)) => match error.from {
            Some(from) => Phrase::new("denied by ").value(from),
            None => Phrase::new("denied by a device on the way"),
        }
        .say(format!(": {}", error.meaning())),
        Some(_) | None => Phrase::new("denied by a device on the way"),
    }
}

/// `server ended TLS: certificate required`.
fn tls_refused(stopped_by: Option<&StoppedBy>) -> Phrase {
    match stopped_by {
        Some(StoppedBy::Alert { code, name, .. }) => {
            let words = name.replace('_', " ");
            if words.chars().all(|c| c.is_ascii_lowercase() || c == ' ') && !words.is_empty() {
                Phrase::new(format!("server ended TLS: {words}"))
            } else {
                Phrase::new(format!("server ended TLS: alert {code}"))
            }
        }
        Some(_) | None => Phrase::new("server ended TLS"),
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
        Some(StoppedBy::Alert { code, name, .. }) => Phrase::new(", then TLS alert ")
            .value(name)
            .say(format!(" ({code})")),
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

/// `HTTP 403 with server: awselb/2.0`, `HTTP 302 to https://…`, `HTTP 200, title "…"`.
fn http_answer(http: &HttpEvidence, denial: Option<&Denial>) -> Phrase {
    let mut phrase = Phrase::new(format!("HTTP {}", http.status));
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

/// What the resolvers said about the name, with the addresses that are wanted: `name does not exist`.
#[must_use]
pub fn name(finding: &Finding, wanted: impl Fn(IpAddr) -> bool) -> Phrase {
    let mut addresses = Vec::new();
    let (mut nxdomain, mut other) = (0_usize, 0_usize);
    for query in finding.name.iter().flat_map(|name| &name.queries) {
        match &query.answer {
            NameAnswer::Addresses(found) => {
                addresses.extend(found.iter().copied().filter(|address| wanted(*address)));
            }
            NameAnswer::NxDomain => nxdomain += 1,
            NameAnswer::NoData | NameAnswer::Records(_) | NameAnswer::Blind(_) => other += 1,
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    if !addresses.is_empty() {
        Phrase::new("name leads to ").values(&addresses, 6)
    } else if nxdomain > 0 && other == 0 {
        Phrase::new("name does not exist")
    } else {
        Phrase::new("name has no address")
    }
}

/// How many resolvers that rests on: `2 resolvers agree`, or only `2 resolvers asked` where their
/// answers differ.
#[must_use]
pub fn agreement(finding: &Finding) -> String {
    let mut answers: BTreeMap<&str, Vec<(&str, NameAnswer)>> = BTreeMap::new();
    for query in finding.name.iter().flat_map(|name| &name.queries) {
        let mut answer = query.answer.clone();
        if let NameAnswer::Addresses(addresses) = &mut answer {
            // Resolvers turn them round.
            addresses.sort_unstable();
            addresses.dedup();
        }
        let own = answers.entry(&query.resolver).or_default();
        own.push((query.record.as_str(), answer));
    }
    for own in answers.values_mut() {
        own.sort_by_key(|(record, _)| *record);
    }
    let mut all = answers.values();
    let first = all.next();
    let agree = all.all(|own| Some(own) == first);
    match answers.len() {
        0 | 1 => "1 resolver asked".to_owned(),
        many if agree => format!("{many} resolvers agree"),
        many => format!("{many} resolvers asked"),
    }
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
