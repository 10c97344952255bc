//! Which addresses are globally routable.
//!
//! From the IANA IPv4 and IPv6 Special-Purpose Address Registries (as of 2025-10): an address is
//! global unless the most specific block that holds it says "Globally Reachable: False". Multicast
//! and the unspecified addresses are never global either. Of 6to4 and Teredo they say neither: such an
//! address is as global as the IPv4 address in it, because whoever has a relay gets there. On a hosted
//! runner a private address is a stranger's network, so it is not connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks that are not globally reachable: network and prefix length.
const V4_SPECIAL: &[([u8; 4], u8)] = &[
    ([0, 0, 0, 0], 8),       // "this network", RFC 791
    ([10, 0, 0, 0], 8),      // private use, RFC 1918
    ([100, 64, 0, 0], 10),   // shared address space, RFC 6598
    ([127, 0, 0, 0], 8),     // loopback, RFC 1122
    ([169, 254, 0, 0], 16),  // link local, RFC 3927
    ([172, 16, 0, 0], 12),   // private use, RFC 1918
    ([192, 0, 0, 0], 24),    // IETF protocol assignments, RFC 6890
    ([192, 0, 2, 0], 24),    // documentation, RFC 5737
    ([192, 88, 99, 0], 24),  // deprecated 6to4 relay anycast, RFC 7526
    ([192, 168, 0, 0], 16),  // private use, RFC 1918
    ([198, 18, 0, 0], 15),   // benchmarking, RFC 2544
    ([198, 51, 100, 0], 24), // documentation, RFC 5737
    ([203, 0, 113, 0], 24),  // documentation, RFC 5737
    ([224, 0, 0, 0], 4),     // multicast, RFC 1112
    ([240, 0, 0, 0], 4),     // reserved and limited broadcast, RFC 1112, RFC 8190
];

/// Single exceptions inside `192.0.0.0/24` that are globally reachable.
const V4_GLOBAL: &[[u8; 4]] = &[
    [192, 0, 0, 9],  // Port Control Protocol anycast, RFC 7723
    [192, 0, 0, 10], // TURN anycast, RFC 8155
];

/// Blocks that are not globally reachable: the first 128 bits and prefix length.
const V6_SPECIAL: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::UNSPECIFIED, 96), // unspecified, loopback, IPv4-compatible (RFC 4291)
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48), // local-use translation, RFC 8215
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64), // discard only, RFC 6666
    (Ipv6Addr::new(0x100, 0, 0, 1, 0, 0, 0, 0), 64), // dummy prefix, RFC 9780
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // IETF protocol assignments, RFC 2928
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation, RFC 3849
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation, RFC 9637
    (Ipv6Addr::new(0x5f00, 0, 0, 0, 0, 0, 0, 0), 16), // segment routing SIDs, RFC 9602
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7), // unique local, RFC 4193
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10), // link local, RFC 4291
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10), // deprecated site local, RFC 3879
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8), // multicast, RFC 4291
];

/// Exceptions inside `2001::/23` that are globally reachable.
const V6_GLOBAL: &[(Ipv6Addr, u8)] = &[
    (Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 1), 128), // Port Control Protocol anycast, RFC 7723
    (Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 2), 128), // TURN anycast, RFC 8155
    (Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 3), 128), // DNS-SD SRP anycast, RFC 9665
    (Ipv6Addr::new(0x2001, 3, 0, 0, 0, 0, 0, 0), 32),  // AMT, RFC 7450
    (Ipv6Addr::new(0x2001, 4, 0x112, 0, 0, 0, 0, 0), 48), // AS112-v6, RFC 7535
    (Ipv6Addr::new(0x2001, 0x20, 0, 0, 0, 0, 0, 0), 28), // ORCHIDv2, RFC 7343
    (Ipv6Addr::new(0x2001, 0x30, 0, 0, 0, 0, 0, 0), 28), // drone remote ID, RFC 9374
];

/// Whether packets to this address may cross the public internet.
#[must_use]
pub fn is_global(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_global_v4(v4),
        IpAddr::V6(v6) => is_global_v6(v6),
    }
}

/// Whether packets to this address stay on the machine that sends them. In a resolver's answer it is
/// how many blocklists say no.
#[must_use]
pub fn is_loopback(address: IpAddr) -> bool {
    meant(address).is_loopback()
}

/// Whether this is the null address, which leads nowhere: the other word of blocklists.
#[must_use]
pub fn is_null(address: IpAddr) -> bool {
    meant(address).is_unspecified()
}

/// The IPv4 address that an IPv6 one holds: mapped or compatible (RFC 4291 section 2.5.5), or put there
/// by a resolver that translates (DNS64, RFC 6147) what a blocklist gave it.
fn meant(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else {
        return address;
    };
    match v6.segments() {
        // The two of IPv6 itself, which look like compatible ones.
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => address,
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => {
            let bits = u32::from(high) << 16 | u32::from(low);
            IpAddr::V4(Ipv4Addr::from_bits(bits))
        }
        _ => address.to_canonical(),
    }
}

fn is_global_v4(address: Ipv4Addr) -> bool {
    let bits = address.to_bits();
    let special = V4_SPECIAL.iter().any(|(network, length)| {
        let mask = u32::MAX << (32 - u32::from(*length));
        bits & mask == u32::from_be_bytes(*network)
    });
    !special || V4_GLOBAL.contains(&address.octets())
}

fn is_global_v6(address: Ipv6Addr) -> bool {
    // IPv4-mapped (::ffff:0:0/96) and the well-known translation prefix (64:ff9b::/96, RFC 6052)
    // lead to the IPv4 address inside.
    if let Some(v4) = address.to_ipv4_mapped() {
        return is_global_v4(v4);
    }
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match address.segments() {
        // 6to4 (RFC 3056 section 2) has it behind the prefix, Teredo (RFC 4380 section 4) the client's
        // at the end, with its bits inverted.
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            return is_global_v4(v4(high, low));
        }
        [0x2001, 0, .., high, low] => return is_global_v4(v4(!high, !low)),
        _ => {}
    }
    let within = |blocks: &[(Ipv6Addr, u8)]| {
        blocks.iter().any(|(network, length)| {
            let mask = u128::MAX << (128 - u32::from(*length));
            address.to_bits() & mask == network.to_bits()
        })
    };
    !within(V6_SPECIAL) || within(V6_GLOBAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn global(text: &str) -> bool {
        is_global(text.parse().unwrap())
    }

    #[test]
    fn ordinary_addresses_are_global() {
        for text in [
            "1.1.1.1",
            "8.8.8.8",
            "20.1.2.3",
            "172.15.255.255",
            "172.32.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450:4001::1",
            "2001:200::1",
            "64:ff9b::808:808",
            "::ffff:8.8.8.8",
            "2002:808:808::1",
            "2001:0:4136:e378:8000:63bf:f7f7:f7f7",
        ] {
            assert!(global(text), "{text}");
        }
    }

    #[test]
    fn special_purpose_blocks_are_not() {
        for text in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:2::1",
            "2001:10::1",
            "2001:db8::1",
            "2002::1",
            "2002:a00:1::1",
            "2001:0:4136:e378:8000:63bf:f5ff:fffe",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!global(text), "{text}");
        }
    }

    #[test]
    fn what_blocklists_give_is_known_in_every_form() {
        for text in [
            "127.0.0.1",
            "127.255.0.9",
            "::1",
            "::ffff:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::127.0.0.1",
        ] {
            assert!(is_loopback(text.parse().unwrap()), "{text}");
            assert!(!is_null(text.parse().unwrap()), "{text}");
        }
        for text in ["0.0.0.0", "::", "::ffff:0.0.0.0", "64:ff9b::"] {
            assert!(is_null(text.parse().unwrap()), "{text}");
            assert!(!is_loopback(text.parse().unwrap()), "{text}");
        }
        for text in ["126.255.255.255", "128.0.0.1", "::2", "7f00::1", "10.0.0.1"] {
            assert!(!is_loopback(text.parse().unwrap()), "{text}");
            assert!(!is_null(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn the_registries_own_exceptions_are_global() {
        for text in [
            "192.0.0.9",
            "192.0.0.10",
            "2001:1::1",
            "2001:3::1",
            "2001:4:112::1",
            "2001:20::1",
            "2001:30::1",
        ] {
            assert!(global(text), "{text}");
        }
    }
}
