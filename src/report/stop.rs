//! What stopped an outsider at an endpoint, as the line of a blocked finding tells it.

use std::net::IpAddr;

use super::door::{Door, Over};
use super::phrase::Phrase;
use super::saw;
use crate::domain::finding::{EndpointReport, Finding};
use crate::domain::observation::StoppedBy;
use crate::domain::reach::Reach;

/// How many devices are named.
const DEVICES: usize = 4;

/// What stopped an outsider: devices that said the same, one a family for example, or anything else.
#[derive(Clone, Debug)]
pub enum Stop {
    /// Devices, and what they said.
    Denied(Vec<IpAddr>, &'static str),
    /// Anything else, in words.
    Other(Phrase),
}

impl Stop {
    /// Whether both were stopped in the same way, by whichever device.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Denied(_, one), Self::Denied(_, other)) => one == other,
            (Self::Other(one), Self::Other(other)) => one == other,
            (Self::Denied(..), Self::Other(_)) | (Self::Other(_), Self::Denied(..)) => false,
        }
    }

    /// Takes the devices of one that is like it.
    pub fn add(&mut self, other: Self) {
        if let (Self::Denied(all, _), Self::Denied(more, _)) = (self, other) {
            for device in more {
                if !all.contains(&device) {
                    all.push(device);
                }
            }
        }
    }

    /// `denied by 198.51.100.1, 2001:db8::1: administratively prohibited`.
    #[must_use]
    pub fn say(&self) -> Phrase {
        match self {
            Self::Denied(devices, meaning) => Phrase::new("denied by ")
                .values(devices, DEVICES)
                .say(format!(": {meaning}")),
            Self::Other(phrase) => phrase.clone(),
        }
    }
}

/// What stopped an outsider at one endpoint.
#[must_use]
pub fn stop(finding: &Finding, endpoint: &EndpointReport) -> Stop {
    let door = Door::of(finding, &endpoint.endpoint);
    if endpoint.reach == Some(Reach::Prohibited)
        && let Some(StoppedBy::Icmp(error)) =
            saw::evidence(endpoint).and_then(|e| e.stopped_by.as_ref())
        && let Some(device) = error.from
        && !error.is_from(door.address)
    {
        return Stop::Denied(vec![device], error.meaning());
    }
    Stop::Other(otherwise(door, finding, endpoint))
}

fn otherwise(door: Door<'_>, finding: &Finding, endpoint: &EndpointReport) -> Phrase {
    match endpoint.reach {
        Some(Reach::NoAnswer) => match door.over {
            Over::Tcp => Phrase::new("firewall is silent"),
            Over::Udp => {
                let phrase = Phrase::new("no answer over UDP");
                match &finding.target.payload {
                    Some(payload) => phrase.say(" to ").join(saw::payload(payload)),
                    None => phrase,
                }
            }
            Over::Quic => Phrase::new("no answer to QUIC"),
            Over::Icmp => Phrase::new("no reply to ping"),
        },
        Some(Reach::Refused) if door.over == Over::Tcp => Phrase::new("stopped by TCP reset"),
        Some(Reach::PrivateAddress) => Phrase::new("address ")
            .value(endpoint.endpoint.address)
            .say(" is not globally routable"),
        Some(
            Reach::NoName
            | Reach::PublicAddress
            | Reach::PublicRecord
            | Reach::Prohibited
            | Reach::Refused
            | Reach::Connected
            | Reach::TlsRefused
            | Reach::TlsEstablished
            | Reach::Denied
            | Reach::Served,
        )
        | None => saw::endpoint(door, endpoint),
    }
}
