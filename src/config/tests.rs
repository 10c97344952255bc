mod doors;
mod incidents;

use std::net::SocketAddr;

use proptest::prelude::*;

use super::*;
use crate::domain::endpoint::Family;
use crate::domain::reach::Reach;
use crate::domain::target::{Barrier, ControlOrigin, Host, Plan, Resolvers, TargetKind};

/// Reads a configuration out of memory, without the environment.
fn load_bytes(
    name: &str,
    bytes: &[u8],
    vars: &BTreeMap<String, String>,
) -> Result<Loaded, Problems> {
    take_apart(Source::decode(name.to_owned(), bytes)?, vars, &|_| None)
}

fn plan_with(text: &str, overrides: &Overrides) -> Result<Plan, Problems> {
    let vars = BTreeMap::from([("ZONE".to_owned(), "example.com".to_owned())]);
    resolve(
        &load_bytes("noentry.yml", text.as_bytes(), &vars)?,
        overrides,
    )
}

fn plan(text: &str) -> Plan {
    plan_with(text, &Overrides::default()).unwrap_or_else(|problems| panic!("{problems}"))
}

const PAIR: &str = "\
version: 1
defaults: { timeout: 2s, attempts: 5, concurrency: 7, probe_non_global: true }
controls:
  - tcp: www.example.com:443
    attempts: 2
targets:
  - name: Admin console
    url: https://admin.example.com/login
  - tcp: 10.0.0.1:5432
    name: Orders database
    timeout: 3s
    families: [ipv4]
    control: { tcp: shop.example.com:443, timeout: 4s }
";

#[test]
fn what_is_not_said_has_the_documented_default() {
    let plan = plan("version: 1\ntargets: [{ name: a, tcp: a.example.com:1 }]");
    let target = &plan.targets[0];
    assert_eq!(target.pace.timeout, Duration::from_millis(4_400));
    assert_eq!(target.pace.attempts, 3);
    assert_eq!(target.pace.interval, Duration::from_secs(1));
    assert_eq!(target.families, [Family::Ipv4, Family::Ipv6]);
    assert_eq!(target.barrier, Barrier::Network);
    assert_eq!(
        target.denial,
        crate::domain::target::Denial::all_of(Barrier::Network)
    );
    assert!(!target.probe_non_global && target.control.is_none());
    assert_eq!((plan.concurrency, plan.per_host), (16_000, 32));
    assert_eq!(plan.resolvers, Resolvers::System);
    assert!(plan.controls.is_empty());
    assert_eq!(plan.config, "noentry.yml");
}

#[test]
fn defaults_reach_targets_and_controls_and_own_settings_beat_them() {
    let plan = plan(PAIR);
    let seconds = |pace: &crate::domain::target::Pace| pace.timeout.as_secs();
    let [console, database] = plan.targets.as_slice() else {
        panic!("two targets")
    };
    assert_eq!((seconds(&console.pace), console.pace.attempts), (2, 5));
    assert_eq!((seconds(&database.pace), database.pace.attempts), (3, 5));
    let shared = &plan.controls[0];
    assert_eq!((seconds(&shared.pace), shared.pace.attempts), (2, 2));
    assert_eq!(shared.origin, ControlOrigin::Config);
    let own = database.control.as_ref().unwrap();
    assert_eq!((seconds(&own.pace), own.pace.attempts), (4, 5));
    assert_eq!(own.origin, ControlOrigin::Target);
    assert!(own.probe_non_global && shared.probe_non_global);
    assert_eq!(plan.concurrency, 7);
}

#[test]
fn a_targets_own_control_inherits_the_targets_timing() {
    let plan = plan(
        "version: 1\ntargets: [{ name: a, tcp: 10.0.0.1:1, timeout: 9s, probe_non_global: true, \
         control: { tcp: '10.0.0.1:2' } }]",
    );
    let control = plan.targets[0].control.as_ref().unwrap();
    assert_eq!(control.pace.timeout, Duration::from_secs(9));
    assert!(control.probe_non_global);
}

#[test]
fn what_is_typed_beats_the_file_also_a_targets_own_setting() {
    let overrides = Overrides {
        timeout: Some(Duration::from_millis(600)),
        attempts: Some(1),
        concurrency: Some(9),
        per_host: Some(8),
        rate: Some(50),
        targets: vec![" Orders database ".to_owned()],
    };
    let plan = plan_with(PAIR, &overrides).unwrap();
    let [database] = plan.targets.as_slice() else {
        panic!("one target")
    };
    assert_eq!(database.name, "Orders database");
    for pace in [
        &database.pace,
        &database.control.as_ref().unwrap().pace,
        &plan.controls[0].pace,
    ] {
        assert_eq!(
            (pace.timeout, pace.attempts),
            (Duration::from_millis(600), 1)
        );
    }
    assert_eq!((plan.concurrency, plan.per_host), (9, 8));
}

#[test]
fn what_is_typed_is_checked_too() {
    let overrides = Overrides {
        timeout: Some(Duration::from_millis(1)),
        attempts: Some(21),
        concurrency: Some(0),
        per_host: Some(100_001),
        rate: Some(0),
        targets: vec!["Admin konsole".to_owned()],
    };
    let shown = plan_with(PAIR, &overrides).unwrap_err().to_string();
    for part in [
        "`--timeout` takes a duration from 500ms to 60s\n",
        "`--attempts` takes a whole number from 1 to 20\n",
        "`--concurrency` takes a whole number from 1 to 100000\n",
        "`--per-host` takes a whole number from 1 to 100000\n",
        "no target is named `Admin konsole`\n",
        "did you mean `Admin console`?\n",
        "the file has `Admin console` and `Orders database`\n",
        "`--rate` takes a whole number from 1 to 100000\n",
        "6 problems",
    ] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}

#[test]
fn every_target_and_control_keeps_its_place() {
    let plan = plan(PAIR);
    let at = |position: &crate::domain::position::Position| position.to_string();
    assert_eq!(at(&plan.targets[0].position), "noentry.yml:7:5");
    assert_eq!(at(&plan.targets[1].position), "noentry.yml:9:5");
    assert_eq!(
        at(plan.controls[0].position.as_ref().unwrap()),
        "noentry.yml:4:5"
    );
    let own = plan.targets[1].control.as_ref().unwrap();
    assert_eq!(at(own.position.as_ref().unwrap()), "noentry.yml:13:16");
}

#[test]
fn a_place_behind_wide_characters_is_counted_in_characters() {
    let plan = plan(
        "version: 1\r\ntargets: [{ name: ドア🚪, dns: a.example }, { name: b, dns: b.example }]",
    );
    let columns: Vec<_> = plan.targets.iter().map(|t| t.position.column).collect();
    assert_eq!(columns, [13, 44]);
}

#[test]
fn denials_take_the_shape_of_their_barrier() {
    let plan = plan(
        "version: 1\ntargets:
  - { name: a, tcp: a.example:1, denial: [prohibited, no_answer] }
  - { name: b, dns: b.example, denial: [no_name] }
  - { name: c, url: 'https://c.example', barrier: http,
      denial: { header: { Server: x, A-B: y }, body: denied } }
  - { name: d, url: 'https://d.example', barrier: tls }
  - { name: e, tcp: e.example:1, barrier: dns }",
    );
    let stops: Vec<Vec<Reach>> = plan
        .targets
        .iter()
        .map(|target| target.denial.stops.iter().copied().collect())
        .collect();
    assert_eq!(
        stops,
        [
            vec![Reach::NoAnswer, Reach::Prohibited],
            vec![Reach::NoName],
            vec![Reach::Denied],
            vec![Reach::TlsRefused],
            vec![Reach::NoName, Reach::PrivateAddress],
        ]
    );
    let http = &plan.targets[2].denial.http;
    assert_eq!(http.status, [403, 404].into());
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(http.header, [header("a-b", "y"), header("server", "x")]);
    assert_eq!(http.body.as_deref(), Some("denied"));
    assert_eq!(plan.targets[1].barrier, Barrier::Dns);
}

#[test]
fn kinds_and_resolvers_are_read() {
    let plan = plan(
        "version: 1\nresolvers: [1.1.1.1, '[::1]:5353']\ntargets:
  - { name: a, tcp: '[2a00::1]:65535' }
  - { name: b, url: 'https://b.${ZONE}:8443/x?y' }
  - { name: c, dns: '$${c}' }"
            .replace("$${c}", "c.${ZONE}")
            .as_str(),
    );
    let listed: Vec<SocketAddr> =
        vec!["1.1.1.1:53".parse().unwrap(), "[::1]:5353".parse().unwrap()];
    assert_eq!(plan.resolvers, Resolvers::Listed(listed));
    let kinds: Vec<_> = plan.targets.iter().map(|t| t.kind.to_string()).collect();
    assert_eq!(
        kinds,
        [
            "[2a00::1]:65535",
            "https://b.example.com:8443/x?y",
            "c.example.com"
        ]
    );
    let TargetKind::Url(url) = &plan.targets[1].kind else {
        panic!("a URL")
    };
    assert_eq!(url.host, Host::Name("b.example.com".to_owned()));
    assert_eq!(
        (url.authority.as_str(), url.path.as_str()),
        ("b.example.com:8443", "/x?y")
    );
}

#[test]
fn a_control_on_the_port_of_an_http_barrier_is_no_contradiction() {
    let text = |barrier: &str, control: &str| {
        format!(
            "version: 1\ncontrols: [{{ {control} }}]\ntargets: [{{ name: a, url: \
             'https://a.example/admin', barrier: {barrier} }}]"
        )
    };
    let url = "url: 'https://a.example/'";
    let tcp = "tcp: a.example:443";
    let other = "tcp: a.example:80";
    let name = "dns: a.example";
    for (barrier, control, good) in [
        ("http", url, true),
        ("http", tcp, true),
        ("tls", url, false),
        ("tls", tcp, true),
        ("network", url, false),
        ("network", tcp, false),
        ("network", other, true),
        ("network", name, true),
        ("dns", other, false),
        ("dns", name, false),
    ] {
        let made = plan_with(&text(barrier, control), &Overrides::default());
        assert_eq!(made.is_ok(), good, "{barrier} {control}");
    }
}

#[test]
fn an_alias_stands_for_its_value_and_a_mistake_in_it_is_said_once() {
    let text = "version: 1\nx-shop: &shop { tcp: 'shop.example.com:443' }\ntargets:
  - { name: a, tcp: a.example:1, control: *shop }
  - { name: b, tcp: b.example:1, control: *shop }";
    let plan = plan(text);
    assert!(plan.targets.iter().all(|target| target.control.is_some()));
    let bad = text.replace(":443", ":0");
    let problems = plan_with(&bad, &Overrides::default()).unwrap_err();
    assert_eq!(problems.list().len(), 1, "{problems}");
    assert!(
        problems.to_string().starts_with("noentry.yml:2:22:"),
        "{problems}"
    );
}

#[test]
fn the_search_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let shown = find_in(folder.path(), None).unwrap_err().to_string();
    assert!(shown.contains("no configuration found"), "{shown}");
    assert!(
        shown.contains("looked for `.github/noentry.yml` and `noentry.yml`"),
        "{shown}"
    );
    assert!(shown.contains("`--config`"), "{shown}");
    assert!(shown.contains("`noentry init`"), "{shown}");
    std::fs::write(folder.path().join("noentry.yaml"), "").unwrap();
    let shown = find_in(folder.path(), None).unwrap_err().to_string();
    assert!(shown.contains("there is `noentry.yaml`"), "{shown}");
    std::fs::write(folder.path().join("noentry.yml"), "").unwrap();
    assert_eq!(
        find_in(folder.path(), None).unwrap(),
        Path::new("noentry.yml")
    );
    std::fs::create_dir(folder.path().join(".github")).unwrap();
    std::fs::write(folder.path().join(".github/noentry.yml"), "").unwrap();
    assert_eq!(
        find_in(folder.path(), None).unwrap(),
        Path::new(".github/noentry.yml")
    );
    let named = find_in(folder.path(), Some(Path::new("other.yml"))).unwrap();
    assert_eq!(named, Path::new("other.yml"));
}

#[test]
fn a_file_that_cannot_be_read_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    for path in [folder.path().join("nothing.yml"), folder.path().to_owned()] {
        let shown = load(&path, &BTreeMap::new()).unwrap_err().to_string();
        assert!(
            shown.contains(": the configuration cannot be read: "),
            "{shown}"
        );
    }
    let path = folder.path().join("good.yml");
    std::fs::write(&path, PAIR).unwrap();
    let loaded = load(&path, &BTreeMap::new()).unwrap();
    let plan = resolve(&loaded, &Overrides::default()).unwrap();
    assert_eq!(plan.config, path.display().to_string());
}

#[test]
fn the_environment_is_asked_after_what_was_typed() {
    let source = || {
        Source::decode(
            "f".to_owned(),
            b"version: 1\ntargets: [{ name: a, dns: '${A}.${B}' }]",
        )
    };
    let typed = BTreeMap::from([("A".to_owned(), "typed".to_owned())]);
    let environment = |name: &str| match name {
        "A" | "B" => Some("environment".to_owned()),
        _ => None,
    };
    let loaded = take_apart(source().unwrap(), &typed, &environment).unwrap();
    let plan = resolve(&loaded, &Overrides::default()).unwrap();
    assert_eq!(plan.targets[0].kind.to_string(), "typed.environment");
}

#[test]
fn a_variable_that_no_reference_could_name_is_refused() {
    let vars = BTreeMap::from([("A-B".to_owned(), "secret".to_owned())]);
    let loaded = load_bytes("f", PAIR.as_bytes(), &vars).unwrap();
    let shown = resolve(&loaded, &Overrides::default())
        .unwrap_err()
        .to_string();
    assert!(shown.contains("`A-B` cannot name a variable"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

#[test]
fn ten_thousand_targets_and_as_many_problems_are_read_in_time() {
    let mut text = "version: 1\nx-c: &c { tcp: 'c.example:1' }\ntargets:\n".to_owned();
    for i in 0..10_000 {
        text += format!("  - {{ name: t{i}, tcp: t{i}.example:2, control: *c }}\n").as_str();
    }
    assert_eq!(plan(&text).targets.len(), 10_000);
    let problems = plan_with(&text.replace(":2", ":0"), &Overrides::default()).unwrap_err();
    assert_eq!(problems.list().len(), 10_000);
    assert!(problems.render(false).contains("… and 9900 more"));
}

/// Everything that a file goes through, whatever is in it.
fn run(bytes: &[u8]) {
    let overrides = Overrides {
        targets: vec!["Admin".to_owned()],
        ..Overrides::default()
    };
    let vars = BTreeMap::from([("ZONE".to_owned(), "\u{0}:\n- x".to_owned())]);
    let made = load_bytes("f", bytes, &vars).and_then(|loaded| resolve(&loaded, &overrides));
    match made {
        Ok(plan) => assert!(!plan.targets.is_empty()),
        Err(problems) => {
            assert!(!problems.list().is_empty());
            assert!(!problems.render(true).is_empty());
        }
    }
}

/// Pieces out of which files are put together that get further than random bytes.
const PIECES: &[&str] = &[
    "version: 1\n",
    "targets:\n",
    "  - name: A\n",
    "    tcp: a.example:1\n",
    "    url: https://b/\n",
    "    dns: c.example\n",
    "    udp: a.example:53\n",
    "    quic: '[2a00::1]:443'\n",
    "    icmp: 2a00::1\n",
    "    payload: ",
    "hex: 01 0\n",
    "    accept_silence: true\n",
    "    record: txt\n",
    "vantage:\n",
    "  egress: { dns: w.example, server: 1.1.1.1 }\n",
    "  must_not_reach: ",
    "    barrier: http\n",
    "    denial: ",
    "[no_answer]\n",
    "{ status: [403] }\n",
    "    control: ",
    "{ tcp: d.example:1 }\n",
    "&a ",
    "*a\n",
    "<<: *a\n",
    "~\n",
    "[",
    "]",
    "{",
    "}",
    ": ",
    "- ",
    "\n",
    "\r\n",
    "\t",
    "'",
    "\"",
    "|\n",
    ">-\n",
    "${ZONE}",
    "${NO",
    "$${",
    "é",
    "🚪",
    "\u{85}",
    "#",
    "---\n",
    "...\n",
    "!!str ",
    "%YAML 1.1\n",
    "? ",
    "defaults: { timeout: 5 }\n",
    "controls:\n",
    "\\x",
    "    families: []\n",
    "incidents: ",
    "    labels: [x]\n",
    "x-a: ",
    "010",
    "1:30",
    "no",
    "resolvers: [1.1.1.1]\n",
    "&b [*b]\n",
    ",",
];

proptest! {
    // Each case reads a few files; more would be slow in a debug build.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        run(&bytes);
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        run(text.as_bytes());
        for parse in [
            |text: &str| drop(host::url(text)),
            |text: &str| drop(host::host_port(text)),
            |text: &str| drop(host::name(text)),
            |text: &str| drop(host::host(text)),
            |text: &str| drop(host::resolver(text)),
            |text: &str| drop(duration::parse(text)),
            |text: &str| drop(duration::period(text)),
        ] {
            parse(&text);
            parse(&format!("https://{text}"));
            parse(&format!("[{text}"));
            parse(&format!("{text}:1"));
        }
    }

    #[test]
    fn no_mixture_of_pieces_makes_it_panic(
        pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..60)
    ) {
        run(pieces.concat().as_bytes());
    }

    #[test]
    fn no_damage_to_a_good_file_makes_it_panic(
        from in 0..PAIR.len(), length in 0_usize..20, piece in proptest::sample::select(PIECES)
    ) {
        let mut bytes = PAIR.as_bytes().to_vec();
        let end = (from + length).min(bytes.len());
        bytes.splice(from..end, piece.bytes());
        run(&bytes);
    }

    #[test]
    fn deep_files_do_not_overflow_the_stack(
        piece in proptest::sample::select(PIECES), times in 0_usize..2_000
    ) {
        run(piece.repeat(times).as_bytes());
        run(format!("version: 1\ntargets: {}", piece.repeat(times)).as_bytes());
    }

    #[test]
    fn durations_read_back(milliseconds in 0_u64..10_000_000) {
        let expected = Duration::from_millis(milliseconds);
        prop_assert_eq!(parse_duration(&format!("{milliseconds}ms")), Ok(expected));
        let seconds = format!("{}.{:03}s", milliseconds / 1000, milliseconds % 1000);
        prop_assert_eq!(parse_duration(&seconds), Ok(expected));
    }
}
