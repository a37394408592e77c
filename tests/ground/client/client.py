# SPDX-License-Identifier: Apache-2.0
"""A Milvus client for the ground: makes data, searches it, watches an outage from a client's side, counts rows.

Results are JSON lines on stdout, everything else goes to stderr. Vectors are made from fixed seeds, so that the same
command before and after an upgrade must print the same line. Two collections: `ground` is only read once it is made,
`ground_acked` takes the rows of insert-loop.
"""

import argparse
import json
import logging
import re
import signal
import sys
import threading
import time

import grpc
import numpy
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, connections, utility
from pymilvus.client.prepare import Prepare
from pymilvus.grpc_gen import milvus_pb2, milvus_pb2_grpc

SEARCHED = "ground"
INSERTED = "ground_acked"
INDEX_PARAMETERS = {
    "FLAT": ({}, {}),
    "IVF_FLAT": ({"nlist": 64}, {"nprobe": 16}),
    "IVF_SQ8": ({"nlist": 64}, {"nprobe": 16}),
    "HNSW": ({"M": 16, "efConstruction": 100}, {"ef": 64}),
    "ANNOY": ({"n_trees": 8}, {"search_k": 500}),
}
QUERIES = 5
TOP = 10
BATCH = 10  # rows of one insert of insert-loop


def vectors(seed, count, dimension):
    return numpy.random.RandomState(seed).random_sample((count, dimension)).astype("float32")


def make_collection(name, dimension):
    if utility.has_collection(name):
        utility.drop_collection(name)
    fields = [
        FieldSchema("id", DataType.INT64, is_primary=True),
        FieldSchema("number", DataType.INT64),
        FieldSchema("vector", DataType.FLOAT_VECTOR, dim=dimension),
    ]
    # Strong: a search sees every row that was acknowledged before it.
    return Collection(name, CollectionSchema(fields), consistency_level="Strong")


def insert(collection, first, count, dimension):
    keys = list(range(first, first + count))
    rows = vectors(1000 + first, count, dimension)
    collection.insert([keys, [key % 7 for key in keys], rows.tolist()], timeout=60)


def index_and_load(collection, kind):
    build, _ = INDEX_PARAMETERS[kind]
    collection.create_index("vector", {"index_type": kind, "metric_type": "L2", "params": build}, timeout=300)
    collection.load(timeout=300)


def dimension_of(collection):
    return next(field.params["dim"] for field in collection.schema.fields if field.name == "vector")


def flush(collection):
    if hasattr(collection, "flush"):
        collection.flush(timeout=300)
    else:
        collection.num_entities  # pymilvus 2.1 has no call of its own: it flushes when the number of rows is asked for


def row_count(collection):
    # 2.2 has no count(*): the keys are fetched and counted.
    return len(collection.query("id >= 0", output_fields=["id"], timeout=60, consistency_level="Strong"))


def seed(arguments):
    collection = make_collection(SEARCHED, arguments.dim)
    for first in range(0, arguments.rows, 5000):
        insert(collection, first, min(5000, arguments.rows - first), arguments.dim)
    flush(collection)
    index_and_load(collection, arguments.index)
    # Rows that live in the message queue only: an upgrade must not lose them.
    if arguments.unflushed:
        insert(collection, arguments.rows, arguments.unflushed, arguments.dim)
    print(json.dumps({"collection": SEARCHED, "rows": row_count(collection), "index": arguments.index}))


def search_parameters(collection):
    kind = collection.indexes[0].params["index_type"]
    return {"metric_type": "L2", "params": INDEX_PARAMETERS[kind][1]}


def search(arguments):
    collection = Collection(SEARCHED)
    queries = vectors(7, QUERIES, dimension_of(collection)).tolist()
    hits = collection.search(
        queries, "vector", search_parameters(collection), TOP, timeout=arguments.timeout, consistency_level="Strong"
    )
    found = {
        "ids": [list(hit.ids) for hit in hits],
        "distances": [[round(distance, 4) for distance in hit.distances] for hit in hits],
        "rows": row_count(collection),
    }
    print(json.dumps(found))
    if any(len(ids) != min(TOP, found["rows"]) for ids in found["ids"]):
        raise SystemExit("client: a search returned fewer rows than there are")


class RawClient:
    """Calls without the retries and the growing back-off of the client library, which would stretch what is measured.
    After a failed call the channel is thrown away: a channel that met a half-open port (the engine's proxy accepts before
    the server listens) was seen not to come back for 40 s, while a new one connected at once."""

    def __init__(self, address):
        self.address = address
        self.channel = None

    def call(self, method, request, timeout):
        if self.channel is None:
            # Without its own pool a new channel would share the connection, and the back-off, of the one before.
            self.channel = grpc.insecure_channel(self.address, options=[("grpc.use_local_subchannel_pool", 1)])
        try:
            return getattr(milvus_pb2_grpc.MilvusServiceStub(self.channel), method)(request, timeout=timeout)
        except grpc.RpcError:
            self.channel.close()
            self.channel = None
            raise


class Until:
    """True while neither SIGTERM nor SIGINT has come and the time is not up."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.asked = False
        signal.signal(signal.SIGTERM, self.ask)
        signal.signal(signal.SIGINT, self.ask)

    def ask(self, *_):
        self.asked = True

    def __call__(self):
        return not self.asked and time.monotonic() < self.end


def one_line(text):
    return " ".join(str(text).split())[:160]


def probe(arguments):
    """Writes `<unix seconds> <monotonic seconds> <ok|wrong|error> <milliseconds> <detail>` per search, stamped at its end."""
    collection = Collection(SEARCHED)
    queries = vectors(7, 1, dimension_of(collection)).tolist()
    schema = collection.schema.to_dict()  # wanted by pymilvus 2.1
    request = Prepare.search_requests_with_expr(
        SEARCHED, queries, "vector", search_parameters(collection), TOP, consistency_level="Bounded", schema=schema
    )
    request = request[0] if isinstance(request, list) else request
    connections.disconnect("default")
    client = RawClient(arguments.address)
    expected = None
    running = Until(arguments.max_seconds)
    with open(arguments.out, "w", encoding="utf-8", buffering=1) as out:
        while running():
            started = time.monotonic()
            try:
                reply = client.call("Search", request, timeout=1.0)
                ids = list(reply.results.ids.int_id.data)
                if reply.status.error_code:
                    verdict, detail = "error", reply.status.reason
                else:
                    expected = expected or ids
                    verdict, detail = ("ok", "-") if ids == expected else ("wrong", f"{len(ids)} ids")
            except grpc.RpcError as error:
                verdict, detail = "error", f"{error.code().name} {error.details()}"
            now = time.monotonic()
            out.write(f"{time.time():.6f} {now:.6f} {verdict} {(now - started) * 1000:.1f} {one_line(detail)}\n")
            time.sleep(max(0.0, started + arguments.interval - time.monotonic()))


def outage(arguments):
    """Reads a probe's file. The outage is from the last good answer before the first bad one to the first good answer
    after the last bad one: with flapping in between it is the stable end that counts."""
    lines = [line.split(" ", 4) for line in open(arguments.file, encoding="utf-8")]
    good = [line[2] == "ok" for line in lines]
    if not any(good):
        raise SystemExit("client: no search succeeded")
    result = {"searches": len(lines), "failed": good.count(False), "outage_s": 0.0, "recovered": good[-1]}
    if False in good:
        first_bad = good.index(False)
        last_bad = len(good) - 1 - good[::-1].index(False)
        begin = lines[max(0, first_bad - 1)]
        end = lines[min(len(lines) - 1, last_bad + 1)]
        result["outage_s"] = round(float(end[1]) - float(begin[1]), 3)
        result["begin_unix"], result["end_unix"] = float(begin[0]), float(end[0])
    print(json.dumps(result))


def keep_flushing(address, interval, running):
    """Beside the inserts, on a connection of its own: so that data nodes have segments to write when their end comes."""
    client = RawClient(address)
    while running():
        time.sleep(interval)
        try:
            client.call("Flush", milvus_pb2.FlushRequest(collection_names=[INSERTED]), timeout=5.0)
        except grpc.RpcError:
            pass  # an outage is what the inserts are made for


def insert_loop(arguments):
    """Inserts rows with increasing keys; each line of the file is `<first key> <last key>` of an acknowledged insert. The
    keys of an insert that was not acknowledged are never used again: they may be there or not."""
    if utility.has_collection(INSERTED):
        collection = Collection(INSERTED)
    else:
        collection = make_collection(INSERTED, arguments.dim)
        index_and_load(collection, "IVF_FLAT")
    dimension = dimension_of(collection)
    fields = collection.schema.to_dict()["fields"]
    connections.disconnect("default")
    client = RawClient(arguments.address)
    key = int(time.time()) * 100000  # beyond all keys of an earlier run
    acknowledged = failed = 0
    insert_request = getattr(Prepare, "batch_insert_param", None) or Prepare.bulk_insert_param  # pymilvus 2.2, 2.1
    running = Until(arguments.max_seconds)
    if arguments.flush:
        threading.Thread(target=keep_flushing, args=(arguments.address, arguments.flush, running), daemon=True).start()
    with open(arguments.out, "w", encoding="utf-8", buffering=1) as out:
        while running():
            started = time.monotonic()
            keys = list(range(key, key + BATCH))
            key += BATCH
            entities = [
                {"name": "id", "type": DataType.INT64, "values": keys},
                {"name": "number", "type": DataType.INT64, "values": keys},
                {"name": "vector", "type": DataType.FLOAT_VECTOR, "values": vectors(keys[0] % 2**31, BATCH, dimension).tolist()},
            ]
            try:
                reply = client.call("Insert", insert_request(INSERTED, entities, "", fields), timeout=5.0)
                if reply.status.error_code:
                    failed += 1
                else:
                    out.write(f"{keys[0]} {keys[-1]}\n")
                    acknowledged += BATCH
            except grpc.RpcError:
                failed += 1
            time.sleep(max(0.0, started + arguments.interval - time.monotonic()))
    print(json.dumps({"acknowledged": acknowledged, "failed_inserts": failed}))


def count_acked(arguments):
    keys = []
    for line in open(arguments.file, encoding="utf-8"):
        if line.endswith("\n"):
            first, last = line.split()
            keys.extend(range(int(first), int(last) + 1))
    collection = Collection(INSERTED)
    missing = []
    for at in range(0, len(keys), 1000):
        wanted = keys[at : at + 1000]
        rows = collection.query(f"id in {wanted}", output_fields=["id"], timeout=60, consistency_level="Strong")
        missing.extend(sorted(set(wanted) - {row["id"] for row in rows}))
    print(json.dumps({"acknowledged": len(keys), "found": len(keys) - len(missing), "missing": missing[:20]}))
    if missing:
        raise SystemExit(f"client: {len(missing)} acknowledged rows are lost")
    if not keys:
        raise SystemExit("client: no insert was acknowledged")


def seconds(text):
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m)", text)
    if not match:
        raise argparse.ArgumentTypeError(f"'{text}' is not a time with a unit, like 50ms, 2s or 5m")
    return float(match.group(1)) * {"ms": 0.001, "s": 1.0, "m": 60.0}[match.group(2)]


def main():
    logging.disable(logging.CRITICAL)  # the library logs every error that it raises as well
    parser = argparse.ArgumentParser(prog="ground client")
    parser.add_argument("--address", default="127.0.0.1:19530")
    verbs = parser.add_subparsers(dest="verb", required=True)

    verb = verbs.add_parser("seed", help="make, index and load the searched collection")
    verb.add_argument("--rows", type=int, default=2000)
    verb.add_argument("--unflushed", type=int, default=100, help="rows inserted after the flush")
    verb.add_argument("--dim", type=int, default=32)
    verb.add_argument("--index", choices=sorted(INDEX_PARAMETERS), default="IVF_FLAT")
    verb.set_defaults(run=seed)

    verb = verbs.add_parser("search", help="ids, distances and row count of fixed queries, one JSON line")
    verb.add_argument("--timeout", type=seconds, default=30.0)
    verb.set_defaults(run=search)

    verb = verbs.add_parser("probe", help="search again and again until SIGTERM")
    verb.add_argument("--interval", type=seconds, default=0.05)
    verb.add_argument("--out", required=True)
    verb.add_argument("--max-seconds", type=float, default=900)
    verb.set_defaults(run=probe)

    verb = verbs.add_parser("outage", help="the outage in a probe's file")
    verb.add_argument("file")
    verb.set_defaults(run=outage)

    verb = verbs.add_parser("insert-loop", help="insert until SIGTERM, write each acknowledged key range")
    verb.add_argument("--interval", type=seconds, default=0.02)
    verb.add_argument("--out", required=True)
    verb.add_argument("--dim", type=int, default=32)
    verb.add_argument("--flush", type=seconds, help="also ask for a flush each time so much has passed")
    verb.add_argument("--max-seconds", type=float, default=900)
    verb.set_defaults(run=insert_loop)

    verb = verbs.add_parser("count-acked", help="every acknowledged row must be found")
    verb.add_argument("file")
    verb.set_defaults(run=count_acked)

    arguments = parser.parse_args()
    if arguments.verb != "outage":
        host, _, port = arguments.address.rpartition(":")
        connections.connect("default", host=host, port=port, timeout=10)
    arguments.run(arguments)


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # the door: whatever the library throws becomes one line
        sys.exit(f"client: {type(error).__name__}: {one_line(error)}")
