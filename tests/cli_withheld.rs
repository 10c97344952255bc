//! What a run on GitHub Actions publishes, by who can read its repository.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

mod program;

use std::fs;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use noentry::domain::report::RoundReport;
use noentry::domain::verdict::Verdict;
use tempfile::TempDir;

use program::{Door, door, noentry};

const SHA: &str = "89abcdef0123456789abcdef0123456789abcdef";

/// A repository with a configuration whose targets' places come from variables.
struct Estate {
    folder: TempDir,
    /// Answers for as long as it is kept.
    _control: Door,
    /// Exposed.
    _open: Door,
    control: u16,
    open: u16,
    resolver: u16,
}

/// A name server that knows no name at all. It ends when nobody has asked for a while.
fn resolver() -> u16 {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let idle = Duration::from_mins(5);
    socket.set_read_timeout(Some(idle)).unwrap();
    std::thread::spawn(move || {
        let mut message = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut message) {
            // The question alone goes back (RFC 1035 section 4.1), as NXDOMAIN.
            let name = message[12..length].iter().position(|byte| *byte == 0);
            let Some(name) = name else { continue };
            message[2] |= 0x80;
            message[3] = 0x83;
            message[6..12].fill(0);
            let _ = socket.send_to(&message[..12 + name + 5], from);
        }
    });
    port
}

impl Estate {
    fn new() -> Self {
        let ((held, control), (open_door, open)) = (door(), door());
        let folder = TempDir::new().unwrap();
        fs::create_dir(folder.path().join(".github")).unwrap();
        fs::write(
            folder.path().join(".github/noentry.yml"),
            "version: 1\n\
             vantage: { unfiltered: true }\n\
             defaults: { timeout: 900ms, attempts: 2, interval: 50ms, probe_non_global: true }\n\
             resolvers: ['${RESOLVER}']\n\
             controls: [{ tcp: '${CONTROL}' }]\n\
             targets:\n  \
             - { name: Admin console, tcp: '${DOOR}' }\n  \
             - { name: Wiki, dns: '${NAME}' }\n",
        )
        .unwrap();
        Self {
            folder,
            _control: held,
            _open: open_door,
            control,
            open,
            resolver: resolver(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A check as a job runs it; `event` is the payload, or nothing.
    fn job(&self, event: Option<&str>) -> Command {
        let mut command = noentry(self.folder.path());
        command
            .args(["check", "--verbose", "--json", "report.json"])
            .args(["--junit", "junit.xml", "--summary", "summary.md"])
            .args(["--incidents", "folder:trail"])
            .env("CONTROL", format!("127.0.0.1:{}", self.control))
            .env("DOOR", format!("127.0.0.1:{}", self.open))
            .env("RESOLVER", format!("127.0.0.1:{}", self.resolver))
            .env("NAME", "hidden.example.com")
            .env("GITHUB_REPOSITORY", "org/repo")
            .env("GITHUB_SERVER_URL", "https://github.example")
            .env("GITHUB_SHA", SHA)
            .env("GITHUB_RUN_ID", "4711")
            .env("GITHUB_RUN_ATTEMPT", "2")
            .env("GITHUB_WORKSPACE", self.folder.path())
            .env("GITHUB_STEP_SUMMARY", self.path("step.md"))
            .env("GITHUB_OUTPUT", self.path("outputs"))
            .env("RUNNER_NAME", "runner-in-the-cellar")
            .env("RUNNER_ENVIRONMENT", "self-hosted")
            .env("GITHUB_ACTIONS", "true");
        if let Some(event) = event {
            fs::write(self.path("event.json"), event).unwrap();
            command.env("GITHUB_EVENT_PATH", self.path("event.json"));
        }
        command
    }

    fn secrets(&self) -> Vec<String> {
        vec![
            "127.0.0.1".to_owned(),
            format!("TCP {}", self.open),
            format!("tcp {}", self.open),
            format!("\"port\": {}", self.open),
            format!(":{}", self.control),
            format!(":{}", self.resolver),
            "hidden.example.com".to_owned(),
            "runner-in-the-cellar".to_owned(),
        ]
    }

    fn saved(&self) -> RoundReport {
        let text = fs::read_to_string(self.path("report.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Every file in a folder and below, but for what the test itself wrote there.
fn files(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if !path.ends_with("noentry.yml") && !path.ends_with("event.json") {
            let bytes = fs::read(&path).unwrap();
            found.push((path.display().to_string(), text(&bytes)));
        }
    }
}

/// Runs a job that ends with an exposure and gives everything that it published.
fn published(estate: &Estate, event: Option<&str>) -> (String, Vec<(String, String)>) {
    let run = estate.job(event).assert().code(1);
    let output = run.get_output();
    let err = text(&output.stderr);
    let mut all = vec![
        ("stdout".to_owned(), text(&output.stdout)),
        ("stderr".to_owned(), err.clone()),
    ];
    files(estate.folder.path(), &mut all);
    (err, all)
}

const PUBLIC: &str =
    r#"{"repository":{"full_name":"org/repo","private":false,"visibility":"public"}}"#;
const PRIVATE: &str =
    r#"{"repository":{"full_name":"org/repo","private":true,"visibility":"private"}}"#;
const INTERNAL: &str =
    r#"{"repository":{"full_name":"org/repo","private":true,"visibility":"internal"}}"#;

#[test]
fn in_a_public_repository_and_where_nobody_knows_no_detail_is_published() {
    for (event, why) in [
        (Some(PUBLIC), "this repository is public"),
        (None, "could not be found out"),
        (Some(""), "could not be found out"),
        (
            Some("{\"schedule\":\"0 4 * * *\"}"),
            "could not be found out",
        ),
        (
            Some("{\"repository\":{\"private\":tru"),
            "could not be found out",
        ),
        (
            Some(r#"{"repository":{"full_name":"org/other","private":true}}"#),
            "could not be found out",
        ),
    ] {
        let estate = Estate::new();
        let (err, all) = published(&estate, event);
        assert_eq!(err.matches("details are withheld").count(), 1, "{err}");
        assert!(err.contains(why), "{err}");
        assert!(err.contains("disclose: true"), "{err}");
        // Both streams, three reports, the step's two files, the trail's own.
        assert!(
            all.len() >= 8,
            "{:?}",
            all.iter().map(|(n, _)| n).collect::<Vec<_>>()
        );
        for (name, text) in &all {
            for secret in estate.secrets() {
                assert!(!text.contains(&secret), "{secret} is in {name}:\n{text}");
            }
        }
        let out = &all[0].1;
        assert!(out.contains("EXPOSED       Admin console"), "{out}");
        assert!(
            out.contains("::error file=.github/noentry.yml,line=7"),
            "{out}"
        );
        let report = estate.saved();
        assert!(report.withheld && report.findings.iter().all(|f| f.withheld));
        assert_eq!(report.verdict, Verdict::Exposed);
        assert_eq!(report.totals.exposed, 1);
    }
}

#[test]
fn among_friends_or_by_themselves_everything_is_published() {
    for event in [PRIVATE, INTERNAL] {
        let estate = Estate::new();
        let (err, all) = published(&estate, Some(event));
        assert!(!err.contains("withheld"), "{err}");
        for secret in estate.secrets() {
            assert!(
                all.iter().any(|(_, text)| text.contains(&secret)),
                "{secret} is nowhere, so its absence elsewhere proves nothing"
            );
        }
        assert!(!estate.saved().withheld);
    }
    // Elsewhere nobody but the user publishes anything.
    let estate = Estate::new();
    let run = estate
        .job(Some(PUBLIC))
        .env_remove("GITHUB_ACTIONS")
        .assert()
        .code(1);
    let out = text(&run.get_output().stdout);
    assert!(
        out.contains(&format!("TCP {} accepts", estate.open)),
        "{out}"
    );
    let report = estate.saved();
    assert!(!report.withheld && report.links.is_empty());
}

#[test]
fn the_run_and_the_configuration_are_linked() {
    let estate = Estate::new();
    published(&estate, Some(PUBLIC));
    let links = estate.saved().links;
    assert_eq!(
        links.run.unwrap(),
        "https://github.example/org/repo/actions/runs/4711/attempts/2"
    );
    let config = format!("https://github.example/org/repo/blob/{SHA}/.github/noentry.yml");
    assert_eq!(links.config.unwrap(), config);
    let summary = fs::read_to_string(estate.path("summary.md")).unwrap();
    assert!(summary.contains(&format!("]({config}#L7)")), "{summary}");
    // From a folder of the checkout the same file is the same link; one outside of it is none.
    let inner = estate.path("deep/er");
    fs::create_dir_all(&inner).unwrap();
    for (workspace, linked) in [(estate.path(""), true), (inner.clone(), false)] {
        estate
            .job(Some(PRIVATE))
            .current_dir(&inner)
            .args(["--config", "../../.github/noentry.yml"])
            .env("GITHUB_WORKSPACE", workspace)
            .assert()
            .code(1);
        let report = fs::read_to_string(inner.join("report.json")).unwrap();
        let report: RoundReport = serde_json::from_str(&report).unwrap();
        assert_eq!(report.links.config == Some(config.clone()), linked);
        assert_eq!(report.links.config.is_some(), linked);
    }
}

/// A saved round is shown to those who read the run that shows it, wherever it was looked.
#[test]
fn a_saved_round_is_withheld_where_it_is_shown_unless_it_discloses() {
    let estate = Estate::new();
    published(&estate, Some(PRIVATE));
    let full = fs::read_to_string(estate.path("report.json")).unwrap();
    let report = |saved: &str, event: &str| {
        fs::write(estate.path("saved.json"), saved).unwrap();
        fs::write(estate.path("event.json"), event).unwrap();
        let run = noentry(estate.folder.path())
            .args(["report", "--from", "saved.json", "--json", "again.json"])
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_PATH", estate.path("event.json"))
            .assert()
            .code(1);
        let again = fs::read_to_string(estate.path("again.json")).unwrap();
        (text(&run.get_output().stdout), again)
    };
    let shown = |(out, _): &(String, String)| out.contains("127.0.0.1");
    let public = report(&full, PUBLIC);
    assert!(
        !shown(&public) && !public.1.contains("127.0.0.1"),
        "{public:?}"
    );
    let private = report(&full, PRIVATE);
    assert!(shown(&private));
    assert_eq!(private.1, full);

    let mut round = estate.saved();
    round.incidents.disclose = true;
    let disclosed = serde_json::to_string_pretty(&round).unwrap() + "\n";
    let told = report(&disclosed, PUBLIC);
    assert!(shown(&told));
    assert_eq!(told.1, disclosed);

    // What was withheld once stays so, and says so.
    let again = report(&public.1, PRIVATE);
    assert_eq!(again.1, public.1);
    assert!(again.0.contains("details are withheld"), "{}", again.0);
}

/// The trail in a folder is an artifact as the reports are.
#[test]
fn the_trail_of_a_saved_round_is_withheld_where_it_is_kept() {
    let estate = Estate::new();
    published(&estate, Some(PRIVATE));
    for (event, folder, is_told) in [(PUBLIC, "public", false), (PRIVATE, "private", true)] {
        fs::write(estate.path("event.json"), event).unwrap();
        let place = format!("folder:{folder}");
        let run = noentry(estate.folder.path())
            .args(["incidents", "--from", "report.json", "--incidents", &place])
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_EVENT_PATH", estate.path("event.json"))
            .assert()
            .code(1);
        let mut found = vec![("out".to_owned(), text(&run.get_output().stdout))];
        files(&estate.path(folder), &mut found);
        assert!(found.iter().any(|(_, text)| text.contains("Admin console")));
        let told = found.iter().any(|(_, text)| text.contains("127.0.0.1"));
        assert_eq!(told, is_told, "{found:#?}");
    }
}

#[test]
fn the_demo_withholds_nothing() {
    let estate = Estate::new();
    fs::write(estate.path("event.json"), PUBLIC).unwrap();
    noentry(estate.folder.path())
        .arg("demo")
        .env("GITHUB_ACTIONS", "true")
        .env("GITHUB_EVENT_PATH", estate.path("event.json"))
        .assert()
        .code(0);
    let report = fs::read_to_string(estate.path("noentry-demo/report.json")).unwrap();
    let report: RoundReport = serde_json::from_str(&report).unwrap();
    assert!(!report.withheld && report.links.is_empty());
}
