//! The incident trail in issues, against a GitHub emulator.
//!
//! Rounds are played by the program itself: `noentry incidents --from report.json --incidents github`.
//! What it asks of GitHub goes through a proxy of ours that can fail in every way (`proxy`), then
//! through Prism, which refuses what GitHub's own description does not know, to `emulate`, which keeps
//! repositories, issues, comments and labels. What is asserted is read from the emulator itself.
//!
//! `tests/run` installs both programs below target/tools/npm. Where they are missing the tests say so
//! and do nothing, unless `NOENTRY_REQUIRE_TOOLS` is 1.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod emulator;
mod manners;
mod node;
#[path = "../program/mod.rs"]
mod program;
mod proxy;
mod rounds;
#[path = "../sample/mod.rs"]
mod sample;
mod wire;
mod world;

mod any;
mod checks;
mod faults;
mod forged;
mod ground;
mod life;
mod person;
mod races;
mod refusals;
mod settings;
mod wide;
mod year;
