//! ICMP echo packets: written, and known again when they or their answers come back.
//!
//! RFC 792 and RFC 4443 section 4. Nothing here touches a socket. Limits: no option headers are
//! written, and of what comes in only the part up to the token is read.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};

/// Echo request and echo reply of ICMP (RFC 792) and ICMPv6 (RFC 4443 sections 4.1 and 4.2).
const TYPES: (u8, u8) = (8, 0);
const TYPES_6: (u8, u8) = (128, 129);
/// Type, code, checksum, identifier, sequence number.
const HEADER: usize = 8;
/// Bytes of the token.
const TOKEN: usize = 16;

/// The echo requests of one attempt.
#[derive(Clone, Debug)]
pub(super) struct Echo {
    v6: bool,
    identifier: [u8; 2],
    token: [u8; TOKEN],
}

impl Echo {
    /// Requests with an identifier and a token that nobody can guess.
    pub(super) fn new(v6: bool) -> Self {
        // The standard library's hash keys are random for every process and every call.
        let random = || RandomState::new().build_hasher().finish().to_be_bytes();
        let mut token = [0; TOKEN];
        for part in token.chunks_exact_mut(8) {
            part.copy_from_slice(&random());
        }
        let [first, second, ..] = random();
        Self {
            v6,
            identifier: [first, second],
            token,
        }
    }

    /// One request. On a datagram socket Linux puts its own identifier and checksum in place of ours.
    pub(super) fn request(&self, sequence: u16) -> Vec<u8> {
        let (request, _) = self.types();
        let packet = |sum: [u8; 2]| {
            let [high, low] = sum;
            let mut packet = vec![request, 0, high, low];
            packet.extend(self.identifier);
            packet.extend(sequence.to_be_bytes());
            packet.extend(self.token);
            packet
        };
        let blank = packet([0, 0]);
        // ICMPv6 sums up the addresses as well, which the kernel alone knows (RFC 3542 section 3.1).
        if self.v6 {
            blank
        } else {
            packet(checksum(&blank).to_be_bytes())
        }
    }

    /// Whether a packet, with or without the IPv4 header that some sockets hand over, is a reply to
    /// one of these requests. The token alone decides: identifiers are rewritten by kernels and NATs.
    /// A request, such as our own seen by a raw socket on loopback, is none.
    pub(super) fn is_reply(&self, packet: &[u8]) -> bool {
        let packet = self.without_ip_header(packet);
        let (_, reply) = self.types();
        packet.starts_with(&[reply, 0])
            && packet
                .get(HEADER..)
                .is_some_and(|data| data.starts_with(&self.token))
    }

    /// Whether a packet that an ICMP error quotes is one of these requests.
    ///
    /// Only eight bytes must be quoted (RFC 792). Where the token is among the quoted ones it
    /// decides; else type, sequence number and, if we chose it, the identifier must be ours, and the
    /// caller must know that the packet went to the right address.
    pub(super) fn is_request(&self, quote: &[u8], sent: u16, own_identifier: bool) -> Quote {
        let (request, _) = self.types();
        let Some((header, data)) = quote.split_first_chunk::<HEADER>() else {
            return Quote::Foreign;
        };
        let [kind, code, _, _, first, second, high, low] = *header;
        let sequence = u16::from_be_bytes([high, low]);
        let known = (kind, code) == (request, 0)
            && (1..=sent).contains(&sequence)
            && (!own_identifier || [first, second] == self.identifier);
        let data = data.get(..TOKEN).unwrap_or(data);
        if !known || !self.token.starts_with(data) {
            Quote::Foreign
        } else if data.len() == TOKEN {
            Quote::Ours
        } else {
            Quote::Perhaps
        }
    }

    const fn types(&self) -> (u8, u8) {
        if self.v6 { TYPES_6 } else { TYPES }
    }

    /// Raw IPv4 sockets and macOS' datagram sockets hand over the IP header as well. It cannot be
    /// taken for an ICMP header: as a type its first byte would be one of 64 to 79, which nobody has.
    fn without_ip_header<'a>(&self, packet: &'a [u8]) -> &'a [u8] {
        match packet.first() {
            Some(first) if !self.v6 && first >> 4 == 4 => packet
                .get(usize::from(first & 0xf) * 4..)
                .unwrap_or_default(),
            Some(_) | None => packet,
        }
    }
}

/// Whose packet an ICMP error is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Quote {
    /// Ours, for certain.
    Ours,
    /// Nothing speaks against it, but the quotation is too short to tell.
    Perhaps,
    /// Somebody else's.
    Foreign,
}

/// The internet checksum (RFC 1071 section 4.1) of a packet whose checksum is zero.
fn checksum(packet: &[u8]) -> u16 {
    let mut sum = 0_u32;
    for pair in packet.chunks(2) {
        let word = match *pair {
            [high, low] => u16::from_be_bytes([high, low]),
            // An odd byte at the end is the high one of a word.
            [high] => u16::from_be_bytes([high, 0]),
            _ => 0,
        };
        // A packet of ours has a dozen words, so the carries cannot overflow.
        sum = sum.saturating_add(word.into());
    }
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    // Folded, so nothing is cut off.
    !u16::try_from(sum).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What a host makes of a request (RFC 792: types change, the checksum is made anew).
    fn reply(request: &[u8], kind: u8) -> Vec<u8> {
        let mut reply = request.to_vec();
        reply[0] = kind;
        reply
    }

    #[test]
    fn the_checksum_is_that_of_the_rfc() {
        // RFC 1071 section 3: the sum of these is ddf2.
        let example = [0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7];
        assert_eq!(checksum(&example), !0xddf2);
        assert_eq!(checksum(&[0x12, 0x34, 0x56]), !(0x1234 + 0x5600));
        // A packet with its checksum sums up to all ones, which is how a receiver verifies it.
        for sequence in [1, 2, 0xffff] {
            assert_eq!(checksum(&Echo::new(false).request(sequence)), 0);
        }
    }

    #[test]
    fn a_reply_is_known_by_its_token() {
        for (v6, kind) in [(false, 0), (true, 129)] {
            let echo = Echo::new(v6);
            let request = echo.request(1);
            let good = reply(&request, kind);
            assert!(echo.is_reply(&good));
            // Another identifier: a kernel or a NAT has changed it.
            let mut rewritten = good.clone();
            rewritten[4..6].copy_from_slice(&[7, 7]);
            assert!(echo.is_reply(&rewritten));
            // Our own request, somebody else's reply, a reply that was cut.
            assert!(!echo.is_reply(&request));
            assert!(!Echo::new(v6).is_reply(&good));
            assert!(!echo.is_reply(&good[..good.len() - 1]));
            assert!(!echo.is_reply(&[]));
        }
    }

    #[test]
    fn an_ipv4_header_is_looked_through() {
        let echo = Echo::new(false);
        for words in [5, 15] {
            let mut packet = vec![0; words * 4];
            packet[0] = 0x40 | u8::try_from(words).unwrap();
            packet.extend(reply(&echo.request(1), 0));
            assert!(echo.is_reply(&packet));
            assert!(!echo.is_reply(&packet[..words * 4]));
        }
    }

    #[test]
    fn a_quoted_request_is_known_as_far_as_it_is_quoted() {
        for v6 in [false, true] {
            let echo = Echo::new(v6);
            let request = echo.request(2);
            assert_eq!(echo.is_request(&request, 2, true), Quote::Ours);
            assert_eq!(echo.is_request(&request[..8], 2, true), Quote::Perhaps);
            assert_eq!(echo.is_request(&request[..20], 2, true), Quote::Perhaps);
            assert_eq!(echo.is_request(&request[..7], 2, true), Quote::Foreign);
            // Not sent yet, and never sent.
            assert_eq!(echo.is_request(&request, 1, true), Quote::Foreign);
            assert_eq!(echo.is_request(&echo.request(0), 2, true), Quote::Foreign);
            // Somebody else's, of whom chance gave the same identifier or not.
            let other = Echo {
                identifier: echo.identifier,
                ..Echo::new(v6)
            };
            assert_eq!(echo.is_request(&other.request(2), 2, true), Quote::Foreign);
            let mut other = request[..8].to_vec();
            other[4] ^= 1;
            assert_eq!(echo.is_request(&other, 2, true), Quote::Foreign);
            assert_eq!(echo.is_request(&other, 2, false), Quote::Perhaps);
            // The other family's.
            assert_eq!(
                echo.is_request(&Echo::new(!v6).request(2), 2, false),
                Quote::Foreign
            );
        }
    }

    proptest! {
        #[test]
        fn no_packet_is_taken_for_ours_or_panics(packet: Vec<u8>, v6: bool) {
            let echo = Echo::new(v6);
            prop_assert!(!echo.is_reply(&packet));
            prop_assert_ne!(echo.is_request(&packet, 9, true), Quote::Ours);
        }
    }
}
