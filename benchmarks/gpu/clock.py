"""Time on a device, by its own events; and wall time where there is none."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol


class Clock(Protocol):
    """Tells how long work takes on a device."""

    def milliseconds(self, work: Callable[[], object]) -> float:
        """Return the ms from the first to the last of what `work` gives to the current stream."""
        ...


class DeviceClock:
    """CUDA events on the current stream."""

    def __init__(self, cupy: Any) -> None:
        self._cuda = cupy.cuda

    def milliseconds(self, work: Callable[[], object]) -> float:
        """Return the ms between two events around the work."""
        start, stop = self._cuda.Event(), self._cuda.Event()
        start.record()
        work()
        stop.record()
        stop.synchronize()
        return float(self._cuda.get_elapsed_time(start, stop))


class HostClock:
    """Wall time, for the emulated device."""

    def milliseconds(self, work: Callable[[], object]) -> float:
        """Return the ms of a call."""
        started = time.perf_counter()
        work()
        return 1e3 * (time.perf_counter() - started)
