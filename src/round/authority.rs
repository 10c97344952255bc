//! Asking a zone's own servers, beside the resolvers.
//!
//! The zone is the innermost one that holds the name: the resolvers are asked for NS records of the
//! name and of its parents, inside out, until one of them has some. Every server named there is asked
//! at its addresses of both families, whatever families the target watches: a family is what is asked
//! for, not the way by which it is asked.
//!
//! Where a server's answer ends in an alias out of its zone, the resolvers follow it. They have no word
//! in addresses that they may have made up (`wants_own_word`): of those, the servers of the zone that
//! the alias leads to are asked in turn.
//!
//! What cannot be asked is said: a server without a usable address, or a zone that cannot be found,
//! is an entry of its own without an answer. Limits: servers that the parent zone delegates to and
//! the zone itself does not name are not known; of a server's addresses four a family are asked.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use futures_util::future::{join, join_all};

use super::answers::wants_own_word;
use super::names::{Asking, Names, union};
use super::schedule::Course;
use super::world::World;
use crate::domain::address::is_global;
use crate::domain::endpoint::Family;
use crate::domain::finding::{NameAnswer, NameQuery};
use crate::domain::observation::Blind;
use crate::domain::record::Record;
use crate::domain::target::Target;
use crate::probe::dns::Question;

/// Where name servers listen.
const PORT: u16 = 53;

/// How many addresses of one server are asked in each family.
const ADDRESSES: usize = 4;

/// How many of the target's time-outs it may take to find the zone.
const PATIENCE: u32 = 3;

/// One of the zone's own servers.
struct Server {
    name: String,
    addresses: Vec<IpAddr>,
    /// Why there is no address; never looked at where there is one.
    missing: Blind,
}

/// How many zones a chain of aliases is followed through.
const ZONES: usize = 4;

/// A question to a zone's own servers.
#[derive(Clone, Copy)]
struct Asked<'a> {
    target: &'a Target,
    name: &'a str,
    records: &'a [Record],
    asking: Asking,
}

/// What the zone's own servers say about the name, one entry an address and type; and what those say of
/// the zones that it is an alias into, where only they know.
pub(crate) async fn ask<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: &str,
    records: &[Record],
    asking: Asking,
) -> Vec<NameQuery> {
    let asked = Asked {
        target,
        name,
        records,
        asking,
    };
    ask_through(course, names, asked, ZONES).await
}

async fn ask_through<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    asked: Asked<'_>,
    zones: usize,
) -> Vec<NameQuery> {
    let mut queries = ask_zone(course, names, asked).await;
    let mut further = Vec::new();
    for record in asked.records {
        for end in ends(&queries, *record) {
            let timeout = asked.target.pace.timeout;
            let behind = names
                .shared(course, &end, *record, asked.asking, timeout)
                .await;
            let mut answer = together(&behind);
            if wants_own_word(asked.target, &behind) {
                let own = match zones.checked_sub(1) {
                    Some(zones) => {
                        let asked = Asked {
                            name: &end,
                            records: &[*record],
                            ..asked
                        };
                        Box::pin(ask_through(course, names, asked, zones)).await
                    }
                    None => Vec::new(),
                };
                answer = together(&own);
                further.extend(own);
            }
            let cnames = behind.first().map(|first| first.cnames.as_slice());
            for query in &mut queries {
                if end_of(query, *record) == Some(&end) {
                    query.cnames.extend_from_slice(cnames.unwrap_or_default());
                    query.answer = answer.clone();
                }
            }
        }
    }
    queries.extend(further);
    queries
}

/// The aliases at which answers to this type of question end.
fn ends(queries: &[NameQuery], record: Record) -> BTreeSet<String> {
    let ends = queries.iter().filter_map(|query| end_of(query, record));
    ends.cloned().collect()
}

/// The alias at which this answer ends. The server has said all it knows: it leads out of its zone.
fn end_of(query: &NameQuery, record: Record) -> Option<&String> {
    match query.answer {
        NameAnswer::Blind(_) if query.record == record.to_string() => query.cnames.last(),
        NameAnswer::Blind(_)
        | NameAnswer::Addresses(_)
        | NameAnswer::Records(_)
        | NameAnswer::NoData
        | NameAnswer::NxDomain => None,
    }
}

/// The same of the zone that holds the name alone.
async fn ask_zone<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    asked: Asked<'_>,
) -> Vec<NameQuery> {
    let Asked {
        target,
        name,
        records,
        ..
    } = asked;
    // Of all types only DS lives in the parent's zone (RFC 4035 section 3.1.4.1).
    let within = match (records, name.split_once('.')) {
        ([Record::DS], Some((_, parent))) => parent,
        _ => name,
    };
    let patience = target.pace.timeout * PATIENCE;
    let found = tokio::time::timeout(patience, find(course, names, target, within)).await;
    let servers = match found.unwrap_or(Err(Blind::ResolverTimeout)) {
        Ok(servers) => servers,
        Err(cause) => vec![Server {
            name: "(unknown)".to_owned(),
            addresses: Vec::new(),
            missing: cause,
        }],
    };
    let all = servers.iter().flat_map(|server| {
        let each = records.iter();
        each.map(move |record| ask_server(course, names, target, name, *record, server))
    });
    join_all(all).await.concat()
}

/// The servers of the innermost zone that holds the name.
async fn find<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: &str,
) -> Result<Vec<Server>, Blind> {
    let timeout = target.pace.timeout;
    let mut zone = name;
    loop {
        let answers = names
            .shared(course, zone, Record::NS, Asking::First, timeout)
            .await;
        let servers = servers(&answers);
        if !servers.is_empty() {
            let all = servers
                .into_iter()
                .map(|server| resolve(course, names, target, server));
            return Ok(join_all(all).await);
        }
        // Whether a zone begins here is not known. The parent's servers could only refer to it.
        let cause = |query: &NameQuery| match query.answer {
            NameAnswer::Blind(cause) => Some(cause),
            NameAnswer::Addresses(_)
            | NameAnswer::Records(_)
            | NameAnswer::NoData
            | NameAnswer::NxDomain => None,
        };
        let all: Option<Vec<Blind>> = answers.iter().map(cause).collect();
        if let Some(cause) = all.and_then(|all| all.first().copied()) {
            return Err(cause);
        }
        zone = match zone.split_once('.') {
            Some((_, parent)) => parent,
            None if zone.is_empty() => return Err(Blind::ServerLame),
            None => "",
        };
    }
}

/// The names in NS records. At the end of an alias lies another zone.
fn servers(answers: &[NameQuery]) -> Vec<String> {
    let mut names: Vec<String> = answers
        .iter()
        .filter(|query| query.cnames.is_empty())
        .filter_map(|query| match &query.answer {
            NameAnswer::Records(records) => Some(records),
            NameAnswer::Addresses(_)
            | NameAnswer::NoData
            | NameAnswer::NxDomain
            | NameAnswer::Blind(_) => None,
        })
        .flatten()
        .map(|name| name.trim_end_matches('.').to_ascii_lowercase())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Finds a server's addresses.
async fn resolve<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: String,
) -> Server {
    let timeout = target.pace.timeout;
    let ask = |family| {
        let record = Record::of(family);
        names.shared(course, &name, record, Asking::First, timeout)
    };
    let (four, six) = join(ask(Family::Ipv4), ask(Family::Ipv6)).await;
    let mut addresses = Vec::new();
    for answers in [&four, &six] {
        let usable = union(answers.iter())
            .into_iter()
            .filter(|address| target.probe_non_global || is_global(*address));
        addresses.extend(usable.take(ADDRESSES));
    }
    let blind = four.iter().chain(six.iter()).find_map(|q| match q.answer {
        NameAnswer::Blind(cause) => Some(cause),
        NameAnswer::Addresses(_)
        | NameAnswer::Records(_)
        | NameAnswer::NoData
        | NameAnswer::NxDomain => None,
    });
    Server {
        name,
        addresses,
        missing: blind.unwrap_or(Blind::ServerLame),
    }
}

/// Asks one server at each of its addresses.
async fn ask_server<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: &str,
    record: Record,
    server: &Server,
) -> Vec<NameQuery> {
    if server.addresses.is_empty() {
        return vec![NameQuery {
            resolver: "(no address)".to_owned(),
            authority: Some(server.name.clone()),
            record: record.to_string(),
            family: record.family(),
            answer: NameAnswer::Blind(server.missing),
            cnames: Vec::new(),
            took_ms: 0,
        }];
    }
    let timeout = target.pace.timeout;
    let question = Question {
        name,
        record,
        authority: Some(&server.name),
    };
    let all = server.addresses.iter().map(|address| async move {
        let address = SocketAddr::new(*address, PORT);
        names.authority(course, address, &question, timeout).await
    });
    join_all(all).await
}

/// What all of these together say: whatever any of them found, else what kept one from looking, else
/// that there is nothing.
fn together(answers: &[NameQuery]) -> NameAnswer {
    let addresses = union(answers);
    if !addresses.is_empty() {
        return NameAnswer::Addresses(addresses);
    }
    let first = |wanted: fn(&NameAnswer) -> bool| {
        let mut all = answers.iter().map(|query| &query.answer);
        all.find(|answer| wanted(answer)).cloned()
    };
    first(|answer| matches!(answer, NameAnswer::Records(_)))
        .or_else(|| first(|answer| matches!(answer, NameAnswer::Blind(_))))
        .or_else(|| first(|answer| matches!(answer, NameAnswer::NoData)))
        .or_else(|| first(|answer| matches!(answer, NameAnswer::NxDomain)))
        .unwrap_or(NameAnswer::Blind(Blind::ResolverError))
}
