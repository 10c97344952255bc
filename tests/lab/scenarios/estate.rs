//! The laboratory itself. Each server answers its protocol, each door does what the map says, each
//! way of being broken breaks what it says and nothing else, all asked without noentry (`ask.py`).
//!
//! Otherwise a probe could be found right because a server was not there.

use std::fmt::Write as _;
use std::thread;

use crate::broken::{Broken, WITHOUT_RAW_SOCKETS};
use crate::holder::Ground;
use crate::lab::Lab;
use crate::services::Server;
use crate::zones::DOORS;

const ROUTER: (&str, &str) = ("198.18.9.1", "2001:db8:9::1");

/// The same place in both families.
fn both(last: u8) -> [String; 2] {
    [format!("203.0.113.{last}"), format!("2001:db8:3::{last}")]
}

/// Asks, and holds the answers against what is true; says everything that differs. A silence that is
/// not true, before or after a handshake, is asked again, because a busy machine is silent too.
fn hold(lab: &Lab, under: &[&str], truth: &[(String, String)]) {
    let ask = |truth: &[&(String, String)]| {
        let questions: Vec<_> = truth
            .iter()
            .map(|(question, _)| question.as_str())
            .collect();
        lab.ask(under, &questions)
    };
    let mut wrong = String::new();
    let mut left: Vec<_> = truth.iter().collect();
    for last in [false, false, true] {
        let mut again = Vec::new();
        for (asked, answer) in left.iter().zip(ask(&left)) {
            let (question, expected) = asked;
            let silent = ["silence", "mute"].contains(&answer.as_str());
            if silent && answer != *expected && !last {
                again.push(*asked);
            } else if answer != *expected {
                let _ = writeln!(wrong, "{question}: {answer}, and true is {expected}");
            }
        }
        left = again;
        if left.is_empty() {
            break;
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Every server on demand, on two addresses of each family, and on the wrong port nothing.
pub fn servers_answer(ground: Ground) {
    let lab = Lab::with(ground, &Server::ALL);
    let mut truth = Vec::new();
    for address in ["203.0.113.77", "2001:db8:3::77", "20.1.2.5", "2a00:5a:1::5"] {
        for word in [
            "dns",
            "ntp",
            "snmp",
            "memcached",
            "stun",
            "sip",
            "ike",
            "dtls",
            "tftp",
            "portmap",
            "coap",
            "cldap",
            "openvpn",
            "quic 443",
            "quic 4445",
            "echo",
        ] {
            truth.push((format!("{word} {address}"), "answer".to_owned()));
        }
        for (word, answer) in [
            ("banner 22", "answer SSH-2.0-OpenSSH"),
            ("banner 587", "answer 220"),
            ("tcp 9000", "answer HTTP/1.1"),
            ("tcp 9011", "refused"),
        ] {
            truth.push((format!("{word} {address}"), answer.to_owned()));
        }
    }
    hold(&lab, &[], &truth);
}

/// What echo, UDP and TCP meet at each door: the same, but where the door is about the difference.
pub fn doors_by_address(ground: Ground) {
    let lab = Lab::with(ground, &[Server::Http3]);
    let mut truth = Vec::new();
    let mut door = |last: u8, words: &[&str], v4: &str, v6: &str| {
        for (address, answer) in both(last).iter().zip([v4, v6]) {
            for word in words {
                let answer = match (*word, answer) {
                    ("tcp 9000" | "tcp 443", "answer") => "answer HTTP/1.1",
                    _ => answer,
                };
                truth.push((format!("{word} {address}"), answer.to_owned()));
            }
        }
    };
    let all = ["echo", "dns", "quic 443", "tcp 9000", "tcp 443"];
    let icmp = |kind: u8, code: u8, from: &str| format!("icmp {kind} {code} {from}");
    door(200, &all, "answer", "answer");
    door(201, &all, "silence", "silence");
    door(202, &["tcp 9000"], "refused", "refused");
    let rejected = [
        (203, 3, Some(4)),
        (204, 13, Some(1)),
        (205, 1, Some(3)),
        (206, 0, Some(0)),
        (207, 10, Some(5)),
        (208, 9, Some(6)),
        (209, 2, None),
    ];
    for (last, v4, v6) in rejected {
        let v6 = v6.map_or("answer".to_owned(), |code| icmp(1, code, ROUTER.1));
        door(last, &all, &icmp(3, v4, ROUTER.0), &v6);
    }
    door(202, &all[..3], &icmp(3, 3, ROUTER.0), &icmp(1, 4, ROUTER.1));
    for (last, v4, v6) in [(210, 3, 4), (224, 13, 1)] {
        let [own4, own6] = both(last);
        door(last, &all, &icmp(3, v4, &own4), &icmp(1, v6, &own6));
    }
    // Nothing listens, and the kernel says so in its own name.
    let [own4, own6] = both(211);
    door(211, &["echo"], "answer", "answer");
    door(211, &all[1..3], &icmp(3, 3, &own4), &icmp(1, 4, &own6));
    door(211, &all[3..], "refused", "refused");
    door(212, &all, "silence", "answer");
    door(213, &all, "answer", "silence");
    door(216, &all[..3], "answer", "answer");
    // HTTP/3 forgotten, and closed by itself.
    door(219, &["tcp 443"], "silence", "silence");
    door(220, &["tcp 443"], "refused", "refused");
    for last in [219, 220] {
        door(last, &all[..4], "answer", "answer");
    }
    door(221, &["quic 443"], "silence", "silence");
    door(221, &["echo", "dns", "tcp 443"], "answer", "answer");
    door(222, &["echo"], "answer", "answer");
    door(222, &all[1..], "silence", "silence");
    door(223, &["echo"], "silence", "silence");
    door(223, &all[1..], "answer", "answer");
    // A routing loop: the time that a packet may live is over.
    door(225, &all, "icmp 11 0 198.18.3.2", "icmp 3 0 2001:db8:4::2");
    hold(&lab, &[], &truth);
    // What has a name stands where the map says.
    lab.system_resolvers(&[crate::zones::TRUTH]);
    let truth: Vec<_> = DOORS
        .iter()
        .map(|(name, last)| (format!("name {name}.lab.example"), both(*last).join(" ")))
        .collect();
    hold(&lab, &[], &truth);
}

/// Ports that say yes to everybody: mute, behind a SYN proxy, and hung up at once.
pub fn middleboxes(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.syn_proxy();
    let mut truth = Vec::new();
    for (last, answer) in [(216, "mute"), (217, "mute"), (218, "reset")] {
        for address in both(last) {
            for port in [1, 22, 443, 9000, 9011, 65535] {
                truth.push((format!("tcp {port} {address}"), answer.to_owned()));
            }
        }
    }
    hold(&lab, &[], &truth);
}

/// What each way of being broken takes, and that it leaves the rest.
pub fn broken_vantages(ground: Ground) {
    // A laboratory each; they wait more than they compute.
    for some in Broken::ALL.chunks(4) {
        thread::scope(|scope| {
            for broken in some {
                scope.spawn(|| broken_vantage(ground, *broken));
            }
        });
    }
}

fn broken_vantage(ground: Ground, broken: Broken) {
    let lab = Lab::with(ground, &[Server::Http3]);
    lab.break_vantage(broken);
    let icmp4 = |code: u8| format!("icmp 3 {code} {}", ROUTER.0);
    let icmp6 = |code: u8| format!("icmp 1 {code} {}", ROUTER.1);
    let twice = |said: &str| [said.to_owned(), said.to_owned()];
    // What comes back over IPv4 and IPv6 to each of four questions, where it is not the answer.
    let echo = |said: [String; 2]| [Some(said), None, None, None];
    let udp = |said: [String; 2]| [None, Some(said.clone()), Some(said), None];
    let only6 = |said: &str| {
        let said = |open: &str| Some([open.to_owned(), said.to_owned()]);
        [
            said("answer"),
            said("answer"),
            said("answer"),
            said("answer HTTP/1.1"),
        ]
    };
    let lost = match broken {
        Broken::UdpDropped => udp(twice("silence")),
        Broken::UdpProhibited => udp([icmp4(13), icmp6(1)]),
        Broken::UdpRefused => udp([icmp4(3), icmp6(4)]),
        Broken::UdpForbidden => udp(twice("not permitted")),
        Broken::QuicDropped => [None, None, Some(twice("silence")), None],
        Broken::EchoDropped | Broken::IcmpInDropped => echo(twice("silence")),
        Broken::EchoProhibited => echo([icmp4(13), icmp6(1)]),
        Broken::EchoForbidden => echo(twice("not permitted")),
        Broken::Ipv6SwitchedOff => only6("no address"),
        Broken::Ipv6WithoutRoute => only6("no route"),
        Broken::Ipv6Dropped => only6("silence"),
    };
    let words = ["echo", "dns", "quic 443", "tcp 9000"];
    let open = ["answer", "answer", "answer", "answer HTTP/1.1"];
    let mut truth = Vec::new();
    for ((word, open), lost) in words.iter().zip(open).zip(lost) {
        let said = lost.unwrap_or_else(|| twice(open));
        for (address, said) in both(200).iter().zip(said) {
            truth.push((format!("{word} {address}"), said));
        }
    }
    // The name servers stay, and so does a rejection, but where none can come in.
    truth.push(("dns 198.51.100.53".to_owned(), "answer".to_owned()));
    let rejected = match broken {
        Broken::IcmpInDropped => "silence".to_owned(),
        _ => icmp4(13),
    };
    truth.push(("tcp 9004 203.0.113.200".to_owned(), rejected));
    hold(&lab, &[], &truth);
}

/// Who may send echo requests: with raw sockets, with datagram sockets, not at all.
pub fn ping_sockets(ground: Ground) {
    let lab = Lab::standing(ground);
    let sockets = |under: &[&str], said: &str| {
        let truth: Vec<_> = ["203.0.113.200", "2001:db8:3::200"]
            .iter()
            .map(|address| (format!("sockets {address}"), said.to_owned()))
            .collect();
        hold(&lab, under, &truth);
    };
    sockets(&[], "raw");
    sockets(WITHOUT_RAW_SOCKETS, "none");
    lab.allow_ping_sockets();
    sockets(&[], "raw datagram");
    sockets(WITHOUT_RAW_SOCKETS, "datagram");
}
