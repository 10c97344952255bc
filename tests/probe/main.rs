//! The climb against real servers, real TLS stacks and a real firewall.
//!
//! Traffic stays on loopback and in network namespaces of our own. Tests that need a tool that is
//! not there say so on standard error and pass, unless `NOENTRY_REQUIRE_TOOLS=1` is set.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests, which clippy does not see as such"
)]

mod banner;
#[cfg(target_os = "linux")]
mod behind_errors;
mod egress;
mod elicit;
#[cfg(target_os = "linux")]
mod estate;
mod fair;
mod filter;
#[cfg(target_os = "linux")]
mod firewall;
#[cfg(target_os = "linux")]
mod flows;
mod foreign;
mod forged;
mod garbage;
mod http;
#[cfg(target_os = "linux")]
mod icmp;
mod quic;
mod real;
#[cfg(unix)]
mod services;
#[cfg(unix)]
mod squid;
mod support;
mod tls;
mod udp;
#[cfg(target_os = "linux")]
mod udp_firewall;
#[cfg(target_os = "linux")]
mod way;
