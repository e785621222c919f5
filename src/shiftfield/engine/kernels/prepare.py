"""What a tile needs before the shifts are tried: windowed moments, and pixels without an answer.

All in float64; nothing here depends on a shift.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, convert, fill, load, store, where_greater, zeros
from shiftfield.engine.kernels.options import kernel
from shiftfield.engine.kernels.window_sums import weigh_across, weigh_down

_HUGE = 1e100  # times the scale: what lies further from the level is no number


@kernel
def scale_frames(
    pixels: Any, count: int, rows: int, columns: int, frame: int, row: int,
    level: float, scale: float, factor: float, pitch: int, out: Any, total: Any, strange: Any,
) -> None:  # fmt: skip
    """Write (pixels - level) * scale * factor as rows, and the means over frames of that and of its square.

    What is not finite, and what lies beyond the rows, becomes 0.

    Parameters
    ----------
    pixels : flat; pixel (k, y, x) of `count` frames of `rows` x `columns` is at k * frame + y * row + x.
    pitch : pixels from row to row of what is written.
    out : (K, n), n at least rows * pitch. total : (2, n), without factor.
    strange : (16,), not 0 where a pixel was not finite.
    """
    n = out.shape[1]
    scaled, mean, square = out.reshape(-1), total[0], total[1]
    nothing, zero, times = zeros(mean), fill(level), fill(scale)
    by, share, huge = fill(factor), fill(1 / count), fill(_HUGE)
    odd = nothing
    for y in range(rows):
        for start in range(0, columns if columns >= WIDTH else 0, WIDTH):
            x = start if start + WIDTH <= columns else columns - WIDTH
            at, first, second = y * pitch + x, nothing, nothing
            for k in range(count):
                v = (convert(load(pixels, k * frame + y * row + x), mean) - zero) * times
                v2 = v * v
                odd = where_greater(huge, v2, odd, huge)
                v = where_greater(huge, v2, v, nothing)
                store(scaled, k * n + at, convert(v * by, scaled))
                first = first + v
                second = second + where_greater(huge, v2, v2, nothing)
            store(mean, at, first * share)
            store(square, at, second * share)
        for x in range(columns if columns < WIDTH else 0):
            at, a, b = y * pitch + x, 0.0, 0.0
            for k in range(count):
                w = (float(pixels[k * frame + y * row + x]) - level) * scale
                if not w * w < _HUGE:
                    w, strange[0] = 0.0, 1.0
                scaled[k * n + at] = w * factor
                a += w
                b += w * w
            mean[at], square[at] = a / count, b / count
        for x in range(y * pitch + columns, n if y == rows - 1 else (y + 1) * pitch):
            mean[x] = square[x] = 0.0
            for k in range(count):
                scaled[k * n + x] = 0.0
    store(strange, 0, odd + load(strange, 0))


@kernel
def moments(
    total: Any, pitch: int, wy: Any, wx: Any, height: int, width: int, line: Any, out: Any
) -> tuple[float, float]:
    """Turn means over frames of pixels and their squares into windowed means and variances, `height` rows.

    total : (2, n) rows of `pitch`. out : (2, height * pitch). line : (pitch + wx.size + 16,), zeros.
    Returns the least variance, and the greatest mean square, of windows in the first `width` columns.
    """
    mean, variance = out[0], out[1]
    least, most = np.inf, 0.0
    for y in range(height):
        weigh_down(total[0], pitch, y, y + wy.size, wy, pitch, line)
        weigh_across(line, wx, pitch, mean, y * pitch)
        weigh_down(total[1], pitch, y, y + wy.size, wy, pitch, line)
        weigh_across(line, wx, pitch, variance, y * pitch)
        for x in range(y * pitch, y * pitch + width):
            v = variance[x]
            most = v if v > most else most
            v -= mean[x] * mean[x]
            v = v if v > 0 else 0.0
            least = v if v < least else least
            variance[x] = v
    return least, most


@kernel
def constant_windows(raw: Any, tall: int, wide: int, pitch: int, out: Any) -> None:
    """Set out where all raw pixels of a window, over all frames, are equal; exact, and O(1) a pixel.

    Runs of equal pixels are counted along each row, then runs of such rows along each column.
    """
    frames, height, width = raw.shape
    down = np.zeros(width, np.int64)
    for y in range(height - 1, -1, -1):
        run = 0
        for x in range(width - 1, -1, -1):
            value = raw[0, y, x]
            same = True
            for k in range(1, frames):
                same = same and raw[k, y, x] == value
            if not same:
                run = 0
            elif x + 1 < width and run > 0 and raw[0, y, x + 1] == value:
                run += 1
            else:
                run = 1
            if run < wide:
                down[x] = 0
            elif y + 1 < height and down[x] > 0 and raw[0, y + 1, x] == value:
                down[x] += 1
            else:
                down[x] = 1
            if down[x] >= tall:
                out[y * pitch + x] = 1


@kernel
def windows_with_spoilt(spoilt: Any, tall: int, wide: int, pitch: int, out: Any) -> None:
    """Set out where a window of `tall` x `wide` px holds a spoilt pixel; spoilt : (H, W) of 0 and 1."""
    height, width = spoilt.shape
    count = np.zeros((height + 1, width + 1), np.int64)
    for y in range(height):
        for x in range(width):
            count[y + 1, x + 1] = count[y, x + 1] + count[y + 1, x] - count[y, x] + spoilt[y, x]
    for y in range(height - tall + 1):
        for x in range(width - wide + 1):
            inside = (
                count[y + tall, x + wide] - count[y, x + wide] - count[y + tall, x] + count[y, x]
            )
            if inside > 0:
                out[y * pitch + x] = 1
