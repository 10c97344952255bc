//! UDP: answers, rejections and silence on loopback, without a server of others.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use noentry::domain::endpoint::Endpoint;
use noentry::domain::observation::{
    Blind, Observation, Outcome, StoppedBy, UdpAnswer, UdpEvidence,
};
use noentry::domain::payload::{Mute, Payload, Protocol};
use noentry::domain::reach::Reach;
use noentry::probe::udp;
use tokio::net::UdpSocket;

use crate::fair::fairly;
use crate::support::{close, evidence, reach, stopped_by};

pub const HERE: [&str; 2] = ["127.0.0.1", "::1"];

pub async fn ask(address: SocketAddr, payload: &Payload, timeout: Duration) -> Observation {
    let endpoint = Endpoint::udp(address.ip(), address.port());
    udp::probe(endpoint, payload, tokio::time::Instant::now() + timeout).await
}

pub fn udp_evidence(seen: &Observation) -> &UdpEvidence {
    evidence(seen).udp.as_ref().unwrap()
}

pub fn answer(seen: &Observation) -> &UdpAnswer {
    udp_evidence(seen).answer.as_ref().unwrap()
}

async fn socket(ip: &str) -> (UdpSocket, SocketAddr) {
    let ip: IpAddr = ip.parse().unwrap();
    let socket = UdpSocket::bind((ip, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

fn user(bytes: &[u8]) -> Payload {
    Payload::Bytes(bytes.to_vec())
}

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn whatever_comes_back_is_connected_and_shown_escaped() {
    for ip in HERE {
        let (server, address) = socket(ip).await;
        let serve = tokio::spawn(async move {
            let mut buffer = [0; 100];
            let (length, from) = server.recv_from(&mut buffer).await.unwrap();
            server.send_to(b"\x1b[31mno\xff", from).await.unwrap();
            buffer[..length].to_vec()
        });
        let seen = ask(address, &user(b"anybody there?"), 5 * SECOND).await;
        assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
        assert_eq!(serve.await.unwrap(), b"anybody there?");
        let evidence = udp_evidence(&seen);
        assert_eq!((evidence.payload.as_str(), evidence.sent), ("hex", 1));
        assert_eq!(
            *answer(&seen),
            UdpAnswer {
                bytes: 8,
                first_bytes: r"\x1b[31mno\xff".to_owned(),
                expected: false,
                says: None,
            }
        );
    }
}

#[tokio::test]
async fn even_an_empty_answer_is_one() {
    let (server, address) = socket("127.0.0.1").await;
    tokio::spawn(async move {
        let (length, from) = server.recv_from(&mut [0; 100]).await.unwrap();
        assert_eq!(length, 0);
        server.send_to(b"", from).await.unwrap();
    });
    let seen = ask(address, &Payload::Mute(Mute::Wireguard), 5 * SECOND).await;
    assert_eq!(reach(&seen), Reach::Connected);
    assert_eq!(answer(&seen).bytes, 0);
    assert_eq!(udp_evidence(&seen).payload, "wireguard");
}

#[tokio::test]
async fn a_closed_port_refuses_in_its_own_name() {
    fairly(|| async {
        for ip in HERE {
            let (server, address) = socket(ip).await;
            close(&server).await;
            let begin = Instant::now();
            let seen = ask(address, &Payload::Protocol(Protocol::Dns), 5 * SECOND).await;
            assert_eq!(reach(&seen), Reach::Refused, "{seen:?}");
            assert!(begin.elapsed() < SECOND);
            assert_eq!(udp_evidence(&seen).sent, 1);
            if cfg!(target_os = "linux") {
                let StoppedBy::Icmp(error) = stopped_by(&seen) else {
                    panic!("{seen:?}");
                };
                assert_eq!(error.meaning(), "port unreachable");
                assert_eq!(error.from, Some(address.ip()));
            }
        }
    })
    .await;
}

#[tokio::test]
async fn silence_is_no_answer_and_was_asked_every_second() {
    fairly(|| async {
        for (milliseconds, expected) in [(100, 1), (1300, 1), (1800, 2), (2800, 3)] {
            let (server, address) = socket("127.0.0.1").await;
            let begin = Instant::now();
            let timeout = Duration::from_millis(milliseconds);
            let seen = ask(address, &Payload::Protocol(Protocol::Ntp), timeout).await;
            assert_eq!(reach(&seen), Reach::NoAnswer, "{seen:?}");
            assert!(begin.elapsed() >= timeout && begin.elapsed() < timeout + SECOND / 2);
            assert_eq!(udp_evidence(&seen).sent, expected);
            assert_eq!(evidence(&seen).stopped_by, None);
            let mut received = 0;
            while server.try_recv(&mut [0; 100]).is_ok() {
                received += 1;
            }
            assert_eq!(received, expected);
        }
    })
    .await;
}

/// A service may take what comes twice for a repetition, or for somebody who moved.
#[tokio::test]
async fn each_port_asks_a_question_of_its_own() {
    let (server, address) = socket("127.0.0.1").await;
    let seen = ask(address, &Payload::Protocol(Protocol::Stun), 4 * SECOND).await;
    assert_eq!(reach(&seen), Reach::NoAnswer, "{seen:?}");
    let mut asked = Vec::new();
    let mut buffer = [0; 100];
    while let Ok((length, from)) = server.try_recv_from(&mut buffer) {
        asked.push((from, buffer[..length].to_vec()));
    }
    assert_eq!(asked.len(), 4);
    let ports: BTreeSet<_> = asked.iter().map(|(from, _)| from).collect();
    let words: BTreeSet<_> = asked.iter().map(|(_, words)| words).collect();
    assert_eq!((ports.len(), words.len()), (3, 3), "{asked:?}");
    assert_eq!(asked[0], asked[3]);
}

#[tokio::test]
async fn a_late_answer_to_an_early_question_counts() {
    fairly(|| async {
        let (server, address) = socket("127.0.0.1").await;
        tokio::spawn(async move {
            let (_, from) = server.recv_from(&mut [0; 100]).await.unwrap();
            tokio::time::sleep(Duration::from_millis(1900)).await;
            server.send_to(b"late", from).await.unwrap();
        });
        let seen = ask(address, &user(b"x"), 5 * SECOND).await;
        assert_eq!(reach(&seen), Reach::Connected);
        assert_eq!(udp_evidence(&seen).sent, 2);
    })
    .await;
}

#[tokio::test]
async fn an_answer_from_another_port_of_the_same_address_is_heard() {
    for ip in HERE {
        let (server, address) = socket(ip).await;
        let (other, from) = socket(ip).await;
        tokio::spawn(async move {
            let (_, asker) = server.recv_from(&mut [0; 100]).await.unwrap();
            other.send_to(b"\0\x05\0\x01Gone\0", asker).await.unwrap();
        });
        let seen = ask(address, &Payload::Protocol(Protocol::Tftp), 5 * SECOND).await;
        assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
        assert!(answer(&seen).expected);
        let says = format!("error 1: Gone, from port {}", from.port());
        assert_eq!(answer(&seen).says, Some(says));
    }
}

/// A server with several addresses, which answers from another one than was asked.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn another_address_is_heard_only_if_it_answers_our_question() {
    for (ours, expected) in [(true, Reach::Connected), (false, Reach::NoAnswer)] {
        let (server, address) = socket("127.0.0.1").await;
        let (other, from) = socket("127.0.0.2").await;
        tokio::spawn(async move {
            let mut ping = [0; 4];
            let (_, asker) = server.recv_from(&mut ping).await.unwrap();
            let [_, _, high, low] = ping;
            let reset = [0x70, 0, high, if ours { low } else { !low }];
            other.send_to(&reset, asker).await.unwrap();
        });
        let seen = ask(address, &Payload::Protocol(Protocol::Coap), SECOND).await;
        assert_eq!(reach(&seen), expected, "{seen:?}");
        if ours {
            assert_eq!(answer(&seen).says, Some(format!("from {from}")));
        }
    }
}

#[tokio::test]
async fn an_ipv4_mapped_address_is_asked_over_ipv4() {
    let (server, address) = socket("127.0.0.1").await;
    tokio::spawn(async move {
        let (_, from) = server.recv_from(&mut [0; 100]).await.unwrap();
        server.send_to(b"here", from).await.unwrap();
    });
    let mapped = Ipv4Addr::LOCALHOST.to_ipv6_mapped();
    let address = SocketAddr::new(mapped.into(), address.port());
    let seen = ask(address, &user(b"x"), 5 * SECOND).await;
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    assert_eq!(answer(&seen).says, None);
}

#[tokio::test]
async fn what_cannot_be_sent_is_blind() {
    // More than a datagram holds, which the configuration does not let through.
    let (_server, address) = socket("127.0.0.1").await;
    let seen = ask(address, &Payload::Bytes(vec![0; 70_000]), SECOND).await;
    assert_eq!(seen.outcome, Outcome::Blind(Blind::LocalError), "{seen:?}");
    assert_eq!(udp_evidence(&seen).sent, 0);
    // A broadcast address, which a socket must be allowed to use.
    let everybody = SocketAddr::new([255, 255, 255, 255].into(), 9);
    let seen = ask(everybody, &user(b"x"), SECOND).await;
    assert!(matches!(seen.outcome, Outcome::Blind(_)), "{seen:?}");
}

/// The reactor learns of a thousand sockets at a time. When a machine stood still and all deadlines have
/// passed at once, the answers in the others must not be taken for silence.
#[tokio::test]
async fn answers_that_lie_in_sockets_after_a_pause_count() {
    const PROBES: usize = 1_500;
    if noentry::round::raise_open_files().is_some_and(|files| files < 2_000) {
        return;
    }
    let servers: Vec<_> = (0..30)
        .map(|_| {
            let server = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
            server.set_nonblocking(true).unwrap();
            server
        })
        .collect();
    let payload = user(b"x");
    // Time enough to ask and to answer before the deadlines, also for a slow machine.
    let patience = 4 * SECOND;
    let probes = servers.iter().cycle().take(PROBES).map(|server| {
        let address = server.local_addr().unwrap();
        ask(address, &payload, patience)
    });
    let pause = async {
        tokio::time::sleep(SECOND / 2).await;
        // Who has asked twice by then is one.
        let mut answered = BTreeSet::new();
        for server in &servers {
            while let Ok((_, from)) = server.recv_from(&mut [0; 100]) {
                server.send_to(b"here", from).unwrap();
                answered.insert(from);
            }
        }
        std::thread::sleep(patience);
        answered.len()
    };
    let (seen, answered) =
        futures_util::future::join(futures_util::future::join_all(probes), pause).await;
    let connected = seen
        .iter()
        .filter(|seen| seen.outcome == Outcome::Reached(Reach::Connected))
        .count();
    assert!(answered > 1_200, "{answered}");
    assert_eq!(connected, answered);
}
