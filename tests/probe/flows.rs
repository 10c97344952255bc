//! The flows of an attempt: which packets leave when and from which ports, and what becomes of a door
//! behind links of which some are dead.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read as _};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use noentry::domain::observation::{Blind, Observation, TcpEvidence};
use noentry::domain::payload::{Payload, Protocol};
use noentry::domain::reach::Reach;
use noentry::domain::target::{Host, TargetKind};
use socket2::{Domain, Socket, Type};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, UdpSocket};

use crate::estate::{assert_blind, estate, inside, rules, sh};
use crate::fair::fairly;
use crate::support::{look, reach, tcp, url};
use crate::udp::{answer, ask, udp_evidence};

/// What the defaults give an attempt.
const DEFAULT: Duration = Duration::from_millis(4_400);
/// TCP and UDP in an IP header.
const TCP: u8 = 6;
const UDP: u8 = 17;

fn at(port: u16) -> SocketAddr {
    SocketAddr::new([192, 0, 2, 7].into(), port)
}

async fn knock(port: u16, timeout: Duration) -> Observation {
    look(&tcp(at(port)), at(port), timeout).await
}

/// How many SYNs the handshake took.
fn syns(seen: &Observation) -> u8 {
    let evidence = seen.evidence.as_ref();
    let tcp = evidence.and_then(|evidence| evidence.tcp.clone());
    tcp.unwrap_or_default().syns
}

/// Hears every packet of this machine.
fn ears() -> Socket {
    // ETH_P_ALL, in the order of the network; a datagram socket leaves the link's header out.
    let every = socket2::Protocol::from(i32::from(3_u16.to_be()));
    let ears = Socket::new(Domain::PACKET, Type::DGRAM, Some(every)).unwrap();
    let soon = Some(Duration::from_millis(100));
    ears.set_read_timeout(soon).unwrap();
    ears
}

/// When what left for a port, by its source port: SYNs alone of TCP. Until nothing has come for a while
/// after that long.
fn heard(ears: &Socket, protocol: u8, how_long: Duration) -> BTreeMap<(u16, u16), Vec<Duration>> {
    let begin = Instant::now();
    let mut heard: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut packet = [0; 2_000];
    loop {
        match (&*ears).read(&mut packet) {
            Ok(length) => {
                // Whatever else is on the wire may be shorter.
                let Some((ip, transport)) = packet[..length].split_at_checked(20) else {
                    continue;
                };
                let flags = transport.get(13).copied().unwrap_or_default();
                let syn = protocol == UDP || flags & 0x12 == 0x02;
                let own = ip[0] == 0x45 && ip[9] == protocol && ip[16..] == [192, 0, 2, 7];
                if own && syn && transport.len() >= 8 {
                    let port = |at: usize| u16::from_be_bytes([transport[at], transport[at + 1]]);
                    heard
                        .entry((port(2), port(0)))
                        .or_default()
                        .push(begin.elapsed());
                }
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && begin.elapsed() < how_long => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return heard,
            Err(error) => panic!("{error}"),
        }
    }
}

/// Each flow to a port, the oldest first, with when its packets left.
fn flows_to(heard: &BTreeMap<(u16, u16), Vec<Duration>>, to: u16) -> Vec<Vec<Duration>> {
    let own = heard.iter().filter(|((port, _), _)| *port == to);
    let mut flows: Vec<_> = own.map(|(_, times)| times.clone()).collect();
    flows.sort();
    flows
}

/// Asserts that packets left at these tenths of a second and not much later. A timer of the kernel is up
/// to some hundredths late, each time.
fn assert_times(flows: &[Vec<Duration>], expected: &[&[u64]]) {
    let text = format!("{flows:.2?} instead of {expected:?}");
    assert_eq!(flows.len(), expected.len(), "{text}");
    let begin = flows[0][0];
    for (times, expected) in flows.iter().zip(expected) {
        assert_eq!(times.len(), expected.len(), "{text}");
        for (time, expected) in times.iter().zip(*expected) {
            // A timer's count of ticks may make it a little early.
            let early =
                Duration::from_millis(expected * 100).saturating_sub(Duration::from_millis(20));
            let late = time.checked_sub(begin + early);
            let late = late.unwrap_or_else(|| panic!("too early: {text}"));
            assert!(late < Duration::from_millis(320), "{text}");
        }
    }
}

/// Whether the kernel sends its first SYNs every second.
fn is_linear() -> bool {
    std::path::Path::new("/proc/sys/net/ipv4/tcp_syn_linear_timeouts").exists()
}

#[tokio::test]
async fn an_attempt_is_three_flows_whose_syns_leave_when_they_should() {
    if !inside("flows::an_attempt_is_three_flows_whose_syns_leave_when_they_should") {
        return;
    }
    estate();
    rules("ip netns exec router", "input", "meta l4proto tcp drop");
    fairly(|| async {
        let ears = ears();
        let hearing = std::thread::spawn(move || heard(&ears, TCP, DEFAULT + DEFAULT / 4));
        let looks = [(1, 1_900), (2, 2_500), (3, 4_400)]
            .map(|(port, timeout)| knock(port, Duration::from_millis(timeout)));
        for seen in join_all(looks).await {
            assert_eq!(reach(&seen), Reach::NoAnswer, "{seen:?}");
        }
        let heard = hearing.join().unwrap();
        assert_times(&flows_to(&heard, 1), &[&[0, 10]]);
        let (short, long): (&[u64], &[u64]) = if is_linear() {
            (&[0, 10, 20], &[0, 10, 20, 30, 40])
        } else {
            (&[0, 10], &[0, 10, 30])
        };
        assert_times(&flows_to(&heard, 2), &[short, &[16]]);
        assert_times(&flows_to(&heard, 3), &[long, &[16, 26], &[35]]);
    })
    .await;
}

#[tokio::test]
async fn datagrams_leave_from_three_ports_in_turn() {
    if !inside("flows::datagrams_leave_from_three_ports_in_turn") {
        return;
    }
    estate();
    rules("ip netns exec router", "input", "meta l4proto udp drop");
    fairly(|| async {
        let ears = ears();
        let hearing = std::thread::spawn(move || heard(&ears, UDP, DEFAULT + DEFAULT / 4));
        let seen = ask(at(53), &Payload::Protocol(Protocol::Dns), DEFAULT).await;
        assert_eq!(reach(&seen), Reach::NoAnswer, "{seen:?}");
        assert_eq!(udp_evidence(&seen).sent, 5);
        let heard = hearing.join().unwrap();
        assert_times(&flows_to(&heard, 53), &[&[0, 30], &[10, 40], &[20]]);
    })
    .await;
}

/// A router behind which this machine is reached at the target's address as well. So a test serves what
/// it looks at.
fn mirror() {
    estate();
    sh("ip netns exec router nft -f - <<'END'
table ip mirror {
chain there {
type nat hook prerouting priority dstnat
ip daddr 192.0.2.7 dnat to 10.77.0.1
}
chain back {
type nat hook postrouting priority srcnat
masquerade
}
}
END");
}

/// So many links of a bundle are dead: those that the first flows to port 1000 take.
fn bundle(dead: usize) {
    sh(&format!(
        "ip netns exec router nft -f - <<'END'
table ip bundle
delete table ip bundle
table ip bundle {{
set dead {{ type inet_service; size {dead}; flags dynamic; }}
chain c {{
type filter hook prerouting priority -300
meta l4proto {{ tcp, udp }} th dport 1000 th sport @dead drop
udp dport 1000 add @dead {{ udp sport }} drop
tcp dport 1000 tcp flags & (syn | ack) == syn add @dead {{ tcp sport }} drop
}}
}}
END"
    ));
}

/// The router loses this of what is for port 1000: the first packets, or all.
fn lossy(which: &str) {
    sh(&format!(
        "ip netns exec router nft -f - <<'END'
table ip lossy
delete table ip lossy
table ip lossy {{
chain c {{
type filter hook prerouting priority -300
tcp dport 1000 tcp flags & (syn | ack) == syn {which}
}}
}}
END"
    ));
}

const NOTHING: &str = "accept";
const FIRST: &str = "numgen inc mod 1000 < 1 drop";
const FIRST_TWO: &str = "numgen inc mod 1000 < 2 drop";
const ALL: &str = "drop";

/// Completes every handshake on port 1000 and says what an HTTP server might.
async fn door() {
    let listener = TcpListener::bind("10.77.0.1:1000").await.unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let said = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
                stream.write_all(said).await.ok();
                // What was asked is read, or the close would be a reset.
                tokio::io::copy(&mut stream, &mut tokio::io::sink())
                    .await
                    .ok();
            });
        }
    });
}

#[tokio::test]
async fn a_door_behind_a_bundle_with_dead_links_is_found_in_one_attempt() {
    if !inside("flows::a_door_behind_a_bundle_with_dead_links_is_found_in_one_attempt") {
        return;
    }
    mirror();
    door().await;
    let (one, two) = if is_linear() { (3, 7) } else { (3, 6) };
    for (dead, needed) in [(1, one), (2, two)] {
        for _ in 0..3 {
            bundle(dead);
            let seen = knock(1000, DEFAULT).await;
            assert_eq!(reach(&seen), Reach::Connected, "{dead} dead: {seen:?}");
            assert_eq!(syns(&seen), needed, "{dead} dead");
        }
    }
    // So many as an attempt has flows are too many for it.
    bundle(3);
    assert_eq!(reach(&knock(1000, DEFAULT).await), Reach::NoAnswer);
}

#[tokio::test]
async fn a_udp_door_behind_a_bundle_with_dead_links_is_found_in_one_attempt() {
    if !inside("flows::a_udp_door_behind_a_bundle_with_dead_links_is_found_in_one_attempt") {
        return;
    }
    mirror();
    let server = UdpSocket::bind("10.77.0.1:1000").await.unwrap();
    // A CoAP server resets what it has nothing to say to, with the message's number.
    tokio::spawn(async move {
        let mut ping = [0; 4];
        while let Ok((_, from)) = server.recv_from(&mut ping).await {
            let [_, _, high, low] = ping;
            server.send_to(&[0x70, 0, high, low], from).await.unwrap();
        }
    });
    for (dead, sent) in [(1, 2), (2, 3)] {
        bundle(dead);
        let seen = ask(at(1000), &Payload::Protocol(Protocol::Coap), DEFAULT).await;
        assert_eq!(reach(&seen), Reach::Connected, "{dead} dead: {seen:?}");
        assert!(answer(&seen).expected, "{seen:?}");
        assert_eq!(udp_evidence(&seen).sent, sent);
    }
    bundle(3);
    let seen = ask(at(1000), &Payload::Protocol(Protocol::Coap), DEFAULT).await;
    assert_eq!(reach(&seen), Reach::NoAnswer, "{seen:?}");
}

#[tokio::test]
async fn a_handshake_tells_how_many_syns_it_took() {
    if !inside("flows::a_handshake_tells_how_many_syns_it_took") {
        return;
    }
    mirror();
    door().await;
    let http = url("http", Host::Address([192, 0, 2, 7].into()), 1000, "/");
    let banner = TargetKind::Tcp {
        host: Host::Address([192, 0, 2, 7].into()),
        port: 1000,
        banner: true,
    };
    fairly(|| async {
        for (lost, needed) in [(NOTHING, 1), (FIRST, 2)] {
            for kind in [&tcp(at(1000)), &http, &banner] {
                lossy(lost);
                let seen = look(kind, at(1000), DEFAULT).await;
                assert_eq!(syns(&seen), needed, "{seen:?}");
            }
        }
    })
    .await;
    lossy(NOTHING);
    assert_eq!(knock(1000, DEFAULT).await.evidence, None);
    // What was recorded before there was such a count took one, as far as is known.
    let old: TcpEvidence = serde_json::from_str("{}").unwrap();
    assert_eq!(old.syns, 1);
    assert_eq!(serde_json::to_string(&old).unwrap(), "{}");
}

#[tokio::test]
async fn a_flow_that_the_kernel_gives_up_does_not_end_the_attempt() {
    if !inside("flows::a_flow_that_the_kernel_gives_up_does_not_end_the_attempt") {
        return;
    }
    mirror();
    door().await;
    // The first flow is given up after three seconds, and the third begins after 3.5 s.
    sh("echo 1 > /proc/sys/net/ipv4/tcp_syn_retries
        cd /proc/sys/net/ipv4; test ! -e tcp_syn_linear_timeouts || echo 0 > tcp_syn_linear_timeouts");
    bundle(2);
    let seen = knock(1000, DEFAULT).await;
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    assert_eq!(syns(&seen), 5);
    // All three were given up long ago, and it is a silence until the end. The last flow of the second
    // is given up after 6.5 s.
    bundle(3);
    let begin = Instant::now();
    let patience = Duration::from_secs(7);
    let [silent, kept] = {
        rules("", "output", "tcp dport 2001 drop");
        join_all([knock(1000, patience), knock(2001, patience)])
            .await
            .try_into()
            .unwrap()
    };
    assert_eq!(reach(&silent), Reach::NoAnswer, "{silent:?}");
    assert!(begin.elapsed() >= patience);
    // Nor is a rule of our own forgotten with the flow that it kept back.
    assert_blind(&kept, Blind::LocalUnreachable);
}

#[tokio::test]
async fn a_silence_that_had_no_port_for_its_second_flow_is_blind() {
    if !inside("flows::a_silence_that_had_no_port_for_its_second_flow_is_blind") {
        return;
    }
    mirror();
    door().await;
    sh("echo '40000 40000' > /proc/sys/net/ipv4/ip_local_port_range");
    lossy(ALL);
    assert_blind(&knock(1000, DEFAULT).await, Blind::NoLocalPort);
    // The first flow may still get through: its SYNs left at 0, 1 and, now in time, 2 or 3 s.
    lossy(FIRST_TWO);
    let seen = knock(1000, DEFAULT).await;
    assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    assert_eq!(syns(&seen), 3);
}

/// Both come while this machine does something else. One positive is never voted down.
#[tokio::test]
async fn a_handshake_wins_over_a_reset_of_another_flow() {
    if !inside("flows::a_handshake_wins_over_a_reset_of_another_flow") {
        return;
    }
    mirror();
    door().await;
    fairly(|| async {
        // The first flow is reset at its third SYN, after 2 s, and the second gets through with its
        // second one, after 2.6 s.
        sh("ip netns exec router nft -f - <<'END'
table ip two
delete table ip two
table ip two {
set first { type inet_service; size 1; flags dynamic; }
chain c {
type filter hook prerouting priority -300
tcp dport 1000 tcp flags & (syn | ack) == syn jump syns
}
chain syns {
tcp sport @first numgen inc mod 1000 < 1 drop
tcp sport @first reject with tcp reset
add @first { tcp sport } drop
numgen inc mod 1000 < 1 drop
}
}
END");
        let stall = async {
            tokio::time::sleep(Duration::from_millis(1_800)).await;
            std::thread::sleep(Duration::from_millis(1_400));
        };
        let (seen, ()) = futures_util::future::join(knock(1000, DEFAULT), stall).await;
        assert_eq!(reach(&seen), Reach::Connected, "{seen:?}");
    })
    .await;
}
