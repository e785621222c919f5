"""OpenPIV's window correlation (GPL-3.0, run here and never shipped): each window in a larger search area."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from openpiv.pyprocess import extended_search_area_piv

from benchmarks.cases import Job
from benchmarks.programs import Answer

Stack = NDArray[np.float32]


def call(job: Job, reference: Stack, sample: Stack) -> Callable[[], Any]:
    area = job.window + 2 * job.margin
    return lambda: extended_search_area_piv(
        sample[0], reference[0], window_size=job.window, search_area_size=area,
        overlap=area - job.step, sig2noise_method=None, normalized_correlation=True,
    )  # fmt: skip


def answer(_job: Job, returned: Any) -> Answer:
    return {"x": np.asarray(returned[0]), "y": np.asarray(returned[1])}
