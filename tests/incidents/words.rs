//! What an issue says besides what a file says, and what neither says where everybody can read it.

use noentry::domain::trail::Notify;
use noentry::incident::{Policy, Round, Standing, Subject, said};
use tempfile::TempDir;

use super::support::{blocked, exposed, part, round, told, unsure};
use super::tracker::Tracker;

fn texts(all: [&str; 2]) -> Vec<String> {
    all.map(str::to_owned).into()
}

/// A subject for somebody, with a link to where it is declared.
fn for_somebody() -> Subject {
    let mut subject = exposed("Admin console");
    subject.source = Some("https://code.example/o/r/blob/0123/noentry.yml#L5".to_owned());
    subject.notify = Notify {
        labels: texts(["network", "prod"]),
        assignees: texts(["kim", "lee"]),
        mention: texts(["kim", "acme/on-call"]),
    };
    subject
}

fn run(hours: i64, subjects: Vec<Subject>) -> Round {
    let mut round = round(hours, subjects);
    round.run = Some(format!("https://code.example/o/r/actions/runs/{hours}"));
    round
}

#[test]
fn an_issue_from_its_opening_to_its_end() {
    let mut tracker = Tracker::default();
    tracker.play(&run(0, vec![for_somebody()]));
    let state = tracker.state(1);
    assert_eq!(state.notify, for_somebody().notify);
    let mut trail = vec![tracker.issues[0].body.clone()];
    let mut shut = for_somebody();
    shut.verdict = blocked("a").verdict;
    shut.headline = blocked("a").headline;
    tracker.play(&run(1, vec![shut.clone()]));
    tracker.play(&run(2, vec![shut]));
    trail.push(tracker.issues[0].body.clone());
    trail.extend(tracker.issues[0].comments.clone());
    tracker.play(&run(300, vec![for_somebody()]));
    trail.push(tracker.issues[1].body.clone());
    let trail: Vec<String> = trail
        .iter()
        .map(|text| {
            let lines = text.lines().filter(|l| !l.starts_with("<!-- noentry:v1"));
            lines.collect::<Vec<_>>().join("\n")
        })
        .collect();
    insta::assert_snapshot!("issue", trail.join("\n\n====\n\n"));
}

#[test]
fn a_comment_has_its_marker_last_and_mentions_nobody_twice() {
    let mut tracker = Tracker::default();
    tracker.play(&run(0, vec![for_somebody()]));
    let mut more = for_somebody();
    more.parts.push(part("TCP 192.0.2.2:443", "served"));
    tracker.play(&run(1, vec![more]));
    tracker.person(1, Standing::Closed);
    tracker.play(&run(2, vec![for_somebody()]));
    let comments = &tracker.issues[0].comments;
    let short = tracker.state(1).fingerprint.short().to_owned();
    for comment in comments {
        let (whose, _) = said::read(comment).unwrap();
        assert_eq!(whose, short);
        assert_eq!(comment.matches("<!--").count(), 1, "{comment}");
    }
    let mentions: Vec<bool> = comments.iter().map(|c| c.contains("@kim")).collect();
    assert_eq!(mentions, [true, false, true]);
    assert!(comments[1].contains("([run](https://code.example/o/r/actions/runs/1))"));
}

#[test]
fn what_a_server_sent_cannot_forge_a_comments_marker() {
    let mut tracker = Tracker::default();
    let mut evil = exposed("a");
    let short = evil.fingerprint.short();
    evil.headline = format!("x\n<!-- noentry:said {short} 0 -->");
    tracker.play(&run(0, vec![evil]));
    let comment = &tracker.issues[0].comments[0];
    assert_eq!(comment.matches("<!--").count(), 1, "{comment}");
    assert_ne!(said::read(comment).unwrap().1, "0");
}

#[test]
fn a_policy_may_name_the_title() {
    let policy = Policy {
        title: Some("[exposed] {target} \u{202e}({target})".to_owned()),
        ..Policy::default()
    };
    let mut tracker = Tracker::default();
    let told_one = told(&mut tracker, &round(0, vec![exposed("a <b>")]), &policy);
    assert_eq!(told_one.done[0].2, "[exposed] a <b> \\u{202e}(a <b>)");
    assert_eq!(tracker.issues[0].title, told_one.done[0].2);
    // A file has it as its heading, inert.
    let folder = TempDir::new().unwrap();
    let mut store = noentry::incident::folder::Folder::open(folder.path()).unwrap();
    let place = told(&mut store, &round(0, vec![exposed("a <b>")]), &policy).done[0]
        .1
        .clone();
    let text = std::fs::read_to_string(place).unwrap();
    assert!(
        text.contains("\n# &#91;exposed&#93; a &#60;b&#62; &#92;u{202e}(a &#60;b&#62;)\n"),
        "{text}"
    );
    // A new template is the title from the next round on.
    told(
        &mut tracker,
        &round(1, vec![exposed("a <b>")]),
        &Policy::default(),
    );
    assert_eq!(tracker.issues[0].title, "Reachable from outside: a <b>");
    let long = exposed(&"n".repeat(400));
    told(&mut tracker, &round(2, vec![long]), &policy);
    assert_eq!(tracker.issues[1].title.chars().count(), 250);
}

fn withheld(mut subject: Subject) -> Subject {
    subject.withheld = true;
    "details are withheld".clone_into(&mut subject.headline);
    subject
}

/// Everything that could be guessed back, or that a round which disclosed it once wrote.
fn says_nothing(body: &str) {
    let line = body.lines().rfind(|l| l.starts_with("<!-- noentry:v1"));
    let state = noentry::incident::state::read(line.unwrap()).unwrap();
    assert!(state.marks.is_empty());
    // What the timeline once said is in the comments and the history as well.
    let kept = body.lines().filter(|l| !l.starts_with("- **"));
    let kept: String = kept.collect::<Vec<_>>().join("\n");
    for secret in ["192.0.2", "HTTP 200", "nc -vz", "firewall", "served"] {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
    assert!(kept.contains("Details are withheld here"), "{kept}");
}

#[test]
fn what_everybody_can_read_keeps_nothing_that_can_be_guessed_back() {
    let mut tracker = Tracker::default();
    tracker.play(&round(0, vec![withheld(exposed("a"))]));
    says_nothing(&tracker.issues[0].body);
    // And of the places there is nothing to tell.
    let mut more = withheld(exposed("a"));
    more.parts.push(part("TCP 192.0.2.2:443", "served"));
    assert_eq!(tracker.play(&round(1, vec![more])), ["updated"]);
    for next in [exposed, blocked, unsure] {
        let mut tracker = Tracker::default();
        tracker.play(&round(0, vec![exposed("a")]));
        tracker.play(&round(1, vec![blocked("a")]));
        assert!(tracker.issues[0].body.contains("192.0.2.1"));
        tracker.play(&round(2, vec![withheld(next("a"))]));
        says_nothing(&tracker.issues[0].body);
        // Nor where a target is gone, or a duplicate is closed.
        let mut tracker = Tracker::default();
        tracker.play(&round(0, vec![exposed("a")]));
        tracker.race(1);
        tracker.play(&round(1, vec![withheld(next("b"))]));
        says_nothing(&tracker.issues[0].body);
        says_nothing(&tracker.issues[1].body);
    }
    // What was closed while it was disclosed says nothing as what stopped it before either.
    let mut tracker = Tracker::default();
    for subject in [
        exposed("a"),
        blocked("a"),
        blocked("a"),
        withheld(exposed("a")),
    ]
    .into_iter()
    .enumerate()
    {
        tracker.play(&round(i64::try_from(subject.0).unwrap(), vec![subject.1]));
    }
    says_nothing(&tracker.issues[0].body);
}

#[test]
fn a_table_about_many_says_nothing_either() {
    let all = |hide: bool| -> Vec<Subject> {
        let all = (0..12).map(|n| exposed(&format!("t{n}")));
        all.map(|s| if hide { withheld(s) } else { s }).collect()
    };
    let mut tracker = Tracker::default();
    tracker.play(&round(0, all(false)));
    assert!(tracker.issues[0].body.contains("192.0.2.1"));
    let mut some = round(1, all(true));
    some.subjects.truncate(2);
    some.complete = false;
    tracker.play(&some);
    let body = &tracker.issues[0].body;
    assert!(!body.contains("192.0.2.1"), "{body}");
    let rows = body.lines().filter(|l| l.starts_with("| `t"));
    let silent = rows.filter(|l| l.contains("details are withheld"));
    assert_eq!(silent.count(), 12, "{body}");
}
