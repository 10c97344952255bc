//! Advice, one function a rule over the finished round. A hint never changes a verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::phrase::Phrase;
use super::saw;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Class, Family};
use crate::domain::finding::{EndpointReport, Finding, NameAnswer};
use crate::domain::observation::Blind;
use crate::domain::reach::Reach;
use crate::domain::report::{ControlReport, RoundReport};
use crate::domain::target::Barrier;
use crate::domain::verdict::{Reason, Verdict};

/// Names of targets or resolvers that a hint is about.
type Names = Vec<String>;

/// What to do about it. [`Display`](fmt::Display) holds the advice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// A login page or a redirect counts as an exposure.
    LoginPage(Names),
    /// The status was accepted, but another mark of the denial was missing.
    DenialUnmet(Names),
    /// Stopped, but in a way that the denial does not list.
    WeakerThanPromised(Names),
    /// No control stands for a class; none is name resolution.
    NoControl {
        /// What lacks one.
        class: Option<Class>,
        /// Whether the targets are address literals, which have one family and cannot leave it out.
        literal: bool,
        /// The targets.
        targets: Names,
    },
    /// A control was not reached throughout.
    ControlLost(String, Names),
    /// A control's name leads only to addresses that are not connected to.
    ControlPrivate(String),
    /// A control inside a network carries verdicts about the internet.
    ControlInside(String),
    /// A port that providers filter has no control of its own.
    ControlPort(u16, Names),
    /// This vantage cannot speak IPv6.
    NoIpv6 {
        /// Whether the targets are address literals, which cannot leave IPv6 out.
        literal: bool,
        /// The targets.
        targets: Names,
    },
    /// This vantage cannot speak IPv4, or has no network.
    NoIpv4(Names),
    /// A resolver makes addresses up.
    ResolverInvents(Names),
    /// The resolvers did not answer usefully.
    ResolverBlind(Names),
    /// A name does not resolve.
    NameGone(Names),
    /// A target has an address that is not connected to.
    PrivateAddress(Names),
    /// The far side slows this vantage or challenges it.
    Unwelcome(Names),
    /// This machine ran out of something.
    Exhausted(Blind, Names),
    /// This machine's own rules forbade packets.
    NotPermitted(Names),
    /// The round was ended before its time.
    Interrupted,
}

impl Hint {
    /// The advice as a sentence that knows which of its words are ours.
    #[must_use]
    pub(super) fn phrase(&self) -> Phrase {
        match self {
            Self::LoginPage(targets) => Phrase::new(
                "a login page or a redirect is an exposure: the promise is that nobody outside even \
                 gets to it",
            )
            .join(about(targets)),
            Self::DenialUnmet(targets) => Phrase::new(
                "the status is an accepted one, but the denier's own mark is missing: it may be the \
                 application that answers",
            )
            .join(about(targets)),
            Self::WeakerThanPromised(targets) => {
                Phrase::new("the outsider was stopped, but not by what ")
                    .code("denial")
                    .say(" lists: mend the rule, or list this stop as well if it is meant to be so")
                    .join(about(targets))
            }
            Self::NoControl {
                class,
                literal,
                targets,
            } => no_control_advice(*class, *literal).join(about(targets)),
            Self::ControlLost(control, targets) => Phrase::new("control ")
                .value(control)
                .say(
                    " was not reached throughout: look at this machine's network first, or choose a \
                     control that is always there",
                )
                .join(about(targets)),
            Self::ControlPrivate(control) => Phrase::new("control ")
                .value(control)
                .say(
                    " has only addresses that are not globally routable, so it was not tried: \
                     choose one on the internet, or set ",
                )
                .code("probe_non_global: true")
                .say(" if this vantage is meant to look inside"),
            Self::ControlInside(control) => Phrase::new("control ").value(control).say(
                " stands on an address that is not globally routable, so it says little about the \
                 way to the internet: choose one there",
            ),
            Self::ControlPort(port, targets) => Phrase::new(format!(
                "many providers filter outbound port {port}: add a control on port {port}, something \
                 that must be reachable there"
            ))
            .join(about(targets)),
            Self::NoIpv6 { literal, targets } => {
                Phrase::new("this machine has no IPv6: run from a vantage that has it")
                    .join(unwatch(Family::Ipv6, *literal))
                    .join(about(targets))
            }
            Self::NoIpv4(targets) => {
                Phrase::new("this machine has no way out over IPv4: look at its network first")
                    .join(about(targets))
            }
            Self::ResolverInvents(resolvers) => Phrase::new(
                "a resolver gives addresses to names that cannot exist, so its answers prove \
                 nothing: ask others with ",
            )
            .code("resolvers: [1.1.1.1, 9.9.9.9]")
            .join(about(resolvers)),
            Self::ResolverBlind(targets) => {
                Phrase::new("the resolvers gave no usable answer: ask others with ")
                    .code("resolvers: [1.1.1.1, 9.9.9.9]")
                    .join(about(targets))
            }
            Self::NameGone(targets) => Phrase::new(
                "the name does not resolve: remove the target, or promise exactly that with ",
            )
            .code("barrier: dns")
            .join(about(targets)),
            Self::PrivateAddress(targets) => Phrase::new(
                "addresses that are not globally routable are not connected to: where this vantage \
                 is meant to look inside, set ",
            )
            .code("probe_non_global: true")
            .join(about(targets)),
            Self::Unwelcome(targets) => Phrase::new(
                "the answer tells about this vantage: let its address pass to the denial, or look \
                 from another network",
            )
            .join(about(targets)),
            Self::Exhausted(blind, targets) => Phrase::new(format!("{blind}: lower "))
                .code("--concurrency")
                .join(about(targets)),
            Self::NotPermitted(targets) => Phrase::new(
                "this machine's own firewall or sandbox forbade the packets: let noentry out, or run \
                 it elsewhere",
            )
            .join(about(targets)),
            Self::Interrupted => Phrase::new(
                "the round was ended before its time, and what was not tried is inconclusive: run it \
                 again",
            ),
        }
    }
}

fn no_control_advice(class: Option<Class>, literal: bool) -> Phrase {
    let Some(class) = class else {
        return Phrase::new(
            "a missing name proves nothing without a name that must resolve: add one to ",
        )
        .code("controls:")
        .say(", such as ")
        .code("- tcp: www.example.com:443");
    };
    Phrase::new(format!(
        "silence proves nothing without a control: add something that must be reachable with {class} \
         to "
    ))
    .code("controls:")
    .say(", such as ")
    .code("- tcp: www.example.com:443")
    .join(unwatch(class.family, literal))
}

/// The other way out where IPv6 is the trouble, unless the target is nothing but an IPv6 address.
fn unwatch(family: Family, literal: bool) -> Phrase {
    match family {
        Family::Ipv6 if !literal => {
            Phrase::new(", or declare IPv6 unwatched with ").code("families: [ipv4]")
        }
        Family::Ipv4 | Family::Ipv6 => Phrase::default(),
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.phrase().text())
    }
}

/// ` (Orders database, Intranet and 3 more)`.
fn about(names: &[String]) -> Phrase {
    if names.is_empty() {
        Phrase::default()
    } else {
        Phrase::new(" (").values(names, 3).say(")")
    }
}

/// All advice for a round, what concerns exposures first.
#[must_use]
pub fn hints(report: &RoundReport) -> Vec<Hint> {
    let mut hints = Vec::new();
    hints.extend(login_page(report));
    hints.extend(denial_unmet(report));
    hints.extend(weaker(report));
    hints.extend(no_control(report));
    hints.extend(control_lost(report));
    hints.extend(control_private(report));
    hints.extend(control_port(report));
    hints.extend(no_family(report));
    hints.extend(resolver_invents(report));
    hints.extend(resolver_blind(report));
    hints.extend(name_gone(report));
    hints.extend(private_address(report));
    hints.extend(unwelcome(report));
    hints.extend(exhausted(report));
    hints.extend(not_permitted(report));
    hints.extend(report.interrupted.then_some(Hint::Interrupted));
    hints
}

/// Every reason with which some part of a finding has its verdict.
fn reasons(finding: &Finding) -> impl Iterator<Item = &Reason> {
    std::iter::once(&finding.reason)
        .chain(finding.endpoints.iter().map(|e| &e.reason))
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

fn with_reason(report: &RoundReport, rule: impl Fn(&Reason) -> bool) -> Option<Names> {
    targets(report, |f| reasons(f).any(&rule))
}

fn with_blind(report: &RoundReport, rule: impl Fn(Blind) -> bool) -> Option<Names> {
    with_reason(
        report,
        |reason| matches!(reason, Reason::Blind { cause } if rule(*cause)),
    )
}

fn exposed_endpoints(finding: &Finding) -> impl Iterator<Item = &EndpointReport> {
    finding
        .endpoints
        .iter()
        .filter(|e| e.verdict == Verdict::Exposed)
}

fn login_page(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        exposed_endpoints(finding)
            .filter_map(saw::http)
            .any(|http| http.status == 401 || (300..400).contains(&http.status))
    })
    .map(Hint::LoginPage)
}

fn denial_unmet(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        exposed_endpoints(finding)
            .filter_map(saw::http)
            .any(|http| http.unmet.is_some())
    })
    .map(Hint::DenialUnmet)
}

fn weaker(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| *r == Reason::WeakerThanPromised).map(Hint::WeakerThanPromised)
}

/// One hint for every different cause, with the targets that have it.
fn by_cause<K: Ord>(
    report: &RoundReport,
    cause: impl Fn(&Finding, &Reason) -> Option<K>,
    hint: impl Fn(K, Names) -> Hint,
) -> Vec<Hint> {
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

fn no_control(report: &RoundReport) -> Vec<Hint> {
    let cause = |finding: &Finding, reason: &Reason| match reason {
        Reason::NoControl { class } => Some((*class, is_literal(finding))),
        _ => None,
    };
    by_cause(report, cause, |(class, literal), targets| Hint::NoControl {
        class,
        literal,
        targets,
    })
}

fn control_lost(report: &RoundReport) -> Vec<Hint> {
    let cause = |_: &Finding, reason: &Reason| match reason {
        Reason::ControlLost { control } => Some(control.clone()),
        _ => None,
    };
    by_cause(report, cause, Hint::ControlLost)
}

fn control_port(report: &RoundReport) -> Vec<Hint> {
    let cause = |_: &Finding, reason: &Reason| match reason {
        Reason::ControlOnOtherPort { port } => Some(*port),
        _ => None,
    };
    by_cause(report, cause, Hint::ControlPort)
}

fn control_private(report: &RoundReport) -> Vec<Hint> {
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
        .filter_map(|query| match &query.answer {
            NameAnswer::Addresses(addresses) => Some(addresses),
            NameAnswer::NoData | NameAnswer::NxDomain | NameAnswer::Blind(_) => None,
        })
        .flatten()
        .peekable();
    control.name_held == Some(false)
        && control
            .checks
            .iter()
            .all(|check| check.endpoints.is_empty())
        && addresses.peek().is_some()
        && addresses.all(|address| !is_global(*address))
}

/// Whether a verdict about an address on the internet rests on this control.
fn carries_global(report: &RoundReport, control: &ControlReport) -> bool {
    let mut endpoints = report.findings.iter().flat_map(|f| &f.endpoints);
    endpoints.any(|e| {
        is_global(e.endpoint.address)
            && e.rests_on
                .as_ref()
                .is_some_and(|rests_on| rests_on.control == control.name)
    })
}

fn no_family(report: &RoundReport) -> Vec<Hint> {
    let blind = |family: Family, wanted: &dyn Fn(&Finding) -> bool| {
        targets(report, |finding| {
            wanted(finding)
                && finding.endpoints.iter().any(|e| {
                    let cause = match &e.reason {
                        Reason::Blind { cause } => *cause,
                        _ => return false,
                    };
                    e.endpoint.family() == family
                        && matches!(cause, Blind::NoRoute | Blind::NoFamily)
                })
        })
    };
    let six = [false, true].into_iter().filter_map(|literal| {
        let targets = blind(Family::Ipv6, &|finding| is_literal(finding) == literal)?;
        Some(Hint::NoIpv6 { literal, targets })
    });
    let four = blind(Family::Ipv4, &|_| true).map(Hint::NoIpv4);
    six.chain(four).collect()
}

fn resolver_invents(report: &RoundReport) -> Option<Hint> {
    let inventing = report.resolvers.iter().filter(|r| r.invents);
    let names: Names = inventing.map(|r| r.resolver.clone()).collect();
    (!names.is_empty()).then_some(Hint::ResolverInvents(names))
}

fn resolver_blind(report: &RoundReport) -> Option<Hint> {
    let deaf = with_blind(report, |blind| match blind {
        Blind::ResolverTimeout
        | Blind::ResolverServfail
        | Blind::ResolverRefused
        | Blind::ResolverTruncated
        | Blind::ResolverError => true,
        Blind::NoRoute
        | Blind::NoFamily
        | Blind::LocalUnreachable
        | Blind::NotPermitted
        | Blind::TooManyFiles
        | Blind::NoLocalPort
        | Blind::NoBuffers
        | Blind::LocalError
        | Blind::Interrupted => false,
    });
    deaf.map(Hint::ResolverBlind)
}

fn name_gone(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| *r == Reason::NameGone).map(Hint::NameGone)
}

fn private_address(report: &RoundReport) -> Option<Hint> {
    targets(report, |finding| {
        finding.target.barrier != Barrier::Dns
            && finding
                .endpoints
                .iter()
                .any(|e| e.reach == Some(Reach::PrivateAddress))
    })
    .map(Hint::PrivateAddress)
}

fn unwelcome(report: &RoundReport) -> Option<Hint> {
    with_reason(report, |r| {
        matches!(r, Reason::Throttled | Reason::Challenged)
    })
    .map(Hint::Unwelcome)
}

fn exhausted(report: &RoundReport) -> Vec<Hint> {
    let causes = [Blind::TooManyFiles, Blind::NoLocalPort, Blind::NoBuffers];
    let hint = |cause| {
        let names = with_blind(report, |blind| blind == cause)?;
        Some(Hint::Exhausted(cause, names))
    };
    causes.into_iter().filter_map(hint).collect()
}

fn not_permitted(report: &RoundReport) -> Option<Hint> {
    with_blind(report, |blind| blind == Blind::NotPermitted).map(Hint::NotPermitted)
}
