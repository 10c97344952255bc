//! What holds over any sequence of rounds and faults.

use std::collections::BTreeMap;
use std::path::Path;

use noentry::domain::verdict::Verdict;
use noentry::incident::folder::Folder;
use noentry::incident::state::{Kind, State};
use noentry::incident::{Policy, Round};
use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::support::{Fault, Faulty, known, round, subject, told};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
struct Step {
    /// Hours since the step before; now and then none: the same report again.
    gap: i64,
    /// A verdict a target, or gone.
    seen: Vec<Option<(Verdict, bool)>>,
    complete: bool,
    interrupted: bool,
    faults: Vec<Fault>,
}

impl Step {
    /// The round of so many hours after the first.
    fn round(&self, hours: i64) -> Round {
        let subjects = NAMES.iter().zip(&self.seen).filter_map(|(name, seen)| {
            let (verdict, waived) = (*seen)?;
            let mut subject = subject(name, verdict);
            subject.waived = waived;
            Some(subject)
        });
        Round {
            complete: self.complete,
            interrupted: self.interrupted,
            ..round(hours, subjects.collect())
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    let verdict = prop_oneof![
        3 => Just(Some((Verdict::Exposed, false))),
        1 => Just(Some((Verdict::Exposed, true))),
        4 => Just(Some((Verdict::Blocked, false))),
        3 => Just(Some((Verdict::Inconclusive, false))),
        1 => Just(None),
    ];
    let gap = prop_oneof![1 => Just(0), 8 => 1..6_i64, 1 => Just(25), 1 => Just(200)];
    let fault =
        prop_oneof![4 => Just(Fault::None), 1 => Just(Fault::Before), 1 => Just(Fault::After)];
    let quiet = any::<bool>();
    (
        gap,
        vec(verdict, NAMES.len()),
        prop::bool::weighted(0.9),
        prop::bool::weighted(0.1),
        quiet,
        vec(fault, 0..5),
    )
        .prop_map(|(gap, seen, complete, interrupted, quiet, faults)| Step {
            gap,
            seen,
            complete,
            interrupted,
            faults: if quiet { Vec::new() } else { faults },
        })
}

fn of<'a>(states: &'a [State], name: &str) -> Vec<&'a State> {
    states
        .iter()
        .filter(|s| s.kind == Kind::Target && s.name == name)
        .collect()
}

fn covered(states: &[State], name: &str) -> bool {
    of(states, name).iter().any(|s| s.open)
        || states.iter().any(|s| {
            s.kind == Kind::Mass && s.open && s.members.iter().any(|m| m.name == name && m.open)
        })
}

fn concerns(state: &State, name: &str) -> bool {
    (state.kind == Kind::Target && state.name == name)
        || (state.kind == Kind::Mass && state.members.iter().any(|m| m.name == name))
}

fn states(folder: &Path) -> Vec<State> {
    let known = known(folder);
    assert_eq!(known.problems, []);
    known.incidents.into_iter().map(|i| i.state).collect()
}

fn live(steps: &[Step], policy: &Policy) {
    let folder = TempDir::new().unwrap();
    let mut now = 0;
    // Conclusive blocked rounds in a row, of those that the trail has.
    let mut row: BTreeMap<&str, u32> = BTreeMap::new();
    let mut before: Vec<State> = Vec::new();
    let mut last: Option<&Step> = None;
    for step in steps {
        now += step.gap;
        let faults = step.faults.clone();
        // Without a gap it is the same report again.
        let step = last.filter(|_| step.gap == 0).unwrap_or(step);
        last = Some(step);
        let round = step.round(now);
        let mut store = Faulty {
            folder: Folder::open(folder.path()).unwrap(),
            faults,
        };
        let told = told(&mut store, &round, policy);
        drop(store);
        let after = states(folder.path());
        for (name, seen) in NAMES.iter().zip(&step.seen) {
            // A round whose write failed is one that the trail does not have.
            let has = |states: &[State]| {
                let mut own = states.iter().filter(|s| concerns(s, name));
                own.any(|s| s.last_round == round.at)
            };
            if let (Some((verdict, _)), true) = (seen, has(&after) && !has(&before)) {
                let row = row.entry(name).or_default();
                *row = if *verdict == Verdict::Blocked {
                    *row + 1
                } else {
                    0
                };
            }
            assert!(of(&after, name).iter().filter(|s| s.open).count() <= 1);
            for state in of(&before, name).iter().filter(|s| s.open) {
                let now = of(&after, name)
                    .into_iter()
                    .find(|s| s.number == state.number);
                if !now.unwrap().open {
                    assert!(row[name] >= policy.close_after, "{name} closed too early");
                    assert_eq!(seen.unwrap().0, Verdict::Blocked);
                }
            }
            for mass in before.iter().filter(|s| s.kind == Kind::Mass && s.open) {
                let now = after
                    .iter()
                    .find(|s| s.kind == Kind::Mass && s.number == mass.number);
                let open = |state: &State| state.members.iter().any(|m| m.name == *name && m.open);
                if open(mass) && !open(now.unwrap()) {
                    assert!(
                        row[name] >= policy.close_after,
                        "{name} left the mass too early"
                    );
                }
            }
            // A faulty step may leave an exposure without an incident; the next good one may not.
            let exposed = *seen == Some((Verdict::Exposed, false));
            if exposed && told.problems.is_empty() {
                assert!(
                    covered(&after, name),
                    "{name} is exposed without an incident"
                );
            }
        }
        assert!(
            after
                .iter()
                .filter(|s| s.kind == Kind::Mass && s.open)
                .count()
                <= 1
        );
        assert!(
            after
                .iter()
                .filter(|s| s.kind == Kind::Blind && s.open)
                .count()
                <= 1
        );
        before = after;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_rounds_and_faults_loses_or_doubles_an_incident(steps in vec(step(), 1..40)) {
        live(&steps, &Policy::default());
    }

    #[test]
    fn nor_where_many_become_one(steps in vec(step(), 1..40)) {
        live(&steps, &Policy { mass_exposure_after: 1, ..Policy::default() });
    }
}

/// Rounds whose clock is wrong now and then: an exposure is in an incident, or the round says that it
/// comes too late, or names who else is why it is not.
fn astray(steps: &[(i64, Step)], policy: &Policy) {
    let folder = TempDir::new().unwrap();
    for (at, step) in steps {
        let mut round = step.round(*at);
        for subject in &mut round.subjects {
            // Which of them were not seen again is of no matter here, as long as it varies.
            subject.confirmed = (*at + i64::from(subject.name.as_bytes()[0])) % 5 != 0;
        }
        let before = states(folder.path());
        let mut store = Folder::open(folder.path()).unwrap();
        let told = told(&mut store, &round, policy);
        drop(store);
        assert_eq!(told.problems, []);
        let after = states(folder.path());
        for subject in &round.subjects {
            let name = &subject.name;
            assert!(of(&after, name).iter().filter(|s| s.open).count() <= 1);
            for state in of(&before, name).iter().filter(|s| s.open) {
                let mut now = of(&after, name).into_iter();
                let now = now.find(|s| s.number == state.number).unwrap();
                let rows = state.shut.as_ref().map_or(0, |shut| shut.rounds);
                let closes = subject.verdict == Verdict::Blocked && rows + 1 >= policy.close_after;
                assert!(now.open || closes, "{name} closed too early");
            }
        }
        let alone = round.subjects.iter().filter(|subject| {
            let exposed = subject.verdict == Verdict::Exposed && !subject.waived;
            let said = told.unconfirmed.contains(&subject.name);
            exposed && !said && !covered(&after, &subject.name)
        });
        assert!(
            alone.count() <= told.stale,
            "exposed without an incident, and nobody says so: {round:#?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_clock_that_goes_astray_hides_an_exposure(steps in vec((0..400_i64, step()), 1..30)) {
        astray(&steps, &Policy::default());
    }

    #[test]
    fn nor_where_many_become_one_at_such_times(steps in vec((0..400_i64, step()), 1..30)) {
        astray(&steps, &Policy { mass_exposure_after: 1, ..Policy::default() });
    }
}
