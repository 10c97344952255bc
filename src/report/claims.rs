//! Whether a saved round's claims follow from its own evidence.
//!
//! A saved round is data from outside. Every `blocked` in it is judged again: from the attempts, the
//! rung, the doubt that a silence leaves, the control that it names and the side from which it looked.
//! Nothing here makes a verdict worse; a report that claims too much is refused as a whole. What was
//! found inconclusive is taken at its word, except of a companion: there it would hide an exposure.
//! So is a report that withholds all details, which tells anybody that it has no proof.

use std::collections::BTreeSet;

use crate::domain::address::is_global;
use crate::domain::endpoint::{Endpoint, Transport};
use crate::domain::finding::{EndpointReport, Finding, NameVerdict, Note, TargetInfo};
use crate::domain::merged::{self, Absent, Ground, Missing};
use crate::domain::observation::{Attempt, Blind, Outcome};
use crate::domain::payload::{Protocol, Silence};
use crate::domain::reach::Reach;
use crate::domain::report::{ControlReport, RoundReport, Side};
use crate::domain::shard::Shard;
use crate::domain::stand::{Stood, Window, may_be_dropped, stood, tried_on};
use crate::domain::trail::Confirmation;
use crate::domain::verdict::{Doubt, Judgement, Reason, RestsOn, Standing, Verdict, judge};
use crate::domain::waiver::WaiverState;
use crate::domain::way::{Distance, PortProof};

/// Whether a report or a finding says that details are withheld, and is not what withholding leaves: it
/// would hide what contradicts it, or not be looked at as one without evidence.
pub fn half_withheld(report: &RoundReport) -> bool {
    if report.withheld {
        *report != report.withheld()
    } else {
        let mut findings = report.findings.iter();
        findings.any(|f| f.withheld || f.partly || f.reason == Reason::Withheld)
    }
}

/// Whether a waiver stands otherwise than its last day and the round's own day say.
pub fn misdates_waiver(finding: &Finding, report: &RoundReport) -> bool {
    finding.waiver.as_ref().is_some_and(|waiver| {
        let ground = report.ground(finding);
        ground.is_none_or(|ground| waiver.state != WaiverState::of(waiver.until, ground.started))
    })
}

/// Whether something is said to have been seen again that was not exposed, or in a number of sets that
/// cannot be. The first set always saw it, and a single one confirms nothing.
pub fn misstates_confirmation(finding: &Finding) -> bool {
    finding
        .confirmation
        .is_some_and(|Confirmation { asked, seen }| {
            finding.verdict != Verdict::Exposed || asked < 2 || seen < 1 || seen > asked
        })
}

/// Whether what only insiders reach was reached, and the report does not say so.
pub fn hides_its_side(report: &RoundReport) -> bool {
    let merged = report.rounds.iter().map(|round| &round.vantage);
    let mut vantages = merged.chain([&report.vantage]);
    vantages.any(|vantage| {
        vantage.outside.as_ref().is_some_and(|outside| {
            let mut endpoints = outside.checks.iter().flat_map(|check| &check.endpoints);
            outside.side != Side::Inside && endpoints.any(|e| e.reached)
        })
    })
}

/// What is wrong with how a report was made of several rounds, or claims to be of one.
pub fn unmerged(report: &RoundReport) -> Option<&'static str> {
    let shards = report.rounds.iter().filter_map(|round| round.shard);
    if !shards.chain(report.shard).all(Shard::is_sound) {
        return Some("it names a shard that cannot be");
    }
    if report.shard.is_some() && !report.partial {
        return Some("it is the round of a shard, and says that it looked at all");
    }
    if report.rounds.is_empty() {
        let merged =
            !report.missing.is_empty() || report.findings.iter().any(|f| !f.vantages.is_empty());
        return merged.then_some("it names rounds that it was made of, and has none");
    }
    if !report.controls.is_empty() || !report.resolvers.is_empty() || report.shard.is_some() {
        return Some("it was made of several rounds, and something in it belongs to none of them");
    }
    if report.findings.iter().any(|f| !is_worst_of(f, report)) {
        return Some("a finding is not the worst of what its vantages saw");
    }
    let expected = report.missing.iter().find_map(|missing| match missing {
        Missing::Rounds { expected, .. } => Some(*expected),
        Missing::Report { .. } | Missing::Shard { .. } | Missing::Targets { .. } => None,
    });
    // An unreadable report leaves no trace but what is said of it.
    let follows: Vec<&Missing> = report
        .missing
        .iter()
        .filter(|missing| !matches!(missing, Missing::Report { .. }))
        .collect();
    let found = merged::missing(&report.rounds, &report.findings, expected);
    if follows != found.iter().collect::<Vec<_>>()
        || report.partial != merged::is_partial(&report.rounds, &report.missing)
    {
        return Some("it does not say what is missing among the rounds that it was made of");
    }
    let absent = Absent::of(&report.missing);
    let claimed = report
        .findings
        .iter()
        .any(|f| f.verdict == Verdict::Blocked && absent.from(&f.target.name).is_some());
    claimed.then_some("something is blocked that was not looked at from everywhere")
}

/// Whether a merged finding says of each vantage what it saw, once, and is itself the worst of that.
fn is_worst_of(finding: &Finding, report: &RoundReport) -> bool {
    let Some(first) = finding.vantages.first() else {
        return false;
    };
    let mut rounds = BTreeSet::new();
    let once = finding
        .vantages
        .iter()
        .all(|seen| seen.round < report.rounds.len() && rounds.insert(seen.round));
    let worst = finding
        .vantages
        .iter()
        .all(|seen| seen.verdict <= first.verdict);
    once && worst && (first.verdict == finding.verdict || finding.is_unconfirmed_block())
}

/// Whether some part of a finding is worse than the finding, or `blocked` without having been seen. Where
/// the report withholds details there is nothing to judge by, and it must say so as a whole.
pub fn too_mild(finding: &Finding, report: &RoundReport) -> bool {
    if report.withheld && finding.withheld {
        return false;
    }
    let Some(ground) = report.ground(finding) else {
        return true;
    };
    let endpoints = finding.counted().map(|e| e.verdict);
    let names = finding.name_verdicts.iter().map(|n| n.verdict);
    match endpoints.chain(names).max() {
        None => finding.verdict == Verdict::Blocked,
        Some(worst) if worst > finding.verdict => true,
        Some(_) => {
            finding
                .endpoints
                .iter()
                .any(|e| !borne_out(finding, e, ground))
                || finding
                    .name_verdicts
                    .iter()
                    .any(|n| n.verdict == Verdict::Blocked && !name_borne_out(finding, n, ground))
        }
    }
}

fn name_borne_out(finding: &Finding, name: &NameVerdict, ground: Ground<'_>) -> bool {
    let outcome = name.reach.map(Outcome::Reached);
    let standing = name_standing(name.rests_on.as_ref(), ground);
    name.reason == Reason::Stopped
        && from_outside(ground)
        && outcome.is_some_and(|outcome| stopped(&finding.target, outcome, None, &standing))
}

/// Whether an endpoint belongs to the target and its attempts do not say otherwise than it does.
fn borne_out(finding: &Finding, endpoint: &EndpointReport, ground: Ground<'_>) -> bool {
    if !belongs(&finding.target, endpoint) {
        return false;
    }
    match endpoint.verdict {
        Verdict::Exposed => true,
        Verdict::Inconclusive => !endpoint.companion || !hidden(finding, endpoint),
        Verdict::Blocked => blocked(finding, endpoint, ground),
    }
}

/// Whether the target stands for this endpoint: by its own transport and port or, for a companion of
/// a URL, by UDP on the same port.
fn belongs(target: &TargetInfo, report: &EndpointReport) -> bool {
    let Endpoint {
        transport, port, ..
    } = report.endpoint;
    let declared = if report.companion {
        target.kind == "url" && transport == Transport::Udp
    } else {
        target.transport == Some(transport)
    };
    declared && target.port == port
}

/// Whether an attempt at a companion got past the barrier, and nothing but its verdict says otherwise.
/// Only from inside is that no exposure.
fn hidden(finding: &Finding, endpoint: &EndpointReport) -> bool {
    let past = |attempt: &Attempt| {
        let doubt = doubt(finding, attempt);
        let judged = judged(
            &finding.target,
            attempt.outcome,
            doubt,
            &Standing::NotNeeded,
        );
        judged.reason == Reason::PastBarrier
    };
    !matches!(endpoint.reason, Reason::Inside { .. }) && endpoint.attempts.iter().any(past)
}

/// Whether an endpoint's own attempts say that it is blocked.
fn blocked(finding: &Finding, endpoint: &EndpointReport, ground: Ground<'_>) -> bool {
    let (target, rests_on) = (&finding.target, endpoint.rests_on.as_ref());
    let seen = if endpoint.attempts.is_empty() {
        // The one rung that is reached without an attempt. A name is found by whatever transport, and
        // an address that the target itself gives needs no finding.
        let standing = match (rests_on, &finding.name) {
            (None, None) => Standing::NotNeeded,
            (rests_on, _) => name_standing(rests_on, ground),
        };
        let outcome = Outcome::Reached(Reach::PrivateAddress);
        // A resolver alone may have made the address up.
        let name = finding.name.as_ref();
        let given = name.is_none_or(|name| name.is_own_word(endpoint.endpoint.address));
        endpoint.reach == Some(Reach::PrivateAddress)
            && given
            && stopped(target, outcome, None, &standing)
    } else {
        let standing = standing(finding, endpoint, ground);
        endpoint
            .attempts
            .iter()
            .all(|a| stopped(target, a.outcome, doubt(finding, a), &standing))
    };
    seen && endpoint.reason == Reason::Stopped && from_outside(ground)
}

fn stopped(
    target: &TargetInfo,
    outcome: Outcome,
    doubt: Option<Doubt>,
    standing: &Standing,
) -> bool {
    judged(target, outcome, doubt, standing).verdict == Verdict::Blocked
}

fn judged(
    target: &TargetInfo,
    outcome: Outcome,
    doubt: Option<Doubt>,
    standing: &Standing,
) -> Judgement {
    judge(
        target.barrier,
        &target.denial,
        outcome,
        doubt,
        standing,
        None,
    )
}

/// What keeps an attempt from telling about the target: as the round saw it, but from the words in
/// the report. A payload that this version does not know makes no silence tell.
fn doubt(finding: &Finding, attempt: &Attempt) -> Option<Doubt> {
    let http = attempt.evidence.as_ref().and_then(|e| e.http.as_ref());
    let caveat = http.and_then(|http| http.caveat).map(Doubt::from);
    caveat.or_else(|| {
        let target = &finding.target;
        let accepted = finding.notes.contains(&Note::SilenceAccepted);
        if target.kind != "udp" || accepted {
            return None;
        }
        let payload = target.payload.as_deref();
        let mut protocols = Protocol::ALL.into_iter();
        match protocols.find(|own| payload == Some(own.as_str())) {
            Some(protocol) => match protocol.silence() {
                Silence::Tells => None,
                Silence::TellsNothing(because) => Some(Doubt::Mute(because)),
            },
            None => Some(Doubt::Mute("nothing says that a service must answer")),
        }
    })
}

/// Whether nothing says that the round looked from inside, or may have.
fn from_outside(ground: Ground<'_>) -> bool {
    match ground.vantage.outside.as_ref().map(|own| own.side) {
        Some(Side::Inside | Side::Unproven) => false,
        Some(Side::Outside) | None => true,
    }
}

/// What the control proves that a name rests on: nothing, unless it stands in the report.
fn name_standing(rests_on: Option<&RestsOn>, ground: Ground<'_>) -> Standing {
    let Some(rests_on) = rests_on else {
        return Standing::Absent;
    };
    let mut controls = ground.controls.iter();
    if controls.any(|control| control.name == rests_on.control) {
        Standing::Held(rests_on.clone())
    } else {
        Standing::Lost(rests_on.control.clone())
    }
}

/// What an endpoint rests on, as its own round judged it: from the checkpoints of the control that it
/// names, the way, the times of the attempts, and what was reached on its port.
fn standing(finding: &Finding, report: &EndpointReport, ground: Ground<'_>) -> Standing {
    let Some(rests_on) = &report.rests_on else {
        return Standing::Absent;
    };
    let (endpoint, way) = (report.endpoint, report.way.as_ref());
    let held = |control: &&ControlReport| {
        control.transport == Some(endpoint.transport)
            && stood(&control.checks, control.every_port, endpoint, way) == Stood::Throughout
    };
    // Several may be called the same: one on every port for all targets, and one for some.
    let named = || {
        let all = ground.controls.iter().filter(held);
        all.filter(|control| control.name == rests_on.control)
    };
    if named().next().is_none() {
        return Standing::Lost(rests_on.control.clone());
    }
    let is_near = way.is_some_and(|way| way.distance < Distance::Beyond);
    if is_near && is_global(endpoint.address) {
        return Standing::Deaf(Blind::OwnNetwork);
    }
    let dropped = ground.vantage.reverse_path_drops.unwrap_or_default();
    if may_be_dropped(dropped, endpoint, &report.attempts) {
        return Standing::Deaf(Blind::ReversePath);
    }
    let window = Window::of(&report.attempts);
    let attended =
        |control: &ControlReport| window.is_some_and(|window| window.is_attended(&control.checks));
    if !ground.controls.iter().filter(held).any(attended) {
        return Standing::NotBetween(rests_on.control.clone());
    }
    let proven = match (&rests_on.port, endpoint.port) {
        (PortProof::NoPort, port) => port.is_none(),
        (PortProof::Control, port) => named().any(|control| tried_on(&control.checks, port)),
        (PortProof::Reached { at }, _) => {
            let mut ports = ground.vantage.ports.iter();
            ports.any(|reached| reached.endpoint.place() == *at && reached.proves(endpoint, way))
        }
        (PortProof::Assumed, port) => {
            let said = ground.vantage.unfiltered.zip(port);
            let told = !report.counts() || finding.notes.contains(&Note::PortAssumed);
            told && said.is_some_and(|(said, port)| said.covers(endpoint.transport, port))
        }
    };
    if proven {
        Standing::Held(rests_on.clone())
    } else {
        Standing::PortUnproven(endpoint.transport, endpoint.port.unwrap_or_default())
    }
}
