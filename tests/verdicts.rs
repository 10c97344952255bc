//! The verdict as a table, held against the code for every combination of rung, barrier, denial,
//! doubt and standing. The table is written by hand; the code never sees it.

#![expect(clippy::unwrap_used, reason = "a test may end where it fails")]

use std::collections::BTreeSet;

use noentry::domain::endpoint::{Class, Family, Transport};
use noentry::domain::observation::{Blind, Outcome};
use noentry::domain::reach::Reach;
use noentry::domain::target::{Barrier, Denial, HttpDenial};
use noentry::domain::verdict::{Doubt, Judgement, Reason, RestsOn, Standing, Verdict, judge};
use noentry::domain::way::PortProof;

/// What a cell of the table says, with every stop of the barrier listed in the denial.
///
/// - `C` blocked, if a control held (our own side could make it look the same)
/// - `s` blocked, unless a control was lost (an answer of the far side was seen)
/// - `E` exposed
/// - `g` inconclusive: the name is gone
/// - `n` inconclusive: no denial was seen
const TABLE: &str = "
                  dns  network  tls  http
no_name           C    g        g    g
private_address   C    C        C    C
public_address    E    n        n    n
public_record     E    n        n    n
no_answer         E    C        C    C
prohibited        E    C        C    C
refused           E    C        C    C
connected         E    E        n    n
tls_refused       E    E        s    s
tls_established   E    E        E    n
denied            E    E        E    s
served            E    E        E    E
";

const BARRIERS: [Barrier; 4] = [Barrier::Dns, Barrier::Network, Barrier::Tls, Barrier::Http];

const DOUBTS: [Option<Doubt>; 6] = [
    None,
    Some(Doubt::Throttled),
    Some(Doubt::Challenged),
    Some(Doubt::Filtered),
    Some(Doubt::ForeignCertificate),
    Some(Doubt::Mute("it may be silent")),
];

const CLASS: Class = Class {
    transport: Transport::Tcp,
    family: Family::Ipv4,
};

fn cells() -> Vec<(Reach, Barrier, char)> {
    let mut cells = Vec::new();
    for line in TABLE.lines().skip(2) {
        let mut words = line.split_whitespace();
        let word = words.next().unwrap();
        let reach = Reach::ALL.into_iter().find(|r| r.as_str() == word).unwrap();
        for barrier in BARRIERS {
            let cell = words.next().unwrap().chars().next().unwrap();
            cells.push((reach, barrier, cell));
        }
        assert_eq!(words.next(), None);
    }
    assert_eq!(cells.len(), Reach::ALL.len() * BARRIERS.len());
    cells
}

fn standings() -> [Standing; 14] {
    [
        Standing::Held(RestsOn {
            control: "c".to_owned(),
            port: PortProof::Control,
            own_path: false,
        }),
        Standing::Lost("c".to_owned()),
        Standing::Absent,
        Standing::NotNeeded,
        Standing::PortUnproven(Transport::Tcp, 25),
        Standing::OtherWay("c".to_owned()),
        Standing::TooNear("c".to_owned()),
        Standing::Doubtful("c".to_owned()),
        Standing::NotBetween("c".to_owned()),
        Standing::TooFast,
        Standing::Deaf(Blind::ReversePath),
        Standing::Invented,
        Standing::Inside("i".to_owned()),
        Standing::NotProvenOutside("i".to_owned()),
    ]
}

/// Every set of accepted stops that a barrier can have.
fn denials(barrier: Barrier) -> Vec<Denial> {
    let stops = barrier.stops();
    (0..1_usize << stops.len())
        .map(|bits| Denial {
            stops: stops
                .iter()
                .enumerate()
                .filter(|(i, _)| bits >> i & 1 == 1)
                .map(|(_, stop)| *stop)
                .collect(),
            http: HttpDenial::default(),
        })
        .collect()
}

/// What a silence, or anything that our own side could cause, is worth.
fn behind_control(standing: &Standing, proven: Verdict) -> (Verdict, Option<&'static str>) {
    match standing {
        Standing::Held(_) | Standing::NotNeeded => (proven, None),
        Standing::Lost(_) => (Verdict::Inconclusive, Some("control_lost")),
        Standing::Absent => (Verdict::Inconclusive, Some("no_control")),
        Standing::PortUnproven(..) => (Verdict::Inconclusive, Some("port_unproven")),
        Standing::OtherWay(_) => (Verdict::Inconclusive, Some("control_on_other_way")),
        Standing::TooNear(_) => (Verdict::Inconclusive, Some("control_too_near")),
        Standing::Doubtful(_) => (Verdict::Inconclusive, Some("control_doubtful")),
        Standing::NotBetween(_) => (Verdict::Inconclusive, Some("control_not_between")),
        Standing::TooFast => (Verdict::Inconclusive, Some("too_fast")),
        Standing::Deaf(_) => (Verdict::Inconclusive, Some("reverse_path")),
        Standing::Invented => (Verdict::Inconclusive, Some("resolver_invents")),
        Standing::Inside(_) => (Verdict::Inconclusive, Some("inside")),
        Standing::NotProvenOutside(_) => (Verdict::Inconclusive, Some("not_proven_outside")),
    }
}

fn expected(
    (reach, barrier, cell): (Reach, Barrier, char),
    denial: &Denial,
    doubt: Option<Doubt>,
    standing: &Standing,
) -> (Verdict, Option<&'static str>) {
    use Verdict::{Blocked, Exposed, Inconclusive};
    if matches!(standing, Standing::Inside(_)) {
        return (Inconclusive, Some("inside"));
    }
    if reach == Reach::NoAnswer && matches!(doubt, Some(Doubt::Mute(_))) {
        return (Inconclusive, Some("silence_tells_nothing"));
    }
    let answered = matches!(reach, Reach::Denied | Reach::Served);
    if barrier == Barrier::Http && answered {
        match doubt {
            Some(Doubt::Throttled) => return (Inconclusive, Some("throttled")),
            Some(Doubt::Challenged) => return (Inconclusive, Some("challenged")),
            Some(Doubt::Filtered) => return (Inconclusive, Some("filtered")),
            Some(Doubt::ForeignCertificate) if reach == Reach::Denied => {
                return (Inconclusive, Some("foreign_certificate"));
            }
            Some(Doubt::ForeignCertificate | Doubt::Mute(_)) | None => {}
        }
    }
    let own_layer = barrier.stops().contains(&reach);
    if own_layer && !denial.stops.contains(&reach) && cell != 'g' {
        return match reach {
            Reach::NoName | Reach::NoAnswer => behind_control(standing, Exposed),
            Reach::PrivateAddress if *standing == Standing::Invented => {
                (Inconclusive, Some("resolver_invents"))
            }
            _ => (Exposed, None),
        };
    }
    match cell {
        'C' => behind_control(standing, Blocked),
        's' => match standing {
            Standing::Lost(_) => (Inconclusive, Some("control_lost")),
            Standing::Invented => (Inconclusive, Some("resolver_invents")),
            Standing::NotProvenOutside(_) => (Inconclusive, Some("not_proven_outside")),
            _ => (Blocked, None),
        },
        'E' if matches!(reach, Reach::PublicAddress | Reach::PublicRecord)
            && *standing == Standing::Invented =>
        {
            (Inconclusive, Some("resolver_invents"))
        }
        'E' => (Exposed, None),
        'g' => (Inconclusive, Some("name_gone")),
        'n' => (Inconclusive, Some("no_denial_seen")),
        other => panic!("no such cell: {other}"),
    }
}

#[test]
fn every_combination_is_judged_as_the_table_says() {
    let mut judged = 0;
    for cell in cells() {
        let (reach, barrier, _) = cell;
        for denial in denials(barrier) {
            for doubt in DOUBTS {
                for standing in standings() {
                    let outcome = Outcome::Reached(reach);
                    let Judgement { verdict, reason } =
                        judge(barrier, &denial, outcome, doubt, &standing, Some(CLASS));
                    let (wanted, word) = expected(cell, &denial, doubt, &standing);
                    let case = format!(
                        "{reach} at {barrier}, {:?}, {doubt:?}, {standing:?}",
                        denial.stops
                    );
                    assert_eq!(verdict, wanted, "{case}");
                    if let Some(word) = word {
                        assert_eq!(reason.as_str(), word, "{case}");
                    }
                    judged += 1;
                }
            }
        }
    }
    // 12 rungs, 6 doubts, 14 standings; 4 + 8 + 2 + 2 denials.
    assert_eq!(judged, 12 * 6 * 14 * 16);
}

#[test]
fn blindness_is_inconclusive_everywhere() {
    for cause in [
        Blind::NoRoute,
        Blind::NoFamily,
        Blind::LocalUnreachable,
        Blind::OwnNetwork,
        Blind::OwnGateway,
        Blind::ReversePath,
        Blind::NotPermitted,
        Blind::NoEchoSocket,
        Blind::TooManyFiles,
        Blind::NoLocalPort,
        Blind::NoBuffers,
        Blind::LocalError,
        Blind::ResolverTimeout,
        Blind::ResolverServfail,
        Blind::ResolverRefused,
        Blind::ResolverTruncated,
        Blind::ResolverError,
        Blind::ResolverWithholds,
        Blind::ResolverFilters,
        Blind::ServerLame,
        Blind::Interrupted,
    ] {
        for barrier in BARRIERS {
            for standing in standings() {
                let judgement = judge(
                    barrier,
                    &Denial::all_of(barrier),
                    Outcome::Blind(cause),
                    None,
                    &standing,
                    Some(CLASS),
                );
                assert_eq!(judgement.verdict, Verdict::Inconclusive);
                if !matches!(standing, Standing::Inside(_)) {
                    assert_eq!(judgement.reason, Reason::Blind { cause });
                }
            }
        }
    }
}

#[test]
fn without_a_held_control_nothing_that_our_own_side_can_fake_is_blocked() {
    let fakes = BTreeSet::from([
        Reach::NoName,
        Reach::PrivateAddress,
        Reach::NoAnswer,
        Reach::Prohibited,
        Reach::Refused,
    ]);
    for reach in Reach::ALL {
        for barrier in BARRIERS {
            for standing in [
                Standing::Lost("c".to_owned()),
                Standing::Absent,
                Standing::Inside("i".to_owned()),
                Standing::NotProvenOutside("i".to_owned()),
            ] {
                let verdict = judge(
                    barrier,
                    &Denial::all_of(barrier),
                    Outcome::Reached(reach),
                    None,
                    &standing,
                    None,
                )
                .verdict;
                if fakes.contains(&reach) {
                    assert_ne!(verdict, Verdict::Blocked, "{reach} at {barrier}");
                }
            }
        }
    }
}
