//! Caddy: an HTTP/3 server that others made.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::Duration;

use noentry::domain::observation::{Caveat, StoppedBy};
use noentry::domain::reach::Reach;
use tempfile::TempDir;

use super::{V4, V6, knock, page, page_of, quic, told, udp};
use crate::fair::fairly;
use crate::support::{
    LONG, Running, free_port, have, http, look, reach, stopped_by, tls, wait_for,
};

const CADDYFILE: &str = r#"
{
    admin off
    auto_https disable_redirects
    storage file_system storage
    default_sni door.example.com
}
https://:OPEN {
    bind 127.0.0.1 ::1
    tls certificate.pem key.pem
    header X-Agent "{http.request.header.User-Agent}"
    header Via "{http.request.proto} {http.request.hostport}"
    header /ok Content-Type text/html
    header /challenge cf-mitigated challenge
    root * .
    route {
        respond /ok "<title>Orders</title>{query}" 200
        redir /login https://login.example.com/
        respond /private 401
        respond /denied 403
        respond /busy 429
        respond /challenge 403
        file_server /long.txt
        respond 404
    }
}
https://:MUTUAL {
    bind 127.0.0.1 ::1
    tls certificate.pem key.pem {
        client_auth {
            mode require_and_verify
            trusted_ca_cert_file certificate.pem
        }
    }
    respond 200
}
"#;

struct Caddy {
    open: u16,
    mutual: u16,
    _process: Running,
    _folder: TempDir,
}

fn caddy() -> Option<Caddy> {
    if !have("caddy", &["version"]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["door.example.com".to_owned()]).unwrap();
    fs::write(folder.path().join("certificate.pem"), made.cert.pem()).unwrap();
    fs::write(
        folder.path().join("key.pem"),
        made.signing_key.serialize_pem(),
    )
    .unwrap();
    fs::write(folder.path().join("long.txt"), "x".repeat(300_000)).unwrap();
    let (open, mutual) = (free_port(), free_port());
    let text = CADDYFILE
        .replace("OPEN", &open.to_string())
        .replace("MUTUAL", &mutual.to_string());
    fs::write(folder.path().join("Caddyfile"), text).unwrap();
    let process = Command::new("caddy")
        .args(["run", "--adapter", "caddyfile", "--config", "Caddyfile"])
        .current_dir(folder.path())
        .env("HOME", folder.path())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut process = Running(process, Some(folder.path().join("log")));
    wait_for(&mut process, mutual);
    Some(Caddy {
        open,
        mutual,
        _process: process,
        _folder: folder,
    })
}

#[tokio::test]
async fn caddy_is_climbed_over_http3_as_over_http2() {
    let Some(caddy) = caddy() else { return };
    for ip in [V4, V6] {
        let address = SocketAddr::new(ip, caddy.open);
        for (path, status, expected) in [
            ("/ok?a=1&b", 200, Reach::Served),
            ("/login", 302, Reach::Served),
            ("/private", 401, Reach::Served),
            ("/denied", 403, Reach::Denied),
            ("/nothing", 404, Reach::Denied),
        ] {
            fairly(|| async {
                let kind = page(caddy.open, path);
                let seen = knock(&kind, address, LONG).await;
                assert_eq!(reach(&seen), expected, "{path}: {seen:?}");
                assert_eq!(http(&seen).status, status);
                assert_eq!(http(&seen).version, "HTTP/3");
                assert!(told(&seen).handshake);
                assert!(told(&seen).versions.contains(&"1".to_owned()), "{seen:?}");
                assert_eq!(told(&seen).closed, None);
                assert!(udp(&seen).answer.as_ref().unwrap().expected);
                assert_eq!(tls(&seen).version.as_deref(), Some("TLSv1.3"));
                assert_eq!(tls(&seen).alpn.as_deref(), Some("h3"));
                let certificate = tls(&seen).certificate.as_ref().unwrap();
                assert_eq!(certificate.names, ["door.example.com"]);

                // The same page over TCP: the same answer, but for the version.
                let over_tcp = look(&kind, address, LONG).await;
                assert_eq!(reach(&over_tcp), expected);
                let (three, two) = (http(&seen), http(&over_tcp));
                assert_eq!(two.version, "HTTP/2");
                assert_eq!(three.title, two.title);
                assert_eq!(three.body_sha256, two.body_sha256);
                assert_eq!(three.caveat, two.caveat);
                let via = format!("HTTP/3.0 door.example.com:{}", caddy.open);
                assert_eq!(field(&seen, "via"), via);
            })
            .await;
        }
        let seen = knock(&page(caddy.open, "/ok?a=1&b"), address, LONG).await;
        assert_eq!(http(&seen).title.as_deref(), Some("Orders"));
        assert_eq!(field(&seen, "server"), "Caddy");
        let login = knock(&page(caddy.open, "/login"), address, LONG).await;
        assert_eq!(field(&login, "location"), "https://login.example.com/");
    }
}

fn field(seen: &noentry::domain::observation::Observation, name: &str) -> String {
    let headers = &http(seen).headers;
    let found = headers.iter().find(|(field, _)| field == name);
    found.map(|(_, value)| value.clone()).unwrap_or_default()
}

#[tokio::test]
async fn caveats_and_long_bodies_are_those_of_the_other_versions() {
    let Some(caddy) = caddy() else { return };
    let address = SocketAddr::new(V4, caddy.open);
    for (path, caveat) in [
        ("/busy", Caveat::Throttled),
        ("/challenge", Caveat::Challenged),
    ] {
        let seen = knock(&page(caddy.open, path), address, LONG).await;
        assert_eq!(http(&seen).caveat, Some(caveat));
    }
    let long = knock(&page(caddy.open, "/long.txt"), address, LONG).await;
    assert_eq!(reach(&long), Reach::Served);
    assert_eq!(http(&long).body_bytes, 65_536);
    assert!(http(&long).body_cut);
}

#[tokio::test]
async fn a_page_may_be_asked_for_by_address() {
    let Some(caddy) = caddy() else { return };
    for ip in [V4, V6] {
        let address = SocketAddr::new(ip, caddy.open);
        let seen = knock(&page_of(address, "/ok"), address, LONG).await;
        assert_eq!(reach(&seen), Reach::Served);
        assert_eq!(field(&seen, "via"), format!("HTTP/3.0 {address}"));
    }
}

#[tokio::test]
async fn a_quic_target_ends_with_the_handshake() {
    let Some(caddy) = caddy() else { return };
    fairly(|| async {
        for ip in [V4, V6] {
            let address = SocketAddr::new(ip, caddy.open);
            let begin = std::time::Instant::now();
            let seen = knock(&quic(caddy.open), address, LONG).await;
            assert_eq!(reach(&seen), Reach::TlsEstablished);
            assert!(told(&seen).handshake);
            assert!(tls(&seen).certificate.is_some());
            assert!(super::evidence(&seen).http.is_none());
            assert!(begin.elapsed() < Duration::from_secs(2));
        }
    })
    .await;
}

#[tokio::test]
async fn mutual_tls_over_quic_refuses_every_time() {
    let Some(caddy) = caddy() else { return };
    for round in 0..20 {
        let ip = if round % 2 == 0 { V4 } else { V6 };
        let address = SocketAddr::new(ip, caddy.mutual);
        for kind in [page(caddy.mutual, "/"), quic(caddy.mutual)] {
            let seen = knock(&kind, address, LONG).await;
            assert_eq!(reach(&seen), Reach::TlsRefused, "{seen:?}");
            let StoppedBy::Alert {
                certificate_requested,
                ..
            } = stopped_by(&seen)
            else {
                panic!("{seen:?}");
            };
            assert!(certificate_requested);
            assert!(tls(&seen).certificate_requested);
            let closed = told(&seen).closed.as_deref().unwrap();
            assert!(closed.starts_with("CRYPTO_ERROR 0x1"), "{closed}");
            assert!(tls(&seen).certificate.is_some());
        }
    }
}
