//! What an HTTP answer tells, whichever version and transport it came over.
//!
//! Limits: at most 64 KiB of a body and 24 fields are kept; text is taken for UTF-8.

use hyper::HeaderMap;
use sha2::{Digest, Sha256};

use crate::domain::observation::{Caveat, HttpEvidence};
use crate::domain::reach::Reach;

use super::denial::{Answer, CompiledDenial, Match};
use super::http::Heard;
use super::{certificate, filter, page, text};

/// Bytes of the body that are read.
const BODY: usize = 65_536;
/// Characters kept of a field value.
pub(super) const VALUE: usize = 200;
/// Fields kept as evidence.
const KEPT: usize = 24;

/// Fields that tell who answered and where the page would be.
const TELLING: [&str; 5] = [
    "server",
    "location",
    "www-authenticate",
    "content-type",
    "via",
];

/// How bot challenges announce themselves: field and value.
///
/// - `cf-mitigated`: Cloudflare documentation, "Detect a Challenge Page response".
/// - `x-amzn-waf-action`: AWS WAF Developer Guide, "CAPTCHA and Challenge action behavior" (with
///   status 202 and 405).
/// - `x-vercel-mitigated`: as other clients know it (`rover-fetch` 0.3.2, `fetcher/challenge.rs`);
///   no page of the vendor's own was found. Kept, because a challenge that passes for a denial is
///   the worse error.
const CHALLENGES: [(&str, &str); 4] = [
    ("cf-mitigated", "challenge"),
    ("x-amzn-waf-action", "challenge"),
    ("x-amzn-waf-action", "captcha"),
    ("x-vercel-mitigated", "challenge"),
];

/// An answer with as much of its body as was read.
pub(super) struct Page<'a> {
    /// Such as `HTTP/1.1`.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// All fields.
    pub headers: &'a HeaderMap,
    /// What was read.
    pub body: Body,
}

impl Page<'_> {
    /// Compares the answer with a denial.
    pub(super) fn compared(self, denial: &CompiledDenial) -> Heard {
        let body = self.body;
        let headers: Vec<(&str, &[u8])> = self
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_bytes()))
            .collect();
        let compared = denial.compare(Answer {
            status: self.status,
            headers: &headers,
            // Nothing of a body that was promised is not an empty body.
            body: (!body.cut || !body.bytes.is_empty()).then_some(&*body.bytes),
        });
        let (reach, unmet) = match compared {
            Match::Met => (Reach::Denied, None),
            Match::OtherStatus => (Reach::Served, None),
            Match::Unmet(mark) => (Reach::Served, Some(mark)),
        };
        let title = title(self.headers, &body.bytes);
        let answer = filter::Answer {
            status: self.status,
            headers: &headers,
            title: title.as_deref(),
            body: &body.bytes,
        };
        let filter = filter::whose(&answer, denial);
        let http = HttpEvidence {
            headers: telling(&headers, denial),
            title,
            body_sha256: (!body.bytes.is_empty())
                .then(|| certificate::hex(&Sha256::digest(&body.bytes))),
            body_bytes: u32::try_from(body.bytes.len()).unwrap_or(u32::MAX),
            body_cut: body.cut,
            caveat: caveat(self.status, &headers, filter.is_some()),
            filter: filter.map(str::to_owned),
            unmet: unmet.map(|mark| text::printable(mark.as_bytes(), VALUE)),
            ..bare(self.version, self.status)
        };
        Heard::Answer {
            reach: Some(reach),
            http,
        }
    }
}

/// As much of a body as is read.
#[derive(Default)]
pub(super) struct Body {
    bytes: Vec<u8>,
    cut: bool,
}

impl Body {
    /// Takes what fits; false when there was more.
    pub(super) fn take(&mut self, data: &[u8]) -> bool {
        let room = BODY.saturating_sub(self.bytes.len());
        self.bytes.extend(data.iter().take(room));
        self.cut |= data.len() > room;
        !self.cut
    }

    /// The body ended before its end.
    pub(super) fn cut_off(self) -> Self {
        Self { cut: true, ..self }
    }
}

fn telling(headers: &[(&str, &[u8])], denial: &CompiledDenial) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| {
            TELLING.contains(name)
                || denial.names(name)
                || filter::is_mark(name)
                || CHALLENGES.iter().any(|(field, _)| field == name)
        })
        .take(KEPT)
        .map(|(name, value)| ((*name).to_owned(), text::printable(value, VALUE)))
        .collect()
}

fn title(headers: &HeaderMap, body: &[u8]) -> Option<String> {
    let html = headers.get(hyper::header::CONTENT_TYPE).is_none_or(|kind| {
        kind.as_bytes()
            .to_ascii_lowercase()
            .windows(4)
            .any(|w| w == b"html")
    });
    if html { page::title(body) } else { None }
}

/// What keeps an answer from telling about the target. Whose word it is comes before how it was meant:
/// a filter that says 429 says nothing about the target.
fn caveat(status: u16, headers: &[(&str, &[u8])], filtered: bool) -> Option<Caveat> {
    let challenged = headers.iter().any(|(name, value)| {
        CHALLENGES.iter().any(|(field, sign)| {
            field == name && value.trim_ascii().eq_ignore_ascii_case(sign.as_bytes())
        })
    });
    if challenged {
        Some(Caveat::Challenged)
    } else if filtered || filter::is_of_proxies(status) {
        Some(Caveat::Filtered)
    } else {
        (status == 429).then_some(Caveat::Throttled)
    }
}

/// An answer of which only version and status are known.
pub(super) fn bare(version: String, status: u16) -> HttpEvidence {
    HttpEvidence {
        version,
        status,
        headers: Vec::new(),
        title: None,
        body_sha256: None,
        body_bytes: 0,
        body_cut: false,
        caveat: caveat(status, &[], false),
        filter: None,
        plain_on_tls: false,
        unmet: None,
    }
}
