//! One round: controls, probes, controls, and the verdicts that follow.
//!
//! The round owns order and time: which attempt is made when, how many at once, and which checkpoint
//! lies on either side of it. It does not know what a socket is (`probe`) nor what an outcome is worth
//! (`domain::verdict`).

mod answers;
mod assemble;
mod authority;
mod basis;
mod confirm;
mod control;
mod coverage;
mod doubt;
mod egress;
mod late;
mod limits;
mod names;
mod outside;
mod pace;
mod ports;
mod schedule;
mod set;
pub mod stop;
#[cfg(test)]
pub(crate) mod tests;
mod trial;
mod watch;
mod world;

use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;
use time::OffsetDateTime;
use tokio::time::Instant;

use crate::domain::finding::Finding;
use crate::domain::report::{REPORT_VERSION, RoundReport, Totals, Vantage};
use crate::domain::target::{Plan, Resolvers};
use crate::domain::trail::Links;
use crate::domain::way::Assumption;
use crate::probe::{self, CompiledDenial};
use basis::Basis;
use control::Controls;
pub use limits::{FEWEST_FILES, raise_open_files};
use names::Names;
use ports::Ports;
use schedule::Course;
use set::Means;
use stop::Stop;
use world::{Network, World};

/// The most that a control may take once the round was told to stop.
const HURRY: Duration = Duration::from_secs(2);

/// How long a resolver has to answer for a name that cannot exist.
const HONESTY: Duration = Duration::from_secs(4);

/// Where the round looks from, as far as the caller knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standpoint {
    /// `github-hosted`, `self-hosted` or `local`.
    pub environment: String,
    /// The runner's name, if it has one.
    pub name: Option<String>,
}

/// Why a round could not even begin. Both are noentry's own fault: the configuration was checked.
#[derive(Debug, Error)]
pub enum RoundError {
    /// The probes could not be set up.
    #[error(transparent)]
    Probe(#[from] probe::ContextError),
    /// A target's denial cannot be used.
    #[error("target {target}: {source}")]
    Denial {
        /// The target's name.
        target: String,
        /// What is wrong with it.
        source: probe::DenialError,
    },
}

/// Runs one round over all targets of the plan.
///
/// `progress` is called with the number of targets looked at so far. When `stop` is said, what was
/// found is still judged and everything else is inconclusive.
///
/// # Errors
/// Where the probes cannot be set up at all, or a target's denial cannot be compared with anything.
pub async fn run(
    plan: &Plan,
    standpoint: Standpoint,
    stop: &Stop,
    progress: &dyn Fn(usize),
) -> Result<RoundReport, RoundError> {
    let network = Network::new(probe::Context::new()?);
    let resolvers = match &plan.resolvers {
        Resolvers::Listed(listed) => listed.clone(),
        // Without resolvers every name is inconclusive; address literals still have their round.
        Resolvers::System => probe::dns::system_resolvers().unwrap_or_default(),
    };
    round(&network, plan, resolvers, standpoint, stop, progress).await
}

async fn round<W: World>(
    world: &W,
    plan: &Plan,
    resolvers: Vec<SocketAddr>,
    standpoint: Standpoint,
    stop: &Stop,
    progress: &dyn Fn(usize),
) -> Result<RoundReport, RoundError> {
    let denials = denials(plan)?;
    let started = OffsetDateTime::now_utc();
    let course = Course {
        world,
        started: Instant::now(),
        stop,
    };
    let names = Names::new(resolvers);
    let seed = fastrand::u64(..);
    let means = Means::new(&course, plan, &denials, seed);
    let mut controls = Controls::of(plan);

    let drops = world.reverse_path_drops();
    let first = checkpoint(&course, &mut controls, &names, plan);
    let echo = egress::ask(&course, &names, plan.vantage.egress.as_ref());
    let ((), egress) = futures_util::future::join(first, echo).await;
    let all: Vec<usize> = (0..plan.targets.len()).collect();
    let mut sights = means.set(&mut controls, &names, &all, progress).await;
    let too_fast = late::look(&means, &mut sights).await;
    checkpoint(&course, &mut controls, &names, plan).await;
    controls.move_near(&egress);

    let mut ports = Ports::default();
    controls
        .checks()
        .for_each(|checks| ports.add_checks(checks));
    for sight in &sights {
        ports.add_sight(sight);
    }
    let dropped = course.dropped_since(drops);
    let basis = Basis {
        controls: &controls,
        ports: &ports,
        unfiltered: assumption(plan, &standpoint),
        invented: names.invented(),
        dropped: dropped.unwrap_or_default(),
        too_fast,
    };
    let mut findings: Vec<_> = plan
        .targets
        .iter()
        .zip(sights)
        .enumerate()
        .map(|(index, (target, sight))| Finding {
            waiver: target.waiver.as_ref().map(|waiver| waiver.at(started)),
            ..assemble::finding(target, index, sight, &basis, &names)
        })
        .collect();
    confirm::confirm(&means, &basis, &names, &mut findings).await;
    let coverage = coverage::table(plan, &findings);
    Ok(RoundReport {
        version: REPORT_VERSION,
        noentry: env!("CARGO_PKG_VERSION").to_owned(),
        config: plan.config.clone(),
        started,
        took_ms: course.elapsed_ms(),
        seed,
        interrupted: stop.is_stopped(),
        partial: false,
        shard: None,
        declared: None,
        withheld: false,
        links: Links::default(),
        incidents: plan.incidents.clone(),
        trail: None,
        verdict: RoundReport::worst(&findings),
        totals: Totals::of(&findings),
        vantage: Vantage {
            environment: standpoint.environment,
            name: standpoint.name,
            label: None,
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            proven: controls.proven(),
            sees: controls.sees(),
            ports: ports.report(),
            unfiltered: basis.unfiltered,
            reverse_path_drops: dropped,
            egress,
            outside: basis.outside(),
        },
        resolvers: names.reports(),
        controls: controls.reports(plan),
        coverage,
        findings,
        rounds: Vec::new(),
        missing: Vec::new(),
    })
}

/// Why ports on which nothing is reached count as let out, if they do.
///
/// GitHub's standard runners are named `GitHub Actions` and a number. Larger ones, which alone can stand in
/// a network of the customer's own, have the name of their group: those count as self-hosted.
fn assumption(plan: &Plan, standpoint: &Standpoint) -> Option<Assumption> {
    let standard = standpoint
        .name
        .as_deref()
        .and_then(|name| name.strip_prefix("GitHub Actions "))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
    match plan.vantage.unfiltered {
        Some(said) => said.then_some(Assumption::Said),
        None if standpoint.environment == "github-hosted" && standard => {
            Some(Assumption::GithubHosted)
        }
        None => None,
    }
}

/// Every target's denial, ready for comparing.
fn denials(plan: &Plan) -> Result<Vec<CompiledDenial>, RoundError> {
    plan.targets
        .iter()
        .map(|target| {
            CompiledDenial::new(&target.denial.http).map_err(|source| RoundError::Denial {
                target: target.name.clone(),
                source,
            })
        })
        .collect()
}

/// Tries the controls and the honesty of the resolvers. After a stop a new, short stop applies, so
/// that what was found can still be judged.
async fn checkpoint<W: World>(
    course: &Course<'_, W>,
    controls: &mut Controls<'_>,
    names: &Names,
    plan: &Plan,
) {
    let hurry = course.stop.is_stopped();
    let (_keep, unhurried) = stop::pair();
    let course = Course {
        world: course.world,
        started: course.started,
        stop: if hurry { &unhurried } else { course.stop },
    };
    let uses_names = controls.use_names()
        || plan
            .targets
            .iter()
            .any(|target| target.kind.name().is_some());
    let patience = if hurry { HURRY } else { Duration::MAX };
    let honesty = async {
        if uses_names && !hurry {
            names.check_honesty(&course, HONESTY).await;
        }
    };
    futures_util::future::join(honesty, controls.check(&course, names, patience, patience)).await;
}
