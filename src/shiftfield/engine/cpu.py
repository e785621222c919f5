"""The CPU backend: one call computes one tile in compiled loops that hold no lock.

Which tile is computed when, and by which thread, is the business of `stream`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine import weighted
from shiftfield.engine.base import Answer, Block, Real, Search, Stop, Tile
from shiftfield.engine.images import (
    lowest_score,
    reference_images,
    sample_factor,
    sample_images,
    shape_of,
    transmission_and_dark_field,
)
from shiftfield.engine.kernels import prepare, track
from shiftfield.engine.kernels.lanes import WIDTH, aligned
from shiftfield.engine.kernels.scores import SQUARE
from shiftfield.engine.marks import marked, ratio
from shiftfield.engine.side import Side
from shiftfield.peaks.fits import refine
from shiftfield.peaks.locate import first_of_window

Float = NDArray[np.float64]

# Halos cost more than the second cache gives.
_ROWS, _COLUMNS = 64, 256
_WORKING_SET = 4_000_000  # bytes of frames of a tile
_KEPT = 16_000_000  # bytes of scores kept for the peak fit


class CpuBackend:
    """Numba kernels on one tile."""

    name = "cpu"

    def can_run(self, search: Search) -> str:  # noqa: ARG002 - the protocol's
        """Every search can run on the CPU."""
        return ""

    def tile_shape(self, search: Search) -> tuple[int, int]:
        """Return (rows, columns): tall enough for the window, small enough for the caches."""
        (ry, rx), (my, mx), (ny, nx) = search.radius, search.margin, search.shifts
        rows, columns = max(_ROWS, 2 * (2 * ry + 1)), _COLUMNS
        # With few shifts a tile must be worth its preparation; a taller one would make bands taller.
        if ny == 1:
            columns *= 4
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

    def run(self, search: Search, tile: Tile, block: Block, stop: Stop) -> Answer:
        """Compute one tile: prepare in float64, try shifts in float32 unless texture would be lost."""
        if block.weights is not None:
            return weighted.run(search, tile, block, stop, self.run)
        if not search.upright:
            found = _TileRun(search, tile, block, stop)
            answer = Answer.of(list(found.answer()))
            if search.quality and not stop.is_set():
                answer = marked(search, tile, block, replace(answer, second_peak=found.second))
            if block.around is None or stop.is_set():
                return answer
            from shiftfield.engine.refinement import refined  # with SciPy's filters

            return refined(search, tile, block, answer, stop)
        turned = Tile(tile.x0, tile.x1, tile.y0, tile.y1)
        ref, sam, raw_ref, raw_sam = map(
            _turn, (block.reference, block.sample, block.raw_reference, block.raw_sample)
        )
        if block.raw_reference is block.reference:
            raw_ref, raw_sam = ref, sam
        x, y, *others = _TileRun(
            search.turned(), turned, Block(ref, sam, raw_ref, raw_sam), stop
        ).answer()
        return Answer.of([image.T for image in (y, x, *others)])


def _weights(search: Search, kind: type[np.floating]) -> tuple[tuple[Any, Any], float]:
    """Return the window's weights along (y, x) for the loops, and the sample's factor.

    Equal weights are but a factor. In float64 each window's rows are summed anew even so: with a running sum
    something would stay behind of a pixel that has left it.
    """
    wy, wx = search.weights
    if not search.is_box:
        return (wy.astype(kind), wx.astype(kind)), 1.0
    return (np.ones(wy.size) if kind is np.float64 else None, None), float(wy[0] * wx[0])


def _turn(frames: Real) -> Real:
    """Return frames with the axes exchanged; copied before, for rows a power of 2 apart collide in the caches."""
    turned: Any = np.ascontiguousarray(frames).transpose(0, 2, 1)
    return cast("Real", turned)


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

    def __init__(self, search: Search, tile: Tile, block: Block, stop: Stop) -> None:
        self.search, self.tile, self.stop = search, tile, stop
        self.method, self.shape = search.method, shape_of(search.method)
        self.height, self.width = tile.y1 - tile.y0, tile.x1 - tile.x0
        self.pitch = -(-block.reference.shape[2] // WIDTH) * WIDTH
        (my, mx), size = search.margin, (self.height, self.width)
        self.ref = Side(
            block.reference, block.raw_reference, search, self.pitch, size[0] + 2 * my, size[1] + 2 * mx
        )  # fmt: skip
        self.sam = Side(block.sample, block.raw_sample, search, self.pitch, *size)
        self._leave_out_spoilt()

    def answer(self) -> NDArray[np.float32]:
        """Return (x, y, score, T, V) of the wanted pixels of the tile, NaN where unknown."""
        tile, step = self.tile, self.search.step
        wanted = slice(-tile.y0 % step, self.height, step), slice(-tile.x0 % step, self.width, step)
        shape = len(range(self.height)[wanted[0]]), len(range(self.width)[wanted[1]])
        out = np.full((5, *shape), np.nan, dtype=np.float32)
        self.second = out[2]
        if out.size:
            self._prepare()
            found = self._try_shifts()
            self._read(found, wanted, out.reshape(5, -1))
            if self.search.quality:
                self.second = self._second_peak(found, out[2], wanted)
        return out

    def _prepare(self) -> None:
        """Make the images that the loops read."""
        search, ref, sam = self.search, self.ref, self.sam
        kind = np.float64 if ref.lossy or sam.lossy else np.float32
        self.weights, weight = _weights(search, kind)
        factor = weight / search.frames
        if kind is np.float64:
            ref.widen()
            sam.widen()
        sam.scale_to(sam.scaled, factor)
        method, level_r, level_s = self.method, ref.level * ref.scale, sam.level * sam.scale
        self.images = (
            reference_images(
                method, ref.moments, level_r, ref.none, kind, gain=sam.scale / ref.scale
            ),
            sample_images(method, sam.moments, level_s, kind),
        )

    def _try_shifts(self, away: Any = None) -> _Found:
        """Find the best shift of each pixel and what is around it; with `away` the best of some shifts, alone."""
        search, pitch, ref, sam = self.search, self.pitch, self.ref, self.sam
        (ny, nx), (reference, sample) = search.shifts, self.images
        kind = reference.dtype.type
        cy, cx = (min(search.peak_size, n) if away is None else 1 for n in (ny, nx))
        n = self.height * pitch
        best, index = aligned(n, kind), aligned(n, np.int32)
        best[:], index[:] = -np.inf, -1
        around = aligned((cy, cx, n), kind)
        track.try_shifts(
            self.shape, ref.scaled, sam.scaled, reference, sample, pitch, self.height, self.width,
            *search.window, *self.weights, ny, nx, cy, cx, self.tile.y0, search.step,
            track.workspace(kind, pitch, self.height, self.width, search.window, nx, cy),
            best, index, around.reshape(-1), self.stop.flag, away,
        )  # fmt: skip
        return _Found(reference, sample, best, index, around)

    @np.errstate(all="ignore")  # windows without texture, which are NaN in the end
    def _read(self, found: _Found, wanted: tuple[slice, slice], out: NDArray[np.float32]) -> None:
        """Write (x, y, score, T, V) of the wanted pixels into out (5, m), where there is an answer."""

        def cut(images: NDArray[Any]) -> NDArray[Any]:
            return images.reshape(*images.shape[:-1], self.height, self.pitch)[..., *wanted]

        search, method = self.search, self.method
        (ny, nx), size = search.shifts, search.peak_size
        cy, cx, _ = found.around.shape
        index, factor = cut(found.index).ravel(), cut(sample_factor(method, self.sam.moments[1]))
        known = (index >= 0) & (cut(self.sam.none).ravel() == 0)
        py, px = _divided(np.maximum(index, 0), nx)
        top, left = first_of_window(py, ny, cy), first_of_window(px, nx, cx)
        y, x = py - top, px - left
        fits = (ny == 1 or ny >= size) and (nx == 1 or nx >= size)
        inner_y, inner_x = fits & (py > 0) & (py < ny - 1), fits & (px > 0) & (px < nx - 1)
        around = cut(found.around)
        scores = ((np.abs(around) if self.shape == SQUARE else around) * factor).reshape(cy, cx, -1)
        if self.ref.none.any():
            lowest = lowest_score(method, cut(found.sample).reshape(3, -1), factor.ravel())
            scores = np.where(np.isnan(scores), lowest, scores)
        dx, dy = refine(scores, x, y, inner_x, inner_y, search.peak)
        out[0], out[1] = px + (dx - nx // 2), py + (dy - ny // 2)
        out[2] = (cut(found.best) * factor).ravel()
        if search.known > 3:
            at = cut(np.arange(self.height * self.pitch)).ravel()
            ry, rx = (np.rint(peak).astype(np.intp) for peak in (y + dy, x + dx))
            ry, rx = np.clip(ry, 0, cy - 1), np.clip(rx, 0, cx - 1)
            there = at + (top + ry) * self.pitch + left + rx
            t, v = self._transmission_and_dark_field(found.around[ry, rx, at], at, there)
            out[3] = t
            if search.known > 4:
                out[4] = v
            known &= np.isfinite(t + v)
        if not known.all():
            out[:, ~known] = np.nan

    @np.errstate(all="ignore")  # windows without texture, which are NaN in the end
    def _second_peak(
        self, found: _Found, score: NDArray[np.float32], wanted: tuple[slice, slice]
    ) -> NDArray[np.float32]:
        """Return the best score away from the best shift over the score itself, of the wanted pixels."""
        search, kind, (ny, nx) = self.search, found.reference.dtype.type, self.search.shifts
        rows, columns = (aligned(found.index.size, kind) for _ in range(2))
        rows[:], columns[:] = _divided(np.maximum(found.index, 0), nx)
        numbers = np.arange(max(ny, nx), dtype=kind)
        limits = np.array([(search.apart + 0.5) ** 2, -np.inf], kind)
        best = self._try_shifts((rows, columns, numbers, limits)).best
        second = best * sample_factor(self.method, self.sam.moments[1])
        second = second.reshape(self.height, self.pitch)[wanted]
        return ratio(search.method, score, second).astype(np.float32)

    def _transmission_and_dark_field(
        self, kept: Real, at: NDArray[np.intp], there: NDArray[np.intp]
    ) -> tuple[Float, Float]:
        """Return |T| and |V| of the pixels `at` from what was kept of their scores with windows `there`."""
        ref, sam = self.ref, self.sam
        t, v = transmission_and_dark_field(
            self.method, kept.astype(np.float64), ref.moments[0, there] + ref.level * ref.scale,
            ref.moments[1, there], sam.moments[0, at] + sam.level * sam.scale,
            self.search.reference_mean * ref.scale,
        )  # fmt: skip
        return t * (ref.scale / sam.scale), v

    def _leave_out_spoilt(self) -> None:
        """No answer where a window of the sample, or one in reach in the reference, holds no number."""
        (tall, wide), (ny, nx), none = self.search.window, self.search.shifts, self.sam.none
        if self.sam.spoilt.size:
            prepare.windows_with_spoilt(self.sam.spoilt, tall, wide, self.pitch, none)
        if self.ref.spoilt.size:
            tall, wide = tall + ny - 1, wide + nx - 1
            prepare.windows_with_spoilt(self.ref.spoilt, tall, wide, self.pitch, none)


def _divided(index: NDArray[np.int32], by: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return quotient and remainder; NumPy's divmod takes ten times as long."""
    quotient = index // np.int32(by)
    return quotient, index - quotient * np.int32(by)
