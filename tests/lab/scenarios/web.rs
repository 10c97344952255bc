//! nginx and OpenSSL behind the firewall: the layers TLS and HTTP.

use noentry::domain::observation::{Evidence, StoppedBy};
use noentry::domain::reach::Reach::{Connected, Denied, Served, TlsEstablished, TlsRefused};
use noentry::domain::verdict::Verdict::{Blocked, Exposed, Inconclusive};

use super::HEALTHY;
use crate::holder::Ground;
use crate::lab::Lab;
use crate::round::{Round, Truth, evidence, target};

/// The evidence of the first attempt at a target's first endpoint.
fn first<'a>(round: &'a Round, name: &str) -> &'a Evidence {
    let endpoint = round.finding(name).endpoints.first().unwrap();
    evidence(endpoint).next().unwrap()
}

/// What counts as a denial over HTTP/1.1 and HTTP/2, with and without TLS.
pub fn http_answers(ground: Ground) {
    let lab = Lab::standing(ground);
    for origin in ["http://web.lab.example", "https://web.lab.example"] {
        let mut config = HEALTHY.clone();
        for page in [
            "ok",
            "login",
            "basic",
            "denied",
            "missing",
            "busy",
            "challenge",
            "broken",
            "closed",
        ] {
            config += &target(page, &format!("url: '{origin}/{page}', barrier: http"));
        }
        let header = "denial: { status: [403], header: { x-denied-by: gatekeeper } }";
        let body = "denial: { status: [403, 404], body: 'Reference [0-9a-f]{4}' }";
        let basic = "denial: { status: [401], header: { www-authenticate: Basic realm=lab } }";
        for (name, page, denial) in [
            ("waf, header", "waf", header),
            ("waf, body", "waf", body),
            ("own 403", "denied", header),
            ("own 404", "missing", body),
            ("only 403", "missing", "denial: { status: [403] }"),
            ("401 counts", "basic", basic),
        ] {
            let url = format!("url: '{origin}/{page}', barrier: http, {denial}");
            config += &target(name, &url);
        }
        config += &target("network", &format!("url: '{origin}/denied'"));
        let round = lab.round(&config);
        round.expect(&[
            Truth("ok", Exposed, "past_barrier", &[Served]),
            Truth("login", Exposed, "past_barrier", &[Served]),
            Truth("basic", Exposed, "past_barrier", &[Served]),
            Truth("broken", Exposed, "past_barrier", &[Served]),
            Truth("denied", Blocked, "stopped", &[Denied]),
            Truth("missing", Blocked, "stopped", &[Denied]),
            Truth("busy", Inconclusive, "throttled", &[Served]),
            Truth("challenge", Inconclusive, "challenged", &[Served, Denied]),
            Truth(
                "closed",
                Inconclusive,
                "no_denial_seen",
                &[Connected, TlsEstablished],
            ),
            Truth("waf, header", Blocked, "stopped", &[Denied]),
            Truth("waf, body", Blocked, "stopped", &[Denied]),
            Truth("own 403", Exposed, "past_barrier", &[Served]),
            Truth("own 404", Exposed, "past_barrier", &[Served]),
            Truth("only 403", Exposed, "past_barrier", &[Served]),
            Truth("401 counts", Blocked, "stopped", &[Denied]),
            Truth(
                "network",
                Exposed,
                "past_barrier",
                &[Connected, Denied, Served],
            ),
        ]);
        for finding in &round.report.findings {
            // QUIC is tried beside, and counts only where it shows something.
            let declared = finding.endpoints.iter().filter(|e| !e.companion);
            assert_eq!(declared.count(), 2, "{finding:#?}");
        }
        let ok = first(&round, "ok");
        let http = ok.http.as_ref().unwrap();
        assert_eq!(
            (http.status, http.title.as_deref()),
            (200, Some("Back office"))
        );
        let login = first(&round, "login").http.as_ref().unwrap();
        assert!(
            login
                .headers
                .iter()
                .any(|(name, value)| name == "location" && value.ends_with("/sign-in")),
            "{login:#?}"
        );
        if origin.starts_with("https") {
            assert_eq!(http.version, "HTTP/2");
            let tls = ok.tls.as_ref().unwrap();
            assert_eq!(tls.version.as_deref(), Some("TLSv1.3"));
            assert_eq!(tls.alpn.as_deref(), Some("h2"));
            let certificate = tls.certificate.as_ref().unwrap();
            assert!(
                certificate.subject.contains("The laboratory"),
                "{certificate:#?}"
            );
            assert_eq!(certificate.names, ["lab.example", "*.lab.example"]);
        } else {
            assert_eq!(http.version, "HTTP/1.1");
        }
    }
}

/// Mutual TLS that OpenSSL enforces in the handshake, that nginx enforces with a page, and servers
/// that turn everybody away or speak something else.
pub fn tls_refusals(ground: Ground) {
    let mut config = HEALTHY.clone();
    for (name, url, barrier) in [
        ("mutual 1.2", "https://web.lab.example:4442/ok", "tls"),
        ("mutual 1.3", "https://web.lab.example:4443/ok", "tls"),
        (
            "mutual 1.3 at network",
            "https://web.lab.example:4443/ok",
            "network",
        ),
        (
            "mutual 1.3 at http",
            "https://web.lab.example:4443/ok",
            "http",
        ),
        ("nginx 1.2", "https://web.lab.example:4432/ok", "tls"),
        ("nginx 1.3", "https://web.lab.example:4433/ok", "tls"),
        ("unknown name", "https://web.lab.example:4434/ok", "tls"),
        ("open", "https://web.lab.example/ok", "tls"),
        ("old", "https://web.lab.example:4431/denied", "http"),
        ("plain", "https://web.lab.example:9000/denied", "tls"),
        ("silent at tls", "https://web.lab.example:9016/ok", "tls"),
        ("silent at http", "http://web.lab.example:9016/ok", "http"),
        (
            "silent at network",
            "http://web.lab.example:9016/ok",
            "network",
        ),
    ] {
        config += &target(name, &format!("url: '{url}', barrier: {barrier}"));
    }
    let page = "url: 'https://web.lab.example:4433/ok', barrier: http, denial: { status: [400] }";
    config += &target("nginx's page", page);
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("mutual 1.2", Blocked, "stopped", &[TlsRefused]),
        Truth("mutual 1.3", Blocked, "stopped", &[TlsRefused]),
        Truth(
            "mutual 1.3 at network",
            Exposed,
            "past_barrier",
            &[Connected, TlsRefused],
        ),
        Truth("mutual 1.3 at http", Blocked, "stopped", &[TlsRefused]),
        // nginx completes the handshake and answers 400: whoever promised the barrier TLS is wrong.
        Truth("nginx 1.2", Exposed, "past_barrier", &[Served]),
        Truth("nginx 1.3", Exposed, "past_barrier", &[Served]),
        Truth("nginx's page", Blocked, "stopped", &[Denied]),
        // nginx says so before its hello, and so could anything on the way.
        Truth("unknown name", Inconclusive, "no_denial_seen", &[Connected]),
        Truth("open", Exposed, "past_barrier", &[TlsEstablished, Served]),
        Truth("old", Blocked, "stopped", &[Denied]),
        Truth(
            "silent at tls",
            Inconclusive,
            "no_denial_seen",
            &[Connected],
        ),
        Truth(
            "silent at http",
            Inconclusive,
            "no_denial_seen",
            &[Connected],
        ),
        Truth("silent at network", Exposed, "past_barrier", &[Connected]),
    ]);
    assert_ne!(round.finding("plain").verdict, Blocked);
    for (finding, code, alert, asked) in [
        ("mutual 1.2", 40, "handshake_failure", true),
        ("mutual 1.3", 116, "certificate_required", true),
        ("unknown name", 112, "unrecognized_name", false),
    ] {
        assert_eq!(
            first(&round, finding).stopped_by,
            Some(StoppedBy::Alert {
                code,
                name: alert.to_owned(),
                certificate_requested: asked,
                before_hello: !asked,
            }),
            "{finding}"
        );
    }
    let old = first(&round, "old").tls.as_ref().unwrap();
    assert_eq!(old.version.as_deref(), Some("TLSv1.2"));
    for name in ["nginx 1.2", "nginx 1.3"] {
        let tls = first(&round, name).tls.as_ref().unwrap();
        assert!(tls.certificate_requested, "{name}");
    }
}

/// Denials that somebody on the way may have given in the server's name.
pub fn answers_of_others(ground: Ground) {
    let mut config = HEALTHY.clone();
    let squid = "denial: { status: [403], header: { x-squid-error: ERR_ACCESS_DENIED 0 } }";
    for (name, url, more) in [
        ("own name", "https://web.lab.example/denied", ""),
        ("other name", "https://web.lab.example:4435/denied", ""),
        ("other name, open", "https://web.lab.example:4435/ok", ""),
        ("expired", "https://web.lab.example:4436/denied", ""),
        ("by address", "https://203.0.113.10:4435/denied", ""),
        ("squid", "https://web.lab.example/squid", ""),
        ("squid over http", "http://web.lab.example/squid", ""),
        ("own squid", "https://web.lab.example/squid", squid),
        ("proxy", "http://web.lab.example/proxy", ""),
        ("portal", "http://web.lab.example/portal", ""),
    ] {
        let more = if more.is_empty() {
            String::new()
        } else {
            format!(", {more}")
        };
        config += &target(name, &format!("url: '{url}', barrier: http{more}"));
    }
    config += &target(
        "other name at network",
        "url: 'https://web.lab.example:4435/denied'",
    );
    let round = Lab::standing(ground).round(&config);
    round.expect(&[
        Truth("own name", Blocked, "stopped", &[Denied]),
        Truth("other name", Inconclusive, "foreign_certificate", &[Denied]),
        Truth("other name, open", Exposed, "past_barrier", &[Served]),
        // A server that lets its certificate run out is still itself.
        Truth("expired", Blocked, "stopped", &[Denied]),
        Truth("by address", Blocked, "stopped", &[Denied]),
        Truth("squid", Inconclusive, "filtered", &[Denied]),
        Truth("squid over http", Inconclusive, "filtered", &[Denied]),
        Truth("own squid", Blocked, "stopped", &[Denied]),
        Truth("proxy", Inconclusive, "filtered", &[Served]),
        Truth("portal", Inconclusive, "filtered", &[Served]),
        Truth(
            "other name at network",
            Exposed,
            "past_barrier",
            &[Connected, Denied],
        ),
    ]);
    for said in [
        "it is for blocked.filter.example",
        "has a certificate for another name",
        "the page of a web filter or proxy",
    ] {
        assert!(round.stdout.contains(said), "{said}: {}", round.stdout);
    }
}

/// A `url` control that a proxy or a portal on this side answers is lost, and the report says why.
pub fn controls_of_others(ground: Ground) {
    let mut config = HEALTHY.clone();
    let controls = [
        ("fine", "https://web.lab.example/ok", None),
        ("denied", "https://web.lab.example/denied", None),
        ("broken", "https://web.lab.example/broken", None),
        ("busy", "https://web.lab.example/busy", None),
        ("by address", "https://203.0.113.10/ok", None),
        (
            "gateway",
            "https://web.lab.example/gateway",
            Some("504 is a gateway's word"),
        ),
        (
            "proxy",
            "https://web.lab.example/proxy",
            Some("407 is the word of a proxy"),
        ),
        (
            "portal",
            "http://web.lab.example/portal",
            Some("511 is the word of a proxy"),
        ),
        (
            "challenge",
            "https://web.lab.example/challenge",
            Some("a bot challenge"),
        ),
        (
            "squid",
            "http://web.lab.example/squid",
            Some("is a web filter's"),
        ),
        (
            "other name",
            "https://web.lab.example:4435/ok",
            Some("does not cover the name"),
        ),
        (
            "expired",
            "https://web.lab.example:4436/ok",
            Some("has expired"),
        ),
        (
            "plain",
            "https://web.lab.example:80/ok",
            Some("plain text came back"),
        ),
    ];
    // A door that is shut on port 443, which every control but the last speaks for.
    for (name, url, _) in controls {
        let door = format!("tcp: '203.0.113.219:443', control: {{ url: '{url}' }}");
        config += &target(name, &door);
    }
    let round = Lab::standing(ground).round(&config);
    for (name, url, why) in controls {
        let finding = round.finding(name);
        let reason = finding.endpoints.first().unwrap().reason.as_str();
        let control = round
            .report
            .controls
            .iter()
            .find(|c| c.name == url)
            .unwrap();
        let Some(why) = why else {
            assert_ne!(reason, "control_lost", "{name}: {control:#?}");
            assert!(
                !control.held.is_empty() && control.lost.is_empty(),
                "{control:#?}"
            );
            continue;
        };
        assert_eq!(
            (finding.verdict, reason),
            (Inconclusive, "control_lost"),
            "{name}"
        );
        assert!(control.held.is_empty(), "{control:#?}");
        assert!(round.stdout.contains(why), "{why}: {}", round.stdout);
    }
    let fine = round.finding("fine");
    assert_eq!(fine.verdict, Blocked, "{fine:#?}");
}
