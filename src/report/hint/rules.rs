//! The rules: each is one function over the finished round, and finds at most what it is named after.

use std::collections::{BTreeMap, BTreeSet};

use super::super::{saw, vantage};
use super::{Hint, Names};
use crate::domain::address::is_global;
use crate::domain::endpoint::{Family, Transport};
use crate::domain::finding::{EndpointReport, Finding, NameAnswer};
use crate::domain::observation::{Attempt, Blind, StoppedBy};
use crate::domain::own::NotOwn;
use crate::domain::rank::Rank;
use crate::domain::reach::Reach;
use crate::domain::report::{ControlReport, RoundReport, Side};
use crate::domain::target::Barrier;
use crate::domain::verdict::{Reason, Verdict};
use crate::domain::waiver::WaiverState;
use crate::domain::way::Assumption;

/// Every reason with which some part of a finding that counts has its verdict.
fn reasons(finding: &Finding) -> impl Iterator<Item = &Reason> {
    std::iter::once(&finding.reason)
        .chain(finding.counted().map(|e| &e.reason))
        .chain(finding.name_verdicts.iter().map(|n| &n.reason))
}

/// The targets for which a rule holds; `None` if there are none.
fn targets(report: &RoundReport, rule: impl Fn(&Finding) -> bool) -> Option<Names> {
    let found: Names = report
        .findings
        .iter()
        .filter(|f| rule(f))
        .map(|f| f.target.name.clone())
        .collect();
    (!found.is_empty()).then_some(found)
}

pub(super) fn with_reason(report: &RoundReport, rule: impl Fn(&Reason) -> bool) -> Option<Names> {
    targets(report, |f| reasons(f).any(&rule))
}

pub(super) fn with_blind(report: &RoundReport, rule: impl Fn(Blind) -> bool) -> Option<Names> {
    with_reason(
        report,
        |reason| matches!(reason, Reason::Blind { cause } if rule(*cause)),
    )
}

fn exposed_endpoints(finding: &Finding) -> impl Iterator<Item = &EndpointReport> {
    finding.counted().filter(|e| e.verdict == Verdict::Exposed)
}

pub(super) fn login_page(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        exposed_endpoints(finding)
            .filter_map(saw::http)
            .any(|http| http.status == 401 || (300..400).contains(&http.status))
    })
    .map(Hint::LoginPage)
}

pub(super) fn denial_unmet(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        exposed_endpoints(finding)
            .filter_map(saw::http)
            .any(|http| http.unmet.is_some())
    })
    .map(Hint::DenialUnmet)
}

pub(super) fn weaker(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| *r == Reason::WeakerThanPromised).map(Hint::WeakerThanPromised)
}

/// One hint for every different cause, with the targets that have it.
pub(super) fn by_cause<K: Ord, H>(
    report: &RoundReport,
    cause: impl Fn(&Finding, &Reason) -> Option<K>,
    hint: impl Fn(K, Names) -> H,
) -> Vec<H> {
    let mut groups: BTreeMap<K, Names> = BTreeMap::new();
    for finding in &report.findings {
        let causes: BTreeSet<K> = reasons(finding)
            .filter_map(|reason| cause(finding, reason))
            .collect();
        for cause in causes {
            let names = groups.entry(cause).or_default();
            names.push(finding.target.name.clone());
        }
    }
    groups
        .into_iter()
        .map(|(cause, names)| hint(cause, names))
        .collect()
}

/// Whether a target is declared by its address.
fn is_literal(finding: &Finding) -> bool {
    finding.name.is_none()
}

pub(super) fn no_control(report: &RoundReport) -> Vec<Hint> {
    let hosted = is_hosted(report);
    let cause = |finding: &Finding, reason: &Reason| match reason {
        // There no control can help.
        Reason::NoControl { class: Some(class) }
            if hosted && class.transport == Transport::Icmp =>
        {
            None
        }
        Reason::NoControl { class } => Some((*class, is_literal(finding))),
        _ => None,
    };
    by_cause(report, cause, |(class, literal), targets| Hint::NoControl {
        class,
        literal,
        targets,
    })
}

pub(super) fn control_lost(report: &RoundReport) -> Vec<Hint> {
    let hosted = is_hosted(report);
    let cause = |_: &Finding, reason: &Reason| match reason {
        Reason::ControlLost { control } if !(hosted && is_ping(report, control)) => {
            // Where somebody else answered in its name, that is said instead.
            let named = |report: &&ControlReport| report.name == *control;
            let mut own = report.controls.iter().filter(named);
            own.all(|control| another(control).is_none())
                .then(|| control.clone())
        }
        _ => None,
    };
    by_cause(report, cause, Hint::ControlLost)
}

/// Whether the round looked from a runner of GitHub's own.
fn is_hosted(report: &RoundReport) -> bool {
    report.vantage.environment == "github-hosted"
}

/// Whether a control of this name is a host that must reply to ping.
fn is_ping(report: &RoundReport, name: &str) -> bool {
    let mut named = report.controls.iter().filter(|c| c.name == name);
    named.any(|control| control.transport == Some(Transport::Icmp))
}

/// Pings from a runner to which no reply comes through (actions/runner-images#1519).
pub(super) fn hosted_ping(report: &RoundReport) -> Option<Hint> {
    let ping = |reason: &Reason| match reason {
        Reason::NoControl { class: Some(class) } => class.transport == Transport::Icmp,
        Reason::ControlLost { control } => is_ping(report, control),
        _ => false,
    };
    let names = with_reason(report, ping).filter(|_| is_hosted(report));
    names.map(Hint::HostedPing)
}

pub(super) fn no_echo_socket(report: &RoundReport) -> Option<Hint> {
    with_blind(report, |blind| blind == Blind::NoEchoSocket).map(Hint::NoEchoSocket)
}

pub(super) fn silence(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| matches!(r, Reason::SilenceTellsNothing { .. })).map(Hint::Silence)
}

/// Everything is inconclusive then, so the targets are not named.
pub(super) fn side(report: &RoundReport) -> Option<Hint> {
    let outside = report.vantage.outside.as_ref()?;
    let guard = outside.must_not_reach.clone();
    match outside.side {
        Side::Outside => None,
        Side::Inside => Some(Hint::Inside(guard)),
        Side::Unproven => Some(Hint::NotProvenOutside(guard)),
    }
}

pub(super) fn port_unproven(report: &RoundReport) -> Vec<Hint> {
    let port = |reason: &Reason| match reason {
        Reason::PortUnproven { transport, port } => Some((*transport, *port)),
        _ => None,
    };
    let kind = |(transport, port)| (transport, Assumption::Said.covers(transport, port));
    let cause = |_: &Finding, reason: &Reason| port(reason).map(kind);
    by_cause(report, cause, |(transport, assumable), targets| {
        let all = report.findings.iter().flat_map(reasons).filter_map(port);
        let ports: BTreeSet<u16> = all
            .filter(|port| kind(*port) == (transport, assumable))
            .map(|(_, port)| port)
            .collect();
        Hint::PortUnproven {
            transport,
            ports: ports.into_iter().collect(),
            assumable,
            targets,
        }
    })
}

pub(super) fn control_private(report: &RoundReport) -> Vec<Hint> {
    let hint = |control: &ControlReport| {
        let mut endpoints = control.checks.iter().flat_map(|check| &check.endpoints);
        if only_private(control) {
            Some(Hint::ControlPrivate(control.name.clone()))
        } else if endpoints.any(|e| !is_global(e.endpoint.address))
            && carries_global(report, control)
        {
            Some(Hint::ControlInside(control.name.clone()))
        } else {
            None
        }
    };
    report.controls.iter().filter_map(hint).collect()
}

/// Whether a control was never tried because its name gave only addresses that are not connected to.
/// Where `probe_non_global` is set, such a control has endpoints, or its name was found.
fn only_private(control: &ControlReport) -> bool {
    let queries = || {
        let names = control
            .checks
            .iter()
            .filter_map(|check| check.name.as_ref());
        names.flat_map(|name| &name.queries)
    };
    let mut addresses = queries()
        .flat_map(|query| query.answer.addresses())
        .peekable();
    control.name_held == Some(false)
        && control
            .checks
            .iter()
            .all(|check| check.endpoints.is_empty())
        && addresses.peek().is_some()
        && addresses.all(|address| !is_global(*address))
}

/// Whether an address on the internet lacks a control, or has only this one.
fn carries_global(report: &RoundReport, control: &ControlReport) -> bool {
    let mut endpoints = report.findings.iter().flat_map(Finding::counted);
    endpoints.any(|e| {
        let lacks = matches!(e.reason, Reason::NoControl { .. });
        let rests_on = e.rests_on.as_ref();
        is_global(e.endpoint.address)
            && (lacks || rests_on.is_some_and(|rests_on| rests_on.control == control.name))
    })
}

pub(super) fn no_family(report: &RoundReport) -> Vec<Hint> {
    let blind = |family: Family, wanted: &dyn Fn(&Finding) -> bool| {
        targets(report, |finding| {
            wanted(finding) && finding.counted().any(|e| is_without_route(e, family))
        })
    };
    // Where a control was reached over the family, the trouble lies further out.
    let proven = |family: Family| report.vantage.proven.contains(&family);
    let six = [false, true].into_iter().filter_map(|literal| {
        let targets = blind(Family::Ipv6, &|finding| is_literal(finding) == literal)?;
        (!proven(Family::Ipv6)).then_some(Hint::NoIpv6 { literal, targets })
    });
    let four = blind(Family::Ipv4, &|_| !proven(Family::Ipv4)).map(Hint::NoIpv4);
    let far = targets(report, |finding| {
        Family::ALL
            .into_iter()
            .filter(|f| proven(*f))
            .any(|family| {
                let mut endpoints = finding.counted();
                endpoints.any(|e| is_without_route(e, family))
            })
    });
    six.chain(four).chain(far.map(Hint::NoWay)).collect()
}

/// Whether no way led to an endpoint of this family.
fn is_without_route(endpoint: &EndpointReport, family: Family) -> bool {
    let cause = match &endpoint.reason {
        Reason::Blind { cause } => *cause,
        _ => return false,
    };
    endpoint.endpoint.family() == family && matches!(cause, Blind::NoRoute | Blind::NoFamily)
}

pub(super) fn resolver_invents(report: &RoundReport) -> Option<Hint> {
    let inventing = report.resolvers.iter().filter(|r| r.invents);
    let names: Names = inventing.map(|r| r.resolver.clone()).collect();
    (!names.is_empty()).then_some(Hint::ResolverInvents(names))
}

pub(super) fn resolver_blind(report: &RoundReport) -> Option<Hint> {
    name_blind(report, false).map(Hint::ResolverBlind)
}

pub(super) fn server_blind(report: &RoundReport) -> Option<Hint> {
    name_blind(report, true).map(Hint::ServerBlind)
}

/// The targets whose name could not be seen because of resolvers or, with `own`, because of nobody but
/// the zone's own servers, whom other resolvers do not mend.
fn name_blind(report: &RoundReport, own: bool) -> Option<Names> {
    targets(report, |finding| {
        reasons(finding).any(|reason| match reason {
            Reason::Blind { cause } => {
                is_of_names(*cause) && is_of_own_servers(finding, *cause) == own
            }
            _ => false,
        })
    })
}

/// Whether the zone's own servers, and no resolver, are who gave no answer for this reason.
fn is_of_own_servers(finding: &Finding, cause: Blind) -> bool {
    let queries = finding.name.iter().flat_map(|name| &name.queries);
    let mut blind = queries
        .filter(|query| query.answer == NameAnswer::Blind(cause))
        .peekable();
    blind.peek().is_some() && blind.all(|query| query.authority.is_some())
}

/// Whether a name server is why something could not be seen.
const fn is_of_names(cause: Blind) -> bool {
    match cause {
        Blind::ResolverTimeout
        | Blind::ResolverServfail
        | Blind::ResolverRefused
        | Blind::ResolverTruncated
        | Blind::ResolverWithholds
        | Blind::ResolverFilters
        | Blind::ResolverError
        | Blind::ServerLame => true,
        Blind::NoRoute
        | Blind::NoFamily
        | Blind::LocalUnreachable
        | Blind::OwnNetwork
        | Blind::OwnGateway
        | Blind::ReversePath
        | Blind::NotPermitted
        | Blind::NoEchoSocket
        | Blind::TooManyFiles
        | Blind::NoLocalPort
        | Blind::NoBuffers
        | Blind::LocalError
        | Blind::Interrupted => false,
    }
}

pub(super) fn name_gone(report: &RoundReport) -> Option<Hint> {
    let targets = with_reason(report, |r| *r == Reason::NameGone)?;
    // Where a control's name is missing too, nobody knows yet that a target is stale.
    let mut unfound = report
        .controls
        .iter()
        .filter(|control| control.name_held == Some(false) && !only_private(control));
    Some(match unfound.next() {
        Some(control) => Hint::NamesMissing(control.name.clone(), targets),
        None => Hint::NameGone(targets),
    })
}

pub(super) fn private_address(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        finding.target.barrier != Barrier::Dns
            && finding
                .counted()
                .any(|e| e.reach == Some(Reach::PrivateAddress))
    })
    .map(Hint::PrivateAddress)
}

pub(super) fn unwelcome(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| {
        matches!(r, Reason::Throttled | Reason::Challenged)
    })
    .map(Hint::Unwelcome)
}

pub(super) fn filtered(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| *r == Reason::Filtered).map(Hint::Filtered)
}

pub(super) fn foreign_certificate(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| *r == Reason::ForeignCertificate).map(Hint::ForeignCertificate)
}

/// An alert that is no refusal because of where it came, where nothing else is the trouble.
pub(super) fn alert_in_the_clear(report: &RoundReport) -> Option<Hint> {
    let early = |attempt: &Attempt| {
        let evidence = attempt.evidence.as_ref();
        matches!(
            evidence.and_then(|e| e.stopped_by.as_ref()),
            Some(StoppedBy::Alert {
                before_hello: true,
                ..
            })
        )
    };
    targets(report, |finding| {
        let mut unseen = finding
            .counted()
            .filter(|endpoint| endpoint.reason == Reason::NoDenialSeen);
        unseen.any(|endpoint| endpoint.attempts.iter().any(early))
    })
    .map(Hint::AlertInTheClear)
}

/// One a control: the last of its answers that was another's.
pub(super) fn control_not_own(report: &RoundReport) -> Vec<Hint> {
    let hint = |control: &ControlReport| {
        let why = another(control)?;
        Some(Hint::ControlNotOwn(control.name.clone(), why))
    };
    report.controls.iter().filter_map(hint).collect()
}

/// Why the last of a control's answers that was another's is that.
fn another(control: &ControlReport) -> Option<NotOwn> {
    let endpoints = control.checks.iter().flat_map(|check| &check.endpoints);
    endpoints.filter_map(vantage::not_own).next_back()
}

pub(super) fn exhausted(report: &RoundReport) -> Vec<Hint> {
    let causes = [Blind::TooManyFiles, Blind::NoLocalPort, Blind::NoBuffers];
    let hint = |cause| {
        let names = with_blind(report, |blind| blind == cause)?;
        Some(Hint::Exhausted(cause, names))
    };
    causes.into_iter().filter_map(hint).collect()
}

pub(super) fn not_permitted(report: &RoundReport) -> Option<Hint> {
    with_blind(report, |blind| blind == Blind::NotPermitted).map(Hint::NotPermitted)
}

/// Of a target that is blocked the end of its waiver is no news.
pub(super) fn waiver_ends(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        let state = finding.waiver.as_ref().map(|waiver| waiver.state);
        state == Some(WaiverState::ExpiresSoon) && finding.verdict != Verdict::Blocked
    })
    .map(Hint::WaiverEnds)
}

pub(super) fn waiver_needless(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        finding.waiver.is_some() && finding.verdict == Verdict::Blocked
    })
    .map(Hint::WaiverNeedless)
}

pub(super) fn waiver_partly(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        finding.verdict == Verdict::Exposed && finding.rank() == Rank::Inconclusive
    })
    .map(Hint::WaiverPartly)
}
