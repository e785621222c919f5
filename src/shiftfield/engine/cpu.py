"""The CPU backend: one call computes one tile in compiled loops that hold no lock.

Which tile is computed when, and by which thread, is the business of `stream`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Answer, Block, Search, Tile
from shiftfield.engine.kernels import prepare, track
from shiftfield.engine.kernels.scores import (
    CODES,
    REFERENCE_IMAGES,
    SAMPLE_IMAGES,
    reference_images,
    sample_images,
)
from shiftfield.peaks import line_fit, surface_fit

# Measured, one core, us/px at 20 frames, window 7: 16x128 3.0, 16x256 2.7, 32x256 2.5, 32x512 2.8; one
# frame: 0.97, 0.76, 0.71, 0.68. Halos cost more than the second cache gives.
_ROWS, _COLUMNS = 32, 256
_WORKING_SET = 4_000_000  # bytes of frames of a tile
_PROBES = 1024  # pixels of a tile that its level is taken from
_KEPT = 16_000_000  # bytes of scores kept for the peak fit


class CpuBackend:
    """Numba kernels on one tile."""

    name = "cpu"

    def can_run(self, search: Search) -> str:  # noqa: ARG002 - the protocol's
        """Every search can run on the CPU."""
        return ""

    def tile_shape(self, search: Search) -> tuple[int, int]:
        """Return (rows, columns): tall enough for the window, small enough for the caches."""
        (ry, rx), (my, mx), (_, nx) = search.radius, search.margin, search.shifts
        rows, columns = max(_ROWS, 2 * (2 * ry + 1)), _COLUMNS
        while columns > 64 or rows > 8:
            pitch = columns + 2 * (rx + mx)
            frames = 4 * search.frames * pitch * (2 * rows + 4 * ry + 2 * my)
            kept = 4 * search.peak_size * nx * rows * pitch
            if frames <= _WORKING_SET and kept <= _KEPT:
                break
            if columns > 64 and columns >= 2 * rows:
                columns //= 2
            elif rows > 8:
                rows = max(8, rows // 2)
            else:
                break
        return rows, columns

    def run(self, search: Search, tile: Tile, block: Block) -> Answer:
        """Compute one tile: prepare in float64, try shifts in float32 unless texture would be lost."""
        return _TileRun(search, tile, block).answer()


class _TileRun:
    """The state of one tile while it is computed."""

    def __init__(self, search: Search, tile: Tile, block: Block) -> None:
        self.search, self.tile = search, tile
        self.method = CODES[search.method]
        self.height, self.width = tile.y1 - tile.y0, tile.x1 - tile.x0
        self.pitch = block.reference.shape[2]
        self.reference = np.ascontiguousarray(block.reference, dtype=np.float64)
        self.sample = np.ascontiguousarray(block.sample, dtype=np.float64)
        self.raw = (
            self.reference
            if block.raw_reference is block.reference
            else np.ascontiguousarray(block.raw_reference, dtype=np.float64),
            self.sample
            if block.raw_sample is block.sample
            else np.ascontiguousarray(block.raw_sample, dtype=np.float64),
        )
        self.level_r, self.scale_r = _level_and_scale(self.reference)
        self.level_s, self.scale_s = _level_and_scale(self.sample)

    def answer(self) -> Answer:
        search, tile = self.search, self.tile
        rows = _wanted(tile.y0, tile.y1, search.step)
        columns = _wanted(tile.x0, tile.x1, search.step)
        out = np.full((5, rows.size, columns.size), np.nan, dtype=np.float32)
        if rows.size and columns.size:
            self._fill(rows, columns, out)
        return Answer(*out)

    def _fill(
        self, rows: NDArray[np.intp], columns: NDArray[np.intp], out: NDArray[np.float32]
    ) -> None:
        search, pitch = self.search, self.pitch
        wy, wx = search.weights
        moments_r = prepare.moments(self.reference, self.level_r, self.scale_r, wy, wx, pitch)
        moments_s = prepare.moments(self.sample, self.level_s, self.scale_s, wy, wx, pitch)
        none_r = self._without_texture(self.raw[0], moments_r, self.level_r, self.scale_r)
        none_s = self._without_texture(self.raw[1], moments_s, self.level_s, self.scale_s)
        n = self.height * pitch
        ny, nx = search.shifts
        if self._needs_float64(moments_r, none_r, moments_s, none_s):
            kind: type[np.floating] = np.float64
        else:
            kind = np.float32
        boxed = bool(np.all(wy == wy[0]) and np.all(wx == wx[0]))
        factor = (wy[0] * wx[0] if boxed else 1.0) / search.frames
        reference = np.empty((search.frames, self.reference.shape[1] * pitch + pitch), kind)
        sample = np.empty((search.frames, self.sample.shape[1] * pitch), kind)
        spoilt = prepare.fill(self.reference, self.level_r, self.scale_r, 1.0, pitch, reference)
        if spoilt:
            tall, wide = wy.size + ny - 1, wx.size + nx - 1
            prepare.windows_with_spoilt(self.reference, tall, wide, pitch, none_s)
        if prepare.fill(self.sample, self.level_s, self.scale_s, factor, pitch, sample):
            prepare.windows_with_spoilt(self.sample, wy.size, wx.size, pitch, none_s)
        ref = np.zeros((REFERENCE_IMAGES, moments_r.shape[1]), kind)
        sam = np.zeros((SAMPLE_IMAGES, n), kind)
        level_r, level_s = self.level_r * self.scale_r, self.level_s * self.scale_s
        reference_images(self.method, moments_r[0], moments_r[1], level_r, none_r, ref)
        sample_images(self.method, moments_s[0, :n], level_s, sam)
        cy, cx = min(search.peak_size, ny), min(search.peak_size, nx)
        best = np.full(n, -np.inf, kind)
        index = np.full(n, -1, np.int32)
        around = np.zeros((n, cy, cx), kind)
        track.try_shifts(
            self.method, reference, sample, ref, sam, pitch, self.height,
            wy.astype(kind), wx.astype(kind), boxed, ny, nx, cy, cx, self.tile.y0, search.step,
            best, index, around,
        )  # fmt: skip
        track.answer(
            self.method, ref, sam, moments_s, moments_r, level_s, level_r,
            search.reference_mean * self.scale_r, self.scale_r / self.scale_s, pitch, ny, nx,
            search.peak_size, search.peak == "poly_fit", line_fit(search.peak_size),
            surface_fit(search.peak_size), best, index, around, none_s, rows, columns, out,
        )  # fmt: skip

    def _without_texture(
        self,
        raw: NDArray[np.float64],
        moments: NDArray[np.float64],
        level: float,
        scale: float,
    ) -> NDArray[np.uint8]:
        wy, wx = self.search.weights
        none = np.zeros(moments.shape[1], np.uint8)
        prepare.without_texture(moments[0], moments[1], level, scale, none)
        prepare.constant_windows(raw, wy.size, wx.size, self.pitch, none)
        return none

    def _needs_float64(
        self,
        moments_r: NDArray[np.float64],
        none_r: NDArray[np.uint8],
        moments_s: NDArray[np.float64],
        none_s: NDArray[np.uint8],
    ) -> bool:
        my, mx = self.search.margin
        height, width, pitch = self.height, self.width, self.pitch
        return bool(
            prepare.needs_float64(moments_s[0], moments_s[1], none_s, height, width, pitch)
            or prepare.needs_float64(
                moments_r[0], moments_r[1], none_r, height + 2 * my, width + 2 * mx, pitch
            )
        )


def _level_and_scale(block: NDArray[np.float64]) -> tuple[float, float]:
    """Return (median, 1 / mean distance from it) of about a thousand finite pixels of a block.

    Subtracting a level near the pixels keeps float32 products exact enough; the median, because one
    hot pixel must not move it. The scale keeps products of any input within float32's range.
    """
    flat = block.reshape(-1)
    probe = flat[:: max(1, flat.size // _PROBES)]
    probe = probe[np.isfinite(probe)]
    if probe.size == 0:
        return 0.0, 1.0
    level = float(np.median(probe))
    distance = float(np.mean(np.abs(probe - level)))
    if distance == 0:  # most pixels are equal: take the nearest of the others
        others = np.abs(flat - level)
        distance = float(np.min(others, where=np.isfinite(others) & (others > 0), initial=np.inf))
    scale = 1 / distance if distance > 0 else 1.0
    return level, scale if 0 < scale < np.inf else 1.0


def _wanted(start: int, stop: int, step: int) -> NDArray[np.intp]:
    """Return the positions within [start, stop), from start, whose absolute number is a multiple of step."""
    return np.arange(-start % step, stop - start, step, dtype=np.intp)
