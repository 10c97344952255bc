//! One test's GitHub: a repository of its own, the people in it, and noentry's rounds.

use std::fs;
use std::path::Path;

use assert_cmd::Command;
use noentry::domain::report::RoundReport;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::emulator::{self, Actor, BOT, Emulator, OWNER, PERSON, STRANGER};
use super::manners::Manners;
use super::program::noentry;
use super::proxy::Proxy;
use super::sample;

/// What noentry said and how it ended.
#[derive(Debug)]
pub struct Run {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Whether something was done to an incident.
    pub fn did(&self, deed: &str) -> bool {
        self.out.contains(&format!("incident {deed}: "))
    }
}

/// What is told on an issue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    pub by: String,
    pub text: String,
}

/// An issue as the emulator has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub open: bool,
    pub reason: Option<String>,
    pub by: String,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub comments: Vec<Comment>,
}

impl Issue {
    /// What noentry said on it, in order.
    pub fn trail(&self) -> Vec<&str> {
        let ours = self.comments.iter().filter(|comment| comment.by == BOT);
        ours.map(|comment| comment.text.as_str()).collect()
    }
}

pub struct World {
    emulator: &'static Emulator,
    number: usize,
    /// `owner/name`.
    pub repo: String,
    pub proxy: Proxy,
    pub folder: TempDir,
    /// noentry itself, past the proxies.
    pub bot: Actor,
    pub owner: Actor,
    pub person: Actor,
    pub stranger: Actor,
    /// What noentry's environment has besides the usual.
    pub env: Vec<(String, String)>,
}

/// Who sees a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    ByAll,
    ByFew,
}

/// A test's world, or the end of the test where there is no emulator.
macro_rules! world {
    ($name:expr) => {
        world!($name, $crate::world::Seen::ByFew)
    };
    ($name:expr, $seen:expr) => {
        match $crate::world::World::new($name, $seen) {
            Some(world) => world,
            None => return,
        }
    };
}
pub(crate) use world;

impl World {
    /// A repository, with Prism between noentry and it. None where the programs are missing.
    pub fn new(name: &str, seen: Seen) -> Option<Self> {
        let emulator = emulator::get()?;
        Some(Self::with(emulator, name, seen, "", emulator.prism()))
    }

    /// The same without Prism, for what is repeated hundreds of times.
    pub fn plain(name: &str) -> Option<Self> {
        let emulator = emulator::get()?;
        let number = emulator.number();
        let name = format!("{name}-{number}");
        Some(Self::at(
            emulator,
            number,
            &name,
            Seen::ByFew,
            "",
            emulator.github(),
        ))
    }

    /// The same on an Enterprise Server, with this before every path.
    pub fn enterprise(name: &str, prefix: &str) -> Option<Self> {
        let emulator = emulator::get()?;
        Some(Self::with(
            emulator,
            name,
            Seen::ByFew,
            prefix,
            emulator.prism(),
        ))
    }

    fn with(
        emulator: &'static Emulator,
        name: &str,
        seen: Seen,
        prefix: &str,
        upstream: std::net::SocketAddr,
    ) -> Self {
        Self::at(emulator, emulator.number(), name, seen, prefix, upstream)
    }

    fn at(
        emulator: &'static Emulator,
        number: usize,
        name: &str,
        seen: Seen,
        prefix: &str,
        upstream: std::net::SocketAddr,
    ) -> Self {
        let actor = |login| Actor::new(emulator, login, number);
        let manners = Manners {
            token: emulator::token(BOT, number),
            login: BOT.to_owned(),
            prefix: prefix.to_owned(),
        };
        let world = Self {
            emulator,
            number,
            repo: format!("{OWNER}/{name}"),
            proxy: Proxy::start(upstream, manners),
            folder: TempDir::new().unwrap(),
            bot: actor(BOT),
            owner: actor(OWNER),
            person: actor(PERSON),
            stranger: actor(STRANGER),
            env: Vec::new(),
        };
        world.found(name, seen);
        world
    }

    /// Another repository of the same owner and people.
    pub fn found(&self, name: &str, seen: Seen) {
        let body = json!({ "name": name, "private": seen == Seen::ByFew });
        self.owner.done("POST", "/user/repos", &body);
        for login in [BOT, emulator::ACTIONS, PERSON] {
            let path = format!("/repos/{OWNER}/{name}/collaborators/{login}");
            self.owner
                .done("PUT", &path, &json!({ "permission": "push" }));
        }
    }

    /// Another user of the same world.
    pub fn actor(&self, login: &str) -> Actor {
        Actor::new(self.emulator, login, self.number)
    }

    /// A path below the repository.
    pub fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repo)
    }

    /// A round, told to GitHub. What is refused by Prism fails the test.
    pub fn play(&self, report: &RoundReport) -> Run {
        let run = self.run(self.folder.path(), report);
        assert_eq!(self.proxy.refused(), Vec::<String>::new(), "{run:#?}");
        run
    }

    /// A round that leaves nothing undone.
    pub fn told(&self, report: &RoundReport) -> Run {
        let run = self.play(report);
        assert!(run.code <= 3 && run.code != 2, "{run:#?}");
        assert_eq!(run.err, "");
        run
    }

    /// Puts the program into a workflow of this repository.
    pub fn surround(&self, command: &mut Command) {
        for (key, _) in std::env::vars() {
            if key.to_ascii_lowercase().ends_with("_proxy") {
                command.env_remove(key);
            }
        }
        command
            .env("GITHUB_TOKEN", &self.bot.token)
            .env("GITHUB_API_URL", self.proxy.url())
            .env("GITHUB_REPOSITORY", &self.repo)
            .envs(self.env.iter().map(|(key, value)| (key, value)));
    }

    /// A round from a folder of its own, such as that of another run at the same time.
    pub fn run(&self, folder: &Path, report: &RoundReport) -> Run {
        let file = folder.join("report.json");
        let written = sample::written(report);
        fs::write(&file, &written).unwrap();
        let mut command = noentry(folder);
        self.surround(&mut command);
        let words = [
            "incidents",
            "--from",
            "report.json",
            "--incidents",
            "github",
        ];
        let output = command.args(words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let run = Run {
            code: output
                .status
                .code()
                .unwrap_or_else(|| panic!("it did not end by itself: {output:?}")),
            out: text(&output.stdout),
            err: text(&output.stderr),
        };
        // The report is the round's, whatever became of its trail.
        assert_eq!(fs::read_to_string(&file).unwrap(), written);
        // Whatever happens: nobody reads the token anywhere.
        let said = format!("{run:?}");
        assert!(!said.contains(&self.bot.token), "{said}");
        run
    }

    /// Every issue of the repository, the oldest first.
    pub fn issues(&self) -> Vec<Issue> {
        self.issues_of(&self.repo)
    }

    pub fn issues_of(&self, repo: &str) -> Vec<Issue> {
        let mut all = self.pages(&format!("/repos/{repo}/issues?state=all&direction=asc"));
        all.sort_by_key(|issue| issue["number"].as_u64());
        all.iter().map(|issue| self.issue(repo, issue)).collect()
    }

    /// noentry's incidents, the oldest first, without its memory.
    pub fn incidents(&self) -> Vec<Issue> {
        let mut issues = self.issues();
        issues
            .retain(|issue| issue.by == BOT && !issue.labels.iter().any(|l| l == "noentry:memory"));
        issues
    }

    /// The only incident.
    pub fn incident(&self) -> Issue {
        let mut incidents = self.incidents();
        assert_eq!(incidents.len(), 1, "{incidents:#?}");
        incidents.remove(0)
    }

    fn issue(&self, repo: &str, issue: &Value) -> Issue {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let names = |list: &Value, key: &str| {
            let list = list.as_array().unwrap().iter();
            list.map(|one| text(&one[key])).collect()
        };
        let number = issue["number"].as_u64().unwrap();
        let comments = match issue["comments"].as_u64() {
            Some(0) => Vec::new(),
            _ => self.pages(&format!(
                "/repos/{repo}/issues/{number}/comments?direction=asc"
            )),
        };
        let comments = comments.iter().map(|comment| Comment {
            by: text(&comment["user"]["login"]),
            text: text(&comment["body"]),
        });
        Issue {
            number,
            title: text(&issue["title"]),
            body: text(&issue["body"]),
            open: issue["state"] == "open",
            reason: issue["state_reason"].as_str().map(str::to_owned),
            by: text(&issue["user"]["login"]),
            labels: names(&issue["labels"], "name"),
            assignees: names(&issue["assignees"], "login"),
            comments: comments.collect(),
        }
    }

    fn pages(&self, path: &str) -> Vec<Value> {
        let mut all = Vec::new();
        for page in 1..100 {
            let found = self.owner.get(&format!("{path}&per_page=100&page={page}"));
            let found = found.as_array().unwrap().clone();
            let last = found.len() < 100;
            all.extend(found);
            if last {
                break;
            }
        }
        all
    }

    /// An issue as noentry left it in another world.
    pub fn restore(&self, issue: &Issue) {
        let new = json!({ "title": issue.title, "body": issue.body, "labels": issue.labels });
        let made = self.bot.done("POST", &self.path("/issues"), &new);
        let path = self.path(&format!("/issues/{}", made["number"]));
        for text in issue.trail() {
            self.bot.done(
                "POST",
                &format!("{path}/comments"),
                &json!({ "body": text }),
            );
        }
        if !issue.open {
            let end = json!({ "state": "closed", "state_reason": issue.reason });
            self.bot.done("PATCH", &path, &end);
        }
    }

    /// Changes an issue as a person does.
    pub fn edit(&self, number: u64, change: &Value) {
        let path = self.path(&format!("/issues/{number}"));
        self.person.done("PATCH", &path, change);
    }
}
