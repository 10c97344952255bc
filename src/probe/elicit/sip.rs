//! SIP OPTIONS (RFC 3261 section 11): what can you do? It rings nowhere.
//!
//! `Max-Forwards: 0` keeps a proxy from asking somebody else (section 16.3). The answer goes to where
//! the question came from (`rport`, RFC 3581); a server without that extension answers to the port
//! in `Via`, which is ours unless a translator changed it.

use std::net::IpAddr;

use super::{Asking, Elicitor};

pub(super) const ELICITOR: Elicitor = Elicitor {
    source: "RFC 3261 sections 11 and 16.3",
    expects: "any final response with our branch",
    bound: 1024,
    build,
    read,
};

/// Lines looked at for the server's name.
const LINES: usize = 64;

/// Unique, and beginning as section 8.1.1.7 asks.
fn branch(asking: &Asking) -> String {
    format!("z9hG4bK{}", asking.hex(32))
}

fn build(asking: &Asking, _sent: u32) -> Vec<u8> {
    let host = match asking.target {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("[{v6}]"),
    };
    let (branch, port, token) = (branch(asking), asking.port, asking.hex(16));
    format!(
        "OPTIONS sip:{host} SIP/2.0\r\n\
         Via: SIP/2.0/UDP noentry.invalid:{port};branch={branch};rport\r\n\
         Max-Forwards: 0\r\n\
         From: <sip:noentry@noentry.invalid>;tag={token}\r\n\
         To: <sip:{host}>\r\n\
         Call-ID: {token}@noentry.invalid\r\n\
         CSeq: 1 OPTIONS\r\n\
         Accept: application/sdp\r\n\
         User-Agent: noentry\r\n\
         Content-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

fn read(asking: &Asking, answer: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(answer);
    let mut lines = text.split("\r\n").take(LINES);
    let status = lines.next()?.strip_prefix("SIP/2.0 ")?;
    let code = status.get(..3)?;
    if !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (mut ours, mut server) = (false, None);
    for line in lines.take_while(|line| !line.is_empty()) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        match name.trim().to_ascii_lowercase().as_str() {
            // Or the short form (section 7.3.3).
            "via" | "v" => ours |= value.contains(&branch(asking)),
            "server" | "user-agent" => server = server.or(Some(value.trim())),
            _ => {}
        }
    }
    ours.then(|| match server {
        Some(server) => format!("{status}, {server}"),
        None => status.to_owned(),
    })
}
