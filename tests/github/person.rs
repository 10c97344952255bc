//! What people do to an issue stands: their words, their labels, their decisions.

use noentry::domain::finding::Finding;
use serde_json::json;

use super::rounds::{open, round, shut, wide_open};
use super::world::{Issue, World, world};

const NAME: &str = "Admin console";

fn play(world: &World, hours: i64, finding: Finding) -> Issue {
    world.told(&round(hours, vec![finding]));
    world.incidents().pop().unwrap()
}

/// Opens, changes the issue, and plays an update, an end and a reopening over it.
fn over(world: &World, change: impl Fn(&Issue) -> serde_json::Value) -> Issue {
    let issue = play(world, 0, open(NAME));
    world.edit(issue.number, &change(&issue));
    play(world, 1, wide_open(NAME));
    play(world, 2, shut(NAME));
    let closed = play(world, 3, shut(NAME));
    assert!(!closed.open && closed.trail().len() == 2, "{closed:#?}");
    let again = play(world, 4, open(NAME));
    assert_eq!(
        (again.number, again.open, again.trail().len()),
        (issue.number, true, 3)
    );
    again
}

#[test]
fn a_title_that_a_person_gave_stays() {
    let world = world!("title");
    let issue = over(&world, |_| json!({ "title": "URGENT: Admin console" }));
    assert_eq!(issue.title, "URGENT: Admin console");
}

#[test]
fn words_around_the_section_stay() {
    let world = world!("around");
    let issue = over(
        &world,
        |issue| json!({ "body": format!("Ada is on it.\n\n{}\n\nSee **CHG-7**.", issue.body.trim_end()) }),
    );
    assert!(
        issue
            .body
            .starts_with("Ada is on it.\n\n<!-- noentry:begin "),
        "{}",
        issue.body
    );
    assert!(
        issue.body.trim_end().ends_with("-->\n\nSee **CHG-7**."),
        "{}",
        issue.body
    );
    assert!(issue.body.contains("opened again"));
}

#[test]
fn an_editor_that_ends_lines_in_its_own_way_breaks_nothing() {
    let world = world!("crlf");
    let issue = over(
        &world,
        |issue| json!({ "body": format!("Ada was here.\r\n{}", issue.body.replace('\n', "\r\n")) }),
    );
    assert!(
        issue.body.starts_with("Ada was here.\r\n"),
        "{}",
        issue.body
    );
    assert_eq!(issue.body.matches("<!-- noentry:begin ").count(), 1);
    assert_eq!(
        issue.body.matches("## Timeline").count(),
        1,
        "{}",
        issue.body
    );
}

#[test]
fn words_within_the_section_are_written_over() {
    let world = world!("within");
    let issue = over(
        &world,
        |issue| json!({ "body": issue.body.replace("has been reachable", "was never, ever reachable") }),
    );
    assert!(!issue.body.contains("never, ever"), "{}", issue.body);
    assert!(issue.body.contains("has been reachable"), "{}", issue.body);
}

#[test]
fn a_persons_edit_between_reading_and_writing_is_not_lost() {
    let world = world!("between");
    let issue = play(&world, 0, open(NAME));
    // The person saves while noentry is at work: after the list was read, before the issue is written.
    let gate = super::proxy::Gate::new(2);
    let path = format!("/issues/{}$", issue.number);
    world
        .proxy
        .once("GET", &path, super::proxy::Fault::Meet(gate.clone()));
    std::thread::scope(|scope| {
        let round = scope.spawn(|| world.told(&round(1, vec![open(NAME)])));
        while gate.came() == 0 && !round.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        world.edit(
            issue.number,
            &json!({ "body": format!("Just saved.\n{}", issue.body) }),
        );
        gate.pass();
    });
    let after = world.incident();
    assert!(after.body.starts_with("Just saved.\n"), "{}", after.body);
    assert!(after.body.contains("in 2 rounds"), "{}", after.body);
}

#[test]
fn a_persons_labels_and_assignees_stay() {
    let world = world!("labels");
    let labels = ["noentry", "noentry:exposed", "P1", "on call"];
    let issue = over(
        &world,
        |_| json!({ "labels": labels, "assignees": ["ada"] }),
    );
    assert_eq!(issue.labels, labels);
    assert_eq!(issue.assignees, ["ada"]);
    // A target that is gone is marked, and the mark taken away again, beside theirs.
    world.told(&round(5, vec![shut("Staging")]));
    let gone = world.incident();
    assert_eq!(gone.labels.len(), 5, "{gone:#?}");
    assert_eq!(play(&world, 6, open(NAME)).labels, labels);
}

#[test]
fn comments_of_people_stay_and_are_nothing_to_noentry() {
    let world = world!("comments");
    let issue = play(&world, 0, open(NAME));
    let path = world.path(&format!("/issues/{}/comments", issue.number));
    for n in 0..105 {
        world.person.done(
            "POST",
            &path,
            &json!({ "body": format!("I am looking, {n}") }),
        );
    }
    play(&world, 1, wide_open(NAME));
    let issue = world.incident();
    assert_eq!((issue.comments.len(), issue.trail().len()), (106, 1));
}

#[test]
fn what_a_person_closed_as_done_is_opened_while_it_is_reachable() {
    let world = world!("done");
    let issue = play(&world, 0, open(NAME));
    world.edit(
        issue.number,
        &json!({ "state": "closed", "state_reason": "completed" }),
    );
    let again = play(&world, 1, open(NAME));
    assert_eq!(
        (again.number, again.open, again.trail().len()),
        (issue.number, true, 1)
    );
    assert!(again.trail()[0].contains("person"), "{again:#?}");
    // Closed once more, and shut now: the person was right.
    world.edit(
        issue.number,
        &json!({ "state": "closed", "state_reason": "completed" }),
    );
    let done = play(&world, 2, shut(NAME));
    assert!(!done.open, "{done:#?}");
    let still = play(&world, 3, shut(NAME));
    assert!(!still.open && world.incidents().len() == 1);
}

#[test]
fn what_a_person_does_not_want_is_not_opened_again() {
    let world = world!("dismissed");
    let issue = play(&world, 0, open(NAME));
    world.edit(
        issue.number,
        &json!({ "state": "closed", "state_reason": "not_planned" }),
    );
    for hours in [1, 2, 30] {
        let run = world.told(&round(hours, vec![wide_open(NAME)]));
        assert_eq!(run.code, 1);
        assert!(run.out.contains("not planned"), "{}", run.out);
        let issue = world.incident();
        assert!(!issue.open && issue.comments.is_empty(), "{issue:#?}");
        assert_eq!(issue.reason.as_deref(), Some("not_planned"));
    }
    // Once it was shut, the next exposure is another story.
    play(&world, 31, shut(NAME));
    let new = play(&world, 32, open(NAME));
    assert_eq!(world.incidents().len(), 2);
    assert!(new.open && !world.incidents()[0].open);
    assert_eq!(world.incidents()[0].reason.as_deref(), Some("not_planned"));
}

#[test]
fn what_a_person_opens_again_is_open() {
    let world = world!("opened-again");
    let issue = play(&world, 0, open(NAME));
    play(&world, 1, shut(NAME));
    play(&world, 2, shut(NAME));
    world.edit(issue.number, &json!({ "state": "open" }));
    let still = play(&world, 3, shut(NAME));
    assert!(still.open, "{still:#?}");
    let closed = play(&world, 4, shut(NAME));
    assert!(!closed.open, "{closed:#?}");
    let said = "It was last seen reachable at 2026-01-05 08:00 UTC.";
    assert!(closed.body.contains(said), "{}", closed.body);
}

#[test]
fn what_a_person_writes_beyond_measure_is_said() {
    let world = world!("too-long");
    let issue = play(&world, 0, open(NAME));
    let long = format!(
        "{}\n{}",
        "x".repeat(65_536 - issue.body.len() - 1),
        issue.body
    );
    world.edit(issue.number, &json!({ "body": long }));
    let whole = world.incident().body;
    let run = world.play(&round(1, vec![wide_open(NAME)]));
    // There may be room, if evidence is left out; where there is none, that is said.
    let after = world.incident();
    assert!(after.body.starts_with(&whole[..60_000]), "{run:#?}");
    assert_eq!(run.code, 1);
    // A person's text that leaves no room for anything.
    let none = format!("{}\n{}", "y".repeat(64_000), issue.body);
    world.edit(issue.number, &json!({ "body": none }));
    let run = world.play(&round(2, vec![shut(NAME)]));
    assert_eq!(run.code, 4, "{run:#?}");
    assert!(run.err.contains("shorten"), "{}", run.err);
    assert_eq!(world.incident().body, none);
    world.edit(issue.number, &json!({ "body": issue.body }));
    play(&world, 3, shut(NAME));
    assert!(!play(&world, 4, shut(NAME)).open);
}
