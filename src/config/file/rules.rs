//! What the types of the file cannot say: which keys go together. For the JSON Schema alone; the
//! program's own rules are in [`resolve()`](crate::config::resolve()).

use serde_json::{Value, json};

use crate::domain::payload::Mute;

/// The keys that say what an entry is about; exactly one of them is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A web address.
    Url,
    /// A TCP port.
    Tcp,
    /// A UDP port.
    Udp,
    /// A UDP port where QUIC is tried.
    Quic,
    /// A host that is sent an ICMP echo request.
    Icmp,
    /// A name.
    Dns,
}

impl Kind {
    /// All of them, in the order of the documentation.
    pub const ALL: [Self; 6] = [
        Self::Url,
        Self::Tcp,
        Self::Udp,
        Self::Quic,
        Self::Icmp,
        Self::Dns,
    ];

    /// The keys that only one kind has a use for.
    pub const OWN: [(&'static str, Self); 5] = [
        ("http3", Self::Url),
        ("expect_banner", Self::Tcp),
        ("payload", Self::Udp),
        ("accept_silence", Self::Udp),
        ("record", Self::Dns),
    ];

    /// The key.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Tcp => "tcp",
            Self::Udp => "udp",
            Self::Quic => "quic",
            Self::Icmp => "icmp",
            Self::Dns => "dns",
        }
    }
}

/// Exactly one of the kinds, and the keys that only one of them has a use for.
pub fn kinds(schema: &mut schemars::Schema) {
    let one = Kind::ALL.map(|kind| json!({ "required": [kind.as_str()] }));
    let known = |key: &str| {
        schema
            .get("properties")
            .is_some_and(|p| p.get(key).is_some())
    };
    let own: serde_json::Map<String, Value> = Kind::OWN
        .into_iter()
        .filter(|(key, _)| known(key))
        .map(|(key, kind)| (key.to_owned(), json!([kind.as_str()])))
        .collect();
    schema.insert("oneOf".to_owned(), json!(one));
    schema.insert("dependentRequired".to_owned(), Value::Object(own));
}

/// Which barrier belongs to which kind, and which denial to which barrier.
pub fn barriers(schema: &mut schemars::Schema) {
    let when =
        |condition: Value, then: Value| json!({ "if": condition, "then": { "properties": then } });
    let of = |kind: &str| json!({ "required": [kind] });
    let among = |barriers: &[&str]| json!({ "barrier": { "enum": barriers } });
    let is = |barrier: &str| json!({ "properties": { "barrier": { "const": barrier } }, "required": ["barrier"] });
    let list =
        |stops: &[&str]| json!({ "denial": { "type": "array", "items": { "enum": stops } } });
    let at_dns = list(&["no_name", "private_address"]);
    let at_network = list(&["no_answer", "prohibited", "refused"]);
    let mute = Mute::ALL.map(Mute::as_str);
    let rules = [
        json!({
            "if": { "properties": { "payload": { "enum": mute } }, "required": ["payload"] },
            "then": {
                "properties": { "accept_silence": { "const": true } },
                "required": ["accept_silence"],
            },
        }),
        when(of("dns"), among(&["dns"])),
        when(of("tcp"), among(&["dns", "network"])),
        when(of("udp"), among(&["dns", "network"])),
        when(of("icmp"), among(&["dns", "network"])),
        when(of("quic"), among(&["dns", "network", "tls"])),
        when(is("http"), json!({ "denial": { "type": "object" } })),
        when(is("tls"), json!({ "denial": false })),
        when(is("dns"), at_dns.clone()),
        when(is("network"), at_network.clone()),
        when(
            json!({ "required": ["dns"], "not": { "required": ["barrier"] } }),
            at_dns,
        ),
        when(
            json!({ "not": { "anyOf": [{ "required": ["barrier"] }, { "required": ["dns"] }] } }),
            at_network,
        ),
        when(
            of("record"),
            json!({ "denial": { "items": { "const": "no_name" } } }),
        ),
        when(
            of("icmp"),
            json!({ "denial": { "items": { "not": { "const": "refused" } } } }),
        ),
    ];
    schema.insert("allOf".to_owned(), json!(rules));
}
