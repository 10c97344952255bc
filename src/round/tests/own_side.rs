//! What our own side can do, and what it takes for it not to pass for a firewall.

use super::*;
use crate::domain::endpoint::Transport;
use crate::domain::observation::{Attempt, Outcome};
use crate::domain::report::{ControlCheck, ControlEndpoint, Side};
use crate::domain::stand::Window;
use crate::domain::verdict::{Reason, Standing};
use crate::domain::way::{Assumption, Distance};
use crate::round::basis::{Basis, Place};
use crate::round::control::Controls;
use crate::round::ports::Ports;

/// The same plan where nobody says that the network lets every port out.
fn proving(targets: Vec<Target>) -> Plan {
    let mut plan = plan(targets);
    plan.vantage.unfiltered = None;
    plan
}

fn ssh(name: &str, address: &str) -> Target {
    target(name, tcp(address, 22), Barrier::Network)
}

fn proof(report: &RoundReport, index: usize) -> &PortProof {
    let endpoint = &report.findings[index].endpoints[0];
    &endpoint.rests_on.as_ref().unwrap().port
}

#[tokio::test(start_paused = true)]
async fn a_silence_counts_only_where_its_port_was_reached() {
    // The way out lets the web through and drops the rest: an open door looks shut.
    let world = Fake::new(only_control_answers);
    let report = undisturbed(&world, &proving(vec![ssh("ssh", "5.5.5.5")])).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    let unproven = Reason::PortUnproven {
        transport: Transport::Tcp,
        port: 22,
    };
    assert_eq!(report.findings[0].reason, unproven);

    // So do rejections, which an egress filter makes as well.
    for reach in [Reach::Refused, Reach::Prohibited] {
        let world = Fake::new(move |e, at| only_control_answers(e, at).or(Some(reach)));
        let report = undisturbed(&world, &proving(vec![ssh("ssh", "5.5.5.5")])).await;
        assert_eq!(report.findings[0].reason, unproven, "{reach}");
    }

    let mut plan = proving(vec![ssh("ssh", "5.5.5.5")]);
    plan.controls.push(control(tcp(CONTROL, 22)));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    assert_eq!(*proof(&report, 0), PortProof::Control);
    assert_eq!(report.findings[0].notes, []);
}

#[tokio::test(start_paused = true)]
async fn an_open_door_proves_its_port_for_the_shut_ones() {
    let world = Fake::new(|endpoint, at| {
        let open = endpoint.address.to_string() == "5.5.5.6";
        only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
    });
    let both = vec![ssh("shut", "5.5.5.5"), ssh("open", "5.5.5.6")];
    let report = undisturbed(&world, &proving(both)).await;
    let verdicts: Vec<_> = report.findings.iter().map(|f| f.verdict).collect();
    assert_eq!(verdicts, [Verdict::Blocked, Verdict::Exposed]);
    let at = "5.5.5.6:22".to_owned();
    assert_eq!(*proof(&report, 0), PortProof::Reached { at });

    // But not for another port, family or transport, and not where it stands in a private network.
    for other in ["5.5.5.6:80", "[2a00::6]:22", "10.0.0.6:22"] {
        let place: SocketAddr = other.parse().unwrap();
        let world = Fake::new(move |endpoint, at| {
            let open = endpoint.address == place.ip();
            only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
        });
        let mut open = target(
            "open",
            tcp(&place.ip().to_string(), place.port()),
            Barrier::Network,
        );
        open.probe_non_global = true;
        let report = undisturbed(&world, &proving(vec![ssh("shut", "5.5.5.5"), open])).await;
        let reason = report.findings[0].reason.as_str();
        assert_eq!(reason, "port_unproven", "{other}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_on_every_port_is_tried_on_the_targets_ports() {
    let world = Fake::new(|endpoint, _| {
        let control = endpoint.address.to_string() == CONTROL;
        (control && endpoint.port != Some(25)).then_some(Reach::Connected)
    });
    let mut plan = proving(vec![
        ssh("ssh", "5.5.5.5"),
        target("db", tcp("5.5.5.5", 5432), Barrier::Network),
        target("mail", tcp("5.5.5.5", 25), Barrier::Network),
    ]);
    let mut every = control(tcp(CONTROL, 1));
    every.every_port = true;
    plan.controls = vec![every];
    let report = undisturbed(&world, &plan).await;
    let seen: Vec<_> = report
        .findings
        .iter()
        .map(|f| (f.verdict, f.reason.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            (Verdict::Blocked, "stopped"),
            (Verdict::Blocked, "stopped"),
            // The provider closes this one.
            (Verdict::Inconclusive, "control_lost"),
        ]
    );
    assert_eq!(*proof(&report, 0), PortProof::Control);
    let own = &report.controls[0];
    assert_eq!(own.name, "9.9.9.9:*");
    for check in &own.checks {
        let ports: Vec<_> = check.endpoints.iter().map(|e| e.endpoint.port).collect();
        assert_eq!(ports, [Some(22), Some(25), Some(5432)]);
    }
    assert_eq!(
        report.findings[2].reason,
        Reason::ControlLost {
            control: "9.9.9.9:25".to_owned()
        }
    );
}

#[tokio::test(start_paused = true)]
async fn only_a_standard_runner_of_githubs_own_is_assumed_to_let_ports_out() {
    let plan = proving(vec![ssh("ssh", "5.5.5.5")]);
    let world = Fake::new(only_control_answers);
    let (_stopper, stop) = stop::pair();
    for (environment, name, expected) in [
        (
            "github-hosted",
            Some("GitHub Actions 12"),
            Some(Assumption::GithubHosted),
        ),
        // A larger runner, which may stand in a network of the customer's own.
        ("github-hosted", Some("linux-16-cores_0a1b2c"), None),
        ("github-hosted", Some("GitHub Actions in our network"), None),
        ("github-hosted", None, None),
        ("self-hosted", Some("GitHub Actions 12"), None),
        ("local", None, None),
    ] {
        let standpoint = Standpoint {
            environment: environment.to_owned(),
            name: name.map(str::to_owned),
        };
        let resolvers = vec!["1.1.1.1:53".parse().unwrap()];
        let report = round(&world, &plan, resolvers, standpoint, &stop, &|_| {})
            .await
            .unwrap();
        assert_eq!(
            report.vantage.unfiltered, expected,
            "{environment} {name:?}"
        );
        let blocked = report.verdict == Verdict::Blocked;
        assert_eq!(blocked, expected.is_some(), "{environment} {name:?}");
    }
    let mut denied = proving(vec![ssh("ssh", "5.5.5.5")]);
    denied.vantage.unfiltered = Some(false);
    let standpoint = Standpoint {
        environment: "github-hosted".to_owned(),
        name: Some("GitHub Actions 12".to_owned()),
    };
    let report = round(&world, &denied, Vec::new(), standpoint, &stop, &|_| {})
        .await
        .unwrap();
    assert_eq!(report.findings[0].reason.as_str(), "port_unproven");
}

/// Everything is rejected, the controls too, from just after the first checkpoint on.
fn rejected_until(end: Duration) -> Fake {
    Fake::new(move |_, at| {
        let gone = at > Duration::from_millis(50) && at < end;
        Some(if gone {
            Reach::Prohibited
        } else {
            Reach::Connected
        })
    })
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_rejects_for_a_moment_is_no_firewall() {
    for attempts in 1..=3 {
        for (timeout, interval) in [(4_400, 1_000), (4_400, 200), (600, 0)] {
            for outage in [1_000, 3_000, 4_000] {
                let mut door = ssh("ssh", "5.5.5.5");
                door.pace = Pace {
                    timeout: Duration::from_millis(timeout),
                    attempts,
                    interval: Duration::from_millis(interval),
                };
                // Another keeps the round going.
                let mut other = ssh("other", "5.5.5.6");
                other.pace.attempts = 5;
                let world = rejected_until(Duration::from_millis(50 + outage));
                let report = undisturbed(&world, &plan(vec![door, other])).await;
                let finding = &report.findings[0];
                assert_ne!(
                    finding.verdict,
                    Verdict::Blocked,
                    "{attempts} of {timeout}, gone for {outage}"
                );
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_finding_without_a_checkpoint_in_between_is_not_borne_out() {
    // The control takes so long to answer that no checkpoint is over before the last attempt is.
    let slow = |milliseconds| {
        let mut world = Fake::new(only_control_answers);
        world.answers_after = Duration::from_millis(milliseconds);
        world
    };
    let mut quick = ssh("ssh", "5.5.5.5");
    quick.pace.attempts = 1;
    let quick = plan(vec![quick]);
    let report = undisturbed(&slow(4_000), &quick).await;
    let control = "9.9.9.9:443".to_owned();
    let reason = Reason::ControlNotBetween { control };
    assert_eq!(report.findings[0].reason, reason);
    let report = undisturbed(&slow(400), &quick).await;
    assert_eq!(report.verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn what_answers_alone_and_not_in_the_crowd_takes_every_silence_with_it() {
    // Silent until all the others are over, as behind a limit on new connections.
    let world = Fake::new(|endpoint, at| {
        let last = endpoint.address.to_string() == "5.5.5.1" && at > Duration::from_millis(13_300);
        only_control_answers(endpoint, at).or(last.then_some(Reach::Connected))
    });
    let crowd = |number: u8| {
        (1..=number)
            .map(|n| ssh(&n.to_string(), &format!("5.5.5.{n}")))
            .collect::<Vec<_>>()
    };
    let report = undisturbed(&world, &plan(crowd(6))).await;
    assert_eq!(report.findings[0].verdict, Verdict::Exposed);
    for finding in &report.findings[1..] {
        assert_eq!(finding.reason, Reason::TooFast, "{}", finding.target.name);
    }
}

fn way(distance: Distance, interface: &str) -> Way {
    Way {
        distance,
        interface: interface.to_owned(),
        gateway: (distance == Distance::Beyond).then(|| "192.168.1.1".parse().unwrap()),
        source: "192.168.1.2".parse().ok(),
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_that_is_nearer_or_elsewhere_bears_nothing_out() {
    for (there, expected) in [
        (Some(way(Distance::Beyond, "eth0")), "stopped"),
        (Some(way(Distance::Beyond, "tun0")), "control_on_other_way"),
        (Some(way(Distance::OwnNetwork, "eth0")), "control_too_near"),
        (Some(way(Distance::ThisMachine, "lo")), "control_too_near"),
        // The system told of the target's way, and could not be asked for the control's.
        (None, "control_on_other_way"),
    ] {
        let mut world = Fake::new(only_control_answers);
        let shown = there.clone();
        world.ways = Box::new(move |address| {
            if address.to_string() == CONTROL {
                there.clone()
            } else {
                Some(way(Distance::Beyond, "eth0"))
            }
        });
        let report = undisturbed(&world, &plan(vec![ssh("ssh", "5.5.5.5")])).await;
        let reason = report.findings[0].reason.as_str();
        assert_eq!(reason, expected, "{shown:?}");
        // What is too near for a verdict is no proof for the report either.
        let proves = expected != "control_too_near";
        assert_eq!(report.vantage.sees.is_empty(), !proves, "{shown:?}");
        assert_eq!(report.vantage.proven.is_empty(), !proves, "{shown:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_at_the_address_that_we_come_from_is_near() {
    let mut world = Fake::new(only_control_answers);
    world.ways = Box::new(|_| Some(way(Distance::Beyond, "eth0")));
    world.says = Box::new(|_, question| {
        (question.name == "whoami.example").then(|| (addresses(&[CONTROL]), Vec::new()))
    });
    let mut plan = plan(vec![ssh("ssh", "5.5.5.5")]);
    plan.vantage.egress = Some(crate::domain::target::Echo::Dns {
        name: "whoami.example".to_owned(),
        record: None,
        servers: vec!["8.8.8.8:53".parse().unwrap()],
    });
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_too_near");
    assert_eq!(report.vantage.sees, []);
}

#[tokio::test(start_paused = true)]
async fn a_global_address_within_our_own_network_tells_nothing_by_being_shut() {
    for reach in [None, Some(Reach::Refused)] {
        let mut world = Fake::new(move |e, at| only_control_answers(e, at).or(reach));
        world.ways = Box::new(|address| {
            Some(if address.to_string() == CONTROL {
                way(Distance::Beyond, "eth0")
            } else {
                way(Distance::OwnNetwork, "eth0")
            })
        });
        let report = undisturbed(&world, &plan(vec![ssh("ssh", "5.5.5.5")])).await;
        assert_eq!(report.findings[0].reason.as_str(), "own_network");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_the_reverse_path_filter_may_have_dropped_are_no_silence() {
    let dropping = |late: bool| {
        let mut world = Fake::new(|endpoint, at| {
            let refused = endpoint.address.to_string() == "5.5.5.6";
            only_control_answers(endpoint, at).or(refused.then_some(Reach::Refused))
        });
        world.drops = Box::new(move |at| {
            let answers = if late { at.as_secs() } else { 0 };
            Some(answers + u64::from(at > Duration::from_secs(5)) + 7)
        });
        world
    };
    let both = || vec![ssh("silent", "5.5.5.5"), ssh("refused", "5.5.5.6")];
    let report = undisturbed(&dropping(true), &plan(both())).await;
    assert!(report.vantage.reverse_path_drops > Some(13));
    assert_eq!(report.findings[0].reason.as_str(), "reverse_path");
    // A rejection was heard.
    assert_eq!(report.findings[1].verdict, Verdict::Blocked);
    let report = undisturbed(&dropping(false), &plan(both())).await;
    // Somebody else's: an open door would have answered more often.
    assert_eq!(report.vantage.reverse_path_drops, Some(1));
    assert_eq!(report.verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn a_way_that_changes_between_attempts_bears_nothing_out() {
    // A tunnel for the target's network alone comes up after the first checkpoint, and is down again when
    // the last attempt is over.
    for (from, until, expected) in [
        (1_000, 10_000, "control_on_other_way"),
        (0, 13_200, "control_on_other_way"),
        (60_000, 60_000, "stopped"),
    ] {
        let mut world = Fake::new(only_control_answers);
        let begun = tokio::time::Instant::now();
        world.ways = Box::new(move |address| {
            let at = begun.elapsed().as_millis();
            let in_tunnel = address.to_string() != CONTROL && (from..until).contains(&at);
            let interface = if in_tunnel { "tun0" } else { "eth0" };
            Some(way(Distance::Beyond, interface))
        });
        let report = undisturbed(&world, &plan(vec![ssh("ssh", "5.5.5.5")])).await;
        let reason = report.findings[0].reason.as_str();
        assert_eq!(reason, expected, "from {from} until {until}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_is_not_lost_with_a_single_packet() {
    // At a quick pace there is time for one packet at a checkpoint. What lasts is found all the same.
    for (from, until, expected) in [
        (500, 900, "stopped"),
        (500, 3_000, "control_lost"),
        (1_000, 60_000, "control_lost"),
    ] {
        let world = Fake::new(move |endpoint, at: Duration| {
            let lost = (from..until).contains(&at.as_millis());
            only_control_answers(endpoint, at).filter(|_| !lost)
        });
        let mut quick = ssh("ssh", "5.5.5.5");
        quick.pace.timeout = Duration::from_millis(1_200);
        let mut plan = plan(vec![quick]);
        plan.controls[0].pace.timeout = Duration::from_millis(1_200);
        let report = undisturbed(&world, &plan).await;
        let reason = report.findings[0].reason.as_str();
        assert_eq!(reason, expected, "from {from} until {until}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_that_loses_packets_only_while_targets_are_tried_is_doubtful() {
    let lossy = |from: u64, until: u64| {
        let mut world = Fake::new(only_control_answers);
        world.syns = Box::new(move |at| {
            let lost = (from..until).contains(&u64::try_from(at.as_millis()).unwrap());
            if lost { 2 } else { 1 }
        });
        world
    };
    // All the time while the targets are tried; before and after too; once.
    for (from, until, expected) in [
        (100, 13_100, "control_doubtful"),
        (0, 60_000, "stopped"),
        (4_000, 4_500, "stopped"),
    ] {
        let plan = plan(vec![ssh("ssh", "5.5.5.5")]);
        let report = undisturbed(&lossy(from, until), &plan).await;
        let reason = report.findings[0].reason.as_str();
        assert_eq!(reason, expected, "from {from} until {until}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_way_that_changes_under_the_attempts_bears_nothing_out() {
    // A tunnel takes the target's network, and is gone when the attempts are over.
    for tunnel in [None, Some(way(Distance::Beyond, "tun0"))] {
        let world = Fake::new(only_control_answers);
        let begun = world.begun;
        let world = Fake {
            ways: Box::new(move |address| {
                let taken = begun.elapsed() < Duration::from_secs(10);
                if taken && address.to_string() != CONTROL {
                    tunnel.clone()
                } else {
                    Some(way(Distance::Beyond, "eth0"))
                }
            }),
            ..world
        };
        let report = undisturbed(&world, &plan(vec![ssh("ssh", "5.5.5.5")])).await;
        assert_eq!(report.findings[0].reason.as_str(), "control_on_other_way");
    }
}

#[tokio::test(start_paused = true)]
async fn the_reverse_path_filter_takes_nothing_of_ipv6() {
    let six = "2a00::9";
    let mut world = Fake::new(move |endpoint, at| {
        let control = endpoint.address.to_string() == six;
        only_control_answers(endpoint, at).or(control.then_some(Reach::Connected))
    });
    world.drops = Box::new(|at| Some(40 * u64::from(at > Duration::from_secs(5))));
    let mut plan = plan(vec![ssh("four", "5.5.5.5"), ssh("six", "2a00::5")]);
    plan.controls.push(control(tcp(six, 443)));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "reverse_path");
    assert_eq!(report.findings[1].verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn a_control_on_every_port_that_has_none_to_be_tried_on_is_not_lost() {
    let world = Fake::new(only_control_answers);
    let mut plan = plan(vec![target(
        "ping",
        TargetKind::Icmp {
            host: Host::Address("5.5.5.5".parse().unwrap()),
        },
        Barrier::Network,
    )]);
    plan.controls[0].every_port = true;
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.controls[0].lost, []);
    assert_eq!(report.findings[0].reason.as_str(), "no_control");
}

/// A checkpoint is small, a hundred thousand of them are not, and who answers for a control is no target.
#[tokio::test(start_paused = true)]
async fn a_quick_target_does_not_have_the_controls_tried_for_as_long_as_a_slow_one_takes() {
    let mut quick = ssh("quick", "5.5.5.5");
    quick.pace = Pace {
        timeout: Duration::from_millis(500),
        attempts: 1,
        interval: Duration::ZERO,
    };
    let mut slow = ssh("slow", "5.5.5.6");
    slow.pace = Pace {
        timeout: Duration::from_mins(1),
        attempts: 20,
        interval: Duration::ZERO,
    };
    let report = undisturbed(&Fake::new(only_control_answers), &plan(vec![quick, slow])).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    // Twenty minutes, one every two and a half to five seconds.
    let checks = report.controls[0].checks.len();
    assert!(checks < 500, "{checks}");
}

/// When the attempts at nine silent targets began, in a round with these limits.
async fn starts(rate: u32, concurrency: usize) -> Vec<Duration> {
    let crowd = (1..=9).map(|n| ssh(&n.to_string(), &format!("5.5.5.{n}")));
    let mut plan = plan(crowd.collect());
    (plan.rate, plan.concurrency) = (rate, concurrency);
    let world = Fake::new(only_control_answers);
    undisturbed(&world, &plan).await;
    let log = world.log.borrow();
    let targets = log.iter().filter(|(e, _)| e.address.to_string() != CONTROL);
    let mut starts: Vec<_> = targets.map(|(_, at)| *at).collect();
    starts.sort_unstable();
    starts
}

#[tokio::test(start_paused = true)]
async fn every_attempt_keeps_to_the_limits_of_the_round_a_look_alone_too() {
    // Three attempts at each, and eight looks alone.
    let slow = starts(1, 100).await;
    assert_eq!(slow.len(), 27 + 8);
    let gaps = slow.windows(2).map(|two| two[1].saturating_sub(two[0]));
    assert!(gaps.min().unwrap() >= Duration::from_millis(999));
    assert_eq!(starts(1_000_000, 1).await.len(), 27 + 1);
}

#[tokio::test(start_paused = true)]
async fn no_two_targets_start_in_step() {
    let starts = starts(1_000_000, 100).await;
    let first: std::collections::BTreeSet<_> = starts.iter().take(9).collect();
    assert!(first.len() > 3, "{first:?}");
    let span = starts[8].saturating_sub(starts[0]);
    assert!(span > Duration::from_millis(10), "{span:?}");
}

#[tokio::test(start_paused = true)]
async fn a_url_that_does_not_answer_for_itself_is_no_control() {
    let url = TargetKind::Url(Url {
        text: format!("https://{CONTROL}/"),
        https: true,
        host: Host::Address(CONTROL.parse().unwrap()),
        port: 443,
        path: "/".to_owned(),
        authority: CONTROL.to_owned(),
    });
    // It is served, and nothing says by whom.
    let world = Fake::new(|endpoint, at| only_control_answers(endpoint, at).map(|_| Reach::Served));
    let mut plan = plan(vec![ssh("ssh", "5.5.5.5")]);
    plan.controls = vec![control(url)];
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");
}

/// No network makes this, but a machine that stood still does: the pace of the checkpoints sees to the rest.
#[test]
fn without_a_checkpoint_within_its_attempts_the_round_itself_bears_nothing_out() {
    let plan = plan(vec![ssh("ssh", "5.5.5.5")]);
    let place = Place {
        endpoint: Endpoint::tcp("5.5.5.5".parse().unwrap(), 22),
        way: None,
    };
    let check = |at_ms| ControlCheck {
        at_ms,
        took_ms: 20,
        endpoints: vec![ControlEndpoint {
            endpoint: Endpoint::tcp(CONTROL.parse().unwrap(), 443),
            reached: true,
            way: None,
            last: Attempt {
                at_ms,
                took_ms: 20,
                outcome: Outcome::Reached(Reach::Connected),
                evidence: None,
            },
        }],
        name: None,
    };
    let standing = |times: &[u64]| {
        let checks: Vec<_> = times.iter().map(|at| check(*at)).collect();
        let controls = Controls::of(&plan).with_checks(&checks);
        let basis = Basis {
            controls: &controls,
            ports: &Ports::default(),
            unfiltered: Some(Assumption::Said),
            invented: false,
            dropped: 0,
            too_fast: false,
        };
        let window = Window {
            from: 100,
            until: 5_000,
        };
        basis.of_place(0, place, Some(window))
    };
    assert!(matches!(standing(&[0, 2_000, 5_000]), Standing::Held(_)));
    let control = format!("{CONTROL}:443");
    for times in [&[0, 5_000][..], &[2_000, 5_000], &[0, 2_000]] {
        assert_eq!(standing(times), Standing::NotBetween(control.clone()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_that_was_not_reached_proves_no_port() {
    let world = Fake::new(|endpoint, at| {
        let control = only_control_answers(endpoint, at);
        control.filter(|_| endpoint.port == Some(443))
    });
    // The control of one target is not relevant for the other.
    let mut own = ssh("own", "5.5.5.5");
    own.control = Some(Box::new(control(tcp(CONTROL, 22))));
    let report = undisturbed(&world, &proving(vec![own, ssh("other", "5.5.5.6")])).await;
    let reasons: Vec<_> = report.findings.iter().map(|f| f.reason.as_str()).collect();
    assert_eq!(reasons, ["control_lost", "port_unproven"]);
}

#[tokio::test(start_paused = true)]
async fn a_control_on_every_port_speaks_for_what_only_insiders_reach() {
    let guard = "10.0.0.9";
    let world = Fake::new(only_control_answers);
    let mut plan = proving(vec![ssh("ssh", "5.5.5.5")]);
    plan.controls[0].every_port = true;
    let mut inside = control(tcp(guard, 5432));
    inside.probe_non_global = true;
    plan.vantage.must_not_reach = Some(inside);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.vantage.outside.unwrap().side, Side::Outside);
    assert_eq!(report.verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn a_control_on_every_port_is_tried_on_no_more_than_its_share() {
    let targets = (1..=70).map(|port| {
        let at = tcp("5.5.5.5", 1_000 + port);
        target(&port.to_string(), at, Barrier::Network)
    });
    let mut plan = proving(targets.collect());
    plan.controls[0].every_port = true;
    let report = undisturbed(&Fake::new(only_control_answers), &plan).await;
    assert_eq!(report.controls[0].checks[0].endpoints.len(), 64);
    // The highest ports are not proven, and it is said.
    let reasons: Vec<_> = report.findings.iter().map(|f| f.reason.as_str()).collect();
    assert!(reasons[..64].iter().all(|reason| *reason == "stopped"));
    assert!(
        reasons[64..]
            .iter()
            .all(|reason| *reason == "port_unproven")
    );
}

/// A companion that counts is nothing less than what the target declares.
#[tokio::test(start_paused = true)]
async fn what_is_assumed_of_a_companion_is_told_where_it_counts() {
    let question = |port| TargetKind::Udp {
        host: Host::Address("5.5.5.5".parse().unwrap()),
        port,
        payload: Payload::Protocol(Protocol::Stun),
    };
    let url = TargetKind::Url(Url {
        text: "https://5.5.5.5:60000/".to_owned(),
        https: true,
        host: Host::Address("5.5.5.5".parse().unwrap()),
        port: 60_000,
        path: "/".to_owned(),
        authority: "5.5.5.5:60000".to_owned(),
    });
    let mut admin = target("admin", url, Barrier::Network);
    admin.http3 = true;
    let mut targets = vec![admin];
    // So many ports that a control on every one is not tried on the last of them.
    targets.extend((1..=64).map(|n| target(&n.to_string(), question(n), Barrier::Network)));
    let mut plan = plan(targets);
    let mut every = control(TargetKind::Udp {
        host: Host::Address(CONTROL.parse().unwrap()),
        port: 0,
        payload: Payload::Bytes(vec![1]),
    });
    every.every_port = true;
    plan.controls = vec![control(tcp(CONTROL, 60_000)), every];
    let report = undisturbed(&Fake::new(only_control_answers), &plan).await;
    let finding = &report.findings[0];
    assert_eq!(finding.verdict, Verdict::Blocked, "{:?}", finding.reason);
    let companion = finding.endpoints.iter().find(|e| e.companion).unwrap();
    let rests_on = companion.rests_on.as_ref().unwrap();
    assert!(companion.counts());
    assert_eq!(rests_on.port, PortProof::Assumed);
    assert_eq!(finding.notes, [Note::PortAssumed]);
}
