//! Where the files go: both are written, or none, and nothing that is there is touched.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::config::SEARCHED;

/// The configuration, from the repository's top.
pub(super) const CONFIG: &str = ".github/noentry.yml";

/// The workflow, from the repository's top.
pub(super) const WORKFLOW: &str = ".github/workflows/noentry.yml";

/// What is there already and would be overwritten, or, for a configuration at another place, would
/// be read no longer.
pub(super) fn taken(root: &Path) -> Vec<&'static str> {
    let ours = [CONFIG, WORKFLOW].into_iter();
    let others = SEARCHED.into_iter().filter(|path| *path != CONFIG);
    // A link that leads nowhere is there as well.
    ours.chain(others)
        .filter(|path| root.join(path).symlink_metadata().is_ok())
        .collect()
}

/// Writes both. What was made before something went wrong is taken away again.
///
/// # Errors
///
/// What could not be written, and why.
pub(super) fn write(root: &Path, config: &str, workflow: &str) -> Result<(), String> {
    for folder in [".github", ".github/workflows"] {
        // A repository of somebody else's must not choose where on this machine it is written, and
        // GitHub follows no link either.
        if root.join(folder).is_symlink() {
            return Err(format!(
                "{folder} is a link, and GitHub reads nothing behind it: make it a folder"
            ));
        }
    }
    let mut made = Made::default();
    for (path, text) in [(CONFIG, config), (WORKFLOW, workflow)] {
        if let Err(error) = made.write(&root.join(path), text) {
            made.undo();
            return Err(format!("cannot write {path}: {error}"));
        }
    }
    Ok(())
}

/// What was made, in this order.
#[derive(Default)]
struct Made {
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

impl Made {
    fn write(&mut self, path: &Path, text: &str) -> io::Result<()> {
        let folders: Vec<&Path> = path.ancestors().skip(1).collect();
        for folder in folders.into_iter().rev() {
            if folder.as_os_str().is_empty() || folder.is_dir() {
                continue;
            }
            fs::create_dir(folder)?;
            self.folders.push(folder.to_owned());
        }
        // Never one that came to be there in the meantime.
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        self.files.push(path.to_owned());
        file.write_all(text.as_bytes())?;
        file.sync_all()
    }

    /// What cannot be taken away stays; the reason for all of it is said anyway. A folder goes only
    /// if it is empty.
    fn undo(&self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(root: &Path) -> Vec<String> {
        let mut names = Vec::new();
        let mut folders = vec![root.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let inside = path.strip_prefix(root).unwrap();
                names.push(inside.to_string_lossy().replace('\\', "/"));
                if path.is_dir() {
                    folders.push(path);
                }
            }
        }
        names.sort();
        names
    }

    #[test]
    fn both_files_or_none_and_no_folder_stays_behind() {
        let root = tempfile::tempdir().unwrap();
        // A file stands where the workflows' folder should be.
        fs::create_dir(root.path().join(".github")).unwrap();
        fs::write(root.path().join(".github/workflows"), "mine").unwrap();
        let error = write(root.path(), "a", "b").unwrap_err();
        assert!(
            error.starts_with("cannot write .github/workflows/noentry.yml"),
            "{error}"
        );
        assert_eq!(names(root.path()), [".github", ".github/workflows"]);

        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join(WORKFLOW)).unwrap();
        assert!(write(root.path(), "a", "b").is_err());
        assert_eq!(
            names(root.path()),
            [
                ".github",
                ".github/workflows",
                ".github/workflows/noentry.yml"
            ]
        );

        let root = tempfile::tempdir().unwrap();
        write(root.path(), "a", "b").unwrap();
        assert_eq!(fs::read_to_string(root.path().join(CONFIG)).unwrap(), "a");
        assert_eq!(fs::read_to_string(root.path().join(WORKFLOW)).unwrap(), "b");
        assert_eq!(taken(root.path()), [CONFIG, WORKFLOW]);
        assert!(write(root.path(), "c", "d").is_err());
        assert_eq!(fs::read_to_string(root.path().join(CONFIG)).unwrap(), "a");
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_behind_a_link() {
        for linked in [".github", ".github/workflows"] {
            let elsewhere = tempfile::tempdir().unwrap();
            let root = tempfile::tempdir().unwrap();
            let link = root.path().join(linked);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            std::os::unix::fs::symlink(elsewhere.path(), &link).unwrap();
            let error = write(root.path(), "a", "b").unwrap_err();
            assert!(error.starts_with(&format!("{linked} is a link")), "{error}");
            assert!(names(elsewhere.path()).is_empty());
            assert!(!root.path().join(CONFIG).exists());
        }
    }

    #[test]
    fn a_configuration_that_would_be_read_no_longer_is_in_the_way_too() {
        let root = tempfile::tempdir().unwrap();
        assert!(taken(root.path()).is_empty());
        fs::write(root.path().join("noentry.yml"), "version: 1\n").unwrap();
        assert_eq!(taken(root.path()), ["noentry.yml"]);
    }
}
