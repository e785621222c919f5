"""One tile: try every shift, and keep the best of each pixel and the scores around it.

Rows of a tile have a common pitch, so that a shift is an offset. For each row of shifts and each row of
pixels a run of shifts along x is tried at once: what a row needs stays in the first cache meanwhile.
Of all scores only as many rows of shifts are kept as the sub-pixel fit reads.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import (
    WIDTH,
    aligned,
    fill,
    load,
    lowest_bit,
    store,
    within,
    zeros,
)
from shiftfield.engine.kernels.options import kernel, part
from shiftfield.engine.kernels.products import products, products_of_one
from shiftfield.engine.kernels.scores import score_rows
from shiftfield.engine.kernels.window_sums import box_across, weigh_across, weigh_down

_STATE = 300_000  # bytes of unfinished windows: they stay in the second cache. Measured: 150 to 400 kB alike


def workspace(
    kind: Any, pitch: int, height: int, width: int, window: tuple[int, int], nx: int, cy: int
) -> tuple[Any, ...]:
    """Return what `try_shifts` needs besides: how many shifts it tries at once, and arrays to work in."""
    tall, wide = window
    size = -(-(width + wide - 1) // WIDTH) * WIDTH
    at_once = min(max(_STATE // ((tall + 2) * size * np.dtype(kind).itemsize), 4), nx)
    at_once = -(-nx // -(-nx // at_once))  # as even as can be
    stride = at_once * size
    ring = aligned((tall + 1) * stride, kind)
    ring[tall * stride :] = 0
    rows = [aligned(n + wide + WIDTH, kind) for n in (stride, stride, size, size)]
    for row in rows:
        row[:] = 0
    return (at_once, size, ring, *rows, aligned(cy * nx * height * pitch, kind))


@kernel
def try_shifts(
    shape: int, reference: Any, sample: Any, ref: Any, sam: Any, pitch: int, height: int, width: int,
    tall: int, wide: int, wy: Any, wx: Any, ny: int, nx: int, cy: int, cx: int, row0: int, step: int,
    work: Any, best: Any, index: Any, around: Any, stop: Any, away: Any,
) -> None:  # fmt: skip
    """Fill, for every pixel of a tile, `best`, `index` (of the shift, C order) and `around` (scores near it).

    Parameters
    ----------
    reference, sample : (K, n) frames as flat rows; the sample is scaled so that products sum to means.
    ref, sam : images of `scores`.
    pitch, height, width : pixels from row to row, rows and columns of the tile.
    tall, wide : the window. wy, wx : its weights along y and x. Each is None where all are equal and in the
        sample's scale: rows then enter and leave a running sum, columns are summed by doubling. The loop is
        compiled for either.
    ny, nx : number of shifts. cy, cx : neighbourhood that is kept around the peak.
    row0, step : rows whose absolute number is no multiple of step are skipped.
    work : of `workspace`. stop : (1,), looked at between runs of shifts; not 0 to return at once.
    away : None, or what shifts are left out; see `score_rows`.
    """
    frames, apart_r, apart_s = reference.shape[0], reference.shape[1], sample.shape[1]
    reference, sample = reference.reshape(-1), sample.reshape(-1)
    at_once, size, ring, down, sums, sixteens, rests, kept = work
    stride = at_once * size
    for sy in range(ny):
        for left in range(0, nx, at_once):
            if stop[0]:
                return
            count = min(at_once, nx - left)
            for x in range(0, stride, WIDTH):
                store(down, x, zeros(down))
            for y in range(height + tall - 1):
                slot, there = y % tall * stride, (y + sy) * pitch + left
                past = slot if y >= tall else tall * stride
                if wy is not None:
                    products(
                        reference, there, apart_r, sample, y * pitch, apart_s, frames,
                        count, size, ring, slot, past, None,
                    )  # fmt: skip
                elif frames > 1:
                    products(
                        reference, there, apart_r, sample, y * pitch, apart_s, frames,
                        count, size, ring, slot, past, down,
                    )  # fmt: skip
                else:
                    products_of_one(
                        reference, there, sample, y * pitch, tall * pitch, tall * pitch, y >= tall,
                        count, size, down,
                    )  # fmt: skip
                row = y - tall + 1
                wanted = row >= 0 and (row0 + row) % step == 0
                if not wanted:
                    continue
                if wy is not None:
                    weigh_down(ring, stride, row, tall, wy, count * size, down)
                if wx is not None:
                    weigh_across(down, wx, count * size, sums, 0)
                else:
                    for g in range(count):
                        box_across(down, g * size, size, wide, sixteens, rests, sums)
                score_rows(
                    shape, sums, size, count, sy * nx + left, ref, (row + sy) * pitch + left,
                    sam, row * pitch, width, best, index,
                    kept, (sy % cy * height + row) * pitch * nx + left * WIDTH, nx, away,
                )  # fmt: skip
        if sy >= cy - 1:
            keep_neighbourhoods(sy, ny, nx, cy, cx, index, kept, around)


@part
def keep_neighbourhoods(
    done: int, ny: int, nx: int, cy: int, cx: int, index: Any, kept: Any, around: Any
) -> None:
    """Copy what is kept around every best shift so far whose neighbourhood ends with the row of shifts `done`."""
    low = 0 if done == cy - 1 else done - cy // 2
    high = ny - 1 if done == ny - 1 else done - cy // 2
    pixels = index.size
    plane = pixels * nx
    first, last = np.int32(low * nx), np.int32((high + 1) * nx)
    for x in range(0, pixels, WIDTH):
        bits = within(load(index, x), fill(first), fill(last))
        while bits:
            lane = lowest_bit(bits)
            bits &= bits - 1
            left = index[x + lane] - first
            while left >= nx:
                left -= nx
            left -= cx // 2
            left = left if left > 0 else 0
            left = left if left < nx - cx else nx - cx
            at = (done + 1) % cy * plane + x * nx + left * WIDTH + lane
            to = x + lane
            for _ in range(cy):
                for u in range(cx):
                    around[to] = kept[at + u * WIDTH]
                    to += pixels
                at += plane
                at = at if at < kept.size else at - kept.size
