//! The configuration seen from outside: every rule has a file that breaks it, with the exact text
//! that the user then reads.

#![expect(
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::process::{Command, Output};

use noentry::config::{self, Overrides, Problems};
use noentry::domain::target::Plan;
use noentry::domain::trail::TrailPlan;

/// Set this variable to anything to write the expected texts anew, then read the difference.
const UPDATE: &str = "UPDATE_EXPECTED";

fn vars() -> BTreeMap<String, String> {
    [
        ("HOST", "db.example.com"),
        ("EVIL", "x\n  - name: injected\n    tcp: evil.example:1"),
        ("SECRET", "hunter2:hunter2:hunter2"),
        ("NUMBER", "3"),
        ("ZONE", "example.com"),
        ("PROTOCOL", "snmp"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

fn plan(path: &Path) -> Result<Plan, Problems> {
    let loaded = config::load(path, &vars())?;
    config::resolve(&loaded, &Overrides::default())
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "nothing in {}", folder.display());
    files
}

fn name_of(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

#[test]
fn every_bad_file_is_refused_with_exactly_this_text() {
    let mut wrong = Vec::new();
    for path in files("tests/config/bad", "yml") {
        let name = name_of(&path);
        let folder = format!("{}{MAIN_SEPARATOR}", path.parent().unwrap().display());
        let shown = match plan(&path) {
            Ok(_) => format!("{name} was accepted\n"),
            Err(problems) => problems.render(false).replace(&folder, ""),
        };
        let expected = path.with_extension("txt");
        if std::env::var_os(UPDATE).is_some() {
            fs::write(&expected, &shown).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != shown {
            wrong.push(format!("{}:\n{shown}", expected.display()));
        }
    }
    assert!(
        wrong.is_empty(),
        "these texts are not the expected ones; if they are better, run \
         `{UPDATE}=1 cargo test --test config` and read the difference:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn every_expected_text_has_its_file_and_is_a_refusal() {
    for path in files("tests/config/bad", "txt") {
        assert!(path.with_extension("yml").exists(), "{}", path.display());
        let text = fs::read_to_string(&path).unwrap();
        assert!(!text.contains("was accepted"), "{text}");
        assert!(!text.contains("hunter2"), "a secret got out: {text}");
    }
}

#[test]
fn every_good_file_makes_a_plan() {
    for folder in ["tests/config/good", "examples"] {
        for path in files(folder, "yml") {
            let made = plan(&path);
            let made = made.unwrap_or_else(|problems| panic!("{problems}"));
            assert!(!made.targets.is_empty(), "{}", path.display());
        }
    }
}

#[test]
fn the_example_of_the_trail_has_every_key_and_the_defaults() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/incidents.yml");
    let text = fs::read_to_string(&path).unwrap();
    let schema = serde_json::to_value(config::schema()).unwrap();
    let known = schema["$defs"]["Incidents"]["properties"].as_object();
    let (_, section) = text.split_once("\nincidents:\n").unwrap();
    let known = known.unwrap();
    assert!(known.len() > 10, "{known:?}");
    for key in known.keys() {
        assert!(section.contains(&format!("  {key}: ")), "{key}");
    }
    // What it calls defaults are the defaults.
    let made = plan(&path).unwrap();
    let usual = TrailPlan {
        repository: made.incidents.repository.clone(),
        author: made.incidents.author.clone(),
        title: made.incidents.title.clone(),
        ..TrailPlan::default()
    };
    assert_eq!(made.incidents, usual);
}

/// How the committed schema is made anew.
const REFRESH: &str = "cargo run -- schema > schema/noentry.schema.json";

fn schema_file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schema/noentry.schema.json")
}

#[test]
fn the_committed_schema_is_fresh() {
    let made = serde_json::to_string_pretty(&config::schema()).unwrap() + "\n";
    if std::env::var_os(UPDATE).is_some() {
        fs::write(schema_file(), &made).unwrap();
    }
    let committed = fs::read_to_string(schema_file()).unwrap_or_default();
    assert!(
        committed == made,
        "the schema is not fresh; run `{REFRESH}`"
    );
}

/// Runs a validator that others made, or says loudly that it is not there.
fn check_jsonschema(arguments: &[&str]) -> Option<Output> {
    let output = Command::new("check-jsonschema").args(arguments).output();
    match output {
        Ok(output) => Some(output),
        Err(error) => {
            // Straight to the terminal: the harness would swallow what a passing test prints.
            let _ = writeln!(
                std::io::stderr(),
                "SKIPPED: check-jsonschema cannot be run ({error}), so the schema was not tried by \
                 a validator that others made; `pip install check-jsonschema` brings it"
            );
            None
        }
    }
}

fn validate(path: &Path) -> Option<Output> {
    let schema = schema_file();
    let schema = schema.to_str().unwrap();
    check_jsonschema(&["--schemafile", schema, path.to_str().unwrap()])
}

#[test]
fn others_validator_accepts_the_schema_itself() {
    let schema = schema_file();
    if let Some(output) = check_jsonschema(&["--check-metaschema", schema.to_str().unwrap()]) {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[test]
fn others_validator_accepts_every_example() {
    let schema = schema_file();
    let good = files("examples", "yml");
    let mut arguments = vec!["--schemafile", schema.to_str().unwrap()];
    arguments.extend(good.iter().map(|path| path.to_str().unwrap()));
    if let Some(output) = check_jsonschema(&arguments) {
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

/// The configurations shown in the documentation, written out as files.
fn shown(folder: &Path) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut written = Vec::new();
    for page in ["README.md", "docs/configuration.md"] {
        let text = fs::read_to_string(root.join(page)).unwrap();
        let blocks = text.split("```yaml\n").skip(1);
        let whole = blocks
            .filter_map(|block| block.split("```").next())
            .filter(|block| block.contains("version: 1"));
        for block in whole {
            let path = folder.join(format!("{}.yml", written.len()));
            fs::write(&path, block).unwrap();
            written.push(path);
        }
    }
    written
}

#[test]
fn what_the_documentation_shows_is_a_good_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let shown = shown(folder.path());
    assert_eq!(shown.len(), 2, "{shown:?}");
    for path in &shown {
        let loaded = config::load(path, &BTreeMap::new()).unwrap();
        config::resolve(&loaded, &Overrides::default()).unwrap();
        if let Some(output) = validate(path) {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(output.status.success(), "{}: {said}", path.display());
        }
    }
}

/// The parts of a configuration that the documentation shows, each made whole: targets without
/// their file, and controls, a vantage or incidents without targets.
fn parts() -> Vec<String> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let pages = ["configuration.md", "controls.md", "udp.md"];
    let text = pages.map(|page| fs::read_to_string(docs.join(page)).unwrap());
    let blocks = text.iter().flat_map(|text| text.split("```yaml\n").skip(1));
    let blocks = blocks.filter_map(|block| block.split("```").next());
    blocks
        .filter_map(|block| match block.split_once(':')?.0 {
            "- name" => Some(format!("version: 1\ntargets:\n{block}")),
            "targets" => Some(format!("version: 1\n{block}")),
            "controls" | "vantage" | "incidents" => Some(format!(
                "version: 1\ntargets: [{{ name: a, tcp: a.example:1 }}]\n{block}"
            )),
            "waivers" => Some(format!(
                "version: 1\ntargets: [{{ name: Admin console, tcp: a.example:1 }}]\n{block}"
            )),
            _ => None,
        })
        .collect()
}

#[test]
fn every_part_that_the_documentation_shows_is_good() {
    let folder = tempfile::tempdir().unwrap();
    let parts = parts();
    assert_eq!(parts.len(), 18, "{parts:?}");
    for part in &parts {
        let path = folder.path().join("part.yml");
        fs::write(&path, part).unwrap();
        let made = plan(&path);
        assert!(made.is_ok(), "{part}\n{}", made.unwrap_err());
    }
}

/// Files that the schema alone must refuse, so that an editor marks them while they are written.
const REFUSED_BY_SCHEMA: &[&str] = &[
    "accept_silence_on_url",
    "assignees_at",
    "assignees_form",
    "assignees_many",
    "assignees_team",
    "barrier_http_on_quic",
    "barrier_http_on_tcp",
    "barrier_network_on_dns",
    "barrier_tls_on_icmp",
    "barrier_tls_on_udp",
    "barrier_unknown",
    "confirm_bounds",
    "confirm_on_control",
    "confirm_word",
    "control_accept_silence",
    "defaults_unknown_key",
    "denial_429",
    "denial_at_tls",
    "denial_list_at_http",
    "denial_mapping_at_network",
    "denial_misspelt",
    "denial_of_other_barrier",
    "denial_refused_on_icmp",
    "denial_status_served",
    "egress_both",
    "egress_empty",
    "egress_no_server",
    "egress_record",
    "egress_server_at_url",
    "egress_two_servers",
    "expect_banner_on_udp",
    "families_empty",
    "http3_on_quic",
    "icmp_port",
    "icmp_port_ipv6",
    "incidents_author",
    "incidents_author_long",
    "incidents_count_text",
    "incidents_counts",
    "incidents_labels_ours",
    "incidents_list",
    "incidents_period_number",
    "incidents_period_text",
    "incidents_period_unit",
    "incidents_repository_alone",
    "incidents_repository_dots",
    "incidents_repository_long",
    "incidents_repository_owner",
    "incidents_repository_three",
    "incidents_repository_url",
    "incidents_title_braces",
    "incidents_title_list",
    "incidents_title_no_name",
    "incidents_unknown_key",
    "labels_comma",
    "labels_empty",
    "labels_long",
    "labels_many",
    "labels_number",
    "labels_ours",
    "labels_text",
    "mention_form",
    "mention_many",
    "must_not_reach_dns",
    "must_not_reach_nothing",
    "name_number",
    "payload_hex_digit",
    "payload_hex_long",
    "payload_hex_odd",
    "payload_mute",
    "payload_on_control",
    "payload_on_tcp",
    "payload_unknown",
    "quic_no_port",
    "record_address",
    "record_any",
    "record_nsec3",
    "record_signature",
    "record_denial",
    "record_on_tcp",
    "tcp_no_port",
    "target_no_name",
    "target_three_kinds",
    "target_two_kinds",
    "target_unknown_key",
    "targets_empty",
    "timeout_number",
    "timeout_text",
    "url_credentials",
    "url_fragment",
    "vantage_empty",
    "version_missing",
    "version_unknown",
    "waiver_incomplete",
    "waiver_long",
    "waiver_misspelt",
    "waiver_text",
    "waiver_until_form",
    "waiver_until_number",
    "waivers_mapping",
];

#[test]
fn others_validator_refuses_bad_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config/bad");
    let named = REFUSED_BY_SCHEMA.iter();
    let paths: Vec<_> = named
        .map(|name| folder.join(format!("{name}.yml")))
        .collect();
    let schema = schema_file();
    let schema = schema.to_str().unwrap();
    // All at once: an interpreter for each file would take a minute.
    let mut arguments = vec!["--output-format", "json", "--schemafile", schema];
    arguments.extend(paths.iter().map(|path| path.to_str().unwrap()));
    let Some(output) = check_jsonschema(&arguments) else {
        return;
    };
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let refused: Vec<&str> = said["errors"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|error| error["filename"].as_str())
        .collect();
    for path in &paths {
        let path = path.to_str().unwrap();
        assert!(refused.contains(&path), "{path} was accepted: {said:#}");
    }
}
