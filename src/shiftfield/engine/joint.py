"""The reference backend where pixels have weights: all means of both sides under the weights of both.

With weights m_S(p + u) of the sample and m_R(p + u + s) of the reference, the mean over a window at shift s is

    <X> = sum over u and frames of w(u) m_S m_R X / sum over u and frames of w(u) m_S m_R

and coverage is the part of w(u) whose m_S m_R is not 0. The scores are those of `scores`; no loop of the fast
backends is shared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from shiftfield.engine import coverage
from shiftfield.engine.base import ROUNDING, Block, Real, Search
from shiftfield.scores import METHODS, Mean

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]
Look = Callable[[], None]
_AT_ONCE = 250_000  # pixels of windows that are held


@dataclass(frozen=True, slots=True)
class Maps:
    """Score, T, V of all shifts `(h, w, ny, nx)`, which compete; `(h, w)` where coverage or an answer lacks."""

    score: Float
    transmission: Float
    dark_field: Float
    compete: Flags
    uncovered: Flags
    none: Flags


def weighted_maps(search: Search, block: Block) -> Maps:
    """Try every shift under joint weights."""
    assert block.weights is not None
    r, m_r, spoilt_r = _masked(search, block.reference, block.weights[0])
    s, m_s, spoilt_s = _masked(search, block.sample, block.weights[1])
    height, width = s.shape[:2]
    score, transmission, dark, covered = (
        np.empty((height, width, *search.shifts)) for _ in range(4)
    )
    none = spoilt_s
    for i, j in np.ndindex(*search.shifts):
        there = slice(i, i + height), slice(j, j + width)
        none = none | spoilt_r[there]
        found = _tried(search, (s, m_s), (r[there], m_r[there]))
        for image, values in zip((score, transmission, dark, covered), found, strict=True):
            image[:, :, i, j] = values
    return _competing(search, score, transmission, dark, covered, none)


def weighted_maps_of_pixel(search: Search, block: Block, look: Look) -> Maps:
    """Try every shift for the one pixel of a block, many at once; `look` is called in between."""
    assert block.weights is not None
    r, m_r, spoilt_r = _masked(search, block.reference, block.weights[0])
    s, m_s, none = _masked(search, block.sample, block.weights[1])
    images = np.empty((4, 1, 1, *search.shifts))
    for some in some_shifts(search):
        look()
        images[:, 0, 0][:, some[0], some[1]] = _tried(search, (s, m_s), (r[some], m_r[some]))
    score, transmission, dark, covered = images
    return _competing(search, score, transmission, dark, covered, none | spoilt_r.any())


def some_shifts(search: Search) -> Iterator[tuple[slice, slice]]:
    """Yield parts of all shifts along (y, x) whose windows do not take much memory together."""
    (ny, nx), (wy, wx) = search.shifts, search.window
    wide = max(1, min(nx, _AT_ONCE // (search.frames * wy * wx)))
    tall = max(1, _AT_ONCE // (search.frames * wy * wx * wide))
    for top in range(0, ny, tall):
        for left in range(0, nx, wide):
            yield slice(top, top + tall), slice(left, left + wide)


def _tried(
    search: Search, sample: tuple[Float, Float], reference: tuple[Float, Float]
) -> tuple[Float, Float, Float, Float]:
    """Return score, T, V and coverage of windows under the weights of both; each is (windows, weights)."""
    (s, m_s), (r, m_r) = sample, reference
    m = m_s * m_r
    mean = _mean_under(search, m)
    with np.errstate(all="ignore"):
        found = METHODS[search.method].windows(s, r, mean, search.reference_mean)
        flat_s, flat_r = (_without_texture(x, m, mean) for x in (s, r))
    score = np.where(flat_s, np.nan, np.where(flat_r, found.lowest, found.score))
    return score, found.transmission, found.dark_field, mean_of(search, (m > 0).astype(np.float64))


def _competing(
    search: Search, score: Float, transmission: Float, dark: Float, covered: Float, none: Flags
) -> Maps:
    """Return the maps with which shifts may be the best, and where too little is covered."""
    compete = covered > coverage.to_compete(search.coverage)
    best, rival = (
        np.where(which & ~np.isnan(score), score, -np.inf).max(axis=(2, 3))
        for which in (compete, covered > coverage.to_object(search.coverage))
    )
    uncovered = ~compete.any(axis=(2, 3)) | (rival > best)
    return Maps(score, transmission, dark, compete, uncovered, none)


def _masked(search: Search, frames: Real, weights: Real) -> tuple[Float, Float, Flags]:
    """Return windows, 0 where masked, their weights, and which hold a pixel that takes part and is no number."""
    x = windows_of(frames, search.window)
    m = windows_of(np.broadcast_to(weights.astype(np.float64), frames.shape), search.window)
    spoilt: Flags = np.any(~np.isfinite(x) & (m > 0), axis=(2, 3, 4))
    return np.where(m > 0, x, 0), m, spoilt


def windows_of(frames: Real, window: tuple[int, int]) -> Float:
    """Return all windows `(h, w, K, wy, wx)` of frames `(K, H, W)`, in float64."""
    views = sliding_window_view(frames.astype(np.float64), window, axis=(1, 2))
    return np.moveaxis(views, 0, 2)


def mean_of(search: Search, windows: Float) -> Float:
    """Return the windows' mean over frames, under the weights of a window."""
    wy, wx = search.weights
    total: Float = np.einsum("hwkij,i,j->hw", windows, wy, wx, optimize=True) / windows.shape[2]
    return total


def _mean_under(search: Search, weights: Float) -> Mean:
    """Return the mean over window and frames under joint weights."""
    of_weights = mean_of(search, weights)

    def mean(windows: Float) -> Float:
        return mean_of(search, weights * windows) / of_weights

    return mean


def _without_texture(windows: Float, weights: Float, mean: Mean) -> Flags:
    """Return where all pixels that take part are equal, or their variance is but rounding of them."""
    takes = weights > 0
    most = np.where(takes, windows, -np.inf).max(axis=(2, 3, 4))
    least = np.where(takes, windows, np.inf).min(axis=(2, 3, 4))
    level = mean(windows)
    spread = mean((windows - level[..., None, None, None]) ** 2)
    flat: Flags = ~(most > least) | ~(spread > (ROUNDING * level) ** 2)
    return flat
