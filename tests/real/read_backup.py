# SPDX-License-Identifier: Apache-2.0
"""read_backup.py FILE: the keys of a backup of Milvus's metadata as `etcd_keys` of lib.sh prints them, by key; sessions left
out. A reader of its own, from the format alone (docs/metadata-2.1-to-2.2.md), so that it knows nothing of the product."""
import base64
import json
import struct
import sys


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not data[at - 1] & 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        tag, at = varint(data, at)
        if tag & 7 == 0:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        yield tag >> 3, value


def frames(data):
    at = 0
    while at < len(data):
        (size,) = struct.unpack_from("<Q", data, at)
        frame = data[at + 8:at + 8 + size]
        if len(frame) != size:
            sys.exit(f"cut at byte {at}")
        yield frame
        at += 8 + size


with open(sys.argv[1], "rb") as file:
    header, *entries = frames(file.read())
said = dict(fields(header)).get(4, 0)
if said != len(entries):
    sys.exit(f"the header says {said} entries, there are {len(entries)}")
for key, value in sorted((bytes(entry[1]), bytes(entry.get(2, b""))) for entry in map(dict, map(fields, entries))):
    if b"/session/" not in key:
        print(json.dumps([key.decode(), base64.b64encode(value).decode()], separators=(",", ":"), ensure_ascii=False))
