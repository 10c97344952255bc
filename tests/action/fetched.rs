//! The download: what is not the very archive that is pinned is not run.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use super::mirror::{Answer, Mirror};
use super::support::{Job, VERSION, World, archive, archive_name, archive_path, pinning, sha256};
use super::{config, shut, with_release};

/// A run that must not look at anything.
fn refused(world: &World, mirror: &str, says: &[&str]) -> Job {
    let (_shut, shut) = shut();
    let with = format!("mirror: {mirror}\nincidents: off\nfail-on: exposed");
    let job = world.run("schedule", &config(&[("Admin", shut)]), &with);
    assert_eq!(job.result(), "failure", "{}", job.log);
    assert_eq!(job.output("verdict"), "error");
    assert_eq!(job.output("exposed-targets"), "[]");
    let errors = job.annotations("error");
    assert_eq!(errors.len(), 1, "{errors:?}");
    for word in says {
        assert!(errors[0].contains(word), "{word}: {errors:?}");
        for file in ["report.json", "junit.xml", "summary.md"] {
            assert!(job.file(file).contains(word), "{file}: {}", job.file(file));
        }
        assert!(job.job_summary().contains(word), "{}", job.log);
    }
    assert!(!world.cached().exists(), "kept in the tool cache");
    job
}

#[test]
fn another_archive_than_the_pinned_one_is_refused() {
    let other = sha256(b"something else");
    let Some(world) = World::new(&pinning(&other)) else {
        return;
    };
    let mirror = Mirror::start(&archive_path(), Answer::File(archive().0.clone()));
    refused(&world, &mirror.url(), &[&other, &archive().1, "not used"]);
}

#[test]
fn an_archive_that_is_missing_is_not_waited_for() {
    let Some(world) = World::new(&pinning(&archive().1)) else {
        return;
    };
    let mirror = Mirror::start("/elsewhere", Answer::Status(404));
    refused(
        &world,
        &mirror.url(),
        &["is not there (HTTP status 404)", &archive_path()],
    );
    assert_eq!(mirror.asked(), [archive_path()]);
}

#[test]
fn a_mirror_that_timed_out_is_asked_again() {
    let Some(world) = World::new(&pinning(&archive().1)) else {
        return;
    };
    let mirror = Mirror::start(&archive_path(), Answer::Status(408));
    let says = ["in four tries, at last because of: HTTP status 408"];
    refused(&world, &mirror.url(), &says);
    assert_eq!(mirror.asked().len(), 4);
}

#[test]
fn a_truncated_download_is_tried_again_and_never_used() {
    let Some(world) = World::new(&pinning(&archive().1)) else {
        return;
    };
    let mirror = Mirror::start(&archive_path(), Answer::Half(archive().0.clone()));
    refused(
        &world,
        &mirror.url(),
        &["could not be downloaded in four tries"],
    );
    assert_eq!(mirror.asked().len(), 4);
}

#[test]
fn a_mirror_that_is_down_is_said() {
    let Some(world) = World::new(&pinning(&archive().1)) else {
        return;
    };
    let (_down, port) = shut();
    let url = format!("http://user:secret@127.0.0.1:{port}");
    let job = refused(&world, &url, &["could not be downloaded in four tries"]);
    assert!(!job.printed().contains("secret"), "{}", job.log);
}

#[test]
fn a_mirror_that_stumbles_is_tried_again() {
    let Some(mut world) = World::new(&pinning(&archive().1)) else {
        return;
    };
    let later = Answer::Later(2, Arc::clone(&archive().0));
    let mirror = Mirror::start(&archive_path(), later);
    world.env.push(("GITHUB_API_URL".to_owned(), mirror.url()));
    let (_shut, shut) = shut();
    let with = format!("mirror: {}\nincidents: off", mirror.url());
    let job = world.run("schedule", &config(&[("Admin", shut)]), &with);
    assert_eq!(job.result(), "success", "{}", job.log);
    assert!(job.printed().contains("HTTP status 503; once more"));
}

#[test]
fn the_tool_cache_is_used_only_for_the_very_same_archive() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let (_shut, shut) = shut();
    let run = || {
        let with = format!("mirror: {}\nincidents: off", mirror.url());
        let job = world.run("schedule", &config(&[("Admin", shut)]), &with);
        assert_eq!(job.result(), "success", "{}", job.log);
        job
    };
    run();
    assert_eq!(mirror.downloads(), 1);
    let job = run();
    assert!(job.printed().contains("from the tool cache"), "{}", job.log);
    assert_eq!(mirror.downloads(), 1);

    fs::write(world.cached(), b"#!/bin/sh\necho noentry 9; exit 0\n").unwrap();
    let job = run();
    let warnings = job.annotations("warning");
    assert!(warnings[0].contains("it is not used"), "{warnings:?}");
    assert_eq!(mirror.downloads(), 2);
    assert_eq!(sha256(&fs::read(world.cached()).unwrap()), archive().1);
}

#[test]
fn a_damaged_manifest_is_not_guessed_at() {
    let good = pinning(&archive().1);
    let target = super::support::target();
    for (manifest, says) in [
        (format!("{good}{good}"), "damaged in the line"),
        (
            good.replace(&archive().1, &archive().1[1..]),
            "damaged in the line",
        ),
        (good.replace(&archive_name(), "../x"), "damaged in the line"),
        (
            good.replace("releases https", "releases http"),
            "damaged in the line",
        ),
        (format!("{good}archive {target}"), "damaged in the line"),
        (good.replace("version ", "# "), "lacks its version"),
        (String::new(), "lacks its version"),
    ] {
        let Some(world) = World::new(&manifest) else {
            return;
        };
        refused(&world, "http://127.0.0.1:9", &[says]);
    }
}

#[test]
fn a_program_of_another_version_is_refused() {
    let mine = format!("version {VERSION}");
    let Some(world) = World::new(&pinning(&archive().1).replace(&mine, "version 7.7.7")) else {
        return;
    };
    let path = archive_path().replace(VERSION, "7.7.7");
    let mirror = Mirror::start(&path, Answer::File(archive().0.clone()));
    let (_shut, shut) = shut();
    let with = format!("mirror: {}\nincidents: off", mirror.url());
    let job = world.run("schedule", &config(&[("Admin", shut)]), &with);
    assert_eq!(job.result(), "failure", "{}", job.log);
    let errors = job.annotations("error");
    assert!(errors[0].contains("does not run here"), "{errors:?}");
}

#[test]
fn the_script_and_the_program_say_in_one_way_that_there_was_no_round() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let with = |more: &str| format!("mirror: {}\nincidents: off\n{more}", mirror.url());
    let by_script = world.run(
        "schedule",
        "version: 1\n",
        &with("version: \"<&\\\"'%0A>\""),
    );
    let by_program = world.run("schedule", "version: 1\n", &with("fail-on: \"<&'%0A>\""));
    for job in [&by_script, &by_program] {
        assert_eq!(job.result(), "failure", "{}", job.log);
        assert_eq!(job.annotations("error").len(), 1, "{}", job.log);
        assert_eq!(job.annotations("warning").len(), 0, "{}", job.log);
    }
    let (script, program) = (by_script.outputs(), by_program.outputs());
    assert_eq!(script, program);
    assert_eq!(script["verdict"], "error");
    // Everything but the reason is the same.
    let case = |job: &Job| {
        let junit = job.file("junit.xml");
        let mut reader = quick_xml::Reader::from_str(&junit);
        let mut found = Vec::new();
        loop {
            match reader.read_event().unwrap() {
                quick_xml::events::Event::Eof => break found,
                quick_xml::events::Event::Start(element) => {
                    let value = |name: &str| {
                        let value = element.try_get_attribute(name).unwrap()?;
                        Some(String::from_utf8(value.value.to_vec()).unwrap())
                    };
                    let name = String::from_utf8(element.name().as_ref().to_vec()).unwrap();
                    found.push((name, value("name"), value("classname"), value("type")));
                }
                _ => {}
            }
        }
    };
    for job in [&by_script, &by_program] {
        keeps_to_jenkins_schema(&job.path("junit.xml"));
    }
    let (script, program) = (case(&by_script), case(&by_program));
    let without_root = |found: &[_]| found[1..].to_vec();
    assert_eq!(without_root(&script), without_root(&program));
    assert_eq!(script.len(), 4, "{script:?}");
    let keys = |job: &Job| {
        let report: serde_json::Value = serde_json::from_str(&job.file("report.json")).unwrap();
        let keys: Vec<String> = report.as_object().unwrap().keys().cloned().collect();
        (
            keys,
            report["version"].clone(),
            report["noentry"].clone(),
            report["verdict"].clone(),
        )
    };
    assert_eq!(keys(&by_script), keys(&by_program));
}

fn keeps_to_jenkins_schema(junit: &Path) {
    let schema = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/vendor/jenkins-xunit/junit-10.xsd"
    );
    let checked = Command::new("xmllint")
        .args(["--noout", "--schema", schema])
        .arg(junit)
        .output();
    match checked {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{said}");
        }
        Err(error) => {
            let required = std::env::var("NOENTRY_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
            assert!(!required, "xmllint is required: {error}");
            eprintln!("SKIPPED: xmllint is missing, so the schema is not looked at");
        }
    }
}
