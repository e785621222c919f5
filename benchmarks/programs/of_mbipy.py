"""mbipy's UMPA (MIT), NumPy and SciPy on one core: the same search and number of windows."""

from __future__ import annotations

import importlib.util  # noqa: F401 - mbipy 0.1.0 uses it without importing it
from collections.abc import Callable
from typing import Any

import numpy as np
from mbipy.phase_retrieval import umpa
from numpy.typing import NDArray

from benchmarks.cases import Job
from benchmarks.programs import Answer

Stack = NDArray[np.float32]
_TOO_SMALL = 2  # px, in version 0.1.0: its padding is counted twice


def call(job: Job, reference: Stack, sample: Stack) -> Callable[[], Any]:
    # It cuts its template from what it calls the reference; ours is cut from the sample.
    search, template = (2 * job.margin + 1,) * 2, (job.window,) * 2
    weights = job.weight == "hamming"
    return lambda: umpa(reference, sample, search, template, job.method == "umpa_dark", weights)


def answer(_job: Job, returned: Any) -> Answer:
    return {"x": returned[1] + _TOO_SMALL, "y": returned[0] + _TOO_SMALL}
