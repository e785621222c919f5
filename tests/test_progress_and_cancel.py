"""Long searches tell how far they are, stop when asked, and leave nothing behind."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from typing import Any

import numpy as np
import pytest

from shiftfield import (
    Cancelled,
    find_global_shift_based_local_shifts,
    find_local_shifts,
    find_shift_field,
)
from shiftfield.synthetic import speckle

REFERENCE = speckle((200, 300), frames=2, seed=4)
LARGE = np.tile(REFERENCE, (1, 5, 5))


@pytest.mark.parametrize("search", ["2d", "1d"])
def test_progress_rises_to_its_total(search: str) -> None:
    seen: list[tuple[int, int]] = []
    find_shift_field(
        REFERENCE, REFERENCE, search=search, margin=3, progress=lambda *at: seen.append(at)
    )
    done, totals = zip(*seen, strict=True)
    assert done[0] == 0
    assert list(done) == sorted(done)
    assert set(totals) == {done[-1]}


def test_progress_is_told_in_the_callers_thread() -> None:
    threads = set()
    find_shift_field(
        REFERENCE, REFERENCE, progress=lambda *_: threads.add(threading.current_thread())
    )
    assert threads == {threading.current_thread()}


@pytest.mark.parametrize("as_event", [True, False])
def test_cancel_stops_a_long_search(as_event: bool) -> None:
    """A search of about a minute ends within a second of being asked to."""
    find_shift_field(REFERENCE, REFERENCE)  # compiled
    event = threading.Event()
    asked: list[float] = []

    def ask(done: int, _total: int) -> None:
        if done >= 2 and not asked:
            asked.append(time.monotonic())
            event.set()

    with pytest.raises(Cancelled):
        find_shift_field(
            LARGE, LARGE, margin=40, progress=ask, cancel=event if as_event else event.is_set
        )
    assert time.monotonic() - asked[0] < 1


def test_cancel_stops_a_pass_over_the_input() -> None:
    """Normalising reads everything before the first tile; that can be stopped too."""
    looks: list[int] = []

    def cancel() -> bool:
        looks.append(1)
        return len(looks) > 3

    with pytest.raises(Cancelled):
        find_local_shifts(LARGE[0], LARGE[0], cancel=cancel)
    assert len(looks) == 4


def test_cancel_stops_a_global_shift() -> None:
    with pytest.raises(Cancelled):
        find_global_shift_based_local_shifts(REFERENCE[0], REFERENCE[0], 21, 5, cancel=lambda: True)


def test_an_error_of_the_callback_reaches_the_caller() -> None:
    def broken(_done: int, _total: int) -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        find_shift_field(REFERENCE, REFERENCE, progress=broken)


def test_no_thread_is_left() -> None:
    def ours() -> list[Any]:
        return [t for t in threading.enumerate() if t.name.startswith("shiftfield_")]

    find_shift_field(REFERENCE, REFERENCE)
    end = time.monotonic() + 5
    while ours() and time.monotonic() < end:
        time.sleep(0.01)
    assert ours() == []


def test_python_ends_after_a_cancelled_search() -> None:
    code = (
        "import numpy as np, shiftfield\n"
        "image = np.random.default_rng(0).random((600, 600))\n"
        "try:\n"
        "    shiftfield.find_shift_field(image, image, margin=30, cancel=lambda: True)\n"
        "except shiftfield.Cancelled:\n"
        "    print('cancelled')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "cancelled\n"
