"""One image of a tile, prepared for the loops: scaled rows, windowed moments, windows without an answer."""

from __future__ import annotations

from typing import Any, NamedTuple, cast

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from shiftfield.engine.base import ROUNDING, Real, Search
from shiftfield.engine.kernels import prepare
from shiftfield.engine.kernels.lanes import WIDTH, aligned

Float = NDArray[np.float64]
_PROBES = 2048  # pixels of a tile that its level is taken from
_FINE = 0.05  # of the pixels' distance from their level: texture that is drowned by something else
_STANDS_OUT = 6.0  # (this x second difference)^2 = 100 x the variance of a texture of single pixels


class Side:
    """The pixels of an image as rows of a common pitch, and what is known of its windows.

    Attributes
    ----------
    level, scale : float
        What is taken off each pixel, and what the rest is multiplied by.
    scaled : ndarray, (K, n)
        The pixels after that, float32 until `widen`.
    moments : ndarray, (2, m)
        Mean and variance of each window over all frames, float64.
    none : ndarray, (m,)
        1 where a window has no texture.
    lossy : bool
        Whether sums in float32 would lose texture.
    """

    def __init__(
        self, pixels: Real, raw: Real, search: Search, pitch: int, height: int, width: int
    ) -> None:
        self._pixels, self._pitch = _with_whole_rows(pixels), pitch
        self.spoilt = np.zeros((0, 0), np.uint8)
        self.level, distance, texture = levels_of(self._pixels)
        scale = 1 / (distance or self._nearest_other())
        self.scale = scale if 0 < scale < np.inf else 1.0
        frames, rows, _ = pixels.shape
        n = rows * pitch + 2 * WIDTH
        self.scaled: Real = aligned((frames, n), np.float32)
        self._total = aligned((2, n), np.float64)
        if not self.scale_to(self.scaled):
            self.spoilt = np.logical_not(np.isfinite(pixels).all(axis=0)).astype(np.uint8)
        self.moments = aligned((2, height * pitch), np.float64)
        wy, wx = search.weights
        line = np.zeros(pitch + wx.size + WIDTH)
        least, most = prepare.moments(
            self._total, pitch, wy, wx, height, width, line, self.moments
        )  # fmt: skip
        coarse = _too_little(most, self._total[1].max(), rows, search.window)
        rounding = (ROUNDING * self.level * self.scale) ** 2
        self.none = np.zeros(height * pitch, np.uint8)
        near = least <= max(coarse, rounding)
        self.lossy = coarse > (_STANDS_OUT * texture * self.scale) ** 2
        if near:
            mean, variance = self.moments.reshape(2, height, pitch)[:, :, :width]
            flat, lossy, near = _survey(mean, variance, rounding, coarse)
            self.lossy |= lossy
            self.none.reshape(height, pitch)[:, :width] = flat
        if near or raw is not pixels:
            raw = np.ascontiguousarray(raw, dtype=np.float64)
            prepare.constant_windows(raw, wy.size, wx.size, pitch, self.none)

    def scale_to(self, out: Real, factor: float = 1.0) -> bool:
        """Write (pixels - level) * scale * factor as rows, 0 where not finite; return whether all are."""
        strange = np.zeros(WIDTH)
        prepare.scale_frames(
            *_flat(self._pixels), self.level, self.scale, factor, self._pitch, out, self._total, strange
        )  # fmt: skip
        return not strange.any()

    def widen(self) -> None:
        """Hold the scaled pixels in float64."""
        self.scaled = aligned(self.scaled.shape, np.float64)
        self.scale_to(self.scaled)

    def _nearest_other(self) -> float:
        """Return the least distance from the level of a pixel that differs from it; 1 when all are equal."""
        others = np.abs(self._pixels - self.level)
        wanted = np.isfinite(others) & (others > 0)
        nearest = float(np.min(others, where=wanted, initial=np.inf))
        return nearest if np.isfinite(nearest) else 1.0


class _Levels(NamedTuple):
    """What some of a tile's pixels tell: a level near them, how far they are from it, their finest texture."""

    level: float
    distance: float
    texture: float


@np.errstate(invalid="ignore")  # differences of infinities, which are no texture
def levels_of(pixels: Real) -> _Levels:
    """Return the levels of (K, h, w) from some hundred finite pixels.

    Subtracting a level near the pixels keeps products exact enough: the mean of those that are not far from
    the mean, because one hot pixel must not move it. Where the texture is far finer than the pixels' spread
    (a detector's gap, a bright half, a steep ramp), the level lies amid the finest texture.
    """
    frames, rows, columns = pixels.shape
    # Whole lines: single pixels all over a tile take five times as long.
    lines = max(1, _PROBES // columns)
    probe = pixels[:: -(-frames // lines), :: max(1, rows * frames // lines)].astype(np.float64)
    fine = np.abs(probe[..., 2:] + probe[..., :-2] - 2 * probe[..., 1:-1]).ravel()
    centres, probe = probe[..., 1:-1], probe.ravel()
    level = np.add.reduce(probe) / probe.size  # its own `mean` takes three times as long
    if not np.isfinite(level):
        probe = probe[np.isfinite(probe)]
        if probe.size == 0:
            return _Levels(0.0, 1.0, np.inf)
        level = np.add.reduce(probe) / probe.size
    away = np.abs(probe - level)
    near = probe[away <= 3 * np.add.reduce(away) / away.size]
    level = np.add.reduce(near) / near.size
    distance = np.add.reduce(np.abs(near - level)) / near.size
    textured = fine > 1e-14 * abs(level)  # more than the rounding of the pixels; never a NaN
    fine = fine[textured]
    if not fine.size:
        return _Levels(float(level), float(distance), np.inf)
    texture = _quantile(fine, 2)
    if texture < _FINE * distance:
        finest = centres.ravel()[textured][fine <= _quantile(fine, 16)]
        level = _quantile(finest, 2)
        distance = _quantile(np.abs(finest - level), 2) or texture
    return _Levels(float(level), float(distance), float(texture))


def _quantile(values: Float, share: int) -> float:
    """Return the value that one of `share` lies below."""
    at = values.size // share
    return float(np.partition(values, at)[at])


def _with_whole_rows(frames: Real) -> Real:
    """Return frames in float32 or float64 whose rows lie together, one after another."""
    kind = frames.dtype if frames.dtype in (np.float32, np.float64) else np.dtype(np.float64)
    size = frames.itemsize
    steps = all(step >= 0 and step % size == 0 for step in frames.strides)
    if frames.dtype == kind and frames.strides[2] == size and steps and frames.flags.aligned:
        return frames
    whole: Any = np.ascontiguousarray(frames, dtype=kind)  # of no one dtype for a type checker
    return cast("Real", whole)


def _flat(frames: Real) -> tuple[Real, int, int, int, int, int]:
    """Return frames as the kernels read them: flat memory, then K, rows, columns and the ways between them."""
    (count, rows, columns), size = frames.shape, frames.itemsize
    frame, row = frames.strides[0] // size, frames.strides[1] // size
    length = (count - 1) * frame + (rows - 1) * row + columns
    flat: Any = as_strided(frames, (length,), (size,))
    return flat, count, rows, columns, frame, row


def _survey(
    mean: Float, variance: Float, rounding: float, coarse: float
) -> tuple[NDArray[np.bool_], bool, bool]:
    """Return where windows have no texture, whether some have too little for float32 or may be constant.

    A window has none when its variance is no more than the rounding of the pixels themselves.
    """
    square = mean * mean
    flat = ~(variance > rounding + 1e-12 * square)
    near = ~(variance > rounding + 1e-10 * square)
    return flat, bool((~flat & (variance < coarse)).any()), bool(near.any())


def _too_little(energy: float, greatest: float, rows: int, window: tuple[int, int]) -> float:
    """Return the variance below which running sums in float32 would be wrong by 1e-4 of a score.

    Each step rounds by some 3.6e-8 of a column's sum, of mean square `energy`. Over all rows of a tile that is
    a random walk, which the columns of a window average; what one outstanding pixel, of square `greatest`,
    leaves behind is not averaged.
    """
    tall, wide = window
    limit: float = 3.6e-4 * (np.sqrt(rows / wide) * energy + greatest / (tall * wide))
    return limit
