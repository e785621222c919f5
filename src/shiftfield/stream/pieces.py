"""Searches that begin elsewhere for each pixel: whole-pixel starts, and a tile cut into pieces of one start.

How starts are found is said elsewhere; a piece is searched as any tile, with the reference moved under it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shiftfield.engine import Search, Tile
from shiftfield.field import ShiftField
from shiftfield.quality import Quality
from shiftfield.settings import shown

Whole = NDArray[np.int32]
_Box = tuple[slice, slice]
_SMALL = 8  # pixels a side of a piece that is cut no further
_CALL = 250_000  # what a piece costs however small it is: as much as so many shifts of a pixel of a frame
_ENOUGH = 1.3  # times its pixels: what boxes may cover for a grid not to be cut
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
                f"start is a field of an image of shape {host.image_shape}; it must be of the images' shape, "
                f"{shape}."
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
            f"start is {shown(start)}; allowed are None, 'global', 'pyramid', a pair (x, y) of numbers or of "
            "(H, W) arrays, and a ShiftField."
        ) from error
    for name, part in (("x", x), ("y", y)):
        if part.shape not in ((), shape):
            raise ValueError(
                f"The {name} of start has shape {part.shape}; allowed are () and {shape}."
            )
    return np.broadcast_to(x, shape), np.broadcast_to(y, shape)


def _repeated(image: ArrayLike, step: int, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return a field of every step-th pixel on all pixels of an image: each from the nearest that is there."""
    rows, columns = (
        np.minimum((np.arange(n) + step // 2) // step, -(-n // step) - 1) for n in shape
    )
    found: NDArray[np.float64] = np.asarray(image, dtype=np.float64)[np.ix_(rows, columns)]
    return found


def pieces(y: Whole, x: Whole, search: Search) -> Iterator[Piece]:
    """Yield pieces of one start that cover a grid of wanted pixels with these starts.

    Boxes around all pixels of one start, or those of each half (and so on), whichever costs a search less.
    """
    if not y.size:
        return
    least = int(y.min()), int(x.min())
    wide = int(x.max()) - least[1] + 1
    codes = (y.astype(np.int64) - least[0]) * wide + (x - least[1])
    different = np.arange(int(codes.max()) + 1) if codes.max() < codes.size else None
    if different is None:
        different, number = np.unique(codes, return_inverse=True)
        codes = number.reshape(codes.shape)
    for box, code in _cheapest(codes, 0, 0, search)[1]:
        down, across = divmod(int(different[code]), wide)
        yield Piece(*box, (down + least[0], across + least[1]), codes[box] == code)


def _cheapest(
    codes: NDArray[np.int64], top: int, left: int, search: Search
) -> tuple[float, list[tuple[_Box, int]]]:
    """Return the cost of boxes that hold all pixels of a grid, one code each, and the boxes with their codes."""
    boxes = _boxes(codes)
    found = [
        ((slice(top + a.start, top + a.stop), slice(left + b.start, left + b.stop)), code)
        for (a, b), code in boxes
    ]
    sizes = [(a.stop - a.start, b.stop - b.start) for (a, b), _ in boxes]
    cost = sum(_cost(*size, search) for size in sizes)
    (height, width), covered = codes.shape, sum(rows * columns for rows, columns in sizes)
    if max(height, width) <= _SMALL or covered <= _ENOUGH * codes.size:
        return cost, found
    if width >= height:
        half = 0, width // 2
        parts = codes[:, : half[1]], codes[:, half[1] :]
    else:
        half = height // 2, 0
        parts = codes[: half[0]], codes[half[0] :]
    one, first = _cheapest(parts[0], top, left, search)
    other, second = _cheapest(parts[1], top + half[0], left + half[1], search)
    return (one + other, first + second) if one + other < cost else (cost, found)


def _boxes(codes: NDArray[np.int64]) -> list[tuple[_Box, int]]:
    """Return the box around all pixels of each code."""
    first = int(codes[0, 0])
    if (codes == first).all():
        return [((slice(0, codes.shape[0]), slice(0, codes.shape[1])), first)]
    from scipy.ndimage import find_objects

    least = int(codes.min())
    found = enumerate(find_objects(codes - (least - 1)), least)
    return [(box, code) for code, box in found if box is not None]


def _cost(rows: int, columns: int, search: Search) -> float:
    """Return what a piece of a grid costs, in pixels of a large tile."""
    (ry, _), (_, ex), (ny, nx), step = search.radius, search.reach, search.shifts, search.step
    pixels = (rows * step + 2 * ry) * (columns * step + 2 * ex)
    return pixels + _CALL / (ny * nx * search.frames)


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
