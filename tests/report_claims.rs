//! A saved round is data from outside: a `blocked` that its own evidence does not bear out is refused.
#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use noentry::domain::endpoint::{Endpoint, Family};
use noentry::domain::finding::{EndpointReport, Finding, NameAnswer, Note};
use noentry::domain::observation::{Attempt, Blind, Outcome};
use noentry::domain::reach::Reach;
use noentry::domain::report::{ControlCheck, RoundReport, Side, Totals};
use noentry::domain::verdict::{Reason, Verdict};
use noentry::domain::way::{Distance, PortProof, Way};
use noentry::report::json;

/// The blocked findings of a round alone.
fn blocked(mut report: RoundReport) -> RoundReport {
    report.findings.retain(|f| f.verdict == Verdict::Blocked);
    assert!(report.findings.len() > 3);
    sum(&mut report);
    report
}

fn sum(report: &mut RoundReport) {
    report.verdict = RoundReport::worst(&report.findings);
    report.totals = Totals::of(&report.findings);
}

fn is_refused(mut report: RoundReport, change: impl Fn(&mut RoundReport)) -> bool {
    change(&mut report);
    sum(&mut report);
    json::parse(&sample::written(&report)).is_err()
}

/// Whether the change makes a sound round of TCP targets one that is refused.
fn refused(change: impl Fn(&mut RoundReport)) -> bool {
    is_refused(blocked(sample::round()), change)
}

/// The same for one finding of the other kind.
fn door_refused(finding: Finding, change: impl Fn(&mut RoundReport)) -> bool {
    let mut report = sample::doors::round();
    report.findings = vec![finding];
    is_refused(report, change)
}

#[test]
fn a_blocked_round_that_was_seen_comes_back() {
    assert!(!refused(|_| {}));
    assert!(!is_refused(blocked(sample::doors::round()), |_| {}));
}

#[test]
fn a_private_address_on_a_resolvers_word_alone_is_refused() {
    let address = sample::ip("10.0.0.1");
    let private = |authority: Option<&str>, given: &str| {
        let mut report = blocked(sample::round());
        let by_name = |f: &Finding| f.name.is_some() && !f.endpoints.is_empty();
        let finding = report.findings.iter_mut().find(|f| by_name(f)).unwrap();
        let query = &mut finding.name.as_mut().unwrap().queries[0];
        query.answer = NameAnswer::Addresses(vec![sample::ip(given)]);
        query.authority = authority.map(str::to_owned);
        for endpoint in &mut finding.endpoints {
            endpoint.endpoint.address = address;
            endpoint.reach = Some(Reach::PrivateAddress);
            endpoint.attempts.clear();
        }
        is_refused(report, |_| {})
    };
    assert!(!private(Some("ns1.example.com"), "10.0.0.1"));
    assert!(private(None, "10.0.0.1"));
    assert!(private(Some("ns1.example.com"), "10.0.0.2"));
}

#[test]
fn blocked_without_having_been_seen_is_refused() {
    let endpoint = |report: &RoundReport| {
        let with_attempts = |f: &Finding| f.endpoints.iter().any(|e| !e.attempts.is_empty());
        report.findings.iter().position(with_attempts).unwrap()
    };
    assert!(refused(|report| {
        report.findings[0].endpoints.clear();
        report.findings[0].name_verdicts.clear();
    }));
    for outcome in [
        Outcome::Reached(Reach::Connected),
        Outcome::Blind(Blind::NoRoute),
    ] {
        assert!(refused(|report| {
            let at = endpoint(report);
            let attempts = &mut report.findings[at].endpoints[0].attempts;
            attempts[0].outcome = outcome;
        }));
    }
    assert!(refused(|report| {
        let at = endpoint(report);
        report.findings[at].endpoints[0].attempts.clear();
    }));
    assert!(refused(|report| {
        let at = endpoint(report);
        report.findings[at].endpoints[0].reason = Reason::NoControl { class: None };
    }));
    assert!(refused(|report| report.controls.clear()));
}

#[test]
fn a_silence_needs_a_control_of_its_own_transport_and_family() {
    let silent = |change: &dyn Fn(&mut RoundReport)| {
        door_refused(sample::doors::push(), |report| change(report))
    };
    assert!(!silent(&|_| {}));
    assert!(silent(&|report| {
        report.findings[0].endpoints[0].rests_on = None;
    }));
    assert!(silent(&|report| {
        let rests_on = report.findings[0].endpoints[0].rests_on.as_mut();
        sample::doors::WEB.clone_into(&mut rests_on.unwrap().control);
    }));
    assert!(silent(&|report| {
        for endpoint in checks(report).flat_map(|check| &mut check.endpoints) {
            endpoint.reached = endpoint.endpoint.family() == Family::Ipv6;
        }
    }));
}

/// Every checkpoint of every control.
fn checks(report: &mut RoundReport) -> impl Iterator<Item = &mut ControlCheck> {
    report.controls.iter_mut().flat_map(|c| &mut c.checks)
}

#[test]
fn a_control_that_stood_elsewhere_or_at_another_time_bears_nothing_out() {
    let ssh = |change: &dyn Fn(&mut RoundReport)| refused(|report| change(report));
    let way = |distance, interface: &str| {
        Some(Way {
            distance,
            interface: interface.to_owned(),
            gateway: None,
            source: None,
        })
    };
    // Without a checkpoint before, between or after the attempts.
    for number in 0..3 {
        assert!(ssh(&|report| {
            for control in &mut report.controls {
                control.checks.remove(number);
            }
        }));
    }
    // Rejections between two checkpoints, and none between them.
    assert!(ssh(&|report| {
        for attempt in attempts(report) {
            (attempt.at_ms, attempt.took_ms) = (40, 0);
        }
    }));
    // On this machine, in its network, or by another way out.
    for (control, target) in [
        (
            way(Distance::ThisMachine, "lo"),
            way(Distance::Beyond, "eth0"),
        ),
        (
            way(Distance::OwnNetwork, "eth0"),
            way(Distance::Beyond, "eth0"),
        ),
        (way(Distance::Beyond, "tun0"), way(Distance::Beyond, "eth0")),
        (
            way(Distance::Beyond, "eth0"),
            way(Distance::OwnNetwork, "eth0"),
        ),
    ] {
        assert!(ssh(&|report| {
            for endpoint in checks(report).flat_map(|check| &mut check.endpoints) {
                endpoint.way.clone_from(&control);
            }
            for finding in &mut report.findings {
                for endpoint in &mut finding.endpoints {
                    endpoint.way.clone_from(&target);
                }
            }
        }));
    }
    assert!(ssh(&|report| report.vantage.reverse_path_drops = Some(99)));
    // Of so many packets, one is not all.
    assert!(!ssh(&|report| report.vantage.reverse_path_drops = Some(1)));
    assert!(!ssh(&|report| report.vantage.reverse_path_drops = Some(0)));
}

fn attempts(report: &mut RoundReport) -> impl Iterator<Item = &mut Attempt> {
    let endpoints = report.findings.iter_mut().flat_map(|f| &mut f.endpoints);
    endpoints.flat_map(|e| &mut e.attempts)
}

#[test]
fn a_port_is_proven_by_what_the_report_holds_or_said_to_be_assumed() {
    let ssh = |change: &dyn Fn(&mut RoundReport)| refused(|report| change(report));
    let port = |report: &mut RoundReport, proof: PortProof| {
        let endpoints = report.findings.iter_mut().flat_map(|f| &mut f.endpoints);
        for rests_on in endpoints.filter_map(|e| e.rests_on.as_mut()) {
            rests_on.port = proof.clone();
        }
    };
    // Assumed, and nothing says so: not the vantage, not the finding.
    assert!(ssh(&|report| report.vantage.unfiltered = None));
    assert!(ssh(&|report| {
        for finding in &mut report.findings {
            finding.notes.retain(|note| *note != Note::PortAssumed);
        }
    }));
    // Said to be proven by a control that stood on another port, or by what nobody reached.
    assert!(ssh(&|report| port(report, PortProof::Control)));
    assert!(ssh(&|report| port(report, PortProof::NoPort)));
    assert!(ssh(&|report| {
        let at = "20.9.9.9:22".to_owned();
        port(report, PortProof::Reached { at });
    }));
    // What providers close is never assumed to be open.
    let mail = |report: &mut RoundReport| {
        for finding in &mut report.findings {
            finding.target.port = Some(25);
            for endpoint in &mut finding.endpoints {
                endpoint.endpoint.port = Some(25);
            }
        }
    };
    assert!(ssh(&mail));
}

/// One finding, so that nothing else refuses the report.
#[test]
fn each_proof_of_a_port_is_held_against_what_the_report_has_of_it() {
    let with = |port: u16, proof: PortProof| {
        let mut finding = sample::silent();
        finding.target.port = Some(port);
        for endpoint in &mut finding.endpoints {
            endpoint.endpoint.port = Some(port);
            endpoint.rests_on.as_mut().unwrap().port = proof.clone();
        }
        finding.notes = vec![Note::PortAssumed];
        is_refused(sample::of(vec![finding]), |_| {})
    };
    let reached = |at: &str| PortProof::Reached { at: at.to_owned() };
    // The sample's round reached 20.1.2.3:5432.
    assert!(!with(5432, reached("20.1.2.3:5432")));
    assert!(with(5432, reached("20.1.2.4:5432")));
    assert!(with(22, reached("20.1.2.3:5432")));
    assert!(!with(22, PortProof::Assumed));
    for port in [25, 445] {
        assert!(with(port, PortProof::Assumed), "{port}");
    }
}

#[test]
fn an_endpoint_that_is_not_the_targets_bears_nothing_out() {
    let address = sample::ip("20.4.0.2");
    for endpoint in [Endpoint::tcp(address, 443), Endpoint::udp(address, 444)] {
        assert!(door_refused(sample::doors::push(), |report| {
            report.findings[0].endpoints[0].endpoint = endpoint;
        }));
    }
}

#[test]
fn a_silence_that_tells_nothing_is_no_stop() {
    // Accepted by the user, and only by him.
    assert!(!door_refused(sample::doors::tunnel(), |_| {}));
    assert!(door_refused(sample::doors::tunnel(), |report| {
        let notes = &mut report.findings[0].notes;
        notes.retain(|note| *note != Note::SilenceAccepted);
    }));
    let silent = |payload: Option<&str>| {
        let mut finding = sample::doors::tunnel();
        finding.target.payload = payload.map(str::to_owned);
        finding.notes.retain(|note| *note != Note::SilenceAccepted);
        door_refused(finding, |_| {})
    };
    assert!(!silent(Some("ntp")));
    for payload in [Some("ike"), Some("hex"), Some("syslog"), Some("new"), None] {
        assert!(silent(payload), "{payload:?}");
    }
    // Two attempts that were turned away do not make up for a third that was silent.
    let mut finding = sample::doors::time_server();
    finding.target.payload = Some("ike".to_owned());
    assert!(!door_refused(finding.clone(), |_| {}));
    finding.endpoints[0].attempts[1].outcome = Outcome::Reached(Reach::NoAnswer);
    assert!(door_refused(finding, |_| {}));
}

/// The companions of the sample's URL, over IPv4 and IPv6.
fn companions(report: &mut RoundReport) -> Vec<&mut EndpointReport> {
    let endpoints = report.findings[0].endpoints.iter_mut();
    endpoints.filter(|e| e.companion).collect()
}

#[test]
fn a_companion_hides_no_exposure() {
    let preview = |change: &dyn Fn(&mut RoundReport)| {
        door_refused(sample::doors::preview(), |report| change(report))
    };
    assert!(!preview(&|_| {}));
    for which in [0, 1] {
        for reach in [Reach::Connected, Reach::TlsEstablished, Reach::Served] {
            assert!(preview(&|report| {
                companions(report)[which].attempts[1].outcome = Outcome::Reached(reach);
            }));
        }
        assert!(preview(&|report| {
            companions(report)[which].verdict = Verdict::Exposed;
        }));
    }
    // Blind it may be, for that says nothing.
    assert!(!preview(&|report| {
        companions(report)[1].attempts[1].outcome = Outcome::Blind(Blind::NoRoute);
    }));
}

#[test]
fn what_a_target_declares_is_no_companion() {
    let unseen = |report: &mut RoundReport| {
        let endpoint = &mut report.findings[0].endpoints[0];
        endpoint.companion = true;
        endpoint.verdict = Verdict::Inconclusive;
        endpoint.reason = Reason::NoControl { class: None };
    };
    // Of a URL, only UDP is.
    assert!(door_refused(sample::doors::preview(), unseen));
    // Others have none.
    assert!(door_refused(sample::doors::push(), unseen));
    // And companions alone bear nothing out.
    assert!(door_refused(sample::doors::preview(), |report| {
        report.findings[0].endpoints.retain(|e| e.companion);
    }));
}

#[test]
fn nothing_is_blocked_that_was_not_seen_from_outside() {
    let side = |side| {
        let report = blocked(sample::doors::round());
        is_refused(report, |report| {
            report.vantage.outside.as_mut().unwrap().side = side;
        })
    };
    assert!(!side(Side::Outside));
    assert!(side(Side::Inside));
    assert!(side(Side::Unproven));
    assert!(is_refused(blocked(sample::doors::round()), |report| {
        let outside = report.vantage.outside.as_mut().unwrap();
        outside.checks[0].endpoints[0].reached = true;
    }));
}
