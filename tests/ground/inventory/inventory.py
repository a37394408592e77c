# SPDX-License-Identifier: Apache-2.0
"""What a client sees on a Milvus 2.1 or 2.2, as one JSON document: `compare.py` tells two of them apart.

The server is asked by the calls of its own protocol, which both versions have, and not by the library, whose answers
differ between versions. Only `seed21` and `load-released` change anything on it.
"""

import argparse
import hashlib
import json
import logging
import sys
import time

import grpc
import numpy
import seed21
from pymilvus import Collection, DataType, connections
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc, schema_pb2

QUERIES = 3
TOP = 10
SEARCH_PARAMETERS = {
    "IVF_FLAT": {"nprobe": 64},
    "IVF_SQ8": {"nprobe": 64},
    "HNSW": {"ef": 256},
    "ANNOY": {"search_k": 500},
    "BIN_IVF_FLAT": {"nprobe": 16},
}
BINARY = DataType.BINARY_VECTOR


def one_line(text):
    return " ".join(str(text).split())[:300]


class Server:
    """The calls of the protocol; a status other than success ends the program unless its code is one of `absent`."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address, options=[("grpc.max_receive_message_length", -1)])
        self.stub = milvus_pb2_grpc.MilvusServiceStub(self.channel)

    def __call__(self, method, request, absent=()):
        reply = getattr(self.stub, method)(request, timeout=30)
        if reply.status.error_code:
            name = common_pb2.ErrorCode.Name(reply.status.error_code)
            if name in absent or any(text in reply.status.reason for text in absent):
                return None
            raise SystemExit(f"client: {method}: {name}: {one_line(reply.status.reason)}")
        return reply

    def version(self):
        """`v2.2.16...`; a 2.1 has no such call."""
        if hasattr(milvus_pb2, "GetVersionRequest"):
            return self("GetVersion", milvus_pb2.GetVersionRequest()).version
        call = self.channel.unary_unary("/milvus.proto.milvus.MilvusService/GetVersion")
        try:
            call(b"", timeout=30)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNIMPLEMENTED:
                return "2.1"
            raise
        raise SystemExit("client: this server is newer than 2.1: ask it with a newer client (--client 2.2.17)")


def pairs(values):
    return {pair.key: pair.value for pair in values}


def field_of(field):
    return {
        "id": field.fieldID,
        "name": field.name,
        "type": schema_pb2.DataType.Name(field.data_type),
        "primary": field.is_primary_key,
        "auto_id": field.autoID,
        "description": field.description,
        "parameters": pairs(field.type_params),
    }


def indexes_of(server, name):
    request = milvus_pb2.DescribeIndexRequest(collection_name=name)
    reply = server("DescribeIndex", request, absent=("IndexNotExist", "index not exist", "index doesn't exist"))
    found = []
    for index in reply.index_descriptions if reply else ():
        parameters = pairs(index.params)
        inner = json.loads(parameters.pop("params", "{}"))
        found.append({"name": index.index_name, "id": index.indexID, "field": index.field_name, **parameters, "params": inner})
    return sorted(found, key=lambda index: (index["field"], index["name"]))


def partitions_of(server, name):
    reply = server("ShowPartitions", milvus_pb2.ShowPartitionsRequest(collection_name=name))
    found = {}
    for partition, number in zip(reply.partition_names, reply.partitionIDs):
        request = milvus_pb2.GetPartitionStatisticsRequest(collection_name=name, partition_name=partition)
        rows = pairs(server("GetPartitionStatistics", request).stats)["row_count"]
        found[partition] = {"id": number, "rows": int(rows)}
    return found


def loaded_partitions_of(server, name, partitions):
    """Asked one by one: a 2.1 fails on a list of all when one of them has been dropped."""
    found = []
    for partition in partitions:
        request = milvus_pb2.ShowPartitionsRequest(
            collection_name=name, partition_names=[partition], type=milvus_pb2.ShowType.Value("InMemory")
        )
        reply = server("ShowPartitions", request, absent=("UnexpectedError",))
        if reply and partition in reply.partition_names:
            found.append(partition)
    return sorted(found)


def query_vectors(name, field):
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    random = numpy.random.RandomState(seed)
    dimension = int(field["parameters"]["dim"])
    if field["type"] == "BinaryVector":
        return [bytes(row) for row in random.randint(0, 256, (QUERIES, dimension // 8)).astype("uint8")]
    return random.random_sample((QUERIES, dimension)).astype("float32").tolist()


def as_json(value):
    return value.hex() if isinstance(value, bytes) else value


def with_patience(seconds, action):
    """A server that has just started refuses searches until it has loaded."""
    end = time.monotonic() + seconds
    while True:
        try:
            return action()
        except Exception:  # whatever the library throws
            if time.monotonic() >= end:
                raise
            time.sleep(0.5)


def plain(value):
    """The same for the values of both libraries: the older one rounds floats to six digits, the newer one puts a binary
    vector into a list."""
    if isinstance(value, list) and value and isinstance(value[0], bytes):
        value = value[0]
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, (float, numpy.floating)):
        return round(float(value), 6)
    return as_json(value)


def rows_of(collection, fields, partitions):
    """Number and digest of all rows, every field of them. A 2.1.0 gives BOOL columns out at random, though it filters by
    them rightly: so they are told by the keys of the rows in which they are true."""
    key = next(field for field in fields if field["primary"])
    everything = f"{key['name']} >= -1" if key["type"] == "Int64" else f'{key["name"]} >= ""'

    def query(expression, columns):
        return collection.query(
            expression, output_fields=columns, partition_names=partitions, timeout=120, consistency_level="Strong"
        )

    names = [field["name"] for field in fields if field["type"] != "Bool"]
    lines = sorted(json.dumps([plain(row[name]) for name in names]) for row in query(everything, names))
    digest = hashlib.sha256("\n".join(lines).encode())
    for field in fields:
        if field["type"] == "Bool":
            rows = query(f"{field['name']} == true", [key["name"]])
            digest.update(json.dumps([field["name"], sorted(row[key["name"]] for row in rows)]).encode())
    return {
        "count": len(lines),
        "sha256": digest.hexdigest(),
        "count_anywhere": len(collection.query(everything, output_fields=[key["name"]], timeout=120, consistency_level="Strong")),
    }


def searches_of(name, seen, partitions, patience):
    """Only in partitions that exist: a 2.1.0 still returns rows of a dropped one, told by `count_anywhere`."""
    collection = Collection(name)
    field = next(field for field in seen["fields"] if field["type"].endswith("Vector"))
    index = next((index for index in seen["indexes"] if index["field"] == field["name"]), None)
    metric = index["metric_type"] if index else "L2"
    parameters = {"metric_type": metric, "params": SEARCH_PARAMETERS.get(index["index_type"] if index else "", {})}
    queries = query_vectors(name, field)

    def search():
        hits = collection.search(
            queries, field["name"], parameters, TOP, partition_names=partitions, timeout=30, consistency_level="Strong"
        )
        return [[[key, round(distance, 5)] for key, distance in zip(hit.ids, hit.distances)] for hit in hits]

    return {
        "queries": [as_json(query) for query in queries],
        "metric": metric,
        "top": with_patience(patience, search),
        "rows": with_patience(patience, lambda: rows_of(collection, seen["fields"], partitions)),
    }


def collection_of(server, name, is_loaded, patience):
    described = server("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))
    statistics = server("GetCollectionStatistics", milvus_pb2.GetCollectionStatisticsRequest(collection_name=name))
    seen = {
        "id": described.collectionID,
        "description": described.schema.description,
        "shards": described.shards_num,
        "consistency_level": common_pb2.ConsistencyLevel.Name(described.consistency_level),
        "created": described.created_timestamp,
        "channels": list(described.virtual_channel_names),
        "aliases": sorted(described.aliases),
        "fields": [field_of(field) for field in described.schema.fields],
        "partitions": partitions_of(server, name),
        "flushed_rows": int(pairs(statistics.stats)["row_count"]),
        "indexes": indexes_of(server, name),
        "loaded_partitions": [],
        "search": None,
    }
    if is_loaded:
        seen["loaded_partitions"] = with_patience(patience, lambda: loaded_partitions_of(server, name, seen["partitions"]))
        seen["search"] = searches_of(name, seen, seen["loaded_partitions"], patience)
    return seen


def inventory(arguments):
    server = Server(arguments.address)
    version = server.version()
    every = server("ShowCollections", milvus_pb2.ShowCollectionsRequest())
    loaded = server("ShowCollections", milvus_pb2.ShowCollectionsRequest(type=milvus_pb2.ShowType.Value("InMemory")))
    return {
        "server": version,
        "users": sorted(server("ListCredUsers", milvus_pb2.ListCredUsersRequest()).usernames),
        "collections": {
            name: collection_of(server, name, name in loaded.collection_names, arguments.patience)
            for name in sorted(every.collection_names)
        },
    }


def seed(arguments):
    version = Server(arguments.address).version()
    if not version.startswith("2.1"):
        raise SystemExit(f"client: seed21 is for a 2.1: this server says {version}")
    return seed21.seed(arguments)


def load_released(arguments):
    """Loads again what the inventory saw loaded and what now is not, making the index that a 2.2 asks for."""
    with open(arguments.before, encoding="utf-8") as file:
        before = json.load(file)
    server = Server(arguments.address)
    reply = server("ShowCollections", milvus_pb2.ShowCollectionsRequest(type=milvus_pb2.ShowType.Value("InMemory")))
    done = []
    for name, seen in before["collections"].items():
        if not seen["loaded_partitions"] or name in reply.collection_names:
            continue
        collection = Collection(name)
        if not collection.indexes:
            collection.create_index("vector", {"index_type": "FLAT", "metric_type": "L2", "params": {}}, timeout=120)
        collection.load(timeout=120)
        done.append(name)
    return done


def drop(arguments):
    Collection(arguments.collection).drop(timeout=60)
    return arguments.collection


def main():
    logging.disable(logging.CRITICAL)  # the library logs every error that it raises as well
    parser = argparse.ArgumentParser(prog="ground client")
    parser.add_argument("--address", required=True)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verb = verbs.add_parser("seed21", help="data of real shape on an empty 2.1")
    verb.add_argument("--segments", type=int, default=6, help="flushes, and so segments, of the collection of that name")
    verb.set_defaults(run=seed)
    verb = verbs.add_parser("inventory", help="everything that a client can see, as JSON")
    verb.add_argument("--patience", type=float, default=120, help="seconds for a server that still loads")
    verb.set_defaults(run=inventory)
    verb = verbs.add_parser("load-released", help="load again what was loaded in this inventory and is not now")
    verb.add_argument("before")
    verb.set_defaults(run=load_released)
    verb = verbs.add_parser("drop", help="drop a collection")
    verb.add_argument("collection")
    verb.set_defaults(run=drop)
    arguments = parser.parse_args()
    host, _, port = arguments.address.rpartition(":")
    connections.connect("default", host=host, port=port, timeout=10)
    json.dump(arguments.run(arguments), sys.stdout, indent=1, ensure_ascii=False, sort_keys=True)
    print()


if __name__ == "__main__":
    try:
        main()
    except Exception as error:  # the door: whatever the library throws becomes one line
        sys.exit(f"client: {type(error).__name__}: {one_line(error)}")
