//! Types of records, the zone's own servers, wildcards and aliases that lead nowhere.

use super::*;
use crate::domain::finding::Finding;

pub(super) const NAME: &str = "door.lab.example";

fn dns(record: Option<&str>, authoritative: bool) -> Target {
    let kind = TargetKind::Dns {
        name: NAME.to_owned(),
        record: record.map(|text| Record::watchable(text).unwrap()),
    };
    let authoritative = if authoritative {
        Authoritative::Always
    } else {
        Authoritative::WhereNeeded
    };
    Target {
        authoritative,
        ..target("door", kind, Barrier::Dns)
    }
}

pub(super) fn records(all: &[&str]) -> NameAnswer {
    NameAnswer::Records(all.iter().map(|text| (*text).to_owned()).collect())
}

/// One round over one target, in a world whose name servers say this.
pub(super) async fn seen(
    target: Target,
    says: impl Fn(&str, &Question<'_>) -> Option<(NameAnswer, Vec<&'static str>)> + 'static,
) -> Finding {
    let mut world = named(Fake::new(only_control_answers));
    world.says = Box::new(says);
    let report = undisturbed(&world, &named_plan(target)).await;
    report.findings.into_iter().next().unwrap()
}

pub(super) fn found(finding: &Finding) -> (Verdict, &str, Option<Reach>) {
    (finding.verdict, finding.reason.as_str(), finding.reach)
}

const GONE: (Verdict, &str, Option<Reach>) = (Verdict::Blocked, "stopped", Some(Reach::NoName));

#[tokio::test(start_paused = true)]
async fn a_record_is_gone_only_if_every_resolver_says_so() {
    for (second, expected) in [
        (NameAnswer::NxDomain, GONE),
        (NameAnswer::NoData, GONE),
        (
            records(&["v=secret"]),
            (Verdict::Exposed, "past_barrier", Some(Reach::PublicRecord)),
        ),
        (
            NameAnswer::Blind(Blind::ResolverServfail),
            (Verdict::Inconclusive, "resolver_servfail", None),
        ),
    ] {
        let answer = second.clone();
        let finding = seen(dns(Some("TXT"), false), move |server, question| {
            assert!(question.name != NAME || question.record == Record::TXT);
            let mine = question.name == NAME && server == "8.8.8.8";
            mine.then(|| (answer.clone(), Vec::new()))
        })
        .await;
        assert_eq!(found(&finding), expected, "{second:?}");
        let queries = &finding.name.unwrap().queries;
        assert!(
            queries
                .iter()
                .all(|q| q.record == "TXT" && q.family.is_none())
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_record_published_by_one_resolver_stands_although_another_is_dead() {
    let finding = seen(dns(Some("TXT"), false), |server, question| {
        let answer = match server {
            "8.8.8.8" => records(&["v=secret"]),
            _ => NameAnswer::Blind(Blind::ResolverTimeout),
        };
        (question.name == NAME).then_some((answer, Vec::new()))
    })
    .await;
    assert_eq!(finding.verdict, Verdict::Exposed);
    assert_eq!(finding.name_verdicts.len(), 2, "{finding:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_shows_up_later_is_seen() {
    let mut world = named(Fake::new(only_control_answers));
    world.later.insert(NAME, records(&["v=secret"]));
    let report = undisturbed(&world, &named_plan(dns(Some("TXT"), false))).await;
    assert_eq!(report.verdict, Verdict::Exposed, "{:#?}", report.findings);
}

#[tokio::test(start_paused = true)]
async fn without_a_control_no_record_is_no_proof() {
    let world = Fake::new(only_control_answers);
    let report = undisturbed(&world, &plan(vec![dns(Some("TXT"), false)])).await;
    assert_eq!(report.findings[0].reason.as_str(), "no_control");
}

/// A zone `lab.example` with two servers, each with an address in both families.
pub(super) fn zone(
    server: &str,
    question: &Question<'_>,
) -> Option<(NameAnswer, Vec<&'static str>)> {
    let resolver = question.authority.is_none();
    let answer = match (question.name, question.record) {
        ("lab.example", Record::NS) if resolver => {
            records(&["ns1.lab.example.", "NS2.lab.example."])
        }
        ("ns1.lab.example", _) => addresses(&["5.5.0.1", "2a00::1"]),
        ("ns2.lab.example", _) => addresses(&["5.5.0.2", "2a00::2"]),
        _ if resolver && server != "8.8.8.8" => return None,
        _ => return None,
    };
    let answer = match answer {
        NameAnswer::Addresses(mut all) => {
            all.retain(|a| question.record.family() == Some(Family::of(*a)));
            NameAnswer::Addresses(all)
        }
        other => other,
    };
    Some((answer, Vec::new()))
}

/// The same, and what the zone's own servers say.
async fn owned(own: impl Fn(&str, Family) -> (NameAnswer, Vec<&'static str>) + 'static) -> Finding {
    seen(dns(None, true), move |server, question| {
        if question.authority.is_some() {
            assert_eq!(question.name, NAME);
            return Some(own(server, question.record.family().unwrap()));
        }
        zone(server, question)
    })
    .await
}

#[tokio::test(start_paused = true)]
async fn every_server_of_the_zone_is_asked_and_all_must_agree() {
    let finding = owned(|_, _| (NameAnswer::NxDomain, Vec::new())).await;
    assert_eq!(found(&finding), GONE, "{finding:#?}");
    let queries = &finding.name.as_ref().unwrap().queries;
    let mut asked: Vec<_> = queries
        .iter()
        .filter_map(|q| {
            Some((
                q.authority.as_deref()?,
                q.resolver.as_str(),
                q.record.as_str(),
            ))
        })
        .collect();
    asked.sort_unstable();
    assert_eq!(asked.len(), 2 * 2 * 2, "{asked:?}");
    assert_eq!(asked[0], ("ns1.lab.example", "5.5.0.1:53", "A"));
    assert_eq!(asked[7], ("ns2.lab.example", "[2a00::2]:53", "AAAA"));

    // What one of them publishes is public, whatever the resolvers remember.
    let finding = owned(|server, family| match (server, family) {
        ("5.5.0.2", Family::Ipv4) => (addresses(&["5.5.5.5"]), Vec::new()),
        _ => (NameAnswer::NxDomain, Vec::new()),
    })
    .await;
    assert_eq!(
        found(&finding),
        (Verdict::Exposed, "past_barrier", Some(Reach::PublicAddress))
    );

    for cause in [
        Blind::ServerLame,
        Blind::ResolverTimeout,
        Blind::ResolverRefused,
    ] {
        let finding = owned(move |server, _| match server {
            "2a00::2" => (NameAnswer::Blind(cause), Vec::new()),
            _ => (NameAnswer::NxDomain, Vec::new()),
        })
        .await;
        assert_eq!(
            found(&finding),
            (Verdict::Inconclusive, cause.as_str(), None)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_without_ipv6_does_not_doubt_what_the_same_server_said_over_ipv4() {
    for cause in [Blind::NoRoute, Blind::NoFamily, Blind::NoLocalPort] {
        let finding = owned(move |server, _| {
            if server.contains(':') {
                (NameAnswer::Blind(cause), Vec::new())
            } else {
                (NameAnswer::NxDomain, Vec::new())
            }
        })
        .await;
        assert_eq!(found(&finding), GONE, "{finding:#?}");

        // But a server that could not be asked at all has not spoken.
        let finding = owned(move |server, _| match server {
            "5.5.0.1" => (NameAnswer::NxDomain, Vec::new()),
            _ => (NameAnswer::Blind(cause), Vec::new()),
        })
        .await;
        assert_eq!(
            found(&finding),
            (Verdict::Inconclusive, cause.as_str(), None)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_zone_whose_servers_cannot_be_found_or_asked_is_inconclusive() {
    // Nobody knows any name server, up to the root.
    let finding = seen(dns(None, true), |_, _| None).await;
    assert_eq!(finding.reason.as_str(), "server_lame", "{finding:#?}");

    // The resolvers cannot say.
    let finding = seen(dns(None, true), |_, question| {
        let timeout = NameAnswer::Blind(Blind::ResolverTimeout);
        (question.record == Record::NS).then_some((timeout, Vec::new()))
    })
    .await;
    assert_eq!(finding.reason.as_str(), "resolver_timeout", "{finding:#?}");

    // A server has no address, or only one in a private network.
    for address in [NameAnswer::NxDomain, addresses(&["10.0.0.1"])] {
        let finding = seen(dns(None, true), move |server, question| {
            if question.authority.is_some() {
                return Some((NameAnswer::NxDomain, Vec::new()));
            }
            if question.name == "ns2.lab.example" {
                let four = question.record == Record::of(Family::Ipv4);
                let answer = if four {
                    address.clone()
                } else {
                    NameAnswer::NoData
                };
                return Some((answer, Vec::new()));
            }
            zone(server, question)
        })
        .await;
        assert_eq!(finding.reason.as_str(), "server_lame", "{finding:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_alias_out_of_the_zone_is_followed_by_the_resolvers() {
    for (end, expected) in [
        (NameAnswer::NxDomain, GONE),
        (
            addresses(&["5.5.5.5"]),
            (Verdict::Exposed, "past_barrier", Some(Reach::PublicAddress)),
        ),
        (
            NameAnswer::Blind(Blind::ResolverServfail),
            (Verdict::Inconclusive, "resolver_servfail", None),
        ),
    ] {
        let behind = end.clone();
        let finding = seen(dns(None, true), move |server, question| {
            let unfollowed = NameAnswer::Blind(Blind::ResolverError);
            match (question.authority, question.name) {
                (Some(_), _) => Some((unfollowed, vec!["far.other.example"])),
                (None, "far.other.example") => Some((behind.clone(), Vec::new())),
                (None, _) => zone(server, question),
            }
        })
        .await;
        assert_eq!(found(&finding), expected, "{finding:#?}");
        let queries = &finding.name.as_ref().unwrap().queries;
        let own = queries.iter().find(|q| q.authority.is_some()).unwrap();
        assert_eq!(own.cnames, ["far.other.example"]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_parents_servers_are_asked_for_a_delegation_signer() {
    let finding = seen(dns(Some("DS"), true), |server, question| {
        if question.authority.is_some() {
            return Some((NameAnswer::NoData, Vec::new()));
        }
        assert!(question.record != Record::NS || question.name != NAME);
        zone(server, question)
    })
    .await;
    assert_eq!(found(&finding), GONE, "{finding:#?}");
}

#[tokio::test(start_paused = true)]
async fn a_zone_with_a_wildcard_is_told_from_a_resolver_that_invents() {
    let is_sibling = |name: &str| name.starts_with("noentry-") && name.ends_with(".lab.example");
    for record in [None, Some("TXT")] {
        let finding = seen(dns(record, false), move |server, question| {
            let answer = match question.record.family() {
                Some(_) => addresses(&["5.5.5.5"]),
                None => records(&["anything"]),
            };
            let mine = is_sibling(question.name) && server == "8.8.8.8";
            mine.then_some((answer, Vec::new()))
        })
        .await;
        assert_eq!(finding.notes, [Note::Wildcard]);
        assert_eq!(found(&finding), GONE, "a note, and nothing for the verdict");
    }
    // A wildcard alias that ends in nothing is one too.
    let finding = seen(dns(None, false), move |_, question| {
        is_sibling(question.name).then_some((NameAnswer::NxDomain, vec!["gone.example"]))
    })
    .await;
    assert_eq!(finding.notes, [Note::Wildcard]);

    let finding = seen(dns(None, false), |server, question| {
        let control = question.name == "control.example";
        (server == "8.8.8.8" && !control).then_some((addresses(&["5.5.5.5"]), Vec::new()))
    })
    .await;
    assert_eq!(finding.notes, [Note::ResolverInvents]);
}

#[tokio::test(start_paused = true)]
async fn below_a_top_level_domain_no_sibling_is_asked_for() {
    let world = named(Fake::new(only_control_answers));
    let report = undisturbed(&world, &named_plan(intranet())).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    // Two resolvers, two families: the control twice, honesty with three names twice, and the target
    // twice, but no name beside it.
    assert_eq!(world.lookups.get(), 4 * (2 + 6 + 2));
}

#[tokio::test(start_paused = true)]
async fn an_alias_that_ends_in_nothing_is_noted_for_every_kind_of_target() {
    let tcp = || target("door", tcp(NAME, 22), Barrier::Network);
    let only4 = || {
        let mut target = dns(None, false);
        target.families = vec![Family::Ipv4];
        target
    };
    for (target, answer, dangles) in [
        (dns(None, false), NameAnswer::NxDomain, true),
        (dns(None, false), NameAnswer::NoData, true),
        (dns(Some("TXT"), false), NameAnswer::NxDomain, true),
        // Other records may be there.
        (dns(Some("TXT"), false), NameAnswer::NoData, false),
        (only4(), NameAnswer::NxDomain, true),
        (only4(), NameAnswer::NoData, false),
        (tcp(), NameAnswer::NxDomain, true),
        (tcp(), NameAnswer::NoData, true),
        (tcp(), addresses(&["5.5.5.5"]), false),
    ] {
        let case = format!("{} {:?} {answer:?}", target.kind, target.families);
        let finding = seen(target, move |_, question| {
            let mine = question.name == NAME;
            mine.then(|| (answer.clone(), vec!["gone.other.example"]))
        })
        .await;
        assert_eq!(
            finding.notes.contains(&Note::DanglingAlias),
            dangles,
            "{case}"
        );
    }
    let finding = seen(dns(None, false), |_, _| None).await;
    assert!(finding.notes.is_empty(), "gone without an alias");
}

#[tokio::test(start_paused = true)]
async fn a_private_address_in_public_dns_is_a_note_or_by_the_denial_an_exposure() {
    let private = |_: &str, question: &Question<'_>| {
        let four = question.name == NAME && question.record == Record::of(Family::Ipv4);
        four.then(|| (addresses(&["10.0.0.1"]), Vec::new()))
    };
    let finding = seen(dns(None, false), private).await;
    assert_eq!(finding.verdict, Verdict::Blocked);
    assert_eq!(finding.notes, [Note::PrivateAddressPublished]);

    let mut strict = dns(None, false);
    strict.denial.stops = [Reach::NoName].into();
    let finding = seen(strict.clone(), private).await;
    assert_eq!(
        found(&finding),
        (
            Verdict::Exposed,
            "weaker_than_promised",
            Some(Reach::PrivateAddress)
        )
    );

    // Unless the resolver gives it to everybody who asks.
    let finding = seen(strict, |server, question| {
        let control = question.name == "control.example";
        (server == "8.8.8.8" && !control).then_some((addresses(&["10.0.0.1"]), Vec::new()))
    })
    .await;
    assert_eq!(finding.reason.as_str(), "resolver_invents");
}
