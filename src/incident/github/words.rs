//! What went wrong between us and GitHub, in words that name the remedy.

use std::time::Duration;

use crate::domain::escape::{clip, visible};

/// How many characters of what GitHub says are shown.
const SAID: usize = 300;

/// Why something could not be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// GitHub said no.
    Refused {
        /// The status.
        status: u16,
        /// GitHub's own words, and what it finds wrong with which field. Not escaped yet.
        said: String,
    },
    /// One of GitHub's limits was reached, and waiting for its end takes too long.
    Limited {
        /// When to come again, from now.
        wait: Duration,
    },
    /// The server is in trouble: nobody knows whether a write was done.
    Server {
        /// The status.
        status: u16,
    },
    /// Nothing was sent: no connection, no TLS.
    NoConnection {
        /// What is known about it. Not escaped yet.
        said: String,
    },
    /// The connection ended early: nobody knows whether a write was done.
    Broken {
        /// What is known about it. Not escaped yet.
        said: String,
    },
    /// No answer in time: nobody knows whether a write was done.
    Slow,
    /// The time for everything is used up.
    OutOfTime,
    /// The answer is longer than any that makes sense.
    TooLong,
    /// The answer is no answer to what was asked.
    Garbage {
        /// What is wrong with it. Not escaped yet.
        said: String,
    },
}

impl Fault {
    /// Whether trying once more may help.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::Server { .. } | Self::NoConnection { .. } | Self::Broken { .. } | Self::Slow => {
                true
            }
            Self::Refused { .. }
            | Self::Limited { .. }
            | Self::OutOfTime
            | Self::TooLong
            | Self::Garbage { .. } => false,
        }
    }

    /// Whether a write may have been done all the same.
    pub(super) const fn is_unclear(&self) -> bool {
        match self {
            // An answer that cannot be read follows upon something that was done.
            Self::Server { .. }
            | Self::Broken { .. }
            | Self::Slow
            | Self::TooLong
            | Self::Garbage { .. } => true,
            Self::Refused { .. }
            | Self::Limited { .. }
            | Self::NoConnection { .. }
            | Self::OutOfTime => false,
        }
    }

    /// Whether it is a refusal with this status.
    pub(super) const fn is(&self, wanted: u16) -> bool {
        matches!(self, Self::Refused { status, .. } if *status == wanted)
    }
}

/// The fault as a lowercase fragment: what could not be done, why, and what helps.
pub(super) fn say(fault: &Fault, doing: &str) -> String {
    match fault {
        Fault::Refused { status, said } => {
            let remedy = remedy(*status, said);
            let said = match quoted(said).as_str() {
                "" => String::new(),
                said => format!(" ({said})"),
            };
            format!("cannot {doing}: GitHub answered {status}{said}: {remedy}")
        }
        Fault::Limited { wait } => format!(
            "cannot {doing}: GitHub's rate limit is reached, and it asks to wait {}, longer than \
             this run may: the next round goes on; look less often if that happens again",
            spoken(*wait)
        ),
        Fault::Server { status } => format!(
            "cannot {doing}: GitHub answered {status}, trouble on its own side: the next round \
             tries again"
        ),
        Fault::NoConnection { said } => format!(
            "cannot {doing}: there is no connection to the API ({}): see to the network, \
             HTTPS_PROXY and GITHUB_API_URL",
            quoted(said)
        ),
        Fault::Broken { said } => format!(
            "cannot {doing}: the connection to the API broke ({}): the next round tries again",
            quoted(said)
        ),
        Fault::Slow => {
            format!("cannot {doing}: the API did not answer in time: the next round tries again")
        }
        Fault::OutOfTime => {
            format!("cannot {doing}: the time for the trail is used up: the next round goes on")
        }
        Fault::TooLong => format!("cannot {doing}: the API's answer is too long to be read"),
        Fault::Garbage { said } => format!(
            "cannot {doing}: the API's answer is not understood ({}): is GITHUB_API_URL the API's \
             address?",
            quoted(said)
        ),
    }
}

fn remedy(status: u16, said: &str) -> &'static str {
    let said = said.to_ascii_lowercase();
    match status {
        301 | 302 | 307 | 308 => {
            "the repository has another name now: write the new one as incidents: repository"
        }
        401 => "the token is wrong or expired: put a valid one into NOENTRY_GITHUB_TOKEN",
        403 if said.contains("archived") => {
            "the repository is archived and takes no changes: name another one as incidents: \
             repository, or take it out of the archive"
        }
        403 => {
            "the token may not do this: give the job `permissions: issues: write`, or put a token \
             with read and write access to issues into NOENTRY_GITHUB_TOKEN (runs of forks and of \
             Dependabot get a token that may only read)"
        }
        404 => {
            "the repository or issue is not there, or the token may not see it: check the name and \
             give the token access to issues"
        }
        410 => {
            "issues are switched off in the repository, or this one was deleted: switch them on in \
             its settings, or name another repository as incidents: repository"
        }
        422 if said.contains("too long") || said.contains("65536") => {
            "the text is longer than GitHub takes: shorten what people wrote around noentry's \
             section"
        }
        422 => "GitHub does not take these values: the names of labels and people may be wrong",
        451 => "the repository is blocked for legal reasons: name another one",
        _ => "that is not an answer noentry knows: check GITHUB_API_URL and the token",
    }
}

fn quoted(said: &str) -> String {
    clip(visible(said).trim(), SAID)
}

/// `40 seconds`, `12 minutes`.
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs().max(1);
    if seconds < 120 {
        format!("{seconds} seconds")
    } else {
        format!("{} minutes", seconds.div_ceil(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_names_its_remedy() {
        for (status, said, remedy) in [
            (301, "Moved Permanently", "write the new one"),
            (401, "Bad credentials", "NOENTRY_GITHUB_TOKEN"),
            (
                403,
                "Resource not accessible by integration",
                "issues: write",
            ),
            (403, "Repository was archived so is read-only.", "archive"),
            (404, "Not Found", "may not see it"),
            (410, "Issues are disabled for this repo", "switched off"),
            (422, "Validation Failed: body is too long", "shorten"),
            (422, "Validation Failed: labels invalid", "labels"),
            (418, "", "GITHUB_API_URL"),
        ] {
            let said = said.to_owned();
            let words = say(&Fault::Refused { status, said }, "open an issue");
            assert!(words.contains(remedy), "{words}");
            assert!(words.starts_with("cannot open an issue"), "{words}");
            assert!(words.contains(&status.to_string()), "{words}");
        }
    }

    #[test]
    fn trouble_on_the_way_says_what_happens_next() {
        let broken = Fault::Broken {
            said: "reset\n::error::x".to_owned(),
        };
        let words = say(&broken, "list issues");
        assert!(
            words.contains("next round") && !words.contains('\n'),
            "{words}"
        );
        let wait = Duration::from_mins(50);
        let words = say(&Fault::Limited { wait }, "list issues");
        assert!(words.contains("50 minutes"), "{words}");
        for fault in [Fault::Slow, Fault::OutOfTime, Fault::Server { status: 502 }] {
            assert!(say(&fault, "x").contains("next round"), "{fault:?}");
        }
    }

    #[test]
    fn only_what_may_have_arrived_is_unclear() {
        let said = String::new();
        assert!(Fault::Server { status: 502 }.is_unclear());
        assert!(Fault::Slow.is_unclear());
        assert!(Fault::Broken { said: said.clone() }.is_unclear());
        assert!(!Fault::NoConnection { said: said.clone() }.is_unclear());
        assert!(!Fault::Refused { status: 422, said }.is_unclear());
    }
}
