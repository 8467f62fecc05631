"""The options of the command."""

import argparse
import os
from pathlib import Path

FAMILIES = ("renkei", "splink", "recordlinkage")
MIXES = ("typical", "nasty")
TASKS = ("link", "dedupe", "febrl")
# Lines for each resident: a benefit goes to every third or so.
LINES_PER_RESIDENT = 0.3
# Minutes for one process.
TIME_MAX = 15.0


def size(text):
    """A number of residents: 20000, 100k, 5m."""
    units = {"k": 1_000, "m": 1_000_000}
    number, unit = (text[:-1], units[text[-1].lower()]) if text[-1:].lower() in units else (text, 1)
    if not number.isdecimal() or not 1_000 <= int(number) * unit <= 20_000_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no size between 1k and 20m")
    return int(number) * unit


def _choices(known):
    def parse(text):
        chosen = text.split(",")
        unknown = [name for name in chosen if name not in known]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]!r} is none of {', '.join(known)}")
        return chosen

    return parse


def _sizes(text):
    return sorted({size(part) for part in text.split(",")})


def most_memory():
    """Four fifths of this machine's memory: what is beyond would be taken from others."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") * 4 // 5


def _gigabytes(text):
    try:
        count = float(text)
    except ValueError:
        count = 0.0
    if count <= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of gigabytes")
    return int(count * 1e9)


def parse(arguments=None):
    """The options, checked."""
    parser = argparse.ArgumentParser(
        prog="benchmarks/peers/run",
        description="Measures renkei beside Splink and recordlinkage on the same files, whole processes from outside.",
        epilog="Prints tables on standard output and writes docs/benchmarks.md with its plots; --quick writes no page.",
    )
    add = parser.add_argument
    add(
        "--sizes",
        type=_sizes,
        default=[100_000, 1_000_000],
        metavar="100k,1m",
        help="residents; a list has 0.3 lines for each",
    )
    add(
        "--tasks",
        type=_choices(TASKS),
        default=list(TASKS),
        metavar="link,dedupe,febrl",
        help="lists against registers, one file within itself, the public sets",
    )
    add(
        "--dedupe",
        type=_sizes,
        default=[100_000, 1_000_000],
        metavar="100k,1m",
        help="records of the files to deduplicate; the first of the mixes",
    )
    add(
        "--mixes",
        type=_choices(MIXES),
        default=list(MIXES),
        metavar="typical,nasty",
        help="how damaged the lists are",
    )
    add(
        "--rounds",
        type=int,
        default=3,
        metavar="N",
        help="how often everything runs in turn; medians are reported",
    )
    add(
        "--only",
        type=_choices(FAMILIES),
        default=list(FAMILIES),
        metavar="renkei,splink",
        help="which systems take part",
    )
    add(
        "--peers-max",
        type=size,
        default=1_000_000,
        metavar="SIZE",
        help="the largest register that peers are given",
    )
    add(
        "--time-max",
        type=float,
        default=TIME_MAX,
        metavar="MINUTES",
        help="a process that takes longer is stopped, and the page says so",
    )
    add(
        "--memory-max",
        type=_gigabytes,
        default=most_memory(),
        metavar="GB",
        help="a process that holds more is stopped, and the page says so; four fifths of the memory otherwise",
    )
    add(
        "--kernels",
        type=Path,
        metavar="PATH",
        help="the built program `kernels` of renkei-benchmarks, whose tables go onto the page",
    )
    add(
        "--growth-mix",
        choices=MIXES,
        default="typical",
        help="the mix of sizes above --peers-max, where only growth is looked at",
    )
    add("--seed", type=int, default=11, help="the seed of the generated files")
    add(
        "--renkei",
        type=Path,
        metavar="PATH",
        help="the program to measure; otherwise the release build, made if it is missing",
    )
    add(
        "--quick",
        action="store_true",
        help="20k residents, 20k records and FEBRL, one round, under two minutes; writes no page",
    )
    add("--json", type=Path, metavar="FILE", help="also write every figure to a file")
    add(
        "--from",
        dest="figures",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="measure nothing: print and write the page from files that --json wrote",
    )
    add("--docs", type=Path, metavar="DIR", help="where the page goes; docs/ of the repository otherwise")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error("--rounds must be at least 1")
    if given.time_max <= 0:
        parser.error("--time-max must be more than 0")
    if given.quick:
        given.sizes, given.dedupe, given.mixes, given.rounds = [20_000], [20_000], ["typical"], 1
    return given
