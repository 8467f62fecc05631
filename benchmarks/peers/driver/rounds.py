"""Runs everybody in turn, several times, and takes medians."""

from statistics import median

from .process import measured, say
from .score import score
from .systems import SYSTEMS, normalisation


def taking_part(options, environment, dataset):
    """The systems that take part with a dataset, and what a reader has to know about those that do not."""
    chosen = [system for system in SYSTEMS if system.family in options.only]
    chosen = [system for system in chosen if system.fits(dataset, options.peers_max, options.quick)]
    if dataset.task != "febrl3" or environment.can_dedupe():
        return chosen, []
    note = "This renkei has no command `dedupe`, so it has no figures here."
    say(f"febrl3: {note}")
    return [system for system in chosen if system.family != "renkei"], [note]


def measure(options, environment, dataset):
    """Everybody's figures with one dataset."""
    place = environment.folder / "work" / dataset.name
    place.mkdir(parents=True, exist_ok=True)
    systems, notes = taking_part(options, environment, dataset)
    entries = {
        system.name: {"system": system.name, "title": system.title, "rounds": []} for system in systems
    }
    for turn in range(1, options.rounds + 1):
        normalised = None
        for system in systems:
            if system.normalised(dataset) and normalised is None:
                normalised = _run(
                    "normalise", normalisation(environment, dataset, place), dataset, place, turn
                )
            cost = _run(system.name, system.command(environment, dataset, place), dataset, place, turn)
            pairs, stages = system.report(place, place / f"{system.name}.log")
            before = normalised if system.normalised(dataset) else None
            entries[system.name]["rounds"].append(
                {"normalise": before, "link": cost, "pairs": pairs, "stages": stages}
            )
    for system in systems:
        entry = entries[system.name]
        entry |= _medians(entry["rounds"])
        entry["score"] = score(environment, dataset, system.candidates(place))
        say(f"{dataset.name} {system.name}: best F1 {entry['score']['f1']:.5f}, {entry['cpu']:.1f} CPU s")
    return {
        "name": dataset.name,
        "title": dataset.title,
        "task": dataset.task,
        "mix": dataset.mix,
        "records": dataset.records,
        "lines": dataset.lines,
        "systems": list(entries.values()),
        "notes": notes,
    }


def _run(name, command, dataset, place, turn):
    cost = measured(command, f"{name} with {dataset.name}", place / f"{name}.log")
    say(
        f"{dataset.name} {name}, round {turn}: {cost['cpu']:.1f} CPU s, {cost['wall']:.1f} s,"
        f" {cost['peak_bytes'] / 1e6:.0f} MB"
    )
    return cost


def _medians(rounds):
    def middle(figure):
        return median(figure(one) for one in rounds)

    def before(one, key):
        return one["normalise"][key] if one["normalise"] else 0.0

    stages = {name: middle(lambda one, name=name: one["stages"][name]) for name in rounds[0]["stages"]}
    return {
        "cpu": middle(lambda one: one["link"]["cpu"] + before(one, "cpu")),
        "wall": middle(lambda one: one["link"]["wall"] + before(one, "wall")),
        "peak_bytes": middle(lambda one: max(one["link"]["peak_bytes"], before(one, "peak_bytes"))),
        "normalise_cpu": middle(lambda one: before(one, "cpu")),
        "link_cpu": middle(lambda one: one["link"]["cpu"]),
        "pairs": rounds[0]["pairs"],
        "stages": stages,
    }
