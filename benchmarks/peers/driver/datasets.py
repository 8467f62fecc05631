"""The files that everybody is given, with the truth beside them."""

import csv
import re
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from .environment import REPOSITORY
from .options import LINES_PER_RESIDENT
from .process import call, say

SCHEMAS = REPOSITORY / "crates/renkei/tests/data"
# What both a register and a list say of a person, and what the register says besides; a household's number no list has.
PERSONAL = "宛名番号 氏名 氏名カナ 生年月日 性別 郵便番号 住所 方書 旧氏 通称名".split()
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
    # Of a list: whom each line means. Of a file to deduplicate: whom each record means.
    truth: Path
    # Of a file to deduplicate: how many pairs there are to find.
    pairs: int | None = None
    mix: str | None = None

    @property
    def register(self):
        """The file that says who exists."""
        names = {
            "people": "residents.csv",
            "copies": "records.csv",
            "febrl4": "dataset4a.csv",
            "febrl3": "dataset3.csv",
        }
        return self.folder / names[self.task]

    @property
    def list(self):
        """The file whose lines are linked."""
        return self.folder / {"people": "payments.csv", "febrl4": "dataset4b.csv"}[self.task]

    @property
    def schema(self):
        """What the columns mean, where they are not the built-in ones."""
        return None if self.is_of_people else SCHEMAS / f"{self.task}.toml"

    @property
    def is_of_people(self):
        """Whether it was generated, and says what residents and payment lists say."""
        return self.task in ("people", "copies")


def short(number):
    """20000 as 20k."""
    for unit, letter in ((1_000_000, "m"), (1_000, "k")):
        if number >= unit and number % unit == 0:
            return f"{number // unit}{letter}"
    return str(number)


def people(environment, residents, mix, seed, lines=None):
    """A register and a payment list, generated unless they are there."""
    name = f"{mix}-{short(residents)}" + (f"-{short(lines)}" if lines else "")
    folder = environment.folder / "data" / f"{name}-{seed}"
    lines = lines or int(residents * LINES_PER_RESIDENT)
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


def copies(environment, records, mix, seed):
    """One file in which those on a payment list stand twice: a register with the lines of its list behind it."""
    residents = round(records / (1 + LINES_PER_RESIDENT))
    of = people(environment, residents, mix, seed, records - residents)
    name = f"copies-{mix}-{short(records)}"
    folder = environment.folder / "data" / f"{name}-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    title = f"{mix}, one file of {records:,} records"
    made = Dataset(name, title, "copies", folder, records, 0, truth=folder / "truth.csv", mix=mix)
    if not made.truth.exists():
        say(f"putting {records:,} records into one file")
        _append(of, made.register)
        with open(of.truth, newline="") as file:
            meant = dict(list(csv.reader(file))[1:])
        # The truth comes last: once it is there, so is the file.
        ids = (row["宛名番号"] for row in _rows(made.register, "utf-8-sig"))
        _write_truth(made.truth, ((record, meant.get(record) or record) for record in ids))
    return replace(made, pairs=_pairs(made.truth))


def _append(of, path):
    """The register, and behind it the lines of the list under the register's columns."""
    with open(path, "w", encoding="utf-8-sig", newline="") as file:
        writer = csv.DictWriter(file, PERSONAL, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(_rows(of.register, "utf-8-sig"))
        for line in _rows(of.list, "cp932"):
            writer.writerow({"宛名番号": line["申請番号"], **line})


def _rows(path, encoding):
    with open(path, encoding=encoding, newline="") as file:
        yield from csv.DictReader(file)


def _write_truth(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as file:
        csv.writer(file).writerows([("record_id", "person"), *rows])


def _pairs(truth):
    """How many pairs of records mean one person."""
    with open(truth, newline="") as file:
        counts = Counter(person for _, person in list(csv.reader(file))[1:])
    return sum(count * (count - 1) // 2 for count in counts.values())


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
    truth = environment.folder / "data" / "febrl3-truth.csv"
    ids = _ids(folder / "dataset3.csv")
    _write_truth(truth, ((record, person(record)) for record in ids))
    title = "FEBRL 3, 5,000 records of 2,000 people"
    return Dataset("febrl3", title, "febrl3", folder, len(ids), 0, truth=truth, pairs=_pairs(truth))


def _ids(path):
    with open(path, newline="") as file:
        return [row["rec_id"].strip() for row in csv.DictReader(file)]
