//! QUIC: does a server speak it?

use tokio::time::Instant;

use super::context::Context;
use super::denial::CompiledDenial;
use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Blind, Observation};
use crate::domain::target::{Host, Url};

/// Tries version negotiation and a handshake.
pub async fn probe(
    _context: &Context,
    _endpoint: Endpoint,
    _host: &Host,
    _deadline: Instant,
) -> Observation {
    Observation::blind(Blind::NotPermitted, None)
}

/// The same, and an HTTP/3 request on top.
pub async fn climb(
    _context: &Context,
    _endpoint: Endpoint,
    _url: &Url,
    _denial: &CompiledDenial,
    _deadline: Instant,
) -> Observation {
    Observation::blind(Blind::NotPermitted, None)
}
