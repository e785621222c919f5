"""What a tile needs before the shifts are tried: windowed moments, and pixels without an answer.

All in float64; nothing here depends on a shift.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from shiftfield.engine.kernels.options import kernel
from shiftfield.engine.kernels.window_sums import weigh_across, weigh_down

_EPS = 2.0**-52


@kernel
def fill(block: Any, level: float, scale: float, factor: float, pitch: int, out: Any) -> int:
    """Write (block - level) * scale * factor as flat rows of `pitch`, 0 where not finite; count those."""
    frames, height, width = block.shape
    out[:] = 0
    spoilt = 0
    for k in range(frames):
        for y in range(height):
            for x in range(width):
                value = block[k, y, x]
                if np.isfinite(value):
                    out[k, y * pitch + x] = (value - level) * scale * factor
                else:
                    spoilt += 1
    return spoilt


@kernel
def moments(block: Any, level: float, scale: float, wy: Any, wx: Any, pitch: int) -> Any:
    """Return (2, n): weighted mean and variance over frames and window, of (block - level) * scale."""
    frames, height, width = block.shape
    tall = height - wy.size + 1
    total = np.zeros((2, height * pitch + wx.size))
    for k in range(frames):
        for y in range(height):
            for x in range(width):
                value = block[k, y, x]
                if np.isfinite(value):
                    value = (value - level) * scale
                    total[0, y * pitch + x] += value / frames
                    total[1, y * pitch + x] += value * value / frames
    out = np.zeros((2, tall * pitch + pitch))
    down = np.zeros(tall * pitch + wx.size)
    for i in range(2):
        weigh_down(total[i], pitch, tall, wy, down)
        weigh_across(down, wx, out[i, : tall * pitch])
    for i in range(tall * pitch):
        out[1, i] = max(out[1, i] - out[0, i] * out[0, i], 0.0)
    return out


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
def windows_with_spoilt(block: Any, tall: int, wide: int, pitch: int, out: Any) -> None:
    """Set out where a window of `tall` x `wide` px holds a NaN or inf in any frame."""
    frames, height, width = block.shape
    count = np.zeros((height + 1, width + 1), np.int64)
    for y in range(height):
        for x in range(width):
            spoilt = 0
            for k in range(frames):
                if not np.isfinite(block[k, y, x]):
                    spoilt = 1
            count[y + 1, x + 1] = count[y, x + 1] + count[y + 1, x] - count[y, x] + spoilt
    for y in range(height - tall + 1):
        for x in range(width - wide + 1):
            inside = (
                count[y + tall, x + wide] - count[y, x + wide] - count[y + tall, x] + count[y, x]
            )
            if inside > 0:
                out[y * pitch + x] = 1


@kernel
def without_texture(mean: Any, variance: Any, level: float, scale: float, out: Any) -> None:
    """Set out where the variance is no more than the rounding of the pixels themselves."""
    rounding = 64 * _EPS * abs(level) * scale
    for i in range(variance.size):
        if not variance[i] > rounding * rounding + 1e-14 * mean[i] * mean[i]:
            out[i] = 1


@kernel
def needs_float64(mean: Any, variance: Any, none: Any, height: int, width: int, pitch: int) -> bool:
    """Whether float32 sums would lose a window's texture beside its distance from the tile's level.

    The covariance carries rounding of about 6e-8 mean^2; at variance 5e-4 mean^2 that is 1e-4 of a score.
    """
    for y in range(height):
        for i in range(y * pitch, y * pitch + width):
            if not none[i] and variance[i] < 5e-4 * mean[i] * mean[i]:
                return True
    return False
