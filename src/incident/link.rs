//! Where else to read: other incidents, the run, the declaration; and who is to know.
//!
//! Everything here ends as Markdown and comes from outside at some time: from a saved round, or from a
//! state that was read back. What is not strictly of the form that works is shown as code.

use std::fmt::Write as _;

use super::state::State;
use crate::domain::escape::markdown_code;
use crate::domain::trail::Notify;

/// How many characters of a URL are taken over.
const URL: usize = 2_000;

/// A link to another incident: a file beside this one, an issue, or the place as it is.
pub(super) fn incident(place: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    match place.strip_suffix(".md") {
        Some(stem) if !stem.is_empty() && place.chars().all(plain) => {
            format!("[{stem}]({place})")
        }
        // GitHub makes a link of it, but not within code.
        Some(_) | None if is_issue(place) => place.to_owned(),
        Some(_) | None => markdown_code(place),
    }
}

/// `#12` or `owner/name#12`.
fn is_issue(place: &str) -> bool {
    let Some((repository, number)) = place.rsplit_once('#') else {
        return false;
    };
    let digits = (1..=10).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    digits && (repository.is_empty() || is_repository(repository))
}

fn is_repository(text: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    text.split_once('/').is_some_and(|(owner, repository)| {
        is_login(owner)
            && (1..=100).contains(&repository.len())
            && repository.chars().all(name)
            // Underscores at both ends would be emphasis.
            && !repository.contains("__")
    })
}

/// Letters, digits and single dashes; those that a company manages have an underscore.
fn is_login(text: &str) -> bool {
    (1..=39).contains(&text.len())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !text.contains("--")
        && !text.contains("__")
}

/// The number of the issue that a place names; none of a file.
pub(super) fn issue_number(place: &str) -> Option<u64> {
    if !is_issue(place) {
        return None;
    }
    place.rsplit_once('#')?.1.parse().ok()
}

/// An absolute URL that can stand between the brackets of a link; none if it is anything else.
fn url(text: &str) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.has_host();
    if !web || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    let mut out = String::new();
    for c in url.as_str().chars() {
        if c.is_ascii_graphic() && !"()[]<>|\\`\"'".contains(c) {
            out.push(c);
        } else {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                // Writing to a String cannot go wrong.
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    (out.len() <= URL).then_some(out)
}

/// ` ([run](…))`, or nothing where the run has no address.
pub(super) fn run(state: &State) -> String {
    let run = state.run.as_deref().and_then(url);
    run.map(|url| format!(" ([run]({url}))"))
        .unwrap_or_default()
}

/// Where the target is declared, as a link to the file as it was where there is one.
pub(super) fn declared(state: &State) -> String {
    let shown = markdown_code(&state.declared);
    match state.source.as_deref().and_then(url) {
        Some(url) => format!("[{shown}]({url})"),
        None => shown,
    }
}

/// `cc @kim @org/team`, or nothing where nobody is to be mentioned.
pub(super) fn mention(notify: &Notify) -> Option<String> {
    let whom: Vec<String> = notify
        .mention
        .iter()
        .map(|who| {
            let known = match who.split_once('/') {
                Some((organisation, team)) => is_login(organisation) && is_team(team),
                None => is_login(who),
            };
            if known {
                format!("@{who}")
            } else {
                markdown_code(who)
            }
        })
        .collect();
    (!whom.is_empty()).then(|| format!("cc {}", whom.join(" ")))
}

fn is_team(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (1..=100).contains(&text.len()) && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_works_as_a_reference_is_one() {
        for works in ["#12", "owner/name#12", "a-b/c_d.e#1"] {
            assert_eq!(incident(works), works);
            assert!(issue_number(works).is_some());
        }
        assert_eq!(issue_number("owner/name#12"), Some(12));
        assert_eq!(incident("a-0123.md"), "[a-0123](a-0123.md)");
        for not in [
            "#",
            "#1x",
            "a/b/c#1",
            "/b#1",
            "a b/c#1",
            "a/__b__#1",
            "x#99999999999",
        ] {
            assert_eq!(incident(not), format!("`{not}`"));
            assert_eq!(issue_number(not), None);
        }
    }

    #[test]
    fn a_url_cannot_leave_its_brackets() {
        assert_eq!(
            url("https://h/a(b)c|d]e`f g?é").as_deref(),
            Some("https://h/a%28b%29c%7Cd%5De%60f%20g?%C3%A9")
        );
        for not in [
            "javascript:alert(1)",
            "https:/",
            "run",
            "https://u:p@h/",
            "ftp://h/",
            "",
        ] {
            assert_eq!(url(not), None, "{not}");
        }
        assert_eq!(url(&format!("https://h/{}", "a".repeat(2_000))), None);
    }

    #[test]
    fn only_logins_and_teams_are_mentioned() {
        let notify = Notify {
            mention: ["kim", "org/team_a", "a b", "x/y/z", "-->"]
                .map(str::to_owned)
                .into(),
            ..Notify::default()
        };
        assert_eq!(
            mention(&notify).unwrap(),
            "cc @kim @org/team_a `a b` `x/y/z` `-->`"
        );
        assert_eq!(mention(&Notify::default()), None);
    }
}
