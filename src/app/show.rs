//! The commands that only print: `validate`, `schema`, `completions`, `man`.

use std::collections::BTreeSet;
use std::io::{self, Write as _};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use time::OffsetDateTime;

use super::check;
use super::output::{print, warn};
use crate::cli::{Cli, ConfigArgs, SchemaKind};
use crate::config::{self, Overrides};
use crate::domain::endpoint::Transport;
use crate::domain::target::{Barrier, Plan, Target, TargetKind};
use crate::domain::waiver::{WaiverReport, WaiverState};
use crate::exit::Exit;
use crate::report::{count, json};

/// Reads the configuration and says whether it is good.
pub(super) fn validate(args: &ConfigArgs) -> Exit {
    let Some(plan) = check::plan(args, &Overrides::default()) else {
        return Exit::Usage;
    };
    let own = plan.targets.iter().filter(|t| t.control.is_some()).count();
    let mut text = format!(
        "{}: {}, {} for all of them",
        plan.config,
        count(plan.targets.len(), "target"),
        count(plan.controls.len(), "control"),
    );
    if own > 0 {
        text.push_str(", and ");
        text.push_str(&count(own, "control"));
        text.push_str(" for single ones");
    }
    text.push('\n');
    if own == 0 && plan.controls.is_empty() {
        text.push_str(NO_CONTROL);
    }
    let lacking: BTreeSet<Lack> = plan.targets.iter().filter_map(|t| lack(&plan, t)).collect();
    for lack in lacking {
        text.push_str(&lack.hint());
    }
    let now = OffsetDateTime::now_utc();
    for target in &plan.targets {
        if let Some(waiver) = &target.waiver {
            text.push_str(&ends(&target.name, &waiver.at(now)));
        }
    }
    print(&text)
}

/// A line for a waiver that is over, or about to be.
fn ends(target: &str, waiver: &WaiverReport) -> String {
    let WaiverReport { until, owner, .. } = waiver;
    match waiver.state {
        WaiverState::Active => String::new(),
        WaiverState::ExpiresSoon => {
            format!("hint: the waiver for {target} ends on {until}: ask {owner} what follows\n")
        }
        WaiverState::Expired => format!(
            "hint: the waiver for {target} ended on {until}, so an exposure counts again: ask \
             {owner}, or remove it\n"
        ),
    }
}

/// What no control speaks for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Lack {
    /// A whole transport.
    Transport(Transport),
    /// A port of which controls on other ports say nothing, and the kind of target that is there.
    Port(Transport, u16, &'static str),
}

impl Lack {
    fn hint(&self) -> String {
        let (what, example) = match self {
            Self::Port(transport, port, key) => {
                (format!("{transport} {port}"), format!("{key}: HOST:{port}"))
            }
            Self::Transport(transport) => {
                let example = match transport {
                    Transport::Tcp => "tcp: www.example.com:443",
                    // Not port 53: a control there speaks for that port alone.
                    Transport::Udp => "udp: time.example.com:123",
                    Transport::Icmp => "icmp: www.example.com",
                };
                (transport.to_string(), example.to_owned())
            }
        };
        format!(
            "hint: no control speaks for {what}, so silence over it stays inconclusive: list one under \
             `controls:`, such as `- {example}`\n"
        )
    }
}

/// What a target lacks a control for. What is tried beside it over QUIC does not count: its silence
/// is no verdict.
fn lack(plan: &Plan, target: &Target) -> Option<Lack> {
    let transport = target.kind.transport()?;
    if target.barrier == Barrier::Dns {
        return None;
    }
    let port = target.kind.port();
    let own = target.control.as_deref();
    let controls = || {
        let all = plan.controls.iter().chain(own);
        all.filter(|control| control.kind.transport() == Some(transport))
    };
    let speaks = |port_of: Option<u16>| transport.speaks_for(port_of, port);
    // GitHub Actions has a control over TCP already.
    let built_in = transport == Transport::Tcp && speaks(None);
    if built_in || controls().any(|control| speaks(control.kind.port())) {
        return None;
    }
    match port {
        Some(port) if transport == Transport::Tcp || controls().next().is_some() => {
            let is_quic = matches!(target.kind, TargetKind::Quic { .. });
            let key = if is_quic { "quic" } else { transport.as_str() };
            Some(Lack::Port(transport, port, key))
        }
        Some(_) | None => Some(Lack::Transport(transport)),
    }
}

/// On GitHub Actions there is a built-in control, so the configuration alone is not wrong.
const NO_CONTROL: &str = "\
hint: without a control every silence is inconclusive, except on GitHub Actions: list something that \
must be reachable under `controls:`, such as `- tcp: www.example.com:443`
";

/// Prints a JSON Schema.
pub(super) fn schema(of: SchemaKind) -> Exit {
    print(&match of {
        // `{:#}` of a JSON value is its pretty form, and cannot fail.
        SchemaKind::Config => format!("{:#}\n", config::schema()),
        SchemaKind::Report => json::schema(),
    })
}

/// Prints a completion script.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "noentry", &mut script);
    print(&String::from_utf8_lossy(&script))
}

/// Prints the manual page.
pub(super) fn manual() -> Exit {
    let mut page = Vec::new();
    match write_manual(&mut page) {
        Ok(()) => print(&String::from_utf8_lossy(&page)),
        Err(error) => {
            warn(&format!("cannot print the manual: {error}"));
            Exit::Unreported
        }
    }
}

/// Writes one page for everything. `clap_mangen` would refer to a page for each subcommand, and
/// nobody installs those: their sections stand in this page instead.
fn write_manual(page: &mut Vec<u8>) -> io::Result<()> {
    // The program's own description begins with its name, which the line already has; and the help
    // subcommand explains only itself.
    let mut root = Cli::command()
        .disable_help_subcommand(true)
        .about(env!("CARGO_PKG_DESCRIPTION"));
    root.build();
    let whole = Man::new(root.clone());
    whole.render_title(page)?;
    whole.render_name_section(page)?;
    whole.render_synopsis_section(page)?;
    let description = Man::new(Cli::command());
    description.render_description_section(page)?;
    whole.render_options_section(page)?;
    for command in root.get_subcommands() {
        let mut sections = Vec::new();
        let one = Man::new(command.clone());
        one.render_synopsis_section(&mut sections)?;
        one.render_description_section(&mut sections)?;
        one.render_options_section(&mut sections)?;
        let sections = String::from_utf8_lossy(&sections);
        let name = command.get_name().to_uppercase();
        writeln!(page, ".SH \"NOENTRY {name}\"")?;
        // One level below the command's own heading, which says what the first two are.
        for line in sections.lines() {
            match line {
                ".SH SYNOPSIS" | ".SH DESCRIPTION" => writeln!(page, ".PP")?,
                line => writeln!(page, "{}", line.replacen(".SH ", ".SS ", 1))?,
            }
        }
    }
    whole.render_extra_section(page)?;
    whole.render_version_section(page)
}
