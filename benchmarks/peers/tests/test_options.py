"""The options."""

import contextlib
import io
import unittest

from driver import options


class Sizes(unittest.TestCase):
    def test_sizes_have_units_and_come_in_order(self):
        self.assertEqual(options.parse(["--sizes", "1m,100k,2000"]).sizes, [2_000, 100_000, 1_000_000])

    def test_what_is_no_size_or_system_is_refused(self):
        for wrong in (["--sizes", "5x"], ["--sizes", "10"], ["--only", "renkei,excel"], ["--rounds", "0"]):
            with (
                self.subTest(wrong),
                contextlib.redirect_stderr(io.StringIO()),
                self.assertRaises(SystemExit) as end,
            ):
                options.parse(wrong)
            self.assertEqual(end.exception.code, 2)

    def test_a_quick_run_is_small_whatever_else_is_said(self):
        given = options.parse(["--quick", "--sizes", "10m", "--rounds", "9"])
        self.assertEqual((given.sizes, given.mixes, given.rounds), ([20_000], ["typical"], 1))
