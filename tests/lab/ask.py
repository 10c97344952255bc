"""Asks the laboratory's servers, without noentry, and says what came back.

Runs on the runner. Each line of standard input is a question: a word, perhaps a port, and an
address. Each line of standard output is its answer, in the same order:

    answer          the protocol's own answer; over TCP with the first word of it
    different ...   an answer that is not the protocol's own
    silence         nothing
    icmp T C FROM   an ICMP error, its type, code and sender
    refused, reset  TCP: at the handshake, after the handshake
    closed, mute    TCP: the far side ended the connection; nothing comes out of it
    no route, no address, not permitted    what the kernel said here

What is sent is put together here from the specifications, independently of noentry's own probes,
so that these do not prove themselves.
"""

import errno
import ipaddress
import os
import socket
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

PATIENCE = 1.5
SOL_IP, IP_RECVERR = 0, 11
SOL_IPV6, IPV6_RECVERR = 41, 25
MSG_ERRQUEUE = 0x2000


def dns():
    name = b"".join(bytes([len(p)]) + p for p in (b"control", b"lab", b"example")) + b"\0"
    return struct.pack("!6H", 0x1A2B, 0x0100, 1, 0, 0, 0) + name + struct.pack("!2H", 1, 1)


def ike():
    """IKE_SA_INIT, RFC 7296 section 1.2: one proposal (AES-CBC-256, SHA2-256, group 14)."""
    key_length = struct.pack("!HH", 0x800E, 256)
    transforms = [(1, 12, key_length), (2, 5, b""), (3, 12, b""), (4, 14, b"")]
    body = b""
    for index, (kind, number, attribute) in enumerate(transforms):
        more = 0 if index == len(transforms) - 1 else 3
        body += struct.pack("!BBHBBH", more, 0, 8 + len(attribute), kind, 0, number) + attribute
    proposal = struct.pack("!BBHBBBB", 0, 0, 8 + len(body), 1, 1, 0, len(transforms)) + body
    sa = struct.pack("!BBH", 34, 0, 4 + len(proposal)) + proposal
    public = b"\0" + os.urandom(255)
    ke = struct.pack("!BBHHH", 40, 0, 8 + len(public), 14, 0) + public
    nonce = struct.pack("!BBH", 0, 0, 4 + 32) + os.urandom(32)
    rest = sa + ke + nonce
    return os.urandom(8) + bytes(8) + struct.pack("!BBBBII", 33, 0x20, 34, 8, 0, 28 + len(rest)) + rest


def sip(address):
    host = f"[{address}]" if ":" in address else address
    lines = [
        f"OPTIONS sip:{host} SIP/2.0",
        "Via: SIP/2.0/UDP runner.lab.example;branch=z9hG4bK1a2b;rport",
        "Max-Forwards: 0",
        "From: <sip:runner@lab.example>;tag=1a2b",
        f"To: <sip:{host}>",
        "Call-ID: 1a2b@runner.lab.example",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def cldap():
    """A search for the rootDSE, RFC 4512 section 5.1, that asks for one attribute only."""
    present = b"\x87\x0bobjectClass"
    attributes = b"\x30\x16\x04\x14supportedLDAPVersion"
    search = b"\x04\0\x0a\x01\0\x0a\x01\0\x02\x01\0\x02\x01\0\x01\x01\0" + present + attributes
    message = b"\x02\x01\x07\x63" + bytes([len(search)]) + search
    return b"\x30" + bytes([len(message)]) + message


def quic():
    """A version that nobody has (RFC 9000 section 15): it must be answered with the real ones."""
    start = b"\xc0" + struct.pack("!I", 0x1A2A3A4A) + b"\x08" + os.urandom(8) + b"\x08" + os.urandom(8)
    # No token, and one packet that fills the datagram.
    rest = 1200 - len(start) - 3
    return start + b"\0" + struct.pack("!H", 0x4000 | rest) + os.urandom(rest)


DISCOVERY = bytes.fromhex(
    "303e020103301102040f4a6903020300ffe30401040201030410300e0400020100020100040004000400"
    "3014040004 00a00e02040f37f00a0201000201003000".replace(" ", "")
)

# What to send, to which port, and what the answer must look like.
QUESTIONS = {
    "dns": (53, lambda a: dns(), lambda r: r[:2] == b"\x1a\x2b" and socket.inet_aton("203.0.113.5") in r),
    "ntp": (123, lambda a: b"\x23" + bytes(39) + b"12345678", lambda r: len(r) == 48 and r[0] & 7 == 4),
    # usmStatsUnknownEngineIDs, RFC 3414 section 5.
    "snmp": (161, lambda a: DISCOVERY, lambda r: bytes.fromhex("2b060106030f010104") in r),
    "memcached": (11211, lambda a: bytes.fromhex("0000000000010000") + b"version\r\n", lambda r: r[8:16] == b"VERSION "),
    "stun": (3478, lambda a: bytes.fromhex("000100002112a442") + os.urandom(12), lambda r: r[:2] == b"\x01\x01"),
    "sip": (5060, lambda a: sip(a), lambda r: r.startswith(b"SIP/2.0 200 ")),
    # The same exchange, a response, and first an SA: not a refusal.
    "ike": (500, lambda a: ike(), lambda r: r[16] == 33 and r[18] == 34 and r[19] & 0x20),
    "tftp": (69, lambda a: b"\0\1no-such-file\0octet\0", lambda r: r[:4] == b"\0\5\0\1"),
    "portmap": (
        111,
        lambda a: struct.pack("!10I", 0x1A2B3C4D, 0, 2, 100000, 2, 0, 0, 0, 0, 0),
        lambda r: r[:12] == struct.pack("!3I", 0x1A2B3C4D, 1, 0),
    ),
    # An empty confirmable message is answered with a reset, RFC 7252 section 4.3.
    "coap": (5683, lambda a: b"\x40\0\x1a\x2b", lambda r: r == b"\x70\0\x1a\x2b"),
    "cldap": (389, lambda a: cldap(), lambda r: b"supportedLDAPVersion" in r and b"\x02\x01\x07\x64" in r),
    "openvpn": (1194, lambda a: b"\x38" + os.urandom(8) + bytes(5), lambda r: r[0] >> 3 == 8),
    "quic 443": (443, lambda a: quic(), lambda r: r[0] & 0x80 and r[1:5] == bytes(4)),
    "quic 4445": (4445, lambda a: quic(), lambda r: r[0] & 0x80 and r[1:5] == bytes(4)),
}


def opened(address, kind, protocol=0, port=None):
    """A socket that keeps ICMP errors; connected first where a port is given.

    A raw socket that is not connected is given the errors about everybody's packets.
    """
    six = ":" in address
    s = socket.socket(socket.AF_INET6 if six else socket.AF_INET, kind, protocol)
    if port is not None:
        s.connect((address, port))
    s.setsockopt(SOL_IPV6 if six else SOL_IP, IPV6_RECVERR if six else IP_RECVERR, 1)
    s.settimeout(PATIENCE)
    return s


def icmp_error(s):
    """The ICMP error in the socket's error queue, if there is one (Linux, ip(7), IP_RECVERR)."""
    try:
        _, messages, _, _ = s.recvmsg(2048, 512, MSG_ERRQUEUE | socket.MSG_DONTWAIT)
    except OSError:
        return None
    for _, _, data in messages:
        _, origin, kind, code = struct.unpack_from("=IBBB", data)
        if origin in (2, 3):
            # The sender follows: sockaddr_in or sockaddr_in6.
            sender = ipaddress.ip_address(data[20:24] if origin == 2 else data[24:40])
            return f"icmp {kind} {code} {sender}"
    return None


def trouble(s, error):
    """What an error means, with the ICMP error that caused it, if one did."""
    words = {
        errno.ENETUNREACH: "no route",
        errno.EADDRNOTAVAIL: "no address",
        errno.EPERM: "not permitted",
        errno.EACCES: "not permitted",
        errno.ECONNREFUSED: "refused",
        errno.ECONNRESET: "reset",
        errno.EPIPE: "reset",
    }
    told = s and icmp_error(s)
    if isinstance(error, TimeoutError):
        return told or "silence"
    return told or words.get(error.errno, f"different, {error}")


def datagram(word, address):
    port, question, is_answer = QUESTIONS[word]
    with opened(address, socket.SOCK_DGRAM) as s:
        try:
            if word == "tftp":
                # The answer comes from another port, RFC 1350 section 4.
                s.sendto(question(address), (address, port))
            else:
                # A connected socket takes no answer but from where it asked.
                s.connect((address, port))
                s.send(question(address))
            reply, sender = s.recvfrom(4096)
        except OSError as error:
            return trouble(s, error)
        if sender[0] != address:
            return f"different, from {sender[0]}"
        return "answer" if is_answer(reply) else f"different, {reply.hex()}"


def echo(address):
    six = ":" in address
    kind, answer = (128, 129) if six else (8, 0)
    body = struct.pack("!BBHHH", kind, 0, 0, os.getpid() & 0xFFFF, 1) + os.urandom(16)
    if not six:
        total = sum(struct.unpack(f"!{len(body) // 2}H", body))
        total = (total >> 16) + (total & 0xFFFF)
        total = ~(total + (total >> 16)) & 0xFFFF
        body = body[:2] + struct.pack("!H", total) + body[4:]
    end = time.monotonic() + PATIENCE
    try:
        s = opened(address, socket.SOCK_RAW, 58 if six else 1, port=0)
    except OSError as error:
        return trouble(None, error)
    with s:
        try:
            s.send(body)
            # A raw socket sees what was meant for others as well.
            while (left := end - time.monotonic()) > 0:
                s.settimeout(left)
                reply = s.recv(4096)
                reply = reply if six else reply[(reply[0] & 15) * 4 :]
                if reply[0] == answer and reply[8:] == body[8:]:
                    return "answer"
        except OSError as error:
            return trouble(s, error)
        return icmp_error(s) or "silence"


def sockets(address):
    """With which kinds of socket this process may send an echo request."""
    six = ":" in address
    may = []
    for name, kind in (("raw", socket.SOCK_RAW), ("datagram", socket.SOCK_DGRAM)):
        try:
            opened(address, kind, 58 if six else 1).close()
            may.append(name)
        except PermissionError:
            pass
    return " ".join(may) or "none"


def stream(port, address, says):
    with opened(address, socket.SOCK_STREAM) as s:
        try:
            s.connect((address, port))
        except OSError as error:
            return trouble(s, error)
        try:
            if says:
                s.send(says)
            reply = s.recv(4096)
        except TimeoutError:
            return "mute"
        except OSError as error:
            return trouble(s, error)
        return f"answer {reply.split()[0].split(b'_')[0].decode()}" if reply else "closed"


def name(name):
    """Its addresses as the system's resolver knows them, IPv4 first."""
    found = {entry[4][0] for entry in socket.getaddrinfo(name, 1, type=socket.SOCK_STREAM)}
    return " ".join(sorted(found, key=lambda address: (":" in address, address)))


def dtls(address):
    host = f"[{address}]" if ":" in address else address
    try:
        done = subprocess.run(
            ["openssl", "s_client", "-dtls", "-connect", f"{host}:4444"],
            input=b"", capture_output=True, timeout=10, check=False,
        )
    except subprocess.TimeoutExpired:
        # The server is busy with one client at a time.
        return "silence"
    return "answer" if b"CN = The laboratory" in done.stdout else f"different, {done.stderr!r}"


def ask(line):
    words, address = line.rsplit(None, 1)
    word, *port = words.split()
    match word:
        case "echo":
            return echo(address)
        case "sockets":
            return sockets(address)
        case "dtls":
            return dtls(address)
        case "name":
            return name(address)
        case "tcp":
            return stream(int(port[0]), address, b"GET /ok HTTP/1.0\r\n\r\n")
        case "banner":
            return stream(int(port[0]), address, b"")
        case _:
            return datagram(words, address)


with ThreadPoolExecutor(64) as together:
    for answer in together.map(ask, sys.stdin.read().splitlines()):
        print(answer)
