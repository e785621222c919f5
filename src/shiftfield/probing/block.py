"""The block of one pixel: the part of both images that its search needs, and nothing beside it is read.

A tile of a field cuts its block out of a band of rows (`stream.bands`); what is then the same is done there.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.arrays.on_device import to_host
from shiftfield.engine import Block, Search, Tile
from shiftfield.inputs.frames import Frames, as_floats
from shiftfield.inputs.weights import Weights
from shiftfield.stream.bands import Band, cut, in_floats
from shiftfield.stream.plan import Plan

Float = NDArray[np.float64]
_Place = tuple[int, int]


def block_of(
    search: Search, images: tuple[Frames, Frames], weights: Weights, place: _Place, start: _Place
) -> tuple[Tile, Block]:
    """Return a tile of one pixel (row, column), and its block; the search is centred on `start`, px, (y, x).

    Pixels beyond the image are NaN, with weight 1, where windows may not reach there: there is no answer then.
    """
    size = images[0].size
    wanted = [
        (at + min(by, 0) - edge - search.around, at + max(by, 0) + edge + search.around + 1)
        for at, by, edge in zip(place, start, search.reach, strict=True)
    ]
    read = [(max(first, 0), min(last, n)) for (first, last), n in zip(wanted, size, strict=True)]
    crops = [_read(frames, read) for frames in images]
    of_pixels = [None if frames is None else _read(frames, read) for frames in weights]
    if not search.beyond and _leaves(search, size, place, start):
        sides = [(a - first, last - b) for (first, last), (a, b) in zip(wanted, read, strict=True)]
        crops = [_padded(as_floats(one), sides, np.nan) for one in crops]
        of_pixels = [one if one is None else _padded(one, sides, 1) for one in of_pixels]
        read = wanted
    y, x = (at - first for at, (first, _) in zip(place, read, strict=True))
    tile = Tile(y, y + 1, x, x + 1)
    plan = Plan(search, crops[0].shape[1:], "reference", (1, 1), 1, 1)
    band = Band(0, (crops[0], crops[1]), weights=(of_pixels[0], of_pixels[1]))
    return tile, in_floats(cut(plan, band, tile, start))


def inside(pixels: Any, centre: _Place, reach: _Place, size: _Place) -> Float:
    """Return pixels `(K, rows, columns)` around a place, NaN outside an image of some size."""
    shown: Float = pixels.astype(np.float64)
    rows, columns = (
        (np.abs(np.arange(at - edge, at + edge + 1) - (n - 1) / 2) > n / 2)
        for at, edge, n in zip(centre, reach, size, strict=True)
    )
    shown[:, rows] = np.nan
    shown[:, :, columns] = np.nan
    return shown


def _read(frames: Frames, parts: list[tuple[int, int]]) -> Any:
    return to_host(frames.part(*(slice(*part) for part in parts)))


def _padded(pixels: Any, sides: list[tuple[int, int]], value: float) -> Any:
    return np.pad(pixels, ((0, 0), *sides), constant_values=value)


def _leaves(search: Search, size: _Place, place: _Place, start: _Place) -> bool:
    """Whether the window or the search area reaches beyond the image."""
    return any(
        min(at - radius, at + by - reach) < 0 or max(at + radius, at + by + reach) >= n
        for at, by, radius, reach, n in zip(
            place, start, search.radius, search.reach, size, strict=True
        )
    )
