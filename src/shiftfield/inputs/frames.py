"""Input images as stacks of frames: what is accepted, its shape, and its pixels as floats, row band by row band.

Nothing is read before it is asked for, so HDF5, Zarr and dask inputs are never held whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.converted import sliceable
from shiftfield.arrays.on_device import number_of
from shiftfield.engine.base import Real, float_kind
from shiftfield.sources import is_address, open_images
from shiftfield.sources.flat import Part, spooled

# bytes of pixels, and rows, that a pass over a whole input holds
_PASS, _PASS_ROWS = 32_000_000, 64


class Frames:
    """A 2-D image (K = 1) or a stack `(K, H, W)` of anything that slices like NumPy, or the address of one.

    `look` is called between bands; it may raise to stop a long pass.
    """

    def __init__(self, data: Any, name: str) -> None:
        if is_address(data):
            data = open_images(data)
        data = sliceable(data, name)
        if len(data.shape) not in (2, 3):
            raise ValueError(
                f"{name} has shape {tuple(data.shape)}; it must be 2-D (rows, columns) or 3-D "
                "(frames, rows, columns)."
            )
        if min(data.shape) == 0:
            raise ValueError(f"{name} has shape {tuple(data.shape)}; it must not be empty.")
        self.data = data
        self.device = number_of(data)
        self.look: Callable[[], None] = lambda: None
        self.ndim = len(data.shape)
        frames, height, width = (1,) * (3 - self.ndim) + tuple(int(n) for n in data.shape)
        self.shape = frames, height, width
        self.dtype = float_kind(np.dtype(data.dtype))
        self.itemsize = int(np.dtype(data.dtype).itemsize)
        self._totals: Totals | None = None
        self.copied = False

    @property
    def size(self) -> tuple[int, int]:
        """(H, W), px."""
        return self.shape[1], self.shape[2]

    @property
    def in_memory(self) -> bool:
        """Whether rows are views of an array in memory, so that holding many of them costs nothing."""
        return isinstance(self.data, np.ndarray) or self.device is not None

    @property
    def nbytes(self) -> int:
        """Bytes of all pixels as they are stored."""
        frames, height, width = self.shape
        return frames * height * width * self.itemsize

    def rows(self, start: int, stop: int) -> Real:
        """Return rows [start, stop) of all frames `(K, rows, W)`: float32 where exact, else float64."""
        return as_floats(self.stored(start, stop))

    def frame(self, number: int) -> NDArray[np.float64]:
        """Return one frame `(H, W)`, float64."""
        found = self.data[:] if self.ndim == 2 else self.data[number]
        if isinstance(found, np.ma.MaskedArray):
            found = np.ma.filled(as_floats(found), np.nan)
        return as_floats(np.asarray(found)).astype(np.float64)

    def stored(self, start: int, stop: int) -> Any:
        """Return rows [start, stop) of all frames with the dtype they are stored with; NaN where masked."""
        return self.part(slice(start, stop))

    def part(self, *at: slice) -> Any:
        """Return some rows, and columns where said, of all frames with the dtype they are stored with."""
        band: Any = self.data[at] if self.ndim == 2 else self.data[:, *at]
        if isinstance(band, np.ma.MaskedArray):
            band = np.ma.filled(as_floats(band), np.nan)
        out = np.asarray(band) if self.device is None else band
        return out[None] if self.ndim == 2 else out

    def end_of_chunk(self, row: int) -> int:
        """Return the row, `row` or a later one, at which a chunk of the file ends that is read as a whole."""
        chunks = getattr(self.data, "chunks", None)
        height = self.shape[1]
        if self.in_memory or not chunks or row >= height:
            return min(row, height)
        along = chunks[-2]
        if isinstance(along, int | np.integer):
            return min(-(-row // int(along)) * int(along), height)
        ends = np.cumsum(along)  # dask's
        return int(ends[np.searchsorted(ends, row)])

    @property
    def chunk_rows(self) -> int:
        """Rows of the tallest chunk; 1 when any rows can be read alone."""
        chunks = getattr(self.data, "chunks", None)
        if self.in_memory or not chunks:
            return 1
        along = chunks[-2]
        rows = along if isinstance(along, int | np.integer) else max(along)
        return min(int(rows), self.shape[1])

    def hold(self) -> None:
        """Read all into memory, once."""
        if not self.in_memory:
            whole: Any = None
            for start, band in self.bands(stored=True):
                if whole is None:
                    whole = np.empty(self.shape, band.dtype)
                whole[:, start : start + band.shape[1]] = band
            self.data = whole[0] if self.ndim == 2 else whole

    def spool(self) -> None:
        """Read and decode all, once, into a temporary file from which any rows can be read again."""
        frames, height, width = self.shape
        kind = np.dtype(self.data.dtype)
        chunks = getattr(self.data, "chunks", None)
        deep = 1
        if self.ndim == 3 and chunks:
            deep = int(chunks[0] if isinstance(chunks[0], int | np.integer) else max(chunks[0]))

        def parts() -> Iterator[Part]:
            for frame in range(0, frames, deep):
                start = 0
                while start < height:
                    self.look()
                    stop = (
                        self.end_of_chunk(start + 1) if chunks else min(start + _PASS_ROWS, height)
                    )
                    at = slice(start, stop)
                    band = (
                        self.data[at][None]
                        if self.ndim == 2
                        else self.data[frame : frame + deep, at]
                    )
                    yield Part(frame, start, np.asarray(band))
                    start = stop

        self.copied = True
        self.data = spooled((height, width) if self.ndim == 2 else self.shape, kind, parts())

    def totals(self) -> Totals:
        """Return sums over all pixels; one pass over the input, the first time."""
        if self._totals is None:
            self._totals = _totals(self)
        return self._totals

    def bands(self, *, stored: bool = False) -> Iterator[tuple[int, Any]]:
        """Yield (first row, pixels) of bands of the whole input, each byte read once."""
        frames, height, width = self.shape
        rows = min(max(1, _PASS // (frames * width * (self.itemsize + 16))), _PASS_ROWS)
        start = 0
        while start < height:
            self.look()
            stop = self.end_of_chunk(min(start + rows, height))
            yield start, self.stored(start, stop) if stored else self.rows(start, stop)
            start = stop


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums and numbers of the finite pixels of `(K, H, W)`: of each row `(K, H)`, of each column `(K, W)`."""

    rows: Any
    row_counts: Any
    columns: Any
    column_counts: Any
    lowest: float

    @property
    def mean(self) -> float:
        """Mean of all finite pixels, 0 when there is none."""
        count = int(self.row_counts.sum())
        return float(self.rows.sum()) / count if count else 0.0


def _totals(frames: Frames) -> Totals:
    """Sum row by row, so that the height of the bands changes no bit."""
    rows, counts = [], []
    columns: Any = 0.0
    column_counts: Any = 0
    lowest = np.inf
    for _, band in frames.bands():
        known = np.isfinite(band)
        pixels = np.where(known, band, 0).astype(np.float64, order="C")
        rows.append(pixels.sum(axis=2))
        counts.append(np.count_nonzero(known, axis=2))
        for y in range(pixels.shape[1]):
            columns = columns + pixels[:, y]
        column_counts = column_counts + np.count_nonzero(known, axis=1)
        if known.any():
            lowest = min(lowest, float(np.where(known, band, np.inf).min()))
    return Totals(
        np.concatenate(rows, axis=1), np.concatenate(counts, axis=1), columns, column_counts,
        lowest if np.isfinite(lowest) else 0.0,
    )  # fmt: skip


def as_floats(pixels: Any) -> Real:
    """Return pixels as floats of this machine; themselves where they are."""
    with np.errstate(over="ignore"):  # what a longer float holds beyond is inf, and has no answer
        out: Real = pixels.astype(float_kind(pixels.dtype), copy=False)
    return out


def pair(reference: Any, sample: Any) -> tuple[Frames, Frames]:
    """Return both inputs as frames, or raise a ValueError when their shapes differ."""
    ref, sam = Frames(reference, "The reference"), Frames(sample, "The sample")
    if ref.ndim != sam.ndim or ref.shape != sam.shape:
        raise ValueError(
            f"The reference has shape {tuple(ref.data.shape)} and the sample {tuple(sam.data.shape)}; "
            "they must be the same."
        )
    in_one_place(ref.device, sam.device)
    return ref, sam


def in_one_place(reference: int | None, sample: int | None) -> None:
    """Raise a ValueError unless both lie on the same device (its number) or in the host's memory (None)."""
    if reference != sample:
        places = [
            "in the host's memory" if number is None else f"on GPU {number}"
            for number in (reference, sample)
        ]
        raise ValueError(
            f"The reference lies {places[0]} and the sample {places[1]}; both must lie in one place "
            "(cupy.asarray and cupy.asnumpy move arrays)."
        )


def whole(data: Any, name: str) -> tuple[NDArray[np.float64], int]:
    """Return a small input whole, as float64 `(K, H, W)`, and its number of dimensions."""
    frames = Frames(data, name)
    return frames.rows(0, frames.shape[1]).astype(np.float64), frames.ndim
