//! `defaults:`, and the numbers that have bounds.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::Overrides;
use crate::config::duration;
use crate::config::field::{Field, words_of};
use crate::config::file;
use crate::config::mistake::Mistake;
use crate::config::problem::Problem;
use crate::config::reader::{Reader, Spot};
use crate::domain::endpoint::Family;
use crate::domain::target::Pace;

/// Linux from 6.5 on sends SYNs at 0, 1, 2, 3, 4 and 5 s: a time-out of 5 s would waste the SYN just
/// sent. Three attempts of 4.4 s, with the controls before and after, stay under 15 s.
const TIMEOUT: Duration = Duration::from_millis(4_400);
const ATTEMPTS: u32 = 3;
const INTERVAL: Duration = Duration::from_secs(1);
const CONCURRENCY: usize = 16_000;
const PER_HOST: usize = 32;
/// How many attempts are started a second at most.
const RATE: u32 = 250;

/// Below half a second a far address is silent because it is far, while a near control still answers.
const TIMEOUTS: RangeInclusive<Duration> = Duration::from_millis(500)..=Duration::from_mins(1);
const INTERVALS: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_mins(1);
const ATTEMPTS_ALLOWED: RangeInclusive<u64> = 1..=20;
const CONFIRMATIONS: RangeInclusive<u64> = 1..=5;
const FLIGHTS: RangeInclusive<u64> = 1..=100_000;

/// What holds where nothing else is said, with what was typed on top.
pub struct Base {
    /// Timing.
    pub pace: Pace,
    /// The watched families, sorted, never empty.
    pub families: Vec<Family>,
    /// Whether addresses that are not globally routable are connected to.
    pub probe_non_global: bool,
    /// Whether QUIC is tried beside TCP.
    pub http3: bool,
    /// How many sets of attempts must see an exposure before an incident is opened.
    pub confirm: u32,
    /// How many attempts are in flight at most.
    pub concurrency: usize,
    /// The same against one address.
    pub per_host: usize,
    /// How many attempts are started a second at most.
    pub rate: u32,
    /// What was typed for single attempts; beats also a target's own setting.
    typed: (Option<Duration>, Option<u32>),
}

impl Base {
    /// Reads `defaults:`.
    pub fn read(
        reader: &mut Reader<'_>,
        spot: &Spot<'_>,
        field: &Field<file::Defaults>,
        overrides: &Overrides,
    ) -> Self {
        check_typed(reader, overrides);
        let typed = (overrides.timeout, overrides.attempts);
        let mut base = Self {
            pace: Pace {
                timeout: typed.0.unwrap_or(TIMEOUT),
                attempts: typed.1.unwrap_or(ATTEMPTS),
                interval: INTERVAL,
            },
            families: Family::ALL.to_vec(),
            probe_non_global: false,
            http3: true,
            confirm: 1,
            concurrency: overrides.concurrency.unwrap_or(CONCURRENCY),
            per_host: overrides.per_host.unwrap_or(PER_HOST),
            rate: overrides.rate.unwrap_or(RATE),
            typed,
        };
        let expected = "a mapping, such as `{ timeout: 4.8s, attempts: 3 }`";
        let Some(file) = reader.fit(spot, field, expected) else {
            return base;
        };
        reader.unknown_keys::<file::Defaults>(spot, |_| false);
        base.pace = base.pace(reader, spot, &file.timeout, &file.attempts, &file.interval);
        if let Some(families) = families(reader, &spot.key("families"), &file.families) {
            base.families = families;
        }
        if let Some(lifted) = flag(
            reader,
            &spot.key("probe_non_global"),
            &file.probe_non_global,
        ) {
            base.probe_non_global = lifted;
        }
        if let Some(http3) = flag(reader, &spot.key("http3"), &file.http3) {
            base.http3 = http3;
        }
        base.confirm = base.confirm(reader, spot, &file.confirm);
        let mut flight = |key: &str, field, typed: Option<usize>, default| {
            let given = number(reader, &spot.key(key), field, &FLIGHTS);
            let given = given.and_then(|number| usize::try_from(number).ok());
            typed.or(given).unwrap_or(default)
        };
        base.concurrency = flight(
            "concurrency",
            &file.concurrency,
            overrides.concurrency,
            CONCURRENCY,
        );
        base.per_host = flight("per_host", &file.per_host, overrides.per_host, PER_HOST);
        let rate = count(reader, &spot.key("rate"), &file.rate, &FLIGHTS);
        base.rate = overrides.rate.or(rate).unwrap_or(RATE);
        base
    }

    /// The timing of an entry: what was typed, else its own, else the default.
    pub fn pace(
        &self,
        reader: &mut Reader<'_>,
        spot: &Spot<'_>,
        timeout: &Field<file::Span>,
        attempts: &Field<u64>,
        interval: &Field<file::Span>,
    ) -> Pace {
        let timeout = span(reader, &spot.key("timeout"), timeout, &TIMEOUTS);
        let attempts = count(reader, &spot.key("attempts"), attempts, &ATTEMPTS_ALLOWED);
        let interval = span(reader, &spot.key("interval"), interval, &INTERVALS);
        Pace {
            timeout: self.typed.0.or(timeout).unwrap_or(self.pace.timeout),
            attempts: self.typed.1.or(attempts).unwrap_or(self.pace.attempts),
            interval: interval.unwrap_or(self.pace.interval),
        }
    }

    /// How many sets of attempts must see an exposure: an entry's own number, else the default.
    pub fn confirm(&self, reader: &mut Reader<'_>, spot: &Spot<'_>, field: &Field<u64>) -> u32 {
        let own = count(reader, &spot.key("confirm"), field, &CONFIRMATIONS);
        own.unwrap_or(self.confirm)
    }

    /// The same with another default timing.
    pub fn with(&self, pace: Pace, probe_non_global: bool) -> Self {
        Self {
            pace,
            probe_non_global,
            families: self.families.clone(),
            ..*self
        }
    }
}

/// Reads the watched families; sorted and without repetition.
pub fn families(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Vec<Field<Family>>>,
) -> Option<Vec<Family>> {
    let items = reader.fit(spot, field, "a list of `ipv4` and `ipv6`")?;
    if items.is_empty() {
        let help = "list `ipv4`, `ipv6` or both, or remove the key to watch both".to_owned();
        reader.report(spot.place(), "`families` is empty", [help]);
        return None;
    }
    let mut families = Vec::new();
    for (index, item) in items.iter().enumerate() {
        families.extend(reader.word(&spot.item(index, "`families`"), item, words_of::<Family>()));
    }
    families.sort_unstable();
    families.dedup();
    (!families.is_empty()).then_some(families)
}

/// Reads a truth value.
pub fn flag(reader: &mut Reader<'_>, spot: &Spot<'_>, field: &Field<bool>) -> Option<bool> {
    reader.fit(spot, field, "`true` or `false`").copied()
}

/// Reads a whole number within bounds that a small type holds.
pub fn count(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<u64>,
    allowed: &RangeInclusive<u64>,
) -> Option<u32> {
    let number = number(reader, spot, field, allowed)?;
    u32::try_from(number).ok()
}

fn number(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<u64>,
    allowed: &RangeInclusive<u64>,
) -> Option<u64> {
    let expected = format!(
        "a whole number from {} to {}",
        allowed.start(),
        allowed.end()
    );
    let number = *reader.fit(spot, field, &expected)?;
    if allowed.contains(&number) {
        return Some(number);
    }
    let message = format!("{} takes {expected}, not {number}", spot.what);
    reader.report(spot.place(), message, None);
    None
}

fn span(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<file::Span>,
    allowed: &RangeInclusive<Duration>,
) -> Option<Duration> {
    let expected = format!(
        "a duration from {} to {}",
        written(*allowed.start()),
        written(*allowed.end())
    );
    reader.parsed(spot, field, &expected, |text| {
        let span = duration::parse(text)?;
        if allowed.contains(&span) {
            Ok(span)
        } else {
            Err(Mistake::new(format!("`{text}` is not {expected}")))
        }
    })
}

/// Seconds stay seconds: `60s`, not `1m`.
fn written(span: Duration) -> String {
    match span.as_millis() {
        millis if millis.is_multiple_of(1000) => format!("{}s", span.as_secs()),
        millis => format!("{millis}ms"),
    }
}

fn check_typed(reader: &mut Reader<'_>, overrides: &Overrides) {
    let mut refuse = |option: &str, good: bool, bounds: String| {
        if !good {
            reader.report_typed(Problem::typed(format!("`{option}` takes {bounds}")));
        }
    };
    let bounds = |range: &RangeInclusive<u64>| {
        format!("a whole number from {} to {}", range.start(), range.end())
    };
    if let Some(timeout) = overrides.timeout {
        let bounds = "a duration from 500ms to 60s".to_owned();
        refuse("--timeout", TIMEOUTS.contains(&timeout), bounds);
    }
    if let Some(attempts) = overrides.attempts {
        let good = ATTEMPTS_ALLOWED.contains(&attempts.into());
        refuse("--attempts", good, bounds(&ATTEMPTS_ALLOWED));
    }
    let rate = overrides.rate.and_then(|rate| usize::try_from(rate).ok());
    for (option, typed) in [
        ("--concurrency", overrides.concurrency),
        ("--per-host", overrides.per_host),
        ("--rate", rate),
    ] {
        if let Some(typed) = typed {
            let good = u64::try_from(typed).is_ok_and(|typed| FLIGHTS.contains(&typed));
            refuse(option, good, bounds(&FLIGHTS));
        }
    }
}
