//! `noentry init`: what it writes is read by noentry itself and by the linters that others made, and
//! what it refuses leaves nothing behind.
//!
//! `actionlint` and `zizmor` are looked for on the path, `script` is part of util-linux. Where one is
//! missing its test says so and does nothing, unless `NOENTRY_REQUIRE_TOOLS` is 1.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may end where it fails"
)]

#[allow(dead_code, reason = "this test needs no door")]
mod program;

use std::fs;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_yaml::Value;
use tempfile::TempDir;

use program::noentry;

const ACTION: &str = "someone/noentry@0123456789abcdef0123456789abcdef01234567";
const CONFIG: &str = ".github/noentry.yml";
const WORKFLOW: &str = ".github/workflows/noentry.yml";

/// Whether a tool is there. A missing one is an error where tools are required.
fn have(program: &str) -> bool {
    let found = Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        let required = std::env::var("NOENTRY_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
        assert!(!required, "{program} is required and missing");
        eprintln!("SKIPPED: {program} is missing, so this test checks nothing here");
    }
    found
}

/// The top of a git repository, as a stranger has it.
fn repository() -> TempDir {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder
}

fn written(folder: &Path, path: &str) -> String {
    fs::read_to_string(folder.join(path)).unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Flags that each lead to another file.
const COMBINATIONS: &[&[&str]] = &[
    &["--url", "https://admin.example.com/login"],
    &[
        "--url=https://admin.example.com/a?b=$c&d=~e",
        "--url=http://10.example.com:8080/'a'",
        "--tcp=db.example.com:5432",
        "--tcp=192.0.43.8:22",
        "--udp=ns1.example.com:53",
        "--udp=game.example.com:27015=hex:ff ff 54",
        "--quic=edge.example.com:443",
        "--icmp=db.example.com",
        "--dns=intranet.example.com",
        "--control=www.example.com:443",
        "--control=udp:time.example.com:123",
        "--control=https://www.example.com/",
        "--every=15m",
        "--unfiltered",
    ],
    &["--dns", "intranet.example.com", "--every", "1d"],
    &["--tcp", "bücher.example:22", "--cron", "23 */6 * * 1-5"],
];

#[test]
fn what_is_written_is_valid_and_no_linter_finds_anything() {
    let linters = have("actionlint") && have("zizmor");
    for flags in COMBINATIONS {
        let folder = repository();
        let run = noentry(folder.path())
            .args(["init", "--action", ACTION])
            .args(*flags)
            .assert()
            .code(0);
        let out = text(&run.get_output().stdout);
        assert!(out.contains(".github/noentry.yml: "), "validated: {out}");
        assert!(out.contains("gh workflow run noentry.yml"), "{out}");
        assert!(!out.contains("not the top"), "{out}");
        noentry(folder.path()).arg("validate").assert().code(0);
        let workflow = written(folder.path(), WORKFLOW);
        assert!(
            workflow.contains(&format!("uses: {ACTION}\n")),
            "{workflow}"
        );
        if linters {
            for (linter, arguments) in [
                ("actionlint", vec![WORKFLOW]),
                (
                    "zizmor",
                    vec![
                        "--offline",
                        "--strict-collection",
                        "--no-progress",
                        ".github",
                    ],
                ),
            ] {
                let output = Command::new(linter)
                    .args(&arguments)
                    .current_dir(folder.path())
                    .env("NO_COLOR", "1")
                    .output()
                    .unwrap();
                let said = text(&output.stdout) + &text(&output.stderr);
                assert!(output.status.success(), "{linter}: {said}\n{workflow}");
            }
        }
    }
}

#[test]
fn the_workflow_has_least_rights_one_round_at_a_time_and_pins_everything() {
    let folder = repository();
    noentry(folder.path())
        .args(["init", "--action", ACTION, "--tcp", "db.example.com:5432"])
        .assert()
        .code(0);
    let read =
        |path: &str| -> Value { serde_yaml::from_str(&written(folder.path(), path)).unwrap() };
    let workflow = read(WORKFLOW);
    assert!(workflow["permissions"].as_mapping().unwrap().is_empty());
    let job = &workflow["jobs"]["noentry"];
    let rights = job["permissions"].as_mapping().unwrap();
    assert_eq!(rights.len(), 2);
    assert_eq!(job["permissions"]["contents"], "read");
    assert_eq!(job["permissions"]["issues"], "write");
    assert_eq!(workflow["concurrency"]["cancel-in-progress"], false);
    assert!(job["timeout-minutes"].is_number());
    let on = &workflow["on"];
    assert_eq!(on["repository_dispatch"]["types"][0], "noentry");
    assert!(on.as_mapping().unwrap().contains_key("workflow_dispatch"));
    let cron = on["schedule"][0]["cron"].as_str().unwrap();
    let minutes = cron.strip_suffix(" * * * *").unwrap().split(',');
    let minutes: Vec<u32> = minutes.map(|minute| minute.parse().unwrap()).collect();
    assert_eq!(minutes[1], minutes[0] + 30);
    assert_eq!(minutes[0] % 2, 1);
    let steps = job["steps"].as_sequence().unwrap();
    for step in steps {
        let (_, commit) = step["uses"].as_str().unwrap().split_once('@').unwrap();
        assert_eq!(commit.len(), 40, "{step:?}");
    }
    assert_eq!(steps[0]["with"]["persist-credentials"], false);
    assert_eq!(steps[2]["if"], "always()");
    assert!(steps[2]["with"]["retention-days"].is_number());

    let config = read(CONFIG);
    assert!(
        config.get("controls").is_none(),
        "no host that nobody named"
    );
    assert_eq!(config["targets"][0]["name"], "PostgreSQL of db.example.com");
}

/// What is refused, and what the message says.
const BAD: &[(&[&str], &str)] = &[
    (&["--action", ACTION], "name a target"),
    (&["--tcp", "db.example.com:5432"], "knows no release"),
    (
        &[
            "--tcp",
            "db.example.com:5432",
            "--action",
            "noentry/noentry@v1",
        ],
        "not pinned",
    ),
    (
        &["--action", ACTION, "--tcp", "db.example.com"],
        "lacks its port",
    ),
    (
        &["--action", ACTION, "--tcp", "10.0.0.1:22"],
        "not globally routable",
    ),
    (
        &["--action", ACTION, "--udp", "vpn.example.com:51820"],
        "accept_silence",
    ),
    (
        &[
            "--action",
            ACTION,
            "--dns",
            "a.example",
            "--dns",
            "a.example",
        ],
        "named twice",
    ),
    (
        &[
            "--action",
            ACTION,
            "--dns",
            "a.example",
            "--control",
            "nonsense",
        ],
        "lacks its port",
    ),
    (
        &[
            "--action",
            ACTION,
            "--dns",
            "a.example",
            "--cron",
            "* * * * *",
        ],
        "more often",
    ),
    (
        &[
            "--action",
            ACTION,
            "--dns",
            "a.example",
            "--cron",
            "1 * * * *",
            "--every",
            "1d",
        ],
        "cannot be used with",
    ),
];

#[test]
fn nothing_is_overwritten_and_a_refusal_leaves_nothing_behind() {
    let init = |folder: &Path, arguments: &[&str]| {
        let mut run = noentry(folder);
        let run = run
            .arg("init")
            .args(arguments)
            .write_stdin("")
            .assert()
            .code(2);
        text(&run.get_output().stderr)
    };
    let good = ["--action", ACTION, "--tcp", "db.example.com:5432"];

    for there in [CONFIG, WORKFLOW, "noentry.yml"] {
        let folder = repository();
        let path = folder.path().join(there);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "mine").unwrap();
        let err = init(folder.path(), &good);
        assert!(
            err.contains(there) && err.contains("nothing is overwritten"),
            "{err}"
        );
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        let others = [CONFIG, WORKFLOW].into_iter().filter(|path| *path != there);
        for other in others {
            assert!(!folder.path().join(other).exists(), "{other}");
        }
    }

    for (arguments, says) in BAD {
        let folder = repository();
        let err = init(folder.path(), arguments);
        assert!(err.contains(says), "{arguments:?}: {err}");
        assert!(!folder.path().join(".github").exists(), "{arguments:?}");
    }
}

#[test]
fn where_github_would_not_read_it_that_is_said() {
    let folder = TempDir::new().unwrap();
    let run = noentry(folder.path())
        .args(["init", "--action", ACTION, "--tcp", "db.example.com:5432"])
        .assert()
        .code(0);
    let out = text(&run.get_output().stdout);
    assert!(out.contains("not the top of a git repository"), "{out}");
}

/// Types lines at a terminal, as a person would, and gives what the terminal showed.
fn typed(folder: &Path, arguments: &str, lines: &str) -> (bool, String) {
    let program = env!("CARGO_BIN_EXE_noentry");
    let mut child = Command::new("script")
        .args(["--quiet", "--return", "--echo", "never", "--command"])
        .arg(format!("{program} init {arguments}"))
        .arg("/dev/null")
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input.write_all(lines.as_bytes()).unwrap();
    let mut shown = String::new();
    child
        .stdout
        .take()
        .unwrap()
        .read_to_string(&mut shown)
        .unwrap();
    drop(input);
    (child.wait().unwrap().success(), shown)
}

#[test]
fn at_a_terminal_it_asks_and_asks_again() {
    if !have("script") {
        return;
    }
    let folder = repository();
    let (ended, shown) = typed(
        folder.path(),
        "",
        "https://admin.example.com/login\nudp:vpn.example.com:51820\ndb.example.com\n\
         db.example.com:5432\n\nwww.example.com:443\n\nperhaps\nYes\nnoentry/noentry@v1\n\
         someone/noentry@0123456789abcdef0123456789abcdef01234567\n",
    );
    assert!(ended, "{shown}");
    for says in [
        "What must nobody outside reach",
        "accept_silence",
        "lacks its port",
        "not pinned",
    ] {
        assert!(shown.contains(says), "{says}: {shown}");
    }
    let config: Value = serde_yaml::from_str(&written(folder.path(), CONFIG)).unwrap();
    assert_eq!(config["targets"].as_sequence().unwrap().len(), 2);
    assert_eq!(config["targets"][1]["tcp"], "db.example.com:5432");
    assert_eq!(config["controls"][0]["tcp"], "www.example.com:443");
    assert!(written(folder.path(), WORKFLOW).contains(ACTION));

    // Somebody who goes away in the middle gets nothing half made.
    let folder = repository();
    let (ended, shown) = typed(folder.path(), "", "db.example.com:5432\n\u{4}");
    assert!(!ended, "{shown}");
    assert!(shown.contains("nothing was written"), "{shown}");
    assert!(!folder.path().join(".github").exists());

    let folder = repository();
    let (ended, shown) = typed(folder.path(), &format!("--action {ACTION}"), "\n");
    assert!(!ended, "{shown}");
    assert!(shown.contains("no target was named"), "{shown}");
}

/// The page that says how to run it.
fn running() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/running.md")).unwrap()
}

#[test]
fn the_command_that_the_documentation_begins_with_works() {
    let page = running();
    let line = page
        .lines()
        .find(|line| line.starts_with("noentry init "))
        .unwrap();
    let folder = repository();
    noentry(folder.path())
        .args(line.split(' ').skip(1))
        .args(["--action", ACTION])
        .assert()
        .code(0);
    assert!(written(folder.path(), CONFIG).contains("url: https://admin.example.com/login"));
}

#[test]
fn the_table_of_costs_follows_its_formula() {
    let page = running();
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        cells
            .iter()
            .any(|cell| cell.starts_with('$'))
            .then_some(cells)
    });
    let mut intervals = Vec::new();
    for cells in rows {
        let (number, unit) = cells[1].split_at(cells[1].len() - 1);
        let number: u32 = number.parse().unwrap();
        let minutes = number
            * [("m", 1), ("h", 60), ("d", 1440)]
                .iter()
                .find(|(u, _)| *u == unit)
                .unwrap()
                .1;
        let billed = 30 * 24 * 60 / minutes;
        assert_eq!(cells[2], billed.to_string());
        for (cell, included) in [(3, 2000), (4, 3000), (5, 0)] {
            // In tenths of a cent, so that nothing is rounded.
            let price = billed.saturating_sub(included) * 6;
            let shown = format!("${}.{:02}", price / 1000, price % 1000 / 10);
            assert_eq!(cells[cell], shown, "{cells:?}");
            assert_eq!(price % 10, 0);
        }
        intervals.push(cells[1].to_owned());
    }
    let help = noentry(Path::new("."))
        .args(["init", "--help"])
        .assert()
        .code(0);
    let help = text(&help.get_output().stdout);
    for interval in ["15m", "30m", "1h", "6h", "1d"] {
        assert!(intervals.iter().any(|row| row == interval), "{interval}");
        assert!(help.contains(interval), "{interval}: {help}");
    }
}
