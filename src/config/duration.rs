//! Durations as people write them: `5s`, `4.8s`, `500ms`, `1m`; for what takes days, `24h` and `7d`.
//!
//! One number and one unit, the same in the file, on the command line and in the schema. The two kinds
//! have different units, so that nobody is offered a time-out in days or a reminder in milliseconds.

use std::time::Duration;

use super::mistake::{Mistake, quoted};

/// Units with their nanoseconds, and what to say of a text that has none of them.
struct Units {
    known: &'static [(&'static str, u64)],
    called: &'static str,
    examples: &'static str,
    /// What to write instead of a number alone, which goes where `#` stands.
    with_unit: &'static str,
}

const SHORT: Units = Units {
    known: &[
        ("ms", 1_000_000),
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
    ],
    called: "a duration",
    examples: "`500ms`, `4.8s` or `1m`",
    with_unit: "write `#s` for seconds or `#ms` for milliseconds",
};

const LONG: Units = Units {
    known: &[
        ("s", 1_000_000_000),
        ("m", 60_000_000_000),
        ("h", 3_600_000_000_000),
        ("d", 86_400_000_000_000),
    ],
    called: "a period",
    examples: "`90m`, `24h` or `7d`",
    with_unit: "write `#h` for hours or `#d` for days",
};

/// Reads how long something takes that is over in minutes.
///
/// # Errors
///
/// When the text is not a number, with at most nine digits on either side of the point, and a unit.
pub fn parse(text: &str) -> Result<Duration, Mistake> {
    read(text, &SHORT)
}

/// Reads how long something lasts that may take days.
///
/// # Errors
///
/// The same.
pub fn period(text: &str) -> Result<Duration, Mistake> {
    read(text, &LONG)
}

fn read(text: &str, units: &Units) -> Result<Duration, Mistake> {
    let wrong = || {
        Mistake::new(format!("{} is not {}", quoted(text), units.called)).help(format!(
            "write a number and its unit, such as {}",
            units.examples
        ))
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    if unit.is_empty() && !number.is_empty() {
        return Err(Mistake::new(format!("{} lacks its unit", quoted(text)))
            .help(units.with_unit.replace('#', number)));
    }
    let known = units.known.iter().find(|(word, _)| *word == unit);
    let nanoseconds_a_unit = known
        .map(|(_, nanoseconds)| *nanoseconds)
        .ok_or_else(wrong)?;
    let (whole, fraction) = match number.split_once('.') {
        Some((whole, fraction)) => (whole, fraction),
        None => (number, "0"),
    };
    let digits = |text: &str| {
        let good = (1..=9).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        good.then(|| text.parse::<u64>().ok())
            .flatten()
            .ok_or_else(wrong)
    };
    let scale = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(u32::MAX).min(9));
    let fraction = digits(fraction)?.saturating_mul(nanoseconds_a_unit / scale.max(1));
    let whole = u128::from(digits(whole)?).saturating_mul(nanoseconds_a_unit.into());
    let total = whole.saturating_add(fraction.into());
    let seconds = u64::try_from(total / 1_000_000_000).unwrap_or(u64::MAX);
    let rest = u32::try_from(total % 1_000_000_000).unwrap_or(0);
    Ok(Duration::new(seconds, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit() {
        for (text, milliseconds) in [
            ("5s", 5_000),
            ("4.8s", 4_800),
            ("500ms", 500),
            ("0s", 0),
            ("1m", 60_000),
            ("0.5m", 30_000),
            ("1.25s", 1_250),
            ("999999999s", 999_999_999_000),
        ] {
            assert_eq!(
                parse(text),
                Ok(Duration::from_millis(milliseconds)),
                "{text}"
            );
        }
        assert_eq!(parse("0.000001ms"), Ok(Duration::from_nanos(1)));
        assert_eq!(parse("0.123456789s"), Ok(Duration::from_nanos(123_456_789)));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "s",
            "5",
            "5 s",
            " 5s",
            "5s ",
            "-5s",
            "+5s",
            "5h",
            "5S",
            "1.s",
            ".5s",
            "1..5s",
            "1.2.3s",
            "5s5",
            "1e3s",
            "٥s",
            "1234567890s",
            "1:30",
            "5ss",
            "5µs",
            "0x5s",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_takes_days_has_units_of_its_own() {
        for (text, seconds) in [
            ("0s", 0),
            ("90m", 5_400),
            ("24h", 86_400),
            ("1.5d", 129_600),
            ("365d", 31_536_000),
            ("999999999d", 86_399_999_913_600),
        ] {
            assert_eq!(period(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        assert!(period("500ms").is_err());
        for text in ["1h", "7d", "1w"] {
            assert!(parse(text).is_err(), "{text}");
        }
        let mistake = period("7").unwrap_err();
        assert_eq!(
            mistake.help.unwrap(),
            "write `7h` for hours or `7d` for days"
        );
    }

    #[test]
    fn a_missing_unit_is_named() {
        let mistake = parse("5").unwrap_err();
        assert_eq!(mistake.message, "`5` lacks its unit");
        assert_eq!(
            mistake.help.unwrap(),
            "write `5s` for seconds or `5ms` for milliseconds"
        );
    }
}
