//! What one attempt told besides how far it got, and what all attempts told about devices on the way.

use super::door::{Door, Over};
use super::facts::Fact;
use super::phrase::{Phrase, count};
use super::saw;
use crate::domain::finding::{EndpointReport, Finding};
use crate::domain::observation::{
    Attempt, HttpEvidence, IcmpError, Middlebox, Outcome, QuicEvidence, StoppedBy, TlsEvidence,
    UdpAnswer, UdpEvidence,
};
use crate::domain::payload::Protocol;
use crate::domain::reach::Reach;

/// How many names, devices or versions are shown.
const MANY: usize = 6;

/// Everything that an attempt told.
#[must_use]
pub fn of(door: Door<'_>, attempt: &Attempt) -> Vec<Fact> {
    let mut facts = Vec::new();
    let Some(evidence) = attempt.evidence.as_deref() else {
        return facts;
    };
    if let Some(banner) = evidence.tcp.as_ref().and_then(|tcp| tcp.banner.as_ref()) {
        facts.push(Fact::one("banner", Phrase::default().quote(banner)));
    }
    // The datagrams of QUIC say nothing to a reader where QUIC itself does.
    let understood = evidence.quic.as_ref().is_some_and(saw::spoken);
    if let Some(udp) = &evidence.udp {
        facts.push(sent(udp));
        let answer = udp.answer.as_ref().filter(|_| !understood);
        facts.extend(answer.map(|answer| datagram(door.over, &udp.payload, answer)));
    }
    facts.extend(evidence.quic.as_ref().and_then(quic_fact));
    facts.extend(evidence.http.as_ref().map(answer));
    facts.extend(evidence.tls.as_ref().and_then(tls_fact));
    facts
}

/// What was sent over UDP, and how often.
fn sent(udp: &UdpEvidence) -> Fact {
    let often = count(udp.sent as usize, "datagram");
    let sent = saw::payload(&udp.payload).say(format!(", {often}"));
    Fact::one("sent", sent)
}

/// `48 bytes, as ntp answers`, what it says, and its first bytes where that is not enough.
fn datagram(over: Over, payload: &str, answer: &UdpAnswer) -> Fact {
    let size = Phrase::new(count(answer.bytes as usize, "byte"));
    let mut protocols = Protocol::ALL.into_iter();
    let known = over == Over::Udp && protocols.any(|own| own.as_str() == payload);
    let mut lines = vec![match (known, answer.expected) {
        (true, true) => size.say(", as ").value(payload).say(" answers"),
        (true, false) => size.say(", not an answer of ").value(payload),
        (false, _) => size,
    }];
    if let Some(says) = &answer.says {
        lines.push(Phrase::new("says ").quote(says));
    }
    if answer.says.is_none() || !answer.expected {
        lines.push(Phrase::new("begins with ").quote(&answer.first_bytes));
    }
    Fact {
        label: "answer",
        lines,
    }
}

/// The versions that a QUIC server offers, and how it ended the connection.
fn quic_fact(quic: &QuicEvidence) -> Option<Fact> {
    let mut lines = Vec::new();
    if !quic.versions.is_empty() {
        lines.push(Phrase::new("offers ").join(saw::versions(quic)));
    }
    if quic.handshake {
        lines.push(Phrase::new("the handshake completes"));
    }
    if let Some(closed) = &quic.closed {
        lines.push(Phrase::new("closed by the other side: ").quote(closed));
    }
    (!lines.is_empty()).then_some(Fact {
        label: "QUIC",
        lines,
    })
}

/// Status, title, where it leads and who answers.
fn answer(http: &HttpEvidence) -> Fact {
    let mut lines = vec![
        Phrase::new("status ")
            .value(http.status)
            .say(" over ")
            .value(&http.version),
    ];
    if let Some(title) = &http.title {
        lines.push(Phrase::new("title ").quote(title));
    }
    for name in ["location", "www-authenticate", "server", "via"] {
        if let Some(value) = saw::header(http, name) {
            lines.push(Phrase::new(format!("{name}: ")).quote(value));
        }
    }
    if let Some(filter) = &http.filter {
        lines.push(Phrase::new("a page of ").value(filter));
    }
    if let Some(unmet) = &http.unmet {
        lines.push(Phrase::new("not the promised denial: ").quote(unmet));
    }
    Fact {
        label: "answer",
        lines,
    }
}

fn tls_fact(tls: &TlsEvidence) -> Option<Fact> {
    let mut lines = Vec::new();
    if let Some(certificate) = &tls.certificate {
        if certificate.names.is_empty() {
            lines.push(Phrase::new("subject ").quote(&certificate.subject));
        } else {
            lines.push(Phrase::new("names ").values(&certificate.names, MANY));
        }
        let mut issuer = Phrase::new("issued by ").quote(&certificate.issuer);
        if let Some(not_after) = &certificate.not_after {
            issuer = issuer.say(", valid to ").value(not_after);
        }
        lines.push(issuer);
        let flaws = certificate.flaws.iter();
        lines.extend(flaws.map(|flaw| Phrase::new(flaw.to_string())));
    }
    if tls.certificate_requested {
        lines.push(Phrase::new("the server asked for a client certificate"));
    }
    (!lines.is_empty()).then_some(Fact {
        label: "certificate",
        lines,
    })
}

/// Who denied, over all attempts at some endpoints: each device with the type and code of what it
/// sent, and at how many of the endpoints.
#[must_use]
pub fn deniers(finding: &Finding, endpoints: &[&EndpointReport]) -> Option<Fact> {
    let mut devices: Vec<(Phrase, usize)> = Vec::new();
    for endpoint in endpoints {
        let door = Door::of(finding, &endpoint.endpoint);
        let mut own: Vec<Phrase> = Vec::new();
        for device in endpoint.attempts.iter().filter_map(denial) {
            let line = saw::sender(door, device).say(format!(": {}", kind(device)));
            if !own.contains(&line) {
                own.push(line);
            }
        }
        for line in own {
            match devices.iter_mut().find(|(known, _)| *known == line) {
                Some((_, number)) => *number = number.saturating_add(1),
                None => devices.push((line, 1)),
            }
        }
    }
    let left_out = devices.split_off(devices.len().min(MANY));
    let several = endpoints.len() > 1;
    let mut lines: Vec<Phrase> = devices
        .into_iter()
        .map(|(line, number)| {
            if several {
                line.say(format!(", at {}", count(number, "endpoint")))
            } else {
                line
            }
        })
        .collect();
    if !left_out.is_empty() {
        lines.push(Phrase::new(format!("and {} more", left_out.len())));
    }
    (!lines.is_empty()).then_some(Fact {
        label: "denied by",
        lines,
    })
}

/// The ICMP error that stopped an attempt. What this machine itself sent stopped nobody.
fn denial(attempt: &Attempt) -> Option<&IcmpError> {
    match attempt.outcome {
        Outcome::Reached(Reach::Prohibited | Reach::Refused) => {}
        Outcome::Reached(_) | Outcome::Blind(_) => return None,
    }
    match &attempt.evidence.as_ref()?.stopped_by {
        Some(StoppedBy::Icmp(error)) => Some(error),
        Some(_) | None => None,
    }
}

/// `administratively prohibited (ICMP type 3 code 13)`.
fn kind(error: &IcmpError) -> String {
    let anonymous = IcmpError {
        from: None,
        ..error.clone()
    };
    anonymous.to_string()
}

/// What speaks for a device before the target, over all attempts at some endpoints.
#[must_use]
pub fn middlebox(endpoints: &[&EndpointReport]) -> Option<Fact> {
    let mut signs: Vec<Middlebox> = Vec::new();
    for attempt in endpoints.iter().flat_map(|e| &e.attempts) {
        let tcp = attempt.evidence.as_ref().and_then(|e| e.tcp.as_ref());
        for sign in tcp.iter().flat_map(|tcp| &tcp.middlebox) {
            if !signs.contains(sign) {
                signs.push(*sign);
            }
        }
    }
    let lines: Vec<Phrase> = signs
        .into_iter()
        .map(|sign| Phrase::new(saw::middlebox(sign)))
        .collect();
    (!lines.is_empty()).then_some(Fact {
        label: "middlebox",
        lines,
    })
}
