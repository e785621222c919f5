"""Why a pixel of a shift field is not to be believed: one named bit for each reason.

Only the names live here; what sets a bit is found by the engine and by the checks that follow a search.
"""

from __future__ import annotations

from enum import IntFlag


class Quality(IntFlag):
    """Reasons against a pixel; 0 where there is none. Several may hold at once."""

    NO_ANSWER = 1  # the window is constant, outside, or next to a NaN
    LOW_SCORE = 2  # even the best match is poor
    SECOND_PEAK = 4  # another shift fits nearly as well
    PEAK_AT_BORDER = 8  # the best shift is the largest that was tried: the margin is too small
    LOW_TEXTURE = 16  # the window has hardly any texture
    NOT_CONVERGED = 32  # the refinement found no minimum near the whole-pixel peak
    FORWARD_BACKWARD = 64  # the search from reference to sample does not lead back
    MEDIAN_TEST = 128  # far from the median of the neighbours
    LOW_COVERAGE = 256  # too little of the window is free of the mask
    FILLED = 512  # the shift was replaced by `ShiftField.filled`
