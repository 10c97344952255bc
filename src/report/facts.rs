//! The evidence that somebody needs who was woken by a finding, as labelled lines.

use super::door::{Door, Over};
use super::evidence;
use super::headline;
use super::merged;
use super::name;
use super::notes;
use super::phrase::{Phrase, count, duration};
use super::promise::promise;
use super::saw;
use super::waiver;
use crate::domain::endpoint::Family;
use crate::domain::finding::{EndpointReport, Finding, Note};
use crate::domain::observation::{Attempt, Outcome};
use crate::domain::reach::Reach;
use crate::domain::verdict::{Reason, Verdict};

/// How many endpoints are shown one by one.
const ENDPOINTS: usize = 6;

/// The label of what is worth knowing besides.
pub const NOTE: &str = "note";

/// The label of what several vantages saw.
pub const VANTAGES: &str = "vantages";

/// The label of where a target is declared.
pub const DECLARED: &str = "declared";

/// One labelled piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// One short word.
    pub label: &'static str,
    /// At least one line.
    pub lines: Vec<Phrase>,
}

impl Fact {
    /// A piece of one line.
    #[must_use]
    pub fn one(label: &'static str, line: Phrase) -> Self {
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
        notes: &notes::of(finding),
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
    let notes = notes::about(finding, verdict, endpoints, family);
    let part = Part {
        finding,
        verdict,
        reason,
        endpoints,
        notes: &notes,
    };
    of_part(part, endpoint_facts(finding, endpoints))
}

fn of_part(part: Part<'_>, seen: Vec<Fact>) -> Vec<Fact> {
    if part.finding.withheld {
        return of_withheld(part.finding);
    }
    let target = &part.finding.target;
    let mut what = Phrase::default().value(format_args!("{} {}", target.kind, target.address));
    if let Some(payload) = &target.payload {
        what = what.say(", payload ").value(payload);
    }
    let mut facts = vec![
        Fact::one("target", what),
        Fact::one("promise", promise(part.finding)),
    ];
    if part.verdict == Verdict::Exposed {
        let counted = part.endpoints.iter().filter(|e| e.counts());
        let furthest = counted.filter_map(|e| e.reach).max();
        facts.push(Fact::one(
            "broken",
            broken(part.reason, furthest.or(part.finding.reach)),
        ));
    }
    if let Some(waiver) = &part.finding.waiver
        && part.verdict != Verdict::Blocked
    {
        facts.push(Fact::one("waiver", waiver::say(part.finding, waiver)));
    }
    if let Some(who) = merged::who_saw(part.finding) {
        facts.push(Fact::one(VANTAGES, who));
    }
    facts.extend(seen);
    facts.extend(evidence::deniers(part.finding, part.endpoints));
    facts.extend(evidence::middlebox(part.endpoints));
    let said = name::lines(part.finding);
    if !said.is_empty() {
        facts.push(Fact {
            label: "name",
            lines: said,
        });
    }
    // The whole finding was looked at again, not this part of it.
    let again = notes::confirmation(part.finding).filter(|_| part.verdict == Verdict::Exposed);
    let notes = part.notes.iter();
    let notes = notes.map(|note| notes::say(part.finding, *note));
    let lines: Vec<Phrase> = again.into_iter().chain(notes).collect();
    if !lines.is_empty() {
        facts.push(Fact { label: NOTE, lines });
    }
    facts.push(Fact::one(DECLARED, Phrase::new("").value(&target.position)));
    facts
}

/// All that everybody may know: who answers for it, the word of each vantage, and where it is declared.
fn of_withheld(finding: &Finding) -> Vec<Fact> {
    let waiver = finding
        .waiver
        .as_ref()
        .filter(|_| finding.verdict != Verdict::Blocked);
    let waiver = waiver.map(|waiver| Fact::one("waiver", waiver::say(finding, waiver)));
    let vantages = merged::who_saw(finding).map(|who| Fact::one(VANTAGES, who));
    let declared = Phrase::new("").value(&finding.target.position);
    waiver
        .into_iter()
        .chain(vantages)
        .chain([Fact::one(DECLARED, declared)])
        .collect()
}

/// The endpoints with the worst verdict first, and those that do not count last.
fn worst_first<'a>(endpoints: &[&'a EndpointReport]) -> Vec<&'a EndpointReport> {
    let (counted, beside): (Vec<&EndpointReport>, Vec<&EndpointReport>) =
        endpoints.iter().partition(|e| e.counts());
    [Verdict::Exposed, Verdict::Inconclusive, Verdict::Blocked]
        .into_iter()
        .flat_map(|verdict| headline::with_verdict(&counted, verdict))
        .chain(beside)
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
    if let Some(first) = ordered.first()
        && let Some(attempt) = saw::telling(first)
    {
        facts.extend(evidence::of(Door::of(finding, &first.endpoint), attempt));
    }
    facts
}

/// Every endpoint with its attempts, and what they told where that is not what the one before told.
fn every_endpoint(finding: &Finding, endpoints: &[&EndpointReport]) -> Vec<Fact> {
    let mut facts = Vec::new();
    for endpoint in worst_first(endpoints) {
        facts.push(Fact::one("seen", endpoint_line(finding, endpoint)));
        let door = Door::of(finding, &endpoint.endpoint);
        let attempts = endpoint.attempts.iter().enumerate();
        let lines: Vec<Phrase> = attempts
            .map(|(index, attempt)| attempt_line(door, index.saturating_add(1), attempt))
            .collect();
        if !lines.is_empty() {
            facts.push(Fact {
                label: "attempts",
                lines,
            });
        }
        let mut told: Vec<Fact> = Vec::new();
        for attempt in &endpoint.attempts {
            for fact in evidence::of(door, attempt) {
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
fn attempt_line(door: Door<'_>, number: usize, attempt: &Attempt) -> Phrase {
    let phrase = Phrase::new(format!(
        "{number} at {}, took {}: ",
        duration(attempt.at_ms),
        duration(attempt.took_ms)
    ))
    .join(saw::outcome(door, attempt));
    let state = match attempt.outcome {
        Outcome::Reached(reach) => nmap_state(door.over, reach),
        Outcome::Blind(_) => None,
    };
    match state {
        Some(state) => phrase.say(format!(" (nmap: {state})")),
        None => phrase,
    }
}

/// What nmap would call it: over UDP it does not take silence for a filter, and a ping has no port.
const fn nmap_state(over: Over, reach: Reach) -> Option<&'static str> {
    match (over, reach) {
        (Over::Icmp, _) => None,
        (Over::Udp | Over::Quic, Reach::NoAnswer) => Some("open|filtered"),
        (Over::Tcp | Over::Udp | Over::Quic, reach) => reach.nmap_state(),
    }
}

/// `TCP 20.1.2.3:5432 exposed: TCP connects, 1 attempt`,
/// `QUIC 20.1.2.3:443 beside TCP: silence, 3 attempts (only an answer counts)`.
fn endpoint_line(finding: &Finding, endpoint: &EndpointReport) -> Phrase {
    let door = Door::of(finding, &endpoint.endpoint);
    let mut phrase = Phrase::new(format!("{} ", door.over)).value(saw::place(&endpoint.endpoint));
    // Of a companion, what was not seen has no say.
    let mute = !endpoint.counts() && endpoint.verdict == Verdict::Inconclusive;
    if !mute {
        phrase = phrase.say(format!(" {}", endpoint.verdict));
    }
    if endpoint.companion {
        phrase = phrase.say(" beside TCP");
    }
    let phrase = phrase
        .say(": ")
        .join(saw::brief(door, endpoint))
        .say(saw::tries(endpoint));
    // The finding's own reason stands in its headline already.
    let known = endpoint.reason == finding.reason || endpoint.reach.is_none();
    match endpoint.verdict {
        Verdict::Inconclusive if mute => phrase.say(" (only an answer counts)"),
        Verdict::Inconclusive if !known => {
            phrase.say(", but ").join(headline::why(&endpoint.reason))
        }
        Verdict::Exposed | Verdict::Inconclusive | Verdict::Blocked => phrase,
    }
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
