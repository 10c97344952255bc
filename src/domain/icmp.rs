//! An ICMP or ICMPv6 error: what it says, and who sent it.

use std::fmt;
use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An ICMP or ICMPv6 error as the kernel handed it over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IcmpError {
    /// ICMP type (3 for IPv4 unreachable, 1 for IPv6 unreachable).
    #[serde(rename = "type")]
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent it, if the kernel knows: a device on the way, or the target itself.
    pub from: Option<IpAddr>,
    /// Whether this is ICMPv6.
    pub v6: bool,
}

impl IcmpError {
    /// The name of type and code: RFC 792, RFC 1122 section 3.2.2.1 and RFC 1812 section 5.2.7.1 for
    /// IPv4; RFC 4443 section 3, RFC 6550 section 11.2.2.3 and RFC 8883 for IPv6.
    #[must_use]
    pub const fn meaning(&self) -> &'static str {
        match (self.v6, self.kind, self.code) {
            (false, 3, 0) => "network unreachable",
            (false, 3, 1) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) | (true, 1, 4) => "port unreachable",
            (false, 3, 4) => "fragmentation needed",
            (false, 3, 5) => "source route failed",
            (false, 3, 6) => "network unknown",
            (false, 3, 7) => "host unknown",
            (false, 3, 8) => "source host isolated",
            (false, 3, 9) => "network administratively prohibited",
            (false, 3, 10) => "host administratively prohibited",
            (false, 3, 11) => "network unreachable for this type of service",
            (false, 3, 12) => "host unreachable for this type of service",
            (false, 3, 13) | (true, 1, 1) => "administratively prohibited",
            (false, 3, 14) => "host precedence violation",
            (false, 3, 15) => "precedence cutoff in effect",
            (false, 11, _) | (true, 3, _) => "time exceeded on the way",
            (false, 12, _) | (true, 4, _) => "parameter problem",
            (true, 1, 0) => "no route to destination",
            (true, 1, 2) => "beyond the scope of the source address",
            (true, 1, 3) => "address unreachable",
            (true, 1, 5) => "source address failed ingress or egress policy",
            (true, 1, 6) => "route rejected",
            (true, 1, 7) => "error in the source routing header",
            (true, 1, 8) => "headers too long",
            (true, 2, _) => "packet too big",
            _ => "unreachable",
        }
    }

    /// Whether this address sent it: asked with the target's own, it tells a host that turns away
    /// itself from a device before it. An error whose sender is not known is from nobody.
    ///
    /// A device that writes the target's address into its errors, as a router does that hides behind
    /// it, cannot be told from the target.
    #[must_use]
    pub fn is_from(&self, address: IpAddr) -> bool {
        self.from
            .is_some_and(|from| from.to_canonical() == address.to_canonical())
    }
}

impl fmt::Display for IcmpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let protocol = if self.v6 { "ICMPv6" } else { "ICMP" };
        write!(
            f,
            "{} ({protocol} type {} code {})",
            self.meaning(),
            self.kind,
            self.code
        )?;
        match self.from {
            Some(from) => write!(f, " from {from}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: u8, code: u8, from: Option<&str>, v6: bool) -> IcmpError {
        let from = from.map(|address| address.parse().unwrap());
        IcmpError {
            kind,
            code,
            from,
            v6,
        }
    }

    #[test]
    fn an_icmp_error_knows_whether_the_target_itself_sent_it() {
        let target: IpAddr = "192.0.2.7".parse().unwrap();
        assert!(error(3, 3, Some("192.0.2.7"), false).is_from(target));
        assert!(error(3, 3, Some("::ffff:192.0.2.7"), false).is_from(target));
        assert!(!error(3, 3, Some("192.0.2.1"), false).is_from(target));
        assert!(!error(3, 3, None, false).is_from(target));
        let target: IpAddr = "2001:db8::7".parse().unwrap();
        assert!(error(1, 4, Some("2001:db8::7"), true).is_from(target));
        assert!(!error(1, 1, Some("2001:db8::1"), true).is_from(target));
    }

    #[test]
    fn the_codes_that_say_who_denies_are_told_apart() {
        let mut seen = std::collections::BTreeMap::new();
        for (v6, kind, codes) in [(false, 3, 0..=15), (true, 1, 0..=8)] {
            for code in codes {
                let meaning = error(kind, code, None, v6).meaning();
                assert_ne!(meaning, "unreachable", "{kind}/{code}");
                assert_eq!(seen.insert((v6, meaning), code), None, "{meaning}");
            }
        }
        // The same door in both families has the same name.
        for ((kind, code), (kind6, code6)) in [((3, 3), (1, 4)), ((3, 13), (1, 1))] {
            assert_eq!(
                error(kind, code, None, false).meaning(),
                error(kind6, code6, None, true).meaning()
            );
        }
    }
}
