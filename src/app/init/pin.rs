//! Which commits the workflow uses. A tag can be moved, so that what it names tomorrow nobody knows:
//! every action is named by the whole SHA of a commit, with its version beside it for people and for
//! the tools that bring updates.

/// The action that was the newest one when this program was built for a release, as
/// `OWNER/REPO@SHA VERSION`. It cannot be the one that brings this very program: that one names the
/// program's digest.
const RELEASED: Option<&str> = option_env!("NOENTRY_ACTION");

/// `actions/checkout`.
pub(super) const CHECKOUT: &str =
    "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1";

/// `actions/upload-artifact`.
pub(super) const UPLOAD: &str =
    "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1";

/// How the SHA is found out.
pub(super) const HOW: &str = "give OWNER/REPO@SHA with the whole SHA of a commit, which \
     `git ls-remote https://github.com/noentry/noentry v1` prints, or `HEAD` in place of `v1` where \
     no release is out yet";

/// What stands behind `uses:` for noentry itself: what was typed, else what this program knows.
pub(super) fn action(typed: Option<&str>) -> Result<String, String> {
    match typed {
        Some(typed) => pinned(typed),
        None => known(RELEASED),
    }
}

/// Whether somebody has to say which action to use.
pub(super) fn is_unknown() -> bool {
    known(RELEASED).is_err()
}

fn known(released: Option<&str>) -> Result<String, String> {
    let unknown =
        || format!("this build of noentry knows no release of its action: with --action {HOW}");
    let released = released
        .filter(|text| !text.is_empty())
        .ok_or_else(unknown)?;
    let (reference, version) = released.split_once(' ').ok_or_else(unknown)?;
    let tame = |c: char| c.is_ascii_alphanumeric() || ".-+".contains(c);
    if version.is_empty() || !version.chars().all(tame) {
        return Err(unknown());
    }
    Ok(format!("{} # {version}", pinned(reference)?))
}

/// Checks a reference to an action.
fn pinned(typed: &str) -> Result<String, String> {
    let wrong = |why: &str| Err(format!("{typed:?} {why}: {HOW}"));
    let Some((repository, commit)) = typed.split_once('@') else {
        return wrong("names no commit");
    };
    let tame = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let word = |word: &str| {
        !word.is_empty() && word.chars().all(tame) && word.chars().any(char::is_alphanumeric)
    };
    if !repository
        .split_once('/')
        .is_some_and(|(owner, name)| word(owner) && word(name))
    {
        return wrong("is no repository of an action");
    }
    let hexadecimal = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    if commit.len() != 40 || !commit.chars().all(hexadecimal) {
        return wrong("is not pinned, because a tag or a branch can be moved");
    }
    if commit.chars().all(|c| c == '0') {
        return wrong("names no commit");
    }
    Ok(typed.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    #[test]
    fn only_a_whole_sha_is_a_pin() {
        let good = format!("noentry/noentry@{SHA}");
        assert_eq!(pinned(&good).as_ref(), Ok(&good));
        for (typed, says) in [
            ("noentry/noentry", "names no commit"),
            ("noentry/noentry@v1", "not pinned"),
            ("noentry/noentry@main", "not pinned"),
            ("noentry/noentry@0123456", "not pinned"),
            (
                &format!("noentry/noentry@{}", SHA.to_uppercase()),
                "not pinned",
            ),
            (&format!("noentry/noentry@{SHA} # x"), "not pinned"),
            (&format!("noentry@{SHA}"), "no repository"),
            (&format!("./@{SHA}"), "no repository"),
            (&format!("../..@{SHA}"), "no repository"),
            (&format!("a/b/c@{SHA}"), "no repository"),
            (&format!("a/b: c@{SHA}"), "no repository"),
            (
                &format!("noentry/noentry@{}", "0".repeat(40)),
                "names no commit",
            ),
        ] {
            let error = pinned(typed).unwrap_err();
            assert!(
                error.contains(says) && error.contains("ls-remote"),
                "{typed}: {error}"
            );
        }
    }

    #[test]
    fn a_build_that_knows_no_release_asks_for_one() {
        let told = format!("noentry/noentry@{SHA} v0.1.0");
        let used = format!("noentry/noentry@{SHA} # v0.1.0");
        assert_eq!(known(Some(&told)), Ok(used));
        let bare = format!("noentry/noentry@{SHA}");
        for unknown in [
            None,
            Some(""),
            Some("noentry"),
            Some(&bare),
            Some("a/b@v1 v1"),
        ] {
            assert!(known(unknown).is_err(), "{unknown:?}");
        }
    }

    #[test]
    fn what_else_the_workflow_uses_is_pinned_too() {
        for uses in [CHECKOUT, UPLOAD] {
            let (reference, version) = uses.split_once(" # ").unwrap();
            assert!(pinned(reference).is_ok(), "{uses}");
            assert!(version.starts_with('v'), "{uses}");
        }
    }
}
