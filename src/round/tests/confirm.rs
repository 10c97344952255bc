//! Looking again at what was found exposed.

use super::*;
use crate::domain::trail::Confirmation;
use crate::domain::waiver::{Day, Waiver};
use crate::round::confirm::PAUSE;

const DOOR: &str = "5.5.5.5";

fn twice(name: &str, address: &str) -> Target {
    Target {
        confirm: 2,
        ..target(name, tcp(address, 22), Barrier::Network)
    }
}

/// The control answers, and so does the door until this time; from then on it resets.
fn open_until(end: Duration) -> Fake {
    Fake::new(move |endpoint, at| {
        let door = if at < end {
            Reach::Connected
        } else {
            Reach::Refused
        };
        only_control_answers(endpoint, at).or(Some(door))
    })
}

const fn seen(seen: u32, asked: u32) -> Confirmation {
    Confirmation { asked, seen }
}

#[tokio::test(start_paused = true)]
async fn a_door_that_was_open_for_a_moment_is_exposed_and_not_confirmed() {
    let world = open_until(Duration::from_secs(3));
    let report = undisturbed(&world, &plan(vec![twice("db", DOOR)])).await;
    let finding = &report.findings[0];
    assert_eq!(finding.confirmation, Some(seen(1, 2)));
    assert_eq!(report.verdict, Verdict::Exposed);
    assert_eq!(report.totals.exposed, 1);
    // The evidence is the first set's.
    assert_eq!(finding.reach, Some(Reach::Connected));
    assert_eq!(finding.endpoints[0].attempts.len(), 1);
    let starts = world.starts(DOOR);
    assert_eq!(starts.len(), 4, "one that was enough, and a whole set");
    let pause = starts[1].saturating_sub(starts[0]);
    assert!(pause >= PAUSE && pause < PAUSE * 2, "{pause:?}");
    let control = world.starts(CONTROL);
    let (before, after) = (starts[1], starts[3]);
    assert!(control.iter().any(|at| *at > starts[0] && *at < before));
    assert!(
        control.iter().any(|at| *at > after),
        "a checkpoint follows the second set too"
    );
}

#[tokio::test(start_paused = true)]
async fn a_door_that_stays_open_is_confirmed_after_as_many_sets_as_were_asked_for() {
    for asked in 2..=5 {
        let world = open_until(Duration::MAX);
        let mut db = twice("db", DOOR);
        db.confirm = asked;
        let report = undisturbed(&world, &plan(vec![db])).await;
        assert_eq!(report.findings[0].confirmation, Some(seen(asked, asked)));
        let starts = world.starts(DOOR);
        assert_eq!(starts.len(), usize::try_from(asked).unwrap());
        assert!(
            starts
                .windows(2)
                .all(|two| two[1].saturating_sub(two[0]) >= PAUSE)
        );
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_set_that_is_blocked_ends_it() {
    let world = open_until(Duration::from_secs(8));
    let mut db = twice("db", DOOR);
    db.confirm = 5;
    let report = undisturbed(&world, &plan(vec![db])).await;
    assert_eq!(report.findings[0].confirmation, Some(seen(2, 5)));
    assert_eq!(world.starts(DOOR).len(), 2 + 3);
}

#[tokio::test(start_paused = true)]
async fn a_set_that_could_not_see_never_quietens_an_exposure() {
    // The control is gone during the second set, or was gone for a while during the first.
    for (from, until) in [(4_000, 60_000), (1_000, 8_000)] {
        let gone = Duration::from_millis(from)..Duration::from_millis(until);
        let world = Fake::new(
            move |endpoint, at| match endpoint.address.to_string().as_str() {
                CONTROL => (!gone.contains(&at)).then_some(Reach::Connected),
                DOOR if at < Duration::from_millis(900) => Some(Reach::Connected),
                _ => Some(Reach::Refused),
            },
        );
        // The other keeps the first set going for thirteen seconds.
        let mut slow = target("slow", tcp("5.5.5.6", 22), Barrier::Network);
        slow.pace.interval = Duration::from_secs(6);
        let mut targets = vec![twice("db", DOOR)];
        if from < 4_000 {
            targets.push(slow);
        }
        let report = undisturbed(&world, &plan(targets)).await;
        let finding = &report.findings[0];
        assert_eq!(finding.verdict, Verdict::Exposed);
        assert_eq!(finding.confirmation, Some(seen(2, 2)), "gone from {from}");
        assert_eq!(world.starts(DOOR).len(), 1 + 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_control_that_is_lost_in_a_later_set_takes_no_verdict_with_it() {
    let world = Fake::new(|endpoint, at| {
        let control = endpoint.address.to_string() == CONTROL && at < Duration::from_secs(6);
        let door = endpoint.address.to_string() == DOOR;
        if control || door {
            return Some(Reach::Connected);
        }
        (endpoint.address.to_string() != CONTROL).then_some(Reach::Refused)
    });
    let mut quick = target("shut", tcp("5.5.5.6", 22), Barrier::Network);
    quick.pace.attempts = 1;
    let report = undisturbed(&world, &plan(vec![twice("db", DOOR), quick])).await;
    assert_eq!(report.findings[0].confirmation, Some(seen(2, 2)));
    assert_eq!(report.findings[1].verdict, Verdict::Blocked);
    assert_eq!(report.controls[0].held, [Family::Ipv4]);
    let starts = world.starts("5.5.5.6").len();
    assert_eq!(
        starts, 2,
        "a rejection is asked for once more, and that is all"
    );
}

#[tokio::test(start_paused = true)]
async fn nothing_is_looked_at_again_that_is_shut_waived_or_asks_for_one_set() {
    let world = Fake::new(|endpoint, at| {
        let shut = endpoint.address.to_string() == "5.5.5.1";
        let door = if shut {
            Reach::Refused
        } else {
            Reach::Connected
        };
        only_control_answers(endpoint, at).or(Some(door))
    });
    let mut once = twice("once", "5.5.5.2");
    once.confirm = 1;
    let mut waived = twice("waived", "5.5.5.3");
    waived.waiver = Some(Waiver {
        owner: "platform team".to_owned(),
        reason: "moves".to_owned(),
        until: "9999-12-31".parse::<Day>().unwrap(),
    });
    let targets = vec![twice("shut", "5.5.5.1"), once, waived];
    let report = undisturbed(&world, &plan(targets)).await;
    for finding in &report.findings {
        assert_eq!(finding.confirmation, None, "{}", finding.target.name);
    }
    // Without a pause: the rejections alone take two time-outs.
    assert!(report.took_ms < 10_000, "{}", report.took_ms);
    let starts = ["5.5.5.1", "5.5.5.2", "5.5.5.3"].map(|address| world.starts(address).len());
    assert_eq!(starts, [3, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn an_interrupted_set_decides_nothing() {
    // In the pause, between the attempts of the second set, and at its last checkpoint.
    for after in [3_000, 6_000, 7_110] {
        let world = open_until(Duration::from_secs(3));
        let (stopper, stop) = stop::pair();
        let plan = plan(vec![twice("db", DOOR)]);
        let later = async {
            tokio::time::sleep(Duration::from_millis(after)).await;
            stopper.stop();
        };
        let (report, ()) = futures_util::future::join(run(&world, &plan, &stop), later).await;
        assert!(report.interrupted, "after {after}");
        assert_eq!(report.findings[0].verdict, Verdict::Exposed);
        assert_eq!(report.findings[0].confirmation, None, "after {after}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_door_that_only_a_later_set_found_open_is_not_lost() {
    let both = ["5.5.5.1", "5.5.5.2"];
    let mut world = named(Fake::new(move |endpoint, at| {
        // First the one door, then the other.
        let open = both[usize::from(at > Duration::from_secs(10))];
        let door = if endpoint.address.to_string() == open {
            Reach::Connected
        } else {
            Reach::Refused
        };
        only_control_answers(endpoint, at).or(Some(door))
    }));
    for resolver in ["1.1.1.1", "8.8.8.8"] {
        world = world.name(resolver, "db.example", addresses(&both)).name(
            resolver,
            "a.root-servers.net",
            addresses(&["198.41.0.4"]),
        );
    }
    let mut db = twice("db", "db.example");
    db.families = vec![Family::Ipv4];
    let report = undisturbed(&world, &named_plan(db)).await;
    let finding = &report.findings[0];
    assert_eq!(finding.confirmation, Some(seen(2, 2)));
    let all: Vec<_> = finding
        .endpoints
        .iter()
        .map(|e| (e.verdict, e.reach, e.attempts.len()))
        .collect();
    let open = |attempts| (Verdict::Exposed, Some(Reach::Connected), attempts);
    assert_eq!(all, [open(1), open(3 + 1)]);
    assert_eq!(report.totals.attempts, 5);
}

#[tokio::test(start_paused = true)]
async fn names_are_asked_again_for_a_later_set() {
    let begun = Instant::now();
    let mut world = named(Fake::new(|endpoint, at| {
        only_control_answers(endpoint, at).or(Some(Reach::Connected))
    }));
    world.says = Box::new(move |_, question| {
        let moved = begun.elapsed() > Duration::from_secs(4);
        let address = if moved { "5.5.5.2" } else { "5.5.5.1" };
        let asked = question.name == "db.example" && question.record.to_string() == "A";
        asked.then(|| (addresses(&[address]), Vec::new()))
    });
    let mut db = twice("db", "db.example");
    db.families = vec![Family::Ipv4];
    let report = undisturbed(&world, &named_plan(db)).await;
    let finding = &report.findings[0];
    let found: Vec<_> = finding
        .endpoints
        .iter()
        .map(|e| e.endpoint.address.to_string())
        .collect();
    assert_eq!(found, ["5.5.5.1", "5.5.5.2"]);
    let queries = &finding.name.as_ref().unwrap().queries;
    assert_eq!(queries.len(), 2 * 2, "both resolvers, both times");
    assert_eq!(finding.confirmation, Some(seen(2, 2)));
}

#[tokio::test(start_paused = true)]
async fn a_name_that_was_published_for_a_moment_is_not_confirmed() {
    let begun = Instant::now();
    let mut world = named(Fake::new(only_control_answers));
    world.says = Box::new(move |_, question| {
        let published = begun.elapsed() < Duration::from_secs(4);
        let asked = question.name == "intranet.example" && question.record.to_string() == "A";
        (asked && published).then(|| (addresses(&["5.5.5.5"]), Vec::new()))
    });
    let mut intranet = intranet();
    intranet.confirm = 3;
    let report = undisturbed(&world, &named_plan(intranet)).await;
    assert_eq!(report.verdict, Verdict::Exposed);
    assert_eq!(report.findings[0].confirmation, Some(seen(1, 3)));
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_dropped_in_any_set_quieten_nothing() {
    for (drops, from, of_first, expected) in [
        (0, 6_000, 0, seen(1, 2)),
        (40, 6_000, 0, seen(2, 2)),
        (40, 10, 40, seen(2, 2)),
    ] {
        let mut world = Fake::new(|endpoint, at| {
            let open = at < Duration::from_secs(3);
            only_control_answers(endpoint, at).or(open.then_some(Reach::Connected))
        });
        let from = Duration::from_millis(from);
        world.drops = Box::new(move |at| Some(drops * u64::from(at > from)));
        let report = undisturbed(&world, &plan(vec![twice("db", DOOR)])).await;
        assert_eq!(report.vantage.reverse_path_drops, Some(of_first));
        assert_eq!(report.findings[0].confirmation, Some(expected), "{from:?}");
    }
}
