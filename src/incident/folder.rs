//! The trail in a folder: one Markdown file an incident.
//!
//! A file is written beside its place and renamed into it, so there is the old text or the new one,
//! never half of one. What is not ours is left alone: other file names are passed over, and a file with
//! a name of ours and without our section is reported. Words that a person writes before or after the
//! section stay; a person closes an incident for good by deleting its file.
//!
//! A lock keeps two runs apart. It is the system's own and ends with the process. Network file systems
//! that do not know locks do not know this one either.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::paper::Paper;
use super::state::{self, State};
use super::{Change, Deed, Incident, Known, Memory, Problem, Standing, Store};

/// The largest file that is read, in bytes. A year of daily reminders takes about 100 KB.
const LIMIT: u64 = 8 * 1024 * 1024;
/// How many entries of the folder are looked at.
const ENTRIES: usize = 100_000;
/// How many characters of a target's name are in a file's name.
const SLUG: usize = 40;
/// What is remembered between rounds.
const MEMORY: &str = ".noentry-memory.json";
const LOCK: &str = ".noentry-lock";
/// The memory's version.
const VERSION: u32 = 1;
/// How often, and how long apart, the lock is asked for.
const TRIES: u32 = 50;
const PAUSE: Duration = Duration::from_millis(200);

/// A folder with incidents.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    /// Where the incidents are that were read or written: short fingerprint and number.
    files: BTreeMap<(String, u32), PathBuf>,
    memory: BTreeMap<String, Memory>,
    /// Whether the memory's file may be written over.
    memory_is_ours: bool,
    /// Held until the end.
    _lock: File,
}

#[derive(Serialize, Deserialize)]
struct MemoryFile {
    version: u32,
    configurations: BTreeMap<String, Memory>,
}

impl Folder {
    /// Opens a folder, makes it if it is missing, and waits some seconds for another run to end.
    ///
    /// # Errors
    /// If it cannot be made or written to, or another run keeps it.
    pub fn open(root: &Path) -> Result<Self, Problem> {
        let at = |path: &Path| {
            let place = path.display().to_string();
            move |error: io::Error| problem(&place, format!("cannot be used: {error}"))
        };
        fs::create_dir_all(root).map_err(at(root))?;
        let path = root.join(LOCK);
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(at(&path))?;
        for left in (0..TRIES).rev() {
            match lock.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if left > 0 => std::thread::sleep(PAUSE),
                Err(TryLockError::WouldBlock) => {
                    let what = "another run of noentry works on this folder".to_owned();
                    return Err(problem(&root.display().to_string(), what));
                }
                Err(TryLockError::Error(error)) => return Err(at(&path)(error)),
            }
        }
        Ok(Self {
            root: root.to_owned(),
            files: BTreeMap::new(),
            memory: BTreeMap::new(),
            memory_is_ours: true,
            _lock: lock,
        })
    }

    fn read_all(&mut self) -> io::Result<Known> {
        let mut known = Known::default();
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.root)?.take(ENTRIES) {
            let entry = entry?;
            if let Some(name) = entry.file_name().to_str().and_then(Name::read) {
                names.push((entry.path(), name, entry.file_type()?.is_file()));
            }
        }
        // The order of a folder is anybody's.
        names.sort_by(|a, b| a.0.cmp(&b.0));
        self.files.clear();
        for (path, name, plain) in names {
            let key = (name.short, name.number);
            let read = if plain {
                read(&path, &key)
            } else {
                Err("is not a plain file".to_owned())
            };
            let read = read.and_then(|paper| match self.files.get(&key) {
                None => Ok(paper),
                Some(first) => Err(format!("is a copy of {}", first.display())),
            });
            match read {
                Ok(paper) => {
                    known.incidents.push(Incident {
                        standing: if paper.state.open {
                            Standing::Open
                        } else {
                            Standing::Closed
                        },
                        state: paper.state,
                        place: file_name(&path),
                    });
                    self.files.insert(key, path);
                }
                Err(what) => {
                    known.taken.push(key);
                    let what = format!("left alone: {what}");
                    known
                        .problems
                        .push(problem(&path.display().to_string(), what));
                }
            }
        }
        self.read_memory(&mut known);
        Ok(known)
    }

    fn read_memory(&mut self, known: &mut Known) {
        let path = self.root.join(MEMORY);
        self.memory_is_ours = true;
        let text = match bounded(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.lose_memory(&path, &error.to_string(), known),
        };
        match serde_json::from_str::<MemoryFile>(&text) {
            Ok(file) if file.version == VERSION => {
                self.memory.clone_from(&file.configurations);
                known.memory = file.configurations;
            }
            Ok(_) => self.lose_memory(&path, "it is of another version of noentry", known),
            Err(error) => self.lose_memory(&path, &error.to_string(), known),
        }
    }

    fn lose_memory(&mut self, path: &Path, why: &str, known: &mut Known) {
        self.memory_is_ours = false;
        let what = format!(
            "left alone: {why}; inconclusive rounds in a row cannot be counted until it is removed"
        );
        known
            .problems
            .push(problem(&path.display().to_string(), what));
    }

    /// Puts a text in a file's place, whole or not at all.
    fn put(&self, path: &Path, text: &str) -> io::Result<()> {
        let beside = self.root.join(format!(".{}.part", file_name(path)));
        match fs::remove_file(&beside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) | Ok(()) => {}
        }
        let written = (|| {
            let mut file = OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&beside)?;
            if let Ok(old) = path.metadata() {
                file.set_permissions(old.permissions())?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&beside, path)
        })();
        if written.is_err() {
            // What was not put in place is of no use to anybody.
            let _ = fs::remove_file(&beside);
        }
        written
    }

    fn paper(&self, change: &Change, key: &(String, u32)) -> Result<(PathBuf, Paper), Problem> {
        let is_new = change.deed == Deed::Opened;
        let path = match self.files.get(key) {
            Some(path) if !is_new => path.clone(),
            Some(_) | None => self.root.join(name_of(&change.state)),
        };
        let place = path.display().to_string();
        if is_new {
            // A link that leads nowhere is in the way too.
            if path.symlink_metadata().is_ok() {
                return Err(problem(&place, "is in the way".to_owned()));
            }
            return Ok((path, Paper::new(change.state.clone())));
        }
        // A person may have written into it since.
        let paper = read(&path, key).map_err(|what| problem(&place, what))?;
        Ok((path, paper))
    }
}

impl Store for Folder {
    async fn known(&mut self) -> Result<Known, Problem> {
        self.read_all().map_err(|error| {
            problem(
                &self.root.display().to_string(),
                format!("cannot be read: {error}"),
            )
        })
    }

    async fn apply(&mut self, change: &Change) -> Result<String, Problem> {
        let key = (
            change.state.fingerprint.short().to_owned(),
            change.state.number,
        );
        let (path, mut paper) = self.paper(change, &key)?;
        let place = path.display().to_string();
        paper.change(change);
        let text = paper.text().map_err(io::Error::other);
        text.and_then(|text| self.put(&path, &text))
            .map_err(|error| problem(&place, format!("cannot be written: {error}")))?;
        self.files.insert(key, path);
        Ok(place)
    }

    async fn remember(&mut self, config: &str, memory: &Memory) -> Result<(), Problem> {
        // Said already, when it was read.
        if !self.memory_is_ours {
            return Ok(());
        }
        self.memory.insert(config.to_owned(), memory.clone());
        let file = MemoryFile {
            version: VERSION,
            configurations: self.memory.clone(),
        };
        let path = self.root.join(MEMORY);
        serde_json::to_string_pretty(&file)
            .map_err(io::Error::other)
            .and_then(|text| self.put(&path, &format!("{text}\n")))
            .map_err(|error| {
                problem(
                    &path.display().to_string(),
                    format!("cannot be written: {error}"),
                )
            })
    }
}

fn problem(place: &str, what: String) -> Problem {
    Problem {
        place: place.to_owned(),
        what,
        about: None,
    }
}

fn read(path: &Path, (short, number): &(String, u32)) -> Result<Paper, String> {
    let text = bounded(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let paper = Paper::read(&text, short)?;
    if paper.state.number == *number {
        Ok(paper)
    } else {
        Err(format!(
            "by its state it is number {} of its target, by its name number {number}",
            paper.state.number
        ))
    }
}

fn bounded(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = File::open(path)?.take(LIMIT).read_to_string(&mut text)?;
    if u64::try_from(read).is_ok_and(|read| read == LIMIT) {
        return Err(io::Error::other("it is larger than 8 MiB"));
    }
    Ok(text)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// `admin-console-0123456789ab-2.md`
fn name_of(state: &State) -> String {
    let slug = match state.kind {
        state::Kind::Target => slug(&state.name),
        state::Kind::Mass => "many-targets".to_owned(),
        state::Kind::Blind => "noentry-cannot-see".to_owned(),
    };
    let short = state.fingerprint.short();
    match state.number {
        0 | 1 => format!("{slug}-{short}.md"),
        number => format!("{slug}-{short}-{number}.md"),
    }
}

/// Letters and digits of ASCII in lower case, and single dashes between them.
fn slug(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if out.len() >= SLUG {
            break;
        }
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    match out.trim_end_matches('-') {
        "" => "target".to_owned(),
        slug => slug.to_owned(),
    }
}

/// What a file's name says. The words before the fingerprint are anybody's to change.
struct Name {
    short: String,
    number: u32,
}

impl Name {
    fn read(name: &str) -> Option<Self> {
        let (rest, last) = name.strip_suffix(".md")?.rsplit_once('-')?;
        if state::is_short(last) {
            return Some(Self {
                short: last.to_owned(),
                number: 1,
            });
        }
        let number = last.parse().ok().filter(|number| *number > 1)?;
        let (_, short) = rest.rsplit_once('-')?;
        state::is_short(short).then(|| Self {
            short: short.to_owned(),
            number,
        })
    }
}
