"""How the quality of a field looks as labels: a colour and words for each combination of reasons that occurs.

The value of a label is the bits of `Quality`, so that 0, which nothing speaks against, is transparent.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.quality import Quality

QUALITY_NAME = "quality (why not valid)"
Colour = tuple[float, float, float, float]

# The first reason that holds gives the colour: apart in lightness too, not only in hue.
_COLOURS: dict[Quality, Colour] = {
    Quality.NO_ANSWER: (0.45, 0.45, 0.45, 0.6),
    Quality.LOW_COVERAGE: (1.0, 0.50, 0.05, 1.0),
    Quality.PEAK_AT_BORDER: (0.84, 0.15, 0.16, 1.0),
    Quality.SECOND_PEAK: (0.58, 0.40, 0.74, 1.0),
    Quality.LOW_TEXTURE: (0.55, 0.34, 0.29, 1.0),
    Quality.LOW_SCORE: (1.0, 0.85, 0.20, 1.0),
    Quality.NOT_CONVERGED: (0.89, 0.47, 0.76, 1.0),
    Quality.FORWARD_BACKWARD: (0.10, 0.75, 0.81, 1.0),
    Quality.MEDIAN_TEST: (0.17, 0.63, 0.17, 1.0),
    Quality.FILLED: (0.68, 0.78, 0.91, 1.0),
}
_NOTHING: Colour = (0.0, 0.0, 0.0, 0.0)


def named(bits: int) -> str:
    """Return the reasons of a label's value in words, such as "low score, second peak"; "valid" for 0."""
    names = [str(bit.name).lower().replace("_", " ") for bit in Quality if bit & bits]
    return ", ".join(names) or "valid"


def colour(bits: int) -> Colour:
    """Return the RGBA of a label's value: that of its first reason."""
    return next((rgba for bit, rgba in _COLOURS.items() if bit & bits), _NOTHING)


def quality_look(quality: NDArray[np.uint16]) -> dict[str, Any]:
    """Return the arguments of a Labels layer: a colour and a row of features for each value that occurs."""
    values = [int(value) for value in np.unique(quality)]
    colours: dict[int | None, Colour] = {None: _NOTHING, 0: _NOTHING}
    return {
        "colormap": colours | {value: colour(value) for value in values},
        "features": {"index": values, "reasons": [named(value) for value in values]},
        "opacity": 0.5,
    }
