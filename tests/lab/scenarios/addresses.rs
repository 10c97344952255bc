//! Which addresses are connected to at all.

use noentry::domain::finding::Note;
use noentry::domain::reach::Reach::{Connected, NoAnswer, PrivateAddress, Refused};
use noentry::domain::verdict::Verdict::{Blocked, Exposed};

use super::{CONTROL, GLOBAL_CONTROL, HEALTHY};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Truth, endpoint, head, target};
use crate::zones::{MANY, TRUTH};

/// Without `probe_non_global`, ordinary addresses are connected to, and those of private and
/// documentation networks get not a single packet, though they are reachable and open here.
pub fn private_addresses_get_no_packet(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.count(
        Place::Runner,
        "outgoing",
        "leaked4",
        "ip daddr { 10.0.0.0/8, 203.0.113.0/24, 127.0.0.0/8 } meta l4proto tcp",
    );
    lab.count(
        Place::Runner,
        "outgoing",
        "leaked6",
        "ip6 daddr { fd00:20::/64, 2001:db8:3::/64, ::1 } meta l4proto tcp",
    );
    lab.count(
        Place::Runner,
        "outgoing",
        "meant",
        "ip daddr 20.1.2.0/24 meta l4proto tcp",
    );
    let config = head(&[TRUTH], &[GLOBAL_CONTROL]).replace("probe_non_global: true, ", "")
        + &target("private", "tcp: private.lab.example:9000")
        + &target(
            "private url",
            "url: 'http://private.lab.example:9000/ok', barrier: http",
        )
        + &target("documentation", "tcp: dual.lab.example:9000")
        + &target("mixed", "tcp: mixed.lab.example:9000")
        + &target("mixed, locked", "tcp: mixed.lab.example:9001")
        + &target("open", "tcp: global.lab.example:9000")
        + &target("silent", "tcp: global.lab.example:9001")
        + &target("reset", "tcp: '[2a00:5a:1::7]:9002'");
    let round = lab.round(&config);
    assert_eq!(lab.counted(Place::Runner, "leaked4"), 0);
    assert_eq!(lab.counted(Place::Runner, "leaked6"), 0);
    assert!(
        lab.counted(Place::Runner, "meant") > 0,
        "the counters count"
    );
    round.expect(&[
        Truth("private", Blocked, "stopped", &[PrivateAddress]),
        Truth("private url", Blocked, "stopped", &[PrivateAddress]),
        Truth("documentation", Blocked, "stopped", &[PrivateAddress]),
        Truth("mixed", Exposed, "past_barrier", &[Connected]),
        Truth("mixed, locked", Blocked, "stopped", &[NoAnswer]),
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("silent", Blocked, "stopped", &[NoAnswer]),
        Truth("reset", Blocked, "stopped", &[Refused]),
    ]);
    for name in ["private", "private url", "documentation"] {
        let finding = round.finding(name);
        assert_eq!(finding.reach, Some(PrivateAddress), "{finding:#?}");
        assert_eq!(finding.attempts(), 0, "{finding:#?}");
    }
    for name in ["private", "documentation", "mixed"] {
        let notes = &round.finding(name).notes;
        assert!(
            notes.contains(&Note::PrivateAddressPublished),
            "{name}: {notes:?}"
        );
    }
    let mixed = round.finding("mixed");
    assert!(
        endpoint(mixed, "10.20.0.2").attempts.is_empty(),
        "{mixed:#?}"
    );
    assert_eq!(endpoint(mixed, "20.1.2.2").verdict, Exposed, "{mixed:#?}");
}

/// With it, they are connected to like any other.
pub fn private_addresses_on_wish(ground: Ground) {
    let config = HEALTHY.clone()
        + &target("open", "tcp: private.lab.example:9000")
        + &target("silent", "tcp: private.lab.example:9001");
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("silent", Blocked, "stopped", &[NoAnswer]),
    ]);
}

/// A name with more addresses than fit into one UDP answer: the rest comes over TCP, and every one
/// is an endpoint with all its attempts.
pub fn many_addresses(ground: Ground) {
    let lab = Lab::standing(ground);
    let config = head(&[TRUTH], &[CONTROL])
        + &target("many", "tcp: many.lab.example:9001, families: [ipv4]");
    let round = lab.round(&config);
    round.expect(&[Truth("many", Blocked, "stopped", &[NoAnswer])]);
    let finding = round.finding("many");
    assert_eq!(finding.endpoints.len(), usize::from(MANY));
    assert_eq!(finding.attempts(), 2 * usize::from(MANY));
}

/// The operating system's resolvers are asked where the configuration names none.
pub fn system_resolvers(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.system_resolvers(&[TRUTH]);
    let config = head(&[], &[CONTROL])
        + &target("open", "tcp: dual.lab.example:9000")
        + &target("silent", "tcp: dual.lab.example:9001");
    let round = lab.round(&config);
    round.expect(&[
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("silent", Blocked, "stopped", &[NoAnswer]),
    ]);
    let asked: Vec<_> = round
        .report
        .resolvers
        .iter()
        .map(|r| r.resolver.as_str())
        .collect();
    assert_eq!(asked, ["198.51.100.53:53"]);
}
