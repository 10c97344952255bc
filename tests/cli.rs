//! The program as a user types it: exit codes, files, what is printed where.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod program;

use std::fs;
use std::path::Path;

use noentry::domain::report::RoundReport;
use noentry::domain::verdict::Verdict;
use tempfile::TempDir;

use program::{door, noentry};

/// A port that answers with a reset: it is taken, and nobody listens.
fn closed() -> (tokio::net::TcpSocket, u16) {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let port = socket.local_addr().unwrap().port();
    (socket, port)
}

const HEAD: &str = "version: 1\nvantage: { unfiltered: true }\ndefaults: { timeout: 900ms, attempts: 2, interval: 50ms, \
                    probe_non_global: true }\n";

fn config(folder: &Path, control: u16, targets: &[(&str, u16)]) {
    use std::fmt::Write as _;
    let mut text = format!("{HEAD}controls: [{{ tcp: '127.0.0.1:{control}' }}]\ntargets:\n");
    for (name, port) in targets {
        writeln!(text, "  - {{ name: {name}, tcp: '127.0.0.1:{port}' }}").unwrap();
    }
    fs::write(folder.join("noentry.yml"), text).unwrap();
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn saved(path: &Path) -> RoundReport {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_exit_code_is_the_verdict() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_open, open) = door();
    let (_closed, closed) = closed();

    config(folder.path(), control, &[("locked", closed)]);
    let run = noentry(folder.path()).arg("check").assert().code(0);
    let out = text(&run.get_output().stdout);
    assert!(out.contains("stopped by TCP reset"), "{out}");
    assert!(!out.contains('\u{1b}'), "no colours into a pipe");

    config(
        folder.path(),
        control,
        &[("locked", closed), ("open", open)],
    );
    let run = noentry(folder.path()).arg("check").assert().code(1);
    let out = text(&run.get_output().stdout);
    assert!(
        out.contains(&format!("TCP {open} accepts connections")),
        "{out}"
    );

    let (_dead, dead) = self::closed();
    config(folder.path(), dead, &[("locked", closed)]);
    let run = noentry(folder.path()).arg("check").assert().code(3);
    let out = text(&run.get_output().stdout);
    assert!(out.contains(&format!("127.0.0.1:{dead}")), "{out}");
}

#[test]
fn a_configuration_may_come_by_standard_input() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_open, open) = door();
    // What lies in the folder is another one.
    fs::write(folder.path().join("noentry.yml"), "version: 2\n").unwrap();
    let yaml = format!(
        "{HEAD}controls: [{{ tcp: '127.0.0.1:{control}' }}]\ntargets:\n  \
         - {{ name: open, tcp: '127.0.0.1:{open}' }}\n"
    );
    let run = noentry(folder.path())
        .args(["check", "--config", "-", "--json", "report.json"])
        // There is no such file in the repository, so there is no link to it.
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_SERVER_URL", "https://github.com")
        .env("GITHUB_REPOSITORY", "acme/doors")
        .env("GITHUB_SHA", "0123456789012345678901234567890123456789")
        .env("GITHUB_RUN_ID", "7")
        .write_stdin(yaml.as_str())
        .assert()
        .code(1);
    drop(run);
    let report = saved(&folder.path().join("report.json"));
    assert_eq!(report.config, "stdin");
    assert_eq!(report.findings[0].target.position.line, 6);
    assert!(report.links.run.is_some(), "{:?}", report.links);
    assert_eq!(report.links.config, None);

    let run = noentry(folder.path())
        .args(["validate", "-c", "-"])
        .write_stdin(yaml.replace("open, tcp: ", "open, tpc: "))
        .assert()
        .code(2);
    let err = text(&run.get_output().stderr);
    assert!(err.contains("stdin:6:19: unknown key `tpc`"), "{err}");
}

#[test]
fn without_a_control_a_reset_is_inconclusive_and_the_hint_says_what_to_add() {
    let folder = TempDir::new().unwrap();
    let (_closed, closed) = closed();
    let yaml = format!("{HEAD}targets: [{{ name: db, tcp: '127.0.0.1:{closed}' }}]\n");
    fs::write(folder.path().join("noentry.yml"), yaml).unwrap();
    let run = noentry(folder.path()).arg("check").assert().code(3);
    let out = text(&run.get_output().stdout);
    assert!(out.contains("no control stands for TCP over IPv4"), "{out}");
    assert!(out.contains("controls:"), "{out}");
}

#[test]
fn wrong_usage_and_wrong_configuration_end_with_2_and_touch_nothing() {
    let folder = TempDir::new().unwrap();
    noentry(folder.path()).assert().code(2);
    noentry(folder.path())
        .args(["check", "--colour"])
        .assert()
        .code(2);
    let run = noentry(folder.path()).arg("check").assert().code(2);
    let err = text(&run.get_output().stderr);
    assert!(err.contains(".github/noentry.yml"), "{err}");
    assert!(err.contains("noentry init"), "{err}");

    fs::write(
        folder.path().join("noentry.yml"),
        "version: 1\ntargts: []\n",
    )
    .unwrap();
    for command in ["check", "validate"] {
        let run = noentry(folder.path()).arg(command).assert().code(2);
        let err = text(&run.get_output().stderr);
        assert!(err.contains("noentry.yml:2:1"), "{err}");
        assert!(err.contains("did you mean `targets`"), "{err}");
    }
}

#[test]
fn a_file_without_its_option_is_answered_with_the_option() {
    let folder = TempDir::new().unwrap();
    let said = |args: &[&str]| {
        let run = noentry(folder.path()).args(args).assert().code(2);
        text(&run.get_output().stderr)
    };
    for command in ["check", "validate"] {
        let err = said(&[command, "doors.yml"]);
        assert!(
            err.contains("tip: a file is named with '--config doors.yml'"),
            "{err}"
        );
    }
    for command in ["report", "incidents"] {
        let err = said(&[command, "report.json"]);
        assert!(
            err.contains("tip: a file is named with '--from report.json'"),
            "{err}"
        );
    }
    for args in [
        &["demo", "doors.yml"],
        &["check", "--colour"],
        &["chek", "doors.yml"],
    ] {
        let err = said(args);
        assert!(!err.contains("a file is named"), "{err}");
    }
}

#[test]
fn the_configuration_is_found_in_the_folder_of_github_first() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_closed, closed) = closed();
    config(folder.path(), control, &[("a", closed)]);
    fs::create_dir(folder.path().join(".github")).unwrap();
    fs::rename(
        folder.path().join("noentry.yml"),
        folder.path().join(".github/noentry.yml"),
    )
    .unwrap();
    fs::write(folder.path().join("noentry.yml"), "not: this one\n").unwrap();
    let run = noentry(folder.path()).arg("validate").assert().code(0);
    let out = text(&run.get_output().stdout);
    assert!(out.starts_with(".github/noentry.yml: 1 target"), "{out}");
}

#[test]
fn one_target_can_be_named_and_a_near_miss_is_answered() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_open, open) = door();
    let (_closed, closed) = closed();
    config(
        folder.path(),
        control,
        &[("locked", closed), ("open", open)],
    );
    noentry(folder.path())
        .args(["check", "--target", "locked"])
        .assert()
        .code(0);
    let run = noentry(folder.path())
        .args(["check", "--target", "lokced"])
        .assert()
        .code(2);
    let err = text(&run.get_output().stderr);
    assert!(err.contains("locked"), "{err}");
}

#[test]
fn variables_come_from_the_command_line_and_from_the_environment() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_closed, closed) = closed();
    let yaml = format!(
        "{HEAD}controls: [{{ tcp: '127.0.0.1:${{CONTROL}}' }}]\n\
         targets: [{{ name: db, tcp: '127.0.0.1:{closed}' }}]\n"
    );
    fs::write(folder.path().join("noentry.yml"), yaml).unwrap();
    let value = format!("CONTROL={control}");
    noentry(folder.path())
        .args(["check", "--var", &value])
        .assert()
        .code(0);
    noentry(folder.path())
        .arg("check")
        .env("CONTROL", control.to_string())
        .assert()
        .code(0);
    let run = noentry(folder.path()).arg("check").assert().code(2);
    assert!(text(&run.get_output().stderr).contains("CONTROL"));
}

#[test]
fn reports_are_written_and_can_be_made_again() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_open, open) = door();
    config(folder.path(), control, &[("open", open)]);
    noentry(folder.path())
        .args([
            "check",
            "--json",
            "out/report.json",
            "--junit",
            "out/junit.xml",
        ])
        .args(["--summary", "out/summary.md"])
        .assert()
        .code(1);
    let out = folder.path().join("out");
    assert_eq!(saved(&out.join("report.json")).verdict, Verdict::Exposed);
    let junit = fs::read_to_string(out.join("junit.xml")).unwrap();
    assert!(junit.contains("type=\"exposed\""), "{junit}");
    assert!(junit.contains("line=\""), "{junit}");

    noentry(folder.path())
        .args([
            "report",
            "--from",
            "out/report.json",
            "--junit",
            "again.xml",
        ])
        .args(["--summary", "again.md", "--json", "again.json"])
        .assert()
        .code(1);
    for (first, again) in [
        ("junit.xml", "again.xml"),
        ("summary.md", "again.md"),
        ("report.json", "again.json"),
    ] {
        let first = fs::read_to_string(out.join(first)).unwrap();
        let again = fs::read_to_string(folder.path().join(again)).unwrap();
        assert_eq!(first, again);
    }
    noentry(folder.path())
        .args([
            "report",
            "--from",
            "out/report.json",
            "--junit",
            "strict.xml",
        ])
        .args(["--junit-dialect", "strict"])
        .assert()
        .code(1);
    let strict = fs::read_to_string(folder.path().join("strict.xml")).unwrap();
    assert!(!strict.contains("line=\""), "{strict}");
    noentry(folder.path())
        .args(["report", "--from", "-"])
        .write_stdin("{\"version\": 99}")
        .assert()
        .code(2);
}

#[test]
fn a_report_that_cannot_be_written_ends_with_4_unless_something_is_exposed() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_open, open) = door();
    let (_closed, closed) = closed();
    fs::write(folder.path().join("file"), "").unwrap();
    for (port, code) in [(closed, 4), (open, 1)] {
        config(folder.path(), control, &[("a", port)]);
        let run = noentry(folder.path())
            .args([
                "check",
                "--junit",
                "file/junit.xml",
                "--json",
                "report.json",
            ])
            .assert()
            .code(code);
        let err = text(&run.get_output().stderr);
        assert!(
            err.contains("cannot write JUnit to file/junit.xml"),
            "{err}"
        );
        assert!(
            folder.path().join("report.json").exists(),
            "the others are written"
        );
    }
}

/// A terminal that takes nothing more is a report that could not be written.
#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_ends_with_4_unless_something_is_exposed() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_open, open) = door();
    let (_closed, closed) = closed();
    let full = |args: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_noentry"));
        let command = command.current_dir(folder.path()).args(args);
        let full = fs::OpenOptions::new().write(true).open("/dev/full");
        let output = command.stdout(full.unwrap()).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    for (port, code) in [(closed, 4), (open, 1)] {
        config(folder.path(), control, &[("a", port)]);
        let (found, err) = full(&["check"]);
        assert_eq!(found, Some(code), "{err}");
        assert!(err.contains("cannot print: "), "{err}");
    }
    for args in [&["validate"][..], &["schema"], &["man"]] {
        assert_eq!(full(args).0, Some(4), "{args:?}");
    }
}

#[test]
fn a_report_never_overwrites_another_or_what_it_is_made_of() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_closed, closed) = closed();
    config(folder.path(), control, &[("a", closed)]);
    noentry(folder.path())
        .args(["check", "--json", "report.json"])
        .assert()
        .code(0);
    let saved = fs::read(folder.path().join("report.json")).unwrap();
    for (outputs, said) in [
        (
            ["--json", "x", "--junit", "./x"],
            "--json and --junit name the same file",
        ),
        (
            ["--junit", "new/../x", "--summary", "x"],
            "--junit and --summary name",
        ),
        (
            ["--json", "x", "--summary", "./report.json"],
            "--summary would overwrite",
        ),
    ] {
        let run = noentry(folder.path())
            .args(["report", "--from", "report.json"])
            .args(outputs)
            .assert()
            .code(2);
        let err = text(&run.get_output().stderr);
        assert!(err.contains(said), "{err}");
        assert!(!folder.path().join("x").exists());
    }
    assert_eq!(fs::read(folder.path().join("report.json")).unwrap(), saved);
    noentry(folder.path())
        .args([
            "report",
            "--from",
            "-",
            "--json",
            "/dev/null",
            "--junit",
            "/dev/null",
        ])
        .write_stdin(saved)
        .assert()
        .code(0);
}

#[test]
fn validate_counts_every_control_and_misses_them_all() {
    let folder = TempDir::new().unwrap();
    let validate = |yaml: &str| {
        fs::write(folder.path().join("noentry.yml"), yaml).unwrap();
        let run = noentry(folder.path()).arg("validate").assert().code(0);
        text(&run.get_output().stdout)
    };
    let out = validate("version: 1\ntargets: [{ name: a, tcp: a.example:1 }]\n");
    assert!(
        out.starts_with("noentry.yml: 1 target, 0 controls for all of them\nhint: "),
        "{out}"
    );
    let own = "control: { tcp: 'c.example:1' }";
    let out = validate(&format!(
        "version: 1\ntargets: [{{ name: a, tcp: 'a.example:1', {own} }}]\n"
    ));
    assert_eq!(
        out,
        "noentry.yml: 1 target, 0 controls for all of them, and 1 control for single ones\n"
    );
    let each = "targets: [{ name: a, udp: 'a.example:53' }, { name: b, icmp: a.example }, \
                { name: c, icmp: a.example, barrier: dns }]\n";
    let out = validate(&format!(
        "version: 1\ncontrols: [{{ tcp: 'c.example:1' }}]\n{each}"
    ));
    let hints: Vec<_> = out.lines().skip(1).collect();
    assert_eq!(hints.len(), 2, "{out}");
    for (hint, said) in hints.iter().zip(["for UDP", "for ICMP"]) {
        assert!(
            hint.starts_with("hint: no control speaks ") && hint.contains(said),
            "{out}"
        );
    }
    // One over UDP, but not on the port: each port wants something that is reached on it.
    let out = validate(&format!(
        "version: 1\ncontrols: [{{ quic: 'c.example:1' }}, {{ icmp: c.example }}]\n{each}"
    ));
    let hints: Vec<_> = out.lines().skip(1).collect();
    assert_eq!(hints.len(), 1, "{out}");
    assert!(hints[0].contains("silence on UDP 53 counts"), "{out}");

    // What only insiders reach must be seen to be shut too.
    let guarded = |more: &str| {
        validate(&format!(
            "version: 1\ncontrols: [{{ tcp: 'c.example:443' }}]\n\
             vantage: {{ must_not_reach: {{ tcp: 'in.example:5432' }}{more} }}\n\
             targets: [{{ name: a, tcp: 'a.example:443' }}]\n"
        ))
    };
    let out = guarded("");
    assert!(out.contains("silence on TCP 5432 counts"), "{out}");
    let out = guarded(", unfiltered: true");
    assert_eq!(out.lines().count(), 1, "{out}");

    let ports = "targets: [{ name: a, tcp: 'a.example:25' }, { name: b, quic: 'a.example:443' }, \
                 { name: c, udp: 'a.example:123' }, { name: d, tcp: 'a.example:26' }, \
                 { name: e, url: 'https://a.example/', barrier: http }]\n";
    let hints = |controls: &str| -> Vec<String> {
        let out = validate(&format!("version: 1\ncontrols: [{controls}]\n{ports}"));
        out.lines().skip(1).map(str::to_owned).collect()
    };
    let some = "{ tcp: 'c.example:443' }, { udp: 'c.example:53' }";
    let found = hints(some);
    assert_eq!(found.len(), 2, "{found:?}");
    for (hint, [said, example]) in found.iter().zip([
        ["on TCP 25, 26 ", "`- tcp: HOST:*`"],
        ["on UDP 123, 443 ", "`- { udp: HOST:*, payload: stun }`"],
    ]) {
        assert!(hint.contains(said) && hint.contains(example), "{found:?}");
    }
    // The word of whoever knows the network, but for what providers close.
    let said = format!("{some}]\nvantage: {{ unfiltered: true }}\nx-rest: [");
    let found = hints(&said);
    assert_eq!(found.len(), 2, "{found:?}");
    for (hint, said) in found.iter().zip(["on TCP 25 ", "on UDP 123, 443 "]) {
        assert!(hint.contains(said), "{found:?}");
        assert!(!hint.contains("unfiltered"), "{found:?}");
    }
    let all = "{ tcp: 'c.example:*' }, { quic: 'c.example:443' }, { udp: 'c.example:123' }";
    assert_eq!(hints(all), [""; 0]);
}

#[test]
fn github_actions_is_told_by_summary_outputs_and_annotations() {
    let folder = TempDir::new().unwrap();
    let (_api, api) = door();
    let (_open, open) = door();
    let (_closed, closed) = closed();
    // No control of its own: the API host is the built-in one.
    let yaml = format!(
        "{HEAD}targets:\n  - {{ name: open, tcp: '127.0.0.1:{open}' }}\n  \
         - {{ name: locked, tcp: '127.0.0.1:{closed}' }}\n"
    );
    fs::write(folder.path().join("noentry.yml"), yaml).unwrap();
    let file = |name: &str| folder.path().join(name);
    fs::write(file("summary"), "").unwrap();
    fs::write(file("output"), "").unwrap();
    let run = noentry(folder.path())
        .args(["check", "--json", "report.json"])
        .env("CI", "true")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_API_URL", format!("http://127.0.0.1:{api}"))
        .env("GITHUB_STEP_SUMMARY", file("summary"))
        .env("GITHUB_OUTPUT", file("output"))
        .env("RUNNER_ENVIRONMENT", "github-hosted")
        .assert()
        .code(1);
    let out = text(&run.get_output().stdout);
    assert!(out.contains("::error "), "{out}");
    assert!(out.contains("file=noentry.yml,line=5"), "{out}");
    let report = saved(&file("report.json"));
    assert_eq!(report.vantage.environment, "github-hosted");
    assert_eq!(report.findings[1].verdict, Verdict::Blocked);
    let output = fs::read_to_string(file("output")).unwrap();
    assert!(output.contains("exposed"), "{output}");
    assert!(output.contains("report.json"), "{output}");
    assert!(
        fs::read_to_string(file("summary"))
            .unwrap()
            .contains("open")
    );
}

#[test]
fn the_demo_finds_every_door_as_it_was_built() {
    let folder = TempDir::new().unwrap();
    let run = noentry(folder.path())
        .arg("demo")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_STEP_SUMMARY", folder.path().join("never"))
        .assert()
        .code(0);
    let out = text(&run.get_output().stdout);
    assert!(out.contains("would have ended with exit code 1"), "{out}");
    assert!(
        out.contains("Every door was found as it was built"),
        "{out}"
    );
    let report = saved(&folder.path().join("noentry-demo/report.json"));
    let totals = report.totals;
    assert_eq!(totals.exposed, 2);
    assert_eq!(totals.inconclusive, 0);
    assert!(totals.blocked >= 4);
    assert!(
        !folder.path().join("never").exists(),
        "a demo is nobody's news"
    );
}

#[test]
fn the_demo_does_not_write_where_it_may_not() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let run = noentry(folder.path())
        .args(["demo", "--out", "file/inside"])
        .assert()
        .code(4);
    assert!(text(&run.get_output().stderr).contains("file/inside"));
}

#[test]
fn help_completions_manual_and_schemas_are_printed() {
    let folder = TempDir::new().unwrap();
    for (args, part) in [
        (&["--help"][..], "Exit codes:"),
        (&["check", "--help"], "--junit-dialect"),
        (&["check", "--help"], "Exit codes:"),
        (&["merge", "--help"], "Exit codes:"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
        (&["completions", "bash"], "complete "),
        (&["completions", "zsh"], "#compdef noentry"),
        (&["man"], ".TH noentry"),
        (&["man"], "\nnoentry \\- Proves from outside"),
        (&["man"], ".SH \"NOENTRY CHECK\""),
        (&["man"], "\\-\\-junit\\-dialect"),
        (&["schema"], "\"$schema\""),
        (&["schema", "report"], "\"$schema\""),
    ] {
        let run = noentry(folder.path()).args(args).assert().code(0);
        let out = text(&run.get_output().stdout);
        assert!(out.contains(part), "{args:?}: {out}");
    }
}

#[test]
fn an_old_report_never_passes_for_this_rounds() {
    let folder = TempDir::new().unwrap();
    let old = folder.path().join("junit.xml");
    fs::write(&old, "<testsuites/>").unwrap();
    fs::write(folder.path().join("noentry.yml"), "version: 2\n").unwrap();
    noentry(folder.path())
        .args(["check", "--junit", "junit.xml"])
        .assert()
        .code(2);
    assert!(!old.exists());
}

#[test]
fn reports_that_would_overwrite_each_other_or_the_configuration_are_refused() {
    let folder = TempDir::new().unwrap();
    let (_closed, closed) = closed();
    config(folder.path(), closed, &[("a", closed)]);
    for outputs in [
        ["--json", "same", "--junit", "./same"],
        ["--json", "noentry.yml", "--junit", "b"],
    ] {
        let run = noentry(folder.path())
            .arg("check")
            .args(outputs)
            .assert()
            .code(2);
        assert!(!text(&run.get_output().stderr).is_empty());
    }
    assert!(folder.path().join("noentry.yml").exists());
}

#[test]
fn what_cannot_be_printed_is_not_reported() {
    let folder = TempDir::new().unwrap();
    let (_control, control) = door();
    let (_closed, closed) = closed();
    config(folder.path(), control, &[("a", closed)]);
    if let Ok(full) = fs::OpenOptions::new().write(true).open("/dev/full") {
        let program = assert_cmd::cargo::cargo_bin("noentry");
        let status = std::process::Command::new(program)
            .current_dir(folder.path())
            .arg("check")
            .env_remove("GITHUB_ACTIONS")
            .stdout(full)
            .status()
            .unwrap();
        assert_eq!(status.code(), Some(4));
    }
}

#[test]
#[cfg(unix)]
fn too_few_open_files_are_said_and_no_panic() {
    let folder = TempDir::new().unwrap();
    let (_closed, closed) = closed();
    config(folder.path(), closed, &[("a", closed)]);
    for files in [7, 12, 31] {
        let program = assert_cmd::cargo::cargo_bin("noentry");
        let script = format!("ulimit -n {files}; exec {} check", program.display());
        let run = std::process::Command::new("sh")
            .current_dir(folder.path())
            .args(["-c", &script])
            .output()
            .unwrap();
        assert_eq!(run.status.code(), Some(2), "{files}");
        assert!(text(&run.stderr).contains("files may be open"), "{files}");
    }
}
