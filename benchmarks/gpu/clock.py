"""Time on a device, by its own events; and wall time where there is none."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Protocol

from shiftfield.engine.gpu.device import Device, Stream


class Clock(Protocol):
    """Tells how long work takes on a device."""

    def start(self, stream: Stream) -> Callable[[], Callable[[], float]]:
        """Begin; what is returned ends the span, and what that returns tells its ms, once the work is done."""
        ...


class DeviceClock:
    """CUDA events on a stream."""

    def __init__(self, cupy: Any) -> None:
        self._cuda = cupy.cuda

    def start(self, stream: Stream) -> Callable[[], Callable[[], float]]:
        """Record an event, and another at the end."""
        first, last = self._cuda.Event(), self._cuda.Event()
        first.record(stream)

        def stop() -> Callable[[], float]:
            last.record(stream)
            return lambda: float(self._cuda.get_elapsed_time(first, last))

        return stop


class HostClock:
    """Wall time, for the emulated device."""

    def start(self, stream: Stream) -> Callable[[], Callable[[], float]]:  # noqa: ARG002 - the protocol's
        """Read the clock, and again at the end."""
        started = time.perf_counter()

        def stop() -> Callable[[], float]:
            ms = 1e3 * (time.perf_counter() - started)
            return lambda: ms

        return stop


def milliseconds(clock: Clock, device: Any, work: Callable[[], object]) -> float:
    """Return the ms of all that `work` gives to the current stream."""
    stream = device.current_stream()
    stop = clock.start(stream)
    work()
    tell = stop()
    device.wait(stream)
    return tell()


class Watched:
    """A device that keeps the time of every kernel it launches; all else is the device's own."""

    def __init__(self, device: Device, clock: Clock) -> None:
        self._device, self._clock = device, clock
        self._spans: list[tuple[str, Callable[[], float]]] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def launch(
        self, variant: Any, program: str, kernel: str, grid: Any, threads: int, shared: int,
        arguments: Any, stream: Stream,
    ) -> None:  # fmt: skip
        """Launch a kernel between two readings."""
        stop = self._clock.start(stream)
        self._device.launch(variant, program, kernel, grid, threads, shared, arguments, stream)
        double = " in double" if variant.itemsize == 8 else ""
        self._spans.append((kernel + double, stop()))

    def taken(self) -> dict[str, float]:
        """Return the ms of each kernel since the last call; all launched must be done."""
        found: dict[str, float] = defaultdict(float)
        for kernel, tell in self._spans:
            found[kernel] += tell()
        self._spans.clear()
        return dict(found)
