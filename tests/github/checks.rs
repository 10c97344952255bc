//! `noentry check --incidents github`: a real round, and what its reports say of the trail.

use std::fs;
use std::path::Path;

use noentry::domain::report::RoundReport;
use serde_json::json;

use super::program::{Door, door, noentry};
use super::proxy::{Call, Fault};
use super::world::{World, world};

/// A control, and a target whose door is open as long as it is kept.
struct Estate {
    _control: Door,
    door: Option<Door>,
    port: u16,
}

impl Estate {
    fn new(world: &World, more: &str) -> Self {
        let ((held, control), (open, port)) = (door(), door());
        let text = format!(
            "version: 1\nvantage: {{ unfiltered: true }}\ndefaults: {{ timeout: 900ms, attempts: 2, interval: 50ms, \
             probe_non_global: true }}\ncontrols: [{{ tcp: '127.0.0.1:{control}' }}]\ntargets:\n  \
             - {{ name: Admin console, tcp: '127.0.0.1:{port}' }}\n{more}"
        );
        fs::write(world.folder.path().join("noentry.yml"), text).unwrap();
        Self {
            _control: held,
            door: Some(open),
            port,
        }
    }
}

/// Looks, and gives the exit code, both outputs and the saved report.
fn check(world: &World) -> (i32, String, RoundReport) {
    let folder = world.folder.path();
    let mut command = noentry(folder);
    world.surround(&mut command);
    let words = ["check", "--incidents", "github", "--json", "report.json"];
    let output = command.args(words).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8(said).unwrap();
    assert_eq!(world.proxy.refused(), Vec::<String>::new(), "{said}");
    (output.status.code().unwrap(), said, saved(folder))
}

fn saved(folder: &Path) -> RoundReport {
    serde_json::from_str(&fs::read_to_string(folder.join("report.json")).unwrap()).unwrap()
}

#[test]
fn a_round_tells_its_trail_and_its_report_has_it() {
    let world = world!("check");
    let mut estate = Estate::new(&world, "");
    let (code, said, report) = check(&world);
    assert_eq!(code, 1, "{said}");
    let trail = report.trail.unwrap();
    assert_eq!(
        (trail.done.len(), trail.done[0].deed.as_str()),
        (1, "opened")
    );
    assert_eq!(
        trail.done[0].place,
        format!("https://github.example/{}/issues/1", world.repo)
    );
    assert!(said.contains("incident opened: "), "{said}");
    let issue = world.incident();
    assert!(
        issue.body.contains(&format!("127.0.0.1:{}", estate.port)),
        "{}",
        issue.body
    );
    drop(estate.door.take());
    assert_eq!(check(&world).0, 0);
    let (code, said, report) = check(&world);
    assert_eq!(
        (code, report.trail.unwrap().done[0].deed.as_str()),
        (0, "closed"),
        "{said}"
    );
    assert!(!world.incident().open);
}

#[test]
fn what_failed_is_in_the_report_and_the_summary() {
    let mut world = world!("check-fails");
    let mut estate = Estate::new(&world, "");
    let summary = world.folder.path().join("summary.md");
    world.env = vec![
        ("GITHUB_ACTIONS".to_owned(), "true".to_owned()),
        (
            "GITHUB_STEP_SUMMARY".to_owned(),
            summary.to_str().unwrap().to_owned(),
        ),
    ];
    let said = "Resource not accessible by integration";
    world.proxy.always("POST", "", Fault::status(403, said));
    let (code, said, report) = check(&world);
    assert_eq!(code, 1, "{said}");
    let problems = report.trail.unwrap().problems;
    assert!(
        problems
            .iter()
            .any(|p| p.target.as_deref() == Some("Admin console")
                && p.what.contains("issues: write")),
        "{problems:#?}"
    );
    assert!(
        fs::read_to_string(&summary)
            .unwrap()
            .contains("issues: write")
    );
    // The round after it makes up for it.
    world.proxy.heal();
    assert_eq!(check(&world).0, 1);
    assert!(world.incident().open);
    // What cannot be closed is an error where nothing is exposed.
    drop(estate.door.take());
    world.proxy.always("PATCH", "", Fault::status(403, "no"));
    let (code, said, _) = check(&world);
    assert_eq!(code, 4, "{said}");
}

#[test]
fn a_trail_in_another_repository_comes_from_the_configuration() {
    let world = world!("check-away");
    world.found("check-trail", super::world::Seen::ByFew);
    let more = "incidents: { repository: acme/check-trail, title: 'Open: {target}' }\n";
    let _estate = Estate::new(&world, more);
    assert_eq!(check(&world).0, 1);
    assert_eq!(world.issues(), []);
    assert_eq!(
        world.issues_of("acme/check-trail")[0].title,
        "Open: Admin console"
    );
}

#[test]
fn an_update_is_one_write_of_the_text_alone() {
    let world = world!("check-thrift");
    let _estate = Estate::new(&world, "");
    check(&world);
    world.proxy.calls();
    check(&world);
    let calls = world.proxy.calls();
    let wrote: Vec<&Call> = calls.iter().filter(|call| call.writes()).collect();
    assert_eq!(wrote.len(), 1, "{wrote:#?}");
    assert_eq!(wrote[0].method, "PATCH");
    let fields: Vec<&String> = wrote[0].body.as_object().unwrap().keys().collect();
    assert_eq!(fields, ["body"]);
    // Fifty such incidents a round must fit into GitHub's limits.
    assert!(calls.len() <= 6, "{calls:#?}");
}

#[test]
fn a_locked_issue_is_updated_and_not_commented_on() {
    let world = world!("check-locked");
    let mut estate = Estate::new(&world, "");
    check(&world);
    let path = world.path(&format!("/issues/{}/lock", world.incident().number));
    world
        .owner
        .ask("PUT", &path, &json!({ "lock_reason": "resolved" }));
    drop(estate.door.take());
    for _ in 0..2 {
        let (code, said, _) = check(&world);
        assert_eq!(code, 0, "{said}");
    }
    let issue = world.incident();
    assert!(!issue.open && issue.comments.is_empty(), "{issue:#?}");
    assert!(issue.body.contains("shut since"), "{}", issue.body);
}
