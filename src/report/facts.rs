//! The evidence that somebody needs who was woken by a finding, as labelled lines.

use super::headline;
use super::phrase::{Phrase, count, duration};
use super::saw;
use crate::domain::finding::{EndpointReport, Finding, NameAnswer};
use crate::domain::observation::{Attempt, HttpEvidence, TlsEvidence};
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
    let target = &finding.target;
    let mut facts = vec![
        Fact::one(
            "target",
            Phrase::new("")
                .value(&target.kind)
                .say(" ")
                .value(&target.address),
        ),
        Fact::one("promise", headline::promise(target.barrier, &target.denial)),
    ];
    if let Some(broken) = broken(finding) {
        facts.push(Fact::one("broken", broken));
    }
    let endpoints: Vec<&EndpointReport> = finding.endpoints.iter().collect();
    facts.extend(endpoint_facts(finding, &endpoints));
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
#[must_use]
pub fn endpoint_facts(finding: &Finding, endpoints: &[&EndpointReport]) -> Vec<Fact> {
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

/// `TCP 20.1.2.3:5432 exposed: TCP connects (1 attempt, 31 ms)`.
fn endpoint_line(finding: &Finding, endpoint: &EndpointReport) -> Phrase {
    let mut phrase = Phrase::new(format!("{} ", endpoint.endpoint.transport))
        .value(saw::place(&endpoint.endpoint))
        .say(format!(" {}: ", endpoint.verdict))
        .join(saw::endpoint(endpoint, &finding.target.denial))
        .say(saw::tries(endpoint));
    if endpoint.verdict == Verdict::Inconclusive && endpoint.reach.is_some() {
        phrase = phrase.say("; ").join(headline::why(&endpoint.reason));
    }
    if let Some(rests_on) = &endpoint.rests_on
        && endpoint.verdict == Verdict::Blocked
    {
        phrase = phrase.say(", control ").value(&rests_on.control).say(
            match (rests_on.same_port, rests_on.own_path) {
                (true, true) => " answered on the same port and path",
                (true, false) => " answered on the same port",
                (false, true) => " answered on the same path",
                (false, false) => " answered",
            },
        );
    }
    phrase
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
    facts.push(Fact::one(
        "when",
        Phrase::new(format!(
            "{} into the round, after {}",
            duration(attempt.at_ms),
            duration(attempt.took_ms)
        )),
    ));
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

/// How the promise was broken; nothing where it was kept or could not be judged.
fn broken(finding: &Finding) -> Option<Phrase> {
    if finding.verdict != Verdict::Exposed {
        return None;
    }
    let mut phrase = match &finding.reason {
        Reason::WeakerThanPromised => {
            Phrase::new("stopped at the barrier, but not in a way that was promised")
        }
        reason => headline::why(reason),
    };
    if let Some(reach) = finding.reach {
        phrase = phrase.say(": reached ").value(reach);
    }
    Some(phrase)
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
        for query in report.queries.iter().take(2 * NAMES) {
            let phrase = Phrase::new("")
                .value(&query.resolver)
                .say(format!(" on {}: ", query.family));
            lines.push(match &query.answer {
                NameAnswer::Addresses(addresses) => phrase.values(addresses, NAMES),
                NameAnswer::NoData => phrase.say("no address"),
                NameAnswer::NxDomain => phrase.say("name does not exist"),
                NameAnswer::Blind(blind) => phrase.say(blind.to_string()),
            });
        }
    }
    (!lines.is_empty()).then_some(Fact {
        label: "name",
        lines,
    })
}
