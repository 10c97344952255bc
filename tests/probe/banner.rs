//! The closer look at a TCP port: a real banner, and devices that only pretend.

use std::net::SocketAddr;
#[cfg(target_os = "linux")]
use std::process::{Command, Stdio};
use std::time::Duration;

use noentry::domain::observation::{Middlebox, Observation, StoppedBy, TcpEvidence};
use noentry::domain::reach::Reach;
use noentry::domain::target::{Host, TargetKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

use crate::fair::fairly;
use crate::support::{LONG, closed_port, evidence, listen, look, reach, stopped_by, tcp};
#[cfg(target_os = "linux")]
use crate::support::{Running, have};

/// As long as the defaults give an attempt.
const DEFAULT: Duration = Duration::from_millis(4_400);

async fn look_closer(address: SocketAddr, timeout: Duration) -> Observation {
    let kind = TargetKind::Tcp {
        host: Host::Address(address.ip()),
        port: address.port(),
        banner: true,
    };
    look(&kind, address, timeout).await
}

fn told(seen: &Observation) -> TcpEvidence {
    assert_eq!(reach(seen), Reach::Connected, "{seen:?}");
    let evidence = seen.evidence.as_ref();
    evidence
        .and_then(|evidence| evidence.tcp.clone())
        .unwrap_or_default()
}

fn banner(seen: &Observation) -> String {
    let told = told(seen);
    assert_eq!(told.middlebox, []);
    told.banner.unwrap()
}

fn marks(seen: &Observation) -> Vec<Middlebox> {
    let told = told(seen);
    assert_eq!(told.banner, None, "{seen:?}");
    told.middlebox
}

#[tokio::test]
async fn what_is_said_first_is_kept_and_escaped() {
    fairly(|| async {
        let address = listen(|mut stream| async move {
            let _ = stream.write_all(b"220 mail.example \x1b[31m\xff").await;
            tokio::time::sleep(Duration::from_millis(30)).await;
            let _ = stream.write_all(b" ESMTP\r\n").await;
            let _ = stream.read(&mut [0; 64]).await;
        })
        .await;
        let begin = Instant::now();
        let seen = look_closer(address, LONG).await;
        assert_eq!(banner(&seen), "220 mail.example \\x1b[31m\\xff ESMTP\\r\\n");
        assert_eq!(evidence(&seen).stopped_by, None);
        assert!(begin.elapsed() < Duration::from_secs(1));

        // More than is kept, and an end without a pause.
        let address = listen(|mut stream| async move {
            let _ = stream.write_all(&[b'x'; 1_000]).await;
        })
        .await;
        assert_eq!(banner(&look_closer(address, LONG).await), "x".repeat(256));
    })
    .await;
}

#[tokio::test]
async fn a_banner_in_drops_ends_with_the_deadline() {
    fairly(|| async {
        let address = listen(|mut stream| async move {
            while stream.write_all(b"a").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await;
        let begin = Instant::now();
        let timeout = Duration::from_millis(1_200);
        let banner = banner(&look_closer(address, timeout).await);
        assert!((5..=30).contains(&banner.len()), "{banner}");
        assert!(begin.elapsed() < timeout + Duration::from_millis(500));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_waits_for_a_request_is_no_middlebox() {
    fairly(|| async {
        // One that reads and stays silent, and one that leaves what came to its kernel.
        for reads in [true, false] {
            let address = listen(move |mut stream| async move {
                if reads {
                    while stream.read(&mut [0; 64]).await.is_ok_and(|read| read > 0) {}
                } else {
                    tokio::time::sleep(LONG).await;
                }
            })
            .await;
            let begin = Instant::now();
            let seen = look_closer(address, DEFAULT).await;
            assert_eq!(reach(&seen), Reach::Connected);
            assert_eq!(seen.evidence, None, "{seen:?}");
            // Two seconds for a first word, a bit more for a second.
            assert!(begin.elapsed() < Duration::from_millis(3_500));
        }
    })
    .await;
}

#[tokio::test]
async fn an_answer_to_the_empty_line_is_what_it_says() {
    let address = listen(|mut stream| async move {
        let mut line = [0; 64];
        let read = stream.read(&mut line).await.unwrap();
        assert_eq!(&line[..read], b"\r\n");
        let _ = stream.write_all(b"500 what?\r\n").await;
    })
    .await;
    assert_eq!(banner(&look_closer(address, LONG).await), "500 what?\\r\\n");
}

#[tokio::test]
async fn a_server_that_hangs_up_is_no_middlebox() {
    let address = listen(|stream| async move { drop(stream) }).await;
    let seen = look_closer(address, LONG).await;
    assert_eq!(marks(&seen), []);
    assert_eq!(*stopped_by(&seen), StoppedBy::Closed);
}

#[tokio::test]
async fn a_reset_right_behind_the_handshake_is_marked() {
    fairly(|| async {
        let address = listen(|stream| async move { stream.set_zero_linger().unwrap() }).await;
        for _ in 0..20 {
            let seen = look_closer(address, LONG).await;
            assert_eq!(marks(&seen), [Middlebox::ResetAtOnce]);
            assert_eq!(*stopped_by(&seen), StoppedBy::Reset);
            // Without the closer look nobody waits for it, but if it is seen it is marked.
            let seen = look(&tcp(address), address, LONG).await;
            assert_eq!(reach(&seen), Reach::Connected);
            if seen.evidence.is_some() {
                assert_eq!(marks(&seen), [Middlebox::ResetAtOnce]);
            }
        }
        // Later it is nothing special.
        let address = listen(|stream| async move {
            tokio::time::sleep(Duration::from_millis(600)).await;
            stream.set_zero_linger().unwrap();
        })
        .await;
        let seen = look_closer(address, LONG).await;
        assert_eq!(marks(&seen), []);
        assert_eq!(*stopped_by(&seen), StoppedBy::Reset);
    })
    .await;
}

#[tokio::test]
async fn a_closed_port_is_refused_as_ever() {
    let (_taken, address) = closed_port();
    let seen = look_closer(address, LONG).await;
    assert_eq!(reach(&seen), Reach::Refused);
    assert_eq!(*stopped_by(&seen), StoppedBy::Reset);
    assert_eq!(evidence(&seen).tcp, None);
}

#[cfg(target_os = "linux")]
mod behind_a_router {
    use super::*;
    use crate::estate::{estate, inside, rules, sh};
    use crate::support::missing;

    /// Listeners on the router, in place of a device that answers for others.
    const LISTENERS: &str = r"
import socket, struct, sys, threading, time
def serve(port, what):
    s = socket.create_server(('::', port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=64)
    kept = []
    while True:
        c, _ = s.accept()
        if what == 'hold': kept.append(c)
        elif what == 'reset':
            c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()
        else: c.sendall(what.encode()); kept.append(c)
for port, what in ((7001, 'hold'), (7002, 'reset'), (7003, 'hello\r\n'), (7004, 'hold')):
    threading.Thread(target=serve, args=(port, what), daemon=True).start()
print('ready', flush=True)
sys.stdin.read()
";

    fn listeners() -> Option<Running> {
        use std::io::BufRead as _;
        if !have("python3", &["--version"]) {
            return None;
        }
        let mut child = Command::new("ip")
            .args(["netns", "exec", "router", "python3", "-c", LISTENERS])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut said = std::io::BufReader::new(child.stdout.take().unwrap());
        said.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Some(Running::quiet(child))
    }

    /// Everything that the router is sent over TCP ends at one of the listeners.
    fn redirect(family: &str, port: u16) {
        sh(&format!(
            "ip netns exec router nft -f - <<'END'\n\
             table inet n{family} {{\nchain c {{\n\
             type nat hook prerouting priority dstnat\n\
             meta nfproto {family} tcp dport 1-65535 redirect to :{port}\n}}\n}}\nEND"
        ));
    }

    fn unredirect() {
        sh("for family in ipv4 ipv6; do
                ip netns exec router nft delete table inet n$family
            done");
    }

    fn at(address: &str, port: u16) -> SocketAddr {
        SocketAddr::new(address.parse().unwrap(), port)
    }

    #[tokio::test]
    async fn a_device_that_answers_on_every_port_is_marked() {
        if !inside("banner::behind_a_router::a_device_that_answers_on_every_port_is_marked") {
            return;
        }
        estate();
        let Some(_listeners) = listeners() else {
            return;
        };
        for (port, expected) in [
            (7001, vec![Middlebox::EveryPortAlike]),
            (
                7002,
                vec![Middlebox::ResetAtOnce, Middlebox::EveryPortAlike],
            ),
        ] {
            redirect("ipv4", port);
            redirect("ipv6", port);
            for address in ["192.0.2.7", "2001:db8::7"] {
                let seen = look_closer(at(address, 22), DEFAULT).await;
                assert_eq!(marks(&seen), expected, "{port} {address}");
            }
            unredirect();
        }
        // The same banner everywhere.
        redirect("ipv4", 7003);
        redirect("ipv6", 7003);
        for address in ["192.0.2.7", "2001:db8::7"] {
            let told = told(&look_closer(at(address, 22), DEFAULT).await);
            assert_eq!(told.banner.as_deref(), Some("hello\\r\\n"));
            assert_eq!(told.middlebox, [Middlebox::EveryPortAlike]);
        }
        unredirect();
        // A server of its own on the port, and something else on all others.
        rules(
            "ip netns exec router",
            "prerouting",
            "tcp dport 7003 meta mark set 1",
        );
        sh("ip netns exec router nft -f - <<'END'
table inet n {
chain c {
type nat hook prerouting priority dstnat
meta mark != 1 meta l4proto tcp redirect to :7001
}
}
END");
        for address in ["192.0.2.7", "2001:db8::7"] {
            let seen = look_closer(at(address, 7003), DEFAULT).await;
            assert_eq!(banner(&seen), "hello\\r\\n");
        }
    }

    #[tokio::test]
    async fn data_that_nobody_acknowledges_is_marked() {
        if !inside("banner::behind_a_router::data_that_nobody_acknowledges_is_marked") {
            return;
        }
        estate();
        let Some(_listeners) = listeners() else {
            return;
        };
        // The handshake passes and nothing after it does; all other ports are dropped.
        rules(
            "ip netns exec router",
            "input",
            "tcp dport 7001 tcp flags & psh == psh drop
                tcp dport != { 7001, 7004 } drop",
        );
        for address in ["192.0.2.7", "2001:db8::7"] {
            let begin = Instant::now();
            let seen = look_closer(at(address, 7001), DEFAULT).await;
            assert_eq!(marks(&seen), [Middlebox::NeverAcknowledged]);
            assert_eq!(evidence(&seen).stopped_by, None);
            // The dropped ports held nobody up.
            let took = begin.elapsed();
            assert!(took < Duration::from_millis(4_300), "{took:?}");
            // Its neighbour takes the line, and is only silent.
            let seen = look_closer(at(address, 7004), DEFAULT).await;
            assert_eq!(seen.evidence, None, "{seen:?}");
            // Too little time to say so.
            let begin = Instant::now();
            let seen = look_closer(at(address, 7001), Duration::from_millis(800)).await;
            assert_eq!(marks_or_none(&seen), []);
            assert!(begin.elapsed() < Duration::from_millis(1_600));
        }
    }

    fn marks_or_none(seen: &Observation) -> Vec<Middlebox> {
        told(seen).middlebox
    }

    #[tokio::test]
    async fn a_real_ssh_server_says_who_it_is() {
        if !inside("banner::behind_a_router::a_real_ssh_server_says_who_it_is") {
            return;
        }
        // It insists on its full path, and has no way to ask for its version alone.
        let sshd = "/usr/sbin/sshd";
        if !std::path::Path::new(sshd).exists() {
            missing("sshd");
            return;
        }
        estate();
        sh("mkdir /run/sshd; ssh-keygen -q -t ed25519 -N '' -f /run/key");
        let _server = Running::quiet(
            Command::new("ip")
                .args(["netns", "exec", "router", sshd])
                .args(["-D", "-f", "/dev/null", "-h", "/run/key"])
                .args(["-o", "PidFile=none"])
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        );
        for address in ["192.0.2.7", "2001:db8::7"] {
            let mut seen = look_closer(at(address, 22), LONG).await;
            for _ in 0..100 {
                if reach(&seen) != Reach::Refused {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                seen = look_closer(at(address, 22), LONG).await;
            }
            let banner = banner(&seen);
            assert!(banner.starts_with("SSH-2.0-OpenSSH_"), "{banner}");
            assert!(banner.ends_with("\\r\\n"), "{banner}");
        }
    }
}
