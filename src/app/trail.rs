//! `noentry incidents`, and the trail of `noentry check`: from a finished round to a store.

use std::fmt::Write as _;

use super::output::{print, warn};
use super::report;
use crate::cli::{Incidents, IncidentsArgs};
use crate::domain::escape::{runner_lines, visible};
use crate::domain::finding::Finding;
use crate::domain::report::RoundReport;
use crate::domain::trail::Confirmation;
use crate::domain::verdict::Verdict;
use crate::exit::Exit;
use crate::incident::folder::Folder;
use crate::incident::state::Fingerprint;
use crate::incident::{self, Part, Policy, Problem, Round, Subject, Told};
use crate::report::trail;

/// Which round it is whose trail is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The one that has just ended: it cannot be in the trail already.
    Live,
    /// One that was saved: playing it twice is nobody's mistake.
    Saved,
}

/// Runs the command. The exit code is the one that the round ended with.
pub(super) async fn run(args: &IncidentsArgs) -> Exit {
    let Some(report) = report::saved(&args.from) else {
        return Exit::Usage;
    };
    let exit = Exit::of_round(&report);
    if tell(&report, &args.incidents, Occasion::Saved).await {
        exit
    } else {
        exit.unreported()
    }
}

/// Brings the trail in line with a round and says what was done. Gives false if something could not
/// be; each such thing is named on standard error.
pub(super) async fn tell(report: &RoundReport, place: &Incidents, occasion: Occasion) -> bool {
    let told = match place {
        Incidents::Off => return true,
        Incidents::Folder(path) => match Folder::open(path) {
            Ok(mut folder) => {
                let policy = Policy::from(&report.incidents);
                Ok(incident::tell(&mut folder, &round(report), &policy).await)
            }
            Err(problem) => Err(problem),
        },
    };
    let told = told.unwrap_or_else(|problem: Problem| Told {
        problems: vec![problem],
        ..Told::default()
    });
    for problem in &told.problems {
        warn(&visible(&format!("incident trail: {problem}")));
    }
    let mut lines = String::new();
    for (deed, place, title) in &told.done {
        let line = format!("incident {}: {place} ({title})", deed.as_str());
        // Writing to a String cannot go wrong.
        let _ = writeln!(lines, "{}", visible(&line));
    }
    let mut whole = told.problems.is_empty();
    if told.stale > 0 {
        let has = format!(
            "the trail has {} from this round or a later one already",
            crate::report::count(told.stale, "target")
        );
        match occasion {
            Occasion::Saved => {
                let _ = writeln!(lines, "incidents: {has}");
            }
            Occasion::Live => {
                whole = false;
                warn(&format!(
                    "incident trail: {has}: this machine's clock went back, or was ahead once; \
                     nothing was noted about them"
                ));
            }
        }
    }
    if lines.is_empty() && whole {
        lines.push_str("incidents: none is open, nothing to tell\n");
    }
    whole & (print(&runner_lines(&lines)) == Exit::Blocked)
}

fn round(report: &RoundReport) -> Round {
    let subjects = report.findings.iter();
    Round {
        at: report.started,
        config: report.config.clone(),
        complete: !report.partial,
        interrupted: report.interrupted,
        run: report.links.run.clone(),
        subjects: subjects.map(|f| subject(report, f)).collect(),
    }
}

fn subject(report: &RoundReport, finding: &Finding) -> Subject {
    let parts = trail::exposed(finding).into_iter();
    Subject {
        name: finding.target.name.clone(),
        fingerprint: Fingerprint::target(&finding.target.name, &report.config),
        verdict: finding.verdict,
        waived: finding.verdict == Verdict::Exposed && finding.has_waiver(),
        reach: finding.reach,
        parts: parts.map(|(place, mark)| Part { place, mark }).collect(),
        headline: trail::headline(finding),
        evidence: trail::evidence(finding),
        reproduce: trail::reproduce(finding),
        declared: finding.target.position.to_string(),
        source: source(report, finding),
        notify: finding.target.notify.clone(),
        confirmed: finding.confirmation.is_none_or(Confirmation::holds),
        withheld: finding.withheld,
    }
}

fn source(report: &RoundReport, finding: &Finding) -> Option<String> {
    let file = report.links.config.as_ref()?;
    Some(format!("{file}#L{}", finding.target.position.line))
}
