"""Every program that can do a job, behind one door: `call` is what is timed, `answer` puts it in our terms.

One file for each program; this one knows their names, packages and licences, and who is installed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np
from numpy.typing import NDArray

import shiftfield
from benchmarks.cases import OURS, Job

Answer = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True)
class Program:
    """Where a program is found: module here, package on PyPI, licence as its metadata state it."""

    module: str
    package: str
    licence: str


PROGRAMS = {
    OURS: Program("ours", "shiftfield", "BSD-3-Clause AND MIT"),
    "algotom": Program("of_algotom", "algotom", "Apache-2.0"),
    "mbipy": Program("of_mbipy", "mbipy", "MIT"),
    "OpenPIV": Program("of_openpiv", "openpiv", "GPL-3.0"),
    "scikit-image": Program("of_skimage", "scikit-image", "BSD-3-Clause"),
    "OpenCV": Program("of_opencv", "opencv-python-headless", "Apache-2.0"),
}


def installed(program: str) -> str:
    """Return the version of a program, "" where it is not installed."""
    if program == OURS:
        return shiftfield.__version__  # from a checkout too
    try:
        return version(PROGRAMS[program].package)
    except PackageNotFoundError:
        return ""


def call_of(
    job: Job, reference: NDArray[np.float32], sample: NDArray[np.float32]
) -> Callable[[], Any]:
    """Return the call that does a job on two stacks `(K, H, W)`; what it returns is the program's own."""
    made: Callable[[], Any] = _home(job).call(job, reference, sample)
    return made


def answer_of(job: Job, returned: Any) -> Answer:
    """Return what a call returned as named arrays: "x", "y" in px, match in the reference minus place.

    Of a field only pixels whose windows lie inside, at every `step`-th of them from the first.
    """
    answer: Answer = _home(job).answer(job, returned)
    return answer


def _home(job: Job) -> Any:
    return import_module(f"benchmarks.programs.{PROGRAMS[job.program].module}")


def inside(job: Job, image: NDArray[Any]) -> NDArray[Any]:
    """Return the part of an image of every `step`-th pixel that has answers."""
    first = job.edge // job.step
    within = slice(first, first + len(range(job.edge, job.side - job.edge, job.step)))
    return image[within, within]


def template_of(job: Job, sample: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the middle of the first frame, the piece that a map is made of."""
    start = (job.side - job.template) // 2
    piece = slice(start, start + job.template)
    return np.ascontiguousarray(sample[0, piece, piece])


def points_of(job: Job) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return (rows, columns) of the points of a job, the same for every program.

    The outermost pixels that could have an answer are left out: algotom drops them.
    """
    generator = np.random.default_rng(7)
    rows, columns = generator.integers(job.edge + 1, job.side - job.edge - 1, (2, job.points))
    return rows, columns


def cores_of(job: Job) -> int:
    """Return the number of cores that a job may use."""
    from shiftfield.machine import available_cores

    return job.cores or available_cores()
