"""`Probe`: all that one search sees at one pixel, to be looked at.

It only holds and describes; how it is found is `prober`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiftfield.field.reasons import WORDS
from shiftfield.peaks.surface import PeakFit
from shiftfield.quality import Quality
from shiftfield.settings import Settings

Float = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """What a search sees at one pixel of the sample; shifts in px, (x, y), sample to reference.

    Attributes
    ----------
    row, column : int
        The pixel of the sample.
    window : ndarray of float64, shape (K, wy, wx)
        The sample's window around it; NaN outside the image.
    area : ndarray of float64, shape (K, wy + 2 margin, wx + 2 margin)
        The part of the reference in which it is searched; NaN outside the image.
    scores : ndarray of float64, shape (2 margin + 1, 2 margin + 1)
        The score of every shift that was tried, along (y, x); NaN where there is none.
    first : tuple of int
        The shift (x, y) of `scores[0, 0]`.
    best : tuple of int or None
        The best whole-pixel shift (x, y); None where no shift has a score.
    second : tuple of int or None
        The best whole-pixel shift (x, y) that is not part of the same peak.
    fit : PeakFit or None
        What was fitted around the best shift.
    x, y : float
        The shift, as in a `ShiftField`; NaN where it has no answer.
    score, transmission, dark_field, uncertainty_x, uncertainty_y, second_peak : float
        As in a `ShiftField`; NaN where unknown.
    against : Quality
        What speaks against the pixel, of what can be seen at it alone: no answer, score, second peak, search
        border, convergence, coverage.
    settings : Settings
        What was asked for.
    """

    row: int
    column: int
    window: Float
    area: Float
    scores: Float
    first: tuple[int, int]
    best: tuple[int, int] | None
    second: tuple[int, int] | None
    fit: PeakFit | None
    x: float
    y: float
    score: float
    transmission: float
    dark_field: float
    uncertainty_x: float
    uncertainty_y: float
    second_peak: float
    against: Quality
    settings: Settings

    @property
    def sentence(self) -> str:
        """Why the pixel is or is not believed, by what can be seen at it alone."""
        known = f"x {self.x:+.3f} px, y {self.y:+.3f} px, score {self.score:.3f}"
        if not self.against:
            return f"Nothing that is seen at this pixel speaks against it: {known}."
        reasons = "; ".join(words for bit, words in WORDS.items() if bit in self.against)
        return f"Not believed{'' if np.isnan(self.x) else f' ({known})'}: {reasons}."
