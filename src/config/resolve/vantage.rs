//! `vantage:` what is to be found out about the place from which the round looks.

use std::net::SocketAddr;

use super::ADDRESS;
use super::addresses;
use super::control;
use super::defaults::{self, Base};
use crate::config::field::Field;
use crate::config::file;
use crate::config::host;
use crate::config::mistake::{Mistake, quoted};
use crate::config::reader::{Reader, Spot};
use crate::domain::record::Record;
use crate::domain::target::{Control, ControlOrigin, Echo, TargetKind, VantagePlan};

/// Reads `vantage:`.
pub fn read(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<file::Vantage>,
    base: &Base,
) -> VantagePlan {
    let expected = "a mapping with `egress`, `must_not_reach` or `unfiltered`";
    let Some(file) = reader.fit(spot, field, expected) else {
        return VantagePlan::default();
    };
    let unknown = reader.unknown_keys::<file::Vantage>(spot, |_| false);
    let empty = matches!(
        (&file.egress, &file.must_not_reach, &file.unfiltered),
        (Field::Absent, Field::Absent, Field::Absent)
    );
    if empty && unknown.is_empty() {
        let help = "write `egress`, `must_not_reach` or `unfiltered`, or remove the key".to_owned();
        reader.report(spot.place(), "`vantage` is empty", [help]);
    }
    VantagePlan {
        unfiltered: defaults::flag(reader, &spot.key("unfiltered"), &file.unfiltered),
        egress: egress(reader, &spot.key("egress"), &file.egress),
        must_not_reach: must_not_reach(
            reader,
            &spot.key("must_not_reach"),
            &file.must_not_reach,
            base,
        ),
    }
}

/// Reads the way to learn the egress address.
fn egress(reader: &mut Reader<'_>, spot: &Spot<'_>, field: &Field<file::Egress>) -> Option<Echo> {
    let expected = "a mapping with `url`, or with `dns` and `server`";
    let file = reader.fit(spot, field, expected)?;
    let meant = reader.unknown_keys::<file::Egress>(spot, |_| false);
    let url = reader.parsed(
        &spot.key("url"),
        &file.url,
        "text (an `https://` or `http://` address)",
        host::url,
    );
    let name = reader.parsed(&spot.key("dns"), &file.dns, "text (a DNS name)", host::name);
    let record = record(reader, &spot.key("record"), &file.record);
    let servers = servers(reader, spot, file);
    match (spot.has("dns"), spot.has("url")) {
        (false, false) => {
            if !meant.iter().any(|key| ["dns", "url"].contains(key)) {
                let help = "write one of `dns:` and `url:`".to_owned();
                reader.report(spot.place(), "`egress` needs something to ask", [help]);
            }
            None
        }
        (true, true) => {
            let help = "keep one of them".to_owned();
            let message = "`egress` has both `dns` and `url`";
            reader.report(spot.key("url").key_place(), message, [help]);
            None
        }
        (false, true) => {
            for key in ["server", "servers", "record"] {
                if spot.has(key) {
                    let message = format!("`{key}` belongs to `dns`, and this is `url`");
                    reader.report(
                        spot.key(key).key_place(),
                        message,
                        ["remove the key".to_owned()],
                    );
                }
            }
            url.map(Echo::Http)
        }
        (true, false) => {
            if servers.is_none() && !meant.iter().any(|key| ["server", "servers"].contains(key)) {
                let message = "`egress` lacks the server that answers with the address of who asks";
                let help = "write `server:` and its IP address; a resolver would give its own";
                reader.report(spot.key("dns").key_place(), message, [help.to_owned()]);
            }
            Some(Echo::Dns {
                name: name?,
                record,
                servers: servers?,
            })
        }
    }
}

/// Reads `server:` or `servers:`; none if neither is there.
fn servers(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    file: &file::Egress,
) -> Option<Vec<SocketAddr>> {
    let one = reader.parsed(&spot.key("server"), &file.server, ADDRESS, host::resolver);
    let otherwise = "remove `egress`";
    let more = addresses(reader, &spot.key("servers"), &file.servers, otherwise);
    if spot.has("server") && spot.has("servers") {
        let message = "`egress` has both `server` and `servers`";
        let help = "put all of them under `servers:`".to_owned();
        reader.report(spot.key("servers").key_place(), message, [help]);
    }
    let there = spot.has("server") || spot.has("servers");
    there.then(|| one.into_iter().chain(more.into_iter().flatten()).collect())
}

/// Reads the type of record that holds the address of who asks.
fn record(reader: &mut Reader<'_>, spot: &Spot<'_>, field: &Field<String>) -> Option<Record> {
    let expected = "text (`A`, `AAAA` or `TXT`)";
    reader.parsed(spot, field, expected, |text| {
        let record = Record::parse(text).ok();
        let record = record.filter(|r| r.family().is_some() || *r == Record::TXT);
        record.ok_or_else(|| {
            Mistake::new(format!("{} holds no address", quoted(text)))
                .help("write `A`, `AAAA` or `TXT`, or remove the key to ask by the server's family")
        })
    })
}

/// Reads what only insiders reach. No report tells its origin.
fn must_not_reach(
    reader: &mut Reader<'_>,
    spot: &Spot<'_>,
    field: &Field<Box<file::Control>>,
    base: &Base,
) -> Option<Control> {
    let control = control::read(reader, spot, field, base, ControlOrigin::Config)?;
    if matches!(control.kind, TargetKind::Dns { .. }) {
        let message = "a name that resolves says nothing about where this vantage is";
        let help = "name something that answers insiders alone, such as `tcp: host:port`";
        reader.report(spot.key("dns").key_place(), message, [help.to_owned()]);
    }
    if control.every_port {
        let message = "only insiders reach one door, not every port";
        let help = "name its port".to_owned();
        let key = spot.key(control.kind.as_str());
        reader.report(key.place(), message, [help]);
    }
    Some(control)
}
