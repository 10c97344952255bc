//! Whatever a round writes, its readers accept: they judge again what it judged, by the same evidence.

use std::collections::BTreeMap;

use crate::domain::report::RoundReport;
use crate::merge::{Given, Rules, merge};
use crate::report::json;
use crate::round::tests::any::any_round;

/// How many rounds are made. Each takes some milliseconds, as the clock stands still.
const ROUNDS: u64 = 300;

/// In these two controls of different targets are called the same, and each answers on the ports of its own.
const NAMED_ALIKE: [u64; 2] = [1_051, 1_490];

fn read(report: &RoundReport) -> Result<RoundReport, String> {
    let mut text = Vec::new();
    json::write(report, &mut text).map_err(|error| error.to_string())?;
    json::parse(&String::from_utf8_lossy(&text)).map_err(|error| error.to_string())
}

#[tokio::test(start_paused = true)]
async fn every_round_is_accepted_when_it_is_read_again() {
    let mut seen = BTreeMap::new();
    for seed in (0..ROUNDS).chain(NAMED_ALIKE) {
        let report = any_round(seed).await;
        let again = read(&report);
        assert_eq!(again.as_ref(), Ok(&report), "round {seed}");
        let withheld = report.withheld();
        assert_eq!(read(&withheld), Ok(withheld), "round {seed}, withheld");
        for finding in &report.findings {
            *seen.entry(finding.reason.as_str()).or_insert(0) += 1;
        }
    }
    // All sorts of them, or this says little.
    for reason in [
        "stopped",
        "past_barrier",
        "port_unproven",
        "control_lost",
        "control_on_other_way",
        "control_too_near",
        "control_doubtful",
        "reverse_path",
        "own_network",
        "too_fast",
    ] {
        assert!(seen.contains_key(reason), "no {reason} in {seen:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn two_rounds_are_accepted_as_one() {
    for seed in 0..ROUNDS / 4 {
        let mut rounds = Vec::new();
        for file in ["one", "other"].map(str::to_owned) {
            let mut report = any_round(seed).await;
            report.vantage.label = Some(file.clone());
            rounds.push(Given { file, report });
        }
        let merged = merge(rounds, &[], &Rules::default()).map(|merged| merged.report);
        let Ok(merged) = merged else {
            panic!("round {seed}: {merged:?}");
        };
        assert_eq!(read(&merged).as_ref(), Ok(&merged), "round {seed}");
        let assumed = merged.rounds.iter().any(|r| r.vantage.unfiltered.is_some());
        assert_eq!(assumed, merged.vantage.unfiltered.is_some());
    }
}
