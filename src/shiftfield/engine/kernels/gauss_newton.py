"""Inverse-compositional Gauss-Newton for many windows: the shift, and one sigma of it, of each.

The sample's window is the template, whose gradient and Hessian are taken once; the interpolated reference moves
towards it. Brightness (S = a + k R, or S = T R) is part of the least squares and is eliminated at each step.
S. Baker, I. Matthews, Int. J. Comput. Vis. 56, 221 (2004); B. Pan, K. Li, W. Tong, Exp. Mech. 53, 1277 (2013).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, load, store
from shiftfield.engine.kernels.normal_equations import (
    COUNT,
    R2,
    S2,
    SR,
    W2,
    R,
    S,
    deforming_template,
    factor,
    match,
    solve,
    template,
)
from shiftfield.engine.kernels.options import kernel, part
from shiftfield.engine.kernels.scores import UMPA
from shiftfield.engine.kernels.spline import deformed_window, moved_window, weigh_taps

# Columns of what is found of each window.
(
    X,
    Y,
    STEPS,
    COVARIANCE,
    VARIANCE_R,
    VARIANCE_S,
    MEAN_S,
    MEAN_R,
    SIGMA_X,
    SIGMA_Y,
    MISS_X,
    MISS_Y,
) = range(12)
FOUND = 12


@kernel
def refine_windows(
    order: int, method: int, most: int, tolerance: float, limit: float, steepest: float,
    coefficients: Any, apart_r: int, pitch_r: int, origin: int,
    sample: Any, across: Any, down: Any, apart_s: int, pitch_s: int,
    frames: int, tall: int, wide: int, stride: int, weights: Any, weights_r: Any, weights_s: Any,
    rows: Any, columns: Any, start: Any, levels: Any, noise: Any, steepness: float, flatter: float, powers: Any,
    room: Any, found: Any, stop: Any,
) -> None:  # fmt: skip
    """Refine the shifts of the windows whose first pixels are at (rows, columns) of the sample.

    Parameters
    ----------
    order : 0 moves the window, 1 also stretches and shears it.
    most, tolerance, limit, steepest : steps; px, a shorter step is the last; px from the start, and stretch or
        shear, that are allowed. With no step at all the start is only judged.
    coefficients : flat, of K frames `apart_r` apart; a window at (0, 0) that does not move begins at `origin`.
    sample, across, down : flat, the sample and its derivatives.
    weights : (K tall stride,) of the window's pixels, 0 beyond it; filled here when pixels have weights
        `weights_r`, `weights_s`, flat as the images, which may be None.
    start : (n, 2) shifts (x, y), px. levels : what was taken off reference and sample.
    noise : (m,) what interpolation leaves of white noise, for fractions of a px from 0 to 1; `steepness` is that
        of the derivative, and `flatter` what the true slope is over it.
    found : (n, 12); STEPS is -1 where there is no minimum nearby.
    """
    w_s, w_x, w_y, image, lines, taps, places, level_r, level_s = room
    buffers = (w_s, w_x, w_y)
    size = 6 if order else 2
    sums, sums_r, warp, step = np.zeros(4), np.zeros(3), np.zeros(6), np.zeros(6)
    gradient, gradient_s, gradient_r = np.zeros(size), np.zeros(size), np.zeros(size)
    hessian, normal = np.zeros((size, size)), np.zeros((size, size))
    fractions = np.zeros((2, 8))
    middle_r, middle_s = (tall // 2) * pitch_r + wide // 2, (tall // 2) * pitch_s + wide // 2
    plain = weights.copy() if weights_r is not None else weights
    for n in range(rows.size):
        if stop[0]:
            return
        found[n, STEPS] = -1
        x0, y0 = int(np.rint(start[n, 0])), int(np.rint(start[n, 1]))
        here = rows[n] * pitch_s + columns[n]
        there = origin + (rows[n] + y0) * pitch_r + columns[n] + x0
        if weights_r is not None:
            join_weights(
                frames, tall, stride, plain, weights_r, there, apart_r, pitch_r,
                weights_s, here, apart_s, pitch_s, weights,
            )  # fmt: skip
        level_s[0], level_r[0] = sample[here + middle_s], coefficients[there + middle_r]
        template(
            frames, tall, stride, weights, sample, across, down, here, apart_s, pitch_s, level_s,
            buffers, sums, gradient, gradient_s, hessian,
        )  # fmt: skip
        if order:
            deforming_template(
                frames, tall, stride, sample, across, down, here, apart_s, pitch_s, level_s,
                buffers, places, gradient, gradient_s, hessian,
            )  # fmt: skip
        warp[:] = 0
        warp[0], warp[3] = start[n, 0] - x0, start[n, 1] - y0
        count = sums[COUNT]
        if not count > 0:
            continue
        mean_s = sums[S] / count
        variance_s = sums[S2] / count - mean_s * mean_s
        steps = 0
        while True:
            left, top = int(np.floor(warp[0])), int(np.floor(warp[3]))
            fx, fy = warp[0] - left, warp[3] - top
            if order:
                for k in range(frames):
                    deformed_window(
                        coefficients, there + k * apart_r + middle_r, pitch_r, tall, wide, stride, warp,
                        level_r, powers, taps, image, k * tall * stride,
                    )  # fmt: skip
            else:
                weigh_taps(fx, fractions[0])
                weigh_taps(fy, fractions[1])
                for t in range(6):
                    taps[t], taps[WIDTH + t] = fractions[0, t], fractions[1, t]
                for k in range(frames):
                    moved_window(
                        coefficients, there + k * apart_r + (top - 2) * pitch_r + left - 2, pitch_r,
                        tall, stride, taps, taps[WIDTH:], level_r, lines, stride + WIDTH,
                        image, k * tall * stride,
                    )  # fmt: skip
            match(order, frames, tall, stride, weights, buffers, image, places, sums_r, gradient_r)
            mean_r = sums_r[R] / count
            variance_r = sums_r[R2] / count - mean_r * mean_r
            covariance = sums_r[SR] / count - mean_s * mean_r
            full_s, full_r = mean_s + level_s[0] + levels[1], mean_r + level_r[0] + levels[0]
            if method == UMPA:
                square = variance_r + full_r * full_r
                ratio = (covariance + full_s * full_r) / square
            else:
                square, ratio = variance_r, covariance / variance_r
            rest = full_s - ratio * full_r if method == UMPA else 0.0
            for i in range(size):
                g_s = gradient_s[i] - gradient[i] * mean_s
                g_r = gradient_r[i] - gradient[i] * mean_r
                step[i] = ratio * g_r - g_s - gradient[i] * rest
                gradient_r[i] = g_r + gradient[i] * full_r if method == UMPA else g_r
            for i in range(size):
                for j in range(i + 1):
                    value = hessian[i, j] - gradient_r[i] * gradient_r[j] / (count * square)
                    if method != UMPA:
                        value -= gradient[i] * gradient[j] / count
                    normal[i, j] = value
            if not (square > 0 and factor(normal, size)):
                break
            solve(normal, size, step)
            length = np.hypot(step[0], step[3 if order else 1])
            if order:  # of the corners
                length += wide // 2 * (abs(step[1]) + abs(step[4]))
                length += tall // 2 * (abs(step[2]) + abs(step[5]))
            if steps >= most:  # the last look, at where the last step led
                steps = steps if most == 0 else -1
            elif length > tolerance:
                compose(order, warp, step)
                steps += 1
                if not inside(warp, limit, steepest):
                    break
                continue
            if steps >= 0:
                found[n, MISS_X], found[n, MISS_Y] = step[0], step[3 if order else 1]
                if most:
                    compose(order, warp, step)
                    steps += 1
                found[n, STEPS] = steps
                found[n, X], found[n, Y] = x0 + warp[0], y0 + warp[3]
                found[n, COVARIANCE], found[n, VARIANCE_R] = covariance, variance_r
                found[n, VARIANCE_S], found[n, MEAN_S], found[n, MEAN_R] = (
                    variance_s,
                    full_s,
                    full_r,
                )
                cost = variance_s - covariance * covariance / variance_r
                if method == UMPA:
                    cost = variance_s + ratio * (ratio * variance_r - 2 * covariance) + rest * rest
                last = noise.size - 1
                kept = noise[int(fx * last + 0.5)] * noise[int(fy * last + 0.5)]
                free = count * count / sums[W2] - size - (1 if method == UMPA else 2)
                sigma = (
                    cost * (count * count / sums[W2]) / free / (1 + kept) if free > 0 else np.nan
                )
                spread(
                    normal,
                    size,
                    steepness * sigma,
                    flatter,
                    places,
                    count,
                    sums,
                    sigma,
                    found,
                    n,
                    step,
                )
            break


@part
def join_weights(
    frames: int, tall: int, stride: int, plain: Any, weights_r: Any, there: int, apart_r: int, pitch_r: int,
    weights_s: Any, here: int, apart_s: int, pitch_s: int, out: Any,
) -> None:  # fmt: skip
    """out = the window's weights times those of the pixels that lie upon each other at a whole-pixel shift."""
    for k in range(frames):
        for j in range(tall):
            to = (k * tall + j) * stride
            ref, sam = there + k * apart_r + j * pitch_r, here + k * apart_s + j * pitch_s
            for x in range(0, stride, WIDTH):
                joint = load(weights_r, ref + x) * load(weights_s, sam + x)
                store(out, to + x, load(plain, to + x) * joint)


@part
def compose(order: int, warp: Any, step: Any) -> None:
    """Replace a warp by itself after the inverse of a step of the template."""
    if not order:
        warp[0] -= step[0]
        warp[3] -= step[1]
        return
    p, q, r, s = 1 + step[1], step[2], step[4], 1 + step[5]
    determinant = p * s - q * r
    a, b, c, d = 1 + warp[1], warp[2], warp[4], 1 + warp[5]
    e, f = (a * s - b * r) / determinant, (b * p - a * q) / determinant
    g, h = (c * s - d * r) / determinant, (d * p - c * q) / determinant
    warp[0] -= e * step[0] + f * step[3]
    warp[3] -= g * step[0] + h * step[3]
    warp[1], warp[2], warp[4], warp[5] = e - 1, f, g, h - 1


@part
def inside(warp: Any, limit: float, steepest: float) -> Any:
    """Return whether a warp is finite, and neither far from the start nor deformed beyond what can be a match."""
    near = abs(warp[0]) <= limit and abs(warp[3]) <= limit
    flat = abs(warp[1]) <= steepest and abs(warp[2]) <= steepest
    return near and flat and abs(warp[4]) <= steepest and abs(warp[5]) <= steepest


@part
def spread(
    lower: Any, size: int, noise: float, flatter: float, places: Any, count: float, sums: Any,
    sigma: float, found: Any, n: int, row: Any,
) -> None:  # fmt: skip
    """Fill one sigma in x and y: A^-1 H A^-1 times twice the noise of a pixel, A the Hessian without noise.

    The template's own noise steepens its gradient: that adds to H what no match profits from, and is taken off A.
    What smoothing flattens is added.
    """
    matrix = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            total = 0.0
            for k in range(j + 1):
                total += lower[i, k] * lower[j, k]
            matrix[i, j] = matrix[j, i] = total
    full = matrix.copy()
    for i in range(size):
        area = count
        if size == 6 and i % 3:
            area = count * (places[-2] if i % 3 == 1 else places[-1])
        matrix[i, i] = max(matrix[i, i] - noise * area, 0.2 * matrix[i, i])
    matrix *= flatter
    if not factor(matrix, size):
        return
    for at in range(2):
        row[:] = 0
        row[(3 if size == 6 else 1) * at] = 1.0
        solve(matrix, size, row)
        total = 0.0
        for i in range(size):
            for j in range(size):
                total += row[i] * full[i, j] * row[j]
        found[n, SIGMA_X + at] = np.sqrt(2 * sigma * total * sums[W2] / count)
