//! `controls:` and a target's own `control:`.

use std::borrow::Borrow;

use super::defaults::{self, Base};
use super::kind::{self, Fields};
use crate::config::field::Field;
use crate::config::file;
use crate::config::reader::{Reader, Spot};
use crate::config::source::Place;
use crate::domain::target::{Barrier, Control, ControlOrigin, Target, TargetKind};

/// Reads `controls:`.
pub fn list(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Vec<Field<file::Control>>>,
    base: &Base,
) -> Vec<(Control, Place)> {
    let expected = "a list of controls, such as `- tcp: www.example.com:443`";
    let Some(items) = reader.fit(spot, field, expected) else {
        return Vec::new();
    };
    let mut controls = Vec::new();
    for (index, field) in items.iter().enumerate() {
        let spot = spot.item(index, "a control");
        let control = read(reader, &spot, field, base, ControlOrigin::Config);
        controls.extend(control.map(|control| (control, spot.start())));
    }
    controls
}

/// Reads one control; `base` holds what it inherits.
pub fn read<C: Borrow<file::Control>>(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<C>,
    base: &Base,
    origin: ControlOrigin,
) -> Option<Control> {
    let file = reader
        .fit(
            spot,
            field,
            "a mapping, such as `{ tcp: www.example.com:443 }`",
        )?
        .borrow();
    let meant = reader.unknown_keys::<file::Control>(spot, |_| false);
    let fields = Fields {
        url: &file.url,
        tcp: &file.tcp,
        dns: &file.dns,
    };
    let kind = fields.read(reader, spot, &meant);
    let pace = base.pace(reader, spot, &file.timeout, &file.attempts, &Field::Absent);
    let lifted = defaults::flag(
        reader,
        &spot.key("probe_non_global"),
        &file.probe_non_global,
    );
    let probe_non_global = lifted.unwrap_or(base.probe_non_global);
    let kind = kind?;
    kind::refuse_untried(reader, spot, &kind, probe_non_global);
    Some(Control {
        kind,
        origin,
        pace,
        probe_non_global,
        position: Some(reader.source().position(spot.start())),
    })
}

/// Reads a target's own control, which inherits the target's timing.
pub fn own(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Box<file::Control>>,
    base: &Base,
    barrier: Option<Barrier>,
) -> Option<Box<Control>> {
    let control = read(reader, spot, field, base, ControlOrigin::Target)?;
    let climbs = match barrier {
        Some(Barrier::Dns) | None => false,
        Some(Barrier::Network | Barrier::Tls | Barrier::Http) => true,
    };
    if climbs && matches!(control.kind, TargetKind::Dns { .. }) {
        let message = "a `dns` control proves nothing about a silent port";
        let help = "write a `tcp:` or `url:` control on the target's own path".to_owned();
        reader.report(spot.key("dns").key_place(), message, [help]);
    }
    Some(Box::new(control))
}

/// Refuses controls that must be reachable exactly where a target must not be.
///
/// Where the barrier is `http` or `tls` the port itself is meant to answer, so a control on it says
/// something and is fine, except a `url` control behind a `tls` barrier.
pub fn refuse_contradictions(
    reader: &mut Reader<'_>,
    controls: &[(Control, Place)],
    targets: &[(Target, Place)],
) {
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
    for (control, place) in shared.chain(own) {
        let contradicted = targets
            .iter()
            .find(|(target, _)| contradict(&control.kind, target));
        if let Some((_, at)) = contradicted {
            let message = "this control must be reachable, and a target must not be, at one place";
            let help = [
                format!("the target stands in line {}", at.line),
                "choose a control that everybody may reach".to_owned(),
            ];
            reader.report(place, message, help);
        }
    }
}

fn contradict(control: &TargetKind, target: &Target) -> bool {
    let same_host = match (control.name(), target.kind.name()) {
        (Some(a), Some(b)) => a == b,
        (None, None) => control.address() == target.kind.address(),
        (Some(_), None) | (None, Some(_)) => false,
    };
    let same_port = control.port().is_some() && control.port() == target.kind.port();
    same_host
        && match target.barrier {
            Barrier::Dns => true,
            Barrier::Network => same_port,
            Barrier::Tls => same_port && matches!(control, TargetKind::Url(_)),
            Barrier::Http => false,
        }
}
