//! Rounds in a few words, and a store that fails when it is told to.

use std::path::Path;

use noentry::domain::reach::Reach;
use noentry::domain::trail::Notify;
use noentry::domain::verdict::Verdict;
use noentry::incident::folder::Folder;
use noentry::incident::state::{Fingerprint, State};
use noentry::incident::{
    Change, Incident, Known, Memory, Part, Policy, Problem, Round, Store, Subject, Told, tell,
};
use time::{Duration, OffsetDateTime};

pub const CONFIG: &str = "noentry.yml";

/// 2026-01-05 08:00 UTC, and so many hours.
pub fn hour(hours: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_767_600_000).unwrap() + Duration::hours(hours)
}

pub fn subject(name: &str, verdict: Verdict) -> Subject {
    let exposed = verdict == Verdict::Exposed;
    let (reach, headline) = match verdict {
        Verdict::Exposed => (Some(Reach::Served), "HTTP 200 at `192.0.2.1:443`"),
        Verdict::Blocked => (Some(Reach::NoAnswer), "firewall is silent"),
        Verdict::Inconclusive => (None, "control `example.com:443` was lost"),
    };
    Subject {
        name: name.to_owned(),
        fingerprint: Fingerprint::target(name, CONFIG),
        verdict,
        waived: false,
        reach,
        parts: if exposed {
            vec![part("TCP 192.0.2.1:443", "served status 200")]
        } else {
            Vec::new()
        },
        headline: headline.to_owned(),
        evidence: format!("| target | `{name}` |\n| :--- | :--- |\n"),
        reproduce: vec!["nc -vz -w 5 192.0.2.1 443".to_owned()],
        declared: format!("{CONFIG}:5:5"),
        source: None,
        notify: Notify::default(),
        confirmed: true,
        withheld: false,
    }
}

pub fn part(place: &str, mark: &str) -> Part {
    Part {
        place: place.to_owned(),
        mark: mark.to_owned(),
    }
}

pub fn exposed(name: &str) -> Subject {
    subject(name, Verdict::Exposed)
}

pub fn blocked(name: &str) -> Subject {
    subject(name, Verdict::Blocked)
}

pub fn unsure(name: &str) -> Subject {
    subject(name, Verdict::Inconclusive)
}

pub fn round(hours: i64, subjects: Vec<Subject>) -> Round {
    Round {
        at: hour(hours),
        config: CONFIG.to_owned(),
        complete: true,
        interrupted: false,
        run: None,
        subjects,
        shares: Vec::new(),
    }
}

/// A round into a folder.
pub fn play(folder: &Path, round: &Round) -> Told {
    told(
        &mut Folder::open(folder).unwrap(),
        round,
        &Policy::default(),
    )
}

/// A round into a store.
pub fn told(store: &mut impl Store, round: &Round, policy: &Policy) -> Told {
    at_once(tell(store, round, policy))
}

/// What these stores do is done when they are asked: no future here waits for anything.
pub fn at_once<T>(work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match work.as_mut().poll(&mut context) {
        std::task::Poll::Ready(done) => done,
        std::task::Poll::Pending => panic!("a store of files waits"),
    }
}

/// What was done, by its words.
pub fn deeds(told: &Told) -> Vec<&'static str> {
    assert_eq!(told.problems, []);
    told.done.iter().map(|(deed, _, _)| deed.as_str()).collect()
}

/// Everything in a folder.
pub fn known(folder: &Path) -> Known {
    at_once(Folder::open(folder).unwrap().known()).unwrap()
}

/// The only open incident's state.
pub fn open(folder: &Path) -> State {
    let known = known(folder);
    let mut open = known.incidents.into_iter().filter(|i| i.state.open);
    let Incident { state, .. } = open.next().unwrap();
    assert!(open.next().is_none());
    state
}

/// How a write goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It does not.
    None,
    /// Nothing is written.
    Before,
    /// It is written, and reported as failed.
    After,
}

/// A folder with a fault a write, in turn.
pub struct Faulty {
    pub folder: Folder,
    pub faults: Vec<Fault>,
}

impl Faulty {
    fn next(&mut self) -> Fault {
        self.faults.pop().unwrap_or(Fault::None)
    }
}

pub fn failed() -> Problem {
    Problem {
        place: "here".to_owned(),
        what: "no space left".to_owned(),
        about: None,
    }
}

impl Store for Faulty {
    async fn known(&mut self) -> Result<Known, Problem> {
        self.folder.known().await
    }

    async fn apply(&mut self, change: &Change) -> Result<String, Problem> {
        match self.next() {
            Fault::None => self.folder.apply(change).await,
            Fault::Before => Err(failed()),
            Fault::After => self.folder.apply(change).await.and(Err(failed())),
        }
    }

    async fn remember(&mut self, config: &str, memory: &Memory) -> Result<(), Problem> {
        match self.next() {
            Fault::None => self.folder.remember(config, memory).await,
            Fault::Before => Err(failed()),
            Fault::After => self
                .folder
                .remember(config, memory)
                .await
                .and(Err(failed())),
        }
    }
}
