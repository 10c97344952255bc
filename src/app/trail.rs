//! `noentry incidents`, and the trail of `noentry check`: from a finished round to a store.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::output::{print, warn};
use super::{disclosure, github, report, supplement};
use crate::actions::Env;
use crate::cli::{Incidents, IncidentsArgs};
use crate::domain::escape::{runner_lines, visible};
use crate::domain::finding::Finding;
use crate::domain::merged::Missing;
use crate::domain::report::RoundReport;
use crate::domain::trail::{Confirmation, TrailDeed, TrailHeld, TrailProblem, TrailReport};
use crate::domain::verdict::Verdict;
use crate::exit::Exit;
use crate::incident::folder::Folder;
use crate::incident::state::Fingerprint;
use crate::incident::{self, Part, Policy, Problem, Round, Share, Subject, Told};
use crate::report::trail;

/// Which round it is whose trail is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occasion {
    /// The one that has just ended: it cannot be in the trail already.
    Live,
    /// One that was saved: playing it twice is nobody's mistake.
    Saved,
}

/// What became of the trail.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    /// Whether everything could be done; what could not is named on standard error.
    pub(super) whole: bool,
    /// The same for the reports; none where no trail is kept.
    pub(super) report: Option<TrailReport>,
}

/// Runs the command. The exit code is the one that the round ended with.
pub(super) async fn run(args: &IncidentsArgs) -> Exit {
    let Some(report) = report::saved(&args.from) else {
        return Exit::Usage;
    };
    let exit = Exit::of(report.verdict);
    let env = Env::from(|key| std::env::var(key).ok());
    let told = match &args.incidents {
        // A folder is published like a report. Who may read the issues is another question.
        Incidents::Folder(_) => disclosure::publishable_now(&report, Some(&env)).await,
        Incidents::Off | Incidents::GitHub => Cow::Borrowed(&report),
    };
    let kept = tell(&told, &args.incidents, Occasion::Saved).await;
    let trail = kept.report;
    let told = RoundReport {
        trail,
        ..told.into_owned()
    };
    if supplement::tell(&told, None, Some(&env)) & kept.whole {
        exit
    } else {
        exit.unreported()
    }
}

/// Brings the trail in line with a round and says what was done.
pub(super) async fn tell(report: &RoundReport, place: &Incidents, occasion: Occasion) -> Kept {
    let policy = Policy::from(&report.incidents);
    let (store, mut told) = match place {
        Incidents::Off => {
            return Kept {
                whole: true,
                report: None,
            };
        }
        Incidents::Folder(path) => {
            let told = match Folder::open(path) {
                Ok(mut folder) => incident::tell(&mut folder, &round(report), &policy).await,
                Err(problem) => Told::nothing(problem, &round(report)),
            };
            (format!("folder:{}", path.display()), told)
        }
        Incidents::GitHub => issues(report, &policy).await,
    };
    let mut lines = lines(&told);
    if told.stale > 0 {
        let has = format!(
            "the trail has {} from this round or a later one already",
            crate::report::count(told.stale, "target")
        );
        match occasion {
            Occasion::Saved => {
                let _ = writeln!(lines, "incidents: {has}");
            }
            Occasion::Live => told.problems.push(Problem {
                place: store.clone(),
                what: format!(
                    "{has}: this machine's clock went back, or was ahead once; nothing was noted \
                     about them: correct the clock, and where an incident has a time that is yet to \
                     come, take the label noentry off its issue or remove its file"
                ),
                about: None,
            }),
        }
    }
    // What is about many targets is said once.
    let same = |a: &Problem, b: &Problem| (&a.place, &a.what) == (&b.place, &b.what);
    for problem in told.problems.chunk_by(same).filter_map(<[_]>::first) {
        warn(&visible(&format!("incident trail: {problem}")));
    }
    let whole = told.problems.is_empty();
    if lines.is_empty() && whole {
        lines.push_str("incidents: none is open, nothing to tell\n");
    }
    Kept {
        whole: whole & (print(&runner_lines(&lines)) == Exit::Blocked),
        report: Some(reported(store, told)),
    }
}

/// The trail in issues, without details where everybody can read them.
async fn issues(report: &RoundReport, policy: &Policy) -> (String, Told) {
    match github::open(report).await {
        Ok(mut issues) => {
            let store = format!("github:{}", issues.repository());
            let round = if issues.is_public() && !report.incidents.disclose {
                round(&report.withheld())
            } else {
                round(report)
            };
            (store, incident::tell(&mut issues, &round, policy).await)
        }
        Err(problem) => {
            let store = format!("github:{}", problem.place);
            (store, Told::nothing(problem, &round(report)))
        }
    }
}

/// What there is to say on the terminal, a line each.
fn lines(told: &Told) -> String {
    let done = told.done.iter().map(|(deed, place, title)| {
        let deed = deed.as_str();
        format!("incident {deed}: {place} ({title})")
    });
    let held = told.held.iter().map(|held| {
        format!(
            "incident held: {} is exposed, and a person closed {} as not planned; no other is \
             opened until the target was blocked once",
            held.name, held.place
        )
    });
    let unconfirmed = told.unconfirmed.iter().map(|name| {
        format!("incident not opened: the exposure of {name} was not seen again within the round")
    });
    let all = done.chain(held).chain(unconfirmed);
    all.fold(String::new(), |mut lines, line| {
        // Writing to a String cannot go wrong.
        let _ = writeln!(lines, "{}", visible(&line));
        lines
    })
}

fn reported(store: String, told: Told) -> TrailReport {
    let done = told.done.into_iter();
    let problems = told.problems.into_iter();
    let held = told.held.into_iter();
    TrailReport {
        store,
        done: done
            .map(|(deed, place, title)| TrailDeed {
                deed: deed.as_str().to_owned(),
                title,
                place,
            })
            .collect(),
        problems: problems
            .map(|problem| TrailProblem {
                place: problem.place,
                what: problem.what,
                target: problem.about,
            })
            .collect(),
        held: held
            .map(|held| TrailHeld {
                target: held.name,
                place: held.place,
            })
            .collect(),
        unconfirmed: told.unconfirmed,
    }
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
        shares: shares(report),
    }
}

/// The shards of merged rounds: of several rounds of one, all must be there.
fn shares(report: &RoundReport) -> Vec<Share> {
    let mut shares = BTreeMap::new();
    for round in &report.rounds {
        if let Some(shard) = round.shard {
            shares.insert(Share::named(shard, round.vantage.label.as_deref()), true);
        }
    }
    for missing in &report.missing {
        match missing {
            Missing::Shard { shard, vantage } => {
                shares.insert(Share::named(*shard, vantage.as_deref()), false);
            }
            // What should have been looked at from there as well is inconclusive itself.
            Missing::Rounds { .. } | Missing::Report { .. } | Missing::Targets { .. } => {}
        }
    }
    let shares = shares.into_iter();
    shares
        .map(|(name, looked)| Share { name, looked })
        .collect()
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
