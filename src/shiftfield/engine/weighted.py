"""A tile whose pixels have weights, on the CPU: what the usual loops answer, and what needs joint weights.

A pixel far from any weight but 1 gets the usual answer, to the bit; only the others are computed here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.engine import coverage
from shiftfield.engine.base import ROUNDING, Answer, Block, Real, Search, Stop, Tile, blank, put
from shiftfield.engine.kernels import prepare, weighted
from shiftfield.engine.kernels.lanes import WIDTH, aligned
from shiftfield.engine.kernels.scores import CODES
from shiftfield.engine.marks import marked, ratio
from shiftfield.engine.side import levels_of
from shiftfield.peaks.fits import refine
from shiftfield.peaks.locate import first_of_window
from shiftfield.quality import Quality

Float = NDArray[np.float64]
Flags = NDArray[np.bool_]
_ROWS, _COLUMNS = 64, 64  # of a piece: an image of products then stays in the first cache
_KEPT = 8_000_000  # bytes of scores kept for the peak fit

Run = Callable[[Search, Tile, Block, Stop], Answer]


def run(search: Search, tile: Tile, block: Block, stop: Stop, usual: Run) -> Answer:
    """Compute one tile; `usual` computes one whose pixels all have the weight 1."""
    assert block.weights is not None
    step, (height, width) = search.step, (tile.y1 - tile.y0, tile.x1 - tile.x0)
    rows = np.arange(-tile.y0 % step, height, step)
    columns = np.arange(-tile.x0 % step, width, step)
    out = blank(search, (rows.size, columns.size))
    near = _in_reach(search, block.weights, height, width)
    wanted = near[np.ix_(rows, columns)]
    if not wanted.all():
        inner = block.inside or tile
        _place(usual(search, inner, _within(block, tile, inner), stop), tile, inner, step, out)
    for image in fields(Answer):
        if getattr(out, image.name).flags.writeable:
            getattr(out, image.name)[wanted] = 0 if image.name == "flags" else np.nan
    if wanted.any():
        joint = _JointWeights(search, tile, block, stop)
        for piece in joint.pieces(near):
            joint.answer(piece, near, out)
        if search.quality:
            _mark_quality(search, tile, block, wanted, out)
        if block.around is not None and not stop.is_set():
            _refine(search, tile, block, wanted, out, stop)
    return out


def _mark_quality(search: Search, tile: Tile, block: Block, wanted: Flags, out: Answer) -> None:
    """Write what is seen of the wanted pixels besides their second peaks."""
    found = marked(search, tile, block, out)
    for name in ("texture", "flags"):
        getattr(out, name)[wanted] = getattr(found, name)[wanted]


def _refine(
    search: Search, tile: Tile, block: Block, wanted: Flags, out: Answer, stop: Stop
) -> None:
    """Refine the wanted pixels of an answer under joint weights."""
    from shiftfield.engine.refinement import refined  # with SciPy's filters

    mine = replace(out, x=np.where(wanted, out.x, np.nan), y=np.where(wanted, out.y, np.nan))
    found = refined(search, tile, block, mine, stop)
    for name in search.images:
        getattr(out, name)[wanted] = getattr(found, name)[wanted]


def _in_reach(search: Search, weights: tuple[Real, Real], height: int, width: int) -> Flags:
    """Return the pixels (height, width) whose search sees a weight that is not 1."""
    near = np.zeros((height, width), np.uint8)
    (tall, wide), (ny, nx) = search.window, search.shifts
    for of, size in zip(weights, ((tall + ny - 1, wide + nx - 1), (tall, wide)), strict=True):
        _mark(np.any(of != 1, axis=0), size, near)
    return near.view(np.bool_)


def _mark(pixels: Flags, size: tuple[int, int], out: NDArray[np.uint8]) -> None:
    """Set `out` where a window of some size holds one of the pixels."""
    if pixels.any():
        prepare.windows_with_spoilt(pixels.astype(np.uint8), *size, out.shape[1], out.reshape(-1))


def _within(block: Block, tile: Tile, inner: Tile) -> Block:
    """Return the pixels that a part of a tile needs, without weights."""
    if inner == tile:
        return replace(block, weights=None, inside=None)
    top, left = inner.y0 - tile.y0, inner.x0 - tile.x0
    bottom, right = inner.y1 - tile.y1, inner.x1 - tile.x1

    def cut(frames: Any) -> Any:
        return frames[:, top : frames.shape[1] + bottom, left : frames.shape[2] + right]

    ref, sam = cut(block.reference), cut(block.sample)
    around = block.around and (cut(block.around[0]), cut(block.around[1]))
    return Block(ref, sam, ref, sam, around)


def _place(answer: Answer, tile: Tile, inner: Tile, step: int, out: Answer) -> None:
    """Write the answer of a part of a tile where it belongs in that of the tile."""
    top = -(-inner.y0 // step) - -(-tile.y0 // step)
    left = -(-inner.x0 // step) - -(-tile.x0 // step)
    put(answer, top, left, out)


class _Side:
    """One image under its weights.

    Attributes
    ----------
    level, scale : float
        What is taken off each pixel, and what the rest is multiplied by.
    images : ndarray, (P, n)
        Of each pixel its weight m, m v and m v^2, v its scaled distance from the level: of each frame where
        they differ in weights (`apart`), else means over the frames, and then the m v of each, times `share`.
        Last, where weights are `graded` (not only 0 and 1), whether a pixel takes part.
    spoilt : ndarray of bool, (h, w)
        Pixels that take part and are no numbers.
    """

    def __init__(
        self, pixels: Real, weights: Real, pitch: int, *, share: float, apart: bool, graded: bool
    ) -> None:
        _, rows, columns = pixels.shape
        pixels = pixels.astype(np.float64)
        known = np.isfinite(pixels)
        taken = weights > 0
        self.spoilt: Flags = np.any(taken & ~known, axis=0)
        known &= taken
        lines = known.any(axis=(0, 2))
        level, distance, _ = levels_of(np.where(known, pixels, np.nan)[:, lines])
        self.level, self.scale = level, 1 / distance if 0 < distance < np.inf else 1.0
        v = np.where(known, (pixels - level) * self.scale, 0.0)
        m = np.broadcast_to(weights, pixels.shape if apart else weights.shape).astype(np.float64)
        first = m * v
        if apart:
            images = [m, first, first * v]
        else:
            images = [m, first.mean(axis=0)[None], (first * v).mean(axis=0)[None], first * share]
        if graded:
            images.append((m > 0).astype(np.float64))
        self.images = aligned(
            (sum(len(one) for one in images), rows * pitch + pitch + 4 * WIDTH), np.float64
        )
        self.images[...] = 0
        at = 0
        for one in images:
            place = self.images[at : at + len(one), : rows * pitch]
            place.reshape(len(one), rows, pitch)[:, :, :columns] = one
            at += len(one)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Pixels `[top, top + rows) x [left, left + columns)` of a tile."""

    top: int
    left: int
    rows: int
    columns: int


class _JointWeights:
    """The search of a tile under the weights of both sides."""

    def __init__(self, search: Search, tile: Tile, block: Block, stop: Stop) -> None:
        assert block.weights is not None
        self.search, self.tile, self.stop, self.method = search, tile, stop, CODES[search.method]
        self.height, self.width = tile.y1 - tile.y0, tile.x1 - tile.x0
        of_r, of_s = block.weights
        apart = search.frames > 1 and max(len(of_r), len(of_s)) > 1
        graded = any(bool(((of > 0) & (of < 1)).any()) for of in block.weights)
        self.pitch = block.reference.shape[2] + _COLUMNS + 2 * WIDTH
        self.ref, self.sam = (
            _Side(pixels, of, self.pitch, share=share, apart=apart, graded=graded)
            for pixels, of, share in (
                (block.reference, of_r, 1.0),
                (block.sample, of_s, 1 / search.frames),
            )
        )
        self.none = np.zeros((self.height, self.width), np.uint8)
        (tall, wide), (ny, nx) = search.window, search.shifts
        _mark(self.sam.spoilt, (tall, wide), self.none)
        _mark(self.ref.spoilt, (tall + ny - 1, wide + nx - 1), self.none)
        self.terms = _terms(search.frames, apart=apart, graded=graded)
        self.kept = {"pearson": 1, "umpa": 2, "umpa_dark": 3}[search.method]
        wy, wx = search.weights
        box = search.is_box
        self.window_weights = (None, None) if box else (wy, wx)
        share = (search.frames if apart else 1) * (wy.size * wx.size if box else 1)
        self.numbers = np.array([
            coverage.to_compete(search.coverage), 1 / share,
            self.sam.level * self.sam.scale, self.ref.level * self.ref.scale,
            (ROUNDING * self.sam.level * self.sam.scale) ** 2,
            (ROUNDING * self.ref.level * self.ref.scale) ** 2,
            search.reference_mean * self.ref.scale,
            coverage.to_object(search.coverage),
        ])  # fmt: skip

    def pieces(self, near: Flags) -> Iterator[_Piece]:
        """Yield the parts of the tile in which a pixel is near a weight that is not 1."""
        cy, nx = min(self.search.peak_size, self.search.shifts[0]), self.search.shifts[1]
        tall = max(_ROWS, 2 * self.search.window[0])
        tall = max(min(tall, _KEPT // (8 * self.kept * cy * nx * _COLUMNS)), 1)
        for top in range(0, self.height, tall):
            for left in range(0, self.width, _COLUMNS):
                if near[top : top + tall, left : left + _COLUMNS].any():
                    yield _Piece(top, left, min(tall, self.height - top), _COLUMNS)

    def answer(self, piece: _Piece, near: Flags, out: Answer) -> None:
        """Write the answers of a piece's wanted pixels that are `near` a weight that is not 1."""
        search, step = self.search, self.search.step
        (ny, nx), size = search.shifts, search.peak_size
        cy, cx = min(size, ny), min(size, nx)
        found = self._try_shifts(piece, cy, cx)
        first_row, first_column = self.tile.y0 + piece.top, self.tile.x0 + piece.left
        columns = min(piece.columns, self.width - piece.left)
        y = np.arange(-first_row % step, piece.rows, step)
        x = np.arange(-first_column % step, columns, step)
        y, x = (axis.ravel() for axis in np.meshgrid(y, x, indexing="ij"))
        mine = near[piece.top + y, piece.left + x]
        y, x = y[mine], x[mine]
        at = y * piece.columns + x
        low, images = self._read(found, at, self.none[piece.top + y, piece.left + x] != 0, cy, cx)
        place = (
            (piece.top + y - -self.tile.y0 % step) // step,
            (piece.left + x - -self.tile.x0 % step) // step,
        )
        for name, image in zip(search.images, images, strict=False):
            getattr(out, name)[place] = image
        out.flags[place] |= np.where(low, np.uint16(Quality.LOW_COVERAGE), np.uint16(0))
        if search.quality:
            out.second_peak[place] = self._second_peak(piece, found, at, images[2])

    def _second_peak(
        self, piece: _Piece, found: _Found, at: NDArray[np.intp], score: Float
    ) -> Float:
        """Return the best score away from the best shift over the score itself, of the pixels `at`."""
        (ny, nx), apart = self.search.shifts, self.search.apart + 0.5
        rows, columns = (
            part.astype(np.float64) for part in np.divmod(np.maximum(found.index, 0), nx)
        )
        away = rows, columns, np.arange(max(ny, nx), dtype=np.float64), np.array([apart**2])
        second = self._try_shifts(piece, 1, 1, away).best[at]
        return ratio(self.search.method, score, second)

    def _try_shifts(self, piece: _Piece, cy: int, cx: int, away: Any = None) -> _Found:
        search, pixels = self.search, piece.rows * piece.columns
        found = _Found(
            np.full(pixels, -np.inf), np.full(pixels, np.inf), np.full(pixels, -np.inf),
            np.zeros(pixels), np.full(pixels, -1, np.int32), np.full((self.kept, cy * cx * pixels), np.nan),
        )  # fmt: skip
        ny, nx = search.shifts
        weighted.try_shifts(
            self.method, self.ref.images, self.sam.images, self.terms, self.pitch, piece.top, piece.left,
            piece.rows, piece.columns, *search.window, *self.window_weights, ny, nx, cy, cx,
            self.tile.y0 + piece.top, search.step, self.numbers,
            weighted.workspace(
                len(self.terms), self.kept, piece.rows, piece.columns, search.window, nx, cy
            ),
            found.best, found.least, found.rival, found.covered, found.index, found.around, self.stop.flag,
            away,
        )  # fmt: skip
        return found

    @np.errstate(all="ignore")  # shifts without a score, which are NaN
    def _read(
        self, found: _Found, at: NDArray[np.intp], none: Flags, cy: int, cx: int
    ) -> tuple[Flags, list[Float]]:
        """Return where coverage is too low, and (x, y, score, T, V), as many as known, of the pixels `at`."""
        search, (ny, nx), size = self.search, self.search.shifts, self.search.peak_size
        index, best = found.index[at], found.best[at]
        known = (index >= 0) & (best > found.least[at])
        py, px = np.divmod(np.maximum(index, 0), nx)
        top, left = first_of_window(py, ny, cy), first_of_window(px, nx, cx)
        y, x = py - top, px - left
        around = found.around.reshape(self.kept, cy, cx, -1)[..., at]
        fits = ny >= size and nx >= size
        inner_y, inner_x = fits & (py > 0) & (py < ny - 1), fits & (px > 0) & (px < nx - 1)
        dx, dy = refine(around[0], x, y, inner_x, inner_y, search.peak)
        low = ~(found.covered[at] > self.numbers[0]) | (found.rival[at] > best)
        images = [px + dx - nx // 2, py + dy - ny // 2, best]
        ry, rx = (np.clip(np.rint(peak).astype(np.intp), 0, n - 1)
                  for peak, n in ((y + dy, cy), (x + dx, cx)))  # fmt: skip
        for n, gain in ((1, self.ref.scale / self.sam.scale), (2, 1.0)):
            if self.kept > n:
                images.append(np.abs(around[n, ry, rx, np.arange(at.size)]) * gain)
                known &= np.isfinite(images[-1])
        known &= ~(none | low)
        return low, [np.where(known, image, np.nan) for image in images]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the loops find for each pixel of a piece."""

    best: Float
    least: Float
    rival: Float
    covered: Float
    index: NDArray[np.int32]
    around: Float


def _terms(frames: int, *, apart: bool, graded: bool) -> NDArray[np.int64]:
    """Return which images of `_Side` are multiplied, and how many are added up, for each windowed sum."""
    many = frames if apart else 1
    weight, value, square = 0, many, 2 * many
    each = value if apart else 3
    present = 3 * many if apart else 3 + frames
    terms = [
        (weight, weight, many), (value, weight, many), (weight, value, many), (square, weight, many),
        (weight, square, many), (each, each, frames),
    ]  # fmt: skip
    return np.array([*terms, (present, present, many)] if graded else terms)
