//! What stands between noentry and GitHub: a proxy with faults on demand, and with the manners that
//! the emulator lacks.
//!
//! It speaks HTTP/1.1 with connections that are kept. Every request is noted, with what became of it.

use std::io::BufReader;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use regex_lite::Regex;
use serde_json::{Value, json};

use super::manners::{self, Manners};
use super::wire::{self, Request, Response};

/// What goes wrong, or is changed.
#[derive(Clone)]
pub enum Fault {
    /// This answer; the request goes no further.
    Answer(Response),
    /// The request takes effect, and this is the answer all the same.
    Instead(Response),
    /// The connection is cut before the request goes further.
    DropBefore,
    /// The request takes effect, and the connection is cut.
    DropAfter,
    /// The answer takes so long.
    Slow(Duration),
    /// The request waits until as many others do.
    Meet(Arc<Gate>),
    /// The answer's JSON is changed.
    Edit(fn(&mut Value)),
}

impl Fault {
    pub fn status(status: u16, message: &str) -> Self {
        Self::Answer(Response::json(status, &json!({ "message": message })))
    }

    /// An answer that says when to come again, in seconds.
    pub fn later(status: u16, message: &str, seconds: u32) -> Self {
        let mut answer = Response::json(status, &json!({ "message": message }));
        answer
            .headers
            .push(("retry-after".to_owned(), seconds.to_string()));
        Self::Answer(answer)
    }

    pub fn bad_gateway() -> Self {
        Self::status(502, "Server Error")
    }

    pub fn bad_gateway_after() -> Self {
        Self::Instead(Response::json(502, &json!({ "message": "Server Error" })))
    }
}

/// Where requests wait for each other, for some seconds at most: noentry waits 15 for an answer.
pub struct Gate {
    wanted: usize,
    here: Mutex<usize>,
    enough: Condvar,
}

impl Gate {
    pub fn new(wanted: usize) -> Arc<Self> {
        Arc::new(Self {
            wanted,
            here: Mutex::new(0),
            enough: Condvar::new(),
        })
    }

    pub fn pass(&self) {
        let mut here = self.here.lock().unwrap();
        *here += 1;
        self.enough.notify_all();
        let late = |here: &mut usize| *here < self.wanted;
        drop(
            self.enough
                .wait_timeout_while(here, Duration::from_secs(10), late)
                .unwrap(),
        );
    }

    /// How many came.
    pub fn came(&self) -> usize {
        *self.here.lock().unwrap()
    }
}

/// A fault and the requests that it is for.
struct Rule {
    method: String,
    path: Regex,
    /// How many of them go through before it.
    skip: usize,
    /// How many it is for then.
    times: usize,
    fault: Fault,
}

/// One request and what became of it.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    pub path: String,
    pub body: Value,
    /// What GitHub, or a manner or a fault in its place, answered; none where nothing was.
    pub status: Option<u16>,
}

impl Call {
    /// Whether it changes something.
    pub fn writes(&self) -> bool {
        self.method != "GET"
    }
}

struct Shared {
    url: String,
    upstream: SocketAddr,
    manners: Mutex<Manners>,
    rules: Mutex<Vec<Rule>>,
    calls: Mutex<Vec<Call>>,
    refused: Mutex<Vec<String>>,
    over: AtomicBool,
}

pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

impl Proxy {
    pub fn start(upstream: SocketAddr, manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            url: format!("http://{address}{}", manners.prefix),
            upstream,
            manners: Mutex::new(manners),
            rules: Mutex::default(),
            calls: Mutex::default(),
            refused: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if own.over.load(Ordering::Relaxed) {
                    break;
                }
                let own = Arc::clone(&own);
                thread::spawn(move || serve(stream, &own));
            }
        });
        Self { address, shared }
    }

    /// What `GITHUB_API_URL` is.
    pub fn url(&self) -> &str {
        &self.shared.url
    }

    /// The token that GitHub knows from now on, and whose it is.
    pub fn trust(&self, login: &str, token: &str) {
        let mut manners = self.shared.manners.lock().unwrap();
        login.clone_into(&mut manners.login);
        token.clone_into(&mut manners.token);
    }

    /// A fault for the next request of this method (empty: any) whose path matches.
    pub fn once(&self, method: &str, path: &str, fault: Fault) {
        self.plan(method, path, 0, 1, fault);
    }

    /// A fault for every such request from now on.
    pub fn always(&self, method: &str, path: &str, fault: Fault) {
        self.plan(method, path, 0, usize::MAX, fault);
    }

    /// A fault for so many such requests, after some have gone through.
    pub fn plan(&self, method: &str, path: &str, skip: usize, times: usize, fault: Fault) {
        self.shared.rules.lock().unwrap().push(Rule {
            method: method.to_owned(),
            path: Regex::new(path).unwrap(),
            skip,
            times,
            fault,
        });
    }

    /// No more faults.
    pub fn heal(&self) {
        self.shared.rules.lock().unwrap().clear();
    }

    /// The requests since this was last asked.
    pub fn calls(&self) -> Vec<Call> {
        std::mem::take(&mut self.shared.calls.lock().unwrap())
    }

    /// What Prism refused, with its reasons.
    pub fn refused(&self) -> Vec<String> {
        self.shared.refused.lock().unwrap().clone()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the one who waits for connections.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: TcpStream, shared: &Shared) {
    let Ok(mut to) = stream.try_clone() else {
        return;
    };
    let mut from = BufReader::new(stream);
    while let Ok(Some(request)) = wire::read_request(&mut from) {
        let Some(answer) = shared.answer(request) else {
            let _ = to.shutdown(Shutdown::Both);
            return;
        };
        if wire::write(&mut to, &answer).is_err() {
            return;
        }
    }
}

impl Shared {
    /// The fault for a request, if there is one.
    fn fault(&self, request: &Request) -> Option<Fault> {
        for rule in self.rules.lock().unwrap().iter_mut() {
            let matches = (rule.method.is_empty() || rule.method == request.method)
                && rule.path.is_match(&request.path);
            if !matches || rule.times == 0 {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            rule.times -= 1;
            return Some(rule.fault.clone());
        }
        None
    }

    /// What the one who asked is told; none where the connection is cut.
    fn answer(&self, mut request: Request) -> Option<Response> {
        let place = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(Call {
                method: request.method.clone(),
                path: request.path.clone(),
                body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
                status: None,
            });
            calls.len() - 1
        };
        let fault = self.fault(&request);
        let answer = match fault {
            Some(Fault::Answer(answer)) => Some(answer),
            Some(Fault::DropBefore) => None,
            Some(Fault::Instead(answer)) => {
                self.forward(&mut request);
                Some(answer)
            }
            Some(Fault::DropAfter) => {
                self.forward(&mut request);
                None
            }
            Some(Fault::Slow(time)) => {
                thread::sleep(time);
                Some(self.forward(&mut request))
            }
            Some(Fault::Meet(gate)) => {
                gate.pass();
                Some(self.forward(&mut request))
            }
            Some(Fault::Edit(edit)) => {
                let mut answer = self.forward(&mut request);
                let mut value = answer.value();
                edit(&mut value);
                answer.body = value.to_string().into_bytes();
                Some(answer)
            }
            None => Some(self.forward(&mut request)),
        };
        // The list may have been taken meanwhile.
        if let Some(call) = self.calls.lock().unwrap().get_mut(place) {
            call.status = answer.as_ref().map(|answer| answer.status);
        }
        answer
    }

    fn forward(&self, request: &mut Request) -> Response {
        if let Some(answer) = manners::before(&self.manners.lock().unwrap(), request) {
            return answer;
        }
        let mut answer = match wire::call(self.upstream, request) {
            Ok(answer) => answer,
            Err(error) => Response::json(500, &json!({ "message": error.to_string() })),
        };
        // Prism's own answers, and the emulator's where something broke within it.
        let kind = wire::header(&answer.headers, "content-type").unwrap_or_default();
        if kind.starts_with("application/problem") || answer.status >= 500 {
            let why = String::from_utf8_lossy(&answer.body);
            let what = format!(
                "{} {}: {} {why}",
                request.method, request.path, answer.status
            );
            self.refused.lock().unwrap().push(what);
        }
        manners::after(&self.url, &mut answer);
        answer
    }
}
