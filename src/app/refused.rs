//! Why there was no round.

use super::output::{colour_on_stderr, show_problem, warn};
use crate::config::Problems;
use crate::exit::Exit;

/// Why nothing was looked at: what was typed, the configuration, or this machine.
#[derive(Debug)]
pub(super) enum Refused {
    /// In one line.
    Said(String),
    /// What is wrong with the configuration, or with the names of targets.
    Config(Problems),
}

impl Refused {
    /// Says why on standard error, and gives the exit code for it.
    pub(super) fn shown(&self) -> Exit {
        match self {
            Self::Said(why) => warn(why),
            Self::Config(problems) => show_problem(&problems.render(colour_on_stderr())),
        }
        Exit::Usage
    }
}
