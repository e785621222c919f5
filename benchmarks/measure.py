"""Times the rows of the table: each program in a process of its own, the programs in turn, several rounds.

What a figure means is said in `cases`, how it looks on paper in `report`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks import agreement
from benchmarks.cases import OURS, Job, Peer, Row
from benchmarks.programs import PROGRAMS, cores_of, installed

_START = Path(__file__).with_name("start.py")


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is done: rounds of ours and of a peer, the answers a side of all fields (0: as declared)."""

    rounds: int = 7
    peer_rounds: int = 3
    starts: int = 5
    empty_starts: int = 2
    answers: int = 0
    long: float = 8.0  # s; a peer's call that takes longer is timed in two rounds only

    def job(self, job: Job) -> Job:
        """Return a job, made small where this is a quick look."""
        return job.of_side(self.answers) if self.answers else job


@dataclass(slots=True)
class Figure:
    """The figures of one program in one row: seconds (or bytes) of every round, what they mean, agreement."""

    program: str
    label: str
    job: dict[str, Any]
    rounds: list[float] = field(default_factory=list)
    value: float | None = None
    lowest: float | None = None
    highest: float | None = None
    missing: str = ""
    note: str = ""
    apart: float | None = None
    differences: dict[str, dict[str, float]] = field(default_factory=dict)
    agrees: bool | None = None


class Worker:
    """A process of its own that does jobs of one program on the images of `folder`."""

    def __init__(self, folder: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment(),
        )

    def ask(self, what: str, job: Job) -> Any:
        """Have a job warmed, timed, measured or saved; an error there is an error here."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": what, "job": asdict(job)}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        said = json.loads(line) if line else {"failed": "its process ended"}
        if "failed" in said:
            raise RuntimeError(f"{job.program} failed ({what}): {said['failed']}")
        return said["said"]

    def close(self) -> None:
        """Let the process end, and wait for it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


class Workers:
    """The worker of every program, started when it is first asked for; a context manager that ends them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: dict[str, Worker] = {}

    def ask(self, what: str, job: Job) -> Any:
        """Have a job done by the worker of its program."""
        if job.program not in self._running:
            self._running[job.program] = Worker(self._folder)
        return self._running[job.program].ask(what, job)

    def ask_a_new_one(self, what: str, job: Job) -> Any:
        """Have a job done by a process that has done nothing before."""
        worker = Worker(self._folder)
        try:
            return worker.ask(what, job)
        finally:
            worker.close()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._running.values():
            worker.close()


def environment(**extra: str) -> dict[str, str]:
    """Return this process's environment with this folder, and the package it imports, on the path."""
    import shiftfield

    top = Path(__file__).parents[1]
    package = Path(shiftfield.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": f"{top}{os.pathsep}{package}", **extra}


def measure(row: Row, workers: Workers, effort: Effort) -> list[Figure]:
    """Return the figures of a row: ours first, then every peer's, installed or not."""
    if row.measure == "memory":
        return [_memory(row, workers, effort)]
    if row.measure == "cancel":
        return [_cancel(row, workers, effort)]
    if row.measure.startswith("start"):
        return [_start(row, effort)]
    return _times(row, workers, effort)


def _times(row: Row, workers: Workers, effort: Effort) -> list[Figure]:
    figures = [_figure(row.ours, row.ours.program, effort)]
    figures += [_figure(peer.job, peer.name, effort) for peer in row.peers]
    for figure in figures:
        if not installed(figure.program):
            figure.missing = f"not installed: pip install {PROGRAMS[figure.program].package}"
            continue
        with _kept(figure):
            workers.ask("warm", Job(**figure.job))
    for turn in range(effort.rounds):
        for figure in figures:
            if not figure.missing and turn < _rounds(figure, effort):
                with _kept(figure):
                    figure.rounds.append(workers.ask("timed", Job(**figure.job)))
    for number, peer in enumerate(row.peers):
        figure = figures[number + 1]
        if isfinite(peer.apart) and not figure.missing:
            with _kept(figure):
                _compare(row, number, peer, figure, workers)
    for figure in figures:
        _settle(figure, row)
    return figures


@contextmanager
def _kept(figure: Figure) -> Iterator[None]:
    """Note what a peer could not do, and go on without it; ours must do everything."""
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if figure.program == OURS:
            raise
        figure.missing = str(error)


def _figure(job: Job, label: str, effort: Effort) -> Figure:
    return Figure(job.program, label, asdict(effort.job(job)))


def _rounds(figure: Figure, effort: Effort) -> int:
    if figure.program == OURS:
        return effort.rounds
    if figure.rounds and figure.rounds[0] > effort.long:
        return min(2, effort.peer_rounds)
    return effort.peer_rounds


def _compare(row: Row, number: int, peer: Peer, figure: Figure, workers: Workers) -> None:
    """Have both programs do the same small job, and keep by how much their answers differ."""
    answers = []
    for job in agreement.pair(row, number):
        with np.load(workers.ask("save", job)) as saved:
            answers.append(dict(saved))
    found = agreement.differences(*answers)
    figure.apart, figure.note = peer.apart, peer.note
    figure.differences = {name: asdict(found[name]) for name in sorted(found)}
    figure.agrees = agreement.agree(found, peer.apart)


def _settle(figure: Figure, row: Row) -> None:
    """Turn the rounds into the row's unit."""
    if figure.rounds and not figure.missing:
        values = [row.unit.value(each, Job(**figure.job)) for each in figure.rounds]
        figure.value, figure.lowest, figure.highest = median(values), min(values), max(values)


def _memory(row: Row, workers: Workers, effort: Effort) -> Figure:
    figure = _figure(row.ours, row.ours.program, effort)
    job = Job(**figure.job)
    for _ in range(min(3, effort.rounds)):
        figure.rounds.append(workers.ask_a_new_one("memory", job) / cores_of(job))
    _settle(figure, row)
    return figure


def _cancel(row: Row, workers: Workers, effort: Effort) -> Figure:
    figure = Figure(row.ours.program, row.ours.program, asdict(row.ours))  # in full: it never ends
    figure.rounds += [workers.ask_a_new_one("cancel", row.ours) for _ in range(effort.starts)]
    _settle(figure, row)
    return figure


def _start(row: Row, effort: Effort) -> Figure:
    figure = _figure(row.ours, row.ours.program, effort)
    side = row.ours.side
    if row.measure == "start empty":
        for _ in range(effort.empty_starts):
            with tempfile.TemporaryDirectory() as cache:
                figure.rounds.append(_seconds_to_first_answer(side, cache))
    else:
        with tempfile.TemporaryDirectory() as cache:
            _seconds_to_first_answer(side, cache)
            if not any(path.is_file() for path in Path(cache).rglob("*")):
                raise RuntimeError("No compiled code was kept, so that no cache is ever warm.")
            figure.rounds += [_seconds_to_first_answer(side, cache) for _ in range(effort.starts)]
    _settle(figure, row)
    return figure


def _seconds_to_first_answer(side: int, cache: str) -> float:
    """Return the wall time of a whole new process, interpreter and imports included."""
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, str(_START), str(side)],
        check=True,
        env=environment(NUMBA_CACHE_DIR=cache, XDG_CACHE_HOME=cache),
    )
    return time.perf_counter() - started
