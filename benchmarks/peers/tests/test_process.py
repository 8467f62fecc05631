"""Limits: a peer that would take the whole machine ends, and the others do not."""

import sys
import tempfile
import unittest
from pathlib import Path

from driver.failure import Failure
from driver.process import Limits, Stopped, measured

ENOUGH = Limits(60, 4_000_000_000)


class Measuring(unittest.TestCase):
    def setUp(self):
        self.log = Path(self.enterContext(tempfile.TemporaryDirectory())) / "log"

    def run_python(self, program, limits=ENOUGH):
        return measured([sys.executable, "-c", program], "a program", self.log, limits)

    def test_cost_is_that_of_the_program_alone(self):
        cost = self.run_python("held = bytearray(100_000_000); sum(range(3_000_000))")
        self.assertEqual(set(cost), {"wall", "cpu", "peak_bytes"})
        self.assertGreater(cost["peak_bytes"], 100_000_000)
        self.assertLessEqual(cost["cpu"], cost["wall"] + 0.1)

    def test_who_takes_too_long_is_stopped(self):
        with self.assertRaisesRegex(Stopped, "after 0.01 minutes"):
            self.run_python("while True: pass", Limits(0.6, ENOUGH.memory_bytes))

    @unittest.skipUnless(sys.platform == "linux", "memory is watched on Linux alone")
    def test_who_takes_too_much_memory_is_stopped(self):
        with self.assertRaisesRegex(Stopped, "more than 0.1 GB"):
            self.run_python("held = bytearray(b'x' * 300_000_000)\nwhile True: pass", Limits(60, 100_000_000))

    def test_who_says_that_memory_ends_is_no_failure_and_whoever_else_fails_is(self):
        with self.assertRaises(Stopped):
            self.run_python("raise MemoryError")
        with self.assertRaisesRegex(Failure, "KeyError"):
            self.run_python("raise KeyError")
