//! `denial:` which ways of being stopped count, in the shape that belongs to the barrier.

use std::collections::{BTreeMap, BTreeSet};

use regex_lite::RegexBuilder;

use super::barrier::Shape;
use crate::config::field::Field;
use crate::config::file::{self, Stop};
use crate::config::mistake::{Mistake, quoted};
use crate::config::problem::any_of;
use crate::config::reader::{Reader, Spot};
use crate::domain::reach::Reach;
use crate::domain::target::{Barrier, Denial, HttpDenial};

/// The longest pattern for a body in characters, and the largest program that it may become in bytes.
const MAX_PATTERN: usize = 1_000;
const MAX_PROGRAM: usize = 1024 * 1024;

/// Reads a denial; none if it is wrong, or if there is no barrier to judge it by.
pub fn read(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Box<file::Denial>>,
    barrier: Option<Barrier>,
    shape: Option<&Shape>,
) -> Option<Denial> {
    let expected = "a list of stops, or a mapping for the barrier `http`";
    let makes_sense =
        |reach: Reach| shape.is_none_or(|shape| shape.stop_objection(reach).is_none());
    match field {
        Field::Absent => {
            let mut denial = barrier.map(Denial::all_of)?;
            denial.stops.retain(|reach| makes_sense(*reach));
            return Some(denial);
        }
        Field::Given(_) | Field::Unfit(_) => {}
    }
    let given = reader.fit(spot, field, expected)?.as_ref();
    let Some(barrier) = barrier else {
        // What is wrong inside a mapping is wrong at any barrier.
        if let file::Denial::Http(file) = given {
            http(reader, spot, file);
        }
        return None;
    };
    match (barrier, given) {
        (Barrier::Dns | Barrier::Network, file::Denial::Stops(items)) => {
            stops(reader, spot, items, barrier, shape)
        }
        (Barrier::Http, file::Denial::Http(file)) => Some(Denial {
            http: http(reader, spot, file)?,
            ..Denial::all_of(barrier)
        }),
        (Barrier::Tls, _) => {
            let message = "barrier `tls` takes no `denial`";
            let help = "only a TLS alert that turns the client away counts there: remove the key";
            reader.report(spot.key_place(), message, [help.to_owned()]);
            None
        }
        (Barrier::Http, file::Denial::Stops(_)) => {
            let help = "write a mapping, such as `{ status: [403] }`; a list belongs to the \
                        barriers `dns` and `network`";
            let message = "barrier `http` takes a mapping as `denial`, not a list";
            reader.report(spot.key_place(), message, [help.to_owned()]);
            None
        }
        (Barrier::Dns | Barrier::Network, file::Denial::Http(_)) => {
            let words = words(barrier, shape);
            let help = format!(
                "write a list of {}; a mapping belongs to the barrier `http`",
                any_of(words.iter().copied())
            );
            let message = format!("barrier `{barrier}` takes a list as `denial`, not a mapping");
            reader.report(spot.key_place(), message, [help]);
            None
        }
    }
}

/// The words of a barrier's own stops, as far as they make sense for the target.
fn words(barrier: Barrier, shape: Option<&Shape>) -> Vec<&'static str> {
    let stops = barrier.stops().iter();
    let sensible =
        stops.filter(|reach| shape.is_none_or(|shape| shape.stop_objection(**reach).is_none()));
    sensible.map(|reach| reach.as_str()).collect()
}

fn stops(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    items: &[Field<Stop>],
    barrier: Barrier,
    shape: Option<&Shape>,
) -> Option<Denial> {
    let allowed = words(barrier, shape);
    if items.is_empty() {
        let help = format!(
            "list at least one of {}, or remove the key to accept all",
            any_of(allowed.iter().copied())
        );
        reader.report(spot.place(), "`denial` is empty", [help]);
        return None;
    }
    let mut stops = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let spot = spot.item(index, "`denial`");
        let Some(stop) = reader.word(&spot, item, &allowed) else {
            continue;
        };
        let reach = stop.reach();
        let message = if !barrier.stops().contains(&reach) {
            format!("`{reach}` does not belong to barrier `{barrier}`")
        } else if let Some(why) = shape.and_then(|shape| shape.stop_objection(reach)) {
            format!("`{reach}` makes no sense for this target: {why}")
        } else {
            stops.insert(reach);
            continue;
        };
        let help = format!("allowed here: {}", any_of(allowed.iter().copied()));
        reader.report(spot.place(), message, [help]);
    }
    Some(Denial {
        stops,
        http: HttpDenial::default(),
    })
}

fn http(reader: &mut Reader<'_>, spot: &Spot<'_>, file: &file::HttpDenial) -> Option<HttpDenial> {
    let unknown = reader.unknown_keys::<file::HttpDenial>(spot, |_| false);
    let empty = matches!(
        (&file.status, &file.header, &file.body),
        (Field::Absent, Field::Absent, Field::Absent)
    );
    if empty && unknown.is_empty() {
        let help = "write `status`, `header` or `body`, or remove the key to accept 403 and 404";
        reader.report(spot.place(), "`denial` is empty", [help.to_owned()]);
        return None;
    }
    let default = HttpDenial::default();
    let marked = !matches!((&file.header, &file.body), (Field::Absent, Field::Absent));
    let status = statuses(reader, &spot.key("status"), &file.status, marked);
    let header = headers(reader, &spot.key("header"), &file.header);
    let expected = "text (a regular expression)";
    let body_spot = spot.key("body");
    let body = reader
        .text(&body_spot, &file.body, expected)
        .map(str::to_owned)
        .filter(|pattern| match check_pattern(pattern) {
            Ok(()) => true,
            Err(mistake) => {
                reader.mistake(&body_spot, mistake, expected);
                false
            }
        });
    Some(HttpDenial {
        status: status.unwrap_or(default.status),
        header: header.unwrap_or_default(),
        body,
    })
}

/// Reads the accepted statuses. With a mark of the denier's own (`marked`) any will do; alone, one
/// that an application gives to whoever it serves would be a false "blocked".
fn statuses(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Vec<Field<file::Status>>>,
    marked: bool,
) -> Option<BTreeSet<u16>> {
    let items = reader.fit(spot, field, "a list of status codes, such as `[403, 404]`")?;
    if items.is_empty() {
        let help = "list at least one, or remove the key to accept 403 and 404".to_owned();
        reader.report(spot.place(), "`status` is empty", [help]);
    }
    let mut statuses = BTreeSet::new();
    for (index, item) in items.iter().enumerate() {
        let spot = spot.item(index, "`status`");
        let expected = "a whole number from 100 to 599";
        let Some(file::Status(status)) = reader.fit(&spot, item, expected) else {
            continue;
        };
        match u16::try_from(*status) {
            Ok(429) => {
                let help = "it tells that this vantage asks too often, not that an outsider is \
                            denied; such an answer is always inconclusive";
                reader.report(spot.place(), "429 is no denial", [help.to_owned()]);
            }
            Ok(status @ (407 | 511)) => {
                let help = "only a proxy or a captive portal says it, and that may stand on this side; \
                            such an answer is always inconclusive";
                let message = format!("{status} is no denial");
                reader.report(spot.place(), message, [help.to_owned()]);
            }
            Ok(status @ (100..=399 | 401)) if !marked => {
                let help = "an outsider who gets this far is served: add the denier's own mark \
                            with `header` or `body`";
                let message = format!("{status} alone is no denial");
                reader.report(spot.place(), message, [help.to_owned()]);
            }
            Ok(status @ 100..=599) => {
                statuses.insert(status);
            }
            Ok(_) | Err(_) => {
                let message = format!("`status` takes {expected}, not {status}");
                reader.report(spot.place(), message, None);
            }
        }
    }
    Some(statuses)
}

fn headers(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<BTreeMap<String, Field<String>>>,
) -> Option<Vec<(String, String)>> {
    let items = reader.fit(spot, field, "a mapping, such as `{ server: awselb/2.0 }`")?;
    if items.is_empty() {
        let help = "name at least one header, or remove the key".to_owned();
        reader.report(spot.place(), "`header` is empty", [help]);
    }
    let mut headers = BTreeMap::new();
    for (name, field) in items {
        let spot = spot.key(name);
        if !is_token(name) {
            let message = format!("{} is not the name of a header", quoted(name));
            let help = "a name is made of letters, digits and `-`".to_owned();
            reader.report(spot.key_place(), message, [help]);
            continue;
        }
        let Some(value) = reader.text(&spot, field, "text (the exact value)") else {
            continue;
        };
        let visible = |c: char| c == ' ' || c == '\t' || c.is_ascii_graphic();
        if !value.chars().all(visible) || value.trim() != value {
            let mistake = Mistake::new("no header can have this value")
                .help("a value is made of visible ASCII characters, with blanks only between them");
            reader.mistake(&spot, mistake, "the value of a header");
            continue;
        }
        let lower = name.to_ascii_lowercase();
        if headers.insert(lower, value.to_owned()).is_some() {
            let message = format!("the header `{}` is there twice", name.to_ascii_lowercase());
            let help = "the names of headers are the same in capitals and small letters".to_owned();
            reader.report(spot.key_place(), message, [help]);
        }
    }
    Some(headers.into_iter().collect())
}

/// Whether a text is a token, RFC 9110 5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}

/// Checks that a pattern is a regular expression, of a bounded size, and says anything at all.
fn check_pattern(pattern: &str) -> Result<(), Mistake> {
    let length = pattern.chars().count();
    if length > MAX_PATTERN {
        return Err(Mistake::new(format!("the pattern has {length} characters"))
            .help(format!("at most {MAX_PATTERN} are allowed")));
    }
    let regex = RegexBuilder::new(pattern)
        .size_limit(MAX_PROGRAM)
        .build()
        .map_err(|error| {
            Mistake::new(format!("this is not a regular expression: {error}"))
                .help("write it in single quotes, so that YAML leaves backslashes alone")
        })?;
    // A pattern that fits an empty body and an unlikely one fits every body.
    if regex.is_match("") && regex.is_match("\u{1}noentry\n\u{2}") {
        return Err(
            Mistake::new("the pattern fits every body, so it proves nothing")
                .help("write something that only the denier's page has"),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_compiled_bounded_and_must_say_something() {
        for pattern in [
            "Access denied",
            "(?i)blocked by .* waf",
            "^$",
            r"\bRef: [0-9a-f]+\b",
        ] {
            assert_eq!(check_pattern(pattern), Ok(()), "{pattern}");
        }
        for (pattern, part) in [
            ("(", "not a regular expression"),
            ("(?<=a)b", "not a regular expression"),
            (".*", "fits every body"),
            ("x?", "fits every body"),
            ("a|", "fits every body"),
            ("(((a{100}){100}){100})", "not a regular expression"),
        ] {
            let message = check_pattern(pattern).unwrap_err().message;
            assert!(message.contains(part), "{pattern}: {message}");
        }
        let long = "a".repeat(1_001);
        assert!(
            check_pattern(&long)
                .unwrap_err()
                .message
                .contains("1001 characters")
        );
        let deep = "(".repeat(1_000);
        assert!(check_pattern(&deep).is_err());
    }
}
