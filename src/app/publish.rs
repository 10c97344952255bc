//! What becomes of a finished round: reports first, then the trail, then what the trail adds to them.

use super::trail::{self, Occasion};
use super::{disclosure, output, supplement};
use crate::actions::Env;
use crate::cli::{Incidents, OutputArgs};
use crate::domain::report::RoundReport;

/// Tells whoever was asked to be told. Gives false if anything could not be; each such thing is named
/// on standard error.
pub(super) async fn report(
    report: &RoundReport,
    outputs: &OutputArgs,
    incidents: &Incidents,
    occasion: Occasion,
    env: Option<&Env>,
) -> bool {
    let shown = disclosure::publishable_now(report, env).await;
    let reported = output::publish(&shown, outputs, env);
    // A folder is published as the reports are, by whoever keeps it as an artifact. Who may read the
    // issues is another question.
    let told = match incidents {
        Incidents::Off | Incidents::Folder(_) => shown.as_ref(),
        Incidents::GitHub => report,
    };
    // The reports come first: whatever happens to the trail, the evidence is kept.
    let kept = trail::tell(told, incidents, occasion).await;
    match kept.report {
        None => reported,
        Some(trail) => {
            let trail = Some(trail);
            let shown = RoundReport {
                trail,
                ..shown.into_owned()
            };
            supplement::tell(&shown, outputs.json.as_deref(), env) & kept.whole & reported
        }
    }
}
