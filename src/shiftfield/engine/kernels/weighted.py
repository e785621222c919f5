"""A piece of a tile whose pixels have weights: every shift, with all moments of both sides under joint weights.

In float64, and slower than `track`: at each shift six windowed sums are made instead of one. What becomes of
the scores is decided in `engine.weighted`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import (
    WIDTH,
    aligned,
    fill,
    load,
    root,
    store,
    where_greater,
    zeros,
)
from shiftfield.engine.kernels.options import kernel, part
from shiftfield.engine.kernels.scores import PEARSON, UMPA
from shiftfield.engine.kernels.track import keep_neighbourhoods
from shiftfield.engine.kernels.window_sums import box_across, weigh_across

_SAME = 1e-12  # of a mean square: a variance that is but rounding


def workspace(
    sums: int, images: int, rows: int, columns: int, window: tuple[int, int], nx: int, cy: int
) -> tuple[Any, ...]:
    """Return the arrays `try_shifts` works in for pieces of `rows` x `columns` px, columns a multiple of 16."""
    tall, wide = window
    size = columns + -(-(wide - 1) // WIDTH) * WIDTH
    products = aligned((rows + tall) * WIDTH, np.float64)
    found = aligned((sums, rows * size), np.float64)
    lines = [aligned(size + wide + WIDTH, np.float64) for _ in range(3)]
    for array in (products, found, *lines):
        array[...] = 0
    return (products, found, *lines, aligned((images, cy * nx * rows * columns), np.float64))


@kernel
def try_shifts(
    method: int, reference: Any, sample: Any, terms: Any, pitch: int, top: int, left: int, rows: int,
    columns: int, tall: int, wide: int, wy: Any, wx: Any, ny: int, nx: int, cy: int, cx: int, row0: int,
    step: int, numbers: Any, work: Any, best: Any, least: Any, rival: Any, covered: Any, index: Any,
    around: Any, stop: Any, away: Any,
) -> None:  # fmt: skip
    """Fill, for every pixel of a piece, what was found over all shifts and the images around the best.

    Parameters
    ----------
    reference, sample : (P, n) images of weights, of weighted pixels and of their squares, as flat rows.
    terms : (6 or 7, 3) which of them are multiplied for N, <S>, <R>, <S^2>, <R^2>, <SR> and the coverage (that of
        N where there are six): first of the sample, first of the reference, how many are added up.
    pitch : pixels from row to row. top, left, rows, columns : the piece.
    tall, wide : the window. wy, wx : its weights along y and x; None where all are equal.
    ny, nx : number of shifts. cy, cx : neighbourhood that is kept around the best.
    row0, step : rows whose absolute number is no multiple of step are skipped.
    numbers : those of `score_row`.
    work : of `workspace`. stop : (1,), looked at between rows of shifts; not 0 to return at once.
    best, least : (rows * columns,) best and least score that competes. rival : best that competes or objects.
    covered : greatest coverage.
    index : of the best shift, C order. around : (images, cy * cx * rows * columns) of score, T, V.
    away : None, or what shifts are left out; see `kernels.scores.score_rows`.
    """
    products, found, line, sixteens, rests, kept = work
    size = found.shape[1] // rows
    apart_r, apart_s = reference.shape[1], sample.shape[1]
    reference, sample = reference.reshape(-1), sample.reshape(-1)
    for sy in range(ny):
        if stop[0]:
            return
        for sx in range(nx):
            here, there = top * pitch + left, (top + sy) * pitch + left + sx
            for q in range(terms.shape[0]):
                first_s, first_r, count = terms[q, 0], terms[q, 1], terms[q, 2]
                sums = found[q]
                for x in range(0, size, WIDTH):
                    multiply(
                        sample, first_s * apart_s + here + x, apart_s,
                        reference, first_r * apart_r + there + x, apart_r,
                        count, pitch, rows + tall - 1, products,
                    )  # fmt: skip
                    if wy is None:
                        box_down(products, rows, tall, sums, x, size)
                    else:
                        weighted_down(products, rows, wy, sums, x, size)
                for y in range(rows):
                    if (row0 + y) % step:
                        continue
                    if wx is None:
                        box_across(sums, y * size, size, wide, sixteens, rests, sums)
                    else:
                        weigh_across(sums[y * size :], wx, columns, line, 0)
                        for x in range(0, columns, WIDTH):
                            store(sums, y * size + x, load(line, x))
            for y in range(rows):
                if (row0 + y) % step == 0:
                    score_row(
                        method, found, y * size, y * columns, columns, numbers, sy * nx + sx,
                        best, least, rival, covered, index,
                        kept, ((sy % cy * rows + y) * columns) * nx + sx * WIDTH, nx, away,
                    )  # fmt: skip
        if sy >= cy - 1:
            for image in range(kept.shape[0]):
                keep_neighbourhoods(sy, ny, nx, cy, cx, index, kept[image], around[image])


@part
def multiply(
    sample: Any, s: int, apart_s: int, reference: Any, r: int, apart_r: int, count: int, pitch: int,
    rows: int, out: Any,
) -> None:  # fmt: skip
    """out[y * 16:] = the sum over `count` images of sample and reference, `apart`, of products of 16 pixels."""
    for y in range(rows):
        at, to = s + y * pitch, r + y * pitch
        total = load(sample, at) * load(reference, to)
        for k in range(1, count):
            total = total + load(sample, k * apart_s + at) * load(reference, k * apart_r + to)
        store(out, y * WIDTH, total)


@part
def box_down(column: Any, rows: int, tall: int, out: Any, at: int, size: int) -> None:
    """out[at + y * size] = the sum of rows y, y + 1, .. of a column 16 px wide, which is used up.

    A window is the end of one run of `tall` rows and the beginning of the next (van Herk, Pattern Recogn. Lett.
    13, 517, 1992): nothing is ever subtracted, and the cost does not depend on the window.
    """
    for start in range(0, rows, tall):
        end = load(column, (start + tall - 1) * WIDTH)
        for y in range(start + tall - 2, start - 1, -1):
            end = end + load(column, y * WIDTH)
            store(column, y * WIDTH, end)
        store(out, at + start * size, end)
        begin = zeros(column)
        for y in range(start + 1, min(start + tall, rows)):
            begin = begin + load(column, (y + tall - 1) * WIDTH)
            store(out, at + y * size, load(column, y * WIDTH) + begin)


@part
def weighted_down(column: Any, rows: int, weights: Any, out: Any, at: int, size: int) -> None:
    """out[at + y * size] = the sum over j of weights[j] * row y + j of a column 16 px wide."""
    for y in range(rows):
        total = zeros(column)
        for j in range(weights.size):
            total = total + load(column, (y + j) * WIDTH) * fill(weights[j])
        store(out, at + y * size, total)


@part
def score_row(
    method: int, found: Any, at: int, to: int, columns: int, numbers: Any, shift: int,
    best: Any, least: Any, rival: Any, covered: Any, index: Any, kept: Any, start: int, nx: int, away: Any,
) -> None:  # fmt: skip
    """Score one shift of a row of pixels: keep score, T and V, and take part in best, least, rival and coverage.

    `found` holds the sums from `at` on; `best` and the others are written from `to` on. `numbers` are the least
    coverage that competes, the coverage's factor, the levels of sample and reference, what rounding makes of
    their variances, the mean of all reference pixels, and the least coverage that objects. The formulas are those
    of `kernels.scores`, with moments under joint weights. A window without texture in the sample has no score,
    one in the reference the lowest.
    """
    limit, factor = fill(numbers[0]), fill(numbers[1])
    level_s, level_r = fill(numbers[2]), fill(numbers[3])
    rounding_s, rounding_r, mean = fill(numbers[4]), fill(numbers[5]), fill(numbers[6])
    half, unknown, one, two, same = (
        fill(numbers[7]),
        fill(np.nan),
        fill(1.0),
        fill(2.0),
        fill(_SAME),
    )
    which, nothing = fill(np.int32(shift)), fill(0.0)
    of_coverage = found.shape[0] - 1 if found.shape[0] > 6 else 0
    for x in range(0, columns, WIDTH):
        n = one / load(found[0], at + x)
        m_s, m_r = load(found[1], at + x) * n, load(found[2], at + x) * n
        square_s, square_r = load(found[3], at + x) * n, load(found[4], at + x) * n
        v_s, v_r = square_s - m_s * m_s, square_r - m_r * m_r
        c = load(found[5], at + x) * n - m_s * m_r
        least_s, least_r = same * square_s + rounding_s, same * square_r + rounding_r
        m_s, m_r = m_s + level_s, m_r + level_r
        t = v = unknown
        if method == PEARSON:
            score, lowest = c / root(v_s * v_r), nothing - one
        elif method == UMPA:
            g = one / (v_r + m_r * m_r)
            score = (c * (c * g + two * m_s * m_r * g) - m_s * m_s * v_r * g) / v_s
            lowest = nothing - m_s * m_s / v_s
            t = (c + m_s * m_r) * g
        else:
            ratio = c / v_r
            score, lowest = ratio * c / v_s, nothing
            t = (m_s - ratio * m_r) / mean + ratio
            t = where_greater(v_r, least_r, t, unknown)
            v = ratio / t
        score = where_greater(v_r, least_r, score, lowest)
        score = where_greater(v_s, least_s, score, unknown)
        store(kept[0], start + x * nx, score)
        if method != PEARSON:
            store(kept[1], start + x * nx, t)
            if method != UMPA:
                store(kept[2], start + x * nx, v)
        coverage = load(found[of_coverage], at + x) * factor
        here = to + x
        top, low, most = load(best, here), load(least, here), load(covered, here)
        store(covered, here, where_greater(coverage, most, coverage, most))
        most, objection = load(rival, here), where_greater(coverage, half, score, unknown)
        store(rival, here, where_greater(objection, most, objection, most))
        score = where_greater(coverage, limit, score, unknown)
        if away is not None:
            rows_, columns_, counted, limits = away
            apart = fill(limits[0])
            dy = fill(counted[shift // nx]) - load(rows_, here)
            dx = fill(counted[shift % nx]) - load(columns_, here)
            score = where_greater(
                dx * dx, apart, score, where_greater(dy * dy, apart, score, unknown)
            )
        store(index, here, where_greater(score, top, which, load(index, here)))
        store(best, here, where_greater(score, top, score, top))
        store(least, here, where_greater(low, score, score, low))
