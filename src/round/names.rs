//! Asking every resolver, and whether the resolvers can be believed.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{OnceCell, Semaphore};

use super::schedule::Course;
use super::world::World;
use crate::domain::endpoint::Family;
use crate::domain::finding::{NameAnswer, NameQuery};
use crate::domain::observation::Blind;
use crate::domain::record::Record;
use crate::domain::report::ResolverReport;
use crate::probe::dns::Question;

/// How many questions of targets are under way at once.
const IN_FLIGHT: usize = 256;

/// A name of the root zone's own servers, which has had an IPv6 address since 2008. A resolver that
/// knows its IPv4 address and no other filters IPv6.
const WITH_BOTH: &str = "a.root-servers.net";

/// Its IPv4 address, which every resolver has written down (the root hints; RFC 9609). One that gives
/// another sends whoever asks to a place of its own, as a captive portal does, although it may be honest
/// about names that cannot exist.
const ITS_IPV4: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 41, 0, 4));

type Answers = Rc<OnceCell<Rc<[NameQuery]>>>;

/// Which of the times a target's name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Asking {
    /// Before its endpoints are tried.
    First,
    /// After, for answers that change.
    Again,
    /// Once more, where the second time brought no answer.
    OnceMore,
}

/// One resolver, and what was found out about it.
#[derive(Clone)]
struct Resolver {
    address: SocketAddr,
    /// Gives addresses to names that cannot exist.
    invents: Cell<bool>,
    /// Withholds IPv6 addresses.
    filters: Cell<bool>,
    /// Was asked for names that say nothing about the targets.
    tested: Cell<bool>,
    /// Has answered anything at all so far, were it an error.
    answered: Cell<bool>,
}

/// The resolvers of a round.
pub(crate) struct Names {
    /// None where the system's own could not be read.
    resolvers: Vec<Resolver>,
    cache: RefCell<HashMap<(String, Record, Asking), Answers>>,
    in_flight: Semaphore,
    /// For names that nobody made: one for the whole round, so that the targets of one zone share it.
    random: u64,
}

impl Names {
    pub(crate) fn new(resolvers: Vec<SocketAddr>) -> Self {
        Self {
            resolvers: resolvers
                .into_iter()
                .map(|address| Resolver {
                    address,
                    invents: Cell::new(false),
                    filters: Cell::new(false),
                    tested: Cell::new(false),
                    answered: Cell::new(false),
                })
                .collect(),
            cache: RefCell::new(HashMap::new()),
            in_flight: Semaphore::new(IN_FLIGHT),
            random: random(),
        }
    }

    /// The same resolvers, with what is known of them, and no answers: what is asked for now is asked
    /// again.
    pub(crate) fn afresh(&self) -> Self {
        Self {
            resolvers: self.resolvers.clone(),
            cache: RefCell::default(),
            in_flight: Semaphore::new(IN_FLIGHT),
            random: self.random,
        }
    }

    /// What every resolver says about a name, asked once a round and asking: the targets of one host
    /// share it.
    ///
    /// A resolver that answered nothing at all when the round began is not asked for every name again:
    /// ten thousand names would wait for it in vain.
    pub(crate) async fn shared<W: World>(
        &self,
        course: &Course<'_, W>,
        name: &str,
        record: Record,
        asking: Asking,
        timeout: Duration,
    ) -> Rc<[NameQuery]> {
        let cell = self
            .cache
            .borrow_mut()
            .entry((name.to_owned(), record, asking))
            .or_default()
            .clone();
        cell.get_or_init(|| async {
            let all = self.resolvers.iter().map(|resolver| async move {
                if resolver.tested.get() && !resolver.answered.get() {
                    return blind(resolver, record, Blind::ResolverTimeout);
                }
                let _permit = course.stop.or(self.in_flight.acquire()).await;
                ask_one(course, resolver, name, record, timeout).await
            });
            self.or_none(record, join_all(all).await).into()
        })
        .await
        .clone()
    }

    /// Asks one of a zone's own servers.
    pub(crate) async fn authority<W: World>(
        &self,
        course: &Course<'_, W>,
        server: SocketAddr,
        question: &Question<'_>,
        timeout: Duration,
    ) -> NameQuery {
        let asking = async {
            let _permit = self.in_flight.acquire().await;
            course.world.lookup(server, question, timeout).await
        };
        course.stop.or(asking).await.unwrap_or_else(|| NameQuery {
            resolver: server.to_string(),
            authority: question.authority.map(str::to_owned),
            record: question.record.to_string(),
            family: question.record.family(),
            answer: NameAnswer::Blind(Blind::Interrupted),
            cnames: Vec::new(),
            took_ms: 0,
        })
    }

    /// What every resolver says about a name, asked now, before all that waits.
    pub(crate) async fn ask<W: World>(
        &self,
        course: &Course<'_, W>,
        name: &str,
        record: Record,
        timeout: Duration,
    ) -> Vec<NameQuery> {
        let all = self
            .resolvers
            .iter()
            .map(|resolver| ask_one(course, resolver, name, record, timeout));
        self.or_none(record, join_all(all).await)
    }

    /// Where the system's resolvers could not be read, nobody could be asked.
    fn or_none(&self, record: Record, mut answers: Vec<NameQuery>) -> Vec<NameQuery> {
        if self.resolvers.is_empty() {
            answers.push(NameQuery {
                resolver: "system".to_owned(),
                authority: None,
                record: record.to_string(),
                family: record.family(),
                answer: NameAnswer::Blind(Blind::ResolverError),
                cnames: Vec::new(),
                took_ms: 0,
            });
        }
        answers
    }

    /// Finds out which resolvers cannot be believed.
    ///
    /// Random names that cannot exist show who invents answers. Under `.invalid` (RFC 6761 section
    /// 6.4) many resolvers answer truly by themselves and lie about the rest; nobody treats `.example`
    /// (section 6.5) in a special way, and the root has no such zone either.
    pub(crate) async fn check_honesty<W: World>(&self, course: &Course<'_, W>, timeout: Duration) {
        let impossible = impossible_names();
        let names = impossible.iter().map(String::as_str).chain([WITH_BOTH]);
        let questions: Vec<(&str, Family)> = names
            .flat_map(|name| Family::ALL.map(|family| (name, family)))
            .collect();
        let all = self.resolvers.iter().map(|resolver| {
            let questions = &questions;
            async move {
                let asked = questions.iter().map(|(name, family)| async move {
                    let record = Record::of(*family);
                    let seen = ask_one(course, resolver, name, record, timeout).await;
                    (*name, *family, seen.answer)
                });
                resolver.learn(&join_all(asked).await);
            }
        });
        join_all(all).await;
    }

    /// A name beside this one that nobody made; none directly below the root or a top-level domain,
    /// where it would say nothing about the target's own zone.
    pub(crate) fn sibling(&self, name: &str) -> Option<String> {
        let (_, parent) = name.split_once('.')?;
        let inside = parent.contains('.');
        let sibling = format!("noentry-{:016x}.{parent}", self.random);
        // RFC 1035 section 2.3.4, and the root's own label.
        (inside && sibling.len() <= 253).then_some(sibling)
    }

    /// Whether some resolver that does not invent answers gave one here: an address, a record, or an
    /// alias at least.
    pub(crate) fn answered(&self, queries: &[NameQuery]) -> bool {
        queries.iter().any(|query| {
            let invents = |r: &Resolver| r.invents.get() && r.address.to_string() == query.resolver;
            let found = match query.answer {
                NameAnswer::Addresses(_) | NameAnswer::Records(_) => true,
                NameAnswer::NoData | NameAnswer::NxDomain => !query.cnames.is_empty(),
                NameAnswer::Blind(_) => false,
            };
            found && !self.resolvers.iter().any(invents)
        })
    }

    /// Whether any resolver was seen to give an address to a name that cannot exist.
    pub(crate) fn invented(&self) -> bool {
        self.resolvers.iter().any(|resolver| resolver.invents.get())
    }

    /// The resolvers as the report shows them.
    pub(crate) fn reports(&self) -> Vec<ResolverReport> {
        self.resolvers
            .iter()
            .map(|resolver| ResolverReport {
                resolver: resolver.address.to_string(),
                invents: resolver.invents.get(),
            })
            .collect()
    }
}

impl Resolver {
    /// Draws the conclusions from the answers to [`Names::check_honesty`]'s questions. What was seen
    /// once stands.
    fn learn(&self, answers: &[(&str, Family, NameAnswer)]) {
        let about_both = |wanted: Family| {
            answers
                .iter()
                .find(|(name, family, _)| *name == WITH_BOTH && *family == wanted)
                .map(|(_, _, answer)| answer)
        };
        let has = |answer: Option<&NameAnswer>| matches!(answer, Some(NameAnswer::Addresses(_)));
        let lacks = |answer: Option<&NameAnswer>| {
            matches!(answer, Some(NameAnswer::NoData | NameAnswer::NxDomain))
        };
        let invents = answers.iter().any(|(name, _, answer)| {
            *name != WITH_BOTH && matches!(answer, NameAnswer::Addresses(_))
        });
        let elsewhere = about_both(Family::Ipv4).is_some_and(|answer| {
            let mut addresses = answer.addresses().iter();
            has(Some(answer)) && !addresses.any(|address| *address == ITS_IPV4)
        });
        let filters = has(about_both(Family::Ipv4)) && lacks(about_both(Family::Ipv6));
        self.invents.set(self.invents.get() || invents || elsewhere);
        self.filters.set(self.filters.get() || filters);
        self.tested.set(true);
    }
}

async fn ask_one<W: World>(
    course: &Course<'_, W>,
    resolver: &Resolver,
    name: &str,
    record: Record,
    timeout: Duration,
) -> NameQuery {
    let question = Question {
        name,
        record,
        authority: None,
    };
    let lookup = course.world.lookup(resolver.address, &question, timeout);
    let Some(mut query) = course.stop.or(lookup).await else {
        return blind(resolver, record, Blind::Interrupted);
    };
    if query.answer != NameAnswer::Blind(Blind::ResolverTimeout) {
        resolver.answered.set(true);
    }
    let withholds = resolver.filters.get() && record.family() == Some(Family::Ipv6);
    if withholds && query.answer == NameAnswer::NoData {
        query.answer = NameAnswer::Blind(Blind::ResolverWithholds);
    }
    query
}

fn blind(resolver: &Resolver, record: Record, cause: Blind) -> NameQuery {
    NameQuery {
        resolver: resolver.address.to_string(),
        authority: None,
        record: record.to_string(),
        family: record.family(),
        answer: NameAnswer::Blind(cause),
        cnames: Vec::new(),
        took_ms: 0,
    }
}

/// A number that nobody can have prepared an answer for. The standard library's hash keys are random
/// for every process and every call.
fn random() -> u64 {
    std::hash::RandomState::new().build_hasher().finish()
}

/// Names that cannot exist.
fn impossible_names() -> [String; 2] {
    let random = random();
    ["invalid", "example"].map(|zone| format!("noentry-{random:016x}.{zone}"))
}

/// All addresses that any resolver gave, sorted and without doubles. An IPv4-mapped IPv6 address
/// (`::ffff:192.0.2.1`) is the IPv4 address that it leads to.
pub(crate) fn union<'q>(answers: impl IntoIterator<Item = &'q NameQuery>) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = answers
        .into_iter()
        .flat_map(|query| query.answer.addresses())
        .map(IpAddr::to_canonical)
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
