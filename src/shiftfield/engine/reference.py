"""The reference backend: NumPy, float64, window by window, as the equations say. Slow on purpose.

It is the specification that the fast backends are held to; it shares no loop with them.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import ROUNDING, Answer, Block, Real, Search, Stop, Tile
from shiftfield.engine.joint import (
    Look,
    Maps,
    mean_of,
    some_shifts,
    weighted_maps,
    weighted_maps_of_pixel,
    windows_of,
)
from shiftfield.engine.marks import marked, ratio
from shiftfield.peaks.locate import locate_peaks
from shiftfield.quality import Quality
from shiftfield.scores import METHODS

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]


class ReferenceBackend:
    """Float64 windows, one shift at a time."""

    name = "reference"

    def can_run(self, search: Search) -> str:  # noqa: ARG002 - the protocol's
        """Every search can run here, slowly."""
        return ""

    def tile_shape(self, search: Search) -> tuple[int, int]:  # noqa: ARG002 - the protocol's
        """Return small tiles: all windows of a tile are held at once."""
        return 32, 32

    def run(self, search: Search, tile: Tile, block: Block, stop: Stop) -> Answer:  # noqa: ARG002 - tiles are small
        """Compute one tile."""
        found = _maps(search, block) if block.weights is None else weighted_maps(search, block)
        return self.answer(search, tile, block, found)

    def answer(self, search: Search, tile: Tile, block: Block, found: Maps) -> Answer:
        """Return what the scores of all shifts of a tile's pixels tell."""
        rows = np.arange(-tile.y0 % search.step, tile.y1 - tile.y0, search.step)
        columns = np.arange(-tile.x0 % search.step, tile.x1 - tile.x0, search.step)
        transmission, dark = found.transmission, found.dark_field
        wanted = np.ix_(rows, columns)
        shape = rows.size, columns.size
        maps = found.score[wanted].reshape(-1, *search.shifts)
        compete = found.compete[wanted].reshape(-1, *search.shifts)
        uncovered = found.uncovered[wanted].ravel()
        maps[found.none[wanted].ravel()] = np.nan
        size = search.peak_size
        x, y = locate_peaks(maps, method=search.peak, dim=2, size=size, compete=compete)
        known = np.isfinite(x)
        score = np.full(x.shape, np.nan)
        score[known] = np.nanmax(np.where(compete, maps, np.nan)[known], axis=(1, 2))
        known &= ~uncovered
        at = (
            np.arange(x.size),
            np.rint(np.nan_to_num(y)).astype(int),
            np.rint(np.nan_to_num(x)).astype(int),
        )
        t = np.abs(transmission[wanted].reshape(-1, *search.shifts)[at])
        v = np.abs(dark[wanted].reshape(-1, *search.shifts)[at])
        known &= (search.known < 4) | np.isfinite(t)
        known &= (search.known < 5) | np.isfinite(v)
        my, mx = search.margin
        answers = [x - mx, y - my, score, t, v]
        flags = np.where(uncovered, Quality.LOW_COVERAGE, 0).astype(np.uint16)
        answer = Answer.of(
            [np.where(known, a, np.nan).reshape(shape).astype(np.float32) for a in answers],
            flags=flags.reshape(shape),
        )
        if search.quality:
            second = _second(
                search, np.where(compete, maps, np.nan), np.where(known, score, np.nan)
            )
            answer = replace(answer, second_peak=second.reshape(shape).astype(np.float32))
            answer = marked(search, tile, block, answer)
        if block.around is None:
            return answer
        from shiftfield.engine.reference_refinement import refined  # with SciPy's filters

        return refined(search, tile, block, answer)


def _second(search: Search, maps: Float, score: Float) -> Float:
    """Return the best score away from the best shift over the score, one a map."""
    ranked = np.where(np.isnan(maps), -np.inf, maps)
    ny, nx = search.shifts
    rows, columns = np.divmod(ranked.reshape(len(maps), -1).argmax(axis=1), nx)
    near = np.abs(np.arange(ny) - rows[:, None])[:, :, None] <= search.apart
    near = near & (np.abs(np.arange(nx) - columns[:, None])[:, None, :] <= search.apart)
    return ratio(search.method, score, np.where(near, -np.inf, ranked).max(axis=(1, 2)))


def _maps(search: Search, block: Block) -> Maps:
    """Try every shift; all compete."""
    s, r = (windows_of(frames, search.window) for frames in (block.sample, block.reference))
    no_texture_s = _without_texture(search, s, block.raw_sample)
    no_texture_r = _without_texture(search, r, block.raw_reference)
    spoilt_s, spoilt_r = _spoilt(s), _spoilt(r)
    height, width = s.shape[:2]
    maps, transmission, dark = (np.empty((height, width, *search.shifts)) for _ in range(3))
    none = np.logical_or(spoilt_s, no_texture_s)
    for i, j in np.ndindex(*search.shifts):
        there = slice(i, i + height), slice(j, j + width)
        with np.errstate(all="ignore"):
            found = METHODS[search.method].windows(
                s, r[there], partial(mean_of, search), search.reference_mean
            )
        none |= spoilt_r[there]
        maps[:, :, i, j] = np.where(no_texture_r[there], found.lowest, found.score)
        transmission[:, :, i, j], dark[:, :, i, j] = found.transmission, found.dark_field
    every, no = np.ones(maps.shape, bool), np.zeros(none.shape, bool)
    return Maps(maps, transmission, dark, every, no, none)


def maps_of_pixel(search: Search, block: Block, look: Look) -> Maps:
    """Try every shift for the one pixel of a block, many at once; `look` is called in between."""
    if block.weights is not None:
        return weighted_maps_of_pixel(search, block, look)
    s, r = (windows_of(frames, search.window) for frames in (block.sample, block.reference))
    raw = windows_of(block.raw_reference, search.window)
    score, transmission, dark = (np.empty(search.shifts) for _ in range(3))
    none = _spoilt(s) | _without_texture(search, s, block.raw_sample)
    for some in some_shifts(search):
        look()
        with np.errstate(all="ignore"):
            found = METHODS[search.method].windows(
                s, r[some], partial(mean_of, search), search.reference_mean
            )
        flat, spoilt = _is_flat(search, r[some], raw[some]), _spoilt(r[some])
        score[some] = np.where(spoilt, np.nan, np.where(flat, found.lowest, found.score))
        transmission[some], dark[some] = found.transmission, found.dark_field
        none |= spoilt.any()
    every, no = np.ones((1, 1, *search.shifts), bool), np.zeros((1, 1), bool)
    return Maps(score[None, None], transmission[None, None], dark[None, None], every, no, none)


def _spoilt(windows: Float) -> Flags:
    spoilt: Flags = np.logical_not(np.isfinite(windows).all(axis=(2, 3, 4)))
    return spoilt


def _without_texture(search: Search, windows: Float, raw: Real) -> Flags:
    """Return where a window is constant as it was given, or its variance is but rounding of its pixels."""
    return _is_flat(search, windows, windows_of(raw, search.window))


def _is_flat(search: Search, windows: Float, given: Float) -> Flags:
    mean = partial(mean_of, search)
    with np.errstate(all="ignore"):
        constant = np.equal(given.max(axis=(2, 3, 4)), given.min(axis=(2, 3, 4)))
        level = mean(windows)
        spread = mean((windows - level[..., None, None, None]) ** 2)
    flat: Flags = constant | ~(spread > (ROUNDING * level) ** 2)
    return flat
