//! The command line: what was typed, and nothing about what it means.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PathBufValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::domain::shard::Shard;

mod init;

pub use init::{Every, InitArgs};

/// noentry goes round your doors from the outside and proves that they are locked: it passes when a
/// target can NOT be reached, says how far an outsider got, and what stopped them.
#[derive(Debug, Parser)]
#[command(name = "noentry", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// What was typed.
    ///
    /// # Errors
    /// If it makes no sense, and for `--help` and `--version`: all of it is clap's to print.
    pub fn typed() -> Result<Self, clap::Error> {
        Self::checked(Self::try_parse().map_err(with_tip)?)
    }

    /// What `check` makes of these words, and which of its options were given in them.
    ///
    /// # Errors
    /// If they make no sense to it, or ask for help.
    pub fn check(words: &[String]) -> Result<(CheckArgs, ArgMatches), clap::Error> {
        match Self::words("check", words)? {
            (Command::Check(args), given) => Ok((args, given)),
            _ => Err(Self::command().error(ErrorKind::InvalidSubcommand, "not a check")),
        }
    }

    /// The same for `merge`.
    ///
    /// # Errors
    /// If they make no sense to it, or ask for help.
    pub fn merge(words: &[String]) -> Result<(MergeArgs, ArgMatches), clap::Error> {
        match Self::words("merge", words)? {
            (Command::Merge(args), given) => Ok((args, given)),
            _ => Err(Self::command().error(ErrorKind::InvalidSubcommand, "not a merge")),
        }
    }

    fn words(name: &str, words: &[String]) -> Result<(Command, ArgMatches), clap::Error> {
        let command = ["noentry", name].map(str::to_owned);
        let typed = command.iter().chain(words);
        let mut matches = Self::command().try_get_matches_from(typed)?;
        let given = matches.subcommand_matches(name).cloned();
        let cli = Self::checked(Self::from_arg_matches_mut(&mut matches)?)?;
        Ok((cli.command, given.unwrap_or_default()))
    }

    /// Refuses what clap cannot: a variable that is given twice.
    fn checked(cli: Self) -> Result<Self, clap::Error> {
        let vars = match &cli.command {
            Command::Check(args) => &args.config.vars,
            Command::Validate(args) => &args.vars,
            Command::Report(_)
            | Command::Merge(_)
            | Command::Incidents(_)
            | Command::Demo(_)
            | Command::Init(_)
            | Command::Action
            | Command::Schema { .. }
            | Command::Completions { .. }
            | Command::Man => return Ok(cli),
        };
        let mut names = BTreeSet::new();
        match vars.iter().find(|(name, _)| !names.insert(name)) {
            None => Ok(cli),
            Some((name, _)) => Err(Self::command().error(
                ErrorKind::ArgumentConflict,
                format!("the variable {name:?} is given twice with --var"),
            )),
        }
    }
}

const EXIT_CODES: &str = "\
Exit codes:
  0  every target is blocked, or exposed with a waiver that holds
  1  at least one target is exposed without one
  2  the command line or the configuration is wrong, or nothing was probed
  3  nothing is exposed, but a target was not judged, a round to merge is missing, or a shard empty
  4  nothing is exposed, but a report or the incident trail could not be written";

/// The subcommands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Look at every target once and report what an outsider can reach
    #[command(after_help = EXIT_CODES)]
    Check(CheckArgs),
    /// Read the configuration, say what is wrong with it, and touch no network
    Validate(ConfigArgs),
    /// Render a saved report.json again
    Report(ReportArgs),
    /// Make one report of several: shards of a long list, or rounds from several vantages
    #[command(after_help = EXIT_CODES)]
    Merge(MergeArgs),
    /// Bring the incident trail in line with a saved report.json
    Incidents(IncidentsArgs),
    /// Build a small estate on loopback and check it: nothing to set up, no network needed
    Demo(DemoArgs),
    /// Write a configuration and a workflow for GitHub Actions that keeps watch by it
    Init(InitArgs),
    /// Run a check as the GitHub Action does: the inputs come from the environment, see docs/action.md
    #[command(hide = true)]
    Action,
    /// Print the JSON Schema of the configuration or of report.json
    Schema {
        /// Which format
        #[arg(value_enum, default_value_t = SchemaKind::Config)]
        of: SchemaKind,
    },
    /// Print a completion script for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page (roff)
    Man,
}

/// Which schema to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaKind {
    /// noentry.yml
    Config,
    /// report.json
    Report,
}

/// Where the configuration is.
#[derive(Debug, Default, Args)]
pub struct ConfigArgs {
    /// The configuration, - for standard input [default: .github/noentry.yml, then noentry.yml]
    #[arg(short, long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A value for ${KEY} in the configuration; beats the environment
    #[arg(long = "var", value_name = "KEY=VALUE", value_parser = key_value)]
    pub vars: Vec<(String, String)>,
}

/// What to check and how.
#[derive(Debug, Default, Args)]
pub struct CheckArgs {
    /// The configuration.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Look only at this target; may be given several times
    #[arg(short, long = "target", value_name = "NAME")]
    pub targets: Vec<String>,
    /// Look only at one part of a long list, such as 2/8: the same targets each time, for merge to put
    /// together
    #[arg(long, value_name = "INDEX/OF", conflicts_with = "targets")]
    pub shard: Option<Shard>,
    /// What this vantage is called, such as eu-west: the same in every round from here
    #[arg(long, value_name = "NAME", value_parser = label)]
    pub vantage: Option<String>,
    /// The reports.
    #[command(flatten)]
    pub outputs: OutputArgs,
    /// Keep the trail of what becomes reachable: github, one issue an incident, with the token in
    /// `GITHUB_TOKEN`; folder:PATH, one Markdown file an incident; or off
    #[arg(long, value_name = "WHERE", value_parser = incidents, default_value = "off")]
    pub incidents: Incidents,
    /// The deadline of one attempt, such as 4.8s or 900ms; beats the configuration
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// How many attempts an endpoint gets; beats the configuration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=20))]
    pub attempts: Option<u32>,
    /// How many attempts are in flight at most
    #[arg(long, value_name = "N", value_parser = positive)]
    pub concurrency: Option<usize>,
    /// How many attempts are in flight at most against one address
    #[arg(long, value_name = "N", value_parser = positive)]
    pub per_host: Option<usize>,
    /// How many attempts are started a second at most; beats the configuration
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub rate: Option<u32>,
}

/// Which reports to write, besides what is printed.
#[derive(Debug, Default, Args)]
pub struct OutputArgs {
    /// Write JUnit XML to this file
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub junit: Option<PathBuf>,
    /// Which JUnit: located has file and line on every case, strict keeps to Jenkins' junit-10.xsd,
    /// which knows neither
    #[arg(long, value_enum, value_name = "DIALECT", default_value_t = JunitDialect::Located)]
    pub junit_dialect: JunitDialect,
    /// Write the whole report as JSON to this file
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub json: Option<PathBuf>,
    /// Write a Markdown summary to this file
    #[arg(long, value_name = "FILE", value_parser = file())]
    pub summary: Option<PathBuf>,
    /// Show every attempt at every endpoint, for every finding, and the controls
    #[arg(short, long)]
    pub verbose: bool,
}

/// Which JUnit to write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum JunitDialect {
    /// With `file` and `line` on every case.
    #[default]
    Located,
    /// Valid by Jenkins' junit-10.xsd.
    Strict,
}

/// A saved round.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// The saved report.json; - for standard input
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// The reports.
    #[command(flatten)]
    pub outputs: OutputArgs,
}

/// Saved rounds of one configuration, to be put together.
#[derive(Debug, Args)]
pub struct MergeArgs {
    /// The saved reports, or folders with them: every .json file below counts, and one that cannot be
    /// read is missing; - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub from: Vec<PathBuf>,
    /// How many rounds there should be: with fewer, nothing is a pass
    #[arg(long, value_name = "N", value_parser = positive)]
    pub expect: Option<usize>,
    /// How far apart the rounds may begin
    #[arg(long, value_name = "TIME", value_parser = period, default_value = "6h")]
    pub within: Duration,
    /// The reports.
    #[command(flatten)]
    pub outputs: OutputArgs,
    /// Keep the trail of what becomes reachable: github, one issue an incident, with the token in
    /// `GITHUB_TOKEN`; folder:PATH, one Markdown file an incident; or off
    #[arg(long, value_name = "WHERE", value_parser = incidents, default_value = "off")]
    pub incidents: Incidents,
}

/// A saved round and where its trail is kept.
#[derive(Debug, Args)]
pub struct IncidentsArgs {
    /// The saved report.json; - for standard input
    #[arg(long, value_name = "FILE")]
    pub from: PathBuf,
    /// Where: github, one issue an incident, with the token in `GITHUB_TOKEN`; folder:PATH, one
    /// Markdown file an incident; or off
    #[arg(long, value_name = "WHERE", value_parser = incidents)]
    pub incidents: Incidents,
}

/// Where the incident trail is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Incidents {
    /// Nowhere.
    #[default]
    Off,
    /// In Markdown files in this folder.
    Folder(PathBuf),
    /// In issues.
    GitHub,
}

/// The demo.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// The folder for the demo's configuration and reports; made if missing
    #[arg(long, value_name = "DIR", default_value = "noentry-demo")]
    pub out: PathBuf,
}

/// A file to write. Standard output belongs to the terminal report, so `-` is not taken for it.
fn file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("standard output has the terminal report: name a file")
        } else {
            Ok(path)
        }
    })
}

/// Adds which option takes a file that was typed without one: many programs need none.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let (Some(ContextValue::String(word)), Some(ContextValue::StyledStr(usage))) = (
        error.get(ContextKind::InvalidArg),
        error.get(ContextKind::Usage),
    ) else {
        return error;
    };
    let usage = usage.to_string();
    // "Usage: noentry check [OPTIONS]"
    let option = match usage.split_whitespace().nth(2) {
        Some("check" | "validate") => "--config",
        Some("report" | "incidents") => "--from",
        _ => return error,
    };
    if error.kind() == ErrorKind::UnknownArgument && !word.starts_with('-') {
        let tip = format!("a file is named with '{option} {word}'");
        error.insert(
            ContextKind::Suggested,
            ContextValue::StyledStrs(vec![tip.into()]),
        );
    }
    error
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::parse_duration(text)
}

fn period(text: &str) -> Result<Duration, String> {
    crate::config::parse_period(text)
}

fn incidents(text: &str) -> Result<Incidents, String> {
    match text.split_once(':') {
        None if text == "off" => Ok(Incidents::Off),
        None if text == "github" => Ok(Incidents::GitHub),
        Some(("folder", path)) if !path.is_empty() => Ok(Incidents::Folder(path.into())),
        Some(("folder", _)) | None if text.starts_with("folder") => {
            Err("name the folder, as in folder:trail".to_owned())
        }
        Some(("github", _)) => Err(
            "the repository belongs into the configuration (incidents: repository) or into \
             GITHUB_REPOSITORY: expected github alone"
                .to_owned(),
        ),
        Some(_) | None => Err("expected github, folder:PATH or off".to_owned()),
    }
}

/// A name for a vantage, as it stands in reports.
fn label(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 64 || text.chars().any(char::is_control) {
        Err("expected a name of at most 64 characters, such as eu-west".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

fn positive(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=100_000) => Ok(number),
        _ => Err("expected a whole number from 1 to 100000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_variable_has_one_value() {
        let typed = |vars: &[&str]| {
            let words = ["noentry", "check"].iter().chain(vars);
            Cli::checked(Cli::try_parse_from(words).unwrap())
        };
        assert!(typed(&["--var", "A=1", "--var", "B=1"]).is_ok());
        let error = typed(&["--var", "A=", "--var", "A=1"]).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(
            error.to_string().contains("\"A\" is given twice"),
            "{error}"
        );
    }

    #[test]
    fn incidents_are_kept_in_issues_in_a_folder_or_not_at_all() {
        assert_eq!(incidents("off"), Ok(Incidents::Off));
        assert_eq!(incidents("github"), Ok(Incidents::GitHub));
        let folder = |path: &str| Ok(Incidents::Folder(path.into()));
        assert_eq!(incidents("folder:trail"), folder("trail"));
        assert_eq!(incidents("folder:C:\\trail"), folder("C:\\trail"));
        for (typed, says) in [
            ("github:org/trail", "incidents: repository"),
            ("githubs", "expected github"),
            ("folder", "name the folder"),
            ("folder:", "name the folder"),
            ("", "expected"),
            ("off:", "expected"),
            ("trail", "expected"),
        ] {
            let error = incidents(typed).unwrap_err();
            assert!(error.contains(says), "{typed}: {error}");
        }
    }

    #[test]
    fn a_report_needs_a_file() {
        for option in ["--json", "--junit", "--summary"] {
            let error = Cli::try_parse_from(["noentry", "check", option, "-"]).unwrap_err();
            assert!(error.to_string().contains("name a file"), "{error}");
        }
    }
}
