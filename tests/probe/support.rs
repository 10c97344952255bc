//! Targets, small servers and assertions.

use std::net::{IpAddr, SocketAddr};
use std::process::{Child, Command};
use std::time::Duration;

use noentry::domain::endpoint::Endpoint;
use noentry::domain::observation::{
    Evidence, HttpEvidence, Observation, Outcome, StoppedBy, TlsEvidence,
};
use noentry::domain::reach::Reach;
use noentry::domain::target::{Host, HttpDenial, TargetKind, Url};
use noentry::probe::{CompiledDenial, Context, climb};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

/// Generous: nothing here waits for it unless silence is what is tested.
pub const LONG: Duration = Duration::from_secs(10);
/// For what stays silent.
pub const SHORT: Duration = Duration::from_millis(400);

pub fn tcp(address: SocketAddr) -> TargetKind {
    TargetKind::Tcp {
        host: Host::Address(address.ip()),
        port: address.port(),
        banner: false,
    }
}

pub fn url(scheme: &str, host: Host, port: u16, path: &str) -> TargetKind {
    let authority = format!("{host}:{port}");
    TargetKind::Url(Url {
        text: format!("{scheme}://{authority}{path}"),
        https: scheme == "https",
        host,
        port,
        path: path.to_owned(),
        authority,
    })
}

pub fn named() -> Host {
    Host::Name("door.example.com".to_owned())
}

pub async fn look(kind: &TargetKind, address: SocketAddr, timeout: Duration) -> Observation {
    look_for(&HttpDenial::default(), kind, address, timeout).await
}

pub async fn look_for(
    denial: &HttpDenial,
    kind: &TargetKind,
    address: SocketAddr,
    timeout: Duration,
) -> Observation {
    let context = Context::new().unwrap();
    let denial = CompiledDenial::new(denial).unwrap();
    let endpoint = Endpoint::tcp(address.ip(), address.port());
    climb(&context, endpoint, kind, &denial, Instant::now() + timeout).await
}

/// Looks at `http://` or `https://` of a server on loopback by name.
pub async fn look_at(
    scheme: &str,
    address: SocketAddr,
    path: &str,
    timeout: Duration,
) -> Observation {
    look(
        &url(scheme, named(), address.port(), path),
        address,
        timeout,
    )
    .await
}

/// A listener that hands every connection to `serve`.
pub async fn listen<F, R>(serve: F) -> SocketAddr
where
    F: Fn(TcpStream) -> R + Send + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

pub fn reach(observation: &Observation) -> Reach {
    match observation.outcome {
        Outcome::Reached(reach) => reach,
        Outcome::Blind(_) => panic!("blind: {observation:?}"),
    }
}

pub fn evidence(observation: &Observation) -> &Evidence {
    observation.evidence.as_ref().unwrap()
}

pub fn stopped_by(observation: &Observation) -> &StoppedBy {
    evidence(observation).stopped_by.as_ref().unwrap()
}

pub fn http(observation: &Observation) -> &HttpEvidence {
    evidence(observation).http.as_ref().unwrap()
}

pub fn tls(observation: &Observation) -> &TlsEvidence {
    evidence(observation).tls.as_ref().unwrap()
}

/// A port that was free a moment ago.
pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)
}

/// A process that ends with the test and, where it leads a group of processes, its group with it.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        // There is no such group where the process does not lead one. Until it is waited for, its number
        // is nobody else's.
        let group = format!("-{}", self.0.id());
        let kill = Command::new("kill").args(["-KILL", "--", &group]).output();
        drop(kill);
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether a tool can be used; where not, says so or fails.
pub fn have(tool: &str, arguments: &[&str]) -> bool {
    let there = Command::new(tool)
        .args(arguments)
        .output()
        .is_ok_and(|output| output.status.success());
    if !there {
        missing(tool);
    }
    there
}

pub fn missing(what: &str) {
    let required = std::env::var_os("NOENTRY_REQUIRE_TOOLS").is_some_and(|value| value == "1");
    assert!(!required, "{what} is needed and cannot be used here");
    eprintln!("NOT TESTED: {what} cannot be used here");
}

/// Waits until something listens on a port of loopback.
pub fn wait_for(port: u16) {
    for _ in 0..100 {
        if std::net::TcpStream::connect(loopback(port)).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing listens on {port}");
}
