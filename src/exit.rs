//! The documented exit codes, in one place.
//!
//! | code | name | meaning |
//! | --- | --- | --- |
//! | 0 | `blocked` | every target is blocked, or exposed with a waiver that holds |
//! | 1 | `exposed` | at least one target is exposed without such a waiver, whatever else is true |
//! | 2 | `usage` | the command line or the configuration is wrong, or nothing was probed |
//! | 3 | `inconclusive` | nothing is exposed, and at least one target could not be judged, a round to merge is missing, or the shard has no target |
//! | 4 | `unreported` | nothing is exposed, the verdict stands, and a report or the incident trail could not be written |
//!
//! A second interrupt ends the program at once with 130, and nothing is known then.

use std::process::ExitCode;

use crate::domain::verdict::Verdict;

/// How noentry ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: every target is blocked, or the command did what it was asked for.
    Blocked,
    /// 1: at least one target is exposed.
    Exposed,
    /// 2: usage, configuration, or nothing probed.
    Usage,
    /// 3: at least one target is inconclusive or nothing was to be looked at, none is exposed.
    Inconclusive,
    /// 4: the verdict could not be reported, and nothing is exposed.
    Unreported,
}

impl Exit {
    /// The exit code of a verdict that was reported.
    #[must_use]
    pub const fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Blocked => Self::Blocked,
            Verdict::Exposed => Self::Exposed,
            Verdict::Inconclusive => Self::Inconclusive,
        }
    }

    /// The same when a report could not be written. An exposure is still the more important news.
    #[must_use]
    pub const fn unreported(self) -> Self {
        match self {
            Self::Exposed => Self::Exposed,
            Self::Usage => Self::Usage,
            Self::Blocked | Self::Inconclusive | Self::Unreported => Self::Unreported,
        }
    }

    /// The number.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Blocked => 0,
            Self::Exposed => 1,
            Self::Usage => 2,
            Self::Inconclusive => 3,
            Self::Unreported => 4,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_blocked_round_that_was_reported_ends_with_zero() {
        for exit in [
            Exit::of(Verdict::Exposed),
            Exit::of(Verdict::Inconclusive),
            Exit::Usage,
            Exit::Blocked.unreported(),
            Exit::Inconclusive.unreported(),
            Exit::Exposed.unreported(),
        ] {
            assert_ne!(exit.code(), 0, "{exit:?}");
        }
        assert_eq!(Exit::of(Verdict::Blocked).code(), 0);
    }
}
