//! One file a subcommand: wiring only.

mod action;
mod check;
mod demo;
mod disclosure;
mod github;
mod init;
mod merge;
mod output;
mod publish;
mod refused;
#[cfg(test)]
mod rejudged;
mod report;
mod show;
mod supplement;
mod trail;

use crate::cli::{Cli, Command};
use crate::exit::Exit;
use crate::round::{FEWEST_FILES, raise_open_files};

/// Runs what was typed.
#[must_use]
pub fn run(cli: &Cli) -> Exit {
    match &cli.command {
        Command::Check(args) => on_runtime(check::run(args)),
        Command::Action => action::run(),
        Command::Demo(args) => on_runtime(demo::run(args)),
        Command::Init(args) => init::run(args),
        Command::Validate(args) => show::validate(args),
        Command::Report(args) => report::run(args),
        Command::Merge(args) => on_runtime(merge::run(args)),
        Command::Incidents(args) => on_runtime(trail::run(args)),
        Command::Schema { of } => show::schema(*of),
        Command::Completions { shell } => show::completions(*shell),
        Command::Man => show::manual(),
    }
}

/// One thread is enough: a round waits, it does not compute.
fn on_runtime(work: impl Future<Output = Exit>) -> Exit {
    if let Some(files) = raise_open_files().filter(|files| *files < FEWEST_FILES) {
        output::warn(&format!(
            "only {files} files may be open, and {FEWEST_FILES} are the least: raise the limit, such \
             as with `ulimit -n 4096`"
        ));
        return Exit::Usage;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(work),
        Err(error) => {
            output::warn(&format!("cannot start: {error}"));
            Exit::Usage
        }
    }
}
