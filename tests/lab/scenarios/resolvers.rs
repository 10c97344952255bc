//! The watchman who asks the wrong people: resolvers that are dead, refuse, or make things up.
//! Nothing may come out as blocked.

use noentry::domain::reach::Reach::NoAnswer;
use noentry::domain::verdict::Verdict::{Exposed, Inconclusive};

use super::vantage::{doors, names};
use super::{CONTROL, LITERAL_CONTROL, LITERAL_CONTROL_6};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Round, Truth, head, target};
use crate::zones::{FILTER, PORTAL, REDIRECT, REFUSED, SERVFAIL, SLY, TRUTH};

/// The network works, and names cannot be looked up. The control needs no name, so it holds.
fn no_names(ground: Ground, resolver: &str, break_it: impl Fn(&Lab), reasons: &[&str]) {
    let lab = Lab::standing(ground);
    break_it(&lab);
    let controls = [LITERAL_CONTROL, LITERAL_CONTROL_6];
    let round = lab.round(&(head(&[resolver], &controls) + &doors() + &names()));
    round.expect_nothing_blocked();
    for finding in &round.report.findings {
        assert_eq!(finding.verdict, Inconclusive, "{finding:#?}");
        assert!(reasons.contains(&finding.reason.as_str()), "{finding:#?}");
    }
}

pub fn silent(ground: Ground) {
    let rule = "meta l4proto { tcp, udp } th dport 53 drop";
    let silence = |lab: &Lab| lab.rule(Place::Router, "passing", rule);
    no_names(ground, TRUTH, silence, &["resolver_timeout"]);
}

pub fn not_there(ground: Ground) {
    let rule = "meta l4proto { tcp, udp } th dport 53 reject";
    let closed = |lab: &Lab| lab.rule(Place::Server, "incoming", rule);
    let reasons = ["resolver_timeout", "resolver_error"];
    no_names(ground, TRUTH, closed, &reasons);
}

pub fn refuses(ground: Ground) {
    no_names(ground, REFUSED, |_| (), &["resolver_refused"]);
}

pub fn servfails(ground: Ground) {
    no_names(ground, SERVFAIL, |_| (), &["resolver_servfail"]);
}

/// A resolver that makes addresses up. The doors behind the made-up address may be open or silent.
fn invented(ground: Ground, resolvers: &[&str], targets: &str) -> Round {
    let lab = Lab::standing(ground);
    let controls = [CONTROL, LITERAL_CONTROL, LITERAL_CONTROL_6];
    let config = head(resolvers, &controls) + targets;
    lab.round(&config).expect_nothing_blocked();
    lab.rule(Place::Router, "passing", "ip daddr 203.0.113.80 drop");
    lab.rule(Place::Router, "passing", "ip6 daddr 2001:db8:3::80 drop");
    let round = lab.round(&config);
    round.expect_nothing_blocked();
    round
}

pub fn invents(ground: Ground) {
    let round = invented(ground, &[PORTAL], &(doors() + &names()));
    for finding in &round.report.findings {
        assert_eq!(finding.verdict, Inconclusive, "{finding:#?}");
    }
    assert!(round.report.resolvers.iter().all(|r| r.invents));
}

pub fn one_of_two_invents(ground: Ground) {
    let round = invented(ground, &[TRUTH, PORTAL], &(doors() + &names()));
    let open = round.finding("open");
    assert_eq!(open.verdict, Exposed, "{open:#?}");
}

pub fn redirects_what_is_not_there(ground: Ground) {
    let stale = target("stale", "tcp: nope.lab.example:9001")
        + &target("gone", "dns: nope.lab.example, barrier: dns");
    invented(ground, &[REDIRECT], &stale);
}

/// A control that an inventing resolver led to is whatever the resolver wishes: it proves nothing for
/// targets without a name either.
pub fn invents_the_control(ground: Ground) {
    let lab = Lab::standing(ground);
    let config = head(&[PORTAL], &["tcp: shop.never-registered.example:9000"])
        + &target("silent", "tcp: '203.0.113.22:9001'")
        + &target("reset", "tcp: '203.0.113.22:9002'");
    let round = lab.round(&config);
    round.expect_nothing_blocked();
    round.expect(&[Truth(
        "silent",
        Inconclusive,
        "resolver_invents",
        &[NoAnswer],
    )]);
}

/// A resolver that keeps IPv6 addresses to itself hides a door that is open over IPv6 alone.
pub fn filters_ipv6(ground: Ground) {
    let lab = Lab::standing(ground);
    let door = target("half open", "tcp: dual.lab.example:9012");
    let round = lab.round(&(head(&[FILTER], &[CONTROL]) + &door));
    round.expect(&[Truth(
        "half open",
        Inconclusive,
        "resolver_withholds",
        &[NoAnswer],
    )]);
    let round = lab.round(&(head(&[TRUTH], &[CONTROL]) + &door));
    assert_eq!(round.finding("half open").verdict, Exposed);
}

/// The null address is how blocklists say no; the name may well have others.
pub fn answers_with_the_null_address(ground: Ground) {
    let config = head(&[TRUTH], &[CONTROL])
        + &target("port", "tcp: sunk.lab.example:9000")
        + &target("name", "dns: sunk.lab.example, barrier: dns");
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("port", Inconclusive, "resolver_withholds", &[]),
        Truth("name", Inconclusive, "resolver_withholds", &[]),
    ]);
}

/// The same by one that answers below `.invalid` as RFC 6761 has it.
pub fn redirects_slyly(ground: Ground) {
    let stale = target("stale", "tcp: nope.lab.example:9001")
        + &target("gone", "dns: nope.lab.example, barrier: dns");
    invented(ground, &[SLY], &stale);
}
