//! What is remembered between rounds, in an issue of its own that is closed from the beginning.
//!
//! Who could not be judged is counted before there is an incident about it, and the issues are all
//! that noentry has. The hidden line is compact: names, beginnings and counts, packed. Fingerprints
//! are left out; they follow from the names.
//!
//! Limits: 65,536 bytes for all of it. Where that is not enough, those that could not be judged the
//! longest are kept.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::super::state::Fingerprint;
use super::super::{Memory, Unseen};
use crate::domain::escape::markdown_code;

const BEGIN: &str = "<!-- noentry:memory:v1 ";
const ANY: &str = "<!-- noentry:memory:v";
const END: &str = " -->";
/// The longest body that GitHub takes, in bytes to be on the safe side.
const LIMIT: usize = 65_536;
/// The most that is unpacked, in bytes.
const UNPACKED: u64 = 16 * 1024 * 1024;

/// A memory as it is kept. Beginnings are in seconds since 1970; the last round is exact, because it is
/// what tells that a round was counted already.
#[derive(Serialize, Deserialize)]
struct Kept {
    config: String,
    #[serde(with = "time::serde::rfc3339")]
    last_round: OffsetDateTime,
    unseen: Vec<(String, i64, u32)>,
}

/// Why a text gives no memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Broken {
    /// There is none in it.
    Missing,
    /// It is there and cannot be read. A lowercase fragment.
    Unreadable(String),
}

/// The configuration and what is remembered about it.
pub(super) fn read(text: &str) -> Result<(String, Memory), Broken> {
    let line = text
        .lines()
        .map(str::trim_end)
        .rfind(|line| line.starts_with(ANY));
    let line = line.ok_or(Broken::Missing)?;
    let broken = |what: &str| Broken::Unreadable(what.to_owned());
    let packed = line
        .strip_prefix(BEGIN)
        .and_then(|rest| rest.strip_suffix(END))
        .ok_or_else(|| broken("it was written by another version of noentry, or is cut"))?;
    let packed = STANDARD
        .decode(packed)
        .map_err(|_| broken("it is not as noentry wrote it"))?;
    let mut json = Vec::new();
    let read = DeflateDecoder::new(packed.as_slice())
        .take(UNPACKED)
        .read_to_end(&mut json);
    read.map_err(|_| broken("it is not as noentry wrote it"))?;
    let kept: Kept =
        serde_json::from_slice(&json).map_err(|_| broken("it is not as noentry wrote it"))?;
    let time = |seconds| {
        OffsetDateTime::from_unix_timestamp(seconds)
            .map_err(|_| broken("it has a time that is none"))
    };
    let mut unseen = BTreeMap::new();
    for (name, since, rounds) in kept.unseen {
        let since = time(since)?;
        let fingerprint = Fingerprint::target(&name, &kept.config);
        unseen.insert(
            fingerprint,
            Unseen {
                name,
                since,
                rounds,
            },
        );
    }
    let last_round = kept.last_round;
    Ok((kept.config, Memory { last_round, unseen }))
}

/// The body, and how many were left out because it would be too long.
pub(super) fn write(config: &str, memory: &Memory) -> std::io::Result<(String, usize)> {
    let mut unseen: Vec<&Unseen> = memory.unseen.values().collect();
    // Those with the most rounds matter most; the order of equals is always the same.
    unseen.sort_by(|a, b| b.rounds.cmp(&a.rounds).then_with(|| a.name.cmp(&b.name)));
    let all = unseen.len();
    loop {
        let body = format!(
            "noentry keeps here which targets of {} could not be judged in the last rounds, so that \
             it can tell when that lasts. There is nothing to do: leave this issue closed, and its \
             text and labels as they are.\n\n{BEGIN}{}{END}\n",
            markdown_code(config),
            pack(config, memory, &unseen)?
        );
        if body.len() <= LIMIT {
            return Ok((body, all.saturating_sub(unseen.len())));
        }
        if unseen.is_empty() {
            return Err(std::io::Error::other(
                "the configuration's path is too long",
            ));
        }
        unseen.truncate(unseen.len() * 3 / 4);
    }
}

fn pack(config: &str, memory: &Memory, unseen: &[&Unseen]) -> std::io::Result<String> {
    let unseen = unseen.iter();
    let kept = Kept {
        config: config.to_owned(),
        last_round: memory.last_round,
        unseen: unseen
            .map(|u| (u.name.clone(), u.since.unix_timestamp(), u.rounds))
            .collect(),
    };
    let json = serde_json::to_vec(&kept).map_err(std::io::Error::other)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&json)?;
    Ok(STANDARD.encode(encoder.finish()?))
}

/// Whether two memories differ in what counts. The time of the last round does not where nobody is
/// unseen: then no round can be counted twice.
pub(super) fn differ(old: Option<&Memory>, new: &Memory) -> bool {
    match old {
        Some(old) if old.unseen.is_empty() && new.unseen.is_empty() => false,
        Some(old) => !same(old, new),
        None => !new.unseen.is_empty(),
    }
}

/// Beginnings are kept in whole seconds.
fn same(a: &Memory, b: &Memory) -> bool {
    let plain = |m: &Memory| -> (OffsetDateTime, Vec<(String, i64, u32)>) {
        let unseen = m.unseen.values();
        let unseen = unseen.map(|u| (u.name.clone(), u.since.unix_timestamp(), u.rounds));
        (m.last_round, unseen.collect())
    };
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(names: impl Iterator<Item = String>) -> Memory {
        let at = OffsetDateTime::from_unix_timestamp(1_772_600_000).unwrap();
        let unseen = names.enumerate().map(|(i, name)| {
            let rounds = u32::try_from(i).unwrap() + 1;
            let fingerprint = Fingerprint::target(&name, "noentry.yml");
            let since = at;
            (
                fingerprint,
                Unseen {
                    name,
                    since,
                    rounds,
                },
            )
        });
        Memory {
            // A round that is read back must not look like an earlier one.
            last_round: at + time::Duration::nanoseconds(224_443_503),
            unseen: unseen.collect(),
        }
    }

    #[test]
    fn a_memory_comes_back() {
        let before = memory(
            ["Admin --> console", "<!-- x", "ü"]
                .map(str::to_owned)
                .into_iter(),
        );
        let (text, left_out) = write("noentry.yml", &before).unwrap();
        assert_eq!(left_out, 0);
        assert_eq!(text.matches("-->").count(), 1);
        let edited = format!("{}words after", text.replace('\n', "\r\n"));
        for text in [text, edited] {
            let (config, after) = read(&text).unwrap();
            assert_eq!((config.as_str(), &after), ("noentry.yml", &before));
        }
        assert!(!differ(Some(&before), &before));
        assert!(differ(None, &before));
        let nobody = memory(std::iter::empty());
        assert!(!differ(None, &nobody));
        assert!(differ(Some(&before), &nobody));
        let mut later = nobody.clone();
        later.last_round += time::Duration::HOUR;
        assert!(!differ(Some(&nobody), &later));
    }

    #[test]
    fn what_does_not_fit_is_what_matters_least() {
        // Nothing packs text that has no pattern.
        let random = |i: u32| {
            let whole: String = (0..4)
                .map(|part| Fingerprint::target(&format!("{i}.{part}"), "").to_string())
                .collect();
            whole.chars().take(200).collect::<String>()
        };
        let before = memory((0..2_000).map(random));
        let (text, left_out) = write("noentry.yml", &before).unwrap();
        assert!(text.len() <= LIMIT && left_out > 0, "{}", text.len());
        let (_, after) = read(&text).unwrap();
        assert_eq!(after.unseen.len() + left_out, 2_000);
        let fewest = after.unseen.values().map(|u| u.rounds).min().unwrap();
        assert_eq!(usize::try_from(fewest).unwrap(), left_out + 1);
        // A thousand names as people give them fit.
        let names = (0..1_000).map(|i| format!("Admin console of branch {i} (tcp {})", i * 7));
        assert_eq!(write("noentry.yml", &memory(names)).unwrap().1, 0);
    }

    #[test]
    fn what_is_broken_is_said_to_be() {
        assert_eq!(read("nothing"), Err(Broken::Missing));
        let bomb = {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
            encoder.write_all(&vec![b' '; 64 * 1024 * 1024]).unwrap();
            STANDARD.encode(encoder.finish().unwrap())
        };
        for inner in ["", "%%%", "AAAA", &bomb] {
            let text = format!("{BEGIN}{inner}{END}");
            assert!(
                matches!(read(&text), Err(Broken::Unreadable(_))),
                "{inner:.20}"
            );
        }
        let other = text_of_another_version();
        assert!(matches!(read(&other), Err(Broken::Unreadable(_))));
    }

    fn text_of_another_version() -> String {
        format!("{ANY}2 e30={END}")
    }
}
