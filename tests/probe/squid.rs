//! Squid itself, before a server: what it denies, what it cannot reach, and what it lets through.

use std::fs;
use std::net::SocketAddr;
use std::process::{Command, Stdio};

use noentry::domain::observation::{Caveat, Observation};
use noentry::domain::reach::Reach;
use noentry::domain::target::HttpDenial;
use tempfile::TempDir;

use crate::foreign::{Page, serving};
use crate::support::{
    LONG, Running, free_port, have, http, look_at, look_for, loopback, named, reach, url, wait_for,
};

const CONF: &str = "
http_port 127.0.0.1:PLAIN accel defaultsite=door.example.com no-vhost
https_port 127.0.0.1:SECURE accel defaultsite=door.example.com no-vhost tls-cert=FOLDER/both.pem
cache_peer 127.0.0.1 parent ORIGIN 0 no-query originserver tls sslflags=DONT_VERIFY_PEER,DONT_VERIFY_DOMAIN name=origin
acl shut urlpath_regex ^/shut
acl gone urlpath_regex ^/gone
cache_peer 127.0.0.1 parent NOBODY 0 no-query originserver name=nobody
cache_peer_access nobody allow gone
cache_peer_access nobody deny all
cache_peer_access origin deny gone
cache_peer_access origin allow all
never_direct allow all
http_access deny shut
http_access allow all
cache deny all
connect_timeout 2 seconds
visible_hostname gate.example.net
pid_filename none
access_log none
cache_log FOLDER/log
coredump_dir FOLDER
pinger_enable off
shutdown_lifetime 0 seconds
MORE
";

struct Squid {
    plain: u16,
    secure: u16,
    /// Where nobody listens, as long as this is there.
    _nobody: socket2::Socket,
    _process: Running,
    _folder: TempDir,
}

/// Squid with TLS before a server; none where it is not to be had.
fn squid(origin: SocketAddr, more: &str) -> Option<Squid> {
    if !have("squid", &["-v"]) {
        return None;
    }
    let folder = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["door.example.com".to_owned()]).unwrap();
    let both = made.cert.pem() + &made.signing_key.serialize_pem();
    fs::write(folder.path().join("both.pem"), both).unwrap();
    let (plain, secure) = (free_port(), free_port());
    let (taken, nobody) = crate::support::closed_port();
    let text = CONF
        .replace("PLAIN", &plain.to_string())
        .replace("SECURE", &secure.to_string())
        .replace("ORIGIN", &origin.port().to_string())
        .replace("NOBODY", &nobody.port().to_string())
        .replace("FOLDER", &folder.path().display().to_string())
        .replace("MORE", more);
    let conf = folder.path().join("squid.conf");
    fs::write(&conf, text).unwrap();
    let process = Command::new("squid")
        // One process, in the foreground, that gives nothing of root's away: the folder is our own.
        .args(["-N", "-f"])
        .arg(&conf)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let log = folder.path().join("log");
    let mut process = Running(process, Some(log));
    wait_for(&mut process, secure);
    Some(Squid {
        plain,
        secure,
        _nobody: taken,
        _process: process,
        _folder: folder,
    })
}

const ORIGINS: Page = Page {
    status: 403,
    fields: &[("server", "origin/1.0"), ("content-type", "text/html")],
    body: "<title>Not yours</title>",
};

async fn at(squid: &Squid, scheme: &str, path: &str) -> Observation {
    let port = if scheme == "https" {
        squid.secure
    } else {
        squid.plain
    };
    look_at(scheme, loopback(port), path, LONG).await
}

#[tokio::test]
async fn squids_own_pages_are_caveats_and_what_it_passes_on_is_not() {
    let origin = serving("door.example.com", false, ORIGINS).await;
    let Some(squid) = squid(origin, "") else {
        return;
    };
    for scheme in ["http", "https"] {
        let shut = at(&squid, scheme, "/shut").await;
        assert_eq!(reach(&shut), Reach::Denied, "{shut:?}");
        assert_eq!(shut.caveat(), Some(Caveat::Filtered));
        assert_eq!(http(&shut).filter.as_deref(), Some("Squid"));

        let gone = at(&squid, scheme, "/gone").await;
        // What it cannot get: read or connection refused.
        assert!(matches!(http(&gone).status, 502 | 503), "{gone:?}");
        assert_eq!(gone.caveat(), Some(Caveat::Filtered));

        let passed = at(&squid, scheme, "/passed").await;
        assert_eq!(reach(&passed), Reach::Denied, "{passed:?}");
        assert_eq!(http(&passed).title.as_deref(), Some("Not yours"));
        let via = http(&passed).headers.iter().find(|(name, _)| name == "via");
        assert!(
            via.is_some_and(|(_, value)| value.contains("(squid/")),
            "{passed:?}"
        );
        assert_eq!(passed.caveat(), None);
    }
}

#[tokio::test]
async fn squid_that_the_user_names_denies() {
    let origin = serving("door.example.com", false, ORIGINS).await;
    let Some(squid) = squid(origin, "") else {
        return;
    };
    let denial = HttpDenial {
        status: [403].into(),
        header: vec![("x-squid-error".to_owned(), "ERR_ACCESS_DENIED 0".to_owned())],
        body: None,
    };
    let kind = url("https", named(), squid.secure, "/shut");
    let seen = look_for(&denial, &kind, loopback(squid.secure), LONG).await;
    assert_eq!(
        (reach(&seen), seen.caveat()),
        (Reach::Denied, None),
        "{seen:?}"
    );
}

/// An administrator who takes the telling fields away leaves the page.
#[tokio::test]
async fn squid_without_its_fields_is_known_by_its_page() {
    let origin = serving("door.example.com", false, ORIGINS).await;
    let quiet = "reply_header_access X-Squid-Error deny all\nreply_header_access Server deny all";
    let Some(squid) = squid(origin, quiet) else {
        return;
    };
    let seen = at(&squid, "http", "/shut").await;
    let names: Vec<&str> = http(&seen)
        .headers
        .iter()
        .map(|(n, _)| n.as_str())
        .collect();
    assert!(
        !names.contains(&"x-squid-error") && !names.contains(&"server"),
        "{seen:?}"
    );
    assert_eq!(seen.caveat(), Some(Caveat::Filtered), "{seen:?}");
}
