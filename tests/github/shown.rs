//! An issue as a person sees it: read by a Markdown renderer that others made.

use noentry::domain::trail::Notify;
use serde_json::Value;

use super::node::here;
use super::rounds::{blind, notifying, open, round, shut};
use super::tools::{have_package, python, run};
use super::world::{World, world};

const NAME: &str = "Admin console";
const RUN: &str = "https://github.example/acme/estate/actions/runs/1000";
const LINE: &str = "https://github.example/acme/estate/blob/0a1b2c3/noentry.yml#L11";

/// What is shown of a text.
fn shown(text: &str) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("issue.md");
    std::fs::write(&file, text).unwrap();
    let script = here("tests/readers/issue_shown.py");
    let read: Value = serde_json::from_str(&run(&python(), &[&script, &file])).unwrap();
    // What is hidden in a text stays so, whatever stands around it.
    let words = read["words"].as_str().unwrap();
    for hidden in ["noentry:", "<!--", "-->", "fingerprint"] {
        assert!(!words.contains(hidden), "{hidden}: {words}");
    }
    read
}

/// The elements of our own layout, and no others.
fn elements(read: &Value) -> String {
    let list = read["elements"].as_array().unwrap().iter();
    let list: Vec<&str> = list.filter_map(Value::as_str).collect();
    list.join(" ")
}

/// Every row of every table has as many cells as its first one.
fn tables(read: &Value) -> Vec<usize> {
    let tables = read["tables"].as_array().unwrap().iter();
    let width = |table: &Value| {
        let rows: Vec<usize> = table.as_array().unwrap().iter().map(cells).collect();
        assert!(rows.iter().all(|cells| *cells == rows[0]), "{table}");
        rows[0]
    };
    tables.map(width).collect()
}

fn cells(row: &Value) -> usize {
    row.as_array().unwrap().len()
}

fn only(world: &World) -> Value {
    shown(&world.incident().body)
}

#[test]
fn an_issue_reads_as_it_is_meant() {
    let world = world!("shown");
    if !have_package("markdown_it") {
        return;
    }
    let console = || {
        let notify = Notify {
            mention: vec!["acme/on-call".to_owned()],
            ..Notify::default()
        };
        notifying(open(NAME), notify)
    };
    world.told(&round(0, vec![console()]));
    let read = only(&world);
    assert_eq!(
        elements(&read),
        "a code h2 li p pre strong table tbody td th thead tr ul"
    );
    assert_eq!(tables(&read), [2, 2]);
    // The run where it was looked at last and where it was opened, the line that declares it.
    assert_eq!(read["links"], serde_json::json!([RUN, LINE, RUN]));
    let words = read["words"].as_str().unwrap().trim();
    assert!(
        words.starts_with("Admin console has been reachable from outside since 2026-01-05"),
        "{words}"
    );
    assert!(words.contains("\ncc @acme/on-call\n"), "{words}");
    // A person's words before and after it take nothing from it.
    let issue = world.incident();
    let body = format!("Ada: *mine*\n{}\nmore of mine", issue.body);
    world.edit(issue.number, &serde_json::json!({ "body": body }));
    for hours in [1, 2] {
        world.told(&round(hours, vec![shut(NAME)]));
    }
    let read = only(&world);
    assert_eq!(tables(&read), [2, 2]);
    let words = read["words"].as_str().unwrap().trim();
    assert!(words.starts_with("Ada: mine\n"), "{words}");
    assert!(
        words.contains("\nAdmin console has been shut since 2026-01-05 09:00 UTC: "),
        "{words}"
    );
    assert!(words.ends_with("more of mine"), "{words}");
    for comment in world.incident().trail() {
        let read = shown(comment);
        assert_eq!(elements(&read), "a code p", "{comment}");
    }
}

#[test]
fn what_is_about_many_is_a_table_whatever_they_are_called() {
    let world = world!("shown-many");
    if !have_package("markdown_it") {
        return;
    }
    let name = |n: usize| match n {
        0 => "a | b <!-- c --> `d` @kim #1".to_owned(),
        n => format!("Shop {n:02}"),
    };
    world.told(&round(0, (0..12).map(|n| open(&name(n))).collect()));
    let read = only(&world);
    assert_eq!(tables(&read), [2, 4]);
    assert_eq!(read["tables"][1].as_array().unwrap().len(), 13);
    assert_eq!(read["tables"][1][1][1], "open");
    // Blindness is one as well, with the same names.
    let world = world!("shown-blind");
    for hours in 0..3 {
        world.told(&round(hours, (0..12).map(|n| blind(&name(n))).collect()));
    }
    let read = only(&world);
    assert_eq!(tables(&read), [2, 4]);
    assert_eq!(read["tables"][0][0][0], "first blind");
    assert_eq!(read["tables"][1][1][1], "cannot be judged");
}
