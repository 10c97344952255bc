//! An issue tracker in memory: bodies, comments and how each issue stands, with the text that an issue
//! would have. People may close, dismiss and reopen, and their editor ends lines as GitHub's does.

use std::collections::BTreeMap;

use noentry::incident::paper::Paper;
use noentry::incident::state::State;
use noentry::incident::{
    Change, Deed, Incident, Known, Memory, Policy, Problem, Round, Standing, Store, Told, said,
};

use super::support::{Fault, failed, told};

/// What GitHub takes.
pub const LIMIT: usize = 65_536;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issue {
    pub title: String,
    pub body: String,
    pub comments: Vec<String>,
    pub standing: Standing,
}

#[derive(Default)]
pub struct Tracker {
    pub issues: Vec<Issue>,
    pub memory: BTreeMap<String, Memory>,
    /// One a write, the last first.
    pub faults: Vec<Fault>,
}

fn place(index: usize) -> String {
    format!("acme/trail#{}", index + 1)
}

/// The fingerprint in the line that begins the section.
pub fn short_of(body: &str) -> &str {
    let mut lines = body.lines().map(str::trim_end);
    let inner = lines.find_map(|l| l.strip_prefix("<!-- noentry:begin ")?.strip_suffix(" -->"));
    inner.unwrap()
}

fn index(place: &str) -> usize {
    let number = place.strip_prefix("acme/trail#").unwrap();
    number.parse::<usize>().unwrap() - 1
}

impl Tracker {
    /// A round with the documented policy; nothing goes wrong that is not asked for.
    pub fn play(&mut self, round: &Round) -> Vec<&'static str> {
        let told = self.tell(round);
        assert_eq!(told.problems, []);
        told.done.iter().map(|(deed, _, _)| deed.as_str()).collect()
    }

    pub fn tell(&mut self, round: &Round) -> Told {
        told(self, round, &Policy::default())
    }

    pub fn state(&self, number: usize) -> State {
        let body = &self.issues[number - 1].body;
        Paper::read(body, short_of(body)).unwrap().state
    }

    pub fn standings(&self) -> Vec<Standing> {
        self.issues.iter().map(|i| i.standing).collect()
    }

    /// A person's act, with the line ends that the editor of the web page leaves behind.
    pub fn person(&mut self, number: usize, standing: Standing) {
        let issue = &mut self.issues[number - 1];
        issue.standing = standing;
        issue.body = issue.body.replace("\r\n", "\n").replace('\n', "\r\n");
    }

    /// Another round, at the same time, has opened the same one.
    pub fn race(&mut self, number: usize) {
        let same = self.issues[number - 1].clone();
        self.issues.push(same);
    }

    fn fault(&mut self) -> Fault {
        self.faults.pop().unwrap_or(Fault::None)
    }

    fn write(&mut self, change: &Change) -> Result<String, Problem> {
        let short = change.state.fingerprint.short();
        let (at, mut paper) = match &change.place {
            None => {
                assert_eq!(change.deed, Deed::Opened);
                self.issues.push(Issue {
                    title: String::new(),
                    body: String::new(),
                    comments: Vec::new(),
                    standing: Standing::Open,
                });
                (self.issues.len() - 1, Paper::new(change.state.clone()))
            }
            Some(place) => {
                assert_ne!(change.deed, Deed::Opened);
                let at = index(place);
                (at, Paper::read(&self.issues[at].body, short).unwrap())
            }
        };
        paper.change(change);
        let issue = &mut self.issues[at];
        issue.body = paper
            .fit(LIMIT)
            .map_err(|what| Problem { what, ..failed() })?;
        issue.title.clone_from(&change.state.title);
        match change.deed {
            Deed::Opened | Deed::Reopened => issue.standing = Standing::Open,
            Deed::Closed => issue.standing = Standing::Closed,
            Deed::Commented | Deed::Updated => {}
        }
        // A retry finds its own comment by the key.
        let key = change.state.last_round.unix_timestamp().to_string();
        let theirs = |text: &String| said::read(text) == Some((short, key.as_str()));
        if let Some(comment) = said::comment(change, &key)
            && !issue.comments.iter().any(theirs)
        {
            issue.comments.push(comment);
        }
        Ok(place(at))
    }
}

impl Store for Tracker {
    async fn known(&mut self) -> Result<Known, Problem> {
        let mut known = Known {
            memory: self.memory.clone(),
            ..Known::default()
        };
        // The newest first, as a list of issues is.
        for (at, issue) in self.issues.iter().enumerate().rev() {
            known.incidents.push(Incident {
                state: self.state(at + 1),
                place: place(at),
                standing: issue.standing,
            });
        }
        Ok(known)
    }

    async fn apply(&mut self, change: &Change) -> Result<String, Problem> {
        match self.fault() {
            Fault::None => self.write(change),
            Fault::Before => Err(failed()),
            Fault::After => self.write(change).and(Err(failed())),
        }
    }

    async fn remember(&mut self, config: &str, memory: &Memory) -> Result<(), Problem> {
        let fault = self.fault();
        if fault != Fault::Before {
            self.memory.insert(config.to_owned(), memory.clone());
        }
        if fault == Fault::None {
            Ok(())
        } else {
            Err(failed())
        }
    }
}
