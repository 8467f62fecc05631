"""The files that everybody is given, with the truth beside them."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from .environment import REPOSITORY
from .options import LINES_PER_RESIDENT
from .process import call, say

SCHEMAS = REPOSITORY / "crates/renkei/tests/data"
_PERSON = re.compile(r"rec-(\d+)-")


@dataclass(frozen=True)
class Dataset:
    """Two files to link, or one to deduplicate."""

    name: str
    title: str
    task: str
    folder: Path
    records: int
    lines: int
    # Of a list: a file with the truth. Of a file to deduplicate: how many pairs there are to find.
    truth: Path | None = None
    pairs: int | None = None
    mix: str | None = None

    @property
    def register(self):
        """The file that says who exists."""
        return (
            self.folder
            / {"people": "residents.csv", "febrl4": "dataset4a.csv", "febrl3": "dataset3.csv"}[self.task]
        )

    @property
    def list(self):
        """The file whose lines are linked."""
        return self.folder / {"people": "payments.csv", "febrl4": "dataset4b.csv"}[self.task]

    @property
    def schema(self):
        """What the columns mean, where they are not the built-in ones."""
        return None if self.task == "people" else SCHEMAS / f"{self.task}.toml"


def short(number):
    """20000 as 20k."""
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if number >= unit and number % unit == 0:
            return f"{number // unit}{letter}"
    return str(number)


def people(environment, residents, mix, seed):
    """A register and a payment list, generated unless they are there."""
    lines = int(residents * LINES_PER_RESIDENT)
    name = f"{mix}-{short(residents)}"
    folder = environment.folder / "data" / f"{name}-{seed}"
    whole = folder / "whole"
    if not whole.exists():
        say(f"generating {residents:,} residents and {lines:,} lines, {mix}")
        folder.mkdir(parents=True, exist_ok=True)
        sizes = ["--residents", residents, "--lines", lines]
        call(
            [environment.renkei, "generate", *sizes, "--mix", mix, "--seed", seed, "--dir", folder],
            "generate",
        )
        whole.touch()
    title = f"{mix}, {residents:,} residents, {lines:,} lines"
    return Dataset(name, title, "people", folder, residents, lines, truth=folder / "truth.csv", mix=mix)


def person(record_id):
    """The person that a record of FEBRL is a copy of."""
    return _PERSON.match(record_id)[1]


def febrl4(environment):
    """Originals and one damaged copy of each."""
    folder = environment.febrl()
    truth = environment.folder / "data" / "febrl4-truth.csv"
    truth.parent.mkdir(parents=True, exist_ok=True)
    ids = _ids(folder / "dataset4b.csv")
    with open(truth, "w", newline="") as file:
        csv.writer(file).writerows([("list_id", "register_id"), *((i, f"rec-{person(i)}-org") for i in ids)])
    return Dataset(
        "febrl4", "FEBRL 4, 5,000 and 5,000 records", "febrl4", folder, 5_000, len(ids), truth=truth
    )


def febrl3(environment):
    """One file in which a person stands up to six times."""
    folder = environment.febrl()
    people = [person(record) for record in _ids(folder / "dataset3.csv")]
    copies = [people.count(one) for one in set(people)]
    pairs = sum(count * (count - 1) // 2 for count in copies)
    return Dataset(
        "febrl3", "FEBRL 3, 5,000 records of 2,000 people", "febrl3", folder, len(people), 0, pairs=pairs
    )


def _ids(path):
    with open(path, newline="") as file:
        return [row["rec_id"].strip() for row in csv.DictReader(file)]
