//! The floors of the house: which module may import which. See ARCHITECTURE.md.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// What each module of the crate may import of the others.
const FLOORS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("actions", &["domain"]),
    ("config", &["domain"]),
    ("incident", &["domain"]),
    ("merge", &["domain"]),
    ("probe", &["domain"]),
    ("report", &["domain"]),
    ("round", &["domain", "probe"]),
    ("exit", &["domain"]),
    ("cli", &["config", "domain"]),
    (
        "app",
        &[
            "actions", "cli", "config", "domain", "exit", "incident", "merge", "probe", "report",
            "round",
        ],
    ),
    ("lib", &[]),
    ("main", &["app", "cli", "exit"]),
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The modules named after `crate::` (or, in main.rs, `noentry::`) in a line of code.
fn imports<'a>(line: &'a str, root: &'a str) -> impl Iterator<Item = &'a str> {
    line.split(root).skip(1).map(|rest| {
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn every_module_keeps_to_its_floor() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 20, "found only {} files", files.len());
    let mut checked = 0;
    for file in files {
        let inside = file.strip_prefix(&src).unwrap();
        let first = inside.iter().next().unwrap().to_str().unwrap();
        let module = first.strip_suffix(".rs").unwrap_or(first);
        let (_, allowed) = FLOORS
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("module {module} has no floor"));
        let root = if module == "main" {
            "noentry::"
        } else {
            "crate::"
        };
        let text = fs::read_to_string(&file).unwrap();
        for (number, line) in text.lines().enumerate() {
            let code = line.trim_start();
            if code.starts_with("//") {
                continue;
            }
            for import in imports(code, root) {
                checked += 1;
                assert!(
                    import == module || import.is_empty() || allowed.contains(&import),
                    "{}:{}: {module} must not know {import}",
                    inside.display(),
                    number + 1
                );
            }
        }
    }
    assert!(checked > 50, "checked only {checked} imports");
}

/// The words that begin with this, each once, in the order of the alphabet.
fn words_with(text: &str, begin: &str) -> std::collections::BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let own = words.filter(|word| word.starts_with(begin));
    own.map(str::to_owned).collect()
}

#[test]
fn every_limit_that_a_scenario_shows_is_told_to_users_and_the_other_way_round() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&root.join("tests/lab/scenarios"), &mut files);
    let shown: String = files
        .iter()
        .map(|file| fs::read_to_string(file).unwrap())
        .collect();
    let told = fs::read_to_string(root.join("docs/limits.md")).unwrap();
    let (shown, told) = (words_with(&shown, "limit_"), words_with(&told, "limit_"));
    assert!(shown.len() > 5, "{shown:?}");
    assert_eq!(shown, told);
}
