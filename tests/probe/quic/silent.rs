//! Ports that speak something else, or nothing.

use std::net::SocketAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use noentry::domain::observation::{QuicEvidence, StoppedBy};
use noentry::domain::reach::Reach;
use tokio::net::UdpSocket;

use super::server::asks_for_versions;
use super::{V4, V6, knock, page, quic, told, udp};
use crate::fair::fairly;
use crate::support::{close, evidence, have, reach, stopped_by};

async fn bound(ip: std::net::IpAddr) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((ip, 0)).await.unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

#[tokio::test]
async fn silence_is_no_answer_and_says_what_was_sent() {
    for ip in [V4, V6] {
        let (_silent, address) = bound(ip).await;
        for kind in [quic(address.port()), page(address.port(), "/")] {
            let begin = Instant::now();
            let seen = knock(&kind, address, Duration::from_secs(1)).await;
            assert!(begin.elapsed() >= Duration::from_secs(1));
            assert_eq!(reach(&seen), Reach::NoAnswer, "{seen:?}");
            assert!(udp(&seen).sent >= 3, "{seen:?}");
            assert_eq!(udp(&seen).answer, None);
            assert_eq!(*told(&seen), QuicEvidence::default());
            assert_eq!(evidence(&seen).stopped_by, None);
            assert_eq!(evidence(&seen).tls, None);
        }
    }
}

/// The default of an attempt: when do its datagrams leave, and in what order?
#[tokio::test]
async fn datagrams_are_spread_over_the_attempt() {
    fairly(|| async {
        let (silent, address) = bound(V4).await;
        let listening = tokio::spawn(async move {
            let begin = Instant::now();
            let mut heard = Vec::new();
            let mut buffer = [0; 2000];
            while begin.elapsed() < Duration::from_secs(5) {
                let more =
                    tokio::time::timeout(Duration::from_secs(5), silent.recv_from(&mut buffer));
                let Ok(Ok((length, from))) = more.await else {
                    break;
                };
                assert!(length >= 1200, "{length}");
                let question = asks_for_versions(&buffer[..length]);
                heard.push((begin.elapsed().as_secs_f64(), from.port(), question));
            }
            heard
        });
        let seen = knock(&quic(address.port()), address, Duration::from_millis(4400)).await;
        assert_eq!(reach(&seen), Reach::NoAnswer);
        let heard = listening.await.unwrap();
        assert_eq!(u32::try_from(heard.len()).unwrap(), udp(&seen).sent);
        let times = |question: bool| -> Vec<f64> {
            let of = heard.iter().filter(|heard| heard.2 == question);
            of.map(|heard| heard.0).collect()
        };
        let near = |seen: &[f64], expected: &[f64]| {
            seen.len() == expected.len()
                && seen.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.25)
        };
        let questions = times(true);
        assert!(
            near(&questions, &[0.0, 1.0, 2.0, 3.0, 4.0]),
            "{questions:?}"
        );
        // Each probe time-out sends two (RFC 9002 section 6.2.4).
        let hellos = times(false);
        assert!(
            near(&hellos, &[1.1, 1.4, 1.4, 2.0, 2.0, 3.2, 3.2]),
            "{hellos:?}"
        );
        let mut ports: Vec<u16> = heard.iter().map(|heard| heard.1).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn versions_from_another_port_or_address_are_heard() {
    if !cfg!(target_os = "linux") {
        return;
    }
    for elsewhere in ["127.0.0.1:0", "127.0.0.9:0"] {
        let (asked, address) = bound(V4).await;
        let other = UdpSocket::bind(elsewhere).await.unwrap();
        let from = other.local_addr().unwrap();
        tokio::spawn(async move {
            let mut buffer = [0; 2000];
            while let Ok((_, client)) = asked.recv_from(&mut buffer).await {
                if asks_for_versions(&buffer) {
                    // The IDs change places (RFC 9000 section 17.2.1).
                    let at = 6 + usize::from(buffer[5]);
                    let end = at + 1 + usize::from(buffer[at]);
                    let answer = [&[0x80, 0, 0, 0, 0], &buffer[at..end], &buffer[5..at]].concat();
                    let answer = [&answer[..], &[0x6b, 0x33, 0x43, 0xcf]].concat();
                    other.send_to(&answer, client).await.unwrap();
                }
            }
        });
        let seen = knock(&quic(address.port()), address, Duration::from_secs(1)).await;
        assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
        assert_eq!(told(&seen).versions, ["0x6b3343cf"]);
        let answer = udp(&seen).answer.as_ref().unwrap();
        let said = answer.says.as_deref().unwrap();
        assert!(said.ends_with(&from.port().to_string()), "{said}");
    }
}

#[tokio::test]
async fn a_closed_port_is_refused_at_once() {
    fairly(|| async {
        for ip in [V4, V6] {
            let (socket, address) = bound(ip).await;
            close(&socket).await;
            let begin = Instant::now();
            let seen = knock(&quic(address.port()), address, Duration::from_secs(4)).await;
            assert_eq!(reach(&seen), Reach::Refused, "{seen:?}");
            assert!(begin.elapsed() < Duration::from_secs(1));
            // The question and, as somebody may answer in spite of the rejection, a handshake's beginning.
            assert!((2..=3).contains(&udp(&seen).sent), "{seen:?}");
            if cfg!(target_os = "linux") {
                let StoppedBy::Icmp(error) = stopped_by(&seen) else {
                    panic!("{seen:?}");
                };
                assert_eq!(error.meaning(), "port unreachable");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_port_that_closes_while_the_handshake_waits_is_refused() {
    fairly(|| async {
        let (socket, address) = bound(V4).await;
        let closing = async {
            tokio::time::sleep(Duration::from_millis(1500)).await;
            close(&socket).await;
        };
        let begin = Instant::now();
        let kind = quic(address.port());
        let (seen, ()) = tokio::join!(knock(&kind, address, Duration::from_secs(4)), closing);
        assert_eq!(reach(&seen), Reach::Refused, "{seen:?}");
        assert!(begin.elapsed() < Duration::from_secs(3));
        assert!(udp(&seen).sent > 3, "{seen:?}");
    })
    .await;
}

#[tokio::test]
async fn whatever_comes_back_is_connected() {
    for answer in [None, Some(b"\x80".as_slice()), Some(b"no \x1b[2J QUIC")] {
        let (socket, address) = bound(V4).await;
        tokio::spawn(async move {
            let mut buffer = [0; 2000];
            while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
                let answer = answer.unwrap_or(&buffer[..length]);
                let _ = socket.send_to(answer, from).await;
            }
        });
        let seen = knock(&page(address.port(), "/"), address, Duration::from_secs(1)).await;
        assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
        assert_eq!(*stopped_by(&seen), StoppedBy::Silence);
        assert!(told(&seen).versions.is_empty());
        let first = udp(&seen).answer.as_ref().unwrap();
        assert!(!first.expected);
        if answer.is_some_and(|answer| answer.len() > 1) {
            assert_eq!(first.first_bytes, "no \\x1b[2J QUIC");
        }
    }
}

/// Answers the handshake alone, and in no way that makes sense.
#[tokio::test]
async fn an_answer_to_the_handshake_alone_is_connected() {
    let (socket, address) = bound(V4).await;
    tokio::spawn(async move {
        let mut buffer = [0; 2000];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            if !asks_for_versions(&buffer[..length]) {
                let _ = socket.send_to(b"what?", from).await;
            }
        }
    });
    let seen = knock(&quic(address.port()), address, Duration::from_secs(1)).await;
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    assert_eq!(udp(&seen).answer.as_ref().unwrap().first_bytes, "what?");
    assert!(!told(&seen).handshake);
}

/// Everything that leaves, as it leaves. tshark knows the keys of a first packet (RFC 9001 section
/// 5.2) and reads the hello inside.
#[tokio::test]
async fn wireshark_reads_what_is_sent_without_a_warning() {
    if !have("tshark", &["--version"]) || !have("text2pcap", &["--version"]) {
        return;
    }
    let (socket, address) = bound(V4).await;
    let kind = quic(address.port());
    let mut knocking = std::pin::pin!(knock(&kind, address, Duration::from_secs(1)));
    let mut dump = String::new();
    let (mut questions, mut buffer) = (0, [0; 2000]);
    let mut take = |datagram: &[u8]| {
        questions += usize::from(asks_for_versions(datagram));
        let hex: Vec<String> = datagram.iter().map(|byte| format!("{byte:02x}")).collect();
        dump.extend(["000000 ", &hex.join(" "), "\n"]);
    };
    let seen = loop {
        tokio::select! {
            seen = &mut knocking => break seen,
            length = socket.recv(&mut buffer) => take(&buffer[..length.unwrap()]),
        }
    };
    // What was sent in the last instant.
    while let Ok(length) = socket.try_recv(&mut buffer) {
        take(&buffer[..length]);
    }
    let sent = usize::try_from(udp(&seen).sent).unwrap();
    assert_eq!(dump.lines().count(), sent);
    let folder = tempfile::TempDir::new().unwrap();
    let (text, capture) = (folder.path().join("text"), folder.path().join("capture"));
    std::fs::write(&text, dump).unwrap();
    let made = Command::new("text2pcap")
        .args(["-q", "-4", "192.0.2.1,192.0.2.2", "-u", "50000,443"])
        .args([&text, &capture])
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let read = Command::new("tshark")
        .env("HOME", folder.path())
        .args(["-n", "-T", "fields", "-r"])
        .arg(&capture)
        .args(["-e", "frame.protocols", "-e", "quic.version"])
        .args(["-e", "_ws.expert.severity", "-e", "_ws.malformed"])
        .args(["-e", "tls.handshake.extensions_server_name"])
        .args(["-e", "tls.handshake.extensions_alpn_str"])
        .output()
        .unwrap();
    assert!(read.status.success(), "{read:?}");
    let told = String::from_utf8(read.stdout).unwrap();
    let (mut asked, mut hellos) = (0, 0);
    for line in told.lines() {
        let [stack, version, expert, malformed, name, alpn] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        assert!(stack.contains(":ip:udp:quic"), "{line}");
        // A note says that a hello is sent again. From 0x600000 on it is a warning.
        let severe = |severity: &str| severity.parse::<u32>().unwrap() >= 0x0060_0000;
        let severities = expert.split(',').filter(|severity| !severity.is_empty());
        assert!(!severities.into_iter().any(severe), "{line}");
        assert_eq!(malformed, "", "{line}");
        if version == "0x00000001" {
            assert!(["", "door.example.com"].contains(&name), "{line}");
            hellos += usize::from(name == "door.example.com" && alpn == "h3");
        } else {
            let tail: Vec<char> = version.chars().skip(3).step_by(2).collect();
            assert_eq!(tail, ['a'; 4], "{line}");
            asked += 1;
        }
    }
    assert_eq!(asked, questions, "{told}");
    assert!(questions > 0 && hellos > 0, "{told}");
}
