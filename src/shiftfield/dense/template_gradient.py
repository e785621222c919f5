"""Which gradient suits the template of a refinement: measured on a few small parts of the images before a search.

It is one choice for a whole search, so that tiles, threads and backends all take the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine import Block, Search, Stop, Tile, backend
from shiftfield.engine.gradients import PASSES, Tried, tried
from shiftfield.engine.splines import without_gaps
from shiftfield.inputs.frames import Frames

_PARTS, _ROWS, _COLUMNS = (0.25, 0.5, 0.75), 64, 192
_WINDOW = 11  # px, at most: small windows are more, and tell the same
_BETTER = 0.97  # of the least so far: what is but chance is not followed
_FLATTEST = 1.4  # true slope over a smoothed one: beyond it steps grow too long
_NEAR = 0.05  # px, for the slope of a spline
_HALO = PASSES[-1] + 2


def smoothing(
    search: Search, reference: Frames, sample: Frames, start: tuple[int, int]
) -> tuple[int, float]:
    """Return the passes of smoothing with which windows wander least, and what slopes are then too flat by.

    Searches begin at `start`, px, (y, x).
    """
    parts = [_of_part(search, reference, sample, part, start) for part in _PARTS]
    known = [part for part in parts if part and all(np.isfinite(one.wander) for one in part)]
    if not known:
        return 0, 1.0
    sums = [
        [sum(getattr(one, name) for one in same) for name in ("wander", "told", "own")]
        for same in zip(*known, strict=True)
    ]
    best, least, flatter = 0, np.inf, 1.0
    for n, (wander, told, own) in enumerate(sums):
        flat = told / own if own > 0 and told > 0 else np.inf
        if wander < _BETTER * least and (n == 0 or flat < _FLATTEST):
            best, least, flatter = n, wander, flat
    return PASSES[best], float(np.clip(flatter, 0.5, 2.0))


def _of_part(
    search: Search, reference: Frames, sample: Frames, part: float, start: tuple[int, int]
) -> list[Tried] | None:
    """Return what each smoothing does to the windows of one part; None when nothing of it matches."""
    plain = replace(
        search, refine=None, uncertainty=False, quality=False, step=1, weighted=False, beyond=False
    )
    (ey, ex), (ry, rx), (height, width) = plain.edge, plain.radius, sample.size
    (y0, y1), (x0, x1) = (
        _around(part, size, n, edge + abs(by))
        for size, n, edge, by in zip(
            (_ROWS, _COLUMNS), (height, width), (ey, ex), start, strict=True
        )
    )
    if y0 >= y1 or x0 >= x1:
        return None
    top, left = max(y0 - ey - _HALO, 0), max(x0 - ex - _HALO, 0)
    bottom, right = min(y1 + ey + _HALO, height), min(x1 + ex + _HALO, width)
    ref_top, ref_left = max(top + start[0], 0), max(left + start[1], 0)
    ref = reference.rows(ref_top, min(bottom + start[0], height))
    ref = ref[:, :, ref_left : min(right + start[1], width)]
    sam = sample.rows(top, bottom)[:, :, left:right]
    y, x = y0 + start[0] - ref_top, x0 + start[1] - ref_left
    search_area = ref[:, y - ey : y + y1 - y0 + ey, x - ex : x + x1 - x0 + ex]
    windows = sam[:, y0 - ry - top : y1 + ry - top, x0 - rx - left : x1 + rx - left]
    tile = Tile(y0, y1, x0, x1)
    found = backend("cpu").run(
        plain, tile, Block(search_area, windows, search_area, windows), Stop()
    )
    known = np.isfinite(found.x)
    if not known.any():
        return None
    by_y, by_x = (_plane(shift, known) for shift in (found.y, found.x))
    rows, columns = np.mgrid[: y1 - y0, : x1 - x0]
    places = np.stack([rows + y + by_y, columns + x + by_x])
    filled = without_gaps(ref)
    matched, *around = (
        np.stack([_read(frame, places + np.reshape(move, (2, 1, 1))) for frame in filled])
        for move in ((0, 0), (_NEAR, 0), (-_NEAR, 0), (0, _NEAR), (0, -_NEAR))
    )
    slopes = tuple((around[n] - around[n + 1]) / (2 * _NEAR) for n in (0, 2))
    here = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    window = min(max(search.window), _WINDOW)
    return tried(without_gaps(sam), matched, (slopes[0], slopes[1]), here, window)


def _plane(shift: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the plane through most of the shifts that are known."""
    rows, columns = np.indices(shift.shape)
    plane = np.stack([np.ones(shift.size), rows.ravel(), columns.ravel()], axis=1)
    values, kept = shift.ravel().astype(np.float64), known.ravel().copy()
    found = np.full(shift.size, np.median(values[kept]))
    for _ in range(3):
        away = np.abs(values - found)
        kept &= away <= 3 * np.median(away[kept]) + 1e-3
        if np.count_nonzero(kept) < 10:
            break
        found = plane @ np.linalg.lstsq(plane[kept], values[kept], rcond=None)[0]
    return found.reshape(shift.shape)


def _read(frame: NDArray[np.float64], places: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import map_coordinates

    found: NDArray[np.float64] = map_coordinates(frame, places, order=5, mode="mirror")
    return found


def _around(part: float, size: int, length: int, edge: int) -> tuple[int, int]:
    """Return [a, b) of some size about a part of a length, inside its edges."""
    middle = round(part * length)
    return max(middle - size // 2, edge), min(middle + size // 2, length - edge)
