"""What a tile needs before the shifts are tried: windowed moments, and pixels without an answer.

All in float64; nothing here depends on a shift.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.lanes import WIDTH, fill, load, narrow, store, where_greater, zeros
from shiftfield.engine.kernels.options import kernel
from shiftfield.engine.kernels.window_sums import weigh_across, weigh_down


@kernel
def scale_frames(
    frames: Any, level: float, scale: float, factor: float, out: Any, total: Any
) -> None:
    """Write (frames - level) * scale * factor, and the means over frames of that, without factor, and its square.

    frames, out : (K, n), n a multiple of 16. total : (2, n).
    """
    count, n = frames.shape
    flat, scaled, mean, square = frames.reshape(-1), out.reshape(-1), total[0], total[1]
    zero, times, by, share = fill(level), fill(scale), fill(factor), fill(1 / count)
    for x in range(0, n, WIDTH):
        first, second = zeros(mean), zeros(mean)
        for k in range(count):
            v = (load(flat, k * n + x) - zero) * times
            store(scaled, k * n + x, narrow(v * by, scaled))
            first = first + v
            second = second + v * v
        store(mean, x, first * share)
        store(square, x, second * share)


@kernel
def moments(total: Any, pitch: int, wy: Any, wx: Any, height: int, line: Any, out: Any) -> None:
    """Turn means over frames of pixels and their squares into windowed means and variances, `height` rows.

    total : (2, n) rows of `pitch`. out : (2, height * pitch). line : (pitch + wx.size + 16,), zeros.
    """
    mean, variance = out[0], out[1]
    for y in range(height):
        weigh_down(total[0], pitch, y, y + wy.size, wy, pitch, line)
        weigh_across(line, wx, pitch, mean, y * pitch)
        weigh_down(total[1], pitch, y, y + wy.size, wy, pitch, line)
        weigh_across(line, wx, pitch, variance, y * pitch)
    for x in range(0, height * pitch, WIDTH):
        m = load(mean, x)
        v = load(variance, x) - m * m
        store(variance, x, where_greater(v, zeros(mean), v, zeros(mean)))


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
