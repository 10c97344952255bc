//! The process that keeps a laboratory alive.
//!
//! One `unshare` a laboratory: its own user (where the kernel allows), network, mount and process
//! namespaces. Inside, process 1 reads our pipe and does nothing else. When the pipe closes, even
//! because this test program was killed, process 1 ends, the kernel ends everything else in its
//! process namespace, and the namespaces, their files (a tmpfs on `/run`) and their firewalls are
//! gone. Nothing on the machine is changed, so there is nothing to clean away.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// An unprivileged user's `PATH` lacks the places where Debian keeps `ip`, `nft` and `nginx`.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Builds the three namespaces, then says which process to enter, then waits for the pipe to close.
///
/// `/proc` stays the outer one, so the process number that process 1 reads of itself is the one
/// that we need.
const SETUP: &str = include_str!("setup.sh");

/// What this machine allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Namespaces inside a user namespace of our own: no privilege needed.
    UserNamespace,
    /// Namespaces with the privileges of root.
    Root,
}

impl Ground {
    /// In the order in which they are tried.
    pub const ALL: [Self; 2] = [Self::UserNamespace, Self::Root];

    fn unshare(self) -> &'static [&'static str] {
        match self {
            Self::UserNamespace => &["--user", "--map-root-user"],
            Self::Root => &[],
        }
    }

    fn enter(self) -> &'static [&'static str] {
        match self {
            // Whoever made the namespace is root in it already; becoming root once more would need
            // setgroups, which an unprivileged user's namespace does not allow.
            Self::UserNamespace => &["--user", "--preserve-credentials"],
            Self::Root => &[],
        }
    }
}

/// A command with nothing of our own environment: no `GITHUB_*`, no proxy, no language.
pub fn bare(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", PATH).env("LC_ALL", "C");
    command
}

/// A running set of namespaces.
pub struct Holder {
    ground: Ground,
    child: Child,
    pid: u32,
}

impl Holder {
    /// Starts one, or says what the machine objected to.
    pub fn start(ground: Ground) -> Result<Self, String> {
        let mut child = bare("unshare")
            .args(ground.unshare())
            .args(["--net", "--mount", "--pid", "--fork", "--kill-child"])
            .args(["--propagation", "private", "sh", "-euc", SETUP])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("unshare: {error}"))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            // Ends with the line or with the process, whichever comes first.
            let _ = BufReader::new(stdout).read_line(&mut line);
        }
        if let Ok(pid) = line.trim().parse() {
            return Ok(Self { ground, child, pid });
        }
        drop(child.stdin.take());
        let mut said = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = stderr.read_to_string(&mut said);
        }
        let _ = child.wait();
        Err(said.trim().to_owned())
    }

    /// Whether it can be entered, and what was objected to if not.
    pub fn try_to_enter(&self) -> Result<(), String> {
        for own in [true, false] {
            let mut command = self.command(own);
            command.args(["ip", "netns", "exec", "runner", "true"]);
            let output = command
                .output()
                .map_err(|error| format!("nsenter: {error}"))?;
            if !output.status.success() {
                return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
            }
        }
        Ok(())
    }

    /// A command inside, with the same environment as [`bare`].
    ///
    /// With `own`, it belongs to the laboratory's process namespace and ends with it; without, its
    /// process number is the one that we see, so that it can be signalled.
    pub fn command(&self, own: bool) -> Command {
        let mut command = bare("nsenter");
        command
            .args(["--target", &self.pid.to_string(), "--net", "--mount"])
            .args(self.ground.enter());
        if own {
            command.arg("--pid");
        }
        command.arg("--");
        command
    }

    /// Where a file of the laboratory is seen from outside.
    pub fn outside(&self, inside: &Path) -> PathBuf {
        let root = PathBuf::from(format!("/proc/{}/root", self.pid));
        root.join(inside.strip_prefix("/").unwrap_or(inside))
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
