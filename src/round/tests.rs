//! The round's order and timing in a world made of closures, with the clock standing still.

mod doors;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use tokio::time::Instant;

use super::limits::files_for_attempts;
use super::stop::{self, Stop};
use super::world::World;
use super::{Standpoint, round};
use crate::domain::endpoint::{Endpoint, Family};
use crate::domain::finding::{NameAnswer, NameQuery, Note};
use crate::domain::observation::{
    Blind, Evidence, Observation, QuicEvidence, TcpEvidence, UdpAnswer, UdpEvidence,
};
use crate::domain::payload::{Payload, Protocol};
use crate::domain::position::Position;
use crate::domain::reach::Reach;
use crate::domain::record::Record;
use crate::domain::report::RoundReport;
use crate::domain::target::{
    Authoritative, Barrier, Control, ControlOrigin, Denial, Host, Pace, Plan, Resolvers, Target,
    TargetKind, Url, VantagePlan,
};
use crate::domain::trail::{Notify, TrailPlan};
use crate::domain::verdict::Verdict;
use crate::domain::way::{PortProof, Way};
use crate::probe::CompiledDenial;
use crate::probe::dns::Question;
use crate::probe::egress::EchoError;

pub(crate) mod any;
mod confirm;
mod egress;
mod names;
mod own_side;
mod own_word;

/// What an endpoint does at a given time since the world's beginning: `None` is silence.
type Behaviour = Box<dyn Fn(Endpoint, Duration) -> Option<Reach>>;

/// What the server at an address says to a question; `None` where something else decides.
type Says = Box<dyn Fn(&str, &Question<'_>) -> Option<(NameAnswer, Vec<&'static str>)>>;

struct Fake {
    begun: Instant,
    behaviour: Behaviour,
    names: HashMap<(&'static str, &'static str), NameAnswer>,
    /// Answers from half a second on.
    later: HashMap<&'static str, NameAnswer>,
    /// What is said before all of that, with the aliases on the way.
    says: Says,
    /// Start of every attempt against every endpoint.
    log: RefCell<Vec<(Endpoint, Duration)>>,
    lookups: Cell<usize>,
    /// By which way packets leave, and how many answers the reverse path filter dropped.
    ways: Box<dyn Fn(IpAddr) -> Option<Way>>,
    drops: Box<dyn Fn(Duration) -> Option<u64>>,
    /// How many SYNs it takes to be heard.
    syns: Box<dyn Fn(Duration) -> u8>,
    in_flight: RefCell<HashMap<IpAddr, usize>>,
    most_at_one: RefCell<usize>,
}

impl Fake {
    fn new(behaviour: impl Fn(Endpoint, Duration) -> Option<Reach> + 'static) -> Self {
        Self {
            begun: Instant::now(),
            behaviour: Box::new(behaviour),
            names: HashMap::new(),
            later: HashMap::new(),
            says: Box::new(|_, _| None),
            log: RefCell::default(),
            lookups: Cell::default(),
            ways: Box::new(|_| None),
            drops: Box::new(|_| None),
            syns: Box::new(|_| 1),
            in_flight: RefCell::default(),
            most_at_one: RefCell::default(),
        }
    }

    fn name(mut self, resolver: &'static str, name: &'static str, answer: NameAnswer) -> Self {
        self.names.insert((resolver, name), answer);
        self
    }

    fn starts(&self, address: &str) -> Vec<Duration> {
        let address: IpAddr = address.parse().unwrap();
        let log = self.log.borrow();
        log.iter()
            .filter(|(endpoint, _)| endpoint.address == address)
            .map(|(_, at)| *at)
            .collect()
    }
}

impl World for Fake {
    async fn climb(
        &self,
        endpoint: Endpoint,
        kind: &TargetKind,
        _: &CompiledDenial,
        deadline: Instant,
    ) -> Observation {
        let at = self.begun.elapsed();
        self.log.borrow_mut().push((endpoint, at));
        let now = {
            let mut in_flight = self.in_flight.borrow_mut();
            let now = in_flight.entry(endpoint.address).or_default();
            *now += 1;
            *now
        };
        let most = now.max(*self.most_at_one.borrow());
        self.most_at_one.replace(most);
        let observation = if let Some(reach) = (self.behaviour)(endpoint, at) {
            tokio::time::sleep(Duration::from_millis(20)).await;
            let mut observation = Observation::reached(reach, None);
            let syns = (self.syns)(at);
            if syns > 1 {
                observation.evidence = Some(Box::new(Evidence {
                    tcp: Some(TcpEvidence {
                        syns,
                        ..TcpEvidence::default()
                    }),
                    ..Evidence::default()
                }));
            }
            if let TargetKind::Udp { payload, .. } = kind {
                observation.evidence = Some(Box::new(udp_evidence(endpoint, payload, reach)));
            }
            // QUIC speaks on its port at home, and something else on others.
            if matches!(kind, TargetKind::Quic { .. }) {
                let handshake = endpoint.port == Some(443);
                observation.evidence = Some(Box::new(Evidence {
                    quic: Some(QuicEvidence {
                        handshake,
                        ..QuicEvidence::default()
                    }),
                    ..Evidence::default()
                }));
            }
            observation
        } else {
            tokio::time::sleep_until(deadline).await;
            Observation::reached(Reach::NoAnswer, None)
        };
        *self
            .in_flight
            .borrow_mut()
            .entry(endpoint.address)
            .or_default() -= 1;
        observation
    }

    async fn lookup(&self, server: SocketAddr, question: &Question<'_>, _: Duration) -> NameQuery {
        self.lookups.set(self.lookups.get() + 1);
        let resolver = server.ip().to_string();
        let name = question.name;
        let query = |answer, cnames: &[&str]| NameQuery {
            resolver: server.to_string(),
            authority: question.authority.map(str::to_owned),
            record: question.record.to_string(),
            family: question.record.family(),
            answer,
            cnames: cnames.iter().map(|name| (*name).to_owned()).collect(),
            took_ms: 1,
        };
        if let Some((answer, cnames)) = (self.says)(&resolver, question) {
            return query(answer, &cnames);
        }
        let known = self
            .names
            .iter()
            .find(|((r, n), _)| *r == resolver && (*n == name || *n == "*"));
        let moved = self.later.get(name);
        let moved = moved.filter(|_| self.begun.elapsed() > Duration::from_millis(500));
        let answer = match moved.or(known.map(|(_, answer)| answer)) {
            Some(NameAnswer::Addresses(all)) => {
                let some: Vec<_> = all
                    .iter()
                    .copied()
                    .filter(|a| question.record.family() == Some(Family::of(*a)))
                    .collect();
                if some.is_empty() {
                    NameAnswer::NoData
                } else {
                    NameAnswer::Addresses(some)
                }
            }
            Some(other) => other.clone(),
            None => NameAnswer::NxDomain,
        };
        query(answer, &[])
    }

    fn way(&self, endpoint: Endpoint) -> Option<Way> {
        (self.ways)(endpoint.address)
    }

    fn reverse_path_drops(&self) -> Option<u64> {
        (self.drops)(self.begun.elapsed())
    }

    async fn echo(
        &self,
        _: &Url,
        family: Family,
        addresses: &[IpAddr],
    ) -> Result<IpAddr, EchoError> {
        // Says where it was asked, which is what a test can know.
        let address = addresses.first().copied();
        address.ok_or(EchoError::NoAddress(family))
    }
}

/// A datagram that came back. It is an answer to what was asked where the protocol is at home.
fn udp_evidence(endpoint: Endpoint, payload: &Payload, reach: Reach) -> Evidence {
    let at_home = endpoint.port.and_then(Protocol::at);
    let answer = UdpAnswer {
        bytes: 48,
        first_bytes: String::new(),
        expected: at_home.map(Payload::Protocol).as_ref() == Some(payload),
        says: None,
    };
    Evidence {
        udp: Some(UdpEvidence {
            payload: payload.to_string(),
            sent: 1,
            answer: (reach == Reach::Connected).then_some(answer),
        }),
        ..Evidence::default()
    }
}

const CONTROL: &str = "9.9.9.9";

fn pace() -> Pace {
    Pace {
        timeout: Duration::from_millis(4_400),
        attempts: 3,
        interval: Duration::from_secs(1),
    }
}

fn tcp(host: &str, port: u16) -> TargetKind {
    let host = match host.parse() {
        Ok(address) => Host::Address(address),
        Err(_) => Host::Name(host.to_owned()),
    };
    TargetKind::Tcp {
        host,
        port,
        banner: false,
    }
}

fn target(name: &str, kind: TargetKind, barrier: Barrier) -> Target {
    Target {
        name: name.to_owned(),
        kind,
        barrier,
        denial: Denial::all_of(barrier),
        families: Family::ALL.to_vec(),
        control: None,
        pace: pace(),
        probe_non_global: false,
        authoritative: Authoritative::WhereNeeded,
        http3: false,
        accept_silence: false,
        waiver: None,
        confirm: 1,
        notify: Notify::default(),
        position: Position {
            file: "noentry.yml".to_owned(),
            line: 1,
            column: 1,
        },
    }
}

fn control(kind: TargetKind) -> Control {
    Control {
        every_port: false,
        kind,
        origin: ControlOrigin::Config,
        pace: pace(),
        probe_non_global: false,
        position: None,
    }
}

fn plan(targets: Vec<Target>) -> Plan {
    Plan {
        rate: 1_000_000,
        config: "noentry.yml".to_owned(),
        targets,
        controls: vec![control(tcp(CONTROL, 443))],
        resolvers: Resolvers::System,
        // A laptop whose owner says so: most of these tests are about something else than ports.
        vantage: VantagePlan {
            unfiltered: Some(true),
            ..VantagePlan::default()
        },
        concurrency: 16_000,
        per_host: 32,
        incidents: TrailPlan::default(),
    }
}

/// Runs a round with the resolvers 1.1.1.1 and 8.8.8.8.
async fn run(world: &Fake, plan: &Plan, stop: &Stop) -> RoundReport {
    let resolvers = ["1.1.1.1:53", "8.8.8.8:53"].map(|r| r.parse().unwrap());
    let standpoint = Standpoint {
        environment: "local".to_owned(),
        name: None,
    };
    round(world, plan, resolvers.to_vec(), standpoint, stop, &|_| {})
        .await
        .unwrap()
}

async fn undisturbed(world: &Fake, plan: &Plan) -> RoundReport {
    let (_stopper, stop) = stop::pair();
    run(world, plan, &stop).await
}

fn only_control_answers(endpoint: Endpoint, _: Duration) -> Option<Reach> {
    (endpoint.address.to_string() == CONTROL).then_some(Reach::Connected)
}

#[tokio::test(start_paused = true)]
async fn silence_with_a_held_control_is_blocked_after_all_attempts_spread_in_time() {
    let world = Fake::new(only_control_answers);
    let plan = plan(vec![target("db", tcp("5.5.5.5", 5432), Barrier::Network)]);
    let report = undisturbed(&world, &plan).await;
    let finding = &report.findings[0];
    assert_eq!(finding.verdict, Verdict::Blocked, "{:?}", finding.reason);
    let rests_on = finding.endpoints[0].rests_on.as_ref().unwrap();
    assert_eq!(rests_on.control, "9.9.9.9:443");
    assert_eq!(rests_on.port, PortProof::Assumed);
    assert_eq!(finding.notes, [Note::PortAssumed]);
    let starts = world.starts("5.5.5.5");
    let gaps: Vec<_> = starts
        .windows(2)
        .map(|w| w[1].saturating_sub(w[0]))
        .collect();
    assert_eq!(gaps, [pace().timeout; 2]);
    // Before, some in between, after.
    assert!(report.controls[0].checks.len() >= 4);
    assert!(report.took_ms < 15_000, "{}", report.took_ms);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_dead_endpoints_take_as_long_as_one() {
    let world = Fake::new(only_control_answers);
    // Or as many as there are files for: this world opens none, and the round counts two for each.
    let many = u32::try_from(files_for_attempts() / 2).map_or(10_000, |room| room.min(10_000));
    let targets = (0..many)
        .map(|n| {
            let [_, _, high, low] = n.to_be_bytes();
            let address = IpAddr::from([5, 5, high, low]).to_string();
            target(&n.to_string(), tcp(&address, 22), Barrier::Network)
        })
        .collect();
    let report = undisturbed(&world, &plan(targets)).await;
    assert_eq!(report.totals.blocked, usize::try_from(many).unwrap());
    assert!(report.took_ms < 16_000, "{}", report.took_ms);
}

#[tokio::test(start_paused = true)]
async fn an_exposure_ends_the_attempts_and_no_later_silence_votes_it_down() {
    let world = Fake::new(|endpoint, at| {
        let opens = at > Duration::from_secs(4) && at < Duration::from_secs(6);
        (only_control_answers(endpoint, at).is_some() || opens).then_some(Reach::Connected)
    });
    let plan = plan(vec![target("db", tcp("5.5.5.5", 22), Barrier::Network)]);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Exposed);
    assert_eq!(world.starts("5.5.5.5").len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_stop_short_of_an_exposure_never_ends_the_attempts() {
    let world =
        Fake::new(|endpoint, at| only_control_answers(endpoint, at).or(Some(Reach::Refused)));
    let plan = plan(vec![target("db", tcp("5.5.5.5", 22), Barrier::Network)]);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    let starts = world.starts("5.5.5.5");
    let gaps: Vec<_> = starts
        .windows(2)
        .map(|w| w[1].saturating_sub(w[0]))
        .collect();
    assert_eq!(gaps, [pace().timeout; 2], "quick answers are spread too");
    assert!(report.findings[0].notes.contains(&Note::OnlyNoListener));
}

#[tokio::test(start_paused = true)]
async fn a_control_that_is_lost_for_a_while_in_between_takes_the_verdict_with_it() {
    let world = Fake::new(|endpoint, at| {
        let gone = at > Duration::from_secs(3) && at < Duration::from_secs(30);
        let control = endpoint.address.to_string() == CONTROL;
        (control && !gone).then_some(Reach::Connected)
    });
    let plan = plan(vec![target("db", tcp("5.5.5.5", 22), Barrier::Network)]);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");
    assert_eq!(report.vantage.proven, []);
}

#[tokio::test(start_paused = true)]
async fn without_a_control_silence_and_reset_are_inconclusive() {
    for reach in [None, Some(Reach::Refused), Some(Reach::Prohibited)] {
        let world = Fake::new(move |_, _| reach);
        let mut plan = plan(vec![target("db", tcp("5.5.5.5", 22), Barrier::Network)]);
        plan.controls.clear();
        let report = undisturbed(&world, &plan).await;
        assert_eq!(report.verdict, Verdict::Inconclusive);
        assert_eq!(report.findings[0].reason.as_str(), "no_control");
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_over_ipv4_says_nothing_of_ipv6() {
    let world = Fake::new(only_control_answers);
    let plan = plan(vec![target("db", tcp("2a00::1", 22), Barrier::Network)]);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "no_control");
}

#[tokio::test(start_paused = true)]
async fn port_25_wants_a_control_on_port_25() {
    let world = Fake::new(only_control_answers);
    let mut plan = plan(vec![target("mail", tcp("5.5.5.5", 25), Barrier::Network)]);
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "port_unproven");
    plan.controls.push(control(tcp(CONTROL, 25)));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn a_targets_own_control_must_hold_even_where_the_general_one_does() {
    let world = Fake::new(only_control_answers);
    let mut db = target("db", tcp("5.5.5.5", 22), Barrier::Network);
    db.control = Some(Box::new(control(tcp("5.5.5.6", 443))));
    let report = undisturbed(&world, &plan(vec![db.clone()])).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");

    db.control = Some(Box::new(control(tcp(CONTROL, 80))));
    let report = undisturbed(&world, &plan(vec![db])).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    let rests_on = report.findings[0].endpoints[0].rests_on.as_ref().unwrap();
    assert!(rests_on.own_path);
    assert_eq!(rests_on.control, "9.9.9.9:80");
}

fn addresses(list: &[&str]) -> NameAnswer {
    NameAnswer::Addresses(list.iter().map(|a| a.parse().unwrap()).collect())
}

/// A world in which both resolvers know the control's name.
fn named(world: Fake) -> Fake {
    world
        .name("1.1.1.1", "control.example", addresses(&[CONTROL]))
        .name("8.8.8.8", "control.example", addresses(&[CONTROL]))
}

fn named_plan(target: Target) -> Plan {
    let mut plan = plan(vec![target]);
    plan.controls = vec![control(tcp("control.example", 443))];
    plan
}

fn intranet() -> Target {
    let kind = TargetKind::Dns {
        name: "intranet.example".to_owned(),
        record: None,
    };
    target("intranet", kind, Barrier::Dns)
}

#[tokio::test(start_paused = true)]
async fn a_name_is_gone_only_if_every_resolver_says_so() {
    let plan = named_plan(intranet());
    let world = named(Fake::new(only_control_answers));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Blocked, "{:#?}", report.findings);
    assert_eq!(report.findings[0].reach, Some(Reach::NoName));

    for (answer, verdict, reason) in [
        (
            NameAnswer::Blind(Blind::ResolverServfail),
            Verdict::Inconclusive,
            "resolver_servfail",
        ),
        (addresses(&["5.5.5.5"]), Verdict::Exposed, "past_barrier"),
        (addresses(&["10.0.0.1"]), Verdict::Blocked, "stopped"),
        (NameAnswer::NoData, Verdict::Blocked, "stopped"),
    ] {
        let world = named(Fake::new(only_control_answers));
        let world = world.name("8.8.8.8", "intranet.example", answer.clone());
        let report = undisturbed(&world, &plan).await;
        assert_eq!(report.verdict, verdict, "{answer:?}");
        assert_eq!(report.findings[0].reason.as_str(), reason);
        assert!(
            world.starts("5.5.5.5").is_empty(),
            "the barrier dns never knocks"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn nxdomain_from_a_resolver_that_does_not_know_the_control_either_is_no_proof() {
    let plan = named_plan(intranet());
    let world =
        Fake::new(only_control_answers).name("1.1.1.1", "control.example", addresses(&[CONTROL]));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");
}

#[tokio::test(start_paused = true)]
async fn a_stale_name_is_inconclusive_at_every_other_barrier() {
    let world = named(Fake::new(only_control_answers));
    let plan = named_plan(target("db", tcp("gone.example", 22), Barrier::Network));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "name_gone");
}

#[tokio::test(start_paused = true)]
async fn an_inventing_resolver_proves_nothing_but_a_handshake_stands() {
    let plan = named_plan(target("db", tcp("db.example", 22), Barrier::Network));
    for (door, verdict) in [
        (None, Verdict::Inconclusive),
        (Some(Reach::Connected), Verdict::Exposed),
    ] {
        let world = named(Fake::new(move |endpoint, at| {
            only_control_answers(endpoint, at).or(door)
        }))
        .name("1.1.1.1", "*", addresses(&["5.5.5.5"]))
        .name("8.8.8.8", "db.example", addresses(&["5.5.5.5"]));
        let report = undisturbed(&world, &plan).await;
        assert_eq!(report.verdict, verdict);
        assert!(report.findings[0].notes.contains(&Note::ResolverInvents));
    }
}

#[tokio::test(start_paused = true)]
async fn every_address_is_an_endpoint_and_one_open_door_is_enough() {
    let world = named(Fake::new(|endpoint, at| {
        let open = endpoint.address.to_string() == "2a00::2";
        only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
    }));
    let all = ["5.5.5.1", "5.5.5.2", "5.5.5.3", "2a00::1", "2a00::2"];
    let world = world
        .name("1.1.1.1", "db.example", addresses(&all[..3]))
        .name("8.8.8.8", "db.example", addresses(&all[2..]));
    let plan = named_plan(target("db", tcp("db.example", 22), Barrier::Network));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Exposed);
    let finding = &report.findings[0];
    let found: Vec<_> = finding
        .endpoints
        .iter()
        .map(|e| e.endpoint.address.to_string())
        .collect();
    assert_eq!(found, all);
    let silent = finding.endpoints.iter().filter(|e| e.attempts.len() == 3);
    assert_eq!(
        silent.count(),
        4,
        "one open door does not starve the others"
    );
}

#[tokio::test(start_paused = true)]
async fn a_private_address_is_not_connected_to_unless_wished() {
    let world = || {
        let ns = NameAnswer::Records(vec!["ns.example.".to_owned()]);
        let mut world = named(Fake::new(only_control_answers))
            .name("1.1.1.1", "db.example", addresses(&["10.0.0.1"]))
            .name("8.8.8.8", "db.example", addresses(&["10.0.0.1"]))
            .name("1.1.1.1", "ns.example", addresses(&["5.5.0.1"]))
            .name("5.5.0.1", "db.example", addresses(&["10.0.0.1"]));
        world.says = Box::new(move |_, question| {
            let zone = question.record == Record::NS && question.name == "example";
            zone.then(|| (ns.clone(), Vec::new()))
        });
        world
    };
    let mut db = target("db", tcp("db.example", 22), Barrier::Network);
    let quiet = world();
    let report = undisturbed(&quiet, &named_plan(db.clone())).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    assert_eq!(report.findings[0].reach, Some(Reach::PrivateAddress));
    assert!(quiet.starts("10.0.0.1").is_empty());

    db.probe_non_global = true;
    let asked = world();
    undisturbed(&asked, &named_plan(db)).await;
    assert_eq!(asked.starts("10.0.0.1").len(), 3);
}

#[tokio::test(start_paused = true)]
async fn ipv6_declared_unwatched_is_neither_probed_nor_forgotten() {
    let world = named(Fake::new(only_control_answers));
    let world = world
        .name("1.1.1.1", "db.example", addresses(&["5.5.5.5", "2a00::1"]))
        .name("8.8.8.8", "db.example", addresses(&["5.5.5.5", "2a00::1"]));
    let mut db = target("db", tcp("db.example", 22), Barrier::Network);
    let plan = named_plan(db.clone());
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Inconclusive, "IPv6 has no control");

    db.families = vec![Family::Ipv4];
    world.log.borrow_mut().clear();
    let report = undisturbed(&world, &named_plan(db)).await;
    assert_eq!(report.verdict, Verdict::Blocked);
    assert!(world.starts("2a00::1").is_empty());
    assert!(report.findings[0].notes.contains(&Note::Ipv6Unwatched));
}

#[tokio::test(start_paused = true)]
async fn one_address_never_gets_more_than_its_share_at_once() {
    let world = Fake::new(only_control_answers);
    let targets = (1..=100)
        .map(|port| {
            target(
                &port.to_string(),
                tcp("5.5.5.5", 1000 + port),
                Barrier::Network,
            )
        })
        .collect();
    let mut plan = plan(targets);
    plan.per_host = 7;
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.totals.blocked, 100);
    assert_eq!(*world.most_at_one.borrow(), 7);
    // And two of them once more, when all else was over.
    assert_eq!(world.starts("5.5.5.5").len(), 302);
}

#[tokio::test(start_paused = true)]
async fn after_a_stop_what_was_found_stands_and_the_rest_is_inconclusive() {
    let world = Fake::new(|endpoint, at| match endpoint.address.to_string().as_str() {
        "5.5.5.1" => Some(Reach::Connected),
        "5.5.5.2" => Some(Reach::Refused),
        _ => only_control_answers(endpoint, at),
    });
    let targets = (1..=3)
        .map(|n| {
            let address = format!("5.5.5.{n}");
            target(&address, tcp(&address, 22), Barrier::Network)
        })
        .collect();
    let (stopper, stop) = stop::pair();
    let plan = plan(targets);
    let later = async {
        // The rejections are over by then, and the silences are not.
        tokio::time::sleep(Duration::from_millis(9_500)).await;
        stopper.stop();
    };
    let (report, ()) = futures_util::future::join(run(&world, &plan, &stop), later).await;
    let verdicts: Vec<_> = report.findings.iter().map(|f| f.verdict).collect();
    assert_eq!(
        verdicts,
        [Verdict::Exposed, Verdict::Blocked, Verdict::Inconclusive]
    );
    assert_eq!(report.findings[2].reason.as_str(), "interrupted");
    assert!(report.interrupted);
    assert!(report.took_ms < 12_500, "{}", report.took_ms);
}

/// Every address is silent from 0.1 s on until the given time.
fn outage_until(end: Duration) -> Fake {
    Fake::new(move |endpoint, at| {
        let gone = at > Duration::from_millis(100) && at < end;
        (!gone && endpoint.address.to_string() == CONTROL).then_some(Reach::Connected)
    })
}

#[tokio::test(start_paused = true)]
async fn an_outage_that_lasts_as_long_as_the_probes_is_no_firewall() {
    for pace in [
        pace(),
        Pace {
            timeout: Duration::from_millis(1_500),
            attempts: 2,
            interval: Duration::from_secs(1),
        },
        Pace {
            timeout: Duration::from_secs(3),
            attempts: 1,
            interval: Duration::ZERO,
        },
    ] {
        let mut db = target("db", tcp("5.5.5.5", 22), Barrier::Network);
        let window = pace.timeout * pace.attempts;
        db.pace = pace;
        let world = outage_until(window + Duration::from_millis(500));
        let report = undisturbed(&world, &plan(vec![db])).await;
        assert_eq!(report.verdict, Verdict::Inconclusive, "{window:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn one_control_that_holds_does_not_make_up_for_another_that_is_lost() {
    let world = Fake::new(only_control_answers);
    let mut plan = plan(vec![target("db", tcp("5.5.5.5", 22), Barrier::Network)]);
    plan.controls.push(control(tcp("9.9.9.10", 443)));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");
}

#[tokio::test(start_paused = true)]
async fn a_control_in_a_private_network_says_nothing_of_the_internet() {
    let inside = "10.0.0.9";
    let world = Fake::new(move |endpoint, _| {
        (endpoint.address.to_string() == inside).then_some(Reach::Connected)
    });
    let mut plan = plan(vec![target("db", tcp("5.5.5.5", 22), Barrier::Network)]);
    let mut private = control(tcp(inside, 443));
    private.probe_non_global = true;
    plan.controls = vec![private];
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "no_control");

    let mut neighbour = target("neighbour", tcp("10.0.0.5", 22), Barrier::Network);
    neighbour.probe_non_global = true;
    plan.targets = vec![neighbour];
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Blocked);
}

#[tokio::test(start_paused = true)]
async fn a_control_found_by_an_inventing_resolver_proves_nothing_for_a_literal_either() {
    let plan = named_plan(target("db", tcp("5.5.5.5", 22), Barrier::Network));
    let world = named(Fake::new(only_control_answers)).name("1.1.1.1", "*", addresses(&[CONTROL]));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "resolver_invents");
}

#[tokio::test(start_paused = true)]
async fn no_ipv6_address_from_a_resolver_that_filters_them_is_no_answer() {
    let db = target("db", tcp("db.example", 22), Barrier::Network);
    let filtering = || {
        let mut world = named(Fake::new(only_control_answers));
        for resolver in ["1.1.1.1", "8.8.8.8"] {
            world = world
                .name(resolver, "a.root-servers.net", addresses(&["198.41.0.4"]))
                .name(resolver, "db.example", addresses(&["5.5.5.5"]));
        }
        world
    };
    let report = undisturbed(&filtering(), &named_plan(db.clone())).await;
    assert_eq!(report.findings[0].reason.as_str(), "resolver_withholds");

    let mut watched = db;
    watched.families = vec![Family::Ipv4];
    let report = undisturbed(&filtering(), &named_plan(watched)).await;
    assert_eq!(report.verdict, Verdict::Blocked, "{:#?}", report.findings);
}

#[tokio::test(start_paused = true)]
async fn an_ipv4_mapped_address_is_the_ipv4_address() {
    let db = target("db", tcp("db.example", 22), Barrier::Network);
    let mut world = named(Fake::new(only_control_answers));
    for resolver in ["1.1.1.1", "8.8.8.8"] {
        world = world.name(resolver, "db.example", addresses(&["::ffff:5.5.5.5"]));
    }
    let report = undisturbed(&world, &named_plan(db)).await;
    let endpoint = &report.findings[0].endpoints[0];
    assert_eq!(endpoint.endpoint.address.to_string(), "5.5.5.5");
    let rests_on = endpoint.rests_on.as_ref().unwrap();
    assert_eq!(rests_on.control, "control.example:443");
}

#[tokio::test(start_paused = true)]
async fn a_control_whose_name_cannot_be_asked_in_a_family_is_lost_over_it() {
    let mut db = target("db", tcp("2a00::1", 22), Barrier::Network);
    db.control = Some(Box::new(control(tcp("own.example", 443))));
    let world = Fake::new(|endpoint, _| {
        let answers = ["2a00::9", "5.5.5.9"].contains(&endpoint.address.to_string().as_str());
        answers.then_some(Reach::Connected)
    })
    .name("1.1.1.1", "own.example", addresses(&["5.5.5.9"]))
    .name(
        "8.8.8.8",
        "own.example",
        NameAnswer::Blind(Blind::ResolverServfail),
    );
    let mut plan = plan(vec![db]);
    plan.controls = vec![control(tcp("2a00::9", 443))];
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.findings[0].reason.as_str(), "control_lost");
}

#[tokio::test(start_paused = true)]
async fn an_address_that_only_a_later_answer_holds_is_an_endpoint_too() {
    let door = |endpoint: Endpoint, at| {
        let open = endpoint.address.to_string() == "5.5.5.2";
        only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
    };
    let mut world = named(Fake::new(door));
    for resolver in ["1.1.1.1", "8.8.8.8"] {
        world = world.name(resolver, "db.example", addresses(&["5.5.5.1"]));
    }
    world.later.insert("db.example", addresses(&["5.5.5.2"]));
    let plan = named_plan(target("db", tcp("db.example", 22), Barrier::Network));
    let report = undisturbed(&world, &plan).await;
    assert_eq!(report.verdict, Verdict::Exposed);
    assert_eq!(report.findings[0].endpoints.len(), 2);

    let mut world = named(Fake::new(only_control_answers));
    world
        .later
        .insert("intranet.example", addresses(&["5.5.5.2"]));
    let report = undisturbed(&world, &named_plan(intranet())).await;
    assert_eq!(report.verdict, Verdict::Exposed);
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_never_answers_is_not_waited_for_by_every_name() {
    let targets = (0..2_000)
        .map(|n| {
            let host = format!("host{n}.example");
            target(&host, tcp(&host, 22), Barrier::Network)
        })
        .collect();
    let silence = NameAnswer::Blind(Blind::ResolverTimeout);
    let world = Fake::new(only_control_answers)
        .name("1.1.1.1", "*", silence.clone())
        .name("8.8.8.8", "*", silence);
    let report = undisturbed(&world, &plan(targets)).await;
    assert_eq!(report.totals.inconclusive, 2_000);
    assert_eq!(report.findings[0].reason.as_str(), "resolver_timeout");
    assert!(world.lookups.get() < 100, "{}", world.lookups.get());
}
