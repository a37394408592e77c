# SPDX-License-Identifier: Apache-2.0
"""take_port.py ADDRESS PORT STATE_DIR: listens on ADDRESS:PORT as soon as it is free, until a journal in STATE_DIR tells
that a step `up/...` has failed. Ends with 0 when it has had the port."""

import json
import pathlib
import socket
import sys
import time

address, port, state_dir = sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3])
before = set(state_dir.glob("*/journal.ndjson"))


def has_failed():
    for journal in set(state_dir.glob("*/journal.ndjson")) - before:
        for line in journal.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue  # a line that is being written
            if record.get("type") == "failed" and record.get("step", "").startswith("up/"):
                return True
    return False


listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # past connections of a prober do not keep it from us
end = time.monotonic() + 120
while True:
    try:
        listener.bind((address, port))
        listener.listen()
        break
    except OSError:
        if time.monotonic() > end:
            sys.exit("take_port: the port never was free")
        time.sleep(0.005)
while not has_failed() and time.monotonic() < end:
    time.sleep(0.01)
