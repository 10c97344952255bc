//! Whose issues are ours, and where the token goes: against a server that plays what an emulator does
//! not, such as an installation's token, which may not ask who it is.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod sample;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use noentry::domain::trail::TrailPlan;
use noentry::domain::verdict::Verdict;
use noentry::incident::github::GitHub;
use noentry::incident::github::settings::{Base, Settings, Slug, Token};
use noentry::incident::state::Fingerprint;
use noentry::incident::{Policy, Problem, Round, Subject, Told, tell};
use serde_json::{Value, json};

const REPOSITORY: &str = "org/trail";

/// What was asked: method, path, body.
type Asked = (String, String, String);

/// A server with one issue tracker, as far as these tests go.
#[derive(Default)]
struct Tracker {
    /// Answers by the beginning of `METHOD path`: status and body. What is not here is worked out.
    answers: BTreeMap<String, (u16, String)>,
    /// Who files what is created.
    login: String,
    issues: Vec<Value>,
    /// Whether labels are dropped without a word, as for whoever may not set them.
    drops_labels: bool,
    asked: Vec<Asked>,
}

impl Tracker {
    fn answer(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        self.asked
            .push((method.to_owned(), path.to_owned(), body.to_owned()));
        let line = format!("{method} {path}");
        let fixed = self.answers.iter();
        let mut fixed = fixed.filter(|(begin, _)| line.starts_with(begin.as_str()));
        if let Some((_, answer)) = fixed.next_back() {
            return answer.clone();
        }
        let ok = |value: Value| (200, value.to_string());
        let sent: Value = serde_json::from_str(body).unwrap_or(Value::Null);
        match (
            method,
            path.strip_prefix("/repos/org/trail").unwrap_or(path),
        ) {
            ("GET", "") => ok(json!({ "private": true })),
            ("GET", rest) if rest.starts_with("/labels/") => ok(json!({ "name": "x" })),
            ("GET", rest) if rest.starts_with("/issues?") => {
                let mut issues = self.issues.clone();
                if rest.contains("labels=noentry") {
                    issues.retain(|issue| !issue["labels"].as_array().unwrap().is_empty());
                }
                if rest.contains("desc") {
                    issues.reverse();
                }
                ok(Value::from(issues))
            }
            ("POST", "/issues") => {
                let mut labels: Vec<Value> = sent["labels"].as_array().unwrap().clone();
                if self.drops_labels {
                    labels.clear();
                }
                self.issues.push(json!({
                    "number": self.issues.len() + 1,
                    "title": sent["title"],
                    "body": sent["body"],
                    "state": "open",
                    "labels": labels,
                    "comments": 0,
                    "user": { "login": self.login, "type": "Bot" },
                }));
                (201, self.issues.last().unwrap().to_string())
            }
            ("POST", rest) if rest.ends_with("/labels") => ok(json!([])),
            ("GET", rest) if rest.starts_with("/issues/") => {
                let number: usize = rest.trim_start_matches("/issues/").parse().unwrap();
                ok(self.issues[number - 1].clone())
            }
            _ => (404, json!({ "message": "Not Found" }).to_string()),
        }
    }
}

/// Serves until the test ends, one connection after the other.
fn serve(tracker: &Arc<Mutex<Tracker>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let tracker = Arc::clone(tracker);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = talk(&stream.unwrap(), &tracker);
        }
    });
    format!("http://{address}")
}

fn talk(stream: &TcpStream, tracker: &Mutex<Tracker>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
    let mut length = 0;
    let mut authorised = false;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 || header.trim().is_empty() {
            break;
        }
        let header = header.to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        authorised |= header.starts_with("authorization: bearer s3cret");
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let body = String::from_utf8_lossy(&body);
    let (status, text) = if authorised {
        tracker.lock().unwrap().answer(method, path, &body)
    } else {
        (401, json!({ "message": "Bad credentials" }).to_string())
    };
    let location = if (300..400).contains(&status) {
        "location: http://127.0.0.1:1/elsewhere\r\n"
    } else {
        ""
    };
    write!(
        &*stream,
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{location}connection: close\r\n\r\n{text}",
        text.len()
    )
}

fn settings(api: &str, guess: Option<&str>) -> Settings {
    Settings {
        api: Base::new(api).unwrap(),
        repository: Slug::new(REPOSITORY).unwrap(),
        token: Token::new("S3cret").unwrap(),
        author: None,
        guess: guess.map(str::to_owned),
        patience: Duration::from_secs(10),
    }
}

fn round(minutes: i64) -> Round {
    let subject = |name: &str| Subject {
        name: name.to_owned(),
        fingerprint: Fingerprint::target(name, "noentry.yml"),
        verdict: Verdict::Exposed,
        waived: false,
        reach: None,
        parts: Vec::new(),
        headline: "open".to_owned(),
        evidence: String::new(),
        reproduce: Vec::new(),
        declared: "noentry.yml:1:1".to_owned(),
        source: None,
        notify: noentry::domain::trail::Notify::default(),
        confirmed: true,
        withheld: false,
    };
    Round {
        at: sample::started() + time::Duration::minutes(minutes),
        config: "noentry.yml".to_owned(),
        complete: true,
        interrupted: false,
        run: None,
        subjects: vec![subject("Admin console"), subject("Back office")],
        shares: Vec::new(),
    }
}

fn play(settings: &Settings, round: &Round) -> Result<Told, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut store = GitHub::open(settings).await?;
        Ok(tell(&mut store, round, &Policy::from(&TrailPlan::default())).await)
    })
}

fn forbidden() -> (u16, String) {
    let message = json!({ "message": "Resource not accessible by integration" });
    (403, message.to_string())
}

fn tracker(login: &str, answers: &[(&str, (u16, String))]) -> Arc<Mutex<Tracker>> {
    let answers = answers.iter();
    Arc::new(Mutex::new(Tracker {
        answers: answers.map(|(k, v)| ((*k).to_owned(), v.clone())).collect(),
        login: login.to_owned(),
        ..Tracker::default()
    }))
}

fn opened(tracker: &Mutex<Tracker>) -> usize {
    let asked = &tracker.lock().unwrap().asked;
    let posts = asked
        .iter()
        .filter(|(m, p, _)| m == "POST" && p.ends_with("/issues"));
    posts.count()
}

#[test]
fn an_installation_is_told_by_graphql_who_it_is() {
    let viewer = json!({ "data": { "viewer": { "login": "my-app[bot]" } } });
    let tracker = tracker(
        "my-app[bot]",
        &[
            ("GET /user", forbidden()),
            ("POST /graphql", (200, viewer.to_string())),
        ],
    );
    let settings = settings(&serve(&tracker), Some("github-actions[bot]"));
    let told = play(&settings, &round(0)).unwrap();
    assert_eq!(told.problems, []);
    assert_eq!(told.done.len(), 2);
}

#[test]
fn a_wrong_guess_is_said_and_opens_nothing_anew() {
    let tracker = tracker("my-app[bot]", &[("GET /user", forbidden())]);
    let settings = settings(&serve(&tracker), Some("github-actions[bot]"));
    // The first issue shows who we are.
    let told = play(&settings, &round(0)).unwrap();
    assert_eq!(told.problems.len(), 1, "{:?}", told.problems);
    let what = &told.problems[0].what;
    assert!(what.contains("author: \"my-app[bot]\""), "{what}");
    assert_eq!((told.done.len(), opened(&tracker)), (2, 2));
    // The next round guesses again, and the issues say that it is wrong.
    let told = play(&settings, &round(60)).unwrap();
    assert!(told.problems[0].what.contains("author: \"my-app[bot]\""));
    assert_eq!((told.done.len(), opened(&tracker)), (0, 2));
}

#[test]
fn a_guess_needs_a_reason() {
    let tracker = tracker("x", &[("GET /user", forbidden())]);
    let problem = play(&settings(&serve(&tracker), None), &round(0)).unwrap_err();
    assert!(problem.what.contains("incidents: author:"), "{problem}");
}

#[test]
fn people_cannot_make_a_guess_look_wrong() {
    let tracker = tracker("github-actions[bot]", &[("GET /user", forbidden())]);
    let settings = settings(&serve(&tracker), Some("github-actions[bot]"));
    let forged = json!({
        "number": 1, "title": "x", "state": "open", "labels": ["noentry"],
        "body": "<!-- noentry:begin 0123456789ab -->\n",
        "user": { "login": "stranger", "type": "User" },
    });
    tracker.lock().unwrap().issues.push(forged);
    let told = play(&settings, &round(0)).unwrap();
    assert_eq!(told.problems, []);
    assert_eq!((told.done.len(), opened(&tracker)), (2, 2));
}

#[test]
fn a_redirect_is_not_followed_and_says_what_to_write() {
    let tracker = tracker("x", &[("GET /repos/org/trail", (301, String::new()))]);
    let problem = play(&settings(&serve(&tracker), None), &round(0)).unwrap_err();
    assert!(problem.what.contains("another name now"), "{problem}");
    assert!(!problem.to_string().contains("S3cret"));
}

#[test]
fn the_budget_ends_waiting() {
    let tracker = tracker("x", &[("GET /repos/org/trail", (502, String::new()))]);
    let mut settings = settings(&serve(&tracker), None);
    settings.patience = Duration::from_secs(2);
    let begun = std::time::Instant::now();
    let problem = play(&settings, &round(0)).unwrap_err();
    assert!(
        begun.elapsed() < Duration::from_secs(3),
        "{:?}",
        begun.elapsed()
    );
    assert!(problem.what.contains("502"), "{problem}");
    assert!(tracker.lock().unwrap().asked.len() > 1);
}

#[test]
fn answers_that_make_no_sense_write_nothing() {
    for nonsense in [
        "",
        "<html>",
        "null",
        "{\"message\": 5}",
        "[[]]",
        "[{\"number\": -1}]",
    ] {
        let user = (200, json!({ "login": "bot" }).to_string());
        let list = "GET /repos/org/trail/issues";
        let answers = [("GET /user", user), (list, (200, nonsense.to_owned()))];
        let tracker = tracker("bot", &answers);
        let told = play(&settings(&serve(&tracker), None), &round(0)).unwrap();
        // One for each of the two exposures that have no incident because of it.
        assert_eq!(
            (told.problems.len(), opened(&tracker)),
            (2, 0),
            "{nonsense}"
        );
        let what = &told.problems[0].what;
        assert!(what.contains("not understood"), "{what}");
    }
}

#[test]
fn an_issue_that_cannot_be_labelled_is_opened_once() {
    let user = (200, json!({ "login": "bot" }).to_string());
    let tracker = tracker("bot", &[("GET /user", user)]);
    tracker.lock().unwrap().drops_labels = true;
    let settings = settings(&serve(&tracker), None);
    for minutes in [0, 60, 120] {
        let told = play(&settings, &round(minutes)).unwrap();
        assert_eq!((told.done.len(), told.problems.len()), (0, 2));
        let what = &told.problems[0].what;
        assert!(what.contains("the label noentry is missing"), "{what}");
        assert_eq!(opened(&tracker), 2, "after {minutes} minutes");
    }
}
