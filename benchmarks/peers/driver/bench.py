"""The command: files, rounds, tables, page."""

import json
import shlex
import sys

from . import datasets, machine, options, page, tables
from .environment import Environment
from .failure import Failure
from .process import say
from .rounds import measure


def main():
    """Exit code 0; 2 for wrong options; 1 when something could not be had or a run failed."""
    given = options.parse()
    try:
        run(given)
    except Failure as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def run(given):
    """Measures everything that was asked for, or takes figures that were kept, and tells them."""
    environment = Environment(given)
    result = kept(given.figures) if given.figures else measure_all(given, environment)
    for title, parts in tables.everything(result):
        print(f"\n## {title}\n")
        print("\n\n".join(parts))
    people = [dataset for dataset in result["datasets"] if dataset["task"] == "people"]
    if len(people) > 1:
        print(f"\n## growth\n\n{tables.growth(people)}")
    if given.json:
        given.json.write_text(json.dumps(result, indent=1))
    if not given.quick:
        page.write(given, environment, result)
    say("done")


def measure_all(given, environment):
    """The figures of everybody with every dataset."""
    # What cannot be had should be said before hours are spent.
    versions, described = environment.versions(), machine.describe()
    measured = [measure(given, environment, dataset) for dataset in inputs(given, environment)]
    return {
        "machine": described,
        "versions": versions,
        "rounds": given.rounds,
        "command": command_line(given),
        "datasets": [dataset for dataset in measured if dataset["systems"]],
    }


def kept(path):
    """Figures that an earlier run kept."""
    try:
        return json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Failure(f"--from: {path} cannot be read: {error}") from error


def inputs(given, environment):
    """The datasets, made one by one as they are needed."""
    for mix in given.mixes:
        for residents in given.sizes:
            if residents <= given.peers_max or mix == given.growth_mix:
                yield datasets.people(environment, residents, mix, given.seed)
    yield datasets.febrl3(environment)
    yield datasets.febrl4(environment)


def command_line(given):
    """The command that makes the same page again."""
    sizes = ",".join(datasets.short(size) for size in given.sizes)
    said = ["--sizes", sizes, "--mixes", ",".join(given.mixes), "--rounds", str(given.rounds)]
    if given.only != list(options.FAMILIES):
        said += ["--only", ",".join(given.only)]
    return shlex.join(["benchmarks/peers/run", *said])
