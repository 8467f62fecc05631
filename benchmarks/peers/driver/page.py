"""Writes docs/benchmarks.md and its plots."""

import json
from pathlib import Path
from string import Template

from . import tables
from .environment import REPOSITORY
from .process import call, say

TEMPLATE = Path(__file__).with_name("benchmarks.md.template")
PLOTS = Path(__file__).with_name("plots.py")


def write(options, environment, result):
    """The page, from the template and the figures."""
    docs = options.docs or REPOSITORY / "docs"
    plots = docs / "benchmarks"
    plots.mkdir(parents=True, exist_ok=True)
    for old in plots.glob("*.svg"):
        old.unlink()
    figures = environment.folder / "result.json"
    figures.write_text(json.dumps(result))
    drawn = call([environment.python, "-B", PLOTS, figures, plots], "the plots cannot be drawn").split()
    machine = result["machine"]
    sections = []
    for dataset, (title, parts) in zip(result["datasets"], tables.everything(result)):
        named = [
            f"![{title}](benchmarks/{name})" for name in drawn if name.endswith(f"-{dataset['name']}.svg")
        ]
        sections.append("\n\n".join([f"### {title[0].upper()}{title[1:]}", *parts, *named]))
    people = [dataset for dataset in result["datasets"] if dataset["task"] == "people"]
    text = Template(TEMPLATE.read_text()).substitute(
        machine=f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}",
        load=machine["load"],
        versions=", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        rounds="One round" if result["rounds"] == 1 else f"Medians of {result['rounds']} rounds",
        command=result["command"],
        sections="\n\n".join(sections),
        growth=tables.growth(people),
        growth_plot="![CPU for each record by size](benchmarks/growth.svg)" if "growth.svg" in drawn else "",
    )
    page = docs / "benchmarks.md"
    page.write_text(text)
    say(f"wrote {page}")
