//! What holds over any sequence of rounds, faults, people's acts and rounds at the same time.

use std::collections::BTreeMap;

use noentry::domain::verdict::Verdict;
use noentry::incident::state::{Kind, State};
use noentry::incident::{Policy, Round, Standing};
use proptest::collection::vec;
use proptest::prelude::*;

use super::support::{CONFIG, Fault, hour, subject, told};
use super::tracker::Tracker;

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Copy, Debug)]
enum Act {
    /// Closed as done, closed as not planned, or opened again.
    Person(Standing),
    /// Another round at the same time has opened the same.
    Race,
}

/// What a round sees of a target: the verdict, whether it is waived, whether it was confirmed.
type Seen = Option<(Verdict, bool, bool)>;

#[derive(Clone, Debug)]
struct Step {
    gap: i64,
    seen: Vec<Seen>,
    complete: bool,
    faults: Vec<Fault>,
    /// Each on the issue of that number, where there is one.
    acts: Vec<(usize, Act)>,
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        5 => Just(Some((Verdict::Exposed, false, true))),
        1 => Just(Some((Verdict::Exposed, true, true))),
        1 => Just(Some((Verdict::Exposed, false, false))),
        5 => Just(Some((Verdict::Blocked, false, true))),
        3 => Just(Some((Verdict::Inconclusive, false, true))),
        1 => Just(None),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Person(Standing::Closed)),
        2 => Just(Act::Person(Standing::Dismissed)),
        2 => Just(Act::Person(Standing::Open)),
        1 => Just(Act::Race),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![8 => 1..6_i64, 1 => Just(25), 1 => Just(200)];
    let fault =
        prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Before), 1 => Just(Fault::After)];
    (
        gap,
        vec(seen(), NAMES.len()),
        prop::bool::weighted(0.9),
        any::<bool>(),
        vec(fault, 0..5),
        vec((0..12_usize, act()), 0..3),
    )
        .prop_map(|(gap, seen, complete, quiet, faults, acts)| Step {
            gap,
            seen,
            complete,
            faults: if quiet { Vec::new() } else { faults },
            acts,
        })
}

/// An issue with its state.
type Kept = (State, Standing);

fn kept(tracker: &Tracker) -> Vec<Kept> {
    let all = 1..=tracker.issues.len();
    all.map(|n| (tracker.state(n), tracker.issues[n - 1].standing))
        .collect()
}

fn is_of(state: &State, name: &str) -> bool {
    match state.kind {
        Kind::Target => state.name == name,
        Kind::Mass => state.members.iter().any(|m| m.name == name),
        Kind::Blind => false,
    }
}

fn covered(kept: &[Kept], name: &str) -> bool {
    kept.iter().any(|(state, standing)| {
        *standing == Standing::Open
            && match state.kind {
                Kind::Target => state.name == name,
                Kind::Mass => state.members.iter().any(|m| m.name == name && m.open),
                Kind::Blind => false,
            }
    })
}

/// Does it, and says which one is now there twice.
fn act_on(tracker: &mut Tracker, (number, act): (usize, Act)) -> Option<usize> {
    let issue = tracker.issues.get(number.checked_sub(1)?)?;
    match act {
        Act::Person(standing) => tracker.person(number, standing),
        Act::Race if issue.standing == Standing::Open => {
            tracker.race(number);
            return Some(number);
        }
        Act::Race => {}
    }
    None
}

/// Conclusive blocked rounds in a row, by target, as one issue has them.
type Row = BTreeMap<&'static str, u32>;

fn count(row: &mut Row, seen: &[(&&'static str, &Seen)]) {
    for (name, seen) in seen {
        match seen {
            Some((Verdict::Blocked, _, _)) => *row.entry(name).or_default() += 1,
            Some(_) => {
                row.remove(**name);
            }
            None => {}
        }
    }
}

fn live(steps: &[Step], policy: &Policy) {
    let mut tracker = Tracker::default();
    let mut now = 0;
    let mut rows: Vec<Row> = Vec::new();
    for step in steps {
        now += step.gap;
        for act in &step.acts {
            if let Some(same) = act_on(&mut tracker, *act) {
                rows.push(rows[same - 1].clone());
            }
        }
        let seen: Vec<_> = NAMES.iter().zip(&step.seen).collect();
        let subjects = seen.iter().filter_map(|(name, seen)| {
            let (verdict, waived, confirmed) = (**seen)?;
            let mut subject = subject(name, verdict);
            subject.waived = waived;
            subject.confirmed = confirmed;
            Some(subject)
        });
        let round = Round {
            at: hour(now),
            config: CONFIG.to_owned(),
            complete: step.complete,
            interrupted: false,
            run: Some(format!("https://ci.example/{now}")),
            subjects: subjects.collect(),
            shares: Vec::new(),
        };
        let before = kept(&tracker);
        tracker.faults.clone_from(&step.faults);
        let told = told(&mut tracker, &round, policy);
        tracker.faults.clear();
        let whole = told.problems.is_empty();
        let after = kept(&tracker);
        for (name, seen) in &seen {
            let held = told.held.iter().any(|held| held.name == **name);
            let unwanted = after
                .iter()
                .any(|(state, standing)| is_of(state, name) && *standing == Standing::Dismissed);
            assert!(!held || unwanted, "{name} is held by nobody");
            assert!(!held || matches!(seen, Some((Verdict::Exposed, false, _))));
            // A step with a fault may leave an exposure without an incident; a good one may not.
            if whole && matches!(seen, Some((Verdict::Exposed, false, true))) && !held {
                assert!(
                    covered(&after, name),
                    "{name} is exposed without an incident"
                );
            }
        }
        rows.resize(after.len(), Row::new());
        for ((state, _), row) in after.iter().zip(&mut rows) {
            // A round whose write failed is one that the trail does not have.
            if state.last_round == round.at {
                count(row, &seen);
            }
        }
        closed_rightly(&before, &after, &rows, policy);
        for (at, (_, was)) in before.iter().enumerate() {
            // What a person does not want is never opened again.
            assert_eq!(
                *was == Standing::Dismissed,
                after[at].1 == Standing::Dismissed,
                "acme/trail#{}",
                at + 1
            );
        }
        if whole {
            one_each(&after, step, policy);
        }
    }
}

/// None is closed without as many blocked rounds as it takes, unless another tells the same.
fn closed_rightly(before: &[Kept], after: &[Kept], rows: &[Row], policy: &Policy) {
    for (((was, standing), (now, then)), row) in before.iter().zip(after).zip(rows) {
        if *standing != Standing::Open || *then == Standing::Open {
            continue;
        }
        if let Some(kept) = &now.duplicate_of {
            let number: usize = kept.strip_prefix("acme/trail#").unwrap().parse().unwrap();
            assert_eq!(before[number - 1].0.fingerprint, was.fingerprint);
            assert_eq!(before[number - 1].1, Standing::Open);
            continue;
        }
        let enough = |name: &str| row.get(name).is_some_and(|n| *n >= policy.close_after);
        match was.kind {
            Kind::Target => assert!(enough(&was.name), "{} closed too early", was.name),
            Kind::Mass => {
                for member in was.members.iter().filter(|m| m.open) {
                    assert!(enough(&member.name), "{} closed too early", member.name);
                }
            }
            Kind::Blind => assert!(now.closed.is_some()),
        }
    }
}

/// Never more than one that is open, of any target that was looked at; and noentry and the tracker
/// agree on what is open.
fn one_each(after: &[Kept], step: &Step, policy: &Policy) {
    let open = |is: &dyn Fn(&State) -> bool| {
        let open = after.iter().filter(|(_, s)| *s == Standing::Open);
        open.filter(|(state, _)| is(state)).count()
    };
    for name in NAMES {
        let own = open(&|s| s.kind == Kind::Target && s.name == name);
        assert!(own <= 1, "{own} open incidents of {name}");
    }
    for kind in [Kind::Mass, Kind::Blind] {
        assert!(open(&|s| s.kind == kind) <= 1);
    }
    for (state, standing) in after {
        let sees = state.kind == Kind::Target && step.complete;
        let unsure = NAMES.iter().zip(&step.seen).any(|(name, seen)| {
            *name == state.name && matches!(seen, Some((Verdict::Exposed, false, false)))
        });
        // What a person closed waits for a round that is sure.
        if sees && !unsure && policy.mass_exposure_after > 1 {
            assert_eq!(state.open, *standing == Standing::Open, "{state:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_people_do_no_exposure_is_lost_and_none_is_told_twice(steps in vec(step(), 1..40)) {
        live(&steps, &Policy::default());
    }

    #[test]
    fn nor_where_many_become_one(steps in vec(step(), 1..40)) {
        live(&steps, &Policy { mass_exposure_after: 1, ..Policy::default() });
    }
}
