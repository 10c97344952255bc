//! What is watched, what cannot be watched from here, and what the configuration leaves out.
//!
//! A finding says what was seen of one target; this table says, over all of them, where nothing could
//! be seen. It adds nothing to the verdicts: it is made of the plan and of the findings.

use crate::domain::endpoint::{Family, Transport};
use crate::domain::finding::{EndpointReport, Finding};
use crate::domain::report::{Coverage, Surface, Watch};
use crate::domain::target::{Barrier, Plan, Target, TargetKind};
use crate::domain::verdict::{Reason, Verdict};

/// The table: one line for each thing, family and reason, sorted.
pub(super) fn table(plan: &Plan, findings: &[Finding]) -> Vec<Coverage> {
    let mut table: Vec<Coverage> = Vec::new();
    for (target, finding) in plan.targets.iter().zip(findings) {
        for cell in of_target(target, finding) {
            let known = table.iter_mut().find(|line| {
                line.surface == cell.surface
                    && line.family == cell.family
                    && line.watch == cell.watch
                    && line.reason == cell.reason
            });
            match known {
                Some(line) => line.targets.push(target.name.clone()),
                None => table.push(Coverage {
                    surface: cell.surface,
                    family: cell.family,
                    watch: cell.watch,
                    reason: cell.reason,
                    targets: vec![target.name.clone()],
                }),
            }
        }
    }
    table.sort_by_key(|line| (line.surface, line.family, line.watch));
    table
}

/// One target's part of a line.
struct Cell {
    surface: Surface,
    family: Option<Family>,
    watch: Watch,
    reason: Option<Reason>,
}

impl Cell {
    /// What some verdicts say together: not watchable, if one of them could not be given.
    fn of<'a>(
        surface: Surface,
        family: Option<Family>,
        mut verdicts: impl Iterator<Item = (Verdict, &'a Reason)>,
    ) -> Self {
        let unseen = verdicts.find(|(verdict, _)| *verdict == Verdict::Inconclusive);
        Self {
            surface,
            family,
            watch: match unseen {
                Some(_) => Watch::NotWatchable,
                None => Watch::Watched,
            },
            reason: unseen.map(|(_, reason)| reason.clone()),
        }
    }

    const fn unwatched(surface: Surface, family: Family) -> Self {
        Self {
            surface,
            family: Some(family),
            watch: Watch::Unwatched,
            reason: None,
        }
    }
}

fn of_target(target: &Target, finding: &Finding) -> Vec<Cell> {
    let mut cells = Vec::new();
    if target.kind.name().is_some() {
        let verdicts = finding.name_verdicts.iter();
        let verdicts = verdicts.map(|name| (name.verdict, &name.reason));
        cells.push(Cell::of(Surface::Dns, None, verdicts));
    }
    // At the barrier `dns` nothing is connected to.
    let Some(surface) = surface(target).filter(|_| target.barrier != Barrier::Dns) else {
        return cells;
    };
    for family in Family::ALL {
        if target
            .kind
            .address()
            .is_some_and(|literal| Family::of(literal) != family)
        {
            continue;
        }
        let beside = surface == Surface::Tcp && is_https(target);
        if !target.families.contains(&family) {
            cells.push(Cell::unwatched(surface, family));
            continue;
        }
        let endpoints = |companion| {
            let of_family = finding.endpoints.iter();
            of_family
                .filter(move |e| e.companion == companion && e.endpoint.family() == family)
                .map(verdict)
                .peekable()
        };
        // Where no address is published there is nothing to watch; the line for names covers it.
        if endpoints(false).peek().is_none() {
            continue;
        }
        cells.push(Cell::of(surface, Some(family), endpoints(false)));
        if beside && !target.http3 {
            cells.push(Cell::unwatched(Surface::Http3, family));
        } else if endpoints(true).peek().is_some() {
            cells.push(Cell::of(Surface::Http3, Some(family), endpoints(true)));
        }
    }
    cells
}

const fn verdict(endpoint: &EndpointReport) -> (Verdict, &Reason) {
    (endpoint.verdict, &endpoint.reason)
}

const fn is_https(target: &Target) -> bool {
    matches!(&target.kind, TargetKind::Url(url) if url.https)
}

fn surface(target: &Target) -> Option<Surface> {
    target.kind.transport().map(|transport| match transport {
        Transport::Tcp => Surface::Tcp,
        Transport::Udp => Surface::Udp,
        Transport::Icmp => Surface::Icmp,
    })
}
