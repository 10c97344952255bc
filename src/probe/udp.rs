//! UDP: does anything come back?

use tokio::time::Instant;

use crate::domain::endpoint::Endpoint;
use crate::domain::observation::{Blind, Observation};
use crate::domain::payload::Payload;

/// Sends the payload and waits for any datagram until the deadline.
pub async fn probe(_endpoint: Endpoint, _payload: &Payload, _deadline: Instant) -> Observation {
    Observation::blind(Blind::NotPermitted, None)
}
