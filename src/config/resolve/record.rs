//! `record:` a type of DNS record whose absence can be asked for.

use crate::config::field::Field;
use crate::config::file::RecordText;
use crate::config::mistake::{Mistake, quoted};
use crate::config::reader::{Reader, Spot};
use crate::domain::record::{Record, RecordError};

const EXPECTED: &str = "a type of record, such as `TXT` or `TYPE65`";

/// Reads a type of record.
pub fn read(reader: &mut Reader<'_>, spot: &Spot<'_>, field: &Field<RecordText>) -> Option<Record> {
    reader.parsed(spot, field, EXPECTED, parse)
}

fn parse(text: &str) -> Result<Record, Mistake> {
    Record::watchable(text).map_err(|error| {
        let shown = quoted(text);
        let cannot = |help: &str| {
            Mistake::new(format!("{shown} cannot be watched: {error}")).help(help.to_owned())
        };
        match error {
            RecordError::Unknown => Mistake::new(format!("{shown} is no known type of record"))
                .help("a type without a mnemonic here goes by its number, such as `TYPE260`"),
            RecordError::Address => cannot(
                "remove `record`; with `denial: [no_name]` no address at all may be published",
            ),
            RecordError::NoRecord => cannot("name the type of the data itself, such as `TXT`"),
            RecordError::Unreliable => cannot("name the type that it belongs to"),
        }
    })
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
            ("TYPE65280", "TYPE65280"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), written, "{text}");
        }
    }

    #[test]
    fn what_cannot_be_missing_is_refused() {
        for text in [
            "A", "TYPE28", "ANY", "AXFR", "OPT", "RRSIG", "NSEC3", "TYPE0", "*", "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
