//! A waiver: somebody answers for an exposure until a day. It changes what counts, never what was
//! seen: the verdict stays, and what could not be observed is never waived.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use time::{Date, Month, OffsetDateTime, UtcOffset};

/// With so many days left, or fewer, a waiver is about to end.
const SOON: i64 = 7;

/// A day of the calendar, written `2026-12-31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Day(Date);

/// Why a text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DayError {
    /// It is not written as four, two and two digits with hyphens between them.
    Form,
    /// No calendar has it, as `2026-02-30`.
    Calendar,
}

impl fmt::Display for DayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Form => "not a day written as YYYY-MM-DD",
            Self::Calendar => "not a day of the calendar",
        })
    }
}

impl std::error::Error for DayError {}

impl Day {
    /// The day of a time, in UTC.
    #[must_use]
    pub fn of(at: OffsetDateTime) -> Self {
        // At the very ends of what can be written a time has no form in UTC; its own day must do.
        let utc = at.checked_to_offset(UtcOffset::UTC).unwrap_or(at);
        Self(utc.date())
    }
}

impl FromStr for Day {
    type Err = DayError;

    fn from_str(text: &str) -> Result<Self, DayError> {
        let digits = |text: &str, length: usize| {
            let plain = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse::<u16>().ok()).flatten()
        };
        let mut parts = text.split('-');
        let (Some(year), Some(month), Some(day), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(DayError::Form);
        };
        let year = digits(year, 4).ok_or(DayError::Form)?;
        let month = digits(month, 2).ok_or(DayError::Form)?;
        let day = digits(day, 2).ok_or(DayError::Form)?;
        let date = u8::try_from(month)
            .ok()
            .and_then(|month| Month::try_from(month).ok())
            .zip(u8::try_from(day).ok())
            .and_then(|(month, day)| Date::from_calendar_date(year.into(), month, day).ok());
        date.map(Self).ok_or(DayError::Calendar)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.0.to_calendar_date();
        write!(f, "{year:04}-{:02}-{day:02}", u8::from(month))
    }
}

impl From<Day> for String {
    fn from(day: Day) -> Self {
        day.to_string()
    }
}

impl TryFrom<String> for Day {
    type Error = DayError;

    fn try_from(text: String) -> Result<Self, DayError> {
        text.parse()
    }
}

impl JsonSchema for Day {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Day".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date",
            "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
        })
    }
}

/// Who answers for a target's exposure, why, and until when: as it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// Who answers for it: printable, 1 to 200 characters.
    pub owner: String,
    /// Why it may be: printable, 1 to 500 characters.
    pub reason: String,
    /// The last day on which it holds, in UTC.
    pub until: Day,
}

/// How a waiver stands on the day of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WaiverState {
    /// It holds, for more than seven days to come.
    Active,
    /// It holds, with seven days left or fewer.
    ExpiresSoon,
    /// Its last day is over: it waives nothing any more.
    Expired,
}

/// A target's waiver, as it stood on the day of the round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WaiverReport {
    /// Who answers for the exposure.
    pub owner: String,
    /// Why it may be.
    pub reason: String,
    /// The last day on which the waiver holds, in UTC.
    pub until: Day,
    /// How it stood on the day on which the round began, in UTC.
    pub state: WaiverState,
}

impl Waiver {
    /// How the waiver stands at a time.
    #[must_use]
    pub fn at(&self, time: OffsetDateTime) -> WaiverReport {
        WaiverReport {
            owner: self.owner.clone(),
            reason: self.reason.clone(),
            until: self.until,
            state: WaiverState::of(self.until, time),
        }
    }
}

impl WaiverState {
    /// How a waiver with this last day stands at a time.
    #[must_use]
    pub fn of(until: Day, time: OffsetDateTime) -> Self {
        let left = (until.0 - Day::of(time).0).whole_days();
        match left {
            ..0 => Self::Expired,
            0..=SOON => Self::ExpiresSoon,
            _ => Self::Active,
        }
    }

    /// Whether a waiver that stands so waives anything.
    #[must_use]
    pub const fn holds(self) -> bool {
        match self {
            Self::Active | Self::ExpiresSoon => true,
            Self::Expired => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::format_description::well_known::Rfc3339;

    #[test]
    fn only_real_days_are_days() {
        for text in ["2026-12-31", "2028-02-29", "0001-01-01"] {
            assert_eq!(text.parse::<Day>().unwrap().to_string(), text);
        }
        for text in [
            "2026-2-03",
            "26-02-03",
            "2026-02-3",
            "2026/02/03",
            "2026-02",
            "2026-02-03-04",
            "",
            "+026-02-03",
            "2026-02-03T00:00:00Z",
            " 2026-02-03",
            "٢٠٢٦-02-03",
        ] {
            assert_eq!(text.parse::<Day>(), Err(DayError::Form), "{text}");
        }
        for text in [
            "2026-02-29",
            "2026-02-30",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
        ] {
            assert_eq!(text.parse::<Day>(), Err(DayError::Calendar), "{text}");
        }
    }

    #[test]
    fn the_last_day_belongs_to_the_waiver_and_days_are_those_of_utc() {
        use WaiverState::{Active, Expired, ExpiresSoon};
        let until: Day = "2026-12-31".parse().unwrap();
        for (time, state) in [
            ("2026-12-23T23:59:59Z", Active),
            ("2026-12-24T00:00:00Z", ExpiresSoon),
            ("2026-12-31T23:59:59Z", ExpiresSoon),
            ("2027-01-01T00:00:00Z", Expired),
            ("2027-01-01T00:30:00+01:00", ExpiresSoon),
            ("2026-12-31T23:30:00-01:00", Expired),
            ("2020-01-01T00:00:00Z", Active),
        ] {
            let time = OffsetDateTime::parse(time, &Rfc3339).unwrap();
            assert_eq!(WaiverState::of(until, time), state, "{time}");
        }
    }
}
