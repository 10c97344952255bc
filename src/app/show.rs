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
use crate::domain::target::{Barrier, Control, Plan, Target};
use crate::domain::waiver::{WaiverReport, WaiverState};
use crate::domain::way::Assumption;
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
    text.push_str(&lacking(&plan));
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

/// What no control speaks for, a line for each transport and one for the ports of each.
fn lacking(plan: &Plan) -> String {
    let mut text = String::new();
    for transport in Transport::ALL {
        let targets = || {
            let climbing = plan.targets.iter().filter(|t| t.barrier != Barrier::Dns);
            climbing.filter(|target| target.kind.transport() == Some(transport))
        };
        let controls = |target: &Target| {
            let all = plan.controls.iter().chain(target.control.as_deref());
            let mut all = all.filter(|control| control.kind.transport() == Some(transport));
            all.next().is_some()
        };
        // GitHub Actions has a control over TCP already.
        if transport != Transport::Tcp && targets().any(|target| !controls(target)) {
            text.push_str(&no_control(transport));
            continue;
        }
        let mut ports: BTreeSet<u16> = targets().filter_map(|t| unproven(plan, t)).collect();
        ports.extend(unproven_guard(plan, transport));
        if !ports.is_empty() {
            text.push_str(&no_control_on(transport, &ports));
        }
    }
    text
}

fn no_control(transport: Transport) -> String {
    let example = match transport {
        Transport::Tcp => "tcp: www.example.com:443",
        // Not port 53 or 123: a control there speaks for that port alone.
        Transport::Udp => "udp: stun.example.com:3478",
        Transport::Icmp => "icmp: www.example.com",
    };
    format!(
        "hint: no control speaks for {transport}, so silence over it stays inconclusive: list one under \
         `controls:`, such as `- {example}`\n"
    )
}

/// Each port wants something that is reached on it, or somebody's word that the network lets it out.
fn no_control_on(transport: Transport, ports: &BTreeSet<u16>) -> String {
    let example = ports.first().copied().unwrap_or_default();
    let key = transport.as_str();
    let all: Vec<String> = ports.iter().map(u16::to_string).collect();
    let all = all.join(", ");
    let said = ports
        .iter()
        .any(|port| Assumption::Said.covers(transport, *port));
    let otherwise = if said {
        "; or, where the network lets every port out, say `vantage: { unfiltered: true }` (assumed on \
         GitHub's standard runners)"
    } else {
        ""
    };
    format!(
        "hint: no control is on {transport} {all}, so silence there counts only where something else is \
         reached on that port: list one under `controls:`, such as `- {key}: HOST:{example}`{otherwise}\n"
    )
}

/// The port of a target whose silence nothing in the file bears out. At the barriers `tls` and `http` the
/// denial that is seen proves the port by itself.
fn unproven(plan: &Plan, target: &Target) -> Option<u16> {
    let (transport, port) = (target.kind.transport()?, target.kind.port()?);
    match target.barrier {
        Barrier::Dns | Barrier::Tls | Barrier::Http => return None,
        Barrier::Network => {}
    }
    let controls = plan.controls.iter().chain(target.control.as_deref());
    lacks(plan, controls, transport, port).then_some(port)
}

/// The same of what only insiders reach: it must be seen to be shut as a target is.
fn unproven_guard(plan: &Plan, transport: Transport) -> Option<u16> {
    let guard = plan.vantage.must_not_reach.as_ref()?;
    let port = guard.kind.port()?;
    let own = guard.kind.transport() == Some(transport);
    (own && lacks(plan, plan.controls.iter(), transport, port)).then_some(port)
}

/// Whether none of these controls is on a port, and nobody says that the network lets it out.
fn lacks<'p>(
    plan: &Plan,
    mut controls: impl Iterator<Item = &'p Control>,
    transport: Transport,
    port: u16,
) -> bool {
    let on_it = |control: &Control| {
        control.kind.transport() == Some(transport) && control.is_on(Some(port))
    };
    let said = plan.vantage.unfiltered == Some(true);
    let assumed = said && Assumption::Said.covers(transport, port);
    !assumed && !controls.any(on_it)
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
