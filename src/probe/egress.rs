//! Learning the address that the outside sees us come from, from a page that says it.
//!
//! The page is asked over one family at addresses that the round's own resolvers gave, without a
//! proxy, and the certificate is checked as browsers check it: a middlebox must not tell us who we
//! are. The first thing in the text that parses as an address of that family is taken.
//!
//! Limits: five seconds, 4 KiB of text, three redirects, none of them to another host or from `https`
//! to `http`. What the page sent never leaves here but as an address.

use std::error::Error;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder};
use rustls::crypto::ring;
use thiserror::Error;
use tokio::time::timeout;

use crate::domain::endpoint::Family;
use crate::domain::target::{Host, Url};

use super::text::printable;

/// How long an echo may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How much of the page is read.
const LONGEST: usize = 4_096;

/// How many redirects are followed.
const REDIRECTS: usize = 3;

/// How many characters of an error are kept.
const LONGEST_ERROR: usize = 200;

/// Why a page did not tell our address.
#[derive(Debug, Error)]
pub enum EchoError {
    /// The other side's fault, or the network's: nothing within [`PATIENCE`].
    #[error("no answer within {} s", PATIENCE.as_secs())]
    TimedOut,
    /// The page is not there for us.
    #[error("answered {0}")]
    Status(u16),
    /// The page says something else.
    #[error("no {0} address in the answer")]
    NoAddress(Family),
    /// It could not be asked. The text is escaped.
    #[error("{0}")]
    Http(String),
}

impl From<reqwest::Error> for EchoError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() {
            return Self::TimedOut;
        }
        // The URL is in the report beside this, and after a redirect it is the server's choice.
        let error = error.without_url();
        let mut said = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            said = format!("{said}: {cause}");
            source = cause.source();
        }
        Self::Http(printable(said.as_bytes(), LONGEST_ERROR))
    }
}

/// What the redirects of one echo may not do.
#[derive(Debug)]
struct Astray(&'static str);

impl fmt::Display for Astray {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Error for Astray {}

/// Asks the page over one family. `addresses` are those of the URL's host in that family.
///
/// # Errors
/// Whatever kept it from telling an address.
pub async fn ask(url: &Url, family: Family, addresses: &[IpAddr]) -> Result<IpAddr, EchoError> {
    timeout(PATIENCE, fetch(url, family, addresses))
        .await
        .unwrap_or(Err(EchoError::TimedOut))
}

async fn fetch(url: &Url, family: Family, addresses: &[IpAddr]) -> Result<IpAddr, EchoError> {
    let client = client(url, addresses)?;
    let mut response = client.get(&url.text).send().await?;
    if !response.status().is_success() {
        return Err(EchoError::Status(response.status().as_u16()));
    }
    let mut body = Vec::new();
    while body.len() < LONGEST
        && let Some(chunk) = response.chunk().await?
    {
        body.extend_from_slice(&chunk);
    }
    body.truncate(LONGEST);
    let text = String::from_utf8_lossy(&body);
    address_in(&text, Some(family)).ok_or(EchoError::NoAddress(family))
}

fn client(url: &Url, addresses: &[IpAddr]) -> Result<Client, EchoError> {
    // reqwest brings no provider of its own and takes the process's. Whoever comes second finds it
    // there, which is just as well.
    let _ = ring::default_provider().install_default();
    let built = builder(url, addresses).build();
    if url.https {
        return Ok(built?);
    }
    // A machine without a certificate store can still speak plain HTTP.
    let without_store = || builder(url, addresses).tls_certs_only([]).build();
    Ok(built.or_else(|_| without_store())?)
}

fn builder(url: &Url, addresses: &[IpAddr]) -> ClientBuilder {
    let mut builder = Client::builder()
        .user_agent(concat!("noentry/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .referer(false)
        .timeout(PATIENCE)
        .redirect(Policy::custom(redirected));
    if let Host::Name(name) = &url.host {
        // The URL's own port is used, whatever stands here.
        let places: Vec<_> = addresses.iter().map(|a| SocketAddr::new(*a, 0)).collect();
        builder = builder.resolve_to_addrs(name, &places);
    }
    builder
}

fn redirected(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let Some(first) = attempt.previous().first() else {
        return attempt.follow();
    };
    let downgraded = first.scheme() == "https" && attempt.url().scheme() != "https";
    if attempt.previous().len() > REDIRECTS {
        attempt.error(Astray("redirected too often"))
    } else if attempt.url().host_str() != first.host_str() {
        attempt.error(Astray("redirected to another host"))
    } else if downgraded {
        attempt.error(Astray("redirected from https to http"))
    } else {
        attempt.follow()
    }
}

/// The first thing in a text that is an address, of the family where one is wanted. An IPv4-mapped
/// IPv6 address is the IPv4 address that it stands for. What has a prefix length (`192.0.2.0/24`) is
/// a network and not an address.
#[must_use]
pub fn address_in(text: &str, family: Option<Family>) -> Option<IpAddr> {
    text.split(|c: char| c.is_whitespace() || "\"'`<>()[]{}=,;".contains(c))
        .filter_map(|word| word.parse::<IpAddr>().ok())
        .map(|address| address.to_canonical())
        .find(|address| family.is_none_or(|family| Family::of(*address) == family))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_address_of_the_family_is_found_in_whatever_surrounds_it() {
        for (text, four, six) in [
            ("192.0.2.7\n", Some("192.0.2.7"), None),
            ("2001:db8::7", None, Some("2001:db8::7")),
            ("{\"ip\":\"192.0.2.7\"}", Some("192.0.2.7"), None),
            ("{'ip': '2001:db8::7', 'v': '4'}", None, Some("2001:db8::7")),
            (
                "fl=1\nip=192.0.2.7\nts=1.2\n2001:db8::1",
                Some("192.0.2.7"),
                Some("2001:db8::1"),
            ),
            (
                "<body>Current IP Address: 192.0.2.7</body>",
                Some("192.0.2.7"),
                None,
            ),
            ("::ffff:192.0.2.7", Some("192.0.2.7"), None),
            ("edns0-client-subnet 192.0.2.0/24", None, None),
            ("192.0.2.256 1.2.3 12:30:00 noentry", None, None),
            ("", None, None),
        ] {
            let parse = |text: Option<&str>| text.map(|text| text.parse::<IpAddr>().unwrap());
            assert_eq!(address_in(text, Some(Family::Ipv4)), parse(four), "{text}");
            assert_eq!(address_in(text, Some(Family::Ipv6)), parse(six), "{text}");
            assert_eq!(address_in(text, None), parse(four.or(six)), "{text}");
        }
    }
}
