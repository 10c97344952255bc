"""A long and lossy wire between two Ethernet interfaces of one network namespace.

Passes every frame from one interface to the other after a fixed time, and loses each TCP segment
with a fixed probability; address resolution is never lost. Kernels without sch_netem have nothing
like it. Needs no device node, so it works without privileges inside a user namespace.

Prints `ready`, and at the end of its standard input one JSON line that says whether the wire itself
was ever the bottleneck: frames passed and lost, frames that the kernel had no room for (`overrun`),
and by how much the latest frame came too late.
"""

import collections
import json
import os
import random
import select
import socket
import struct
import sys
import time

SOL_PACKET = 263
PACKET_STATISTICS = 6
PACKET_VNET_HDR = 15
PACKET_OUTGOING = 4
VNET_HDR = 10  # bytes; carries unfinished checksums and segmentation from one side to the other
ETH_P_ALL = 3


def open_interface(name):
    interface = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    interface.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    interface.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)  # as much as is allowed
    interface.bind((name, ETH_P_ALL))
    interface.setblocking(False)
    return interface


def is_tcp(frame):
    kind = frame[VNET_HDR + 12 : VNET_HDR + 14]
    if kind == b"\x08\x00":
        return frame[VNET_HDR + 14 + 9] == socket.IPPROTO_TCP
    return kind == b"\x86\xdd" and frame[VNET_HDR + 14 + 6] == socket.IPPROTO_TCP


def main():
    left, right = open_interface(sys.argv[1]), open_interface(sys.argv[2])
    delay, loss, chance = float(sys.argv[3]), float(sys.argv[4]), random.Random(int(sys.argv[5]))
    other = {left: right, right: left}
    waiting = collections.deque()
    passed = lost = 0
    latest = 0.0
    print("ready", flush=True)
    while True:
        patience = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        readable, _, _ = select.select([left, right, sys.stdin], [], [], patience)
        if sys.stdin in readable and not os.read(0, 1):
            break
        for interface in readable:
            if interface is sys.stdin:
                continue
            for _ in range(256):
                try:
                    frame, address = interface.recvfrom(65536 + VNET_HDR)
                except BlockingIOError:
                    break
                if address[2] == PACKET_OUTGOING:
                    continue
                if is_tcp(frame) and chance.random() < loss:
                    lost += 1
                    continue
                waiting.append((time.monotonic() + delay, other[interface], frame))
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            due, interface, frame = waiting.popleft()
            latest = max(latest, now - due)
            passed += 1
            try:
                interface.send(frame)
            except OSError:
                lost += 1
    overrun = 0
    for interface in other:
        said = interface.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
        overrun += struct.unpack("II", said)[1]
    print(
        json.dumps(
            {
                "passed": passed,
                "lost": lost,
                "overrun": overrun,
                "latest_ms": round(latest * 1000, 1),
            }
        ),
        flush=True,
    )


main()
