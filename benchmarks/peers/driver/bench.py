"""The command: files, rounds, tables, page."""

import json
import shlex
import sys

from . import datasets, machine, options, page, tables
from .environment import Environment
from .failure import Failure
from .process import call, say
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
    if given.kernels:
        result["kernels"] = call([given.kernels], "the kernels cannot be measured")
    for title, parts in tables.everything(result):
        print(f"\n## {title}\n")
        print("\n\n".join(parts))
    people = [dataset for dataset in result["datasets"] if dataset["task"] == "people"]
    if len(people) > 1:
        print(f"\n## growth\n\n{tables.growth(people)}")
    if "kernels" in result:
        print(f"\n## kernels\n\n{result['kernels']}")
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
        "commands": [command_line(given)],
        "datasets": [dataset for dataset in measured if dataset["systems"]],
    }


def kept(paths):
    """Figures that earlier runs on this machine kept, put together; the load is the greatest."""
    results = []
    for path in paths:
        try:
            results.append(json.loads(path.read_text()))
        except (OSError, ValueError) as error:
            raise Failure(f"--from: {path} cannot be read: {error}") from error
    return merged(results)


def merged(results):
    """Runs on one machine with the same versions as one."""
    first = results[0]
    for other in results[1:]:
        same = {**other["machine"], "load": 0} == {**first["machine"], "load": 0}
        if not same or other["versions"] != first["versions"]:
            raise Failure("--from: the files are of other machines or versions, which one page cannot mix")
    names = [dataset["name"] for result in results for dataset in result["datasets"]]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise Failure(f"--from: {twice} is in two files")
    load = max(result["machine"]["load"] for result in results)
    kernels = [result["kernels"] for result in results if "kernels" in result]
    return {
        **first,
        "machine": {**first["machine"], "load": load},
        "commands": [command for result in results for command in result["commands"]],
        "datasets": [dataset for result in results for dataset in result["datasets"]],
        **({"kernels": kernels[-1]} if kernels else {}),
    }


def inputs(given, environment):
    """The datasets, made one by one as they are needed."""
    if "link" in given.tasks:
        for mix in given.mixes:
            for residents in given.sizes:
                if residents <= given.peers_max or mix == given.growth_mix:
                    yield datasets.people(environment, residents, mix, given.seed)
    if "dedupe" in given.tasks:
        for records in given.dedupe:
            yield datasets.copies(environment, records, given.mixes[0], given.seed)
    if "febrl" in given.tasks:
        yield datasets.febrl3(environment)
        yield datasets.febrl4(environment)


def command_line(given):
    """The command that makes the same page again."""
    said = []
    if given.tasks != list(options.TASKS):
        said += ["--tasks", ",".join(given.tasks)]
    if "link" in given.tasks:
        said += ["--sizes", ",".join(datasets.short(size) for size in given.sizes)]
    if "dedupe" in given.tasks:
        said += ["--dedupe", ",".join(datasets.short(size) for size in given.dedupe)]
    said += ["--mixes", ",".join(given.mixes), "--rounds", str(given.rounds)]
    if given.only != list(options.FAMILIES):
        said += ["--only", ",".join(given.only)]
    if any(size > given.peers_max for size in [*given.sizes, *given.dedupe]):
        said += ["--peers-max", datasets.short(given.peers_max)]
    if given.time_max != options.TIME_MAX:
        said += ["--time-max", f"{given.time_max:g}"]
    if given.memory_max != options.most_memory():
        said += ["--memory-max", f"{given.memory_max / 1e9:g}"]
    return shlex.join(["benchmarks/peers/run", *said])
