//! `noentry init`: writes a configuration and a workflow for GitHub Actions, from flags or questions.
//!
//! Nothing is written before all of it is known to be good, by the very rules by which it will be
//! read, and nothing that is there is overwritten.

mod ask;
mod cron;
mod estate;
mod pin;
mod place;
mod wish;
mod workflow;
mod yaml;

use std::io::{self, IsTerminal};
use std::path::Path;

use super::output::{colour_on_stderr, print, show_problem, warn};
use super::show;
use crate::cli::{ConfigArgs, InitArgs};
use crate::config::{self, Overrides};
use crate::exit::Exit;
use wish::Wish;

const NEXT: &str = "\
Next:
  1. Read both files; the first has comments on what to decide.
  2. Look once, from a place outside your own network: noentry check
  3. Commit and push them to the default branch, where alone GitHub runs schedules.
  4. Run it by hand for the first time: gh workflow run noentry.yml
";

/// Why nothing was written.
enum Refusal {
    /// In one line.
    Said(String),
    /// The configuration's own words, of several lines.
    Problems(String),
}

/// Runs the command.
pub(super) fn run(args: &InitArgs) -> Exit {
    match write(args, Path::new("")) {
        Ok(said) => {
            let printed = print(&said);
            let valid = show::validate(&ConfigArgs {
                config: Some(place::CONFIG.into()),
                vars: Vec::new(),
            });
            let next = print(NEXT);
            [printed, valid, next]
                .into_iter()
                .find(|exit| *exit != Exit::Blocked)
                .unwrap_or(Exit::Blocked)
        }
        Err(refusal) => {
            match refusal {
                Refusal::Said(why) => warn(&why),
                Refusal::Problems(problems) => {
                    show_problem(&problems);
                    warn("nothing was written: this is what the configuration would have been");
                }
            }
            Exit::Usage
        }
    }
}

/// Writes both files below a folder and says what it did.
fn write(args: &InitArgs, root: &Path) -> Result<String, Refusal> {
    let taken = place::taken(root);
    if !taken.is_empty() {
        return Err(Refusal::Said(format!(
            "already there, and nothing is overwritten: {}; change what is there, or move it away \
             first",
            taken.join(", ")
        )));
    }
    // What was typed is judged before anybody is asked for more.
    let typed_cron = args.cron.as_deref().map(cron::checked).transpose();
    let typed_cron = typed_cron.map_err(Refusal::Said)?;
    if let Some(action) = &args.action {
        pin::action(Some(action)).map_err(Refusal::Said)?;
    }
    let mut targets = wish::targets(args);
    let mut controls: Vec<Wish> = args.control.iter().map(|c| Wish::typed(c)).collect();
    let mut action = args.action.clone();
    let mut unfiltered = args.unfiltered;
    if targets.is_empty() {
        if !io::stdin().is_terminal() {
            let why = "nothing to watch: name a target with --url, --tcp, --udp, --quic, --icmp or \
                       --dns, or run it on a terminal, where it asks";
            return Err(Refusal::Said(why.to_owned()));
        }
        let input = &mut io::stdin().lock();
        let answers = ask::all(controls, unfiltered, action.as_deref(), input);
        let answers = answers.map_err(Refusal::Said)?;
        targets = answers.targets;
        controls = answers.controls;
        unfiltered = answers.unfiltered;
        action = action.or(answers.action);
    }
    let action = pin::action(action.as_deref()).map_err(Refusal::Said)?;
    check(&targets, &controls).map_err(Refusal::Problems)?;
    let configuration = estate::render(&targets, &controls, unfiltered);
    let cron = typed_cron.unwrap_or_else(|| cron::schedule(args.every, &configuration));
    let workflow = workflow::render(&cron, &action);
    place::write(root, &configuration, &workflow).map_err(Refusal::Said)?;
    let elsewhere = if root.join(".git").exists() {
        ""
    } else {
        "hint: this is not the top of a git repository, and GitHub reads both files only there\n"
    };
    Ok(format!(
        "written: {} and {}\n{elsewhere}",
        place::CONFIG,
        place::WORKFLOW
    ))
}

/// Whether the configuration would be good; if not, in its own words.
fn check(targets: &[Wish], controls: &[Wish]) -> Result<(), String> {
    for (at, wish) in targets.iter().enumerate() {
        if targets.iter().take(at).any(|earlier| earlier == wish) {
            let (key, value) = (wish.kind.as_str(), &wish.value);
            return Err(format!("noentry: named twice: {key} {value:?}\n"));
        }
    }
    let text = estate::render(targets, controls, false);
    config::load_text(place::CONFIG, &text)
        .and_then(|loaded| config::resolve(&loaded, &Overrides::default()))
        .map(|_| ())
        .map_err(|problems| problems.render(colour_on_stderr()))
}
