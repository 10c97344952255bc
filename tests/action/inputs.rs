//! Inputs: each does what it says, and a mistake in one is told by its name.

use noentry::report::json;

use super::mirror::{Answer, Mirror};
use super::support::{World, archive, archive_path};
use super::{config, open, shut, with_release};

#[test]
fn every_mistake_names_its_input() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let (_shut, shut) = shut();
    let config = config(&[("Admin", shut)]);
    for (with, input, says) in [
        ("config: no-such.yml", "config", "does actions/checkout run"),
        ("config: \"a\\nb\"", "config", "one line"),
        ("target: Admn", "target", "did you mean `Admin`"),
        ("incidents: gitlab", "incidents", "none of auto, github"),
        ("report: '-'", "report", "name a file"),
        ("junit: out/", "junit", "name a file"),
        ("summary: \"a\\nb\"", "summary", "one line"),
        ("fail-on: inconclusive", "fail-on", "always fails"),
        ("fail-on: never", "fail-on", "neither exposed nor"),
        ("version: 9.9.9", "version", "pins noentry"),
        ("version: \"1\\n2\"", "version", "one line"),
        ("binary-path: no/such", "binary-path", "not there"),
        (
            "binary-path: .github/noentry.yml",
            "binary-path",
            "not there, or no",
        ),
        (
            "from-source: maybe",
            "from-source",
            "neither true nor false",
        ),
        ("mirror: ftp://example.com", "mirror", "no address"),
        (
            "working-directory: no/such",
            "working-directory",
            "no folder",
        ),
        ("args: --colour", "args", "unexpected argument"),
        ("args: --json=x", "args", "`report`"),
        ("args: --timeout 2s", "args", "two arguments"),
    ] {
        let mut with = with.to_owned();
        if !with.starts_with("mirror") && !with.starts_with("binary") {
            with = format!("mirror: {}\n{with}", mirror.url());
        }
        if !with.contains("incidents") {
            with.push_str("\nincidents: off");
        }
        let job = world.run("schedule", &config, &with);
        assert_eq!(job.result(), "failure", "{with}\n{}", job.log);
        assert_eq!(job.outcome(), "failure", "{with}");
        assert_eq!(job.output("verdict"), "error", "{with}");
        assert_eq!(job.output("exit-code"), "2", "{with}");
        let errors = job.annotations("error");
        let named = format!("input `{input}`: ");
        assert_eq!(errors.len(), 1, "{with}: {errors:?}");
        assert!(errors[0].contains(&named), "{with}: {errors:?}");
        assert!(errors[0].contains(says), "{with}: {errors:?}");
        for file in ["junit.xml", "summary.md", "report.json"] {
            assert!(job.file(file).contains(input), "{with}: {file}");
        }
        assert_eq!(job.file("junit.xml").matches("<testcase").count(), 1);
        let refused = json::parse(&job.file("report.json")).unwrap_err();
        assert!(matches!(refused, json::Error::NoRound(_)), "{refused}");
    }
}

#[test]
fn inputs_reach_the_check() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let ((_shut, shut), (_open, open)) = (shut(), open());
    let text = config(&[("Admin", shut), ("Orders", open), ("Cache", open)]);
    let text = text.replace(&open.to_string(), "${OPEN}");
    let steps = format!(
        "      - uses: actions/checkout@v4
      - run: mkdir -p ops && mv .github/noentry.yml ops/doors.yml
      - uses: someone/noentry@v1
        id: noentry
        with:
          mirror: {}
          incidents: off
          version: v{}
          working-directory: ops
          config: doors.yml
          target: |
            Admin
            Cache
          report: out/round.json
          junit: out/round.xml
          summary: summary.md
          args: |
            --var
            OPEN={open}
            --attempts=2
            --junit-dialect=strict
",
        mirror.url(),
        env!("CARGO_PKG_VERSION")
    );
    let job = world.run_steps("repository_dispatch", &text, &steps);
    assert_eq!(job.result(), "failure", "{}", job.log);
    assert_eq!(job.output("exposed-targets"), "[\"Cache\"]", "{}", job.log);
    assert_eq!(job.output("report"), "ops/out/round.json");
    assert_eq!(job.output("junit"), "ops/out/round.xml");
    assert_eq!(job.output("summary"), "ops/summary.md");
    let report = json::parse(&job.file("report.json")).unwrap();
    assert_eq!(report.config, "ops/doors.yml");
    assert_eq!(report.totals.targets, 2);
    assert!(report.partial);
    assert!(!job.file("junit.xml").contains(" line="));
}

#[test]
fn nothing_in_an_input_is_run() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let (_shut, shut) = shut();
    let touched = tempfile::tempdir().unwrap();
    let mark = touched.path().join("mark");
    let config = config(&[("Admin", shut)]);
    for input in [
        "config",
        "target",
        "incidents",
        "report",
        "fail-on",
        "version",
        "binary-path",
        "from-source",
        "mirror",
        "working-directory",
        "args",
    ] {
        let attack = format!("'$(touch {0}) `touch {0}` ; touch {0} #'", mark.display());
        let mut with = format!("{input}: {attack}");
        if input != "mirror" && input != "binary-path" {
            with = format!("mirror: {}\n{with}", mirror.url());
        }
        if input != "incidents" {
            with.push_str("\nincidents: off");
        }
        let job = world.run("schedule", &config, &with);
        assert!(!mark.exists(), "{input} was run\n{}", job.log);
        job.result();
    }
    // Neither can a value become an output of its own.
    let with = format!(
        "mirror: {}\nversion: \"1\\nverdict=blocked\\n::set-output name=verdict::blocked\"",
        mirror.url()
    );
    let job = world.run("schedule", &config, &with);
    assert_eq!(job.output("verdict"), "error", "{}", job.log);
}

#[test]
fn a_program_that_is_there_is_taken() {
    let Some(mut world) = World::new("version 0.0.1\nreleases https://releases.example.com/x\n")
    else {
        return;
    };
    let mirror = Mirror::start(&archive_path(), Answer::File(archive().0.clone()));
    world.env.push(("GITHUB_API_URL".to_owned(), mirror.url()));
    let (_shut, shut) = shut();
    let program = env!("CARGO_BIN_EXE_noentry");
    let with = format!("binary-path: {program}\nincidents: off");
    let job = world.run("schedule", &config(&[("Admin", shut)]), &with);
    assert_eq!(job.result(), "success", "{}", job.log);
    assert!(job.printed().contains("as binary-path names it"));
    // From the working directory, as every path.
    let steps = format!(
        "      - uses: actions/checkout@v4
      - run: mkdir -p bin && cp {program} bin/
      - uses: someone/noentry@v1
        id: noentry
        with: {{ binary-path: bin/noentry, incidents: 'off' }}
"
    );
    let job = world.run_steps("schedule", &config(&[("Admin", shut)]), &steps);
    assert_eq!(job.result(), "success", "{}", job.log);
    assert_eq!(mirror.asked(), [""; 0]);
}

#[test]
fn no_report_is_written_over_the_configuration() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let (_shut, shut) = shut();
    let text = config(&[("Admin", shut)]);
    for (more, says) in [
        (
            "report: ./.github/noentry.yml",
            "input `report` would overwrite",
        ),
        (
            "junit: .github/../.github/noentry.yml",
            "input `junit` would overwrite",
        ),
        (
            "report: x\n          junit: x",
            "input `report` and input `junit` name the same file",
        ),
        // Told by the script, before there is a program.
        (
            "report: ./.github/noentry.yml\n          version: 9.9.9",
            "input `version`",
        ),
    ] {
        let steps = format!(
            "      - uses: actions/checkout@v4
      - uses: someone/noentry@v1
        id: noentry
        with:
          mirror: {}
          incidents: off
          {more}
      - if: always()
        run: cp .github/noentry.yml \"$KEPT/config\"
",
            mirror.url()
        );
        let job = world.run_steps("schedule", &text, &steps);
        assert_eq!(job.result(), "failure", "{more}\n{}", job.log);
        assert_eq!(job.output("verdict"), "error", "{more}");
        let errors = job.annotations("error");
        assert!(errors[0].contains(says), "{more}: {errors:?}");
        assert_eq!(job.file("config"), text, "{more}");
        assert!(job.file("report.json").contains("\"error\""), "{more}");
    }
}
