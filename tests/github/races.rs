//! Two runs at the same time.

use noentry::domain::finding::Finding;
use tempfile::TempDir;
use time::Duration;

use super::proxy::{Fault, Gate};
use super::rounds::{open, round, shut, wide_open};
use super::world::{Issue, Run, World, world};

const NAME: &str = "Admin console";

/// Two runs that begin within seconds, each in a folder of its own.
fn both(world: &World, hours: i64, findings: &[Finding]) -> [Run; 2] {
    let run = |seconds| {
        let mut report = round(hours, findings.to_vec());
        report.started += Duration::seconds(seconds);
        let folder = TempDir::new().unwrap();
        world.run(folder.path(), &report)
    };
    std::thread::scope(|scope| {
        let runs = [0, 7].map(|seconds| scope.spawn(move || run(seconds)));
        runs.map(|run| run.join().unwrap())
    })
}

fn open_ones(world: &World) -> Vec<Issue> {
    let mut incidents = world.incidents();
    incidents.retain(|issue| issue.open);
    incidents
}

/// One is open, and it is the oldest; what the other opened is closed and says why.
fn one_is_left(world: &World) {
    let left = open_ones(world);
    assert_eq!(left.len(), 1, "{:#?}", world.incidents());
    let incidents = world.incidents();
    assert_eq!(left[0].number, incidents[0].number);
    for other in &incidents[1..] {
        let told = format!("#{}", left[0].number);
        let said = other.trail().join("\n") + &other.body;
        assert!(said.contains(&told), "{other:#?}");
    }
    assert_eq!(world.proxy.refused(), Vec::<String>::new());
}

#[test]
fn two_that_create_at_the_same_moment_end_with_one() {
    let world = world!("race");
    let gate = Gate::new(2);
    world
        .proxy
        .plan("POST", "/issues$", 0, 2, Fault::Meet(gate.clone()));
    let runs = both(&world, 0, &[open(NAME)]);
    assert_eq!((gate.came(), runs.map(|run| run.code)), (2, [1, 1]));
    world.told(&round(1, vec![open(NAME)]));
    one_is_left(&world);
    assert_eq!(world.incidents().len(), 2);
    // And from here on it is one story.
    for hours in [2, 3] {
        world.told(&round(hours, vec![shut(NAME)]));
    }
    assert_eq!(open_ones(&world), []);
    world.told(&round(4, vec![open(NAME)]));
    one_is_left(&world);
}

#[test]
fn two_that_run_at_the_same_time_end_with_one() {
    let world = world!("races");
    for n in 0..5 {
        let hours = n * 400;
        let runs = both(&world, hours, &[open(NAME), wide_open("Staging")]);
        assert_eq!(runs.each_ref().map(|run| run.code), [1, 1], "{runs:#?}");
        world.told(&round(hours + 1, vec![open(NAME), wide_open("Staging")]));
        let mut titles: Vec<_> = open_ones(&world).into_iter().map(|i| i.title).collect();
        titles.sort();
        let ours = [NAME, "Staging"].map(|name| format!("Reachable from outside: {name}"));
        assert_eq!(titles, ours, "{:#?}", world.incidents());
        for hours in [hours + 2, hours + 3] {
            world.told(&round(hours, vec![shut(NAME), shut("Staging")]));
        }
        assert_eq!(open_ones(&world), []);
    }
}

#[test]
fn two_that_close_at_the_same_moment_close_it_once() {
    let world = world!("closing");
    world.told(&round(0, vec![open(NAME)]));
    world.told(&round(1, vec![shut(NAME)]));
    let gate = Gate::new(2);
    world
        .proxy
        .plan("PATCH", "/issues/", 0, 2, Fault::Meet(gate));
    both(&world, 2, &[shut(NAME)]);
    world.proxy.heal();
    world.told(&round(3, vec![shut(NAME)]));
    let issue = world.incident();
    assert_eq!(
        (issue.open, issue.reason.as_deref()),
        (false, Some("completed"))
    );
}
