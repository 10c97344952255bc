//! When GitHub is asked to run the workflow.
//!
//! GitHub's scheduler is busiest at the full hour and at round minutes, and drops what it cannot
//! start. So the minute is odd and no multiple of five, and not the same one for everybody: it comes
//! from what is watched.

use sha2::{Digest, Sha256};

use crate::cli::Every;

/// The odd minutes of half an hour without the multiples of five. Modulo 15 they still differ, and
/// none becomes such a multiple.
const MINUTES: [u32; 12] = [1, 3, 7, 9, 11, 13, 17, 19, 21, 23, 27, 29];

/// GitHub's shortest interval, in minutes.
const SHORTEST: u32 = 5;

/// The names of the five fields, and the least and the greatest number in each.
const FIELDS: [(&str, u32, u32); 5] = [
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 6),
];

/// The five fields for an interval. `about` is what the minute comes from.
pub(super) fn schedule(every: Every, about: &str) -> String {
    let digest = Sha256::digest(about.as_bytes());
    let byte = |at: usize| digest.get(at).copied().unwrap_or_default();
    let minute = MINUTES.get(usize::from(byte(0)) % MINUTES.len());
    let minute = minute.copied().unwrap_or(17);
    let later = minute + 30;
    match every {
        Every::QuarterHour => {
            let first = minute % 15;
            let [second, third, fourth] = [first + 15, first + 30, first + 45];
            format!("{first},{second},{third},{fourth} * * * *")
        }
        Every::HalfHour => format!("{minute},{later} * * * *"),
        Every::Hour => format!("{later} * * * *"),
        Every::QuarterDay => {
            let first = byte(1) % 6;
            let [second, third, fourth] = [first + 6, first + 12, first + 18];
            format!("{later} {first},{second},{third},{fourth} * * *")
        }
        Every::Day => format!("{later} {} * * *", byte(1) % 24),
    }
}

/// Checks what was typed as a schedule, and gives it with single blanks. Numbers only, so that
/// nothing else can get into the workflow.
pub(super) fn checked(typed: &str) -> Result<String, String> {
    let fields: Vec<&str> = typed.split_whitespace().collect();
    let [minutes, ..] = fields.as_slice() else {
        return Err("a schedule has five fields, such as '17,47 * * * *'".to_owned());
    };
    if fields.len() != FIELDS.len() {
        let count = fields.len();
        return Err(format!(
            "a schedule has five fields, such as '17,47 * * * *', and this has {count}"
        ));
    }
    for (field, (name, least, greatest)) in fields.iter().zip(FIELDS) {
        numbers(field, least, greatest).ok_or_else(|| {
            format!(
                "{field:?} is no {name}: expected *, numbers from {least} to {greatest}, ranges such \
                 as 1-5 and steps such as */6, with commas between them"
            )
        })?;
    }
    let minutes = numbers(minutes, 0, 59).unwrap_or_default();
    let next = minutes.iter().skip(1).copied();
    let around = minutes.first().map(|first| first + 60);
    let gaps = minutes.iter().zip(next.chain(around));
    if gaps
        .into_iter()
        .any(|(minute, next)| next - minute < SHORTEST)
    {
        return Err(format!(
            "the schedule runs more often than every {SHORTEST} minutes, and GitHub's shortest \
             interval is that"
        ));
    }
    Ok(fields.join(" "))
}

/// The numbers that a field means, sorted; none if it makes no sense.
fn numbers(field: &str, least: u32, greatest: u32) -> Option<Vec<u32>> {
    let mut all = Vec::new();
    for part in field.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, number(step).filter(|step| *step > 0)?),
            None => (part, 1),
        };
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (least, greatest),
            Some((from, to)) => (number(from)?, number(to)?),
            None if part.contains('/') => (number(range)?, greatest),
            None => (number(range)?, number(range)?),
        };
        if from < least || to > greatest || from > to {
            return None;
        }
        let step = usize::try_from(step).ok()?;
        all.extend((from..=to).step_by(step));
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}

/// One or two digits: `+5` would be a number to the standard library.
fn number(text: &str) -> Option<u32> {
    let digits = (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_watched_the_minutes_are_odd_and_nobody_elses_favourites() {
        let mut seen = std::collections::BTreeSet::new();
        for number in 0..500 {
            let about = format!("targets {number}");
            let cron = schedule(Every::HalfHour, &about);
            let minutes = numbers(cron.split(' ').next().unwrap(), 0, 59).unwrap();
            assert_eq!(minutes.len(), 2, "{cron}");
            assert!(minutes.iter().all(|m| m % 2 == 1 && m % 5 != 0), "{cron}");
            assert_eq!(cron, schedule(Every::HalfHour, &about));
            seen.insert(cron);
            for every in [
                Every::QuarterHour,
                Every::Hour,
                Every::QuarterDay,
                Every::Day,
            ] {
                let cron = schedule(every, &about);
                assert_eq!(checked(&cron).as_ref(), Ok(&cron));
                let minutes = numbers(cron.split(' ').next().unwrap(), 0, 59).unwrap();
                assert!(minutes.iter().all(|m| m % 5 != 0), "{cron}");
            }
        }
        assert_eq!(seen.len(), MINUTES.len());
    }

    #[test]
    fn a_schedule_has_five_fields_of_numbers() {
        assert_eq!(checked(" 17,47  * * * 1-5 ").unwrap(), "17,47 * * * 1-5");
        assert_eq!(
            checked("3/20 */6 1 1-12/3 0").unwrap(),
            "3/20 */6 1 1-12/3 0"
        );
        for (typed, says) in [
            ("", "five fields"),
            ("17 * * *", "this has 4"),
            ("17 * * * * *", "this has 6"),
            ("60 * * * *", "no minute"),
            ("17 24 * * *", "no hour"),
            ("17 * 0 * *", "no day of the month"),
            ("17 * * 13 *", "no month"),
            ("17 * * * 7", "no day of the week"),
            ("17 * * * MON", "no day of the week"),
            ("9-5 * * * *", "no minute"),
            ("17 */0 * * *", "no hour"),
            ("+5 * * * *", "no minute"),
            ("1,, * * * *", "no minute"),
            ("17'}} * * * *", "no minute"),
            ("* * * * *", "more often"),
            ("*/3 * * * *", "more often"),
            ("1,58 * * * *", "more often"),
            ("2,4 * * * *", "more often"),
        ] {
            let error = checked(typed).unwrap_err();
            assert!(error.contains(says), "{typed}: {error}");
        }
        assert!(checked("*/5 * * * *").is_ok());
    }
}
