"""Quintic B-splines between pixels: the weights of six coefficients, and windows of an interpolated image.

Coefficients come from elsewhere; a window at a pure shift needs one set of weights, a deformed one a set for
each pixel. M. Unser, A. Aldroubi, M. Eden, IEEE Trans. Signal Process. 41, 821 (1993).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, fill, load, store, sum_of, zeros
from shiftfield.engine.kernels.options import part

TAPS = 6  # coefficients along an axis, from 2 px before the pixel below to 3 px after it
# tap t of the fraction f is the sum of POWERS[n, t] f^n; lanes beyond the taps are 0
POWERS = np.zeros((TAPS, WIDTH))
POWERS[:, :TAPS] = (
    np.array(
        [
            [1, 26, 66, 26, 1, 0],
            [-5, -50, 0, 50, 5, 0],
            [10, 20, -60, 20, 10, 0],
            [-10, 20, 0, -20, 10, 0],
            [5, -20, 30, -20, 5, 0],
            [-1, 5, -10, 10, -5, 1],
        ]
    )
    / 120
)


@part
def weigh_taps(fraction: float, taps: Any) -> None:
    """taps[t] = the weight of coefficient t for a place `fraction` of a px after the pixel."""
    for t in range(TAPS):
        total = POWERS[TAPS - 1, t]
        for n in range(TAPS - 2, -1, -1):
            total = total * fraction + POWERS[n, t]
        taps[t] = total


@part
def moved_window(
    coefficients: Any, first: int, pitch: int, tall: int, stride: int, across: Any, down: Any,
    level: Any, lines: Any, wide: int, out: Any, start: int,
) -> None:  # fmt: skip
    """Fill `out` from `start` on with a window of the interpolated image less `level`, at a pure shift.

    Parameters
    ----------
    coefficients : flat, those of the first pixel's first tap at `first`, rows `pitch` apart.
    tall, stride : rows of the window, and the ways between them in `out`.
    across, down : (6,) weights along x and y.
    level : (1,) what is subtracted.
    lines, wide : room for `tall` rows of `wide` numbers, whole lanes; wide is at least stride + 16.
    """
    nothing = fill(level[0])
    d0, d1, d2 = fill(down[0]), fill(down[1]), fill(down[2])
    d3, d4, d5 = fill(down[3]), fill(down[4]), fill(down[5])
    for j in range(tall):
        row = first + j * pitch
        for x in range(0, wide, WIDTH):
            at = row + x
            total = load(coefficients, at) * d0 + load(coefficients, at + pitch) * d1
            total = total + load(coefficients, at + 2 * pitch) * d2
            total = total + load(coefficients, at + 3 * pitch) * d3
            total = total + load(coefficients, at + 4 * pitch) * d4
            total = total + load(coefficients, at + 5 * pitch) * d5
            store(lines, j * wide + x, total - nothing)
    a0, a1, a2 = fill(across[0]), fill(across[1]), fill(across[2])
    a3, a4, a5 = fill(across[3]), fill(across[4]), fill(across[5])
    for j in range(tall):
        for x in range(0, stride, WIDTH):
            at = j * wide + x
            total = load(lines, at) * a0 + load(lines, at + 1) * a1
            total = total + load(lines, at + 2) * a2 + load(lines, at + 3) * a3
            total = total + load(lines, at + 4) * a4 + load(lines, at + 5) * a5
            store(out, start + j * stride + x, total)


@part
def deformed_window(
    coefficients: Any, first: int, pitch: int, tall: int, wide: int, stride: int, warp: Any,
    level: Any, powers: Any, taps: Any, out: Any, start: int,
) -> None:  # fmt: skip
    """Fill `out` from `start` on with a window of the interpolated image less `level`, moved and deformed.

    `warp` is (sx, a, b, sy, c, d): pixel (x, y), counted from the window's centre, is read at x + sx + a x + b y,
    y + sy + c x + d y. `first` is where the centre's own coefficient lies; `powers` are POWERS in the kind of the
    coefficients; `taps` has room for 16.
    """
    p0, p1, p2 = load(powers, 0), load(powers, WIDTH), load(powers, 2 * WIDTH)
    p3, p4, p5 = load(powers, 3 * WIDTH), load(powers, 4 * WIDTH), load(powers, 5 * WIDTH)
    sx, a, b, sy, c, d = warp[0], warp[1], warp[2], warp[3], warp[4], warp[5]
    ry, rx = tall // 2, wide // 2
    for j in range(tall):
        y = j - ry
        for i in range(wide):
            x = i - rx
            u, v = x + sx + a * x + b * y, y + sy + c * x + d * y
            left, top = int(np.floor(u)), int(np.floor(v))
            taps[WIDTH], taps[WIDTH + 1] = u - left, v - top
            f = fill(taps[WIDTH + 1])
            store(taps, 0, ((((p5 * f + p4) * f + p3) * f + p2) * f + p1) * f + p0)
            f = fill(taps[WIDTH])
            across = ((((p5 * f + p4) * f + p3) * f + p2) * f + p1) * f + p0
            at = first + (top - 2) * pitch + left - 2
            total = zeros(out)
            for t in range(TAPS):
                total = total + load(coefficients, at + t * pitch) * fill(taps[t])
            out[start + j * stride + i] = sum_of(total * across) - level[0]
