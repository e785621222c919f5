"""From the numbers of a search to bits: which checks a pixel fails, with thresholds that are declared once.

The numbers come from the engine and from the checks beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine import Answer
from shiftfield.quality import Quality
from shiftfield.scores import METHODS
from shiftfield.settings import Thresholds

Bits = NDArray[np.uint16]
_SAMPLED = 4  # every so many pixels along each axis tell the usual texture


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for or against each pixel besides its answer: float32 `(h, w)`."""

    residual: NDArray[np.float32]
    way_back: NDArray[np.float32]


@np.errstate(invalid="ignore")  # NaN fails no check but the first
def judged(answer: Answer, method: str, evidence: Evidence, limits: Thresholds) -> Bits:
    """Return the bits of `Quality` of each pixel, 0 where nothing speaks against it."""
    bits = answer.flags.astype(np.uint16)
    unknown = ~(np.isfinite(answer.x) & np.isfinite(answer.y))
    score = np.sqrt(np.maximum(answer.score, 0)) if METHODS[method].squared else answer.score
    texture = answer.texture[::_SAMPLED, ::_SAMPLED]
    some = texture[texture > 0]
    usual = float(np.median(some)) if some.size else 0.0
    for bit, fails in (
        (Quality.NO_ANSWER, unknown & (bits & Quality.NOT_CONVERGED == 0)),
        (Quality.LOW_SCORE, score < limits.score),
        (Quality.SECOND_PEAK, answer.second_peak > limits.second_peak),
        (Quality.LOW_TEXTURE, answer.texture < limits.texture * usual),
        (Quality.MEDIAN_TEST, evidence.residual > limits.residual),
        (Quality.FORWARD_BACKWARD, evidence.way_back > limits.way_back),
    ):
        bits |= np.where(fails, np.uint16(bit), np.uint16(0))
    return bits
