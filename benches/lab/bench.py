#!/usr/bin/env python3
"""Measures `noentry check` before a real firewall, beside nmap on the same list.

    cargo build --release
    python3 benches/lab/bench.py --noentry target/release/noentry --with-nmap

Builds three network namespaces (a runner, a router with nftables, a server side) and measures three
rounds over 10,000 endpoints, 1,000 addresses with 10 ports each:

  dropped   the router drops everything; a round trip near zero
  refused   nothing listens, every endpoint answers with a reset; a round trip near zero
  lossy     100 open doors among 10,000 dropped ones; 20 % loss each way, 50 ms round trip

Needs Linux, Python 3.9, iproute2, nftables, util-linux and GNU time; root or, where the kernel lets anybody
have a user namespace, no privilege. Traffic never leaves the namespaces, and nothing is left behind.
Prints a Markdown table. This is a measurement, not a test: it never fails because of a number.
"""

import argparse
import ipaddress
import json
import os
import random
import selectors
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
PORTS = range(9000, 9010)
CONTROL_PORT = 8999
OPEN_DOORS = 100

# What a target is, for `--kind`. Only the case `dropped` makes sense for others than tcp. An https
# target is two doors: TCP and, for HTTP/3, UDP.
KINDS = {
    "tcp": "tcp: '{door}'",
    "https": "url: 'https://{door}/'",
    "udp": "udp: '{door}', payload: stun",
}

# Which prefix is reached over which wire.
FAST = ipaddress.ip_network("20.99.0.0/16")
SLOW = ipaddress.ip_network("20.98.0.0/16")

SETUP = """
mount -t tmpfs none /run
mkdir -p /run/netns
for name in runner router wire server; do ip netns add $name; done
for name in wire; do
  ip netns exec $name sh -c 'echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6'
done
ip netns exec router sh -c 'echo 1 > /proc/sys/net/ipv4/ip_forward'
# Thousands of neighbours never appear: everything is behind one address.
ip link add name wan netns runner type veth peer name torunner netns router
ip link add name fast netns router type veth peer name fast netns server
ip link add name slow netns router type veth peer name left netns wire
ip link add name right netns wire type veth peer name slow netns server
ip -n runner -batch - <<'END'
link set lo up
link set wan up
address add 198.18.1.2/24 dev wan
route add default via 198.18.1.1
END
ip -n router -batch - <<'END'
link set lo up
link set torunner up
link set fast up
link set slow up
address add 198.18.1.1/24 dev torunner
address add 198.18.2.1/24 dev fast
address add 198.18.3.1/24 dev slow
route add FAST via 198.18.2.2
route add SLOW via 198.18.3.2
END
ip -n wire -batch - <<'END'
link set left up
link set right up
END
ip -n server -batch - <<'END'
link set lo up
link set fast up
link set slow up
address add 198.18.2.2/24 dev fast
address add 198.18.3.2/24 dev slow
route add local FAST dev lo
route add local SLOW dev lo
rule add from FAST table 2
rule add from SLOW table 3
route add default via 198.18.2.1 table 2
route add default via 198.18.3.1 table 3
END
""".replace("FAST", str(FAST)).replace("SLOW", str(SLOW))


class Case:
    """A list of endpoints, and the firewall before them."""

    def __init__(self, name, network, hosts, rules, doors=()):
        self.name = name
        self.control = f"{network[5]}:{CONTROL_PORT}"
        self.addresses = [str(network[256 + number]) for number in range(hosts)]
        self.endpoints = [(a, p) for a in self.addresses for p in PORTS]
        self.doors = set(doors)
        self.rules = rules


def cases(seed):
    """The three cases of the module's documentation."""
    allow = f"add rule inet bench passing tcp dport {CONTROL_PORT} accept\n"
    ports = f"{PORTS[0]}-{PORTS[-1]}"
    drop = f"add rule inet bench passing tcp dport {ports} drop\n"
    yield Case("dropped", FAST, 1000, allow + drop)
    # Ports without a listener, which the server side keeps for this case.
    yield Case("refused", FAST, 1000, "")
    lossy = Case("lossy", SLOW, 1010, "")
    lossy.doors = set(random.Random(seed).sample(lossy.endpoints, OPEN_DOORS))
    elements = ", ".join(f"{address} . {port}" for address, port in sorted(lossy.doors))
    lossy.rules = (
        allow
        + "add set inet bench doors { type ipv4_addr . inet_service; }\n"
        + f"add element inet bench doors {{ {elements} }}\n"
        + "add rule inet bench passing ip daddr . tcp dport @doors accept\n"
        + drop
    )
    yield lossy


def at(place, *command):
    return ["ip", "netns", "exec", place, *command]


def firewall(rules):
    text = (
        "flush ruleset\n"
        "add table inet bench\n"
        "add chain inet bench passing { type filter hook forward priority 0; policy accept; }\n"
    )
    subprocess.run(at("router", "nft", "-f", "-"), input=text + rules, text=True, check=True)


def listen(ports):
    """Accepts connections on these ports of every address and closes them, until killed."""
    selector = selectors.DefaultSelector()
    for port in ports:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("", port))
        listener.listen(4096)
        listener.setblocking(False)
        selector.register(listener, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in selector.select():
            try:
                key.fileobj.accept()[0].close()
            except OSError:
                pass


def start_ready(command, **options):
    """Starts a helper and waits until it says that it is ready."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)
    if process.stdout.readline() != "ready\n":
        sys.exit(f"did not start: {command}")
    return process


def measure(command, limit, output):
    """Runs a command at the runner: seconds, CPU seconds, peak MB, and whether it was stopped.

    GNU time measures the memory. What this process could ask for itself, the ru_maxrss of its child,
    is never less than the memory of the Python that it was forked from.
    """
    usage = output + ".usage"
    timed = ["time", "--quiet", "-f", "%U %S %M", "-o", usage, *command]
    began = time.monotonic()
    with open(output, "wb") as file:
        process = subprocess.Popen(
            at("runner", *timed),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    stopped = False
    try:
        process.wait(limit)
    except subprocess.TimeoutExpired:
        # GNU time itself does not mind SIGINT, and reports.
        os.killpg(process.pid, signal.SIGINT)
        stopped = True
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    result = {"wall": time.monotonic() - began, "cpu": 0.0, "rss": 0.0, "stopped": stopped}
    with open(usage, encoding="utf-8") as file:
        words = file.read().split()
    if len(words) == 3:
        result["cpu"] = float(words[0]) + float(words[1])
        result["rss"] = int(words[2]) / 1024
    return result


def run_noentry(case, options, folder):
    config = os.path.join(folder, "noentry.yml")
    report = os.path.join(folder, "report.json")
    with open(config, "w", encoding="utf-8") as file:
        # Its ten ports are not those of the control.
        file.write(f"version: 1\ncontrols:\n  - tcp: {case.control}\n")
        file.write("vantage: { unfiltered: true }\ntargets:\n")
        for address, port in case.endpoints:
            what = KINDS[options.kind].format(door=f"{address}:{port}")
            file.write(f"  - {{ name: {address} {port}, {what} }}\n")
    command = [options.noentry, "check", "--config", config, "--json", report]
    output = os.path.join(folder, "noentry.txt")
    result = measure(command + shlex.split(options.noentry_args), options.limit, output)
    try:
        with open(report, encoding="utf-8") as file:
            findings = json.load(file)["findings"]
    except FileNotFoundError:
        with open(output, encoding="utf-8", errors="replace") as file:
            sys.exit(f"noentry wrote no report:\n{file.read()[-2000:]}")
    found, verdicts = set(), {}
    for finding in findings:
        verdicts[finding["verdict"]] = verdicts.get(finding["verdict"], 0) + 1
        if finding["verdict"] == "exposed":
            address, port = finding["target"]["name"].split(" ")
            found.add((address, int(port)))
    result["found"], result["hosts"] = found, set(case.addresses)
    result["note"] = ", ".join(f"{count} {verdict}" for verdict, count in sorted(verdicts.items()))
    return result


def run_nmap(case, options, folder):
    names = os.path.join(folder, "addresses")
    with open(names, "w", encoding="utf-8") as file:
        file.write("\n".join(case.addresses))
    output = os.path.join(folder, "nmap.txt")
    ports = f"-p{PORTS[0]}-{PORTS[-1]}"
    command = ["nmap", "-sT", "-Pn", "-n", "-T4", ports, "-iL", names, "-oG", "-"]
    result = measure(command, options.limit, output)
    found, hosts = set(), set()
    with open(output, encoding="utf-8") as file:
        for line in file:
            if "Ports:" not in line:
                continue
            address = line.split()[1]
            hosts.add(address)
            for port in line.split("Ports:")[1].split(","):
                number, state = port.strip().split("/")[:2]
                if state == "open":
                    found.add((address, int(number)))
    result["found"], result["hosts"], result["note"] = found, hosts, ""
    if result["stopped"]:
        done = f"{len(hosts)} of {len(case.addresses)} addresses"
        result["note"] = f"stopped after {options.limit} s, with {done} done"
    return result


def run_other(template, case, options, folder):
    """A scanner of the user's own: reads `{targets}` (address:port lines), prints the open ones."""
    targets = os.path.join(folder, "targets")
    with open(targets, "w", encoding="utf-8") as file:
        file.writelines(f"{address}:{port}\n" for address, port in case.endpoints)
    output = os.path.join(folder, "other.txt")
    command = [word.replace("{targets}", targets) for word in shlex.split(template)]
    result = measure(command, options.limit, output)
    result["found"], result["hosts"] = set(), set(case.addresses)
    with open(output, encoding="utf-8", errors="replace") as file:
        for line in file:
            address, _, port = line.strip().rpartition(":")
            if port.isdigit():
                result["found"].add((address, int(port)))
    result["note"] = f"stopped after {options.limit} s" if result["stopped"] else ""
    return result


def measure_case(case, options, folder, rows):
    firewall(case.rules)
    listening = [CONTROL_PORT] if case.name == "refused" else [CONTROL_PORT, *PORTS]
    me = os.path.abspath(__file__)
    server = start_ready(
        at("server", sys.executable, me, "--listen", ",".join(map(str, listening)))
    )
    runs = []
    if options.noentry:
        runs.append(("noentry", run_noentry))
    if options.with_nmap:
        runs.append(("nmap -sT -T4", run_nmap))
    for number, template in enumerate(options.also):
        name = os.path.basename(shlex.split(template)[0]) + f" ({number + 1})"
        runs.append((name, lambda *rest, template=template: run_other(template, *rest)))
    for name, run in runs:
        wire = start_ready(
            at("wire", sys.executable, os.path.join(HERE, "wire.py"), "left", "right", "0.025",
               "0.2", str(options.seed)),
            stdin=subprocess.PIPE,
        )
        result = run(case, options, folder)
        wire.stdin.close()
        told = json.loads(wire.stdout.readline())
        wire.wait()
        if case.name == "lossy":
            print(f"the wire during {name}: {told}", file=sys.stderr)
            if told["overrun"] or told["latest_ms"] > 25:
                result["note"] += "; the wire was a bottleneck: " + json.dumps(told)
        wrong = len(result["found"] - case.doors)
        if wrong:
            result["note"] += f"; {wrong} are not open"
        # Only what a scanner got to before it was stopped can be missed.
        doors = {door for door in case.doors if door[0] in result["hosts"]}
        missed = f"{len(doors - result['found'])} of {len(doors)}" if case.doors else "-"
        rows.append(
            f"| {len(case.endpoints):,} {case.name} | {name} | {result['wall']:.2f} s "
            f"| {result['cpu']:.2f} s | {result['rss']:.0f} MB | {missed} | {result['note']} |"
        )
        print(rows[-1], file=sys.stderr)
    server.kill()
    server.wait()


def inside(options):
    subprocess.run(["sh", "-euc", SETUP], check=True)
    rows = []
    with tempfile.TemporaryDirectory(dir="/run") as folder:
        for case in cases(options.seed):
            if case.name in options.case:
                measure_case(case, options, folder, rows)
    print("\n| endpoints | scanner | wall | CPU | peak memory | doors missed | |")
    print("| --- | --- | ---: | ---: | ---: | ---: | --- |")
    print("\n".join(rows))


def enter(arguments):
    """Runs this program again in namespaces of its own: as anybody, or else as root."""
    rest = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--propagation", "private"]
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    for who in (["--user", "--map-root-user"], []):
        unshare = ["unshare", *who, *rest]
        probe = subprocess.run(
            [*unshare, "mount", "-t", "tmpfs", "none", "/run"], capture_output=True, text=True
        )
        if probe.returncode == 0:
            me = os.path.abspath(__file__)
            return subprocess.call([*unshare, sys.executable, me, "--inside", *arguments])
        print(f"{shlex.join(unshare)}: {probe.stderr.strip()}", file=sys.stderr)
    return "neither a user namespace nor root: cannot build the network"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--noentry", metavar="PATH", help="the binary to measure")
    parser.add_argument("--noentry-args", default="", help="more arguments for noentry check")
    parser.add_argument("--with-nmap", action="store_true", help="measure nmap -sT -Pn -n -T4 too")
    parser.add_argument(
        "--also", action="append", default=[], metavar="COMMAND",
        help="measure another scanner: reads address:port lines from {targets}, prints open ones",
    )
    parser.add_argument(
        "--kind", choices=list(KINDS), default="tcp", help="what the targets of noentry are"
    )
    parser.add_argument(
        "--case", action="append", choices=["dropped", "refused", "lossy"], help="only this one"
    )
    parser.add_argument(
        "--limit", type=int, default=900, metavar="SECONDS",
        help="stop a scanner after so long (default 900) and say so",
    )
    parser.add_argument("--seed", type=int, default=1, help="for the doors and the loss (default 1)")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--listen", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind != "tcp":
        options.case = ["dropped"]
    options.case = options.case or ["dropped", "refused", "lossy"]
    if options.listen:
        return listen([int(port) for port in options.listen.split(",")])
    if not (options.noentry or options.with_nmap or options.also):
        parser.error("nothing to measure: give --noentry PATH, --with-nmap or --also COMMAND")
    if options.noentry:
        options.noentry = shutil.which(options.noentry) or parser.error("no such noentry")
        options.noentry = os.path.abspath(options.noentry)
    return inside(options) if options.inside else enter(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
