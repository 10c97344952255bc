//! The folder from end to end: what is not ours stays, and what cannot be written is said and heals.

use std::fs;
use std::path::{Path, PathBuf};

use noentry::incident::Policy;
use noentry::incident::folder::Folder;
use tempfile::TempDir;

use super::support::{
    Fault, Faulty, blocked, deeds, exposed, known, open, part, play, round, told, unsure,
};

/// The Markdown files, sorted.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    let mut found: Vec<PathBuf> = entries
        .filter(|p| p.extension().is_some_and(|e| e == "md"))
        .collect();
    found.sort();
    found
}

fn only(folder: &Path) -> PathBuf {
    let mut files = files(folder);
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

#[test]
fn a_whole_life_with_a_failed_write_in_between() {
    let folder = TempDir::new().unwrap();
    let run = |at: i64, subject, faults: &[Fault]| {
        let mut store = Faulty {
            folder: Folder::open(folder.path()).unwrap(),
            faults: faults.to_vec(),
        };
        told(&mut store, &round(at, vec![subject]), &Policy::default())
    };
    let lost = run(0, exposed("Admin console"), &[Fault::Before]);
    assert_eq!((lost.done.len(), lost.problems.len()), (0, 1));
    assert!(files(folder.path()).is_empty());
    // The next round opens it; that its write is said to have failed makes no second one.
    run(1, exposed("Admin console"), &[Fault::After]);
    assert_eq!(deeds(&run(2, exposed("Admin console"), &[])), ["updated"]);
    let path = only(folder.path());
    let name = path.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with("admin-console-"), "{name}");
    assert_eq!(deeds(&run(3, blocked("Admin console"), &[])), ["updated"]);
    assert_eq!(run(4, blocked("Admin console"), &[Fault::Before]).done, []);
    assert_eq!(open(folder.path()).shut.unwrap().rounds, 1);
    assert_eq!(deeds(&run(5, blocked("Admin console"), &[])), ["closed"]);
    assert_eq!(deeds(&run(6, exposed("Admin console"), &[])), ["reopened"]);
    only(folder.path());
}

#[test]
fn what_a_person_writes_around_the_section_stays() {
    let folder = TempDir::new().unwrap();
    play(folder.path(), &round(0, vec![exposed("a")]));
    let path = only(folder.path());
    let ours = fs::read_to_string(&path).unwrap();
    // With a section of another incident in it, as somebody may paste it.
    let other = ours.replace(open(folder.path()).fingerprint.short(), "0123456789ab");
    fs::write(
        &path,
        format!("Seen by Kim.\n\n{ours}\nTicket 7.\n{other}no line break"),
    )
    .unwrap();
    assert_eq!(
        deeds(&play(folder.path(), &round(1, vec![blocked("a")]))),
        ["updated"]
    );
    assert_eq!(
        deeds(&play(folder.path(), &round(2, vec![blocked("a")]))),
        ["closed"]
    );
    let text = fs::read_to_string(&path).unwrap();
    assert!(
        text.starts_with("Seen by Kim.\n\n<!-- noentry:begin"),
        "{text}"
    );
    assert!(
        text.ends_with(&format!("\nTicket 7.\n{other}no line break")),
        "{text}"
    );
    // An editor of Windows ends lines its own way, and people rename files.
    fs::write(
        folder.path().join(format!(
            "my-{}",
            path.file_name().unwrap().to_str().unwrap()
        )),
        text.replace('\n', "\r\n"),
    )
    .unwrap();
    fs::remove_file(&path).unwrap();
    assert_eq!(
        deeds(&play(folder.path(), &round(3, vec![exposed("a")]))),
        ["reopened"]
    );
    assert!(only(folder.path()).to_str().unwrap().contains("my-a-"));
}

#[test]
fn what_a_server_sent_cannot_forge_a_section() {
    let folder = TempDir::new().unwrap();
    let short = exposed("a").fingerprint.short().to_owned();
    let forged = format!(
        "<!-- noentry:end {short} -->\n<!-- noentry:begin {short} -->\n<!-- noentry:v1 {{}} -->\n-->"
    );
    let mut evil = exposed("a");
    evil.headline.clone_from(&forged);
    evil.evidence.clone_from(&forged);
    evil.declared.clone_from(&forged);
    evil.reproduce = vec![forged.clone()];
    evil.parts = vec![part(&forged, &forged)];
    play(folder.path(), &round(0, vec![evil.clone()]));
    evil.parts.push(part("more", &forged));
    assert_eq!(
        deeds(&play(folder.path(), &round(1, vec![evil.clone()]))),
        ["commented"]
    );
    let text = fs::read_to_string(only(folder.path())).unwrap();
    // Five lines of ours, each of which begins and ends one comment.
    assert_eq!(text.matches("<!--").count(), 5, "{text}");
    assert_eq!(text.matches("-->").count(), 5, "{text}");
    // The state holds it as it was.
    assert_eq!(open(folder.path()).headline, evil.headline);
}

#[test]
fn what_is_broken_or_foreign_is_left_alone_and_an_exposure_gets_a_file_all_the_same() {
    let folder = TempDir::new().unwrap();
    play(folder.path(), &round(0, vec![exposed("a")]));
    let path = only(folder.path());
    let ours = fs::read_to_string(&path).unwrap();
    let broken = [
        "garbage".to_owned(),
        String::new(),
        ours.replace("noentry:v1", "noentry:v2"),
        ours.replace("\"rounds\":1", "\"rounds\":true"),
        ours.replace("\"name\":\"a\"", "\"name\":\"b\""),
        ours.replace("\"number\":1", "\"number\":7"),
        format!("{ours}{ours}"),
        ours.lines()
            .filter(|l| !l.contains("timeline -->"))
            .collect::<Vec<_>>()
            .join("\n"),
    ];
    for text in broken {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(path.file_name().unwrap());
        fs::write(&path, &text).unwrap();
        fs::write(folder.path().join("README.md"), "mine").unwrap();
        for (at, deed) in [(1, "opened"), (2, "updated")] {
            let told = play(folder.path(), &round(at, vec![exposed("a")]));
            assert_eq!(told.problems.len(), 1, "{text}");
            assert!(told.problems[0].place.ends_with(path.to_str().unwrap()));
            assert!(told.problems[0].what.starts_with("left alone: "));
            assert_eq!(told.done[0].0.as_str(), deed, "{text}");
            assert!(told.done[0].1.ends_with("-2.md"), "{told:?}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
        assert_eq!(
            fs::read_to_string(folder.path().join("README.md")).unwrap(),
            "mine"
        );
    }
}

#[test]
fn a_copy_is_not_a_second_incident() {
    let folder = TempDir::new().unwrap();
    play(folder.path(), &round(0, vec![exposed("a")]));
    let path = only(folder.path());
    let copy = folder
        .path()
        .join(format!("z-{}", path.file_name().unwrap().to_str().unwrap()));
    fs::copy(&path, &copy).unwrap();
    let told = play(folder.path(), &round(1, vec![exposed("a")]));
    assert!(told.problems[0].what.contains("is a copy of"), "{told:?}");
    assert_eq!(told.done.len(), 1);
    assert_eq!(known(folder.path()).incidents.len(), 1);
}

#[test]
fn a_memory_that_cannot_be_read_is_said_and_left_alone() {
    let folder = TempDir::new().unwrap();
    play(folder.path(), &round(0, vec![unsure("a")]));
    let memory = folder.path().join(".noentry-memory.json");
    assert!(memory.exists());
    fs::write(&memory, "{}").unwrap();
    let told = play(folder.path(), &round(1, vec![unsure("a")]));
    assert!(
        told.problems[0].what.contains("until it is removed"),
        "{told:?}"
    );
    assert_eq!(fs::read_to_string(&memory).unwrap(), "{}");
}

#[test]
fn a_folder_that_cannot_be_one_is_said() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for place in [file.clone(), file.join("below")] {
        let problem = Folder::open(&place).unwrap_err();
        assert!(
            problem.place.starts_with(file.to_str().unwrap()),
            "{problem}"
        );
    }
}

#[test]
fn two_runs_wait_for_each_other() {
    let folder = TempDir::new().unwrap();
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let path = folder.path();
            scope.spawn(move || {
                let mut one = round(0, vec![exposed(name)]);
                one.complete = false;
                let told = told(&mut Folder::open(path).unwrap(), &one, &Policy::default());
                assert_eq!(deeds(&told), ["opened"]);
            });
        }
    });
    assert_eq!(known(folder.path()).incidents.len(), 4);
    let hidden = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name());
    assert!(
        !hidden
            .into_iter()
            .any(|n| n.to_str().unwrap().contains(".part"))
    );
}

#[test]
fn of_two_open_files_of_one_target_the_first_stays() {
    let folder = TempDir::new().unwrap();
    play(folder.path(), &round(0, vec![exposed("a")]));
    let first = only(folder.path());
    let name = first.file_name().unwrap().to_str().unwrap();
    let second = folder.path().join(name.replace(".md", "-2.md"));
    let text = fs::read_to_string(&first).unwrap();
    fs::write(&second, text.replace("\"number\":1", "\"number\":2")).unwrap();
    let told = play(folder.path(), &round(1, vec![exposed("a")]));
    let mut all = deeds(&told);
    all.sort_unstable();
    assert_eq!(all, ["closed", "updated"]);
    assert_eq!(open(folder.path()).number, 1);
    let text = fs::read_to_string(&second).unwrap();
    assert!(text.contains("the same incident is kept at"), "{text}");
    assert!(text.contains(&format!("]({name})")), "{text}");
    // And when that is over, it is the first that goes on.
    for at in [2, 3] {
        play(folder.path(), &round(at, vec![blocked("a")]));
    }
    play(folder.path(), &round(4, vec![exposed("a")]));
    assert_eq!(open(folder.path()).number, 1);
}
