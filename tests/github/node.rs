//! Programs of npm: found, started on a free port of the loopback, and ended with the tests.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How long a program may take until it listens, on a machine that does much else.
const PATIENCE: Duration = Duration::from_mins(5);

/// Where `tests/run` puts them.
fn modules() -> PathBuf {
    here("target/tools/npm/node_modules")
}

pub fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Whether the programs are there. Missing ones are an error where tools are required.
pub fn are_there() -> bool {
    let node = Command::new("node").arg("--version").output();
    let missing = if !node.is_ok_and(|output| output.status.success()) {
        "Node.js"
    } else if !modules().join("emulate").is_dir() {
        "the npm package emulate below target/tools/npm (tests/run installs it)"
    } else if !modules().join("@stoplight/prism-cli").is_dir() {
        "the npm package @stoplight/prism-cli below target/tools/npm (tests/run installs it)"
    } else {
        return true;
    };
    let required = std::env::var("NOENTRY_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
    assert!(!required, "{missing} is required and missing");
    eprintln!("SKIPPED: {missing} is missing, so this test checks nothing here");
    false
}

/// A running program. It ends when its standard input does: at the latest with this process.
pub struct Program {
    pub address: SocketAddr,
    child: Child,
}

impl Program {
    /// Starts a package's program and waits until it listens.
    pub fn start(script: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new("node")
            .arg("--require")
            .arg(here("tests/github/npm/attach.cjs"))
            .arg(modules().join(script))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (said, heard) = mpsc::channel();
        // Read to its end: a program whose output nobody takes stands still.
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if let Some(port) = line.strip_prefix("noentry-port ") {
                    let _ = said.send(port.parse::<u16>().unwrap());
                }
            }
        });
        let port = heard
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|error| panic!("{script} does not listen: {error}"));
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            child,
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
