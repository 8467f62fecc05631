"""Links or deduplicates with recordlinkage (ECM): `link.py TASK FOLDER OUT.csv REPORT.json`.

The Python Record Linkage Toolkit compares in pandas and holds all pairs in memory, so it takes part where they
fit: FEBRL, and people up to some ten thousands. For the task `people` FOLDER holds the same normalised files that Splink gets.
"""

import argparse
import json
import sys
from pathlib import Path

import pandas
import recordlinkage
from recordlinkage.index import Block

sys.path.append(str(Path(__file__).parent.parent / "splink_peer"))
from stages import Stages  # noqa: E402  (the same clock for both peers)

FEBRL = (
    "given_name surname street_number address_1 address_2 suburb postcode state date_of_birth soc_sec_id"
).split()
# Task: files of the sides (list first), columns, keys that a pair must share one of, columns compared as text.
TASKS = {
    "people": {
        "files": ["list.parquet", "register.parquet"],
        "keys": [["birth"], ["name"], ["kana"], ["kana_loose", "town"], ["town", "numbers"]],
        "text": {"name": 0.7, "kana": 0.8, "birth": 0.85, "numbers": 0.9},
        "exact": ["postal", "town", "sex", "given", "kana_given"],
    },
    "febrl3": {
        "files": ["dataset3.csv"],
        "keys": [
            ["soc_sec_id"],
            ["date_of_birth"],
            ["given_name", "surname"],
            ["given_name", "postcode"],
            ["surname", "postcode"],
            ["surname", "suburb"],
            ["address_1", "street_number"],
        ],
        "text": {
            "given_name": 0.85,
            "surname": 0.85,
            "date_of_birth": 0.85,
            "soc_sec_id": 0.85,
            "address_1": 0.85,
            "address_2": 0.85,
            "suburb": 0.85,
            "postcode": 0.7,
        },
        "exact": ["street_number", "state"],
    },
}
TASKS["febrl4"] = {**TASKS["febrl3"], "files": ["dataset4b.csv", "dataset4a.csv"]}


def read(path):
    """A side as text, by its id."""
    if path.suffix == ".parquet":
        return pandas.read_parquet(path).set_index("unique_id")
    table = pandas.read_csv(path, dtype=str, skipinitialspace=True).set_index("rec_id")
    return table[FEBRL].apply(lambda column: column.str.strip())


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("task", choices=TASKS)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("out", type=Path)
    arguments.add_argument("report", type=Path)
    given = arguments.parse_args()
    task = TASKS[given.task]

    stages = Stages()
    sides = [read(given.folder / file) for file in task["files"]]
    stages.end("load")
    index = recordlinkage.Index([Block(left_on=key) for key in task["keys"]])
    pairs = index.index(*sides)
    stages.end("block")
    compare = recordlinkage.Compare()
    for column, threshold in task["text"].items():
        compare.string(column, column, method="jarowinkler", threshold=threshold, label=f"{column}~")
        compare.exact(column, column, label=column)
    for column in task["exact"]:
        compare.exact(column, column, label=column)
    vectors = compare.compute(pairs, *sides).astype("int8")
    stages.end("compare")
    classifier = recordlinkage.ECMClassifier(binarize=None, use_col_names=True)
    classifier.fit(vectors)
    stages.end("train")
    probability = classifier.prob(vectors)
    stages.end("predict")
    write(probability, given.out, linking=len(sides) == 2)
    stages.end("write")
    given.report.write_text(json.dumps({"pairs": len(pairs), "stages": stages.seconds}))


def write(probability, path, linking):
    """The pairs with their probability, best first for each line."""
    names = ["list_id", "register_id"] if linking else ["id_a", "id_b"]
    probability.index.names = names
    rows = probability.rename("probability").reset_index()
    rows = rows[rows["probability"] >= 0.001]
    rows = rows.sort_values([names[0], "probability", names[1]], ascending=[True, False, True])
    if linking:
        rows.insert(2, "rank", rows.groupby("list_id").cumcount() + 1)
    rows.to_csv(path, index=False)


if __name__ == "__main__":
    main()
