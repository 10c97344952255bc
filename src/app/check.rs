//! `noentry check`: from a configuration to verdicts and reports.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::output::{self, warn};
use super::publish;
use super::refused::Refused;
use super::trail::Occasion;
use crate::actions::{self, Env};
use crate::cli::{CheckArgs, ConfigArgs};
use crate::config::{self, Overrides};
use crate::domain::report::{RoundReport, Vantage};
use crate::domain::target::{Control, ControlOrigin, Host, Pace, Plan, TargetKind};
use crate::domain::trail::Links;
use crate::exit::Exit;
use crate::round::{self, Standpoint, stop};

/// What a shell says of a program that an interrupt ended: nothing was reported, nothing is known.
const ENDED_AT_ONCE: i32 = 130;

/// Where a check runs, and so what it may rely on and whom it tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surroundings {
    /// The user's own: GitHub Actions is noticed, told, and its API host is a control.
    Real,
    /// The demo: nobody outside is asked or told.
    Demo,
}

/// Runs the command.
pub(super) async fn run(args: &CheckArgs) -> Exit {
    match round(args, Surroundings::Real).await {
        Ok((_, exit)) => exit,
        Err(refused) => refused.shown(),
    }
}

/// Reads, looks, judges and reports.
///
/// # Errors
/// If there was nothing to look at. It is the caller's to say why.
pub(super) async fn round(
    args: &CheckArgs,
    surroundings: Surroundings,
) -> Result<(RoundReport, Exit), Refused> {
    let env = Env::from(|key| std::env::var(key).ok());
    // The demo shows nobody's doors but its own, so it withholds nothing either.
    let env = match surroundings {
        Surroundings::Real => Some(&env),
        Surroundings::Demo => None,
    };
    let overrides = Overrides {
        timeout: args.timeout,
        attempts: args.attempts,
        concurrency: args.concurrency,
        per_host: args.per_host,
        rate: args.rate,
        targets: args.targets.clone(),
    };
    let found = config::find(args.config.config.as_deref());
    let config: Vec<&Path> = found.iter().map(PathBuf::as_path).collect();
    if let Some(clash) = output::clashes(&args.outputs, &config) {
        return Err(Refused::Said(clash));
    }
    // Whatever goes wrong from here on, no old report may pass for this round's.
    output::forget(&args.outputs);
    let mut plan = read(found, &args.config, &overrides)?;
    if let Some(env) = env.filter(|env| env.on_actions) {
        plan.controls.extend(github_control(env));
    }
    let declared = plan.targets.len();
    if let Some(shard) = args.shard {
        plan.targets.retain(|target| shard.holds(&target.name));
    }
    let standpoint = standpoint(env);
    let (stopper, stop) = stop::pair();
    let signals = tokio::spawn(until_told_to_stop(stopper));
    let bar = Arc::new(progress_bar(plan.targets.len()));
    let shown = Arc::clone(&bar);
    let last = Cell::new(0);
    let progress = move |done: usize| {
        let more = done.saturating_sub(last.replace(done));
        shown.inc(u64::try_from(more).unwrap_or_default());
    };
    let report = round::run(&plan, standpoint, &stop, &progress).await;
    bar.finish_and_clear();
    signals.abort();
    let report = match report {
        Ok(report) => RoundReport {
            partial: !args.targets.is_empty() || args.shard.is_some(),
            shard: args.shard,
            declared: args.shard.map(|_| declared),
            vantage: Vantage {
                label: args.vantage.clone(),
                ..report.vantage
            },
            links: links(env, &plan.config),
            ..report
        },
        Err(error) => {
            return Err(Refused::Said(format!("cannot look at anything: {error}")));
        }
    };
    let reported =
        publish::report(&report, &args.outputs, &args.incidents, Occasion::Live, env).await;
    if nothing_probed(&report) && !report.interrupted && !report.is_empty_shard() {
        warn(
            "nothing was probed: no target led to an attempt or a question to a resolver. \
             Addresses that are not globally routable are left alone; probe_non_global: true \
             changes that",
        );
        return Ok((report, Exit::Usage));
    }
    let exit = Exit::of(report.verdict);
    let exit = if reported { exit } else { exit.unreported() };
    Ok((report, exit))
}

/// Finds and reads the configuration; says what is wrong with it and gives `None`.
pub(super) fn plan(args: &ConfigArgs, overrides: &Overrides) -> Option<Plan> {
    read(config::find(args.config.as_deref()), args, overrides)
        .inspect_err(|refused| {
            refused.shown();
        })
        .ok()
}

fn read(
    found: Result<PathBuf, config::Problems>,
    args: &ConfigArgs,
    overrides: &Overrides,
) -> Result<Plan, Refused> {
    let vars = args.vars.iter().cloned().collect();
    found
        .and_then(|path| load(&path, &vars, overrides))
        .map_err(Refused::Config)
}

fn load(
    path: &Path,
    vars: &std::collections::BTreeMap<String, String>,
    overrides: &Overrides,
) -> Result<Plan, config::Problems> {
    config::resolve(&config::load(path, vars)?, overrides)
}

/// The API host that GitHub Actions names. The runner could not have fetched its job without it, so
/// it is known to be reachable from there.
fn github_control(env: &Env) -> Option<Control> {
    let url = url::Url::parse(env.api_url.as_deref()?).ok()?;
    let host = match url.host()? {
        url::Host::Domain(name) => Host::Name(name.to_owned()),
        url::Host::Ipv4(address) => Host::Address(address.into()),
        url::Host::Ipv6(address) => Host::Address(address.into()),
    };
    Some(Control {
        every_port: false,
        kind: TargetKind::Tcp {
            host,
            port: url.port_or_known_default()?,
            banner: false,
        },
        origin: ControlOrigin::GithubApi,
        pace: Pace::default(),
        // An Enterprise Server may well stand on a private address.
        probe_non_global: true,
        position: None,
    })
}

fn standpoint(env: Option<&Env>) -> Standpoint {
    let runner = env.filter(|env| env.on_actions);
    Standpoint {
        environment: runner
            .and_then(|env| env.runner_environment.clone())
            .unwrap_or_else(|| "local".to_owned()),
        name: runner.and_then(|env| env.runner_name.clone()),
    }
}

/// Where to read more, on GitHub Actions. What came by standard input stands in no repository.
fn links(env: Option<&Env>, config: &str) -> Links {
    let env = env.filter(|env| env.on_actions);
    let mut links = env.map_or_else(Links::default, |env| actions::links(env, config));
    links.config = links.config.filter(|_| config != config::STDIN);
    links
}

/// Every finding without a single attempt, and no resolver asked: the round says nothing.
fn nothing_probed(report: &RoundReport) -> bool {
    report.totals.attempts == 0 && report.findings.iter().all(|finding| finding.name.is_none())
}

fn progress_bar(targets: usize) -> ProgressBar {
    if !output::progress_is_seen() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(u64::try_from(targets).unwrap_or(u64::MAX));
    if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} targets {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// Says stop at the first signal and ends at once at the second.
async fn until_told_to_stop(stopper: stop::Stopper) {
    if signal().await.is_err() {
        // No signals to be had on this system: the round goes on to its own end.
        std::future::pending::<()>().await;
    }
    warn("stopping; what was found so far will be reported (again to end at once)");
    stopper.stop();
    if signal().await.is_ok() {
        std::process::exit(ENDED_AT_ONCE);
    }
}

async fn signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    {
        tokio::signal::ctrl_c().await
    }
}
