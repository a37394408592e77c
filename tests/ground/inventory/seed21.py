# SPDX-License-Identifier: Apache-2.0
"""Data of real shape on a Milvus 2.1: what a migration of its metadata must carry over, and what it must leave out.

Each collection stands for one way in which metadata comes to be; the README of the ground lists them. Everything is made
from fixed seeds, so that two runs differ in ids only.
"""

import numpy
from pymilvus import Collection, CollectionSchema, DataType, FieldSchema, utility

SECONDS = 300
DELETED = 20  # rows deleted before the flush, and as many after it
SEGMENT = 1100  # a segment of fewer than 1024 rows is not indexed

TYPES = {DataType.INT8: "int8", DataType.INT16: "int16", DataType.INT32: "int32", DataType.FLOAT: "float32"}


def key(kind=DataType.INT64, **options):
    return FieldSchema("id", kind, is_primary=True, **options)


def vector(dimension=32, kind=DataType.FLOAT_VECTOR):
    return FieldSchema("vector", kind, dim=dimension)


def floats(seed, count, dimension=32):
    return numpy.random.RandomState(seed).random_sample((count, dimension)).astype("float32").tolist()


def bits(seed, count, dimension):
    values = numpy.random.RandomState(seed).randint(0, 256, (count, dimension // 8)).astype("uint8")
    return [bytes(row) for row in values]


def make(name, fields, shards=1, level="Strong", description=""):
    if utility.has_collection(name):
        raise SystemExit(f"client: there is a collection called {name} already: seed21 wants an empty server")
    return Collection(name, CollectionSchema(fields, description), shards_num=shards, consistency_level=level)


def insert(collection, columns, partition=None):
    """The library takes the type of a column from its first value: where Python's own would do for several, it is given."""
    fields = [field for field in collection.schema.fields if not field.auto_id]
    typed = [
        numpy.array(column, dtype=TYPES[field.dtype]) if field.dtype in TYPES else column
        for field, column in zip(fields, columns)
    ]
    collection.insert(typed, partition_name=partition, timeout=SECONDS)


def flush(collection):
    # 2.1 flushes when the number of rows is asked for.
    return collection.num_entities


def index(collection, kind, metric, parameters, field="vector", **options):
    collection.create_index(
        field, {"index_type": kind, "metric_type": metric, "params": parameters}, timeout=SECONDS, **options
    )


def books(_):
    """Loaded as a whole; partitions, one of them dropped; deleted and unflushed rows."""
    fields = [
        key(),
        FieldSchema("title", DataType.VARCHAR, max_length=200, description="Títle, 标题"),
        FieldSchema("price", DataType.DOUBLE),
        FieldSchema("year", DataType.INT32),
        FieldSchema("in_stock", DataType.BOOL),
        vector(),
    ]
    collection = make("books", fields, shards=2, description="Bücher, 书籍")

    def rows(first, count):
        keys = list(range(first, first + count))
        return [
            keys,
            [f"title {k}" for k in keys],
            [k * 0.25 for k in keys],
            [1900 + k % 120 for k in keys],
            [k % 3 == 0 for k in keys],
            floats(first, count),
        ]

    for partition in ("p2021", "p2022", "p_old"):
        collection.create_partition(partition)
    insert(collection, rows(0, 3000), "p2021")
    insert(collection, rows(3000, 2600), "p2022")
    insert(collection, rows(5600, 300))
    insert(collection, rows(6000, 200), "p_old")
    collection.delete(f"id in {list(range(10, 10 + DELETED))}", timeout=SECONDS)
    flush(collection)
    index(collection, "IVF_FLAT", "L2", {"nlist": 64})
    # Before the load: a 2.1.0 that has lost a loaded partition does not bring the collection up again after a restart.
    collection.drop_partition("p_old", timeout=SECONDS)
    collection.load(timeout=SECONDS)
    # In the message queue only.
    collection.delete(f"id in {list(range(4000, 4000 + DELETED))}", timeout=SECONDS)
    insert(collection, rows(7000, 37), "p2022")


def images(_):
    """Keys made by the server; loaded by partition."""
    fields = [key(auto_id=True), FieldSchema("label", DataType.VARCHAR, max_length=64), vector(64)]
    collection = make("images", fields, level="Eventually")
    for partition, count in (("cats", 2700), ("dogs", 1500)):
        collection.create_partition(partition)
        insert(collection, [[f"{partition} {i}" for i in range(count)], floats(count, count, 64)], partition)
    flush(collection)
    index(collection, "HNSW", "IP", {"M": 8, "efConstruction": 64}, index_name="hnsw_images")
    collection.load(["cats"], timeout=SECONDS)


def users(_):
    """VARCHAR key with a scalar index; not loaded."""
    fields = [key(DataType.VARCHAR, max_length=32), FieldSchema("age", DataType.INT8), vector()]
    collection = make("users", fields, shards=2, level="Session")
    insert(collection, [[f"u{i:05d}" for i in range(1550)], [i % 100 for i in range(1550)], floats(3, 1550)])
    flush(collection)
    collection.create_index("id", {"index_type": "Trie"}, index_name="uid_trie", timeout=SECONDS)


def raw(_):
    """Loaded without any index: the migration releases it."""
    collection = make("raw", [key(), FieldSchema("score", DataType.FLOAT), vector(8)], shards=2, level="Bounded")
    insert(collection, [list(range(700)), [i / 7 for i in range(700)], floats(4, 700, 8)])
    flush(collection)
    collection.load(timeout=SECONDS)


def archive(_):
    """Indexed, loaded, released again."""
    collection = make("archive", [key(), vector()], level="Customized")
    insert(collection, [list(range(2000)), floats(5, 2000)])
    flush(collection)
    index(collection, "IVF_SQ8", "L2", {"nlist": 32})
    collection.load(timeout=SECONDS)
    collection.release(timeout=SECONDS)


def prints(_):
    """Binary vectors."""
    collection = make("prints", [key(), FieldSchema("h16", DataType.INT16), vector(256, DataType.BINARY_VECTOR)])
    insert(collection, [list(range(2010)), [i % 999 for i in range(2010)], bits(6, 2010, 256)])
    flush(collection)
    index(collection, "BIN_IVF_FLAT", "JACCARD", {"nlist": 16})
    collection.load(timeout=SECONDS)


def trees(_):
    """One index dropped, another kind made."""
    collection = make("trees", [key(), vector()])
    insert(collection, [list(range(2500)), floats(7, 2500)])
    flush(collection)
    index(collection, "IVF_FLAT", "L2", {"nlist": 16})
    collection.drop_index()
    index(collection, "ANNOY", "L2", {"n_trees": 8})
    collection.load(timeout=SECONDS)


def segments(arguments):
    """Many segments, each with its own index build."""
    collection = make("segments", [key(), vector(16)])
    for number in range(arguments.segments):
        first = number * SEGMENT
        insert(collection, [list(range(first, first + SEGMENT)), floats(100 + number, SEGMENT, 16)])
        flush(collection)
    index(collection, "IVF_FLAT", "L2", {"nlist": 8})
    collection.load(timeout=SECONDS)


def empty(_):
    """Never filled, never loaded."""
    make("empty", [key(), vector()], shards=2, level="Bounded")


def gone(_):
    """Dropped with its rows and its index."""
    collection = make("gone", [key(), vector()])
    insert(collection, [list(range(1200)), floats(8, 1200)])
    flush(collection)
    index(collection, "IVF_FLAT", "L2", {"nlist": 8})
    collection.drop(timeout=SECONDS)


def aliases():
    utility.create_alias("books", "current")
    utility.create_alias("books", "latest")
    utility.create_alias("books", "moving")
    utility.alter_alias("users", "moving")
    utility.create_alias("images", "old_name")
    utility.drop_alias("old_name")


COLLECTIONS = (books, images, users, raw, archive, prints, trees, segments, empty, gone)


def seed(arguments):
    for fill in COLLECTIONS:
        fill(arguments)
    aliases()
    utility.create_credential("reader", "Reader-1")
    return sorted(fill.__name__ for fill in COLLECTIONS if fill is not gone)
