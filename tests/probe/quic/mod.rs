//! QUIC and HTTP/3: against Caddy, against servers made here for what Caddy cannot do, against ports
//! that speak something else or nothing, and behind a firewall.

mod caddy;
#[cfg(target_os = "linux")]
mod firewall;
mod hostile;
mod made;
mod server;
mod silent;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use noentry::domain::endpoint::Endpoint;
use noentry::domain::observation::{Observation, QuicEvidence, UdpEvidence};
use noentry::domain::target::{Host, HttpDenial, TargetKind};
use noentry::probe::{CompiledDenial, Context, climb};
use tokio::time::Instant;

use crate::fair::thread_waited;
use crate::support::{evidence, named, url};

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// A `quic` target by name.
pub fn quic(port: u16) -> TargetKind {
    TargetKind::Quic {
        host: named(),
        port,
    }
}

/// An https page by name.
fn page(port: u16, path: &str) -> TargetKind {
    url("https", named(), port, path)
}

/// The same by address.
fn page_of(address: SocketAddr, path: &str) -> TargetKind {
    url("https", Host::Address(address.ip()), address.port(), path)
}

pub async fn knock(kind: &TargetKind, address: SocketAddr, timeout: Duration) -> Observation {
    let context = Context::new().unwrap();
    let denial = CompiledDenial::new(&HttpDenial::default()).unwrap();
    let endpoint = Endpoint::udp(address.ip(), address.port());
    let (deadline, waited) = (Instant::now() + timeout, thread_waited());
    let seen = climb(&context, endpoint, kind, &denial, deadline).await;
    // Without what other programs made it wait.
    let late = Instant::now().saturating_duration_since(deadline);
    let late = late.saturating_sub(thread_waited().saturating_sub(waited));
    assert!(late < Duration::from_millis(300), "{late:?} late: {seen:?}");
    seen
}

/// QUIC's own evidence, which every outcome has.
fn told(seen: &Observation) -> &QuicEvidence {
    evidence(seen).quic.as_ref().unwrap()
}

/// UDP's evidence, which every outcome has.
fn udp(seen: &Observation) -> &UdpEvidence {
    let udp = evidence(seen).udp.as_ref().unwrap();
    assert_eq!(udp.payload, "quic");
    udp
}
