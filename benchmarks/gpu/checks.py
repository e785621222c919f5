"""Whether a device finds what the CPU finds."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass

import numpy as np

import shiftfield
from benchmarks.gpu.cases import AGREED, SHARE, Checked, Frames
from shiftfield import ShiftField


@dataclass(frozen=True, slots=True)
class Agreement:
    """How a search agrees with the CPU's: share of pixels within `AGREED`, and whether the same are unknown."""

    name: str
    device: str
    share: float
    same_unknown: bool
    seconds: float

    @property
    def reached(self) -> bool:
        """Whether that is good enough."""
        return self.share >= SHARE and self.same_unknown


def check(checked: Checked, side: int) -> list[Agreement]:
    """Run one search on the CPU, on the GPU and on both."""
    reference, sample = checked.images(side)
    expected, _ = find(reference, sample, checked, "cpu")
    found = []
    for device in ("gpu", "hybrid"):
        field, seconds = find(reference, sample, checked, device)
        found.append(compare(f"{checked.name}", device, field, expected, seconds))
    return found


def find(
    reference: Frames, sample: Frames, checked: Checked, device: str
) -> tuple[ShiftField, float]:
    """Return the field and the seconds it took."""
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pixels without an answer, which are compared
        field = shiftfield.find_shift_field(reference, sample, device=device, **checked.chosen)
    return field, time.perf_counter() - started


def compare(
    name: str, device: str, found: ShiftField, expected: ShiftField, seconds: float
) -> Agreement:
    """Compare two fields; every quantity counts, the worst is told."""
    shares, same = [], True
    for quantity, image in expected.quantities().items():
        one, two = (np.asarray(each, np.float64) for each in (found.quantities()[quantity], image))
        same = same and bool(np.array_equal(np.isnan(one), np.isnan(two)))
        known = np.isfinite(one) & np.isfinite(two)
        shares.append(float(np.mean(np.abs(one - two)[known] <= AGREED)) if known.any() else 1.0)
    return Agreement(name, device, min(shares), same, seconds)
