//! Where the round looked from, when, and what its controls prove.

use std::fmt::Display;

use super::door::Door;
use super::merged;
use super::phrase::{Phrase, count, duration};
use super::saw;
use crate::domain::endpoint::{Family, Transport};
use crate::domain::observation::Outcome;
use crate::domain::own::{self, NotOwn};
use crate::domain::reach::Layer;
use crate::domain::report::{
    ControlEndpoint, ControlReport, Egress, Outside, RoundReport, Sees, Side, Vantage,
};
use crate::domain::way::Assumption;

/// How many controls are named.
const CONTROLS: usize = 3;

/// `2026-11-22 04:00:00 UTC`.
#[must_use]
pub fn begun(report: &RoundReport) -> String {
    let utc = report.started.checked_to_offset(time::UtcOffset::UTC);
    utc.map_or_else(
        || "at an impossible time".to_owned(),
        |t| {
            format!(
                "{:04}-{:02}-{:02} {:02}:{:02}:{:02} UTC",
                t.year(),
                u8::from(t.month()),
                t.day(),
                t.hour(),
                t.minute(),
                t.second()
            )
        },
    )
}

/// `22 endpoints, 40 attempts in 12.4 s`, or `a round of 12.4 s` where numbers are withheld.
#[must_use]
pub fn effort(report: &RoundReport) -> Phrase {
    let totals = &report.totals;
    let took = duration(report.took_ms);
    let phrase = Phrase::new(if report.withheld {
        format!("a round of {took}")
    } else {
        format!(
            "{}, {} in {took}",
            count(totals.endpoints, "endpoint"),
            count(totals.attempts, "attempt"),
        )
    });
    if report.interrupted {
        phrase.say(", interrupted before its end")
    } else {
        phrase
    }
}

/// Everything about the vantage in as many lines as it takes: one, two where it was asked from which
/// address and from which side it looks.
#[must_use]
pub fn lines(report: &RoundReport) -> Vec<Phrase> {
    if !report.rounds.is_empty() {
        return merged::rounds(report);
    }
    let mut lines = vec![seen_from(
        &report.vantage,
        &report.controls,
        report.withheld,
    )];
    let more = more(&report.vantage);
    if !more.is_empty() {
        lines.push(more);
    }
    lines
}

/// From which address and from which side a vantage looks, where that was asked, and what is assumed of
/// it.
pub fn more(vantage: &Vantage) -> Phrase {
    let mut more = Phrase::default();
    for part in vantage
        .egress
        .iter()
        .map(egress)
        .chain(vantage.unfiltered.map(unfiltered))
        .chain(vantage.outside.as_ref().map(outside))
    {
        if !more.is_empty() {
            more = more.say("; ");
        }
        more = more.join(part);
    }
    more
}

/// The same for a table of two columns, with the time and the version.
#[must_use]
pub fn table(report: &RoundReport) -> Vec<(&'static str, Phrase)> {
    let vantage = &report.vantage;
    let mut rows = vec![("runner", runner(vantage))];
    rows.push(("begun", Phrase::default().value(begun(report))));
    rows.push(("noentry", Phrase::default().value(&report.noentry)));
    for sees in &vantage.sees {
        let row = Phrase::new(classes(std::slice::from_ref(sees)));
        let row = row.say(", by control ").value(&sees.control);
        rows.push(("sees", row));
    }
    rows.extend(
        merged::rounds(report)
            .into_iter()
            .map(|line| ("round", line)),
    );
    rows.extend(vantage.egress.iter().map(|own| ("egress", egress(own))));
    rows.extend(vantage.unfiltered.map(|why| ("ports", unfiltered(why))));
    rows.extend(vantage.outside.as_ref().map(|own| ("side", outside(own))));
    rows
}

/// What is taken for granted about the ports on which nothing was reached.
fn unfiltered(assumption: Assumption) -> Phrase {
    match assumption {
        Assumption::Said => {
            Phrase::new("assumed to let every port out, as the configuration says with ")
                .code("unfiltered: true")
        }
        Assumption::GithubHosted => Phrase::new(
            "assumed to let every port out, as GitHub's standard runners do, but for those that \
             providers close",
        ),
    }
}

/// `eu-west, github-hosted (GitHub Actions 7, linux x86_64)`, the first where it has a label.
fn runner(vantage: &Vantage) -> Phrase {
    let mut phrase = Phrase::default();
    if let Some(label) = &vantage.label {
        phrase = phrase.value(label).say(", ");
    }
    phrase = phrase.value(&vantage.environment).say(" (");
    if let Some(name) = &vantage.name {
        phrase = phrase.value(name).say(", ");
    }
    phrase.value(&vantage.system).say(")")
}

/// `seen from github-hosted (GitHub Actions 7, linux x86_64), proven for TCP over IPv4 as far as http by
/// www.example.com:443`.
#[must_use]
pub fn seen_from(vantage: &Vantage, controls: &[ControlReport], withheld: bool) -> Phrase {
    let phrase = Phrase::new("seen from ").join(runner(vantage));
    if vantage.sees.is_empty() && vantage.proven.is_empty() {
        if withheld {
            return phrase;
        }
        return phrase.say(if controls.is_empty() {
            ", without a control"
        } else if controls.iter().all(|control| control.held.is_empty()) {
            ", where no control was reached throughout"
        } else {
            ", where no control was reached beyond this machine's own network"
        });
    }
    let mut by: Vec<&str> = Vec::new();
    if vantage.sees.is_empty() {
        let held = controls.iter().filter(|c| !c.held.is_empty());
        by.extend(held.map(|c| c.name.as_str()));
        return by_controls(
            phrase.say(format!(
                ", proven over {}",
                listed(&vantage.proven, " and ")
            )),
            &by,
        );
    }
    let phrase = phrase.say(", proven for ").say(classes(&vantage.sees));
    for sees in &vantage.sees {
        if !by.contains(&sees.control.as_str()) {
            by.push(&sees.control);
        }
    }
    by_controls(phrase, &by)
}

fn by_controls(phrase: Phrase, names: &[&str]) -> Phrase {
    if names.is_empty() {
        phrase
    } else {
        phrase.say(" by ").values(names, CONTROLS)
    }
}

/// `TCP over IPv4 and IPv6 as far as http, and UDP and ICMP over IPv4`: what was proven alike is said
/// once. Reaching the network layer needs no word of its own.
fn classes(sees: &[Sees]) -> String {
    let mut transports: Vec<(Transport, Layer, Vec<Family>)> = Vec::new();
    for one in sees {
        let known = transports
            .iter_mut()
            .find(|(transport, layer, _)| (*transport, *layer) == (one.transport, one.layer));
        match known {
            Some((.., families)) => families.push(one.family),
            None => transports.push((one.transport, one.layer, vec![one.family])),
        }
    }
    let mut alike: Vec<(Vec<Transport>, Layer, Vec<Family>)> = Vec::new();
    for (transport, layer, families) in transports {
        let known = alike
            .iter_mut()
            .find(|(_, other, same)| (*other, same) == (layer, &families));
        match known {
            Some((transports, ..)) => transports.push(transport),
            None => alike.push((vec![transport], layer, families)),
        }
    }
    let said: Vec<String> = alike
        .iter()
        .map(|(transports, layer, families)| {
            let class = format!(
                "{} over {}",
                listed(transports, " and "),
                listed(families, " and ")
            );
            match layer {
                Layer::Dns | Layer::Network => class,
                Layer::Tls | Layer::Http => format!("{class} as far as {layer}"),
            }
        })
        .collect();
    listed(&said, ", and ")
}

/// `TCP, UDP and ICMP`.
fn listed<T: Display>(words: &[T], last: &str) -> String {
    let mut out = String::new();
    for (index, word) in words.iter().enumerate() {
        match index {
            0 => {}
            index if index + 1 == words.len() => out.push_str(last),
            _ => out.push_str(", "),
        }
        out.push_str(&word.to_string());
    }
    out
}

/// `goes out over IPv4 as 203.0.113.9`, and who said so or why nobody did.
fn egress(egress: &Egress) -> Phrase {
    let family = egress.family;
    if let Some(address) = egress.address {
        return Phrase::new(format!("goes out over {family} as "))
            .value(address)
            .say(", says ")
            .value(&egress.asked);
    }
    let unknown = Phrase::new(format!("its {family} address is not known, asked of "));
    let phrase = unknown.value(&egress.asked);
    match &egress.error {
        Some(error) => phrase.say(": ").quote(error),
        None => phrase,
    }
}

/// From which side the round looked, and by what that is known.
fn outside(outside: &Outside) -> Phrase {
    let what = &outside.must_not_reach;
    match outside.side {
        Side::Outside => Phrase::new("looks from outside: ")
            .value(what)
            .say(", which only insiders reach, was shut"),
        Side::Inside => Phrase::new("looks from INSIDE: ")
            .value(what)
            .say(", which only insiders reach, was reached"),
        Side::Unproven => Phrase::new("may look from inside: ")
            .value(what)
            .say(", which only insiders reach, could not be looked at"),
    }
}

/// `www.example.com:443: held over IPv4, lost over IPv6 (2 checkpoints)`.
#[must_use]
pub fn control_line(control: &ControlReport) -> Phrase {
    let mut phrase = Phrase::default().value(format_args!("{} {}", control.kind, control.name));
    if !control.targets.is_empty() {
        phrase = phrase.say(" for ").values(&control.targets, CONTROLS);
    }
    let mut said = Vec::new();
    if !control.held.is_empty() {
        said.push(format!("held over {}", listed(&control.held, " and ")));
    }
    if !control.lost.is_empty() {
        said.push(format!("lost over {}", listed(&control.lost, " and ")));
    }
    match control.name_held {
        Some(true) => said.push("name found".to_owned()),
        Some(false) => said.push("name not found throughout".to_owned()),
        None => {}
    }
    if said.is_empty() {
        said.push("not reached".to_owned());
    }
    phrase = phrase.say(format!(
        ": {} ({})",
        said.join(", "),
        count(control.checks.len(), "checkpoint")
    ));
    let last = control
        .checks
        .iter()
        .flat_map(|check| &check.endpoints)
        .rfind(|endpoint| !endpoint.reached);
    match last {
        Some(endpoint) => {
            let door = Door::control(&control.kind, &endpoint.endpoint);
            let phrase = phrase
                .say(", last ")
                .join(saw::outcome(door, &endpoint.last))
                .say(" at ")
                .value(saw::place(&endpoint.endpoint));
            match not_own(endpoint) {
                Some(why) => phrase.say(format!(": {why}")),
                None => phrase,
            }
        }
        None => phrase,
    }
}

/// Why an HTTP answer was not taken for the control's own.
#[must_use]
pub fn not_own(endpoint: &ControlEndpoint) -> Option<NotOwn> {
    let answered = match endpoint.last.outcome {
        Outcome::Reached(reach) => reach.layer() == Layer::Http,
        Outcome::Blind(_) => false,
    };
    if endpoint.reached || !answered {
        return None;
    }
    own::not_own(endpoint.last.evidence.as_deref())
}

/// Every control, and what must not be reached; of several rounds, round by round.
#[must_use]
pub fn control_lines(report: &RoundReport) -> Vec<Phrase> {
    let of = |vantage: &Vantage, controls: &[ControlReport]| -> Vec<Phrase> {
        let controls = controls.iter().map(control_line);
        let guard = vantage.outside.as_ref().map(guard_line);
        controls.chain(guard).collect()
    };
    let mut lines = of(&report.vantage, &report.controls);
    for (index, round) in report.rounds.iter().enumerate() {
        let from = Phrase::new(format!("round {}: ", index.saturating_add(1)));
        let own = of(&round.vantage, &round.controls);
        lines.extend(own.into_iter().map(|line| from.clone().join(line)));
    }
    lines
}

/// `bastion.example.com:22, which must not be reached: looks from outside (2 checkpoints)`.
#[must_use]
pub fn guard_line(outside: &Outside) -> Phrase {
    Phrase::default()
        .value(&outside.must_not_reach)
        .say(format!(
            ", which only insiders reach: {} ({})",
            match outside.side {
                Side::Outside => "shut throughout",
                Side::Inside => "reached",
                Side::Unproven => "not seen to be shut",
            },
            count(outside.checks.len(), "checkpoint")
        ))
}
