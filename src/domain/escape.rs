//! Making text inert: for a terminal, Markdown, XML and the commands of a GitHub runner.
//!
//! Everything that a server sent, and every name that somebody chose, goes through here before it is
//! shown. The notation for what must not be shown is the same everywhere: `\u{202e}`. Nothing here
//! reads back what it wrote: the saved report holds the text as it was.

use std::fmt::Write as _;

/// Makes text fit for one line of a terminal or a log: characters that control, reorder or hide
/// others become `\u{…}`, line breaks become `\n`, and `##[` (an old runner command, which the runner
/// looks for anywhere in a line) is broken.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_deceptive(c) => push_code(&mut out, c),
            c => out.push(c),
        }
    }
    break_legacy_command(&out)
}

/// Cuts text to at most `max` characters, the last of which is then an ellipsis.
#[must_use]
pub fn clip(text: &str, max: usize) -> String {
    if text.chars().nth(max).is_none() {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The last pass over finished lines that a GitHub runner will read: no line may begin with `::` and
/// none may hold `##[` (actions/runner, `ActionCommand.cs`). Blanks and colour sequences before `::`
/// are looked through.
#[must_use]
pub fn runner_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in break_legacy_command(text).split_inclusive('\n') {
        let start = skip_blanks_and_colours(line);
        match line.get(start..).and_then(|rest| rest.strip_prefix("::")) {
            Some(rest) => {
                out.push_str(line.get(..start).unwrap_or_default());
                out.push_str(":\\u{3a}");
                out.push_str(rest);
            }
            None => out.push_str(line),
        }
    }
    out
}

/// A Markdown code span that holds any text, in a table cell as well. Inside a code span GitHub makes
/// neither mentions, references, links, images nor emoji; the two characters that could end the span
/// or the cell are written as codes, because renderers do not agree about backslashes there.
#[must_use]
pub fn markdown_code(text: &str) -> String {
    let inner = visible(text)
        .replace('`', "\\u{60}")
        .replace('|', "\\u{7c}");
    if inner.trim().is_empty() {
        return "(empty)".to_owned();
    }
    format!("`{inner}`")
}

/// Prose of our own for Markdown: punctuation that could be markup becomes an entity.
#[must_use]
pub fn markdown_prose(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        if "&<>`|*_[]~\\#@$!".contains(c) {
            push_entity(&mut out, c);
        } else {
            out.push(c);
        }
    }
    out
}

/// A name in Markdown: as it is where it holds nothing but letters and single blanks, else as code.
/// (Digits, dots and signs can make references, links and mentions.)
#[must_use]
pub fn markdown_name(name: &str) -> String {
    let plain = !name.is_empty()
        && !name.contains("  ")
        && name == name.trim()
        && visible(name) == name
        && name.chars().all(|c| c.is_alphabetic() || c == ' ');
    if plain {
        name.to_owned()
    } else {
        markdown_code(name)
    }
}

/// The text after the second `::` of a workflow command.
#[must_use]
pub fn command_data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property's value in a workflow command.
#[must_use]
pub fn command_property(text: &str) -> String {
    command_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Writes every character that XML 1.0 does not allow (section 2.2, `Char`) as a code, and keeps line
/// breaks. Carriage returns go the same way: readers turn them into something else.
#[must_use]
pub fn xml_chars(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => out.push(c),
            _ => push_code(&mut out, c),
        }
    }
    out
}

/// Text for a CDATA section: only what XML allows, and `]]>` split over two sections, so that a
/// reader gets it back whole.
#[must_use]
pub fn xml_cdata(text: &str) -> String {
    xml_chars(text).replace("]]>", "]]]]><![CDATA[>")
}

fn break_legacy_command(text: &str) -> String {
    text.replace("##[", "##\\u{5b}")
}

fn push_code(out: &mut String, c: char) {
    // Writing to a String cannot go wrong.
    let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
}

fn push_entity(out: &mut String, c: char) {
    let _ = write!(out, "&#{};", u32::from(c));
}

/// The offset of the first byte that is neither blank nor part of a colour sequence.
fn skip_blanks_and_colours(line: &str) -> usize {
    let mut colour = false;
    for (offset, c) in line.char_indices() {
        match c {
            '\u{1b}' => colour = true,
            'm' if colour => colour = false,
            _ if colour || c.is_whitespace() => {}
            _ => return offset,
        }
    }
    line.len()
}

/// Characters that control, reorder or hide what stands around them, or are none at all.
fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{ad}' // soft hyphen
        | '\u{34f}' // combining grapheme joiner
        | '\u{61c}' // Arabic letter mark
        | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
        | '\u{17b4}' | '\u{17b5}' // invisible Khmer vowels
        | '\u{180b}'..='\u{180f}' // Mongolian selectors
        | '\u{200b}'..='\u{200f}' // zero width, direction marks
        | '\u{2028}'..='\u{202e}' // separators, embeddings and overrides
        | '\u{2060}'..='\u{206f}' // word joiner, invisible operators, isolates
        | '\u{fe00}'..='\u{fe0f}' // variation selectors
        | '\u{feff}' // byte order mark
        | '\u{fdd0}'..='\u{fdef}' // noncharacters
        | '\u{fff0}'..='\u{fffb}' // specials
        | '\u{1d173}'..='\u{1d17a}' // musical formatting
        | '\u{e0000}'..='\u{e0fff}' // tags, further selectors
    ) || c.is_control()
        || u32::from(c) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_controls_and_tricks_become_codes() {
        assert_eq!(visible("plain é 漢字 עברית"), "plain é 漢字 עברית");
        assert_eq!(visible("\u{1b}[2Jgone\u{7}"), "\\u{1b}[2Jgone\\u{7}");
        assert_eq!(visible("a\r\nb\tc\0"), "a\\r\\nb\\tc\\u{0}");
        assert_eq!(visible("\u{202e}fdp.exe"), "\\u{202e}fdp.exe");
        assert_eq!(visible("ad\u{200b}min"), "ad\\u{200b}min");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
        assert_eq!(visible("\u{ffff}\u{1fffe}"), "\\u{ffff}\\u{1fffe}");
        assert_eq!(visible("x\u{2028}y"), "x\\u{2028}y");
    }

    #[test]
    fn no_line_can_command_a_runner() {
        assert_eq!(visible("a ##[error]b"), "a ##\\u{5b}error]b");
        assert_eq!(visible("###[x"), "###\\u{5b}x");
        assert_eq!(runner_lines("::set-env::x"), ":\\u{3a}set-env::x");
        assert_eq!(
            runner_lines("a\n \t\u{a0}::x\nb"),
            "a\n \t\u{a0}:\\u{3a}x\nb"
        );
        assert_eq!(
            runner_lines("\u{1b}[31m\u{1b}[1m ::x\n"),
            "\u{1b}[31m\u{1b}[1m :\\u{3a}x\n"
        );
        assert_eq!(
            runner_lines("tcp [2001:db8::1]:443\n"),
            "tcp [2001:db8::1]:443\n"
        );
        assert_eq!(runner_lines(""), "");
    }

    #[test]
    fn clipping_counts_characters() {
        assert_eq!(clip("héllo", 5), "héllo");
        assert_eq!(clip("héllo!", 5), "héll…");
        assert_eq!(clip("ab", 0), "…");
    }

    #[test]
    fn markdown_cannot_be_left() {
        assert_eq!(markdown_code("a`b|c"), "`a\\u{60}b\\u{7c}c`");
        assert_eq!(markdown_code(" "), "(empty)");
        assert_eq!(markdown_code("x\n\n# y"), "`x\\n\\n# y`");
        assert_eq!(markdown_name("Admin console"), "Admin console");
        assert_eq!(markdown_name("@octocat"), "`@octocat`");
        assert_eq!(markdown_name("GH-12"), "`GH-12`");
        assert_eq!(markdown_prose("no_answer <b>"), "no&#95;answer &#60;b&#62;");
    }

    #[test]
    fn command_parts_follow_the_runners_own_escapes() {
        assert_eq!(command_data("50% a\r\nb: c,d"), "50%25 a%0D%0Ab: c,d");
        assert_eq!(command_property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }

    #[test]
    fn xml_gets_only_its_own_characters() {
        assert_eq!(
            xml_chars("a\0b\u{1b}\u{ffff}\u{fffe}\rc\n\t"),
            "a\\u{0}b\\u{1b}\\u{ffff}\\u{fffe}\\u{d}c\n\t"
        );
        assert_eq!(xml_cdata("x]]>y"), "x]]]]><![CDATA[>y");
        assert_eq!(xml_cdata("]]]]>>"), "]]]]]]><![CDATA[>>");
    }
}
