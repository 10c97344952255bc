//! A sample round with a waiver of every kind.

use noentry::domain::finding::Finding;
use noentry::domain::observation::{Blind, Outcome};
use noentry::domain::report::RoundReport;
use noentry::domain::verdict::{Reason, Verdict};

/// Days as they stand in a sample round, which began on 2026-11-22.
pub const LONG: &str = "2026-12-31";
pub const SOON: &str = "2026-11-29";
pub const OVER: &str = "2026-11-21";

/// Exposed at one address, and nobody could look at another.
pub fn partly() -> Finding {
    let mut finding = super::admin_console();
    "Partner portal".clone_into(&mut finding.target.name);
    let blind = Blind::NoRoute;
    let endpoint = &mut finding.endpoints[1];
    endpoint.verdict = Verdict::Inconclusive;
    endpoint.reason = Reason::Blind { cause: blind };
    endpoint.reach = None;
    endpoint.attempts[0].outcome = Outcome::Blind(blind);
    endpoint.attempts[0].evidence = None;
    super::settle(finding)
}

/// A round with a waiver of every kind.
pub fn round() -> RoundReport {
    super::of(vec![
        super::with_waiver(super::admin_console(), LONG),
        super::with_waiver(super::login_page(), SOON),
        super::with_waiver(super::weaker(), OVER),
        super::with_waiver(partly(), LONG),
        super::with_waiver(super::control_lost(), LONG),
        super::with_waiver(super::silent(), LONG),
        super::refused(),
    ])
}
