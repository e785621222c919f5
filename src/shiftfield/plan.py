"""`Plan`: what will run, decided before any pixel is read: search, backend, tiles, bands, threads.

Tiles lie on a grid that is fixed to the image, so neither chunks nor threads nor memory change a result.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shiftfield import machine
from shiftfield.engine import Search, Tile, backend

_DEFAULT_BAND = 64_000_000  # bytes of input that a band of rows may hold
_GPU_BAND = 1_000_000_000  # the same for a GPU, which wants many tiles at once
_BYTES = 2 * (4 + 8)  # a pixel of reference and sample: as read, and in float64 when normalised


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
    threads: int = 256

    @property
    def output_shape(self) -> tuple[int, int]:
        """Shape of the answer: every step-th pixel."""
        step = self.search.step
        return -(-self.shape[0] // step), -(-self.shape[1] // step)

    def bands(self) -> Iterator[tuple[int, int]]:
        """Yield the output rows [y0, y1) of each band, whole tiles high."""
        (ey, _), (height, _) = self.search.edge, self.shape
        yield from self.cuts(ey, height - ey, self.band_rows)

    def tiles(self, y0: int, y1: int) -> Iterator[Tile]:
        """Yield the tiles of the output rows [y0, y1) that hold a wanted pixel."""
        (_, ex), (_, width), step = self.search.edge, self.shape, self.search.step
        for top, bottom in self.cuts(y0, y1, self.tile[0]):
            for left, right in self.cuts(ex, width - ex, self.tile[1]):
                if -top % step < bottom - top and -left % step < right - left:
                    yield Tile(top, bottom, left, right)

    @staticmethod
    def cuts(start: int, stop: int, pitch: int) -> Iterator[tuple[int, int]]:
        """Yield [a, b) pieces of [start, stop) cut at multiples of pitch."""
        while start < stop:
            end = min((start // pitch + 1) * pitch, stop)
            yield start, end
            start = end

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
    workers: int | None = None,
    chunk_rows: int | None = None,
    memory: str | int | None = None,
    in_memory: bool = False,
    threads: int = 256,
    notes: tuple[str, ...] = (),
) -> Plan:
    """Resolve a search into a plan.

    `in_memory` says that a band of rows is no copy; `threads` is the most of a block on a GPU.

    Raises
    ------
    ValueError
        When the image is smaller than window + 2 margin, or `memory` cannot hold one row of tiles.
    """
    check_size(shape, search.window, search.margin)
    tile = backend(backend_name).tile_shape(search)
    per_row = search.frames * shape[1] * _BYTES
    on_gpu = backend_name in ("gpu", "hybrid")
    allowed = None if memory is None else machine.parse_bytes(memory)
    if allowed is not None:
        budget = allowed // 2  # the next band is read while one is computed
    else:
        budget = _GPU_BAND if on_gpu else _DEFAULT_BAND
    rows = budget // per_row - 2 * search.edge[0]
    if on_gpu and allowed is None and in_memory:
        rows = shape[0]
    elif chunk_rows is not None and not on_gpu:
        rows = min(rows, chunk_rows) if allowed is not None else chunk_rows
    if allowed is not None and rows < tile[0]:
        need = 2 * per_row * (tile[0] + 2 * search.edge[0])
        raise ValueError(
            f"memory is {memory!r}; this search needs at least {need / 1e6:.1f} MB for one row of tiles."
        )
    band_rows = max(tile[0], rows // tile[0] * tile[0])
    cores = workers or machine.available_cores()
    return Plan(search, shape, backend_name, tile, band_rows, cores, notes, allowed, threads)


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
