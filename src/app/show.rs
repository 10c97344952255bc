//! The commands that only print: `validate`, `schema`, `completions`, `man`.

use clap::CommandFactory;
use clap_complete::Shell;

use super::check;
use super::output::{say, warn};
use crate::cli::{Cli, ConfigArgs, SchemaKind};
use crate::config::{self, Overrides};
use crate::exit::Exit;
use crate::report::json;

/// Reads the configuration and says whether it is good.
pub(super) fn validate(args: &ConfigArgs) -> Exit {
    let Some(plan) = check::plan(args, &Overrides::default()) else {
        return Exit::Usage;
    };
    let (targets, controls) = (plan.targets.len(), plan.controls.len());
    say(&format!(
        "{}: {targets} target{} and {controls} control{} for all of them\n",
        plan.config,
        if targets == 1 { "" } else { "s" },
        if controls == 1 { "" } else { "s" },
    ));
    Exit::Blocked
}

/// Prints a JSON Schema.
pub(super) fn schema(of: SchemaKind) -> Exit {
    say(&match of {
        // `{:#}` of a JSON value is its pretty form, and cannot fail.
        SchemaKind::Config => format!("{:#}\n", config::schema()),
        SchemaKind::Report => json::schema(),
    });
    Exit::Blocked
}

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "noentry", &mut script);
    print(&script)
}

/// Prints the manual page.
pub(super) fn manual() -> Exit {
    let mut page = Vec::new();
    if let Err(error) = clap_mangen::Man::new(Cli::command()).render(&mut page) {
        warn(&format!("cannot print the manual: {error}"));
        return Exit::Unreported;
    }
    print(&page)
}

fn print(bytes: &[u8]) -> Exit {
    say(&String::from_utf8_lossy(bytes));
    Exit::Blocked
}
