//! The three things a round does to the outside, behind one trait, so that its order and timing can be
//! tested without a network.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::endpoint::{Endpoint, Family};
use crate::domain::finding::NameQuery;
use crate::domain::observation::Observation;
use crate::domain::target::{TargetKind, Url};
use crate::domain::way::Way;
use crate::probe::dns::Question;
use crate::probe::egress::EchoError;
use crate::probe::{self, CompiledDenial};

/// What a round can do to the outside.
pub(crate) trait World {
    /// Climbs one endpoint until something stops it or the deadline has come.
    async fn climb(
        &self,
        endpoint: Endpoint,
        kind: &TargetKind,
        denial: &CompiledDenial,
        deadline: Instant,
    ) -> Observation;

    /// Asks one name server one question.
    async fn lookup(
        &self,
        server: SocketAddr,
        question: &Question<'_>,
        timeout: Duration,
    ) -> NameQuery;

    /// By which way packets to an endpoint leave this machine; none where the system does not tell.
    fn way(&self, endpoint: Endpoint) -> Option<Way>;

    /// How many packets this machine's reverse path filter dropped so far; none where the system does
    /// not tell.
    fn reverse_path_drops(&self) -> Option<u64>;

    /// Asks a page, at these addresses of one family, for the address that we come from.
    async fn echo(
        &self,
        url: &Url,
        family: Family,
        addresses: &[IpAddr],
    ) -> Result<IpAddr, EchoError>;
}

/// The real network.
pub(crate) struct Network {
    context: probe::Context,
}

impl Network {
    pub(crate) const fn new(context: probe::Context) -> Self {
        Self { context }
    }
}

impl World for Network {
    async fn climb(
        &self,
        endpoint: Endpoint,
        kind: &TargetKind,
        denial: &CompiledDenial,
        deadline: Instant,
    ) -> Observation {
        probe::climb(&self.context, endpoint, kind, denial, deadline).await
    }

    async fn lookup(
        &self,
        server: SocketAddr,
        question: &Question<'_>,
        timeout: Duration,
    ) -> NameQuery {
        probe::dns::lookup(server, question, timeout).await
    }

    fn way(&self, endpoint: Endpoint) -> Option<Way> {
        probe::way::to_endpoint(endpoint)
    }

    fn reverse_path_drops(&self) -> Option<u64> {
        probe::way::reverse_path_drops()
    }

    async fn echo(
        &self,
        url: &Url,
        family: Family,
        addresses: &[IpAddr],
    ) -> Result<IpAddr, EchoError> {
        probe::egress::ask(url, family, addresses).await
    }
}
