//! One GET over HTTP/3, with what came back read as for the other versions.
//!
//! Limits: those of [`http`]; provisional answers are skipped, pushes are not
//! allowed, and the header compression is the static one.

use std::future::poll_fn;

use h3::client::RequestStream;
use h3::error::{ConnectionError, StreamError};
use h3::quic::BidiStream;
use hyper::Response;
use hyper::body::{Buf, Bytes};
use hyper::rt::Executor as _;
use quinn::Connection;
use tokio::time::{Instant, timeout_at};

use crate::domain::observation::StoppedBy;
use crate::probe::answer::{Body, Page, VALUE};
use crate::probe::http::{self, Exchange, Heard};
use crate::probe::text;

use super::close::{self, End};
use super::handshake::Session;

/// Provisional answers that are skipped (RFC 9110 section 15.2).
const PROVISIONAL: usize = 16;

/// Asks for the page.
pub(super) async fn ask(session: &Session, exchange: &Exchange<'_>) -> Heard {
    let request = match http::absolute(exchange.url) {
        Ok(request) => request,
        Err(error) => return http::unformed(&error),
    };
    let answer = async {
        let transport = h3_quinn::Connection::new(session.connection.clone());
        let (mut driver, mut sender) = h3::client::builder()
            .max_field_section_size(http::SECTION.into())
            // Nothing is sent that a plain client would not need.
            .send_grease(false)
            .build(transport)
            .await
            .map_err(|error| connection_error(&error))?;
        session.tasks.starter().execute(async move {
            poll_fn(|context| driver.poll_close(context)).await;
        });
        let mut stream = sender.send_request(request).await.map_err(stream_error)?;
        stream.finish().await.map_err(stream_error)?;
        let head = head(&mut stream).await.map_err(stream_error)?;
        // The sender goes with the answer: the connection ends when it is dropped.
        Ok::<_, String>((head, stream, sender))
    };
    let (head, mut stream, _sender) = match timeout_at(exchange.deadline, answer).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return unanswered(&session.connection, Some(error)),
        Err(_elapsed) => return unanswered(&session.connection, None),
    };
    let page = Page {
        version: "HTTP/3".to_owned(),
        status: head.status().as_u16(),
        headers: head.headers(),
        body: body(&mut stream, exchange.deadline).await,
    };
    page.compared(exchange.denial)
}

/// The head of the answer itself.
async fn head<S>(stream: &mut RequestStream<S, Bytes>) -> Result<Response<()>, StreamError>
where
    S: BidiStream<Bytes>,
{
    let mut head = stream.recv_response().await?;
    for _ in 0..PROVISIONAL {
        if !head.status().is_informational() {
            break;
        }
        head = stream.recv_response().await?;
    }
    Ok(head)
}

async fn body<S>(stream: &mut RequestStream<S, Bytes>, deadline: Instant) -> Body
where
    S: BidiStream<Bytes>,
{
    let mut body = Body::default();
    loop {
        // A flood that is always ready must not outrun the clock.
        if Instant::now() >= deadline {
            return body.cut_off();
        }
        match timeout_at(deadline, stream.recv_data()).await {
            Ok(Ok(Some(mut data))) => {
                while data.has_remaining() {
                    let chunk = data.chunk();
                    let length = chunk.len();
                    if !body.take(chunk) {
                        return body;
                    }
                    data.advance(length);
                }
            }
            Ok(Ok(None)) => return body,
            Ok(Err(_)) | Err(_) => return body.cut_off(),
        }
    }
}

/// Why there is no answer; `error` is missing at the deadline.
fn unanswered(connection: &Connection, error: Option<String>) -> Heard {
    let closed = connection.close_reason();
    if let Some(alert) = closed.as_ref().and_then(close::alert) {
        return Heard::Alert(alert);
    }
    Heard::Ended(match (closed.as_ref().map(close::end), error) {
        (Some(End::Application(said)), _) => StoppedBy::HttpError {
            detail: format!("HTTP/3 CONNECTION_CLOSE: {said}"),
        },
        // What our own side closed is told by the error.
        (Some(end @ (End::Alert(..) | End::Closed(_) | End::Silence)), _)
        | (Some(end @ End::Incompatible(_)), None) => end.stop(),
        (Some(End::Incompatible(_)) | None, Some(detail)) => StoppedBy::HttpError { detail },
        (None, None) => StoppedBy::Silence,
    })
}

/// An error of the request's own stream.
#[expect(clippy::needless_pass_by_value, reason = "the shape of map_err")]
fn stream_error(error: StreamError) -> String {
    let detail = match &error {
        StreamError::StreamError { code, reason, .. } => {
            format!("HTTP/3 protocol error: {code}: {reason}")
        }
        StreamError::RemoteTerminate { code, .. } => format!("HTTP/3 RESET_STREAM: {code}"),
        StreamError::RemoteClosing { .. } => "HTTP/3 GOAWAY".to_owned(),
        // An error of the whole connection; and the library keeps the right to more kinds.
        other => format!("HTTP/3 protocol error: {other}"),
    };
    text::printable(detail.as_bytes(), VALUE)
}

fn connection_error(error: &ConnectionError) -> String {
    text::printable(format!("HTTP/3 protocol error: {error}").as_bytes(), VALUE)
}
