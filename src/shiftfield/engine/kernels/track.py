"""One tile: try every shift, and keep the best of each pixel and the scores around it.

Rows of a tile have a common pitch, so that a shift is an offset. For each row of shifts and each row of
pixels a run of shifts along x is tried at once: what a row needs stays in the first cache meanwhile.
Of all scores only as many rows of shifts are kept as the sub-pixel fit reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, any_within, fill, load, store, zeros
from shiftfield.engine.kernels.options import kernel, part
from shiftfield.engine.kernels.products import products
from shiftfield.engine.kernels.scores import score_rows
from shiftfield.engine.kernels.window_sums import (
    box_sums,
    take_in,
    upwards,
    weigh_across,
    weigh_down,
)

_STATE = 300_000  # bytes of unfinished windows: they stay in the second cache. Measured: 150 to 400 kB alike


def workspace(
    kind: Any, pitch: int, height: int, width: int, window: tuple[int, int], nx: int, cy: int
) -> tuple[Any, ...]:
    """Return what `try_shifts` needs besides: how many shifts it tries at once, and arrays to work in."""
    tall, wide = window
    size = -(-(width + wide - 1) // WIDTH) * WIDTH
    at_once = min(max(_STATE // ((tall + 2) * size * np.dtype(kind).itemsize), 4), nx)
    at_once = -(-nx // -(-nx // at_once))  # as even as can be
    plane = (
        height * pitch + 2 * WIDTH
    )  # no multiple of 4 kB: stores of neighbouring shifts must not collide
    stride = at_once * size
    ring = np.empty((tall + 1) * stride, kind)
    ring[tall * stride :] = 0
    rows = (np.zeros(n + wide + WIDTH, kind) for n in (stride, stride, stride, size, size))
    return (at_once, size, plane, ring, *rows, np.empty(cy * nx * plane, kind))


@kernel
def try_shifts(
    method: int, reference: Any, sample: Any, ref: Any, sam: Any, pitch: int, height: int, width: int,
    wy: Any, wx: Any, box: bool, ny: int, nx: int, cy: int, cx: int, row0: int, step: int,
    work: Any, best: Any, index: Any, around: Any,
) -> None:  # fmt: skip
    """Fill, for every pixel of a tile, `best`, `index` (of the shift, C order) and `around` (c near it).

    Parameters
    ----------
    reference, sample : (K, n) frames as flat rows; the sample is scaled so that products sum to means.
    ref, sam : images of `scores`.
    pitch, height, width : pixels from row to row, rows and columns of the tile.
    wy, wx, box : weights along y and x; whether they are all equal (already in the sample's scale).
    ny, nx : number of shifts. cy, cx : neighbourhood that is kept around the peak.
    row0, step : rows whose absolute number is no multiple of step are skipped.
    work : of `workspace`.
    """
    frames, apart_r, apart_s = reference.shape[0], reference.shape[1], sample.shape[1]
    reference, sample = reference.reshape(-1), sample.reshape(-1)
    tall, wide = wy.size, wx.size
    at_once, size, plane, ring, below, sums, down, sixteens, rests, kept = work
    stride = at_once * size
    for sy in range(ny):
        for left in range(0, nx, at_once):
            count = min(at_once, nx - left)
            for x in range(0, stride, WIDTH):
                store(below, x, zeros(below))
            for y in range(height + tall - 1):
                slot = y % tall * stride
                products(
                    reference, (y + sy) * pitch + left, apart_r, sample, y * pitch, apart_s, frames,
                    count, size, ring, slot,
                )  # fmt: skip
                row = y - tall + 1
                wanted = row >= 0 and (row0 + row) % step == 0
                if not box:
                    if wanted:
                        weigh_down(ring, stride, row, tall, wy, count * size, down)
                        weigh_across(down, wx, count * size, sums, 0)
                else:
                    for g in range(count):
                        at = g * size
                        if wanted:
                            box_sums(
                                ring, slot + at, slot + stride + at, below, at, size, wide,
                                sixteens, rests, sums,
                            )  # fmt: skip
                        else:
                            take_in(ring, slot + at, below, at, size)
                    if (y + 1) % tall == 0:
                        upwards(ring, stride, tall, below)
                if wanted:
                    score_rows(
                        method, sums, size, count, sy * nx + left, ref, (row + sy) * pitch + left,
                        sam, row * pitch, width, best, index,
                        kept, plane, (sy % cy * nx + left) * plane + row * pitch,
                    )  # fmt: skip
        keep_neighbourhoods(sy, ny, nx, cy, cx, index, kept, plane, around)


@part
def keep_neighbourhoods(
    done: int, ny: int, nx: int, cy: int, cx: int, index: Any, kept: Any, plane: int, around: Any
) -> None:
    """Copy c around every best shift so far whose neighbourhood ends with the row of shifts `done`."""
    if done < cy - 1:
        return
    low = 0 if done == cy - 1 else done - cy // 2
    high = ny - 1 if done == ny - 1 else done - cy // 2
    top = done - cy + 1
    first, last = np.int32(low * nx), np.int32((high + 1) * nx)
    for x in range(0, around.shape[0], WIDTH):
        if not any_within(load(index, x), fill(first), fill(last)):
            continue
        for i in range(x, x + WIDTH):
            if first <= index[i] < last:
                left = min(max(index[i] % nx - cx // 2, 0), nx - cx)
                for v in range(cy):
                    line = ((top + v) % cy * nx + left) * plane + i
                    for u in range(cx):
                        around[i, v, u] = kept[line + u * plane]
