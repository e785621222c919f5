"""Searches that begin elsewhere for each pixel: whole-pixel starts, and a tile cut into pieces of one start.

How starts are found is said elsewhere; a piece is searched as any tile, with the reference moved under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shiftfield.engine import Tile
from shiftfield.field import ShiftField
from shiftfield.quality import Quality

Whole = NDArray[np.int32]
_FEW = 4  # starts of a piece that are searched one after another
_SMALL = 8  # pixels a side of a piece that is cut no further
_FARTHEST = 1_000_000  # px


@dataclass(frozen=True, slots=True, eq=False)
class Starts:
    """The shift that each pixel's search is centred on: whole px, arrays `(H, W)` along y and x."""

    y: Whole
    x: Whole

    @property
    def rows(self) -> tuple[int, int]:
        """Least and greatest start along y, 0 included: how far beyond a band its reference reaches."""
        return min(int(self.y.min()), 0), max(int(self.y.max()), 0)

    @property
    def middle(self) -> tuple[int, int]:
        """The median start (y, x)."""
        return int(np.median(self.y)), int(np.median(self.x))


@dataclass(frozen=True, slots=True)
class Piece:
    """Rows and columns of a grid of wanted pixels, one start (y, x) of them, and which of them have it."""

    rows: slice
    columns: slice
    start: tuple[int, int]
    mine: NDArray[np.bool_]


def starts_of(start: Any, shape: tuple[int, int]) -> Starts:
    """Return given starts, rounded: a pair (x, y) of numbers or of arrays `(H, W)`, or a `ShiftField`.

    Where a start is NaN, or a field not valid and not filled, the nearest one that is known is taken.

    Raises
    ------
    ValueError
        When it is none of these, has another shape, or nothing of it is known.
    """
    if isinstance(start, ShiftField):
        host = start.on_host()
        if host.image_shape != shape:
            raise ValueError(
                f"start is a field of an image of shape {host.image_shape}; the images have shape {shape}."
            )
        step = host.settings.step
        believed = (
            host.valid
            if host.quality is None
            else host.valid | (host.quality & Quality.FILLED != 0)
        )
        x, y = (
            _repeated(np.where(believed, part, np.nan), step, shape) for part in (host.x, host.y)
        )
    else:
        x, y = _pair(start, shape)
    unknown = np.logical_not(np.isfinite(x) & np.isfinite(y))
    if unknown.all():
        raise ValueError("start holds no finite shift; it must have at least one.")
    if unknown.any():
        from scipy.ndimage import distance_transform_edt

        nearest = tuple(
            distance_transform_edt(unknown, return_distances=False, return_indices=True)
        )
        x, y = x[nearest], y[nearest]
    farthest = max(float(np.abs(x).max()), float(np.abs(y).max()))
    if farthest > _FARTHEST:
        raise ValueError(
            f"start holds a shift of {farthest:g} px; allowed are up to {_FARTHEST} px."
        )
    return Starts(*(np.rint(part).astype(np.int32) for part in (y, x)))


def _pair(start: Any, shape: tuple[int, int]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    try:
        x, y = (np.asarray(part, dtype=np.float64) for part in start)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"start is {_short(start)}; allowed are None, 'global', 'pyramid', a pair (x, y) of numbers or of "
            "(H, W) arrays, and a ShiftField."
        ) from error
    for name, part in (("x", x), ("y", y)):
        if part.shape not in ((), shape):
            raise ValueError(
                f"The {name} of start has shape {part.shape}; allowed are () and {shape}."
            )
    return np.broadcast_to(x, shape), np.broadcast_to(y, shape)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _repeated(image: ArrayLike, step: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a field of every step-th pixel on all pixels of an image: each from the nearest that is there."""
    rows, columns = (
        np.minimum((np.arange(n) + step // 2) // step, -(-n // step) - 1) for n in shape
    )
    found: NDArray[np.float64] = np.asarray(image, dtype=np.float64)[np.ix_(rows, columns)]
    return found


def pieces(y: Whole, x: Whole) -> Iterator[Piece]:
    """Yield pieces of one start that cover a grid of pixels with these starts.

    Boxes around all pixels of one start, where there are few starts; else of each half.
    """
    yield from _pieces(y, x, 0, 0)


def _pieces(y: Whole, x: Whole, top: int, left: int) -> Iterator[Piece]:
    height, width = y.shape
    if not height or not width:
        return
    codes = y.astype(np.int64) * (4 * _FARTHEST) + x
    different = np.unique(codes)
    if different.size <= _FEW or max(height, width) <= _SMALL:
        for code in different:
            mine = codes == code
            rows, columns = (np.flatnonzero(mine.any(axis=axis)) for axis in (1, 0))
            a, b, c, d = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            at = int(rows[0]), int(np.flatnonzero(mine[rows[0]])[0])
            yield Piece(
                slice(top + a, top + b), slice(left + c, left + d), (int(y[at]), int(x[at])),
                mine[a:b, c:d],
            )  # fmt: skip
        return
    if width >= height:
        half = width // 2
        yield from _pieces(y[:, :half], x[:, :half], top, left)
        yield from _pieces(y[:, half:], x[:, half:], top, left + half)
    else:
        half = height // 2
        yield from _pieces(y[:half], x[:half], top, left)
        yield from _pieces(y[half:], x[half:], top + half, left)


def tile_of(
    piece: Piece, tile: Tile, step: int, shape: tuple[int, int], edge: tuple[int, int]
) -> Tile:
    """Return the pixels of a tile that a piece of it takes and whose searches stay inside the reference."""
    y0, x0 = tile.y0 + -tile.y0 % step, tile.x0 + -tile.x0 % step
    (sy, sx), (height, width), (ey, ex) = piece.start, shape, edge
    rows = y0 + piece.rows.start * step, y0 + (piece.rows.stop - 1) * step + 1
    columns = x0 + piece.columns.start * step, x0 + (piece.columns.stop - 1) * step + 1
    return Tile(
        max(rows[0], ey - sy), min(rows[1], height - ey - sy),
        max(columns[0], ex - sx), min(columns[1], width - ex - sx),
    )  # fmt: skip
