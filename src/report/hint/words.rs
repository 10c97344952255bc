//! The words of the advice about controls, the vantage and what this machine may do.

use super::super::phrase::Phrase;
use crate::domain::endpoint::{Class, Family, Transport};
use crate::domain::own::NotOwn;

/// How many ports are named.
const PORTS: usize = 6;

pub(super) fn hosted_ping() -> Phrase {
    Phrase::new(
        "no reply to a ping comes through to GitHub-hosted runners: watch this from a self-hosted one",
    )
}

pub(super) fn no_echo_socket() -> Phrase {
    Phrase::new("noentry may open no ICMP socket: let its group in with ")
        .code("sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"")
        .say(", or give it the capability ")
        .code("CAP_NET_RAW")
}

pub(super) fn silence() -> Phrase {
    Phrase::new("an open UDP service may be silent to what was sent: name a ")
        .code("payload:")
        .say(" that this one must answer, or set ")
        .code("accept_silence: true")
        .say(" if you know that silence means shut here")
}

pub(super) fn inside(guard: &str) -> Phrase {
    Phrase::new("only insiders reach ").value(guard).say(
        ", and this vantage did: run noentry elsewhere, or take its address out of the allow-list",
    )
}

pub(super) fn not_proven_outside(guard: &str) -> Phrase {
    Phrase::new("whether ")
        .value(guard)
        .say(
            " is shut from here could not be seen: it takes a control of the same transport, family \
             and port that holds (or, for the port, ",
        )
        .code("vantage: { unfiltered: true }")
        .say("), or mend ")
        .code("must_not_reach")
}

pub(super) fn no_way() -> Phrase {
    Phrase::new(
        "no way leads to these addresses, though others of their family are reached: look at the \
         routing on the way there",
    )
}

pub(super) fn control_lost(control: &str) -> Phrase {
    Phrase::new("control ").value(control).say(
        " was not reached throughout: look at this machine's network first, or choose a control that \
         is always there",
    )
}

pub(super) fn names_missing(control: &str) -> Phrase {
    Phrase::new("the name does not resolve, and that of control ")
        .value(control)
        .say(
            " was not found throughout either: look at the resolvers before you take a target for \
             stale; this machine's hosts file is not read",
        )
}

pub(super) fn control_not_own(control: &str, why: NotOwn) -> Phrase {
    Phrase::new("somebody else answered in the name of control ")
        .value(control)
        .say(format!(
            " ({why}): look for a proxy or a portal on this side, or choose a control that answers for \
             itself"
        ))
}

pub(super) fn filtered() -> Phrase {
    Phrase::new(
        "the answer is the page of a web filter or proxy, which may stand on this side: look from a \
         network without it. Where it stands before the target and is what denies, name its mark, such \
         as ",
    )
    .code("denial: { status: [403], header: { x-squid-error: ERR_ACCESS_DENIED 0 } }")
}

pub(super) fn foreign_certificate() -> Phrase {
    Phrase::new(
        "whoever denied has a certificate for another name, so it may be anybody on the way: give the \
         server that denies a certificate that covers the target's name",
    )
}

pub(super) fn alert_in_the_clear() -> Phrase {
    Phrase::new(
        "a TLS alert before the server's hello can be written by anything on the way, so it is no \
         refusal: give the server a certificate for the name, and let it demand one of the client (",
    )
    .code("barrier: tls")
    .say(") or deny with a page (")
    .code("barrier: http")
    .say(")")
}

pub(super) fn server_blind() -> Phrase {
    Phrase::new(
        "one of the zone's own servers gave no usable answer: let this vantage ask name servers past its \
         own resolver (port 53), or mend the zone's delegation",
    )
}

pub(super) fn control_private(control: &str) -> Phrase {
    Phrase::new("control ")
        .value(control)
        .say(
            " has only addresses that are not globally routable, so it was not tried: choose one on \
             the internet, or set ",
        )
        .code("probe_non_global: true")
        .say(" if this vantage is meant to look inside")
}

pub(super) fn control_inside(control: &str) -> Phrase {
    Phrase::new("control ").value(control).say(
        " stands on an address that is not globally routable, so it does not speak for the way to \
         the internet: choose one there",
    )
}

/// One line to paste: a control on the port, or one on every port where there are several; and, where
/// nobody is known to close them, what may be said instead.
pub(super) fn port_unproven(transport: Transport, ports: &[u16], assumable: bool) -> Phrase {
    let shown: Vec<String> = ports.iter().take(PORTS).map(u16::to_string).collect();
    let more = match ports.len().saturating_sub(PORTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let place = match ports {
        [_] => "there",
        _ => "on every port",
    };
    let shown = shown.join(", ");
    let phrase = Phrase::new(format!(
        "nothing was reached on {transport} {shown}{more}, and many networks close ports on the way out: \
         add a host that answers {place} to "
    ))
    .code("controls:")
    .say(", as ")
    .code(&on_ports(transport, ports));
    if assumable {
        phrase
            .say("; or, if this network closes none, add ")
            .code("vantage: { unfiltered: true }")
    } else {
        phrase
    }
}

/// The line of a control on a port or, where there are several, of one that answers on each. Over UDP that
/// one has to be told what to ask.
#[must_use]
pub fn on_ports(transport: Transport, ports: &[u16]) -> String {
    let key = transport.as_str();
    match (transport, ports) {
        (Transport::Icmp, _) => format!("- {key}: HOST"),
        (Transport::Tcp | Transport::Udp, [port]) => format!("- {key}: HOST:{port}"),
        (Transport::Tcp, _) => format!("- {key}: HOST:*"),
        (Transport::Udp, _) => format!("- {{ {key}: HOST:*, payload: stun }}"),
    }
}

/// What to add where no control stands for a class, or for name resolution.
pub(super) fn no_control(class: Option<Class>, literal: bool) -> Phrase {
    let Some(class) = class else {
        return Phrase::new(
            "a missing name proves nothing without a name that must resolve: add one to ",
        )
        .code("controls:")
        .say(", such as ")
        .code("- tcp: www.example.com:443");
    };
    let phrase = Phrase::new(format!(
        "silence proves nothing without a control: add a host that answers to {class} to "
    ))
    .code("controls:")
    .say(", such as ");
    let own = |key: &str| format!("- {key}: HOST:PORT");
    match class.transport {
        Transport::Tcp => phrase.code(&own("tcp")).say(" with the target's port"),
        Transport::Udp => phrase.code(&own("udp")).say(" with the target's port"),
        Transport::Icmp => phrase.code("- icmp: www.example.com"),
    }
    .join(unwatch(class.family, literal))
}

/// The other way out where IPv6 is the trouble, unless the target is nothing but an IPv6 address.
pub(super) fn unwatch(family: Family, literal: bool) -> Phrase {
    match family {
        Family::Ipv6 if !literal => {
            Phrase::new(", or declare IPv6 unwatched with ").code("families: [ipv4]")
        }
        Family::Ipv4 | Family::Ipv6 => Phrase::default(),
    }
}

pub(super) fn waiver_ends() -> Phrase {
    Phrase::new(
        "a waiver ends within a week, and from then on the exposure counts: shut the door, or agree on \
         another day",
    )
}

pub(super) fn waiver_needless() -> Phrase {
    Phrase::new("the target of a waiver is blocked: take the waiver out of the configuration")
}

pub(super) fn waiver_partly() -> Phrase {
    Phrase::new(
        "a waiver covers what was seen to be open, and never what could not be observed beside it",
    )
}
