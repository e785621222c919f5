"""OpenCV's calls (Apache-2.0), float32, with as many threads as ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.cases import Job
from benchmarks.programs import Answer, cores_of, points_of, template_of

Stack = NDArray[np.float32]


def call(job: Job, reference: Stack, sample: Stack) -> Callable[[], Any]:
    cv2.setNumThreads(cores_of(job))
    if job.kind == "map":
        template = template_of(job, sample)
        return lambda: cv2.matchTemplate(reference[0], template, cv2.TM_CCOEFF_NORMED)
    radius = job.window // 2
    points = list(zip(*(part.tolist() for part in points_of(job)), strict=True))

    def shifts() -> list[Any]:
        found = []
        for i, j in points:
            area = reference[0, i - job.edge : i + job.edge + 1, j - job.edge : j + job.edge + 1]
            window = sample[0, i - radius : i + radius + 1, j - radius : j + radius + 1]
            scores = cv2.matchTemplate(area, window, cv2.TM_CCOEFF_NORMED)
            found.append(cv2.minMaxLoc(scores)[3])
        return found

    return shifts


def answer(job: Job, returned: Any) -> Answer:
    if job.kind == "map":
        return {"map": returned}
    columns, rows = np.transpose(returned)
    return {"x": columns - job.margin, "y": rows - job.margin}
