"""One tile: try every shift, keep the best and its neighbourhood, turn it into an answer.

Tiles are flat vectors of rows with a common pitch (see `flat`). Of all scores only as many rows of
shifts are kept as the sub-pixel fit reads; a peak's neighbourhood is copied out when its last row is done.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.flat import frame_products
from shiftfield.engine.kernels.options import kernel
from shiftfield.engine.kernels.peaks import refine
from shiftfield.engine.kernels.scores import (
    PEARSON,
    UMPA,
    absorption_and_scattering,
    score_of,
    score_row,
)
from shiftfield.engine.kernels.window_sums import sum_across, sum_down, weigh_across, weigh_down


@kernel
def try_shifts(
    method: int, reference: Any, sample: Any, ref: Any, sam: Any, pitch: int, height: int,
    wy: Any, wx: Any, box: bool, ny: int, nx: int, cy: int, cx: int, row0: int, step: int,
    best: Any, index: Any, around: Any,
) -> None:  # fmt: skip
    """Fill, for every pixel of a tile, `best`, `index` (of the shift, C order) and `around` (c near it).

    Parameters
    ----------
    reference, sample : (K, n) frames as flat rows; the sample is scaled so that products sum to means.
    ref, sam : images of `scores`.
    wy, wx, box : weights along y and x; whether they are all equal (already in the sample's scale).
    ny, nx : number of shifts. cy, cx : neighbourhood that is kept around the peak.
    row0, step : rows whose absolute number is no multiple of step are skipped.
    """
    n = height * pitch
    tall, wide = wy.size, wx.size
    rows = np.empty((height + tall - 1) * pitch, best.dtype)
    summed = np.zeros(n + wide, best.dtype)
    across = np.empty(n + wide, best.dtype)
    work = np.empty(n + wide, best.dtype)
    spare = np.empty(n + wide, best.dtype)
    partial = np.empty(pitch, best.dtype)
    ring = np.zeros((cy, nx, n), best.dtype)
    block = 4 if step == 1 else 1
    for sy in range(ny):
        for sx in range(nx):
            frame_products(reference, sample, sy * pitch + sx, rows)
            if box:
                sum_down(rows, pitch, height, tall, partial, summed)
            else:
                weigh_down(rows, pitch, height, wy, summed)
            for y in range(0, height, block):
                if step > 1 and (row0 + y) % step != 0:
                    continue
                here = y * pitch
                run = min(block, height - y) * pitch - wide + 1
                if box:
                    sum_across(summed[here:], wide, work, spare, across[:run])
                else:
                    weigh_across(summed[here:], wx, across[:run])
                score_row(
                    method, across[:run], np.int32(sy * nx + sx),
                    ref, here + sy * pitch + sx, sam, here, best, index, ring[sy % cy, sx],
                )  # fmt: skip
        keep_neighbourhoods(sy, ny, nx, cy, cx, index, ring, around)


@kernel
def keep_neighbourhoods(
    done: int, ny: int, nx: int, cy: int, cx: int, index: Any, ring: Any, around: Any
) -> None:
    """Copy c around every best shift so far whose neighbourhood ends with the row of shifts `done`."""
    if done < cy - 1:
        return
    low = 0 if done == cy - 1 else done - cy // 2
    high = ny - 1 if done == ny - 1 else done - cy // 2
    top = done - cy + 1
    first, last = low * nx, (high + 1) * nx
    for i in range(index.size):
        if first <= index[i] < last:
            left = min(max(index[i] % nx - cx // 2, 0), nx - cx)
            for y in range(cy):
                for x in range(cx):
                    around[i, y, x] = ring[(top + y) % cy, left + x, i]


@kernel
def answer(
    method: int, ref: Any, sam: Any, moments_s: Any, moments_r: Any, level_s: float, level_r: float,
    mean: float, ratio: float, pitch: int, ny: int, nx: int, size: int, poly: bool,
    line_fit: Any, area_fit: Any, best: Any, index: Any, around: Any, none: Any,
    rows: Any, columns: Any, out: Any,
) -> None:  # fmt: skip
    """Write (x, y, score, T, V) into out (5, rows, columns) for the wanted rows and columns of a tile.

    `level_*` and `mean` are in units of the scaled pixels; `ratio` turns T back into units of the input.
    """
    cy, cx = around.shape[1], around.shape[2]
    fits = (ny == 1 or ny >= size) and (nx == 1 or nx >= size)
    v = np.empty((cy, cx))
    for a in range(rows.size):
        for b in range(columns.size):
            i = rows[a] * pitch + columns[b]
            if none[i] or not best[i] > -np.inf:
                continue
            v_s, m_s = moments_s[1, i], moments_s[0, i] + level_s
            py, px = index[i] // nx, index[i] % nx
            top = min(max(py - cy // 2, 0), ny - cy)
            left = min(max(px - cx // 2, 0), nx - cx)
            for y in range(cy):
                for x in range(cx):
                    there = i + (top + y) * pitch + left + x
                    v[y, x] = score_of(method, float(around[i, y, x]), ref, there, sam, i, v_s)
            y, x = py - top, px - left
            dy, dx = refine(
                v, y, x, fits and 0 < py < ny - 1, fits and 0 < px < nx - 1,
                poly, line_fit, area_fit,
            )  # fmt: skip
            if method != PEARSON:
                ry = min(max(int(np.rint(y + dy)), 0), cy - 1)
                rx = min(max(int(np.rint(x + dx)), 0), cx - 1)
                there = i + (top + ry) * pitch + left + rx
                t, s = absorption_and_scattering(
                    method, float(around[i, ry, rx]), moments_r[0, there] + level_r,
                    moments_r[1, there], m_s, mean,
                )  # fmt: skip
                if not (np.isfinite(t) and np.isfinite(s)):
                    continue
                out[3, a, b] = abs(t * ratio)
                if method != UMPA:
                    out[4, a, b] = abs(s)
            out[0, a, b] = px + dx - nx // 2
            out[1, a, b] = py + dy - ny // 2
            out[2, a, b] = v[y, x]
