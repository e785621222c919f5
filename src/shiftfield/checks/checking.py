"""All checks of one search: the way back is searched, neighbours are compared, and each pixel is judged."""

from __future__ import annotations

import warnings
from dataclasses import replace

from shiftfield.checks.judge import Bits, Evidence, judged
from shiftfield.checks.neighbours import median_residual
from shiftfield.checks.way_back import backward_starts, distance
from shiftfield.dense.two_axes import search_2d
from shiftfield.engine import Answer
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.weights import Weights
from shiftfield.settings import Settings, Thresholds
from shiftfield.stream.bands import Watch
from shiftfield.stream.pieces import Starts


def quality_of(
    answer: Answer, inputs: tuple[Frames, Frames], settings: Settings, limits: Thresholds, watch: Watch,
    *, starts: Starts | None, weights: Weights,
) -> Bits:  # fmt: skip
    """Return what speaks against each pixel of the answer to a search of inputs (reference, sample)."""
    reference, sample = inputs
    plain = replace(
        settings, refine=None, uncertainty=False, quality=False,
        method="umpa" if settings.method == "umpa" else "pearson",
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # they were said of the way there
        back = search_2d(
            sample, reference, plain, watch, weights=(weights[1], weights[0]),
            starts=None if starts is None else backward_starts(starts),
        )  # fmt: skip
    apart = max(1, round(settings.window / 2 / settings.step))
    watch.look()
    residual = median_residual(answer.x, answer.y, apart, limits.tolerance, watch.look)
    way_back = distance(answer.x, answer.y, back.x, back.y, settings.step)
    watch.look()
    return judged(answer, settings.method, Evidence(residual, way_back), limits)
