//! What an entry is about: exactly one of `url`, `tcp`, `udp`, `quic`, `icmp` and `dns`.

use super::defaults;
use super::{payload, record};
use crate::config::field::Field;
use crate::config::file::{self, HostPort, HostPorts, HostText, Kind, Name, PayloadText, UrlText};
use crate::config::host;
use crate::config::problem::any_of;
use crate::config::reader::{Reader, Spot};
use crate::domain::address;
use crate::domain::target::{Host, TargetKind};

/// The fields of which one says what the entry is about, and those that belong to it.
pub struct Fields<'f> {
    url: &'f Field<UrlText>,
    tcp: Ports<'f>,
    udp: Ports<'f>,
    quic: &'f Field<HostPort>,
    icmp: &'f Field<HostText>,
    dns: &'f Field<Name>,
    payload: &'f Field<PayloadText>,
    /// The keys that a control does not have.
    target: Option<&'f file::Target>,
}

/// A host and its port, or ports.
#[derive(Clone, Copy)]
enum Ports<'f> {
    One(&'f Field<HostPort>),
    /// As a control has it.
    OneOrEvery(&'f Field<HostPorts>),
}

/// What an entry is about.
pub struct Given {
    /// The kind. Its port means nothing where `every_port` is set.
    pub kind: TargetKind,
    /// Whether the port was given as `*`.
    pub every_port: bool,
}

/// What stands in a [`TargetKind`] where every port is meant.
const NO_PORT: u16 = 0;

impl<'f> From<&'f file::Target> for Fields<'f> {
    fn from(file: &'f file::Target) -> Self {
        Self {
            url: &file.url,
            tcp: Ports::One(&file.tcp),
            udp: Ports::One(&file.udp),
            quic: &file.quic,
            icmp: &file.icmp,
            dns: &file.dns,
            payload: &file.payload,
            target: Some(file),
        }
    }
}

impl<'f> From<&'f file::Control> for Fields<'f> {
    fn from(file: &'f file::Control) -> Self {
        Self {
            url: &file.url,
            tcp: Ports::OneOrEvery(&file.tcp),
            udp: Ports::OneOrEvery(&file.udp),
            quic: &file.quic,
            icmp: &file.icmp,
            dns: &file.dns,
            payload: &file.payload,
            target: None,
        }
    }
}

impl Fields<'_> {
    /// Reads the one that is given. `meant` holds keys that were probably misspelt.
    pub fn read(&self, reader: &mut Reader<'_>, spot: &Spot<'_>, meant: &[&str]) -> Option<Given> {
        self.refuse_wrong_keys(reader, spot, meant);
        // All are read, so that what is wrong with each is said.
        let flag = |reader: &mut Reader<'_>, key, of: fn(&file::Target) -> &Field<bool>| {
            let field = of(self.target?);
            defaults::flag(reader, &spot.key(key), field)
        };
        let url = spot.key("url");
        let url = reader.parsed(
            &url,
            self.url,
            "text (an `https://` or `http://` address)",
            host::url,
        );
        let tcp = doors(reader, spot, Kind::Tcp, self.tcp);
        let banner = flag(reader, "expect_banner", |file| &file.expect_banner).unwrap_or(false);
        let udp = doors(reader, spot, Kind::Udp, self.udp);
        let port = udp.as_ref().and_then(|(_, port)| *port);
        let every_port = [&tcp, &udp]
            .into_iter()
            .flatten()
            .any(|(_, port)| port.is_none());
        if udp.is_some() && port.is_none() && matches!(self.payload, Field::Absent) {
            payload::refuse_absent(reader, spot);
        }
        let payload = payload::read(reader, spot, self.payload, port);
        let quic = door(reader, spot, Kind::Quic, self.quic);
        let icmp = spot.key("icmp");
        let icmp = reader.parsed(&icmp, self.icmp, "text (a name or an address)", host::host);
        let name = reader.parsed(&spot.key("dns"), self.dns, "text (a DNS name)", host::name);
        let record = self
            .target
            .and_then(|file| record::read(reader, &spot.key("record"), &file.record));
        let kinds = [
            url.map(TargetKind::Url),
            tcp.map(|(host, port)| TargetKind::Tcp {
                host,
                port: port.unwrap_or(NO_PORT),
                banner,
            }),
            udp.zip(payload)
                .map(|((host, port), payload)| TargetKind::Udp {
                    host,
                    port: port.unwrap_or(NO_PORT),
                    payload,
                }),
            quic.map(|(host, port)| TargetKind::Quic { host, port }),
            icmp.map(|host| TargetKind::Icmp { host }),
            name.map(|name| TargetKind::Dns { name, record }),
        ];
        let mut given = kinds.into_iter().flatten();
        let kind = given.next().filter(|_| given.next().is_none())?;
        Some(Given { kind, every_port })
    }

    /// Reports an entry without a kind, one with several, and keys that belong to another kind.
    fn refuse_wrong_keys(&self, reader: &mut Reader<'_>, spot: &Spot<'_>, meant: &[&str]) {
        let present = present(spot);
        let words = Kind::ALL.map(Kind::as_str);
        match present.as_slice() {
            [] if meant.iter().any(|key| words.contains(key)) => {}
            [] => {
                let keys = words.map(|key| format!("{key}:"));
                let help = format!("write one of {}", any_of(keys.iter().map(String::as_str)));
                let message = format!("{} needs something to probe", spot.what);
                reader.report(spot.start(), message, [help]);
            }
            [only] => {
                let own = Kind::OWN.into_iter();
                // A control has only one of them; the others are unknown keys, which was said.
                let own = own.filter(|(key, _)| self.target.is_some() || *key == "payload");
                for (key, kind) in own.filter(|(key, kind)| spot.has(key) && kind != only) {
                    let (kind, only) = (kind.as_str(), only.as_str());
                    let message = format!("`{key}` belongs to `{kind}`, and this is `{only}`");
                    let help = "remove the key".to_owned();
                    reader.report(spot.key(key).key_place(), message, [help]);
                }
            }
            [first, others @ ..] => {
                for other in others {
                    let (first, other) = (first.as_str(), other.as_str());
                    let message = format!("{} has both `{first}` and `{other}`", spot.what);
                    let help = "keep one, and write a second entry for the other".to_owned();
                    reader.report(spot.key(other).key_place(), message, [help]);
                }
            }
        }
    }
}

/// The kinds whose keys are there, in their fixed order.
pub fn present(spot: &Spot<'_>) -> Vec<Kind> {
    let all = Kind::ALL.into_iter();
    all.filter(|kind| spot.has(kind.as_str())).collect()
}

fn doors(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    kind: Kind,
    field: Ports<'_>,
) -> Option<(Host, Option<u16>)> {
    match field {
        Ports::One(field) => door(reader, spot, kind, field).map(|(host, port)| (host, Some(port))),
        Ports::OneOrEvery(field) => {
            let spot = spot.key(kind.as_str());
            let expected = "text (`host:port`, or `host:*` for every port)";
            reader.parsed(&spot, field, expected, host::host_ports)
        }
    }
}

fn door(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    kind: Kind,
    field: &Field<HostPort>,
) -> Option<(Host, u16)> {
    let spot = spot.key(kind.as_str());
    reader.parsed(&spot, field, "text (`host:port`)", host::host_port)
}

/// Refuses an address literal that would never be connected to: nothing probed is an error, and
/// neither a proof nor a control.
pub fn refuse_untried(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    kind: &TargetKind,
    probe_non_global: bool,
) {
    let Some(literal) = kind.address() else {
        return;
    };
    if probe_non_global || address::is_global(literal) {
        return;
    }
    let message = format!(
        "the address in {} is not globally routable, so it would never be tried",
        spot.key(kind.as_str()).what
    );
    let help = "where the vantage is inside its network, set `probe_non_global: true`".to_owned();
    reader.report(spot.key(kind.as_str()).place(), message, [help]);
}
