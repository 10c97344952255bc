//! One laboratory: a runner, a router with a firewall, and a server side, all its own.
//!
//! What stands where is fixed and documented in `README.md` beside this file; a scenario changes the
//! firewall, not the map. Everything that has to be waited for is asked for until it is there, with
//! a limit, never slept for.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::holder::{Ground, Holder};
use crate::servers;
use crate::services::{self, Server};
use crate::zones::TRUTH;

/// How long anything of the laboratory itself may take before it counts as broken. Far beyond what
/// a busy machine needs.
const PATIENCE: Duration = Duration::from_mins(2);

/// Files of the laboratory, seen from inside. A tmpfs that ends with it.
pub const DIR: &str = "/run/lab";

/// One of the three places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Where noentry runs.
    Runner,
    /// In between, with the firewall.
    Router,
    /// Where all servers are.
    Server,
}

impl Place {
    const fn name(self) -> &'static str {
        match self {
            Self::Runner => "runner",
            Self::Router => "router",
            Self::Server => "server",
        }
    }
}

/// A laboratory. It ends with this value.
pub struct Lab {
    holder: Holder,
}

impl Drop for Lab {
    /// Where a scenario fails, what the servers said may tell why.
    fn drop(&mut self) {
        if thread::panicking() {
            let script = format!("cd {DIR} && tail -n 5 ./*.log");
            let logs = self
                .command(Place::Server)
                .args(["sh", "-c", &script])
                .output();
            let logs = logs.map(|logs| logs.stdout).unwrap_or_default();
            eprintln!("{}", String::from_utf8_lossy(&logs));
        }
    }
}

impl Lab {
    /// The three places, connected, without a firewall and without servers.
    pub fn bare(ground: Ground) -> Self {
        let holder = Holder::start(ground).expect("the namespaces could be had a moment ago");
        Self { holder }
    }

    /// With the standing firewall (`firewall.nft`, `doors.nft`), nginx, two OpenSSL servers and BIND.
    pub fn standing(ground: Ground) -> Self {
        let lab = Self::bare(ground);
        for place in [Place::Router, Place::Server] {
            let files = [include_str!("firewall.nft"), include_str!("doors.nft")];
            lab.rules(place, &files);
        }
        servers::start(&lab);
        lab
    }

    /// The same, and these servers as well.
    pub fn with(ground: Ground, servers: &[Server]) -> Self {
        let lab = Self::standing(ground);
        services::start(&lab, servers);
        lab
    }

    /// A command at one place that ends with the laboratory.
    pub fn command(&self, place: Place) -> Command {
        self.at(place, true)
    }

    /// A command at one place whose process number is its own, so that it can be signalled. It ends
    /// with the thread that started it.
    pub fn signallable(&self, place: Place) -> Command {
        let mut command = self.at(place, false);
        command.args(["setpriv", "--pdeathsig", "KILL", "--"]);
        command
    }

    fn at(&self, place: Place, own: bool) -> Command {
        let mut command = self.holder.command(own);
        command.args(["ip", "netns", "exec", place.name()]);
        command
    }

    /// Runs a shell script at one place and returns what it wrote.
    pub fn sh(&self, place: Place, script: &str) -> String {
        let mut command = self.command(place);
        command.args(["sh", "-euc", script]);
        run(command, None, script)
    }

    /// Gives commands to nft at one place.
    pub fn nft(&self, place: Place, commands: &str) {
        let mut command = self.command(place);
        command.args(["nft", "-f", "-"]);
        run(command, Some(commands), commands);
    }

    /// Gives nft what files of rules have for one place.
    fn rules(&self, place: Place, files: &[&str]) {
        let rules: String = files
            .iter()
            .flat_map(|file| file.split("# --- "))
            .filter_map(|part| part.strip_prefix(place.name()))
            .collect();
        self.nft(place, &rules);
    }

    /// Puts a SYN proxy before the door 217. Not everywhere has the kernel one, so it does not stand
    /// by itself.
    pub fn syn_proxy(&self) {
        for place in [Place::Router, Place::Server] {
            self.rules(place, &[include_str!("synproxy.nft")]);
        }
        // The proxy needs the third packet of a handshake to be one that belongs to nothing.
        self.sh(
            Place::Router,
            "echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose",
        );
    }

    /// Starts a resolver (`LIAR`) that tells the truth but for what these rules say, see `liar.py`.
    pub fn liar(&self, rules: &[&str]) {
        let script = self.write("liar.py", include_str!("liar.py"));
        let rules = self.write("liar.rules", rules.join("\n") + "\n");
        let (script, rules) = (script.display(), rules.display());
        let start =
            format!("python3 {script} {TRUTH} 5300 {TRUTH} {rules} > {DIR}/liar.log 2>&1 &");
        self.sh(Place::Server, &start);
        self.until_listening(Place::Server, &[&format!("udp {TRUTH}:5300")]);
    }

    /// Has the router say its ICMP errors to the runner from these addresses. They may be the gateway's.
    pub fn router_says_errors_from(&self, v4: &str, v6: &str) {
        let script = format!(
            "ip address replace {v4}/24 dev torunner
             ip address replace {v6}/64 dev torunner nodad
             ip route change 198.18.1.0/24 dev torunner src {v4}
             ip -6 route flush 2001:db8:1::/64 dev torunner
             ip -6 route add 2001:db8:1::/64 dev torunner src {v6}"
        );
        self.sh(Place::Router, &script);
    }

    /// Asks servers without noentry: what `ask.py` says about each of these questions.
    pub fn ask(&self, under: &[&str], questions: &[&str]) -> Vec<String> {
        let script = self.write("ask.py", include_str!("ask.py"));
        let mut command = self.command(Place::Runner);
        command.args(under).arg("python3").arg(script);
        let said = run(command, Some(&questions.join("\n")), "ask.py");
        let answers: Vec<_> = said.lines().map(str::to_owned).collect();
        assert_eq!(answers.len(), questions.len(), "{said}");
        answers
    }

    /// Puts a rule before all others of a chain (`passing`, `incoming`, `outgoing`, `early`).
    pub fn rule(&self, place: Place, chain: &str, rule: &str) {
        self.nft(place, &format!("insert rule inet lab {chain} {rule}"));
    }

    /// Counts the packets that match, from now on, and lets them pass.
    pub fn count(&self, place: Place, chain: &str, name: &str, matching: &str) {
        self.nft(
            place,
            &format!(
                "add counter inet lab {name}\n\
                 insert rule inet lab {chain} {matching} counter name {name}"
            ),
        );
    }

    /// How many packets a counter has seen.
    pub fn counted(&self, place: Place, name: &str) -> u64 {
        let mut command = self.command(place);
        command.args(["nft", "list", "counter", "inet", "lab", name]);
        let said = run(command, None, name);
        let mut words = said.split_whitespace();
        words
            .find(|word| *word == "packets")
            .and_then(|_| words.next())
            .and_then(|number| number.parse().ok())
            .unwrap_or_else(|| panic!("no packet count in {said}"))
    }

    /// Waits until a counter has seen so many packets.
    pub fn until_counted(&self, place: Place, name: &str, packets: u64) {
        until(&format!("{packets} packets in {name}"), || {
            self.counted(place, name) >= packets
        });
    }

    /// Waits until something listens on every one of these (`tcp 9000`, `udp 198.51.100.53:53`).
    pub fn until_listening(&self, place: Place, sockets: &[&str]) {
        let mut missing = sockets.to_vec();
        let end = Instant::now() + PATIENCE;
        while !missing.is_empty() {
            assert!(Instant::now() <= end, "waited in vain for {missing:?}");
            let said = self.sh(place, "ss -Hlntu");
            missing.retain(|socket| {
                let (transport, end) = socket.split_once(' ').expect("transport and socket");
                !said.lines().any(|line| {
                    line.starts_with(transport)
                        && line
                            .split_whitespace()
                            .any(|word| word == end || word.rsplit(':').next() == Some(end))
                })
            });
            if !missing.is_empty() {
                thread::sleep(Duration::from_millis(20));
            }
        }
    }

    /// Writes a file below [`DIR`] and returns its path as seen from inside.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = Path::new(DIR).join(name);
        fs::write(self.holder.outside(&path), content)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        path
    }

    /// Reads a file of the laboratory, if it is there.
    pub fn read(&self, path: &Path) -> Option<String> {
        fs::read_to_string(self.holder.outside(path)).ok()
    }

    /// Makes these the system's resolvers, as seen by everything that starts from now on.
    pub fn system_resolvers(&self, resolvers: &[&str]) {
        let mut text = String::new();
        for resolver in resolvers {
            let _ = writeln!(text, "nameserver {resolver}");
        }
        let file = self.write("resolv.conf", text);
        let mut command = self.holder.command(true);
        command
            .args(["mount", "--bind"])
            .args([&file, Path::new("/etc/resolv.conf")]);
        run(command, None, "mount over /etc/resolv.conf");
    }
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "waited in vain for {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs a command to its end and returns what it wrote; anything but exit code 0 is the
/// laboratory's own fault and ends the scenario.
fn run(mut command: Command, input: Option<&str>, what: &str) -> String {
    command
        .stdin(input.map_or_else(Stdio::null, |_| Stdio::piped()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("nsenter starts");
    if let (Some(mut pipe), Some(input)) = (child.stdin.take(), input) {
        // A reader that ended early says why in its exit code.
        let _ = pipe.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().expect("it was started");
    assert!(
        output.status.success(),
        "{what}\n{}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
