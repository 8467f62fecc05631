"""Draws the plots of the page: `plots.py RESULT.json FOLDER`; prints the names of the files.

Run by the Python that has matplotlib, unlike the rest of the driver.
"""

import json
import sys
from pathlib import Path

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams.update(
    {"svg.hashsalt": "renkei", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}
)
import matplotlib.pyplot as plt  # noqa: E402  (the backend is chosen first)

COLOURS = {"renkei": "#0b6e4f", "splink": "#c8553d", "recordlinkage": "#5b6c8f"}
# The share of fewer pairs than this is chance.
BIN_PAIRS_MIN = 20
STYLES = {"tight": "-", "wide": "--", "templates": ":"}


def family(entry):
    return entry["system"].split("-")[0]


def style(entry):
    return STYLES.get(entry["system"].split("-")[-1], "-")


def save(figure, folder, name):
    figure.tight_layout()
    figure.savefig(folder / name, metadata={"Date": None})
    plt.close(figure)
    print(name)


def bars(dataset, folder):
    """CPU, with the normalisation of its user in front, and memory."""
    entries = dataset["systems"][::-1]
    figure, (cpu, memory) = plt.subplots(1, 2, figsize=(9, 0.5 + 0.35 * len(entries)), sharey=True)
    titles = [entry["title"] for entry in entries]
    colours = [COLOURS[family(entry)] for entry in entries]
    before = [entry["normalise_cpu"] for entry in entries]
    cpu.barh(titles, before, color="#bbbbbb", label="normalisation by its user")
    cpu.barh(titles, [entry["link_cpu"] for entry in entries], left=before, color=colours)
    cpu.set_xlabel("CPU seconds")
    if any(before):
        cpu.legend(frameon=False, fontsize=8)
    memory.barh(titles, [entry["peak_bytes"] / 1e6 for entry in entries], color=colours)
    memory.set_xlabel("peak memory, MB")
    save(figure, folder, f"cost-{dataset['name']}.svg")


def quality(dataset, folder):
    """Precision against recall, and what was said against what was true."""
    entries = [
        entry
        for entry in dataset["systems"]
        if entry["system"] not in ("renkei-1", "renkei-saved", "splink-saved")
    ]
    figure, (curve, calibration) = plt.subplots(1, 2, figsize=(9, 3.6))
    for entry in entries:
        how = {"color": COLOURS[family(entry)], "linestyle": style(entry), "linewidth": 1.3}
        points = [point for point in entry["score"]["curve"] if point[1] > 0]
        curve.plot(
            [recall for _, recall in points],
            [precision for precision, _ in points],
            label=entry["title"],
            **how,
        )
        bins = [one for one in entry["score"]["calibration"]["bins"] if one["pairs"] >= BIN_PAIRS_MIN]
        calibration.plot(
            [one["said"] for one in bins], [one["true"] for one in bins], marker="o", markersize=3, **how
        )
    best = max(entry["score"]["f1"] for entry in entries)
    curve.set_xlim(max(0.0, 1 - 8 * (1 - best) - 0.02), 1.0)
    curve.set_ylim(max(0.0, 1 - 4 * (1 - best) - 0.005), 1.0005)
    curve.set_xlabel("recall")
    curve.set_ylabel("precision")
    curve.legend(frameon=False, fontsize=7, loc="lower left")
    calibration.plot([0, 1], [0, 1], color="#999999", linewidth=0.7)
    calibration.set_xlabel("probability said")
    calibration.set_ylabel("share that is true")
    save(figure, folder, f"quality-{dataset['name']}.svg")


def growth(datasets, folder):
    """CPU and memory for each record by the size of the input."""
    figure, (cpu, memory) = plt.subplots(1, 2, figsize=(9, 3.4))
    for name in ("renkei", "splink-tight"):
        found = [
            (dataset["records"] + dataset["lines"], entry)
            for dataset in datasets
            for entry in dataset["systems"]
            if entry["system"] == name
        ]
        if found:
            sizes = [size for size, _ in found]
            entry = found[0][1]
            for axes, key, scale in ((cpu, "cpu", 1e6), (memory, "peak_bytes", 1)):
                used = [entry[key] / size * scale for size, entry in found]
                axes.plot(sizes, used, marker="o", color=COLOURS[family(entry)], label=entry["title"])
    sizes = sorted({dataset["records"] + dataset["lines"] for dataset in datasets})
    for axes in (cpu, memory):
        axes.set_xscale("log")
        axes.set_xticks(sizes, [f"{size / 1e6:g}" for size in sizes])
        axes.minorticks_off()
        axes.set_ylim(bottom=0)
        axes.set_xlabel("million records in register and list")
    cpu.set_ylabel("CPU, microseconds for each")
    memory.set_ylabel("peak memory, bytes for each")
    cpu.legend(frameon=False)
    save(figure, folder, "growth.svg")


def main():
    result, folder = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    for dataset in result["datasets"]:
        bars(dataset, folder)
        # With FEBRL nearly every pair is right, and there is nothing to see.
        if dataset["task"] in ("people", "copies"):
            quality(dataset, folder)
    people = [dataset for dataset in result["datasets"] if dataset["task"] == "people"]
    mixes = {dataset["mix"] for dataset in people}
    mix = "typical" if "typical" in mixes else next(iter(mixes), None)
    sizes = [dataset for dataset in people if dataset["mix"] == mix]
    if len(sizes) > 1:
        growth(sizes, folder)


if __name__ == "__main__":
    main()
