"""Who takes part, and with which commands."""

import json
from dataclasses import dataclass

from .environment import PEERS, REPOSITORY

VARIANTS = REPOSITORY / "crates/japanese/data/kanji_variants.tsv"
# recordlinkage holds all pairs and their comparisons in memory, and its training looks at each in turn.
RECORDLINKAGE_RECORDS_MAX = 20_000


@dataclass(frozen=True)
class System:
    """One way to link: its name in figures, its title in tables, its family on the command line."""

    name: str
    family: str
    title: str
    setting: str = ""
    saved: bool = False
    threads: int | None = None
    # Does more of the same with people as another entry, and is left out where time is short.
    quick: bool = True

    def fits(self, dataset, peers_max, quick):
        """Whether it takes part with this dataset."""
        if quick and dataset.is_of_people and not self.quick:
            return False
        if self.family == "renkei":
            return dataset.task == "people" or not (self.saved or self.threads)
        if self.family == "recordlinkage":
            return dataset.task != "copies" and dataset.records <= RECORDLINKAGE_RECORDS_MAX
        if dataset.task == "copies":
            return self.setting in ("tight", "wide") and not self.saved and dataset.records <= peers_max
        if dataset.task != "people":
            return self.setting == "wide"
        return dataset.records <= peers_max

    def normalised(self, dataset):
        """Whether it needs the files that its user normalised."""
        return self.family != "renkei" and dataset.is_of_people

    @property
    def saver(self):
        """Whose model a run with a saved model takes."""
        return {"renkei": "renkei", "splink": "splink-tight"}[self.family]

    def candidates(self, place):
        """Where its pairs go."""
        return place / f"{self.name}.csv"

    def command(self, environment, dataset, place):
        """The command that links."""
        make = {"renkei": self._renkei, "splink": self._splink, "recordlinkage": self._recordlinkage}
        return make[self.family](environment, dataset, place)

    def _renkei(self, environment, dataset, place):
        out, pairs, model = (
            place / f"{self.name}-links.csv",
            self.candidates(place),
            place / "renkei.model.toml",
        )
        schema = ["--schema", dataset.schema] if dataset.schema else []
        if dataset.task in ("febrl3", "copies"):
            files = ["dedupe", "--input", dataset.register, "--output", out, "--pairs", pairs]
            return [environment.renkei, *files, *schema, "--json"]
        files = [
            "--register",
            dataset.register,
            "--list",
            dataset.list,
            "--output",
            out,
            "--candidates",
            pairs,
        ]
        threads = ["--threads", str(self.threads)] if self.threads else []
        models = ["--model", model] if self.saved else ["--save-model", model]
        return [environment.renkei, "link", *files, *schema, *threads, *models, "--json"]

    def _inputs(self, dataset, place):
        return place if dataset.is_of_people else dataset.folder

    def _splink(self, environment, dataset, place):
        out, report, model = self.candidates(place), place / f"{self.name}.json", place / "splink.model.json"
        files = [self._inputs(dataset, place), self.setting, out, report]
        models = ["--model", model] if self.saved else []
        if self.setting == "tight" and not self.saved:
            models = ["--save-model", model]
        return [environment.python, "-B", PEERS / "splink_peer" / "link.py", dataset.task, *files, *models]

    def _recordlinkage(self, environment, dataset, place):
        files = [self._inputs(dataset, place), self.candidates(place), place / f"{self.name}.json"]
        return [environment.python, "-B", PEERS / "recordlinkage_peer" / "link.py", dataset.task, *files]

    def report(self, place, log):
        """Pairs compared and seconds of stages, as the system itself says."""
        if self.family != "renkei":
            said = json.loads((place / f"{self.name}.json").read_text())
            return said["pairs"], {name: step["cpu"] for name, step in said["stages"].items()}
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("{")]
        said = json.loads(lines[-1])
        stages = said.get("seconds", {})
        if self.threads == 1:
            # With one thread, CPU seconds are the wall seconds less the time for which others had the processor.
            share = said["cpu_seconds"] / stages["total"]
            stages = {name: value * share for name, value in stages.items()}
        return said.get("candidate_pairs"), stages


def normalisation(environment, dataset, place):
    """The command of the stage that a user of the peers has to write."""
    program = PEERS / "splink_peer" / "normalise.py"
    files = [dataset.register] if dataset.task == "copies" else [dataset.register, dataset.list]
    return [environment.python, "-B", program, *files, VARIANTS, place]


# A run with a saved model follows the one that saves it.
SYSTEMS = [
    System("renkei", "renkei", "renkei"),
    System("renkei-1", "renkei", "renkei, one thread", threads=1),
    System("renkei-saved", "renkei", "renkei, saved model", saved=True),
    System("splink-tight", "splink", "Splink, tight blocking", setting="tight"),
    System("splink-wide", "splink", "Splink, wide blocking", setting="wide", quick=False),
    System(
        "splink-templates",
        "splink",
        "Splink, blocking of the documentation",
        setting="templates",
        quick=False,
    ),
    System("splink-saved", "splink", "Splink, saved model, tight blocking", setting="tight", saved=True),
    System("recordlinkage", "recordlinkage", "recordlinkage (ECM)"),
]
