//! One target.

use std::collections::BTreeMap;

use super::barrier::{self, Shape};
use super::control;
use super::defaults::{self, Base};
use super::denial;
use super::incidents;
use super::kind::{self, Fields};
use super::payload;
use super::printable;
use crate::config::field::Field;
use crate::config::file;
use crate::config::reader::{Reader, Spot};
use crate::domain::endpoint::Family;
use crate::domain::target::{Authoritative, Barrier, Target, TargetKind, Url};

/// The longest name of a target, in characters.
const MAX_NAME: usize = 200;

/// Reads a target. `names` holds the names so far, and the lines of their targets.
pub fn read(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<file::Target>,
    base: &Base,
    names: &mut BTreeMap<String, u32>,
) -> Option<Target> {
    let expected = "a mapping with `name` and one of `url`, `tcp`, `udp`, `quic`, `icmp` and `dns`";
    let file = reader.fit(spot, field, expected)?;
    let meant = reader.unknown_keys::<file::Target>(spot, |_| false);
    let name = name(reader, spot, &file.name, &meant, names);
    let kind = Fields::from(file)
        .read(reader, spot, &meant)
        .map(|given| given.kind);
    let shape = Shape::of(spot, kind.as_ref());
    let barrier = barrier::read(reader, spot, &file.barrier, shape.as_ref());
    let denial = &file.denial;
    let denial = denial::read(reader, &spot.key("denial"), denial, barrier, shape.as_ref());
    let http3 = http3(reader, spot, &file.http3, kind.as_ref(), base);
    let accept_silence = payload::accept_silence(reader, spot, kind.as_ref(), &file.accept_silence);
    let authoritative = authoritative(reader, spot, &file.authoritative, kind.as_ref());
    let families = families(reader, spot, &file.families, kind.as_ref(), base);
    let pace = base.pace(reader, spot, &file.timeout, &file.attempts, &file.interval);
    let lifted = defaults::flag(
        reader,
        &spot.key("probe_non_global"),
        &file.probe_non_global,
    );
    let probe_non_global = lifted.unwrap_or(base.probe_non_global);
    let inherited = base.with(pace.clone(), probe_non_global);
    let spot_control = spot.key("control");
    let control = &file.control;
    let control = control::own(
        reader,
        &spot_control,
        control,
        &inherited,
        barrier,
        kind.as_ref(),
    );
    let confirm = base.confirm(reader, spot, &file.confirm);
    let notify = incidents::notify(reader, spot, &file.labels, &file.assignees, &file.mention);
    let kind = kind?;
    kind::refuse_untried(reader, spot, &kind, probe_non_global);
    Some(Target {
        name: name?,
        kind,
        barrier: barrier?,
        denial: denial?,
        families,
        control,
        pace,
        probe_non_global,
        authoritative,
        // At the barrier `dns` nothing is connected to.
        http3: http3 && barrier != Some(Barrier::Dns),
        accept_silence,
        // Waivers stand by themselves in the file.
        waiver: None,
        confirm,
        notify,
        position: reader.source().position(spot.start()),
    })
}

fn name(
    reader: &mut Reader<'_>,
    target: &Spot<'_>,
    field: &Field<String>,
    meant: &[&str],
    names: &mut BTreeMap<String, u32>,
) -> Option<String> {
    let expected = "text (the target's name)";
    if matches!(field, Field::Absent) && !meant.contains(&"name") {
        let help = "give every target a `name:` of its own; reports go by it".to_owned();
        reader.report(target.start(), "a target has no name", [help]);
    }
    let spot = target.key("name");
    let name = reader.text(&spot, field, expected)?.trim();
    if let Err(mistake) = printable::check(name, "name", MAX_NAME) {
        reader.mistake(&spot, mistake, expected);
        return None;
    }
    let line = spot.place().line;
    if let Some(first) = names.get(name) {
        let help = format!("the first stands in line {first}; names must be unique");
        reader.report(spot.place(), "two targets have this name", [help]);
        return None;
    }
    names.insert(name.to_owned(), line);
    Some(name.to_owned())
}

/// Whether QUIC is tried beside TCP; never where the address is not `https`.
fn http3(
    reader: &mut Reader<'_>,
    target: &Spot<'_>,
    field: &Field<bool>,
    kind: Option<&TargetKind>,
    base: &Base,
) -> bool {
    let spot = target.key("http3");
    let own = defaults::flag(reader, &spot, field);
    match kind {
        Some(TargetKind::Url(Url { https: true, .. })) => own.unwrap_or(base.http3),
        Some(TargetKind::Url(_)) if target.has("http3") => {
            let message = "`http3` belongs to `https://`, and this address is `http://`";
            let help = "remove the key: QUIC is always encrypted".to_owned();
            reader.report(spot.key_place(), message, [help]);
            false
        }
        Some(_) | None => false,
    }
}

/// When the zone's own servers are asked; an address literal is in no zone.
fn authoritative(
    reader: &mut Reader<'_>,
    target: &Spot<'_>,
    field: &Field<bool>,
    kind: Option<&TargetKind>,
) -> Authoritative {
    let spot = target.key("authoritative");
    let own = defaults::flag(reader, &spot, field);
    if kind.is_some_and(|kind| kind.address().is_some()) && target.has("authoritative") {
        let message = "`authoritative` needs a name, and this target is an address";
        let help = "remove the key: no name server is asked".to_owned();
        reader.report(spot.key_place(), message, [help]);
    }
    match own {
        Some(true) => Authoritative::Always,
        Some(false) | None => Authoritative::WhereNeeded,
    }
}

/// The watched families, which must include that of an address literal.
fn families(
    reader: &mut Reader<'_>,
    target: &Spot<'_>,
    field: &Field<Vec<Field<Family>>>,
    kind: Option<&TargetKind>,
    base: &Base,
) -> Vec<Family> {
    let spot = target.key("families");
    let own = defaults::families(reader, &spot, field);
    let inherited = own.is_none();
    let families = own.unwrap_or_else(|| base.families.clone());
    if let Some((kind, family)) = kind.and_then(|kind| Some((kind, Family::of(kind.address()?))))
        && !families.contains(&family)
        && !matches!(field, Field::Unfit(_))
    {
        let (place, whose) = if inherited {
            (
                target.key(kind.as_str()).place(),
                "`families` under `defaults`",
            )
        } else {
            (spot.place(), "`families`")
        };
        let message = format!("{whose} leaves out {family}, the family of this target's address");
        let help = format!("add `{}`, or remove the target", family.as_str());
        reader.report(place, message, [help]);
    }
    families
}
