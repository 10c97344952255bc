//! Slips that people often make, and what to write instead.
//!
//! Only for help beside a message that is true without it: a guess that is wrong costs nothing.

use super::source::{Place, Source};

/// What to look at when a file is not YAML: most often it is a text without quotes.
const SYNTAX: &str = "look at the indentation, leave a blank behind `:` and `-`, and quote text that \
                      holds `: ` or ` #` or begins with a character such as `[`, `{`, `*`, `&`, `!`, \
                      `%` or `@`";

/// The key of ours that is meant by a word that other tools have for it.
#[must_use]
pub fn key(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "http" | "https" | "uri" | "website" => Some("url"),
        "ping" | "icmpv6" => Some("icmp"),
        "domain" | "fqdn" => Some("dns"),
        "layer" => Some("barrier"),
        "retries" => Some("attempts"),
        _ => None,
    }
}

/// What to write instead of a key that stands for no single one of ours, among these that are known.
#[must_use]
pub fn instead(word: &str, known: &[&str]) -> Option<&'static str> {
    let word = word.to_ascii_lowercase();
    if known.contains(&"tcp") {
        return match word.as_str() {
            "port" | "ports" => {
                Some("a port stands behind its host, as in `tcp: db.example.com:5432`")
            }
            "host" | "hostname" | "ip" | "address" | "server" => {
                Some("say what is watched there, as in `tcp: HOST:PORT` or `url: https://HOST/`")
            }
            "ssh" | "rdp" | "mysql" | "postgres" | "redis" => {
                Some("a service is watched by its port, as in `tcp: HOST:PORT`")
            }
            _ => None,
        };
    }
    let is_workflow = known.contains(&"targets") && matches!(word.as_str(), "on" | "jobs");
    is_workflow.then_some(
        "this looks like a workflow: the configuration is a file of its own, such as \
         `.github/noentry.yml`",
    )
}

/// Whether something is expected that is written as `[one, two]`, in words of
/// [`Reader::fit`](super::reader::Reader::fit): a list of mappings is not.
#[must_use]
pub fn is_row(expected: &str) -> bool {
    let many = ["targets", "controls", "waivers"];
    expected
        .strip_prefix("a list of ")
        .is_some_and(|what| !many.iter().any(|many| what.starts_with(many)))
}

/// What to do about a file that is no YAML at this place.
#[must_use]
pub fn syntax(source: &Source, place: Place) -> &'static str {
    let line = source.line_of(place);
    let indentation = line.chars().take_while(|c| c.is_whitespace());
    if indentation.into_iter().any(|c| c == '\t') {
        "a tab does not indent in YAML: use blanks"
    } else {
        SYNTAX
    }
}

/// What to write instead of something in the place of a port that is no number.
#[must_use]
pub fn port(text: &str) -> &'static str {
    let several = |c: char| c.is_ascii_digit() || matches!(c, ',' | '-' | '/');
    if text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(several) {
        "write a target of its own for each port"
    } else {
        "a port is a number from 1 to 65535"
    }
}

/// What to write instead of something that is no host.
#[must_use]
pub fn host(text: &str) -> Option<&'static str> {
    if text.contains('*') {
        Some("there is no asking about all names at once: write each name that you mean")
    } else if text.contains('$') {
        Some("a variable is written `${NAME}`, with braces")
    } else {
        None
    }
}

/// What to write instead of `host:port` where there is a slash in it: a range of addresses, or a
/// path.
#[must_use]
pub fn slash(text: &str) -> &'static str {
    let is_range = text.split_once('/').is_some_and(|(address, rest)| {
        let length = rest.split(':').next().unwrap_or_default();
        let address = address.trim_start_matches('[').trim_end_matches(']');
        address.parse::<std::net::IpAddr>().is_ok() && length.parse::<u8>().is_ok()
    });
    if is_range {
        "no ranges are scanned: write a target of its own for each address"
    } else {
        "write `host:port` alone"
    }
}

/// What to do about something that begins like a variable and is none.
#[must_use]
pub fn variable(reference: &str) -> &'static str {
    if reference.starts_with("${{") {
        "only in a workflow does GitHub fill this in: hand the value over under `env:` there, and \
         write `${NAME}` here"
    } else if reference.contains(":-") || reference.contains(":=") {
        "a variable has no default value here: write `${NAME}`, and give it with `--var` or in the \
         environment"
    } else {
        "a variable is written `${NAME}`, of letters, digits and `_`; for the text `${` itself write \
         `$${`"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_told_from_a_path() {
        for text in ["203.0.114.0/24:22", "203.0.114.0/24", "[2001:db8::]/64:22"] {
            assert!(slash(text).contains("no ranges"), "{text}");
        }
        for text in ["db.example.com:22/path", "db.example.com/24:22", "/:1"] {
            assert!(slash(text).contains("alone"), "{text}");
        }
    }

    #[test]
    fn several_ports_are_told_from_none() {
        for text in ["22,80", "20-25", "22/80"] {
            assert!(port(text).contains("each port"), "{text}");
        }
        for text in ["ssh", "-", ",", "22x", "-22"] {
            assert!(port(text).contains("a number"), "{text}");
        }
    }

    #[test]
    fn a_tab_is_named_only_where_it_indents() {
        let at = |text: &str| {
            let source = Source::decode("f".to_owned(), text.as_bytes()).unwrap();
            syntax(&source, source.end())
        };
        assert!(at("a:\n\tb: c").contains("a tab does not indent"));
        assert!(at("a:\n  \tb: c").contains("a tab does not indent"));
        assert_eq!(at("a:\n  b:\tc"), SYNTAX);
    }
}
