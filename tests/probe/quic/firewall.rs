//! A real firewall before a QUIC port: who denied, and when it was ourselves.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use noentry::domain::observation::{Blind, Observation};
use noentry::domain::reach::Reach;

use super::{knock, quic, udp};
use crate::estate::{
    FURTHER_OUT, assert_blind, assert_prohibited, estate, further_out, icmp, inside, no_way_out,
    refusing_routes, rules,
};
use crate::support::reach;

/// Long enough for the handshake to have its turn.
const PATIENCE: Duration = Duration::from_secs(2);

async fn ports<const N: usize>(address: &str, ports: [u16; N]) -> [Observation; N] {
    let looks = ports.map(|port| {
        let address = SocketAddr::new(address.parse().unwrap(), port);
        async move { knock(&quic(port), address, PATIENCE).await }
    });
    join_all(looks).await.try_into().unwrap()
}

#[tokio::test]
async fn every_way_of_a_router_to_stop_quic_is_told_apart() {
    if !inside("quic::firewall::every_way_of_a_router_to_stop_quic_is_told_apart") {
        return;
    }
    estate();
    further_out();
    refusing_routes();
    // The last one is silent to the question, and rejects a handshake of version 1.
    rules(
        "ip netns exec router",
        "input",
        "udp dport 1001 drop
            udp dport 1002 reject
            udp dport 1003 reject with icmpx type admin-prohibited
            udp dport 1004 reject with icmpx type host-unreachable
            udp dport 1006 @th,72,32 1 reject with icmpx type admin-prohibited
            udp dport 1006 drop",
    );
    for (address, behind, from, [admin, host]) in [
        (
            "192.0.2.7",
            "198.51.100.200",
            FURTHER_OUT[0],
            [(3, 13), (3, 1)],
        ),
        (
            "2001:db8::7",
            "2001:db8:2::1",
            FURTHER_OUT[1],
            [(1, 1), (1, 3)],
        ),
    ] {
        let [dropped, rejected, prohibited, unreachable, closed, late] =
            ports(address, [1001, 1002, 1003, 1004, 1005, 1006]).await;
        assert_eq!(reach(&dropped), Reach::NoAnswer, "{dropped:?}");
        assert!(udp(&dropped).sent >= 4);
        // A firewall that forges the host's own word is taken at it.
        for refused in [&rejected, &closed] {
            assert_eq!(reach(refused), Reach::Refused, "{refused:?}");
            assert_eq!(icmp(refused).meaning(), "port unreachable");
        }
        assert_prohibited(&prohibited, admin.0, admin.1, address);
        assert_prohibited(&unreachable, host.0, host.1, address);
        assert_prohibited(&late, admin.0, admin.1, address);
        assert!(udp(&late).sent >= 2, "{late:?}");
        let [on_the_way] = ports(behind, [443]).await;
        assert_prohibited(&on_the_way, admin.0, admin.1, from);
    }
}

#[tokio::test]
async fn our_own_firewall_routes_and_limits_are_blind_to_quic() {
    if !inside("quic::firewall::our_own_firewall_routes_and_limits_are_blind_to_quic") {
        return;
    }
    estate();
    // The last one keeps back the handshake alone: what left before it is no silence to count.
    rules(
        "",
        "output",
        "udp dport 2001 drop
            udp dport 2002 reject
            udp dport 2003 reject with icmpx type admin-prohibited
            udp dport 2004 @th,72,32 1 drop",
    );
    rules("ip netns exec router", "input", "udp dport 2004 drop");
    for address in ["192.0.2.7", "2001:db8::7"] {
        let [dropped, rejected, prohibited, half] = ports(address, [2001, 2002, 2003, 2004]).await;
        assert_blind(&dropped, Blind::NotPermitted);
        for seen in [&rejected, &prohibited] {
            assert!(
                matches!(
                    seen.outcome,
                    noentry::domain::observation::Outcome::Blind(
                        Blind::LocalUnreachable | Blind::NotPermitted
                    )
                ),
                "{seen:?}"
            );
        }
        assert_blind(&half, Blind::NotPermitted);
    }
    no_way_out();
    for address in ["192.0.2.7", "2001:db8::7"] {
        let [seen] = ports(address, [443]).await;
        assert_blind(&seen, Blind::NoRoute);
    }
}
