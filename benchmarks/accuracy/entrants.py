"""Who is measured, and what each makes of a pair of images: shifts on all pixels it answers, flat.

How a program is called is `benchmarks.programs`; ours, which have settings that no other has, are called here.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Job
from benchmarks.programs import answer_of, call_of, installed
from shiftfield import find_shift_field

Real = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Found:
    """Shifts that match the pixels `columns` of the image `(H, W)`, px, (x, y); and seconds for each pixel."""

    x: Real
    y: Real
    columns: Real
    seconds: float


Run = Callable[
    [Real, Real, int, int], Found
]  # of reference, sample (K, H, W), window and margin, px


@dataclass(frozen=True, slots=True)
class Entrant:
    """One program with one setting."""

    name: str
    run: Run


def entrants() -> list[Entrant]:
    """Return ours, and every other that is installed."""
    ours = [
        Entrant("shiftfield, peak fit", _ours()),
        Entrant("shiftfield, icgn", _ours(refine="icgn")),
        Entrant("shiftfield, icgn, first order", _ours(refine="icgn", shape_order=1)),
        Entrant("shiftfield, UMPA and icgn", _ours(refine="icgn", method="umpa")),
    ]
    others = [
        Entrant("algotom", _field("algotom")),
        Entrant("mbipy (UMPA)", _field("mbipy", method="umpa")),
        Entrant("OpenPIV", _field("OpenPIV", step=4)),
        Entrant("scikit-image, phase correlation", _points("scikit-image")),
        Entrant("OpenCV, matchTemplate", _points("OpenCV")),
    ]
    return ours + [one for one in others if installed(_program(one.name))]


def _program(name: str) -> str:
    return name.partition(",")[0].partition(" (")[0]


def _ours(**settings: Any) -> Run:
    def run(reference: Real, sample: Real, window: int, margin: int) -> Found:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            started = time.perf_counter()
            field = find_shift_field(
                reference, sample, window=window, margin=margin, device="cpu", **settings
            )
            seconds = time.perf_counter() - started
        edge = window // 2 + margin
        inner = slice(edge, -edge), slice(edge, -edge)
        columns = np.broadcast_to(np.arange(field.shape[1]), field.shape)[inner]
        x, y = field.x[inner], field.y[inner]
        return Found(x.ravel(), y.ravel(), columns.ravel(), seconds / x.size)

    return run


def _field(program: str, method: str = "pearson", step: int = 1) -> Run:
    def run(reference: Real, sample: Real, window: int, margin: int) -> Found:
        side = reference.shape[1]
        whole = -(-(window // 2 + margin) // step) * step - window // 2
        job = Job(program, method=method, side=side, window=window, margin=whole, step=step)
        seconds, answer = _timed(job, reference, sample)
        places = np.arange(job.edge, side - job.edge, step)
        columns = np.broadcast_to(places, answer["x"].shape)
        x, y = answer["x"].ravel(), answer["y"].ravel()
        return Found(x, y, columns.ravel(), seconds / x.size)

    return run


def _points(program: str) -> Run:
    def run(reference: Real, sample: Real, window: int, margin: int) -> Found:
        from benchmarks.programs import points_of

        job = Job(
            program,
            kind="points",
            side=reference.shape[1],
            window=window,
            margin=margin,
            points=400,
        )
        seconds, answer = _timed(job, reference, sample)
        return Found(answer["x"], answer["y"], points_of(job)[1], seconds / job.points)

    return run


def _timed(job: Job, reference: Real, sample: Real) -> tuple[float, dict[str, Real]]:
    images = [np.ascontiguousarray(image, dtype=np.float32) for image in (reference, sample)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        call = call_of(job, images[0], images[1])
        started = time.perf_counter()
        returned = call()
        seconds = time.perf_counter() - started
    return seconds, answer_of(job, returned)
