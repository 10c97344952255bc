//! A comment on an incident that is an issue: one fact, and a hidden last line by which a retry finds it.
//!
//! ```text
//! shut since 2026-03-04 05:06 UTC: firewall is silent ([run](https://…))
//!
//! <!-- noentry:said 0123456789ab 89abcdef0123 -->
//! ```
//!
//! Whoever reads the marker must know by other means who wrote the comment.

use super::state::{inert, is_short};
use super::{Change, Deed, link};

const BEGIN: &str = "<!-- noentry:said ";
const END: &str = " -->";
/// How many characters a key may have.
const KEY: usize = 64;
/// How many bytes of a comment's words are written; GitHub takes 65,536 characters.
const LIMIT: usize = 16_384;

/// The comment of a change; none where there is nothing to say. `key` tells this comment from all
/// others of its incident: digits and lowercase letters of ASCII, 64 at most.
#[must_use]
pub fn comment(change: &Change, key: &str) -> Option<String> {
    let words = change.comment.as_deref()?;
    let words = inert(&words.replace(['\n', '\r'], " "));
    let words = if words.len() > LIMIT {
        "what there is to say is too long for a comment; see the run's report".to_owned()
    } else {
        words
    };
    let run = link::run(&change.state);
    let mention = match change.deed {
        Deed::Opened | Deed::Reopened => link::mention(&change.state.notify),
        Deed::Commented | Deed::Updated | Deed::Closed => None,
    };
    let mention = mention
        .map(|line| format!("\n\n{}", inert(&line)))
        .unwrap_or_default();
    let short = change.state.fingerprint.short();
    Some(format!(
        "{words}{run}{mention}\n\n{BEGIN}{short} {key}{END}"
    ))
}

/// The short fingerprint and the key of a comment that ends with the marker.
#[must_use]
pub fn read(text: &str) -> Option<(&str, &str)> {
    let line = text.trim_end().lines().next_back()?;
    let inner = line.strip_prefix(BEGIN)?.strip_suffix(END)?;
    let (short, key) = inner.split_once(' ')?;
    let plain = |b: u8| b.is_ascii_digit() || b.is_ascii_lowercase();
    let is_key = (1..=KEY).contains(&key.len()) && key.bytes().all(plain);
    (is_short(short) && is_key).then_some((short, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_and_nothing_but_the_marker_counts() {
        let marker = "<!-- noentry:said 0123456789ab k1 -->";
        assert_eq!(read(marker), Some(("0123456789ab", "k1")));
        assert_eq!(
            read(&format!("words\r\n\r\n{marker}\r\n")),
            Some(("0123456789ab", "k1"))
        );
        for not in [
            format!("{marker}\nwords"),
            format!("words {marker}"),
            marker.replace("k1", "K1"),
            marker.replace("k1", ""),
            marker.replace("k1", "a b"),
            marker.replace("0123456789ab", "0123456789aB"),
            marker.replace("said", "says"),
            String::new(),
        ] {
            assert_eq!(read(&not), None, "{not}");
        }
    }
}
