//! Reports read by programs that others made: two JUnit readers, Jenkins' schema, a JSON Schema
//! validator and a Markdown renderer.
//!
//! They are Python packages (`tests/readers/requirements.txt`) and `xmllint`. Where one is missing its
//! test says so and does nothing, unless `NOENTRY_REQUIRE_TOOLS` is 1. `NOENTRY_PYTHON` names the
//! Python that has the packages.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use std::path::{Path, PathBuf};
use std::process::Command;

use noentry::domain::report::RoundReport;
use noentry::report::junit::{self, Dialect};
use noentry::report::summary;
use serde_json::Value;

fn python() -> String {
    std::env::var("NOENTRY_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

/// Whether a tool is there. A missing one is an error where tools are required.
fn have(what: &str, program: &str, probe: &[&str]) -> bool {
    let found = Command::new(program)
        .args(probe)
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        let required = std::env::var("NOENTRY_REQUIRE_TOOLS").is_ok_and(|v| v == "1");
        assert!(!required, "{what} is required and missing");
        eprintln!("SKIPPED: {what} is missing, so this test checks nothing here");
    }
    found
}

fn have_package(package: &str) -> bool {
    have(
        &format!("the Python package {package}"),
        &python(),
        &["-c", &format!("import {package}")],
    )
}

fn here(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn run(program: &str, arguments: &[&Path]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).unwrap()
}

/// What a reader of ours around another's parser understood of a round.
fn understood(reader: &str, report: &RoundReport) -> Value {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("junit.xml");
    std::fs::write(&file, junit::render(report, Dialect::Located).unwrap()).unwrap();
    let script = here("tests/readers").join(reader);
    serde_json::from_str(&run(&python(), &[&script, &file])).unwrap()
}

fn case<'a>(read: &'a Value, name: &str) -> &'a Value {
    let mut cases = read["cases"].as_array().unwrap().iter();
    cases.find(|case| case["name"] == name).unwrap()
}

#[test]
fn junitparser_reads_what_was_meant() {
    if !have_package("junitparser") {
        return;
    }
    let read = understood("junitparser_read.py", &sample::round());
    assert_eq!(read["root"], serde_json::json!([29, 5, 10]));
    assert_eq!(
        read["suites"],
        serde_json::json!([["noentry", 29, 5, 10, 0]])
    );
    assert_eq!(read["properties"]["vantage.proven"], "ipv4");
    let exposed = case(&read, "Orders database (tcp 5432, ipv4)");
    assert_eq!(exposed["results"], serde_json::json!(["failure"]));
    assert_eq!(exposed["type"], "exposed");
    let unsure = case(&read, "Build server (tcp 443, ipv6)");
    assert_eq!(unsure["results"], serde_json::json!(["error"]));
    assert_eq!(unsure["type"], "no_route");
    assert_eq!(
        case(&read, "Intranet (dns)")["results"],
        serde_json::json!([])
    );

    let doors = understood("junitparser_read.py", &sample::doors::round());
    assert_eq!(doors["root"], serde_json::json!([22, 7, 2]));
    assert_eq!(doors["properties"]["coverage.tcp.ipv6.watched"], "Preview");
    assert_eq!(case(&doors, "Gateway (icmp, ipv6)")["type"], "no_control");

    let waived = understood("junitparser_read.py", &sample::waivers::round());
    assert_eq!(waived["root"], serde_json::json!([14, 1, 3]));
    assert_eq!(waived["suites"][0][4], 4);
    let open = case(&waived, "Admin console (tcp 443, ipv4)");
    assert_eq!(open["results"], serde_json::json!(["skipped"]));
    assert_eq!(
        open["message"],
        "waived until 2026-12-31 by platform team: moves behind the VPN, TICKET-42"
    );

    let withheld = sample::waivers::round().withheld();
    let withheld = understood("junitparser_read.py", &withheld);
    assert_eq!(withheld["root"], serde_json::json!([7, 1, 2]));
    assert_eq!(withheld["suites"][0][4], 2);
    assert_eq!(withheld["properties"]["noentry.withheld"], "true");
    let open = case(&withheld, "Replica (tcp)");
    assert_eq!(open["results"], serde_json::json!(["failure"]));
    assert_eq!(open["message"], "an outsider is not stopped as promised");

    let hostile = understood("junitparser_read.py", &sample::hostile_round());
    assert_eq!(hostile["root"], serde_json::json!([4, 1, 1]));
    assert_eq!(hostile["cases"].as_array().unwrap().len(), 4);
    let text = hostile["cases"][0]["text"].as_str().unwrap();
    assert!(text.contains("]]></failure></testcase><testcase name="));
}

#[test]
fn junit2html_reads_what_was_meant() {
    if !have_package("junit2htmlreport") {
        return;
    }
    let read = understood("junit2html_read.py", &sample::round());
    assert_eq!(read["suites"], serde_json::json!([["noentry", 29, 15, 0]]));
    assert_eq!(
        case(&read, "Orders database (tcp 5432, ipv4)")["outcome"],
        "failed"
    );
    assert_eq!(
        case(&read, "Build server (tcp 443, ipv6)")["outcome"],
        "failed"
    );
    let blocked = case(&read, "Staging (tcp 443, ipv4)");
    assert_eq!(blocked["outcome"], "passed");
    assert_eq!(blocked["class"], "noentry-url");

    let waived = understood("junit2html_read.py", &sample::waivers::round());
    assert_eq!(waived["suites"], serde_json::json!([["noentry", 14, 4, 4]]));
    let open = case(&waived, "Admin console (tcp 443, ipv4)");
    assert_eq!(open["outcome"], "skipped");

    let withheld = sample::waivers::round().withheld();
    let withheld = understood("junit2html_read.py", &withheld);
    assert_eq!(
        withheld["suites"],
        serde_json::json!([["noentry", 7, 3, 2]])
    );
    assert_eq!(case(&withheld, "Replica (tcp)")["outcome"], "failed");

    // A person sees the coverage table there too.
    let doors = understood("junit2html_read.py", &sample::doors::round());
    let html = doors["html"].as_str().unwrap();
    assert!(html.contains("coverage.http3.ipv6.not_watchable"));
    assert!(html.contains("no control stands for UDP over IPv6: Preview"));

    let hostile = understood("junit2html_read.py", &sample::hostile_round());
    assert_eq!(hostile["suites"], serde_json::json!([["noentry", 4, 2, 0]]));
    let html = hostile["html"].as_str().unwrap();
    assert!(!html.contains("<img src=x"));
}

fn assert_valid(xml: &str) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("junit.xml");
    std::fs::write(&file, xml).unwrap();
    let schema = here("tests/vendor/jenkins-xunit/junit-10.xsd");
    run(
        "xmllint",
        &[Path::new("--noout"), Path::new("--schema"), &schema, &file],
    );
}

#[test]
fn jenkins_schema_accepts_the_strict_dialect() {
    if !have("xmllint", "xmllint", &["--version"]) {
        return;
    }
    for report in [
        sample::round(),
        sample::doors::round(),
        sample::waivers::round(),
        sample::hostile_round(),
        sample::of(vec![]),
        sample::round().withheld(),
        sample::waivers::round().withheld(),
        sample::hostile_round().withheld(),
    ] {
        assert_valid(&junit::render(&report, Dialect::Strict).unwrap());
    }
}

#[test]
fn the_default_dialect_has_two_attributes_more_and_nothing_else() {
    let report = sample::round();
    let located = junit::render(&report, Dialect::Located).unwrap();
    let mut lines = Vec::new();
    for line in located.lines() {
        let case = line.trim_start().starts_with("<testcase ");
        match line
            .split_once(" file=\"noentry.yml\" line=\"")
            .filter(|_| case)
        {
            Some((before, after)) => {
                lines.push(format!("{before}{}", after.split_once('"').unwrap().1));
            }
            None => lines.push(line.to_owned()),
        }
    }
    let strict = junit::render(&report, Dialect::Strict).unwrap();
    assert_eq!(lines.join("\n") + "\n", strict);
}

#[test]
fn a_json_schema_validator_accepts_the_saved_rounds() {
    if !have_package("jsonschema") {
        return;
    }
    let check = "import json,sys,jsonschema\n\
                 schema = json.load(open(sys.argv[1]))\n\
                 cls = jsonschema.validators.validator_for(schema)\n\
                 cls.check_schema(schema)\n\
                 print(len(list(cls(schema).iter_errors(json.load(open(sys.argv[2]))))))";
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("check.py");
    std::fs::write(&script, check).unwrap();
    let schema = here("schema/report.schema.json");
    let file = folder.path().join("report.json");
    let errors = |text: String| {
        std::fs::write(&file, text).unwrap();
        run(&python(), &[&script, &schema, &file]).trim().to_owned()
    };
    for report in [
        sample::round(),
        sample::doors::round(),
        sample::doors::inside_round(),
        sample::waivers::round(),
        sample::hostile_round(),
        sample::of(vec![]),
        sample::doors::round().withheld(),
        sample::waivers::round().withheld(),
        sample::hostile_round().withheld(),
    ] {
        assert_eq!(errors(sample::written(&report)), "0");
    }
    let newer = sample::written(&sample::round());
    let newer = newer.replacen("\"version\": 1", "\"version\": 2", 1);
    assert_eq!(errors(newer), "1");
}

#[test]
fn a_markdown_renderer_makes_nothing_out_of_hostile_text() {
    if !have_package("markdown_it") {
        return;
    }
    let render = "import re,sys\n\
                  from markdown_it import MarkdownIt\n\
                  md = MarkdownIt('commonmark', {'html': True}).enable('table')\n\
                  html = md.render(open(sys.argv[1], encoding='utf-8').read())\n\
                  print(' '.join(sorted(set(re.findall(r'<([a-z0-9]+)', html)))))";
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("render.py");
    std::fs::write(&script, render).unwrap();
    let file = folder.path().join("summary.md");
    let elements = |report: &RoundReport| {
        std::fs::write(&file, summary::render(report, summary::LIMIT)).unwrap();
        run(&python(), &[&script, &file]).trim().to_owned()
    };
    // Everything that our own layout makes, and neither `a`, `img` nor `em`.
    let ours = "br code details h2 h3 li p strong summary table tbody td th thead tr ul";
    assert_eq!(elements(&sample::round()), ours);
    assert_eq!(elements(&sample::doors::round()), ours);
    assert_eq!(elements(&sample::hostile_round()), ours);
    let without = elements(&sample::hostile_round().withheld());
    let mut ours = ours.split(' ');
    assert!(
        without.split(' ').all(|e| ours.any(|own| own == e)),
        "{without}"
    );
    // A link of ours is one, and nothing else is.
    let mut linked = sample::hostile_round();
    linked.links.run = Some("https://github.com/org/repo/actions/runs/7".to_owned());
    linked.links.config = Some("https://github.com/org/repo/blob/0a/a%29.yml".to_owned());
    let with = elements(&linked);
    assert!(
        with.starts_with("a br code ") && !with.contains("img"),
        "{with}"
    );
}
