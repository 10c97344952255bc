//! A stable part of a configuration's targets, for lists that outgrow one machine.
//!
//! Which shard a target belongs to follows from its name alone, so that adding one target moves no
//! other. It must stay so from version to version: rounds of one list may come from different ones.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most shards: as many as GitHub runs jobs of one matrix.
pub const MOST: u32 = 256;

/// One of several parts, written `2/8`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
pub struct Shard {
    /// Which one, from 1.
    pub index: u32,
    /// How many there are, at most 256.
    pub of: u32,
}

/// Why a text names no shard: whoever typed it can mend it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("expected a shard such as 2/8: its number from 1, and how many there are (at most {MOST})")]
pub struct ShardError;

impl Shard {
    /// Whether a target of this name belongs to the shard.
    #[must_use]
    pub fn holds(self, name: &str) -> bool {
        let place = spread(name).checked_rem(u64::from(self.of));
        place.is_some_and(|place| place.saturating_add(1) == u64::from(self.index))
    }

    /// Whether there is such a shard.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        self.index >= 1 && self.index <= self.of && self.of <= MOST
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

impl FromStr for Shard {
    type Err = ShardError;

    fn from_str(text: &str) -> Result<Self, ShardError> {
        let digits = |text: &str| {
            let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
            plain.then(|| text.parse().ok()).flatten()
        };
        let (index, of) = text.split_once('/').ok_or(ShardError)?;
        let (Some(index), Some(of)) = (digits(index), digits(of)) else {
            return Err(ShardError);
        };
        let shard = Self { index, of };
        shard.is_sound().then_some(shard).ok_or(ShardError)
    }
}

/// FNV-1a over the name's bytes, and then the finalizer of `MurmurHash3`: alone, the low bits of FNV-1a
/// follow those of the bytes too closely for names that differ in a number.
fn spread(name: &str) -> u64 {
    let mut hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    for factor in [0xff51_afd7_ed55_8ccd, 0xc4ce_b9fe_1a85_ec53] {
        hash ^= hash >> 33;
        hash = hash.wrapping_mul(factor);
    }
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_is_read_as_it_is_written() {
        for text in ["1/1", "2/8", "8/8", "256/256"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "2",
            "/8",
            "2/",
            "0/8",
            "9/8",
            "2/0",
            "1/257",
            "-1/8",
            "+1/8",
            "1 /8",
            "2/8/9",
            "٢/8",
            "99999999999/8",
        ] {
            assert_eq!(text.parse::<Shard>(), Err(ShardError), "{text}");
        }
    }

    /// Held to the values themselves: a change would let targets fall between the shards of two versions.
    #[test]
    fn a_name_stays_in_its_shard_from_version_to_version() {
        let place = |name: &str| {
            (1..=8).find(|index| {
                Shard {
                    index: *index,
                    of: 8,
                }
                .holds(name)
            })
        };
        let names = ["", "Admin console", "Orders database", "host-0001", "größe"];
        assert_eq!(names.map(|name| place(name).unwrap()), [7, 8, 6, 3, 2]);
    }

    #[test]
    fn every_name_is_in_one_shard_and_all_shards_get_their_part() {
        for of in [1, 2, 3, 8, 16, 255] {
            let mut sizes = vec![0_u32; of as usize];
            for number in 0..10_000 {
                let name = format!("host-{number:05}");
                let mut shards = (1..=of).filter(|index| Shard { index: *index, of }.holds(&name));
                sizes[shards.next().unwrap() as usize - 1] += 1;
                assert_eq!(shards.next(), None);
            }
            let fair = 10_000 / of;
            // Five standard deviations of an even spread.
            let off = 5.0 * f64::from(fair).sqrt();
            for size in &sizes {
                assert!(
                    (f64::from(*size) - f64::from(fair)).abs() <= off,
                    "{of}: {sizes:?}"
                );
            }
        }
    }

    #[test]
    fn what_is_no_shard_holds_nothing() {
        for shard in [
            Shard { index: 0, of: 8 },
            Shard { index: 1, of: 0 },
            Shard { index: 9, of: 8 },
        ] {
            assert!(!shard.is_sound());
            assert!(!(0..100).any(|n| shard.holds(&n.to_string())));
        }
    }
}
