//! Hosts, ports and URLs out of text, strictly.
//!
//! The url crate follows browsers and forgives much: `127.1` and `010.0.0.1` become other addresses,
//! tabs vanish. A target must be the one that was written, so the text is taken apart here and the
//! crate only brings path and query into their normal form.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use idna::AsciiDenyList;

use super::mistake::{Mistake, quoted};
use super::slip;
use crate::domain::target::{Host, Url};

/// The port of DNS, RFC 1035 4.2.
const DNS_PORT: u16 = 53;

/// Reads `host:port`.
pub fn host_port(text: &str) -> Result<(Host, u16), Mistake> {
    clean(text)?;
    if let Some((scheme, _)) = text.split_once("://") {
        let help = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => "a web address goes under `url:`",
            _ => "write `host:port` alone",
        };
        return Err(Mistake::new(format!("{} is a URL", quoted(text))).help(help));
    }
    if let Some(character) = text.chars().find(|c| "/?#@".contains(*c)) {
        return Err(
            Mistake::new(format!("`{character}` does not belong in {}", quoted(text)))
                .help(slip::slash(text)),
        );
    }
    let (host, port) = split(text)?;
    let port = port.ok_or_else(|| {
        Mistake::new(format!("{} lacks its port", quoted(text)))
            .help(format!("write `{host}:PORT`"))
    })?;
    Ok((parse_host(host)?, parse_port(port)?))
}

/// What stands for every port.
const EVERY: &str = ":*";

/// Reads `host:port` or, for every port, `host:*`: the port is none then.
pub fn host_ports(text: &str) -> Result<(Host, Option<u16>), Mistake> {
    match text.strip_suffix(EVERY) {
        // Any port will do for what is wrong with the host.
        Some(host) => host_port(&format!("{host}:1")).map(|(host, _)| (host, None)),
        None => host_port(text).map(|(host, port)| (host, Some(port))),
    }
}

/// Reads a host alone: a name or an address, which needs no brackets where no port follows.
pub fn host(text: &str) -> Result<Host, Mistake> {
    clean(text)?;
    if text.contains("://") || text.contains(['/', '?', '#', '@']) {
        return Err(
            Mistake::new(format!("{} is not a host alone", quoted(text)))
                .help("write a name or an address, without scheme, port and path"),
        );
    }
    if let Ok(address) = text.parse::<Ipv6Addr>() {
        return literal(address.into()).map(Host::Address);
    }
    if text.contains('%') {
        return Err(zone(text));
    }
    let (host, port) = split(text)?;
    if port.is_some() {
        return Err(
            Mistake::new(format!("{} has a port, and ICMP has none", quoted(text))).help(format!(
                "write `{host}` alone; a port is watched with `tcp:` or `udp:`"
            )),
        );
    }
    parse_host(host)
}

/// Reads a DNS name.
pub fn name(text: &str) -> Result<String, Mistake> {
    clean(text)?;
    if text.contains("://") || text.contains('/') {
        return Err(
            Mistake::new(format!("{} is not a name alone", quoted(text)))
                .help("write the host name without scheme and path"),
        );
    }
    if text.parse::<IpAddr>().is_ok() || text.starts_with('[') {
        return Err(
            Mistake::new(format!("{} is an address, not a name", quoted(text)))
                .help("an address needs no resolving; watch one of its ports with `tcp:`"),
        );
    }
    if text.contains(':') {
        return Err(Mistake::new(format!("{} has a port", quoted(text)))
            .help("a `dns` target is the name alone; watch a port with `tcp:`"));
    }
    match parse_host(text)? {
        Host::Name(name) => Ok(name),
        Host::Address(_) => Err(Mistake::new(format!(
            "{} is an address, not a name",
            quoted(text)
        ))),
    }
}

/// Reads the address of a resolver, with port 53 where none is given.
pub fn resolver(text: &str) -> Result<SocketAddr, Mistake> {
    clean(text)?;
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(SocketAddr::new(literal(address)?, DNS_PORT));
    }
    let wrong = |_| {
        Mistake::new(format!("{} is not the address of a resolver", quoted(text)))
            .help("write an IP address, such as `1.1.1.1`, `1.1.1.1:5353` or `[2001:db8::1]:53`")
    };
    let (host, port) = split(text).map_err(wrong)?;
    let host = parse_host(host).map_err(wrong)?;
    let port = port.map_or(Ok(DNS_PORT), parse_port)?;
    match host {
        Host::Address(address) => Ok(SocketAddr::new(address, port)),
        Host::Name(_) => Err(wrong(Mistake::new(""))),
    }
}

/// Reads an `http` or `https` address.
pub fn url(text: &str) -> Result<Url, Mistake> {
    clean(text)?;
    let (scheme, rest) = text.split_once("://").ok_or_else(|| {
        Mistake::new(format!("{} has no scheme", quoted(text)))
            .help(format!("write `https://{text}`"))
    })?;
    let scheme = scheme.to_ascii_lowercase();
    let (https, default_port) = match scheme.as_str() {
        "https" => (true, 443),
        "http" => (false, 80),
        _ => {
            return Err(
                Mistake::new(format!("the scheme {} is not known", quoted(&scheme)))
                    .help("allowed are `https` and `http`; any other TCP port goes under `tcp:`"),
            );
        }
    };
    if rest.contains('\\') {
        return Err(Mistake::new("a URL has no backslashes").help("write `/`"));
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err(Mistake::new("a URL with credentials in it is refused")
            .help("remove what stands before `@`: an outsider has no credentials"));
    }
    if tail.contains('#') {
        return Err(Mistake::new("a URL with a fragment is refused")
            .help("remove `#` and what follows: it is never sent to the server"));
    }
    let (host, port) = split(authority)?;
    let host = parse_host(host)?;
    let port = port.map_or(Ok(default_port), parse_port)?;
    let authority = if port == default_port {
        host.to_string()
    } else {
        format!("{host}:{port}")
    };
    let parsed = url::Url::parse(&format!("{scheme}://{authority}{tail}"))
        .map_err(|error| Mistake::new(format!("{} is not a URL: {error}", quoted(text))))?;
    let path = match parsed.query() {
        Some(query) => format!("{}?{query}", parsed.path()),
        None => parsed.path().to_owned(),
    };
    Ok(Url {
        text: parsed.as_str().to_owned(),
        https,
        host,
        port,
        path,
        authority,
    })
}

/// Refuses what is in no host, port or URL.
fn clean(text: &str) -> Result<(), Mistake> {
    match text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        Some(_) => Err(Mistake::new(format!(
            "{} has white space or a control character in it",
            quoted(text)
        ))),
        None => Ok(()),
    }
}

/// Takes `host`, `host:port` or `[v6]:port` apart. The brackets stay with the host.
fn split(text: &str) -> Result<(&str, Option<&str>), Mistake> {
    if text.starts_with('[') {
        let wrong = || {
            Mistake::new(format!("{} is not `[address]:port`", quoted(text)))
                .help("an IPv6 address goes in brackets, such as `[2001:db8::1]:443`")
        };
        let (_, behind) = text.rsplit_once(']').ok_or_else(wrong)?;
        let host = text.strip_suffix(behind).ok_or_else(wrong)?;
        return match behind.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if behind.is_empty() => Ok((host, None)),
            None => Err(wrong()),
        };
    }
    match text.rsplit_once(':') {
        None => Ok((text, None)),
        Some((host, port)) if !host.contains(':') => Ok((host, Some(port))),
        Some((host, port)) => {
            let help = if host.parse::<Ipv6Addr>().is_ok() && parse_port(port).is_ok() {
                format!("write `[{host}]:{port}`")
            } else if text.parse::<Ipv6Addr>().is_ok() {
                format!("put it in brackets: `[{text}]`")
            } else {
                "an IPv6 address goes in brackets, such as `[2001:db8::1]:443`".to_owned()
            };
            Err(Mistake::new(format!(
                "{} has more than one colon, and no brackets around an IPv6 address",
                quoted(text)
            ))
            .help(help))
        }
    }
}

/// Reads a port in plain decimal: `022` would be 18 to some readers.
fn parse_port(text: &str) -> Result<u16, Mistake> {
    let wrong = |why: &str| {
        Mistake::new(format!("the port {} {why}", quoted(text)))
            .help("a port is a number from 1 to 65535")
    };
    if text.is_empty() {
        return Err(Mistake::new("the port after `:` is missing")
            .help("a port is a number from 1 to 65535"));
    }
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(wrong("is not a number").help(slip::port(text)));
    }
    if text.bytes().all(|b| b == b'0') {
        return Err(wrong("cannot be connected to"));
    }
    if text.starts_with('0') {
        let help = format!("write `{}`", text.trim_start_matches('0'));
        return Err(wrong("begins with a zero").help(help));
    }
    text.parse().map_err(|_| wrong("is too large"))
}

/// Reads a host: a name, an IPv4 address, or an IPv6 address in brackets.
fn parse_host(text: &str) -> Result<Host, Mistake> {
    if let Some(inside) = text.strip_prefix('[') {
        let inside = inside.strip_suffix(']').unwrap_or(inside);
        if inside.contains('%') {
            return Err(zone(text));
        }
        let address: Ipv6Addr = inside
            .parse()
            .map_err(|_| Mistake::new(format!("{} is not an IPv6 address", quoted(inside))))?;
        return literal(address.into()).map(Host::Address);
    }
    if text.is_empty() {
        return Err(Mistake::new("the host is missing"));
    }
    if let Some(character) = text.chars().find(|c| "%[]*,;\"'<>".contains(*c)) {
        let mistake = Mistake::new(format!(
            "`{character}` does not belong in the host {}",
            quoted(text)
        ));
        return Err(mistake.helped(slip::host(text)));
    }
    // Also maps other scripts' dots and digits, so what follows sees what the resolver would see.
    let ascii = idna::domain_to_ascii_cow(text.as_bytes(), AsciiDenyList::EMPTY).map_err(|_| {
        Mistake::new(format!(
            "{} is not a valid internationalised name",
            quoted(text)
        ))
    })?;
    let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
    if looks_numeric(ascii) {
        let address: Ipv4Addr = ascii.parse().map_err(|_| {
            Mistake::new(format!(
                "{} looks like an IPv4 address and is none",
                quoted(text)
            ))
            .help("write four numbers from 0 to 255 without leading zeros, such as `192.0.2.1`")
        })?;
        return literal(address.into()).map(Host::Address);
    }
    labels(ascii).map(|()| Host::Name(ascii.to_owned()))
}

fn zone(text: &str) -> Mistake {
    Mistake::new(format!("{} has a zone", quoted(text)))
        .help("a zone means something on one machine only; remove `%` and what follows")
}

/// Whether the last label is a number, so that the whole cannot be a name (WHATWG URL, "ends in a
/// number").
fn looks_numeric(ascii: &str) -> bool {
    let last = ascii.rsplit('.').next().unwrap_or_default();
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
    hexadecimal || (!last.is_empty() && last.bytes().all(|b| b.is_ascii_digit()))
}

/// Checks a name in ASCII: RFC 1035 2.3.4 for the lengths, RFC 1123 2.1 for the characters, and
/// underscores, which many names in use have.
fn labels(ascii: &str) -> Result<(), Mistake> {
    if ascii.len() > 253 {
        return Err(Mistake::new("the name is longer than 253 characters"));
    }
    for label in ascii.split('.') {
        let wrong = |why: &str| Mistake::new(format!("the label {} {why}", quoted(label)));
        if label.is_empty() {
            return Err(
                Mistake::new(format!("{} has an empty label", quoted(ascii)))
                    .help("two dots stand side by side, or one stands alone"),
            );
        }
        if label.len() > 63 {
            return Err(wrong("is longer than 63 characters"));
        }
        if let Some(character) = label
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_'))
        {
            return Err(
                wrong(&format!("has {} in it", quoted(&character.to_string())))
                    .help("a name is made of letters, digits, `-` and `_`")
                    .helped(slip::host(label)),
            );
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(wrong("begins or ends with `-`"));
        }
    }
    Ok(())
}

/// Refuses addresses that are never one host's.
fn literal(address: IpAddr) -> Result<IpAddr, Mistake> {
    let wrong = |what: &str| Mistake::new(format!("`{address}` is {what}, not one host's address"));
    if address.is_unspecified() {
        return Err(wrong("the unspecified address"));
    }
    if address.is_multicast() {
        return Err(wrong("a multicast address"));
    }
    match address {
        IpAddr::V4(v4) if v4.is_broadcast() => Err(wrong("the broadcast address")),
        IpAddr::V4(_) => Ok(address),
        // Spoken to over IPv4, though it is written as IPv6: which family was meant?
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => Err(Mistake::new(format!(
                "`{address}` is an IPv4 address in the clothes of IPv6"
            ))
            .help(format!("write `{v4}`"))),
            None => Ok(address),
        },
    }
}

#[cfg(test)]
mod tests;
