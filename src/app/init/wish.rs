//! What somebody wants watched, or has open as a control: a kind, and what was typed after it.
//!
//! Only taken apart here as far as needed to write it down; whether it makes sense is for the
//! configuration's own rules to say.

use crate::cli::InitArgs;
use crate::config::Kind;

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wish {
    /// Its kind.
    pub(super) kind: Kind,
    /// The value of the kind's key.
    pub(super) value: String,
    /// What to send, over UDP.
    pub(super) payload: Option<String>,
}

impl Wish {
    /// An entry of a kind. Over UDP `=PAYLOAD` may follow.
    pub(super) fn of(kind: Kind, typed: &str) -> Self {
        let typed = typed.trim();
        let (value, payload) = match typed.split_once('=') {
            Some((value, payload)) if kind == Kind::Udp => (value, Some(payload.to_owned())),
            Some(_) | None => (typed, None),
        };
        Self {
            kind,
            value: value.to_owned(),
            payload,
        }
    }

    /// An entry whose kind stands before it, as in `udp:ns1.example.com:53`. A web address needs
    /// none, and what has none otherwise is `host:port` over TCP.
    pub(super) fn typed(text: &str) -> Self {
        let text = text.trim();
        if text.contains("://") {
            return Self::of(Kind::Url, text.strip_prefix("url:").unwrap_or(text));
        }
        for kind in Kind::ALL {
            let behind = text.strip_prefix(kind.as_str());
            if let Some(rest) = behind.and_then(|rest| rest.strip_prefix(':')) {
                return Self::of(kind, rest);
            }
        }
        Self::of(Kind::Tcp, text)
    }

    /// A name for a target, by which the reports will go.
    pub(super) fn name(&self) -> String {
        let shown = match self.kind {
            Kind::Url => {
                let bare = self.value.split_once("://").map_or("", |(_, rest)| rest);
                let end = bare.find(['?', '#']).unwrap_or(bare.len());
                let bare = bare.get(..end).unwrap_or_default();
                bare.trim_end_matches('/').to_owned()
            }
            Kind::Tcp => self.door("TCP"),
            Kind::Udp => self.door("UDP"),
            Kind::Quic => self.door("QUIC"),
            Kind::Icmp => format!("Ping of {}", self.value),
            Kind::Dns => format!("Name {}", self.value),
        };
        // The configuration allows 200 characters; a number may still follow.
        shown.chars().take(150).collect()
    }

    fn door(&self, transport: &str) -> String {
        let (host, port) = self.value.rsplit_once(':').unwrap_or((&self.value, ""));
        let host = host.trim_start_matches('[').trim_end_matches(']');
        match service(self.kind, port) {
            Some(service) => format!("{service} of {host}"),
            None => format!("{transport} {port} of {host}"),
        }
    }
}

/// What is at home at a port that people often mean to close.
fn service(kind: Kind, port: &str) -> Option<&'static str> {
    match (kind, port) {
        (Kind::Tcp, "21") => Some("FTP"),
        (Kind::Tcp, "22") => Some("SSH"),
        (Kind::Tcp, "23") => Some("Telnet"),
        (Kind::Tcp, "25") => Some("SMTP"),
        (Kind::Tcp | Kind::Udp, "53") => Some("DNS"),
        (Kind::Udp, "123") => Some("NTP"),
        (Kind::Udp, "161") => Some("SNMP"),
        (Kind::Tcp, "389") => Some("LDAP"),
        (Kind::Tcp, "445") => Some("SMB"),
        (Kind::Tcp, "1433") => Some("SQL Server"),
        (Kind::Tcp, "2375" | "2376") => Some("Docker"),
        (Kind::Tcp, "2379") => Some("etcd"),
        (Kind::Tcp, "3306") => Some("MySQL"),
        (Kind::Tcp, "3389") => Some("Remote desktop"),
        (Kind::Tcp, "5432") => Some("PostgreSQL"),
        (Kind::Tcp, "5672") => Some("RabbitMQ"),
        (Kind::Tcp, "5900") => Some("VNC"),
        (Kind::Tcp, "6379") => Some("Redis"),
        (Kind::Tcp, "6443") => Some("Kubernetes API"),
        (Kind::Tcp, "9092") => Some("Kafka"),
        (Kind::Tcp, "9200") => Some("Elasticsearch"),
        (Kind::Tcp | Kind::Udp, "11211") => Some("memcached"),
        (Kind::Tcp, "27017") => Some("MongoDB"),
        (Kind::Url | Kind::Tcp | Kind::Udp | Kind::Quic | Kind::Icmp | Kind::Dns, _) => None,
    }
}

/// The targets that were given as flags, in the order of the kinds.
pub(super) fn targets(args: &InitArgs) -> Vec<Wish> {
    let of = |kind: Kind| match kind {
        Kind::Url => &args.url,
        Kind::Tcp => &args.tcp,
        Kind::Udp => &args.udp,
        Kind::Quic => &args.quic,
        Kind::Icmp => &args.icmp,
        Kind::Dns => &args.dns,
    };
    let each = |kind: Kind| of(kind).iter().map(move |typed| Wish::of(kind, typed));
    Kind::ALL.into_iter().flat_map(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_may_stand_before_it() {
        for (typed, kind, value) in [
            ("db.example.com:5432", Kind::Tcp, "db.example.com:5432"),
            (
                " tcp:db.example.com:5432 ",
                Kind::Tcp,
                "db.example.com:5432",
            ),
            (
                "https://a.example/udp:1",
                Kind::Url,
                "https://a.example/udp:1",
            ),
            ("url:https://a.example/", Kind::Url, "https://a.example/"),
            ("udp:ns1.example.com:53", Kind::Udp, "ns1.example.com:53"),
            (
                "quic:edge.example.com:443",
                Kind::Quic,
                "edge.example.com:443",
            ),
            ("icmp:2001:db8::1", Kind::Icmp, "2001:db8::1"),
            (
                "dns:intranet.example.com",
                Kind::Dns,
                "intranet.example.com",
            ),
        ] {
            let wish = Wish::typed(typed);
            assert_eq!((wish.kind, wish.value.as_str()), (kind, value), "{typed}");
        }
    }

    #[test]
    fn only_udp_has_something_to_send() {
        let udp = Wish::of(Kind::Udp, "game.example.com:27015=hex:ff=00");
        assert_eq!(udp.value, "game.example.com:27015");
        assert_eq!(udp.payload.as_deref(), Some("hex:ff=00"));
        let url = Wish::of(Kind::Url, "https://a.example/?a=b");
        assert_eq!(
            (url.value.as_str(), url.payload),
            ("https://a.example/?a=b", None)
        );
    }

    #[test]
    fn a_name_says_what_it_is_and_where() {
        for (typed, name) in [
            (
                "https://admin.example.com/login?next=/",
                "admin.example.com/login",
            ),
            ("http://admin.example.com:8080/", "admin.example.com:8080"),
            ("bastion.example.com:22", "SSH of bastion.example.com"),
            ("[2001:db8::1]:22", "SSH of 2001:db8::1"),
            ("db.example.com:7000", "TCP 7000 of db.example.com"),
            ("udp:time.example.com:123", "NTP of time.example.com"),
            ("udp:vpn.example.com:22", "UDP 22 of vpn.example.com"),
            ("quic:edge.example.com:443", "QUIC 443 of edge.example.com"),
            ("icmp:db.example.com", "Ping of db.example.com"),
            ("dns:intranet.example.com", "Name intranet.example.com"),
        ] {
            assert_eq!(Wish::typed(typed).name(), name);
        }
    }
}
