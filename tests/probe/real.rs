//! Servers that others made: nginx and OpenSSL.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use noentry::domain::observation::{Caveat, Observation, StoppedBy};
use noentry::domain::reach::Reach;
use tempfile::TempDir;

use crate::fair::fairly;
use crate::support::{
    LONG, Running, free_port, have, http, look_at, loopback, reach, stopped_by, tls, wait_for,
};

/// Writes a self-signed certificate and its key into a folder.
fn write_identity(folder: &Path) {
    let made = rcgen::generate_simple_self_signed(vec!["door.example.com".to_owned()]).unwrap();
    fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
    fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
}

async fn at(scheme: &str, port: u16, path: &str) -> Observation {
    look_at(scheme, loopback(port), path, LONG).await
}

const NGINX: &str = r#"
daemon off; master_process off; worker_processes 1;
pid nginx.pid; error_log error.log;
events { worker_connections 64; }
http {
  access_log off; server_tokens on;
  client_body_temp_path b; proxy_temp_path p; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  ssl_certificate certificate.pem; ssl_certificate_key key.pem;
  server {
    listen 127.0.0.1:PLAIN;
    listen 127.0.0.1:SECURE ssl http2;
    location = /ok { default_type text/html; return 200 "<title>Orders</title>"; }
    location = /login { return 302 https://login.example.com/; }
    location = /private { add_header WWW-Authenticate 'Basic realm="x"' always; return 401; }
    location = /denied { return 403; }
    location = /busy { return 429; }
    location = /challenge { add_header cf-mitigated challenge always; return 403; }
    location = /drop { return 444; }
    location / { return 404; }
  }
  server { listen 127.0.0.1:MUTUAL ssl; ssl_verify_client on; ssl_client_certificate certificate.pem; }
}
"#;

struct Nginx {
    plain: u16,
    secure: u16,
    mutual: u16,
    _process: Running,
    _folder: TempDir,
}

fn nginx() -> Option<Nginx> {
    if !have("nginx", &["-v"]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    write_identity(folder.path());
    let (plain, secure, mutual) = (free_port(), free_port(), free_port());
    let text = NGINX
        .replace("PLAIN", &plain.to_string())
        .replace("SECURE", &secure.to_string())
        .replace("MUTUAL", &mutual.to_string());
    fs::write(folder.path().join("nginx.conf"), text).unwrap();
    let process = Command::new("nginx")
        .arg("-p")
        .arg(folder.path())
        .args(["-e", "error.log", "-c", "nginx.conf"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut process = Running(process, Some(folder.path().join("error.log")));
    wait_for(&mut process, mutual);
    Some(Nginx {
        plain,
        secure,
        mutual,
        _process: process,
        _folder: folder,
    })
}

#[tokio::test]
async fn nginx_over_http_and_http2() {
    let Some(nginx) = nginx() else { return };
    for (scheme, port, version) in [
        ("http", nginx.plain, "HTTP/1.1"),
        ("https", nginx.secure, "HTTP/2"),
    ] {
        for (path, status, expected) in [
            ("/ok", 200, Reach::Served),
            ("/login", 302, Reach::Served),
            ("/private", 401, Reach::Served),
            ("/denied", 403, Reach::Denied),
            ("/nothing", 404, Reach::Denied),
        ] {
            let seen = at(scheme, port, path).await;
            assert_eq!(reach(&seen), expected, "{scheme} {path}: {seen:?}");
            assert_eq!(http(&seen).status, status);
            assert_eq!(http(&seen).version, version);
            let server = &http(&seen).headers[0];
            assert!(
                server.0 == "server" && server.1.starts_with("nginx"),
                "{server:?}"
            );
        }
        let ok = at(scheme, port, "/ok").await;
        assert_eq!(http(&ok).title.as_deref(), Some("Orders"));
        let login = at(scheme, port, "/login").await;
        assert!(http(&login).headers.contains(&(
            "location".to_owned(),
            "https://login.example.com/".to_owned()
        )));
        let busy = at(scheme, port, "/busy").await;
        assert_eq!(busy.caveat(), Some(Caveat::Throttled));
        let challenge = at(scheme, port, "/challenge").await;
        assert_eq!(challenge.caveat(), Some(Caveat::Challenged));
    }
    let dropped = at("http", nginx.plain, "/drop").await;
    assert_eq!(reach(&dropped), Reach::Connected);
    assert_eq!(*stopped_by(&dropped), StoppedBy::Closed);
    let dropped = at("https", nginx.secure, "/drop").await;
    assert_eq!(reach(&dropped), Reach::TlsEstablished, "{dropped:?}");
}

#[tokio::test]
async fn nginx_on_the_wrong_port_and_with_mutual_tls() {
    let Some(nginx) = nginx() else { return };
    // TLS spoken to a plain port: nginx says 400 in plain HTTP.
    let seen = at("https", nginx.plain, "/").await;
    assert_eq!(reach(&seen), Reach::Served, "{seen:?}");
    assert!(http(&seen).plain_on_tls);
    // Plain HTTP spoken to a TLS port: a 400 as well.
    let seen = at("http", nginx.secure, "/").await;
    assert_eq!(reach(&seen), Reach::Served);
    // nginx lets everybody through TLS and complains in HTTP: that is past the barrier `tls`.
    let seen = at("https", nginx.mutual, "/").await;
    assert_eq!(reach(&seen), Reach::Served);
    assert_eq!(http(&seen).status, 400);
    assert!(tls(&seen).certificate_requested);
}

/// `openssl s_server` with these arguments.
fn openssl(arguments: &[&str]) -> Option<(u16, TempDir, Running)> {
    if !have("openssl", &["version"]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    write_identity(folder.path());
    // A key for the suites without forward secrecy, which want RSA.
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=door",
        ])
        .args([
            "-keyout",
            "rsa.pem",
            "-out",
            "rsa-certificate.pem",
            "-days",
            "2",
        ])
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert!(made.status.success());
    let port = free_port();
    let process = Command::new("openssl")
        .args(["s_server", "-quiet", "-www", "-accept"])
        .arg(format!("127.0.0.1:{port}"))
        .args(["-cert", "rsa-certificate.pem", "-key", "rsa.pem"])
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut process = Running(process, Some(folder.path().join("log")));
    wait_for(&mut process, port);
    Some((port, folder, process))
}

#[tokio::test]
async fn openssl_mutual_tls_refuses_in_both_versions() {
    for (version, alert) in [
        ("-tls1_2", "handshake_failure"),
        ("-tls1_3", "certificate_required"),
    ] {
        let Some((port, _folder, _process)) = openssl(&[version, "-Verify", "1"]) else {
            return;
        };
        for _ in 0..10 {
            let seen = at("https", port, "/").await;
            assert_eq!(reach(&seen), Reach::TlsRefused, "{version}: {seen:?}");
            let StoppedBy::Alert {
                name,
                certificate_requested,
                ..
            } = stopped_by(&seen)
            else {
                panic!("{seen:?}");
            };
            assert_eq!(name, alert);
            assert!(certificate_requested);
        }
    }
}

#[tokio::test]
async fn openssl_that_asks_without_insisting_serves() {
    let Some((port, _folder, _process)) = openssl(&["-tls1_3", "-verify", "1"]) else {
        return;
    };
    fairly(|| async {
        let begin = std::time::Instant::now();
        let seen = at("https", port, "/").await;
        assert_eq!(reach(&seen), Reach::Served, "{seen:?}");
        assert!(tls(&seen).certificate_requested);
        // Its session tickets end the wait for a refusal.
        assert!(begin.elapsed() < std::time::Duration::from_millis(800));
    })
    .await;
}

#[tokio::test]
async fn servers_that_speak_only_what_we_do_not_are_connected() {
    for arguments in [
        ["-tls1", "-cipher", "ALL:@SECLEVEL=0"].as_slice(),
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        // RSA key exchange only.
        &["-tls1_2", "-cipher", "AES128-SHA"],
    ] {
        let Some((port, _folder, _process)) = openssl(arguments) else {
            return;
        };
        let seen = at("https", port, "/").await;
        assert_eq!(reach(&seen), Reach::Connected, "{arguments:?}: {seen:?}");
        assert!(
            matches!(
                stopped_by(&seen),
                StoppedBy::Alert {
                    certificate_requested: false,
                    ..
                } | StoppedBy::TlsIncompatible { .. }
            ),
            "{arguments:?}: {seen:?}"
        );
    }
}
