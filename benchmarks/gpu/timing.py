"""How long the kernels of a search take, the copies of its images, and the whole call, alone and with the CPU."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

import shiftfield
from benchmarks.gpu.cases import COPIES, Frames, Timed, speckle
from benchmarks.gpu.ceilings import Ceilings
from benchmarks.gpu.clock import Clock, Watched, milliseconds
from benchmarks.gpu.counts import Counts, count
from benchmarks.gpu.rows import Row
from shiftfield.dense.plans import search_of
from shiftfield.engine import Search, Stop, Tile
from shiftfield.engine.gpu.device import Device
from shiftfield.engine.gpu.piece import Images, Stack, Target
from shiftfield.engine.gpu.worker import Worker, rows_of_a_strip
from shiftfield.settings import Settings


@dataclass(frozen=True, slots=True)
class Timing:
    """Medians of several rounds, ms; what was counted; what was said about the device meanwhile."""

    name: str
    side: int
    kernels: dict[str, float]
    copies: float
    whole: float
    counts: Counts
    told: tuple[str, ...] = ()


def measure(device: Device, clock: Clock, timed: Timed, side: int, rounds: int) -> Timing:
    """Time one search on one device."""
    reference, sample = speckle(timed.frames, side)
    search = search_of(Settings(device="gpu", **timed.chosen), timed.frames)
    kernels, counts = _kernels(device, clock, search, (reference, sample), rounds)
    copies = _copies(device, clock, search, reference, rounds)
    whole, told = wall(timed, (reference, sample), "gpu", rounds)
    return Timing(timed.name, side, kernels, copies, whole, counts, tuple(told))


def judged(found: Timing, goal: float | None, top: Ceilings | None) -> Iterator[Row]:
    """Hold the times to their goals, and tell what the counts make of them."""
    name, kernels = f"{found.name}, {found.side} px", sum(found.kernels.values())
    spoilt = "; ".join(found.told)
    parts = sorted(found.kernels.items(), key=lambda item: -item[1])
    yield Row(
        f"{name}: kernels", kernels, "ms", goal,
        note=", ".join(f"{kernel} {ms:.3g}" for kernel, ms in parts),
    )  # fmt: skip
    search = found.kernels["search_best"]
    rate = found.counts.multiply_adds / search / 1e6
    note = f"{found.counts.cache_bytes / search / 1e6:.0f} GB/s from the caches"
    if top:
        note = f"{100 * rate / top.multiply_adds:.0f} % of the ceiling, {note}"
    yield Row(f"{name}: multiply-adds of search_best", rate, "1e9/s", note=note)
    yield Row(
        f"{name}: whole call / larger of copies and kernels", found.whole / max(found.copies, kernels),
        "x", COPIES, spoilt=spoilt, note=f"{found.whole:.4g} ms, copies {found.copies:.4g} ms",
    )  # fmt: skip


def together(timed: Timed, side: int, rounds: int) -> Iterator[Row]:
    """Compare "hybrid" with either device alone."""
    images = speckle(timed.frames, side)
    ms: dict[str, float] = {}
    said: list[str] = []
    for device in ("cpu", "gpu", "hybrid"):
        ms[device], told = wall(timed, images, device, 1 if device == "cpu" else rounds)
        said += told
    yield Row(
        f"{timed.name}, {side} px: hybrid / the faster of GPU and CPU", ms["hybrid"] / min(ms["cpu"], ms["gpu"]),
        "x", 1.0, spoilt="; ".join(said), note=", ".join(f"{name} {t:.4g} ms" for name, t in ms.items()),
    )  # fmt: skip


def wall(
    timed: Timed, images: tuple[Frames, Frames], device: str, rounds: int
) -> tuple[float, list[str]]:
    """Return the median ms of a call, after one that is not counted, and the warnings about the device."""
    taken = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for _ in range(rounds + 1):
            started = time.perf_counter()
            shiftfield.find_shift_field(*images, device=device, **timed.chosen)
            taken.append(1e3 * (time.perf_counter() - started))
    return median(taken[1:]), sorted({str(warning.message) for warning in caught})


def _kernels(
    device: Device, clock: Clock, search: Search, images: tuple[Frames, Frames], rounds: int
) -> tuple[dict[str, float], Counts]:
    """Return the median ms of each kernel for frames that lie on the device, and what they execute."""
    _, height, width = images[0].shape
    (ey, ex), (my, mx) = search.edge, search.margin
    watched = Watched(device, clock)
    there = [device.array(image) for image in images]
    out = device.array(np.zeros((search.known, height, width), np.float32))
    worker = Worker(watched, search, np.float32, np.float32, Stop())
    try:
        strips, strip = worker.pieces(ex, width - ex)[0], rows_of_a_strip(search)
        if not strips:
            raise MemoryError(f"{device.name} has no memory for one row of tiles.")

        def stack(array: Any, y: int, x: int) -> Stack:
            return Stack(array.reshape(-1)[y * width + x :], height * width, width)

        def run() -> dict[str, float]:
            y = ey
            while y < height - ey:
                end = min((y // strip + strips) * strip, height - ey)
                ref, sam = stack(there[0], y - ey, 0), stack(there[1], y - ey + my, mx)
                target = Target(out.reshape(-1)[y * width + ex :], height * width, width)
                worker.compute(Tile(y, end, ex, width - ex), Images(ref, sam, ref, sam), target)
                y = end
            return watched.taken()

        run()
        found = [run() for _ in range(rounds)]
        middle = {kernel: median(one.get(kernel, 0.0) for one in found) for kernel in found[0]}
        return middle, count(worker.layout, height, width)
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

    milliseconds(clock, device, run)
    return median(milliseconds(clock, device, run) for _ in range(rounds))
