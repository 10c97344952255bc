//! The rows of `shared/cases/vantage.md`: our own side makes an open door look shut.
//!
//! Every door here is open for everybody else, which the same rounds prove first from a healthy vantage.
//! Then our side is broken, and the rounds are repeated with all that a user may know of their network:
//! nothing, where the rule about the port decides already; and a control on the door's own port, one on
//! every port, or their word, where the mechanism that is meant for the fault must find it alone.
//!
//! This file has the ground that all of them stand on, and the faults that go by the port (V1, V9).
//! `own_ways.rs` has those of the way (V6 to V8), `own_controls.rs` controls that prove nothing (V10), `own_pace.rs` those of a moment or of how much is
//! tried (V2 to V5), `own_machine.rs` those of the machine itself. V11 and V12 are in `own_word.rs`, V13 in
//! `web.rs` and in `tests/probe/forged.rs`. What one vantage cannot know is a scenario named `limit_…`: it
//! says what comes out today.

use std::fmt::Write as _;

use noentry::domain::finding::Finding;
use noentry::domain::reach::Reach::{Connected, NoAnswer};
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};
use noentry::domain::way::PortProof;

use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Round, UNFILTERED, head_at, target};
use crate::services::Server;

/// Fast, with two SYNs an attempt.
pub const PACE: &str = "timeout: 1.2s, attempts: 2, interval: 200ms";

/// The port of the control that says nothing about the doors' port.
pub const ELSEWHERE: u16 = 9999;

/// The doors over each family.
pub const DOORS: [&str; 2] = ["20.1.2.22", "[2a00:5a:1::22]"];
/// Where the controls stand.
const CONTROLS: [&str; 2] = ["20.1.2.9", "[2a00:5a:1::9]"];
/// Where something answers on every port.
const EVERY_PORT: [&str; 2] = ["20.1.2.99", "[2a00:5a:1::99]"];

/// What a user knows of their network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// A control on another port reaches its server.
    Elsewhere,
    /// A control on the door's port does.
    Port,
    /// A control on every port does.
    EveryPort,
    /// A control on another port does, and they say that no port is closed on the way out.
    Said,
}

pub use Known::{Elsewhere, EveryPort, Port, Said};

/// All of it.
pub const ALL: [Known; 4] = [Elsewhere, Port, EveryPort, Said];

/// Doors of one kind, and the controls beside them.
#[derive(Clone, Copy, Debug)]
pub struct Doors {
    /// `tcp` or `udp`.
    pub kind: &'static str,
    /// Their port.
    pub port: u16,
    /// The port of the control that stands elsewhere.
    pub elsewhere: u16,
    /// How many of the families.
    pub families: usize,
}

/// The doors of most rows: SSH, over both families.
pub const SSH: Doors = Doors {
    kind: "tcp",
    port: 22,
    elsewhere: ELSEWHERE,
    families: 2,
};

/// The same over IPv4 alone.
pub const SSH_4: Doors = Doors { families: 1, ..SSH };

impl Doors {
    /// The names of the targets.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        ["door 4", "door 6"].into_iter().take(self.families)
    }

    /// The targets.
    pub fn targets(self) -> String {
        let at = |(name, address): (&str, &str)| {
            let Self { kind, port, .. } = self;
            target(name, &format!("{kind}: '{address}:{port}'"))
        };
        self.names().zip(DOORS).map(at).collect()
    }

    /// The beginning of a configuration by somebody who knows this much.
    pub fn head(self, known: Known, pace: &str) -> String {
        let (places, port) = match known {
            Elsewhere | Said => (CONTROLS, self.elsewhere.to_string()),
            Port => (CONTROLS, self.port.to_string()),
            EveryPort => (EVERY_PORT, "*".to_owned()),
        };
        let control = |place: &&str| {
            let payload = match (self.kind, known) {
                // There is no one question for all ports.
                ("udp", EveryPort) => ", payload: stun",
                _ => "",
            };
            format!("{{ {}: '{place}:{port}'{payload} }}", self.kind)
        };
        let controls: Vec<String> = places[..self.families].iter().map(control).collect();
        let controls: Vec<&str> = controls.iter().map(String::as_str).collect();
        let head = head_at(pace, &[], &controls).replace("probe_non_global: true, ", "");
        match known {
            Said => head,
            Elsewhere | Port | EveryPort => head.replace(UNFILTERED, ""),
        }
    }

    /// A whole configuration.
    pub fn config(self, known: Known) -> String {
        self.head(known, PACE) + &self.targets()
    }

    /// A round for each of these, all at the same time.
    pub fn rounds(self, lab: &Lab, all: &[Known]) -> Vec<(Known, Round)> {
        let running: Vec<_> = all
            .iter()
            .map(|known| (*known, lab.start(&self.config(*known))))
            .collect();
        let finish = |(known, running)| (known, lab.finish(running));
        running.into_iter().map(finish).collect()
    }

    /// Everybody finds them open.
    pub fn are_open(self, lab: &Lab) {
        for (known, round) in self.rounds(lab, &ALL) {
            assert_eq!(round.code, 1, "{known:?}");
            for name in self.names() {
                let finding = round.finding(name);
                assert_eq!(finding.verdict, Exposed, "{known:?}: {finding:#?}");
            }
        }
    }

    /// None of them is blocked, and why it is not is what is said for each thing that may be known: one of
    /// these, with a stroke in between.
    pub fn are_not_seen(self, lab: &Lab, why: &[(Known, &str)]) {
        let all: Vec<Known> = why.iter().map(|(known, _)| *known).collect();
        for ((known, round), (_, why)) in self.rounds(lab, &all).iter().zip(why) {
            round.expect_nothing_blocked();
            assert_eq!(round.code, 3, "{known:?}");
            for name in self.names() {
                let finding = round.finding(name);
                assert_eq!(finding.verdict, Inconclusive, "{known:?}: {finding:#?}");
                let mut either = why.split('|');
                let reason = finding.reason.as_str();
                assert!(either.any(|why| why == reason), "{known:?}: {finding:#?}");
            }
        }
    }

    /// None of them could be seen in this round, for this reason.
    pub fn are_left_open(self, round: &Round, why: &str) {
        for name in self.names() {
            let finding = round.finding(name);
            assert_eq!(finding.verdict, Inconclusive, "{finding:#?}");
            assert_eq!(finding.reason.as_str(), why, "{finding:#?}");
        }
    }

    /// What one vantage cannot know: they are taken for shut today.
    pub fn are_taken_for_shut(self, lab: &Lab, all: &[Known]) {
        for (known, round) in self.rounds(lab, all) {
            assert_eq!(round.code, 0, "{known:?}");
            for name in self.names() {
                let finding = round.finding(name);
                assert_eq!(finding.verdict, Blocked, "{known:?}: {finding:#?}");
            }
        }
    }
}

/// A laboratory in which every TCP port of the public addresses is open, but for what `firewall.nft` shuts.
/// One redirection does it, before nginx, as `docs/vantages.md` shows it for a control on every port.
pub fn open(ground: Ground) -> Lab {
    open_with(ground, &[])
}

/// The same with more servers.
pub fn open_with(ground: Ground, servers: &[Server]) -> Lab {
    let lab = Lab::with(ground, servers);
    for place in ["ip daddr 20.1.2.0/25", "ip6 daddr 2a00:5a:1::/120"] {
        let rule = format!("{place} tcp dport != 53 redirect to :9000");
        lab.rule(Place::Server, "redirected", &rule);
    }
    lab
}

/// Breaks the way out of the runner, before whatever was broken of it so far.
pub fn on_the_way(lab: &Lab, rule: &str) {
    lab.rule(
        Place::Router,
        "passing",
        &format!("iifname torunner {rule}"),
    );
}

/// V1. The way out lets the web through alone, as around most runners of a company's own.
pub fn only_the_web_gets_out(ground: Ground) {
    let lab = open(ground);
    let doors = Doors {
        elsewhere: 443,
        ..SSH
    };
    doors.are_open(&lab);
    for verdict in [
        "drop",
        "reject with tcp reset",
        "reject with icmpx type admin-prohibited",
    ] {
        on_the_way(&lab, &format!("tcp dport != {{ 53, 80, 443 }} {verdict}"));
        let why = [
            (Elsewhere, "port_unproven"),
            (Port, "control_lost"),
            (EveryPort, "control_lost"),
        ];
        doors.are_not_seen(&lab, &why);
    }
    // A door that is open on another port is no proof for this one.
    let more = doors.config(Elsewhere) + &target("web", "tcp: '20.1.2.30:443'");
    let round = lab.round(&more);
    assert_eq!(round.finding("web").verdict, Exposed);
    SSH.are_left_open(&round, "port_unproven");
}

/// V1. Whoever says that no port is closed is believed. The report calls it assumed.
pub fn limit_unfiltered_is_believed(ground: Ground) {
    let lab = open(ground);
    let doors = Doors {
        elsewhere: 443,
        ..SSH
    };
    doors.are_open(&lab);
    on_the_way(&lab, "tcp dport != { 53, 80, 443 } drop");
    let round = lab.round(&doors.config(Said));
    let assumed = |finding: &Finding| {
        let mut rests = finding.endpoints.iter().filter_map(|e| e.rests_on.as_ref());
        rests.all(|rests| rests.port == PortProof::Assumed)
    };
    for name in doors.names() {
        let finding = round.finding(name);
        assert_eq!((finding.verdict, finding.reach), (Blocked, Some(NoAnswer)));
        assert!(assumed(finding), "{finding:#?}");
    }
    assert!(round.stdout.contains("assumed"), "{}", round.stdout);
    // What is reached proves more than what is said, and there is no word against a lost control.
    let own = doors.head(Said, PACE)
        + &target(
            "door 4",
            "tcp: '20.1.2.22:22', control: { tcp: '20.1.2.9:22' }",
        );
    let round = lab.round(&own);
    let finding = round.finding("door 4");
    assert_eq!(finding.reason.as_str(), "control_lost", "{finding:#?}");
}

/// V9. Of UDP only DNS and NTP get out; and where the network answers NTP itself, nothing need get out at all.
pub fn udp_gets_out_on_two_ports(ground: Ground) {
    let stun = Doors {
        kind: "udp",
        port: 3478,
        elsewhere: 123,
        families: 2,
    };
    let lab = open_with(ground, &[Server::Chrony, Server::Stun]);
    // Over UDP the doors' port is the only one that is in use on every port.
    stun.are_open(&lab);
    let why = [
        (Elsewhere, "port_unproven"),
        (Port, "control_lost"),
        (EveryPort, "control_lost"),
        (Said, "port_unproven"),
    ];
    on_the_way(&lab, "udp dport != { 53, 123 } drop");
    stun.are_not_seen(&lab, &why);

    // NTP goes to the network's own server, whoever it is for.
    lab.nft(
        Place::Router,
        "add chain inet lab taking { type nat hook prerouting priority dstnat; policy accept; }
        add rule inet lab taking iifname torunner meta nfproto ipv4 udp dport 123 dnat ip to 198.18.2.2
        add rule inet lab taking iifname torunner meta nfproto ipv6 udp dport 123 dnat ip6 to 2001:db8:2::2
        insert rule inet lab passing iifname torunner meta l4proto udp drop
        insert rule inet lab passing iifname torunner ip daddr 198.18.2.2 accept
        insert rule inet lab passing iifname torunner ip6 daddr 2001:db8:2::2 accept\n",
    );
    stun.are_not_seen(&lab, &why);
}

/// V9. The provider closes SMB. Not even the user's word covers a port that providers are known to close.
pub fn provider_closes_smb(ground: Ground) {
    let smb = Doors { port: 445, ..SSH };
    let lab = open(ground);
    smb.are_open(&lab);
    on_the_way(&lab, "tcp dport 445 drop");
    smb.are_not_seen(
        &lab,
        &[
            (Elsewhere, "port_unproven"),
            (Port, "control_lost"),
            (EveryPort, "control_lost"),
            (Said, "port_unproven"),
        ],
    );
}

/// A rule, ban or list of our own side's for this target alone. Only a control on the target's own path
/// tells, or somebody who looks from elsewhere.
pub fn limit_a_rule_for_this_target_alone(ground: Ground) {
    let lab = open(ground);
    SSH.are_open(&lab);
    let mut rules = String::new();
    for place in ["ip daddr 20.1.2.22", "ip6 daddr 2a00:5a:1::22"] {
        let _ = writeln!(
            rules,
            "insert rule inet lab passing iifname torunner {place} drop"
        );
    }
    lab.nft(Place::Router, &rules);
    SSH.are_taken_for_shut(&lab, &[Port, EveryPort, Said]);
    SSH.are_not_seen(&lab, &[(Elsewhere, "port_unproven")]);
    own_path_tells(&lab);
}

/// A control at the door's own address is lost, and so the door is not taken for shut.
pub fn own_path_tells(lab: &Lab) {
    let round = lab.round(
        &(SSH.head(EveryPort, PACE)
            + &target(
                "door 4",
                "tcp: '20.1.2.22:22', control: { tcp: '20.1.2.22:443' }",
            )
            + &target(
                "door 6",
                "tcp: '[2a00:5a:1::22]:22', control: { tcp: '[2a00:5a:1::22]:443' }",
            )),
    );
    round.expect_nothing_blocked();
    SSH.are_left_open(&round, "control_lost");
}

/// From a healthy vantage, with what is known in each way: what is shut is blocked, what is open exposed.
pub fn a_healthy_vantage_knows(ground: Ground) {
    let lab = open(ground);
    // A port that a door of the round is open on, and one that is shut everywhere.
    let config = |known| {
        SSH.config(known)
            + &target("shut 4", "tcp: '20.1.2.201:22'")
            + &target("shut 6", "tcp: '[2a00:5a:1::201]:22'")
            + &target("alone", "tcp: '20.1.2.201:2222'")
    };
    let running: Vec<_> = ALL
        .iter()
        .map(|known| (*known, lab.start(&config(*known))))
        .collect();
    for (known, running) in running {
        let round = lab.finish(running);
        for name in SSH.names() {
            let finding = round.finding(name);
            assert_eq!(
                (finding.verdict, finding.reach),
                (Exposed, Some(Connected)),
                "{known:?}"
            );
        }
        for name in ["shut 4", "shut 6"] {
            let finding = round.finding(name);
            assert_eq!(finding.verdict, Blocked, "{known:?}: {finding:#?}");
        }
        let alone = round.finding("alone");
        match known {
            Elsewhere | Port => assert_eq!(alone.reason.as_str(), "port_unproven", "{known:?}"),
            EveryPort | Said => assert_eq!(alone.verdict, Blocked, "{known:?}: {alone:#?}"),
        }
    }
}
