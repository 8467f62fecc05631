"""Writes docs/benchmarks.md and its plots."""

import json
from pathlib import Path
from string import Template

from . import tables
from .environment import REPOSITORY
from .process import call, say

TEMPLATE = Path(__file__).with_name("benchmarks.md.template")
KERNELS_ABSENT = "They were not measured with this page."
PLOTS = Path(__file__).with_name("plots.py")


def write(options, environment, result):
    """The page, from the template and the figures."""
    docs = options.docs or REPOSITORY / "docs"
    plots = docs / "benchmarks"
    plots.mkdir(parents=True, exist_ok=True)
    # Those of earlier runs; other pages have plots here too.
    for pattern in ("cost-*.svg", "quality-*.svg", "growth.svg"):
        for old in plots.glob(pattern):
            old.unlink()
    figures = environment.folder / "result.json"
    figures.write_text(json.dumps(result))
    drawn = call([environment.python, "-B", PLOTS, figures, plots], "the plots cannot be drawn").split()
    machine = result["machine"]
    sections = []
    for dataset, (title, parts) in zip(result["datasets"], tables.everything(result)):
        of_dataset = (f"{kind}-{dataset['name']}.svg" for kind in ("cost", "quality"))
        named = [f"![{title}](benchmarks/{name})" for name in of_dataset if name in drawn]
        sections.append("\n\n".join([f"### {title[0].upper()}{title[1:]}", *parts, *named]))
    people = [dataset for dataset in result["datasets"] if dataset["task"] == "people"]
    rounds = {dataset["round_count"] for dataset in result["datasets"]}
    text = Template(TEMPLATE.read_text()).substitute(
        machine=f"{machine['processor']}, {machine['cores']} cores, {machine['memory_gb']} GB, {machine['system']}",
        load=machine["load"],
        versions=", ".join(f"{name} {version}" for name, version in result["versions"].items()),
        rounds="One round"
        if rounds == {1}
        else f"Medians of {' or '.join(map(str, sorted(rounds)))} rounds, as the commands say",
        commands="\n".join(result["commands"]),
        plural="s" if len(result["commands"]) > 1 else "",
        sections="\n\n".join(sections),
        growth=tables.growth(people),
        kernels=result.get("kernels", KERNELS_ABSENT).strip(),
        growth_plot="![CPU and memory for each record by size](benchmarks/growth.svg)" if "growth.svg" in drawn else "",
    )
    page = docs / "benchmarks.md"
    page.write_text(text)
    say(f"wrote {page}")
