//! The way to an address on a Unix without netlink: what can be told from the addresses of the
//! interfaces (`getifaddrs(3)`) and from the source that the system chooses.
//!
//! Limits: the first router is not known, nor a route that is neither the default's nor an interface's
//! own. Of several interfaces with the same address the first counts.

use std::io;
use std::net::{IpAddr, SocketAddr};

use nix::ifaddrs::{InterfaceAddress, getifaddrs};
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

use super::{Door, Route, is_own, source};

/// By which way packets to an address leave; `None` where no way leads there.
///
/// # Errors
///
/// If the system does not tell its interfaces.
pub fn route(address: IpAddr, _: Option<Door>) -> io::Result<Option<Route>> {
    let Some(source) = source(address) else {
        return Ok(None);
    };
    let all: Vec<_> = getifaddrs()?.filter_map(|one| own(&one)).collect();
    let interface = all.iter().find(|own| own.address == source);
    let own = is_own(SocketAddr::new(address, 0));
    let on_link = own || all.iter().any(|own| own.is_neighbour(address));
    Ok(interface.map(|interface| Route {
        own,
        on_link,
        interface: interface.name.clone(),
        gateway: None,
        source: Some(source),
    }))
}

/// An address of an interface that is up, with its network.
#[derive(Debug)]
struct Own {
    name: String,
    address: IpAddr,
    mask: IpAddr,
}

impl Own {
    /// Whether an address lies in the same network. The network of all addresses is none.
    fn is_neighbour(&self, other: IpAddr) -> bool {
        match (self.address, self.mask, other) {
            (IpAddr::V4(own), IpAddr::V4(mask), IpAddr::V4(other)) => {
                !mask.is_unspecified() && (own.to_bits() ^ other.to_bits()) & mask.to_bits() == 0
            }
            (IpAddr::V6(own), IpAddr::V6(mask), IpAddr::V6(other)) => {
                !mask.is_unspecified() && (own.to_bits() ^ other.to_bits()) & mask.to_bits() == 0
            }
            (IpAddr::V4(_) | IpAddr::V6(_), _, _) => false,
        }
    }
}

fn own(one: &InterfaceAddress) -> Option<Own> {
    if !one.flags.contains(InterfaceFlags::IFF_UP) {
        return None;
    }
    Some(Own {
        name: one.interface_name.clone(),
        address: ip(one.address.as_ref()?)?,
        mask: ip(one.netmask.as_ref()?)?,
    })
}

fn ip(address: &SockaddrStorage) -> Option<IpAddr> {
    let v4 = address.as_sockaddr_in().map(|v4| IpAddr::V4(v4.ip()));
    v4.or_else(|| Some(IpAddr::V6(address.as_sockaddr_in6()?.ip())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_other() {
        let own = |address: &str, mask: &str| Own {
            name: "eth0".to_owned(),
            address: address.parse().unwrap(),
            mask: mask.parse().unwrap(),
        };
        let v4 = own("192.0.2.2", "255.255.255.0");
        let v6 = own("2001:db8:1::2", "ffff:ffff:ffff:ffff::");
        for (network, address, expected) in [
            (&v4, "192.0.2.255", true),
            (&v4, "192.0.3.2", false),
            (&v4, "2001:db8:1::2", false),
            (&v6, "2001:db8:1:0:ffff::1", true),
            (&v6, "2001:db8:1:1::2", false),
            (&v6, "192.0.2.2", false),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(network.is_neighbour(address), expected, "{address}");
        }
        let all = own("192.0.2.2", "0.0.0.0");
        assert!(!all.is_neighbour("192.0.2.3".parse().unwrap()));
    }

    #[test]
    fn the_way_to_this_machine_is_its_own() {
        let way = route("127.0.0.1".parse().unwrap(), None).unwrap().unwrap();
        assert!(way.own && way.on_link);
        assert_eq!(way.gateway, None);
        assert_eq!(way.source, Some("127.0.0.1".parse().unwrap()));
    }
}
