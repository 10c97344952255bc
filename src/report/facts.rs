//! The evidence that somebody needs who was woken by a finding, as labelled lines.

use std::collections::BTreeSet;

use super::headline;
use super::phrase::{Phrase, count};
use super::saw;
use crate::domain::endpoint::Family;
use crate::domain::finding::{EndpointReport, Finding, NameAnswer, NameReport};
use crate::domain::observation::{Attempt, HttpEvidence, TlsEvidence};
use crate::domain::reach::Reach;
use crate::domain::verdict::{Reason, Verdict};

/// How many endpoints are shown one by one.
const ENDPOINTS: usize = 6;
/// How many names of a certificate or addresses of a name are shown.
const NAMES: usize = 6;

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

/// Everything worth showing about a finding, most important first.
#[must_use]
pub fn of(finding: &Finding) -> Vec<Fact> {
    let endpoints: Vec<&EndpointReport> = finding.endpoints.iter().collect();
    of_parts(finding, finding.verdict, &finding.reason, &endpoints)
}

/// The same for some endpoints of a finding, which together have a verdict of their own.
#[must_use]
pub fn of_parts(
    finding: &Finding,
    verdict: Verdict,
    reason: &Reason,
    endpoints: &[&EndpointReport],
) -> Vec<Fact> {
    let target = &finding.target;
    let mut facts = vec![
        Fact::one(
            "target",
            Phrase::default().value(format_args!("{} {}", target.kind, target.address)),
        ),
        Fact::one("promise", headline::promise(target.barrier, &target.denial)),
    ];
    if verdict == Verdict::Exposed {
        let furthest = endpoints.iter().filter_map(|e| e.reach).max();
        facts.push(Fact::one(
            "broken",
            broken(reason, furthest.or(finding.reach)),
        ));
    }
    facts.extend(endpoint_facts(finding, endpoints));
    facts.extend(name_facts(finding));
    if !finding.notes.is_empty() {
        facts.push(Fact {
            label: "note",
            lines: finding
                .notes
                .iter()
                .map(|n| Phrase::new(headline::note(*n)))
                .collect(),
        });
    }
    facts.push(Fact::one(
        "declared",
        Phrase::new("").value(&target.position),
    ));
    facts
}

/// What was seen at some endpoints, those with the worst verdict first, and what the furthest of
/// them told.
fn endpoint_facts(finding: &Finding, endpoints: &[&EndpointReport]) -> Vec<Fact> {
    let mut ordered: Vec<&EndpointReport> = Vec::new();
    for verdict in [Verdict::Exposed, Verdict::Inconclusive, Verdict::Blocked] {
        ordered.extend(headline::with_verdict(endpoints, verdict));
    }
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

/// Who said what about the name, where the name decides or could not be found.
fn name_facts(finding: &Finding) -> Option<Fact> {
    let report = finding.name.as_ref()?;
    let mut lines = Vec::new();
    if finding.name_verdicts.is_empty() {
        let aliases: Vec<&String> = report
            .queries
            .first()
            .map_or_else(Vec::new, |query| query.cnames.iter().collect());
        if aliases.is_empty() {
            return None;
        }
        lines.push(Phrase::new("alias of ").values(&aliases, NAMES));
    } else {
        lines.extend(said(report));
    }
    (!lines.is_empty()).then_some(Fact {
        label: "name",
        lines,
    })
}

/// One line for each different answer: `1.1.1.1:53, 9.9.9.9:53: name does not exist`.
fn said(report: &NameReport) -> Vec<Phrase> {
    let mut answers: Vec<(&NameAnswer, Vec<&str>, BTreeSet<Family>)> = Vec::new();
    for query in &report.queries {
        let known = answers.iter_mut().find(|(a, ..)| **a == query.answer);
        if let Some((_, resolvers, families)) = known {
            if !resolvers.contains(&query.resolver.as_str()) {
                resolvers.push(&query.resolver);
            }
            families.insert(query.family);
        } else {
            let families = BTreeSet::from([query.family]);
            answers.push((&query.answer, vec![&query.resolver], families));
        }
    }
    let several = answers.len() > 1;
    answers
        .into_iter()
        .map(|(answer, resolvers, families)| {
            let mut phrase = Phrase::default().values(&resolvers, NAMES);
            if several {
                let families: Vec<String> = families.iter().map(Family::to_string).collect();
                phrase = phrase.say(format!(" on {}", families.join(" and ")));
            }
            phrase = phrase.say(": ");
            match answer {
                NameAnswer::Addresses(addresses) => phrase.values(addresses, NAMES),
                NameAnswer::NoData => phrase.say("no address"),
                NameAnswer::NxDomain => phrase.say("name does not exist"),
                NameAnswer::Blind(blind) => phrase.say(blind.to_string()),
            }
        })
        .collect()
}
