//! One line a finding: what stopped the outsider, or how far he got, or why nobody can tell.

use super::door::{Door, Over};
use super::name;
use super::phrase::{Phrase, count};
use super::saw;
use super::stop::{Stop, stop};
use super::withheld;
use crate::domain::address::is_global;
use crate::domain::endpoint::Transport;
use crate::domain::finding::{EndpointReport, Finding, NameVerdict};
use crate::domain::observation::{Blind, Evidence};
use crate::domain::rank::Rank;
use crate::domain::reach::Reach;
use crate::domain::target::Denial;
use crate::domain::verdict::{Reason, RestsOn, Verdict};
use crate::domain::way::PortProof;

/// How many different stops are told one by one.
const STOPS: usize = 4;

/// The line for a whole finding. A companion is in it only where it is an exposure. Where a waiver takes
/// the exposure out, and something beside it could not be observed, that is what the line is about.
#[must_use]
pub fn finding(finding: &Finding) -> Phrase {
    if finding.withheld {
        return withheld::headline(finding);
    }
    let endpoints: Vec<&EndpointReport> = finding.counted().collect();
    let names: Vec<&NameVerdict> = finding.name_verdicts.iter().collect();
    let say = |verdict, reason| parts(finding, verdict, reason, &endpoints, &names);
    match finding.rank() {
        Rank::Inconclusive if finding.verdict == Verdict::Exposed => match finding.doubt() {
            Some(reason) => say(Verdict::Inconclusive, reason),
            None => Phrase::new("not every family that is watched could be looked at"),
        }
        .say("; what is open beside it is waived"),
        Rank::Exposed | Rank::Waived | Rank::Inconclusive | Rank::Blocked => {
            say(finding.verdict, &finding.reason)
        }
    }
}

/// The line for some of a finding's parts.
#[must_use]
pub fn parts(
    finding: &Finding,
    verdict: Verdict,
    reason: &Reason,
    endpoints: &[&EndpointReport],
    names: &[&NameVerdict],
) -> Phrase {
    match verdict {
        Verdict::Exposed => exposed(finding, reason, endpoints, names),
        Verdict::Inconclusive => inconclusive(finding, reason, endpoints, names),
        Verdict::Blocked => blocked(finding, endpoints, names),
    }
}

/// The endpoints with a verdict, furthest reach first, else in their order.
#[must_use]
pub fn with_verdict<'a>(
    endpoints: &[&'a EndpointReport],
    verdict: Verdict,
) -> Vec<&'a EndpointReport> {
    let mut found: Vec<&EndpointReport> = endpoints
        .iter()
        .copied()
        .filter(|e| e.verdict == verdict)
        .collect();
    found.sort_by_key(|e| std::cmp::Reverse(e.reach));
    found
}

fn exposed(
    finding: &Finding,
    reason: &Reason,
    endpoints: &[&EndpointReport],
    names: &[&NameVerdict],
) -> Phrase {
    let found = with_verdict(endpoints, Verdict::Exposed);
    let Some(worst) = found.first() else {
        return exposed_name(finding, reason, names);
    };
    let place = saw::place(&worst.endpoint);
    let door = Door::of(finding, &worst.endpoint);
    // Past the barrier is not the same as weaker than promised.
    let alike = found.iter().filter(|e| e.reason == worst.reason).count();
    let seen = || saw::endpoint(door, worst);
    // Where, and then what there is to say of it: how many more there are stands between them.
    let (phrase, tail) = if worst.reason == Reason::WeakerThanPromised {
        let from = match (door.over, worst.reach) {
            (Over::Tcp, Some(Reach::Refused)) => " from ",
            _ => " at ",
        };
        let tail = weaker(&finding.target.denial);
        (seen().say(from).value(place), tail)
    } else {
        match worst.reach {
            Some(Reach::PublicAddress) => {
                return name::name(finding, is_global).say(", open to the internet");
            }
            Some(Reach::Connected) => accepts(door, worst, alike),
            Some(Reach::TlsRefused) => {
                let (phrase, tail) = accepts(door, worst, alike);
                (phrase, tail.say("; ").join(seen()))
            }
            Some(
                Reach::NoName
                | Reach::PrivateAddress
                | Reach::PublicRecord
                | Reach::NoAnswer
                | Reach::Prohibited
                | Reach::Refused
                | Reach::TlsEstablished
                | Reach::Denied
                | Reach::Served,
            )
            | None => (seen().say(" at ").value(place), Phrase::default()),
        }
    };
    let phrase = match alike {
        0 | 1 => phrase,
        many => phrase.say(format!(" and {}", more(many - 1))),
    };
    let phrase = phrase.join(tail).join(beside(finding, worst));
    match found.len().checked_sub(alike) {
        Some(0) | None => phrase,
        Some(others) => phrase.say(format!("; {} exposed otherwise", more(others))),
    }
}

/// `: UDP 443 is open beside TCP 443`, for what nobody declared and everybody forgets. Of a stop that was
/// not promised, only where it was.
fn beside(finding: &Finding, endpoint: &EndpointReport) -> Phrase {
    let port = match endpoint.endpoint.port {
        Some(port) if endpoint.companion => port,
        _ => return Phrase::default(),
    };
    if endpoint.reason == Reason::WeakerThanPromised {
        return Phrase::new(format!(" (UDP {port} beside TCP {port})"));
    }
    let mut declared = finding.endpoints.iter().filter(|e| {
        e.endpoint.transport == Transport::Tcp && e.endpoint.address == endpoint.endpoint.address
    });
    Phrase::new(if declared.any(|tcp| tcp.verdict == Verdict::Blocked) {
        format!(": UDP {port} is open, where TCP {port} is not")
    } else {
        format!(": UDP {port} is open beside TCP {port}")
    })
}

/// The name alone is the exposure: only the addresses that make it one are told.
fn exposed_name(finding: &Finding, reason: &Reason, names: &[&NameVerdict]) -> Phrase {
    let mut exposed = names.iter().filter(|n| n.verdict == Verdict::Exposed);
    let public = exposed.any(|n| n.reach == Some(Reach::PublicAddress));
    let phrase = name::name(finding, |address| !public || is_global(address));
    if *reason == Reason::WeakerThanPromised {
        phrase.join(weaker(&finding.target.denial))
    } else {
        phrase.say(", which the promise rules out")
    }
}

/// `TCP 22 accepts connections at 192.0.2.1`, `UDP 53 answers at 192.0.2.1`, `192.0.2.1`; and what there
/// is to say of it and its likes, `many` in all, such as `, banner "SSH-2.0-…"` or ` replies to ping`.
fn accepts(door: Door<'_>, endpoint: &EndpointReport, many: usize) -> (Phrase, Phrase) {
    let evidence = saw::evidence(endpoint);
    let what = match (door.over, endpoint.endpoint.port) {
        (Over::Icmp, _) | (_, None) => {
            let tail = match many {
                0 | 1 => " replies to ping",
                _ => " reply to ping",
            };
            return (Phrase::default().value(door.address), Phrase::new(tail));
        }
        (Over::Tcp, Some(port)) => format!("TCP {port} accepts connections at "),
        (Over::Quic, Some(port)) if evidence.is_some_and(speaks_quic) => {
            format!("UDP {port} speaks QUIC at ")
        }
        (Over::Udp | Over::Quic, Some(port)) => format!("UDP {port} answers at "),
    };
    let tcp = evidence.and_then(|e| e.tcp.as_ref());
    let tail = match (door.over, tcp) {
        (Over::Tcp, Some(tcp)) if !tcp.middlebox.is_empty() => {
            Phrase::new(", possibly a middlebox")
        }
        (Over::Tcp, Some(tcp)) => match &tcp.banner {
            // The line's end is no news.
            Some(banner) => Phrase::new(", banner ")
                .quote(banner.trim_end_matches("\\n").trim_end_matches("\\r")),
            None => Phrase::default(),
        },
        (Over::Udp, _) => saw::says(evidence, ": "),
        (Over::Tcp | Over::Quic | Over::Icmp, _) => Phrase::default(),
    };
    (Phrase::new(what).value(door.address), tail)
}

fn speaks_quic(evidence: &Evidence) -> bool {
    evidence.quic.as_ref().is_some_and(saw::spoken)
}

fn more(number: usize) -> String {
    if number == 1 {
        "1 more endpoint".to_owned()
    } else {
        format!("{number} more endpoints")
    }
}

/// `: weaker than promised, only no_answer counts`.
fn weaker(denial: &Denial) -> Phrase {
    let stops: Vec<Reach> = denial.stops.iter().copied().collect();
    Phrase::new(": weaker than promised, only ")
        .values(&stops, 4)
        .say(if stops.len() == 1 {
            " counts"
        } else {
            " count"
        })
}

/// What was seen, and why it does not count: `silence at 52.28.8.8:5671, but control …`.
fn inconclusive(
    finding: &Finding,
    reason: &Reason,
    endpoints: &[&EndpointReport],
    names: &[&NameVerdict],
) -> Phrase {
    // Where the name is what could not be seen, whoever kept it back is worth more than an address.
    if let Reason::Blind { cause } = reason
        && names.iter().any(|name| name.reason == *reason)
    {
        return why(reason).join(name::silent(finding, *cause));
    }
    let found = with_verdict(endpoints, Verdict::Inconclusive);
    let Some(worst) = found
        .iter()
        .find(|e| e.reason == *reason)
        .or_else(|| found.first())
    else {
        return why(reason);
    };
    let mut place = Phrase::new(" at ").value(saw::place(&worst.endpoint));
    if let Some(others @ 1..) = found.len().checked_sub(1) {
        place = place.say(format!(" and {}", more(others)));
    }
    let seen = || saw::endpoint(Door::of(finding, &worst.endpoint), worst);
    match reason {
        // Nothing was seen.
        Reason::Blind {
            cause: Blind::ResolverWithholds,
        } => {
            let word = name::on_the_word_of(finding, worst.endpoint.address);
            why(reason).join(place).join(word)
        }
        Reason::Blind { .. } => why(reason).join(place),
        Reason::Throttled => seen()
            .join(place)
            .say(", which tells about this vantage and not about the target"),
        Reason::Challenged => seen()
            .join(place)
            .say(", a bot challenge, which tells about this vantage and not about the target"),
        Reason::Filtered => seen()
            .join(place)
            .say(", with the page of a web filter or proxy, which may be this network's own"),
        Reason::ForeignCertificate => seen()
            .join(place)
            .say(", with a certificate that does not cover the name")
            .join(names_shown(worst)),
        Reason::NoDenialSeen => seen().join(place).say(", and no denial at the barrier"),
        Reason::SilenceTellsNothing { because } => seen()
            .join(place)
            .say(format!(", which tells nothing here: {because}")),
        Reason::Stopped
        | Reason::PastBarrier
        | Reason::WeakerThanPromised
        | Reason::NameGone
        | Reason::NoControl { .. }
        | Reason::ControlLost { .. }
        | Reason::PortUnproven { .. }
        | Reason::ControlOnOtherWay { .. }
        | Reason::ControlTooNear { .. }
        | Reason::ControlDoubtful { .. }
        | Reason::ControlNotBetween { .. }
        | Reason::TooFast
        | Reason::Inside { .. }
        | Reason::NotProvenOutside { .. }
        | Reason::NotLookedAt { .. }
        | Reason::Withheld
        | Reason::ResolverInvents => seen().join(place).say(", but ").join(why(reason)),
    }
}

/// The names in the certificate that somebody denied with.
fn names_shown(endpoint: &EndpointReport) -> Phrase {
    let evidence = endpoint.attempts.iter().filter_map(|a| a.evidence.as_ref());
    let mut certificates = evidence
        .filter_map(|e| e.tls.as_ref())
        .filter_map(|tls| tls.certificate.as_ref());
    match certificates.next() {
        Some(certificate) if !certificate.names.is_empty() => {
            let names: Vec<&str> = certificate.names.iter().map(String::as_str).collect();
            Phrase::new(" (it is for ").values(&names, 3).say(")")
        }
        Some(_) | None => Phrase::default(),
    }
}

/// Why something is what it is, with the names in it marked as such.
#[must_use]
pub fn why(reason: &Reason) -> Phrase {
    match reason {
        Reason::ControlLost { control } => Phrase::new("control ")
            .value(control)
            .say(" was not reached throughout"),
        Reason::ControlOnOtherWay { control } => Phrase::new("control ")
            .value(control)
            .say(" is reached by another way out of this machine"),
        Reason::ControlTooNear { control } => Phrase::new("control ").value(control).say(
            " stands on this machine or in its own network, and proves nothing about the way beyond",
        ),
        Reason::ControlDoubtful { control } => Phrase::new("control ")
            .value(control)
            .say(" lost packets while the targets were tried, and only then"),
        Reason::ControlNotBetween { control } => Phrase::new("control ")
            .value(control)
            .say(" was not tried between the first attempt and the last"),
        Reason::Inside { reached } => Phrase::new("")
            .value(reached)
            .say(", which only insiders reach, was reached: this vantage is inside"),
        Reason::NotProvenOutside { unproven } => {
            Phrase::new("whether this vantage is outside is not known: ")
                .value(unproven)
                .say(", which only insiders reach, could not be looked at")
        }
        Reason::NotLookedAt { from } => {
            Phrase::new("blocked wherever it was looked at, and nobody looked from ").value(from)
        }
        Reason::Stopped
        | Reason::PastBarrier
        | Reason::WeakerThanPromised
        | Reason::NameGone
        | Reason::NoDenialSeen
        | Reason::Throttled
        | Reason::Challenged
        | Reason::NoControl { .. }
        | Reason::PortUnproven { .. }
        | Reason::TooFast
        | Reason::Filtered
        | Reason::ForeignCertificate
        | Reason::ResolverInvents
        | Reason::SilenceTellsNothing { .. }
        | Reason::Withheld
        | Reason::Blind { .. } => Phrase::new(reason.to_string()),
    }
}

fn blocked(finding: &Finding, endpoints: &[&EndpointReport], names: &[&NameVerdict]) -> Phrase {
    // How often each; not where it names its own address.
    let mut stops: Vec<(Stop, Option<usize>)> = Vec::new();
    for endpoint in endpoints {
        let stop = stop(finding, endpoint);
        let private = endpoint.reach == Some(Reach::PrivateAddress);
        match stops.iter_mut().find(|(known, _)| known.is_like(&stop)) {
            Some((known, number)) => {
                known.add(stop);
                *number = number.map(|n| n.saturating_add(1));
            }
            None => stops.push((stop, (!private).then_some(1))),
        }
    }
    let mut phrase = Phrase::default();
    let mut basis = Vec::new();
    if !names.is_empty() {
        phrase = phrase.join(name::name(finding, |_| true));
        basis.push(Phrase::new(name::agreement(finding)));
    }
    let several = stops.len() > 1;
    let left_out = stops.split_off(stops.len().min(STOPS));
    for (stop, number) in stops {
        if !phrase.is_empty() {
            phrase = phrase.say("; ");
        }
        phrase = phrase.join(stop.say());
        if let Some(number) = number.filter(|_| several) {
            phrase = phrase.say(format!(" at {number}"));
        }
    }
    if !left_out.is_empty() {
        let number = left_out.iter().map(|(_, number)| number.unwrap_or(1)).sum();
        phrase = phrase.say(format!(
            "; {} stopped otherwise",
            count(number, "more endpoint")
        ));
    }
    if !endpoints.is_empty() {
        basis.push(Phrase::new(count(endpoints.len(), "endpoint")));
        let attempts: usize = endpoints.iter().map(|e| e.attempts.len()).sum();
        if attempts > 0 {
            basis.push(Phrase::new(count(attempts, "attempt")));
        }
    }
    let of_endpoints = endpoints.iter().filter_map(|e| e.rests_on.as_ref());
    let of_names = names.iter().filter_map(|n| n.rests_on.as_ref());
    basis.extend(controls(of_endpoints.chain(of_names)));
    basis.extend(assumed(endpoints));
    let mut basis = basis.into_iter();
    if let Some(first) = basis.next() {
        phrase = phrase.say(" (").join(first);
        for next in basis {
            phrase = phrase.say(", ").join(next);
        }
        phrase = phrase.say(")");
    }
    phrase
}

/// `control www.example.com:443 answered`, and where.
fn controls<'a>(rests: impl Iterator<Item = &'a RestsOn>) -> Option<Phrase> {
    let mut names: Vec<&str> = Vec::new();
    let mut own_path = true;
    for rests_on in rests {
        own_path &= rests_on.own_path;
        if !names.contains(&rests_on.control.as_str()) {
            names.push(&rests_on.control);
        }
    }
    let noun = match names.len() {
        0 => return None,
        1 => "control ",
        _ => "controls ",
    };
    let phrase = Phrase::new(noun).values(&names, 3).say(" answered");
    Some(if own_path {
        phrase.say(" on the same path")
    } else {
        phrase
    })
}

/// `port 22 assumed open on the way out`: what nothing proved is never left unsaid.
fn assumed(endpoints: &[&EndpointReport]) -> Option<Phrase> {
    let mut ports: Vec<String> = Vec::new();
    for endpoint in endpoints {
        let assumed = |rests_on: &RestsOn| rests_on.port == PortProof::Assumed;
        if let Some(port) = endpoint.endpoint.port
            && endpoint.rests_on.as_ref().is_some_and(assumed)
            && !ports.contains(&port.to_string())
        {
            ports.push(port.to_string());
        }
    }
    let noun = match ports.len() {
        0 => return None,
        1 => "port ",
        _ => "ports ",
    };
    let ports: Vec<&str> = ports.iter().map(String::as_str).collect();
    Some(
        Phrase::new(noun)
            .values(&ports, 3)
            .say(" assumed open on the way out"),
    )
}
