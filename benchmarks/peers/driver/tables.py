"""The figures as tables, for the terminal and for the page."""

# What is neither reading nor writing: from columns in memory to probabilities or outcomes.
LINKING = {
    "renkei": ("index", "train", "compare", "assign"),
    "splink": ("train", "block", "predict"),
    "recordlinkage": ("block", "compare", "train", "predict"),
}


def markdown(head, rows):
    """A table whose first column is text and whose others are figures."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def seconds(value):
    """Seconds with as many digits as mean something."""
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def ratio(value, base):
    """How many times the base."""
    return f"{value / base:.1f}x" if base else "-"


def _entry(dataset, name):
    return next((entry for entry in dataset["systems"] if entry["system"] == name), None)


def costs(dataset):
    """What everybody cost, beside renkei."""
    base = _entry(dataset, "renkei")
    rows = []
    for entry in dataset["systems"]:
        rows.append(
            [
                entry["title"],
                seconds(entry["normalise_cpu"]) if entry["normalise_cpu"] else "-",
                seconds(entry["link_cpu"]),
                seconds(entry["cpu"]),
                ratio(entry["cpu"], base["cpu"]) if base else "-",
                seconds(entry["wall"]),
                f"{entry['peak_bytes'] / 1e6:.0f}",
                ratio(entry["peak_bytes"], base["peak_bytes"]) if base else "-",
            ]
        )
    head = [
        "",
        "normalise, CPU s",
        "link, CPU s",
        "together",
        "times renkei",
        "wall s",
        "peak MB",
        "times renkei",
    ]
    return markdown(head, rows)


def quality(dataset):
    """How right everybody was."""
    rows = []
    for entry in dataset["systems"]:
        score = entry["score"]
        distance = score["calibration"]["distance"]
        rows.append(
            [
                entry["title"],
                f"{entry['pairs']:,}" if entry["pairs"] is not None else "-",
                f"{score['f1']:.5f}",
                f"{score['recall']:.4f}",
                "-" if distance is None else f"{distance:.3f}",
            ]
        )
    return markdown(["", "pairs compared", "best F1", "recall at precision 0.999", "calibration error"], rows)


def stages(dataset):
    """What the stages cost, as each system says itself; renkei with one thread, so that its seconds are CPU seconds."""
    rows = []
    base = None
    for entry in dataset["systems"]:
        family = entry["system"].split("-")[0]
        if entry["system"] in ("renkei", "renkei-saved"):
            continue
        linking = sum(entry["stages"].get(name, 0.0) for name in LINKING[family])
        if family == "renkei":
            base = linking
        steps = ", ".join(
            f"{name} {seconds(value)}" for name, value in entry["stages"].items() if name != "total"
        )
        rows.append([entry["title"], seconds(linking), ratio(linking, base) if base else "-", steps])
    return markdown(["", "linkage alone, CPU s", "times renkei", "stages"], rows)


def growth(datasets):
    """CPU for each million records of input, by size."""
    rows = []
    for dataset in datasets:
        records = (dataset["records"] + dataset["lines"]) / 1e6
        for name in ("renkei", "splink-tight"):
            entry = _entry(dataset, name)
            if entry:
                per_million = seconds(entry["cpu"] / records)
                memory = f"{entry['peak_bytes'] / 1e6:.0f}"
                rows.append(
                    [f"{dataset['title']}: {entry['title']}", seconds(entry["cpu"]), per_million, memory]
                )
    return markdown(["", "CPU s", "CPU s for a million records", "peak MB"], rows)


def everything(result):
    """All tables, one after the other, as (title, tables) of each dataset."""
    for dataset in result["datasets"]:
        parts = [*dataset["notes"], costs(dataset), quality(dataset)]
        if dataset["task"] == "people":
            parts.append(stages(dataset))
        yield dataset["title"], parts
