//! Durations as people write them: `5s`, `4.8s`, `500ms`, `1m`.
//!
//! One number and one unit, the same in the file, on the command line and in the schema.

use std::time::Duration;

use super::mistake::{Mistake, quoted};

/// Reads a duration.
///
/// # Errors
///
/// When the text is not a number, with at most nine digits on either side of the point, and a unit.
pub fn parse(text: &str) -> Result<Duration, Mistake> {
    let wrong = || {
        Mistake::new(format!("{} is not a duration", quoted(text)))
            .help("write a number and its unit, such as `500ms`, `4.8s` or `1m`")
    };
    let digits = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at_checked(digits).ok_or_else(wrong)?;
    if unit.is_empty() && !number.is_empty() {
        return Err(
            Mistake::new(format!("{} lacks its unit", quoted(text))).help(format!(
                "write `{number}s` for seconds or `{number}ms` for milliseconds"
            )),
        );
    }
    let nanoseconds_a_unit: u64 = match unit {
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        _ => return Err(wrong()),
    };
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
    fn a_missing_unit_is_named() {
        let mistake = parse("5").unwrap_err();
        assert_eq!(mistake.message, "`5` lacks its unit");
        assert_eq!(
            mistake.help.unwrap(),
            "write `5s` for seconds or `5ms` for milliseconds"
        );
    }
}
