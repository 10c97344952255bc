//! The workflows that others copy, as they stand in `examples/workflows` and docs/action.md, against a
//! GitHub emulator. Between a door and its issue there is nothing of these tests.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use noentry::domain::merged::Missing;
use noentry::domain::report::RoundReport;
use noentry::domain::shard::Shard;
use noentry::domain::verdict::Verdict;
use noentry::report::json;

use super::github::world::{Seen, World as GitHub};
use super::support::{Job, World, archive};
use super::{config, open, shut, with_release};

fn file(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// An example. The jobs of a matrix take turns: act has them share what it knows of repositories on this
/// machine, in a map without a lock, and would end with their first collision.
fn example(name: &str) -> String {
    let text = file(&format!("examples/workflows/{name}.yml"));
    let alone = "      fail-fast: false\n      max-parallel: 1\n";
    text.replace("      fail-fast: false\n", alone)
}

/// The first workflow of docs/action.md.
fn documented() -> String {
    let text = file("docs/action.md");
    let (_, rest) = text.split_once("```yaml\n").unwrap();
    let (block, _) = rest.split_once("```").unwrap();
    assert!(block.starts_with("on:"), "{block}");
    block.to_owned()
}

/// A runner whose tool cache has the release, and a repository on the emulator.
fn repository(name: &str) -> Option<(World, GitHub)> {
    let (world, _mirror) = with_release()?;
    on_github(world, name, archive().0.as_slice())
}

/// The same with an archive of one's own.
pub fn on_github(mut world: World, name: &str, archive: &[u8]) -> Option<(World, GitHub)> {
    let github = GitHub::new(name, Seen::ByFew)?;
    let cached = world.cached();
    fs::create_dir_all(cached.parent().unwrap()).unwrap();
    fs::write(cached, archive).unwrap();
    world.env = vec![("GITHUB_API_URL".to_owned(), github.proxy.url().to_owned())];
    world.secrets = vec![("GITHUB_TOKEN".to_owned(), github.bot.token.clone())];
    world.repository.clone_from(&github.repo);
    Some((world, github))
}

fn passed(job: &Job) -> bool {
    let results = job.results();
    assert!(!results.is_empty(), "no job ran\n{}", job.log);
    results.values().all(|result| result == "success")
}

fn life(name: &str, workflow: &str) -> Option<()> {
    let (world, github) = repository(name)?;
    life_of(&world, &github, workflow);
    Some(())
}

/// From an exposed target to an issue and back to a closed one.
pub fn life_of(world: &World, github: &GitHub, workflow: &str) {
    let ((door, port), (_shut, other)) = (open(), shut());
    let config = config(&[("Admin", other), ("Orders", port)]);

    let job = world.run_workflow("schedule", &config, workflow);
    assert!(!passed(&job), "{}", job.log);
    let issue = github.incident();
    assert!(issue.open, "{issue:#?}\n{}", job.log);
    assert_eq!(issue.title, "Reachable from outside: Orders");
    assert!(issue.body.contains(&port.to_string()), "{}", issue.body);
    assert!(issue.labels.iter().any(|label| label == "noentry"));

    // Still open: the same issue, and no second one.
    let job = world.run_workflow("workflow_dispatch", &config, workflow);
    assert!(!passed(&job), "{}", job.log);
    assert_eq!(github.incident().number, issue.number);

    // Shut: it takes two rounds to be believed.
    let _taken = door.shut();
    let job = world.run_workflow("schedule", &config, workflow);
    assert!(passed(&job), "{}", job.log);
    assert!(github.incident().open);
    let job = world.run_workflow("schedule", &config, workflow);
    assert!(passed(&job), "{}", job.log);
    let closed = github.incident();
    assert!(!closed.open, "{closed:#?}\n{}", job.log);
    assert_eq!(closed.number, issue.number);
    assert_eq!(closed.reason.as_deref(), Some("completed"));
    assert!(
        closed.trail().last().unwrap().contains("shut"),
        "{closed:#?}"
    );
    assert_eq!(github.proxy.refused(), [""; 0]);
}

#[test]
fn the_documented_workflow_tells_an_incident_from_its_beginning_to_its_end() {
    let _ = life("documented", &documented());
}

#[test]
fn the_example_of_a_watch_does_the_same_and_keeps_the_reports() {
    let workflow = example("watch");
    if life("watch", &workflow).is_none() {
        return;
    }
    let Some((world, _github)) = repository("watch-kept") else {
        return;
    };
    let (_open, port) = open();
    let job = world.run_workflow("schedule", &config(&[("Orders", port)]), &workflow);
    assert!(!passed(&job));
    let report = json::parse(&job.file("artifacts/noentry/noentry-reports/report.json")).unwrap();
    assert_eq!(report.totals.exposed, 1);
    assert!(
        job.file("artifacts/noentry/noentry-reports/junit.xml")
            .contains("<failure")
    );
    // And where nothing could be looked at.
    let job = world.run_workflow("schedule", "version: 1\n", &workflow);
    assert!(!passed(&job));
    assert!(
        job.file("artifacts/noentry/noentry-reports/junit.xml")
            .contains("The round")
    );
    assert!(
        job.file("artifacts/noentry/noentry-reports/summary.md")
            .contains("There is no verdict")
    );
}

#[test]
fn the_gate_of_pull_requests_files_nothing() {
    let Some((world, github)) = repository("gate") else {
        return;
    };
    let ((_open, open), (_shut, shut)) = (open(), shut());
    let workflow = example("pull-request");
    let job = world.run_workflow("pull_request", &config(&[("Orders", open)]), &workflow);
    assert!(!passed(&job), "{}", job.log);
    let job = world.run_workflow("pull_request", &config(&[("Orders", shut)]), &workflow);
    assert!(passed(&job), "{}", job.log);
    assert_eq!(github.issues(), []);
}

#[test]
fn after_a_deployment_the_verdict_is_handed_on() {
    let Some((mut world, github)) = repository("deploy") else {
        return;
    };
    let ((_open, open), (_shut, shut)) = (open(), shut());
    let targets = [("Admin", shut), ("Orders", open), ("Elsewhere", open)];
    let workflow = example("after-deploy");
    // What is deployed elsewhere makes this branch a proposal: the verdict counts, and no issue tells.
    "trunk".clone_into(&mut world.main);
    let job = world.run_workflow("push", &config(&targets), &workflow);
    assert_eq!(job.results()["verify"], "failure", "{}", job.log);
    assert_eq!(github.issues(), []);
    "main".clone_into(&mut world.main);
    let job = world.run_workflow("push", &config(&targets), &workflow);
    assert_eq!(job.results()["deploy"], "success", "{}", job.log);
    assert_eq!(job.results()["verify"], "failure", "{}", job.log);
    let told = "after this deployment: exposed [\"Orders\"]";
    assert!(job.printed().contains(told), "{}", job.log);
    assert_eq!(github.incident().title, "Reachable from outside: Orders");
}

/// A webhook that keeps the bodies of what is posted to it; it ends with the test's process.
fn webhook() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&told);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut length = 0;
            let mut line = String::new();
            while reader.read_line(&mut line).unwrap() > 2 {
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            kept.lock().unwrap().push(String::from_utf8(body).unwrap());
            let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
            reader.into_inner().write_all(answer).unwrap();
        }
    });
    (url, told)
}

#[test]
fn a_chat_is_told_what_is_new_and_nothing_else() {
    let Some((mut world, github)) = repository("chat") else {
        return;
    };
    let (url, told) = webhook();
    world.secrets.push(("CHAT_WEBHOOK".to_owned(), url));
    let ((door, port), (_shut, other)) = (open(), shut());
    let config = format!(
        "{}  - {{ name: 'Ord\"ers', tcp: '127.0.0.1:{port}' }}\n",
        config(&[("Admin", other)])
    );
    let workflow = example("chat");
    let round = |config: &str| {
        let job = world.run_workflow("schedule", config, &workflow);
        let new: Vec<serde_json::Value> = told
            .lock()
            .unwrap()
            .drain(..)
            .map(|body| serde_json::from_str(&body).unwrap())
            .collect();
        let texts: Vec<String> = new
            .iter()
            .map(|body| body["text"].as_str().unwrap().to_owned())
            .collect();
        (job, texts)
    };
    let title = "Reachable from outside: Ord\"ers";
    let (job, texts) = round(&config);
    assert_eq!(texts.len(), 1, "{texts:?}\n{}", job.log);
    let opened = format!("noentry: exposed. opened: {title} https://");
    assert!(texts[0].starts_with(&opened), "{texts:?}");
    // The same again is no news; neither is the first round that finds it shut.
    assert_eq!(round(&config).1, [""; 0]);
    let _taken = door.shut();
    assert_eq!(round(&config).1, [""; 0]);
    let (job, texts) = round(&config);
    assert!(passed(&job), "{}", job.log);
    let closed = format!("noentry: blocked. closed: {title} https://");
    assert_eq!(texts.len(), 1, "{texts:?}");
    assert!(texts[0].starts_with(&closed), "{texts:?}");
    assert!(!github.incident().open);
    // Where there was no round, that is told.
    let (job, texts) = round("version: 1\n");
    assert!(!passed(&job), "{}", job.log);
    assert_eq!(texts.len(), 1, "{texts:?}\n{}", job.log);
    assert!(texts[0].starts_with("noentry: error. "), "{texts:?}");
}

#[test]
fn a_private_repository_keeps_the_trail_of_a_public_one() {
    let Some((mut world, github)) = repository("kept-private") else {
        return;
    };
    world.repository = "acme/public-estate".to_owned();
    let token = github.bot.token.clone();
    world.secrets = vec![
        ("GITHUB_TOKEN".to_owned(), "of-the-job-alone".to_owned()),
        ("SECURITY_TOKEN".to_owned(), token),
    ];
    let (_open, open) = open();
    let config = format!(
        "{}incidents: {{ repository: {} }}\n",
        config(&[("Orders", open)]),
        github.repo
    );
    let job = world.run_workflow("schedule", &config, &example("private-trail"));
    assert!(!passed(&job), "{}", job.log);
    let issue = github.incident();
    assert!(issue.body.contains(&open.to_string()), "{}", issue.body);
    // The public log has the name, and not the place.
    assert!(!job.printed().contains(&open.to_string()), "{}", job.log);
}

#[test]
fn without_a_token_the_round_is_reported_and_the_missing_trail_is_told() {
    let Some((mut world, github)) = repository("tokenless") else {
        return;
    };
    world.secrets.clear();
    let ((_open, open), (_shut, shut)) = (open(), shut());
    for (port, verdict, code) in [(open, "exposed", "1"), (shut, "blocked", "4")] {
        let with = "incidents: github\ntoken: ''";
        let job = world.run("schedule", &config(&[("Orders", port)]), with);
        assert_eq!(job.result(), "failure", "{}", job.log);
        assert_eq!(job.output("verdict"), verdict);
        assert_eq!(job.output("exit-code"), code);
        assert!(job.printed().contains("no token"), "{}", job.log);
        json::parse(&job.file("report.json")).unwrap();
    }
    assert_eq!(github.issues(), []);
}

/// With the evidence in what goes from job to job: act does not say whether a repository is private.
fn disclosed(config: &str) -> String {
    format!("{config}incidents: {{ disclose: true }}\n")
}

/// The merged report that the last job kept, and how that job ended.
fn whole(job: &Job) -> (RoundReport, String) {
    let report = json::parse(&job.file("artifacts/noentry/noentry-reports/report.json")).unwrap();
    (report, job.results()["whole"].clone())
}

#[test]
fn a_long_list_in_shards_is_one_report_and_one_trail() {
    let Some((world, github)) = repository("shards") else {
        return;
    };
    let ((door, port), (_shut, shut)) = (open(), shut());
    let names: Vec<String> = (0..12).map(|number| format!("Host {number}")).collect();
    let at = |name: &str| if name == "Host 3" { port } else { shut };
    let targets: Vec<(&str, u16)> = names.iter().map(|n| (n.as_str(), at(n))).collect();
    let config = disclosed(&config(&targets));
    let workflow = example("shards");

    let job = world.run_workflow("schedule", &config, &workflow);
    let (report, result) = whole(&job);
    assert_eq!(
        (report.rounds.len(), report.missing.len()),
        (8, 0),
        "{}",
        job.log
    );
    assert_eq!((report.totals.targets, report.totals.exposed), (12, 1));
    assert_eq!(result, "failure");
    let issue = github.incident();
    assert_eq!(issue.title, "Reachable from outside: Host 3");
    assert!(issue.body.contains(&port.to_string()), "{}", issue.body);

    let _taken = door.shut();
    for open in [true, false] {
        let job = world.run_workflow("schedule", &config, &workflow);
        assert_eq!(whole(&job).1, "success", "{}", job.log);
        assert_eq!(github.incident().open, open);
    }
    // A part whose job broke before it looked is missing from the whole, which is no pass.
    let broken = workflow.replace(
        "          args: --shard=${{ matrix.shard }}/8\n",
        "          args: --shard=${{ matrix.shard == 5 && 'x' || matrix.shard }}/8\n",
    );
    assert_ne!(broken, workflow);
    let job = world.run_workflow("schedule", &config, &broken);
    let (report, result) = whole(&job);
    assert_eq!(
        (report.verdict, result.as_str()),
        (Verdict::Inconclusive, "failure")
    );
    let shard = Shard { index: 5, of: 8 };
    assert!(report.missing.contains(&Missing::Shard {
        shard,
        vantage: None
    }));
    assert_eq!(github.proxy.refused(), [""; 0]);
}

#[test]
fn two_vantages_of_a_matrix_are_one_round() {
    let Some((world, github)) = repository("vantages") else {
        return;
    };
    let ((_open, open), (_shut, shut)) = (open(), shut());
    let config = disclosed(&config(&[("Admin", shut), ("Orders", open)]));
    // There is one runner here.
    let workflow = example("vantages").replace("runner: self-hosted", "runner: ubuntu-latest");
    let job = world.run_workflow("schedule", &config, &workflow);
    let (report, result) = whole(&job);
    assert_eq!(result, "failure", "{}", job.log);
    let saw = |name: &str| -> Vec<&str> {
        let finding = report
            .findings
            .iter()
            .find(|f| f.target.name == name)
            .unwrap();
        let mut saw: Vec<&str> = finding
            .vantages
            .iter()
            .map(|s| s.vantage.as_str())
            .collect();
        saw.sort_unstable();
        saw
    };
    assert_eq!(saw("Orders"), ["branch-office", "github"]);
    assert_eq!(saw("Admin"), ["branch-office", "github"]);
    let issue = github.incident();
    assert!(issue.body.contains("exposed from `"), "{}", issue.body);
}
