//! Records of any type, the zone's own servers, wildcards, and aliases that lead nowhere.

use noentry::domain::finding::{Finding, NameAnswer, NameQuery, Note};
use noentry::domain::observation::Blind;
use noentry::domain::reach::Reach::{NoName, PrivateAddress, PublicAddress, PublicRecord};
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};

use super::{HEALTHY, LITERAL_CONTROL};
use crate::authorities::{FIRST, SECOND};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Truth, head, target};
use crate::zones::{OTHER, PORTAL, TRUTH};

fn queries(finding: &Finding) -> &[NameQuery] {
    &finding.name.as_ref().expect("it has a name").queries
}

fn of_authorities(finding: &Finding) -> Vec<&NameQuery> {
    let all = queries(finding).iter();
    all.filter(|query| query.authority.is_some()).collect()
}

/// Any type of record, there and not there.
pub fn records(ground: Ground) {
    let lab = Lab::standing(ground);
    let mut config = HEALTHY.clone();
    for (name, rest) in [
        ("text", "dns: text.lab.example, record: TXT"),
        ("hostile", "dns: hostile.lab.example, record: TXT"),
        ("mail", "dns: mail.lab.example, record: mx"),
        ("number", "dns: numbered.lab.example, record: TYPE4711"),
        ("alias", "dns: texts.lab.example, record: CNAME"),
        ("behind", "dns: texts.lab.example, record: TXT"),
        ("other type", "dns: text.lab.example, record: MX"),
        ("gone", "dns: _acme.nope.lab.example, record: TXT"),
        ("signer", "dns: child.lab.example, record: DS"),
        ("servfail", "dns: broken.example, record: TXT"),
        ("refused", "dns: refused.example, record: CAA"),
        ("silent", "dns: silent.example, record: TXT"),
    ] {
        config += &target(name, &format!("{rest}, barrier: dns"));
    }
    let round = lab.round(&config);
    round.expect(&[
        Truth("text", Exposed, "past_barrier", &[PublicRecord]),
        Truth("hostile", Exposed, "past_barrier", &[PublicRecord]),
        Truth("mail", Exposed, "past_barrier", &[PublicRecord]),
        Truth("number", Exposed, "past_barrier", &[PublicRecord]),
        Truth("alias", Exposed, "past_barrier", &[PublicRecord]),
        Truth("behind", Exposed, "past_barrier", &[PublicRecord]),
        Truth("other type", Blocked, "stopped", &[NoName]),
        Truth("gone", Blocked, "stopped", &[NoName]),
        Truth("signer", Blocked, "stopped", &[NoName]),
        Truth("servfail", Inconclusive, "resolver_servfail", &[]),
        Truth("refused", Inconclusive, "resolver_refused", &[]),
        Truth("silent", Inconclusive, "resolver_timeout", &[]),
    ]);
    for (name, text) in [
        ("text", "v=secret token"),
        ("hostile", "\\u{1b}[31m::error::\\u{202e}evil"),
        ("mail", "10 mx.lab.example."),
        ("number", "\\# 3 dead00"),
        ("alias", "text.lab.example."),
        ("behind", "v=secret token"),
    ] {
        let expected = NameAnswer::Records(vec![text.to_owned()]);
        let queries = queries(round.finding(name));
        assert!(queries.iter().all(|q| q.answer == expected), "{queries:#?}");
    }
    assert!(!round.stdout.contains(['\u{1b}', '\u{202e}']));

    // Nothing is concluded from the absence of a record either, where no control has a name, and
    // nothing from a resolver that does not know it.
    let gone = target("gone", "dns: gone.lab.example, record: TXT, barrier: dns");
    let round = lab.round(&(head(&[TRUTH], &[LITERAL_CONTROL]) + &gone));
    round.expect(&[Truth("gone", Inconclusive, "no_control", &[NoName])]);
    let only_here = target("text", "dns: text.lab.example, record: TXT, barrier: dns");
    let round = lab.round(&(head(&[OTHER, TRUTH], &[LITERAL_CONTROL]) + &only_here));
    assert_eq!(round.finding("text").verdict, Exposed);
}

/// The zone's own servers: agreeing, disagreeing, lame, refusing, silent and without an address.
pub fn own_servers(ground: Ground) {
    let lab = Lab::standing(ground);
    let mut config = HEALTHY.clone();
    for (name, dns) in [
        ("gone", "nope.child.lab.example"),
        ("public", "public.child.lab.example"),
        ("late", "late.child.lab.example"),
        ("out", "out.child.lab.example"),
        ("nowhere", "nowhere.child.lab.example"),
        ("parent", "nope.lab.example"),
        ("root", "nope.nope"),
        ("refusing", "nope.refusing.lab.example"),
        ("lame", "nope.lame.lab.example"),
        ("mute", "nope.mute.lab.example"),
        ("homeless", "nope.homeless.lab.example"),
    ] {
        config += &target(
            name,
            &format!("dns: {dns}, authoritative: true, barrier: dns"),
        );
    }
    for (name, rest) in [
        ("secret", "dns: secret.child.lab.example, record: TXT"),
        ("no secret", "dns: public.child.lab.example, record: TXT"),
        ("signer", "dns: child.lab.example, record: DS"),
    ] {
        config += &target(name, &format!("{rest}, authoritative: true, barrier: dns"));
    }
    let round = lab.round(&config);
    round.expect(&[
        Truth("gone", Blocked, "stopped", &[NoName]),
        Truth("public", Exposed, "past_barrier", &[PublicAddress]),
        // Only one of the two servers knows it; a resolver asks either.
        Truth("late", Exposed, "past_barrier", &[PublicAddress]),
        // `dual` has documentation addresses.
        Truth("out", Blocked, "stopped", &[PrivateAddress]),
        Truth("nowhere", Blocked, "stopped", &[NoName]),
        Truth("parent", Blocked, "stopped", &[NoName]),
        Truth("root", Blocked, "stopped", &[NoName]),
        Truth("refusing", Inconclusive, "resolver_refused", &[]),
        Truth("lame", Inconclusive, "server_lame", &[]),
        Truth("mute", Inconclusive, "resolver_timeout", &[]),
        Truth("homeless", Inconclusive, "server_lame", &[]),
        Truth("secret", Exposed, "past_barrier", &[PublicRecord]),
        Truth("no secret", Blocked, "stopped", &[NoName]),
        Truth("signer", Blocked, "stopped", &[NoName]),
    ]);
    let asked = of_authorities(round.finding("gone"));
    let mut servers: Vec<_> = asked
        .iter()
        .map(|q| (q.authority.as_deref().unwrap_or_default(), &*q.resolver))
        .collect();
    servers.sort_unstable();
    servers.dedup();
    let (first, second) = (format!("{FIRST}:53"), format!("{SECOND}:53"));
    let expected = [
        ("ns1.child.lab.example", first.as_str()),
        ("ns1.child.lab.example", "[2001:db8:5::61]:53"),
        ("ns2.child.lab.example", second.as_str()),
        ("ns2.child.lab.example", "[2001:db8:5::62]:53"),
    ];
    assert_eq!(servers, expected, "{asked:#?}");
    for query in of_authorities(round.finding("late")) {
        let second = query.authority.as_deref() == Some("ns2.child.lab.example");
        let four = query.record == "A";
        match query.answer {
            NameAnswer::Addresses(_) => assert!(second && four, "{query:#?}"),
            _ => assert!(!(second && four), "{query:#?}"),
        }
    }
    let out = of_authorities(round.finding("out"));
    assert!(
        out.iter().all(|q| q.cnames == ["dual.lab.example"]),
        "{out:#?}"
    );
    let signer = of_authorities(round.finding("signer"));
    assert!(
        signer
            .iter()
            .all(|q| q.authority.as_deref() == Some("ns.lab.example")),
        "{signer:#?}"
    );
}

/// A machine without IPv6 has heard a zone's servers out that answered over IPv4; servers that fell
/// silent have not been heard.
pub fn own_servers_without_ipv6(ground: Ground) {
    let lab = Lab::standing(ground);
    let config = HEALTHY.clone()
        + &target(
            "gone",
            "dns: nope.child.lab.example, authoritative: true, barrier: dns",
        );
    lab.sh(Place::Runner, "ip -6 route del default");
    let round = lab.round(&config);
    round.expect(&[Truth("gone", Blocked, "stopped", &[NoName])]);
    let asked = of_authorities(round.finding("gone"));
    let unrouted = |q: &&&NameQuery| q.answer == NameAnswer::Blind(Blind::NoRoute);
    assert_eq!(asked.iter().filter(unrouted).count(), 4, "{asked:#?}");

    lab.sh(
        Place::Runner,
        "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6",
    );
    let round = lab.round(&config);
    round.expect(&[Truth("gone", Blocked, "stopped", &[NoName])]);

    lab.rule(
        Place::Router,
        "passing",
        &format!("ip saddr 198.18.1.2 ip daddr {SECOND} drop"),
    );
    let round = lab.round(&config);
    round.expect(&[Truth("gone", Inconclusive, "resolver_timeout", &[])]);
}

/// What is worth a note beside the verdict: wildcards, aliases of nothing, private addresses.
pub fn notes(ground: Ground) {
    let lab = Lab::standing(ground);
    let mut config = HEALTHY.clone();
    for (name, rest) in [
        ("wild", "dns: door.wild.lab.example"),
        ("shut", "dns: shut.wild.lab.example"),
        ("wild text", "dns: shut.wild.lab.example, record: TXT"),
        ("tame", "dns: nope.lab.example"),
        ("dangling", "dns: dangling.lab.example"),
        ("unlucky", "dns: unlucky.lab.example"),
        ("lost text", "dns: lost.lab.example, record: TXT"),
        ("private", "dns: private.lab.example"),
    ] {
        config += &target(name, &format!("{rest}, barrier: dns"));
    }
    config += &target("dangling port", "tcp: dangling.lab.example:9000");
    config += &target(
        "strict",
        "dns: private.lab.example, barrier: dns, denial: [no_name], probe_non_global: false",
    );
    let round = lab.round(&config);
    round.expect(&[
        // A documentation address, which is not globally routable.
        Truth("wild", Blocked, "stopped", &[PrivateAddress]),
        Truth("shut", Blocked, "stopped", &[NoName]),
        Truth("wild text", Blocked, "stopped", &[NoName]),
        Truth("tame", Blocked, "stopped", &[NoName]),
        Truth("dangling", Blocked, "stopped", &[NoName]),
        Truth("unlucky", Blocked, "stopped", &[NoName]),
        Truth("lost text", Blocked, "stopped", &[NoName]),
        Truth("private", Blocked, "stopped", &[PrivateAddress]),
        Truth("strict", Exposed, "weaker_than_promised", &[PrivateAddress]),
        Truth("dangling port", Inconclusive, "name_gone", &[NoName]),
    ]);
    for (name, notes) in [
        ("wild", &[Note::Wildcard][..]),
        ("shut", &[Note::Wildcard]),
        ("wild text", &[Note::Wildcard]),
        ("tame", &[]),
        ("dangling", &[Note::DanglingAlias]),
        ("unlucky", &[Note::DanglingAlias]),
        ("lost text", &[Note::DanglingAlias]),
        ("dangling port", &[Note::DanglingAlias]),
        ("strict", &[Note::PrivateAddressPublished]),
    ] {
        assert_eq!(round.finding(name).notes, notes, "{name}");
    }

    // A resolver that invents answers is no wildcard.
    let tame = target("tame", "dns: nope.lab.example, barrier: dns");
    let round = lab.round(&(head(&[PORTAL], &[LITERAL_CONTROL]) + &tame));
    assert_eq!(round.finding("tame").notes, [Note::ResolverInvents]);
}
