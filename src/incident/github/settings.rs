//! Where the issues are, who asks for them, and with what: each value checked before it is used.
//!
//! The token is never shown: its `Debug` says nothing, and it leaves only in a header that is marked
//! as sensitive, to a server whose address was given, never after a redirect and never in clear but
//! to this machine itself.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hyper::header::HeaderValue;

use super::super::Problem;

/// The public API.
pub const API: &str = "https://api.github.com";
/// How long everything may take together, waiting for limits included.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// The longest name of an owner or a repository that GitHub takes, in characters.
const NAME: usize = 100;

/// Everything that the store must be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The API.
    pub api: Base,
    /// The repository whose issues hold the trail.
    pub repository: Slug,
    /// What opens the door.
    pub token: Token,
    /// Whose issues are ours; found out where none is named.
    pub author: Option<String>,
    /// Whose token it is likely to be where GitHub does not say: an installation's token may not ask.
    pub guess: Option<String>,
    /// How long everything may take together.
    pub patience: Duration,
}

/// An access token.
#[derive(Clone)]
pub struct Token(HeaderValue);

impl Token {
    /// Takes a token as it stands in the environment.
    ///
    /// # Errors
    /// A lowercase fragment, without the token, if it cannot be one.
    pub fn new(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let plain = text.bytes().all(|b| b.is_ascii_graphic());
        let value = HeaderValue::try_from(format!("Bearer {text}"));
        match value {
            Ok(mut value) if plain && !text.is_empty() => {
                value.set_sensitive(true);
                Ok(Self(value))
            }
            Ok(_) | Err(_) => Err(
                "the token has characters that no token has: put the bare token into the \
                 environment, without quotes, blanks or line breaks"
                    .to_owned(),
            ),
        }
    }

    /// The header's value.
    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// A repository as `owner/name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slug(String);

impl Slug {
    /// Reads `owner/name`.
    ///
    /// # Errors
    /// A lowercase fragment if it is none.
    pub fn new(text: &str) -> Result<Self, String> {
        let fit = |part: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            (1..=NAME).contains(&part.len())
                && part.chars().all(known)
                && part.chars().any(|c| c != '.')
        };
        match text.split_once('/') {
            Some((owner, name)) if fit(owner) && fit(name) => Ok(Self(text.to_owned())),
            Some(_) | None => Err(format!("{text:?} is no repository: write it as owner/name")),
        }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Slug {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The API's address: scheme, host and, for an Enterprise Server, a path such as `/api/v3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    text: String,
    /// Whether it is this machine's own, over plain HTTP.
    pub(super) in_clear: bool,
}

impl Base {
    /// Reads the address.
    ///
    /// # Errors
    /// A lowercase fragment if it is none, or if the token would leave this machine in clear.
    pub fn new(text: &str) -> Result<Self, String> {
        let no = |what: &str| Err(format!("the API's address {text:?} {what}"));
        let Ok(url) = url::Url::parse(text.trim()) else {
            return no("is no URL: write it as https://host or https://host/api/v3");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err("the API's address has a user or password in it: leave it out".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return no("has a query or a fragment: leave it out");
        }
        let in_clear = match (url.scheme(), url.host()) {
            ("https", Some(_)) => false,
            ("http", Some(host)) if is_here(&host) => true,
            ("http", Some(_)) => return no("would take the token in clear: use https"),
            (_, _) => return no("is neither http nor https"),
        };
        Ok(Self {
            text: url.as_str().trim_end_matches('/').to_owned(),
            in_clear,
        })
    }

    /// The text, without a slash at its end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether a host is this machine.
fn is_here(host: &url::Host<&str>) -> bool {
    match host {
        url::Host::Domain(name) => *name == "localhost",
        url::Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        url::Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

/// A problem with what was set.
#[must_use]
pub fn unset(what: impl Into<String>) -> Problem {
    Problem {
        place: "github".to_owned(),
        what: what.into(),
        about: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown_and_never_ends_a_header() {
        let token = Token::new(" ghp_secret\n").unwrap();
        assert!(!format!("{token:?}").contains("secret"));
        assert!(token.header().is_sensitive());
        assert!(!format!("{:?}", token.header()).contains("secret"));
        for broken in ["", " ", "a b", "a\nX-Other: 1", "tökén"] {
            let error = Token::new(broken).unwrap_err();
            assert!(error.contains("bare token"), "{error}");
        }
    }

    #[test]
    fn a_repository_is_two_plain_names() {
        assert!(Slug::new("org/private-trail_2.x").is_ok());
        let long = format!("o/{}", "n".repeat(101));
        for broken in [
            "", "org", "org/", "/x", "a/b/c", "a/..", "./b", "a/b?c", "a/b c", "a/b%2f", &long,
        ] {
            assert!(Slug::new(broken).is_err(), "{broken}");
        }
    }

    #[test]
    fn the_token_leaves_in_clear_only_to_this_machine() {
        let text = |api: &str| Base::new(api).map(|base| base.as_str().to_owned());
        assert_eq!(text("https://api.github.com/"), Ok(API.to_owned()));
        assert_eq!(
            text("https://ghe.example/api/v3/"),
            Ok("https://ghe.example/api/v3".to_owned())
        );
        for here in [
            "http://127.0.0.1:4000",
            "http://localhost:1",
            "http://[::1]:2",
        ] {
            assert!(Base::new(here).is_ok(), "{here}");
        }
        for (api, says) in [
            ("http://ghe.example/api/v3", "use https"),
            ("http://localhost.example", "use https"),
            ("http://192.0.2.1", "use https"),
            ("ftp://ghe.example", "neither"),
            ("api.github.com", "no URL"),
            ("https://ghe.example?x=1", "query"),
        ] {
            let error = Base::new(api).unwrap_err();
            assert!(error.contains(says), "{api}: {error}");
        }
        let error = Base::new("https://user:pw@ghe.example").unwrap_err();
        assert!(!error.contains("pw@"), "{error}");
    }
}
