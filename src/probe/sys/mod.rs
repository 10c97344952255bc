//! What differs between operating systems, and nothing else. No meaning is given to anything here:
//! see [`classify`](super::classify).
//!
//! | | Linux | macOS and other Unix | Windows |
//! | --- | --- | --- | --- |
//! | ICMP errors | the error queue (`ip(7)`, `IP_RECVERR`) hands over type, code, sender and the packet they are about | an error number alone | an error number alone |
//! | whether a packet left | from 5.18 on a notice in the same queue (`SO_TIMESTAMPING`) | not known | not known |
//! | whether a reset is a rule's of this machine | the loopback device's count of packets | not known | not known |
//! | the way to an address | the kernel's routing table, by netlink | the system's choice of a source, and the networks of its interfaces; no gateway | not known |
//! | drops by the reverse path filter | the network namespace's count, IPv4 alone (IPv6 has no such filter) | not known | not known |
//! | error numbers | `errno` | `errno` | Winsock codes |
//! | how TCP stands | `TCP_INFO`: kept back by our own stack, SYNs sent again, acknowledged, round trip | not known | not known |
//! | ICMP echo, unprivileged | datagram sockets for the groups in `ping_group_range`; the kernel sets the identifier and picks the replies | macOS: datagram sockets for everybody, with the IP header before the reply; elsewhere none | none |
//! | ICMP echo, privileged | raw sockets (`CAP_NET_RAW`) | raw sockets (root) | raw sockets (administrator) |
//!
//! Every socket kind, TCP, UDP and ICMP, is prepared by [`prepare`] before it is connected and asked
//! by [`errors`] or [`drain`] afterwards. Where there is no queue both come back empty, and the
//! evidence says less.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

mod echo;
pub use echo::{EchoSocket, echo_socket};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
pub use linux::{
    drain, errors, looped, prepare, reverse_path_drops, round_trip, syns, unacknowledged, unsent,
    watch_departures,
};
#[cfg(target_os = "linux")]
mod netlink;
#[cfg(target_os = "linux")]
pub use netlink::route;

// Compiled into the tests everywhere, so that it cannot rot unseen.
#[cfg(any(not(target_os = "linux"), test))]
mod portable;
#[cfg(not(target_os = "linux"))]
pub use portable::{
    drain, errors, looped, prepare, reverse_path_drops, round_trip, syns, unacknowledged, unsent,
    watch_departures,
};

// The same.
#[cfg(all(unix, any(not(target_os = "linux"), test)))]
mod interfaces;
#[cfg(all(unix, not(target_os = "linux")))]
pub use interfaces::route;

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub use unix::{cause, name};

#[cfg(not(unix))]
mod windows;
#[cfg(not(unix))]
pub use windows::{cause, name, route};

/// Whether ICMP errors reach a datagram socket that is not connected (`ip(7)`, `IP_RECVERR`).
pub const WIDE_ERRORS: bool = cfg!(target_os = "linux");

/// Where a queued error comes from (`SO_EE_ORIGIN_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "made by the error queue only")
)]
pub enum Origin {
    /// Our own stack.
    Local,
    /// An ICMP message.
    Icmp,
    /// An ICMPv6 message.
    Icmp6,
}

/// One entry of a socket's error queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Queued {
    /// Who made it.
    pub origin: Origin,
    /// ICMP type.
    pub kind: u8,
    /// ICMP code.
    pub code: u8,
    /// Who sent the ICMP message, with the scope of a link-local address.
    pub offender: Option<SocketAddr>,
    /// The error number that goes with it.
    pub errno: i32,
}

/// An entry of the error queue with the packet that it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quoted {
    /// The error.
    pub queued: Queued,
    /// Where that packet was sent to; the port means nothing for ICMP.
    pub to: Option<SocketAddr>,
    /// What the error quotes of it, from the transport's header on, at most 64 bytes. Empty where
    /// our own stack made the error.
    pub packet: Vec<u8>,
}

/// What lay in an error queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drained {
    /// The errors, oldest first.
    pub errors: Vec<Quoted>,
    /// How many packets left for a device, where [`watch_departures`] asked for that.
    pub departed: u16,
}

/// By which way the system sends packets to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Whether the address is one of this machine's own.
    pub own: bool,
    /// Whether nobody stands between: the address is that of a neighbour.
    pub on_link: bool,
    /// The interface by its name.
    pub interface: String,
    /// The first router to an address that is not a neighbour's, where the system tells.
    pub gateway: Option<IpAddr>,
    /// The address that packets leave from.
    pub source: Option<IpAddr>,
}

/// What is spoken to at an address: the number of the protocol (`/etc/protocols`), and the port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Door {
    /// 6 for TCP, 17 for UDP.
    pub protocol: u8,
    /// Its port.
    pub port: u16,
}

/// What an error number says, freed from its platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `ECONNREFUSED`
    Refused,
    /// `ECONNRESET`, `EPIPE`
    Reset,
    /// `ECONNABORTED`
    Aborted,
    /// `ETIMEDOUT`
    TimedOut,
    /// `EHOSTUNREACH`, `EHOSTDOWN`
    HostUnreachable,
    /// `ENETUNREACH`, `ENETDOWN`
    NoRoute,
    /// `EADDRNOTAVAIL`, `EADDRINUSE`, and `EAGAIN` from connect (no free local port, `connect(2)`)
    NoLocalPort,
    /// `EPERM`, `EACCES`
    NotPermitted,
    /// `EMFILE`, `ENFILE`
    TooManyFiles,
    /// `ENOBUFS`, `ENOMEM`
    NoBuffers,
    /// `EAFNOSUPPORT`, `EPROTONOSUPPORT`, `EPFNOSUPPORT`
    NoFamily,
    /// Any other.
    Other,
}

/// A non-blocking TCP socket for an address, not bound.
pub fn socket(address: SocketAddr) -> io::Result<Socket> {
    let domain = Domain::for_address(address);
    #[cfg(target_os = "linux")]
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    #[cfg(not(target_os = "linux"))]
    let socket = {
        let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
        socket.set_nonblocking(true)?;
        socket
    };
    Ok(socket)
}

/// Whether connect is merely on its way (`EINPROGRESS`; Windows says `WSAEWOULDBLOCK`). After
/// `EINTR` the connect goes on by itself as well (`connect(2)`).
pub fn in_progress(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        unix::in_progress(error)
    }
    #[cfg(not(unix))]
    {
        error.kind() == io::ErrorKind::WouldBlock
    }
}

/// Whether an address is one of this very machine. Asked by binding a datagram socket to it: that
/// sends nothing and needs no list of interfaces. Where the system lets anybody bind anything
/// (`ip_nonlocal_bind`) every address looks like our own, which errs towards "we could not see".
pub fn is_own(address: SocketAddr) -> bool {
    let ip = address.ip();
    if ip.is_loopback() {
        return true;
    }
    if ip.is_unspecified() || is_multicast(ip) {
        return false;
    }
    let mut address = address;
    address.set_port(0);
    let bound = Socket::new(
        Domain::for_address(address),
        Type::DGRAM,
        Some(Protocol::UDP),
    )
    .and_then(|socket| socket.bind(&address.into()));
    // Only "not available" says that it is somebody else's. Any other error, such as being out of
    // file descriptors, says nothing, and nothing must not turn our own firewall into theirs.
    match bound {
        Ok(()) => true,
        Err(error) => error.kind() != io::ErrorKind::AddrNotAvailable,
    }
}

/// The address that packets to another leave from. Connecting a datagram socket sends nothing; the port
/// does not matter, but Windows and some others want one.
#[cfg(unix)]
fn source(address: IpAddr) -> Option<IpAddr> {
    let any: SocketAddr = match address {
        IpAddr::V4(_) => (std::net::Ipv4Addr::UNSPECIFIED, 0).into(),
        IpAddr::V6(_) => (std::net::Ipv6Addr::UNSPECIFIED, 0).into(),
    };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect((address, 9)).ok()?;
    let source = socket.local_addr().ok()?.ip();
    (!source.is_unspecified()).then_some(source)
}

const fn is_multicast(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_multicast() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_multicast(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_addresses_are_told_from_others() {
        assert!(is_own("127.0.0.1:80".parse().unwrap()));
        assert!(is_own("[::1]:80".parse().unwrap()));
        assert!(!is_own("192.0.2.1:80".parse().unwrap()));
        assert!(!is_own("0.0.0.0:80".parse().unwrap()));
        assert!(!is_own("224.0.0.1:80".parse().unwrap()));
    }

    #[test]
    fn without_an_error_queue_nothing_is_claimed() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        portable::prepare(&socket, false).unwrap();
        assert!(portable::errors(&socket).is_empty());
        assert_eq!(portable::drain(&socket), Drained::default());
        assert!(!portable::watch_departures(&socket));
        assert_eq!(portable::looped(), None);
        assert_eq!(portable::reverse_path_drops(), None);
        assert_eq!(portable::unsent(&socket), None);
        assert_eq!(portable::syns(&socket), None);
        assert_eq!(portable::unacknowledged(&socket), None);
        assert_eq!(portable::round_trip(&socket), None);
    }
}
