//! Telling a workflow that there was no round: every report, the summary, the outputs, annotations.

use std::io;

use time::OffsetDateTime;

use super::super::output::{noted, print, save, show_problem, warn};
use super::super::refused::Refused;
use crate::actions::inputs::Mistake;
use crate::actions::{self, Env};
use crate::cli::OutputArgs;
use crate::config::{Problem, Problems};
use crate::domain::escape::{command_property, runner_lines, visible};
use crate::exit::Exit;
use crate::report::failed::{Failed, annotation};
use crate::report::outputs::Paths;

/// How many problems get an annotation of their own: the runner shows ten.
const SHOWN: usize = 9;

/// Why nothing was looked at.
pub(super) struct Nothing {
    /// For the reports, and for a terminal.
    text: String,
    /// For the run's page: workflow commands, one a line.
    annotations: String,
    /// Whether the text says more than the annotations do.
    longer: bool,
}

impl Nothing {
    /// The inputs are wrong.
    pub(super) fn of_inputs(mistakes: &[Mistake]) -> Self {
        let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
        Self {
            annotations: lines.iter().map(|l| annotation("", &visible(l))).collect(),
            text: lines.join("\n"),
            longer: false,
        }
    }

    /// Two reports in one file, or one in the place of the configuration.
    pub(super) fn of_places(clash: &str) -> Self {
        let inputs = [
            ("--json", "report"),
            ("--junit", "junit"),
            ("--summary", "summary"),
        ];
        let named = inputs
            .into_iter()
            .fold(clash.to_owned(), |text, (option, input)| {
                text.replacen(option, &format!("input `{input}`"), 1)
            });
        Self::line(&named)
    }

    /// The check refused to look. `typed` is what was typed beside the configuration.
    pub(super) fn of_check(refused: &Refused, typed: &str) -> Self {
        match refused {
            Refused::Said(why) => Self::line(why),
            Refused::Config(problems) => Self {
                text: problems.render(false),
                annotations: of_problems(problems, typed),
                longer: true,
            },
        }
    }

    /// The runner is too small, or in disorder; what it lacks is on standard error.
    pub(super) fn of_runner() -> Self {
        Self::line("this runner cannot run a check: the log of the step says why")
    }

    fn line(why: &str) -> Self {
        Self {
            text: why.to_owned(),
            annotations: annotation("", &visible(why)),
            longer: false,
        }
    }
}

fn of_problems(problems: &Problems, typed: &str) -> String {
    let list = problems.list();
    let mut out: String = list
        .iter()
        .take(SHOWN)
        .map(|p| of_problem(p, typed))
        .collect();
    let more = list.len().saturating_sub(SHOWN);
    if more > 0 {
        let text = format!(
            "… and {} more, see the log",
            crate::report::count(more, "problem")
        );
        out.push_str(&annotation("", &text));
    }
    out
}

fn of_problem(problem: &Problem, typed: &str) -> String {
    let place = match (&problem.file, problem.place) {
        (Some(file), Some(place)) => {
            let file = command_property(&visible(file));
            format!("file={file},line={},col={},", place.line, place.column)
        }
        (Some(file), None) => format!("file={},", command_property(&visible(file))),
        (None, _) => String::new(),
    };
    let typed = if problem.file.is_none() { typed } else { "" };
    let help = problem
        .help
        .iter()
        .map(|help| format!("\n{}", visible(help)));
    let help: String = help.collect();
    annotation(
        &place,
        &format!("{typed}{}{help}", visible(&problem.message)),
    )
}

/// Writes every report and says why there is no verdict.
pub(super) fn told(nothing: &Nothing, wanted: &OutputArgs, env: &Env) -> Exit {
    let failed = Failed::new(&nothing.text);
    if env.on_actions {
        print(&nothing.annotations);
    }
    if nothing.longer {
        show_problem(&runner_lines(&nothing.text));
    } else if !env.on_actions {
        warn(&nothing.text);
    }
    let json = save("the report", wanted.json.as_deref(), |file| {
        file.write_all(failed.json().as_bytes())
    });
    let junit = save("JUnit", wanted.junit.as_deref(), |file| {
        let text = failed.junit(OffsetDateTime::now_utc());
        file.write_all(text.map_err(io::Error::other)?.as_bytes())
    });
    let summary = save("the summary", wanted.summary.as_deref(), |file| {
        let text = failed.summary(crate::report::summary::LIMIT);
        file.write_all(text.as_bytes())
    });
    if let Some(path) = env.step_summary.as_deref() {
        let markdown = failed.summary(actions::summary_room(path));
        let written = actions::append_summary(path, &markdown);
        noted("the job summary", path, written);
    }
    let mut pairs = Failed::outputs(Paths {
        json: json.path(),
        junit: junit.path(),
        summary: summary.path(),
    });
    let exit = Exit::Usage;
    pairs.push(("exit-code".to_owned(), exit.code().to_string()));
    super::hand_on(env, &pairs);
    exit
}
