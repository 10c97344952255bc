//! From the inputs to the arguments of `check`, through the command line's own reading.

use std::path::{Path, PathBuf};

use clap::ArgMatches;
use clap::error::{Error, ErrorKind};
use clap::parser::ValueSource;

use crate::actions::inputs::{Inputs, Mistake, Reports};
use crate::cli::{CheckArgs, Cli, MergeArgs};

/// The options of `check` that are inputs of their own: as clap names them, as they are typed, and the
/// input.
const OWN: [(&str, &str, &str); 6] = [
    ("config", "--config", "config"),
    ("targets", "--target", "target"),
    ("json", "--json", "report"),
    ("junit", "--junit", "junit"),
    ("summary", "--summary", "summary"),
    ("incidents", "--incidents", "incidents"),
];

/// The arguments of the check, or what is wrong with which input.
pub(super) fn check(
    inputs: &Inputs,
    config: &str,
    reports: &Reports,
) -> Result<CheckArgs, Vec<Mistake>> {
    let given = Cli::check(&inputs.args).map(|(_, given)| given);
    let mut mistakes = own(given);
    let place = vec![format!("--incidents={}", inputs.incidents)];
    if let Err(error) = Cli::check(&place) {
        mistakes.push(mistake("incidents", &error));
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut words = inputs.args.clone();
    words.extend(place);
    words.push(format!("--config={config}"));
    words.extend(written(reports));
    words.extend(inputs.targets.iter().map(|name| format!("--target={name}")));
    let (args, _) = Cli::check(&words).map_err(|error| vec![mistake("args", &error)])?;
    Ok(args)
}

/// The arguments of the merge, or what is wrong with which input.
pub(super) fn merge(inputs: &Inputs, reports: &Reports) -> Result<MergeArgs, Vec<Mistake>> {
    let of = |words: &[String]| {
        let files = ["--".to_owned()].into_iter().chain(inputs.merge.clone());
        Cli::merge(&words.iter().cloned().chain(files).collect::<Vec<String>>())
    };
    let typed = of(&inputs.args);
    // A word of its own, `--` too, would be one more report, or make reports of what follows it.
    let files = |args: &MergeArgs| {
        args.from
            .iter()
            .map(PathBuf::as_path)
            .eq(inputs.merge.iter().map(Path::new))
    };
    let only_options = typed.as_ref().map_or(true, |(args, _)| files(args));
    let mut mistakes = own(typed.map(|(_, given)| given));
    if !only_options {
        mistakes.push(Mistake {
            input: "args",
            message: "only options can stand here; reports have an input of their own: `merge`"
                .to_owned(),
        });
    }
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut words = inputs.args.clone();
    words.push(format!("--incidents={}", inputs.incidents));
    words.extend(written(reports));
    let (args, _) = of(&words).map_err(|error| vec![mistake("incidents", &error)])?;
    Ok(args)
}

/// What is wrong with `args`: what the command line does not take, and what is an input of its own.
fn own(given: Result<ArgMatches, Error>) -> Vec<Mistake> {
    let given = match given {
        Ok(given) => given,
        Err(error) => return vec![mistake("args", &error)],
    };
    // A merge does not know all options of a check.
    let typed = |id: &str| {
        let known = given.try_contains_id(id).unwrap_or_default();
        known && given.value_source(id) == Some(ValueSource::CommandLine)
    };
    let own = OWN.into_iter().filter(|(id, _, _)| typed(id));
    own.map(|(_, option, input)| Mistake {
        input: "args",
        message: format!("{option} has an input of its own: `{input}`"),
    })
    .collect()
}

/// Where the reports are written, as options.
fn written(reports: &Reports) -> [String; 3] {
    [
        format!("--json={}", reports.json),
        format!("--junit={}", reports.junit),
        format!("--summary={}", reports.summary),
    ]
}

/// What was typed beside the configuration, as a user of the action knows it: a name that the
/// configuration does not know can stand nowhere else.
pub(super) fn typed_in(args: &CheckArgs) -> &'static str {
    match (args.targets.is_empty(), args.config.vars.is_empty()) {
        (false, true) => "input `target`: ",
        (true, false) => "input `args`: ",
        (false, false) => "inputs `target` and `args`: ",
        (true, true) => "",
    }
}

/// clap's message without the usage of a command that nobody typed.
fn mistake(input: &'static str, error: &Error) -> Mistake {
    let message = match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            "only options of a check can stand here, or of a merge".to_owned()
        }
        _ => {
            let text = error.render().to_string();
            let lines = text.lines().map(str::trim);
            let lines = lines.take_while(|line| !line.starts_with("Usage:"));
            let lines = lines.filter(|l| !l.is_empty() && !l.starts_with("For more information"));
            let lines: Vec<&str> = lines.collect();
            lines.join("; ").trim_start_matches("error: ").to_owned()
        }
    };
    Mistake { input, message }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::inputs;

    fn args(typed: &str, target: &str) -> Result<CheckArgs, String> {
        let given = inputs::read(|name| match name {
            "NOENTRY_INPUT_ARGS" => Some(typed.to_owned()),
            "NOENTRY_INPUT_TARGET" => Some(target.to_owned()),
            _ => None,
        });
        check(&given.asked.unwrap(), "c.yml", &given.reports).map_err(|mistakes| {
            let lines: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
            lines.join("\n")
        })
    }

    #[test]
    fn inputs_become_the_arguments_of_a_check() {
        let args = args("--attempts=2\n--var\nA=1", "-odd\nAdmin, console").unwrap();
        assert_eq!(args.attempts, Some(2));
        assert_eq!(args.config.vars, [("A".to_owned(), "1".to_owned())]);
        assert_eq!(args.targets, ["-odd", "Admin, console"]);
        assert_eq!(args.config.config, Some("c.yml".into()));
        assert_eq!(
            args.outputs.json,
            Some("noentry-reports/report.json".into())
        );
    }

    #[test]
    fn inputs_become_the_arguments_of_a_merge() {
        let merged = |typed: &str| {
            let given = inputs::read(|name| match name {
                "NOENTRY_INPUT_ARGS" => Some(typed.to_owned()),
                "NOENTRY_INPUT_MERGE" => Some("rounds\n-odd.json".to_owned()),
                _ => None,
            });
            merge(&given.asked.unwrap(), &given.reports).map_err(|mistakes| mistakes[0].to_string())
        };
        let args = merged("--expect=8").unwrap();
        assert_eq!(args.expect, Some(8));
        assert_eq!(
            args.from,
            ["rounds", "-odd.json"].map(std::path::PathBuf::from)
        );
        assert_eq!(
            args.outputs.json,
            Some("noentry-reports/report.json".into())
        );
        for (typed, says) in [
            ("--json=x", "--json has an input of its own: `report`"),
            ("--shard=1/2", "input `args`: unexpected argument '--shard'"),
            ("--expect=0", "input `args`: invalid value '0'"),
            ("--expect", "input `args`: "),
            ("other.json", "input `args`: only options can stand here"),
            ("--", "input `args`: only options can stand here"),
            (
                "--expect=2\n--",
                "input `args`: only options can stand here",
            ),
        ] {
            let said = merged(typed).unwrap_err();
            assert!(said.contains(says), "{typed}: {said}");
        }
    }

    #[test]
    fn what_is_wrong_with_args_is_said_of_args() {
        for (typed, says) in [
            ("--colour", "input `args`: unexpected argument '--colour'"),
            ("--help", "input `args`: only options"),
            ("extra", "input `args`: unexpected argument 'extra'"),
            ("--attempts=0", "input `args`: invalid value '0'"),
            ("--var=A=1\n--var=A=2", "input `args`: the variable \"A\""),
            ("--config=x", "--config has an input of its own: `config`"),
            ("-c\nx", "--config has an input of its own: `config`"),
            ("--target=x", "--target has an input of its own: `target`"),
            ("--json=x", "--json has an input of its own: `report`"),
            ("--incidents=off", "--incidents has an input of its own"),
        ] {
            let said = args(typed, "").unwrap_err();
            assert!(said.contains(says), "{typed}: {said}");
            assert!(!said.contains("Usage"), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
}
