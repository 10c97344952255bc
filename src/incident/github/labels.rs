//! noentry's own labels and those of a target: there before the first issue that needs them.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::Problem;
use super::super::state::{Kind, State};
use super::tracker::Tracker;

/// What all of our issues have, and by which they are found.
pub(super) const OURS: &str = "noentry";
/// A target is reachable, or was.
const EXPOSED: &str = "noentry:exposed";
/// Something could not be judged.
const BLIND: &str = "noentry:blind";
/// The target is gone from the configuration.
pub(super) const ORPHANED: &str = "noentry:orphaned";
/// What is remembered between rounds.
pub(super) const MEMORY: &str = "noentry:memory";
/// The most characters of a label's name.
const NAME: usize = 50;

/// The label that says what an incident is about.
pub(super) const fn kind(state: &State) -> &'static str {
    match state.kind {
        Kind::Target | Kind::Mass => EXPOSED,
        Kind::Blind => BLIND,
    }
}

/// The labels with which an issue is opened.
pub(super) fn of(state: &State) -> Vec<String> {
    let mut labels = vec![OURS.to_owned(), kind(state).to_owned()];
    if state.orphaned.is_some() {
        labels.push(ORPHANED.to_owned());
    }
    for label in &state.notify.labels {
        if !labels.iter().any(|known| known.eq_ignore_ascii_case(label)) {
            labels.push(label.clone());
        }
    }
    labels
}

/// Makes the labels that are missing, each looked for once in a run. A label that cannot be made costs
/// nothing but itself, unless it is the one by which issues are found. Gives those that are there.
pub(super) async fn ensure(
    tracker: &Tracker,
    ready: &mut BTreeSet<String>,
    wanted: &[String],
    asides: &mut Vec<Problem>,
) -> Result<Vec<String>, Problem> {
    let mut there = Vec::new();
    for name in wanted {
        if ready.contains(name) {
            there.push(name.clone());
            continue;
        }
        match make(tracker, name).await {
            Ok(()) => {
                ready.insert(name.clone());
                there.push(name.clone());
            }
            Err(problem) if name == OURS => return Err(problem),
            Err(problem) => asides.push(problem),
        }
    }
    Ok(there)
}

async fn make(tracker: &Tracker, name: &str) -> Result<(), Problem> {
    let doing = format!("make the label {name:?}");
    let problem = |fault| tracker.problem(&fault, &doing);
    if name.chars().count() > NAME {
        return Err(tracker.at_repository(format!(
            "cannot {doing}: GitHub takes {NAME} characters at most: shorten it in the configuration"
        )));
    }
    if tracker.has_label(name).await.map_err(problem)? {
        return Ok(());
    }
    let (colour, description) = looks(name);
    let label = json!({ "name": name, "color": colour, "description": description });
    let made = tracker.make_label(&label).await;
    // Whether it was made by us, by another run or by a write that seemed to fail is all the same.
    if tracker.has_label(name).await.map_err(problem)? {
        return Ok(());
    }
    match made {
        Err(fault) => Err(problem(fault)),
        Ok(()) => Err(tracker.at_repository(format!(
            "cannot {doing}: GitHub took it and does not have it: make it by hand"
        ))),
    }
}

/// Colour and description, 100 characters of it at most.
fn looks(name: &str) -> (&'static str, &'static str) {
    match name {
        OURS => (
            "5319e7",
            "The trail that noentry keeps; it finds its issues by this label",
        ),
        EXPOSED => ("b60205", "Reachable from outside, and must not be"),
        BLIND => ("fbca04", "noentry could not judge, which is not a pass"),
        ORPHANED => (
            "d4c5f9",
            "Gone from noentry's configuration: nobody looks any more",
        ),
        MEMORY => (
            "ededed",
            "What noentry remembers between rounds; nothing to do here",
        ),
        _ => ("ededed", "Asked for in noentry's configuration"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_fits() {
        for name in [OURS, EXPOSED, BLIND, ORPHANED, MEMORY, "net"] {
            let (colour, description) = looks(name);
            assert!(description.len() <= 100, "{name}");
            assert!(
                colour.len() == 6 && u32::from_str_radix(colour, 16).is_ok(),
                "{name}"
            );
        }
    }
}
