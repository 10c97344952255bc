use super::*;

fn shown(text: &str) -> Result<String, String> {
    host_port(text)
        .map(|(host, port)| format!("{host} {port}"))
        .map_err(|mistake| mistake.message)
}

#[test]
fn hosts_and_ports_come_apart() {
    for (text, expected) in [
        ("db.example.com:5432", "db.example.com 5432"),
        ("DB.Example.COM.:1", "db.example.com 1"),
        ("_sip._tcp.example.com:65535", "_sip._tcp.example.com 65535"),
        ("192.0.2.1:22", "192.0.2.1 22"),
        ("[2001:DB8::1]:443", "[2001:db8::1] 443"),
        ("localhost:80", "localhost 80"),
        ("bücher.example:443", "xn--bcher-kva.example 443"),
        ("xn--bcher-kva.example:443", "xn--bcher-kva.example 443"),
        ("日本語。jp:443", "xn--wgv71a119e.jp 443"),
        ("１９２.0.2.1:22", "192.0.2.1 22"),
        ("1and1.com:80", "1and1.com 80"),
        ("4.example:80", "4.example 80"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
}

#[test]
fn what_is_not_host_and_port_is_refused() {
    let long = format!("{}.com:1", "a".repeat(64));
    let longer = format!("{}com:1", "abcdefg.".repeat(32));
    for (text, part) in [
        ("db.example.com", "lacks its port"),
        ("db.example.com:", "the port after `:` is missing"),
        ("db.example.com:0", "the port `0` cannot be connected to"),
        ("db.example.com:00", "cannot be connected to"),
        ("db.example.com:022", "the port `022` begins with a zero"),
        ("db.example.com:65536", "the port `65536` is too large"),
        ("db.example.com:99999999999999999999", "is too large"),
        ("db.example.com:ssh", "the port `ssh` is not a number"),
        ("db.example.com:+22", "is not a number"),
        ("db.example.com:-1", "is not a number"),
        ("db.example.com:0x16", "is not a number"),
        (":22", "the host is missing"),
        (".:22", "empty label"),
        ("a..b:22", "empty label"),
        ("a b:22", "white space"),
        (" a:22", "white space"),
        ("a\u{a0}b:22", "white space"),
        ("a\u{0}b:22", "control character"),
        ("2001:db8::1:443", "more than one colon"),
        ("2001:db8::1", "more than one colon"),
        ("a:b:1", "more than one colon"),
        ("[2001:db8::1]", "lacks its port"),
        ("[2001:db8::1]443", "is not `[address]:port`"),
        ("[2001:db8::1:443", "is not `[address]:port`"),
        ("[2001:db8::g]:443", "is not an IPv6 address"),
        ("[192.0.2.1]:443", "is not an IPv6 address"),
        ("[]:443", "is not an IPv6 address"),
        ("[fe80::1%eth0]:22", "has a zone"),
        ("[::ffff:192.0.2.1]:22", "in the clothes of IPv6"),
        ("[::]:22", "the unspecified address"),
        ("0.0.0.0:22", "the unspecified address"),
        ("255.255.255.255:22", "the broadcast address"),
        ("224.0.0.1:22", "a multicast address"),
        ("[ff02::1]:22", "a multicast address"),
        ("10.0.0.256:22", "looks like an IPv4 address"),
        ("010.0.0.1:22", "looks like an IPv4 address"),
        ("127.1:22", "looks like an IPv4 address"),
        ("2130706433:22", "looks like an IPv4 address"),
        ("0x7f.0.0.1:22", "looks like an IPv4 address"),
        ("127.0.0.0x1:22", "looks like an IPv4 address"),
        ("1.2.3.4.5:22", "looks like an IPv4 address"),
        ("example.123:22", "looks like an IPv4 address"),
        ("１２７.1:22", "looks like an IPv4 address"),
        ("1:30", "looks like an IPv4 address"),
        ("https://a:1", "is a URL"),
        ("ssh://a:1", "is a URL"),
        ("a/b:1", "`/` does not belong"),
        ("u@a:1", "`@` does not belong"),
        ("a%2e:1", "`%` does not belong"),
        ("*.a:1", "`*` does not belong"),
        ("a!b:1", "has `!` in it"),
        ("-a:1", "begins or ends with `-`"),
        ("a-.b:1", "begins or ends with `-`"),
        ("xn--\u{fc}:1", "not a valid internationalised name"),
        ("xn--0.com:1", "not a valid internationalised name"),
        (&long, "longer than 63"),
        (&longer, "longer than 253"),
    ] {
        let message = shown(text).unwrap_err();
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn an_address_without_brackets_is_shown_with_them() {
    let help = |text: &str| host_port(text).unwrap_err().help.unwrap();
    assert_eq!(help("2001:db8::1:443"), "write `[2001:db8::1]:443`");
    assert_eq!(help("2001:db8::1"), "put it in brackets: `[2001:db8::1]`");
    assert_eq!(
        help("2001:db8::abcd"),
        "put it in brackets: `[2001:db8::abcd]`"
    );
}

#[test]
fn a_host_alone_is_a_name_or_an_address() {
    let shown = |text: &str| host(text).map(|host| host.to_string());
    for (text, expected) in [
        ("Bücher.example.", "xn--bcher-kva.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8::1", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        ("::1", "[::1]"),
    ] {
        assert_eq!(shown(text).as_deref(), Ok(expected), "{text}");
    }
    for (text, part) in [
        ("a.example:80", "has a port"),
        ("192.0.2.1:80", "has a port"),
        ("[2001:db8::1]:80", "has a port"),
        ("a.example:", "has a port"),
        ("2001:db8::1::2", "more than one colon"),
        ("fe80::1%eth0", "has a zone"),
        ("[fe80::1%eth0]", "has a zone"),
        ("[2001:db8::1", "is not `[address]:port`"),
        ("https://a.example", "is not a host alone"),
        ("a.example/x", "is not a host alone"),
        ("root@a.example", "is not a host alone"),
        ("192.0.2.256", "looks like an IPv4 address"),
        ("ff02::1", "multicast"),
        ("::ffff:192.0.2.1", "in the clothes of IPv6"),
        ("a b", "white space"),
        ("", "the host is missing"),
    ] {
        let message = host(text).unwrap_err().message;
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn names_are_names_alone() {
    assert_eq!(
        name("Intranet.Example.com.").as_deref(),
        Ok("intranet.example.com")
    );
    for (text, part) in [
        ("https://a.example", "is not a name alone"),
        ("a.example/", "is not a name alone"),
        ("a.example:53", "has a port"),
        ("192.0.2.1", "is an address"),
        ("2001:db8::1", "is an address"),
        ("[2001:db8::1]", "is an address"),
        ("１９２.0.2.1", "is an address"),
        ("10.1", "looks like an IPv4 address"),
    ] {
        let message = name(text).unwrap_err().message;
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn resolvers_are_addresses() {
    for (text, expected) in [
        ("1.1.1.1", "1.1.1.1:53"),
        ("127.0.0.1:5353", "127.0.0.1:5353"),
        ("2606:4700:4700::1111", "[2606:4700:4700::1111]:53"),
        ("[::1]:5353", "[::1]:5353"),
        ("[::1]", "[::1]:53"),
    ] {
        assert_eq!(
            resolver(text).map(|a| a.to_string()).as_deref(),
            Ok(expected)
        );
    }
    for text in [
        "dns.example",
        "1.1.1.1:0",
        "1.1.1",
        "0.0.0.0",
        "::",
        "1.1.1.1:53:53",
        "",
    ] {
        assert!(resolver(text).is_err(), "{text}");
    }
}

#[test]
fn urls_are_brought_into_their_normal_form() {
    for (text, normal, host, port, path, authority) in [
        (
            "https://a.example",
            "https://a.example/",
            "a.example",
            443,
            "/",
            "a.example",
        ),
        (
            "HTTP://A.Example:80/x",
            "http://a.example/x",
            "a.example",
            80,
            "/x",
            "a.example",
        ),
        (
            "http://a.example:443/",
            "http://a.example:443/",
            "a.example",
            443,
            "/",
            "a.example:443",
        ),
        (
            "https://a.example./",
            "https://a.example/",
            "a.example",
            443,
            "/",
            "a.example",
        ),
        ("https://[2001:db8::1]:8443/?q=ä b", "", "", 0, "", ""),
        (
            "https://[2001:DB8::1]:8443/ü?q=ä",
            "https://[2001:db8::1]:8443/%C3%BC?q=%C3%A4",
            "[2001:db8::1]",
            8443,
            "/%C3%BC?q=%C3%A4",
            "[2001:db8::1]:8443",
        ),
        (
            "https://bücher.example?x",
            "https://xn--bcher-kva.example/?x",
            "xn--bcher-kva.example",
            443,
            "/?x",
            "xn--bcher-kva.example",
        ),
    ] {
        let parsed = url(text);
        if normal.is_empty() {
            assert!(parsed.is_err(), "{text}");
            continue;
        }
        let parsed = parsed.unwrap();
        assert_eq!(parsed.text, normal);
        assert_eq!(parsed.host.to_string(), host);
        assert_eq!(parsed.port, port);
        assert_eq!(parsed.path, path);
        assert_eq!(parsed.authority, authority);
        assert_eq!(parsed.https, normal.starts_with("https:"));
    }
}

#[test]
fn what_is_not_a_plain_web_address_is_refused() {
    for (text, part) in [
        ("a.example/login", "has no scheme"),
        ("ftp://a.example/", "the scheme `ftp` is not known"),
        ("https:/a.example", "has no scheme"),
        ("https://", "the host is missing"),
        ("https:///a.example", "the host is missing"),
        ("https://user:secret@a.example/", "credentials"),
        ("https://a.example/#/login", "fragment"),
        ("https://a.example\\b", "backslashes"),
        ("https://a.example:/", "the port after `:` is missing"),
        ("https://a.example:0/", "cannot be connected to"),
        ("https://a.example:99999/", "is too large"),
        ("https://2001:db8::1/", "more than one colon"),
        ("https://127.1/", "looks like an IPv4 address"),
        ("https://010.0.0.1/", "looks like an IPv4 address"),
        ("https://%61.example/", "`%` does not belong"),
        ("https://a.ex\tample/", "white space"),
        ("https://a.example/a b", "white space"),
    ] {
        let message = url(text).unwrap_err().message;
        assert!(message.contains(part), "{text}: {message}");
    }
}

#[test]
fn credentials_are_not_repeated() {
    let mistake = url("https://user:secret@a.example/").unwrap_err();
    assert!(!format!("{mistake:?}").contains("secret"));
}
