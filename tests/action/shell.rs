//! What act runs steps with, and how a program is written by tests that start others beside.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::support::run;

/// The bash that act runs steps with, in a folder of its own, where act's log is too. When a step fails,
/// act closes the terminal that the step wrote to without reading the rest of it
/// (`HostEnvironment.exec`: an error of `cmd.Run` returns before the copying is waited for), so that now
/// and then lines are lost, or all of them. This one says a last word after what failed, and ends when
/// act has logged that: then everything before it was read as well.
pub const SHELL: &str = r#"#!/bin/bash
own=${0%/*}
export PATH=${PATH/"$own:"/}
bash "$@"
code=$?
if [ "$code" -ne 0 ] && [ -t 1 ]; then
    mark="a step has failed: $$-$RANDOM$RANDOM"
    printf '%s\n' "$mark"
    for _ in {1..3000}; do
        if grep -qF "$mark" "$own/log"; then break; fi
        sleep 0.02
    done
fi
exit "$code"
"#;

/// Whether this is the last word of [`SHELL`].
pub fn is_mark(line: &Value) -> bool {
    let said = line["msg"].as_str().unwrap_or_default();
    line["raw_output"] == true && said.starts_with("a step has failed: ")
}

/// Writes a program. Another process does, because a program that a test beside is starting would hold a
/// file of ours open for a moment, and what is open for writing cannot be run.
pub fn script(path: &Path, text: &str) {
    let source = path.with_extension("text");
    fs::write(&source, text).unwrap();
    run(Command::new("install").args([&source, path]));
    fs::remove_file(source).unwrap();
}
