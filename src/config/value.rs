//! From the tree to `serde_yaml`'s values, with variables filled in.

use std::collections::BTreeMap;

use serde_yaml::value::{Tag, TaggedValue};
use serde_yaml::{Mapping, Number, Value};

use super::problem::{Problem, near};
use super::slip;
use super::source::{Place, Source, count};
use super::tree::{Entry, Kind, Node};
use super::vars::{self, Unfilled};

/// What is needed on the way, and what goes wrong.
pub struct Filler<'a> {
    /// The file.
    pub source: &'a Source,
    /// Where variables are looked up.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
    /// The names that were given on the command line, for "did you mean".
    pub given: &'a [&'a str],
    /// What went wrong so far.
    pub problems: Vec<Problem>,
}

impl Filler<'_> {
    /// The value of the whole file. Top-level keys that begin with `x-` are left out: they are only a
    /// place for anchors.
    pub fn root(&mut self, node: &Node) -> Value {
        let Kind::Mapping(entries) = &node.kind else {
            return self.value(node);
        };
        let mut mapping = Mapping::new();
        for (key, entry) in entries {
            if !key.starts_with("x-") {
                let value = self.value(&entry.value);
                mapping.insert(Value::String(key.clone()), value);
            }
        }
        Value::Mapping(mapping)
    }

    /// The value of a node. The depth is bounded by the tree's.
    fn value(&mut self, node: &Node) -> Value {
        match &node.kind {
            Kind::Alias(target) => self.value(target),
            Kind::Sequence(items) => {
                Value::Sequence(items.iter().map(|item| self.value(item)).collect())
            }
            Kind::Mapping(entries) => {
                let mut mapping = Mapping::new();
                for (key, entry) in entries {
                    mapping.insert(Value::String(key.clone()), self.value(&entry.value));
                }
                Value::Mapping(mapping)
            }
            Kind::Scalar { text, .. } if vars::is_template(text) => self.filled(text, node.place),
            Kind::Scalar { text, plain: true } => plain(text),
            Kind::Scalar { text, plain: false } => Value::String(text.clone()),
        }
    }

    fn filled(&mut self, text: &str, place: Place) -> Value {
        match vars::fill(text, self.lookup) {
            Ok(text) => Value::String(text),
            Err(wrong) => {
                for unfilled in wrong {
                    let problem = self.unfilled(&unfilled, place);
                    self.problems.push(problem);
                }
                unfilled_value()
            }
        }
    }

    fn unfilled(&self, unfilled: &Unfilled<'_>, place: Place) -> Problem {
        match unfilled {
            Unfilled::Undefined { reference, name } => {
                let place = self.within(place, reference);
                let problem = self
                    .source
                    .problem(place, format!("the variable `{name}` is not defined"))
                    .helps(
                        near(name, self.given.iter().copied())
                            .map(|near| format!("did you mean `{near}`?")),
                    );
                problem.help(format!(
                    "give it as `--var {name}=…` or in the environment; for the text itself write \
                     `${reference}`"
                ))
            }
            Unfilled::Malformed { reference } => {
                let place = self.within(place, reference);
                let message = "this is not a variable".to_owned();
                self.source
                    .problem(place, message)
                    .help(slip::variable(reference))
            }
        }
    }

    /// Where a reference stands within its value, if it can be found on the same line.
    fn within(&self, place: Place, reference: &str) -> Place {
        let all = self.source.excerpt(Place {
            length: u32::MAX,
            ..place
        });
        match all.find(reference).and_then(|at| all.get(..at)) {
            Some(before) => Place {
                column: place.column.saturating_add(count(before.chars().count())),
                length: count(reference.chars().count()),
                ..place
            },
            None => place,
        }
    }
}

/// The stand-in for a value whose variables are missing. Tags are refused in files, so nothing else
/// is [`Value::Tagged`]; it fits nowhere, and is not complained about a second time.
fn unfilled_value() -> Value {
    Value::Tagged(Box::new(TaggedValue {
        tag: Tag::new("unfilled"),
        value: Value::Null,
    }))
}

/// What an unquoted scalar means, by the core schema of YAML 1.2 (10.3.2).
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    // `010` is neither a number in YAML 1.2 nor the same number in 1.1: it stays text.
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        && !matches!(digits.as_bytes(), [b'0', b'0'..=b'9', ..]);
    if numeric {
        if let Ok(number) = text.parse::<u64>() {
            return Value::Number(number.into());
        }
        if let Ok(number) = text.parse::<i64>() {
            return Value::Number(number.into());
        }
        if let Ok(number) = text.parse::<f64>() {
            return Value::Number(Number::from(number));
        }
    }
    Value::String(text.to_owned())
}

/// Where two readings of a file are not the same, apart from what a scalar is taken for.
///
/// saphyr-parser reads YAML 1.2, libyaml behind `serde_yaml` 1.1. A file that they take apart
/// differently would be watched differently by somebody else's reader.
pub fn difference(node: &Node, other: &Value) -> Option<Place> {
    let inside = node.target();
    let same = match (&inside.kind, other) {
        (Kind::Sequence(items), Value::Sequence(others)) if items.len() == others.len() => {
            let mut pairs = items.iter().zip(others);
            return pairs.find_map(|(item, other)| difference(item, other));
        }
        (Kind::Mapping(entries), Value::Mapping(others)) if entries.len() == others.len() => {
            let mut pairs = others
                .iter()
                .map(|(key, value)| (entry(entries, key), value));
            return pairs.find_map(|(entry, value)| match entry {
                Some(entry) => difference(&entry.value, value),
                None => Some(inside.start()),
            });
        }
        (Kind::Scalar { text, .. }, Value::String(other)) => text == other,
        (Kind::Scalar { plain, .. }, Value::Null | Value::Bool(_) | Value::Number(_)) => *plain,
        (Kind::Scalar { .. } | Kind::Sequence(_) | Kind::Mapping(_) | Kind::Alias(_), _) => false,
    };
    (!same).then(|| inside.start())
}

/// The entry that another reader found under this key.
fn entry<'e>(entries: &'e BTreeMap<String, Entry>, key: &Value) -> Option<&'e Entry> {
    match key {
        Value::String(key) => entries.get(key),
        Value::Number(key) => entries.get(&key.to_string()),
        Value::Bool(key) => entries.get(&key.to_string()),
        Value::Null | Value::Sequence(_) | Value::Mapping(_) | Value::Tagged(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tree;

    fn differs(text: &str) -> Option<Place> {
        let source = Source::decode("f".to_owned(), text.as_bytes()).unwrap();
        let (root, problems) = tree::gather(&source);
        assert_eq!(problems, []);
        difference(&root.unwrap(), &serde_yaml::from_str(text).unwrap())
    }

    #[test]
    fn plain_scalars_mean_what_yaml_1_2_says() {
        let text = |text: &str| Value::String(text.to_owned());
        for (scalar, value) in [
            ("", Value::Null),
            ("~", Value::Null),
            ("true", Value::Bool(true)),
            ("5", Value::Number(5.into())),
            ("-5", Value::Number((-5).into())),
            ("0", Value::Number(0.into())),
            ("1.5", Value::Number(1.5.into())),
            ("1e3", Value::Number(1000.0.into())),
            ("no", text("no")),
            ("010", text("010")),
            ("0x10", text("0x10")),
            ("1:30", text("1:30")),
            ("1.1.1.1", text("1.1.1.1")),
            ("5s", text("5s")),
            ("-", text("-")),
        ] {
            assert_eq!(plain(scalar), value, "{scalar}");
        }
    }

    #[test]
    fn both_readers_agree_on_ordinary_files() {
        for text in [
            "a: 1\nb: [x, 'y', \"z\\n\", ~, true, 1.5]\nc: {d: e}",
            "a: &x {b: c}\nd: [*x, *x]\r\ne: |\r\n  two\r\n  lines\r\n",
            "a: >-\n  folded\n  text\n1: x\ntrue: y\n",
            "a: no\nb: 010\nc: 0x10\nd: 1:30\ne: 0o7",
        ] {
            assert_eq!(differs(text), None, "{text}");
        }
    }

    #[test]
    fn different_readings_are_noticed() {
        let source = Source::decode("f".to_owned(), b"a: [b, c]").unwrap();
        let root = tree::gather(&source).0.unwrap();
        for (other, column) in [
            ("a: [b]", 4),
            ("a: [b, d]", 8),
            ("a: {b: c}", 4),
            ("a: [b, c]\nd: e", 1),
            ("e: [b, c]", 1),
            ("a: b", 4),
            ("[]", 1),
        ] {
            let place = difference(&root, &serde_yaml::from_str(other).unwrap());
            assert_eq!(place.map(|place| place.column), Some(column), "{other}");
        }
        // A real one: YAML 1.1 reads a flow key that begins with `?` without it.
        assert_eq!(differs("a: [x, ?z]").map(|place| place.column), Some(8));
    }
}
