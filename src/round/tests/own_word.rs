//! Whose word counts: addresses that a resolver gave and the zone's own servers did not, and answers
//! that failed when they were asked for again.

use super::names::{NAME, found, records, seen, zone};
use super::*;
use crate::domain::finding::Finding;

type Said = Option<(NameAnswer, Vec<&'static str>)>;

const OPEN: &str = "5.5.5.5";

fn four(question: &Question<'_>) -> bool {
    question.record == Record::of(Family::Ipv4)
}

fn door() -> Target {
    Target {
        families: vec![Family::Ipv4],
        ..target("door", tcp(NAME, 443), Barrier::Network)
    }
}

/// Resolvers that give `lie` for the target's name, and own servers that say `own` of it.
fn lied(
    lie: &'static str,
    own: impl Fn(&str) -> NameAnswer + 'static,
) -> impl Fn(&str, &Question<'_>) -> Said {
    move |server, question| {
        if question.authority.is_some() {
            assert_eq!(question.name, NAME);
            return Some((own(server), Vec::new()));
        }
        let mine = question.name == NAME && four(question);
        mine.then(|| (addresses(&[lie]), Vec::new()))
            .or_else(|| zone(server, question))
    }
}

/// Whether some part of it is inconclusive because a resolver was not believed. (An address that the own
/// servers gave may lack a control besides.)
fn withheld(finding: &Finding) -> bool {
    let names = finding.name_verdicts.iter().map(|n| &n.reason);
    let mut all = names.chain(finding.endpoints.iter().map(|e| &e.reason));
    all.any(|reason| reason.as_str() == "resolver_withholds")
}

fn own_servers(finding: &Finding) -> usize {
    let queries = &finding.name.as_ref().unwrap().queries;
    queries.iter().filter(|q| q.authority.is_some()).count()
}

fn every_kind() -> Vec<Target> {
    let host = || Host::Name(NAME.to_owned());
    let url = |https| {
        TargetKind::Url(Url {
            text: format!("https://{NAME}/"),
            https,
            host: host(),
            port: 443,
            path: "/".to_owned(),
            authority: NAME.to_owned(),
        })
    };
    let udp = TargetKind::Udp {
        host: host(),
        port: 53,
        payload: Payload::Protocol(Protocol::Dns),
    };
    let quic = TargetKind::Quic {
        host: host(),
        port: 443,
    };
    let all = [
        (tcp(NAME, 443), Barrier::Network),
        (url(false), Barrier::Http),
        (url(true), Barrier::Tls),
        (udp, Barrier::Network),
        (quic, Barrier::Tls),
        (TargetKind::Icmp { host: host() }, Barrier::Network),
    ];
    all.into_iter()
        .map(|(kind, barrier)| Target {
            kind,
            denial: Denial::all_of(barrier),
            barrier,
            ..door()
        })
        .collect()
}

#[tokio::test(start_paused = true)]
async fn a_private_address_is_a_stop_only_where_the_zones_own_servers_give_it() {
    for target in every_kind() {
        let case = format!("{} at {}", target.kind, target.barrier);
        let honest = |_: &str| addresses(&["10.0.0.1"]);
        let finding = seen(target.clone(), lied("10.0.0.1", honest)).await;
        let expected = (Verdict::Blocked, "stopped", Some(Reach::PrivateAddress));
        assert_eq!(found(&finding), expected, "{case}");
        assert_eq!(finding.attempts(), 0);
        assert_eq!(own_servers(&finding), 4, "two servers, two addresses each");

        for lie in [
            "10.0.0.1",
            "192.168.7.7",
            "169.254.0.1",
            "203.0.113.7",
            "127.0.0.1",
            "0.0.0.1",
        ] {
            for own in [
                NameAnswer::NxDomain,
                NameAnswer::NoData,
                addresses(&["10.0.0.2"]),
                addresses(&["5.5.5.6"]),
            ] {
                let says = own.clone();
                let finding = seen(target.clone(), lied(lie, move |_| says.clone())).await;
                assert_eq!(
                    finding.verdict,
                    Verdict::Inconclusive,
                    "{case}: {lie} {own:?}"
                );
                assert!(withheld(&finding), "{case}: {lie} {own:?} {finding:#?}");
            }
            for cause in [
                Blind::ResolverTimeout,
                Blind::ServerLame,
                Blind::ResolverFilters,
            ] {
                let silent = move |server: &str| match server {
                    "2a00::2" => NameAnswer::Blind(cause),
                    _ => addresses(&[if lie == "0.0.0.1" { "5.5.5.6" } else { lie }]),
                };
                let finding = seen(target.clone(), lied(lie, silent)).await;
                let expected = (Verdict::Inconclusive, cause.as_str());
                let is = (finding.verdict, finding.reason.as_str());
                assert_eq!(is, expected, "{case}: {lie}");
            }
        }
    }
}

/// A door behind the zone's own address is knocked at, whatever the resolvers say.
#[tokio::test(start_paused = true)]
async fn what_the_zones_own_servers_give_is_knocked_at() {
    for lie in ["192.168.7.7", "127.0.0.1"] {
        let world = || {
            let behaviour = |endpoint: Endpoint, at| {
                let open = endpoint.address.to_string() == OPEN;
                only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
            };
            let mut world = named(Fake::new(behaviour));
            world.says = Box::new(lied(lie, |server| match server {
                "5.5.0.2" => addresses(&[OPEN]),
                _ => NameAnswer::Blind(Blind::ResolverTimeout),
            }));
            world
        };
        let asked = world();
        let report = undisturbed(&asked, &named_plan(door())).await;
        assert_eq!(report.verdict, Verdict::Exposed, "{lie}");
        assert!(asked.starts(lie).is_empty());

        // At the barrier `dns` it is the exposure; nobody else is asked but for what they made up.
        let dns = Target {
            kind: TargetKind::Dns {
                name: NAME.to_owned(),
                record: None,
            },
            barrier: Barrier::Dns,
            denial: Denial::all_of(Barrier::Dns),
            ..door()
        };
        let report = undisturbed(&world(), &named_plan(dns)).await;
        let finding = &report.findings[0];
        let expected = match lie {
            "127.0.0.1" => (Verdict::Exposed, 4),
            _ => (Verdict::Blocked, 0),
        };
        assert_eq!((finding.verdict, own_servers(finding)), expected);
    }
}

#[tokio::test(start_paused = true)]
async fn one_resolver_that_gives_a_private_address_takes_nothing_from_the_others() {
    for (other, verdict, reason) in [
        (
            NameAnswer::NxDomain,
            Verdict::Inconclusive,
            "resolver_withholds",
        ),
        (
            addresses(&["5.5.5.6"]),
            Verdict::Inconclusive,
            "resolver_withholds",
        ),
        (addresses(&[OPEN]), Verdict::Exposed, "past_barrier"),
        (
            NameAnswer::Blind(Blind::ResolverServfail),
            Verdict::Inconclusive,
            "resolver_servfail",
        ),
    ] {
        let behaviour = |endpoint: Endpoint, at| {
            let open = endpoint.address.to_string() == OPEN;
            only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
        };
        let mut world = named(Fake::new(behaviour));
        let says = other.clone();
        let lie = lied("10.0.0.1", |_| NameAnswer::NxDomain);
        world.says = Box::new(move |server, question| {
            let honest = server == "8.8.8.8" && question.name == NAME && four(question);
            if honest && question.authority.is_none() {
                return Some((says.clone(), Vec::new()));
            }
            lie(server, question)
        });
        let report = undisturbed(&world, &named_plan(door())).await;
        let finding = &report.findings[0];
        let is = (finding.verdict, finding.reason.as_str());
        assert_eq!(is, (verdict, reason), "{other:?}");
        let queries = &finding.name.as_ref().unwrap().queries;
        for answer in [other, addresses(&["10.0.0.1"])] {
            assert!(queries.iter().any(|q| q.answer == answer), "{queries:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_inside_is_looked_at_private_addresses_and_loopback_are_knocked_at() {
    for address in ["10.0.0.1", "127.0.0.1"] {
        let mut world = named(Fake::new(|endpoint, at| {
            let here = !endpoint.address.is_ipv4() || endpoint.address.is_loopback();
            only_control_answers(endpoint, at).or(here.then_some(Reach::Connected))
        }));
        world.says = Box::new(lied(address, |_| panic!("nobody asks")));
        let inside = Target {
            probe_non_global: true,
            ..door()
        };
        let mut plan = named_plan(inside);
        plan.controls[0].probe_non_global = true;
        let report = undisturbed(&world, &plan).await;
        assert!(!world.starts(address).is_empty());
        let exposed = report.verdict == Verdict::Exposed;
        assert_eq!(exposed, address == "127.0.0.1");
    }
}

#[tokio::test(start_paused = true)]
async fn whoever_wishes_it_has_the_zones_own_servers_asked_for_every_kind() {
    for mut target in every_kind() {
        for authoritative in [Authoritative::WhereNeeded, Authoritative::Always] {
            target.authoritative = authoritative;
            let authoritative = authoritative == Authoritative::Always;
            let finding = seen(target.clone(), lied("5.5.5.6", |_| addresses(&["5.5.5.7"]))).await;
            let expected = if authoritative { 4 } else { 0 };
            // Nothing new was said the second time, so that the first is what stands.
            assert_eq!(own_servers(&finding), expected, "{}", target.kind);
            let own = finding.endpoints.iter();
            let mut own = own.filter(|e| e.endpoint.address.to_string() == "5.5.5.7");
            assert_eq!(own.next().is_some(), authoritative, "{}", target.kind);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_is_not_believed_about_the_end_of_an_alias_either() {
    let far = "far.other.example";
    for (own_of_far, verdict, reason) in [
        (addresses(&["10.0.0.1"]), Verdict::Blocked, "stopped"),
        (
            addresses(&["5.5.5.6"]),
            Verdict::Inconclusive,
            "resolver_withholds",
        ),
        (
            NameAnswer::NxDomain,
            Verdict::Inconclusive,
            "resolver_withholds",
        ),
        (
            NameAnswer::Blind(Blind::ResolverRefused),
            Verdict::Inconclusive,
            "resolver_refused",
        ),
    ] {
        let answer = own_of_far.clone();
        let finding = seen(door(), move |server, question| {
            let said = |answer| Some((answer, Vec::new()));
            match (question.authority, question.name, question.record) {
                (Some(_), NAME, _) => {
                    let unfollowed = NameAnswer::Blind(Blind::ResolverError);
                    Some((unfollowed, vec![far]))
                }
                (Some("ns.other.example"), name, _) if name == far => said(answer.clone()),
                (Some(_), ..) => panic!("{question:?}"),
                (None, "other.example", Record::NS) => said(records(&["ns.other.example."])),
                (None, "ns.other.example", _) if four(question) => said(addresses(&["5.5.0.9"])),
                (None, name, _) if four(question) && name == far => said(addresses(&["10.0.0.1"])),
                (None, NAME, _) if four(question) => Some((addresses(&["10.0.0.1"]), vec![far])),
                (None, ..) => zone(server, question),
            }
        })
        .await;
        let is = (finding.verdict, finding.reason.as_str());
        assert_eq!(is, (verdict, reason), "{own_of_far:?} {finding:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_whose_name_is_sunk_does_not_hold() {
    for sunk in ["127.0.0.1", "127.9.9.9"] {
        // Looked at from inside, where a private address would do.
        let gone = Target {
            kind: TargetKind::Dns {
                name: NAME.to_owned(),
                record: None,
            },
            barrier: Barrier::Dns,
            denial: Denial::all_of(Barrier::Dns),
            probe_non_global: true,
            ..door()
        };
        let world = Fake::new(|_, _| Some(Reach::Connected))
            .name("1.1.1.1", "control.example", addresses(&[sunk]))
            .name("8.8.8.8", "control.example", addresses(&[sunk]));
        let report = undisturbed(&world, &named_plan(gone)).await;
        assert_eq!(report.findings[0].reason.as_str(), "control_lost");
        assert!(world.starts(sunk).is_empty());
    }
}

/// A resolver that says the first of these the first time that it is asked for the door, and so on; the
/// last it says from then on. The other one says always the same.
async fn changing(target: Target, answers: Vec<NameAnswer>) -> Finding {
    let turn = Cell::new(0);
    seen(target, move |server, question| {
        let mine = question.name == NAME && four(question) && question.authority.is_none();
        if !mine {
            return None;
        }
        if server != "8.8.8.8" {
            return Some((addresses(&["5.5.5.6"]), Vec::new()));
        }
        let now = turn.get().min(answers.len() - 1);
        turn.set(turn.get() + 1);
        Some((answers[now].clone(), Vec::new()))
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn a_second_asking_that_failed_is_not_dropped() {
    let half = || addresses(&["5.5.5.6"]);
    for cause in [
        Blind::ResolverServfail,
        Blind::ResolverTimeout,
        Blind::ResolverRefused,
        Blind::ResolverFilters,
    ] {
        let failed = || NameAnswer::Blind(cause);
        let finding = changing(door(), vec![half(), failed()]).await;
        let is = (finding.verdict, finding.reason.as_str());
        assert_eq!(is, (Verdict::Inconclusive, cause.as_str()));
        assert_eq!(finding.name_verdicts.len(), 1, "{finding:#?}");

        // Busy for a moment, and then as before: nothing is missing.
        let finding = changing(door(), vec![half(), failed(), half()]).await;
        assert_eq!(finding.verdict, Verdict::Blocked, "{finding:#?}");
        assert!(finding.name_verdicts.is_empty());
        // And what it held back for a moment is looked at.
        let finding = changing(door(), vec![half(), failed(), addresses(&["5.5.5.7"])]).await;
        assert_eq!(finding.endpoints.len(), 2, "{finding:#?}");
    }
    // Sunk from one moment to the next.
    let finding = changing(door(), vec![half(), addresses(&["127.0.0.1"])]).await;
    assert_eq!(finding.reason.as_str(), "resolver_withholds");
    // What failed the first time is inconclusive as it was.
    let failed = NameAnswer::Blind(Blind::ResolverServfail);
    let finding = changing(door(), vec![failed, half()]).await;
    assert_eq!(finding.reason.as_str(), "resolver_servfail");
}

#[tokio::test(start_paused = true)]
async fn the_second_asking_covers_the_zones_own_servers() {
    for (second, verdict, reason) in [
        (
            NameAnswer::Blind(Blind::ResolverTimeout),
            Verdict::Inconclusive,
            "resolver_timeout",
        ),
        (addresses(&[OPEN]), Verdict::Exposed, "past_barrier"),
        (addresses(&["10.0.0.1"]), Verdict::Blocked, "stopped"),
    ] {
        let begun = Instant::now();
        let answer = second.clone();
        let behaviour = |endpoint: Endpoint, at| {
            let open = endpoint.address.to_string() == OPEN;
            only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
        };
        let mut world = named(Fake::new(behaviour));
        world.says = Box::new(lied("10.0.0.1", move |server| {
            if server == "5.5.0.2" && begun.elapsed() > Duration::from_millis(500) {
                answer.clone()
            } else {
                addresses(&["10.0.0.1"])
            }
        }));
        let report = undisturbed(&world, &named_plan(door())).await;
        let finding = &report.findings[0];
        let is = (finding.verdict, finding.reason.as_str());
        assert_eq!(is, (verdict, reason), "{second:?}");
    }
}

/// Also where the resolvers' second answer by itself would not have it.
#[tokio::test(start_paused = true)]
async fn whoever_was_asked_first_is_asked_again() {
    let begun = Instant::now();
    let late = move || begun.elapsed() > Duration::from_millis(500);
    let behaviour = |endpoint: Endpoint, at| {
        let open = endpoint.address.to_string() == OPEN;
        only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
    };
    let mut world = named(Fake::new(behaviour));
    let own = move |_: &str| addresses(&[if late() { OPEN } else { "10.0.0.1" }]);
    let lie = lied("10.0.0.1", own);
    world.says = Box::new(move |server, question| {
        let resolver = question.authority.is_none() && question.name == NAME && four(question);
        if resolver && late() {
            return Some((addresses(&["5.5.5.6"]), Vec::new()));
        }
        lie(server, question)
    });
    let report = undisturbed(&world, &named_plan(door())).await;
    assert_eq!(report.verdict, Verdict::Exposed, "{:#?}", report.findings);
}

#[tokio::test(start_paused = true)]
async fn a_name_that_a_stop_kept_from_being_asked_for_again_is_inconclusive() {
    let mut world = named(Fake::new(only_control_answers));
    world.says = Box::new(lied("10.0.0.1", |_| addresses(&["10.0.0.1"])));
    let (stopper, stop) = stop::pair();
    let plan = named_plan(door());
    let later = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        stopper.stop();
    };
    let (report, ()) = futures_util::future::join(run(&world, &plan, &stop), later).await;
    assert_eq!(report.findings[0].reason.as_str(), "interrupted");
}
