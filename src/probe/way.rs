//! By which way packets leave this machine.

use std::net::IpAddr;

use crate::domain::way::Way;

/// By which way packets to an address leave this machine; none where the system does not tell.
#[must_use]
pub fn to(_address: IpAddr) -> Option<Way> {
    None
}

/// How many packets this machine's reverse path filter dropped so far; none where the system does not
/// tell.
#[must_use]
pub fn reverse_path_drops() -> Option<u64> {
    None
}
