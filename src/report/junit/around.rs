//! Adds to junit-report's output what the crate cannot emit: properties and skipped counts of the
//! suite, totals of the root, lines of the cases, indentation. The crate's own elements and
//! attributes pass through as they are.

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, Writer};

use super::super::coverage;
use super::super::headline;
use super::super::merged;
use super::super::phrase::Phrase;
use super::cases::{self, Case};
use super::{Dialect, Error, SUITE};
use crate::domain::escape::visible;
use crate::domain::rank::Rank;
use crate::domain::report::{RoundReport, Side};

/// Reads what the crate wrote, adds, and writes again.
pub(super) fn complete(
    plain: &[u8],
    report: &RoundReport,
    cases: &[Case<'_>],
    dialect: Dialect,
) -> Result<String, Error> {
    let mut reader = Reader::from_reader(plain);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    let mut cases_left = cases.iter();
    let mut buffer = Vec::new();
    loop {
        match reader.read_event_into(&mut buffer)? {
            Event::Eof => break,
            Event::Start(element) => {
                let element = extended(element, report, cases, &mut cases_left, dialect);
                let suite = element.name().as_ref() == b"testsuite";
                writer.write_event(Event::Start(element))?;
                if suite {
                    properties(&mut writer, report)?;
                }
            }
            Event::Empty(element) => {
                let suite = element.name().as_ref() == b"testsuite";
                let element = extended(element, report, cases, &mut cases_left, dialect);
                if suite {
                    // A suite without cases still tells where it looked from.
                    let end = element.to_end().into_owned();
                    writer.write_event(Event::Start(element))?;
                    properties(&mut writer, report)?;
                    writer.write_event(Event::End(end))?;
                } else {
                    writer.write_event(Event::Empty(element))?;
                }
            }
            event => writer.write_event(event)?,
        }
        buffer.clear();
    }
    let mut out = writer.into_inner();
    out.push(b'\n');
    Ok(String::from_utf8(out)?)
}

/// The element with the attributes that the crate does not know.
fn extended<'b>(
    mut element: BytesStart<'b>,
    report: &RoundReport,
    cases: &[Case<'_>],
    cases_left: &mut std::slice::Iter<'_, Case<'_>>,
    dialect: Dialect,
) -> BytesStart<'b> {
    match element.name().as_ref() {
        b"testsuites" => {
            let time = suite_time(cases);
            element.push_attribute(("name", SUITE));
            element.push_attribute(("tests", cases.len().to_string().as_str()));
            element.push_attribute(("failures", count(cases, Rank::Exposed).to_string().as_str()));
            element.push_attribute((
                "errors",
                count(cases, Rank::Inconclusive).to_string().as_str(),
            ));
            element.push_attribute(("time", time.as_str()));
        }
        b"testsuite" => {
            // What could not be seen is an error; nothing is skipped but what somebody answers for.
            element.push_attribute(("skipped", count(cases, Rank::Waived).to_string().as_str()));
            element.push_attribute(("file", visible(&report.config).as_str()));
        }
        b"testcase" => {
            if let Some(case) = cases_left.next()
                && dialect == Dialect::Located
            {
                element.push_attribute(("line", case.position.line.to_string().as_str()));
            }
        }
        _ => {}
    }
    element
}

fn count(cases: &[Case<'_>], rank: Rank) -> usize {
    cases.iter().filter(|case| case.rank == rank).count()
}

/// The sum of the cases' times in seconds, as the crate adds it up for the suite.
fn suite_time(cases: &[Case<'_>]) -> String {
    let milliseconds: u64 = cases
        .iter()
        .map(|case| case.took_ms.min(super::LONGEST_MS))
        .fold(0, u64::saturating_add);
    let milliseconds = i64::try_from(milliseconds).unwrap_or(i64::MAX);
    junit_report::Duration::milliseconds(milliseconds)
        .as_seconds_f64()
        .to_string()
}

fn properties(writer: &mut Writer<Vec<u8>>, report: &RoundReport) -> Result<(), Error> {
    let vantage = &report.vantage;
    let proven: Vec<&str> = vantage.proven.iter().map(|f| f.as_str()).collect();
    let controls: Vec<&str> = report.controls.iter().map(|c| c.name.as_str()).collect();
    let resolvers: Vec<&str> = report
        .resolvers
        .iter()
        .map(|r| r.resolver.as_str())
        .collect();
    let egress: Vec<String> = vantage
        .egress
        .iter()
        .filter_map(|egress| egress.address)
        .map(|address| address.to_string())
        .collect();
    let sees: Vec<String> = vantage
        .sees
        .iter()
        .map(|sees| {
            format!(
                "{} over {} as far as {}",
                sees.transport, sees.family, sees.layer
            )
        })
        .collect();
    let pairs = [
        ("noentry.version", report.noentry.clone()),
        ("noentry.verdict", report.verdict.to_string()),
        ("noentry.config", report.config.clone()),
        ("noentry.started", cases::started(report)),
        ("noentry.took_ms", report.took_ms.to_string()),
        ("noentry.interrupted", report.interrupted.to_string()),
        ("vantage.environment", vantage.environment.clone()),
        ("vantage.name", vantage.name.clone().unwrap_or_default()),
        ("vantage.system", vantage.system.clone()),
        ("vantage.proven", proven.join(", ")),
        ("vantage.sees", sees.join(", ")),
        ("vantage.egress", egress.join(", ")),
        (
            "vantage.side",
            side(vantage.outside.as_ref().map(|o| o.side)).to_owned(),
        ),
        ("vantage.controls", controls.join(", ")),
        ("vantage.resolvers", resolvers.join(", ")),
    ];
    // Only where there is something to say, so that what is not withheld looks as ever.
    let withheld = report
        .withheld
        .then(|| ("noentry.withheld", true.to_string()));
    let run = report.links.run.clone().map(|run| ("noentry.run", run));
    let pairs = pairs.into_iter().chain(withheld).chain(run);
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value));
    writer
        .create_element("properties")
        .write_inner_content(|writer| {
            for (name, value) in pairs.chain(parts(report)).chain(covered(report)) {
                writer
                    .create_element("property")
                    .with_attribute(("name", name.as_str()))
                    .with_attribute(("value", visible(&value).as_str()))
                    .write_empty()?;
            }
            Ok(())
        })?;
    Ok(())
}

/// Which part of a list it is, or which rounds it was made of: nothing where it is one whole round.
fn parts(report: &RoundReport) -> Vec<(String, String)> {
    let shard = report
        .shard
        .map(|shard| ("noentry.shard", shard.to_string()));
    let label = report.vantage.label.clone();
    let label = label.map(|label| ("vantage.label", label));
    let lines = |lines: Vec<Phrase>| {
        let lines: Vec<String> = lines.iter().map(Phrase::text).collect();
        (!lines.is_empty()).then(|| lines.join("; "))
    };
    let rounds = lines(merged::rounds(report)).map(|rounds| ("merge.rounds", rounds));
    let missing = lines(merged::missing(report)).map(|missing| ("merge.missing", missing));
    [shard, label, rounds, missing]
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The word for the side from which the round looked; empty where nobody asked.
const fn side(side: Option<Side>) -> &'static str {
    match side {
        Some(Side::Outside) => "outside",
        Some(Side::Inside) => "inside",
        Some(Side::Unproven) => "unproven",
        None => "",
    }
}

/// The coverage table: one property for each thing, family and word, such as
/// `coverage.http3.ipv4.not_watchable`. Lines that differ only in their reason share one.
fn covered(report: &RoundReport) -> Vec<(String, String)> {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for line in &report.coverage {
        let name = format!("coverage.{}", coverage::key(line));
        let why = match &line.reason {
            Some(reason) => headline::why(reason).say(": "),
            None => Phrase::default(),
        };
        let value = why.join(coverage::targets(line)).text();
        match pairs.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => {
                known.push_str("; ");
                known.push_str(&value);
            }
            None => pairs.push((name, value)),
        }
    }
    pairs
}
