"""The normal equations of one window: sums over template and interpolated image, and their solution.

Parameters are (sx, sy), or (sx, a, b, sy, c, d) of a deforming window whose pixel (x, y), counted from the
centre, is read at x + sx + a x + b y, y + sy + c x + d y. The iteration that uses them is `gauss_newton`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, fill, load, store, sum_of, zeros
from shiftfield.engine.kernels.options import part

COUNT, S, S2, W2 = range(4)  # of the sums over a template: of w, w S, w S^2, w^2
R, R2, SR = range(3)  # of the sums over an interpolated image: of w R, w R^2, w S R


@part
def template(
    frames: int, tall: int, stride: int, weights: Any, sample: Any, across: Any, down: Any,
    here: int, apart: int, pitch: int, level: Any, buffers: Any, sums: Any, gradient: Any,
    gradient_s: Any, hessian: Any,
) -> None:  # fmt: skip
    """Fill w (S - level), w dS/dx, w dS/dy into `buffers`, their sums, and the Hessian of a moving window.

    sums : (4,) of w, w S, w S^2, w^2. gradient, gradient_s : sums of w g and w g S; hessian of w g g.
    """
    w_s, w_x, w_y = buffers
    nothing = fill(level[0])
    n = s1 = s2 = w2 = gx = gy = gxs = gys = xx = xy = yy = zeros(sample)
    for k in range(frames):
        for j in range(tall):
            row, to = here + k * apart + j * pitch, (k * tall + j) * stride
            for x in range(0, stride, WIDTH):
                w = load(weights, to + x)
                s = load(sample, row + x) - nothing
                g, h = load(across, row + x), load(down, row + x)
                ws, wg, wh = w * s, w * g, w * h
                store(w_s, to + x, ws)
                store(w_x, to + x, wg)
                store(w_y, to + x, wh)
                n = n + w
                w2 = w2 + w * w
                s1 = s1 + ws
                s2 = s2 + ws * s
                gx = gx + wg
                gy = gy + wh
                gxs = gxs + wg * s
                gys = gys + wh * s
                xx = xx + wg * g
                xy = xy + wg * h
                yy = yy + wh * h
    sums[COUNT], sums[S], sums[S2], sums[W2] = sum_of(n), sum_of(s1), sum_of(s2), sum_of(w2)
    gradient[0], gradient[1] = sum_of(gx), sum_of(gy)
    gradient_s[0], gradient_s[1] = sum_of(gxs), sum_of(gys)
    hessian[0, 0], hessian[1, 1] = sum_of(xx), sum_of(yy)
    hessian[0, 1] = hessian[1, 0] = sum_of(xy)


@part
def deforming_template(
    frames: int, tall: int, stride: int, sample: Any, across: Any, down: Any,
    here: int, apart: int, pitch: int, level: Any, buffers: Any, places: Any, gradient: Any,
    gradient_s: Any, hessian: Any,
) -> None:  # fmt: skip
    """Fill the sums of w g, w g S and w g g of a deforming window; `places` are x of a row, from its centre."""
    _, w_x, w_y = buffers
    nothing = fill(level[0])
    gradient[:], gradient_s[:], hessian[:] = 0, 0, 0
    for k in range(frames):
        for j in range(tall):
            row, to, v = here + k * apart + j * pitch, (k * tall + j) * stride, j - tall // 2
            gx = gy = gxs = gys = gx_x = gy_x = gxs_x = gys_x = zeros(sample)
            xx = xy = yy = xx_x = xy_x = yy_x = xx_2 = xy_2 = yy_2 = zeros(sample)
            for i in range(0, stride, WIDTH):
                x, s = load(places, i), load(sample, row + i) - nothing
                g, h = load(across, row + i), load(down, row + i)
                wg, wh = load(w_x, to + i), load(w_y, to + i)
                gx, gy = gx + wg, gy + wh
                gx_x, gy_x = gx_x + wg * x, gy_x + wh * x
                gxs, gys = gxs + wg * s, gys + wh * s
                gxs_x, gys_x = gxs_x + wg * s * x, gys_x + wh * s * x
                p, q, r = wg * g, wg * h, wh * h
                xx, xy, yy = xx + p, xy + q, yy + r
                p, q, r = p * x, q * x, r * x
                xx_x, xy_x, yy_x = xx_x + p, xy_x + q, yy_x + r
                xx_2, xy_2, yy_2 = xx_2 + p * x, xy_2 + q * x, yy_2 + r * x
            add_row(gradient, v, sum_of(gx), sum_of(gx_x), sum_of(gy), sum_of(gy_x))
            add_row(gradient_s, v, sum_of(gxs), sum_of(gxs_x), sum_of(gys), sum_of(gys_x))
            add_block(hessian, 0, 0, v, sum_of(xx), sum_of(xx_x), sum_of(xx_2))
            add_block(hessian, 0, 3, v, sum_of(xy), sum_of(xy_x), sum_of(xy_2))
            add_block(hessian, 3, 3, v, sum_of(yy), sum_of(yy_x), sum_of(yy_2))
    for i in range(3):
        for j in range(3):
            hessian[3 + j, i] = hessian[i, 3 + j]


@part
def add_row(sums: Any, y: float, gx: float, gx_x: float, gy: float, gy_x: float) -> None:
    """Add a row's sums of the gradient, and of it times x, for the six parameters."""
    sums[0] += gx
    sums[1] += gx_x
    sums[2] += y * gx
    sums[3] += gy
    sums[4] += gy_x
    sums[5] += y * gy


@part
def add_block(hessian: Any, top: int, left: int, y: float, one: float, x: float, x2: float) -> None:
    """Add a row's sums of a product of gradients times 1, x, x^2 to a 3 x 3 block of the Hessian."""
    hessian[top, left] += one
    hessian[top, left + 1] += x
    hessian[top, left + 2] += y * one
    hessian[top + 1, left] += x
    hessian[top + 1, left + 1] += x2
    hessian[top + 1, left + 2] += y * x
    hessian[top + 2, left] += y * one
    hessian[top + 2, left + 1] += y * x
    hessian[top + 2, left + 2] += y * y * one


@part
def match(
    order: int, frames: int, tall: int, stride: int, weights: Any, buffers: Any, image: Any,
    places: Any, sums: Any, gradient_r: Any,
) -> None:  # fmt: skip
    """Fill the sums (3,) of w R, w R^2, w S R, and those of w g R, for the interpolated window R `image`."""
    w_s, w_x, w_y = buffers
    r1 = r2 = sr = gx = gy = gx_x = gy_x = gx_y = gy_y = zeros(image)
    for j in range(frames * tall):
        to, row_x, row_y = j * stride, zeros(image), zeros(image)
        for i in range(0, stride, WIDTH):
            r = load(image, to + i)
            wr = load(weights, to + i) * r
            r1 = r1 + wr
            r2 = r2 + wr * r
            sr = sr + load(w_s, to + i) * r
            g, h = load(w_x, to + i) * r, load(w_y, to + i) * r
            gx, gy = gx + g, gy + h
            if order:
                x = load(places, i)
                gx_x, gy_x = gx_x + g * x, gy_x + h * x
                row_x, row_y = row_x + g, row_y + h
        if order:
            y = fill(places[stride + j % tall])
            gx_y, gy_y = gx_y + row_x * y, gy_y + row_y * y
    sums[R], sums[R2], sums[SR] = sum_of(r1), sum_of(r2), sum_of(sr)
    if order:
        gradient_r[0], gradient_r[1], gradient_r[2] = sum_of(gx), sum_of(gx_x), sum_of(gx_y)
        gradient_r[3], gradient_r[4], gradient_r[5] = sum_of(gy), sum_of(gy_x), sum_of(gy_y)
    else:
        gradient_r[0], gradient_r[1] = sum_of(gx), sum_of(gy)


@part
def factor(matrix: Any, size: int) -> bool:
    """Replace a symmetric matrix by its Cholesky factor, below; return whether it is positive."""
    for i in range(size):
        for j in range(i + 1):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            if i > j:
                matrix[i, j] = total / matrix[j, j]
            elif total > 1e-12 * matrix[i, i]:
                matrix[i, i] = np.sqrt(total)
            else:
                return False
    return True


@part
def solve(lower: Any, size: int, vector: Any) -> None:
    """Replace a vector by the solution of L L^T x = vector."""
    for i in range(size):
        for k in range(i):
            vector[i] -= lower[i, k] * vector[k]
        vector[i] /= lower[i, i]
    for i in range(size - 1, -1, -1):
        for k in range(i + 1, size):
            vector[i] -= lower[k, i] * vector[k]
        vector[i] /= lower[i, i]
