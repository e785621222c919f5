"""Input images as stacks of frames: what is accepted, its shape, and its pixels as floats, row band by row band.

Nothing is read before it is asked for, so HDF5, Zarr and dask inputs are never held whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays import as_array
from shiftfield.device_arrays import number_of, sum_where
from shiftfield.engine.base import Real
from shiftfield.sources import is_address, open_images

_BAND = 64  # rows; passes over a whole input always use it, so that sums never depend on chunks


class Frames:
    """A 2-D image (K = 1) or a stack `(K, H, W)` of anything that slices like NumPy, or the address of one.

    `look` is called between bands; it may raise to stop a long pass.
    """

    def __init__(self, data: Any, name: str) -> None:
        if is_address(data):
            data = open_images(data)
        if not (hasattr(data, "shape") and hasattr(data, "dtype") and hasattr(data, "__getitem__")):
            data = as_array(data, name)
        kind = np.dtype(data.dtype).kind
        if kind not in "buif":
            raise ValueError(f"{name} has dtype {data.dtype}; it must hold real numbers.")
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
        exact = kind == "b" or data.dtype.itemsize <= (4 if kind == "f" else 2)
        self.dtype: type[np.floating[Any]] = np.float32 if exact else np.float64

    @property
    def size(self) -> tuple[int, int]:
        """(H, W), px."""
        return self.shape[1], self.shape[2]

    @property
    def in_memory(self) -> bool:
        """Whether rows are views of an array in memory, so that holding many of them costs nothing."""
        return isinstance(self.data, np.ndarray) or self.device is not None

    def rows(self, start: int, stop: int) -> Real:
        """Return rows [start, stop) of all frames `(K, rows, W)`: float32 where exact, else float64."""
        band: Any = self.data[start:stop] if self.ndim == 2 else self.data[:, start:stop]
        if isinstance(band, np.ma.MaskedArray):
            band = np.ma.filled(band.astype(self.dtype), np.nan)
        out: Real = self._array(band).astype(self.dtype, copy=False)
        return out[None] if self.ndim == 2 else out

    def _array(self, band: Any) -> Any:
        """Return what was read as an array, on the device where it lies."""
        return np.asarray(band) if self.device is None else band

    def stored(self, start: int, stop: int) -> Any:
        """Return rows [start, stop) of all frames with the dtype they are stored with."""
        band: Any = self.data[start:stop] if self.ndim == 2 else self.data[:, start:stop]
        if isinstance(band, np.ma.MaskedArray):
            return self.rows(start, stop)
        out = self._array(band)
        return out[None] if self.ndim == 2 else out

    def bands(self) -> Iterator[tuple[int, Real]]:
        """Yield (first row, pixels) of bands of a fixed height."""
        height = self.shape[1]
        for start in range(0, height, _BAND):
            self.look()
            yield start, self.rows(start, min(start + _BAND, height))


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


def mean(frames: Frames) -> float:
    """Return the mean of all finite pixels, reading band by band."""
    total, count = 0.0, 0
    for _, band in frames.bands():
        known = np.isfinite(band)
        total += float(sum_where(band, known))
        count += int(np.count_nonzero(known))
    return total / count if count else 0.0


def whole(data: Any, name: str) -> tuple[NDArray[np.float64], int]:
    """Return a small input whole, as float64 `(K, H, W)`, and its number of dimensions."""
    frames = Frames(data, name)
    return frames.rows(0, frames.shape[1]).astype(np.float64), frames.ndim
