//! `noentry demo`: a small estate on loopback, and the real check against it.
//!
//! Nothing here is rehearsed: the servers are real, the configuration is read from the file that the
//! demo wrote, and the round is the one that `check` runs. The demo only adds the comparison with
//! what was built.

mod dns;
mod doors;

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use super::check;
use super::output::{print, warn};
use crate::cli::{CheckArgs, ConfigArgs, DemoArgs, Incidents, OutputArgs};
use crate::domain::finding::Finding;
use crate::domain::reach::Reach;
use crate::domain::verdict::Verdict;
use crate::exit::Exit;
use dns::NameServer;
use doors::{Doors, html};

/// One door with what the round must find there.
struct Door {
    name: &'static str,
    verdict: Verdict,
    reach: Reach,
    /// The target's lines in the configuration, after its name.
    yaml: String,
}

/// The whole estate.
struct Estate {
    doors: Vec<Door>,
    config: String,
    _servers: Doors,
    _names: NameServer,
}

/// Builds the estate, checks it, and compares. Needs no network and no privileges.
pub(super) async fn run(args: &DemoArgs) -> Exit {
    let estate = match build().await {
        Ok(estate) => estate,
        Err(error) => {
            warn(&format!(
                "the demo could not open its doors on 127.0.0.1: {error}"
            ));
            return Exit::Unreported;
        }
    };
    let path = |name: &str| args.out.join(name);
    let config = path("noentry.yml");
    let written =
        std::fs::create_dir_all(&args.out).and_then(|()| std::fs::write(&config, &estate.config));
    if let Err(error) = written {
        warn(&format!("cannot write {}: {error}", config.display()));
        return Exit::Unreported;
    }
    let check_args = CheckArgs {
        config: ConfigArgs {
            config: Some(config),
            vars: Vec::new(),
        },
        outputs: OutputArgs {
            junit: Some(path("junit.xml")),
            json: Some(path("report.json")),
            summary: Some(path("summary.md")),
            ..OutputArgs::default()
        },
        incidents: Incidents::Folder(path("incidents")),
        ..CheckArgs::default()
    };
    // The demo's findings are not the user's: nothing of them goes into a workflow's summary.
    let (report, exit) = match check::round(&check_args, check::Surroundings::Demo).await {
        Ok(round) => round,
        Err(refused) => return refused.shown(),
    };
    let wrong = differences(&estate.doors, &report.findings);
    let printed = print(&closing(&args.out, exit, &wrong));
    if !wrong.is_empty() {
        Exit::Inconclusive
    } else if exit == Exit::Unreported {
        exit
    } else {
        printed
    }
}

async fn build() -> io::Result<Estate> {
    let mut doors = Doors::default();
    let shop = doors.http(html(200, "OK", "Shop", "")).await?;
    let admin = doors
        .http(html(200, "OK", "Admin console", "server: demo\r\n"))
        .await?;
    let login = doors
        .http(html(302, "Found", "Moved", "location: /login\r\n"))
        .await?;
    let waf = doors
        .http(html(403, "Forbidden", "Forbidden", "server: demo-waf\r\n"))
        .await?;
    let vault = doors.mutual_tls("vault.demo.test").await?;
    let database = doors.closed()?;
    let names = NameServer::start(&[
        "shop.demo.test",
        "admin.demo.test",
        "backoffice.demo.test",
        "api.demo.test",
        "vault.demo.test",
        "db.demo.test",
    ])
    .await?;

    let list = vec![
        door(
            "Admin console",
            Verdict::Exposed,
            Reach::Served,
            &format!("url: http://admin.demo.test:{admin}/"),
        ),
        door(
            "Back office",
            Verdict::Exposed,
            Reach::Served,
            &format!("url: http://backoffice.demo.test:{login}/"),
        ),
        door(
            "API behind the WAF",
            Verdict::Blocked,
            Reach::Denied,
            &format!(
                "url: http://api.demo.test:{waf}/\n    barrier: http\n    \
                 denial: {{ status: [403], header: {{ server: demo-waf }} }}"
            ),
        ),
        door(
            "Vault with mutual TLS",
            Verdict::Blocked,
            Reach::TlsRefused,
            &format!("url: https://vault.demo.test:{vault}/\n    barrier: tls"),
        ),
        door(
            "Orders database",
            Verdict::Blocked,
            Reach::Refused,
            &format!("tcp: db.demo.test:{database}"),
        ),
        door(
            "Intranet",
            Verdict::Blocked,
            Reach::NoName,
            "dns: intranet.demo.test\n    barrier: dns",
        ),
    ];
    #[cfg(target_os = "linux")]
    let list = {
        let ssh = doors.silent().await?;
        let ssh = door(
            "SSH behind the firewall",
            Verdict::Blocked,
            Reach::NoAnswer,
            &format!("tcp: db.demo.test:{ssh}"),
        );
        list.into_iter().chain([ssh]).collect::<Vec<_>>()
    };
    let config = config(&list, &names, shop);
    Ok(Estate {
        doors: list,
        config,
        _servers: doors,
        _names: names,
    })
}

fn door(name: &'static str, verdict: Verdict, reach: Reach, yaml: &str) -> Door {
    Door {
        name,
        verdict,
        reach,
        yaml: yaml.to_owned(),
    }
}

fn config(doors: &[Door], names: &NameServer, control: u16) -> String {
    let mut text = format!(
        "# Written by `noentry demo`. Its servers are gone; the shape is the one of a real file.\n\
         version: 1\n\
         defaults:\n  \
           timeout: 700ms\n  \
           attempts: 3\n  \
           interval: 200ms\n  \
           probe_non_global: true   # the demo lives on loopback\n\
         resolvers: [\"{}\"]\n\
         controls:                  # must be reachable, or silence proves nothing\n  \
           - tcp: shop.demo.test:{control}\n\
         vantage:\n  \
           unfiltered: true         # loopback closes no port; elsewhere, a control on the port proves it\n\
         targets:\n",
        names.address
    );
    for door in doors {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "  - name: {}\n    {}", door.name, door.yaml);
    }
    text
}

/// The doors that were not found as they were built, one line each.
fn differences(doors: &[Door], findings: &[Finding]) -> Vec<String> {
    doors
        .iter()
        .filter_map(|door| {
            let found = findings.iter().find(|f| f.target.name == door.name);
            let seen = found.map(|f| (f.verdict, f.reach));
            if seen == Some((door.verdict, Some(door.reach))) {
                return None;
            }
            let seen = match seen {
                Some((verdict, Some(reach))) => format!("{verdict} ({reach})"),
                Some((verdict, None)) => verdict.to_string(),
                None => "not looked at".to_owned(),
            };
            let (name, verdict, reach) = (door.name, door.verdict, door.reach);
            Some(format!(
                "{name}: built to be {verdict} ({reach}), found {seen}"
            ))
        })
        .collect()
}

fn closing(out: &Path, exit: Exit, wrong: &[String]) -> String {
    let mut text = String::new();
    let _ = writeln!(
        text,
        "\nThe demo built these doors itself, so the exposures are as they should be. `noentry \
         check` would have ended with exit code {}.",
        exit.code()
    );
    if wrong.is_empty() {
        let _ = writeln!(text, "Every door was found as it was built.");
    } else {
        let _ = writeln!(text, "These doors were not found as they were built:");
        for line in wrong {
            let _ = writeln!(text, "  {line}");
        }
    }
    let files = [
        "noentry.yml",
        "report.json",
        "junit.xml",
        "summary.md",
        "incidents",
    ];
    let files: [PathBuf; 5] = files.map(|name| out.join(name));
    let _ = writeln!(text, "Look at:");
    for file in files {
        let _ = writeln!(text, "  {}", file.display());
    }
    text
}
