//! What brings the program to the runner, by itself: what it shows, leaves behind and hands on.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::mirror::{Answer, Mirror};
use crate::support::{archive, archive_name, archive_path, pinning, target};

/// An action with this manifest, and a workspace.
struct Runner(TempDir);

impl Runner {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let scripts = folder.path().join("action/action");
        fs::create_dir_all(&scripts).unwrap();
        fs::create_dir(folder.path().join("temp")).unwrap();
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        for name in ["run.sh", "get.sh", "told.sh"] {
            fs::copy(root.join("action").join(name), scripts.join(name)).unwrap();
        }
        fs::copy(
            root.join("Cargo.lock"),
            folder.path().join("action/Cargo.lock"),
        )
        .unwrap();
        fs::write(scripts.join("manifest"), pinning(&archive().1)).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.0.path().join(name)
    }

    fn run(&self, env: &[(&str, &str)]) -> (Output, String) {
        let output = Command::new("bash")
            .arg(self.path("action/action/run.sh"))
            .current_dir(&self.0)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("RUNNER_TEMP", self.path("temp"))
            .env("GITHUB_OUTPUT", self.path("output"))
            .env("GITHUB_ACTIONS", "true")
            .envs(env.iter().copied())
            .output()
            .unwrap();
        let log = [&output.stdout[..], &output.stderr[..]].concat();
        (output, String::from_utf8(log).unwrap())
    }

    /// It says in every place that nothing was checked.
    fn told(&self, run: &(Output, String)) {
        let (output, log) = run;
        assert_eq!(output.status.code(), Some(2), "{log}");
        let text = |name: &str| fs::read_to_string(self.path(name)).unwrap();
        assert!(text("output").starts_with("verdict=error\n"), "{log}");
        assert!(text("noentry-reports/report.json").contains("\"verdict\": \"error\""));
        assert!(text("noentry-reports/junit.xml").contains("no_round"));
        assert!(
            log.contains("::error title=noentry: nothing was checked::"),
            "{log}"
        );
    }
}

#[test]
fn where_a_command_fails_that_never_should_there_are_reports_all_the_same() {
    let runner = Runner::new();
    // No folder for the build can be made.
    let run = runner.run(&[
        ("NOENTRY_INPUT_FROM_SOURCE", "true"),
        ("CARGO_TARGET_DIR", "/dev/null/target"),
    ]);
    runner.told(&run);
    assert_eq!(run.1.matches("::error").count(), 1, "{}", run.1);
}

#[test]
fn a_tool_cache_that_cannot_be_read_is_none() {
    let runner = Runner::new();
    let mirror = Mirror::start(&archive_path(), Answer::File(archive().0.clone()));
    let cache = format!("cache/noentry/{}/{}", env!("CARGO_PKG_VERSION"), target());
    fs::create_dir_all(runner.path(&cache)).unwrap();
    let held = runner.path(&cache).join(archive_name());
    // Whoever asks cannot read it, root neither: nothing is mapped at its beginning.
    symlink("/proc/self/mem", held).unwrap();
    let cache = runner.path("cache");
    let (output, log) = runner.run(&[
        ("RUNNER_TOOL_CACHE", cache.to_str().unwrap()),
        ("NOENTRY_INPUT_MIRROR", &mirror.url()),
    ]);
    // The program was brought and run: it misses its configuration.
    assert_eq!(output.status.code(), Some(2), "{log}");
    assert!(
        log.contains("input `config`: no configuration found"),
        "{log}"
    );
    assert_eq!(mirror.downloads(), 1, "{log}");
}

#[test]
fn no_password_of_a_mirror_is_shown() {
    for mirror in [
        "http://user:secret@127.0.0.1:1/x",
        "http://user:p@secret@127.0.0.1:1/x",
        "ftp://user:secret@127.0.0.1:1/x",
        "HTTPS://user:secret@127.0.0.1:1/x",
        "https://127.0.0.1:1/x?key=secret",
        "https://127.0.0.1:1/x#secret",
    ] {
        let runner = Runner::new();
        // An address that nobody answers at is not waited for: the pauses are somebody else's test.
        let sleep = runner.path("bin/sleep");
        fs::create_dir(runner.path("bin")).unwrap();
        symlink("/bin/true", sleep).unwrap();
        let bin = runner.path("bin");
        let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
        let run = runner.run(&[("NOENTRY_INPUT_MIRROR", mirror), ("PATH", &path)]);
        runner.told(&run);
        let kept = fs::read_to_string(runner.path("noentry-reports/report.json")).unwrap();
        assert!(!(run.1 + &kept).contains("secret"), "{mirror}");
    }
}

#[test]
fn neither_yesterdays_reports_nor_the_jobs_tokens_are_there_while_the_program_is_brought() {
    const TOKENS: [&str; 5] = [
        "NOENTRY_GITHUB_TOKEN",
        "GITHUB_TOKEN",
        "GH_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    ];
    let runner = Runner::new();
    let reports = runner.path("noentry-reports");
    fs::create_dir(&reports).unwrap();
    for name in ["report.json", "junit.xml", "summary.md", "kept.json"] {
        fs::write(reports.join(name), "of yesterday").unwrap();
    }
    // What is asked to build is a program of ours: it writes down what it finds, and builds nothing.
    fs::create_dir(runner.path("bin")).unwrap();
    let cargo = runner.path("bin/cargo");
    let seen = runner.path("seen");
    let shown = seen.display();
    let script = format!(
        "#!/bin/sh\n(ls '{}'; env) >'{shown}'\nexit 1\n",
        reports.display()
    );
    crate::shell::script(&cargo, &script);
    let path = format!(
        "{}:{}",
        runner.path("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let mut env = TOKENS.map(|name| (name, "secret")).to_vec();
    env.extend([("NOENTRY_INPUT_FROM_SOURCE", "true"), ("PATH", &path)]);
    let run = runner.run(&env);
    runner.told(&run);
    let seen = fs::read_to_string(seen).unwrap();
    assert!(seen.starts_with("kept.json\n"), "{seen}");
    assert!(
        !seen.contains("report.json") && !seen.contains("junit.xml"),
        "{seen}"
    );
    assert!(
        seen.contains("RUNNER_TEMP=") && !seen.contains("secret"),
        "{seen}"
    );
    // What is merged may lie where the report will be.
    fs::write(reports.join("report.json"), "of another job").unwrap();
    env.push(("NOENTRY_INPUT_MERGE", "noentry-reports"));
    runner.run(&env);
    let listed = fs::read_to_string(runner.path("seen")).unwrap();
    assert!(listed.contains("report.json"), "{listed}");
}

#[test]
fn a_round_that_was_ended_early_fails_the_step_whatever_an_inconclusive_one_does() {
    let folder = TempDir::new().unwrap();
    // It takes connections and says nothing.
    let mute = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = mute.local_addr().unwrap().port();
    let config = format!(
        "version: 1\ntargets:\n  - name: Admin\n    url: http://127.0.0.1:{port}/\n    barrier: http\n    \
         probe_non_global: true\n"
    );
    fs::write(folder.path().join("noentry.yml"), config).unwrap();
    let round = |timeout: &str, stopped: bool| {
        let mut child = Command::new(env!("CARGO_BIN_EXE_noentry"))
            .arg("action")
            .current_dir(&folder)
            .env_clear()
            .env("NOENTRY_INPUT_FAIL_ON", "exposed")
            .env(
                "NOENTRY_INPUT_ARGS",
                format!("--attempts=1\n--timeout={timeout}"),
            )
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        if stopped {
            // Once it connects it is ready to be told.
            drop(mute.accept().unwrap());
            let (held, _) = mute.accept().unwrap();
            let pid = child.id().to_string();
            crate::support::run(Command::new("kill").args(["-TERM", &pid]));
            let code = child.wait().unwrap().code();
            drop(held);
            return code;
        }
        child.wait().unwrap().code()
    };
    assert_eq!(round("500ms", false), Some(0));
    assert_eq!(round("20s", true), Some(3));
}
