"""The scores, compiled: one formula and one row loop for each method, and the images they need.

Every score is a formula on the windowed covariance c(p, s) of sample and reference and on windowed
means and variances of each alone (m_S, v_S at p; m_R, v_R at p + s). `shiftfield.scores` says the same
as the papers do; these are rearranged so that nothing large cancels in float32:

    pearson     c / sqrt(v_R)                                         times 1 / sqrt(v_S)
    umpa_dark   c^2 / v_R                                             times 1 / v_S
    umpa        c (c g + 2 m_S m_R g) - m_S^2 v_R g,  g = 1/(v_R + m_R^2),  times 1 / v_S

The factor of the sample alone moves no peak, so the loops leave it out. A reference window without a
score (constant) holds NaN, which never wins a comparison. The images they read are made by `engine.images`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, fill, load, store, where_greater, zeros
from shiftfield.engine.kernels.options import part

PEARSON, UMPA, UMPA_DARK = 0, 1, 2
CODES = {"pearson": PEARSON, "umpa": UMPA, "umpa_dark": UMPA_DARK}


@part
def pearson(c: Any, f: Any) -> Any:
    """c / sqrt(v_R)"""
    return c * f


@part
def umpa_dark(c: Any, f: Any) -> Any:
    """c^2 / v_R"""
    return c * c * f


@part
def umpa(c: Any, g: Any, mean_g: Any, variance_g: Any, twice_mean: Any, mean_squared: Any) -> Any:
    """c (c g + 2 m_S m_R g) - m_S^2 v_R g"""
    return c * (c * g + twice_mean * mean_g) - mean_squared * variance_g


@part
def score_rows(
    method: int, sums: Any, size: int, count: int, first: int, ref: Any, there: int, sam: Any, here: int,
    width: int, best: Any, index: Any, kept: Any, start: int, nx: int, away: Any,
) -> None:  # fmt: skip
    """Score `count` shifts along x of a row: keep each, and the shift where it is the best so far.

    What "umpa_dark" keeps has the sign of c, which the dark field needs besides.

    `sums[g * size:]` holds the windowed products of shift first + g; `ref` is read from `there` + g on,
    `sam`, `best` and `index` from `here` on; shift g of `nx` is kept from start + g * 16 on,
    sixteen pixels at a time, so that the shifts of a pixel are near each other. `away` is None, or
    (rows, columns, numbers, (limit, lowest)): shifts that are not further than sqrt(limit) from those rows and
    columns along one axis at least are left out.
    """
    mean_r, f_r, mean_g, variance_g = ref[0], ref[1], ref[2], ref[3]
    mean_s, twice_s, squared_s = sam[0], sam[1], sam[2]
    nothing = zeros(sums)
    for x in range(0, width, WIDTH):
        at = here + x
        mean, twice, squared = load(mean_s, at), load(twice_s, at), load(squared_s, at)
        top, which = load(best, at), load(index, at)
        for g in range(count):
            to = there + g + x
            c = load(sums, g * size + x) - load(mean_r, to) * mean
            f = load(f_r, to)
            if method == PEARSON:
                score = pearson(c, f)
                store(kept, start + x * nx + g * WIDTH, score)
            elif method == UMPA_DARK:
                score = umpa_dark(c, f)
                signed = where_greater(c, nothing, score, nothing - score)
                store(kept, start + x * nx + g * WIDTH, signed)
            else:
                score = umpa(c, f, load(mean_g, to), load(variance_g, to), twice, squared)
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
