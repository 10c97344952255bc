//! Resolvers that are right about everything but the target's name, and in whose place the zone's own
//! servers are heard. The door is open for everybody else: nothing may come out as blocked.

use noentry::domain::finding::{Finding, NameAnswer, NameQuery};
use noentry::domain::observation::Blind;
use noentry::domain::reach::Reach::{self, Connected, NoAnswer, PrivateAddress, Served};
use noentry::domain::verdict::Verdict::{self, Blocked, Exposed, Inconclusive};

use super::GLOBAL_CONTROL;
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Round, Truth, endpoint, head, target};
use crate::zones::{LIAR, OWN, TRUTH};

/// What a stranger to the network has: addresses that are not globally routable are left alone.
fn outside(resolvers: &[&str]) -> String {
    head(resolvers, &[GLOBAL_CONTROL]).replace("probe_non_global: true, ", "")
}

/// The open door of `global.lab.example`, and the shut one, by each kind that is knocked at.
fn doors() -> String {
    target("open", "tcp: global.lab.example:9000, families: [ipv4]")
        + &target("shut", "tcp: global.lab.example:9001, families: [ipv4]")
        + &target(
            "page",
            "url: 'http://global.lab.example:9000/ok', barrier: http, families: [ipv4]",
        )
        + &target("host", "icmp: global.lab.example, families: [ipv4]")
}

fn queries(finding: &Finding) -> &[NameQuery] {
    &finding.name.as_ref().expect("it has a name").queries
}

fn own(finding: &Finding) -> Vec<&NameQuery> {
    let all = queries(finding).iter();
    all.filter(|query| query.authority.is_some()).collect()
}

/// Why the name could not be seen, by whichever of its parts.
fn causes(finding: &Finding) -> Vec<&str> {
    let names = finding.name_verdicts.iter().map(|n| n.reason.as_str());
    let endpoints = finding.endpoints.iter().map(|e| e.reason.as_str());
    names.chain(endpoints).collect()
}

/// No target is blocked, though some address behind its name may be.
fn no_target_is_blocked(round: &Round) {
    for finding in &round.report.findings {
        assert_ne!(finding.verdict, Blocked, "{finding:#?}");
    }
}

/// Nothing of these findings was seen, and this is why.
fn expect_blind(round: &Round, cause: &str) {
    round.expect_nothing_blocked();
    for finding in &round.report.findings {
        let is = (finding.verdict, finding.reason.as_str());
        assert_eq!(is, (Inconclusive, cause), "{finding:#?}");
        assert_eq!(finding.attempts(), 0, "{finding:#?}");
    }
}

/// Drops what is sent to the zone's own server.
fn silence_own_servers(lab: &Lab) {
    let rule = format!("ip daddr {OWN} udp dport 53 drop");
    lab.rule(Place::Router, "passing", &rule);
}

/// A private address for the target's name alone.
pub fn private_for_one_name(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.liar(&["global.lab.example A gives 192.168.7.7"]);
    // The zone's own server is asked, and its address is knocked at.
    let round = lab.round(&(outside(&[LIAR]) + &doors()));
    no_target_is_blocked(&round);
    round.expect(&[
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("page", Exposed, "past_barrier", &[Served]),
        Truth("host", Exposed, "past_barrier", &[Connected]),
    ]);
    for finding in &round.report.findings {
        let private = endpoint(finding, "192.168.7.7");
        assert_eq!(private.verdict, Inconclusive, "{finding:#?}");
        assert!(private.attempts.is_empty(), "{finding:#?}");
        assert!(!endpoint(finding, "20.1.2.3").attempts.is_empty());
    }
    // Whoever made the address up is in the way of a proof.
    let shut = round.finding("shut");
    assert!(causes(shut).contains(&"resolver_withholds"), "{shut:#?}");

    // Beside an honest resolver it takes nothing away.
    let round = lab.round(&(outside(&[LIAR, TRUTH]) + &doors()));
    round.expect(&[Truth("open", Exposed, "past_barrier", &[Connected])]);
    no_target_is_blocked(&round);
    // Who is to look inside looks there.
    let inside = head(&[LIAR], &[GLOBAL_CONTROL])
        + &target("inside", "tcp: private.lab.example:9000, families: [ipv4]");
    let round = lab.round(&inside);
    round.expect(&[Truth("inside", Exposed, "past_barrier", &[Connected])]);
    assert!(own(round.finding("inside")).is_empty());

    // Where the own server cannot be heard, nobody knows.
    silence_own_servers(&lab);
    let round = lab.round(&(outside(&[LIAR]) + &doors()));
    expect_blind(&round, "resolver_timeout");
    assert!(
        round.stdout.contains(&format!("ns.lab.example ({OWN}:53)")),
        "{}",
        round.stdout
    );
    // An honest resolver's private address is no stop either then, and needs no own server where the
    // name decides.
    let honest = outside(&[TRUTH])
        + &target("private", "tcp: private.lab.example:9000")
        + &target("name", "dns: private.lab.example, barrier: dns");
    let round = lab.round(&honest);
    round.expect(&[
        Truth("private", Inconclusive, "resolver_timeout", &[]),
        Truth("name", Blocked, "stopped", &[PrivateAddress]),
    ]);
}

/// A loopback address for the target's name alone, in every form.
pub fn loopback_for_one_name(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.count(
        Place::Runner,
        "outgoing",
        "looped",
        "ip daddr 127.0.0.0/8 tcp dport 9000",
    );
    lab.liar(&[
        "global.lab.example A gives 127.0.0.1",
        "dual.lab.example AAAA gives ::1",
        "only6.lab.example AAAA gives ::ffff:127.0.0.1",
        "five.lab.example A gives 127.0.0.53,203.0.113.21",
    ]);
    let own_names = ["dual", "only6", "five"]
        .map(|name| target(name, &format!("dns: {name}.lab.example, barrier: dns")))
        .concat();
    let name = target(
        "name",
        "dns: global.lab.example, barrier: dns, families: [ipv4]",
    );
    let round = lab.round(&(outside(&[LIAR]) + &doors() + &name));
    no_target_is_blocked(&round);
    round.expect(&[
        Truth("open", Exposed, "past_barrier", &[Connected]),
        Truth("page", Exposed, "past_barrier", &[Served]),
        Truth("host", Exposed, "past_barrier", &[Connected]),
        Truth("name", Exposed, "past_barrier", &[Reach::PublicAddress]),
    ]);
    let shut = round.finding("shut");
    assert_eq!(shut.verdict, Inconclusive, "{shut:#?}");
    assert!(causes(shut).contains(&"resolver_withholds"), "{shut:#?}");
    let round = lab.round(&(outside(&[LIAR]) + &own_names));
    no_target_is_blocked(&round);
    for finding in &round.report.findings {
        assert_eq!(
            finding.reason.as_str(),
            "resolver_withholds",
            "{finding:#?}"
        );
    }

    silence_own_servers(&lab);
    let round = lab.round(&(outside(&[LIAR]) + &doors() + &name));
    no_target_is_blocked(&round);
    for finding in &round.report.findings {
        assert_eq!(finding.verdict, Inconclusive, "{finding:#?}");
        assert_eq!(finding.attempts(), 0, "{finding:#?}");
    }
    assert_eq!(lab.counted(Place::Runner, "looped"), 0);
}

/// A resolver, and a zone's own server, that say themselves that they filter.
pub fn extended_errors(ground: Ground) {
    let codes = [3, 4, 15, 16, 17, 18, 19];
    let lab = Lab::standing(ground);
    let mut rules = Vec::new();
    let mut targets = String::new();
    for code in codes {
        for (how, words) in [
            ("public", "gives 20.1.2.9"),
            ("private", "gives 10.20.0.9"),
            ("none", "nxdomain"),
        ] {
            let name = format!("{how}{code}");
            rules.push(format!("{name}.lab.example * {words} ede {code}"));
            targets += &target(
                &name,
                &format!("tcp: {name}.lab.example:9001, families: [ipv4]"),
            );
            targets += &target(
                &format!("{name} name"),
                &format!("dns: {name}.lab.example, barrier: dns, families: [ipv4]"),
            );
        }
    }
    let rules: Vec<&str> = rules.iter().map(String::as_str).collect();
    lab.liar(&rules);
    let round = lab.round(&(outside(&[LIAR]) + &targets));
    expect_blind(&round, "resolver_filters");
    assert!(
        round.stdout.contains("198.51.100.53:5300"),
        "{}",
        round.stdout
    );

    // Other errors, and none at all, say nothing of the kind; nor does a resolver that lets nobody ask.
    let lab = Lab::standing(ground);
    lab.liar(&[
        "gone.lab.example * nxdomain ede 0,2,9,29",
        "shut.lab.example * refused ede 18",
        "blocked.lab.example * refused ede 15",
        "global.lab.example A truth ede 3",
        "sorry.lab.example * servfail ede 22",
    ]);
    let mut config = outside(&[LIAR]);
    for name in ["gone", "shut", "blocked", "sorry"] {
        config += &target(name, &format!("dns: {name}.lab.example, barrier: dns"));
    }
    config += &target("stale", "tcp: global.lab.example:9000");
    let round = lab.round(&config);
    round.expect(&[
        Truth("gone", Blocked, "stopped", &[Reach::NoName]),
        Truth("shut", Inconclusive, "resolver_refused", &[]),
        Truth("blocked", Inconclusive, "resolver_filters", &[]),
        Truth("sorry", Inconclusive, "resolver_servfail", &[]),
    ]);
    // One family is kept back, and the other is open.
    let stale = round.finding("stale");
    assert_eq!(stale.verdict, Exposed, "{stale:#?}");
    let filters = NameAnswer::Blind(Blind::ResolverFilters);
    assert!(queries(stale).iter().any(|q| q.answer == filters));
}

/// The first answer has half of the addresses, and the second cannot be had.
pub fn second_asking_fails(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.rule(Place::Router, "passing", "ip daddr 20.1.2.30 drop");
    lab.liar(&[
        "servfail.lab.example A gives 20.1.2.30 ; servfail",
        "refused.lab.example A gives 20.1.2.30 ; refused",
        "silent.lab.example A gives 20.1.2.30 ; silent",
        "filtered.lab.example A gives 20.1.2.30 ; nxdomain ede 15",
        "sunk.lab.example A gives 20.1.2.30 ; gives 127.0.0.1",
        "busy.lab.example A gives 20.1.2.30 ; servfail ; gives 20.1.2.30",
        "later.lab.example A gives 20.1.2.30 ; servfail ; gives 20.1.2.31",
        "steady.lab.example A gives 20.1.2.30",
    ]);
    let mut config = outside(&[LIAR]);
    for name in [
        "servfail", "refused", "silent", "filtered", "sunk", "busy", "later", "steady",
    ] {
        config += &target(
            name,
            &format!("tcp: {name}.lab.example:9000, families: [ipv4]"),
        );
    }
    let round = lab.round(&config);
    round.expect(&[
        Truth("servfail", Inconclusive, "resolver_servfail", &[NoAnswer]),
        Truth("refused", Inconclusive, "resolver_refused", &[NoAnswer]),
        Truth("silent", Inconclusive, "resolver_timeout", &[NoAnswer]),
        Truth("filtered", Inconclusive, "resolver_filters", &[NoAnswer]),
        Truth("later", Exposed, "past_barrier", &[Connected]),
    ]);
    let sunk = round.finding("sunk");
    assert_eq!(sunk.verdict, Inconclusive, "{sunk:#?}");
    // Whatever the silence itself is worth, nothing is missing from the name.
    for name in ["busy", "steady"] {
        let finding = round.finding(name);
        assert!(finding.name_verdicts.is_empty(), "{finding:#?}");
        assert_eq!(finding.endpoints.len(), 1, "{finding:#?}");
    }
}

/// A control whose name is sunk does not hold, nor one whose name is filtered.
pub fn sunk_control(ground: Ground) {
    for words in [
        "gives 127.0.0.1,::1",
        "gives 20.1.2.9 ede 15",
        "nxdomain ede 17",
    ] {
        let lab = Lab::standing(ground);
        lab.liar(&[&format!("shop.lab.example * {words}")]);
        let config = outside(&[LIAR])
            + &target("silent", "tcp: global.lab.example:9001")
            + &target("gone", "dns: nope.lab.example, barrier: dns")
            + &target("private", "tcp: private.lab.example:9001");
        let round = lab.round(&config);
        round.expect_nothing_blocked();
        for finding in &round.report.findings {
            assert_eq!(
                finding.reason.as_str(),
                "control_lost",
                "{words}: {finding:#?}"
            );
        }
        let control = round.report.controls.first().expect("there is one");
        assert_eq!(control.name_held, Some(false), "{control:#?}");
        assert!(control.held.is_empty(), "{control:#?}");
    }
}

/// `authoritative: true` for every kind: an address that only the zone's own servers give.
pub fn own_servers_for_every_kind(ground: Ground) {
    let lab = Lab::standing(ground);
    // A public address of somebody's who drops everything.
    lab.rule(Place::Router, "passing", "ip daddr 20.1.2.66 drop");
    lab.liar(&["global.lab.example A gives 20.1.2.66"]);
    let kinds = [
        ("tcp", "tcp: global.lab.example:9000"),
        ("url", "url: 'http://global.lab.example:9000/ok'"),
        ("udp", "udp: global.lab.example:53"),
        ("icmp", "icmp: global.lab.example"),
        ("dns", "dns: global.lab.example, barrier: dns"),
    ];
    let mut config = outside(&[LIAR]);
    for (name, rest) in kinds {
        let rest = format!("{rest}, families: [ipv4]");
        config += &target(name, &format!("{rest}, authoritative: true"));
        if name == "tcp" {
            config += &target("not asked", &format!("{rest}, authoritative: false"));
        }
    }
    let round = lab.round(&config);
    for (name, _) in kinds {
        let finding = round.finding(name);
        assert_eq!(finding.verdict, Exposed, "{finding:#?}");
        assert!(!own(finding).is_empty(), "{finding:#?}");
    }
    assert!(own(round.finding("not asked")).is_empty());
}

/// The name is an alias into another zone, whose own servers know where it leads. A resolver's word on
/// that end counts as little.
pub fn aliases_out_of_the_zone(ground: Ground) {
    let lab = Lab::standing(ground);
    // The servers of the yard hold nothing else.
    let yard = "ip daddr 20.1.2.54 udp dport 53 dnat ip to 198.51.100.61";
    lab.rule(Place::Server, "redirected", yard);
    lab.liar(&[
        "global.yard.example A alias global.lab.example 192.168.7.7",
        "global.lab.example A gives 192.168.7.7",
    ]);
    let door = |name: &str| format!("tcp: {name}.yard.example:9000, families: [ipv4]");
    let config = outside(&[LIAR])
        + &target("lied about", &door("global"))
        + &target("private", &door("private"))
        + &target("gone", &door("gone"));
    let expected: [(&str, Verdict, &str); 3] = [
        ("lied about", Exposed, "past_barrier"),
        ("private", Blocked, "stopped"),
        ("gone", Inconclusive, "name_gone"),
    ];
    let round = lab.round(&config);
    for (name, verdict, reason) in expected {
        let finding = round.finding(name);
        let is = (finding.verdict, finding.reason.as_str());
        assert_eq!(is, (verdict, reason), "{finding:#?}");
        if name != "gone" {
            let mut asked: Vec<_> = own(finding).iter().map(|q| q.resolver.clone()).collect();
            asked.sort_unstable();
            assert_eq!(
                asked,
                [format!("{OWN}:53"), "20.1.2.54:53".to_owned()],
                "{finding:#?}"
            );
        }
    }
    // The alias alone is not the address.
    silence_own_servers(&lab);
    let round = lab.round(&config);
    for name in ["lied about", "private"] {
        let finding = round.finding(name);
        let is = (finding.verdict, finding.reason.as_str());
        assert_eq!(is, (Inconclusive, "resolver_timeout"), "{finding:#?}");
    }
}
