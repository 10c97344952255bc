//! One attempt against one endpoint: how far does an outsider get?
//!
//! A probe looks and reports; it never judges. Over TCP an attempt is one connection that is climbed
//! as far as it carries: [`mod@dial`] makes it (nothing else in the crate connects to a target),
//! [`tls`] and [`http`] speak on that same stream, and [`climb()`] puts them together into one
//! [`Observation`](crate::domain::observation::Observation). [`quic`] is the same climb over UDP,
//! [`udp`] sends what [`elicit`] has for a protocol, [`icmp`] an echo request; datagrams leave
//! through `datagram` alone. `banner` looks closer at who answers on a TCP port. What an error number
//! or an ICMP message means is decided in [`classify`] and nowhere else; [`way`] knows by which way packets
//! leave, and so who is of our own side. [`dns`] asks one name server
//! one question, and [`egress`] a page that says where we come from.
//!
//! Limits: everything is under the caller's deadline; at most 64 KiB of an HTTP body are read; what
//! the other side sends is escaped and cut before it leaves this module. Telling a reset from a
//! firewall's ICMP error needs the socket error queue, which only Linux has; elsewhere the evidence
//! says less (see `sys`).

mod alert;
mod answer;
mod banner;
mod certificate;
pub mod classify;
pub mod climb;
pub mod context;
mod datagram;
pub mod denial;
pub mod dial;
pub mod dns;
mod echo;
pub mod egress;
pub mod elicit;
mod filter;
pub mod http;
pub mod icmp;
mod page;
pub mod quic;
mod record;
mod sys;
mod tasks;
pub mod tcp;
mod text;
pub mod tls;
pub mod udp;
pub mod way;

pub use climb::climb;
pub use context::{Context, ContextError};
pub use denial::{CompiledDenial, DenialError};
