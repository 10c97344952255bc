//! By which way packets leave this machine, and who on it is of our own side. Nothing is sent to learn it.
//!
//! A rejection tells of the door only if it comes from behind our own network: our own router that
//! rejects, or a machine beside us that does, keeps us from looking, and an outsider elsewhere does not
//! meet it.
//!
//! Limits: what the system tells and what it does not stands in `sys`. A router that we know by another
//! address than the one that it rejects with, such as the far end of a tunnel or a router whose one known
//! address is link-local, is taken for a stranger, unless that other address is in an own network too.

use std::io;
use std::net::IpAddr;

use crate::domain::endpoint::{Endpoint, Transport};
use crate::domain::way::{Distance, Way};

use super::sys::{self, Door, Route};

/// By which way packets to an address leave this machine, whatever they are; none where no way leads
/// there, or where the system does not tell.
#[must_use]
pub fn to(address: IpAddr) -> Option<Way> {
    way(address, None)
}

/// The same for packets to an endpoint: rules may go by the port.
#[must_use]
pub fn to_endpoint(endpoint: Endpoint) -> Option<Way> {
    let protocol = match endpoint.transport {
        Transport::Tcp => Some(6),
        Transport::Udp => Some(17),
        Transport::Icmp => None,
    };
    let door = protocol.zip(endpoint.port);
    let door = door.map(|(protocol, port)| Door { protocol, port });
    way(endpoint.address, door)
}

fn way(address: IpAddr, door: Option<Door>) -> Option<Way> {
    let route = sys::route(address.to_canonical(), door).ok()??;
    Some(Way {
        distance: distance(&route),
        interface: route.interface,
        gateway: route.gateway,
        source: route.source,
    })
}

/// How many packets this machine's reverse path filter dropped so far, whoever they were for; none where
/// the system does not tell.
#[must_use]
pub fn reverse_path_drops() -> Option<u64> {
    sys::reverse_path_drops()
}

/// Whether one who rejected packets to `target` belongs to our own side: our gateway to it, or a machine
/// in a network of ours. The target itself may stand in such a network; its word is its own.
///
/// Where the system could not be asked the answer is yes: not knowing must not turn our own gateway into
/// theirs.
#[must_use]
pub(super) fn is_our_side(sender: IpAddr, target: IpAddr) -> bool {
    let (sender, target) = (sender.to_canonical(), target.to_canonical());
    if sender == target {
        return false;
    }
    if is_link_local(sender) {
        return true;
    }
    let near = |route: Route| distance(&route) != Distance::Beyond;
    let first = |route: Route| route.gateway == Some(sender);
    either(route(sender), near) || either(route(target), first)
}

fn either(route: io::Result<Option<Route>>, holds: impl FnOnce(Route) -> bool) -> bool {
    match route {
        Ok(route) => route.is_some_and(holds),
        Err(_) => true,
    }
}

/// An IPv4-mapped address leads to IPv4.
fn route(address: IpAddr) -> io::Result<Option<Route>> {
    sys::route(address.to_canonical(), None)
}

const fn distance(route: &Route) -> Distance {
    if route.own {
        Distance::ThisMachine
    } else if route.on_link {
        Distance::OwnNetwork
    } else {
        Distance::Beyond
    }
}

/// No router passes such packets on (RFC 3927 section 7, RFC 4291 section 2.5.6).
const fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_senders_are_our_own_and_the_target_never_is() {
        let ours = |sender: &str, target: &str| {
            is_our_side(sender.parse().unwrap(), target.parse().unwrap())
        };
        assert!(ours("fe80::1", "2001:db8::7"));
        assert!(ours("169.254.1.1", "198.51.100.7"));
        assert!(!ours("169.254.1.1", "169.254.1.1"));
        assert!(!ours("127.0.0.1", "::ffff:127.0.0.1"));
    }

    #[test]
    fn what_could_not_be_asked_is_our_own() {
        let asked = || Err(io::ErrorKind::TimedOut.into());
        assert!(either(asked(), |_| false));
        assert!(!either(Ok(None), |_| true));
    }

    #[test]
    #[cfg(unix)]
    fn this_machine_is_known_in_either_form() {
        for address in ["127.0.0.1", "127.9.9.9", "::ffff:127.0.0.1"] {
            let way = to(address.parse().unwrap()).unwrap();
            assert_eq!(way.distance, Distance::ThisMachine, "{address}: {way:?}");
            assert_eq!(way.gateway, None);
        }
    }
}
