//! What a target promises, in words.

use super::name;
use super::phrase::Phrase;
use crate::domain::endpoint::Transport;
use crate::domain::finding::Finding;
use crate::domain::reach::Reach;
use crate::domain::target::Barrier;

/// `no connection from outside (barrier network)`.
#[must_use]
pub fn promise(finding: &Finding) -> Phrase {
    let target = &finding.target;
    let (barrier, denial) = (target.barrier, &target.denial);
    let mut phrase = match barrier {
        Barrier::Dns => match name::record(finding) {
            Some(record) => Phrase::new("no public ").value(record).say(" record"),
            // Where a private address does not count as a stop, no address may be there at all.
            None if !denial.stops.contains(&Reach::PrivateAddress) => Phrase::new("no address"),
            None => Phrase::new("no public address"),
        },
        Barrier::Network => Phrase::new(match target.transport {
            Some(Transport::Tcp) | None => "no connection from outside",
            Some(Transport::Udp) => "no answer to outsiders",
            Some(Transport::Icmp) => "no reply to ping from outside",
        }),
        Barrier::Tls => Phrase::new("no TLS session from outside"),
        Barrier::Http => Phrase::new("no HTTP answer but a denial"),
    };
    phrase = phrase.say(format!(" (barrier {barrier}"));
    if denial.stops.len() < barrier.stops().len() {
        let stops: Vec<Reach> = denial.stops.iter().copied().collect();
        let counts = if stops.len() == 1 {
            " counts"
        } else {
            " count"
        };
        phrase = phrase.say(": only ").values(&stops, 4).say(counts);
    }
    if barrier == Barrier::Http {
        let status: Vec<String> = denial.http.status.iter().map(u16::to_string).collect();
        phrase = phrase.say(": status ").values(&status, 8);
        for (name, value) in &denial.http.header {
            phrase = phrase
                .say(", header ")
                .value(format_args!("{name}: {value}"));
        }
        if let Some(body) = &denial.http.body {
            phrase = phrase.say(", body matching ").value(body);
        }
    }
    phrase.say(")")
}
