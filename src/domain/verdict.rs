//! From an observation to a verdict: pure, exhaustive, and the only place that decides.
//!
//! The rules, in the order in which they are asked:
//!
//! 1. A handshake or an answer past the barrier is an exposure, whatever the controls say.
//! 2. A stop at the barrier that the denial does not list is an exposure too: weaker than promised.
//! 3. A stop that could also have its cause on our own side counts only while a control held.
//! 4. Everything else that was not plainly seen is inconclusive.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{Class, Transport};
use super::observation::{Blind, Caveat, Outcome};
use super::reach::{Layer, Reach};
use super::target::{Barrier, Denial};
use super::way::PortProof;

/// The word on a target. Ordered by how much it matters when several are put together.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// An outsider was stopped at the barrier or before it, and it was seen.
    Blocked,
    /// It could not be observed.
    Inconclusive,
    /// An outsider gets past the barrier.
    Exposed,
}

impl Verdict {
    /// The word used in JSON and outputs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Inconclusive => "inconclusive",
            Self::Exposed => "exposed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The control that a finding rests on.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct RestsOn {
    /// The control as it is declared, such as `www.example.com:443`.
    pub control: String,
    /// How it is known that our own side lets the endpoint's port out.
    pub port: PortProof,
    /// Whether it is the target's own control, on the target's own path.
    pub own_path: bool,
}

/// What keeps an observation from telling about the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// 429: we, not everybody, are being slowed down.
    Throttled,
    /// A bot challenge: a browser would be let through.
    Challenged,
    /// The page of a known web filter, which may stand on our own side.
    Filtered,
    /// A denial from a certificate that does not cover the name. Only a denial is doubted.
    ForeignCertificate,
    /// An open service may have been silent after what was sent over UDP, for this reason. Only
    /// silence is doubted.
    Mute(&'static str),
}

impl From<Caveat> for Doubt {
    fn from(caveat: Caveat) -> Self {
        match caveat {
            Caveat::Throttled => Self::Throttled,
            Caveat::Challenged => Self::Challenged,
            Caveat::Filtered => Self::Filtered,
            Caveat::ForeignCertificate => Self::ForeignCertificate,
        }
    }
}

/// What the controls prove for one observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The control was reached before, after and in between.
    Held(RestsOn),
    /// A control that must hold did not: its name.
    Lost(String),
    /// There is no control for this.
    Absent,
    /// None is needed: nothing on our own side could look the same.
    NotNeeded,
    /// A control held, and nothing was reached on this port: our own side may close it on the way out.
    PortUnproven(Transport, u16),
    /// A control held by another way out than the one that leads to the endpoint: its name.
    OtherWay(String),
    /// A control held, and it stands on this machine or within its own network: its name.
    TooNear(String),
    /// A control was reached only by sending again, and only while targets were tried: its name.
    Doubtful(String),
    /// A control held, and it was not tried between the first attempt and the last: its name.
    NotBetween(String),
    /// What was silent in the crowd answered when it was tried alone.
    TooFast,
    /// This machine may have dropped the answers itself.
    Deaf(Blind),
    /// The resolver gave an address to a name that cannot exist, so its answers prove nothing.
    Invented,
    /// What only insiders reach was reached from here: nothing that is seen tells about outsiders.
    Inside(String),
    /// Whether this is outside could not be found out: what only insiders reach was neither reached
    /// nor seen to be shut.
    NotProvenOutside(String),
}

/// Why a verdict is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Reason {
    /// Blocked: stopped at the barrier or before it.
    Stopped,
    /// Exposed: got past the barrier.
    PastBarrier,
    /// Exposed: stopped at the barrier, but in a way that the denial does not list.
    WeakerThanPromised,
    /// Inconclusive: the name does not resolve, so the target may be stale.
    NameGone,
    /// Inconclusive: the connection was there, and the layer of the barrier said nothing that can
    /// be judged.
    NoDenialSeen,
    /// Inconclusive: 429 tells about this vantage.
    Throttled,
    /// Inconclusive: a bot challenge tells about this vantage.
    Challenged,
    /// Inconclusive: no control stands for this transport and family.
    NoControl {
        /// The class that lacks one; none for name resolution.
        class: Option<Class>,
    },
    /// Inconclusive: a control that must be reachable was not.
    ControlLost {
        /// The control as it is declared.
        control: String,
    },
    /// Inconclusive: nothing was reached on this port in this round, so our own side may close it on
    /// the way out.
    PortUnproven {
        /// The transport.
        transport: Transport,
        /// The port.
        port: u16,
    },
    /// Inconclusive: the control is reached by another interface, gateway or source address.
    ControlOnOtherWay {
        /// The control as it is declared.
        control: String,
    },
    /// Inconclusive: the control stands on this machine or within its own network.
    ControlTooNear {
        /// The control as it is declared.
        control: String,
    },
    /// Inconclusive: the control was reached only by sending again, while targets were tried.
    ControlDoubtful {
        /// The control as it is declared.
        control: String,
    },
    /// Inconclusive: no control was tried between the first attempt and the last.
    ControlNotBetween {
        /// The control as it is declared.
        control: String,
    },
    /// Inconclusive: something that was silent among the others answered when it was tried alone.
    TooFast,
    /// Inconclusive: the page of a known web filter.
    Filtered,
    /// Inconclusive: the denial came with a certificate that does not cover the name.
    ForeignCertificate,
    /// Inconclusive: the resolver answers for names that cannot exist.
    ResolverInvents,
    /// Inconclusive: an open service may be silent as well.
    SilenceTellsNothing {
        /// Why it may.
        because: String,
    },
    /// Inconclusive: the round looks from inside.
    Inside {
        /// What only insiders reach, and was reached.
        reached: String,
    },
    /// Inconclusive: the round may look from inside.
    NotProvenOutside {
        /// What only insiders reach.
        unproven: String,
    },
    /// Inconclusive: it was blocked wherever it was looked at, and not looked at from everywhere.
    NotLookedAt {
        /// The vantage whose round is missing.
        from: String,
    },
    /// Inconclusive: this machine could not look.
    Blind {
        /// Why not.
        cause: Blind,
    },
    /// Any verdict: why is left out, because everybody can read this.
    Withheld,
}

impl Reason {
    /// The word used in JSON and as the JUnit type of what is inconclusive.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::PastBarrier => "past_barrier",
            Self::WeakerThanPromised => "weaker_than_promised",
            Self::NameGone => "name_gone",
            Self::NoDenialSeen => "no_denial_seen",
            Self::Throttled => "throttled",
            Self::Challenged => "challenged",
            Self::NoControl { .. } => "no_control",
            Self::ControlLost { .. } => "control_lost",
            Self::PortUnproven { .. } => "port_unproven",
            Self::ControlOnOtherWay { .. } => "control_on_other_way",
            Self::ControlTooNear { .. } => "control_too_near",
            Self::ControlDoubtful { .. } => "control_doubtful",
            Self::ControlNotBetween { .. } => "control_not_between",
            Self::TooFast => "too_fast",
            Self::Filtered => "filtered",
            Self::ForeignCertificate => "foreign_certificate",
            Self::ResolverInvents => "resolver_invents",
            Self::SilenceTellsNothing { .. } => "silence_tells_nothing",
            Self::Inside { .. } => "inside",
            Self::NotProvenOutside { .. } => "not_proven_outside",
            Self::NotLookedAt { .. } => "not_looked_at",
            Self::Blind { cause } => cause.as_str(),
            Self::Withheld => "withheld",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped at the barrier or before it"),
            Self::PastBarrier => f.write_str("an outsider gets past the barrier"),
            Self::WeakerThanPromised => {
                f.write_str("stopped, but in a weaker way than the denial promises")
            }
            Self::NameGone => f.write_str("the name does not resolve: is the target stale?"),
            Self::NoDenialSeen => {
                f.write_str("connected, and then no denial was seen at the barrier")
            }
            Self::Throttled => {
                f.write_str("answered 429, which tells about this vantage and not about the target")
            }
            Self::Challenged => f.write_str(
                "answered with a bot challenge, which tells about this vantage and not about the \
                 target",
            ),
            Self::NoControl { class: Some(class) } => {
                write!(f, "no control stands for {class}")
            }
            Self::NoControl { class: None } => f.write_str("no control stands for name resolution"),
            Self::ControlLost { control } => {
                write!(f, "control {control} was not reached throughout")
            }
            Self::PortUnproven { transport, port } => write!(
                f,
                "nothing was reached on {transport} port {port} in this round, so this network may \
                 close it on the way out"
            ),
            Self::ControlOnOtherWay { control } => write!(
                f,
                "control {control} is reached by another way out of this machine"
            ),
            Self::ControlTooNear { control } => write!(
                f,
                "control {control} stands on this machine or in its own network, and proves nothing \
                 about the way beyond"
            ),
            Self::ControlDoubtful { control } => write!(
                f,
                "control {control} lost packets while the targets were tried, and only then"
            ),
            Self::ControlNotBetween { control } => write!(
                f,
                "control {control} was not tried between the first attempt and the last"
            ),
            Self::TooFast => f.write_str(
                "a target that was silent among the others answered when it was tried alone: the \
                 round is too fast for this network",
            ),
            Self::Filtered => f.write_str(
                "answered with the page of a web filter or proxy, which may be this network's own",
            ),
            Self::ForeignCertificate => f.write_str(
                "denied with a certificate that does not cover the name, so who denied is not known",
            ),
            Self::ResolverInvents => {
                f.write_str("a resolver gives addresses to names that cannot exist")
            }
            Self::SilenceTellsNothing { because } => {
                write!(f, "silence over UDP tells nothing here: {because}")
            }
            Self::Inside { reached } => write!(
                f,
                "{reached}, which only insiders reach, was reached: this vantage is inside"
            ),
            Self::NotProvenOutside { unproven } => write!(
                f,
                "whether this vantage is outside is not known: {unproven}, which only insiders \
                 reach, could not be looked at"
            ),
            Self::NotLookedAt { from } => write!(
                f,
                "blocked wherever it was looked at, and nobody looked from {from}"
            ),
            Self::Blind { cause } => cause.fmt(f),
            Self::Withheld => f.write_str("why is withheld"),
        }
    }
}

/// A verdict with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The word.
    pub verdict: Verdict,
    /// Why.
    pub reason: Reason,
}

impl Judgement {
    const fn new(verdict: Verdict, reason: Reason) -> Self {
        Self { verdict, reason }
    }

    const fn inconclusive(reason: Reason) -> Self {
        Self::new(Verdict::Inconclusive, reason)
    }
}

/// Judges one observation against a target's promise.
///
/// `doubt` is what keeps the observation from telling about the target, if anything does. `standing`
/// is what the controls prove for the transport and family of the endpoint or, for a stop at the
/// layer `dns`, for the resolvers; `class` is what to name when there is no control (`None` for name
/// resolution).
#[must_use]
pub fn judge(
    barrier: Barrier,
    denial: &Denial,
    outcome: Outcome,
    doubt: Option<Doubt>,
    standing: &Standing,
    class: Option<Class>,
) -> Judgement {
    // From inside, open doors and shut ones mean as little.
    if let Standing::Inside(reached) = standing {
        return Judgement::inconclusive(Reason::Inside {
            reached: reached.clone(),
        });
    }
    let reach = match outcome {
        Outcome::Reached(reach) => reach,
        Outcome::Blind(cause) => return Judgement::inconclusive(Reason::Blind { cause }),
    };
    match place(barrier, denial, reach, doubt) {
        Place::Past => match (reach.layer(), standing) {
            // An address from a resolver that makes addresses up is not an observation.
            (Layer::Dns, Standing::Invented) => Judgement::inconclusive(Reason::ResolverInvents),
            _ => Judgement::new(Verdict::Exposed, Reason::PastBarrier),
        },
        Place::Unlisted => unlisted(reach, standing, class),
        Place::Unseen(reason) => Judgement::inconclusive(reason),
        Place::Stopped => stopped(reach, standing, class),
    }
}

/// Where a rung lies, seen from the barrier, with the controls left aside.
enum Place {
    Stopped,
    Unlisted,
    Past,
    Unseen(Reason),
}

fn place(barrier: Barrier, denial: &Denial, reach: Reach, doubt: Option<Doubt>) -> Place {
    use Barrier::{Dns, Http, Network, Tls};
    match reach {
        Reach::NoName => match barrier {
            Dns => by_layer(barrier, denial, reach),
            // A stale name must not pass for a safe one.
            Network | Tls | Http => Place::Unseen(Reason::NameGone),
        },
        Reach::PublicAddress | Reach::PublicRecord => match barrier {
            Dns => Place::Past,
            // A published address is a step on the way; the round climbs on from it.
            Network | Tls | Http => Place::Unseen(Reason::NoDenialSeen),
        },
        Reach::Connected => match barrier {
            Dns | Network => Place::Past,
            // The two upper barriers want a denial that was seen.
            Tls | Http => Place::Unseen(Reason::NoDenialSeen),
        },
        Reach::TlsEstablished => match barrier {
            Dns | Network | Tls => Place::Past,
            Http => Place::Unseen(Reason::NoDenialSeen),
        },
        Reach::Denied | Reach::Served => match (barrier, doubt) {
            (Dns | Network | Tls, _) => Place::Past,
            (Http, Some(Doubt::Throttled)) => Place::Unseen(Reason::Throttled),
            (Http, Some(Doubt::Challenged)) => Place::Unseen(Reason::Challenged),
            (Http, Some(Doubt::Filtered)) => Place::Unseen(Reason::Filtered),
            (Http, Some(Doubt::ForeignCertificate)) if reach == Reach::Denied => {
                Place::Unseen(Reason::ForeignCertificate)
            }
            (Http, Some(Doubt::ForeignCertificate | Doubt::Mute(_)) | None) => {
                by_layer(barrier, denial, reach)
            }
        },
        Reach::NoAnswer => match doubt {
            Some(Doubt::Mute(because)) => Place::Unseen(Reason::SilenceTellsNothing {
                because: because.to_owned(),
            }),
            Some(
                Doubt::Throttled | Doubt::Challenged | Doubt::Filtered | Doubt::ForeignCertificate,
            )
            | None => by_layer(barrier, denial, reach),
        },
        Reach::PrivateAddress | Reach::Prohibited | Reach::Refused | Reach::TlsRefused => {
            by_layer(barrier, denial, reach)
        }
    }
}

fn by_layer(barrier: Barrier, denial: &Denial, reach: Reach) -> Place {
    let layer = reach.layer();
    if layer < barrier.layer() || denial.stops.contains(&reach) {
        Place::Stopped
    } else if layer == barrier.layer() && reach.is_stop() {
        Place::Unlisted
    } else {
        Place::Past
    }
}

/// A stop that counts: does it also stand?
fn stopped(reach: Reach, standing: &Standing, class: Option<Class>) -> Judgement {
    let blocked = Judgement::new(Verdict::Blocked, Reason::Stopped);
    match standing {
        Standing::Lost(control) => Judgement::inconclusive(Reason::ControlLost {
            control: control.clone(),
        }),
        Standing::Invented => Judgement::inconclusive(Reason::ResolverInvents),
        Standing::Inside(reached) => Judgement::inconclusive(Reason::Inside {
            reached: reached.clone(),
        }),
        Standing::NotProvenOutside(unproven) => Judgement::inconclusive(Reason::NotProvenOutside {
            unproven: unproven.clone(),
        }),
        Standing::Held(_) | Standing::NotNeeded => blocked,
        // What was seen and could not be our own side's doing stands without a control.
        _ if !needs_control(reach) => blocked,
        Standing::Absent => Judgement::inconclusive(Reason::NoControl { class }),
        Standing::PortUnproven(transport, port) => Judgement::inconclusive(Reason::PortUnproven {
            transport: *transport,
            port: *port,
        }),
        Standing::OtherWay(control) => Judgement::inconclusive(Reason::ControlOnOtherWay {
            control: control.clone(),
        }),
        Standing::TooNear(control) => Judgement::inconclusive(Reason::ControlTooNear {
            control: control.clone(),
        }),
        Standing::Doubtful(control) => Judgement::inconclusive(Reason::ControlDoubtful {
            control: control.clone(),
        }),
        Standing::NotBetween(control) => Judgement::inconclusive(Reason::ControlNotBetween {
            control: control.clone(),
        }),
        Standing::TooFast => Judgement::inconclusive(Reason::TooFast),
        Standing::Deaf(cause) => Judgement::inconclusive(Reason::Blind { cause: *cause }),
    }
}

/// A stop that the denial does not list. Silence must be proven here as well before it may be
/// called weaker than promised; a reset or an ICMP error was seen.
fn unlisted(reach: Reach, standing: &Standing, class: Option<Class>) -> Judgement {
    let weaker = Judgement::new(Verdict::Exposed, Reason::WeakerThanPromised);
    match reach {
        // An address from a resolver that makes addresses up is not an observation.
        Reach::PrivateAddress if *standing == Standing::Invented => {
            Judgement::inconclusive(Reason::ResolverInvents)
        }
        Reach::NoAnswer | Reach::NoName => match stopped(reach, standing, class) {
            Judgement {
                verdict: Verdict::Blocked,
                ..
            } => weaker,
            unproven => unproven,
        },
        Reach::PrivateAddress
        | Reach::PublicAddress
        | Reach::PublicRecord
        | Reach::Prohibited
        | Reach::Refused
        | Reach::Connected
        | Reach::TlsRefused
        | Reach::TlsEstablished
        | Reach::Denied
        | Reach::Served => weaker,
    }
}

/// Whether a broken network, an egress filter or a broken resolver on our own side looks the same.
const fn needs_control(reach: Reach) -> bool {
    match reach {
        Reach::NoName
        | Reach::PrivateAddress
        | Reach::NoAnswer
        | Reach::Prohibited
        | Reach::Refused => true,
        Reach::PublicAddress
        | Reach::PublicRecord
        | Reach::Connected
        | Reach::TlsRefused
        | Reach::TlsEstablished
        | Reach::Denied
        | Reach::Served => false,
    }
}
