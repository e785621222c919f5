"""How the time of one pixel grows with the window, the margin, the frames, the image and the cores.

The lines are data; `plots` draws what `measure` found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

from benchmarks.cases import PIXEL, Job
from benchmarks.measure import Workers
from benchmarks.programs import cores_of, installed

_PEER_ANSWERS = 48  # pixels a side that algotom is given


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: a job whose field `varied` takes each of `values`."""

    label: str
    job: Job
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """One plot: what is varied, under what words, and its lines."""

    varied: str
    words: str
    lines: tuple[Line, ...]


_ONE, _FIVE = Job(), Job(frames=5)
_WINDOWS = (3, 5, 7, 9, 11, 15, 21, 31, 41, 61)
_MARGINS = (1, 2, 5, 10, 20, 40)
_SIDES = (64, 128, 256, 512, 1024, 2048)


def _algotom(job: Job, varied: str, values: tuple[int, ...]) -> Line:
    label = f"algotom, {_frames(job)}" if varied != "frames" else "algotom"
    return Line(label, replace(job, program="algotom"), values)


def _frames(job: Job) -> str:
    return "one pair" if job.frames == 1 else f"{job.frames} frames"


def _ours(job: Job, values: tuple[int, ...]) -> Line:
    return Line(f"shiftfield, {_frames(job)}", job, values)


def growths(cores: int) -> tuple[Growth, ...]:
    """Return every plot, for a machine of so many cores."""
    each = tuple(range(1, cores + 1)) if cores <= 4 else (1, 2, 4, *range(8, cores + 1, 8))
    return (
        Growth(
            "window",
            "window, px",
            (
                _ours(_ONE, _WINDOWS),
                _ours(_FIVE, _WINDOWS),
                _ours(replace(_FIVE, frames=20), _WINDOWS),
                _algotom(_ONE, "window", (3, 7, 15, 31)),
                _algotom(_FIVE, "window", (3, 7, 15)),
            ),
        ),
        Growth(
            "margin",
            "margin, px",
            (
                _ours(_ONE, _MARGINS),
                _ours(_FIVE, _MARGINS),
                _algotom(_ONE, "margin", (1, 2, 5, 10, 20)),
                _algotom(_FIVE, "margin", (1, 2, 5, 10)),
            ),
        ),
        Growth(
            "frames",
            "frames",
            (
                Line("shiftfield", _ONE, (1, 2, 3, 5, 10, 20)),
                _algotom(_ONE, "frames", (1, 2, 5, 10)),
            ),
        ),
        Growth(
            "side",
            "side of the image, px",
            (_ours(_ONE, _SIDES), _ours(_FIVE, _SIDES), _algotom(_ONE, "side", (64, 96, 128, 192))),
        ),
        Growth(
            "cores",
            "cores",
            (
                _ours(_ONE, each),
                _ours(_FIVE, each),
                _algotom(_ONE, "cores", each),
            ),
        ),
    )


def measure(
    workers: Workers, rounds: int, told: Callable[[str], object], answers: int = 0
) -> list[dict[str, Any]]:
    """Return for every plot and line the values and the us/px; `answers` is a side for a quick look."""
    found = []
    for growth in growths(cores_of(Job())):
        lines = []
        for line in growth.lines:
            if not installed(line.job.program):
                continue
            values = _few(line, growth.varied) if answers else line.values
            jobs = [_job(line, growth.varied, value, answers) for value in values]
            times = [_seconds(workers, job, rounds) for job in jobs]
            lines.append(
                {
                    "label": line.label,
                    "program": line.job.program,
                    "values": list(values),
                    "us_per_px": [PIXEL.value(t, j) for t, j in zip(times, jobs, strict=True)],
                }
            )
            told(f"growth with {growth.words}: {line.label}")
        found.append({"varied": growth.varied, "words": growth.words, "lines": lines})
    return found


def _few(line: Line, varied: str) -> tuple[int, ...]:
    """Return two values that take little time."""
    if varied == "side":
        return line.values[:2]
    return line.values[:: max(1, len(line.values) - 1)]


def _job(line: Line, varied: str, value: int, answers: int) -> Job:
    changed: dict[str, Any] = {varied: value}
    job = line.job if varied == "side" else replace(line.job, **changed)
    if varied == "side":
        return replace(job, side=value)
    if job.program == "algotom":
        large = 102 if varied == "cores" else _PEER_ANSWERS  # its start of processes is no growth
        return job.of_side(answers or large)
    return job.of_side(answers) if answers else job


def _seconds(workers: Workers, job: Job, rounds: int) -> float:
    workers.ask("warm", job)
    times: list[float] = [workers.ask("timed", job)]
    while len(times) < rounds and times[0] < 1.0:
        times.append(workers.ask("timed", job))
    return median(times)
