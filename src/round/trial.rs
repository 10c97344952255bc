//! One try of one control at one checkpoint, and what counts as having reached it.

use std::time::Duration;

use futures_util::future::join_all;

use super::answers::withhold;
use super::names::{Names, union};
use super::schedule::{Course, Task, attempts};
use super::world::World;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Endpoint, Family};
use crate::domain::finding::NameReport;
use crate::domain::observation::{Attempt, Observation, Outcome};
use crate::domain::own;
use crate::domain::payload::Payload;
use crate::domain::reach::{Layer, Reach};
use crate::domain::record::Record;
use crate::domain::report::{ControlCheck, ControlEndpoint};
use crate::domain::target::{Control, Pace, TargetKind};
use crate::probe::CompiledDenial;

/// How many addresses of a control are tried in each family. One that answers is enough.
pub(super) const ADDRESSES: usize = 2;

/// How many of what only insiders reach: there every one that answers matters.
pub(super) const ADDRESSES_INSIDE: usize = 64;

/// The highest layer at which something answers that must.
pub(super) const fn top(kind: &TargetKind) -> Layer {
    match kind {
        TargetKind::Url(_) => Layer::Http,
        TargetKind::Tcp { .. }
        | TargetKind::Udp { .. }
        | TargetKind::Quic { .. }
        | TargetKind::Icmp { .. } => Layer::Network,
        TargetKind::Dns { .. } => Layer::Dns,
    }
}

/// Tries a control now, with one attempt of at most `patience` at each of its addresses, at most so many
/// of them in each family. One that answers on every port is tried on each of `ports`, at one address.
pub(super) async fn try_once<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    control: &Control,
    ports: &[u16],
    (reached, most): (Reached, usize),
    denial: &CompiledDenial,
    patience: Duration,
) -> ControlCheck {
    let at_ms = course.elapsed_ms();
    let pace = Pace {
        timeout: control.pace.timeout.min(patience),
        attempts: 1,
        interval: Duration::ZERO,
    };
    let mut name_report = None;
    let mut addresses = Vec::from_iter(control.kind.address());
    if let Some(name) = control.kind.name() {
        let ask =
            Family::ALL.map(|family| names.ask(course, name, Record::of(family), pace.timeout));
        let mut queries: Vec<_> = join_all(ask).await.into_iter().flatten().collect();
        if !control.probe_non_global {
            withhold(&mut queries);
        }
        addresses = union(&queries);
        name_report = Some(NameReport {
            name: name.to_owned(),
            queries,
        });
    }
    addresses.retain(|address| control.probe_non_global || is_global(*address));
    let mut endpoints = Vec::new();
    for family in Family::ALL {
        let some = addresses.iter().filter(|a| Family::of(**a) == family);
        let some = some.take(if control.every_port { 1 } else { most });
        for endpoint in some.filter_map(|address| control.kind.endpoint(*address)) {
            if control.every_port {
                let on = |port: &u16| Endpoint {
                    port: Some(*port),
                    ..endpoint
                };
                endpoints.extend(ports.iter().map(on));
            } else {
                endpoints.push(endpoint);
            }
        }
    }
    let tries = endpoints.into_iter().map(|endpoint| {
        let pace = &pace;
        async move {
            let task = Task {
                endpoint,
                kind: &control.kind,
                denial,
                pace,
                again: false,
                enough: |_: &Observation| true,
            };
            let way = course.world.way(endpoint);
            let last = attempts(course, None, task).await.0.pop()?;
            Some(ControlEndpoint {
                endpoint,
                reached: reached(&control.kind, &last),
                way,
                last,
            })
        }
    });
    let endpoints = join_all(tries).await.into_iter().flatten().collect();
    ControlCheck {
        at_ms,
        took_ms: course.elapsed_ms().saturating_sub(at_ms),
        endpoints,
        name: name_report,
    }
}

/// Whether one attempt reached what it was made for.
pub(super) type Reached = fn(&TargetKind, &Attempt) -> bool;

/// A URL must be answered over HTTP by whom it names, a port must be connected to, a question over UDP
/// must get the answer that belongs to it: anybody on the way can say anything.
pub(super) fn is_reached(kind: &TargetKind, attempt: &Attempt) -> bool {
    let Outcome::Reached(reach) = attempt.outcome else {
        return false;
    };
    match kind {
        TargetKind::Url(_) => {
            reach >= Reach::Denied && own::not_own(attempt.evidence.as_deref()).is_none()
        }
        TargetKind::Udp {
            payload: Payload::Protocol(_),
            ..
        } => {
            let udp = attempt.evidence.as_ref().and_then(|e| e.udp.as_ref());
            let answer = udp.and_then(|udp| udp.answer.as_ref());
            reach >= Reach::Connected && answer.is_some_and(|answer| answer.expected)
        }
        TargetKind::Quic { .. } => reach >= Reach::Connected && speaks_quic(attempt),
        TargetKind::Tcp { .. } | TargetKind::Udp { .. } | TargetKind::Icmp { .. } => {
            reach >= Reach::Connected
        }
        TargetKind::Dns { .. } => false,
    }
}

/// Whether what came back was QUIC: a list of versions with our own connection IDs, or something under
/// the keys of the handshake.
fn speaks_quic(attempt: &Attempt) -> bool {
    attempt.evidence.as_ref().is_some_and(|evidence| {
        let answer = evidence.udp.as_ref().and_then(|udp| udp.answer.as_ref());
        let quic = evidence.quic.as_ref();
        answer.is_some_and(|answer| answer.expected)
            || evidence.tls.is_some()
            || quic.is_some_and(|quic| quic.handshake || quic.closed.is_some())
    })
}

/// The same for what only insiders reach: of a URL, being turned away is not being let in.
pub(super) fn is_entered(kind: &TargetKind, attempt: &Attempt) -> bool {
    match kind {
        TargetKind::Url(_) => attempt.outcome == Outcome::Reached(Reach::Served),
        TargetKind::Tcp { .. }
        | TargetKind::Udp { .. }
        | TargetKind::Quic { .. }
        | TargetKind::Icmp { .. }
        | TargetKind::Dns { .. } => match attempt.outcome {
            Outcome::Reached(reach) => reach >= Reach::Connected,
            Outcome::Blind(_) => false,
        },
    }
}
