//! The shards of a list that several jobs look at: a job that does not report is blindness as well.
//!
//! Who could not be judged is known by name alone where it is kept, and so is a shard. Its name is one
//! that a target could have, too. Then both are counted as one, and each keeps the count from being
//! forgotten.

use std::collections::BTreeMap;

use super::state::Fingerprint;
use super::{Memory, Round, Unseen};
use crate::domain::shard::Shard;

/// How the name of a shard begins.
const BEGIN: &str = "shard ";

/// A part of the configuration's targets that a job of its own was to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// What it is called, see [`Share::named`].
    pub name: String,
    /// Whether its round is there.
    pub looked: bool,
}

impl Share {
    /// The name of a shard, and of its vantage where that has a label: `shard 3/8 from eu`.
    #[must_use]
    pub fn named(shard: Shard, vantage: Option<&str>) -> String {
        let from = vantage.map(|label| format!(" from {label}"));
        format!("{BEGIN}{shard}{}", from.unwrap_or_default())
    }

    /// What there is to see of one that is not there.
    pub(super) const SEEN: &str = "its round was not among those that were merged";
}

/// Whether a name is a shard's.
pub(super) fn is_shard(name: &str) -> bool {
    let shard = name.strip_prefix(BEGIN).and_then(|n| n.split(' ').next());
    shard.is_some_and(|shard| shard.parse::<Shard>().is_ok())
}

/// The round's shard of a fingerprint.
pub(super) fn find<'a>(round: &'a Round, fingerprint: &Fingerprint) -> Option<&'a Share> {
    let mut shares = round.shares.iter();
    shares.find(|share| Fingerprint::target(&share.name, &round.config) == *fingerprint)
}

/// Counts the shards that nobody looked at, and forgets those that are there again.
pub(super) fn count(round: &Round, before: &Memory, unseen: &mut BTreeMap<Fingerprint, Unseen>) {
    for share in &round.shares {
        let fingerprint = Fingerprint::target(&share.name, &round.config);
        if share.looked {
            let mut subjects = round.subjects.iter();
            if !subjects.any(|s| s.fingerprint == fingerprint) {
                unseen.remove(&fingerprint);
            }
        } else if !round.interrupted {
            let known = before.unseen.get(&fingerprint);
            let since = known.map_or(round.at, |u| u.since);
            let rounds = known.map_or(0, |u| u.rounds).saturating_add(1);
            let entry = unseen.entry(fingerprint);
            let entry = entry.or_insert_with(|| Unseen {
                name: share.name.clone(),
                since,
                rounds,
            });
            entry.rounds = entry.rounds.max(rounds);
        }
    }
}
