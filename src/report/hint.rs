//! Advice, one function a rule over the finished round. A hint never changes a verdict.

use std::collections::BTreeSet;
use std::fmt;

use super::phrase::Phrase;
use super::saw;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Class, Family};
use crate::domain::finding::{EndpointReport, Finding};
use crate::domain::observation::{Blind, Outcome};
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
    NoControl(Option<Class>, Names),
    /// A control was not reached throughout.
    ControlLost(String, Names),
    /// A control's name leads to addresses that are not connected to.
    ControlPrivate(String),
    /// A port that providers filter has no control of its own.
    ControlPort(u16, Names),
    /// This vantage cannot speak IPv6.
    NoIpv6(Names),
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
            Self::NoControl(class, targets) => no_control_advice(*class).join(about(targets)),
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
                    " has addresses that are not globally routable: choose one on the internet, or \
                     set ",
                )
                .code("probe_non_global: true")
                .say(" if this vantage is meant to look inside"),
            Self::ControlPort(port, targets) => Phrase::new(format!(
                "many providers filter outbound port {port}: add a control on port {port}, something \
                 that must be reachable there"
            ))
            .join(about(targets)),
            Self::NoIpv6(targets) => Phrase::new(
                "this machine has no IPv6: run from a vantage that has it, or declare IPv6 unwatched \
                 with ",
            )
            .code("families: [ipv4]")
            .join(about(targets)),
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

fn no_control_advice(class: Option<Class>) -> Phrase {
    let Some(class) = class else {
        return Phrase::new(
            "a missing name proves nothing without a name that must resolve: add one to ",
        )
        .code("controls:")
        .say(", such as ")
        .code("- tcp: www.example.com:443");
    };
    let phrase = Phrase::new(format!(
        "silence proves nothing without a control: add something that must be reachable with {class} \
         to "
    ))
    .code("controls:")
    .say(", such as ")
    .code("- tcp: www.example.com:443");
    match class.family {
        Family::Ipv4 => phrase,
        Family::Ipv6 => phrase
            .say(", or declare IPv6 unwatched with ")
            .code("families: [ipv4]"),
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

fn no_control(report: &RoundReport) -> Vec<Hint> {
    let mut classes = BTreeSet::new();
    for finding in &report.findings {
        for reason in reasons(finding) {
            if let Reason::NoControl { class } = reason {
                classes.insert(*class);
            }
        }
    }
    let hint = |class| {
        let names = with_reason(
            report,
            |r| matches!(r, Reason::NoControl { class: own } if *own == class),
        )?;
        Some(Hint::NoControl(class, names))
    };
    classes.into_iter().filter_map(hint).collect()
}

fn control_lost(report: &RoundReport) -> Vec<Hint> {
    let mut controls = BTreeSet::new();
    for finding in &report.findings {
        for reason in reasons(finding) {
            if let Reason::ControlLost { control } = reason {
                controls.insert(control.as_str());
            }
        }
    }
    let hint = |name: &str| {
        let names = with_reason(
            report,
            |r| matches!(r, Reason::ControlLost { control } if control == name),
        )?;
        Some(Hint::ControlLost(name.to_owned(), names))
    };
    controls.into_iter().filter_map(hint).collect()
}

fn control_private(report: &RoundReport) -> Vec<Hint> {
    let private = |control: &&ControlReport| {
        let endpoints = || control.checks.iter().flat_map(|check| &check.endpoints);
        endpoints().any(|e| {
            let unconnected = e.last.outcome == Outcome::Reached(Reach::PrivateAddress);
            unconnected || (!is_global(e.endpoint.address) && carries_global(report, control))
        })
    };
    let found = report.controls.iter().filter(private);
    found
        .map(|control| Hint::ControlPrivate(control.name.clone()))
        .collect()
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

fn control_port(report: &RoundReport) -> Vec<Hint> {
    let mut ports = BTreeSet::new();
    for finding in &report.findings {
        for reason in reasons(finding) {
            if let Reason::ControlOnOtherPort { port } = reason {
                ports.insert(*port);
            }
        }
    }
    let hint = |port: u16| {
        let names = with_reason(report, |r| *r == Reason::ControlOnOtherPort { port })?;
        Some(Hint::ControlPort(port, names))
    };
    ports.into_iter().filter_map(hint).collect()
}

fn no_family(report: &RoundReport) -> Vec<Hint> {
    let blind = |family: Family| {
        targets(report, |finding| {
            finding.endpoints.iter().any(|e| {
                let cause = match &e.reason {
                    Reason::Blind { cause } => *cause,
                    _ => return false,
                };
                e.endpoint.family() == family && matches!(cause, Blind::NoRoute | Blind::NoFamily)
            })
        })
    };
    let six = blind(Family::Ipv6).map(Hint::NoIpv6);
    let four = blind(Family::Ipv4).map(Hint::NoIpv4);
    six.into_iter().chain(four).collect()
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
        | Blind::ResolverWithholds
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
