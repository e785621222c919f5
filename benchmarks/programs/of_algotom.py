"""algotom's calls (Apache-2.0), on the CPU, on all cores that ours may use unless its default is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from algotom.util import correlation
from numpy.typing import NDArray

from benchmarks.cases import DEFAULT_CORES, Job
from benchmarks.programs import Answer, cores_of, inside, points_of, template_of

Stack = NDArray[np.float32]


def call(job: Job, reference: Stack, sample: Stack) -> Callable[[], Any]:
    cores = None if job.cores == DEFAULT_CORES else cores_of(job)
    if job.kind == "map":
        template = template_of(job, sample)
        return lambda: correlation.generate_correlation_map(reference[0], template)
    if job.kind == "points":
        points = [part.tolist() for part in points_of(job)]
        return lambda: correlation.find_global_shift_based_local_shifts(
            reference[0], sample[0], job.window, job.margin, list_ij=points, ncore=cores,
            return_list=True,
        )  # fmt: skip
    common: dict[str, Any] = {
        "win_size": job.window, "margin": job.margin, "gpu": False, "ncore": cores,
    }  # fmt: skip
    if job.method != "pearson":
        return lambda: correlation.find_local_shifts_umpa(
            reference, sample, filter_name=job.weight, dark_signal=job.method == "umpa_dark",
            **common,
        )  # fmt: skip
    ref, sam = (reference[0], sample[0]) if job.frames == 1 else (reference, sample)
    dim = 1 if job.search == "1d" else 2
    return lambda: correlation.find_local_shifts(ref, sam, dim=dim, norm=False, **common)


def answer(job: Job, returned: Any) -> Answer:
    if job.kind == "map":
        return {"map": returned}
    found = dict(zip(("x", "y", "transmission", "dark_field"), map(np.asarray, returned)))  # noqa: B905
    return found if job.kind == "points" else {n: inside(job, image) for n, image in found.items()}
