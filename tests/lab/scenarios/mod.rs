//! What is to be true, one function a scenario, each with a laboratory of its own.

mod addresses;
mod authorities;
mod egress;
mod estate;
mod every_door;
mod firewall;
mod names;
mod own_controls;
mod own_machine;
mod own_pace;
mod own_side;
mod own_ways;
mod own_word;
mod resolvers;
mod signals;
mod vantage;
mod web;

use std::sync::LazyLock;

use crate::holder::Ground;
use crate::round::head;
use crate::zones::TRUTH;

/// A control by name: stands for the name servers too.
const CONTROL: &str = "tcp: control.lab.example:9000";
/// A control that needs no name server.
const LITERAL_CONTROL: &str = "tcp: '203.0.113.5:9000'";
/// The same over IPv6.
const LITERAL_CONTROL_6: &str = "tcp: '[2001:db8:3::5]:9000'";
/// A control at an address that is globally routable.
const GLOBAL_CONTROL: &str = "tcp: shop.lab.example:9000";

/// The beginning of a configuration with everything as it should be.
static HEALTHY: LazyLock<String> = LazyLock::new(|| head(&[TRUTH], &[CONTROL]));

macro_rules! scenarios {
    ($($module:ident: $($name:ident),+ $(,)?;)+) => {
        /// Every scenario with its name.
        pub const ALL: &[(&str, fn(Ground))] = &[
            $($((
                concat!(stringify!($module), "::", stringify!($name)),
                $module::$name,
            ),)+)+
        ];
    };
}

// The longest first, so that none of them is waited for alone.
scenarios! {
    every_door:
        every_kind, no_echo_socket, udp_dropped, udp_prohibited, udp_refused, udp_forbidden, quic_dropped,
        echo_dropped, echo_prohibited, echo_forbidden, icmp_in_dropped, without_ipv6,
        without_ipv6_route, ipv6_dropped, nothing_gets_out, without_controls, from_inside,
        syn_proxy;
    estate:
        broken_vantages, servers_answer, doors_by_address, middleboxes, ping_sockets;
    vantage:
        control_gone_for_a_while, all_right, no_default_route, interface_gone, egress_dropped, egress_rejected, egress_reset,
        own_firewall_drops, own_firewall_drops_tcp, own_firewall_rejects, own_firewall_resets,
        control_silent, control_refused, control_goes_away,
        egress_runs_out, ipv6_switched_off, ipv6_without_route, ipv6_dropped_on_the_way,
        without_a_control, out_of_files;
    own_pace:
        default_timing, ten_a_second_are_let_out, fifty_a_second_are_let_out, gone_for_1_s_prohibited,
        gone_for_1_s_reset, gone_for_3_s_unreachable, gone_for_3_s_prohibited, gone_for_3_s_reset,
        ten_connections_for_each_destination, limit_ten_connections_for_each_destination,
        a_port_is_banned, limit_a_port_is_banned;
    firewall:
        every_way_of_being_stopped, rejected_by_our_own_side, weaker_than_promised, every_address_counts, loss_hides_nothing,
        icmp_rate_limit, filtered_mail_port, own_path;
    addresses:
        private_addresses_get_no_packet, private_addresses_on_wish, many_addresses,
        system_resolvers;
    names:
        answers, absence_needs_a_control, resolvers_that_disagree, one_of_two_resolvers_dead;
    authorities:
        records, own_servers, own_servers_without_ipv6, notes;
    own_word:
        private_for_one_name, loopback_for_one_name, extended_errors, second_asking_fails,
        sunk_control, own_servers_for_every_kind, aliases_out_of_the_zone;
    own_side:
        only_the_web_gets_out, limit_unfiltered_is_believed, udp_gets_out_on_two_ports, provider_closes_smb,
        limit_a_rule_for_this_target_alone, a_healthy_vantage_knows;
    own_machine:
        what_changes_nothing, one_syn_only, own_firewall_has_limits, full_table_on_the_way,
        stopped_and_continued, link_down_and_up, reset_after_client_hello, one_address_of_ninety;
    own_ways:
        split_tunnel, dead_second_gateway, one_of_two_gateways_is_dead, another_source_address,
        own_network_overlaps, answers_come_back_by_another_way,
        limit_a_firewall_that_checks_the_reverse_path, a_port_is_dropped_on_its_way_in,
        limit_a_block_list_on_this_machine, provider_has_no_route, own_gateway_rejects,
        limit_a_rejection_from_further_out;
    own_controls:
        control_on_this_side, ping_of_the_gateway, control_at_the_egress_address,
        transparent_proxy_answers_for_the_control, limit_a_proxy_shakes_hands_for_the_control;
    egress:
        egress, silent_echo;
    web:
        http_answers, tls_refusals, answers_of_others, controls_of_others;
    resolvers:
        silent, not_there, refuses, servfails, invents, one_of_two_invents,
        redirects_what_is_not_there, redirects_slyly, invents_the_control, filters_ipv6,
        answers_with_the_null_address;
    signals:
        sigterm, ctrl_c_with_an_exposure;
}
