//! Errors that must not be believed too soon, or not at all, in a network namespace of our own (see
//! [`estate`](crate::estate)). Somebody answers and sends ICMP errors by hand here, as a device
//! beside the line does that rejects what it cannot stop.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use noentry::domain::endpoint::Endpoint;
use noentry::domain::payload::{Payload, Protocol};
use noentry::domain::reach::Reach;
use noentry::probe::icmp;
use socket2::{Domain, Socket, Type};
use tokio::net::UdpSocket;
use tokio::time::{Instant, sleep};

use crate::estate::{inside, sh};
use crate::quic::{knock, quic};
use crate::support::reach;
use crate::udp::ask;

const HERE: Ipv4Addr = Ipv4Addr::LOCALHOST;
/// How far an answer is behind the error.
const BEHIND: Duration = Duration::from_millis(50);
const PATIENCE: Duration = Duration::from_secs(2);

/// A raw socket of ICMP that sends from the loopback address.
fn raw() -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::RAW, Some(socket2::Protocol::ICMPV4)).unwrap();
    socket.bind(&SocketAddr::from((HERE, 0)).into()).unwrap();
    socket
}

fn send(socket: &Socket, mut message: Vec<u8>) {
    let sum: u32 = message
        .chunks(2)
        .map(|pair| u32::from(u16::from_be_bytes([pair[0], *pair.get(1).unwrap_or(&0)])))
        .sum();
    let folded = (sum & 0xffff) + (sum >> 16);
    let sum = !u16::try_from((folded & 0xffff) + (folded >> 16)).unwrap();
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let to = SocketAddr::from((HERE, 0));
    socket.send_to(&message, &to.into()).unwrap();
}

/// An unreachable with this code about a packet from here to `to`, of which it quotes `transport`.
fn unreachable(code: u8, to: Ipv4Addr, protocol: u8, transport: &[u8]) -> Vec<u8> {
    let mut message = vec![3, code, 0, 0, 0, 0, 0, 0];
    let length = u8::try_from(20 + transport.len()).unwrap();
    message.extend([0x45, 0, 0, length, 0, 1, 0, 0, 64, protocol, 0, 0]);
    message.extend(HERE.octets());
    message.extend(to.octets());
    message.extend(transport);
    message
}

/// The same about a datagram from port `from`.
fn about_udp(code: u8, from: u16, to: SocketAddr) -> Vec<u8> {
    let IpAddr::V4(address) = to.ip() else {
        unreachable!()
    };
    let mut header = from.to_be_bytes().to_vec();
    header.extend(to.port().to_be_bytes());
    header.extend([0, 48, 0, 0]);
    unreachable(code, address, 17, &header)
}

/// A server that says an error about `to`, or about what it was asked itself, for every datagram, and
/// answers some of them.
async fn server(
    code: u8,
    to: Option<SocketAddr>,
    answers: impl Fn(&[u8]) -> Option<Vec<u8>> + Send + 'static,
) -> SocketAddr {
    let socket = UdpSocket::bind((HERE, 0)).await.unwrap();
    let own = socket.local_addr().unwrap();
    let raw = raw();
    tokio::spawn(async move {
        let mut buffer = [0; 2000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            send(&raw, about_udp(code, from.port(), to.unwrap_or(own)));
            sleep(BEHIND).await;
            if let Some(answer) = answers(&buffer[..length]) {
                let _ = socket.send_to(&answer, from).await;
            }
        }
    });
    own
}

#[tokio::test]
async fn an_answer_right_behind_a_rejection_is_heard_over_udp() {
    if !inside("behind_errors::an_answer_right_behind_a_rejection_is_heard_over_udp") {
        return;
    }
    sh("ip link set lo up");
    // Host unreachable, port unreachable, administratively prohibited.
    for code in [1, 3, 13] {
        let open = server(code, None, |_| Some(b"here".to_vec())).await;
        let seen = ask(open, &Payload::Protocol(Protocol::Stun), PATIENCE).await;
        assert_eq!(reach(&seen), Reach::Connected, "{code}: {seen:?}");
    }
    // The question of QUIC is rejected, and a first packet of version 1 is answered.
    let open = server(3, None, |asked| {
        asked[1..]
            .starts_with(&[0, 0, 0, 1])
            .then(|| b"here".to_vec())
    })
    .await;
    let seen = knock(&quic(open.port()), open, PATIENCE).await;
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    // What nobody answers stays rejected.
    let shut = server(3, None, |_| None).await;
    for seen in [
        ask(shut, &Payload::Protocol(Protocol::Stun), PATIENCE).await,
        knock(&quic(shut.port()), shut, PATIENCE).await,
    ] {
        assert_eq!(reach(&seen), Reach::Refused, "{seen:?}");
    }
}

#[tokio::test]
async fn an_error_about_a_datagram_to_somebody_else_stops_nobody() {
    if !inside("behind_errors::an_error_about_a_datagram_to_somebody_else_stops_nobody") {
        return;
    }
    sh("ip link set lo up");
    // As it comes late for the one who had the local port before: about another host, or another port
    // of this one.
    for other in ["127.0.0.9:999", "127.0.0.1:999"] {
        for code in [1, 3] {
            let silent = server(code, Some(other.parse().unwrap()), |_| None).await;
            let seen = ask(silent, &Payload::Protocol(Protocol::Snmp), PATIENCE).await;
            assert_eq!(reach(&seen), Reach::NoAnswer, "{other} {code}: {seen:?}");
            assert_eq!(crate::udp::udp_evidence(&seen).sent, 2, "{seen:?}");
        }
    }
}

#[tokio::test]
async fn an_echo_reply_right_behind_a_rejection_is_heard() {
    if !inside("behind_errors::an_echo_reply_right_behind_a_rejection_is_heard") {
        return;
    }
    // The system's own reply would be faster.
    sh("ip link set lo up; echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all");
    let raw = raw();
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stopped = std::sync::Arc::clone(&stop);
    raw.set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let host = std::thread::spawn(move || {
        use std::io::Read as _;
        let mut raw = raw;
        let mut buffer = [0; 200];
        while !stopped.load(std::sync::atomic::Ordering::Relaxed) {
            let Ok(length) = raw.read(&mut buffer) else {
                continue;
            };
            let request = &buffer[20..length];
            if request[0] == 8 {
                send(&raw, unreachable(13, HERE, 1, request));
                std::thread::sleep(BEHIND);
                let mut reply = request.to_vec();
                reply[..4].fill(0);
                send(&raw, reply);
            }
        }
    });
    let endpoint = Endpoint::icmp(HERE.into());
    let seen = icmp::probe(endpoint, Instant::now() + PATIENCE).await;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    host.join().unwrap();
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
}
