"""Starts from coarse to fine: a shift for a whole image, or a smooth field, from images binned by 2, 4, 8 ..

Large motion is small there. What the coarse searches get wrong is replaced by what their neighbours agree on.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from shiftfield.dense.plans import search_of
from shiftfield.dense.two_axes import search_2d
from shiftfield.engine import Answer
from shiftfield.inputs.frames import Frames
from shiftfield.inputs.weights import weights_of
from shiftfield.settings import Settings
from shiftfield.starts.binning import Image, binned
from shiftfield.starts.whole_shift import whole_shift
from shiftfield.stream.bands import Watch
from shiftfield.stream.pieces import Starts, starts_of
from shiftfield.stream.plan import make_plan

Real = NDArray[np.float64]
Size = tuple[int, int]
# px around zero, and around the shift of the whole, that the coarsest level looks at
_FARTHEST = 64
_FRAMES = 4  # that coarse levels look at, at most
_COARSEST = 8  # binning, at most
_ONE = 4  # binning that is fine enough for one start of the whole image
_WINDOW, _MARGIN = 15, 4  # px of each level; the coarsest takes the margin it needs
_LEAST = 3 * _WINDOW  # px a side of the smallest image that is worth a level
_SPACING = 3  # px of a level between its answers
_CELL = 8  # px that take one start at least, on a grid fixed to the image ..
_BLOCK = (8, 32)  # .. and cells that take one at most
_AGREE = 1.0  # px of a level from the median of the neighbours, beside the scatter of those
_ROWS = 16  # of which medians are taken at once, for the caches


@dataclass(frozen=True, slots=True)
class _Level:
    """One search of images binned by `binning`, and what its plan asks for."""

    binning: int
    size: Size
    settings: Settings

    def count(self, *, first: bool) -> int:
        """Return the number of its tiles."""
        plan = make_plan(
            search_of(self.settings, 1), self.size, backend_name="cpu", starts=None if first else (0, 0)
        )  # fmt: skip
        return plan.count()


@dataclass(frozen=True, slots=True, eq=False)
class _Field:
    """Shifts along y and x, px of the whole image, at every `pitch`-th of its pixels from `first` on."""

    shifts: tuple[Real, Real]
    pitch: float
    first: float


def found_starts(
    reference: Frames, sample: Frames, settings: Settings, watch: Watch, after: int
) -> tuple[Starts, int]:
    """Return starts for each pixel, and the number of tiles searched for them.

    Parameters
    ----------
    reference, sample : Frames
        Both inputs, NaN where they are masked.
    settings : Settings
        Its start is "pyramid", or "global" for one start of all pixels: the median of the field.
    watch : Watch
        Sees these tiles, with `after` more to come.

    Raises
    ------
    ValueError
        When the images are too small for a coarse level.
    """
    size, one = reference.size, settings.start == "global"
    levels = _levels(size, settings, _ONE if one else 1)
    counts = [level.count(first=not n) for n, level in enumerate(levels)]
    binnings = [level.binning for level in levels]
    images = [binned(frames, binnings, _FRAMES, watch.look) for frames in (reference, sample)]
    found = None
    for n, level in enumerate(levels):
        pair = images[0].pop(level.binning), images[1].pop(level.binning)
        part = watch.part(sum(counts[:n]), sum(counts[n + 1 :]) + after)
        found = _search(pair, level, found, part)
    assert found is not None
    if one:
        y, x = (float(np.median(shift)) for shift in found.shifts)
        return starts_of((x, y), size), sum(counts)
    return _starts(found, size, 1, settings.margin), sum(counts)


def _levels(size: Size, settings: Settings, finest: int) -> list[_Level]:
    """Return the levels from coarse to fine: down to binned by 2, or not at all where the images are small."""
    side = min(size)
    if side < _LEAST:
        raise ValueError(
            f"The images are {size[0]} x {size[1]} px; a search from coarse to fine needs at least {_LEAST} x "
            f"{_LEAST} px."
        )
    binning = 1
    while binning < _COARSEST and side // (2 * binning) >= 2 * _LEAST:
        binning *= 2
    found: list[_Level] = []
    while not found or (binning > 1 and binning >= finest):
        height, width = size[0] // binning, size[1] // binning
        room = (min(height, width) - _WINDOW) // 3
        margin = _MARGIN if found else min(-(-_FARTHEST // binning), room)
        plain = Settings(
            method="pearson", window=_WINDOW, margin=margin, step=_SPACING, device="cpu", ncore=settings.ncore
        )  # fmt: skip
        found.append(_Level(binning, (height, width), plain))
        binning //= 2
    return found


def _search(
    pair: tuple[Image, Image], level: _Level, before: _Field | None, watch: Watch
) -> _Field:
    """Return the field of one level, searched around the level before."""
    if before is not None:
        starts = _starts(before, level.size, level.binning, _MARGIN)
        answer = _answer(pair, level, starts, watch)
    else:
        answer = _answer(pair, level, None, watch)
        whole = whole_shift(*pair)
        if whole is not None and max(map(abs, whole)) > level.settings.margin // 2:
            around = starts_of((whole[1], whole[0]), level.size)
            answer = _better(answer, _answer(pair, level, around, replace(watch, progress=None)))
    y, x = (shift * level.binning for shift in _agreed(answer.y, answer.x, answer.score, watch))
    return _Field((y, x), _SPACING * level.binning, (level.binning - 1) / 2)


def _answer(
    pair: tuple[Image, Image], level: _Level, starts: Starts | None, watch: Watch
) -> Answer:
    """Return the answer of one search, with what is unknown left out and nobody warned."""
    reference, sample = Frames(pair[0], "The reference"), Frames(pair[1], "The sample")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a coarse level does not know is no news
        return search_2d(
            reference, sample, level.settings, watch, starts=starts,
            weights=weights_of(_known(pair[0]), _known(pair[1]), reference),
        )  # fmt: skip


def _known(pixels: Image) -> NDArray[np.bool_] | None:
    """Return which pixels are known, where some are not."""
    known: NDArray[np.bool_] = np.isfinite(pixels)
    return None if known.all() else known


def _better(one: Answer, other: Answer) -> Answer:
    """Return the answer of a higher score, pixel by pixel."""
    taken = np.isnan(one.score) | (other.score > one.score)
    return replace(
        one,
        **{name: np.where(taken, getattr(other, name), getattr(one, name)) for name in ("x", "y", "score")},
    )  # fmt: skip


def _agreed(y: Any, x: Any, score: Any, watch: Watch) -> tuple[Real, Real]:
    """Return shifts that are smooth and known everywhere: weak and odd ones give way to their neighbours."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter

    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return np.zeros(x.shape), np.zeros(x.shape)

    def nearest(image: Any) -> Any:
        at = distance_transform_edt(~good, return_distances=False, return_indices=True)
        return image[tuple(at)]

    usual = float(np.quantile(score[known], 0.9))  # where windows match, even if most look in vain
    good = known & (score >= min(0.5, 0.6 * usual))
    for _ in range(2):
        watch.look()
        middle = [_median(nearest(shift), 7) for shift in (y, x)]
        away = np.hypot(*(shift - m for shift, m in zip((y, x), middle, strict=True)))
        kept = good & (away <= _AGREE + 3 * _median(nearest(away), 7))
        if not kept.any():
            break
        good = kept
    smooth = [
        gaussian_filter(_median(nearest(shift), 3).astype(np.float64), 0.7, mode="nearest")
        for shift in (y, x)
    ]
    return smooth[0], smooth[1]


def _median(image: Any, side: int) -> Any:
    """Return the median of the square around each pixel, the image going on as it ends.

    A few rows at a time: twice as fast as `scipy.ndimage.median_filter`.
    """
    padded = np.pad(image, side // 2, mode="edge")
    around = sliding_window_view(padded, (side, side))
    middle = side * side // 2
    out = np.empty_like(image)
    for top in range(0, image.shape[0], _ROWS):
        part = around[top : top + _ROWS].reshape(-1, side * side)
        out[top : top + _ROWS] = np.partition(part, middle, axis=1)[:, middle].reshape(
            -1, image.shape[1]
        )
    return out


def _starts(field: _Field, size: Size, binning: int, margin: int) -> Starts:
    """Return starts for each pixel of an image binned by `binning`, of a field of the whole image."""
    cells = [
        np.minimum(np.arange(0, n, _CELL) + (_CELL - 1) / 2, n - 1) * binning + (binning - 1) / 2
        for n in size
    ]
    y, x = (_sampled(shift, field, cells) / binning for shift in field.shifts)
    height, width = size
    of_y, of_x = (
        part.repeat(_CELL, axis=0)[:height].repeat(_CELL, axis=1)[:, :width]
        for part in _in_blocks(y, x, _spread(margin))
    )
    return Starts(of_y, of_x)


def _spread(margin: int) -> int:
    """Return what the shifts of pixels of one start may differ by, px.

    The rest of the margin, 2 px and more, is for what the coarse field is wrong by.
    """
    return 2 * (margin - max(1, min(2, margin - 1)) - margin // 8)


def _in_blocks(y: Real, x: Real, spread: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return starts that are one for blocks of cells as large as can be where they differ by at most `spread` px.

    A large piece is searched faster than many small ones.
    """
    out = np.empty(y.shape, np.int32), np.empty(y.shape, np.int32)
    todo = [
        (slice(top, top + _BLOCK[0]), slice(left, left + _BLOCK[1]))
        for top in range(0, y.shape[0], _BLOCK[0])
        for left in range(0, y.shape[1], _BLOCK[1])
    ]
    while todo:
        block = todo.pop()
        parts = y[block], x[block]
        sizes = parts[0].shape
        if max(sizes) > 1 and max(np.ptp(part) for part in parts) > spread:
            varies = [max(np.ptp(part, axis=axis).max() for part in parts) for axis in (0, 1)]
            axis = int(sizes[0] == 1 or (sizes[1] > 1 and varies[1] >= varies[0]))
            pieces = int(np.clip(np.ceil(varies[axis] / max(spread, 1)), 2, sizes[axis]))
            ends = block[axis].start + np.arange(pieces + 1) * sizes[axis] // pieces
            for a, b in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
                todo.append((slice(a, b), block[1]) if axis == 0 else (block[0], slice(a, b)))
            continue
        for part, whole in zip(parts, out, strict=True):
            whole[block] = np.rint((part.min() + part.max()) / 2)
    return out


def _sampled(shifts: Real, field: _Field, at: list[Real]) -> Real:
    """Return the shifts of a field at rows and columns of the whole image, px, linear between its places."""
    places = [
        np.clip((n - field.first) / field.pitch, 0, size - 1)
        for n, size in zip(at, shifts.shape, strict=True)
    ]
    low = [place.astype(int) for place in places]
    high = [np.minimum(n + 1, size - 1) for n, size in zip(low, shifts.shape, strict=True)]
    v, u = places[0] - low[0], places[1] - low[1]
    by_row = shifts[low[0]] * (1 - v)[:, None] + shifts[high[0]] * v[:, None]
    found: Real = by_row[:, low[1]] * (1 - u) + by_row[:, high[1]] * u
    return found
