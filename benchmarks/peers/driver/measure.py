"""Runs one command and says what it cost: `measure.py LOG SECONDS BYTES COMMAND...` prints one JSON object.

A process of its own, because a child's peak memory starts with that of the process that makes it; this one is small.
A command that takes longer than SECONDS, or holds more memory than BYTES, is stopped, and the object says which.
"""

import json
import os
import subprocess
import sys
import threading
import time

LOOK_EVERY = 0.2


def held(process):
    """The memory that a process holds now; nothing is known of it but on Linux."""
    try:
        with open(f"/proc/{process}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


class Watch(threading.Thread):
    """Stops a child that goes beyond its limits."""

    def __init__(self, child, seconds, most_bytes):
        super().__init__(daemon=True)
        self.child, self.seconds, self.most_bytes = child, seconds, most_bytes
        self.ended = threading.Event()
        self.stopped = None

    def run(self):
        started = time.monotonic()
        while not self.ended.wait(LOOK_EVERY):
            if time.monotonic() - started > self.seconds:
                self.stopped = "time"
            elif held(self.child.pid) > self.most_bytes:
                self.stopped = "memory"
            if self.stopped:
                self.child.kill()
                return


def main():
    log, seconds, most_bytes, *command = sys.argv[1:]
    with open(log, "wb") as output:
        started = time.monotonic()
        child = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        watch = Watch(child, float(seconds), int(most_bytes))
        watch.start()
        _, status, used = os.wait4(child.pid, 0)
        wall = time.monotonic() - started
        # From here on nobody may be stopped: the number may be another's.
        watch.ended.set()
    # Linux counts kibibytes here, macOS bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    cost = {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak_bytes": used.ru_maxrss * unit}
    print(json.dumps({**cost, "exit": os.waitstatus_to_exitcode(status), "stopped": watch.stopped}))


if __name__ == "__main__":
    main()
