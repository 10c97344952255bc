//! `barrier:` and what makes sense for which kind of target.

use super::kind;
use crate::config::field::{Field, words_of};
use crate::config::file::Kind;
use crate::config::problem::any_of;
use crate::config::reader::{Reader, Spot};
use crate::domain::reach::Reach;
use crate::domain::target::{Barrier, TargetKind, Url};

/// What is known of a target when its barrier is judged, even if its value is wrong.
pub struct Shape {
    kind: Kind,
    /// Whether it is an `http://` address.
    http: bool,
    /// Whether its host is an address.
    literal: bool,
    /// Whether it names a type of record.
    record: bool,
}

impl Shape {
    /// The shape of a target with exactly one kind.
    pub fn of(target: &Spot<'_>, kind: Option<&TargetKind>) -> Option<Self> {
        let [only] = kind::present(target).try_into().ok()?;
        Some(Self {
            kind: only,
            http: matches!(kind, Some(TargetKind::Url(Url { https: false, .. }))),
            literal: kind.is_some_and(|kind| kind.address().is_some()),
            record: target.has("record"),
        })
    }

    const fn default_barrier(&self) -> Barrier {
        match self.kind {
            Kind::Dns => Barrier::Dns,
            Kind::Url | Kind::Tcp | Kind::Udp | Kind::Quic | Kind::Icmp => Barrier::Network,
        }
    }

    /// Why a barrier makes no sense here, if it does not.
    const fn objection(&self, barrier: Barrier) -> Option<&'static str> {
        match (self.kind, barrier) {
            (Kind::Dns, Barrier::Network | Barrier::Tls | Barrier::Http) => {
                Some("on `dns` nothing is tried but resolving; watch a `url` or `tcp` for that")
            }
            (_, Barrier::Dns) if self.literal => Some("an address has no name to resolve"),
            (Kind::Url, Barrier::Tls) if self.http => Some("an `http://` address has no TLS"),
            (Kind::Tcp, Barrier::Tls | Barrier::Http) => {
                Some("on `tcp` nothing above the connection is tried; watch a `url` for that")
            }
            (Kind::Udp, Barrier::Tls | Barrier::Http) => {
                Some("on `udp` nothing above the first answer is tried; watch a `url` or `quic`")
            }
            (Kind::Icmp, Barrier::Tls | Barrier::Http) => {
                Some("on `icmp` nothing is tried but the echo; watch a `url` for that")
            }
            (Kind::Quic, Barrier::Http) => {
                Some("on `quic` nothing above the handshake is tried; watch a `url` for that")
            }
            (Kind::Url, Barrier::Dns | Barrier::Network | Barrier::Tls | Barrier::Http)
            | (Kind::Quic, Barrier::Dns | Barrier::Network | Barrier::Tls)
            | (Kind::Tcp | Kind::Udp | Kind::Icmp, Barrier::Dns | Barrier::Network)
            | (Kind::Dns, Barrier::Dns) => None,
        }
    }

    /// Why one of a barrier's own stops makes no sense here, if it does not.
    pub const fn stop_objection(&self, stop: Reach) -> Option<&'static str> {
        match (self.kind, stop) {
            (Kind::Icmp, Reach::Refused) => {
                Some("an echo request is for no port, so none can refuse it")
            }
            (Kind::Dns, Reach::PrivateAddress) if self.record => {
                Some("with `record` no address is asked for")
            }
            (
                Kind::Url | Kind::Tcp | Kind::Udp | Kind::Quic | Kind::Icmp | Kind::Dns,
                Reach::NoName
                | Reach::PrivateAddress
                | Reach::PublicAddress
                | Reach::PublicRecord
                | Reach::NoAnswer
                | Reach::Prohibited
                | Reach::Refused
                | Reach::Connected
                | Reach::TlsRefused
                | Reach::TlsEstablished
                | Reach::Denied
                | Reach::Served,
            ) => None,
        }
    }
}

/// The barrier, which must make sense for the target.
pub fn read(
    reader: &mut Reader<'_>,
    target: &Spot<'_>,
    field: &Field<Barrier>,
    shape: Option<&Shape>,
) -> Option<Barrier> {
    const ALL: [Barrier; 4] = [Barrier::Dns, Barrier::Network, Barrier::Tls, Barrier::Http];
    let spot = target.key("barrier");
    let given = reader.word(&spot, field, words_of::<Barrier>());
    let Some(shape) = shape else { return given };
    let barrier = match field {
        Field::Absent => shape.default_barrier(),
        Field::Given(_) | Field::Unfit(_) => given?,
    };
    let Some(why) = shape.objection(barrier) else {
        return Some(barrier);
    };
    let allowed = ALL
        .iter()
        .filter(|other| shape.objection(**other).is_none());
    let words: Vec<String> = allowed.map(ToString::to_string).collect();
    let help = format!("allowed here: {}", any_of(words.iter().map(String::as_str)));
    let message = format!("barrier `{barrier}` makes no sense for this target: {why}");
    reader.report(spot.place(), message, [help]);
    None
}
