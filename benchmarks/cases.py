"""The table of comparisons: each row is one piece of work, ours and the peer's, on the same pixels.

Timing and printing are the business of `measure` and `__main__`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Stack = NDArray[np.float32]
Call = Callable[[Stack, Stack], Any]
WINDOW, MARGIN = 7, 10


@dataclass(frozen=True, slots=True)
class Case:
    """One row: frames, the image side each program is given (algotom a smaller one: hours), the calls."""

    name: str
    frames: int
    ours: Call
    peer: Call
    side: int = 512
    peer_side: int = 128
    window: int = WINDOW

    def pixels(self, side: int) -> int:
        """Return the number of pixels that get an answer."""
        return (side - 2 * (self.window // 2 + MARGIN)) ** 2


def images(frames: int, side: int) -> tuple[Stack, Stack]:
    """Return reference and sample `(frames, side, side)`, float32: speckle moved by a smooth field."""
    from shiftfield import synthetic

    scan = synthetic.speckle_scan(shape=(side, side), frames=frames, seed=1)
    return scan.reference, scan.sample


def _field(**settings: Any) -> Call:
    def call(reference: Stack, sample: Stack) -> Any:
        import shiftfield

        return shiftfield.find_shift_field(
            reference, sample, **{"window": WINDOW, "margin": MARGIN, **settings}
        )

    return call


def _local(**arguments: Any) -> Call:
    def call(reference: Stack, sample: Stack) -> Any:
        from algotom.util import correlation

        if len(reference) == 1:
            reference, sample = reference[0], sample[0]
        return correlation.find_local_shifts(
            reference, sample, win_size=WINDOW, margin=MARGIN, norm=False, gpu=False, **arguments
        )

    return call


def _umpa(**arguments: Any) -> Call:
    def call(reference: Stack, sample: Stack) -> Any:
        from algotom.util import correlation

        return correlation.find_local_shifts_umpa(
            reference, sample, win_size=WINDOW, margin=MARGIN, gpu=False, **arguments
        )

    return call


CASES = (
    Case("one pair, 2-D Pearson", 1, _field(), _local()),
    Case("5 frames, 2-D Pearson", 5, _field(), _local(dim=2)),
    Case("5 frames, 1-D Pearson", 5, _field(search="1d"), _local(dim=1)),
    Case("5 frames, UMPA, hamming", 5, _field(method="umpa", weight="hamming"), _umpa()),
    Case(
        "5 frames, UMPA with dark field, hamming",
        5,
        _field(method="umpa_dark", weight="hamming"),
        _umpa(dark_signal=True),
    ),
    Case("20 frames, 2-D Pearson", 20, _field(), _local(dim=2), peer_side=96),
)
