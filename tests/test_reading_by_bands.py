"""Inputs are read band by band, never whole, by every dense function; what is computed is tested elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield import find_local_shifts, find_local_shifts_umpa, find_shift_field, machine
from shiftfield.synthetic import speckle

pytestmark = pytest.mark.filterwarnings("ignore:.*GPU:UserWarning")

PATTERN: dict[str, Any] = {"sigma": 1.5, "frames": 2, "seed": 2}
REFERENCE = speckle((700, 64), **PATTERN)
SAMPLE = speckle((700, 64), shift=(0.3, -0.4), **PATTERN)


class Remembering:
    """An array-like that counts what is read of it at once and in all; it is no NumPy array.

    With `chunks` it counts whole chunks, as a file does that is compressed in them.
    """

    def __init__(self, data: NDArray[Any], chunks: tuple[int, ...] | None = None) -> None:
        self._data, self.chunks = data, chunks
        self.shape, self.dtype = data.shape, data.dtype
        self.largest = self.total = 0

    def __getitem__(self, index: Any) -> NDArray[Any]:
        part: NDArray[Any] = self._data[index]
        size = part.size
        if self.chunks:
            tall = self.chunks[-2]
            rows = range(self.shape[-2])[index[-1] if isinstance(index, tuple) else index]
            whole = min(-(-rows.stop // tall) * tall, self.shape[-2]) - rows.start // tall * tall
            size = size // len(rows) * whole
        self.largest = max(self.largest, size)
        self.total += size
        return part


CALLS: dict[str, Callable[..., Any]] = {
    "1-D": lambda r, s: find_local_shifts(r, s, margin=4),
    "1-D, as it is": lambda r, s: find_local_shifts(r, s, margin=4, norm=False),
    "1-D, globally normalised": lambda r, s: find_local_shifts(r, s, margin=4, norm_global=True),
    "1-D, wide window": lambda r, s: find_local_shifts(r, s, 1, 41, margin=4, norm=False),
    "2-D": lambda r, s: find_local_shifts(r, s, dim=2, margin=4),
    "UMPA": lambda r, s: find_local_shifts_umpa(r, s, margin=4),
    "UMPA with dark field": lambda r, s: find_local_shifts_umpa(r, s, margin=4, dark_signal=True),
    "a pair": lambda r, s: find_local_shifts(r, s, margin=4),
}


def pair_of(name: str, chunks: tuple[int, ...] | None = None) -> list[Remembering]:
    images = (REFERENCE[0], SAMPLE[0]) if name == "a pair" else (REFERENCE, SAMPLE)
    return [Remembering(image, chunks) for image in images]


@pytest.fixture
def little(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with so little free memory that no input is held whole."""
    monkeypatch.setattr(machine, "free_memory", lambda: 700_000)


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("name", CALLS)
def test_no_input_is_read_whole(name: str) -> None:
    """The largest read is a band of rows; each is read once, again only from a copy."""
    inputs = pair_of(name)
    found = CALLS[name](*inputs)
    for one in inputs:
        assert one.largest < 0.4 * one._data.size
        assert one.total < 1.3 * one._data.size
    expected = CALLS[name](*(one._data for one in inputs))
    for first, second in zip(found, expected, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("name", CALLS)
def test_what_fits_is_read_once(name: str) -> None:
    """Where sums over the whole are wanted, a small input is held."""
    inputs = pair_of(name)
    CALLS[name](*inputs)
    for one in inputs:
        assert one.total <= 1.3 * one._data.size


@pytest.mark.usefixtures("little")
@pytest.mark.parametrize("tall", [48, 100, 700])
def test_every_chunk_is_decoded_once(tall: int) -> None:
    """Bands end where chunks end; chunks of whole frames go through a temporary file."""
    inputs = pair_of("2-D", (1, tall, 64))
    found = CALLS["2-D"](*inputs)
    assert [one.total for one in inputs] == [SAMPLE.size] * 2
    for first, second in zip(found, CALLS["2-D"](REFERENCE, SAMPLE), strict=True):
        np.testing.assert_array_equal(first, second)


def test_too_little_memory_is_refused() -> None:
    reference, sample = pair_of("2-D")
    with pytest.raises(ValueError, match=r"memory is '9 kB'; this search needs at least \d\.\d MB"):
        find_shift_field(reference, sample, margin=4, memory="9 kB")
    find_shift_field(REFERENCE, SAMPLE, margin=4, memory="9 kB")  # nothing is copied
