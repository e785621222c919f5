"""Starts from coarse to fine: a shift for a whole image, or a smooth field, from images binned by 2, 4, 8 ..

Large motion is small there. What the coarse searches get wrong is replaced by what their neighbours agree on.
"""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield.dense import search_2d
from shiftfield.frames import Frames
from shiftfield.settings import Settings
from shiftfield.starts import Starts
from shiftfield.stream import Watch
from shiftfield.weights import weights_of

Real = NDArray[np.float64]
_FARTHEST = 64  # px: motion that is found however small the margin
_FRAMES = 4  # that coarse levels look at, at most
_COARSEST = 8  # binning, at most
_WINDOW, _MARGIN = 15, 4  # px of each level; the coarsest takes the margin it needs
_LEAST = 3 * _WINDOW  # px a side of the smallest image that is worth a level
_SPACING = 3  # px of a level between its answers
_BLOCK, _SMALLEST = (
    (64, 256),
    8,
)  # px of the blocks that take one start, on a grid fixed to the image
_AGREE = 1.0  # px of a level from the median of the neighbours, beside the scatter of those


def pyramid_starts(reference: Frames, sample: Frames, settings: Settings, watch: Watch) -> Starts:
    """Return starts for each pixel, from coarse to fine.

    Raises
    ------
    ValueError
        When the images are too small for a coarse level.
    """
    coarse = _coarse_field(reference, sample, settings, watch)
    height, width = reference.size
    x, y = (_sampled(part, np.arange(height), np.arange(width), 1) for part in coarse)
    return Starts(*_in_blocks(y, x, 2 * (settings.margin // 2)))


def global_start(reference: Frames, sample: Frames, settings: Settings, watch: Watch) -> Starts:
    """Return one start for the whole image: the median of the field from coarse to fine; errors as there."""
    coarse = _coarse_field(reference, sample, settings, watch)
    x, y = (int(np.rint(np.median(part.shifts))) for part in coarse)
    one = [np.broadcast_to(np.int32(shift), reference.size) for shift in (y, x)]
    return Starts(*one)


def _in_blocks(y: Real, x: Real, spread: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return starts that are one for blocks as large as can be where they differ by at most `spread` px.

    The margin has room for what differs, and a large piece is searched faster than many small ones.
    """
    out = np.empty(y.shape, np.int32), np.empty(y.shape, np.int32)
    todo = [
        (slice(top, top + _BLOCK[0]), slice(left, left + _BLOCK[1]))
        for top in range(0, y.shape[0], _BLOCK[0])
        for left in range(0, y.shape[1], _BLOCK[1])
    ]
    while todo:
        rows, columns = block = todo.pop()
        sizes = rows.stop - rows.start, columns.stop - columns.start
        if max(sizes) > _SMALLEST and max(np.ptp(part[block]) for part in (y, x)) > spread:
            axis = int(sizes[1] >= sizes[0])
            middle = (block[axis].start + block[axis].stop) // 2
            for half in (slice(block[axis].start, middle), slice(middle, block[axis].stop)):
                piece = (half, columns) if axis == 0 else (rows, half)
                if y[piece].size:
                    todo.append(piece)
            continue
        for part, whole in zip((y, x), out, strict=True):
            whole[block] = np.rint((part[block].min() + part[block].max()) / 2)
    return out


class _Field:
    """Shifts along one axis, px of the whole image, at every `pitch`-th of its pixels from `first` on."""

    def __init__(self, shifts: Real, pitch: float, first: float) -> None:
        self.shifts, self.pitch, self.first = shifts, pitch, first


def _coarse_field(
    reference: Frames, sample: Frames, settings: Settings, watch: Watch
) -> tuple[_Field, _Field]:
    """Return (x, y) of the finest coarse level: binned by 2, or not at all where the images are small."""
    side = min(reference.size)
    if side < _LEAST:
        raise ValueError(
            f"The images are {reference.size[0]} x {reference.size[1]} px; a search from coarse to fine needs "
            f"at least {_LEAST} x {_LEAST} px."
        )
    binning = 1
    while binning < _COARSEST and side // (2 * binning) >= 2 * _LEAST:
        binning *= 2
    found = None
    while found is None or binning > 1:
        coarse_pair = _binned(reference, binning, watch), _binned(sample, binning, watch)
        found = _search(coarse_pair, binning, found, settings, watch)
        binning //= 2
    return found


def _search(
    pair: tuple[Real, Real], binning: int, before: tuple[_Field, _Field] | None,
    settings: Settings, watch: Watch,
) -> tuple[_Field, _Field]:  # fmt: skip
    """Return (x, y) of one level, searched around the level before."""
    reference, sample = pair
    height, width = reference.shape[1:]
    room = (min(height, width) - _WINDOW) // 3
    margin = min(-(-_FARTHEST // binning), room) if before is None else _MARGIN
    weights = weights_of(_known(reference), _known(sample), Frames(reference, "The reference"))
    starts = None
    if before is not None:
        rows, columns = np.arange(height), np.arange(width)
        x, y = (_sampled(part, rows, columns, binning) / binning for part in before)
        starts = Starts(*_in_blocks(y, x, 2 * (_MARGIN // 2)))
    plain = Settings(
        method="pearson", window=_WINDOW, margin=margin, step=_SPACING, device="cpu", ncore=settings.ncore
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a coarse level does not know is no news
        answer = search_2d(
            Frames(reference, "The reference"), Frames(sample, "The sample"), plain,
            replace(watch, progress=None), starts=starts, weights=weights,
        )  # fmt: skip
    x, y = _agreed(answer.x, answer.y, answer.score)
    first = (binning - 1) / 2
    return tuple(_Field(part * binning, _SPACING * binning, first) for part in (x, y))  # type: ignore[return-value]


def _known(pixels: Real) -> NDArray[np.bool_] | None:
    """Return which pixels are known, where some are not."""
    known: NDArray[np.bool_] = np.isfinite(pixels)
    return None if known.all() else known


def _agreed(x: Any, y: Any, score: Any) -> tuple[Real, Real]:
    """Return shifts that are smooth and known everywhere: weak and odd ones give way to their neighbours."""
    from scipy.ndimage import distance_transform_edt, gaussian_filter, median_filter

    known = np.isfinite(x) & np.isfinite(y)
    if not known.any():
        return np.zeros(x.shape), np.zeros(x.shape)
    good = known & (score >= min(0.5, float(np.median(score[known]))))
    for _ in range(2):
        nearest = tuple(distance_transform_edt(~good, return_distances=False, return_indices=True))
        filled = [part[nearest].astype(np.float64) for part in (x, y)]
        middle = [median_filter(part, 7, mode="nearest") for part in filled]
        away = np.hypot(*(part - m for part, m in zip((x, y), middle, strict=True)))
        usual = median_filter(np.where(good, away, 0)[nearest], 7, mode="nearest")
        kept = good & (away <= _AGREE + 3 * usual)
        if not kept.any():
            break
        good = kept
    nearest = tuple(distance_transform_edt(~good, return_distances=False, return_indices=True))
    smooth = [
        gaussian_filter(median_filter(part[nearest].astype(np.float64), 3, mode="nearest"), 0.7, mode="nearest")
        for part in (x, y)
    ]  # fmt: skip
    return smooth[0], smooth[1]


def _sampled(field: _Field, rows: Any, columns: Any, binning: int) -> Real:
    """Return a field at rows and columns of an image binned by `binning`, linear between its places."""
    places = [
        np.clip((n * binning + (binning - 1) / 2 - field.first) / field.pitch, 0, size - 1)
        for n, size in zip((rows, columns), field.shifts.shape, strict=True)
    ]
    last = [size - 1 for size in field.shifts.shape]
    low = [
        np.minimum(place.astype(int), max(n - 1, 0)) for place, n in zip(places, last, strict=True)
    ]
    high = [np.minimum(n + 1, end) for n, end in zip(low, last, strict=True)]
    v, u = places[0] - low[0], places[1] - low[1]
    by_row = field.shifts[low[0]] * (1 - v)[:, None] + field.shifts[high[0]] * v[:, None]
    found: Real = by_row[:, low[1]] * (1 - u) + by_row[:, high[1]] * u
    return found


def _binned(frames: Frames, binning: int, watch: Watch) -> Real:
    """Return some of the frames with squares of pixels averaged; what is over at the ends is left out.

    Of the pixels that are known; NaN where none is.
    """
    count, height, width = frames.shape
    chosen = np.unique(np.linspace(0, count - 1, min(count, _FRAMES)).round().astype(int))
    tall, wide = height // binning, width // binning
    out = np.empty((chosen.size, tall, wide), np.float32)
    at_once = max(1, 4_000_000 // (count * width * binning))
    for top in range(0, tall, at_once):
        watch.look()
        bottom = min(top + at_once, tall)
        band = frames.rows(top * binning, bottom * binning)[chosen, :, : wide * binning]
        squares = band.reshape(chosen.size, bottom - top, binning, wide, binning)
        known = np.isfinite(squares)
        total = np.where(known, squares, 0).sum(axis=(2, 4), dtype=np.float64)
        count_known = known.sum(axis=(2, 4))
        out[:, top:bottom] = np.where(count_known > 0, total / np.maximum(count_known, 1), np.nan)
    return out  # type: ignore[return-value]
