//! Every fault at every request of every kind of round: the round itself may fail, and says so; the
//! next one without a fault leaves exactly one true issue, in which nothing is said twice.

use std::sync::Mutex;
use std::time::Duration;

use noentry::domain::finding::Finding;

use super::proxy::Fault;
use super::rounds::{open, round, shut, wide_open};
use super::world::{Issue, Run, World};

const NAME: &str = "Admin console";
/// How many worlds at once: most of a fault is waiting.
const WORKERS: usize = 24;

/// A kind of round: what was before it, the round, and what an issue must be after the next one.
#[derive(Clone, Copy)]
struct Story {
    name: &'static str,
    before: &'static [fn(&str) -> Finding],
    round: fn(&str) -> Finding,
    open: bool,
    comments: usize,
    last: &'static str,
}

const STORIES: [Story; 4] = [
    Story {
        name: "opening",
        before: &[],
        round: open,
        open: true,
        comments: 0,
        last: "",
    },
    Story {
        name: "telling",
        before: &[open],
        round: wide_open,
        open: true,
        comments: 1,
        last: "20.1.9.9",
    },
    Story {
        name: "closing",
        before: &[open, shut],
        round: shut,
        open: false,
        comments: 1,
        last: "shut since",
    },
    Story {
        name: "reopening",
        before: &[open, shut, shut],
        round: open,
        open: true,
        comments: 2,
        last: "open again",
    },
];

/// What goes wrong, and whether it goes on doing so.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    name: &'static str,
    fault: fn() -> Fault,
    times: usize,
}

const TROUBLES: [Trouble; 10] = [
    Trouble {
        name: "502 before",
        fault: Fault::bad_gateway,
        times: 1,
    },
    Trouble {
        name: "502 after",
        fault: Fault::bad_gateway_after,
        times: 1,
    },
    Trouble {
        name: "cut before",
        fault: || Fault::DropBefore,
        times: 1,
    },
    Trouble {
        name: "cut after",
        fault: || Fault::DropAfter,
        times: 1,
    },
    Trouble {
        name: "403 later",
        fault: || Fault::later(403, "secondary rate limit", 1),
        times: 1,
    },
    Trouble {
        name: "429 later",
        fault: || Fault::later(429, "slow down", 1),
        times: 1,
    },
    Trouble {
        name: "401",
        fault: || Fault::status(401, "Bad credentials"),
        times: 1,
    },
    Trouble {
        name: "410",
        fault: || Fault::status(410, "This issue was deleted"),
        times: 1,
    },
    Trouble {
        name: "slow",
        fault: || Fault::Slow(Duration::from_millis(300)),
        times: 1,
    },
    // From here on nothing comes back, and yet everything arrives: as if the run was killed.
    Trouble {
        name: "silence",
        fault: || Fault::DropAfter,
        times: usize::MAX,
    },
];

/// The story's round in a world that has come so far; gives the number of its requests.
fn model(story: &Story) -> Option<(Vec<Issue>, usize)> {
    let world = World::plain(story.name)?;
    for (hours, finding) in (0..).zip(story.before) {
        world.told(&round(hours, vec![finding(NAME)]));
    }
    let before = world.incidents();
    world.proxy.calls();
    world.told(&now(story));
    let requests = world.proxy.calls().len();
    assert!(requests > 2, "{requests}");
    true_issue(story, &world.incidents());
    Some((before, requests))
}

fn now(story: &Story) -> noentry::domain::report::RoundReport {
    round(
        i64::try_from(story.before.len()).unwrap(),
        vec![(story.round)(NAME)],
    )
}

fn true_issue(story: &Story, incidents: &[Issue]) {
    assert_eq!(incidents.len(), 1, "{incidents:#?}");
    let issue = &incidents[0];
    assert_eq!(issue.open, story.open, "{issue:#?}");
    assert_eq!(issue.trail().len(), story.comments, "{issue:#?}");
    let last = issue.trail().last().copied().unwrap_or_default();
    assert!(last.contains(story.last), "{issue:#?}");
    assert_eq!(issue.labels, ["noentry", "noentry:exposed"]);
    // What the timeline tells was told once there too.
    let told = story.comments + 1;
    let lines = issue.body.lines().filter(|line| line.starts_with("- **20"));
    assert_eq!(lines.count(), told, "{}", issue.body);
}

/// One fault at one request, and the round after it.
fn healed(story: &Story, before: &[Issue], trouble: Trouble, at: usize) {
    let world = World::plain(story.name).unwrap();
    for issue in before {
        world.restore(issue);
    }
    world
        .proxy
        .plan("", "", at, trouble.times, (trouble.fault)());
    let report = now(story);
    let run = world.run(world.folder.path(), &report);
    failed_well(&world, &report, &run);
    world.proxy.heal();
    let mut next = now(story);
    next.started += time::Duration::HOUR;
    world.told(&next);
    true_issue(story, &world.incidents());
}

/// A round that could not do all says so and hides nothing.
fn failed_well(world: &World, report: &noentry::domain::report::RoundReport, run: &Run) {
    let exposed = report.totals.exposed > 0;
    let whole = run.err.is_empty();
    let expected = match (exposed, whole) {
        (true, _) => 1,
        (false, true) => 0,
        (false, false) => 4,
    };
    assert_eq!(run.code, expected, "{run:#?}");
    assert!(
        whole || run.err.starts_with("noentry: incident trail: "),
        "{run:#?}"
    );
    let open = world
        .incidents()
        .into_iter()
        .filter(|issue| issue.open)
        .count();
    assert!(open <= 1, "{run:#?}");
}

fn all_of(story: usize) {
    let story = &STORIES[story];
    let Some((before, requests)) = model(story) else {
        return;
    };
    let cases = TROUBLES
        .iter()
        .flat_map(|trouble| (0..requests).map(move |at| (*trouble, at)));
    let cases = Mutex::new(cases.collect::<Vec<_>>());
    let worker = || {
        loop {
            let Some((trouble, at)) = cases.lock().unwrap().pop() else {
                return;
            };
            let case = || healed(story, &before, trouble, at);
            let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(case));
            assert!(
                result.is_ok(),
                "{} at request {at} while {}",
                trouble.name,
                story.name
            );
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(worker);
        }
    });
}

#[test]
fn an_opening_survives_every_fault() {
    all_of(0);
}

#[test]
fn a_comment_survives_every_fault() {
    all_of(1);
}

#[test]
fn a_closing_survives_every_fault() {
    all_of(2);
}

#[test]
fn a_reopening_survives_every_fault() {
    all_of(3);
}
