//! Advice where this machine or its own network may be what stopped the packets.

use super::super::phrase::Phrase;
use super::rules::{by_cause, with_blind, with_reason};
use super::{Hint, Names, about};
use crate::domain::finding::Finding;
use crate::domain::observation::Blind;
use crate::domain::report::RoundReport;
use crate::domain::verdict::Reason;

/// What may be wrong on our own side, each with the targets that it concerns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OwnSide {
    /// A control is reached by another way out than the targets are.
    OtherWay(String, Names),
    /// A control stands on this machine or in its own network.
    TooNear(String, Names),
    /// A control lost packets while targets were tried.
    Doubtful(String, Names),
    /// A control was not tried between the attempts.
    NotBetween(String, Names),
    /// The round is too fast for this network.
    TooFast,
    /// A target's address lies in this machine's own network.
    OwnNetwork(Names),
    /// This machine's gateway rejected the packets.
    OwnGateway(Names),
    /// The reverse path filter dropped packets.
    ReversePath,
}

impl OwnSide {
    pub(super) fn phrase(&self) -> Phrase {
        match self {
            Self::OtherWay(control, targets) => other_way(control).join(about(targets)),
            Self::TooNear(control, targets) => too_near(control).join(about(targets)),
            Self::Doubtful(control, targets) => doubtful(control).join(about(targets)),
            Self::NotBetween(control, targets) => not_between(control).join(about(targets)),
            Self::TooFast => too_fast(),
            Self::OwnNetwork(targets) => own_network().join(about(targets)),
            Self::OwnGateway(targets) => own_gateway().join(about(targets)),
            Self::ReversePath => reverse_path(),
        }
    }
}

/// A kind of hint, and the control that a reason names, where the reason is of that kind.
type Kind = (fn(String, Names) -> OwnSide, fn(&Reason) -> Option<&String>);

const KINDS: [Kind; 4] = [
    (OwnSide::OtherWay, |reason| match reason {
        Reason::ControlOnOtherWay { control } => Some(control),
        _ => None,
    }),
    (OwnSide::TooNear, |reason| match reason {
        Reason::ControlTooNear { control } => Some(control),
        _ => None,
    }),
    (OwnSide::Doubtful, |reason| match reason {
        Reason::ControlDoubtful { control } => Some(control),
        _ => None,
    }),
    (OwnSide::NotBetween, |reason| match reason {
        Reason::ControlNotBetween { control } => Some(control),
        _ => None,
    }),
];

/// All of it for one round.
pub(super) fn hints(report: &RoundReport) -> Vec<Hint> {
    let mut hints: Vec<OwnSide> = Vec::new();
    for (hint, control) in KINDS {
        let cause = |_: &Finding, reason: &Reason| control(reason).cloned();
        hints.extend(by_cause(report, cause, hint));
    }
    let too_fast = with_reason(report, |reason| *reason == Reason::TooFast);
    hints.extend(too_fast.map(|_| OwnSide::TooFast));
    let blind = |wanted| with_blind(report, |cause| cause == wanted);
    hints.extend(blind(Blind::OwnNetwork).map(OwnSide::OwnNetwork));
    hints.extend(blind(Blind::OwnGateway).map(OwnSide::OwnGateway));
    hints.extend(blind(Blind::ReversePath).map(|_| OwnSide::ReversePath));
    hints.into_iter().map(Hint::OwnSide).collect()
}

fn other_way(control: &str) -> Phrase {
    Phrase::new("control ").value(control).say(
        " is reached by another interface, gateway or source address than these targets, as where a VPN \
         takes some networks: add a control on the targets' own way, or leave the VPN",
    )
}

fn too_near(control: &str) -> Phrase {
    Phrase::new("control ").value(control).say(
        " stands on this machine or in its own network, so it is reached with the uplink cut as well: \
         choose one on the internet",
    )
}

fn doubtful(control: &str) -> Phrase {
    Phrase::new("control ")
        .value(control)
        .say(
            " lost packets while targets were tried, and only then: this network may limit new \
              connections; lower ",
        )
        .code("--rate")
}

fn not_between(control: &str) -> Phrase {
    Phrase::new("control ")
        .value(control)
        .say(
            " was not tried between the first attempt at a target and the last, as where a machine stands \
             still: look again, or raise ",
        )
        .code("attempts")
        .say(" or ")
        .code("timeout")
}

fn too_fast() -> Phrase {
    Phrase::new(
        "something that was silent among the others answered when it was tried alone, so this network \
         loses connections at this pace: lower ",
    )
    .code("--rate")
    .say(" or ")
    .code("--per-host")
}

fn own_network() -> Phrase {
    Phrase::new(
        "these addresses lie in a network of this machine's own, so its packets do not take an \
         outsider's way: run noentry elsewhere, or look whether a local network uses the same addresses",
    )
}

fn own_gateway() -> Phrase {
    Phrase::new(
        "this machine's own gateway or network rejected the packets, before they were outside: let \
         noentry out, or run it elsewhere",
    )
}

fn reverse_path() -> Phrase {
    Phrase::new(
        "this machine dropped packets that came in by another interface than they would leave by, and \
         answers may be among them: mend the routes, or loosen ",
    )
    .code("net.ipv4.conf.*.rp_filter")
}
