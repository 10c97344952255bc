//! Which cases a round has, and what each says.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};

use time::format_description::well_known::Rfc3339;

use super::super::facts::{self, Fact};
use super::super::headline;
use super::super::merged;
use super::super::phrase::Phrase;
use super::super::vantage;
use super::super::waiver;
use crate::domain::endpoint::{Family, Transport};
use crate::domain::escape;
use crate::domain::finding::{EndpointReport, Finding, NameVerdict};
use crate::domain::position::Position;
use crate::domain::rank::Rank;
use crate::domain::report::RoundReport;
use crate::domain::verdict::{Reason, Verdict};

/// One test case.
pub(super) struct Case<'a> {
    /// Unique and the same from round to round.
    pub name: String,
    /// Without dots: readers take what follows the last dot for a file.
    pub class: String,
    /// As what this part of the target counts.
    pub rank: Rank,
    /// The word for why, as the `type` of an error.
    pub reason: &'static str,
    /// One line.
    pub message: String,
    /// Everything else, several lines.
    pub text: String,
    /// The time of its attempts and queries, in milliseconds.
    pub took_ms: u64,
    /// Where the target is declared.
    pub position: Cow<'a, Position>,
}

/// One part of a finding on its way to a case.
struct Part {
    /// `tcp 443, ipv4`, `icmp, ipv6` or `dns`; the kind alone where details are withheld.
    suffix: String,
    verdict: Verdict,
    reason: &'static str,
    message: Phrase,
    facts: Vec<Fact>,
    took_ms: u64,
}

/// Every case of a round, in the order of the configuration.
pub(super) fn of(report: &RoundReport) -> Vec<Case<'_>> {
    let mut taken = HashSet::new();
    let mut cases = Vec::new();
    for finding in &report.findings {
        let mut parts = parts(finding);
        never_milder(finding, &mut parts);
        for part in parts {
            cases.push(case(report, finding, &part, &mut taken));
        }
    }
    // Whoever reads only the cases must not take what nobody looked at for a pass.
    let lines = merged::missing(report).into_iter().enumerate();
    cases.extend(lines.map(|(index, line)| missing(report, index, &line)));
    cases
}

fn missing<'a>(report: &RoundReport, index: usize, line: &Phrase) -> Case<'a> {
    Case {
        name: format!("missing ({})", index.saturating_add(1)),
        class: "noentry-merge".to_owned(),
        rank: Rank::Inconclusive,
        reason: "missing",
        message: line.text(),
        text: text(report, &line.text(), &[]),
        took_ms: 0,
        position: Cow::Owned(Position {
            file: report.config.clone(),
            line: 1,
            column: 1,
        }),
    }
}

fn parts(finding: &Finding) -> Vec<Part> {
    if finding.withheld {
        // Ports and families of endpoints are not to be known, so there is one case for all of them.
        return vec![whole(finding, finding.target.kind.clone())];
    }
    if finding.target.kind == "dns" {
        return vec![whole(finding, "dns".to_owned())];
    }
    let families = if finding.name.is_some() {
        finding.target.families.clone()
    } else {
        literal_families(finding)
    };
    let parts: Vec<Part> = families
        .into_iter()
        .map(|family| of_family(finding, family))
        .collect();
    if parts.is_empty() {
        vec![whole(finding, way(finding))]
    } else {
        parts
    }
}

/// The families of a target that is declared by its address: that of its endpoints or, where the
/// round ended before there were any, of the address itself.
fn literal_families(finding: &Finding) -> Vec<Family> {
    let mut families: Vec<Family> = finding
        .endpoints
        .iter()
        .map(|e| e.endpoint.family())
        .collect();
    if families.is_empty() {
        let address = &finding.target.address;
        let host = url::Url::parse(address)
            .ok()
            .and_then(|url| match url.host() {
                Some(url::Host::Ipv4(_)) => Some(Family::Ipv4),
                Some(url::Host::Ipv6(_)) => Some(Family::Ipv6),
                Some(url::Host::Domain(_)) | None => None,
            });
        let socket = || address.parse::<SocketAddr>().ok().map(|s| s.ip());
        let bare = || address.parse::<IpAddr>().ok();
        let family = host.or_else(|| socket().or_else(bare).map(Family::of));
        families.extend(family);
    }
    if families.is_empty() {
        families.extend(&finding.target.families);
    }
    families.sort_unstable();
    families.dedup();
    families
}

/// `tcp 443`, `udp 53`, `quic 443`, `icmp` or `dns`.
fn way(finding: &Finding) -> String {
    let target = &finding.target;
    match (target.transport, target.port) {
        (Some(Transport::Tcp), Some(port)) => format!("tcp {port}"),
        (Some(Transport::Udp), Some(port)) if target.kind == "quic" => format!("quic {port}"),
        (Some(Transport::Udp), Some(port)) => format!("udp {port}"),
        (Some(transport), _) => transport.as_str().to_owned(),
        (None, _) => "dns".to_owned(),
    }
}

/// The finding as one case.
fn whole(finding: &Finding, suffix: String) -> Part {
    let (verdict, reason) = left(finding);
    Part {
        suffix,
        verdict,
        reason: word(verdict, reason),
        message: headline::finding(finding),
        facts: facts::of(finding),
        took_ms: took(finding, |_| true),
    }
}

/// Everything of one family as one case.
fn of_family(finding: &Finding, family: Family) -> Part {
    let of_family = |e: &&EndpointReport| e.endpoint.family() == family;
    let every: Vec<&EndpointReport> = finding.endpoints.iter().filter(of_family).collect();
    // A companion has no case of its own: it can only make that of its target worse.
    let endpoints: Vec<&EndpointReport> = finding.counted().filter(of_family).collect();
    let names: Vec<&NameVerdict> = finding
        .name_verdicts
        .iter()
        .filter(|n| n.families.contains(&family))
        .collect();
    let parts = || {
        let names = names.iter().map(|n| (n.verdict, &n.reason));
        names.chain(endpoints.iter().map(|e| (e.verdict, &e.reason)))
    };
    // The first of the worst, as for the finding itself. A waiver takes an exposure out, but never what
    // could not be observed beside it.
    let doubt = || parts().find(|(verdict, _)| *verdict == Verdict::Inconclusive);
    let worst = parts().reduce(|worst, next| if next.0 > worst.0 { next } else { worst });
    let (verdict, reason) = match worst {
        Some(worst @ (Verdict::Exposed, _)) if finding.has_waiver() => doubt().unwrap_or(worst),
        Some(worst) => worst,
        None => return unpublished(finding, family),
    };
    Part {
        suffix: suffix(finding, family),
        verdict,
        reason: word(verdict, reason),
        message: headline::parts(finding, verdict, reason, &endpoints, &names),
        facts: facts::of_family(finding, verdict, reason, &every, family),
        took_ms: took(finding, |own| own == family),
    }
}

fn suffix(finding: &Finding, family: Family) -> String {
    format!("{}, {}", way(finding), family.as_str())
}

/// The word for why. What stops an outsider would be a wrong type for an error.
const fn word(verdict: Verdict, reason: &Reason) -> &'static str {
    match (verdict, reason) {
        (
            Verdict::Inconclusive,
            Reason::Stopped | Reason::PastBarrier | Reason::WeakerThanPromised | Reason::Withheld,
        ) => verdict.as_str(),
        (Verdict::Blocked | Verdict::Inconclusive | Verdict::Exposed, _) => reason.as_str(),
    }
}

/// A watched family without any part: there is no address in it, or nobody could find out.
///
/// That there is none is only worth something where the finding itself is: what was not observed for
/// the addresses that there are cannot have been observed for those that there are not.
fn unpublished(finding: &Finding, family: Family) -> Part {
    let believed = finding.verdict != Verdict::Inconclusive;
    let (verdict, reason, text) = if believed && finding.is_unpublished(family) {
        (
            Verdict::Blocked,
            Reason::Stopped,
            format!("no {family} address is published"),
        )
    } else {
        (
            Verdict::Inconclusive,
            finding.reason.clone(),
            format!("it is not known whether an {family} address is published"),
        )
    };
    Part {
        suffix: suffix(finding, family),
        verdict,
        reason: word(verdict, &reason),
        message: Phrase::new(text),
        facts: facts::of_parts(finding, verdict, &reason, &[]),
        took_ms: took(finding, |own| own == family),
    }
}

/// A finding's verdict must be seen in at least one of its cases, whatever a saved report holds.
fn never_milder(finding: &Finding, parts: &mut [Part]) {
    let (verdict, reason) = left(finding);
    if parts.iter().all(|part| part.verdict < verdict)
        && let Some(part) = parts.first_mut()
    {
        part.verdict = verdict;
        part.reason = word(verdict, reason);
        part.message = headline::finding(finding);
        part.facts = facts::of(finding);
    }
}

/// The verdict that counts, and why: where a waiver takes an exposure out and something beside it is in
/// doubt, that. A waived exposure stays one; its case is skipped.
fn left(finding: &Finding) -> (Verdict, &Reason) {
    match finding.rank() {
        Rank::Inconclusive if finding.verdict == Verdict::Exposed => (
            Verdict::Inconclusive,
            finding.doubt().unwrap_or(&finding.reason),
        ),
        Rank::Exposed | Rank::Waived | Rank::Inconclusive | Rank::Blocked => {
            (finding.verdict, &finding.reason)
        }
    }
}

fn took(finding: &Finding, family: impl Fn(Family) -> bool) -> u64 {
    let attempts = finding
        .endpoints
        .iter()
        .filter(|e| family(e.endpoint.family()))
        .flat_map(|e| &e.attempts)
        .map(|attempt| attempt.took_ms);
    let queries = finding
        .name
        .iter()
        .flat_map(|name| &name.queries)
        .filter(|query| query.family.is_none_or(&family))
        .map(|query| query.took_ms);
    attempts.chain(queries).fold(0, u64::saturating_add)
}

fn case<'a>(
    report: &RoundReport,
    finding: &'a Finding,
    part: &Part,
    taken: &mut HashSet<String>,
) -> Case<'a> {
    let target = escape::visible(&finding.target.name);
    let mut name = format!("{target} ({})", part.suffix);
    // Two names may look the same once they are cleaned.
    let mut number = 2_usize;
    while !taken.insert(name.clone()) {
        name = format!("{target} ({}) #{number}", part.suffix);
        number = number.saturating_add(1);
    }
    let headline = part.message.text();
    let waiver = finding.waiver.as_ref().filter(|w| w.state.holds());
    let (rank, message) = match (part.verdict, waiver) {
        (Verdict::Exposed, Some(waiver)) => (Rank::Waived, waiver::waived(waiver).text()),
        (verdict, _) => (Rank::from(verdict), headline.clone()),
    };
    Case {
        name,
        class: format!(
            "noentry-{}",
            escape::visible(&finding.target.kind).replace('.', "-")
        ),
        rank,
        reason: part.reason,
        text: match rank {
            Rank::Exposed | Rank::Inconclusive => text(report, &headline, &part.facts),
            // What holds or is waived needs no more than why, and what is worth knowing besides.
            Rank::Waived | Rank::Blocked => {
                let told = [facts::VANTAGES, facts::NOTE];
                let notes = part.facts.iter().filter(|fact| told.contains(&fact.label));
                let notes = notes.flat_map(|fact| fact.lines.iter().map(Phrase::text));
                let lines: Vec<String> = std::iter::once(headline).chain(notes).collect();
                lines.join("\n")
            }
        },
        message,
        took_ms: part.took_ms,
        position: Cow::Borrowed(&finding.target.position),
    }
}

fn text(report: &RoundReport, message: &str, facts: &[Fact]) -> String {
    let mut lines = vec![message.to_owned(), String::new()];
    let begun = Phrase::default()
        .value(started(report))
        .say(", ")
        .join(vantage::effort(report));
    let mut lines_of_round = vec![begun];
    lines_of_round.extend(vantage::lines(report));
    let when = Fact {
        label: "round",
        lines: lines_of_round,
    };
    for fact in facts.iter().chain([&when]) {
        let mut label = fact.label;
        for line in &fact.lines {
            lines.push(format!("{label:<13}{}", line.text()));
            label = "";
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// When the round began, in UTC.
pub(super) fn started(report: &RoundReport) -> String {
    report
        .started
        .format(&Rfc3339)
        .unwrap_or_else(|_| "an impossible time".to_owned())
}
