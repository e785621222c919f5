"""The images that every program is given: one speckle scan, cut or repeated to the size of the job.

They are made once for a run and read by the processes that are timed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Job

Stack = NDArray[np.float32]
FRAMES, SIDE = 20, 512


def make(folder: Path, frames: int = FRAMES, side: int = SIDE) -> None:
    """Write reference and sample `(frames, side, side)`, float32: speckle moved by a smooth field."""
    from shiftfield import synthetic

    scan = synthetic.speckle_scan(shape=(side, side), frames=frames, seed=1)
    np.save(folder / "reference.npy", scan.reference)
    np.save(folder / "sample.npy", scan.sample)


def load(folder: Path, job: Job) -> tuple[Stack, Stack]:
    """Return reference and sample `(K, H, W)` of a job: the middle of the scan, or the scan repeated."""
    stacks = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("reference", "sample"))
    reference, sample = (_cut(stack, job) for stack in stacks)
    return reference, sample


def _cut(stack: Stack, job: Job) -> Stack:
    frames, side, _ = stack.shape
    if job.frames > frames:
        raise ValueError(f"The job asks for {job.frames} frames; there are {frames}.")
    if job.side <= side:
        start = (side - job.side) // 2
        piece = slice(start, start + job.side)
        return np.array(stack[: job.frames, piece, piece])
    times = -(-job.side // side)
    repeated = np.tile(stack[: job.frames], (1, times, times))
    return np.ascontiguousarray(repeated[:, : job.side, : job.side])
