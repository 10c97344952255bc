//! Shards and vantages as a user types them: `check --shard`, `merge`, and the trail of the whole.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod program;

use std::fmt::Write as _;
use std::fs;

use assert_cmd::assert::Assert;
use noentry::domain::merged::Missing;
use noentry::domain::report::RoundReport;
use noentry::domain::shard::Shard;
use noentry::domain::verdict::Verdict;
use noentry::report::json;
use tempfile::TempDir;

use program::{Door, door, noentry};

/// How many targets there are, and in how many shards.
const ALL: usize = 12;
const SHARDS: u32 = 3;

/// A control, and twelve targets of which one may be open.
struct Estate {
    folder: TempDir,
    _control: Door,
    door: Option<Door>,
    /// Ports at which nobody listens.
    _shut: Vec<tokio::net::TcpSocket>,
}

/// The one that may be open.
const DOOR: &str = "target 07";

impl Estate {
    fn new() -> Self {
        let ((held, control), (open, port)) = (door(), door());
        let mut text = format!(
            "version: 1\nvantage: {{ unfiltered: true }}\ndefaults: {{ timeout: 900ms, attempts: 2, interval: 50ms, \
             probe_non_global: true }}\ncontrols: [{{ tcp: '127.0.0.1:{control}' }}]\ntargets:\n"
        );
        let mut shut = Vec::new();
        for number in 0..ALL {
            let name = format!("target {number:02}");
            let port = if name == DOOR {
                port
            } else {
                let socket = tokio::net::TcpSocket::new_v4().unwrap();
                socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
                let port = socket.local_addr().unwrap().port();
                shut.push(socket);
                port
            };
            writeln!(text, "  - {{ name: {name}, tcp: '127.0.0.1:{port}' }}").unwrap();
        }
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join("noentry.yml"), text).unwrap();
        Self {
            folder,
            _control: held,
            door: Some(open),
            _shut: shut,
        }
    }

    fn run(&self, words: &[&str]) -> Assert {
        noentry(self.folder.path()).args(words).assert()
    }

    /// Every shard from one vantage, as the jobs of a matrix leave them in their folders.
    fn look(&self, run: &str, vantage: &str) {
        for index in 1..=SHARDS {
            let shard = format!("{index}/{SHARDS}");
            let json = format!("{run}/noentry-{vantage}-{index}/report.json");
            let words = ["--shard", &shard, "--vantage", vantage, "--json", &json];
            let open = self.door.is_some() && Self::holding().index == index;
            let code = i32::from(open);
            self.run(&[&["check"], &words[..]].concat()).code(code);
        }
    }

    /// The shard with the target that may be open.
    fn holding() -> Shard {
        let mut shards = (1..=SHARDS).map(|index| Shard { index, of: SHARDS });
        shards.find(|shard| shard.holds(DOOR)).unwrap()
    }

    fn merge(&self, run: &str) -> Assert {
        let out = format!("{run}.json");
        self.run(&[
            "merge",
            run,
            "--expect",
            "6",
            "--json",
            &out,
            "--incidents",
            "folder:trail",
        ])
    }

    fn saved(&self, file: &str) -> RoundReport {
        json::parse(&fs::read_to_string(self.folder.path().join(file)).unwrap()).unwrap()
    }
}

fn printed(run: &Assert) -> String {
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

fn warned(run: &Assert) -> String {
    String::from_utf8(run.get_output().stderr.clone()).unwrap()
}

#[test]
fn three_shards_from_two_vantages_are_one_report_and_one_trail() {
    let mut estate = Estate::new();
    // Open for the first vantage, shut for the second.
    estate.look("first", "eu");
    let open = estate.door.take();
    drop(open);
    estate.look("first", "us");
    let run = estate.merge("first").code(1);
    let says = printed(&run);
    assert!(
        says.contains("vantages     exposed from eu (connected); blocked from us (refused)"),
        "{says}"
    );
    assert!(
        says.contains("12 targets: 1 exposed, 0 inconclusive, 11 blocked"),
        "{says}"
    );
    assert!(says.contains("incident opened: trail/target-07-"), "{says}");
    let report = estate.saved("first.json");
    assert_eq!((report.rounds.len(), report.missing.len()), (6, 0));
    assert!(!report.partial);
    assert!(report.findings.iter().all(|f| f.vantages.len() == 2));
    // Rendered and told again from the merged file.
    let words = [
        "report",
        "--from",
        "first.json",
        "--junit",
        "junit.xml",
        "--summary",
        "summary.md",
    ];
    estate.run(&words).code(1);
    let junit = fs::read_to_string(estate.folder.path().join("junit.xml")).unwrap();
    assert!(
        junit.contains("tests=\"12\"") && junit.contains("failures=\"1\""),
        "{junit}"
    );
    let again = [
        "incidents",
        "--from",
        "first.json",
        "--incidents",
        "folder:trail",
    ];
    assert!(printed(&estate.run(&again).code(1)).contains("has 1 target from this round"));

    // The shard that saw it open does not report; the other vantage's `blocked` is no proof of anything.
    for run in ["second", "third"] {
        estate.look(run, "eu");
        estate.look(run, "us");
        let lost = format!("{run}/noentry-eu-{}", Estate::holding().index);
        fs::remove_dir_all(estate.folder.path().join(lost)).unwrap();
        let merged = estate.merge(run).code(3);
        let says = printed(&merged);
        let shard = format!(
            "shard {} from eu: its round is not there",
            Estate::holding()
        );
        assert!(says.contains(&shard), "{says}");
        assert!(!says.contains("incident closed"), "{says}");
        let report = estate.saved(&format!("{run}.json"));
        let vantage = Some("eu".to_owned());
        assert_eq!(
            report.missing,
            [Missing::Shard {
                shard: Estate::holding(),
                vantage
            }]
        );
        assert!(report.partial);
    }
    // Shut for both, and all there: two rounds in a row close it.
    for (run, says) in [
        ("fourth", "incident updated: "),
        ("fifth", "incident closed: "),
    ] {
        estate.look(run, "eu");
        estate.look(run, "us");
        let printed = printed(&estate.merge(run).code(0));
        assert!(printed.contains(says), "{printed}");
    }
}

#[test]
fn a_shard_that_stays_away_opens_an_incident_until_it_is_back() {
    let mut estate = Estate::new();
    drop(estate.door.take());
    let look = |run: &str, shards: std::ops::RangeInclusive<u32>| {
        for index in shards {
            let shard = format!("{index}/{SHARDS}");
            let json = format!("{run}/{index}.json");
            estate
                .run(&["check", "--shard", &shard, "--json", &json])
                .code(0);
        }
        let out = format!("{run}.json");
        let to = ["--json", &out, "--incidents", "folder:trail"];
        let merged = estate.run(&[&["merge", run], &to[..]].concat());
        (merged.get_output().status.code(), printed(&merged))
    };
    for (run, told) in [("first", false), ("second", false), ("third", true)] {
        let (code, says) = look(run, 1..=2);
        assert_eq!(code, Some(3), "{says}");
        assert_eq!(says.contains("incident opened: "), told, "{says}");
    }
    let trail = estate.folder.path().join("trail");
    let kept = || -> String {
        let files = fs::read_dir(&trail).unwrap().map(|f| f.unwrap().path());
        let mut files = files.filter(|f| f.extension().is_some_and(|e| e == "md"));
        fs::read_to_string(files.next().unwrap()).unwrap()
    };
    let says = kept();
    assert!(
        says.contains("**1 shard could not be judged since "),
        "{says}"
    );
    assert!(
        says.contains("opened: `shard 3/3` cannot be judged"),
        "{says}"
    );
    assert!(
        says.contains("| its round was not among those that were merged |"),
        "{says}"
    );
    let (code, says) = look("fourth", 1..=3);
    assert_eq!(code, Some(0), "{says}");
    assert!(says.contains("incident closed: "), "{says}");
    let says = kept();
    assert!(says.contains("noentry sees again: `shard 3/3`"), "{says}");
}

#[test]
fn the_same_shard_has_the_same_targets_and_all_together_have_all() {
    let estate = Estate::new();
    estate.look("all", "eu");
    let mut names = Vec::new();
    for index in 1..=SHARDS {
        let report = estate.saved(&format!("all/noentry-eu-{index}/report.json"));
        assert_eq!(report.shard, Some(Shard { index, of: SHARDS }));
        assert_eq!(report.declared, Some(ALL));
        assert_eq!(report.vantage.label.as_deref(), Some("eu"));
        assert!(report.partial);
        names.extend(report.findings.into_iter().map(|f| f.target.name));
    }
    names.sort();
    let all: Vec<String> = (0..ALL)
        .map(|number| format!("target {number:02}"))
        .collect();
    assert_eq!(names, all);
}

#[test]
fn a_shard_without_targets_is_no_pass_and_says_that_it_claims_nothing() {
    let estate = Estate::new();
    let empty = |of| {
        let holds = |shard: Shard| (0..ALL).any(|n| shard.holds(&format!("target {n:02}")));
        (1..=of)
            .map(move |index| Shard { index, of })
            .find(|shard| !holds(*shard))
            .unwrap()
    };
    let shard = empty(16).to_string();
    let words = [
        "check",
        "--shard",
        &shard,
        "--json",
        "empty.json",
        "--junit",
        "empty.xml",
    ];
    let says = printed(&estate.run(&words).code(3));
    assert!(
        says.contains(&format!("shard {shard} has none of 12 targets")),
        "{says}"
    );
    let report = estate.saved("empty.json");
    assert_eq!(
        (report.verdict, report.findings.len()),
        (Verdict::Inconclusive, 0)
    );
    estate.run(&["report", "--from", "empty.json"]).code(3);
    let junit = fs::read_to_string(estate.folder.path().join("empty.xml")).unwrap();
    assert!(junit.contains("tests=\"0\""), "{junit}");
    // Alone it is far from the whole.
    let says = printed(&estate.run(&["merge", "empty.json"]).code(3));
    assert!(says.contains("missing "), "{says}");
}

#[test]
fn what_makes_no_sense_is_refused_and_leaves_no_old_report() {
    let estate = Estate::new();
    for (words, says) in [
        (
            &["check", "--shard", "0/3"][..],
            "expected a shard such as 2/8",
        ),
        (
            &["check", "--shard", "1/3", "--target", DOOR],
            "cannot be used with",
        ),
        (
            &["check", "--vantage", " "],
            "expected a name of at most 64",
        ),
        (&["merge"], "required"),
        (&["merge", "-", "-"], "name - once"),
        (&["merge", "none.json"], "there is no report to merge"),
        (&["merge", "."], "there is no .json file in it"),
    ] {
        let warned = warned(&estate.run(words).code(2));
        assert!(warned.contains(says), "{words:?}: {warned}");
    }
    estate.look("run", "eu");
    let path = "run/noentry-eu-1/report.json";
    let warned = warned(&estate.run(&["merge", "run", "--json", path]).code(2));
    assert!(warned.contains("would overwrite what is read"), "{warned}");
    estate
        .run(&["merge", "run", "--json", "merged.json"])
        .code(1);
    // The files of another run are among them.
    let text = fs::read_to_string(estate.folder.path().join(path)).unwrap();
    let mut old: RoundReport = serde_json::from_str(&text).unwrap();
    old.started -= time::Duration::hours(30);
    let old = serde_json::to_string(&old).unwrap();
    fs::write(estate.folder.path().join("old.json"), old).unwrap();
    estate
        .run(&["merge", "run", "old.json", "--json", "merged.json"])
        .code(2);
    assert!(!estate.folder.path().join("merged.json").exists());
    let words = [
        "merge",
        "run",
        "old.json",
        "--json",
        "merged.json",
        "--within",
        "50h",
    ];
    estate.run(&words).code(1);
}

#[test]
fn a_damaged_report_is_missing_and_hides_no_exposure() {
    let estate = Estate::new();
    estate.look("run", "eu");
    let other = (1..=SHARDS)
        .find(|index| *index != Estate::holding().index)
        .unwrap();
    let path = estate
        .folder
        .path()
        .join(format!("run/noentry-eu-{other}/report.json"));
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, &text[..text.len() / 2]).unwrap();
    let run = estate
        .run(&["merge", "run", "--json", "merged.json"])
        .code(1);
    assert!(warned(&run).contains("not JSON"), "{}", warned(&run));
    let says = printed(&run);
    assert!(says.contains("cannot count: not JSON"), "{says}");
    assert!(
        says.contains(&format!("shard {other}/3 from eu: its round is not there")),
        "{says}"
    );
    assert_eq!(estate.saved("merged.json").totals.exposed, 1);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_a_report_that_is_missing() {
    let estate = Estate::new();
    estate.look("run", "eu");
    let gone = estate.folder.path().join("run/us.json");
    std::os::unix::fs::symlink("/nonexistent/report.json", gone).unwrap();
    let run = estate.run(&["merge", "run", "--json", "merged.json"]);
    let run = run.code(1);
    assert!(warned(&run).contains("us.json: cannot be read"));
    let missing = estate.saved("merged.json").missing;
    assert!(missing.len() == 2, "{missing:?}");
}

#[test]
fn a_job_is_told_of_the_whole() {
    let estate = Estate::new();
    estate.look("run", "eu");
    let event = estate.folder.path().join("event.json");
    fs::write(
        &event,
        "{\"repository\":{\"full_name\":\"a/b\",\"private\":true}}",
    )
    .unwrap();
    let output = estate.folder.path().join("output");
    let summary = estate.folder.path().join("summary");
    let run = noentry(estate.folder.path())
        .args(["merge", "run"])
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_REPOSITORY", "a/b")
        .env("GITHUB_EVENT_PATH", &event)
        .env("GITHUB_OUTPUT", &output)
        .env("GITHUB_STEP_SUMMARY", &summary)
        .assert()
        .code(1);
    assert!(
        printed(&run).contains("::error file=noentry.yml"),
        "{}",
        printed(&run)
    );
    let outputs = fs::read_to_string(output).unwrap();
    assert!(outputs.contains("exposed-targets"), "{outputs}");
    assert!(
        fs::read_to_string(summary)
            .unwrap()
            .contains("out of 3 rounds")
    );
}
