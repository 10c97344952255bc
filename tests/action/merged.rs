//! Several rounds as one: shards by the action, and their merge by the action.

use noentry::report::json;

use super::support::{Job, World};
use super::{config, open, shut, with_release};

/// Looks at both shards and then runs the action with these inputs, whatever the shards found.
fn run(world: &World, mirror: &str, targets: &[(&str, u16)], with: &str) -> Job {
    let with: Vec<String> = with.lines().map(|l| format!("          {l}\n")).collect();
    let with = with.concat();
    let shard = |index: u32| {
        format!(
            "      - uses: someone/noentry@v1\n        continue-on-error: true\n        with:\n          \
             mirror: {mirror}\n          incidents: 'off'\n          report: rounds/{index}/report.json\n          \
             args: --shard={index}/2\n"
        )
    };
    let steps = format!(
        "      - uses: actions/checkout@v4\n{}{}      - uses: someone/noentry@v1\n        id: noentry\n        \
         with:\n          mirror: {mirror}\n          merge: rounds\n{with}",
        shard(1),
        shard(2),
    );
    world.run_steps("schedule", &config(targets), &steps)
}

#[test]
fn shards_that_other_steps_looked_at_become_one_round_and_one_trail() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let ((_open, open), (_shut, shut)) = (open(), shut());
    let targets = [
        ("Admin", open),
        ("Database", shut),
        ("Queue", shut),
        ("Cache", shut),
    ];
    let with = "args: --expect=2\nincidents: folder:trail";
    let job = run(&world, &mirror.url(), &targets, with);
    assert_eq!(job.outcome(), "failure", "{}", job.log);
    for (name, value) in [
        ("verdict", "exposed"),
        ("exit-code", "1"),
        ("targets", "4"),
        ("exposed", "1"),
        ("blocked", "3"),
        ("exposed-targets", "[\"Admin\"]"),
    ] {
        assert_eq!(job.output(name), value, "{name}");
    }
    assert!(
        job.output("incidents").contains("\"opened\""),
        "{}",
        job.output("incidents")
    );
    let report = json::parse(&job.file("report.json")).unwrap();
    assert_eq!((report.rounds.len(), report.missing.len()), (2, 0));
    assert!(job.job_summary().contains("out of 2 rounds"), "{}", job.log);
}

#[test]
fn a_round_that_is_not_there_fails_the_step_and_so_does_nothing_to_merge() {
    let Some((world, mirror)) = with_release() else {
        return;
    };
    let (_shut, shut) = shut();
    let targets = [("Admin", shut), ("Database", shut)];
    let run = |with: &str| run(&world, &mirror.url(), &targets, with);
    let job = run("args: --expect=3\nincidents: 'off'");
    assert_eq!(job.outcome(), "failure", "{}", job.log);
    assert_eq!(job.output("verdict"), "inconclusive");
    assert!(job.file("junit.xml").contains("<error type=\"missing\""));
    // It may have seen the exposure that fails the step.
    let job = run("args: --expect=3\nincidents: 'off'\nfail-on: exposed");
    assert_eq!(job.outcome(), "failure", "{}", job.log);
    let job = run("config: .github/noentry.yml");
    assert_eq!(job.output("verdict"), "error");
    assert!(
        job.log.contains("input `config`: nothing is looked at"),
        "{}",
        job.log
    );
    // The files of the rounds themselves are no reports of this merge.
    let job = run("working-directory: rounds/1\nreport: merged.json");
    assert_eq!(job.output("verdict"), "error");
    assert!(
        job.log.contains("there is no report to merge"),
        "{}",
        job.log
    );
}
