# SPDX-License-Identifier: Apache-2.0
"""Offline: the tables that the product cites say what was measured, and nothing more."""

import argparse
import unittest

import stop_table


def run_of(**changes):
    run = dict(zip(stop_table.RUN_FIELDS, "2026-01-02 2.2.16 querynode kafka together 2.3.5 1 1.12 137 1/1 100 0 2.0".split()))
    run.update(changes)
    return run


class Summary(unittest.TestCase):
    def test_one_lost_row_in_one_run_decides(self):
        (result,) = stop_table.summarise([run_of(), run_of(missing="1"), run_of()])
        self.assertEqual(("lost", "1", "3"), (result["verdict"], result["missing"], result["runs"]))

    def test_ranges_and_sums(self):
        runs = [run_of(), run_of(term_to_exit_s="0.20", exit="0", keys_left="0/1", acked="50", date="2026-01-03")]
        (result,) = stop_table.summarise(runs)
        self.assertEqual("0.20-1.12", result["term_to_exit_s"])
        self.assertEqual("0,137", result["exits"])
        self.assertEqual("0/1,1/1", result["keys_left"])
        self.assertEqual("150", result["acked"])
        self.assertEqual("2026-01-03", result["date"])

    def test_a_kind_of_row_never_stands_for_another(self):
        runs = [run_of(), run_of(version="2.3.5"), run_of(term_s="5"), run_of(scope="alone")]
        self.assertEqual(4, len(stop_table.summarise(runs)))


class Cases(unittest.TestCase):
    def test_all_are_understood(self):
        for case in stop_table.ALL + stop_table.SAMPLE:
            stop_table.parse_case(case)

    def test_nonsense_is_refused(self):
        for case in ["", "2.2.16", "2.2.16:proxxy", "2.2.16>2.3.5:proxy"]:
            with self.assertRaises(argparse.ArgumentTypeError):
                stop_table.parse_case(case)


class Files(unittest.TestCase):
    def test_results_follow_from_the_runs(self):
        runs = stop_table.read_table(stop_table.HERE / "runs.tsv", stop_table.RUN_FIELDS)
        results = stop_table.read_table(stop_table.HERE / "results.tsv", stop_table.RESULT_FIELDS)
        self.assertTrue(runs)
        self.assertEqual(stop_table.summarise(runs), results)


if __name__ == "__main__":
    unittest.main()
