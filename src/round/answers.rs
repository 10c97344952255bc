//! What the answers of all name servers about one name come to.

use std::collections::BTreeSet;

use crate::domain::finding::{NameAnswer, NameQuery};
use crate::domain::observation::Blind;

/// Why some name server's word is missing among these, if any is.
///
/// A zone's own server that this machine could not speak to at one address, and that answered at
/// another, has spoken.
pub(crate) fn missing(queries: &[NameQuery], which: impl Fn(&&NameQuery) -> bool) -> Option<Blind> {
    let mut all = queries.iter().filter(&which);
    all.find_map(|query| {
        let NameAnswer::Blind(cause) = query.answer else {
            return None;
        };
        let elsewhere = |other: &NameQuery| {
            other.authority == query.authority
                && other.record == query.record
                && !matches!(other.answer, NameAnswer::Blind(_))
        };
        let spoken =
            query.authority.is_some() && is_of_this_machine(cause) && queries.iter().any(elsewhere);
        (!spoken).then_some(cause)
    })
}

/// Whether the machine, and not the server, is why there is no answer.
const fn is_of_this_machine(cause: Blind) -> bool {
    match cause {
        Blind::NoRoute | Blind::NoFamily | Blind::LocalUnreachable | Blind::NoLocalPort => true,
        Blind::NotPermitted
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
