"""What one pixel and one shift cost the engine: operations and bytes, and what share of the machine's ceilings.

Counted by `counting` on a small tile; only the bytes from the second cache are reckoned by hand. Left out: halos
of tiles, preparing a tile, the sub-pixel fit, so that a share of a ceiling is a lower bound.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from unittest.mock import patch

import numpy as np

from benchmarks.cases import Job
from benchmarks.ceilings import Ceilings
from benchmarks.counting import WIDTH, Counter, uncompiled
from shiftfield.engine import Search, Tile, cpu
from shiftfield.engine.base import Answer, Block, Stop
from shiftfield.stream.plan import window_weights

_FLOAT = 4.0  # bytes
_COLUMNS = 96  # of a counted tile, at least
_ROWS = 2, 4  # of two counted tiles: their difference is what a row costs


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers for one pixel and one shift: multiply-adds (or adds, comparisons, choices), slides, bytes."""

    operations: float
    slides: float
    l1_bytes: float
    l2_bytes: float


def counts(job: Job) -> Counts:
    """Count one pixel and one shift of a field; a 1-D search is one of its two halves."""
    return _counts(replace(job, side=0, margin=10, cores=0))


@cache
def _counts(job: Job) -> Counts:
    few, more = (count(job, rows)[0] for rows in _ROWS)
    each = WIDTH / (
        (_ROWS[1] - _ROWS[0]) * _columns(job) * _search(job).shifts[0] * _search(job).shifts[1]
    )
    moved = more.loads + more.stores - few.loads - few.stores
    return Counts(
        (more.operations - few.operations) * each,
        (more.slides - few.slides) * each,
        moved * each * _FLOAT,
        _from_l2(job) * _FLOAT,
    )


def count(job: Job, rows: int) -> tuple[Counter, Answer, Answer]:
    """Run one tile of `rows` with numbers that count; return that, its answer, and the compiled answer."""
    search, width, counter = _search(job), _columns(job), Counter()
    tile = Tile(0, rows, 0, width)
    (ey, ex), (ry, rx) = search.edge, search.radius
    random = np.random.default_rng(1)
    size = job.frames, rows + 2 * ey, width + 2 * ex
    reference = random.random(size, dtype=np.float32)
    sample = np.ascontiguousarray(reference[:, ey - ry : rows + ey + ry, ex - rx : width + ex + rx])
    block = Block(reference, sample, reference, sample)
    with uncompiled(counter) as track, patch.object(cpu, "track", track):
        answer = cpu.CpuBackend().run(search, tile, block, Stop())
    return counter, answer, cpu.CpuBackend().run(search, tile, block, Stop())


def _search(job: Job) -> Search:
    """Return three rows of shifts, or of a 1-D search the one there is."""
    weights, one = window_weights(job.window, job.weight), np.ones(1)
    lines = job.search == "1d"
    margin = 0 if lines else 1, job.margin
    return Search(
        job.method,
        job.frames,
        (one if lines else weights, weights),
        margin,
        "diff",
        3,
        reference_mean=0.5,
    )


def _columns(job: Job) -> int:
    """Return a width that fills whole lanes with its window."""
    return -(-(_COLUMNS + job.window) // WIDTH) * WIDTH - job.window + 1


def _from_l2(job: Job) -> float:
    """Return floats: products that leave the window, kept ones of a weighted one, scores around the peak."""
    one = job.frames == 1 and job.weight is None
    return (0 if one else 2) + (0 if job.weight is None else job.window) + 1


@dataclass(frozen=True, slots=True)
class Fractions:
    """Shares of the machine's ceilings that a job reached: operations, and bytes copied in L1 and in L2."""

    operations: float
    l1: float
    l2: float


def fractions(job: Job, seconds: float, ceilings: Ceilings, cores: int) -> Fractions:
    """Return what a job that took `seconds` on `cores` cores reached of their ceilings."""
    need, rate = counts(job), job.answers * job.shifts / seconds / 1e9
    key = str(cores)
    return Fractions(
        need.operations * rate / ceilings.fma[key],
        need.l1_bytes * rate / ceilings.copy["L1"][key],
        need.l2_bytes * rate / ceilings.copy["L2"][key],
    )
