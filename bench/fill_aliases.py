#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""fill_aliases.py ENDPOINT KEYS: adds aliases of the one collection of a stopped Milvus 2.1, each with its snapshot as 2.1
writes both, until etcd holds KEYS keys of its metadata; prints how many there are. A real server starts on them, and a
migration has to convert every one."""
import base64
import json
import sys
import urllib.request

ENDPOINT, KEYS = sys.argv[1], int(sys.argv[2])
META = "by-dev/meta/"
BATCH = 64


def ask(path, body):
    request = urllib.request.Request(f"http://{ENDPOINT}/v3/kv/{path}", json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.load(reply)


def coded(value):
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def keys_of(prefix):
    reply = ask("range", {"key": coded(prefix), "range_end": coded(prefix[:-1] + chr(ord(prefix[-1]) + 1)), "keys_only": True})
    return [base64.b64decode(row["key"]).decode() for row in reply.get("kvs", [])]


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def alias_of(collection, name):
    """CollectionInfo {1: id, 2: schema {1: name}}, as a 2.1 writes it for an alias."""
    schema = b"\x0a" + varint(len(name)) + name.encode()
    return b"\x08" + varint(collection) + b"\x12" + varint(len(schema)) + schema


there = len(keys_of(META))
collection = int(keys_of(META + "root-coord/collection/")[0].rpartition("/")[2])
now = int(keys_of(META + "snapshots/root-coord/collection/")[-1].rpartition("_ts")[2])
writes = []
for number in range(max(0, KEYS - there + 1) // 2):
    name = f"alias_{number:06}"
    value = coded(alias_of(collection, name))
    for key in (f"root-coord/collection-alias/{name}", f"snapshots/root-coord/collection-alias/{name}_ts{now + number}"):
        writes.append({"request_put": {"key": coded(META + key), "value": value}})
for start in range(0, len(writes), BATCH):
    ask("txn", {"success": writes[start:start + BATCH]})
print(there + len(writes))
