"""shiftfield's own calls, as a user writes them; nothing of the engine is reached from behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import shiftfield
from benchmarks.cases import Job
from benchmarks.programs import Answer, inside, points_of, template_of

Stack = NDArray[np.float32]


def call(job: Job, reference: Stack, sample: Stack) -> Callable[[], Any]:
    cores = job.cores or None
    if job.kind == "map":
        template = template_of(job, sample)
        return lambda: shiftfield.generate_correlation_map(reference[0], template)
    if job.kind == "points":
        points = list(points_of(job))
        return lambda: shiftfield.find_global_shift_based_local_shifts(
            reference[0], sample[0], job.window, job.margin, list_ij=points, ncore=cores,
            return_list=True,
        )  # fmt: skip
    settings: dict[str, Any] = {
        "method": job.method, "search": job.search, "weight": job.weight, "window": job.window,
        "margin": job.margin, "step": job.step, "ncore": cores, "device": "cpu",
    }  # fmt: skip
    return lambda: shiftfield.find_shift_field(reference, sample, **settings)


def answer(job: Job, returned: Any) -> Answer:
    if job.kind == "map":
        return {"map": returned}
    if job.kind == "points":
        return {"x": returned[0], "y": returned[1]}
    found = {name: getattr(returned, name) for name in ("x", "y", "transmission", "dark_field")}
    return {name: inside(job, image) for name, image in found.items() if image is not None}
