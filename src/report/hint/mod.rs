//! Advice out of the finished round. A hint never changes a verdict. What each says stands here and,
//! about controls and this machine, in `words`; when it is given stands in `rules`.

mod own_side;
mod rules;
mod words;

use std::fmt;

use super::phrase::Phrase;
use crate::domain::endpoint::{Class, Family, Transport};
use crate::domain::observation::Blind;
use crate::domain::own::NotOwn;
use crate::domain::report::RoundReport;
pub use own_side::OwnSide;
pub use words::on_ports;

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
    /// No reply to a ping comes through to a runner of GitHub's own.
    HostedPing(Names),
    /// This process may open no ICMP socket.
    NoEchoSocket(Names),
    /// What was sent over UDP need not be answered.
    Silence(Names),
    /// What only insiders reach was reached.
    Inside(String),
    /// What only insiders reach could not be looked at.
    NotProvenOutside(String),
    /// A control was not reached throughout.
    ControlLost(String, Names),
    /// A control's name leads only to addresses that are not connected to.
    ControlPrivate(String),
    /// A control inside a network carries verdicts about the internet.
    ControlInside(String),
    /// Nothing was reached on some ports of a transport, and a control on another says nothing of them.
    PortUnproven {
        /// The transport.
        transport: Transport,
        /// The ports, in order.
        ports: Vec<u16>,
        /// Whether somebody may say that the network lets them out.
        assumable: bool,
        /// The targets.
        targets: Names,
    },
    /// This machine or its own network may be what stopped the packets.
    OwnSide(OwnSide),
    /// This vantage cannot speak IPv6.
    NoIpv6 {
        /// Whether the targets are address literals, which cannot leave IPv6 out.
        literal: bool,
        /// The targets.
        targets: Names,
    },
    /// This vantage cannot speak IPv4, or has no network.
    NoIpv4(Names),
    /// No way leads to some addresses, though others of their family are reached.
    NoWay(Names),
    /// A resolver makes addresses up.
    ResolverInvents(Names),
    /// The resolvers did not answer usefully.
    ResolverBlind(Names),
    /// One of a zone's own servers did not answer usefully.
    ServerBlind(Names),
    /// A name does not resolve.
    NameGone(Names),
    /// A name does not resolve, and this control's name did not throughout.
    NamesMissing(String, Names),
    /// A target has an address that is not connected to.
    PrivateAddress(Names),
    /// The far side slows this vantage or challenges it.
    Unwelcome(Names),
    /// The page of a known web filter or proxy.
    Filtered(Names),
    /// A denial came with a certificate for another name.
    ForeignCertificate(Names),
    /// A TLS alert that anything on the way can write is no refusal.
    AlertInTheClear(Names),
    /// Somebody else answered in a control's name.
    ControlNotOwn(String, NotOwn),
    /// This machine ran out of something.
    Exhausted(Blind, Names),
    /// This machine's own rules forbade packets.
    NotPermitted(Names),
    /// A waiver ends within a week.
    WaiverEnds(Names),
    /// A waiver's target is blocked.
    WaiverNeedless(Names),
    /// Beside a waived exposure something could not be observed.
    WaiverPartly(Names),
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
            } => words::no_control(*class, *literal).join(about(targets)),
            Self::HostedPing(targets) => words::hosted_ping().join(about(targets)),
            Self::NoEchoSocket(targets) => words::no_echo_socket().join(about(targets)),
            Self::Silence(targets) => words::silence().join(about(targets)),
            Self::Inside(guard) => words::inside(guard),
            Self::NotProvenOutside(guard) => words::not_proven_outside(guard),
            Self::ControlLost(control, targets) => {
                words::control_lost(control).join(about(targets))
            }
            Self::ControlPrivate(control) => words::control_private(control),
            Self::ControlInside(control) => words::control_inside(control),
            Self::PortUnproven {
                transport,
                ports,
                assumable,
                targets,
            } => words::port_unproven(*transport, ports, *assumable).join(about(targets)),
            Self::OwnSide(own) => own.phrase(),
            Self::NoIpv6 { literal, targets } => {
                Phrase::new("this machine has no IPv6: run from a vantage that has it")
                    .join(words::unwatch(Family::Ipv6, *literal))
                    .join(about(targets))
            }
            Self::NoIpv4(targets) => {
                Phrase::new("this machine has no way out over IPv4: look at its network first")
                    .join(about(targets))
            }
            Self::NoWay(targets) => words::no_way().join(about(targets)),
            Self::ResolverInvents(resolvers) => Phrase::new(
                "a resolver gives addresses to names that cannot exist, so its answers prove \
                 nothing: ask others with ",
            )
            .code("resolvers: [1.1.1.1, 8.8.8.8]")
            .join(about(resolvers)),
            Self::ResolverBlind(targets) => {
                Phrase::new("the resolvers gave no usable answer: ask others with ")
                    .code("resolvers: [1.1.1.1, 8.8.8.8]")
                    .join(about(targets))
            }
            Self::ServerBlind(targets) => words::server_blind().join(about(targets)),
            Self::NameGone(targets) => Phrase::new(
                "the name does not resolve: remove the target, or promise exactly that with ",
            )
            .code("barrier: dns")
            .join(about(targets)),
            Self::NamesMissing(control, targets) => {
                words::names_missing(control).join(about(targets))
            }
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
            Self::Filtered(targets) => words::filtered().join(about(targets)),
            Self::ForeignCertificate(targets) => words::foreign_certificate().join(about(targets)),
            Self::AlertInTheClear(targets) => words::alert_in_the_clear().join(about(targets)),
            Self::ControlNotOwn(control, why) => words::control_not_own(control, *why),
            Self::Exhausted(blind, targets) => Phrase::new(format!("{blind}: lower "))
                .code("--concurrency")
                .join(about(targets)),
            Self::NotPermitted(targets) => Phrase::new(
                "this machine's own firewall or sandbox forbade the packets: let noentry out, or run \
                 it elsewhere",
            )
            .join(about(targets)),
            Self::WaiverEnds(targets) => words::waiver_ends().join(about(targets)),
            Self::WaiverNeedless(targets) => words::waiver_needless().join(about(targets)),
            Self::WaiverPartly(targets) => words::waiver_partly().join(about(targets)),
            Self::Interrupted => Phrase::new(
                "the round was ended before its time, and what was not tried is inconclusive: run it \
                 again",
            ),
        }
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

/// All advice for a round: what concerns everything first, then what concerns exposures.
#[must_use]
pub fn hints(report: &RoundReport) -> Vec<Hint> {
    if report.rounds.is_empty() {
        return of_round(report);
    }
    // Advice is about one vantage; several may deserve the same.
    let mut hints = Vec::new();
    for hint in report.apart().iter().flat_map(of_round) {
        if !hints.contains(&hint) {
            hints.push(hint);
        }
    }
    hints
}

fn of_round(report: &RoundReport) -> Vec<Hint> {
    let mut hints = Vec::new();
    hints.extend(rules::side(report));
    hints.extend(rules::login_page(report));
    hints.extend(rules::denial_unmet(report));
    hints.extend(rules::weaker(report));
    hints.extend(rules::waiver_ends(report));
    hints.extend(rules::waiver_partly(report));
    hints.extend(rules::no_control(report));
    hints.extend(rules::silence(report));
    hints.extend(rules::hosted_ping(report));
    hints.extend(rules::no_echo_socket(report));
    hints.extend(rules::control_lost(report));
    hints.extend(rules::control_not_own(report));
    hints.extend(rules::control_private(report));
    hints.extend(rules::port_unproven(report));
    hints.extend(own_side::hints(report));
    hints.extend(rules::no_family(report));
    hints.extend(rules::resolver_invents(report));
    hints.extend(rules::resolver_blind(report));
    hints.extend(rules::server_blind(report));
    hints.extend(rules::name_gone(report));
    hints.extend(rules::private_address(report));
    hints.extend(rules::unwelcome(report));
    hints.extend(rules::filtered(report));
    hints.extend(rules::foreign_certificate(report));
    hints.extend(rules::alert_in_the_clear(report));
    hints.extend(rules::exhausted(report));
    hints.extend(rules::not_permitted(report));
    hints.extend(rules::waiver_needless(report));
    hints.extend(report.interrupted.then_some(Hint::Interrupted));
    hints
}
