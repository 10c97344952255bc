//! The configuration that `init` writes: the targets and controls that somebody named, and beside
//! them what is worth knowing when it is edited for the first time.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::wish::Wish;
use super::yaml::scalar;
use crate::config::Kind;

const HEAD: &str = "\
# yaml-language-server: $schema=https://raw.githubusercontent.com/noentry/noentry/main/schema/noentry.schema.json
#
# What nobody outside must reach. Every key: docs/configuration.md in noentry's repository.
# `noentry validate` reads this file and touches no network. In a public repository reports and
# issues have the names of targets and the verdicts alone; `incidents: { disclose: true }` tells all.
version: 1
";

const CONTROLS: &str = "
# These must be reachable: a silence is proof only while they answer. At best there is one on each port
# that is watched, or a host that answers on all of them (`- tcp: HOST:*`).
controls:
";

const NO_CONTROLS: &str = "
# Nothing is named here that must be reachable, and a silence without such a control is
# inconclusive: it may be noentry that sees nothing. On GitHub Actions the API of GitHub is a
# control over TCP already. Better is one of your own that is meant to be open:
# controls:
#   - tcp: www.example.com:443
";

const PORTS: &str = "
# A silent port counts only if something was reached on that port in the same round, because many networks
# close ports on the way out. Of GitHub's standard runners it is assumed that they close none, and reports
# say so; of a network of yours that closes none, say it:
# vantage: { unfiltered: true }
";

const UNFILTERED: &str = "
# This network lets every port out: said, not proven, and reports call it assumed.
vantage: { unfiltered: true }
";

const TARGETS: &str = "
# A target's name identifies it in reports and incidents: choose well, and then leave it.
targets:
";

const IPV6: &str = "
# GitHub's own runners have no IPv6. A target that has an IPv6 address too is inconclusive there,
# unless you declare that nobody watches IPv6, here for all targets or with the same key for one:
# defaults: { families: [ipv4] }
";

const PING: &str = "
# GitHub's own runners get no reply to any ping, so what is watched with `icmp` is inconclusive
# there. A runner of your own may see more.
";

const BARRIER: &str =
    "    # barrier: http   # where a firewall lets it through, and a 403 or 404 has to stop it\n";

/// The whole file.
pub(super) fn render(targets: &[Wish], controls: &[Wish], unfiltered: bool) -> String {
    let mut text = HEAD.to_owned();
    text.push_str(IPV6);
    if controls.is_empty() {
        text.push_str(NO_CONTROLS);
    } else {
        text.push_str(CONTROLS);
        for control in controls {
            entry(&mut text, "  - ", control);
        }
    }
    text.push_str(if unfiltered { UNFILTERED } else { PORTS });
    if targets.iter().any(|target| target.kind == Kind::Icmp) {
        text.push_str(PING);
    }
    text.push_str(TARGETS);
    let mut names = BTreeSet::new();
    for target in targets {
        let name = unique(&target.name(), &mut names);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  - name: {}", scalar(&name));
        entry(&mut text, "    ", target);
        match target.kind {
            Kind::Url => text.push_str(BARRIER),
            Kind::Dns => text.push_str("    barrier: dns\n"),
            Kind::Tcp | Kind::Udp | Kind::Quic | Kind::Icmp => {}
        }
    }
    text
}

fn entry(text: &mut String, before: &str, wish: &Wish) {
    let _ = writeln!(
        text,
        "{before}{}: {}",
        wish.kind.as_str(),
        scalar(&wish.value)
    );
    if let Some(payload) = &wish.payload {
        let _ = writeln!(text, "    payload: {}", scalar(payload));
    }
}

/// The name, with a number where an earlier target has it: two addresses may differ only in what a
/// name leaves out.
fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2_usize..).map(|number| format!("{name} ({number})"));
    let mut all = std::iter::once(name.to_owned()).chain(numbered);
    // As many tries as there are names are enough, and the range does not end before.
    let free = all.find(|candidate| !taken.contains(candidate));
    let free = free.unwrap_or_default();
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::{self, Overrides};
    use crate::domain::target::{Plan, TargetKind};

    fn read(text: &str) -> Result<Plan, String> {
        let loaded = config::load_text("noentry.yml", text).map_err(|e| e.to_string())?;
        config::resolve(&loaded, &Overrides::default()).map_err(|e| e.to_string())
    }

    fn written(targets: &[&str], controls: &[&str]) -> String {
        let wishes = |typed: &[&str]| -> Vec<Wish> {
            typed.iter().map(|typed| Wish::typed(typed)).collect()
        };
        render(&wishes(targets), &wishes(controls), false)
    }

    #[test]
    fn every_kind_is_read_back_as_it_was_meant() {
        let targets = [
            "https://admin.example.com/login?next=/a",
            "https://admin.example.com/login?next=/b",
            "bastion.example.com:22",
            "tcp:[2001:db8:ffff::1]:22",
            "udp:ns1.example.com:53",
            "udp:game.example.com:27015=hex:ffffffff54",
            "quic:edge.example.com:443",
            "icmp:db.example.com",
            "dns:intranet.example.com",
        ];
        let text = written(
            &targets[..3],
            &[
                "www.example.com:443",
                "udp:time.example.com:123",
                "https://www.example.com/",
            ],
        );
        assert_eq!(read(&text).unwrap().controls.len(), 3, "{text}");
        let all: Vec<&str> = targets
            .iter()
            .copied()
            .filter(|t| !t.contains("2001"))
            .collect();
        let text = written(&all, &[]);
        let plan = read(&text).unwrap();
        let names: Vec<&str> = plan.targets.iter().map(|t| t.name.as_str()).collect();
        assert_eq!(
            names,
            [
                "admin.example.com/login",
                "admin.example.com/login (2)",
                "SSH of bastion.example.com",
                "DNS of ns1.example.com",
                "UDP 27015 of game.example.com",
                "QUIC 443 of edge.example.com",
                "Ping of db.example.com",
                "Name intranet.example.com",
            ]
        );
        assert!(text.contains("no reply to any ping"), "{text}");
    }

    #[test]
    fn a_reference_to_a_variable_stays_what_was_typed() {
        let text = written(&["https://admin.example.com/${HOME}"], &[]);
        let plan = read(&text).unwrap();
        let TargetKind::Url(url) = &plan.targets[0].kind else {
            panic!("{:?}", plan.targets[0].kind);
        };
        assert!(url.path.contains("HOME"), "{url:?}");
    }

    #[test]
    fn what_the_commented_lines_advise_is_valid() {
        let text = written(&["https://admin.example.com/"], &[]);
        let advice = ["# controls:", "#   - tcp:", "# defaults:", "    # barrier:"];
        let lines = text.lines().map(|line| {
            let commented = advice.iter().any(|start| line.starts_with(start));
            let mark = if commented { "# " } else { "" };
            line.replacen(mark, "", 1)
        });
        let text: Vec<String> = lines.collect();
        let plan = read(&text.join("\n")).unwrap();
        assert_eq!(plan.controls.len(), 1);
    }

    proptest! {
        /// Whatever is typed: the file has exactly these entries, or it is refused.
        #[test]
        fn a_hostile_word_never_becomes_another_entry(
            word in "[a-z0-9.:/#$\\{\\}\\[\\]\"'\\\\ \n\t,&*!|>%@=?-]{0,24}|\\PC{0,12}",
            kind in 0_usize..6,
        ) {
            let key = ["url:https://a.example.com/", "tcp:", "udp:", "quic:", "icmp:", "dns:"][kind];
            let wish = Wish::typed(&format!("{key}{word}"));
            let good = Wish::typed("b.example.com:1");
            let text = render(&[wish.clone(), good], &[], false);
            let document: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
            let targets = document["targets"].as_sequence().unwrap();
            prop_assert_eq!(targets.len(), 2, "{}", text);
            let value = wish.value.replace("${", "$${");
            prop_assert_eq!(targets[0][wish.kind.as_str()].as_str(), Some(value.as_str()), "{}", text);
            if let Ok(plan) = read(&text) {
                prop_assert_eq!(plan.targets.len(), 2, "{}", text);
                prop_assert!(plan.controls.is_empty());
                let name = wish.name();
                prop_assert_eq!(&plan.targets[0].name, name.trim());
            }
        }
    }
}
