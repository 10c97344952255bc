//! What the answers of all name servers about one name come to.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use super::names::union;
use crate::domain::address::{is_global, is_loopback};
use crate::domain::endpoint::Family;
use crate::domain::finding::{NameAnswer, NameQuery, is_own_word};
use crate::domain::observation::Blind;
use crate::domain::target::{Barrier, Target};

/// Whether resolvers gave addresses that only the zone's own servers can bear out: a loopback address,
/// which is how a blocklist says no, and where connecting would have to show it, any that is not
/// connected to.
pub(crate) fn wants_own_word(target: &Target, queries: &[NameQuery]) -> bool {
    let of_resolvers = queries.iter().filter(|query| query.authority.is_none());
    !target.probe_non_global
        && union(of_resolvers).into_iter().any(|address| {
            is_loopback(address) || (target.barrier != Barrier::Dns && !is_global(address))
        })
}

/// Takes a loopback address from a resolver for the no of a blocklist, as the null address is, unless
/// one of the zone's own servers gives it too.
pub(crate) fn withhold(queries: &mut [NameQuery]) {
    let sunk = |query: &NameQuery| {
        let mut all = query.answer.addresses().iter();
        query.authority.is_none() && all.any(|a| is_loopback(*a) && !is_own_word(queries, *a))
    };
    let sunk: Vec<bool> = queries.iter().map(sunk).collect();
    for (query, _) in queries.iter_mut().zip(sunk).filter(|(_, sunk)| *sunk) {
        query.answer = NameAnswer::Blind(Blind::ResolverWithholds);
    }
}

/// Whether a question that had an answer before has none now.
pub(crate) fn fell_silent(before: &[NameQuery], now: &NameQuery) -> bool {
    let blind = |query: &NameQuery| matches!(query.answer, NameAnswer::Blind(_));
    blind(now) && !before.iter().any(|query| same(query, now) && blind(query))
}

/// Whether both are the same question to the same server.
pub(crate) fn same(one: &NameQuery, other: &NameQuery) -> bool {
    one.resolver == other.resolver && one.authority == other.authority && one.record == other.record
}

/// Why some name server's word is missing among these, if any is.
///
/// A zone's own server that this machine could not speak to over one family, and that answered over
/// the other, has spoken. Of two addresses of one family each may be another machine.
pub(crate) fn missing(queries: &[NameQuery], which: impl Fn(&&NameQuery) -> bool) -> Option<Blind> {
    let mut all = queries.iter().filter(&which);
    all.find_map(|query| {
        let NameAnswer::Blind(cause) = query.answer else {
            return None;
        };
        let elsewhere = |other: &NameQuery| {
            other.authority == query.authority
                && other.record == query.record
                && family_asked(other) != family_asked(query)
                && !matches!(other.answer, NameAnswer::Blind(_))
        };
        let spoken =
            query.authority.is_some() && is_of_this_machine(cause) && queries.iter().any(elsewhere);
        (!spoken).then_some(cause)
    })
}

/// Over which family somebody was asked, if anybody was.
fn family_asked(query: &NameQuery) -> Option<Family> {
    let asked: SocketAddr = query.resolver.parse().ok()?;
    Some(Family::of(asked.ip()))
}

/// Whether the machine, and not the server, is why there is no answer.
const fn is_of_this_machine(cause: Blind) -> bool {
    match cause {
        Blind::NoRoute | Blind::NoFamily | Blind::LocalUnreachable | Blind::NoLocalPort => true,
        Blind::NotPermitted
        | Blind::OwnNetwork
        | Blind::OwnGateway
        | Blind::ReversePath
        | Blind::NoEchoSocket
        | Blind::TooManyFiles
        | Blind::NoBuffers
        | Blind::LocalError
        | Blind::ResolverTimeout
        | Blind::ResolverServfail
        | Blind::ResolverRefused
        | Blind::ResolverTruncated
        | Blind::ResolverError
        | Blind::ResolverWithholds
        | Blind::ResolverFilters
        | Blind::ServerLame
        | Blind::Interrupted => false,
    }
}

/// Whether some name server's aliases end in nothing: in a name that does not exist or, where it was
/// asked for both families, that has an address of neither.
pub(crate) fn dangles(queries: &[NameQuery]) -> bool {
    queries.iter().any(|query| {
        let other = |other: &NameQuery| {
            other.resolver == query.resolver
                && other.authority == query.authority
                && other.answer == NameAnswer::NoData
                && query.family.is_some()
                && other.family.is_some()
                && other.family != query.family
        };
        !query.cnames.is_empty()
            && match query.answer {
                NameAnswer::NxDomain => true,
                NameAnswer::NoData => queries.iter().any(other),
                NameAnswer::Addresses(_) | NameAnswer::Records(_) | NameAnswer::Blind(_) => false,
            }
    })
}

/// The records, other than addresses, that anybody gave.
pub(crate) fn published(queries: &[NameQuery]) -> BTreeSet<String> {
    let records = queries.iter().filter_map(|query| match &query.answer {
        NameAnswer::Records(records) => Some(records),
        NameAnswer::Addresses(_)
        | NameAnswer::NoData
        | NameAnswer::NxDomain
        | NameAnswer::Blind(_) => None,
    });
    records.flatten().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(server: &str, answer: NameAnswer) -> NameQuery {
        NameQuery {
            resolver: server.to_owned(),
            authority: Some("ns.lab.example".to_owned()),
            record: "TXT".to_owned(),
            family: None,
            answer,
            cnames: Vec::new(),
            took_ms: 1,
        }
    }

    #[test]
    fn a_second_address_of_one_family_that_was_not_asked_is_missing() {
        let heard = answer("5.5.0.1:53", NameAnswer::NxDomain);
        for (server, expected) in [
            ("5.5.0.2:53", Some(Blind::LocalUnreachable)),
            ("[2a00:5::1]:53", None),
        ] {
            let unasked = answer(server, NameAnswer::Blind(Blind::LocalUnreachable));
            let queries = [heard.clone(), unasked];
            assert_eq!(missing(&queries, |_| true), expected, "{server}");
        }
    }
}
