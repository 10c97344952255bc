//! A year of rounds, six hours apart, and the trail that is left at its end. Read the snapshot as the
//! person would who is woken up.

use std::fmt::Write as _;
use std::fs;

use noentry::domain::verdict::Verdict;
use noentry::incident::{Round, Subject};
use tempfile::TempDir;

use super::support::{exposed, open, part, play, round, subject};

const NAMES: [&str; 3] = ["Admin console", "Orders database", "Staging"];

/// What the script says of a target in a round: day of the year, and hour of the day.
fn script(name: &str, day: i64, hour: i64) -> Option<Subject> {
    let blocked = || Some(subject(name, Verdict::Blocked));
    let unsure = || Some(subject(name, Verdict::Inconclusive));
    match (name, day) {
        // A rule that was opened for three days; on the second a second address showed up.
        ("Admin console", 10..=12) => {
            let mut subject = exposed(name);
            if day > 10 {
                subject
                    .parts
                    .push(part("TCP 192.0.2.2:443", "served status 200"));
            }
            Some(subject)
        }
        // The console is back for a day within the week, and again in autumn; the database is open
        // with a day in between on which nobody can tell; Staging opens, and is then taken out of the
        // configuration.
        ("Admin console", 16 | 250) | ("Orders database", 200 | 202) | ("Staging", 330) => {
            Some(exposed(name))
        }
        ("Staging", 331..) => None,
        // Shut in one round and open in the next is open all day.
        ("Staging", 300) if hour % 12 == 0 => Some(exposed(name)),
        // On day 100 the runner's network was gone.
        (_, 100) | ("Orders database", 201) => unsure(),
        _ => blocked(),
    }
}

fn rounds() -> impl Iterator<Item = Round> {
    (0..365 * 4).map(|n| {
        let (day, hour) = (n / 4, n % 4 * 6);
        let subjects = NAMES.iter().filter_map(|name| script(name, day, hour));
        round(n * 6, subjects.collect())
    })
}

#[test]
fn the_trail_is_the_one_that_a_person_would_have_written() {
    let folder = TempDir::new().unwrap();
    for round in rounds() {
        let told = play(folder.path(), &round);
        assert_eq!(told.problems, []);
    }
    assert_eq!(open(folder.path()).name, "Staging");
    let mut files: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    files.sort();
    let mut trail = String::new();
    for file in files {
        writeln!(
            trail,
            "==== {}",
            file.file_name().unwrap().to_str().unwrap()
        )
        .unwrap();
        let text = fs::read_to_string(&file).unwrap();
        // The state is for noentry, not for people.
        for line in text.lines().filter(|l| !l.starts_with("<!-- noentry:v1 ")) {
            writeln!(trail, "{line}").unwrap();
        }
    }
    insta::assert_snapshot!("year", trail);
}
