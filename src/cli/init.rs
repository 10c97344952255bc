//! What `noentry init` is told.

use clap::{Args, ValueEnum};

/// What to write. Without any target, and on a terminal, it asks.
#[derive(Debug, Default, Args)]
pub struct InitArgs {
    /// A web address that nobody outside must reach; may be given several times, as every kind
    #[arg(long, value_name = "URL")]
    pub url: Vec<String>,
    /// A TCP port, such as db.example.com:5432
    #[arg(long, value_name = "HOST:PORT")]
    pub tcp: Vec<String>,
    /// A UDP port; at a port of no known protocol with what to send, such as
    /// game.example.com:27015=hex:ffffffff54
    #[arg(long, value_name = "HOST:PORT[=PAYLOAD]")]
    pub udp: Vec<String>,
    /// A port that speaks QUIC and is no https address
    #[arg(long, value_name = "HOST:PORT")]
    pub quic: Vec<String>,
    /// A host that must not reply to ping
    #[arg(long, value_name = "HOST")]
    pub icmp: Vec<String>,
    /// A name that must not lead anywhere
    #[arg(long, value_name = "NAME")]
    pub dns: Vec<String>,
    /// Something that must be reachable, or silence proves nothing: HOST:PORT over TCP, a web
    /// address, or udp:HOST:PORT, quic:HOST:PORT, icmp:HOST, dns:NAME; HOST:* for one that answers on
    /// every port, udp:HOST:*=PAYLOAD over UDP
    #[arg(long, value_name = "WHAT")]
    pub control: Vec<String>,
    /// The network that it will run in lets every port out; of GitHub's standard runners that is assumed
    #[arg(long)]
    pub unfiltered: bool,
    /// How often; GitHub starts late, so this is a wish and no promise
    #[arg(long, value_enum, value_name = "TIME", default_value_t = Every::HalfHour)]
    pub every: Every,
    /// The schedule in cron's own five fields, in UTC
    #[arg(long, value_name = "FIELDS", conflicts_with = "every")]
    pub cron: Option<String>,
    /// The action to use, pinned to a commit by its whole SHA
    #[arg(long, value_name = "OWNER/REPO@SHA")]
    pub action: Option<String>,
}

/// How often a schedule asks for a round.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Every {
    /// Every fifteen minutes.
    #[value(name = "15m")]
    QuarterHour,
    /// Twice an hour.
    #[default]
    #[value(name = "30m")]
    HalfHour,
    /// Once an hour.
    #[value(name = "1h")]
    Hour,
    /// Four times a day.
    #[value(name = "6h")]
    QuarterDay,
    /// Once a day.
    #[value(name = "1d")]
    Day,
}
