//! The pages of web filters, proxies and portals, rebuilt by the marks that public sources give for them
//! (`src/probe/filter.rs` names these), over HTTP/1 and HTTP/2.

use noentry::domain::observation::{Caveat, Observation};
use noentry::domain::reach::Reach;
use noentry::domain::target::HttpDenial;

use crate::foreign::{Page, serving};
use crate::support::{LONG, http, look_at, look_for, named, reach, url};

type Row = (
    &'static str,
    u16,
    &'static [(&'static str, &'static str)],
    &'static str,
);

const PAGES: &[Row] = &[
    ("Squid", 403, &[("server", "squid/5.7")], "x"),
    (
        "Squid",
        503,
        &[("X-Squid-Error", "ERR_CONNECT_FAIL 110")],
        "x",
    ),
    (
        "Squid",
        200,
        &[("X-Squid-Error", "ERR_ACCESS_DENIED 0")],
        "x",
    ),
    (
        "Squid",
        403,
        &[],
        "<!-- Stylesheet for Squid Error pages Adapted from design by -->",
    ),
    (
        "squidGuard",
        302,
        &[(
            "Location",
            "http://10.0.0.1/cgi-bin/squidGuard.cgi?clientaddr=10.0.0.9",
        )],
        "",
    ),
    (
        "squidGuard",
        302,
        &[("Location", "https://192.168.1.1/sgerror.php?url=blk_BL_adv")],
        "",
    ),
    (
        "DansGuardian or E2Guardian",
        200,
        &[("content-type", "text/html")],
        "<HTML><HEAD><TITLE>DansGuardian - Access Denied</TITLE></HEAD>",
    ),
    (
        "DansGuardian or E2Guardian",
        403,
        &[("content-type", "text/html")],
        "<title>E2Guardian - Access Denied</title>",
    ),
    ("Zscaler", 403, &[("Server", "Zscaler/6.2")], ""),
    (
        "Zscaler",
        403,
        &[("content-type", "text/html")],
        "<title>Internet Security by Zscaler</title>",
    ),
    (
        "Zscaler",
        307,
        &[(
            "Location",
            "https://gateway.zscalertwo.net:443/auD?origurl=x",
        )],
        "",
    ),
    (
        "Symantec (Blue Coat) ProxySG",
        403,
        &[("Server", "BlueCoat-Security-Appliance")],
        "",
    ),
    (
        "Symantec (Blue Coat) ProxySG",
        302,
        &[("Location", "http://notify.bluecoat.com/notify-NotifyUser1")],
        "",
    ),
    (
        "Symantec (Blue Coat) ProxySG",
        403,
        &[],
        "<big>Access Denied (policy_denied)</big>",
    ),
    (
        "FortiGuard",
        403,
        &[("content-type", "text/html")],
        "<title>Web Filter Violation</title>",
    ),
    (
        "FortiGuard",
        403,
        &[],
        "<h1>FortiGuard Intrusion Prevention - Access Blocked</h1>",
    ),
    (
        "FortiGuard",
        200,
        &[("content-type", "text/html")],
        "<title>Web Filter Violation</title>",
    ),
    (
        "Palo Alto Networks",
        503,
        &[],
        "<p>Access to the web page you were trying to visit has been blocked in accordance with company policy.",
    ),
    (
        "Palo Alto Networks",
        302,
        &[(
            "Location",
            "https://10.1.1.1:6083/php/urlblock.php?args=AAA",
        )],
        "",
    ),
    (
        "Cisco Umbrella (OpenDNS)",
        403,
        &[("Server", "Cisco Umbrella")],
        "",
    ),
    (
        "Cisco Umbrella (OpenDNS)",
        303,
        &[
            ("Server", "Cisco Umbrella"),
            ("Location", "http://door.example.com/"),
        ],
        "",
    ),
    (
        "Cisco Umbrella (OpenDNS)",
        403,
        &[],
        "<script>location.replace(\"https://block.opendns.com/?url=xxxxx\");</script>",
    ),
    (
        "Cisco Meraki",
        302,
        &[(
            "Location",
            "http://wired.meraki.com:8090/blocked.cgi?blocked_server=1.2.3.4",
        )],
        "",
    ),
    (
        "McAfee (Skyhigh) Web Gateway",
        403,
        &[("content-type", "text/html")],
        "<title>McAfee Web Gateway - Notification</title>",
    ),
    (
        "McAfee (Skyhigh) Web Gateway",
        403,
        &[],
        "<script src=\"/mwg-internal/de5fs23hu73ds/files/javascript/sw.js\"></script>",
    ),
    (
        "Forcepoint (Websense)",
        302,
        &[(
            "Location",
            "http://10.2.2.2:15871/cgi-bin/blockpage.cgi?ws-session=1",
        )],
        "",
    ),
    (
        "Forcepoint (Websense)",
        403,
        &[],
        "<frame src=\"http://10.2.2.2:15871/cgi-bin/block_message.cgi?ws-session=1\">",
    ),
    ("Barracuda", 403, &[("Server", "Barracuda/NGFirewall")], ""),
    (
        "Barracuda",
        403,
        &[],
        "<p>Redirecting you to Barracuda Web Filter.</p>",
    ),
    (
        "Sophos Web Appliance",
        403,
        &[("content-type", "text/html")],
        "<title>Sophos Web Appliance: Access blocked</title>",
    ),
    (
        "SonicWall",
        403,
        &[],
        "<title>SonicWALL - Web Site Blocked</title>",
    ),
    (
        "WatchGuard",
        403,
        &[],
        "<p>Request denied by WatchGuard HTTP Proxy.</p>",
    ),
    (
        "Kerio Control",
        403,
        &[("Server", "Kerio Control Embedded Web Server")],
        "",
    ),
    (
        "Check Point",
        302,
        &[("Location", "http://10.3.3.3/UserCheck/PortalMain?IID=1")],
        "",
    ),
    (
        "Untangle",
        403,
        &[],
        "This web page is blocked</b> because it violates network policy.",
    ),
    (
        "Netsweeper",
        403,
        &[],
        "<iframe src=\"http://10.4.4.4:8080/webadmin/deny/index.php?dpid=1\">",
    ),
    (
        "iboss",
        302,
        &[("Location", "http://10.5.5.5/ibreports/ibp/bp.html?bu=x")],
        "",
    ),
    (
        "Lightspeed",
        200,
        &[("content-type", "text/html")],
        "<title>Lightspeed System - Web Access</title>",
    ),
    ("ContentKeeper", 403, &[], "Blocked by ContentKeeper"),
    ("Olfeo", 403, &[("Server", "Olfeo/6")], ""),
    (
        "WireFilter",
        403,
        &[("Server", "Protected by WireFilter 8000")],
        "",
    ),
    (
        "Securly",
        302,
        &[("Location", "https://www.securly.com/blocked?reason=x")],
        "",
    ),
    (
        "GoGuardian",
        302,
        &[("Location", "https://blocked.goguardian.com/?ctx=x")],
        "",
    ),
    ("NextDNS", 200, &[("Blocked-By", "NextDNS")], ""),
    (
        "Pi-hole",
        200,
        &[("X-Pi-hole", "A black hole for Internet advertisements.")],
        "",
    ),
    (
        "SafeDNS",
        302,
        &[("Location", "https://blockpage-cdn.safedns.com/x")],
        "",
    ),
    (
        "a captive portal (WISPr)",
        200,
        &[],
        "<!-- <WISPAccessGatewayParam xmlns:xsi=x> -->",
    ),
];

async fn seen(page: Page, http2: bool) -> Observation {
    let server = serving("door.example.com", http2, page).await;
    look_at("https", server, "/", LONG).await
}

#[tokio::test]
async fn a_known_filters_page_is_a_caveat() {
    for (product, status, fields, body) in PAGES {
        for http2 in [false, true] {
            let page = Page {
                status: *status,
                fields,
                body,
            };
            let seen = seen(page, http2).await;
            assert_eq!(seen.caveat(), Some(Caveat::Filtered), "{page:?}");
            assert_eq!(http(&seen).filter.as_deref(), Some(*product), "{page:?}");
        }
    }
}

/// What a cache or a gateway adds to the answers of others, pages about products, and their own pages.
#[tokio::test]
async fn an_honest_answer_is_not_taken_for_a_filters() {
    type Honest = (u16, &'static [(&'static str, &'static str)], &'static str);
    const ROWS: &[Honest] = &[
        (403, &[("server", "nginx")], "403 Forbidden"),
        (
            403,
            &[
                ("server", "nginx"),
                ("via", "1.1 gate (squid/5.7)"),
                ("x-cache", "MISS from gate"),
            ],
            "",
        ),
        (403, &[("via", "1.1 wsa:80 (Cisco-WSA/12.0.3-007)")], ""),
        (403, &[("via", "1.1 mwg (McAfee Web Gateway 7.8)")], ""),
        (
            404,
            &[("x-pi-hole", "The Pi-hole Web interface is working!")],
            "",
        ),
        (
            200,
            &[("content-type", "text/html")],
            "<title>Blog</title>How FortiGuard Intrusion Prevention - Access Blocked came to be",
        ),
        (200, &[("server", "squid/5.7")], "cache manager"),
        (
            302,
            &[("location", "https://login.example.com/?url=opendns.com")],
            "",
        ),
        (
            403,
            &[("content-type", "text/html")],
            "<title>Web Page Blocked</title>",
        ),
    ];
    for (status, fields, body) in ROWS {
        let page = Page {
            status: *status,
            fields,
            body,
        };
        for http2 in [false, true] {
            let seen = seen(page, http2).await;
            assert_eq!(seen.caveat(), None, "{page:?}");
            assert_eq!(http(&seen).filter, None);
        }
    }
}

#[tokio::test]
async fn what_only_proxies_say_is_a_caveat() {
    for (status, caveat) in [
        (407, Some(Caveat::Filtered)),
        (511, Some(Caveat::Filtered)),
        (401, None),
        (510, None),
    ] {
        for http2 in [false, true] {
            let page = Page {
                status,
                fields: &[],
                body: "",
            };
            assert_eq!(seen(page, http2).await.caveat(), caveat, "{status}");
        }
    }
}

#[tokio::test]
async fn the_users_own_denier_is_no_filter() {
    const SQUID: Page = Page {
        status: 403,
        fields: &[
            ("Server", "squid/5.7"),
            ("X-Squid-Error", "ERR_ACCESS_DENIED 0"),
        ],
        body: "The Squid Software Foundation and contributors",
    };
    const FORTI: Page = Page {
        status: 403,
        fields: &[("content-type", "text/html")],
        body: "<title>Web Filter Violation</title>FortiGuard Intrusion Prevention - Access Blocked",
    };
    let header = |name: &str, value: &str| HttpDenial {
        status: [403].into(),
        header: vec![(name.to_owned(), value.to_owned())],
        body: None,
    };
    let body = |pattern: &str| HttpDenial {
        status: [403].into(),
        header: Vec::new(),
        body: Some(pattern.to_owned()),
    };
    let (met, other) = (Reach::Denied, Reach::Served);
    for (page, denial, expected, caveat) in [
        (
            SQUID,
            header("X-Squid-Error", "ERR_ACCESS_DENIED 0"),
            met,
            None,
        ),
        (SQUID, header("server", "squid/5.7"), met, None),
        (SQUID, body("Squid Software Foundation"), met, None),
        // Another denier, whose place Squid's page has taken.
        (
            SQUID,
            header("server", "nginx"),
            other,
            Some(Caveat::Filtered),
        ),
        (SQUID, body("(?i)foundation"), met, Some(Caveat::Filtered)),
        (FORTI, body("(?i)fortiguard"), met, None),
        (FORTI, body("Web Filter Violation"), met, None),
        (FORTI, body("(?i)blocked"), met, Some(Caveat::Filtered)),
        (
            FORTI,
            header("x-squid-error", "x"),
            other,
            Some(Caveat::Filtered),
        ),
    ] {
        let server = serving("door.example.com", true, page).await;
        let kind = url("https", named(), server.port(), "/");
        let seen = look_for(&denial, &kind, server, LONG).await;
        assert_eq!(
            (reach(&seen), seen.caveat()),
            (expected, caveat),
            "{denial:?}"
        );
    }
}
