//! Asking GitHub: one request at a time, each with a deadline, all of them within a budget.
//!
//! What only reads is asked again after trouble. What writes is sent again only if it was certainly
//! not done: GitHub's limits and connections that never came about. After anything else the caller
//! has to look first. octocrab brings address, headers and transport; its own way of sending again
//! is not compiled in, because it repeats a POST that was done.
//!
//! Limits: 15 s a request (GitHub itself gives up after 10), 64 MiB an answer, five tries.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap};
use hyper::{Method, Request};
use octocrab::Octocrab;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::settings::{Settings, Token};
use super::wire::{self, Refusal};
use super::words::Fault;

/// The API as it is spoken here; Enterprise Servers know it since 3.9.
const VERSION: &str = "2022-11-28";
/// How long one request may take.
const DEADLINE: Duration = Duration::from_secs(15);
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// The longest answer that is read, in bytes: a hundred issues of 65,536 characters each.
const LONGEST: usize = 64 * 1024 * 1024;
/// How often something is tried.
const TRIES: u32 = 5;
/// The pause after the first failure; it doubles.
const PAUSE: Duration = Duration::from_millis(500);
/// How long to wait at a limit that does not say: GitHub asks for a minute at least.
const UNSAID: Duration = Duration::from_mins(1);

/// The way to GitHub.
pub(super) struct Api {
    client: Octocrab,
    token: Token,
    until: Instant,
}

/// An answer that is a success.
#[derive(Debug)]
pub(super) struct Answer {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Answer {
    /// What it says.
    pub(super) fn read<T: serde::de::DeserializeOwned>(&self) -> Result<T, Fault> {
        wire::read(&self.body).map_err(|said| Fault::Garbage { said })
    }
}

impl Api {
    /// Makes the way ready; the budget begins now.
    pub(super) fn new(settings: &Settings) -> Result<Self, Fault> {
        // reqwest brings no provider of its own and takes the process's. Whoever comes second finds
        // it there, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let said = |error: reqwest::Error| Fault::NoConnection {
            said: error.to_string(),
        };
        let client = if settings.api.in_clear {
            // A proxy would be shown the token. A machine without a certificate store can still
            // speak plain HTTP.
            builder().no_proxy().tls_certs_only([]).build()
        } else {
            builder().build()
        };
        let client = client.map_err(said)?;
        let client = Octocrab::builder()
            .base_uri(settings.api.as_str())
            .and_then(|builder| builder.build_with_reqwest(client))
            .map_err(|error| Fault::NoConnection {
                said: error.to_string(),
            })?;
        Ok(Self {
            client,
            token: settings.token.clone(),
            until: Instant::now() + settings.patience,
        })
    }

    /// Asks for something, again after trouble.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, Fault> {
        self.persist(&Method::GET, path, None, Fault::may_pass)
            .await
    }

    /// Asks for something that takes more than an address, again after trouble.
    pub(super) async fn query(&self, path: &str, question: &Value) -> Result<Answer, Fault> {
        self.persist(&Method::POST, path, Some(question), Fault::may_pass)
            .await
    }

    /// Changes something. After trouble that leaves open whether it was done, that is the answer.
    pub(super) async fn write(
        &self,
        method: &Method,
        path: &str,
        body: &Value,
    ) -> Result<Answer, Fault> {
        let was_not_done = |fault: &Fault| fault.may_pass() && !fault.is_unclear();
        self.persist(method, path, Some(body), was_not_done).await
    }

    /// Waits before something is looked at or tried again. False if there is no time for it.
    pub(super) async fn pause(&self, round: u32) -> bool {
        let pause = PAUSE.saturating_mul(2_u32.saturating_pow(round));
        self.wait(pause).await
    }

    async fn wait(&self, time: Duration) -> bool {
        if Instant::now() + time >= self.until {
            return false;
        }
        sleep(time).await;
        true
    }

    async fn persist(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
        again: impl Fn(&Fault) -> bool,
    ) -> Result<Answer, Fault> {
        let mut round = 0;
        loop {
            let fault = match self.once(method, path, body).await {
                Ok(answer) => return Ok(answer),
                Err(fault) => fault,
            };
            round += 1;
            let goes_on = round < TRIES
                && match &fault {
                    Fault::Limited { wait } => self.wait(*wait).await,
                    other => again(other) && self.pause(round - 1).await,
                };
            if !goes_on {
                return Err(fault);
            }
        }
    }

    async fn once(
        &self,
        method: &Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Fault> {
        let now = Instant::now();
        if now >= self.until {
            return Err(Fault::OutOfTime);
        }
        let deadline = self.until.min(now + DEADLINE);
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(ACCEPT, "application/vnd.github+json")
            .header("x-github-api-version", VERSION)
            .header(AUTHORIZATION, self.token.header());
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let text = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(text).map_err(|error| Fault::Garbage {
            said: error.to_string(),
        })?;
        let exchange = async {
            let sent = self.client.execute(request).await;
            let response = sent.map_err(|error| way(&error))?;
            let (head, body) = response.into_parts();
            let body = match Limited::new(body, LONGEST).collect().await {
                Ok(body) => body.to_bytes().to_vec(),
                Err(error) if error.is::<LengthLimitError>() => return Err(Fault::TooLong),
                Err(error) => {
                    return Err(Fault::Broken {
                        said: last_cause(&*error),
                    });
                }
            };
            Ok((head, body))
        };
        let (head, body) = timeout_at(deadline, exchange)
            .await
            .unwrap_or(Err(Fault::Slow))?;
        judge(head.status.as_u16(), head.headers, body)
    }
}

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .user_agent(concat!("noentry/", env!("CARGO_PKG_VERSION")))
        .referer(false)
        .connect_timeout(CONNECT)
        // A redirect would take the token to where nobody said.
        .redirect(reqwest::redirect::Policy::none())
}

/// What an answer means.
fn judge(status: u16, headers: HeaderMap, body: Vec<u8>) -> Result<Answer, Fault> {
    if (200..300).contains(&status) {
        return Ok(Answer { headers, body });
    }
    let refusal: Refusal = wire::read(&body).unwrap_or_default();
    let said = said(&refusal);
    if let Some(wait) = limit(status, &headers, &said) {
        return Err(Fault::Limited { wait });
    }
    Err(match status {
        500.. => Fault::Server { status },
        _ => Fault::Refused { status, said },
    })
}

/// GitHub's own words, with the fields that it finds wrong.
fn said(refusal: &Refusal) -> String {
    let mut said = refusal.message.clone().unwrap_or_default();
    for error in refusal.errors.iter().take(5) {
        let text = |key: &str| error.get(key).and_then(Value::as_str);
        let parts: Vec<&str> = match error {
            Value::String(whole) => vec![whole],
            // Not the value: it is ours, and may be what only a few may read.
            _ => ["field", "code", "message"]
                .into_iter()
                .filter_map(text)
                .collect(),
        };
        if !parts.is_empty() {
            said = format!("{said}; {}", parts.join(" "));
        }
    }
    said
}

/// How long to wait, where an answer says that a limit was reached
/// (docs.github.com, "Rate limits for the REST API": primary and secondary).
fn limit(status: u16, headers: &HeaderMap, said: &str) -> Option<Duration> {
    let number =
        |name: &str| -> Option<u64> { headers.get(name)?.to_str().ok()?.trim().parse().ok() };
    let after = number("retry-after").map(Duration::from_secs);
    let spent = number("x-ratelimit-remaining") == Some(0);
    let limited = match status {
        429 => true,
        403 => after.is_some() || spent || said.to_ascii_lowercase().contains("rate limit"),
        // Some proxies in front of GitHub say when to come again.
        503 => return None,
        _ => false,
    };
    if !limited {
        return None;
    }
    let reset = || {
        let reset = number("x-ratelimit-reset").filter(|_| spent)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        // One more second, because the clocks differ.
        Some(Duration::from_secs(
            reset.saturating_sub(now).saturating_add(1),
        ))
    };
    Some(after.or_else(reset).unwrap_or(UNSAID))
}

/// What happened on the way.
fn way(error: &octocrab::Error) -> Fault {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(this) = cause {
        if let Some(error) = this.downcast_ref::<reqwest::Error>() {
            let said = last_cause(error);
            return if error.is_connect() {
                Fault::NoConnection { said }
            } else if error.is_timeout() {
                Fault::Slow
            } else {
                Fault::Broken { said }
            };
        }
        cause = this.source();
    }
    Fault::Broken {
        said: last_cause(error),
    }
}

/// The innermost cause: the outer ones have the URL, and octocrab's have a backtrace.
fn last_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut last = error;
    while let Some(cause) = last.source() {
        last = cause;
    }
    last.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(k, v)| (k.parse().unwrap(), v.parse().unwrap()))
            .collect()
    }

    fn fault(status: u16, pairs: &[(&'static str, &'static str)], body: &str) -> Fault {
        judge(status, headers(pairs), body.as_bytes().to_vec()).unwrap_err()
    }

    #[test]
    fn limits_are_told_from_refusals() {
        let wait = |fault| match fault {
            Fault::Limited { wait } => wait.as_secs(),
            other => panic!("{other:?}"),
        };
        assert_eq!(wait(fault(429, &[("retry-after", "7")], "")), 7);
        assert_eq!(wait(fault(403, &[("retry-after", "7")], "{}")), 7);
        assert_eq!(wait(fault(429, &[("retry-after", "soon")], "")), 60);
        let secondary = r#"{"message": "You have exceeded a secondary rate limit."}"#;
        assert_eq!(wait(fault(403, &[], secondary)), 60);
        let spent = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1")];
        assert_eq!(wait(fault(403, &spent, "")), 1);
        let left = [("x-ratelimit-remaining", "12"), ("x-ratelimit-reset", "1")];
        assert!(fault(403, &left, "{}").is(403));
        assert_eq!(fault(502, &[], "<html>"), Fault::Server { status: 502 });
        assert!(fault(301, &[("location", "http://192.0.2.1/")], "").is(301));
    }

    #[test]
    fn what_is_wrong_with_which_field_is_said() {
        let body = r#"{"message": "Validation Failed", "errors": ["x", {"field": "body",
            "code": "custom", "message": "body is too long"}, 5, {"field": 5}, null]}"#;
        let Fault::Refused { said, .. } = fault(422, &[], body) else {
            panic!("refused");
        };
        assert_eq!(said, "Validation Failed; x; body custom body is too long");
        for hostile in ["", "[]", "{\"errors\": 5}", "\u{0}", "{\"message\": []}"] {
            assert!(fault(422, &[], hostile).is(422), "{hostile}");
        }
    }
}
