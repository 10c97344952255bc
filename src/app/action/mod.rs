//! `noentry action`: the check of the GitHub Action, or the merge of several.
//!
//! `action.yml` only brings the program to the runner. The inputs are read here, the check is that of
//! `noentry check`, and the reports and outputs are there in every case: where there is no round they
//! say that nothing is known.

mod failed;
mod words;

use std::cell::RefCell;
use std::path::{Path, PathBuf};

use self::failed::Nothing;
use super::check::{self, Surroundings};
use super::merge;
use super::output::{self, noted, print};
use super::refused::Refused;
use crate::actions::inputs::{self, Given, Inputs, Mistake, Reports};
use crate::actions::{self, Env};
use crate::cli::{CheckArgs, OutputArgs};
use crate::config;
use crate::domain::report::RoundReport;
use crate::exit::Exit;
use crate::report::failed::annotation;

/// Runs the command. The exit code is that of `check`, but 0 for an inconclusive round where the
/// workflow said that only an exposure fails it.
pub(super) fn run() -> Exit {
    let env = Env::from(|key| std::env::var(key).ok());
    let given = inputs::read(|key| std::env::var(key).ok());
    let config = find(&given);
    let mut outputs = written_to(&given.reports);
    if let Some(clash) = over_what_is_read(&given, config.as_deref().ok(), &outputs) {
        // Not even the news of it may be written over what is read.
        outputs = written_to(&Reports::usual(&given.folder));
        if over_what_is_read(&given, config.as_deref().ok(), &outputs).is_some() {
            outputs = OutputArgs::default();
        }
        return failed::told(&Nothing::of_places(&clash), &outputs, &env);
    }
    let Given {
        folder,
        reports,
        asked,
        ..
    } = given;
    if let Ok(inputs) = &asked
        && !inputs.merge.is_empty()
    {
        return merge(inputs, &reports, &outputs, &env);
    }
    let asked =
        asked.and_then(|inputs| Ok((check_args(&inputs, &folder, config, &reports)?, inputs)));
    let (args, inputs) = match asked {
        Ok(asked) => asked,
        Err(mistakes) => return failed::told(&Nothing::of_inputs(&mistakes), &outputs, &env),
    };
    let round = check::round(&args, Surroundings::Real);
    carried_out(round, words::typed_in(&args), &inputs, &outputs, &env)
}

/// Puts rounds together instead of looking.
fn merge(inputs: &Inputs, reports: &Reports, outputs: &OutputArgs, env: &Env) -> Exit {
    let args = match words::merge(inputs, reports) {
        Ok(args) => args,
        Err(mistakes) => return failed::told(&Nothing::of_inputs(&mistakes), outputs, env),
    };
    carried_out(merge::rounds(&args), "", inputs, outputs, env)
}

/// Makes a round, and tells what came of it. `typed` is what the workflow added to the command line.
fn carried_out(
    round: impl Future<Output = Result<(RoundReport, Exit), Refused>>,
    typed: &str,
    inputs: &Inputs,
    outputs: &OutputArgs,
    env: &Env,
) -> Exit {
    let result = RefCell::new(None);
    let started = super::on_runtime(async {
        result.replace(Some(round.await));
        Exit::Blocked
    });
    match result.into_inner() {
        Some(Ok((report, exit))) => ended(&report, exit, inputs, env),
        Some(Err(refused)) => failed::told(&Nothing::of_check(&refused, typed), outputs, env),
        None => {
            failed::told(&Nothing::of_runner(), outputs, env);
            started
        }
    }
}

/// What the round means for the step, beside what it has already published itself.
fn ended(report: &RoundReport, exit: Exit, inputs: &Inputs, env: &Env) -> Exit {
    let mut pairs = vec![("exit-code".to_owned(), exit.code().to_string())];
    if exit == Exit::Usage {
        // There is a round, and it looked at nothing: no step may take its verdict for one.
        let verdict = crate::report::failed::VERDICT.to_owned();
        pairs.push(("verdict".to_owned(), verdict));
        if env.on_actions {
            print(&annotation(
                "",
                "no target led to an attempt or a question to a resolver: see the log for why",
            ));
        }
    }
    let handed_on = hand_on(env, &pairs);
    let exit = if handed_on { exit } else { exit.unreported() };
    // What was not even looked at is another thing than what could not be judged.
    let looked = report.missing.is_empty() && !report.interrupted;
    if exit == Exit::Inconclusive && looked && !inputs.fails_inconclusive {
        print("inconclusive, which does not fail this step: the input `fail-on` is exposed\n");
        return Exit::Blocked;
    }
    exit
}

/// Writes outputs of the step, where there is one; false if they could not be written.
fn hand_on(env: &Env, pairs: &[(String, String)]) -> bool {
    env.output.as_deref().is_none_or(|path| {
        let written = actions::append_output(path, pairs);
        noted("the step's outputs", path, written)
    })
}

/// What is wrong with the places of the reports, if one is that of another, or of what is read.
fn over_what_is_read(given: &Given, config: Option<&str>, outputs: &OutputArgs) -> Option<String> {
    let merged = given.asked.as_ref().map(|inputs| inputs.merge.as_slice());
    let merged: Vec<PathBuf> = merged
        .unwrap_or_default()
        .iter()
        .map(PathBuf::from)
        .collect();
    // A folder that cannot be read is said when it is to be merged.
    let merged = merge::files(&merged).unwrap_or_default();
    let read: Vec<&Path> = config
        .map(Path::new)
        .into_iter()
        .chain(merged.iter().map(PathBuf::as_path))
        .collect();
    output::clashes(outputs, &read)
}

fn written_to(reports: &Reports) -> OutputArgs {
    OutputArgs {
        json: Some(reports.json.clone().into()),
        junit: Some(reports.junit.clone().into()),
        summary: Some(reports.summary.clone().into()),
        ..OutputArgs::default()
    }
}

/// The arguments of the check.
fn check_args(
    inputs: &Inputs,
    folder: &str,
    config: Result<String, String>,
    reports: &Reports,
) -> Result<CheckArgs, Vec<Mistake>> {
    if !folder.is_empty() && !Path::new(folder).is_dir() {
        let message = format!("there is no folder {folder}{NO_CHECKOUT}");
        return Err(one("working-directory", message));
    }
    let config = config.map_err(|message| one("config", message))?;
    words::check(inputs, &config, reports)
}

/// The most common reason for a file that is missing.
const NO_CHECKOUT: &str = "; does actions/checkout run before this step?";

fn one(input: &'static str, message: String) -> Vec<Mistake> {
    vec![Mistake { input, message }]
}

/// The configuration that is named, or that is there.
fn find(given: &Given) -> Result<String, String> {
    if let Some(path) = &given.config {
        return if Path::new(path).exists() {
            Ok(path.clone())
        } else {
            Err(format!("there is no file {path}{NO_CHECKOUT}"))
        };
    }
    let places = config::SEARCHED.map(|path| inputs::place(&given.folder, path));
    let found = places.iter().find(|path| Path::new(path).exists());
    found.cloned().ok_or_else(|| {
        format!(
            "no configuration found, neither {}{NO_CHECKOUT}",
            places.join(" nor ")
        )
    })
}
