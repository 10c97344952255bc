//! What became of the incident trail, for the job summary, for annotations and for a step's outputs.
//!
//! The trail is brought in line after the reports are written, so this comes after them; a saved report
//! has both.

use std::fmt::Write as _;

use super::phrase::count;
use crate::domain::escape::{
    clip, command_data, command_property, markdown_code, markdown_name, markdown_prose, visible,
};
use crate::domain::finding::Finding;
use crate::domain::link::is_link;
use crate::domain::rank::Rank;
use crate::domain::report::RoundReport;
use crate::domain::trail::{TrailDeed, TrailProblem, TrailReport};

/// How many lines of each kind are shown.
const LINES: usize = 50;
/// How many targets are named with one problem.
const NAMES: usize = 10;
/// How many annotations: a step shows ten of a type.
const ANNOTATIONS: usize = 9;
/// How many characters of a problem are shown.
const WORDS: usize = 1_000;

/// A section in Markdown; empty where there is nothing to tell.
#[must_use]
pub fn markdown(trail: &TrailReport) -> String {
    let done = trail.done.iter().filter(|d| d.deed != "updated").map(deed);
    // What is about many targets is told once.
    let same = |a: &TrailProblem, b: &TrailProblem| (&a.place, &a.what) == (&b.place, &b.what);
    let problems = trail.problems.chunk_by(same).filter_map(problem);
    let held = trail.held.iter().map(|held| {
        format!(
            "{} is exposed and opens nothing: a person closed {} as not planned",
            markdown_name(&held.target),
            place(&held.place)
        )
    });
    let unconfirmed = trail.unconfirmed.iter().map(|name| {
        format!(
            "{} opens nothing: its exposure was not seen again within the round",
            markdown_name(name)
        )
    });
    let mut out = String::new();
    let kinds: [Vec<String>; 4] = [
        problems.collect(),
        done.collect(),
        held.collect(),
        unconfirmed.collect(),
    ];
    for lines in kinds {
        for line in lines.iter().take(LINES) {
            // Writing to a String cannot go wrong.
            let _ = writeln!(out, "- {line}");
        }
        let more = lines.len().saturating_sub(LINES);
        if more > 0 {
            let _ = writeln!(out, "- and {more} more");
        }
    }
    if out.is_empty() {
        return out;
    }
    format!("\n### Incident trail\n\n{out}")
}

/// What could not be done, and with which targets.
fn problem(alike: &[TrailProblem]) -> Option<String> {
    let first = alike.first()?;
    let about: Vec<&str> = alike.iter().filter_map(|p| p.target.as_deref()).collect();
    let mut names: Vec<String> = about.iter().take(NAMES).map(|n| markdown_name(n)).collect();
    let more = about.len().saturating_sub(names.len());
    if more > 0 {
        names.push(format!("{more} more"));
    }
    let whom = match names.as_slice() {
        [] => String::new(),
        names => format!(" ({})", names.join(", ")),
    };
    Some(format!(
        "**Not done:** {}{whom}: {}",
        markdown_code(&first.place),
        markdown_prose(&clip(&first.what, WORDS))
    ))
}

fn deed(deed: &TrailDeed) -> String {
    let word = markdown_prose(&deed.deed);
    let title = markdown_prose(&clip(&deed.title, WORDS));
    if is_link(&deed.place) {
        format!("{word}: [{title}]({})", deed.place)
    } else {
        format!("{word}: {title} ({})", markdown_code(&deed.place))
    }
}

/// A link where it is one, else a file's name or an issue's.
fn place(text: &str) -> String {
    if is_link(text) {
        format!("[{}]({text})", markdown_prose(text))
    } else {
        markdown_code(text)
    }
}

/// Workflow commands for what could not be done, one a line. They are warnings: errors of the same
/// step are taken by what is exposed, and a step shows ten of each.
#[must_use]
pub fn annotations(report: &RoundReport) -> String {
    let Some(trail) = &report.trail else {
        return String::new();
    };
    let exposed = |problem: &TrailProblem| {
        let name = problem.target.as_deref()?;
        let mut findings = report.findings.iter();
        findings.find(|f| f.target.name == name && f.rank() == Rank::Exposed)
    };
    let mut problems: Vec<(Option<&Finding>, &TrailProblem)> =
        trail.problems.iter().map(|p| (exposed(p), p)).collect();
    // What has an exposure behind it comes first.
    problems.sort_by_key(|(finding, _)| finding.is_none());
    let mut out: String = problems
        .iter()
        .take(ANNOTATIONS)
        .map(|(finding, problem)| annotation(report, *finding, problem))
        .collect();
    let more = problems.len().saturating_sub(ANNOTATIONS);
    if more > 0 {
        let message = format!("{} more with the incident trail", count(more, "problem"));
        let _ = writeln!(out, "::warning title=noentry::{message}");
    }
    out
}

fn annotation(report: &RoundReport, finding: Option<&Finding>, problem: &TrailProblem) -> String {
    let what = format!(
        "{}: {}",
        visible(&problem.place),
        clip(&visible(&problem.what), WORDS)
    );
    let (position, title) = match finding {
        Some(finding) => {
            let position = &finding.target.position;
            (
                format!(
                    "file={},line={},col={}",
                    command_property(&visible(&position.file)),
                    position.line,
                    position.column
                ),
                format!(
                    "exposed, not in the trail: {}",
                    visible(&finding.target.name)
                ),
            )
        }
        None => (
            format!("file={}", command_property(&visible(&report.config))),
            "incident trail".to_owned(),
        ),
    };
    format!(
        "::warning {position},title={}::{}\n",
        command_property(&title),
        command_data(&what)
    )
}

/// The step's output `incidents`: a JSON array of what was done.
#[must_use]
pub fn output(trail: &TrailReport) -> (String, String) {
    let done = trail
        .done
        .iter()
        .filter(|d| d.deed != "updated")
        .take(1_000);
    let list: Vec<serde_json::Value> = done
        .map(|d| serde_json::json!({ "deed": d.deed, "title": d.title, "place": d.place }))
        .collect();
    (
        "incidents".to_owned(),
        serde_json::Value::from(list).to_string(),
    )
}

#[cfg(test)]
mod tests {
    use crate::domain::trail::TrailHeld;

    use super::*;

    fn trail() -> TrailReport {
        let deed = |deed: &str, place: &str| TrailDeed {
            deed: deed.to_owned(),
            title: "Reachable from outside: [x](y) @kim".to_owned(),
            place: place.to_owned(),
        };
        TrailReport {
            store: "github:org/trail".to_owned(),
            done: vec![
                deed("opened", "https://github.com/org/trail/issues/1"),
                deed("updated", "https://github.com/org/trail/issues/2"),
                deed("closed", "org/trail#3](x"),
            ],
            problems: vec![TrailProblem {
                place: "org/trail".to_owned(),
                what: "cannot\n::error::x".to_owned(),
                target: Some("Nobody".to_owned()),
            }],
            held: vec![TrailHeld {
                target: "Old <b>".to_owned(),
                place: "org/trail#4".to_owned(),
            }],
            unconfirmed: vec!["Shaky".to_owned()],
        }
    }

    #[test]
    fn a_section_is_told_and_nothing_in_it_is_markup() {
        let text = markdown(&trail());
        assert_eq!(markdown(&TrailReport::default()), "");
        assert!(text.starts_with("\n### Incident trail\n"), "{text}");
        assert_eq!(text.matches("\n- ").count(), 5, "{text}");
        assert!(
            text.contains("(https://github.com/org/trail/issues/1)"),
            "{text}"
        );
        assert!(text.contains("(`org/trail#3](x`)"), "{text}");
        assert!(text.contains("cannot&#92;n::error::x\n"), "{text}");
        for not in ["](y)", "@kim", "issues/2"] {
            assert!(!text.contains(not), "{not}: {text}");
        }
    }

    #[test]
    fn what_is_about_many_targets_is_told_once() {
        let problem = |n: usize| TrailProblem {
            place: "org/trail".to_owned(),
            what: "cannot list".to_owned(),
            target: Some(format!("Shop {n}")),
        };
        let text = markdown(&TrailReport {
            problems: (1..=12).map(problem).collect(),
            ..TrailReport::default()
        });
        assert_eq!(text.matches("Not done").count(), 1, "{text}");
        assert!(text.contains("(`Shop 1`, "), "{text}");
        assert!(text.contains("`Shop 10`, 2 more): cannot list\n"), "{text}");
    }

    #[test]
    fn an_output_says_what_was_done() {
        let (name, value) = output(&trail());
        assert_eq!(name, "incidents");
        let list: Vec<serde_json::Value> = serde_json::from_str(&value).unwrap();
        assert_eq!(list.len(), 2);
        assert_eq!(list[0]["place"], "https://github.com/org/trail/issues/1");
        let documented = include_str!("../../docs/action.md");
        let row = documented
            .lines()
            .find(|line| line.starts_with("| `incidents` | what"));
        for key in list[0].as_object().unwrap().keys() {
            assert!(row.unwrap().contains(&format!("`{key}`")), "{key}: {row:?}");
        }
    }
}
