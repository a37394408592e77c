# SPDX-License-Identifier: Apache-2.0
"""compare.py: what a migration changes by itself passes, each of it changed in any other way does not."""

import copy
import unittest

from compare import compare


def rows(**changes):
    return {"count": 10, "sha256": "x", "count_anywhere": 10, **changes}


def collection(**changes):
    seen = {
        "id": 1,
        "aliases": ["a"],
        "fields": [{"id": 100, "name": "id", "primary": True}, {"id": 101, "name": "vector", "primary": False}],
        "partitions": {"_default": {"id": 2, "rows": 10}},
        "indexes": [{"name": "_default_idx", "id": 7, "field": "vector", "index_type": "IVF_FLAT", "metric_type": "L2"}],
        "loaded_partitions": ["_default"],
        "search": {
            "top": [[[1, 0.5], [2, 0.75], [3, 4.0]]],
            "rows": rows(),
        },
    }
    seen.update(changes)
    return seen


def inventory(server, seen):
    return {"server": server, "users": ["root"], "collections": {"c": seen}}


def index(**changes):
    return {**collection()["indexes"][0], **changes}


class Compare(unittest.TestCase):
    def check(self, before, after, wanted, servers=("2.1", "v2.2.16")):
        found, _ = compare(inventory(servers[0], before), inventory(servers[1], after))
        self.assertEqual(len(found), wanted, found)

    def migrated(self, **changes):
        return collection(**{"indexes": [index(name="_default_idx_101")], **changes})

    def searched(self, **changes):
        return {**collection()["search"], **changes}

    def test_same_version_must_be_equal(self):
        both = ("2.1", "2.1")
        self.check(collection(), collection(), 0, both)
        self.check(collection(), self.migrated(), 1, both)
        self.check(collection(), collection(aliases=[]), 1, both)
        self.check(collection(), collection(search=self.searched(rows=rows(count_anywhere=9))), 1, both)

    def test_default_index_name_takes_the_field(self):
        self.check(collection(), self.migrated(), 0)
        self.check(collection(), collection(), 1)
        self.check(collection(), self.migrated(indexes=[index(name="_default_idx_100")]), 1)
        self.check(collection(indexes=[index(name="own")]), self.migrated(indexes=[index(name="own")]), 0)

    def test_index_lost_or_of_another_id(self):
        self.check(collection(), self.migrated(indexes=[]), 1)
        self.check(collection(), self.migrated(indexes=[index(name="_default_idx_101", id=8)]), 1)

    def test_collection_lacking_or_new(self):
        found, _ = compare(inventory("2.1", collection()), {"server": "v2.2.16", "users": ["root"], "collections": {}})
        self.assertEqual(found, ["collections.c: is lacking"])
        after = inventory("v2.2.16", self.migrated())
        after["collections"]["d"] = self.migrated()
        self.assertEqual(compare(inventory("2.1", collection()), after)[0], ["collections.d: is new"])

    def test_release_for_want_of_an_index_only(self):
        bare = collection(indexes=[])
        flat = [index(name="_default_idx_101", index_type="FLAT", id=99)]
        self.check(bare, collection(indexes=[], loaded_partitions=[], search=None), 0)
        self.check(bare, collection(indexes=flat), 0)
        self.check(bare, collection(indexes=flat, search=self.searched(top=[[[9, 0.5], [2, 0.75], [3, 4.0]]])), 1)
        self.check(collection(), self.migrated(loaded_partitions=[], search=None), 2)

    def test_rows_of_dropped_partitions(self):
        before = collection(search=self.searched(rows=rows(count_anywhere=12)))
        self.check(before, self.migrated(), 0)
        self.check(before, self.migrated(search=self.searched(rows=rows(count_anywhere=12))), 1)
        self.check(before, self.migrated(search=self.searched(rows=rows(count=9, sha256="y"))), 2)

    def test_rows_of_the_queue_may_be_flushed(self):
        def of(flushed, rows):
            return {"flushed_rows": flushed, "partitions": {"_default": {"id": 2, "rows": rows}}}

        before = collection(**of(10, 10))
        self.check(before, self.migrated(**of(13, 13)), 0)
        self.check(before, self.migrated(**of(13, 10)), 1)
        self.check(before, self.migrated(**of(7, 7)), 2)

    def test_annoy_gives_square_roots(self):
        before = collection(indexes=[index(index_type="ANNOY")])
        after = [index(index_type="ANNOY", name="_default_idx_101")]
        roots = self.searched(top=[[[1, 0.70711], [2, 0.86603], [3, 2.0]]])
        self.check(before, self.migrated(indexes=after, search=roots), 0)
        self.check(before, self.migrated(indexes=after), 1)
        self.check(collection(), self.migrated(search=roots), 1)

    def test_equal_distances_have_no_order(self):
        ties = self.searched(top=[[[1, 0.5], [2, 0.5], [3, 4.0]]])
        turned = self.searched(top=[[[2, 0.5], [1, 0.5], [3, 4.0]]])
        self.check(collection(search=ties), self.migrated(search=turned), 0)
        other = self.searched(top=[[[2, 0.5], [4, 0.5], [3, 4.0]]])
        self.check(collection(search=ties), self.migrated(search=other), 1)
        cut = self.searched(top=[[[1, 0.5], [2, 4.0], [3, 4.0]]])
        cut_elsewhere = self.searched(top=[[[1, 0.5], [5, 4.0], [3, 4.0]]])
        self.check(collection(search=cut), self.migrated(search=cut_elsewhere), 0)

    def test_distances_count(self):
        self.check(collection(), self.migrated(search=self.searched(top=[[[1, 0.5], [2, 0.75], [3, 4.1]]])), 1)
        self.check(collection(), self.migrated(search=self.searched(top=[[[1, 0.5], [2, 0.75]]])), 1)

    def test_no_rule_for_other_versions(self):
        self.check(collection(), self.migrated(), 0, ("2.1", "v2.3.5"))
        self.check(collection(), self.migrated(), 1, ("2.1", "v2.4.0"))
        self.check(collection(), self.migrated(), 1, ("v2.2.16", "2.1"))

    def test_inputs_are_left_alone(self):
        before, after = inventory("2.1", collection()), inventory("v2.2.16", self.migrated())
        kept = copy.deepcopy((before, after))
        compare(before, after)
        self.assertEqual((before, after), kept)


if __name__ == "__main__":
    unittest.main()
