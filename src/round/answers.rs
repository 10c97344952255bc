//! What the answers of all name servers about one name come to.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::domain::endpoint::Family;
use crate::domain::finding::{NameAnswer, NameQuery};
use crate::domain::observation::Blind;

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
                && way(other) != way(query)
                && !matches!(other.answer, NameAnswer::Blind(_))
        };
        let spoken =
            query.authority.is_some() && is_of_this_machine(cause) && queries.iter().any(elsewhere);
        (!spoken).then_some(cause)
    })
}

/// Over which family somebody was asked, if anybody was.
fn way(query: &NameQuery) -> Option<Family> {
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
