//! A text as a value in YAML.
//!
//! Plain where every reader takes it for that text, else in double quotes. `${` is escaped, so that
//! what was typed stays what is meant and never becomes a variable.

use std::fmt::Write as _;

/// Words that some reader of YAML takes for something else than text (YAML 1.1 and 1.2).
const NO_TEXT: [&str; 10] = [
    "null", "true", "false", "yes", "no", "on", "off", "y", "n", "none",
];

/// The text as a scalar.
pub(super) fn scalar(text: &str) -> String {
    let text = text.replace("${", "$${");
    if is_plain(&text) {
        return text;
    }
    let mut quoted = String::with_capacity(text.len().saturating_add(2));
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(character);
            }
            ' '..='~' => quoted.push(character),
            // Letters of other scripts are left to be read; what is no letter may not be visible.
            _ if character.is_alphanumeric() => quoted.push(character),
            // Writing to a string cannot fail.
            _ => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(character));
            }
        }
    }
    quoted.push('"');
    quoted
}

/// Whether every reader takes the text for itself: a letter first, and nothing that could end it,
/// begin a comment or make it a mapping.
fn is_plain(text: &str) -> bool {
    let tame = |c: char| c.is_ascii_alphanumeric() || " ._/:-?=&+~".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.ends_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.chars().all(tame)
        && !text.contains(": ")
        && !text.contains("  ")
        && !NO_TEXT.contains(&text.to_ascii_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_harmless_stays_readable() {
        for text in [
            "https://admin.example.com/login?next=/a&b=1",
            "db.example.com:5432",
            "SSH of bastion.example.com",
        ] {
            assert_eq!(scalar(text), text);
        }
    }

    #[test]
    fn what_a_reader_could_mistake_is_quoted() {
        for (text, shown) in [
            ("192.0.2.1:22", "\"192.0.2.1:22\""),
            ("12:30", "\"12:30\""),
            ("[2001:db8::1]:22", "\"[2001:db8::1]:22\""),
            ("no", "\"no\""),
            ("a: b", "\"a: b\""),
            ("a #b", "\"a #b\""),
            ("a:", "\"a:\""),
            ("", "\"\""),
            ("say \"\\\"", "\"say \\\"\\\\\\\"\""),
            ("a\nb", "\"a\\U0000000Ab\""),
            ("${HOST}", "\"$${HOST}\""),
            ("bücher", "\"bücher\""),
        ] {
            assert_eq!(scalar(text), shown);
        }
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_back(text in any::<String>()) {
            let document = format!("a: {}\n", scalar(&text));
            let read: serde_yaml::Value = serde_yaml::from_str(&document).unwrap();
            let wanted = text.replace("${", "$${");
            prop_assert_eq!(read["a"].as_str(), Some(wanted.as_str()), "{}", document);
        }
    }
}
