"""Inputs are read band by band, never whole, by every dense function; what is computed is tested elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield import find_local_shifts, find_local_shifts_umpa, find_shift_field
from shiftfield.synthetic import speckle

pytestmark = pytest.mark.filterwarnings("ignore:.*GPU:UserWarning")

PATTERN: dict[str, Any] = {"sigma": 1.5, "frames": 2, "seed": 2}
REFERENCE = speckle((700, 64), **PATTERN)
SAMPLE = speckle((700, 64), shift=(0.3, -0.4), **PATTERN)


class Remembering:
    """An array-like that counts what is read of it at once and in all; it is no NumPy array."""

    def __init__(self, data: NDArray[Any]) -> None:
        self._data = data
        self.shape, self.dtype = data.shape, data.dtype
        self.largest = self.total = 0

    def __getitem__(self, index: Any) -> NDArray[Any]:
        part: NDArray[Any] = self._data[index]
        self.largest = max(self.largest, part.size)
        self.total += part.size
        return part


CALLS: dict[str, Callable[..., Any]] = {
    "1-D": lambda r, s: find_local_shifts(r, s, margin=4),
    "1-D, globally normalised": lambda r, s: find_local_shifts(r, s, margin=4, norm_global=True),
    "2-D": lambda r, s: find_local_shifts(r, s, dim=2, margin=4),
    "UMPA": lambda r, s: find_local_shifts_umpa(r, s, margin=4),
    "UMPA with dark field": lambda r, s: find_local_shifts_umpa(r, s, margin=4, dark_signal=True),
    "in 300 kB": lambda r, s: find_shift_field(r, s, margin=4, memory="900 kB"),
}


@pytest.mark.parametrize("name", CALLS)
def test_no_input_is_read_whole(name: str) -> None:
    """The largest read is a band of rows: 100 and the halo of 700, by default."""
    reference, sample = Remembering(REFERENCE), Remembering(SAMPLE)
    found = CALLS[name](reference, sample)
    assert reference.largest < 0.25 * REFERENCE.size
    assert sample.largest < 0.25 * SAMPLE.size
    expected = CALLS[name](REFERENCE, SAMPLE)
    if name != "in 300 kB":
        for one, two in zip(found, expected, strict=True):
            np.testing.assert_array_equal(one, two)


def test_a_pair_of_datasets_is_read_by_bands_too() -> None:
    reference, sample = Remembering(REFERENCE[0]), Remembering(SAMPLE[0])
    found = find_local_shifts(reference, sample, margin=4)
    assert max(reference.largest, sample.largest) < 0.25 * SAMPLE[0].size
    for one, two in zip(found, find_local_shifts(REFERENCE[0], SAMPLE[0], margin=4), strict=True):
        np.testing.assert_array_equal(one, two)


def test_a_search_reads_its_input_once() -> None:
    """Halos of bands are read twice, nothing else is."""
    reference, sample = Remembering(REFERENCE), Remembering(SAMPLE)
    find_local_shifts(reference, sample, dim=2, margin=4)
    assert reference.total < 1.3 * REFERENCE.size


def test_too_little_memory_is_refused() -> None:
    with pytest.raises(ValueError, match=r"memory is '9 kB'; this search needs at least 0\.\d MB"):
        find_shift_field(REFERENCE, SAMPLE, margin=4, memory="9 kB")
