"""`Prober`: probes pixels of one search; what is known of the whole images is found once.

The scores are those of the reference backend, float64; what is read of the images is decided in `block`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from shiftfield.checks.judge import Evidence, judged
from shiftfield.dense.patches import apart_of
from shiftfield.dense.plans import check_room, search_of
from shiftfield.dense.two_axes import measured
from shiftfield.engine import Search
from shiftfield.engine.joint import Maps
from shiftfield.engine.reference import ReferenceBackend, maps_of_pixel
from shiftfield.inputs.frames import pair
from shiftfield.inputs.weights import NO_WEIGHTS, unmasked_frames, weights_of
from shiftfield.peaks.surface import fit_at
from shiftfield.probing.block import block_of, inside
from shiftfield.probing.probed import Probe
from shiftfield.quality import Quality
from shiftfield.search.one_call import USUAL
from shiftfield.settings import Settings, Thresholds, check_integer, check_thresholds, shown

_Place = tuple[int, int]
_NUMBERS = (
    "score", "transmission", "dark_field", "uncertainty_x", "uncertainty_y", "second_peak",
)  # fmt: skip


class Prober:
    """Probes many pixels of one search: what is known of the whole images is found once.

    Parameters
    ----------
    reference, sample : array_like, shape (H, W) or (K, H, W)
        As in `find_shift_field`.
    settings : Settings
        Of the search; `step`, `device`, `ncore` and `memory` change nothing.
    thresholds : Thresholds
        What a pixel must pass.
    weights : pair of array_like or None
        Of the pixels of reference and sample.
    """

    def __init__(
        self, reference: Any, sample: Any, settings: Settings, thresholds: Thresholds = USUAL,
        weights: tuple[Any, Any] = (None, None),
    ) -> None:  # fmt: skip
        self.images = pair(reference, sample)
        frames, height, width = self.images[0].shape
        if settings.search == "1d" and frames > 1:
            raise ValueError(
                "search is '1d'; only the pixels of a 2-D search can be probed (search='2d')."
            )
        check_room((height, width), settings)
        self.settings, self.limits = settings, check_thresholds(thresholds)
        self.weights = weights_of(*weights, self.images[0])
        self._search: Search | None = None

    def at(
        self,
        row: int,
        column: int,
        start: tuple[float, float] | None = None,
        look: Callable[[], None] = lambda: None,
    ) -> Probe:
        """Return what the search sees at one pixel; `look` is called now and then, and may raise to stop."""
        size = self.images[0].size
        sy, sx = _whole(start, size)
        place = self._checked(row, column)
        look()
        search = self._measured((sy, sx))
        tile, block = block_of(search, self.images, self.weights, place, (sy, sx))
        area = block.reference.astype(np.float64)
        if block.weights is not None:
            area = np.where(block.weights[0] > 0, area, np.nan)
        if not self.settings.quality:
            search = replace(search, apart=apart_of(area[None]))
        maps = maps_of_pixel(search, block, look)
        answer = ReferenceBackend().answer(search, tile, block, maps)
        unseen = Evidence(*(np.full((1, 1), np.nan, np.float32) for _ in range(2)))
        against = judged(answer, search.method, unseen, self.limits)
        scores = maps.score[0, 0]
        first, places = (sx - search.margin[1], sy - search.margin[0]), _peaks(search, maps)
        best, second = (p and (first[0] + p[1], first[1] + p[0]) for p in places)
        numbers = {name: float(getattr(answer, name)[0, 0]) for name in _NUMBERS}
        return Probe(
            row=place[0], column=place[1],
            window=inside(block.sample, place, search.radius, size),
            area=inside(area, (place[0] + sy, place[1] + sx), search.reach, size),
            scores=scores, first=first, best=best, second=second,
            fit=places[0] and fit_at(scores, *places[0], search.peak, search.peak_size),
            x=float(answer.x[0, 0] + np.float32(sx)), y=float(answer.y[0, 0] + np.float32(sy)),
            **numbers, against=Quality(int(against[0, 0])), settings=self.settings,
        )  # fmt: skip

    def _checked(self, row: int, column: int) -> tuple[int, int]:
        height, width = self.images[0].size
        row, column = check_integer("row", row, None), check_integer("column", column, None)
        if not (0 <= row < height and 0 <= column < width):
            raise ValueError(
                f"The images have {height} rows and {width} columns; ({row}, {column}) is none of their pixels."
            )
        return row, column

    def _measured(self, start: tuple[int, int]) -> Search:
        """Return the search with what is known of the whole images only; it is found once."""
        if self._search is None:
            settings = self.settings
            search = replace(
                search_of(settings, self.images[0].shape[0]), step=1,
                beyond=settings.borders == "partial", weighted=self.weights != NO_WEIGHTS,
            )  # fmt: skip
            known = unmasked_frames(self.images, self.weights)
            self._search = replace(measured(search, known, settings, start), quality=True)
        return self._search


def _whole(start: Any, size: tuple[int, int]) -> tuple[int, int]:
    """Return a start (x, y) as whole px (y, x); a ValueError when it is no pair, or leads out of every image."""
    if start is None:
        return 0, 0
    try:
        x, y = (float(part) for part in start)
        whole = round(y), round(x)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"start is {shown(start)}; allowed are None and a pair (x, y) of numbers, px, for this one pixel."
        ) from error
    if any(abs(by) > n for by, n in zip(whole, size, strict=True)):
        raise ValueError(
            f"start is {shown(start)}; it must be no longer than the images, {size[1]} px along x and "
            f"{size[0]} px along y."
        )
    return whole


def _peaks(search: Search, maps: Maps) -> tuple[_Place | None, _Place | None]:
    """Return where (row, column) in the map the best score is, and the best one away from it."""
    usable = maps.compete[0, 0] & ~np.isnan(maps.score[0, 0])
    ranked = np.where(usable, maps.score[0, 0], -np.inf)
    if not usable.any() or not ranked.max() > ranked.min(where=usable, initial=np.inf):
        return None, None
    best = divmod(int(ranked.argmax()), ranked.shape[1])
    near = [
        np.abs(np.arange(n) - at) <= search.apart for n, at in zip(ranked.shape, best, strict=True)
    ]
    ranked[np.outer(*near)] = -np.inf
    second = divmod(int(ranked.argmax()), ranked.shape[1])
    return best, second if ranked[second] > -np.inf else None
