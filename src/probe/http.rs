//! The HTTP rung: one GET on the stream that is already there, and what came back.
//!
//! No redirect is followed, no cookie kept, nothing retried. At most 64 KiB of the body are read and
//! everything is under the attempt's deadline: when the head is in and the body stalls, the status
//! is still what was seen. An answer whose head cannot be read beyond its status line is still an
//! answer, but never a denial.
//!
//! Limits: heads of at most 128 KiB and 256 fields (HTTP/1), 64 KiB of fields (HTTP/2); no
//! decompression (none is offered); text is taken for UTF-8.

use std::error::Error as _;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::{http1, http2};
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::http::uri::PathAndQuery;
use hyper::rt::Executor as _;
use hyper::{HeaderMap, Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::AlertDescription;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::domain::observation::{Caveat, HttpEvidence, StoppedBy};
use crate::domain::reach::Reach;
use crate::domain::target::Url;

use super::denial::{Answer, CompiledDenial, Match};
use super::record::{End, Shared};
use super::tasks::{Starter, Tasks};
use super::{certificate, page, text, tls};

/// Bytes of the body that are read.
const BODY: usize = 65_536;
/// Bytes of an HTTP/1 head.
const HEAD: usize = 128 * 1024;
/// Fields of an HTTP/1 head.
const FIELDS: usize = 256;
/// Bytes of an HTTP/2 field section.
const SECTION: u32 = 64 * 1024;
/// Characters kept of a field value.
const VALUE: usize = 200;
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

/// The version to speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, settled by ALPN.
    Http2,
}

/// What is asked, what would be a denial, and until when.
#[derive(Clone, Copy, Debug)]
pub struct Exchange<'a> {
    /// The page.
    pub url: &'a Url,
    /// What a denial looks like.
    pub denial: &'a CompiledDenial,
    /// The end of the attempt.
    pub deadline: Instant,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An HTTP answer.
    Answer {
        /// `denied` or `served`; `None` where the status would be a denial's and too little of the
        /// answer could be read to say so.
        reach: Option<Reach>,
        /// What it said.
        http: HttpEvidence,
    },
    /// A TLS alert instead of an answer.
    Alert(AlertDescription),
    /// Something that is not HTTP: its first bytes.
    Foreign(Vec<u8>),
    /// No answer.
    Ended(StoppedBy),
}

type NoBody = Empty<Bytes>;

/// Asks for the page.
pub async fn ask<S>(exchange: &Exchange<'_>, stream: S, record: Shared, version: Version) -> Heard
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    // It may have ended before anything was asked: a late TLS alert.
    if record.look().end.is_some() {
        return unanswered(&record, None, exchange.denial);
    }
    let request = match request(exchange.url, version) {
        Ok(request) => request,
        Err(error) => {
            return Heard::Ended(StoppedBy::Errno {
                errno: 0,
                text: format!("the request could not be formed: {error}"),
            });
        }
    };
    let tasks = Tasks::default();
    let answer = async {
        let mut sender = Sender::open(stream, version, &tasks.starter()).await?;
        let response = sender.send(request).await?;
        // The sender goes with the answer: HTTP/2 ends a connection that has none.
        Ok::<_, hyper::Error>((response, sender))
    };
    match timeout_at(exchange.deadline, answer).await {
        Ok(Ok((response, _sender))) => read(exchange, response).await,
        Ok(Err(error)) => unanswered(&record, Some(&error), exchange.denial),
        Err(_elapsed) => unanswered(&record, None, exchange.denial),
    }
}

enum Sender {
    Http1(http1::SendRequest<NoBody>),
    Http2(http2::SendRequest<NoBody>),
}

impl Sender {
    async fn open<S>(stream: S, version: Version, starter: &Starter) -> hyper::Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let stream = TokioIo::new(stream);
        Ok(match version {
            Version::Http1 => {
                let (sender, connection) = http1::Builder::new()
                    .max_headers(FIELDS)
                    .max_buf_size(HEAD)
                    .ignore_invalid_headers_in_responses(true)
                    .allow_spaces_after_header_name_in_responses(true)
                    .allow_obsolete_multiline_headers_in_responses(true)
                    .handshake(stream)
                    .await?;
                starter.execute(connection);
                Self::Http1(sender)
            }
            Version::Http2 => {
                let (sender, connection) = http2::Builder::new(starter.clone())
                    .max_header_list_size(SECTION)
                    .initial_stream_window_size(65_535)
                    .initial_connection_window_size(65_535)
                    .handshake(stream)
                    .await?;
                starter.execute(connection);
                Self::Http2(sender)
            }
        })
    }

    async fn send(&mut self, request: Request<NoBody>) -> hyper::Result<Response<Incoming>> {
        match self {
            Self::Http1(sender) => sender.send_request(request).await,
            Self::Http2(sender) => sender.send_request(request).await,
        }
    }
}

fn request(url: &Url, version: Version) -> hyper::http::Result<Request<NoBody>> {
    let path = path(&url.path)?;
    let builder = match version {
        Version::Http1 => Request::get(Uri::from(path)).header(HOST, &url.authority),
        Version::Http2 => Request::get(
            Uri::builder()
                .scheme("https")
                .authority(url.authority.as_str())
                .path_and_query(path)
                .build()?,
        ),
    };
    builder
        .header(USER_AGENT, concat!("noentry/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .body(Empty::new())
}

/// Path and query as they go over the wire. URLs may hold a few characters that requests may not;
/// they are escaped rather than the page left out or another one asked for.
fn path(path: &str) -> hyper::http::Result<PathAndQuery> {
    if let Ok(path) = PathAndQuery::try_from(path) {
        return Ok(path);
    }
    let mut escaped = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/?&=%+:@!$'()*,;".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push('%');
            escaped.push_str(&certificate::hex(&[byte]).to_ascii_uppercase());
        }
    }
    Ok(PathAndQuery::try_from(escaped)?)
}

/// Reads an answer and compares it.
async fn read(exchange: &Exchange<'_>, response: Response<Incoming>) -> Heard {
    let (head, incoming) = response.into_parts();
    let body = Body::read(incoming, exchange.deadline).await;
    let headers: Vec<(&str, &[u8])> = head
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_bytes()))
        .collect();
    let status = head.status.as_u16();
    let compared = exchange.denial.compare(Answer {
        status,
        headers: &headers,
        // Nothing of a body that was promised is not an empty body.
        body: (!body.cut || !body.bytes.is_empty()).then_some(&*body.bytes),
    });
    let (reach, unmet) = match compared {
        Match::Met => (Reach::Denied, None),
        Match::OtherStatus => (Reach::Served, None),
        Match::Unmet(mark) => (Reach::Served, Some(mark)),
    };
    let http = HttpEvidence {
        headers: telling(&headers, exchange.denial),
        title: title(&head.headers, &body.bytes),
        body_sha256: (!body.bytes.is_empty())
            .then(|| certificate::hex(&Sha256::digest(&body.bytes))),
        body_bytes: u32::try_from(body.bytes.len()).unwrap_or(u32::MAX),
        body_cut: body.cut,
        caveat: caveat(status, &headers),
        unmet: unmet.map(|mark| text::printable(mark.as_bytes(), VALUE)),
        ..bare(version_name(head.version), status)
    };
    Heard::Answer {
        reach: Some(reach),
        http,
    }
}

/// As much of a body as is read.
#[derive(Default)]
struct Body {
    bytes: Vec<u8>,
    cut: bool,
}

impl Body {
    async fn read(mut incoming: Incoming, deadline: Instant) -> Self {
        let mut body = Self::default();
        loop {
            // Asked here as well: a flood of empty frames is always ready, and a timeout looks at
            // its clock only when nothing is.
            let frame = if Instant::now() < deadline {
                timeout_at(deadline, incoming.frame()).await
            } else {
                body.cut = true;
                return body;
            };
            match frame {
                Ok(Some(Ok(frame))) => {
                    let Ok(data) = frame.into_data() else {
                        continue;
                    };
                    let room = BODY.saturating_sub(body.bytes.len());
                    body.bytes.extend(data.iter().take(room));
                    if data.len() > room {
                        body.cut = true;
                        return body;
                    }
                }
                Ok(None) => return body,
                Ok(Some(Err(_))) | Err(_) => {
                    body.cut = true;
                    return body;
                }
            }
        }
    }
}

fn version_name(version: hyper::Version) -> String {
    if version == hyper::Version::HTTP_2 {
        "HTTP/2".to_owned()
    } else {
        format!("{version:?}")
    }
}

fn telling(headers: &[(&str, &[u8])], denial: &CompiledDenial) -> Vec<(String, String)> {
    headers
        .iter()
        .filter(|(name, _)| {
            TELLING.contains(name)
                || denial.names(name)
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

fn caveat(status: u16, headers: &[(&str, &[u8])]) -> Option<Caveat> {
    let challenged = headers.iter().any(|(name, value)| {
        CHALLENGES.iter().any(|(field, sign)| {
            field == name && value.trim_ascii().eq_ignore_ascii_case(sign.as_bytes())
        })
    });
    match (challenged, status) {
        (true, _) => Some(Caveat::Challenged),
        (false, 429) => Some(Caveat::Throttled),
        (false, _) => None,
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
        caveat: caveat(status, &[]),
        plain_on_tls: false,
        unmet: None,
    }
}

/// Why there is no answer, from what was recorded on the way. `error` is missing at the deadline.
fn unanswered(record: &Shared, error: Option<&hyper::Error>, denial: &CompiledDenial) -> Heard {
    let (first, end) = {
        let record = record.look();
        (record.first.clone(), record.end.clone())
    };
    if let Some((version, status)) = page::status_line(&first) {
        return cut_short(version, status, denial);
    }
    if let Some(End::Alert(alert)) = end {
        return Heard::Alert(alert);
    }
    let http2 = is_http2(&first);
    if !first.is_empty() && !http2 && !begins_like_http(&first) {
        return Heard::Foreign(first);
    }
    if let (true, Some(detail)) = (http2, error.and_then(http2_error)) {
        return Heard::Ended(StoppedBy::HttpError { detail });
    }
    Heard::Ended(match (end, error) {
        (Some(end), _) => tls::stop(&end),
        (None, Some(error)) => StoppedBy::HttpError {
            detail: describe(error),
        },
        (None, None) => StoppedBy::Silence,
    })
}

/// A status line came, and no head that could be read to its end.
fn cut_short(version: String, status: u16, denial: &CompiledDenial) -> Heard {
    let accepted = denial.accepts(status);
    Heard::Answer {
        reach: (!accepted).then_some(Reach::Served),
        http: HttpEvidence {
            unmet: accepted.then(|| "a complete answer".to_owned()),
            ..bare(version, status)
        },
    }
}

/// A status line that is not complete yet, or a provisional answer.
fn begins_like_http(first: &[u8]) -> bool {
    let sign = b"HTTP/";
    first.starts_with(sign) || sign.starts_with(first)
}

/// Whether the bytes begin with the SETTINGS frame that an HTTP/2 server must send first (RFC 9113
/// section 3.4): type 4, no flags, stream 0.
fn is_http2(first: &[u8]) -> bool {
    matches!(first, [0, _, _, 4, 0, 0, 0, 0, 0, ..])
}

/// What an HTTP/2 server said with GOAWAY or `RST_STREAM`, or how it broke the protocol.
fn http2_error(error: &hyper::Error) -> Option<String> {
    let inner = error.source()?.downcast_ref::<h2::Error>()?;
    let reason = inner.reason()?;
    let frame = match (inner.is_remote(), inner.is_go_away(), inner.is_reset()) {
        (true, true, _) => "GOAWAY",
        (true, _, true) => "RST_STREAM",
        _ => "protocol error",
    };
    Some(format!("HTTP/2 {frame}: {reason}"))
}

fn describe(error: &hyper::Error) -> String {
    let mut detail = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        detail.push_str(": ");
        detail.push_str(&inner.to_string());
        source = inner.source();
    }
    text::printable(detail.as_bytes(), VALUE)
}
