//! From a release to a stranger's repository, with nothing between them but what strangers get: the
//! release's own scripts make the archive and pin it, `noentry init` writes the workflow, and act runs
//! that with the action, which unpacks the archive.
//!
//! `actions/upload-artifact` cannot be had here, so a few lines stand for it. The archive comes from the
//! tool cache: the workflow that `init` writes knows no mirror.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::support::{VERSION, act, archive_name, commit, target};
use super::{config, open, shut};

/// Keeps what it is given where the test finds it.
const UPLOAD: &str = "\
name: stands for upload-artifact
inputs:
  name: { description: as there, required: true }
  path: { description: as there, required: true }
  retention-days: { description: as there, required: true }
runs:
  using: composite
  steps:
    - shell: bash
      env:
        FROM: ${{ inputs.path }}
      run: cp -r \"$FROM\" \"$KEPT/\"
";

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {errors}");
    String::from_utf8(output.stdout).unwrap()
}

fn script(name: &str, arguments: &[&Path]) {
    run(Command::new("bash")
        .arg(here(".github/release").join(name))
        .args(arguments)
        .env("NOENTRY", env!("CARGO_BIN_EXE_noentry"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .current_dir(here("")));
}

/// A release of the program under test: its archives, and the action with the manifest that pins them.
fn release(folder: &Path) {
    let [binaries, archives, action] = ["binaries", "archives", "action"].map(|n| folder.join(n));
    fs::create_dir(&binaries).unwrap();
    let targets = fs::read_to_string(here(".github/release/targets")).unwrap();
    for line in targets.lines().filter(|line| !line.starts_with('#')) {
        let (name, _) = line.split_once(' ').unwrap();
        let suffix = if name.contains("windows") { ".exe" } else { "" };
        let program = binaries.join(format!("noentry-{name}{suffix}"));
        if name == target() {
            let tested = env!("CARGO_BIN_EXE_noentry");
            run(Command::new("strip").arg("-o").arg(&program).arg(tested));
        } else {
            fs::write(&program, "for a machine that is not this one").unwrap();
        }
    }
    script("package.sh", &[&binaries, &archives]);
    script("sums.sh", &[&archives]);
    fs::create_dir_all(action.join("action")).unwrap();
    fs::copy(here("action.yml"), action.join("action.yml")).unwrap();
    for entry in fs::read_dir(here("action")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, action.join("action").join(path.file_name().unwrap())).unwrap();
    }
    let manifest = action.join("action/manifest");
    script(
        "manifest.sh",
        &[Path::new(VERSION), &archives.join("SHA256SUMS"), &manifest],
    );
    commit(&action);
    let cache = folder.join(format!(
        "home/act/tool_cache/noentry/{VERSION}/{}",
        target()
    ));
    fs::create_dir_all(&cache).unwrap();
    fs::copy(archives.join(archive_name()), cache.join(archive_name())).unwrap();
}

/// What act says of the only job of the workflow in a repository, and the whole log.
fn result(act: &Path, folder: &Path, sha: &str, api: u16) -> (String, String) {
    let repository = &folder.join("stranger");
    let local = |action: &str, place: &str| format!("{action}={}", folder.join(place).display());
    let kept = folder.join("kept");
    fs::create_dir_all(&kept).unwrap();
    let workflow = fs::read_to_string(repository.join(".github/workflows/noentry.yml")).unwrap();
    let upload = workflow
        .lines()
        .find(|line| line.contains("actions/upload-artifact@"));
    let upload = upload.unwrap().split_whitespace().nth(1).unwrap();
    let output = assert_cmd::Command::new(act)
        .env_clear()
        .env("HOME", folder.join("home"))
        .env("XDG_CACHE_HOME", folder.join("home"))
        .env("PATH", std::env::var_os("PATH").unwrap())
        .current_dir(repository)
        .timeout(Duration::from_mins(5))
        .args(["schedule", "--json", "-P", "ubuntu-latest=-self-hosted"])
        .args(["-s", "GITHUB_TOKEN=not-a-token"])
        .args([
            "--local-repository",
            &local(&format!("someone/noentry@{sha}"), "action"),
        ])
        .args(["--local-repository", &local(upload, "upload")])
        .args(["--env", &format!("KEPT={}", kept.display())])
        // The API's host is a control.
        .args(["--env", &format!("GITHUB_API_URL=http://127.0.0.1:{api}")])
        .output()
        .unwrap();
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let results: Vec<String> = lines
        .filter_map(|line| line["jobResult"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(results.len(), 1, "{log}");
    (results[0].clone(), log)
}

#[test]
fn what_init_writes_brings_what_a_release_packs_and_looks() {
    let Some(act) = act() else {
        return;
    };
    let folder = TempDir::new().unwrap();
    let folder = folder.path();
    release(folder);
    fs::create_dir(folder.join("upload")).unwrap();
    fs::write(folder.join("upload/action.yml"), UPLOAD).unwrap();
    commit(&folder.join("upload"));
    let sha = run(Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(folder.join("action")));
    let sha = sha.trim();

    let repository = folder.join("stranger");
    fs::create_dir(&repository).unwrap();
    run(Command::new(env!("CARGO_BIN_EXE_noentry"))
        .args(["init", "--tcp", "db.example.com:5432"])
        .args(["--action", &format!("someone/noentry@{sha}")])
        .current_dir(&repository));
    // The doors of this test are on loopback, and there are no issues here to keep a trail in.
    let (_api, api) = open();
    let (_shut, shut) = shut();
    let (_door, door) = open();
    let estate = |port: u16| {
        let text = config(&[("Orders", port)]);
        fs::write(repository.join(".github/noentry.yml"), text).unwrap();
    };
    let workflow = repository.join(".github/workflows/noentry.yml");
    let text = fs::read_to_string(&workflow).unwrap();
    let own = "          config: .github/noentry.yml\n";
    assert!(text.contains(own), "{text}");
    fs::write(
        &workflow,
        text.replacen(own, &format!("{own}          incidents: off\n"), 1),
    )
    .unwrap();

    estate(shut);
    commit(&repository);
    let (ended, log) = result(&act, folder, sha, api);
    assert_eq!(ended, "success", "{log}");
    assert!(log.contains("from the tool cache"), "{log}");
    let report = folder.join("kept/noentry-reports/report.json");
    let read = |report: &Path| -> Value {
        serde_json::from_str(&fs::read_to_string(report).unwrap()).unwrap()
    };
    assert_eq!(read(&report)["verdict"], "blocked");

    estate(door);
    fs::remove_dir_all(folder.join("kept")).unwrap();
    let (ended, log) = result(&act, folder, sha, api);
    assert_eq!(ended, "failure", "{log}");
    // Kept although the step before it failed.
    assert_eq!(read(&report)["verdict"], "exposed");
}
