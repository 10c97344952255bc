//! What is worth knowing beside a verdict: which notes a part of a finding gets, and their words.

use super::name;
use super::phrase::Phrase;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Family, Transport};
use crate::domain::finding::{EndpointReport, Finding, Note};
use crate::domain::observation::Outcome;
use crate::domain::reach::Reach;
use crate::domain::trail::Confirmation;
use crate::domain::verdict::Verdict;
use crate::domain::way::PortProof;

/// The notes of a finding, without what its headline says.
#[must_use]
pub fn of(finding: &Finding) -> Vec<Note> {
    let notes = finding.notes.iter().copied();
    notes
        .filter(|note| !said_by(finding.verdict, *note))
        .collect()
}

/// The notes that are about some of a finding's endpoints, or about the addresses of one family.
#[must_use]
pub fn about(
    finding: &Finding,
    verdict: Verdict,
    endpoints: &[&EndpointReport],
    family: Option<Family>,
) -> Vec<Note> {
    let notes = finding.notes.iter().copied();
    notes
        .filter(|note| !said_by(verdict, *note))
        .filter(|note| concerns(*note, finding, endpoints, family))
        .collect()
}

/// Whether the headline says what a note says: where all is blocked, it names the ports that are assumed
/// to be let out.
fn said_by(verdict: Verdict, note: Note) -> bool {
    verdict == Verdict::Blocked && note == Note::PortAssumed
}

/// Whether a note is about these endpoints, or about the addresses of this family.
fn concerns(
    note: Note,
    finding: &Finding,
    endpoints: &[&EndpointReport],
    family: Option<Family>,
) -> bool {
    let blocked = || {
        let counted = endpoints.iter().filter(|e| e.counts());
        counted.filter(|e| e.verdict == Verdict::Blocked)
    };
    match note {
        Note::OnlyNoListener => blocked().any(|e| e.reach == Some(Reach::Refused)),
        Note::PortAssumed => blocked().any(|e| {
            let rests_on = e.rests_on.as_ref();
            rests_on.is_some_and(|r| r.port == PortProof::Assumed)
        }),
        Note::PrivateAddressPublished => finding
            .name
            .iter()
            .flat_map(|name| &name.queries)
            .filter(|query| query.family.is_some() && query.family == family)
            .flat_map(|query| query.answer.addresses())
            .any(|address| !is_global(*address)),
        Note::PossiblyMiddlebox => endpoints.iter().any(|e| {
            e.attempts.iter().any(|attempt| {
                let tcp = attempt.evidence.as_ref().and_then(|e| e.tcp.as_ref());
                tcp.is_some_and(|tcp| !tcp.middlebox.is_empty())
            })
        }),
        Note::SilenceAccepted => blocked()
            .flat_map(|e| &e.attempts)
            .any(|attempt| attempt.outcome == Outcome::Reached(Reach::NoAnswer)),
        Note::Ipv4Unwatched
        | Note::Ipv6Unwatched
        | Note::Wildcard
        | Note::DanglingAlias
        | Note::ResolverInvents => true,
    }
}

/// Whether an exposure was seen again within its round, where that was asked for. What stands in the
/// report is how many sets did not find the target shut, so no more than that is said.
#[must_use]
pub fn confirmation(finding: &Finding) -> Option<Phrase> {
    let confirmation = finding.confirmation?;
    let Confirmation { asked, seen } = confirmation;
    Some(Phrase::new(if confirmation.holds() {
        format!("confirmed: none of {asked} sets of attempts found it shut")
    } else {
        let shut = seen.saturating_add(1);
        format!("not confirmed: set {shut} of {asked} sets of attempts found it shut")
    }))
}

/// What a note says about a finding.
#[must_use]
pub fn say(finding: &Finding, note: Note) -> Phrase {
    match note {
        Note::OnlyNoListener => Phrase::new(match finding.target.transport {
            Some(Transport::Tcp) | None => {
                "something answered with a reset: only the absence of a listener protects it"
            }
            Some(Transport::Udp | Transport::Icmp) => {
                "the target itself answered that nothing listens: only the absence of a listener \
                 protects it"
            }
        }),
        Note::Ipv6Unwatched => Phrase::new("IPv6 is declared unwatched"),
        Note::Ipv4Unwatched => Phrase::new("IPv4 is declared unwatched"),
        Note::PortAssumed => Phrase::new(
            "that this network lets the port out is assumed: nothing was reached on it in this round",
        ),
        Note::ResolverInvents => Phrase::new("a resolver answers for names that cannot exist"),
        Note::PrivateAddressPublished => {
            Phrase::new("a resolver gives addresses that are not globally routable")
        }
        Note::Wildcard => {
            Phrase::new("the zone has a wildcard: a random name beside this one gets an answer too")
        }
        Note::DanglingAlias => match name::dangling(finding) {
            Some(alias) => Phrase::new("an alias leads to ").value(alias),
            None => Phrase::new("an alias leads to a name"),
        }
        .say(" where nothing is: whoever gets hold of that name takes this one over"),
        Note::SilenceAccepted => Phrase::new("silence counts here by ")
            .code("accept_silence")
            .say(", although an open service may be silent too"),
        Note::PossiblyMiddlebox => {
            Phrase::new("a device before the target may have completed the handshake in its name")
        }
    }
}
