//! ICMP echo over both kinds of sockets, against Linux' own replies and a real firewall.
//!
//! In the namespaces of [`estate`](crate::estate), where this process is root: with
//! `ping_group_range` closed it has raw sockets, with it open datagram ones.

use std::net::{IpAddr, SocketAddr};
use std::process::{Command, Stdio};
use std::time::Duration;

use futures_util::future::join_all;
use noentry::domain::endpoint::{Endpoint, Transport};
use noentry::domain::observation::{Blind, Observation, Outcome, StoppedBy};
use noentry::domain::reach::Reach;
use noentry::domain::target::{Host, HttpDenial, TargetKind};
use noentry::probe::{CompiledDenial, Context, climb};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::time::Instant;

use crate::estate::{
    DEAD_ENDS, FURTHER_OUT, assert_blind, assert_prohibited, dead_ends, estate, further_out,
    inside, is_inside, no_way_out, refusing_routes, routes_in_a_loop, rules, sh,
};
use crate::fair::fairly;
use crate::support::{LONG, Running, have, look, missing, reach, stopped_by, tcp};

/// Set in a process that may open no raw socket.
const WITHOUT_RAW: &str = "NOENTRY_TEST_WITHOUT_RAW";
const SECOND: Duration = Duration::from_secs(1);
/// Which sockets are to be had, in this order: a new namespace's `ping_group_range` lets nobody have
/// datagram ones, and it cannot be closed again, because a closed one names groups that the
/// namespace does not have.
const SOCKETS: [&str; 2] = ["raw", "datagram"];

async fn ping_for(address: &str, timeout: Duration) -> Observation {
    let address: IpAddr = address.parse().unwrap();
    let context = Context::new().unwrap();
    let denial = CompiledDenial::new(&HttpDenial::default()).unwrap();
    let kind = TargetKind::Icmp {
        host: Host::Address(address),
    };
    let endpoint = kind.endpoint(address).unwrap();
    assert_eq!(
        endpoint,
        Endpoint {
            transport: Transport::Icmp,
            address,
            port: None
        }
    );
    climb(&context, endpoint, &kind, &denial, Instant::now() + timeout).await
}

async fn ping(address: &str) -> Observation {
    ping_for(address, SECOND).await
}

fn allow(sockets: &str) {
    if sockets == "datagram" {
        sh("echo 0 0 > /proc/sys/net/ipv4/ping_group_range");
    }
}

/// An estate whose first second is over: IPv6 loses packets in it.
async fn ready_estate() {
    estate();
    for address in ["192.0.2.7", "2001:db8::7"] {
        let address = SocketAddr::new(address.parse().unwrap(), 9);
        let seen = look(&tcp(address), address, LONG).await;
        assert_eq!(reach(&seen), Reach::Refused);
    }
}

fn assert_silent(seen: &Observation, what: &str) {
    assert_eq!(
        *seen,
        Observation::reached(Reach::NoAnswer, None),
        "{what}: {seen:?}"
    );
}

#[tokio::test]
async fn a_reply_is_heard_over_either_kind_of_socket() {
    if !inside("icmp::a_reply_is_heard_over_either_kind_of_socket") {
        return;
    }
    ready_estate().await;
    for kind in SOCKETS {
        allow(kind);
        for address in [
            "192.0.2.7",
            "2001:db8::7",
            "::ffff:192.0.2.7",
            "127.0.0.1",
            "::1",
        ] {
            let seen = ping(address).await;
            assert_eq!(reach(&seen), Reach::Connected, "{kind} {address}: {seen:?}");
            assert_eq!(seen.evidence, None);
        }
    }
    // Many at once, each hears its own.
    let seen = join_all((0..200).map(|_| Box::pin(ping("192.0.2.7")))).await;
    assert!(seen.iter().all(|seen| reach(seen) == Reach::Connected));
}

#[tokio::test]
async fn our_own_request_is_no_reply() {
    if !inside("icmp::our_own_request_is_no_reply") {
        return;
    }
    ready_estate().await;
    // A raw socket on loopback is shown the request as well.
    sh("echo 1 > /proc/sys/net/ipv4/icmp_echo_ignore_all
        echo 1 > /proc/sys/net/ipv6/icmp/echo_ignore_all");
    for kind in SOCKETS {
        allow(kind);
        for address in ["127.0.0.1", "::1"] {
            assert_silent(&ping(address).await, &format!("{kind} {address}"));
        }
    }
}

#[tokio::test]
async fn every_way_to_stop_an_echo_is_told_apart() {
    if !inside("icmp::every_way_to_stop_an_echo_is_told_apart") {
        return;
    }
    ready_estate().await;
    sh("
        for host in 11 12 13 14 15; do
            ip -n router addr add 192.0.2.$host/32 dev lo
            ip -n router addr add 2001:db8::$host/128 dev lo nodad
        done
    ");
    further_out();
    refusing_routes();
    routes_in_a_loop(
        "ip daddr 192.0.2.11 icmp type echo-request drop
            ip6 daddr 2001:db8::11 icmpv6 type echo-request drop
            ip daddr 192.0.2.15 icmp type echo-request numgen inc mod 2 == 0 drop
            ip6 daddr 2001:db8::15 icmpv6 type echo-request numgen inc mod 2 == 0 drop",
    );
    sh("ip netns exec router nft -f - <<'END'
table inet g {
chain c {
type filter hook input priority 0
ip daddr 192.0.2.12 reject
ip6 daddr 2001:db8::12 reject
ip daddr 192.0.2.13 reject with icmp type admin-prohibited
ip6 daddr 2001:db8::13 reject with icmpv6 type admin-prohibited
ip daddr 192.0.2.14 reject with icmp type host-unreachable
ip6 daddr 2001:db8::14 reject with icmpv6 type addr-unreachable
}
}
END");
    for kind in SOCKETS {
        allow(kind);
        for (prefix, itself) in [
            ("192.0.2.", [(3, 3), (3, 13), (3, 1)]),
            ("2001:db8::", [(1, 4), (1, 1), (1, 3)]),
        ] {
            let at = |host: u8| format!("{prefix}{host}");
            assert_silent(&ping(&at(11)).await, kind);
            for (host, (number, code)) in [12, 13, 14].into_iter().zip(itself) {
                // The target's own filter: the sender says so.
                let seen = ping(&at(host)).await;
                assert_prohibited(&seen, number, code, &at(host));
                let StoppedBy::Icmp(error) = stopped_by(&seen) else {
                    panic!("{seen:?}");
                };
                assert!(error.is_from(at(host).parse().unwrap()));
            }
            // The first request is lost, the second is not.
            let seen = ping_for(&at(15), SECOND * 2).await;
            assert_eq!(reach(&seen), Reach::Connected, "{kind} {prefix}");
        }
        for (address, number, code, from) in [
            ("198.51.100.1", 3, 1, FURTHER_OUT[0]),
            ("198.51.100.200", 3, 13, FURTHER_OUT[0]),
            ("2001:db8:2::1", 1, 1, FURTHER_OUT[1]),
        ] {
            let seen = ping(address).await;
            assert_prohibited(&seen, number, code, from);
            let StoppedBy::Icmp(error) = stopped_by(&seen) else {
                panic!("{seen:?}");
            };
            assert!(!error.is_from(address.parse().unwrap()));
        }
        // A loop, and a router that knows no way.
        for address in ["203.0.113.1", "2001:db8:3::1", "2001:db8:1::1"] {
            assert_blind(&ping(address).await, Blind::NoRoute);
        }
    }
}

/// Whether this kernel tells of the packets that left (5.18).
fn tells_departures() -> bool {
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    let mut numbers = release.split('.').map(|part| part.parse::<u32>().unwrap());
    [numbers.next().unwrap(), numbers.next().unwrap()] >= [5, 18]
}

#[tokio::test]
async fn an_echo_that_this_machine_keeps_back_is_blind() {
    if !inside("icmp::an_echo_that_this_machine_keeps_back_is_blind") {
        return;
    }
    ready_estate().await;
    rules(
        "",
        "output",
        "ip daddr 192.0.2.1 drop
            ip6 daddr 2001:db8::1 drop
            ip daddr 192.0.2.2 reject
            ip6 daddr 2001:db8::2 reject with icmpv6 type admin-prohibited",
    );
    dead_ends();
    let departures = tells_departures();
    for kind in SOCKETS {
        allow(kind);
        let kept_back = [
            ("192.0.2.1", Blind::NotPermitted),
            ("2001:db8::1", Blind::NotPermitted),
            ("192.0.2.2", Blind::LocalUnreachable),
            ("2001:db8::2", Blind::LocalUnreachable),
        ];
        for (address, why) in kept_back.into_iter().chain(DEAD_ENDS) {
            // A datagram socket of ICMPv6 hears nothing of a rule: only that nothing left.
            let why = match (kind, address) {
                ("datagram", "2001:db8::1") if !departures => continue,
                ("datagram", "2001:db8::1") => Blind::LocalUnreachable,
                _ => why,
            };
            let seen = ping(address).await;
            assert_eq!(
                seen.outcome,
                Outcome::Blind(why),
                "{kind} {address}: {seen:?}"
            );
        }
        // A neighbour that is not there.
        let timeouts = if departures { [1, 6] } else { [6, 6] };
        for timeout in timeouts {
            let timeout = Duration::from_secs(timeout);
            let pings = ["10.77.0.99", "fd77::99"].map(|address| ping_for(address, timeout));
            for seen in join_all(pings).await {
                assert_blind(&seen, Blind::LocalUnreachable);
            }
        }
    }
    no_way_out();
    for address in ["192.0.2.7", "2001:db8::7"] {
        assert_blind(&ping(address).await, Blind::NoRoute);
    }
}

#[tokio::test]
async fn without_any_socket_an_echo_is_blind() {
    const NAME: &str = "icmp::without_any_socket_an_echo_is_blind";
    if let Some(kind) = std::env::var_os(WITHOUT_RAW) {
        for address in ["127.0.0.1", "::1"] {
            let seen = ping(address).await;
            if kind == "datagram" {
                assert_eq!(reach(&seen), Reach::Connected);
            } else {
                assert_blind(&seen, Blind::NoEchoSocket);
                assert!(matches!(stopped_by(&seen), StoppedBy::Errno { .. }));
            }
        }
        return;
    }
    if !inside(NAME) {
        return;
    }
    ready_estate().await;
    for kind in SOCKETS {
        allow(kind);
        let output = Command::new("setpriv")
            .args(["--bounding-set=-all", "--inh-caps=-all"])
            .arg(std::env::current_exe().unwrap())
            .args(["--exact", NAME, "--nocapture"])
            .env(WITHOUT_RAW, kind)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{kind}: {said}");
        assert!(said.contains("1 passed"));
    }
    assert!(is_inside());
}

#[tokio::test]
async fn an_error_about_somebody_elses_echo_is_not_ours() {
    if !inside("icmp::an_error_about_somebody_elses_echo_is_not_ours") {
        return;
    }
    ready_estate().await;
    allow("raw");
    rules(
        "ip netns exec router",
        "input",
        "icmp type echo-request icmp id 4242 reject with icmp type admin-prohibited
            icmpv6 type echo-request icmpv6 id 4242 reject with icmpv6 type admin-prohibited
            icmp type echo-request drop
            icmpv6 type echo-request drop",
    );
    for (address, domain, protocol, number) in [
        ("192.0.2.7", Domain::IPV4, Protocol::ICMPV4, 8),
        ("2001:db8::7", Domain::IPV6, Protocol::ICMPV6, 128),
    ] {
        // Another program pings the same address all the time, and is turned away each time.
        let other = Socket::new(domain, Type::RAW, Some(protocol)).unwrap();
        let to = SocketAddr::new(address.parse().unwrap(), 0);
        other.connect(&to.into()).unwrap();
        let mut packet = [number, 0, 0, 0, 0x10, 0x92, 0, 1];
        if number == 8 {
            packet[2..4].copy_from_slice(&(!(0x0800 + 0x1092 + 1_u16)).to_be_bytes());
        }
        let noise = async {
            loop {
                // Its own errors come back to it here.
                let _ = other.send(&packet);
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        };
        let seen = tokio::select! {
            seen = ping_for(address, Duration::from_millis(2_500)) => seen,
            () = noise => unreachable!(),
        };
        assert_silent(&seen, address);
    }
    // The rule did what it was there for.
    let said = Command::new("ip")
        .args(["netns", "exec", "router", "cat", "/proc/net/snmp"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout);
    let mut icmp = said.lines().filter(|line| line.starts_with("Icmp: "));
    let names = icmp.next().unwrap().split(' ');
    let (_, sent) = names
        .zip(icmp.next().unwrap().split(' '))
        .find(|(name, _)| *name == "OutDestUnreachs")
        .unwrap();
    assert!(sent.parse::<u32>().unwrap() > 20, "{sent}");
}

#[tokio::test]
async fn a_reply_from_another_address_is_no_silence() {
    if !inside("icmp::a_reply_from_another_address_is_no_silence") {
        return;
    }
    ready_estate().await;
    allow("datagram");
    rules(
        "ip netns exec router",
        "output",
        "icmp type echo-reply ip saddr set 192.0.2.8",
    );
    let seen = ping("192.0.2.7").await;
    assert_blind(&seen, Blind::LocalError);
    let StoppedBy::Errno { text, .. } = stopped_by(&seen) else {
        panic!("{seen:?}");
    };
    assert_eq!(
        text,
        "an echo reply came from 192.0.2.8, which was not asked"
    );
}

/// How many packets a dropping rule of the router has counted, per family.
fn counted() -> Vec<u32> {
    let said = Command::new("ip")
        .args(["netns", "exec", "router", "nft", "list", "ruleset"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let mut words = said.split_whitespace();
    let mut counts = Vec::new();
    while words.any(|word| word == "packets") {
        counts.push(words.next().unwrap().parse().unwrap());
    }
    counts
}

#[tokio::test]
async fn a_request_leaves_every_second_while_a_reply_has_time() {
    if !inside("icmp::a_request_leaves_every_second_while_a_reply_has_time") {
        return;
    }
    ready_estate().await;
    rules(
        "ip netns exec router",
        "input",
        "icmp type echo-request counter drop
            icmpv6 type echo-request counter drop",
    );
    for (timeout, requests) in [(500, 1), (1_300, 1), (1_500, 2), (2_500, 3)] {
        let timeout = Duration::from_millis(timeout);
        fairly(|| async move {
            let before = counted();
            let begin = Instant::now();
            let pings = ["192.0.2.7", "2001:db8::7"].map(|at| ping_for(at, timeout));
            for seen in join_all(pings).await {
                assert_silent(&seen, "dropped");
            }
            let took = begin.elapsed();
            assert!(took >= timeout && took < timeout + SECOND, "{took:?}");
            let expected: Vec<u32> = before.iter().map(|before| before + requests).collect();
            assert_eq!(counted(), expected, "{timeout:?}");
        })
        .await;
    }
}

#[tokio::test]
async fn a_flood_of_packets_does_not_hold_it_up() {
    if !inside("icmp::a_flood_of_packets_does_not_hold_it_up") {
        return;
    }
    ready_estate().await;
    allow("raw");
    // The target pings us as fast as it can, and answers nothing.
    rules(
        "ip netns exec router",
        "input",
        "icmp type echo-request drop",
    );
    let flood = Command::new("ip")
        .args(["netns", "exec", "router", "ping", "-qf", "-I", "192.0.2.7"])
        .arg("10.77.0.1")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(flood) = flood else {
        missing("ping");
        return;
    };
    let flood = Running::quiet(flood);
    fairly(|| async {
        let begin = Instant::now();
        assert_silent(&ping("192.0.2.7").await, "flood");
        assert!(begin.elapsed() < SECOND * 2);
    })
    .await;
    drop(flood);
}

#[tokio::test]
async fn tshark_reads_the_requests_without_a_complaint() {
    if !inside("icmp::tshark_reads_the_requests_without_a_complaint") {
        return;
    }
    if !have("tshark", &["--version"]) {
        return;
    }
    ready_estate().await;
    // A file that the capturing program may write, whoever it runs as.
    let file = "/run/echo.pcapng";
    let capture = Command::new("dumpcap")
        .args([
            "-q",
            "-i",
            "v0",
            "-w",
            file,
            "-f",
            // Echoes alone: the kernel's router solicitations, which come when they like, would take
            // a place among the eight.
            "icmp[0] == 0 or icmp[0] == 8 or icmp6[0] == 128 or icmp6[0] == 129",
        ])
        .args(["-c", "8", "-a", "duration:20"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(capture) = capture else {
        missing("dumpcap");
        return;
    };
    let mut capture = Running::quiet(capture);
    // It has begun once the file is there; packets before that would be missed.
    for _ in 0..200 {
        if std::fs::metadata(file).is_ok_and(|file| file.len() > 0) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for kind in SOCKETS {
        allow(kind);
        for address in ["192.0.2.7", "2001:db8::7"] {
            assert_eq!(reach(&ping(address).await), Reach::Connected);
        }
    }
    for _ in 0..200 {
        if capture.0.try_wait().unwrap().is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let read = |arguments: &[&str]| {
        let output = Command::new("tshark")
            .args(["-r", file])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let packets = read(&[]);
    let count = |what: &str| packets.lines().filter(|line| line.contains(what)).count();
    assert_eq!(count("Echo (ping) request"), 4, "{packets}");
    assert_eq!(count("Echo (ping) reply"), 4, "{packets}");
    assert_eq!(read(&["-Y", "_ws.expert || _ws.malformed"]), "");
    let good = read(&[
        "-Y",
        "icmp.checksum.status == 1 || icmpv6.checksum.status == 1",
    ]);
    assert_eq!(good.lines().count(), 8, "{packets}");
}

#[tokio::test]
async fn out_of_files_is_not_out_of_sockets() {
    if !inside("icmp::out_of_files_is_not_out_of_sockets") {
        return;
    }
    ready_estate().await;
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, 64, 64).unwrap();
    let mut files = Vec::new();
    while let Ok(file) = std::fs::File::open("/dev/null") {
        files.push(file);
    }
    let seen = ping("192.0.2.7").await;
    assert_eq!(seen.outcome, Outcome::Blind(Blind::TooManyFiles));
    drop(files);
    assert_eq!(reach(&ping("192.0.2.7").await), Reach::Connected);
}
