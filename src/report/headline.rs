//! One line a finding: what stopped the outsider, or how far he got, or why nobody can tell.

use super::phrase::{Phrase, count};
use super::saw;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Endpoint, Transport};
use crate::domain::finding::{EndpointReport, Finding, NameVerdict, Note};
use crate::domain::reach::{Layer, Reach};
use crate::domain::target::{Barrier, Denial};
use crate::domain::verdict::{Reason, RestsOn, Verdict};

/// The line for a whole finding.
#[must_use]
pub fn finding(finding: &Finding) -> Phrase {
    let endpoints: Vec<&EndpointReport> = finding.endpoints.iter().collect();
    let names: Vec<&NameVerdict> = finding.name_verdicts.iter().collect();
    parts(
        finding,
        finding.verdict,
        &finding.reason,
        &endpoints,
        &names,
    )
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
        Verdict::Inconclusive => inconclusive(finding, reason, endpoints),
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
    let seen = || saw::endpoint(worst, Some(&finding.target.denial));
    let phrase = if worst.reason == Reason::WeakerThanPromised {
        seen()
            .say(" from ")
            .value(place)
            .join(weaker(&finding.target.denial))
    } else {
        match worst.reach {
            Some(Reach::PublicAddress) => {
                saw::name(finding, is_global).say(", open to the internet")
            }
            Some(Reach::Connected) => accepts(&worst.endpoint),
            Some(Reach::TlsRefused) => accepts(&worst.endpoint).say("; ").join(seen()),
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
            | None => seen().say(" at ").value(place),
        }
    };
    match found.len() {
        0 | 1 => phrase,
        _ if worst.reach == Some(Reach::PublicAddress) => phrase,
        many => phrase.say(format!(" and {}", more(many - 1))),
    }
}

/// The name alone is the exposure: only the addresses that make it one are told.
fn exposed_name(finding: &Finding, reason: &Reason, names: &[&NameVerdict]) -> Phrase {
    let mut exposed = names.iter().filter(|n| n.verdict == Verdict::Exposed);
    let public = exposed.any(|n| n.reach == Some(Reach::PublicAddress));
    let phrase = saw::name(finding, |address| !public || is_global(address));
    if *reason == Reason::WeakerThanPromised {
        phrase.join(weaker(&finding.target.denial))
    } else {
        phrase.say(", which the promise rules out")
    }
}

/// `TCP 5432 accepts connections at 192.0.2.1`, `192.0.2.1 replies to ping`.
fn accepts(endpoint: &Endpoint) -> Phrase {
    match (endpoint.transport, endpoint.port) {
        (Transport::Icmp, _) | (_, None) => Phrase::new("")
            .value(endpoint.address)
            .say(" replies to ping"),
        (Transport::Tcp, Some(port)) => {
            Phrase::new(format!("TCP {port} accepts connections at ")).value(endpoint.address)
        }
        (Transport::Udp, Some(port)) => {
            Phrase::new(format!("UDP {port} answers at ")).value(endpoint.address)
        }
    }
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
fn inconclusive(finding: &Finding, reason: &Reason, endpoints: &[&EndpointReport]) -> Phrase {
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
    let seen = || saw::endpoint(worst, Some(&finding.target.denial));
    match reason {
        // Nothing was seen.
        Reason::Blind { .. } => why(reason).join(place),
        Reason::Throttled => seen()
            .join(place)
            .say(", which tells about this vantage and not about the target"),
        Reason::Challenged => seen()
            .join(place)
            .say(", a bot challenge, which tells about this vantage and not about the target"),
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
        | Reason::ControlOnOtherPort { .. }
        | Reason::Inside { .. }
        | Reason::NotProvenOutside { .. }
        | Reason::ResolverInvents => seen().join(place).say(", but ").join(why(reason)),
    }
}

/// Why something is what it is, with the names in it marked as such.
#[must_use]
pub fn why(reason: &Reason) -> Phrase {
    match reason {
        Reason::ControlLost { control } => Phrase::new("control ")
            .value(control)
            .say(" was not reached throughout"),
        Reason::Inside { reached } => Phrase::new("")
            .value(reached)
            .say(", which only insiders reach, was reached: this vantage is inside"),
        Reason::NotProvenOutside { unproven } => {
            Phrase::new("whether this vantage is outside is not known: ")
                .value(unproven)
                .say(", which only insiders reach, could not be looked at")
        }
        Reason::Stopped
        | Reason::PastBarrier
        | Reason::WeakerThanPromised
        | Reason::NameGone
        | Reason::NoDenialSeen
        | Reason::Throttled
        | Reason::Challenged
        | Reason::NoControl { .. }
        | Reason::ControlOnOtherPort { .. }
        | Reason::ResolverInvents
        | Reason::SilenceTellsNothing { .. }
        | Reason::Blind { .. } => Phrase::new(reason.to_string()),
    }
}

fn blocked(finding: &Finding, endpoints: &[&EndpointReport], names: &[&NameVerdict]) -> Phrase {
    // How often each; not where it names its own address.
    let mut stops: Vec<(Phrase, Option<usize>)> = Vec::new();
    for endpoint in endpoints {
        let stop = stop(endpoint, &finding.target.denial);
        let private = endpoint.reach == Some(Reach::PrivateAddress);
        match stops.iter_mut().find(|(known, _)| *known == stop) {
            Some((_, number)) => *number = number.map(|n| n.saturating_add(1)),
            None => stops.push((stop, (!private).then_some(1))),
        }
    }
    let mut phrase = Phrase::default();
    let mut basis = Vec::new();
    if !names.is_empty() {
        phrase = phrase.join(saw::name(finding, |_| true));
        basis.push(Phrase::new(saw::agreement(finding)));
    }
    let several = stops.len() > 1;
    for (stop, number) in stops {
        if !phrase.is_empty() {
            phrase = phrase.say("; ");
        }
        phrase = phrase.join(stop);
        if let Some(number) = number.filter(|_| several) {
            phrase = phrase.say(format!(" at {number}"));
        }
    }
    if !endpoints.is_empty() {
        basis.push(Phrase::new(count(endpoints.len(), "endpoint")));
        let attempts: usize = endpoints.iter().map(|e| e.attempts.len()).sum();
        if attempts > 0 {
            basis.push(Phrase::new(count(attempts, "attempt")));
        }
    }
    let of_endpoints = endpoints.iter().filter_map(|e| {
        let connected = e.reach.is_none_or(|reach| reach.layer() > Layer::Dns);
        let rests_on = e.rests_on.as_ref()?;
        Some((rests_on, connected && !rests_on.same_port))
    });
    let of_names = names.iter().filter_map(|n| n.rests_on.as_ref());
    if let Some(control) = controls(of_endpoints.chain(of_names.map(|rests_on| (rests_on, false))))
    {
        basis.push(control);
    }
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

/// `control www.example.com:443 answered`, and where. Each comes with whether it stood on another
/// port than what rests on it; a name has no port.
fn controls<'a>(rests: impl Iterator<Item = (&'a RestsOn, bool)>) -> Option<Phrase> {
    let mut names: Vec<&str> = Vec::new();
    let (mut other_port, mut own_path) = (false, true);
    for (rests_on, elsewhere) in rests {
        other_port |= elsewhere;
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
    Some(match (other_port, own_path) {
        (false, false) => phrase,
        (false, true) => phrase.say(" on the same path"),
        (true, true) => phrase.say(" on the same path, on another port"),
        (true, false) => phrase.say(" on another port"),
    })
}

/// What stopped an outsider at one endpoint.
fn stop(endpoint: &EndpointReport, denial: &Denial) -> Phrase {
    match endpoint.reach {
        Some(Reach::NoAnswer) => Phrase::new("firewall is silent"),
        Some(Reach::Refused) => Phrase::new("stopped by TCP reset"),
        Some(Reach::PrivateAddress) => Phrase::new("address ")
            .value(endpoint.endpoint.address)
            .say(" is not globally routable"),
        Some(
            Reach::NoName
            | Reach::PublicAddress
            | Reach::PublicRecord
            | Reach::Prohibited
            | Reach::Connected
            | Reach::TlsRefused
            | Reach::TlsEstablished
            | Reach::Denied
            | Reach::Served,
        )
        | None => saw::endpoint(endpoint, Some(denial)),
    }
}

/// What the target promises: `no connection from outside (barrier network)`.
#[must_use]
pub fn promise(barrier: Barrier, denial: &Denial) -> Phrase {
    let what = match barrier {
        Barrier::Dns => "no public address",
        Barrier::Network => "no connection from outside",
        Barrier::Tls => "no TLS session from outside",
        Barrier::Http => "no HTTP answer but a denial",
    };
    let mut phrase = Phrase::new(format!("{what} (barrier {barrier}"));
    if denial.stops.len() < barrier.stops().len() {
        let stops: Vec<Reach> = denial.stops.iter().copied().collect();
        phrase = phrase.say(": only ").values(&stops, 4).say(" counts");
    }
    if barrier == Barrier::Http {
        let status: Vec<String> = denial.http.status.iter().map(u16::to_string).collect();
        phrase = phrase.say(": status ").values(&status, 8);
        for (name, value) in &denial.http.header {
            phrase = phrase
                .say(", header ")
                .value(format_args!("{name}: {value}"));
        }
        if let Some(body) = &denial.http.body {
            phrase = phrase.say(", body matching ").value(body);
        }
    }
    phrase.say(")")
}

/// What a note says.
#[must_use]
pub const fn note(note: Note) -> &'static str {
    match note {
        Note::OnlyNoListener => {
            "something answered with a reset: only the absence of a listener protects it"
        }
        Note::Ipv6Unwatched => "IPv6 is declared unwatched",
        Note::Ipv4Unwatched => "IPv4 is declared unwatched",
        Note::ControlOnOtherPort => "the control stood on another port than the endpoint",
        Note::ResolverInvents => "a resolver answers for names that cannot exist",
        Note::PrivateAddressPublished => {
            "a resolver gives addresses that are not globally routable"
        }
        Note::Wildcard => "the zone has a wildcard: a random name beside this one resolves too",
        Note::DanglingAlias => {
            "an alias leads to a name that does not exist: whoever registers it takes this name over"
        }
        Note::SilenceAccepted => {
            "silence counts here by `accept_silence`, although an open service may be silent too"
        }
        Note::PossiblyMiddlebox => "possibly a middlebox, not the target, completed the handshake",
    }
}
