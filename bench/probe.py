#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""probe.py HOST OUT: asks TCP 19530 and /healthz of 9091 each 50 ms until SIGTERM, then writes the longest window
without a right answer of each, in seconds, as JSON."""
import json
import signal
import socket
import sys
import threading
import time

HOST, OUT = sys.argv[1], sys.argv[2]
done = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: done.set())


def tcp():
    with socket.create_connection((HOST, 19530), timeout=1):
        return True


def healthz():
    with socket.create_connection((HOST, 9091), timeout=1) as s:
        s.settimeout(1)
        s.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return b" 200 " in s.recv(64).split(b"\r\n")[0] + b" "


longest = {}


def watch(name, ask):
    last_right, worst = time.monotonic(), 0.0
    while not done.is_set():
        try:
            right = ask()
        except OSError:
            right = False
        now = time.monotonic()
        if right:
            worst = max(worst, now - last_right)
            last_right = now
        done.wait(0.05)
    longest[name] = max(worst, time.monotonic() - last_right)


threads = [threading.Thread(target=watch, args=item) for item in (("tcp", tcp), ("healthz", healthz))]
for thread in threads:
    thread.start()
while not done.is_set():
    done.wait(0.2)
for thread in threads:
    thread.join()
with open(OUT, "w") as out:
    json.dump({name: round(value, 2) for name, value in longest.items()}, out)
