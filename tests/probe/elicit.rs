//! The questions themselves: their sizes, what they take for an answer, and what Wireshark's own
//! dissectors make of them.

use std::net::IpAddr;
use std::process::Command;

use noentry::domain::payload::{Mute, Payload, Protocol, Silence};
use noentry::probe::elicit::{Question, of};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::support::have;

fn question(protocol: Protocol) -> Question {
    let target: IpAddr = "192.0.2.7".parse().unwrap();
    Question::new(&Payload::Protocol(protocol), target, 40_000)
}

#[test]
fn no_question_amplifies() {
    for protocol in Protocol::ALL {
        let sent = question(protocol).bytes(0).len();
        let most = (4 * sent).max(256);
        let bound = of(protocol).bound;
        assert!(bound <= most, "{protocol}: {sent} bytes for up to {bound}");
        assert!(sent <= 400, "{protocol}: {sent}");
    }
}

#[test]
fn every_attempt_asks_with_bytes_of_its_own_and_repeats_itself_within() {
    for protocol in Protocol::ALL {
        let (one, other) = (question(protocol), question(protocol));
        assert_ne!(one.bytes(0), other.bytes(0), "{protocol}");
        assert_eq!(one.bytes(0), one.bytes(0), "{protocol}");
        assert_eq!(one.bytes(0).len(), other.bytes(0).len(), "{protocol}");
    }
}

#[test]
fn a_question_that_is_merely_echoed_is_no_answer() {
    for protocol in Protocol::ALL {
        let question = question(protocol);
        for sent in 0..2 {
            assert_eq!(question.read(&question.bytes(sent)), None, "{protocol}");
        }
    }
}

/// What a server would send, with the random bytes of the question where they belong.
fn good_answer(protocol: Protocol, sent: &[u8]) -> Option<(Vec<u8>, &'static str)> {
    let hex = |text: &str| -> Vec<u8> {
        (0..text.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
            .collect()
    };
    Some(match protocol {
        Protocol::Dns => {
            let mut answer = sent.to_vec();
            answer[2..4].copy_from_slice(&[0x81, 0x83]);
            (answer, "NXDOMAIN, recursion available")
        }
        Protocol::Ntp => {
            let mut answer = vec![0x24, 8];
            answer.extend([0; 22]);
            answer.extend(&sent[40..]);
            answer.extend([0; 16]);
            (answer, "version 4, stratum 8")
        }
        Protocol::Memcached => (
            [&sent[..8], b"VERSION 1.6.18\r\n"].concat(),
            "version 1.6.18",
        ),
        // The address is the one of RFC 5769 section 2.2, which was made with the same cookie.
        Protocol::Stun => (
            [
                &hex("0101000c2112a442")[..],
                &sent[8..20],
                &hex("002000080001a147e112a643"),
            ]
            .concat(),
            "sees us at 192.0.2.1:32853",
        ),
        Protocol::Ike => {
            let mut answer = sent[..8].to_vec();
            answer.extend(hex(
                "0000000000000000292022200000000000000024000000080000000e",
            ));
            (answer, "NO_PROPOSAL_CHOSEN")
        }
        Protocol::Portmap => (
            [&sent[..4], &hex("0000000100000000000000000000000000000000")].concat(),
            "",
        ),
        Protocol::Coap => (vec![0x70, 0, sent[2], sent[3]], ""),
        Protocol::Openvpn => (
            [
                &hex("40aabbccddeeff001101")[..],
                &[0; 4],
                &sent[1..9],
                &[0; 4],
            ]
            .concat(),
            "without tls-auth or tls-crypt",
        ),
        // As Active Directory writes it: every length in four bytes (the number of the message is
        // that of the question, at its third byte).
        Protocol::Cldap => {
            let (kind, value) = ("supportedLDAPVersion", "3");
            let four = |tag: u8, content: &[u8]| {
                let length = u32::try_from(content.len()).unwrap().to_be_bytes();
                [&[tag, 0x84], &length[..], content].concat()
            };
            let values = four(0x31, &four(0x04, value.as_bytes()));
            let attribute = four(0x30, &[four(0x04, kind.as_bytes()), values].concat());
            let entry = four(0x64, &[four(0x04, b""), four(0x30, &attribute)].concat());
            (
                four(0x30, &[&sent[2..8], &entry].concat()),
                "LDAP versions 3",
            )
        }
        // The others are held against real servers alone.
        Protocol::Snmp | Protocol::Sip | Protocol::Dtls | Protocol::Tftp => return None,
    })
}

#[test]
fn an_answer_must_bring_our_random_bytes_back() {
    for protocol in Protocol::ALL {
        let question = question(protocol);
        let Some((answer, says)) = good_answer(protocol, &question.bytes(0)) else {
            continue;
        };
        assert_eq!(question.read(&answer).as_deref(), Some(says), "{protocol}");
        // To another question it is none.
        assert_eq!(self::question(protocol).read(&answer), None, "{protocol}");
        for cut in 0..answer.len() {
            // Cut short it may still be known, but nothing breaks.
            let _ = question.read(&answer[..cut]);
        }
    }
}

/// The records of RFC 6347 sections 4.1 and 4.2.2, and of RFC 5246 section 7.2.
#[test]
fn every_first_answer_of_dtls_is_known() {
    let record = |kind: u8, version: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        let mut out = vec![kind, 0xfe, version];
        out.extend([0; 9]);
        out.push(length);
        out.extend(content);
        out
    };
    let question = question(Protocol::Dtls);
    let message = |kind: u8| [&[kind], &[0; 30][..]].concat();
    for (answer, says) in [
        (record(22, 0xff, &message(3)), Some("asks for a cookie")),
        (
            record(22, 0xfd, &message(2)),
            Some("goes on without a cookie"),
        ),
        (record(21, 0xff, &[2, 40]), Some("alert handshake_failure")),
        (record(21, 0xfd, &[2, 80]), Some("alert 80")),
        (record(22, 0xfd, &message(11)), None),
        (record(21, 0x01, &[2, 40]), None),
        (record(23, 0xfd, &[2, 40]), None),
    ] {
        assert_eq!(question.read(&answer).as_deref(), says, "{answer:?}");
    }
}

/// Recorded from Samba 4.17, with the number of our question.
#[test]
fn sambas_entry_and_result_in_one_datagram_are_read() {
    let question = question(Protocol::Cldap);
    let number = &question.bytes(0)[2..8];
    let answer = [
        b"0,",
        number,
        b"d$\x04\x000 0\x1e\x04\x14supportedLDAPVersion1\x06\x04\x012\x04\x013",
        b"0\x0f",
        number,
        b"e\x07\x0a\x01\x00\x04\x00\x04\x00",
    ]
    .concat();
    assert_eq!(answer.len(), 63);
    assert_eq!(
        question.read(&answer).as_deref(),
        Some("LDAP versions 2, 3")
    );
}

proptest! {
    #[test]
    fn nothing_breaks_a_reader(noise: Vec<u8>, at in 0_usize..200, flips in 0_usize..4) {
        for protocol in Protocol::ALL {
            let question = question(protocol);
            let _ = question.read(&noise);
            // What begins as it should gets further.
            for start in [question.bytes(0), question.bytes(1)]
                .into_iter()
                .chain(good_answer(protocol, &question.bytes(0)).map(|(answer, _)| answer))
            {
                let mut answer = start;
                let at = at.min(answer.len());
                for (byte, noise) in answer[at..].iter_mut().zip(&noise).take(flips) {
                    *byte = *noise;
                }
                answer.extend(&noise);
                let _ = question.read(&answer);
            }
        }
    }

    #[test]
    fn noise_is_no_answer(noise in prop::collection::vec(any::<u8>(), 16..300)) {
        for protocol in Protocol::ALL {
            // These are known by their form, which noise may hit.
            if !matches!(protocol, Protocol::Tftp | Protocol::Dtls) {
                prop_assert_eq!(question(protocol).read(&noise), None);
            }
        }
    }
}

/// The name that Wireshark has for a protocol.
const fn dissector(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Dns => "dns",
        Protocol::Ntp => "ntp",
        Protocol::Snmp => "snmp",
        Protocol::Memcached => "memcache",
        Protocol::Stun => "stun",
        Protocol::Sip => "sip",
        Protocol::Ike => "isakmp",
        Protocol::Dtls => "dtls",
        Protocol::Cldap => "cldap",
        Protocol::Tftp => "tftp",
        Protocol::Portmap => "portmap",
        Protocol::Coap => "coap",
        Protocol::Openvpn => "openvpn",
    }
}

/// A capture (pcap 2.4, link type 101: bare IP) of one datagram for each of these.
fn capture(datagrams: &[(Protocol, Vec<u8>)]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_c3d4_u32, 0x0002_0004, 0, 0, 65_535, 101] {
        file.extend(word.to_be_bytes());
    }
    for (number, (protocol, datagram)) in (0_u16..).zip(datagrams) {
        let length = u16::try_from(datagram.len() + 8).unwrap();
        let mut packet = vec![0x45, 0];
        for word in [length + 20, 0, 0, 0x4011, 0] {
            packet.extend(word.to_be_bytes());
        }
        packet.extend([192, 0, 2, 1, 192, 0, 2, 7]);
        // A port for each, so that none is taken for a repetition of another.
        for word in [40_000 + number, protocol.ports()[0], length, 0] {
            packet.extend(word.to_be_bytes());
        }
        packet.extend(datagram);
        let length = u32::try_from(packet.len()).unwrap();
        for word in [0, 0, length, length] {
            file.extend(word.to_be_bytes());
        }
        file.extend(packet);
    }
    file
}

#[test]
fn wireshark_reads_every_question_without_a_warning() {
    if !have("tshark", &["--version"]) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let datagrams: Vec<(Protocol, Vec<u8>)> = Protocol::ALL
        .into_iter()
        .flat_map(|protocol| {
            let question = question(protocol);
            [0, 1].map(|sent| (protocol, question.bytes(sent)))
        })
        .collect();
    let path = folder.path().join("questions.pcap");
    std::fs::write(&path, capture(&datagrams)).unwrap();
    let mut tshark = Command::new("tshark");
    tshark
        .env("HOME", folder.path())
        .arg("-n")
        .arg("-r")
        .arg(&path);
    for protocol in Protocol::ALL {
        // RPC is found by its form and calls the port mapper's dissector itself.
        if protocol != Protocol::Portmap {
            let rule = format!("udp.port=={},{}", protocol.ports()[0], dissector(protocol));
            tshark.args(["-d", &rule]);
        }
    }
    tshark.args([
        "-T",
        "fields",
        "-e",
        "_ws.col.Protocol",
        "-e",
        "frame.protocols",
    ]);
    tshark.args(["-e", "_ws.expert.message", "-e", "_ws.malformed"]);
    let output = tshark.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(told.lines().count(), datagrams.len(), "{told}");
    for ((protocol, _), line) in datagrams.iter().zip(told.lines()) {
        let [column, stack, expert, malformed] =
            line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        let name = dissector(*protocol);
        let known =
            stack.split(':').any(|layer| layer == name) || column.eq_ignore_ascii_case(name);
        assert!(known, "{protocol}: {line}");
        assert_eq!((expert, malformed), ("", ""), "{protocol}: {line}");
    }
}

/// The table in the documentation says what is sent, and what may come back.
#[test]
fn the_documentation_tells_the_truth_about_sizes() {
    let page = include_str!("../../docs/udp.md");
    for protocol in Protocol::ALL {
        let start = format!("| `{protocol}` | ");
        let rows: Vec<&str> = page
            .lines()
            .filter(|line| line.starts_with(&start))
            .collect();
        let [sizes, silence] = rows[..] else {
            panic!("{protocol} has {} rows", rows.len());
        };
        let ports: Vec<String> = protocol.ports().iter().map(u16::to_string).collect();
        let entry = of(protocol);
        let expected = format!(
            "{start}{} | {} | {} | {} | {} |",
            ports.join(", "),
            question(protocol).bytes(0).len(),
            entry.bound,
            entry.source,
            entry.expects
        );
        assert_eq!(sizes, expected);
        let worth = match protocol.silence() {
            Silence::Tells => format!("{start}counts"),
            Silence::TellsNothing(why) => format!("{start}proves nothing: {why}"),
        };
        assert!(silence.starts_with(&worth), "{silence}\n{worth}");
    }
    for mute in Mute::ALL {
        let ports: Vec<String> = mute.ports().iter().map(u16::to_string).collect();
        let row = format!(
            "| `{}` | {} | {} |",
            mute.as_str(),
            ports.join(", "),
            mute.why()
        );
        assert!(page.lines().any(|line| line == row), "{row}");
    }
}
