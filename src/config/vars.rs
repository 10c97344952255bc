//! `${NAME}` in a value.
//!
//! Variables are filled in after the file was taken apart, and only into values: what they hold can
//! never become a key, a list or a second target. What they hold is not kept anywhere but in the
//! value, and never shown.

/// Why a reference could not be filled in. The text is what stands in the file.
#[derive(Debug, PartialEq, Eq)]
pub enum Unfilled<'a> {
    /// No variable has this name.
    Undefined {
        /// The whole reference, such as `${HOST}`.
        reference: &'a str,
        /// The name alone.
        name: &'a str,
    },
    /// Not a reference that can be understood.
    Malformed {
        /// From `${` on.
        reference: &'a str,
    },
}

/// Whether a text has a reference or an escape in it.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("${")
}

/// Fills in every reference. `$${` stands for `${`; any other `$` for itself.
pub fn fill<'a>(
    text: &'a str,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Vec<Unfilled<'a>>> {
    let mut filled = String::with_capacity(text.len());
    let mut wrong = Vec::new();
    let mut rest = text;
    while let Some((before, reference)) = rest.find("${").and_then(|at| rest.split_at_checked(at)) {
        if let Some(before) = before.strip_suffix('$') {
            filled.push_str(before);
            filled.push_str("${");
            rest = reference.strip_prefix("${").unwrap_or_default();
            continue;
        }
        filled.push_str(before);
        let inside = reference.strip_prefix("${").unwrap_or_default();
        let named = inside.split_once('}').filter(|(name, _)| is_name(name));
        let Some((name, behind)) = named else {
            wrong.push(Unfilled::Malformed { reference });
            rest = inside;
            continue;
        };
        match lookup(name) {
            Some(value) => filled.push_str(&value),
            None => wrong.push(Unfilled::Undefined {
                reference: reference.strip_suffix(behind).unwrap_or(reference),
                name,
            }),
        }
        rest = behind;
    }
    filled.push_str(rest);
    if wrong.is_empty() {
        Ok(filled)
    } else {
        Err(wrong)
    }
}

/// Whether a word can name a variable.
#[must_use]
pub fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<String> {
        match name {
            "A" => Some("one".to_owned()),
            "B_2" => Some("${A}".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        }
    }

    #[test]
    fn references_are_filled_in_once() {
        for (text, filled) in [
            ("no variable, $5", "no variable, $5"),
            ("${A}", "one"),
            ("x${A}y${A}z", "xoneyonez"),
            ("${B_2}", "${A}"),
            ("$${A}", "${A}"),
            ("$$${A}", "$${A}"),
            ("a$${ b ${A}", "a${ b one"),
            ("[${EMPTY}]", "[]"),
            ("cost: 5$", "cost: 5$"),
        ] {
            assert_eq!(fill(text, &lookup).unwrap(), filled, "{text}");
        }
    }

    #[test]
    fn every_reference_that_cannot_be_filled_in_is_named() {
        assert_eq!(
            fill("${X} ${A} ${1} ${Y:-d} ${", &lookup).unwrap_err(),
            [
                Unfilled::Undefined {
                    reference: "${X}",
                    name: "X"
                },
                Unfilled::Malformed {
                    reference: "${1} ${Y:-d} ${"
                },
                Unfilled::Malformed {
                    reference: "${Y:-d} ${"
                },
                Unfilled::Malformed { reference: "${" },
            ]
        );
    }
}
