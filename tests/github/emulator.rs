//! The GitHub of these tests: one emulator and one Prism before it for all of them, and its users as
//! actors who are asked past every proxy.
//!
//! A repository a test keeps them apart; a token a repository keeps the emulator's own rate limit
//! (5,000 requests an hour a token) out of the way.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::node::{self, Program};
use super::wire::{self, Request, Response};

/// Whose token noentry has.
pub const BOT: &str = "trail-bot";
/// Whom GitHub Actions' own token acts as.
pub const ACTIONS: &str = "github-actions[bot]";
/// Who owns the repositories.
pub const OWNER: &str = "acme";
/// Who works with the issues.
pub const PERSON: &str = "ada";
/// Who may open issues, as everybody may.
pub const STRANGER: &str = "mallory";

/// How many repositories there may be.
const WORLDS: usize = 1_500;

pub struct Emulator {
    github: Program,
    prism: Program,
    next: AtomicUsize,
}

/// The emulator, started when it is first asked for; none where the programs are missing.
pub fn get() -> Option<&'static Emulator> {
    static EMULATOR: OnceLock<Option<Emulator>> = OnceLock::new();
    EMULATOR
        .get_or_init(|| node::are_there().then(Emulator::start))
        .as_ref()
}

/// The token of a user for a repository.
pub fn token(login: &str, world: usize) -> String {
    format!("{login}-{world}").replace(['[', ']'], "")
}

impl Emulator {
    fn start() -> Self {
        let users = [BOT, ACTIONS, OWNER, PERSON, STRANGER];
        let tokens = (0..WORLDS).flat_map(|world| {
            users.map(|login| {
                (
                    token(login, world),
                    json!({ "login": login, "scopes": ["repo"] }),
                )
            })
        });
        let seed = json!({
            "tokens": tokens.collect::<serde_json::Map<_, _>>(),
            "github": { "users": users.map(|login| json!({ "login": login })), "repos": [] },
        });
        let mut file = tempfile::Builder::new().suffix(".json").tempfile().unwrap();
        file.write_all(seed.to_string().as_bytes()).unwrap();
        let seed = file.path().to_str().unwrap();
        let github = Program::start(
            "emulate/dist/index.js",
            &[
                "start",
                "-s",
                "github",
                "--seed",
                seed,
                "--base-url",
                "https://github.example",
            ],
        );
        let description = node::here("tests/vendor/github-openapi/requests.json");
        let prism = Program::start(
            "@stoplight/prism-cli/dist/index.js",
            &[
                "proxy",
                description.to_str().unwrap(),
                &format!("http://{}", github.address),
                "--errors",
                "--verboseLevel",
                "error",
            ],
        );
        Self {
            github,
            prism,
            next: AtomicUsize::new(0),
        }
    }

    /// The emulator itself.
    pub fn github(&self) -> SocketAddr {
        self.github.address
    }

    /// Prism before it.
    pub fn prism(&self) -> SocketAddr {
        self.prism.address
    }

    /// The next number for a repository.
    pub fn number(&self) -> usize {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        assert!(number < WORLDS, "more repositories than tokens");
        number
    }
}

/// A user who asks the emulator itself.
#[derive(Clone, Debug)]
pub struct Actor {
    pub to: SocketAddr,
    pub token: String,
}

impl Actor {
    pub fn new(emulator: &Emulator, login: &str, world: usize) -> Self {
        Self {
            to: emulator.github(),
            token: token(login, world),
        }
    }

    /// Asks, and gives whatever is answered.
    pub fn ask(&self, method: &str, path: &str, body: &Value) -> Response {
        let headers = [
            ("authorization", format!("Bearer {}", self.token)),
            ("user-agent", "a test".to_owned()),
            ("content-type", "application/json".to_owned()),
        ];
        let body = match body {
            Value::Null => Vec::new(),
            body => body.to_string().into_bytes(),
        };
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body,
        };
        wire::call(self.to, &request).unwrap()
    }

    /// Asks for something that succeeds.
    pub fn get(&self, path: &str) -> Value {
        self.done("GET", path, &Value::Null)
    }

    /// Does something that succeeds.
    pub fn done(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.ask(method, path, body);
        let said = answer.value();
        assert!(
            (200..300).contains(&answer.status),
            "{method} {path}: {} {said}",
            answer.status
        );
        said
    }
}
