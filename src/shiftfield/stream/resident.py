"""A plan for frames that lie on a GPU: computed there piece by piece, on the caller's stream."""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine import Answer, Stop, Tile
from shiftfield.engine.base import Block
from shiftfield.engine.gpu import devices
from shiftfield.engine.gpu.backend import pixels_of
from shiftfield.engine.gpu.device import Device, OutOfDeviceMemoryError
from shiftfield.engine.gpu.piece import Images, Stack, Target
from shiftfield.engine.gpu.worker import Worker
from shiftfield.stream.bands import Band, Watch, Work, band_of, cut
from shiftfield.stream.plan import Plan


def run(work: Work, watch: Watch, told: list[str]) -> Answer:
    """Compute a plan; the answer lies where the frames do. `told` gets what happened on the way.

    Raises
    ------
    Cancelled
        When the caller's `cancel` says so.
    MemoryError
        When not even one row of tiles fits into the memory that is free or allowed.
    """
    plan, frames = work.plan, (work.reference.frames, work.sample.frames)
    device = devices.of(frames[0].device)
    watch.step(0)
    with device.here():
        stored = [image.stored(0, plan.shape[0]) for image in frames]
        raw = pixels_of(Block(*stored, *stored))
        band = band_of(work, [raw.reference, raw.sample], 0)
        shape = plan.search.known, *plan.output_shape
        out = np.empty(shape, np.float32, like=raw.reference)
        out[...] = np.nan
        there = _Run(plan, device, band, out, told)
        try:
            there.run(watch)
        finally:
            there.worker.close()
        return Answer.of(list(out))


class _Run:
    """One run on one device."""

    def __init__(self, plan: Plan, device: Device, band: Band, out: Any, told: list[str]) -> None:
        self.plan, self.device, self.band, self.out, self.told = plan, device, band, out, told
        raw = band.raw[0].dtype
        self.worker = Worker(
            device, plan.search, raw if band.divisors[0] is None else np.float64, raw, Stop(),
            memory=plan.memory, threads=plan.threads,
        )  # fmt: skip

    def run(self, watch: Watch) -> None:
        """Take as many strips at a time as fit, fewer after an allocation failed."""
        strips = [tile for band in self.plan.bands() for tile in self.plan.tiles(*band)]
        most = self.worker.pieces(strips[0].x0, strips[0].x1)[0] if strips else 0
        if strips and not most:
            raise MemoryError(_TOO_LITTLE.format(self.device.name))
        done = 0
        while done < len(strips):
            taken = strips[done : done + most]
            try:
                self._compute(taken)
            except OutOfDeviceMemoryError as error:
                if len(taken) == 1:
                    raise MemoryError(_TOO_LITTLE.format(self.device.name)) from error
                most = len(taken) // 2
                self.told.append(
                    f"{self.device.name} had no memory for {len(taken)} rows of tiles at a time; it went on with "
                    f"{most}."
                )
                continue
            done += len(taken)
            watch.step(done)

    def _compute(self, strips: list[Tile]) -> None:
        first, last = strips[0], strips[-1]
        where, step = Tile(first.y0, last.y1, first.x0, first.x1), self.plan.search.step
        top, left = -(-where.y0 // step), -(-where.x0 // step)
        _, rows, columns = self.out.shape
        target = Target(self.out.reshape(-1)[top * columns + left :], rows * columns, columns)
        part = cut(self.plan, self.band, where)
        raw = part.raw_reference, part.raw_sample
        images = Images(*(_stack(frames) for frames in (part.reference, part.sample, *raw)))
        self.worker.compute(where, images, target)


def _stack(frames: Any) -> Stack:
    ways = [n // frames.dtype.itemsize for n in frames.strides]
    return Stack(frames, *ways)


_TOO_LITTLE = (
    "{} has too little free memory beside the images for one row of tiles of this search; give NumPy arrays "
    "(cupy.asnumpy) to use the CPU."
)
