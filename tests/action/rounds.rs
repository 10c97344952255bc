//! Verdicts: what the step, the outputs, the files, the summary and the annotations say of a round.

use std::time::Duration;

use assert_cmd::Command;
use noentry::report::json;

use super::support::archive_path;
use super::{config, open, shut, with_release};

#[test]
fn a_blocked_round_on_schedule_passes_and_everything_is_there() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let (_shut, shut) = shut();
    let with = format!("mirror: {}/\nincidents: off", mirror.url());
    let job = world.run("schedule", &config(&[("Admin", shut)]), &with);
    assert_eq!(job.result(), "success", "{}", job.log);
    assert_eq!(job.outcome(), "success");
    for (name, value) in [
        ("verdict", "blocked"),
        ("exit-code", "0"),
        ("targets", "1"),
        ("blocked", "1"),
        ("exposed", "0"),
        ("waived", "0"),
        ("inconclusive", "0"),
        ("exposed-targets", "[]"),
        ("report", "noentry-reports/report.json"),
        ("junit", "noentry-reports/junit.xml"),
        ("summary", "noentry-reports/summary.md"),
    ] {
        assert_eq!(job.output(name), value, "{name}");
    }
    let report = json::parse(&job.file("report.json")).unwrap();
    assert_eq!(report.config, ".github/noentry.yml");
    assert!(job.file("junit.xml").contains("name=\"Admin "));
    assert!(job.file("summary.md").contains("blocked"));
    assert!(job.job_summary().contains("blocked"), "{}", job.log);
    assert_eq!(job.annotations("error"), [""; 0], "{}", job.log);
}

#[test]
fn the_action_itself_takes_less_than_three_seconds() {
    let Some((mut world, mirror)) = with_release() else {
        return;
    };
    let (_shut, shut) = shut();
    let with = format!("mirror: {}\nincidents: off", mirror.url());
    // Each time with the download. Other programs run meanwhile, so the best of some counts.
    world.alone = true;
    let mut least = Duration::MAX;
    for _ in 0..10 {
        let _ = std::fs::remove_file(world.cached());
        let job = world.run("schedule", &config(&[("Admin", shut)]), &with);
        let report = json::parse(&job.file("report.json")).unwrap();
        let beside = job
            .took()
            .saturating_sub(Duration::from_millis(report.took_ms));
        least = least.min(beside);
        if least < Duration::from_secs(3) {
            eprintln!("beside the round: {beside:?}");
            return;
        }
    }
    panic!("beside the round: {least:?}");
}

#[test]
fn an_exposed_round_on_dispatch_fails_and_later_steps_see_it_all() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let ((_shut, shut), (_open, open)) = (shut(), open());
    let config = config(&[("Admin", shut), ("Orders database", open)]);
    let with = format!("mirror: {}\nincidents: off", mirror.url());
    let job = world.run("workflow_dispatch", &config, &with);
    assert_eq!(job.result(), "failure", "{}", job.log);
    assert_eq!(job.outcome(), "failure");
    assert_eq!(job.output("verdict"), "exposed");
    assert_eq!(job.output("exit-code"), "1");
    assert_eq!(job.output("targets"), "2");
    assert_eq!(job.output("exposed"), "1");
    assert_eq!(job.output("exposed-targets"), "[\"Orders database\"]");
    let errors = job.annotations("error");
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert_eq!(job.property("error", "file"), Some(".github/noentry.yml"));
    assert!(job.job_summary().contains("Orders database"));
    assert!(job.file("junit.xml").contains("<failure"));
    json::parse(&job.file("report.json")).unwrap();
}

#[test]
fn a_pull_request_files_no_issue_without_being_told() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let (_open, open) = open();
    let with = format!("mirror: {}", mirror.url());
    let job = world.run("pull_request", &config(&[("Admin", open)]), &with);
    assert_eq!(job.result(), "failure", "{}", job.log);
    assert_eq!(job.output("verdict"), "exposed");
    assert_eq!(job.output("exit-code"), "1", "{}", job.log);
    assert!(!job.printed().contains("incident trail"), "{}", job.log);
    assert!(!job.printed().contains("incident opened"), "{}", job.log);
    // The API may be asked who can read this repository, and nothing else.
    let asked = mirror.asked();
    let may = |path: &String| *path == archive_path() || path == "/repos/stranger/estate";
    assert!(asked.iter().all(may), "{asked:?}");
}

#[test]
fn inconclusive_fails_unless_the_workflow_says_otherwise() {
    let Some((mut world, mirror)) = with_release() else {
        return;
    };
    // Without a control, a reset proves nothing.
    world.env.clear();
    let ((_shut, shut), (_dead, dead)) = (shut(), shut());
    let api = format!("http://127.0.0.1:{dead}");
    world.env.push(("GITHUB_API_URL".to_owned(), api));
    let config = config(&[("Admin", shut)]);
    for (fail_on, result) in [
        ("", "failure"),
        ("fail-on: inconclusive, exposed", "failure"),
        ("fail-on: exposed", "success"),
    ] {
        let with = format!("mirror: {}\nincidents: off\n{fail_on}", mirror.url());
        let job = world.run("schedule", &config, &with);
        assert_eq!(job.result(), result, "{fail_on}\n{}", job.log);
        assert_eq!(job.outcome(), result);
        assert_eq!(job.output("verdict"), "inconclusive");
        assert_eq!(job.output("exit-code"), "3");
        assert_eq!(job.output("inconclusive"), "1");
        assert!(job.file("junit.xml").contains("<error"));
        json::parse(&job.file("report.json")).unwrap();
    }
    let (_open, open) = open();
    let with = format!("mirror: {}\nincidents: off\nfail-on: exposed", mirror.url());
    let job = world.run("schedule", &super::config(&[("Admin", open)]), &with);
    assert_eq!(job.result(), "failure", "{}", job.log);
}

#[test]
fn a_broken_configuration_is_said_everywhere_and_passes_for_nothing() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let with = format!("mirror: {}\nincidents: off\nfail-on: exposed", mirror.url());
    let job = world.run("push", "version: 1\ntargts: []\n", &with);
    assert_eq!(job.result(), "failure", "{}", job.log);
    assert_eq!(job.outcome(), "failure");
    assert_eq!(job.output("verdict"), "error");
    assert_eq!(job.output("exit-code"), "2");
    assert_eq!(job.output("targets"), "0");
    assert_eq!(job.output("exposed-targets"), "[]");
    let errors = job.annotations("error");
    assert!(errors[0].contains("did you mean `targets`"), "{errors:?}");
    assert_eq!(job.property("error", "file"), Some(".github/noentry.yml"));
    assert_eq!(job.property("error", "line"), Some("2"));
    assert!(job.file("junit.xml").contains("noentry.yml:2:1"));
    assert!(job.file("summary.md").contains("There is no verdict"));
    assert!(job.job_summary().contains("There is no verdict"));
    let refused = Command::cargo_bin("noentry")
        .unwrap()
        .args(["report", "--from"])
        .arg(job.path("report.json"))
        .assert()
        .code(2);
    let said = String::from_utf8(refused.get_output().stderr.clone()).unwrap();
    assert!(said.contains("there was no round to report"), "{said}");
    assert!(said.contains("did you mean `targets`"), "{said}");
}

#[test]
fn a_trail_in_a_folder_goes_from_an_exposure_to_its_end() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    // Kept from run to run by the workflow, as an artifact or a cache would.
    let trail = tempfile::tempdir().unwrap();
    let (listener, port) = open();
    let with = format!(
        "mirror: {}\nincidents: folder:{}\ntoken: ''",
        mirror.url(),
        trail.path().display()
    );
    let config = config(&[("Admin", port)]);
    let job = world.run("schedule", &config, &with);
    assert_eq!(job.output("verdict"), "exposed", "{}", job.log);
    let closed = || {
        let files = std::fs::read_dir(trail.path()).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        let file = files
            .into_iter()
            .find(|p| p.extension().is_some() && p.extension().unwrap() == "md");
        let text = std::fs::read_to_string(file.unwrap()).unwrap();
        text.contains("has been shut since")
    };
    assert!(!closed());
    let _taken = listener.shut();
    for last in [false, true] {
        let job = world.run("schedule", &config, &with);
        assert_eq!(job.output("verdict"), "blocked", "{}", job.log);
        assert_eq!(job.result(), "success");
        assert_eq!(closed(), last, "{}", job.log);
    }
}

/// Waits until a process is noentry, and one that handles SIGINT by itself.
fn ready(process: u32) {
    let status = format!("/proc/{process}/status");
    for _ in 0..6_000 {
        let text = std::fs::read_to_string(&status).unwrap();
        let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
        let caught = u64::from_str_radix(field("SigCgt:").unwrap().trim(), 16).unwrap();
        // SIGINT is signal 2: the second bit.
        if field("Name:").unwrap().trim() == "noentry" && caught & 2 != 0 {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!(
        "no noentry yet\n{}",
        std::fs::read_to_string(&status).unwrap()
    );
}

#[test]
fn a_cancelled_job_still_gets_its_reports() {
    // As the runner does it: a signal to the process of the step, which must be noentry by then.
    let folder = tempfile::tempdir().unwrap();
    let (_full, port) = super::silent();
    let text = config(&[("Slow", port)]).replace("900ms, attempts: 1", "20s, attempts: 20");
    std::fs::write(folder.path().join("noentry.yml"), text).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/action/run.sh");
    let mut step = std::process::Command::new("bash")
        .arg(script)
        .current_dir(folder.path())
        .env("RUNNER_TEMP", folder.path())
        .env("NOENTRY_INPUT_BINARY_PATH", env!("CARGO_BIN_EXE_noentry"))
        .env("GITHUB_OUTPUT", folder.path().join("outputs"))
        .spawn()
        .unwrap();
    ready(step.id());
    let told = std::process::Command::new("kill")
        .args(["-INT", &step.id().to_string()])
        .status();
    assert!(told.unwrap().success());
    assert_eq!(step.wait().unwrap().code(), Some(3));
    let saved = std::fs::read_to_string(folder.path().join("noentry-reports/report.json"));
    assert!(json::parse(&saved.unwrap()).unwrap().interrupted);
    let outputs = std::fs::read_to_string(folder.path().join("outputs")).unwrap();
    assert!(outputs.contains("inconclusive"), "{outputs}");
}
