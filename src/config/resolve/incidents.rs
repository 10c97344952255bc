//! `incidents:` and what a target says about its own incident.
//!
//! Whether a repository, label or login exists is not asked: reading a file touches no network.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::defaults::{self, count};
use super::github::{assignee, author, label, mentioned, repository};
use super::printable;
use crate::config::duration;
use crate::config::field::Field;
use crate::config::file;
use crate::config::mistake::Mistake;
use crate::config::reader::{Reader, Spot};
use crate::config::source::Place;
use crate::domain::target::Target;
use crate::domain::trail::{Notify, TrailPlan};

const DAY: Duration = Duration::from_hours(24);
const YEAR: Duration = Duration::from_hours(365 * 24);
/// Without an upper bound "never again" would be written as a number that nobody meant.
const REOPENINGS: RangeInclusive<Duration> = Duration::ZERO..=YEAR;
/// More often than hourly is a bell that somebody switches off.
const REMINDERS: RangeInclusive<Duration> = Duration::from_hours(1)..=YEAR;
const COUNTS: RangeInclusive<u64> = 1..=1000;

/// The longest title, in characters, before the name is put in.
const MAX_TITLE: usize = 200;
/// Where the target's name goes.
const NAME: &str = "{target}";

/// How many of each a list has at most. GitHub takes ten assignees an issue, whoever names them.
const LABELS: usize = 20;
const ASSIGNEES: usize = 10;
const MENTIONS: usize = 10;

/// Reads `incidents:`. Beside the plan it gives whom every target's incident is for.
pub fn read(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<file::Incidents>,
) -> (TrailPlan, Notify) {
    let standard = TrailPlan::default();
    let expected = "a mapping, such as `{ repository: org/private-trail }`";
    let Some(file) = reader.fit(spot, field, expected) else {
        return (standard, Notify::default());
    };
    reader.unknown_keys::<file::Incidents>(spot, |_| false);
    let expected = "text (a repository, as `owner/name`)";
    let of = spot.key("repository");
    let named = reader.parsed(&of, &file.repository, expected, repository);
    let expected = "text (the login of whoever writes the issues)";
    let by = reader.parsed(&spot.key("author"), &file.author, expected, author);
    let expected = "text with `{target}` in it";
    let title = reader.parsed(&spot.key("title"), &file.title, expected, title);
    let disclose = defaults::flag(reader, &spot.key("disclose"), &file.disclose);
    let mut rounds = |key: &str, field, otherwise| {
        count(reader, &spot.key(key), field, &COUNTS).unwrap_or(otherwise)
    };
    let close_after = rounds("close_after", &file.close_after, standard.close_after);
    let flaps = rounds("flaps", &file.flaps, standard.flaps);
    let blind_after = rounds("blind_after", &file.blind_after, standard.blind_after);
    let most = standard.mass_exposure_after;
    let mass_exposure_after = rounds("mass_exposure_after", &file.mass_exposure_after, most);
    let within = &file.reopen_within;
    let reopen_within = period(reader, &spot.key("reopen_within"), within, &REOPENINGS);
    let every = &file.remind_every;
    let remind_every = period(reader, &spot.key("remind_every"), every, &REMINDERS);
    let everywhere = notify(reader, spot, &file.labels, &file.assignees, &file.mention);
    let plan = TrailPlan {
        repository: named,
        author: by,
        disclose: disclose.unwrap_or(standard.disclose),
        title,
        close_after,
        reopen_within_s: reopen_within.unwrap_or(standard.reopen_within_s),
        remind_every_s: remind_every.unwrap_or(standard.remind_every_s),
        flaps,
        blind_after,
        mass_exposure_after,
    };
    (plan, everywhere)
}

/// Reads whom an incident is for. Whoever is named twice is kept once.
pub fn notify(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    labels: &Field<Vec<Field<file::LabelText>>>,
    assignees: &Field<Vec<Field<file::LoginText>>>,
    mention: &Field<Vec<Field<file::MentionText>>>,
) -> Notify {
    let named = |key| spot.key(key);
    Notify {
        labels: list(
            reader,
            &named("labels"),
            labels,
            ("labels", "a label", LABELS),
            label,
        ),
        assignees: list(
            reader,
            &named("assignees"),
            assignees,
            ("logins", "a login", ASSIGNEES),
            assignee,
        ),
        mention: list(
            reader,
            &named("mention"),
            mention,
            ("logins and teams", "a login or a team", MENTIONS),
            mentioned,
        ),
    }
}

/// Adds to each target whom every target's incident is for.
pub fn hand_out(reader: &mut Reader<'_>, everywhere: &Notify, targets: &mut [(Target, Place)]) {
    for (target, place) in targets {
        let own = std::mem::take(&mut target.notify);
        let most = everywhere.assignees.len().max(own.assignees.len());
        target.notify = Notify {
            labels: together(&everywhere.labels, own.labels),
            assignees: together(&everywhere.assignees, own.assignees),
            mention: together(&everywhere.mention, own.mention),
        };
        let all = target.notify.assignees.len();
        // A list that is too long by itself was said to be.
        if all > ASSIGNEES && most <= ASSIGNEES {
            let message =
                format!("a target has {all} `assignees` together with those under `incidents`");
            let help = format!("GitHub takes at most {ASSIGNEES} an issue; `mention` the others");
            reader.report(*place, message, [help]);
        }
    }
}

fn together(general: &[String], own: Vec<String>) -> Vec<String> {
    let mut all = general.to_vec();
    for one in own {
        add(&mut all, one);
    }
    all
}

/// GitHub tells neither labels nor logins apart by the case of their letters.
fn add(all: &mut Vec<String>, one: String) {
    if !all.iter().any(|known| same(known, &one)) {
        all.push(one);
    }
}

fn same(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

fn list<T: AsRef<str>>(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Vec<Field<T>>>,
    (several, one, most): (&str, &str, usize),
    parse: fn(&str) -> Result<String, Mistake>,
) -> Vec<String> {
    let mut all = Vec::new();
    let Some(items) = reader.fit(spot, field, &format!("a list of {several}")) else {
        return all;
    };
    for (index, item) in items.iter().enumerate() {
        let spot = spot.item(index, &spot.what);
        let expected = format!("text ({one})");
        let Some(text) = reader.text(&spot, item, &expected) else {
            continue;
        };
        match parse(text.trim()) {
            Ok(one) => add(&mut all, one),
            Err(mistake) => reader.mistake(&spot, mistake, &expected),
        }
    }
    if items.len() > most {
        let given = items.len();
        let message = format!(
            "{} lists {given}, and at most {most} are allowed",
            spot.what
        );
        reader.report(spot.place(), message, None);
    }
    all
}

/// Reads a duration that may take days, in seconds.
fn period(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<file::PeriodText>,
    allowed: &RangeInclusive<Duration>,
) -> Option<u64> {
    let expected = format!(
        "a period from {} to {}",
        written(*allowed.start()),
        written(*allowed.end())
    );
    reader.parsed(spot, field, &expected, |text| {
        let period = duration::period(text)?;
        if !allowed.contains(&period) {
            return Err(Mistake::new(format!("`{text}` is not {expected}")));
        }
        Ok(period.as_secs())
    })
}

fn written(period: Duration) -> String {
    let seconds = period.as_secs();
    match (seconds, seconds.is_multiple_of(DAY.as_secs())) {
        (0, _) => "0s".to_owned(),
        (_, true) => format!("{}d", seconds / DAY.as_secs()),
        (_, false) => format!("{}h", seconds / 3600),
    }
}

fn title(text: &str) -> Result<String, Mistake> {
    let text = text.trim();
    printable::check(text, "title", MAX_TITLE)?;
    let example = "write it as `Reachable from outside: {target}`";
    if !text.contains(NAME) {
        let mistake = Mistake::new("without `{target}` all issues would have the same title");
        return Err(mistake.help(example));
    }
    if text.replace(NAME, "").contains(['{', '}']) {
        let mistake = Mistake::new("braces stand for nothing but `{target}`");
        return Err(mistake.help(example));
    }
    Ok(text.to_owned())
}
