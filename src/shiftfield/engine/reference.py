"""The reference backend: NumPy, float64, window by window, as the equations say. Slow on purpose.

It is the specification that the fast backends are held to; it shares no loop with them.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from shiftfield import scores
from shiftfield.engine.base import Answer, Block, Real, Search, Tile
from shiftfield.peaks import locate_peaks

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]
_ROUNDING = (64 * np.finfo(np.float64).eps) ** 2


class ReferenceBackend:
    """Float64 windows, one shift at a time."""

    name = "reference"

    def can_run(self, search: Search) -> str:
        """Every search can run here, slowly."""
        return ""

    def tile_shape(self, search: Search) -> tuple[int, int]:
        """Return small tiles: all windows of a tile are held at once."""
        return 32, 32

    def run(self, search: Search, tile: Tile, block: Block) -> Answer:
        """Compute one tile."""
        rows = np.arange(-tile.y0 % search.step, tile.y1 - tile.y0, search.step)
        columns = np.arange(-tile.x0 % search.step, tile.x1 - tile.x0, search.step)
        maps, transmission, dark, none = _maps(search, block)
        wanted = np.ix_(rows, columns)
        shape = rows.size, columns.size
        maps, none = maps[wanted].reshape(-1, *search.shifts), none[wanted].ravel()
        maps[none] = np.nan
        size = search.peak_size
        x, y = locate_peaks(maps, method=search.peak, dim=2, size=size)
        known = np.isfinite(x)
        score = np.full(x.shape, np.nan)
        score[known] = np.nanmax(maps[known], axis=(1, 2))
        at = np.arange(x.size), np.rint(np.nan_to_num(y)).astype(int), np.rint(np.nan_to_num(x)).astype(int)
        t = np.abs(transmission[wanted].reshape(-1, *search.shifts)[at])
        v = np.abs(dark[wanted].reshape(-1, *search.shifts)[at])
        known &= (search.method == "pearson") | np.isfinite(t)
        known &= (search.method != "umpa_dark") | np.isfinite(v)
        my, mx = search.margin
        answers = [x - mx, y - my, score, t, v]
        return Answer(
            *(np.where(known, a, np.nan).reshape(shape).astype(np.float32) for a in answers)
        )


def _maps(search: Search, block: Block) -> tuple[Float, Float, Float, Flags]:
    """Return score, T and V maps `(h, w, ny, nx)` and where there is no answer `(h, w)`."""
    s, r = (_windows(frames, search.window) for frames in (block.sample, block.reference))
    flat_s = _constant(block.raw_sample, search.window)
    flat_r = _constant(block.raw_reference, search.window)
    spoilt_s, spoilt_r = (~np.isfinite(windows).all(axis=(2, 3, 4)) for windows in (s, r))
    height, width = s.shape[:2]
    maps = np.empty((height, width, *search.shifts))
    transmission, dark = np.full(maps.shape, np.nan), np.full(maps.shape, np.nan)
    none = spoilt_s | flat_s
    for i, j in np.ndindex(*search.shifts):
        there = slice(i, i + height), slice(j, j + width)
        with np.errstate(all="ignore"):
            m = _means(search, s, r[there])
            score, t, v = _score(search, m)
            flat = flat_r[there] | _negligible(m.rr, m.r)
            none |= spoilt_r[there] | _negligible(m.ss, m.s)
            maps[:, :, i, j] = np.where(flat, scores.lowest(search.method, m), score)
        transmission[:, :, i, j], dark[:, :, i, j] = t, v
    none |= (maps == maps[:, :, :1, :1]).all(axis=(2, 3))
    return maps, transmission, dark, none


def _windows(frames: Real, window: tuple[int, int]) -> Float:
    """Return all windows `(h, w, K, wy, wx)` of frames `(K, H, W)`, in float64."""
    views = sliding_window_view(frames.astype(np.float64), window, axis=(1, 2))
    return np.moveaxis(views, 0, 2)


def _constant(frames: Real, window: tuple[int, int]) -> Flags:
    windows = _windows(frames, window)
    constant: Flags = windows.max(axis=(2, 3, 4)) == windows.min(axis=(2, 3, 4))
    return constant


def _negligible(mean_square: Float, mean: Float) -> Flags:
    """Return where the variance is no more than the rounding of the pixels themselves."""
    return ~(scores.variance(mean_square, mean) > _ROUNDING * mean_square)


def _means(search: Search, s: Float, r: Float) -> scores.Means:
    """Return the windowed means; for Pearson of pixels less their window's mean, which changes nothing."""
    if search.method == "pearson":
        origin_s, origin_r = _mean(search, s), _mean(search, r)
        ds, dr = s - origin_s[..., None, None, None], r - origin_r[..., None, None, None]
        return scores.Means(
            _mean(search, ds * ds), _mean(search, dr * dr), _mean(search, ds * dr),
            _mean(search, ds), _mean(search, dr),
        )  # fmt: skip
    return scores.Means(
        _mean(search, s * s), _mean(search, r * r), _mean(search, s * r),
        _mean(search, s), _mean(search, r),
    )  # fmt: skip


def _mean(search: Search, windows: Float) -> Float:
    wy, wx = search.weights
    mean: Float = np.einsum("hwkij,i,j->hw", windows, wy, wx, optimize=True) / windows.shape[2]
    return mean


def _score(search: Search, m: scores.Means) -> tuple[Float, Float, Float]:
    if search.method == "pearson":
        nothing = np.full(m.s.shape, np.nan)
        return scores.pearson(m), nothing, nothing
    if search.method == "umpa":
        cost, t = scores.umpa_cost(m)
        return scores.explained(cost, m), t, np.full(m.s.shape, np.nan)
    cost, t, v = scores.umpa_dark_cost(m, search.reference_mean)
    return scores.explained(cost, m), t, v
