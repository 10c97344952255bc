"""A resolver that tells the truth about everything but a few names.

    liar.py ADDRESS PORT TRUTH RULES

TRUTH is the address of the honest resolver, to which every other question goes as it is. RULES is a
file with one rule a line:

    NAME TYPE WORDS [; WORDS]...

What is asked for NAME and TYPE (`*` is any name, or any type) gets the first WORDS the first time, the
second ones the second time, and the last from then on. A question that is sent again is the same one.
WORDS are one of

    truth               as the honest resolver has it
    gives A[,A]...      these addresses (of the type that was asked for; none of them is no data)
    alias NAME A[,A]... the same behind an alias
    nxdomain, servfail, refused, silent

and then, perhaps, `ede CODE[,CODE]...`: Extended DNS Errors (RFC 8914), where the question has EDNS. The
messages are put together here from the specifications, independently of noentry's own.
"""

import ipaddress
import socket
import struct
import sys
import threading

A, CNAME, AAAA, OPT = 1, 5, 28, 41
TYPES = {"A": A, "AAAA": AAAA}
RCODES = {"servfail": 2, "nxdomain": 3, "refused": 5}
EDE = 15


def question(packet):
    """Name, type and the end of the question section; noentry asks one question."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1 : at + 1 + packet[at]].decode("latin-1").lower())
        at += 1 + packet[at]
    kind = struct.unpack("!H", packet[at + 1 : at + 3])[0]
    return ".".join(labels), kind, at + 5


def has_edns(packet, end):
    """An OPT record is the only one that a question brings along (RFC 6891 section 6.1.1)."""
    return struct.unpack("!H", packet[10:12])[0] == 1 and packet[end : end + 3] == b"\0\0\x29"


def ask(truth, packet):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as to:
        to.settimeout(4)
        to.connect((truth, 53))
        to.send(packet)
        return to.recv(65535)


def opt(codes):
    options = b"".join(struct.pack("!HHH", EDE, 6, code) + b"said" for code in codes)
    return b"\0" + struct.pack("!HHIH", OPT, 1232, 0, len(options)) + options


def without_opt(answer):
    """BIND puts its OPT record last, and without options where none are asked for."""
    if answer[-11:-8] != b"\0\0\x29" or not struct.unpack("!H", answer[10:12])[0]:
        return answer
    more = struct.unpack("!H", answer[10:12])[0] - 1
    return answer[:10] + struct.pack("!H", more) + answer[12:-11]


def say(words, packet, truth):
    name, kind, end = question(packet)
    words, _, codes = words.partition("ede")
    what, *rest = words.split()
    if what == "silent":
        return None
    if what == "truth":
        answer = without_opt(ask(truth, packet))
    else:
        given = [ipaddress.ip_address(a) for a in rest[-1].split(",")] if rest else []
        given = [a.packed for a in given if {4: A, 6: AAAA}[a.version] == kind]
        flags = 0x8180 | RCODES.get(what, 0)
        alias = what == "alias"
        head = struct.pack("!5H", flags, 1, len(given) + alias, 0, 0)
        answer, owner = packet[:2] + head + packet[12:end], b"\xc0\x0c"
        if alias:
            data = b"".join(bytes([len(p)]) + p.encode() for p in rest[0].split(".")) + b"\0"
            answer += owner + struct.pack("!HHIH", CNAME, 1, 1, len(data)) + data
            owner = data
        for data in given:
            answer += owner + struct.pack("!HHIH", kind, 1, 1, len(data)) + data
    if has_edns(packet, end):
        more = struct.unpack("!H", answer[10:12])[0] + 1
        answer = answer[:10] + struct.pack("!H", more) + answer[12:]
        answer += opt([int(code) for code in codes.split(",") if code.strip()])
    return answer


def main(address, port, truth, rules):
    table = {}
    with open(rules, encoding="ascii") as lines:
        for line in lines:
            name, kind, words = line.strip().split(" ", 2)
            table[name, TYPES.get(kind)] = [one.strip() for one in words.split(";")]
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((address, int(port)))
    told = {}

    def answer(packet, client, words):
        said = say(words, packet, truth)
        if said:
            server.sendto(said, client)

    while True:
        packet, client = server.recvfrom(4096)
        name, kind, _ = question(packet)
        keys = (name, kind), (name, None), ("*", kind), ("*", None)
        turns = next((table[key] for key in keys if key in table), ["truth"])
        # The same number from the same port is the same question.
        seen = told.setdefault((name, kind), [])
        one = client, packet[:2]
        if one not in seen:
            seen.append(one)
        words = turns[min(seen.index(one), len(turns) - 1)]
        threading.Thread(target=answer, args=(packet, client, words), daemon=True).start()


main(*sys.argv[1:])
