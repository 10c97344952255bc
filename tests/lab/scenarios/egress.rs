//! Where the outside sees the runner come from, as a page and a name server tell it.

use std::net::IpAddr;

use noentry::domain::endpoint::Family;

use super::CONTROL;
use crate::authorities::{ECHO, ECHO_6};
use crate::holder::Ground;
use crate::lab::{DIR, Lab, Place};
use crate::round::{Round, head, target, with_vantage};
use crate::zones::TRUTH;

fn config(egress: &str) -> String {
    let head = head(&[TRUTH], &[CONTROL]);
    with_vantage(&head, &format!("egress: {{ {egress} }}"))
        + &target("silent", "tcp: '203.0.113.22:9001'")
}

/// What was told, over IPv4 and then over IPv6.
fn told(round: &Round) -> [Option<IpAddr>; 2] {
    let egress = &round.report.vantage.egress;
    let [four, six] = egress.as_slice() else {
        panic!("{egress:#?}");
    };
    assert_eq!((four.family, six.family), (Family::Ipv4, Family::Ipv6));
    for one in egress {
        assert_eq!(one.address.is_none(), one.error.is_some(), "{egress:#?}");
    }
    [four.address, six.address]
}

fn both(four: &str, six: &str) -> [Option<IpAddr>; 2] {
    [four.parse().ok(), six.parse().ok()]
}

/// Every way of asking tells the runner's own address, and behind a NAT the router's.
pub fn egress(ground: Ground) {
    let lab = Lab::standing(ground);
    let servers = format!("servers: [{ECHO}, '{ECHO_6}']");
    let asked = [
        config("url: 'http://web.lab.example/ip'"),
        config(&format!("dns: whoami.echo.example, {servers}")),
        config(&format!("dns: whoami.echo.example, record: TXT, {servers}")),
    ];
    for config in &asked {
        assert_eq!(
            told(&lab.round(config)),
            both("198.18.1.2", "2001:db8:1::2")
        );
    }
    // The certificate is checked, against the store of the machine.
    let page = config("url: 'https://web.lab.example/ip'");
    assert_eq!(told(&lab.round(&page)), [None, None]);
    let trusting = [&format!("SSL_CERT_FILE={DIR}/server.pem")];
    let trusting = ["env", trusting[0].as_str()];
    let round = lab.finish(lab.start_under(&trusting, &page));
    assert_eq!(told(&round), both("198.18.1.2", "2001:db8:1::2"));

    lab.nft(
        Place::Router,
        "add chain inet lab leaving { type nat hook postrouting priority srcnat; }\n\
         add rule inet lab leaving oifname toserver masquerade",
    );
    for config in &asked {
        assert_eq!(
            told(&lab.round(config)),
            both("198.18.2.1", "2001:db8:2::1")
        );
    }
}

/// An echo that does not answer costs the address and nothing else.
pub fn silent_echo(ground: Ground) {
    let lab = Lab::standing(ground);
    lab.rule(Place::Router, "passing", "ip6 daddr 2001:db8:3::10 drop");
    let round = lab.round(&config("url: 'http://web.lab.example/ip'"));
    assert_eq!(told(&round), both("198.18.1.2", "none"));
    let error = round.report.vantage.egress[1].error.as_deref();
    assert_eq!(error, Some("no answer within 5 s"));
    assert_eq!(round.finding("silent").reason.as_str(), "stopped");

    let round = lab.round(&config("url: 'http://web.lab.example/login'"));
    assert_eq!(
        told(&round)[0],
        None,
        "a page that redirects and is not there"
    );
    let round = lab.round(&config("dns: whoami.echo.example, server: 192.0.2.53"));
    assert_eq!(round.report.vantage.egress[0].address, None);
    assert_eq!(round.finding("silent").reason.as_str(), "stopped");
}
