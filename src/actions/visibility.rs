//! Who may read what a run leaves behind: as the payload of the event that set it off says.
//!
//! The logs, summaries, annotations and artifacts of a run can be read by whoever can read the
//! repository that it runs in. What is missing, damaged or contradicts itself is not known, and what
//! is not known must be taken for public.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use serde::Deserialize;

/// The largest payload that is read, in bytes. GitHub caps a webhook's payload at 25 MB.
const LIMIT: u64 = 32 * 1024 * 1024;

/// Who may read a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// Everybody.
    Public,
    /// Only those who were let in: GitHub's `private`, and `internal`, which an enterprise's own people
    /// read.
    Private,
    /// It could not be found out.
    Unknown,
}

#[derive(Deserialize)]
struct Event {
    repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    full_name: Option<String>,
    private: Option<bool>,
    /// Older Enterprise Servers do not say it.
    visibility: Option<String>,
}

/// What the payload in a file says about a repository (`owner/name`), where that is given. A payload
/// about another repository says nothing.
#[must_use]
pub fn told_by(event: &Path, repository: Option<&str>) -> Visibility {
    let mut text = Vec::new();
    let read = File::open(event).and_then(|file| file.take(LIMIT).read_to_end(&mut text));
    match read {
        // A payload that fills the limit was cut.
        Ok(length) if u64::try_from(length).is_ok_and(|length| length < LIMIT) => {
            told(&text, repository)
        }
        Ok(_) | Err(_) => Visibility::Unknown,
    }
}

/// A repeated key and a wrong type are errors of the parser, and so not known.
fn told(payload: &[u8], repository: Option<&str>) -> Visibility {
    let event = serde_json::from_slice::<Event>(payload).ok();
    let Some(told) = event.and_then(|event| event.repository) else {
        return Visibility::Unknown;
    };
    if let (Some(told), Some(own)) = (&told.full_name, repository)
        && !told.eq_ignore_ascii_case(own)
    {
        return Visibility::Unknown;
    }
    match (told.private, told.visibility.as_deref()) {
        (Some(false), Some("public") | None) | (None, Some("public")) => Visibility::Public,
        (Some(true) | None, Some("private" | "internal")) | (Some(true), None) => {
            Visibility::Private
        }
        (Some(_) | None, Some(_)) | (None, None) => Visibility::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(repository: &str) -> Visibility {
        let payload = format!("{{\"action\":\"x\",\"repository\":{repository}}}");
        told(payload.as_bytes(), Some("org/repo"))
    }

    #[test]
    fn the_payload_says_who_may_read() {
        for (repository, visibility) in [
            (
                r#"{"private":false,"visibility":"public"}"#,
                Visibility::Public,
            ),
            (r#"{"private":false}"#, Visibility::Public),
            (r#"{"visibility":"public"}"#, Visibility::Public),
            (
                r#"{"private":true,"visibility":"private"}"#,
                Visibility::Private,
            ),
            (
                r#"{"private":true,"visibility":"internal"}"#,
                Visibility::Private,
            ),
            (r#"{"private":true}"#, Visibility::Private),
            (r#"{"visibility":"internal"}"#, Visibility::Private),
            (
                r#"{"full_name":"Org/Repo","private":true}"#,
                Visibility::Private,
            ),
        ] {
            assert_eq!(of(repository), visibility, "{repository}");
        }
    }

    #[test]
    fn what_contradicts_itself_or_is_damaged_is_not_known() {
        for repository in [
            "{}",
            "null",
            "[]",
            "\"private\"",
            r#"{"private":null}"#,
            r#"{"private":"true"}"#,
            r#"{"private":1}"#,
            r#"{"private":true,"visibility":"public"}"#,
            r#"{"private":false,"visibility":"private"}"#,
            r#"{"private":false,"visibility":"internal"}"#,
            r#"{"private":true,"visibility":"Private"}"#,
            r#"{"private":true,"visibility":"secret"}"#,
            r#"{"private":true,"private":true}"#,
            r#"{"private":false,"private":true}"#,
            r#"{"full_name":"org/other","private":true}"#,
            r#"{"full_name":7,"private":true}"#,
        ] {
            assert_eq!(of(repository), Visibility::Unknown, "{repository}");
        }
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let hidden = format!(r#"{{"x":{deep},"repository":{{"private":true}}}}"#);
        for payload in [
            "",
            "{",
            "{}",
            "private",
            "\u{feff}{}",
            r#"{"repository":{"private":true}} x"#,
            r#"{"repository":{"private":true},"repository":{"private":true}}"#,
            r#"{"event":{"repository":{"private":true}}}"#,
            &deep,
        ] {
            let told = told(payload.as_bytes(), Some("org/repo"));
            assert_eq!(told, Visibility::Unknown, "{}", payload.len());
        }
        assert_eq!(told(b"\xff\xfe", None), Visibility::Unknown);
        // What nobody asks for is passed over without a stack, however deep it is.
        assert_eq!(told(hidden.as_bytes(), None), Visibility::Private);
    }

    #[test]
    fn a_payload_that_was_cut_off_is_not_known() {
        let whole = br#"{"repository":{"full_name":"org/repo","visibility":"private"}}"#;
        assert_eq!(told(whole, Some("org/repo")), Visibility::Private);
        for length in 0..whole.len() {
            let cut = told(&whole[..length], Some("org/repo"));
            assert_eq!(cut, Visibility::Unknown, "{length}");
        }
    }

    #[test]
    fn a_file_that_is_missing_or_has_no_end_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("event.json");
        assert_eq!(told_by(&path, None), Visibility::Unknown);
        assert_eq!(told_by(folder.path(), None), Visibility::Unknown);
        std::fs::write(&path, r#"{"repository":{"private":true}}"#).unwrap();
        assert_eq!(told_by(&path, None), Visibility::Private);
        assert_eq!(told_by(&path, Some("org/repo")), Visibility::Private);
        // White space to the end: it would be good JSON if it were read whole.
        let file = File::options().append(true).open(&path).unwrap();
        file.set_len(LIMIT + 1).unwrap();
        assert_eq!(told_by(&path, None), Visibility::Unknown);
        #[cfg(target_os = "linux")]
        assert_eq!(told_by(Path::new("/dev/zero"), None), Visibility::Unknown);
    }
}
