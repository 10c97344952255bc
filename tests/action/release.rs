//! From a release to a closed issue, with nothing in between but what strangers get: the release's own
//! scripts make the archive and pin it, `noentry init` writes the workflow, and act runs that with the
//! action, which unpacks the archive.
//!
//! The archive comes from the tool cache, because the workflow that `init` writes knows no mirror. The
//! configuration is then edited, as a user would: the doors of a test are on loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::examples::{life_of, on_github};
use super::support::{VERSION, World, archive_name, run, target};

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn script(name: &str, arguments: &[&Path]) {
    run(Command::new("bash")
        .arg(here(".github/release").join(name))
        .args(arguments)
        .env("NOENTRY", env!("CARGO_BIN_EXE_noentry"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .current_dir(here("")));
}

/// Packs the program under test in a folder, as a release does, and gives the manifest that pins it.
fn release(folder: &Path) -> String {
    let [binaries, archives] = ["binaries", "archives"].map(|name| folder.join(name));
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
    let manifest = folder.join("manifest");
    fs::copy(here("action/manifest"), &manifest).unwrap();
    let sums = archives.join("SHA256SUMS");
    script("manifest.sh", &[Path::new(VERSION), &sums, &manifest]);
    fs::read_to_string(&manifest).unwrap()
}

/// The workflow that `init` writes for an action at a commit.
fn workflow(folder: &Path, action: &str) -> String {
    run(Command::new(env!("CARGO_BIN_EXE_noentry"))
        .args(["init", "--tcp", "db.example.com:5432", "--action", action])
        .current_dir(folder));
    fs::read_to_string(folder.join(".github/workflows/noentry.yml")).unwrap()
}

#[test]
fn what_init_writes_brings_what_a_release_packs_and_tells_an_incident_to_its_end() {
    let folder = TempDir::new().unwrap();
    let Some(world) = World::new(&release(folder.path())) else {
        return;
    };
    let head = Command::new("git")
        .args(["rev-parse", "HEAD"])
        .current_dir(world.action())
        .output()
        .unwrap();
    let head = String::from_utf8(head.stdout).unwrap();
    let action = format!("someone/noentry@{}", head.trim());
    let workflow = workflow(folder.path(), &action);
    let archive = fs::read(folder.path().join("archives").join(archive_name())).unwrap();
    let Some((mut world, github)) = on_github(world, "init", &archive) else {
        return;
    };
    world.known_as.push(action);
    life_of(&world, &github, &workflow);
}
