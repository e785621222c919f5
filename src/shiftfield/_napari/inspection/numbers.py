"""Numbers of a field that are looked at: the histogram of a quantity, and its values along a line.

NumPy in, NumPy out; nothing here knows a layer or a widget.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from shiftfield.quality import Quality
from shiftfield.whole import whole

Float = NDArray[np.float64]
_BINS = 80
# percent; beyond it and beside its counterpart lie the few that would squeeze all others
_MOST = 99.5
_NORMAL = 1.4826  # standard deviation of a normal distribution over its median absolute deviation


@dataclass(frozen=True, slots=True, eq=False)
class Histogram:
    """How the valid pixels of a quantity are spread.

    Attributes
    ----------
    edges, counts : ndarray
        Borders of the bins (N + 1,), and pixels in each (N,).
    beside : int
        Valid pixels beside all bins.
    median, spread : float
        Of the valid pixels; the spread is 1.4826 times the median distance from the median, which is one standard
        deviation where they are normally distributed.
    valid : float
        Share of valid pixels, 0 to 1.
    reasons : dict
        Share of pixels that each reason speaks against, the most frequent first; empty without quality.
    """

    edges: Float
    counts: NDArray[np.int64]
    beside: int
    median: float
    spread: float
    valid: float
    reasons: dict[Quality, float]


def histogram_of(
    values: NDArray[Any], known: NDArray[np.bool_], quality: NDArray[Any] | None
) -> Histogram:
    """Return the histogram of the values `(h, w)` that are valid: known, and with no bit of `quality`."""
    valid = known & np.isfinite(values)
    reasons: dict[Quality, float] = {}
    if quality is not None:
        valid &= quality == 0
        shares = ((bit, float(np.mean((quality & bit) != 0))) for bit in Quality)
        reasons = dict(sorted((one for one in shares if one[1]), key=lambda one: -one[1]))
    some = values[valid].astype(np.float64)
    if not some.size:
        empty = np.zeros(1, np.int64)
        return Histogram(np.array([0.0, 1.0]), empty, 0, np.nan, np.nan, 0.0, reasons)
    low, median, high = (float(n) for n in np.percentile(some, (100 - _MOST, 50, _MOST)))
    room = 0.1 * (high - low) or 0.5
    low, high = max(low - room, float(some.min())), min(high + room, float(some.max()))
    if not high > low:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(some, _BINS, (low, high))
    spread = _NORMAL * float(np.median(np.abs(some - median)))
    beside = int(some.size - counts.sum())
    return Histogram(edges, counts, beside, median, spread, float(valid.mean()), reasons)


def along_line(
    values: NDArray[Any], start: Sequence[float], end: Sequence[float]
) -> tuple[Float, Float]:
    """Return places on a line as parts of it, 0 to 1, and the values there, linear between pixels.

    Parameters
    ----------
    values : ndarray, shape (h, w)
        NaN where unknown; so is what lies between a known and an unknown pixel.
    start, end : pair of float
        Ends of the line, (row, column) px. There is a place for each px of its length, and both ends.
    """
    first, last = np.asarray(start, float), np.asarray(end, float)
    count = max(int(np.ceil(np.hypot(*(last - first)))) + 1, 2)
    part = np.linspace(0, 1, count)
    places = first[:, None] + np.outer(last - first, part)
    found: Float = map_coordinates(
        values.astype(np.float64), places, order=1, mode="constant", cval=np.nan
    )
    return part, found


def write_csv(path: Path, names: Sequence[str], columns: Iterable[NDArray[Any]]) -> None:
    """Write columns of numbers of one length with their names above, whole or not at all."""
    with whole(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(names)
        writer.writerows(zip(*(column.tolist() for column in columns), strict=True))
