//! `waivers:` exposures that somebody answers for until a day.
//!
//! Whether that day is over is not asked here: a file must not break by itself.

use std::collections::BTreeMap;

use super::printable;
use crate::config::field::Field;
use crate::config::file;
use crate::config::mistake::{Mistake, quoted};
use crate::config::problem::{all_of, near};
use crate::config::reader::{Reader, Spot};
use crate::domain::target::Target;
use crate::domain::waiver::{Day, DayError, Waiver};

/// The longest owner and the longest reason, in characters.
const MAX_OWNER: usize = 200;
const MAX_REASON: usize = 500;

/// Reads all waivers, each under the name of its target. `names` holds those of all targets of the
/// file, and their lines.
pub fn read(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Vec<Field<file::Waiver>>>,
    names: &BTreeMap<String, u32>,
) -> BTreeMap<String, Waiver> {
    let mut waivers = BTreeMap::new();
    let mut lines = BTreeMap::new();
    let items = reader.fit(spot, field, "a list of waivers");
    for (index, field) in items.into_iter().flatten().enumerate() {
        let spot = spot.item(index, "a waiver");
        waivers.extend(one(reader, &spot, field, names, &mut lines));
    }
    waivers
}

/// Gives each target its waiver. Those of targets that were not asked for have nothing to waive.
pub fn hand_out(mut waivers: BTreeMap<String, Waiver>, targets: &mut [Target]) {
    for target in targets {
        target.waiver = waivers.remove(&target.name);
    }
}

fn one(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<file::Waiver>,
    names: &BTreeMap<String, u32>,
    lines: &mut BTreeMap<String, u32>,
) -> Option<(String, Waiver)> {
    let expected = "a mapping with `target`, `owner`, `reason` and `until`";
    let file = reader.fit(spot, field, expected)?;
    let meant = reader.unknown_keys::<file::Waiver>(spot, |_| false);
    for (key, help) in [
        ("target", "write the name of the target that it is for"),
        ("owner", "write who answers for the exposure"),
        ("reason", "write why it may be for now"),
        (
            "until",
            "write the last day on which it holds, as YYYY-MM-DD",
        ),
    ] {
        if !spot.has(key) && !meant.contains(&key) {
            let message = format!("a waiver lacks `{key}`");
            reader.report(spot.start(), message, [help.to_owned()]);
        }
    }
    let target = target(reader, &spot.key("target"), &file.target, names, lines);
    let owner = prose(reader, &spot.key("owner"), &file.owner, MAX_OWNER);
    let reason = prose(reader, &spot.key("reason"), &file.reason, MAX_REASON);
    let until = &file.until;
    let until = reader.parsed(&spot.key("until"), until, "a day, written YYYY-MM-DD", day);
    Some((
        target?,
        Waiver {
            owner: owner?,
            reason: reason?,
            until: until?,
        },
    ))
}

/// The name of a target that the file has, and that has no other waiver.
fn target(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<String>,
    names: &BTreeMap<String, u32>,
    lines: &mut BTreeMap<String, u32>,
) -> Option<String> {
    let expected = "text (the name of a target)";
    let name = reader.text(spot, field, expected)?.trim();
    if !names.contains_key(name) {
        let known = names.keys().map(String::as_str);
        let help = near(name, known.clone()).map_or_else(
            || format!("the file has {}", all_of(known.take(20))),
            |near| format!("did you mean `{near}`?"),
        );
        let mistake = Mistake::new(format!("no target is named {}", quoted(name)));
        let mistake = if names.is_empty() {
            mistake
        } else {
            mistake.help(help)
        };
        reader.mistake(spot, mistake, expected);
        return None;
    }
    let line = spot.place().line;
    if let Some(first) = lines.get(name) {
        let help = format!("the first stands in line {first}; keep one of them");
        reader.report(spot.place(), "two waivers are for this target", [help]);
        return None;
    }
    lines.insert(name.to_owned(), line);
    Some(name.to_owned())
}

fn prose(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<String>,
    max: usize,
) -> Option<String> {
    let expected = "text in words";
    let text = reader.text(spot, field, expected)?.trim();
    match printable::check(text, "text", max) {
        Ok(()) => Some(text.to_owned()),
        Err(mistake) => {
            reader.mistake(spot, mistake, expected);
            None
        }
    }
}

fn day(text: &str) -> Result<Day, Mistake> {
    text.parse().map_err(|error| {
        let mistake = Mistake::new(format!("{} is {error}", quoted(text)));
        match error {
            DayError::Form => mistake.help("write the last day on which it holds, as `2026-12-31`"),
            DayError::Calendar => mistake,
        }
    })
}
