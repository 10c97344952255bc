//! The TCP rung: does a handshake complete?

use tokio::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::Observation;
use crate::domain::reach::Reach;

use super::dial::{Dialled, dial};

/// Connects and lets go at once.
///
/// The close is an ordinary one. It leaves a `TIME_WAIT` behind, but only for an endpoint that
/// accepted, which is what nearly no target does; resetting instead (`SO_LINGER` 0) would make our
/// visit look like an aborted one in the target's log, and could overtake its first bytes.
pub async fn probe(endpoint: Endpoint, deadline: Instant) -> Observation {
    match dial(endpoint, deadline).await {
        Ok(dialled) => Dialled::note(dialled.syns, Observation::reached(Reach::Connected, None)),
        Err(observation) => observation,
    }
}
