"""What the bits of `Quality` mean, in sentences and in numbers; what sets them is decided elsewhere."""

from __future__ import annotations

import numpy as np

from shiftfield.field.arrays import FieldArrays
from shiftfield.field.quality_look import named
from shiftfield.quality import Quality
from shiftfield.settings import check_integer

WORDS = {
    Quality.NO_ANSWER: "no shift could be found (a constant window, a NaN in reach, or outside the image)",
    Quality.LOW_SCORE: "even the best match is poor",
    Quality.SECOND_PEAK: "another shift fits nearly as well",
    Quality.PEAK_AT_BORDER: "the best shift is the largest that was tried (the margin is too small)",
    Quality.LOW_TEXTURE: "the window has hardly any texture",
    Quality.NOT_CONVERGED: "the refinement found no minimum near the best whole-pixel shift",
    Quality.FORWARD_BACKWARD: "the search from reference to sample does not lead back here",
    Quality.MEDIAN_TEST: "the shift is far from its neighbours'",
    Quality.LOW_COVERAGE: "too little of the window is free of the mask",
    Quality.FILLED: "the shift was filled in from valid pixels",
}


def sentence(field: FieldArrays, row: int, column: int) -> str:
    """Return why a pixel of the field is or is not believed."""
    height, width = field.shape
    row, column = check_integer("row", row, None), check_integer("column", column, None)
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(
            f"The field has {height} rows and {width} columns; ({row}, {column}) is none of its pixels."
        )
    known = "x {:+.3f} px, y {:+.3f} px, score {:.3f}".format(
        *(float(image[row, column]) for image in (field.x, field.y, field.score))
    )
    if field.valid[row, column]:
        checked = "nothing speaks against it" if field.quality is not None else "it was not checked"
        return f"Valid: {known}; {checked}."
    if field.quality is None:
        return f"Not valid: {WORDS[Quality.NO_ANSWER]}."
    bits = Quality(int(field.quality[row, column]))
    against = [words for bit, words in WORDS.items() if bit in bits]
    shown = "" if np.isnan(field.x[row, column]) else f" ({known})"
    return f"Not valid{shown}: {'; '.join(against)}."


def counts(field: FieldArrays) -> dict[str, float]:
    """Return the share of pixels with each bit, of those that any has."""
    if field.quality is None:
        return {}
    found = {named(bit): float(np.mean((field.quality & bit) != 0)) for bit in WORDS}
    return {name: share for name, share in found.items() if share}
