//! noentry goes round your doors from the outside, on a schedule, and proves that they are locked.
//!
//! Everybody can monitor that a site is up. noentry monitors that a *target* can **not** be reached:
//! it passes when an outsider is stopped, says how far he got and what stopped him, and never takes
//! its own blindness for safety.
//!
//! The way of the data has one direction:
//!
//! ```text
//! noentry.yml ─ config ─▶ Plan ─ round ─▶ RoundReport ─ report ─▶ console · JSON · JUnit · summary
//!                                 │
//!                     controls, probes, controls
//! ```
//!
//! - [`config`] reads the file and resolves it into a [`Plan`](domain::target::Plan), or says with line
//!   and column everything that is wrong with it.
//! - [`round`] tries the *controls* (what must be reachable, or silence proves nothing), then every
//!   *endpoint* of every target in *attempts* spread over time, then the controls again.
//! - [`probe`] climbs one endpoint, DNS, TCP, TLS, HTTP, and hands back an
//!   [`Observation`](domain::observation::Observation): how far it got on the ladder of
//!   [`Reach`](domain::reach::Reach), or why this machine was blind.
//! - [`domain::verdict`] is the only place that turns observations into `blocked`, `exposed` or
//!   `inconclusive`. It is pure, and its table is tested cell by cell.
//! - [`incident`] compares a round with the incidents that are known, and keeps their trail: one is
//!   opened when a target becomes exposed, and closed when it was seen shut.
//! - [`merge`] makes one round of several: shards of a long list, or looks from several vantages.
//! - [`report`] renders the finished [`RoundReport`](domain::report::RoundReport); each form can be
//!   made again from a saved `report.json`.
//!
//! Four rules decide every doubt. The dangerous error is a false "blocked": what could not be observed
//! is inconclusive. A silence counts only against a control. One positive is never voted down. What
//! the far side sends is hostile.

pub mod actions;
pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod exit;
pub mod incident;
pub mod merge;
pub mod probe;
pub mod report;
pub mod round;
