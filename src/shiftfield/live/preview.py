"""The field of a part of an image, soon rather than to the last bit: for those who look while they choose.

The part that has to be read, how coarse it must be to be soon, and the search; nothing here draws.
"""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, log2
from statistics import median_low
from typing import Any

from shiftfield.dense.two_axes import ROWS_ALONE
from shiftfield.engine.base import SPLINE
from shiftfield.field import ShiftField
from shiftfield.inputs.frames import pair
from shiftfield.inputs.weights import weights_of
from shiftfield.search.one_call import USUAL, field_of
from shiftfield.settings import Settings, Thresholds
from shiftfield.stream.bands import Watch

_SHARES = {1: 1.0, 2: 0.6, 4: 0.4, 8: 0.3, 16: 0.25}  # cost at a step, px, over that at step 1
_STEPS = (*_SHARES, 32, 48, 64, 96, 128)  # px
_ALONE = 6.0  # what a row alone costs, over a row among others
_REMEMBERED = 3  # times of each step, so that one that was held up counts for nothing
_AGAIN = 25  # answers after which a finer step may be tried anew
_USUAL = 3e-7  # s for a pixel, window 7, margin 10, one frame, before anything was measured


@dataclass(frozen=True, slots=True)
class Part:
    """Rows [top, bottom) and columns [left, right) of an image, px."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """(rows, columns)."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns), px."""
        return self.bottom - self.top, self.right - self.left


def part_to_read(part: Part, settings: Settings, shape: tuple[int, int]) -> Part:
    """Return what of an image of `shape` a search of `part` has to read.

    It begins at a multiple of the step, so that the pixels of a field do not move when the part does.
    """
    far = settings.window // 2 + settings.margin
    far += SPLINE if settings.refine or settings.uncertainty else 0
    step = settings.step
    return Part(
        max((part.top - far) // step * step, 0),
        min(part.bottom + far, shape[0]),
        max((part.left - far) // step * step, 0),
        min(part.right + far, shape[1]),
    )


def field_of_part(
    reference: Any,
    sample: Any,
    settings: Settings,
    *,
    thresholds: Thresholds = USUAL,
    weights: Mapping[str, Any] | None = None,
    cancel: Any = None,
) -> ShiftField:
    """Find the field of pixels that were cut out, (H, W) or (K, H, W); px, (x, y), sample to reference.

    As `find_shift_field`, without its warnings; the last bits are others, for other tiles are searched.

    Parameters
    ----------
    reference, sample : array_like, shape (H, W) or (K, H, W)
        The same part of both, with what `part_to_read` adds.
    settings, thresholds : Settings, Thresholds
        What to search for; a `start` of "given" is not allowed.
    weights : mapping, optional
        "reference_weights" and "sample_weights" of the same part, as in `find_shift_field`.
    cancel : callable or object with `is_set`, optional
        Asked between tiles; when true, `Cancelled` is raised.

    Raises
    ------
    ValueError
        When the part is smaller than window + 2 margin, or an input is not allowed.
    Cancelled
        When `cancel` asked for it.
    """
    ref, sam = pair(reference, sample)
    given = {name: (weights or {}).get(name) for name in ("reference_weights", "sample_weights")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return field_of(
            ref, sam, settings, Watch(None, cancel), weights=weights_of(**given, images=ref),
            limits=thresholds, soon=True,
        )  # fmt: skip


class Pace:
    """How coarse a field must be to be there in time, learnt from those that were made."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._found: dict[Settings, dict[int, deque[float]]] = {}
        self._made = 0

    def step(self, pixels: int, frames: int, settings: Settings) -> int:
        """Return the least step, px, at least that of the settings, that is expected to be in time."""
        found = self._found.get(_kind(settings), {})
        allowed = [step for step in _STEPS if step >= settings.step] or [settings.step]
        for step in allowed:
            guessed = pixels * _guess(frames, settings) * _share(step)
            if guessed * _factor(found, step) <= self._seconds:
                return step
        return allowed[-1]

    def learn(self, pixels: int, frames: int, settings: Settings, seconds: float) -> None:
        """Remember how long a field of so many pixels took, with the step in its settings."""
        guessed = pixels * _guess(frames, settings) * _share(settings.step)
        found = self._found.setdefault(_kind(settings), {})
        found.setdefault(settings.step, deque(maxlen=_REMEMBERED)).append(
            seconds / max(guessed, 1e-9)
        )
        self._made += 1
        if self._made % _AGAIN == 0:  # the machine may have other things to do no more
            for finer in [step for step in found if step < settings.step]:
                del found[finer]


def _factor(found: dict[int, deque[float]], step: int) -> float:
    """Return what a step took over what was guessed; of steps never made, what the nearest one took."""
    if not found:
        return 1.0
    nearest = min(found, key=lambda other: abs(log2(other / step)))
    return median_low(found[nearest])


def _kind(settings: Settings) -> Settings:
    """Return the settings without those whose cost is guessed well."""
    return replace(settings, step=1, window=7, margin=10)


def _guess(frames: int, settings: Settings) -> float:
    """Return the seconds for a pixel before anything was measured."""
    shifts = ((2 * settings.margin + 1) / 21) ** 2
    longer = 4 if settings.quality or settings.start else 1
    longer *= 6 if settings.refine or settings.uncertainty else 1
    return _USUAL * shifts * max(1.0, frames / 3) * longer * max(1.0, settings.window / 21)


def _share(step: int) -> float:
    """Return the cost of a pixel of the image at a step, over that at step 1."""
    if step >= ROWS_ALONE:
        return _ALONE / step
    return _SHARES[max(known for known in _SHARES if known <= step)]


def grid(part: Part, read: Part, step: int) -> tuple[slice, slice]:
    """Return which (rows, columns) of the field of what was read belong to a part."""
    rows = slice(ceil((part.top - read.top) / step), ceil((part.bottom - read.top) / step))
    columns = slice(ceil((part.left - read.left) / step), ceil((part.right - read.left) / step))
    return rows, columns
