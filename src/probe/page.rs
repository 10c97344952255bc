//! What a page and an HTTP head say when they are read with patience: titles, status lines.
//!
//! Limits: no HTML parser. A title in a comment or a script would be taken for one.

use super::text::printable;

/// Characters kept of a title.
const TITLE: usize = 120;

/// The title of an HTML page, with blanks folded, common character references resolved, escaped and
/// cut for display.
pub fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    // ASCII lowering keeps every byte where it is, so that offsets fit both.
    let lower = text.to_ascii_lowercase();
    let mut from = 0;
    let open = loop {
        let at = from + lower.get(from..)?.find("<title")?;
        let after = lower.get(at + "<title".len()..)?;
        // Not "<titlebar>".
        if after.starts_with(|next: char| next == '>' || next.is_ascii_whitespace()) {
            break at + "<title".len();
        }
        from = at + "<title".len();
    };
    let begin = open + lower.get(open..)?.find('>')? + 1;
    let rest = lower.get(begin..)?;
    let length = rest.find("</title").unwrap_or(rest.len());
    let inner = text.get(begin..begin + length)?;
    let words: Vec<&str> = inner.split_whitespace().collect();
    let plain = unescape(&words.join(" "));
    (!plain.is_empty()).then(|| printable(plain.as_bytes(), TITLE))
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&nbsp;", " ")
        .replace("&amp;", "&")
}

/// The version and status of an HTTP/1 status line at the beginning of what was read (RFC 9112
/// section 4). A provisional answer is none, but for 101, after which no other comes.
pub fn status_line(first: &[u8]) -> Option<(String, u16)> {
    let rest = first.strip_prefix(b"HTTP/")?;
    let space = rest.iter().position(|byte| *byte == b' ')?;
    let (version, rest) = (rest.get(..space)?, rest.get(space + 1..)?);
    let version_like = (1..=3).contains(&version.len())
        && version
            .iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.');
    let digits = rest.get(..3)?;
    let ended = matches!(rest.get(3)?, b' ' | b'\r' | b'\n');
    if !version_like || !ended || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let status = digits.iter().fold(0, |status: u16, digit| {
        status * 10 + u16::from(digit - b'0')
    });
    let answer = status == 101 || (200..=999).contains(&status);
    answer.then(|| (format!("HTTP/{}", String::from_utf8_lossy(version)), status))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(body: &str) -> Option<String> {
        title(body.as_bytes())
    }

    #[test]
    fn titles_are_found_in_untidy_pages() {
        assert_eq!(
            shown("<HTML><Title lang=en>\n Log in\n  &amp; go </TITLE>").as_deref(),
            Some("Log in & go")
        );
        assert_eq!(shown("<title>never ended").as_deref(), Some("never ended"));
        assert_eq!(
            shown("<titlebar>no</titlebar><title>yes</title>").as_deref(),
            Some("yes")
        );
        assert_eq!(shown("İİİ<title>Größe</title>").as_deref(), Some("Größe"));
        for none in [
            "",
            "<title",
            "<title>",
            "<title></title>",
            "plain",
            "<title x",
        ] {
            assert_eq!(shown(none), None, "{none:?}");
        }
        let long = format!("<title>{}</title>", "x".repeat(1000));
        assert_eq!(
            shown(&long).map(|title| title.len()),
            Some(119 + '…'.len_utf8())
        );
        assert_eq!(
            shown("<title>a\x1b]0;b\x07</title>").as_deref(),
            Some("a\\u{1b}]0;b\\u{7}")
        );
    }

    #[test]
    fn status_lines_are_told_from_banners() {
        let line = |text: &str| status_line(text.as_bytes());
        assert_eq!(
            line("HTTP/1.1 403 Forbidden\r\n"),
            Some(("HTTP/1.1".to_owned(), 403))
        );
        assert_eq!(line("HTTP/1.0 200\r\n"), Some(("HTTP/1.0".to_owned(), 200)));
        assert_eq!(
            line("HTTP/1.1 101 Switching"),
            Some(("HTTP/1.1".to_owned(), 101))
        );
        for none in [
            "",
            "HTTP/1.1 ",
            "HTTP/1.1 20",
            "HTTP/1.1 200",
            "HTTP/1.1 2000 x",
            "HTTP/1.1 100 Continue\r\n",
            "HTTP/1.1 abc x",
            "HTTP/one 200 OK",
            "HTTP/ 200 OK",
            "SSH-2.0-OpenSSH",
            " HTTP/1.1 200 OK",
        ] {
            assert_eq!(line(none), None, "{none:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_panics(body: Vec<u8>, tail: Vec<u8>) {
            title(&body);
            title(&[b"<title".as_slice(), &body].concat());
            status_line(&body);
            status_line(&[b"HTTP/1.1 ".as_slice(), &tail].concat());
        }
    }
}
