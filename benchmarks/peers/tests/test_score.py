"""The ruler."""

import unittest

from driver import score


class Curves(unittest.TestCase):
    def test_pairs_of_equal_probability_are_taken_together(self):
        curve = score._curve([(0.9, True), (0.5, True), (0.5, False)], wanted=4)
        self.assertEqual(curve, [(1.0, 0.25), (2 / 3, 0.5)])

    def test_calibration_is_the_mean_distance_of_unsure_pairs(self):
        sure = [(0.999, True)] * 50
        found = score._calibration(
            [*sure, (0.75, True), (0.75, True), (0.75, False), (0.75, False), (0.15, False)]
        )
        self.assertEqual(found["pairs"], 5)
        self.assertAlmostEqual(found["distance"], (4 * 0.25 + 0.15) / 5)

    def test_nothing_unsure_has_no_distance(self):
        self.assertIsNone(score._calibration([(0.99, True)])["distance"])

    def test_the_ends_of_a_long_curve_are_shown(self):
        curve = [(1.0, i / 5000) for i in range(5000)]
        shown = score._thin(curve)
        self.assertLessEqual(len(shown), 2 * score.CURVE_POINTS)
        self.assertEqual(shown[-1][1], round(4999 / 5000, 6))
