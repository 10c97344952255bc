//! What the seven resolvers of the laboratory say. One BIND, one view for each of its addresses.

use std::fmt::Write as _;

use crate::authorities;
use crate::lab::{DIR, Lab};

/// Tells the truth; recursive for what it does not hold.
pub const TRUTH: &str = "198.51.100.53";
/// Disagrees: other addresses, and names that the first does not have.
pub const OTHER: &str = "198.51.100.54";
/// Gives every name the address of a portal, like a hotel.
pub const PORTAL: &str = "198.51.100.55";
/// Tells the truth, but gives names that do not exist the address of a portal, like some providers.
pub const REDIRECT: &str = "198.51.100.56";
/// Gives a portal's address to every name that does not exist, but knows RFC 6761 and answers
/// NXDOMAIN below `.invalid`.
pub const SLY: &str = "198.51.100.59";
/// Keeps IPv6 addresses to itself.
pub const FILTER: &str = "198.51.100.60";
/// Answers SERVFAIL, whatever it is asked.
pub const SERVFAIL: &str = "198.51.100.57";
/// Answers REFUSED, whatever it is asked.
pub const REFUSED: &str = "198.51.100.58";

/// Where the zones' own server is asked: a globally routable address, so that it is asked by everybody.
/// It is the one that tells the truth.
pub const OWN: &str = "20.1.2.53";

/// Begins every zone. Negative answers are not kept.
const SOA: &str = "$TTL 1\n@ IN SOA ns.lab.example. root.lab.example. 1 60 60 60 1\n  IN NS ns\nns IN A 20.1.2.53\n";

/// A resolver of [`Lab::liar`], in the form that the configuration wants.
pub const LIAR: &str = "'198.51.100.53:5300'";

/// The zone `lab.example` as the honest resolvers have it.
const RECORDS: &str = "
control   A     203.0.113.5
control   AAAA  2001:db8:3::5
web       A     203.0.113.10
web       AAAA  2001:db8:3::10
dual      A     203.0.113.30
dual      AAAA  2001:db8:3::30
only4     A     203.0.113.31
only6     AAAA  2001:db8:3::31
five      A     203.0.113.21
five      A     203.0.113.22
five      A     203.0.113.23
five      AAAA  2001:db8:3::21
five      AAAA  2001:db8:3::22
alias     CNAME alias2
alias2    CNAME alias3.lab.example.
alias3    CNAME dual
dangling  CNAME gone
private   A     10.20.0.1
private   AAAA  fd00:20::1
mixed     A     10.20.0.2
mixed     A     20.1.2.2
global    A     20.1.2.3
global    AAAA  2a00:5a:1::3
shop      A     20.1.2.9
shop      AAAA  2a00:5a:1::9
sunk      A     0.0.0.0
sunk      AAAA  ::
nodata    TXT   \"a name without addresses\"
";

/// Another zone, of the same server at another address: aliases into the first.
const YARD: &str = "
global    CNAME global.lab.example.
private   CNAME private.lab.example.
gone      CNAME nope.lab.example.
";

/// What the resolver that disagrees has instead.
const OTHER_RECORDS: &str = "
control   A     203.0.113.5
control   AAAA  2001:db8:3::5
moved     A     203.0.113.41
private   A     20.1.2.4
hidden    A     203.0.113.42
";

/// The doors that go by the address, see `doors.nft` and `README.md`.
pub const DOORS: [(&str, u8); 25] = [
    ("door-open", 200),
    ("door-drop", 201),
    ("door-reset", 202),
    ("door-port", 203),
    ("door-admin", 204),
    ("door-host", 205),
    ("door-net", 206),
    ("door-host-prohibited", 207),
    ("door-net-prohibited", 208),
    ("door-protocol", 209),
    ("door-own-port", 210),
    ("door-idle", 211),
    ("door-only6", 212),
    ("door-only4", 213),
    ("door-lossy", 215),
    ("door-mute", 216),
    ("door-synproxy", 217),
    ("door-abort", 218),
    ("door-h3", 219),
    ("door-h3-reset", 220),
    ("door-no-h3", 221),
    ("door-echo", 222),
    ("door-no-echo", 223),
    ("door-own-admin", 224),
    ("door-loop", 225),
];

/// How many addresses `many.lab.example` has: too many for one UDP answer of 1,232 bytes.
pub const MANY: u8 = 90;

/// Writes BIND's configuration and zones.
pub fn write(lab: &Lab) {
    let delegated = authorities::RECORDS;
    let mut truth = format!("{SOA}{RECORDS}{delegated}moved A 203.0.113.40\n");
    for last in 1..=MANY {
        let _ = writeln!(truth, "many A 203.0.113.{}", 100 + last);
    }
    for (name, last) in DOORS {
        let _ = writeln!(
            truth,
            "{name} A 203.0.113.{last}\n{name} AAAA 2001:db8:3::{last}"
        );
    }
    let wildcard = "* A 203.0.113.80\n* AAAA 2001:db8:3::80\n";
    // Whoever asks the root's own zone for a name that is in no other gets NXDOMAIN, but for the
    // one that is delegated to a server that never answers.
    let root =
        format!("{SOA}silent.example. NS ns.silent.example.\nns.silent.example. A 192.0.2.99\n");
    lab.write("truth.zone", &truth);
    lab.write("other.zone", format!("{SOA}{OTHER_RECORDS}"));
    lab.write("root.zone", root);
    lab.write("wild.zone", format!("{SOA}{wildcard}"));
    lab.write("redirect.zone", format!("{truth}{wildcard}"));
    lab.write("empty.zone", SOA);
    let yard = SOA
        .replace("lab.example", "yard.example")
        .replace(OWN, "20.1.2.54");
    lab.write("yard.zone", format!("{yard}{YARD}"));
    let ipv4_only: Vec<&str> = truth.lines().filter(|l| !l.contains("AAAA")).collect();
    lab.write("ipv4.zone", ipv4_only.join("\n") + "\n");
    lab.write("ipv4root.zone", format!("{SOA}a A 198.41.0.4\n"));
    lab.write("broken.zone", "this is not a zone\n");

    let zone = |name: &str, file: &str, more: &str| {
        format!("zone \"{name}\" {{ type primary; file \"{DIR}/{file}\"; {more} }};\n")
    };
    let honest = [
        zone("lab.example", "truth.zone", ""),
        zone("yard.example", "yard.zone", ""),
        zone("broken.example", "broken.zone", ""),
        zone("refused.example", "wild.zone", "allow-query { none; };"),
    ]
    .concat();
    let redirected = zone("lab.example", "redirect.zone", "") + &zone(".", "wild.zone", "");
    let views = [
        (TRUTH, honest.clone() + &zone(".", "root.zone", "")),
        (
            OTHER,
            zone("lab.example", "other.zone", "") + &zone(".", "root.zone", ""),
        ),
        (PORTAL, zone(".", "wild.zone", "")),
        (REDIRECT, redirected.clone()),
        (SLY, redirected + &zone("invalid", "empty.zone", "")),
        (
            FILTER,
            zone("lab.example", "ipv4.zone", "")
                + &zone("root-servers.net", "ipv4root.zone", "")
                + &zone(".", "root.zone", ""),
        ),
        (SERVFAIL, zone(".", "broken.zone", "")),
        (REFUSED, zone(".", "wild.zone", "allow-query { none; };")),
    ];
    let mut config = format!(
        "options {{
          directory \"{DIR}\";
          pid-file \"{DIR}/named.pid\";
          session-keyfile \"{DIR}/session.key\";
          listen-on {{ 198.51.100.0/24; }};
          listen-on-v6 {{ 2001:db8:2::2; 2001:db8:5::/64; }};
          recursion yes;
          allow-recursion {{ any; }};
          dnssec-validation no;
          empty-zones-enable no;
          minimal-responses yes;
          notify no;
        }};
        controls {{ }};\n"
    );
    for (address, zones) in views {
        // doors.nft leads the server side's other addresses to the one that tells the truth.
        let more = if address == TRUTH {
            "2001:db8:2::2;"
        } else {
            ""
        };
        let _ = writeln!(
            config,
            "view \"{address}\" {{ match-destinations {{ {address}; {more} }};\n{zones}}};"
        );
    }
    config += &authorities::write(lab);
    lab.write("named.conf", config);
}
