//! Advice where this machine or its own network may be what stopped the packets.

use super::super::phrase::Phrase;
use super::rules::{by_cause, with_blind, with_reason};
use super::{Hint, Names};
use crate::domain::finding::Finding;
use crate::domain::observation::Blind;
use crate::domain::report::RoundReport;
use crate::domain::verdict::Reason;

/// All of it for one round.
pub(super) fn hints(report: &RoundReport) -> Vec<Hint> {
    let mut hints = Vec::new();
    // A kind of hint, and the control that a reason names, where the reason is of that kind.
    type Kind = (fn(String, Names) -> Hint, fn(&Reason) -> Option<&String>);
    let kinds: [Kind; 4] = [
        (Hint::OtherWay, |reason| match reason {
            Reason::ControlOnOtherWay { control } => Some(control),
            _ => None,
        }),
        (Hint::TooNear, |reason| match reason {
            Reason::ControlTooNear { control } => Some(control),
            _ => None,
        }),
        (Hint::Doubtful, |reason| match reason {
            Reason::ControlDoubtful { control } => Some(control),
            _ => None,
        }),
        (Hint::NotBetween, |reason| match reason {
            Reason::ControlNotBetween { control } => Some(control),
            _ => None,
        }),
    ];
    for (hint, control) in kinds {
        let cause = |_: &Finding, reason: &Reason| control(reason).cloned();
        hints.extend(by_cause(report, cause, hint));
    }
    let too_fast = with_reason(report, |reason| *reason == Reason::TooFast);
    hints.extend(too_fast.map(|_| Hint::TooFast));
    let blind = |wanted| with_blind(report, |cause| cause == wanted);
    hints.extend(blind(Blind::OwnNetwork).map(Hint::OwnNetwork));
    hints.extend(blind(Blind::OwnGateway).map(Hint::OwnGateway));
    hints.extend(blind(Blind::ReversePath).map(|_| Hint::ReversePath));
    hints
}

pub(super) fn other_way(control: &str) -> Phrase {
    Phrase::new("control ").value(control).say(
        " is reached by another interface, gateway or source address than these targets, as where a VPN \
         takes some networks: add a control on the targets' own way, or leave the VPN",
    )
}

pub(super) fn too_near(control: &str) -> Phrase {
    Phrase::new("control ").value(control).say(
        " stands on this machine or in its own network, so it is reached with the uplink cut as well: \
         choose one on the internet",
    )
}

pub(super) fn doubtful(control: &str) -> Phrase {
    Phrase::new("control ")
        .value(control)
        .say(
            " lost packets while targets were tried, and only then: this network may limit new \
              connections; lower ",
        )
        .code("--rate")
}

pub(super) fn not_between(control: &str) -> Phrase {
    Phrase::new("no attempt at control ")
        .value(control)
        .say(" lies between the first and the last at a target: give ")
        .code("attempts")
        .say(" or ")
        .code("timeout")
        .say(" more room, and the machine more time")
}

pub(super) fn too_fast() -> Phrase {
    Phrase::new(
        "something that was silent in the crowd answered when it was tried alone, so this network loses \
         connections at this pace: lower ",
    )
    .code("--rate")
    .say(" or ")
    .code("--per-host")
}

pub(super) fn own_network() -> Phrase {
    Phrase::new(
        "these addresses lie in a network of this machine's own, so its packets do not take an \
         outsider's way: run noentry elsewhere, or look whether a local network uses the same addresses",
    )
}

pub(super) fn own_gateway() -> Phrase {
    Phrase::new(
        "this machine's own gateway or network rejected the packets, before they were outside: let \
         noentry out, or run it elsewhere",
    )
}

pub(super) fn reverse_path() -> Phrase {
    Phrase::new(
        "this machine dropped packets that came in by another interface than they would leave by, and \
         answers may be among them: mend the routes, or loosen ",
    )
    .code("net.ipv4.conf.*.rp_filter")
}
