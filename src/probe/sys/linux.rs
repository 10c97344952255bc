//! The socket error queue, and what TCP says about its own retransmissions.

use std::fs;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::OnceLock;
use std::time::Duration;

use nix::libc;
use nix::sys::socket::sockopt::{GetStruct, Ipv4RecvErr, Ipv6RecvErr, Timestamping};
use nix::sys::socket::{
    ControlMessageOwned, MsgFlags, SockaddrStorage, TimestampingFlag, getsockopt, recvmsg,
    setsockopt,
};

use super::{Drained, Origin, Queued, Quoted};

/// Entries read at most: a flood of forged errors must not hold us up.
const MOST: usize = 16;
/// How much of the offending packet is looked at: enough for an ICMP header and a token.
const QUOTE: usize = 64;
/// What a notice of a departure says besides whose it is (`SCM_TSTAMP_SCHED` in `linux/errqueue.h`).
const DEPARTED: u32 = 1;

/// `TCP_INFO` (`tcp(7)`): the 104 bytes that every Linux since 2.6.13 fills. nix brings the macro
/// for options that it does not name itself.
#[derive(Clone, Copy, Debug)]
struct TcpInfo;

nix::getsockopt_impl!(
    TcpInfo,
    libc::IPPROTO_TCP,
    libc::TCP_INFO,
    Info,
    GetStruct<Info>
);

/// `struct tcp_info` of `linux/tcp.h`, its oldest part.
#[repr(C)]
#[derive(Clone, Copy)]
struct Info {
    state: u8,
    ca_state: u8,
    /// Retransmission time-outs so far.
    retransmits: u8,
    /// Probes of a window of zero that nobody answered.
    probes: u8,
    others: [u8; 4],
    timers_and_sizes: [u32; 4],
    /// Segments on their way.
    unacked: u32,
    marked: [u32; 2],
    /// Retransmitted segments that our own stack let go since the last time-out.
    retrans: u32,
    times: [u32; 7],
    /// The smoothed round trip, in microseconds.
    rtt: u32,
    after: [u32; 7],
    /// Segments that were sent again, all in all.
    total_retrans: u32,
}

/// Asks for the error queue. Must come before connect: an ICMPv6 error that arrives within
/// microseconds is lost otherwise.
pub fn prepare<S: AsFd>(socket: &S, v6: bool) -> io::Result<()> {
    if v6 {
        setsockopt(socket, Ipv6RecvErr, &true)?;
    } else {
        setsockopt(socket, Ipv4RecvErr, &true)?;
    }
    Ok(())
}

/// Asks to be told of every packet that leaves for a device; whether that will be done.
///
/// The system call that sends does not always tell that a packet never left: a rule of our own that
/// drops goes unnoticed by a datagram socket of ICMPv6 (`ping_v6_sendmsg` in `net/ipv6/ping.c`
/// forgets the error), and no socket hears at once of a neighbour that is not there. The notice
/// comes from behind all that (`__dev_queue_xmit` in `net/core/dev.c`).
///
/// Before 5.18 datagram sockets of ICMPv6 took the wish and forgot it, so that nothing would ever seem
/// to leave. Kernels that are older, or only say that they are, are not believed.
pub fn watch_departures<S: AsFd>(socket: &S) -> bool {
    static TOLD: OnceLock<bool> = OnceLock::new();
    let told = TOLD.get_or_init(|| {
        fs::read_to_string("/proc/sys/kernel/osrelease")
            .is_ok_and(|release| version(&release) >= Some((5, 18)))
    });
    if !told {
        return false;
    }
    let flags = TimestampingFlag::SOF_TIMESTAMPING_SOFTWARE
        | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY
        | TimestampingFlag::from_bits_retain(libc::SOF_TIMESTAMPING_TX_SCHED);
    setsockopt(socket, Timestamping, &flags).is_ok()
}

/// The two numbers with which a kernel's release begins.
fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|character: char| !character.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// Takes everything out of the error queue, oldest first.
pub fn errors<S: AsFd>(socket: &S) -> Vec<Queued> {
    let entries = drain(socket).errors.into_iter();
    entries.map(|entry| entry.queued).collect()
}

/// The same, with the packet that each error is about, and with departures.
pub fn drain<S: AsFd>(socket: &S) -> Drained {
    let mut drained = Drained::default();
    for _ in 0..MOST {
        if next(socket, &mut drained).is_none() {
            break;
        }
    }
    drained
}

/// Takes one message out of the queue; `None` when it is empty.
fn next<S: AsFd>(socket: &S, drained: &mut Drained) -> Option<()> {
    let mut control = nix::cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6, [u8; 64]);
    let mut packet = [0_u8; QUOTE];
    let mut parts = [IoSliceMut::new(&mut packet)];
    let message = recvmsg::<SockaddrStorage>(
        socket.as_fd().as_raw_fd(),
        &mut parts,
        Some(&mut control),
        MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT,
    )
    .ok()?;
    let to = message.address.as_ref().and_then(address);
    let length = message.bytes;
    let mut errors = Vec::new();
    for control in message.cmsgs().ok()? {
        if is_departure(&control) {
            drained.departed = drained.departed.saturating_add(1);
        }
        errors.extend(queued(&control));
    }
    let packet = packet.get(..length).unwrap_or(&packet);
    drained
        .errors
        .extend(errors.into_iter().map(|queued| Quoted {
            queued,
            to,
            packet: packet.to_vec(),
        }));
    Some(())
}

fn is_departure(message: &ControlMessageOwned) -> bool {
    match message {
        ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
            error.ee_origin == libc::SO_EE_ORIGIN_TIMESTAMPING && error.ee_info == DEPARTED
        }
        _ => false,
    }
}

fn address(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage
        .as_sockaddr_in()
        .map(|v4| SocketAddr::from((v4.ip(), v4.port())));
    v4.or_else(|| {
        let v6 = storage.as_sockaddr_in6()?;
        Some((v6.ip(), v6.port()).into())
    })
}

fn queued(message: &ControlMessageOwned) -> Option<Queued> {
    match *message {
        ControlMessageOwned::Ipv4RecvErr(error, from) => entry(error, from.and_then(v4)),
        ControlMessageOwned::Ipv6RecvErr(error, from) => entry(error, from.and_then(v6)),
        _ => None,
    }
}

fn entry(error: libc::sock_extended_err, offender: Option<SocketAddr>) -> Option<Queued> {
    let origin = match error.ee_origin {
        libc::SO_EE_ORIGIN_LOCAL => Origin::Local,
        libc::SO_EE_ORIGIN_ICMP => Origin::Icmp,
        libc::SO_EE_ORIGIN_ICMP6 => Origin::Icmp6,
        // Time stamps and zero-copy notices are not errors.
        _ => return None,
    };
    Some(Queued {
        origin,
        kind: error.ee_type,
        code: error.ee_code,
        offender,
        errno: i32::try_from(error.ee_errno).unwrap_or(0),
    })
}

fn v4(address: libc::sockaddr_in) -> Option<SocketAddr> {
    (i32::from(address.sin_family) == libc::AF_INET).then(|| {
        let ip = u32::from_be(address.sin_addr.s_addr).into();
        SocketAddr::V4(SocketAddrV4::new(ip, 0))
    })
}

fn v6(address: libc::sockaddr_in6) -> Option<SocketAddr> {
    (i32::from(address.sin6_family) == libc::AF_INET6).then(|| {
        let ip = address.sin6_addr.s6_addr.into();
        SocketAddr::V6(SocketAddrV6::new(ip, 0, 0, address.sin6_scope_id))
    })
}

/// How often the SYN was sent again, if our own stack refused to let the last one go.
///
/// A local rule that drops outgoing packets gives `sendto` an EPERM, but connect hears nothing of
/// it: TCP keeps the error to itself and tries again, so that our own firewall looks like a silent
/// target. What gives it away: a retransmission time-out clears the count of retransmitted segments
/// and only a segment that the IP layer took counts again (`tcp_enter_loss` and
/// `tcp_retransmit_skb` in `net/ipv4/tcp_{input,output}.c`). Before the first retransmission, a
/// second after the start, nothing is known.
pub fn unsent<S: AsFd>(socket: &S) -> Option<u8> {
    let info = getsockopt(socket, TcpInfo).ok()?;
    (info.retransmits > 0 && info.retrans == 0).then_some(info.retransmits)
}

/// How many SYNs a connection took, or a flow on its way sent: each that our own stack kept back counts
/// too. Asked before anything else is sent over it.
pub fn syns<S: AsFd>(socket: &S) -> Option<u8> {
    let info = getsockopt(socket, TcpInfo).ok()?;
    Some(
        u8::try_from(info.total_retrans)
            .unwrap_or(u8::MAX)
            .saturating_add(1),
    )
}

/// How many packets came over the loopback device so far (`proc_pid_net(5)`, `dev`). A reset that a
/// rule of our own sends in a target's name is one of them: it is routed to where it is for.
pub fn looped() -> Option<u64> {
    let all = fs::read_to_string("/proc/self/net/dev").ok()?;
    let mut devices = all.lines().filter_map(|line| line.split_once(':'));
    let (_, counts) = devices.find(|(name, _)| name.trim() == "lo")?;
    counts.split_ascii_whitespace().nth(1)?.parse().ok()
}

/// How many packets the reverse path filter dropped so far in this network namespace
/// (`IPReversePathFilter` among the counters of `TcpExt`, `proc_pid_net(5)`, `netstat`).
pub fn reverse_path_drops() -> Option<u64> {
    counter(
        &fs::read_to_string("/proc/self/net/netstat").ok()?,
        "TcpExt",
        "IPReversePathFilter",
    )
}

/// One counter of a table in which each group has a line of names and, behind it, one of numbers.
fn counter(table: &str, group: &str, name: &str) -> Option<u64> {
    let mut lines = table.lines().filter_map(|line| {
        let (first, rest) = line.split_once(':')?;
        (first == group).then_some(rest)
    });
    let names = lines.next()?.split_ascii_whitespace();
    let mut both = names.zip(lines.next()?.split_ascii_whitespace());
    both.find(|(other, _)| *other == name)?.1.parse().ok()
}

/// Whether something that we sent has not been acknowledged.
///
/// A segment on its way is not, nor is one that a window of zero holds back, as long as nobody
/// answers the probes of that window. A device that does answer them, and never opens the window,
/// passes for one that acknowledged: what was sent and not taken is told by newer kernels only.
pub fn unacknowledged<S: AsFd>(socket: &S) -> Option<bool> {
    let info = getsockopt(socket, TcpInfo).ok()?;
    Some(info.unacked > 0 || info.probes > 0)
}

/// How long a packet takes there and back, as TCP measured it.
pub fn round_trip<S: AsFd>(socket: &S) -> Option<Duration> {
    let info = getsockopt(socket, TcpInfo).ok()?;
    Some(Duration::from_micros(info.rtt.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loopback_device_counts_what_comes_over_it() {
        let before = looped().unwrap();
        let door = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        door.send_to(b"x", door.local_addr().unwrap()).unwrap();
        assert!(looped().unwrap() > before);
    }

    #[test]
    fn a_counter_is_found_by_its_name_or_not_at_all() {
        let table = "TcpExt: SyncookiesSent IPReversePathFilter TCPTimeouts\n\
                     TcpExt: 3 17 5\n\
                     IpExt: InNoRoutes IPReversePathFilter\n\
                     IpExt: 1 99\n";
        let read = |table: &str, group: &str| counter(table, group, "IPReversePathFilter");
        assert_eq!(read(table, "TcpExt"), Some(17));
        assert_eq!(read(table, "IpExt"), Some(99));
        assert_eq!(read(table, "MPTcpExt"), None);
        assert_eq!(counter(table, "TcpExt", "Reverse"), None);
        for broken in [
            "",
            "TcpExt: IPReversePathFilter",
            "TcpExt: A IPReversePathFilter\nTcpExt: 1",
            "TcpExt: IPReversePathFilter\nTcpExt: many",
            "TcpExt: IPReversePathFilter\nTcpExt: -1",
            "TcpExt: IPReversePathFilter\nIpExt: 1",
        ] {
            assert_eq!(read(broken, "TcpExt"), None, "{broken}");
        }
        assert!(reverse_path_drops().is_some());
    }

    #[test]
    fn a_release_is_read_as_far_as_it_matters() {
        for (release, known) in [
            ("6.18.44-fc-v769\n", Some((6, 18))),
            ("5.15.0-105-generic", Some((5, 15))),
            ("6.1-rc4", Some((6, 1))),
            ("4.4.0", Some((4, 4))),
            ("", None),
            ("6", None),
            ("six.one", None),
        ] {
            assert_eq!(version(release), known, "{release}");
        }
        assert!(version("5.9.1") < Some((5, 18)));
        assert!(version("10.0") >= Some((5, 18)));
    }
}
