//! Sockets for ICMP echo: datagram sockets where the system gives them, raw ones else.

use std::io;
use std::net::IpAddr;

use socket2::{Domain, Protocol, Socket, Type};

use super::{Cause, cause};

/// A socket that may send echo requests. Non-blocking, neither bound nor connected.
#[derive(Debug)]
pub struct EchoSocket {
    /// The socket.
    pub socket: Socket,
    /// Whether it is a raw one: then it sees what other sockets sent and got, the identifier is our
    /// own choice, and IPv4 packets come with their IP header.
    pub raw: bool,
}

/// Opens one for an address: a datagram socket, or else a raw one.
///
/// The error is the raw socket's, as the last way that was left, unless the first one said that this
/// machine has run out of something.
pub fn echo_socket(address: IpAddr) -> io::Result<EchoSocket> {
    let (domain, protocol) = match address {
        IpAddr::V4(_) => (Domain::IPV4, Protocol::ICMPV4),
        IpAddr::V6(_) => (Domain::IPV6, Protocol::ICMPV6),
    };
    let (socket, raw) = match Socket::new(domain, Type::DGRAM, Some(protocol)) {
        Ok(socket) => (socket, false),
        Err(error) if leaves_raw(&error) => (Socket::new(domain, Type::RAW, Some(protocol))?, true),
        Err(error) => return Err(error),
    };
    socket.set_nonblocking(true)?;
    Ok(EchoSocket { socket, raw })
}

/// Whether a raw socket is worth trying. Linux says `EACCES` to a group that is not in
/// `ping_group_range`; systems without such datagram sockets say in one way or another that they do
/// not know the protocol or the type.
fn leaves_raw(error: &io::Error) -> bool {
    match error.raw_os_error().map(cause) {
        None | Some(Cause::NotPermitted | Cause::NoFamily | Cause::Other) => true,
        Some(
            Cause::Refused
            | Cause::Reset
            | Cause::Aborted
            | Cause::TimedOut
            | Cause::HostUnreachable
            | Cause::NoRoute
            | Cause::NoLocalPort
            | Cause::TooManyFiles
            | Cause::NoBuffers,
        ) => false,
    }
}
