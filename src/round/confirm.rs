//! Looking again at what was found exposed, where a target asks for it with `confirm`.
//!
//! After the round's last checkpoint, and a pause, another set of attempts is made at those targets,
//! between two checkpoints of its own, and judged like the first. It goes on until the sets that were
//! asked for are made, or one of them saw the target shut. No verdict changes by it: one positive is
//! never voted down. What changes is whether somebody is called for it.
//!
//! Only a set that is blocked speaks against the exposure. What could not be observed never quietens
//! one: a control that was lost at any time of the round makes the set inconclusive, and that counts as
//! seen. The same holds where what only insiders reach is reached meanwhile: the first set had looked
//! from outside. A set that was interrupted decides nothing.

use std::time::Duration;

use super::assemble;
use super::basis::Basis;
use super::checkpoint;
use super::names::Names;
use super::set::Means;
use super::world::World;
use crate::domain::finding::{EndpointReport, Finding};
use crate::domain::target::Target;
use crate::domain::trail::Confirmation;
use crate::domain::verdict::Verdict;

/// How long after one set the next begins. Long enough for a restart or a reload of rules to be over,
/// short enough to stay within one round.
pub(crate) const PAUSE: Duration = Duration::from_secs(5);

/// Looks again as often as the exposed targets ask for. `findings` are in the plan's order; what the
/// first set rests on and `names` are left as they are, because the verdicts rest on them.
pub(crate) async fn confirm<W: World>(
    means: &Means<'_, W>,
    first: &Basis<'_, '_>,
    names: &Names,
    findings: &mut [Finding],
) {
    let (course, plan) = (means.course, means.plan);
    let all = plan.targets.iter().zip(&*findings).enumerate();
    let mut open: Vec<usize> = all
        .filter(|(_, (target, finding))| wants_more(target, finding))
        .map(|(index, _)| index)
        .collect();
    if open.is_empty() {
        return;
    }
    // A control that was lost before is lost here too.
    let mut controls = first.controls.clone();
    let mut ports = first.ports.clone();
    let mut names = names.afresh();
    let mut set = 1;
    while !open.is_empty() {
        set += 1;
        let paused = course.stop.or(tokio::time::sleep(PAUSE)).await;
        if paused.is_none() {
            return;
        }
        let drops = course.world.reverse_path_drops();
        checkpoint(course, &mut controls, &names, plan).await;
        let sights = means.set(&mut controls, &names, &open, &|_| {}).await;
        checkpoint(course, &mut controls, &names, plan).await;
        if course.stop.is_stopped() {
            return;
        }
        controls
            .checks()
            .for_each(|checks| ports.add_checks(checks));
        for sight in &sights {
            ports.add_sight(sight);
        }
        // What made a silence of the first set worth nothing goes for later ones too.
        let basis = Basis {
            controls: &controls,
            ports: &ports,
            invented: names.invented(),
            dropped: first
                .dropped
                .saturating_add(course.dropped_since(drops).unwrap_or_default()),
            ..*first
        };
        let seen = open.into_iter().zip(sights);
        let judged = seen.filter_map(|(index, sight)| {
            let target = plan.targets.get(index)?;
            let finding = findings.get_mut(index)?;
            let later = assemble::finding(target, index, sight, &basis, &names);
            let asked = target.confirm;
            finding.confirmation = match later.verdict {
                Verdict::Blocked => Some(Confirmation {
                    asked,
                    seen: set - 1,
                }),
                Verdict::Exposed | Verdict::Inconclusive => {
                    take_over(finding, later);
                    (set >= asked).then_some(Confirmation { asked, seen: asked })
                }
            };
            finding.confirmation.is_none().then_some(index)
        });
        open = judged.collect();
        names = names.afresh();
    }
}

/// Whether a finding is to be seen again before it opens an incident. What is waived opens none.
fn wants_more(target: &Target, finding: &Finding) -> bool {
    target.confirm > 1 && finding.verdict == Verdict::Exposed && !finding.has_waiver()
}

/// Takes over the endpoints that only a later set found exposed. Everything else stays as the first set
/// saw it.
fn take_over(finding: &mut Finding, later: Finding) {
    let exposed = |e: &EndpointReport| e.verdict == Verdict::Exposed;
    let mut elsewhere = false;
    for new in later.endpoints.into_iter().filter(exposed) {
        let mut known = finding.endpoints.iter_mut();
        match known.find(|known| known.endpoint == new.endpoint) {
            Some(known) if exposed(known) => {}
            Some(known) => {
                let mut attempts = std::mem::take(&mut known.attempts);
                attempts.extend(new.attempts);
                *known = EndpointReport {
                    reach: known.reach.max(new.reach),
                    attempts,
                    ..new
                };
            }
            None => {
                elsewhere = true;
                finding.endpoints.push(new);
            }
        }
    }
    finding.endpoints.sort_by_key(|report| report.endpoint);
    // Who gave the address belongs to the evidence.
    if let (true, Some(name), Some(later)) = (elsewhere, &mut finding.name, later.name) {
        name.queries.extend(later.queries);
    }
    let whole = assemble::sum_up(&finding.name_verdicts, &finding.endpoints);
    (finding.verdict, finding.reason, finding.reach) = whole;
}
