//! `record:` a type of DNS record whose absence can be asked for.
//!
//! Mnemonics are those of the library that asks, so that nothing is accepted here that could not be
//! asked; every other type goes by its number.

use std::str::FromStr as _;

use hickory_resolver::proto::rr::RecordType;

use crate::config::field::Field;
use crate::config::file::RecordText;
use crate::config::mistake::{Mistake, quoted};
use crate::config::reader::{Reader, Spot};

const EXPECTED: &str = "a type of record, such as `TXT` or `TYPE65`";

/// Reads a type of record into its usual form: the mnemonic in capitals, or `TYPE` and its number.
pub fn read(reader: &mut Reader<'_>, spot: &Spot<'_>, field: &Field<RecordText>) -> Option<String> {
    reader.parsed(spot, field, EXPECTED, parse)
}

fn parse(text: &str) -> Result<String, Mistake> {
    let capitals = text.to_ascii_uppercase();
    let number = number(&capitals).ok_or_else(|| {
        Mistake::new(format!("{} is no known type of record", quoted(text)))
            .help("a type without a mnemonic here goes by its number, such as `TYPE29` for LOC")
    })?;
    if let Some((why, help)) = objection(number) {
        let shown = quoted(text);
        return Err(Mistake::new(format!("{shown} cannot be watched: {why}")).help(help));
    }
    let mnemonic = RecordType::from(number).to_string();
    let readable = RecordType::from_str(&mnemonic).is_ok_and(|back| u16::from(back) == number);
    Ok(if readable {
        mnemonic
    } else {
        format!("TYPE{number}")
    })
}

/// The number of a type, by its mnemonic or as RFC 3597 section 5 writes unknown ones.
fn number(capitals: &str) -> Option<u16> {
    if let Ok(known) = RecordType::from_str(capitals) {
        return Some(known.into());
    }
    let digits = capitals.strip_prefix("TYPE")?;
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain)
}

/// Why the absence of a type says nothing, or is asked for in another way, and what to do.
const fn objection(number: u16) -> Option<(&'static str, &'static str)> {
    const REMOVE: &str = "name the type of the data itself, such as `TXT`";
    match number {
        1 | 28 => Some((
            "addresses are what a `dns` target without `record` watches",
            "remove `record`; with `denial: [no_name]` no address at all may be published",
        )),
        0 | 65_535 => Some(("it is reserved", REMOVE)),
        // RFC 8482: servers need not say what there is.
        255 => Some(("servers may answer ANY with as little as they like", REMOVE)),
        // RFC 6895 section 3.1.
        41 | 128..=254 => Some(("it is no data that a name can have", REMOVE)),
        24 | 46 => Some((
            "a signature belongs to other records, and resolvers need not give it alone",
            "name the type that is signed",
        )),
        // RFC 5155 section 7.2.8.
        50 => Some((
            "servers deny that NSEC3 records exist when asked for them",
            REMOVE,
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_read_in_either_case_and_by_number() {
        for (text, written) in [
            ("TXT", "TXT"),
            ("txt", "TXT"),
            ("Mx", "MX"),
            ("TYPE16", "TXT"),
            ("type65", "HTTPS"),
            ("TYPE29", "TYPE29"),
            ("TYPE65280", "TYPE65280"),
            ("cname", "CNAME"),
            ("CAA", "CAA"),
        ] {
            assert_eq!(parse(text).unwrap(), written, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_missing_is_refused_by_name_and_by_number() {
        for text in [
            "A",
            "aaaa",
            "TYPE1",
            "TYPE28",
            "ANY",
            "TYPE255",
            "AXFR",
            "IXFR",
            "TYPE251",
            "OPT",
            "TSIG",
            "TYPE250",
            "TYPE249",
            "RRSIG",
            "SIG",
            "NSEC3",
            "ZERO",
            "TYPE0",
            "TYPE65535",
            "TYPE65536",
            "TYPE016",
            "TYPE",
            "TYPE-1",
            "TYPE+16",
            "LOC",
            "*",
            "TX T",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
