//! A year of rounds, with everything that happens to a trail, and the issues that are left at its end.
//! Read the snapshot as the person would who is woken up.

use std::fmt::Write as _;

use noentry::domain::finding::Finding;
use noentry::domain::report::RoundReport;
use noentry::domain::trail::Notify;
use serde_json::json;

use super::proxy::{Fault, Gate};
use super::rounds::{blind, notifying, open, round, shut, waived, wide_open};
use super::wire::Response;
use super::world::{Issue, Run, World, world};

const CONSOLE: &str = "Admin console";
const ORDERS: &str = "Orders database";
const STAGING: &str = "Staging";
/// Ten more targets, which are shut but for one day.
const SHOPS: usize = 10;

fn shop(n: usize) -> String {
    format!("Shop {n:02}")
}

/// A round at an hour of a day, in which these findings take the place of shut ones.
fn report(day: i64, hour: i64, seen: Vec<Finding>) -> RoundReport {
    without("", day, hour, seen)
}

/// The same where one target is gone from the configuration.
fn without(gone: &str, day: i64, hour: i64, seen: Vec<Finding>) -> RoundReport {
    let hours = day * 24 + hour;
    let shops = (1..=SHOPS).map(shop);
    let names = [CONSOLE, ORDERS, STAGING]
        .map(str::to_owned)
        .into_iter()
        .chain(shops);
    let names = names.filter(|name| name != gone);
    let mut seen = seen;
    let findings = names.map(|name| {
        let at = seen.iter().position(|finding| finding.target.name == name);
        let finding = at.map_or_else(|| shut(&name), |at| seen.swap_remove(at));
        if name == CONSOLE {
            notifying(finding, console())
        } else {
            finding
        }
    });
    round(hours, findings.collect())
}

/// A story: what is open or unseen, from which everything else is shut.
struct Year {
    world: World,
    told: usize,
}

impl Year {
    fn told(&mut self, day: i64, hour: i64, seen: Vec<Finding>) -> Run {
        self.told += 1;
        let report = report(day, hour, seen);
        self.world.told(&report)
    }

    /// The newest issue of noentry's.
    fn newest(&self) -> Issue {
        self.world.incidents().pop().unwrap()
    }

    fn says(&self, number: u64, text: &str) {
        let path = self.world.path(&format!("/issues/{number}/comments"));
        self.world
            .person
            .done("POST", &path, &json!({ "body": text }));
    }

    fn quiet(&mut self, days: std::ops::RangeInclusive<i64>) {
        for day in days {
            self.told(day, 0, vec![]);
        }
    }

    /// Everything shut, twice.
    fn calm(&mut self, day: i64, hour: i64) {
        self.told(day, hour, vec![]);
        self.told(day, hour + 6, vec![]);
    }
}

fn console() -> Notify {
    Notify {
        labels: vec!["P1".to_owned()],
        assignees: vec!["ada".to_owned()],
        mention: vec!["acme/on-call".to_owned()],
    }
}

/// January to March: a rule that was opened, a database, and a person who was too quick.
fn winter(year: &mut Year) {
    year.quiet(0..=2);
    // A rule is opened for three days; on the second another address shows up.
    year.told(10, 0, vec![open(CONSOLE)]);
    year.told(10, 6, vec![open(CONSOLE)]);
    year.told(11, 0, vec![wide_open(CONSOLE)]);
    year.told(12, 0, vec![wide_open(CONSOLE)]);
    let console = year.newest().number;
    year.says(
        console,
        "Found it: the office rule was copied to the wrong group. CHG-12 reverts it.",
    );
    year.calm(12, 6);
    // Within the week it is back for a day.
    year.told(16, 0, vec![open(CONSOLE)]);
    year.calm(16, 6);
    // The database is open, with a round in between in which nobody can tell.
    year.told(40, 0, vec![open(ORDERS)]);
    let orders = year.newest();
    let words = format!(
        "Ada: the migration needs this until Thursday.\r\n\r\n{}",
        orders.body
    );
    let edit = json!({ "title": "Orders database open during the migration", "body": words });
    year.world.edit(orders.number, &edit);
    year.told(40, 6, vec![blind(ORDERS)]);
    year.told(40, 12, vec![open(ORDERS)]);
    // Closed as done too early, and opened again by noentry.
    year.world.edit(
        orders.number,
        &json!({ "state": "closed", "state_reason": "completed" }),
    );
    year.told(40, 18, vec![open(ORDERS)]);
    year.calm(41, 0);
    // Long after: another incident.
    year.told(75, 0, vec![open(ORDERS)]);
    year.calm(75, 6);
}

/// April to June: noentry is blind, Staging flaps, everything opens at once.
fn spring(year: &mut Year) {
    let unseen = || vec![blind(CONSOLE), blind(STAGING)];
    for hour in [0, 6, 12, 18] {
        year.told(100, hour, unseen());
    }
    year.calm(101, 0);
    for n in 0..5 {
        year.told(120, n * 4, vec![open(STAGING)]);
        year.told(120, n * 4 + 1, vec![]);
        year.told(120, n * 4 + 2, vec![]);
    }
    year.quiet(122..=122);
    let all = || {
        let shops = (1..=SHOPS).map(|n| open(&shop(n)));
        shops
            .chain([open(ORDERS), open(STAGING)])
            .collect::<Vec<_>>()
    };
    year.told(150, 0, all());
    year.told(150, 6, all());
    year.told(150, 12, vec![open(ORDERS)]);
    year.told(150, 18, vec![open(ORDERS)]);
    year.calm(151, 0);
}

/// July to September: a waiver, a person who does not want to know, and two runs at once.
fn summer(year: &mut Year) {
    let until = "2026-07-10";
    for day in [182, 184, 186] {
        let hours = day * 24;
        year.told(day, 0, vec![waived(open(STAGING), hours, until)]);
    }
    year.told(187, 0, vec![waived(open(STAGING), 187 * 24, until)]);
    let staging = year.newest().number;
    year.says(staging, "This is a demo machine. Nobody minds.");
    let end = json!({ "state": "closed", "state_reason": "not_planned" });
    year.world.edit(staging, &end);
    year.told(188, 0, vec![open(STAGING)]);
    year.told(189, 0, vec![open(STAGING)]);
    year.calm(200, 0);
    year.told(230, 0, vec![open(STAGING)]);
    year.calm(230, 6);
    // A run by hand beside the scheduled one: both see the console open and both open an issue.
    let gate = Gate::new(2);
    year.world
        .proxy
        .plan("POST", "/issues$", 0, 2, Fault::Meet(gate));
    let report = report(250, 0, vec![open(CONSOLE)]);
    let folders = [(); 2].map(|()| tempfile::TempDir::new().unwrap());
    std::thread::scope(|scope| {
        for folder in &folders {
            let (world, report) = (&year.world, &report);
            scope.spawn(move || world.run(folder.path(), report));
        }
    });
    year.world.proxy.heal();
    year.told(250, 6, vec![open(CONSOLE)]);
    year.calm(250, 12);
}

/// October to December: GitHub's own trouble, a target that is gone, a forgery, and an open door at
/// the end.
fn autumn(year: &mut Year) {
    // The issue is opened, and what comes back is another answer.
    let ended = Response::json(401, &json!({ "message": "Bad credentials" }));
    let proxy = &year.world.proxy;
    proxy.always("POST", "/issues$", Fault::Instead(ended));
    let report = report(280, 0, vec![open(ORDERS)]);
    let failed = year.world.play(&report);
    assert!(failed.code == 1 && !failed.err.is_empty(), "{failed:#?}");
    year.world.proxy.heal();
    year.told(280, 6, vec![open(ORDERS)]);
    let gone = without(ORDERS, 281, 0, vec![]);
    year.world.told(&gone);
    let orders = year.newest();
    year.says(orders.number, "The database is switched off.");
    year.world.edit(
        orders.number,
        &json!({ "state": "closed", "state_reason": "completed" }),
    );
    let copy = json!({ "title": orders.title, "body": orders.body, "labels": orders.labels });
    year.world
        .person
        .done("POST", &year.world.path("/issues"), &copy);
    for (day, hour) in [(282, 0), (282, 6), (300, 0)] {
        let gone = without(ORDERS, day, hour, vec![]);
        year.world.told(&gone);
    }
    let last = without(ORDERS, 364, 0, vec![open(CONSOLE)]);
    year.world.told(&last);
}

/// The issues as GitHub shows them: no hidden lines.
fn page(issues: &[Issue]) -> String {
    let mut page = String::new();
    for issue in issues {
        let state = match (issue.open, issue.reason.as_deref()) {
            (true, None) => "open".to_owned(),
            (true, Some(reason)) => format!("open ({reason})"),
            (false, reason) => format!("closed ({})", reason.unwrap_or("-")),
        };
        let assigned = match issue.assignees.as_slice() {
            [] => String::new(),
            some => format!(", assigned to {}", some.join(", ")),
        };
        let labels = issue.labels.join("`, `");
        writeln!(page, "==== #{} {}", issue.number, issue.title).unwrap();
        writeln!(page, "{state}, by {}, `{labels}`{assigned}\n", issue.by).unwrap();
        write!(page, "{}", shown(&issue.body)).unwrap();
        for comment in &issue.comments {
            writeln!(
                page,
                "\n---- {}\n{}",
                comment.by,
                shown(&comment.text).trim_end()
            )
            .unwrap();
        }
        page.push('\n');
    }
    page
}

fn shown(text: &str) -> String {
    let text = text.replace('\r', "");
    let lines = text.lines().filter(|line| !line.starts_with("<!--"));
    let lines: Vec<&str> = lines.collect();
    lines.join("\n") + "\n"
}

#[test]
fn a_year_leaves_the_trail_that_a_person_would_have_written() {
    let world = world!("estate");
    let mut year = Year { world, told: 0 };
    winter(&mut year);
    spring(&mut year);
    summer(&mut year);
    autumn(&mut year);
    assert!(year.told > 60, "{}", year.told);
    let issues = year.world.issues();
    let open: Vec<&str> = issues
        .iter()
        .filter(|i| i.open)
        .map(|i| i.title.as_str())
        .collect();
    // The copy that somebody else made is theirs to close.
    assert_eq!(
        open,
        [
            "Reachable from outside: Orders database",
            "Reachable from outside: Admin console"
        ]
    );
    insta::assert_snapshot!("year", page(&issues));
}
