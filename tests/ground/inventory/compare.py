# SPDX-License-Identifier: Apache-2.0
"""Tells two inventories apart. Between two of the same version nothing may differ. From 2.1 to 2.2 a correct migration
changes a few things by itself: they are worked into what is expected, and everything else is a difference.

Usage: compare.py BEFORE AFTER   (exit 1 and one line for each difference; what was expected to change goes to stderr)
"""

import copy
import json
import math
import sys

TOLERANCE = 1e-4  # relative; two builds of a server sum in another order


def line_of(inventory):
    return ".".join(inventory["server"].lstrip("v").split(".")[:2])


def rows_flushed(name, seen, now):
    """Rows that were in the queue only may have become flushed ones by a stop on the way; how many there are, and what is
    in them, is compared elsewhere."""
    more = now.get("flushed_rows", 0) - seen.get("flushed_rows", 0)
    partitions = now.get("partitions", {})
    grown = {part: partitions[part]["rows"] - seen["partitions"][part]["rows"] for part in partitions if part in seen.get("partitions", {})}
    if more <= 0 or sum(grown.values()) != more or min(grown.values()) < 0:
        return []
    seen["flushed_rows"] += more
    for part, rows in grown.items():
        seen["partitions"][part]["rows"] += rows
    return [f"{name}: {more} rows of its queue were flushed on the way"]


def as_migrated(before, after):
    """What a 2.2, and a 2.3 after it, must show of this inventory of a 2.1, and what of that is a change. `after` only tells
    which of the collections that the migration releases have been loaded again."""
    expected, notes = copy.deepcopy(before), []
    for name, seen in expected["collections"].items():
        fields = {field["name"]: field["id"] for field in seen["fields"]}
        for index in seen["indexes"]:
            if index["name"] == "_default_idx":
                index["name"] += f"_{fields[index['field']]}"
                notes.append(f"{name}: its default index is called {index['name']}")
        notes += rows_flushed(name, seen, after["collections"].get(name, {}))
        search = seen["search"]
        if not search:
            continue
        rows = search["rows"]
        if rows["count_anywhere"] > rows["count"]:
            gone = rows["count_anywhere"] - rows["count"]
            rows["count_anywhere"] = rows["count"]
            notes.append(f"{name}: {gone} rows of dropped partitions, which a 2.1 still returns, are gone")
        if any(index["index_type"] == "ANNOY" and index["metric_type"] == "L2" for index in seen["indexes"]):
            search["top"] = [[[key, math.sqrt(far)] for key, far in hits] for hits in search["top"]]
            notes.append(f"{name}: ANNOY gives the square roots of its L2 distances")
        if not seen["indexes"]:
            now = after["collections"].get(name, {})
            if now.get("loaded_partitions"):
                # Its index was made by the client that loaded it again: its name and id are not those of the migration.
                seen["indexes"] = [index for index in now["indexes"] if index["index_type"] == "FLAT"]
                notes.append(f"{name}: released for want of an index, and loaded again with one")
            else:
                seen["loaded_partitions"], seen["search"] = [], None
                notes.append(f"{name}: released for want of an index")
    expected["server"] = after["server"]
    return expected, notes


def near(one, other):
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def groups_of(hits):
    """The keys of each run of equal distances: within one the order is the server's own affair."""
    groups = []
    for key, far in hits:
        if groups and near(groups[-1][0], far):
            groups[-1][1].add(key)
        else:
            groups.append((far, {key}))
    return groups


def same_hits(one, other):
    """The last run may be cut off anywhere: where it has several keys, only their number counts."""
    if len(one) != len(other) or not all(near(a[1], b[1]) for a, b in zip(one, other)):
        return False
    first, second = groups_of(one), groups_of(other)
    if len(first) != len(second):
        return False
    last = len(first) - 1
    return all(a[1] == b[1] or (at == last and len(a[1]) > 1 and len(a[1]) == len(b[1])) for at, (a, b) in enumerate(zip(first, second)))


def differences(path, want, got):
    if path.endswith(".top") and isinstance(want, list) and isinstance(got, list) and len(want) == len(got):
        for at, (one, other) in enumerate(zip(want, got)):
            if not same_hits(one, other):
                yield f"{path}[{at}]: {other}, wanted {one}"
    elif isinstance(want, dict) and isinstance(got, dict):
        for key in sorted(want.keys() | got.keys()):
            at = f"{path}.{key}" if path else key
            if key not in want:
                yield f"{at}: is new"
            elif key not in got:
                yield f"{at}: is lacking"
            else:
                yield from differences(at, want[key], got[key])
    elif want != got:
        yield f"{path}: {json.dumps(got, ensure_ascii=False)[:200]}, wanted {json.dumps(want, ensure_ascii=False)[:200]}"


def compare(before, after):
    """(differences, expected changes)"""
    lines = line_of(before), line_of(after)
    if lines[0] == "2.1" and lines[1] in ("2.2", "2.3"):
        expected, notes = as_migrated(before, after)
    elif lines[0] == lines[1]:
        expected, notes = before, []
    else:
        return [f"server: no rule is known for {before['server']} to {after['server']}"], []
    return list(differences("", expected, after)), notes


def main():
    if len(sys.argv) != 3:
        sys.exit("compare-inventory takes two files: before and after")
    inventories = []
    for path in sys.argv[1:]:
        try:
            with open(path, encoding="utf-8") as file:
                inventories.append(json.load(file))
        except (OSError, ValueError) as error:
            sys.exit(f"compare-inventory: {path}: {error}")
    if not inventories[0]["collections"]:
        sys.exit(f"compare-inventory: {sys.argv[1]} has no collection: nothing would be compared")
    found, notes = compare(*inventories)
    for note in notes:
        print(f"as expected: {note}", file=sys.stderr)
    for line in found:
        print(line)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
