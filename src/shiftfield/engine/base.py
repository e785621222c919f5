"""What every backend is given and must return, and the protocol it keeps.

No backend lives here, and nothing here computes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shiftfield.scores import METHODS

MOST_THREADS = 256  # of a block on a GPU that searches
# of a window's level: what deviates less is but rounding of the pixels
ROUNDING = 64 * np.finfo(np.float64).eps
SPLINE = 24  # px in which a quintic spline forgets all but 1e-8 of a pixel that it does not see
Real = NDArray[np.float32] | NDArray[np.float64]


def float_kind(dtype: np.dtype[Any]) -> type[np.floating[Any]]:
    """Return float32 where it holds all numbers of a dtype, else float64."""
    exact = dtype.kind == "b" or dtype.itemsize <= (4 if dtype.kind == "f" else 2)
    return np.float32 if exact else np.float64


@dataclass(frozen=True, slots=True)
class Tile:
    """Output pixels `[y0, y1) x [x0, x1)` of the sample, px from its first pixel."""

    y0: int
    y1: int
    x0: int
    x1: int


def cuts(start: int, stop: int, pitch: int) -> Iterator[tuple[int, int]]:
    """Yield [a, b) pieces of [start, stop) cut at multiples of pitch."""
    while start < stop:
        end = min((start // pitch + 1) * pitch, stop)
        yield start, end
        start = end


@dataclass(frozen=True, slots=True)
class Search:
    """One search, the same for every tile: score, window, shifts, peak.

    Attributes
    ----------
    method : str
        One of `scores.METHODS`.
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
    refine, shape_order : str or None, int
        Refinement of the best whole-pixel shift, and how windows may deform in it.
    uncertainty, quality : bool
        Whether one sigma, and what speaks against a pixel, are wanted.
    coverage : float
        Least part of the window's weight that must take part, where pixels have weights.
    apart : int
        Shifts no further than this from the best along both axes, px, belong to the same peak.
    smoothing, flatter : int, float
        Passes of smoothing before the gradient of the refinement's template is taken, and what the true slope is
        over that one; see `engine.gradients`.
    weighted : bool
        Whether pixels may have weights.
    beyond : bool
        Whether windows may reach beyond the image.
    """

    method: str
    frames: int
    weights: tuple[NDArray[np.float64], NDArray[np.float64]]
    margin: tuple[int, int]
    peak: str
    peak_size: int
    step: int = 1
    reference_mean: float = 0.0
    refine: str | None = None
    shape_order: int = 0
    uncertainty: bool = False
    quality: bool = False
    coverage: float = 0.5
    apart: int = 2
    smoothing: int = 0
    flatter: float = 1.0
    weighted: bool = False
    beyond: bool = False

    @property
    def window(self) -> tuple[int, int]:
        """Window along (y, x), px."""
        return self.weights[0].size, self.weights[1].size

    @property
    def is_box(self) -> bool:
        """Whether all weights of the window are equal."""
        return all(bool(np.all(weights == weights[0])) for weights in self.weights)

    @property
    def pixels(self) -> int:
        """Pixels of a window that have weight, in all frames."""
        across = [int(np.count_nonzero(one > 1e-9 * one.max())) for one in self.weights]
        return self.frames * across[0] * across[1]

    @property
    def determined(self) -> bool:
        """Whether a window has more pixels than its score fits numbers to them; else any shift fits."""
        return self.pixels > METHODS[self.method].fits

    @property
    def radius(self) -> tuple[int, int]:
        """Half window along (y, x), px."""
        return self.window[0] // 2, self.window[1] // 2

    @property
    def reach(self) -> tuple[int, int]:
        """How far from a pixel its search reads the reference along (y, x), px."""
        return self.radius[0] + self.margin[0], self.radius[1] + self.margin[1]

    @property
    def edge(self) -> tuple[int, int]:
        """Pixels without an answer at each border along (y, x)."""
        return (0, 0) if self.beyond else self.reach

    @property
    def partial(self) -> bool:
        """Whether only a part of a window may take part: pixels have weights, or lie outside the image."""
        return self.weighted or self.beyond

    @property
    def shifts(self) -> tuple[int, int]:
        """Number of shifts tried along (y, x)."""
        return 2 * self.margin[0] + 1, 2 * self.margin[1] + 1

    @property
    def upright(self) -> bool:
        """Whether shifts are tried along y alone; loops and lanes are made for many along x."""
        return self.shifts[1] == 1 < self.shifts[0]

    def turned(self) -> Search:
        """Return the same search with the axes exchanged."""
        (wy, wx), (my, mx) = self.weights, self.margin
        return replace(self, weights=(wx, wy), margin=(mx, my))

    @property
    def around(self) -> int:
        """Pixels that are read beyond the search on each side, px: for splines."""
        return SPLINE if self.refine or self.uncertainty else 0

    @property
    def images(self) -> tuple[str, ...]:
        """Names of the images of an `Answer` that are wanted; the others are left unknown."""
        names = [field.name for field in fields(Answer)][: self.known]
        names += ["uncertainty_x", "uncertainty_y"] * self.uncertainty
        names += ["second_peak", "texture"] * self.quality
        return (*names, *["flags"] * (self.quality or bool(self.refine) or self.partial))

    @property
    def known(self) -> int:
        """How many of the first images of an `Answer` the method gives; the rest is NaN."""
        return METHODS[self.method].known


@dataclass(frozen=True, slots=True)
class Block:
    """The pixels one tile needs: `(K, h + 2 edge, w + 2 edge)` reference, `(K, h + 2 radius, ...)` sample.

    `raw_*` are the same pixels before any normalisation: a constant window is one that is constant there.
    `around` is both with `search.around` px more on each side, mirrored where the image ends, or None.
    `weights` are those of the pixels of `reference` and `sample`, `(1, h, w)` for all frames or `(K, h, w)`: 0
    for those that take no part (NaN in `around`), the greatest is 1; None for all 1.
    `inside` is the part of the tile whose search lies inside the image; None for all of it.
    """

    reference: Real
    sample: Real
    raw_reference: Real
    raw_sample: Real
    around: tuple[Real, Real] | None = None
    weights: tuple[Real, Real] | None = None
    inside: Tile | None = None


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
    """Float32 arrays of a tile's wanted pixels, NaN where there is no answer; shifts in px, (x, y).

    `uncertainty_*` are one sigma, px; `second_peak` the best score away from the peak over the peak's own;
    `texture` the standard deviation of the sample's window, in its own units; `flags` (uint16) the bits of
    `Quality` that the engine knows of.
    """

    x: NDArray[np.float32]
    y: NDArray[np.float32]
    score: NDArray[np.float32]
    transmission: NDArray[np.float32]
    dark_field: NDArray[np.float32]
    uncertainty_x: NDArray[np.float32]
    uncertainty_y: NDArray[np.float32]
    second_peak: NDArray[np.float32]
    texture: NDArray[np.float32]
    flags: NDArray[np.uint16]

    @classmethod
    def of(cls, known: Sequence[NDArray[np.float32]], **more: NDArray[Any]) -> Answer:
        """Return an answer of the first images, and others by name; the rest is unknown and cannot be written."""
        shape = (known[0] if known else more["x"]).shape
        names = [field.name for field in fields(cls)]
        images = dict(zip(names, known, strict=False)) | more
        nothing = {
            name: np.broadcast_to(_kind(name)(0 if name == "flags" else np.nan), shape)
            for name in names
        }
        return cls(**nothing | images)

    def rows(self, rows: slice) -> Answer:
        """Return some of the rows, as views."""
        return Answer(*(getattr(self, field.name)[rows] for field in fields(self)))

    def copy(self) -> Answer:
        """Return the same in memory of its own."""
        return Answer(*(getattr(self, field.name).copy() for field in fields(self)))


def blank(search: Search, shape: tuple[int, ...]) -> Answer:
    """Return an answer full of NaN, to be written to; the shift along an axis that is not searched cannot be."""
    ny, nx = search.shifts
    images: dict[str, Any] = {
        name: np.full(shape, 0 if name == "flags" else np.nan, _kind(name))
        for name in search.images[2:]
    }
    along = [
        np.full(shape, np.nan, np.float32) if wanted else np.broadcast_to(np.float32(0), shape)
        for wanted in (nx > 1 or ny == 1, ny > 1 or nx == 1)
    ]
    return Answer.of(along, **images)


def put(answer: Answer, top: int, left: int, out: Answer) -> None:
    """Write an answer into a `blank` one, from a row and a column on."""
    rows, columns = answer.x.shape
    for image in fields(Answer):
        whole = getattr(out, image.name)
        if whole.flags.writeable:
            whole[top : top + rows, left : left + columns] = getattr(answer, image.name)


def _kind(image: str) -> Any:
    return np.uint16 if image == "flags" else np.float32


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
