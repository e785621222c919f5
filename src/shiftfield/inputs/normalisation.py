"""Flattening of illumination: `normalize_image`, and the same rules applied band by band to streams.

Inside a search, pixels without a number (NaN, inf, or a vanishing sum) stay NaN and spoil no others.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.converted import power_for
from shiftfield.arrays.on_device import sum_where
from shiftfield.engine.base import ROUNDING, Real
from shiftfield.inputs.frames import Frames, as_floats

Float = NDArray[np.float64]
_AT_ONCE = 500_000  # pixels


def normalize_image(mat: Any) -> Real:
    """Flatten the illumination of an image, or bring a stack to zero minimum and unit deviation.

    Parameters
    ----------
    mat : array_like, shape (H, W) or (K, H, W)
        2-D: q = mat / column sums / row sums, then (q - mean(q)) / std(q).
        3-D: z = (mat - mean) / std over the whole stack, then z - min(z).

    Returns
    -------
    ndarray of the same shape
        float32 for float32 input, else float64. NaN pixels stay NaN and are left out of all sums; so are rows and
        columns without a finite pixel.

    Raises
    ------
    ValueError
        For a constant image, or when a row or column sums to zero (2-D); the row or column is named.

    Examples
    --------
    >>> import numpy as np
    >>> from shiftfield import normalize_image
    >>> flat = normalize_image(np.random.default_rng(0).random((40, 50)) + 1)
    >>> bool(abs(flat.mean()) < 1e-9 and abs(flat.std() - 1) < 1e-9)
    True
    """
    frames = Frames(mat, "The image")
    out = np.float32 if np.dtype(frames.data.dtype) == np.float32 else np.float64
    pixels = frames.rows(0, frames.shape[1]).astype(np.float64)
    known = np.isfinite(pixels)
    if not known.any():
        raise ValueError("The image holds no finite pixel; there is nothing to normalise.")
    pixels = np.where(known, pixels, np.nan)
    least, most = float(np.nanmin(pixels)), float(np.nanmax(pixels))
    if power := power_for(max(-least, most)):
        pixels = np.ldexp(pixels, power)
    if frames.ndim == 3:
        flat = _standard(pixels)
        return _as(flat - np.nanmin(flat), out)
    columns, rows = (_sums(pixels[0], known[0], axis) for axis in (0, 1))
    for name, sums in (("Column", columns), ("Row", rows)):
        if np.any(sums == 0):
            raise ValueError(
                f"{name} {int(np.flatnonzero(sums == 0)[0])} of the image sums to zero; every row "
                "and column must have a sum to divide by."
            )
    if most == least:
        raise ValueError(f"All pixels of the image are {most:g}; it must not be constant.")
    flat = pixels[0] / columns / rows[:, None]
    return _as(_standard(flat), out)


def _sums(pixels: Float, known: NDArray[np.bool_], axis: int) -> Float:
    """Return sums over the known pixels along an axis, NaN where there are none."""
    return np.where(known.any(axis=axis), np.nansum(pixels, axis=axis), np.nan)


def _as(pixels: Float, dtype: type[np.float32] | type[np.float64]) -> Real:
    return pixels.astype(dtype)  # type: ignore[return-value]


def _standard(pixels: Float) -> Float:
    """Return (pixels - mean) / std; a ValueError when they are all equal up to rounding."""
    level = np.nanmean(pixels)
    spread = np.nanstd(pixels)
    if not spread > ROUNDING * abs(level):
        raise ValueError("The image is constant once flattened; it must have some texture.")
    standard: Float = (pixels - level) / spread
    return standard


@dataclass(frozen=True, slots=True)
class Divisors:
    """How the pixels of a band are normalised: (pixels - lowest) / first / second, NaN where not finite.

    `first` and `second` have the shape of the band `(K, rows, W)`, or 1 along an axis where all are alike.
    """

    lowest: float
    first: Any
    second: Any

    def apply(self, pixels: Any, rows: slice, columns: slice) -> Float:
        """Return a part of the band, as it was read, normalised in float64."""
        normalised: Float = _finite(pixels)
        if self.lowest:
            normalised -= self.lowest
        for divisor in (self.first, self.second):
            _, tall, wide = divisor.shape
            normalised /= divisor[
                :, rows if tall > 1 else slice(None), columns if wide > 1 else slice(None)
            ]
        return normalised


class Normaliser(Protocol):
    """Turns what was read of frames into the pixels that are compared."""

    def of_band(self, rows: Any, start: int, /) -> Divisors | None:
        """Return how the rows `(K, rows, W)` that begin at row `start` are normalised; None for not at all."""
        ...


class AsGiven:
    """No normalisation."""

    def __init__(self, _frames: Frames) -> None:
        """Nothing needs to be known of the frames."""

    def of_band(self, _rows: Any, _start: int) -> Divisors | None:
        """Leave the rows as they are."""
        return None


class FlatImage:
    """The 2-D rule for a single image: divide by column means and by row means; one pass over the input.

    Mean and deviation of the whole, which move no correlation, are left out. Sums run over the
    finite pixels of a row or column, scaled to its full length.
    """

    def __init__(self, frames: Frames) -> None:
        found = frames.totals()
        self.columns = _divisor(found.columns / np.maximum(found.column_counts, 1))[:, None, :]
        self.rows = _divisor(found.rows / np.maximum(found.row_counts, 1))[:, :, None]

    def of_band(self, rows: Any, start: int) -> Divisors | None:
        """Divide by column means, then by row means."""
        return Divisors(0.0, self.columns, self.rows[:, start : start + rows.shape[1]])


class FlatRows:
    """The 2-D rule for the (K x W) slab of every row: divide by sums over frames, then over columns.

    `lowest` is taken off every pixel before.
    """

    def __init__(self, _frames: Frames, lowest: float = 0.0) -> None:
        self.lowest = lowest

    def of_band(self, rows: Any, _start: int) -> Divisors | None:
        """Divide by sums over frames, then by row means; nothing is needed beyond the rows."""
        over, means = [], []
        for part in _parts(rows):
            pixels = _finite(part) - self.lowest
            over.append(pixels.sum(axis=0)[None])
            means.append(_finite_mean(pixels, axis=2)[:, :, None])
        first, second = (_divisor(np.concatenate(parts, axis=1)) for parts in (over, means))
        return Divisors(self.lowest, first, second)


class FlatColumns:
    """The 2-D rule for the (K x H) slab of every column; one pass over the input sums the columns.

    `lowest` is taken off every pixel before.
    """

    def __init__(self, frames: Frames, lowest: float = 0.0) -> None:
        found = frames.totals()
        columns = found.columns - found.column_counts * lowest
        self.columns = _divisor(columns / np.maximum(found.column_counts, 1))[:, None, :]
        self.lowest = lowest

    def of_band(self, rows: Any, _start: int) -> Divisors | None:
        """Divide by sums over frames, then by column means."""
        over = [(_finite(part) - self.lowest).sum(axis=0)[None] for part in _parts(rows)]
        return Divisors(self.lowest, _divisor(np.concatenate(over, axis=1)), self.columns)


class Standard:
    """The 3-D rule before another: (pixels - mean) / std, then less its least, of the whole stack.

    What is left of it is pixels - least: the mean goes with the least, and the factor 1 / std with the division
    by the sums that follows.
    """

    def __init__(self, frames: Frames, then: type[FlatRows] | type[FlatColumns]) -> None:
        self.then = then(frames, frames.totals().lowest)

    def of_band(self, rows: Any, start: int) -> Divisors | None:
        """Take the least pixel off, then do the second rule."""
        return self.then.of_band(rows, start)


def _parts(rows: Any) -> Iterator[Any]:
    """Yield some rows of `(K, rows, W)` at a time, so that what is made of them is small."""
    frames, height, width = rows.shape
    step = max(1, _AT_ONCE // (frames * width))
    for start in range(0, height, step):
        yield rows[:, start : start + step]


def _finite_mean(pixels: Float, axis: int) -> Float:
    known = np.isfinite(pixels)
    count = np.maximum(np.count_nonzero(known, axis=axis), 1)
    mean: Float = sum_where(pixels, known, axis) / count
    return mean


def _finite(rows: Any) -> Float:
    """Return the pixels in float64, NaN where they are not finite."""
    pixels = as_floats(rows)
    return np.where(np.isfinite(pixels), pixels, np.nan).astype(np.float64, copy=False)


def _divisor(sums: Float) -> Float:
    """Return sums to divide by; NaN where they vanish, so that those pixels have no answer."""
    return np.where(sums == 0, np.nan, sums)
