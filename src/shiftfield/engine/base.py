"""What every backend is given and must return, and the protocol it keeps.

No backend lives here, and nothing here computes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Real = NDArray[np.float32] | NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Tile:
    """Output pixels `[y0, y1) x [x0, x1)` of the sample, px from its first pixel."""

    y0: int
    y1: int
    x0: int
    x1: int


@dataclass(frozen=True, slots=True)
class Search:
    """One search, the same for every tile: score, window, shifts, peak.

    Attributes
    ----------
    method : str
        "pearson", "umpa" or "umpa_dark".
    frames : int
        K.
    weights : tuple of ndarray
        1-D weights of the window along y and x, each summing to 1; their lengths are the window.
    margin : tuple of int
        Largest shift tried along y and x, px.
    peak, peak_size : str, int
        Sub-pixel fit and the side of its neighbourhood.
    step : int
        Every step-th row and column is wanted.
    reference_mean : float
        Mean of all finite reference pixels (UMPA with dark field only).
    """

    method: str
    frames: int
    weights: tuple[NDArray[np.float64], NDArray[np.float64]]
    margin: tuple[int, int]
    peak: str
    peak_size: int
    step: int = 1
    reference_mean: float = 0.0

    @property
    def window(self) -> tuple[int, int]:
        """Window along (y, x), px."""
        return self.weights[0].size, self.weights[1].size

    @property
    def radius(self) -> tuple[int, int]:
        """Half window along (y, x), px."""
        return self.window[0] // 2, self.window[1] // 2

    @property
    def edge(self) -> tuple[int, int]:
        """Pixels without an answer at each border along (y, x)."""
        return self.radius[0] + self.margin[0], self.radius[1] + self.margin[1]

    @property
    def shifts(self) -> tuple[int, int]:
        """Number of shifts tried along (y, x)."""
        return 2 * self.margin[0] + 1, 2 * self.margin[1] + 1

    @property
    def known(self) -> int:
        """How many of the images of an `Answer` the method gives; the rest is NaN."""
        return {"pearson": 3, "umpa": 4, "umpa_dark": 5}[self.method]


@dataclass(frozen=True, slots=True)
class Block:
    """The pixels one tile needs: `(K, h + 2 edge, w + 2 edge)` reference, `(K, h + 2 radius, ...)` sample.

    `raw_*` are the same pixels before any normalisation: a constant window is one that is constant there.
    """

    reference: Real
    sample: Real
    raw_reference: Real
    raw_sample: Real


class Stop:
    """Whether a run was called off; compiled loops look at `flag` as well."""

    def __init__(self) -> None:
        self.flag = np.zeros(1, np.uint8)

    def set(self) -> None:
        """Call the run off."""
        self.flag[0] = 1

    def is_set(self) -> bool:
        """Return whether the run was called off."""
        return bool(self.flag[0])


@dataclass(frozen=True, slots=True)
class Answer:
    """Float32 arrays of a tile's wanted pixels, NaN where there is no answer; shifts in px, (x, y)."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    score: NDArray[np.float32]
    transmission: NDArray[np.float32]
    dark_field: NDArray[np.float32]

    @classmethod
    def of(cls, known: Sequence[NDArray[np.float32]]) -> Answer:
        """Return an answer of the images a method gives; the others are NaN and cannot be written."""
        nothing = np.broadcast_to(np.float32(np.nan), known[0].shape)
        return cls(*known, *[nothing] * (len(fields(cls)) - len(known)))

    def rows(self, rows: slice) -> Answer:
        """Return some of the rows, as views."""
        return Answer(*(getattr(self, field.name)[rows] for field in fields(self)))

    def copy(self) -> Answer:
        """Return the same in memory of its own."""
        return Answer(*(getattr(self, field.name).copy() for field in fields(self)))


def blank(search: Search, shape: tuple[int, ...]) -> Answer:
    """Return an answer full of NaN, to be written to; the shift along an axis that is not searched cannot be."""
    ny, nx = search.shifts
    images = [np.full(shape, np.nan, np.float32) for _ in range(2, search.known)]
    along = [
        np.full(shape, np.nan, np.float32) if wanted else np.broadcast_to(np.float32(0), shape)
        for wanted in (nx > 1 or ny == 1, ny > 1 or nx == 1)
    ]
    return Answer.of([*along, *images])


class Backend(Protocol):
    """A way to compute tiles. `run` may be called from several threads at once."""

    name: str

    def can_run(self, search: Search) -> str:
        """Return why this search cannot run here, or an empty string when it can."""
        ...

    def tile_shape(self, search: Search) -> tuple[int, int]:
        """Return the tile (rows, columns) this backend likes; it may depend on the search only."""
        ...

    def run(self, search: Search, tile: Tile, block: Block, stop: Stop) -> Answer:
        """Compute one tile; when `stop` is set meanwhile, return soon with whatever there is."""
        ...
