//! The kernel's own choice of a way, asked by netlink (`rtnetlink(7)`). Nothing is sent to anybody.
//!
//! IPv4 is asked twice: `connect` looks for a route first without a source and then with the one
//! that it found (`ip_route_connect` in `net/ipv4/route.c`), so that rules which go by the source
//! (`ip rule … from`) and the choice among several next hops are told as they are for a connection.
//! IPv6 looks once, and again only where no route without a source was found
//! (`ip6_dst_lookup_tail` in `net/ipv6/ip6_output.c`).
//!
//! A tunnel has routes without a gateway, although what is reached through them stands behind the
//! tunnel's other end. So a route without a gateway leads to a neighbour only if its prefix is that of
//! an own address (the kernel lays such a route by itself), or if the device has to look for the
//! neighbour's hardware address. A default route without a gateway is neither: some device answers for
//! the whole world there.
//!
//! Rules may go by the protocol and its ports as well (`ip rule … dport`), so both are said where there are
//! any. Kernels before 4.17 have no such rules and pass over what they do not know.
//!
//! Limits: rules that go by our own port or by a mark are not told, nor which next hop a connection takes
//! where the kernel chooses by ports (`fib_multipath_hash_policy`), nor where a datagram socket that is
//! not connected is routed by its source.

use std::io::{self, Read as _};
use std::net::IpAddr;
use std::time::Duration;

use netlink_packet_core::{
    DecodeError, ErrorBuffer, ErrorMessage, NLM_F_REQUEST, NetlinkBuffer, NetlinkHeader,
    NetlinkMessage, NetlinkPayload, Parseable as _,
};
use netlink_packet_route::link::{
    LinkAttribute, LinkExtentMask, LinkFlags, LinkHeader, LinkMessage,
};
use netlink_packet_route::route::{
    RouteAddress, RouteAttribute, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteType,
    RouteVia,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use nix::errno::Errno;
use nix::libc;
use nix::net::if_::if_indextoname;
use socket2::{Domain, Protocol, Socket, Type};

use super::{Door, Route, source};

/// The kernel answers while it is asked. This is for the day on which it does not.
const PATIENCE: Duration = Duration::from_millis(500);
/// A route takes some hundred bytes, a device one or two thousand.
const ROOM: usize = 16_384;
/// Messages read at most for one question.
const MOST: usize = 8;

/// `RTM_NEWROUTE` and `RTM_NEWLINK` (`linux/rtnetlink.h`), `NLMSG_ERROR` (`linux/netlink.h`).
const NEW_ROUTE: u16 = 24;
const NEW_LINK: u16 = 16;
const ERROR: u16 = 2;

/// By which way packets to an address leave; `None` where no way leads there.
///
/// # Errors
///
/// If the kernel could not be asked. That says nothing about the way.
pub fn route(address: IpAddr, door: Option<Door>) -> io::Result<Option<Route>> {
    let mut kernel = Kernel::open(door)?;
    let Some((way, source)) = kernel.chosen(address)? else {
        return Ok(None);
    };
    let own = match way.header.kind {
        RouteType::Local => true,
        RouteType::Unicast | RouteType::Broadcast | RouteType::Anycast => false,
        // Unreachable, blackhole, prohibit, throw; and multicast, which leads to no door.
        _ => return Ok(None),
    };
    let facts = Facts::of(&way);
    let Some(index) = facts.interface else {
        return Ok(None);
    };
    let on_link = match facts.gateway {
        _ if own => true,
        Some(gateway) => gateway == address,
        None => {
            way.header.kind != RouteType::Unicast || kernel.leads_to_neighbour(address, &way)?
        }
    };
    Ok(Some(Route {
        own,
        on_link,
        interface: name(index)?,
        gateway: facts.gateway.filter(|_| !on_link),
        source: source.or(facts.source),
    }))
}

fn name(index: u32) -> io::Result<String> {
    let name = if_indextoname(index)?;
    Ok(name.to_string_lossy().into_owned())
}

/// What a route's attributes say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Facts {
    interface: Option<u32>,
    gateway: Option<IpAddr>,
    source: Option<IpAddr>,
    /// The source that was asked with.
    asked: Option<IpAddr>,
}

impl Facts {
    fn of(route: &RouteMessage) -> Self {
        let mut facts = Self::default();
        for attribute in &route.attributes {
            match attribute {
                RouteAttribute::Oif(index) => facts.interface = Some(*index),
                RouteAttribute::Gateway(gateway) => facts.gateway = ip(gateway),
                // IPv4 through an IPv6 router (RFC 5549).
                RouteAttribute::Via(RouteVia::Inet(gateway)) => {
                    facts.gateway = Some((*gateway).into());
                }
                RouteAttribute::Via(RouteVia::Inet6(gateway)) => {
                    facts.gateway = Some((*gateway).into());
                }
                RouteAttribute::PrefSource(source) => facts.source = ip(source),
                RouteAttribute::Source(asked) => {
                    facts.asked = ip(asked).filter(|asked| !asked.is_unspecified());
                }
                _ => {}
            }
        }
        facts
    }
}

const fn ip(address: &RouteAddress) -> Option<IpAddr> {
    match address {
        RouteAddress::Inet(v4) => Some(IpAddr::V4(*v4)),
        RouteAddress::Inet6(v6) => Some(IpAddr::V6(*v6)),
        _ => None,
    }
}

/// A socket to the kernel, how many questions went over it, and room for answers.
struct Kernel {
    socket: Socket,
    door: Option<Door>,
    asked: u32,
    buffer: Vec<u8>,
}

impl Kernel {
    fn open(door: Option<Door>) -> io::Result<Self> {
        let socket = Socket::new(
            Domain::from(libc::AF_NETLINK),
            Type::RAW,
            Some(Protocol::from(libc::NETLINK_ROUTE)),
        )?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            socket,
            door,
            asked: 0,
            buffer: vec![0; ROOM],
        })
    }

    /// The route that a connection takes, with its source where that is known.
    fn chosen(&mut self, address: IpAddr) -> io::Result<Option<(RouteMessage, Option<IpAddr>)>> {
        let none = RouteFlags::empty();
        let first = self.lookup(address, None, none)?;
        let leads = first.as_ref().is_some_and(|first| !says_no(first));
        let again = match (address, &first) {
            (IpAddr::V4(_), Some(first)) if first.header.kind == RouteType::Unicast => {
                Facts::of(first).source
            }
            (IpAddr::V6(_), _) if !leads => source(address),
            (IpAddr::V4(_) | IpAddr::V6(_), _) => None,
        };
        if again.is_none() {
            return Ok(first.map(|first| (first, None)));
        }
        let second = self.lookup(address, again, none)?;
        Ok(second.map(|second| (second, again)))
    }

    /// Whether a route without a gateway leads to a neighbour, see the top.
    fn leads_to_neighbour(&mut self, address: IpAddr, way: &RouteMessage) -> io::Result<bool> {
        let facts = Facts::of(way);
        let flags = RouteFlags::FibMatch;
        let Some(matched) = self.lookup(address, facts.asked, flags)? else {
            return Ok(false);
        };
        if matched.header.destination_prefix_length == 0 {
            return Ok(false);
        }
        if matched.header.protocol == RouteProtocol::Kernel {
            return Ok(true);
        }
        let tunnel = LinkFlags::Pointopoint | LinkFlags::Noarp;
        match facts.interface {
            Some(index) => Ok(!self.flags(index)?.intersects(tunnel)),
            None => Ok(false),
        }
    }

    /// `RTM_GETROUTE`; `None` where the kernel says that no way leads there.
    fn lookup(
        &mut self,
        address: IpAddr,
        source: Option<IpAddr>,
        flags: RouteFlags,
    ) -> io::Result<Option<RouteMessage>> {
        let (family, bits) = match address {
            IpAddr::V4(_) => (AddressFamily::Inet, 32),
            IpAddr::V6(_) => (AddressFamily::Inet6, 128),
        };
        let mut question = RouteMessage::default();
        question.header = RouteHeader {
            address_family: family,
            destination_prefix_length: bits,
            source_prefix_length: if source.is_some() { bits } else { 0 },
            flags,
            ..RouteHeader::default()
        };
        question
            .attributes
            .push(RouteAttribute::Destination(address.into()));
        if let Some(source) = source {
            question
                .attributes
                .push(RouteAttribute::Source(source.into()));
        }
        if let Some(door) = self.door {
            question.attributes.extend([
                RouteAttribute::IpProto(door.protocol),
                RouteAttribute::Dport(door.port),
            ]);
        }
        match self.ask(RouteNetlinkMessage::GetRoute(question))? {
            Answer::Route(route) => Ok(Some(*route)),
            Answer::Error(errno) if is_trouble(errno) => Err(errno.into()),
            Answer::Error(_) => Ok(None),
            Answer::Device(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// `RTM_GETLINK`: what kind of device it is.
    fn flags(&mut self, index: u32) -> io::Result<LinkFlags> {
        let mut question = LinkMessage::default();
        question.header.index = index;
        question
            .attributes
            .push(LinkAttribute::ExtMask(vec![LinkExtentMask::SkipStats]));
        match self.ask(RouteNetlinkMessage::GetLink(question))? {
            Answer::Device(flags) => Ok(flags),
            Answer::Error(errno) => Err(errno.into()),
            Answer::Route(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    fn ask(&mut self, question: RouteNetlinkMessage) -> io::Result<Answer> {
        self.asked += 1;
        let mut header = NetlinkHeader::default();
        header.flags = NLM_F_REQUEST;
        header.sequence_number = self.asked;
        let mut message = NetlinkMessage::new(header, NetlinkPayload::from(question));
        message.finalize();
        let mut bytes = vec![0; message.buffer_len()];
        message.serialize(&mut bytes);
        self.socket.send(&bytes)?;
        for _ in 0..MOST {
            let length = self.socket.read(&mut self.buffer)?;
            let bytes = self.buffer.get(..length).unwrap_or_default();
            let answer = read(bytes, self.asked).map_err(|_| io::ErrorKind::InvalidData)?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
        Err(io::ErrorKind::InvalidData.into())
    }
}

/// What the kernel answered.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Route(Box<RouteMessage>),
    Device(LinkFlags),
    Error(Errno),
}

/// Reads the answer to the question with this number; `None` if it is one to another.
fn read(bytes: &[u8], number: u32) -> Result<Option<Answer>, DecodeError> {
    let message = NetlinkBuffer::new_checked(bytes)?;
    if message.sequence_number() != number {
        return Ok(None);
    }
    let payload = message.payload();
    Ok(match message.message_type() {
        NEW_ROUTE => Some(Answer::Route(Box::new(RouteMessage::parse(payload)?))),
        NEW_LINK => Some(Answer::Device(LinkHeader::parse(payload)?.flags)),
        ERROR => {
            let error = ErrorMessage::parse(&ErrorBuffer::new_checked(&payload)?)?;
            // A negative error number.
            Some(Answer::Error(Errno::from_raw(
                error.raw_code().saturating_neg(),
            )))
        }
        _ => None,
    })
}

/// Whether a route says no instead of leading somewhere. IPv4 has error numbers for that alone.
const fn says_no(route: &RouteMessage) -> bool {
    matches!(
        route.header.kind,
        RouteType::Unreachable | RouteType::BlackHole | RouteType::Prohibit | RouteType::Throw
    )
}

/// Error numbers that speak of the asking, not of the way.
const fn is_trouble(errno: Errno) -> bool {
    matches!(
        errno,
        Errno::EPERM | Errno::ENOMEM | Errno::ENOBUFS | Errno::EBUSY | Errno::EAGAIN
    )
}

#[cfg(test)]
#[cfg(target_endian = "little")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What Linux 6.18 said to questions with the number 7, on a machine 10.77.0.1 and `fd77::1` with its
    /// gateways 10.77.0.2 and `fd77::2`.
    const GATEWAY: &str = "700000001800000007000000cf7e000002200000fe0000010002000008000f00fe00000008000100c000\
        02070800040002000000080007000a4d0001080005000a4d0002080019000000000024000c0002000000\
        00000000000000000000000000000000000000000000000000000000";
    const WITH_SOURCE: &str = "700000001800000007000000cf7e000002202000fe0000010002000008000f00fe00000008000100c000\
        0207080002000a4d00010800040002000000080005000a4d0002080019000000000024000c0002000000\
        00000000000000000000000000000000000000000000000000000000";
    const LINK_LOCAL: &str = "b00000001800000007000000cf7e00000a808000fe0300010000000008000f00fe000000140001002001\
        0db8000500000000000000000001140002000000000000000000000000000000000014000700fd770000\
        000000000000000000000001080006000004000014000500fe8000000000000000000000000000050800\
        04000200000024000c000200000000000000000000000000000000000000000000000000000000000000\
        0500140000000000";
    const VIA: &str = "800000001800000007000000cf7e000002200000fe0000010002000008000f00fe00000008000100c633\
        64c80800040002000000080007000a4d0001160012000a00fd7700000000000000000000000000020000\
        080019000000000024000c00020000000000000000000000000000000000000000000000000000000000\
        0000";
    const LOCAL: &str = "680000001800000007000000cf7e000002200000fe0000020002008008000f00fe000000080001000a4d\
        00010800040001000000080007000a4d0001080019000000000024000c00010000000000000000000000\
        0000000000000000000000000000000000000000";
    const MATCH: &str = "3c0000001800000007000000cf7e000002180000fe02fd010000000008000f00fe000000080001000a4d\
        0000080007000a4d00010800040002000000";
    const SEVERAL: &str = "500000001800000007000000cf7e000002180000fe0300010000000008000f00fe00000008000100cb00\
        7100240009001000000002000000080005000a4d00021000000002000000080005000a4d0003";
    const UNREACHABLE: &str = "380000000200000007000000cf7e00008fffffff240000001a0001000700000000000000022000000000\
        00000000000008000100c6336401";
    const ALL: [&str; 8] = [
        GATEWAY,
        WITH_SOURCE,
        LINK_LOCAL,
        VIA,
        LOCAL,
        MATCH,
        SEVERAL,
        UNREACHABLE,
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digits: Vec<u8> = hex
            .chars()
            .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
            .collect();
        let pairs = digits.chunks(2);
        pairs.map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    fn recorded(hex: &str) -> RouteMessage {
        match read(&bytes(hex), 7) {
            Ok(Some(Answer::Route(route))) => *route,
            other => panic!("{other:?}"),
        }
    }

    fn some(address: &str) -> Option<IpAddr> {
        address.parse().ok()
    }

    #[test]
    fn recorded_routes_are_read() {
        for (hex, interface, gateway, source, asked) in [
            (GATEWAY, 2, some("10.77.0.2"), some("10.77.0.1"), None),
            (WITH_SOURCE, 2, some("10.77.0.2"), None, some("10.77.0.1")),
            (LINK_LOCAL, 2, some("fe80::5"), some("fd77::1"), None),
            (VIA, 2, some("fd77::2"), some("10.77.0.1"), None),
            (LOCAL, 1, None, some("10.77.0.1"), None),
            (MATCH, 2, None, some("10.77.0.1"), None),
        ] {
            let expected = Facts {
                interface: Some(interface),
                gateway,
                source,
                asked,
            };
            assert_eq!(Facts::of(&recorded(hex)), expected);
        }
        assert_eq!(recorded(LOCAL).header.kind, RouteType::Local);
        let matched = recorded(MATCH).header;
        assert_eq!(matched.destination_prefix_length, 24);
        assert_eq!(matched.protocol, RouteProtocol::Kernel);
        assert_eq!(Facts::of(&recorded(SEVERAL)), Facts::default());
    }

    #[test]
    fn a_no_of_the_kernels_is_an_error_number() {
        let said = read(&bytes(UNREACHABLE), 7).unwrap();
        assert_eq!(said, Some(Answer::Error(Errno::EHOSTUNREACH)));
        assert!(!is_trouble(Errno::EHOSTUNREACH));
        // The smallest number there is has no negative.
        let mut odd = bytes(UNREACHABLE);
        odd[16..20].copy_from_slice(&i32::MIN.to_le_bytes());
        assert!(matches!(read(&odd, 7), Ok(Some(Answer::Error(_)))));
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        for hex in ALL {
            assert_eq!(read(&bytes(hex), 8).unwrap(), None);
        }
        // Neither a route nor a device nor an error: NLMSG_DONE.
        let mut done = bytes(GATEWAY);
        done[4] = 3;
        assert_eq!(read(&done, 7).unwrap(), None);
    }

    #[test]
    fn an_attribute_that_nobody_knows_is_skipped() {
        let mut more = bytes(GATEWAY);
        more.extend([8, 0, 0xff, 0x3f, 1, 2, 3, 4]);
        more[0] += 8;
        let Ok(Some(Answer::Route(route))) = read(&more, 7) else {
            panic!("{more:?}");
        };
        assert_eq!(Facts::of(&route), Facts::of(&recorded(GATEWAY)));
    }

    #[test]
    fn a_message_that_ends_too_soon_is_no_answer() {
        for hex in ALL {
            let whole = bytes(hex);
            for length in 0..whole.len() {
                assert!(read(&whole[..length], 7).is_err(), "{length}");
                // And one that says so itself; what was cut off may be a whole attribute.
                let mut short = whole[..length].to_vec();
                if let Some(first) = short.first_mut() {
                    *first = u8::try_from(length).unwrap();
                    let _ = read(&short, 7).map(|answer| match answer {
                        Some(Answer::Route(route)) => Facts::of(&route),
                        _ => Facts::default(),
                    });
                }
            }
        }
        // A device: the header alone is read.
        let mut device = bytes("20000000100000000700000000000000000001000200000043100100ffffffff");
        let flags = LinkFlags::from_bits_retain(0x11043);
        let read = |device: &[u8]| super::read(device, 7);
        assert_eq!(read(&device).unwrap(), Some(Answer::Device(flags)));
        device.truncate(30);
        device[0] = 30;
        assert!(read(&device).is_err());
    }

    proptest! {
        #[test]
        fn no_message_makes_it_panic(
            hex in prop::sample::select(ALL.to_vec()),
            changes in prop::collection::vec((0..200_usize, any::<u8>()), 0..12),
            noise: Vec<u8>,
        ) {
            let mut bytes = bytes(hex);
            let length = bytes.len();
            for (at, byte) in changes {
                bytes[at % length] = byte;
            }
            for bytes in [bytes, noise] {
                if let Ok(Some(Answer::Route(route))) = read(&bytes, 7) {
                    let _ = Facts::of(&route);
                }
            }
        }
    }

    #[test]
    fn the_kernel_is_asked() {
        let way = route("127.0.0.1".parse().unwrap(), None).unwrap().unwrap();
        assert!(way.own);
        assert_eq!(way.interface, "lo");
        assert_eq!(route("224.0.0.1".parse().unwrap(), None).unwrap(), None);
    }
}
