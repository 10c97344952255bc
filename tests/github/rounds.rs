//! Rounds in a few words.

use noentry::domain::finding::Finding;
use noentry::domain::reach::Reach;
use noentry::domain::report::RoundReport;
use noentry::domain::trail::{Links, Notify};
use noentry::domain::verdict::Reason;
use noentry::domain::waiver::Waiver;
use time::{Duration, OffsetDateTime};

use super::sample::{self, blocked, endpoint, past, silence, target, times, unsure};

/// Monday, 2026-01-05 08:00 UTC, and so many hours.
pub fn hour(hours: i64) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(1_767_600_000).unwrap() + Duration::hours(hours)
}

/// A round so many hours after the first.
pub fn round(hours: i64, findings: Vec<Finding>) -> RoundReport {
    let run = 1_000 + hours;
    RoundReport {
        started: hour(hours),
        links: Links {
            run: Some(format!(
                "https://github.example/acme/estate/actions/runs/{run}"
            )),
            config: Some("https://github.example/acme/estate/blob/0a1b2c3/noentry.yml".to_owned()),
        },
        ..sample::of(findings)
    }
}

/// Three names with addresses and lines of their own; others share one.
fn place(name: &str) -> (String, String, u32) {
    let n = match name {
        "Admin console" => 1,
        "Orders database" => 2,
        "Staging" => 3,
        other => {
            10 + other
                .bytes()
                .fold(0_u32, |sum, b| (sum * 31 + u32::from(b)) % 200)
        }
    };
    (
        format!("host{n}.example.com:5432"),
        format!("20.1.2.{n}"),
        10 + n,
    )
}

fn door(name: &str) -> (Finding, String) {
    let (host, address, line) = place(name);
    (target(name, "tcp", &host, 5432, line), address)
}

/// Open at its address.
pub fn open(name: &str) -> Finding {
    let (finding, address) = door(name);
    let attempts = times(1, Reach::Connected, None);
    sample::with(finding, vec![endpoint(&address, 5432, past(), attempts)])
}

/// Open at a second address as well.
pub fn wide_open(name: &str) -> Finding {
    let (finding, address) = door(name);
    let at = |address: &str| endpoint(address, 5432, past(), times(1, Reach::Connected, None));
    sample::with(finding, vec![at(&address), at("20.1.9.9")])
}

/// Silent.
pub fn shut(name: &str) -> Finding {
    let (finding, address) = door(name);
    sample::with(
        finding,
        vec![endpoint(&address, 5432, blocked(), silence())],
    )
}

/// Nobody can tell.
pub fn blind(name: &str) -> Finding {
    let (finding, address) = door(name);
    let reason = Reason::ControlLost {
        control: sample::CONTROL.to_owned(),
    };
    sample::with(
        finding,
        vec![endpoint(&address, 5432, unsure(reason), silence())],
    )
}

/// Accepted until a day, as it stands in a round so many hours after the first.
pub fn waived(finding: Finding, hours: i64, until: &str) -> Finding {
    let waiver = Waiver {
        owner: "platform team".to_owned(),
        reason: "moves behind the VPN".to_owned(),
        until: until.parse().unwrap(),
    };
    Finding {
        waiver: Some(waiver.at(hour(hours))),
        ..finding
    }
}

/// For somebody.
pub fn notifying(mut finding: Finding, notify: Notify) -> Finding {
    finding.target.notify = notify;
    finding
}
