//! The reports of sample rounds, as their readers see them.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests: what goes wrong here is a failed test"
)]

mod sample;

use noentry::domain::endpoint::Family;
use noentry::domain::finding::{NameAnswer, Note};
use noentry::domain::observation::{Blind, Caveat, CertificateFlaw, Evidence, Outcome, StoppedBy};
use noentry::domain::reach::Reach;
use noentry::domain::report::{RoundReport, Totals};
use noentry::domain::verdict::{Reason, RestsOn, Verdict};
use noentry::domain::way::PortProof;
use noentry::report::console::{self, Style};
use noentry::report::hint::{Hint, hints};
use noentry::report::json;
use noentry::report::junit::{self, Dialect};
use noentry::report::outputs::{self, Paths};
use noentry::report::{annotations, summary};

const PLAIN: Style = Style {
    color: false,
    width: 100,
    verbose: false,
};

/// What a terminal shows of a text: without colour sequences.
fn without_colours(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        out.push_str(before);
        rest = after.split_once('m').unwrap().1;
    }
    out + rest
}

fn all_blocked() -> RoundReport {
    sample::of(vec![
        sample::silent(),
        sample::refused(),
        sample::intranet(),
    ])
}

fn many(number: usize) -> RoundReport {
    let kinds = [sample::silent, sample::throttled, sample::orders_database];
    let findings = (0..number).map(|index| {
        let mut finding = kinds[index % kinds.len()]();
        finding.target.name = format!("Target {index}");
        finding
    });
    sample::of(findings.collect())
}

mod terminal {
    use super::*;

    #[test]
    fn a_round_of_every_kind() {
        insta::assert_snapshot!("console", console::render(&sample::round(), PLAIN));
    }

    #[test]
    fn plain_lines_for_a_log_with_everything() {
        let style = Style {
            width: 0,
            verbose: true,
            ..PLAIN
        };
        insta::assert_snapshot!("console-verbose", console::render(&sample::round(), style));
    }

    #[test]
    fn all_blocked_is_one_line_a_target() {
        let style = Style { width: 0, ..PLAIN };
        insta::assert_snapshot!(console::render(&all_blocked(), style), @r#"
        blocked       Staging   firewall is silent (5 endpoints, 15 attempts, control www.example.com:443 answered)
        blocked       Old SSH   stopped by TCP reset (1 endpoint, 3 attempts, control www.example.com:443 answered, port 22 assumed open on the way out)
                      note  something answered with a reset: only the absence of a listener protects it
        blocked       Intranet  name does not exist (2 resolvers agree, control www.example.com:443 answered)

        blocked       3 targets: 0 exposed, 0 inconclusive, 3 blocked
                      6 endpoints, 18 attempts in 12.4 s, begun 2026-11-22 04:00:00 UTC, noentry 0.1.0
                      seen from github-hosted (GitHub Actions 7, linux x86_64), proven over IPv4 by www.example.com:443
                      assumed to let every port out, as GitHub's standard runners do, but for those that providers close
        "#);
    }

    fn first_line(finding: noentry::domain::finding::Finding) -> String {
        let style = Style { width: 0, ..PLAIN };
        let text = console::render(&sample::of(vec![finding]), style);
        text.lines().next().unwrap().to_owned()
    }

    #[test]
    fn resolvers_agree_only_when_they_say_the_same() {
        let mut finding = sample::intranet();
        assert!(first_line(finding.clone()).contains("2 resolvers agree"));
        finding.name.as_mut().unwrap().queries[3].answer = NameAnswer::NoData;
        assert!(first_line(finding.clone()).contains("2 resolvers asked"));
        let addresses = |order: [&str; 2]| NameAnswer::Addresses(order.map(sample::ip).to_vec());
        for query in &mut finding.name.as_mut().unwrap().queries {
            let turned = query.resolver == "9.9.9.9:53";
            let both = ["10.0.0.1", "10.0.0.2"];
            let order = if turned { [both[1], both[0]] } else { both };
            query.answer = addresses(order);
        }
        assert!(first_line(finding).contains("2 resolvers agree"));
    }

    #[test]
    fn a_stop_that_names_its_address_needs_no_number() {
        let mut finding = sample::silent();
        for (index, endpoint) in finding.endpoints.iter_mut().take(2).enumerate() {
            endpoint.endpoint.address = sample::ip(&format!("10.20.0.{}", index + 1));
            endpoint.reach = Some(Reach::PrivateAddress);
            endpoint.attempts.clear();
            // What it rests on is a name, which has no port.
            endpoint.rests_on = Some(RestsOn {
                port: PortProof::NoPort,
                ..sample::rests_on(false)
            });
        }
        let line = first_line(finding);
        assert!(
            line.contains(
                "address 10.20.0.1 is not globally routable; address 10.20.0.2 is not globally \
                 routable; firewall is silent at 3 (5 endpoints, 9 attempts, control \
                 www.example.com:443 answered)"
            ),
            "{line}"
        );
    }

    #[test]
    fn a_name_is_exposed_by_its_public_addresses_alone() {
        let mut finding = sample::intranet();
        for query in &mut finding.name.as_mut().unwrap().queries {
            query.answer = match query.family {
                Some(Family::Ipv4) => {
                    NameAnswer::Addresses(["10.0.0.1", "20.1.2.3"].map(sample::ip).to_vec())
                }
                Some(Family::Ipv6) | None => NameAnswer::NoData,
            };
            query.cnames = vec!["edge.example.net".to_owned()];
        }
        let verdict = &mut finding.name_verdicts[0];
        verdict.verdict = Verdict::Exposed;
        verdict.reason = Reason::PastBarrier;
        verdict.reach = Some(Reach::PublicAddress);
        verdict.rests_on = None;
        let finding = sample::settle(finding);
        let line = first_line(finding.clone());
        assert!(
            line.ends_with("name leads to 20.1.2.3, which the promise rules out"),
            "{line}"
        );
        let report = sample::of(vec![finding]);
        for text in [
            console::render(&report, PLAIN),
            summary::render(&report, summary::LIMIT).replace('`', ""),
            junit::render(&report, Dialect::Located).unwrap(),
        ] {
            assert!(text.contains("alias of edge.example.net"), "{text}");
        }
    }

    #[test]
    fn a_vantage_without_a_control_did_not_miss_one() {
        let mut report = all_blocked();
        report.vantage.proven.clear();
        let near = console::render(&report, Style { width: 0, ..PLAIN });
        assert!(near.contains("where no control was reached beyond this machine's own network"));
        for control in &mut report.controls {
            control.held.clear();
        }
        let lost = console::render(&report, Style { width: 0, ..PLAIN });
        assert!(lost.contains("where no control was reached throughout"));
        report.controls.clear();
        let none = console::render(&report, Style { width: 0, ..PLAIN });
        assert!(
            none.contains("linux x86_64), without a control\n"),
            "{none}"
        );
    }

    #[test]
    fn verbose_shows_every_attempt_at_every_endpoint() {
        let mut finding = sample::silent();
        for index in 0..20_u8 {
            let mut more = finding.endpoints[0].clone();
            more.endpoint.address = sample::ip(&format!("52.28.2.{index}"));
            finding.endpoints.push(more);
        }
        let style = Style {
            width: 0,
            verbose: true,
            ..PLAIN
        };
        let text = console::render(&sample::of(vec![finding]), style);
        assert_eq!(
            text.matches("took 3.6 s: silence (nmap: filtered)").count(),
            75
        );
        assert!(!text.contains("more endpoint"), "{text}");
    }

    #[test]
    fn colours_change_nothing_but_the_colour() {
        let plain = console::render(&sample::round(), PLAIN);
        let style = Style {
            color: true,
            ..PLAIN
        };
        let coloured = console::render(&sample::round(), style);
        assert!(!plain.contains('\u{1b}'));
        assert!(coloured.contains("\u{1b}["));
        assert_eq!(without_colours(&coloured), plain);
    }

    #[test]
    fn lines_keep_to_the_width() {
        for (width, verbose) in [(60, false), (80, true), (132, true)] {
            let style = Style {
                width,
                verbose,
                ..PLAIN
            };
            for report in [sample::round(), sample::doors::round()] {
                for line in console::render(&report, style).lines() {
                    assert!(line.chars().count() <= width, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn the_words_for_a_target_are_our_own() {
        let rounds = [
            sample::round(),
            sample::doors::round(),
            sample::doors::inside_round(),
        ];
        let texts = rounds.iter().flat_map(|report| {
            [
                console::render(report, PLAIN),
                summary::render(report, summary::LIMIT),
                annotations::render(report),
            ]
        });
        for text in texts {
            let mut words = text.split(|c: char| !c.is_alphabetic());
            let banned = ["up", "down", "success", "failure", "passed", "failed"];
            let found = words.find(|w| banned.contains(&w.to_lowercase().as_str()));
            assert_eq!(found, None, "{text}");
        }
    }

    #[test]
    fn nothing_hostile_reaches_the_terminal_or_the_runner() {
        for (color, width) in [(false, 0), (false, 60), (true, 100), (true, 61)] {
            let style = Style {
                color,
                width,
                verbose: true,
            };
            let text = console::render(&sample::hostile_round(), style);
            let text = without_colours(&text);
            assert!(text.chars().all(|c| c == '\n' || !c.is_control()));
            assert!(!text.contains(['\u{202e}', '\u{200b}', '\u{ffff}']));
            assert!(!text.contains("##["));
            let commands = text.lines().filter(|l| l.trim_start().starts_with("::"));
            assert_eq!(commands.count(), 0, "{text}");
        }
    }
}

mod advice {
    use super::*;

    fn only(finding: noentry::domain::finding::Finding) -> Vec<String> {
        let report = sample::of(vec![finding]);
        hints(&report).iter().map(Hint::to_string).collect()
    }

    #[test]
    fn every_kind_of_finding_gets_its_own() {
        let text: Vec<String> = hints(&sample::round())
            .iter()
            .map(Hint::to_string)
            .collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        a login page or a redirect is an exposure: the promise is that nobody outside even gets to it (Back office behind the WAF)
        the outsider was stopped, but not by what `denial` lists: mend the rule, or list this stop as well if it is meant to be so (Replica)
        silence proves nothing without a control: add a host that answers to TCP over IPv6 to `controls:`, such as `- tcp: HOST:PORT` with the target's port, or declare IPv6 unwatched with `families: [ipv4]` (Mail relay)
        control shop.example.com:443 was not reached throughout: look at this machine's network first, or choose a control that is always there (Message queue)
        nothing was reached on TCP 25, and many networks close ports on the way out: add a host that answers there to `controls:`, as `- tcp: HOST:25` (Mail relay)
        this machine has no IPv6: run from a vantage that has it, or declare IPv6 unwatched with `families: [ipv4]` (Build server)
        the resolvers gave no usable answer: ask others with `resolvers: [1.1.1.1, 8.8.8.8]` (Private zone)
        the name does not resolve: remove the target, or promise exactly that with `barrier: dns` (Legacy API)
        the answer tells about this vantage: let its address pass to the denial, or look from another network (Wiki)
        "#);
    }

    #[test]
    fn a_clean_round_gets_none() {
        assert_eq!(hints(&all_blocked()), []);
    }

    #[test]
    fn this_machines_own_trouble() {
        for (cause, expected) in [
            (Blind::TooManyFiles, "--concurrency"),
            (Blind::NoLocalPort, "--concurrency"),
            (Blind::NoBuffers, "--concurrency"),
            (Blind::NotPermitted, "own firewall"),
            (Blind::ResolverServfail, "resolvers: ["),
        ] {
            let mut finding = sample::no_ipv6();
            finding.endpoints[1].reason = Reason::Blind { cause };
            let found = only(sample::settle(finding));
            assert_eq!(found.len(), 1, "{cause}: {found:?}");
            assert!(found[0].contains(expected), "{cause}: {found:?}");
        }
    }

    /// What is said of a target, at the top and as advice, where one of these name servers is blind.
    fn blind_server(cause: Blind, silent: &[(&str, Option<&str>)]) -> (String, Vec<String>) {
        let mut finding = sample::resolver_dead();
        let name = finding.name.as_mut().unwrap();
        for query in &mut name.queries {
            query.answer = NameAnswer::NxDomain;
        }
        for (resolver, authority) in silent {
            let mut query = name.queries[0].clone();
            (*resolver).clone_into(&mut query.resolver);
            query.authority = authority.map(str::to_owned);
            query.answer = NameAnswer::Blind(cause);
            name.queries.push(query);
        }
        finding.name_verdicts[0].reason = Reason::Blind { cause };
        let finding = sample::settle(finding);
        let report = sample::of(vec![finding.clone()]);
        let wide = Style {
            width: 400,
            ..PLAIN
        };
        let shown = console::render(&report, wide);
        let shown = shown.lines().find(|l| l.starts_with("inconclusive"));
        let shown = shown.unwrap().to_owned();
        (shown, only(finding))
    }

    #[test]
    fn who_said_nothing_of_a_name_is_named_and_its_own_servers_are_not_mended_by_others() {
        let own = ("192.0.2.53:53", Some("ns1.example.com"));
        let (line, hints) = blind_server(Blind::ResolverFilters, &[("4.4.4.4:53", None)]);
        assert!(
            line.ends_with("filtered, forged or stale (4.4.4.4:53)"),
            "{line}"
        );
        assert!(
            hints[0].contains("`resolvers: [1.1.1.1, 8.8.8.8]`"),
            "{hints:?}"
        );

        for cause in [
            Blind::ResolverTimeout,
            Blind::ServerLame,
            Blind::ResolverFilters,
        ] {
            let (line, hints) = blind_server(cause, &[own]);
            let who = " (the zone's own ns1.example.com (192.0.2.53:53))";
            assert!(line.ends_with(who), "{line}");
            assert_eq!(hints.len(), 1);
            assert!(hints[0].contains("port 53"), "{hints:?}");
            assert!(!hints[0].contains("resolvers: ["), "{hints:?}");
        }
        let (line, hints) = blind_server(Blind::ResolverTimeout, &[("4.4.4.4:53", None), own]);
        let who = "(4.4.4.4:53, the zone's own ns1.example.com (192.0.2.53:53))";
        assert!(line.ends_with(who), "{line}");
        assert!(hints[0].contains("resolvers: ["), "{hints:?}");

        let lost = [("(no address)", Some("(unknown)"))];
        let (line, _) = blind_server(Blind::ServerLame, &lost);
        assert!(
            line.ends_with(" (the zone's own servers (unknown))"),
            "{line}"
        );
        let lost = [("(no address)", Some("ns6.example.com"))];
        let (line, _) = blind_server(Blind::ServerLame, &lost);
        assert!(
            line.ends_with(" (the zone's own ns6.example.com (no address))"),
            "{line}"
        );
    }

    #[test]
    fn an_address_that_a_resolver_alone_gives_is_on_its_word() {
        let mut finding = sample::silent();
        let cause = Blind::ResolverWithholds;
        let address = sample::ip("192.168.7.7");
        let endpoint = &mut finding.endpoints[0];
        endpoint.endpoint.address = address;
        endpoint.attempts.clear();
        endpoint.reach = None;
        endpoint.rests_on = None;
        endpoint.verdict = Verdict::Inconclusive;
        endpoint.reason = Reason::Blind { cause };
        finding.name = Some(sample::answers("silent.example.com", &[]));
        let name = finding.name.as_mut().unwrap();
        name.queries[0].answer = NameAnswer::Addresses(vec![address]);
        let finding = sample::settle(finding);
        let shown = console::render(&sample::of(vec![finding]), PLAIN);
        let shown: Vec<&str> = shown.split_whitespace().collect();
        let shown = shown.join(" ");
        assert!(shown.contains("on the word of 1.1.1.1:53"), "{shown}");
    }

    #[test]
    fn a_private_address_and_a_private_control() {
        let mut finding = sample::silent();
        finding.endpoints[0].reach = Some(Reach::PrivateAddress);
        finding.endpoints[0].attempts.clear();
        assert!(only(finding)[0].contains("probe_non_global: true"));

        // Not connected to: probe_non_global is not set there.
        let mut report = all_blocked();
        let control = &mut report.controls[0];
        control.name_held = Some(false);
        for check in &mut control.checks {
            check.endpoints.clear();
            check.name = Some(sample::answers("www.example.com", &["10.20.0.1"]));
        }
        let found = hints(&report);
        assert_eq!(found, [Hint::ControlPrivate(sample::CONTROL.to_owned())]);
        assert!(
            found[0]
                .to_string()
                .contains("set `probe_non_global: true`")
        );

        // Connected to: it is set, and that is not the way out.
        let mut report = all_blocked();
        report.controls[0].checks[0].endpoints[0].endpoint.address = sample::ip("10.20.0.1");
        let found = hints(&report);
        assert_eq!(found, [Hint::ControlInside(sample::CONTROL.to_owned())]);
        assert!(!found[0].to_string().contains("probe_non_global"));
    }

    #[test]
    fn a_missing_name_is_no_stale_target_where_a_controls_name_is_missing_too() {
        let gone = |report: &RoundReport| {
            let found = hints(report).into_iter();
            found
                .filter(|hint| matches!(hint, Hint::NameGone(_) | Hint::NamesMissing(..)))
                .collect::<Vec<_>>()
        };
        let mut report = sample::of(vec![sample::name_gone()]);
        let targets = vec!["Legacy API".to_owned()];
        assert_eq!(gone(&report), [Hint::NameGone(targets.clone())]);
        report.controls[0].name_held = Some(false);
        let control = report.controls[0].name.clone();
        let found = gone(&report);
        assert_eq!(found, [Hint::NamesMissing(control, targets)]);
        let said = found[0].to_string();
        assert!(said.contains("look at the resolvers before"), "{said}");
        assert!(!said.contains("remove"), "{said}");
        // A control that is private was found.
        for check in &mut report.controls[0].checks {
            check.endpoints.clear();
            check.name = Some(sample::answers("www.example.com", &["10.20.0.1"]));
        }
        assert!(matches!(gone(&report)[..], [Hint::NameGone(_)]));
    }

    #[test]
    fn an_ipv6_address_cannot_leave_ipv6_out() {
        let mut finding = sample::no_ipv6();
        assert!(only(finding.clone())[0].contains("families: [ipv4]"));
        finding.name = None;
        finding.endpoints.remove(0);
        let found = only(sample::settle(finding.clone()));
        assert_eq!(
            found,
            ["this machine has no IPv6: run from a vantage that has it (Build server)"]
        );
        finding.endpoints[0].reason = sample::smtp().endpoints[1].reason.clone();
        let found = only(sample::settle(finding));
        assert!(
            found[0].contains("to TCP over IPv6 to `controls:`"),
            "{found:?}"
        );
        assert!(!found[0].contains("families"), "{found:?}");
    }

    #[test]
    fn a_loopback_estate_with_a_loopback_control_is_nobodys_mistake() {
        let mut report = all_blocked();
        report.findings.truncate(2);
        for finding in &mut report.findings {
            for endpoint in &mut finding.endpoints {
                endpoint.endpoint.address = sample::ip("127.0.0.1");
            }
        }
        report.controls[0].checks[0].endpoints[0].endpoint.address = sample::ip("127.0.0.1");
        assert_eq!(hints(&report), []);
    }

    #[test]
    fn an_inventing_resolver_and_an_early_end() {
        let mut report = all_blocked();
        report.resolvers[1].invents = true;
        report.interrupted = true;
        assert_eq!(
            hints(&report),
            [
                Hint::ResolverInvents(vec!["9.9.9.9:53".to_owned()]),
                Hint::Interrupted
            ]
        );
    }

    /// What is known of an answer that a stranger may have given, and what to do about it.
    #[test]
    fn an_answer_that_may_be_anothers() {
        let told = |change: &dyn Fn(&mut Evidence), reach: Reach, reason: Reason| {
            let mut finding = sample::throttled();
            for attempt in &mut finding.endpoints[0].attempts {
                attempt.outcome = Outcome::Reached(reach);
                change(attempt.evidence.as_mut().unwrap());
            }
            finding.endpoints[0].reach = Some(reach);
            finding.endpoints[0].reason = reason;
            let finding = sample::settle(finding);
            let style = Style {
                color: false,
                width: 0,
                verbose: true,
            };
            let said = console::render(&sample::of(vec![finding.clone()]), style);
            (said, only(finding))
        };
        let squid = |evidence: &mut Evidence| {
            let http = evidence.http.as_mut().unwrap();
            http.status = 403;
            http.caveat = Some(Caveat::Filtered);
            http.filter = Some("Squid".to_owned());
        };
        let (said, hints) = told(&squid, Reach::Denied, Reason::Filtered);
        assert!(
            said.contains("with the page of a web filter or proxy"),
            "{said}"
        );
        assert!(said.contains("a page of Squid"), "{said}");
        assert_eq!(hints.len(), 1, "{hints:?}");
        assert!(
            hints[0].contains("x-squid-error") && hints[0].ends_with("(Wiki)"),
            "{hints:?}"
        );

        let foreign = |evidence: &mut Evidence| {
            let http = evidence.http.as_mut().unwrap();
            http.status = 403;
            http.caveat = Some(Caveat::ForeignCertificate);
            let certificate = evidence.tls.as_mut().unwrap().certificate.as_mut().unwrap();
            certificate.names = vec!["blocked.filter.example".to_owned()];
            certificate.flaws = vec![CertificateFlaw::OtherName];
        };
        let (said, hints) = told(&foreign, Reach::Denied, Reason::ForeignCertificate);
        assert!(
            said.contains("(it is for blocked.filter.example)"),
            "{said}"
        );
        assert!(said.contains("does not cover the name"), "{said}");
        assert_eq!(hints.len(), 1, "{hints:?}");
        assert!(
            hints[0].contains("covers the target's name (Wiki)"),
            "{hints:?}"
        );

        let alert = |before_hello: bool| {
            move |evidence: &mut Evidence| {
                evidence.http = None;
                evidence.tls = None;
                evidence.stopped_by = Some(StoppedBy::Alert {
                    code: 49,
                    name: "access_denied".to_owned(),
                    certificate_requested: false,
                    before_hello,
                });
            }
        };
        let (said, hints) = told(&alert(true), Reach::Connected, Reason::NoDenialSeen);
        assert!(said.contains("before the server's hello"), "{said}");
        assert_eq!(hints.len(), 1, "{hints:?}");
        assert!(
            hints[0].contains("`barrier: tls`") && hints[0].ends_with("(Wiki)"),
            "{hints:?}"
        );
        let (said, hints) = told(&alert(false), Reach::Connected, Reason::NoDenialSeen);
        assert!(!said.contains("the server's hello"), "{said}");
        assert!(hints.is_empty(), "{hints:?}");
    }

    #[test]
    fn a_control_that_somebody_else_answered() {
        let mut report = all_blocked();
        let control = &mut report.controls[0];
        control.kind = "url".to_owned();
        let check = control.checks.last_mut().unwrap();
        let endpoint = check.endpoints.last_mut().unwrap();
        endpoint.reached = false;
        endpoint.last.outcome = Outcome::Reached(Reach::Served);
        endpoint.last.evidence = Some(Box::new(Evidence {
            http: Some(sample::http(504, &[], None)),
            ..Evidence::default()
        }));
        control.lost = vec![Family::Ipv4];
        let style = Style {
            color: false,
            width: 0,
            verbose: true,
        };
        let said = console::render(&report, style);
        assert!(said.contains(": 504 is a gateway's word"), "{said}");
        let found: Vec<String> = hints(&report).iter().map(Hint::to_string).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("504 is a gateway's word"), "{found:?}");
    }

    #[test]
    fn a_missing_mark_of_the_denier() {
        let mut finding = sample::login_page();
        let evidence = finding.endpoints[0].attempts[0].evidence.as_mut().unwrap();
        let http = evidence.http.as_mut().unwrap();
        http.status = 403;
        http.unmet = Some("header server: awselb/2.0".to_owned());
        assert!(only(finding)[0].contains("denier's own mark"));
    }
}

mod job_summary {
    use super::*;

    #[test]
    fn a_round_of_every_kind() {
        insta::assert_snapshot!("summary", summary::render(&sample::round(), summary::LIMIT));
    }

    #[test]
    fn it_never_outgrows_its_limit_and_says_what_is_missing() {
        let report = many(400);
        let whole = summary::render(&report, usize::MAX);
        assert!(!whole.contains("Left out"));
        for limit in [0, 1, 10, 300, 1_000, 5_000, 20_000, 60_000, whole.len()] {
            let text = summary::render(&report, limit);
            assert!(text.len() <= limit, "{limit}");
            assert_eq!(
                text.matches("<details>").count(),
                text.matches("</details>").count(),
                "{limit}"
            );
            assert!(
                limit < 1_000 || text == whole || text.contains("Left out"),
                "{limit}"
            );
        }
    }

    #[test]
    fn ten_thousand_targets_fit_worst_first() {
        let report = many(10_000);
        let text = summary::render(&report, summary::LIMIT);
        assert!(text.len() <= summary::LIMIT);
        let rows: Vec<&str> = text.lines().filter(|l| l.contains("nbsp")).collect();
        let first_mild = rows.iter().position(|r| !r.contains("EXPOSED"));
        assert_eq!(first_mild, Some(report.totals.exposed));
        assert!(text.contains("Left out for want of room"));
    }

    #[test]
    fn every_row_of_a_hostile_round_has_its_cells() {
        let text = summary::render(&sample::hostile_round(), summary::LIMIT);
        for line in text.lines().filter(|l| l.starts_with('|')) {
            let cells = line.matches('|').count();
            assert!([3, 4, 5].contains(&cells), "{line}");
        }
        assert!(!text.contains("`x`"));
    }
}

mod runner {
    use super::*;

    #[test]
    fn annotations_of_a_round() {
        insta::assert_snapshot!("annotations", annotations::render(&sample::round()));
    }

    #[test]
    fn there_are_ten_at_most_and_the_worst_come_first() {
        let text = annotations::render(&many(100));
        let kinds: Vec<&str> = text.lines().map(|l| l.split(' ').next().unwrap()).collect();
        assert_eq!(kinds, ["::error"; 10]);
        assert!(text.lines().next().unwrap().contains("57 findings"));
    }

    #[test]
    fn the_roll_up_follows_the_verdict() {
        let roll_up = |report| annotations::render(&report);
        assert!(roll_up(all_blocked()).starts_with("::notice file=noentry.yml,title="));
        let unsure = sample::of(vec![sample::silent(), sample::throttled()]);
        assert!(roll_up(unsure).starts_with("::warning "));
        assert!(roll_up(sample::round()).starts_with("::error "));
        assert!(roll_up(sample::of(vec![])).starts_with("::warning "));
    }

    #[test]
    fn a_hostile_finding_stays_inside_its_command() {
        let text = annotations::render(&sample::hostile_round());
        assert_eq!(text.lines().count(), 2);
        assert!(!text.contains('\r'));
        let line = text.lines().last().unwrap();
        let (command, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
        let properties: Vec<&str> = command.split(',').collect();
        assert_eq!(properties.len(), 4, "{command}");
        assert!(properties[0].starts_with("error file="));
        assert!(properties[3].starts_with("title=exposed%3A %3A%3Awarning%3A%3A"));
        let message = message.replace("%0A", "\n").replace("%25", "%");
        assert!(message.encode_utf16().count() <= 4096);
    }

    #[test]
    fn outputs_hand_on_verdict_counts_names_and_places() {
        let paths = Paths {
            json: Some("out/report.json"),
            ..Paths::default()
        };
        let pairs = outputs::render(&sample::round(), paths);
        let text: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
        insta::assert_snapshot!(text.join("\n"), @r#"
        verdict=exposed
        targets=16
        exposed=4
        waived=0
        inconclusive=6
        blocked=6
        exposed-targets=["Admin console","Orders database","Back office behind the WAF","Replica"]
        json-path=out/report.json
        "#);
    }
}

mod saved {
    use super::*;

    #[test]
    fn a_report_comes_back_as_it_was() {
        for report in [
            sample::round(),
            sample::doors::round(),
            sample::doors::inside_round(),
            sample::hostile_round(),
            sample::of(vec![]),
            all_blocked(),
        ] {
            let text = sample::written(&report);
            assert_eq!(json::parse(&text).unwrap(), report);
        }
    }

    fn refusal(text: &str) -> String {
        json::parse(text).unwrap_err().to_string()
    }

    fn changed(change: impl FnOnce(&mut RoundReport)) -> String {
        let mut report = sample::round();
        change(&mut report);
        sample::written(&report)
    }

    #[test]
    fn what_is_no_report_is_refused_with_a_reason() {
        insta::assert_snapshot!(refusal("version: 1"), @r#"not JSON: expected value at line 1 column 1"#);
        insta::assert_snapshot!(refusal(""), @r#"not JSON: EOF while parsing a value at line 1 column 0"#);
        insta::assert_snapshot!(refusal("{\"name\": 1}"), @r#"not a report of noentry: missing field `version` at line 1 column 11"#);
        insta::assert_snapshot!(refusal("{\"version\": 2}"), @r#"the report has format version 2, and this noentry reads version 1: read it with the noentry that wrote it, or run the round again with this one"#);
        insta::assert_snapshot!(refusal("{\"version\": 1}"), @r#"a damaged report: missing field `noentry` at line 1 column 14"#);
    }

    #[test]
    fn a_report_that_hides_an_exposure_is_refused() {
        let verdict = changed(|report| report.verdict = Verdict::Blocked);
        insta::assert_snapshot!(refusal(&verdict), @r#"the report contradicts itself: its verdict is blocked, but the findings say exposed"#);
        let totals = changed(|report| report.totals.exposed = 0);
        insta::assert_snapshot!(refusal(&totals), @r#"the report contradicts itself: its totals do not count its findings"#);
        let finding = changed(|report| {
            report.findings[0].verdict = Verdict::Blocked;
            report.totals = Totals::of(&report.findings);
        });
        insta::assert_snapshot!(refusal(&finding), @r#"the report contradicts itself: the finding "Admin console" is blocked, and what was seen of it does not bear that out"#);
    }

    #[test]
    fn unknown_fields_are_passed_over_and_a_byte_order_mark_too() {
        let text = sample::written(&sample::round());
        let text = text.replacen('{', "\u{feff}{ \"new\": [1],", 1);
        assert_eq!(json::parse(&text).unwrap(), sample::round());
    }

    #[test]
    fn the_committed_schema_is_fresh() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schema/report.schema.json");
        let committed = std::fs::read_to_string(path).unwrap();
        assert!(
            committed == json::schema(),
            "refresh it with: cargo run -- schema report > schema/report.schema.json"
        );
    }

    #[test]
    fn the_documents_example_is_a_report() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/report.md");
        let document = std::fs::read_to_string(path).unwrap();
        let example = document.split("```json\n").nth(1).unwrap();
        let report = json::parse(example.split("```").next().unwrap()).unwrap();
        assert_eq!(report.verdict, Verdict::Exposed);
    }
}

/// The vocabulary of the notes, where a report must always say so.
#[test]
fn unwatched_ipv6_is_said_in_every_report() {
    let mut finding = sample::silent();
    finding.target.families = vec![Family::Ipv4];
    finding.notes = vec![Note::Ipv6Unwatched];
    finding.endpoints.truncate(3);
    for query in &mut finding.name.as_mut().unwrap().queries {
        if query.family == Some(Family::Ipv6) {
            query.answer = NameAnswer::NoData;
        }
    }
    let report = sample::of(vec![finding]);
    for text in [
        console::render(&report, PLAIN),
        summary::render(&report, summary::LIMIT),
        junit::render(&report, Dialect::Located).unwrap(),
    ] {
        assert!(text.contains("IPv6 is declared unwatched"), "{text}");
    }
}
