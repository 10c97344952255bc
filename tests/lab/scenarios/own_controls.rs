//! The uplink is cut, and what is declared as a control answers nevertheless, because it stands on this side
//! of the cut or because somebody there speaks in its name (V10). See `own_side.rs`.

use noentry::domain::verdict::Verdict::Inconclusive;

use super::own_side::{
    ALL, DOORS, Doors, Elsewhere, EveryPort, Known, PACE, Port, SSH, SSH_4, Said, on_the_way, open,
};
use crate::holder::Ground;
use crate::lab::{DIR, Lab, Place};
use crate::round::{head_at, target, with_vantage};

/// Where a page tells who asks.
const ECHO: &str = "20.1.2.130";

/// Something listens on these ports here, whoever is asked for.
fn listen(lab: &Lab, place: Place, ports: &[u16]) {
    let script = lab.write(
        "listen.py",
        "import socket, sys, threading
def serve(port):
    server = socket.create_server(('', port), family=socket.AF_INET6, dualstack_ipv6=True)
    while True:
        connection, _ = server.accept()
        connection.settimeout(5)
        try:
            if connection.recv(4096):
                connection.sendall(b'HTTP/1.1 504 Gateway Timeout\\r\\nContent-Length: 0\\r\\n\\r\\n')
        except OSError:
            pass
        connection.close()
for port in sys.argv[1:]:
    threading.Thread(target=serve, args=(int(port),)).start()
",
    );
    let words: Vec<String> = ports.iter().map(u16::to_string).collect();
    let script = script.display();
    lab.sh(
        place,
        &format!(
            "python3 {script} {} > {DIR}/listen.log 2>&1 &",
            words.join(" ")
        ),
    );
    let sockets: Vec<String> = ports.iter().map(|port| format!("tcp *:{port}")).collect();
    let sockets: Vec<&str> = sockets.iter().map(String::as_str).collect();
    lab.until_listening(place, &sockets);
}

/// Nothing leaves our side any more, but for a question about where we come from.
fn cut_the_uplink(lab: &Lab) {
    lab.rule(
        Place::Router,
        "passing",
        &format!("iifname torunner ip daddr != {ECHO} drop"),
    );
    on_the_way(lab, "meta nfproto ipv6 drop");
}

/// V10. The uplink is cut, and the control stands on this side of it: on this machine, beside it, or at its
/// gateway.
pub fn control_on_this_side(ground: Ground) {
    let lab = open(ground);
    lab.sh(
        Place::Runner,
        "ip address add 20.9.9.2/24 dev wan
         ip address add 2a00:99::2/64 dev wan nodad
         ip -n router address add 20.9.9.1/24 dev torunner
         ip -n router address add 2a00:99::1/64 dev torunner nodad",
    );
    listen(&lab, Place::Runner, &[22]);
    listen(&lab, Place::Router, &[22]);
    SSH.are_open(&lab);
    let near = |known, [v4, v6]: [&str; 2]| {
        let head = SSH.head(known, PACE);
        head.replace("20.1.2.9:22", v4)
            .replace("[2a00:5a:1::9]:22", v6)
            + &SSH.targets()
    };
    let places = [
        ["20.9.9.2:22", "[2a00:99::2]:22"],
        ["20.9.9.1:22", "[2a00:99::1]:22"],
    ];
    for place in places {
        assert_eq!(lab.round(&near(Port, place)).code, 1, "{place:?}");
    }
    cut_the_uplink(&lab);
    for place in places {
        let round = lab.round(&near(Port, place));
        SSH.are_left_open(&round, "control_too_near");
        assert_eq!(round.code, 3);
    }
    // A private address of the gateway's says nothing of the world at all.
    let private = near(Port, ["198.18.1.1:22", "[2001:db8:1::1]:22"])
        .replace("defaults: { ", "defaults: { probe_non_global: true, ");
    SSH.are_left_open(&lab.round(&private), "no_control");
    // With a control beyond, it is simply lost.
    SSH.are_not_seen(&lab, &ALL.map(|known| (known, "control_lost")));
}

/// V10. The same for a ping, with our own gateway as the control.
pub fn ping_of_the_gateway(ground: Ground) {
    let lab = open(ground);
    lab.sh(
        Place::Runner,
        "ip address add 20.9.9.2/24 dev wan
         ip -n router address add 20.9.9.1/24 dev torunner",
    );
    let config = head_at(PACE, &[], &["icmp: 20.9.9.1"]).replace("probe_non_global: true, ", "")
        + &target("host", "icmp: 20.1.2.22");
    assert_eq!(lab.round(&config).code, 1);
    cut_the_uplink(&lab);
    let round = lab.round(&config);
    let finding = round.finding("host");
    assert_eq!(finding.reason.as_str(), "control_too_near", "{finding:#?}");
    assert_eq!((finding.verdict, round.code), (Inconclusive, 3));
}

/// V10. The same where the control is the very address that we are seen to come from: our own router's.
pub fn control_at_the_egress_address(ground: Ground) {
    let doors = SSH_4;
    let lab = open(ground);
    lab.sh(Place::Router, "ip address add 20.9.8.1/32 dev lo");
    lab.sh(Place::Server, "ip route add 20.9.8.1 via 198.18.2.1");
    lab.nft(
        Place::Router,
        "add chain inet lab leaving { type nat hook postrouting priority srcnat; }
        add rule inet lab leaving oifname toserver ip saddr 198.18.1.0/24 snat ip to 20.9.8.1\n",
    );
    listen(&lab, Place::Router, &[22]);
    doors.are_open(&lab);
    let egress = format!("egress: {{ url: 'http://{ECHO}/ip' }}");
    let config = |known: Known| {
        let head = doors
            .head(known, PACE)
            .replace("20.1.2.9:22", "20.9.8.1:22");
        format!("vantage: {{ {egress} }}\n{head}") + &doors.targets()
    };
    assert_eq!(lab.round(&config(Port)).code, 1);
    cut_the_uplink(&lab);
    let round = lab.round(&config(Port));
    let finding = round.finding("door 4");
    assert_eq!(finding.reason.as_str(), "control_too_near", "{finding:#?}");
    assert_eq!((finding.verdict, round.code), (Inconclusive, 3));
    // The user's word does not mend it.
    let said =
        with_vantage(&doors.head(Said, PACE), &egress).replace("20.1.2.9:9999", "20.9.8.1:22");
    let round = lab.round(&(said + &doors.targets()));
    let finding = round.finding("door 4");
    assert_eq!(finding.reason.as_str(), "control_too_near", "{finding:#?}");
}

/// A proxy that answers the web in everybody's name, in front of an uplink that is cut.
fn transparent_proxy(lab: &Lab) {
    listen(lab, Place::Router, &[8080]);
    lab.nft(
        Place::Router,
        "add chain inet lab taking { type nat hook prerouting priority dstnat; policy accept; }
        add rule inet lab taking iifname torunner tcp dport { 80, 443 } redirect to :8080\n",
    );
    cut_the_uplink(lab);
}

/// V10. What the proxy says (504, or no TLS at all) is not the control's word.
pub fn transparent_proxy_answers_for_the_control(ground: Ground) {
    let lab = open(ground);
    let config = |url: &str| {
        SSH.head(Said, PACE)
            .replace("{ tcp: '20.1.2.9:9999' }", &format!("url: '{url}'"))
            .replace("  - { tcp: '[2a00:5a:1::9]:9999' }\n", "")
            + &target("door 4", &format!("tcp: '{}:22'", DOORS[0]))
    };
    let urls = ["http://20.1.2.130/ok", "https://20.1.2.130/ok"];
    assert_eq!(lab.round(&config(urls[0])).code, 1);
    transparent_proxy(&lab);
    for url in urls {
        let round = lab.round(&config(url));
        let finding = round.finding("door 4");
        assert_eq!(
            finding.reason.as_str(),
            "control_lost",
            "{url}: {finding:#?}"
        );
        assert_eq!((finding.verdict, round.code), (Inconclusive, 3));
    }
}

/// V10. A handshake alone, which the proxy completes for everybody, is taken for the control's.
pub fn limit_a_proxy_shakes_hands_for_the_control(ground: Ground) {
    let lab = open(ground);
    let doors = Doors {
        elsewhere: 443,
        ..SSH
    };
    doors.are_open(&lab);
    transparent_proxy(&lab);
    doors.are_not_seen(
        &lab,
        &[
            (Elsewhere, "port_unproven"),
            (Port, "control_lost"),
            (EveryPort, "control_lost"),
        ],
    );
    doors.are_taken_for_shut(&lab, &[Said]);
}
