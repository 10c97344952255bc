//! Making what a stranger sent fit to be shown: control characters, bidirectional overrides and
//! invisible characters are spelled out, lengths are capped.
//!
//! Limits: this makes text safe to look at. What a format needs beyond that (XML, Markdown,
//! workflow commands) is the business of the module that writes the format.

use std::fmt::Write as _;

/// How many bytes of an unexpected answer are kept.
pub const FIRST_BYTES: usize = 64;

/// Text for display: invalid UTF-8 replaced, anything invisible or steering spelled as `\u{…}`, at
/// most `limit` characters, the last of which is `…` where something was cut.
pub fn printable(bytes: &[u8], limit: usize) -> String {
    // A character has at most four bytes: what lies beyond cannot be shown anyway, and a hostile
    // 64 KiB value need not be decoded whole.
    let window = bytes
        .get(..limit.saturating_mul(4).saturating_add(4))
        .unwrap_or(bytes);
    let text = String::from_utf8_lossy(window);
    let mut shown = String::new();
    for character in text.chars() {
        if steers(character) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "{}", character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    cut(&shown, limit)
}

/// At most 64 bytes as ASCII with the escapes of `escape_ascii`.
pub fn first_bytes(bytes: &[u8]) -> String {
    bytes
        .get(..FIRST_BYTES)
        .unwrap_or(bytes)
        .escape_ascii()
        .to_string()
}

fn cut(text: &str, limit: usize) -> String {
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limit.saturating_sub(1)).collect();
    short.push('…');
    short
}

/// Whether a character is invisible or changes how its neighbours are shown.
fn steers(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{fffe}'
                | '\u{ffff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_steers_a_terminal_or_a_reader_is_spelled_out() {
        assert_eq!(printable(b"a\x1b[31mb\0", 50), "a\\u{1b}[31mb\\u{0}");
        assert_eq!(
            printable("admin\u{202e}moc".as_bytes(), 50),
            "admin\\u{202e}moc"
        );
        assert_eq!(printable(b"caf\xe9", 50), "caf\u{fffd}");
        assert_eq!(printable("Zürich 漢字".as_bytes(), 50), "Zürich 漢字");
    }

    #[test]
    fn long_values_are_cut_on_a_character() {
        assert_eq!(printable("ääääää".as_bytes(), 4), "äää…");
        assert_eq!(printable("ääää".as_bytes(), 4), "ääää");
        assert_eq!(printable(&vec![b'x'; 70_000], 200).chars().count(), 200);
    }

    #[test]
    fn first_bytes_are_at_most_64_and_ascii() {
        assert_eq!(first_bytes(b"SSH-2.0\r\n\xff"), "SSH-2.0\\r\\n\\xff");
        assert_eq!(first_bytes(&[b'a'; 100]).len(), 64);
    }

    proptest! {
        #[test]
        fn nothing_that_steers_is_left(bytes: Vec<u8>, limit in 0_usize..300) {
            let shown = printable(&bytes, limit);
            prop_assert!(shown.chars().count() <= limit.max(1));
            prop_assert!(!shown.chars().any(steers));
        }
    }
}
