//! Names as GitHub has them: repositories, logins, teams and labels.
//!
//! They stand in issues, in the addresses of requests and beside an `@`, so nothing but GitHub's own
//! characters gets through.

use super::printable;
use crate::config::mistake::{Mistake, quoted};

/// GitHub's own: the longest label and login, and the longest name of a repository or team.
const MAX_LABEL: usize = 50;
const MAX_LOGIN: usize = 39;
const MAX_NAME: usize = 100;

/// What noentry's own labels begin with.
const OURS: &str = "noentry";

fn is_login(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    // The underscore stands in the logins that an enterprise manages.
    (1..=MAX_LOGIN).contains(&text.len())
        && text.bytes().all(known)
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
}

fn is_name(text: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    (1..=MAX_NAME).contains(&text.len()) && text.bytes().all(known) && text != "." && text != ".."
}

/// Reads `owner/name`.
pub fn repository(text: &str) -> Result<String, Mistake> {
    let parts = text.split_once('/');
    if parts.is_some_and(|(owner, name)| is_login(owner) && is_name(name)) {
        return Ok(text.to_owned());
    }
    Err(Mistake::new(format!("{} is no repository", quoted(text)))
        .help("write its owner and its name, as `org/private-trail`"))
}

/// Reads the login of a person or an app.
pub fn author(text: &str) -> Result<String, Mistake> {
    if is_login(text.strip_suffix("[bot]").unwrap_or(text)) {
        return Ok(text.to_owned());
    }
    Err(Mistake::new(format!("{} is no login", quoted(text)))
        .help("write it as GitHub shows it, as `octocat` or `github-actions[bot]`"))
}

/// Reads the login of a person who is assigned.
pub fn assignee(text: &str) -> Result<String, Mistake> {
    if is_login(text) {
        return Ok(text.to_owned());
    }
    let mistake = Mistake::new(format!("{} is no login", quoted(text)));
    Err(match text.strip_prefix('@') {
        Some(rest) if is_login(rest) => mistake.help(format!("write `{rest}`, without the `@`")),
        Some(_) | None if text.contains('/') => {
            mistake.help("a team cannot be assigned to an issue; `mention` it")
        }
        Some(_) | None => mistake.help("write it as GitHub shows it, as `octocat`"),
    })
}

/// Reads a login or a team, without the `@`.
pub fn mentioned(text: &str) -> Result<String, Mistake> {
    let plain = text.strip_prefix('@').unwrap_or(text);
    // Two dashes or underscores in a row could be markup in an issue, and no login has them today.
    let safe = |login: &str| is_login(login) && !login.contains("--") && !login.contains("__");
    let good = match plain.split_once('/') {
        Some((org, team)) => safe(org) && is_name(team),
        None => safe(plain),
    };
    if good {
        return Ok(plain.to_owned());
    }
    let mistake = Mistake::new(format!("{} is neither a login nor a team", quoted(text)));
    Err(mistake.help("write `octocat`, or `org/on-call` for a team"))
}

/// Reads a label that is not one of ours.
pub fn label(text: &str) -> Result<String, Mistake> {
    printable::check(text, "label", MAX_LABEL)?;
    if text.contains(',') {
        let mistake = Mistake::new(format!("{} has a comma", quoted(text)));
        return Err(mistake.help("GitHub takes none in a label; list several labels one by one"));
    }
    let begins = text.get(..OURS.len());
    if begins.is_some_and(|begins| begins.eq_ignore_ascii_case(OURS)) {
        let mistake = Mistake::new(format!("{} begins with `{OURS}`", quoted(text)));
        return Err(
            mistake.help("noentry finds its own issues by such labels; choose another name")
        );
    }
    Ok(text.to_owned())
}
