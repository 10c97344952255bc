//! The questions, for somebody at a terminal who gave no flags.
//!
//! Every answer is checked at once, by the rules of the configuration itself, and asked for again if
//! it will not do. Questions go to standard error: standard output is for what was done.

use std::io::{self, BufRead};

use super::wish::Wish;
use super::{check, pin};
use crate::app::output::show_problem;
use crate::config::Kind;

/// How often somebody is asked for one thing.
const PATIENCE: usize = 100;

/// What was answered.
pub(super) struct Answers {
    /// The targets.
    pub(super) targets: Vec<Wish>,
    /// The controls.
    pub(super) controls: Vec<Wish>,
    /// Whether the network lets every port out, as somebody says.
    pub(super) unfiltered: bool,
    /// The action, where this program does not know it and none was typed.
    pub(super) action: Option<String>,
}

const TARGET: &str = "\
What must nobody outside reach? One answer a line, an empty one when that is all:
  https://admin.example.com/login   a web address
  db.example.com:5432               a TCP port
  udp:ns1.example.com:53            a UDP port; quic:HOST:PORT likewise
  icmp:db.example.com               a host that must not reply to ping
  dns:intranet.example.com          a name that must not lead anywhere
";

const CONTROL: &str = "\
What of yours is meant to be reachable from outside, at best near those targets and on their ports? Their
silence is proof only while it answers. Written in the same way, or HOST:* for a host that answers on every
port; an empty line if there is nothing (more).
";

const UNFILTERED: &str = "\
Does the network that it will run in let every port out? After a yes a silent port counts although nothing
was reached on that port, and reports say that this is assumed. Of GitHub's standard runners it is assumed
anyway. yes or no; an empty line is no.
";

/// Asks. Controls only if none was typed.
///
/// # Errors
///
/// Why there is no answer to go by.
pub(super) fn all(
    typed_controls: Vec<Wish>,
    said_unfiltered: bool,
    typed_action: Option<&str>,
    input: &mut impl BufRead,
) -> Result<Answers, String> {
    show_problem(TARGET);
    let targets = wishes(input, "target", |so_far| check(so_far, &[]))?;
    if targets.is_empty() {
        return Err("no target was named, so there is nothing to write".to_owned());
    }
    let controls = if typed_controls.is_empty() {
        show_problem(CONTROL);
        wishes(input, "control", |so_far| check(&targets, so_far))?
    } else {
        typed_controls
    };
    let has_port = |wish: &Wish| match wish.kind {
        Kind::Url | Kind::Tcp | Kind::Udp | Kind::Quic => true,
        Kind::Icmp | Kind::Dns => false,
    };
    let unfiltered = if said_unfiltered || !targets.iter().any(has_port) {
        said_unfiltered
    } else {
        show_problem(UNFILTERED);
        yes(input)?
    };
    let action = match typed_action {
        None if pin::is_unknown() => Some(action(input)?),
        Some(_) | None => None,
    };
    Ok(Answers {
        targets,
        controls,
        unfiltered,
        action,
    })
}

fn wishes(
    input: &mut impl BufRead,
    what: &str,
    check: impl Fn(&[Wish]) -> Result<(), String>,
) -> Result<Vec<Wish>, String> {
    let mut all = Vec::new();
    for _ in 0..PATIENCE {
        let answer = answer(input, &format!("{what}> "))?;
        if answer.is_empty() {
            return Ok(all);
        }
        all.push(Wish::typed(&answer));
        if let Err(problems) = check(&all) {
            show_problem(&problems);
            all.pop();
        }
    }
    Ok(all)
}

/// A yes or a no.
fn yes(input: &mut impl BufRead) -> Result<bool, String> {
    for _ in 0..PATIENCE {
        match answer(input, "unfiltered> ")?.to_ascii_lowercase().as_str() {
            "y" | "yes" => return Ok(true),
            "" | "n" | "no" => return Ok(false),
            _ => show_problem("yes or no?\n"),
        }
    }
    Ok(false)
}

fn action(input: &mut impl BufRead) -> Result<String, String> {
    show_problem(&format!(
        "Which action? This build knows none: {}.\n",
        pin::HOW
    ));
    for _ in 0..PATIENCE {
        let answer = answer(input, "action> ")?;
        match pin::action(Some(&answer)) {
            Ok(_) => return Ok(answer),
            Err(error) => show_problem(&format!("{error}\n")),
        }
    }
    Err("no action was named".to_owned())
}

/// One line. The end of the input is no answer: somebody went away.
fn answer(input: &mut impl BufRead, prompt: &str) -> Result<String, String> {
    show_problem(prompt);
    let mut line = String::new();
    let end = || "the answers ended before all was asked; nothing was written".to_owned();
    match input.read_line(&mut line) {
        Ok(0) => Err(end()),
        Ok(_) => Ok(line.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err("that is not UTF-8 text; nothing was written".to_owned())
        }
        Err(error) => Err(format!("cannot read the answer: {error}")),
    }
}
