"""Small images with a known shift, and the clicks of a person, for the tests of the docks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from shiftfield._napari.maps.correlation_map import CorrelationMap
from shiftfield._napari.maps.global_shift import GlobalShift
from shiftfield._napari.maps.locate_peak import LocatePeak
from shiftfield._napari.shifts.local_shifts import LocalShifts
from shiftfield._napari.shifts.umpa_shifts import UmpaShifts
from shiftfield.synthetic import speckle

DOCKS = {
    "Correlation map": CorrelationMap,
    "Locate peak": LocatePeak,
    "Local shifts": LocalShifts,
    "Global shift": GlobalShift,
    "UMPA shifts": UmpaShifts,
}

SHIFT = (1.6, -2.3)  # (x, y) px that a search must find
WAIT = 60_000  # ms; the first search of a process compiles
LONG = {"margin": 120, "window": 41}  # with `long_pair`: half a minute and more


@dataclass(frozen=True)
class Pair:
    """A reference and a sample whose shift is SHIFT everywhere."""

    reference: np.ndarray[Any, Any]
    sample: np.ndarray[Any, Any]


def make_pair(shape: tuple[int, int] = (48, 60), frames: int = 1, seed: int = 0) -> Pair:
    """Return images, or stacks of several frames, moved by SHIFT."""
    return Pair(
        speckle(shape, frames=frames, seed=seed),
        speckle(shape, frames=frames, seed=seed, shift=SHIFT),
    )


def long_pair() -> Pair:
    """Return noise that takes long to search with the settings LONG."""
    rng = np.random.default_rng(0)
    return Pair(*rng.random((2, 700, 700), dtype=np.float32))


def click(button: Any) -> None:
    """Press a magicgui button as the mouse does."""
    button.native.click()


def click_run(dock: Any, qtbot: Any) -> None:
    """Press Run and wait until the run is over."""
    click(dock.run_button)
    qtbot.waitUntil(lambda: not dock.running, timeout=WAIT)


def about(layer: Any) -> dict[str, Any]:
    """Return what a layer's metadata says about how it was made."""
    said: dict[str, Any] = layer.metadata["shiftfield"]
    return said
