//! The ground floor: the words of the field as types, and the verdict. No input, no output.

pub mod address;
pub mod endpoint;
pub mod escape;
pub mod evidence;
pub mod finding;
pub mod link;
pub mod looks;
pub mod merged;
pub mod observation;
pub mod own;
pub mod payload;
pub mod position;
pub mod rank;
pub mod reach;
pub mod record;
pub mod report;
pub mod shard;
pub mod stand;
pub mod target;
pub mod trail;
pub mod verdict;
pub mod waiver;
pub mod way;
pub mod withhold;
