//! Any sequence of rounds, people's acts and faults, as far as the time allows: few and short ones.
//! `tests/incidents/sequences.rs` plays many against a store in memory.

use std::collections::BTreeMap;

use noentry::domain::finding::Finding;
use noentry::domain::verdict::Verdict;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::json;

use super::proxy::Fault;
use super::rounds::{blind, open, round, shut, wide_open};
use super::world::{Issue, World};

const NAMES: [&str; 2] = ["Admin console", "Staging"];
const CASES: usize = 12;
const ROUNDS: usize = 8;

/// What a target looks like in a round.
#[derive(Clone, Copy, Debug)]
enum Look {
    Open,
    WideOpen,
    Shut,
    Blind,
    Gone,
}

impl Look {
    fn finding(self, name: &str) -> Option<Finding> {
        match self {
            Self::Open => Some(open(name)),
            Self::WideOpen => Some(wide_open(name)),
            Self::Shut => Some(shut(name)),
            Self::Blind => Some(blind(name)),
            Self::Gone => None,
        }
    }
}

/// What a person does before a round, to the newest incident.
#[derive(Clone, Copy, Debug)]
enum Act {
    Nothing,
    Close,
    Open,
    Title,
    Words,
}

#[derive(Clone, Copy, Debug)]
enum Trouble {
    Before,
    After,
    CutBefore,
    CutAfter,
    Forbidden,
}

impl Trouble {
    fn fault(self) -> Fault {
        match self {
            Self::Before => Fault::bad_gateway(),
            Self::After => Fault::bad_gateway_after(),
            Self::CutBefore => Fault::DropBefore,
            Self::CutAfter => Fault::DropAfter,
            Self::Forbidden => Fault::status(403, "Resource not accessible by integration"),
        }
    }
}

#[derive(Clone, Debug)]
struct Step {
    gap: i64,
    looks: Vec<Look>,
    act: Act,
    /// What goes wrong, at which of the round's requests.
    trouble: Option<(Trouble, usize)>,
}

fn step() -> impl Strategy<Value = Step> {
    let look = prop_oneof![
        3 => Just(Look::Open),
        1 => Just(Look::WideOpen),
        5 => Just(Look::Shut),
        2 => Just(Look::Blind),
        1 => Just(Look::Gone),
    ];
    let act = prop_oneof![
        5 => Just(Act::Nothing),
        1 => Just(Act::Close),
        1 => Just(Act::Open),
        1 => Just(Act::Title),
        1 => Just(Act::Words),
    ];
    let trouble = prop_oneof![
        Just(Trouble::Before),
        Just(Trouble::After),
        Just(Trouble::CutBefore),
        Just(Trouble::CutAfter),
        Just(Trouble::Forbidden),
    ];
    let gap = prop_oneof![6 => 1..6_i64, 1 => Just(25), 1 => Just(200)];
    let trouble = prop::option::of((trouble, 0..14_usize));
    (gap, vec(look, NAMES.len()), act, trouble).prop_map(|(gap, looks, act, trouble)| Step {
        gap,
        looks,
        act,
        trouble,
    })
}

/// The issues of a target, by number. People may have changed their titles.
fn of(issues: &[Issue], name: &str) -> BTreeMap<u64, Issue> {
    let short = noentry::incident::state::Fingerprint::target(name, "noentry.yml");
    let mark = format!("<!-- noentry:begin {} -->", short.short());
    let found = issues.iter().filter(|issue| issue.body.contains(&mark));
    found.map(|issue| (issue.number, issue.clone())).collect()
}

fn act(world: &World, act: Act) {
    let Some(issue) = world.incidents().pop() else {
        return;
    };
    let change = match act {
        Act::Nothing => return,
        Act::Close => json!({ "state": "closed", "state_reason": "completed" }),
        Act::Open => json!({ "state": "open" }),
        Act::Title => json!({ "title": format!("{}!", issue.title) }),
        Act::Words => json!({ "body": format!("A word.\r\n\r\n{}", issue.body) }),
    };
    world.edit(issue.number, &change);
}

fn play(world: &World, hours: i64, step: &Step) {
    act(world, step.act);
    let before = world.incidents();
    let looks = NAMES.iter().zip(&step.looks);
    let findings: Vec<Finding> = looks
        .filter_map(|(name, look)| look.finding(name))
        .collect();
    let report = round(hours, findings);
    match step.trouble {
        Some((trouble, at)) => {
            world.proxy.plan("", "", at, 1, trouble.fault());
            world.play(&report);
            world.proxy.heal();
        }
        None => drop(world.told(&report)),
    }
    let after = world.incidents();
    for (name, look) in NAMES.iter().zip(&step.looks) {
        let (before, after) = (of(&before, name), of(&after, name));
        let verdict = look.finding(name).map(|finding| finding.verdict);
        let open = after.values().filter(|issue| issue.open).count();
        // A fault leaves a doubt for a round, and no longer.
        if step.trouble.is_none() {
            assert!(open <= 1, "{after:#?}");
            assert!(verdict != Some(Verdict::Exposed) || open == 1, "{after:#?}");
        }
        for (number, issue) in &after {
            let was_open = before.get(number).is_some_and(|issue| issue.open);
            let duplicate = issue.body.contains("the same incident is kept at");
            if was_open && !issue.open && !duplicate {
                assert_eq!(verdict, Some(Verdict::Blocked), "{issue:#?}");
            }
            let mut said = issue.trail();
            said.sort_unstable();
            let all = said.len();
            said.dedup();
            assert_eq!(said.len(), all, "{issue:#?}");
        }
        assert!(before.keys().all(|number| after.contains_key(number)));
    }
}

/// Cases run beside each other: most of a fault is waiting. None is shrunk, they are short enough.
#[test]
fn any_sequence_leaves_one_true_issue_a_target() {
    if super::emulator::get().is_none() {
        return;
    }
    let mut runner = TestRunner::default();
    let strategy = vec(step(), ROUNDS);
    let cases = (0..CASES).map(|_| strategy.new_tree(&mut runner).unwrap().current());
    let cases: Vec<Vec<Step>> = cases.collect();
    std::thread::scope(|scope| {
        for steps in &cases {
            scope.spawn(move || {
                let played = std::panic::catch_unwind(|| {
                    let world = World::plain("any").unwrap();
                    let mut hours = 0;
                    for step in steps {
                        hours += step.gap;
                        play(&world, hours, step);
                    }
                });
                assert!(played.is_ok(), "{steps:#?}");
            });
        }
    });
}
