//! Asking every resolver, and whether the resolvers can be believed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::{OnceCell, Semaphore};

use super::schedule::Course;
use super::world::World;
use crate::domain::endpoint::Family;
use crate::domain::finding::{NameAnswer, NameQuery};
use crate::domain::observation::Blind;
use crate::domain::report::ResolverReport;

/// How many questions are under way at once.
const IN_FLIGHT: usize = 128;

type Answers = Rc<OnceCell<Rc<[NameQuery]>>>;

/// The resolvers of a round.
pub(crate) struct Names {
    /// None where the system's own could not be read.
    resolvers: Vec<SocketAddr>,
    invents: RefCell<Vec<bool>>,
    cache: RefCell<HashMap<(String, Family), Answers>>,
    in_flight: Semaphore,
}

impl Names {
    pub(crate) fn new(resolvers: Vec<SocketAddr>) -> Self {
        Self {
            invents: RefCell::new(vec![false; resolvers.len()]),
            resolvers,
            cache: RefCell::new(HashMap::new()),
            in_flight: Semaphore::new(IN_FLIGHT),
        }
    }

    /// What every resolver says about a name, asked once a round: the targets of one host share it.
    pub(crate) async fn shared<W: World>(
        &self,
        course: &Course<'_, W>,
        name: &str,
        family: Family,
        timeout: Duration,
    ) -> Rc<[NameQuery]> {
        let cell = self
            .cache
            .borrow_mut()
            .entry((name.to_owned(), family))
            .or_default()
            .clone();
        cell.get_or_init(|| async { self.ask(course, name, family, timeout).await.into() })
            .await
            .clone()
    }

    /// What every resolver says about a name, asked now.
    pub(crate) async fn ask<W: World>(
        &self,
        course: &Course<'_, W>,
        name: &str,
        family: Family,
        timeout: Duration,
    ) -> Vec<NameQuery> {
        if self.resolvers.is_empty() {
            return vec![blind("system".to_owned(), family, Blind::ResolverError)];
        }
        join_all(self.resolvers.iter().map(|resolver| async {
            let work = async {
                let _permit = self.in_flight.acquire().await;
                course.world.lookup(*resolver, name, family, timeout).await
            };
            course
                .stop
                .or(work)
                .await
                .unwrap_or_else(|| blind(resolver.to_string(), family, Blind::Interrupted))
        }))
        .await
    }

    /// Asks every resolver for random names that cannot exist, and remembers those that give one an
    /// address.
    ///
    /// Under `.invalid` (RFC 6761 section 6.4) many resolvers answer truly by themselves and lie
    /// about the rest; nobody treats `.example` (section 6.5) in a special way, and the root has no
    /// such zone either.
    pub(crate) async fn check_honesty<W: World>(&self, course: &Course<'_, W>, timeout: Duration) {
        let names = impossible_names();
        let questions = names
            .iter()
            .flat_map(|name| Family::ALL.map(|family| (name, family)))
            .map(|(name, family)| self.ask(course, name, family, timeout));
        let all = join_all(questions).await;
        let mut invents = self.invents.borrow_mut();
        for answers in all {
            for (query, invents) in answers.iter().zip(invents.iter_mut()) {
                *invents |= matches!(query.answer, NameAnswer::Addresses(_));
            }
        }
    }

    /// Whether any resolver was seen to give an address to a name that cannot exist.
    pub(crate) fn invented(&self) -> bool {
        self.invents.borrow().contains(&true)
    }

    /// The resolvers as the report shows them.
    pub(crate) fn reports(&self) -> Vec<ResolverReport> {
        self.resolvers
            .iter()
            .zip(self.invents.borrow().iter())
            .map(|(resolver, invents)| ResolverReport {
                resolver: resolver.to_string(),
                invents: *invents,
            })
            .collect()
    }
}

fn blind(resolver: String, family: Family, cause: Blind) -> NameQuery {
    NameQuery {
        resolver,
        family,
        answer: NameAnswer::Blind(cause),
        cnames: Vec::new(),
        took_ms: 0,
    }
}

/// Names that nobody can have prepared an answer for.
fn impossible_names() -> [String; 2] {
    // The standard library's hash keys are random for every process and every call.
    let random = std::hash::RandomState::new().build_hasher().finish();
    ["invalid", "example"].map(|zone| format!("noentry-{random:016x}.{zone}"))
}

/// All addresses that any resolver gave, sorted and without doubles.
pub(crate) fn union(answers: &[NameQuery]) -> Vec<IpAddr> {
    let mut all: Vec<IpAddr> = answers
        .iter()
        .filter_map(|query| match &query.answer {
            NameAnswer::Addresses(addresses) => Some(addresses),
            NameAnswer::NoData | NameAnswer::NxDomain | NameAnswer::Blind(_) => None,
        })
        .flatten()
        .copied()
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}
