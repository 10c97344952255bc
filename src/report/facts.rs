//! The evidence that somebody needs who was woken by a finding, as labelled lines.

use std::collections::BTreeSet;

use super::headline;
use super::phrase::{Phrase, count, duration};
use super::saw;
use crate::domain::address::is_global;
use crate::domain::endpoint::Family;
use crate::domain::finding::{EndpointReport, Finding, NameAnswer, NameReport, Note};
use crate::domain::observation::{Attempt, HttpEvidence, Outcome, TlsEvidence};
use crate::domain::reach::Reach;
use crate::domain::verdict::{Reason, Verdict};

/// How many endpoints are shown one by one.
const ENDPOINTS: usize = 6;
/// How many names of a certificate or addresses of a name are shown.
const NAMES: usize = 6;

/// The label of what is worth knowing besides.
pub const NOTE: &str = "note";

/// One labelled piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// One short word.
    pub label: &'static str,
    /// At least one line.
    pub lines: Vec<Phrase>,
}

impl Fact {
    fn one(label: &'static str, line: Phrase) -> Self {
        Self {
            label,
            lines: vec![line],
        }
    }
}

/// A part of a finding that has a verdict of its own.
#[derive(Clone, Copy)]
struct Part<'a> {
    finding: &'a Finding,
    verdict: Verdict,
    reason: &'a Reason,
    endpoints: &'a [&'a EndpointReport],
    notes: &'a [Note],
}

/// Everything worth showing about a finding, most important first.
#[must_use]
pub fn of(finding: &Finding) -> Vec<Fact> {
    whole(finding, endpoint_facts)
}

/// The same with every attempt at every endpoint, and what each told.
#[must_use]
pub fn every_attempt(finding: &Finding) -> Vec<Fact> {
    whole(finding, every_endpoint)
}

fn whole(
    finding: &Finding,
    endpoint_facts: impl FnOnce(&Finding, &[&EndpointReport]) -> Vec<Fact>,
) -> Vec<Fact> {
    let endpoints: Vec<&EndpointReport> = finding.endpoints.iter().collect();
    let part = Part {
        finding,
        verdict: finding.verdict,
        reason: &finding.reason,
        endpoints: &endpoints,
        notes: &notes(finding),
    };
    of_part(part, endpoint_facts(finding, &endpoints))
}

/// The same for the endpoints and answers of one family, which together have a verdict of their own.
#[must_use]
pub fn of_family(
    finding: &Finding,
    verdict: Verdict,
    reason: &Reason,
    endpoints: &[&EndpointReport],
    family: Family,
) -> Vec<Fact> {
    some(finding, verdict, reason, endpoints, Some(family))
}

/// The same for some endpoints alone; without any, for a family of which nothing was seen.
#[must_use]
pub fn of_parts(
    finding: &Finding,
    verdict: Verdict,
    reason: &Reason,
    endpoints: &[&EndpointReport],
) -> Vec<Fact> {
    some(finding, verdict, reason, endpoints, None)
}

fn some(
    finding: &Finding,
    verdict: Verdict,
    reason: &Reason,
    endpoints: &[&EndpointReport],
    family: Option<Family>,
) -> Vec<Fact> {
    let notes = finding.notes.iter().copied();
    let notes = notes.filter(|note| !said_by(verdict, *note));
    let notes: Vec<Note> = notes
        .filter(|note| concerns(*note, finding, endpoints, family))
        .collect();
    let part = Part {
        finding,
        verdict,
        reason,
        endpoints,
        notes: &notes,
    };
    of_part(part, endpoint_facts(finding, endpoints))
}

/// The notes of a finding, without what its headline says.
#[must_use]
pub fn notes(finding: &Finding) -> Vec<Note> {
    let notes = finding.notes.iter().copied();
    notes
        .filter(|note| !said_by(finding.verdict, *note))
        .collect()
}

/// Whether the headline says what a note says: where all is blocked, it names the controls and where
/// they stood.
fn said_by(verdict: Verdict, note: Note) -> bool {
    verdict == Verdict::Blocked && note == Note::ControlOnOtherPort
}

/// Whether a note is about these endpoints, or about the addresses of this family.
fn concerns(
    note: Note,
    finding: &Finding,
    endpoints: &[&EndpointReport],
    family: Option<Family>,
) -> bool {
    match note {
        Note::OnlyNoListener => endpoints
            .iter()
            .any(|e| e.verdict == Verdict::Blocked && e.reach == Some(Reach::Refused)),
        Note::ControlOnOtherPort => endpoints
            .iter()
            .any(|e| e.rests_on.as_ref().is_some_and(|r| !r.same_port)),
        Note::PrivateAddressPublished => finding
            .name
            .iter()
            .flat_map(|name| &name.queries)
            .filter(|query| query.family.is_some() && query.family == family)
            .any(|query| match &query.answer {
                NameAnswer::Addresses(found) => found.iter().any(|a| !is_global(*a)),
                NameAnswer::Records(_)
                | NameAnswer::NoData
                | NameAnswer::NxDomain
                | NameAnswer::Blind(_) => false,
            }),
        Note::PossiblyMiddlebox => endpoints.iter().any(|e| {
            let tcp = |a: &Attempt| a.evidence.as_ref().and_then(|e| e.tcp.as_ref()).cloned();
            e.attempts
                .iter()
                .filter_map(tcp)
                .any(|tcp| !tcp.middlebox.is_empty())
        }),
        Note::SilenceAccepted => endpoints
            .iter()
            .any(|e| e.verdict == Verdict::Blocked && e.reach == Some(Reach::NoAnswer)),
        Note::Ipv4Unwatched
        | Note::Ipv6Unwatched
        | Note::Wildcard
        | Note::DanglingAlias
        | Note::ResolverInvents => true,
    }
}

fn of_part(part: Part<'_>, seen: Vec<Fact>) -> Vec<Fact> {
    let target = &part.finding.target;
    let mut facts = vec![
        Fact::one(
            "target",
            Phrase::default().value(format_args!("{} {}", target.kind, target.address)),
        ),
        Fact::one("promise", headline::promise(target.barrier, &target.denial)),
    ];
    if part.verdict == Verdict::Exposed {
        let furthest = part.endpoints.iter().filter_map(|e| e.reach).max();
        facts.push(Fact::one(
            "broken",
            broken(part.reason, furthest.or(part.finding.reach)),
        ));
    }
    facts.extend(seen);
    facts.extend(name_facts(part.finding));
    if !part.notes.is_empty() {
        let notes = part.notes.iter();
        facts.push(Fact {
            label: NOTE,
            lines: notes.map(|n| Phrase::new(headline::note(*n))).collect(),
        });
    }
    facts.push(Fact::one(
        "declared",
        Phrase::new("").value(&target.position),
    ));
    facts
}

/// The endpoints with the worst verdict first.
fn worst_first<'a>(endpoints: &[&'a EndpointReport]) -> Vec<&'a EndpointReport> {
    [Verdict::Exposed, Verdict::Inconclusive, Verdict::Blocked]
        .into_iter()
        .flat_map(|verdict| headline::with_verdict(endpoints, verdict))
        .collect()
}

/// What was seen at some endpoints, and what the furthest of the worst told.
fn endpoint_facts(finding: &Finding, endpoints: &[&EndpointReport]) -> Vec<Fact> {
    let ordered = worst_first(endpoints);
    let mut facts = Vec::new();
    if !ordered.is_empty() {
        let mut lines: Vec<Phrase> = ordered
            .iter()
            .take(ENDPOINTS)
            .map(|e| endpoint_line(finding, e))
            .collect();
        if let Some(more) = ordered.len().checked_sub(ENDPOINTS)
            && more > 0
        {
            lines.push(Phrase::new(format!("and {} more", count(more, "endpoint"))));
        }
        facts.push(Fact {
            label: "seen",
            lines,
        });
    }
    let telling = ordered.first().and_then(|e| saw::telling(e));
    if let Some(attempt) = telling {
        facts.extend(attempt_facts(attempt));
    }
    facts
}

/// Every endpoint with its attempts, and what they told where that is not what the one before told.
fn every_endpoint(finding: &Finding, endpoints: &[&EndpointReport]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for endpoint in worst_first(endpoints) {
        facts.push(Fact::one("seen", endpoint_line(finding, endpoint)));
        let attempts = endpoint.attempts.iter().enumerate();
        let lines: Vec<Phrase> = attempts
            .map(|(index, attempt)| attempt_line(finding, index.saturating_add(1), attempt))
            .collect();
        if !lines.is_empty() {
            facts.push(Fact {
                label: "attempts",
                lines,
            });
        }
        let mut told: Vec<Fact> = Vec::new();
        for attempt in &endpoint.attempts {
            for fact in attempt_facts(attempt) {
                if !told.contains(&fact) {
                    told.push(fact);
                }
            }
        }
        facts.extend(told);
    }
    facts
}

/// `2 at 4.1 s, took 3.6 s: silence (nmap: filtered)`.
fn attempt_line(finding: &Finding, number: usize, attempt: &Attempt) -> Phrase {
    let phrase = Phrase::new(format!(
        "{number} at {}, took {}: ",
        duration(attempt.at_ms),
        duration(attempt.took_ms)
    ))
    .join(saw::outcome(attempt, Some(&finding.target.denial)));
    let state = match attempt.outcome {
        Outcome::Reached(reach) => reach.nmap_state(),
        Outcome::Blind(_) => None,
    };
    match state {
        Some(state) => phrase.say(format!(" (nmap: {state})")),
        None => phrase,
    }
}

/// `TCP 20.1.2.3:5432 exposed: TCP connects, 1 attempt`.
fn endpoint_line(finding: &Finding, endpoint: &EndpointReport) -> Phrase {
    let phrase = Phrase::new(format!("{} ", endpoint.endpoint.transport))
        .value(saw::place(&endpoint.endpoint))
        .say(format!(" {}: ", endpoint.verdict))
        .join(saw::brief(endpoint))
        .say(saw::tries(endpoint));
    // The finding's own reason stands in its headline already.
    let known = endpoint.reason == finding.reason || endpoint.reach.is_none();
    match endpoint.verdict {
        Verdict::Inconclusive if !known => {
            phrase.say(", but ").join(headline::why(&endpoint.reason))
        }
        Verdict::Exposed | Verdict::Inconclusive | Verdict::Blocked => phrase,
    }
}

fn attempt_facts(attempt: &Attempt) -> Vec<Fact> {
    let mut facts = Vec::new();
    let evidence = attempt.evidence.as_deref();
    if let Some(http) = evidence.and_then(|e| e.http.as_ref()) {
        facts.push(answer(http));
    }
    if let Some(tls) = evidence.and_then(|e| e.tls.as_ref()) {
        facts.extend(tls_fact(tls));
    }
    facts
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
            lines.push(Phrase::new("names ").values(&certificate.names, NAMES));
        }
        let mut issuer = Phrase::new("issued by ").quote(&certificate.issuer);
        if let Some(not_after) = &certificate.not_after {
            issuer = issuer.say(", valid to ").value(not_after);
        }
        lines.push(issuer);
    }
    if tls.certificate_requested {
        lines.push(Phrase::new("the server asked for a client certificate"));
    }
    (!lines.is_empty()).then_some(Fact {
        label: "certificate",
        lines,
    })
}

/// How the promise was broken.
fn broken(reason: &Reason, reach: Option<Reach>) -> Phrase {
    let phrase = match reason {
        Reason::WeakerThanPromised => Phrase::new("stopped, but not in a way that was promised"),
        reason => headline::why(reason),
    };
    match reach {
        Some(reach) => phrase.say(": reached ").value(reach),
        None => phrase,
    }
}

/// Who said what about the name, where the name decides or could not be found, and the aliases on
/// the way.
fn name_facts(finding: &Finding) -> Option<Fact> {
    let report = finding.name.as_ref()?;
    let mut lines = Vec::new();
    if !finding.name_verdicts.is_empty() {
        lines.extend(said(report));
    }
    let mut chains: Vec<&[String]> = Vec::new();
    for query in &report.queries {
        let chain = query.cnames.as_slice();
        if !chain.is_empty() && !chains.contains(&chain) {
            chains.push(chain);
        }
    }
    let chains = chains.into_iter().take(NAMES);
    lines.extend(chains.map(|chain| Phrase::new("alias of ").values(chain, NAMES)));
    (!lines.is_empty()).then_some(Fact {
        label: "name",
        lines,
    })
}

/// One line for each different answer: `1.1.1.1:53, 9.9.9.9:53: name does not exist`.
fn said(report: &NameReport) -> Vec<Phrase> {
    let mut answers: Vec<(&NameAnswer, Vec<&str>, BTreeSet<&str>)> = Vec::new();
    for query in &report.queries {
        let known = answers.iter_mut().find(|(a, ..)| **a == query.answer);
        if let Some((_, resolvers, records)) = known {
            if !resolvers.contains(&query.resolver.as_str()) {
                resolvers.push(&query.resolver);
            }
            records.insert(query.record.as_str());
        } else {
            let records = BTreeSet::from([query.record.as_str()]);
            answers.push((&query.answer, vec![&query.resolver], records));
        }
    }
    let several = answers.len() > 1;
    answers
        .into_iter()
        .map(|(answer, resolvers, records)| {
            let mut phrase = Phrase::default().values(&resolvers, NAMES);
            if several {
                let records: Vec<&str> = records.into_iter().collect();
                phrase = phrase.say(format!(" on {}", records.join(" and ")));
            }
            phrase = phrase.say(": ");
            match answer {
                NameAnswer::Addresses(addresses) => phrase.values(addresses, NAMES),
                NameAnswer::Records(records) => quotes(phrase, records),
                NameAnswer::NoData => phrase.say("no address"),
                NameAnswer::NxDomain => phrase.say("name does not exist"),
                NameAnswer::Blind(blind) => phrase.say(blind.to_string()),
            }
        })
        .collect()
}

/// Records as quotes, for their owner chose their text.
fn quotes(mut phrase: Phrase, records: &[String]) -> Phrase {
    for (index, record) in records.iter().take(NAMES).enumerate() {
        if index > 0 {
            phrase = phrase.say(", ");
        }
        phrase = phrase.quote(record);
    }
    match records.len().checked_sub(NAMES) {
        Some(0) | None => phrase,
        Some(more) => phrase.say(format!(" and {more} more")),
    }
}
