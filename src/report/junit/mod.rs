//! JUnit XML: one flat suite, a case for each target, transport, port and address family.
//!
//! `cases` decides what the cases are; the crate junit-report writes them; `around` adds what that
//! crate cannot emit (properties, lines, totals, indentation). Names and classes stay the same from
//! round to round: addresses, times and counts stand in the text only.

mod around;
mod cases;

use junit_report::{
    Duration, OffsetDateTime, ReportBuilder, TestCase, TestCaseBuilder, TestSuiteBuilder,
};

use self::cases::Case;
use super::withheld;
use crate::domain::escape::{visible, xml_cdata};
use crate::domain::rank::Rank;
use crate::domain::report::RoundReport;

/// The name of the one suite.
pub(super) const SUITE: &str = "noentry";
/// A time attribute never claims more than this, in milliseconds: about 31 years. The crate adds the
/// times up and must not overflow, whatever a saved report says.
const LONGEST_MS: u64 = 1_000_000_000_000;

/// Which readers the file is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Dialect {
    /// With `file` and `line` on every case, as GitHub and GitLab readers use them.
    #[default]
    Located,
    /// Strictly what `junit-10.xsd` of Jenkins' xUnit plugin allows: without those two attributes.
    /// The place stands in the text in both dialects.
    Strict,
}

/// Why a report could not be written. Both are our own fault.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The crate could not write.
    #[error("JUnit could not be written: {0}")]
    Write(#[from] junit_report::Error),
    /// What the crate wrote could not be read to add to it.
    #[error("JUnit could not be completed: {0}")]
    Complete(#[from] quick_xml::Error),
    /// The sink could not be written.
    #[error("JUnit could not be completed: {0}")]
    Io(#[from] std::io::Error),
    /// What was written is not UTF-8.
    #[error("JUnit is not UTF-8: {0}")]
    Utf8(#[from] std::string::FromUtf8Error),
}

/// The round as JUnit XML.
///
/// # Errors
/// If the XML could not be put together, which no round should bring about.
pub fn render(report: &RoundReport, dialect: Dialect) -> Result<String, Error> {
    let cases = cases::of(report);
    let mut suite = TestSuiteBuilder::new(SUITE);
    suite.set_timestamp(timestamp(report.started));
    suite.add_testcases(cases.iter().map(|case| test_case(case, dialect)));
    suite.testsuite.hostname = visible(
        report
            .vantage
            .name
            .as_deref()
            .unwrap_or(&report.vantage.environment),
    );
    SUITE.clone_into(&mut suite.testsuite.package);
    if report.withheld {
        suite.set_system_out(&xml_cdata(&withheld::notice().text()));
    }
    let suite = suite.build();
    let mut plain = Vec::new();
    ReportBuilder::new()
        .add_testsuite(suite)
        .build()
        .write_xml(&mut plain)?;
    around::complete(&plain, report, &cases, dialect)
}

fn test_case(case: &Case, dialect: Dialect) -> TestCase {
    let name = visible(&case.name);
    let message = visible(&case.message);
    let milliseconds = i64::try_from(case.took_ms.min(LONGEST_MS)).unwrap_or(0);
    let time = Duration::milliseconds(milliseconds);
    let mut builder = match case.rank {
        Rank::Blocked => TestCaseBuilder::success(&name, time),
        Rank::Exposed => TestCaseBuilder::failure(&name, time, "exposed", &message),
        // The crate's own way to skip knows no time.
        Rank::Waived => TestCaseBuilder {
            testcase: TestCase {
                time,
                ..TestCase::skipped_with_cause(&name, case.rank.as_str(), &message)
            },
        },
        // Never skipped: a skipped case does not fail a build.
        Rank::Inconclusive => TestCaseBuilder::error(&name, time, case.reason, &message),
    };
    match case.rank {
        Rank::Blocked | Rank::Waived => builder.set_system_out(&xml_cdata(&case.text)),
        Rank::Exposed | Rank::Inconclusive => builder.set_trace(&xml_cdata(&case.text)),
    };
    builder.set_classname(&visible(&case.class));
    if dialect == Dialect::Located {
        builder.set_filepath(&visible(&case.position.file));
    }
    builder.build()
}

/// The start in a form that the crate can write: it panics outside of the years 0 to 9999 and at
/// offsets with seconds.
pub(super) fn timestamp(started: OffsetDateTime) -> OffsetDateTime {
    started
        .checked_to_offset(time::UtcOffset::UTC)
        .filter(|utc| (0..=9999).contains(&utc.year()))
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
