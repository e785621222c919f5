"""scikit-image's calls (BSD-3-Clause), one core.

`optical_flow_ilk` is left out: it follows gradients through a pyramid and tries no shifts, which is other work.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from skimage.feature import match_template
from skimage.registration import phase_cross_correlation

from benchmarks.cases import Job
from benchmarks.programs import Answer, points_of, template_of

Stack = NDArray[np.float32]


def call(job: Job, reference: Stack, sample: Stack) -> Callable[[], Any]:
    if job.kind == "map":
        template = template_of(job, sample)
        return lambda: match_template(reference[0], template)
    radius = job.window // 2
    points = list(zip(*points_of(job), strict=True))

    def shifts() -> list[Any]:
        found = []
        for i, j in points:
            window = slice(i - radius, i + radius + 1), slice(j - radius, j + radius + 1)
            ref, sam = (image[0][window] - image[0][window].mean() for image in (reference, sample))
            found.append(
                phase_cross_correlation(ref, sam, upsample_factor=100, normalization=None)[0]
            )
        return found

    return shifts


def answer(job: Job, returned: Any) -> Answer:
    if job.kind == "map":
        return {"map": returned}
    rows, columns = np.transpose(returned)
    return {"x": columns, "y": rows}
