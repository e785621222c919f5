"""The CPU backend: one call computes one tile in compiled loops that hold no lock.

Which tile is computed when, and by which thread, is the business of `stream`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import Answer, Block, Real, Search, Tile
from shiftfield.engine.images import (
    lowest_score,
    reference_images,
    sample_factor,
    sample_images,
    transmission_and_dark_field,
)
from shiftfield.engine.kernels import prepare, track
from shiftfield.engine.kernels.lanes import WIDTH
from shiftfield.engine.kernels.scores import CODES, PEARSON, UMPA, scores_around
from shiftfield.fits import refine
from shiftfield.peaks import first_of_window

Float = NDArray[np.float64]

# Halos cost more than the second cache gives.
_ROWS, _COLUMNS = 32, 256
_WORKING_SET = 4_000_000  # bytes of frames of a tile
_PROBES = 512  # pixels of a tile that its level is taken from
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
        # Few shifts: a tile must be worth its preparation.
        wide = _COLUMNS if search.shifts[0] > 1 else 4 * _COLUMNS
        rows, columns = max(_ROWS, 2 * (2 * ry + 1)), wide
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


class _Side:
    """One image of a tile: its pixels as flat rows, their windowed moments, its windows without an answer."""

    def __init__(
        self, pixels: Real, raw: Real, search: Search, pitch: int, height: int, width: int
    ) -> None:
        self.pitch, self.spoilt = pitch, np.zeros((0, 0), np.uint8)
        frames, rows, columns = pixels.shape
        n = rows * pitch + 2 * WIDTH
        self.frames = np.zeros((frames, n))
        inside = self.frames[:, : rows * pitch].reshape(frames, rows, pitch)
        inside[:, :, :columns] = pixels
        self.level, self.scale = _level_and_scale(inside[:, :, :columns])
        inside[:, :, columns:] = self.level
        self.scaled = np.empty((frames, n), np.float32)
        self._total = np.empty((2, n))
        self.scale_to(self.scaled)
        if not np.isfinite(self._total[1].sum()):
            self._replace_spoilt(pixels)
        self.moments = np.empty((2, height * pitch))
        wy, wx = search.weights
        line = np.zeros(pitch + wx.size + WIDTH)
        prepare.moments(self._total, pitch, wy, wx, height, line, self.moments)
        self.none, self.lossy, near = _survey(self.moments, self.level * self.scale, pitch, width)
        if near or raw is not pixels:
            raw = np.ascontiguousarray(raw, dtype=np.float64)
            prepare.constant_windows(raw, wy.size, wx.size, pitch, self.none)

    def scale_to(self, out: Real, factor: float = 1.0) -> None:
        """Write (pixels - level) * scale * factor as rows."""
        prepare.scale_frames(self.frames, self.level, self.scale, factor, out, self._total)

    def _replace_spoilt(self, pixels: Real) -> None:
        """Put the level where a pixel is not finite, and keep where that was."""
        self.spoilt = np.logical_not(np.isfinite(pixels).all(axis=0)).astype(np.uint8)
        self.frames[~np.isfinite(self.frames)] = self.level
        self.scale_to(self.scaled)


@dataclass(frozen=True, slots=True)
class _Found:
    """What the loops read of reference and sample, and what they found for each pixel of a tile."""

    reference: Real
    sample: Real
    best: Real
    index: NDArray[np.int32]
    around: NDArray[Any]


class _TileRun:
    """The state of one tile while it is computed."""

    def __init__(self, search: Search, tile: Tile, block: Block) -> None:
        self.search, self.tile = search, tile
        self.method = CODES[search.method]
        self.height, self.width = tile.y1 - tile.y0, tile.x1 - tile.x0
        self.pitch = -(-block.reference.shape[2] // WIDTH) * WIDTH
        (my, mx), size = search.margin, (self.height, self.width)
        self.ref = _Side(
            block.reference, block.raw_reference, search, self.pitch, size[0] + 2 * my, size[1] + 2 * mx
        )  # fmt: skip
        self.sam = _Side(block.sample, block.raw_sample, search, self.pitch, *size)

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
        search, pitch, ref, sam = self.search, self.pitch, self.ref, self.sam
        wy, wx = search.weights
        ny, nx = search.shifts
        self._leave_out_spoilt()
        boxed = bool(np.all(wy == wy[0]) and np.all(wx == wx[0]))
        factor = (wy[0] * wx[0] if boxed else 1.0) / search.frames
        kind = np.float64 if ref.lossy or sam.lossy else np.float32
        if kind is np.float64:
            ref.scaled = np.empty(ref.scaled.shape)
            ref.scale_to(ref.scaled)
            sam.scaled = np.empty(sam.scaled.shape)
        sam.scale_to(sam.scaled, factor)
        method, level_r, level_s = self.method, ref.level * ref.scale, sam.level * sam.scale
        reference = reference_images(method, ref.moments, level_r, ref.none, kind)
        sample = sample_images(method, sam.moments, level_s, kind)
        cy, cx = min(search.peak_size, ny), min(search.peak_size, nx)
        n = self.height * pitch
        found = _Found(
            reference,
            sample,
            best=np.full(n, -np.inf, kind),
            index=np.full(n, -1, np.int32),
            around=np.empty((n, cy, cx), kind),
        )
        track.try_shifts(
            method, ref.scaled, sam.scaled, reference, sample, pitch, self.height, self.width,
            wy.astype(kind), wx.astype(kind), boxed, ny, nx, cy, cx, self.tile.y0, search.step,
            track.workspace(kind, pitch, self.height, self.width, search.window, nx, cy),
            found.best, found.index, found.around,
        )  # fmt: skip
        self._write(found, (rows[:, None] * pitch + columns).ravel(), out.reshape(5, -1))

    def _write(self, found: _Found, at: NDArray[np.intp], out: NDArray[np.float32]) -> None:
        """Write (x, y, score, T, V) of the pixels `at` into out (5, m), where there is an answer."""
        search, method, pitch = self.search, self.method, self.pitch
        (ny, nx), size = search.shifts, search.peak_size
        _, cy, cx = found.around.shape
        known = np.flatnonzero((found.best[at] > -np.inf) & (self.sam.none[at] == 0))
        at = at[known]
        py, px = np.divmod(found.index[at], nx)
        top, left = first_of_window(py, ny, cy), first_of_window(px, nx, cx)
        corner = at + top * pitch + left
        factor = sample_factor(method, self.sam.moments[1, at])
        scores = self._scores_around(found, at, corner, factor)
        y, x = py - top, px - left
        fits = (ny == 1 or ny >= size) and (nx == 1 or nx >= size)
        inner_y, inner_x = fits & (py > 0) & (py < ny - 1), fits & (px > 0) & (px < nx - 1)
        dx, dy = refine(scores, x, y, inner_x, inner_y, search.peak)
        place: slice | NDArray[np.intp] = slice(None) if at.size == out.shape[1] else known
        out[0, place], out[1, place] = px + dx - nx // 2, py + dy - ny // 2
        out[2, place] = found.best[at] * factor
        if method != PEARSON:
            ry, rx = (np.rint(peak).astype(np.intp) for peak in (y + dy, x + dx))
            ry, rx = np.clip(ry, 0, cy - 1), np.clip(rx, 0, cx - 1)
            t, v = self._transmission_and_dark_field(
                found.around[at, ry, rx], at, corner + ry * pitch + rx
            )
            out[3, place] = t
            if method != UMPA:
                out[4, place] = v
            out[:, known[~np.isfinite(t + v)]] = np.nan

    def _scores_around(
        self, found: _Found, at: NDArray[np.intp], corner: NDArray[np.intp], factor: Float
    ) -> Float:
        """Return the scores (cy, cx, m) around the best shift of each pixel."""
        scores = np.empty((*found.around.shape[1:], at.size))
        scores_around(
            self.method, found.reference, found.sample, at, corner, self.pitch, found.around, scores
        )
        scores *= factor
        if self.ref.none.any():
            lowest = lowest_score(self.method, found.sample, factor, at)
            scores = np.where(np.isnan(scores), lowest, scores)
        return scores

    def _transmission_and_dark_field(
        self, c: Real, at: NDArray[np.intp], there: NDArray[np.intp]
    ) -> tuple[Float, Float]:
        """Return |T| and |V| of the pixels `at` from their covariances with the windows `there`."""
        ref, sam = self.ref, self.sam
        t, v = transmission_and_dark_field(
            self.method, c.astype(np.float64), ref.moments[0, there] + ref.level * ref.scale,
            ref.moments[1, there], sam.moments[0, at] + sam.level * sam.scale,
            self.search.reference_mean * ref.scale,
        )  # fmt: skip
        return np.abs(t * (ref.scale / sam.scale)), np.abs(v)

    def _leave_out_spoilt(self) -> None:
        """No answer where a window of the sample, or one in reach in the reference, holds no number."""
        (tall, wide), (ny, nx), none = self.search.window, self.search.shifts, self.sam.none
        if self.sam.spoilt.size:
            prepare.windows_with_spoilt(self.sam.spoilt, tall, wide, self.pitch, none)
        if self.ref.spoilt.size:
            tall, wide = tall + ny - 1, wide + nx - 1
            prepare.windows_with_spoilt(self.ref.spoilt, tall, wide, self.pitch, none)


def _survey(
    moments: Float, level: float, pitch: int, width: int
) -> tuple[NDArray[np.uint8], bool, bool]:
    """Return where windows have no texture, whether float32 is too coarse, whether some may be constant.

    A window has none when its variance is no more than the rounding of the pixels themselves. Float32 sums
    lose texture beside its distance from the tile's level: the covariance carries rounding of about
    6e-8 mean^2; at variance 5e-4 mean^2 that is 1e-4 of a score.
    """
    none = np.zeros(moments.shape[1], np.uint8)
    mean, variance = (image.reshape(-1, pitch)[:, :width] for image in moments)
    square = mean * mean
    rounding = (64 * np.finfo(np.float64).eps * level) ** 2
    square *= 5e-4
    if (variance - square).min() > rounding:
        return none, False, False
    square /= 5e-4
    flat = ~(variance > rounding + 1e-14 * square)
    none.reshape(-1, pitch)[:, :width] = flat
    lossy = bool((~flat & (variance < 5e-4 * square)).any())
    return none, lossy, bool((~(variance > rounding + 1e-10 * square)).any())


def _level_and_scale(block: Float) -> tuple[float, float]:
    """Return (median, 1 / mean distance from it) of some hundred finite pixels of a block.

    Subtracting a level near the pixels keeps float32 products exact enough; the median, because one
    hot pixel must not move it. The scale keeps products of any input within float32's range.
    """
    apart = max(1, int(np.sqrt(block.size / _PROBES)))
    probe = block[:, ::apart, ::apart].reshape(-1)
    probe = probe[np.isfinite(probe)]
    if probe.size == 0:
        return 0.0, 1.0
    level = float(np.partition(probe, probe.size // 2)[probe.size // 2])
    distance = float(np.abs(probe - level).mean())
    if distance == 0:  # most pixels are equal: take the nearest of the others
        others = np.abs(block - level)
        distance = float(np.min(others, where=np.isfinite(others) & (others > 0), initial=np.inf))
    scale = 1 / distance if distance > 0 else 1.0
    return level, scale if 0 < scale < np.inf else 1.0


def _wanted(start: int, stop: int, step: int) -> NDArray[np.intp]:
    """Return the positions within [start, stop), from start, whose absolute number is a multiple of step."""
    return np.arange(-start % step, stop - start, step, dtype=np.intp)
