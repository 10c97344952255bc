//! noentry before a real firewall: nftables, nginx, BIND and many other servers in network
//! namespaces.
//!
//! Needs no privilege where the kernel lets anybody have a user namespace, and root elsewhere. Where
//! neither works, or a program is missing, every scenario is reported as ignored with the reason;
//! with `NOENTRY_REQUIRE_LAB=1` in the environment that is an error. Traffic never leaves the
//! namespaces.
//!
//! `cargo test --test lab` runs the scenarios. `cargo test --test lab -- shell [COMMAND…]` opens a
//! shell (or runs a command) on the runner of a standing laboratory, to put a configuration of your
//! own to the test; `README.md` beside this file has the map.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stderr,
    reason = "a test program without the usual harness"
)]

mod authorities;
mod broken;
mod holder;
mod lab;
mod round;
mod scenarios;
mod servers;
mod services;
mod zones;

use std::env;
use std::process::ExitCode;

use holder::{Ground, Holder};
use lab::{Lab, Place};
use libtest_mimic::{Arguments, Failed, Trial};
use services::Server;

/// The programs that a laboratory is made of, and Debian's packages for them.
const PROGRAMS: [(&str, &str); 27] = [
    ("aiosmtpd", "python3-aiosmtpd"),
    ("caddy", "caddy"),
    ("chronyd", "chrony"),
    ("/usr/lib/ipsec/charon", "strongswan-charon"),
    ("/usr/lib/ipsec/stroke", "strongswan-starter"),
    ("coap-server-notls", "libcoap3-bin"),
    ("dnsmasq", "dnsmasq-base"),
    ("ip", "iproute2"),
    ("kamailio", "kamailio"),
    ("ss", "iproute2"),
    ("kill", "procps"),
    ("memcached", "memcached"),
    ("named", "bind9"),
    ("nft", "nftables"),
    ("nginx", "nginx"),
    ("nsenter", "util-linux"),
    ("openssl", "openssl"),
    ("openvpn", "openvpn"),
    ("python3", "python3"),
    ("rpcbind", "rpcbind"),
    ("samba", "samba-ad-dc samba-ad-provision"),
    ("setpriv", "util-linux"),
    ("snmpd", "snmpd"),
    ("sshd", "openssh-server"),
    ("strace", "strace"),
    ("turnserver", "coturn"),
    ("unshare", "util-linux"),
];

fn main() -> ExitCode {
    let ground = find_ground();
    let mut words = env::args().skip(1);
    if words.next().as_deref() == Some("shell") {
        return match ground {
            Ok(ground) => shell(ground, words),
            Err(why) => refuse(&why),
        };
    }
    let mut arguments = Arguments::from_args();
    // A scenario waits more than it computes: there is room for many a core.
    arguments.test_threads.get_or_insert(14);
    if let Err(why) = &ground
        && !arguments.list
    {
        if env::var_os("NOENTRY_REQUIRE_LAB").is_some_and(|value| value == "1") {
            return refuse(why);
        }
        eprintln!(
            "\nWARNING: the laboratory cannot be built here, so NOTHING below was tested against a \
             real firewall.\n{why}\n"
        );
    }
    let trials = in_order()
        .into_iter()
        .map(|(name, scenario)| {
            let ground = ground.clone();
            let ignored = ground.is_err();
            let run = move || {
                scenario(ground.map_err(Failed::from)?);
                Ok(())
            };
            Trial::test(*name, run).with_ignored_flag(ignored)
        })
        .collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// A name, and what to do.
type Scenario = (&'static str, fn(holder::Ground));

/// The scenarios, with those that wait for a turn spread among the others: what waits takes a thread.
fn in_order() -> Vec<&'static Scenario> {
    let waits = |scenario: &&Scenario| scenario.0.starts_with("every_door::");
    let (turns, others): (Vec<&Scenario>, Vec<&Scenario>) = scenarios::ALL.iter().partition(waits);
    let step = others.len().div_ceil(turns.len().max(1)).max(1);
    let mut turns = turns.into_iter();
    let mut ordered = Vec::new();
    for some in others.chunks(step) {
        ordered.extend(turns.next());
        ordered.extend(some);
    }
    ordered.extend(turns);
    ordered
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("error: the laboratory cannot be built here\n{why}");
    ExitCode::FAILURE
}

/// Finds out what this machine allows by doing it once.
fn find_ground() -> Result<Ground, String> {
    let missing: Vec<_> = PROGRAMS
        .iter()
        .filter(|(program, _)| {
            let mut look = holder::bare("sh");
            look.args(["-c", &format!("command -v {program}")])
                .stdout(std::process::Stdio::null());
            !look.status().is_ok_and(|status| status.success())
        })
        .collect();
    if !missing.is_empty() {
        let programs: Vec<_> = missing.iter().map(|(program, _)| *program).collect();
        let mut packages: Vec<_> = missing.iter().map(|(_, package)| *package).collect();
        packages.dedup();
        return Err(format!(
            "not installed: {}\nOn Debian and Ubuntu: apt-get install {}",
            programs.join(", "),
            packages.join(" ")
        ));
    }
    let mut why = Vec::new();
    for ground in Ground::ALL {
        match Holder::start(ground).and_then(|holder| holder.try_to_enter()) {
            Ok(()) => return Ok(ground),
            Err(said) => why.push(format!("{ground:?}: {said}")),
        }
    }
    Err(why.join("\n"))
}

/// Runs a command, or a shell, on the runner of a laboratory with all there is.
fn shell(ground: Ground, words: impl Iterator<Item = String>) -> ExitCode {
    let lab = Lab::with(ground, &Server::ALL);
    lab.syn_proxy();
    let mut command = lab.signallable(Place::Runner);
    // Another mount namespace means another working directory; the same one is gone back to.
    let here = env::current_dir().unwrap_or_default();
    command
        .args(["sh", "-c", "cd \"$0\" && exec \"$@\""])
        .arg(here);
    let words: Vec<_> = words.collect();
    if words.is_empty() {
        command.arg("sh");
    } else {
        command.args(words);
    }
    for name in ["TERM", "HOME"] {
        if let Some(value) = env::var_os(name) {
            command.env(name, value);
        }
    }
    // The name servers of the laboratory, for clients that ask the system.
    lab.system_resolvers(&[zones::TRUTH]);
    match command.status() {
        Ok(status) if status.success() => ExitCode::SUCCESS,
        Ok(_) | Err(_) => ExitCode::FAILURE,
    }
}
