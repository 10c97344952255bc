# runner -- router (forwards, has the firewall) -- server. Runs as process 1 of the laboratory.
# Beside the server, on the router too, an idle host: it is there, and runs nothing.
mount -t tmpfs none /run
mkdir -p /run/netns /run/lab

for name in runner router server idle; do
  ip netns add "$name"
done

tune() { # namespace, then settings below /proc/sys/net with their values
  ip netns exec "$1" sh -euc 'shift
    for setting; do
      file=/proc/sys/net/${setting%%=*}
      # An older kernel has some of these for the whole machine only.
      if [ -w "$file" ]; then echo "${setting#*=}" > "$file"; fi
    done' sh "$@"
}
# Duplicate address detection would hold every IPv6 address back for a second or two.
for name in runner router server idle; do
  tune "$name" ipv6/conf/all/accept_dad=0 ipv6/conf/default/accept_dad=0 \
    ipv6/conf/all/disable_ipv6=0 ipv6/conf/default/disable_ipv6=0 \
    ipv4/icmp_ratelimit=0 ipv4/icmp_msgs_per_sec=100000 ipv4/icmp_msgs_burst=10000 \
    ipv6/icmp/ratelimit=0 ipv4/conf/all/rp_filter=0 ipv4/conf/default/rp_filter=0
done
# Otherwise a server cannot answer from an IPv6 address that is routed here and on no interface.
tune server ipv6/ip_nonlocal_bind=1
for name in router idle; do
  tune "$name" ipv4/ip_forward=1 ipv6/conf/all/forwarding=1
done

ip link add name wan netns runner type veth peer name torunner netns router
ip link add name wan netns server type veth peer name toserver netns router
ip link add name wan netns idle type veth peer name toidle netns router

ip -n runner -batch - <<'END'
link set lo up
link set wan up
address add 198.18.1.2/24 dev wan
address add 2001:db8:1::2/64 dev wan nodad
route add default via 198.18.1.1
route add default via 2001:db8:1::1
END

ip -n server -batch - <<'END'
link set lo up
link set wan up
address add 198.18.2.2/24 dev wan
address add 2001:db8:2::2/64 dev wan nodad
address add 2001:db8:3::22/128 dev lo nodad
address add 2001:db8:3::210/128 dev lo nodad
address add 2001:db8:3::224/128 dev lo nodad
address add 2a00:5a:1::210/128 dev lo nodad
address add 2a00:5a:1::224/128 dev lo nodad
address add 198.51.100.53/32 dev lo
address add 198.51.100.54/32 dev lo
address add 198.51.100.55/32 dev lo
address add 198.51.100.56/32 dev lo
address add 198.51.100.57/32 dev lo
address add 198.51.100.58/32 dev lo
address add 198.51.100.59/32 dev lo
address add 198.51.100.60/32 dev lo
address add 198.51.100.61/32 dev lo
address add 198.51.100.62/32 dev lo
address add 198.51.100.63/32 dev lo
address add 198.51.100.65/32 dev lo
address add 2001:db8:5::61/128 dev lo nodad
address add 2001:db8:5::62/128 dev lo nodad
address add 2001:db8:5::65/128 dev lo nodad
route add default via 198.18.2.1
route add default via 2001:db8:2::1
route add local 203.0.113.0/24 dev lo
route add local 20.1.2.0/24 dev lo
route add local 10.20.0.0/16 dev lo
route add local 2001:db8:3::/64 dev lo
route add local 2a00:5a:1::/64 dev lo
route add local fd00:20::/64 dev lo
END

# What is sent to 225 goes back to the router, and round until its time is over.
ip -n idle -batch - <<'END'
link set lo up
link set wan up
address add 198.18.3.2/24 dev wan
address add 2001:db8:4::2/64 dev wan nodad
address add 203.0.113.211/32 dev lo
address add 20.1.2.211/32 dev lo
address add 10.20.0.211/32 dev lo
address add 2001:db8:3::211/128 dev lo nodad
address add 2a00:5a:1::211/128 dev lo nodad
address add fd00:20::211/128 dev lo nodad
route add default via 198.18.3.1
route add default via 2001:db8:4::1
END

ip -n router -batch - <<'END'
link set lo up
link set torunner up
link set toserver up
link set toidle up
address add 198.18.9.1/32 dev lo
address add 198.18.1.1/24 dev torunner
address add 198.18.2.1/24 dev toserver
address add 198.18.3.1/24 dev toidle
address add 2001:db8:9::1/128 dev lo nodad
address add 2001:db8:1::1/64 dev torunner nodad
address add 2001:db8:2::1/64 dev toserver nodad
address add 2001:db8:4::1/64 dev toidle nodad
route add 198.51.100.0/24 via 198.18.2.2
route add 203.0.113.0/24 via 198.18.2.2
route add 20.1.2.0/24 via 198.18.2.2
route add 10.20.0.0/16 via 198.18.2.2
route add 2001:db8:3::/64 via 2001:db8:2::2
route add 2001:db8:5::/64 via 2001:db8:2::2
route add 2a00:5a:1::/64 via 2001:db8:2::2
route add fd00:20::/64 via 2001:db8:2::2
route add 203.0.113.211/32 via 198.18.3.2
route add 20.1.2.211/32 via 198.18.3.2
route add 10.20.0.211/32 via 198.18.3.2
route add 203.0.113.225/32 via 198.18.3.2
route add 20.1.2.225/32 via 198.18.3.2
route add 10.20.0.225/32 via 198.18.3.2
route add 2001:db8:3::211/128 via 2001:db8:4::2
route add 2a00:5a:1::211/128 via 2001:db8:4::2
route add fd00:20::211/128 via 2001:db8:4::2
route add 2001:db8:3::225/128 via 2001:db8:4::2
route add 2a00:5a:1::225/128 via 2001:db8:4::2
route add fd00:20::225/128 via 2001:db8:4::2
route add blackhole 192.0.2.0/24
END

# What the router itself says to the runner, such as that something is prohibited, comes from an address
# that is neither the runner's gateway nor in its network: so it stands for a firewall further out. A
# rejection by the gateway is the runner's own side's, and proves nothing.
ip -n router -batch - <<'END'
route change 198.18.1.0/24 dev torunner src 198.18.9.1
route delete 2001:db8:1::/64 dev torunner
route add 2001:db8:1::/64 dev torunner src 2001:db8:9::1
END

# Also proves that the kernel has what the scenarios need.
for name in runner router server idle; do
  ip netns exec "$name" nft -f - <<'END'
table inet lab {
  chain early { type filter hook prerouting priority -300; policy accept; }
  chain incoming { type filter hook input priority 0; policy accept; }
  chain passing { type filter hook forward priority 0; policy accept; }
  chain outgoing { type filter hook output priority 0; policy accept; }
}
END
done

read -r pid rest < /proc/self/stat
echo "$pid"
exec cat > /dev/null
