//! The configuration: found, read, diagnosed with line and column, and made into a plan.
//!
//! A file goes through four steps, and what is wrong in any of them is reported together as far as
//! it can be understood:
//!
//! 1. `source`: bytes become clean UTF-8 text with lines.
//! 2. `tree`: text becomes a tree in which every key and value knows its place.
//! 3. `value`, `field`, `file`: variables are filled in, and the tree becomes serde types.
//! 4. [`resolve()`]: the types become a [`Plan`](crate::domain::target::Plan).
//!
//! Nothing here touches the network, and nothing but the file, `--var` and the environment is read.

mod duration;
mod field;
mod file;
mod host;
mod mistake;
mod problem;
mod reader;
mod resolve;
mod schema;
mod slip;
mod source;
mod tree;
mod value;
mod vars;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use serde::Deserialize;
use serde_yaml::Value;

pub use file::Kind;
pub use problem::{Problem, Problems};
pub use resolve::{Overrides, resolve};
pub use schema::schema;
pub use source::{Place, STDIN};

use field::Field;
use mistake::Mistake;
use source::Source;
use tree::Node;
use value::Filler;

/// Where a configuration is looked for, in this order, from the working directory.
pub const SEARCHED: [&str; 2] = [".github/noentry.yml", "noentry.yml"];

/// A file that was read and could be taken apart. What is wrong with it so far is kept, to be
/// reported together with what [`resolve()`] finds.
#[derive(Debug)]
pub struct Loaded {
    source: Source,
    root: Rc<Node>,
    file: Field<file::File>,
    problems: Vec<Problem>,
}

/// Finds the configuration: the one that was named, else the first of [`SEARCHED`] that exists.
///
/// # Errors
///
/// When none was named and none is there.
pub fn find(explicit: Option<&Path>) -> Result<PathBuf, Problems> {
    find_in(Path::new(""), explicit)
}

fn find_in(directory: &Path, explicit: Option<&Path>) -> Result<PathBuf, Problems> {
    if let Some(path) = explicit {
        return Ok(path.to_owned());
    }
    let found = SEARCHED
        .into_iter()
        .find(|path| directory.join(path).exists());
    found.map(PathBuf::from).ok_or_else(|| {
        // The other ending of the same format is the likeliest reason.
        let other = SEARCHED.map(|path| path.replace(".yml", ".yaml"));
        let other = other.iter().find(|path| directory.join(path).exists());
        let remedy = match other {
            Some(there) => {
                format!("there is `{there}`: give it the ending `.yml`, or name it with `--config`")
            }
            None => "write one with `noentry init` or by hand, or name a file with `--config`"
                .to_owned(),
        };
        Problem::typed("no configuration found".to_owned())
            .help(format!("looked for {} here", problem::all_of(SEARCHED)))
            .help(remedy)
            .into()
    })
}

/// Reads a configuration and fills in its variables, from `vars` first and then from the
/// environment.
///
/// # Errors
///
/// When the file cannot be read or is not YAML. Everything else is left to [`resolve()`].
pub fn load(path: &Path, vars: &BTreeMap<String, String>) -> Result<Loaded, Problems> {
    take_apart(Source::read(path)?, vars, &|name| std::env::var(name).ok())
}

/// Takes apart a configuration that is not a file yet, and shows it under this name in messages. Only
/// the text counts: no variable has a value.
///
/// # Errors
///
/// When it is not YAML. Everything else is left to [`resolve()`].
pub fn load_text(name: &str, text: &str) -> Result<Loaded, Problems> {
    let source = Source::decode(name.to_owned(), text.as_bytes())?;
    take_apart(source, &BTreeMap::new(), &|_| None)
}

/// Reads a duration as it is written in the file, for the command line: `4.8s`, `500ms`, `1m`.
///
/// # Errors
///
/// What is wrong with it, and what to write, in one line.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    duration::parse(text).map_err(in_one_line)
}

/// Reads a period as it is written in the file, for the command line: `90m`, `24h`, `7d`.
///
/// # Errors
///
/// What is wrong with it, and what to write, in one line.
pub fn parse_period(text: &str) -> Result<Duration, String> {
    duration::period(text).map_err(in_one_line)
}

fn in_one_line(mistake: Mistake) -> String {
    match mistake.help {
        Some(help) => format!("{}: {help}", mistake.message),
        None => mistake.message,
    }
}

fn take_apart(
    source: Source,
    vars: &BTreeMap<String, String>,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Loaded, Problems> {
    let (root, mut problems) = tree::gather(&source);
    let Some(root) = root else {
        let missing = || Problem::of_file(&source.name, "the configuration is empty".to_owned());
        return Err(Problems::of(problems).unwrap_or_else(|| missing().into()));
    };
    problems.extend(vars.keys().filter(|name| !vars::is_name(name)).map(|name| {
        Problem::typed(format!("{} cannot name a variable", mistake::quoted(name)))
            .help("a name is made of letters, digits and `_`, and does not begin with a digit")
    }));
    if problems.is_empty() {
        problems.extend(second_reading(&source, &root));
    }
    let given: Vec<&str> = vars.keys().map(String::as_str).collect();
    let mut filler = Filler {
        source: &source,
        lookup: &|name| vars.get(name).cloned().or_else(|| environment(name)),
        given: &given,
        problems: Vec::new(),
    };
    let value = filler.root(&root);
    problems.append(&mut filler.problems);
    let file = Field::deserialize(value).unwrap_or(Field::Unfit(Box::new(Value::Null)));
    Ok(Loaded {
        source,
        root,
        file,
        problems,
    })
}

/// Reads the file once more with another parser: what only one of the two accepts, or what they
/// take apart differently, is not clear enough to rest a verdict on.
fn second_reading(source: &Source, root: &Node) -> Option<Problem> {
    match serde_yaml::from_str::<Value>(source.text()) {
        Ok(other) => value::difference(root, &other).map(|place| {
            let message = "two readers of YAML understand this file differently".to_owned();
            let help = "quote what is meant as text, and write lists and mappings plainly";
            source.problem(place, message).help(help)
        }),
        Err(error) => {
            let place = error
                .location()
                .map_or_else(Place::default, |location| Place {
                    line: source::count(location.line()),
                    column: source::count(location.column()),
                    length: 1,
                });
            let message = format!("not valid YAML: {}", without_location(&error.to_string()));
            Some(
                source
                    .problem(place, message)
                    .help(slip::syntax(source, place)),
            )
        }
    }
}

/// `serde_yaml` puts the place of an error into its text, where it would stand twice.
fn without_location(text: &str) -> &str {
    text.split_once(" at line ")
        .map_or(text, |(before, _)| before)
}

#[cfg(test)]
mod tests;
