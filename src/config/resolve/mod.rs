//! From the file to the plan: what is written, with its defaults, and with what was typed on top.
//!
//! Everything that is wrong is reported together; only an unknown version ends the reading, because
//! then nothing else in the file can be judged.

mod barrier;
mod contradiction;
mod control;
mod defaults;
mod denial;
mod github;
mod incidents;
mod kind;
mod payload;
mod printable;
mod record;
mod target;
mod vantage;
mod waiver;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use super::Loaded;
use super::field::Field;
use super::file::{self, VERSION};
use super::host;
use super::problem::{Problem, Problems, near};
use super::reader::{Reader, Spot};
use super::source::Place;
use crate::domain::target::{Plan, Resolvers, Target};
use defaults::Base;

/// What the address of a name server is.
const ADDRESS: &str = "text (the IP address of a resolver)";

/// What was typed: it beats the file, also a target's own setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// The deadline of one attempt.
    pub timeout: Option<Duration>,
    /// How many attempts an endpoint gets.
    pub attempts: Option<u32>,
    /// How many attempts are in flight at most.
    pub concurrency: Option<usize>,
    /// How many attempts are in flight at most against one address.
    pub per_host: Option<usize>,
    /// How many attempts are started a second at most.
    pub rate: Option<u32>,
    /// The names of the targets to probe; all of them if empty.
    pub targets: Vec<String>,
}

/// Makes a plan of a file.
///
/// # Errors
///
/// Everything that is wrong with the file and with what was typed: the user's to mend.
pub fn resolve(loaded: &Loaded, overrides: &Overrides) -> Result<Plan, Problems> {
    let mut reader = Reader::new(&loaded.source, loaded.problems.clone());
    let plan = plan(&mut reader, loaded, overrides);
    match (plan, Problems::of(reader.into_problems())) {
        (_, Some(problems)) => Err(problems),
        (Some(plan), None) => Ok(plan),
        // Every way to no plan leaves a problem; should one not, say so instead of a wrong plan.
        (None, None) => {
            let message = "the configuration makes no plan".to_owned();
            Err(Problem::of_file(&loaded.source.name, message).into())
        }
    }
}

fn plan(reader: &mut Reader<'_>, loaded: &Loaded, overrides: &Overrides) -> Option<Plan> {
    let root = Spot::root(&loaded.root);
    let file = reader.fit(
        &root,
        &loaded.file,
        "a mapping with `version` and `targets`",
    )?;
    if let Field::Given(version) = &file.version
        && *version != VERSION
    {
        let message = format!("version {version} of the configuration is not known");
        let help = format!("this program knows version {VERSION}");
        reader.report(root.key("version").place(), message, [help]);
        return None;
    }
    let meant = reader.unknown_keys::<file::File>(&root, |key| key.starts_with("x-"));
    version(reader, &root, &file.version, &meant);
    let base = Base::read(reader, &root.key("defaults"), &file.defaults, overrides);
    let resolvers = resolvers(reader, &root.key("resolvers"), &file.resolvers);
    let controls = control::list(reader, &root.key("controls"), &file.controls, &base);
    let mut names = BTreeMap::new();
    let mut targets = targets(reader, &root, &file.targets, &base, &meant, &mut names);
    let (incidents, everywhere) = incidents::read(reader, &root.key("incidents"), &file.incidents);
    incidents::hand_out(reader, &everywhere, &mut targets);
    let vantage = vantage::read(reader, &root.key("vantage"), &file.vantage, &base);
    let waivers = waiver::read(reader, &root.key("waivers"), &file.waivers, &names);
    contradiction::refuse(reader, &controls, &targets);
    if let Some(control) = &vantage.must_not_reach {
        let spot = root.key("vantage").key("must_not_reach");
        contradiction::refuse_shared(reader, &spot, control, &controls, &targets);
    }
    let targets = select(reader, targets, &overrides.targets);
    let mut targets: Vec<Target> = targets.into_iter().map(|(target, _)| target).collect();
    waiver::hand_out(waivers, &mut targets);
    Some(Plan {
        config: loaded.source.name.clone(),
        targets,
        controls: controls.into_iter().map(|(control, _)| control).collect(),
        resolvers,
        vantage,
        concurrency: base.concurrency,
        per_host: base.per_host,
        rate: base.rate,
        incidents,
    })
}

/// Reports a version that is missing or no number.
fn version(reader: &mut Reader<'_>, root: &Spot<'_>, field: &Field<u64>, meant: &[&str]) {
    let spot = root.key("version");
    match field {
        Field::Given(_) => {}
        Field::Absent if meant.contains(&"version") => {}
        Field::Absent => {
            let help = format!("write `version: {VERSION}` at the top");
            reader.report(root.start(), "`version` is missing", [help]);
        }
        Field::Unfit(_) => {
            reader.fit(&spot, field, &format!("the number {VERSION}"));
        }
    }
}

fn resolvers(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Vec<Field<file::Resolver>>>,
) -> Resolvers {
    let otherwise = "remove the key to ask the system's";
    match addresses(reader, spot, field, otherwise) {
        Some(addresses) => Resolvers::Listed(addresses),
        None => Resolvers::System,
    }
}

/// The addresses of name servers; none where the key is not there.
fn addresses(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Vec<Field<file::Resolver>>>,
    otherwise: &str,
) -> Option<Vec<SocketAddr>> {
    let items = reader.fit(spot, field, "a list of IP addresses")?;
    if items.is_empty() {
        let help = format!("list at least one, or {otherwise}");
        reader.report(spot.place(), format!("{} is empty", spot.what), [help]);
    }
    let addresses = items.iter().enumerate().filter_map(|(index, field)| {
        let spot = spot.item(index, &spot.what);
        reader.parsed(&spot, field, ADDRESS, host::resolver)
    });
    Some(addresses.collect())
}

fn targets(
    reader: &mut Reader<'_>,
    root: &Spot<'_>,
    field: &Field<Vec<Field<file::Target>>>,
    base: &Base,
    meant: &[&str],
    names: &mut BTreeMap<String, u32>,
) -> Vec<(Target, Place)> {
    let spot = root.key("targets");
    if matches!(field, Field::Absent) && !meant.contains(&"targets") {
        let help = "list what must not be reachable under `targets:`".to_owned();
        reader.report(root.start(), "`targets` is missing", [help]);
    }
    let Some(items) = reader.fit(&spot, field, "a list of targets") else {
        return Vec::new();
    };
    if items.is_empty() {
        let help = "a round without targets would prove nothing".to_owned();
        reader.report(spot.place(), "`targets` is empty", [help]);
    }
    let mut targets = Vec::new();
    for (index, field) in items.iter().enumerate() {
        let spot = spot.item(index, "a target");
        targets.extend(target::read(reader, &spot, field, base, names).map(|t| (t, spot.start())));
    }
    targets
}

/// Keeps the targets that were asked for.
fn select(
    reader: &mut Reader<'_>,
    targets: Vec<(Target, Place)>,
    wanted: &[String],
) -> Vec<(Target, Place)> {
    if wanted.is_empty() {
        return targets;
    }
    let wanted: BTreeSet<&str> = wanted.iter().map(|name| name.trim()).collect();
    for name in &wanted {
        if !targets.iter().any(|(target, _)| target.name == *name) {
            let names = targets.iter().map(|(target, _)| target.name.as_str());
            let help = near(name, names.clone()).map(|near| format!("did you mean `{near}`?"));
            let all: Vec<_> = names.take(20).collect();
            let known = format!("the file has {}", super::problem::all_of(all));
            let message = format!("no target is named {}", super::mistake::quoted(name));
            let known = (!targets.is_empty()).then_some(known);
            reader.report_typed(Problem::typed(message).helps(help.into_iter().chain(known)));
        }
    }
    let kept = targets.into_iter();
    kept.filter(|(target, _)| wanted.contains(target.name.as_str()))
        .collect()
}
