//! What an entry is about: exactly one of `url`, `tcp` and `dns`.

use crate::config::field::Field;
use crate::config::file::{HostPort, Name, UrlText};
use crate::config::host;
use crate::config::reader::{Reader, Spot};
use crate::domain::address;
use crate::domain::target::TargetKind;

/// The three fields of which one is given.
pub struct Fields<'f> {
    /// `url`.
    pub url: &'f Field<UrlText>,
    /// `tcp`.
    pub tcp: &'f Field<HostPort>,
    /// `dns`.
    pub dns: &'f Field<Name>,
}

impl Fields<'_> {
    /// The keys that are there, in their fixed order.
    pub fn present(&self) -> Vec<&'static str> {
        let all = [
            ("url", !matches!(self.url, Field::Absent)),
            ("tcp", !matches!(self.tcp, Field::Absent)),
            ("dns", !matches!(self.dns, Field::Absent)),
        ];
        let present = all.into_iter().filter(|(_, there)| *there);
        present.map(|(key, _)| key).collect()
    }

    /// Reads the one that is given. `meant` holds keys that were probably misspelt.
    pub fn read(
        &self,
        reader: &mut Reader<'_>,
        spot: &Spot<'_>,
        meant: &[&str],
    ) -> Option<TargetKind> {
        let present = self.present();
        if present.is_empty() && !meant.iter().any(|key| ["url", "tcp", "dns"].contains(key)) {
            let help = "write one of `url:`, `tcp:` and `dns:`".to_owned();
            let message = format!("{} needs something to probe", spot.what);
            reader.report(spot.start(), message, [help]);
        }
        if let [first, others @ ..] = present.as_slice() {
            for other in others {
                let message = format!("{} has both `{first}` and `{other}`", spot.what);
                let help = "keep one, and write a second entry for the other".to_owned();
                reader.report(spot.key(other).key_place(), message, [help]);
            }
        }
        // All are read, so that what is wrong with each is said.
        let url = reader.parsed(
            &spot.key("url"),
            self.url,
            "text (an `https://` or `http://` address)",
            host::url,
        );
        let tcp = reader.parsed(
            &spot.key("tcp"),
            self.tcp,
            "text (`host:port`)",
            host::host_port,
        );
        let dns = reader.parsed(&spot.key("dns"), self.dns, "text (a DNS name)", host::name);
        match (url, tcp, dns) {
            (Some(url), None, None) => Some(TargetKind::Url(url)),
            (None, Some((host, port)), None) => Some(TargetKind::Tcp {
                host,
                port,
                banner: false,
            }),
            (None, None, Some(name)) => Some(TargetKind::Dns {
                name,
                record: None,
                authoritative: false,
            }),
            _ => None,
        }
    }
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
