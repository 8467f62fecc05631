"""Figures of several runs as one."""

import unittest

from driver import bench, options
from driver.failure import Failure


def result(name, load=0.1, renkei="1", **more):
    return {
        "machine": {"processor": "one", "load": load},
        "versions": {"renkei": renkei},
        "commands": [f"run {name}"],
        "datasets": [{"name": name}],
        **more,
    }


class Merging(unittest.TestCase):
    def test_runs_come_in_their_order_with_the_greatest_load(self):
        made = bench.merged([result("a", load=0.2), result("b", load=0.9, kernels="a table"), result("c")])
        self.assertEqual([dataset["name"] for dataset in made["datasets"]], ["a", "b", "c"])
        self.assertEqual(made["commands"], ["run a", "run b", "run c"])
        self.assertEqual((made["machine"]["load"], made["kernels"]), (0.9, "a table"))

    def test_what_is_not_alike_is_not_mixed(self):
        with self.assertRaisesRegex(Failure, "versions"):
            bench.merged([result("a"), result("b", renkei="2")])
        with self.assertRaisesRegex(Failure, "a is in two files"):
            bench.merged([result("a"), result("a")])


class CommandLine(unittest.TestCase):
    def test_the_command_of_the_page_measures_the_same_again(self):
        for said in (
            [],
            ["--tasks", "link", "--sizes", "5m,10m", "--mixes", "typical", "--rounds", "1"],
            ["--tasks", "dedupe", "--dedupe", "1m", "--peers-max", "100k", "--only", "renkei,splink"],
        ):
            given = options.parse(said)
            again = options.parse(bench.command_line(given).split()[1:])
            for name in ("tasks", "mixes", "rounds", "only"):
                self.assertEqual(getattr(again, name), getattr(given, name), name)
            if "link" in given.tasks:
                self.assertEqual(again.sizes, given.sizes)
            if "dedupe" in given.tasks:
                self.assertEqual(again.dedupe, given.dedupe)
