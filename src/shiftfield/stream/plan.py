"""`Plan`: what will run, decided before any pixel is read: search, backend, tiles, bands, threads.

Tiles lie on a grid that is fixed to the image, so neither chunks nor threads nor memory change a result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from shiftfield import machine
from shiftfield.engine import MOST_THREADS, Search, Tile, backend
from shiftfield.engine.base import cuts

_DEFAULT = 200_000_000  # bytes that the bands in work may take, where nobody says
_GPU_DEFAULT = 2_000_000_000  # the same for a GPU, which wants many tiles at once
_FREE = 4  # of what is free, one part
# Bytes a pixel: of a tile (moments, images that the scores read, the best score); of a frame of it (floats,
# scaled); the same while it is normalised; and more where it has weights (they, and what is multiplied).
_OF_A_PIXEL, _AS_GIVEN, _NORMALISED, _WEIGHTED = 100, 8, 16, 100
_ROWS = 512  # of a band that is no copy


class MemoryNeededError(ValueError):
    """The memory that is allowed holds no row of tiles; `need` bytes do."""

    def __init__(self, memory: str | int, need: int, what: str) -> None:
        super().__init__(
            f"memory is {memory!r}; this search needs at least {ceil(need / 1e5) / 10:.1f} MB {what}."
        )
        self.need = need


@dataclass(frozen=True, slots=True)
class Plan:
    """One search over one image, resolved; `print(plan)` says what will happen and why."""

    search: Search
    shape: tuple[int, int]
    backend: str
    tile: tuple[int, int]
    band_rows: int
    workers: int
    notes: tuple[str, ...] = ()
    memory: int | None = None
    threads: int = MOST_THREADS
    bytes_of_a_row: int = 0
    # least and greatest along y, 0 included, where searches have some
    starts: tuple[int, int] | None = None

    @property
    def band_bytes(self) -> int:
        """Bytes of the bands that are held at once, as they are read and as they are computed with."""
        rows = min(self.band_rows + 2 * self.search.reach[0] + _span(self.starts), self.shape[0])
        return rows * self.bytes_of_a_row

    def reach(self, y0: int, y1: int) -> tuple[int, int]:
        """Return the rows [a, b) that the output rows [y0, y1) read."""
        more, (least, greatest) = self.search.reach[0] + self.search.around, self.starts or (0, 0)
        return max(y0 - more + least, 0), min(y1 + more + greatest, self.shape[0])

    @property
    def border(self) -> tuple[int, int]:
        """Pixels at each border along (y, x) that no tile covers."""
        inside = self.starts is not None and not self.search.beyond
        return self.search.radius if inside else self.search.edge

    @property
    def output_shape(self) -> tuple[int, int]:
        """Shape of the answer: every step-th pixel."""
        step = self.search.step
        return -(-self.shape[0] // step), -(-self.shape[1] // step)

    def bands(self) -> Iterator[tuple[int, int]]:
        """Yield the output rows [y0, y1) of each band, whole tiles high."""
        (ey, _), (height, _) = self.border, self.shape
        yield from cuts(ey, height - ey, self.band_rows)

    def tiles(self, y0: int, y1: int) -> Iterator[Tile]:
        """Yield the tiles of the output rows [y0, y1) that hold a wanted pixel."""
        (_, ex), (_, width), step = self.border, self.shape, self.search.step
        for top, bottom in cuts(y0, y1, self.tile[0]):
            for left, right in cuts(ex, width - ex, self.tile[1]):
                if -top % step < bottom - top and -left % step < right - left:
                    yield Tile(top, bottom, left, right)

    def count(self) -> int:
        """Return the number of tiles."""
        return sum(1 for band in self.bands() for _ in self.tiles(*band))

    def __str__(self) -> str:
        s = self.search
        what = (
            f"{s.method}: window {s.window[0]} x {s.window[1]} px, shifts {s.shifts[0]} x {s.shifts[1]}, "
            f"{s.frames} frame(s) of {self.shape[0]} x {self.shape[1]} px, step {s.step} px"
        )
        how = (
            f"{self.backend}: {self.count()} tiles of up to {self.tile[0]} x "
            f"{min(self.tile[1], self.shape[1])} px, "
            f"bands of {self.band_rows} rows, {self.workers} thread(s)"
        )
        return "\n".join([what, how, *self.notes])


def make_plan(
    search: Search,
    shape: tuple[int, int],
    *,
    backend_name: str,
    bytes_of_a_row: int = 0,
    normalised: bool = False,
    workers: int | None = None,
    chunk_rows: int | None = None,
    memory: str | int | None = None,
    threads: int = MOST_THREADS,
    notes: tuple[str, ...] = (),
    starts: tuple[int, int] | None = None,
) -> Plan:
    """Resolve a search into a plan.

    `bytes_of_a_row` is what a row of a band costs, bytes; 0 when bands are no copies. `normalised` says that
    tiles normalise what they cut of a band. `threads` is the most that a block on a GPU may have.

    Raises
    ------
    ValueError
        When the image is smaller than window + 2 margin, or `memory` cannot hold one row of tiles.
    """
    check_size(shape, search.window, search.margin)
    tile = backend(backend_name).tile_shape(search)
    on_gpu = backend_name in ("gpu", "hybrid")
    whole = -(-shape[0] // tile[0]) * tile[0]  # rows of all tiles
    cores = workers or machine.available_cores()
    allowed = None if memory is None else machine.parse_bytes(memory)
    if allowed is not None:
        taken = cores * _of_a_thread(search, tile, shape, normalised=normalised)
        budget = min(allowed // 2, allowed - taken)  # half is for what files are decoded to
    else:
        budget = min(_GPU_DEFAULT if on_gpu else _DEFAULT, machine.free_memory() // _FREE)
    beyond = 2 * search.reach[0] + 2 * search.around + _span(starts)
    rows = budget // max(bytes_of_a_row, 1) - beyond
    band = bytes_of_a_row * min(tile[0] + beyond, shape[0])
    if allowed is not None and bytes_of_a_row and budget < band:
        raise MemoryNeededError(
            allowed if memory is None else memory,
            max(2 * band, band + taken),
            "for one row of tiles",
        )
    if bytes_of_a_row == 0:
        rows = whole if on_gpu else _ROWS
    if chunk_rows is not None and not on_gpu:
        rows = chunk_rows if allowed is None else min(rows, chunk_rows)
    rows = min(rows, whole)
    band_rows = max(tile[0], rows // tile[0] * tile[0])
    return Plan(
        search, shape, backend_name, tile, band_rows, cores, notes, allowed, threads, bytes_of_a_row,
        starts,
    )  # fmt: skip


def _span(starts: tuple[int, int] | None) -> int:
    return 0 if starts is None else starts[1] - starts[0]


def _of_a_thread(
    search: Search, tile: tuple[int, int], shape: tuple[int, int], *, normalised: bool
) -> int:
    """Return the bytes that a thread takes for a tile: its pixels as floats, scaled, and what the loops keep."""
    rows, columns = (
        min(n + 2 * e, size) for n, e, size in zip(tile, search.reach, shape, strict=True)
    )
    ny, nx = search.shifts
    kept = 4 * min(search.peak_size, ny) * nx + _OF_A_PIXEL
    each = (_NORMALISED if normalised else _AS_GIVEN) + search.partial * _WEIGHTED
    return rows * columns * (kept + 2 * search.frames * each)


def check_size(shape: tuple[int, int], window: tuple[int, int], margin: tuple[int, int]) -> None:
    """Raise a ValueError when an image is smaller than window + 2 margin along an axis."""
    need = window[0] + 2 * margin[0], window[1] + 2 * margin[1]
    if shape[0] < need[0] or shape[1] < need[1]:
        raise ValueError(
            f"The images are {shape[0]} x {shape[1]} px; a window of {window[0]} x {window[1]} px with "
            f"margin {max(margin)} px needs at least {need[0]} x {need[1]} px (window + 2 margin)."
        )


def window_weights(size: int, name: str | None) -> NDArray[np.float64]:
    """Return the 1-D weights of a window, summing to 1: a box for None, else a window of scipy.signal."""
    if name is None:
        return np.full(size, 1 / size)
    from scipy.signal import windows

    weights = np.asarray(getattr(windows, name)(size), dtype=np.float64)
    normalised: NDArray[np.float64] = weights / weights.sum()
    return normalised
