"""Commands: run for their effect, or measured as whole processes from outside."""

import json
import subprocess
import sys
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


def measured(command, what, log):
    """Wall and CPU seconds and peak memory of a command that must succeed; its output goes to the file `log`."""
    said = call([sys.executable, "-I", "-S", MEASURE, log, *command], what)
    cost = json.loads(said)
    if cost.pop("exit"):
        last = "\n".join(Path(log).read_text(errors="replace").strip().splitlines()[-8:])
        raise Failure(f"{what} failed; its last words:\n{last}")
    return cost
