"""Runs one command and says what it cost: `measure.py LOG COMMAND...` prints one JSON object.

A process of its own, because a child's peak memory starts with that of the process that makes it; this one is small.
"""

import json
import os
import subprocess
import sys
import time


def main():
    log, *command = sys.argv[1:]
    with open(log, "wb") as output:
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
    # Linux counts kibibytes here, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    cost = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * unit}
    print(json.dumps({**cost, "exit": os.waitstatus_to_exitcode(status)}))


if __name__ == "__main__":
    main()
