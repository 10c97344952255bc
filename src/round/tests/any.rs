//! Rounds of all sorts, for whoever must come to the same as the round did: plans, controls, networks and
//! faults by chance, the same for the same seed.

use fastrand::Rng;

use super::*;
use crate::domain::way::Distance;

const TARGETS: [&str; 6] = [
    "5.5.5.1",
    "5.5.5.2",
    "5.5.5.3",
    "2a00::1",
    "10.0.0.1",
    "door.example",
];
const CONTROLS: [&str; 5] = ["9.9.9.9", "9.9.9.10", "9.9.9.12", "2a00:9::9", "10.0.0.9"];
const PORTS: [u16; 4] = [22, 25, 443, 5432];

/// One of these.
fn one<T: Copy>(rng: &mut Rng, all: &[T]) -> T {
    all[rng.usize(..all.len())]
}

fn chance(rng: &mut Rng, of_a_hundred: u32) -> bool {
    rng.u32(..100) < of_a_hundred
}

fn host(text: &str) -> Host {
    text.parse()
        .map_or(Host::Name(text.to_owned()), Host::Address)
}

fn kind(rng: &mut Rng, at: &str) -> TargetKind {
    match rng.u32(..10) {
        0 => TargetKind::Udp {
            host: host(at),
            port: one(rng, &[53, 123]),
            payload: Payload::Protocol(one(rng, &[Protocol::Dns, Protocol::Ntp])),
        },
        1 => TargetKind::Icmp { host: host(at) },
        2 => TargetKind::Url(Url {
            text: format!("http://{at}/"),
            https: chance(rng, 50),
            host: host(at),
            port: 443,
            path: "/".to_owned(),
            authority: at.to_owned(),
        }),
        _ => tcp(at, one(rng, &PORTS)),
    }
}

fn any_pace(rng: &mut Rng) -> Pace {
    Pace {
        timeout: Duration::from_millis(one(rng, &[500, 1_100, 4_400])),
        attempts: rng.u32(1..4),
        interval: Duration::from_millis(one(rng, &[0, 1_000, 5_000])),
    }
}

fn any_control(rng: &mut Rng) -> Control {
    let at = one(rng, &CONTROLS);
    let mut control = control(match rng.u32(..8) {
        0 => TargetKind::Icmp { host: host(at) },
        1 => TargetKind::Udp {
            host: host(at),
            port: 53,
            payload: Payload::Protocol(Protocol::Dns),
        },
        2 => tcp("control.example", one(rng, &PORTS)),
        _ => tcp(at, one(rng, &PORTS)),
    });
    control.every_port = chance(rng, 30)
        && matches!(
            control.kind,
            TargetKind::Tcp { .. } | TargetKind::Udp { .. }
        );
    control.probe_non_global = at.starts_with("10.");
    control
}

fn any_target(rng: &mut Rng, number: usize) -> Target {
    let at = one(rng, &TARGETS);
    let kind = kind(rng, at);
    let barrier = match kind {
        TargetKind::Url(_) => one(rng, &[Barrier::Network, Barrier::Http]),
        _ => Barrier::Network,
    };
    let mut target = target(&number.to_string(), kind, barrier);
    target.pace = any_pace(rng);
    target.http3 = chance(rng, 50);
    target.probe_non_global = chance(rng, 30);
    target.control = chance(rng, 30).then(|| Box::new(any_control(rng)));
    target.confirm = one(rng, &[1, 1, 1, 2]);
    target
}

fn any_plan(rng: &mut Rng) -> Plan {
    let targets = (0..rng.usize(1..9)).map(|n| any_target(rng, n)).collect();
    let mut plan = plan(targets);
    plan.controls = (0..rng.usize(1..4)).map(|_| any_control(rng)).collect();
    plan.vantage.unfiltered = one(rng, &[None, Some(true), Some(false)]);
    plan.rate = one(rng, &[20, 250, 1_000_000]);
    plan
}

/// A network of which most is well, and something is wrong.
fn any_world(seed: u64) -> Fake {
    let mut rng = Rng::with_seed(seed);
    let of = move |what: &str, limit: u32| {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        (seed, what).hash(&mut hasher);
        Rng::with_seed(hasher.finish()).u32(..limit)
    };
    let outage = chance(&mut rng, 15).then(|| {
        let from = rng.u64(..12_000);
        from..from + rng.u64(100..4_000)
    });
    let mut world = Fake::new(move |endpoint, at| {
        let now = u64::try_from(at.as_millis()).unwrap();
        if outage.as_ref().is_some_and(|outage| outage.contains(&now)) {
            return seed.is_multiple_of(2).then_some(Reach::Prohibited);
        }
        let address = endpoint.address.to_string();
        if CONTROLS.contains(&address.as_str()) || address == "9.9.9.11" {
            let closed = of(&format!("closed {:?}", endpoint.port), 10) == 0;
            return (!closed).then_some(Reach::Connected);
        }
        match of(&format!("door {endpoint}"), 8) {
            0 => Some(Reach::Connected),
            1 => Some(Reach::Refused),
            2 => Some(Reach::Prohibited),
            3 => (now > 13_000).then_some(Reach::Connected),
            4 => Some(Reach::Denied),
            _ => None,
        }
    });
    let elsewhere = chance(&mut rng, 40);
    let known = chance(&mut rng, 70);
    world.ways = Box::new(move |address| {
        let by = |interface: &str, distance| Way {
            distance,
            interface: interface.to_owned(),
            gateway: (distance == Distance::Beyond).then(|| "192.168.1.1".parse().unwrap()),
            source: None,
        };
        known.then(|| match of(&format!("way {address}"), 12) {
            0 | 1 if elsewhere => by("tun0", Distance::Beyond),
            2 | 3 if elsewhere => by("eth0", Distance::OwnNetwork),
            4 if elsewhere => by("lo", Distance::ThisMachine),
            _ => by("eth0", Distance::Beyond),
        })
    });
    let drops = chance(&mut rng, 10);
    world.drops = Box::new(move |at| Some(40 * u64::from(drops && at > Duration::from_secs(2))));
    let lossy = chance(&mut rng, 10);
    world.syns = Box::new(move |at| {
        let crowd = Duration::from_millis(200)..Duration::from_secs(8);
        if lossy && crowd.contains(&at) { 2 } else { 1 }
    });
    let door = one(&mut rng, &["5.5.5.3", "2a00::1", "10.0.0.1"]);
    let addresses = |address: &str| NameAnswer::Addresses(vec![address.parse().unwrap()]);
    for resolver in ["1.1.1.1", "8.8.8.8"] {
        world = world.name(resolver, "door.example", addresses(door)).name(
            resolver,
            "control.example",
            addresses("9.9.9.11"),
        );
    }
    world
}

/// A round by chance. Needs a clock that stands still.
pub(crate) async fn any_round(seed: u64) -> RoundReport {
    let plan = any_plan(&mut Rng::with_seed(seed));
    undisturbed(&any_world(seed), &plan).await
}
