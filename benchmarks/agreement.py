"""Whether two programs found the same: differences of their answers where both have one.

How small they must be is said in `cases`; how programs are called, in `programs`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.cases import Job, Row
from benchmarks.programs import Answer

_ANSWERS = 24  # pixels a side that are compared in the benchmark
_POINTS = 30


@dataclass(frozen=True, slots=True)
class Difference:
    """Differences of one named array: median and 99th percentile of their size, and how many there are."""

    median: float
    largest: float
    count: int


def pair(row: Row, peer: int, answers: int = _ANSWERS, margin: int = 0) -> tuple[Job, Job]:
    """Return ours and a peer's job on the same small image; `margin` 0 is the row's own."""
    theirs = row.peers[peer].job
    job = replace(theirs, margin=margin or theirs.margin)
    job = replace(job, side=128, points=_POINTS) if job.kind == "points" else job.of_side(answers)
    return replace(job, program=row.ours.program, cores=row.ours.cores), job


def differences(ours: Answer, theirs: Answer) -> dict[str, Difference]:
    """Compare every array that both answers have; a shape that differs is an error."""
    found = {}
    for name in ours.keys() & theirs.keys():
        one, two = (np.asarray(each[name], dtype=np.float64) for each in (ours, theirs))
        if one.shape != two.shape:
            raise ValueError(f"{name} has shape {one.shape} here and {two.shape} there.")
        apart = np.abs(one - two)
        apart = apart[np.isfinite(apart)]
        if apart.size < one.size / 2:
            raise ValueError(f"{name} has an answer at {apart.size} of {one.size} places only.")
        found[name] = Difference(
            float(np.median(apart)), float(np.quantile(apart, 0.99)), apart.size
        )
    if not found:
        raise ValueError("The two answers have no array of the same name.")
    return found


def agree(found: dict[str, Difference], apart: float) -> bool:
    """Return whether every median is small enough."""
    return all(difference.median <= apart for difference in found.values())
