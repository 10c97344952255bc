//! Which text is a link that may be put into Markdown: an absolute `http` or `https` URL without
//! anything that Markdown, a table or a terminal could take for its own.

use super::trail::Links;

/// No link of ours comes near this many characters.
const LONGEST: usize = 2048;

/// Whether a text is an absolute `http` or `https` URL (RFC 3986 section 4.3) without credentials and
/// fragment, made of characters that need no escaping anywhere. Parentheses, which a URL may have and
/// Markdown counts, must be percent-encoded.
#[must_use]
pub fn is_link(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    let Some(rest) = rest else { return false };
    let host = rest.split(['/', '?']).next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?%=&+@".contains(c);
    text.len() <= LONGEST
        && rest.chars().all(plain)
        && host.starts_with(|c: char| c.is_ascii_alphanumeric())
        && !host.contains('@')
}

impl Links {
    /// The first of them that is none.
    #[must_use]
    pub fn broken(&self) -> Option<&str> {
        let mut all = self.run.iter().chain(&self.config);
        all.find(|link| !is_link(link)).map(String::as_str)
    }

    /// A line of the configuration file, if it is known where that is.
    #[must_use]
    pub fn line(&self, line: u32) -> Option<String> {
        let file = self.config.as_ref().filter(|link| is_link(link))?;
        Some(format!("{file}#L{line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_absolute_urls_are_links() {
        for text in [
            "https://github.com/org/repo/actions/runs/12/attempts/2",
            "http://ghes.example:8080/org/repo/blob/abc/.github/a%20b%28c%29.yml",
            "https://example.com",
        ] {
            assert!(is_link(text), "{text}");
        }
        for text in [
            "",
            "https://",
            "https:///path",
            "javascript:alert(1)",
            "ftp://example.com/",
            "//example.com/",
            "/org/repo",
            "HTTPS://example.com/",
            "https://user:secret@example.com/",
            "https://example.com/a b",
            "https://example.com/a)[x](https://evil.example",
            "https://example.com/a|b",
            "https://example.com/`a`",
            "https://example.com/<img>",
            "https://example.com/#L1",
            "https://example.com/\n::error::x",
            "https://example.com/\u{202e}x",
            "https://.example.com/",
        ] {
            assert!(!is_link(text), "{text:?}");
        }
        assert!(!is_link(&format!(
            "https://example.com/{}",
            "a".repeat(2048)
        )));
    }

    #[test]
    fn a_line_is_only_given_in_a_file_that_is_a_link() {
        let links = |config: &str| Links {
            run: None,
            config: Some(config.to_owned()),
        };
        let good = links("https://github.com/o/r/blob/0a/noentry.yml");
        assert_eq!(
            good.line(7).unwrap(),
            "https://github.com/o/r/blob/0a/noentry.yml#L7"
        );
        assert_eq!(good.broken(), None);
        let bad = links("javascript:x");
        assert_eq!(bad.line(7), None);
        assert_eq!(bad.broken(), Some("javascript:x"));
        assert_eq!(Links::default().broken(), None);
    }
}
