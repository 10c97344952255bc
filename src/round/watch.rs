//! One target's way: its name, its addresses, and every endpoint behind them.

use std::net::IpAddr;
use std::time::Duration;

use futures_util::future::{join, join_all};
use tokio::time::Instant;

use super::answers::{fell_silent, published, same, wants_own_word, withhold};
use super::authority;
use super::limits::Slots;
use super::names::{Asking, Names, union};
use super::schedule::{Course, Task, attempts};
use super::world::World;
use crate::domain::address::is_global;
use crate::domain::endpoint::{Endpoint, Family};
use crate::domain::finding::{NameAnswer, NameQuery, NameReport};
use crate::domain::observation::{Attempt, Blind, Observation};
use crate::domain::record::Record;
use crate::domain::target::{Authoritative, Barrier, Target, TargetKind};
use crate::domain::verdict::{Reason, Standing, Verdict, judge};
use crate::domain::way::Way;
use crate::probe::CompiledDenial;

/// How long to wait before what has lost its answer is asked once more. Resolvers remember for a second
/// or so that they failed (RFC 9520 section 3.2 has them do it).
const BREATH: Duration = Duration::from_millis(1_500);

/// What was seen of one target, not yet judged.
#[derive(Debug, Default)]
pub(crate) struct Sight {
    /// What the resolvers said; none for an address literal.
    pub(crate) name: Option<NameReport>,
    /// For a `dns` target: what the resolvers said about a name beside it that nobody made.
    pub(crate) sibling: Vec<NameQuery>,
    /// All addresses in the watched families, sorted.
    pub(crate) addresses: Vec<IpAddr>,
    /// The endpoints that were connected to.
    pub(crate) endpoints: Vec<Tried>,
}

/// One endpoint with its attempts.
#[derive(Debug)]
pub(crate) struct Tried {
    pub(crate) endpoint: Endpoint,
    /// Whether it is tried beside what the target declares.
    pub(crate) companion: bool,
    pub(crate) attempts: Vec<Attempt>,
    /// Whether all attempts were made, or one was enough.
    pub(crate) complete: bool,
    /// The way that packets to it took; none where it was another after the attempts than before.
    pub(crate) way: Option<Way>,
}

/// Looks at one target.
pub(crate) async fn watch<W: World>(
    course: &Course<'_, W>,
    slots: &Slots,
    names: &Names,
    target: &Target,
    denial: &CompiledDenial,
) -> Sight {
    if let Some(name) = target.kind.name() {
        // Boxed, so that ten thousand address literals in flight do not carry its weight.
        return Box::pin(watch_name(course, slots, names, target, name, denial)).await;
    }
    let mut sight = Sight::default();
    sight.addresses.extend(target.kind.address());
    sight.endpoints = knock(course, slots, target, denial, &sight.addresses).await;
    sight
}

/// The same where there is a name. It is asked for twice, before and after: where answers rotate, the
/// second may hold addresses that the first did not, and they are endpoints like any other. So nobody
/// knows what a second one would have held that could not be had.
async fn watch_name<W: World>(
    course: &Course<'_, W>,
    slots: &Slots,
    names: &Names,
    target: &Target,
    name: &str,
    denial: &CompiledDenial,
) -> Sight {
    let mut sight = Sight::default();
    let asked = Instant::now();
    let first = ask(course, names, target, name, Asking::First, false);
    let beside = ask_beside(course, names, target, name);
    let (queries, sibling) = join(first, beside).await;
    sight.sibling = sibling;
    sight.addresses = watched(target, &queries);
    sight.endpoints = knock(course, slots, target, denial, &sight.addresses).await;

    let pause = tokio::time::sleep_until(asked + target.pace.interval);
    let mut report = NameReport {
        name: name.to_owned(),
        queries,
    };
    let again = if course.stop.or(pause).await.is_some() {
        ask_again(course, names, target, name, &report.queries).await
    } else {
        report.queries.iter().map(interrupted).collect()
    };
    let mut new = watched(target, &again);
    new.retain(|address| !sight.addresses.contains(address));
    let more = !published(&again).is_subset(&published(&report.queries));
    let fewer = again.iter().any(|q| fell_silent(&report.queries, q));
    if !new.is_empty() || more || fewer {
        report.queries.extend(again);
        sight
            .endpoints
            .extend(knock(course, slots, target, denial, &new).await);
        sight.addresses.extend(new);
    }
    sight.name = Some(report);
    sight
}

/// Asks for the second time whom `before` holds. What brings no answer now and had one is asked once
/// more: a resolver may have been busy, or have remembered for a moment that it failed.
async fn ask_again<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: &str,
    before: &[NameQuery],
) -> Vec<NameQuery> {
    let own = before.iter().any(|query| query.authority.is_some());
    let mut again = ask(course, names, target, name, Asking::Again, own).await;
    let silent = |query: &NameQuery| fell_silent(before, query);
    if again.iter().any(silent) {
        let pause = tokio::time::sleep(BREATH);
        if course.stop.or(pause).await.is_some() {
            let mut more = ask(course, names, target, name, Asking::OnceMore, own).await;
            more.retain(|query| again.iter().any(|q| silent(q) && same(q, query)));
            again.retain(|query| !silent(query) || !more.iter().any(|m| same(m, query)));
            again.extend(more);
        }
    }
    again
}

/// The question without an answer, because the round was ended before it was asked.
fn interrupted(query: &NameQuery) -> NameQuery {
    NameQuery {
        answer: NameAnswer::Blind(Blind::Interrupted),
        cnames: Vec::new(),
        took_ms: 0,
        ..query.clone()
    }
}

/// Asks every resolver for the target's name in every watched family or, where the target names one,
/// for that type of record; and the zone's own servers where the target wishes it (or `own` does), or
/// where their word is needed.
async fn ask<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: &str,
    asking: Asking,
    own: bool,
) -> Vec<NameQuery> {
    let records = records(target);
    let resolvers = ask_resolvers(course, names, target, name, &records, asking);
    let own_servers = authority::ask(course, names, target, name, &records, asking);
    let mut queries;
    if own || target.authoritative == Authoritative::Always {
        let own;
        (queries, own) = join(resolvers, own_servers).await;
        queries.extend(own);
    } else {
        queries = resolvers.await;
        if wants_own_word(target, &queries) {
            queries.extend(own_servers.await);
        }
    }
    if !target.probe_non_global {
        withhold(&mut queries);
    }
    queries
}

/// Asks every resolver for a name beside that of a `dns` target.
async fn ask_beside<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: &str,
) -> Vec<NameQuery> {
    let wanted = matches!(target.kind, TargetKind::Dns { .. });
    let Some(sibling) = names.sibling(name).filter(|_| wanted) else {
        return Vec::new();
    };
    let records = records(target);
    ask_resolvers(course, names, target, &sibling, &records, Asking::First).await
}

async fn ask_resolvers<W: World>(
    course: &Course<'_, W>,
    names: &Names,
    target: &Target,
    name: &str,
    records: &[Record],
    asking: Asking,
) -> Vec<NameQuery> {
    let questions = records
        .iter()
        .map(|record| names.shared(course, name, *record, asking, target.pace.timeout));
    let answers = join_all(questions).await;
    answers.iter().flat_map(|all| all.iter().cloned()).collect()
}

/// The types of records that a target is about.
fn records(target: &Target) -> Vec<Record> {
    match &target.kind {
        TargetKind::Dns {
            record: Some(record),
            ..
        } => vec![*record],
        TargetKind::Url(_)
        | TargetKind::Tcp { .. }
        | TargetKind::Udp { .. }
        | TargetKind::Quic { .. }
        | TargetKind::Icmp { .. }
        | TargetKind::Dns { .. } => target.families.iter().copied().map(Record::of).collect(),
    }
}

/// The addresses in the watched families.
fn watched(target: &Target, queries: &[NameQuery]) -> Vec<IpAddr> {
    let mut addresses = union(queries);
    addresses.retain(|address| target.families.contains(&Family::of(*address)));
    addresses
}

/// Tries every address that may be connected to.
async fn knock<W: World>(
    course: &Course<'_, W>,
    slots: &Slots,
    target: &Target,
    denial: &CompiledDenial,
    addresses: &[IpAddr],
) -> Vec<Tried> {
    // A published address decides at the barrier `dns`; there is no need to knock.
    if target.barrier == Barrier::Dns {
        return Vec::new();
    }
    let tries = addresses
        .iter()
        .filter(|address| target.probe_non_global || is_global(**address))
        .flat_map(|address| places(target, *address))
        .map(|(endpoint, companion)| async move {
            let task = Task {
                endpoint,
                kind: &target.kind,
                denial,
                pace: &target.pace,
                again: true,
                enough: |seen: &Observation| is_exposure(target, companion, seen),
            };
            let before = course.world.way(endpoint);
            let (attempts, complete) = attempts(course, Some(slots), task).await;
            let after = course.world.way(endpoint);
            Tried {
                endpoint,
                companion,
                attempts,
                complete,
                // Which attempt took which of two is not known.
                way: after.filter(|after| before.as_ref() == Some(after)),
            }
        });
    join_all(tries).await
}

/// What is tried at one address, and whether beside what the target declares: an `https` URL may be
/// served over QUIC as well, where a firewall that covers TCP 443 often forgets UDP 443.
fn places(target: &Target, address: IpAddr) -> impl Iterator<Item = (Endpoint, bool)> {
    let beside = match &target.kind {
        TargetKind::Url(url) if url.https && target.http3 => Some(Endpoint::udp(address, url.port)),
        TargetKind::Url(_)
        | TargetKind::Tcp { .. }
        | TargetKind::Udp { .. }
        | TargetKind::Quic { .. }
        | TargetKind::Icmp { .. }
        | TargetKind::Dns { .. } => None,
    };
    let declared = target.kind.endpoint(address).map(|own| (own, false));
    declared.into_iter().chain(beside.map(|own| (own, true)))
}

/// Whether this observation alone makes the target exposed, whatever the controls say. A companion's
/// stop never does: a later attempt may still get in.
fn is_exposure(target: &Target, companion: bool, seen: &Observation) -> bool {
    let judgement = judge(
        target.barrier,
        &target.denial,
        seen.outcome,
        seen.caveat().map(Into::into),
        &Standing::Absent,
        None,
    );
    let past = !companion || judgement.reason == Reason::PastBarrier;
    judgement.verdict == Verdict::Exposed && past
}
