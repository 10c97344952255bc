//! Types of DNS records: their numbers, their mnemonics, and which of them can be watched.
//!
//! Numbers and mnemonics are those of the IANA registry "Resource Record (RR) TYPEs". What has no
//! mnemonic here is written `TYPE1234` (RFC 3597 section 5), which works for every type.

use std::error::Error;
use std::fmt;

use super::endpoint::Family;

/// Every mnemonic that is understood, with its number.
const MNEMONICS: [(&str, u16); 46] = [
    ("A", 1),
    ("NS", 2),
    ("CNAME", 5),
    ("SOA", 6),
    ("NULL", 10),
    ("PTR", 12),
    ("HINFO", 13),
    ("MX", 15),
    ("TXT", 16),
    ("RP", 17),
    ("AFSDB", 18),
    ("SIG", 24),
    ("KEY", 25),
    ("AAAA", 28),
    ("LOC", 29),
    ("SRV", 33),
    ("NAPTR", 35),
    ("KX", 36),
    ("CERT", 37),
    ("DNAME", 39),
    ("OPT", 41),
    ("APL", 42),
    ("DS", 43),
    ("SSHFP", 44),
    ("IPSECKEY", 45),
    ("RRSIG", 46),
    ("NSEC", 47),
    ("DNSKEY", 48),
    ("DHCID", 49),
    ("NSEC3", 50),
    ("NSEC3PARAM", 51),
    ("TLSA", 52),
    ("SMIMEA", 53),
    ("HIP", 55),
    ("CDS", 59),
    ("CDNSKEY", 60),
    ("OPENPGPKEY", 61),
    ("CSYNC", 62),
    ("ZONEMD", 63),
    ("SVCB", 64),
    ("HTTPS", 65),
    ("SPF", 99),
    ("EUI48", 108),
    ("EUI64", 109),
    ("URI", 256),
    ("CAA", 257),
];

/// Types of questions and of messages that are no records in a zone.
const NO_RECORDS: [(&str, u16); 7] = [
    ("TKEY", 249),
    ("TSIG", 250),
    ("IXFR", 251),
    ("AXFR", 252),
    ("MAILB", 253),
    ("MAILA", 254),
    ("ANY", 255),
];

/// A type of record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Record(u16);

/// Why a type of record cannot be watched. The user's mistake, each with its own remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordError {
    /// No mnemonic that noentry knows, and not of the form `TYPE1234`.
    Unknown,
    /// A or AAAA: addresses are what a name is watched for where no type is given.
    Address,
    /// A question about many types, a transfer or a part of a message (RFC 6895 section 3.1): its
    /// absence would say nothing about the zone.
    NoRecord,
    /// RRSIG, SIG, NSEC or NSEC3: servers make them up beside other answers, and many do not give
    /// them out when asked for them alone, so that their absence would prove nothing.
    Unreliable,
}

impl Record {
    /// Name servers.
    pub const NS: Self = Self(2);
    /// Aliases.
    pub const CNAME: Self = Self(5);
    /// Text.
    pub const TXT: Self = Self(16);
    /// Delegation signers, the only type that lives above the cut between two zones.
    pub const DS: Self = Self(43);

    /// The type that holds a family's addresses.
    #[must_use]
    pub const fn of(family: Family) -> Self {
        match family {
            Family::Ipv4 => Self(1),
            Family::Ipv6 => Self(28),
        }
    }

    /// Reads a mnemonic in upper or lower case, or `TYPE1234`.
    ///
    /// # Errors
    /// [`RecordError::Unknown`] or, for what is known and is no record, [`RecordError::NoRecord`].
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        let text = text.to_ascii_uppercase();
        let known = MNEMONICS.iter().chain(&NO_RECORDS);
        let code = known
            .filter(|(mnemonic, _)| *mnemonic == text)
            .map(|(_, code)| *code)
            .next()
            .or_else(|| {
                let digits = text.strip_prefix("TYPE")?;
                let plain = digits.bytes().all(|b| b.is_ascii_digit());
                digits.parse().ok().filter(|_| plain)
            })
            .ok_or(RecordError::Unknown)?;
        match code {
            0 | 41 | 128..=255 | u16::MAX => Err(RecordError::NoRecord),
            _ => Ok(Self(code)),
        }
    }

    /// Reads a type of which a target may promise that no record is published.
    ///
    /// # Errors
    /// Whatever keeps its absence from being seen.
    pub fn watchable(text: &str) -> Result<Self, RecordError> {
        let record = Self::parse(text)?;
        match record.0 {
            1 | 28 => Err(RecordError::Address),
            24 | 46 | 47 | 50 => Err(RecordError::Unreliable),
            _ => Ok(record),
        }
    }

    /// The family whose addresses it holds.
    #[must_use]
    pub const fn family(self) -> Option<Family> {
        match self.0 {
            1 => Some(Family::Ipv4),
            28 => Some(Family::Ipv6),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn code(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match MNEMONICS.iter().find(|(_, code)| *code == self.0) {
            Some((mnemonic, _)) => f.write_str(mnemonic),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unknown => "unknown type of record",
            Self::Address => "addresses are watched where no type of record is given",
            Self::NoRecord => "a type of question or message, and not of a record in a zone",
            Self::Unreliable => "servers do not answer reliably when asked for this type alone",
        })
    }
}

impl Error for RecordError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mnemonic_is_shown_as_it_is_read_and_numbers_lead_to_the_same() {
        for (mnemonic, code) in MNEMONICS {
            if mnemonic == "OPT" {
                assert_eq!(Record::parse(mnemonic), Err(RecordError::NoRecord));
                continue;
            }
            let record = Record::parse(&mnemonic.to_ascii_lowercase()).unwrap();
            assert_eq!(record.to_string(), mnemonic);
            assert_eq!(Record::parse(&format!("TYPE{code}")), Ok(record));
        }
        assert_eq!(Record::parse("type4711").unwrap().to_string(), "TYPE4711");
        assert!(MNEMONICS.is_sorted_by_key(|(_, code)| *code));
    }

    #[test]
    fn what_is_no_record_or_cannot_be_asked_for_is_refused() {
        for (mnemonic, code) in NO_RECORDS {
            assert_eq!(Record::watchable(mnemonic), Err(RecordError::NoRecord));
            assert_eq!(
                Record::watchable(&format!("TYPE{code}")),
                Err(RecordError::NoRecord)
            );
        }
        for (text, error) in [
            ("A", RecordError::Address),
            ("TYPE28", RecordError::Address),
            ("RRSIG", RecordError::Unreliable),
            ("TYPE50", RecordError::Unreliable),
            ("TYPE0", RecordError::NoRecord),
            ("TYPE65535", RecordError::NoRecord),
            ("TYPE65536", RecordError::Unknown),
            ("TYPE+5", RecordError::Unknown),
            ("TYPE", RecordError::Unknown),
            ("TEXT", RecordError::Unknown),
            ("*", RecordError::Unknown),
            ("", RecordError::Unknown),
        ] {
            assert_eq!(Record::watchable(text), Err(error), "{text}");
        }
        assert_eq!(Record::watchable("TXT"), Ok(Record::TXT));
    }
}
