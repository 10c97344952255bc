//! What the user declares, after the configuration was read and found good.

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, Family, Transport};
use super::payload::Payload;
use super::position::Position;
use super::reach::{Layer, Reach};
use super::record::Record;
use super::trail::{Notify, TrailPlan};
use super::waiver::Waiver;

/// A host as it stands in a target: a name to resolve, or an address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// A DNS name in its ASCII form, without a trailing dot.
    Name(String),
    /// An IP address literal.
    Address(IpAddr),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(IpAddr::V4(address)) => write!(f, "{address}"),
            Self::Address(IpAddr::V6(address)) => write!(f, "[{address}]"),
        }
    }
}

/// The parts of a URL that a probe needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// The URL in its normal form, with the host in ASCII. Never holds credentials.
    pub text: String,
    /// Whether the scheme is `https`.
    pub https: bool,
    /// The host.
    pub host: Host,
    /// The port, given or of the scheme.
    pub port: u16,
    /// Path and query, beginning with `/`.
    pub path: String,
    /// The value of the `Host` header or `:authority`.
    pub authority: String,
}

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetKind {
    /// A web address, climbed up to HTTP.
    Url(Url),
    /// A TCP port.
    Tcp {
        /// The host.
        host: Host,
        /// The port.
        port: u16,
        /// Whether to listen for what the server says first, and to look closer at who it was that
        /// completed the handshake.
        banner: bool,
    },
    /// A UDP port.
    Udp {
        /// The host.
        host: Host,
        /// The port.
        port: u16,
        /// What is sent.
        payload: Payload,
    },
    /// A UDP port where QUIC is tried.
    Quic {
        /// The host.
        host: Host,
        /// The port.
        port: u16,
    },
    /// A host that must not reply to an ICMP echo request.
    Icmp {
        /// The host.
        host: Host,
    },
    /// A name that must not lead anywhere.
    Dns {
        /// The name in ASCII, without a trailing dot.
        name: String,
        /// The type of record that must not be published, such as TXT; none for addresses.
        record: Option<Record>,
    },
}

impl TargetKind {
    /// The key of this kind in the configuration.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Url(_) => "url",
            Self::Tcp { .. } => "tcp",
            Self::Udp { .. } => "udp",
            Self::Quic { .. } => "quic",
            Self::Icmp { .. } => "icmp",
            Self::Dns { .. } => "dns",
        }
    }

    /// The host; none for a name that is not connected to.
    #[must_use]
    pub const fn host(&self) -> Option<&Host> {
        match self {
            Self::Url(Url { host, .. })
            | Self::Tcp { host, .. }
            | Self::Udp { host, .. }
            | Self::Quic { host, .. }
            | Self::Icmp { host } => Some(host),
            Self::Dns { .. } => None,
        }
    }

    /// The name that must be resolved, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Dns { name, .. } => Some(name),
            Self::Url(_)
            | Self::Tcp { .. }
            | Self::Udp { .. }
            | Self::Quic { .. }
            | Self::Icmp { .. } => match self.host() {
                Some(Host::Name(name)) => Some(name),
                Some(Host::Address(_)) | None => None,
            },
        }
    }

    /// The address literal, if the host is one.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        match self.host() {
            Some(Host::Address(address)) => Some(*address),
            Some(Host::Name(_)) | None => None,
        }
    }

    /// The port that is spoken to; none for a name and for ICMP.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        match self {
            Self::Url(url) => Some(url.port),
            Self::Tcp { port, .. } | Self::Udp { port, .. } | Self::Quic { port, .. } => {
                Some(*port)
            }
            Self::Icmp { .. } | Self::Dns { .. } => None,
        }
    }

    /// What carries it; none for a name, whose resolvers are asked in their own way.
    #[must_use]
    pub const fn transport(&self) -> Option<Transport> {
        match self {
            Self::Url(_) | Self::Tcp { .. } => Some(Transport::Tcp),
            Self::Udp { .. } | Self::Quic { .. } => Some(Transport::Udp),
            Self::Icmp { .. } => Some(Transport::Icmp),
            Self::Dns { .. } => None,
        }
    }

    /// What it stands for at one address; none for a name.
    #[must_use]
    pub fn endpoint(&self, address: IpAddr) -> Option<Endpoint> {
        Some(Endpoint {
            transport: self.transport()?,
            address,
            port: self.port(),
        })
    }
}

impl fmt::Display for TargetKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(&url.text),
            Self::Tcp { host, port, .. }
            | Self::Udp { host, port, .. }
            | Self::Quic { host, port } => write!(f, "{host}:{port}"),
            Self::Icmp {
                host: Host::Address(address),
            } => write!(f, "{address}"),
            Self::Icmp { host } => host.fmt(f),
            Self::Dns {
                name,
                record: Some(record),
            } => write!(f, "{name} ({record})"),
            Self::Dns { name, .. } => f.write_str(name),
        }
    }
}

/// The layer at which an outsider must be stopped at the latest.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Barrier {
    /// No address, or none that is globally routable.
    Dns,
    /// No connection. The default.
    #[default]
    Network,
    /// No TLS session.
    Tls,
    /// No answer from the application.
    Http,
}

impl Barrier {
    /// The layer of the same name.
    #[must_use]
    pub const fn layer(self) -> Layer {
        match self {
            Self::Dns => Layer::Dns,
            Self::Network => Layer::Network,
            Self::Tls => Layer::Tls,
            Self::Http => Layer::Http,
        }
    }

    /// The stops that belong to this barrier's own layer; those further out count always.
    #[must_use]
    pub const fn stops(self) -> &'static [Reach] {
        match self {
            Self::Dns => &[Reach::NoName, Reach::PrivateAddress],
            Self::Network => &[Reach::NoAnswer, Reach::Prohibited, Reach::Refused],
            Self::Tls => &[Reach::TlsRefused],
            Self::Http => &[Reach::Denied],
        }
    }
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.layer().fmt(f)
    }
}

/// Which HTTP answers count as a denial. All conditions must hold at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HttpDenial {
    /// Accepted status codes.
    pub status: BTreeSet<u16>,
    /// Headers that must be there, name in lowercase and exact value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub header: Vec<(String, String)>,
    /// A regular expression that must match somewhere in the first 64 KiB of the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
}

impl Default for HttpDenial {
    fn default() -> Self {
        Self {
            status: BTreeSet::from([403, 404]),
            header: Vec::new(),
            body: None,
        }
    }
}

/// Which ways of being stopped count at the barrier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Denial {
    /// Accepted stops at the barrier's own layer.
    pub stops: BTreeSet<Reach>,
    /// What an HTTP answer must look like to be `denied`.
    pub http: HttpDenial,
}

impl Denial {
    /// Everything that belongs to the barrier.
    #[must_use]
    pub fn all_of(barrier: Barrier) -> Self {
        Self {
            stops: barrier.stops().iter().copied().collect(),
            http: HttpDenial::default(),
        }
    }
}

/// How long, how often and in which families to try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// The deadline of one attempt, all layers included.
    pub timeout: Duration,
    /// How many attempts an endpoint gets, at least 1.
    pub attempts: u32,
    /// The shortest time between the starts of two attempts against one endpoint.
    pub interval: Duration,
}

impl Default for Pace {
    /// Three attempts of 4.4 s. Linux since 6.5 sends its SYNs at 0, 1, 2, 3, 4 and 5 s, so that each
    /// attempt carries five with 0.4 s left for the answer to the last, and the whole stays, with the
    /// controls before and after, under 15 s.
    fn default() -> Self {
        Self {
            timeout: Duration::from_millis(4_400),
            attempts: 3,
            interval: Duration::from_secs(1),
        }
    }
}

/// When a zone's own servers are asked beside the resolvers. There is no never: a resolver's word alone
/// makes no stop of an address that is not connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Authoritative {
    /// Where resolvers gave an address that only the zone can bear out.
    #[default]
    WhereNeeded,
    /// Whatever the resolvers said.
    Always,
}

/// A target: what the user declares must be unreachable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Unique in the plan.
    pub name: String,
    /// What is watched.
    pub kind: TargetKind,
    /// The target's promise.
    pub barrier: Barrier,
    /// Which stops count at the barrier.
    pub denial: Denial,
    /// The watched families, sorted, never empty.
    pub families: Vec<Family>,
    /// A control on the target's own path.
    pub control: Option<Box<Control>>,
    /// Timing.
    pub pace: Pace,
    /// Whether addresses that are not globally routable are connected to.
    pub probe_non_global: bool,
    /// When the zone's own servers are asked for its name.
    pub authoritative: Authoritative,
    /// For `https` URLs: whether QUIC is tried on the same port beside TCP. That can only add: an
    /// answer is judged, silence without a control is none.
    pub http3: bool,
    /// For `udp`: whether silence counts, although an open service may be silent too.
    pub accept_silence: bool,
    /// Who answers for an exposure of it, and until when.
    pub waiver: Option<Waiver>,
    /// How many sets of attempts must see an exposure before an incident is opened; at least 1.
    pub confirm: u32,
    /// Whom its incident is for.
    pub notify: Notify,
    /// Where the target's entry begins.
    pub position: Position,
}

impl Target {
    /// The UDP port that is tried beside what is declared: an `https` URL may be served over QUIC as well,
    /// where a firewall that covers TCP 443 often forgets UDP 443.
    #[must_use]
    pub const fn companion_port(&self) -> Option<u16> {
        match &self.kind {
            TargetKind::Url(url) if url.https && self.http3 => Some(url.port),
            TargetKind::Url(_)
            | TargetKind::Tcp { .. }
            | TargetKind::Udp { .. }
            | TargetKind::Quic { .. }
            | TargetKind::Icmp { .. }
            | TargetKind::Dns { .. } => None,
        }
    }

    /// The ports that are spoken to, each with its transport, the companion's among them.
    pub fn ports(&self) -> impl Iterator<Item = (Transport, u16)> {
        let own = self.kind.transport().zip(self.kind.port());
        let beside = self.companion_port().map(|port| (Transport::Udp, port));
        own.into_iter().chain(beside)
    }
}

/// Who asked for a control.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ControlOrigin {
    /// `controls:` in the configuration.
    Config,
    /// `control:` of a target.
    Target,
    /// The API host that GitHub Actions names in `GITHUB_API_URL`.
    GithubApi,
}

/// Something that must be reachable from this vantage, or silence proves nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Control {
    /// What is reached. Of a control that answers on every port, the port in it means nothing: it is
    /// tried on each port that targets of the same transport use.
    pub kind: TargetKind,
    /// Whether it answers on every port, declared as `host:*`.
    pub every_port: bool,
    /// Who asked for it.
    pub origin: ControlOrigin,
    /// Timing.
    pub pace: Pace,
    /// Whether addresses that are not globally routable are connected to.
    pub probe_non_global: bool,
    /// Where it is declared; none for the built-in one.
    pub position: Option<Position>,
}

impl Control {
    /// The control as it is declared, such as `www.example.com:443` or `any.example.com:*`.
    #[must_use]
    pub fn name(&self) -> String {
        match self.kind.host() {
            Some(host) if self.every_port => format!("{host}:*"),
            Some(_) | None => self.kind.to_string(),
        }
    }

    /// Whether it stands on this port, or answers there as on every other.
    #[must_use]
    pub fn is_on(&self, port: Option<u16>) -> bool {
        self.every_port || self.kind.port() == port
    }
}

/// Which resolvers are asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolvers {
    /// Those of the operating system.
    System,
    /// These, each asked for every name.
    Listed(Vec<SocketAddr>),
}

/// A way to learn the address that the outside sees us come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Echo {
    /// A name server that answers with the address of who asks.
    Dns {
        /// The name to ask for, in ASCII, without a trailing dot.
        name: String,
        /// The type of record: A or AAAA by the server's family where none is given, or TXT.
        record: Option<Record>,
        /// The servers to ask; each is asked over its own family.
        servers: Vec<SocketAddr>,
    },
    /// A web page whose text is the address of who asks.
    Http(Url),
}

/// What is to be found out about the vantage itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VantagePlan {
    /// How to learn the egress address; none by default.
    pub egress: Option<Echo>,
    /// Something that only insiders reach: if it is reached, the round looks from inside.
    pub must_not_reach: Option<Control>,
    /// Whether this network lets every port out, as the user says; none where nothing is said.
    pub unfiltered: Option<bool>,
}

/// A round that can be carried out: everything resolved, nothing left to guess.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The configuration file, as the user named it or as the search found it.
    pub config: String,
    /// The targets in the order of the file. Never empty.
    pub targets: Vec<Target>,
    /// The controls for every target, without those of single targets.
    pub controls: Vec<Control>,
    /// Which resolvers are asked.
    pub resolvers: Resolvers,
    /// What is to be found out about the vantage itself.
    pub vantage: VantagePlan,
    /// How many attempts are in flight at most.
    pub concurrency: usize,
    /// How many attempts are in flight at most against one address.
    pub per_host: usize,
    /// How many attempts are started a second at most.
    pub rate: u32,
    /// What becomes of the incident trail.
    pub incidents: TrailPlan,
}
