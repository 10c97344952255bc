//! Without a release for the platform the action builds from its own checkout, with the real cargo.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::mirror::{Answer, Mirror};
use super::support::{VERSION, World};
use super::{config, open, shut};

/// The committed manifest. It pins no platform yet, or others will be pinned: the lines are left out.
fn unpinned() -> String {
    let manifest = fs::read_to_string(here("action/manifest")).unwrap();
    let lines = manifest
        .lines()
        .filter(|line| !line.starts_with("archive "));
    lines.flat_map(|line| [line, "\n"]).collect()
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn copy(from: &Path, to: &Path) {
    if from.is_dir() {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let name = entry.unwrap().file_name();
            copy(&from.join(&name), &to.join(&name));
        }
    } else {
        fs::copy(from, to).unwrap();
    }
}

/// What cargo needs to build the program.
fn copy_source(to: &Path) {
    for path in ["Cargo.toml", "Cargo.lock", "src", "tests"] {
        copy(&here(path), &to.join(path));
    }
}

/// The dependencies are built once for all runs of these tests, and nothing is optimised. All else is as
/// for a user: the real cargo, the lock file, the action's own source.
fn with_cargo(world: &mut World) {
    for (key, value) in [
        ("CARGO_TARGET_DIR", here("target/action").to_str().unwrap()),
        ("CARGO_PROFILE_RELEASE_LTO", "off"),
        ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0"),
        ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ("CARGO_PROFILE_RELEASE_STRIP", "false"),
    ] {
        world.env.push((key.to_owned(), value.to_owned()));
    }
    for key in ["CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN", "HOME"] {
        if let Ok(value) = std::env::var(key) {
            world.env.push((key.to_owned(), value));
        }
    }
}

#[test]
fn the_manifest_is_of_this_version_or_pins_a_release_before() {
    let manifest = fs::read_to_string(here("action/manifest")).unwrap();
    let line = |line: &str| line.strip_prefix("version ").map(str::to_owned);
    let stated = manifest.lines().find_map(line).unwrap();
    // From the new version in Cargo.toml until its release is out, the digests are those of the last.
    if manifest.lines().any(|line| line.starts_with("archive ")) {
        let numbers = |version: &str| -> Vec<u32> {
            let plain = version.split('-').next().unwrap();
            plain.split('.').map(|n| n.parse().unwrap()).collect()
        };
        assert!(numbers(&stated) <= numbers(VERSION), "{manifest}");
    } else {
        assert_eq!(stated, VERSION, "{manifest}");
    }
}

#[test]
fn without_a_pinned_release_it_is_built_from_the_actions_own_checkout() {
    let Some(mut world) = World::new(&unpinned()) else {
        return;
    };
    copy_source(&world.action());
    let mirror = Mirror::start("/", Answer::Status(404));
    world.env.push(("GITHUB_API_URL".to_owned(), mirror.url()));
    with_cargo(&mut world);
    let ((_shut, shut), (_open, open)) = (shut(), open());
    let text = config(&[("Admin", shut), ("Orders", open)]);
    // The first step is what a hostile checkout would say to cargo. (For its second use
    // act lays out the action anew, which a runner does not, so that cargo builds it again.)
    let steps = "      - uses: actions/checkout@v4
      - run: |
          mkdir .cargo
          printf '[build]\\nrustc = \"/no/such/rustc\"\\n' >.cargo/config.toml
      - uses: someone/noentry@v1
        continue-on-error: true
        with: { incidents: 'off' }
      - uses: someone/noentry@v1
        id: noentry
        with: { incidents: 'off', from-source: true }
";
    let job = world.run_steps("schedule", &text, steps);
    assert_eq!(job.result(), "failure", "{}", job.log);
    assert_eq!(job.output("verdict"), "exposed", "{}", job.log);
    let notices = job.annotations("notice");
    assert!(notices[0].contains("pins no release for"), "{notices:?}");
    assert!(notices[0].contains("own source"), "{notices:?}");
    assert!(notices[1].contains("from-source is true"), "{notices:?}");
}

#[test]
fn without_cargo_or_source_the_message_says_what_to_do() {
    let Some(mut world) = World::new(&unpinned()) else {
        return;
    };
    let (_shut, shut) = shut();
    let text = config(&[("Admin", shut)]);
    let job = world.run("schedule", &text, "incidents: off");
    assert_eq!(job.output("verdict"), "error", "{}", job.log);
    let errors = job.annotations("error");
    assert!(errors[0].contains("no source to build"), "{errors:?}");

    world
        .env
        .push(("PATH".to_owned(), world.path("/usr/bin:/bin")));
    if Path::new("/usr/bin/cargo").exists() {
        return;
    }
    let job = world.run("schedule", &text, "incidents: off");
    assert_eq!(job.result(), "failure", "{}", job.log);
    let errors = job.annotations("error");
    assert!(errors[0].contains("no cargo on this runner"), "{errors:?}");
}

#[test]
fn the_projects_own_workflow_uses_the_action_and_holds() {
    let Some(mut world) = World::new(&unpinned()) else {
        return;
    };
    let mirror = Mirror::start("/", Answer::Status(404));
    world.env.push(("GITHUB_API_URL".to_owned(), mirror.url()));
    with_cargo(&mut world);
    let repository = TempDir::new().unwrap();
    let folder = repository.path();
    copy_source(folder);
    for path in ["action.yml", "action", ".github"] {
        copy(&here(path), &folder.join(path));
    }
    fs::write(folder.join("action/manifest"), unpinned()).unwrap();
    let job = world.run_repository(
        "push",
        folder,
        &[
            "--workflows",
            ".github/workflows/action-test.yml",
            "--matrix",
            "os:ubuntu-24.04",
            "-P",
            "ubuntu-24.04=-self-hosted",
        ],
    );
    assert_eq!(job.result(), "success", "{}", job.log);
    let validated = job.printed().matches("all of it is there").count();
    assert_eq!(validated, 4, "{}", job.log);
}
