//! The pages that web filters, proxies and captive portals give in another's name.
//!
//! Such a device may stand on our own side, between this machine and everybody's internet: what it
//! denies, it denies to us. So its page is a caveat and no denial, unless the target's own `denial` names
//! it, which says that it is the user's denier ([`CompiledDenial::speaks_of`]).
//!
//! Only marks of pages count that the device makes itself. What it adds to the answers of others (`via`,
//! `x-cache`) says nothing about who denied. Sources, seen in December 2026:
//!
//! - OONI: `ooni/blocking-fingerprints` at 171641e6 (20 October 2024), `fingerprints_http.csv`, which
//!   takes in those of Citizen Lab and Censored Planet. The products' marks alone, of those that no page
//!   of another would have; none of a country's or provider's.
//! - `WhatWaf`: answers that people met and reported, `Ekultek/WhatWaf` issues 178 (20 December 2018) and
//!   513 (18 October 2019).
//! - Squid 5.7 as Debian 12 ships it, with its error pages; `tests/probe/squid.rs` runs it.
//! - The products' own pages and templates in public repositories, where nothing else is said.
//!
//! Limits: an operator can change every one of these. No mark of Netskope's page was found, and none of
//! Cisco's Web Security Appliance but its `via`, which it adds to the answers of others. A page that is
//! not known here looks like the target's; over `https` the certificate may still tell.

use super::denial::CompiledDenial;

/// How a device shows that a page is its own. All in lowercase.
#[derive(Clone, Copy, Debug)]
enum Mark {
    /// A field that no other answer has, and how its value begins; whatever the status.
    Field(&'static str, &'static str),
    /// How `server` begins. Not of a 2xx: that may be a page of the device's own, which is open.
    Server(&'static str),
    /// What is in `location`.
    Location(&'static str),
    /// How the title begins, whatever the status.
    Title(&'static str),
    /// What is in the body. Not of a 2xx: a page may be about the product.
    Body(&'static str),
    /// What is in the body, and is made for programs: whatever the status.
    Protocol(&'static str),
}

/// A device, the words by which a denial names it, and its marks.
#[derive(Debug)]
struct Product {
    name: &'static str,
    words: &'static [&'static str],
    marks: &'static [Mark],
}

use Mark::{Body, Field, Location, Protocol, Server, Title};

const PRODUCTS: &[Product] = &[
    // Squid 5.7; OONI (cl.prod_squid_error_page).
    Product {
        name: "Squid",
        words: &["squid"],
        marks: &[
            Field("x-squid-error", ""),
            Server("squid"),
            Body("the squid software foundation and contributors"),
            Body("stylesheet for squid error pages"),
        ],
    },
    // OONI (cl.prod_squidguard_forward, cl.prod_squid_error_forward: pfSense's).
    Product {
        name: "squidGuard",
        words: &["squid"],
        marks: &[
            Location("squidguard.cgi?clientaddr="),
            Location("/sgerror.php?url="),
        ],
    },
    // The packages' own dansguardian.pl and template.html.
    Product {
        name: "DansGuardian or E2Guardian",
        words: &["guardian"],
        marks: &[
            Title("dansguardian - access denied"),
            Title("e2guardian - access denied"),
        ],
    },
    // WhatWaf issue 178; OONI (cl.prod_zscaler_block, cl.prod_zscaler_forward_1 and 2).
    Product {
        name: "Zscaler",
        words: &["zscaler"],
        marks: &[
            Server("zscaler"),
            Title("internet security by zscaler"),
            Location("://gateway.zscaler"),
        ],
    },
    // OONI (cl.prod_bluecoat_notify_*, ooni.ae_1); `server` as scanners know the appliance.
    Product {
        name: "Symantec (Blue Coat) ProxySG",
        words: &["bluecoat", "blue coat", "policy_denied"],
        marks: &[
            Server("bluecoat-security-appliance"),
            Location("://notify.bluecoat.com"),
            Location("://www.bluecoat.com/notify-"),
            Body("://notify.bluecoat.com"),
            Body("access denied (policy_denied)"),
        ],
    },
    // OONI (cl.prod_fortiguard_*, cp.a_prod_fortinet_1, 4 and 8); WhatWaf issue 513 (the title).
    Product {
        name: "FortiGuard",
        words: &["fortiguard", "fortigate", "fortinet"],
        marks: &[
            Title("web filter violation"),
            Title("web filter block override"),
            Body("fortiguard intrusion prevention - access blocked"),
            Body("fortiguard web filtering"),
            Body("powered by fortiguard"),
            Body("powered by fortinet"),
            Body(":8008/xx/yy/zz/ci/"),
            Body("which is in violation of your internet usage policy"),
        ],
    },
    // OONI (cl.prod_paloaltonetworks_*, cp.a_prod_paloalto_1, 2 and 5); openwrt/luci issue 5926.
    Product {
        name: "Palo Alto Networks",
        words: &["palo alto", "paloalto", "pan-os"],
        marks: &[
            Body(
                "access to the web page you were trying to visit has been blocked in accordance with",
            ),
            Body(
                "access to the application you were trying to use has been blocked in accordance with",
            ),
            Body("<div id=\"content\"><h1>web page blocked</h1>"),
            Location("/php/urlblock.php?args="),
        ],
    },
    // OONI (cl.prod_cisco_opendns_*, cp.a_prod_opendns_*); `server` as many met it, all with 403 or 303
    // (2025 and 2026); the last is of a page that Umbrella's proxy gave for a file.
    Product {
        name: "Cisco Umbrella (OpenDNS)",
        words: &["umbrella", "opendns"],
        marks: &[
            Server("cisco umbrella"),
            Location("://block.opendns.com"),
            Location("://malware.opendns.com"),
            Body("://block.opendns.com"),
            Body("://malware.opendns.com"),
            Body("this site is blocked due to content filtering."),
            Body("this domain is blocked due to content filtering."),
            Body("because of a cisco umbrella policy setting"),
        ],
    },
    // OONI (cl.prod_ciscomeraki_filter_*).
    Product {
        name: "Cisco Meraki",
        words: &["meraki"],
        marks: &[
            Location("wired.meraki.com:8090/blocked.cgi"),
            Body("this website is blocked by your network operator."),
        ],
    },
    // OONI (cp.a_prod_mcafee_1 to 3); its default index.html, which loads from /mwg-internal/.
    Product {
        name: "McAfee (Skyhigh) Web Gateway",
        words: &["mcafee", "skyhigh", "mwg-internal"],
        marks: &[
            Title("mcafee web gateway - notification"),
            Body("=\"/mwg-internal/"),
        ],
    },
    // OONI (cl.prod_forcepoint_websense_*).
    Product {
        name: "Forcepoint (Websense)",
        words: &["forcepoint", "websense"],
        marks: &[
            Location(":15871/cgi-bin/blockpage.cgi"),
            Body(":15871/cgi-bin/blockpage.cgi"),
            Body(":15871/cgi-bin/block_message.cgi"),
        ],
    },
    // OONI (ooni.pa_0, ooni.zz_2, cp.a_prod_barracuda_1).
    Product {
        name: "Barracuda",
        words: &["barracuda"],
        marks: &[
            Server("barracuda/ngfirewall"),
            Body("redirecting you to barracuda web filter"),
            Body("<th>barracuda nextgen firewall:</th>"),
        ],
    },
    // Its default error pages (2000 to 2010).
    Product {
        name: "Sophos Web Appliance",
        words: &["sophos"],
        marks: &[Title("sophos web appliance:")],
    },
    // OONI (cp.a_prod_sonicwall_*, cl.prod_sonicwall_cfc).
    Product {
        name: "SonicWall",
        words: &["sonicwall"],
        marks: &[
            Body("sonicwall - web site blocked"),
            Body("://cfssupport.sonicwall.com"),
            Location("://cfssupport.sonicwall.com"),
        ],
    },
    // OONI (cp.a_prod_watchguard_1 and 3).
    Product {
        name: "WatchGuard",
        words: &["watchguard"],
        marks: &[
            Title("response denied by watchguard http proxy"),
            Body("request denied by watchguard http proxy"),
        ],
    },
    // OONI (cl.prod_gfi_kerio, ooni.cl_0).
    Product {
        name: "Kerio Control",
        words: &["kerio"],
        marks: &[
            Server("kerio control embedded web server"),
            Body("this page has been blocked by kerio control"),
        ],
    },
    // OONI (cl.prod_checkpoint_urlfilter_*).
    Product {
        name: "Check Point",
        words: &["check point", "checkpoint", "usercheck"],
        marks: &[
            Body("check point usercheck"),
            Location("/usercheck/portalmain?iid="),
        ],
    },
    // OONI (cl.prod_untangle_*).
    Product {
        name: "Untangle",
        words: &["untangle"],
        marks: &[
            Body("this web page is blocked</b> because it violates network policy."),
            Location("web-filter/blockpage?"),
        ],
    },
    // OONI (cl.prod_netsweeper_*).
    Product {
        name: "Netsweeper",
        words: &["netsweeper", "/webadmin/deny"],
        marks: &[
            Body("poweredbynetsweeper.com"),
            Body("/webadmin/deny/"),
            Location("/webadmin/deny/"),
        ],
    },
    // OONI (cl.prod_iboss_*).
    Product {
        name: "iboss",
        words: &["iboss"],
        marks: &[
            Location("/ibreports/ibp/bp.html"),
            Location("/block/restricted.html?fn="),
            Location("/iboss/restricted.html?fn="),
            Body("access to the requested site has been restricted due to its contents."),
        ],
    },
    // OONI (cl.prod_lightspeed_filter_blockpage).
    Product {
        name: "Lightspeed",
        words: &["lightspeed"],
        marks: &[Title("lightspeed system - web access")],
    },
    // OONI (ooni.au_2).
    Product {
        name: "ContentKeeper",
        words: &["contentkeeper"],
        marks: &[Body("blocked by contentkeeper")],
    },
    // OONI (ooni.fr_2, ooni.ae_0).
    Product {
        name: "Olfeo",
        words: &["olfeo"],
        marks: &[Server("olfeo")],
    },
    Product {
        name: "WireFilter",
        words: &["wirefilter"],
        marks: &[Server("protected by wirefilter")],
    },
    // Where school filters send to, from archived block pages.
    Product {
        name: "Securly",
        words: &["securly"],
        marks: &[Location("securly.com/blocked")],
    },
    Product {
        name: "GoGuardian",
        words: &["goguardian"],
        marks: &[Location("://blocked.goguardian.com")],
    },
    // OONI (cp.a_prod_nextdns_satellite); the field as clients of it know it.
    Product {
        name: "NextDNS",
        words: &["nextdns"],
        marks: &[Field("blocked-by", "nextdns")],
    },
    // OONI (cp.a_prod_pihole_1_satellite); the field from pi-hole's own piholeDebug.sh, version 5. That of
    // its dashboard, which may be a target, is another.
    Product {
        name: "Pi-hole",
        words: &["pi-hole", "pihole"],
        marks: &[
            Field("x-pi-hole", "a black hole for internet advertisements"),
            Body("<!-- pi-hole: a black hole for internet advertisements"),
        ],
    },
    // OONI (cp.a_prod_safedns_*).
    Product {
        name: "SafeDNS",
        words: &["safedns"],
        marks: &[
            Location("://blockpage-cdn.safedns.com"),
            Body("://blockpage-cdn.safedns.com"),
        ],
    },
    // WISPr 1.0 (Wi-Fi Alliance, 2003): what a portal says to programs. ConnMan's and others' clients look
    // for exactly this.
    Product {
        name: "a captive portal (WISPr)",
        words: &["wispr", "wispaccessgateway"],
        marks: &[Protocol("<wispaccessgatewayparam")],
    },
];

/// What a proxy or a portal alone says: 407 (RFC 9110 section 15.5.8) and 511, which an origin server
/// must not send (RFC 6585 section 6).
const OF_PROXIES: [u16; 2] = [407, 511];

/// What is looked at.
pub(super) struct Answer<'a> {
    /// The status.
    pub(super) status: u16,
    /// All fields, names in lowercase.
    pub(super) headers: &'a [(&'a str, &'a [u8])],
    /// The title, if it is a page.
    pub(super) title: Option<&'a str>,
    /// As much of the body as was read.
    pub(super) body: &'a [u8],
}

/// Whose page this is, if it is a known filter's and the denial does not name that.
pub(super) fn whose(answer: &Answer<'_>, denial: &CompiledDenial) -> Option<&'static str> {
    let title = answer.title.map(str::to_ascii_lowercase);
    let body = String::from_utf8_lossy(answer.body).to_ascii_lowercase();
    let shows = |mark: &Mark| shows(*mark, answer, title.as_deref(), &body);
    PRODUCTS
        .iter()
        .find(|product| product.marks.iter().any(shows) && !named(product, denial))
        .map(|product| product.name)
}

/// Whether a status alone says that a proxy or a portal speaks.
pub(super) fn is_of_proxies(status: u16) -> bool {
    OF_PROXIES.contains(&status)
}

/// Whether a field is one of the marks, and so worth keeping.
pub(super) fn is_mark(field: &str) -> bool {
    let mut marks = PRODUCTS.iter().flat_map(|product| product.marks);
    marks.any(|mark| matches!(mark, Field(name, _) if *name == field))
}

fn shows(mark: Mark, answer: &Answer<'_>, title: Option<&str>, body: &str) -> bool {
    let served = (200..300).contains(&answer.status);
    let has = |wanted: &str, test: &dyn Fn(&str) -> bool| {
        let mut sent = answer.headers.iter().filter(|(name, _)| *name == wanted);
        sent.any(|(_, value)| {
            let value = String::from_utf8_lossy(value).to_ascii_lowercase();
            test(value.trim())
        })
    };
    match mark {
        Field(name, begins) => has(name, &|value| value.starts_with(begins)),
        Server(begins) => !served && has("server", &|value| value.starts_with(begins)),
        Location(part) => has("location", &|value| value.contains(part)),
        Title(begins) => title.is_some_and(|title| title.starts_with(begins)),
        Body(part) => !served && body.contains(part),
        Protocol(part) => body.contains(part),
    }
}

/// Whether the user says that this is what denies: the denial has a word for it, or a mark in full.
fn named(product: &Product, denial: &CompiledDenial) -> bool {
    let marks = product.marks.iter().filter_map(|mark| match mark {
        Title(text) | Body(text) | Protocol(text) => Some(*text),
        Field(name, _) => Some(*name),
        Server(_) | Location(_) => None,
    });
    product
        .words
        .iter()
        .copied()
        .chain(marks)
        .any(|word| denial.speaks_of(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_in_lowercase_and_long_enough_to_mean_something() {
        for product in PRODUCTS {
            assert!(!product.words.is_empty(), "{}", product.name);
            for mark in product.marks {
                let text = match *mark {
                    Field(name, value) => {
                        assert_eq!(value, value.to_ascii_lowercase());
                        name
                    }
                    Server(text) | Location(text) | Title(text) | Body(text) | Protocol(text) => {
                        text
                    }
                };
                assert_eq!(text, text.to_ascii_lowercase(), "{}", product.name);
                assert!(text.len() >= 5, "{text}");
            }
        }
    }
}
