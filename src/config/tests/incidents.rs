//! What the configuration says of the incident trail, and of looking again.

use super::*;
use crate::domain::trail::{Notify, TrailPlan};

const ONE: &str = "targets: [{ name: a, tcp: a.example.com:1 }]\n";

fn incidents(text: &str) -> TrailPlan {
    plan(&format!("version: 1\nincidents: {text}\n{ONE}")).incidents
}

#[test]
fn without_a_word_the_trail_is_the_documented_one() {
    let day = 24 * 60 * 60;
    for plan in [
        plan(&format!("version: 1\n{ONE}")),
        plan(&format!("version: 1\nincidents: {{}}\n{ONE}")),
    ] {
        let TrailPlan {
            repository,
            author,
            disclose,
            title,
            close_after,
            reopen_within_s,
            remind_every_s,
            flaps,
            blind_after,
            mass_exposure_after,
        } = plan.incidents;
        assert_eq!((repository, author, title), (None, None, None));
        assert!(!disclose);
        assert_eq!((close_after, flaps, blind_after), (2, 3, 3));
        assert_eq!(mass_exposure_after, 10);
        assert_eq!((reopen_within_s, remind_every_s), (7 * day, day));
        assert_eq!(plan.targets[0].confirm, 1);
        assert!(plan.targets[0].notify.is_empty());
    }
}

#[test]
fn what_is_said_of_the_trail_is_what_the_plan_has() {
    let said = "{ repository: org/private-trail, author: 'my-app[bot]', disclose: true, \
                title: ' Open: {target} ', close_after: 5, reopen_within: 1.5d, \
                remind_every: 365d, flaps: 9, blind_after: 1, mass_exposure_after: 1000 }";
    let plan = TrailPlan {
        repository: Some("org/private-trail".to_owned()),
        author: Some("my-app[bot]".to_owned()),
        disclose: true,
        title: Some("Open: {target}".to_owned()),
        close_after: 5,
        reopen_within_s: 36 * 60 * 60,
        remind_every_s: 365 * 24 * 60 * 60,
        flaps: 9,
        blind_after: 1,
        mass_exposure_after: 1000,
    };
    assert_eq!(incidents(said), plan);
    assert_eq!(incidents("{ reopen_within: 0s }").reopen_within_s, 0);
    assert_eq!(incidents("{ remind_every: 60m }").remind_every_s, 3600);
}

#[test]
fn variables_can_name_the_repository() {
    let named = incidents("{ repository: 'org/trail-${ZONE}' }").repository;
    assert_eq!(named.as_deref(), Some("org/trail-example.com"));
}

#[test]
fn a_targets_own_people_come_after_those_of_all_and_nobody_twice() {
    let plan = plan(
        "version: 1\n\
         incidents: { labels: [Security], assignees: [octocat], mention: ['@org/on-call'] }\n\
         targets:\n\
         - { name: a, tcp: a.example.com:1, labels: [team, security, TEAM], assignees: [Octocat], \
         mention: [org/on-call, '@hubot'] }\n\
         - { name: b, tcp: b.example.com:1 }\n",
    );
    let names = |names: &[&str]| -> Vec<String> { names.iter().map(|n| (*n).to_owned()).collect() };
    assert_eq!(
        plan.targets[0].notify,
        Notify {
            labels: names(&["Security", "team"]),
            assignees: names(&["octocat"]),
            mention: names(&["org/on-call", "hubot"]),
        }
    );
    assert_eq!(
        plan.targets[1].notify,
        Notify {
            labels: names(&["Security"]),
            assignees: names(&["octocat"]),
            mention: names(&["org/on-call"]),
        }
    );
}

#[test]
fn a_targets_own_confirm_beats_the_default() {
    let plan = plan(
        "version: 1\ndefaults: { confirm: 3 }\ntargets:\n\
         - { name: a, tcp: a.example.com:1 }\n- { name: b, tcp: b.example.com:1, confirm: 1 }\n",
    );
    let all: Vec<u32> = plan.targets.iter().map(|target| target.confirm).collect();
    assert_eq!(all, [3, 1]);
}
