//! From what was seen to findings: every observation is judged, and the worst of each target stands.

use std::borrow::Cow;
use std::net::IpAddr;

use super::answers::{dangles, missing};
use super::basis::Basis;
use super::names::Names;
use super::watch::{Sight, Tried};
use crate::domain::address::is_global;
use crate::domain::endpoint::Family;
use crate::domain::finding::{
    EndpointReport, Finding, NameAnswer, NameQuery, NameReport, NameVerdict, Note, TargetInfo,
};
use crate::domain::observation::{Attempt, Blind, Outcome};
use crate::domain::payload::Silence;
use crate::domain::reach::Reach;
use crate::domain::report::Side;
use crate::domain::target::{Barrier, Denial, Target, TargetKind};
use crate::domain::verdict::{Doubt, Judgement, Reason, RestsOn, Standing, Verdict, judge};
use crate::domain::way::PortProof;

/// Judges one target. `index` is its place in the plan.
pub(crate) fn finding(
    target: &Target,
    index: usize,
    sight: Sight,
    basis: &Basis<'_, '_>,
    names: &Names,
) -> Finding {
    let judge = Judge {
        target,
        index,
        by_name: sight.name.is_some(),
        invented: basis.invented,
        side: basis.side(),
        basis,
    };
    let mut name_verdicts = Vec::new();
    if let Some(name) = &sight.name {
        name_verdicts = judge.names(&name.queries, &sight.addresses);
    }
    let mut endpoints = judge.not_connected(&sight);
    endpoints.extend(
        sight
            .endpoints
            .into_iter()
            .map(|tried| judge.endpoint(tried)),
    );
    endpoints.sort_by_key(|report| report.endpoint);

    let (verdict, reason, reach) = sum_up(&name_verdicts, &endpoints);
    let mut notes = notes(target, &name_verdicts, &endpoints, &sight.addresses, &judge);
    if names.answered(&sight.sibling) {
        notes.push(Note::Wildcard);
    }
    if sight.name.as_ref().is_some_and(|n| dangles(&n.queries)) {
        notes.push(Note::DanglingAlias);
    }
    Finding {
        target: info(target),
        verdict,
        reason,
        reach,
        name: sight.name,
        name_verdicts,
        endpoints,
        notes,
        // The round knows the day, and looks again.
        waiver: None,
        confirmation: None,
        withheld: false,
        partly: false,
        vantages: Vec::new(),
    }
}

/// The verdict of the worst part, the reason of the first such part, and the furthest rung of all.
pub(crate) fn sum_up(
    names: &[NameVerdict],
    endpoints: &[EndpointReport],
) -> (Verdict, Reason, Option<Reach>) {
    // What is tried beside the declared endpoints can only add an exposure, unless somebody declared a
    // control for it: then it was meant to be seen.
    let counted = || endpoints.iter().filter(|e| e.counts());
    let parts = || {
        let names = names.iter().map(|n| (n.verdict, &n.reason));
        names.chain(counted().map(|e| (e.verdict, &e.reason)))
    };
    // Nothing seen at all cannot happen with a watched family, and would not be a pass.
    let verdict = parts()
        .map(|(verdict, _)| verdict)
        .max()
        .unwrap_or(Verdict::Inconclusive);
    let reason = parts()
        .find(|(part, _)| *part == verdict)
        .map_or(Reason::NameGone, |(_, reason)| reason.clone());
    let reach = names
        .iter()
        .map(|n| n.reach)
        .chain(counted().map(|e| e.reach))
        .flatten()
        .max();
    (verdict, reason, reach)
}

struct Judge<'a> {
    target: &'a Target,
    index: usize,
    /// Whether the addresses came from resolvers.
    by_name: bool,
    invented: bool,
    /// Where the round looked from, where that could be asked.
    side: Option<Side>,
    basis: &'a Basis<'a, 'a>,
}

impl Judge<'_> {
    /// Judges what was not seen by an attempt at an endpoint.
    fn judge(&self, outcome: Outcome, standing: &Standing) -> Judgement {
        let target = self.target;
        judge(
            target.barrier,
            &target.denial,
            outcome,
            None,
            standing,
            None,
        )
    }

    /// What is left of a standing where it matters from where the round looked.
    fn seen_from(&self, standing: Standing) -> Standing {
        let guard = || self.basis.controls.guard_name().unwrap_or_default();
        match (self.side, standing) {
            (Some(Side::Inside), _) => Standing::Inside(guard()),
            (
                Some(Side::Unproven),
                Standing::Held(_)
                | Standing::NotNeeded
                | Standing::Absent
                | Standing::PortUnproven(..)
                | Standing::OtherWay(_)
                | Standing::TooNear(_)
                | Standing::Doubtful(_)
                | Standing::NotBetween(_)
                | Standing::TooFast
                | Standing::Deaf(_),
            ) => Standing::NotProvenOutside(guard()),
            (Some(Side::Outside | Side::Unproven) | None, standing) => standing,
        }
    }

    fn name_standing(&self) -> Standing {
        self.seen_from(self.plain_name_standing())
    }

    fn plain_name_standing(&self) -> Standing {
        if !self.by_name {
            Standing::NotNeeded
        } else if self.invented {
            Standing::Invented
        } else {
            let non_global = self.target.probe_non_global;
            self.basis.controls.name_standing(self.index, non_global)
        }
    }

    /// What the answers of name servers decide by themselves.
    fn names(&self, queries: &[NameQuery], addresses: &[IpAddr]) -> Vec<NameVerdict> {
        if matches!(
            self.target.kind,
            TargetKind::Dns {
                record: Some(_),
                ..
            }
        ) {
            return self.records(queries);
        }
        let mut verdicts = Vec::new();
        for family in &self.target.families {
            let of_family = |query: &&NameQuery| query.family == Some(*family);
            if let Some(cause) = missing(queries, of_family) {
                verdicts.push(self.name_verdict(Outcome::Blind(cause), vec![*family]));
            }
        }
        if addresses.is_empty() {
            if verdicts.is_empty() {
                let outcome = Outcome::Reached(Reach::NoName);
                verdicts.push(self.name_verdict(outcome, self.target.families.clone()));
            }
        } else if self.target.barrier == Barrier::Dns {
            for (reach, global) in [(Reach::PublicAddress, true), (Reach::PrivateAddress, false)] {
                let families: Vec<Family> = self
                    .target
                    .families
                    .iter()
                    .copied()
                    .filter(|family| {
                        addresses
                            .iter()
                            .any(|a| is_global(*a) == global && Family::of(*a) == *family)
                    })
                    .collect();
                if !families.is_empty() {
                    verdicts.push(self.name_verdict(Outcome::Reached(reach), families));
                }
            }
        }
        verdicts
    }

    /// The same for a type of record that has no family: the verdict is about all of the target.
    fn records(&self, queries: &[NameQuery]) -> Vec<NameVerdict> {
        let published = queries
            .iter()
            .any(|query| matches!(query.answer, NameAnswer::Records(_)));
        let missing = missing(queries, |_| true);
        let outcomes = [
            published.then_some(Outcome::Reached(Reach::PublicRecord)),
            missing.map(Outcome::Blind),
            (!published && missing.is_none()).then_some(Outcome::Reached(Reach::NoName)),
        ];
        outcomes
            .into_iter()
            .flatten()
            .map(|outcome| self.name_verdict(outcome, self.target.families.clone()))
            .collect()
    }

    fn name_verdict(&self, outcome: Outcome, families: Vec<Family>) -> NameVerdict {
        let standing = self.name_standing();
        let Judgement { verdict, reason } = self.judge(outcome, &standing);
        NameVerdict {
            verdict,
            reason,
            reach: reach_of(outcome),
            rests_on: rests_on(verdict, standing),
            families,
        }
    }

    /// The addresses that must not be connected to.
    fn not_connected(&self, sight: &Sight) -> Vec<EndpointReport> {
        if self.target.barrier == Barrier::Dns || self.target.probe_non_global {
            return Vec::new();
        }
        sight
            .addresses
            .iter()
            .filter(|address| !is_global(**address))
            .filter_map(|address| self.target.kind.endpoint(*address))
            .map(|endpoint| {
                let standing = self.name_standing();
                let outcome = private(sight.name.as_ref(), endpoint.address);
                let Judgement { verdict, reason } = self.judge(outcome, &standing);
                EndpointReport {
                    endpoint,
                    companion: false,
                    controlled: false,
                    verdict,
                    reason,
                    reach: reach_of(outcome),
                    rests_on: rests_on(verdict, standing),
                    way: None,
                    attempts: Vec::new(),
                }
            })
            .collect()
    }

    /// The stops that count. A companion that no control stands for can only add what got past the
    /// barrier: the rejection that came back may be our own side's, which closes UDP 443 as readily as
    /// the target's, and no stop of it is weaker than anything that was promised.
    fn denial(&self, lenient: bool) -> Cow<'_, Denial> {
        if lenient {
            Cow::Owned(Denial::all_of(self.target.barrier))
        } else {
            Cow::Borrowed(&self.target.denial)
        }
    }

    /// What an attempt rests on.
    fn standing(&self, tried: &Tried, outcome: Outcome) -> Standing {
        self.seen_from(if self.by_name && self.invented {
            Standing::Invented
        } else {
            self.basis.of_attempt(self.index, tried, outcome)
        })
    }

    fn endpoint(&self, tried: Tried) -> EndpointReport {
        let endpoint = tried.endpoint;
        let controlled = tried.companion && self.basis.controls.declared_for(self.index, endpoint);
        let denial = self.denial(tried.companion && !controlled);
        let interrupted = || Judgement {
            verdict: Verdict::Inconclusive,
            reason: Reason::Blind {
                cause: Blind::Interrupted,
            },
        };
        let judged = tried.attempts.iter().map(|attempt| {
            let standing = self.standing(&tried, attempt.outcome);
            let judgement = judge(
                self.target.barrier,
                &denial,
                attempt.outcome,
                doubt(self.target, attempt),
                &standing,
                Some(endpoint.class()),
            );
            let rests_on = rests_on(judgement.verdict, standing);
            (judgement, rests_on)
        });
        let worst = judged
            .chain((!tried.complete).then(|| (interrupted(), None)))
            // The first of the worst, where `max_by_key` would give the last.
            .reduce(|worst, next| {
                if next.0.verdict > worst.0.verdict {
                    next
                } else {
                    worst
                }
            });
        let (Judgement { verdict, reason }, rests_on) =
            worst.unwrap_or_else(|| (interrupted(), None));
        let Tried {
            companion,
            attempts,
            way,
            ..
        } = tried;
        EndpointReport {
            endpoint,
            companion,
            controlled,
            reach: attempts.iter().filter_map(|a| reach_of(a.outcome)).max(),
            rests_on,
            verdict,
            reason,
            way,
            attempts,
        }
    }
}

/// What an address is that is not connected to. A resolver alone may have made it up to keep the true
/// one to itself.
fn private(name: Option<&NameReport>, address: IpAddr) -> Outcome {
    if name.is_none_or(|name| name.is_own_word(address)) {
        Outcome::Reached(Reach::PrivateAddress)
    } else {
        Outcome::Blind(Blind::ResolverWithholds)
    }
}

/// What keeps an attempt from telling about the target.
fn doubt(target: &Target, attempt: &Attempt) -> Option<Doubt> {
    let http = attempt.evidence.as_ref().and_then(|e| e.http.as_ref());
    let caveat = http.and_then(|http| http.caveat);
    caveat.map(Doubt::from).or_else(|| match &target.kind {
        TargetKind::Udp { payload, .. } if !target.accept_silence => match payload.silence() {
            Silence::Tells => None,
            Silence::TellsNothing(because) => Some(Doubt::Mute(because)),
        },
        TargetKind::Udp { .. }
        | TargetKind::Url(_)
        | TargetKind::Tcp { .. }
        | TargetKind::Quic { .. }
        | TargetKind::Icmp { .. }
        | TargetKind::Dns { .. } => None,
    })
}

const fn reach_of(outcome: Outcome) -> Option<Reach> {
    match outcome {
        Outcome::Reached(reach) => Some(reach),
        Outcome::Blind(_) => None,
    }
}

fn rests_on(verdict: Verdict, standing: Standing) -> Option<RestsOn> {
    match (verdict, standing) {
        (Verdict::Blocked, Standing::Held(rests_on)) => Some(rests_on),
        _ => None,
    }
}

fn notes(
    target: &Target,
    names: &[NameVerdict],
    endpoints: &[EndpointReport],
    addresses: &[IpAddr],
    judge: &Judge<'_>,
) -> Vec<Note> {
    let mut notes = Vec::new();
    let by_name = judge.by_name;
    let blocked = |reach| {
        endpoints
            .iter()
            .any(|e| !e.companion && e.verdict == Verdict::Blocked && e.reach == Some(reach))
    };
    if blocked(Reach::Refused) {
        notes.push(Note::OnlyNoListener);
    }
    let assumed = |e: &EndpointReport| {
        let rests_on = e.rests_on.as_ref();
        e.counts() && rests_on.is_some_and(|r| r.port == PortProof::Assumed)
    };
    let silent = endpoints
        .iter()
        .filter(|e| !e.companion && e.verdict == Verdict::Blocked)
        .flat_map(|e| &e.attempts)
        .any(|attempt| attempt.outcome == Outcome::Reached(Reach::NoAnswer));
    if silent && target.accept_silence {
        notes.push(Note::SilenceAccepted);
    }
    let by_middlebox = |attempt: &Attempt| {
        let tcp = attempt.evidence.as_ref().and_then(|e| e.tcp.as_ref());
        tcp.is_some_and(|tcp| !tcp.middlebox.is_empty())
    };
    if endpoints.iter().flat_map(|e| &e.attempts).any(by_middlebox) {
        notes.push(Note::PossiblyMiddlebox);
    }
    if endpoints.iter().any(assumed) {
        notes.push(Note::PortAssumed);
    }
    if by_name && addresses.iter().any(|a| !is_global(*a)) && !target.probe_non_global {
        notes.push(Note::PrivateAddressPublished);
    }
    if by_name && judge.invented {
        notes.push(Note::ResolverInvents);
    }
    // An address literal has one family; the other is not unwatched but absent.
    if !names.is_empty() || by_name {
        for (family, note) in [
            (Family::Ipv4, Note::Ipv4Unwatched),
            (Family::Ipv6, Note::Ipv6Unwatched),
        ] {
            if !target.families.contains(&family) {
                notes.push(note);
            }
        }
    }
    notes
}

fn info(target: &Target) -> TargetInfo {
    TargetInfo {
        name: target.name.clone(),
        kind: target.kind.as_str().to_owned(),
        address: target.kind.to_string(),
        port: target.kind.port(),
        transport: target.kind.transport(),
        payload: match &target.kind {
            TargetKind::Udp { payload, .. } => Some(payload.to_string()),
            TargetKind::Url(_)
            | TargetKind::Tcp { .. }
            | TargetKind::Quic { .. }
            | TargetKind::Icmp { .. }
            | TargetKind::Dns { .. } => None,
        },
        barrier: target.barrier,
        denial: target.denial.clone(),
        families: target.families.clone(),
        position: target.position.clone(),
        notify: target.notify.clone(),
    }
}
