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
use hyper::http::request::Builder;
use hyper::http::uri::PathAndQuery;
use hyper::rt::Executor as _;
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use rustls::AlertDescription;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use crate::domain::observation::{
    Caveat, CertificateFlaw, Evidence, HttpEvidence, Observation, Outcome, StoppedBy,
};
use crate::domain::reach::Reach;
use crate::domain::target::Url;

use super::alert::{self, Stage};
use super::answer::{Body, Page, VALUE, bare};
use super::denial::CompiledDenial;
use super::record::{End, Shared};
use super::tasks::{Starter, Tasks};
use super::{certificate, page, text, tls};

/// Bytes of an HTTP/1 head.
const HEAD: usize = 128 * 1024;
/// Fields of an HTTP/1 head.
const FIELDS: usize = 256;
/// Bytes of a field section of HTTP/2 and HTTP/3.
pub(super) const SECTION: u32 = 64 * 1024;

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

impl Heard {
    /// Puts together what HTTP brought with what was seen before; `below` is the rung that was reached
    /// without it.
    #[must_use]
    pub(super) fn conclude(self, below: Reach, mut evidence: Evidence) -> Observation {
        let reach = match self {
            Self::Answer { reach, mut http } => {
                // Whoever denies must at least claim to be whom we asked.
                if reach == Some(Reach::Denied) && is_foreign(&evidence) {
                    http.caveat.get_or_insert(Caveat::ForeignCertificate);
                }
                evidence.http = Some(http);
                reach.unwrap_or(below)
            }
            Self::Ended(stopped_by) => {
                evidence.stopped_by = Some(stopped_by);
                below
            }
            // Plain HTTP has no alerts; kept as what it would be.
            Self::Alert(said) => {
                evidence.stopped_by = Some(alert::evidence(said, Stage::UnderKeys, false));
                below
            }
            Self::Foreign(first) => {
                evidence.stopped_by = Some(StoppedBy::NotHttp {
                    first_bytes: text::first_bytes(&first),
                });
                below
            }
        };
        Observation {
            outcome: Outcome::Reached(reach),
            evidence: Some(Box::new(evidence)),
        }
    }
}

/// Whether the certificate of the session is for another name.
fn is_foreign(evidence: &Evidence) -> bool {
    let tls = evidence.tls.as_ref();
    let certificate = tls.and_then(|tls| tls.certificate.as_ref());
    certificate.is_some_and(|shown| shown.flaws.contains(&CertificateFlaw::OtherName))
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
        Err(error) => return unformed(&error),
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

/// A request that cannot be made is this program's fault, not an answer.
pub(super) fn unformed(error: &hyper::http::Error) -> Heard {
    Heard::Ended(StoppedBy::Errno {
        errno: 0,
        text: format!("the request could not be formed: {error}"),
    })
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
    let request = match version {
        Version::Http1 => {
            get(Request::get(Uri::from(path(&url.path)?)).header(HOST, &url.authority))?
        }
        Version::Http2 => absolute(url)?,
    };
    Ok(request.map(|()| Empty::new()))
}

/// The request for versions in which the URI says everything (RFC 9113 section 8.3.1, RFC 9114
/// section 4.3.1).
pub(super) fn absolute(url: &Url) -> hyper::http::Result<Request<()>> {
    let uri = Uri::builder()
        .scheme("https")
        .authority(url.authority.as_str())
        .path_and_query(path(&url.path)?)
        .build()?;
    get(Request::get(uri))
}

fn get(builder: Builder) -> hyper::http::Result<Request<()>> {
    builder
        .header(USER_AGENT, concat!("noentry/", env!("CARGO_PKG_VERSION")))
        .header(ACCEPT, "*/*")
        .body(())
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
    let answer = Page {
        version: version_name(head.version),
        status: head.status.as_u16(),
        headers: &head.headers,
        body: body(incoming, exchange.deadline).await,
    };
    answer.compared(exchange.denial)
}

async fn body(mut incoming: Incoming, deadline: Instant) -> Body {
    let mut body = Body::default();
    loop {
        // Asked here as well: a flood of empty frames is always ready, and a timeout looks at
        // its clock only when nothing is.
        if Instant::now() >= deadline {
            return body.cut_off();
        }
        match timeout_at(deadline, incoming.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Ok(data) = frame.into_data() else {
                    continue;
                };
                if !body.take(&data) {
                    return body;
                }
            }
            Ok(None) => return body,
            Ok(Some(Err(_))) | Err(_) => return body.cut_off(),
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
