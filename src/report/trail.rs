//! What an incident's trail says about a finding: its headline, its evidence, what is exposed, and
//! shell commands with which a person sees the same.
//!
//! The commands are made of addresses and of what the configuration declares, never of what a server
//! sent, and every word is quoted for a POSIX shell where it has to be.

use std::fmt::Write as _;

use super::door::{Door, Over};
use super::facts;
use super::headline;
use super::phrase::Phrase;
use super::saw;
use crate::domain::endpoint::Family;
use crate::domain::finding::{EndpointReport, Finding};
use crate::domain::reach::Reach;
use crate::domain::verdict::Verdict;

/// How many commands are shown.
const COMMANDS: usize = 6;

/// What was seen, in one line of Markdown.
#[must_use]
pub fn headline(finding: &Finding) -> String {
    headline::finding(finding).markdown()
}

/// The evidence as a table in Markdown. Where the target is declared is not in it.
#[must_use]
pub fn evidence(finding: &Finding) -> String {
    let mut out = String::new();
    for fact in facts::of(finding) {
        if fact.label == facts::DECLARED {
            continue;
        }
        let lines: Vec<String> = fact.lines.iter().map(Phrase::markdown).collect();
        let head = out.is_empty();
        let _ = writeln!(out, "| {} | {} |", fact.label, lines.join("<br>"));
        // Markdown wants a head for every table: the first fact is it.
        if head {
            out.push_str("| :--- | :--- |\n");
        }
    }
    out
}

/// What is exposed, place by place, and what was seen there: the rung, the status, the certificate.
/// The second stays the same as long as those do.
#[must_use]
pub fn exposed(finding: &Finding) -> Vec<(String, String)> {
    let endpoints = exposed_endpoints(finding).map(|endpoint| {
        let over = Over::of(&endpoint.endpoint, &finding.target.kind);
        let place = format!("{over} {}", saw::place(&endpoint.endpoint));
        (place, mark(endpoint))
    });
    let names = finding.name_verdicts.iter();
    let names = names.filter(|n| n.verdict == Verdict::Exposed).map(|n| {
        let reach = n.reach.map(Reach::as_str).unwrap_or_default();
        (format!("name {}", finding.target.address), reach.to_owned())
    });
    endpoints.chain(names).collect()
}

fn exposed_endpoints(finding: &Finding) -> impl Iterator<Item = &EndpointReport> {
    let counted = finding.counted();
    counted.filter(|e| e.verdict == Verdict::Exposed)
}

fn mark(endpoint: &EndpointReport) -> String {
    let reach = endpoint.reach.map(Reach::as_str);
    let mut mark = reach.unwrap_or_default().to_owned();
    let told = saw::telling(endpoint).and_then(|attempt| attempt.evidence.as_deref());
    let Some(told) = told else { return mark };
    if let Some(http) = &told.http {
        let _ = write!(mark, " status {}", http.status);
    }
    let tls = told.tls.as_ref();
    if let Some(certificate) = tls.and_then(|tls| tls.certificate.as_ref()) {
        let _ = write!(mark, " certificate {}", certificate.sha256);
    }
    mark
}

/// Commands for the exposed endpoints and names, a few at most.
#[must_use]
pub fn reproduce(finding: &Finding) -> Vec<String> {
    let target = &finding.target;
    if finding.withheld {
        return Vec::new();
    }
    if target.kind == "dns" {
        return digs(finding);
    }
    let mut out: Vec<String> = Vec::new();
    for endpoint in exposed_endpoints(finding) {
        let line = command(finding, endpoint);
        if out.len() < COMMANDS
            && let Some(line) = line.filter(|line| !out.contains(line))
        {
            out.push(line);
        }
    }
    out
}

fn command(finding: &Finding, endpoint: &EndpointReport) -> Option<String> {
    let target = &finding.target;
    let address = endpoint.endpoint.address.to_string();
    // At the barrier dns the address itself is the exposure, and nothing was connected to.
    if endpoint.attempts.is_empty() {
        return digs(finding).into_iter().next();
    }
    let over = Door::of(finding, &endpoint.endpoint).over;
    let port = endpoint.endpoint.port.map(|port| port.to_string());
    let words: Vec<&str> = match (over, target.kind.as_str()) {
        (Over::Tcp, "url") => return curl(&[], &target.address, endpoint),
        (Over::Quic, "url") => return curl(&["--http3-only"], &target.address, endpoint),
        (Over::Quic, _) => {
            let url = format!("https://{}/", target.address);
            return curl(&["--http3-only"], &url, endpoint);
        }
        (Over::Tcp, _) => vec!["nc", "-vz", "-w", "5", &address, port.as_deref()?],
        (Over::Udp, _) => vec!["nc", "-vzu", "-w", "5", &address, port.as_deref()?],
        (Over::Icmp, _) => vec!["ping", "-c", "3", &address],
    };
    Some(line(&words))
}

/// Asks the very address: `--resolve` keeps the name in TLS and HTTP. The certificate is not judged,
/// because an outsider can click away a warning.
fn curl(options: &[&str], text: &str, endpoint: &EndpointReport) -> Option<String> {
    let url = url::Url::parse(text).ok()?;
    let mut words = vec!["curl", "-sv", "-o", "/dev/null", "--max-time", "10"];
    words.extend(options);
    if url.scheme() == "https" {
        words.push("-k");
    }
    let resolve;
    if let Some(url::Host::Domain(name)) = url.host() {
        let address = match Family::of(endpoint.endpoint.address) {
            Family::Ipv4 => endpoint.endpoint.address.to_string(),
            Family::Ipv6 => format!("[{}]", endpoint.endpoint.address),
        };
        resolve = format!("{name}:{}:{address}", url.port_or_known_default()?);
        words.extend(["--resolve", &resolve]);
    }
    words.push(text);
    Some(line(&words))
}

/// A question for each type of record that was asked for.
fn digs(finding: &Finding) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for query in finding.name.iter().flat_map(|name| &name.queries) {
        let name = finding.name.as_ref().map(|name| name.name.as_str());
        let line = line(&["dig", name.unwrap_or_default(), &query.record]);
        if out.len() < COMMANDS && !out.contains(&line) {
            out.push(line);
        }
    }
    out
}

fn line(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

/// A word for a POSIX shell. A name from the configuration may begin with a dash; none that resolves
/// does, and a shell is not harmed by it.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_one_word_and_nothing_else() {
        assert_eq!(quoted("192.0.2.1"), "192.0.2.1");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("a b"), "'a b'");
        for evil in [
            "$(id)", "`id`", "a;id", "a'b", "a\"b", "a\nb", "*", "[::1]", "~", "#x",
        ] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", quoted(evil))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), evil);
        }
    }
}
