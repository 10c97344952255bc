//! The release's own scripts (`.github/release/`), run here as the workflow runs them: on the real
//! program, real archives and real git repositories.
//!
//! What only GitHub can do, `gh` and attestations, is left out, see CONTRIBUTING.md. Needs `bash`,
//! `git`, GNU `tar`, `zip`, `unzip` and binutils. Where one is missing its test says so and does nothing, unless
//! `NOENTRY_REQUIRE_TOOLS` is 1.

#![cfg(target_os = "linux")]
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test may end where it fails"
)]

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_yaml::Value;
use tempfile::TempDir;

/// The action's manifest before the first release.
const MANIFEST: &str = "\
# Which binary this action downloads.
version 0.0.1
releases https://github.com/noentry/noentry/releases/download
";

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn have(program: &str) -> bool {
    let found = Command::new(program).arg("-v").output().is_ok();
    if !found {
        let required = std::env::var("NOENTRY_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
        assert!(!required, "{program} is required and missing");
        eprintln!("SKIPPED: {program} is missing, so this test checks nothing here");
    }
    found
}

/// A program in a folder, with git told nothing by this machine.
fn program(name: &str, folder: &Path) -> Command {
    let mut command = Command::new(name);
    command
        .current_dir(folder)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_AUTHOR_NAME", "somebody")
        .env("GIT_AUTHOR_EMAIL", "somebody@example.com")
        .env("GIT_COMMITTER_NAME", "somebody")
        .env("GIT_COMMITTER_EMAIL", "somebody@example.com");
    command
}

fn good(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = program("git", folder).args(arguments).output().unwrap();
    good(&output).trim().to_owned()
}

fn run(script: &str, folder: &Path, arguments: &[&str]) -> Output {
    program("bash", folder)
        .arg(here(".github/release").join(script))
        .args(arguments)
        .env("NOENTRY", env!("CARGO_BIN_EXE_noentry"))
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .env("NOENTRY_NO_PULL_REQUEST", "1")
        .output()
        .unwrap()
}

/// Ends with a reason, and with this one.
fn refused(script: &str, folder: &Path, arguments: &[&str], why: &str) {
    let output = run(script, folder, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{script} {arguments:?}");
    assert!(said.contains(why), "{script} {arguments:?}: {said}");
}

fn targets() -> Vec<(String, String)> {
    let lines = fs::read_to_string(here(".github/release/targets")).unwrap();
    let lines = lines.lines().filter(|line| !line.starts_with('#'));
    let pairs = lines.map(|line| line.split_once(' ').unwrap());
    pairs
        .map(|(target, runner)| (target.to_owned(), runner.to_owned()))
        .collect()
}

/// The program under test for this machine, and for the others, whose programs nobody could run here,
/// files that are told apart.
fn binaries(folder: &Path) -> PathBuf {
    let binaries = folder.join("binaries");
    fs::create_dir(&binaries).unwrap();
    for (target, _) in targets() {
        let suffix = if target.contains("windows") {
            ".exe"
        } else {
            ""
        };
        let place = binaries.join(format!("noentry-{target}{suffix}"));
        if target == ours() {
            // A release is built without what a debugger needs, which is most of this one.
            let tested = env!("CARGO_BIN_EXE_noentry");
            let output = program("strip", folder)
                .arg("-o")
                .arg(&place)
                .arg(tested)
                .output();
            good(&output.unwrap());
        } else {
            fs::write(&place, format!("the program for {target}\n")).unwrap();
        }
        // As they come out of an artifact.
        fs::set_permissions(&place, fs::Permissions::from_mode(0o644)).unwrap();
    }
    binaries
}

fn ours() -> String {
    format!("{}-unknown-linux-musl", std::env::consts::ARCH)
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.collect()
}

#[test]
fn a_tag_is_checked_against_everything_that_states_the_version() {
    let folder = TempDir::new().unwrap();
    let root = folder.path();
    let write = |path: &str, text: &str| fs::write(root.join(path), text).unwrap();
    write(
        "Cargo.toml",
        "[package]\nname = \"noentry\"\nversion = \"1.2.3\"\n\n[dependencies]\nx = \"9\"\n",
    );
    write(
        "Cargo.lock",
        "[[package]]\nname = \"nix\"\nversion = \"9.9.9\"\n\n[[package]]\nname = \"noentry\"\n\
         version = \"1.2.3\"\n",
    );
    let changes = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2026-11-23\n\n### Added\n\n- A door.\n\n\
                   ## [1.2.2] - 2026-01-01\n\n- Older.\n\n[1.2.3]: https://example.com\n";
    write("CHANGELOG.md", changes);
    git(root, &["init", "--quiet", "--initial-branch=main"]);
    git(root, &["add", "."]);
    git(root, &["commit", "--quiet", "--message=one"]);
    assert_eq!(good(&run("check.sh", root, &["v1.2.3", "main"])), "1.2.3\n");
    assert_eq!(
        good(&run("notes.sh", root, &["1.2.3"])),
        "### Added\n\n- A door.\n"
    );

    for (tag, why) in [
        ("1.2.3", "not of the form"),
        ("v1.2.3-rc.1", "not of the form"),
        ("v01.2.3", "not of the form"),
        ("v1.2.4", "Cargo.toml says 1.2.3"),
    ] {
        refused("check.sh", root, &[tag, "main"], why);
    }
    git(root, &["switch", "--quiet", "--create", "aside"]);
    git(
        root,
        &["commit", "--quiet", "--allow-empty", "--message=two"],
    );
    refused("check.sh", root, &["v1.2.3", "main"], "not on main");
    git(root, &["switch", "--quiet", "main"]);

    write(
        "Cargo.lock",
        "[[package]]\nname = \"noentry\"\nversion = \"1.2.2\"\n",
    );
    refused("check.sh", root, &["v1.2.3"], "Cargo.lock says 1.2.2");
    write(
        "Cargo.lock",
        "[[package]]\nname = \"noentry\"\nversion = \"1.2.3\"\n",
    );
    for (from, to, why) in [
        ("## [1.2.3] - 2026-11-23", "## [1.2.3]", "no section"),
        ("## [1.2.3]", "## [1x2.3]", "no section"),
        ("### Added\n\n- A door.\n", "", "says nothing of 1.2.3"),
    ] {
        write("CHANGELOG.md", &changes.replacen(from, to, 1));
        refused("check.sh", root, &["v1.2.3"], why);
    }
}

#[test]
fn an_archive_has_the_program_at_its_top_and_is_made_the_same_again() {
    if !(have("zip") && have("unzip")) {
        return;
    }
    let folder = TempDir::new().unwrap();
    let binaries = binaries(folder.path());
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    for archives in [&first, &second] {
        let arguments = [&binaries, archives].map(|path| path.to_str().unwrap());
        good(&run("package.sh", &here(""), &arguments));
        good(&run("sums.sh", &here(""), &arguments[1..]));
    }
    let sums = fs::read_to_string(first.join("SHA256SUMS")).unwrap();
    assert_eq!(sums, fs::read_to_string(second.join("SHA256SUMS")).unwrap());
    assert_eq!(sums.lines().count(), targets().len());

    for (target, _) in targets() {
        let unpacked = folder.path().join(&target);
        fs::create_dir(&unpacked).unwrap();
        let windows = target.contains("windows");
        let (archive, unpack, name) = if windows {
            (
                format!("noentry-{target}.zip"),
                vec!["unzip", "-q"],
                "noentry.exe",
            )
        } else {
            (
                format!("noentry-{target}.tar.gz"),
                vec!["tar", "xzf"],
                "noentry",
            )
        };
        let output = program(unpack[0], &unpacked)
            .args(&unpack[1..])
            .arg(first.join(&archive))
            .output()
            .unwrap();
        good(&output);
        let wanted = [
            "CHANGELOG.md",
            "LICENSE-APACHE",
            "LICENSE-MIT",
            "README.md",
            "completions",
            name,
            "noentry.1",
        ];
        assert_eq!(
            names(&unpacked),
            wanted.map(str::to_owned).into(),
            "{archive}"
        );
        let program = unpacked.join(name);
        let mode = fs::metadata(&program).unwrap().permissions().mode();
        assert!(windows || mode & 0o777 == 0o755, "{archive}: {mode:o}");
        if target == ours() {
            let version = Command::new(program).arg("--version").output().unwrap();
            let wanted = concat!("noentry ", env!("CARGO_PKG_VERSION"), "\n");
            assert_eq!(good(&version), wanted, "{archive}");
        } else {
            let wanted = format!("the program for {target}\n");
            assert_eq!(fs::read_to_string(program).unwrap(), wanted);
        }
        let completions = names(&unpacked.join("completions"));
        assert_eq!(completions.len(), 4, "{completions:?}");
    }

    // `cargo binstall` finds the program by what Cargo.toml says of the archives.
    let manifest = fs::read_to_string(here("Cargo.toml")).unwrap();
    for (target, _) in targets() {
        let url = "{ repo }/releases/download/v{ version }/noentry-{ target }{ archive-suffix }";
        assert!(manifest.contains(&format!("pkg-url = \"{url}\"")));
        let suffix = if target.contains("windows") {
            ".zip"
        } else {
            ".tar.gz"
        };
        assert!(names(&first).contains(&format!("noentry-{target}{suffix}")));
    }

    let lost = binaries.join(format!("noentry-{}", targets()[1].0));
    fs::remove_file(&lost).unwrap();
    let arguments = [&binaries, &second].map(|path| path.to_str().unwrap());
    refused("package.sh", &here(""), &arguments, "is missing");
    fs::remove_file(second.join(format!("noentry-{}.tar.gz", targets()[1].0))).unwrap();
    refused("sums.sh", &here(""), &arguments[1..], "is missing");
}

/// Digests that differ from one another and from release to release.
fn sums(folder: &Path, release: u32) -> String {
    let archives = targets()
        .into_iter()
        .enumerate()
        .map(|(number, (target, _))| {
            let suffix = if target.contains("windows") {
                "zip"
            } else {
                "tar.gz"
            };
            format!("{release:032x}{number:032x}  noentry-{target}.{suffix}")
        });
    let bill = format!("{:064x}  sbom.cdx.json", 7);
    let lines: Vec<String> = std::iter::once(bill).chain(archives).collect();
    let text = lines.join("\n") + "\n";
    let path = folder.join(format!("SHA256SUMS-{release}"));
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_manifest_pins_a_release_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let manifest = folder.path().join("manifest");
    fs::write(&manifest, MANIFEST).unwrap();
    let path = manifest.to_str().unwrap();
    let (one, two) = (sums(folder.path(), 1), sums(folder.path(), 2));
    good(&run("manifest.sh", folder.path(), &["0.2.0", &one, path]));
    let read = fs::read_to_string(&manifest).unwrap();
    let lines: Vec<&str> = read.lines().collect();
    assert_eq!(lines[0], MANIFEST.lines().next().unwrap());
    assert_eq!(lines[1], "version 0.2.0");
    assert_eq!(lines[2], MANIFEST.lines().last().unwrap());
    assert_eq!(lines.len(), 3 + targets().len(), "{read}");
    for (line, (number, (target, _))) in lines[3..].iter().zip(targets().iter().enumerate()) {
        let suffix = if target.contains("windows") {
            "zip"
        } else {
            "tar.gz"
        };
        let digest = format!("{:032x}{number:032x}", 1);
        assert_eq!(
            *line,
            format!("archive {target} {digest} noentry-{target}.{suffix}")
        );
    }
    good(&run("compare.sh", folder.path(), &[path, &one]));
    refused("compare.sh", folder.path(), &[path, &two], "does not pin");

    let short = fs::read_to_string(&two).unwrap();
    let short: Vec<&str> = short.lines().skip(2).collect();
    fs::write(&two, short.join("\n")).unwrap();
    refused(
        "manifest.sh",
        folder.path(),
        &["0.3.0", &two, path],
        "no single digest",
    );
    assert_eq!(fs::read_to_string(&manifest).unwrap(), read);
}

#[test]
fn v1_follows_the_manifest_and_never_goes_back() {
    let folder = TempDir::new().unwrap();
    let origin = folder.path().join("origin.git");
    let root = folder.path().join("clone");
    let bare = origin.to_str().unwrap();
    git(
        folder.path(),
        &["init", "--quiet", "--bare", "--initial-branch=main", bare],
    );
    git(
        folder.path(),
        &["clone", "--quiet", bare, root.to_str().unwrap()],
    );
    git(&root, &["switch", "--quiet", "--create", "main"]);
    fs::create_dir(root.join("action")).unwrap();
    let manifest = root.join("action/manifest");
    fs::write(&manifest, MANIFEST).unwrap();
    git(&root, &["add", "."]);
    git(&root, &["commit", "--quiet", "--message=one"]);
    git(&root, &["push", "--quiet", "origin", "main"]);
    refused("move.sh", &root, &["origin"], "pins no release");
    assert_eq!(good(&run("action.sh", &root, &["noentry/noentry"])), "");

    for (release, version) in [(1, "0.9.0"), (2, "0.10.0")] {
        let sums = sums(folder.path(), release);
        good(&run("propose.sh", &root, &[version, &sums, "origin"]));
        let branch = format!("release/manifest-{version}");
        // The same step again, as when a job is repeated.
        git(&root, &["switch", "--quiet", "main"]);
        good(&run("propose.sh", &root, &[version, &sums, "origin"]));
        assert_eq!(
            git(&root, &["diff", "--name-only", "main", &branch]),
            "action/manifest"
        );
        assert!(git(&root, &["ls-remote", "origin", &branch]).contains(&branch));
        // A person merges it.
        git(&root, &["switch", "--quiet", "main"]);
        git(
            &root,
            &["merge", "--quiet", "--no-ff", "--message=merge", &branch],
        );
        let again = good(&run("propose.sh", &root, &[version, &sums, "origin"]));
        assert!(again.contains("pinned already"), "{again}");
        good(&run("move.sh", &root, &["origin"]));
        let head = git(&root, &["rev-parse", "HEAD"]);
        assert!(git(&root, &["ls-remote", "origin", "refs/tags/v1"]).starts_with(&head));
        let known = good(&run("action.sh", &root, &["noentry/noentry"]));
        assert_eq!(known, format!("noentry/noentry@{head} v{version}\n"));
    }

    // An older release, pinned by mistake.
    let sums = sums(folder.path(), 1);
    good(&run(
        "manifest.sh",
        &root,
        &["0.9.0", &sums, manifest.to_str().unwrap()],
    ));
    refused("move.sh", &root, &["origin"], "not the committed one");
    git(&root, &["commit", "--quiet", "--all", "--message=back"]);
    let before = git(&root, &["ls-remote", "origin", "refs/tags/v1"]);
    refused("move.sh", &root, &["origin"], "0.9.0 is older");
    refused("move.sh", &root, &["/nowhere"], "cannot ask");
    assert_eq!(git(&root, &["ls-remote", "origin", "refs/tags/v1"]), before);
}

#[test]
fn the_workflow_builds_what_the_scripts_expect() {
    let text = fs::read_to_string(here(".github/workflows/release.yml")).unwrap();
    let workflow: Value = serde_yaml::from_str(&text).unwrap();
    let matrix = &workflow["jobs"]["build"]["strategy"]["matrix"]["include"];
    let built: Vec<(String, String)> = matrix
        .as_sequence()
        .unwrap()
        .iter()
        .map(|line| {
            ["target", "os"]
                .map(|key| line[key].as_str().unwrap().to_owned())
                .into()
        })
        .collect();
    assert_eq!(built, targets());
    assert!(workflow["permissions"].as_mapping().unwrap().is_empty());
}
