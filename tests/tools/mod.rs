//! Programs that others made, to read what noentry writes: looked for, and run.
//!
//! Where one is missing its test says so and does nothing, unless `NOENTRY_REQUIRE_TOOLS` is 1.
//! `NOENTRY_PYTHON` names the Python that has the packages of `tests/readers/requirements.txt`.

use std::path::Path;
use std::process::Command;

/// The Python that has the packages.
pub fn python() -> String {
    std::env::var("NOENTRY_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether a tool is there. A missing one is an error where tools are required.
pub fn have(what: &str, program: &str, probe: &[&str]) -> bool {
    let found = Command::new(program)
        .args(probe)
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        let required = std::env::var("NOENTRY_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
        assert!(!required, "{what} is required and missing");
        eprintln!("SKIPPED: {what} is missing, so this test checks nothing here");
    }
    found
}

/// Whether a Python package is there.
pub fn have_package(package: &str) -> bool {
    have(
        &format!("the Python package {package}"),
        &python(),
        &["-c", &format!("import {package}")],
    )
}

/// What a program prints that succeeds.
pub fn run(program: &str, arguments: &[&Path]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}
