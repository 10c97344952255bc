//! The incident trail as a user types it: `check --incidents`, `incidents --from`, and what is printed.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod program;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use assert_cmd::Command;
use assert_cmd::assert::Assert;
use tempfile::TempDir;

use program::{Door, door, noentry};

/// A control, and a target whose door is open as long as its listener lives.
struct Estate {
    folder: TempDir,
    /// Answers for as long as it is kept.
    _control: Door,
    door: Option<Door>,
    port: u16,
}

impl Estate {
    fn new() -> Self {
        let ((held, control), (open, port)) = (door(), door());
        let estate = Self {
            folder: TempDir::new().unwrap(),
            port,
            door: Some(open),
            _control: held,
        };
        let text = format!(
            "version: 1\nvantage: {{ unfiltered: true }}\ndefaults: {{ timeout: 900ms, attempts: 2, interval: 50ms, \
             probe_non_global: true }}\ncontrols: [{{ tcp: '127.0.0.1:{control}' }}]\ntargets:\n  \
             - {{ name: Admin console, tcp: '127.0.0.1:{}' }}\n",
            estate.port
        );
        fs::write(estate.folder.path().join("noentry.yml"), text).unwrap();
        estate
    }

    fn run(&self, words: &[&str]) -> Assert {
        noentry(self.folder.path()).args(words).assert()
    }

    fn check(&self) -> Assert {
        self.run(&[
            "check",
            "--incidents",
            "folder:trail",
            "--json",
            "report.json",
        ])
    }

    fn replay(&self) -> Assert {
        self.run(&[
            "incidents",
            "--from",
            "report.json",
            "--incidents",
            "folder:trail",
        ])
    }

    /// The only incident's file.
    fn incident(&self) -> PathBuf {
        let entries = fs::read_dir(self.folder.path().join("trail")).unwrap();
        let mut files = entries
            .map(|e| e.unwrap().path())
            .filter(|p| p.extension().is_some_and(|e| e == "md"));
        let file = files.next().unwrap();
        assert_eq!(files.next(), None);
        file
    }
}

fn printed(run: &Assert) -> String {
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

fn warned(run: &Assert) -> String {
    String::from_utf8(run.get_output().stderr.clone()).unwrap()
}

#[test]
fn an_open_door_leaves_a_trail_until_it_is_shut() {
    let mut estate = Estate::new();
    let first = estate.check().code(1);
    let says = printed(&first);
    assert!(
        says.contains("incident opened: trail/admin-console-"),
        "{says}"
    );
    assert!(
        says.contains("(Reachable from outside: Admin console)"),
        "{says}"
    );
    let text = fs::read_to_string(estate.incident()).unwrap();
    assert!(
        text.contains("**Admin console has been reachable from outside since"),
        "{text}"
    );
    assert!(
        text.contains(&format!("nc -vz -w 5 127.0.0.1 {}\n", estate.port)),
        "{text}"
    );
    assert!(text.contains("`noentry.yml:6:7`"), "{text}");
    // The same round again is not another one.
    let again = printed(&estate.replay().code(1));
    assert!(
        again.contains("has 1 target from this round or a later one already"),
        "{again}"
    );
    assert_eq!(fs::read_to_string(estate.incident()).unwrap(), text);
    // One target of none is not gone.
    let says = printed(&estate.check().code(1));
    assert!(says.contains("incident updated: trail/"), "{says}");
    let door = estate.door.take().unwrap();
    drop(door);
    let says = printed(&estate.check().code(0));
    assert!(says.contains("incident updated: trail/"), "{says}");
    let says = printed(&estate.check().code(0));
    assert!(says.contains("incident closed: trail/"), "{says}");
    let says = printed(&estate.check().code(0));
    assert!(
        says.contains("incidents: none is open, nothing to tell"),
        "{says}"
    );
    let text = fs::read_to_string(estate.incident()).unwrap();
    assert!(
        text.contains("**Admin console has been shut since"),
        "{text}"
    );
}

#[test]
fn a_saved_round_leaves_the_trail_of_the_round_itself() {
    let estate = Estate::new();
    estate.run(&["check", "--json", "report.json"]).code(1);
    assert!(!estate.folder.path().join("trail").exists());
    let off = ["incidents", "--from", "report.json", "--incidents", "off"];
    assert_eq!(printed(&estate.run(&off).code(1)), "");
    assert!(!estate.folder.path().join("trail").exists());
    let says = printed(&estate.replay().code(1));
    assert!(
        says.starts_with("incident opened: trail/admin-console-"),
        "{says}"
    );
    // A round of other targets alone says nothing about this one.
    let text = fs::read_to_string(estate.folder.path().join("report.json")).unwrap();
    let mut report: noentry::domain::report::RoundReport = serde_json::from_str(&text).unwrap();
    report.started += time::Duration::HOUR;
    "Another".clone_into(&mut report.findings[0].target.name);
    for (partial, says) in [(true, "incident opened: "), (false, "incident commented: ")] {
        report.partial = partial;
        report.started += time::Duration::HOUR;
        fs::write(
            estate.folder.path().join("report.json"),
            serde_json::to_string(&report).unwrap(),
        )
        .unwrap();
        let printed = printed(&estate.replay().code(1));
        assert!(printed.contains(says), "{printed}");
        assert_eq!(printed.contains("Admin console"), !partial, "{printed}");
    }
}

#[test]
fn a_round_of_some_targets_is_marked_as_such() {
    let estate = Estate::new();
    for (words, partial) in [
        (&["check", "--json", "report.json"][..], false),
        (
            &[
                "check",
                "--json",
                "report.json",
                "--target",
                "Admin console",
            ],
            true,
        ),
    ] {
        estate.run(words).code(1);
        let text = fs::read_to_string(estate.folder.path().join("report.json")).unwrap();
        assert_eq!(text.contains("\"partial\": true"), partial, "{text}");
    }
}

#[test]
fn a_waived_exposure_opens_nothing_until_its_waiver_ends() {
    let estate = Estate::new();
    let file = estate.folder.path().join("noentry.yml");
    let plain = fs::read_to_string(&file).unwrap();
    let waived = |until: &str| {
        let waiver = format!(
            "waivers: [{{ target: Admin console, owner: us, reason: moves, until: {until} }}]\n"
        );
        fs::write(&file, plain.clone() + &waiver).unwrap();
    };
    waived("9999-12-31");
    estate.check().code(0);
    let trail = estate.folder.path().join("trail");
    let incidents = || {
        let files = fs::read_dir(&trail).into_iter().flatten().flatten();
        let paths = files.map(|entry| entry.path());
        paths
            .filter(|path| path.extension().is_some_and(|e| e == "md"))
            .count()
    };
    assert_eq!(incidents(), 0);
    waived("2020-01-01");
    estate.check().code(1);
    assert_eq!(incidents(), 1);
}

#[test]
fn a_trail_that_cannot_be_kept_is_an_error_and_hides_no_exposure() {
    let mut estate = Estate::new();
    let place = "folder:noentry.yml/below";
    let words = ["check", "--incidents", place, "--json", "report.json"];
    let run = estate.run(&words).code(1);
    assert!(warned(&run).contains("noentry: incident trail: noentry.yml/below: cannot be used"));
    assert!(printed(&run).contains("Admin console"));
    let replay = ["incidents", "--from", "report.json", "--incidents", place];
    estate.run(&replay).code(1);
    let door = estate.door.take();
    drop(door);
    fs::remove_file(estate.folder.path().join("report.json")).unwrap();
    estate.run(&words).code(4);
    // The report is there all the same.
    estate.run(&replay).code(4);
}

#[test]
fn what_is_not_ours_in_the_folder_is_named_and_the_rest_goes_on() {
    let estate = Estate::new();
    estate.check().code(1);
    let path = estate.incident();
    fs::write(&path, "garbage").unwrap();
    let run = estate.check().code(1);
    let warned = warned(&run);
    assert!(warned.contains("left alone: the line"), "{warned}");
    assert!(
        warned.contains(path.file_name().unwrap().to_str().unwrap()),
        "{warned}"
    );
    assert!(printed(&run).contains("-2.md"));
    assert_eq!(fs::read_to_string(&path).unwrap(), "garbage");
}

#[test]
fn a_clock_that_went_back_is_said_and_no_pass() {
    let mut estate = Estate::new();
    estate.run(&["check", "--json", "report.json"]).code(1);
    let path = estate.folder.path().join("report.json");
    let text = fs::read_to_string(&path).unwrap();
    let mut report: noentry::domain::report::RoundReport = serde_json::from_str(&text).unwrap();
    report.started += time::Duration::days(400);
    fs::write(&path, serde_json::to_string(&report).unwrap()).unwrap();
    estate.replay().code(1);
    let before = fs::read_to_string(estate.incident()).unwrap();
    estate.door.take();
    let run = estate.check().code(4);
    assert!(warned(&run).contains("clock went back"), "{}", warned(&run));
    // Whoever reads the report alone is told as well.
    let text = fs::read_to_string(&path).unwrap();
    let report: noentry::domain::report::RoundReport = serde_json::from_str(&text).unwrap();
    let problems = report.trail.unwrap().problems;
    assert!(
        problems
            .iter()
            .any(|p| p.what.contains("correct the clock")),
        "{problems:#?}"
    );
    assert_eq!(fs::read_to_string(estate.incident()).unwrap(), before);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_is_said_and_left_as_it_was() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    let mut estate = Estate::new();
    estate.check().code(1);
    estate.door.take();
    estate.run(&["check", "--json", "report.json"]).code(0);
    let root = estate.folder.path();
    let text = fs::read_to_string(estate.incident()).unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode));
    mode(&root.join("trail/.noentry-lock"), 0o666).unwrap();
    mode(&root.join("trail"), 0o555).unwrap();
    mode(root, 0o755).unwrap();
    // Whom nothing is forbidden goes as somebody else, with a copy of the program within reach.
    let program = root.join("noentry");
    // By another process: a program that this one is starting beside would hold it open for a moment.
    let copied = std::process::Command::new("cp")
        .arg(assert_cmd::cargo::cargo_bin("noentry"))
        .arg(&program)
        .status();
    assert!(copied.unwrap().success());
    let mut command = std::process::Command::new(&program);
    if fs::metadata(root).unwrap().uid() == 0 {
        command.uid(65534).gid(65534);
    }
    let run = Command::from_std(command)
        .current_dir(root)
        .args([
            "incidents",
            "--from",
            "report.json",
            "--incidents",
            "folder:trail",
        ])
        .timeout(std::time::Duration::from_mins(5))
        .assert()
        .code(4);
    assert!(
        warned(&run).contains("cannot be written: Permission denied"),
        "{}",
        warned(&run)
    );
    mode(&root.join("trail"), 0o755).unwrap();
    assert_eq!(fs::read_to_string(estate.incident()).unwrap(), text);
    // The next round that may makes up for it.
    assert!(printed(&estate.replay().code(0)).contains("incident updated: trail/"));
}

#[test]
fn issues_need_a_repository_and_a_token_and_an_api_that_keeps_it() {
    let estate = Estate::new();
    estate.run(&["check", "--json", "report.json"]).code(1);
    let repository = ("GITHUB_REPOSITORY", "org/repo");
    let token = ("GITHUB_TOKEN", "S3cret");
    for (env, says) in [
        (&[token][..], "write incidents: repository: owner/name"),
        (&[repository], "`permissions: issues: write`"),
        (
            &[repository, ("GITHUB_TOKEN", "S3 cret")],
            "put the bare token",
        ),
        (
            &[("GITHUB_REPOSITORY", "org"), token],
            "write it as owner/name",
        ),
        (
            &[
                repository,
                token,
                ("GITHUB_API_URL", "http://192.0.2.1/api/v3"),
            ],
            "would take the token in clear: use https",
        ),
        (
            // Nobody listens on the discard port of this machine.
            &[repository, token, ("GITHUB_API_URL", "http://127.0.0.1:9")],
            "there is no connection to the API",
        ),
    ] {
        let run = noentry(estate.folder.path())
            .args([
                "incidents",
                "--from",
                "report.json",
                "--incidents",
                "github",
            ])
            .envs(env.iter().copied())
            .assert()
            .code(1);
        assert!(warned(&run).contains(says), "{says}: {}", warned(&run));
        assert!(!warned(&run).contains("S3"), "{}", warned(&run));
    }
}

#[test]
fn what_became_of_the_trail_is_in_the_reports_that_come_after_it() {
    let estate = Estate::new();
    let root = estate.folder.path();
    let check = |place: &str| {
        noentry(root)
            .args(["check", "--json", "report.json", "--incidents", place])
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", root.join("summary.md"))
            .env("GITHUB_OUTPUT", root.join("output.txt"))
            .assert()
            .code(1)
    };
    let trail = || -> serde_json::Value {
        let text = fs::read_to_string(root.join("report.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["trail"].clone()
    };
    check("folder:trail");
    let told = trail();
    assert_eq!(told["store"], "folder:trail");
    assert_eq!(told["done"][0]["deed"], "opened");
    let summary = fs::read_to_string(root.join("summary.md")).unwrap();
    assert!(
        summary.contains("### Incident trail\n\n- opened: "),
        "{summary}"
    );
    let output = fs::read_to_string(root.join("output.txt")).unwrap();
    assert!(output.contains("[{\"deed\":\"opened\","), "{output}");
    // The report that has the trail can be read again.
    estate.run(&["report", "--from", "report.json"]).code(1);

    // Without a token nothing can be kept, and the reports say so.
    let run = check("github");
    let told = trail();
    let what = told["problems"][0]["what"].as_str().unwrap();
    assert!(what.contains("no repository is named"), "{what}");
    let says = printed(&run);
    // Where nothing could be told, each exposure says so where it is declared.
    assert_eq!(told["problems"][0]["target"], "Admin console");
    assert!(
        says.contains(
            "\n::warning file=noentry.yml,line=6,col=7,title=exposed%2C not in the trail%3A \
             Admin console::github: no repository is named"
        ),
        "{says}"
    );
    let summary = fs::read_to_string(root.join("summary.md")).unwrap();
    assert!(
        summary.contains("- **Not done:** `github` (Admin console): no repository is named"),
        "{summary}"
    );
    assert!(!root.join("report.json.part").exists());
}

/// An API that answers the same to every request, until the test ends.
fn api(status: u16, answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut asked = [0; 4096];
            let _ = stream.read(&mut asked);
            let length = answer.len();
            let _ = write!(
                stream,
                "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
            );
        }
    });
    format!("http://127.0.0.1:{port}")
}

#[test]
fn where_the_event_says_nothing_the_api_is_asked_who_reads() {
    let estate = Estate::new();
    let address = format!("127.0.0.1:{}", estate.port);
    for (status, answer, token, withheld) in [
        (200, "{\"private\": true}", true, false),
        (200, "{\"private\": false}", true, true),
        (200, "{}", true, true),
        (401, "{}", true, true),
        // Nobody is asked without a token.
        (200, "{\"private\": true}", false, true),
    ] {
        let mut run = noentry(estate.folder.path());
        run.arg("check")
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_REPOSITORY", "org/repo")
            .env("GITHUB_API_URL", api(status, answer));
        if token {
            run.env("GITHUB_TOKEN", "S3cret");
        }
        let run = run.assert().code(1);
        let all = format!("{}{}", printed(&run), warned(&run));
        assert_eq!(
            !all.contains(&address),
            withheld,
            "{status} {answer}: {all}"
        );
        assert_eq!(all.contains("details are withheld"), withheld, "{all}");
    }
}
