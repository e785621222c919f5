"""The scores, compiled: one formula and one row loop for each method, and the images they need.

Every score is a formula on the windowed covariance c(p, s) of sample and reference and on windowed
means and variances of each alone (m_S, v_S at p; m_R, v_R at p + s). `shiftfield.scores` says the same
as the papers do; these are rearranged so that nothing large cancels in float32:

    pearson     c / sqrt(v_R)                                         times 1 / sqrt(v_S)
    umpa_dark   c^2 / v_R                                             times 1 / v_S
    umpa        c (c g + 2 m_S m_R g) - m_S^2 v_R g,  g = 1/(v_R + m_R^2),  times 1 / v_S

The factor of the sample alone moves no peak, so the loops leave it out. A reference window without a
score (constant) holds NaN, which never wins a comparison.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.options import kernel

PEARSON, UMPA, UMPA_DARK = 0, 1, 2
CODES = {"pearson": PEARSON, "umpa": UMPA, "umpa_dark": UMPA_DARK}
REFERENCE_IMAGES, SAMPLE_IMAGES = 4, 3  # of the most demanding method


@kernel
def reference_images(
    method: int, mean: Any, variance: Any, level: float, none: Any, out: Any
) -> None:
    """Fill out (4, n): the mean, and what the method needs of the reference alone; NaN where `none`.

    `mean` is relative to the tile's level; `level` brings it back for UMPA, which is not blind to it.
    """
    for i in range(mean.size):
        m, v = mean[i], variance[i]
        out[0, i] = m
        if none[i]:
            out[1, i] = np.nan
        elif method == PEARSON:
            out[1, i] = 1 / np.sqrt(v)
        elif method == UMPA_DARK:
            out[1, i] = 1 / v
        else:
            m += level
            g = 1 / (v + m * m)
            out[1, i] = g
            out[2, i] = m * g
            out[3, i] = v * g


@kernel
def sample_images(method: int, mean: Any, level: float, out: Any) -> None:
    """Fill out (3, n): the mean, and for UMPA twice the mean and its square with the level added."""
    for i in range(mean.size):
        out[0, i] = mean[i]
        if method == UMPA:
            m = mean[i] + level
            out[1, i] = 2 * m
            out[2, i] = m * m


@kernel
def pearson(c: Any, f: Any) -> Any:
    """c / sqrt(v_R)"""
    return c * f


@kernel
def umpa_dark(c: Any, f: Any) -> Any:
    """c^2 / v_R"""
    return c * c * f


@kernel
def umpa(c: Any, g: Any, mean_g: Any, variance_g: Any, twice_mean: Any, mean_squared: Any) -> Any:
    """c (c g + 2 m_S m_R g) - m_S^2 v_R g"""
    return c * (c * g + twice_mean * mean_g) - mean_squared * variance_g


@kernel
def pearson_row(
    products: Any, shift: Any, m_r: Any, f: Any, m_s: Any, best: Any, index: Any, kept: Any
) -> None:
    """Score one shift for a run of pixels: keep c, and the shift where it is the best so far."""
    for i in range(products.size):
        c = products[i] - m_r[i] * m_s[i]
        kept[i] = c
        score = pearson(c, f[i])
        better = score > best[i]
        best[i] = score if better else best[i]
        index[i] = shift if better else index[i]


@kernel
def umpa_dark_row(
    products: Any, shift: Any, m_r: Any, f: Any, m_s: Any, best: Any, index: Any, kept: Any
) -> None:
    """As `pearson_row`, with the score of UMPA with dark field."""
    for i in range(products.size):
        c = products[i] - m_r[i] * m_s[i]
        kept[i] = c
        score = umpa_dark(c, f[i])
        better = score > best[i]
        best[i] = score if better else best[i]
        index[i] = shift if better else index[i]


@kernel
def umpa_row(
    products: Any, shift: Any, m_r: Any, g: Any, mean_g: Any, variance_g: Any,
    m_s: Any, twice_mean: Any, mean_squared: Any, best: Any, index: Any, kept: Any,
) -> None:  # fmt: skip
    """As `pearson_row`, with the score of UMPA without dark field."""
    for i in range(products.size):
        c = products[i] - m_r[i] * m_s[i]
        kept[i] = c
        score = umpa(c, g[i], mean_g[i], variance_g[i], twice_mean[i], mean_squared[i])
        better = score > best[i]
        best[i] = score if better else best[i]
        index[i] = shift if better else index[i]


@kernel
def score_row(
    method: int, products: Any, shift: Any, ref: Any, there: int, sam: Any, here: int,
    best: Any, index: Any, kept: Any,
) -> None:  # fmt: skip
    """Score one shift for the pixels from `here` on, whose reference windows are from `there` on."""
    n = products.size
    r, s = slice(there, there + n), slice(here, here + n)
    if method == PEARSON:
        pearson_row(products, shift, ref[0, r], ref[1, r], sam[0, s], best[s], index[s], kept[s])
    elif method == UMPA_DARK:
        umpa_dark_row(products, shift, ref[0, r], ref[1, r], sam[0, s], best[s], index[s], kept[s])
    else:
        umpa_row(
            products, shift, ref[0, r], ref[1, r], ref[2, r], ref[3, r],
            sam[0, s], sam[1, s], sam[2, s], best[s], index[s], kept[s],
        )  # fmt: skip


@kernel
def score_of(method: int, c: float, ref: Any, there: int, sam: Any, here: int, v_s: float) -> float:
    """Return the score proper of one covariance; the lowest it can be where the window has none."""
    f = ref[1, there]
    if method == PEARSON:
        return float(pearson(c, f)) / np.sqrt(v_s) if f == f else -1.0
    if method == UMPA_DARK:
        return float(umpa_dark(c, f)) / v_s if f == f else 0.0
    if f != f:
        return -float(sam[2, here]) / v_s
    score: float = umpa(
        c, f, ref[2, there], ref[3, there], float(sam[1, here]), float(sam[2, here])
    )
    return score / v_s


@kernel
def absorption_and_scattering(
    method: int, c: float, m_r: float, v_r: float, m_s: float, mean: float
) -> tuple[float, float]:
    """Return (T, V) from the covariance, means and variance at the found shift; V is 1 for "umpa"."""
    if method == UMPA:
        return (c + m_s * m_r) / (v_r + m_r * m_r), 1.0
    ratio = c / v_r
    transmission = (m_s - ratio * m_r) / mean + ratio
    return transmission, ratio / transmission
