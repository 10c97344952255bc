//! What GitHub answers, as far as it is read. Whatever may be missing is optional, and what is not
//! known is passed over.

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// A repository.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Repository {
    pub private: Option<bool>,
    pub visibility: Option<String>,
    pub archived: Option<bool>,
    pub has_issues: Option<bool>,
}

impl Repository {
    /// Whether everybody may read it. What is not said, or contradicts itself, counts as public.
    /// `internal` is what only an enterprise's own people read.
    pub(super) fn is_public(&self) -> bool {
        let visibility = self.visibility.as_deref();
        let said_private = visibility.is_none_or(|v| matches!(v, "private" | "internal"));
        self.private != Some(true) || !said_private
    }
}

/// A user, a bot or an organisation.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct User {
    #[serde(default)]
    pub login: String,
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
}

/// GraphQL's answer to who asks.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Viewer {
    pub data: ViewerData,
}

/// What is in it.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ViewerData {
    pub viewer: User,
}

/// An issue or, in a list, a pull request.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Issue {
    pub number: u64,
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub state: String,
    #[serde(default)]
    pub state_reason: Option<String>,
    #[serde(default)]
    pub user: Option<User>,
    #[serde(default)]
    pub labels: Vec<Label>,
    #[serde(default)]
    pub assignees: Option<Vec<User>>,
    #[serde(default)]
    pub comments: u64,
    #[serde(default)]
    pub locked: bool,
    #[serde(default)]
    pub html_url: Option<String>,
    /// There for a pull request alone.
    #[serde(default)]
    pub pull_request: Option<IgnoredAny>,
}

impl Issue {
    /// The names of its labels.
    pub(super) fn labels(&self) -> impl Iterator<Item = &str> {
        self.labels.iter().filter_map(|label| match label {
            Label::Name(name) => Some(name.as_str()),
            Label::Whole { name } => name.as_deref(),
        })
    }

    /// Whether it has a label. GitHub's labels are one whatever their case.
    pub(super) fn has_label(&self, wanted: &str) -> bool {
        self.labels().any(|name| name.eq_ignore_ascii_case(wanted))
    }

    /// Whether it is open.
    pub(super) fn is_open(&self) -> bool {
        self.state == "open"
    }

    /// Whether it was written by this login.
    pub(super) fn is_by(&self, login: &str) -> bool {
        is_by(self.user.as_ref(), login)
    }

    /// The text.
    pub(super) fn text(&self) -> &str {
        self.body.as_deref().unwrap_or_default()
    }
}

/// Whether a user has this login. Logins are one whatever their case.
pub(super) fn is_by(user: Option<&User>, login: &str) -> bool {
    user.is_some_and(|user| user.login.eq_ignore_ascii_case(login))
}

/// A label, in either of GitHub's shapes.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Label {
    Name(String),
    Whole { name: Option<String> },
}

/// A comment.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Comment {
    pub id: u64,
    #[serde(default)]
    pub body: Option<String>,
    #[serde(default)]
    pub user: Option<User>,
}

/// What comes with a refusal.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Refusal {
    #[serde(default)]
    pub message: Option<String>,
    /// Objects as a rule, texts at times.
    #[serde(default)]
    pub errors: Vec<serde_json::Value>,
}

/// Reads an answer.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // The error names a place and what was expected there. It may quote what was found instead,
    // so the caller escapes it.
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_visibility_is_public() {
        let public = |json: &str| read::<Repository>(json.as_bytes()).unwrap().is_public();
        assert!(public("{}"));
        assert!(public(r#"{"private": false}"#));
        assert!(public(r#"{"private": true, "visibility": "new word"}"#));
        assert!(public(r#"{"private": true, "visibility": "public"}"#));
        assert!(public(r#"{"visibility": "private"}"#));
        assert!(!public(r#"{"private": true}"#));
        assert!(!public(r#"{"private": true, "visibility": "internal"}"#));
        assert!(!public(r#"{"private": true, "visibility": "private"}"#));
    }

    #[test]
    fn labels_come_in_two_shapes() {
        let issue: Issue =
            read(br#"{"number": 1, "labels": ["noentry", {"name": "Net"}, {"name": null}]}"#)
                .unwrap();
        assert_eq!(issue.labels().collect::<Vec<_>>(), ["noentry", "Net"]);
        assert!(issue.has_label("net"));
        assert!(!issue.is_by(""));
    }

    #[test]
    fn hostile_answers_are_errors() {
        let deep = "[".repeat(100_000);
        for text in [
            "",
            "null",
            "[]",
            "{}",
            "{\"number\": -1}",
            "{\"number\": 1e99}",
            "\u{0}",
            &deep,
            "{\"number\": 1, \"labels\": {}}",
            "{\"number\": 1, \"state\": 5}",
        ] {
            assert!(read::<Issue>(text.as_bytes()).is_err(), "{text:.20}");
        }
        assert!(read::<Issue>(&[0xff, 0xfe]).is_err());
        assert!(read::<Vec<Issue>>(b"{\"message\": \"no\"}").is_err());
    }
}
