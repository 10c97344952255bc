//! What a real name server can say, and what may be concluded from it.

use noentry::domain::finding::NameAnswer;
use noentry::domain::observation::Blind;
use noentry::domain::reach::Reach::{Connected, NoName, PrivateAddress, PublicAddress};
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};

use super::{CONTROL, HEALTHY, LITERAL_CONTROL};
use crate::holder::Ground;
use crate::lab::{Lab, Place};
use crate::round::{Truth, endpoint, head, target};
use crate::zones::{OTHER, TRUTH};

/// Answers, NXDOMAIN, no data, SERVFAIL, REFUSED, silence and truncation, at the barrier `dns` and
/// behind it.
pub fn answers(ground: Ground) {
    let lab = Lab::standing(ground);
    // What does not fit into one UDP answer cannot be had.
    lab.rule(Place::Router, "passing", "tcp dport 53 drop");
    let names = [
        ("nope", "nope.lab.example"),
        ("nodata", "nodata.lab.example"),
        ("dangling", "dangling.lab.example"),
        ("private", "private.lab.example"),
        ("global", "global.lab.example"),
        ("mixed", "mixed.lab.example"),
        ("servfail", "broken.example"),
        ("refused", "refused.example"),
        ("silent", "silent.example"),
        ("truncated", "many.lab.example"),
    ];
    let mut config = HEALTHY.clone();
    for (name, dns) in names {
        config += &target(name, &format!("dns: {dns}, barrier: dns"));
        config += &target(&format!("{name}, tcp"), &format!("tcp: '{dns}:9000'"));
    }
    let round = lab.round(&config);
    round.expect(&[
        Truth("nope", Blocked, "stopped", &[NoName]),
        Truth("nodata", Blocked, "stopped", &[NoName]),
        Truth("dangling", Blocked, "stopped", &[NoName]),
        Truth("private", Blocked, "stopped", &[PrivateAddress]),
        Truth("global", Exposed, "past_barrier", &[PublicAddress]),
        Truth("mixed", Exposed, "past_barrier", &[PublicAddress]),
        Truth("servfail", Inconclusive, "resolver_servfail", &[]),
        Truth("refused", Inconclusive, "resolver_refused", &[]),
        Truth("silent", Inconclusive, "resolver_timeout", &[]),
        // A stale target must not pass for a safe one.
        Truth("nope, tcp", Inconclusive, "name_gone", &[NoName]),
        Truth("nodata, tcp", Inconclusive, "name_gone", &[NoName]),
        Truth("dangling, tcp", Inconclusive, "name_gone", &[NoName]),
        Truth("servfail, tcp", Inconclusive, "resolver_servfail", &[]),
        Truth("refused, tcp", Inconclusive, "resolver_refused", &[]),
        Truth("silent, tcp", Inconclusive, "resolver_timeout", &[]),
        Truth("global, tcp", Exposed, "past_barrier", &[Connected]),
    ]);
    for name in ["truncated", "truncated, tcp"] {
        let finding = round.finding(name);
        assert_eq!(finding.verdict, Inconclusive, "{finding:#?}");
        let queries = &finding.name.as_ref().unwrap().queries;
        let truncated = NameAnswer::Blind(Blind::ResolverTruncated);
        assert!(
            queries.iter().any(|q| q.answer == truncated),
            "{finding:#?}"
        );
    }
    let queries = &round.finding("nodata").name.as_ref().unwrap().queries;
    assert!(
        queries.iter().all(|q| q.answer == NameAnswer::NoData),
        "{queries:#?}"
    );
    let queries = &round.finding("nope").name.as_ref().unwrap().queries;
    assert!(
        queries.iter().all(|q| q.answer == NameAnswer::NxDomain),
        "{queries:#?}"
    );
}

/// Absence proves nothing without a name that must be there.
pub fn absence_needs_a_control(ground: Ground) {
    let config = head(&[TRUTH], &[LITERAL_CONTROL])
        + &target("nope", "dns: nope.lab.example, barrier: dns")
        + &target("private", "dns: private.lab.example, barrier: dns")
        + &target("global", "dns: global.lab.example, barrier: dns");
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("nope", Inconclusive, "no_control", &[NoName]),
        Truth("private", Inconclusive, "no_control", &[PrivateAddress]),
        Truth("global", Exposed, "past_barrier", &[PublicAddress]),
    ]);
}

/// Two resolvers that do not see the same world: what either of them shows is looked at.
pub fn resolvers_that_disagree(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.rule(Place::Router, "passing", "ip daddr 203.0.113.40 drop");
    let config = head(&[TRUTH, OTHER], &[CONTROL])
        + &target("moved", "tcp: moved.lab.example:9000")
        + &target("hidden", "tcp: hidden.lab.example:9000")
        + &target("private", "dns: private.lab.example, barrier: dns")
        + &target("nope", "dns: nope.lab.example, barrier: dns");
    let round = lab.round(&config);
    round.expect(&[
        Truth("moved", Exposed, "past_barrier", &[Connected]),
        Truth("hidden", Exposed, "past_barrier", &[Connected]),
        Truth("private", Exposed, "past_barrier", &[PublicAddress]),
        Truth("nope", Blocked, "stopped", &[NoName]),
    ]);
    let moved = round.finding("moved");
    assert_eq!(
        endpoint(moved, "203.0.113.40").attempts.len(),
        2,
        "{moved:#?}"
    );
    assert_eq!(
        endpoint(moved, "203.0.113.41").verdict,
        Exposed,
        "{moved:#?}"
    );
}

/// Two resolvers of which one is dead: what the other shows stands, what it does not show is not
/// known to be absent.
pub fn one_of_two_resolvers_dead(ground: Ground) {
    let config = head(&[TRUTH, "192.0.2.53"], &[LITERAL_CONTROL, CONTROL])
        + &target("open", "tcp: dual.lab.example:9000")
        + &target("nope", "dns: nope.lab.example, barrier: dns")
        + &target("private", "dns: private.lab.example, barrier: dns");
    let round = Lab::standing(ground).round(&config);
    assert_eq!(round.finding("open").verdict, Exposed);
    assert_eq!(round.finding("nope").verdict, Inconclusive);
    assert_eq!(round.finding("private").verdict, Inconclusive);
}
