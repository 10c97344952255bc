//! `controls:` and a target's own `control:`.

use std::borrow::Borrow;

use super::defaults::{self, Base};
use super::kind::{self, Fields};
use super::payload;
use crate::config::field::Field;
use crate::config::file;
use crate::config::reader::{Reader, Spot};
use crate::config::source::Place;
use crate::domain::endpoint::Transport;
use crate::domain::target::{Barrier, Control, ControlOrigin, TargetKind};

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
    let given = Fields::from(file).read(reader, spot, &meant);
    let pace = base.pace(reader, spot, &file.timeout, &file.attempts, &Field::Absent);
    let lifted = defaults::flag(
        reader,
        &spot.key("probe_non_global"),
        &file.probe_non_global,
    );
    let probe_non_global = lifted.unwrap_or(base.probe_non_global);
    let kind::Given { kind, every_port } = given?;
    kind::refuse_untried(reader, spot, &kind, probe_non_global);
    payload::refuse_mute(reader, spot, &kind);
    Some(Control {
        kind,
        every_port,
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
    target: Option<&TargetKind>,
) -> Option<Box<Control>> {
    let control = read(reader, spot, field, base, ControlOrigin::Target)?;
    let climbs = match barrier {
        Some(Barrier::Dns) | None => false,
        Some(Barrier::Network | Barrier::Tls | Barrier::Http) => true,
    };
    if climbs
        && let Some(transport) = target.and_then(TargetKind::transport)
        && control.kind.transport() != Some(transport)
    {
        let kind = control.kind.as_str();
        let (silent, fit) = match transport {
            Transport::Tcp => ("TCP port", "`tcp:` or `url:`"),
            Transport::Udp => ("UDP port", "`udp:` or `quic:`"),
            Transport::Icmp => ("host", "`icmp:`"),
        };
        let message = format!("a control with `{kind}` proves nothing about a silent {silent}");
        let help = format!("write a control with {fit} on the target's own path");
        reader.report(spot.key(kind).key_place(), message, [help]);
    }
    Some(Box::new(control))
}
