"""Rows of an input in order: nothing is read twice, and what needs several passes is held or copied once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from shiftfield import machine
from shiftfield.inputs.frames import Frames
from shiftfield.sources import flat
from shiftfield.stream import rows
from shiftfield.stream.rows import Reader, bytes_of_a_row, make_readable

PIXELS = np.arange(3 * 40 * 5, dtype=np.uint16).reshape(3, 40, 5)


class Stored:
    """Frames that are no NumPy array, as a file's; it remembers which rows were asked for."""

    def __init__(self, data: NDArray[Any] = PIXELS, chunks: tuple[int, ...] | None = None) -> None:
        self.data, self.chunks = data, chunks
        self.shape, self.dtype = data.shape, data.dtype
        self.read: list[tuple[int, int]] = []

    def __getitem__(self, at: Any) -> NDArray[Any]:
        there = range(self.shape[-2])[at[-1] if isinstance(at, tuple) else at]
        self.read.append((there.start, there.stop))
        return np.array(self.data[at])


def frames(
    chunks: tuple[int, ...] | None = None, data: NDArray[Any] = PIXELS
) -> tuple[Frames, Stored]:
    """Return frames of a source, and the source."""
    source = Stored(data, chunks)
    return Frames(source, "The images"), source


# Bands of rows


def test_bands_that_overlap_read_each_row_once() -> None:
    one, source = frames()
    reader = Reader(one)
    for start, stop in ((0, 12), (8, 22), (18, 32), (28, 40)):
        np.testing.assert_array_equal(reader.stored(start, stop), PIXELS[:, start:stop])
    assert source.read == [(0, 12), (12, 22), (22, 32), (32, 40)]


def test_bands_that_do_not_overlap_read_what_they_need() -> None:
    """What lies between is left out; what was kept before is forgotten."""
    one, source = frames()
    reader = Reader(one)
    for start, stop in ((0, 10), (10, 20), (25, 30)):
        np.testing.assert_array_equal(reader.stored(start, stop), PIXELS[:, start:stop])
    assert source.read == [(0, 10), (10, 20), (25, 30)]


def test_a_band_that_is_kept_is_not_read() -> None:
    one, source = frames()
    reader = Reader(one)
    for start, stop in ((3, 20), (5, 20), (7, 15), (9, 22), (9, 22)):
        np.testing.assert_array_equal(reader.stored(start, stop), PIXELS[:, start:stop])
    assert source.read == [(3, 20), (20, 22)]


def test_whole_chunks_are_read_and_kept() -> None:
    """Bands end where chunks of 16 rows end, so that none is decoded twice."""
    one, source = frames((1, 16, 5))
    reader = Reader(one)
    for start, stop in ((0, 12), (8, 15), (10, 16), (12, 30), (20, 40)):
        np.testing.assert_array_equal(reader.stored(start, stop), PIXELS[:, start:stop])
    assert source.read == [(0, 16), (16, 32), (32, 40)]


def test_what_is_in_memory_is_given_as_views() -> None:
    """In any order: nothing is kept of it."""
    reader = Reader(Frames(PIXELS, "The images"))
    for start, stop in ((20, 30), (0, 12)):
        found = reader.stored(start, stop)
        assert np.shares_memory(found, PIXELS)
        np.testing.assert_array_equal(found, PIXELS[:, start:stop])


def test_a_single_image_is_a_stack_of_one() -> None:
    one, source = frames(data=PIXELS[0])
    reader = Reader(one)
    np.testing.assert_array_equal(reader.stored(0, 10), PIXELS[:1, :10])
    np.testing.assert_array_equal(reader.stored(5, 15), PIXELS[:1, 5:15])
    assert source.read == [(0, 10), (10, 15)]


# What a row costs


@pytest.mark.parametrize("normalised", [0, 1, 2])
def test_a_row_costs_four_copies_and_the_sums_of_its_normalisation(normalised: int) -> None:
    """As it is stored, 3 frames of 5 px of 2 bytes; sums over frames, three times in float64."""
    one, _ = frames()
    assert bytes_of_a_row(one, normalised=normalised) == 4 * 3 * 5 * 2 + normalised * 3 * 5 * 8


def test_a_row_in_memory_costs_nothing_but_its_normalisation() -> None:
    one = Frames(PIXELS, "The images")
    assert bytes_of_a_row(one, normalised=0) == 0
    assert bytes_of_a_row(one, normalised=2) == 2 * 3 * 5 * 8


# What is held or copied

SIZE = PIXELS.nbytes
MUCH, NO_ROOM = 10**12, 0


def kept(
    one: Frames, memory: str | int | None, *, several: bool, other: Frames | None = None
) -> str:
    """Return how an input is kept once it has been made readable, wherever it stands in the pair."""
    make_readable((one, other), memory, several_passes=(several, False))
    if one.in_memory:
        return "held"
    return "copied" if one.copied else "left"


@pytest.fixture(autouse=True)
def disk(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Say how much room the disk has; without a word there is much."""

    def room(size: int) -> None:
        monkeypatch.setattr(rows, "free_space", lambda: size)

    assert rows.free_space is flat.free_space
    room(MUCH)
    return room


def test_what_is_read_once_stays_where_it_is() -> None:
    one, source = frames()
    assert kept(one, MUCH, several=False) == "left"
    assert kept(one, "1 kB", several=False) == "left"
    assert source.read == []


@pytest.mark.parametrize(("spare", "how"), [(0, "held"), (-1, "copied")])
def test_what_is_read_several_times_is_held_where_a_sixth_of_memory_is_enough(
    spare: int, how: str
) -> None:
    """Else it is copied; either way it was read once, and has the same pixels afterwards."""
    one, source = frames()
    assert kept(one, 6 * SIZE + spare, several=True) == how
    np.testing.assert_array_equal(one.stored(0, 40), PIXELS)
    assert sum(stop - start for start, stop in source.read) in (40, 3 * 40)


@pytest.mark.parametrize(
    ("spare", "how"), [(1, "copied"), (0, "copied"), (-1, "left"), (-9, "left")]
)
def test_a_copy_takes_at_most_half_of_the_room_on_the_disk(disk: Any, spare: int, how: str) -> None:
    one, _ = frames()
    disk(2 * (SIZE + 1) + spare)
    assert kept(one, 6 * SIZE - 1, several=True) == how


@pytest.mark.parametrize(("spare", "how"), [(0, "left"), (-1, "copied")])
def test_chunks_too_tall_to_keep_are_decoded_into_a_copy(disk: Any, spare: int, how: str) -> None:
    """Chunks of 20 rows across an image are half of it: more than a twelfth of memory, and the disk must do."""
    one, _ = frames((1, 20, 5))
    disk(NO_ROOM)
    assert kept(one, 12 * SIZE // 2 + spare, several=False) == how


def test_half_of_the_free_memory_is_allowed_without_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for free, how in ((2 * 6 * SIZE, "held"), (2 * 6 * SIZE - 2, "copied")):
        monkeypatch.setattr(machine, "free_memory", lambda free=free: free)
        one, _ = frames()
        assert kept(one, None, several=True) == how
        assert kept(frames()[0], "1 GB", several=True) == "held"


def test_both_inputs_are_looked_at_each_for_itself() -> None:
    (first, _), (second, _) = frames(), frames()
    make_readable((first, second), MUCH, several_passes=(False, True))
    assert (first.in_memory, second.in_memory) == (False, True)
    make_readable((None, first), MUCH, several_passes=(True, True))
    assert first.in_memory
    (third, _) = frames()
    make_readable((second, third), MUCH, several_passes=(True, True))
    assert third.in_memory


def test_a_copy_is_not_copied_again() -> None:
    one, source = frames()
    assert kept(one, 6, several=True) == "copied"
    copy, read = one.data, list(source.read)
    assert kept(one, 6, several=True) == "copied"
    assert kept(one, MUCH, several=True) == "copied"
    assert one.data is copy
    assert source.read == read
