//! What was said about a target's name, and by whom.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::phrase::{Phrase, count};
use crate::domain::finding::{Finding, NameAnswer, NameQuery, NameReport};
use crate::domain::observation::Blind;

/// How many addresses, records, aliases or servers are shown.
const MANY: usize = 6;

/// How many of those are named in a headline.
const FEW: usize = 3;

/// What was said about the name, with the addresses that are wanted: `name does not exist`,
/// `name leads to 20.1.2.3`, `name publishes TXT "v=spf1 -all"`.
#[must_use]
pub fn name(finding: &Finding, wanted: impl Fn(IpAddr) -> bool) -> Phrase {
    let mut addresses = Vec::new();
    let mut records: Vec<String> = Vec::new();
    let (mut nxdomain, mut other) = (0_usize, 0_usize);
    for query in queries(finding) {
        match &query.answer {
            NameAnswer::Addresses(found) => {
                addresses.extend(found.iter().copied().filter(|address| wanted(*address)));
            }
            NameAnswer::Records(found) => records.extend(found.iter().cloned()),
            NameAnswer::NxDomain => nxdomain += 1,
            NameAnswer::NoData | NameAnswer::Blind(_) => other += 1,
        }
    }
    addresses.sort_unstable();
    addresses.dedup();
    records.sort_unstable();
    records.dedup();
    if !addresses.is_empty() {
        Phrase::new("name leads to ").values(&addresses, MANY)
    } else if !records.is_empty() {
        let phrase = match record(finding) {
            Some(record) => Phrase::new("name publishes ").value(record).say(" "),
            None => Phrase::new("name publishes "),
        };
        quotes(phrase, &records)
    } else if nxdomain > 0 && other == 0 {
        Phrase::new("name does not exist")
    } else {
        match record(finding) {
            Some(record) => Phrase::new("name has no ").value(record).say(" record"),
            None => Phrase::new("name has no address"),
        }
    }
}

fn queries(finding: &Finding) -> impl Iterator<Item = &NameQuery> {
    finding.name.iter().flat_map(|name| &name.queries)
}

/// The type of record that was asked for, where it is not the addresses.
#[must_use]
pub fn record(finding: &Finding) -> Option<&str> {
    let mut records = queries(finding).filter(|query| query.family.is_none());
    records.next().map(|query| query.record.as_str())
}

/// On whose word that rests: `2 resolvers agree`, `2 resolvers and 1 server of the zone agree`, or only
/// `2 resolvers asked` where their answers differ.
#[must_use]
pub fn agreement(finding: &Finding) -> String {
    let mut answers: BTreeMap<&str, Vec<(&str, NameAnswer)>> = BTreeMap::new();
    let (mut resolvers, mut servers) = (BTreeSet::new(), BTreeSet::new());
    for query in queries(finding) {
        // Of a server that could not be asked at one of its addresses, another one speaks.
        if query.authority.is_some() && matches!(query.answer, NameAnswer::Blind(_)) {
            continue;
        }
        let mut answer = query.answer.clone();
        match &mut answer {
            // Servers turn them round.
            NameAnswer::Addresses(addresses) => {
                addresses.sort_unstable();
                addresses.dedup();
            }
            NameAnswer::Records(records) => {
                records.sort_unstable();
                records.dedup();
            }
            NameAnswer::NoData | NameAnswer::NxDomain | NameAnswer::Blind(_) => {}
        }
        match &query.authority {
            Some(authority) => servers.insert(authority.as_str()),
            None => resolvers.insert(query.resolver.as_str()),
        };
        let own = answers.entry(&query.resolver).or_default();
        own.push((query.record.as_str(), answer));
    }
    for own in answers.values_mut() {
        own.sort_by_key(|(record, _)| *record);
    }
    let mut all = answers.values();
    let first = all.next();
    let agree = all.all(|own| Some(own) == first);
    let word = match answers.len() {
        0 | 1 => "asked",
        _ if agree => "agree",
        _ => "asked",
    };
    // Nobody asked at all cannot be, and one resolver is the least that there is.
    let resolvers = count(resolvers.len().max(1), "resolver");
    match servers.len() {
        0 => format!("{resolvers} {word}"),
        1 => format!("{resolvers} and 1 server of the zone {word}"),
        many => format!("{resolvers} and {many} servers of the zone {word}"),
    }
}

/// Who said what, where the name decides or could not be found, and the aliases on the way.
#[must_use]
pub fn lines(finding: &Finding) -> Vec<Phrase> {
    let Some(report) = finding.name.as_ref() else {
        return Vec::new();
    };
    let mut lines = Vec::new();
    if !finding.name_verdicts.is_empty() {
        lines.extend(said(report));
    }
    let mut chains: Vec<&[String]> = Vec::new();
    for query in &report.queries {
        let chain = query.cnames.as_slice();
        if !chain.is_empty() && !chains.contains(&chain) {
            chains.push(chain);
        }
    }
    let chains = chains.into_iter().take(MANY);
    lines.extend(chains.map(|chain| Phrase::new("alias of ").values(chain, MANY)));
    lines
}

/// Who gave no answer that counts, for this reason: ` (1.1.1.1:53)`, ` (the zone's own ns1.example.com
/// (192.0.2.53:53))`. Empty where nobody is known to.
#[must_use]
pub fn silent(finding: &Finding, cause: Blind) -> Phrase {
    let answer = NameAnswer::Blind(cause);
    let who = |own: bool| -> Vec<String> {
        let all = queries(finding).filter(|q| q.answer == answer && q.authority.is_some() == own);
        distinct(all)
    };
    let (resolvers, servers) = (who(false), who(true));
    let mut phrase = Phrase::default();
    if !resolvers.is_empty() {
        phrase = phrase.values(&resolvers, FEW);
    }
    if !servers.is_empty() {
        let comma = if phrase.is_empty() { "" } else { ", " };
        phrase = phrase
            .say(comma)
            .say("the zone's own ")
            .values(&servers, FEW);
    }
    if phrase.is_empty() {
        return phrase;
    }
    Phrase::new(" (").join(phrase).say(")")
}

/// On whose word an address stands that no server of the zone gives: `, on the word of 1.1.1.1:53`.
#[must_use]
pub fn on_the_word_of(finding: &Finding, address: IpAddr) -> Phrase {
    let gave = |query: &&NameQuery| {
        let mut all = query.answer.addresses().iter();
        query.authority.is_none() && all.any(|given| given.to_canonical() == address)
    };
    let who = distinct(queries(finding).filter(gave));
    if who.is_empty() {
        return Phrase::default();
    }
    Phrase::new(", on the word of ").values(&who, FEW)
}

/// Who was asked, each once.
fn distinct<'a>(queries: impl Iterator<Item = &'a NameQuery>) -> Vec<String> {
    let mut all: Vec<String> = queries.map(asked).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// `1.1.1.1:53`, `ns1.example.com (192.0.2.53:53)`, `ns1.example.com (no address)`; or `servers
/// (unknown)`, where the zone was not found.
fn asked(query: &NameQuery) -> String {
    match query.authority.as_deref() {
        Some("(unknown)") => "servers (unknown)".to_owned(),
        Some(authority) if query.resolver.starts_with('(') => {
            format!("{authority} {}", query.resolver)
        }
        Some(authority) => format!("{authority} ({})", query.resolver),
        None => query.resolver.clone(),
    }
}

/// The alias that leads to nothing, if one does.
#[must_use]
pub fn dangling(finding: &Finding) -> Option<&str> {
    let mut gone = queries(finding).filter(|query| match query.answer {
        NameAnswer::NxDomain | NameAnswer::NoData => true,
        NameAnswer::Addresses(_) | NameAnswer::Records(_) | NameAnswer::Blind(_) => false,
    });
    gone.find_map(|query| query.cnames.last().map(String::as_str))
}

/// Those who gave the same answer.
struct Same<'a> {
    answer: &'a NameAnswer,
    authority: bool,
    by: Vec<String>,
    records: BTreeSet<&'a str>,
}

/// One line for each different answer: `1.1.1.1:53, 8.8.8.8:53: name does not exist`,
/// `the zone's own ns1.example.com (192.0.2.53:53): no TXT record`.
fn said(report: &NameReport) -> Vec<Phrase> {
    let mut answers: Vec<Same<'_>> = Vec::new();
    for query in &report.queries {
        let by = asked(query);
        let authority = query.authority.is_some();
        let known = answers
            .iter_mut()
            .find(|same| *same.answer == query.answer && same.authority == authority);
        if let Some(same) = known {
            if !same.by.contains(&by) {
                same.by.push(by);
            }
            same.records.insert(&query.record);
        } else {
            answers.push(Same {
                answer: &query.answer,
                authority,
                by: vec![by],
                records: BTreeSet::from([query.record.as_str()]),
            });
        }
    }
    let several = answers.len() > 1;
    answers.iter().map(|same| line(same, several)).collect()
}

fn line(same: &Same<'_>, several: bool) -> Phrase {
    let mut phrase = Phrase::new(if same.authority {
        "the zone's own "
    } else {
        ""
    });
    phrase = phrase.values(&same.by, MANY);
    let records: Vec<&str> = same.records.iter().copied().collect();
    if several {
        phrase = phrase.say(" on ");
        for (index, record) in records.iter().enumerate() {
            if index > 0 {
                phrase = phrase.say(" and ");
            }
            phrase = phrase.value(record);
        }
    }
    phrase = phrase.say(": ");
    match same.answer {
        NameAnswer::Addresses(addresses) => phrase.values(addresses, MANY),
        NameAnswer::Records(records) => quotes(phrase, records),
        NameAnswer::NoData if records.iter().all(|r| matches!(*r, "A" | "AAAA")) => {
            phrase.say("no address")
        }
        NameAnswer::NoData => phrase.say("no such record"),
        NameAnswer::NxDomain => phrase.say("name does not exist"),
        NameAnswer::Blind(blind) => phrase.say(blind.to_string()),
    }
}

/// Records as quotes, for their owner chose their text.
fn quotes(mut phrase: Phrase, records: &[String]) -> Phrase {
    for (index, record) in records.iter().take(MANY).enumerate() {
        if index > 0 {
            phrase = phrase.say(", ");
        }
        phrase = phrase.quote(record);
    }
    match records.len().checked_sub(MANY) {
        Some(0) | None => phrase,
        Some(more) => phrase.say(format!(" and {more} more")),
    }
}
