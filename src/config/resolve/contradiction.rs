//! One place cannot be two things at once: what must be reachable, what must not be, and what only
//! insiders reach.

use crate::config::reader::{Reader, Spot};
use crate::config::source::Place;
use crate::domain::endpoint::Transport;
use crate::domain::target::{Barrier, Control, Target, TargetKind};

/// Refuses controls that must be reachable exactly where a target must not be.
///
/// Where the barrier is `http` or `tls` the port itself is meant to answer, so a control on it says
/// something and is fine, except a `url` control behind a `tls` barrier.
pub fn refuse(reader: &mut Reader<'_>, controls: &[(Control, Place)], targets: &[(Target, Place)]) {
    for (control, place) in all(controls, targets) {
        let contradicted = targets
            .iter()
            .find(|(target, _)| contradict(control, target));
        if let Some((target, at)) = contradicted {
            let companion = control.kind.transport() != target.kind.transport() && target.http3;
            let message = "this control must be reachable, and a target must not be, at one place";
            let help = [
                format!("the target stands in line {}", at.line),
                "choose a control that everybody may reach".to_owned(),
            ];
            let http3 = "or set `http3: false` there: QUIC is tried beside TCP".to_owned();
            let help = help.into_iter().chain(companion.then_some(http3));
            reader.report(place, message, help);
        }
    }
}

/// Refuses `must_not_reach` where a control or a target has the same door: a control would be lost
/// whenever this is an outsider's place, and an exposed target would pass for an insider's view.
pub fn refuse_shared(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    insider: &Control,
    controls: &[(Control, Place)],
    targets: &[(Target, Place)],
) {
    let control = all(controls, targets).find(|(control, _)| {
        same_host(&insider.kind, &control.kind) && same_door(&insider.kind, &control.kind, false)
    });
    let target = targets.iter().find(|(target, _)| {
        same_host(&insider.kind, &target.kind)
            && same_door(&insider.kind, &target.kind, target.http3)
    });
    let other = control
        .map(|(_, at)| ("control", at))
        .or_else(|| target.map(|(_, at)| ("target", *at)));
    if let Some((what, at)) = other {
        let message = format!("`must_not_reach` is at the same place as a {what}");
        let help = [
            format!("the {what} stands in line {}", at.line),
            "choose something that only insiders reach, and that is watched by nothing else"
                .to_owned(),
        ];
        reader.report(spot.key_place(), message, help);
    }
}

/// The controls for all targets, and those of single ones.
fn all<'a>(
    controls: &'a [(Control, Place)],
    targets: &'a [(Target, Place)],
) -> impl Iterator<Item = (&'a Control, Place)> {
    let own = targets.iter().filter_map(|(target, _)| {
        let control = target.control.as_deref()?;
        let position = control.position.as_ref()?;
        let place = Place {
            line: position.line,
            column: position.column,
            length: 1,
        };
        Some((control, place))
    });
    let shared = controls.iter().map(|(control, place)| (control, *place));
    shared.chain(own)
}

fn contradict(control: &Control, target: &Target) -> bool {
    let kind = &control.kind;
    if !same_host(kind, &target.kind) {
        return false;
    }
    let same_door = if control.every_port {
        target
            .ports()
            .any(|(transport, _)| kind.transport() == Some(transport))
    } else {
        same_door(kind, &target.kind, target.http3)
    };
    match target.barrier {
        // A name without a certain record may well have addresses, and the control rests on those.
        Barrier::Dns => !matches!(
            target.kind,
            TargetKind::Dns {
                record: Some(_),
                ..
            }
        ),
        Barrier::Network => same_door,
        Barrier::Tls => same_door && matches!(kind, TargetKind::Url(_)),
        Barrier::Http => false,
    }
}

fn same_host(one: &TargetKind, other: &TargetKind) -> bool {
    match (one.name(), other.name()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => one.address() == other.address(),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether both knock at one transport and port of a host. `http3` says that the other tries QUIC
/// beside TCP.
fn same_door(one: &TargetKind, other: &TargetKind, http3: bool) -> bool {
    let Some(transport) = one.transport() else {
        return false;
    };
    let same_transport =
        other.transport() == Some(transport) || (http3 && transport == Transport::Udp);
    same_transport && one.port() == other.port()
}
