"""How a search lies on a device: tiles, blocks, and the memory of a tile. No pixel, no device is touched.

All along the axis in which the kernels' lanes lie is called x here; a search along y alone is turned first.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine.base import MOST_THREADS, Search, cuts
from shiftfield.engine.gpu.device import Sizes
from shiftfield.engine.gpu.variant import LANES, METHODS, WIDEST, Variant, variant

_ROWS = 64  # of a tile, or as many as the window: those above and below it cost as much as its own
SIDE = np.dtype([("level", "f8"), ("scale", "f8"), ("texture", "f8"), ("energy", "u8"), ("greatest", "u8"),
                 ("least", "u8"), ("strange", "u8")])  # fmt: skip


def turned(search: Search) -> Search:
    """Return the search as the kernels run it: with the axes exchanged where shifts lie along y alone."""
    return search.turned() if search.upright else search


def refusal(search: Search) -> str:
    """Return why the kernels cannot run a search, or nothing."""
    if search.method not in METHODS:
        return f"its kernels do not know the method {search.method!r}"
    if search.partial:
        return "its kernels know no weights of pixels and no partial windows"
    wide = turned(search).window[1]
    if wide > WIDEST:
        return f"its kernels take windows of up to {WIDEST} px and this one is {wide} px wide"
    if max(search.shifts) > 2**15:
        return (
            f"its kernels try up to {2**15} shifts along an axis and these are {max(search.shifts)}"
        )
    return ""


@dataclass(frozen=True, slots=True)
class Layout:
    """A (turned) search with one variant of the kernels on one kind of device."""

    search: Search
    variant: Variant
    shared_limit: int
    threads: int = MOST_THREADS

    @property
    def tile(self) -> tuple[int, int]:
        """Largest tile (rows, columns): what the lanes span less the window's halo."""
        tall, wide = self.search.window
        return _ROWS * -(-tall // _ROWS), self.variant.span - wide + 1

    @property
    def runs(self) -> int:
        """Runs of shifts along x, over all rows of shifts."""
        ny, nx = self.search.shifts
        return ny * -(-nx // self.variant.run)

    @property
    def warps(self) -> int:
        """Warps of a block that searches: as few idle ones as can be, within its shared memory."""
        most = max(1, min(self.threads, MOST_THREADS) // LANES)
        if self.variant.ring == 1:
            most = max(1, min(most, self.shared_limit // (self._found + self._ring)))
        return min(range(1, most + 1), key=lambda n: (-(-self.runs // n) * max(n, 4), -n))

    @property
    def shared(self) -> int:
        """Bytes of shared memory of a block that searches."""
        return self.warps * (self._found + (self._ring if self.variant.ring == 1 else 0))

    @property
    def _found(self) -> int:
        return 2 * self.variant.span * (self.variant.itemsize + 4)

    @property
    def _ring(self) -> int:
        """Bytes of the rows of products that a warp keeps for a weighted window."""
        return self.search.window[0] * self.variant.run * self.variant.span * self.variant.itemsize

    @property
    def pitch(self) -> int:
        """Columns from row to row of the reference: the lanes', the shifts', and what packs read beyond."""
        run = self.variant.run
        return self.variant.span + -(-self.search.shifts[1] // run) * run + 4

    @property
    def rows(self) -> tuple[int, int, int]:
        """Rows of a tile's reference pixels, of its sample pixels, and of its reference windows."""
        height, tall, ny = self.tile[0], self.search.window[0], self.search.shifts[0]
        return height + tall + ny - 2, height + tall - 1, height + ny - 1

    @property
    def kept(self) -> tuple[int, int]:
        """Scores along (y, x) that are kept around a peak."""
        ny, nx = self.search.shifts
        return min(self.search.peak_size, ny), min(self.search.peak_size, nx)

    def scratch(self, tiles: int) -> Sizes:
        """Return what the kernels need for so many tiles."""
        real = np.float64 if self.variant.itemsize == 8 else np.float32
        frames, span, pitch = self.search.frames, self.variant.span, self.pitch
        rows_r, rows_s, places = self.rows
        height = self.tile[0]
        total = max(rows_r * pitch, rows_s * span)
        sizes: Sizes = {
            "tiles": ((tiles, 4), np.int32),
            "lossy": ((tiles,), np.uint8),
            "reference_side": ((tiles, SIDE.itemsize), np.uint8),
            "sample_side": ((tiles, SIDE.itemsize), np.uint8),
            "total": ((tiles, 2, total), np.float64),
            "reference": ((tiles, frames, rows_r, pitch), real),
            "sample": ((tiles, frames, rows_s, span), real),
            "reference_strange": ((tiles, rows_r, pitch), np.uint8),
            "sample_strange": ((tiles, rows_s, span), np.uint8),
            "reference_moments": ((tiles, 2, places, pitch), np.float64),
            "sample_moments": ((tiles, 2, height, span), np.float64),
            "reference_images": ((tiles, 4, places, pitch), real),
            "sample_images": ((tiles, 3, height, span), real),
            "reference_none": ((tiles, places, pitch), np.uint8),
            "sample_none": ((tiles, height, span), np.uint8),
            "best": ((tiles, height, span), real),
            "index": ((tiles, height, span), np.int32),
            "around": ((tiles, prod(self.kept), height, span), real),
            "todo": ((tiles, self.runs + 1), np.int32),
        }
        if self.variant.ring == 2:
            sizes["ring"] = ((tiles, self.warps, self._ring), np.uint8)
        return sizes

    def bytes_of_a_tile(self) -> int:
        """Return the memory that the kernels need for each tile."""
        return sum(
            prod(shape) * np.dtype(kind).itemsize for shape, kind in self.scratch(1).values()
        )

    def table(self, height: int, width: int, top: int, left: int) -> NDArray[np.int32]:
        """Return (n, 4) tiles (y, x, height, width) of a piece whose first output pixel is (top, left).

        Rows are cut at multiples of the tile of the whole image; tiles without a wanted pixel are left out.
        """
        step = self.search.step
        tiles = [
            (y0 - top, x0 - left, y1 - y0, x1 - x0)
            for y0, y1 in cuts(top, top + height, self.tile[0])
            for x0, x1 in cuts(left, left + width, self.tile[1])
            if -y0 % step < y1 - y0 and -x0 % step < x1 - x0
        ]
        return np.array(tiles, dtype=np.int32).reshape(-1, 4)


def layout(
    search: Search, pixel: str, raw: str, shared_limit: int, *, double: bool = False, threads: int = MOST_THREADS
) -> Layout:  # fmt: skip
    """Return the layout of a search that is turned, if it must be, for pixels of these dtypes."""
    ring = 0 if search.is_box and not double else 1
    found = Layout(
        search, variant(search, pixel, raw, ring=ring, double=double), shared_limit, threads
    )
    if ring and found.shared > shared_limit:
        other = variant(search, pixel, raw, ring=2, double=double)
        found = Layout(search, other, shared_limit, threads)
    return found
