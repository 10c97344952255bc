//! Reading fields with their place, and collecting what is wrong with them.

use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_yaml::Value;

use super::duration;
use super::field::{Field, words_of};
use super::mistake::{Mistake, quoted};
use super::problem::{Problem, all_of, any_of, near};
use super::slip;
use super::source::{Place, Source};
use super::tree::{Kind, Node};
use super::vars;

/// A value in the file, with what to call it.
#[derive(Clone)]
pub struct Spot<'n> {
    node: &'n Node,
    /// Where its key stands, if it has one.
    key: Option<Place>,
    /// What to call it in a message: a key in backticks, or "a target".
    pub what: String,
}

impl<'n> Spot<'n> {
    /// The whole file.
    pub fn root(node: &'n Node) -> Self {
        Self {
            node,
            key: None,
            what: "the configuration".to_owned(),
        }
    }

    /// The value of a key. Of a key that is not there, the mapping itself.
    pub fn key(&self, key: &str) -> Self {
        match self.node.entry(key) {
            Some(entry) => Self {
                node: &entry.value,
                key: Some(entry.key),
                what: format!("`{key}`"),
            },
            None => self.clone(),
        }
    }

    /// Whether the mapping has a key.
    pub fn has(&self, key: &str) -> bool {
        self.node.entry(key).is_some()
    }

    /// An item of a list, under a name of its own.
    pub fn item(&self, index: usize, what: &str) -> Self {
        Self {
            node: self.node.items().get(index).map_or(self.node, |node| node),
            key: None,
            what: what.to_owned(),
        }
    }

    /// Where the value begins; where there is nothing, its key.
    pub fn place(&self) -> Place {
        match (&self.node.kind, self.key) {
            (Kind::Scalar { text, .. }, Some(key)) if text.is_empty() => key,
            (Kind::Mapping(_) | Kind::Sequence(_), Some(key)) => key,
            _ => self.node.start(),
        }
    }

    /// Where the key stands, or the value if it has none.
    pub fn key_place(&self) -> Place {
        self.key.unwrap_or_else(|| self.node.start())
    }

    /// Where the entry begins.
    pub fn start(&self) -> Place {
        self.node.start()
    }

    /// Whether variables were filled in here, so that the value must not be shown.
    fn is_filled(&self) -> bool {
        self.node.text().is_some_and(vars::is_template)
    }

    /// What stands in the file, in a few words.
    fn describe(&self, value: &Value) -> String {
        let text = self.node.text().unwrap_or_default();
        match value {
            Value::Null if text.is_empty() => "nothing".to_owned(),
            Value::Null => format!("{}, which is nothing in YAML", quoted(text)),
            Value::Bool(_) => format!("the truth value {}", quoted(text)),
            Value::Number(_) => format!("the number {}", quoted(text)),
            Value::String(_) if text.is_empty() => "an empty text".to_owned(),
            Value::String(_) => format!("the text {}", quoted(text)),
            Value::Sequence(_) => "a list".to_owned(),
            Value::Mapping(_) => "a mapping".to_owned(),
            Value::Tagged(_) => "a tagged value".to_owned(),
        }
    }
}

/// Collects problems.
pub struct Reader<'a> {
    source: &'a Source,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    /// A reader that already knows of some problems.
    pub const fn new(source: &'a Source, problems: Vec<Problem>) -> Self {
        Self { source, problems }
    }

    /// The problems in the end.
    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// The file.
    pub const fn source(&self) -> &'a Source {
        self.source
    }

    /// Notes a problem.
    pub fn report(
        &mut self,
        place: Place,
        message: impl Into<String>,
        help: impl IntoIterator<Item = String>,
    ) {
        let problem = self.source.problem(place, message.into()).helps(help);
        self.problems.push(problem);
    }

    /// Notes a problem that has no place in the file.
    pub fn report_typed(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Notes what is wrong with a value. Where variables were filled in only what was expected is
    /// said, because the message could repeat what they hold.
    pub fn mistake(&mut self, spot: &Spot<'_>, mistake: Mistake, expected: &str) {
        let Mistake { message, help } = mistake;
        if spot.is_filled() {
            let message = format!(
                "{} is not valid once its variables are filled in",
                spot.what
            );
            self.report(spot.place(), message, [format!("it takes {expected}")]);
        } else {
            self.report(spot.place(), format!("{}: {message}", spot.what), help);
        }
    }

    /// Reports keys that `T` does not have, and returns those that were probably meant.
    pub fn unknown_keys<T: DeserializeOwned>(
        &mut self,
        spot: &Spot<'_>,
        also: fn(&str) -> bool,
    ) -> Vec<&'static str> {
        let known = words_of::<T>();
        let Kind::Mapping(entries) = &spot.node.target().kind else {
            return Vec::new();
        };
        let mut meant = Vec::new();
        for (key, entry) in entries {
            if known.contains(&key.as_str()) || also(key) {
                continue;
            }
            let free = || known.iter().copied().filter(|k| !entries.contains_key(*k));
            let near = slip::key(key)
                .filter(|meant| free().any(|key| key == *meant))
                .or_else(|| near(key, free()));
            let help = near
                .map(|near| format!("did you mean `{near}`?"))
                .or_else(|| slip::instead(key, known).map(str::to_owned));
            let allowed = all_of(known.iter().copied());
            let allowed = format!("the keys of {} are {allowed}", spot.what);
            self.report(
                entry.key,
                format!("unknown key {}", quoted(key)),
                help.into_iter().chain([allowed]),
            );
            meant.extend(near);
        }
        meant
    }

    /// The value of a field, if it is there and of the right type.
    pub fn fit<'f, T>(
        &mut self,
        spot: &Spot<'_>,
        field: &'f Field<T>,
        expected: &str,
    ) -> Option<&'f T> {
        match field {
            Field::Absent => None,
            Field::Given(value) => Some(value),
            Field::Unfit(value) => {
                self.unfit(spot, value, expected, None);
                None
            }
        }
    }

    /// One of the words of an enum, of which `allowed` are offered.
    pub fn word<T: DeserializeOwned + Copy>(
        &mut self,
        spot: &Spot<'_>,
        field: &Field<T>,
        allowed: &[&str],
    ) -> Option<T> {
        match field {
            Field::Absent => None,
            Field::Given(value) => Some(*value),
            Field::Unfit(value) => {
                let near = value
                    .as_str()
                    .filter(|_| !spot.is_filled())
                    .and_then(|word| near(word, allowed.iter().copied()))
                    .map(|near| format!("did you mean `{near}`?"));
                self.unfit(spot, value, &any_of(allowed.iter().copied()), near);
                None
            }
        }
    }

    /// A text that has something in it and means the same to every reader of YAML.
    pub fn text<'f, T: AsRef<str>>(
        &mut self,
        spot: &Spot<'_>,
        field: &'f Field<T>,
        expected: &str,
    ) -> Option<&'f str> {
        let text = self.fit(spot, field, expected)?.as_ref();
        if text.trim().is_empty() {
            let mistake = Mistake::new("the text is empty").help(format!("write {expected}"));
            self.mistake(spot, mistake, expected);
            return None;
        }
        if spot.node.is_plain()
            && let Some(other) = other_meaning(text)
        {
            let mistake = Mistake::new(format!("{} without quotes is {other}", quoted(text)))
                .help(format!("if the text is meant, write `\"{text}\"`"));
            self.mistake(spot, mistake, expected);
            return None;
        }
        Some(text)
    }

    /// A text that something is read from.
    pub fn parsed<T, O>(
        &mut self,
        spot: &Spot<'_>,
        field: &Field<T>,
        expected: &str,
        parse: impl FnOnce(&str) -> Result<O, Mistake>,
    ) -> Option<O>
    where
        T: AsRef<str>,
    {
        let text = self.fit(spot, field, expected)?.as_ref();
        match parse(text) {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.mistake(spot, mistake, expected);
                None
            }
        }
    }

    fn unfit(&mut self, spot: &Spot<'_>, value: &Value, expected: &str, near: Option<String>) {
        let help = match value {
            // A variable is missing, and that was said.
            Value::Tagged(_) => return,
            Value::Null => {
                Some("write a value, or remove the key where it is not needed".to_owned())
            }
            Value::Number(_) if expected.contains("`host:port`") => {
                let port = spot.node.text().unwrap_or_default();
                Some(format!("write the host as well: `host:{port}`"))
            }
            Value::Bool(_) | Value::Number(_) if expected.starts_with("text") => {
                let text = spot.node.text().unwrap_or_default();
                Some(format!("quote what is meant as text: `\"{text}\"`"))
            }
            Value::Number(_) if expected.starts_with("a duration") => {
                let text = spot.node.text().unwrap_or_default();
                unit_help(duration::parse(text))
            }
            Value::Number(_) if expected.starts_with("a period") => {
                let text = spot.node.text().unwrap_or_default();
                unit_help(duration::period(text))
            }
            Value::Number(_) if expected.starts_with("a list of stops") => {
                let status = spot.node.text().unwrap_or_default();
                Some(format!(
                    "a status is for `barrier: http`, as `denial: {{ status: [{status}] }}`"
                ))
            }
            Value::String(_) | Value::Number(_) if slip::is_row(expected) => {
                let text = spot.node.text().unwrap_or_default();
                Some(format!("write {}", quoted(&format!("[{text}]"))))
            }
            Value::String(_) => plain_help(spot.node.text().unwrap_or_default(), expected),
            Value::Sequence(_) if expected.contains("`host:port`") => {
                Some("write an entry of its own for each".to_owned())
            }
            Value::Mapping(_) if expected.starts_with("a list of") => {
                Some("begin each entry with `- `".to_owned())
            }
            Value::Bool(_) | Value::Number(_) | Value::Sequence(_) | Value::Mapping(_) => None,
        };
        let message = format!(
            "{} takes {expected}, not {}",
            spot.what,
            spot.describe(value)
        );
        self.report(spot.place(), message, near.into_iter().chain(help));
    }
}

fn unit_help(read: Result<Duration, Mistake>) -> Option<String> {
    read.err()?.help
}

/// Help for a text where a number or a truth value was expected.
fn plain_help(text: &str, expected: &str) -> Option<String> {
    if expected.contains("`true`") {
        return match text.to_ascii_lowercase().as_str() {
            "yes" | "on" | "y" | "true" => Some("write `true`".to_owned()),
            "no" | "off" | "n" | "false" => Some("write `false`".to_owned()),
            _ => None,
        };
    }
    if expected.contains("number") {
        return if vars::is_template(text) {
            Some("a variable can only stand for text".to_owned())
        } else if text
            .parse::<u64>()
            .is_ok_and(|_| !text.starts_with(['0', '+']))
        {
            Some(format!("write {text} without quotes"))
        } else if text.starts_with('0') && text.chars().all(|c| c.is_ascii_alphanumeric()) {
            Some("write the number in decimal, without zeros in front".to_owned())
        } else {
            None
        };
    }
    None
}

/// What a reader of YAML 1.1 (<https://yaml.org/type/>) takes an unquoted text for, if that is
/// something else than text. Many editors and tools still are such readers.
fn other_meaning(text: &str) -> Option<&'static str> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match text.to_ascii_lowercase().as_str() {
        "yes" | "no" | "on" | "off" => return Some("a truth value to many readers of YAML"),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits(unsigned) || (unsigned.starts_with("0x") || unsigned.starts_with("0o")) {
        return Some("a number to many readers of YAML");
    }
    if unsigned.contains(':') && unsigned.split(':').all(digits) {
        return Some("a number in base 60 to many readers of YAML");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_with_another_meaning_are_known() {
        for text in [
            "no",
            "Yes",
            "ON",
            "off",
            "010",
            "0x1F",
            "+1",
            "1:30",
            "190:20:30",
        ] {
            assert!(other_meaning(text).is_some(), "{text}");
        }
        for text in [
            "nobody",
            "door 5",
            "5 doors",
            "a:b",
            "1.1.1.1",
            "10.0.0.1:80",
            "-",
            ":",
        ] {
            assert!(other_meaning(text).is_none(), "{text}");
        }
    }
}
