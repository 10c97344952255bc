//! Zones with name servers of their own, and an echo that says who asks. The same BIND as in
//! `zones.rs`, with more views.

use std::fmt::Write as _;

use crate::lab::{DIR, Lab};

/// The two servers of `child.lab.example` over IPv4. Over IPv6 they are `2001:db8:5::61` and `::62`.
pub const FIRST: &str = "198.51.100.61";
pub const SECOND: &str = "198.51.100.62";
/// Named as a server of `refusing.lab.example`, and answers REFUSED to everything.
pub const REFUSING: &str = "198.51.100.63";
/// Answers `whoami.echo.example` with the address of who asks, A, AAAA and TXT.
pub const ECHO: &str = "198.51.100.65";
/// The same over IPv6.
pub const ECHO_6: &str = "2001:db8:5::65";

/// What `lab.example` has more than addresses, and its delegations.
pub const RECORDS: &str = r#"
text      TXT   "v=secret token"
hostile   TXT   "\027[31m::error::\226\128\174evil"
mail      MX    10 mx
numbered  TYPE4711 \# 3 dead00
texts     CNAME text
lost      CNAME nobody.lab.example.
unlucky   CNAME nodata
*.wild    A     203.0.113.81
*.wild    TXT   "anything"
shut.wild HINFO "a name" "without addresses"
child     NS    ns1.child
child     NS    ns2.child
ns1.child A     198.51.100.61
ns1.child AAAA  2001:db8:5::61
ns2.child A     198.51.100.62
ns2.child AAAA  2001:db8:5::62
refusing  NS    ns1.child
refusing  NS    ns3
ns3       A     198.51.100.63
lame      NS    ns1.child
lame      NS    ns
mute      NS    ns1.child
mute      NS    ns5
ns5       A     192.0.2.98
homeless  NS    ns1.child
homeless  NS    ns6
"#;

/// Begins `child.lab.example` and its sisters.
const CHILD: &str = "$TTL 1
@ SOA ns1.child.lab.example. root.lab.example. 1 60 60 60 1
";

const CHILD_RECORDS: &str = r#"
@         NS    ns1
@         NS    ns2
ns1       A     198.51.100.61
ns1       AAAA  2001:db8:5::61
ns2       A     198.51.100.62
ns2       AAAA  2001:db8:5::62
public    A     20.1.2.30
secret    TXT   "key=1"
out       CNAME dual.lab.example.
nowhere   CNAME nope.lab.example.
"#;

/// Writes the zones, and returns the views.
pub fn write(lab: &Lab) -> String {
    let child = format!("{CHILD}{CHILD_RECORDS}");
    lab.write("child1.zone", &child);
    // One of the two knows a name that the other does not.
    lab.write("child2.zone", child + "late A 20.1.2.31\n");
    // Both names below belong to servers elsewhere.
    let sister = |other: &str| format!("{CHILD}@ NS ns1.child.lab.example.\n@ NS {other}\n");
    for (name, other) in [
        ("refusing", "ns3.lab.example."),
        ("lame", "ns.lab.example."),
        ("mute", "ns5.lab.example."),
        ("homeless", "ns6.lab.example."),
    ] {
        lab.write(&format!("{name}.zone"), sister(other));
    }
    let zone = |name: &str, file: &str| {
        format!("zone \"{name}\" {{ type primary; file \"{DIR}/{file}.zone\"; }};\n")
    };
    let view = |name: &str, at: &str, zones: &str| {
        format!("view \"{name}\" {{ match-destinations {{ {at} }}; recursion no;\n{zones}}};\n")
    };
    let sisters = ["refusing", "lame", "mute", "homeless"]
        .map(|name| zone(&format!("{name}.lab.example"), name))
        .concat();
    let first = zone("child.lab.example", "child1") + &sisters + &zone("yard.example", "yard");
    let second = zone("child.lab.example", "child2");
    [
        view("first", &format!("{FIRST}; 2001:db8:5::61;"), &first),
        view("second", &format!("{SECOND}; 2001:db8:5::62;"), &second),
        view("refusing", &format!("{REFUSING};"), ""),
        echo(lab),
    ]
    .concat()
}

/// One view for each address that somebody may ask from: BIND tells them apart by itself.
fn echo(lab: &Lab) -> String {
    let mut views = String::new();
    for (number, (from, record)) in [
        ("198.18.1.2", "A"),
        ("2001:db8:1::2", "AAAA"),
        // The router, where it puts its own address in place of the runner's.
        ("198.18.2.1", "A"),
        ("2001:db8:2::1", "AAAA"),
    ]
    .into_iter()
    .enumerate()
    {
        let file = format!("echo{number}.zone");
        let text = format!("{CHILD}@ NS ns\nns A {ECHO}\nwhoami {record} {from}\n");
        lab.write(&file, format!("{text}whoami TXT \"you are {from}\"\n"));
        let _ = write!(
            views,
            "view \"echo{number}\" {{
              match-clients {{ {from}; }};
              match-destinations {{ {ECHO}; {ECHO_6}; }};
              recursion no;
              zone \"echo.example\" {{ type primary; file \"{DIR}/{file}\"; }};
            }};\n"
        );
    }
    views
}
