//! The repository's issues: what is asked and told of them, one function a request.
//!
//! Limits: 50 pages of 100 issues with the label. Page numbers are counted here: an address that a
//! server sends is never followed.

use hyper::Method;
use serde_json::{Value, json};

use super::super::Problem;
use super::api::{Answer, Api};
use super::settings::Slug;
use super::wire::{Comment, Issue, Repository, User, Viewer};
use super::words::{self, Fault};

/// Issues or comments a page; GitHub's highest.
pub(super) const PAGE: usize = 100;
/// How many pages are read.
const PAGES: u32 = 50;

/// A repository and the way to it.
pub(super) struct Tracker {
    pub(super) api: Api,
    pub(super) repository: Slug,
}

impl Tracker {
    /// The repository itself.
    pub(super) async fn repository(&self) -> Result<Repository, Fault> {
        self.api.get(&self.path("")).await?.read()
    }

    /// Who asks.
    pub(super) async fn user(&self) -> Result<User, Fault> {
        self.api.get("/user").await?.read()
    }

    /// Who asks, by GraphQL, which tells an installation's token too. It has an address of its own on an
    /// Enterprise Server and is not asked there.
    pub(super) async fn viewer(&self) -> Result<User, Fault> {
        let question = json!({ "query": "query { viewer { login } }" });
        let answer: Viewer = self.api.query("/graphql", &question).await?.read()?;
        Ok(answer.data.viewer)
    }

    /// All issues with a label, the oldest first, without pull requests.
    pub(super) async fn labelled(&self, label: &str) -> Result<Vec<Issue>, Problem> {
        let doing = "list the issues of the trail";
        let mut all: Vec<Issue> = Vec::new();
        for page in 1..=PAGES {
            let query = format!(
                "/issues?labels={}&state=all&sort=created&direction=asc&per_page={PAGE}&page={page}",
                encoded(label)
            );
            let (issues, more) = self
                .page(&query)
                .await
                .map_err(|f| self.problem(&f, doing))?;
            for issue in issues {
                // While pages are read, one may move from the next to this one.
                if !all.iter().any(|known| known.number == issue.number) {
                    all.push(issue);
                }
            }
            if !more {
                return Ok(all);
            }
        }
        let most = usize::try_from(PAGES).unwrap_or(usize::MAX) * PAGE;
        Err(self.at_repository(format!(
            "cannot {doing}: there are more than {most} with the label {label}: take the label off \
             old ones that are closed"
        )))
    }

    /// The newest issues of all, whatever their labels, without pull requests.
    pub(super) async fn newest(&self) -> Result<Vec<Issue>, Fault> {
        let query = format!("/issues?state=all&sort=created&direction=desc&per_page={PAGE}");
        Ok(self.page(&query).await?.0)
    }

    async fn page(&self, query: &str) -> Result<(Vec<Issue>, bool), Fault> {
        let answer = self.api.get(&self.path(query)).await?;
        let issues: Vec<Issue> = answer.read()?;
        let more = is_followed(&answer, issues.len());
        let only_issues = |issue: &Issue| issue.pull_request.is_none();
        Ok((issues.into_iter().filter(only_issues).collect(), more))
    }

    /// One issue.
    pub(super) async fn issue(&self, number: u64) -> Result<Issue, Fault> {
        self.api
            .get(&self.path(&format!("/issues/{number}")))
            .await?
            .read()
    }

    /// A new issue.
    pub(super) async fn open(&self, issue: &Value) -> Result<Issue, Fault> {
        self.send(&Method::POST, "/issues", issue).await?.read()
    }

    /// Changes an issue.
    pub(super) async fn change(&self, number: u64, change: &Value) -> Result<Issue, Fault> {
        let path = format!("/issues/{number}");
        self.send(&Method::PATCH, &path, change).await?.read()
    }

    /// One page of an issue's comments, the oldest first.
    pub(super) async fn comments(&self, number: u64, page: u64) -> Result<Vec<Comment>, Fault> {
        let path = format!("/issues/{number}/comments?per_page={PAGE}&page={page}");
        self.api.get(&self.path(&path)).await?.read()
    }

    /// A new comment.
    pub(super) async fn comment(&self, number: u64, text: &str) -> Result<(), Fault> {
        let path = format!("/issues/{number}/comments");
        self.send(&Method::POST, &path, &json!({ "body": text }))
            .await?;
        Ok(())
    }

    /// Another text for a comment.
    pub(super) async fn reword(&self, comment: u64, text: &str) -> Result<(), Fault> {
        let path = format!("/issues/comments/{comment}");
        self.send(&Method::PATCH, &path, &json!({ "body": text }))
            .await?;
        Ok(())
    }

    /// Adds labels to an issue.
    pub(super) async fn add_labels(&self, number: u64, labels: &[&str]) -> Result<(), Fault> {
        let path = format!("/issues/{number}/labels");
        self.send(&Method::POST, &path, &json!({ "labels": labels }))
            .await?;
        Ok(())
    }

    /// Adds people to an issue.
    pub(super) async fn assign(&self, number: u64, people: &[String]) -> Result<Issue, Fault> {
        let path = format!("/issues/{number}/assignees");
        self.send(&Method::POST, &path, &json!({ "assignees": people }))
            .await?
            .read()
    }

    /// Whether the repository has a label.
    pub(super) async fn has_label(&self, name: &str) -> Result<bool, Fault> {
        let path = format!("/labels/{}", encoded(name));
        match self.api.get(&self.path(&path)).await {
            Ok(_) => Ok(true),
            Err(fault) if fault.is(404) => Ok(false),
            Err(fault) => Err(fault),
        }
    }

    /// A new label.
    pub(super) async fn make_label(&self, label: &Value) -> Result<(), Fault> {
        self.send(&Method::POST, "/labels", label).await?;
        Ok(())
    }

    async fn send(&self, method: &Method, path: &str, body: &Value) -> Result<Answer, Fault> {
        self.api.write(method, &self.path(path), body).await
    }

    fn path(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.repository)
    }

    /// An issue's place, as GitHub itself writes it and links it.
    pub(super) fn place(&self, number: u64) -> String {
        format!("{}#{number}", self.repository)
    }

    /// A place's number, if it is in this repository.
    pub(super) fn number(&self, place: &str) -> Option<u64> {
        let rest = place.strip_prefix(self.repository.as_str())?;
        rest.strip_prefix('#')?.parse().ok()
    }

    /// A fault as a problem with the repository.
    pub(super) fn problem(&self, fault: &Fault, doing: &str) -> Problem {
        self.at_repository(words::say(fault, doing))
    }

    /// A fault as a problem with an issue.
    pub(super) fn problem_at(&self, number: u64, fault: &Fault, doing: &str) -> Problem {
        self.at(number, words::say(fault, doing))
    }

    /// A problem with the repository.
    pub(super) fn at_repository(&self, what: String) -> Problem {
        Problem {
            place: self.repository.to_string(),
            what,
            about: None,
        }
    }

    /// A problem with an issue.
    pub(super) fn at(&self, number: u64, what: String) -> Problem {
        Problem {
            place: self.place(number),
            what,
            about: None,
        }
    }
}

/// Whether there is another page: by the `Link` header (RFC 8288), or by a page that is full.
fn is_followed(answer: &Answer, issues: usize) -> bool {
    match answer.headers.get("link").map(|link| link.to_str()) {
        Some(Ok(link)) => link.contains("rel=\"next\""),
        Some(Err(_)) | None => issues >= PAGE,
    }
}

/// A text for a path or a query (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot go wrong.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderMap;

    use super::*;

    fn answer(link: Option<&str>) -> Answer {
        let mut headers = HeaderMap::new();
        if let Some(link) = link {
            headers.insert("link", link.parse().unwrap());
        }
        Answer {
            headers,
            body: Vec::new(),
        }
    }

    #[test]
    fn another_page_is_asked_for_where_there_is_one() {
        let next = "<https://api.github.com/x?page=2>; rel=\"next\", <…>; rel=\"last\"";
        assert!(is_followed(&answer(Some(&next.replace('…', "y"))), 3));
        assert!(!is_followed(&answer(Some("<y>; rel=\"prev\"")), PAGE));
        assert!(is_followed(&answer(None), PAGE));
        assert!(!is_followed(&answer(None), PAGE - 1));
    }

    #[test]
    fn names_of_labels_stay_in_their_part_of_the_path() {
        assert_eq!(encoded("noentry:exposed"), "noentry%3Aexposed");
        assert_eq!(encoded("a/b ?ü"), "a%2Fb%20%3F%C3%BC");
    }
}
