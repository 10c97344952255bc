//! What rounds have in common, and what they have together.

use time::OffsetDateTime;

use crate::domain::merged::MergedRound;
use crate::domain::report::{Coverage, RoundReport, Vantage};
use crate::domain::trail::Links;

/// The word for what differs.
const SEVERAL: &str = "several";

/// From the first beginning to the last end, in milliseconds.
pub(super) fn span(rounds: &[MergedRound]) -> (OffsetDateTime, u64) {
    let started = rounds.iter().map(|round| round.started).min();
    let started = started.unwrap_or(OffsetDateTime::UNIX_EPOCH);
    let ends = rounds.iter().map(|round| {
        let after = (round.started - started).whole_milliseconds();
        let after = u64::try_from(after).unwrap_or_default();
        after.saturating_add(round.took_ms)
    });
    (started, ends.max().unwrap_or_default())
}

/// Only what is true of all: it proves no more than the weakest of them.
pub(super) fn vantage(rounds: &[MergedRound]) -> Vantage {
    let every = || rounds.iter().map(|round| &round.vantage);
    let first = every().next();
    Vantage {
        environment: same(every().map(|v| &v.environment)).unwrap_or_else(|| SEVERAL.to_owned()),
        name: same(every().map(|v| &v.name)).flatten(),
        label: same(every().map(|v| &v.label)).flatten(),
        system: same(every().map(|v| &v.system)).unwrap_or_else(|| SEVERAL.to_owned()),
        proven: shared(first.map(|v| v.proven.as_slice()), || {
            every().map(|v| v.proven.as_slice())
        }),
        sees: shared(first.map(|v| v.sees.as_slice()), || {
            every().map(|v| v.sees.as_slice())
        }),
        egress: shared(first.map(|v| v.egress.as_slice()), || {
            every().map(|v| v.egress.as_slice())
        }),
        // Each round says for itself which ports it reached, and from which side it looked.
        ports: Vec::new(),
        unfiltered: every().find_map(|v| v.unfiltered),
        reverse_path_drops: None,
        outside: None,
    }
}

/// The links that all have: rounds of one run have the same.
pub(super) fn links(rounds: &[MergedRound]) -> Links {
    Links {
        run: same(rounds.iter().map(|round| &round.links.run)).flatten(),
        config: same(rounds.iter().map(|round| &round.links.config)).flatten(),
    }
}

/// The value, where all have the same.
fn same<'a, T: Clone + PartialEq + 'a>(mut values: impl Iterator<Item = &'a T>) -> Option<T> {
    let first = values.next()?;
    values.all(|value| value == first).then(|| first.clone())
}

/// What is in every list.
fn shared<'a, T: Clone + PartialEq + 'a, I: Iterator<Item = &'a [T]>>(
    first: Option<&'a [T]>,
    every: impl Fn() -> I,
) -> Vec<T> {
    let first = first.unwrap_or_default().iter();
    first
        .filter(|value| every().all(|list| list.contains(value)))
        .cloned()
        .collect()
}

/// Every line of every table; the targets of lines that say the same stand in one. What one vantage
/// watches and another cannot is in two lines.
pub(super) fn coverage<'a>(reports: impl Iterator<Item = &'a RoundReport>) -> Vec<Coverage> {
    let mut lines: Vec<(Coverage, std::collections::BTreeSet<String>)> = Vec::new();
    for line in reports.flat_map(|report| &report.coverage) {
        let targets = line.targets.iter().cloned();
        let alike = lines.iter_mut().find(|(known, _)| {
            (known.surface, known.family, known.watch, &known.reason)
                == (line.surface, line.family, line.watch, &line.reason)
        });
        match alike {
            Some((known, names)) => {
                let new = targets.filter(|name| names.insert(name.clone()));
                known.targets.extend(new);
            }
            None => lines.push((line.clone(), targets.collect())),
        }
    }
    lines.sort_by_key(|(line, _)| (line.surface, line.family, line.watch));
    lines.into_iter().map(|(line, _)| line).collect()
}
