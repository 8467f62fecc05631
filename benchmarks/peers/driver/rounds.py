"""Runs everybody in turn, several times, and takes medians."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from .datasets import Dataset
from .environment import Environment
from .process import Limits, Stopped, measured, say
from .score import score
from .systems import SYSTEMS, normalisation


def taking_part(options, environment, dataset):
    """The systems that take part with a dataset, and what a reader has to know about those that do not."""
    chosen = [system for system in SYSTEMS if system.family in options.only]
    asked = [system.family for system in chosen]
    chosen = [system for system in chosen if system.fits(dataset, options.peers_max, options.quick)]
    if "splink" in asked and dataset.records > options.peers_max:
        most = f"{options.peers_max:,} records (`--peers-max`)"
        return chosen, [f"Peers were given registers of at most {most}, so they have no figures here."]
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
    run = _Run(Limits(options.time_max * 60, options.memory_max), environment, dataset, place)
    stopped = {}
    for turn in range(1, options.rounds + 1):
        normalised = None
        for system in systems:
            if system.name in stopped or system.saved and system.saver in stopped:
                continue
            try:
                if system.normalised(dataset) and normalised is None:
                    normalised = run.normalisation(turn)
                cost = run.link(system, turn)
            except Stopped as limit:
                say(f"{dataset.name} {system.name} {limit}")
                stopped[system.name] = f"{system.title} {limit}, and has no figures here."
                continue
            pairs, stages = system.report(place, place / f"{system.name}.log")
            before = normalised if system.normalised(dataset) else None
            entries[system.name]["rounds"].append(
                {"normalise": before, "link": cost, "pairs": pairs, "stages": stages}
            )
    for system in systems:
        if system.name in stopped or system.saved and system.saver in stopped:
            del entries[system.name]
            continue
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
        "round_count": options.rounds,
        "systems": list(entries.values()),
        "notes": [*notes, *stopped.values()],
    }


@dataclass(frozen=True)
class _Run:
    """Runs commands with one dataset and tells what they cost."""

    limits: Limits
    environment: Environment
    dataset: Dataset
    place: Path

    def normalisation(self, turn):
        """The stage that a user of the peers has to write."""
        return self._measured("normalise", normalisation(self.environment, self.dataset, self.place), turn)

    def link(self, system, turn):
        """One run of a system."""
        try:
            command = system.command(self.environment, self.dataset, self.place)
            return self._measured(system.name, command, turn)
        finally:
            # Who is stopped leaves behind what did not fit in memory.
            shutil.rmtree(self.place / f"{system.name}.spill", ignore_errors=True)

    def _measured(self, name, command, turn):
        what = f"{name} with {self.dataset.name}"
        cost = measured(command, what, self.place / f"{name}.log", self.limits)
        say(
            f"{self.dataset.name} {name}, round {turn}: {cost['cpu']:.1f} CPU s, {cost['wall']:.1f} s,"
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
