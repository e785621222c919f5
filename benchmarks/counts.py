"""What one pixel and one shift cost the engine: vector operations and bytes, pass by pass, as it is written.

The table follows the kernels by hand and must be changed with them; `ceilings` says what the machine can do.
Left out: halos of tiles, preparing a tile, the sub-pixel fit, so that a fraction of a ceiling is a lower bound.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases import Job
from benchmarks.ceilings import Ceilings

Cost = Callable[[Job], float]
_FLOAT = 4.0  # bytes


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over a tile for one shift: what it costs for each pixel.

    Operations (a fused multiply-add, an add, a multiply, a comparison or a choice is one), floats moved
    from and to L1, and those of them that come from L2.
    """

    name: str
    operations: Cost
    l1: Cost
    l2: Cost


def _bits(window: int) -> int:
    """Sums of 1, 2, 4, 8 neighbours, and those of them that the window's binary expansion holds."""
    return 3 + (window % 16).bit_count() - 1 + (2 + window // 16 if window >= 16 else 0)


def _down(job: Job) -> float:
    return 3.0 if job.weight is None else float(job.window)


def _across(job: Job) -> float:
    return float(_bits(job.window) if job.weight is None else job.window)


_SCORE = {"pearson": (5.0, 4.0), "umpa_dark": (6.0, 4.0), "umpa": (8.0, 6.0)}  # operations, floats

PASSES = (
    Pass(
        "products, summed over frames",
        operations=lambda job: job.frames,
        l1=lambda job: 1.25 * job.frames + 1,  # four shifts share what they load of the sample
        l2=lambda job: 0.2 * job.frames,
    ),
    Pass(
        "sums down",
        _down,
        lambda job: 6.0 if job.weight is None else job.window + 1.0,
        lambda _: 4.0,
    ),
    Pass(
        "sums across",
        _across,
        lambda job: (
            1.0 + (4 if job.window >= 16 else 0) if job.weight is None else job.window + 1.0
        ),
        lambda _: 0.0,
    ),
    Pass(
        "score, best so far",
        operations=lambda job: _SCORE[job.method][0],
        l1=lambda job: _SCORE[job.method][1],
        l2=lambda _: 1.0,
    ),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """Operations and bytes of one pixel and one shift, over all passes."""

    operations: float
    l1_bytes: float
    l2_bytes: float


def counts(job: Job) -> Counts:
    """Add up the passes of a field; a 1-D search has one of the two windowed sums for each shift."""
    share = {"sums down": 0.5, "sums across": 0.5} if job.search == "1d" else {}
    parts = [(share.get(each.name, 1.0), each) for each in PASSES]
    return Counts(
        sum(part * each.operations(job) for part, each in parts),
        sum(part * each.l1(job) for part, each in parts) * _FLOAT,
        sum(part * each.l2(job) for part, each in parts) * _FLOAT,
    )


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
