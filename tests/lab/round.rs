//! Running noentry in the laboratory, and reading what it found.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use noentry::domain::finding::{EndpointReport, Finding};
use noentry::domain::observation::{Attempt, Evidence, IcmpError, Outcome, StoppedBy};
use noentry::domain::reach::Reach;
use noentry::domain::report::RoundReport;
use noentry::domain::verdict::Verdict;
use quick_xml::events::Event;

use crate::lab::{DIR, Lab, Place};

/// No round of a scenario takes this long, on however busy a machine. Beyond it noentry hangs.
const LONGEST_ROUND: Duration = Duration::from_secs(90);

/// The laboratory's network closes no port on the way out, but where a scenario does it. Most scenarios are
/// about something else; what it takes where nobody says so is in `scenarios/own_side.rs`.
pub const UNFILTERED: &str = "vantage: { unfiltered: true }\n";

/// The head with more under `vantage`.
pub fn with_vantage(head: &str, vantage: &str) -> String {
    let longer = format!("vantage: {{ unfiltered: true, {vantage} }}\n");
    head.replace(UNFILTERED, &longer)
}

/// How a configuration of the laboratory begins: everything but the list of targets.
pub fn head(resolvers: &[&str], controls: &[&str]) -> String {
    head_at(
        "timeout: 1.6s, attempts: 2, interval: 300ms",
        resolvers,
        controls,
    )
}

/// The same at another pace.
pub fn head_at(pace: &str, resolvers: &[&str], controls: &[&str]) -> String {
    let resolvers = match resolvers {
        [] => String::new(),
        list => format!("resolvers: [{}]\n", list.join(", ")),
    };
    let controls = match controls {
        [] => String::new(),
        list => format!("controls:\n  - {}\n", list.join("\n  - ")),
    };
    format!(
        "version: 1\n\
         {resolvers}\
         {UNFILTERED}\
         defaults: {{ probe_non_global: true, {pace} }}\n\
         {controls}targets:\n"
    )
}

/// One target, as it stands in the list.
pub fn target(name: &str, rest: &str) -> String {
    format!("  - {{ name: \"{name}\", {rest} }}\n")
}

/// A round that is under way.
pub struct Running {
    child: Child,
    json: PathBuf,
    junit: PathBuf,
}

/// A round that is over.
pub struct Round {
    /// noentry's exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub stdout: String,
    /// What it wrote to `--json`.
    pub report: RoundReport,
}

/// What is true of a finding: its name, the verdict, the word for the reason, and the reach (one of
/// these; none where nothing could be seen).
pub struct Truth<'a>(pub &'a str, pub Verdict, pub &'a str, pub &'a [Reach]);

impl Lab {
    /// Starts `noentry check` on the runner.
    pub fn start(&self, config: &str) -> Running {
        self.start_under(&[], config)
    }

    /// The same under another program, such as `prlimit`.
    pub fn start_under(&self, under: &[&str], config: &str) -> Running {
        static ROUNDS: AtomicU32 = AtomicU32::new(0);
        let round = ROUNDS.fetch_add(1, Ordering::Relaxed);
        let config = self.write(&format!("{round}.yml"), config);
        let json = Path::new(DIR).join(format!("{round}.json"));
        let junit = Path::new(DIR).join(format!("{round}.xml"));
        let mut command: Command = self.signallable(Place::Runner);
        command
            .args(under)
            .args([env!("CARGO_BIN_EXE_noentry"), "check"])
            .arg("--config")
            .arg(config)
            .arg("--json")
            .arg(&json)
            .arg("--junit")
            .arg(&junit)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Running {
            child: command.spawn().expect("noentry starts"),
            json,
            junit,
        }
    }

    /// Waits for the end of a round, and holds it against what must be true of every round.
    pub fn finish(&self, mut running: Running) -> Round {
        let mut pipes = (running.child.stdout.take(), running.child.stderr.take());
        // The pipes are read beside the waiting, or a long report would fill them.
        let reader = std::thread::spawn(move || {
            let (mut stdout, mut stderr) = (String::new(), String::new());
            if let (Some(out), Some(err)) = (&mut pipes.0, &mut pipes.1) {
                let _ = out.read_to_string(&mut stdout);
                let _ = err.read_to_string(&mut stderr);
            }
            (stdout, stderr)
        });
        let end = Instant::now() + LONGEST_ROUND;
        let status = loop {
            if let Some(status) = running.child.try_wait().expect("it was started") {
                break status;
            }
            if Instant::now() > end {
                let _ = running.child.kill();
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        let (stdout, stderr) = reader.join().expect("reading cannot panic");
        let said = || format!("{status}\n{stdout}{stderr}");
        let json = self
            .read(&running.json)
            .unwrap_or_else(|| panic!("no report.json: {}", said()));
        // As noentry itself takes it back: what it claims must follow from what it holds.
        let report = noentry::report::json::parse(&json)
            .unwrap_or_else(|error| panic!("report.json: {error}\n{json}"));
        let junit = self
            .read(&running.junit)
            .unwrap_or_else(|| panic!("no JUnit: {}", said()));
        let code = status
            .code()
            .unwrap_or_else(|| panic!("no exit code: {}", said()));
        let round = Round {
            code,
            stdout,
            report,
        };
        round.hold_together(&junit);
        round
    }

    /// A whole round.
    pub fn round(&self, config: &str) -> Round {
        self.finish(self.start(config))
    }
}

impl Running {
    /// Sends a signal by name, such as `TERM`.
    pub fn signal(&self, signal: &str) {
        let sent = crate::holder::bare("kill")
            .args(["-s", signal, &self.child.id().to_string()])
            .status();
        assert!(sent.is_ok_and(|status| status.success()), "kill -{signal}");
    }
}

impl Round {
    /// What must be true of every round, whatever it found.
    fn hold_together(&self, junit: &str) {
        let report = &self.report;
        let all = serde_json::to_string_pretty(report).unwrap_or_default();
        assert_eq!(
            report.verdict,
            RoundReport::worst(&report.findings),
            "{all}"
        );
        let code = match report.verdict {
            Verdict::Blocked => 0,
            Verdict::Exposed => 1,
            Verdict::Inconclusive => 3,
        };
        assert_eq!(self.code, code, "the exit code of {all}");
        for finding in &report.findings {
            let said = self.stdout.contains(&finding.target.name);
            let said = said || finding.verdict != Verdict::Exposed;
            assert!(said, "an exposure is kept quiet: {}", self.stdout);
            let endpoints = finding.endpoints.iter().filter(|e| e.counts());
            let endpoints = endpoints.map(|e| e.verdict);
            let names = finding.name_verdicts.iter().map(|n| n.verdict);
            // A finding without parts could only be blocked by having looked at nothing.
            let worst = endpoints.chain(names).max();
            assert_eq!(Some(finding.verdict), worst, "{finding:#?}");
            for endpoint in &finding.endpoints {
                let silent = endpoint.reach == Some(Reach::NoAnswer);
                let proven = endpoint.rests_on.is_some() || endpoint.verdict != Verdict::Blocked;
                assert!(
                    !silent || proven,
                    "silence without a control: {endpoint:#?}"
                );
            }
        }
        let (failures, errors) = count_junit(junit);
        let has = |verdict| report.findings.iter().any(|f| f.verdict == verdict);
        assert_eq!(failures > 0, has(Verdict::Exposed), "{junit}");
        if has(Verdict::Inconclusive) {
            assert!(errors > 0, "{junit}");
        }
        if report.verdict == Verdict::Blocked {
            assert_eq!((failures, errors), (0, 0), "{junit}");
        }
    }

    /// The finding of this name.
    pub fn finding(&self, name: &str) -> &Finding {
        self.report
            .findings
            .iter()
            .find(|f| f.target.name == name)
            .unwrap_or_else(|| panic!("no finding named {name}"))
    }

    /// Holds findings against what is true, and says everything that differs, not the first only.
    pub fn expect(&self, truth: &[Truth]) {
        let mut wrong = String::new();
        for Truth(name, verdict, reason, reaches) in truth {
            let finding = self.finding(name);
            let reach_is_true = match finding.reach {
                Some(reach) => reaches.contains(&reach),
                None => reaches.is_empty(),
            };
            if (finding.verdict, finding.reason.as_str()) != (*verdict, *reason) || !reach_is_true {
                let _ = writeln!(
                    wrong,
                    "{name}: found {} ({}) {:?}, true is {verdict} ({reason}) {reaches:?}\n{finding:#?}",
                    finding.verdict,
                    finding.reason.as_str(),
                    finding.reach,
                );
            }
        }
        assert!(wrong.is_empty(), "{wrong}");
    }

    /// Holds that nothing at all came out as blocked: no finding, and no part of one.
    pub fn expect_nothing_blocked(&self) {
        for finding in &self.report.findings {
            let endpoints = finding.endpoints.iter().map(|e| e.verdict);
            let names = finding.name_verdicts.iter().map(|n| n.verdict);
            for verdict in endpoints.chain(names).chain([finding.verdict]) {
                assert_ne!(verdict, Verdict::Blocked, "{finding:#?}");
            }
        }
    }
}

/// How many `failure` and `error` elements there are.
fn count_junit(junit: &str) -> (usize, usize) {
    let mut reader = quick_xml::Reader::from_str(junit);
    let (mut failures, mut errors) = (0, 0);
    loop {
        match reader.read_event().expect("JUnit is well-formed") {
            Event::Start(tag) | Event::Empty(tag) => match tag.name().as_ref() {
                b"failure" => failures += 1,
                b"error" => errors += 1,
                _ => {}
            },
            Event::Eof => return (failures, errors),
            _ => {}
        }
    }
}

/// The endpoint of a finding with this address.
pub fn endpoint<'a>(finding: &'a Finding, address: &str) -> &'a EndpointReport {
    let address: IpAddr = address.parse().expect("an address");
    finding
        .endpoints
        .iter()
        .find(|e| e.endpoint.address == address)
        .unwrap_or_else(|| panic!("no endpoint {address} in {finding:#?}"))
}

/// All evidence of an endpoint, in the order of its attempts.
pub fn evidence(endpoint: &EndpointReport) -> impl Iterator<Item = &Evidence> {
    endpoint
        .attempts
        .iter()
        .filter_map(|a| a.evidence.as_deref())
}

/// The ICMP errors that stopped an endpoint's attempts.
pub fn icmp(endpoint: &EndpointReport) -> Vec<&IcmpError> {
    evidence(endpoint)
        .filter_map(|e| match &e.stopped_by {
            Some(StoppedBy::Icmp(error)) => Some(error),
            _ => None,
        })
        .collect()
}

/// Whether an attempt saw something, rather than being unable to look.
pub fn saw(attempt: &Attempt) -> bool {
    matches!(attempt.outcome, Outcome::Reached(_))
}
