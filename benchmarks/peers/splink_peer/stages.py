"""What the steps of a process cost it."""

import resource
import time


class Stages:
    """Wall and CPU seconds of the steps of this process, in their order."""

    def __init__(self):
        self.seconds = {}
        self._last = self._now()

    @staticmethod
    def _now():
        used = resource.getrusage(resource.RUSAGE_SELF)
        return time.monotonic(), used.ru_utime + used.ru_stime

    def end(self, name):
        """Ends a step and begins the next."""
        now = self._now()
        wall, cpu = (after - before for after, before in zip(now, self._last))
        self.seconds[name] = {"wall": wall, "cpu": cpu}
        self._last = now
