"""Commands: run for their effect, or measured as whole processes from outside."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from .failure import Failure

MEASURE = Path(__file__).with_name("measure.py")


def say(text):
    """Progress, on standard error."""
    print(text, file=sys.stderr, flush=True)


def call(command, what, hint=""):
    """Runs a command that must succeed and answers its output."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    except OSError as error:
        raise Failure(f"{what}: {error.strerror} ({command[0]}). {hint}".strip()) from error
    if done.returncode:
        last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
        raise Failure(f"{what}: exit {done.returncode}. {hint}\n{last}".strip())
    return done.stdout


# What DuckDB and Python say when there is no more.
_NO_MEMORY = ("Out of Memory Error", "OutOfMemoryException", "MemoryError")


@dataclass(frozen=True)
class Limits:
    """The most that one command may take."""

    seconds: float
    memory_bytes: int


class Stopped(Exception):
    """A command was stopped at a limit; the text says at which."""


def measured(command, what, log, limits):
    """Wall and CPU seconds and peak memory of a command that must succeed; its output goes to the file `log`."""
    bounds = [limits.seconds, limits.memory_bytes]
    cost = json.loads(call([sys.executable, "-I", "-S", MEASURE, log, *bounds, *command], what))
    status, stopped = cost.pop("exit"), cost.pop("stopped")
    if stopped == "time":
        raise Stopped(f"was stopped after {limits.seconds / 60:g} minutes")
    said = Path(log).read_text(errors="replace") if status else ""
    if stopped == "memory" or any(words in said for words in _NO_MEMORY):
        raise Stopped(f"was stopped because it needed more than {limits.memory_bytes / 1e9:.1f} GB of memory")
    if status:
        last = "\n".join(said.strip().splitlines()[-8:])
        raise Failure(f"{what} failed; its last words:\n{last}")
    return cost
