"""The scores, compiled: one row loop for each shape of a form, over images that `engine.images` makes.

Every score is a form of the windowed covariance c(p, s) of sample and reference, with images of each side
alone; `shiftfield.scores` has a row for each method. The factor of the sample alone moves no peak, so the
loops leave it out. A reference window without a score (constant) holds NaN, which never wins a comparison.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, fill, load, store, where_greater, zeros
from shiftfield.engine.kernels.options import part

LINEAR, GENERAL, SQUARE = 0, 1, 2  # shapes of forms
PEARSON, UMPA, UMPA_DARK = 0, 1, 2  # for loops that know the methods one by one
CODES = {"pearson": PEARSON, "umpa": UMPA, "umpa_dark": UMPA_DARK}


@part
def linear(c: Any, f: Any) -> Any:
    """linear(R) c"""
    return c * f


@part
def square(c: Any, f: Any) -> Any:
    """square(R) c^2"""
    return c * c * f


@part
def general(c: Any, f: Any, of_c: Any, of_1: Any, of_c_s: Any, of_1_s: Any) -> Any:
    """square(R) c^2 + linear(R) linear(S) c - constant(R) constant(S)"""
    return c * (c * f + of_c_s * of_c) - of_1_s * of_1


@part
def score_rows(
    shape: int, sums: Any, size: int, count: int, first: int, ref: Any, there: int, sam: Any, here: int,
    width: int, best: Any, index: Any, kept: Any, start: int, nx: int, away: Any,
) -> None:  # fmt: skip
    """Score `count` shifts along x of a row: keep each, and the shift where it is the best so far.

    What a square keeps has the sign of c, which the dark field needs besides.

    `sums[g * size:]` holds the windowed products of shift first + g; `ref` is read from `there` + g on,
    `sam`, `best` and `index` from `here` on; shift g of `nx` is kept from start + g * 16 on,
    sixteen pixels at a time, so that the shifts of a pixel are near each other. `away` is None, or
    (rows, columns, numbers, (limit, lowest)): shifts that are not further than sqrt(limit) from those rows and
    columns along one axis at least are left out.
    """
    mean_r, f_r, linear_r, constant_r = ref[0], ref[1], ref[2], ref[3]
    mean_s, linear_s, constant_s = sam[0], sam[1], sam[2]
    nothing = zeros(sums)
    for x in range(0, width, WIDTH):
        at = here + x
        mean, of_c, of_1 = load(mean_s, at), load(linear_s, at), load(constant_s, at)
        top, which = load(best, at), load(index, at)
        for g in range(count):
            to = there + g + x
            c = load(sums, g * size + x) - load(mean_r, to) * mean
            f = load(f_r, to)
            if shape == LINEAR:
                score = linear(c, f)
                store(kept, start + x * nx + g * WIDTH, score)
            elif shape == SQUARE:
                score = square(c, f)
                signed = where_greater(c, nothing, score, nothing - score)
                store(kept, start + x * nx + g * WIDTH, signed)
            else:
                score = general(c, f, load(linear_r, to), load(constant_r, to), of_c, of_1)
                store(kept, start + x * nx + g * WIDTH, score)
            if away is not None:
                rows, columns, numbers, limits = away
                limit = fill(limits[0])
                dy = fill(numbers[first // nx]) - load(rows, at)
                dx = fill(numbers[first % nx + g]) - load(columns, at)
                beside = where_greater(dy * dy, limit, score, fill(limits[1]))
                score = where_greater(dx * dx, limit, score, beside)
            which = where_greater(score, top, fill(np.int32(first + g)), which)
            top = where_greater(score, top, score, top)
        store(best, at, top)
        store(index, at, which)
