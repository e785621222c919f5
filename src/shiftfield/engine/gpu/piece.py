"""One piece of a search on one device: which kernels run on it, in which order, with what.

A piece is a rectangle of output pixels whose frames lie on the device. Which piece, and when, is not decided
here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shiftfield.engine.base import Stop
from shiftfield.engine.gpu.device import Device, DeviceArray, Stream
from shiftfield.engine.gpu.layout import Layout
from shiftfield.peaks.fits import line_fit, surface_fit

_BLOCK = 256  # threads of the kernels that prepare: a power of 2
i4, i8, f8 = np.int32, np.int64, np.float64


@dataclass(frozen=True, slots=True)
class Stack:
    """Frames on the device, and the ways between frames, rows and columns in pixels.

    The first pixel is the first that the piece's first output reads, margin and window included.
    """

    pixels: DeviceArray
    frame: int
    row: int
    column: int = 1

    def turned(self) -> Stack:
        """Return the same frames with the axes exchanged."""
        return Stack(self.pixels, self.frame, self.column, self.row)


@dataclass(frozen=True, slots=True)
class Images:
    """Reference and sample of a piece, as they are compared and as they were before any normalisation."""

    reference: Stack
    sample: Stack
    raw_reference: Stack
    raw_sample: Stack

    def turned(self) -> Images:
        """Return the same images with the axes exchanged."""
        return Images(*(stack.turned() for stack in
                        (self.reference, self.sample, self.raw_reference, self.raw_sample)))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Target:
    """Where answers go: from the first wanted pixel of a piece on, and the ways between images, rows, columns."""

    pixels: DeviceArray
    image: int
    row: int
    column: int = 1

    def turned(self) -> Target:
        """Return the same place with the axes exchanged."""
        return Target(self.pixels, self.image, self.column, self.row)


class Launches:
    """The kernels of a search, on arrays of one device in the order of one stream."""

    def __init__(
        self, device: Device, layout: Layout, scratch: dict[str, DeviceArray], stream: Stream
    ) -> None:
        self.device, self.layout, self.scratch, self.stream = device, layout, scratch, stream
        search, (wy, wx) = layout.search, layout.search.weights
        real = np.float64 if layout.variant.itemsize == 8 else np.float32
        self.weights = device.constant(wy), device.constant(wx)
        self.real_weights = device.constant(wy.astype(real)), device.constant(wx.astype(real))
        self.fits: tuple[Any, Any] = None, None
        if search.peak != "diff":
            size = search.peak_size
            self.fits = device.constant(line_fit(size)), device.constant(surface_fit(size))

    def run(
        self, images: Images, tiles: int, offset: tuple[int, int], target: Target, *, is_turned: bool,
        stop: Stop,
    ) -> None:  # fmt: skip
        """Launch all that turns frames into answers for the first `tiles` tiles of the table in `scratch`.

        Parameters
        ----------
        images, target : turned as the search is.
        offset : row and column of the piece's first output in the whole image, turned likewise.
        """
        if not tiles:
            return
        search, layout = self.layout.search, self.layout
        (wy, wx), double = search.weights, layout.variant.itemsize == 8
        factor = (wy[0] * wx[0] if layout.variant.ring == 0 else 1.0) / search.frames
        (tall, wide), (ny, nx) = search.window, search.shifts
        rows_r, rows_s, places = layout.rows
        span, pitch = layout.variant.span, layout.pitch
        self._prepare("reference", images.reference, images.raw_reference, tiles, 1.0,
                      (tall + ny - 2, wide + nx - 2), (ny - 1, nx - 1), (rows_r, pitch, places))  # fmt: skip
        self._prepare("sample", images.sample, images.raw_sample, tiles, factor,
                      (tall - 1, wide - 1), (0, 0), (rows_s, span, layout.tile[0]))  # fmt: skip
        s = self.scratch
        if not double:
            self._launch("prepare.cu", "too_little_for_float", (-(-tiles // _BLOCK), 1), _BLOCK, 0, [
                s["reference_side"], s["sample_side"], i4(tiles), i4(rows_r), i4(rows_s), i4(tall), s["lossy"],
            ])  # fmt: skip
        if stop.is_set():
            return
        self._search(tiles, offset, wanted=int(double))
        if stop.is_set():
            return
        step, (cy, cx) = search.step, layout.kept
        self._launch("peaks.cu", "locate_peaks", (tiles, layout.tile[0]), 128, 0, [
            s["tiles"], s["lossy"], i4(double), i4(offset[0]), i4(offset[1]), i4(step), i4(is_turned),
            i4(layout.tile[0]), i4(tall), i4(ny), i4(nx), i4(cy), i4(cx), i4(search.peak_size),
            s["best"], s["index"], s["around"], *self.fits, s["reference_side"], s["sample_side"],
            s["reference_moments"], s["sample_moments"], i4(places), i4(pitch), s["sample_none"],
            s["reference_strange"], i4(rows_r), s["sample_strange"], i4(rows_s), f8(search.reference_mean),
            i8(target.image), i8(target.row), i8(target.column), target.pixels,
        ])  # fmt: skip

    def _prepare(
        self, side: str, pixels: Stack, raw: Stack, tiles: int, factor: float, beyond: tuple[int, int],
        shifts: tuple[int, int], sizes: tuple[int, int, int],
    ) -> None:  # fmt: skip
        """Scale frames, and make of them what the search reads; for one side."""
        s, search = self.scratch, self.layout.search
        rows, pitch, places = sizes
        ways, raw_ways = ([i8(n) for n in (x.frame, x.row, x.column)] for x in (pixels, raw))
        reach = [i4(n) for n in beyond]
        frames = i4(search.frames)
        self._launch("levels.cu", "levels", (tiles, 1), _BLOCK, 8 * _BLOCK, [
            pixels.pixels, frames, *ways, s["tiles"], *reach, s[side + "_side"],
        ])  # fmt: skip
        self._launch("prepare.cu", "scale_frames", (tiles, rows), _BLOCK, 0, [
            pixels.pixels, frames, *ways, s["tiles"], *reach, f8(factor), i4(rows), i4(pitch),
            s[side + "_side"], s[side], s["total"], s[side + "_strange"],
        ])  # fmt: skip
        self._launch("prepare.cu", "windows", (tiles, places), _BLOCK, 16 * pitch, [
            s["total"], i4(rows), i4(pitch), s["tiles"], i4(shifts[0]), i4(shifts[1]), *self.weights,
            i4(search.window[0]), raw.pixels, frames, *raw_ways, i4(side == "reference"), i4(places),
            s[side + "_side"], s[side + "_moments"], s[side + "_images"], s[side + "_none"],
        ])  # fmt: skip

    def _search(self, tiles: int, offset: tuple[int, int], *, wanted: int) -> None:
        layout, search, s = self.layout, self.layout.search, self.scratch
        (ny, nx), (cy, cx) = search.shifts, layout.kept
        rows_r, rows_s, places = layout.rows
        common = [s["tiles"], s["lossy"], i4(wanted), i4(offset[0]), i4(search.step)]
        arguments = [
            *common, s["reference"], i4(rows_r), i4(layout.pitch), s["sample"], i4(rows_s),
            i4(search.frames), s["reference_images"], i4(places), s["sample_images"], i4(layout.tile[0]),
            *self.real_weights, i4(search.window[0]), i4(ny), i4(nx), s.get("ring"), s["best"], s["index"],
        ]  # fmt: skip
        threads = 32 * layout.warps
        self._launch("search.cu", "search_best", (tiles, 1), threads, layout.shared, arguments)
        self._launch("search.cu", "runs_to_keep", (tiles, 1), _BLOCK, 4 * -(-layout.runs // 32), [
            *common, i4(layout.tile[0]), i4(ny), i4(nx), s["index"], i4(cy), i4(cx), i4(layout.runs), s["todo"],
        ])  # fmt: skip
        self._launch("search.cu", "search_kept", (tiles, 1), threads, layout.shared, [
            *arguments, i4(layout.runs), s["todo"], i4(cy), i4(cx), s["around"],
        ])  # fmt: skip

    def _launch(
        self, program: str, kernel: str, grid: tuple[int, int], threads: int, shared: int, arguments: list[Any]
    ) -> None:  # fmt: skip
        self.device.launch(
            self.layout.variant, program, kernel, grid, threads, shared, arguments, self.stream
        )
