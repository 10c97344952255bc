//! Targets, small servers and assertions.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use noentry::domain::endpoint::Endpoint;
use noentry::domain::observation::{
    Evidence, HttpEvidence, Observation, Outcome, StoppedBy, TlsEvidence,
};
use noentry::domain::reach::Reach;
use noentry::domain::target::{Host, HttpDenial, TargetKind, Url};
use noentry::probe::{CompiledDenial, Context, climb};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::Instant;

/// Generous: nothing here waits for it unless silence is what is tested.
pub const LONG: Duration = Duration::from_secs(10);
/// For what stays silent: long enough for all that comes before.
pub const SHORT: Duration = Duration::from_secs(1);

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

/// A port for a server that must be told one. It is free over TCP and UDP, and below those that the
/// system gives to whoever asks for any (from 32768 on): nobody else gets it before the server does.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes at the same time begin elsewhere.
    let begin = u16::try_from(std::process::id() * 97 % 9_000).unwrap();
    loop {
        let step = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(step < 9_000, "no port is free");
        let port = 10_000 + (begin + step) % 9_000;
        if !taken(port) {
            return port;
        }
    }
}

/// Whether somebody has a port of this machine. Nothing is bound to find out: a program that a test
/// beside is starting would hold it for a moment. Elsewhere than on Linux nobody is asked.
fn taken(port: u16) -> bool {
    let end = format!(":{port:04X}");
    ["tcp", "tcp6", "udp", "udp6"].iter().any(|table| {
        let table = std::fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
        let mut local = table.lines().filter_map(|l| l.split_whitespace().nth(1));
        local.any(|local| local.ends_with(&end))
    })
}

/// A port of loopback that is taken, and at which nobody listens.
pub fn closed_port() -> (socket2::Socket, SocketAddr) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&loopback(0).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)
}

/// Closes a UDP port: whoever but discard at the same address asks is told that nobody listens. The port
/// stays taken, so that nobody else gets it; and a program that a test beside is starting, which may hold
/// a socket open for a moment, does not hold it up.
pub async fn close(socket: &UdpSocket) {
    let own = socket.local_addr().unwrap().ip();
    socket.connect((own, 9)).await.unwrap();
}

/// A process that ends with the test and, where it leads a group of processes, its group with it. Where
/// the test fails, it is shown what the process wrote to its log.
pub struct Running(pub Child, pub Option<PathBuf>);

impl Running {
    /// A process without a log.
    pub const fn quiet(child: Child) -> Self {
        Self(child, None)
    }

    fn log(&self) -> String {
        let log = self.1.as_ref();
        log.and_then(|log| std::fs::read_to_string(log).ok())
            .unwrap_or_default()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
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

/// Waits until a server listens on a port of loopback.
pub fn wait_for(server: &mut Running, port: u16) {
    for _ in 0..1_200 {
        if std::net::TcpStream::connect(loopback(port)).is_ok() {
            return;
        }
        let ended = server.0.try_wait().unwrap();
        assert!(ended.is_none(), "{ended:?}, and {port} was never open");
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("nothing listens on {port}");
}
