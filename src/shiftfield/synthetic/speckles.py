"""The speckle pattern: a formula that is evaluated at any real place.

What becomes of it behind an object or in a camera is the business of the other files here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Image = NDArray[np.float32]
Float = NDArray[np.float64]

_REACH = 5  # in sigma; a blob is cut where it has fallen to exp(-12.5) = 4e-6
_TAPS = np.arange(1 - _REACH, 1 + _REACH)
_BLOCK = 1 << 20  # pixels of all frames evaluated at once, 8 MB for each of a few arrays
_LARGEST_CONTRAST = 0.16  # |z| < 6.15, so that no intensity is negative


def speckle(
    shape: tuple[int, int],
    *,
    sigma: float = 1.5,
    frames: int = 1,
    seed: int = 0,
    shift: tuple[ArrayLike, ArrayLike] = (0.0, 0.0),
    mean: float = 1.0,
    contrast: float = 0.15,
) -> Image:
    """Return a random speckle pattern, moved by any shift; px, (x, y), sample to reference.

    The intensity at any real place (v, u) = (row, column) is a sum of Gaussian blobs,

        I(v, u) = mean * (1 + contrast * z(v, u)),
        z(v, u) = c * sum over m, n of  h[m, n] * g(v - m * sigma) * g(u - n * sigma),
        g(t)    = exp(-t^2 / (2 sigma^2)),    c = sqrt(3 / pi),

    with a height h, uniform in -1..1, at every point of a square lattice of pitch sigma. So z has mean 0,
    variance 1 and the autocorrelation exp(-r^2 / (4 sigma^2)). The returned image is I(i + y, j + x) at
    pixel (i, j): used as a sample against the image of shift (0, 0), its shift is exactly (x, y).

    Parameters
    ----------
    shape : tuple of int
        (H, W), px. A smaller image is a corner of a larger one.
    sigma : float
        Width of the blobs, px; the speckles measure 3.3 sigma across at half height of the autocorrelation.
    frames : int
        Number of independent patterns; frame k does not depend on how many there are.
    seed : int
        Which patterns; the same seed gives the same bits.
    shift : pair of float or of array_like, shape (H, W)
        (x, y), px.
    mean : float
        Mean intensity.
    contrast : float
        Standard deviation over mean, 0 to 0.16, so that no intensity is negative.

    Returns
    -------
    ndarray of float32
        (H, W), or (K, H, W) for more than one frame.

    Raises
    ------
    ValueError
        When an argument is not one of those above.
    """
    height, width = checked(shape, frames)
    if not 0 < sigma < np.inf:
        raise ValueError(f"sigma is {sigma!r}; it must be a positive number of px.")
    if not 0 <= contrast <= _LARGEST_CONTRAST:
        raise ValueError(f"contrast is {contrast!r}; it must lie in 0..{_LARGEST_CONTRAST}.")
    x, y = shift_of(shift, (height, width))
    pattern = pattern_at(x, y, np.arange(frames), sigma, seed, mean, contrast)
    return pattern[0] if frames == 1 else pattern


def pattern_at(
    x: Float,
    y: Float,
    numbers: NDArray[np.integer[Any]],
    sigma: float,
    seed: int,
    mean: float,
    contrast: float,
) -> Image:
    """Return the frames of these numbers, `(K, H, W)`, moved by shifts `(H, W)`; all arguments were checked."""
    height, width = x.shape
    pattern = np.empty((len(numbers), height, width), dtype=np.float32)
    for rows in _blocks(height, len(numbers) * width):
        v = np.arange(rows.start, rows.stop)[:, None] + y[rows]
        u = np.arange(width) + x[rows]
        z = np.sqrt(3 / np.pi) * _blobs(v / sigma, u / sigma, numbers, seed)
        pattern[:, rows] = mean * (1 + contrast * z)
    return pattern


def _blobs(v: Float, u: Float, numbers: NDArray[np.integer[Any]], seed: int) -> Float:
    """Return the sum of all blobs, `(K, *v.shape)`, at places in units of the lattice pitch."""
    m, n = np.floor(v).astype(np.int64), np.floor(u).astype(np.int64)
    top, left = m.min() + _TAPS[0], n.min() + _TAPS[0]
    heights = _heights(
        np.arange(top, m.max() + _TAPS[-1] + 1), np.arange(left, n.max() + _TAPS[-1] + 1),
        numbers, seed,
    )  # fmt: skip
    columns = heights.shape[2]
    heights = heights.reshape(len(numbers), -1)
    place = (m - top) * columns + (n - left)
    across = [np.exp(-((v - m - tap) ** 2) / 2) for tap in _TAPS]
    total = np.zeros((len(numbers), *v.shape))
    for tap in _TAPS:
        line = np.zeros_like(total)
        for weight, down in zip(across, _TAPS, strict=True):
            line += weight * heights[:, place + (down * columns + tap)]
        total += np.exp(-((u - n - tap) ** 2) / 2) * line
    return total


def _heights(
    m: NDArray[np.int64], n: NDArray[np.int64], numbers: NDArray[np.integer[Any]], seed: int
) -> Float:
    """Return the heights of the blobs at lattice rows m and columns n, uniform in -1..1.

    A hash (the finaliser of splitmix64) of seed, frame, row and column: a height belongs to its
    place, whatever part of the lattice is asked for.
    """
    k = numbers.astype(np.uint64)[:, None, None]
    key = np.full((1, 1, 1), seed % (1 << 64), dtype=np.uint64)
    for index in (k, m.astype(np.uint64)[:, None], n.astype(np.uint64)):
        key = _mixed(key + np.uint64(0x9E3779B97F4A7C15)) + index
    return (_mixed(key) >> np.uint64(11)).astype(np.float64) * 2.0**-52 - 1.0


def _mixed(key: NDArray[np.uint64]) -> NDArray[np.uint64]:
    key = (key ^ (key >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    key = (key ^ (key >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return key ^ (key >> np.uint64(31))


def _blocks(height: int, width: int) -> Iterator[slice]:
    rows = max(1, _BLOCK // width)
    for first in range(0, height, rows):
        yield slice(first, min(first + rows, height))


def shift_of(shift: Any, shape: tuple[int, int]) -> tuple[Float, Float]:
    """Return x and y as arrays of the image's shape, or say in one sentence why they are not."""
    try:
        x, y = (np.asarray(part, dtype=np.float64) for part in shift)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"shift is {' '.join(repr(shift).split()):.60}; it must be a pair (x, y) of numbers or of (H, W) "
            "arrays."
        ) from error
    for name, part in (("x", x), ("y", y)):
        if part.shape not in ((), shape):
            raise ValueError(
                f"The {name} shift has shape {part.shape}; allowed are () and {shape}."
            )
        if not np.isfinite(part).all():
            raise ValueError(f"The {name} shift has a NaN or inf; it must be finite everywhere.")
    return np.broadcast_to(x, shape), np.broadcast_to(y, shape)


def checked(shape: Any, frames: Any) -> tuple[int, int]:
    """Return shape as two ints, or say in one sentence what is wrong with it or with frames."""
    if not isinstance(shape, tuple | list) or len(shape) != 2 or not all(map(_positive, shape)):
        raise ValueError(f"shape is {shape!r}; it must be two positive whole numbers (H, W).")
    if not _positive(frames):
        raise ValueError(f"frames is {frames!r}; it must be a positive whole number.")
    return int(shape[0]), int(shape[1])


def _positive(n: Any) -> bool:
    return isinstance(n, int | np.integer) and not isinstance(n, bool) and int(n) > 0
