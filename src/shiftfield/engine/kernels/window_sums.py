"""Windowed sums of rows, sixteen pixels at a time: across for a plain box, down and across for weights.

The sums of a plain box down the window are kept up by `products`.
"""

from __future__ import annotations

from typing import Any

from shiftfield.engine.kernels.lanes import (
    WIDTH,
    fill,
    load,
    slide_1,
    slide_2,
    slide_4,
    slide_8,
    store,
    zeros,
)
from shiftfield.engine.kernels.options import part


@part
def box_across(
    row: Any, at: int, size: int, wide: int, sixteens: Any, rests: Any, out: Any
) -> None:
    """out[at + x] = the sum of row[at + x : at + x + wide], without ever subtracting.

    From right to left: sums of 1, 2, 4, 8 neighbours, of which those in the window's binary expansion are
    added; for windows of 16 px and more, as many sums of 16 as fit. Its cost hardly depends on the window.
    Measured at window 7: 2.1x faster than adding 7 loads.
    """
    nothing = zeros(row)
    v_right, s2_right, s4_right, s8_right = nothing, nothing, nothing, nothing
    t2_right, t4_right, t8_right, rest_right = nothing, nothing, nothing, nothing
    whole = wide // WIDTH
    one, two, four, eight = wide & 1, wide & 2, wide & 4, wide & 8
    for x in range(size - WIDTH, -1, -WIDTH):
        v = load(row, at + x)
        s2 = v + slide_1(v, v_right)
        s4 = s2 + slide_2(s2, s2_right)
        s8 = s4 + slide_4(s4, s4_right)
        t8 = s8 if eight else nothing
        t4 = s4 + slide_4(t8, t8_right) if four else t8
        t2 = s2 + slide_2(t4, t4_right) if two else t4
        total = v + slide_1(t2, t2_right) if one else t2
        if whole == 1:
            rest, total = total, rest_right + s8 + slide_8(s8, s8_right)
            rest_right = rest
        elif whole:
            store(rests, x, total)
            store(sixteens, x, s8 + slide_8(s8, s8_right))
            total = load(rests, x + WIDTH * whole)
            for j in range(whole):
                total = total + load(sixteens, x + WIDTH * j)
        store(out, at + x, total)
        v_right, s2_right, s4_right, s8_right = v, s2, s4, s8
        t2_right, t4_right, t8_right = t2, t4, t8


@part
def weigh_down(
    rows: Any, pitch: int, first: int, slots: int, weights: Any, size: int, out: Any
) -> None:
    """Weighted sum of rows first, first + 1, ..; row number n is kept at (n % slots) * pitch."""
    first = first % slots
    for x in range(0, size, WIDTH):
        total = zeros(out)
        for j in range(weights.size):
            row = first + j
            row = row - slots if row >= slots else row
            total = total + load(rows, row * pitch + x) * fill(weights[j])
        store(out, x, total)


@part
def weigh_across(row: Any, weights: Any, size: int, out: Any, start: int) -> None:
    """out[start + x] = sum over j of weights[j] * row[x + j]."""
    for x in range(0, size, WIDTH):
        total = zeros(out)
        for j in range(weights.size):
            total = total + load(row, x + j) * fill(weights[j])
        store(out, start + x, total)
