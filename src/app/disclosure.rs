//! Whether everybody can read what is published here, and so what may stand in it.
//!
//! Only GitHub Actions shows logs, summaries, annotations and artifacts to whoever can read the
//! repository. Elsewhere nobody but the user decides who reads them, and nothing is withheld.

use std::borrow::Cow;

use super::github;
use super::output::warn;
use crate::actions::{Env, Visibility, told_by};
use crate::domain::report::RoundReport;

/// The round as it may be published: without its details where everybody can read them or may be able
/// to, unless the configuration discloses them. That is said on standard error.
pub(super) fn publishable<'a>(report: &'a RoundReport, env: Option<&Env>) -> Cow<'a, RoundReport> {
    match question(report, env) {
        Some(env) => for_readers(report, visibility(env)),
        None => Cow::Borrowed(report),
    }
}

/// The same for a round that has just ended: where the payload says nothing, the API is asked.
pub(super) async fn publishable_now<'a>(
    report: &'a RoundReport,
    env: Option<&Env>,
) -> Cow<'a, RoundReport> {
    let Some(env) = question(report, env) else {
        return Cow::Borrowed(report);
    };
    let readers = match visibility(env) {
        told @ (Visibility::Public | Visibility::Private) => told,
        Visibility::Unknown => github::visibility().await,
    };
    for_readers(report, readers)
}

/// The environment, where it matters who may read what is published in it.
fn question<'a>(report: &RoundReport, env: Option<&'a Env>) -> Option<&'a Env> {
    env.filter(|env| env.on_actions && !report.incidents.disclose && !report.withheld)
}

fn for_readers(report: &RoundReport, readers: Visibility) -> Cow<'_, RoundReport> {
    let because = match readers {
        Visibility::Private => return Cow::Borrowed(report),
        Visibility::Public => "this repository is public",
        Visibility::Unknown => {
            "it could not be found out whether this repository is private, and what is not known \
             counts as public"
        }
    };
    warn(&format!(
        "details are withheld: {because}. Addresses and evidence stand in no report; \
         `incidents: {{ disclose: true }}` in the configuration changes that"
    ));
    Cow::Owned(report.withheld())
}

/// Who may read what this run publishes. The payload of the event comes with the run and costs nothing.
fn visibility(env: &Env) -> Visibility {
    let repository = env.repository.as_deref();
    let event = env.event.as_deref();
    match event.map(|event| told_by(event, repository)) {
        Some(told @ (Visibility::Public | Visibility::Private)) => told,
        // Some events carry no repository.
        Some(Visibility::Unknown) | None => Visibility::Unknown,
    }
}
