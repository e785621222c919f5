"""A scan as lazy layers (projection, y, x) of one viewer: a projection is read when the slider comes to it.

There are no vectors: those of all projections would have to be read for them.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shiftfield import Scan
from shiftfield.field.layers import NAMES, LayerTuple, bottom_up, look, made
from shiftfield.sources.on_demand import on_demand

AXES = ("projection", "y", "x")


def scan_layers(path: str | os.PathLike[str]) -> tuple[list[LayerTuple], str]:
    """Return an Image layer tuple for each quantity, x shift on top, and a sentence about what is missing.

    Only x shift is visible, so that a step of the slider reads one quantity, not all.
    """
    scan = Scan(path)
    finished = scan.done
    layers: list[LayerTuple] = []
    for name, stored in scan.quantities().items():
        if name not in NAMES:
            continue
        images = _Projections(stored, NAMES[name])
        arguments = {
            "name": NAMES[name],
            "metadata": {"shiftfield": made(scan, name) | {"projections": len(scan)}},
            **look(name, _some(images, finished)),
            "scale": (1, scan.settings.step, scan.settings.step),
            "axis_labels": AXES,
            "visible": name == "x",
            # what is missing now may be there when the slider comes back
            "cache": bool(finished.all()),
        }
        layers.append((on_demand(images), arguments, "image"))
    return bottom_up(layers), _missing(scan, finished)


class _Projections:
    """A quantity of all projections, read when it is sliced; one that cannot be read is NaN, and that is said.

    An error in the middle of napari's slicing would leave the picture of another projection on the screen.
    """

    def __init__(self, stored: Any, label: str) -> None:
        self._stored, self._label = stored, label
        self._said: set[str] = set()
        self.shape: tuple[int, ...] = tuple(stored.shape)
        self.dtype, self.ndim = np.dtype(stored.dtype), len(self.shape)

    def __getitem__(self, key: tuple[Any, ...]) -> NDArray[Any]:
        try:
            return np.asarray(self._stored[key])
        except (OSError, ValueError, RuntimeError) as error:
            number = key[0].start if isinstance(key[0], slice) else key[0]
            self._say(f"{self._label} of projection {number} is shown empty: {error}")
        nothing: NDArray[Any] = np.broadcast_to(np.array(np.nan, self.dtype), self.shape)[
            key
        ].copy()
        return nothing

    def _say(self, text: str) -> None:
        from napari.utils.notifications import show_warning

        if text not in self._said:
            self._said.add(text)
            show_warning(text)


def _some(images: _Projections, finished: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return the first, the middle and the last finished projection, `(n, rows, columns)`, n from 0 to 3."""
    known = np.flatnonzero(finished)
    ends_and_middle = known[[0, len(known) // 2, -1]] if len(known) else known
    read = [images[int(number), :, :] for number in np.unique(ends_and_middle)]
    return np.stack(read) if read else np.empty((0, *images.shape[1:]), np.float32)


def _missing(scan: Scan, finished: NDArray[np.bool_]) -> str:
    if finished.all():
        return ""
    return f"{scan.path.name}: {finished.sum()} of {len(scan)} projections are finished; the others are empty."
