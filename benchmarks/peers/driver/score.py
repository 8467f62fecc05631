"""How right a system is.

Links are scored by `renkei evaluate`, whoever made them. Curves and calibration come from the same rows.
"""

import csv
import json
from itertools import groupby

from .process import call

PRECISION = 0.999
CURVE_POINTS = 400
BINS = 10
# Surer pairs than this are nearly all of them, and would hide the rest.
SURE = 0.02


def score(environment, dataset, candidates):
    """Best F1, recall at a high precision, the curve of both and the calibration."""
    if dataset.pairs is not None:
        pairs = list(_pairs(candidates, _truth(dataset.truth)))
        curve = _curve(pairs, dataset.pairs)
        best = max(_f1(precision, recall) for precision, recall in curve)
        recall_at = max((recall for precision, recall in curve if precision >= PRECISION), default=0.0)
        return {"f1": best, "recall": recall_at, "curve": _thin(curve), "calibration": _calibration(pairs)}
    said = json.loads(
        call(
            [environment.renkei, "evaluate", "--predictions", candidates, "--truth", dataset.truth, "--json"],
            "evaluate",
        )
    )
    truth = _truth(dataset.truth)
    first, every = [], []
    with open(candidates, newline="") as file:
        for row in csv.DictReader(file):
            pair = float(row["probability"]), truth.get(row["list_id"]) == row["register_id"]
            every.append(pair)
            if row["rank"] == "1":
                first.append(pair)
    curve = _curve(first, sum(1 for known in truth.values() if known))
    return {
        "f1": said["best"]["f1"],
        "recall": said["recall_at_precision"][str(PRECISION)],
        "curve": _thin(curve),
        "calibration": _calibration(every),
    }


def _truth(path):
    with open(path, newline="") as file:
        rows = csv.reader(file)
        next(rows)
        return dict(rows)


def _pairs(path, person):
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            yield float(row["probability"]), person[row["id_a"]] == person[row["id_b"]]


def _f1(precision, recall):
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _curve(pairs, wanted):
    """(precision, recall) at every cut; pairs of equal probability are taken together."""
    points, taken, right = [], 0, 0
    for _, level in groupby(sorted(pairs, reverse=True), key=lambda pair: pair[0]):
        level = [good for _, good in level]
        taken, right = taken + len(level), right + sum(level)
        points.append((right / taken, right / wanted))
    return points


def _thin(curve):
    """As many points as a plot can show."""
    step = max(1, len(curve) // CURVE_POINTS)
    return [[round(value, 6) for value in point] for point in curve[::-1][::step][::-1]]


def _calibration(pairs):
    """Ten bins of the unsure pairs: what was said, what was true, and the mean distance over all of them."""
    bins = [[] for _ in range(BINS)]
    for probability, good in pairs:
        if SURE <= probability <= 1 - SURE:
            bins[min(int(probability * BINS), BINS - 1)].append((probability, good))
    filled = [
        {
            "pairs": len(found),
            "said": sum(p for p, _ in found) / len(found),
            "true": sum(g for _, g in found) / len(found),
        }
        for found in bins
        if found
    ]
    total = sum(found["pairs"] for found in filled)
    distance = sum(found["pairs"] * abs(found["said"] - found["true"]) for found in filled)
    return {"bins": filled, "distance": distance / total if total else None, "pairs": total}
