//! A target's HTTP denial, made ready for comparing.

use std::collections::BTreeSet;

use regex_lite::{Regex, RegexBuilder};
use thiserror::Error;

use crate::domain::target::HttpDenial;

/// Bytes that a compiled body pattern may take.
const PATTERN_SIZE: usize = 1 << 20;

/// The configuration's fault: a denial that cannot be compared with anything.
#[derive(Debug, Error)]
pub enum DenialError {
    /// The body pattern is not a regular expression, or too large a one.
    #[error("body pattern is not usable: {0}")]
    Body(#[from] regex_lite::Error),
}

/// An [`HttpDenial`] with its pattern compiled. Made once a target, shared by its attempts.
/// The default accepts nothing.
#[derive(Clone, Debug, Default)]
pub struct CompiledDenial {
    status: BTreeSet<u16>,
    header: Vec<(String, String)>,
    body: Option<Regex>,
}

/// What an answer is compared with a denial by.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// All headers, names in lowercase.
    pub headers: &'a [(&'a str, &'a [u8])],
    /// As much of the body as was read; none where a body was promised and nothing of it came.
    pub body: Option<&'a [u8]>,
}

/// How an answer compares with a denial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Match {
    /// It is the denial.
    Met,
    /// Its status is another one.
    OtherStatus,
    /// Its status is the denial's, and this mark is missing.
    Unmet(String),
}

impl CompiledDenial {
    /// Makes a denial ready.
    ///
    /// # Errors
    ///
    /// If the body pattern is not a regular expression.
    pub fn new(denial: &HttpDenial) -> Result<Self, DenialError> {
        let body = denial
            .body
            .as_deref()
            .map(|pattern| RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build())
            .transpose()?;
        let header = denial
            .header
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.clone()))
            .collect();
        Ok(Self {
            status: denial.status.clone(),
            header,
            body,
        })
    }

    /// Whether the denial looks at this header (name in lowercase).
    #[must_use]
    pub fn names(&self, header: &str) -> bool {
        self.header.iter().any(|(name, _)| name == header)
    }

    /// Whether a mark of the denial has this word (in lowercase) in it: a header's name or value, or the
    /// body pattern as it is written.
    #[must_use]
    pub fn speaks_of(&self, word: &str) -> bool {
        let has = |text: &str| text.to_ascii_lowercase().contains(word);
        let header = self
            .header
            .iter()
            .any(|(name, value)| has(name) || has(value));
        header || self.body.as_ref().is_some_and(|body| has(body.as_str()))
    }

    /// Whether this status is one of a denial.
    #[must_use]
    pub fn accepts(&self, status: u16) -> bool {
        self.status.contains(&status)
    }

    /// Compares an answer. All marks must be there at once; of a header sent more than once, any
    /// value will do. The pattern is looked for in the body as UTF-8, with what is none replaced.
    #[must_use]
    pub fn compare(&self, answer: Answer<'_>) -> Match {
        if !self.accepts(answer.status) {
            return Match::OtherStatus;
        }
        for (name, value) in &self.header {
            let mut sent = answer.headers.iter().filter(|(sent, _)| sent == name);
            if !sent.any(|(_, sent)| *sent == value.as_bytes()) {
                return Match::Unmet(format!("header {name}: {value}"));
            }
        }
        let Some(pattern) = &self.body else {
            return Match::Met;
        };
        match answer.body {
            Some(body) if pattern.is_match(&String::from_utf8_lossy(body)) => Match::Met,
            Some(_) | None => Match::Unmet(format!("body {}", pattern.as_str())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denial(header: &[(&str, &str)], body: Option<&str>) -> CompiledDenial {
        CompiledDenial::new(&HttpDenial {
            status: BTreeSet::from([403]),
            header: header
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            body: body.map(str::to_owned),
        })
        .unwrap()
    }

    const ELB: (&str, &[u8]) = ("server", b"awselb/2.0");

    fn answer(status: u16, body: &[u8]) -> Answer<'_> {
        Answer {
            status,
            headers: &[ELB, ("via", b"a"), ("via", b"b")],
            body: Some(body),
        }
    }

    #[test]
    fn a_body_that_never_came_meets_no_pattern() {
        let unsent = Answer {
            body: None,
            ..answer(403, b"")
        };
        assert!(matches!(
            denial(&[], Some("^$")).compare(unsent),
            Match::Unmet(_)
        ));
        assert_eq!(denial(&[], None).compare(unsent), Match::Met);
    }

    #[test]
    fn every_mark_must_be_there() {
        let plain = denial(&[], None);
        assert_eq!(plain.compare(answer(403, b"")), Match::Met);
        assert_eq!(plain.compare(answer(404, b"")), Match::OtherStatus);

        let marked = denial(&[("Server", "awselb/2.0")], Some("(?i)forbidden by"));
        assert_eq!(
            marked.compare(answer(403, b"<b>Forbidden by WAF")),
            Match::Met
        );
        assert_eq!(
            marked.compare(answer(403, b"not yours")),
            Match::Unmet("body (?i)forbidden by".to_owned())
        );
        let other = denial(&[("server", "awselb/2.1")], None);
        assert_eq!(
            other.compare(answer(403, b"")),
            Match::Unmet("header server: awselb/2.1".to_owned())
        );
    }

    #[test]
    fn values_are_compared_exactly_and_any_of_several_will_do() {
        assert_eq!(
            denial(&[("via", "b")], None).compare(answer(403, b"")),
            Match::Met
        );
        assert_ne!(
            denial(&[("via", "B")], None).compare(answer(403, b"")),
            Match::Met
        );
        assert_ne!(
            denial(&[("server", "awselb")], None).compare(answer(403, b"")),
            Match::Met
        );
    }

    #[test]
    fn a_body_that_is_no_text_is_searched_all_the_same() {
        let marked = denial(&[], Some("blocked"));
        assert_eq!(
            marked.compare(answer(403, b"\xff\xfeblocked\xff")),
            Match::Met
        );
    }

    #[test]
    fn a_pattern_that_is_none_is_an_error() {
        let error = CompiledDenial::new(&HttpDenial {
            body: Some("(".to_owned()),
            ..HttpDenial::default()
        })
        .unwrap_err();
        assert!(error.to_string().starts_with("body pattern is not usable"));
    }
}
