"""How long the kernels of a search take, the copies of its images, and the whole call."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

import shiftfield
from benchmarks.gpu.cases import Frames, Timed, speckle
from benchmarks.gpu.clock import Clock
from benchmarks.gpu.counts import Counts, count
from shiftfield.dense import search_of
from shiftfield.engine import Search, Stop, Tile
from shiftfield.engine.gpu.device import Device
from shiftfield.engine.gpu.piece import Images, Stack, Target
from shiftfield.engine.gpu.worker import Worker, rows_of_a_strip
from shiftfield.settings import Settings


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of several rounds, ms, and what was counted."""

    name: str
    side: int
    kernels: float
    copies: float
    whole: float
    counts: Counts

    @property
    def times_the_larger(self) -> float:
        """The whole call as a multiple of the larger of copies and kernels."""
        return self.whole / max(self.copies, self.kernels)


def measure(device: Device, clock: Clock, timed: Timed, side: int, rounds: int) -> Timing:
    """Time one search on one device."""
    reference, sample = speckle(timed.frames, side)
    search = search_of(Settings(device="gpu", **timed.chosen), timed.frames)
    kernels, counts = _kernels(device, clock, search, (reference, sample), rounds)
    copies = _copies(device, clock, search, reference, rounds)

    def call() -> None:
        shiftfield.find_shift_field(reference, sample, device="gpu", **timed.chosen)

    return Timing(timed.name, side, kernels, copies, 1e3 * _wall(call, rounds), counts)


def _wall(call: Callable[[], object], rounds: int) -> float:
    """Return the median seconds of a call, after one that is not counted."""
    call()
    seconds = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return median(seconds)


def _kernels(
    device: Device, clock: Clock, search: Search, images: tuple[Frames, Frames], rounds: int
) -> tuple[float, Counts]:
    """Return the ms of all kernels for frames that lie on the device, and what they execute."""
    _, height, width = images[0].shape
    (ey, ex), (my, mx) = search.edge, search.margin
    there = [device.array(image) for image in images]
    out = device.array(np.zeros((search.known, height, width), np.float32))
    worker = Worker(device, search, np.float32, np.float32, Stop())
    try:
        strips, strip = worker.pieces(ex, width - ex)[0], rows_of_a_strip(search)
        if not strips:
            raise MemoryError(f"{device.name} has no memory for one row of tiles.")

        def stack(array: Any, y: int, x: int) -> Stack:
            return Stack(array.reshape(-1)[y * width + x :], height * width, width)

        def run() -> None:
            y = ey
            while y < height - ey:
                end = min((y // strip + strips) * strip, height - ey)
                ref, sam = stack(there[0], y - ey, 0), stack(there[1], y - ey + my, mx)
                target = Target(out.reshape(-1)[y * width + ex :], height * width, width)
                worker.compute(Tile(y, end, ex, width - ex), Images(ref, sam, ref, sam), target)
                y = end

        run()
        ms = median(clock.milliseconds(run) for _ in range(rounds))
        return ms, count(worker.layout, height, width)
    finally:
        worker.close()


def _copies(device: Device, clock: Clock, search: Search, image: Frames, rounds: int) -> float:
    """Return the ms of copying both images to the device and the answer back, from and to pinned memory."""
    answer = search.known * image[0].size
    host_in, host_out = (
        device.pinned((2 * image.size,), np.float32),
        device.pinned((answer,), np.float32),
    )
    host_in[...] = 0
    memory = device.allocate(
        {"in": ((2 * image.size,), np.float32), "out": ((answer,), np.float32)}
    )
    stream = device.current_stream()

    def run() -> None:
        device.upload(host_in, memory["in"], stream)
        device.download(memory["out"], host_out, stream)
        device.wait(stream)

    run()
    return median(clock.milliseconds(run) for _ in range(rounds))
