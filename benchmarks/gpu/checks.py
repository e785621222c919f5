"""Whether a device finds what the CPU finds."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

import shiftfield
from benchmarks.gpu.cases import AGREED, SHARE, Checked, Frames
from benchmarks.gpu.rows import Row
from shiftfield import ShiftField

_USUAL = "pixels have no answer"  # these are compared; any other warning is about the device


def check(checked: Checked, side: int) -> Iterator[Row]:
    """Run one search on the CPU, on the GPU and on both; compare."""
    reference, sample = checked.images(side)
    expected, _ = find(reference, sample, checked, "cpu")
    for device in ("gpu", "hybrid"):
        found, told = find(reference, sample, checked, device)
        yield compare(f"agreement, {checked.name}, {device}", found, expected, told)


def find(
    reference: Frames, sample: Frames, checked: Checked, device: str
) -> tuple[ShiftField, list[str]]:
    """Return the field, and what was said about the device: that it failed and the CPU did its work, say."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        field = shiftfield.find_shift_field(reference, sample, device=device, **checked.chosen)
    said = [str(warning.message) for warning in caught]
    return field, [text for text in said if _USUAL not in text]


def compare(name: str, found: ShiftField, expected: ShiftField, told: list[str]) -> Row:
    """Compare two fields; every quantity counts, the worst is told."""
    shares, different = [], 0
    for quantity, image in expected.quantities().items():
        one, two = (np.asarray(each, np.float64) for each in (found.quantities()[quantity], image))
        different += int(np.count_nonzero(np.isnan(one) != np.isnan(two)))
        known = np.isfinite(one) & np.isfinite(two)
        shares.append(float(np.mean(np.abs(one - two)[known] <= AGREED)) if known.any() else 1.0)
    spoilt = [*told, f"{different} pixels are known to one of them only"] if different else told
    return Row(
        name, 100 * min(shares), f"% within {AGREED:g}", 100 * SHARE, at_least=True,
        spoilt="; ".join(spoilt),
    )  # fmt: skip
