//! What a stranger, a server or bad luck may try, and what an incident must not come to by it.

use serde_json::json;

use super::proxy::{Fault, Gate};
use super::rounds::{open, round, shut, wide_open};
use super::wire::Response;
use super::world::{Seen, World, world};

const NAME: &str = "Admin console";
const LIST: &str = r"/issues\?labels=";

/// The list of issues as it is now, to be answered later.
fn list(world: &World) -> Fault {
    let path = world.path("/issues?labels=noentry&state=all&per_page=100");
    Fault::Answer(Response::json(200, &world.bot.get(&path)))
}

#[test]
fn a_list_that_lags_behind_closes_nothing() {
    let world = world!("lag");
    world.told(&round(0, vec![open(NAME)]));
    world.told(&round(1, vec![shut(NAME)]));
    let old = list(&world);
    world.told(&round(2, vec![wide_open(NAME)]));
    // One blocked round before the exposure and one after it are not two in a row.
    world.proxy.always("GET", LIST, old);
    world.told(&round(3, vec![shut(NAME)]));
    world.proxy.heal();
    let issue = world.incident();
    assert!(issue.open, "{issue:#?}");
    assert!(issue.body.contains("in 1 round so far"), "{}", issue.body);
    world.told(&round(4, vec![shut(NAME)]));
    assert!(!world.incident().open);
}

#[test]
fn a_list_without_the_newest_issue_makes_no_second_story() {
    let world = world!("lag-new");
    let empty = list(&world);
    world.told(&round(0, vec![open(NAME)]));
    let rule = r"/issues\?";
    world.proxy.plan("GET", rule, 0, usize::MAX, empty);
    world.told(&round(1, vec![open(NAME)]));
    world.proxy.heal();
    world.told(&round(2, vec![open(NAME)]));
    let incidents = world.incidents();
    let open: Vec<u64> = incidents
        .iter()
        .filter(|i| i.open)
        .map(|i| i.number)
        .collect();
    assert_eq!(open, [incidents[0].number], "{incidents:#?}");
}

#[test]
fn a_limit_without_end_is_an_error_and_no_panic() {
    let world = world!("eternity");
    for header in ["retry-after", "x-ratelimit-reset"] {
        for eternity in ["999999999", "18446744073709551615"] {
            let mut answer = Response::json(429, &json!({ "message": "slow down" }));
            let headers = [(header, eternity), ("x-ratelimit-remaining", "0")];
            answer
                .headers
                .extend(headers.map(|(name, value)| (name.to_owned(), value.to_owned())));
            world.proxy.always("GET", LIST, Fault::Answer(answer));
            let run = world.play(&round(0, vec![open(NAME)]));
            world.proxy.heal();
            assert_eq!(run.code, 1, "{run:#?}");
            assert!(run.err.contains("rate limit is reached"), "{run:#?}");
        }
    }
}

#[test]
fn words_that_a_person_saves_during_trouble_are_not_written_over() {
    let world = world!("trouble");
    world.told(&round(0, vec![open(NAME)]));
    let issue = world.incident();
    let gate = Gate::new(2);
    let path = format!("/issues/{}$", issue.number);
    world.proxy.once("PATCH", &path, Fault::bad_gateway());
    // After the write failed, noentry looks whether it was done.
    world
        .proxy
        .plan("GET", &path, 1, 1, Fault::Meet(gate.clone()));
    std::thread::scope(|scope| {
        let round = scope.spawn(|| world.play(&round(1, vec![open(NAME)])));
        while gate.came() == 0 && !round.is_finished() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let words = json!({ "body": format!("Ada is on it.\n{}", issue.body) });
        world.edit(issue.number, &words);
        gate.pass();
    });
    assert!(world.incident().body.starts_with("Ada is on it.\n"));
    world.told(&round(2, vec![open(NAME)]));
    let body = world.incident().body;
    assert!(body.starts_with("Ada is on it.\n"), "{body}");
    assert!(body.contains("in 2 rounds"), "{body}");
}

#[test]
fn a_label_of_the_memory_does_not_hide_an_incident() {
    let world = world!("mislabelled");
    world.told(&round(0, vec![open(NAME)]));
    let issue = world.incident();
    let labels = ["noentry", "noentry:exposed", "noentry:memory"];
    world.edit(issue.number, &json!({ "labels": labels }));
    world.told(&round(1, vec![wide_open(NAME)]));
    let issues = world.issues();
    assert_eq!(issues.len(), 1, "{issues:#?}");
    assert!(issues[0].body.contains("in 2 rounds"), "{issues:#?}");
}

#[test]
fn a_wrong_author_does_not_open_an_issue_each_round() {
    let world = world!("author", Seen::ByAll);
    for hours in 0..3 {
        let mut report = round(hours, vec![open(NAME)]);
        // A login that anybody could take.
        report.incidents.author = Some("trail".to_owned());
        let run = world.play(&report);
        assert_eq!(run.code, 1, "{run:#?}");
        assert!(run.err.contains("incidents: author"), "{run:#?}");
    }
    assert!(world.incidents().len() <= 1, "{:#?}", world.incidents());
}

#[test]
fn strangers_who_use_up_all_comments_silence_nothing() {
    let world = world!("flooded", Seen::ByAll);
    world.told(&round(0, vec![open(NAME)]));
    world.told(&round(1, vec![shut(NAME)]));
    let said = "Commenting is disabled on issues with more than 2500 comments";
    let full = Fault::status(403, said);
    world.proxy.always("POST", "/comments$", full);
    let full = |hours, finding, code| {
        let run = world.play(&round(hours, vec![finding]));
        assert_eq!(run.code, code, "{run:#?}");
        assert!(run.err.contains("too many comments"), "{run:#?}");
        world.incident()
    };
    let closed = full(2, shut(NAME), 4);
    assert!(
        !closed.open && closed.body.contains("** shut since "),
        "{closed:#?}"
    );
    let again = full(3, open(NAME), 1);
    assert!(
        again.open && again.body.contains("** open again: "),
        "{again:#?}"
    );
    assert_eq!(again.comments, []);
}
